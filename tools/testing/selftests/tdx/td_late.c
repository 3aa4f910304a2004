// SPDX-License-Identifier: GPL-2.0
/*
 * CPUs that were present but offline (maxcpus=, nosmt) come late, and then there
 * can be a TD; and another one without those of SMT.
 *
 * Parameters: smt=1: bring them with SMT (0).
 */
#include "../kselftest_harness.h"
#include "tdx_test.h"

#define SMT	"/sys/devices/system/cpu/smt/control"

TEST(td_after_all_cpus_came)
{
	int kvm = tdx_open_kvm();
	bool smt = tdx_param_num("smt", 0);
	unsigned int cpu, late = 0;

	ASSERT_EQ(0, tdx_log_count("initialized"));
	if (smt) {
		ASSERT_EQ(0, tdx_write_file(SMT, "on"));
		late++;
	}
	for (cpu = 0; cpu < tdx_nr_cpus(); cpu++) {
		if (tdx_cpu_online(cpu))
			continue;
		ASSERT_FALSE(smt);
		ASSERT_EQ(0, tdx_cpu_switch(cpu, true));
		late++;
	}
	ASSERT_LT(0, late);
	EXPECT_LE(0, tdx_create_vm(kvm, KVM_X86_TDX_VM));
	if (smt) {
		ASSERT_EQ(0, tdx_write_file(SMT, "off"));
		EXPECT_LE(0, tdx_create_vm(kvm, KVM_X86_TDX_VM));
	}
	EXPECT_EQ(1, tdx_log_count("initialized"));
	EXPECT_TRUE(tdx_state_is("INITIALIZED"));
}

TDX_TEST_MAIN
