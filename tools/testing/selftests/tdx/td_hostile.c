// SPDX-License-Identifier: GPL-2.0
/*
 * A module and firmware that report nonsense: for each seed the platform puts
 * random values in place of what SEAMLDR.INFO, SYS.INFO, SYS.RD and TDMR.INIT
 * should say. A TD is asked for; an error or a TD is right, a word of the kernel
 * that is not TDX's is not.
 *
 * Parameters: count=N seeds (500), first=N (1).
 */
#include <errno.h>

#include "../kselftest_harness.h"
#include "tdx_platform.h"
#include "tdx_test.h"

/* Lines of TDX in the log for one seed */
#define MAX_LINES	60

FIXTURE(hostile) {
	int kvm;
	int vm;			/* keeps all CPUs in VMX operation */
};

FIXTURE_SETUP(hostile)
{
	self->kvm = tdx_open_kvm();
	self->vm = tdx_create_vm(self->kvm, KVM_X86_ORDINARY_VM);
	ASSERT_LE(0, self->vm);
	tdx_log_watch(true);
}

FIXTURE_TEARDOWN(hostile)
{
	tdx_log_watch(false);
	close(self->vm);
	close(self->kvm);
}

static const int errors[] = { 0, -ENODEV, -EIO, -EAGAIN, -ENOMEM };

TEST_F(hostile, nonsense_is_refused)
{
	unsigned long count = tdx_param_num("count", 500), first = tdx_param_num("first", 1);
	unsigned int seen[ARRAY_SIZE(errors)] = {}, lines, i;
	struct tdx_platform_state before, after;
	unsigned long seed;
	long used;
	char kb[32];
	int td;

	tdx_machine_reset();
	close(tdx_create_vm(self->kvm, KVM_X86_TDX_VM));
	tdx_machine_reset();
	tdx_platform_state(&before);
	used = tdx_used_pages();

	for (seed = first; seed < first + count; seed++) {
		tdx_machine_reset();
		tdx_platform("hostile %lu", seed);
		td = tdx_create_vm(self->kvm, KVM_X86_TDX_VM);
		for (i = 0; i < ARRAY_SIZE(errors); i++)
			seen[i] += td == errors[i] || (!i && td >= 0);
		EXPECT_TRUE(tdx_state_is(tdx_state_after(td)));
		if (td < 0) {
			EXPECT_STREQ("0", tdx_read_file("/sys/firmware/tdx/pamt_kb", kb,
							sizeof(kb)));
		} else {
			close(td);
		}
		EXPECT_EQ(0, tdx_log_strange(&lines));
		EXPECT_GT(MAX_LINES, lines);
		ASSERT_TRUE(_metadata->passed) {
			TH_LOG("seed %lu", seed);
		}
	}
	tdx_machine_reset();
	EXPECT_TRUE(tdx_nothing_lost(used + TDX_KEPT_PAGES));
	tdx_platform_state(&after);
	EXPECT_EQ(before.findings, after.findings);
	tdx_log_watch(false);
	printf("# %lu seeds: %u TDs, %u ENODEV, %u EIO, %u EAGAIN, %u ENOMEM\n", count, seen[0],
	       seen[1], seen[2], seen[3], seen[4]);
	/* It is not all refused for one reason, nor believed. */
	EXPECT_LT(0, seen[0]);
	EXPECT_LT(0, seen[1]);
	EXPECT_LT(0, seen[2]);
}

TDX_TEST_MAIN
