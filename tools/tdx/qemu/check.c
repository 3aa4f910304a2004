/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host-rule checker.
 *
 * Hardware punishes a host that breaks the rules of memory that it shares
 * with the TDX module late, elsewhere, or only under load: a cache line that
 * was not flushed in time overwrites metadata, a page that was not converted
 * raises a machine check in whoever gets it next. Here each breach is a line
 * at once, that names the rule, the CPU, the instruction and the address.
 *
 *  flush          A page went to the module although a CPU had not flushed its
 *                 cache (WBINVD) since the page was last written; CLFLUSH of
 *                 all of its lines does as well.
 *                 Pages of TDs are judged when the module takes them, PAMTs at
 *                 the first TDH.SYS.KEY.CONFIG: until then the module has not
 *                 written them.
 *  host-write     A store of a CPU, or DMA, to a page that is the module's.
 *  conversion     A page that the module has written was used by the host on a
 *                 platform with the partial-write erratum before MOVDIR64B
 *                 had gone over all of it. Reads raise #MC.
 *  private-lines  INIT, a jump into a new kernel, reset or power-off while a
 *                 CPU's cache holds lines that the module wrote.
 *  reserved-rax   SEAMCALL with reserved bits of RAX set.
 *  busy-storm     An LP gets more than BUSY_LIMIT "busy" answers in a row.
 *  lp-init        A CPU that TDH.SYS.LP.INIT was never run on calls a leaf
 *                 that needs it; or one that was plugged in later calls any.
 *
 * How stores are seen: a TLB entry that is marked "not dirty" sends stores
 * the slow way (QEMU has this for pages with translated code). A page is so
 * marked for a CPU as long as it is not known to have been written since the
 * CPU's last flush, which costs one slow store a page and flush; and as long
 * as it is the module's. Reads stay fast. Loads of pages to be converted are
 * seen because their translations never stay in the TLB.
 *
 * Taking pages back: a module that failed half way has no leaf that returns
 * its PAMTs; a host then just stops to call it, flushes all caches and takes
 * the memory. So a store to a page of the module is not judged at once if no
 * CPU's cache holds lines of the module: it is remembered, and a finding when
 * the module is called again for something that needs its memory.
 */
#include "qemu/osdep.h"
#include <sys/mman.h>
#include "cpu.h"
#include "exec/address-spaces.h"
#include "exec/cputlb.h"
#include "exec/exec-all.h"
#include "exec/helper-proto.h"
#include "exec/ram_addr.h"
#include "hw/boards.h"
#include "hw/i386/x86.h"
#include "hw/mem/memory-device.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/lockable.h"
#include "qemu/thread.h"
#include "sysemu/runstate.h"
#include "tcg/helper-tcg.h"
#include "internal.h"
#include "check.h"
#include "symbols.h"

#define BUSY_LIMIT      1000
#define MAX_FINDINGS    1000            /* lines; the rest is counted */
#define PAGE            4096ULL
#define LINE            64
#define LINES_ALL       UINT64_MAX      /* one bit for each line of a page */

#define WRITER_DMA      ((1u << TDX_WRITER_BITS) - 1)
#define NO_RIP          UINT64_MAX
#define NO_PA      UINT64_MAX

enum page_state {
    HOST,
    CONFIGURED,         /* PAMT that the module has not written yet */
    PRIVATE,            /* the module has written it */
    PRIVATE_REPORTED,   /* the same; a host write has been reported */
    TAKEN,              /* was the module's; the host took it back */
    UNCONVERTED,        /* erratum: back in the host's hands, lines are to be converted */
};

/* With any of these: loads of lines in check.poisoned raise #MC */
#define POISONED        0x80

uint32_t *tdx_page_written;
uint8_t *tdx_page_state;
uint64_t tdx_nr_pages;
uint32_t *tdx_cpu_flushed;

struct owned_range {
    hwaddr base, size;
};

/* First store of the host to a page (with the erratum, to a range) that it may have taken back */
struct taken {
    hwaddr pa;
    int cpu;            /* -1: DMA */
    uint64_t rip;
};

struct cpu_check {
    bool private_lines; /* its cache holds lines that the module wrote */
    bool no_lp_init;    /* reported */
    unsigned int busy;  /* answers in a row */
};

/* CLFLUSH went over some lines of a page */
struct line_flush {
    uint64_t lines;
    uint32_t written;   /* what tdx_page_written had, where it is 0 now */
};

static struct {
    QemuMutex lock;     /* page states and the lists; inside any lock of the module */
    uint32_t now;       /* flushes so far, of all CPUs */
    unsigned int nr_cpus;
    struct cpu_check *cpu;
    GArray *pamts;      /* struct owned_range */
    bool pamts_flushed; /* judged */
    GArray *taken;      /* struct taken */
    GHashTable *line_flush;     /* page number -> struct line_flush */
    GHashTable *converted;      /* page number -> mask of lines */
    GHashTable *unconverted_reported;
    GHashTable *poisoned;       /* addresses of lines */
    FILE *file;
    const struct tdxm_platform *platform;
    bool erratum;
    Notifier shutdown;
} check;

