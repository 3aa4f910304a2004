// SPDX-License-Identifier: GPL-2.0
/*
 * Layout: which granules make which TDMR.
 *
 * A TDMR is a run of granules, all granules with TDX memory are in one, and the
 * module limits the number of TDMRs and of the reserved areas in each. A layout
 * within the limits is to be found if there is one, and its PAMT, in bytes, has
 * to be the least of all of them.
 *
 * Reserved areas. What no CMR covers has to be reserved: a hole. Other memory
 * that is not TDX memory may be reserved with it, so two holes need two areas
 * only if TDX memory is between them. An island is TDX memory without a hole in
 * between. A TDMR needs
 *
 *	(islands in it - 1) + (hole before its first) + (hole after its last)
 *
 * areas, where only holes inside the TDMR count. A part of a TDMR needs no more
 * than the whole.
 *
 * PAMT. For @g granules, each level takes ceil(w * g) pages, w depending on the
 * entry size. One TDMR never needs more than two that make it up, so a TDMR is
 * cut only where limits force it to be. A granule without TDX memory costs 64
 * pages or more; to have it in a TDMR saves 2 at most, of the levels for 2M and
 * 1G, so it is covered only where limits force it to be.
 *
 * Greedy. Going up and making every TDMR as long as the areas allow gives the
 * fewest TDMRs: whatever another layout has, its n-th TDMR does not end above
 * the n-th of this one, as parts need no more areas than the whole. Done
 * without covering empty granules, that is the optimum if no TDMR had to be cut
 * for its areas and there are enough TDMRs: every other layout is made of it by
 * cuts and by covering empty granules. Done with them, it tells whether there
 * is a layout at all.
 *
 * Search. Otherwise, the cheapest way is searched for among those that use a
 * small set of borders. In any layout, a border inside a run of granules with
 * memory can be moved up, from the TDMR above to the one below it, until the
 * one below needs another area or another page of the levels for 2M and 1G, but
 * for the pages that each granule costs alike in both. The one above does not
 * need more for it. So the borders that count are: ends of runs, those before a
 * granule that brings another area, and those where the distance to a start of
 * a TDMR is a step of the rounding. tdmr_find_borders() finds them all, and
 * tdmr_search() the best choice of at most max_tdmrs of them, exactly.
 *
 * Steps come every 256 granules with the entries of 16 bytes that modules have,
 * so there are few borders. Should there be more than fit into the scratch
 * memory, rounding is left out of account: the layout covers as few granules as
 * possible, and may have up to two pages for each TDMR more than needed.
 */
#include <linux/align.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "tdmr.h"

#define PAMT_PAGE		4096ULL

/* Borders that the exact search is for. It takes their square of steps. */
#define TDMR_EXACT_BORDERS	512

#define TDX_PA_MAX		BIT_ULL(52)

/* Granules, by number */
static u32 granule(u64 addr)
{
	return addr >> TDMR_GRANULE_SHIFT;
}

static u32 granule_up(u64 addr)
{
	return granule(ALIGN(addr, TDMR_GRANULE));
}

static u64 granule_addr(u32 nr)
{
	return (u64)nr << TDMR_GRANULE_SHIFT;
}

static int tdmr_fail(struct tdmr_plan *plan, int err, const char *why,
		     u64 start, u64 end, u64 need, u64 limit)
{
	plan->error = (struct tdmr_error) {
		.why = why,
		.range = { .start = start, .end = end },
		.need = need,
		.limit = limit,
	};

	return err;
}

/* Bytes of a level of the PAMT, before they are rounded up to pages */
static u64 tdmr_pamt_entries(const struct tdmr_limits *limits, u64 granules,
			     int ps)
{
	u64 entries = granules << (TDMR_GRANULE_SHIFT - 12 - 9 * ps);

	return entries * limits->pamt_entry_size[ps];
}

/**
 * tdmr_pamt_level() - bytes of one level of a PAMT
 * @limits: what the module says
 * @granules: GiB of the TDMR
 * @ps: page size that the level is for
 */
u64 tdmr_pamt_level(const struct tdmr_limits *limits, u64 granules, int ps)
{
	return ALIGN(tdmr_pamt_entries(limits, granules, ps), PAMT_PAGE);
}

static u64 tdmr_pamt_granules(const struct tdmr_limits *limits, u64 granules)
{
	u64 bytes = 0;
	int ps;

	for (ps = 0; ps < TDX_PS_NR; ps++)
		bytes += tdmr_pamt_level(limits, granules, ps);

	return bytes;
}

/**
 * tdmr_pamt_total() - bytes of the PAMT of a TDMR, all levels
 * @tdmr: a TDMR of a layout
 */
u64 tdmr_pamt_total(const struct tdmr *tdmr)
{
	u64 bytes = 0;
	int ps;

	for (ps = 0; ps < TDX_PS_NR; ps++)
		bytes += tdmr->pamt_size[ps];

	return bytes;
}

static unsigned int tdmr_max_reserved(const struct tdmr_plan *plan)
{
	return min_t(unsigned int, plan->limits.max_reserved, TDMR_MAX_RESERVED);
}

/*
 * Walk of the regions, with the island that each is part of: that piece of CMRs
 * without a gap. Islands without TDX memory are not seen.
 */
struct tdmr_walk {
	unsigned int region;
	unsigned int next_cmr;
	unsigned int nr_islands;
	struct tdx_range island;
};

static const struct tdx_region *tdmr_walk_region(const struct tdmr_plan *plan,
						 const struct tdmr_walk *walk)
{
	if (walk->region == plan->nr_regions)
		return NULL;

	return &plan->regions[walk->region];
}

