// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Platform descriptions: what is read from good ones, and what is said about
 * bad ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "../../tdx/platform/platform.h"

static struct tdx_machine *parse(const char *text, char **err)
{
	return tdx_machine_parse(text, strlen(text), "t.json", err);
}

static struct tdx_machine *good(const char *text)
{
	char *err;
	struct tdx_machine *m = parse(text, &err);

	if (!m)
		print_error("%s\n", err);
	assert_non_null(m);
	assert_null(err);
	return m;
}

static void test_defaults(void **state)
{
	struct tdx_machine *m = good("{}");
	const struct tdxm_platform *p = &m->platform;

	(void)state;
	assert_string_equal(m->name, "");
	assert_int_equal(p->lps, 2);
	assert_int_equal(p->packages, 1);
	assert_int_equal(p->pa_width, 52);
	assert_int_equal(p->mktme_keyids, 31);
	assert_int_equal(p->tdx_keyids, 32);
	assert_int_equal(p->nr_cmrs, 2);
	assert_int_equal(p->seamrr.base, 0x7a000000);
	assert_true(p->seamrr_supported && p->seamrr_enabled && p->seamrr_locked);
	assert_true(p->module.loaded && p->module.has_sys_rd && !p->module.clobbers_rbp);
	assert_string_equal(m->module_kind, "1.5.01");
	assert_true(m->checker);
	assert_false(m->test_interface);
	assert_int_equal(m->platform.hostile, 0);
	assert_false(m->erratum_partial_write);
	assert_false(m->memory_given);
	assert_int_equal(m->nodes, 1);
	/* [0, 640K) and the CMRs */
	assert_int_equal(m->nr_memory, 3);
	assert_int_equal(m->memory[0].size, 640 << 10);
	assert_int_equal(m->memory[1].base, 0x100000);
	assert_int_equal(m->memory[2].base, 0x100000000);
	tdx_machine_free(m);
	tdx_machine_free(NULL);
}

static void test_everything(void **state)
{
	struct tdx_machine *m = good(
		"{\"name\": \"n\", \"description\": \"d\", \"lps\": \"0x8\", \"packages\": 2, \"pa_width\": \"52\","
		" \"mktme_keyids\": 15, \"tdx_keyids\": 16, \"nodes\": 3,"
		" \"cmrs\": [[\"0x100000\", \"0x10000000\"], [0, 0], [4294967296, \"0x40000000\"]],"
		" \"memory\": [{\"base\": 0, \"size\": \"0xa0000\"},"
		"   {\"base\": \"0x100000\", \"size\": \"0x10000000\", \"node\": 1, \"type\": \"ram\"},"
		"   {\"base\": \"0x20000000\", \"size\": 4096, \"type\": \"acpi\"},"
		"   {\"base\": \"0x20001000\", \"size\": 4096, \"type\": \"nvs\"},"
		"   {\"base\": \"0x7a000000\", \"size\": \"0x4000000\", \"type\": \"reserved\"},"
		"   {\"base\": \"0x200000000\", \"size\": \"0x40000000\", \"node\": 2, \"type\": \"hotplug\"}],"
		" \"module\": {\"kind\": \"2.0.08\", \"no_rbp_mod\": false, \"loaded\": true, \"seamldr\": false},"
		" \"seamrr\": {\"supported\": true, \"enabled\": false, \"locked\": false, \"base\": \"0x60000000\", \"size\": \"0x4000000\"},"
		" \"quirks\": {\"msr\": [[-1, \"0x98\", 1], [7, 153, \"0xffffffffffffffff\"]],"
		"   \"cpuid\": [[0, 7, \"0xffffffff\", \"edx\", 5]], \"pconfig_fail\": [[1, 2, 5]],"
		"   \"rdrand_fail\": [[0, 1]], \"rdseed_fail\": [[1, 2]], \"intr_pending\": [[2, 3]],"
		"   \"seamops_caps\": [[3, \"0x7f\"]], \"fms\": [[7, \"0x806f4\"]],"
		"   \"smrr\": [\"0x7c000000\", \"0x800000\"], \"smrr2\": [\"0x7d000000\", \"0x800000\"],"
		"   \"num_lps\": 7, \"num_sockets\": 1, \"no_smrr2\": 1, \"no_integrity\": true,"
		"   \"module_hv\": 1, \"min_update_hv\": 2, \"handoff_pages\": 3},"
		" \"faults\": [{\"leaf\": \"TDH.SYS.KEY.CONFIG\", \"lp\": \"any\", \"nth\": 2, \"count\": 3, \"status\": \"TDX_KEY_GENERATION_FAILED\"},"
		"   {\"leaf\": 36, \"lp\": 1, \"status\": \"0x8000020000000001\"}, {\"leaf\": \"any\", \"count\": 0, \"status\": \"GP\"},"
		"   {\"leaf\": \"SEAMLDR.INFO\", \"status\": \"VMFAIL_INVALID\"}, {\"leaf\": \"0x8000000000000003\", \"status\": \"UD\"},"
		"   {\"leaf\": \"33\", \"status\": \"FATAL\"}, {\"leaf\": 33, \"status\": 5}],"
		" \"latency_ns\": {\"TDH.SYS.TDMR.INIT\": 10000, \"31\": \"0x10\"},"
		" \"erratum_partial_write\": true, \"checker\": true,"
		" \"test_interface\": true, \"hostile\": \"0x1234\"}");
	const struct tdxm_platform *p = &m->platform;

	(void)state;
	assert_string_equal(m->name, "n");
	assert_string_equal(m->description, "d");
	assert_int_equal(p->lps, 8);
	assert_int_equal(p->packages, 2);
	assert_int_equal(p->mktme_keyids, 15);
	assert_int_equal(p->tdx_keyids, 16);
	assert_int_equal(p->nr_cmrs, 3);
	assert_int_equal(p->cmrs[2].base, 0x100000000);
	assert_int_equal(m->nr_memory, 6);
	assert_true(m->memory_given);
	assert_int_equal(m->nodes, 3);
	assert_int_equal(m->memory[1].node, 1);
	assert_int_equal(m->memory[2].type, TDX_MEM_ACPI);
	assert_int_equal(m->memory[5].type, TDX_MEM_HOTPLUG);
	assert_string_equal(m->module_kind, "2.0.08");
	assert_int_equal(p->module.features0, 0x32a71f0fbf & ~(1 << 18) & ~(1 << 8));
	assert_true(p->module.clobbers_rbp);
	assert_false(p->module.seamldr_loaded);
	assert_true(p->seamrr_supported && !p->seamrr_enabled && !p->seamrr_locked);
	assert_int_equal(p->seamrr.base, 0x60000000);
	assert_int_equal(p->nr_msr_quirks, 2);
	assert_int_equal(p->msr_quirks[0].lp, TDXM_ALL_LPS);
	assert_int_equal(p->msr_quirks[1].msr, 0x99);
	assert_int_equal(p->msr_quirks[1].value, UINT64_MAX);
	assert_int_equal(p->cpuid_quirks[0].subleaf, TDXM_ANY_SUBLEAF);
	assert_int_equal(p->cpuid_quirks[0].reg, 3);
	assert_int_equal(p->pconfig_quirks[0].code, 5);
	assert_int_equal(p->rdrand_quirks[0].value, 1);
	assert_int_equal(p->rdseed_quirks[0].lp, 1);
	assert_int_equal(p->intr_quirks[0].value, 3);
	assert_int_equal(p->seamops_quirks[0].value, 0x7f);
	assert_int_equal(p->fms_quirks[0].entry, 7);
	assert_int_equal(p->smrr.size, 0x800000);
	assert_int_equal(p->num_lps, 7);
	assert_int_equal(p->num_sockets, 1);
	assert_true(p->no_smrr2 && p->no_integrity);
	assert_int_equal(p->module_hv, 1);
	assert_int_equal(p->handoff_pages, 3);
	assert_int_equal(p->nr_faults, 7);
	assert_int_equal(p->faults[0].leaf, 31);
	assert_int_equal(p->faults[0].lp, TDXM_ALL_LPS);
	assert_int_equal(p->faults[0].nth, 2);
	assert_int_equal(p->faults[0].count, 3);
	assert_int_equal(p->faults[0].status, 0x8000080000000000);
	assert_int_equal(p->faults[1].lp, 1);
	assert_int_equal(p->faults[1].count, 1);
	assert_int_equal(p->faults[2].leaf, TDXM_ANY_LEAF);
	assert_int_equal(p->faults[2].exit, TDXM_GP);
	assert_int_equal(p->faults[2].count, 0);
	assert_int_equal(p->faults[3].leaf, TDXM_SEAMLDR);
	assert_int_equal(p->faults[3].exit, TDXM_VMFAIL_INVALID);
	assert_int_equal(p->faults[4].exit, TDXM_UD);
	assert_int_equal(p->faults[5].exit, TDXM_FATAL);
	assert_int_equal(p->faults[6].status, 5);
	assert_int_equal(p->latency_ns[36], 10000);
	assert_int_equal(p->latency_ns[31], 16);
	assert_true(m->erratum_partial_write);
	assert_true(m->checker);
	assert_true(m->test_interface);
	assert_int_equal(p->hostile, 0x1234);
	assert_int_equal(p->nr_claims, 0);
	tdx_machine_free(m);
	m = good("{\"checker\": false}");
	assert_false(m->checker);
	tdx_machine_free(m);
}

