// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of what the MSRs of CPUs mean.
 */
#include <kunit/test.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "../arch.h"
#include "../tdx.h"

/* As a Sapphire Rapids machine has them: SEAMRR of 32 MiB, 63 + 64 KeyIDs */
#define GOOD_BASE	(0x7a000000ULL | SEAMRR_BASE_CONFIGURED)
#define GOOD_MASK	(0xffffffe000000ULL | SEAMRR_MASK_LOCKED | SEAMRR_MASK_ENABLED)
#define GOOD_KEYIDS	0x400000003fULL

struct decode_case {
	const char *name;
	struct tdx_cpu_msrs msrs;
	enum tdx_why why;
	struct tdx_platform platform;
};

static const struct decode_case decode_cases[] = {
	{
		.name = "all right",
		.msrs = { 0x8d0a, GOOD_BASE, GOOD_MASK, GOOD_KEYIDS },
		.why = TDX_PLATFORM_OK,
		.platform = { { 0x7a000000, 0x7c000000 }, 64, 64 },
	},
	{
		.name = "the least: two KeyIDs, the first of them 1",
		.msrs = { MTRRCAP_SEAMRR, GOOD_BASE, GOOD_MASK, 2ULL << 32 },
		.why = TDX_PLATFORM_OK,
		.platform = { { 0x7a000000, 0x7c000000 }, 1, 2 },
	},
	{
		.name = "SEAMRR of 1 GiB above 4 GiB",
		.msrs = { MTRRCAP_SEAMRR, 0x140000008ULL, 0xfffffc0000c00ULL, GOOD_KEYIDS },
		.why = TDX_PLATFORM_OK,
		.platform = { { 0x140000000, 0x180000000 }, 64, 64 },
	},
	{
		.name = "no CPU support",
		.msrs = { 0xd0a, 0, 0, 0 },
		.why = TDX_WHY_NO_SEAMRR,
		.platform = { { 0, 0 }, 1, 0 },
	},
	{
		.name = "not locked, whatever else is wrong",
		.msrs = { MTRRCAP_SEAMRR, 0, 0, 0 },
		.why = TDX_WHY_NOT_LOCKED,
		.platform = { { 0, 0 }, 1, 0 },
	},
	{
		.name = "locked, but not enabled",
		.msrs = { MTRRCAP_SEAMRR, GOOD_BASE, GOOD_MASK & ~SEAMRR_MASK_ENABLED,
			  GOOD_KEYIDS },
		.why = TDX_WHY_NOT_ENABLED,
		.platform = { { 0x7a000000, 0x7c000000 }, 64, 64 },
	},
	{
		.name = "enabled, but not configured",
		.msrs = { MTRRCAP_SEAMRR, 0x7a000000, GOOD_MASK, GOOD_KEYIDS },
		.why = TDX_WHY_NOT_CONFIGURED,
		.platform = { { 0x7a000000, 0x7c000000 }, 64, 64 },
	},
	{
		.name = "configured, but without a size",
		.msrs = { MTRRCAP_SEAMRR, GOOD_BASE,
			  SEAMRR_MASK_LOCKED | SEAMRR_MASK_ENABLED | BIT_ULL(24) | BIT_ULL(52),
			  GOOD_KEYIDS },
		.why = TDX_WHY_EMPTY,
		.platform = { { 0x7a000000, 0x7a000000 }, 64, 64 },
	},
	{
		.name = "all KeyIDs are MKTME's",
		.msrs = { MTRRCAP_SEAMRR, GOOD_BASE, GOOD_MASK, 0x7f },
		.why = TDX_WHY_FEW_KEYIDS,
		.platform = { { 0x7a000000, 0x7c000000 }, 128, 0 },
	},
	{
		.name = "one KeyID is not enough",
		.msrs = { MTRRCAP_SEAMRR, GOOD_BASE, GOOD_MASK, 1ULL << 32 | 62 },
		.why = TDX_WHY_FEW_KEYIDS,
		.platform = { { 0x7a000000, 0x7c000000 }, 63, 1 },
	},
};

