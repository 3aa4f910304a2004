// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the recordings of module 1.5.01 do not show: other kinds of modules,
 * faults, latencies, P-SEAMLDR, SEAMRR off, want of memory, contended locks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bringup.h"

#define ST(x)			UINT64_C(x)
#define OPERAND_INVALID		ST(0xC000010000000000)
#define ADDR_RANGE_ERROR	ST(0xC000010100000000)
#define OPERAND_BUSY		ST(0x8000020000000000)
#define SYS_BUSY		ST(0x8000020200000000)
#define RND_NO_ENTROPY		ST(0x8000020300000000)
#define PAGE_METADATA_INCORRECT	ST(0xC000030000000000)
#define ASSOCIATED_PAGES_EXIST	ST(0xC000040000000000)
#define LP_INIT_NOT_DONE	ST(0xC000050200000000)
#define SYS_NOT_READY		ST(0xC000050500000000)
#define SYS_SHUTDOWN_STATUS	ST(0xC000050600000000)
#define LIFECYCLE_INCORRECT	ST(0xC000060700000000)
#define TDCS_NOT_ALLOCATED	ST(0xC000060600000000)
#define OP_STATE_INCORRECT	ST(0xC000060800000000)
#define TDCX_NUM_INCORRECT	ST(0xC000061000000000)
#define KEY_GENERATION_FAILED	ST(0x8000080000000000)
#define KEYS_NOT_CONFIGURED	ST(0x8000081000000000)
#define KEY_CONFIGURED		ST(0x0000081500000000)
#define INVALID_PKG_ID		ST(0xC000090600000000)
#define FIELD_ID_INCORRECT	ST(0xC0000C0000000000)
#define WBCACHE_NOT_COMPLETE	ST(0x8000081700000000)
#define FIRST_FIELD		ST(0x00000C0B00000000)
#define TDMR_ALREADY_INIT	ST(0x00000A0300000000)

enum { RAX = 0, RCX = 1, RDX = 2, KET = 187, KOT = 186, WBCACHE = 188 };

#define FEATURES0_ID		ST(0x0A00000300000008)
#define MAX_TDMRS_ID		ST(0x9100000100000008)
#define NO_RBP_MOD		(ST(1) << 18)

#define TDR			GIB(4)
#define TDCX(i)			(GIB(4) + 0x10000 + 0x1000 * (i))
#define KEYID			40

static struct machine machine;
static struct tdxm_platform platform;

static int setup(void **state)
{
	(void)state;
	memset(&machine, 0, sizeof(machine));
	tdxm_platform_init(&platform);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (machine.m)
		machine_stop(&machine);
	/* whatever a test did, the model gives back what it took */
	return machine.allocated ? -1 : 0;
}

static void up(enum tdxm_state to)
{
	assert_int_equal(bring_up(&machine, &platform, to, 1), 0);
	assert_int_equal(tdxm_state(machine.m), to);
}

static void up_with_memory(void)
{
	up(TDXM_READY);
	assert_int_equal(init_tdmr(&machine, 0, GIB(4)), 0);
}

static void create_td(void)
{
	assert_int_equal(call(&machine, 0, MNG_CREATE, TDR, KEYID, 0), 0);
}

static void configure_td(void)
{
	create_td();
	assert_int_equal(call(&machine, 0, MNG_KEY_CONFIG, TDR, 0, 0), 0);
}

/* Bringing up */

static void test_bring_up(void **state)
{
	struct tdxm_tdmr_info info;
	struct answer a;
	unsigned int i;

	(void)state;
	up(TDXM_READY);
	assert_true(tdxm_lp_initialized(machine.m, 0));
	assert_true(tdxm_lp_initialized(machine.m, 1));
	assert_false(tdxm_lp_initialized(machine.m, 2));
	assert_true(tdxm_package_has_key(machine.m, 0));
	assert_false(tdxm_package_has_key(machine.m, 1));
	assert_false(tdxm_package_has_key(machine.m, 1000));
	assert_true(tdxm_tdmr(machine.m, 0, &info));
	assert_int_equal(info.base, GIB(4));
	assert_int_equal(info.size, GIB(1));
	assert_int_equal(info.pamt[2].base, PAMT_PA);
	assert_int_equal(info.initialized, 0);
	assert_false(tdxm_tdmr(machine.m, 1, &info));

	assert_int_equal(call(&machine, 0, PHYMEM_PAGE_RDMD, GIB(4), 0, 0), ADDR_RANGE_ERROR | RCX);
	for (i = 0; i < INIT_CALLS_PER_GIB; i++) {
		a = seamcall(&machine, i % 2, SYS_TDMR_INIT, GIB(4), 7, 0, 0);
		assert_int_equal(a.r[TDXM_RAX], 0);
		assert_int_equal(a.r[TDXM_RDX], i + 1 < INIT_CALLS_PER_GIB ? GIB(4) : GIB(5));
	}
	a = seamcall(&machine, 0, SYS_TDMR_INIT, GIB(4), 7, 0, 0);
	assert_int_equal(a.r[TDXM_RAX], TDMR_ALREADY_INIT);
	assert_int_equal(a.r[TDXM_RDX], 0);
	assert_int_equal(call(&machine, 0, PHYMEM_PAGE_RDMD, GIB(4), 0, 0), 0);
	assert_int_equal(tdxm_stat_leaf_calls(machine.m, SYS_TDMR_INIT), INIT_CALLS_PER_GIB + 1);
	assert_int_equal(tdxm_stat_lp_calls(machine.m, 1), INIT_CALLS_PER_GIB / 2 + 1);
	assert_int_equal(tdxm_stat_lp_calls(machine.m, 2), 0);
	assert_int_equal(tdxm_stat_leaf_calls(machine.m, TDXM_MAX_LEAVES), 0);
	assert_int_equal(tdxm_stat_seamldr_calls(machine.m), 0);
}

static void test_platforms_refused(void **state)
{
	(void)state;
	platform.lps = 0;
	assert_null(machine_start(&machine, &platform));
	platform.lps = TDXM_MAX_LPS + 1;
	assert_null(machine_start(&machine, &platform));
	platform.lps = 2;
	platform.packages = 0;
	assert_null(machine_start(&machine, &platform));
	platform.packages = 1;
	platform.nr_cmrs = TDXM_MAX_CMRS + 1;
	assert_null(machine_start(&machine, &platform));
	platform.nr_cmrs = 2;
	platform.nr_faults = TDXM_MAX_FAULTS + 1;
	assert_null(machine_start(&machine, &platform));
	tdxm_free(NULL);
}

static void test_no_such_lp(void **state)
{
	(void)state;
	up(TDXM_PENDING);
	assert_int_equal(seamcall(&machine, 2, SYS_INIT, 0, 0, 0, 0).exit, TDXM_VMFAIL_INVALID);
	assert_int_equal(tdxm_state(machine.m), TDXM_PENDING);
}

/* Kinds of modules */

static uint64_t rd(uint64_t field)
{
	struct answer a = seamcall(&machine, 0, SYS_RD, 0, field, 0, 0);

	assert_int_equal(a.exit, TDXM_DONE);
	assert_int_equal(a.r[TDXM_RAX], 0);
	return a.r[TDXM_R8];
}

static void test_kinds(void **state)
{
	static const struct {
		const char *kind;
		uint64_t features0, minor, major, update;
	} kinds[] = {
		{ "1.5.01", 0xf0fbf, 5, 1, 1 }, { "1.5.05", 0x61f0fbf, 5, 1, 5 },
		{ "1.5.06", 0x2e1f0fbf, 5, 1, 6 }, { "1.5.08", 0x22e1f0fbf, 5, 1, 8 },
		{ "1.5.09", 0x26f1f0fbf, 5, 1, 9 }, { "1.5.13", 0x226f1f0fbf, 5, 1, 13 },
		{ "1.5.16", 0x226f3f0fbf, 5, 1, 16 }, { "2.0.02", 0x22e1f0fbf, 0, 2, 2 },
		{ "2.0.04", 0x12af1f0fbf, 0, 2, 4 }, { "2.0.05", 0x226f3f0fbf, 0, 2, 5 },
		{ "2.0.08", 0x32a71f0fbf, 0, 2, 8 },
	};
	struct tdxm_module mod;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		setup(NULL);
		assert_true(tdxm_module_by_name(&platform.module, kinds[i].kind));
		up(TDXM_INIT_DONE);
		assert_int_equal(rd(FEATURES0_ID), kinds[i].features0);
		assert_int_equal(rd(ST(0x0800000100000003)), kinds[i].minor);
		assert_int_equal(rd(ST(0x0800000100000004)), kinds[i].major);
		assert_int_equal(rd(ST(0x0800000100000005)), kinds[i].update);
		assert_int_equal(rd(MAX_TDMRS_ID), 64);
		assert_int_equal(teardown(NULL), 0);
	}
	assert_false(tdxm_module_by_name(&mod, "1.5.1"));
	assert_string_equal(tdxm_module_kind(0), "1.0");
	/* there are no others than those above and 1.0 */
	for (i = 0; tdxm_module_kind(i); i++)
		assert_true(tdxm_module_by_name(&mod, tdxm_module_kind(i)));
	assert_int_equal(i, 1 + sizeof(kinds) / sizeof(kinds[0]));
}

