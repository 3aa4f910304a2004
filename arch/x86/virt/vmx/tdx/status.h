/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Words for what SEAMCALL answers: names, details and advice.
 *
 * Everything here is arithmetic on its arguments and a constant table: any
 * context, no lock, no allocation, any 64-bit value.
 *
 * The table is made of status.csv when the kernel is built. The same file makes
 * tdx-decode and Documentation/x86/tdx-host-status.rst.
 */
#ifndef _X86_VIRT_TDX_STATUS_H
#define _X86_VIRT_TDX_STATUS_H

#include <linux/bits.h>
#include <linux/types.h>

/* RAX of a SEAMCALL to P-SEAMLDR; clear for the TDX module */
#define SEAMCALL_SEAMLDR	BIT_ULL(63)

/* Long enough for what tdx_seamcall_describe() has to say of any status. */
#define TDX_STATUS_LEN		512

/**
 * struct tdx_status_regs - registers after a SEAMCALL, as far as words need them
 * @rcx: CPUID leaf that was refused
 * @rdx: metadata field; or expected mask of EBX:EAX
 * @r8: expected mask of EDX:ECX
 * @r9: expected value of EBX:EAX
 * @r10: expected value of EDX:ECX
 *
 * TDH.SYS.INIT and TDH.SYS.LP.INIT explain a CPUID mismatch in registers.
 */
struct tdx_status_regs {
	u64 rcx;
	u64 rdx;
	u64 r8;
	u64 r9;
	u64 r10;
};

const char *tdx_status_name(u64 status);
const char *tdx_status_class(u64 status);
const char *tdx_status_advice(u64 status);
const char *tdx_leaf_name(u64 fn);
const char *tdx_msr_name(u32 msr);
const char *tdx_field_name(u64 field);

int tdx_status_describe(char *buf, size_t len, u64 status);
int tdx_seamcall_describe(char *buf, size_t len, u64 fn, u64 status,
			  const struct tdx_status_regs *regs);

#ifndef __KERNEL__
int tdx_seamcall_detail(char *buf, size_t len, u64 fn, u64 status,
			const struct tdx_status_regs *regs);
const char *tdx_status_meaning(u64 status);
const char *tdx_seamcall_advice(u64 fn, u64 status, const struct tdx_status_regs *regs);
#endif

#endif /* _X86_VIRT_TDX_STATUS_H */
