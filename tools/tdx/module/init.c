// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TDH.SYS.INIT and TDH.SYS.LP.INIT: is this platform, and is this LP, as the
 * module needs it? Both walk their tables (csv/msr_checks.csv in order, and
 * csv/cpuid_checks.csv inside); the first row that does not hold is the answer.
 */
#include "internal.h"

#define MSR_ARCH_CAPABILITIES	0x10a
#define ARCH_CAP_TSX_CTRL	(1u << 7)
#define MSR_TSX_CTRL		0x122
#define MSR_MTRRCAP		0xfe
#define MTRRCAP_SMRR2		(1u << 13)
#define MSR_KEYID_PARTITIONING	0x87
#define MSR_TME_ACTIVATE	0x982
#define MSR_VMX_CR0_FIXED1	0x487
#define MSR_SEAMRR_BASE		0x1400
#define MSR_SEAMRR_MASK		0x1401
#define SEAMRR_ADDR		UINT64_C(0xffffffe000000)

#define FIRST_EXTENDED_LEAF	0x80000000u
#define MIN_HANDOFF_PAGES	13
#define MIN_TSC_HZ		152588
#define XCR0_MASK		0x602ffu
#define XSS_MASK		0x1fd00u

struct last_leaves {
	uint32_t basic, extended;
};

/* What the rows of the CPUID table tell each other at INIT */
struct cpuid_walk {
	struct last_leaves last;
	uint32_t l3;			/* leaf 4.3 EAX[25:14] */
	bool la57;
	/* leaf 0x1F */
	uint32_t prev_type, shift, core_shift;
	bool core_seen;
};

static uint64_t pack(uint32_t lo, uint32_t hi)
{
	return (uint64_t)hi << 32 | lo;
}

static uint64_t cpuid_id(const struct tdxm_cpuid_check *check)
{
	return pack(check->leaf, check->subleaf);
}

static void last_leaves(const struct tdxm_call *c, struct last_leaves *last)
{
	uint32_t regs[4];

	tdxm_cpu_cpuid(c->m, c->n, c->tsx_off, 0, 0, regs);
	last->basic = regs[EAX];
	tdxm_cpu_cpuid(c->m, c->n, c->tsx_off, FIRST_EXTENDED_LEAF, 0, regs);
	last->extended = regs[EAX];
}

static bool leaf_exists(const struct last_leaves *last, uint32_t leaf)
{
	return leaf <= last->basic || (leaf >= FIRST_EXTENDED_LEAF && leaf <= last->extended);
}

static uint64_t incorrect_cpuid(struct tdxm_call *c, const struct tdxm_cpuid_check *check,
				const uint32_t mask[4], const uint32_t value[4])
{
	c->r[TDXM_RCX] = cpuid_id(check);
	c->r[TDXM_RDX] = pack(mask[EAX], mask[EBX]);
	c->r[TDXM_R8] = pack(mask[ECX], mask[EDX]);
	c->r[TDXM_R9] = pack(value[EAX], value[EBX]);
	c->r[TDXM_R10] = pack(value[ECX], value[EDX]);
	return TDX_INCORRECT_CPUID_VALUE;
}

/* Version 5 or later, at most 7 fixed counters */
static uint64_t check_perfmon(struct tdxm_call *c, const struct tdxm_cpuid_check *check,
			      const uint32_t v[4])
{
	static const uint32_t version_mask[4] = { 0xf, 0, 0, 0 }, version[4] = { 5, 0, 0, 0 };
	static const uint32_t fixed_mask[4] = { 0, 0, 0, 0x1f }, fixed[4] = { 0, 0, 0, 7 };

	if (BITS(v[EAX], 7, 0) < 5)
		return incorrect_cpuid(c, check, version_mask, version);
	if (BITS(v[EDX], 4, 0) > 7)
		return incorrect_cpuid(c, check, fixed_mask, fixed);
	return TDX_SUCCESS;
}

