// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the words for status codes.
 */
#include <kunit/test.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "../status.h"

struct describe_case {
	const char *name;
	u64 status;
	const char *text;
};

static const struct describe_case describe_cases[] = {
	{
		.name	= "success has no detail",
		.status	= 0,
		.text	= "TDX_SUCCESS (0x0000000000000000)",
	},
	{
		.name	= "MSR with advice",
		.status	= 0xc000092100000122ULL,
		.text	=
			"TDX_INCORRECT_MSR_VALUE (0xc000092100000122): MSR 0x122 IA32_TSX_CTRL; firmware must set it, look for a BIOS update",
	},
	{
		.name	= "MSR without a name",
		.status	= 0xc0000921ffffffffULL,
		.text	=
			"TDX_INCORRECT_MSR_VALUE (0xc0000921ffffffff): MSR 0xffffffff unknown MSR; firmware must set it, look for a BIOS update",
	},
	{
		.name	= "operand 0 is RAX where an operand must be",
		.status	= 0xc000010000000000ULL,
		.text	=
			"TDX_OPERAND_INVALID (0xc000010000000000): operand RAX; report it with all lines of the log that have \"tdx\"",
	},
	{
		.name	= "detail 0 is nothing where it may be",
		.status	= 0x0000081500000000ULL,
		.text	= "TDX_KEY_CONFIGURED (0x0000081500000000)",
	},
	{
		.name	= "busy key table",
		.status	= 0x80000200000000bbULL,
		.text	= "TDX_OPERAND_BUSY (0x80000200000000bb): operand KET; try again",
	},
	{
		.name	= "operand without a name",
		.status	= 0xc00003000000ffffULL,
		.text	=
			"TDX_PAGE_METADATA_INCORRECT (0xc00003000000ffff): operand 0xffff; report it with all lines of the log that have \"tdx\"",
	},
	{
		.name	= "two TDMRs and a page size",
		.status	= 0xc0000a12000a0221ULL,
		.text	=
			"TDX_PAMT_OVERLAP (0xc0000a12000a0221): 1G PAMT of TDMR 33 overlaps TDMR 10 or a PAMT of it; kernel bug; report it with the memory map",
	},
	{
		.name	= "page size that does not exist",
		.status	= 0xc0000a1000000307ULL,
		.text	=
			"TDX_INVALID_PAMT (0xc0000a1000000307): unknown PAMT of TDMR 7; kernel bug; report it with the memory map",
	},
	{
		.name	= "second SMRR and a CMR",
		.status	= 0xc000091200000501ULL,
		.text	=
			"TDX_SMRR_OVERLAPS_CMR (0xc000091200000501): SMRR2 overlaps CMR 5; firmware must keep them apart, look for a BIOS update",
	},
	{
		.name	= "software code",
		.status	= 0x8000ff0000000006ULL,
		.text	=
			"TDX_SEAMCALL_UD (0x8000ff0000000006): load kvm_intel before TDX is used",
	},
	{
		.name	= "software code of another exception",
		.status	= 0x8000ff000000000eULL,
		.text	=
			"unknown status (0x8000ff000000000e): SEAMCALL raised exception 14; report it with all lines of the log that have \"tdx\"",
	},
	{
		.name	= "P-SEAMLDR",
		.status	= 0x8000000000030001ULL,
		.text	=
			"SEAMLDR_RND_NO_ENTROPY (0x8000000000030001): the CPU had no entropy in any try; reboot, and try again",
	},
	{
		.name	= "P-SEAMLDR without a name",
		.status	= 0x8000000012345678ULL,
		.text	=
			"unknown status (0x8000000012345678): P-SEAMLDR error 0x12345678; report it with all lines of the log that have \"tdx\"",
	},
	{
		.name	= "code of a newer module",
		.status	= 0xc000098812345678ULL,
		.text	=
			"unknown status (0xc000098812345678): class 0x09 platform configuration, code 0x88, detail 0x12345678, error, not recoverable; report it with all lines of the log that have \"tdx\"",
	},
	{
		.name	= "class of a newer module",
		.status	= 0x7000210100000000ULL,
		.text	=
			"unknown status (0x7000210100000000): class 0x21 unknown, code 0x01, detail 0x0, not recoverable, fatal, host may recover; report it with all lines of the log that have \"tdx\"",
	},
	{
		.name	= "known code with other flags",
		.status	= 0xe000050500000000ULL,
		.text	=
			"unknown status (0xe000050500000000): class 0x05 system state, code 0x05, detail 0x0, error, not recoverable, fatal, like TDX_SYS_NOT_READY but for the flags; report it with all lines of the log that have \"tdx\"",
	},
	{
		.name	= "VM exit of a guest",
		.status	= 0x000000000000000cULL,
		.text	= "TDX_SUCCESS (0x000000000000000c): VM exit 12, HLT",
	},
};

