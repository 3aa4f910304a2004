// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Life of a model, and the way of a SEAMCALL: SEAMRR, faults, P-SEAMLDR or
 * module, the module's dispatcher, its locks, the handler.
 */
#include "internal.h"

#define RAX_LEAF(rax)		((uint32_t)BITS(rax, 15, 0))
#define RAX_VERSION(rax)	((uint32_t)BITS(rax, 23, 16))
#define MAX_VERSION		1	/* of the leaves that have versions */
#define RAX_RESERVED		UINT64_C(0xffffffffff000000)

#define BIT_OF(reg)		(1u << (reg))
#define OUT_RCX_RDX_R8		(BIT_OF(TDXM_RCX) | BIT_OF(TDXM_RDX) | BIT_OF(TDXM_R8))
#define OUT_R9_R10		(BIT_OF(TDXM_R9) | BIT_OF(TDXM_R10))
#define OUT_PAGE		(OUT_RCX_RDX_R8 | OUT_R9_R10 | BIT_OF(TDXM_R11))

enum leaf_flags {
	EARLY		= 1 << 0,	/* allowed before READY */
	EXCLUSIVE	= 1 << 1,	/* takes the global lock so ... */
	SHARED		= 1 << 2,	/* ... or so */
	HANDOFF_V0	= 1 << 3,	/* RCX must be handoff version 0, checked before the lock */
	RDX_IS_NEXT	= 1 << 4,	/* RDX starts as -1, "no next field" */
	R8_IS_NEXT	= 1 << 5,
	VERSIONS	= 1 << 6,	/* RAX[23:16] may be something else than 0 */
	VERSION_NEXT	= 1 << 7,	/* then RDX is a next field, too */
	OWN_LATENCY	= 1 << 8,	/* the handler waits itself, with its own lock held */
	MODULE_1_5	= 1 << 9,	/* not there in module 1.0 */
};

struct leaf {
	tdxm_handler handler;
	uint16_t flags;
	uint16_t clear;		/* registers set to 0 before anything is checked */
};

/*
 * Handlers of TD leaves above creation do no more than check their first
 * page operands: nothing gets as far as an initialised TD here.
 */
