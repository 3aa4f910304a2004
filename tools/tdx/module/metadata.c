// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Global metadata: TDH.SYS.RD reads an element of a field, TDH.SYS.RDALL a
 * page of them.
 *
 * A field id: [23:0] field code, [33:32] log2 of the element size,
 * [37:34] last element, [46:38] last field, [54:52] context, [61:56] class,
 * [63] not architectural. A table entry has fields x elements consecutive
 * field codes.
 */
#include "internal.h"

#define ID_CODE(id)		((uint32_t)BITS(id, 23, 0))
#define ID_SIZE(id)		(1u << BITS(id, 33, 32))
#define ID_CLASS(id)		((uint32_t)BITS(id, 61, 56))
#define ID_CONTEXT		(UINT64_C(7) << 52)
/* 31:24, 46:34 (sequences are no single elements), 49:47, 55, 62 */
#define ID_NOT_FOR_RD		(UINT64_C(0xff) << 24 | UINT64_C(0x1fff) << 34 | \
				 UINT64_C(7) << 47 | UINT64_C(1) << 55 | UINT64_C(1) << 62)
#define NO_ID			UINT64_MAX

#define FMS_STEPPING		15u
#define ALLOWED_BITS_XFAM	0x6dbe7u

/* Family, model, stepping of the CPUs the module knows, in its order */
static const uint32_t known_fms[] = { 0xd06d0, 0xa06e0, 0xa06d0, 0xa06f0, 0xc06f2, 0x806f8 };

/* Fields that do not depend on the platform */
static const uint64_t fixed_values[NR_FIELDS] = {
	[FIELD_VENDOR_ID] = FIXED_VENDOR_ID,
	[FIELD_NUM_TDX_FEATURES] = 1,
	[FIELD_NUM_CMRS] = TDXM_MAX_CMRS,
	[FIELD_MAX_TDMRS] = TDXM_MAX_TDMRS,
	[FIELD_MAX_RESERVED_PER_TDMR] = TDXM_MAX_RESERVED,
	[FIELD_PAMT_4K_ENTRY_SIZE] = PAMT_ENTRY_SIZE,
	[FIELD_PAMT_2M_ENTRY_SIZE] = PAMT_ENTRY_SIZE,
	[FIELD_PAMT_1G_ENTRY_SIZE] = PAMT_ENTRY_SIZE,
	[FIELD_TDR_BASE_SIZE] = 0x1000,
	[FIELD_TDCS_BASE_SIZE] = FIXED_TDCS_SIZE,
	[FIELD_TDCS_SIZE_PER_L2_VM] = 0x1000,
	[FIELD_TDVPS_BASE_SIZE] = 0x6000,
	[FIELD_TDVPS_SIZE_PER_L2_VM] = 0x3000,
	[FIELD_ATTRIBUTES_FIXED0] = UINT64_C(0x8000000070000001),
	[FIELD_XFAM_FIXED1] = 3,
	[FIELD_NUM_CPUID_CONFIG] = NR_CPUID_CONFIGS,
	[FIELD_CONFIG_FLAGS_FIXED0] = 7,
	[FIELD_IA32_ARCH_CAPABILITIES_CONFIG_MASK] = 0x1180010,
	[FIELD_MAX_MIGS] = 0x200,
	[FIELD_NUM_IMMUTABLE_STATE_PAGES] = 3,
	[FIELD_NUM_TD_STATE_PAGES] = 2,
	[FIELD_NUM_VP_STATE_PAGES] = 5,
	[FIELD_MAX_SERV_TDS] = 1,
	[FIELD_SERVTD_ATTR_FIXED0] = UINT64_C(0x7ff00000001),
	[FIELD_GUEST_L2_GPA_ATTR_MASK] = 0x807f,
	[FIELD_VM_CTLS_FIXED0] = 1,
	[FIELD_VPCU_L2_CTLS_FIXED0] = 3,
	[FIELD_VPCU_L2_DEBUG_CTLS_FIXED0] = 7,
};

/* Of the architecture's allowed bits, those that the CPU has */
static uint64_t xfam_fixed0(const struct tdxm *m)
{
	return ALLOWED_BITS_XFAM & (m->sys.xcr0_sup | m->sys.xss_sup);
}