static void test_seamops_bit_of_features0(void **state)
{
	static const struct tdxm_lp_quirk no_bit_6 = { TDXM_ALL_LPS, 0x3f };

	(void)state;
	platform.seamops_quirks = &no_bit_6;
	platform.nr_seamops_quirks = 1;
	up(TDXM_INIT_DONE);
	assert_int_equal(rd(FEATURES0_ID), 0xf0ebf);
}

static void test_module_1_0(void **state)
{
	static const uint64_t missing[] = { SYS_RD, SYS_RDALL, SYS_SHUTDOWN, SYS_UPDATE };
	struct answer a;
	uint8_t info[1024];
	size_t i;

	(void)state;
	assert_true(tdxm_module_by_name(&platform.module, "1.0"));
	up(TDXM_INIT_DONE);
	for (i = 0; i < 4; i++)
		assert_int_equal(call(&machine, 0, missing[i], 0, MAX_TDMRS_ID, 0), SYS_NOT_READY);

	a = seamcall(&machine, 0, SYS_INFO, INFO_PA, 1024, CMR_PA, 32);
	assert_int_equal(a.r[TDXM_RAX], 0);
	mem_read(&machine.mem, INFO_PA, info, sizeof(info));
	assert_int_equal(info[14] | info[15] << 8, 0);		/* minor */
	assert_int_equal(info[16] | info[17] << 8, 1);		/* major */
	assert_int_equal(info[18], 0);				/* there is no RD */
	assert_int_equal(info[32] | info[33] << 8, 64);
	machine_stop(&machine);

	up(TDXM_READY);
	for (i = 0; i < 4; i++)
		assert_int_equal(call(&machine, 0, missing[i], 0, MAX_TDMRS_ID, 0),
				 OPERAND_INVALID | RAX);
}

static void test_module_1_5_info_has_rd_flag(void **state)
{
	uint8_t flag;

	(void)state;
	up(TDXM_INIT_DONE);
	assert_int_equal(seamcall(&machine, 0, SYS_INFO, INFO_PA, 1024, CMR_PA, 32).r[TDXM_RAX], 0);
	mem_read(&machine.mem, INFO_PA + 18, &flag, 1);
	assert_int_equal(flag, 1);
}

static uint64_t owned_bytes;

static void count_owned(struct machine *mach, uint64_t pa, uint64_t size, bool owned,
			enum tdxm_page_kind kind)
{
	(void)mach;
	(void)pa;
	(void)kind;
	owned_bytes += owned ? size : -size;
}

/* 1G: a page; 2M: 8 KiB; 4K: 4 MiB */
#define PAMT_BYTES	(0x1000 + 0x2000 + 0x400000)

static void test_lp_shutdown_1_0(void **state)
{
	(void)state;
	owned_bytes = 0;
	machine.page_owner = count_owned;
	assert_true(tdxm_module_by_name(&platform.module, "1.0"));
	up_with_memory();
	configure_td();
	assert_int_equal(owned_bytes, PAMT_BYTES + 0x1000);

	assert_int_equal(call(&machine, 0, SYS_LP_SHUTDOWN, 0, 0, 0), 0);
	assert_int_equal(tdxm_state(machine.m), TDXM_SHUTDOWN);
	assert_int_equal(owned_bytes, 0);
	assert_int_equal(seamcall(&machine, 0, SYS_LP_SHUTDOWN, 0, 0, 0, 0).exit,
			 TDXM_VMFAIL_INVALID);
	assert_int_equal(seamcall(&machine, 0, SYS_INIT, 0, 0, 0, 0).exit, TDXM_VMFAIL_INVALID);
	assert_int_equal(call(&machine, 1, SYS_INIT, 0, 0, 0), SYS_SHUTDOWN_STATUS);
	assert_int_equal(call(&machine, 1, SYS_LP_SHUTDOWN, 0, 0, 0), 0);
	assert_int_equal(seamcall(&machine, 1, SYS_LP_SHUTDOWN, 0, 0, 0, 0).exit,
			 TDXM_VMFAIL_INVALID);
}

static void test_lp_shutdown_1_5_does_nothing(void **state)
{
	(void)state;
	up(TDXM_READY);
	assert_int_equal(call(&machine, 0, SYS_LP_SHUTDOWN, 0, 0, 0), 0);
	assert_int_equal(tdxm_state(machine.m), TDXM_READY);
	assert_int_equal(call(&machine, 0, SYS_TDMR_INIT, GIB(4), 0, 0), 0);
}

static void test_shutdown_1_5(void **state)
{
	(void)state;
	owned_bytes = 0;
	machine.page_owner = count_owned;
	up_with_memory();
	configure_td();
	assert_int_equal(call(&machine, 0, MNG_ADDCX, TDCX(0), TDR, 0), 0);
	assert_int_equal(owned_bytes, PAMT_BYTES + 0x2000);
	assert_int_equal(call(&machine, 0, SYS_SHUTDOWN, 1, 0, 0), OPERAND_INVALID | RCX);
	assert_int_equal(call(&machine, 0, SYS_SHUTDOWN, 0, 0, 0), 0);
	assert_int_equal(owned_bytes, 0);
	assert_int_equal(call(&machine, 1, SYS_TDMR_INIT, GIB(4), 0, 0), SYS_SHUTDOWN_STATUS);
	assert_int_equal(call(&machine, 1, SYS_LP_SHUTDOWN, 0, 0, 0), 0);
}

static void test_rbp(void **state)
{
	static const struct {
		const char *kind;
		bool declared, lost;
	} cases[] = { { "1.5.01", true, false }, { "1.5.01", false, true }, { "1.0", false, true } };
	struct answer a;
	size_t i, reg;

	(void)state;
	for (i = 0; i < 3; i++) {
		setup(NULL);
		assert_true(tdxm_module_by_name(&platform.module, cases[i].kind));
		if (!cases[i].declared) {
			platform.module.features0 &= ~NO_RBP_MOD;
			platform.module.clobbers_rbp = true;
		}
		up(TDXM_PENDING);
		a = seamcall(&machine, 0, SYS_LP_SHUTDOWN, 1, 2, 3, 4);
		assert_int_equal(a.r[TDXM_RAX], 0);
		for (reg = TDXM_RBX; reg < TDXM_NR_REGS; reg++) {
			if (reg >= TDXM_R8 && reg <= TDXM_R11)
				continue;
			assert_int_equal(a.r[reg] == UINT64_C(0x1111111111111111) * reg,
					 reg != TDXM_RBP || !cases[i].lost);
		}
		assert_int_equal(teardown(NULL), 0);
	}
}

/* Not there */

static void test_not_loaded(void **state)
{
	struct answer a;

	(void)state;
	platform.module.loaded = false;
	assert_non_null(machine_start(&machine, &platform));
	assert_int_equal(tdxm_state(machine.m), TDXM_NOT_LOADED);
	a = seamcall(&machine, 0, SYS_INIT, 5, 6, 7, 8);
	assert_int_equal(a.exit, TDXM_VMFAIL_INVALID);
	assert_int_equal(a.r[TDXM_RAX], SYS_INIT);
	assert_int_equal(a.r[TDXM_RCX], 5);
}

static void test_seamldr_info(void **state)
{
	uint8_t info[256];
	int loaded;

	(void)state;
	for (loaded = 0; loaded < 2; loaded++) {
		setup(NULL);
		platform.module.loaded = loaded;
		assert_non_null(machine_start(&machine, &platform));
		assert_int_equal(call(&machine, 1, TDXM_SEAMLDR, INFO_PA, 0, 0), 0);
		mem_read(&machine.mem, INFO_PA, info, sizeof(info));
		assert_int_equal(info[8] | info[9] << 8, 0x8086);
		assert_int_equal(info[160], loaded);
		assert_int_equal(info[162], 1);
		assert_int_equal(tdxm_stat_seamldr_calls(machine.m), 1);
		assert_int_equal(teardown(NULL), 0);
	}
}

static void test_seamldr_refuses(void **state)
{
	static const struct {
		uint64_t rax, rcx, status;
	} cases[] = {
		{ TDXM_SEAMLDR, INFO_PA + 128, ST(0x8000000000010000) },
		{ TDXM_SEAMLDR, ST(1) << 46, ST(0x8000000000010000) },
		{ TDXM_SEAMLDR, 0x7a000000, ST(0x8000000000010000) },
		{ TDXM_SEAMLDR, GIB(8), ST(0x8000000000010000) },	/* no RAM */
		{ TDXM_SEAMLDR | 1, INFO_PA, ST(0x8000000000010000) },
		{ TDXM_SEAMLDR | 4, INFO_PA, ST(0x8000000000010000) },
		{ TDXM_SEAMLDR | 5, INFO_PA, ST(0x8000000000010003) },
		{ TDXM_SEAMLDR | ST(1) << 32, INFO_PA, ST(0x8000000000010003) },
	};
	size_t i;

	(void)state;
	machine.top = GIB(6);
	up(TDXM_PENDING);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(call(&machine, 0, cases[i].rax, cases[i].rcx, 0, 0),
				 cases[i].status);
	machine_stop(&machine);

	platform.module.seamldr_loaded = false;
	up(TDXM_PENDING);
	assert_int_equal(seamcall(&machine, 0, TDXM_SEAMLDR, INFO_PA, 0, 0, 0).exit,
			 TDXM_VMFAIL_INVALID);
}

