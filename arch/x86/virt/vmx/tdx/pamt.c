// SPDX-License-Identifier: GPL-2.0
/*
 * PAMT: the physical address metadata tables, the module's own memory.
 *
 * Each TDMR has three, for 4 KiB, 2 MiB and 1 GiB pages. Every one has to be
 * contiguous, convertible, and in no usable part of a TDMR: it costs a reserved
 * area of the TDMR that it happens to be in, and a TDMR has few. So PAMTs are
 * put side by side: those of one TDMR always, those of neighbours on a node if
 * there is a contiguous piece of memory of that size. If there is none even for
 * a single TDMR, the TDMR is cut in two.
 */
#define pr_fmt(fmt) "tdx: " fmt

#include <linux/cpufeature.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/numa.h>
#include <linux/pfn.h>
#include <linux/printk.h>

#include <asm/special_insns.h>

#include "observe.h"
#include "tdx.h"
#include "test.h"

/* What a 64-byte direct store writes */
#define TDX_CACHELINE	64

static u64 tdmr_pamt_bytes(const struct tdmr *tdmr)
{
	u64 bytes = 0;
	int ps;

	for (ps = 0; ps < TDX_PS_NR; ps++)
		bytes += tdmr->pamt_size[ps];

	return bytes;
}

/* All three are in one piece, see tdmr_pamt_place(). */
static bool tdmr_has_pamt(const struct tdmr *tdmr)
{
	return tdmr->pamt_base[TDX_PS_4K];
}

static void tdmr_pamt_place(struct tdmr *tdmr, u64 base)
{
	int ps;

	for (ps = 0; ps < TDX_PS_NR; ps++) {
		tdmr->pamt_base[ps] = base;
		base += tdmr->pamt_size[ps];
	}
}

/* Bytes of PAMT memory that are allocated now. */
static u64 tdx_pamt_allocated;

static struct page *tdx_pamt_pages(u64 bytes, gfp_t gfp, int nid)
{
	struct page *pages;

	if (tdx_test() && tdx_test()->pamt_fails())
		return NULL;

	/* Not zeroed: the module initialises it. */
	pages = alloc_contig_pages(PHYS_PFN(bytes), GFP_KERNEL | __GFP_NOWARN | gfp,
				   nid, NULL);
	if (pages)
		tdx_pamt_allocated += bytes;

	return pages;
}

/* One piece of memory for the PAMTs of @nr TDMRs of one node. */
static bool tdx_pamt_alloc_piece(struct tdmr *tdmrs, unsigned int nr, gfp_t gfp)
{
	struct page *pages;
	unsigned int i;
	u64 bytes = 0;
	u64 base;

	for (i = 0; i < nr; i++)
		bytes += tdmr_pamt_bytes(&tdmrs[i]);

	pages = tdx_pamt_pages(bytes, gfp, tdmrs[0].nid);
	if (!pages)
		return false;

	base = page_to_phys(pages);
	for (i = 0; i < nr; i++) {
		tdmr_pamt_place(&tdmrs[i], base);
		base += tdmr_pamt_bytes(&tdmrs[i]);
	}

	return true;
}

/* Number of TDMRs from the i-th on that want memory of the same node */
static unsigned int tdx_pamt_run(const struct tdmr_plan *plan, unsigned int i)
{
	unsigned int end = i + 1;

	while (end < plan->nr_tdmrs && !tdmr_has_pamt(&plan->tdmrs[end]) &&
	       plan->tdmrs[end].nid == plan->tdmrs[i].nid)
		end++;

	return end - i;
}

/*
 * Memory for the i-th TDMR, and for as many after it as can have theirs in the
 * same piece. A piece of another node is better than two TDMRs.
 */
static bool tdx_pamt_alloc_from(struct tdmr_plan *plan, unsigned int i)
{
	struct tdmr *tdmrs = &plan->tdmrs[i];
	unsigned int nr;

	for (nr = tdx_pamt_run(plan, i); nr; nr /= 2) {
		if (tdx_pamt_alloc_piece(tdmrs, nr, __GFP_THISNODE))
			return true;
	}

	return tdx_pamt_alloc_piece(tdmrs, 1, 0);
}

/**
 * tdx_pamt_alloc() - allocate the PAMTs of all TDMRs
 * @plan: TDMRs with PAMT sizes; more of them afterwards if memory comes only in
 *	  small pieces
 *
 * Context: Process context. Memory hotplug held off.
 * Return: 0, or -ENOMEM, with a message and nothing allocated.
 */
int tdx_pamt_alloc(struct tdmr_plan *plan)
{
	unsigned int i = 0;

	while (i < plan->nr_tdmrs) {
		if (tdmr_has_pamt(&plan->tdmrs[i])) {
			i++;
			continue;
		}

		cond_resched();
		if (tdx_pamt_alloc_from(plan, i) || !tdmr_plan_split(plan, i))
			continue;

		tdx_err("no contiguous memory of %llu KiB for the PAMT of [0x%llx, 0x%llx) on node %d: free memory, or do this earlier after boot, and try again\n",
			tdmr_pamt_bytes(&plan->tdmrs[i]) >> 10,
			plan->tdmrs[i].base,
			plan->tdmrs[i].base + plan->tdmrs[i].size,
			plan->tdmrs[i].nid);
		tdx_pamt_free(plan);
		return -ENOMEM;
	}

	return 0;
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

	for (i = 0; i < plan->nr_tdmrs; i++) {
		tdmr = &plan->tdmrs[i];
		if (!tdmr_has_pamt(tdmr))
			continue;
		tdx_pamt_allocated -= tdmr_pamt_bytes(tdmr);
		free_contig_range(PHYS_PFN(tdmr->pamt_base[TDX_PS_4K]),
				  PHYS_PFN(tdmr_pamt_bytes(tdmr)));
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
				  tdmr_pamt_bytes(&plan->tdmrs[i]));
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