/* Lies about fields; CMRs that firmware tells the module, which the machine is not made of */
static void test_lies(void **state)
{
	struct tdx_machine *m = good(
		"{\"hostile\": {\"MAX_TDMRS\": \"0xffff\", \"CMR_BASE\": [1, \"0xffffffffffffffff\"], \"NUM_CMRS\": 0},"
		" \"cmrs\": [[\"0x100000\", \"0x10000000\"]],"
		" \"quirks\": {\"cmrs\": [[\"0x100000\", 8192], [0, 0], [\"0x101000\", 4096]]}}");
	const struct tdxm_platform *p = &m->platform;
	uint32_t field, elements, bytes;

	(void)state;
	assert_int_equal(p->hostile, 0);
	assert_int_equal(p->nr_claims, 4);
	assert_true(tdxm_field_by_name("MAX_TDMRS", &field, &elements, &bytes));
	assert_int_equal(elements, 1);
	assert_int_equal(bytes, 2);
	assert_int_equal(p->claims[0].field, field);
	assert_int_equal(p->claims[0].value, 0xffff);
	assert_true(tdxm_field_by_name("CMR_BASE", &field, &elements, &bytes));
	assert_int_equal(elements, 32);
	assert_int_equal(p->claims[2].field, field);
	assert_int_equal(p->claims[1].element, 0);
	assert_int_equal(p->claims[2].element, 1);
	assert_int_equal(p->claims[2].value, UINT64_MAX);
	assert_false(tdxm_field_by_name("MAX_TDMR", &field, &elements, &bytes));

	assert_int_equal(p->nr_cmrs, 3);
	assert_int_equal(p->cmrs[0].base, 0x100000);
	assert_int_equal(p->cmrs[0].size, 0x2000);
	assert_int_equal(p->cmrs[1].size, 0);
	assert_int_equal(p->cmrs[2].base, 0x101000);
	/* [0, 640K) and the RAM of "cmrs" */
	assert_int_equal(m->nr_memory, 2);
	assert_int_equal(m->memory[1].size, 0x10000000);
	tdx_machine_free(m);
}

