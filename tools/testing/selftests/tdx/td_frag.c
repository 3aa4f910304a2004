// SPDX-License-Identifier: GPL-2.0
/*
 * The first TD when memory is fragmented: free in blocks of one size only.
 *
 * Needs a test kernel. Parameters: block=N: KiB of a block; contig=N: KiB that
 * mainline's rule, a PAMT in one piece for each region of memory, would need, and
 * does not find; tdmrs=N: TDMRs in the end (0: any); apart=N: TDMRs at least whose
 * PAMT is in several pieces (0); errno=NAME: the TD is refused with that error, and
 * can be created when memory is not fragmented any more.
 */
#include <errno.h>

#include "../kselftest_harness.h"
#include "tdx_platform.h"
#include "tdx_test.h"

#define DIR		"/sys/kernel/debug/tdx/"

FIXTURE(frag) {
	int kvm;
	int vm;			/* keeps all CPUs in VMX operation */
};

FIXTURE_SETUP(frag)
{
	self->kvm = tdx_open_kvm();
	self->vm = tdx_create_vm(self->kvm, KVM_X86_ORDINARY_VM);
	ASSERT_LE(0, self->vm);
}

FIXTURE_TEARDOWN(frag)
{
	tdx_write_file(DIR "fragment", "0");
	close(self->vm);
	close(self->kvm);
}

/* TDMRs, and how many of their PAMTs are not in one piece */
static unsigned int count_tdmrs(unsigned int *apart)
{
	unsigned long long start, end, last = 0;
	FILE *f = fopen(DIR "tdmrs", "re");
	unsigned int nr = 0, i;
	bool split = false;
	char line[128], size;

	*apart = 0;
	while (f && fgets(line, sizeof(line), f)) {
		nr += sscanf(line, "%u: [", &i) == 1;
		if (sscanf(line, "  PAMT %*d%c [%llx, %llx)", &size, &start, &end) != 3)
			continue;
		split = size != 'K' && (split || start != last);
		*apart += split && size == 'G';
		last = end;
	}
	if (f)
		fclose(f);
	return nr;
}

TEST_F(frag, first_td)
{
	const char *refused = tdx_param("errno", NULL);
	unsigned long free_kb, frag_kb, block = tdx_param_num("block", 4096);
	unsigned int apart, nr, want = tdx_param_num("tdmrs", 0);
	long used, frag_used;
	char kb[32];
	int td;

	free_kb = tdx_free_kb();
	used = tdx_used_pages();
	ASSERT_EQ(0, tdx_write_file(DIR "fragment", tdx_param("block", "4096")));
	frag_kb = tdx_free_kb();
	frag_used = tdx_used_pages();
	/* There is memory, in pieces of one block. */
	ASSERT_LT(free_kb / 3, frag_kb);
	ASSERT_EQ(-ENOMEM, tdx_write_file(DIR "contig", tdx_param("contig", "8192")));
	/* Unless a block is less than a pageblock, in whose other half there is no room. */
	snprintf(kb, sizeof(kb), "%lu", block);
	ASSERT_TRUE(refused || !tdx_write_file(DIR "contig", kb));

	td = tdx_create_vm(self->kvm, KVM_X86_TDX_VM);
	if (refused) {
		EXPECT_EQ(-tdx_errno(refused), td);
		EXPECT_TRUE(tdx_state_is("LOADED"));
		EXPECT_EQ(1, tdx_log_count("no_pamt"));
		EXPECT_STREQ("0", tdx_read_file("/sys/firmware/tdx/pamt_kb", kb, sizeof(kb)));
		EXPECT_TRUE(tdx_nothing_lost(frag_used + TDX_KEPT_PAGES));
		ASSERT_EQ(0, tdx_write_file(DIR "fragment", "0"));
		EXPECT_TRUE(tdx_nothing_lost(used + TDX_KEPT_PAGES));
		td = tdx_create_vm(self->kvm, KVM_X86_TDX_VM);
	}
	ASSERT_LE(0, td);
	EXPECT_TRUE(tdx_state_is("INITIALIZED"));
	nr = count_tdmrs(&apart);
	printf("# %lu of %lu MiB are free, %u TDMRs, %u of them with a PAMT in pieces\n",
	       frag_kb >> 10, free_kb >> 10, nr, apart);
	EXPECT_EQ(want ? want : nr, nr);
	EXPECT_LE(tdx_param_num("apart", 0), apart);
	close(td);

	/* Nothing is lost but PAMTs. */
	ASSERT_EQ(0, tdx_write_file(DIR "fragment", "0"));
	tdx_read_file("/sys/firmware/tdx/pamt_kb", kb, sizeof(kb));
	EXPECT_TRUE(tdx_nothing_lost(used + strtol(kb, NULL, 0) / 4 + TDX_KEPT_PAGES));
}

TDX_TEST_MAIN
