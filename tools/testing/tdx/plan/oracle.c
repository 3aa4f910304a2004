// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The planner against exhaustive search.
 *
 * Random memory maps of a few GiB, in units of 1/8 GiB, with shrunken limits.
 * For each, all layouts there are, one by one, are checked against the limits,
 * reserved areas being counted unit by unit; the planner has to find a layout
 * if, and only if, there is one, and has to find one with the least PAMT. What
 * it finds goes on to PAMT placement, reserved areas, tdmr_verify(), and a
 * second check that counts units.
 *
 * Built with LARGE, the maps have a thousand GiB, and the layout has to have the
 * least number of granules, and no more than two pages for each TDMR above the
 * least PAMT.
 *
 * oracle [-s SEED] [-t SECONDS | -n INSTANCES]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tdmr.h"

#define UNITS		8			/* of a granule */
#define UNIT		(TDMR_GRANULE / UNITS)
#ifndef LARGE
#define MAX_GRANULES	40
#else
/* More runs of memory than the exact search takes: granules count, see tdmr.c. */
#define MAX_GRANULES	1300
#endif
#define MAX_UNITS	(MAX_GRANULES * UNITS)
#define EXHAUSTIVE	9			/* granules; more are left to the second oracle */
#define NONE		(~0ULL)
#define MAX_COST_TDMRS	12

static u64 rng_state;

static u64 rng(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state * 0x2545f4914f6cdd1dULL;
}

static unsigned int below(unsigned int n)
{
	return (rng() >> 33) % n;
}

/* One instance, as units and as the planner wants it */
struct instance {
	unsigned int granules;
	u64 base;
	bool cmr[MAX_UNITS];
	bool memory[MAX_UNITS];
	int node[MAX_UNITS];
	struct tdx_region regions[MAX_UNITS];
	struct tdx_range cmrs[2 * MAX_UNITS];
	struct tdmr_plan plan;
	struct tdmr tdmrs[MAX_GRANULES];
	/* By first granule and the one behind the last */
	u64 pamt[MAX_GRANULES + 1];
	unsigned int areas[MAX_GRANULES][MAX_GRANULES + 1];
};

static u64 unit_addr(const struct instance *in, unsigned int unit)
{
	return in->base + unit * UNIT;
}

/* Runs of random length, on with a chance of @density in 16 */
static void random_units(bool *map, unsigned int nr, unsigned int density, unsigned int longest)
{
	unsigned int i = 0;

	while (i < nr) {
		unsigned int len = 1 + below(longest);
		bool on = below(16) < density;

		for (; len-- && i < nr; i++)
			map[i] = on;
	}
}

static void make_lists(struct instance *in)
{
	struct tdmr_plan *plan = &in->plan;
	unsigned int i, nr = in->granules * UNITS;

	for (i = 0; i < nr; i++) {
		struct tdx_region *r = &in->regions[plan->nr_regions];
		struct tdx_range *c = &in->cmrs[plan->nr_cmrs];

		if (in->memory[i]) {
			if (plan->nr_regions && r[-1].end == unit_addr(in, i) &&
			    r[-1].nid == in->node[i] && below(8)) {
				r[-1].end += UNIT;
			} else {
				*r = (struct tdx_region){ unit_addr(in, i), unit_addr(in, i + 1), in->node[i] };
				plan->nr_regions++;
			}
		}
		if (in->cmr[i]) {
			/* CMRs that touch, and null ones, mean nothing. */
			if (!below(32)) {
				*c++ = (struct tdx_range){ 0, 0 };
				plan->nr_cmrs++;
			}
			if (plan->nr_cmrs && c[-1].end == unit_addr(in, i) && below(8)) {
				c[-1].end += UNIT;
			} else {
				*c = (struct tdx_range){ unit_addr(in, i), unit_addr(in, i + 1) };
				plan->nr_cmrs++;
			}
		}
	}
}

static u16 random_entry_size(void)
{
	static const u16 sizes[] = { 16, 16, 16, 16, 8, 1, 2, 3, 5, 12, 24, 100, 1000, 1365, 2048, 3000, 4096, 6000 };

	return sizes[below(sizeof(sizes) / sizeof(sizes[0]))];
}

