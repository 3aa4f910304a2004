/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _X86_VIRT_TDX_TEST_H
#define _X86_VIRT_TDX_TEST_H

/*
 * Where KUnit takes the machine's place. Outside of the test configuration
 * tdx_test() is NULL for the compiler, which removes all that depends on it.
 */

#include <linux/types.h>

struct seamcall_args;
struct tdx_region;

/**
 * struct tdx_test_machine - what tests put in place of the machine
 * @seamcall: takes SEAMCALLs
 * @vmx: is this CPU in VMX operation?
 * @memory: i-th piece of the kernel's memory; false beyond the last one
 * @cpus_missing: not all present CPUs are online
 * @pamt_fails: this allocation of memory for PAMTs fails
 */
struct tdx_test_machine {
	u64 (*seamcall)(u64 fn, struct seamcall_args *args);
	bool (*vmx)(void);
	bool (*memory)(unsigned int i, struct tdx_region *region);
	bool (*cpus_missing)(void);
	bool (*pamt_fails)(void);
};

#ifdef CONFIG_INTEL_TDX_HOST_KUNIT_TEST
/* NULL: the real machine. Changed only while no TDX code runs. */
extern const struct tdx_test_machine *tdx_test_machine;

static inline const struct tdx_test_machine *tdx_test(void)
{
	return tdx_test_machine;
}
#else
static inline const struct tdx_test_machine *tdx_test(void)
{
	return NULL;
}
#endif

#endif /* _X86_VIRT_TDX_TEST_H */