/* Go to the island of the region; tdmr_check() sees to it that there is one. */
static void tdmr_walk_island(const struct tdmr_plan *plan,
			     struct tdmr_walk *walk)
{
	const struct tdx_region *region = &plan->regions[walk->region];
	const struct tdx_range *cmr;

	for (; walk->next_cmr < plan->nr_cmrs; walk->next_cmr++) {
		cmr = &plan->cmrs[walk->next_cmr];
		if (cmr->start == cmr->end)
			continue;
		if (cmr->start != walk->island.end) {
			if (region->start < walk->island.end)
				break;
			walk->island.start = cmr->start;
		}
		walk->island.end = cmr->end;
	}
	walk->nr_islands++;
}

static void tdmr_walk_start(const struct tdmr_plan *plan, struct tdmr_walk *walk)
{
	*walk = (struct tdmr_walk) { };
	tdmr_walk_island(plan, walk);
}

static void tdmr_walk_next(const struct tdmr_plan *plan, struct tdmr_walk *walk)
{
	const struct tdx_region *region = &plan->regions[++walk->region];

	if (walk->region < plan->nr_regions && region->start >= walk->island.end)
		tdmr_walk_island(plan, walk);
}

static bool tdmr_limits_bad(const struct tdmr_limits *limits)
{
	return !limits->max_tdmrs || !limits->pamt_entry_size[TDX_PS_4K] ||
	       !limits->pamt_entry_size[TDX_PS_2M] ||
	       !limits->pamt_entry_size[TDX_PS_1G];
}

static int tdmr_check_cmrs(struct tdmr_plan *plan)
{
	const struct tdx_range *cmr;
	unsigned int i;
	u64 next = 0;

	for (i = 0; i < plan->nr_cmrs; i++) {
		cmr = &plan->cmrs[i];
		if (cmr->start == cmr->end)
			continue;
		if (cmr->start > cmr->end || cmr->end > TDX_PA_MAX)
			return tdmr_fail(plan, -EINVAL,
					 "CMR ends before it starts, or beyond 52 bits",
					 cmr->start, cmr->end, 0, 0);
		if (cmr->start < next)
			return tdmr_fail(plan, -EINVAL,
					 "CMR overlaps the one before it, or is out of order",
					 cmr->start, cmr->end, 0, 0);
		if (!IS_ALIGNED(cmr->start | cmr->end, PAMT_PAGE))
			return tdmr_fail(plan, -EINVAL,
					 "CMR is no multiple of 4 KiB",
					 cmr->start, cmr->end, 0, 0);
		next = cmr->end;
	}

	return 0;
}

static int tdmr_check_regions(struct tdmr_plan *plan)
{
	const struct tdx_region *region;
	struct tdmr_walk walk;
	u64 next = 0;

	for (tdmr_walk_start(plan, &walk);
	     (region = tdmr_walk_region(plan, &walk));
	     tdmr_walk_next(plan, &walk)) {
		if (region->start >= region->end || region->end > TDX_PA_MAX)
			return tdmr_fail(plan, -EINVAL,
					 "memory is empty, or reaches beyond 52 bits",
					 region->start, region->end, 0, 0);
		if (region->start < next)
			return tdmr_fail(plan, -EINVAL,
					 "memory overlaps what is before it, or is out of order",
					 region->start, region->end, 0, 0);
		if (!IS_ALIGNED(region->start | region->end, PAMT_PAGE))
			return tdmr_fail(plan, -EINVAL,
					 "memory is no multiple of 4 KiB",
					 region->start, region->end, 0, 0);
		if (region->start < walk.island.start ||
		    region->end > walk.island.end)
			return tdmr_fail(plan, -ERANGE,
					 "memory is not in a CMR",
					 region->start, region->end, 0, 0);
		next = region->end;
	}

	return 0;
}

static int tdmr_check(struct tdmr_plan *plan)
{
	int ret;

	if (tdmr_limits_bad(&plan->limits))
		return tdmr_fail(plan, -EINVAL,
				 "no TDMR allowed, or PAMT entries of no size",
				 0, 0, 0, 0);
	if (!plan->nr_regions)
		return tdmr_fail(plan, -EINVAL,
				 "no memory at all",
				 0, 0, 0, 0);

	ret = tdmr_check_cmrs(plan);

	return ret ? ret : tdmr_check_regions(plan);
}

static void tdmr_emit(struct tdmr_plan *plan, u32 base, u32 end)
{
	if (plan->nr_tdmrs < plan->limits.max_tdmrs) {
		plan->tdmrs[plan->nr_tdmrs] = (struct tdmr) {
			.base = granule_addr(base),
			.size = granule_addr(end - base),
		};
	}
	plan->nr_tdmrs++;
}

/*
 * The TDMR that tdmr_greedy() is at: from @base on, with islands from the
 * @first on, less one if there is a hole before it. @good is the highest border
 * that it may end at, and @walk where to go on from there.
 */
struct tdmr_open {
	bool open;
	u32 base;
	u32 good;
	unsigned int first;
	struct tdmr_walk walk;
};

static void tdmr_open_at(struct tdmr_open *at, const struct tdmr_walk *walk,
			 u32 base)
{
	*at = (struct tdmr_open) {
		.open = true,
		.base = base,
		.good = base,
		.first = walk->nr_islands -
			 (walk->island.start > granule_addr(base)),
	};
}

/*
 * See what ends the TDMR at the region of @walk allow. Returns true if the TDMR
 * can go on; false if it has to end at @at->good.
 */
