// SPDX-License-Identifier: GPL-2.0
/*
 * CPUs that were present but never brought up (maxcpus=) come late, and then
 * there can be a TD.
 */
#include "../kselftest_harness.h"
#include "tdx_test.h"

TEST(td_after_all_cpus_came)
{
	int kvm = tdx_open_kvm();
	unsigned int cpu, late = 0;

	ASSERT_EQ(0, tdx_log_count("initialized"));
	for (cpu = 0; cpu < tdx_nr_cpus(); cpu++) {
		if (tdx_cpu_online(cpu))
			continue;
		ASSERT_EQ(0, tdx_cpu_switch(cpu, true));
		late++;
	}
	ASSERT_LT(0, late);
	EXPECT_LE(0, tdx_create_vm(kvm, KVM_X86_TDX_VM));
	EXPECT_EQ(1, tdx_log_count("initialized"));
	EXPECT_TRUE(tdx_state_is("INITIALIZED"));
}

TDX_TEST_MAIN