static void test_module_1_0(void **state)
{
	struct tdx_machine *m = good("{\"module\": {\"kind\": \"1.0\"}}");

	(void)state;
	assert_false(m->platform.module.has_sys_rd);
	assert_true(m->platform.module.clobbers_rbp);
	tdx_machine_free(m);
	m = good("{\"module\": {\"no_rbp_mod\": true, \"kind\": \"1.0\"}}");
	assert_false(m->platform.module.clobbers_rbp);
	assert_int_equal(m->platform.module.features0, 0);
	tdx_machine_free(m);
}

static void test_no_rbp_mod(void **state)
{
	static const struct {
		const char *text;
		bool clobbers_rbp;
	} cases[] = {
		{ "{}", false }, { "{\"module\": {\"kind\": \"2.0.08\"}}", false },
		{ "{\"module\": {\"no_rbp_mod\": true}}", false },
		{ "{\"module\": {\"no_rbp_mod\": false}}", true },
		{ "{\"module\": {\"kind\": \"1.5.16\", \"no_rbp_mod\": false}}", true },
	};
	struct tdx_machine *m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		m = good(cases[i].text);
		assert_int_equal(m->platform.module.clobbers_rbp, cases[i].clobbers_rbp);
		assert_int_equal(!(m->platform.module.features0 >> 18 & 1), cases[i].clobbers_rbp);
		tdx_machine_free(m);
	}
}

static void test_cmrs_from_memory(void **state)
{
	struct tdx_machine *m = good(
		"{\"memory\": [{\"base\": 0, \"size\": \"0x9f000\"}, {\"base\": \"0xf0000\", \"size\": \"0x8010000\"},"
		" {\"base\": \"0x8100000\", \"size\": \"0x1000\"}, {\"base\": \"0x8101000\", \"size\": \"0x1000\", \"type\": \"acpi\"},"
		" {\"base\": \"0x8102000\", \"size\": \"0x1000\", \"node\": 1}]}");

	(void)state;
	assert_int_equal(m->platform.nr_cmrs, 2);
	assert_int_equal(m->platform.cmrs[0].base, 0x100000);
	assert_int_equal(m->platform.cmrs[0].size, 0x8001000);
	assert_int_equal(m->platform.cmrs[1].base, 0x8102000);
	assert_int_equal(m->nodes, 2);
	tdx_machine_free(m);
}

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

/* SEAMRR, SMRR and SMRR2 are where nothing else is */
static void test_placement(void **state)
{
	static const char *const files[] = {
		"{}",
		"{\"cmrs\": [[\"0x100000\", \"0x7ff00000\"], [\"0x100000000\", \"0x80000000\"]]}",
		"{\"cmrs\": [[\"0x100000\", \"0xeff00000\"]]}",
		"{\"cmrs\": [[\"0x100000\", \"0xfbf00000\"], [\"0x100000000\", \"0x7fe0000000\"]]}",
		"{\"memory\": [{\"base\": \"0x100000\", \"size\": \"0x79f00000\"},"
		" {\"base\": \"0x7a000000\", \"size\": \"0x4000000\", \"type\": \"reserved\"}]}",
		"{\"seamrr\": {\"size\": \"0x4000000\"}}",
		"{\"seamrr\": {\"size\": \"0x10000000\"}}",
		"{\"seamrr\": {\"size\": \"0x8000000000\"}}",
	};
	const struct tdxm_platform *p;
	struct tdx_machine *m;
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		m = good(files[i]);
		p = &m->platform;
		for (k = 0; k < p->nr_cmrs; k++)
			assert_false(overlap(p->cmrs[k].base, p->cmrs[k].size, p->seamrr.base,
					     p->seamrr.size));
		for (k = 0; k < m->nr_memory; k++)
			if (m->memory[k].type == TDX_MEM_RAM)
				assert_false(overlap(m->memory[k].base, m->memory[k].size,
						     p->seamrr.base, p->seamrr.size));
		assert_false(overlap(p->seamrr.base, p->seamrr.size, p->smrr.base, p->smrr.size));
		assert_false(overlap(p->seamrr.base, p->seamrr.size, p->smrr2.base, p->smrr2.size));
		assert_int_equal(p->seamrr.base % p->seamrr.size, 0);
		/* below 4 GiB there was room in all but the fourth */
		for (k = 0; k < p->nr_cmrs && i != 3; k++)
			assert_false(overlap(p->cmrs[k].base, p->cmrs[k].size, p->smrr.base,
					     2 * p->smrr.size));
		tdx_machine_free(m);
	}
}

