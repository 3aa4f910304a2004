// SPDX-License-Identifier: GPL-2.0
/*
 * What a user can do who has nothing but /dev/kvm: one initialisation, no
 * flood of the log, no memory that stays, no more CPU time than with ordinary VMs.
 *
 * Parameters: attempts=N (100); errno=NAME: what each attempt gets, on a
 * machine without TDs; lines=N: how many lines of TDX the log may gain (0; with
 * M messages that each attempt would repeat, 5 M: each three times a minute, of
 * which the first attempt has one, and a minute may end between the attempts);
 * fragment=KIB: memory is fragmented before, as td_frag does it (a test kernel).
 *
 * vms=N (4): how many ordinary VMs an attempt may cost in CPU time. Most of that is
 * what every VM does, so it is little more than one, and 8 to 12 on a machine with
 * one CPU if all memory is searched for room for a PAMT. The host may be busy, which
 * makes both slow: a time in seconds would say nothing.
 */
#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "../kselftest_harness.h"
#include "tdx_platform.h"
#include "tdx_test.h"

#define NOBODY		65534
#define FILES		128

/* Ordinary VMs and TDs in turn, while the host is as busy for the one as for the other */
#define BATCHES		5
#define VMS_A_BATCH	8

/* CPU time of children that have ended, us */
static unsigned long cpu_time(void)
{
	struct rusage usage;

	getrusage(RUSAGE_CHILDREN, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
	       usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

/* @attempts VMs or TDs; 0, or what was not as it should be */
static int as_nobody(struct __test_metadata *_metadata, unsigned long attempts,
		     unsigned long type, int want)
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
		got = tdx_create_vm(kvm, type);
		if (want ? got != -want : got < 0)
			_exit(got < 0 ? -got : 1);
		if (got >= 0)
			close(got);
	}
	_exit(0);
}

TEST(log_memory_and_time_are_bounded)
{
	const char *name = tdx_param("errno", NULL);
	const char *fragment = tdx_param("fragment", NULL);
	int want = name ? tdx_errno(name) : 0;
	unsigned long attempts = tdx_param_num("attempts", 100);
	unsigned long vms = 0, tds = 0;
	unsigned int lines, i;
	long used;

	if (fragment)
		ASSERT_EQ(0, tdx_write_file("/sys/kernel/debug/tdx/fragment", fragment));
	ASSERT_EQ(0, chmod("/dev/kvm", 0666));
	/* The first attempt initialises, if that is possible at all. */
	ASSERT_EQ(0, as_nobody(_metadata, 1, KVM_X86_TDX_VM, want));
	EXPECT_EQ(want ? 0 : 1, tdx_log_count("initialized"));

	lines = tdx_log_count("any");
	used = tdx_used_pages();
	for (i = 0; i < BATCHES; i++) {
		vms -= cpu_time();
		EXPECT_EQ(0, as_nobody(_metadata, VMS_A_BATCH, KVM_X86_ORDINARY_VM, 0));
		vms += cpu_time();
		tds -= cpu_time();
		EXPECT_EQ(0, as_nobody(_metadata, attempts / BATCHES, KVM_X86_TDX_VM, want));
		tds += cpu_time();
	}
	vms /= BATCHES * VMS_A_BATCH;
	tds /= attempts / BATCHES * BATCHES;
	printf("# CPU time: %lu us for an ordinary VM, %lu us for an attempt\n", vms, tds);
	EXPECT_LE(tds, tdx_param_num("vms", 4) * vms);
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