static uint64_t check_linear_width(struct tdxm_call *c, const struct tdxm_cpuid_check *check,
				   const uint32_t v[4], bool la57)
{
	const uint32_t mask[4] = { 0xff00, 0, 0, 0 };
	const uint32_t want[4] = { la57 ? 57 << 8 : 48 << 8, 0, 0, 0 };

	if ((v[EAX] & mask[EAX]) != want[EAX])
		return incorrect_cpuid(c, check, mask, want);
	return TDX_SUCCESS;
}

/* One subleaf of 0x1F: find the bit where the package id starts in the APIC id */
static uint64_t check_topology(struct tdxm_call *c, const struct tdxm_cpuid_check *check,
			       const uint32_t v[4], struct cpuid_walk *w)
{
	uint32_t type = BITS(v[ECX], 15, 8);

	if (type) {
		if (type <= w->prev_type || type >= 6)
			return TDX_CPUID_LEAF_1F_FORMAT;
		w->shift = BITS(v[EAX], 4, 0);
		if (type == 1)
			w->core_shift = w->shift;
		if (type == 2)
			w->core_seen = true;
	} else {
		if (!check->subleaf || !w->core_seen)
			return TDX_CPUID_LEAF_NOT_SUPPORTED;
		if (w->prev_type) {
			c->m->sys.pkg_shift = w->shift;
			if (w->shift < w->core_shift)
				return tdxm_stop(c, FATAL_TOPOLOGY);
			/* the last level cache must be the package's */
			if (w->l3 >> ((w->shift - 1) & 31) != 1)
				return TDX_INVALID_WBINVD_SCOPE;
		}
	}
	w->prev_type = type;
	return TDX_SUCCESS;
}

static uint64_t check_special(struct tdxm_call *c, const struct tdxm_cpuid_check *check,
			      uint32_t v[4], struct cpuid_walk *w)
{
	struct tdxm_sys *sys = &c->m->sys;

	switch (check->special) {
	case SPECIAL_FMS:
		v[EAX] = sys->fms;
		break;
	case SPECIAL_L3:
		w->l3 = BITS(v[EAX], 25, 14);
		break;
	case SPECIAL_F7_0:
		w->la57 = BITS(v[ECX], 16, 16);
		break;
	case SPECIAL_PERFMON:
		return check_perfmon(c, check, v);
	case SPECIAL_LBR:
		if (!BITS(v[EAX], 7, 0))
			return tdxm_stop(c, FATAL_NO_CODE);
		break;
	case SPECIAL_MAXPA:
		return check_linear_width(c, check, v, w->la57);
	case SPECIAL_XCR0:
		sys->xcr0_sup = v[EAX] & XCR0_MASK;
		break;
	case SPECIAL_XSS:
		sys->xss_sup = v[ECX] & XSS_MASK;
		break;
	case SPECIAL_XCOMP:
		/* ECX[0]: a supervisor component, which has its bit in XSS */
		if (BITS((v[ECX] & 1) ? sys->xcr0_sup : sys->xss_sup,
			 check->subleaf, check->subleaf))
			return tdxm_stop(c, FATAL_NO_CODE);
		break;
	case SPECIAL_TSC:
		if (!v[EBX])
			return TDX_CPUID_LEAF_NOT_SUPPORTED | check->leaf;
		/* EAX = 0 is a divide error in the module */
		if (!v[EAX] || (uint64_t)v[ECX] * v[EBX] / v[EAX] < MIN_TSC_HZ)
			return tdxm_stop(c, FATAL_NO_CODE);
		break;
	case SPECIAL_TOPO:
		return check_topology(c, check, v, w);
	}
	return TDX_SUCCESS;
}