static void test_bad_files(void **state)
{
	static const struct {
		const char *text, *err;
	} bad[] = {
		/* syntax */
		{ "", "t.json:1:1: '[' or '{' expected near end of file" },
		{ "{\n \"lps\": 2,\n}", "t.json:3:1: string or '}' expected near '}'" },
		{ "{\"lps\": 2} x", "t.json:1:12: end of file expected near 'x'" },
		{ "{\"lps\": 2, \"lps\": 3}", "t.json:1:16: duplicate object key near '\"lps\"'" },
		{ "{\"lps\": 99999999999999999999}", "t.json:1:28: too big integer near '99999999999999999999'" },
		/* types */
		{ "[]", "t.json: is a list, should be an object" },
		{ "{\"lps\": true}", "t.json: lps: is true or false, should be a number" },
		{ "{\"lps\": 2.5}", "t.json: lps: is a number with a fraction, should be a number" },
		{ "{\"lps\": null}", "t.json: lps: is null, should be a number" },
		{ "{\"lps\": -1}", "t.json: lps: -1 is negative" },
		{ "{\"lps\": \"two\"}", "t.json: lps: \"two\" is not a number of at most 64 bits, such as 7 or \"0x7\"" },
		{ "{\"lps\": \"\"}", "t.json: lps: \"\" is not a number of at most 64 bits, such as 7 or \"0x7\"" },
		{ "{\"lps\": \"0x\"}", "t.json: lps: \"0x\" is not a number of at most 64 bits, such as 7 or \"0x7\"" },
		{ "{\"lps\": \"-2\"}", "t.json: lps: \"-2\" is not a number of at most 64 bits, such as 7 or \"0x7\"" },
		{ "{\"lps\": \"0x10000000000000000\"}", "t.json: lps: \"0x10000000000000000\" is not a number of at most 64 bits, such as 7 or \"0x7\"" },
		{ "{\"name\": 3}", "t.json: name: is a number, should be a string" },
		{ "{\"checker\": \"yes\"}", "t.json: checker: is a string, should be true or false" },
		{ "{\"test_interface\": 2}", "t.json: test_interface: is a number, should be true or false" },
		{ "{\"checker\": 2}", "t.json: checker: is a number, should be true or false" },
		{ "{\"cmrs\": {}}", "t.json: cmrs: is an object, should be a list" },
		{ "{\"cmrs\": [7]}", "t.json: cmrs[0]: is a number, should be a list [base, size]" },
		{ "{\"cmrs\": [[1, 2, 3]]}", "t.json: cmrs[0]: has 3 entries, should be [base, size]" },
		{ "{\"module\": []}", "t.json: module: is a list, should be an object" },
		/* unknown keys */
		{ "{\"lp\": 2}", "t.json: lp: unknown key (known here: name, description, lps, packages, pa_width, mktme_keyids, tdx_keyids, cmrs, memory, nodes, module, seamrr, quirks, faults, latency_ns, erratum_partial_write, checker, test_interface, hostile)" },
		{ "{\"module\": {\"version\": 1}}", "t.json: module.version: unknown key (known here: kind, loaded, no_rbp_mod, seamldr)" },
		{ "{\"faults\": [{\"leaf\": 1, \"status\": 2, \"when\": 3}]}", "t.json: faults[0].when: unknown key (known here: leaf, lp, nth, count, status)" },
		/* CPUs and KeyIDs */
		{ "{\"lps\": 0}", "t.json: lps: 0 is not in [0x1, 0x1000]" },
		{ "{\"lps\": 2, \"packages\": 3}", "t.json: packages: 3 packages can not share 2 LPs" },
		{ "{\"lps\": 9, \"packages\": 9}", "t.json: packages: 9, the module knows 8" },
		{ "{\"lps\": 129}", "t.json: lps: 129 in 1 packages, an APIC id has room for 128 in each" },
		{ "{\"pa_width\": 30}", "t.json: pa_width: 30 is not in [36, 57]" },
		{ "{\"tdx_keyids\": 40000}", "t.json: tdx_keyids: 31 MKTME and 40000 TDX KeyIDs need more than the 15 bits there can be" },
		{ "{\"mktme_keyids\": \"0x100000000\"}", "t.json: mktme_keyids: 0x100000000 is not in [0, 0xffffffff]" },
		/* CMRs */
		{ "{\"cmrs\": [[0, 4096], [\"0x100000\", \"0x2000\"], [\"0x101000\", \"0x1000\"]]}", "t.json: cmrs[2]: [0x101000, 0x102000) overlaps cmrs[1] ([0x100000, 0x102000))" },
		{ "{\"cmrs\": [[\"0x200000\", 4096], [0, 0], [\"0x100000\", 4096]]}", "t.json: cmrs[2]: [0x100000, 0x101000) should come before cmrs[0] ([0x200000, 0x201000))" },
		{ "{\"cmrs\": [[0, 4095]]}", "t.json: cmrs[0]: [0, +0xfff) is not made of 4 KiB pages" },
		{ "{\"cmrs\": [[\"0xfffffffffffff000\", \"0x2000\"]]}", "t.json: cmrs[0]: [0xfffffffffffff000, +0x2000) ends beyond 2^64" },
		{ "{\"cmrs\": [[0, \"0x800000000000\"]]}", "t.json: memory[0]: ends above 2^46, where the KeyID starts (64 KeyIDs need 6 of 52 bits)" },
		{ "{\"memory\": [{\"base\": 0, \"size\": 4096}], \"cmrs\": [[0, \"0x800000000000\"]]}", "t.json: cmrs[0]: ends above 2^46, where the KeyID starts (64 KeyIDs need 6 of 52 bits)" },
		/* memory */
		{ "{\"memory\": []}", "t.json: memory: has no RAM: give some, or leave memory out to have that of the cmrs" },
		{ "{\"memory\": [{\"base\": 0, \"size\": 4096, \"type\": \"acpi\"}]}", "t.json: memory: has no RAM: give some, or leave memory out to have that of the cmrs" },
		{ "{\"memory\": [{\"base\": 0}]}", "t.json: memory[0]: needs a base and a size" },
		{ "{\"memory\": [{\"base\": 0, \"size\": 0}]}", "t.json: memory[0].size: 0 is not in [0x1, 0xffffffffffffffff]" },
		{ "{\"memory\": [{\"base\": 0, \"size\": 5}]}", "t.json: memory[0]: [0, +0x5) is not made of 4 KiB pages" },
		{ "{\"memory\": [{\"base\": \"0xfffffffffffff000\", \"size\": \"0x2000\"}]}", "t.json: memory[0]: [0xfffffffffffff000, +0x2000) ends beyond 2^64" },
		{ "{\"memory\": [{\"base\": 0, \"size\": 8192}, {\"base\": 4096, \"size\": 8192}]}", "t.json: memory[1]: [0x1000, 0x3000) overlaps memory[0] ([0, 0x2000))" },
		{ "{\"memory\": [{\"base\": 8192, \"size\": 8192}, {\"base\": 0, \"size\": 4096}]}", "t.json: memory[1]: [0, 0x1000) should come before memory[0] ([0x2000, 0x4000))" },
		{ "{\"memory\": [{\"base\": 0, \"size\": 4096, \"node\": 1}], \"nodes\": 1}", "t.json: memory[0]: node 1, but there are 1 nodes" },
		{ "{\"memory\": [{\"base\": 0, \"size\": 4096, \"type\": \"flash\"}]}", "t.json: memory[0].type: should be one of \"ram\", \"reserved\", \"acpi\", \"nvs\", \"hotplug\"" },
		/* module, SEAMRR */
		{ "{\"module\": {\"kind\": \"1.4\"}}", "t.json: module.kind: \"1.4\" is not a known kind of module (known: 1.0, 1.5.01, 1.5.05, 1.5.06, 1.5.08, 1.5.09, 1.5.13, 1.5.16, 2.0.02, 2.0.04, 2.0.05, 2.0.08)" },
		{ "{\"module\": {\"kind\": 1.5}}", "t.json: module.kind: is a number with a fraction, should be a string that names a kind of module (known: 1.0, 1.5.01, 1.5.05, 1.5.06, 1.5.08, 1.5.09, 1.5.13, 1.5.16, 2.0.02, 2.0.04, 2.0.05, 2.0.08)" },
		{ "{\"module\": {\"kind\": null}}", "t.json: module.kind: is null, should be a string that names a kind of module (known: 1.0, 1.5.01, 1.5.05, 1.5.06, 1.5.08, 1.5.09, 1.5.13, 1.5.16, 2.0.02, 2.0.04, 2.0.05, 2.0.08)" },
		{ "{\"module\": {\"loaded\": 3}}", "t.json: module.loaded: is a number, should be true or false" },
		{ "{\"seamrr\": {\"base\": \"0x1000000\"}}", "t.json: seamrr: [0x1000000, +0x2000000): the size should be a power of two of at least 32 MiB, the base a multiple of it" },
		{ "{\"seamrr\": {\"size\": \"0x3000000\"}}", "t.json: seamrr: [0x7a000000, +0x3000000): the size should be a power of two of at least 32 MiB, the base a multiple of it" },
		{ "{\"erratum_partial_write\": true, \"checker\": false}", "t.json: erratum_partial_write: needs the checker, and \"checker\" is false" },
		/* quirks */
		{ "{\"quirks\": {\"seamrr\": [\"0x78001000\", \"0x3000000\"]}}", "t.json: quirks.seamrr: [0x78001000, +0x3000000): the size should be a power of two of at least 32 MiB, the base a multiple of it" },
		{ "{\"quirks\": {\"msr\": [[2, 1, 1]]}}", "t.json: quirks.msr[0][0]: there is no LP 2, the platform has 2" },
		{ "{\"quirks\": {\"msr\": [[-2, 1, 1]]}}", "t.json: quirks.msr[0][0]: -2 is negative" },
		{ "{\"quirks\": {\"msr\": [[0, 1]]}}", "t.json: quirks.msr[0]: has 2 entries, should be [lp, msr, value]" },
		{ "{\"quirks\": {\"msr\": 1}}", "t.json: quirks.msr: is a number, should be a list" },
		{ "{\"quirks\": {\"cpuid\": [[0, 1, 0, \"ax\", 0]]}}", "t.json: quirks.cpuid[0][3]: should be \"eax\", \"ebx\", \"ecx\" or \"edx\"" },
		{ "{\"quirks\": {\"cpuid\": [[0, 1, 0, \"eax\", \"0x100000000\"]]}}", "t.json: quirks.cpuid[0][4]: 0x100000000 is not in [0, 0xffffffff]" },
		{ "{\"quirks\": {\"pconfig_fail\": [[1, 1, 2]]}}", "t.json: quirks.pconfig_fail[0]: there is no package 1, the platform has 1" },
		{ "{\"quirks\": {\"pconfig_fail\": [[0, 1, 2], [0, 1, 99]]}}", "t.json: quirks.pconfig_fail[1][2]: 99 is not an error of PCONFIG, 1 to 5: 2 is no entropy, 5 is busy, the module stops with the others" },
		{ "{\"quirks\": {\"pconfig_fail\": [[0, 1, 0]]}}", "t.json: quirks.pconfig_fail[0][2]: 0 is not an error of PCONFIG, 1 to 5: 2 is no entropy, 5 is busy, the module stops with the others" },
		{ "{\"quirks\": {\"pconfig_fail\": [[0, 1, 6]]}}", "t.json: quirks.pconfig_fail[0][2]: 6 is not an error of PCONFIG, 1 to 5: 2 is no entropy, 5 is busy, the module stops with the others" },
		{ "{\"quirks\": {\"fms\": [[8, 0]]}}", "t.json: quirks.fms[0][0]: 0x8 is not in [0, 0x7]" },
		{ "{\"quirks\": {\"rdrand_fail\": [5]}}", "t.json: quirks.rdrand_fail[0]: is a number, should be a list [lp, value]" },
		{ "{\"quirks\": {\"smrr\": [\"0x100000000\", 4096]}}", "t.json: quirks.smrr: [0x100000000, +0x1000) is not below 4 GiB" },
		{ "{\"quirks\": {\"handoff_pages\": 65536}}", "t.json: quirks.handoff_pages: 0x10000 is not in [0, 0xffff]" },
		/* SEAMRR */
		{ "{\"seamrr\": {\"base\": \"0x8000000000000000\"}}", "t.json: seamrr: [0x8000000000000000, +0x2000000) ends above 2^46, where the KeyID starts" },
		{ "{\"seamrr\": {\"size\": \"0x8000000000000000\"}}", "t.json: seamrr: [0x8000000000000000, +0x8000000000000000) ends above 2^46, where the KeyID starts" },
		{ "{\"seamrr\": {\"base\": \"0x2000000\"}}", "t.json: seamrr: [0x2000000, +0x2000000) overlaps memory[1] ([0x100000, 0x77000000)): no one but the module can use it" },
		/* faults, latency */
		{ "{\"faults\": [{\"leaf\": 1}]}", "t.json: faults[0]: needs a leaf and a status" },
		{ "{\"faults\": [{\"leaf\": \"TDH.NO\", \"status\": 0}]}", "t.json: faults[0].leaf: \"TDH.NO\" is not the name of a leaf, such as \"TDH.SYS.INIT\" or \"SEAMLDR.INFO\", nor a number, nor \"any\"" },
		{ "{\"faults\": [{\"leaf\": 65536, \"status\": 0}]}", "t.json: faults[0].leaf: 0x10000 can not be a leaf number" },
		{ "{\"faults\": [{\"leaf\": 1, \"lp\": \"all\", \"status\": 0}]}", "t.json: faults[0].lp: \"all\" is not a number of at most 64 bits, such as 7 or \"0x7\"" },
		{ "{\"faults\": [{\"leaf\": 1, \"nth\": 0, \"status\": 0}]}", "t.json: faults[0].nth: 0 is not in [0x1, 0xffffffff]" },
		{ "{\"faults\": [{\"leaf\": 1, \"status\": \"BUSY\"}]}", "t.json: faults[0].status: \"BUSY\" is not the name of a status, such as \"TDX_SYS_BUSY\", nor a number, nor VMFAIL_INVALID, FATAL, GP or UD" },
		{ "{\"latency_ns\": {\"SEAMLDR.INFO\": 1}}", "t.json: latency_ns.SEAMLDR.INFO: not a leaf of the module, such as \"TDH.SYS.TDMR.INIT\"" },
		{ "{\"latency_ns\": {\"31\": \"0x7fffffffffffffff\"}}", "t.json: latency_ns.31: 0x7fffffffffffffff is not in [0, 0x34630b8a000]" },
		{ "{\"hostile\": [7]}", "t.json: hostile: is a list, should be a number or an object" },
		{ "{\"hostile\": {\"MAX_TDMR\": 0}}", "t.json: hostile.MAX_TDMR: not a metadata field of the module, such as \"MAX_TDMRS\"" },
		{ "{\"hostile\": {\"MAX_TDMRS\": \"0x10000\"}}", "t.json: hostile.MAX_TDMRS: 0x10000 is not in [0, 0xffff]" },
		{ "{\"hostile\": {\"MAX_TDMRS\": [64, 0]}}", "t.json: hostile.MAX_TDMRS: has 2 entries, at most 1 are possible" },
		{ "{\"hostile\": {\"MAX_TDMRS\": true}}", "t.json: hostile.MAX_TDMRS: is true or false, should be a number" },
		{ "{\"hostile\": {\"CMR_BASE\": [0, -1]}}", "t.json: hostile.CMR_BASE[1]: -1 is negative" },
		{ "{\"quirks\": {\"cmrs\": {}}}", "t.json: quirks.cmrs: is an object, should be a list" },
		{ "{\"quirks\": {\"cmrs\": [[0, 4096], [1]]}}", "t.json: quirks.cmrs[1]: has 1 entries, should be [base, size]" },
		{ "{\"latency_ns\": []}", "t.json: latency_ns: is a list, should be an object" },
	};
	struct tdx_machine *m;
	unsigned int wrong = 0;
	char *err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		m = parse(bad[i].text, &err);
		if (m || !err || strcmp(err, bad[i].err)) {
			print_error("%s\n  said:   %s\n  should: %s\n", bad[i].text,
				    m ? "nothing" : err, bad[i].err);
			wrong++;
		}
		free(err);
		tdx_machine_free(m);
	}
	assert_int_equal(wrong, 0);
}

