// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that was plugged in: before the first TD anything may come online;
 * afterwards only what the module was told of.
 *
 * The machine has memory blocks that are offline. Parameters: convertible=N: the
 * first N of them are in a CMR (0).
 */
#include <dirent.h>

#include "../kselftest_harness.h"
#include "tdx_test.h"

#define MEMORY		"/sys/devices/system/memory"
#define MAX_BLOCKS	4096

static bool block_is(unsigned int block, const char *want)
{
	char path[64], state[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), MEMORY "/memory%u/state", block);
	f = fopen(path, "re");
	if (f) {
		if (!fgets(state, sizeof(state), f))
			state[0] = '\0';
		fclose(f);
	}
	state[strcspn(state, "\n")] = '\0';
	return !strcmp(state, want);
}

static unsigned long long block_size(void)
{
	unsigned long long size = 0;
	FILE *f = fopen(MEMORY "/block_size_bytes", "re");

	if (!f || fscanf(f, "%llx", &size) != 1)
		printf("# %s/block_size_bytes: cannot read\n", MEMORY);
	if (f)
		fclose(f);
	return size;
}

static int switch_block(unsigned int block, const char *state)
{
	char path[64];

	snprintf(path, sizeof(path), MEMORY "/memory%u/state", block);
	return tdx_write_file(path, state);
}

FIXTURE(plugged) {
	int kvm;
	unsigned int blocks[MAX_BLOCKS];	/* that are offline */
	unsigned int nr;
	unsigned int convertible;		/* so many of them are */
};

static int ascending(const void *a, const void *b)
{
	return *(const unsigned int *)a - *(const unsigned int *)b;
}

FIXTURE_SETUP(plugged)
{
	DIR *dir = opendir(MEMORY);
	struct dirent *d;
	unsigned int nr;

	self->kvm = tdx_open_kvm();
	self->convertible = tdx_param_num("convertible", 0);
	self->nr = 0;
	ASSERT_NE(NULL, dir);
	while ((d = readdir(dir)) && self->nr < MAX_BLOCKS) {
		if (sscanf(d->d_name, "memory%u", &nr) == 1 &&
		    block_is(nr, "offline"))
			self->blocks[self->nr++] = nr;
	}
	closedir(dir);
	qsort(self->blocks, self->nr, sizeof(self->blocks[0]), ascending);
}

FIXTURE_TEARDOWN(plugged)
{
	close(self->kvm);
}

TEST_F(plugged, first_td_with_a_block_online)
{
	unsigned int block = self->blocks[0];
	char *line;
	int td;

	ASSERT_LT(self->convertible + 1, self->nr);
	ASSERT_EQ(0, tdx_log_count("initialized"));
	ASSERT_EQ(0, switch_block(block, "online"));
	td = tdx_create_vm(self->kvm, KVM_X86_TDX_VM);

	if (self->convertible) {
		ASSERT_LE(0, td);
		EXPECT_EQ(1, tdx_log_count("initialized"));
		return;
	}

	/* A TD might get pages of it; take it away and all is well. */
	EXPECT_EQ(-EAGAIN, td);
	EXPECT_EQ(1, tdx_log_find("not_convertible", &line));
	EXPECT_TRUE(tdx_state_is("LOADED"));
	ASSERT_EQ(0, switch_block(block, "offline"));
	ASSERT_LE(0, tdx_create_vm(self->kvm, KVM_X86_TDX_VM));
	EXPECT_EQ(1, tdx_log_count("initialized"));
	EXPECT_TRUE(tdx_state_is("INITIALIZED"));
}

TEST_F(plugged, blocks_that_the_module_does_not_know)
{
	unsigned long long start, end, size = block_size();
	unsigned int i, first, last = self->nr - 1;
	char *line;
	int read;

	ASSERT_EQ(1, tdx_log_count("initialized"));
	/* One convertible block is online since the test before. */
	for (i = 0; self->convertible && i < self->convertible - 1; i++)
		EXPECT_EQ(0, switch_block(self->blocks[i], "online"));
	ASSERT_LT(i, self->nr);
	first = i;
	for (; i < self->nr; i++) {
		EXPECT_EQ(-EPERM, switch_block(self->blocks[i], "online"));
		EXPECT_TRUE(block_is(self->blocks[i], "offline"));
	}
	/* The blocks of a device are one line, which names all of it. */
	EXPECT_EQ(1, tdx_log_find("memory_refused", &line));
	ASSERT_NE(NULL, line);
	read = sscanf(line, "tdx: memory [%llx, %llx)", &start, &end);
	EXPECT_EQ(2, read);
	EXPECT_EQ(self->blocks[first] * size, start);
	EXPECT_EQ((self->blocks[last] + 1) * size, end);

	/* A user who tries again does not fill the log: a line a minute. */
	for (i = 0; i < 200; i++)
		switch_block(self->blocks[first + i % (self->nr - first)], "online");
	EXPECT_GE(3, tdx_log_count("memory_refused"));
	EXPECT_LE(0, tdx_create_vm(self->kvm, KVM_X86_TDX_VM));
}

/* What the module was told of may go and come back. */
TEST_F(plugged, block_that_it_knows)
{
	unsigned int block, switched = 0;

	for (block = 8; block < MAX_BLOCKS && switched < 4; block++) {
		if (!block_is(block, "online") || switch_block(block, "offline"))
			continue;
		EXPECT_EQ(0, switch_block(block, "online"));
		switched++;
	}
	EXPECT_LT(0, switched);
}

/* A block with a PAMT in it stays: it is refused, and nothing is lost by the try. */
TEST_F(plugged, block_with_a_pamt)
{
	FILE *f = fopen("/sys/kernel/debug/tdx/tdmrs", "re");
	unsigned long long pamt = 0;
	unsigned int block;
	char line[128];

	ASSERT_NE(NULL, f);
	/* The last one: the block below 4 GiB has the BIOS's tables, and stays for them. */
	while (fgets(line, sizeof(line), f))
		sscanf(line, " PAMT 4K [%llx", &pamt);
	fclose(f);
	ASSERT_NE(0, pamt);
	block = pamt / block_size();

	ASSERT_TRUE(block_is(block, "online"));
	EXPECT_EQ(-EBUSY, switch_block(block, "offline"));
	EXPECT_TRUE(block_is(block, "online"));
	EXPECT_LE(0, tdx_create_vm(self->kvm, KVM_X86_TDX_VM));
	EXPECT_TRUE(tdx_state_is("INITIALIZED"));
}

TDX_TEST_MAIN