static uint64_t check_cpuid_table(struct tdxm_call *c)
{
	const struct tdxm_cpuid_check *check;
	struct cpuid_walk w = { .prev_type = 0 };
	uint64_t status;
	uint32_t *v;
	unsigned int i, reg;

	last_leaves(c, &w.last);
	for (i = 0; i < NR_CPUID_CHECKS; i++) {
		check = &tdxm_cpuid_checks[i];
		v = c->m->sys.cpuid[i];
		memset(v, 0, sizeof(c->m->sys.cpuid[i]));
		if (leaf_exists(&w.last, check->leaf))
			tdxm_cpu_cpuid(c->m, c->n, c->tsx_off, check->leaf, check->subleaf, v);
		for (reg = 0; reg < 4; reg++)
			if ((v[reg] & check->mask[reg]) != check->value[reg])
				return incorrect_cpuid(c, check, check->mask, check->value);
		status = check_special(c, check, v, &w);
		if (status)
			return status;
	}
	return TDX_SUCCESS;
}

static uint64_t check_last_leaves(struct tdxm_call *c, const struct tdxm_check *check)
{
	struct last_leaves last;

	last_leaves(c, &last);
	if (last.basic < check->p1)
		return check->status | check->p1;
	if (last.extended < check->p2)
		return check->status | check->p2;
	return TDX_SUCCESS;
}

static bool cmrs_ok(const struct tdxm *m)
{
	const struct tdxm_range *cmr;
	uint64_t last, prev_base = 0, prev_last = 0;
	bool any = false;
	uint32_t i;

	for (i = 0; i < m->platform.nr_cmrs; i++) {
		cmr = &m->platform.cmrs[i];
		if (!cmr->size)
			continue;
		last = cmr->base + cmr->size - 1;
		if (cmr->base + cmr->size < cmr->base)
			return false;
		if (((cmr->base | last) & tdxm_keyid_mask(m)) || last > PA_LIMIT)
			return false;
		if (!IS_ALIGNED_TO(cmr->base | cmr->size, PAGE_4K))
			return false;
		if (any && (cmr->base < prev_base || cmr->base < prev_last))
			return false;
		any = true;
		prev_base = cmr->base;
		prev_last = last;
	}
	return true;
}

static uint64_t check_smrr(struct tdxm_call *c, const struct tdxm_check *check)
{
	uint64_t base = tdxm_cpu_msr(c->m, c->n, check->p1) & 0xfffff000;
	uint64_t mask = tdxm_cpu_msr(c->m, c->n, check->msr);
	uint64_t index = check->p2, size;
	const struct tdxm_range *cmr;
	uint32_t i;

	if (!BITS(mask, 11, 11))
		return TDX_SUCCESS;
	mask &= 0xfffff000;
	size = mask & -mask;
	if (!mask || mask + size != UINT64_C(1) << 32 || (base & ~mask))
		return TDX_INVALID_SMRR_CONFIGURATION | index;

	for (i = 0; i < c->m->platform.nr_cmrs; i++) {
		cmr = &c->m->platform.cmrs[i];
		if (cmr->size && ranges_overlap(base, size, cmr->base, cmr->size))
			return TDX_SMRR_OVERLAPS_CMR | index | i << 8;
	}
	return TDX_SUCCESS;
}

/* lo: bits that must be 1, hi: bits that may be 1 */
static uint64_t check_vmx_ctls(struct tdxm_call *c, const struct tdxm_check *check, uint64_t v)
{
	uint32_t lo = v, hi = v >> 32;

	if (lo & ~hi)
		return tdxm_stop(c, FATAL_VMX_CTLS);
	if ((lo & check->p1) || (~hi & check->p2))
		return check->status | check->details;
	return TDX_SUCCESS;
}

static uint64_t check_cr0_l2(struct tdxm_call *c, const struct tdxm_check *check, uint64_t v)
{
	uint64_t fixed1 = tdxm_cpu_msr(c->m, c->n, MSR_VMX_CR0_FIXED1);

	if (v & check->p1 & ~fixed1)
		return tdxm_stop(c, FATAL_CR0);
	if (~fixed1 & check->p2)
		return check->status | check->details;
	return TDX_SUCCESS;
}

static bool handoff_ok(const struct tdxm *m)
{
	return !m->platform.module_hv && m->platform.handoff_pages >= MIN_HANDOFF_PAGES;
}

