// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation of the task that creates the first TD fails: the nth one, for
 * n from 1 on until none is left to fail.
 *
 * Either the TD is there all the same (what could not be allocated was not
 * needed, or there was another way), or the answer is -ENOMEM, nothing is kept,
 * and the next try succeeds. Needs a test kernel, and a platform with
 * "test_interface".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>

#include "../kselftest_harness.h"
#include "tdx_platform.h"
#include "tdx_test.h"

#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define KMEMLEAK	"/sys/kernel/debug/kmemleak"

/* More than there are; a sweep that goes on for ever is an error. */
#define MAX_NTH		5000
/* Less than a page for each failure */
#define SLACK_KB	512

static const struct {
	const char *file;
	const char *text;
} settings[] = {
	/* Those that may wait fail, too; without a line and a stack for each. */
	{ "/sys/kernel/debug/failslab/ignore-gfp-wait", "N" },
	{ "/sys/kernel/debug/failslab/verbose", "0" },
	{ "/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N" },
	{ "/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem", "N" },
	{ "/sys/kernel/debug/fail_page_alloc/min-order", "0" },
	{ "/sys/kernel/debug/fail_page_alloc/verbose", "0" },
};

FIXTURE(nomem) {
	int kvm;
	int vm;			/* keeps all CPUs in VMX operation */
};

FIXTURE_SETUP(nomem)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(settings); i++) {
		ASSERT_EQ(0, tdx_write_file(settings[i].file, settings[i].text)) {
			TH_LOG("%s", settings[i].file);
		}
	}
	self->kvm = tdx_open_kvm();
	self->vm = tdx_create_vm(self->kvm, KVM_X86_ORDINARY_VM);
	ASSERT_LE(0, self->vm);
	tdx_log_watch(true);
}

FIXTURE_TEARDOWN(nomem)
{
	tdx_log_watch(false);
	close(self->vm);
	close(self->kvm);
}

/* Returns as tdx_create_vm(); *struck: there was an nth allocation. */
static int create_with_failure(int kvm, unsigned int nth, bool *struck)
{
	char text[16];
	int fd = open(FAIL_NTH, O_RDWR | O_CLOEXEC), ret, len;

	if (fd < 0)
		return -errno;
	len = snprintf(text, sizeof(text), "%u", nth);
	if (write(fd, text, len) != len)
		ret = -errno;
	else
		ret = tdx_create_vm(kvm, KVM_X86_TDX_VM);
	len = pread(fd, text, sizeof(text) - 1, 0);
	text[len < 0 ? 0 : len] = '\0';
	*struck = !atoi(text);
	/* The nth one of what comes next is none of this. */
	if (!*struck && write(fd, "0", 1) != 1)
		ret = -errno;
	close(fd);
	return ret;
}

static const char *state_of(int td)
{
	/* It can be what came before that failed. */
	return td >= 0 ? "INITIALIZED" : tdx_state_is("UNKNOWN") ? "UNKNOWN" : "LOADED";
}

static void sweep(struct __test_metadata *_metadata, struct _test_data_nomem *self)
{
	unsigned int nth, refused = 0, all_the_same = 0;
	struct tdx_platform_state before, after;
	unsigned long free_kb;
	bool struck = true;
	char kb[32];
	int td;

	tdx_machine_reset();
	close(tdx_create_vm(self->kvm, KVM_X86_TDX_VM));
	tdx_machine_reset();
	tdx_platform_state(&before);
	free_kb = tdx_free_kb();

	for (nth = 1; nth < MAX_NTH; nth++) {
		tdx_machine_reset();
		td = create_with_failure(self->kvm, nth, &struck);
		if (!struck)
			break;
		ASSERT_TRUE(td >= 0 || td == -ENOMEM) {
			TH_LOG("allocation %u: %s", nth, tdx_errno_name(-td));
		}
		if (td >= 0)
			all_the_same++;
		else
			refused++;
		/* The module may be ready and KVM fail afterwards. */
		if (!tdx_state_is("INITIALIZED")) {
			EXPECT_TRUE(tdx_state_is(state_of(td)));
			EXPECT_STREQ("0", tdx_read_file("/sys/firmware/tdx/pamt_kb", kb,
							sizeof(kb)));
		}
		if (td < 0)
			td = tdx_create_vm(self->kvm, KVM_X86_TDX_VM);
		ASSERT_LE(0, td) {
			TH_LOG("after allocation %u: %s", nth, tdx_errno_name(-td));
		}
		EXPECT_TRUE(tdx_state_is("INITIALIZED"));
		close(td);
		EXPECT_EQ(0, tdx_log_strange(NULL));
		ASSERT_TRUE(_metadata->passed) {
			TH_LOG("allocation %u", nth);
		}
	}
	EXPECT_FALSE(struck);
	close(td);
	tdx_machine_reset();
	EXPECT_LE(free_kb, tdx_free_kb() + SLACK_KB);
	tdx_platform_state(&after);
	EXPECT_EQ(before.findings, after.findings);
	tdx_log_watch(false);
	printf("# %u allocations: %u times -ENOMEM, %u times a TD all the same\n", nth - 1,
	       refused, all_the_same);
	EXPECT_LT(10, refused);
}

TEST_F(nomem, every_allocation_fails)
{
	sweep(_metadata, self);
}

TDX_TEST_MAIN
