// SPDX-License-Identifier: GPL-2.0
/*
 * PAMT: the physical address metadata tables, the module's own memory.
 *
 * Each TDMR has three, for 4 KiB, 2 MiB and 1 GiB pages, contiguous, convertible,
 * and in no usable part of a TDMR. Where they should be is the planner's
 * business, see tdmr_place.c; here is the allocator that it tries places with.
 */
#define pr_fmt(fmt) "tdx: " fmt

#include <linux/align.h>
#include <linux/cpufeature.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/limits.h>
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/pfn.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include <asm/special_insns.h>

#include "observe.h"
#include "tdx.h"
#include "test.h"

/* What a 64-byte direct store writes */
#define TDX_CACHELINE	64

/* Bytes of PAMT memory that are allocated now. */
static u64 tdx_pamt_allocated;

/*
 * Cheap checks before pages are moved away: most places fail here. Returns 0, or
 * the end of the highest thing that is in the way.
 */
static u64 tdx_pamt_obstacle(unsigned long start, unsigned long end, int nid)
{
	struct page *page = pfn_to_online_page(start);
	unsigned long pfn = end;
	bool movable = false;
	struct zone *zone;

	/* Memory is online or offline by sections: a long way, page by page. */
	if (!page)
		return PFN_PHYS(ALIGN(start + 1, PAGES_PER_SECTION));

	zone = page_zone(page);
	/* A PAMT stays for good, which is not what movable memory is for. */
	if (zone_to_nid(zone) != nid || zone_idx(zone) > ZONE_NORMAL)
		return PFN_PHYS(min(end, zone_end_pfn(zone)));

	while (pfn-- > start) {
		page = pfn_to_online_page(pfn);
		if (!page || page_zone(page) != zone || PageReserved(page) ||
		    PageHuge(page))
			return PFN_PHYS(pfn + 1);

		if (pfn + 1 == end || IS_ALIGNED(pfn + 1, pageblock_nr_pages))
			movable = get_pageblock_migratetype(page) == MIGRATE_MOVABLE;
		/* Neither free nor what could be moved away */
		if (!movable && page_count(page) && !PageLRU(page))
			return PFN_PHYS(ALIGN(pfn + 1, pageblock_nr_pages));
	}

	return 0;
}

/* 0, or where to try next, see struct tdmr_pamt_ops */
static u64 tdx_pamt_take(void *ctx, u64 start, u64 end, int nid)
{
	u64 next;

	if (tdx_test() && tdx_test()->pamt_fails())
		return end;

	/* A long search can be given up. */
	if (fatal_signal_pending(current))
		return U64_MAX;

	cond_resched();
	next = tdx_pamt_obstacle(PHYS_PFN(start), PHYS_PFN(end), nid);
	if (next)
		return next;

	/*
	 * Not zeroed: the module initialises it. What cannot be moved away is
	 * not told: go on by a part of the size, large pieces take long to try.
	 */
	if (alloc_contig_range(PHYS_PFN(start), PHYS_PFN(end), MIGRATE_MOVABLE,
			       GFP_KERNEL | __GFP_NOWARN))
		return start + max_t(u64, ALIGN((end - start) / 16, PAGE_SIZE),
				     SZ_4M);

	tdx_pamt_allocated += end - start;
	return 0;
}

static void tdx_pamt_give(void *ctx, u64 start, u64 end)
{
	tdx_pamt_allocated -= end - start;
	free_contig_range(PHYS_PFN(start), PHYS_PFN(end - start));
}

static const struct tdmr_pamt_ops tdx_pamt_ops = {
	.take = tdx_pamt_take,
	.give = tdx_pamt_give,
};

/**
 * tdx_pamt_alloc() - allocate the PAMTs of all TDMRs
 * @plan: a layout; more TDMRs afterwards if memory comes only in small pieces
 *
 * Context: Process context. Memory hotplug held off.
 * Return: 0, or -ENOMEM, with a message and nothing allocated.
 */
int tdx_pamt_alloc(struct tdmr_plan *plan)
{
	const struct tdmr_error *error = &plan->error;
	int ret;

	ret = tdmr_plan_place(plan, &tdx_pamt_ops, NULL);
	if (ret)
		tdx_err("no PAMT for [0x%llx, 0x%llx): %s; %llu KiB are needed: free memory, or do this earlier after boot, and try again\n",
			error->range.start, error->range.end, error->why,
			error->need >> 10);

	return ret;
}

/**
 * tdx_pamt_free() - give all PAMT memory back to the kernel
 * @plan: TDMRs, without PAMTs afterwards
 *
 * The module must not have written to it, or tdx_pamt_clean() was called.
 */
void tdx_pamt_free(struct tdmr_plan *plan)
{
	struct tdmr *tdmr;
	unsigned int i;
	u64 base;

	for (i = 0; i < plan->nr_tdmrs; i++) {
		tdmr = &plan->tdmrs[i];
		base = tdmr->pamt_base[TDX_PS_4K];
		if (!base)
			continue;
		tdx_pamt_give(NULL, base, base + tdmr_pamt_total(tdmr));
		memset(tdmr->pamt_base, 0, sizeof(tdmr->pamt_base));
	}
}

/* Write whole lines, past the cache: partial ones would be poisoned. */
static void tdx_clear_private(u64 base, u64 bytes)
{
	const u8 *zero = page_address(ZERO_PAGE(0));
	u64 pa;

	for (pa = base; pa < base + bytes; pa += TDX_CACHELINE)
		movdir64b((void __iomem *)__va(pa), zero);
	/* Direct stores are weakly ordered. */
	mb();
}

/**
 * tdx_pamt_clean() - make PAMT memory ordinary memory again
 * @plan: TDMRs with PAMTs that the module has written to with its own KeyID
 *
 * CPUs with the partial write erratum turn a write of less than a line to
 * private memory into a machine check when the line is read later; direct
 * stores of whole lines convert it.
 *
 * Context: Caches have been written back on all CPUs, and nobody makes
 *	    SEAMCALLs. May be called with interrupts off, just before kexec.
 */
void tdx_pamt_clean(const struct tdmr_plan *plan)
{
	unsigned int i;

	if (!boot_cpu_has_bug(X86_BUG_TDX_PW_MCE) ||
	    !boot_cpu_has(X86_FEATURE_MOVDIR64B))
		return;

	for (i = 0; i < plan->nr_tdmrs; i++) {
		tdx_clear_private(plan->tdmrs[i].pamt_base[TDX_PS_4K],
				  tdmr_pamt_total(&plan->tdmrs[i]));
	}
}

/**
 * tdx_pamt_held() - memory that PAMTs take
 *
 * Return: bytes.
 */
u64 tdx_pamt_held(void)
{
	return tdx_pamt_allocated;
}
