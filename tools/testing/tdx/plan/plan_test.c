// SPDX-License-Identifier: GPL-2.0-or-later
/* The planner, case by case: errors, options, PAMT placement, reserved areas, and the checker. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tdmr.h"

#define KB	(1ULL << 10)
#define MB	(1ULL << 20)
#define GB	(1ULL << 30)
#define TB	(1ULL << 40)
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static unsigned int passed, failed;

static void check(bool ok, const char *what, int line)
{
	if (ok) {
		passed++;
		return;
	}
	failed++;
	printf("FAILED line %d: %s\n", line, what);
}

#define CHECK(condition)	check(condition, #condition, __LINE__)

#define MAX_TDMRS	64

/* A plan with room for everything */
struct test {
	struct tdmr_plan plan;
	struct tdmr tdmrs[MAX_TDMRS];
	struct tdx_range guessed[256];
	void *scratch;
};

static void init(struct test *t, const struct tdx_region *regions, unsigned int nr_regions,
		 const struct tdx_range *cmrs, unsigned int nr_cmrs)
{
	unsigned int i;

	memset(t, 0, sizeof(*t));
	t->plan.regions = regions;
	t->plan.nr_regions = nr_regions;
	t->plan.cmrs = cmrs;
	t->plan.nr_cmrs = nr_cmrs;
	t->plan.limits = (struct tdmr_limits){ MAX_TDMRS, 16, { 16, 16, 16 } };
	t->plan.tdmrs = t->tdmrs;
	/* Without CMRs: each region is one. */
	if (!cmrs) {
		for (i = 0; i < nr_regions; i++)
			t->guessed[i] = (struct tdx_range){ regions[i].start, regions[i].end };
		t->plan.cmrs = t->guessed;
		t->plan.nr_cmrs = nr_regions;
	}
	t->scratch = malloc(tdmr_scratch_size(&t->plan));
	t->plan.scratch = t->scratch;
}

static void done(struct test *t)
{
	free(t->scratch);
}

#define INIT(t, regions, cmrs)	init(t, regions, ARRAY_SIZE(regions), cmrs, ARRAY_SIZE(cmrs))
#define INIT_RAM(t, regions)	init(t, regions, ARRAY_SIZE(regions), NULL, 0)

static u64 bytes(const struct tdmr_plan *plan)
{
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < plan->nr_tdmrs; i++)
		sum += tdmr_pamt_total(&plan->tdmrs[i]);

	return sum;
}

static bool is_error(const struct tdmr_plan *plan, const char *why, u64 start, u64 end, u64 need, u64 limit)
{
	const struct tdmr_error *e = &plan->error;

	if (e->why && strstr(e->why, why) && e->range.start == start && e->range.end == end && e->need == need &&
	    e->limit == limit && !plan->nr_tdmrs)
		return true;
	printf("error is: %s [%#llx, %#llx) need %llu limit %llu\n", e->why, e->range.start, e->range.end, e->need,
	       e->limit);

	return false;
}

static bool is_tdmr(const struct tdmr_plan *plan, unsigned int i, u64 base, u64 end)
{
	if (i < plan->nr_tdmrs && plan->tdmrs[i].base == base && plan->tdmrs[i].base + plan->tdmrs[i].size == end)
		return true;
	printf("of %u TDMRs, %u is [%#llx, %#llx)\n", plan->nr_tdmrs, i, plan->tdmrs[i].base,
	       plan->tdmrs[i].base + plan->tdmrs[i].size);

	return false;
}

