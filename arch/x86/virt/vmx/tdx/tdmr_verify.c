// SPDX-License-Identifier: GPL-2.0
/*
 * What TDH.SYS.CONFIG refuses, before it is asked.
 *
 * Written from the rules of the module, in its order of checks, and with none of
 * the planner's code. In addition, what the module cannot know: all of the TDX
 * memory has to be usable, but for the PAMTs in it, and all PAMTs are in it.
 */
#include <linux/align.h>
#include <linux/bits.h>
#include <linux/errno.h>

#include "tdmr.h"

#define SZ_4K_ULL	4096ULL
#define SZ_1G_ULL	BIT_ULL(30)
#define PA_END		BIT_ULL(52)

static int verify_fail(struct tdmr_plan *plan, const char *why, u64 start,
		       u64 end)
{
	plan->error = (struct tdmr_error) {
		.why = why,
		.range = { .start = start, .end = end },
	};

	return -EINVAL;
}

static bool verify_overlap(u64 start, u64 end, u64 other_start, u64 other_end)
{
	return start < other_end && other_start < end;
}

/* Is all of [@start, @end) in CMRs that touch each other? */
static bool verify_in_cmrs(const struct tdmr_plan *plan, u64 start, u64 end)
{
	unsigned int i;

	for (i = 0; i < plan->nr_cmrs; i++) {
		if (plan->cmrs[i].start <= start && start < plan->cmrs[i].end)
			start = plan->cmrs[i].end;
		if (start >= end)
			return true;
	}

	return false;
}

static int verify_tdmr(struct tdmr_plan *plan, unsigned int i)
{
	const struct tdmr *tdmr = &plan->tdmrs[i];
	u64 end = tdmr->base + tdmr->size;

	if (end < tdmr->base || end > PA_END)
		return verify_fail(plan,
				   "TDMR reaches beyond 52 bits",
				   tdmr->base, end);
	if (i && tdmr->base < tdmr[-1].base + tdmr[-1].size)
		return verify_fail(plan,
				   "TDMR begins before the end of the one before it",
				   tdmr->base, end);
	if (!tdmr->size || !IS_ALIGNED(tdmr->base | tdmr->size, SZ_1G_ULL))
		return verify_fail(plan,
				   "TDMR is empty, or no multiple of 1 GiB",
				   tdmr->base, end);

	return 0;
}

static int verify_reserved(struct tdmr_plan *plan, const struct tdmr *tdmr)
{
	u64 next = tdmr->base;
	unsigned int j;

	if (tdmr->nr_reserved > plan->limits.max_reserved ||
	    tdmr->nr_reserved > TDMR_MAX_RESERVED)
		return verify_fail(plan,
				   "TDMR has too many reserved areas",
				   tdmr->base, tdmr->base + tdmr->size);

	for (j = 0; j < tdmr->nr_reserved; j++) {
		u64 start = tdmr->reserved[j].start;
		u64 end = tdmr->reserved[j].end;

		if (start >= end || start < next)
			return verify_fail(plan,
					   "reserved area is empty, or out of order",
					   start, end);
		if (!IS_ALIGNED(start | end, SZ_4K_ULL))
			return verify_fail(plan,
					   "reserved area is no multiple of 4 KiB",
					   start, end);
		if (end > tdmr->base + tdmr->size)
			return verify_fail(plan,
					   "reserved area is not inside its TDMR",
					   start, end);
		next = end;
	}

	return 0;
}

static int verify_pamt(struct tdmr_plan *plan, const struct tdmr *tdmr, int ps)
{
	u64 base = tdmr->pamt_base[ps], size = tdmr->pamt_size[ps];
	u64 pages = tdmr->size / (SZ_4K_ULL << 9 * ps);

	if (base + size < base || base + size > PA_END)
		return verify_fail(plan,
				   "PAMT reaches beyond 52 bits",
				   base, base + size);
	if (!IS_ALIGNED(base | size, SZ_4K_ULL))
		return verify_fail(plan,
				   "PAMT is no multiple of 4 KiB",
				   base, base + size);
	if (size < pages * plan->limits.pamt_entry_size[ps])
		return verify_fail(plan,
				   "PAMT is too small for its TDMR",
				   base, base + size);

	return 0;
}

static bool verify_pamts_overlap(const struct tdmr *a, int ps_a,
				 const struct tdmr *b, int ps_b)
{
	return verify_overlap(a->pamt_base[ps_a],
			      a->pamt_base[ps_a] + a->pamt_size[ps_a],
			      b->pamt_base[ps_b],
			      b->pamt_base[ps_b] + b->pamt_size[ps_b]);
}

/* PAMTs of TDMR i against each other, and against those of the TDMRs below */
static int verify_pamts_apart(struct tdmr_plan *plan, unsigned int i)
{
	const struct tdmr *tdmr = &plan->tdmrs[i];
	unsigned int j;
	int ps, other;

	for (j = 0; j <= i; j++) {
		for (ps = 0; ps < TDX_PS_NR; ps++) {
			for (other = 0; other < TDX_PS_NR; other++) {
				if (j == i && other <= ps)
					continue;
				if (verify_pamts_overlap(tdmr, ps,
							 &plan->tdmrs[j], other))
					return verify_fail(plan,
							   "PAMT overlaps another PAMT",
							   tdmr->pamt_base[ps],
							   tdmr->pamt_base[ps] +
							   tdmr->pamt_size[ps]);
			}
		}
	}

	return 0;
}

/* The j-th part of a TDMR that is not reserved, j up to nr_reserved */
static struct tdx_range verify_usable(const struct tdmr *tdmr, unsigned int j)
{
	return (struct tdx_range) {
		.start = j ? tdmr->reserved[j - 1].end : tdmr->base,
		.end = j < tdmr->nr_reserved ? tdmr->reserved[j].start :
					       tdmr->base + tdmr->size,
	};
}

