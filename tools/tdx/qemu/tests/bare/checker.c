// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host-rule checker: for each rule one who breaks it, and one who does
 * almost the same and does not. What has to be found is in bare.py.
 */
#include "bare.h"

static volatile uint64_t *at(uint64_t pa)
{
	return (volatile uint64_t *)pa;
}

static __attribute__((noipa)) void store(void *pa)
{
	*at((uint64_t)pa) = 0x0123456789abcdef;
}

static __attribute__((noipa)) void load(void *pa)
{
	(void)*at((uint64_t)pa);
}

static uint32_t pci_read(unsigned int dev, unsigned int reg)
{
	outl(0xcf8, 0x80000000 | dev << 11 | reg);
	return inl(0xcfc);
}

/* QEMU's "edu" device copies from its buffer to memory */
static void dma(uint64_t pa, unsigned int size)
{
	volatile uint64_t *regs;
	unsigned int dev;

	for (dev = 0; dev < 32; dev++)
		if (pci_read(dev, 0) == 0x11e81234)
			break;
	if (!check(dev < 32, "the edu device is there"))
		return;
	outl(0xcf8, 0x80000000 | dev << 11 | 4);
	outl(0xcfc, 6);				/* memory, bus master */
	regs = (volatile uint64_t *)(uint64_t)(pci_read(dev, 0x10) & ~15u);
	regs[0x80 / 8] = 0x40000;
	regs[0x88 / 8] = pa;
	regs[0x90 / 8] = size;
	regs[0x98 / 8] = 1 | 2;			/* start, to memory */
	while (regs[0x98 / 8] & 1)
		pause();
}

/* ---- flush */

static void dirty_pamt(void)
{
	store((void *)(PAMT_BASE + 8));
	store((void *)(PAMT_BASE + 5 * PAGE));
	on_cpu(1, store, (void *)(PAMT_BASE + MIB));
}

static void flush_none(void)
{
	dirty_pamt();
	check(bring_up(NO_FLUSH), "the module does not notice");
	on_each_cpu(flush_cache, NULL);
}

static void flush_one(void)
{
	dirty_pamt();
	check(bring_up(FLUSH_ONE_CPU), "the module does not notice");
	on_each_cpu(flush_cache, NULL);
}

static void flush_all(void)
{
	dirty_pamt();
	check(bring_up(0), "initialised");
	on_each_cpu(flush_cache, NULL);
}

/* All CPUs flush before TDH.SYS.CONFIG, when the PAMTs have their final content */
static void flush_early(void)
{
	dirty_pamt();
	on_each_cpu(flush_cache, NULL);
	check(bring_up(NO_FLUSH), "initialised");
	on_each_cpu(flush_cache, NULL);
}

static void flush_then_store(void)
{
	dirty_pamt();
	on_each_cpu(flush_cache, NULL);
	on_cpu(2, store, (void *)(PAMT_BASE + 3 * PAGE));
	check(bring_up(NO_FLUSH), "the module does not notice");
	on_each_cpu(flush_cache, NULL);
}

static void clflush_lines(uint64_t pa, unsigned int begin, unsigned int end)
{
	for (; begin < end; begin++)
		clflush((void *)(pa + 64 * begin));
}

static void clflush_page(uint64_t pa)
{
	clflush_lines(pa, 0, PAGE / 64);
}

static void clflush_first(void *pa)
{
	clflush(pa);
}