/* In this thread: the module runs; a fault answers in its place */
static __thread bool in_module;
static __thread bool injected;

/* A MOVDIR64B to this line is under way, or it ended with an exception: its stores are from there */
static __thread vaddr movdir64b_line = -1;
static __thread uintptr_t movdir64b_ra;

/* ---- findings */

static void G_GNUC_PRINTF(5, 6) finding(const char *rule, int cpu, uint64_t rip, hwaddr pa,
                                        const char *fmt, ...)
{
    TdxPlatform *tdx = tdx_platform;
    g_autoptr(GString) line = g_string_new(rule);
    va_list ap;

    if (qatomic_fetch_inc(&tdx->findings) >= MAX_FINDINGS) {
        return;
    }
    if (cpu >= 0) {
        g_string_append_printf(line, ": CPU %d", cpu);
    } else {
        g_string_append(line, ": no CPU");
    }
    if (rip != NO_RIP) {
        g_autofree char *name = tdx_symbol(tdx->vmlinux, rip);

        g_string_append_printf(line, ", RIP 0x%" PRIx64 " (%s)", rip, name ? name : "?");
    }
    if (pa != NO_PA) {
        g_string_append_printf(line, ", address 0x%" PRIx64, pa);
    }
    g_string_append(line, ": ");
    va_start(ap, fmt);
    g_string_append_vprintf(line, fmt, ap);
    va_end(ap);

    fprintf(stderr, "tdx-platform: finding: %s\n", line->str);
    if (check.file) {
        fprintf(check.file, "%s\n", line->str);
        fflush(check.file);
    }
}

/* Where the guest is: ra is the return address into translated code, 0: env->eip is right */
static uint64_t guest_rip(CPUState *cs, uintptr_t ra)
{
    CPUX86State *env = cs->env_ptr;
    uint64_t data[TARGET_INSN_START_WORDS];

    if (!ra || !cpu_unwind_state_data(cs, ra, data)) {
        return env->eip;
    }
    if (TARGET_TB_PCREL) {
        return (env->eip & TARGET_PAGE_MASK) | data[0];
    }
    return data[0] - env->segs[R_CS].base;
}

/* ---- pages */

static bool have_page(hwaddr pa)
{
    return pa / PAGE < tdx_nr_pages;
}

static enum page_state state_of(hwaddr pa)
{
    return have_page(pa) ? qatomic_read(&tdx_page_state[pa / PAGE]) & ~POISONED : HOST;
}

/* Make every CPU's stores to the range come to tdx_page_store(), from now on */
static void watch(hwaddr pa, hwaddr size)
{
    RCU_READ_LOCK_GUARD();

    smp_mb();
    while (size) {
        hwaddr xlat, part = size;
        MemoryRegion *mr = address_space_translate(&address_space_memory, pa, &xlat, &part, true,
                                                   MEMTXATTRS_UNSPECIFIED);

        if (memory_access_is_direct(mr, true)) {
            uintptr_t host = (uintptr_t)memory_region_get_ram_ptr(mr) + xlat;
            CPUState *cs;

            CPU_FOREACH(cs) {
                tlb_reset_dirty(cs, host, part);
            }
        }
        pa += part;
        size -= part;
    }
}

static void set_state(hwaddr pa, hwaddr size, enum page_state state)
{
    hwaddr end = pa + size;

    for (; pa < end && have_page(pa); pa += PAGE) {
        uint8_t poisoned = qatomic_read(&tdx_page_state[pa / PAGE]) & POISONED;

        if (state_of(pa) == UNCONVERTED) {
            g_hash_table_remove(check.converted, (gpointer)(uintptr_t)(pa / PAGE));
            g_hash_table_remove(check.unconverted_reported, (gpointer)(uintptr_t)(pa / PAGE));
        }
        qatomic_set(&tdx_page_state[pa / PAGE], poisoned | state);
    }
}

/* ---- flush */

/* A write that nothing has flushed since is one that this CPU has to answer for */
static bool cpu_concerned(CPUState *cs, uint32_t written)
{
    unsigned int writer = written & WRITER_DMA;
    CPUX86State *env = cs->env_ptr;

    if (written >> TDX_WRITER_BITS < qatomic_read(&tdx_cpu_flushed[cs->cpu_index])) {
        return false;
    }
    /* A CPU that is offline, or that only the BIOS ever ran on, has none of the kernel's lines */
    return writer == cs->cpu_index + 1 || env->vmx_root;
}

