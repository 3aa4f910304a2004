// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TDH.SYS.CONFIG: TDMRs, their PAMTs, and the module's KeyID.
 *
 * TDMR i is read and checked completely, in the order of the functions below,
 * before TDMR i + 1 is read.
 */
#include "internal.h"

#define TDMR_INFO_SIZE		320
#define TDMR_INFO_ALIGN		512
#define POINTERS_SIZE		(TDXM_MAX_TDMRS * 8)

/* How memory has a TDMR: TDMR_INFO */
struct tdmr_info {
	uint64_t base, size;
	struct tdxm_range pamt_1g, pamt_2m, pamt_4k;
	struct tdxm_range reserved[TDXM_MAX_RESERVED];
};

static_assert(sizeof(struct tdmr_info) == TDMR_INFO_SIZE, "TDMR_INFO");

static const uint64_t level_size[NR_LEVELS] = {
	[LEVEL_4K] = PAGE_4K, [LEVEL_2M] = PAGE_4K << 9, [LEVEL_1G] = SIZE_1G,
};

/* The orders in which the module goes through the levels */
static const uint8_t large_first[NR_LEVELS] = { LEVEL_1G, LEVEL_2M, LEVEL_4K };

static bool adds_over(uint64_t a, uint64_t b)
{
	return a + b < a;
}

/* Positions in details of the status: what the others start with, too */
static uint64_t details(uint32_t i, uint32_t b, uint32_t c)
{
	return i | b << 8 | c << 16;
}

/* CMRs without the null ones; those that touch become one */
void tdxm_join_cmrs(struct tdxm *m)
{
	const struct tdxm_range *cmr;
	struct tdxm_range *last = NULL;
	uint32_t i;

	m->nr_cmrs = 0;
	for (i = 0; i < m->platform.nr_cmrs; i++) {
		cmr = &m->platform.cmrs[i];
		if (!cmr->size)
			continue;
		if (last && last->base + last->size == cmr->base) {
			last->size += cmr->size;
			continue;
		}
		last = &m->cmr[m->nr_cmrs++];
		*last = *cmr;
	}
}

static bool in_cmr(const struct tdxm *m, uint64_t base, uint64_t size)
{
	const struct tdxm_range *cmr;
	uint32_t i;

	for (i = 0; i < m->nr_cmrs; i++) {
		cmr = &m->cmr[i];
		if (base >= cmr->base && base + size <= cmr->base + cmr->size)
			return true;
	}
	return false;
}

/*
 * Part k of what a TDMR does not reserve: part 0 is before area 0, and so on,
 * the last one is behind the last area. A part can be empty.
 */
static struct tdxm_range usable_part(const struct tdxm_tdmr *t, uint32_t k)
{
	uint64_t start = k ? t->reserved[k - 1].base + t->reserved[k - 1].size : 0;
	uint64_t end = k < t->nr_reserved ? t->reserved[k].base : t->size;

	return (struct tdxm_range){ t->base + start, end - start };
}

static bool overlaps_usable(const struct tdxm_tdmr *t, const struct tdxm_range *r)
{
	struct tdxm_range part;
	uint32_t k;

	for (k = 0; k <= t->nr_reserved; k++) {
		part = usable_part(t, k);
		if (part.size && ranges_overlap(part.base, part.size, r->base, r->size))
			return true;
	}
	return false;
}

static uint64_t check_base(const struct tdxm *m, const struct tdxm_tdmr *t, uint32_t i)
{
	const struct tdxm_tdmr *prev = i ? &m->tdmr[i - 1] : NULL;

	if (adds_over(t->base, t->size))
		return TDX_INVALID_TDMR | i;
	if (prev && (t->base < prev->base || t->base < prev->base + prev->size))
		return TDX_NON_ORDERED_TDMR | i;
	if (!t->size || !IS_ALIGNED_TO(t->base | t->size, SIZE_1G))
		return TDX_INVALID_TDMR | i;
	if (!tdxm_pa_is_plain(m, t->base) || !tdxm_pa_is_plain(m, t->base + t->size - 1))
		return TDX_INVALID_TDMR | i;
	return TDX_SUCCESS;
}

