// SPDX-License-Identifier: GPL-2.0
/*
 * One TD, from a machine on which nobody has asked for one yet.
 *
 * The order of the tests matters: what the first shows (nothing happened) is
 * true only before the second.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "../kselftest_harness.h"
#include "tdx_test.h"

TEST(type_is_reported)
{
	int kvm = tdx_open_kvm();
	int types = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_VM_TYPES);

	ASSERT_GE(types, 0);
	EXPECT_TRUE(types & (1 << KVM_X86_ORDINARY_VM));
	EXPECT_TRUE(types & (1 << KVM_X86_TDX_VM));
}

TEST(nothing_before_the_first_td)
{
	int kvm = tdx_open_kvm();
	int vm = tdx_create_vm(kvm, KVM_X86_ORDINARY_VM);

	EXPECT_LE(0, vm);
	/* The CPUs were looked at on their way up; the module was not. */
	EXPECT_EQ(1, tdx_log_count("keyids"));
	EXPECT_EQ(0, tdx_log_count("initialized"));
	EXPECT_EQ(0, tdx_log_count("module"));
	EXPECT_TRUE(tdx_state_is("UNKNOWN"));
}

/* KVM goes on with the VMCS that the CPU had before P-SEAMLDR was called on it. */
TEST(first_td)
{
	int kvm = tdx_open_kvm();
	int vm = tdx_create_vm(kvm, KVM_X86_ORDINARY_VM);
	struct kvm_sregs sregs;
	int vcpu, td;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(cpus), &cpus));
	ASSERT_LE(0, vm);
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	ASSERT_LE(0, vcpu);
	ASSERT_EQ(0, ioctl(vcpu, KVM_GET_SREGS, &sregs));

	td = tdx_create_vm(kvm, KVM_X86_TDX_VM);
	EXPECT_EQ(0, ioctl(vcpu, KVM_SET_SREGS, &sregs));
	EXPECT_EQ(0, tdx_log_count("vm_failed"));

	ASSERT_LE(0, td);
	EXPECT_EQ(1, tdx_log_count("initialized"));
	EXPECT_EQ(1, tdx_log_count("module"));
	EXPECT_TRUE(tdx_state_is("INITIALIZED"));
	EXPECT_EQ(0, close(td));
}

/* What a VMM does to an ordinary VM between creating and running it. */
TEST(ioctls_of_a_td)
{
	struct kvm_userspace_memory_region region = { .memory_size = 0x1000 };
	struct kvm_enable_cap cap = { .cap = KVM_CAP_SPLIT_IRQCHIP };
	struct kvm_pit_config pit = {};
	struct kvm_clock_data clock;
	struct kvm_dirty_log log = {};
	__u64 address = 0xfffbc000;
	const struct {
		const char *name;
		unsigned long nr;
		unsigned long arg;
	} ioctls[] = {
		{ "KVM_CREATE_VCPU", KVM_CREATE_VCPU, 0 },
		{ "KVM_SET_USER_MEMORY_REGION", KVM_SET_USER_MEMORY_REGION,
		  (unsigned long)&region },
		{ "KVM_CREATE_IRQCHIP", KVM_CREATE_IRQCHIP, 0 },
		{ "KVM_CREATE_PIT2", KVM_CREATE_PIT2, (unsigned long)&pit },
		{ "KVM_ENABLE_CAP", KVM_ENABLE_CAP, (unsigned long)&cap },
		{ "KVM_SET_TSS_ADDR", KVM_SET_TSS_ADDR, 0xfffbd000 },
		{ "KVM_SET_IDENTITY_MAP_ADDR", KVM_SET_IDENTITY_MAP_ADDR,
		  (unsigned long)&address },
		{ "KVM_GET_CLOCK", KVM_GET_CLOCK, (unsigned long)&clock },
		{ "KVM_GET_DIRTY_LOG", KVM_GET_DIRTY_LOG, (unsigned long)&log },
		{ "KVM_MEMORY_ENCRYPT_OP", KVM_MEMORY_ENCRYPT_OP, 0 },
		{ "KVM_SET_BOOT_CPU_ID", KVM_SET_BOOT_CPU_ID, 0 },
		{ "KVM_GET_NR_MMU_PAGES", KVM_GET_NR_MMU_PAGES, 0 },
	};
	int kvm = tdx_open_kvm();
	int td = tdx_create_vm(kvm, KVM_X86_TDX_VM);
	unsigned int i;

	ASSERT_LE(0, td);
	for (i = 0; i < ARRAY_SIZE(ioctls); i++) {
		errno = 0;
		EXPECT_EQ(-1, ioctl(td, ioctls[i].nr, ioctls[i].arg)) {
			TH_LOG("%s", ioctls[i].name);
		}
		EXPECT_EQ(EOPNOTSUPP, errno) {
			TH_LOG("%s: %s", ioctls[i].name, tdx_errno_name(errno));
		}
	}
}