static void td_page(void)
{
	uint64_t rax;

	if (!bring_up(0))
		return;
	store((void *)TD_PAGE);
	rax = leaf(TDH_MNG_CREATE, TD_PAGE, KEYID + 1, 0);
	check(rax == 0, "a TD with a page that was not flushed: %lx", rax);
	store((void *)(TD_PAGE + PAGE));
	clflush_page(TD_PAGE + PAGE);
	rax = leaf(TDH_MNG_CREATE, TD_PAGE + PAGE, KEYID + 2, 0);
	check(rax == 0, "a TD with a page that CLFLUSH went over: %lx", rax);
	store((void *)(TD_PAGE + 2 * PAGE));
	clflush_page(TD_PAGE + 2 * PAGE);
	store((void *)(TD_PAGE + 2 * PAGE + 64));
	rax = leaf(TDH_MNG_CREATE, TD_PAGE + 2 * PAGE, KEYID + 3, 0);
	check(rax == 0, "a TD with a page that was written after that: %lx", rax);
	/* Each line is flushed once, and one is written afterwards */
	store((void *)(TD_PAGE + 3 * PAGE));
	clflush_lines(TD_PAGE + 3 * PAGE, 0, 32);
	store((void *)(TD_PAGE + 3 * PAGE + 64));
	clflush_lines(TD_PAGE + 3 * PAGE, 32, 64);
	rax = leaf(TDH_MNG_CREATE, TD_PAGE + 3 * PAGE, KEYID + 4, 0);
	check(rax == 0, "a TD with a page that was written between: %lx", rax);
	store((void *)(TD_PAGE + 4 * PAGE));
	clflush_lines(TD_PAGE + 4 * PAGE, 0, 63);
	rax = leaf(TDH_MNG_CREATE, TD_PAGE + 4 * PAGE, KEYID + 5, 0);
	check(rax == 0, "a TD with a page of which one line was not flushed: %lx", rax);
	/* It does not matter which CPU flushes */
	store((void *)(TD_PAGE + 5 * PAGE));
	on_cpu(1, clflush_first, (void *)(TD_PAGE + 5 * PAGE));
	clflush_page(TD_PAGE + 5 * PAGE);
	rax = leaf(TDH_MNG_CREATE, TD_PAGE + 5 * PAGE, KEYID + 6, 0);
	check(rax == 0, "a TD with a page that two CPUs went over: %lx", rax);
	on_each_cpu(flush_cache, NULL);
}

static void key_config(void *tdr)
{
	leaf(TDH_MNG_KEY_CONFIG, (uint64_t)tdr, 0, 0);
}

/* A TD that pages can be added to. CPUs 0 and 2 are of the two packages. */
static bool make_td(void)
{
	uint64_t rax;

	if (!bring_up(0))
		return false;
	on_each_cpu(flush_cache, NULL);
	rax = leaf(TDH_MNG_CREATE, TD_PAGE, KEYID + 1, 0);
	on_cpu(0, key_config, (void *)TD_PAGE);
	on_cpu(2, key_config, (void *)TD_PAGE);
	return check(rax == 0, "TDH.MNG.CREATE: %lx", rax);
}

static void add_page(unsigned int n)
{
	uint64_t rax = leaf(TDH_MNG_ADDCX, TD_PAGE + n * PAGE, TD_PAGE, 0);

	check(rax == 0, "TDH.MNG.ADDCX of page %u: %lx", n, rax);
}

static void tdcx_page(void)
{
	if (!make_td())
		return;
	store((void *)(TD_PAGE + PAGE));
	add_page(1);
	dma(TD_PAGE + 2 * PAGE, 64);
	add_page(2);
	store((void *)(TD_PAGE + 3 * PAGE));
	dma(TD_PAGE + 4 * PAGE, 64);
	on_each_cpu(flush_cache, NULL);
	add_page(3);
	add_page(4);
	store((void *)(TD_PAGE + 4 * PAGE));		/* now it is the module's */
	on_each_cpu(flush_cache, NULL);
}

/* ---- host-write: a page each */

static unsigned __int128 sixteen __attribute__((aligned(16)));

#define GUARDED(n)	(PAMT_BASE + (n) * PAGE + 0x100)

