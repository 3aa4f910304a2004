/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a line of a kernel log says of TDX.
 *
 * Known are the lines of this kernel, of mainline since 6.8 and of the trees
 * that came before it: a leaf as name or number, a status, registers, a CPU, an
 * errno, each where its words say so. Other lines are nothing of ours, however
 * many numbers they have.
 */
#ifndef _TDX_DECODE_PARSE_H
#define _TDX_DECODE_PARSE_H

#include <stddef.h>

#include "status.h"

struct tdx_message;

struct tdx_found {
	bool has_status;
	bool has_leaf;
	bool has_cpu;
	bool has_errno;

	u64 status;
	u64 fn;				/* RAX before SEAMCALL */
	unsigned int cpu;
	int err;			/* positive */
	struct tdx_status_regs regs;
	unsigned int regs_seen;		/* bit 0 is rcx, the rest as in the structure */

	const struct tdx_message *message;
};

/* @line ends with a zero byte. False: nothing found. */
bool tdx_parse_line(const char *line, struct tdx_found *found);

/*
 * The kernel prints registers in lines of their own, after the status. If
 * @from is such a line, add its registers to those of @to.
 */
bool tdx_add_regs(struct tdx_found *to, const struct tdx_found *from);

/* A number and nothing else: decimal, 0x, or 16 hexadecimal digits. */
bool tdx_parse_number(const char *text, u64 *value);

/* A leaf: its name with dots or underscores, or a number. */
bool tdx_parse_leaf(const char *text, u64 *fn);

#endif
