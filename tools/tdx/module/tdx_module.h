/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A model of the TDX module and of P-SEAMLDR, as a library.
 *
 * SEAMCALLs go in by tdxm_seamcall(), answers come out in the registers.
 * The model holds the module's state itself; it reaches the machine around
 * it (memory, time, observers) only through struct tdxm_ops. What it sees of
 * the CPUs (MSRs, CPUID, entropy) is computed from struct tdxm_platform.
 *
 * Every function may be called from any number of threads at once, with the
 * exception of tdxm_new() and tdxm_free(). One LP makes one call at a time.
 *
 * Intervals are given as base and size and mean [base, base + size).
 */
#ifndef TDX_MODULE_H
#define TDX_MODULE_H

#include "port.h"

#define TDXM_MAX_CMRS		32
#define TDXM_MAX_LPS		4096
#define TDXM_MAX_PACKAGES	8
#define TDXM_MAX_FAULTS		64
#define TDXM_MAX_CLAIMS		128
#define TDXM_MAX_LEAVES		128	/* leaf numbers a latency can be given for */
#define TDXM_MAX_TDMRS		64
#define TDXM_MAX_RESERVED	16

#define TDXM_ALL_LPS		(-1)	/* quirks, faults: every LP */
#define TDXM_ANY_SUBLEAF	UINT32_MAX
#define TDXM_DEFAULT		UINT32_MAX	/* num_lps, num_sockets: as lps, packages */
#define TDXM_ANY_LEAF		UINT64_MAX	/* faults: every leaf, P-SEAMLDR's too */
#define TDXM_SEAMLDR		(UINT64_C(1) << 63)	/* RAX bit: the call is for P-SEAMLDR */

/* x86 encoding order, the index into gpr[] */
enum tdxm_reg {
	TDXM_RAX, TDXM_RCX, TDXM_RDX, TDXM_RBX,
	TDXM_RSP, TDXM_RBP, TDXM_RSI, TDXM_RDI,
	TDXM_R8, TDXM_R9, TDXM_R10, TDXM_R11,
	TDXM_R12, TDXM_R13, TDXM_R14, TDXM_R15,
	TDXM_NR_REGS
};

/* How a SEAMCALL ended. Only after TDXM_DONE have the registers a meaning. */
enum tdxm_exit {
	TDXM_DONE,		/* CF = 0, registers as answered */
	TDXM_VMFAIL_INVALID,	/* CF = 1, no register changes */
	TDXM_FATAL,		/* the module stopped itself; TDXM_VMFAIL_INVALID from now on */
	TDXM_GP,		/* raise #GP(0): SEAMRR is not enabled, or by a fault */
	TDXM_UD,		/* raise #UD: by a fault only */
};

/* Points inside a call at which ops->event is told */
enum tdxm_event {
	TDXM_EV_RDMSR,		/* INIT, LP.INIT: global lock taken, first MSR is read */
	TDXM_EV_KEYHOLE,	/* CONFIG maps its pointer array, global lock held */
	TDXM_EV_PCONFIG,	/* KEY.CONFIG, MNG.KEY.CONFIG run PCONFIG, locks held */
	TDXM_EV_MOVDIR64B,	/* TDMR.INIT writes PAMT, TDMR lock held */
	TDXM_EV_LOCK,		/* global lock or TDMR lock was taken; before all others */
	TDXM_EV_FAULT,		/* a fault answers: the call does not get to the module */
	TDXM_NR_EVENTS
};

/* What ops->page_owner is told about: who uses the range */
enum tdxm_page_kind {
	TDXM_KIND_PAMT_4K,
	TDXM_KIND_PAMT_2M,
	TDXM_KIND_PAMT_1G,
	TDXM_KIND_TDR,
	TDXM_KIND_TDCX,
	TDXM_NR_KINDS
};

enum tdxm_state {
	TDXM_PENDING,
	TDXM_INIT_DONE,
	TDXM_CONFIG_DONE,
	TDXM_READY,
	TDXM_SHUTDOWN,
	TDXM_STOPPED,		/* after a fatal error */
	TDXM_NOT_LOADED,
};

struct tdxm_range {
	uint64_t base;
	uint64_t size;
};

/* Quirks: lp is a number or TDXM_ALL_LPS. Lists are in order, see cpu.c. */
struct tdxm_msr_quirk {
	int32_t lp;
	uint32_t msr;
	uint64_t value;
};

struct tdxm_cpuid_quirk {
	int32_t lp;
	uint32_t leaf;
	uint32_t subleaf;	/* or TDXM_ANY_SUBLEAF */
	uint32_t reg;		/* 0 eax, 1 ebx, 2 ecx, 3 edx */
	uint32_t value;
};

struct tdxm_pconfig_quirk {
	uint32_t package;
	uint32_t count;		/* the next count PCONFIGs there fail */
	uint32_t code;		/* 2 entropy, 5 busy, anything else is fatal */
};

