// SPDX-License-Identifier: GPL-2.0
/*
 * Threads create TDs while CPUs and memory blocks go offline and come back,
 * signals arrive, and a module that asks for TDX itself is loaded and unloaded:
 * one initialisation, no failure that is not one of those events, no deadlock,
 * no lost CPU.
 *
 * Parameters: seconds=N (60), threads=N (64), module=FILE (none): tdx_ask.ko.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "tdx_test.h"

#define MAX_BLOCKS		1024

static atomic_bool stop;
static atomic_ulong tds, waits, interrupts, cpu_switches, block_switches, block_busy;
static atomic_ulong loads, load_waits;
/* The first error that nothing explains; all threads stop then. */
static atomic_int unexplained;

static void fail(int err)
{
	int none = 0;

	atomic_compare_exchange_strong(&unexplained, &none, err);
	atomic_store(&stop, true);
}

static void *create(void *arg)
{
	int kvm = tdx_open_kvm();

	while (!atomic_load(&stop)) {
		int td = tdx_create_vm(kvm, KVM_X86_TDX_VM);

		if (td >= 0) {
			atomic_fetch_add(&tds, 1);
			close(td);
		} else if (td == -EAGAIN) {
			/* A CPU was away, and the module not initialised. */
			atomic_fetch_add(&waits, 1);
		} else if (td == -EINTR) {
			atomic_fetch_add(&interrupts, 1);
		} else {
			fail(-td);
		}
	}
	close(kvm);
	return NULL;
}

static void *switch_cpus(void *arg)
{
	unsigned int nr = tdx_nr_cpus(), seed = 1;
	bool online = true;
	unsigned int cpu = 1;
	int ret;

	while (!atomic_load(&stop) || !online) {
		if (online)
			cpu = 1 + rand_r(&seed) % (nr - 1);
		online = !online;
		ret = tdx_cpu_switch(cpu, online);
		if (ret)
			fail(-ret);
		atomic_fetch_add(&cpu_switches, 1);
	}
	return NULL;
}

static char blocks[MAX_BLOCKS][64];
static unsigned int nr_blocks;

static void find_blocks(void)
{
	DIR *dir = opendir("/sys/devices/system/memory");
	struct dirent *d;

	while (dir && (d = readdir(dir)) && nr_blocks < MAX_BLOCKS) {
		unsigned int nr;

		/* The first gigabyte stays: the kernel and the programs. */
		if (sscanf(d->d_name, "memory%u", &nr) != 1 || nr < 8)
			continue;
		snprintf(blocks[nr_blocks++], sizeof(blocks[0]),
			 "/sys/devices/system/memory/memory%u/state", nr);
	}
	if (dir)
		closedir(dir);
}

static void *switch_memory(void *arg)
{
	unsigned int seed = 2;
	int ret;

	while (!atomic_load(&stop)) {
		const char *block = blocks[rand_r(&seed) % nr_blocks];

		ret = tdx_write_file(block, "offline");
		if (ret == -EBUSY || ret == -EINVAL || ret == -EAGAIN) {
			/* Pages in it cannot move: a PAMT, for one. */
			atomic_fetch_add(&block_busy, 1);
			continue;
		}
		if (!ret)
			ret = tdx_write_file(block, "online");
		if (ret)
			fail(-ret);
		atomic_fetch_add(&block_switches, 1);
	}
	return NULL;
}

static void *load_module(void *arg)
{
	int kvm = tdx_open_kvm(), vm = tdx_create_vm(kvm, KVM_X86_ORDINARY_VM);
	int file = open(arg, O_RDONLY | O_CLOEXEC);

	if (vm < 0 || file < 0)
		fail(vm < 0 ? -vm : errno);
	while (!atomic_load(&stop)) {
		if (!syscall(SYS_finit_module, file, "", 0)) {
			atomic_fetch_add(&loads, 1);
			if (syscall(SYS_delete_module, "tdx_ask", O_NONBLOCK))
				fail(errno);
		} else if (errno == EAGAIN) {
			/* As of a TD */
			atomic_fetch_add(&load_waits, 1);
		} else {
			fail(errno);
		}
	}
	close(file);
	close(vm);
	close(kvm);
	return NULL;
}

static void on_signal(int sig)
{
}

static void start(struct __test_metadata *_metadata, pthread_t *thread,
		  void *(*fn)(void *), void *arg)
{
	ASSERT_EQ(0, pthread_create(thread, NULL, fn, arg));
}

TEST(everything_at_once)
{
	unsigned long nr = tdx_param_num("threads", 64), i;
	time_t end = time(NULL) + tdx_param_num("seconds", 60);
	struct sigaction action = { .sa_handler = on_signal };
	const struct timespec pause = { .tv_nsec = 1000000 };
	char *module = (char *)tdx_param("module", NULL);
	pthread_t cpus, memory, loader, *creators;
	unsigned int cpu, seed = 3;

	find_blocks();
	ASSERT_LT(0, nr_blocks);
	ASSERT_LE(2, tdx_nr_cpus());
	ASSERT_EQ(0, tdx_log_count("initialized"));
	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	creators = calloc(nr, sizeof(*creators));
	ASSERT_NE(NULL, creators);

	start(_metadata, &cpus, switch_cpus, NULL);
	start(_metadata, &memory, switch_memory, NULL);
	/* The first TD comes when CPUs are on the move already. */
	while (!atomic_load(&stop) && atomic_load(&cpu_switches) < 3)
		nanosleep(&pause, NULL);
	if (module)
		start(_metadata, &loader, load_module, module);
	for (i = 0; i < nr; i++)
		start(_metadata, &creators[i], create, NULL);

	while (time(NULL) < end && !atomic_load(&stop)) {
		pthread_kill(creators[rand_r(&seed) % nr], SIGUSR1);
		nanosleep(&pause, NULL);
	}
	atomic_store(&stop, true);
	for (i = 0; i < nr; i++)
		ASSERT_EQ(0, pthread_join(creators[i], NULL));
	ASSERT_EQ(0, pthread_join(cpus, NULL));
	ASSERT_EQ(0, pthread_join(memory, NULL));
	if (module)
		ASSERT_EQ(0, pthread_join(loader, NULL));

	printf("# %lu TDs, %lu refused while a CPU was away, %lu interrupted\n",
	       tds, waits, interrupts);
	printf("# %lu CPU switches; %lu memory blocks switched, %lu busy\n",
	       cpu_switches, block_switches, block_busy);
	printf("# module loaded %lu times, %lu refused while a CPU was away\n",
	       loads, load_waits);
	EXPECT_EQ(0, unexplained) {
		TH_LOG("a thread got %s", tdx_errno_name(unexplained));
	}
	/* It all happened. */
	EXPECT_LT(0, tds);
	EXPECT_LT(0, cpu_switches);
	EXPECT_LT(0, block_switches);
	EXPECT_TRUE(!module || loads);
	for (cpu = 0; cpu < tdx_nr_cpus(); cpu++)
		EXPECT_TRUE(tdx_cpu_online(cpu));
}

TEST(one_initialisation)
{
	int kvm = tdx_open_kvm();

	ASSERT_LE(0, tdx_create_vm(kvm, KVM_X86_TDX_VM));
	EXPECT_EQ(1, tdx_log_count("initialized"));
	EXPECT_TRUE(tdx_state_is("INITIALIZED"));
}

TDX_TEST_MAIN
