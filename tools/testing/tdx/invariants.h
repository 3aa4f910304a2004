/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has to hold inside the model whenever no call is under way, and what a
 * call that was refused may have changed. For tests that make random calls.
 */
#ifndef TDX_TEST_INVARIANTS_H
#define TDX_TEST_INVARIANTS_H

#include "machine.h"

/* Who has which memory, as the model tells; told of by machine->page_owner */
struct owner {
	struct owner *next;
	uint64_t pa, size;
	enum tdxm_page_kind kind;
};

struct owners {
	pthread_mutex_t lock;
	struct owner *list;
	char problem[128];		/* two owners, or none to take away */
};

void owners_event(struct owners *owners, uint64_t pa, uint64_t size, bool owned,
		  enum tdxm_page_kind kind);
void owners_free(struct owners *owners);

/* NULL: all is well. No call is under way; `owners` may be NULL. */
const char *invariants(const struct tdxm *m, const struct owners *owners);

/* Of all that a refused call must leave as it is */
uint64_t digest(const struct tdxm *m);

/* NULL, or a register that a call with this RAX and answer must not change */
const char *registers_ok(const uint64_t in[16], const uint64_t out[16], bool clobbers_rbp);

#endif
