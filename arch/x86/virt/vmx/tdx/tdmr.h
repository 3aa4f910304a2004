/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _X86_VIRT_TDX_TDMR_H
#define _X86_VIRT_TDX_TDMR_H

#include <linux/types.h>

/* Page sizes a PAMT is for */
enum {
	TDX_PS_4K,
	TDX_PS_2M,
	TDX_PS_1G,
	TDX_PS_NR
};

#define TDMR_MAX_RESERVED	16

/* [start, end) */
struct tdx_range {
	u64 start;
	u64 end;
};

struct tdx_region {
	u64 start;
	u64 end;
	int nid;
};

struct tdmr_limits {
	u16 max_tdmrs;
	u16 max_reserved;
	u16 pamt_entry_size[TDX_PS_NR];
};

struct tdmr {
	u64 base;
	u64 size;
	int nid;
	u64 pamt_base[TDX_PS_NR];
	u64 pamt_size[TDX_PS_NR];
	unsigned int nr_reserved;
	struct tdx_range reserved[TDMR_MAX_RESERVED];
};

struct tdmr_error {
	const char *why;
	struct tdx_range range;
};

struct tdmr_plan {
	const struct tdx_region *regions;
	unsigned int nr_regions;
	const struct tdx_range *cmrs;
	unsigned int nr_cmrs;
	struct tdmr_limits limits;
	struct tdmr *tdmrs;
	unsigned int nr_tdmrs;
	struct tdmr_error error;
};

int tdmr_plan_layout(struct tdmr_plan *plan);
int tdmr_plan_split(struct tdmr_plan *plan, unsigned int i);
int tdmr_plan_reserve(struct tdmr_plan *plan);
int tdmr_verify(struct tdmr_plan *plan);

#endif /* _X86_VIRT_TDX_TDMR_H */
