// SPDX-License-Identifier: GPL-2.0
/*
 * How long CPUs are kept from scheduling while the first TD is created, and for
 * as long before it, for comparison.
 *
 * Parameters: idle_ms=N (how long before it, 100).
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "heartbeat.h"
#include "tdx_test.h"

int main(int argc, char **argv)
{
	struct timespec idle = {};
	int kvm, td, err, cpu;
	long ns;

	tdx_setup(argc, argv);
	idle.tv_nsec = tdx_param_num("idle_ms", 100) * 1000000;
	kvm = tdx_open_kvm();
	err = heartbeat_start();
	if (err) {
		printf("no real-time thread on each CPU: %s\n", strerror(err));
		return 1;
	}

	/* What came with the start */
	nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	heartbeat_largest(&cpu);
	nanosleep(&idle, NULL);
	ns = heartbeat_largest(&cpu);
	printf("gap idle: %ld ns on CPU %d\n", ns, cpu);
	td = tdx_create_vm(kvm, KVM_X86_TDX_VM);
	ns = heartbeat_largest(&cpu);
	printf("gap init: %ld ns on CPU %d\n", ns, cpu);
	if (td < 0)
		printf("no TD: %s\n", tdx_errno_name(-td));
	return td < 0;
}