static void make_instance(struct instance *in, bool small)
{
	unsigned int nr, i, node = 0, longest = 1 + below(20);

	memset(in, 0, sizeof(*in));
	in->granules = 1 + below(small ? EXHAUSTIVE : MAX_GRANULES);
#ifdef LARGE
	in->granules = MAX_GRANULES - below(100);
	longest = 3 + below(9);
#endif
	in->base = below(4) ? TDMR_GRANULE * below(100) : 0;
	nr = in->granules * UNITS;

	random_units(in->memory, nr, 1 + below(16), longest);
	random_units(in->cmr, nr, below(16), longest);
	for (i = 0; i < nr; i++) {
		in->cmr[i] |= in->memory[i];
		if (!below(30))
			node = below(3);
		in->node[i] = node;
	}
	/* Now and then, memory that is in no CMR */
	if (!below(100))
		in->cmr[below(nr)] = false;
	in->memory[0] |= in->cmr[0];
#ifdef LARGE
	/* Every other granule is empty, most holes are in memory of CMRs. */
	for (i = 0; i < nr; i++) {
		if (i / UNITS % 2 && below(200))
			in->memory[i] = false;
		in->cmr[i] |= in->memory[i] || below(100);
	}
#endif

	make_lists(in);
	in->plan.regions = in->regions;
	in->plan.cmrs = in->cmrs;
	in->plan.tdmrs = in->tdmrs;
	in->plan.limits.max_tdmrs = 1 + below(small ? 5 : 12);
	in->plan.limits.max_reserved = below(16) ? 1 + below(4) : below(17);
	for (i = 0; i < TDX_PS_NR; i++)
		in->plan.limits.pamt_entry_size[i] = below(2) ? 16 : random_entry_size();
#ifdef LARGE
	in->plan.limits.max_reserved = below(4) ? 16 : 1 + below(16);
	in->plan.limits.pamt_entry_size[TDX_PS_4K] = 16;
#endif
}

/* Areas of granules [a, b), for all b: stretches without memory that have a hole */
static void count_areas(struct instance *in, unsigned int a)
{
	unsigned int i, nr = 0;
	bool hole = false;

	for (i = a * UNITS; i < in->granules * UNITS; i++) {
		if (in->memory[i])
			hole = false;
		else if (!in->cmr[i] && !hole) {
			hole = true;
			nr++;
		}
		if ((i + 1) % UNITS == 0)
			in->areas[a][(i + 1) / UNITS] = nr;
	}
}

static u64 pamt_bytes(const struct tdmr_limits *limits, u64 granules)
{
	u64 sum = 0, size;
	int ps;

	for (ps = 0; ps < TDX_PS_NR; ps++) {
		size = granules * (TDMR_GRANULE >> (12 + 9 * ps)) * limits->pamt_entry_size[ps];
		sum += (size + 4095) / 4096 * 4096;
	}

	return sum;
}

static bool needed(const struct instance *in, unsigned int granule)
{
	unsigned int i;

	for (i = 0; i < UNITS; i++) {
		if (in->memory[granule * UNITS + i])
			return true;
	}

	return false;
}

static void make_tables(struct instance *in)
{
	unsigned int a;

	for (a = 0; a < in->granules; a++) {
		count_areas(in, a);
		in->pamt[a + 1] = pamt_bytes(&in->plan.limits, a + 1);
	}
}

/* All layouts of the granules from @at on, with @tdmrs TDMRs below */
static void enumerate(const struct instance *in, unsigned int max_areas, unsigned int at,
		      unsigned int tdmrs, u64 cost, u64 *least)
{
	unsigned int end;

	if (at == in->granules) {
		if (cost < *least)
			*least = cost;
		return;
	}

	if (!needed(in, at))
		enumerate(in, max_areas, at + 1, tdmrs, cost, least);
	if (tdmrs == in->plan.limits.max_tdmrs)
		return;
	for (end = at + 1; end <= in->granules; end++) {
		if (in->areas[at][end] <= max_areas)
			enumerate(in, max_areas, end, tdmrs + 1, cost + in->pamt[end - at], least);
	}
}

/*
 * The same for larger instances, by least cost to each granule; without
 * @granules, the cost is bytes of PAMT.
 */
static u64 least_cost(const struct instance *in, unsigned int max_areas, bool granules)
{
	static u64 cost[MAX_COST_TDMRS + 1][MAX_GRANULES + 1];
	unsigned int t, a, b, max = in->plan.limits.max_tdmrs;
	u64 least = NONE;

	if (max > in->granules)
		max = in->granules;
	for (t = 0; t <= max; t++) {
		for (b = 0; b <= in->granules; b++) {
			u64 *c = &cost[t][b];

			*c = !t && !b ? 0 : NONE;
			if (b && !needed(in, b - 1))
				*c = cost[t][b - 1];
			for (a = b; t && a--;) {
				u64 more = granules ? b - a : in->pamt[b - a];

				/* The longer, the more areas */
				if (in->areas[a][b] > max_areas)
					break;
				if (cost[t - 1][a] != NONE && cost[t - 1][a] + more < *c)
					*c = cost[t - 1][a] + more;
			}
		}
		if (cost[t][in->granules] < least)
			least = cost[t][in->granules];
	}

	return least;
}

