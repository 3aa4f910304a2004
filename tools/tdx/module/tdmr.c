// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TDMR.INIT, and the metadata of pages (PAMT).
 *
 * The PAMT itself is the module's secret; the model keeps what matters of it
 * outside the machine's memory, and only for pages that ever were something
 * else than free or reserved: a pointer for each GiB of a TDMR, below it
 * chunks of 2 MiB, made when a page in them is first assigned. They are kept
 * until the model is freed, so that readers need no lock on the way down.
 */
#include "internal.h"

#define INIT_STEP		(UINT64_C(1024) * PAGE_4K)
#define CHUNK_SIZE		(UINT64_C(1) << CHUNK_SHIFT)

static const enum tdxm_page_kind pamt_kind[NR_LEVELS] = {
	[LEVEL_4K] = TDXM_KIND_PAMT_4K,
	[LEVEL_2M] = TDXM_KIND_PAMT_2M,
	[LEVEL_1G] = TDXM_KIND_PAMT_1G,
};

static size_t gb_table_size(const struct tdxm_tdmr *t)
{
	return t->size / SIZE_1G * sizeof(*t->gb);
}

/* One pointer a GiB for each TDMR. False: no memory, nothing is allocated. */
bool tdxm_alloc_pamt(struct tdxm *m, uint32_t nr)
{
	uint32_t i;

	for (i = 0; i < nr; i++) {
		m->tdmr[i].gb = m->ops.alloc(m->opaque, gb_table_size(&m->tdmr[i]));
		if (m->tdmr[i].gb)
			continue;
		while (i-- > 0) {
			m->ops.free(m->opaque, m->tdmr[i].gb, gb_table_size(&m->tdmr[i]));
			m->tdmr[i].gb = NULL;
		}
		return false;
	}
	return true;
}

static void free_chunk(struct tdxm *m, struct tdxm_chunk *chunk)
{
	unsigned int i;

	for (i = 0; i < CHUNK_PAGES; i++)
		if (chunk->page[i].td)
			tdxm_free_td(m, chunk->page[i].td);
	m->ops.free(m->opaque, chunk, sizeof(*chunk));
}

void tdxm_free_pamt(struct tdxm *m)
{
	struct tdxm_gb *gb;
	uint64_t k;
	uint32_t i, j;

	for (i = 0; i < m->nr_tdmrs; i++) {
		for (k = 0; k < m->tdmr[i].size / SIZE_1G; k++) {
			gb = m->tdmr[i].gb[k];
			if (!gb)
				continue;
			for (j = 0; j < ARRAY_LEN(gb->chunk); j++)
				if (gb->chunk[j])
					free_chunk(m, gb->chunk[j]);
			m->ops.free(m->opaque, gb, sizeof(*gb));
		}
		m->ops.free(m->opaque, m->tdmr[i].gb, gb_table_size(&m->tdmr[i]));
	}
}

void tdxm_own_pamt(struct tdxm *m, const struct tdxm_tdmr *t, bool own)
{
	unsigned int level;

	for (level = 0; level < NR_LEVELS; level++)
		tdxm_page_owner(m, t->pamt[level].base, t->pamt[level].size, own, pamt_kind[level]);
}

/* The module is shut down: tell the machine that nothing is the module's any more */
void tdxm_disown_all(struct tdxm *m)
{
	struct tdxm_chunk *chunk;
	struct tdxm_tdmr *t;
	struct tdxm_gb *gb;
	uint64_t pa;
	uint32_t i;

	if (!m->ops.page_owner)
		return;
	for (i = 0; i < __atomic_load_n(&m->nr_tdmrs, __ATOMIC_ACQUIRE); i++) {
		t = &m->tdmr[i];
		for (pa = t->base; pa < t->base + t->size; ) {
			gb = __atomic_load_n(&t->gb[(pa - t->base) / SIZE_1G], __ATOMIC_ACQUIRE);
			if (!gb) {
				pa += SIZE_1G;
				continue;
			}
			chunk = __atomic_load_n(&gb->chunk[pa % SIZE_1G / CHUNK_SIZE],
						__ATOMIC_ACQUIRE);
			if (!chunk) {
				pa += CHUNK_SIZE;
				continue;
			}
			tdxm_disown_td_page(m, &chunk->page[pa % CHUNK_SIZE / PAGE_4K], pa);
			pa += PAGE_4K;
		}
		tdxm_own_pamt(m, t, false);
	}
}

