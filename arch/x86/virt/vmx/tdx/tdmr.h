/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _X86_VIRT_TDX_TDMR_H
#define _X86_VIRT_TDX_TDMR_H

/*
 * The planner: which TDMRs cover the TDX memory, where their PAMTs go, and what
 * is reserved in them.
 *
 *   tdmr_plan_layout()		TDMRs and PAMT sizes
 *   tdmr_plan_place()		PAMT memory, found with the caller's allocator
 *   tdmr_plan_reserve()	reserved areas
 *   tdmr_verify()		what TDH.SYS.CONFIG will say to it
 *
 * All of it is arithmetic on the caller's structures: no lock, no allocation,
 * no state of its own, any context. It is compiled in user space too.
 *
 * Intervals are [start, end), in bytes of physical addresses without KeyID
 * bits. A granule is an aligned GiB: TDMRs consist of granules.
 */

#include <linux/bits.h>
#include <linux/types.h>

/* Page sizes that a PAMT level is for */
enum {
	TDX_PS_4K,
	TDX_PS_2M,
	TDX_PS_1G,
	TDX_PS_NR
};

/* TDMR_INFO has no room for more, whatever the module's limit is. */
#define TDMR_MAX_RESERVED	16

/* What modules allow, and the most that memory is cut into for speed */
#define TDMR_MAX_PIECES		64

#define TDMR_GRANULE_SHIFT	30
#define TDMR_GRANULE		BIT_ULL(TDMR_GRANULE_SHIFT)

/**
 * struct tdx_range - a part of physical memory
 * @start: first byte
 * @end: first byte behind it
 */
struct tdx_range {
	u64 start;
	u64 end;
};

/**
 * struct tdx_region - memory of one node that TDX shall be able to use
 * @start: first byte
 * @end: first byte behind it
 * @nid: NUMA node
 */
struct tdx_region {
	u64 start;
	u64 end;
	int nid;
};

/**
 * struct tdmr_limits - what the module says about TDMRs
 * @max_tdmrs: TDMRs in all, at least 1
 * @max_reserved: reserved areas of a TDMR; more than %TDMR_MAX_RESERVED is as
 *		  good as %TDMR_MAX_RESERVED
 * @pamt_entry_size: bytes of a PAMT entry, by page size, at least 1
 */
struct tdmr_limits {
	u16 max_tdmrs;
	u16 max_reserved;
	u16 pamt_entry_size[TDX_PS_NR];
};

/**
 * struct tdmr - a TD memory region
 * @base: address, a multiple of 1 GiB
 * @size: bytes, a multiple of 1 GiB
 * @nid: node that most of its memory is on, and its PAMT should be on
 * @pamt_base: addresses of the PAMT by page size, 0 if it has none yet; side by
 *	       side if memory allows it
 * @pamt_size: bytes of the PAMT by page size, multiples of 4 KiB
 * @nr_reserved: number of @reserved
 * @reserved: what is no usable memory, ascending; addresses, not offsets
 */
struct tdmr {
	u64 base;
	u64 size;
	int nid;
	u64 pamt_base[TDX_PS_NR];
	u64 pamt_size[TDX_PS_NR];
	unsigned int nr_reserved;
	struct tdx_range reserved[TDMR_MAX_RESERVED];
};

/**
 * struct tdmr_error - why there is no plan
 * @why: what is wrong with @range, or which limit it exceeds
 * @range: memory that this is about
 * @nid: if memory for a PAMT is missing, the node that should have it
 * @need: what @range would take, if a number is exceeded, else 0
 * @limit: what there is of it, if a number is exceeded, else 0
 */
struct tdmr_error {
	const char *why;
	struct tdx_range range;
	int nid;
	u64 need;
	u64 limit;
};

/**
 * struct tdmr_plan - input and output of the planner
 * @regions: TDX memory: ascending, disjoint, not empty, multiples of 4 KiB,
 *	     below 2^52
 * @nr_regions: number of @regions, at least 1
 * @cmrs: convertible memory: ascending, disjoint, multiples of 4 KiB; empty ones
 *	  are skipped, those that touch count as one
 * @nr_cmrs: number of @cmrs
 * @limits: what the module says
 * @workers: cut TDMRs so that so many CPUs, each with one at a time and the
 *	     largest first, have the same to do. No more than %TDMR_MAX_PIECES
 *	     TDMRs come of it. A cut costs a page of PAMT. 0 or 1: do not.
 * @per_node: cut TDMRs where the node changes, as far as @limits allow it, so
 *	      that each can have its PAMT on its node. A cut costs a page.
 * @room: reserved areas that every TDMR has to leave for PAMTs. 0: one, unless
 *	  that costs PAMT memory or makes a plan impossible.
 * @scratch: memory for the search when limits are tight, see
 *	     tdmr_scratch_size(). NULL: the plan may have more PAMT than needed
 *	     then.
 * @tdmrs: room for @limits.max_tdmrs TDMRs; result, ascending
 * @nr_tdmrs: number of @tdmrs; result
 * @error: set by every function that returns an error
 *
 * Everything up to @scratch is input and never written to.
 */
struct tdmr_plan {
	const struct tdx_region *regions;
	unsigned int nr_regions;
	const struct tdx_range *cmrs;
	unsigned int nr_cmrs;
	struct tdmr_limits limits;
	unsigned int workers;
	bool per_node;
	unsigned int room;
	void *scratch;

	struct tdmr *tdmrs;
	unsigned int nr_tdmrs;
	struct tdmr_error error;
};

/**
 * struct tdmr_pamt_ops - the allocator of PAMT memory
 * @take: take exactly [@start, @end), memory of node @nid. With @move, what is in
 *	  use there may be moved elsewhere, without it is in the way. Returns 0 if
 *	  it was taken; otherwise, where to try next: an address above @start,
 *	  multiple of 4 KiB, up to which something is in the way.
 * @give: give back the PAMT of a TDMR, all of what @take took, or a part
 */
struct tdmr_pamt_ops {
	u64 (*take)(void *ctx, u64 start, u64 end, int nid, bool move);
	void (*give)(void *ctx, u64 start, u64 end);
};

size_t tdmr_scratch_size(const struct tdmr_plan *plan);
int tdmr_plan_layout(struct tdmr_plan *plan);
void tdmr_plan_split(struct tdmr_plan *plan, unsigned int i, u64 granules);
int tdmr_plan_place(struct tdmr_plan *plan, const struct tdmr_pamt_ops *ops,
		    void *ctx);
int tdmr_plan_reserve(struct tdmr_plan *plan);
int tdmr_verify(struct tdmr_plan *plan);
u64 tdmr_pamt_level(const struct tdmr_limits *limits, u64 granules, int ps);
u64 tdmr_pamt_total(const struct tdmr *tdmr);

#endif /* _X86_VIRT_TDX_TDMR_H */
