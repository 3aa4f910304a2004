// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the checks of what firmware and module say.
 */
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "../arch.h"
#include "../tdx.h"

#define MAX_CMRS	6

struct cmr_case {
	const char *name;
	struct cmr_info cmrs[MAX_CMRS];
	unsigned int nr;
	int ret;
	struct tdx_range ranges[MAX_CMRS];
	unsigned int nr_ranges;
};

static const struct cmr_case cmr_cases[] = {
	{
		.name = "two, as they are printed by a real machine",
		.cmrs = { { 0x100000, 0x77700000 }, { 0x100000000, 0x1f6e000000 } },
		.nr = 6,
		.ranges = { { 0x100000, 0x77800000 }, { 0x100000000, 0x206e000000 } },
		.nr_ranges = 2,
	},
	{
		.name = "one page at 0",
		.cmrs = { { 0, 0x1000 } },
		.nr = 1,
		.ranges = { { 0, 0x1000 } },
		.nr_ranges = 1,
	},
	{
		.name = "ranges that touch are one",
		.cmrs = { { 0x1000, 0x1000 }, { 0x2000, 0x3000 }, { 0x6000, 0x1000 } },
		.nr = 3,
		.ranges = { { 0x1000, 0x5000 }, { 0x6000, 0x7000 } },
		.nr_ranges = 2,
	},
	{
		.name = "up to the last physical address",
		.cmrs = { { SZ_1M, BIT_ULL(52) - SZ_1M } },
		.nr = 1,
		.ranges = { { SZ_1M, BIT_ULL(52) } },
		.nr_ranges = 1,
	},
	{
		.name = "an unused entry in the middle is skipped",
		.cmrs = { { 0x1000, 0x1000 }, { 0x5000, 0 }, { 0x3000, 0x1000 } },
		.nr = 3,
		.ranges = { { 0x1000, 0x2000 }, { 0x3000, 0x4000 } },
		.nr_ranges = 2,
	},
	{
		.name = "what is behind the table does not count",
		.cmrs = { { 0x1000, 0x1000 }, { 0x800, 1 } },
		.nr = 1,
		.ranges = { { 0x1000, 0x2000 } },
		.nr_ranges = 1,
	},
	{ .name = "none", .nr = 0, .ret = -EIO },
	{ .name = "all unused", .nr = 6, .ret = -EIO },
	{ .name = "base not aligned", .cmrs = { { 0x1800, 0x1000 } }, .nr = 1, .ret = -EIO },
	{ .name = "size not aligned", .cmrs = { { 0x1000, 0x1001 } }, .nr = 1, .ret = -EIO },
	{
		.name = "descending",
		.cmrs = { { 0x4000, 0x1000 }, { 0x1000, 0x1000 } },
		.nr = 2,
		.ret = -EIO,
	},
	{
		.name = "overlap by one page",
		.cmrs = { { 0x1000, 0x2000 }, { 0x2000, 0x1000 } },
		.nr = 2,
		.ret = -EIO,
	},
	{
		.name = "twice the same",
		.cmrs = { { 0x1000, 0x1000 }, { 0x1000, 0x1000 } },
		.nr = 2,
		.ret = -EIO,
	},
	{
		.name = "overlap of ranges that follow a merged one",
		.cmrs = { { 0x1000, 0x1000 }, { 0x2000, 0x2000 }, { 0x3000, 0x1000 } },
		.nr = 3,
		.ret = -EIO,
	},
	{
		.name = "end beyond physical addresses",
		.cmrs = { { BIT_ULL(52) - SZ_1M, SZ_2M } },
		.nr = 1,
		.ret = -EIO,
	},
	{
		.name = "end beyond 2^64",
		.cmrs = { { 0xfffffffffffff000, 0x2000 } },
		.nr = 1,
		.ret = -EIO,
	},
	{
		.name = "size of nearly 2^64",
		.cmrs = { { 0x1000, 0xfffffffffffff000 } },
		.nr = 1,
		.ret = -EIO,
	},
};