static void dump(const struct instance *in)
{
	const struct tdmr_plan *plan = &in->plan;
	unsigned int i;

	fprintf(stderr, "max_tdmrs %u, max_reserved %u, entries %u %u %u, room %u, base %u GiB; # memory, c CMR, . hole\n",
		plan->limits.max_tdmrs, plan->limits.max_reserved, plan->limits.pamt_entry_size[0],
		plan->limits.pamt_entry_size[1], plan->limits.pamt_entry_size[2], plan->room,
		(unsigned int)(in->base / TDMR_GRANULE));
	for (i = 0; i < in->granules * UNITS; i++)
		fprintf(stderr, "%s%c", i && i % UNITS == 0 ? "|" : "", in->memory[i] ? '#' : in->cmr[i] ? 'c' : '.');
	fprintf(stderr, "\n");
	for (i = 0; i < plan->nr_tdmrs; i++)
		fprintf(stderr, "TDMR [%llu, %llu) GiB of node %d, %u areas\n", plan->tdmrs[i].base / TDMR_GRANULE,
			(plan->tdmrs[i].base + plan->tdmrs[i].size) / TDMR_GRANULE, plan->tdmrs[i].nid,
			plan->tdmrs[i].nr_reserved);
	for (i = 0; i < plan->nr_tdmrs; i++) {
		const struct tdmr *t = &plan->tdmrs[i];
		unsigned int j;

		for (j = 0; t->pamt_base[0] && j < TDX_PS_NR; j++)
			fprintf(stderr, "TDMR %u PAMT [%#llx, %#llx)\n", i, t->pamt_base[j],
				t->pamt_base[j] + t->pamt_size[j]);
		for (j = 0; t->pamt_base[0] && j < t->nr_reserved; j++)
			fprintf(stderr, "TDMR %u reserved [%#llx, %#llx)\n", i, t->reserved[j].start,
				t->reserved[j].end);
	}
	if (plan->error.why)
		fprintf(stderr, "error: [%#llx, %#llx) %s; need %llu, limit %llu\n", plan->error.range.start,
			plan->error.range.end, plan->error.why, plan->error.need, plan->error.limit);
}

static u64 seed;
static unsigned long instances;

static void disagree(const struct instance *in, const char *what)
{
	dump(in);
	fprintf(stderr, "DISAGREEMENT at seed %llu instance %lu: %s\n", seed, instances, what);
	printf("oracle: 0 passed, 1 failed\n");
	exit(1);
}

static u64 plan_bytes(const struct tdmr_plan *plan)
{
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < plan->nr_tdmrs; i++)
		sum += tdmr_pamt_total(&plan->tdmrs[i]);

	return sum;
}

static void check_layout(const struct instance *in, u64 least, unsigned int max_areas)
{
	const struct tdmr_plan *plan = &in->plan;
	bool covered[MAX_GRANULES] = { };
	unsigned int i, g;
	u64 sum = 0;

	if (plan->nr_tdmrs > plan->limits.max_tdmrs)
		disagree(in, "too many TDMRs");
	for (i = 0; i < plan->nr_tdmrs; i++) {
		const struct tdmr *t = &plan->tdmrs[i];
		unsigned int a = (t->base - in->base) / TDMR_GRANULE, b = a + t->size / TDMR_GRANULE;

		if (t->base < in->base || t->base % TDMR_GRANULE || !t->size || t->size % TDMR_GRANULE ||
		    b > in->granules || (i && t->base < t[-1].base + t[-1].size))
			disagree(in, "malformed TDMR");
		for (g = a; g < b; g++)
			covered[g] = true;
		if (in->areas[a][b] > max_areas)
			disagree(in, "too many areas");
		if (in->areas[a][b] != t->nr_reserved)
			disagree(in, "areas counted wrong");
		sum += in->pamt[b - a];
		if (in->pamt[b - a] != tdmr_pamt_total(t))
			disagree(in, "PAMT size");
	}
	for (g = 0; g < in->granules; g++) {
		if (needed(in, g) && !covered[g])
			disagree(in, "memory that is in no TDMR");
	}
#ifndef LARGE
	if (least != NONE && sum != least)
		disagree(in, "not the least PAMT");
#else
	if (least != NONE && (sum < least || sum > least + 2 * 4096ULL * plan->nr_tdmrs))
		disagree(in, "not about the least PAMT");
	for (i = 0, g = 0; i < plan->nr_tdmrs; i++)
		g += plan->tdmrs[i].size / TDMR_GRANULE;
	if (least != NONE && g != least_cost(in, max_areas, true))
		disagree(in, "not the least number of granules");
#endif
}