static void test_bad_input(void)
{
	static const struct tdx_region good[] = { { GB, 2 * GB, 0 } };
	static const struct tdx_region empty[] = { { GB, GB, 0 } };
	static const struct tdx_region backwards[] = { { 2 * GB, GB, 0 } };
	static const struct tdx_region beyond[] = { { GB, (1ULL << 52) + GB, 0 } };
	static const struct tdx_region overlap[] = { { GB, 2 * GB, 0 }, { 2 * GB - 4096, 3 * GB, 0 } };
	static const struct tdx_region order[] = { { 4 * GB, 5 * GB, 0 }, { GB, 2 * GB, 0 } };
	static const struct tdx_region crooked[] = { { GB + 512, 2 * GB, 0 } };
	static const struct tdx_range all[] = { { 0, 1ULL << 52 } };
	static const struct tdx_range cmr_backwards[] = { { 2 * GB, GB } };
	static const struct tdx_range cmr_beyond[] = { { 0, (1ULL << 52) + 4096 } };
	static const struct tdx_range cmr_overlap[] = { { 0, 2 * GB }, { GB, 3 * GB } };
	static const struct tdx_range cmr_crooked[] = { { 0, 3 * GB + 512 } };
	static const struct tdx_range half[] = { { 0, GB + 512 * MB } };
	static const struct tdx_range hole[] = { { 0, GB + 512 * MB }, { GB + 513 * MB, 4 * GB } };
	struct test t;

	INIT(&t, good, all);
	CHECK(tdmr_plan_layout(&t.plan) == 0);
	t.plan.limits.max_tdmrs = 0;
	CHECK(tdmr_plan_layout(&t.plan) == -22 && is_error(&t.plan, "no TDMR allowed", 0, 0, 0, 0));
	t.plan.limits.max_tdmrs = 1;
	t.plan.limits.pamt_entry_size[TDX_PS_2M] = 0;
	CHECK(tdmr_plan_layout(&t.plan) == -22 && is_error(&t.plan, "PAMT entries of no size", 0, 0, 0, 0));
	t.plan.limits.pamt_entry_size[TDX_PS_2M] = 16;
	t.plan.nr_regions = 0;
	CHECK(tdmr_plan_layout(&t.plan) == -22 && is_error(&t.plan, "no memory at all", 0, 0, 0, 0));
	done(&t);

	INIT(&t, empty, all);
	CHECK(tdmr_plan_layout(&t.plan) == -22 && is_error(&t.plan, "memory is empty", GB, GB, 0, 0));
	done(&t);
	INIT(&t, backwards, all);
	CHECK(tdmr_plan_layout(&t.plan) == -22 && is_error(&t.plan, "memory is empty", 2 * GB, GB, 0, 0));
	done(&t);
	INIT(&t, beyond, all);
	CHECK(tdmr_plan_layout(&t.plan) == -22 && is_error(&t.plan, "beyond 52 bits", GB, (1ULL << 52) + GB, 0, 0));
	done(&t);
	INIT(&t, overlap, all);
	CHECK(tdmr_plan_layout(&t.plan) == -22 &&
	      is_error(&t.plan, "memory overlaps", 2 * GB - 4096, 3 * GB, 0, 0));
	done(&t);
	INIT(&t, order, all);
	CHECK(tdmr_plan_layout(&t.plan) == -22 && is_error(&t.plan, "out of order", GB, 2 * GB, 0, 0));
	done(&t);
	INIT(&t, crooked, all);
	CHECK(tdmr_plan_layout(&t.plan) == -22 && is_error(&t.plan, "no multiple of 4 KiB", GB + 512, 2 * GB, 0, 0));
	done(&t);
	INIT(&t, good, cmr_backwards);
	CHECK(tdmr_plan_layout(&t.plan) == -22 && is_error(&t.plan, "CMR ends before", 2 * GB, GB, 0, 0));
	done(&t);
	INIT(&t, good, cmr_beyond);
	CHECK(tdmr_plan_layout(&t.plan) == -22 &&
	      is_error(&t.plan, "beyond 52 bits", 0, (1ULL << 52) + 4096, 0, 0));
	done(&t);
	INIT(&t, good, cmr_overlap);
	CHECK(tdmr_plan_layout(&t.plan) == -22 && is_error(&t.plan, "CMR overlaps", GB, 3 * GB, 0, 0));
	done(&t);
	INIT(&t, good, cmr_crooked);
	CHECK(tdmr_plan_layout(&t.plan) == -22 && is_error(&t.plan, "CMR is no multiple", 0, 3 * GB + 512, 0, 0));
	done(&t);
	INIT(&t, good, half);
	CHECK(tdmr_plan_layout(&t.plan) == -34 && is_error(&t.plan, "not in a CMR", GB, 2 * GB, 0, 0));
	done(&t);
	INIT(&t, good, hole);
	CHECK(tdmr_plan_layout(&t.plan) == -34 && is_error(&t.plan, "not in a CMR", GB, 2 * GB, 0, 0));
	t.plan.nr_cmrs = 0;
	CHECK(tdmr_plan_layout(&t.plan) == -34 && is_error(&t.plan, "not in a CMR", GB, 2 * GB, 0, 0));
	done(&t);
}

/* Memory of which a part is in use, in blocks of 1 MiB */
#define POOL_BLOCKS	(64 * 1024)

struct pool {
	unsigned char state[POOL_BLOCKS];	/* 0 free, 1 in use, 2 in use but movable */
	struct tdx_range taken[3 * MAX_TDMRS + 8];
	unsigned int nr_taken;
	unsigned int takes, gives;
	u64 bytes;
};

static u64 pool_take(void *ctx, u64 start, u64 end, int nid, bool move)
{
	struct pool *pool = ctx;
	unsigned int i;
	u64 b;

	(void)nid;
	for (b = (end - 1) / MB + 1; b-- > start / MB;) {
		if (b >= POOL_BLOCKS || pool->state[b] == 1 || (pool->state[b] == 2 && !move))
			return (b + 1) * MB;
	}
	for (i = 0; i < pool->nr_taken; i++) {
		if (start < pool->taken[i].end && pool->taken[i].start < end)
			return pool->taken[i].end;
	}
	pool->taken[pool->nr_taken++] = (struct tdx_range){ start, end };
	pool->takes++;
	pool->bytes += end - start;

	return 0;
}

static void pool_give(void *ctx, u64 start, u64 end)
{
	struct pool *pool = ctx;
	struct tdx_range was;
	unsigned int i;

	for (i = 0; i < pool->nr_taken; i++) {
		if (start >= pool->taken[i].start && end <= pool->taken[i].end)
			break;
	}
	check(i < pool->nr_taken && start < end, "gives back what was not taken", __LINE__);
	if (i == pool->nr_taken)
		return;

	was = pool->taken[i];
	pool->taken[i] = pool->taken[--pool->nr_taken];
	if (was.start < start)
		pool->taken[pool->nr_taken++] = (struct tdx_range){ was.start, start };
	if (end < was.end)
		pool->taken[pool->nr_taken++] = (struct tdx_range){ end, was.end };
	pool->gives++;
	pool->bytes -= end - start;
}

static const struct tdmr_pamt_ops pool_ops = { .take = pool_take, .give = pool_give };

/* Nothing is taken, every other block of so many MiB is in use. */
static void fragment(struct pool *pool, unsigned int block)
{
	unsigned int i;

	memset(pool, 0, sizeof(*pool));
	for (i = 0; i < POOL_BLOCKS; i++)
		pool->state[i] = i / block % 2;
}

static int place_all(struct tdmr_plan *plan, struct pool *pool)
{
	int ret = tdmr_plan_place(plan, &pool_ops, pool);
	unsigned int i;

	if (ret) {
		check(!pool->bytes && !pool->nr_taken, "memory leaked", __LINE__);
		for (i = 0; i < plan->nr_tdmrs; i++)
			check(!plan->tdmrs[i].pamt_base[TDX_PS_4K], "a PAMT is left", __LINE__);
		return ret;
	}
	check(pool->bytes == bytes(plan), "PAMTs are what was taken", __LINE__);
	ret = tdmr_plan_reserve(plan);
	check(!ret, "reserved areas are enough", __LINE__);
	ret = tdmr_verify(plan);
	if (ret)
		printf("%s [%#llx, %#llx)\n", plan->error.why, plan->error.range.start, plan->error.range.end);
	check(!ret, "tdmr_verify()", __LINE__);

	return ret;
}