static bool tdmr_open_extend(const struct tdmr_plan *plan, struct tdmr_open *at,
			     const struct tdmr_walk *walk,
			     unsigned int max_areas, bool bridge)
{
	const struct tdx_region *region = tdmr_walk_region(plan, walk);
	const struct tdx_region *next = region + 1;
	unsigned int areas = walk->nr_islands - at->first;
	u32 inner = granule(region->end);
	u32 end = granule_up(region->end);
	bool hole_above = walk->island.end < granule_addr(end);

	if (areas > max_areas)
		return false;

	if (granule_addr(inner) > region->start && inner > at->good) {
		at->good = inner;
		at->walk = *walk;
	}

	if (walk->region + 1 == plan->nr_regions)
		next = NULL;
	if (next && granule(next->start) < end)
		return true;

	if (areas + hole_above <= max_areas) {
		at->good = end;
		at->walk = *walk;
	}

	return next && (bridge || granule(next->start) == end);
}

/*
 * What there is in a TDMR: islands as in struct tdmr_border, and the longest
 * stretch of memory of one node.
 */
struct tdmr_survey {
	unsigned int first;
	unsigned int last;
	u64 best;
	u64 stretch;
	int stretch_nid;
	int nid;
};

static void tdmr_survey_region(struct tdmr_survey *survey,
			       const struct tdmr_walk *walk,
			       const struct tdx_region *region,
			       u64 base, u64 end)
{
	/* One more than it is, so that 0 means that there was none yet */
	if (!survey->first)
		survey->first = walk->nr_islands + 1 - (walk->island.start > base);
	survey->last = walk->nr_islands + 1 + (walk->island.end < end);

	if (region->nid != survey->stretch_nid)
		survey->stretch = 0;
	survey->stretch_nid = region->nid;
	survey->stretch += min(region->end, end) - max(region->start, base);
	if (survey->stretch > survey->best) {
		survey->best = survey->stretch;
		survey->nid = region->nid;
	}
}

/*
 * See what is in [@base, @end), which begins and ends not below where the walk
 * is, and leave the walk at the last region of it.
 */
static struct tdmr_survey tdmr_survey(const struct tdmr_plan *plan,
				      struct tdmr_walk *walk, u64 base, u64 end)
{
	const struct tdx_region *region;
	struct tdmr_survey survey = { };

	while ((region = tdmr_walk_region(plan, walk)) && region->start < end) {
		if (region->end > base)
			tdmr_survey_region(&survey, walk, region, base, end);
		if (region->end > end)
			break;
		tdmr_walk_next(plan, walk);
	}

	return survey;
}

/* Reserved areas that a TDMR of this one granule needs */
static unsigned int tdmr_granule_areas(const struct tdmr_plan *plan, u32 nr)
{
	struct tdmr_survey survey;
	struct tdmr_walk walk;

	tdmr_walk_start(plan, &walk);
	survey = tdmr_survey(plan, &walk, granule_addr(nr), granule_addr(nr + 1));

	return survey.last - survey.first;
}

/*
 * The layout with the fewest TDMRs, each with at most @max_areas reserved areas
 * but for PAMTs. With @bridge, granules without memory may be covered, and TDMRs
 * beyond the limit are counted; without, it ends with the first of them. Returns
 * the number of TDMRs that were ended for their areas, or an error.
 */
static int tdmr_greedy(struct tdmr_plan *plan, unsigned int max_areas,
		       bool bridge)
{
	struct tdmr_open at = { };
	struct tdmr_walk walk;
	const struct tdx_region *region;
	u32 done = 0;
	int cuts = 0;

	plan->nr_tdmrs = 0;
	tdmr_walk_start(plan, &walk);

	while ((region = tdmr_walk_region(plan, &walk))) {
		u32 end = granule_up(region->end);

		if (end <= done) {
			tdmr_walk_next(plan, &walk);
			continue;
		}

		if (!at.open)
			tdmr_open_at(&at, &walk, max(done, granule(region->start)));

		if (tdmr_open_extend(plan, &at, &walk, max_areas, bridge)) {
			tdmr_walk_next(plan, &walk);
			continue;
		}

		if (at.good == at.base)
			return tdmr_fail(plan, -ENOSPC,
					 "holes between CMRs need more reserved areas than a TDMR may have",
					 granule_addr(at.base),
					 granule_addr(at.base + 1),
					 tdmr_granule_areas(plan, at.base), max_areas);

		if (at.good != end)
			cuts++;
		tdmr_emit(plan, at.base, at.good);
		done = at.good;
		walk = at.walk;
		at.open = false;
		if (!bridge && plan->nr_tdmrs > plan->limits.max_tdmrs)
			break;
	}

	return cuts;
}

/*
 * Where a TDMR may end and the next one begin. TDMRs from border i to border j
 * consist of the granules [i->start, j->end), and need j->last - i->first
 * reserved areas.
 *
 * @start: first granule above
 * @end: first granule that is not below; less than @start between runs
 * @first: number of the first island above, less one if there is a hole before
 *	   it
 * @last: number of the last island below, and one more if there is a hole
 *	  after it
 * @island: number of the last island below
 */
struct tdmr_border {
	u32 start;
	u32 end;
	u32 first;
	u32 last;
	u32 island;
};

/* Scratch memory, see tdmr_scratch_size() */
struct tdmr_search {
	unsigned int max_borders;
	unsigned int nr_borders;
	struct tdmr_border *borders;
	u64 *cost[2];
	u32 *queue;
	/* For each number of TDMRs and each border: the border before it */
	u32 *from;
};

