/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _X86_VIRT_TDX_TESTS_SIM_H
#define _X86_VIRT_TDX_TESTS_SIM_H

/*
 * A simulated TDX platform for KUnit: the model of the TDX module takes the
 * SEAMCALLs, the memory is the kernel's own. One at a time.
 */

#include <kunit/test.h>
#include <linux/cpuhotplug.h>
#include <linux/types.h>

#include "../../../../../../tools/tdx/module/tdx_module.h"
#include "../tdx.h"

/* All that are to be had while the kernel runs */
#define TDX_SIM_HOTPLUG_STATES	(CPUHP_AP_ONLINE_DYN_END - CPUHP_AP_ONLINE_DYN + 1)

/**
 * struct tdx_sim - the simulated platform
 * @platform: may be changed before tdx_sim_start()
 * @model: after tdx_sim_start()
 * @msrs: what the boot CPU says; may be changed before tdx_sim_start()
 * @no_module: P-SEAMLDR says that there is no module
 * @no_vmx: CPUs are not in VMX operation
 * @cpus_missing: not all CPUs are online
 * @fail_pamt: number of the allocation for PAMTs that fails, from 1; 0: none
 * @fail_pamt_all: all allocations for PAMTs from @fail_pamt on fail
 * @memory: memory of the platform besides the kernel's own
 * @nr_memory: number of @memory
 * @seamcalls: SEAMCALLs made, #UD ones too
 * @pamt_allocs: allocations for PAMTs
 * @taken: CPU hotplug states that tdx_sim_take_hotplug() has taken
 * @nr_taken: number of @taken
 */
struct tdx_sim {
	struct tdxm_platform platform;
	struct tdxm *model;
	struct tdx_cpu_msrs msrs;
	bool no_module;
	bool no_vmx;
	bool cpus_missing;
	unsigned int fail_pamt;
	bool fail_pamt_all;
	struct tdx_region memory[TDXM_MAX_CMRS];
	unsigned int nr_memory;
	unsigned int seamcalls;
	unsigned int pamt_allocs;
	enum cpuhp_state taken[TDX_SIM_HOTPLUG_STATES];
	unsigned int nr_taken;
};

struct tdx_sim *tdx_sim_create(struct kunit *test);
void tdx_sim_start(struct kunit *test, struct tdx_sim *sim);
void tdx_sim_stop(struct tdx_sim *sim);
void tdx_sim_repair(struct tdx_sim *sim);
void tdx_sim_take_hotplug(struct tdx_sim *sim);
u64 tdx_sim_pamt_bytes(struct tdx_sim *sim);
void tdx_sim_fault(struct tdx_sim *sim, u64 leaf, unsigned int nth,
		   unsigned int count, enum tdxm_exit exit, u64 status);

#endif /* _X86_VIRT_TDX_TESTS_SIM_H */
