// SPDX-License-Identifier: GPL-2.0
/*
 * PAMT: the physical address metadata tables, the module's own memory.
 *
 * Each TDMR has three, for 4 KiB, 2 MiB and 1 GiB pages, each contiguous, convertible,
 * and in no usable part of a TDMR. Where they should be is the planner's
 * business, see tdmr_place.c; here is the allocator that it tries places with.
 */
#define pr_fmt(fmt) "tdx: " fmt

#include <linux/align.h>
#include <linux/compiler.h>
#include <linux/cpufeature.h>
#include <linux/errno.h>
#include <linux/fault-inject.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/irqflags.h>
#include <linux/limits.h>
#include <linux/memory_hotplug.h>
#include <linux/migrate.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page-isolation.h>
#include <linux/pfn.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/swap.h>

#include <asm/special_insns.h>

#include "observe.h"
#include "tdx.h"
#include "test.h"

/* Bytes of PAMTs that are freed without scheduling between */
#define TDX_GIVE_AT_ONCE	SZ_64M

/* What a 64-byte direct store writes */
#define TDX_CACHELINE	64

/* Bytes of PAMT memory that are allocated now. Read without a lock. */
static u64 tdx_pamt_allocated;

/*
 * Pages are looked at without a reference, while others use, free and allocate them:
 * what is seen may be untrue, then a place is left out, or alloc_contig_range() fails.
 * What the kernel's helpers read in a plain way is marked as a guess.
 */
static bool tdx_page_moves(struct page *page)
{
	/* A guess */
	return PageLRU(page) || data_race(__PageMovable(compound_head(page)));
}

/* Neither free, nor what alloc_contig_range() could move away? */
static bool tdx_page_stays(struct page *page)
{
	/* A guess */
	if (PageReserved(page) || data_race(PageHuge(page)))
		return true;
	if (!page_count(page))
		return false;

	return !tdx_page_moves(page) || page_maybe_dma_pinned(page);
}

/* In use? Pages after the first one of a block allocated as one look free. */
static bool tdx_page_used(struct page *page)
{
	return page_count(compound_head(page));
}

/* Blocks of pages that are not for us, whatever is in them */
static bool tdx_block_is_taken(struct page *page)
{
	int type = get_pageblock_migratetype(page);

	return is_migrate_cma(type) || is_migrate_isolate(type);
}

/*
 * Is what ends at @end, and does not begin before @start, one of the allocator's
 * largest free blocks? Nobody keeps it from being allocated at this moment.
 */
static bool tdx_block_is_free(unsigned long start, unsigned long end)
{
	struct page *page;

	if (!IS_ALIGNED(end, MAX_ORDER_NR_PAGES) || end - start < MAX_ORDER_NR_PAGES)
		return false;

	page = pfn_to_online_page(end - MAX_ORDER_NR_PAGES);

	/* A guess */
	return page && data_race(PageBuddy(page)) &&
	       READ_ONCE(page->private) == MAX_ORDER - 1;
}

/*
 * alloc_contig_range() isolates whole pageblocks. A page beside the place that
 * stays is in the way, too, if it is in the block of the first or the last page.
 */
static bool tdx_page_keeps_block(unsigned long pfn)
{
	struct page *page = pfn_to_online_page(pfn);

	if (!page)
		return false;

	return PageReserved(page) || (page_count(page) && !tdx_page_moves(page));
}

/*
 * Is the first page in the middle of a larger one that is in use (a huge page, a
 * large folio)? alloc_contig_range() moves such a one only if it begins in the
 * place, and would move all the rest before it gives up. Returns where that page
 * ends, or 0.
 */
static unsigned long tdx_page_reaches_in(unsigned long start)
{
	struct page *page = pfn_to_page(start);
	struct page *head = compound_head(page);

	if (page == head || !page_count(head))
		return 0;

	/* A guess: it may be gone by now. */
	return max(page_to_pfn(head) + data_race(compound_nr(head)), start + 1);
}

/*
 * Cheap checks before pages are moved away: most places fail here. Returns 0, or
 * where to go on: behind the highest thing that is in the way. Every page is
 * looked at twice at most, if the next place tried begins there, and those of the
 * blocks at both ends.
 */
