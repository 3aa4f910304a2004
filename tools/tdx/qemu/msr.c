/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MSRs of a CPU with VMX, TME and SEAMRR, as the guest sees them.
 *
 * VMX capabilities are TCG's own (there is no non-root operation, so they
 * only have to satisfy a hypervisor that asks before it starts). What
 * belongs to TDX comes from the platform description through the model, each
 * CPU its own value. The module looks at many more MSRs; those it sees in
 * the model, the guest does not.
 */
#include "qemu/osdep.h"
#include "cpu.h"
#include "exec/exec-all.h"
#include "tcg/helper-tcg.h"
#include "internal.h"
#include "vmx.h"

#define MSR_SGX_AND_MCHECK_STATUS   0xa0
#define MSR_MKTME_KEYID_PART        0x87
#define MSR_TME_CAPABILITY          0x981
#define MSR_TME_ACTIVATE            0x982

#define FEATURE_CONTROL_SEAMRR      (1u << 16)

static uint64_t platform_msr(CPUX86State *env, uint32_t msr)
{
    uint64_t val;

    return tdxm_rdmsr(tdx_platform->module, tdx_lp_known(env) ? tdx_lp(env) : 0, msr,
                      &val) ? val : 0;
}

uint64_t tdx_mtrrcap_bits(CPUX86State *env)
{
    return tdx_platform ? platform_msr(env, MSR_MTRRcap) & MSR_MTRRCAP_SEAMRR : 0;
}

bool tdx_seamrr_supported(CPUX86State *env)
{
    return tdx_mtrrcap_bits(env) != 0;
}

bool tdx_seamrr_enabled(CPUX86State *env)
{
    return tdx_seamrr_supported(env) &&
           (platform_msr(env, MSR_SEAMRR_MASK) & MSR_SEAMRR_MASK_ENABLED);
}

static bool vmx_capability(CPUX86State *env, uint32_t msr, uint64_t *val)
{
    switch (msr) {
    case MSR_IA32_VMX_BASIC:
        *val = 0x00d8100000000000ULL | VMCS_REVISION;
        break;
    case MSR_IA32_VMX_PINBASED_CTLS:
    case MSR_IA32_VMX_TRUE_PINBASED_CTLS:
        *val = 0x000000ff00000016ULL;
        break;
    case MSR_IA32_VMX_PROCBASED_CTLS:
        *val = 0xfff9fffe0401e172ULL;
        break;
    case MSR_IA32_VMX_TRUE_PROCBASED_CTLS:
        *val = 0xfff9fffe04006172ULL;
        break;
    case MSR_IA32_VMX_PROCBASED_CTLS2:
        *val = 0x02127fff00000000ULL;
        break;
    case MSR_IA32_VMX_EXIT_CTLS:
        *val = 0x007fffff00036dffULL;
        break;
    case MSR_IA32_VMX_TRUE_EXIT_CTLS:
        *val = 0x007fffff00036dfbULL;
        break;
    case MSR_IA32_VMX_ENTRY_CTLS:
        *val = 0x0000ffff000011ffULL;
        break;
    case MSR_IA32_VMX_TRUE_ENTRY_CTLS:
        *val = 0x0000ffff000011fbULL;
        break;
    case MSR_IA32_VMX_MISC:
        *val = 0x600401e5ULL;
        break;
    case MSR_IA32_VMX_CR0_FIXED0:
        *val = VMX_CR0_FIXED0;
        break;
    case MSR_IA32_VMX_CR0_FIXED1:
        *val = 0xffffffffULL;
        break;
    case MSR_IA32_VMX_CR4_FIXED0:
        *val = CR4_VMXE_MASK;
        break;
    case MSR_IA32_VMX_CR4_FIXED1:
        *val = (uint32_t)~cr4_reserved_bits(env);
        break;
    case MSR_IA32_VMX_VMCS_ENUM:
        *val = 0x3e;
        break;
    case MSR_IA32_VMX_EPT_VPID_CAP:
        *val = 0x00000f01067341c1ULL;
        break;
    case MSR_IA32_VMX_VMFUNC:
        *val = 1;
        break;
    default:
        return false;
    }
    return true;
}

bool tdx_rdmsr(CPUX86State *env, uint32_t msr, uint64_t *val, uintptr_t ra)
{
    if (!tdx_platform) {
        return false;
    }
    switch (msr) {
    case MSR_IA32_FEATURE_CONTROL:
        *val = env->msr_ia32_feature_control;
        if (*val & FEATURE_CONTROL_LOCKED && tdx_seamrr_enabled(env)) {
            *val |= FEATURE_CONTROL_SEAMRR;
        }
        return true;
    case MSR_SEAMRR_BASE:
    case MSR_SEAMRR_MASK:
        if (!tdx_seamrr_supported(env)) {
            raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
        }
        /* fall through */
    case MSR_IA32_ARCH_CAPABILITIES:
    case MSR_MKTME_KEYID_PART:
    case MSR_TME_CAPABILITY:
    case MSR_TME_ACTIVATE:
    case MSR_SGX_AND_MCHECK_STATUS:
        *val = platform_msr(env, msr);
        return true;
    default:
        return vmx_capability(env, msr, val);
    }
}

bool tdx_wrmsr(CPUX86State *env, uint32_t msr, uint64_t val, uintptr_t ra)
{
    uint64_t old;

    if (!tdx_rdmsr(env, msr, &old, ra)) {
        return false;
    }
    /* All the others are read-only, or locked by the BIOS */
    if (msr != MSR_IA32_FEATURE_CONTROL || (old & FEATURE_CONTROL_LOCKED)) {
        raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
    }
    env->msr_ia32_feature_control = val;
    return true;
}
