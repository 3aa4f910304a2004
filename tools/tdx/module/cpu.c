// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the module sees of the CPUs: MSRs, CPUID, entropy, interrupts, PCONFIG.
 *
 * A value is computed each time it is asked for: the baseline platform, with
 * the numbers of this one put in, with its quirks on top. All LPs are alike
 * but for their APIC id, which no check of the module compares.
 *
 * Quirks: of the MSR quirks that name an LP and MSR the last one counts;
 * CPUID quirks replace a whole register each, in list order; counters
 * (rdrand_fail ...) are set in list order.
 */
#include "internal.h"

#define MSR_TSX_CTRL		0x122
#define MSR_MTRRCAP		0xfe
#define MTRRCAP_SEAMRR		(UINT64_C(1) << 15)
#define MSR_SEAMRR_BASE		0x1400
#define MSR_SEAMRR_MASK		0x1401
#define SEAMRR_LOCKED		(UINT64_C(1) << 10)
#define SEAMRR_ENABLED		(UINT64_C(1) << 11)
#define CPUID7_HLE_RTM		(1u << 4 | 1u << 11)

#define TABLE_FMS		0x806f8u

/* The smallest k with 2^k >= v */
static uint32_t ceil_log2(uint64_t v)
{
	uint32_t k = 0;

	while ((UINT64_C(1) << k) < v)
		k++;
	return k;
}

static bool lp_matches(int32_t quirk, unsigned int lp)
{
	return quirk == TDXM_ALL_LPS || (uint32_t)quirk == lp;
}

void tdxm_cpu_init(struct tdxm *m)
{
	const struct tdxm_platform *p = &m->platform;
	const struct tdxm_lp_quirk *q;
	uint32_t i, lp;

	m->keyid_bits = ceil_log2(UINT64_C(1) + p->mktme_keyids + p->tdx_keyids);
	m->tdx_bits = ceil_log2(p->tdx_keyids);

	for (lp = 0; lp < p->lps; lp++) {
		for (i = 0, q = p->rdrand_quirks; i < p->nr_rdrand_quirks; i++, q++)
			if (lp_matches(q->lp, lp))
				m->lp[lp].rdrand_fail = q->value;
		for (i = 0, q = p->rdseed_quirks; i < p->nr_rdseed_quirks; i++, q++)
			if (lp_matches(q->lp, lp))
				m->lp[lp].rdseed_fail = q->value;
		for (i = 0, q = p->intr_quirks; i < p->nr_intr_quirks; i++, q++)
			if (lp_matches(q->lp, lp))
				m->lp[lp].intr_pending = q->value;
	}
	for (i = 0; i < p->nr_pconfig_quirks; i++) {
		if (p->pconfig_quirks[i].package >= p->packages)
			continue;
		m->package[p->pconfig_quirks[i].package].pconfig_fail = p->pconfig_quirks[i].count;
		m->package[p->pconfig_quirks[i].package].pconfig_code = p->pconfig_quirks[i].code;
	}
}

unsigned int tdxm_cpu_package(const struct tdxm *m, unsigned int lp)
{
	return (uint64_t)lp * m->platform.packages / m->platform.lps;
}

static uint32_t apic_id(const struct tdxm *m, unsigned int lp)
{
	const struct tdxm_platform *p = &m->platform;
	uint32_t package = tdxm_cpu_package(m, lp);
	/* the first LP of the package: the smallest i with i * packages / lps == package */
	uint32_t first = ((uint64_t)package * p->lps + p->packages - 1) / p->packages;

	return package << 7 | (lp - first);
}

static uint64_t term_value(const struct tdxm *m, uint8_t term, unsigned int lp, uint32_t subleaf)
{
	const struct tdxm_platform *p = &m->platform;

	switch (term) {
	case TERM_APIC:
		return apic_id(m, lp);
	case TERM_APIC_EBX:
		return (apic_id(m, lp) & 0xff) << 24;
	case TERM_SUB:
		return subleaf & 0xff;
	case TERM_PA_WIDTH:
		return p->pa_width;
	case TERM_KEYIDS:
		return p->mktme_keyids | (uint64_t)p->tdx_keyids << 32;
	case TERM_TME_ACTIVATE:
		return (uint64_t)m->keyid_bits << 32 | (uint64_t)(m->tdx_bits & 15) << 36;
	case TERM_SMRR_BASE:
		return p->smrr.base;
	case TERM_SMRR_MASK:
		return (UINT64_C(1) << 32) - p->smrr.size;
	case TERM_SMRR2_BASE:
		return p->smrr2.base;
	case TERM_SMRR2_MASK:
		return (UINT64_C(1) << 32) - p->smrr2.size;
	case TERM_SEAMRR_BASE:
		return p->seamrr.base;
	case TERM_SEAMRR_MASK:
		return (PA_LIMIT - p->seamrr.size) & (PA_LIMIT - 1);
	default:
		return 0;
	}
}

