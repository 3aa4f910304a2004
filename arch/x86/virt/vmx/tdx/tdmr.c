// SPDX-License-Identifier: GPL-2.0
/* One TDMR for each run of 1 GiB granules that have memory. */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "tdmr.h"

#define GRANULE		(1ULL << 30)

static int tdmr_error(struct tdmr_plan *plan, const char *why, u64 start, u64 end)
{
	plan->error = (struct tdmr_error){ .why = why, .range = { start, end } };
	return -ENOSPC;
}

static void tdmr_pamt_sizes(const struct tdmr_plan *plan, struct tdmr *tdmr)
{
	int ps;

	for (ps = 0; ps < TDX_PS_NR; ps++)
		tdmr->pamt_size[ps] = ALIGN((tdmr->size >> (12 + 9 * ps)) *
					    plan->limits.pamt_entry_size[ps], 4096);
}

int tdmr_plan_layout(struct tdmr_plan *plan)
{
	struct tdmr *last = NULL;
	unsigned int i;

	plan->nr_tdmrs = 0;
	for (i = 0; i < plan->nr_regions; i++) {
		const struct tdx_region *r = &plan->regions[i];
		u64 start = ALIGN_DOWN(r->start, GRANULE), end = ALIGN(r->end, GRANULE);

		if (last && start <= last->base + last->size &&
		    (last->nid == r->nid || start < last->base + last->size)) {
			if (last->nid == r->nid || end <= last->base + last->size) {
				last->size = max(end, last->base + last->size) - last->base;
				continue;
			}
			start = last->base + last->size;
		}
		if (plan->nr_tdmrs == plan->limits.max_tdmrs)
			return tdmr_error(plan, "too many TDMRs", r->start, r->end);
		last = &plan->tdmrs[plan->nr_tdmrs++];
		*last = (struct tdmr){ .base = start, .size = end - start, .nid = r->nid };
	}
	for (i = 0; i < plan->nr_tdmrs; i++)
		tdmr_pamt_sizes(plan, &plan->tdmrs[i]);
	return 0;
}

int tdmr_plan_split(struct tdmr_plan *plan, unsigned int i)
{
	struct tdmr *t = &plan->tdmrs[i];
	u64 half = ALIGN_DOWN(t->size / 2, GRANULE);

	if (plan->nr_tdmrs == plan->limits.max_tdmrs || !half)
		return tdmr_error(plan, "cannot be cut", t->base, t->base + t->size);
	memmove(t + 1, t, (plan->nr_tdmrs - i) * sizeof(*t));
	plan->nr_tdmrs++;
	t[1].base += half;
	t[1].size -= half;
	t[0].size = half;
	tdmr_pamt_sizes(plan, &t[0]);
	tdmr_pamt_sizes(plan, &t[1]);
	return 0;
}

static int tdmr_add(struct tdmr_plan *plan, struct tdmr *t, u64 start, u64 end)
{
	unsigned int i, j;

	start = max(start, t->base);
	end = min(end, t->base + t->size);
	if (start >= end)
		return 0;
	for (i = 0; i < t->nr_reserved && t->reserved[i].end < start; i++)
		;
	for (j = i; j < t->nr_reserved && t->reserved[j].start <= end; j++) {
		start = min(start, t->reserved[j].start);
		end = max(end, t->reserved[j].end);
	}
	if (i == j && t->nr_reserved == min_t(u16, plan->limits.max_reserved, TDMR_MAX_RESERVED))
		return tdmr_error(plan, "too many reserved areas", start, end);
	memmove(&t->reserved[i + 1], &t->reserved[j], (t->nr_reserved - j) * sizeof(t->reserved[0]));
	t->nr_reserved += 1 + i - j;
	t->reserved[i] = (struct tdx_range){ start, end };
	return 0;
}

int tdmr_plan_reserve(struct tdmr_plan *plan)
{
	unsigned int i, j;
	int ps, ret;

	for (i = 0; i < plan->nr_tdmrs; i++) {
		struct tdmr *t = &plan->tdmrs[i];
		u64 next = 0;

		t->nr_reserved = 0;
		for (j = 0; j <= plan->nr_cmrs; j++) {
			ret = tdmr_add(plan, t, next, j < plan->nr_cmrs ? plan->cmrs[j].start : U64_MAX);
			if (ret)
				return ret;
			if (j < plan->nr_cmrs)
				next = plan->cmrs[j].end;
		}
		for (j = 0; j < plan->nr_tdmrs; j++) {
			for (ps = 0; ps < TDX_PS_NR; ps++) {
				u64 base = plan->tdmrs[j].pamt_base[ps];

				ret = tdmr_add(plan, t, base, base + plan->tdmrs[j].pamt_size[ps]);
				if (ret)
					return ret;
			}
		}
	}
	return 0;
}

int tdmr_verify(struct tdmr_plan *plan)
{
	return 0;
}
