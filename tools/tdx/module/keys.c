// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keys and KeyIDs: TDH.SYS.KEY.CONFIG, the key ownership table, and the leaves
 * that give a KeyID to a TD and take it back.
 *
 * A KeyID goes FREE -> ASSIGNED (MNG.CREATE) -> FLUSHED (MNG.VPFLUSHDONE)
 * -> FREE (MNG.KEY.FREEID, when PHYMEM.CACHE.WB has run on every package).
 */
#include "internal.h"

enum {
	PCONFIG_OK = 0,
	PCONFIG_NO_ENTROPY = 2,
	PCONFIG_BUSY = 5,
};

enum {
	WB_START = 0,
	WB_RESUME = 1,
};

/* Not __builtin_popcount(): the kernel has no libgcc */
static uint32_t count_bits(uint32_t v)
{
	uint32_t n = 0;

	for (; v; v &= v - 1)
		n++;
	return n;
}

static uint64_t pconfig(struct tdxm_call *c)
{
	struct tdxm_package *package = &c->m->package[tdxm_cpu_package(c->m, c->n)];
	uint32_t code = PCONFIG_BUSY;

	if (lock_try_exclusive(&package->lock)) {
		tdxm_event(c, TDXM_EV_PCONFIG);
		code = tdxm_cpu_pconfig(c);
		unlock_exclusive(&package->lock);
	}
	switch (code) {
	case PCONFIG_OK:
		return TDX_SUCCESS;
	case PCONFIG_NO_ENTROPY:
		return TDX_KEY_GENERATION_FAILED;
	case PCONFIG_BUSY:
		return TDX_OPERAND_BUSY | OP_KET;
	default:
		return tdxm_stop(c, FATAL_NO_CODE);
	}
}

uint64_t tdxm_sys_key_config(struct tdxm_call *c)
{
	uint32_t bit = 1u << c->lp->package, keyed = c->m->keyed_packages;
	uint64_t status;

	if (get_state(c->m) != TDXM_CONFIG_DONE)
		return TDX_SYS_KEY_CONFIG_NOT_PENDING;
	if (keyed & bit)
		return TDX_KEY_CONFIGURED;
	status = pconfig(c);
	if (status)
		return status;

	__atomic_store_n(&c->m->keyed_packages, keyed | bit, __ATOMIC_RELEASE);
	if (count_bits(keyed | bit) == c->m->num_sockets)
		advance_state(c->m, TDXM_CONFIG_DONE, TDXM_READY);
	return TDX_SUCCESS;
}

bool tdxm_package_has_key(const struct tdxm *m, unsigned int package)
{
	return package < TDXM_MAX_PACKAGES &&
	       (__atomic_load_n(&m->keyed_packages, __ATOMIC_ACQUIRE) >> package & 1);
}

/* The KeyID is private and not 0x10000 or more, see MNG.CREATE */
uint64_t tdxm_keyid_assign(struct tdxm *m, uint64_t keyid)
{
	struct tdxm_hkid *entry = &m->hkid[keyid % MAX_HKIDS];
	uint64_t status = TDX_HKID_NOT_FREE;

	if (!lock_try_exclusive(&m->kot_lock))
		return TDX_OPERAND_BUSY | OP_KOT;
	if (entry->state == HKID_FREE) {
		entry->state = HKID_ASSIGNED;
		status = TDX_SUCCESS;
	}
	unlock_exclusive(&m->kot_lock);
	return status;
}

/* MNG.CREATE failed after all */
void tdxm_keyid_unassign(struct tdxm *m, uint64_t keyid)
{
	__atomic_store_n(&m->hkid[keyid % MAX_HKIDS].state, HKID_FREE, __ATOMIC_RELEASE);
}

/* Keys of a TD on this LP's package. The caller holds the TDR. */
uint64_t tdxm_td_key_config(struct tdxm_call *c, struct tdxm_td *td)
{
	uint32_t bit = 1u << c->lp->package;
	uint64_t status;

	if (td->lifecycle != TD_HKID_ASSIGNED)
		return TDX_LIFECYCLE_STATE_INCORRECT;
	if (td->keyed_packages & bit)
		return TDX_KEY_CONFIGURED;
	status = pconfig(c);
	if (status)
		return status;

	/* a package that the module has no key on may have one of the TD */
	td->keyed_packages |= bit;
	if (!(c->m->keyed_packages & ~td->keyed_packages))
		td->lifecycle = TD_KEYS_CONFIGURED;
	return TDX_SUCCESS;
}

