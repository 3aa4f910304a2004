// SPDX-License-Identifier: GPL-2.0
/*
 * A machine whose firmware makes no sense: a TD, or one of the documented errors
 * with the state that belongs to it, and the reason; the same once more; ordinary
 * VMs beside it.
 *
 * Parameters: errno=NAME, if it is known what has to come, 0 for a TD.
 */
#include <errno.h>
#include <sys/ioctl.h>

#include "../kselftest_harness.h"
#include "tdx_platform.h"
#include "tdx_test.h"

#define SYSFS	"/sys/firmware/tdx/"

TEST(a_td_or_an_error)
{
	int kvm = tdx_open_kvm();
	const char *want = tdx_param("errno", NULL);
	char pamt_kb[32], why[512];
	int first, again;

	first = tdx_create_vm(kvm, KVM_X86_TDX_VM);
	EXPECT_TRUE(tdx_state_is(tdx_state_after(first))) {
		TH_LOG("%s", tdx_errno_name(first < 0 ? -first : 0));
	}
	printf("# got %s, state %s\n", first < 0 ? tdx_errno_name(-first) : "a TD", tdx_state());
	if (want)
		EXPECT_EQ(strcmp(want, "0") ? -tdx_errno(want) : 0, first < 0 ? first : 0);
	/* The module has memory if it works; there is a reason if it does not. */
	tdx_read_file(SYSFS "pamt_kb", pamt_kb, sizeof(pamt_kb));
	EXPECT_EQ(first < 0, !strcmp(pamt_kb, "0"));
	tdx_read_file(SYSFS "last_error", why, sizeof(why));
	EXPECT_EQ(first < 0, !!why[0]);
	/* Beside the first one, if there is one */
	again = tdx_create_vm(kvm, KVM_X86_TDX_VM);
	EXPECT_EQ(first < 0 ? first : 0, again < 0 ? again : 0);
	EXPECT_TRUE(tdx_state_is(tdx_state_after(again)));
}

TEST(ordinary_vm)
{
	int vm = tdx_create_vm(tdx_open_kvm(), KVM_X86_ORDINARY_VM);

	ASSERT_LE(0, vm);
	EXPECT_LE(0, ioctl(vm, KVM_CREATE_VCPU, 0));
}

TDX_TEST_MAIN
