// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The first process of the peer's machine: loads the caller, says how it went, powers off. Static. With "gaps" on the kernel's command
 * line it says how long CPUs are kept from scheduling, as td_gaps.c does.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "heartbeat.h"

static void tell_gap(const char *when)
{
	int cpu;
	long ns = heartbeat_largest(&cpu);

	printf("gap %s: %ld ns on CPU %d\n", when, ns, cpu);
}

static void gaps_begin(void)
{
	int cpu;

	if (heartbeat_start())
		printf("PEER: no real-time thread on each CPU\n");
	/* What came with the start */
	nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	heartbeat_largest(&cpu);
	nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
	tell_gap("idle");
}

int main(int argc, char **argv)
{
	bool gaps = argc > 1 && !strcmp(argv[1], "gaps");
	int fd, status;

	mkdir("/dev", 0755);
	if (mount("devtmpfs", "/dev", "devtmpfs", 0, NULL) == 0) {
		fd = open("/dev/console", O_RDWR);
		dup2(fd, 0);
		dup2(fd, 1);
		dup2(fd, 2);
	}
	fd = open("/tdx_peer.ko", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		printf("PEER: no /tdx_peer.ko: %s\n", strerror(errno));
	else {
		if (gaps)
			gaps_begin();
		status = syscall(SYS_finit_module, fd, "", 0) ? errno : 0;
		if (gaps)
			tell_gap("init");
		printf("PEER: status=%d (%s)\n", status, strerror(status));
	}
	fflush(stdout);
	reboot(RB_POWER_OFF);
	return 1;
}