static __attribute__((noipa)) void store_kinds(void *unused)
{
	uint64_t lo = 0, hi = 0;
	void *p;

	(void)unused;
	__asm__ volatile("movb $1, (%0)" : : "r"(GUARDED(1)) : "memory");
	__asm__ volatile("movw $1, (%0)" : : "r"(GUARDED(2)) : "memory");
	__asm__ volatile("movl $1, (%0)" : : "r"(GUARDED(3)) : "memory");
	__asm__ volatile("movq $1, (%0)" : : "r"(GUARDED(4)) : "memory");
	__asm__ volatile("movaps %0, %%xmm0; movaps %%xmm0, (%1)" : : "m"(sixteen), "r"(GUARDED(5)) : "memory");
	__asm__ volatile("lock incl (%0)" : : "r"(GUARDED(6)) : "memory", "cc");
	__asm__ volatile("lock cmpxchg16b (%2)" : "+a"(lo), "+d"(hi) : "r"(GUARDED(7)), "b"(0ul), "c"(0ul) : "memory", "cc");
	p = (void *)GUARDED(8);
	__asm__ volatile("rep stosb" : "+D"(p) : "c"(10ul), "a"(0) : "memory");
	__asm__ volatile("movnti %0, (%1)" : : "r"(1ul), "r"(GUARDED(9)) : "memory");
	__asm__ volatile("btsq $3, (%0)" : : "r"(GUARDED(10)) : "memory", "cc");
	__asm__ volatile("fxsave64 (%0)" : : "r"(GUARDED(11)) : "memory");
	movdir64b((void *)GUARDED(12), &sixteen);
	/* over the border of two pages */
	__asm__ volatile("movq $1, (%0)" : : "r"(PAMT_BASE + 14 * PAGE - 4) : "memory");
}

static void host_write(void)
{
	unsigned int i;

	/* Translations that are in the TLB when the pages go to the module */
	store_kinds(NULL);
	on_cpu(1, store, (void *)GUARDED(20));
	if (!bring_up(0))
		return;
	store_kinds(NULL);
	on_cpu(1, store, (void *)GUARDED(20));
	for (i = 0; i < PAMT_SIZE; i += PAGE)
		load((void *)(PAMT_BASE + i));
	store((void *)(PAMT_BASE - 8));			/* the neighbours are the host's */
	store((void *)(PAMT_BASE + PAMT_SIZE));
	on_each_cpu(flush_cache, NULL);
	check(true, "done");
}

/* A page of a TD is the module's as a PAMT is */
static void td_write(void)
{
	uint64_t rax;

	if (!bring_up(0))
		return;
	store((void *)TD_PAGE);
	on_each_cpu(flush_cache, NULL);
	rax = leaf(TDH_MNG_CREATE, TD_PAGE, KEYID + 1, 0);
	check(rax == 0, "TDH.MNG.CREATE: %lx", rax);
	store((void *)(TD_PAGE + 8));
	store((void *)(TD_PAGE + PAGE));
	on_each_cpu(flush_cache, NULL);
}

static void dma_write(void)
{
	if (!bring_up(0))
		return;
	dma(PAMT_BASE + 7 * PAGE - 64, 128);
	dma(PAMT_BASE + PAMT_SIZE + PAGE, 128);
	on_each_cpu(flush_cache, NULL);
}

/* Nothing of the module is in a cache, but it is called again */
static void host_write_later(void)
{
	uint64_t rax;

	if (!bring_up(0))
		return;
	on_each_cpu(flush_cache, NULL);
	on_cpu(3, store, (void *)(PAMT_BASE + PAGE));
	rax = leaf(TDH_MNG_CREATE, TD_PAGE, KEYID + 1, 0);
	check(rax == 0, "TDH.MNG.CREATE: %lx", rax);
	on_each_cpu(flush_cache, NULL);
}

/* The leaf writes nothing, but what it reads is the host's */
static void host_write_rdmd(void)
{
	uint64_t rax;

	if (!bring_up(0))
		return;
	on_each_cpu(flush_cache, NULL);
	store((void *)PAMT_BASE);
	rax = leaf(TDH_PHYMEM_PAGE_RDMD, TD_PAGE, 0, 0);
	check(rax == 0, "TDH.PHYMEM.PAGE.RDMD: %lx", rax);
}

static void host_write_before_key(void)
{
	if (!configure())
		return;
	store((void *)(PAMT_BASE + PAGE));
	on_each_cpu(flush_cache, NULL);
	check(leaf(TDH_SYS_KEY_CONFIG, 0, 0, 0) == 0, "TDH.SYS.KEY.CONFIG");
}

