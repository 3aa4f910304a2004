// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of whole initialisations: statuses and errnos, retries, and every
 * SEAMCALL failing in every way.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include <asm/tdx.h>
#include <asm/tdx_host.h>

#include "../arch.h"
#include "../observe.h"
#include "../seamcall.h"
#include "sim.h"

#define FOREVER		0

static const struct {
	u64 status;
	int err;
} errno_cases[] = {
	{ 0, 0 },
	/* Information, no error */
	{ 0x0000081500000000ULL, 0 },
	{ TDX_TDMR_ALREADY_INITIALIZED, 0 },
	{ 0x0000000012345678ULL, 0 },
	/* Not from the module */
	{ TDX_SEAMCALL_VMFAILINVALID, -ENODEV },
	{ 0x8000ff0000000006ULL, -EPERM },
	{ 0x8000ff000000000dULL, -EIO },
	/* Busy */
	{ TDX_OPERAND_BUSY, -EBUSY },
	{ TDX_OPERAND_BUSY | 187, -EBUSY },
	{ TDX_SYS_BUSY, -EBUSY },
	{ TDX_RND_NO_ENTROPY, -EBUSY },
	{ TDX_KEY_GENERATION_FAILED, -EBUSY },
	/* Our mistake */
	{ TDX_OPERAND_INVALID | 1, -EINVAL },
	{ TDX_OPERAND_ADDR_RANGE_ERROR | 8, -EINVAL },
	/* Error without bit 63 */
	{ 0x4000000100000000ULL, -EIO },
	{ 0x6000000200000000ULL, -EIO },
	/* The rest */
	{ 0xc000092100000122ULL, -EIO },
	{ 0x8000000300000000ULL, -EIO },
	{ TDX_SYS_NOT_READY, -EIO },
	{ 0xffffffffffffffffULL, -EIO },
};

static void test_errno(struct kunit *test)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(errno_cases); i++) {
		KUNIT_EXPECT_EQ_MSG(test, seamcall_errno(errno_cases[i].status),
				    errno_cases[i].err, "status 0x%llx",
				    errno_cases[i].status);
	}
}

static int detect_and_init(struct tdx_sim *sim)
{
	return tdx_detect() ?: tdx_init();
}

struct module_case {
	const char *kind;
	u16 major;
	u16 minor;
	u16 update;
};

static const struct module_case module_cases[] = {
	{ "1.0", 1, 0, 0 },
	{ "1.5.01", 1, 5, 1 },
	{ "1.5.05", 1, 5, 5 },
	{ "2.0.08", 2, 0, 8 },
};

static void module_desc(const struct module_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "module %s", c->kind);
}

KUNIT_ARRAY_PARAM(module, module_cases, module_desc);

static void test_module(struct kunit *test)
{
	const struct module_case *c = test->param_value;
	struct tdx_sim *sim = test->priv;
	const struct tdx_sysinfo *info;
	struct tdxm_tdmr_info tdmr;
	unsigned int i;

	KUNIT_ASSERT_TRUE(test, tdxm_module_by_name(&sim->platform.module, c->kind));
	tdx_sim_start(test, sim);

	KUNIT_ASSERT_EQ(test, detect_and_init(sim), 0);
	KUNIT_EXPECT_EQ(test, tdxm_state(sim->model), TDXM_READY);

	info = tdx_get_sysinfo();
	KUNIT_ASSERT_NOT_NULL(test, info);
	KUNIT_EXPECT_EQ(test, info->major, c->major);
	KUNIT_EXPECT_EQ(test, info->minor, c->minor);
	KUNIT_EXPECT_EQ(test, info->update, c->update);
	KUNIT_EXPECT_EQ(test, info->nr_cmrs, sim->platform.nr_cmrs);
	for (i = 0; i < info->nr_cmrs; i++) {
		KUNIT_EXPECT_EQ(test, info->cmrs[i].start, sim->platform.cmrs[i].base);
		KUNIT_EXPECT_EQ(test, info->cmrs[i].end, sim->platform.cmrs[i].base +
				sim->platform.cmrs[i].size);
	}

	KUNIT_EXPECT_TRUE(test, tdxm_tdmr(sim->model, 0, &tdmr));
	for (i = 0; tdxm_tdmr(sim->model, i, &tdmr); i++)
		KUNIT_EXPECT_EQ(test, tdmr.initialized, tdmr.size);

	KUNIT_EXPECT_EQ(test, tdx_pamt_held(), tdx_sim_pamt_bytes(sim));
}

