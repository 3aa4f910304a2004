// SPDX-License-Identifier: GPL-2.0
/*
 * Where PAMTs go, and what is reserved.
 *
 * PAMTs come from TDX memory, so each is inside a TDMR, not always its own, and
 * has to be reserved there. It takes no area of its own if it is beside another
 * PAMT, or if nothing but memory that is not TDX memory is between it and a
 * hole. So PAMTs of TDMRs of one node are put side by side where memory allows
 * it, and no place is taken that would leave a TDMR with too many areas.
 */
#include <linux/align.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/numa.h>
#include <linux/string.h>

#include "tdmr.h"

#define PAMT_PAGE		4096ULL

static bool tdmr_has_pamt(const struct tdmr *tdmr)
{
	return tdmr->pamt_base[TDX_PS_4K];
}

/* All levels from @base on, one behind the other */
static void tdmr_set_pamt(struct tdmr *tdmr, u64 base)
{
	int ps;

	for (ps = 0; ps < TDX_PS_NR; ps++) {
		tdmr->pamt_base[ps] = base;
		base += tdmr->pamt_size[ps];
	}
}

static unsigned int tdmr_max_areas(const struct tdmr_plan *plan)
{
	return min_t(unsigned int, plan->limits.max_reserved, TDMR_MAX_RESERVED);
}

/* Index of the first CMR that ends above @addr */
static unsigned int tdmr_find_cmr(const struct tdmr_plan *plan, u64 addr)
{
	unsigned int i = 0;

	while (i < plan->nr_cmrs && plan->cmrs[i].end <= addr)
		i++;

	return i;
}

/* Index of the first region that ends above @addr */
static unsigned int tdmr_find_region(const struct tdmr_plan *plan, u64 addr)
{
	unsigned int lo = 0, hi = plan->nr_regions, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (plan->regions[mid].end <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}

	return lo;
}

/* All that is to be reserved in a TDMR, in ascending order */
struct tdmr_items {
	const struct tdmr_plan *plan;
	struct tdx_range extra;
	u64 at;
	u64 end;
	unsigned int cmr;
};

/* The first hole from @items->at on */
static struct tdx_range tdmr_next_hole(struct tdmr_items *items)
{
	const struct tdmr_plan *plan = items->plan;
	const struct tdx_range *cmr;
	u64 start = items->at;
	unsigned int i;

	while (items->cmr < plan->nr_cmrs && plan->cmrs[items->cmr].end <= start)
		items->cmr++;

	for (i = items->cmr; i < plan->nr_cmrs && start < items->end; i++) {
		cmr = &plan->cmrs[i];
		if (cmr->start == cmr->end)
			continue;
		if (cmr->start > start)
			return (struct tdx_range) { start, cmr->start };
		start = cmr->end;
	}

	return (struct tdx_range) { start, U64_MAX };
}

static void tdmr_lower(struct tdx_range *least, u64 at, u64 start, u64 end)
{
	if (end > at && start < end && max(start, at) < least->start)
		*least = (struct tdx_range) { max(start, at), end };
}

/* The first PAMT from @items->at on */
static struct tdx_range tdmr_next_pamt(const struct tdmr_items *items)
{
	struct tdx_range least = { U64_MAX, U64_MAX };
	const struct tdmr *tdmr;
	unsigned int i;
	int ps;

	tdmr_lower(&least, items->at, items->extra.start, items->extra.end);
	for (i = 0; i < items->plan->nr_tdmrs; i++) {
		tdmr = &items->plan->tdmrs[i];
		for (ps = 0; ps < TDX_PS_NR; ps++) {
			/* The first ones of a PAMT that is being placed */
			if (!tdmr->pamt_base[ps])
				break;
			tdmr_lower(&least, items->at, tdmr->pamt_base[ps],
				   tdmr->pamt_base[ps] + tdmr->pamt_size[ps]);
		}
	}

