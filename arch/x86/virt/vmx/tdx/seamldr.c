// SPDX-License-Identifier: GPL-2.0
/*
 * P-SEAMLDR: the persistent SEAM loader, which knows what is loaded.
 */
#define pr_fmt(fmt) "tdx: " fmt

#include <linux/errno.h>
#include <linux/io.h>
#include <linux/printk.h>
#include <linux/slab.h>

#include "arch.h"
#include "seamcall.h"
#include "tdx.h"

static_assert(sizeof(struct seamldr_info) == 256);
static_assert(offsetof(struct seamldr_info, seamextend.seam_ready) == 160);
static_assert(offsetof(struct seamldr_info, features0) == 168);

/* Ask P-SEAMLDR about itself. Return: as seamldr_find_module(). */
static int seamldr_read(struct seamldr_info *info)
{
	struct seamcall_args args = { .rcx = __pa(info) };
	u64 status;
	int ret;

	status = seamcall(SEAMLDR_INFO, &args);
	ret = seamcall_errno(status);
	switch (ret) {
	case 0:
		return 0;
	case -EPERM:
		pr_err("cannot ask P-SEAMLDR: this CPU is not in VMX operation, KVM has to turn it on first\n");
		return -EPERM;
	case -ENODEV:
		pr_info("not available: no P-SEAMLDR is loaded by firmware: switch TDX on in the BIOS setup, see its log if it is\n");
		return -ENODEV;
	default:
		pr_err("not available: SEAMLDR.INFO failed: status 0x%llx\n", status);
		return -ENODEV;
	}
}

/**
 * seamldr_find_module() - has firmware loaded a TDX module?
 *
 * Says what P-SEAMLDR is there, or why there is no module.
 *
 * Context: Process context. SEAMRR has to be enabled.
 * Return: 0 if it has, -ENODEV if not, -EPERM if this CPU is not in VMX
 *	   operation, -ENOMEM.
 */
int seamldr_find_module(void)
{
	struct seamldr_info *info;
	int ret;

	/* kmalloc() aligns powers of two to their size. */
	info = kzalloc(sizeof(*info), GFP_KERNEL);
	if (!info)
		return -ENOMEM;

	ret = seamldr_read(info);
	if (ret)
		goto free_info;

	pr_info("P-SEAMLDR %u.%u.%02u, build %u of %08x%s\n", info->major,
		info->minor, info->update, info->build_num, info->build_date,
		info->attributes & TDX_ATTRIBUTES_DEBUG ? ", debug" : "");

	if (!info->seamextend.valid || !info->seamextend.seam_ready) {
		pr_info("not available: no TDX module is loaded by firmware: check the BIOS setup and that the module file is where the BIOS looks for it\n");
		ret = -ENODEV;
	}

free_info:
	kfree(info);
	return ret;
}