#define ZEROS_8		"0, 0, 0, 0, 0, 0, 0, 0"
#define ZEROS_32	ZEROS_8 ", " ZEROS_8 ", " ZEROS_8 ", " ZEROS_8

static void test_too_many(void **state)
{
	static const struct {
		const char *before, *entry, *after;
		unsigned int nr;
		const char *err;
	} cases[] = {
		{ "{\"cmrs\": [", "[0,0]", "]}", 33, "t.json: cmrs: has 33 entries, at most 32 are possible" },
		{ "{\"faults\": [", "{\"leaf\":1,\"status\":2}", "]}", 65,
		  "t.json: faults: has 65 entries, at most 64 are possible" },
		{ "{\"quirks\": {\"cmrs\": [", "[0,0]", "]}}", 33, "t.json: quirks.cmrs: has 33 entries, at most 32 are possible" },
		{ "{\"hostile\": {\"CMR_BASE\": [" ZEROS_32 "], \"CMR_SIZE\": [" ZEROS_32 "], \"MAX_TDMRS\": 0, \"CPUID_CONFIG_VALUES\": [", "0", "]}}", 64,
		  "t.json: hostile.CPUID_CONFIG_VALUES[63]: is one number too many, at most 128 are possible" },
	};
	struct tdx_machine *m;
	char *text, *err;
	unsigned int i, k;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		text = calloc(1, 8192);
		strcat(text, cases[i].before);
		for (k = 0; k < cases[i].nr; k++) {
			strcat(text, k ? "," : "");
			strcat(text, cases[i].entry);
		}
		strcat(text, cases[i].after);
		m = parse(text, &err);
		assert_null(m);
		assert_string_equal(err, cases[i].err);
		free(err);
		free(text);
	}

	/* RAM in 33 pieces, and no CMRs given */
	text = calloc(1, 8192);
	strcat(text, "{\"memory\": [");
	for (k = 0; k < 33; k++)
		sprintf(text + strlen(text), "%s{\"base\":%u,\"size\":4096}", k ? "," : "",
			0x100000 + 0x2000 * k);
	strcat(text, "]}");
	assert_null(parse(text, &err));
	assert_string_equal(err, "t.json: memory: has RAM in more pieces than there can be CMRs (32): give the cmrs");
	free(err);
	free(text);
}

