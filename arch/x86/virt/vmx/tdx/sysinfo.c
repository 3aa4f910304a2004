// SPDX-License-Identifier: GPL-2.0
/*
 * What the module says: its version, what TDMRs may be, convertible memory.
 *
 * Modules from 1.5 on answer TDH.SYS.RD, field by field. Module 1.0 has only
 * TDH.SYS.INFO, which fills two structures. All of it comes from outside of the
 * kernel: nothing is used before it has been checked.
 */
#define pr_fmt(fmt) "tdx: " fmt

#include <linux/align.h>
#include <linux/errno.h>
#include <linux/io.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include "arch.h"
#include "observe.h"
#include "seamcall.h"
#include "tdx.h"

static_assert(offsetof(struct tdsysinfo, max_tdmrs) == 32);
static_assert(offsetof(struct tdsysinfo, pamt_entry_size) == 36);
static_assert(offsetof(struct tdsysinfo, td_info) == 48);
static_assert(offsetof(struct tdsysinfo, cpuid_config) == 128);
static_assert(sizeof(struct tdsysinfo) == 1024);

/* CMRs end where physical addresses do. */
#define TDX_MAX_PA	BIT_ULL(52)

/* More than any module has; keeps products of it far from overflow. */
#define TDX_MAX_PAMT_ENTRY	PAGE_SIZE

#define TDX_INFO(_member)	offsetof(struct tdx_sysinfo, _member)
#define TDX_INFO_BYTES(_member)	sizeof_field(struct tdx_sysinfo, _member)

/* Fields that TDH.SYS.RD gives, and where they go. Their ids have their size. */
static const struct {
	u64 id;
	size_t offset;
} tdx_fields[] = {
	{ TDX_FIELD_MAJOR_VERSION, TDX_INFO(major) },
	{ TDX_FIELD_MINOR_VERSION, TDX_INFO(minor) },
	{ TDX_FIELD_UPDATE_VERSION, TDX_INFO(update) },
	{ TDX_FIELD_BUILD_NUM, TDX_INFO(build_num) },
	{ TDX_FIELD_BUILD_DATE, TDX_INFO(build_date) },
	{ TDX_FIELD_SYS_ATTRIBUTES, TDX_INFO(attributes) },
	{ TDX_FIELD_FEATURES0, TDX_INFO(features0) },
	{ TDX_FIELD_MAX_TDMRS, TDX_INFO(limits.max_tdmrs) },
	{ TDX_FIELD_MAX_RESERVED_PER_TDMR, TDX_INFO(limits.max_reserved) },
	{ TDX_FIELD_PAMT_4K_ENTRY_SIZE, TDX_INFO(limits.pamt_entry_size[TDX_PS_4K]) },
	{ TDX_FIELD_PAMT_2M_ENTRY_SIZE, TDX_INFO(limits.pamt_entry_size[TDX_PS_2M]) },
	{ TDX_FIELD_PAMT_1G_ENTRY_SIZE, TDX_INFO(limits.pamt_entry_size[TDX_PS_1G]) },
};

static_assert(TDX_INFO_BYTES(major) == TDX_FIELD_BYTES(TDX_FIELD_MAJOR_VERSION));
static_assert(TDX_INFO_BYTES(minor) == TDX_FIELD_BYTES(TDX_FIELD_MINOR_VERSION));
static_assert(TDX_INFO_BYTES(update) == TDX_FIELD_BYTES(TDX_FIELD_UPDATE_VERSION));
static_assert(TDX_INFO_BYTES(build_num) == TDX_FIELD_BYTES(TDX_FIELD_BUILD_NUM));
static_assert(TDX_INFO_BYTES(build_date) == TDX_FIELD_BYTES(TDX_FIELD_BUILD_DATE));
static_assert(TDX_INFO_BYTES(attributes) == TDX_FIELD_BYTES(TDX_FIELD_SYS_ATTRIBUTES));
static_assert(TDX_INFO_BYTES(features0) == TDX_FIELD_BYTES(TDX_FIELD_FEATURES0));
static_assert(TDX_INFO_BYTES(limits.max_tdmrs) == TDX_FIELD_BYTES(TDX_FIELD_MAX_TDMRS));
static_assert(TDX_INFO_BYTES(limits.max_reserved) ==
	      TDX_FIELD_BYTES(TDX_FIELD_MAX_RESERVED_PER_TDMR));
static_assert(TDX_INFO_BYTES(limits.pamt_entry_size[0]) ==
	      TDX_FIELD_BYTES(TDX_FIELD_PAMT_4K_ENTRY_SIZE));

static int tdx_read_field(u64 id, u64 *val)
{
	struct seamcall call = { .fn = TDH_SYS_RD, .in.rdx = id };
	int ret = tdx_seamcall(&call);

	*val = call.out.r8;
	return ret;
}

