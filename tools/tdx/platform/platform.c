// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Platform descriptions.
 *
 * What there is in one: Documentation/x86/tdx-host-platform.rst, which a test
 * compares with the tables here. All keys are optional; an unknown one is an
 * error. What is not given is as on the reference platform of the vectors
 * (2 LPs, 1 package, KeyIDs 31 + 32, module 1.5.01).
 *
 * A description of a vector file may have what no machine could: CMRs out of
 * order, too many KeyIDs. Those checks are made for machines only.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "platform.h"

#define KIB(n)			((uint64_t)(n) << 10)
#define MIB(n)			((uint64_t)(n) << 20)
#define GIB(n)			((uint64_t)(n) << 30)
#define MAX_PA_WIDTH		57
#define MAX_KEYID_BITS		15	/* IA32_TME_ACTIVATE[35:32] */
#define MAX_NODES		1024
#define MAX_MEMORY		4096
#define MAX_QUIRKS		65536
#define LPS_PER_PACKAGE		128	/* APIC id: package << 7 | index */
#define SEAMRR_UNIT		MIB(32)
#define SMRR_UNIT		MIB(16)
#define NO_RBP_MOD		(UINT64_C(1) << 18)

struct ctx {
	const char *file;
	char **err;
	bool strict;		/* a machine, not just a platform of a vector */
	bool has_cmrs, has_seamrr_base;
	struct tdxm_range told_cmrs[TDXM_MAX_CMRS];	/* what firmware tells the module */
	uint32_t nr_told_cmrs;
	bool has_told_cmrs;
	struct tdxm_range taken;	/* not for find_hole() */
	struct tdx_machine *m;
};

/* A place in the file: "quirks.msr[3]" */
struct path {
	const struct path *up;
	const char *key;	/* NULL: an index */
	size_t index;
};

static int path_print(const struct path *p, char *buf, size_t size)
{
	int n = 0;

	if (!p)
		return 0;
	n = path_print(p->up, buf, size);
	if (n < 0 || (size_t)n >= size)
		return n;
	if (!p->key)
		return n + snprintf(buf + n, size - n, "[%zu]", p->index);
	return n + snprintf(buf + n, size - n, "%s%s", n ? "." : "", p->key);
}

/* Always false, so that callers can return it */
static bool __attribute__((format(printf, 3, 4)))
fail(const struct ctx *c, const struct path *p, const char *fmt, ...)
{
	char where[256] = "", what[512];
	size_t size;
	va_list ap;

	if (*c->err)
		return false;
	path_print(p, where, sizeof(where));
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	size = strlen(c->file) + strlen(where) + strlen(what) + 8;
	*c->err = malloc(size);
	if (*c->err)
		snprintf(*c->err, size, "%s: %s%s%s", c->file, where, where[0] ? ": " : "", what);
	return false;
}

static const char *type_name(const json_t *v)
{
	if (!v)
		return "not there";
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "a list";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
		return "a number";
	case JSON_REAL:
		return "a number with a fraction";
	case JSON_NULL:
		return "null";
	default:
		return "true or false";
	}
}

static bool number_of_string(const char *s, uint64_t *val)
{
	int base = 10;
	char *end;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		s += 2;
	}
	/* strtoull() would take signs and blanks */
	if (!strchr("0123456789abcdefABCDEF", *s) || !*s)
		return false;
	errno = 0;
	*val = strtoull(s, &end, base);
	return !*end && !errno;
}

static bool get_number(const struct ctx *c, const struct path *p, const json_t *v,
		       uint64_t min, uint64_t max, uint64_t *val)
{
	if (json_is_integer(v)) {
		if (json_integer_value(v) < 0)
			return fail(c, p, "%" JSON_INTEGER_FORMAT " is negative",
				    json_integer_value(v));
		*val = json_integer_value(v);
	} else if (json_is_string(v)) {
		if (!number_of_string(json_string_value(v), val))
			return fail(c, p, "\"%s\" is not a number of at most 64 bits, such as 7 or \"0x7\"",
				    json_string_value(v));
	} else {
		return fail(c, p, "is %s, should be a number", type_name(v));
	}
	if (*val < min || *val > max)
		return fail(c, p, "%#" PRIx64 " is not in [%#" PRIx64 ", %#" PRIx64 "]",
			    *val, min, max);
	return true;
}

static bool get_u32(const struct ctx *c, const struct path *p, const json_t *v,
		    uint32_t min, uint32_t max, uint32_t *val)
{
	uint64_t wide;

	if (!get_number(c, p, v, min, max, &wide))
		return false;
	*val = wide;
	return true;
}

static bool get_bool(const struct ctx *c, const struct path *p, const json_t *v, bool *val)
{
	/* the vectors write 0 and 1 */
	if (json_is_integer(v) && (json_integer_value(v) | 1) == 1)
		*val = json_integer_value(v);
	else if (json_is_boolean(v))
		*val = json_is_true(v);
	else
		return fail(c, p, "is %s, should be true or false", type_name(v));
	return true;
}

static bool get_text(const struct ctx *c, const struct path *p, const json_t *v, char **val)
{
	if (!json_is_string(v))
		return fail(c, p, "is %s, should be a string", type_name(v));
	free(*val);
	*val = strdup(json_string_value(v));
	return *val ? true : fail(c, p, "out of memory");
}

static bool is_list(const struct ctx *c, const struct path *p, const json_t *v, size_t max)
{
	if (!json_is_array(v))
		return fail(c, p, "is %s, should be a list", type_name(v));
	if (json_array_size(v) > max)
		return fail(c, p, "has %zu entries, at most %zu are possible",
			    json_array_size(v), max);
	return true;
}

static bool is_tuple(const struct ctx *c, const struct path *p, const json_t *v, size_t n,
		     const char *what)
{
	if (!json_is_array(v))
		return fail(c, p, "is %s, should be a list %s", type_name(v), what);
	if (json_array_size(v) != n)
		return fail(c, p, "has %zu entries, should be %s", json_array_size(v), what);
	return true;
}

static bool get_nth(const struct ctx *c, const struct path *p, const json_t *list, size_t i,
		    uint64_t max, uint64_t *val)
{
	struct path here = { p, NULL, i };

	return get_number(c, &here, json_array_get(list, i), 0, max, val);
}

/* Keys of an object: what each of them means */
struct key {
	const char *name;
	bool (*get)(struct ctx *c, const struct path *p, const json_t *v);
};