/*
 * Half of the platform's memory cannot be had, as if it were offline. The search
 * for a place must not go through it page by page.
 */
static void test_offline_memory(struct kunit *test)
{
	struct tdx_sim *sim = test->priv;

	tdx_sim_start(test, sim);
	KUNIT_ASSERT_EQ(test, detect_and_init(sim), 0);
	KUNIT_EXPECT_LT(test, sim->pamt_allocs, 1000);
}

/* More holes in 1 GiB than a TDMR can have reserved areas */
static void test_no_tdmrs(struct kunit *test)
{
	struct tdx_sim *sim = test->priv;
	u64 base = sim->platform.cmrs[1].base;
	char error[512];
	int i;

	for (i = 1; i < 19; i++) {
		sim->platform.cmrs[i].base = base + i * SZ_32M;
		sim->platform.cmrs[i].size = SZ_16M;
		sim->memory[i].start = sim->platform.cmrs[i].base;
		sim->memory[i].end = sim->memory[i].start + SZ_16M;
	}
	sim->platform.nr_cmrs = 19;
	sim->nr_memory = 19;

	tdx_sim_start(test, sim);
	KUNIT_EXPECT_EQ(test, detect_and_init(sim), -EAGAIN);
	tdx_get_error(error, sizeof(error));
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(error, "no TDMRs for memory"), "%s", error);
	KUNIT_EXPECT_EQ(test, tdx_test_state(), TDX_LOADED);
	KUNIT_EXPECT_EQ(test, tdx_pamt_held(), 0);

	/* Part of it is taken offline. */
	sim->nr_memory = 8;
	KUNIT_EXPECT_EQ(test, tdx_init(), 0);
}

/* Only module 1.0 can be told that it is not needed any more. */
static void test_module_shutdown(struct kunit *test)
{
	const struct module_case *c = test->param_value;
	struct tdx_sim *sim = test->priv;
	bool is_1_0 = c->major == 1 && !c->minor;

	KUNIT_ASSERT_TRUE(test, tdxm_module_by_name(&sim->platform.module, c->kind));
	tdx_sim_start(test, sim);
	tdx_sim_fault(sim, TDH_SYS_CONFIG, 1, FOREVER, TDXM_DONE, TDX_SYS_CONFIG_NOT_PENDING);

	KUNIT_EXPECT_EQ(test, detect_and_init(sim), -EIO);
	KUNIT_EXPECT_EQ(test, tdxm_stat_leaf_calls(sim->model, TDH_SYS_LP_SHUTDOWN),
			is_1_0 ? num_online_cpus() : 0);
}

/* What the module is told last is not why it failed. */
static void test_reason_of_shutdown(struct kunit *test)
{
	static const struct tdxm_fault faults[] = {
		{ .leaf = TDH_SYS_INIT, .lp = TDXM_ALL_LPS, .nth = 1,
		  .exit = TDXM_VMFAIL_INVALID },
		{ .leaf = TDH_SYS_LP_SHUTDOWN, .lp = TDXM_ALL_LPS, .nth = 1,
		  .exit = TDXM_VMFAIL_INVALID },
	};
	struct tdx_sim *sim = test->priv;
	char error[512];

	tdx_sim_start(test, sim);
	tdxm_set_faults(sim->model, faults, ARRAY_SIZE(faults));
	KUNIT_EXPECT_EQ(test, detect_and_init(sim), -EIO);
	KUNIT_EXPECT_GT(test, tdxm_stat_leaf_calls(sim->model, TDH_SYS_LP_SHUTDOWN), 0);
	tdx_get_error(error, sizeof(error));
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(error, "TDH.SYS.INIT"), "%s", error);
}

/* Who is killed is not told that memory is fragmented. */
static void test_killed(struct kunit *test)
{
	struct tdx_sim *sim = test->priv;
	char error[512];

	tdx_sim_start(test, sim);
	allow_signal(SIGKILL);
	send_sig(SIGKILL, current, 1);
	KUNIT_EXPECT_EQ(test, detect_and_init(sim), -EAGAIN);
	flush_signals(current);
	disallow_signal(SIGKILL);

	tdx_get_error(error, sizeof(error));
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(error, "killed"), "%s", error);
	KUNIT_EXPECT_EQ(test, tdx_test_state(), TDX_LOADED);
	KUNIT_EXPECT_EQ(test, tdx_init(), 0);
}

