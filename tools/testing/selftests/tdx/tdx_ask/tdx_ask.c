// SPDX-License-Identifier: GPL-2.0
/*
 * Asks for the TDX module as KVM does. It stays loaded if the module is
 * initialised; else loading it fails with the error. Somebody has to keep a VM:
 * CPUs are in VMX operation then.
 */
#include <linux/module.h>

#include <asm/tdx_host.h>

static int __init tdx_ask_init(void)
{
	return tdx_detect() ?: tdx_init();
}
module_init(tdx_ask_init);

static void __exit tdx_ask_exit(void)
{
}
module_exit(tdx_ask_exit);

MODULE_DESCRIPTION("Asks for the TDX module, for tests");
MODULE_LICENSE("GPL");
/* Built on its own, but it is no stranger. */
MODULE_INFO(intree, "Y");
