/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of the machine, or of a copy of it.
 *
 * A copy is a directory tree in which MSR devices are text, "0x982 0x3" a line,
 * and the kernel's log is a plain file. --save makes such a tree.
 */
#ifndef _TDX_STATUS_FILES_H
#define _TDX_STATUS_FILES_H

#include <stddef.h>

#include <linux/types.h>

/* Usage, memory, input, output: apart from what the host's state is. */
#define EXIT_TROUBLE	64

struct files {
	const char *root;		/* "" for this machine */
	const char *save;		/* or NULL */
};

/*
 * The text of a file with a zero byte behind, to be freed. NULL: see errno.
 * Zero bytes in it become spaces.
 */
char *files_read(const struct files *files, const char *path);

/* The first line of a file without its end, to be freed. NULL: see errno. */
char *files_read_line(const struct files *files, const char *path);

bool files_exist(const struct files *files, const char *path);

/*
 * @nr MSRs of a CPU. errors[i] is 0 or the errno of reading msrs[i]; EIO means
 * that the CPU does not have it.
 */
void files_read_msrs(const struct files *files, unsigned int cpu, const u32 *msrs,
		     unsigned int nr, u64 *values, int *errors);

/* All lines of the kernel's log, without facility and sequence. NULL: see errno. */
char *files_read_log(const struct files *files, bool *begin_is_lost);

#endif