/* Regions can have an island each, with a border before, in and after it. */
static unsigned int tdmr_max_borders(const struct tdmr_plan *plan)
{
	size_t islands = min(plan->nr_regions, plan->nr_cmrs);

	return max_t(size_t, TDMR_EXACT_BORDERS,
		     plan->nr_regions + 3 * islands + 2);
}

static unsigned int tdmr_search_depth(const struct tdmr_plan *plan)
{
	return min_t(unsigned int, plan->limits.max_tdmrs,
		     tdmr_max_borders(plan));
}

/**
 * tdmr_scratch_size() - bytes that @plan->scratch has to have
 * @plan: a plan with all other input
 *
 * Only the layout needs it.
 */
size_t tdmr_scratch_size(const struct tdmr_plan *plan)
{
	size_t borders = tdmr_max_borders(plan);

	return borders * (sizeof(struct tdmr_border) + 2 * sizeof(u64) +
			  sizeof(u32)) +
	       borders * tdmr_search_depth(plan) * sizeof(u32);
}

static void tdmr_search_init(const struct tdmr_plan *plan,
			     struct tdmr_search *search)
{
	unsigned int max = tdmr_max_borders(plan);

	search->max_borders = max;
	search->nr_borders = 0;
	search->cost[0] = plan->scratch;
	search->cost[1] = search->cost[0] + max;
	search->borders = (void *)(search->cost[1] + max);
	search->queue = (void *)(search->borders + max);
	search->from = search->queue + max;
}

static void tdmr_add_border(struct tdmr_search *search,
			    const struct tdmr_border *border)
{
	unsigned int nr = search->nr_borders;

	if (nr && search->borders[nr - 1].start >= border->start)
		return;
	search->borders[nr] = *border;
	search->nr_borders++;
}

/* The border between the region of @walk and the one before it, at @below */
static struct tdmr_border tdmr_border_before(const struct tdmr_plan *plan,
					     const struct tdmr_walk *walk,
					     const struct tdmr_walk *below)
{
	u32 start = granule(plan->regions[walk->region].start);
	u32 end = start;

	if (walk->region)
		end = granule_up(plan->regions[below->region].end);

	return (struct tdmr_border) {
		.start = start,
		.end = end,
		.first = walk->nr_islands -
			 (walk->island.start > granule_addr(start)),
		.last = below->nr_islands +
			(below->island.end < granule_addr(end)),
		.island = below->nr_islands,
	};
}

/*
 * Borders that limits can make necessary: between runs, at the start of the
 * granule in which an island ends, and where an island ends and the next one
 * does not begin in the same granule.
 *
 * False if there are more islands than all TDMRs together can have: there is no
 * layout.
 */
static bool tdmr_find_borders(const struct tdmr_plan *plan,
			      struct tdmr_search *search,
			      unsigned int max_areas)
{
	unsigned int max_islands = plan->limits.max_tdmrs * (max_areas + 1);
	struct tdmr_border low = { }, here;
	struct tdmr_walk walk, below = { };
	const struct tdx_region *region;
	bool fresh, gap;
	u32 inner;

	for (tdmr_walk_start(plan, &walk);
	     (region = tdmr_walk_region(plan, &walk));
	     below = walk, tdmr_walk_next(plan, &walk)) {
		if (walk.nr_islands > max_islands)
			return false;

		here = tdmr_border_before(plan, &walk, &below);
		fresh = here.start >= here.end;
		gap = !walk.region || here.start > here.end;

		if (walk.region && (gap ? here.last > here.island :
				    walk.nr_islands > here.island))
			tdmr_add_border(search, &low);
		if (gap || (fresh && walk.nr_islands > here.island))
			tdmr_add_border(search, &here);

		/* @low: the start of the last granule that is known so far */
		if (fresh)
			low = here;
		inner = granule(region->end - 1);
		if (granule_addr(inner) > region->start) {
			low = (struct tdmr_border) {
				.start = inner,
				.end = inner,
				.first = walk.nr_islands,
				.last = walk.nr_islands,
				.island = walk.nr_islands,
			};
		}
	}

	here.end = granule_up(plan->regions[below.region].end);
	here.start = here.end;
	here.last = below.nr_islands +
		    (below.island.end < granule_addr(here.end));
	here.island = below.nr_islands;
	if (here.last > here.island)
		tdmr_add_border(search, &low);
	tdmr_add_border(search, &here);

	return true;
}

/* The first number of granules above @len that fills the PAMT pages it takes */
static u32 tdmr_next_step(const struct tdmr_limits *limits, u64 len)
{
	u64 next = U32_MAX, rest;
	int ps;

	for (ps = 0; ps < TDX_PS_NR; ps++) {
		/* Bytes for each granule that do not fill pages */
		rest = tdmr_pamt_entries(limits, 1, ps) % PAMT_PAGE;
		if (rest)
			next = min(next, DIV_ROUND_UP((len + 1) * rest,
						      PAMT_PAGE) *
					 PAMT_PAGE / rest);
	}

	return next;
}

static void tdmr_insert_border(struct tdmr_search *search, unsigned int i,
			       u32 at)
{
	struct tdmr_border *border = &search->borders[i];

	memmove(border + 1, border,
		(search->nr_borders - i) * sizeof(*border));
	*border = (struct tdmr_border) {
		.start = at,
		.end = at,
		.first = border[1].island,
		.last = border[1].island,
		.island = border[1].island,
	};
	search->nr_borders++;
}

