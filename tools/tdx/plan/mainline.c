// SPDX-License-Identifier: GPL-2.0-or-later
/* The rule of mainline Linux, see mainline.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mainline.h"

#define FOUR_GIB	(1ULL << 32)
#define PAGE		4096ULL

static int fail(struct tdmr_plan *plan, int err, const char *why, u64 start, u64 end, u64 need, u64 limit)
{
	plan->error = (struct tdmr_error){
		.why = why, .range = { start, end }, .need = need, .limit = limit
	};
	return err;
}

static int layout(struct tdmr_plan *plan)
{
	unsigned int i, need = 0;
	u64 done = 0;
	int ps;

	plan->nr_tdmrs = 0;
	for (i = 0; i < plan->nr_regions; i++) {
		const struct tdx_region *r = &plan->regions[i];
		u64 start = r->start & ~(TDMR_GRANULE - 1);
		u64 end = (r->end + TDMR_GRANULE - 1) & ~(TDMR_GRANULE - 1);

		if (start < done)
			start = done;
		if (start >= end)
			continue;
		done = end;
		if (++need > plan->limits.max_tdmrs)
			continue;
		plan->tdmrs[need - 1] = (struct tdmr){ .base = start, .size = end - start, .nid = r->nid };
		for (ps = 0; ps < TDX_PS_NR; ps++) {
			u64 bytes = ((end - start) >> (12 + 9 * ps)) * plan->limits.pamt_entry_size[ps];

			plan->tdmrs[need - 1].pamt_size[ps] = (bytes + PAGE - 1) & ~(PAGE - 1);
		}
	}
	if (need > plan->limits.max_tdmrs)
		return fail(plan, -ENOSPC, "one TDMR for each region is too many", plan->regions[0].start,
			    plan->regions[plan->nr_regions - 1].end, need, plan->limits.max_tdmrs);
	plan->nr_tdmrs = need;

	return 0;
}

static u64 taken_end(const struct tdmr_plan *plan, u64 start, u64 end)
{
	unsigned int i;

	for (i = 0; i < plan->nr_tdmrs; i++) {
		u64 base = plan->tdmrs[i].pamt_base[TDX_PS_4K], top = base + tdmr_pamt_total(&plan->tdmrs[i]);

		if (base && start < top && base < end)
			return top;
	}

	return 0;
}

/* The lowest place in memory of @nid (-1: any), below or from 4 GiB on */
static u64 find_place(const struct tdmr_plan *plan, u64 size, int nid, bool high)
{
	unsigned int i;

	for (i = 0; i < plan->nr_regions; i++) {
		const struct tdx_region *r = &plan->regions[i];
		u64 start = r->start, end = r->end, at, top;

		if (nid >= 0 && r->nid != nid)
			continue;
		if (high && start < FOUR_GIB)
			start = FOUR_GIB;
		if (!high && end > FOUR_GIB)
			end = FOUR_GIB;
		if (start >= end)
			continue;
		for (at = (start + size - 1) / size * size; at + size <= end; at += size) {
			top = taken_end(plan, at, at + size);
			if (!top)
				return at;
		}
	}

	return 0;
}

static int place(struct tdmr_plan *plan)
{
	unsigned int i;
	int ps;

	for (i = 0; i < plan->nr_tdmrs; i++) {
		struct tdmr *t = &plan->tdmrs[i];
		u64 size = tdmr_pamt_total(t), at;

		at = find_place(plan, size, t->nid, true);
		if (!at)
			at = find_place(plan, size, t->nid, false);
		if (!at)
			at = find_place(plan, size, -1, true);
		if (!at)
			at = find_place(plan, size, -1, false);
		if (!at)
			return fail(plan, -ENOMEM, "no contiguous memory for the PAMT of this TDMR", t->base,
				    t->base + t->size, size, 0);
		for (ps = 0; ps < TDX_PS_NR; ps++) {
			t->pamt_base[ps] = at;
			at += t->pamt_size[ps];
		}
	}

	return 0;
}

struct areas {
	const struct tdmr *tdmr;
	struct tdx_range *a;
	unsigned int nr;
};

static void add_area(struct areas *areas, u64 start, u64 end)
{
	const struct tdmr *t = areas->tdmr;

	if (start < t->base)
		start = t->base;
	if (end > t->base + t->size)
		end = t->base + t->size;
	if (start < end)
		areas->a[areas->nr++] = (struct tdx_range){ start, end };
}

static int by_start(const void *a, const void *b)
{
	const struct tdx_range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* All gaps between regions in the TDMR, and all PAMTs; to be freed */
static struct areas find_areas(const struct tdmr_plan *plan, const struct tdmr *t)
{
	struct areas areas = { .tdmr = t };
	unsigned int i;
	u64 next = 0;

	areas.a = calloc(plan->nr_regions + 1 + plan->nr_tdmrs, sizeof(*areas.a));
	if (!areas.a)
		abort();
	for (i = 0; i < plan->nr_regions; i++) {
		add_area(&areas, next, plan->regions[i].start);
		next = plan->regions[i].end;
	}
	add_area(&areas, next, ~0ULL);
	for (i = 0; i < plan->nr_tdmrs; i++) {
		u64 base = plan->tdmrs[i].pamt_base[TDX_PS_4K];

		if (base)
			add_area(&areas, base, base + tdmr_pamt_total(&plan->tdmrs[i]));
	}
	qsort(areas.a, areas.nr, sizeof(*areas.a), by_start);

	return areas;
}

unsigned int mainline_areas(const struct tdmr_plan *plan, unsigned int i)
{
	struct areas areas = find_areas(plan, &plan->tdmrs[i]);

	free(areas.a);

	return areas.nr;
}

static int reserve(struct tdmr_plan *plan)
{
	unsigned int i, max = plan->limits.max_reserved;
	int ret = 0;

	if (max > TDMR_MAX_RESERVED)
		max = TDMR_MAX_RESERVED;
	for (i = 0; i < plan->nr_tdmrs; i++) {
		struct tdmr *t = &plan->tdmrs[i];
		struct areas areas = find_areas(plan, t);

		t->nr_reserved = areas.nr < max ? areas.nr : max;
		memcpy(t->reserved, areas.a, t->nr_reserved * sizeof(*areas.a));
		if (areas.nr > max && !ret)
			ret = fail(plan, -ENOSPC, "reserved areas exhausted", t->base, t->base + t->size,
				   areas.nr, max);
		free(areas.a);
	}

	return ret;
}

int mainline_plan(struct tdmr_plan *plan)
{
	int ret;

	plan->error = (struct tdmr_error){ 0 };
	ret = layout(plan);
	if (!ret)
		ret = place(plan);

	return ret ? ret : reserve(plan);
}