/* The same vocabulary in a vector file: what no machine could be is allowed */
static void test_vector_platforms(void **state)
{
	static const char *const texts[] = {
		"{\"lps\":2,\"packages\":1,\"pa_width\":57,\"mktme_keyids\":4294967295,\"tdx_keyids\":1,"
		"\"cmrs\":[[\"0x2000\",\"0xffffffffffffffff\"],[\"0x1\",\"0x1\"]]}",
		"{\"lps\":1,\"packages\":9,\"quirks\":{\"msr\":[[77,1,1]],\"pconfig_fail\":[[9,9,9]]}}",
		"{\"quirks\":{\"pconfig_fail\":[[0,1,6]]}}",
	};
	struct tdx_machine *m;
	json_t *root;
	char *err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		root = json_loads(texts[i], 0, NULL);
		m = tdx_machine_from_vector(root, "v", &err);
		assert_non_null(m);
		tdx_machine_free(m);
		json_decref(root);
		m = parse(texts[i], &err);
		assert_null(m);
		free(err);
	}
	root = json_loads("{\"lps\":\"x\"}", 0, NULL);
	assert_null(tdx_machine_from_vector(root, "v", &err));
	assert_string_equal(err, "v: lps: \"x\" is not a number of at most 64 bits, such as 7 or \"0x7\"");
	free(err);
	json_decref(root);
}