struct holder {
	struct work_struct work;
	struct completion held;
	struct completion let_go;
};

static void hold_state(struct work_struct *work)
{
	struct holder *holder = container_of(work, struct holder, work);

	tdx_lock_state();
	complete(&holder->held);
	/* It ends in any case, so that who does wait fails and does not hang. */
	wait_for_completion_timeout(&holder->let_go, 5 * HZ);
	tdx_unlock_state();
}

/* Nor does it wait for the end of what another caller does. */
static void test_killed_waiting(struct kunit *test)
{
	struct tdx_sim *sim = test->priv;
	struct holder holder;

	tdx_sim_start(test, sim);
	KUNIT_ASSERT_EQ(test, tdx_detect(), 0);

	INIT_WORK_ONSTACK(&holder.work, hold_state);
	init_completion(&holder.held);
	init_completion(&holder.let_go);
	queue_work(system_unbound_wq, &holder.work);
	wait_for_completion(&holder.held);

	allow_signal(SIGKILL);
	send_sig(SIGKILL, current, 1);
	KUNIT_EXPECT_EQ(test, tdx_detect(), -EAGAIN);
	KUNIT_EXPECT_EQ(test, tdx_init(), -EAGAIN);
	flush_signals(current);
	disallow_signal(SIGKILL);

	complete(&holder.let_go);
	flush_work(&holder.work);
	destroy_work_on_stack(&holder.work);
	KUNIT_EXPECT_EQ(test, tdx_init(), 0);
}

/* Two devices whose blocks come online in turn: a line for each device. */
static void test_refused_memory(struct kunit *test)
{
	struct tdx_sim *sim = test->priv;
	unsigned int i, lines = 0;
	struct tdx_region *dev;
	u64 offset;

	tdx_sim_start(test, sim);
	KUNIT_ASSERT_EQ(test, detect_and_init(sim), 0);

	dev = &sim->memory[sim->nr_memory];
	dev[0].start = dev[-1].end + SZ_1G;
	dev[0].end = dev[0].start + SZ_1G;
	dev[1].start = dev[0].end + SZ_1G;
	dev[1].end = dev[1].start + SZ_1G;
	sim->nr_memory += 2;

	for (offset = 0; offset < SZ_1G; offset += SZ_128M) {
		for (i = 0; i < 2; i++)
			lines += tdx_memory_refuse(dev[i].start + offset,
						   dev[i].start + offset + SZ_128M);
	}
	KUNIT_EXPECT_EQ(test, lines, 2);
}

struct retry_case {
	u64 leaf;
	const char *name;
	u64 status;
};

static const struct retry_case retry_cases[] = {
	{ TDH_SYS_INIT, "SYS.INIT, no entropy", TDX_RND_NO_ENTROPY },
	{ TDH_SYS_INIT, "SYS.INIT, busy", TDX_SYS_BUSY },
	{ TDH_SYS_LP_INIT, "LP.INIT, no entropy", TDX_RND_NO_ENTROPY },
	{ TDH_SYS_LP_INIT, "LP.INIT, busy", TDX_SYS_BUSY },
	{ TDH_SYS_CONFIG, "CONFIG, busy", TDX_SYS_BUSY },
	{ TDH_SYS_KEY_CONFIG, "KEY.CONFIG, busy", TDX_SYS_BUSY },
	{ TDH_SYS_KEY_CONFIG, "KEY.CONFIG, key table busy", TDX_OPERAND_BUSY | 187 },
	{ TDH_SYS_KEY_CONFIG, "KEY.CONFIG, no key", TDX_KEY_GENERATION_FAILED },
	{ TDH_SYS_TDMR_INIT, "TDMR.INIT, busy", TDX_OPERAND_BUSY | 1 },
};

