// SPDX-License-Identifier: GPL-2.0-or-later
/* The first process of the peer's machine: loads the caller, says how it went, powers off. Static, no libc services needed. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	int fd;

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
	else if (syscall(SYS_finit_module, fd, "", 0))
		printf("PEER: status=%d (%s)\n", errno, strerror(errno));
	else
		printf("PEER: status=0\n");
	fflush(stdout);
	reboot(RB_POWER_OFF);
	return 1;
}