static enum tdxm_exit other_exit;

static void call_seamldr_too(struct machine *mach, uint64_t pa, const void *buf, size_t len)
{
	(void)pa;
	(void)buf;
	(void)len;
	mach->on_write = NULL;
	other_exit = seamcall(mach, 1, TDXM_SEAMLDR, INFO_PA + 256, 0, 0, 0).exit;
}

static void test_seamldr_busy(void **state)
{
	(void)state;
	up(TDXM_PENDING);
	machine.on_write = call_seamldr_too;
	assert_int_equal(call(&machine, 0, TDXM_SEAMLDR, INFO_PA, 0, 0), 0);
	assert_int_equal(other_exit, TDXM_VMFAIL_INVALID);
	assert_int_equal(call(&machine, 1, TDXM_SEAMLDR, INFO_PA, 0, 0), 0);
}

static void test_seamrr(void **state)
{
	uint64_t v;

	(void)state;
	up(TDXM_PENDING);
	assert_true(tdxm_rdmsr(machine.m, 0, 0xfe, &v));
	assert_true(v & 1 << 15);
	assert_true(tdxm_rdmsr(machine.m, 0, 0x1400, &v));
	assert_int_equal(v, 0x7a000008);
	assert_true(tdxm_rdmsr(machine.m, 0, 0x1401, &v));
	assert_int_equal(v, (ST(1) << 52) - 0x2000000 + 0xc00);
	machine_stop(&machine);

	platform.seamrr_enabled = false;
	up(TDXM_PENDING);
	assert_true(tdxm_rdmsr(machine.m, 0, 0x1401, &v));
	assert_int_equal(v & 0xc00, 0x400);
	assert_int_equal(seamcall(&machine, 0, SYS_INIT, 0, 0, 0, 0).exit, TDXM_GP);
	assert_int_equal(seamcall(&machine, 0, TDXM_SEAMLDR, INFO_PA, 0, 0, 0).exit, TDXM_GP);
	machine_stop(&machine);

	platform.seamrr_locked = false;
	up(TDXM_PENDING);
	assert_true(tdxm_rdmsr(machine.m, 0, 0x1401, &v));
	assert_int_equal(v & 0xc00, 0);
	machine_stop(&machine);

	platform.seamrr_supported = false;
	up(TDXM_PENDING);
	assert_true(tdxm_rdmsr(machine.m, 0, 0xfe, &v));
	assert_false(v & 1 << 15);
	assert_false(tdxm_rdmsr(machine.m, 0, 0x1400, &v));
	assert_false(tdxm_rdmsr(machine.m, 0, 0x1401, &v));
	assert_int_equal(seamcall(&machine, 0, SYS_INIT, 0, 0, 0, 0).exit, TDXM_GP);
}

/* What the CPUs are */

static void test_cpu_view(void **state)
{
	static const struct tdxm_msr_quirk msrs[] = {
		{ TDXM_ALL_LPS, 0x122, 2 }, { 1, 0x98, 7 }, { 1, 0x98, 8 },
	};
	static const struct tdxm_cpuid_quirk cpuids[] = {
		{ 1, 0x16, 5, 0, 0x1234 }, { TDXM_ALL_LPS, 0x16, TDXM_ANY_SUBLEAF, 1, 9 },
	};
	uint32_t regs[4];
	uint64_t v;

	(void)state;
	platform.lps = 4;
	platform.packages = 2;
	platform.msr_quirks = msrs;
	platform.nr_msr_quirks = 3;
	platform.cpuid_quirks = cpuids;
	platform.nr_cpuid_quirks = 2;
	up(TDXM_PENDING);
	assert_int_equal(tdxm_keyid_bits(machine.m), 6);
	assert_true(tdxm_rdmsr(machine.m, 3, 0x87, &v));
	assert_int_equal(v, ST(32) << 32 | 31);
	assert_true(tdxm_rdmsr(machine.m, 0, 0x982, &v));
	assert_int_equal(v, 3 | ST(6) << 32 | ST(5) << 36 | ST(3) << 48);
	assert_true(tdxm_rdmsr(machine.m, 0, 0x98, &v));
	assert_int_equal(v, 0x10);
	assert_true(tdxm_rdmsr(machine.m, 1, 0x98, &v));
	assert_int_equal(v, 8);
	assert_false(tdxm_rdmsr(machine.m, 0, 0x10, &v));

	tdxm_cpuid(machine.m, 3, 0x1f, 0, regs);
	assert_int_equal(regs[3], 1 << 7 | 1);
	tdxm_cpuid(machine.m, 3, 0x1f, 9, regs);
	assert_int_equal(regs[2], 9);
	tdxm_cpuid(machine.m, 2, 1, 0, regs);
	assert_int_equal(regs[1] >> 24, 1 << 7);
	tdxm_cpuid(machine.m, 0, 7, 0, regs);
	assert_int_equal(regs[1] & 0x810, 0);		/* TSX_CTRL hides HLE and RTM */
	tdxm_cpuid(machine.m, 1, 0x16, 5, regs);
	assert_int_equal(regs[0], 0x1234);
	assert_int_equal(regs[1], 9);
	tdxm_cpuid(machine.m, 0, 0x16, 5, regs);
	assert_int_equal(regs[0], 0x7d0);
	tdxm_cpuid(machine.m, 0, 0x77, 0, regs);
	assert_int_equal(regs[0] | regs[1] | regs[2] | regs[3], 0);
}

static void test_tsc_without_ratio_is_fatal(void **state)
{
	static const struct tdxm_cpuid_quirk no_eax = { TDXM_ALL_LPS, 0x15, TDXM_ANY_SUBLEAF, 0, 0 };

	(void)state;
	platform.cpuid_quirks = &no_eax;
	platform.nr_cpuid_quirks = 1;
	up(TDXM_PENDING);
	assert_int_equal(seamcall(&machine, 0, SYS_INIT, 0, 0, 0, 0).exit, TDXM_FATAL);
	assert_int_equal(tdxm_state(machine.m), TDXM_STOPPED);
	assert_int_equal(tdxm_fatal_code(machine.m), ST(0xffffffff00000000));
	assert_int_equal(seamcall(&machine, 1, SYS_INIT, 0, 0, 0, 0).exit, TDXM_VMFAIL_INVALID);
	assert_int_equal(seamcall(&machine, 1, SYS_LP_SHUTDOWN, 0, 0, 0, 0).exit,
			 TDXM_VMFAIL_INVALID);
}

/* CPUs that INIT refuses, with what it says about them */
static void test_cpuid_refusals(void **state)
{
	static const struct {
		struct tdxm_cpuid_quirk quirk;
		uint64_t rax, rcx, rdx, r8, r9, r10;
	} cases[] = {
		/* version of performance monitoring, number of fixed counters */
		{ { -1, 0xa, TDXM_ANY_SUBLEAF, 0, 0x7300804 }, ST(0xC000090000000000),
		  ST(0xffffffff0000000a), 0xf, 0, 5, 0 },
		{ { -1, 0xa, TDXM_ANY_SUBLEAF, 3, 0x8608 }, ST(0xC000090000000000),
		  ST(0xffffffff0000000a), 0, ST(0x1f00000000), 0, ST(0x700000000) },
		/* linear address width */
		{ { -1, 0x80000008, TDXM_ANY_SUBLEAF, 0, 0x3034 }, ST(0xC000090000000000),
		  ST(0xffffffff80000008), 0xff00, 0, 0x3900, 0 },
		/* vendor */
		{ { -1, 0, TDXM_ANY_SUBLEAF, 1, 0x68747541 }, ST(0xC000090000000000),
		  ST(0xffffffff00000000), ST(0xffffffff00000000), UINT64_MAX,
		  ST(0x756e654700000000), ST(0x49656e696c65746e) },
		/* last leaves */
		{ { -1, 0, 0, 0, 0x1e }, ST(0xC00009080000001f), 0, 0, 0, 0, 0 },
		{ { -1, 0x80000000, 0, 0, 0x80000007 }, ST(0xC000090880000008), 0, 0, 0, 0, 0 },
		/* topology: a level type that does not ascend, one that is unknown, none */
		{ { -1, 0x1f, 1, 2, 0x101 }, ST(0xC000090400000000), 0, 0, 0, 0, 0 },
		{ { -1, 0x1f, 1, 2, 0x601 }, ST(0xC000090400000000), 0, 0, 0, 0, 0 },
		{ { -1, 0x1f, 0, 2, 0 }, ST(0xC000090800000000), 0, 0, 0, 0, 0 },
		{ { -1, 0x15, TDXM_ANY_SUBLEAF, 1, 0 }, ST(0xC000090800000015), 0, 0, 0, 0, 0 },
	};
	struct answer a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setup(NULL);
		platform.cpuid_quirks = &cases[i].quirk;
		platform.nr_cpuid_quirks = 1;
		up(TDXM_PENDING);
		a = seamcall(&machine, 0, SYS_INIT, 0, 7, 7, 7);
		assert_int_equal(a.r[TDXM_RAX], cases[i].rax);
		assert_int_equal(a.r[TDXM_RCX], cases[i].rcx);
		assert_int_equal(a.r[TDXM_RDX], cases[i].rdx);
		assert_int_equal(a.r[TDXM_R8], cases[i].r8);
		assert_int_equal(a.r[TDXM_R9], cases[i].r9);
		assert_int_equal(a.r[TDXM_R10], cases[i].r10);
		assert_int_equal(teardown(NULL), 0);
	}
}

