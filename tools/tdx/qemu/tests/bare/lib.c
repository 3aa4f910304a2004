// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include "bare.h"

/* ---- output */

static volatile unsigned int print_lock;

static void putc(char c)
{
	while (!(inb(0x3fd) & 0x20))
		;
	outb(0x3f8, c);
}

static void puts_(const char *s)
{
	while (*s)
		putc(*s++);
}

static void number(uint64_t val, unsigned int base, unsigned int width, bool negative)
{
	char buf[24], *p = buf + sizeof(buf);

	*--p = 0;
	do {
		*--p = "0123456789abcdef"[val % base];
		val /= base;
	} while (val || (width && --width > 1));
	if (negative)
		*--p = '-';
	puts_(p);
}

static void vprint(const char *fmt, va_list ap)
{
	for (; *fmt; fmt++) {
		bool is_long = false;
		int64_t val;

		if (*fmt != '%') {
			putc(*fmt);
			continue;
		}
		while (*++fmt == 'l')
			is_long = true;
		switch (*fmt) {
		case 's':
			puts_(va_arg(ap, const char *));
			break;
		case 'd':
			val = is_long ? va_arg(ap, long) : va_arg(ap, int);
			number(val < 0 ? -val : val, 10, 0, val < 0);
			break;
		case 'u':
			number(is_long ? va_arg(ap, unsigned long) : va_arg(ap, unsigned int), 10, 0, false);
			break;
		case 'x':
			number(is_long ? va_arg(ap, unsigned long) : va_arg(ap, unsigned int), 16, 0, false);
			break;
		default:
			putc(*fmt);
		}
	}
}

static void lock(volatile unsigned int *l)
{
	while (__atomic_exchange_n(l, 1, __ATOMIC_ACQUIRE))
		pause();
}

static void unlock(volatile unsigned int *l)
{
	__atomic_store_n(l, 0, __ATOMIC_RELEASE);
}

void print(const char *fmt, ...)
{
	va_list ap;

	lock(&print_lock);
	va_start(ap, fmt);
	vprint(fmt, ap);
	va_end(ap);
	unlock(&print_lock);
}

static unsigned int checks;

bool check(bool good, const char *fmt, ...)
{
	va_list ap;

	lock(&print_lock);
	puts_(good ? "ok " : "not ok ");
	number(++checks, 10, 0, false);
	puts_(" - ");
	va_start(ap, fmt);
	vprint(fmt, ap);
	va_end(ap);
	putc('\n');
	unlock(&print_lock);
	return good;
}

void power_off(void)
{
	for (;;) {
		outw(0x604, 0x2000);	/* PM1a_CNT: SLP_EN, S5 */
		__asm__ volatile("hlt");
	}
}

void *memcpy(void *dst, const void *src, size_t len)
{
	void *ret = dst;

	__asm__ volatile("rep movsb" : "+D"(dst), "+S"(src), "+c"(len) : : "memory");
	return ret;
}

void *memset(void *dst, int c, size_t len)
{
	void *ret = dst;

	__asm__ volatile("rep stosb" : "+D"(dst), "+c"(len) : "a"(c) : "memory");
	return ret;
}

/* ---- CPUs */

struct tss {
	uint32_t reserved;
	uint64_t rsp[3];
	uint64_t rest[11];
} __attribute__((packed));

struct cpu {
	uint64_t attempt_rsp;		/* not 0: an exception ends attempt() */
	uint32_t error;
	uint64_t cr2;
	volatile unsigned int machine_checks;
	void (*volatile fn)(void *);
	void *volatile arg;
	volatile bool up;
	bool vmxe;
	struct tss tss;
	uint8_t trap_stack[4096] __attribute__((aligned(16)));
};

static struct cpu cpus[MAX_CPUS];
unsigned int nr_cpus;

extern uint8_t vectors[], ap_code[], ap_code_end[], attempt_out[];
extern uint64_t pml4[512], pdpt[512], idt[512], gdt_tss[];
extern uint32_t start_info;

#define APIC		((volatile uint32_t *)0xfee00000ul)
#define APIC_EOI	(0xb0 / 4)
#define APIC_SVR	(0xf0 / 4)
#define APIC_ICR	(0x300 / 4)
#define APIC_ICR2	(0x310 / 4)
#define CALL_VECTOR	0x40

unsigned int this_cpu(void)
{
	uint32_t r[4];

	cpuid(1, 0, r);
	return r[1] >> 24;
}

struct frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

void trap(struct frame *f);
void attempt_begin(uint64_t rsp);
void attempt_end(void);
void cpu_start(unsigned int cpu);
void main(const char *cmdline);