static u64 tdx_pamt_obstacle(unsigned long start, unsigned long end, int nid,
			     bool move)
{
	struct page *page = pfn_to_online_page(start);
	unsigned long pfn, nr;
	struct zone *zone;

	/* Memory is online or offline by sections: a long way, page by page. */
	if (!page)
		return PFN_PHYS(ALIGN(start + 1, PAGES_PER_SECTION));

	zone = page_zone(page);
	/* A PAMT stays for good, which is not what movable memory is for. */
	if (zone_to_nid(zone) != nid || zone_idx(zone) > ZONE_NORMAL)
		return PFN_PHYS(min(end, zone_end_pfn(zone)));

	for (pfn = pageblock_align(end); pfn-- > end; ) {
		if (tdx_page_keeps_block(pfn))
			return PFN_PHYS(pfn + 1);
	}

	for (pfn = end; pfn > start; pfn -= nr) {
		page = pfn_to_online_page(pfn - 1);
		if (!page || page_zone(page) != zone)
			return PFN_PHYS(pfn);
		if (tdx_page_stays(page) || (!move && tdx_page_used(page)))
			return PFN_PHYS(pfn);

		if ((pfn == end || IS_ALIGNED(pfn, pageblock_nr_pages)) &&
		    tdx_block_is_taken(page))
			return PFN_PHYS(pfn);

		nr = tdx_block_is_free(start, pfn) ? MAX_ORDER_NR_PAGES : 1;
	}

	for (pfn = start; pfn-- > pageblock_start_pfn(start); ) {
		if (tdx_page_keeps_block(pfn))
			return PFN_PHYS(pageblock_align(start));
	}

	return PFN_PHYS(tdx_page_reaches_in(start));
}

/*
 * Where to go on after alloc_contig_range() has failed with @err. It moves pages
 * away from low addresses to high ones, so what it could not move is the lowest
 * page that is still in use: no place with that page is worth a try. If there is
 * no memory to move pages to, no place with any page in use is.
 */
static u64 tdx_pamt_behind(unsigned long start, unsigned long end, int nid,
			   bool move, int err)
{
	u64 obstacle = tdx_pamt_obstacle(start, end, nid, move);
	unsigned long pfn, next = start + 1;

	if (obstacle)
		return obstacle;

	for (pfn = start; pfn < end; pfn++) {
		if (is_free_buddy_page(pfn_to_page(pfn)))
			continue;
		next = pfn + 1;
		if (err != -ENOMEM)
			break;
	}

	/* Pages of a block that was allocated as one have no count of their own. */
	while (!IS_ALIGNED(next, MAX_ORDER_NR_PAGES) && !page_count(pfn_to_page(next)) &&
	       !is_free_buddy_page(pfn_to_page(next)))
		next++;

	return PFN_PHYS(next);
}

#if defined(CONFIG_INTEL_TDX_HOST_RESET) && defined(CONFIG_FAULT_INJECTION_DEBUG_FS)
/* alloc_contig_range() has no fault injection of its own. */
static DECLARE_FAULT_ATTR(tdx_fail_contig);

static bool tdx_contig_fails(u64 bytes)
{
	return should_fail(&tdx_fail_contig, bytes);
}

static int __init tdx_fail_contig_init(void)
{
	fault_create_debugfs_attr("fail_tdx_contig", NULL, &tdx_fail_contig);
	return 0;
}
late_initcall(tdx_fail_contig_init);
#else
static bool tdx_contig_fails(u64 bytes)
{
	return false;
}
#endif

/* 0, or where to try next, see struct tdmr_pamt_ops */
static u64 tdx_pamt_take(void *ctx, u64 start, u64 end, int nid, bool move)
{
	u64 next;
	int err;

	if ((tdx_test() && tdx_test()->pamt_fails()) || tdx_contig_fails(end - start))
		return end;

	/* A long search can be given up. */
	if (fatal_signal_pending(current))
		return U64_MAX;

	cond_resched();
	next = tdx_pamt_obstacle(PHYS_PFN(start), PHYS_PFN(end), nid, move);
	if (next)
		return next;

	/* The module initialises it: not zeroed, if init_on_alloc= does not want it. */
	err = alloc_contig_range(PHYS_PFN(start), PHYS_PFN(end), MIGRATE_MOVABLE,
				 GFP_KERNEL | __GFP_NOWARN);
	if (err)
		return tdx_pamt_behind(PHYS_PFN(start), PHYS_PFN(end), nid, move,
				       err);

	WRITE_ONCE(tdx_pamt_allocated, tdx_pamt_allocated + (end - start));
	return 0;
}

