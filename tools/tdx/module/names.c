// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names of leaves, status codes, operands and metadata fields, and the kinds of modules.
 */
#include "internal.h"

#define STATUS_DETAILS		UINT64_C(0xffffffff)
#define FEATURES0_SEAMOPS	(UINT64_C(1) << 8)	/* comes from the CPU */
#define FEATURES0_NO_RBP_MOD	(UINT64_C(1) << 18)

static const char *const seamldr_leaves[] = {
	"SEAMLDR.INFO", "SEAMLDR.INSTALL", "SEAMLDR.SHUTDOWN", "SEAMLDR.SEAMINFO",
	"SEAMLDR.CLEANUP",
};

static const char *find_name(const struct tdxm_name *names, unsigned int nr, uint64_t value)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (names[i].value == value)
			return names[i].name;
	return NULL;
}

static bool find_value(const struct tdxm_name *names, unsigned int nr, const char *name,
		       uint64_t *value)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (!strcmp(names[i].name, name)) {
			*value = names[i].value;
			return true;
		}
	return false;
}

const char *tdxm_leaf_name(unsigned int leaf)
{
	return find_name(tdxm_leaf_names, tdxm_nr_leaf_names, leaf);
}

const char *tdxm_seamldr_leaf_name(unsigned int leaf)
{
	return leaf < ARRAY_LEN(seamldr_leaves) ? seamldr_leaves[leaf] : NULL;
}

const char *tdxm_status_name(uint64_t rax)
{
	const char *name = find_name(tdxm_status_names, tdxm_nr_status_names, rax);

	return name ? name : find_name(tdxm_status_names, tdxm_nr_status_names,
				       rax & ~STATUS_DETAILS);
}

const char *tdxm_operand_name(uint32_t operand)
{
	return find_name(tdxm_operand_names, tdxm_nr_operand_names, operand);
}

bool tdxm_leaf_by_name(const char *name, uint64_t *leaf)
{
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(seamldr_leaves); i++)
		if (!strcmp(seamldr_leaves[i], name)) {
			*leaf = i | TDXM_SEAMLDR;
			return true;
		}
	return find_value(tdxm_leaf_names, tdxm_nr_leaf_names, name, leaf);
}

bool tdxm_status_by_name(const char *name, uint64_t *status)
{
	return find_value(tdxm_status_names, tdxm_nr_status_names, name, status);
}

bool tdxm_field_by_name(const char *name, uint32_t *field, uint32_t *elements, uint32_t *bytes)
{
	uint64_t i;

	if (!find_value(tdxm_field_names, tdxm_nr_field_names, name, &i))
		return false;
	*field = i;
	*elements = tdxm_fields[i].fields * tdxm_fields[i].elements;
	*bytes = tdxm_fields[i].bytes;
	return true;
}

const char *tdxm_state_name(enum tdxm_state state)
{
	static const char *const names[] = {
		[TDXM_PENDING] = "PENDING",
		[TDXM_INIT_DONE] = "INIT_DONE",
		[TDXM_CONFIG_DONE] = "CONFIG_DONE",
		[TDXM_READY] = "READY",
		[TDXM_SHUTDOWN] = "SHUTDOWN",
		[TDXM_STOPPED] = "STOPPED",
		[TDXM_NOT_LOADED] = "NOT_LOADED",
	};

	return (unsigned int)state < ARRAY_LEN(names) ? names[state] : NULL;
}

const char *tdxm_module_kind(unsigned int i)
{
	return i < tdxm_nr_kinds ? tdxm_kinds[i].name : NULL;
}

bool tdxm_module_by_name(struct tdxm_module *mod, const char *kind)
{
	const struct tdxm_kind *k;
	unsigned int i;

	for (i = 0; i < tdxm_nr_kinds; i++) {
		k = &tdxm_kinds[i];
		if (strcmp(k->name, kind))
			continue;
		memset(mod, 0, sizeof(*mod));
		mod->loaded = true;
		mod->seamldr_loaded = true;
		mod->major = k->major;
		mod->minor = k->minor;
		mod->update = k->update;
		mod->build_date = 20240129;
		mod->build_num = 698;
		mod->has_sys_rd = k->features0 != 0;
		mod->lp_shutdown = !mod->has_sys_rd;
		mod->features0 = k->features0 & ~FEATURES0_SEAMOPS;
		mod->clobbers_rbp = !(k->features0 & FEATURES0_NO_RBP_MOD);
		return true;
	}
	return false;
}