/* No LP runs the TD any more; caches may still hold its lines. The caller holds the TDR. */
uint64_t tdxm_td_flush(struct tdxm *m, struct tdxm_td *td)
{
	struct tdxm_hkid *entry = &m->hkid[td->keyid % MAX_HKIDS];

	if (td->lifecycle != TD_HKID_ASSIGNED && td->lifecycle != TD_KEYS_CONFIGURED)
		return TDX_LIFECYCLE_STATE_INCORRECT;
	if (!lock_try_exclusive(&m->kot_lock))
		return TDX_OPERAND_BUSY | OP_KOT;
	entry->state = HKID_FLUSHED;
	entry->wb_pending = m->keyed_packages;
	unlock_exclusive(&m->kot_lock);
	td->lifecycle = TD_BLOCKED;
	return TDX_SUCCESS;
}

/* The caller holds the TDR */
uint64_t tdxm_td_free_keyid(struct tdxm *m, struct tdxm_td *td)
{
	struct tdxm_hkid *entry = &m->hkid[td->keyid % MAX_HKIDS];
	uint64_t status = TDX_WBCACHE_NOT_COMPLETE;

	if (td->lifecycle != TD_BLOCKED)
		return TDX_LIFECYCLE_STATE_INCORRECT;
	if (!lock_try_exclusive(&m->kot_lock))
		return TDX_OPERAND_BUSY | OP_KOT;
	if (!entry->wb_pending) {
		entry->state = HKID_FREE;
		td->lifecycle = TD_TEARDOWN;
		status = TDX_SUCCESS;
	}
	unlock_exclusive(&m->kot_lock);
	return status;
}

static bool any_flushed(const struct tdxm *m)
{
	unsigned int i;

	for (i = 0; i < MAX_HKIDS; i++)
		if (m->hkid[i].state == HKID_FLUSHED)
			return true;
	return false;
}

static void written_back(struct tdxm *m, unsigned int package)
{
	unsigned int i;

	for (i = 0; i < MAX_HKIDS; i++)
		if (m->hkid[i].state == HKID_FLUSHED)
			m->hkid[i].wb_pending &= ~(1u << package);
}

/* Locks of this package's write-back and of the KOT are held */
static uint64_t write_back(struct tdxm_call *c, struct tdxm_wb *wb, uint64_t command)
{
	if (command == WB_RESUME && !wb->interrupted)
		return TDX_WBCACHE_RESUME_ERROR;
	if (command == WB_START && !any_flushed(c->m))
		return TDX_NO_HKID_READY_TO_WBCACHE;

	wb->interrupted = tdxm_cpu_intr_pending(c);
	if (wb->interrupted)
		return TDX_INTERRUPTED_RESUMABLE;
	written_back(c->m, c->lp->package);
	return TDX_SUCCESS;
}

uint64_t tdxm_phymem_cache_wb(struct tdxm_call *c)
{
	struct tdxm_wb *wb = &c->m->wb[c->lp->package % TDXM_MAX_PACKAGES];
	uint64_t command = c->in[TDXM_RCX], status;

	if (command > WB_RESUME)
		return TDX_OPERAND_INVALID | OP_RCX;
	if (!lock_try_exclusive(&wb->lock))
		return TDX_OPERAND_BUSY | OP_WBCACHE;
	if (!lock_try_exclusive(&c->m->kot_lock)) {
		unlock_exclusive(&wb->lock);
		return TDX_OPERAND_BUSY | OP_KOT;
	}
	status = write_back(c, wb, command);
	unlock_exclusive(&c->m->kot_lock);
	unlock_exclusive(&wb->lock);
	return status;
}

/* Superseded by FREEID, and left in the module for old hosts */
uint64_t tdxm_mng_key_reclaimid(struct tdxm_call *c)
{
	(void)c;
	return TDX_SUCCESS;
}
