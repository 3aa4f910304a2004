// SPDX-License-Identifier: GPL-2.0
/*
 * A machine of which nothing is known: a TD, or one of the documented errors
 * with the state that belongs to it; the same once more; ordinary VMs beside it.
 */
#include <errno.h>
#include <sys/ioctl.h>

#include "../kselftest_harness.h"
#include "tdx_test.h"

TEST(a_td_or_an_error)
{
	int kvm = tdx_open_kvm();
	int first, again;

	first = tdx_create_vm(kvm, KVM_X86_TDX_VM);
	EXPECT_TRUE(tdx_state_is(tdx_state_after(first))) {
		TH_LOG("%s", tdx_errno_name(first < 0 ? -first : 0));
	}
	printf("# %s, state %s\n", first < 0 ? tdx_errno_name(-first) : "a TD", tdx_state());
	again = tdx_create_vm(kvm, KVM_X86_TDX_VM);
	EXPECT_EQ(first < 0 ? first : 0, again < 0 ? again : 0);
}

TEST(ordinary_vm)
{
	int vm = tdx_create_vm(tdx_open_kvm(), KVM_X86_ORDINARY_VM);

	ASSERT_LE(0, vm);
	EXPECT_LE(0, ioctl(vm, KVM_CREATE_VCPU, 0));
}

TDX_TEST_MAIN