/* Memory of [0, 8 GiB) with a hole of 1 MiB in the middle of each GiB, and of 1 MiB in front of each */
static void test_limits(void)
{
	struct pool *pool = calloc(1, sizeof(*pool));
	struct tdx_region regions[16];
	struct test t;
	unsigned int i;

	for (i = 0; i < 16; i++)
		regions[i] = (struct tdx_region){ i * 512 * MB + MB, (i + 1) * 512 * MB, 0 };
	INIT_RAM(&t, regions);

	/*
	 * 16 holes are all areas of a TDMR. To leave one for the PAMT would cost a page for a second TDMR; the PAMT
	 * is put beside a hole instead.
	 */
	CHECK(!tdmr_plan_layout(&t.plan));
	CHECK(is_tdmr(&t.plan, 0, 0, 8 * GB) && t.plan.nr_tdmrs == 1 && t.tdmrs[0].nr_reserved == 16);
	CHECK(!place_all(&t.plan, pool) && t.tdmrs[0].nr_reserved == 16);
	t.plan.room = 1;
	CHECK(!tdmr_plan_layout(&t.plan) && is_tdmr(&t.plan, 0, 0, 7 * GB) && is_tdmr(&t.plan, 1, 7 * GB, 8 * GB));
	CHECK(t.tdmrs[0].nr_reserved == 14 && t.tdmrs[1].nr_reserved == 2);
	done(&t);
	free(pool);

	INIT_RAM(&t, regions);
	t.plan.limits.max_reserved = 1;
	CHECK(tdmr_plan_layout(&t.plan) == -28 &&
	      is_error(&t.plan, "more reserved areas than a TDMR may have", 0, GB, 2, 1));
	t.plan.limits.max_reserved = 4;
	t.plan.limits.max_tdmrs = 3;
	CHECK(tdmr_plan_layout(&t.plan) == -28 &&
	      is_error(&t.plan, "more TDMRs", 6 * GB, 8 * GB, 4, 3));
	t.plan.limits.max_tdmrs = 4;
	CHECK(!tdmr_plan_layout(&t.plan) && t.plan.nr_tdmrs == 4);
	t.plan.room = 1;
	CHECK(tdmr_plan_layout(&t.plan) == -28 && is_error(&t.plan, "more TDMRs", 4 * GB, 8 * GB, 8, 4));
	t.plan.room = 5;
	CHECK(tdmr_plan_layout(&t.plan) == -28 &&
	      is_error(&t.plan, "PAMTs need more reserved areas", MB, 8 * GB, 5, 4));
	done(&t);
}

/* What three real machines said: "... KB allocated for PAMT" */
static void test_real_machines(void)
{
	static const struct tdx_region a[] = {
		{ 0x100000, 0x77800000, 0 }, { 0x100000000, 0x1003e000000, 0 }, { 0x10080000000, 0x20040000000, 1 },
	};
	static const struct tdx_region b[] = {
		{ 0x100000, 0x77800000, 0 }, { 0x100000000, 0x206e000000, 0 }, { 0x2080000000, 0x4070000000, 1 },
	};
	static const struct tdx_region c[] = {
		{ 0x100000, 0x6f800000, 0 }, { 0x100000000, 0x107a000000, 0 }, { 0x1080000000, 0x207c000000, 1 },
		{ 0x2080000000, 0x307c000000, 2 }, { 0x3080000000, 0x407c000000, 3 },
	};
	struct test t;

	INIT_RAM(&t, a);
	CHECK(!tdmr_plan_layout(&t.plan) && bytes(&t.plan) == 8396820 * KB && t.plan.nr_tdmrs == 3);
	CHECK(is_tdmr(&t.plan, 0, 0, 0x80000000) && is_tdmr(&t.plan, 1, 0x100000000, 0x10040000000) &&
	      is_tdmr(&t.plan, 2, 0x10080000000, 0x20040000000));
	done(&t);

	INIT_RAM(&t, b);
	t.plan.per_node = true;
	CHECK(!tdmr_plan_layout(&t.plan) && bytes(&t.plan) == 1050636 * KB && t.plan.nr_tdmrs == 3);
	t.plan.per_node = false;
	CHECK(!tdmr_plan_layout(&t.plan) && bytes(&t.plan) == 1050632 * KB && t.plan.nr_tdmrs == 2);
	CHECK(t.tdmrs[1].nr_reserved == 2);
	done(&t);

	INIT_RAM(&t, c);
	t.plan.per_node = true;
	CHECK(!tdmr_plan_layout(&t.plan) && bytes(&t.plan) == 1050644 * KB && t.plan.nr_tdmrs == 5);
	CHECK(t.tdmrs[4].nid == 3 && t.tdmrs[4].nr_reserved == 1);
	t.plan.per_node = false;
	CHECK(!tdmr_plan_layout(&t.plan) && bytes(&t.plan) == 1050632 * KB && t.plan.nr_tdmrs == 2);
	done(&t);
}

/* More runs of memory than TDMRs: the widest gaps stay open. */
static void test_bridges(void)
{
	static const struct tdx_region regions[] = {
		{ 0, GB, 0 }, { 2 * GB, 3 * GB, 0 }, { 7 * GB, 8 * GB, 0 }, { 10 * GB, 11 * GB, 0 },
		{ 12 * GB, 13 * GB, 0 },
	};
	struct test t;

	INIT_RAM(&t, regions);
	CHECK(!tdmr_plan_layout(&t.plan) && t.plan.nr_tdmrs == 5 && bytes(&t.plan) == 5 * 4108 * KB);
	t.plan.limits.max_tdmrs = 3;
	CHECK(!tdmr_plan_layout(&t.plan) && t.plan.nr_tdmrs == 3);
	CHECK(is_tdmr(&t.plan, 0, 0, 3 * GB) && is_tdmr(&t.plan, 1, 7 * GB, 8 * GB) &&
	      is_tdmr(&t.plan, 2, 10 * GB, 13 * GB));
	t.plan.limits.max_tdmrs = 1;
	CHECK(!tdmr_plan_layout(&t.plan) && is_tdmr(&t.plan, 0, 0, 13 * GB) && t.tdmrs[0].nr_reserved == 4);
	/* The widest gap cannot stay open: then the lower TDMR would need two areas. */
	t.plan.limits.max_tdmrs = 2;
	t.plan.limits.max_reserved = 2;
	CHECK(!tdmr_plan_layout(&t.plan) && is_tdmr(&t.plan, 0, 0, 3 * GB) && is_tdmr(&t.plan, 1, 7 * GB, 13 * GB));
	t.plan.limits.max_reserved = 1;
	CHECK(tdmr_plan_layout(&t.plan) == -28);
	done(&t);
}

