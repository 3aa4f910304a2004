// SPDX-License-Identifier: GPL-2.0
/*
 * A machine, or a command line, that gives no TD: the errno and the message
 * that say why, once; ordinary VMs do not notice.
 *
 * Parameters: errno=NAME and log=NAME (what is expected); state=NAME (NONE);
 * type=0|1 (whether KVM reports the TD type before the first attempt, 1); lines=N
 * (how often the message is in the log after all attempts, 1); attempts=N (3).
 * After the attempts KVM reports the type if there is a use in further ones.
 */
#include <sys/ioctl.h>

#include "../kselftest_harness.h"
#include "tdx_test.h"

/* 6.1 as it is answers 0 to a capability that it does not know. */
static bool td_is_reported(void)
{
	int types = ioctl(tdx_open_kvm(), KVM_CHECK_EXTENSION, KVM_CAP_VM_TYPES);

	return types > 0 && types & (1 << KVM_X86_TDX_VM);
}

TEST(type_is_reported_or_not)
{
	EXPECT_EQ(tdx_param_num("type", 1), td_is_reported());
}

TEST(td_is_refused)
{
	int want = -tdx_errno(tdx_param("errno", "ENODEV"));
	int kvm = tdx_open_kvm();
	unsigned long attempts = tdx_param_num("attempts", 3);
	int got;

	while (attempts--) {
		got = tdx_create_vm(kvm, KVM_X86_TDX_VM);
		EXPECT_EQ(want, got) {
			TH_LOG("wanted %s, got %s", tdx_errno_name(-want),
			       tdx_errno_name(-got));
		}
	}
	EXPECT_EQ(0, tdx_log_count("initialized"));
	EXPECT_TRUE(tdx_state_is(tdx_param("state", "NONE")));
	EXPECT_EQ(want == -EAGAIN || want == -ENOMEM || want == -EPERM, td_is_reported());
}

TEST(the_log_says_why)
{
	const char *name = tdx_param("log", NULL);
	unsigned int lines = tdx_param_num("lines", 1);

	ASSERT_NE(NULL, name);
	EXPECT_EQ(lines, tdx_log_count(name)) {
		TH_LOG("message %s", name);
	}
}

TEST(ordinary_vm)
{
	int kvm = tdx_open_kvm();
	int vm = tdx_create_vm(kvm, KVM_X86_ORDINARY_VM);

	ASSERT_LE(0, vm);
	EXPECT_LE(0, ioctl(vm, KVM_CREATE_VCPU, 0));
}

TDX_TEST_MAIN
