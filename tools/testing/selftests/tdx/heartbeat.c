// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "heartbeat.h"

#define PERIOD_NS	200000L

static _Atomic long late[CPU_SETSIZE];
static pthread_barrier_t all_run;

static long since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - then->tv_sec) * 1000000000L + now.tv_nsec - then->tv_nsec;
}

static void *beat(void *arg)
{
	_Atomic long *mine = &late[(long)arg];
	struct timespec next;
	long ns;

	pthread_barrier_wait(&all_run);
	for (;;) {
		clock_gettime(CLOCK_MONOTONIC, &next);
		next.tv_nsec += PERIOD_NS;
		if (next.tv_nsec >= 1000000000L) {
			next.tv_sec++;
			next.tv_nsec -= 1000000000L;
		}
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) == EINTR)
			;
		ns = since(&next);
		if (ns > *mine)
			*mine = ns;
	}
	return NULL;
}

static int start_on(long cpu)
{
	struct sched_param param = { .sched_priority = 1 };
	pthread_attr_t attr;
	pthread_t thread;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	pthread_attr_init(&attr);
	pthread_attr_setaffinity_np(&attr, sizeof(one), &one);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &param);
	return pthread_create(&thread, &attr, beat, (void *)cpu);
}

int heartbeat_start(void)
{
	cpu_set_t cpus;
	int cpu, err;

	if (sched_getaffinity(0, sizeof(cpus), &cpus))
		return errno;
	pthread_barrier_init(&all_run, NULL, CPU_COUNT(&cpus) + 1);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		err = CPU_ISSET(cpu, &cpus) ? start_on(cpu) : 0;
		if (err)
			return err;
	}
	pthread_barrier_wait(&all_run);
	return 0;
}

long heartbeat_largest(int *cpu)
{
	long ns, largest = 0;
	int i;

	*cpu = 0;
	for (i = 0; i < CPU_SETSIZE; i++) {
		ns = atomic_exchange(&late[i], 0);
		if (ns > largest) {
			largest = ns;
			*cpu = i;
		}
	}
	return largest;
}
