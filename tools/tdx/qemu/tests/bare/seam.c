// SPDX-License-Identifier: GPL-2.0-or-later
/* SEAMCALL in every mode */
#include "bare.h"

void in_user_mode(void *), in_compat_mode(void *);

static uint64_t regs[16];

static void call(void *unused)
{
	(void)unused;
	regs[RAX] = TDH_SYS_LP_SHUTDOWN;
	seamcall(regs);
}

static void modes(void)
{
	uint64_t r[16], before[16];
	unsigned int i;

	check(attempt(call, NULL) == UD, "SEAMCALL outside VMX root operation raises #UD");
	check(attempt(in_user_mode, NULL) == UD, "so it does at CPL 3");
	enter_vmx(NULL);
	check(attempt(in_compat_mode, NULL) == UD, "SEAMCALL in 32-bit code raises #UD");
	check(attempt(in_user_mode, NULL) == GP && attempt_error() == 0, "SEAMCALL at CPL 3 raises #GP(0)");
	check(attempt(call, NULL) == -1, "SEAMCALL in VMX root operation");
	for (i = 0; i < 16; i++)
		before[i] = r[i] = 0x1111111111111111ull * i;
	before[RAX] = r[RAX] = TDH_SYS_RD;
	check(seamcall(r) == 0, "RFLAGS.CF and ZF are clear after it");
	check(r[RAX] >> 63, "TDH.SYS.RD before TDH.SYS.INIT is an error: %lx", r[RAX]);
	for (i = 0; i < 16; i++)
		if (i != RAX && i != RSP && i != RDX && i != R8)
			check(r[i] == before[i], "register %u keeps its value", i);
	leave_vmx(NULL);
	check(attempt(call, NULL) == UD, "SEAMCALL after VMXOFF raises #UD");
}

/* The description says: the module does not promise to keep RBP */
static void rbp_lost(void)
{
	uint64_t r[16], before[16];
	unsigned int i;

	enter_vmx(NULL);
	for (i = 0; i < 16; i++)
		before[i] = r[i] = 0x1111111111111111ull * i;
	r[RAX] = TDH_SYS_LP_SHUTDOWN;
	check(seamcall(r) == 0 && r[RAX] == 0, "TDH.SYS.LP.SHUTDOWN");
	for (i = 0; i < 16; i++)
		if (i != RAX && i != RSP)
			check((r[i] == before[i]) == (i != RBP), "register %u: %lx", i, r[i]);
}

/* The description says: SEAMRR is not enabled */
static void seamrr_off(void)
{
	enter_vmx(NULL);
	check(!(rdmsr(0x1401) >> 11 & 1), "SEAMRR is not enabled");
	check(attempt(call, NULL) == GP && attempt_error() == 0, "SEAMCALL raises #GP(0)");
}

/* The description says: LP 1 has SEAMRR off */
static void seamrr_off_lp1(void)
{
	enter_vmx(NULL);
	check(attempt(call, NULL) == -1, "SEAMCALL on CPU 0");
	on_cpu(1, enter_vmx, NULL);
	on_cpu(1, (void (*)(void *))call, NULL);
	check(false, "SEAMCALL on CPU 1 came back");
}

static void no_module(void)
{
	uint64_t r[16] = { [RAX] = TDH_SYS_INIT, [RCX] = 5 };

	enter_vmx(NULL);
	check(seamcall(r) == 1, "SEAMCALL without a module: CF = 1 and ZF = 0");
	check(r[RAX] == TDH_SYS_INIT && r[RCX] == 5, "and no register changes");
}

static uint8_t info[256] __attribute__((aligned(256)));

static void seamldr(void)
{
	uint64_t r[16] = { [RAX] = 1ull << 63, [RCX] = (uint64_t)info };

	enter_vmx(NULL);
	check(seamcall(r) == 0 && r[RAX] == 0, "SEAMLDR.INFO");
	check(info[8] == 0x86 && info[9] == 0x80, "its vendor is Intel");
}

static void init(void)
{
	uint64_t again;

	check(bring_up(0), "all CPUs, packages and TDMRs are initialised");
	again = leaf(TDH_SYS_INIT, 0, 0, 0);
	check(again >> 63 && again != VMFAIL, "TDH.SYS.INIT again is refused: %lx", again);
	on_each_cpu(flush_cache, NULL);
}