static void test_bad_cmrs(void **state)
{
	static const struct tdxm_range bad[] = {
		{ ST(0xfffffffffffff000), 0x1000 },	/* ends at 2^64 */
		{ ST(1) << 46, 0x1000 },		/* KeyID bits */
		{ (ST(1) << 46) - 0x1000, 0x2000 },
		{ GIB(8) + 1, 0x1000 }, { GIB(8), 0x1001 },
		{ GIB(4) - 0x1000, 0x1000 },		/* before the one before */
		{ GIB(6) - 0x1000, 0x1000 },		/* overlaps it */
	};
	size_t i;

	(void)state;
	platform.nr_cmrs = 4;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		platform.cmrs[3] = bad[i];
		up(TDXM_PENDING);
		assert_int_equal(call(&machine, 0, SYS_INIT, 0, 0, 0), ST(0xC0000A2200000000));
		machine_stop(&machine);
	}
	platform.cmrs[3] = (struct tdxm_range){ GIB(6), 0x1000 };
	up(TDXM_INIT_DONE);
}

/* The platform's FMS and those behind it in the module's list */
static void test_allowed_fms(void **state)
{
	static const struct tdxm_fms_quirk fms[] = { { 0, 0xa06e5 }, { 1, 0xa06e3 }, { 2, 0xa06e1 } };
	static const struct tdxm_cpuid_quirk cpuid = { -1, 1, TDXM_ANY_SUBLEAF, 0, 0xa06e3 };

	(void)state;
	platform.packages = 2;
	platform.fms_quirks = fms;
	platform.nr_fms_quirks = 3;
	platform.cpuid_quirks = &cpuid;
	platform.nr_cpuid_quirks = 1;
	up(TDXM_INIT_DONE);
	assert_int_equal(rd(ST(0x9900000100000800)), 5);
	/* the smallest stepping of the two packages */
	assert_int_equal(rd(ST(0x9900000300000810)), 0xa06e3);
	assert_int_equal(rd(ST(0x9900000300000811)), 0xa06d0);
	assert_int_equal(rd(ST(0x9900000300000814)), 0x806f8);
	assert_int_equal(rd(ST(0x9900000300000815)), 0);
	assert_int_equal(rd(ST(0x0000000200000003)), 0xa06e1);
	assert_int_equal(rd(ST(0x0000000200000004)), 0x806f8);
}

/* Impossible in the same way as the recorded ones, but not recorded */
static void test_fatal_platforms(void **state)
{
	static const struct {
		struct tdxm_cpuid_quirk cpuid[2];
		struct tdxm_msr_quirk msr;
		uint64_t code;
	} cases[] = {
		/* topology: the core level's shift is below the SMT level's */
		{ { { -1, 0x1f, 1, 0, 0 }, { -1, 0x1f, 0, 0, 9 } }, { 0, 0, 0 }, ST(0xb02100000008) },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setup(NULL);
		platform.cpuid_quirks = cases[i].cpuid;
		platform.nr_cpuid_quirks = 2;
		up(TDXM_PENDING);
		assert_int_equal(seamcall(&machine, 0, SYS_INIT, 0, 0, 0, 0).exit, TDXM_FATAL);
		assert_int_equal(tdxm_fatal_code(machine.m), cases[i].code);
		assert_int_equal(teardown(NULL), 0);
	}
}

/* A CPU model that the module does not know: fatal when the list of models is read */
static void test_unknown_fms(void **state)
{
	static const struct tdxm_fms_quirk fms = { 0, 0x50650 };
	static const struct tdxm_cpuid_quirk cpuid = { -1, 1, TDXM_ANY_SUBLEAF, 0, 0x50650 };
	static const uint64_t fields[] = {
		ST(0x9900000100000800), ST(0x9900000300000811),
	};
	size_t i;

	(void)state;
	platform.fms_quirks = &fms;
	platform.nr_fms_quirks = 1;
	platform.cpuid_quirks = &cpuid;
	platform.nr_cpuid_quirks = 1;
	for (i = 0; i < 2; i++) {
		up(TDXM_INIT_DONE);
		assert_int_equal(rd(ST(0x9900000300000810)), 0x50650);
		assert_int_equal(seamcall(&machine, 0, SYS_RD, 0, fields[i], 0, 0).exit, TDXM_FATAL);
		machine_stop(&machine);
	}
	up(TDXM_INIT_DONE);
	assert_int_equal(seamcall(&machine, 0, SYS_RDALL, 0, INFO_PA, UINT64_MAX, 0).exit,
			 TDXM_FATAL);
}

/* Faults */

static void test_fault_counts(void **state)
{
	static const uint64_t want[] = { 0, SYS_BUSY, SYS_BUSY, 0, 0 };
	size_t i;

	(void)state;
	platform.faults[0] = (struct tdxm_fault){
		.leaf = SYS_LP_SHUTDOWN, .lp = TDXM_ALL_LPS, .nth = 2, .count = 2,
		.status = SYS_BUSY,
	};
	platform.nr_faults = 1;
	up(TDXM_PENDING);
	for (i = 0; i < 5; i++) {
		assert_int_equal(call(&machine, i % 2, SYS_LP_SHUTDOWN, 0, 0, 0), want[i]);
		/* other leaves neither count nor get it */
		assert_int_equal(call(&machine, 0, SYS_CONFIG, 0, 0, 0), ST(0xC000050C00000000));
	}
	assert_int_equal(tdxm_faults_hit(machine.m), 2);
}

static void test_fault_of_one_lp(void **state)
{
	(void)state;
	platform.faults[0] = (struct tdxm_fault){
		.leaf = TDXM_ANY_LEAF, .lp = 1, .nth = 1, .count = 0, .status = RND_NO_ENTROPY,
	};
	platform.nr_faults = 1;
	up(TDXM_PENDING);
	assert_int_equal(call(&machine, 0, SYS_INIT, 0, 0, 0), 0);
	assert_int_equal(call(&machine, 1, SYS_LP_INIT, 0, 0, 0), RND_NO_ENTROPY);
	assert_int_equal(call(&machine, 1, TDXM_SEAMLDR, INFO_PA, 0, 0), RND_NO_ENTROPY);
	assert_int_equal(call(&machine, 0, SYS_LP_INIT, 0, 0, 0), 0);
	assert_int_equal(call(&machine, 1, SYS_LP_INIT, 0, 0, 0), RND_NO_ENTROPY);
	assert_false(tdxm_lp_initialized(machine.m, 1));
}

/* An injected answer clears the outputs that the leaf clears */
static void test_fault_outputs(void **state)
{
	static const struct {
		uint64_t leaf;
		uint64_t rcx, rdx, r8, r9, r10;		/* 1: keeps its value */
	} cases[] = {
		{ SYS_INIT, 0, 0, 0, 0, 0 }, { SYS_LP_INIT, 0, 0, 0, 1, 1 },
		{ SYS_TDMR_INIT, 1, 0, 1, 1, 1 }, { SYS_INFO, 1, 0, 1, 0, 1 },
		{ SYS_CONFIG, 1, 1, 1, 1, 1 }, { SYS_RD, 1, UINT64_MAX, 0, 1, 1 },
		{ SYS_RDALL, 1, 1, UINT64_MAX, 1, 1 }, { 200, 1, 1, 1, 1, 1 },
		{ TDXM_SEAMLDR, 1, 1, 1, 1, 1 },
	};
	struct answer a;
	size_t i;

	(void)state;
	platform.faults[0] = (struct tdxm_fault){
		.leaf = TDXM_ANY_LEAF, .lp = TDXM_ALL_LPS, .nth = 1, .status = SYS_BUSY,
	};
	platform.nr_faults = 1;
	up(TDXM_PENDING);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		a = seamcall(&machine, 0, cases[i].leaf, 21, 22, 28, 29);
		assert_int_equal(a.exit, TDXM_DONE);
		assert_int_equal(a.r[TDXM_RAX], SYS_BUSY);
		assert_int_equal(a.r[TDXM_RCX], cases[i].rcx == 1 ? 21 : cases[i].rcx);
		assert_int_equal(a.r[TDXM_RDX], cases[i].rdx == 1 ? 22 : cases[i].rdx);
		assert_int_equal(a.r[TDXM_R8], cases[i].r8 == 1 ? 28 : cases[i].r8);
		assert_int_equal(a.r[TDXM_R9], cases[i].r9 == 1 ? 29 : cases[i].r9);
		assert_int_equal(a.r[TDXM_R10], cases[i].r10 == 1 ?
				 UINT64_C(0x1111111111111111) * TDXM_R10 : cases[i].r10);
	}
}

