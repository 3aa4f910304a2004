// SPDX-License-Identifier: GPL-2.0
/*
 * The TDX memory list: the kernel's memory that TDX can use.
 *
 * Any page that the page allocator gives out may end up in a TD, so all of the
 * kernel's memory has to be convertible; nothing here looks at pages one by
 * one. Memory that is offline does not count: it is left out, and once the
 * module is initialised it stays offline.
 *
 * The first 1 MiB is left out: it is reserved by the kernel, and firmware does
 * not make it convertible on every platform.
 */
#define pr_fmt(fmt) "tdx: " fmt

#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/memblock.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "observe.h"
#include "tdx.h"
#include "test.h"

/* State of a walk over the kernel's memory */
struct tdx_memory_walk {
	struct tdx_memory *mem;
	unsigned int room;
	const struct tdx_range *cmrs;
	unsigned int nr_cmrs;
	struct tdx_range around;	/* grows to the piece that it is in */
};

typedef int (*tdx_memory_fn)(struct tdx_memory_walk *walk,
			     const struct tdx_region *region);

/* Call @fn for each piece of memory, ascending, from 1 MiB on. */
static int tdx_memory_for_each(struct tdx_memory_walk *walk, tdx_memory_fn fn)
{
	unsigned long start, end;
	struct tdx_region region;
	int i, nid, ret;

	if (tdx_test()) {
		for (i = 0; tdx_test()->memory(i, &region); i++) {
			ret = fn(walk, &region);
			if (ret)
				return ret;
		}
		return 0;
	}

	for_each_mem_pfn_range(i, MAX_NUMNODES, &start, &end, &nid) {
		region.start = max_t(u64, PFN_PHYS(start), SZ_1M);
		region.end = PFN_PHYS(end);
		region.nid = nid;
		if (region.start >= region.end)
			continue;

		ret = fn(walk, &region);
		if (ret)
			return ret;
	}

	return 0;
}

static bool tdx_range_online(u64 start, u64 end)
{
	unsigned long pfn = PHYS_PFN(start);

	if (tdx_test())
		return true;

	for (; pfn < PHYS_PFN(end); pfn = ALIGN(pfn + 1, PAGES_PER_SECTION)) {
		if (pfn_to_online_page(pfn))
			return true;
	}

	return false;
}

static int tdx_memory_not_convertible(u64 start, u64 end, int nid)
{
	if (!tdx_range_online(start, end))
		return 0;

	tdx_err("memory [0x%llx, 0x%llx) of node %d is in no CMR, TDX cannot use it but TDs might get it: take it offline and try again\n",
		start, end, nid);
	return -EAGAIN;
}

static int tdx_memory_add(struct tdx_memory_walk *walk, u64 start, u64 end,
			  int nid)
{
	struct tdx_memory *mem = walk->mem;
	struct tdx_region *last = mem->nr ? &mem->regions[mem->nr - 1] : NULL;

	if (last && last->end == start && last->nid == nid) {
		last->end = end;
		return 0;
	}

	if (WARN_ON_ONCE(mem->nr == walk->room))
		return -EIO;

	mem->regions[mem->nr++] = (struct tdx_region){
		.start = start,
		.end = end,
		.nid = nid,
	};
	return 0;
}

/* Add what of @region is in a CMR; the rest has to be offline. */
static int tdx_memory_region(struct tdx_memory_walk *walk,
			     const struct tdx_region *region)
{
	u64 next = region->start, start, end;
	unsigned int i;
	int ret;

	for (i = 0; i < walk->nr_cmrs; i++) {
		start = max(next, walk->cmrs[i].start);
		end = min(region->end, walk->cmrs[i].end);
		if (start >= end)
			continue;

		if (next < start) {
			ret = tdx_memory_not_convertible(next, start, region->nid);
			if (ret)
				return ret;
		}

		ret = tdx_memory_add(walk, start, end, region->nid);
		if (ret)
			return ret;
		next = end;
	}

	if (next < region->end)
		return tdx_memory_not_convertible(next, region->end, region->nid);

	return 0;
}

static int tdx_memory_count(struct tdx_memory_walk *walk,
			    const struct tdx_region *region)
{
	/* Each CMR can cut one piece off. */
	walk->room++;
	return 0;
}

/**
 * tdx_memory_build() - make the TDX memory list
 * @mem: result; to be freed by tdx_memory_free() unless an error is returned
 * @cmrs: convertible memory, ascending
 * @nr_cmrs: number of @cmrs
 *
 * Context: Process context. Memory hotplug held off (get_online_mems()).
 * Return: 0; -EAGAIN, with a message, if some memory is not convertible but
 *	   online; -ENOMEM; -EIO if there is no memory at all.
 */
int tdx_memory_build(struct tdx_memory *mem, const struct tdx_range *cmrs,
		     unsigned int nr_cmrs)
{
	struct tdx_memory_walk walk = {
		.mem = mem,
		.cmrs = cmrs,
		.nr_cmrs = nr_cmrs,
	};
	int ret;

	tdx_memory_for_each(&walk, tdx_memory_count);
	walk.room += nr_cmrs;

	mem->nr = 0;
	mem->regions = kvcalloc(walk.room, sizeof(*mem->regions),
				GFP_KERNEL | __GFP_NOWARN);
	if (!mem->regions)
		return tdx_no_memory("the list of the kernel's memory");

	ret = tdx_memory_for_each(&walk, tdx_memory_region);
	if (!ret && !mem->nr) {
		tdx_err("no memory of the kernel is in a CMR: remove mem= and memmap= from the command line, or look for a BIOS update\n");
		ret = -EIO;
	}
	if (ret)
		tdx_memory_free(mem);

	return ret;
}

