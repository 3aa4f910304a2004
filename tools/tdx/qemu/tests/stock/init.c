// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Process 1 on a distribution's own kernel: its kvm_intel has to load on the
 * platform and make ordinary VMs. TAP on the console, then power-off.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int tests;

static int ok(int good, const char *fmt, ...)
{
	va_list ap;
	int err = errno;

	printf("%sok %d - ", good ? "" : "not ", ++tests);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	if (!good)
		printf(" (errno %d, %s)", err, strerror(err));
	printf("\n");
	return good;
}

static int load(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	int ret = fd < 0 ? -1 : (int)syscall(SYS_finit_module, fd, "", 0);

	if (fd >= 0)
		close(fd);
	return ret;
}

static int put(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	int ret = fd < 0 ? -1 : (int)write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return ret < 0 ? -1 : 0;
}

/* Lines of a file that contain text */
static int count(const char *file, const char *text)
{
	FILE *f = fopen(file, "re");
	char line[4096];
	int n = 0;

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		n += strstr(line, text) != NULL;
	fclose(f);
	return n;
}

/* Lines of the kernel's log at priority "warning" or worse that contain text */
static int logged(const char *text)
{
	static char log[1 << 20];
	long len = syscall(SYS_syslog, 3, log, sizeof(log) - 1);
	int n = 0;
	char *p = log;

	if (len < 0)
		return -1;
	log[len] = 0;
	while ((p = strstr(p, text))) {
		n++;
		p++;
	}
	return n;
}

/* An ordinary VM with a vCPU on each CPU; entering it fails, but cleanly */
static void vm(int cpus)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	struct kvm_userspace_memory_region region = { .memory_size = 1 << 16 };
	struct kvm_run *run;
	int fd, i, vcpu, size;

	if (!ok(kvm >= 0 && ioctl(kvm, KVM_GET_API_VERSION, 0) == 12, "/dev/kvm"))
		return;
	fd = ioctl(kvm, KVM_CREATE_VM, 0);
	if (!ok(fd >= 0, "KVM_CREATE_VM"))
		return;
	region.userspace_addr = (unsigned long)mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE,
						    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ok(!ioctl(fd, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
	size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	for (i = 0; i < cpus; i++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(i, &set);
		sched_setaffinity(0, sizeof(set), &set);
		vcpu = ioctl(fd, KVM_CREATE_VCPU, i);
		if (!ok(vcpu >= 0, "KVM_CREATE_VCPU on CPU %d", i))
			continue;
		run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
		ok(run != MAP_FAILED && !ioctl(vcpu, KVM_RUN, 0) && run->exit_reason == KVM_EXIT_FAIL_ENTRY &&
		   run->fail_entry.hardware_entry_failure_reason == 7,
		   "KVM_RUN on CPU %d: VM entry fails with VM-instruction error 7", i);
		munmap(run, size);
		close(vcpu);
	}
	munmap((void *)(unsigned long)region.userspace_addr, 1 << 16);
	close(fd);
	close(kvm);
}

int main(void)
{
	int cpus, i, fd, kvm;
	char name[64];

	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n");

	cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	ok(count("/proc/cpuinfo", " vmx ") >= cpus, "all %d CPUs have VMX", cpus);
	ok(!load("/irqbypass.ko") && !load("/kvm.ko") && !load("/kvm-intel.ko"), "kvm_intel loads");
	vm(cpus);

	/* CPUs go and come while a VM keeps VMX on */
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	fd = ioctl(kvm, KVM_CREATE_VM, 0);
	for (i = 1; i < cpus; i++) {
		snprintf(name, sizeof(name), "/sys/devices/system/cpu/cpu%d/online", i);
		ok(!put(name, "0"), "CPU %d goes offline", i);
		ok(!put(name, "1"), "CPU %d comes back", i);
	}
	ok(sysconf(_SC_NPROCESSORS_ONLN) == cpus, "all %d CPUs are there", cpus);
	close(fd);
	close(kvm);
	vm(cpus);

	ok(!syscall(SYS_delete_module, "kvm_intel", O_NONBLOCK), "kvm_intel unloads");
	ok(!load("/kvm-intel.ko"), "kvm_intel loads again");
	vm(cpus);
	ok(logged("WARNING:") == 0 && logged("BUG:") == 0 && logged("unchecked MSR") == 0 && logged("Oops") == 0,
	   "no warning in the kernel's log");
	printf("1..%d\n", tests);
	/* Reboot with VMX on: -no-reboot makes it the end of QEMU */
	open("/dev/kvm", O_RDWR | O_CLOEXEC);
	sync();
	reboot(RB_AUTOBOOT);
	return 1;
}
