// SPDX-License-Identifier: GPL-2.0-or-later
/* VMX root operation, KeyIDs in page tables, MSRs, MOVDIR64B */
#include "bare.h"

static uint32_t region[2048] __attribute__((aligned(4096)));

#define FLAGS_AFTER(insn, ...) ({					\
	uint64_t flags_;						\
	__asm__ volatile(insn "; pushfq; pop %0" : "=r"(flags_) : __VA_ARGS__ : "memory", "cc");	\
	(int)((flags_ & 1) | (flags_ >> 5 & 2));			\
})

enum { SUCCESS, FAIL_INVALID, FAIL_VALID };

static int vmclear(uint64_t pa)
{
	return FLAGS_AFTER("vmclear %1", "m"(pa));
}

static int vmptrld(uint64_t pa)
{
	return FLAGS_AFTER("vmptrld %1", "m"(pa));
}

static int vmwrite(uint64_t field, uint64_t val)
{
	return FLAGS_AFTER("vmwrite %1, %2", "r"(val), "r"(field));
}

static uint64_t vmread(uint64_t field)
{
	uint64_t val = 0x5a5a;

	__asm__ volatile("vmread %1, %0" : "+r"(val) : "r"(field) : "cc", "memory");
	return val;
}

static void do_vmxon(void *pa)
{
	vmxon((uint64_t)pa);
}

static void do_vmxoff(void *unused)
{
	(void)unused;
	vmxoff();
}

static void do_vmclear(void *unused)
{
	(void)unused;
	vmclear((uint64_t)region);
}

static void clear_vmxe(void *unused)
{
	(void)unused;
	write_cr4(read_cr4() & ~(1ul << 13));
}

static void clear_ne(void *unused)
{
	(void)unused;
	write_cr0(read_cr0() & ~0x20ul);
}

static void vmx(void)
{
	uint32_t revision = rdmsr(0x480) & 0x7fffffff, r[4];
	uint64_t pa = (uint64_t)region, vmcs = (uint64_t)region + PAGE;

	cpuid(1, 0, r);
	check(r[2] >> 5 & 1, "CPUID has VMX");
	check((rdmsr(0x3a) & 5) == 5, "IA32_FEATURE_CONTROL is locked with VMX outside SMX");
	check(attempt(do_vmxon, region) == UD, "VMXON with CR4.VMXE = 0 raises #UD");
	check(attempt(do_vmxoff, NULL) == UD, "VMXOFF outside VMX operation raises #UD");
	check(attempt(do_vmclear, NULL) == UD, "VMCLEAR outside VMX operation raises #UD");
	write_cr4(read_cr4() | 1 << 13);
	check(read_cr4() >> 13 & 1, "CR4.VMXE can be set");
	region[0] = revision + 1;
	check(vmxon(pa) == FAIL_INVALID, "VMXON with a wrong revision: VMfailInvalid");
	region[0] = revision;
	check(vmxon(pa + 8) == FAIL_INVALID, "VMXON with an odd pointer: VMfailInvalid");
	check(vmxon(pa) == SUCCESS, "VMXON");
	check(vmxon(pa) == FAIL_INVALID, "VMXON in VMX root operation without a VMCS: VMfailInvalid");
	check(vmread(0x6800) == 0x5a5a, "VMREAD without a VMCS leaves its destination");
	check(attempt(clear_vmxe, NULL) == GP, "CR4.VMXE cannot be cleared in VMX operation");
	check(attempt(clear_ne, NULL) == GP, "CR0.NE cannot be cleared in VMX operation");
	region[1024] = revision;
	check(vmclear(vmcs) == SUCCESS && vmptrld(vmcs) == SUCCESS, "VMCLEAR and VMPTRLD");
	check(vmclear(pa) == FAIL_VALID && vmread(0x4400) == 3, "VMCLEAR of the VMXON region: error 3");
	check(vmptrld(pa) == FAIL_VALID && vmread(0x4400) == 10, "VMPTRLD of the VMXON region: error 10");
	check(vmptrld(vmcs + 1) == FAIL_VALID && vmread(0x4400) == 9, "VMPTRLD with an odd pointer: error 9");
	check(vmwrite(0x6800, 0x123456789abcdef0) == SUCCESS && vmread(0x6800) == 0x123456789abcdef0, "a field keeps its value");
	check(vmwrite(0x2800, ~0ull) == SUCCESS && vmread(0x2801) == 0xffffffff, "the high half of a 64-bit field");
	check(vmwrite(0x7ffe, 0) == FAIL_VALID && vmread(0x4400) == 12, "VMWRITE of no field: error 12");
	check(FLAGS_AFTER("vmlaunch", "r"(0)) == FAIL_VALID && vmread(0x4400) == 7, "VMLAUNCH: error 7");
	check(vmxoff() == SUCCESS, "VMXOFF");
	check(attempt(clear_vmxe, NULL) == -1, "CR4.VMXE can be cleared after VMXOFF");
}

