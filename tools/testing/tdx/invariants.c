// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../tdx/module/internal.h"
#include "invariants.h"

void owners_event(struct owners *owners, uint64_t pa, uint64_t size, bool owned,
		  enum tdxm_page_kind kind)
{
	struct owner *o, **p;

	pthread_mutex_lock(&owners->lock);
	for (p = &owners->list; *p; p = &(*p)->next)
		if (pa < (*p)->pa + (*p)->size && (*p)->pa < pa + size)
			break;
	o = *p;
	if (owned && o) {
		snprintf(owners->problem, sizeof(owners->problem),
			 "%#" PRIx64 " has two owners", pa);
	} else if (owned) {
		o = calloc(1, sizeof(*o));
		*o = (struct owner){ owners->list, pa, size, kind };
		owners->list = o;
	} else if (!o || o->pa != pa || o->size != size || o->kind != kind) {
		snprintf(owners->problem, sizeof(owners->problem),
			 "%#" PRIx64 " was not the module's", pa);
	} else {
		*p = o->next;
		free(o);
	}
	pthread_mutex_unlock(&owners->lock);
}

void owners_free(struct owners *owners)
{
	struct owner *o;

	while ((o = owners->list)) {
		owners->list = o->next;
		free(o);
	}
	owners->problem[0] = 0;
}

static const struct owner *find_owner(const struct owners *owners, uint64_t pa)
{
	const struct owner *o;

	for (o = owners->list; o; o = o->next)
		if (pa >= o->pa && pa - o->pa < o->size)
			break;
	return o;
}

static unsigned int nr_owned(const struct owners *owners)
{
	const struct owner *o;
	unsigned int n = 0;

	for (o = owners->list; o; o = o->next)
		n++;
	return n;
}

/* Walk over the metadata that were made */
struct page_walk {
	const struct tdxm *m;
	uint32_t tdmr;
	uint64_t pa;		/* of the next page */
};

static const struct tdxm_page *next_page(struct page_walk *w, uint64_t *pa)
{
	const struct tdxm_tdmr *t;
	const struct tdxm_chunk *chunk;
	const struct tdxm_gb *gb;

	for (; w->tdmr < w->m->nr_tdmrs; w->tdmr++, w->pa = 0) {
		t = &w->m->tdmr[w->tdmr];
		if (!w->pa)
			w->pa = t->base;
		while (w->pa - t->base < t->size) {
			gb = t->gb[(w->pa - t->base) / SIZE_1G];
			if (!gb) {
				w->pa = (w->pa | (SIZE_1G - 1)) + 1;
				continue;
			}
			chunk = gb->chunk[w->pa % SIZE_1G >> CHUNK_SHIFT];
			if (!chunk) {
				w->pa = (w->pa | ((UINT64_C(1) << CHUNK_SHIFT) - 1)) + 1;
				continue;
			}
			*pa = w->pa;
			w->pa += PAGE_4K;
			return &chunk->page[*pa / PAGE_4K % CHUNK_PAGES];
		}
	}
	return NULL;
}

static const struct tdxm_page *find_page(const struct tdxm *m, uint64_t pa)
{
	const struct tdxm_gb *gb;
	const struct tdxm_chunk *chunk;
	uint32_t i;

	for (i = 0; i < m->nr_tdmrs; i++) {
		if (pa - m->tdmr[i].base >= m->tdmr[i].size)
			continue;
		gb = m->tdmr[i].gb[(pa - m->tdmr[i].base) / SIZE_1G];
		chunk = gb ? gb->chunk[pa % SIZE_1G >> CHUNK_SHIFT] : NULL;
		return chunk ? &chunk->page[pa / PAGE_4K % CHUNK_PAGES] : NULL;
	}
	return NULL;
}

static bool initialized(const struct tdxm *m, uint64_t pa)
{
	uint32_t i;

	for (i = 0; i < m->nr_tdmrs; i++)
		if (pa - m->tdmr[i].base < m->tdmr[i].size)
			return (((pa - m->tdmr[i].base) | (SIZE_1G - 1)) < m->tdmr[i].done);
	return false;
}

static bool reserved(const struct tdxm *m, uint64_t pa)
{
	const struct tdxm_tdmr *t;
	uint32_t i, j;

	for (i = 0; i < m->nr_tdmrs; i++) {
		t = &m->tdmr[i];
		for (j = 0; j < t->nr_reserved; j++)
			if (pa - t->base - t->reserved[j].base < t->reserved[j].size)
				return true;
	}
	return false;
}

static uint32_t nr_keyids(const struct tdxm *m)
{
	return m->platform.mktme_keyids + m->platform.tdx_keyids + 1;
}

