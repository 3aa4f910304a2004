// SPDX-License-Identifier: GPL-2.0
/*
 * Use nearly all memory: write a pattern, read it back. After a kexec this
 * meets what was private memory of the kernel before: a page that was not made
 * ordinary memory again raises a machine check or holds something else.
 *
 * Parameters: percent=N of the free memory (90).
 */
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include "../kselftest_harness.h"
#include "tdx_test.h"

TEST(all_memory)
{
	struct sysinfo info;
	unsigned long *mem;
	size_t words, i, wrong = 0;

	ASSERT_EQ(0, sysinfo(&info));
	words = info.freeram / 100 * tdx_param_num("percent", 90) *
		info.mem_unit / sizeof(*mem);
	mem = mmap(NULL, words * sizeof(*mem), PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, mem);

	/* A line each 64 bytes; new pages are cleared by the kernel anyway. */
	for (i = 0; i < words; i += 8)
		mem[i] = i * 0x9e3779b97f4a7c15;
	for (i = 0; i < words; i += 8)
		wrong += mem[i] != i * 0x9e3779b97f4a7c15 || mem[i + 1];
	EXPECT_EQ(0, wrong);
	printf("# %zu MiB\n", words * sizeof(*mem) >> 20);
}

TDX_TEST_MAIN
