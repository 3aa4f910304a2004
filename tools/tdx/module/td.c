// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TDs as far as a host creates and destroys them: TDR and TDCX pages, keys.
 * Nothing here makes a TD that could run.
 */
#include "internal.h"

#define MAX_TDCX		9
#define TD_UUID_WORDS		4
#define RDSEED_TRIES		3

/* A page operand, checked and locked */
struct page_ref {
	struct tdxm_page *page;
	uint64_t pa;
};

void tdxm_free_td(struct tdxm *m, struct tdxm_td *td)
{
	m->ops.free(m->opaque, td, sizeof(*td));
}

/* On the way out, see tdxm_disown_all() */
void tdxm_disown_td_page(struct tdxm *m, const struct tdxm_page *page, uint64_t pa)
{
	switch (__atomic_load_n(&page->type, __ATOMIC_RELAXED)) {
	case PT_TDR:
		tdxm_page_owner(m, pa, PAGE_4K, false, TDXM_KIND_TDR);
		break;
	case PT_TDCX:
		tdxm_page_owner(m, pa, PAGE_4K, false, TDXM_KIND_TDCX);
		break;
	}
}

/*
 * A page of the given type, with its lock held exclusively. Only for PT_NDA is
 * metadata made that was not there before.
 */
static uint64_t take_page(struct tdxm *m, uint64_t pa, uint8_t type, uint32_t operand,
			  struct page_ref *ref)
{
	uint64_t status = tdxm_page_check(m, pa, operand);

	if (status)
		return status;
	if (type == PT_NDA && tdxm_page_default_type(m, pa) != PT_NDA)
		return TDX_PAGE_METADATA_INCORRECT | operand;

	ref->pa = pa;
	ref->page = tdxm_page_get(m, pa, type == PT_NDA);
	if (!ref->page)
		return type == PT_NDA ? TDX_OPERAND_BUSY | operand :
					TDX_PAGE_METADATA_INCORRECT | operand;
	if (!lock_try_exclusive(&ref->page->lock))
		return TDX_OPERAND_BUSY | operand;
	if (ref->page->type != type) {
		unlock_exclusive(&ref->page->lock);
		return TDX_PAGE_METADATA_INCORRECT | operand;
	}
	return TDX_SUCCESS;
}

static void put_page(const struct page_ref *ref)
{
	unlock_exclusive(&ref->page->lock);
}

static void assign_page(struct tdxm *m, const struct page_ref *ref, uint8_t type, uint64_t owner)
{
	ref->page->owner = owner;
	__atomic_store_n(&ref->page->type, type, __ATOMIC_RELAXED);
	tdxm_page_owner(m, ref->pa, PAGE_4K, true, type == PT_TDR ? TDXM_KIND_TDR : TDXM_KIND_TDCX);
}

/* The owner stays in the metadata of a page that is free again */
static void free_page(struct tdxm *m, const struct page_ref *ref)
{
	tdxm_disown_td_page(m, ref->page, ref->pa);
	__atomic_store_n(&ref->page->type, PT_NDA, __ATOMIC_RELAXED);
}

/* All words are drawn, and each may fail a few times */
static bool draw_uuid(struct tdxm_lp *lp)
{
	unsigned int word, tries;
	bool ok = true;

	for (word = 0; word < TD_UUID_WORDS; word++) {
		for (tries = 0; tries < RDSEED_TRIES; tries++)
			if (tdxm_cpu_rdseed(lp))
				break;
		ok &= tries < RDSEED_TRIES;
	}
	return ok;
}

uint64_t tdxm_mng_create(struct tdxm_call *c)
{
	uint64_t keyid = c->in[TDXM_RDX], status;
	struct tdxm *m = c->m;
	struct page_ref tdr;
	struct tdxm_td *td;

	if (BITS(keyid, 63, 16) || !tdxm_is_private_keyid(m, keyid))
		return TDX_OPERAND_INVALID | OP_RDX;
	status = take_page(m, c->in[TDXM_RCX], PT_NDA, OP_RCX, &tdr);
	if (status)
		return status;

	status = tdxm_keyid_assign(m, keyid);
	if (status)
		goto put;
	td = m->ops.alloc(m->opaque, sizeof(*td));
	if (!td || !draw_uuid(c->lp)) {
		if (td)
			tdxm_free_td(m, td);
		tdxm_keyid_unassign(m, keyid);
		status = TDX_RND_NO_ENTROPY;
		goto put;
	}
	td->lifecycle = TD_HKID_ASSIGNED;
	td->keyid = keyid;
	tdr.page->td = td;
	assign_page(m, &tdr, PT_TDR, 0);
put:
	put_page(&tdr);
	return status;
}