static const char *check_locks(const struct tdxm *m)
{
	uint32_t i;

	if (m->global.v || m->kot_lock.v || m->seamldr_lock.v)
		return "a lock was not given back";
	for (i = 0; i < TDXM_MAX_PACKAGES; i++)
		if (m->wb[i].lock.v)
			return "the lock of a write-back was not given back";
	for (i = 0; i < m->platform.packages; i++)
		if (m->package[i].lock.v)
			return "the lock of PCONFIG was not given back";
	for (i = 0; i < m->nr_tdmrs; i++)
		if (m->tdmr[i].lock.v)
			return "the lock of a TDMR was not given back";
	for (i = 0; i < m->platform.lps; i++)
		if (m->lp[i].inside)
			return "an LP is said to be inside";
	return NULL;
}

static const char *check_state(const struct tdxm *m)
{
	uint32_t i, lps = 0;

	for (i = 0; i < m->platform.lps; i++)
		lps += m->lp[i].initialized;
	if (lps != m->lps_initialized)
		return "wrong number of initialised LPs";
	if (m->state < TDXM_INIT_DONE && lps)
		return "an LP is initialised before the module";
	if (m->state < TDXM_CONFIG_DONE && (m->nr_tdmrs || m->keyed_packages))
		return "TDMRs or keys before they are configured";
	if (m->state == TDXM_READY &&
	    (uint32_t)__builtin_popcount(m->keyed_packages) < m->num_sockets)
		return "READY, and a package has no key";
	if (m->state == TDXM_CONFIG_DONE && m->num_sockets &&
	    (uint32_t)__builtin_popcount(m->keyed_packages) >= m->num_sockets)
		return "all packages have keys, and not READY";
	return NULL;
}

static const char *check_tdmrs(const struct tdxm *m)
{
	const struct tdxm_tdmr *t;
	uint32_t i;

	for (i = 0; i < m->nr_tdmrs; i++) {
		t = &m->tdmr[i];
		if ((t->base | t->size) & (SIZE_1G - 1) || !t->size)
			return "a TDMR is not made of GiB";
		if (i && t->base < t[-1].base + t[-1].size)
			return "TDMRs overlap";
		if (t->done > t->size || t->done % (4 << 20))
			return "more of a TDMR is initialised than there is";
	}
	return NULL;
}

static const char *check_td(const struct tdxm *m, const struct tdxm_page *tdr, uint64_t pa)
{
	const struct tdxm_td *td = tdr->td;
	const struct tdxm_page *page;
	struct page_walk w = { .m = m };
	uint32_t children = 0;
	bool all_keys;
	uint8_t want;
	uint64_t at;

	if (!td)
		return "a TDR without a TD";
	if (tdr->owner)
		return "a TDR has an owner";
	while ((page = next_page(&w, &at))) {
		children += page->type == PT_TDCX && page->owner == pa;
		if (page->type == PT_TDR && page != tdr && td->lifecycle != TD_TEARDOWN &&
		    page->td->lifecycle != TD_TEARDOWN && page->td->keyid == td->keyid)
			return "two TDs have one KeyID";
	}
	if (children != td->nr_children || children > td->nr_tdcx)
		return "wrong number of pages of a TD";
	all_keys = !(m->keyed_packages & ~td->keyed_packages);
	if ((td->lifecycle == TD_HKID_ASSIGNED && all_keys) ||
	    (td->lifecycle == TD_KEYS_CONFIGURED && !all_keys))
		return "the keys of a TD do not go with its state";
	want = td->lifecycle == TD_BLOCKED ? HKID_FLUSHED : HKID_ASSIGNED;
	if (td->lifecycle != TD_TEARDOWN && m->hkid[td->keyid].state != want)
		return "the KeyID of a TD is not in the state of the TD";
	return NULL;
}

static const char *check_pages(const struct tdxm *m, const struct owners *owners)
{
	unsigned int assigned = 0, live = 0, used = 0, i;
	struct page_walk w = { .m = m };
	const struct tdxm_page *page;
	const struct owner *o;
	const char *problem;
	uint64_t pa;

	while ((page = next_page(&w, &pa))) {
		if (page->lock.v)
			return "the lock of a page was not given back";
		if (page->type == PT_NDA)
			continue;
		assigned++;
		if (!initialized(m, pa))
			return "a page is assigned where no PAMT is";
		if (reserved(m, pa))
			return "a reserved page is assigned";
		o = owners ? find_owner(owners, pa) : NULL;
		if (owners && owners->list && m->state != TDXM_SHUTDOWN &&
		    (!o || o->kind != (page->type == PT_TDR ? TDXM_KIND_TDR : TDXM_KIND_TDCX)))
			return "a page is assigned, and the machine was not told";
		switch (page->type) {
		case PT_TDR:
			problem = check_td(m, page, pa);
			if (problem)
				return problem;
			live += page->td->lifecycle != TD_TEARDOWN;
			break;
		case PT_TDCX:
			if (page->td)
				return "a TDCX page has a TD";
			if (!find_page(m, page->owner) || find_page(m, page->owner)->type != PT_TDR)
				return "a TDCX page has no TDR";
			break;
		default:
			return "a page has an impossible type";
		}
	}
	for (i = 0; i < MAX_HKIDS && i < nr_keyids(m); i++)
		used += m->hkid[i].state == HKID_ASSIGNED || m->hkid[i].state == HKID_FLUSHED;
	if (used != live)
		return "a KeyID is in use, and no TD has it";
	if (owners && m->state == TDXM_SHUTDOWN && owners->list)
		return "after the shutdown something is still the module's";
	if (owners && m->state == TDXM_READY && nr_owned(owners) != 3 * m->nr_tdmrs + assigned)
		return "the machine was told of more or less than is assigned";
	return NULL;
}