static void test_fault_exits(void **state)
{
	static const enum tdxm_exit exits[] = { TDXM_VMFAIL_INVALID, TDXM_GP, TDXM_UD, TDXM_FATAL };
	struct tdxm_fault f = { .leaf = SYS_INIT, .lp = TDXM_ALL_LPS, .nth = 1, .count = 1 };
	struct answer a;
	size_t i;

	(void)state;
	up(TDXM_PENDING);
	for (i = 0; i < 4; i++) {
		f.exit = exits[i];
		assert_true(tdxm_set_faults(machine.m, &f, 1));
		a = seamcall(&machine, 0, SYS_INIT, 3, 0, 0, 0);
		assert_int_equal(a.exit, exits[i]);
		assert_int_equal(a.r[TDXM_RAX], SYS_INIT);
		assert_int_equal(a.r[TDXM_RCX], 3);
	}
	/* the last one ended the module */
	assert_int_equal(tdxm_state(machine.m), TDXM_STOPPED);
	assert_int_equal(seamcall(&machine, 0, SYS_INIT, 0, 0, 0, 0).exit, TDXM_VMFAIL_INVALID);
}

static void test_faults_at_run_time(void **state)
{
	struct tdxm_fault f[TDXM_MAX_FAULTS + 1];
	size_t i;

	(void)state;
	for (i = 0; i <= TDXM_MAX_FAULTS; i++)
		f[i] = (struct tdxm_fault){
			.leaf = SYS_LP_SHUTDOWN, .lp = TDXM_ALL_LPS, .nth = i + 1, .count = 1,
			.status = SYS_BUSY | i,
		};
	up(TDXM_PENDING);
	assert_false(tdxm_set_faults(machine.m, f, TDXM_MAX_FAULTS + 1));
	assert_int_equal(call(&machine, 0, SYS_LP_SHUTDOWN, 0, 0, 0), 0);
	assert_true(tdxm_set_faults(machine.m, f, TDXM_MAX_FAULTS));
	for (i = 0; i < TDXM_MAX_FAULTS; i++)
		assert_int_equal(call(&machine, 0, SYS_LP_SHUTDOWN, 0, 0, 0), SYS_BUSY | i);
	assert_int_equal(call(&machine, 0, SYS_LP_SHUTDOWN, 0, 0, 0), 0);
	/* again from the first call */
	assert_true(tdxm_set_faults(machine.m, f, 1));
	assert_int_equal(call(&machine, 0, SYS_LP_SHUTDOWN, 0, 0, 0), SYS_BUSY);
	assert_true(tdxm_set_faults(machine.m, NULL, 0));
	assert_int_equal(call(&machine, 0, SYS_LP_SHUTDOWN, 0, 0, 0), 0);
	assert_int_equal(tdxm_faults_hit(machine.m), TDXM_MAX_FAULTS + 1);
}

/* Every fault counts every call, also those that another fault answers */
static void test_faults_count_alike(void **state)
{
	static const uint64_t want[] = { 1, 2, 0 };
	size_t i;

	(void)state;
	platform.faults[0] = (struct tdxm_fault){
		.leaf = SYS_LP_SHUTDOWN, .lp = TDXM_ALL_LPS, .nth = 1, .count = 1, .status = 1,
	};
	platform.faults[1] = (struct tdxm_fault){
		.leaf = TDXM_ANY_LEAF, .lp = TDXM_ALL_LPS, .nth = 1, .count = 2, .status = 2,
	};
	platform.nr_faults = 2;
	up(TDXM_PENDING);
	for (i = 0; i < 3; i++)
		assert_int_equal(call(&machine, 0, SYS_LP_SHUTDOWN, 0, 0, 0), want[i]);
}

/* Nonsense */

/* Answers of one bring-up that have nothing to do with the truth; a sum of all of them */
static unsigned int lies_of(uint64_t seed, uint64_t *sum)
{
	unsigned int lies = 0, i;
	uint64_t info[32];
	struct answer a;

	platform.hostile = 0;
	up(TDXM_READY);
	tdxm_set_hostile(machine.m, seed);
	*sum = 0;
	for (i = 0; i < 200; i++) {
		a = seamcall(&machine, 0, SYS_RD, 0, UINT64_C(0x9100000100000008), 0, 0);
		assert_int_equal(a.r[TDXM_RAX], 0);
		lies += a.r[TDXM_R8] != TDXM_MAX_TDMRS;
		*sum = *sum * 31 + a.r[TDXM_R8];
	}
	a = seamcall(&machine, 0, TDXM_SEAMLDR, INFO_PA, 0, 0, 0);
	assert_int_equal(a.r[TDXM_RAX], 0);
	mem_read(&machine.mem, INFO_PA, info, sizeof(info));
	for (i = 0; i < 32; i++)
		*sum = *sum * 31 + info[i];
	a = seamcall(&machine, 0, SYS_INFO, INFO_PA, 1024, CMR_PA, 32);
	assert_int_equal(a.r[TDXM_RAX], 0);
	*sum = *sum * 31 + a.r[TDXM_R9];
	/* What is refused is refused truly, and what is not a report is done */
	assert_int_equal(call(&machine, 0, SYS_INIT, 0, 0, 0), UINT64_C(0xc000050000000000));
	return lies;
}

static void test_hostile(void **state)
{
	uint64_t first, again, other, truth;

	(void)state;
	assert_true(lies_of(1, &first) > 0);
	machine_stop(&machine);
	assert_true(lies_of(1, &again) > 0);
	assert_int_equal(first, again);
	machine_stop(&machine);
	assert_true(lies_of(2, &other) > 0);
	assert_int_not_equal(first, other);
	machine_stop(&machine);
	assert_int_equal(lies_of(0, &truth), 0);
}

static void claim(const char *name, uint32_t element, uint64_t value)
{
	struct tdxm_claim *claim = &platform.claims[platform.nr_claims++];
	uint32_t elements, bytes;

	assert_true(tdxm_field_by_name(name, &claim->field, &elements, &bytes));
	claim->element = element;
	claim->value = value;
}

static uint64_t sys_rd(uint64_t id)
{
	struct answer a = seamcall(&machine, 0, SYS_RD, 0, id, 0, 0);

	assert_int_equal(a.r[TDXM_RAX], 0);
	return a.r[TDXM_R8];
}

/* A lie is in every leaf that reports the element, and nowhere else */
static void test_claims(void **state)
{
	uint16_t limits[2];
	uint64_t cmr[4];
	struct answer a;

	(void)state;
	claim("MAX_TDMRS", 0, 7);
	claim("MAX_TDMRS", 0, 0);
	claim("CMR_BASE", 1, 0x123000);
	claim("NUM_CMRS", 0, 1000);
	/* TDMRs are configured as if nothing were wrong. */
	up(TDXM_READY);

	assert_int_equal(sys_rd(UINT64_C(0x9100000100000008)), 0);
	assert_int_equal(sys_rd(UINT64_C(0x9100000100000009)), TDXM_MAX_RESERVED);
	assert_int_equal(sys_rd(UINT64_C(0x9000000300000080)), platform.cmrs[0].base);
	assert_int_equal(sys_rd(UINT64_C(0x9000000300000081)), 0x123000);
	assert_int_equal(sys_rd(UINT64_C(0x9000000100000000)), 1000);

	a = seamcall(&machine, 0, SYS_INFO, INFO_PA, 1024, CMR_PA, 32);
	assert_int_equal(a.r[TDXM_RAX], 0);
	assert_int_equal(a.r[TDXM_R9], 1000);
	mem_read(&machine.mem, INFO_PA + 32, limits, sizeof(limits));
	assert_int_equal(limits[0], 0);
	assert_int_equal(limits[1], TDXM_MAX_RESERVED);
	mem_read(&machine.mem, CMR_PA, cmr, sizeof(cmr));
	assert_int_equal(cmr[0], platform.cmrs[0].base);
	assert_int_equal(cmr[2], 0x123000);
	assert_int_equal(cmr[3], platform.cmrs[1].size);
}

/* How far TDH.SYS.TDMR.INIT is said to be is nonsense at times; how far it is, is not */
static void test_hostile_tdmr_init(void **state)
{
	struct tdxm_tdmr_info info;
	unsigned int i, lies = 0;
	struct answer a;

	(void)state;
	up(TDXM_READY);
	tdxm_set_hostile(machine.m, 1);
	for (i = 1; i < INIT_CALLS_PER_GIB; i++) {
		a = seamcall(&machine, 0, SYS_TDMR_INIT, GIB(4), 0, 0, 0);
		assert_int_equal(a.r[TDXM_RAX], 0);
		lies += a.r[TDXM_RDX] != GIB(4);
	}
	assert_in_range(lies, 1, 32);
	assert_true(tdxm_tdmr(machine.m, 0, &info));
	assert_int_equal(info.initialized, GIB(1) / INIT_CALLS_PER_GIB * (INIT_CALLS_PER_GIB - 1));
}

/* Latency */

static uint64_t waited, other_leaf, other_status;

static void wait_and_call(struct machine *mach, unsigned int lp, uint64_t ns)
{
	if (lp == 1)
		return;
	waited += ns;
	other_status = call(mach, 1, other_leaf, GIB(4), 0, 0);
}