	return least;
}

static bool tdmr_next_item(struct tdmr_items *items, struct tdx_range *item)
{
	struct tdx_range pamt;

	*item = tdmr_next_hole(items);
	pamt = tdmr_next_pamt(items);
	if (pamt.start < item->start)
		*item = pamt;
	if (item->start >= items->end)
		return false;

	item->end = min(item->end, items->end);
	items->at = item->end;

	return true;
}

static bool tdmr_memory_between(const struct tdmr_plan *plan, u64 start, u64 end)
{
	unsigned int i = tdmr_find_region(plan, start);

	return i < plan->nr_regions && plan->regions[i].start < end;
}

/*
 * Number of areas that holes and PAMTs, and @extra as if it were one, make of a
 * TDMR. @few: as few as possible, with memory reserved that is no TDX memory;
 * otherwise no more is reserved than has to be. The first @room areas go to
 * @areas.
 */
static unsigned int tdmr_areas(const struct tdmr_plan *plan,
			       const struct tdmr *tdmr, struct tdx_range extra,
			       bool few, struct tdx_range *areas,
			       unsigned int room)
{
	struct tdmr_items items = {
		.plan = plan,
		.extra = extra,
		.at = tdmr->base,
		.end = tdmr->base + tdmr->size,
		.cmr = tdmr_find_cmr(plan, tdmr->base),
	};
	struct tdx_range area = { }, item;
	unsigned int nr = 0;

	while (tdmr_next_item(&items, &item)) {
		if (nr && (item.start == area.end ||
			   (few && !tdmr_memory_between(plan, area.end, item.start)))) {
			area.end = item.end;
		} else {
			nr++;
			area = item;
		}
		if (nr <= room)
			areas[nr - 1] = area;
	}

	return nr;
}

/* First of the TDMRs from @at on that would have too many areas with this PAMT */
static unsigned int tdmr_overfull(const struct tdmr_plan *plan, unsigned int at,
				  u64 start, u64 end)
{
	struct tdx_range extra = { start, end };
	const struct tdmr *tdmr;

	for (; at < plan->nr_tdmrs; at++) {
		tdmr = &plan->tdmrs[at];
		if (tdmr->base >= end || tdmr->base + tdmr->size <= start)
			continue;
		if (tdmr_areas(plan, tdmr, extra, true, NULL, 0) >
		    tdmr_max_areas(plan))
			break;
	}

	return at;
}

#define TDMR_NONE	U32_MAX

/*
 * What tdmr_plan_place() is at: a piece of @size bytes, of @nid or of any node,
 * found at @start. With @move, what is in use in it may be moved elsewhere.
 *
 * @lacks: there is no piece of so many bytes, on any node and on @lacks_nid, if
 *	   nothing is moved, and if it may be. As memory becomes less only, larger
 *	   ones are not searched for.
 * @no_areas: places were left out, because TDMRs there have no reserved area left
 * @full: index of one of these TDMRs that can be cut, or TDMR_NONE
 */
struct tdmr_place {
	struct tdmr_plan *plan;
	const struct tdmr_pamt_ops *ops;
	void *ctx;
	u64 size;
	int nid;
	bool move;
	u64 start;
	u64 lacks[2][2];
	int lacks_nid;
	bool no_areas;
	unsigned int full;
};

/* Of a node, or of all: nothing moved, and moved */
static u64 *tdmr_lacks(struct tdmr_place *place)
{
	if (place->nid == NUMA_NO_NODE)
		return place->lacks[0];

	if (place->nid != place->lacks_nid) {
		place->lacks_nid = place->nid;
		memset(place->lacks[1], 0xff, sizeof(place->lacks[1]));
	}

	return place->lacks[1];
}

static void tdmr_lacks_forget(struct tdmr_place *place)
{
	memset(place->lacks, 0xff, sizeof(place->lacks));
	place->no_areas = false;
	place->full = TDMR_NONE;
}