struct tdxm_lp_quirk {		/* rdrand, rdseed, interrupts, SEAMOPS capabilities */
	int32_t lp;
	uint64_t value;
};

struct tdxm_fms_quirk {
	uint32_t entry;		/* 0..7 in the system information table */
	uint32_t value;
};

/*
 * A fault answers instead of the module. Calls that match leaf and lp are
 * counted from 1; the calls nth, nth + 1, ... nth + count - 1 get the fault.
 */
struct tdxm_fault {
	uint64_t leaf;		/* number, | TDXM_SEAMLDR for P-SEAMLDR, or TDXM_ANY_LEAF */
	int32_t lp;		/* or TDXM_ALL_LPS */
	uint32_t nth;		/* from 1 */
	uint32_t count;		/* 0: without end */
	enum tdxm_exit exit;	/* TDXM_DONE: RAX = status */
	uint64_t status;
};

/* A lie: what the module says of one element of a metadata field */
struct tdxm_claim {
	uint32_t field, element;	/* see tdxm_field_by_name() */
	uint64_t value;
};

/* The module that the BIOS loaded */
struct tdxm_module {
	bool loaded;
	bool seamldr_loaded;
	bool has_sys_rd;	/* module 1.5 and later; 1.0 has neither RD nor RDALL */
	bool lp_shutdown;	/* module 1.0: LP.SHUTDOWN really shuts down */
	bool clobbers_rbp;	/* RBP is lost when a SEAMCALL returns */
	uint16_t major, minor, update, internal;
	uint16_t build_num;
	uint32_t build_date;	/* as a decimal number, 20240129 */
	uint64_t features0;	/* TDX_FEATURES0, without bit 8 (see SEAMOPS) */
};

/*
 * The platform: plain data. Start from tdxm_platform_init(), which sets what
 * the recordings of the real module used. The pointed-to lists have to live
 * as long as the model does.
 */
struct tdxm_platform {
	uint32_t lps;
	uint32_t packages;	/* LP i is in package i * packages / lps */
	uint32_t pa_width;	/* the module demands 52 */
	uint32_t mktme_keyids;
	uint32_t tdx_keyids;	/* private KeyIDs mktme + 1 .. mktme + tdx */
	uint32_t nr_cmrs;
	struct tdxm_range cmrs[TDXM_MAX_CMRS];

	struct tdxm_range seamrr, smrr, smrr2;
	bool seamrr_supported, seamrr_enabled, seamrr_locked;

	uint32_t num_lps;	/* as the system information table says, or TDXM_DEFAULT */
	uint32_t num_sockets;	/* the same */
	bool no_smrr2;
	bool no_integrity;
	uint32_t module_hv;
	uint32_t min_update_hv;
	uint32_t handoff_pages;

	const struct tdxm_msr_quirk *msr_quirks;
	const struct tdxm_cpuid_quirk *cpuid_quirks;
	const struct tdxm_pconfig_quirk *pconfig_quirks;
	const struct tdxm_lp_quirk *rdrand_quirks;
	const struct tdxm_lp_quirk *rdseed_quirks;
	const struct tdxm_lp_quirk *intr_quirks;
	const struct tdxm_lp_quirk *seamops_quirks;
	const struct tdxm_fms_quirk *fms_quirks;
	uint32_t nr_msr_quirks, nr_cpuid_quirks, nr_pconfig_quirks;
	uint32_t nr_rdrand_quirks, nr_rdseed_quirks, nr_intr_quirks;
	uint32_t nr_seamops_quirks, nr_fms_quirks;

	struct tdxm_module module;

	struct tdxm_fault faults[TDXM_MAX_FAULTS];
	uint32_t nr_faults;
	uint64_t latency_ns[TDXM_MAX_LEAVES];
	uint64_t hostile;	/* seed of nonsense, see tdxm_set_hostile() */
	struct tdxm_claim claims[TDXM_MAX_CLAIMS];	/* the last one of an element counts */
	uint32_t nr_claims;
};

/*
 * The machine around the model. Physical addresses come without KeyID bits.
 * The functions are called in the context of tdxm_seamcall(), from many
 * threads at once, possibly with locks of the module held: they may call
 * tdxm_seamcall() for another LP (that is how recorded concurrency is
 * replayed), but not for the same one.
 */
struct tdxm_ops {
	void *(*alloc)(void *opaque, size_t size);	/* zeroed; NULL: out of memory */
	void (*free)(void *opaque, void *p, size_t size);
	/* false: no RAM there. The model then reads all-ones and drops writes. */
	bool (*mem_read)(void *opaque, uint64_t pa, void *buf, size_t len);
	bool (*mem_write)(void *opaque, uint64_t pa, const void *buf, size_t len);