static int tdx_read_fields(struct tdx_sysinfo *info)
{
	u64 val;
	int i, ret;

	for (i = 0; i < ARRAY_SIZE(tdx_fields); i++) {
		ret = tdx_read_field(tdx_fields[i].id, &val);
		if (ret)
			return ret;
		/* Little endian: the low bytes are the field. */
		memcpy((void *)info + tdx_fields[i].offset, &val,
		       TDX_FIELD_BYTES(tdx_fields[i].id));
	}

	return 0;
}

static int tdx_read_cmrs(struct cmr_info *cmrs, unsigned int *nr)
{
	unsigned int i;
	u64 val;
	int ret;

	ret = tdx_read_field(TDX_FIELD_NUM_CMRS, &val);
	if (ret)
		return ret;
	if (val > TDX_MAX_CMRS) {
		tdx_err("the module says that there are %llu CMRs, there can be %u at most; update the module or the BIOS, and report it\n",
			val, TDX_MAX_CMRS);
		return -EIO;
	}
	*nr = val;

	for (i = 0; i < *nr; i++) {
		ret = tdx_read_field(TDX_FIELD_CMR_BASE(i), &val);
		if (ret)
			return ret;
		cmrs[i].base = val;

		ret = tdx_read_field(TDX_FIELD_CMR_SIZE(i), &val);
		if (ret)
			return ret;
		cmrs[i].size = val;
	}

	return 0;
}

/* TDH.SYS.INFO needs 1024-byte and 512-byte alignment. */
struct tdx_info_page {
	struct tdsysinfo sysinfo;
	struct cmr_info cmrs[TDX_MAX_CMRS];
};

static int tdx_info_call(struct tdx_info_page *page)
{
	struct seamcall call = {
		.fn = TDH_SYS_INFO,
		.in.rcx = __pa(&page->sysinfo),
		.in.rdx = sizeof(page->sysinfo),
		.in.r8 = __pa(page->cmrs),
		.in.r9 = TDX_MAX_CMRS,
	};
	int ret;

	ret = tdx_seamcall(&call);
	if (!ret && call.out.r9 > TDX_MAX_CMRS) {
		tdx_err("the module says that there are %llu CMRs, there can be %u at most; update the module or the BIOS, and report it\n",
			call.out.r9, TDX_MAX_CMRS);
		return -EIO;
	}

	return ret;
}

static int tdx_read_info(struct tdx_sysinfo *info, struct cmr_info *cmrs,
			 unsigned int *nr)
{
	struct tdx_info_page *page;
	int i, ret;

	page = (struct tdx_info_page *)get_zeroed_page(GFP_KERNEL | __GFP_NOWARN);
	if (!page)
		return tdx_no_memory("the answer of TDH.SYS.INFO");

	ret = tdx_info_call(page);
	if (ret)
		goto free_page;

	info->major = page->sysinfo.major;
	info->minor = page->sysinfo.minor;
	info->build_num = page->sysinfo.build_num;
	info->build_date = page->sysinfo.build_date;
	info->attributes = page->sysinfo.attributes;
	info->limits.max_tdmrs = page->sysinfo.max_tdmrs;
	info->limits.max_reserved = page->sysinfo.max_reserved_per_tdmr;
	for (i = 0; i < TDX_PS_NR; i++)
		info->limits.pamt_entry_size[i] = page->sysinfo.pamt_entry_size;

	memcpy(cmrs, page->cmrs, sizeof(page->cmrs));
	*nr = TDX_MAX_CMRS;

free_page:
	free_page((unsigned long)page);
	return ret;
}

/*
 * Module 1.0 does not know the leaf: SYS_NOT_READY before initialisation,
 * OPERAND_INVALID (leaf number) after it.
 */
static bool tdx_has_sys_rd(void)
{
	struct seamcall call = {
		.fn = TDH_SYS_RD,
		.in.rdx = TDX_FIELD_MAJOR_VERSION,
	};
	u64 status = seamcall(&call) & TDX_STATUS_CODE;

	return status != TDX_SYS_NOT_READY && status != TDX_OPERAND_INVALID;
}

/*
 * One CMR: what is wrong with it? @prev_end is the end of the one before.
 */
static const char *tdx_cmr_wrong(const struct cmr_info *cmr, u64 prev_end)
{
	if (!IS_ALIGNED(cmr->base | cmr->size, TDX_PAGE_4K))
		return "is not a multiple of 4 KiB";
	if (cmr->base >= TDX_MAX_PA || cmr->size > TDX_MAX_PA - cmr->base)
		return "ends beyond the physical address space";
	if (cmr->base < prev_end)
		return "is below the end of the one before, they must ascend and not overlap";
	return NULL;
}

