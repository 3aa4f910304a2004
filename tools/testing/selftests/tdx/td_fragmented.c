// SPDX-License-Identifier: GPL-2.0
/*
 * The first TD on a machine whose memory is fragmented on purpose: all of it is
 * allocated, every other block given back. Pages of pipes do it, because they
 * cannot be moved away. What is free are pieces of a few MiB each, too small
 * for the PAMT of a large TDMR.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../kselftest_harness.h"
#include "tdx_test.h"

#define MIB		0x100000UL
#define PIPE		MIB			/* what root may have in one */
#define BLOCK		6			/* MiB, while there is plenty */
#define SMALL_BLOCK	2			/* MiB, of the last memory */
#define PLENTY		(192 * MIB)
#define ENOUGH		(40 * MIB)		/* left free, in small pieces */
#define MAX_PIPES	16384

static int pipes[MAX_PIPES][2];

static unsigned long mem_free(void)
{
	unsigned long kb = 0;
	char line[128];
	FILE *f = fopen("/proc/meminfo", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemFree: %lu kB", &kb) == 1)
			break;
	if (f)
		fclose(f);

	return kb << 10;
}

/* A MiB that cannot be moved */
static bool fill(int *fds)
{
	static char buf[64 << 10];
	size_t done;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) || fcntl(fds[1], F_SETPIPE_SZ, PIPE) < 0)
		return false;
	for (done = 0; done < PIPE; done += sizeof(buf))
		if (write(fds[1], buf, sizeof(buf)) != sizeof(buf))
			return false;

	return true;
}

TEST(first_td)
{
	struct rlimit files = { 2 * MAX_PIPES + 64, 2 * MAX_PIPES + 64 };
	unsigned int nr = 0, i, block, in_block = 0;
	bool keep = false;
	int kvm, td;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	kvm = tdx_open_kvm();

	while (mem_free() > ENOUGH) {
		ASSERT_LT(nr, MAX_PIPES);
		ASSERT_TRUE(fill(pipes[nr]));
		nr++;
	}
	/* Pipes were filled one after the other: so is their memory, nearly. */
	for (i = 0; i < nr; i++) {
		block = i + (PLENTY >> 20) < nr ? BLOCK : SMALL_BLOCK;
		if (++in_block >= block) {
			keep = !keep;
			in_block = 0;
		}
		if (!keep) {
			close(pipes[i][0]);
			close(pipes[i][1]);
		}
	}
	TH_LOG("%u MiB filled, %lu MiB free again", nr, mem_free() / MIB);

	td = tdx_create_vm(kvm, KVM_X86_TDX_VM);
	ASSERT_LE(0, td);
	EXPECT_TRUE(tdx_state_is("INITIALIZED"));
	EXPECT_EQ(1, tdx_log_count("pamt_in_pieces"));
	EXPECT_EQ(0, close(td));
}

TDX_TEST_MAIN