static const struct leaf leaves[TDXM_MAX_LEAVES] = {
	[0]  = { tdxm_vp_in_rcx, 0, 0 },			/* VP.ENTER */
	[1]  = { tdxm_mng_addcx, 0, 0 },
	[2]  = { tdxm_td_in_rdx, 0, 0 },			/* MEM.PAGE.ADD */
	[3]  = { tdxm_td_in_rdx, VERSIONS, 0 },			/* MEM.SEPT.ADD */
	[4]  = { tdxm_vp_in_rdx, 0, 0 },			/* VP.ADDCX */
	[5]  = { tdxm_td_in_rdx, 0, 0 },
	[6]  = { tdxm_td_in_rdx, 0, 0 },			/* MEM.PAGE.AUG */
	[7]  = { tdxm_td_in_rdx, 0, 0 },			/* MEM.RANGE.BLOCK */
	[8]  = { tdxm_mng_key_config, 0, 0 },
	[9]  = { tdxm_mng_create, 0, 0 },
	[10] = { tdxm_td_in_rdx, 0, 0 },			/* VP.CREATE */
	[11] = { tdxm_td_in_rcx, VERSIONS | VERSION_NEXT, 0 },	/* MNG.RD */
	[12] = { tdxm_td_in_rdx, 0, 0 },			/* MEM.RD */
	[13] = { tdxm_td_in_rcx, 0, 0 },			/* MNG.WR */
	[14] = { tdxm_td_in_rdx, 0, 0 },			/* MEM.WR */
	[15] = { tdxm_td_in_rdx, 0, 0 },			/* MEM.PAGE.DEMOTE */
	[16] = { tdxm_td_in_rdx, 0, 0 },			/* MR.EXTEND */
	[17] = { tdxm_td_in_rcx, 0, 0 },			/* MR.FINALIZE */
	[18] = { tdxm_vp_in_rcx, 0, 0 },			/* VP.FLUSH */
	[19] = { tdxm_mng_vpflushdone, 0, 0 },
	[20] = { tdxm_mng_key_freeid, 0, 0 },
	[21] = { tdxm_td_in_rcx, 0, 0 },			/* MNG.INIT */
	[22] = { tdxm_vp_in_rcx, 0, 0 },			/* VP.INIT */
	[23] = { tdxm_td_in_rdx, VERSIONS, 0 },			/* MEM.PAGE.PROMOTE */
	[24] = { tdxm_phymem_page_rdmd, 0, OUT_PAGE },
	[25] = { tdxm_td_in_rdx, 0, 0 },			/* MEM.SEPT.RD */
	[26] = { tdxm_vp_in_rcx, VERSIONS | VERSION_NEXT, 0 },	/* VP.RD */
	[27] = { tdxm_mng_key_reclaimid, 0, 0 },
	[28] = { tdxm_phymem_page_reclaim, 0, OUT_PAGE },
	[29] = { tdxm_td_in_rdx, 0, 0 },			/* MEM.PAGE.REMOVE */
	[30] = { tdxm_td_in_rdx, VERSIONS, 0 },			/* MEM.SEPT.REMOVE */
	[31] = { tdxm_sys_key_config, EARLY | EXCLUSIVE, 0 },
	[32] = { tdxm_sys_info, EARLY, BIT_OF(TDXM_RDX) | BIT_OF(TDXM_R9) },
	[33] = { tdxm_sys_init, EARLY | EXCLUSIVE, OUT_RCX_RDX_R8 | OUT_R9_R10 },
	[34] = { tdxm_sys_rd, EARLY | MODULE_1_5 | RDX_IS_NEXT, BIT_OF(TDXM_R8) },
	[35] = { tdxm_sys_lp_init, EARLY | SHARED, OUT_RCX_RDX_R8 },
	[36] = { tdxm_sys_tdmr_init, OWN_LATENCY, BIT_OF(TDXM_RDX) },
	[37] = { tdxm_sys_rdall, EARLY | MODULE_1_5 | R8_IS_NEXT, 0 },
	[38] = { tdxm_td_in_rcx, 0, 0 },			/* MEM.TRACK */
	[39] = { tdxm_td_in_rdx, 0, 0 },			/* MEM.RANGE.UNBLOCK */
	[40] = { tdxm_phymem_cache_wb, 0, 0 },
	[41] = { tdxm_phymem_page_wbinvd, 0, 0 },
	[43] = { tdxm_vp_in_rcx, 0, 0 },			/* VP.WR */
	[44] = { tdxm_sys_lp_shutdown, EARLY, 0 },
	[45] = { tdxm_sys_config, EARLY | EXCLUSIVE, 0 },
	[48] = { tdxm_servtd_bind, MODULE_1_5, 0 },
	[49] = { tdxm_td_in_rcx, MODULE_1_5, 0 },		/* SERVTD.PREBIND */
	[52] = { tdxm_sys_shutdown, MODULE_1_5 | HANDOFF_V0 | EXCLUSIVE, 0 },
	[53] = { tdxm_sys_update, EARLY | MODULE_1_5 | EXCLUSIVE, 0 },
	[64] = { tdxm_td_in_rcx, MODULE_1_5, 0 },		/* EXPORT.ABORT */
	[65] = { tdxm_td_in_rdx, MODULE_1_5, 0 },		/* EXPORT.BLOCKW */
	[66] = { tdxm_td_in_rdx, MODULE_1_5, 0 },		/* EXPORT.RESTORE */
	[68] = { tdxm_td_in_rdx, MODULE_1_5, 0 },		/* EXPORT.MEM */
	[70] = { tdxm_td_in_rcx, MODULE_1_5, 0 },		/* EXPORT.PAUSE */
	[71] = { tdxm_td_in_rcx, MODULE_1_5, 0 },		/* EXPORT.TRACK */
	[72] = { tdxm_td_in_rcx, MODULE_1_5, 0 },		/* EXPORT.STATE.IMMUTABLE */
	[73] = { tdxm_td_in_rcx, MODULE_1_5, 0 },		/* EXPORT.STATE.TD */
	[74] = { tdxm_td_in_rcx, MODULE_1_5, 0 },		/* EXPORT.STATE.VP */
	[75] = { tdxm_td_in_rdx, MODULE_1_5, 0 },		/* EXPORT.UNBLOCKW */
	[80] = { tdxm_td_in_rcx, MODULE_1_5, 0 },		/* IMPORT.ABORT */
	[81] = { tdxm_td_in_rcx, MODULE_1_5, 0 },		/* IMPORT.END */
	[82] = { tdxm_td_in_rcx, MODULE_1_5, 0 },		/* IMPORT.COMMIT */
	[83] = { tdxm_td_in_rdx, MODULE_1_5, 0 },		/* IMPORT.MEM */
	[84] = { tdxm_td_in_rcx, MODULE_1_5, 0 },		/* IMPORT.TRACK */
	[85] = { tdxm_td_in_rcx, MODULE_1_5, 0 },		/* IMPORT.STATE.IMMUTABLE */
	[86] = { tdxm_td_in_rcx, MODULE_1_5, 0 },		/* IMPORT.STATE.TD */
	[87] = { tdxm_td_in_rcx, MODULE_1_5, 0 },		/* IMPORT.STATE.VP */
	[96] = { tdxm_td_in_rdx, MODULE_1_5, 0 },		/* MIG.STREAM.CREATE */
};

