// SPDX-License-Identifier: GPL-2.0
/*
 * CPUs that go offline and come back, before and after the first TD.
 *
 * Parameters: errno=NAME, log=NAME: what the first TD gets, and the message
 * about it, while a CPU that has been up is offline (EAGAIN, cpu_offline).
 */
#include "../kselftest_harness.h"
#include "tdx_test.h"

FIXTURE(hotplug) {
	int kvm;
	unsigned int last;
};

FIXTURE_SETUP(hotplug)
{
	unsigned int cpu;

	self->kvm = tdx_open_kvm();
	ASSERT_LE(2, tdx_nr_cpus());
	self->last = tdx_nr_cpus() - 1;
	for (cpu = 0; cpu <= self->last; cpu++)
		ASSERT_TRUE(tdx_cpu_online(cpu));
}

FIXTURE_TEARDOWN(hotplug)
{
	unsigned int cpu;

	for (cpu = 1; cpu <= self->last; cpu++) {
		if (!tdx_cpu_online(cpu))
			EXPECT_EQ(0, tdx_cpu_switch(cpu, true));
	}
	close(self->kvm);
}

/* The module wants to hear from every CPU once: say which, change nothing. */
TEST_F(hotplug, first_td_with_a_cpu_offline)
{
	const char *message = tdx_param("log", "cpu_offline");
	int err = tdx_errno(tdx_param("errno", "EAGAIN"));
	char *line, name[16];

	ASSERT_EQ(0, tdx_log_count("initialized"));
	ASSERT_EQ(0, tdx_cpu_switch(self->last, false));
	EXPECT_EQ(-err, tdx_create_vm(self->kvm, KVM_X86_TDX_VM));
	EXPECT_LE(1, tdx_log_find(message, &line));
	ASSERT_NE(NULL, line);
	snprintf(name, sizeof(name), "%u", self->last);
	EXPECT_NE(NULL, strstr(line, name)) {
		TH_LOG("does not name CPU %s: %s", name, line);
	}
	EXPECT_EQ(0, tdx_log_count("initialized"));
	EXPECT_TRUE(tdx_state_is("LOADED"));
}

TEST_F(hotplug, first_td_after_it_came_back)
{
	int td;

	ASSERT_EQ(0, tdx_log_count("initialized"));
	td = tdx_create_vm(self->kvm, KVM_X86_TDX_VM);
	ASSERT_LE(0, td);
	EXPECT_EQ(1, tdx_log_count("initialized"));
	EXPECT_TRUE(tdx_state_is("INITIALIZED"));
	EXPECT_EQ(0, close(td));
}

TEST_F(hotplug, td_with_a_cpu_offline)
{
	int td;

	ASSERT_EQ(0, tdx_cpu_switch(self->last, false));
	td = tdx_create_vm(self->kvm, KVM_X86_TDX_VM);
	EXPECT_LE(0, td);
	EXPECT_EQ(1, tdx_log_count("initialized"));
	EXPECT_EQ(0, close(td));
}

TEST_F(hotplug, cpu_comes_and_goes_under_a_td)
{
	unsigned int cpu;
	int td, more;

	td = tdx_create_vm(self->kvm, KVM_X86_TDX_VM);
	ASSERT_LE(0, td);
	for (cpu = 1; cpu <= self->last; cpu++) {
		ASSERT_EQ(0, tdx_cpu_switch(cpu, false));
		more = tdx_create_vm(self->kvm, KVM_X86_TDX_VM);
		EXPECT_LE(0, more);
		ASSERT_EQ(0, tdx_cpu_switch(cpu, true));
		EXPECT_EQ(0, close(more));
	}
	EXPECT_EQ(0, close(td));
	td = tdx_create_vm(self->kvm, KVM_X86_TDX_VM);
	EXPECT_LE(0, td);
	EXPECT_EQ(0, close(td));
	EXPECT_EQ(1, tdx_log_count("initialized"));
	EXPECT_TRUE(tdx_state_is("INITIALIZED"));
}

/* A CPU that comes up when a TD was created while it was away. */
TEST_F(hotplug, all_but_one_offline)
{
	unsigned int cpu;
	int td;

	for (cpu = 1; cpu <= self->last; cpu++)
		ASSERT_EQ(0, tdx_cpu_switch(cpu, false));
	td = tdx_create_vm(self->kvm, KVM_X86_TDX_VM);
	EXPECT_LE(0, td);
	for (cpu = 1; cpu <= self->last; cpu++)
		ASSERT_EQ(0, tdx_cpu_switch(cpu, true));
	EXPECT_EQ(0, close(td));
	EXPECT_EQ(1, tdx_log_count("initialized"));
}

TDX_TEST_MAIN
