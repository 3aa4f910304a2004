// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of TDMR and reserved-area arithmetic: maps small enough to know the
 * answer without a planner. tools/testing/tdx/plan has the exhaustive ones.
 */
#include <kunit/test.h>
#include <linux/kernel.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../tdmr.h"

#define G	((u64)SZ_1G)
#define M	((u64)SZ_1M)

#define MAX_RANGES	4

struct tdmr_case {
	const char *name;
	/* Every range is TDX memory, and a CMR */
	struct tdx_range memory[MAX_RANGES];
	u16 max_tdmrs;
	u16 max_reserved;
	bool fails;
	/* TDMRs, and what of them is reserved with the PAMT below PAMT_END */
	struct tdx_range tdmrs[MAX_RANGES];
	struct tdx_range reserved[MAX_RANGES];
};

/*
 * For each GiB the 4K level takes 4 MiB and the 2M level 8 KiB; the 1G level of
 * a TDMR takes 4 KiB.
 */
#define PAMT_4K(gib)	((gib) * 4 * M)
#define PAMT_2M(gib)	((gib) * (u64)SZ_8K)
#define PAMT(gib)	((gib) * (4 * M + SZ_8K) + SZ_4K)

/* The PAMT of the first TDMR ends here, that of the next below it, and so on. */
#define PAMT_END	(1 * G + 512 * M)

static const struct tdmr_case tdmr_cases[] = {
	{
		.name = "one granule",
		.memory = { { 1 * G, 2 * G } },
		.max_tdmrs = 64, .max_reserved = 16,
		.tdmrs = { { 1 * G, 2 * G } },
		.reserved = { { PAMT_END - PAMT(1), PAMT_END } },
	}, {
		.name = "memory begins inside a granule",
		.memory = { { 1 * M, 2 * G } },
		.max_tdmrs = 64, .max_reserved = 16,
		.tdmrs = { { 0, 2 * G } },
		.reserved = { { 0, 1 * M }, { PAMT_END - PAMT(2), PAMT_END } },
	}, {
		.name = "a hole inside a granule",
		.memory = { { 1 * G, 1 * G + 600 * M }, { 1 * G + 700 * M, 2 * G } },
		.max_tdmrs = 64, .max_reserved = 16,
		.tdmrs = { { 1 * G, 2 * G } },
		.reserved = {
			{ PAMT_END - PAMT(1), PAMT_END },
			{ 1 * G + 600 * M, 1 * G + 700 * M },
		},
	}, {
		.name = "ranges that touch are one",
		.memory = { { 1 * G, 2 * G }, { 2 * G, 3 * G } },
		.max_tdmrs = 64, .max_reserved = 16,
		.tdmrs = { { 1 * G, 3 * G } },
		.reserved = { { PAMT_END - PAMT(2), PAMT_END } },
	}, {
		.name = "an empty granule is not covered",
		.memory = { { 1 * G, 2 * G }, { 3 * G, 4 * G } },
		.max_tdmrs = 64, .max_reserved = 16,
		.tdmrs = { { 1 * G, 2 * G }, { 3 * G, 4 * G } },
		.reserved = { { PAMT_END - 2 * PAMT(1), PAMT_END } },
	}, {
		.name = "an empty granule is covered for want of TDMRs",
		.memory = { { 1 * G, 2 * G }, { 3 * G, 4 * G } },
		.max_tdmrs = 1, .max_reserved = 16,
		.tdmrs = { { 1 * G, 4 * G } },
		.reserved = { { PAMT_END - PAMT(3), PAMT_END }, { 2 * G, 3 * G } },
	}, {
		.name = "more holes in a granule than areas",
		.memory = {
			{ 1 * G, 1 * G + 100 * M },
			{ 1 * G + 200 * M, 1 * G + 300 * M },
			{ 1 * G + 400 * M, 2 * G },
		},
		.max_tdmrs = 64, .max_reserved = 1,
		.fails = true,
	}, {
		.name = "too many TDMRs, too many holes to make them fewer",
		.memory = {
			{ 1 * G, 2 * G }, { 3 * G, 4 * G }, { 5 * G, 6 * G },
			{ 7 * G, 8 * G },
		},
		.max_tdmrs = 1, .max_reserved = 2,
		.fails = true,
	},
};

