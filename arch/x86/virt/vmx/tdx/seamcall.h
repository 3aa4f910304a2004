/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _X86_VIRT_TDX_SEAMCALL_H
#define _X86_VIRT_TDX_SEAMCALL_H

/* Offsets in struct seamcall_args, for assembly */
#define SEAMCALL_RCX	0
#define SEAMCALL_RDX	8
#define SEAMCALL_R8	16
#define SEAMCALL_R9	24
#define SEAMCALL_R10	32
#define SEAMCALL_R11	40

#ifndef __ASSEMBLY__

#include <linux/cpumask.h>
#include <linux/types.h>

/**
 * struct seamcall_args - registers of SEAMCALL, both ways
 * @rcx: first operand; see the leaf
 * @rdx: second operand
 * @r8: third operand
 * @r9: fourth operand
 * @r10: output only in the leaves that are used here
 * @r11: output only in the leaves that are used here
 */
struct seamcall_args {
	u64 rcx;
	u64 rdx;
	u64 r8;
	u64 r9;
	u64 r10;
	u64 r11;
};

/* How often a call is made at most while its status says "busy, come back". */
#define SEAMCALL_TRIES	16

u64 seamcall(u64 fn, const struct seamcall_args *in, struct seamcall_args *out,
	     unsigned int *cpu);
u64 seamcall_quiet(u64 fn, struct seamcall_args *args);
int seamcall_report(u64 fn, u64 status, unsigned int cpu,
		    const struct seamcall_args *in,
		    const struct seamcall_args *out);
int seamcall_on_cpus(u64 fn, const struct cpumask *cpus, struct cpumask *done);
int seamcall_errno(u64 status);

int tdx_seamcall(u64 fn, struct seamcall_args *args);

#endif /* !__ASSEMBLY__ */
#endif /* _X86_VIRT_TDX_SEAMCALL_H */