/* A page that not all lines were flushed of is as before, unless somebody has written to it */
static gboolean end_line_flush(gpointer key, gpointer value, gpointer opaque)
{
    uint64_t page = (uintptr_t)key;
    const struct line_flush *flush = value;
    const struct owned_range *range = opaque;

    if (page * PAGE - range->base >= range->size) {
        return false;
    }
    qatomic_cmpxchg(&tdx_page_written[page], 0, flush->written);
    return true;
}

static void judge_flush(hwaddr base, hwaddr size, const char *what)
{
    hwaddr pa, first, last;
    uint64_t pages;
    struct owned_range range = { base, size };
    CPUState *cs;

    g_hash_table_foreach_remove(check.line_flush, end_line_flush, &range);
    CPU_FOREACH(cs) {
        pages = 0;
        first = last = 0;
        for (pa = base; pa < base + size && have_page(pa); pa += PAGE) {
            uint32_t written = qatomic_read(&tdx_page_written[pa / PAGE]);

            if (written && cpu_concerned(cs, written)) {
                if (!pages++) {
                    first = pa;
                }
                last = pa;
            }
        }
        if (pages) {
            uint32_t writer = tdx_page_written[first / PAGE] & WRITER_DMA;
            g_autofree char *who = writer == WRITER_DMA ? g_strdup("DMA")
                                   : g_strdup_printf("CPU %u", writer - 1);

            finding("flush", cs->cpu_index, guest_rip(current_cpu, 0), first,
                    "%s [0x%" PRIx64 ", 0x%" PRIx64 ") went to the module, and this CPU has not "
                    "flushed its cache since %s wrote there (%" PRIu64 " pages, the last at 0x%"
                    PRIx64 ")", what, base, base + size, who, pages, last);
        }
    }
}

void helper_cache_flush(CPUX86State *env)
{
    CPUState *cs = env_cpu(env);
    struct cpu_check *c;

    if (!tdx_page_written) {
        return;
    }
    c = &check.cpu[cs->cpu_index];
    c->private_lines = false;
    qatomic_set(&tdx_cpu_flushed[cs->cpu_index], qatomic_add_fetch(&check.now, 1));
    tlb_flush(cs);      /* the next store to each page comes to tdx_page_store() */
}

/*
 * CLFLUSH, CLFLUSHOPT, CLWB: all caches of the machine lose or write back the
 * line, whichever CPU does it. From the first line of a page on, stores to the
 * page are seen; all of its lines have to be flushed after one.
 */
void helper_line_flush(CPUX86State *env, target_ulong va)
{
    CPUState *cs = env_cpu(env);
    CPUTLBEntryFull *full;
    struct line_flush *flush;
    uint32_t written;
    gpointer key;
    void *host;
    hwaddr pa;

    if (!tdx_page_written) {
        return;
    }
    if (probe_access_full(env, va, MMU_DATA_LOAD, cpu_mmu_index(env, false), true, &host, &full,
                          0) & TLB_INVALID_MASK) {
        return;         /* the instruction itself may raise #PF */
    }
    pa = (full->phys_addr & TARGET_PAGE_MASK) | (va & ~TARGET_PAGE_MASK);
    if (!have_page(pa)) {
        return;
    }
    QEMU_LOCK_GUARD(&check.lock);
    key = (gpointer)(uintptr_t)(pa / PAGE);
    flush = g_hash_table_lookup(check.line_flush, key);
    written = qatomic_read(&tdx_page_written[pa / PAGE]);
    if (written) {
        if (!flush) {
            flush = g_new(struct line_flush, 1);
            g_hash_table_insert(check.line_flush, key, flush);
        }
        flush->lines = 0;
        flush->written = written;
        qatomic_cmpxchg(&tdx_page_written[pa / PAGE], written, 0);
        watch(pa & -PAGE, PAGE);
    } else if (!flush) {
        return;
    }
    flush->lines |= 1ULL << (pa % PAGE / LINE);
    if (flush->lines == LINES_ALL) {
        g_hash_table_remove(check.line_flush, key);
    }
}

/* ---- what the module tells */

/* Whether the host had taken these is of no interest any more */
static void forget_taken(hwaddr pa, hwaddr size)
{
    unsigned int i = 0;

    while (i < check.taken->len) {
        if (g_array_index(check.taken, struct taken, i).pa - pa < size) {
            g_array_remove_index_fast(check.taken, i);
        } else {
            i++;
        }
    }
}

static void page_owner(void *opaque, uint64_t pa, uint64_t size, bool owned,
                       enum tdxm_page_kind kind)
{
    bool pamt = kind == TDXM_KIND_PAMT_4K || kind == TDXM_KIND_PAMT_2M || kind == TDXM_KIND_PAMT_1G;
    struct owned_range range = { pa, size };
    hwaddr page;

