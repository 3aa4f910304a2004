// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <unistd.h>

#include "../kselftest.h"
#include "tdx_test.h"

#define STATE_FILE	"/sys/firmware/tdx/state"
#define MESSAGE_MAX	512

/* Of syslog(2), which no header has */
#define SYSLOG_ACTION_CLEAR	5

static int nr_params;
static char **params;
static char messages[PATH_MAX];

static void __attribute__((format(printf, 1, 2), noreturn))
die(const char *fmt, ...)
{
	va_list args;

	printf("Bail out! ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	exit(KSFT_FAIL);
}

void tdx_setup(int argc, char **argv)
{
	char self[PATH_MAX];
	ssize_t len;

	/* A pipe is fully buffered: lines would come after the kernel's. */
	setvbuf(stdout, NULL, _IOLBF, 0);

	params = argv + 1;
	nr_params = argc - 1;

	len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (len < 0)
		die("/proc/self/exe: %m; is /proc mounted?");
	self[len] = '\0';
	snprintf(messages, sizeof(messages), "%.*s/messages",
		 PATH_MAX - 16, dirname(self));

	/* All at once, and not test by test, where it would be a failure. */
	close(tdx_open_kvm());
}

const char *tdx_param(const char *name, const char *def)
{
	size_t len = strlen(name);
	int i;

	for (i = 0; i < nr_params; i++) {
		if (!strncmp(params[i], name, len) && params[i][len] == '=')
			return params[i] + len + 1;
	}
	return def;
}

unsigned long tdx_param_num(const char *name, unsigned long def)
{
	const char *text = tdx_param(name, NULL);
	unsigned long val;
	char *end;

	if (!text)
		return def;
	errno = 0;
	val = strtoul(text, &end, 0);
	if (errno || *end || end == text)
		die("parameter %s=%s is not a number", name, text);
	return val;
}

static const struct {
	const char *name;
	int err;
} errnos[] = {
#define ERRNO(e)	{ #e, e }
	ERRNO(EPERM), ERRNO(EIO), ERRNO(EAGAIN), ERRNO(ENOMEM), ERRNO(EACCES),
	ERRNO(EFAULT), ERRNO(EBUSY), ERRNO(ENODEV), ERRNO(EINVAL),
	ERRNO(ENOTTY), ERRNO(ENOSPC), ERRNO(ERANGE), ERRNO(EOPNOTSUPP),
	ERRNO(EINTR), ERRNO(ENXIO), ERRNO(E2BIG), ERRNO(ENOENT),
	ERRNO(EMFILE), ERRNO(ENFILE), ERRNO(EBADF),
#undef ERRNO
};

int tdx_errno(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(errnos); i++) {
		if (!strcmp(errnos[i].name, name))
			return errnos[i].err;
	}
	die("unknown errno %s", name);
}

const char *tdx_errno_name(int err)
{
	static char number[16];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(errnos); i++) {
		if (errnos[i].err == err)
			return errnos[i].name;
	}
	snprintf(number, sizeof(number), "%d", err);
	return number;
}

int tdx_open_kvm(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm < 0)
		ksft_exit_skip("/dev/kvm: %s\n", strerror(errno));
	return kvm;
}

int tdx_create_vm(int kvm, unsigned long type)
{
	int fd = ioctl(kvm, KVM_CREATE_VM, type);

	return fd < 0 ? -errno : fd;
}

int tdx_try_td(int kvm)
{
	int td = tdx_create_vm(kvm, KVM_X86_TDX_VM);

	if (td < 0)
		return td;
	close(td);
	return 0;
}

/* Put the expression of the message @name into @re, or exit. */
static void find_message(const char *name, regex_t *re)
{
	char line[MESSAGE_MAX], text[128];
	FILE *f = fopen(messages, "re");
	int ret;

	if (!f)
		die("%s: %m", messages);

	while (fgets(line, sizeof(line), f)) {
		size_t len = strcspn(line, " \t\n");
		char *expr = line + len + strspn(line + len, " \t");

		expr[strcspn(expr, "\n")] = '\0';
		if (*line == '#' || strlen(name) != len ||
		    strncmp(line, name, len))
			continue;
		ret = regcomp(re, expr, REG_EXTENDED);
		if (ret) {
			regerror(ret, re, text, sizeof(text));
			die("%s: message %s: %s: %s", messages, name, expr, text);
		}
		fclose(f);
		return;
	}
	die("%s has no message %s", messages, name);
}