static void cmr_desc(const struct cmr_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(cmr, cmr_cases, cmr_desc);

static void test_cmrs(struct kunit *test)
{
	const struct cmr_case *c = test->param_value;
	struct tdx_sysinfo *info;
	unsigned int i;

	info = kunit_kzalloc(test, sizeof(*info), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, info);

	KUNIT_ASSERT_EQ(test, tdx_check_cmrs(c->cmrs, c->nr, info), c->ret);
	if (c->ret)
		return;

	KUNIT_ASSERT_EQ(test, info->nr_cmrs, c->nr_ranges);
	for (i = 0; i < c->nr_ranges; i++) {
		KUNIT_EXPECT_EQ(test, info->cmrs[i].start, c->ranges[i].start);
		KUNIT_EXPECT_EQ(test, info->cmrs[i].end, c->ranges[i].end);
	}
}

/* A full table: the last entry counts, too. */
static void test_cmrs_full(struct kunit *test)
{
	struct cmr_info *cmrs;
	struct tdx_sysinfo *info;
	int i;

	cmrs = kunit_kcalloc(test, TDX_MAX_CMRS, sizeof(*cmrs), GFP_KERNEL);
	info = kunit_kzalloc(test, sizeof(*info), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cmrs);
	KUNIT_ASSERT_NOT_NULL(test, info);

	for (i = 0; i < TDX_MAX_CMRS; i++) {
		cmrs[i].base = i * SZ_2M;
		cmrs[i].size = SZ_1M;
	}
	KUNIT_EXPECT_EQ(test, tdx_check_cmrs(cmrs, TDX_MAX_CMRS, info), 0);
	KUNIT_EXPECT_EQ(test, info->nr_cmrs, TDX_MAX_CMRS);

	cmrs[TDX_MAX_CMRS - 1].base = 0;
	KUNIT_EXPECT_EQ(test, tdx_check_cmrs(cmrs, TDX_MAX_CMRS, info), -EIO);
}

struct limits_case {
	const char *name;
	struct tdmr_limits limits;
	int ret;
	u16 max_tdmrs;
};

static const struct limits_case limits_cases[] = {
	{ "as modules have them", { 64, 16, { 16, 16, 16 } }, 0, 64 },
	{ "the least", { 1, 1, { 1, 1, 1 } }, 0, 1 },
	{ "more TDMRs than TDH.SYS.CONFIG takes", { 0xffff, 16, { 16, 16, 16 } }, 0, 64 },
	{ "no TDMRs", { 0, 16, { 16, 16, 16 } }, -EIO },
	{ "no reserved areas", { 64, 0, { 16, 16, 16 } }, -EIO },
	{ "reserved areas fill a page", { 64, 252, { 16, 16, 16 } }, 0, 64 },
	{ "more reserved areas than a page holds", { 64, 253, { 16, 16, 16 } }, -EIO },
	{ "65535 reserved areas", { 64, 0xffff, { 16, 16, 16 } }, -EIO },
	{ "no 4K entry", { 64, 16, { 0, 16, 16 } }, -EIO },
	{ "no 2M entry", { 64, 16, { 16, 0, 16 } }, -EIO },
	{ "no 1G entry", { 64, 16, { 16, 16, 0 } }, -EIO },
	{ "an entry as large as what it describes", { 64, 16, { 4096, 16, 16 } }, 0, 64 },
	{ "an entry larger than what it describes", { 64, 16, { 4097, 16, 16 } }, -EIO },
};

static void limits_desc(const struct limits_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(limits, limits_cases, limits_desc);

static void test_limits(struct kunit *test)
{
	const struct limits_case *c = test->param_value;
	struct tdmr_limits limits = c->limits;

	KUNIT_ASSERT_EQ(test, tdx_check_limits(&limits), c->ret);
	if (!c->ret)
		KUNIT_EXPECT_EQ(test, limits.max_tdmrs, c->max_tdmrs);
}

static struct kunit_case sysinfo_test_cases[] = {
	KUNIT_CASE_PARAM(test_cmrs, cmr_gen_params),
	KUNIT_CASE(test_cmrs_full),
	KUNIT_CASE_PARAM(test_limits, limits_gen_params),
	{}
};

static struct kunit_suite sysinfo_suite = {
	.name = "tdx_sysinfo",
	.test_cases = sysinfo_test_cases,
};

kunit_test_suite(sysinfo_suite);