/* Latency: TDH.SYS.LP.SHUTDOWN takes 50 ms here, TDH.SYS.RD nothing */
static volatile bool waiting;

static void slow(void *flag)
{
	*(volatile bool *)flag = true;
	leaf(TDH_SYS_LP_SHUTDOWN, 0, 0, 0);
	*(volatile bool *)flag = false;
}

/* Every CPU but this one waits in the module. One after the other could not take less than 50 ms for each. */
static void latency_of_all(void)
{
	static volatile bool busy[MAX_CPUS];
	uint64_t begin, end, ms = tsc_hz() / 1000;
	unsigned int cpu, left;

	for (cpu = 1; cpu < nr_cpus; cpu++)
		busy[cpu] = true;
	begin = rdtsc();
	for (cpu = 1; cpu < nr_cpus; cpu++)
		on_cpu_start(cpu, slow, (void *)&busy[cpu]);
	do {
		pause();
		for (left = 0, cpu = 1; cpu < nr_cpus; cpu++)
			left += busy[cpu];
	} while (left && rdtsc() < begin + tsc_hz());
	end = rdtsc();
	check(nr_cpus > 3 && !left && end - begin < (nr_cpus - 1) * 50 * ms, "%u CPUs wait 50 ms at once, in %lu ms",
	      nr_cpus - 1, (end - begin) / ms);
}

static volatile uint64_t others;
static volatile uint8_t code[64] __attribute__((aligned(64)));

static void latency(void)
{
	uint64_t begin, end, calls = 0, ms = tsc_hz() / 1000;

	on_each_cpu(enter_vmx, NULL);
	begin = rdtsc();
	slow((void *)&waiting);
	end = rdtsc();
	check(end - begin >= 50 * ms && end - begin < 250 * ms, "a leaf of 50 ms takes %lu ms", (end - begin) / ms);
	others = 0;
	waiting = false;
	/* CPU 1 waits in the module; CPU 0 goes on, exclusive sections too */
	begin = rdtsc();
	if (!check(nr_cpus > 1, "there is a second CPU"))
		return;
	on_cpu_start(1, slow, (void *)&waiting);
	while (!waiting && rdtsc() < begin + tsc_hz())
		pause();
	while (waiting) {
		uint64_t r[16] = { [RAX] = TDH_SYS_RD };
		uint64_t val[2] __attribute__((aligned(16))) = { 1, 2 };

		seamcall(r);
		/* A cmpxchg16b, a flush of the TLB, code that changes itself */
		__asm__ volatile("lock cmpxchg16b %0" : "+m"(val) : "a"(1ul), "d"(2ul), "b"(3ul), "c"(4ul) : "cc");
		flush_tlb();
		code[0] = 0xc3;
		((void (*)(void))(uintptr_t)code)();
		calls++;
	}
	end = rdtsc();
	check(calls > 50, "CPU 0 made %lu calls while CPU 1 waited in one", calls);
	check(end - begin < 300 * ms, "together they took %lu ms", (end - begin) / ms);
	check(cpu_answers(1), "CPU 1 is alive");
	latency_of_all();
}

/* Nothing but one call, which takes seconds: bare.py looks at what it costs the host */
static void wait_in_module(void)
{
	enter_vmx(NULL);
	check(leaf(TDH_SYS_LP_SHUTDOWN, 0, 0, 0) == 0, "TDH.SYS.LP.SHUTDOWN");
}

static void fatal(void)
{
	enter_vmx(NULL);
	check(true, "before");
	leaf(TDH_SYS_INIT, 0, 0, 0);
	check(false, "a fatal error of the module came back");
}

const struct test seam_tests[] = {
	{ "modes", modes }, { "rbp-lost", rbp_lost }, { "seamrr-off", seamrr_off }, { "seamrr-off-lp1", seamrr_off_lp1 },
	{ "no-module", no_module }, { "seamldr", seamldr }, { "init", init }, { "latency", latency },
	{ "wait", wait_in_module },
	{ "fatal", fatal }, { NULL, NULL }
};
