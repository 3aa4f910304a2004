// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"

/* Longer than any record of /dev/kmsg. */
#define RECORD_MAX	8192

/* Nothing that is read here is longer, unless it has no end. */
#define TEXT_MAX	(64 << 20)

struct text {
	char *data;
	size_t len;
	size_t size;
};

static _Noreturn void out_of_memory(void)
{
	fputs("tdx-status: out of memory\n", stderr);
	exit(EXIT_TROUBLE);
}

static void append(struct text *text, const char *data, size_t len)
{
	if (text->len + len + 1 > text->size) {
		text->size = 2 * (text->len + len + 1);
		text->data = realloc(text->data, text->size);
		if (!text->data)
			out_of_memory();
	}
	memcpy(text->data + text->len, data, len);
	text->len += len;
	text->data[text->len] = '\0';
}

static bool make_path(char *path, const char *base, const char *name)
{
	if (snprintf(path, PATH_MAX, "%s%s", base, name) < PATH_MAX)
		return true;

	errno = ENAMETOOLONG;
	return false;
}

static int open_file(const struct files *files, const char *name, int flags)
{
	char path[PATH_MAX];

	if (!make_path(path, files->root, name))
		return -1;

	return open(path, O_RDONLY | O_CLOEXEC | flags);
}

static void make_directories(char *path)
{
	char *slash;

	for (slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0777);
		*slash = '/';
	}
}

/* What can not be saved stops the command: half a copy misleads. */
static void save_text(const struct files *files, const char *name, const struct text *text)
{
	char path[PATH_MAX];
	FILE *file = NULL;

	if (!files->save)
		return;

	if (make_path(path, files->save, name)) {
		make_directories(path);
		file = fopen(path, "w");
	}
	if (!file || fwrite(text->data, 1, text->len, file) != text->len || fclose(file)) {
		fprintf(stderr, "tdx-status: can not save %s%s: %s\n", files->save, name,
			strerror(errno));
		exit(EXIT_TROUBLE);
	}
}

static bool read_all(int fd, struct text *text)
{
	char buf[4096];
	ssize_t n, i;

	append(text, "", 0);
	do {
		n = read(fd, buf, sizeof(buf));
		if (n < 0)
			return false;
		for (i = 0; i < n; i++) {
			if (!buf[i])
				buf[i] = ' ';
		}
		append(text, buf, n);
	} while (n && text->len < TEXT_MAX);

	return true;
}

char *files_read(const struct files *files, const char *path)
{
	struct text text = { 0 };
	int fd, err;

	fd = open_file(files, path, 0);
	if (fd < 0)
		return NULL;

	err = read_all(fd, &text) ? 0 : errno;
	close(fd);
	if (err) {
		free(text.data);
		errno = err;
		return NULL;
	}

	save_text(files, path, &text);
	return text.data;
}

char *files_read_line(const struct files *files, const char *path)
{
	char *text = files_read(files, path);

	if (text)
		text[strcspn(text, "\n")] = '\0';

	return text;
}

bool files_exist(const struct files *files, const char *path)
{
	struct stat st;
	char full[PATH_MAX];

	return make_path(full, files->root, path) && !stat(full, &st);
}

static bool is_device(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISCHR(st.st_mode);
}

static int read_msr(int fd, u32 msr, u64 *value)
{
	ssize_t n = pread(fd, value, sizeof(*value), msr);

	if (n < 0)
		return errno;

	return n == sizeof(*value) ? 0 : EIO;
}

/* Lines "MSR VALUE"; an MSR that no line has is one that the CPU does not have. */
static int find_msr(const char *text, u32 msr, u64 *value)
{
	const char *line;
	char *end;

	for (line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		if (strtoul(line, &end, 0) != msr || end == line)
			continue;
		*value = strtoull(end, NULL, 0);
		return 0;
	}
	return EIO;
}

static void save_msrs(const struct files *files, const char *path, const u32 *msrs,
		      unsigned int nr, const u64 *values, const int *errors)
{
	struct text text = { 0 };
	char line[64];
	unsigned int i;

	append(&text, "", 0);
	for (i = 0; i < nr; i++) {
		if (!errors[i])
			append(&text, line, snprintf(line, sizeof(line), "0x%x 0x%llx\n",
						     msrs[i], values[i]));
	}
	save_text(files, path, &text);
	free(text.data);
}

void files_read_msrs(const struct files *files, unsigned int cpu, const u32 *msrs,
		     unsigned int nr, u64 *values, int *errors)
{
	struct text text = { 0 };
	char path[64];
	unsigned int i;
	int fd, err;

	snprintf(path, sizeof(path), "/dev/cpu/%u/msr", cpu);
	fd = open_file(files, path, 0);
	err = fd < 0 ? errno : 0;
	if (!err && !is_device(fd) && !read_all(fd, &text))
		err = errno;

	for (i = 0; i < nr; i++) {
		if (err)
			errors[i] = err;
		else if (text.data)
			errors[i] = find_msr(text.data, msrs[i], &values[i]);
		else
			errors[i] = read_msr(fd, msrs[i], &values[i]);
	}
	if (!err)
		save_msrs(files, path, msrs, nr, values, errors);

	free(text.data);
	if (fd >= 0)
		close(fd);
}

/*
 * "6,339,5140900,-;text" and, in lines that begin with a space, what it is
 * about. Level 8 and more is what programs wrote to the log, not the kernel.
 */
static void append_record(struct text *text, const char *record, size_t len,
			  unsigned long long *sequence)
{
	unsigned int level;
	unsigned long long us;
	char stamp[32];
	const char *body = memchr(record, ';', len);
	const char *end;

	if (!body || sscanf(record, "%u,%llu,%llu,", &level, sequence, &us) != 3 || level >= 8)
		return;

	body++;
	append(text, stamp, snprintf(stamp, sizeof(stamp), "[%5llu.%06llu] ",
				     us / 1000000, us % 1000000));
	end = memchr(body, '\n', record + len - body);
	append(text, body, (end ? end : record + len) - body);
	append(text, "\n", 1);
}

static bool read_records(int fd, struct text *text, bool *begin_is_lost)
{
	unsigned long long sequence, first = ~0ULL;
	char record[RECORD_MAX + 1];
	ssize_t n;

	append(text, "", 0);
	for (;;) {
		n = read(fd, record, RECORD_MAX);
		if (n < 0 && errno == EPIPE)	/* overwritten while we read */
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			return false;
		if (!n)
			break;
		record[n] = '\0';
		sequence = 0;
		append_record(text, record, n, &sequence);
		if (first == ~0ULL)
			first = sequence;
	}
	*begin_is_lost = first;
	return true;
}

char *files_read_log(const struct files *files, bool *begin_is_lost)
{
	static const char path[] = "/dev/kmsg";
	struct text text = { 0 };
	int fd, err = 0;

	*begin_is_lost = false;
	fd = open_file(files, path, O_NONBLOCK);
	if (fd < 0)
		return NULL;

	if (is_device(fd) ? !read_records(fd, &text, begin_is_lost) : !read_all(fd, &text))
		err = errno;
	close(fd);
	if (err) {
		free(text.data);
		errno = err;
		return NULL;
	}

	save_text(files, path, &text);
	return text.data;
}