static void test_faults_alone(void **state)
{
	static const char text[] = "[{\"leaf\": 33, \"status\": \"UD\"}, {\"leaf\": \"any\", \"lp\": 3, \"status\": 1}]";
	struct tdxm_fault faults[TDXM_MAX_FAULTS];
	unsigned int nr;
	char *err;

	(void)state;
	assert_true(tdx_faults_parse(text, strlen(text), "f", faults, &nr, &err));
	assert_int_equal(nr, 2);
	assert_int_equal(faults[0].exit, TDXM_UD);
	assert_int_equal(faults[1].lp, 3);
	assert_false(tdx_faults_parse("{}", 2, "f", faults, &nr, &err));
	assert_string_equal(err, "f: faults: is an object, should be a list");
	free(err);
	assert_false(tdx_faults_parse("[", 1, "f", faults, &nr, &err));
	assert_string_equal(err, "f:1:1: ']' expected near end of file");
	free(err);
}

static void test_no_file(void **state)
{
	struct tdx_machine *m;
	char *err;

	(void)state;
	m = tdx_machine_load("/nonexistent.json", &err);
	assert_null(m);
	assert_string_equal(err, "/nonexistent.json: unable to open /nonexistent.json: No such file or directory");
	free(err);
}

/* The platforms that come with the project */
static void test_platform_files(void **state)
{
	static const char dir[] = "../../tdx/platforms";
	struct tdx_machine *m;
	unsigned int nr = 0;
	struct dirent *entry;
	char path[512], *err;
	DIR *d = opendir(dir);

	(void)state;
	assert_non_null(d);
	while ((entry = readdir(d))) {
		if (!strstr(entry->d_name, ".json"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		m = tdx_machine_load(path, &err);
		if (!m)
			print_error("%s\n", err);
		assert_non_null(m);
		tdx_machine_free(m);
		nr++;
	}
	closedir(d);
	assert_true(nr > 0);
}

/*
 * The table of members in the documentation: rows of
 *
 *	* - ``member``
 *	  - type
 *	  - ``default``, or words
 *	  - ``"member": example``
 *	  - words
 */
#define DOCUMENT "../../../Documentation/x86/tdx-host-platform.rst"
#define MAX_ROWS 96

enum { MEMBER, TYPE, DEFAULT, EXAMPLE, MEANING, NR_CELLS };

struct row {
	char cell[NR_CELLS][512];
};

static size_t read_rows(struct row *rows)
{
	FILE *f = fopen(DOCUMENT, "r");
	char line[256], *at;
	size_t nr = 0, n;
	int cell = -1;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		at = line + strspn(line, " ");
		at[strcspn(at, "\n")] = 0;
		if (!strncmp(at, "* - ", 4)) {
			assert_true(nr < MAX_ROWS);
			memset(&rows[nr++], 0, sizeof(*rows));
			cell = 0;
			at += 4;
		} else if (!*at) {
			cell = -1;
		} else if (cell >= 0 && !strncmp(at, "- ", 2)) {
			assert_true(++cell < NR_CELLS);
			at += 2;
		}
		if (cell < 0)
			continue;
		n = strlen(rows[nr - 1].cell[cell]);
		snprintf(rows[nr - 1].cell[cell] + n, sizeof(rows->cell[0]) - n, "%s%s",
			 n ? " " : "", at);
	}
	fclose(f);
	return nr;
}

/* The text between `` and ``, NULL if the cell is something else */
static char *literal(char *cell)
{
	size_t len = strlen(cell);

	if (len < 4 || strncmp(cell, "``", 2) || strcmp(cell + len - 2, "``"))
		return NULL;
	cell[len - 2] = 0;
	return cell + 2;
}

static json_t *parse_json(const char *text)
{
	json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);

	if (!value)
		print_error("%s\n", text);
	assert_non_null(value);
	return value;
}

