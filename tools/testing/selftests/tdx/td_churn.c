// SPDX-License-Identifier: GPL-2.0
/*
 * VMs come and go while CPUs do. KVM turns virtualization on with the first VM
 * and on each CPU that comes online; a TD needs it on all of them.
 *
 * Parameters: seconds=N (5) for each test, threads=N (32).
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "../kselftest_harness.h"
#include "tdx_platform.h"
#include "tdx_test.h"

#define VMS_AT_ONCE	8

static atomic_bool stop;
static atomic_ulong vms, switches;
/* The first error; all threads stop then. */
static atomic_int error;

static void fail(int err)
{
	int none = 0;

	atomic_compare_exchange_strong(&error, &none, err);
	atomic_store(&stop, true);
}

static void *switch_cpu(void *arg)
{
	unsigned int cpu = tdx_nr_cpus() - 1;
	bool online = true;
	int ret;

	while (!atomic_load(&stop) || !online) {
		online = !online;
		ret = tdx_cpu_switch(cpu, online);
		if (ret) {
			fail(-ret);
			break;
		}
		atomic_fetch_add(&switches, 1);
	}
	return NULL;
}

static void *create(void *arg)
{
	int kvm = tdx_open_kvm(), vm[VMS_AT_ONCE], i;

	while (!atomic_load(&stop)) {
		for (i = 0; i < VMS_AT_ONCE; i++) {
			vm[i] = tdx_create_vm(kvm, KVM_X86_ORDINARY_VM);
			if (vm[i] < 0)
				fail(-vm[i]);
		}
		for (i = 0; i < VMS_AT_ONCE; i++) {
			if (vm[i] >= 0)
				close(vm[i]);
		}
		atomic_fetch_add(&vms, VMS_AT_ONCE);
	}
	close(kvm);
	return NULL;
}

FIXTURE(churn)
{
	pthread_t switcher;
	time_t end;
	int kvm;
};

FIXTURE_SETUP(churn)
{
	ASSERT_LE(2, tdx_nr_cpus());
	self->kvm = tdx_open_kvm();
	self->end = time(NULL) + tdx_param_num("seconds", 5);
	ASSERT_EQ(0, pthread_create(&self->switcher, NULL, switch_cpu, NULL));
}

FIXTURE_TEARDOWN(churn)
{
	close(self->kvm);
}

/*
 * A CPU that comes online looks at every VM while others are taken off the
 * list: the kernel must survive it.
 */
TEST_F(churn, ordinary_vms)
{
	unsigned long nr = tdx_param_num("threads", 32), i;
	const struct timespec pause = { .tv_nsec = 10000000 };
	pthread_t *creators = calloc(nr, sizeof(*creators));
	int vm;

	ASSERT_NE(NULL, creators);
	/* With one that stays, virtualization is on all the time. */
	vm = tdx_create_vm(self->kvm, KVM_X86_ORDINARY_VM);
	ASSERT_LE(0, vm);
	for (i = 0; i < nr; i++)
		ASSERT_EQ(0, pthread_create(&creators[i], NULL, create, NULL));

	while (time(NULL) < self->end && !atomic_load(&stop))
		nanosleep(&pause, NULL);
	atomic_store(&stop, true);
	for (i = 0; i < nr; i++)
		ASSERT_EQ(0, pthread_join(creators[i], NULL));
	ASSERT_EQ(0, pthread_join(self->switcher, NULL));
	close(vm);

	printf("# %lu VMs, %lu switches of a CPU\n", vms, switches);
	EXPECT_EQ(0, error) {
		TH_LOG("a thread got %s", tdx_errno_name(error));
	}
	EXPECT_LT(0, vms);
	EXPECT_LT(0, switches);
}

/*
 * The first VM turns virtualization on, so a CPU must have it that is on its
 * way online just then: a TD is refused only because the CPU is away.
 */
TEST_F(churn, first_td)
{
	unsigned long tds = 0, away = 0;
	int td = 0;

	while (time(NULL) < self->end && !atomic_load(&stop)) {
		tdx_machine_reset();
		td = tdx_create_vm(self->kvm, KVM_X86_TDX_VM);
		if (td >= 0)
			close(td);
		else if (td != -EAGAIN)
			break;
		tds += td >= 0;
		away += td < 0;
	}
	atomic_store(&stop, true);
	ASSERT_EQ(0, pthread_join(self->switcher, NULL));

	printf("# %lu TDs, %lu refused while a CPU was away, %lu switches\n",
	       tds, away, switches);
	EXPECT_TRUE(td >= 0 || td == -EAGAIN) {
		TH_LOG("a TD was refused: %s", tdx_errno_name(-td));
	}
	EXPECT_EQ(0, error);
	EXPECT_LT(0, tds);
	EXPECT_LT(0, away);
}

TDX_TEST_MAIN