static void describe_to_desc(const struct describe_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(describe, describe_cases, describe_to_desc);

static void tdx_status_describe_test(struct kunit *test)
{
	const struct describe_case *c = test->param_value;
	char buf[TDX_STATUS_LEN];
	int n;

	n = tdx_status_describe(buf, sizeof(buf), c->status);
	KUNIT_EXPECT_STREQ(test, buf, c->text);
	KUNIT_EXPECT_EQ(test, n, (int)strlen(c->text));
}

/* Whatever does not fit is cut, never written. */
static void tdx_status_short_buffer_test(struct kunit *test)
{
	const struct describe_case *c = test->param_value;
	int want = strlen(c->text), len, n;
	char buf[TDX_STATUS_LEN];

	for (len = 1; len <= want + 1; len++) {
		memset(buf, '#', sizeof(buf));
		n = tdx_status_describe(buf, len, c->status);

		KUNIT_ASSERT_EQ(test, n, len - 1);
		KUNIT_ASSERT_EQ(test, memcmp(buf, c->text, n), 0);
		KUNIT_ASSERT_EQ(test, buf[n], '\0');
		KUNIT_ASSERT_EQ(test, buf[len], '#');
	}
}

static void tdx_status_bounded_test(struct kunit *test)
{
	static const u32 details[] = { 0, 1, 0xff, 0xffff, 0x7fffffff, U32_MAX };
	const struct tdx_status_regs regs = { ~0ULL - 1, ~0ULL - 1, ~0ULL, ~0ULL, ~0ULL };
	char buf[TDX_STATUS_LEN];
	int class_code, flags, i, n;

	for (class_code = 0; class_code <= U16_MAX; class_code++) {
		flags = class_code % 16;
		i = class_code % ARRAY_SIZE(details);

		n = tdx_seamcall_describe(buf, sizeof(buf), 33,
					  (u64)flags << 60 | (u64)class_code << 32 | details[i],
					  &regs);
		KUNIT_ASSERT_LT(test, n, (int)sizeof(buf) - 1);
		KUNIT_ASSERT_EQ(test, n, (int)strlen(buf));
		cond_resched();
	}
}

struct seamcall_case {
	const char *name;
	u64 fn;
	u64 status;
	struct tdx_status_regs regs;
	const char *text;
};

static const struct seamcall_case seamcall_cases[] = {
	{
		.name	= "INIT names the CPUID leaf",
		.fn	= 33,
		.status	= 0xc000090000000000ULL,
		.regs	= {
			.rcx	= 0xffffffff80000008ULL,
			.rdx	= 0x00000200000000ffULL,
			.r9	= 0x0000020000000034ULL,
		},
		.text	=
			"TDX_INCORRECT_CPUID_VALUE (0xc000090000000000): CPUID 0x80000008 must have EAX & 0xff = 0x34 EBX & 0x200 = 0x200; the module needs 52 physical address bits: turn a limit of them off in the BIOS setup",
	},
	{
		.name	= "LP.INIT names the CPUID leaf",
		.fn	= 35,
		.status	= 0xc000090200000000ULL,
		.regs	= {
			.rcx	= 0x0000000100000004ULL,
			.r8	= 0xffff000000000000ULL,
		},
		.text	=
			"TDX_INCONSISTENT_CPUID_FIELD (0xc000090200000000): CPUID 0x4.1 differs from the first CPU in EDX & 0xffff0000; CPUs are not alike: same stepping in each socket, same microcode, no setting for a part of the cores",
	},
	{
		.name	= "other leaf, registers are something else",
		.fn	= 35,
		.status	= 0xc000090100000000ULL,
		.regs	= { .rcx = 7, .rdx = 7, .r8 = 7 },
		.text	=
			"TDX_LIMIT_CPUID_MAXVAL_SET (0xc000090100000000): turn the limit of CPUID off in the BIOS setup",
	},
	{
		.name	= "field that an old module lacks",
		.fn	= 34,
		.status	= 0xc000050500000000ULL,
		.regs	= { .rdx = 0x9100000100000008ULL },
		.text	=
			"TDX_SYS_NOT_READY (0xc000050500000000): field 0x9100000100000008 MAX_TDMRS; the module is older than 1.5 and has no TDH.SYS.RD; update the TDX module",
	},
	{
		.name	= "RD without a field",
		.fn	= 34,
		.status	= 0xc000050200000000ULL,
		.regs	= { .rdx = ~0ULL },
		.text	=
			"TDX_SYS_LP_INIT_NOT_DONE (0xc000050200000000): a CPU that comes up after the initialisation of TDX can not be used with it; report it if this one was there",
	},
};

static void seamcall_to_desc(const struct seamcall_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(seamcall, seamcall_cases, seamcall_to_desc);

static void tdx_seamcall_describe_test(struct kunit *test)
{
	const struct seamcall_case *c = test->param_value;
	char buf[TDX_STATUS_LEN];

	tdx_seamcall_describe(buf, sizeof(buf), c->fn, c->status, &c->regs);
	KUNIT_EXPECT_STREQ(test, buf, c->text);
}

static void tdx_leaf_name_test(struct kunit *test)
{
	KUNIT_EXPECT_STREQ(test, tdx_leaf_name(0), "TDH.VP.ENTER");
	KUNIT_EXPECT_STREQ(test, tdx_leaf_name(33), "TDH.SYS.INIT");
	KUNIT_EXPECT_STREQ(test, tdx_leaf_name(0x10000 | 11), "TDH.MNG.RD");
	KUNIT_EXPECT_STREQ(test, tdx_leaf_name(5), "unknown leaf");
	KUNIT_EXPECT_STREQ(test, tdx_leaf_name(U16_MAX), "unknown leaf");
	KUNIT_EXPECT_STREQ(test, tdx_leaf_name(0x8000000000000000ULL), "SEAMLDR.INFO");
	KUNIT_EXPECT_STREQ(test, tdx_leaf_name(0x8000000000000001ULL), "SEAMLDR.INSTALL");
	KUNIT_EXPECT_STREQ(test, tdx_leaf_name(~0ULL), "unknown leaf");
}

static void tdx_status_names_test(struct kunit *test)
{
	KUNIT_EXPECT_STREQ(test, tdx_status_name(0x8000020000000001ULL), "TDX_OPERAND_BUSY");
	KUNIT_EXPECT_STREQ(test, tdx_status_name(0x8000ff00ffff0000ULL),
			   "TDX_SEAMCALL_VMFAILINVALID");
	KUNIT_EXPECT_STREQ(test, tdx_status_name(0x0000020000000001ULL), "unknown status");
	KUNIT_EXPECT_STREQ(test, tdx_status_class(0xc0000a0000000000ULL), "memory configuration");
	KUNIT_EXPECT_STREQ(test, tdx_status_class(0x8000000000030001ULL), "P-SEAMLDR");
	KUNIT_EXPECT_STREQ(test, tdx_msr_name(0x1401), "IA32_SEAMRR_PHYS_MASK");
	KUNIT_EXPECT_STREQ(test, tdx_msr_name(0), "unknown MSR");
	/* Element size and "not architectural" are no part of a field's identity. */
	KUNIT_EXPECT_STREQ(test, tdx_field_name(0x9100000100000008ULL), "MAX_TDMRS");
	KUNIT_EXPECT_STREQ(test, tdx_field_name(0x1100000000000008ULL), "MAX_TDMRS");
	KUNIT_EXPECT_STREQ(test, tdx_field_name(0x9100000100000000ULL), "unknown field");
	KUNIT_EXPECT_NULL(test, tdx_status_advice(0));
	KUNIT_EXPECT_NULL(test, tdx_status_advice(0x1000210100000000ULL));
	KUNIT_EXPECT_STREQ(test, tdx_status_advice(0x7000210100000000ULL),
			   "report it with all lines of the log that have \"tdx\"");
	KUNIT_EXPECT_STREQ(test, tdx_status_advice(0x2000000000000000ULL),
			   "report it with all lines of the log that have \"tdx\"");
}

static struct kunit_case tdx_status_cases[] = {
	KUNIT_CASE_PARAM(tdx_status_describe_test, describe_gen_params),
	KUNIT_CASE_PARAM(tdx_status_short_buffer_test, describe_gen_params),
	KUNIT_CASE(tdx_status_bounded_test),
	KUNIT_CASE_PARAM(tdx_seamcall_describe_test, seamcall_gen_params),
	KUNIT_CASE(tdx_leaf_name_test),
	KUNIT_CASE(tdx_status_names_test),
	{ }
};

static struct kunit_suite tdx_status_suite = {
	.name		= "tdx_status",
	.test_cases	= tdx_status_cases,
};

kunit_test_suite(tdx_status_suite);
