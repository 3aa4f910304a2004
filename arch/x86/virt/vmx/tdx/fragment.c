// SPDX-License-Identifier: GPL-2.0
/*
 * Fragmented memory, on purpose: two files in /sys/kernel/debug/tdx for tests.
 *
 *   fragment	KiB, a power of two: all free memory is allocated, and every other
 *		block of that size is freed. 0: the rest is freed, too.
 *   contig	KiB: allocate a contiguous piece in the way that mainline does it for
 *		a PAMT, and free it; -ENOMEM if there is none.
 *
 * Blocks are aligned, the even ones are free. An odd one may have pages in use that
 * could be moved away; one more reference to its first and its last page, and they
 * cannot.
 */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/slab.h>

#include "tdx.h"

static DEFINE_MUTEX(fragment_lock);
/* Blocks that were allocated; page_private() is the order. */
static LIST_HEAD(fragment_blocks);
/* Pages with a reference of ours */
static struct page **fragment_walls;
static unsigned long fragment_nr_walls;
/* Pages of a block, 0: memory is as it was */
static unsigned long fragment_size;

static bool fragment_odd(unsigned long pfn)
{
	return pfn / fragment_size % 2;
}

static void fragment_note(struct page *page, unsigned int order)
{
	set_page_private(page, order);
	list_add(&page->lru, &fragment_blocks);
}

/* Keep what of this block is in odd ones. */
static void fragment_keep(struct page *page, unsigned int order)
{
	unsigned long i, pfn = page_to_pfn(page), nr = 1UL << order;

	if (nr <= fragment_size) {
		if (fragment_odd(pfn))
			fragment_note(page, order);
		else
			__free_pages(page, order);
		return;
	}

	split_page(page, order);
	for (i = 0; i < nr; i++) {
		if (fragment_odd(pfn + i))
			fragment_note(page + i, 0);
		else
			__free_page(page + i);
	}
}

/* All of it, what is kept for emergencies and for devices included */
static void fragment_take(struct list_head *all, int nid, gfp_t zone)
{
	struct page *page;
	int order;

	for (order = MAX_ORDER - 1; order >= 0; order--) {
		while ((page = alloc_pages_node(nid, zone | __GFP_THISNODE | __GFP_MEMALLOC |
						     __GFP_NOWARN, order))) {
			set_page_private(page, order);
			list_add(&page->lru, all);
		}
	}
}

static void fragment_wall(unsigned long pfn)
{
	struct page *page = pfn_to_online_page(pfn);

	if (page && !PageReserved(page) && get_page_unless_zero(page))
		fragment_walls[fragment_nr_walls++] = page;
}

static void fragment_walls_up(struct zone *zone)
{
	unsigned long pfn;

	for (pfn = ALIGN_DOWN(zone->zone_start_pfn, 2 * fragment_size) + fragment_size;
	     pfn < zone_end_pfn(zone); pfn += 2 * fragment_size) {
		fragment_wall(pfn);
		fragment_wall(pfn + fragment_size - 1);
	}
}

static void fragment_undo(void)
{
	struct page *page, *next;

	while (fragment_nr_walls)
		put_page(fragment_walls[--fragment_nr_walls]);
	kvfree(fragment_walls);

	list_for_each_entry_safe(page, next, &fragment_blocks, lru) {
		list_del(&page->lru);
		__free_pages(page, page_private(page));
	}
	fragment_size = 0;
}

static int fragment_do(unsigned long pages)
{
	struct page *page, *next;
	unsigned long room = 0;
	struct zone *zone;
	LIST_HEAD(all);
	int nid;

	if (fragment_size)
		return -EBUSY;
	if (!is_power_of_2(pages))
		return -EINVAL;

	for_each_populated_zone(zone)
		room += zone->spanned_pages / pages + 4;
	fragment_walls = kvcalloc(room, sizeof(*fragment_walls), GFP_KERNEL);
	if (!fragment_walls)
		return -ENOMEM;
	fragment_size = pages;

	for_each_online_node(nid) {
		fragment_take(&all, nid, __GFP_DMA);
		fragment_take(&all, nid, __GFP_DMA32);
		fragment_take(&all, nid, 0);
	}
	list_for_each_entry_safe(page, next, &all, lru) {
		list_del(&page->lru);
		fragment_keep(page, page_private(page));
	}
	for_each_populated_zone(zone)
		fragment_walls_up(zone);

	return 0;
}

static int fragment_set(void *data, u64 kib)
{
	int ret = 0;

	mutex_lock(&fragment_lock);
	if (kib)
		ret = fragment_do(kib >> (PAGE_SHIFT - 10));
	else if (fragment_size)
		fragment_undo();
	mutex_unlock(&fragment_lock);

	return ret;
}
DEFINE_DEBUGFS_ATTRIBUTE(fragment_fops, NULL, fragment_set, "%llu\n");

static int contig_set(void *data, u64 kib)
{
	unsigned long nr = kib >> (PAGE_SHIFT - 10);
	struct page *page;

	page = alloc_contig_pages(nr, GFP_KERNEL, first_online_node, &node_online_map);
	if (!page)
		return -ENOMEM;

	free_contig_range(page_to_pfn(page), nr);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(contig_fops, NULL, contig_set, "%llu\n");

void __init tdx_test_fragment_init(struct dentry *dir)
{
	debugfs_create_file_unsafe("fragment", 0200, dir, NULL, &fragment_fops);
	debugfs_create_file_unsafe("contig", 0200, dir, NULL, &contig_fops);
}
