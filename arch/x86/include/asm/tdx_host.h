/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_X86_TDX_HOST_H
#define _ASM_X86_TDX_HOST_H

/*
 * TDX host support: what KVM and the rest of the kernel may call. See
 * Documentation/x86/tdx-host.rst.
 */

#include <linux/errno.h>
#include <linux/types.h>

struct cpuinfo_x86;

#ifdef CONFIG_INTEL_TDX_HOST

bool tdx_possible(void);
int tdx_detect(void);
int tdx_init(void);

void tdx_cpu_detect(struct cpuinfo_x86 *c);

extern bool tdx_private_cachelines;

/*
 * True if caches may hold lines of private memory: they have to be written
 * back on every CPU before another kernel uses the memory.
 */
static inline bool tdx_cache_flush_needed(void)
{
	return READ_ONCE(tdx_private_cachelines);
}

void tdx_prepare_kexec(void);
bool tdx_refuses_s3(void);
const char *tdx_private_memory(u64 pa);

#else /* !CONFIG_INTEL_TDX_HOST */

static inline bool tdx_possible(void) { return false; }
static inline int tdx_detect(void) { return -ENODEV; }
static inline int tdx_init(void) { return -ENODEV; }
static inline void tdx_cpu_detect(struct cpuinfo_x86 *c) { }
static inline bool tdx_cache_flush_needed(void) { return false; }
static inline void tdx_prepare_kexec(void) { }
static inline bool tdx_refuses_s3(void) { return false; }
static inline const char *tdx_private_memory(u64 pa) { return NULL; }

#endif /* CONFIG_INTEL_TDX_HOST */
#endif /* _ASM_X86_TDX_HOST_H */