/* GiB of the busiest of so many workers, who take the largest that is left */
static u64 busiest(const struct tdmr_plan *plan, unsigned int workers)
{
	u64 load[64] = { 0 }, most = 0;
	bool taken[64] = { false };
	unsigned int n, i, best, w;

	for (n = 0; n < plan->nr_tdmrs; n++) {
		for (i = 0, best = 64; i < plan->nr_tdmrs; i++) {
			if (!taken[i] && (best == 64 || plan->tdmrs[i].size > plan->tdmrs[best].size))
				best = i;
		}
		taken[best] = true;
		for (w = 0, i = 1; i < workers; i++) {
			if (load[i] < load[w])
				w = i;
		}
		load[w] += plan->tdmrs[best].size / GB;
		if (load[w] > most)
			most = load[w];
	}

	return most;
}

static u64 largest(const struct tdmr_plan *plan)
{
	u64 size = 0;
	unsigned int i;

	for (i = 0; i < plan->nr_tdmrs; i++)
		size = plan->tdmrs[i].size > size ? plan->tdmrs[i].size : size;

	return size;
}

static void test_cuts(void)
{
	static const struct tdx_region two_nodes[] = {
		{ 0, 3 * GB + 300 * MB, 0 }, { 3 * GB + 300 * MB, 8 * GB, 1 }, { 20 * GB, 21 * GB, 2 },
	};
	static const struct tdx_region big[] = { { 0, 2 * TB, 0 } };
	static const struct tdx_region three[] = { { 0, 10 * GB, 0 }, { 20 * GB, 22 * GB, 0 }, { 30 * GB, 60 * GB, 1 } };
	static const struct tdx_region bench[] = {
		{ MB, 1920 * MB, 0 }, { 4 * GB, 130 * GB, 0 }, { 130 * GB, 258 * GB, 1 },
	};
	struct test t;
	u64 least;
	unsigned int i;

	INIT_RAM(&t, two_nodes);
	CHECK(!tdmr_plan_layout(&t.plan) && t.plan.nr_tdmrs == 2 && t.tdmrs[0].nid == 1);
	least = bytes(&t.plan);
	t.plan.per_node = true;
	/* Node 1 has more of the GiB they share. */
	CHECK(!tdmr_plan_layout(&t.plan) && t.plan.nr_tdmrs == 3 && is_tdmr(&t.plan, 0, 0, 3 * GB) &&
	      is_tdmr(&t.plan, 1, 3 * GB, 8 * GB));
	CHECK(t.tdmrs[0].nid == 0 && t.tdmrs[1].nid == 1 && t.tdmrs[2].nid == 2);
	CHECK(bytes(&t.plan) == least + 4096);
	t.plan.limits.max_tdmrs = 2;
	CHECK(!tdmr_plan_layout(&t.plan) && t.plan.nr_tdmrs == 2 && is_tdmr(&t.plan, 0, 0, 8 * GB));
	done(&t);

	/* Pages of the 1G level are for 256 GiB: cuts there are free. */
	INIT_RAM(&t, big);
	CHECK(!tdmr_plan_layout(&t.plan) && t.plan.nr_tdmrs == 1);
	least = bytes(&t.plan);
	CHECK(least == 2048 * (4 * MB + 8 * KB) + 32 * KB);
	/* Two for each */
	t.plan.workers = 4;
	CHECK(!tdmr_plan_layout(&t.plan) && t.plan.nr_tdmrs == 8 && bytes(&t.plan) == least);
	for (i = 0; i < 8; i++)
		CHECK(t.tdmrs[i].size == 256 * GB);
	t.plan.workers = 64;
	CHECK(!tdmr_plan_layout(&t.plan) && t.plan.nr_tdmrs == 64 && bytes(&t.plan) == least + 56 * 4 * KB);
	t.plan.workers = 1000;
	CHECK(!tdmr_plan_layout(&t.plan) && t.plan.nr_tdmrs == 64);
	t.plan.limits.max_tdmrs = 5;
	CHECK(!tdmr_plan_layout(&t.plan) && t.plan.nr_tdmrs == 5 && t.tdmrs[0].size == 410 * GB &&
	      t.tdmrs[4].size == 408 * GB);
	done(&t);

	/* 42 GiB: the share of six is 7. 7 + 3, 2, 4 * 7 + 2; 3 + 2 + 2 make the share of the sixth. */
	INIT_RAM(&t, three);
	t.plan.workers = 6;
	CHECK(!tdmr_plan_layout(&t.plan) && t.plan.nr_tdmrs == 8 && busiest(&t.plan, 6) == 7);
	/* Shares of 14 in two pieces: 7 + 3, 2, 4 * 7 + 2 */
	t.plan.workers = 3;
	CHECK(!tdmr_plan_layout(&t.plan) && busiest(&t.plan, 3) == 14 && t.plan.nr_tdmrs == 8);
	t.plan.workers = 64;
	CHECK(!tdmr_plan_layout(&t.plan) && t.plan.nr_tdmrs == 42);
	t.plan.workers = 1;
	CHECK(!tdmr_plan_layout(&t.plan) && t.plan.nr_tdmrs == 3);
	done(&t);

	/* 256 GiB on two nodes, as machines have them */
	INIT_RAM(&t, bench);
	t.plan.per_node = true;
	for (i = 2; i <= 32; i *= 2) {
		t.plan.workers = i;
		CHECK(!tdmr_plan_layout(&t.plan) && busiest(&t.plan, i) == 256 / i && t.plan.nr_tdmrs > i);
		CHECK(i == 32 || largest(&t.plan) <= 128 / i * GB);
	}
	done(&t);
}