/*
 * Borders at a step of the rounding from border @i. They are in runs. If one is
 * not there yet, no island ends between it and the next border, see
 * tdmr_find_borders(). False if they are too many for the exact search.
 */
static bool tdmr_add_steps(const struct tdmr_plan *plan,
			   struct tdmr_search *search, unsigned int i,
			   unsigned int max_areas)
{
	struct tdmr_border *borders = search->borders;
	u32 len = 0, at, end = borders[search->nr_borders - 1].end;
	unsigned int j = i + 1;

	for (;;) {
		len = tdmr_next_step(&plan->limits, len);
		if (len >= end - borders[i].start)
			return true;

		at = borders[i].start + len;
		while (borders[j].start < at)
			j++;
		if (borders[j].start == at || at >= borders[j].end)
			continue;
		if (borders[j].island > borders[i].first + max_areas)
			return true;
		if (search->nr_borders == TDMR_EXACT_BORDERS)
			return false;
		tdmr_insert_border(search, j, at);
	}
}

static bool tdmr_add_all_steps(const struct tdmr_plan *plan,
			       struct tdmr_search *search,
			       unsigned int max_areas)
{
	unsigned int i;

	if (search->nr_borders > TDMR_EXACT_BORDERS)
		return false;

	for (i = 0; i + 1 < search->nr_borders; i++) {
		if (!tdmr_add_steps(plan, search, i, max_areas))
			return false;
	}

	return true;
}

/*
 * One row of the search: from the least cost to reach each border with one TDMR
 * less, the least cost with this one. A TDMR may begin at border @lo at the
 * lowest to end at border j; that moves up with j.
 */
static void tdmr_row_exact(const struct tdmr_plan *plan,
			   const struct tdmr_search *search,
			   unsigned int max_areas, const u64 *prev, u64 *cost,
			   u32 *from)
{
	const struct tdmr_border *b = search->borders;
	unsigned int i, j, lo = 0;
	u64 sum;

	cost[0] = U64_MAX;
	for (j = 1; j < search->nr_borders; j++) {
		cost[j] = U64_MAX;
		while (lo < j && b[j].last > b[lo].first + max_areas)
			lo++;
		for (i = lo; i < j; i++) {
			if (prev[i] == U64_MAX)
				continue;
			sum = prev[i] + tdmr_pamt_granules(&plan->limits,
							   b[j].end - b[i].start);
			if (sum < cost[j]) {
				cost[j] = sum;
				from[j] = i;
			}
		}
	}
}

/*
 * The same with granules as cost. What a border costs does not depend on where
 * the TDMR ends then, so those that can still be the best are kept in a queue,
 * cheapest first.
 */
static void tdmr_row_granules(const struct tdmr_search *search,
			      unsigned int max_areas, const u64 *prev,
			      u64 *cost, u32 *from)
{
	const struct tdmr_border *b = search->borders;
	unsigned int head = 0, tail = 0, j;
	u32 *queue = search->queue;

	cost[0] = U64_MAX;
	for (j = 1; j < search->nr_borders; j++) {
		if (prev[j - 1] != U64_MAX) {
			while (tail > head &&
			       prev[queue[tail - 1]] + b[j - 1].start >=
			       prev[j - 1] + b[queue[tail - 1]].start)
				tail--;
			queue[tail++] = j - 1;
		}
		while (head < tail &&
		       b[j].last > b[queue[head]].first + max_areas)
			head++;

		cost[j] = U64_MAX;
		if (head < tail) {
			from[j] = queue[head];
			cost[j] = prev[from[j]] + b[j].end - b[from[j]].start;
		}
	}
}

/*
 * The best choice of borders: cheapest first, then fewest TDMRs. @exact: by
 * bytes of PAMT, otherwise by granules. There has to be one.
 */
static void tdmr_search(struct tdmr_plan *plan, struct tdmr_search *search,
			unsigned int max_areas, bool exact)
{
	unsigned int depth = tdmr_search_depth(plan);
	unsigned int end = search->nr_borders - 1;
	unsigned int t, i, best = 0;
	u64 *prev = search->cost[0], *cost = search->cost[1];
	u64 least = U64_MAX;
	u32 *from;

	for (i = 0; i <= end; i++)
		prev[i] = i ? U64_MAX : 0;

	for (t = 1; t <= min(depth, end); t++) {
		from = search->from + (size_t)(t - 1) * search->max_borders;
		if (exact)
			tdmr_row_exact(plan, search, max_areas, prev, cost, from);
		else
			tdmr_row_granules(search, max_areas, prev, cost, from);
		if (cost[end] < least) {
			least = cost[end];
			best = t;
		}
		swap(prev, cost);
	}

	plan->nr_tdmrs = best;
	for (i = end, t = best; t; t--) {
		u32 to = search->borders[i].end;

		from = search->from + (size_t)(t - 1) * search->max_borders;
		i = from[i];
		plan->tdmrs[t - 1] = (struct tdmr) {
			.base = granule_addr(search->borders[i].start),
			.size = granule_addr(to - search->borders[i].start),
		};
	}
}

/*
 * The more granules are between runs, the better; then, the fewer areas. What is
 * equal so far is chosen evenly over all of memory, as multiples of the golden
 * ratio are, so that all TDMRs have their share of the areas.
 */
static u64 tdmr_gap_weight(const struct tdmr_search *search, unsigned int i)
{
	const struct tdmr_border *border = &search->borders[i];
	u64 areas = border->first + 1 - border->last;

	return (u64)(border->start - border->end) << 34 | areas << 32 |
	       (u32)(i * 0x9e3779b1U);
}