static bool get_object(struct ctx *c, const struct path *p, const json_t *v,
		       const struct key *keys, size_t nr)
{
	struct path here = { p, NULL, 0 };
	char known[512];
	json_t *value;
	const char *name;
	size_t i, n = 0;

	if (!json_is_object(v))
		return fail(c, p, "is %s, should be an object", type_name(v));
	json_object_foreach((json_t *)v, name, value) {
		here.key = name;
		for (i = 0; i < nr; i++)
			if (!strcmp(keys[i].name, name))
				break;
		if (i == nr) {
			for (i = 0; i < nr && n < sizeof(known); i++)
				n += snprintf(known + n, sizeof(known) - n, "%s%s", i ? ", " : "",
					      keys[i].name);
			return fail(c, &here, "unknown key (known here: %s)", known);
		}
	}
	/* in the order of the table: some need what others say */
	for (i = 0; i < nr; i++) {
		here.key = keys[i].name;
		value = json_object_get(v, here.key);
		if (value && !keys[i].get(c, &here, value))
			return false;
	}
	return true;
}

#define GET_OBJECT(c, p, v, keys) get_object(c, p, v, keys, sizeof(keys) / sizeof((keys)[0]))

#define GETTER_U32(name, field, min, max)						\
static bool name(struct ctx *c, const struct path *p, const json_t *v)			\
{											\
	return get_u32(c, p, v, min, max, &c->m->field);				\
}

#define GETTER_BOOL(name, field)							\
static bool name(struct ctx *c, const struct path *p, const json_t *v)			\
{											\
	return get_bool(c, p, v, &c->m->field);						\
}

GETTER_U32(get_lps, platform.lps, 1, TDXM_MAX_LPS)
GETTER_U32(get_packages, platform.packages, 1, TDXM_MAX_LPS)
GETTER_U32(get_pa_width, platform.pa_width, 1, 255)
GETTER_U32(get_mktme_keyids, platform.mktme_keyids, 0, UINT32_MAX)
GETTER_U32(get_tdx_keyids, platform.tdx_keyids, 0, UINT32_MAX)
GETTER_U32(get_nodes, nodes, 1, MAX_NODES)
GETTER_U32(get_num_lps, platform.num_lps, 0, TDXM_DEFAULT - 1)
GETTER_U32(get_num_sockets, platform.num_sockets, 0, TDXM_DEFAULT - 1)
GETTER_U32(get_module_hv, platform.module_hv, 0, UINT16_MAX)
GETTER_U32(get_min_update_hv, platform.min_update_hv, 0, UINT16_MAX)
GETTER_U32(get_handoff_pages, platform.handoff_pages, 0, UINT16_MAX)
GETTER_BOOL(get_no_smrr2, platform.no_smrr2)
GETTER_BOOL(get_no_integrity, platform.no_integrity)
GETTER_BOOL(get_loaded, platform.module.loaded)
GETTER_BOOL(get_seamldr, platform.module.seamldr_loaded)
GETTER_BOOL(get_seamrr_supported, platform.seamrr_supported)
GETTER_BOOL(get_seamrr_enabled, platform.seamrr_enabled)
GETTER_BOOL(get_seamrr_locked, platform.seamrr_locked)
GETTER_BOOL(get_erratum, erratum_partial_write)
GETTER_BOOL(get_checker, checker)
GETTER_BOOL(get_test_interface, test_interface)

static bool get_name(struct ctx *c, const struct path *p, const json_t *v)
{
	return get_text(c, p, v, &c->m->name);
}

static bool get_description(struct ctx *c, const struct path *p, const json_t *v)
{
	return get_text(c, p, v, &c->m->description);
}

/* [base, size] */
static bool get_range(struct ctx *c, const struct path *p, const json_t *v,
		      struct tdxm_range *range)
{
	if (!is_tuple(c, p, v, 2, "[base, size]") ||
	    !get_nth(c, p, v, 0, UINT64_MAX, &range->base) ||
	    !get_nth(c, p, v, 1, UINT64_MAX, &range->size))
		return false;
	if (c->strict && range->base + range->size < range->base)
		return fail(c, p, "[%#" PRIx64 ", +%#" PRIx64 ") ends beyond 2^64",
			    range->base, range->size);
	return true;
}

static bool get_cmr_list(struct ctx *c, const struct path *p, const json_t *v,
			 struct tdxm_range *cmrs, uint32_t *nr)
{
	struct path here = { p, NULL, 0 };

	if (!is_list(c, p, v, TDXM_MAX_CMRS))
		return false;
	*nr = json_array_size(v);
	for (; here.index < *nr; here.index++)
		if (!get_range(c, &here, json_array_get(v, here.index), &cmrs[here.index]))
			return false;
	return true;
}

static bool get_cmrs(struct ctx *c, const struct path *p, const json_t *v)
{
	c->has_cmrs = true;
	return get_cmr_list(c, p, v, c->m->platform.cmrs, &c->m->platform.nr_cmrs);
}

static bool get_told_cmrs(struct ctx *c, const struct path *p, const json_t *v)
{
	c->has_told_cmrs = true;
	return get_cmr_list(c, p, v, c->told_cmrs, &c->nr_told_cmrs);
}

static const char *const mem_types[] = {
	[TDX_MEM_RAM] = "ram",
	[TDX_MEM_RESERVED] = "reserved",
	[TDX_MEM_ACPI] = "acpi",
	[TDX_MEM_NVS] = "nvs",
	[TDX_MEM_HOTPLUG] = "hotplug",
};

/* The last one is being read */
static struct tdx_mem *this_mem(struct ctx *c)
{
	return &c->m->memory[c->m->nr_memory];
}

static bool get_mem_base(struct ctx *c, const struct path *p, const json_t *v)
{
	return get_number(c, p, v, 0, UINT64_MAX, &this_mem(c)->base);
}

static bool get_mem_size(struct ctx *c, const struct path *p, const json_t *v)
{
	return get_number(c, p, v, 1, UINT64_MAX, &this_mem(c)->size);
}

static bool get_mem_node(struct ctx *c, const struct path *p, const json_t *v)
{
	return get_u32(c, p, v, 0, MAX_NODES - 1, &this_mem(c)->node);
}