	/* The rest may be NULL */
	void (*event)(void *opaque, unsigned int lp, enum tdxm_event ev);
	void (*delay)(void *opaque, unsigned int lp, uint64_t ns);
	bool (*intr_pending)(void *opaque, unsigned int lp);
	/* [pa, pa + size) enters (owned) or leaves the hands of the module */
	void (*page_owner)(void *opaque, uint64_t pa, uint64_t size,
			   bool owned, enum tdxm_page_kind kind);
};

struct tdxm;

/* The reference platform: 2 LPs, 1 package, module 1.5.01, two CMRs */
void tdxm_platform_init(struct tdxm_platform *p);

/*
 * Module kinds by name: "1.0", "1.5.01" ... "2.0.08". False if there is no
 * such kind. tdxm_module_kind(i) lists the names, NULL at the end.
 */
bool tdxm_module_by_name(struct tdxm_module *mod, const char *kind);
const char *tdxm_module_kind(unsigned int i);

/* NULL: out of memory, or a platform with no or too many LPs or packages */
struct tdxm *tdxm_new(const struct tdxm_platform *p, const struct tdxm_ops *ops,
		      void *opaque);
void tdxm_free(struct tdxm *m);

/* gpr[] is changed only for TDXM_DONE, and only where the leaf has outputs */
enum tdxm_exit tdxm_seamcall(struct tdxm *m, unsigned int lp, uint64_t gpr[16]);

/*
 * Replace all faults, count again from 1. At any time; calls under way may get
 * the old ones. False: more than TDXM_MAX_FAULTS, or out of memory.
 */
bool tdxm_set_faults(struct tdxm *m, const struct tdxm_fault *faults, unsigned int nr);

/*
 * Nonsense in place of what the module reports, from now on: SEAMLDR.INFO, SYS.INFO,
 * SYS.RD and TDMR.INIT succeed with random values. The same calls in the same order get
 * the same answers. 0: the truth. At any time.
 */
void tdxm_set_hostile(struct tdxm *m, uint64_t seed);

/*
 * A second listener to events, beside ops->event: for traces. NULL: none. Not
 * while calls are under way.
 */
void tdxm_observe(struct tdxm *m,
		  void (*event)(void *opaque, unsigned int lp, enum tdxm_event ev), void *opaque);

/* How often a fault struck since tdxm_new(); tdxm_set_faults() does not reset it */
uint64_t tdxm_faults_hit(const struct tdxm *m);

/* The platform's view of a CPU. False: the platform does not define that MSR. */
bool tdxm_rdmsr(const struct tdxm *m, unsigned int lp, uint32_t msr, uint64_t *val);
void tdxm_cpuid(const struct tdxm *m, unsigned int lp, uint32_t leaf, uint32_t subleaf,
		uint32_t regs[4]);

/* Number of KeyID bits at the top of the 52 physical address bits */
unsigned int tdxm_keyid_bits(const struct tdxm *m);

/* What the module is doing; a snapshot when other LPs are inside it */
enum tdxm_state tdxm_state(const struct tdxm *m);
const char *tdxm_state_name(enum tdxm_state state);
uint64_t tdxm_fatal_code(const struct tdxm *m);	/* source << 32 | code, 0: none */
bool tdxm_lp_initialized(const struct tdxm *m, unsigned int lp);
bool tdxm_package_has_key(const struct tdxm *m, unsigned int package);
uint64_t tdxm_stat_leaf_calls(const struct tdxm *m, unsigned int leaf);
uint64_t tdxm_stat_lp_calls(const struct tdxm *m, unsigned int lp);
uint64_t tdxm_stat_seamldr_calls(const struct tdxm *m);

/* TDMRs as configured; false beyond the last one */
struct tdxm_tdmr_info {
	uint64_t base, size;
	struct tdxm_range pamt[3];	/* 4K, 2M, 1G */
	uint64_t initialized;		/* bytes from base that TDMR.INIT has done */
};

bool tdxm_tdmr(const struct tdxm *m, unsigned int i, struct tdxm_tdmr_info *info);

/* Names: "TDH.SYS.INIT", "TDX_SYS_BUSY", "RCX"; NULL if there is none */
const char *tdxm_leaf_name(unsigned int leaf);
const char *tdxm_seamldr_leaf_name(unsigned int leaf);
const char *tdxm_status_name(uint64_t rax);
const char *tdxm_operand_name(uint32_t operand);
/* The reverse: "TDH.SYS.INIT" or "TDX_SYS_BUSY" to numbers; false: no such name */
bool tdxm_leaf_by_name(const char *name, uint64_t *leaf);
bool tdxm_status_by_name(const char *name, uint64_t *status);
/* "MAX_TDMRS" to its number, how many elements it has and how large they are */
bool tdxm_field_by_name(const char *name, uint32_t *field, uint32_t *elements, uint32_t *bytes);

#endif
