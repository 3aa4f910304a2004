// SPDX-License-Identifier: GPL-2.0
/*
 * A load that ends in a machine check, and with it the machine; or an error that
 * was corrected, which the kernel finds when it looks at the banks.
 *
 * Needs a platform with "test_interface", a kernel with /dev/mem and memory for
 * crashkernel=, which nobody uses. Parameters: page=pamt, the first PAMT;
 * page=td, a page that becomes one of a TD; page=ordinary. cpu=N: on that CPU;
 * back=1: which has gone offline and come back. log=NAME: a corrected error, about
 * which this message comes.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "../kselftest_harness.h"
#include "tdx_platform.h"
#include "tdx_test.h"

/* First address of the first line of this file that has @word */
static unsigned long long address_in(const char *path, const char *word, const char *format)
{
	unsigned long long address = 0;
	FILE *f = fopen(path, "re");
	char line[256], *at;

	while (f && !address && fgets(line, sizeof(line), f)) {
		at = strstr(line, word);
		if (at)
			sscanf(format[0] == '[' ? strchr(at, '[') : line, format, &address);
	}
	if (f)
		fclose(f);
	return address;
}

#define CHECK_INTERVAL	"/sys/devices/system/machinecheck/machinecheck0/check_interval"
/* Tenths of a second until the kernel has looked */
#define PATIENCE	1000

static void corrected_error(unsigned long long pa, const char *message)
{
	unsigned int i;

	tdx_platform("corrected 0x%llx", pa + 64);
	tdx_write_file(CHECK_INTERVAL, "1");
	for (i = 0; i < PATIENCE && !tdx_log_count(message); i++)
		usleep(100000);
	tdx_write_file(CHECK_INTERVAL, "0");
}

/*
 * Until init has printed all that this program said: a machine check that comes while
 * it prints finds the console taken, and 6.1 waits for it for ever.
 */
static void wait_for_console(void)
{
	char stat[256];
	int unread;

	fflush(stdout);
	do {
		if (ioctl(STDOUT_FILENO, FIONREAD, &unread))
			break;
		tdx_read_file("/proc/1/stat", stat, sizeof(stat));
	} while (unread || !strstr(stat, ") S "));
}

TEST(error_in_a_line)
{
	const char *log = tdx_param("log", NULL);
	const char *page = tdx_param("page", "ordinary");
	unsigned int cpu = tdx_param_num("cpu", 0);
	unsigned long long pa;
	unsigned long *p;
	cpu_set_t cpus;
	int mem;

	if (tdx_param("back", NULL)) {
		ASSERT_EQ(0, tdx_cpu_switch(cpu, false));
		ASSERT_EQ(0, tdx_cpu_switch(cpu, true));
	}
	if (tdx_param("cpu", NULL)) {
		CPU_ZERO(&cpus);
		CPU_SET(cpu, &cpus);
		ASSERT_EQ(0, sched_setaffinity(0, sizeof(cpus), &cpus));
	}

	if (!strcmp(page, "pamt"))
		pa = address_in("/sys/kernel/debug/tdx/tdmrs", "PAMT 4K", "[%llx");
	else
		pa = address_in("/proc/iomem", "Crash kernel", "%llx-");
	ASSERT_NE(0, pa);
	if (!strcmp(page, "td"))
		tdx_platform("td 0x%llx", pa);
	if (log) {
		corrected_error(pa, log);
		EXPECT_EQ(1, tdx_log_count(log));
		return;
	}
	tdx_platform("poison 0x%llx", pa + 64);

	mem = open("/dev/mem", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, mem);
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, mem, pa);
	ASSERT_NE(MAP_FAILED, p);
	/* The line beside it is as it was. */
	printf("# %s at 0x%llx: 0x%lx\n", page, pa, __atomic_load_n(p, __ATOMIC_RELAXED));
	wait_for_console();
	printf("# still there: 0x%lx\n",
	       __atomic_load_n(p + 64 / sizeof(*p), __ATOMIC_RELAXED));
}

TDX_TEST_MAIN
