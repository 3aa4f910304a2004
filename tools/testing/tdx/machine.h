/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine for host tests: memory that reads as zero until it is written, and
 * the operations of the model on it. May be used by many threads.
 */
#ifndef TDX_TEST_MACHINE_H
#define TDX_TEST_MACHINE_H

#include <pthread.h>

#include "../../tdx/module/tdx_module.h"

#define MEM_BUCKETS	1024

struct mem_page {
	struct mem_page *next;
	uint64_t pa;
	uint8_t byte[4096];
};

struct memory {
	struct mem_page *bucket[MEM_BUCKETS];
	pthread_mutex_t lock;
};

struct machine {
	struct memory mem;
	struct tdxm *m;
	/* set before calls are made, or NULL */
	void (*event)(struct machine *machine, unsigned int lp, enum tdxm_event ev);
	void (*delay)(struct machine *machine, unsigned int lp, uint64_t ns);
	void (*page_owner)(struct machine *machine, uint64_t pa, uint64_t size, bool owned,
			   enum tdxm_page_kind kind);
	void (*on_read)(struct machine *machine, uint64_t pa, const void *buf, size_t len);
	void (*on_write)(struct machine *machine, uint64_t pa, const void *buf, size_t len);
	/* memory at or above this address is not there; 0: no limit */
	uint64_t top;
	/* the alloc_fail-th allocation from now fails; 0: none */
	unsigned int alloc_fail;
	size_t allocated, peak;
	void *user;
};

/* NULL: no memory, or a platform the model does not take */
struct tdxm *machine_start(struct machine *machine, const struct tdxm_platform *platform);
void machine_stop(struct machine *machine);

void mem_read(struct memory *mem, uint64_t pa, void *buf, size_t len);
void mem_write(struct memory *mem, uint64_t pa, const void *buf, size_t len);

#endif
