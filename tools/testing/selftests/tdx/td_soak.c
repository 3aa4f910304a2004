// SPDX-License-Identifier: GPL-2.0
/*
 * Threads create TDs while CPUs and memory blocks go offline and come back,
 * signals arrive, processes that create TDs are killed, and a module that asks for
 * TDX itself is loaded and unloaded: one initialisation, no failure that is not one
 * of those events, no deadlock, no lost CPU.
 *
 * All who ask race for the initialisation, so there are rounds: they begin at once,
 * and when there are no TDs any more, the machine is reset. CPUs and memory blocks
 * go and come all the time.
 *
 * Needs a test kernel, and a platform with "test_interface". Parameters: seconds=N
 * (60), round=N: milliseconds of a round, at least (200), threads=N (64),
 * module=FILE (none): tdx_ask.ko.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "tdx_platform.h"
#include "tdx_test.h"

#define MAX_BLOCKS		1024
#define KILLERS			4
/* Even if a round takes as long as all of them should */
#define MIN_ROUNDS		3

/* For those who ask; for those who switch CPUs and memory */
static atomic_bool round_over, stop;
static atomic_ulong tds, waits, interrupts, cpu_switches, block_switches, block_busy;
static atomic_ulong loads, load_waits, signals, killed;
/* The first error that nothing explains; all threads stop then. */
static atomic_int unexplained;

static void fail(int err)
{
	int none = 0;

	atomic_compare_exchange_strong(&unexplained, &none, err);
	atomic_store(&round_over, true);
	atomic_store(&stop, true);
}

static void *create(void *arg)
{
	int kvm = tdx_open_kvm();

	while (!atomic_load(&round_over)) {
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

static void __attribute__((noreturn)) create_until_killed(void)
{
	int kvm, td;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	kvm = tdx_open_kvm();
	do {
		td = tdx_try_td(kvm);
	} while (!td || td == -EAGAIN || td == -EINTR);
	_exit(-td);
}

static void *kill_creators(void *arg)
{
	unsigned int seed = (unsigned long)arg;
	int status;
	pid_t pid;

	while (!atomic_load(&round_over)) {
		pid = fork();
		if (!pid)
			create_until_killed();
		usleep(rand_r(&seed) % 50000);
		if (pid < 0 || kill(pid, SIGKILL) || waitpid(pid, &status, 0) != pid)
			fail(errno);
		else if (WIFEXITED(status))
			fail(WEXITSTATUS(status));
		else
			atomic_fetch_add(&killed, 1);
	}
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
	while (!atomic_load(&round_over)) {
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
	atomic_fetch_add(&signals, 1);
}

static void start(struct __test_metadata *_metadata, pthread_t *thread,
		  void *(*fn)(void *), void *arg)
{
	ASSERT_EQ(0, pthread_create(thread, NULL, fn, arg));
}

static unsigned long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* All who ask, from before the initialisation until a while after it */
static void one_round(struct __test_metadata *_metadata, pthread_t *creators,
		      unsigned long nr)
{
	unsigned long end, before = tds, i;
	char *module = (char *)tdx_param("module", NULL);
	const struct timespec pause = { .tv_nsec = 1000000 };
	struct tdx_platform_state platform;
	pthread_t loader, killers[KILLERS];
	static unsigned int seed = 3;

	tdx_log_forget();
	atomic_store(&round_over, atomic_load(&stop));
	if (module)
		start(_metadata, &loader, load_module, module);
	for (i = 0; i < KILLERS; i++)
		start(_metadata, &killers[i], kill_creators, (void *)(i + seed));
	for (i = 0; i < nr; i++)
		start(_metadata, &creators[i], create, NULL);

	/* From here on: on a slow machine it has taken as long to come so far. */
	end = now_ms() + tdx_param_num("round", 200);
	while (!atomic_load(&round_over) && (now_ms() < end || tds == before)) {
		/* Not longer: a slow machine would never get to a TD. */
		if (now_ms() < end)
			pthread_kill(creators[rand_r(&seed) % nr], SIGUSR1);
		nanosleep(&pause, NULL);
	}
	atomic_store(&round_over, true);
	for (i = 0; i < nr; i++)
		ASSERT_EQ(0, pthread_join(creators[i], NULL));
	for (i = 0; i < KILLERS; i++)
		ASSERT_EQ(0, pthread_join(killers[i], NULL));
	if (module)
		ASSERT_EQ(0, pthread_join(loader, NULL));
	if (atomic_load(&unexplained))
		return;

	EXPECT_EQ(1, tdx_log_count("initialized"));
	EXPECT_TRUE(tdx_state_is("INITIALIZED"));
	tdx_platform_state(&platform);
	EXPECT_STREQ("READY", platform.module);
	if (!_metadata->passed)
		atomic_store(&stop, true);
}

TEST(everything_at_once)
{
	unsigned long nr = tdx_param_num("threads", 64), rounds = 0;
	unsigned long end = now_ms() + 1000 * tdx_param_num("seconds", 60);
	struct sigaction action = { .sa_handler = on_signal };
	pthread_t cpus, memory, *creators;
	unsigned int cpu;

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
		usleep(1000);
	do {
		if (rounds++)
			tdx_machine_reset();
		one_round(_metadata, creators, nr);
	} while ((now_ms() < end || rounds < MIN_ROUNDS) && !atomic_load(&stop));
	atomic_store(&stop, true);
	ASSERT_EQ(0, pthread_join(cpus, NULL));
	ASSERT_EQ(0, pthread_join(memory, NULL));

	printf("# %lu rounds: %lu TDs, %lu refused while a CPU was away\n", rounds, tds, waits);
	printf("# %lu signals, %lu TDs interrupted; %lu processes killed\n",
	       signals, interrupts, killed);
	printf("# %lu CPU switches; %lu memory blocks switched, %lu busy\n",
	       cpu_switches, block_switches, block_busy);
	printf("# module loaded %lu times, %lu refused while a CPU was away\n",
	       loads, load_waits);
	EXPECT_EQ(0, unexplained) {
		TH_LOG("a thread got %s", tdx_errno_name(unexplained));
	}
	/* It all happened. */
	EXPECT_LT(0, tds);
	EXPECT_LT(0, waits);
	EXPECT_LT(0, interrupts);
	EXPECT_LT(0, killed);
	EXPECT_LT(0, cpu_switches);
	EXPECT_LT(0, block_switches);
	EXPECT_TRUE(!tdx_param("module", NULL) || loads);
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
