/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VMX root operation, as far as a hypervisor can go without running a guest.
 *
 * There is no non-root operation: VMLAUNCH and VMRESUME end with VMfailValid.
 * VMCS fields live in the VMCS region itself, in a layout of our own, so that
 * software finds in one VMCS what it wrote there, across VMCLEAR and VMPTRLD
 * on any CPU.
 *
 * The instructions exist in 64-bit mode only.
 */
#include "qemu/osdep.h"
#include "cpu.h"
#include "exec/cpu_ldst.h"
#include "exec/exec-all.h"
#include "exec/helper-proto.h"
#include "qemu/log.h"
#include "tcg/helper-tcg.h"
#include "internal.h"
#include "vmx.h"

/* VM-instruction error numbers */
enum {
    VMXERR_VMCLEAR_ADDRESS = 2,
    VMXERR_VMCLEAR_VMXON_POINTER = 3,
    VMXERR_VMLAUNCH_NOT_CLEAR = 4,
    VMXERR_VMRESUME_NOT_LAUNCHED = 5,
    VMXERR_ENTRY_CONTROLS = 7,
    VMXERR_VMPTRLD_ADDRESS = 9,
    VMXERR_VMPTRLD_VMXON_POINTER = 10,
    VMXERR_VMPTRLD_REVISION = 11,
    VMXERR_NO_SUCH_FIELD = 12,
    VMXERR_VMXON_IN_ROOT = 15,
    VMXERR_INV_OPERAND = 28,
};

#define VMCS_FIELD_INSTRUCTION_ERROR    0x4400

/* Offset of a field in the VMCS region; -1: there is no such field */
static int vmcs_offset(uint64_t encoding, unsigned int *size)
{
    /* By width: fields of 16, 64, 32 bits and of natural width, four types each */
    static const struct {
        uint16_t base;
        uint8_t per_type;
        uint8_t size;
    } area[4] = {
        { 64, 16, 2 }, { 192, 64, 8 }, { 2240, 32, 4 }, { 2752, 32, 8 },
    };
    unsigned int index = extract64(encoding, 1, 9);
    unsigned int type = extract64(encoding, 10, 2);
    unsigned int width = extract64(encoding, 13, 2);
    bool high = encoding & 1;

    QEMU_BUILD_BUG_ON(2752 + 4 * 32 * 8 > TARGET_PAGE_SIZE);
    if (encoding >> 15 || extract64(encoding, 12, 1) || index >= area[width].per_type ||
        (high && width != 1)) {
        return -1;
    }
    *size = high ? 4 : area[width].size;
    return area[width].base + (type * area[width].per_type + index) * area[width].size + high * 4;
}

static bool vmcs_read(CPUX86State *env, uint64_t encoding, uint64_t *val)
{
    unsigned int size;
    int offset = vmcs_offset(encoding, &size);
    uint64_t field = 0;

    if (offset < 0) {
        return false;
    }
    address_space_read(env_cpu(env)->as, env->vmx_vmcs_ptr + offset, MEMTXATTRS_UNSPECIFIED,
                       &field, size);
    *val = le64_to_cpu(field);
    return true;
}

static bool vmcs_write(CPUX86State *env, uint64_t encoding, uint64_t val)
{
    unsigned int size;
    int offset = vmcs_offset(encoding, &size);
    uint64_t field = cpu_to_le64(val);

    if (offset < 0) {
        return false;
    }
    address_space_write(env_cpu(env)->as, env->vmx_vmcs_ptr + offset, MEMTXATTRS_UNSPECIFIED,
                        &field, size);
    return true;
}

static void vmx_succeed(CPUX86State *env)
{
    vmx_set_flags(env, 0);
}

/* VMfail: invalid without a current VMCS, valid with one */
static void vmx_fail(CPUX86State *env, uint32_t error)
{
    if (env->vmx_vmcs_ptr == VMCS_NONE) {
        vmx_set_flags(env, CC_C);
    } else {
        vmcs_write(env, VMCS_FIELD_INSTRUCTION_ERROR, error);
        vmx_set_flags(env, CC_Z);
    }
}