static uint64_t check_reserved(struct tdxm_tdmr *t, uint32_t i)
{
	const struct tdxm_range *area, *prev = NULL;
	uint32_t j;

	for (j = 0; j < TDXM_MAX_RESERVED; j++, prev = area) {
		area = &t->reserved[j];
		if (!area->size) {
			if (j + 1 < TDXM_MAX_RESERVED && area[1].size)
				return TDX_NON_ORDERED_RESERVED | details(i, j, 0);
			continue;
		}
		if (adds_over(area->base, area->size))
			return TDX_INVALID_RESERVED_IN_TDMR | details(i, j, 0);
		if (prev && (area->base < prev->base || area->base < prev->base + prev->size))
			return TDX_NON_ORDERED_RESERVED | details(i, j, 0);
		if (!IS_ALIGNED_TO(area->base | area->size, PAGE_4K) ||
		    adds_over(t->base, area->base) ||
		    adds_over(t->base + area->base, area->size) ||
		    area->base + area->size > t->size)
			return TDX_INVALID_RESERVED_IN_TDMR | details(i, j, 0);
		t->nr_reserved = j + 1;
	}
	return TDX_SUCCESS;
}

static bool pamt_ok(const struct tdxm *m, const struct tdxm_tdmr *t, unsigned int level)
{
	const struct tdxm_range *pamt = &t->pamt[level];

	return !adds_over(pamt->base, pamt->size) &&
	       IS_ALIGNED_TO(pamt->base | pamt->size, PAGE_4K) &&
	       pamt->size >= t->size / level_size[level] * PAMT_ENTRY_SIZE &&
	       tdxm_pa_is_plain(m, pamt->base) &&
	       tdxm_pa_is_plain(m, pamt->base + pamt->size - 1);
}

static uint64_t check_pamts(const struct tdxm *m, const struct tdxm_tdmr *t, uint32_t i)
{
	unsigned int k;

	for (k = 0; k < NR_LEVELS; k++)
		if (!pamt_ok(m, t, large_first[k]))
			return TDX_INVALID_PAMT | details(i, large_first[k], 0);
	return TDX_SUCCESS;
}

static bool pamts_overlap(const struct tdxm_range *a, const struct tdxm_range *b)
{
	return ranges_overlap(a->base, a->size, b->base, b->size);
}

static uint64_t check_pamt_against_pamts(const struct tdxm *m, const struct tdxm_tdmr *t,
					 uint32_t i)
{
	unsigned int level, other;
	uint32_t j;

	for (j = 0; j < i; j++)
		for (level = 0; level < NR_LEVELS; level++)
			for (other = 0; other < NR_LEVELS; other++)
				if (pamts_overlap(&t->pamt[level], &m->tdmr[j].pamt[other]))
					return TDX_PAMT_OVERLAP | details(i, level, j);

	for (level = 0; level < NR_LEVELS; level++)
		for (other = level + 1; other < NR_LEVELS; other++)
			if (pamts_overlap(&t->pamt[level], &t->pamt[other]))
				return TDX_PAMT_OVERLAP | details(i, level, i);
	return TDX_SUCCESS;
}

/* No PAMT where pages can be given out: not here, not in the TDMRs before */
static uint64_t check_pamt_against_tdmrs(const struct tdxm *m, const struct tdxm_tdmr *t,
					 uint32_t i)
{
	unsigned int level;
	uint32_t j;

	for (j = 0; j <= i; j++) {
		for (level = 0; level < NR_LEVELS; level++)
			if (overlaps_usable(&m->tdmr[j], &t->pamt[level]))
				return TDX_PAMT_OVERLAP | details(i, level, j);
		for (level = 0; j < i && level < NR_LEVELS; level++)
			if (overlaps_usable(t, &m->tdmr[j].pamt[level]))
				return TDX_PAMT_OVERLAP | details(j, level, i);
	}
	return TDX_SUCCESS;
}