const char *invariants(const struct tdxm *m, const struct owners *owners)
{
	const char *problem;

	if (owners && owners->problem[0])
		return owners->problem;
	/* a module that stopped itself stopped in the middle of a call */
	if (m->state == TDXM_STOPPED)
		return NULL;
	problem = check_locks(m);
	if (!problem)
		problem = check_state(m);
	if (!problem)
		problem = check_tdmrs(m);
	if (!problem)
		problem = check_pages(m, owners);
	return problem;
}

static void mix(uint64_t *h, uint64_t v)
{
	*h = (*h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	*h ^= *h >> 29;
}

uint64_t digest(const struct tdxm *m)
{
	struct page_walk w = { .m = m };
	const struct tdxm_page *page;
	uint64_t h = 1, pa;
	uint32_t i;

	mix(&h, m->state);
	mix(&h, m->lps_initialized);
	mix(&h, m->keyed_packages);
	mix(&h, m->nr_tdmrs);
	for (i = 0; i < m->nr_tdmrs; i++) {
		mix(&h, m->tdmr[i].base);
		mix(&h, m->tdmr[i].size);
		mix(&h, m->tdmr[i].done);
	}
	for (i = 0; i < m->platform.lps; i++)
		mix(&h, m->lp[i].initialized | m->lp[i].shut_down << 1);
	/* CONFIG reserves a KeyID even if it is refused */
	for (i = 0; i < MAX_HKIDS && i < nr_keyids(m); i++)
		if (m->hkid[i].state != HKID_FREE && m->hkid[i].state != HKID_RESERVED)
			mix(&h, (uint64_t)i << 32 | m->hkid[i].state << 8 | m->hkid[i].wb_pending);
	for (i = 0; i < TDXM_MAX_PACKAGES; i++)
		mix(&h, m->wb[i].interrupted);
	while ((page = next_page(&w, &pa))) {
		if (page->type == PT_NDA && !page->owner)
			continue;
		mix(&h, pa | page->type);
		mix(&h, page->owner);
		if (page->td) {
			mix(&h, page->td->lifecycle | (uint64_t)page->td->keyid << 32);
			mix(&h, page->td->keyed_packages);
			mix(&h, (uint64_t)page->td->nr_tdcx << 32 | page->td->nr_children);
		}
	}
	return h;
}

/* Registers that a leaf has as outputs, as README says; bit mask */
static uint32_t outputs(uint64_t rax)
{
#define R(reg)	(1u << TDXM_##reg)
	switch (rax & 0xffff) {
	case 33:
		return R(RCX) | R(RDX) | R(R8) | R(R9) | R(R10);
	case 35:
		return R(RCX) | R(RDX) | R(R8);
	case 32:
		return R(RDX) | R(R9);
	case 34:
		return R(RDX) | R(R8);
	case 37:
		return R(R8);
	case 36:
		return R(RDX);
	case 24:
	case 28:
		return R(RCX) | R(RDX) | R(R8) | R(R9) | R(R10) | R(R11);
	case 11:
	case 26:
		return rax & 0xff0000 ? R(RDX) : 0;
	default:
		return 0;
	}
#undef R
}

const char *registers_ok(const uint64_t in[16], const uint64_t out[16], bool clobbers_rbp)
{
	uint32_t may = 1u << TDXM_RAX;
	unsigned int reg;

	if (!(in[TDXM_RAX] & TDXM_SEAMLDR)) {
		may |= outputs(in[TDXM_RAX]);
		if (clobbers_rbp)
			may |= 1u << TDXM_RBP;
	}
	for (reg = 0; reg < TDXM_NR_REGS; reg++)
		if (in[reg] != out[reg] && !(may & 1u << reg))
			return "a register changed that is no output";
	return NULL;
}