uint64_t tdxm_mng_addcx(struct tdxm_call *c)
{
	struct page_ref tdr, tdcx;
	struct tdxm_td *td;
	uint64_t status;

	status = take_page(c->m, c->in[TDXM_RDX], PT_TDR, OP_RDX, &tdr);
	if (status)
		return status;
	td = tdr.page->td;
	if (td->lifecycle != TD_KEYS_CONFIGURED) {
		status = TDX_TD_KEYS_NOT_CONFIGURED;
		goto put;
	}
	if (td->nr_tdcx >= MAX_TDCX) {
		status = TDX_TDCX_NUM_INCORRECT;
		goto put;
	}
	status = take_page(c->m, c->in[TDXM_RCX], PT_NDA, OP_RCX, &tdcx);
	if (status)
		goto put;
	assign_page(c->m, &tdcx, PT_TDCX, tdr.pa);
	td->nr_tdcx++;
	td->nr_children++;
	put_page(&tdcx);
put:
	put_page(&tdr);
	return status;
}

uint64_t tdxm_mng_key_config(struct tdxm_call *c)
{
	struct page_ref tdr;
	uint64_t status;

	status = take_page(c->m, c->in[TDXM_RCX], PT_TDR, OP_RCX, &tdr);
	if (status)
		return status;
	status = tdxm_td_key_config(c, tdr.page->td);
	put_page(&tdr);
	return status;
}

uint64_t tdxm_mng_vpflushdone(struct tdxm_call *c)
{
	struct page_ref tdr;
	uint64_t status;

	status = take_page(c->m, c->in[TDXM_RCX], PT_TDR, OP_RCX, &tdr);
	if (status)
		return status;
	status = tdxm_td_flush(c->m, tdr.page->td);
	put_page(&tdr);
	return status;
}

uint64_t tdxm_mng_key_freeid(struct tdxm_call *c)
{
	struct page_ref tdr;
	uint64_t status;

	status = take_page(c->m, c->in[TDXM_RCX], PT_TDR, OP_RCX, &tdr);
	if (status)
		return status;
	status = tdxm_td_free_keyid(c->m, tdr.page->td);
	put_page(&tdr);
	return status;
}

/* Outputs of RDMD and RECLAIM: type, owner, level 4K; r9 to r11 are 0 */
static void put_metadata(struct tdxm_call *c, uint8_t type, uint64_t owner)
{
	c->r[TDXM_RCX] = type;
	c->r[TDXM_RDX] = owner;
	c->r[TDXM_R8] = LEVEL_4K;
}

uint64_t tdxm_phymem_page_rdmd(struct tdxm_call *c)
{
	uint64_t pa = c->in[TDXM_RCX], status = tdxm_page_check(c->m, pa, OP_RCX);
	struct tdxm_page *page;

	if (status)
		return status;
	page = tdxm_page_get(c->m, pa, false);
	if (!page) {
		put_metadata(c, tdxm_page_default_type(c->m, pa), 0);
		return TDX_SUCCESS;
	}
	if (!lock_try_shared(&page->lock))
		return TDX_OPERAND_BUSY | OP_RCX;
	put_metadata(c, page->type == PT_NDA ? tdxm_page_default_type(c->m, pa) : page->type,
		     page->owner);
	unlock_shared(&page->lock);
	return TDX_SUCCESS;
}

static uint64_t reclaim_tdr(struct tdxm_call *c, const struct page_ref *tdr)
{
	struct tdxm_td *td = tdr->page->td;

	put_metadata(c, PT_TDR, tdr->page->owner);
	if (td->lifecycle != TD_TEARDOWN)
		return TDX_LIFECYCLE_STATE_INCORRECT;
	if (td->nr_children)
		return TDX_TD_ASSOCIATED_PAGES_EXIST;
	free_page(c->m, tdr);
	tdr->page->td = NULL;
	tdxm_free_td(c->m, td);
	return TDX_SUCCESS;
}

