// SPDX-License-Identifier: GPL-2.0
/*
 * TDMRs are initialised by a thread on each CPU. All have been made by the time
 * the first one works: later, threads that are to be made wait for CPUs that are
 * in SEAMCALLs.
 *
 * To be run first after boot, when no pool of kworkers has been used. To enable
 * trace events now would use them, so the command line has to have it:
 * "trace_event=tdx:seamcall_enter,sched:sched_process_fork".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "../kselftest_harness.h"
#include "tdx_test.h"

#define TRACING		"/sys/kernel/tracing/"
#define MAX_CPUS	64

TEST(threads_are_there)
{
	unsigned int forks = 0, late = 0, calls = 0, cpus = tdx_nr_cpus(), cpu;
	bool begun[MAX_CPUS] = {};
	char line[1024], *at;
	FILE *trace;

	ASSERT_EQ(0, mount("tracefs", TRACING, "tracefs", 0, NULL)) {
		TH_LOG("no tracefs: %s", strerror(errno));
	}
	ASSERT_EQ(0, tdx_try_td(tdx_open_kvm()));
	ASSERT_EQ(0, tdx_write_file(TRACING "tracing_on", "0"));

	trace = fopen(TRACING "trace", "r");
	ASSERT_NE(NULL, trace);
	while (fgets(line, sizeof(line), trace)) {
		if (strstr(line, " TDH.SYS.TDMR.INIT ")) {
			/* "      kworker/3:1-58      [003] ..." */
			at = strchr(line, '[');
			ASSERT_NE(NULL, at);
			cpu = strtoul(at + 1, NULL, 10);
			ASSERT_GT(MAX_CPUS, cpu);
			calls++;
			if (!begun[cpu])
				late = forks;
			begun[cpu] = true;
		} else if (calls && strstr(line, " sched_process_fork: ")) {
			forks++;
		}
	}
	fclose(trace);

	/* All are in the buffer: 256 for each of the 16 GiB. */
	ASSERT_EQ(4096, calls);
	/* Some threads may be for other work, as those are that are made later. */
	EXPECT_GT(cpus / 4, late);
	TH_LOG("%u CPUs, %u threads made between the first and the last that begins",
	       cpus, late);
}

TDX_TEST_MAIN