    QEMU_LOCK_GUARD(&check.lock);
    forget_taken(pa, size);
    if (owned && pamt) {
        g_array_append_val(check.pamts, range);
        check.pamts_flushed = false;
        set_state(pa, size, CONFIGURED);
        watch(pa, size);
    } else if (owned) {
        judge_flush(pa, size, kind == TDXM_KIND_TDR ? "TDR" : "TD page");
        set_state(pa, size, PRIVATE);
        watch(pa, size);
    } else {
        bool flush = false;

        for (page = pa; page < pa + size; page += PAGE) {
            enum page_state state = state_of(page);

            if (state == PRIVATE || state == PRIVATE_REPORTED) {
                set_state(page, PAGE, check.erratum ? UNCONVERTED : HOST);
                flush |= check.erratum;
            } else if (state == CONFIGURED || state == TAKEN) {
                set_state(page, PAGE, HOST);
            }
        }
        if (flush) {
            tlb_flush_all_cpus(current_cpu);
        }
    }
}

static bool any_private_lines(void)
{
    unsigned int i;

    for (i = 0; i < check.nr_cpus; i++) {
        if (qatomic_read(&check.cpu[i].private_lines)) {
            return true;
        }
    }
    return false;
}

/* The module goes on although the host has written to its memory */
static void judge_taken(void)
{
    unsigned int i;

    for (i = 0; i < check.taken->len; i++) {
        struct taken *t = &g_array_index(check.taken, struct taken, i);

        finding("host-write", t->cpu, t->rip, t->pa, "%s to a page of the module, which was then "
                "called again", t->cpu < 0 ? "DMA" : "a store");
        if (state_of(t->pa) == TAKEN) {
            set_state(t->pa, PAGE, PRIVATE_REPORTED);
        }
    }
    g_array_set_size(check.taken, 0);
}

static void pamts_written(void)
{
    unsigned int i;
    hwaddr pa;

    for (i = 0; i < check.pamts->len; i++) {
        struct owned_range *r = &g_array_index(check.pamts, struct owned_range, i);

        for (pa = r->base; pa < r->base + r->size; pa += PAGE) {
            if (state_of(pa) == CONFIGURED) {
                set_state(pa, PAGE, PRIVATE);
            }
        }
    }
}

/* Leaves after which the calling CPU's cache holds lines that the module wrote */
static bool writes_private_memory(uint64_t leaf)
{
    switch (leaf) {
    case 24 /* PHYMEM.PAGE.RDMD */:
    case 31 /* SYS.KEY.CONFIG */ ... 35 /* SYS.LP.INIT */:
    case 37 /* SYS.RDALL */:
    case 40 /* PHYMEM.CACHE.WB */:
    case 41 /* PHYMEM.PAGE.WBINVD */:
    case 44 /* SYS.LP.SHUTDOWN */:
    case 45 /* SYS.CONFIG */:
    case 52 /* SYS.SHUTDOWN */:
    case 53 /* SYS.UPDATE */:
        return false;
    default:
        return true;
    }
}

/* Leaves that are of no use without what the module has in the memory it was given */
static bool needs_private_memory(uint64_t leaf)
{
    return writes_private_memory(leaf) || leaf == 24 /* PHYMEM.PAGE.RDMD */ ||
           leaf == 31 /* SYS.KEY.CONFIG */ || leaf == 41 /* PHYMEM.PAGE.WBINVD */;
}

static void event(void *opaque, unsigned int lp, enum tdxm_event ev)
{
    injected |= ev == TDXM_EV_FAULT;
}

void tdx_check_begin(CPUX86State *env)
{
    uint64_t rax = env->regs[R_EAX];
    uint64_t reserved = rax & TDXM_SEAMLDR ? 0x7fffffffffff0000ULL : 0xffffffffff000000ULL;

    if (!tdx_page_written) {
        return;
    }
    if (rax & reserved) {
        finding("reserved-rax", tdx_lp(env), env->eip, NO_PA,
                "SEAMCALL with RAX 0x%" PRIx64 ", of which 0x%" PRIx64 " is reserved", rax,
                rax & reserved);
    }
    if (rax == 31 /* SYS.KEY.CONFIG */ && !qatomic_read(&check.pamts_flushed)) {
        QEMU_LOCK_GUARD(&check.lock);
        unsigned int i;

        for (i = 0; i < check.pamts->len; i++) {
            struct owned_range *r = &g_array_index(check.pamts, struct owned_range, i);

            judge_flush(r->base, r->size, "PAMT");
        }
        check.pamts_flushed = check.pamts->len;
    }
    in_module = true;
    injected = false;
}

void tdx_check_stranger(CPUX86State *env)
{
    if (tdx_page_written && !check.cpu[tdx_lp(env)].no_lp_init) {
        check.cpu[tdx_lp(env)].no_lp_init = true;
        finding("lp-init", tdx_lp(env), env->eip, NO_PA,
                "SEAMCALL on a CPU that was plugged in later, which the module does not know");
    }
}