static uint64_t reclaim_child(struct tdxm_call *c, const struct page_ref *ref)
{
	struct page_ref tdr = { .pa = ref->page->owner };
	uint64_t status = TDX_LIFECYCLE_STATE_INCORRECT;

	tdr.page = tdxm_page_get(c->m, tdr.pa, false);
	if (!lock_try_exclusive(&tdr.page->lock))
		return TDX_OPERAND_BUSY | OP_TDR;
	put_metadata(c, ref->page->type, tdr.pa);
	if (tdr.page->td->lifecycle == TD_TEARDOWN) {
		free_page(c->m, ref);
		tdr.page->td->nr_children--;
		status = TDX_SUCCESS;
	}
	put_page(&tdr);
	return status;
}

uint64_t tdxm_phymem_page_reclaim(struct tdxm_call *c)
{
	struct page_ref ref = { .pa = c->in[TDXM_RCX] };
	uint64_t status = tdxm_page_check(c->m, ref.pa, OP_RCX);

	if (status)
		return status;
	ref.page = tdxm_page_get(c->m, ref.pa, false);
	if (!ref.page)
		return TDX_PAGE_METADATA_INCORRECT | OP_RCX;
	if (!lock_try_exclusive(&ref.page->lock))
		return TDX_OPERAND_BUSY | OP_RCX;
	switch (ref.page->type) {
	case PT_TDR:
		status = reclaim_tdr(c, &ref);
		break;
	case PT_TDCX:
		status = reclaim_child(c, &ref);
		break;
	default:
		status = TDX_PAGE_METADATA_INCORRECT | OP_RCX;
	}
	put_page(&ref);
	return status;
}

/* The page is free: which KeyID it had does not matter any more */
uint64_t tdxm_phymem_page_wbinvd(struct tdxm_call *c)
{
	uint64_t pa = c->in[TDXM_RCX] & ~tdxm_keyid_mask(c->m);
	uint64_t status = tdxm_page_check(c->m, pa, OP_RCX);
	struct tdxm_page *page;
	uint8_t type;

	if (status)
		return status;
	page = tdxm_page_get(c->m, pa, false);
	type = page ? __atomic_load_n(&page->type, __ATOMIC_RELAXED) : PT_NDA;
	if (type == PT_NDA)
		type = tdxm_page_default_type(c->m, pa);
	return type == PT_NDA ? TDX_SUCCESS : TDX_PAGE_METADATA_INCORRECT | OP_RCX;
}

/*
 * A leaf for TDs that have been built up further than any here: as far as such
 * a leaf gets.
 */
static uint64_t td_operand(struct tdxm_call *c, uint64_t pa, uint32_t operand)
{
	struct page_ref tdr;
	uint64_t status;

	status = take_page(c->m, pa, PT_TDR, operand, &tdr);
	if (status)
		return status;
	if (tdr.page->td->lifecycle != TD_KEYS_CONFIGURED)
		status = TDX_TD_KEYS_NOT_CONFIGURED;
	else if (tdr.page->td->nr_tdcx < FIXED_TDCS_SIZE / PAGE_4K)
		status = TDX_TDCS_NOT_ALLOCATED;
	else
		status = TDX_OP_STATE_INCORRECT;
	put_page(&tdr);
	return status;
}

uint64_t tdxm_td_in_rcx(struct tdxm_call *c)
{
	return td_operand(c, c->in[TDXM_RCX], OP_RCX);
}

uint64_t tdxm_td_in_rdx(struct tdxm_call *c)
{
	return td_operand(c, c->in[TDXM_RDX], OP_RDX);
}

/* There are no TDVPR pages */
static uint64_t vp_operand(struct tdxm_call *c, uint64_t pa, uint32_t operand)
{
	uint64_t status = tdxm_page_check(c->m, pa, operand);

	return status ? status : TDX_PAGE_METADATA_INCORRECT | operand;
}

uint64_t tdxm_vp_in_rcx(struct tdxm_call *c)
{
	return vp_operand(c, c->in[TDXM_RCX], OP_RCX);
}

uint64_t tdxm_vp_in_rdx(struct tdxm_call *c)
{
	return vp_operand(c, c->in[TDXM_RDX], OP_RDX);
}

/* A TD can not serve itself */
uint64_t tdxm_servtd_bind(struct tdxm_call *c)
{
	if (c->in[TDXM_RCX] == c->in[TDXM_RDX])
		return TDX_OPERAND_INVALID | OP_RDX;
	return tdxm_td_in_rcx(c);
}