static void test_split(void)
{
	static const struct tdx_region regions[] = { { 0, 2 * GB, 0 }, { 3 * GB, 4 * GB, 0 }, { 6 * GB, 12 * GB, 1 } };
	struct test t;

	INIT_RAM(&t, regions);
	t.plan.limits.max_tdmrs = 1;
	CHECK(!tdmr_plan_layout(&t.plan) && is_tdmr(&t.plan, 0, 0, 12 * GB));
	/* First where no memory is, the most of it, then where it is said */
	tdmr_plan_split(&t.plan, 0, 1);
	CHECK(is_tdmr(&t.plan, 0, 0, 4 * GB) && is_tdmr(&t.plan, 1, 6 * GB, 12 * GB));
	CHECK(t.tdmrs[0].nid == 0 && t.tdmrs[1].nid == 1 && t.tdmrs[1].pamt_size[TDX_PS_4K] == 24 * MB);
	tdmr_plan_split(&t.plan, 0, 1);
	CHECK(is_tdmr(&t.plan, 0, 0, 2 * GB) && is_tdmr(&t.plan, 1, 3 * GB, 4 * GB));
	t.tdmrs[0].pamt_base[TDX_PS_4K] = 7 * GB;
	tdmr_plan_split(&t.plan, 2, 4);
	CHECK(is_tdmr(&t.plan, 2, 6 * GB, 10 * GB) && is_tdmr(&t.plan, 3, 10 * GB, 12 * GB));
	CHECK(t.tdmrs[0].pamt_base[TDX_PS_4K] == 7 * GB);
	tdmr_plan_split(&t.plan, 2, 1);
	CHECK(is_tdmr(&t.plan, 2, 6 * GB, 7 * GB) && is_tdmr(&t.plan, 3, 7 * GB, 10 * GB));
	CHECK(t.plan.nr_tdmrs == 5);
	done(&t);
}

static void test_place(void)
{
	static const struct tdx_region regions[] = {
		{ MB, 2 * GB, 0 }, { 4 * GB, 20 * GB, 0 }, { 20 * GB, 36 * GB, 1 },
	};
	struct pool *pool = calloc(1, sizeof(*pool));
	unsigned int i, apart;
	struct test t;

	/* Side by side, on each node one piece */
	INIT_RAM(&t, regions);
	t.plan.per_node = true;
	CHECK(!tdmr_plan_layout(&t.plan) && t.plan.nr_tdmrs == 3);
	CHECK(!place_all(&t.plan, pool) && pool->takes == 2);
	CHECK(t.tdmrs[0].pamt_base[0] + tdmr_pamt_total(&t.tdmrs[0]) == t.tdmrs[1].pamt_base[0]);
	CHECK(t.tdmrs[0].pamt_base[0] >= 4 * GB && t.tdmrs[1].pamt_base[0] < 20 * GB);
	CHECK(t.tdmrs[2].pamt_base[0] >= 20 * GB);
	CHECK(t.tdmrs[0].nr_reserved == 1 && t.tdmrs[1].nr_reserved == 1 && t.tdmrs[2].nr_reserved == 1);

	/* No memory on node 1: its PAMT is on node 0. */
	memset(pool, 0, sizeof(*pool));
	memset(pool->state + 20 * 1024, 1, 16 * 1024);
	CHECK(!tdmr_plan_layout(&t.plan) && !place_all(&t.plan, pool) && t.plan.nr_tdmrs == 3);
	CHECK(t.tdmrs[2].pamt_base[0] < 20 * GB);

	/* All of node 1 in use, but it can be moved: better than another node */
	memset(pool, 0, sizeof(*pool));
	memset(pool->state + 20 * 1024, 2, 16 * 1024);
	CHECK(!tdmr_plan_layout(&t.plan) && !place_all(&t.plan, pool) && t.plan.nr_tdmrs == 3);
	CHECK(t.tdmrs[2].pamt_base[0] >= 20 * GB);
	/* If some of it is free, nothing is moved. */
	memset(pool, 0, sizeof(*pool));
	memset(pool->state, 2, POOL_BLOCKS);
	memset(pool->state + 5 * 1024, 0, 1024);
	memset(pool->state + 26 * 1024, 0, 1024);
	CHECK(!tdmr_plan_layout(&t.plan) && !place_all(&t.plan, pool) && t.plan.nr_tdmrs == 3);
	CHECK(t.tdmrs[0].pamt_base[0] >= 5 * GB && t.tdmrs[1].pamt_base[0] + 64 * MB <= 6 * GB);
	CHECK(t.tdmrs[2].pamt_base[0] >= 26 * GB && t.tdmrs[2].pamt_base[0] + 64 * MB <= 27 * GB);

	/* Every other block of 20 MiB in use: 64 MiB find no place, 16 MiB do. */
	fragment(pool, 20);
	CHECK(!tdmr_plan_layout(&t.plan) && !place_all(&t.plan, pool));
	CHECK(t.plan.nr_tdmrs == 9);
	for (i = 0; i < t.plan.nr_tdmrs; i++)
		CHECK((t.tdmrs[i].pamt_base[0] >= 20 * GB) == (t.tdmrs[i].base >= 20 * GB));

	/* Every other block of 13 MiB, enough for 3 GiB: no more TDMRs than it takes */
	fragment(pool, 13);
	CHECK(!tdmr_plan_layout(&t.plan) && !place_all(&t.plan, pool) && t.plan.nr_tdmrs == 1 + 6 + 6);

	/* Every other block of 5 MiB: down to single GiB */
	fragment(pool, 5);
	CHECK(!tdmr_plan_layout(&t.plan) && !place_all(&t.plan, pool) && t.plan.nr_tdmrs == 34);

	/* One TDMR too few for that */
	fragment(pool, 5);
	t.plan.limits.max_tdmrs = 33;
	CHECK(!tdmr_plan_layout(&t.plan) && place_all(&t.plan, pool) == -12 && pool->gives);
	CHECK(strstr(t.plan.error.why, "no more, smaller TDMRs are allowed"));
	t.plan.limits.max_tdmrs = 64;

	/* Every other block of 4 MiB: a GiB needs a little more than that, its levels are apart. */
	fragment(pool, 4);
	CHECK(!tdmr_plan_layout(&t.plan) && !place_all(&t.plan, pool) && t.plan.nr_tdmrs == 34);
	for (i = 0, apart = 0; i < 34; i++)
		apart += t.tdmrs[i].pamt_base[0] + 4 * MB != t.tdmrs[i].pamt_base[1];
	CHECK(apart == 34);

	/* Of 3 MiB: what is missing, and where */
	fragment(pool, 3);
	CHECK(!tdmr_plan_layout(&t.plan) && place_all(&t.plan, pool) == -12 && !pool->takes);
	CHECK(strstr(t.plan.error.why, "smaller TDMRs would not help"));
	CHECK(t.plan.error.need == 4 * (t.plan.error.range.end - t.plan.error.range.start) / 1024);
	CHECK(t.plan.error.nid == (t.plan.error.range.start >= 20 * GB));

	/* Free memory in one GiB only, in pieces: a TDMR has no more than 16 areas for them. */
	fragment(pool, 5);
	memset(pool->state, 1, 30 * 1024);
	memset(pool->state + 31 * 1024, 1, POOL_BLOCKS - 31 * 1024);
	CHECK(!tdmr_plan_layout(&t.plan) && place_all(&t.plan, pool) == -12 && pool->gives);
	CHECK(strstr(t.plan.error.why, "where TDMRs have reserved areas left"));
	/* With pieces of 9 MiB for two GiB each, 17 are needed; one is beside the hole at the top. */
	fragment(pool, 13);
	memset(pool->state, 1, 30 * 1024);
	memset(pool->state + 31 * 1024, 1, POOL_BLOCKS - 31 * 1024);
	CHECK(!tdmr_plan_layout(&t.plan) && !place_all(&t.plan, pool));
	done(&t);
	free(pool);
}