/* The host gives up and takes its memory back */
static void take_back(void)
{
	unsigned long i;

	if (!bring_up(0))
		return;
	on_each_cpu(flush_cache, NULL);
	for (i = 0; i < PAMT_SIZE; i += PAGE)
		store((void *)(PAMT_BASE + i));
	check(true, "taken back");
}

static void take_back_early(void)
{
	if (!bring_up(NO_KEY))
		return;
	store((void *)PAMT_BASE);
	on_cpu(1, store, (void *)(PAMT_BASE + PAGE));
	check(true, "taken back");
}

static void shut_down(void)
{
	if (!bring_up(0))
		return;
	on_each_cpu(flush_cache, NULL);
	check(leaf(TDH_SYS_SHUTDOWN, 0, 0, 0) == 0, "TDH.SYS.SHUTDOWN");
}

static void lp_shutdown(void *unused)
{
	(void)unused;
	check(leaf(TDH_SYS_LP_SHUTDOWN, 0, 0, 0) == 0, "TDH.SYS.LP.SHUTDOWN on CPU %u", this_cpu());
}

/* Module 1.0 */
static void after_lp_shutdown(void)
{
	uint64_t rax;

	if (!bring_up(0))
		return;
	on_each_cpu(flush_cache, NULL);
	on_each_cpu(lp_shutdown, NULL);
	store((void *)PAMT_BASE);
	rax = leaf(TDH_SYS_INIT, 0, 0, 0);
	check(rax == VMFAIL, "SEAMCALL on an LP that is shut down: VMfailInvalid");
}

static void after_shutdown(void)
{
	unsigned long i;

	shut_down();
	for (i = 0; i < PAMT_SIZE; i += PAGE)
		store((void *)(PAMT_BASE + i));
	load((void *)PAMT_BASE);
	check(true, "the memory is the host's");
}

static void cache_wb(void *unused)
{
	(void)unused;
	leaf(TDH_PHYMEM_CACHE_WB, 0, 0, 0);
}

static void free_keyid(void)
{
	leaf(TDH_MNG_VPFLUSHDONE, TD_PAGE, 0, 0);
	on_cpu(0, cache_wb, NULL);
	on_cpu(2, cache_wb, NULL);
	leaf(TDH_MNG_KEY_FREEID, TD_PAGE, 0, 0);
}

/* A TD with one page more than its TDR, and both pages given back */
static bool reclaim_td(void)
{
	uint64_t rax;

	if (!make_td())
		return false;
	add_page(1);
	free_keyid();
	rax = leaf(TDH_PHYMEM_PAGE_RECLAIM, TD_PAGE + PAGE, 0, 0);
	check(rax == 0, "TDH.PHYMEM.PAGE.RECLAIM of the page: %lx", rax);
	rax = leaf(TDH_PHYMEM_PAGE_RECLAIM, TD_PAGE, 0, 0);
	check(rax == 0, "and of the TDR: %lx", rax);
	on_each_cpu(flush_cache, NULL);
	return rax == 0;
}

/* In two cases, with the erratum and without */
static void reclaimed(void)
{
	if (!reclaim_td())
		return;
	store((void *)TD_PAGE);
	dma(TD_PAGE + PAGE, 64);
}

/* ---- conversion */

static __attribute__((noipa)) void convert(uint64_t pa, unsigned long size)
{
	static const uint8_t zero[64] __attribute__((aligned(64)));
	unsigned long i;

	for (i = 0; i < size; i += 64)
		movdir64b((void *)(pa + i), zero);
}

#define MCG_STATUS 0x17a
#define BANK1	0x404

