// SPDX-License-Identifier: GPL-2.0
/* TDs one after the other: the module is initialised for the first alone. */
#include "../kselftest_harness.h"
#include "tdx_test.h"

#define TDS	25

TEST(second_td_after_the_first_was_closed)
{
	int kvm = tdx_open_kvm();
	int td = tdx_create_vm(kvm, KVM_X86_TDX_VM);

	ASSERT_LE(0, td);
	EXPECT_EQ(0, close(td));
	EXPECT_EQ(0, close(kvm));
	/* No VM is left, so KVM has turned VMX off on every CPU by now. */
	EXPECT_TRUE(tdx_state_is("INITIALIZED"));

	kvm = tdx_open_kvm();
	td = tdx_create_vm(kvm, KVM_X86_TDX_VM);
	ASSERT_LE(0, td);
	EXPECT_EQ(0, close(td));

	EXPECT_TRUE(tdx_state_is("INITIALIZED"));
	EXPECT_EQ(1, tdx_log_count("module"));
	EXPECT_EQ(1, tdx_log_count("initialized"));
}

TEST(many_more)
{
	unsigned int before = tdx_log_count("any");
	int kvm = tdx_open_kvm();
	int td[TDS], i;

	/* One at a time ... */
	for (i = 0; i < TDS; i++) {
		td[i] = tdx_create_vm(kvm, KVM_X86_TDX_VM);
		ASSERT_LE(0, td[i]);
		EXPECT_EQ(0, close(td[i]));
	}
	/* ... and all at the same time. */
	for (i = 0; i < TDS; i++) {
		td[i] = tdx_create_vm(kvm, KVM_X86_TDX_VM);
		ASSERT_LE(0, td[i]);
	}
	for (i = 0; i < TDS; i++)
		EXPECT_EQ(0, close(td[i]));

	/* A user with nothing but /dev/kvm cannot fill the log. */
	EXPECT_EQ(before, tdx_log_count("any"));
	EXPECT_TRUE(tdx_state_is("INITIALIZED"));
}

TDX_TEST_MAIN
