// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>

#include "machine.h"

static struct mem_page *find_page(struct memory *mem, uint64_t pa, bool make)
{
	struct mem_page **bucket = &mem->bucket[(pa >> 12) % MEM_BUCKETS], *page;

	for (page = *bucket; page; page = page->next)
		if (page->pa == pa)
			return page;
	page = make ? calloc(1, sizeof(*page)) : NULL;
	if (page) {
		page->pa = pa;
		page->next = *bucket;
		*bucket = page;
	}
	return page;
}

static size_t in_page(uint64_t pa, size_t len)
{
	size_t left = 4096 - pa % 4096;

	return len < left ? len : left;
}

void mem_read(struct memory *mem, uint64_t pa, void *buf, size_t len)
{
	const struct mem_page *page;
	uint8_t *to = buf;
	size_t n;

	pthread_mutex_lock(&mem->lock);
	for (; len; pa += n, to += n, len -= n) {
		n = in_page(pa, len);
		page = find_page(mem, pa & ~UINT64_C(4095), false);
		if (page)
			memcpy(to, page->byte + pa % 4096, n);
		else
			memset(to, 0, n);
	}
	pthread_mutex_unlock(&mem->lock);
}

void mem_write(struct memory *mem, uint64_t pa, const void *buf, size_t len)
{
	const uint8_t *from = buf;
	struct mem_page *page;
	size_t n;

	pthread_mutex_lock(&mem->lock);
	for (; len; pa += n, from += n, len -= n) {
		n = in_page(pa, len);
		page = find_page(mem, pa & ~UINT64_C(4095), true);
		if (page)
			memcpy(page->byte + pa % 4096, from, n);
	}
	pthread_mutex_unlock(&mem->lock);
}

static void mem_free(struct memory *mem)
{
	struct mem_page *page, *next;
	size_t i;

	for (i = 0; i < MEM_BUCKETS; i++)
		for (page = mem->bucket[i]; page; page = next) {
			next = page->next;
			free(page);
		}
	memset(mem->bucket, 0, sizeof(mem->bucket));
	pthread_mutex_destroy(&mem->lock);
}

static void *op_alloc(void *opaque, size_t size)
{
	struct machine *machine = opaque;
	size_t now;

	if (machine->alloc_fail && !--machine->alloc_fail)
		return NULL;
	now = __atomic_add_fetch(&machine->allocated, size, __ATOMIC_RELAXED);
	if (now > __atomic_load_n(&machine->peak, __ATOMIC_RELAXED))
		__atomic_store_n(&machine->peak, now, __ATOMIC_RELAXED);
	return calloc(1, size);
}

static void op_free(void *opaque, void *p, size_t size)
{
	struct machine *machine = opaque;

	__atomic_sub_fetch(&machine->allocated, size, __ATOMIC_RELAXED);
	free(p);
}

static bool op_mem_read(void *opaque, uint64_t pa, void *buf, size_t len)
{
	struct machine *machine = opaque;

	if (machine->top && pa + len > machine->top)
		return false;
	mem_read(&machine->mem, pa, buf, len);
	if (machine->on_read)
		machine->on_read(machine, pa, buf, len);
	return true;
}

static bool op_mem_write(void *opaque, uint64_t pa, const void *buf, size_t len)
{
	struct machine *machine = opaque;

	if (machine->top && pa + len > machine->top)
		return false;
	mem_write(&machine->mem, pa, buf, len);
	if (machine->on_write)
		machine->on_write(machine, pa, buf, len);
	return true;
}

static void op_event(void *opaque, unsigned int lp, enum tdxm_event ev)
{
	struct machine *machine = opaque;

	if (machine->event)
		machine->event(machine, lp, ev);
}

static void op_delay(void *opaque, unsigned int lp, uint64_t ns)
{
	struct machine *machine = opaque;

	if (machine->delay)
		machine->delay(machine, lp, ns);
}

static void op_page_owner(void *opaque, uint64_t pa, uint64_t size, bool owned,
			  enum tdxm_page_kind kind)
{
	struct machine *machine = opaque;

	if (machine->page_owner)
		machine->page_owner(machine, pa, size, owned, kind);
}

static const struct tdxm_ops ops = {
	.alloc = op_alloc,
	.free = op_free,
	.mem_read = op_mem_read,
	.mem_write = op_mem_write,
	.event = op_event,
	.delay = op_delay,
	.page_owner = op_page_owner,
};

struct tdxm *machine_start(struct machine *machine, const struct tdxm_platform *platform)
{
	pthread_mutex_init(&machine->mem.lock, NULL);
	machine->m = tdxm_new(platform, &ops, machine);
	return machine->m;
}

void machine_stop(struct machine *machine)
{
	tdxm_free(machine->m);
	machine->m = NULL;
	mem_free(&machine->mem);
}
