/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _X86_VIRT_TDX_SEAMCALL_H
#define _X86_VIRT_TDX_SEAMCALL_H

/* Offsets in struct seamcall, for assembly */
#define SEAMCALL_FN	0
#define SEAMCALL_IN	8
#define SEAMCALL_OUT	56

/* Offsets in struct seamcall_args */
#define SEAMCALL_RCX	0
#define SEAMCALL_RDX	8
#define SEAMCALL_R8	16
#define SEAMCALL_R9	24
#define SEAMCALL_R10	32
#define SEAMCALL_R11	40

#ifndef __ASSEMBLY__

#include <linux/cpumask.h>
#include <linux/types.h>

#include "arch.h"

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

/**
 * struct seamcall - a SEAMCALL, before and after it was made
 * @fn: RAX before: leaf and version; bit 63 set for P-SEAMLDR
 * @in: the other registers before; as they were after the call
 * @out: registers after, those before if nothing was called
 * @status: RAX after; %TDX_SEAMCALL_VMFAILINVALID, or %TDX_SW_ERROR with the
 *	    number of the exception, if nothing was called
 * @cpu: the CPU that made it, if it failed
 *
 * The caller sets @fn and @in. To make the same call again, nothing has to be
 * set.
 */
struct seamcall {
	u64 fn;
	struct seamcall_args in;
	struct seamcall_args out;
	u64 status;
	unsigned int cpu;
};

/* How often a call is made at most while its status says "busy, come back". */
#define SEAMCALL_TRIES	16

/* Codes without error bits carry information. */
static inline bool seamcall_failed(u64 status)
{
	return status & TDX_STATUS_FAILED;
}

u64 seamcall(struct seamcall *call);
u64 seamcall_seamldr(struct seamcall *call);
u64 seamcall_quiet(struct seamcall *call);
int seamcall_report(const struct seamcall *call);
int seamcall_on_cpus(u64 fn, const struct cpumask *cpus, struct cpumask *done);
void seamcall_on_cpus_quiet(u64 fn, const struct cpumask *cpus);
int seamcall_errno(u64 status);

int tdx_seamcall(struct seamcall *call);

#endif /* !__ASSEMBLY__ */
#endif /* _X86_VIRT_TDX_SEAMCALL_H */