/**
 * tdx_check_cmrs() - check the CMRs that firmware reports, and keep them
 * @cmrs: table of CMRs as the module has it
 * @nr: number of entries, %TDX_MAX_CMRS at most
 * @info: its @cmrs and @nr_cmrs are set; CMRs that touch become one
 *
 * Unused entries belong at the end. The module skips them anywhere, and so does
 * this, with a message.
 *
 * Return: 0, or -EIO with a message if a CMR is not aligned, does not fit into
 *	   physical addresses, is not above the one before, or if there is none.
 */
int tdx_check_cmrs(const struct cmr_info *cmrs, unsigned int nr,
		   struct tdx_sysinfo *info)
{
	struct tdx_range *last = NULL;
	bool unused = false;
	const char *wrong;
	unsigned int i;

	info->nr_cmrs = 0;

	for (i = 0; i < nr; i++) {
		if (!cmrs[i].size) {
			unused = true;
			continue;
		}

		wrong = tdx_cmr_wrong(&cmrs[i], last ? last->end : 0);
		if (wrong) {
			tdx_err(FW_BUG "CMR %u, base 0x%llx size 0x%llx, %s: memory for TDX is not known; look for a BIOS update\n",
				i, cmrs[i].base, cmrs[i].size, wrong);
			return -EIO;
		}
		if (unused)
			pr_warn_once(FW_BUG "CMR %u follows an unused entry; unused entries belong at the end, skipped\n",
				     i);

		if (last && last->end == cmrs[i].base) {
			last->end += cmrs[i].size;
			continue;
		}
		last = &info->cmrs[info->nr_cmrs++];
		last->start = cmrs[i].base;
		last->end = cmrs[i].base + cmrs[i].size;
	}

	if (!info->nr_cmrs) {
		tdx_err(FW_BUG "there is no CMR, so no memory for TDX; look for a BIOS update\n");
		return -EIO;
	}

	return 0;
}

/**
 * tdx_check_limits() - check what the module says about TDMRs
 * @limits: as read; reduced to what this kernel makes use of
 *
 * Return: 0, or -EIO with a message if nothing can be made of it.
 */
int tdx_check_limits(struct tdmr_limits *limits)
{
	int i;

	if (!limits->max_tdmrs) {
		tdx_err("the module says that it takes 0 TDMRs; update the module or the BIOS, and report it\n");
		return -EIO;
	}
	limits->max_tdmrs = min_t(u16, limits->max_tdmrs, TDX_MAX_TDMRS);

	/* TDMR_INFO has room for as many as the module wants: one page at most. */
	if (!limits->max_reserved ||
	    struct_size((struct tdmr_info *)NULL, reserved, limits->max_reserved) > PAGE_SIZE) {
		tdx_err("the module says that a TDMR has %u reserved areas; update the module or the BIOS, and report it\n",
			limits->max_reserved);
		return -EIO;
	}

	for (i = 0; i < TDX_PS_NR; i++) {
		if (limits->pamt_entry_size[i] &&
		    limits->pamt_entry_size[i] <= TDX_MAX_PAMT_ENTRY)
			continue;
		tdx_err("the module says that a PAMT entry has %u bytes; update the module or the BIOS, and report it\n",
			limits->pamt_entry_size[i]);
		return -EIO;
	}

	return 0;
}

/**
 * tdx_sysinfo_read() - ask the module about itself and the platform
 * @info: result, checked
 *
 * Context: Process context. After TDH.SYS.LP.INIT on every CPU.
 * Return: 0; -ENOMEM; -EIO if the answers make no sense; or seamcall_errno().
 */
int tdx_sysinfo_read(struct tdx_sysinfo *info)
{
	struct cmr_info cmrs[TDX_MAX_CMRS] = {};
	unsigned int nr = 0;
	int ret;

	memset(info, 0, sizeof(*info));

	if (tdx_has_sys_rd()) {
		ret = tdx_read_fields(info);
		if (!ret)
			ret = tdx_read_cmrs(cmrs, &nr);
	} else {
		ret = tdx_read_info(info, cmrs, &nr);
	}
	if (ret)
		return ret;

	ret = tdx_check_limits(&info->limits);
	if (ret)
		return ret;

	return tdx_check_cmrs(cmrs, nr, info);
}

/**
 * tdx_sysinfo_print() - say what module and what memory there is
 * @info: what it says
 */
void tdx_sysinfo_print(const struct tdx_sysinfo *info)
{
	unsigned int i;

	pr_info("TDX module %u.%u.%02u, build %u of %u%s, features 0x%llx\n",
		info->major, info->minor, info->update, info->build_num,
		info->build_date,
		info->attributes & TDX_ATTRIBUTES_DEBUG ? ", debug" : "",
		info->features0);

	for (i = 0; i < info->nr_cmrs; i++)
		pr_info("CMR [0x%llx, 0x%llx)\n", info->cmrs[i].start,
			info->cmrs[i].end);
}
