/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults: answers that the platform description, or a test at run time, puts
 * in the place of the module's own.
 */
#include "internal.h"

static void lock(struct tdxm *m)
{
	while (__atomic_exchange_n(&m->faults_lock, 1, __ATOMIC_ACQUIRE))
		;
}

static void unlock(struct tdxm *m)
{
	__atomic_store_n(&m->faults_lock, 0, __ATOMIC_RELEASE);
}

bool tdxm_set_faults(struct tdxm *m, const struct tdxm_fault *faults, unsigned int nr)
{
	if (nr > TDXM_MAX_FAULTS)
		return false;
	lock(m);
	memset(m->fault_seen, 0, sizeof(m->fault_seen));
	if (nr)
		memcpy(m->faults, faults, nr * sizeof(*faults));
	__atomic_store_n(&m->nr_faults, nr, __ATOMIC_RELAXED);
	unlock(m);
	return true;
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
	bool strikes = false;
	uint32_t i, seen;

	if (!__atomic_load_n(&m->nr_faults, __ATOMIC_RELAXED))
		return false;

	lock(m);
	for (i = 0; i < m->nr_faults; i++) {
		if (!matches(&m->faults[i], lp, rax))
			continue;
		seen = m->fault_seen[i];
		if (seen < UINT32_MAX)
			m->fault_seen[i] = ++seen;
		if (strikes || seen < m->faults[i].nth)
			continue;
		if (m->faults[i].count && seen - m->faults[i].nth >= m->faults[i].count)
			continue;
		*f = m->faults[i];
		strikes = true;
	}
	if (strikes)
		m->faults_hit++;
	unlock(m);
	return strikes;
}

uint64_t tdxm_faults_hit(const struct tdxm *m)
{
	return __atomic_load_n(&m->faults_hit, __ATOMIC_RELAXED);
}
