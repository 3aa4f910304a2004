// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Faults: answers that the platform description, or a test at run time, puts
 * in the place of the module's own.
 */
#include "internal.h"

static size_t faults_size(uint32_t nr)
{
	return sizeof(struct tdxm_faults) + nr * sizeof(((struct tdxm_faults *)0)->entry[0]);
}

bool tdxm_set_faults(struct tdxm *m, const struct tdxm_fault *faults, unsigned int nr)
{
	struct tdxm_faults *list = NULL;
	uint32_t i;

	if (nr > TDXM_MAX_FAULTS)
		return false;
	if (nr) {
		list = m->ops.alloc(m->opaque, faults_size(nr));
		if (!list)
			return false;
		list->nr = nr;
		for (i = 0; i < nr; i++)
			list->entry[i].fault = faults[i];
		list->older = __atomic_load_n(&m->all_faults, __ATOMIC_RELAXED);
		while (!__atomic_compare_exchange_n(&m->all_faults, &list->older, list, true,
						    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
			;
	}
	__atomic_store_n(&m->faults, list, __ATOMIC_RELEASE);
	return true;
}

void tdxm_free_faults(struct tdxm *m)
{
	struct tdxm_faults *list;

	while ((list = m->all_faults)) {
		m->all_faults = list->older;
		m->ops.free(m->opaque, list, faults_size(list->nr));
	}
}

static bool matches(const struct tdxm_fault *f, unsigned int lp, uint64_t rax)
{
	uint64_t leaf = (rax & TDXM_SEAMLDR) | BITS(rax, 15, 0);

	return (f->leaf == TDXM_ANY_LEAF || f->leaf == leaf) &&
	       (f->lp == TDXM_ALL_LPS || (uint32_t)f->lp == lp);
}

/* Every fault that matches counts the call; the first one that is due strikes */
bool tdxm_fault_strikes(struct tdxm *m, unsigned int lp, uint64_t rax, struct tdxm_fault *f)
{
	struct tdxm_faults *list = __atomic_load_n(&m->faults, __ATOMIC_ACQUIRE);
	const struct tdxm_fault *candidate;
	bool strikes = false;
	uint64_t seen;
	uint32_t i;

	for (i = 0; list && i < list->nr; i++) {
		candidate = &list->entry[i].fault;
		if (!matches(candidate, lp, rax))
			continue;
		seen = __atomic_add_fetch(&list->entry[i].seen, 1, __ATOMIC_RELAXED);
		if (strikes || seen < candidate->nth)
			continue;
		if (candidate->count && seen - candidate->nth >= candidate->count)
			continue;
		*f = *candidate;
		strikes = true;
	}
	if (strikes)
		__atomic_add_fetch(&m->faults_hit, 1, __ATOMIC_RELAXED);
	return strikes;
}

uint64_t tdxm_faults_hit(const struct tdxm *m)
{
	return __atomic_load_n(&m->faults_hit, __ATOMIC_RELAXED);
}