static void unconverted_load(void)
{
	uint64_t addr = PAMT_BASE + 2 * PAGE + 0x48;
	unsigned int i;

	shut_down();
	check(attempt(load, (void *)addr) == MC, "a load raises #MC");
	for (i = 1; i < nr_cpus; i++)
		check(cpu_answers(i) && machine_checks(i) == 1, "CPU %u gets it too", i);
	check(rdmsr(MCG_STATUS) == 7, "IA32_MCG_STATUS: %lx", rdmsr(MCG_STATUS));
	check(rdmsr(BANK1 + 1) >> 63 && (rdmsr(BANK1 + 1) & 0xffff) == 0x134, "status of the bank: %lx", rdmsr(BANK1 + 1));
	check(rdmsr(BANK1 + 2) == (addr & ~63ul), "its address: %lx", rdmsr(BANK1 + 2));
	check((rdmsr(BANK1 + 3) & 0x1ff) == 0x86, "a physical address, 64 bytes: %lx", rdmsr(BANK1 + 3));
	wrmsr(MCG_STATUS, 0);
	wrmsr(BANK1 + 1, 0);
	/* One line converted: it can be read, its neighbour cannot */
	convert(addr & ~63ul, 64);
	check(attempt(load, (void *)addr) == -1, "a line after MOVDIR64B can be read");
	check(attempt(load, (void *)(addr + 64)) == MC, "its neighbour cannot");
	wrmsr(MCG_STATUS, 0);
}

static void unconverted_store(void)
{
	shut_down();
	store((void *)(PAMT_BASE + 9 * PAGE));
	check(true, "a store goes unnoticed");
}

static void unconverted_take_back(void)
{
	if (!bring_up(0))
		return;
	on_each_cpu(flush_cache, NULL);
	store((void *)(PAMT_BASE + PAGE));
	check(true, "a store goes unnoticed");
}

static void converted(void)
{
	unsigned long i;

	shut_down();
	convert(PAMT_BASE, PAMT_SIZE);
	for (i = 0; i < PAMT_SIZE; i += PAGE) {
		if (*at(PAMT_BASE + i))
			check(false, "page %lx is not zero", PAMT_BASE + i);
		store((void *)(PAMT_BASE + i));
	}
	on_cpu(2, load, (void *)PAMT_BASE);
	check(*at(PAMT_BASE) == 0x0123456789abcdef, "the memory is the host's");
}

static void converted_take_back(void)
{
	if (!bring_up(0))
		return;
	on_each_cpu(flush_cache, NULL);
	convert(PAMT_BASE, PAMT_SIZE);
	store((void *)PAMT_BASE);
	on_cpu(1, load, (void *)(PAMT_BASE + PAGE));
	check(true, "the memory is the host's");
}

/* All is converted, but the module was not done with it */
static void converted_later(void)
{
	uint64_t rax;

	if (!bring_up(0))
		return;
	on_each_cpu(flush_cache, NULL);
	convert(PAMT_BASE, PAMT_SIZE);
	rax = leaf(TDH_MNG_CREATE, TD_PAGE, KEYID + 1, 0);
	check(rax == 0, "TDH.MNG.CREATE: %lx", rax);
	on_each_cpu(flush_cache, NULL);
}

/* Two halves of a page, and it was the module's between */
static void converted_twice(void)
{
	uint64_t rax;

	if (!reclaim_td())
		return;
	convert(TD_PAGE, PAGE / 2);
	on_each_cpu(flush_cache, NULL);
	rax = leaf(TDH_MNG_CREATE, TD_PAGE, KEYID + 2, 0);
	check(rax == 0, "TDH.MNG.CREATE: %lx", rax);
	on_cpu(0, key_config, (void *)TD_PAGE);
	on_cpu(2, key_config, (void *)TD_PAGE);
	free_keyid();
	rax = leaf(TDH_PHYMEM_PAGE_RECLAIM, TD_PAGE, 0, 0);
	check(rax == 0, "TDH.PHYMEM.PAGE.RECLAIM: %lx", rax);
	on_each_cpu(flush_cache, NULL);
	convert(TD_PAGE + PAGE / 2, PAGE / 2);
	check(attempt(load, (void *)TD_PAGE) == MC, "a load from the half that was converted before raises #MC");
	check(attempt(load, (void *)(TD_PAGE + PAGE / 2)) == -1, "one from the other half does not");
}

static void reclaimed_converted(void)
{
	if (!reclaim_td())
		return;
	convert(TD_PAGE, 2 * PAGE);
	store((void *)TD_PAGE);
	load((void *)TD_PAGE);
	dma(TD_PAGE + PAGE, 64);
	load((void *)(TD_PAGE + PAGE));
}