void tdxm_platform_init(struct tdxm_platform *p)
{
	memset(p, 0, sizeof(*p));
	p->lps = 2;
	p->packages = 1;
	p->pa_width = 52;
	p->mktme_keyids = 31;
	p->tdx_keyids = 32;
	p->nr_cmrs = 2;
	p->cmrs[0] = (struct tdxm_range){ 0x100000, 0x76f00000 };
	p->cmrs[1] = (struct tdxm_range){ UINT64_C(0x100000000), 0x80000000 };
	p->seamrr = (struct tdxm_range){ 0x7a000000, 0x2000000 };
	p->smrr = (struct tdxm_range){ 0x7c000000, 0x1000000 };
	p->smrr2 = (struct tdxm_range){ 0x7d000000, 0x1000000 };
	p->seamrr_supported = true;
	p->seamrr_enabled = true;
	p->seamrr_locked = true;
	p->num_lps = TDXM_DEFAULT;
	p->num_sockets = TDXM_DEFAULT;
	p->handoff_pages = 13;
	tdxm_module_by_name(&p->module, "1.5.01");
}

struct tdxm *tdxm_new(const struct tdxm_platform *p, const struct tdxm_ops *ops, void *opaque)
{
	struct tdxm *m;

	if (!p->lps || p->lps > TDXM_MAX_LPS || !p->packages || p->packages > TDXM_MAX_LPS ||
	    p->nr_cmrs > TDXM_MAX_CMRS || p->nr_faults > TDXM_MAX_FAULTS)
		return NULL;

	m = ops->alloc(opaque, sizeof(*m));
	if (!m)
		return NULL;
	m->platform = *p;
	m->ops = *ops;
	m->opaque = opaque;
	m->num_lps = p->num_lps == TDXM_DEFAULT ? p->lps : p->num_lps;
	m->num_sockets = p->num_sockets == TDXM_DEFAULT ? p->packages : p->num_sockets;
	m->state = TDXM_PENDING;
	m->hostile = p->hostile;

	/* ops->alloc need not know of cache lines */
	m->lp_alloc_size = p->lps * sizeof(*m->lp) + __alignof__(*m->lp);
	m->lp_alloc = ops->alloc(opaque, m->lp_alloc_size);
	m->package = ops->alloc(opaque, p->packages * sizeof(*m->package));
	if (!m->lp_alloc || !m->package) {
		tdxm_free(m);
		return NULL;
	}
	m->lp = (struct tdxm_lp *)(((uintptr_t)m->lp_alloc + __alignof__(*m->lp) - 1) &
				   ~(uintptr_t)(__alignof__(*m->lp) - 1));
	tdxm_cpu_init(m);
	if (!tdxm_set_faults(m, p->faults, p->nr_faults)) {
		tdxm_free(m);
		return NULL;
	}
	return m;
}

void tdxm_free(struct tdxm *m)
{
	if (!m)
		return;
	tdxm_free_pamt(m);
	tdxm_free_faults(m);
	if (m->package)
		m->ops.free(m->opaque, m->package, m->platform.packages * sizeof(*m->package));
	if (m->lp_alloc)
		m->ops.free(m->opaque, m->lp_alloc, m->lp_alloc_size);
	m->ops.free(m->opaque, m, sizeof(*m));
}

void tdxm_observe(struct tdxm *m,
		  void (*event)(void *opaque, unsigned int lp, enum tdxm_event ev), void *opaque)
{
	m->observer_opaque = opaque;
	m->observer = event;
}