static int verify_pamt_reserved(struct tdmr_plan *plan, u64 start, u64 end)
{
	struct tdx_range usable;
	unsigned int i, j;

	for (i = 0; i < plan->nr_tdmrs; i++) {
		for (j = 0; j <= plan->tdmrs[i].nr_reserved; j++) {
			usable = verify_usable(&plan->tdmrs[i], j);
			if (usable.start < usable.end &&
			    verify_overlap(start, end, usable.start, usable.end))
				return verify_fail(plan,
						   "PAMT is in usable memory of a TDMR",
						   start, end);
		}
	}

	return 0;
}

static bool verify_in_memory(const struct tdmr_plan *plan, u64 start, u64 end)
{
	unsigned int i;

	for (i = 0; i < plan->nr_regions; i++) {
		if (plan->regions[i].start <= start && start < plan->regions[i].end)
			start = plan->regions[i].end;
		if (start >= end)
			return true;
	}

	return false;
}

static int verify_pamt_place(struct tdmr_plan *plan, u64 start, u64 end)
{
	if (!verify_in_cmrs(plan, start, end))
		return verify_fail(plan,
				   "PAMT is not in a CMR",
				   start, end);
	if (!verify_in_memory(plan, start, end))
		return verify_fail(plan,
				   "PAMT is not in TDX memory",
				   start, end);

	return verify_pamt_reserved(plan, start, end);
}

static int verify_usable_in_cmrs(struct tdmr_plan *plan, const struct tdmr *tdmr)
{
	struct tdx_range usable;
	unsigned int j;

	for (j = 0; j <= tdmr->nr_reserved; j++) {
		usable = verify_usable(tdmr, j);
		if (usable.start < usable.end &&
		    !verify_in_cmrs(plan, usable.start, usable.end))
			return verify_fail(plan,
					   "usable memory of a TDMR is not in a CMR",
					   usable.start, usable.end);
	}

	return 0;
}

/* Where a PAMT that @addr is in ends, or @addr */
static u64 verify_skip_pamts(const struct tdmr_plan *plan, u64 addr)
{
	unsigned int i;
	u64 base;
	int ps;

	for (i = 0; i < plan->nr_tdmrs; i++) {
		for (ps = 0; ps < TDX_PS_NR; ps++) {
			base = plan->tdmrs[i].pamt_base[ps];
			if (base <= addr && addr < base + plan->tdmrs[i].pamt_size[ps])
				return base + plan->tdmrs[i].pamt_size[ps];
		}
	}

	return addr;
}

/* Where usable memory that @addr is in ends, or @addr */
static u64 verify_skip_usable(const struct tdmr_plan *plan, u64 addr)
{
	struct tdx_range usable;
	unsigned int i, j;

	for (i = 0; i < plan->nr_tdmrs; i++) {
		if (addr < plan->tdmrs[i].base ||
		    addr >= plan->tdmrs[i].base + plan->tdmrs[i].size)
			continue;
		for (j = 0; j <= plan->tdmrs[i].nr_reserved; j++) {
			usable = verify_usable(&plan->tdmrs[i], j);
			if (usable.start <= addr && addr < usable.end)
				return usable.end;
		}
	}

	return addr;
}

static int verify_region(struct tdmr_plan *plan, const struct tdx_region *region)
{
	u64 addr = region->start, next;

	while (addr < region->end) {
		next = verify_skip_usable(plan, addr);
		if (next == addr)
			next = verify_skip_pamts(plan, addr);
		if (next == addr)
			return verify_fail(plan,
					   "memory is in no TDMR, or reserved there, and is no PAMT",
					   addr, region->end);
		addr = next;
	}

	return 0;
}

static int verify_all_of_tdmr(struct tdmr_plan *plan, unsigned int i)
{
	const struct tdmr *tdmr = &plan->tdmrs[i];
	int ps, ret;

	ret = verify_tdmr(plan, i);
	if (!ret)
		ret = verify_reserved(plan, tdmr);
	for (ps = 0; ps < TDX_PS_NR && !ret; ps++)
		ret = verify_pamt(plan, tdmr, ps);
	if (!ret)
		ret = verify_pamts_apart(plan, i);

	return ret ? ret : verify_usable_in_cmrs(plan, tdmr);
}

/**
 * tdmr_verify() - check a plan against all rules
 * @plan: a complete plan
 *
 * Any context. Steps: TDMRs times regions, squared number of TDMRs.
 *
 * Return: 0; -EINVAL with an error that names the rule.
 */
int tdmr_verify(struct tdmr_plan *plan)
{
	unsigned int i;
	int ps, ret;

	if (!plan->nr_tdmrs || plan->nr_tdmrs > plan->limits.max_tdmrs)
		return verify_fail(plan,
				   "no TDMR, or too many",
				   0, 0);

	for (i = 0; i < plan->nr_tdmrs; i++) {
		ret = verify_all_of_tdmr(plan, i);
		if (ret)
			return ret;
	}

	/* All reserved areas are known to be in order from here on. */
	for (i = 0; i < plan->nr_tdmrs; i++) {
		const struct tdmr *tdmr = &plan->tdmrs[i];

		for (ps = 0; ps < TDX_PS_NR; ps++) {
			ret = verify_pamt_place(plan, tdmr->pamt_base[ps],
						tdmr->pamt_base[ps] +
						tdmr->pamt_size[ps]);
			if (ret)
				return ret;
		}
	}

	for (i = 0; i < plan->nr_regions; i++) {
		ret = verify_region(plan, &plan->regions[i]);
		if (ret)
			return ret;
	}

	return 0;
}
