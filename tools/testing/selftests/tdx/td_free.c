// SPDX-License-Identifier: GPL-2.0
/* How much memory is free, for who compares kernels. Asks for nothing of TDX. */
#include <stdio.h>
#include <sys/sysinfo.h>

int main(void)
{
	struct sysinfo info;

	if (sysinfo(&info)) {
		perror("sysinfo");
		return 1;
	}
	printf("free %lu KiB\n", info.freeram * info.mem_unit >> 10);
	return 0;
}