bool tdxm_rdmsr(const struct tdxm *m, unsigned int lp, uint32_t msr, uint64_t *val)
{
	const struct tdxm_platform *p = &m->platform;
	uint64_t off = 0;
	uint32_t i;

	for (i = p->nr_msr_quirks; i-- > 0; ) {
		if (p->msr_quirks[i].msr == msr && lp_matches(p->msr_quirks[i].lp, lp)) {
			*val = p->msr_quirks[i].value;
			return true;
		}
	}

	switch (msr) {
	case MSR_MTRRCAP:
		if (!p->seamrr_supported)
			off = MTRRCAP_SEAMRR;
		break;
	case MSR_SEAMRR_BASE:
	case MSR_SEAMRR_MASK:
		if (!p->seamrr_supported)
			return false;
		if (msr == MSR_SEAMRR_MASK && !p->seamrr_locked)
			off |= SEAMRR_LOCKED;
		if (msr == MSR_SEAMRR_MASK && !p->seamrr_enabled)
			off |= SEAMRR_ENABLED;
		break;
	}

	for (i = 0; i < tdxm_nr_base_msrs; i++) {
		if (tdxm_base_msrs[i].msr != msr)
			continue;
		*val = (tdxm_base_msrs[i].value |
			term_value(m, tdxm_base_msrs[i].term, lp, 0)) & ~off;
		return true;
	}
	return false;
}

/* For the module's own reads: what is not defined reads as zero */
uint64_t tdxm_cpu_msr(const struct tdxm *m, unsigned int lp, uint32_t msr)
{
	uint64_t v = 0;
	uint32_t i;

	if (msr == MSR_SEAMOPS) {
		v = 0x7f;
		for (i = 0; i < m->platform.nr_seamops_quirks; i++)
			if (lp_matches(m->platform.seamops_quirks[i].lp, lp))
				v = m->platform.seamops_quirks[i].value;
		return v;
	}
	return tdxm_rdmsr(m, lp, msr, &v) ? v : 0;
}

static const struct tdxm_base_cpuid *find_base_cpuid(uint32_t leaf, uint32_t subleaf)
{
	const struct tdxm_base_cpuid *b, *other = NULL;
	unsigned int i;

	for (i = 0; i < tdxm_nr_base_cpuids; i++) {
		b = &tdxm_base_cpuids[i];
		if (b->leaf != leaf)
			continue;
		if (b->subleaf == subleaf || b->subleaf == SUB_ALL)
			return b;
		if (b->subleaf == SUB_ELSE)
			other = b;
	}
	return other;
}

/* @tsx_off: TSX_CTRL[1] is clear while this is asked for, whatever it was */
void tdxm_cpu_cpuid(const struct tdxm *m, unsigned int lp, bool tsx_off, uint32_t leaf,
		    uint32_t subleaf, uint32_t regs[4])
{
	const struct tdxm_base_cpuid *b = find_base_cpuid(leaf, subleaf);
	const struct tdxm_cpuid_quirk *q = m->platform.cpuid_quirks;
	uint32_t i;

	for (i = 0; i < 4; i++)
		regs[i] = b ? b->value[i] | (uint32_t)term_value(m, b->term[i], lp, subleaf) : 0;

	for (i = 0; i < m->platform.nr_cpuid_quirks; i++, q++)
		if (q->leaf == leaf && lp_matches(q->lp, lp) &&
		    (q->subleaf == subleaf || q->subleaf == TDXM_ANY_SUBLEAF))
			regs[q->reg & 3] = q->value;

	if (leaf == 7 && subleaf == 0 && !tsx_off && (tdxm_cpu_msr(m, lp, MSR_TSX_CTRL) & 2))
		regs[EBX] &= ~CPUID7_HLE_RTM;
}

void tdxm_cpuid(const struct tdxm *m, unsigned int lp, uint32_t leaf, uint32_t subleaf,
		uint32_t regs[4])
{
	tdxm_cpu_cpuid(m, lp, false, leaf, subleaf, regs);
}

unsigned int tdxm_keyid_bits(const struct tdxm *m)
{
	return m->keyid_bits;
}

static bool take_one(uint64_t *count)
{
	if (!*count)
		return false;
	--*count;
	return true;
}

bool tdxm_cpu_rdrand(struct tdxm_lp *lp)
{
	return !take_one(&lp->rdrand_fail);
}

bool tdxm_cpu_rdseed(struct tdxm_lp *lp)
{
	return !take_one(&lp->rdseed_fail);
}

bool tdxm_cpu_intr_pending(const struct tdxm_call *c)
{
	if (take_one(&c->lp->intr_pending))
		return true;
	return c->m->ops.intr_pending && c->m->ops.intr_pending(c->m->opaque, c->n);
}

/* 0 or an error code. The caller makes sure that it is alone on the package. */
uint32_t tdxm_cpu_pconfig(const struct tdxm_call *c)
{
	struct tdxm_package *package = &c->m->package[tdxm_cpu_package(c->m, c->n)];
	uint32_t left = __atomic_load_n(&package->pconfig_fail, __ATOMIC_RELAXED);

	while (left)
		if (__atomic_compare_exchange_n(&package->pconfig_fail, &left, left - 1, false,
						__ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return package->pconfig_code;
	return 0;
}

/* Entry of the system information table */
uint32_t tdxm_table_fms(const struct tdxm *m, unsigned int entry)
{
	uint32_t fms = TABLE_FMS, i;

	for (i = 0; i < m->platform.nr_fms_quirks; i++)
		if (m->platform.fms_quirks[i].entry == entry)
			fms = m->platform.fms_quirks[i].value;
	return fms;
}

/* Family, model and the smallest stepping of the packages */
uint32_t tdxm_platform_fms(const struct tdxm *m)
{
	uint32_t first = tdxm_table_fms(m, 0), stepping = first & 15, i;

	for (i = 1; i < TDXM_MAX_PACKAGES && i < m->num_sockets; i++)
		if ((tdxm_table_fms(m, i) & 15) < stepping)
			stepping = tdxm_table_fms(m, i) & 15;
	return (first & ~15u) | stepping;
}