/* The end of the TDMR that @addr is in */
static u64 tdmr_end_of(const struct tdmr_plan *plan, u64 addr)
{
	const struct tdmr *tdmr;
	unsigned int i;

	for (i = 0; i < plan->nr_tdmrs; i++) {
		tdmr = &plan->tdmrs[i];
		if (addr >= tdmr->base && addr < tdmr->base + tdmr->size)
			return tdmr->base + tdmr->size;
	}

	return U64_MAX;
}

/* Does region @i go on where region @i - 1 ends, on the same node? */
static bool tdmr_goes_on(const struct tdmr_plan *plan, unsigned int i)
{
	return i && i < plan->nr_regions &&
	       plan->regions[i - 1].end == plan->regions[i].start &&
	       plan->regions[i - 1].nid == plan->regions[i].nid;
}

/* Remember a TDMR that would have areas enough if it were cut. */
static void tdmr_note_full(struct tdmr_place *place, unsigned int i, u64 start)
{
	const struct tdmr_plan *plan = place->plan;
	u64 end = start + place->size;

	place->no_areas = true;
	for (; i < plan->nr_tdmrs; i = tdmr_overfull(plan, i + 1, start, end)) {
		if (plan->tdmrs[i].size > TDMR_GRANULE)
			place->full = i;
	}
}

/*
 * Take [@start, @start + @size) if it is memory of the right node, and can be
 * had. Returns 0, or the address where it is worth to try next.
 */
static u64 tdmr_try(struct tdmr_place *place, u64 start)
{
	const struct tdmr_plan *plan = place->plan;
	u64 end = start + place->size;
	unsigned int i = tdmr_find_region(plan, start);
	u64 next;
	int nid;

	/* As the base of a PAMT, 0 means that there is none. */
	if (!start)
		return PAMT_PAGE;

	if (i == plan->nr_regions || start < plan->regions[i].start)
		return U64_MAX;

	nid = plan->regions[i].nid;
	if (place->nid != NUMA_NO_NODE && place->nid != nid)
		return U64_MAX;

	while (tdmr_goes_on(plan, i + 1) && plan->regions[i].end < end)
		i++;
	if (plan->regions[i].end < end)
		return U64_MAX;

	/* One place takes as many areas of a TDMR as any other. */
	i = tdmr_overfull(plan, 0, start, end);
	if (i < plan->nr_tdmrs) {
		tdmr_note_full(place, i, start);
		return tdmr_end_of(plan, start);
	}

	next = place->ops->take(place->ctx, start, end, nid, place->move);
	if (!next)
		place->start = start;

	return next;
}

/* Beside a PAMT, no other area is needed. */
static bool tdmr_try_beside(struct tdmr_place *place)
{
	const struct tdmr *tdmr;
	unsigned int i;
	u64 base, end = 0;
	int ps;

	for (i = 0; i < place->plan->nr_tdmrs; i++) {
		tdmr = &place->plan->tdmrs[i];
		for (ps = 0; ps < TDX_PS_NR && tdmr->pamt_base[ps]; ps++) {
			base = tdmr->pamt_base[ps];
			/* Between PAMTs that are side by side is nothing. */
			if (base != end && base >= place->size &&
			    !tdmr_try(place, base - place->size))
				return true;
			end = base + tdmr->pamt_size[ps];
			if (ps + 1 < TDX_PS_NR && tdmr->pamt_base[ps + 1] == end)
				continue;
			if (!tdmr_try(place, end))
				return true;
		}
	}

	return false;
}

/* Both ends first, a hole may be beside them. */
static bool tdmr_try_memory(struct tdmr_place *place, u64 start, u64 end)
{
	u64 last, at, next;

	if (end - start < place->size)
		return false;

	last = end - place->size;
	next = tdmr_try(place, start);
	if (!next || !tdmr_try(place, last))
		return true;

	for (at = start; next > at && next < last;) {
		at = next;
		next = tdmr_try(place, at);
		if (!next)
			return true;
	}

	return false;
}

