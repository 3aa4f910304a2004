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

static uint64_t element(const struct tdxm *m, unsigned int field, unsigned int i)
{
	uint64_t value = 0;

	tdxm_read_element(m, field, i, &value);
	return value;
}

/* The rest of the structure, up to INFO_SIZE, is zero */
static void make_info(const struct tdxm *m, uint8_t info[INFO_USED])
{
	static const struct {
		uint8_t offset, bytes, field;
	} members[] = {
		{ 4, 4, FIELD_VENDOR_ID }, { 8, 4, FIELD_BUILD_DATE }, { 12, 2, FIELD_BUILD_NUM },
		{ 14, 2, FIELD_MINOR_VERSION }, { 16, 2, FIELD_MAJOR_VERSION },
		{ 32, 2, FIELD_MAX_TDMRS }, { 34, 2, FIELD_MAX_RESERVED_PER_TDMR },
		{ 36, 2, FIELD_PAMT_4K_ENTRY_SIZE },
		{ 48, 2, FIELD_TDCS_BASE_SIZE }, { 52, 2, FIELD_TDVPS_BASE_SIZE },
		{ 64, 8, FIELD_ATTRIBUTES_FIXED0 }, { 72, 8, FIELD_ATTRIBUTES_FIXED1 },
		{ 80, 8, FIELD_XFAM_FIXED0 }, { 88, 8, FIELD_XFAM_FIXED1 },
		{ 128, 4, FIELD_NUM_CPUID_CONFIG },
	};
	unsigned int i;

	memset(info, 0, INFO_USED);
	put(info, 18, 1, m->platform.module.has_sys_rd);
	for (i = 0; i < ARRAY_LEN(members); i++)
		put(info, members[i].offset, members[i].bytes, element(m, members[i].field, 0));
	put_cpuid_configs(m, info);
}

static void write_cmrs(const struct tdxm *m, uint64_t pa)
{
	uint8_t entry[CMR_SIZE];
	unsigned int i;

	for (i = 0; i < TDXM_MAX_CMRS; i++) {
		put(entry, 0, 8, element(m, FIELD_CMR_BASE, i));
		put(entry, 8, 8, element(m, FIELD_CMR_SIZE, i));
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
	c->r[TDXM_R9] = element(c->m, FIELD_NUM_CMRS, 0);
	return TDX_SUCCESS;
}