void tdx_check_end(CPUX86State *env, uint64_t leaf, bool done)
{
    const uint64_t busy_class = 0x8000020000000000ULL;
    const uint64_t lp_init_not_done = 0x0000050200000000ULL;
    struct cpu_check *c;
    uint64_t status = env->regs[R_EAX];

    if (!tdx_page_written) {
        return;
    }
    in_module = false;
    c = &check.cpu[tdx_lp(env)];
    if (!done || (status & 0x8000ff0000000000ULL) != busy_class) {
        c->busy = 0;
    } else if (++c->busy == BUSY_LIMIT + 1) {
        const char *name = tdxm_leaf_name(leaf);

        finding("busy-storm", tdx_lp(env), env->eip, NO_PA,
                "more than %u \"busy\" answers in a row, now 0x%" PRIx64 " from leaf %" PRIu64
                " %s", BUSY_LIMIT, status, leaf, name ? name : "");
    }
    if (!done || injected || (leaf & TDXM_SEAMLDR)) {
        return;
    }
    if ((status & 0x0000ffff00000000ULL) == (lp_init_not_done & 0x0000ffff00000000ULL) &&
        status >> 63 && !c->no_lp_init) {
        c->no_lp_init = true;
        finding("lp-init", tdx_lp(env), env->eip, NO_PA,
                "leaf %" PRIu64 " on an LP that TDH.SYS.LP.INIT was never run on", leaf);
    }
    if (status >> 63) {
        return;
    }
    /* It says so if it has written nothing back, and that is no error */
    if (leaf == 40 /* PHYMEM.CACHE.WB */ && !status) {
        unsigned int lps = check.platform->lps / check.platform->packages;
        unsigned int i, first = tdx_lp(env) / lps * lps;

        for (i = first; i < first + lps; i++) {
            qatomic_set(&check.cpu[i].private_lines, false);
        }
    }
    if (needs_private_memory(leaf)) {
        QEMU_LOCK_GUARD(&check.lock);

        if (check.taken->len) {
            judge_taken();
        }
        if (leaf == 36 /* SYS.TDMR.INIT */ && !c->private_lines) {
            pamts_written();
        }
    }
    if (writes_private_memory(leaf)) {
        qatomic_set(&c->private_lines, true);
    }
}

/* ---- stores, DMA, loads */

static uint64_t *lines_of(hwaddr pa)
{
    gpointer key = (gpointer)(uintptr_t)(pa / PAGE);
    uint64_t *lines = g_hash_table_lookup(check.converted, key);

    if (!lines) {
        lines = g_new0(uint64_t, 1);
        g_hash_table_insert(check.converted, key, lines);
    }
    return lines;
}

static void report_unconverted(hwaddr pa, int cpu, uint64_t rip, const char *what)
{
    if (g_hash_table_add(check.unconverted_reported, (gpointer)(uintptr_t)(pa / PAGE))) {
        finding("conversion", cpu, rip, pa, "%s a page that was the module's, before MOVDIR64B had "
                "gone over it", what);
    }
}

/* Erratum: the page is the host's again when all of its lines have been written by MOVDIR64B */
static void convert_line(hwaddr pa)
{
    uint64_t *lines = lines_of(pa);

    *lines |= 1ULL << (pa % PAGE / LINE);
    if (*lines == LINES_ALL) {
        set_state(pa & -PAGE, PAGE, HOST);
    }
}

static void flush_tlb_later(CPUState *cs, run_on_cpu_data unused)
{
    tlb_flush(cs);
}

/* Nobody's cache holds lines of the module: the host takes the whole range with this page */
static void take_back(hwaddr pa)
{
    unsigned int i;
    hwaddr p, base = pa & -PAGE, size = PAGE;
    CPUState *cs;

    for (i = 0; i < check.pamts->len; i++) {
        struct owned_range *r = &g_array_index(check.pamts, struct owned_range, i);

        if (pa - r->base < r->size) {
            base = r->base;
            size = r->size;
        }
    }
    for (p = base; p < base + size; p += PAGE) {
        if (state_of(p) == PRIVATE || state_of(p) == PRIVATE_REPORTED) {
            set_state(p, PAGE, UNCONVERTED);
        }
    }
    /* Loads have to come here; but this CPU is about to use a translation */
    CPU_FOREACH(cs) {
        async_run_on_cpu(cs, flush_tlb_later, RUN_ON_CPU_NULL);
    }
}