static void tdmr_desc(const struct tdmr_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(tdmr, tdmr_cases, tdmr_desc);

static void test_tdmrs(struct kunit *test)
{
	const struct tdmr_case *c = test->param_value;
	struct tdx_region regions[MAX_RANGES];
	struct tdmr_plan plan = {
		.regions = regions,
		.cmrs = c->memory,
		.limits = { c->max_tdmrs, c->max_reserved, { 16, 16, 16 } },
	};
	u64 pamt = PAMT_END;
	unsigned int i;
	int ps, ret;

	for (i = 0; i < MAX_RANGES && c->memory[i].end; i++) {
		regions[i] = (struct tdx_region){
			.start = c->memory[i].start,
			.end = c->memory[i].end,
		};
	}
	plan.nr_regions = i;
	plan.nr_cmrs = i;
	plan.tdmrs = kunit_kcalloc(test, c->max_tdmrs, sizeof(*plan.tdmrs),
				   GFP_KERNEL);
	plan.scratch = kunit_kzalloc(test, tdmr_scratch_size(&plan), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, plan.tdmrs);
	KUNIT_ASSERT_NOT_NULL(test, plan.scratch);

	ret = tdmr_plan_layout(&plan);
	if (c->fails) {
		KUNIT_EXPECT_NE(test, ret, 0);
		KUNIT_EXPECT_NOT_NULL(test, plan.error.why);
		KUNIT_EXPECT_LT(test, plan.error.range.start, plan.error.range.end);
		return;
	}
	KUNIT_ASSERT_EQ(test, ret, 0);

	for (i = 0; i < plan.nr_tdmrs; i++) {
		struct tdmr *tdmr = &plan.tdmrs[i];
		u64 gib = tdmr->size / SZ_1G;

		KUNIT_ASSERT_LT(test, i, MAX_RANGES);
		KUNIT_EXPECT_EQ(test, tdmr->base, c->tdmrs[i].start);
		KUNIT_EXPECT_EQ(test, tdmr->base + tdmr->size, c->tdmrs[i].end);
		KUNIT_EXPECT_EQ(test, tdmr->pamt_size[TDX_PS_4K], PAMT_4K(gib));
		KUNIT_EXPECT_EQ(test, tdmr->pamt_size[TDX_PS_2M], PAMT_2M(gib));
		KUNIT_EXPECT_EQ(test, tdmr->pamt_size[TDX_PS_1G], SZ_4K);

		for (ps = 0; ps < TDX_PS_NR; ps++) {
			pamt -= tdmr->pamt_size[ps];
			tdmr->pamt_base[ps] = pamt;
		}
	}
	if (i < MAX_RANGES)
		KUNIT_EXPECT_EQ(test, c->tdmrs[i].end, 0);

	KUNIT_ASSERT_EQ(test, tdmr_plan_reserve(&plan), 0);
	KUNIT_EXPECT_EQ(test, tdmr_verify(&plan), 0);
	for (i = 0; i < plan.tdmrs[0].nr_reserved; i++) {
		KUNIT_ASSERT_LT(test, i, MAX_RANGES);
		KUNIT_EXPECT_EQ(test, plan.tdmrs[0].reserved[i].start,
				c->reserved[i].start);
		KUNIT_EXPECT_EQ(test, plan.tdmrs[0].reserved[i].end,
				c->reserved[i].end);
	}
	if (i < MAX_RANGES)
		KUNIT_EXPECT_EQ(test, c->reserved[i].end, 0);
}

static struct kunit_case tdmr_test_cases[] = {
	KUNIT_CASE_PARAM(test_tdmrs, tdmr_gen_params),
	{}
};

static struct kunit_suite tdmr_suite = {
	.name = "tdx_tdmr",
	.test_cases = tdmr_test_cases,
};

kunit_test_suite(tdmr_suite);