/* From high addresses down: low memory is scarce, and devices may need it. */
static bool tdmr_try_all(struct tdmr_place *place)
{
	const struct tdmr_plan *plan = place->plan;
	unsigned int i;
	u64 end;

	if (tdmr_try_beside(place))
		return true;

	for (i = plan->nr_regions; i--;) {
		end = plan->regions[i].end;
		while (tdmr_goes_on(plan, i))
			i--;
		if (place->nid != NUMA_NO_NODE && place->nid != plan->regions[i].nid)
			continue;
		if (tdmr_try_memory(place, plan->regions[i].start, end))
			return true;
	}

	return false;
}

/* Moving what is in use takes longer than all the rest: only if nothing is free. */
static bool tdmr_find(struct tdmr_place *place)
{
	u64 *lacks = tdmr_lacks(place);
	int move;

	for (move = 0; move < 2; move++) {
		place->move = move;
		if (place->size >= lacks[move])
			continue;
		if (tdmr_try_all(place))
			return true;
		lacks[move] = place->size;
	}

	return false;
}

/* One piece of memory for the PAMTs of @nr TDMRs from the i-th on */
static bool tdmr_place_piece(struct tdmr_place *place, unsigned int i,
			     unsigned int nr, int nid)
{
	struct tdmr *tdmrs = &place->plan->tdmrs[i];
	u64 at;

	place->nid = nid;
	place->size = 0;
	for (i = 0; i < nr; i++)
		place->size += tdmr_pamt_total(&tdmrs[i]);

	if (!tdmr_find(place))
		return false;

	for (i = 0, at = place->start; i < nr; i++) {
		tdmr_set_pamt(&tdmrs[i], at);
		at += tdmr_pamt_total(&tdmrs[i]);
	}

	return true;
}

static void tdmr_give(struct tdmr_place *place, struct tdmr *tdmr)
{
	int ps;

	for (ps = 0; ps < TDX_PS_NR && tdmr->pamt_base[ps]; ps++)
		place->ops->give(place->ctx, tdmr->pamt_base[ps],
				 tdmr->pamt_base[ps] + tdmr->pamt_size[ps]);
	memset(tdmr->pamt_base, 0, sizeof(tdmr->pamt_base));
}

static void tdmr_give_all(struct tdmr_place *place)
{
	unsigned int i;

	for (i = 0; i < place->plan->nr_tdmrs; i++)
		tdmr_give(place, &place->plan->tdmrs[i]);
}

/* Each level where there is memory for it */
static bool tdmr_place_apart(struct tdmr_place *place, struct tdmr *tdmr, int nid)
{
	u64 *lacks, before[2];
	int ps;

	place->nid = nid;
	lacks = tdmr_lacks(place);
	memcpy(before, lacks, sizeof(before));

	for (ps = 0; ps < TDX_PS_NR; ps++) {
		place->size = tdmr->pamt_size[ps];
		if (!tdmr_find(place))
			break;
		tdmr->pamt_base[ps] = place->start;
	}
	if (ps == TDX_PS_NR)
		return true;

	/* What was found missing is there again with what is given back. */
	if (ps)
		memcpy(lacks, before, sizeof(before));
	tdmr_give(place, tdmr);

	return false;
}

/* A piece of another node is better than two TDMRs. */
static bool tdmr_place_one(struct tdmr_place *place, unsigned int i)
{
	struct tdmr *tdmr = &place->plan->tdmrs[i];

	return tdmr_place_piece(place, i, 1, tdmr->nid) ||
	       tdmr_place_apart(place, tdmr, tdmr->nid) ||
	       tdmr_place_piece(place, i, 1, NUMA_NO_NODE) ||
	       tdmr_place_apart(place, tdmr, NUMA_NO_NODE);
}