/* Every number and direction, known or not, with a pointer to nothing. */
TEST(any_ioctl_of_a_td)
{
	static const unsigned int dirs[] = { _IOC_NONE, _IOC_READ, _IOC_WRITE,
					     _IOC_READ | _IOC_WRITE };
	int kvm = tdx_open_kvm();
	int td = tdx_create_vm(kvm, KVM_X86_TDX_VM);
	unsigned int nr, dir, size;

	ASSERT_LE(0, td);
	for (nr = 0; nr < 256; nr++) {
		for (dir = 0; dir < ARRAY_SIZE(dirs); dir++) {
			for (size = 0; size <= 64; size += 8) {
				unsigned int cmd = _IOC(dirs[dir], KVMIO, nr, size);

				/* A VMM may ask what there is. */
				if (cmd == KVM_CHECK_EXTENSION)
					continue;
				errno = 0;
				ASSERT_EQ(-1, ioctl(td, cmd, 0)) {
					TH_LOG("ioctl %#x", cmd);
				}
				ASSERT_EQ(EOPNOTSUPP, errno) {
					TH_LOG("ioctl %#x: %s", cmd,
					       tdx_errno_name(errno));
				}
			}
		}
	}
	EXPECT_TRUE(ioctl(td, KVM_CHECK_EXTENSION, KVM_CAP_VM_TYPES) &
		    (1 << KVM_X86_TDX_VM));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, td, 0));
}

TEST(unknown_types)
{
	static const unsigned long types[] = { 1, 2, 3, 4, 6, 31, 32, 0x105,
					       0x80000005, ~0UL };
	int kvm = tdx_open_kvm();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		EXPECT_EQ(-EINVAL, tdx_create_vm(kvm, types[i])) {
			TH_LOG("type %#lx", types[i]);
		}
	}
}

static void use_ordinary_vm(struct __test_metadata *_metadata, int kvm)
{
	struct kvm_userspace_memory_region region = { .memory_size = 0x1000 };
	struct kvm_regs regs;
	int vm, vcpu;
	void *page;

	page = mmap(NULL, region.memory_size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, page);
	region.userspace_addr = (unsigned long)page;

	vm = tdx_create_vm(kvm, KVM_X86_ORDINARY_VM);
	ASSERT_LE(0, vm);
	EXPECT_EQ(0, ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region));
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	ASSERT_LE(0, vcpu);
	EXPECT_EQ(0, ioctl(vcpu, KVM_GET_REGS, &regs));
	EXPECT_EQ(0, ioctl(vcpu, KVM_SET_REGS, &regs));
	EXPECT_EQ(0, close(vcpu));
	EXPECT_EQ(0, close(vm));
}

TEST(ordinary_vm_beside_and_after_a_td)
{
	int kvm = tdx_open_kvm();
	int td = tdx_create_vm(kvm, KVM_X86_TDX_VM);

	ASSERT_LE(0, td);
	use_ordinary_vm(_metadata, kvm);
	EXPECT_EQ(0, close(td));
	use_ordinary_vm(_metadata, kvm);
}

TDX_TEST_MAIN
