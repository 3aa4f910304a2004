// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer: the planner with any input there is, sane or not. What it calls a
 * plan has to pass tdmr_verify().
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tdmr.h"

#define MAX_RANGES	64
#define MAX_TDMRS	20

struct reader {
	const uint8_t *at, *end;
};

static u64 take(struct reader *r, unsigned int bytes)
{
	u64 value = 0;

	while (bytes-- && r->at < r->end)
		value = value << 8 | *r->at++;

	return value;
}

/* Mostly something near what is sensible: the next address, some pages or GiB on */
static u64 address(struct reader *r, u64 from)
{
	u64 kind = take(r, 1);

	switch (kind & 7) {
	case 0:
		return take(r, 8);
	case 1:
		return from - (take(r, 2) << 12);
	case 2:
	case 3:
		return from + (take(r, 2) << 12);
	case 4:
		return (from + (take(r, 1) << 30)) & ~(TDMR_GRANULE - 1);
	default:
		return from + (take(r, 2) << 22);
	}
}

struct pool {
	struct tdx_range taken[64];
	unsigned int nr;
	u64 refuse;		/* a bit for each of the next calls */
};

static u64 pool_take(void *ctx, u64 start, u64 end, int nid, bool move)
{
	struct pool *pool = ctx;
	unsigned int i;

	(void)nid;
	(void)move;
	pool->refuse = pool->refuse >> 1 | pool->refuse << 63;
	if (pool->refuse & 1)
		return end;
	for (i = 0; i < pool->nr; i++) {
		if (start < pool->taken[i].end && pool->taken[i].start < end)
			return pool->taken[i].end;
	}
	if (pool->nr == 64)
		abort();
	pool->taken[pool->nr++] = (struct tdx_range){ start, end };

	return 0;
}

static void pool_give(void *ctx, u64 start, u64 end)
{
	(void)ctx;
	(void)start;
	(void)end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct tdmr_pamt_ops ops = { .take = pool_take, .give = pool_give };
	struct reader r = { data, data + size };
	struct tdx_region regions[MAX_RANGES];
	struct tdx_range cmrs[MAX_RANGES];
	struct tdmr tdmrs[MAX_TDMRS];
	struct pool pool = { .nr = 0 };
	struct tdmr_plan plan = { .regions = regions, .cmrs = cmrs, .tdmrs = tdmrs };
	unsigned int i, flags = take(&r, 1);
	u64 at = 0;

	plan.nr_regions = take(&r, 1) % (MAX_RANGES + 1);
	plan.nr_cmrs = flags & 1 ? plan.nr_regions : take(&r, 1) % (MAX_RANGES + 1);
	plan.limits.max_tdmrs = take(&r, 1) % (MAX_TDMRS + 1);
	plan.limits.max_reserved = take(&r, 1) % 20;
	for (i = 0; i < TDX_PS_NR; i++)
		plan.limits.pamt_entry_size[i] = flags & 2 ? take(&r, 2) : 16;
	plan.workers = flags & 4 ? take(&r, 1) : 0;
	plan.per_node = flags & 8;
	plan.room = flags & 16 ? take(&r, 1) % 20 : 0;
	pool.refuse = flags & 32 ? take(&r, 8) : 0;

	for (i = 0; i < plan.nr_regions; i++) {
		regions[i].start = address(&r, at);
		regions[i].end = at = address(&r, regions[i].start);
		regions[i].nid = take(&r, 1) % 4;
	}
	for (i = 0, at = 0; i < plan.nr_cmrs; i++) {
		if (flags & 1) {
			cmrs[i] = (struct tdx_range){ regions[i].start, regions[i].end };
			continue;
		}
		cmrs[i].start = address(&r, at);
		cmrs[i].end = at = address(&r, cmrs[i].start);
	}

	/* Exactly as large as it says, so that a sanitizer sees what is beyond. */
	if (!(flags & 64))
		plan.scratch = malloc(tdmr_scratch_size(&plan));

	if (!tdmr_plan_layout(&plan)) {
		if (plan.nr_tdmrs > plan.limits.max_tdmrs)
			abort();
		if (!tdmr_plan_place(&plan, &ops, &pool) && (tdmr_plan_reserve(&plan) || tdmr_verify(&plan)))
			abort();
	} else if (!plan.error.why) {
		abort();
	}
	free(plan.scratch);

	return 0;
}