static void store_to_module(hwaddr pa, int cpu, uint64_t rip, bool movdir64b)
{
    const char *what = cpu < 0 ? "DMA to" : "a store to";
    struct taken taken = { pa, cpu, rip };

    QEMU_LOCK_GUARD(&check.lock);
    switch (state_of(pa)) {
    case PRIVATE:
        if (any_private_lines()) {
            finding("host-write", cpu, rip, pa, "%s a page of the module", what);
            set_state(pa & -PAGE, PAGE, PRIVATE_REPORTED);
        } else if (check.erratum) {
            g_array_append_val(check.taken, taken);
            take_back(pa);
            if (movdir64b) {
                convert_line(pa);
            } else {
                report_unconverted(pa, cpu, rip, what);
            }
        } else {
            g_array_append_val(check.taken, taken);
            set_state(pa & -PAGE, PAGE, TAKEN);
        }
        break;
    case CONFIGURED:
        g_array_append_val(check.taken, taken);
        set_state(pa & -PAGE, PAGE, TAKEN);
        break;
    case UNCONVERTED:
        if (movdir64b) {
            convert_line(pa);
        } else {
            report_unconverted(pa, cpu, rip, what);
        }
        break;
    case HOST:
    case TAKEN:
    case PRIVATE_REPORTED:
        break;
    }
}

static void note_written(hwaddr pa, unsigned int writer)
{
    uint32_t now = MIN(qatomic_read(&check.now), UINT32_MAX >> TDX_WRITER_BITS);

    qatomic_set(&tdx_page_written[pa / PAGE], now << TDX_WRITER_BITS | writer);
}

void tdx_page_store_slow(CPUState *cs, vaddr va, hwaddr pa, unsigned int size, uintptr_t ra)
{
    enum page_state state;

    if (!have_page(pa)) {
        return;
    }
    note_written(pa, cs->cpu_index + 1);
    state = state_of(pa);
    if (unlikely(state != HOST && state != TAKEN)) {
        bool movdir64b = movdir64b_line == (va & -(vaddr)LINE) && movdir64b_ra == ra;

        store_to_module(pa, cs->cpu_index, guest_rip(cs, ra), movdir64b);
    }
}

void tdx_check_movdir64b(vaddr dst, uintptr_t ra)
{
    movdir64b_line = dst;
    movdir64b_ra = ra;
}

/* Physical address of an offset into a RAM region; NO_PA: not the machine's memory */
static hwaddr region_pa(MemoryRegion *mr, hwaddr offset)
{
    MachineState *ms = MACHINE(qdev_get_machine());
    X86MachineState *x86ms = X86_MACHINE(ms);

    if (mr->container == ms->ram) {     /* of a node */
        offset += mr->addr;
        mr = ms->ram;
    }
    if (mr == ms->ram) {
        return offset < x86ms->below_4g_mem_size ? offset
               : offset - x86ms->below_4g_mem_size + x86ms->above_4g_mem_start;
    }
    if (ms->device_memory && mr->container == &ms->device_memory->mr) {
        return ms->device_memory->base + mr->addr + offset;
    }
    return NO_PA;
}

void tdx_dma_write_slow(MemoryRegion *mr, hwaddr offset, hwaddr len)
{
    hwaddr pa = in_module ? NO_PA : region_pa(mr, offset);
    hwaddr page;

    if (pa == NO_PA || !len) {
        return;
    }
    for (page = pa & -PAGE; page < pa + len && have_page(page); page += PAGE) {
        enum page_state state = state_of(page);

        note_written(page, WRITER_DMA);
        if (unlikely(state != HOST && state != TAKEN)) {
            store_to_module(MAX(page, pa), -1, NO_RIP, false);
        }
    }
}

/* The machine check of a poisoned line: data load, recoverable; the other CPUs get it too */
#define MC_BANK         1
#define MC_DATA_LOAD    0x134
#define MC_MEMORY_READ  0x9f            /* of a memory controller */
#define MC_PA_LSB_6     0x86

static void machine_check_elsewhere(CPUState *cs, run_on_cpu_data unused)
{
    CPUX86State *env = cs->env_ptr;

    if ((env->cr[4] & CR4_MCE_MASK) && !(env->mcg_status & MCG_STATUS_MCIP)) {
        env->mcg_status = MCG_STATUS_MCIP | MCG_STATUS_RIPV;
        cpu_interrupt(cs, CPU_INTERRUPT_MCE);
    }
}