/*
 * TDMRs cut for speed are as many as there may be, and one of them has no PAMT:
 * a large piece holds those of most of the memory, small ones have to do for the rest.
 */
static void test_place_uncut(void)
{
	static const struct tdx_region regions[] = { { 0, 12 * GB, 0 }, { 16 * GB, 28 * GB, 0 } };
	struct pool *pool = calloc(1, sizeof(*pool));
	struct test t;
	unsigned int i;

	memset(pool->state, 1, POOL_BLOCKS);
	memset(pool->state + 17 * 1024, 0, 50);
	for (i = 0; i < 6; i++)
		memset(pool->state + 2 * 1024 + 10 * i, 0, 9);

	INIT_RAM(&t, regions);
	t.plan.limits.max_tdmrs = 8;
	t.plan.workers = 8;
	CHECK(!tdmr_plan_layout(&t.plan) && t.plan.nr_tdmrs == 8 && t.tdmrs[0].size == 3 * GB);
	CHECK(!place_all(&t.plan, pool) && t.plan.nr_tdmrs == 7 && t.plan.workers == 8);
	done(&t);
	free(pool);
}

/* Reserved areas, not memory, are what is missing: the TDMR that has none left is cut, whichever it is. */
static void test_place_full(void)
{
	struct pool *pool = calloc(1, sizeof(*pool));
	struct tdx_region regions[17];
	struct test t;
	unsigned int i;

	/* 15 holes in the upper TDMR, and its PAMT in a place of its own; none is left for the lower one's */
	regions[0] = (struct tdx_region){ 0, GB, 0 };
	for (i = 0; i < 16; i++)
		regions[i + 1] = (struct tdx_region){ 4 * GB + i * 256 * MB + (i ? MB : 0), 4 * GB + (i + 1) * 256 * MB, 0 };
	memset(pool->state, 1, POOL_BLOCKS);
	memset(pool->state + 4 * 1024 + 100, 0, 20);
	memset(pool->state + 7 * 1024 + 300, 0, 5);

	INIT_RAM(&t, regions);
	CHECK(!tdmr_plan_layout(&t.plan) && t.plan.nr_tdmrs == 2 && t.tdmrs[1].nr_reserved == 15);
	CHECK(!place_all(&t.plan, pool) && t.plan.nr_tdmrs == 3);
	done(&t);
	free(pool);
}

/* 0 is no address of a PAMT: it means that there is none. */
static void test_place_at_zero(void)
{
	static const struct tdx_region regions[] = { { 0, GB, 0 } };
	struct pool *pool = calloc(1, sizeof(*pool));
	struct test t;

	INIT_RAM(&t, regions);
	CHECK(!tdmr_plan_layout(&t.plan) && !place_all(&t.plan, pool) && pool->takes == 1);
	CHECK(t.tdmrs[0].pamt_base[0] >= 4096);
	done(&t);
	free(pool);
}

static unsigned int below(unsigned int n)
{
	static u64 state = 88172645463325252ULL;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;

	return (state >> 20) % n;
}

/*
 * Memory in use at random, in pieces of random length, and few areas: whatever
 * is placed can be reserved, and whatever is not, is given back.
 */