void trap(struct frame *f)
{
	struct cpu *c = &cpus[this_cpu()];

	if (f->vector >= 32) {
		APIC[APIC_EOI] = 0;
		return;
	}
	if (f->vector == MC && !c->attempt_rsp) {
		c->machine_checks++;
		wrmsr(0x17a, 0);
		return;
	}
	if (!c->attempt_rsp) {
		print("not ok - exception %lu at %lx on CPU %u, error code %lx\n", f->vector, f->rip, this_cpu(),
		      f->error);
		power_off();
	}
	__asm__ volatile("mov %%cr2, %0" : "=r"(c->cr2));
	c->error = f->error;
	f->rip = (uint64_t)attempt_out;
	f->cs = 8;
	f->ss = 16;
	f->rsp = c->attempt_rsp;
	f->rax = f->vector;
	c->attempt_rsp = 0;
}

void attempt_begin(uint64_t rsp)
{
	cpus[this_cpu()].attempt_rsp = rsp;
}

void attempt_end(void)
{
	cpus[this_cpu()].attempt_rsp = 0;
}

uint32_t attempt_error(void)
{
	return cpus[this_cpu()].error;
}

unsigned int machine_checks(unsigned int cpu)
{
	return cpus[cpu].machine_checks;
}

uint64_t attempt_cr2(void)
{
	return cpus[this_cpu()].cr2;
}

static void icr(unsigned int cpu, uint32_t val)
{
	APIC[APIC_ICR2] = cpu << 24;
	APIC[APIC_ICR] = val;
}

void send_init(unsigned int cpu)
{
	icr(cpu, 0x4500);
}

void send_sipi(unsigned int cpu)
{
	cpus[cpu].up = false;
	icr(cpu, 0x4608);
}

/* Wait for a condition, for a second at most */
#define WAIT(cond) ({							\
	uint64_t end_ = rdtsc() + tsc_hz();				\
	while (!(cond) && rdtsc() < end_)				\
		pause();						\
	(cond);								\
})

void start_cpus(void)
{
	unsigned int i;

	memcpy((void *)0x8000, ap_code, ap_code_end - ap_code);
	nr_cpus = 1;
	for (i = 1; i < MAX_CPUS; i++) {
		send_init(i);
		send_sipi(i);
	}
	/* CPUs that are there answer at once; all of them have consecutive numbers */
	for (i = 1; i < MAX_CPUS && WAIT(cpus[i].up); i++)
		nr_cpus++;
}

void on_cpu_start(unsigned int cpu, void (*fn)(void *), void *arg)
{
	cpus[cpu].arg = arg;
	__atomic_store_n(&cpus[cpu].fn, fn, __ATOMIC_RELEASE);
	icr(cpu, 0x4000 | CALL_VECTOR);
}

bool on_cpu(unsigned int cpu, void (*fn)(void *), void *arg)
{
	struct cpu *c = &cpus[cpu];

	if (cpu == this_cpu()) {
		fn(arg);
		return true;
	}
	on_cpu_start(cpu, fn, arg);
	return WAIT(!__atomic_load_n(&c->fn, __ATOMIC_ACQUIRE));
}

static void nothing(void *unused)
{
	(void)unused;
}

bool cpu_answers(unsigned int cpu)
{
	bool answers = on_cpu(cpu, nothing, NULL);

	cpus[cpu].fn = NULL;
	return answers;
}

void on_each_cpu(void (*fn)(void *), void *arg)
{
	unsigned int i;

	for (i = 0; i < nr_cpus; i++)
		if (!on_cpu(i, fn, arg))
			check(false, "CPU %u does not answer", i);
}

uint64_t tsc_hz(void)
{
	uint32_t r[4];

	cpuid(0x15, 0, r);
	return (uint64_t)r[2] * r[1] / r[0];
}

static void init_cpu(unsigned int n)
{
	struct cpu *c = &cpus[n];
	uint64_t base = (uint64_t)&c->tss;

	c->tss.rsp[0] = (uint64_t)(c->trap_stack + sizeof(c->trap_stack));
	gdt_tss[2 * n] = (sizeof(c->tss) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
	gdt_tss[2 * n + 1] = base >> 32;
	__asm__ volatile("ltr %w0" : : "r"(56 + 16 * n));
	APIC[APIC_SVR] = 0x1ff;
}

void cpu_start(unsigned int n)
{
	struct cpu *c = &cpus[n];
	unsigned int i;

	if (!n) {
		for (i = 0; i < 256; i++) {
			uint64_t handler = (uint64_t)vectors + 16 * i;

			idt[2 * i] = (handler & 0xffff) | 8ull << 16 | 0x8eull << 40 | (handler >> 16 & 0xffff) << 48;
			idt[2 * i + 1] = handler >> 32;
		}
		init_cpu(0);
		outb(0x21, 0xff);	/* no 8259 */
		outb(0xa1, 0xff);
		main(start_info ? (const char *)*(uint64_t *)(start_info + 24ul) : "");
		power_off();
	}
	init_cpu(n);
	c->attempt_rsp = 0;
	c->fn = NULL;
	c->vmxe = false;
	__atomic_store_n(&c->up, true, __ATOMIC_RELEASE);
	for (;;) {
		void (*fn)(void *);

		__asm__ volatile("cli" : : : "memory");
		fn = __atomic_load_n(&c->fn, __ATOMIC_ACQUIRE);
		if (fn) {
			fn(c->arg);
			__atomic_store_n(&c->fn, NULL, __ATOMIC_RELEASE);
		} else {
			__asm__ volatile("sti; hlt" : : : "memory");
		}
	}
}

/* ---- VMX */

static uint32_t vmxon_region[MAX_CPUS][1024] __attribute__((aligned(4096)));

#define FLAGS_AFTER(insn, ...) ({					\
	uint64_t flags_;						\
	__asm__ volatile(insn "; pushfq; pop %0" : "=r"(flags_) : __VA_ARGS__ : "memory", "cc");	\
	(int)((flags_ & 1) | (flags_ >> 5 & 2));			\
})