/* What every instruction but VMXON checks first */
static void vmx_check(CPUX86State *env, uintptr_t ra)
{
    if (!env->vmx_root) {
        raise_exception_ra(env, EXCP06_ILLOP, ra);
    }
    if (env->hflags & HF_CPL_MASK) {
        raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
    }
}

/* A pointer to a VMXON region or VMCS: aligned, within the address width, no private KeyID */
static bool vmx_pointer_ok(CPUX86State *env, uint64_t pa)
{
    X86CPU *cpu = env_archcpu(env);

    return !(pa & ~TARGET_PAGE_MASK) && !(pa >> cpu->phys_bits) && !(pa & cpu->tdx_private_mask);
}

void tdx_check_cr0(CPUX86State *env, target_ulong val, uintptr_t ra)
{
    if (env->vmx_root && (val & VMX_CR0_FIXED0) != VMX_CR0_FIXED0) {
        raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
    }
}

void tdx_check_cr4(CPUX86State *env, target_ulong val, uintptr_t ra)
{
    if (env->vmx_root && !(val & CR4_VMXE_MASK)) {
        raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
    }
}

void helper_vmxon(CPUX86State *env, uint64_t pa)
{
    const uint64_t allowed = FEATURE_CONTROL_LOCKED | FEATURE_CONTROL_VMXON_ENABLED_OUTSIDE_SMX;
    uintptr_t ra = GETPC();

    if (!(env->cr[4] & CR4_VMXE_MASK)) {
        raise_exception_ra(env, EXCP06_ILLOP, ra);
    }
    if (env->hflags & HF_CPL_MASK) {
        raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
    }
    if (env->vmx_root) {
        vmx_fail(env, VMXERR_VMXON_IN_ROOT);
        return;
    }
    if ((env->hflags & HF_SMM_MASK) || (env->cr[0] & VMX_CR0_FIXED0) != VMX_CR0_FIXED0 ||
        (env->msr_ia32_feature_control & allowed) != allowed) {
        raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
    }
    if (!vmx_pointer_ok(env, pa) ||
        x86_ldl_phys(env_cpu(env), pa & ~env_archcpu(env)->tdx_keyid_mask) != VMCS_REVISION) {
        vmx_set_flags(env, CC_C);
        return;
    }
    env->vmx_root = true;
    env->vmx_vmxon_ptr = pa & ~env_archcpu(env)->tdx_keyid_mask;
    env->vmx_vmcs_ptr = VMCS_NONE;
    vmx_succeed(env);
}

void helper_vmxoff(CPUX86State *env)
{
    vmx_check(env, GETPC());
    env->vmx_root = false;
    vmx_succeed(env);
    /* An INIT that came in VMX root operation is taken now: see tb exit in the translator */
}

void helper_vmclear(CPUX86State *env, uint64_t pa)
{
    uint64_t ram = pa & ~env_archcpu(env)->tdx_keyid_mask;

    vmx_check(env, GETPC());
    if (!vmx_pointer_ok(env, pa)) {
        vmx_fail(env, VMXERR_VMCLEAR_ADDRESS);
    } else if (ram == env->vmx_vmxon_ptr) {
        vmx_fail(env, VMXERR_VMCLEAR_VMXON_POINTER);
    } else {
        if (env->vmx_vmcs_ptr == ram) {
            env->vmx_vmcs_ptr = VMCS_NONE;
        }
        vmx_succeed(env);
    }
}