/* INIT waits until the CPU leaves VMX operation */
static void init_blocked(void)
{
	if (!check(nr_cpus > 1, "there is a second CPU"))
		return;
	on_cpu(1, enter_vmx, NULL);
	send_init(1);
	check(cpu_answers(1), "a CPU in VMX root operation goes on after an INIT");
	send_sipi(1);
	check(cpu_answers(1), "and after a SIPI");
	check(!on_cpu(1, do_vmxoff, NULL), "VMXOFF lets the INIT in");
	check(!cpu_answers(1), "the CPU waits for a SIPI");
	send_sipi(1);
	check(cpu_answers(1), "a SIPI starts it");
	send_init(1);
	check(!cpu_answers(1), "outside VMX operation an INIT is taken at once");
	send_sipi(1);
	check(cpu_answers(1), "and a SIPI starts the CPU");
}

static uint64_t table[512] __attribute__((aligned(4096)));
extern uint64_t pml4[512];

static void touch(void *va)
{
	*(volatile uint64_t *)va;
}

static void movnti(void *va)
{
	__asm__ volatile("movnti %0, (%1)" : : "r"(0x77ul), "r"(va) : "memory");
}

/* KeyID bits select a key, not another place in memory */
static void keyid(void)
{
	uint64_t *va = (uint64_t *)(1ul << 39);	/* the second entry of the PML4 */
	volatile uint64_t *plain = (volatile uint64_t *)(4 * GIB);

	pml4[1] = (uint64_t)table | 7;
	table[0] = (4 * GIB) | 0x83 | 31ull << 46;
	table[1] = (4 * GIB) | 0x83 | 32ull << 46;
	table[2] = (4 * GIB) | 0x83 | 63ull << 46;
	*plain = 0x1122334455667788;
	check(*(volatile uint64_t *)va == 0x1122334455667788, "shared KeyID 31 reads the same memory");
	*(volatile uint64_t *)va = 7;
	check(*plain == 7, "and writes it");
	movnti(va);
	check(*plain == 0x77, "and with MOVNTI");
	check(attempt(touch, va + GIB / 8) == PF && (attempt_error() & 8), "private KeyID 32 is a reserved bit");
	check(attempt(touch, va + 2 * GIB / 8) == PF && (attempt_error() & 8), "so is KeyID 63");
	/* In a table's own address too */
	pml4[1] = (uint64_t)table | 7 | 3ull << 46;
	flush_tlb();
	check(*(volatile uint64_t *)va == 0x77, "a shared KeyID in the address of a page table");
	pml4[1] = (uint64_t)table | 7 | 40ull << 46;
	flush_tlb();
	check(attempt(touch, va) == PF && (attempt_error() & 8), "a private KeyID there is a reserved bit");
	pml4[1] = 0;
	flush_tlb();
}

static void write_msr(void *msr)
{
	wrmsr((uint64_t)msr, 0);
}

static void read_msr(void *msr)
{
	rdmsr((uint64_t)msr);
}

static void show_msr(void *msr)
{
	print("msr %lx on CPU %u: %lx\n", (uint64_t)msr, this_cpu(), rdmsr((uint64_t)msr));
}