static void tdx_pamt_give(void *ctx, u64 start, u64 end)
{
	u64 next;

	WRITE_ONCE(tdx_pamt_allocated, tdx_pamt_allocated - (end - start));
	for (; start < end; start = next) {
		next = min(end, start + TDX_GIVE_AT_ONCE);
		free_contig_range(PHYS_PFN(start), PHYS_PFN(next - start));
		cond_resched();
	}
}

static const struct tdmr_pamt_ops tdx_pamt_ops = {
	.take = tdx_pamt_take,
	.give = tdx_pamt_give,
};

/**
 * tdx_pamt_alloc() - allocate the PAMTs of all TDMRs
 * @plan: a layout with scratch memory; more TDMRs afterwards if memory comes
 *	  only in small pieces
 *
 * Context: Process context. Memory hotplug held off.
 * Return: 0; -ENOMEM, or -EAGAIN if the caller is being killed, with a message and
 *	   nothing allocated.
 */
int tdx_pamt_alloc(struct tdmr_plan *plan)
{
	const struct tdmr_error *error = &plan->error;
	int ret;

	/* Pages on their way to the LRU lists cannot be moved. */
	lru_add_drain_all();

	ret = tdmr_plan_place(plan, &tdx_pamt_ops, NULL);
	if (ret && fatal_signal_pending(current)) {
		tdx_err("no PAMTs: the process that asked for a TD was killed while memory was looked for; try again\n");
		return -EAGAIN;
	}

	if (ret)
		tdx_err("no PAMT for [0x%llx, 0x%llx): %s; %llu KiB in one piece are wanted, of node %d or else of any: create the first TD early after boot, or free memory, compact it (/proc/sys/vm/drop_caches, compact_memory) and try again\n",
			error->range.start, error->range.end, error->why,
			error->need >> 10, error->nid);

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
	int ps;

	for (i = 0; i < plan->nr_tdmrs; i++) {
		tdmr = &plan->tdmrs[i];
		for (ps = 0; ps < TDX_PS_NR && tdmr->pamt_base[ps]; ps++)
			tdx_pamt_give(NULL, tdmr->pamt_base[ps],
				      tdmr->pamt_base[ps] + tdmr->pamt_size[ps]);
		memset(tdmr->pamt_base, 0, sizeof(tdmr->pamt_base));
	}
}

/* Write whole lines, past the cache: partial ones would be poisoned. */
static void tdx_clear_private(u64 base, u64 bytes)
{
	const u8 *zero = page_address(ZERO_PAGE(0));
	u64 pa;

	for (pa = base; pa < base + bytes; pa += TDX_CACHELINE) {
		movdir64b((void __iomem *)__va(pa), zero);
		/* Gigabytes take seconds. Before kexec there is nobody else to run. */
		if (IS_ALIGNED(pa, SZ_1M) && !irqs_disabled())
			cond_resched();
	}
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
	int ps;

	if (!boot_cpu_has_bug(X86_BUG_TDX_PW_MCE) ||
	    !boot_cpu_has(X86_FEATURE_MOVDIR64B))
		return;

	for (i = 0; i < plan->nr_tdmrs; i++) {
		for (ps = 0; ps < TDX_PS_NR; ps++)
			tdx_clear_private(plan->tdmrs[i].pamt_base[ps],
					  plan->tdmrs[i].pamt_size[ps]);
	}
}

/**
 * tdx_pamt_contains() - is this in a PAMT?
 * @plan: TDMRs with PAMTs
 * @pa: address
 *
 * Context: Any.
 */
bool tdx_pamt_contains(const struct tdmr_plan *plan, u64 pa)
{
	const struct tdmr *tdmr;
	unsigned int i;
	int ps;

	for (i = 0; i < plan->nr_tdmrs; i++) {
		tdmr = &plan->tdmrs[i];
		for (ps = 0; ps < TDX_PS_NR; ps++) {
			if (pa >= tdmr->pamt_base[ps] &&
			    pa - tdmr->pamt_base[ps] < tdmr->pamt_size[ps])
				return true;
		}
	}

	return false;
}

/**
 * tdx_pamt_held() - memory that PAMTs take
 *
 * Return: bytes.
 */
u64 tdx_pamt_held(void)
{
	return READ_ONCE(tdx_pamt_allocated);
}