int vmxon(uint64_t pa)
{
	return FLAGS_AFTER("vmxon %1", "m"(pa));
}

int vmxoff(void)
{
	uint64_t flags;

	__asm__ volatile("vmxoff; pushfq; pop %0" : "=r"(flags) : : "memory", "cc");
	return (flags & 1) | (flags >> 5 & 2);
}

void enter_vmx(void *unused)
{
	unsigned int n = this_cpu();

	(void)unused;
	write_cr4(read_cr4() | 1 << 13);
	vmxon_region[n][0] = rdmsr(0x480) & 0x7fffffff;
	if (vmxon((uint64_t)vmxon_region[n]))
		check(false, "VMXON fails on CPU %u", n);
	cpus[n].vmxe = true;
}

void leave_vmx(void *unused)
{
	(void)unused;
	cpus[this_cpu()].vmxe = false;
	if (vmxoff())
		check(false, "VMXOFF fails on CPU %u", this_cpu());
}

/* ---- SEAMCALL */

uint64_t leaf(unsigned int leaf, uint64_t rcx, uint64_t rdx, uint64_t r8)
{
	uint64_t regs[16] = { [RAX] = leaf, [RCX] = rcx, [RDX] = rdx, [R8] = r8 };

	return seamcall(regs) & 1 ? VMFAIL : regs[RAX];
}

static bool leaf_ok(unsigned int number, uint64_t rcx, uint64_t rdx, uint64_t r8)
{
	uint64_t rax = leaf(number, rcx, rdx, r8);

	return rax == 0 || check(false, "leaf %u answers %lx on CPU %u", number, rax, this_cpu());
}

static void lp_init(void *unused)
{
	(void)unused;
	leaf_ok(TDH_SYS_LP_INIT, 0, 0, 0);
}

void flush_cache(void *unused)
{
	(void)unused;
	wbinvd();
}

static uint64_t tdmr[64] __attribute__((aligned(512)));
static uint64_t tdmr_pa[64] __attribute__((aligned(512)));

bool configure(void)
{
	on_each_cpu(enter_vmx, NULL);
	if (!leaf_ok(TDH_SYS_INIT, 0, 0, 0))
		return false;
	on_each_cpu(lp_init, NULL);
	tdmr[0] = TDMR_BASE;
	tdmr[1] = TDMR_SIZE;
	tdmr[6] = PAMT_BASE;
	tdmr[7] = PAMT_4K_SIZE;
	tdmr[4] = PAMT_BASE + PAMT_4K_SIZE;
	tdmr[5] = PAMT_2M_SIZE;
	tdmr[2] = PAMT_BASE + PAMT_4K_SIZE + PAMT_2M_SIZE;
	tdmr[3] = PAMT_1G_SIZE;
	tdmr_pa[0] = (uint64_t)tdmr;
	return leaf_ok(TDH_SYS_CONFIG, (uint64_t)tdmr_pa, 1, KEYID);
}

static void key_config(void *unused)
{
	(void)unused;
	leaf_ok(TDH_SYS_KEY_CONFIG, 0, 0, 0);
}

bool bring_up(unsigned int leave_out)
{
	uint64_t next;

	if (!configure())
		return false;
	if (leave_out & FLUSH_ONE_CPU)
		wbinvd();
	else if (!(leave_out & NO_FLUSH))
		on_each_cpu(flush_cache, NULL);
	if (leave_out & NO_KEY)
		return true;
	/* Two packages with the same number of CPUs, or one CPU */
	if (!leaf_ok(TDH_SYS_KEY_CONFIG, 0, 0, 0))
		return false;
	if (nr_cpus > 1)
		on_cpu(nr_cpus - 1, key_config, NULL);
	if (leave_out & NO_TDMR_INIT)
		return true;
	do {
		uint64_t regs[16] = { [RAX] = TDH_SYS_TDMR_INIT, [RCX] = TDMR_BASE };

		if (seamcall(regs) || regs[RAX])
			return check(false, "TDMR.INIT answers %lx", regs[RAX]);
		next = regs[RDX];
	} while (next < TDMR_BASE + TDMR_SIZE);
	return true;
}