/* A heap of borders with the lightest on top: let @i in at @hole. */
static void tdmr_gap_sift(const struct tdmr_search *search, unsigned int nr,
			  unsigned int hole, u32 i)
{
	u32 *heap = search->queue;
	u64 weight = tdmr_gap_weight(search, i);
	unsigned int child;

	while ((child = 2 * hole + 1) < nr) {
		if (child + 1 < nr && tdmr_gap_weight(search, heap[child + 1]) <
				      tdmr_gap_weight(search, heap[child]))
			child++;
		if (weight <= tdmr_gap_weight(search, heap[child]))
			break;
		heap[hole] = heap[child];
		hole = child;
	}
	heap[hole] = i;
}

static int tdmr_cmp_u32(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

/*
 * The least number of granules that so many TDMRs can have: with TDMRs between
 * the widest gaps. Returns false if they need too many areas, or if there are
 * fewer gaps.
 */
static bool tdmr_widest_gaps(struct tdmr_plan *plan, struct tdmr_search *search,
			     unsigned int max_areas)
{
	const struct tdmr_border *b = search->borders;
	unsigned int end = search->nr_borders - 1;
	unsigned int i, j, nr = 0, max = plan->limits.max_tdmrs - 1;
	u32 *heap = search->queue;

	for (i = 1; i < end && nr < max; i++) {
		if (b[i].start > b[i].end)
			heap[nr++] = i;
	}
	if (nr < max)
		return false;
	for (j = nr / 2; j--;)
		tdmr_gap_sift(search, nr, j, heap[j]);
	for (; i < end && nr; i++) {
		if (b[i].start > b[i].end &&
		    tdmr_gap_weight(search, i) > tdmr_gap_weight(search, heap[0]))
			tdmr_gap_sift(search, nr, 0, i);
	}
	sort(heap, nr, sizeof(*heap), tdmr_cmp_u32, NULL);
	heap[nr++] = end;

	for (i = 0, j = 0; j < nr; i = heap[j++]) {
		if (b[heap[j]].last > b[i].first + max_areas)
			return false;
	}

	plan->nr_tdmrs = 0;
	for (i = 0, j = 0; j < nr; i = heap[j++])
		tdmr_emit(plan, b[i].start, b[heap[j]].end);

	return true;
}

/* Are all TDMRs so short that each takes one page of a level that rounds? */
static bool tdmr_all_short(const struct tdmr_plan *plan)
{
	u32 step = tdmr_next_step(&plan->limits, 0);
	unsigned int i;

	for (i = 0; i < plan->nr_tdmrs; i++) {
		if (granule(plan->tdmrs[i].size) > step)
			return false;
	}

	return true;
}

static int tdmr_too_many(struct tdmr_plan *plan)
{
	const struct tdmr *last = &plan->tdmrs[plan->limits.max_tdmrs - 1];
	u64 end = plan->regions[plan->nr_regions - 1].end;
	unsigned int need = plan->nr_tdmrs;

	plan->nr_tdmrs = 0;

	return tdmr_fail(plan, -ENOSPC,
			 "memory needs more TDMRs, with the reserved areas that they may have, than there may be",
			 last->base + last->size, end, need,
			 plan->limits.max_tdmrs);
}

/* The cheapest layout if empty granules have to be covered. */
static int tdmr_solve_bridged(struct tdmr_plan *plan, struct tdmr_search *search,
			      unsigned int max_areas)
{
	bool widest = false;
	int ret;

	if (search)
		widest = tdmr_widest_gaps(plan, search, max_areas);
	/* One gap less saves 2 pages of rounding, and costs a granule or more. */
	if (widest && tdmr_all_short(plan))
		return 0;

	if (!widest) {
		ret = tdmr_greedy(plan, max_areas, true);
		if (ret < 0)
			return ret;
		if (plan->nr_tdmrs > plan->limits.max_tdmrs)
			return tdmr_too_many(plan);
	}

	if (search && tdmr_add_all_steps(plan, search, max_areas))
		tdmr_search(plan, search, max_areas, true);
	else if (search && !widest)
		tdmr_search(plan, search, max_areas, false);

	return 0;
}

/* The cheapest layout with at most @max_areas reserved areas for holes. */
static int tdmr_solve(struct tdmr_plan *plan, unsigned int max_areas)
{
	struct tdmr_search search;
	bool found = false;
	int ret;

	ret = tdmr_greedy(plan, max_areas, false);
	if (ret < 0)
		return ret;
	/* Not cut; or the fewest TDMRs, and none can have fewer pages. */
	if (plan->nr_tdmrs <= plan->limits.max_tdmrs &&
	    (!ret || tdmr_all_short(plan)))
		return 0;

	if (plan->scratch) {
		tdmr_search_init(plan, &search);
		found = tdmr_find_borders(plan, &search, max_areas);
	}

	if (plan->nr_tdmrs > plan->limits.max_tdmrs)
		return tdmr_solve_bridged(plan, found ? &search : NULL, max_areas);

	if (found && tdmr_add_all_steps(plan, &search, max_areas))
		tdmr_search(plan, &search, max_areas, true);

	return 0;
}

/* What follows from base and size of the TDMRs, for all of them */
static void tdmr_fill(struct tdmr_plan *plan)
{
	struct tdmr_survey survey;
	struct tdmr_walk walk;
	struct tdmr *tdmr;
	unsigned int i;
	int ps;

	tdmr_walk_start(plan, &walk);
	for (i = 0; i < plan->nr_tdmrs; i++) {
		tdmr = &plan->tdmrs[i];
		survey = tdmr_survey(plan, &walk, tdmr->base,
				     tdmr->base + tdmr->size);
		tdmr->nid = survey.nid;
		tdmr->nr_reserved = survey.last - survey.first;
		for (ps = 0; ps < TDX_PS_NR; ps++)
			tdmr->pamt_size[ps] = tdmr_pamt_level(&plan->limits,
							      granule(tdmr->size),
							      ps);
	}
}

static u64 tdmr_plan_bytes(const struct tdmr_plan *plan)
{
	unsigned int i;
	u64 bytes = 0;

	for (i = 0; i < plan->nr_tdmrs; i++)
		bytes += tdmr_pamt_total(&plan->tdmrs[i]);

	return bytes;
}

static bool tdmr_any_full(const struct tdmr_plan *plan, unsigned int max_areas)
{
	unsigned int i;

	for (i = 0; i < plan->nr_tdmrs; i++) {
		if (plan->tdmrs[i].nr_reserved == max_areas)
			return true;
	}

	return false;
}

/*
 * A PAMT takes a reserved area of the TDMR that it is in, unless it is beside a
 * hole or another PAMT. So each TDMR is left one if that does not cost memory.
 */
static int tdmr_solve_with_room(struct tdmr_plan *plan)
{
	unsigned int max_areas = tdmr_max_reserved(plan);
	u64 bytes;
	int ret;

	if (plan->room > max_areas)
		return tdmr_fail(plan, -ENOSPC,
				 "PAMTs need more reserved areas than a TDMR may have",
				 plan->regions[0].start,
				 plan->regions[plan->nr_regions - 1].end,
				 plan->room, max_areas);
	ret = tdmr_solve(plan, max_areas - plan->room);
	if (ret)
		return ret;
	tdmr_fill(plan);
	if (plan->room || !max_areas || !tdmr_any_full(plan, max_areas))
		return 0;

	bytes = tdmr_plan_bytes(plan);
	if (!tdmr_solve(plan, max_areas - 1)) {
		tdmr_fill(plan);
		if (tdmr_plan_bytes(plan) == bytes)
			return 0;
	}

	ret = tdmr_solve(plan, max_areas);
	tdmr_fill(plan);

	return ret;
}

/* Cut the i-th TDMR: it ends at granule @end, the new one begins at @start. */
static void tdmr_cut(struct tdmr_plan *plan, unsigned int i, u32 end, u32 start)
{
	struct tdmr *tdmr = &plan->tdmrs[i];
	u64 top = tdmr->base + tdmr->size;

	memmove(tdmr + 1, tdmr, (plan->nr_tdmrs - i) * sizeof(*tdmr));
	plan->nr_tdmrs++;
	tdmr[0] = (struct tdmr) {
		.base = tdmr->base,
		.size = granule_addr(end) - tdmr->base,
	};
	tdmr[1] = (struct tdmr) {
		.base = granule_addr(start),
		.size = top - granule_addr(start),
	};
}

/* A granule that two nodes share goes with the one that has more of it. */
static u32 tdmr_node_border(const struct tdx_region *low,
			    const struct tdx_region *high)
{
	u64 base = ALIGN_DOWN(high->start, TDMR_GRANULE);
	u64 low_size, high_size;

	if (low->end <= base)
		return granule(base);

	low_size = low->end - max(low->start, base);
	high_size = min(high->end, base + TDMR_GRANULE) - high->start;

	return granule(base) + (low_size > high_size);
}

static void tdmr_cut_nodes(struct tdmr_plan *plan)
{
	const struct tdx_region *low, *high;
	unsigned int i = 0, r;
	u32 border, end;

	for (r = 1; r < plan->nr_regions; r++) {
		low = &plan->regions[r - 1];
		high = &plan->regions[r];
		if (low->nid == high->nid)
			continue;
		if (plan->nr_tdmrs == plan->limits.max_tdmrs)
			return;

		border = tdmr_node_border(low, high);
		while (i < plan->nr_tdmrs &&
		       plan->tdmrs[i].base + plan->tdmrs[i].size <=
		       granule_addr(border))
			i++;
		if (i == plan->nr_tdmrs)
			return;

		end = min(border, granule_up(low->end));
		if (granule_addr(border) > plan->tdmrs[i].base)
			tdmr_cut(plan, i, end, border);
	}
}

/*
 * Shares. The workers take the largest TDMR that is left, so the last of them is
 * done when this many granules are: the most that one worker gets. TDMRs are cut
 * into pieces of one size and what is left over, which fills what pieces do not.
 */

/* Pieces of @size granules, and what is left over of each TDMR */
static u64 tdmr_pieces(const struct tdmr_plan *plan, u32 size)
{
	unsigned int i;
	u64 nr = 0;

	for (i = 0; i < plan->nr_tdmrs; i++)
		nr += DIV_ROUND_UP(granule(plan->tdmrs[i].size), size);

	return nr;
}

static void tdmr_share_out(u32 *load, unsigned int workers, u32 granules)
{
	unsigned int i, least = 0;

	for (i = 1; i < workers; i++) {
		if (load[i] < load[least])
			least = i;
	}
	load[least] += granules;
}

static int tdmr_cmp_u32_down(const void *a, const void *b)
{
	return tdmr_cmp_u32(b, a);
}

/* Granules that the busiest worker gets if pieces are of @size */
static u32 tdmr_busiest(const struct tdmr_plan *plan, unsigned int workers,
			u32 size)
{
	u32 load[TDMR_MAX_PIECES] = { }, rest[TDMR_MAX_PIECES];
	unsigned int i, nr = 0, busiest = 0;
	u32 len;

	for (i = 0; i < plan->nr_tdmrs; i++) {
		for (len = granule(plan->tdmrs[i].size); len >= size; len -= size)
			tdmr_share_out(load, workers, size);
		if (len)
			rest[nr++] = len;
	}

	sort(rest, nr, sizeof(*rest), tdmr_cmp_u32_down, NULL);
	for (i = 0; i < nr; i++)
		tdmr_share_out(load, workers, rest[i]);

	for (i = 0; i < workers; i++)
		busiest = max(busiest, load[i]);

	return busiest;
}

/* The smallest size that is not below @size and makes @max pieces at most */
static u32 tdmr_piece_size(const struct tdmr_plan *plan, u32 size,
			   unsigned int max)
{
	u32 low = size, high = granule(TDX_PA_MAX), mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (tdmr_pieces(plan, mid) <= max)
			high = mid;
		else
			low = mid + 1;
	}

	return low;
}