static void decode_desc(const struct decode_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(decode, decode_cases, decode_desc);

static void test_decode(struct kunit *test)
{
	const struct decode_case *c = test->param_value;
	struct tdx_platform platform;

	KUNIT_EXPECT_EQ(test, tdx_decode_msrs(&c->msrs, &platform), c->why);
	KUNIT_EXPECT_EQ(test, platform.seamrr.start, c->platform.seamrr.start);
	KUNIT_EXPECT_EQ(test, platform.seamrr.end, c->platform.seamrr.end);
	KUNIT_EXPECT_EQ(test, platform.first_keyid, c->platform.first_keyid);
	KUNIT_EXPECT_EQ(test, platform.nr_keyids, c->platform.nr_keyids);
}

struct differ_case {
	const char *name;
	struct tdx_cpu_msrs msrs;
	u32 msr;
};

/* Against { MTRRCAP_SEAMRR, GOOD_BASE, GOOD_MASK, GOOD_KEYIDS } */
static const struct differ_case differ_cases[] = {
	{ "same", { MTRRCAP_SEAMRR, GOOD_BASE, GOOD_MASK, GOOD_KEYIDS }, 0 },
	{ "MTRRs differ, SEAMRR does not",
	  { MTRRCAP_SEAMRR | 0xd08, GOOD_BASE, GOOD_MASK, GOOD_KEYIDS }, 0 },
	{ "no support", { 0, 0, 0, 0 }, MSR_IA32_MTRRCAP },
	{ "base", { MTRRCAP_SEAMRR, GOOD_BASE ^ BIT_ULL(40), GOOD_MASK, GOOD_KEYIDS },
	  MSR_IA32_SEAMRR_PHYS_BASE },
	{ "lock", { MTRRCAP_SEAMRR, GOOD_BASE, GOOD_MASK ^ SEAMRR_MASK_LOCKED, GOOD_KEYIDS },
	  MSR_IA32_SEAMRR_PHYS_MASK },
	{ "one KeyID less", { MTRRCAP_SEAMRR, GOOD_BASE, GOOD_MASK, GOOD_KEYIDS - BIT_ULL(32) },
	  MSR_IA32_MKTME_KEYID_PARTITIONING },
	{ "other split, same number", { MTRRCAP_SEAMRR, GOOD_BASE, GOOD_MASK, 0x4000000040ULL },
	  MSR_IA32_MKTME_KEYID_PARTITIONING },
};

static void differ_desc(const struct differ_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(differ, differ_cases, differ_desc);

static u64 msr_of(const struct tdx_cpu_msrs *msrs, u32 msr)
{
	switch (msr) {
	case MSR_IA32_MTRRCAP:
		return msrs->mtrrcap;
	case MSR_IA32_SEAMRR_PHYS_BASE:
		return msrs->seamrr_base;
	case MSR_IA32_SEAMRR_PHYS_MASK:
		return msrs->seamrr_mask;
	default:
		return msrs->keyids;
	}
}

static void test_differ(struct kunit *test)
{
	const struct tdx_cpu_msrs good = {
		MTRRCAP_SEAMRR, GOOD_BASE, GOOD_MASK, GOOD_KEYIDS
	};
	const struct differ_case *c = test->param_value;
	u64 a, b;

	KUNIT_EXPECT_EQ(test, tdx_msrs_differ(&good, &c->msrs, &a, &b), c->msr);
	if (!c->msr)
		return;

	KUNIT_EXPECT_EQ(test, a, msr_of(&good, c->msr));
	KUNIT_EXPECT_EQ(test, b, msr_of(&c->msrs, c->msr));
}

static struct kunit_case detect_test_cases[] = {
	KUNIT_CASE_PARAM(test_decode, decode_gen_params),
	KUNIT_CASE_PARAM(test_differ, differ_gen_params),
	{}
};

static struct kunit_suite detect_suite = {
	.name = "tdx_detect",
	.test_cases = detect_test_cases,
};

kunit_test_suite(detect_suite);