static void test_latency(void **state)
{
	(void)state;
	platform.latency_ns[SYS_KEY_CONFIG] = 5000;
	platform.latency_ns[SYS_TDMR_INIT] = 300;
	platform.latency_ns[SYS_LP_SHUTDOWN] = 70;
	machine.delay = wait_and_call;
	waited = 0;
	up(TDXM_CONFIG_DONE);
	assert_int_equal(waited, 0);

	/* the lock of a leaf is held while it takes its time */
	other_leaf = SYS_CONFIG;
	assert_int_equal(call(&machine, 0, SYS_KEY_CONFIG, 0, 0, 0), 0);
	assert_int_equal(waited, 5000);
	assert_int_equal(other_status, SYS_BUSY);
	other_leaf = SYS_TDMR_INIT;
	assert_int_equal(call(&machine, 0, SYS_TDMR_INIT, GIB(4), 0, 0), 0);
	assert_int_equal(waited, 5300);
	assert_int_equal(other_status, OPERAND_BUSY | RCX);
	assert_int_equal(call(&machine, 0, SYS_LP_SHUTDOWN, 0, 0, 0), 0);
	assert_int_equal(waited, 5370);
	assert_int_equal(other_status, 0);
}

/* Locks, held by another LP at an event */

static struct nested_call {
	enum tdxm_event at;
	uint64_t leaf, rcx, rdx, status;
	unsigned int lp;
} nested;

static void make_nested_call(struct machine *mach, unsigned int lp, enum tdxm_event ev)
{
	if (lp == nested.lp || ev != nested.at)
		return;
	nested.at = TDXM_NR_EVENTS;
	nested.status = call(mach, nested.lp, nested.leaf, nested.rcx, nested.rdx, 0);
}

static uint64_t call_inside(enum tdxm_event at, uint64_t outer, uint64_t outer_rcx, uint64_t leaf,
			    uint64_t rcx, uint64_t rdx)
{
	nested = (struct nested_call){ at, leaf, rcx, rdx, UINT64_MAX, 1 };
	machine.event = make_nested_call;
	assert_int_equal(call(&machine, 0, outer, outer_rcx, 0, 0), 0);
	machine.event = NULL;
	assert_int_equal(nested.at, TDXM_NR_EVENTS);
	return nested.status;
}

static void test_td_locks(void **state)
{
	(void)state;
	up_with_memory();
	create_td();
	/* MNG.KEY.CONFIG runs PCONFIG with the TDR in its hands */
	assert_int_equal(call_inside(TDXM_EV_PCONFIG, MNG_KEY_CONFIG, TDR, MNG_ADDCX, TDCX(0), TDR),
			 OPERAND_BUSY | RDX);
	assert_int_equal(call(&machine, 0, MNG_CREATE, TDR + 0x1000, KEYID + 1, 0), 0);
	assert_int_equal(call_inside(TDXM_EV_PCONFIG, MNG_KEY_CONFIG, TDR + 0x1000,
				     PHYMEM_PAGE_RECLAIM, TDR + 0x1000, 0), OPERAND_BUSY | RCX);
	assert_int_equal(call(&machine, 0, MNG_CREATE, TDR + 0x2000, KEYID + 2, 0), 0);
	assert_int_equal(call_inside(TDXM_EV_PCONFIG, MNG_KEY_CONFIG, TDR + 0x2000,
				     PHYMEM_PAGE_RDMD, TDR + 0x2000, 0), OPERAND_BUSY | RCX);
	/* one PCONFIG a package */
	assert_int_equal(call(&machine, 0, MNG_CREATE, TDR + 0x3000, KEYID + 3, 0), 0);
	assert_int_equal(call(&machine, 0, MNG_CREATE, TDR + 0x4000, KEYID + 4, 0), 0);
	assert_int_equal(call_inside(TDXM_EV_PCONFIG, MNG_KEY_CONFIG, TDR + 0x3000,
				     MNG_KEY_CONFIG, TDR + 0x4000, 0), OPERAND_BUSY | KET);
	assert_int_equal(call_inside(TDXM_EV_PCONFIG, MNG_KEY_CONFIG, TDR + 0x4000,
				     PHYMEM_PAGE_WBINVD, TDR, 0), PAGE_METADATA_INCORRECT | RCX);
}

static void test_child_page_of_busy_td(void **state)
{
	(void)state;
	platform.packages = 2;
	up_with_memory();
	create_td();
	assert_int_equal(call(&machine, 0, MNG_KEY_CONFIG, TDR, 0, 0), 0);
	assert_int_equal(call(&machine, 1, MNG_KEY_CONFIG, TDR, 0, 0), 0);
	assert_int_equal(call(&machine, 0, MNG_ADDCX, TDCX(0), TDR, 0), 0);
	/* the owner is looked at first, and no other leaf holds a TDR over an event now */
	assert_int_equal(call(&machine, 0, PHYMEM_PAGE_RECLAIM, TDCX(0), 0, 0), LIFECYCLE_INCORRECT);
}

static void test_shutdown_waits_for_nobody(void **state)
{
	(void)state;
	up(TDXM_READY);
	assert_int_equal(call_inside(TDXM_EV_MOVDIR64B, SYS_TDMR_INIT, GIB(4), SYS_SHUTDOWN, 0, 0),
			 SYS_BUSY);
	assert_int_equal(tdxm_state(machine.m), TDXM_READY);
	assert_int_equal(call(&machine, 1, SYS_SHUTDOWN, 0, 0, 0), 0);
}

/* The module comes to its end between the dispatcher and the handler: there are no two ends */
static void test_shutdown_too_late(void **state)
{
	static const struct tdxm_fault fatal = {
		.leaf = SYS_RD, .lp = 1, .nth = 1, .count = 1, .exit = TDXM_FATAL,
	};

	(void)state;
	up(TDXM_READY);
	assert_true(tdxm_set_faults(machine.m, &fatal, 1));
	owned_bytes = 0;
	machine.page_owner = count_owned;
	nested = (struct nested_call){ TDXM_EV_LOCK, SYS_RD, 0, 0, 0, 1 };
	machine.event = make_nested_call;
	assert_int_equal(call(&machine, 0, SYS_SHUTDOWN, 0, 0, 0), SYS_SHUTDOWN_STATUS);
	assert_int_equal(nested.status, UINT64_MAX);
	assert_int_equal(tdxm_state(machine.m), TDXM_STOPPED);
	assert_int_equal(owned_bytes, 0);
}

/* Module 1.0: LP.SHUTDOWN in the middle of another leaf. The state does not go back. */
static void test_lp_shutdown_inside_config(void **state)
{
	(void)state;
	assert_true(tdxm_module_by_name(&platform.module, "1.0"));
	up(TDXM_INIT_DONE);
	put_tdmr(&machine, 0, GIB(4), GIB(1), PAMT_PA);
	nested = (struct nested_call){ TDXM_EV_KEYHOLE, SYS_LP_SHUTDOWN, 0, 0, UINT64_MAX, 1 };
	machine.event = make_nested_call;
	assert_int_equal(call(&machine, 0, SYS_CONFIG, POINTERS_PA, 1, GLOBAL_KEYID),
			 SYS_SHUTDOWN_STATUS);
	assert_int_equal(nested.status, 0);
	assert_int_equal(tdxm_state(machine.m), TDXM_SHUTDOWN);
}

/* Memory */

static void test_out_of_memory(void **state)
{
	unsigned int n;

	(void)state;
	for (n = 1; ; n++) {
		machine.alloc_fail = n;
		if (machine_start(&machine, &platform))
			break;
		assert_int_equal(machine.allocated, 0);
	}
	assert_int_equal(n, 4);
	machine_stop(&machine);
	machine.alloc_fail = 0;

	/* faults: at the start, and at run time, when the old ones stay */
	platform.faults[0] = (struct tdxm_fault){
		.leaf = SYS_LP_SHUTDOWN, .lp = TDXM_ALL_LPS, .nth = 2, .status = SYS_BUSY,
	};
	platform.nr_faults = 1;
	machine.alloc_fail = 4;
	assert_null(machine_start(&machine, &platform));
	assert_int_equal(machine.allocated, 0);
	up(TDXM_PENDING);
	machine.alloc_fail = 1;
	assert_false(tdxm_set_faults(machine.m, platform.faults, 1));
	assert_int_equal(call(&machine, 0, SYS_LP_SHUTDOWN, 0, 0, 0), 0);
	assert_int_equal(call(&machine, 0, SYS_LP_SHUTDOWN, 0, 0, 0), SYS_BUSY);
	assert_true(tdxm_set_faults(machine.m, NULL, 0));
	assert_int_equal(call(&machine, 0, SYS_LP_SHUTDOWN, 0, 0, 0), 0);
	machine_stop(&machine);
	platform.nr_faults = 0;

	/* CONFIG with two TDMRs, the second one finds no memory */
	up(TDXM_INIT_DONE);
	put_tdmr(&machine, 0, GIB(4), GIB(1), PAMT_PA);
	put_tdmr(&machine, 1, GIB(5), GIB(1), PAMT_PA + MIB(16));
	for (n = 1; n <= 2; n++) {
		machine.alloc_fail = n;
		assert_int_equal(call(&machine, 0, SYS_CONFIG, POINTERS_PA, 2, GLOBAL_KEYID), SYS_BUSY);
		assert_int_equal(tdxm_state(machine.m), TDXM_INIT_DONE);
	}
	assert_int_equal(call(&machine, 0, SYS_CONFIG, POINTERS_PA, 2, GLOBAL_KEYID), 0);
	machine_stop(&machine);

	up_with_memory();
	machine.alloc_fail = 1;
	assert_int_equal(call(&machine, 0, MNG_CREATE, TDR, KEYID, 0), OPERAND_BUSY | RCX);
	machine.alloc_fail = 2;
	assert_int_equal(call(&machine, 0, MNG_CREATE, TDR, KEYID, 0), OPERAND_BUSY | RCX);
	machine.alloc_fail = 2;
	assert_int_equal(call(&machine, 0, MNG_CREATE, TDR, KEYID, 0), RND_NO_ENTROPY);
	machine.alloc_fail = 0;
	assert_int_equal(call(&machine, 0, MNG_CREATE, TDR, KEYID, 0), 0);
}