static uint64_t check_cmrs(const struct tdxm *m, const struct tdxm_tdmr *t, uint32_t i)
{
	const struct tdxm_range *pamt;
	struct tdxm_range part;
	unsigned int k;

	for (k = 0; k < NR_LEVELS; k++) {
		pamt = &t->pamt[large_first[k]];
		if (!in_cmr(m, pamt->base, pamt->size))
			return TDX_PAMT_OUTSIDE_CMRS | details(i, large_first[k], 0);
	}
	for (k = 0; k <= t->nr_reserved; k++) {
		part = usable_part(t, k);
		if (part.size && !in_cmr(m, part.base, part.size))
			return TDX_TDMR_OUTSIDE_CMRS | i;
	}
	return TDX_SUCCESS;
}

static void read_tdmr(const struct tdxm *m, uint64_t pa, struct tdxm_tdmr *t)
{
	struct tdmr_info info;

	tdxm_read(m, pa, &info, sizeof(info));
	memset(t, 0, sizeof(*t));
	t->base = info.base;
	t->size = info.size;
	t->pamt[LEVEL_4K] = info.pamt_4k;
	t->pamt[LEVEL_2M] = info.pamt_2m;
	t->pamt[LEVEL_1G] = info.pamt_1g;
	memcpy(t->reserved, info.reserved, sizeof(t->reserved));
}

static uint64_t add_tdmr(struct tdxm *m, uint32_t i, uint64_t pa)
{
	struct tdxm_tdmr *t = &m->tdmr[i];
	uint64_t status;

	if (!tdxm_shared_pa_ok(m, pa, TDMR_INFO_ALIGN, TDMR_INFO_ALIGN))
		return TDX_OPERAND_INVALID | OP_RCX;
	read_tdmr(m, pa, t);

	status = check_base(m, t, i);
	if (!status)
		status = check_reserved(t, i);
	if (!status)
		status = check_pamts(m, t, i);
	if (!status)
		status = check_pamt_against_pamts(m, t, i);
	if (!status)
		status = check_pamt_against_tdmrs(m, t, i);
	if (!status)
		status = check_cmrs(m, t, i);
	return status;
}

uint64_t tdxm_sys_config(struct tdxm_call *c)
{
	uint64_t array = c->in[TDXM_RCX], nr = c->in[TDXM_RDX], keyid = c->in[TDXM_R8];
	struct tdxm *m = c->m;
	uint64_t pa, status;
	uint32_t i;

	if (get_state(m) != TDXM_INIT_DONE ||
	    __atomic_load_n(&m->lps_initialized, __ATOMIC_ACQUIRE) < m->num_lps)
		return TDX_SYS_CONFIG_NOT_PENDING;
	if (!tdxm_shared_pa_ok(m, array, POINTERS_SIZE, POINTERS_SIZE))
		return TDX_OPERAND_INVALID | OP_RCX;
	if (!nr || nr > TDXM_MAX_TDMRS)
		return TDX_OPERAND_INVALID | OP_RDX;
	if (BITS(keyid, 63, 16) || !tdxm_is_private_keyid(m, keyid))
		return TDX_OPERAND_INVALID | OP_R8;

	tdxm_event(c, TDXM_EV_KEYHOLE);
	/* stays reserved whatever comes of the rest */
	m->hkid[keyid % MAX_HKIDS].state = HKID_RESERVED;
	for (i = 0; i < nr; i++) {
		tdxm_read(m, array + 8 * i, &pa, sizeof(pa));
		status = add_tdmr(m, i, pa);
		if (status)
			return status;
	}

	if (!tdxm_alloc_pamt(m, nr))
		return TDX_SYS_BUSY;
	__atomic_store_n(&m->nr_tdmrs, nr, __ATOMIC_RELEASE);
	if (!advance_state(m, TDXM_INIT_DONE, TDXM_CONFIG_DONE)) {
		/* another LP has ended the module meanwhile: it never had these PAMTs */
		tdxm_free_pamt(m);
		__atomic_store_n(&m->nr_tdmrs, 0, __ATOMIC_RELEASE);
		return TDX_SYS_SHUTDOWN;
	}
	for (i = 0; i < nr; i++)
		tdxm_own_pamt(m, &m->tdmr[i], true);
	return TDX_SUCCESS;
}
