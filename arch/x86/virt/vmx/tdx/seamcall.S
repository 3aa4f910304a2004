/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/tdx.h>

#include "seamcall.h"

	.section .text, "ax"

/*
 * u64 __seamcall(u64 fn, const struct seamcall_args *in,
 *		  struct seamcall_args *out)
 *
 * RAX comes from @fn, RCX, RDX and R8 to R11 from @in; what the callee leaves
 * in them goes to @out, which may be @in. @out stays as it was if SEAMCALL did
 * not reach a callee: CF set (VMfailInvalid), #UD or #GP.
 *
 * The callee keeps RBX, RSP, RSI, RDI and R12 to R15. A TDX module without
 * TDX_FEATURES0.NO_RBP_MOD may lose RBP, so RBP is on the stack meanwhile and
 * back before anything else is done. PUSH and POP do not touch CF.
 */
SYM_FUNC_START(__seamcall)
	push	%rbp
	mov	%rdi, %rax
	mov	%rdx, %rdi
	mov	SEAMCALL_RCX(%rsi), %rcx
	mov	SEAMCALL_RDX(%rsi), %rdx
	mov	SEAMCALL_R8(%rsi), %r8
	mov	SEAMCALL_R9(%rsi), %r9
	mov	SEAMCALL_R10(%rsi), %r10
	mov	SEAMCALL_R11(%rsi), %r11

	/* SEAMCALL; binutils before 2.36 do not know it. */
.Lseamcall:
	.byte	0x66, 0x0f, 0x01, 0xcf
	pop	%rbp
	jc	.Lvmfailinvalid

	mov	%rcx, SEAMCALL_RCX(%rdi)
	mov	%rdx, SEAMCALL_RDX(%rdi)
	mov	%r8, SEAMCALL_R8(%rdi)
	mov	%r9, SEAMCALL_R9(%rdi)
	mov	%r10, SEAMCALL_R10(%rdi)
	mov	%r11, SEAMCALL_R11(%rdi)
	RET

.Lvmfailinvalid:
	mov	$TDX_SEAMCALL_VMFAILINVALID, %rax
	RET

	/* The exception handler has put the vector into RAX. */
.Lfault:
	pop	%rbp
	mov	$TDX_SW_ERROR, %rdi
	or	%rdi, %rax
	RET

	_ASM_EXTABLE_FAULT(.Lseamcall, .Lfault)
SYM_FUNC_END(__seamcall)