static void msrs(void)
{
	static const uint32_t list[] = { 0x87, 0x981, 0x982, 0x1400, 0x1401, 0x3a, 0x480 };
	uint32_t r[4];
	unsigned int i;

	cpuid(7, 0, r);
	check(r[2] >> 13 & 1, "CPUID has TME");
	check(r[2] >> 28 & 1, "CPUID has MOVDIR64B");
	cpuid(0x80000008, 0, r);
	check((r[0] & 0xff) == 52, "52 physical address bits");
	check(rdmsr(0xfe) >> 15 & 1, "IA32_MTRRCAP: SEAMRR");
	check((rdmsr(0x982) & 3) == 3 && (rdmsr(0x982) >> 32 & 15) == 6, "IA32_TME_ACTIVATE: 6 KeyID bits");
	check((rdmsr(0x1401) & 0xc00) == 0xc00, "SEAMRR is enabled and locked");
	check((rdmsr(0x1400) & ~0xffful) == 0x7a000000, "SEAMRR base");
	check(rdmsr(0x3a) >> 16 & 1, "IA32_FEATURE_CONTROL: SEAMRR");
	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		check(attempt(write_msr, (void *)(uint64_t)list[i]) == GP, "WRMSR 0x%x raises #GP", list[i]);
	on_each_cpu(show_msr, (void *)0x87);
	on_each_cpu(show_msr, (void *)0x1401);
}

/* A machine without SEAMRR */
static void no_seamrr(void)
{
	check(!(rdmsr(0xfe) >> 15 & 1), "IA32_MTRRCAP: no SEAMRR");
	check(attempt(read_msr, (void *)0x1400) == GP, "RDMSR 0x1400 raises #GP");
	check(attempt(read_msr, (void *)0x1401) == GP, "RDMSR 0x1401 raises #GP");
}

static uint8_t line[192] __attribute__((aligned(64)));

static void unaligned(void *p)
{
	movdir64b((uint8_t *)p + 8, line);
}

static void movdir(void)
{
	volatile uint8_t *dst = (volatile uint8_t *)(4 * GIB);
	unsigned int i;
	bool same = true;

	for (i = 0; i < 128; i++)
		line[i] = i;
	movdir64b((void *)dst, line + 3);
	for (i = 0; i < 64; i++)
		same &= dst[i] == i + 3;
	check(same, "MOVDIR64B copies 64 bytes from any address");
	check(attempt(unaligned, (void *)dst) == GP, "to an aligned one: else #GP");
	check(attempt((void (*)(void *))(uintptr_t)touch, (void *)(1ul << 40)) == PF, "(a page that is not there)");
	wbinvd();
	__asm__ volatile("repz; wbinvd" : : : "memory");
	check(true, "WBINVD and WBNOINVD");
}

/* mov $imm32, %eax; ret: the immediate is aligned, so that one store writes it */
static uint8_t changing[PAGE] __attribute__((aligned(4096))) = { 0x90, 0x90, 0x90, 0xb8, 0, 0, 0, 0, 0xc3 };
static volatile uint32_t written, seen, stale;

#define WRITES	20000

static void run_changing_code(void *unused)
{
	uint32_t (*fn)(void) = (uint32_t (*)(void))changing, r[4];

	(void)unused;
	while (seen != WRITES) {
		uint32_t want = written, got;

		cpuid(0, 0, r);		/* serializes */
		got = fn();
		if (got == want || got == want + 1) {
			seen = want;
		} else {
			stale = want;
			return;
		}
	}
}

/* Code that one CPU writes to while another runs it: once told, that one must not see what was there before */
static void code_writes(void)
{
	volatile uint32_t *imm = (volatile uint32_t *)&changing[4];
	uint32_t i;

	on_cpu_start(1, run_changing_code, NULL);
	for (i = 1; i <= WRITES && !stale; i++) {
		*imm = i;
		written = i;
		while (seen != i && !stale)
			pause();
	}
	if (stale)
		print("write %u was not seen\n", stale);
	check(!stale, "another CPU runs what was written, each of %u times", WRITES);
}

/* bare.py looks for the platform's line */
static void triple_fault(void)
{
	const struct { uint16_t limit; uint64_t base; } __attribute__((packed)) none = { 0 };

	__asm__ volatile("lidt %0; ud2" : : "m"(none));
}

const struct test vmx_tests[] = {
	{ "vmx", vmx }, { "init-blocked", init_blocked }, { "keyid", keyid }, { "msrs", msrs },
	{ "no-seamrr", no_seamrr }, { "movdir64b", movdir }, { "code-writes", code_writes },
	{ "triple-fault", triple_fault }, { NULL, NULL }
};
