/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host-rule checker: what code that runs outside the TDX module does to
 * the module's memory. Hooks of QEMU's memory and CPU code, and what the
 * files of this folder tell it.
 */
#ifndef TARGET_I386_TDX_CHECK_H
#define TARGET_I386_TDX_CHECK_H

#include "exec/hwaddr.h"
#include "hw/core/cpu.h"

#if defined(TARGET_X86_64) && defined(CONFIG_TCG) && !defined(CONFIG_USER_ONLY)

/*
 * One entry for each 4 KiB page of physical memory. NULL: no checker.
 * written: when (cache flushes counted over all CPUs) and by whom a page was
 * last written; 0 for never. state: enum in check.c; 0 for the host's own.
 */
extern uint32_t *tdx_page_written;
extern uint8_t *tdx_page_state;
extern uint64_t tdx_nr_pages;
extern uint32_t *tdx_cpu_flushed;       /* by CPU: when it last flushed its cache */

#define TDX_WRITER_BITS 10              /* of tdx_page_written */

/* A store of this CPU to this page has to be seen by tdx_page_store() */
static inline bool tdx_page_watched(CPUState *cpu, hwaddr pa)
{
    uint64_t page = pa >> 12;
    uint32_t written;

    if (likely(!tdx_page_written) || page >= tdx_nr_pages) {
        return false;
    }
    written = qatomic_read(&tdx_page_written[page]);
    return qatomic_read(&tdx_page_state[page]) || !written ||
           (written >> TDX_WRITER_BITS) < qatomic_read(&tdx_cpu_flushed[cpu->cpu_index]);
}

void tdx_page_store_slow(CPUState *cpu, vaddr va, hwaddr pa, unsigned int size, uintptr_t ra);

/* A store to a page for which QEMU has taken the slow way */
static inline void tdx_page_store(CPUState *cpu, vaddr va, hwaddr pa, unsigned int size,
                                  uintptr_t ra)
{
    if (unlikely(tdx_page_written)) {
        tdx_page_store_slow(cpu, va, pa, size, ra);
    }
}

void tdx_dma_write_slow(MemoryRegion *mr, hwaddr offset, hwaddr len);

/* A write that is not a CPU's store */
static inline void tdx_dma_write(MemoryRegion *mr, hwaddr offset, hwaddr len)
{
    if (unlikely(tdx_page_written)) {
        tdx_dma_write_slow(mr, offset, len);
    }
}

bool tdx_page_access_slow(CPUState *cpu, hwaddr pa, bool store, bool probe, uintptr_t ra);

/*
 * A translation is about to enter the TLB for an access to pa. True: it must
 * not stay there, each access to the page has to come here. May raise #MC.
 */
static inline bool tdx_page_access(CPUState *cpu, hwaddr pa, bool store, bool probe, uintptr_t ra)
{
    if (likely(!tdx_page_written) || (pa >> 12) >= tdx_nr_pages ||
        likely(!qatomic_read(&tdx_page_state[pa >> 12]))) {
        return false;
    }
    return tdx_page_access_slow(cpu, pa, store, probe, ra);
}

/* A CPU takes an INIT */
void tdx_check_init(CPUState *cpu);

/* A CPU cannot deliver @exception, nor a double fault for it: the machine is reset */
void tdx_check_triple_fault(CPUState *cpu, int exception, uintptr_t ra);

#else

static inline bool tdx_page_watched(CPUState *cpu, hwaddr pa)
{
    return false;
}

static inline void tdx_page_store(CPUState *cpu, vaddr va, hwaddr pa, unsigned int size,
                                  uintptr_t ra)
{
}

static inline void tdx_dma_write(MemoryRegion *mr, hwaddr offset, hwaddr len)
{
}

static inline bool tdx_page_access(CPUState *cpu, hwaddr pa, bool store, bool probe, uintptr_t ra)
{
    return false;
}

static inline void tdx_check_init(CPUState *cpu)
{
}

static inline void tdx_check_triple_fault(CPUState *cpu, int exception, uintptr_t ra)
{
}

#endif
#endif