/* An allocator that has all memory, but for what is taken */
struct pool {
	unsigned int nr;
	struct tdx_range taken[3 * MAX_GRANULES];
};

static u64 pool_take(void *ctx, u64 start, u64 end, int nid, bool move)
{
	struct pool *pool = ctx;
	unsigned int i;

	(void)nid;
	(void)move;
	for (i = 0; i < pool->nr; i++) {
		if (start < pool->taken[i].end && pool->taken[i].start < end)
			return pool->taken[i].end;
	}
	pool->taken[pool->nr++] = (struct tdx_range){ start, end };
	return 0;
}

static void pool_give(void *ctx, u64 start, u64 end)
{
	(void)ctx;
	(void)start;
	(void)end;
}

static const struct tdmr_pamt_ops pool_ops = { .take = pool_take, .give = pool_give };

static bool in_pamt(const struct tdmr_plan *plan, u64 addr)
{
	unsigned int i;
	int ps;

	for (i = 0; i < plan->nr_tdmrs; i++) {
		for (ps = 0; ps < TDX_PS_NR; ps++) {
			if (addr >= plan->tdmrs[i].pamt_base[ps] &&
			    addr < plan->tdmrs[i].pamt_base[ps] + plan->tdmrs[i].pamt_size[ps])
				return true;
		}
	}

	return false;
}

static bool in_reserved(const struct tdmr *t, u64 addr)
{
	unsigned int i;

	for (i = 0; i < t->nr_reserved; i++) {
		if (addr >= t->reserved[i].start && addr < t->reserved[i].end)
			return true;
	}

	return false;
}

/* What tdmr_verify() says, seen from the first byte of each unit */
static void check_reserved(const struct instance *in)
{
	const struct tdmr_plan *plan = &in->plan;
	unsigned int i, unit;
	u64 addr;

	for (i = 0; i < plan->nr_tdmrs; i++) {
		const struct tdmr *t = &plan->tdmrs[i];

		for (addr = t->base; addr < t->base + t->size; addr += UNIT) {
			unit = (addr - in->base) / UNIT;
			if (!in->cmr[unit] && !in_reserved(t, addr))
				disagree(in, "hole that is not reserved");
			if (in->memory[unit] && in_reserved(t, addr) != in_pamt(plan, addr))
				disagree(in, "memory and PAMTs");
		}
	}
}

static unsigned long unplaced, feasible;

static void check_placed(struct instance *in)
{
	struct pool pool = { };
	unsigned int before = in->plan.nr_tdmrs;

	if (tdmr_plan_place(&in->plan, &pool_ops, &pool)) {
		/* Memory to be had is far more than entries of 16 bytes need. */
		if (in->plan.limits.max_reserved && plan_bytes(&in->plan) < UNIT)
			disagree(in, "no place for PAMTs");
		unplaced++;
		return;
	}
	if (in->plan.nr_tdmrs != before && plan_bytes(&in->plan) < UNIT)
		disagree(in, "TDMR was cut although memory is there");
	if (tdmr_plan_reserve(&in->plan))
		disagree(in, "reserved areas");
	if (tdmr_verify(&in->plan))
		disagree(in, "tdmr_verify()");
	check_reserved(in);
}

/*
 * Whoever takes the largest that is left is done no later than an even share and
 * the largest piece after the begin. Pieces of the @k-th part of a share are
 * @k for each worker, and one for each TDMR, at most.
 */
static void check_shares(const struct instance *in, unsigned int uncut)
{
	const struct tdmr_plan *plan = &in->plan;
	unsigned int max = plan->limits.max_tdmrs, workers = plan->workers < max ? plan->workers : max;
	unsigned int size[MAX_GRANULES], left = plan->nr_tdmrs, all = 0, share, k, piece, i;
	unsigned int load[MAX_GRANULES + 4] = { 0 }, busiest = 0, best, w;

	if (workers < 2 || uncut == max) {
		if (plan->nr_tdmrs != uncut)
			disagree(in, "cut for nobody");
		return;
	}

	for (i = 0; i < plan->nr_tdmrs; i++)
		all += size[i] = plan->tdmrs[i].size / TDMR_GRANULE;
	share = (all + workers - 1) / workers;
	k = (max - uncut) / workers;
	piece = k ? (share + k - 1) / k : (all + max - uncut - 1) / (max - uncut);

	for (; left; left--) {
		for (i = 0, best = 0; i < plan->nr_tdmrs; i++)
			best = size[i] > size[best] ? i : best;
		for (i = 0, w = 0; i < workers; i++)
			w = load[i] < load[w] ? i : w;
		load[w] += size[best];
		size[best] = 0;
		busiest = load[w] > busiest ? load[w] : busiest;
	}
	if (busiest > share + piece)
		disagree(in, "shares are not even");
}