/*
 * The size that leaves the least to the busiest worker. Of equal ones, the
 * smallest that makes no more than two pieces for each worker, besides what is
 * left over of each TDMR: one that is slower than the others then leaves its
 * second piece to them.
 */
static u32 tdmr_best_size(const struct tdmr_plan *plan, unsigned int workers,
			  unsigned int max)
{
	u32 share, size, last = 0, best = 0, busiest, least = U32_MAX;
	unsigned int i, k;
	u64 all = 0, few = 2 * workers + plan->nr_tdmrs;

	for (i = 0; i < plan->nr_tdmrs; i++)
		all += granule(plan->tdmrs[i].size);
	share = DIV_ROUND_UP(all, workers);

	for (k = 1; k <= max; k++) {
		size = tdmr_piece_size(plan, DIV_ROUND_UP(share, k), max);
		if (size == last)
			continue;
		last = size;

		busiest = tdmr_busiest(plan, workers, size);
		if (busiest < least ||
		    (busiest == least && tdmr_pieces(plan, size) <= few)) {
			least = busiest;
			best = size;
		}
	}

	return best;
}

/* Cut TDMRs so that @plan->workers have the same to do, as far as it goes. */
static void tdmr_cut_shares(struct tdmr_plan *plan)
{
	unsigned int max = min_t(unsigned int, plan->limits.max_tdmrs,
				 TDMR_MAX_PIECES);
	unsigned int workers = min(plan->workers, max);
	struct tdmr *tdmr;
	unsigned int i;
	u32 size, end;

	if (workers < 2 || plan->nr_tdmrs >= max)
		return;

	size = tdmr_best_size(plan, workers, max);
	for (i = 0; i < plan->nr_tdmrs; i++) {
		tdmr = &plan->tdmrs[i];
		end = granule(tdmr->base) + size;
		if (granule(tdmr->size) > size)
			tdmr_cut(plan, i, end, end);
	}
}

