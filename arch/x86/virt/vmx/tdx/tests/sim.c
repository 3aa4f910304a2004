// SPDX-License-Identifier: GPL-2.0
/*
 * A simulated TDX platform for KUnit.
 */
#include <kunit/test.h>
#include <linux/io.h>
#include <linux/memblock.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/suspend.h>

#include <asm/tdx.h>
#include <asm/trapnr.h>

#include "../seamcall.h"
#include "../test.h"
#include "sim.h"

static struct tdx_sim *tdx_sim;

/* The model allocates in calls, too, and a SEAMCALL must not sleep. */
static void *sim_alloc(void *opaque, size_t size)
{
	if (tdx_sim)
		return kzalloc(size, GFP_ATOMIC);

	return kvzalloc(size, GFP_KERNEL);
}

static void sim_free(void *opaque, void *p, size_t size)
{
	kvfree(p);
}

static bool sim_is_ram(u64 pa, size_t len)
{
	return memblock_is_region_memory(pa, len);
}

static bool sim_mem_read(void *opaque, u64 pa, void *buf, size_t len)
{
	if (!sim_is_ram(pa, len))
		return false;

	memcpy(buf, __va(pa), len);
	return true;
}

static bool sim_mem_write(void *opaque, u64 pa, const void *buf, size_t len)
{
	if (!sim_is_ram(pa, len))
		return false;

	memcpy(__va(pa), buf, len);
	return true;
}

static const struct tdxm_ops sim_ops = {
	.alloc = sim_alloc,
	.free = sim_free,
	.mem_read = sim_mem_read,
	.mem_write = sim_mem_write,
};

static u64 sim_seamcall(u64 fn, struct seamcall_args *args)
{
	u64 gpr[TDXM_NR_REGS] = {
		[TDXM_RAX] = fn,
		[TDXM_RCX] = args->rcx,
		[TDXM_RDX] = args->rdx,
		[TDXM_R8] = args->r8,
		[TDXM_R9] = args->r9,
		[TDXM_R10] = args->r10,
		[TDXM_R11] = args->r11,
	};
	struct seamldr_info *info;

	tdx_sim->seamcalls++;

	if (tdx_sim->no_vmx)
		return TDX_SW_ERROR | X86_TRAP_UD;

	switch (tdxm_seamcall(tdx_sim->model, smp_processor_id(), gpr)) {
	case TDXM_DONE:
		break;
	case TDXM_GP:
		return TDX_SW_ERROR | X86_TRAP_GP;
	case TDXM_UD:
		return TDX_SW_ERROR | X86_TRAP_UD;
	default:
		return TDX_SEAMCALL_VMFAILINVALID;
	}

	if (fn == SEAMLDR_INFO && tdx_sim->no_module) {
		info = __va(args->rcx);
		info->seamextend.seam_ready = 0;
	}

	args->rcx = gpr[TDXM_RCX];
	args->rdx = gpr[TDXM_RDX];
	args->r8 = gpr[TDXM_R8];
	args->r9 = gpr[TDXM_R9];
	args->r10 = gpr[TDXM_R10];
	args->r11 = gpr[TDXM_R11];
	return gpr[TDXM_RAX];
}

static bool sim_vmx(void)
{
	return !tdx_sim->no_vmx;
}

static bool sim_cpus_missing(void)
{
	return tdx_sim->cpus_missing;
}

static bool sim_memory(unsigned int i, struct tdx_region *region)
{
	if (i >= tdx_sim->nr_memory)
		return false;

	*region = tdx_sim->memory[i];
	return true;
}

static bool sim_pamt_fails(void)
{
	unsigned int n = ++tdx_sim->pamt_allocs;

	if (!tdx_sim->fail_pamt)
		return false;
	if (tdx_sim->fail_pamt_all)
		return n >= tdx_sim->fail_pamt;
	return n == tdx_sim->fail_pamt;
}

static const struct tdx_test_machine sim_machine = {
	.seamcall = sim_seamcall,
	.vmx = sim_vmx,
	.memory = sim_memory,
	.cpus_missing = sim_cpus_missing,
	.pamt_fails = sim_pamt_fails,
};

/* The kernel's memory as one piece, and 2 GiB above that are not really there. */
static void sim_default_memory(struct tdx_sim *sim)
{
	u64 end = PFN_PHYS(max_pfn);
	/* Beyond 4 GiB: what is below is for SMRRs, too. */
	u64 above = max(ALIGN(end, SZ_1G) + SZ_1G, 4ULL * SZ_1G);

	sim->memory[0] = (struct tdx_region){ .start = SZ_1M, .end = end };
	sim->memory[1] = (struct tdx_region){ .start = above,
					      .end = above + SZ_2G };
	sim->nr_memory = 2;

	sim->platform.cmrs[0].base = SZ_1M;
	sim->platform.cmrs[0].size = end - SZ_1M;
	sim->platform.cmrs[1].base = above;
	sim->platform.cmrs[1].size = SZ_2G;
	sim->platform.nr_cmrs = 2;

	/* Reserved ranges of the platform, away from all memory. */
	sim->platform.seamrr.base = 64ULL * SZ_1G;
	/* SMRRs are below 4 GiB. */
	sim->platform.smrr.base = 0xf0000000;
	sim->platform.smrr2.base = 0xf8000000;
}

