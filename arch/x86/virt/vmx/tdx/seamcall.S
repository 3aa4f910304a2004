/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/tdx.h>

#include "seamcall.h"

	.section .text, "ax"

/*
 * u64 __seamcall(struct seamcall *call)
 *
 * RAX comes from @call->fn, RCX, RDX and R8 to R11 from @call->in; what is in
 * them afterwards goes to @call->out. That is what was there before if SEAMCALL
 * did not reach a callee: CF set (VMfailInvalid), #UD or #GP. Returns RAX, or a
 * software code for these.
 *
 * The callee keeps RBX, RSP, RSI, RDI and R12 to R15. A TDX module without
 * TDX_FEATURES0.NO_RBP_MOD may lose RBP, so RBP is on the stack meanwhile and
 * back before anything else is done.
 */
SYM_FUNC_START(__seamcall)
	push	%rbp
	mov	SEAMCALL_FN(%rdi), %rax
	mov	SEAMCALL_IN + SEAMCALL_RCX(%rdi), %rcx
	mov	SEAMCALL_IN + SEAMCALL_RDX(%rdi), %rdx
	mov	SEAMCALL_IN + SEAMCALL_R8(%rdi), %r8
	mov	SEAMCALL_IN + SEAMCALL_R9(%rdi), %r9
	mov	SEAMCALL_IN + SEAMCALL_R10(%rdi), %r10
	mov	SEAMCALL_IN + SEAMCALL_R11(%rdi), %r11

	/* SEAMCALL; binutils before 2.36 do not know it. */
.Lseamcall:
	.byte	0x66, 0x0f, 0x01, 0xcf
	jc	.Lvmfailinvalid

.Ldone:
	pop	%rbp
	mov	%rcx, SEAMCALL_OUT + SEAMCALL_RCX(%rdi)
	mov	%rdx, SEAMCALL_OUT + SEAMCALL_RDX(%rdi)
	mov	%r8, SEAMCALL_OUT + SEAMCALL_R8(%rdi)
	mov	%r9, SEAMCALL_OUT + SEAMCALL_R9(%rdi)
	mov	%r10, SEAMCALL_OUT + SEAMCALL_R10(%rdi)
	mov	%r11, SEAMCALL_OUT + SEAMCALL_R11(%rdi)
	RET

.Lvmfailinvalid:
	mov	$TDX_SEAMCALL_VMFAILINVALID, %rax
	jmp	.Ldone

	/* The exception handler has put the vector into RAX. */
.Lfault:
	mov	$TDX_SW_ERROR, %rsi
	or	%rsi, %rax
	jmp	.Ldone

	_ASM_EXTABLE_FAULT(.Lseamcall, .Lfault)
SYM_FUNC_END(__seamcall)