static bool get_mem_type(struct ctx *c, const struct path *p, const json_t *v)
{
	size_t i, nr = sizeof(mem_types) / sizeof(mem_types[0]);

	for (i = 0; json_is_string(v) && i < nr; i++)
		if (!strcmp(mem_types[i], json_string_value(v))) {
			this_mem(c)->type = i;
			return true;
		}
	return fail(c, p, "should be one of \"ram\", \"reserved\", \"acpi\", \"nvs\", \"hotplug\"");
}

static bool get_memory(struct ctx *c, const struct path *p, const json_t *v)
{
	static const struct key keys[] = {
		{ "base", get_mem_base }, { "size", get_mem_size },
		{ "node", get_mem_node }, { "type", get_mem_type },
	};
	struct path here = { p, NULL, 0 };
	const json_t *entry;
	struct tdx_mem *mem;

	if (!is_list(c, p, v, MAX_MEMORY))
		return false;
	c->m->memory = calloc(json_array_size(v) + 1, sizeof(*c->m->memory));
	if (!c->m->memory)
		return fail(c, p, "out of memory");
	c->m->memory_given = true;
	for (; here.index < json_array_size(v); here.index++) {
		entry = json_array_get(v, here.index);
		if (!GET_OBJECT(c, &here, entry, keys))
			return false;
		if (!json_object_get(entry, "base") || !json_object_get(entry, "size"))
			return fail(c, &here, "needs a base and a size");
		mem = this_mem(c);
		if (mem->base + mem->size < mem->base)
			return fail(c, &here, "[%#" PRIx64 ", +%#" PRIx64 ") ends beyond 2^64",
				    mem->base, mem->size);
		c->m->nr_memory++;
	}
	return true;
}

static bool get_kind(struct ctx *c, const struct path *p, const json_t *v)
{
	const char *kind = json_is_string(v) ? json_string_value(v) : "";
	char known[256] = "";
	size_t n = 0;
	unsigned int i;

	if (tdxm_module_by_name(&c->m->platform.module, kind)) {
		snprintf(c->m->module_kind, sizeof(c->m->module_kind), "%s", kind);
		return true;
	}
	for (i = 0; tdxm_module_kind(i) && n < sizeof(known); i++)
		n += snprintf(known + n, sizeof(known) - n, "%s%s", i ? ", " : "",
			      tdxm_module_kind(i));
	if (!json_is_string(v))
		return fail(c, p, "is %s, should be a string that names a kind of module (known: %s)",
			    type_name(v), known);
	return fail(c, p, "\"%s\" is not a known kind of module (known: %s)", kind, known);
}

static bool get_no_rbp_mod(struct ctx *c, const struct path *p, const json_t *v)
{
	struct tdxm_module *mod = &c->m->platform.module;
	bool no_rbp_mod;

	if (!get_bool(c, p, v, &no_rbp_mod))
		return false;
	mod->clobbers_rbp = !no_rbp_mod;
	if (no_rbp_mod && mod->has_sys_rd)
		mod->features0 |= NO_RBP_MOD;
	else
		mod->features0 &= ~NO_RBP_MOD;
	return true;
}

static bool get_module(struct ctx *c, const struct path *p, const json_t *v)
{
	static const struct key keys[] = {
		{ "kind", get_kind }, { "loaded", get_loaded },
		{ "no_rbp_mod", get_no_rbp_mod }, { "seamldr", get_seamldr },
	};

	return GET_OBJECT(c, p, v, keys);
}

static bool seamrr_ok(const struct ctx *c, const struct path *p)
{
	const struct tdxm_range *r = &c->m->platform.seamrr;

	if (r->size & (r->size - 1) || r->size < SEAMRR_UNIT ||
	    (c->has_seamrr_base && r->base & (r->size - 1)))
		return fail(c, p, "[%#" PRIx64 ", +%#" PRIx64 "): the size should be a power of two of at least 32 MiB, the base a multiple of it",
			    r->base, r->size);
	return true;
}

static bool get_seamrr_base(struct ctx *c, const struct path *p, const json_t *v)
{
	c->has_seamrr_base = true;
	return get_number(c, p, v, 0, UINT64_MAX, &c->m->platform.seamrr.base);
}

static bool get_seamrr_size(struct ctx *c, const struct path *p, const json_t *v)
{
	return get_number(c, p, v, 1, UINT64_MAX, &c->m->platform.seamrr.size);
}

static bool get_seamrr(struct ctx *c, const struct path *p, const json_t *v)
{
	static const struct key keys[] = {
		{ "supported", get_seamrr_supported }, { "enabled", get_seamrr_enabled },
		{ "locked", get_seamrr_locked }, { "base", get_seamrr_base },
		{ "size", get_seamrr_size },
	};

	return GET_OBJECT(c, p, v, keys) && seamrr_ok(c, p);
}

/* Quirks */

static bool get_lp(struct ctx *c, const struct path *p, const json_t *v, int32_t *lp)
{
	uint64_t val;

	if (json_is_integer(v) && json_integer_value(v) == TDXM_ALL_LPS) {
		*lp = TDXM_ALL_LPS;
		return true;
	}
	if (!get_number(c, p, v, 0, INT32_MAX, &val))
		return false;
	if (c->strict && val >= c->m->platform.lps)
		return fail(c, p, "there is no LP %" PRIu64 ", the platform has %" PRIu32,
			    val, c->m->platform.lps);
	*lp = val;
	return true;
}

static bool get_nth_lp(struct ctx *c, const struct path *p, const json_t *list, size_t i,
		       int32_t *lp)
{
	struct path here = { p, NULL, i };

	return get_lp(c, &here, json_array_get(list, i), lp);
}

/* Room for all entries of list `v`; the platform keeps the pointer */
static void *quirk_list(struct ctx *c, const struct path *p, const json_t *v, size_t size,
			uint32_t *nr)
{
	void *list;

	*nr = 0;
	if (!is_list(c, p, v, MAX_QUIRKS))
		return NULL;
	list = calloc(json_array_size(v) + 1, size);
	if (!list)
		fail(c, p, "out of memory");
	else
		*nr = json_array_size(v);
	return list;
}

static bool get_msr_quirks(struct ctx *c, const struct path *p, const json_t *v)
{
	struct tdxm_platform *platform = &c->m->platform;
	struct path here = { p, NULL, 0 };
	struct tdxm_msr_quirk *q;
	const json_t *entry;
	uint64_t msr;

	q = quirk_list(c, p, v, sizeof(*q), &platform->nr_msr_quirks);
	platform->msr_quirks = q;
	if (!q)
		return false;
	for (; here.index < platform->nr_msr_quirks; here.index++, q++) {
		entry = json_array_get(v, here.index);
		if (!is_tuple(c, &here, entry, 3, "[lp, msr, value]") ||
		    !get_nth_lp(c, &here, entry, 0, &q->lp) ||
		    !get_nth(c, &here, entry, 1, UINT32_MAX, &msr) ||
		    !get_nth(c, &here, entry, 2, UINT64_MAX, &q->value))
			return false;
		q->msr = msr;
	}
	return true;
}