static void test_place_random(void)
{
	struct pool *pool = calloc(1, sizeof(*pool));
	struct tdx_region regions[8];
	unsigned int i, j, run, longest, ok = 0, cut = 0, layout;
	struct test t;

	for (run = 0; run < 400; run++) {
		u64 at = 0;

		for (i = 0; i < 8; i++) {
			at += below(3) * 300 * MB;
			regions[i].start = at;
			at += (1 + below(5000)) * MB;
			regions[i].end = at;
			regions[i].nid = i / 4;
		}
		memset(pool, 0, sizeof(*pool));
		longest = 1 + below(1 + below(40));
		for (i = 0; i < POOL_BLOCKS;) {
			for (j = 1 + below(longest); j-- && i < POOL_BLOCKS;)
				pool->state[i++] = 0;
			for (j = 1 + below(20); j-- && i < POOL_BLOCKS;)
				pool->state[i++] = 1;
		}
		INIT_RAM(&t, regions);
		t.plan.per_node = below(2);
		t.plan.limits.max_reserved = 2 + below(15);
		t.plan.limits.max_tdmrs = 8 + below(57);
		if (!tdmr_plan_layout(&t.plan)) {
			layout = t.plan.nr_tdmrs;
			if (!place_all(&t.plan, pool)) {
				ok++;
				cut += t.plan.nr_tdmrs > layout;
			}
		}
		done(&t);
	}
	printf("random fragmentation: of %u machines %u placed, %u of them with TDMRs cut\n", run, ok, cut);
	/* Each of these happens, or the test is none. */
	CHECK(ok > run / 10 && ok < run * 9 / 10 && cut > run / 20);
	free(pool);
}

/* Areas are joined over memory that is not TDX memory if, and only if, they would be too many. */
static void test_reserve(void)
{
	static const struct tdx_region regions[] = { { 0, 100 * MB, 0 }, { 500 * MB, GB, 0 } };
	static const struct tdx_range cmrs[] = {
		{ 0, 150 * MB }, { 200 * MB, 250 * MB }, { 0, 0 }, { 300 * MB, 450 * MB }, { 450 * MB, GB },
	};
	struct pool *pool = calloc(1, sizeof(*pool));
	struct test t;

	INIT(&t, regions, cmrs);
	CHECK(!tdmr_plan_layout(&t.plan) && t.plan.nr_tdmrs == 1 && t.tdmrs[0].nr_reserved == 1);
	CHECK(!place_all(&t.plan, pool) && t.tdmrs[0].nr_reserved == 3);
	CHECK(t.tdmrs[0].pamt_base[0] == 500 * MB);
	CHECK(t.tdmrs[0].reserved[0].start == 150 * MB && t.tdmrs[0].reserved[0].end == 200 * MB);
	CHECK(t.tdmrs[0].reserved[1].start == 250 * MB && t.tdmrs[0].reserved[1].end == 300 * MB);
	CHECK(t.tdmrs[0].reserved[2].start == 500 * MB && t.tdmrs[0].reserved[2].end == 500 * MB + 4108 * KB);

	/* One area for two holes, what is between them, and the PAMT behind them */
	t.plan.limits.max_reserved = 1;
	memset(pool, 0, sizeof(*pool));
	CHECK(!tdmr_plan_layout(&t.plan) && !place_all(&t.plan, pool) && t.tdmrs[0].nr_reserved == 1);
	CHECK(t.tdmrs[0].reserved[0].start == 150 * MB && t.tdmrs[0].reserved[0].end == 500 * MB + 4108 * KB);

	CHECK(!tdmr_plan_layout(&t.plan));
	/* Nor is a place taken that needs an area of its own. */
	memset(pool, 0, sizeof(*pool));
	pool->state[500] = pool->state[99] = pool->state[1023] = 1;
	CHECK(place_all(&t.plan, pool) == -12 && !pool->takes &&
	      strstr(t.plan.error.why, "where TDMRs have reserved areas left"));
	t.plan.limits.max_reserved = 2;
	CHECK(!tdmr_plan_layout(&t.plan) && !place_all(&t.plan, pool) && t.tdmrs[0].nr_reserved == 2);

	/* A single page of memory between two holes stays usable. */
	{
		static const struct tdx_region page[] = { { 0, 100 * MB, 0 }, { 200 * MB, 200 * MB + 4096, 0 }, { 300 * MB, GB, 0 } };
		struct test u;

		INIT_RAM(&u, page);
		memset(pool, 0, sizeof(*pool));
		CHECK(!tdmr_plan_layout(&u.plan) && !place_all(&u.plan, pool) && u.tdmrs[0].nr_reserved == 2);
		CHECK(u.tdmrs[0].reserved[0].end == 200 * MB && u.tdmrs[0].reserved[1].start == 200 * MB + 4096);
		done(&u);
	}

	/* PAMTs where nobody asked whether they fit */
	t.plan.limits.max_reserved = 1;
	t.tdmrs[0].pamt_base[0] = 600 * MB;
	t.tdmrs[0].pamt_base[1] = 700 * MB;
	t.tdmrs[0].pamt_base[2] = 800 * MB;
	CHECK(tdmr_plan_reserve(&t.plan) == -28 && t.plan.error.need == 4 && t.plan.error.limit == 1 &&
	      t.plan.error.range.start == 0 && t.plan.error.range.end == GB);
	done(&t);
	free(pool);
}

/* Each rule of the checker, broken in a plan that is good otherwise */
struct mutation {
	const char *what;
	void (*apply)(struct tdmr_plan *plan);
	const char *error;
};

#define MUTATION(name, code) \
	static void name(struct tdmr_plan *p) { struct tdmr *t = p->tdmrs; (void)t; code; }