static G_NORETURN void machine_check(CPUState *cs, hwaddr pa, uintptr_t ra)
{
    CPUX86State *env = cs->env_ptr;
    uint64_t *bank = env->mce_banks + 4 * MC_BANK;
    CPUState *other;

    if (!(env->cr[4] & CR4_MCE_MASK) || (env->mcg_status & MCG_STATUS_MCIP)) {
        error_report("tdx-platform: CPU %d: machine check while machine checks are %s: the "
                     "machine is reset", cs->cpu_index,
                     env->cr[4] & CR4_MCE_MASK ? "handled" : "off");
        qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
        cs->halted = 1;
        cs->exception_index = EXCP_HLT;
        cpu_loop_exit_restore(cs, ra);
    }
    bank[1] = MCI_STATUS_VAL | MCI_STATUS_UC | MCI_STATUS_EN | MCI_STATUS_MISCV |
              MCI_STATUS_ADDRV | MCI_STATUS_S | MCI_STATUS_AR | MC_DATA_LOAD;
    bank[2] = pa & -(hwaddr)LINE;
    bank[3] = MC_PA_LSB_6;
    env->mcg_status = MCG_STATUS_MCIP | MCG_STATUS_RIPV | MCG_STATUS_EIPV;
    CPU_FOREACH(other) {
        if (other != cs) {
            async_run_on_cpu(other, machine_check_elsewhere, RUN_ON_CPU_NULL);
        }
    }
    raise_exception_ra(env, EXCP12_MCHK, ra);
}

/* All vCPUs are stopped. An error that the memory controller has corrected, for whoever looks */
void tdx_check_corrected(hwaddr pa)
{
    CPUX86State *env = first_cpu->env_ptr;
    uint64_t *bank = env->mce_banks + 4 * MC_BANK;

    bank[1] = MCI_STATUS_VAL | MCI_STATUS_EN | MCI_STATUS_MISCV | MCI_STATUS_ADDRV |
              MC_MEMORY_READ;
    bank[2] = pa & -(hwaddr)LINE;
    bank[3] = MC_PA_LSB_6;
}

/* All vCPUs are stopped. Each load of this line raises #MC from now on; false: not memory. */
bool tdx_check_poison(hwaddr pa)
{
    CPUState *cs;

    if (!tdx_page_written || !have_page(pa)) {
        return false;
    }
    g_hash_table_add(check.poisoned, (gpointer)(uintptr_t)(pa / LINE));
    qatomic_or(&tdx_page_state[pa / PAGE], POISONED);
    CPU_FOREACH(cs) {
        tlb_flush(cs);
    }
    return true;
}

bool tdx_page_access_slow(CPUState *cs, hwaddr pa, bool store, bool probe, uintptr_t ra)
{
    bool poisoned = qatomic_read(&tdx_page_state[pa / PAGE]) & POISONED;
    bool converted;

    if (state_of(pa) != UNCONVERTED && !poisoned) {
        return false;
    }
    if (store || probe) {
        return true;    /* a store is judged when it is made */
    }
    if (poisoned && g_hash_table_contains(check.poisoned, (gpointer)(uintptr_t)(pa / LINE))) {
        machine_check(cs, pa, ra);
    }
    if (state_of(pa) != UNCONVERTED) {
        return true;
    }
    WITH_QEMU_LOCK_GUARD(&check.lock) {
        converted = *lines_of(pa) >> (pa % PAGE / LINE) & 1;
        if (!converted) {
            report_unconverted(pa, cs->cpu_index, guest_rip(cs, ra), "a load from");
        }
    }
    if (!converted) {
        machine_check(cs, pa, ra);
    }
    return true;
}

/* ---- private lines */

static void judge_private_lines(CPUState *cs, uint64_t rip, const char *event)
{
    struct cpu_check *c = &check.cpu[cs->cpu_index];

    if (c->private_lines) {
        finding("private-lines", cs->cpu_index, rip, NO_PA,
                "%s, and this CPU's cache holds lines that the module wrote: WBINVD is missing",
                event);
        c->private_lines = false;
    }
}

void tdx_check_init(CPUState *cs)
{
    if (tdx_page_written) {
        judge_private_lines(cs, ((CPUX86State *)cs->env_ptr)->eip, "INIT");
    }
}

/* No rule of the module's, but without a line nobody would know why the machine is reset. */
void tdx_check_triple_fault(CPUState *cs, int exception, uintptr_t ra)
{
    CPUX86State *env = cs->env_ptr;
    uint64_t rip = guest_rip(cs, ra);
    g_autofree char *name = NULL;

    if (tdx_platform) {
        name = tdx_symbol(tdx_platform->vmlinux, rip);
        error_report("tdx-platform: CPU %d, RIP 0x%" PRIx64 " (%s): triple fault, by exception %d, "
                     "CR2 0x%" PRIx64 ": the machine is reset", cs->cpu_index, rip,
                     name ? name : "?", exception, (uint64_t)env->cr[2]);
    }
}

/*
 * LIDT while the IDT has no entries: a kernel that has just been jumped to
 * sets itself up (kexec leaves it an empty IDT). It knows nothing of the
 * module, and takes all memory for its own.
 */
void helper_lidt_begin(CPUX86State *env)
{
    if (tdx_page_written && env->idt.limit == 0) {
        judge_private_lines(env_cpu(env), env->eip, "a new kernel was started");
    }
}

