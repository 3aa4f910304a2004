/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Talking to the software platform (its "test_interface") and to a test kernel
 * (/sys/kernel/debug/tdx/reset), and watching what the kernel says meanwhile.
 */
#ifndef SELFTESTS_TDX_PLATFORM_H
#define SELFTESTS_TDX_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>

#define TDX_ANSWER_MAX	512

/* What the platform says of itself */
struct tdx_platform_state {
	char module[32];		/* "PENDING", "READY" ... */
	unsigned long calls;		/* SEAMCALLs since the module was reset */
	unsigned long faults_hit;
	unsigned long findings;		/* of the checker, since boot */
	unsigned long pages;		/* that the host cannot use */
};

/* Give a command; exits with a message if the platform refuses it. */
void tdx_platform(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void tdx_platform_state(struct tdx_platform_state *state);

/*
 * As after boot: the kernel forgets the module and gives all memory back, the
 * BIOS loads the module anew. There must be no TDs.
 */
void tdx_machine_reset(void);

/*
 * Keep the kernel's lines off the console, which is slow, and look at each of
 * them instead. tdx_log_watch(false) shows them again, and what this program
 * has written meanwhile.
 */
void tdx_log_watch(bool on);

/*
 * Lines of the kernel since the last call that are neither of TDX nor, if there
 * is such a function, expected by the program: printed. Returns their number;
 * *lines, unless NULL, is the number of all others.
 */
extern bool (*tdx_log_expected)(const char *text);
unsigned int tdx_log_strange(unsigned int *lines);

/* Kilobytes that are free when nothing is cached. */
unsigned long tdx_free_kb(void);

/*
 * Pages that somebody has allocated as pages: neither free, nor of those kinds
 * that come and go by themselves and that somebody else accounts for. The second
 * one is for when they should be no more than before: waits for what comes late.
 * Of what comes and goes, the kernel keeps up to TDX_KEPT_PAGES for the next time:
 * stacks of threads, for example.
 */
#define TDX_KEPT_PAGES	64
long tdx_used_pages(void);
bool tdx_nothing_lost(long before);

/* The whole of a small file without the newline at its end. */
char *tdx_read_file(const char *path, char *buf, size_t size);

#endif /* SELFTESTS_TDX_PLATFORM_H */
