// SPDX-License-Identifier: GPL-2.0
/*
 * What a user can do who has nothing but /dev/kvm: one initialisation, no
 * flood of the log, no memory that stays.
 *
 * Parameters: attempts=N (100); errno=NAME: what each attempt gets, on a
 * machine without TDs; lines=N: how many lines of TDX the log may gain (0; with
 * M messages that each attempt would repeat, 5 M: each three times a minute, of
 * which the first attempt has one, and a minute may end between the attempts).
 */
#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "../kselftest_harness.h"
#include "tdx_platform.h"
#include "tdx_test.h"

#define NOBODY		65534
#define FILES		128

static int as_nobody(struct __test_metadata *_metadata, unsigned long attempts,
		     int want)
{
	int kvm, status, got = 0;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (pid) {
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		return status;
	}
	if (setgid(NOBODY) || setuid(NOBODY))
		_exit(2);
	kvm = tdx_open_kvm();
	while (attempts--) {
		got = tdx_create_vm(kvm, KVM_X86_TDX_VM);
		if (want ? got != -want : got < 0)
			_exit(got < 0 ? -got : 1);
		if (got >= 0)
			close(got);
	}
	_exit(0);
}

TEST(log_and_memory_are_bounded)
{
	const char *name = tdx_param("errno", NULL);
	int want = name ? tdx_errno(name) : 0;
	unsigned long attempts = tdx_param_num("attempts", 100);
	unsigned int lines;
	long used;

	ASSERT_EQ(0, chmod("/dev/kvm", 0666));
	/* The first attempt initialises, if that is possible at all. */
	ASSERT_EQ(0, as_nobody(_metadata, 1, want));
	EXPECT_EQ(want ? 0 : 1, tdx_log_count("initialized"));

	lines = tdx_log_count("any");
	used = tdx_used_pages();
	EXPECT_EQ(0, as_nobody(_metadata, attempts, want));
	EXPECT_LE(tdx_log_count("any"), lines + tdx_param_num("lines", 0));
	EXPECT_TRUE(tdx_nothing_lost(used + TDX_KEPT_PAGES));
}

/* Without closing any: the limit of open files is the limit of TDs. */
TEST(as_many_tds_as_files)
{
	long used = tdx_used_pages();
	int status, got;
	pid_t pid;

	if (tdx_param("errno", NULL))
		return;
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		const struct rlimit files = { FILES, FILES };
		int kvm = tdx_open_kvm();

		if (setrlimit(RLIMIT_NOFILE, &files))
			_exit(1);
		do {
			got = tdx_create_vm(kvm, KVM_X86_TDX_VM);
		} while (got >= 0);
		_exit(got == -EMFILE ? 0 : -got);
	}
	/* The TDs go when their process ends. */
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(tdx_nothing_lost(used + TDX_KEPT_PAGES));
}

TDX_TEST_MAIN
