// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What planning costs.
 *
 * bench [MICROSECONDS]: prints a table; with an argument, fails if planning 64
 * nodes with 1,000 regions each takes longer (the best of some runs counts).
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tdmr.h"

#define MB	(1ULL << 20)
#define GB	(1ULL << 30)
#define RUNS	15

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}

struct map {
	const char *name;
	u64 region;		/* size of a region */
	u64 step;		/* from one to the next */
	u64 node_gap;		/* between nodes */
	bool convertible;	/* gaps between regions are in CMRs */
};

static const struct map maps[] = {
	{ "regions of 60 MiB in every 64 MiB, one CMR a node", 60 * MB, 64 * MB, 4 * GB, true },
	{ "regions of 1 GiB in every 3 GiB, one CMR a node", GB, 3 * GB, 5 * GB, true },
	{ "regions of 60 MiB in every 64 MiB, each a CMR", 60 * MB, 64 * MB, 4 * GB, false },
};

struct result {
	double best;
	int ret;
	unsigned int nr_tdmrs;
};

static struct result run(const struct map *map, unsigned int nodes, unsigned int regions)
{
	struct tdmr_plan plan = {
		.limits = { .max_tdmrs = 64, .max_reserved = 16, .pamt_entry_size = { 16, 16, 16 } },
	};
	struct tdx_region *r = calloc((size_t)nodes * regions, sizeof(*r));
	struct tdx_range *c = calloc((size_t)nodes * regions, sizeof(*c));
	struct tdmr tdmrs[64];
	struct result result = { .best = 1e12 };
	unsigned int i, j;
	u64 at = 4 * GB;
	void *scratch;

	for (i = 0; i < nodes; i++, at += map->node_gap) {
		u64 first = at;

		for (j = 0; j < regions; j++, at += map->step) {
			r[plan.nr_regions++] = (struct tdx_region){ at, at + map->region, (int)i };
			if (!map->convertible)
				c[plan.nr_cmrs++] = (struct tdx_range){ at, at + map->region };
		}
		if (map->convertible)
			c[plan.nr_cmrs++] = (struct tdx_range){ first, at };
	}
	plan.regions = r;
	plan.cmrs = c;
	plan.tdmrs = tdmrs;
	scratch = malloc(tdmr_scratch_size(&plan));
	plan.scratch = scratch;

	for (i = 0; i < RUNS; i++) {
		double begin = now();

		result.ret = tdmr_plan_layout(&plan);
		begin = now() - begin;
		if (begin < result.best)
			result.best = begin;
	}
	result.nr_tdmrs = plan.nr_tdmrs;

	free(scratch);
	free(r);
	free(c);
	return result;
}

int main(int argc, char **argv)
{
	static const unsigned int shapes[][2] = {
		{ 2, 8 }, { 8, 125 }, { 64, 156 }, { 64, 1000 }, { 100, 1000 },
	};
	double limit = argc > 1 ? atof(argv[1]) : 0;
	unsigned int failed = 0, passed = 0, i, j;

	for (i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		printf("%s\n", maps[i].name);
		for (j = 0; j < sizeof(shapes) / sizeof(shapes[0]); j++) {
			unsigned int nr = shapes[j][0] * shapes[j][1];
			struct result res = run(&maps[i], shapes[j][0], shapes[j][1]);

			printf("  %3u nodes x %4u regions: %9.1f us, %5.2f ns a region, ",
			       shapes[j][0], shapes[j][1], res.best, res.best * 1e3 / nr);
			if (res.ret)
				printf("no layout (%d)\n", res.ret);
			else
				printf("%u TDMRs\n", res.nr_tdmrs);
			if (limit && nr == 64000) {
				if (res.best <= limit)
					passed++;
				else
					failed++;
			}
		}
	}
	if (limit)
		printf("bench: %u passed, %u failed\n", passed, failed);

	return failed != 0;
}
