/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tdx-platform object. Shared by the files of this folder only.
 */
#ifndef TARGET_I386_TDX_INTERNAL_H
#define TARGET_I386_TDX_INTERNAL_H

#include "qom/object.h"
#include "tdx.h"
#include "platform/platform.h"
#include "platform/trace.h"

#define TYPE_TDX_PLATFORM "tdx-platform"
OBJECT_DECLARE_SIMPLE_TYPE(TdxPlatform, TDX_PLATFORM)

/* When something was called, of get_clock(); 0 is never */
struct tdx_leaf_time {
    int64_t first;                  /* its first call began */
    int64_t last;                   /* its last call ended */
};

/* Indexes after those of the module's leaves; what is no leaf is not reported */
#define TDX_TIME_SEAMLDR        TDXM_MAX_LEAVES
#define TDX_TIME_OTHER          (TDXM_MAX_LEAVES + 1)
#define TDX_NR_TIMES            (TDXM_MAX_LEAVES + 2)

struct TdxPlatform {
    Object parent;

    char *config;
    char *trace_file;
    char *stats_file;
    char *findings_file;
    char *vmlinux;
    char *mark;

    struct tdx_machine *machine;    /* the description */
    struct tdxm *module;            /* replaced at system reset, all vCPUs stopped */
    struct tdx_trace *trace;
    /* Of each LP, which alone writes it: no lock, no cache line that LPs share */
    struct tdx_leaf_time (*times)[TDX_NR_TIMES];

    struct tdx_leaf_time mark_time;

    unsigned int boot;              /* system resets after SEAMCALLs had been made */
    int64_t start_us;
    bool closed;                    /* QEMU ends: no more trace */
    int in_call;                    /* SEAMCALLs in progress, if somebody has to know */
    uint64_t findings;

    Notifier exit;
};

/* IA32_FEATURE_CONTROL, SEAMRR */
#define MSR_SEAMRR_BASE         0x1400
#define MSR_SEAMRR_MASK         0x1401
#define MSR_SEAMRR_MASK_ENABLED (1u << 11)
#define MSR_MTRRCAP_SEAMRR      (1u << 15)

static inline unsigned int tdx_lp(CPUX86State *env)
{
    return env_cpu(env)->cpu_index;
}

/*
 * There may be as many CPUs again, in packages of their own, that are plugged in
 * later. The BIOS gives them the MSRs of LP 0; the module does not know of them.
 */
#define TDX_MAX_CPUS(lps)   (2 * (lps))

static inline bool tdx_lp_known(CPUX86State *env)
{
    return tdx_lp(env) < tdx_platform->machine->platform.lps;
}

/* SEAMRR as this CPU's MSRs say */
bool tdx_seamrr_supported(CPUX86State *env);
bool tdx_seamrr_enabled(CPUX86State *env);

/* For CPUID, once */
void tdx_measure_tsc(void);

/* What the model needs of the machine */
extern struct tdxm_ops tdx_seam_ops;

bool tdx_mark_start(TdxPlatform *tdx, Error **errp);

/* The checker, see check.c */
void tdx_check_start(TdxPlatform *tdx, Error **errp);
void tdx_check_clear(void);
void tdx_check_begin(CPUX86State *env);
void tdx_check_stranger(CPUX86State *env);
void tdx_check_end(CPUX86State *env, uint64_t leaf, bool done);
void tdx_check_movdir64b(vaddr dst, uintptr_t ra);
void tdx_check_reset(const char *event);
void tdx_check_module_reset(void);
uint64_t tdx_check_module_pages(void);
bool tdx_check_poison(hwaddr pa);
void tdx_check_corrected(hwaddr pa);

/* Start a module, or start it again as the BIOS does after a reset */
bool tdx_module_start(TdxPlatform *tdx, Error **errp);
uint64_t tdx_total_calls(const TdxPlatform *tdx);

/* Ports for tests, if the description says so. See test.c. */
void tdx_test_start(TdxPlatform *tdx);

#endif
