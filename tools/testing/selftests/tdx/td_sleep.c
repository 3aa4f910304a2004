// SPDX-License-Identifier: GPL-2.0
/*
 * S3 and hibernation are refused while the module is in use: it and all TDs
 * would be lost. The log says why, and all goes on as before.
 */
#include <errno.h>

#include "../kselftest_harness.h"
#include "tdx_test.h"

static void sleep_is_refused(struct __test_metadata *_metadata, const char *state,
			     const char *message)
{
	int kvm = tdx_open_kvm();
	int td = tdx_create_vm(kvm, KVM_X86_TDX_VM), again;

	ASSERT_LE(0, td);
	EXPECT_EQ(0, tdx_log_count(message));
	EXPECT_GT(0, tdx_write_file("/sys/power/state", state));
	EXPECT_EQ(1, tdx_log_count(message));
	EXPECT_TRUE(tdx_state_is("INITIALIZED"));
	again = tdx_create_vm(kvm, KVM_X86_TDX_VM);
	EXPECT_LE(0, again);
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