/* ---- private-lines */

static void tdmr_init(void *unused)
{
	(void)unused;
	leaf(TDH_SYS_TDMR_INIT, TDMR_BASE, 0, 0);
}

static void init_cpu_1(void)
{
	on_cpu(1, leave_vmx, NULL);
	send_init(1);
	send_sipi(1);
	check(cpu_answers(1), "CPU 1 is back after INIT and SIPI");
}

static void init_dirty(void)
{
	if (!bring_up(NO_TDMR_INIT))
		return;
	on_cpu(1, tdmr_init, NULL);
	init_cpu_1();
}

static void init_clean(void)
{
	if (!bring_up(NO_TDMR_INIT))
		return;
	on_cpu(1, tdmr_init, NULL);
	on_cpu(1, flush_cache, NULL);
	init_cpu_1();
}

static void td_call(void *unused)
{
	(void)unused;
	leaf(TDH_MNG_VPFLUSHDONE, TD_PAGE, 0, 0);
}

/* It writes back the caches of a package */
static void init_written_back(void)
{
	if (!make_td())
		return;
	on_cpu(1, td_call, NULL);
	on_cpu(0, cache_wb, NULL);
	on_cpu(2, cache_wb, NULL);
	init_cpu_1();
}

/* There is no KeyID that it would do that for, and it says so */
static void off_not_written_back(void)
{
	uint64_t rax;

	if (!bring_up(0))
		return;
	rax = leaf(TDH_PHYMEM_CACHE_WB, 0, 0, 0);
	check(rax && !(rax >> 63), "TDH.PHYMEM.CACHE.WB: %lx", rax);
}

static void off_dirty(void)
{
	check(bring_up(0), "initialised");
}

/* The reset control register: all CPUs get a reset, the caches lose what they hold */
static void reset(void)
{
	outb(0xcf9, 2);
	outb(0xcf9, 6);
	for (;;)
		pause();
}

static void reset_dirty(void)
{
	check(bring_up(0), "initialised");
	reset();
}

static void reset_clean(void)
{
	check(bring_up(0), "initialised");
	on_each_cpu(flush_cache, NULL);
	reset();
}

/* As kexec does it: an IDT without entries, then the new kernel's */
static __attribute__((noipa)) void new_kernel(void)
{
	static const struct { uint16_t limit; uint64_t base; } __attribute__((packed)) none;
	extern uint8_t idt_ptr[];

	leave_vmx(NULL);
	__asm__ volatile("lidt %0" : : "m"(none));
	__asm__ volatile("lidt %0" : : "m"(*idt_ptr));
}

static void kexec_dirty(void)
{
	if (!bring_up(0))
		return;
	new_kernel();
	on_each_cpu(flush_cache, NULL);
	check(true, "the new kernel runs");
}

static void kexec_clean(void)
{
	if (!bring_up(0))
		return;
	on_each_cpu(flush_cache, NULL);
	new_kernel();
	check(true, "the new kernel runs");
}

/* ---- SEAMCALL */

static void reserved_rax(void)
{
	uint64_t r[16] = { [RAX] = TDH_SYS_LP_SHUTDOWN | 1ull << 24 };

	enter_vmx(NULL);
	seamcall(r);
	check(r[RAX] >> 63, "the module refuses it: %lx", r[RAX]);
	check(leaf(TDH_SYS_LP_SHUTDOWN, 0, 0, 0) == 0, "without the bit it is right");
}

/* A call of P-SEAMLDR has other reserved bits */
static void reserved_rax_seamldr(void)
{
	uint64_t r[16] = { [RAX] = 1ull << 63 | 1ull << 16 };

	enter_vmx(NULL);
	check(seamcall(r) == 0 && r[RAX] >> 63, "P-SEAMLDR refuses it: %lx", r[RAX]);
}

/* The description says: TDH.SYS.LP.SHUTDOWN is busy for ever */
static void busy(unsigned int calls)
{
	unsigned int i;

	for (i = 0; i < calls; i++)
		leaf(TDH_SYS_LP_SHUTDOWN, 0, 0, 0);
	check(true, "%u calls", i);
}