/**
 * tdmr_plan_layout() - find the TDMRs
 * @plan: input is set; result are TDMRs without PAMT and reserved areas, but
 *	  with sizes of PAMTs, and with the number of areas that holes take in
 *	  nr_reserved
 *
 * Any context. About linear in the number of regions and CMRs; if limits are so
 * tight that a search is needed, times max_tdmrs.
 *
 * Return:
 * * 0		- TDMRs cover all regions, with the least PAMT, and what was
 *		  asked for by per_node and workers on top of it
 * * -EINVAL	- input is not as struct tdmr_plan wants it
 * * -ERANGE	- a region is not in a CMR
 * * -ENOSPC	- no layout is within the limits
 */
int tdmr_plan_layout(struct tdmr_plan *plan)
{
	int ret;

	plan->nr_tdmrs = 0;
	plan->error = (struct tdmr_error) { };

	ret = tdmr_check(plan);
	if (!ret)
		ret = tdmr_solve_with_room(plan);
	if (ret) {
		plan->nr_tdmrs = 0;
		return ret;
	}

	if (plan->per_node)
		tdmr_cut_nodes(plan);
	tdmr_cut_shares(plan);
	tdmr_fill(plan);

	return 0;
}

/**
 * tdmr_plan_split() - cut a TDMR, because there is no memory for its PAMT
 * @plan: a layout; other TDMRs may have PAMTs already
 * @i: index of the TDMR, afterwards of the lower part; the upper is behind it
 * @granules: GiB of the lower part; at least 1, and less than the TDMR has
 *
 * It is cut where it has most granules without memory, wherever that is, or else
 * where @granules says. Both parts have no PAMT; no other PAMT changes. Parts
 * need no more reserved areas than the whole. There have to be less than
 * max_tdmrs TDMRs.
 */
void tdmr_plan_split(struct tdmr_plan *plan, unsigned int i, u64 granules)
{
	struct tdmr *tdmr = &plan->tdmrs[i];
	u64 top = tdmr->base + tdmr->size;
	u32 end = granule(tdmr->base) + granules, start = end;
	const struct tdx_region *region;
	unsigned int r;
	u32 low = 0;

	for (r = 0; r < plan->nr_regions; r++) {
		region = &plan->regions[r];
		if (region->end <= tdmr->base)
			continue;
		if (region->start >= top)
			break;
		if (low && granule(region->start) > low &&
		    granule(region->start) - low > start - end) {
			end = low;
			start = granule(region->start);
		}
		low = granule_up(region->end);
	}

	tdmr_cut(plan, i, end, start);
	tdmr_fill(plan);
}