/* Number of TDMRs without PAMT, from the i-th on, that want the same node */
static unsigned int tdmr_same_node(const struct tdmr_plan *plan, unsigned int i)
{
	unsigned int end = i + 1;

	while (end < plan->nr_tdmrs && !tdmr_has_pamt(&plan->tdmrs[end]) &&
	       plan->tdmrs[end].nid == plan->tdmrs[i].nid)
		end++;

	return end - i;
}

/* PAMTs of TDMRs of one node, as many as possible in one piece */
static void tdmr_place_together(struct tdmr_place *place)
{
	const struct tdmr_plan *plan = place->plan;
	unsigned int i, nr;

	for (i = 0; i < plan->nr_tdmrs; i += nr) {
		for (nr = tdmr_same_node(plan, i); nr > 1; nr /= 2) {
			if (tdmr_place_piece(place, i, nr, plan->tdmrs[i].nid))
				break;
		}
	}
}

/* Index of the largest TDMR without PAMT */
static unsigned int tdmr_largest(const struct tdmr_plan *plan)
{
	unsigned int i, best = TDMR_NONE;

	for (i = 0; i < plan->nr_tdmrs; i++) {
		if (!tdmr_has_pamt(&plan->tdmrs[i]) &&
		    (best == TDMR_NONE || plan->tdmrs[i].size > plan->tdmrs[best].size))
			best = i;
	}

	return best;
}

static void tdmr_set_pamt_size(const struct tdmr_plan *plan, struct tdmr *tdmr,
			       u64 granules)
{
	int ps;

	for (ps = 0; ps < TDX_PS_NR; ps++)
		tdmr->pamt_size[ps] = tdmr_pamt_level(&plan->limits, granules, ps);
}

/* Granules of the largest TDMR that there is memory for, less than of this one */
static u64 tdmr_most_granules(struct tdmr_place *place, struct tdmr *tdmr)
{
	u64 all = tdmr->size / TDMR_GRANULE, low = 0, high = all, mid;

	while (high - low > 1) {
		mid = low + (high - low) / 2;
		tdmr_set_pamt_size(place->plan, tdmr, mid);
		if (tdmr_place_apart(place, tdmr, NUMA_NO_NODE)) {
			tdmr_give(place, tdmr);
			low = mid;
		} else {
			high = mid;
		}
	}
	tdmr_set_pamt_size(place->plan, tdmr, all);

	return low;
}

/*
 * There is no memory for the PAMT of the i-th TDMR: cut off the largest part
 * that there is memory for, so that as few TDMRs as possible come of it. If it
 * is for want of reserved areas, a TDMR in two has twice as many.
 */
static bool tdmr_make_room(struct tdmr_place *place, unsigned int i)
{
	struct tdmr_plan *plan = place->plan;
	u64 granules = tdmr_most_granules(place, &plan->tdmrs[i]);
	unsigned int full = place->full;

	if (plan->nr_tdmrs >= plan->limits.max_tdmrs ||
	    (!granules && full == TDMR_NONE))
		return false;

	/* There will be other areas: search anew. */
	if (place->no_areas)
		tdmr_lacks_forget(place);

	if (!granules) {
		/* PAMTs side by side share an area: none can go alone. */
		tdmr_give_all(place);
		i = full;
		granules = plan->tdmrs[i].size / TDMR_GRANULE / 2;
	}
	tdmr_plan_split(plan, i, granules);

	return true;
}

