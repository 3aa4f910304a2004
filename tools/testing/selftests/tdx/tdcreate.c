// SPDX-License-Identifier: GPL-2.0
/*
 * Create a TD through KVM and say, for a human reader, what came of it. Ends
 * with 0 if there was a TD and the module is initialised after it.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tdx_test.h"

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static const char *hint(int err)
{
	const char *name = tdx_errno_name(err);

	if (!strcmp(name, "ENODEV"))
		return "this machine has no usable TDX; the kernel's lines say why";
	if (!strcmp(name, "EINVAL"))
		return "KVM knows no TDs: a kernel without TDX host support, or kvm_intel.tdx=0";
	if (!strcmp(name, "EIO"))
		return "the TDX module failed and is shut down until the next boot";
	return "the kernel's lines say why";
}

int main(int argc, char **argv)
{
	double begin, first, second;
	int kvm, td, again;

	tdx_setup(argc, argv);
	kvm = tdx_open_kvm();

	printf("creating a TD through /dev/kvm ...\n");
	begin = now();
	td = tdx_create_vm(kvm, KVM_X86_TDX_VM);
	first = now() - begin;
	if (td < 0) {
		printf("no TD: %s (%s): %s\n", tdx_errno_name(-td),
		       strerror(-td), hint(-td));
		return 1;
	}
	begin = now();
	again = tdx_create_vm(kvm, KVM_X86_TDX_VM);
	second = now() - begin;
	if (again < 0) {
		printf("no second TD: %s\n", tdx_errno_name(-again));
		return 1;
	}
	printf("TD created in %.3f s, a second one in %.6f s\n", first, second);
	close(again);
	close(td);
	printf("state %s\n", tdx_state());
	return !tdx_state_is("INITIALIZED");
}
