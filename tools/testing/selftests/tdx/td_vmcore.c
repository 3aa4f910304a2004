// SPDX-License-Identifier: GPL-2.0
/*
 * A crash kernel reads all memory of the one that crashed, private memory of the
 * TDX module among it: that reads as something, and raises no machine check.
 */
#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "../kselftest_harness.h"
#include "tdx_test.h"

#define CHUNK	(1 << 20)

/* Bytes of memory in the segments of a core */
static unsigned long long memory_in(const Elf64_Ehdr *core)
{
	const Elf64_Phdr *ph = (const void *)core + core->e_phoff;
	unsigned long long sum = 0;
	unsigned int i;

	for (i = 0; i < core->e_phnum; i++)
		sum += ph[i].p_type == PT_LOAD ? ph[i].p_filesz : 0;
	return sum;
}

TEST(all_of_the_old_memory)
{
	int fd = open("/proc/vmcore", O_RDONLY | O_CLOEXEC);
	unsigned long long sum = 0, memory;
	char *buf = malloc(CHUNK);
	struct stat st;
	ssize_t len;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fstat(fd, &st));
	ASSERT_EQ(CHUNK, read(fd, buf, CHUNK));
	ASSERT_EQ(0, memcmp(buf, ELFMAG, SELFMAG));
	memory = memory_in((const Elf64_Ehdr *)buf);
	ASSERT_LT(512ULL << 20, memory);

	for (len = CHUNK; len > 0; len = read(fd, buf, CHUNK))
		sum += len;
	EXPECT_EQ(0, len);
	EXPECT_EQ(st.st_size, sum);
	EXPECT_LE(memory, sum);
	printf("# %llu MiB\n", memory >> 20);
	close(fd);
	free(buf);
}

TDX_TEST_MAIN