static void run_instance(struct instance *in, void *scratch, bool small)
{
	struct tdmr_plan *plan = &in->plan;
	unsigned int max_areas, uncut, i;
	u64 least = NONE;
	bool bad = false;
	int ret;

	make_instance(in, small);
	if (!plan->nr_regions)
		return;
	plan->scratch = scratch;
	plan->room = below(10) ? 0 : below(4);
	max_areas = plan->limits.max_reserved < 16 ? plan->limits.max_reserved : 16;
	for (i = 0; i < in->granules * UNITS; i++)
		bad |= in->memory[i] && !in->cmr[i];

	make_tables(in);
	if (plan->room <= max_areas && !bad) {
		max_areas -= plan->room;
		if (small)
			enumerate(in, max_areas, 0, 0, 0, &least);
		else
			least = least_cost(in, max_areas, false);
	}

	ret = tdmr_plan_layout(plan);
	if ((ret == 0) != (least != NONE))
		disagree(in, ret ? "no layout found, there is one" : "layout found, there is none");
	if (ret) {
		if (ret != (bad ? -34 : -28) || !plan->error.why ||
		    plan->error.range.start >= plan->error.range.end || plan->nr_tdmrs)
			disagree(in, "error is not as it should be");
		return;
	}

	feasible++;
	check_layout(in, least, max_areas);
	check_placed(in);

	/* Without scratch memory: a layout, too */
	if (!below(8)) {
		plan->scratch = NULL;
		if (tdmr_plan_layout(plan))
			disagree(in, "no layout without scratch memory");
		check_layout(in, NONE, max_areas);
		plan->scratch = scratch;
	}

	/* More TDMRs than needed: still a layout, at the price of pages */
	if (!below(8)) {
		plan->per_node = below(2);
		if (tdmr_plan_layout(plan))
			disagree(in, "no layout with per_node");
		uncut = plan->nr_tdmrs;
		plan->workers = below(plan->limits.max_tdmrs + 4);
		if (tdmr_plan_layout(plan))
			disagree(in, "no layout with workers, per_node");
		check_layout(in, NONE, max_areas);
		check_shares(in, uncut);
		if (plan_bytes(plan) > least + 2 * 4096ULL * plan->nr_tdmrs)
			disagree(in, "a cut costs more than a page of each level");
		check_placed(in);
		plan->workers = 0;
		plan->per_node = false;
	}
}

int main(int argc, char **argv)
{
	unsigned long limit = 0;
	double seconds = 10;
	time_t begin = time(NULL), told = begin;
	struct instance *in = malloc(sizeof(*in));
	void *scratch;
	int c;

	seed = 1;
	while ((c = getopt(argc, argv, "s:t:n:")) != -1) {
		if (c == 's')
			seed = strtoull(optarg, NULL, 0);
		else if (c == 't')
			seconds = atof(optarg);
		else if (c == 'n')
			limit = strtoul(optarg, NULL, 0);
		else
			return 2;
	}
	rng_state = seed * 0x9e3779b97f4a7c15ULL + 1;

	in->plan = (struct tdmr_plan){ .nr_regions = MAX_UNITS, .nr_cmrs = 2 * MAX_UNITS };
	in->plan.limits.max_tdmrs = 16;
	scratch = malloc(tdmr_scratch_size(&in->plan));

	for (;; instances++) {
		time_t now;

		if (limit && instances == limit)
			break;
		if (instances % (MAX_GRANULES == 40 ? 1024 : 1) == 0) {
			now = time(NULL);
			if (!limit && now - begin >= seconds && instances)
				break;
			if (now - told >= 10) {
				told = now;
				fprintf(stderr, "oracle: %lu instances, %lu with a layout, no disagreement [%lld s]\n",
					instances, feasible, (long long)(now - begin));
			}
		}
		run_instance(in, scratch, MAX_GRANULES == 40 && instances % 4 != 3);
	}

	printf("oracle: seed %llu, %lu instances, %lu with a layout; of these %lu with memory too small for the PAMT\n",
	       seed, instances, feasible, unplaced);
	printf("oracle: 1 passed, 0 failed\n");
	free(scratch);
	free(in);
	return 0;
}