static bool get_cpuid_quirks(struct ctx *c, const struct path *p, const json_t *v)
{
	static const char *const regs[] = { "eax", "ebx", "ecx", "edx" };
	struct tdxm_platform *platform = &c->m->platform;
	struct path here = { p, NULL, 0 };
	uint64_t leaf, subleaf, value;
	struct tdxm_cpuid_quirk *q;
	const json_t *entry;
	const char *reg;

	q = quirk_list(c, p, v, sizeof(*q), &platform->nr_cpuid_quirks);
	platform->cpuid_quirks = q;
	if (!q)
		return false;
	for (; here.index < platform->nr_cpuid_quirks; here.index++, q++) {
		entry = json_array_get(v, here.index);
		if (!is_tuple(c, &here, entry, 5, "[lp, leaf, subleaf, \"eax\", value]") ||
		    !get_nth_lp(c, &here, entry, 0, &q->lp) ||
		    !get_nth(c, &here, entry, 1, UINT32_MAX, &leaf) ||
		    !get_nth(c, &here, entry, 2, UINT32_MAX, &subleaf) ||
		    !get_nth(c, &here, entry, 4, UINT32_MAX, &value))
			return false;
		q->leaf = leaf;
		q->subleaf = subleaf;
		q->value = value;
		reg = json_string_value(json_array_get(entry, 3));
		for (q->reg = 0; q->reg < 4; q->reg++)
			if (reg && !strcmp(regs[q->reg], reg))
				break;
		if (q->reg == 4) {
			struct path fourth = { &here, NULL, 3 };

			return fail(c, &fourth, "should be \"eax\", \"ebx\", \"ecx\" or \"edx\"");
		}
	}
	return true;
}

/* Of PCONFIG with MKTME_KEY_PROGRAM. Vectors have others, too: the module stops with those. */
#define PCONFIG_FIRST_ERROR	1
#define PCONFIG_LAST_ERROR	5

static bool get_pconfig_quirks(struct ctx *c, const struct path *p, const json_t *v)
{
	struct tdxm_platform *platform = &c->m->platform;
	struct path here = { p, NULL, 0 };
	struct tdxm_pconfig_quirk *q;
	uint64_t package, count, code;
	const json_t *entry;

	q = quirk_list(c, p, v, sizeof(*q), &platform->nr_pconfig_quirks);
	platform->pconfig_quirks = q;
	if (!q)
		return false;
	for (; here.index < platform->nr_pconfig_quirks; here.index++, q++) {
		entry = json_array_get(v, here.index);
		if (!is_tuple(c, &here, entry, 3, "[package, count, code]") ||
		    !get_nth(c, &here, entry, 0, UINT32_MAX, &package) ||
		    !get_nth(c, &here, entry, 1, UINT32_MAX, &count) ||
		    !get_nth(c, &here, entry, 2, UINT32_MAX, &code))
			return false;
		if (c->strict && package >= platform->packages)
			return fail(c, &here, "there is no package %" PRIu64 ", the platform has %" PRIu32,
				    package, platform->packages);
		if (c->strict && (code < PCONFIG_FIRST_ERROR || code > PCONFIG_LAST_ERROR)) {
			struct path third = { &here, NULL, 2 };

			return fail(c, &third, "%" PRIu64 " is not an error of PCONFIG, %d to %d: 2 is no entropy, 5 is busy, "
				    "the module stops with the others", code, PCONFIG_FIRST_ERROR, PCONFIG_LAST_ERROR);
		}
		q->package = package;
		q->count = count;
		q->code = code;
	}
	return true;
}

static bool get_lp_quirks(struct ctx *c, const struct path *p, const json_t *v,
			  const struct tdxm_lp_quirk **list, uint32_t *nr)
{
	struct path here = { p, NULL, 0 };
	struct tdxm_lp_quirk *q;
	const json_t *entry;

	q = quirk_list(c, p, v, sizeof(*q), nr);
	*list = q;
	if (!q)
		return false;
	for (; here.index < *nr; here.index++, q++) {
		entry = json_array_get(v, here.index);
		if (!is_tuple(c, &here, entry, 2, "[lp, value]") ||
		    !get_nth_lp(c, &here, entry, 0, &q->lp) ||
		    !get_nth(c, &here, entry, 1, UINT64_MAX, &q->value))
			return false;
	}
	return true;
}

