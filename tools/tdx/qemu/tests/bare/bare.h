/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine without an operating system: what the tests use. */
#ifndef BARE_H
#define BARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_CPUS	16
#define PAGE		4096ul
#define MIB		(1ul << 20)
#define GIB		(1ul << 30)

enum { UD = 6, GP = 13, PF = 14, MC = 18 };

/* ---- CPUs */

extern unsigned int nr_cpus;			/* that have come up */
unsigned int this_cpu(void);
void start_cpus(void);				/* INIT, SIPI to all the others */
void send_init(unsigned int cpu);
void send_sipi(unsigned int cpu);
bool cpu_answers(unsigned int cpu);
/* fn(arg) on a CPU; comes back when it has returned. False: the CPU does not answer. */
bool on_cpu(unsigned int cpu, void (*fn)(void *), void *arg);
/* The same without waiting for the end */
void on_cpu_start(unsigned int cpu, void (*fn)(void *), void *arg);
void on_each_cpu(void (*fn)(void *), void *arg);

/* The vector of the exception that ended fn, or -1; its error code and CR2 */
int attempt(void (*fn)(void *), void *arg);
uint32_t attempt_error(void);
uint64_t attempt_cr2(void);
/* Machine checks that a CPU has had outside of attempt() */
unsigned int machine_checks(unsigned int cpu);

/* ---- output and end */

void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
bool check(bool good, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
__attribute__((noreturn)) void power_off(void);

/* ---- instructions */

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr) : "memory");
	return lo | (uint64_t)hi << 32;
}

static inline void wrmsr(uint32_t msr, uint64_t val)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)val), "d"((uint32_t)(val >> 32)) : "memory");
}

static inline void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t r[4])
{
	__asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(subleaf));
}

static inline uint64_t read_cr4(void)
{
	uint64_t val;

	__asm__ volatile("mov %%cr4, %0" : "=r"(val));
	return val;
}

static inline void write_cr4(uint64_t val)
{
	__asm__ volatile("mov %0, %%cr4" : : "r"(val) : "memory");
}

static inline uint64_t read_cr0(void)
{
	uint64_t val;

	__asm__ volatile("mov %%cr0, %0" : "=r"(val));
	return val;
}

static inline void write_cr0(uint64_t val)
{
	__asm__ volatile("mov %0, %%cr0" : : "r"(val) : "memory");
}

static inline void flush_tlb(void)
{
	uint64_t val;

	__asm__ volatile("mov %%cr3, %0; mov %0, %%cr3" : "=r"(val) : : "memory");
}

static inline void wbinvd(void)
{
	__asm__ volatile("wbinvd" : : : "memory");
}

static inline void clflush(const void *p)
{
	__asm__ volatile("clflush (%0)" : : "r"(p) : "memory");
}

static inline void movdir64b(void *dst, const void *src)
{
	__asm__ volatile(".byte 0x66, 0x0f, 0x38, 0xf8, 0x02" : : "a"(dst), "d"(src) : "memory");
}

static inline void outb(uint16_t port, uint8_t val)
{
	__asm__ volatile("outb %0, %1" : : "a"(val), "Nd"(port));
}

static inline void outw(uint16_t port, uint16_t val)
{
	__asm__ volatile("outw %0, %1" : : "a"(val), "Nd"(port));
}

static inline void outl(uint16_t port, uint32_t val)
{
	__asm__ volatile("outl %0, %1" : : "a"(val), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t val;

	__asm__ volatile("inb %1, %0" : "=a"(val) : "Nd"(port));
	return val;
}

static inline uint32_t inl(uint16_t port)
{
	uint32_t val;

	__asm__ volatile("inl %1, %0" : "=a"(val) : "Nd"(port));
	return val;
}

static inline uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return lo | (uint64_t)hi << 32;
}

static inline void pause(void)
{
	__asm__ volatile("pause" : : : "memory");
}

uint64_t tsc_hz(void);

/* ---- VMX: flags are CF | ZF << 1 after the instruction */

int vmxon(uint64_t pa);
int vmxoff(void);
void enter_vmx(void *unused);		/* CR4.VMXE and VMXON, this CPU's own region */
void leave_vmx(void *unused);

/* ---- SEAMCALL */

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

int seamcall(uint64_t regs[16]);	/* flags */
uint64_t leaf(unsigned int leaf, uint64_t rcx, uint64_t rdx, uint64_t r8);	/* RAX; VMfail: ~0 */

#define VMFAIL		(~0ull)
enum {
	TDH_MNG_ADDCX = 1, TDH_MNG_KEY_CONFIG = 8, TDH_MNG_CREATE = 9, TDH_MNG_VPFLUSHDONE = 19,
	TDH_MNG_KEY_FREEID = 20, TDH_PHYMEM_PAGE_RDMD = 24, TDH_MNG_KEY_RECLAIMID = 27, TDH_PHYMEM_PAGE_RECLAIM = 28,
	TDH_SYS_KEY_CONFIG = 31, TDH_SYS_INFO = 32, TDH_SYS_INIT = 33, TDH_SYS_RD = 34,
	TDH_SYS_LP_INIT = 35, TDH_SYS_TDMR_INIT = 36, TDH_PHYMEM_CACHE_WB = 40,
	TDH_SYS_LP_SHUTDOWN = 44, TDH_SYS_CONFIG = 45, TDH_SYS_SHUTDOWN = 52,
};

/*
 * The memory of the platform the tests run on: RAM below 1 GiB, a CMR of
 * 4 GiB at 4 GiB. One TDMR there, its PAMTs behind it.
 */
#define TDMR_BASE	(4 * GIB)
#define TDMR_SIZE	GIB
#define PAMT_BASE	(5 * GIB)
#define PAMT_4K_SIZE	(4 * MIB)
#define PAMT_2M_SIZE	(2 * PAGE)
#define PAMT_1G_SIZE	PAGE
#define PAMT_SIZE	(PAMT_4K_SIZE + PAMT_2M_SIZE + PAMT_1G_SIZE)
#define TD_PAGE		(TDMR_BASE + 16 * MIB)	/* for TDR and TDCX */
#define KEYID		32

enum bring_up {				/* what is left out, for the guilty ones */
	NO_FLUSH = 1,
	FLUSH_ONE_CPU = 2,
	NO_TDMR_INIT = 4,
	NO_KEY = 8,
};

/* All CPUs in VMX root operation, the module READY. False: said why. */
bool bring_up(unsigned int leave_out);
bool configure(void);			/* the part up to SYS.CONFIG */
void flush_cache(void *unused);

/* ---- tests */

struct test {
	const char *name;
	void (*fn)(void);
};

extern const struct test vmx_tests[], seam_tests[], checker_tests[], bench_tests[];

#endif