static void busy_storm(void)
{
	enter_vmx(NULL);
	busy(1001);
}

/* As many as may be, twice: the answer of another leaf is between them */
static void busy_often(void)
{
	enter_vmx(NULL);
	busy(1000);
	check(leaf(TDH_SYS_INIT, 0, 0, 0) == 0, "TDH.SYS.INIT");
	busy(1000);
}

/* The platform answers in the place of the module, which has neither refused nor written anything */
static void injected(void)
{
	uint64_t rax;

	if (!bring_up(0))
		return;
	on_each_cpu(flush_cache, NULL);
	rax = leaf(TDH_MNG_CREATE, TD_PAGE, KEYID + 1, 0);
	check(rax == 0xc000050200000000, "the first answer: %lx", rax);
	rax = leaf(TDH_MNG_CREATE, TD_PAGE, KEYID + 1, 0);
	check(rax == 0, "the second one: %lx", rax);
	store((void *)TD_PAGE);
}

/* ---- the test interface, see test.c */

static void command(const char *text)
{
	char answer[128] = "";
	unsigned int i = 0;

	print("%s: ", text);
	while (*text)
		outb(0x7d0, *text++);
	outb(0x7d0, '\n');
	while (!inb(0x7d1))
		pause();
	while (i < sizeof(answer) - 1 && (answer[i] = inb(0x7d0)))
		i++;
	print("%s\n", answer);
}

static void test_reset(void)
{
	if (!bring_up(0))
		return;
	on_each_cpu(flush_cache, NULL);
	command("td 0x101000000");
	command("state");
	command("reset");
	command("state");
	on_each_cpu(leave_vmx, NULL);
	if (!bring_up(0))
		return;
	store((void *)0x101000000);
	command("state");
	on_each_cpu(flush_cache, NULL);
	check(true, "done");
}

static void no_lp_init(void)
{
	uint64_t rax;

	on_each_cpu(enter_vmx, NULL);
	check(leaf(TDH_SYS_INIT, 0, 0, 0) == 0, "TDH.SYS.INIT");
	rax = leaf(TDH_SYS_RD, 0, ~0ul, 0);
	check(rax >> 63, "TDH.SYS.RD is refused: %lx", rax);
}

const struct test checker_tests[] = {
	{ "flush-none", flush_none }, { "flush-one", flush_one }, { "flush-all", flush_all },
	{ "flush-early", flush_early }, { "flush-then-store", flush_then_store }, { "td-page", td_page },
	{ "tdcx-page", tdcx_page }, { "reclaimed", reclaimed },
	{ "host-write", host_write }, { "td-write", td_write }, { "dma-write", dma_write }, { "host-write-later", host_write_later },
	{ "host-write-before-key", host_write_before_key }, { "take-back", take_back },
	{ "take-back-early", take_back_early }, { "after-shutdown", after_shutdown }, { "after-lp-shutdown", after_lp_shutdown },
	{ "unconverted-load", unconverted_load }, { "unconverted-store", unconverted_store },
	{ "unconverted-take-back", unconverted_take_back }, { "converted", converted },
	{ "converted-take-back", converted_take_back }, { "reclaimed-converted", reclaimed_converted },
	{ "init-dirty", init_dirty }, { "init-clean", init_clean }, { "off-dirty", off_dirty },
	{ "reset-dirty", reset_dirty }, { "reset-clean", reset_clean },
	{ "kexec-dirty", kexec_dirty }, { "kexec-clean", kexec_clean },
	{ "reserved-rax", reserved_rax }, { "reserved-rax-seamldr", reserved_rax_seamldr }, { "busy-storm", busy_storm }, { "busy-often", busy_often },
	{ "host-write-rdmd", host_write_rdmd }, { "converted-later", converted_later }, { "converted-twice", converted_twice },
	{ "init-written-back", init_written_back }, { "off-not-written-back", off_not_written_back },
	{ "injected", injected }, { "test-reset", test_reset },
	{ "no-lp-init", no_lp_init }, { NULL, NULL }
};
