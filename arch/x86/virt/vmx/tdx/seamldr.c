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
#include "observe.h"
#include "seamcall.h"
#include "status.h"
#include "tdx.h"

static_assert(sizeof(struct seamldr_info) == 256);
static_assert(offsetof(struct seamldr_info, seamextend.seam_ready) == 160);
static_assert(offsetof(struct seamldr_info, features0) == 168);

/* What it said, once it said it */
static struct seamldr_info seamldr;
static bool seamldr_known;

/**
 * seamldr_get_info() - what P-SEAMLDR said about itself
 *
 * Context: Any.
 * Return: NULL if it was not asked yet.
 */
const struct seamldr_info *seamldr_get_info(void)
{
	/* Pairs with seamldr_find_module(). */
	return smp_load_acquire(&seamldr_known) ? &seamldr : NULL;
}

static void seamldr_print(const struct seamcall *call)
{
	char *words = kmalloc(TDX_STATUS_LEN, GFP_KERNEL | __GFP_NOWARN);

	if (words)
		tdx_seamcall_describe(words, TDX_STATUS_LEN, call->fn, call->status, NULL);

	tdx_absent_info("SEAMLDR.INFO failed on CPU %u: %s\n", call->cpu,
			words ?: tdx_status_name(call->status));
	kfree(words);
}

/* Ask P-SEAMLDR about itself. Return: as seamldr_find_module(). */
static int seamldr_read(struct seamldr_info *info)
{
	struct seamcall call = { .fn = SEAMLDR_INFO, .in.rcx = __pa(info) };
	int ret;

	ret = seamcall_errno(seamcall_seamldr(&call));
	switch (ret) {
	case 0:
		return 0;
	case -EPERM:
		tdx_err("cannot ask P-SEAMLDR: this CPU is not in VMX operation, KVM has to turn it on first\n");
		return -EPERM;
	case -ENODEV:
		tdx_absent_info("no P-SEAMLDR is loaded by firmware: switch TDX on in the BIOS setup, see its log if it is\n");
		return -ENODEV;
	default:
		seamldr_print(&call);
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
	info = kzalloc(sizeof(*info), GFP_KERNEL | __GFP_NOWARN);
	if (!info)
		return tdx_no_memory("the answer of P-SEAMLDR");

	ret = seamldr_read(info);
	if (ret)
		goto free_info;

	if (!seamldr_known) {
		seamldr = *info;
		/* Pairs with seamldr_get_info(). */
		smp_store_release(&seamldr_known, true);
	}

	pr_info("P-SEAMLDR %u.%u.%02u, build %u of %08x%s\n", info->major,
		info->minor, info->update, info->build_num, info->build_date,
		info->attributes & TDX_ATTRIBUTES_DEBUG ? ", debug" : "");

	if (!info->seamextend.valid || !info->seamextend.seam_ready) {
		tdx_absent_info("no TDX module is loaded by firmware: check the BIOS setup and that the module file is where the BIOS looks for it\n");
		ret = -ENODEV;
	}

free_info:
	kfree(info);
	return ret;
}
