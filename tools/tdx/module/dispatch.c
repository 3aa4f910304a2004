/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Life of a model, and the dispatcher.
 */
#include "tdx_module.h"

struct tdxm {
	struct tdxm_platform platform;
	struct tdxm_ops ops;
	void *opaque;
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
	p->cmrs[1] = (struct tdxm_range){ 0x100000000, 0x80000000 };
	p->num_lps = p->num_sockets = TDXM_DEFAULT;
	p->module.loaded = p->module.seamldr_loaded = true;
	p->seamrr_supported = p->seamrr_enabled = p->seamrr_locked = true;
}
bool tdxm_module_by_name(struct tdxm_module *mod, const char *kind) { (void)mod; (void)kind; return true; }
const char *tdxm_module_kind(unsigned int i) { return i ? NULL : "1.5.01"; }
struct tdxm *tdxm_new(const struct tdxm_platform *p, const struct tdxm_ops *ops, void *opaque)
{
	struct tdxm *m = ops->alloc(opaque, sizeof(*m));

	if (m) {
		m->platform = *p;
		m->ops = *ops;
		m->opaque = opaque;
	}
	return m;
}
void tdxm_free(struct tdxm *m) { if (m) m->ops.free(m->opaque, m, sizeof(*m)); }
enum tdxm_exit tdxm_seamcall(struct tdxm *m, unsigned int lp, uint64_t gpr[16])
{
	(void)m; (void)lp;
	gpr[TDXM_RAX] = UINT64_C(0xc000050500000000);
	return TDXM_DONE;
}
bool tdxm_set_faults(struct tdxm *m, const struct tdxm_fault *f, unsigned int nr) { (void)m; (void)f; return nr <= TDXM_MAX_FAULTS; }
uint64_t tdxm_faults_hit(const struct tdxm *m) { (void)m; return 0; }
bool tdxm_rdmsr(const struct tdxm *m, unsigned int lp, uint32_t msr, uint64_t *val) { (void)m; (void)lp; (void)msr; *val = 0; return false; }
void tdxm_cpuid(const struct tdxm *m, unsigned int lp, uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{ (void)m; (void)lp; (void)leaf; (void)subleaf; memset(regs, 0, 16); }
unsigned int tdxm_keyid_bits(const struct tdxm *m) { (void)m; return 6; }
enum tdxm_state tdxm_state(const struct tdxm *m) { (void)m; return TDXM_PENDING; }
const char *tdxm_state_name(enum tdxm_state s) { (void)s; return "PENDING"; }
uint64_t tdxm_fatal_code(const struct tdxm *m) { (void)m; return 0; }
bool tdxm_lp_initialized(const struct tdxm *m, unsigned int lp) { (void)m; (void)lp; return false; }
bool tdxm_package_has_key(const struct tdxm *m, unsigned int package) { (void)m; (void)package; return false; }
uint64_t tdxm_stat_leaf_calls(const struct tdxm *m, unsigned int leaf) { (void)m; (void)leaf; return 0; }
uint64_t tdxm_stat_lp_calls(const struct tdxm *m, unsigned int lp) { (void)m; (void)lp; return 0; }
uint64_t tdxm_stat_seamldr_calls(const struct tdxm *m) { (void)m; return 0; }
bool tdxm_tdmr(const struct tdxm *m, unsigned int i, struct tdxm_tdmr_info *info) { (void)m; (void)i; (void)info; return false; }
const char *tdxm_leaf_name(unsigned int leaf) { (void)leaf; return NULL; }
const char *tdxm_seamldr_leaf_name(unsigned int leaf) { (void)leaf; return NULL; }
const char *tdxm_status_name(uint64_t rax) { (void)rax; return NULL; }
const char *tdxm_operand_name(uint32_t operand) { (void)operand; return NULL; }
bool tdxm_leaf_by_name(const char *name, uint64_t *leaf) { (void)name; (void)leaf; return false; }
bool tdxm_status_by_name(const char *name, uint64_t *status) { (void)name; (void)status; return false; }