/**
 * tdx_memory_free() - give the list back
 * @mem: the list, empty afterwards
 */
void tdx_memory_free(struct tdx_memory *mem)
{
	kvfree(mem->regions);
	mem->regions = NULL;
	mem->nr = 0;
}

/* The list that memory hotplug is checked against; NULL: anything may come. */
static const struct tdx_memory *tdx_memory_fixed;

static bool tdx_memory_covers(const struct tdx_memory *mem, u64 start, u64 end)
{
	unsigned int i;

	for (i = 0; i < mem->nr; i++) {
		if (start < mem->regions[i].start || start >= mem->regions[i].end)
			continue;
		if (end <= mem->regions[i].end)
			return true;
		/* The neighbour may be another node's. */
		start = mem->regions[i].end;
	}

	return false;
}

/* How long a range that was told is not told again */
#define TDX_TELL_AGAIN	(60 * HZ)

/* How many ranges that were told are remembered */
#define TDX_NR_TOLD	8

static int tdx_memory_grow(struct tdx_memory_walk *walk,
			   const struct tdx_region *region)
{
	if (region->start > walk->around.start || region->end < walk->around.end)
		return 0;

	walk->around.start = region->start;
	walk->around.end = region->end;
	return 1;
}

/* The kernel's memory around [start, end) that is not in the list, like it */
static struct tdx_range tdx_memory_unknown(const struct tdx_memory *mem, u64 start, u64 end)
{
	struct tdx_memory_walk walk = { .around = { .start = start, .end = end } };
	struct tdx_range range;
	unsigned int i;

	tdx_memory_for_each(&walk, tdx_memory_grow);
	range = walk.around;

	for (i = 0; i < mem->nr; i++) {
		if (mem->regions[i].end <= start)
			range.start = max(range.start, mem->regions[i].end);
		if (mem->regions[i].start >= end)
			range.end = min(range.end, mem->regions[i].start);
	}

	return range;
}

/**
 * tdx_memory_refuse() - say that memory stays offline
 * @start: begin of a block that is not in the list
 * @end: its end
 *
 * A device has many blocks, which come online one by one: one line for all of
 * them, and one more for who tries again a while later. What was not printed
 * for want of a place in the log is not remembered either.
 *
 * Context: Memory hotplug held off, which serialises this.
 * Return: Was there a line?
 */
bool tdx_memory_refuse(u64 start, u64 end)
{
	static DEFINE_RATELIMIT_STATE(limit, DEFAULT_RATELIMIT_INTERVAL,
				      DEFAULT_RATELIMIT_BURST);
	static struct {
		struct tdx_range range;
		unsigned long until;
	} told[TDX_NR_TOLD];
	static unsigned int next;
	struct tdx_range range;
	unsigned int i;

	for (i = 0; i < TDX_NR_TOLD; i++) {
		if (start >= told[i].range.start && end <= told[i].range.end &&
		    time_before(jiffies, told[i].until))
			return false;
	}

	if (!__ratelimit(&limit))
		return false;

	range = tdx_memory_unknown(tdx_memory_fixed, start, end);
	told[next].range = range;
	told[next].until = jiffies + TDX_TELL_AGAIN;
	next = (next + 1) % TDX_NR_TOLD;
	pr_err("memory [0x%llx, 0x%llx) may not come online: the TDX module was initialised without it, TDs could not use it; it stays offline until the next boot\n",
	       range.start, range.end);
	return true;
}

static int tdx_memory_notify(struct notifier_block *nb, unsigned long action,
			     void *arg)
{
	const struct memory_notify *m = arg;
	u64 start = PFN_PHYS(m->start_pfn);
	u64 end = start + PFN_PHYS(m->nr_pages);

	if (action != MEM_GOING_ONLINE || !tdx_memory_fixed)
		return NOTIFY_OK;

	if (tdx_memory_covers(tdx_memory_fixed, start, end))
		return NOTIFY_OK;

	tdx_memory_refuse(start, end);
	return notifier_from_errno(-EPERM);
}

static struct notifier_block tdx_memory_nb = {
	.notifier_call = tdx_memory_notify,
};

/**
 * tdx_memory_watch() - prepare to see memory that comes online
 *
 * Does nothing if it has succeeded before.
 *
 * Return: 0, or -ENOMEM with a message: it cannot be watched.
 */
int tdx_memory_watch(void)
{
	static bool watching;
	int ret;

	if (watching)
		return 0;

	ret = register_memory_notifier(&tdx_memory_nb);
	watching = !ret;
	if (watching)
		return 0;

	tdx_err("cannot watch memory hotplug (%d): report this\n", ret);
	return -ENOMEM;
}

/**
 * tdx_memory_fix() - from now on, memory that is not in the list stays offline
 * @mem: the list; has to stay. NULL: anything may come again.
 *
 * Context: Memory hotplug held off (get_online_mems()) since the list was made.
 */
void tdx_memory_fix(const struct tdx_memory *mem)
{
	tdx_memory_fixed = mem;
}
