// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of what sysfs and debugfs show: the last error, counts of
 * SEAMCALLs.
 */
#include <kunit/test.h>
#include <linux/bits.h>
#include <linux/kconfig.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/string.h>

#include "../observe.h"
#include "../status.h"

static void tdx_last_error_test(struct kunit *test)
{
	char *buf = kunit_kmalloc(test, PAGE_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);

	tdx_note_error("one %d\n", 1);
	tdx_note_error("two %d\n", 2);
	tdx_get_error(buf, PAGE_SIZE);
	KUNIT_EXPECT_STREQ(test, buf, "two 2");

	tdx_note_error("no newline");
	tdx_get_error(buf, 5);
	KUNIT_EXPECT_STREQ(test, buf, "no n");

	tdx_forget_error();
	tdx_get_error(buf, PAGE_SIZE);
	KUNIT_EXPECT_STREQ(test, buf, "");
}

/* The longest that a status makes, and more, must not leave the buffer. */
static void tdx_long_error_test(struct kunit *test)
{
	char *text = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	char *buf = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, text);
	KUNIT_ASSERT_NOT_NULL(test, buf);

	memset(text, 'x', TDX_STATUS_LEN - 1);
	tdx_note_error("TDH.EXPORT.STATE.IMMUTABLE failed on CPU %u: %s\n", UINT_MAX, text);
	tdx_get_error(buf, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, strcspn(buf, "x") + strlen(text), strlen(buf));

	memset(text, 'x', PAGE_SIZE - 1);
	tdx_note_error("%s", text);
	tdx_get_error(buf, PAGE_SIZE);
	KUNIT_EXPECT_LT(test, strlen(buf), PAGE_SIZE - 1);

	tdx_forget_error();
}

/* Leaves that nothing else in the tests uses */
static const u64 counted[] = {
	64,					/* TDH.EXPORT.ABORT */
	BIT_ULL(63) | 4,			/* SEAMLDR.CLEANUP */
	7 | 3 << 16,				/* with a version */
	TDX_STATS_LEAVES - 1,			/* no leaf, but a row */
	BIT_ULL(63) | (TDX_STATS_LEAVES - 1),
};

static void tdx_stats_test(struct kunit *test)
{
	struct tdx_leaf_stats stats, before;
	int ret = tdx_stats_switch(true);
	int i;

	/* Counting is up to this test here. */
	if (IS_ENABLED(CONFIG_TRACEPOINTS)) {
		KUNIT_ASSERT_EQ(test, ret, 0);
		KUNIT_EXPECT_EQ(test, tdx_stats_switch(true), 0);
		KUNIT_EXPECT_EQ(test, tdx_stats_switch(false), 0);
		KUNIT_EXPECT_EQ(test, tdx_stats_switch(false), 0);
	} else {
		KUNIT_ASSERT_LT(test, ret, 0);
	}

	for (i = 0; i < ARRAY_SIZE(counted); i++) {
		tdx_stats_get(counted[i], &before);

		preempt_disable();
		tdx_stats_add(counted[i], 0, 10);
		tdx_stats_add(counted[i] & ~GENMASK_ULL(23, 16), BIT_ULL(63), 1000 + i);
		preempt_enable();

		KUNIT_EXPECT_TRUE(test, tdx_stats_get(counted[i], &stats));
		KUNIT_EXPECT_EQ(test, stats.calls, before.calls + 2);
		KUNIT_EXPECT_EQ(test, stats.failed, before.failed + 1);
		KUNIT_EXPECT_EQ(test, stats.cycles, before.cycles + 1010 + i);
		KUNIT_EXPECT_EQ(test, stats.max_cycles, 1000ULL + i);
	}

	KUNIT_EXPECT_FALSE(test, tdx_stats_get(101, &stats));
	KUNIT_EXPECT_EQ(test, stats.calls, 0ULL);
}

static struct kunit_case tdx_observe_cases[] = {
	KUNIT_CASE(tdx_last_error_test),
	KUNIT_CASE(tdx_long_error_test),
	KUNIT_CASE(tdx_stats_test),
	{ }
};

static struct kunit_suite tdx_observe_suite = {
	.name		= "tdx_observe",
	.test_cases	= tdx_observe_cases,
};

kunit_test_suite(tdx_observe_suite);