MUTATION(no_tdmr, p->nr_tdmrs = 0)
MUTATION(too_many, p->limits.max_tdmrs = 1)
MUTATION(overflow, t[1].size = ~0ULL & ~(GB - 1))
MUTATION(beyond, t[1].base = 1ULL << 52)
MUTATION(out_of_order, t[1].base = GB)
MUTATION(crooked_base, t[1].base += MB)
MUTATION(crooked_size, t[1].size += MB)
MUTATION(empty_tdmr, t[1].size = 0)
MUTATION(many_areas, p->limits.max_reserved = 1)
MUTATION(seventeen, (p->limits.max_reserved = 100, t[0].nr_reserved = 17))
MUTATION(empty_area, t[0].reserved[0].end = t[0].reserved[0].start)
MUTATION(areas_swapped, (t[0].reserved[2] = t[0].reserved[0]))
MUTATION(areas_overlap, t[0].reserved[1].start = t[0].reserved[0].end - 4096)
MUTATION(crooked_area, t[0].reserved[0].end += 512)
MUTATION(area_outside, t[0].reserved[t[0].nr_reserved - 1].end = t[0].base + t[0].size + 4096)
MUTATION(area_below, t[1].reserved[0].start = t[1].base - 4096)
MUTATION(pamt_beyond, t[0].pamt_base[2] = (1ULL << 52) - 512)
MUTATION(pamt_wraps, (t[0].pamt_base[2] = ~0ULL - 4095, t[0].pamt_size[2] = 8192))
MUTATION(pamt_crooked, t[0].pamt_base[1] += 512)
MUTATION(pamt_small, t[0].pamt_size[0] -= 4096)
MUTATION(pamt_small_2m, t[1].pamt_size[1] -= 4096)
MUTATION(pamt_small_1g, t[1].pamt_size[2] = 0)
MUTATION(pamts_same, t[1].pamt_base[1] = t[0].pamt_base[1])
MUTATION(pamts_own, t[0].pamt_base[2] = t[0].pamt_base[0])
MUTATION(pamt_usable, t[1].pamt_base[2] = 7 * GB)
MUTATION(pamt_no_cmr, t[1].pamt_base[2] = 3 * GB)
MUTATION(pamt_no_memory, (t[0].pamt_base[2] = 1536 * MB))
MUTATION(hole_usable, t[0].nr_reserved = 0)
MUTATION(hole_partly_usable, t[0].reserved[0].end -= 4096)
MUTATION(not_covered, p->nr_tdmrs = 1)
MUTATION(memory_reserved, t[1].reserved[t[1].nr_reserved - 1].end += 4096)

static const struct mutation mutations[] = {
	{ "no TDMR", no_tdmr, "no TDMR, or too many" },
	{ "more TDMRs than allowed", too_many, "no TDMR, or too many" },
	{ "end of TDMR wraps", overflow, "TDMR reaches beyond 52 bits" },
	{ "TDMR too high", beyond, "TDMR reaches beyond 52 bits" },
	{ "TDMRs overlap", out_of_order, "TDMR begins before" },
	{ "base of TDMR", crooked_base, "no multiple of 1 GiB" },
	{ "size of TDMR", crooked_size, "no multiple of 1 GiB" },
	{ "empty TDMR", empty_tdmr, "TDMR is empty" },
	{ "areas over limit", many_areas, "too many reserved areas" },
	{ "areas over structure", seventeen, "too many reserved areas" },
	{ "empty area", empty_area, "reserved area is empty" },
	{ "areas out of order", areas_swapped, "out of order" },
	{ "areas overlap", areas_overlap, "out of order" },
	{ "area no multiple of 4K", crooked_area, "reserved area is no multiple" },
	{ "area beyond TDMR", area_outside, "not inside its TDMR" },
	{ "area below TDMR", area_below, "out of order" },
	{ "PAMT too high", pamt_beyond, "PAMT reaches beyond" },
	{ "PAMT wraps", pamt_wraps, "PAMT reaches beyond" },
	{ "PAMT no multiple of 4K", pamt_crooked, "PAMT is no multiple" },
	{ "PAMT 4K too small", pamt_small, "PAMT is too small" },
	{ "PAMT 2M too small", pamt_small_2m, "PAMT is too small" },
	{ "PAMT 1G missing", pamt_small_1g, "PAMT is too small" },
	{ "PAMTs of two TDMRs", pamts_same, "overlaps another PAMT" },
	{ "PAMTs of a TDMR", pamts_own, "overlaps another PAMT" },
	{ "PAMT not reserved", pamt_usable, "PAMT is in usable memory" },
	{ "PAMT in no CMR", pamt_no_cmr, "PAMT is not in a CMR" },
	{ "PAMT in memory that is not the kernel's", pamt_no_memory, "PAMT is not in TDX memory" },
	{ "hole not reserved", hole_usable, "usable memory of a TDMR is not in a CMR" },
	{ "hole partly reserved", hole_partly_usable, "usable memory of a TDMR is not in a CMR" },
	{ "memory in no TDMR", not_covered, "" },
	{ "memory reserved", memory_reserved, "memory is in no TDMR, or reserved there" },
};

static void test_verify(void)
{
	static const struct tdx_region regions[] = { { MB, GB, 0 }, { GB + 600 * MB, 2 * GB - MB, 0 }, { 4 * GB, 8 * GB, 0 } };
	static const struct tdx_range cmrs[] = { { MB, GB + 100 * MB }, { GB + 300 * MB, 2 * GB - MB }, { 4 * GB, 8 * GB } };
	struct pool *pool = calloc(1, sizeof(*pool));
	struct test t;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mutations); i++) {
		bool ok;

		INIT(&t, regions, cmrs);
		memset(pool, 0, sizeof(*pool));
		CHECK(!tdmr_plan_layout(&t.plan) && !place_all(&t.plan, pool));
		CHECK(t.plan.nr_tdmrs == 2 && t.tdmrs[0].nr_reserved == 3 && t.tdmrs[1].nr_reserved == 1);
		mutations[i].apply(&t.plan);
		ok = tdmr_verify(&t.plan) == -22 && strstr(t.plan.error.why, mutations[i].error);
		if (!ok)
			printf("error is: %s [%#llx, %#llx)\n", t.plan.error.why, t.plan.error.range.start,
			       t.plan.error.range.end);
		check(ok, mutations[i].what, __LINE__);
		done(&t);
	}
	free(pool);
}

int main(void)
{
	test_bad_input();
	test_limits();
	test_real_machines();
	test_bridges();
	test_cuts();
	test_split();
	test_place();
	test_place_uncut();
	test_place_full();
	test_place_at_zero();
	test_place_random();
	test_reserve();
	test_verify();
	printf("plan_test: %u passed, %u failed\n", passed, failed);

	return failed != 0;
}