/* Memory that is not there reads as all-ones, as on a bus */
void tdxm_read(const struct tdxm *m, uint64_t pa, void *buf, size_t len)
{
	if (!m->ops.mem_read(m->opaque, pa & ~tdxm_keyid_mask(m), buf, len))
		memset(buf, 0xff, len);
}

void tdxm_write(const struct tdxm *m, uint64_t pa, const void *buf, size_t len)
{
	m->ops.mem_write(m->opaque, pa & ~tdxm_keyid_mask(m), buf, len);
}

/* PA bits that hold the KeyID, as INIT read their number */
uint64_t tdxm_keyid_mask(const struct tdxm *m)
{
	return (PA_LIMIT - 1) & ~((PA_LIMIT >> m->sys.keyid_bits) - 1);
}

/* Page operands of the module's own memory: below 2^52 and no KeyID */
bool tdxm_pa_is_plain(const struct tdxm *m, uint64_t pa)
{
	return pa < PA_LIMIT && !(pa & tdxm_keyid_mask(m));
}

/* Memory that the host shares with the module: [pa, pa + size) */
bool tdxm_shared_pa_ok(const struct tdxm *m, uint64_t pa, uint64_t align, uint64_t size)
{
	uint64_t mask = tdxm_keyid_mask(m);
	uint64_t keyid = pa >> (52 - m->sys.keyid_bits);

	if (!IS_ALIGNED_TO(pa, align) || pa >= PA_LIMIT)
		return false;
	if (keyid >= m->sys.mktme_keyids + 1)
		return false;
	return !ranges_overlap(pa & ~mask, size, m->sys.seamrr.base, m->sys.seamrr.size);
}

bool tdxm_is_private_keyid(const struct tdxm *m, uint64_t keyid)
{
	uint32_t first = m->sys.mktme_keyids + 1;
	uint32_t last = m->sys.mktme_keyids + m->sys.tdx_keyids;

	return keyid >= first && keyid <= last;
}

/* The module's fatal-error path: the handler returns what this returns */
uint64_t tdxm_stop(struct tdxm_call *c, uint64_t code)
{
	__atomic_store_n(&c->m->fatal, code, __ATOMIC_RELAXED);
	set_state(c->m, TDXM_STOPPED);
	return TDX_FATAL;
}

void tdxm_latency(const struct tdxm_call *c)
{
	uint64_t ns = c->m->platform.latency_ns[RAX_LEAF(c->in[TDXM_RAX]) % TDXM_MAX_LEAVES];

	if (ns && c->m->ops.delay)
		c->m->ops.delay(c->m->opaque, c->n, ns);
}

/*
 * SHUTDOWN has to know whether another LP is inside. To keep the other leaves
 * free of a shared counter, each LP has a flag. An LP sets it before it looks
 * at the state, and a shutdown changes the state before it looks at the flags
 * for the last time: one of the two sees the other (all of them are seq_cst).
 */
static void enter(struct tdxm_call *c)
{
	__atomic_store_n(&c->lp->inside, 1, __ATOMIC_SEQ_CST);
}

static bool others_inside(const struct tdxm_call *c)
{
	uint32_t i;

	for (i = 0; i < c->m->platform.lps; i++)
		if (i != c->n && __atomic_load_n(&c->m->lp[i].inside, __ATOMIC_SEQ_CST))
			return true;
	return false;
}