bool tdxm_tdmr(const struct tdxm *m, unsigned int i, struct tdxm_tdmr_info *info)
{
	const struct tdxm_tdmr *t;

	if (i >= __atomic_load_n(&m->nr_tdmrs, __ATOMIC_ACQUIRE))
		return false;
	t = &m->tdmr[i];
	info->base = t->base;
	info->size = t->size;
	memcpy(info->pamt, t->pamt, sizeof(info->pamt));
	info->initialized = __atomic_load_n(&t->done, __ATOMIC_ACQUIRE);
	return true;
}

static struct tdxm_tdmr *find_tdmr(struct tdxm *m, uint64_t pa)
{
	uint32_t lo = 0, hi = m->nr_tdmrs, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (pa < m->tdmr[mid].base)
			hi = mid;
		else if (pa - m->tdmr[mid].base >= m->tdmr[mid].size)
			lo = mid + 1;
		else
			return &m->tdmr[mid];
	}
	return NULL;
}

uint64_t tdxm_sys_tdmr_init(struct tdxm_call *c)
{
	uint64_t base = c->in[TDXM_RCX], next;
	struct tdxm_tdmr *t;

	if (!IS_ALIGNED_TO(base, SIZE_1G) || !tdxm_pa_is_plain(c->m, base))
		return TDX_OPERAND_INVALID | OP_RCX;
	t = find_tdmr(c->m, base);
	if (!t || t->base != base)
		return TDX_OPERAND_INVALID | OP_RCX;
	if (!lock_try_exclusive(&t->lock))
		return TDX_OPERAND_BUSY | OP_RCX;
	tdxm_event(c, TDXM_EV_LOCK);

	if (t->done == t->size) {
		unlock_exclusive(&t->lock);
		return TDX_TDMR_ALREADY_INITIALIZED;
	}
	tdxm_event(c, TDXM_EV_MOVDIR64B);
	tdxm_latency(c);
	next = t->done + INIT_STEP;
	__atomic_store_n(&t->done, next, __ATOMIC_RELEASE);
	unlock_exclusive(&t->lock);

	c->r[TDXM_RDX] = (base + next) & ~(SIZE_1G - 1);
	return TDX_SUCCESS;
}

static bool is_reserved(const struct tdxm_tdmr *t, uint64_t pa)
{
	uint64_t offset = pa - t->base;
	uint32_t j;

	for (j = 0; j < t->nr_reserved; j++)
		if (offset - t->reserved[j].base < t->reserved[j].size)
			return true;
	return false;
}

/*
 * Explicit page operand: a 4 KiB page of an initialised GiB of a TDMR.
 * Status with the operand, or TDX_SUCCESS.
 */
uint64_t tdxm_page_check(struct tdxm *m, uint64_t pa, uint32_t operand)
{
	struct tdxm_tdmr *t;

	if (!IS_ALIGNED_TO(pa, PAGE_4K) || !tdxm_pa_is_plain(m, pa))
		return TDX_OPERAND_INVALID | operand;
	t = find_tdmr(m, pa);
	if (!t || ((pa - t->base) | (SIZE_1G - 1)) >= __atomic_load_n(&t->done, __ATOMIC_ACQUIRE))
		return TDX_OPERAND_ADDR_RANGE_ERROR | operand;
	return TDX_SUCCESS;
}

/* What *slot points to; made if it is not there and `size` is not 0 */
static void *get_or_make(struct tdxm *m, void **slot, size_t size)
{
	void *p = __atomic_load_n(slot, __ATOMIC_ACQUIRE), *made;

	if (p || !size)
		return p;
	made = m->ops.alloc(m->opaque, size);
	if (!made)
		return NULL;
	if (__atomic_compare_exchange_n(slot, &p, made, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return made;
	m->ops.free(m->opaque, made, size);
	return p;
}

/*
 * Metadata of a page that passed tdxm_page_check(). NULL: the page never was
 * anything else than free or reserved; with @make: out of memory.
 */
struct tdxm_page *tdxm_page_get(struct tdxm *m, uint64_t pa, bool make)
{
	struct tdxm_tdmr *t = find_tdmr(m, pa);
	struct tdxm_chunk *chunk;
	struct tdxm_gb *gb;
	unsigned int i;

	gb = get_or_make(m, (void **)&t->gb[(pa - t->base) / SIZE_1G], make ? sizeof(*gb) : 0);
	if (!gb)
		return NULL;
	chunk = get_or_make(m, (void **)&gb->chunk[pa % SIZE_1G / CHUNK_SIZE],
			    make ? sizeof(*chunk) : 0);
	if (!chunk)
		return NULL;
	i = pa % CHUNK_SIZE / PAGE_4K;
	return &chunk->page[i];
}

/* Type of a page whose metadata say no more than "free" */
uint8_t tdxm_page_default_type(struct tdxm *m, uint64_t pa)
{
	return is_reserved(find_tdmr(m, pa), pa) ? PT_RSVD : PT_NDA;
}
