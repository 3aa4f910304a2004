// SPDX-License-Identifier: GPL-2.0-or-later
/* What a SEAMCALL costs; and whether the machine's clocks agree */
#include "bare.h"

/*
 * Short rounds, the best of many: one that no other process of the host
 * interrupted.
 */
#define CALLS 1000
#define ROUNDS 2000

static void report(const char *what, uint64_t ticks, uint64_t n)
{
	print("bench %s: %lu ns\n", what, ticks * 1000 / (tsc_hz() / 1000000) / n);
}

/* TDH.SYS.LP.SHUTDOWN does nothing on module 1.5 */
static void seamcalls(void)
{
	uint64_t regs[16] = { [RAX] = TDH_SYS_LP_SHUTDOWN };
	uint64_t begin, best = ~0ull;
	unsigned int i, k;

	enter_vmx(NULL);
	for (k = 0; k < ROUNDS; k++) {
		begin = rdtsc();
		for (i = 0; i < CALLS; i++) {
			regs[RAX] = TDH_SYS_LP_SHUTDOWN;
			seamcall(regs);
		}
		begin = rdtsc() - begin;
		if (begin < best)
			best = begin;
	}
	report("SEAMCALL round trip on an idle leaf", best, CALLS);
}

#define PM_TIMER	0x608
#define PM_HZ		3579545ul
#define APIC		((volatile uint32_t *)0xfee00000ul)
#define APIC_LVT_TIMER	(0x320 / 4)
#define APIC_COUNT	(0x380 / 4)
#define APIC_DIVIDE	(0x3e0 / 4)
#define BY_ONE		0xb
#define TIMER_VECTOR	0x41

struct clocks {
	uint64_t tsc;
	uint32_t pm;
};

/* Both clocks at one instant, nearly: the host may take the CPU away in between. */
static struct clocks read_clocks(void)
{
	struct clocks now;
	uint64_t begin;

	do {
		begin = rdtsc();
		now.pm = inl(PM_TIMER);
		now.tsc = rdtsc();
	} while (now.tsc - begin > tsc_hz() / 10000);
	return now;
}

/* In us. Complains if the clocks do not agree. */
static uint64_t elapsed(struct clocks begin, const char *what)
{
	struct clocks end = read_clocks();
	uint64_t tsc = (end.tsc - begin.tsc) * 1000 / (tsc_hz() / 1000);
	uint64_t pm = ((end.pm - begin.pm) & 0xffffff) * 1000000ul / PM_HZ;

	check(tsc < pm + pm / 100 + 200 && pm < tsc + tsc / 100 + 200, "%s: TSC %lu us, PM timer %lu us", what, tsc, pm);
	return tsc;
}

/* 100 ms in the module, 100 ms of the APIC's timer. bare.py compares them with its own clock. */
static void clocks(void)
{
	struct clocks begin;
	uint64_t us;

	enter_vmx(NULL);
	begin = read_clocks();
	print("clock begins\n");
	leaf(TDH_SYS_LP_SHUTDOWN, 0, 0, 0);
	us = elapsed(begin, "SEAMCALL");
	check(us >= 100000 && us < 200000, "a SEAMCALL of 100 ms takes %lu us", us);
	print("clock %lu us\n", us);

	APIC[APIC_DIVIDE] = BY_ONE;
	APIC[APIC_LVT_TIMER] = TIMER_VECTOR;
	begin = read_clocks();
	print("clock begins\n");
	APIC[APIC_COUNT] = 100000000;
	__asm__ volatile("sti; hlt; cli" : : : "memory");
	us = elapsed(begin, "APIC timer");
	check(us >= 100000 && us < 200000, "100 ms of the APIC timer are %lu us", us);
	print("clock %lu us\n", us);
}

const struct test bench_tests[] = { { "bench-seamcall", seamcalls }, { "clocks", clocks }, { NULL, NULL } };
