/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From PVH entry (32-bit, paging off) to C in 64-bit mode, for the boot CPU;
 * from a SIPI for the others. Memory is mapped one to one, for user mode too.
 */
#define STACK_SIZE 16384

	.section .note.Xen, "a"
	.align 4
	.long 4, 4, 18			/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long _start

	.text
	.code32
	.globl _start
_start:
	cld
	movl %ebx, start_info
	movl $1, %edi			/* boot CPU: stack 0 */
	jmp to_long_mode

	/* ebx: of no interest; edi: 1 + number of the stack */
to_long_mode:
	movl $pml4, %eax
	movl %eax, %cr3
	movl %cr4, %eax
	orl $0x660, %eax		/* PAE, MCE, OSFXSR, OSXMMEXCPT */
	movl %eax, %cr4
	movl $0xc0000080, %ecx
	rdmsr
	orl $0x900, %eax		/* LME, NXE */
	wrmsr
	movl $0x80000033, %eax		/* PG, NE, ET, MP, PE */
	movl %eax, %cr0
	lgdt gdt_ptr
	ljmp $8, $1f
	.code64
1:	movw $16, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	xorl %eax, %eax
	movw %ax, %fs
	movw %ax, %gs
	movl %edi, %eax
	imulq $STACK_SIZE, %rax, %rsp
	addq $stacks, %rsp
	lidt idt_ptr
	decl %edi
	xorl %ebp, %ebp
	call cpu_start
2:	hlt
	jmp 2b

	/* Copied to 0x8000; a SIPI with vector 8 begins here */
	.globl ap_code, ap_code_end
	.code16
ap_code:
	cli
	cld
	xorw %ax, %ax
	movw %ax, %ds
	lgdtl (ap_gdt_ptr - ap_code + 0x8000)
	movl %cr0, %eax
	orb $1, %al
	movl %eax, %cr0
	ljmpl $24, $ap_start
	.align 8
ap_gdt_ptr:
	.word gdt_end - gdt - 1
	.long gdt
ap_code_end:

	.code32
ap_start:
	movw $32, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movl $1, %eax
	cpuid
	shrl $24, %ebx			/* the APIC ID is the number of the CPU */
	leal 1(%ebx), %edi
	jmp to_long_mode

	.data
	.align 16
gdt:
	.quad 0
	.quad 0x00af9b000000ffff	/* 8: 64-bit code */
	.quad 0x00cf93000000ffff	/* 16: data */
	.quad 0x00cf9b000000ffff	/* 24: 32-bit code */
	.quad 0x00cf93000000ffff	/* 32: data */
	.quad 0x00cff3000000ffff	/* 40: user data */
	.quad 0x00affb000000ffff	/* 48: user code */
	.globl gdt_tss
gdt_tss:
	.fill 32, 8, 0			/* 56: TSS of 16 CPUs, by C */
gdt_end:
gdt_ptr:
	.word gdt_end - gdt - 1
	.quad gdt
	.globl idt_ptr
idt_ptr:
	.word 256 * 16 - 1
	.quad idt
	.globl start_info
start_info:
	.long 0

	.bss
	.align 4096
	.globl stacks, idt
idt:	.skip 4096
stacks:	.skip 16 * STACK_SIZE

	/* Page tables have to be there before C runs */
	.data
	.align 4096
	.globl pml4, pdpt
pml4:
	.quad pdpt + 7
	.fill 511, 8, 0
pdpt:
	i = 0
	.rept 512
	.quad i * 0x40000000 + 0x87	/* present, writable, user, 1 GiB */
	i = i + 1
	.endr

	.text
	.code64
	/* Exceptions and interrupts: vector and error code on the stack, then C */
	.align 16
	.globl vectors
vectors:
	v = 0
	.rept 256
	.align 16
	.if (v != 8) && (v != 17) && (v != 21) && ((v < 10) || (v > 14))
	pushq $0
	.endif
	pushq $v
	jmp trap_entry
	v = v + 1
	.endr

trap_entry:
	pushq %rax
	pushq %rcx
	pushq %rdx
	pushq %rbx
	pushq %rbp
	pushq %rsi
	pushq %rdi
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, %rdi
	cld
	movq %rsp, %rbp
	andq $-16, %rsp
	call trap
	movq %rbp, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rdi
	popq %rsi
	popq %rbp
	popq %rbx
	popq %rdx
	popq %rcx
	popq %rax
	addq $16, %rsp
	iretq

	/*
	 * int attempt(void (*fn)(void *), void *arg): -1, or the vector of the
	 * exception that ended fn. trap() comes back to attempt_out with the
	 * stack pointer that struct cpu keeps.
	 */
	.globl attempt, attempt_out
attempt:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rdi, %rbx
	movq %rsi, %r12
	movq %rsp, %rdi
	subq $8, %rsp
	call attempt_begin
	movq %r12, %rdi
	call *%rbx
	call attempt_end
	addq $8, %rsp
	movl $-1, %eax
attempt_out:				/* eax: vector; rsp: as given to attempt_begin() */
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret

	/* int seamcall(uint64_t regs[16]), x86 encoding order without rsp: returns CF | ZF << 1 */
	.globl seamcall
seamcall:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	pushq %rdi
	movq %rdi, %rax
	movq 8(%rax), %rcx
	movq 16(%rax), %rdx
	movq 24(%rax), %rbx
	movq 40(%rax), %rbp
	movq 48(%rax), %rsi
	movq 56(%rax), %rdi
	movq 64(%rax), %r8
	movq 72(%rax), %r9
	movq 80(%rax), %r10
	movq 88(%rax), %r11
	movq 96(%rax), %r12
	movq 104(%rax), %r13
	movq 112(%rax), %r14
	movq 120(%rax), %r15
	movq (%rax), %rax
	.byte 0x66, 0x0f, 0x01, 0xcf
	pushfq
	pushq %rdi
	movq 16(%rsp), %rdi
	movq %rax, (%rdi)
	movq %rcx, 8(%rdi)
	movq %rdx, 16(%rdi)
	movq %rbx, 24(%rdi)
	movq %rbp, 40(%rdi)
	movq %rsi, 48(%rdi)
	popq 56(%rdi)
	movq %r8, 64(%rdi)
	movq %r9, 72(%rdi)
	movq %r10, 80(%rdi)
	movq %r11, 88(%rdi)
	movq %r12, 96(%rdi)
	movq %r13, 104(%rdi)
	movq %r14, 112(%rdi)
	movq %r15, 120(%rdi)
	popq %rax
	popq %rdi
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	movq %rax, %rcx
	andl $1, %eax
	shrl $5, %ecx
	andl $2, %ecx
	orl %ecx, %eax
	ret

	/* void user(void *unused): SEAMCALL at CPL 3 */
	.globl in_user_mode
in_user_mode:
	movq %rsp, %rax
	pushq $43
	pushq %rax
	pushq $2
	pushq $51
	leaq 1f(%rip), %rax
	pushq %rax
	iretq
1:	.byte 0x66, 0x0f, 0x01, 0xcf
	ud2

	/* void in_compat_mode(void *unused): SEAMCALL in 32-bit code at CPL 0 */
	.globl in_compat_mode
in_compat_mode:
	pushq $24
	leaq 1f(%rip), %rax
	pushq %rax
	lretq
	.code32
1:	.byte 0x66, 0x0f, 0x01, 0xcf
	hlt
	.code64

	.section .note.GNU-stack, "", @progbits