static int tdmr_place_failed(struct tdmr_place *place, unsigned int i)
{
	struct tdmr_plan *plan = place->plan;
	const struct tdmr *tdmr = &plan->tdmrs[i];
	u64 need = 0;
	int ps;

	for (ps = 0; ps < TDX_PS_NR; ps++)
		need = max(need, tdmr->pamt_size[ps]);

	plan->error = (struct tdmr_error) {
		.why = "no contiguous memory, and smaller TDMRs would not help",
		.range = { tdmr->base, tdmr->base + tdmr->size },
		.nid = tdmr->nid,
		.need = need,
	};
	if (place->no_areas)
		plan->error.why = "no contiguous memory where TDMRs have reserved areas left";
	else if (plan->nr_tdmrs >= plan->limits.max_tdmrs)
		plan->error.why = "no contiguous memory, and no more, smaller TDMRs are allowed";

	tdmr_give_all(place);

	return -ENOMEM;
}

static int tdmr_place_all(struct tdmr_place *place)
{
	unsigned int i;

	tdmr_lacks_forget(place);
	tdmr_place_together(place);

	while ((i = tdmr_largest(place->plan)) != TDMR_NONE) {
		if (!tdmr_place_one(place, i) && !tdmr_make_room(place, i))
			return tdmr_place_failed(place, i);
	}

	return 0;
}

/* TDMRs that were cut for speed are missed if memory comes in small pieces. */
static int tdmr_place_uncut(struct tdmr_place *place)
{
	struct tdmr_error error = place->plan->error;
	unsigned int workers = place->plan->workers;
	int ret;

	place->plan->workers = 0;
	ret = tdmr_plan_layout(place->plan);
	place->plan->workers = workers;
	if (!ret)
		return tdmr_place_all(place);

	place->plan->error = error;
	return -ENOMEM;
}

/**
 * tdmr_plan_place() - find memory for the PAMTs
 * @plan: a layout without PAMTs
 * @ops: the allocator
 * @ctx: for @ops
 *
 * All PAMTs of a node are put in one piece, if there is one, else in pieces as
 * large as possible; on another node if theirs has none. If there is no piece
 * for the PAMT of a TDMR, the levels are put where there are pieces for them;
 * failing that, the TDMR is cut, as long as there may be more of them.
 *
 * Context: that of @ops.
 * Return: 0; -ENOMEM with everything given back. The TDMRs may have been cut
 *	   then: a new try begins with tdmr_plan_layout(). The error is about the
 *	   TDMR that could not be served, and what its largest level needs.
 */
int tdmr_plan_place(struct tdmr_plan *plan, const struct tdmr_pamt_ops *ops,
		    void *ctx)
{
	struct tdmr_place place = {
		.plan = plan,
		.ops = ops,
		.ctx = ctx,
		.lacks_nid = NUMA_NO_NODE,
	};
	int ret = tdmr_place_all(&place);

	if (ret && plan->workers > 1 && plan->nr_tdmrs >= plan->limits.max_tdmrs)
		ret = tdmr_place_uncut(&place);

	return ret;
}

/**
 * tdmr_plan_reserve() - find the reserved areas
 * @plan: a layout with PAMTs
 *
 * What no CMR covers is reserved, and PAMTs; other memory that is not TDX memory
 * only if areas would not do otherwise.
 *
 * Return: 0, or -ENOSPC: a TDMR needs more areas than it may have.
 */
int tdmr_plan_reserve(struct tdmr_plan *plan)
{
	const struct tdx_range none = { };
	unsigned int i, nr, max = tdmr_max_areas(plan);
	struct tdmr *tdmr;

	for (i = 0; i < plan->nr_tdmrs; i++) {
		tdmr = &plan->tdmrs[i];
		nr = tdmr_areas(plan, tdmr, none, false, tdmr->reserved, max);
		if (nr > max)
			nr = tdmr_areas(plan, tdmr, none, true, tdmr->reserved, max);
		tdmr->nr_reserved = min(nr, max);
		if (nr <= max)
			continue;

		plan->error = (struct tdmr_error) {
			.why =
				"holes between CMRs and PAMTs need more reserved areas than a TDMR may have",
			.range = { tdmr->base, tdmr->base + tdmr->size },
			.need = nr,
			.limit = max,
		};
		return -ENOSPC;
	}

	return 0;
}