#define GETTER_LP_QUIRK(name, field)							\
static bool name(struct ctx *c, const struct path *p, const json_t *v)			\
{											\
	return get_lp_quirks(c, p, v, &c->m->platform.field,				\
			     &c->m->platform.nr_##field);				\
}

GETTER_LP_QUIRK(get_rdrand_quirks, rdrand_quirks)
GETTER_LP_QUIRK(get_rdseed_quirks, rdseed_quirks)
GETTER_LP_QUIRK(get_intr_quirks, intr_quirks)
GETTER_LP_QUIRK(get_seamops_quirks, seamops_quirks)

static bool get_fms_quirks(struct ctx *c, const struct path *p, const json_t *v)
{
	struct tdxm_platform *platform = &c->m->platform;
	struct path here = { p, NULL, 0 };
	struct tdxm_fms_quirk *q;
	uint64_t entry_nr, value;
	const json_t *entry;

	q = quirk_list(c, p, v, sizeof(*q), &platform->nr_fms_quirks);
	platform->fms_quirks = q;
	if (!q)
		return false;
	for (; here.index < platform->nr_fms_quirks; here.index++, q++) {
		entry = json_array_get(v, here.index);
		if (!is_tuple(c, &here, entry, 2, "[entry, value]") ||
		    !get_nth(c, &here, entry, 0, TDXM_MAX_PACKAGES - 1, &entry_nr) ||
		    !get_nth(c, &here, entry, 1, UINT32_MAX, &value))
			return false;
		q->entry = entry_nr;
		q->value = value;
	}
	return true;
}

static bool get_smrr_range(struct ctx *c, const struct path *p, const json_t *v,
			   struct tdxm_range *smrr)
{
	if (!get_range(c, p, v, smrr))
		return false;
	if (smrr->base >= GIB(4) || smrr->size > GIB(4))
		return fail(c, p, "[%#" PRIx64 ", +%#" PRIx64 ") is not below 4 GiB",
			    smrr->base, smrr->size);
	return true;
}

static bool get_smrr(struct ctx *c, const struct path *p, const json_t *v)
{
	return get_smrr_range(c, p, v, &c->m->platform.smrr);
}

static bool get_smrr2(struct ctx *c, const struct path *p, const json_t *v)
{
	return get_smrr_range(c, p, v, &c->m->platform.smrr2);
}

static bool get_seamrr_range(struct ctx *c, const struct path *p, const json_t *v)
{
	c->has_seamrr_base = true;
	return get_range(c, p, v, &c->m->platform.seamrr) && (!c->strict || seamrr_ok(c, p));
}

static bool get_quirks(struct ctx *c, const struct path *p, const json_t *v)
{
	static const struct key keys[] = {
		{ "msr", get_msr_quirks }, { "cpuid", get_cpuid_quirks },
		{ "pconfig_fail", get_pconfig_quirks }, { "rdrand_fail", get_rdrand_quirks },
		{ "rdseed_fail", get_rdseed_quirks }, { "intr_pending", get_intr_quirks },
		{ "seamops_caps", get_seamops_quirks }, { "fms", get_fms_quirks },
		{ "cmrs", get_told_cmrs },
		{ "smrr", get_smrr }, { "smrr2", get_smrr2 }, { "seamrr", get_seamrr_range },
		{ "num_lps", get_num_lps }, { "num_sockets", get_num_sockets },
		{ "no_smrr2", get_no_smrr2 }, { "no_integrity", get_no_integrity },
		{ "module_hv", get_module_hv }, { "min_update_hv", get_min_update_hv },
		{ "handoff_pages", get_handoff_pages },
	};

	return GET_OBJECT(c, p, v, keys);
}

/* Faults and latencies */

static bool leaf_of_string(const char *s, uint64_t *leaf)
{
	return tdxm_leaf_by_name(s, leaf) || number_of_string(s, leaf);
}

static bool leaf_ok(uint64_t leaf)
{
	return (leaf & ~TDXM_SEAMLDR) <= UINT16_MAX;
}

static struct tdxm_fault *this_fault(struct ctx *c)
{
	return &c->m->platform.faults[c->m->platform.nr_faults];
}

static bool get_fault_leaf(struct ctx *c, const struct path *p, const json_t *v)
{
	uint64_t *leaf = &this_fault(c)->leaf;

	if (json_is_string(v) && !strcmp(json_string_value(v), "any")) {
		*leaf = TDXM_ANY_LEAF;
		return true;
	}
	if (json_is_string(v)) {
		if (!leaf_of_string(json_string_value(v), leaf))
			return fail(c, p, "\"%s\" is not the name of a leaf, such as \"TDH.SYS.INIT\" or \"SEAMLDR.INFO\", nor a number, nor \"any\"",
				    json_string_value(v));
	} else if (!get_number(c, p, v, 0, UINT64_MAX, leaf)) {
		return false;
	}
	return leaf_ok(*leaf) ? true : fail(c, p, "%#" PRIx64 " can not be a leaf number", *leaf);
}

static bool get_fault_lp(struct ctx *c, const struct path *p, const json_t *v)
{
	if (json_is_string(v) && !strcmp(json_string_value(v), "any")) {
		this_fault(c)->lp = TDXM_ALL_LPS;
		return true;
	}
	return get_lp(c, p, v, &this_fault(c)->lp);
}

static bool get_fault_nth(struct ctx *c, const struct path *p, const json_t *v)
{
	return get_u32(c, p, v, 1, UINT32_MAX, &this_fault(c)->nth);
}

static bool get_fault_count(struct ctx *c, const struct path *p, const json_t *v)
{
	return get_u32(c, p, v, 0, UINT32_MAX, &this_fault(c)->count);
}

static bool get_fault_status(struct ctx *c, const struct path *p, const json_t *v)
{
	static const struct {
		const char *name;
		enum tdxm_exit exit;
	} exits[] = {
		{ "VMFAIL_INVALID", TDXM_VMFAIL_INVALID }, { "FATAL", TDXM_FATAL },
		{ "GP", TDXM_GP }, { "UD", TDXM_UD },
	};
	struct tdxm_fault *f = this_fault(c);
	const char *s = json_string_value(v);
	size_t i;

	f->exit = TDXM_DONE;
	if (!s)
		return get_number(c, p, v, 0, UINT64_MAX, &f->status);
	for (i = 0; i < sizeof(exits) / sizeof(exits[0]); i++)
		if (!strcmp(exits[i].name, s)) {
			f->exit = exits[i].exit;
			return true;
		}
	if (tdxm_status_by_name(s, &f->status) || number_of_string(s, &f->status))
		return true;
	return fail(c, p, "\"%s\" is not the name of a status, such as \"TDX_SYS_BUSY\", nor a number, nor VMFAIL_INVALID, FATAL, GP or UD",
		    s);
}

static bool get_faults(struct ctx *c, const struct path *p, const json_t *v)
{
	static const struct key keys[] = {
		{ "leaf", get_fault_leaf }, { "lp", get_fault_lp }, { "nth", get_fault_nth },
		{ "count", get_fault_count }, { "status", get_fault_status },
	};
	struct path here = { p, NULL, 0 };
	const json_t *entry;

	if (!is_list(c, p, v, TDXM_MAX_FAULTS))
		return false;
	for (; here.index < json_array_size(v); here.index++) {
		entry = json_array_get(v, here.index);
		*this_fault(c) = (struct tdxm_fault){
			.leaf = TDXM_ANY_LEAF, .lp = TDXM_ALL_LPS, .nth = 1, .count = 1,
		};
		if (!GET_OBJECT(c, &here, entry, keys))
			return false;
		if (!json_object_get(entry, "leaf") || !json_object_get(entry, "status"))
			return fail(c, &here, "needs a leaf and a status");
		c->m->platform.nr_faults++;
	}
	return true;
}

static bool get_latency(struct ctx *c, const struct path *p, const json_t *v)
{
	struct path here = { p, NULL, 0 };
	uint64_t leaf;
	json_t *value;

	if (!json_is_object(v))
		return fail(c, p, "is %s, should be an object", type_name(v));
	json_object_foreach((json_t *)v, here.key, value) {
		if (!leaf_of_string(here.key, &leaf) || leaf >= TDXM_MAX_LEAVES)
			return fail(c, &here, "not a leaf of the module, such as \"TDH.SYS.TDMR.INIT\"");
		if (!get_number(c, &here, value, 0, UINT64_C(1000000000) * 3600,
				&c->m->platform.latency_ns[leaf]))
			return false;
	}
	return true;
}

/* What the module says of element @i of a field */
static bool get_claim(struct ctx *c, const struct path *p, const json_t *v, uint32_t field,
		      uint32_t i, uint32_t bytes)
{
	struct tdxm_platform *platform = &c->m->platform;
	struct tdxm_claim *claim = &platform->claims[platform->nr_claims];

	if (platform->nr_claims == TDXM_MAX_CLAIMS)
		return fail(c, p, "is one number too many, at most %d are possible",
			    TDXM_MAX_CLAIMS);
	claim->field = field;
	claim->element = i;
	if (!get_number(c, p, v, 0, UINT64_MAX >> (64 - 8 * bytes), &claim->value))
		return false;
	platform->nr_claims++;
	return true;
}

static bool get_claims(struct ctx *c, const struct path *p, const json_t *v)
{
	struct path here = { p, NULL, 0 }, entry = { &here, NULL, 0 };
	uint32_t field, elements, bytes;
	json_t *value;

	json_object_foreach((json_t *)v, here.key, value) {
		if (!tdxm_field_by_name(here.key, &field, &elements, &bytes))
			return fail(c, &here, "not a metadata field of the module, such as \"MAX_TDMRS\"");
		if (!json_is_array(value)) {
			if (!get_claim(c, &here, value, field, 0, bytes))
				return false;
			continue;
		}
		if (!is_list(c, &here, value, elements))
			return false;
		for (entry.index = 0; entry.index < json_array_size(value); entry.index++)
			if (!get_claim(c, &entry, json_array_get(value, entry.index), field,
				       entry.index, bytes))
				return false;
	}
	return true;
}

static bool get_hostile(struct ctx *c, const struct path *p, const json_t *v)
{
	if (json_is_object(v))
		return get_claims(c, p, v);
	if (!json_is_integer(v) && !json_is_string(v))
		return fail(c, p, "is %s, should be a number or an object", type_name(v));
	return get_number(c, p, v, 0, UINT64_MAX, &c->m->platform.hostile);
}

static const struct key top_keys[] = {
	{ "name", get_name }, { "description", get_description },
	{ "lps", get_lps }, { "packages", get_packages }, { "pa_width", get_pa_width },
	{ "mktme_keyids", get_mktme_keyids }, { "tdx_keyids", get_tdx_keyids },
	{ "cmrs", get_cmrs }, { "memory", get_memory }, { "nodes", get_nodes },
	{ "module", get_module }, { "seamrr", get_seamrr }, { "quirks", get_quirks },
	{ "faults", get_faults }, { "latency_ns", get_latency },
	{ "erratum_partial_write", get_erratum }, { "checker", get_checker },
	{ "test_interface", get_test_interface },
	{ "hostile", get_hostile },
};

/* What a machine needs, beyond a platform that the module can answer on */

static bool check_cpus(struct ctx *c)
{
	const struct tdxm_platform *p = &c->m->platform;
	uint64_t keyids = UINT64_C(1) + p->mktme_keyids + p->tdx_keyids;

	if (p->packages > p->lps)
		return fail(c, NULL, "packages: %" PRIu32 " packages can not share %" PRIu32 " LPs",
			    p->packages, p->lps);
	if (p->packages > TDXM_MAX_PACKAGES)
		return fail(c, NULL, "packages: %" PRIu32 ", the module knows %d", p->packages,
			    TDXM_MAX_PACKAGES);
	if ((p->lps + p->packages - 1) / p->packages > LPS_PER_PACKAGE)
		return fail(c, NULL, "lps: %" PRIu32 " in %" PRIu32 " packages, an APIC id has room for %d in each",
			    p->lps, p->packages, LPS_PER_PACKAGE);
	if (p->pa_width < 36 || p->pa_width > MAX_PA_WIDTH)
		return fail(c, NULL, "pa_width: %" PRIu32 " is not in [36, %d]", p->pa_width,
			    MAX_PA_WIDTH);
	if (keyids > UINT64_C(1) << MAX_KEYID_BITS)
		return fail(c, NULL, "tdx_keyids: %" PRIu32 " MKTME and %" PRIu32 " TDX KeyIDs need more than the %d bits there can be",
			    p->mktme_keyids, p->tdx_keyids, MAX_KEYID_BITS);
	return true;
}

static bool check_cmrs(struct ctx *c)
{
	const struct tdxm_platform *p = &c->m->platform;
	struct path top = { NULL, "cmrs", 0 }, here = { &top, NULL, 0 };
	const struct tdxm_range *cmr;
	size_t prev = 0;
	bool any = false;

	for (; here.index < p->nr_cmrs; here.index++) {
		cmr = &p->cmrs[here.index];
		if ((cmr->base | cmr->size) & (KIB(4) - 1))
			return fail(c, &here, "[%#" PRIx64 ", +%#" PRIx64 ") is not made of 4 KiB pages",
				    cmr->base, cmr->size);
		if (!cmr->size)
			continue;
		if (any && cmr->base < p->cmrs[prev].base + p->cmrs[prev].size) {
			const struct tdxm_range *o = &p->cmrs[prev];

			return fail(c, &here, "[%#" PRIx64 ", %#" PRIx64 ") %s cmrs[%zu] ([%#" PRIx64 ", %#" PRIx64 "))",
				    cmr->base, cmr->base + cmr->size,
				    cmr->base + cmr->size <= o->base ? "should come before" :
								       "overlaps",
				    prev, o->base, o->base + o->size);
		}
		any = true;
		prev = here.index;
	}
	return true;
}

static bool check_memory(struct ctx *c)
{
	struct path top = { NULL, "memory", 0 }, here = { &top, NULL, 0 };
	const struct tdx_mem *mem, *prev;
	unsigned int nodes = 1;
	bool ram = false;

	for (; here.index < c->m->nr_memory; here.index++) {
		mem = &c->m->memory[here.index];
		prev = here.index ? mem - 1 : NULL;
		if ((mem->base | mem->size) & (KIB(4) - 1))
			return fail(c, &here, "[%#" PRIx64 ", +%#" PRIx64 ") is not made of 4 KiB pages",
				    mem->base, mem->size);
		if (prev && mem->base < prev->base + prev->size)
			return fail(c, &here, "[%#" PRIx64 ", %#" PRIx64 ") %s memory[%zu] ([%#" PRIx64 ", %#" PRIx64 "))",
				    mem->base, mem->base + mem->size,
				    mem->base + mem->size <= prev->base ? "should come before" :
									  "overlaps",
				    here.index - 1, prev->base, prev->base + prev->size);
		if (c->m->nodes && mem->node >= c->m->nodes)
			return fail(c, &here, "node %u, but there are %u nodes", mem->node,
				    c->m->nodes);
		if (mem->node >= nodes)
			nodes = mem->node + 1;
		ram |= mem->type == TDX_MEM_RAM;
	}
	if (c->m->memory_given && !ram)
		return fail(c, &top, "has no RAM: give some, or leave memory out to have that of the cmrs");
	if (c->m->memory_given && !c->m->nodes)
		c->m->nodes = nodes;
	return true;
}

/* CMRs from RAM: above 1 MiB, ranges that touch joined */
static bool make_cmrs(struct ctx *c)
{
	struct tdxm_platform *p = &c->m->platform;
	struct path top = { NULL, "memory", 0 };
	uint64_t base, end;
	unsigned int i;

	p->nr_cmrs = 0;
	for (i = 0; i < c->m->nr_memory; i++) {
		if (c->m->memory[i].type != TDX_MEM_RAM)
			continue;
		base = c->m->memory[i].base;
		end = base + c->m->memory[i].size;
		if (base < MIB(1))
			base = MIB(1);
		if (base >= end)
			continue;
		if (p->nr_cmrs && p->cmrs[p->nr_cmrs - 1].base + p->cmrs[p->nr_cmrs - 1].size == base) {
			p->cmrs[p->nr_cmrs - 1].size += end - base;
			continue;
		}
		if (p->nr_cmrs == TDXM_MAX_CMRS)
			return fail(c, &top, "has RAM in more pieces than there can be CMRs (%d): give the cmrs",
				    TDXM_MAX_CMRS);
		p->cmrs[p->nr_cmrs++] = (struct tdxm_range){ base, end - base };
	}
	return true;
}

/* RAM from CMRs, and conventional memory if it is not one of them */
static bool make_memory(struct ctx *c)
{
	const struct tdxm_platform *p = &c->m->platform;
	struct tdx_machine *m = c->m;
	struct tdx_mem *mem;
	uint32_t i;

	m->memory = calloc(p->nr_cmrs + 1, sizeof(*m->memory));
	if (!m->memory)
		return fail(c, NULL, "out of memory");
	if (!m->nodes)
		m->nodes = 1;
	mem = m->memory;
	if (!p->nr_cmrs || p->cmrs[0].base >= KIB(640))
		*mem++ = (struct tdx_mem){ .size = KIB(640) };
	for (i = 0; i < p->nr_cmrs; i++)
		if (p->cmrs[i].size)
			*mem++ = (struct tdx_mem){
				.base = p->cmrs[i].base,
				.size = p->cmrs[i].size,
				.node = (uint64_t)i * m->nodes / p->nr_cmrs,
			};
	m->nr_memory = mem - m->memory;
	return true;
}

static bool is_used(const struct ctx *c, uint64_t base, uint64_t size)
{
	const struct tdxm_platform *p = &c->m->platform;
	uint32_t i;

	if (base < c->taken.base + c->taken.size && c->taken.base < base + size)
		return true;
	for (i = 0; i < p->nr_cmrs; i++)
		if (base < p->cmrs[i].base + p->cmrs[i].size && p->cmrs[i].base < base + size)
			return true;
	for (i = 0; i < c->m->nr_memory; i++)
		if (c->m->memory[i].type != TDX_MEM_RESERVED &&
		    base < c->m->memory[i].base + c->m->memory[i].size &&
		    c->m->memory[i].base < base + size)
			return true;
	return false;
}

/*
 * A multiple of `size`, a power of two, where nothing is: at `base` if it can
 * be, else the highest such place below 4 GiB (under the range of local APICs
 * and flash), else above all memory.
 */
static uint64_t find_hole(const struct ctx *c, uint64_t base, uint64_t size)
{
	uint64_t at, top = GIB(4);
	unsigned int i;

	base &= ~(size - 1);
	if (!is_used(c, base, size))
		return base;
	for (at = MIB(0xfc0) & ~(size - 1); at >= size; at -= size)
		if (!is_used(c, at - size, size))
			return at - size;
	for (i = 0; i < c->m->nr_memory; i++)
		if (c->m->memory[i].base + c->m->memory[i].size > top)
			top = c->m->memory[i].base + c->m->memory[i].size;
	for (i = 0; i < c->m->platform.nr_cmrs; i++)
		if (c->m->platform.cmrs[i].base + c->m->platform.cmrs[i].size > top)
			top = c->m->platform.cmrs[i].base + c->m->platform.cmrs[i].size;
	return (top + size - 1) / size * size;
}

/* SEAMRR, SMRR and SMRR2, as far as the file does not say where they are */
static void place_ranges(struct ctx *c, const json_t *root)
{
	const json_t *quirks = json_object_get(root, "quirks");
	struct tdxm_platform *p = &c->m->platform;
	uint64_t base;

	if (!json_object_get(quirks, "smrr") && !json_object_get(quirks, "smrr2")) {
		base = find_hole(c, p->smrr.base, 2 * SMRR_UNIT);
		if (base < GIB(4)) {
			p->smrr.base = base;
			p->smrr2.base = base + SMRR_UNIT;
		}
	}
	c->taken = (struct tdxm_range){ p->smrr.base, 2 * SMRR_UNIT };
	if (!c->has_seamrr_base)
		p->seamrr.base = find_hole(c, p->seamrr.base, p->seamrr.size);
}

static bool check_address_space(struct ctx *c)
{
	const struct tdxm_platform *p = &c->m->platform;
	uint64_t keyids = UINT64_C(1) + p->mktme_keyids + p->tdx_keyids, limit;
	struct path top = { NULL, "memory", 0 }, here = { &top, NULL, 0 }, seamrr = { NULL, "seamrr", 0 };
	unsigned int bits = 0, i;

	while (UINT64_C(1) << bits < keyids)
		bits++;
	limit = UINT64_C(1) << (52 - bits);
	for (; here.index < c->m->nr_memory; here.index++)
		if (c->m->memory[here.index].base + c->m->memory[here.index].size > limit)
			return fail(c, &here, "ends above 2^%u, where the KeyID starts (%" PRIu64 " KeyIDs need %u of 52 bits)",
				    52 - bits, keyids, bits);
	top.key = "cmrs";
	for (here.index = 0; here.index < p->nr_cmrs; here.index++)
		if (p->cmrs[here.index].base + p->cmrs[here.index].size > limit)
			return fail(c, &here, "ends above 2^%u, where the KeyID starts (%" PRIu64 " KeyIDs need %u of 52 bits)",
				    52 - bits, keyids, bits);
	if (p->seamrr.size > limit || p->seamrr.base > limit - p->seamrr.size)
		return fail(c, &seamrr, "[%#" PRIx64 ", +%#" PRIx64 ") ends above 2^%u, where the KeyID starts",
			    p->seamrr.base, p->seamrr.size, 52 - bits);
	for (i = 0; i < c->m->nr_memory; i++)
		if (c->m->memory[i].type != TDX_MEM_RESERVED &&
		    c->m->memory[i].base < p->seamrr.base + p->seamrr.size &&
		    p->seamrr.base < c->m->memory[i].base + c->m->memory[i].size)
			return fail(c, &seamrr, "[%#" PRIx64 ", +%#" PRIx64 ") overlaps memory[%u] ([%#" PRIx64 ", %#" PRIx64 ")): no one but the module can use it",
				    p->seamrr.base, p->seamrr.size, i, c->m->memory[i].base,
				    c->m->memory[i].base + c->m->memory[i].size);
	return true;
}

static bool check_machine(struct ctx *c, const json_t *root)
{
	struct path erratum = { NULL, "erratum_partial_write", 0 };

	if (!check_cpus(c) || !check_memory(c))
		return false;
	if (!c->has_cmrs && c->m->memory_given && !make_cmrs(c))
		return false;
	if (!check_cmrs(c))
		return false;
	if (!c->m->memory_given && !make_memory(c))
		return false;
	if (c->m->erratum_partial_write && !c->m->checker)
		return fail(c, &erratum, "needs the checker, and \"checker\" is false");
	place_ranges(c, root);
	return check_address_space(c);
}

static bool read_root(struct ctx *c, const json_t *root)
{
	if (!GET_OBJECT(c, NULL, root, top_keys) || (c->strict && !check_machine(c, root)))
		return false;
	/* Only now: what the machine is made of are the other ones. */
	if (c->has_told_cmrs) {
		c->m->platform.nr_cmrs = c->nr_told_cmrs;
		memcpy(c->m->platform.cmrs, c->told_cmrs, sizeof(c->told_cmrs));
	}
	return true;
}

static struct tdx_machine *read_machine(const json_t *root, const char *name, bool strict,
					char **err)
{
	struct ctx c = { .file = name, .err = err, .strict = strict };

	*err = NULL;
	c.m = calloc(1, sizeof(*c.m));
	if (c.m) {
		tdxm_platform_init(&c.m->platform);
		snprintf(c.m->module_kind, sizeof(c.m->module_kind), "1.5.01");
		c.m->name = calloc(1, 1);
		c.m->description = calloc(1, 1);
		c.m->checker = true;
	}
	if (!c.m || !c.m->name || !c.m->description)
		fail(&c, NULL, "out of memory");
	else if (read_root(&c, root))
		return c.m;
	tdx_machine_free(c.m);
	return NULL;
}

struct tdx_machine *tdx_machine_from_vector(const json_t *platform, const char *name, char **err)
{
	return read_machine(platform, name, false, err);
}

static void syntax_error(const char *name, const json_error_t *error, char **err)
{
	size_t size = strlen(name) + strlen(error->text) + 64;

	*err = malloc(size);
	if (*err && error->line > 0)
		snprintf(*err, size, "%s:%d:%d: %s", name, error->line,
			 error->column < 1 ? 1 : error->column, error->text);
	else if (*err)
		snprintf(*err, size, "%s: %s", name, error->text);
}

static struct tdx_machine *from_json(json_t *root, const char *name, const json_error_t *error,
				     char **err)
{
	struct tdx_machine *m = NULL;

	if (root)
		m = read_machine(root, name, true, err);
	else
		syntax_error(name, error, err);
	json_decref(root);
	return m;
}

struct tdx_machine *tdx_machine_parse(const char *text, size_t len, const char *name, char **err)
{
	json_error_t error;
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);

	return from_json(root, name, &error, err);
}