/* Position of the platform's FMS in known_fms[], or its length */
static unsigned int known_fms_index(const struct tdxm *m)
{
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(known_fms); i++)
		if (!((known_fms[i] ^ m->sys.fms) & ~FMS_STEPPING))
			break;
	return i;
}

static uint64_t cpuid_config_value(unsigned int i)
{
	unsigned int config = i / 2;

	if (config >= NR_CPUID_CONFIGS)
		return 0;
	return i % 2 ? tdxm_cpuid_configs[config].rd_hi : tdxm_cpuid_configs[config].rd_lo;
}

static bool true_element(const struct tdxm *m, unsigned int field, unsigned int i, uint64_t *value)
{
	const struct tdxm_module *mod = &m->platform.module;
	unsigned int known = known_fms_index(m);

	switch (field) {
	case FIELD_NUM_PKGS:
		*value = m->num_sockets;
		break;
	case FIELD_PKG_FMS:
		*value = tdxm_table_fms(m, i);
		break;
	case FIELD_BUILD_DATE:
		*value = mod->build_date;
		break;
	case FIELD_BUILD_NUM:
		*value = mod->build_num;
		break;
	case FIELD_MINOR_VERSION:
		*value = mod->minor;
		break;
	case FIELD_MAJOR_VERSION:
		*value = mod->major;
		break;
	case FIELD_UPDATE_VERSION:
		*value = mod->update;
		break;
	case FIELD_INTERNAL_VERSION:
		*value = mod->internal;
		break;
	case FIELD_NUM_HANDOFF_PAGES:
		*value = m->platform.handoff_pages;
		break;
	case FIELD_TDX_FEATURES0:
		*value = mod->features0 | (BITS(m->sys.seamops, 6, 6) << 8);
		break;
	case FIELD_CMR_BASE:
		*value = i < m->platform.nr_cmrs ? m->platform.cmrs[i].base : 0;
		break;
	case FIELD_CMR_SIZE:
		*value = i < m->platform.nr_cmrs ? m->platform.cmrs[i].size : 0;
		break;
	case FIELD_XFAM_FIXED0:
		*value = xfam_fixed0(m);
		break;
	case FIELD_CPUID_CONFIG_LEAVES:
		*value = i < NR_CPUID_CONFIGS ? tdxm_cpuid_configs[i].rd_leaf : UINT64_MAX;
		break;
	case FIELD_CPUID_CONFIG_VALUES:
		*value = cpuid_config_value(i);
		break;
	case FIELD_NUM_ALLOWED_FMS:
		*value = ARRAY_LEN(known_fms) - known;
		return known < ARRAY_LEN(known_fms);
	case FIELD_ALLOWED_FMS:
		*value = 0;
		if (!i)
			*value = m->sys.fms;
		else if (known == ARRAY_LEN(known_fms))
			return false;
		else if (known + i < ARRAY_LEN(known_fms))
			*value = known_fms[known + i];
		break;
	default:
		*value = fixed_values[field];
	}
	return true;
}

/* Element i of a field. False: the module stops itself. */
bool tdxm_read_element(const struct tdxm *m, unsigned int field, unsigned int i, uint64_t *value)
{
	const struct tdxm_claim *claim = m->platform.claims + m->platform.nr_claims;

	while (claim-- > m->platform.claims) {
		if (claim->field == field && claim->element == i) {
			*value = claim->value;
			return true;
		}
	}
	return true_element(m, field, i, value);
}

static unsigned int nr_codes(const struct tdxm_field *f)
{
	return f->fields * f->elements;
}

/* The field an id is in, or NR_FIELDS; *i: which of its elements */
static unsigned int find_field(uint64_t id, unsigned int *i)
{
	const struct tdxm_field *f;
	unsigned int field;

	for (field = 0; field < NR_FIELDS; field++) {
		f = &tdxm_fields[field];
		*i = ID_CODE(id) - ID_CODE(f->id);
		if (ID_CLASS(id) == ID_CLASS(f->id) && ID_CODE(id) >= ID_CODE(f->id) &&
		    *i < nr_codes(f))
			break;
	}
	return field;
}

static uint64_t id_after(unsigned int field)
{
	return field + 1 < NR_FIELDS ? tdxm_fields[field + 1].id : NO_ID;
}

