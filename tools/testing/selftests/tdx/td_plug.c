// SPDX-License-Identifier: GPL-2.0
/*
 * A CPU that is plugged in when the module has been initialised: the log says
 * that it cannot run TDs, and all else works.
 *
 * Needs a platform with "test_interface" and room for a CPU.
 */
#define _GNU_SOURCE
#include <sched.h>

#include "../kselftest_harness.h"
#include "tdx_platform.h"
#include "tdx_test.h"

/* How long a CPU takes to come, at most */
#define PATIENCE	100

static bool comes(unsigned int cpu)
{
	unsigned int i;
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online", cpu);
	for (i = 0; access(path, F_OK); i++) {
		if (i == 10 * PATIENCE)
			return false;
		usleep(100000);
	}
	return true;
}

TEST(cpu_that_the_module_does_not_know)
{
	unsigned int cpu = tdx_nr_cpus();
	int kvm = tdx_open_kvm(), td, other;
	cpu_set_t cpus;

	td = tdx_create_vm(kvm, KVM_X86_TDX_VM);
	ASSERT_LE(0, td);

	tdx_platform("plug");
	ASSERT_TRUE(comes(cpu));
	EXPECT_EQ(0, tdx_log_count("cpu_added"));
	ASSERT_EQ(0, tdx_cpu_switch(cpu, true));
	EXPECT_EQ(1, tdx_log_count("cpu_added"));

	/* It can be used, as before by KVM too. */
	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(cpus), &cpus));
	other = tdx_create_vm(kvm, KVM_X86_ORDINARY_VM);
	EXPECT_LE(0, other);
	close(other);
	other = tdx_create_vm(kvm, KVM_X86_TDX_VM);
	EXPECT_LE(0, other);
	close(other);
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(cpus), &cpus));

	/* It can go and come back; those that the module knows can as well. */
	EXPECT_EQ(0, tdx_cpu_switch(cpu, false));
	EXPECT_EQ(0, tdx_cpu_switch(cpu, true));
	EXPECT_EQ(2, tdx_log_count("cpu_added"));
	EXPECT_EQ(0, tdx_cpu_switch(1, false));
	EXPECT_EQ(0, tdx_cpu_switch(1, true));
	EXPECT_EQ(2, tdx_log_count("cpu_added"));

	EXPECT_TRUE(tdx_state_is("INITIALIZED"));
	close(td);
	td = tdx_create_vm(kvm, KVM_X86_TDX_VM);
	EXPECT_LE(0, td);
	close(td);
}

TDX_TEST_MAIN
