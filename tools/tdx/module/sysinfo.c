// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TDH.SYS.INFO: the TDSYSINFO structure and the CMR table.
 */
#include "internal.h"

#define INFO_SIZE		1024
#define INFO_CPUID_OFFSET	132
#define INFO_CPUID_SIZE		24
#define INFO_USED		(INFO_CPUID_OFFSET + NR_CPUID_CONFIGS * INFO_CPUID_SIZE)
#define CMR_SIZE		16
#define CMR_TABLE_SIZE		(TDXM_MAX_CMRS * CMR_SIZE)

static void put(uint8_t *buf, unsigned int offset, unsigned int bytes, uint64_t value)
{
	unsigned int i;

	for (i = 0; i < bytes; i++)
		buf[offset + i] = value >> (8 * i);
}

/* The bits a TD may be given: some always, some if the CPU has them */
static void put_cpuid_configs(const struct tdxm *m, uint8_t *info)
{
	const struct tdxm_cpuid_config *config;
	unsigned int i, reg, offset;
	uint32_t value;

	for (i = 0; i < NR_CPUID_CONFIGS; i++) {
		config = &tdxm_cpuid_configs[i];
		offset = INFO_CPUID_OFFSET + i * INFO_CPUID_SIZE;
		put(info, offset, 4, config->leaf);
		put(info, offset + 4, 4, config->subleaf);
		for (reg = 0; reg < 4; reg++) {
			value = m->sys.cpuid[config->check][reg];
			put(info, offset + 8 + 4 * reg, 4,
			    config->direct[reg] | (config->allow[reg] & value));
		}
	}
}

/* The rest of the structure, up to INFO_SIZE, is zero */
static void make_info(const struct tdxm *m, uint8_t info[INFO_USED])
{
	const struct tdxm_module *mod = &m->platform.module;

	memset(info, 0, INFO_USED);
	put(info, 4, 4, FIXED_VENDOR_ID);
	put(info, 8, 4, mod->build_date);
	put(info, 12, 2, mod->build_num);
	put(info, 14, 2, mod->minor);
	put(info, 16, 2, mod->major);
	put(info, 18, 1, mod->has_sys_rd);
	put(info, 32, 2, TDXM_MAX_TDMRS);
	put(info, 34, 2, TDXM_MAX_RESERVED);
	put(info, 36, 2, PAMT_ENTRY_SIZE);
	put(info, 48, 2, FIXED_TDCS_SIZE);
	put(info, 52, 2, FIXED_TDVPS_SIZE);
	put(info, 64, 8, FIXED_ATTRIBUTES0);
	put(info, 72, 8, FIXED_ATTRIBUTES1);
	put(info, 80, 8, tdxm_xfam_fixed0(m));
	put(info, 88, 8, FIXED_XFAM1);
	put(info, 128, 4, NR_CPUID_CONFIGS);
	put_cpuid_configs(m, info);
}

static void write_cmrs(const struct tdxm *m, uint64_t pa)
{
	const struct tdxm_range *cmrs = m->platform.cmrs;
	uint8_t entry[CMR_SIZE];
	unsigned int i;

	for (i = 0; i < TDXM_MAX_CMRS; i++) {
		put(entry, 0, 8, i < m->platform.nr_cmrs ? cmrs[i].base : 0);
		put(entry, 8, 8, i < m->platform.nr_cmrs ? cmrs[i].size : 0);
		tdxm_write(m, pa + i * CMR_SIZE, entry, CMR_SIZE);
	}
}

uint64_t tdxm_sys_info(struct tdxm_call *c)
{
	static const uint8_t zeroes[INFO_SIZE];
	uint64_t info_pa = c->in[TDXM_RCX], cmr_pa = c->in[TDXM_R8];
	uint8_t info[INFO_USED];

	if (!c->lp->initialized)
		return TDX_SYS_LP_INIT_NOT_DONE;
	if (!tdxm_shared_pa_ok(c->m, info_pa, INFO_SIZE, INFO_SIZE))
		return TDX_OPERAND_INVALID | OP_RCX;
	if (c->in[TDXM_RDX] < INFO_SIZE)
		return TDX_OPERAND_INVALID | OP_RDX;

	tdxm_write(c->m, info_pa, zeroes, INFO_SIZE);

	if (!tdxm_shared_pa_ok(c->m, cmr_pa, CMR_TABLE_SIZE, CMR_TABLE_SIZE))
		return TDX_OPERAND_INVALID | OP_R8;
	if (c->in[TDXM_R9] < TDXM_MAX_CMRS)
		return TDX_OPERAND_INVALID | OP_R9;

	make_info(c->m, info);
	tdxm_write(c->m, info_pa, info, INFO_USED);
	write_cmrs(c->m, cmr_pa);

	c->r[TDXM_RDX] = INFO_SIZE;
	c->r[TDXM_R9] = TDXM_MAX_CMRS;
	return TDX_SUCCESS;
}