static void retry_desc(const struct retry_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(retry, retry_cases, retry_desc);

static void test_retry(struct kunit *test)
{
	static const unsigned int failures[] = {
		1, SEAMCALL_TRIES - 1, SEAMCALL_TRIES
	};
	const struct retry_case *c = test->param_value;
	struct tdx_sim *sim = test->priv;
	bool fails;
	int i;

	for (i = 0; i < ARRAY_SIZE(failures); i++) {
		tdx_sim_start(test, sim);
		tdx_sim_fault(sim, c->leaf, 1, failures[i], TDXM_DONE, c->status);
		fails = failures[i] >= SEAMCALL_TRIES;

		KUNIT_EXPECT_EQ_MSG(test, detect_and_init(sim), fails ? -EIO : 0,
				    "%u failures", failures[i]);
		KUNIT_EXPECT_EQ(test, tdx_test_state(),
				fails ? TDX_SHUTDOWN : TDX_INITIALIZED);
		tdx_sim_stop(sim);
	}
}

/* P-SEAMLDR has its own word for want of entropy. */
static void test_retry_seamldr(struct kunit *test)
{
	static const unsigned int failures[] = {
		1, SEAMCALL_TRIES - 1, SEAMCALL_TRIES
	};
	struct tdx_sim *sim = test->priv;
	bool fails;
	int i;

	for (i = 0; i < ARRAY_SIZE(failures); i++) {
		tdx_sim_start(test, sim);
		tdx_sim_fault(sim, SEAMLDR_INFO, 1, failures[i], TDXM_DONE,
			      SEAMLDR_RND_NO_ENTROPY);
		fails = failures[i] >= SEAMCALL_TRIES;

		KUNIT_EXPECT_EQ_MSG(test, tdx_detect(), fails ? -ENODEV : 0,
				    "%u failures", failures[i]);
		KUNIT_EXPECT_EQ(test, tdx_test_state(), fails ? TDX_NONE : TDX_LOADED);
		tdx_sim_stop(sim);
	}
}

/* KEY_GENERATION_FAILED is final for all other leaves. */
static void test_no_retry(struct kunit *test)
{
	struct tdx_sim *sim = test->priv;

	tdx_sim_start(test, sim);
	tdx_sim_fault(sim, TDH_SYS_CONFIG, 1, 1, TDXM_DONE, TDX_KEY_GENERATION_FAILED);
	KUNIT_EXPECT_EQ(test, detect_and_init(sim), -EIO);
	KUNIT_EXPECT_EQ(test, tdxm_stat_leaf_calls(sim->model, TDH_SYS_CONFIG), 1);
}

/* A module that never gets on: an error, and soon enough. */
static void test_no_progress(struct kunit *test)
{
	struct tdx_sim *sim = test->priv;

	tdx_sim_start(test, sim);
	tdx_sim_fault(sim, TDH_SYS_TDMR_INIT, 2, FOREVER, TDXM_DONE, 0);
	KUNIT_EXPECT_EQ(test, detect_and_init(sim), -EIO);
	KUNIT_EXPECT_EQ(test, tdx_pamt_held(), 0);
}

/* After completion the module answers with the next address 0. */
static void test_already_initialized(struct kunit *test)
{
	struct tdx_sim *sim = test->priv;

	tdx_sim_start(test, sim);
	tdx_sim_fault(sim, TDH_SYS_TDMR_INIT, 2, FOREVER, TDXM_DONE,
		      TDX_TDMR_ALREADY_INITIALIZED);
	KUNIT_EXPECT_EQ(test, detect_and_init(sim), -EIO);
	KUNIT_EXPECT_LT(test, tdxm_stat_leaf_calls(sim->model, TDH_SYS_TDMR_INIT), 10);
}

static const struct {
	enum tdxm_exit exit;
	u64 status;
} sweep_faults[] = {
	{ TDXM_DONE, 0xc000010000000001ULL },
	{ TDXM_DONE, TDX_SYS_NOT_READY },
	{ TDXM_DONE, 0xc000050600000000ULL },
	{ TDXM_DONE, 0xc000092100000122ULL },
	{ TDXM_DONE, 0x4000000100000000ULL },
	{ TDXM_DONE, 0xdeadbeefdeadbeefULL },
	{ TDXM_DONE, ~0ULL },
	{ TDXM_VMFAIL_INVALID },
	{ TDXM_FATAL },
	{ TDXM_GP },
	{ TDXM_UD },
};

/* Statuses by which module 1.0 says that it has no TDH.SYS.RD */
static bool means_no_leaf(unsigned int fault)
{
	u64 code = sweep_faults[fault].status & TDX_STATUS_CODE;

	return sweep_faults[fault].exit == TDXM_DONE &&
	       (code == TDX_SYS_NOT_READY || code == TDX_OPERAND_INVALID);
}

static bool before_commit(u64 leaf)
{
	return leaf == TDH_SYS_INIT || leaf == TDH_SYS_LP_INIT || leaf == TDH_SYS_RD;
}

static int sweep_expect(u64 leaf, unsigned int nth, unsigned int fault)
{
	if (leaf == TDH_SYS_RD && nth == 1 && means_no_leaf(fault))
		return 0;
	if (before_commit(leaf) && sweep_faults[fault].exit == TDXM_UD)
		return -EPERM;
	return -EIO;
}

static void sweep_one(struct kunit *test, u64 leaf, unsigned int nth,
		      unsigned int fault)
{
	struct tdx_sim *sim = test->priv;
	int expect = sweep_expect(leaf, nth, fault);
	enum tdx_state state;

	tdx_sim_start(test, sim);
	tdx_sim_fault(sim, leaf, nth, FOREVER, sweep_faults[fault].exit,
		      sweep_faults[fault].status);

	KUNIT_EXPECT_EQ_MSG(test, detect_and_init(sim), expect,
			    "leaf %llu, call %u, fault %u", leaf, nth, fault);

	state = !expect ? TDX_INITIALIZED :
		expect == -EPERM ? TDX_LOADED : TDX_SHUTDOWN;
	KUNIT_EXPECT_EQ(test, tdx_test_state(), state);
	if (expect)
		KUNIT_EXPECT_EQ(test, tdx_pamt_held(), 0);

	if (expect == -EPERM) {
		tdx_sim_repair(sim);
		KUNIT_EXPECT_EQ(test, tdx_init(), 0);
	}

	tdx_sim_stop(sim);
}

/* Every leaf, in its first, second and last call, in every way. */
static void test_sweep(struct kunit *test)
{
	static const u64 leaves[] = {
		TDH_SYS_INIT, TDH_SYS_LP_INIT, TDH_SYS_RD, TDH_SYS_CONFIG,
		TDH_SYS_KEY_CONFIG, TDH_SYS_TDMR_INIT,
	};
	u64 calls[ARRAY_SIZE(leaves)];
	struct tdx_sim *sim = test->priv;
	unsigned int i, nth, fault;

	tdx_sim_start(test, sim);
	KUNIT_ASSERT_EQ(test, detect_and_init(sim), 0);
	for (i = 0; i < ARRAY_SIZE(leaves); i++)
		calls[i] = tdxm_stat_leaf_calls(sim->model, leaves[i]);
	tdx_sim_stop(sim);

	for (i = 0; i < ARRAY_SIZE(leaves); i++) {
		KUNIT_EXPECT_GT(test, calls[i], 0);
		for (fault = 0; fault < ARRAY_SIZE(sweep_faults); fault++) {
			for (nth = 1; nth <= min(calls[i], 3ULL); nth++)
				sweep_one(test, leaves[i], nth, fault);
			if (calls[i] > 3)
				sweep_one(test, leaves[i], calls[i], fault);
		}
	}
}

static int init_init(struct kunit *test)
{
	test->priv = tdx_sim_create(test);
	return 0;
}

static void init_exit(struct kunit *test)
{
	tdx_sim_stop(test->priv);
}

static struct kunit_case init_test_cases[] = {
	KUNIT_CASE(test_errno),
	KUNIT_CASE_PARAM(test_module, module_gen_params),
	KUNIT_CASE_PARAM(test_module_shutdown, module_gen_params),
	KUNIT_CASE(test_reason_of_shutdown),
	KUNIT_CASE(test_killed),
	KUNIT_CASE(test_killed_waiting),
	KUNIT_CASE(test_offline_memory),
	KUNIT_CASE(test_refused_memory),
	KUNIT_CASE(test_no_tdmrs),
	KUNIT_CASE_PARAM(test_retry, retry_gen_params),
	KUNIT_CASE(test_retry_seamldr),
	KUNIT_CASE(test_no_retry),
	KUNIT_CASE(test_no_progress),
	KUNIT_CASE(test_already_initialized),
	KUNIT_CASE(test_sweep),
	{}
};

static struct kunit_suite init_suite = {
	.name = "tdx_init",
	.init = init_init,
	.exit = init_exit,
	.test_cases = init_test_cases,
};

kunit_test_suite(init_suite);