uint64_t tdxm_sys_rd(struct tdxm_call *c)
{
	uint64_t id = c->in[TDXM_RDX], value;
	unsigned int field, i;

	if (!c->lp->initialized)
		return TDX_SYS_LP_INIT_NOT_DONE;
	if ((id | ID_CONTEXT) == NO_ID) {
		c->r[TDXM_RDX] = tdxm_fields[0].id;
		return TDX_METADATA_FIRST_FIELD_ID;
	}
	if (id & ID_NOT_FOR_RD)
		return TDX_METADATA_FIELD_ID_INCORRECT;
	field = find_field(id, &i);
	if (field == NR_FIELDS)
		return TDX_METADATA_FIELD_ID_INCORRECT;
	if (!tdxm_read_element(c->m, field, i, &value))
		return tdxm_stop(c, FATAL_NO_CODE);

	c->r[TDXM_R8] = value;
	c->r[TDXM_RDX] = i + 1 < nr_codes(&tdxm_fields[field]) ?
			 (id + 1) & ~ID_CONTEXT : id_after(field);
	return TDX_SUCCESS;
}

/*
 * Fields that follow each other make one sequence if they are alike and their
 * codes are consecutive.
 */
static bool continues_sequence(const struct tdxm_field *prev, const struct tdxm_field *f)
{
	return ID_CLASS(prev->id) == ID_CLASS(f->id) && prev->bytes == f->bytes &&
	       prev->elements == f->elements &&
	       ID_CODE(prev->id) + nr_codes(prev) == ID_CODE(f->id);
}

struct rdall {
	const struct tdxm *m;
	uint64_t page;
	uint32_t used, sequences;
	uint32_t header;		/* offset of the running sequence's header */
	uint64_t header_id;
	uint32_t header_fields;
};

static void put_u64(const struct rdall *out, uint32_t offset, uint64_t value)
{
	uint8_t le[8];
	unsigned int i;

	for (i = 0; i < 8; i++)
		le[i] = value >> (8 * i);
	tdxm_write(out->m, out->page + offset, le, sizeof(le));
}

static void end_sequence(struct rdall *out)
{
	if (out->sequences)
		put_u64(out, out->header,
			out->header_id | (uint64_t)(out->header_fields - 1) << 38);
}

/* The second elements of unused CPUID configurations are left as they were */
static bool leaves_hole(unsigned int field, unsigned int i)
{
	return field == FIELD_CPUID_CONFIG_VALUES && i / 2 >= NR_CPUID_CONFIGS && i % 2;
}

uint64_t tdxm_sys_rdall(struct tdxm_call *c)
{
	struct rdall out = { .m = c->m, .page = c->in[TDXM_RDX], .used = 8 };
	uint64_t start = c->in[TDXM_R8], value;
	const struct tdxm_field *f;
	unsigned int field = 0, i = 0;

	if (!c->lp->initialized)
		return TDX_SYS_LP_INIT_NOT_DONE;
	if (!tdxm_shared_pa_ok(c->m, out.page, PAGE_4K, PAGE_4K))
		return TDX_OPERAND_INVALID | OP_RDX;
	if ((start | ID_CONTEXT) != NO_ID) {
		field = find_field(start, &i);
		if (field == NR_FIELDS || i % tdxm_fields[field].elements ||
		    ID_SIZE(start) != tdxm_fields[field].bytes)
			return TDX_METADATA_FIELD_ID_INCORRECT;
	}

	/* the first one may be one of several fields of its table entry */
	for (; field < NR_FIELDS; field++, i = 0) {
		f = &tdxm_fields[field];
		if (!out.sequences || !continues_sequence(f - 1, f)) {
			end_sequence(&out);
			out.sequences++;
			out.header = out.used;
			out.header_id = (f->id + i) | (uint64_t)(f->elements - 1) << 34;
			out.header_fields = 0;
			out.used += 8;
		}
		out.header_fields += f->fields - i / f->elements;
		for (; i < nr_codes(f); i++, out.used += 8) {
			if (leaves_hole(field, i))
				continue;
			if (!tdxm_read_element(c->m, field, i, &value))
				return tdxm_stop(c, FATAL_NO_CODE);
			put_u64(&out, out.used, value);
		}
	}
	end_sequence(&out);
	put_u64(&out, 0, out.used | out.sequences << 16);
	return TDX_SUCCESS;
}