/*
 * All vCPUs are stopped. A new module takes the place of the old one: its pages
 * are the host's from now on, those that the host has still to convert remain
 * so. What the caches hold stays as it is.
 */
void tdx_check_module_reset(void)
{
    CPUState *cs;
    hwaddr pa;

    if (!tdx_page_written) {
        return;
    }
    tdx_check_reset("the module was reset");
    for (pa = 0; have_page(pa); pa += PAGE) {
        if (state_of(pa) != UNCONVERTED && state_of(pa) != HOST) {
            set_state(pa, PAGE, HOST);
        }
    }
    g_array_set_size(check.pamts, 0);
    g_array_set_size(check.taken, 0);
    check.pamts_flushed = false;
    CPU_FOREACH(cs) {
        check.cpu[cs->cpu_index].busy = 0;
        check.cpu[cs->cpu_index].no_lp_init = false;
    }
}

/* Pages that the host cannot use */
uint64_t tdx_check_module_pages(void)
{
    uint64_t i, nr = 0;

    for (i = 0; i < tdx_nr_pages; i++) {
        enum page_state state = state_of(i * PAGE);

        nr += state != HOST && state != TAKEN;
    }
    return nr;
}

void tdx_check_reset(const char *event)
{
    CPUState *cs;

    if (tdx_page_written) {
        CPU_FOREACH(cs) {
            judge_private_lines(cs, NO_RIP, event);
        }
    }
}

static void shutdown_requested(Notifier *notifier, void *data)
{
    ShutdownCause cause = *(ShutdownCause *)data;

    if (shutdown_caused_by_guest(cause)) {
        tdx_check_reset(cause == SHUTDOWN_CAUSE_GUEST_SHUTDOWN ? "power-off" : "reset");
    }
}

/* ---- begin and end */

static void *map_zero(uint64_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);

    if (p == MAP_FAILED) {
        error_report("tdx-platform: no address space for the checker: %s", strerror(errno));
        exit(1);
    }
    return p;
}

/* All vCPUs are stopped; nothing of what was is of interest to the next boot */
void tdx_check_clear(void)
{
    if (!tdx_page_written) {
        return;
    }
    madvise(tdx_page_written, tdx_nr_pages * sizeof(*tdx_page_written), MADV_DONTNEED);
    madvise(tdx_page_state, tdx_nr_pages, MADV_DONTNEED);
    memset(check.cpu, 0, check.nr_cpus * sizeof(*check.cpu));
    memset(tdx_cpu_flushed, 0, check.nr_cpus * sizeof(*tdx_cpu_flushed));
    check.now = 0;
    g_array_set_size(check.pamts, 0);
    g_array_set_size(check.taken, 0);
    g_hash_table_remove_all(check.line_flush);
    g_hash_table_remove_all(check.converted);
    g_hash_table_remove_all(check.unconverted_reported);
    g_hash_table_remove_all(check.poisoned);
    check.pamts_flushed = false;
}

void tdx_check_start(TdxPlatform *tdx, Error **errp)
{
    uint64_t top = 0;
    unsigned int i;

    if (tdx->findings_file && !tdx->machine->checker) {
        error_setg(errp, "%s: \"checker\" is false, so nobody would find anything: leave findings= out",
                   tdx->config);
        return;
    }
    if (tdx->findings_file) {
        check.file = fopen(tdx->findings_file, "w");
        if (!check.file) {
            error_setg_file_open(errp, errno, tdx->findings_file);
            return;
        }
    }
    if (!tdx->machine->checker) {
        return;
    }
    for (i = 0; i < tdx->machine->nr_memory; i++) {
        top = MAX(top, tdx->machine->memory[i].base + tdx->machine->memory[i].size);
    }
    qemu_mutex_init(&check.lock);
    check.nr_cpus = TDX_MAX_CPUS(tdx->machine->platform.lps);
    check.cpu = g_new0(struct cpu_check, check.nr_cpus);
    check.pamts = g_array_new(false, false, sizeof(struct owned_range));
    check.taken = g_array_new(false, false, sizeof(struct taken));
    check.line_flush = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    check.converted = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    check.unconverted_reported = g_hash_table_new(NULL, NULL);
    check.poisoned = g_hash_table_new(NULL, NULL);
    check.platform = &tdx->machine->platform;
    check.erratum = tdx->machine->erratum_partial_write;
    check.shutdown.notify = shutdown_requested;
    qemu_register_shutdown_notifier(&check.shutdown);

    tdx_cpu_flushed = g_new0(uint32_t, check.nr_cpus);
    tdx_nr_pages = DIV_ROUND_UP(top, PAGE);
    tdx_page_state = map_zero(tdx_nr_pages);
    tdx_page_written = map_zero(tdx_nr_pages * sizeof(*tdx_page_written));
    tdx_seam_ops.page_owner = page_owner;
    tdx_seam_ops.event = event;
}
