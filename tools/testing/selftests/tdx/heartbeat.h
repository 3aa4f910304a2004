/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SELFTESTS_TDX_HEARTBEAT_H
#define SELFTESTS_TDX_HEARTBEAT_H

/*
 * How long the kernel keeps CPUs from running what is more urgent than all that
 * it does itself: a real-time thread on each CPU wakes up every 200 us and
 * notes how late it is.
 */

/* Start the threads. 0 or an errno. */
int heartbeat_start(void);

/*
 * The largest delay on any CPU since the last call, or the start, in ns; it
 * begins anew. The CPU is stored in @cpu.
 */
long heartbeat_largest(int *cpu);

#endif
