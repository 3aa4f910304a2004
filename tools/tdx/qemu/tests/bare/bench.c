// SPDX-License-Identifier: GPL-2.0-or-later
/* What a SEAMCALL and a guarded store cost, in nanoseconds of the host */
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

const struct test bench_tests[] = { { "bench-seamcall", seamcalls }, { NULL, NULL } };