static void test_no_ram(void **state)
{
	(void)state;
	machine.top = GIB(6);
	up(TDXM_INIT_DONE);
	/* pointers of all-ones, then a TDMR_INFO of all-ones */
	assert_int_equal(call(&machine, 0, SYS_CONFIG, GIB(8), 1, GLOBAL_KEYID),
			 OPERAND_INVALID | RCX);
	mem_write(&machine.mem, POINTERS_PA, &(uint64_t){ GIB(8) }, 8);
	assert_int_equal(call(&machine, 0, SYS_CONFIG, POINTERS_PA, 1, GLOBAL_KEYID),
			 ST(0xC0000A0000000000));
}

/* A TiB: what the model keeps of it is small */
static void test_big_platform(void **state)
{
	unsigned int i;
	size_t before;

	(void)state;
	platform.nr_cmrs = 2;
	platform.cmrs[1] = (struct tdxm_range){ GIB(4), GIB(2048) };
	assert_non_null(machine_start(&machine, &platform));
	assert_int_equal(call(&machine, 0, SYS_INIT, 0, 0, 0), 0);
	assert_int_equal(call(&machine, 0, SYS_LP_INIT, 0, 0, 0), 0);
	assert_int_equal(call(&machine, 1, SYS_LP_INIT, 0, 0, 0), 0);
	put_tdmr(&machine, 0, GIB(4), GIB(1024), GIB(1100));
	assert_int_equal(call(&machine, 0, SYS_CONFIG, POINTERS_PA, 1, GLOBAL_KEYID), 0);
	assert_int_equal(call(&machine, 0, SYS_KEY_CONFIG, 0, 0, 0), 0);
	assert_int_equal(init_tdmr(&machine, 0, GIB(4)), 0);
	assert_true(machine.peak < 256 << 10);

	/* reading metadata costs nothing, a TD a chunk */
	before = machine.allocated;
	for (i = 0; i < 1024; i++)
		assert_int_equal(call(&machine, 0, PHYMEM_PAGE_RDMD, GIB(4) + GIB(i), 0, 0), 0);
	assert_int_equal(machine.allocated, before);
	assert_int_equal(call(&machine, 0, MNG_CREATE, GIB(999), KEYID, 0), 0);
	assert_true(machine.allocated - before < 32 << 10);
}

/* TDs beyond what was recorded */

static void test_tdcx_limit(void **state)
{
	unsigned int i;

	(void)state;
	up_with_memory();
	configure_td();
	for (i = 0; i < 9; i++)
		assert_int_equal(call(&machine, 0, MNG_ADDCX, TDCX(i), TDR, 0), 0);
	assert_int_equal(call(&machine, 0, MNG_ADDCX, TDCX(9), TDR, 0), TDCX_NUM_INCORRECT);
}

static void test_key_config_of_td(void **state)
{
	static const struct tdxm_pconfig_quirk fails[] = { { 1, 1, 2 } };

	(void)state;
	platform.packages = 2;
	up_with_memory();
	create_td();
	assert_int_equal(call(&machine, 0, MNG_KEY_CONFIG, TDR, 0, 0), 0);
	assert_int_equal(call(&machine, 0, MNG_KEY_CONFIG, TDR, 0, 0), KEY_CONFIGURED);
	assert_int_equal(call(&machine, 0, MNG_ADDCX, TDCX(0), TDR, 0), KEYS_NOT_CONFIGURED);
	assert_int_equal(call(&machine, 1, MNG_KEY_CONFIG, TDR, 0, 0), 0);
	assert_int_equal(call(&machine, 1, MNG_KEY_CONFIG, TDR, 0, 0), LIFECYCLE_INCORRECT);
	machine_stop(&machine);

	/* on package 1 the first PCONFIG has no entropy, an unknown error stops the module */
	platform.pconfig_quirks = fails;
	platform.nr_pconfig_quirks = 1;
	up(TDXM_CONFIG_DONE);
	assert_int_equal(call(&machine, 0, SYS_KEY_CONFIG, 0, 0, 0), 0);
	assert_int_equal(call(&machine, 1, SYS_KEY_CONFIG, 0, 0, 0), KEY_GENERATION_FAILED);
	assert_int_equal(call(&machine, 1, SYS_KEY_CONFIG, 0, 0, 0), 0);
	assert_int_equal(tdxm_state(machine.m), TDXM_READY);
}

/*
 * The table says one socket, the platform has two packages: the second one can
 * get the key of a TD, but not that of the module, and the TD does not need it.
 */
static void test_key_on_package_without_module_key(void **state)
{
	(void)state;
	platform.packages = 2;
	platform.num_sockets = 1;
	up_with_memory();
	assert_false(tdxm_package_has_key(machine.m, 1));
	create_td();
	assert_int_equal(call(&machine, 1, MNG_KEY_CONFIG, TDR, 0, 0), 0);
	assert_int_equal(call(&machine, 0, MNG_ADDCX, TDCX(0), TDR, 0), KEYS_NOT_CONFIGURED);
	assert_int_equal(call(&machine, 0, MNG_KEY_CONFIG, TDR, 0, 0), 0);
	assert_int_equal(call(&machine, 0, MNG_ADDCX, TDCX(0), TDR, 0), 0);
}

static void test_leaves_of_built_tds(void **state)
{
	static const struct {
		uint64_t leaf;
		bool in_rdx;
	} tds[] = { { 21, false }, { 2, true }, { 38, false }, { 10, true }, { 72, false }, { 48, false } };
	static const struct {
		uint64_t leaf;
		bool in_rdx;
	} vps[] = { { 0, false }, { 4, true }, { 18, false }, { 26, false } };
	unsigned int i;

	(void)state;
	up_with_memory();
	create_td();
	for (i = 0; i < 6; i++)
		assert_int_equal(call(&machine, 0, tds[i].leaf, tds[i].in_rdx ? 0 : TDR,
				      tds[i].in_rdx ? TDR : 0, 0), KEYS_NOT_CONFIGURED);
	assert_int_equal(call(&machine, 0, MNG_KEY_CONFIG, TDR, 0, 0), 0);
	assert_int_equal(call(&machine, 0, 21, TDR, 0, 0), TDCS_NOT_ALLOCATED);
	for (i = 0; i < 6; i++)
		assert_int_equal(call(&machine, 0, MNG_ADDCX, TDCX(i), TDR, 0), 0);
	assert_int_equal(call(&machine, 0, 21, TDR, 0, 0), OP_STATE_INCORRECT);
	for (i = 0; i < 4; i++)
		assert_int_equal(call(&machine, 0, vps[i].leaf, vps[i].in_rdx ? 0 : TDR,
				      vps[i].in_rdx ? TDR : 0, 0),
				 PAGE_METADATA_INCORRECT | (vps[i].in_rdx ? RDX : RCX));
	assert_int_equal(call(&machine, 0, 48, TDR, TDR, 0), OPERAND_INVALID | RDX);
	/* a version that no module has */
	assert_int_equal(call(&machine, 0, 0x20003, 0, TDR, 0), OPERAND_INVALID | RAX);
}

static void test_reclaim_out_of_order(void **state)
{
	(void)state;
	up_with_memory();
	configure_td();
	assert_int_equal(call(&machine, 0, MNG_ADDCX, TDCX(0), TDR, 0), 0);
	assert_int_equal(call(&machine, 0, MNG_VPFLUSHDONE, TDR, 0, 0), 0);
	assert_int_equal(call(&machine, 0, MNG_VPFLUSHDONE, TDR, 0, 0), LIFECYCLE_INCORRECT);
	assert_int_equal(call(&machine, 0, MNG_KEY_FREEID, TDR, 0, 0), WBCACHE_NOT_COMPLETE);
	assert_int_equal(call(&machine, 0, PHYMEM_CACHE_WB, 0, 0, 0), 0);
	assert_int_equal(call(&machine, 0, MNG_KEY_FREEID, TDR, 0, 0), 0);
	assert_int_equal(call(&machine, 0, PHYMEM_PAGE_RECLAIM, TDR, 0, 0), ASSOCIATED_PAGES_EXIST);
	assert_int_equal(call(&machine, 0, PHYMEM_PAGE_RECLAIM, TDCX(0), 0, 0), 0);
	assert_int_equal(call(&machine, 0, PHYMEM_PAGE_RECLAIM, TDR, 0, 0), 0);
	/* the KeyID can be used again */
	configure_td();
}

static bool machine_intr_pending;

static bool op_intr_pending(void *opaque, unsigned int lp)
{
	(void)opaque;
	(void)lp;
	return machine_intr_pending;
}

static void *op_alloc(void *opaque, size_t size)
{
	(void)opaque;
	return calloc(1, size);
}

