// SPDX-License-Identifier: GPL-2.0
/*
 * Handing the TDMRs to the module: TDH.SYS.CONFIG.
 */
#include <linux/align.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/overflow.h>

#include "arch.h"
#include "observe.h"
#include "seamcall.h"
#include "tdx.h"

static_assert(offsetof(struct tdmr_info, pamt_1g_base) == 16);
static_assert(offsetof(struct tdmr_info, pamt_4k_size) == 56);
static_assert(offsetof(struct tdmr_info, reserved) == 64);

/**
 * tdx_config_alloc() - allocate what TDH.SYS.CONFIG reads
 * @config: to be freed by tdx_config_free() unless an error is returned
 * @nr_tdmrs: room for as many TDMRs
 * @limits: what the module says about TDMRs
 *
 * Return: 0, or -ENOMEM with a message.
 */
int tdx_config_alloc(struct tdx_config *config, unsigned int nr_tdmrs,
		     const struct tdmr_limits *limits)
{
	struct tdmr_info *info;

	config->stride = ALIGN(struct_size(info, reserved, limits->max_reserved),
			       TDMR_INFO_ALIGN);
	config->infos = ALIGN(nr_tdmrs * sizeof(u64), TDMR_PTRS_ALIGN);
	config->bytes = config->infos + nr_tdmrs * config->stride;
	config->buf = alloc_pages_exact(config->bytes,
					GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);

	return config->buf ? 0 : tdx_no_memory("the configuration of the module");
}

/**
 * tdx_config_free() - counterpart of tdx_config_alloc()
 * @config: what was allocated; nothing afterwards
 */
void tdx_config_free(struct tdx_config *config)
{
	if (config->buf)
		free_pages_exact(config->buf, config->bytes);
	config->buf = NULL;
}

static void tdx_fill_tdmr(struct tdmr_info *info, const struct tdmr *tdmr)
{
	unsigned int i;

	info->base = tdmr->base;
	info->size = tdmr->size;
	info->pamt_1g_base = tdmr->pamt_base[TDX_PS_1G];
	info->pamt_1g_size = tdmr->pamt_size[TDX_PS_1G];
	info->pamt_2m_base = tdmr->pamt_base[TDX_PS_2M];
	info->pamt_2m_size = tdmr->pamt_size[TDX_PS_2M];
	info->pamt_4k_base = tdmr->pamt_base[TDX_PS_4K];
	info->pamt_4k_size = tdmr->pamt_size[TDX_PS_4K];

	for (i = 0; i < tdmr->nr_reserved; i++) {
		info->reserved[i].offset = tdmr->reserved[i].start - tdmr->base;
		info->reserved[i].size = tdmr->reserved[i].end -
					 tdmr->reserved[i].start;
	}
}

/**
 * tdx_config_module() - TDH.SYS.CONFIG
 * @config: what was allocated for as many TDMRs as @plan has
 * @plan: TDMRs with PAMTs and reserved areas
 * @global_keyid: the KeyID for the module's own memory
 *
 * Context: Process context. After TDH.SYS.LP.INIT on all CPUs.
 * Return: As seamcall_errno().
 */
int tdx_config_module(struct tdx_config *config, const struct tdmr_plan *plan,
		      u32 global_keyid)
{
	void *info = config->buf + config->infos;
	struct seamcall call = {
		.fn = TDH_SYS_CONFIG,
		.in.rcx = __pa(config->buf),
		.in.rdx = plan->nr_tdmrs,
		.in.r8 = global_keyid,
	};
	u64 *ptrs = config->buf;
	unsigned int i;

	for (i = 0; i < plan->nr_tdmrs; i++, info += config->stride) {
		ptrs[i] = __pa(info);
		tdx_fill_tdmr(info, &plan->tdmrs[i]);
	}

	return tdx_seamcall(&call);
}