static void leave(struct tdxm_call *c)
{
	uint32_t wanted = DISOWN_WANTED;

	__atomic_store_n(&c->lp->inside, 0, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&c->m->disown, __ATOMIC_SEQ_CST) != DISOWN_WANTED || others_inside(c))
		return;
	/* the module is shut down: nothing that runs now changes anything */
	if (__atomic_compare_exchange_n(&c->m->disown, &wanted, DISOWN_DONE, false,
					__ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		tdxm_disown_all(c->m);
}

/*
 * An LP that enters after the others were looked at may still see READY: its
 * call counts as made before this one, and leave() waits for it.
 */
uint64_t tdxm_sys_shutdown(struct tdxm_call *c)
{
	if (others_inside(c))
		return TDX_SYS_BUSY;
	/* since the dispatcher looked at the state another LP may have ended the module */
	if (!advance_state(c->m, TDXM_READY, TDXM_SHUTDOWN))
		return TDX_SYS_SHUTDOWN;
	__atomic_store_n(&c->m->disown, DISOWN_WANTED, __ATOMIC_SEQ_CST);
	return TDX_SUCCESS;
}

/*
 * Module 1.0: ends the module, and this LP can not call it any more. Later
 * ones do nothing.
 */
uint64_t tdxm_sys_lp_shutdown(struct tdxm_call *c)
{
	uint32_t state;

	if (!c->m->platform.module.lp_shutdown)
		return TDX_SUCCESS;

	__atomic_store_n(&c->lp->shut_down, 1, __ATOMIC_RELAXED);
	state = get_state(c->m);
	while (state != TDXM_SHUTDOWN && state != TDXM_STOPPED)
		if (__atomic_compare_exchange_n(&c->m->state, &state, TDXM_SHUTDOWN, false,
						__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
			__atomic_store_n(&c->m->disown, DISOWN_WANTED, __ATOMIC_SEQ_CST);
			break;
		}
	return TDX_SUCCESS;
}

/* There is never data of an older module */
uint64_t tdxm_sys_update(struct tdxm_call *c)
{
	if (get_state(c->m) != TDXM_INIT_DONE ||
	    __atomic_load_n(&c->m->lps_initialized, __ATOMIC_ACQUIRE) < c->m->num_lps)
		return TDX_SYS_STATE_INCORRECT;
	return TDX_SYS_INVALID_HANDOFF;
}

static const struct leaf *find_leaf(const struct tdxm *m, uint32_t number)
{
	const struct leaf *leaf;

	if (number >= TDXM_MAX_LEAVES)
		return NULL;
	leaf = &leaves[number];
	if (!leaf->handler || ((leaf->flags & MODULE_1_5) && !m->platform.module.has_sys_rd))
		return NULL;
	return leaf;
}

/* What a leaf does to its output registers before it checks anything */
static void clear_outputs(const struct leaf *leaf, uint64_t rax, uint64_t *r)
{
	unsigned int reg;

	for (reg = 0; reg < TDXM_NR_REGS; reg++)
		if (leaf->clear & BIT_OF(reg))
			r[reg] = 0;
	if ((leaf->flags & RDX_IS_NEXT) || ((leaf->flags & VERSION_NEXT) && RAX_VERSION(rax)))
		r[TDXM_RDX] = UINT64_MAX;
	if (leaf->flags & R8_IS_NEXT)
		r[TDXM_R8] = UINT64_MAX;
}

static uint64_t run(struct tdxm_call *c, const struct leaf *leaf)
{
	struct tdxm_lock *global = &c->m->global;
	uint64_t status;

	clear_outputs(leaf, c->in[TDXM_RAX], c->r);
	if (RAX_VERSION(c->in[TDXM_RAX]) > MAX_VERSION)
		return TDX_OPERAND_INVALID | OP_RAX;
	if ((leaf->flags & HANDOFF_V0) && c->in[TDXM_RCX])
		return TDX_OPERAND_INVALID | OP_RCX;
	if ((leaf->flags & EXCLUSIVE) && !lock_try_exclusive(global))
		return TDX_SYS_BUSY;
	if ((leaf->flags & SHARED) && !lock_try_shared(global))
		return TDX_SYS_BUSY;
	if (leaf->flags & (EXCLUSIVE | SHARED))
		tdxm_event(c, TDXM_EV_LOCK);

	status = leaf->handler(c);
	if (!(leaf->flags & OWN_LATENCY))
		tdxm_latency(c);

	if (leaf->flags & EXCLUSIVE)
		unlock_exclusive(global);
	if (leaf->flags & SHARED)
		unlock_shared(global);
	return status;
}

static uint64_t dispatch(struct tdxm_call *c)
{
	uint64_t rax = c->in[TDXM_RAX];
	uint32_t number = RAX_LEAF(rax);
	const struct leaf *leaf = find_leaf(c->m, number);
	enum tdxm_state state = get_state(c->m);

	if (rax & RAX_RESERVED)
		return TDX_OPERAND_INVALID | OP_RAX;
	if (RAX_VERSION(rax) && !(leaf && (leaf->flags & VERSIONS)))
		return TDX_OPERAND_INVALID | OP_RAX;
	if (state == TDXM_SHUTDOWN && number != LEAF_SYS_LP_SHUTDOWN)
		return TDX_SYS_SHUTDOWN;
	if (state < TDXM_READY && !(leaf && (leaf->flags & EARLY)))
		return TDX_SYS_NOT_READY;
	if (!leaf)
		return TDX_OPERAND_INVALID | OP_RAX;
	return run(c, leaf);
}

static void bump(uint64_t *count)
{
	/* one writer: the LP itself */
	__atomic_store_n(count, __atomic_load_n(count, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
}

static void count_call(struct tdxm_lp *lp, uint64_t rax)
{
	bump(&lp->calls);
	if (rax & TDXM_SEAMLDR)
		bump(&lp->seamldr_calls);
	else if (RAX_LEAF(rax) < TDXM_MAX_LEAVES)
		bump(&lp->leaf_calls[RAX_LEAF(rax)]);
}

static enum tdxm_exit strike(const struct tdxm *m, const struct tdxm_fault *f, uint64_t gpr[16])
{
	const struct leaf *leaf;

	if (f->exit != TDXM_DONE)
		return f->exit;
	if (!(gpr[TDXM_RAX] & TDXM_SEAMLDR)) {
		leaf = find_leaf(m, RAX_LEAF(gpr[TDXM_RAX]));
		if (leaf)
			clear_outputs(leaf, gpr[TDXM_RAX], gpr);
	}
	gpr[TDXM_RAX] = f->status;
	return TDXM_DONE;
}

enum tdxm_exit tdxm_seamcall(struct tdxm *m, unsigned int lp, uint64_t gpr[16])
{
	struct tdxm_call c = { .m = m, .n = lp, .r = gpr };
	struct tdxm_fault fault;
	enum tdxm_exit exit;
	uint64_t status;

	if (lp >= m->platform.lps)
		return TDXM_VMFAIL_INVALID;
	c.lp = &m->lp[lp];
	count_call(c.lp, gpr[TDXM_RAX]);

	if (!m->platform.seamrr_supported || !m->platform.seamrr_enabled)
		return TDXM_GP;

	if (tdxm_fault_strikes(m, lp, gpr[TDXM_RAX], &fault)) {
		tdxm_event(&c, TDXM_EV_FAULT);
		exit = strike(m, &fault, gpr);
		if (exit == TDXM_FATAL)
			tdxm_stop(&c, FATAL_NO_CODE);
		return exit;
	}

	memcpy(c.in, gpr, sizeof(c.in));
	if (gpr[TDXM_RAX] & TDXM_SEAMLDR) {
		exit = tdxm_seamldr(&c);
		if (exit == TDXM_DONE)
			tdxm_lie(&c);
		return exit;
	}

	if (!m->platform.module.loaded || c.lp->shut_down)
		return TDXM_VMFAIL_INVALID;
	enter(&c);
	if (get_state(m) == TDXM_STOPPED) {
		exit = TDXM_VMFAIL_INVALID;
	} else {
		status = dispatch(&c);
		exit = status == TDX_FATAL ? TDXM_FATAL : TDXM_DONE;
	}
	leave(&c);

	if (exit == TDXM_DONE) {
		gpr[TDXM_RAX] = status;
		tdxm_lie(&c);
		if (m->platform.module.clobbers_rbp)
			gpr[TDXM_RBP] = UINT64_C(0xdeadbeefdeadbeef);
	}
	return exit;
}

enum tdxm_state tdxm_state(const struct tdxm *m)
{
	if (!m->platform.module.loaded)
		return TDXM_NOT_LOADED;
	return get_state(m);
}

uint64_t tdxm_fatal_code(const struct tdxm *m)
{
	return __atomic_load_n(&m->fatal, __ATOMIC_RELAXED);
}

bool tdxm_lp_initialized(const struct tdxm *m, unsigned int lp)
{
	return lp < m->platform.lps && __atomic_load_n(&m->lp[lp].initialized, __ATOMIC_ACQUIRE);
}

uint64_t tdxm_stat_lp_calls(const struct tdxm *m, unsigned int lp)
{
	return lp < m->platform.lps ? __atomic_load_n(&m->lp[lp].calls, __ATOMIC_RELAXED) : 0;
}

uint64_t tdxm_stat_leaf_calls(const struct tdxm *m, unsigned int leaf)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; leaf < TDXM_MAX_LEAVES && i < m->platform.lps; i++)
		sum += __atomic_load_n(&m->lp[i].leaf_calls[leaf], __ATOMIC_RELAXED);
	return sum;
}

uint64_t tdxm_stat_seamldr_calls(const struct tdxm *m)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < m->platform.lps; i++)
		sum += __atomic_load_n(&m->lp[i].seamldr_calls, __ATOMIC_RELAXED);
	return sum;
}