static void op_free(void *opaque, void *p, size_t size)
{
	(void)opaque;
	(void)size;
	free(p);
}

static bool op_read(void *opaque, uint64_t pa, void *buf, size_t len)
{
	mem_read(opaque, pa, buf, len);
	return true;
}

static bool op_write(void *opaque, uint64_t pa, const void *buf, size_t len)
{
	mem_write(opaque, pa, buf, len);
	return true;
}

/* Only what is demanded of the machine, and then interrupts of the machine's */
static void test_least_ops(void **state)
{
	struct tdxm_ops ops = { .alloc = op_alloc, .free = op_free, .mem_read = op_read,
				.mem_write = op_write };
	int with_intr;

	(void)state;
	for (with_intr = 0; with_intr < 2; with_intr++) {
		setup(NULL);
		platform.latency_ns[SYS_INIT] = 1;
		ops.intr_pending = with_intr ? op_intr_pending : NULL;
		machine.m = tdxm_new(&platform, &ops, &machine.mem);
		assert_non_null(machine.m);
		pthread_mutex_init(&machine.mem.lock, NULL);
		assert_int_equal(call(&machine, 0, SYS_INIT, 0, 0, 0), 0);
		assert_int_equal(call(&machine, 0, SYS_LP_INIT, 0, 0, 0), 0);
		assert_int_equal(call(&machine, 1, SYS_LP_INIT, 0, 0, 0), 0);
		put_tdmr(&machine, 0, GIB(4), GIB(1), PAMT_PA);
		assert_int_equal(call(&machine, 0, SYS_CONFIG, POINTERS_PA, 1, GLOBAL_KEYID), 0);
		assert_int_equal(call(&machine, 0, SYS_KEY_CONFIG, 0, 0, 0), 0);
		assert_int_equal(init_tdmr(&machine, 0, GIB(4)), 0);
		configure_td();
		assert_int_equal(call(&machine, 0, MNG_VPFLUSHDONE, TDR, 0, 0), 0);
		machine_intr_pending = true;
		assert_int_equal(call(&machine, 0, PHYMEM_CACHE_WB, 0, 0, 0),
				 with_intr ? ST(0x8000000300000000) : 0);
		machine_intr_pending = false;
		assert_int_equal(call(&machine, 0, PHYMEM_CACHE_WB, 1, 0, 0),
				 with_intr ? 0 : ST(0xC000082300000000));
		assert_int_equal(call(&machine, 0, SYS_SHUTDOWN, 0, 0, 0), 0);
		machine_stop(&machine);
	}
}

/* Names */

static void test_names(void **state)
{
	uint64_t v;

	(void)state;
	assert_string_equal(tdxm_leaf_name(33), "TDH.SYS.INIT");
	assert_string_equal(tdxm_leaf_name(36), "TDH.SYS.TDMR.INIT");
	assert_null(tdxm_leaf_name(5));
	assert_string_equal(tdxm_seamldr_leaf_name(0), "SEAMLDR.INFO");
	assert_null(tdxm_seamldr_leaf_name(5));
	assert_string_equal(tdxm_status_name(0), "TDX_SUCCESS");
	assert_string_equal(tdxm_status_name(ST(0xc000092100000122)), "TDX_INCORRECT_MSR_VALUE");
	assert_string_equal(tdxm_status_name(UINT64_MAX), "UNINITIALIZE_ERROR");
	assert_null(tdxm_status_name(ST(0xc0000fff00000000)));
	assert_string_equal(tdxm_operand_name(69), "CPUID_CONFIG");
	assert_null(tdxm_operand_name(1000));
	assert_true(tdxm_leaf_by_name("TDH.SYS.KEY.CONFIG", &v));
	assert_int_equal(v, 31);
	assert_true(tdxm_leaf_by_name("SEAMLDR.INSTALL", &v));
	assert_int_equal(v, TDXM_SEAMLDR | 1);
	assert_false(tdxm_leaf_by_name("TDH.SYS", &v));
	assert_true(tdxm_status_by_name("TDX_SYS_BUSY", &v));
	assert_int_equal(v, SYS_BUSY);
	assert_false(tdxm_status_by_name("TDX_BUSY", &v));
	assert_string_equal(tdxm_state_name(TDXM_READY), "READY");
	assert_string_equal(tdxm_state_name(TDXM_NOT_LOADED), "NOT_LOADED");
	assert_null(tdxm_state_name(100));
}

static void test_rd_needs_lp_init(void **state)
{
	struct answer a;

	(void)state;
	up(TDXM_PENDING);
	assert_int_equal(call(&machine, 0, SYS_INIT, 0, 0, 0), 0);
	a = seamcall(&machine, 0, SYS_RD, 0, UINT64_MAX, 9, 0);
	assert_int_equal(a.r[TDXM_RAX], LP_INIT_NOT_DONE);
	assert_int_equal(a.r[TDXM_RDX], UINT64_MAX);
	assert_int_equal(a.r[TDXM_R8], 0);
	assert_int_equal(call(&machine, 0, SYS_LP_INIT, 0, 0, 0), 0);
	a = seamcall(&machine, 0, SYS_RD, 0, UINT64_MAX, 9, 0);
	assert_int_equal(a.r[TDXM_RAX], FIRST_FIELD);
	assert_int_equal(a.r[TDXM_RDX], ST(0x0000000200000000));
	(void)KOT;
	(void)WBCACHE;
}

/* RDALL, as RD, does not look at the context of a field id: -1 with any context is the start */
static void test_rdall_ignores_context(void **state)
{
	uint64_t context, header;

	(void)state;
	up(TDXM_READY);
	for (context = 0; context < 8; context++) {
		mem_write(&machine.mem, INFO_PA, &(uint64_t){ 0 }, 8);
		assert_int_equal(call(&machine, 0, SYS_RDALL, 0, INFO_PA,
				      UINT64_MAX ^ context << 52), 0);
		mem_read(&machine.mem, INFO_PA, &header, sizeof(header));
		assert_int_equal(header, 0xc38 | 36 << 16);
	}
	assert_int_equal(call(&machine, 0, SYS_RDALL, 0, INFO_PA, UINT64_MAX ^ ST(1) << 56),
			 FIELD_ID_INCORRECT);
}

/* LP.INIT does not keep a package id that it refuses: the LP keys the package it had before */
static void test_refused_package_id(void **state)
{
	const struct tdxm_cpuid_quirk far_away = { 2, 0x1f, 0, 3, 40 << 7 };
	unsigned int lp;

	(void)state;
	platform.lps = 3;
	platform.num_lps = 2;
	platform.cpuid_quirks = &far_away;
	platform.nr_cpuid_quirks = 1;
	assert_non_null(machine_start(&machine, &platform));
	assert_int_equal(call(&machine, 2, SYS_INIT, 0, 0, 0), 0);
	for (lp = 0; lp < 3; lp++)
		assert_int_equal(call(&machine, lp, SYS_LP_INIT, 0, 0, 0),
				 lp < 2 ? 0 : INVALID_PKG_ID | 40);
	put_tdmr(&machine, 0, GIB(4), GIB(1), PAMT_PA);
	assert_int_equal(call(&machine, 0, SYS_CONFIG, POINTERS_PA, 1, GLOBAL_KEYID), 0);
	assert_int_equal(call(&machine, 2, SYS_KEY_CONFIG, 0, 0, 0), 0);
	assert_int_equal(tdxm_state(machine.m), TDXM_READY);
	assert_true(tdxm_package_has_key(machine.m, 0));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_bring_up), T(test_platforms_refused), T(test_no_such_lp), T(test_kinds),
		T(test_seamops_bit_of_features0), T(test_module_1_0),
		T(test_module_1_5_info_has_rd_flag), T(test_lp_shutdown_1_0),
		T(test_lp_shutdown_1_5_does_nothing), T(test_shutdown_1_5), T(test_rbp),
		T(test_not_loaded), T(test_seamldr_info), T(test_seamldr_refuses),
		T(test_seamldr_busy), T(test_seamrr), T(test_cpu_view),
		T(test_tsc_without_ratio_is_fatal), T(test_cpuid_refusals), T(test_bad_cmrs),
		T(test_allowed_fms), T(test_fatal_platforms), T(test_unknown_fms),
		T(test_fault_counts), T(test_fault_of_one_lp), T(test_fault_outputs),
		T(test_fault_exits), T(test_faults_at_run_time), T(test_faults_count_alike), T(test_hostile),
		T(test_hostile_tdmr_init), T(test_claims),
		T(test_latency), T(test_td_locks), T(test_child_page_of_busy_td),
		T(test_shutdown_waits_for_nobody), T(test_shutdown_too_late),
		T(test_lp_shutdown_inside_config),
		T(test_out_of_memory), T(test_no_ram), T(test_big_platform), T(test_tdcx_limit),
		T(test_key_config_of_td), T(test_key_on_package_without_module_key),
		T(test_leaves_of_built_tds), T(test_reclaim_out_of_order),
		T(test_least_ops), T(test_names), T(test_rd_needs_lp_init),
		T(test_rdall_ignores_context), T(test_refused_package_id),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	printf("%zu passed, %d failed\n", sizeof(tests) / sizeof(tests[0]) - failed, failed);
	return failed != 0;
}