/* The object that has the member "a", "a.b" or "a[].b" and the member's own name */
static json_t *holder(json_t *root, const char *member, const char **name)
{
	char first[64];
	const char *dot = strchr(member, '.');
	json_t *v;

	*name = dot ? dot + 1 : member;
	if (!dot)
		return root;
	snprintf(first, sizeof(first), "%.*s", (int)strcspn(member, "[."), member);
	v = json_object_get(root, first);
	return json_is_array(v) ? json_array_get(v, 0) : v;
}

static struct tdx_machine *machine_of(const json_t *root)
{
	char *text = json_dumps(root, 0);
	struct tdx_machine *m = good(text);

	free(text);
	return m;
}

/* All that was read, but for pointers to lists, which have a length of their own */
static bool same_machine(const struct tdx_machine *a, const struct tdx_machine *b)
{
	struct tdxm_platform p[2] = { a->platform, b->platform };
	size_t i;

	for (i = 0; i < 2; i++) {
		p[i].msr_quirks = NULL;
		p[i].cpuid_quirks = NULL;
		p[i].pconfig_quirks = NULL;
		p[i].rdrand_quirks = NULL;
		p[i].rdseed_quirks = NULL;
		p[i].intr_quirks = NULL;
		p[i].seamops_quirks = NULL;
		p[i].fms_quirks = NULL;
	}
	return !memcmp(&p[0], &p[1], sizeof(p[0])) && !strcmp(a->name, b->name) &&
	       !strcmp(a->description, b->description) && !strcmp(a->module_kind, b->module_kind) &&
	       a->nr_memory == b->nr_memory && a->nodes == b->nodes &&
	       !memcmp(a->memory, b->memory, a->nr_memory * sizeof(*a->memory)) &&
	       a->erratum_partial_write == b->erratum_partial_write && a->checker == b->checker &&
	       a->test_interface == b->test_interface;
}

/* Each example can be read; with the default in its place a member could as well be left out */
static void test_document(void **state)
{
	static struct row rows[MAX_ROWS];
	size_t nr = read_rows(rows), i, defaults = 0;
	const char *name, *member, *text;
	struct tdx_machine *with, *without;
	char example[600];
	json_t *root, *object;

	(void)state;
	for (i = 0; i < nr; i++) {
		if (!strcmp(rows[i].cell[MEMBER], "Member"))
			continue;
		member = literal(rows[i].cell[MEMBER]);
		text = literal(rows[i].cell[EXAMPLE]);
		assert_non_null(member);
		assert_non_null(text);
		snprintf(example, sizeof(example), "{%s}", text);
		root = parse_json(example);
		object = holder(root, member, &name);
		if (!json_object_get(object, name))
			print_error("%s: not in its example %s\n", member, example);
		assert_non_null(json_object_get(object, name));
		tdx_machine_free(machine_of(root));

		text = literal(rows[i].cell[DEFAULT]);
		if (text) {
			json_object_set_new(object, name, parse_json(text));
			with = machine_of(root);
			json_object_del(object, name);
			without = machine_of(root);
			if (!same_machine(with, without))
				print_error("%s: %s is not the default\n", member, text);
			assert_true(same_machine(with, without));
			tdx_machine_free(with);
			tdx_machine_free(without);
			defaults++;
		}
		json_decref(root);
	}
	assert_true(defaults > 30);
}

/* The members in the document are those that the parser names when it meets one that it does not know */
static void test_document_is_complete(void **state)
{
	static const struct {
		const char *prefix, *text;
	} objects[] = {
		{ "", "{\"?\": 0}" }, { "memory[].", "{\"memory\": [{\"?\": 0}]}" },
		{ "seamrr.", "{\"seamrr\": {\"?\": 0}}" }, { "module.", "{\"module\": {\"?\": 0}}" },
		{ "faults[].", "{\"faults\": [{\"?\": 0}]}" }, { "quirks.", "{\"quirks\": {\"?\": 0}}" },
	};
	static const char known[] = "(known here: ";
	static struct row rows[MAX_ROWS];
	size_t nr = read_rows(rows), i, k, members = 0, headings = 0;
	char *err, *name, *rest, wanted[128];

	(void)state;
	for (k = 0; k < nr; k++)
		headings += !strcmp(rows[k].cell[MEMBER], "Member");
	for (i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		assert_null(parse(objects[i].text, &err));
		rest = strstr(err, known);
		assert_non_null(rest);
		rest += sizeof(known) - 1;
		while ((name = strtok_r(rest, ", )", &rest))) {
			snprintf(wanted, sizeof(wanted), "``%s%s``", objects[i].prefix, name);
			for (k = 0; k < nr && strcmp(rows[k].cell[MEMBER], wanted); k++)
				;
			if (k == nr)
				print_error("%s is not in " DOCUMENT "\n", wanted);
			assert_true(k < nr);
			members++;
		}
		free(err);
	}
	assert_int_equal(members, nr - headings);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults), cmocka_unit_test(test_everything),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_module_1_0), cmocka_unit_test(test_cmrs_from_memory),
		cmocka_unit_test(test_placement), cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_too_many), cmocka_unit_test(test_vector_platforms), cmocka_unit_test(test_no_rbp_mod),
		cmocka_unit_test(test_faults_alone), cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_platform_files), cmocka_unit_test(test_document),
		cmocka_unit_test(test_document_is_complete),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	printf("%zu passed, %d failed\n", sizeof(tests) / sizeof(tests[0]) - failed, failed);
	return failed != 0;
}
