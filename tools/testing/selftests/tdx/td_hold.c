// SPDX-License-Identifier: GPL-2.0
/*
 * A TD that stays open when the program has ended: CPUs stay in VMX operation.
 * For what happens to the machine then.
 */
#include "../kselftest_harness.h"
#include "tdx_test.h"

TEST(td_stays_open)
{
	int kvm = tdx_open_kvm();
	pid_t child;

	ASSERT_LE(0, tdx_create_vm(kvm, KVM_X86_TDX_VM));
	EXPECT_TRUE(tdx_state_is("INITIALIZED"));

	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		/* Nobody waits for it, nor for its output. */
		setsid();
		close(STDOUT_FILENO);
		close(STDERR_FILENO);
		for (;;)
			pause();
	}
}

TDX_TEST_MAIN