static bool condition_holds(const struct tdxm_call *c, uint8_t cond)
{
	const struct tdxm_platform *p = &c->m->platform;

	switch (cond) {
	case COND_TSX_CTRL:
		return c->m->sys.has_tsx_ctrl;
	case COND_INTEGRITY:
		return !p->no_integrity;
	case COND_NO_INTEGRITY:
		return p->no_integrity;
	case COND_SMRR2:
		return !p->no_smrr2 && (tdxm_cpu_msr(c->m, c->n, MSR_MTRRCAP) & MTRRCAP_SMRR2);
	default:
		return true;
	}
}

static uint64_t run_check(struct tdxm_call *c, const struct tdxm_check *check)
{
	uint64_t v = tdxm_cpu_msr(c->m, c->n, check->msr);
	bool ok = true;

	switch (check->kind) {
	case CHECK_SAMPLE:
		break;
	case CHECK_MASKED_EQ:
		ok = (v & check->p1) == check->p2;
		break;
	case CHECK_FIELD_LE:
		ok = (v & check->p1) <= check->p2;
		break;
	case CHECK_FIELD_GE:
		ok = (v & check->p1) >= check->p2;
		break;
	case CHECK_ANY_OF:
		ok = v & check->p1;
		break;
	case CHECK_EQ_MSR:
		ok = v == tdxm_cpu_msr(c->m, c->n, check->p1);
		break;
	case CHECK_VMX32:
		return check_vmx_ctls(c, check, v);
	case CHECK_CR0_L2:
		return check_cr0_l2(c, check, v);
	case CHECK_SUM32_LT:
		ok = (uint32_t)(v + (v >> 32)) < check->p1;
		break;
	case CHECK_TSX:
		/* until the call ends, CPUID shows what the CPU could do */
		c->tsx_off = true;
		break;
	case CHECK_CPUID_LAST:
		return check_last_leaves(c, check);
	case CHECK_CPUID_TABLE:
		return check_cpuid_table(c);
	case CHECK_CMRS:
		ok = cmrs_ok(c->m);
		break;
	case CHECK_SMRR:
		return check_smrr(c, check);
	case CHECK_HANDOFF:
		ok = handoff_ok(c->m);
		break;
	case CHECK_RDRAND:
		ok = tdxm_cpu_rdrand(c->lp);
		break;
	case CHECK_NONZERO:
		if (!(v & check->p1))
			return tdxm_stop(c, FATAL_NO_CODE);
		break;
	}
	return ok ? TDX_SUCCESS : check->status | check->details;
}

/* Values that later answers are made of */
static void keep_sample(struct tdxm_call *c, uint32_t msr)
{
	struct tdxm_sys *sys = &c->m->sys;
	uint64_t v = tdxm_cpu_msr(c->m, c->n, msr), mask;

	switch (msr) {
	case MSR_ARCH_CAPABILITIES:
		sys->has_tsx_ctrl = v & ARCH_CAP_TSX_CTRL;
		break;
	case MSR_TME_ACTIVATE:
		sys->keyid_bits = BITS(v, 35, 32);
		break;
	case MSR_KEYID_PARTITIONING:
		sys->mktme_keyids = v;
		sys->tdx_keyids = v >> 32;
		break;
	case MSR_SEAMOPS:
		sys->seamops = v;
		break;
	case MSR_SEAMRR_BASE:
		mask = tdxm_cpu_msr(c->m, c->n, MSR_SEAMRR_MASK) & SEAMRR_ADDR;
		sys->seamrr.base = v & SEAMRR_ADDR;
		sys->seamrr.size = mask & -mask;
		break;
	}
}

