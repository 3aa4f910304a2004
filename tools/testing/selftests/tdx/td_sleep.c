// SPDX-License-Identifier: GPL-2.0
/*
 * S3 and hibernation are refused while the module is in use: it and all TDs
 * would be lost. The log says why, and all goes on as before.
 *
 * Parameter: errno=NAME: what each TD gets, on a machine where the first one
 * cannot be created, but a later one might.
 */
#include <errno.h>

#include "../kselftest_harness.h"
#include "tdx_test.h"

static void sleep_is_refused(struct __test_metadata *_metadata, const char *state,
			     const char *message)
{
	const char *name = tdx_param("errno", NULL);
	int kvm = tdx_open_kvm(), want = name ? -tdx_errno(name) : 0;

	ASSERT_EQ(want, tdx_try_td(kvm));
	EXPECT_EQ(0, tdx_log_count(message));
	EXPECT_GT(0, tdx_write_file("/sys/power/state", state));
	EXPECT_EQ(1, tdx_log_count(message));
	EXPECT_TRUE(tdx_state_is(want ? "LOADED" : "INITIALIZED"));
	EXPECT_EQ(want, tdx_try_td(kvm));
}

TEST(suspend_to_ram)
{
	/* Suspend to idle, the other one, is no business of TDX. */
	ASSERT_EQ(0, tdx_write_file("/sys/power/mem_sleep", "deep"));
	sleep_is_refused(_metadata, "mem", "s3_refused");
}

TEST(hibernation)
{
	sleep_is_refused(_metadata, "disk", "hibernation_refused");
}

TDX_TEST_MAIN