struct tdx_machine *tdx_machine_load(const char *file, char **err)
{
	json_error_t error;
	json_t *root = json_load_file(file, JSON_REJECT_DUPLICATES, &error);

	return from_json(root, file, &error, err);
}

static bool faults_from_json(const json_t *list, const char *name, struct tdxm_fault *faults,
			     unsigned int *nr, char **err)
{
	struct path top = { NULL, "faults", 0 };
	struct ctx c = { .file = name, .err = err };
	bool ok;

	c.m = calloc(1, sizeof(*c.m));
	ok = c.m ? get_faults(&c, &top, list) : fail(&c, NULL, "out of memory");
	if (ok) {
		*nr = c.m->platform.nr_faults;
		memcpy(faults, c.m->platform.faults, *nr * sizeof(*faults));
	}
	free(c.m);
	return ok;
}

bool tdx_faults_parse(const char *text, size_t len, const char *name, struct tdxm_fault *faults,
		      unsigned int *nr, char **err)
{
	json_error_t error;
	json_t *list = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	bool ok = false;

	*err = NULL;
	if (list)
		ok = faults_from_json(list, name, faults, nr, err);
	else
		syntax_error(name, &error, err);
	json_decref(list);
	return ok;
}

void tdx_machine_free(struct tdx_machine *m)
{
	if (!m)
		return;
	free((void *)m->platform.msr_quirks);
	free((void *)m->platform.cpuid_quirks);
	free((void *)m->platform.pconfig_quirks);
	free((void *)m->platform.rdrand_quirks);
	free((void *)m->platform.rdseed_quirks);
	free((void *)m->platform.intr_quirks);
	free((void *)m->platform.seamops_quirks);
	free((void *)m->platform.fms_quirks);
	free(m->memory);
	free(m->name);
	free(m->description);
	free(m);
}