unsigned int tdx_log_find(const char *name, char **line)
{
	unsigned int count = 0;
	char record[8192];
	regex_t re;
	int fd;

	if (line)
		*line = NULL;
	find_message(name, &re);
	fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		die("/dev/kmsg: %m");
	/* The first one, or that after tdx_log_forget() */
	lseek(fd, 0, SEEK_DATA);

	for (;;) {
		/* One record a read: "priority,sequence,time,flags;text\n..." */
		ssize_t len = read(fd, record, sizeof(record) - 1);
		char *text;

		if (len < 0 && errno == EAGAIN)
			break;
		/* A record was overwritten: a count would be wrong. */
		if (len < 0)
			die("/dev/kmsg: %m");
		record[len] = '\0';
		text = strchr(record, ';');
		/* Facility 0 is the kernel, user space cannot use it. */
		if (!text || strtoul(record, NULL, 10) >> 3)
			continue;
		text++;
		text[strcspn(text, "\n")] = '\0';
		if (regexec(&re, text, 0, NULL, 0))
			continue;
		count++;
		if (line) {
			free(*line);
			*line = strdup(text);
		}
	}
	close(fd);
	regfree(&re);
	return count;
}

void tdx_log_forget(void)
{
	if (klogctl(SYSLOG_ACTION_CLEAR, NULL, 0))
		die("klogctl: %m");
}

unsigned int tdx_log_count(const char *name)
{
	return tdx_log_find(name, NULL);
}

const char *tdx_state(void)
{
	static char state[64];
	char *c;
	FILE *f;

	f = fopen(STATE_FILE, "re");
	if (!f)
		die("%s: %m; is this a kernel with CONFIG_INTEL_TDX_HOST?", STATE_FILE);
	if (!fgets(state, sizeof(state), f))
		die("%s: cannot read", STATE_FILE);
	fclose(f);
	state[strcspn(state, "\n")] = '\0';
	for (c = state; *c; c++) {
		if (*c >= 'a' && *c <= 'z')
			*c += 'A' - 'a';
	}
	return state;
}

bool tdx_state_is(const char *want)
{
	const char *state = tdx_state();

	if (!strcmp(state, want))
		return true;
	printf("# state is %s, not %s\n", state, want);
	return false;
}

const char *tdx_state_after(int td)
{
	switch (td) {
	case -ENODEV:
		return "NONE";
	case -EIO:
		return "SHUTDOWN";
	case -EAGAIN:
	case -ENOMEM:
		return "LOADED";
	default:
		return td >= 0 ? "INITIALIZED" : "documented for this error";
	}
}

unsigned int tdx_nr_cpus(void)
{
	FILE *f = fopen("/sys/devices/system/cpu/present", "re");
	unsigned int last = 0;

	/* "0" or "0-3"; a present CPU between absent ones does not happen. */
	if (!f || fscanf(f, "0-%u", &last) == EOF)
		die("/sys/devices/system/cpu/present: cannot read");
	fclose(f);
	return last + 1;
}

static void cpu_file(char *path, size_t len, unsigned int cpu)
{
	snprintf(path, len, "/sys/devices/system/cpu/cpu%u/online", cpu);
}

bool tdx_cpu_online(unsigned int cpu)
{
	char path[64];
	int c;
	FILE *f;

	cpu_file(path, sizeof(path), cpu);
	f = fopen(path, "re");
	/* A CPU that cannot go offline has no such file. */
	if (!f)
		return true;
	c = fgetc(f);
	fclose(f);
	return c == '1';
}

int tdx_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

int tdx_cpu_switch(unsigned int cpu, bool online)
{
	char path[64];

	cpu_file(path, sizeof(path), cpu);
	return tdx_write_file(path, online ? "1" : "0");
}