void helper_vmptrld(CPUX86State *env, uint64_t pa)
{
    uint64_t ram = pa & ~env_archcpu(env)->tdx_keyid_mask;

    vmx_check(env, GETPC());
    if (!vmx_pointer_ok(env, pa)) {
        vmx_fail(env, VMXERR_VMPTRLD_ADDRESS);
    } else if (ram == env->vmx_vmxon_ptr) {
        vmx_fail(env, VMXERR_VMPTRLD_VMXON_POINTER);
    } else if (x86_ldl_phys(env_cpu(env), ram) != VMCS_REVISION) {
        vmx_fail(env, VMXERR_VMPTRLD_REVISION);
    } else {
        env->vmx_vmcs_ptr = ram;
        vmx_succeed(env);
    }
}

uint64_t helper_vmptrst(CPUX86State *env)
{
    vmx_check(env, GETPC());
    vmx_succeed(env);
    return env->vmx_vmcs_ptr;
}

static bool vmread(CPUX86State *env, uint64_t encoding, uint64_t *val, uintptr_t ra)
{
    vmx_check(env, ra);
    if (env->vmx_vmcs_ptr == VMCS_NONE) {
        vmx_set_flags(env, CC_C);
        return false;
    }
    if (!vmcs_read(env, encoding, val)) {
        qemu_log_mask(LOG_UNIMP, "VMREAD: no VMCS field 0x%" PRIx64 "\n", encoding);
        vmx_fail(env, VMXERR_NO_SUCH_FIELD);
        return false;
    }
    vmx_succeed(env);
    return true;
}

/* Returns the new value of the destination register: the old one if the read fails */
uint64_t helper_vmread_reg(CPUX86State *env, uint64_t encoding, uint64_t old)
{
    vmread(env, encoding, &old, GETPC());
    return old;
}

void helper_vmread_mem(CPUX86State *env, target_ulong addr, uint64_t encoding)
{
    uint64_t val;

    if (vmread(env, encoding, &val, GETPC())) {
        cpu_stq_data_ra(env, addr, val, GETPC());
    }
}

void helper_vmwrite(CPUX86State *env, uint64_t encoding, uint64_t val)
{
    vmx_check(env, GETPC());
    if (env->vmx_vmcs_ptr == VMCS_NONE) {
        vmx_set_flags(env, CC_C);
    } else if (!vmcs_write(env, encoding, val)) {
        qemu_log_mask(LOG_UNIMP, "VMWRITE: no VMCS field 0x%" PRIx64 "\n", encoding);
        vmx_fail(env, VMXERR_NO_SUCH_FIELD);
    } else {
        vmx_succeed(env);
    }
}

void helper_vmentry(CPUX86State *env, uint32_t resume)
{
    vmx_check(env, GETPC());
    /* A VMCS is never launched here, so VMRESUME fails for that; VMLAUNCH for its controls */
    vmx_fail(env, resume ? VMXERR_VMRESUME_NOT_LAUNCHED : VMXERR_ENTRY_CONTROLS);
}

void helper_inv_ept_vpid(CPUX86State *env, uint32_t vpid, uint64_t type, target_ulong addr)
{
    uintptr_t ra = GETPC();

    vmx_check(env, ra);
    /* The descriptor has to be readable, although nothing is cached */
    cpu_ldq_data_ra(env, addr, ra);
    cpu_ldq_data_ra(env, addr + 8, ra);
    if (vpid ? type > 3 : type != 1 && type != 2) {
        vmx_fail(env, VMXERR_INV_OPERAND);
    } else {
        vmx_succeed(env);
    }
}

/* 64-byte direct store; dst is relative to ES, whose base is 0 in 64-bit mode */
void helper_movdir64b(CPUX86State *env, target_ulong dst, target_ulong src)
{
    uintptr_t ra = GETPC();
    uint64_t line[8];
    int i;

    if (dst & 63) {
        raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
    }
    for (i = 0; i < 8; i++) {
        line[i] = cpu_ldq_data_ra(env, src + 8 * i, ra);
    }
    tdx_check_movdir64b(dst, ra);
    for (i = 0; i < 8; i++) {
        cpu_stq_data_ra(env, dst + 8 * i, line[i], ra);
    }
    tdx_check_movdir64b(-1, 0);
}