static void sim_default_msrs(struct tdx_sim *sim)
{
	sim->msrs = (struct tdx_cpu_msrs){
		.mtrrcap = MTRRCAP_SEAMRR,
		.seamrr_base = sim->platform.seamrr.base | SEAMRR_BASE_CONFIGURED,
		.seamrr_mask = (BIT_ULL(52) - SZ_32M) | SEAMRR_MASK_LOCKED |
			       SEAMRR_MASK_ENABLED,
		.keyids = (u64)sim->platform.tdx_keyids << 32 |
			  sim->platform.mktme_keyids,
	};
}

/**
 * tdx_sim_create() - a platform with module 1.5 that has nothing wrong with it
 * @test: the test it belongs to
 */
struct tdx_sim *tdx_sim_create(struct kunit *test)
{
	struct tdx_sim *sim = kunit_kzalloc(test, sizeof(*sim), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, sim);

	tdxm_platform_init(&sim->platform);
	sim->platform.lps = num_present_cpus();
	sim->platform.packages = 1;
	sim->platform.mktme_keyids = 63;
	sim->platform.tdx_keyids = 64;
	sim_default_memory(sim);
	sim_default_msrs(sim);

	return sim;
}

/**
 * tdx_sim_start() - put the platform in the machine's place, as after boot
 * @test: the test it belongs to
 * @sim: the platform
 */
void tdx_sim_start(struct kunit *test, struct tdx_sim *sim)
{
	sim->model = tdxm_new(&sim->platform, &sim_ops, NULL);
	KUNIT_ASSERT_NOT_NULL(test, sim->model);

	tdx_sim = sim;
	tdx_test_reset();
	tdx_test_set_msrs(&sim->msrs);
	tdx_test_machine = &sim_machine;
}

/**
 * tdx_sim_take_hotplug() - take all CPU hotplug states that are free
 * @sim: the platform, started
 */
void tdx_sim_take_hotplug(struct tdx_sim *sim)
{
	int ret;

	while (sim->nr_taken < ARRAY_SIZE(sim->taken)) {
		ret = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "tdx_sim", NULL, NULL);
		if (ret < 0)
			return;
		sim->taken[sim->nr_taken++] = ret;
	}
}

static void sim_give_hotplug(struct tdx_sim *sim)
{
	while (sim->nr_taken)
		cpuhp_remove_state_nocalls(sim->taken[--sim->nr_taken]);
}

/**
 * tdx_sim_stop() - give the machine back, and all memory
 * @sim: the platform
 */
void tdx_sim_stop(struct tdx_sim *sim)
{
	if (!sim->model)
		return;

	tdx_test_reset();
	tdx_test_set_msrs(&(struct tdx_cpu_msrs){});
	tdx_test_power(PM_POST_SUSPEND);
	sim_give_hotplug(sim);
	tdx_test_machine = NULL;
	tdx_sim = NULL;
	tdxm_free(sim->model);
	sim->model = NULL;
}

/**
 * tdx_sim_repair() - make all well again; what has happened stays
 * @sim: the platform, started
 */
void tdx_sim_repair(struct tdx_sim *sim)
{
	sim_default_memory(sim);
	sim_default_msrs(sim);
	tdx_test_set_msrs(&sim->msrs);
	tdx_test_power(PM_POST_SUSPEND);
	sim_give_hotplug(sim);
	sim->no_module = false;
	sim->no_vmx = false;
	sim->cpus_missing = false;
	sim->fail_pamt = 0;
	sim->fail_pamt_all = false;
	sim->pamt_allocs = 0;
	tdxm_set_faults(sim->model, NULL, 0);
}

/**
 * tdx_sim_pamt_bytes() - PAMT memory that the module was given
 * @sim: the platform
 */
u64 tdx_sim_pamt_bytes(struct tdx_sim *sim)
{
	struct tdxm_tdmr_info tdmr;
	unsigned int i, ps;
	u64 bytes = 0;

	for (i = 0; tdxm_tdmr(sim->model, i, &tdmr); i++) {
		for (ps = 0; ps < ARRAY_SIZE(tdmr.pamt); ps++)
			bytes += tdmr.pamt[ps].size;
	}

	return bytes;
}

/**
 * tdx_sim_fault() - let a SEAMCALL fail
 * @sim: the platform, started
 * @leaf: leaf
 * @nth: first call of that leaf that fails, from 1
 * @count: number of calls that fail
 * @exit: how
 * @status: RAX if @exit is TDXM_DONE
 */
void tdx_sim_fault(struct tdx_sim *sim, u64 leaf, unsigned int nth,
		   unsigned int count, enum tdxm_exit exit, u64 status)
{
	const struct tdxm_fault fault = {
		.leaf = leaf,
		.lp = TDXM_ALL_LPS,
		.nth = nth,
		.count = count,
		.exit = exit,
		.status = status,
	};

	tdxm_set_faults(sim->model, &fault, 1);
}
