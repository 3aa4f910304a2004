/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TARGET_I386_TDX_VMX_H
#define TARGET_I386_TDX_VMX_H

#include "cpu.h"

#define VMCS_REVISION   0x11
#define VMCS_NONE       (~0ULL)     /* no current VMCS */

/* IA32_VMX_CR0_FIXED0: what CR0 must have in VMX operation */
#define VMX_CR0_FIXED0  (CR0_PE_MASK | CR0_NE_MASK | CR0_PG_MASK)

/* Flags after a VMX instruction: all but these are clear */
static inline void vmx_set_flags(CPUX86State *env, uint32_t flags)
{
    env->cc_src = flags;            /* the translator sets CC_OP_EFLAGS */
}

#endif