uint64_t tdxm_sys_init(struct tdxm_call *c)
{
	struct tdxm *m = c->m;
	uint64_t status;
	unsigned int i;

	if (c->in[TDXM_RCX])
		return TDX_OPERAND_INVALID | OP_RCX;
	if (get_state(m) != TDXM_PENDING)
		return TDX_SYS_INIT_NOT_PENDING;

	memset(&m->sys, 0, sizeof(m->sys));
	m->sys.fms = tdxm_platform_fms(m);
	for (i = 0; i < NR_INIT_CHECKS; i++) {
		const struct tdxm_check *check = &tdxm_init_checks[i];

		if (!condition_holds(c, check->cond))
			continue;
		if (check->msr == MSR_ARCH_CAPABILITIES)
			tdxm_event(c, TDXM_EV_RDMSR);
		keep_sample(c, check->msr);
		status = run_check(c, check);
		if (status)
			return status;
	}
	for (i = 0; i < NR_LP_CHECKS; i++)
		if (tdxm_lp_checks[i].kind == CHECK_SAME)
			m->sys.same[i] = tdxm_cpu_msr(m, c->n,
						      tdxm_lp_checks[i].msr == MSR_SEAMOPS ?
						      MSR_SEAMOPS : tdxm_lp_checks[i].p1);
	tdxm_join_cmrs(m);
	advance_state(m, TDXM_PENDING, TDXM_INIT_DONE);
	return TDX_SUCCESS;
}

/* The LP's CPUID against what INIT saw */
static uint64_t compare_cpuid_table(struct tdxm_call *c)
{
	const struct tdxm_cpuid_check *check;
	struct last_leaves last;
	uint32_t v[4], *first, package;
	unsigned int i, reg;

	last_leaves(c, &last);
	for (i = 0; i < NR_CPUID_CHECKS; i++) {
		check = &tdxm_cpuid_checks[i];
		first = c->m->sys.cpuid[i];
		if (!leaf_exists(&last, check->leaf))
			continue;
		tdxm_cpu_cpuid(c->m, c->n, c->tsx_off, check->leaf, check->subleaf, v);
		for (reg = 0; reg < 4; reg++)
			if ((v[reg] ^ first[reg]) & check->same[reg])
				break;
		if (reg < 4) {
			c->r[TDXM_RCX] = cpuid_id(check);
			c->r[TDXM_RDX] = pack(check->same[EAX], check->same[EBX]);
			c->r[TDXM_R8] = pack(check->same[ECX], check->same[EDX]);
			return TDX_INCONSISTENT_CPUID_FIELD;
		}
		if (check->special == SPECIAL_TOPO && !check->subleaf) {
			package = v[EDX] >> c->m->sys.pkg_shift;
			if (package >= TDXM_MAX_PACKAGES)
				return TDX_INVALID_PKG_ID | package;
			c->lp->package = package;	/* whatever comes of the rest */
		}
	}
	return TDX_SUCCESS;
}

uint64_t tdxm_sys_lp_init(struct tdxm_call *c)
{
	struct tdxm *m = c->m;
	uint64_t status;
	unsigned int i;

	if (get_state(m) != TDXM_INIT_DONE)
		return TDX_SYS_LP_INIT_NOT_PENDING;
	if (c->lp->initialized)
		return TDX_SYS_LP_INIT_DONE;

	for (i = 0; i < NR_LP_CHECKS; i++) {
		const struct tdxm_check *check = &tdxm_lp_checks[i];

		if (!condition_holds(c, check->cond))
			continue;
		if (check->msr == MSR_ARCH_CAPABILITIES)
			tdxm_event(c, TDXM_EV_RDMSR);

		if (check->kind == CHECK_SAME)
			status = tdxm_cpu_msr(m, c->n, check->msr) == m->sys.same[i] ?
				 TDX_SUCCESS : check->status | check->details;
		else if (check->kind == CHECK_CPUID_SAME)
			status = compare_cpuid_table(c);
		else
			status = run_check(c, check);
		if (status)
			return status;
	}
	__atomic_store_n(&c->lp->initialized, 1, __ATOMIC_RELEASE);
	__atomic_fetch_add(&m->lps_initialized, 1, __ATOMIC_ACQ_REL);
	return TDX_SUCCESS;
}
