/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _X86_VIRT_TDX_H
#define _X86_VIRT_TDX_H

/*
 * What Linux makes of TDX. Intervals are [start, end), in bytes of physical
 * addresses without KeyID bits. Layers, each using only those before it:
 *
 *   seamcall, detect	instruction, MSRs
 *   seamldr, sysinfo	what firmware loaded, and what it says
 *   lp			LPs: the CPUs that make SEAMCALLs
 *   memory		the kernel's memory that TDX can use
 *   pamt		the module's metadata memory
 *   config, keyid,
 *   init_tdmrs		handing it all to the module
 *   tdx		the order of it, and the state machine
 */

#include <linux/cpumask.h>
#include <linux/types.h>

#include "arch.h"
#include "tdmr.h"

/* detect.c */

/**
 * struct tdx_cpu_msrs - what a CPU says about TDX
 * @mtrrcap: IA32_MTRRCAP
 * @seamrr_base: IA32_SEAMRR_PHYS_BASE, 0 if SEAMRR is not supported
 * @seamrr_mask: IA32_SEAMRR_PHYS_MASK, 0 if SEAMRR is not supported
 * @keyids: IA32_MKTME_KEYID_PARTITIONING, 0 if SEAMRR is not supported
 */
struct tdx_cpu_msrs {
	u64 mtrrcap;
	u64 seamrr_base;
	u64 seamrr_mask;
	u64 keyids;
};

/**
 * struct tdx_platform - what the MSRs mean
 * @seamrr: where P-SEAMLDR and the TDX module live
 * @first_keyid: first TDX KeyID; the module's own, the others are for TDs
 * @nr_keyids: number of TDX KeyIDs
 */
struct tdx_platform {
	struct tdx_range seamrr;
	u32 first_keyid;
	u32 nr_keyids;
};

/* Why a platform cannot do TDX */
enum tdx_why {
	TDX_PLATFORM_OK,
	TDX_WHY_NO_SEAMRR,
	TDX_WHY_NOT_LOCKED,
	TDX_WHY_NOT_ENABLED,
	TDX_WHY_NOT_CONFIGURED,
	TDX_WHY_EMPTY,
	TDX_WHY_FEW_KEYIDS,
};

enum tdx_why tdx_decode_msrs(const struct tdx_cpu_msrs *msrs,
			     struct tdx_platform *platform);
u32 tdx_msrs_differ(const struct tdx_cpu_msrs *a, const struct tdx_cpu_msrs *b,
		    u64 *val_a, u64 *val_b);
int tdx_platform(struct tdx_platform *platform);
bool tdx_platform_fits(void);

/* seamldr.c */
int seamldr_find_module(void);
const struct seamldr_info *seamldr_get_info(void);

/* lp.c */
int tdx_lps_ready(void);
int tdx_lps_init(void);
void tdx_lps_shutdown(void);
int tdx_lps_watch(void);
void tdx_lps_fix(void);
bool tdx_this_cpu_in_vmx(void);
bool tdx_lp_done(unsigned int cpu);

/* sysinfo.c */

/**
 * struct tdx_sysinfo - what the module says about itself and the platform
 * @major: module version, with @minor and @update: 1.5.01
 * @minor: see @major
 * @update: see @major; module 1.0 does not tell, 0 there
 * @build_num: build number
 * @build_date: build date, decimal: 20240129
 * @attributes: bit 31: a debug module
 * @features0: TDX_FEATURES0; 0 for module 1.0
 * @limits: what a TDMR may be
 * @cmrs: convertible memory, ascending, ranges that touch are one
 * @nr_cmrs: number of @cmrs
 */
struct tdx_sysinfo {
	u16 major;
	u16 minor;
	u16 update;
	u16 build_num;
	u32 build_date;
	u32 attributes;
	u64 features0;
	struct tdmr_limits limits;
	struct tdx_range cmrs[TDX_MAX_CMRS];
	unsigned int nr_cmrs;
};

int tdx_sysinfo_read(struct tdx_sysinfo *info);
void tdx_sysinfo_print(const struct tdx_sysinfo *info);
int tdx_check_cmrs(const struct cmr_info *cmrs, unsigned int nr,
		   struct tdx_sysinfo *info);
int tdx_check_limits(struct tdmr_limits *limits);

