/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine that can host TDX, under TCG: what the rest of QEMU calls.
 *
 * Without "-object tdx-platform" nothing of this is active: tdx_platform is
 * NULL and the machine is the one that QEMU has always had.
 */
#ifndef TARGET_I386_TDX_H
#define TARGET_I386_TDX_H

#include "cpu.h"

struct X86MachineState;

#if defined(CONFIG_TCG) && defined(TARGET_X86_64) && !defined(CONFIG_USER_ONLY)

typedef struct TdxPlatform TdxPlatform;
extern TdxPlatform *tdx_platform;

static inline bool tdx_enabled(void)
{
    return tdx_platform != NULL;
}

/* CPU: CPUID bits and KeyID bits, after TCG has removed what it cannot do */
bool tdx_cpu_realize(X86CPU *cpu, Error **errp);

/* CPUID leaves of the platform's own. False: not one of them. */
bool tdx_cpuid(CPUX86State *env, uint32_t index, uint32_t *eax, uint32_t *ebx, uint32_t *ecx,
               uint32_t *edx);

/*
 * MSRs. True: the MSR is the platform's, and it has been read or written.
 * False: nothing is known of it. They may raise #GP(0).
 */
bool tdx_rdmsr(CPUX86State *env, uint32_t msr, uint64_t *val, uintptr_t ra);
bool tdx_wrmsr(CPUX86State *env, uint32_t msr, uint64_t val, uintptr_t ra);
uint64_t tdx_mtrrcap_bits(CPUX86State *env);

/* VMX root operation restricts CR0 and CR4: raises #GP(0) */
void tdx_check_cr0(CPUX86State *env, target_ulong val, uintptr_t ra);
void tdx_check_cr4(CPUX86State *env, target_ulong val, uintptr_t ra);

/* Address of the function that has a mark, see mark.c; 0: there is none */
extern uint64_t tdx_mark;

/*
 * Machine: see that it is the one described, and give it the memory map of
 * the description. False: there is no tdx-platform, the board does it.
 */
bool tdx_machine_memory(struct X86MachineState *x86ms);

/*
 * Bytes at the end of the RAM below 4 GiB where no initial RAM disk may be;
 * @without: as many as the board says.
 */
int tdx_initrd_gap(struct X86MachineState *x86ms, int without);

/* SRAT: memory of the nodes. False: the board does it. */
bool tdx_build_srat_memory(GArray *table_data);

#else

static inline bool tdx_enabled(void)
{
    return false;
}

static inline bool tdx_cpu_realize(X86CPU *cpu, Error **errp)
{
    return true;
}

static inline bool tdx_cpuid(CPUX86State *env, uint32_t index, uint32_t *eax, uint32_t *ebx,
                             uint32_t *ecx, uint32_t *edx)
{
    return false;
}

static inline bool tdx_rdmsr(CPUX86State *env, uint32_t msr, uint64_t *val, uintptr_t ra)
{
    return false;
}

static inline bool tdx_wrmsr(CPUX86State *env, uint32_t msr, uint64_t val, uintptr_t ra)
{
    return false;
}

static inline uint64_t tdx_mtrrcap_bits(CPUX86State *env)
{
    return 0;
}

static inline void tdx_check_cr0(CPUX86State *env, target_ulong val, uintptr_t ra)
{
}

static inline void tdx_check_cr4(CPUX86State *env, target_ulong val, uintptr_t ra)
{
}

static inline bool tdx_machine_memory(struct X86MachineState *x86ms)
{
    return false;
}

static inline int tdx_initrd_gap(struct X86MachineState *x86ms, int without)
{
    return without;
}

static inline bool tdx_build_srat_memory(GArray *table_data)
{
    return false;
}

#endif
#endif
