// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../kselftest.h"
#include "tdx_platform.h"
#include "tdx_test.h"

/* See tools/tdx/qemu/test.c. */
#define PORT_TEXT	0x7d0
#define PORT_DONE	0x7d1

#define RESET_FILE	"/sys/kernel/debug/tdx/reset"
#define IGNORE_LEVEL	"/sys/module/printk/parameters/ignore_loglevel"
#define LEVELS		"/proc/sys/kernel/printk"

/* How long what is freed later, after RCU for example, may take */
#define PATIENCE	2	/* s */

static void __attribute__((format(printf, 1, 2), noreturn))
die(const char *fmt, ...)
{
	va_list args;

	tdx_log_watch(false);
	printf("Bail out! ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	exit(KSFT_FAIL);
}

static int ports = -1;

static void put_char(char c)
{
	if (pwrite(ports, &c, 1, PORT_TEXT) != 1)
		die("/dev/port: %m");
}

static char get_char(unsigned int port)
{
	char c;

	if (pread(ports, &c, 1, port) != 1)
		die("/dev/port: %m");
	return c;
}

static void ask(const char *command, char answer[TDX_ANSWER_MAX])
{
	size_t len = 0;

	if (ports < 0)
		ports = open("/dev/port", O_RDWR | O_CLOEXEC);
	if (ports < 0)
		die("/dev/port: %m");

	for (; *command; command++)
		put_char(*command);
	put_char('\n');
	/* The platform does it when all CPUs are stopped, this one too. */
	while (!get_char(PORT_DONE))
		;
	do {
		answer[len] = get_char(PORT_TEXT);
	} while (answer[len] && ++len < TDX_ANSWER_MAX - 1);
	answer[len] = '\0';
}

void tdx_platform(const char *fmt, ...)
{
	char command[1024], answer[TDX_ANSWER_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	ask(command, answer);
	if (strcmp(answer, "ok"))
		die("platform: %s: %s (is there \"test_interface\": true?)",
		    command, answer);
}

void tdx_platform_state(struct tdx_platform_state *state)
{
	char answer[TDX_ANSWER_MAX];

	ask("state", answer);
	if (sscanf(answer, "ok state=%31s calls=%lu faults_hit=%lu findings=%lu pages=%lu",
		   state->module, &state->calls, &state->faults_hit,
		   &state->findings, &state->pages) != 5)
		die("platform: state: %s", answer);
}

void tdx_machine_reset(void)
{
	int ret = tdx_write_file(RESET_FILE, "1");

	if (ret)
		die("%s: %s; is this a test kernel?", RESET_FILE, strerror(-ret));
	tdx_platform("reset");
}

/* What is written goes the kernel's way, too: it is kept until that is open. */
static int kept = -1, out = -1;

static void keep_output(void)
{
	fflush(stdout);
	kept = memfd_create("output", MFD_CLOEXEC);
	out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	if (kept < 0 || out < 0)
		die("output: %m");
	dup2(kept, STDOUT_FILENO);
	dup2(kept, STDERR_FILENO);
}

static void show_output(void)
{
	char buf[512];
	ssize_t len;

	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	close(out);
	lseek(kept, 0, SEEK_SET);
	while ((len = read(kept, buf, sizeof(buf))) > 0 &&
	       write(STDOUT_FILENO, buf, len) == len)
		;
	close(kept);
}

static int kmsg = -1;

void tdx_log_watch(bool on)
{
	static char levels[64];

	if (on) {
		keep_output();
		kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (kmsg < 0)
			die("/dev/kmsg: %m");
		lseek(kmsg, 0, SEEK_END);
		tdx_read_file(LEVELS, levels, sizeof(levels));
		tdx_write_file(LEVELS, "1");
		tdx_write_file(IGNORE_LEVEL, "N");
	} else if (kmsg >= 0) {
		close(kmsg);
		kmsg = -1;
		tdx_write_file(IGNORE_LEVEL, "Y");
		tdx_write_file(LEVELS, levels);
		show_output();
	}
}

/*
 * "tdx: "; what printk says of lines of ours that it has left out; tdx_free_kb();
 * what a slow or busy machine makes the kernel say.
 */
static bool is_expected(const char *text)
{
	static const char * const words[] = {
		" callbacks suppressed", "drop_caches: 3", "hrtimer: interrupt took",
		"clocksource: ", "sched: DL replenish", "workqueue: ",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (strstr(text, words[i]))
			return true;
	}
	return !strncmp(text, "tdx: ", 5);
}

bool (*tdx_log_expected)(const char *text);

unsigned int tdx_log_strange(unsigned int *lines)
{
	unsigned int strange = 0, ours = 0;
	char record[8192], *text;
	ssize_t len;

	while ((len = read(kmsg, record, sizeof(record) - 1)) > 0 || errno == EPIPE) {
		if (len < 0) {
			printf("# the log went over its end\n");
			strange++;
			continue;
		}
		record[len] = '\0';
		text = strchr(record, ';');
		if (!text || strtoul(record, NULL, 10) >> 3)
			continue;
		text++;
		text[strcspn(text, "\n")] = '\0';
		if (is_expected(text) || (tdx_log_expected && tdx_log_expected(text))) {
			ours++;
			continue;
		}
		if (++strange <= 40)
			printf("# kernel: %s\n", text);
	}
	if (lines)
		*lines = ours;
	return strange;
}

static unsigned long free_kb(void)
{
	unsigned long kb = 0;
	char line[128];
	FILE *f;

	f = fopen("/proc/meminfo", "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "MemFree: %lu kB", &kb) == 1)
			break;
	}
	if (f)
		fclose(f);
	return kb;
}

unsigned long tdx_free_kb(void)
{
	unsigned long kb, most = 0;
	unsigned int i;

	tdx_write_file("/proc/sys/vm/drop_caches", "3");
	/* What waits for RCU or a work queue comes a little later. */
	for (i = 0; i < 5; i++) {
		kb = free_kb();
		if (kb > most)
			most = kb;
		usleep(20000);
	}
	return most;
}

/* What of a file of numbers counts, and how: in pages, or a share of one */
struct counter {
	const char *name;
	long factor;
	long share;
};

/* Numbers behind names, which may be the first words of longer lines */
static long sum(const char *path, const struct counter *counters, unsigned int nr)
{
	char line[256], *name;
	long total = 0;
	unsigned int i;
	size_t len;
	FILE *f;

	f = fopen(path, "re");
	if (!f)
		die("%s: %m", path);
	while (fgets(line, sizeof(line), f)) {
		name = line + strspn(line, " ");
		len = strcspn(name, " ");
		for (i = 0; i < nr; i++) {
			if (!strncmp(name, counters[i].name, len) && !counters[i].name[len])
				total += strtol(name + len, NULL, 10) * counters[i].factor /
					 counters[i].share;
		}
	}
	fclose(f);
	return total;
}

long tdx_used_pages(void)
{
	/* A zone is shown under its lock: no page goes from one of its lists to another. */
	static const struct counter zoneinfo[] = {
		{ "managed", 1, 1 },
		{ "nr_free_pages", -1, 1 },
		/* Lists of free pages that CPUs keep */
		{ "count:", -1, 1 },
		{ "nr_slab_reclaimable", -1, 1 },
		{ "nr_slab_unreclaimable", -1, 1 },
		{ "nr_anon_pages", -1, 1 },
		{ "nr_file_pages", -1, 1 },
		{ "nr_page_table_pages", -1, 1 },
		{ "nr_sec_page_table_pages", -1, 1 },
		{ "nr_kernel_stack", -1, 4 },		/* KiB */
	};
	static const struct counter meminfo[] = {
		{ "Percpu:", -1, 4 },			/* KiB */
	};

	/* Let CPUs add up what they have counted. */
	tdx_write_file("/proc/sys/vm/stat_refresh", "1");
	return sum("/proc/zoneinfo", zoneinfo, ARRAY_SIZE(zoneinfo)) +
	       sum("/proc/meminfo", meminfo, ARRAY_SIZE(meminfo));
}

bool tdx_nothing_lost(long before)
{
	time_t end = time(NULL) + PATIENCE;

	while (tdx_used_pages() > before) {
		if (time(NULL) > end)
			return false;
		/* What waits for RCU comes afterwards. */
		syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	}
	return true;
}

char *tdx_read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, buf, size - 1);

	if (len < 0)
		die("%s: %m", path);
	close(fd);
	buf[len] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return buf;
}