/* Module 1.0 has no TDH.SYS.RD, and wants to be told that it is not needed. */
static inline bool tdx_module_is_1_0(const struct tdx_sysinfo *info)
{
	return info->major == 1 && info->minor < 5;
}

/* memory.c */

/**
 * struct tdx_memory - the kernel's memory that TDX can use
 * @regions: ascending, not overlapping, every one inside a CMR
 * @nr: number of @regions
 */
struct tdx_memory {
	struct tdx_region *regions;
	unsigned int nr;
};

int tdx_memory_build(struct tdx_memory *mem, const struct tdx_range *cmrs,
		     unsigned int nr_cmrs);
void tdx_memory_free(struct tdx_memory *mem);
int tdx_memory_watch(void);
void tdx_memory_fix(const struct tdx_memory *mem);
bool tdx_memory_refuse(u64 start, u64 end);

/* pamt.c */
int tdx_pamt_alloc(struct tdmr_plan *plan);
void tdx_pamt_free(struct tdmr_plan *plan);
void tdx_pamt_clean(const struct tdmr_plan *plan);
bool tdx_pamt_contains(const struct tdmr_plan *plan, u64 pa);
u64 tdx_pamt_held(void);

/* config.c */

/**
 * struct tdx_config - what TDH.SYS.CONFIG reads
 * @buf: array of pointers, then TDMR_INFO structures
 * @bytes: size of @buf
 * @infos: offset of the first TDMR_INFO
 * @stride: bytes from one TDMR_INFO to the next
 */
struct tdx_config {
	void *buf;
	size_t bytes;
	size_t infos;
	size_t stride;
};

int tdx_config_alloc(struct tdx_config *config, unsigned int nr_tdmrs,
		     const struct tdmr_limits *limits);
void tdx_config_free(struct tdx_config *config);
int tdx_config_module(struct tdx_config *config, const struct tdmr_plan *plan,
		      u32 global_keyid);

/* init_tdmrs.c */
unsigned int tdx_tdmr_workers(void);
int tdx_tdmrs_prepare(void);
void tdx_tdmrs_finish(void);
int tdx_tdmrs_init(const struct tdmr_plan *plan);

/* keyid.c */
int tdx_key_config(void);
bool tdx_lp_made_key(unsigned int cpu);

/* power.c */
bool tdx_power_changing(void);

/* tdx.c */
void tdx_lock_state(void);
void tdx_unlock_state(void);
enum tdx_state {
	TDX_UNKNOWN,		/* nobody has looked yet */
	TDX_NONE,		/* there is no TDX, the log says why */
	TDX_LOADED,		/* firmware has loaded the module */
	TDX_INITIALIZED,	/* TDs can be created */
	TDX_SHUTDOWN,		/* initialisation failed for good */
};

struct seq_file;

/* For those who look. NULL: not known yet; what is known does not change. */
const char *tdx_state_name(enum tdx_state state);
enum tdx_state tdx_get_state(void);
bool tdx_in_use(void);
const struct tdx_platform *tdx_get_platform(void);
const struct tdx_sysinfo *tdx_get_sysinfo(void);
s64 tdx_get_init_ms(void);
int tdx_show_plan(struct seq_file *m,
		  void (*show)(struct seq_file *m, const struct tdx_memory *mem,
			       const struct tdmr_plan *plan));

#ifdef CONFIG_INTEL_TDX_HOST_KUNIT_TEST
enum tdx_state tdx_test_state(void);
int tdx_test_power(unsigned long action);
int tdx_test_syscore_suspend(void);
void tdx_test_set_msrs(const struct tdx_cpu_msrs *boot_cpu);
#endif

/* For KUnit, and for tests of the booted machine that begin anew. */
#if defined(CONFIG_INTEL_TDX_HOST_KUNIT_TEST) || defined(CONFIG_INTEL_TDX_HOST_RESET)
#define TDX_TEST_RESET
void tdx_test_reset(void);
void tdx_lps_forget(void);
void tdx_key_forget(void);
#endif

#ifdef CONFIG_INTEL_TDX_HOST_RESET
struct dentry;

/* fragment.c */
void tdx_test_fragment_init(struct dentry *dir);
#endif

#endif /* _X86_VIRT_TDX_H */
