// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the state machine: every state x every call x every outcome.
 *
 * A state is reached the way a machine gets there. Then the outcome of a case
 * is set up, the call is made, and what it returns, the state after it and
 * whether SEAMCALLs were made are compared.
 */
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/notifier.h>
#include <linux/sizes.h>
#include <linux/suspend.h>

#include <asm/tdx_host.h>

#include "../arch.h"
#include "../seamcall.h"
#include "sim.h"

#define FOREVER			0

/* TDX_INCORRECT_MSR_VALUE, as a status that no retry helps against */
#define STATUS_HARD		0xC000092100000122ULL

enum outcome {
	GOOD,
	NO_SEAMRR,		/* MSRs, before the module is detected */
	NO_P_SEAMLDR,
	NO_MODULE,
	SEAMLDR_GP,
	NO_VMX,
	SLEEPING,
	CPUS_MISSING,
	NOT_CONVERTIBLE,
	NO_PAMT_MEMORY,
	SYS_INIT_FAILS,
	LP_INIT_FAILS,
	LP_INIT_UD,		/* VMX is turned off under our hands */
	SYS_RD_FAILS,
	SYS_INFO_FAILS,
	NO_HOTPLUG_STATE,
	CONFIG_FAILS,
	KEY_CONFIG_FAILS,
	KEY_CONFIG_UD,
	TDMR_INIT_FAILS,
	TDMR_INIT_VMFAIL,
};

static const char * const outcome_names[] = {
	[GOOD] = "good",
	[NO_SEAMRR] = "no SEAMRR",
	[NO_P_SEAMLDR] = "no P-SEAMLDR",
	[NO_MODULE] = "no module",
	[SEAMLDR_GP] = "general protection in SEAMLDR.INFO",
	[NO_VMX] = "not in VMX operation",
	[SLEEPING] = "going to sleep",
	[CPUS_MISSING] = "CPUs offline",
	[NOT_CONVERTIBLE] = "memory not convertible",
	[NO_PAMT_MEMORY] = "no memory for PAMTs",
	[SYS_INIT_FAILS] = "SYS.INIT fails",
	[LP_INIT_FAILS] = "LP.INIT fails",
	[LP_INIT_UD] = "invalid opcode in LP.INIT",
	[SYS_RD_FAILS] = "SYS.RD fails",
	[SYS_INFO_FAILS] = "SYS.INFO of module 1.0 fails",
	[NO_HOTPLUG_STATE] = "all CPU hotplug states taken",
	[CONFIG_FAILS] = "CONFIG fails",
	[KEY_CONFIG_FAILS] = "KEY.CONFIG fails",
	[KEY_CONFIG_UD] = "invalid opcode in KEY.CONFIG",
	[TDMR_INIT_FAILS] = "TDMR.INIT fails",
	[TDMR_INIT_VMFAIL] = "VMfailInvalid in TDMR.INIT",
};

static const char * const state_names[] = {
	[TDX_UNKNOWN] = "UNKNOWN",
	[TDX_NONE] = "NONE",
	[TDX_LOADED] = "LOADED",
	[TDX_INITIALIZED] = "INITIALIZED",
	[TDX_SHUTDOWN] = "SHUTDOWN",
};

enum call { DETECT, INIT };

static const char * const call_names[] = {
	[DETECT] = "tdx_detect()",
	[INIT] = "tdx_init()",
};

struct state_case {
	enum tdx_state from;
	enum call call;
	enum outcome outcome;
	int ret;
	enum tdx_state to;
};

/*
 * Pairs of state and call that make SEAMCALLs, with every outcome they have.
 * All others are in quiet_cases.
 */
static const struct state_case state_cases[] = {
	{ TDX_UNKNOWN, DETECT, GOOD, 0, TDX_LOADED },
	{ TDX_UNKNOWN, DETECT, NO_SEAMRR, -ENODEV, TDX_NONE },
	{ TDX_UNKNOWN, DETECT, NO_P_SEAMLDR, -ENODEV, TDX_NONE },
	{ TDX_UNKNOWN, DETECT, NO_MODULE, -ENODEV, TDX_NONE },
	{ TDX_UNKNOWN, DETECT, SEAMLDR_GP, -ENODEV, TDX_NONE },
	{ TDX_UNKNOWN, DETECT, NO_VMX, -EPERM, TDX_UNKNOWN },

	{ TDX_LOADED, INIT, GOOD, 0, TDX_INITIALIZED },
	{ TDX_LOADED, INIT, NO_VMX, -EPERM, TDX_LOADED },
	{ TDX_LOADED, INIT, SLEEPING, -EAGAIN, TDX_LOADED },
	{ TDX_LOADED, INIT, CPUS_MISSING, -EAGAIN, TDX_LOADED },
	{ TDX_LOADED, INIT, NOT_CONVERTIBLE, -EAGAIN, TDX_LOADED },
	{ TDX_LOADED, INIT, NO_PAMT_MEMORY, -ENOMEM, TDX_LOADED },
	{ TDX_LOADED, INIT, NO_HOTPLUG_STATE, -ENOMEM, TDX_LOADED },
	{ TDX_LOADED, INIT, LP_INIT_UD, -EPERM, TDX_LOADED },
	{ TDX_LOADED, INIT, SYS_INIT_FAILS, -EIO, TDX_SHUTDOWN },
	{ TDX_LOADED, INIT, LP_INIT_FAILS, -EIO, TDX_SHUTDOWN },
	{ TDX_LOADED, INIT, SYS_RD_FAILS, -EIO, TDX_SHUTDOWN },
	{ TDX_LOADED, INIT, SYS_INFO_FAILS, -EIO, TDX_SHUTDOWN },
	{ TDX_LOADED, INIT, CONFIG_FAILS, -EIO, TDX_SHUTDOWN },
	{ TDX_LOADED, INIT, KEY_CONFIG_FAILS, -EIO, TDX_SHUTDOWN },
	{ TDX_LOADED, INIT, KEY_CONFIG_UD, -EIO, TDX_SHUTDOWN },
	{ TDX_LOADED, INIT, TDMR_INIT_FAILS, -EIO, TDX_SHUTDOWN },
	{ TDX_LOADED, INIT, TDMR_INIT_VMFAIL, -EIO, TDX_SHUTDOWN },
};

/* What the state alone decides: the same for every outcome, no SEAMCALL. */
static const struct {
	enum tdx_state state;
	enum call call;
	int ret;
} quiet_cases[] = {
	{ TDX_UNKNOWN, INIT, -EFAULT },
	{ TDX_NONE, DETECT, -ENODEV },
	{ TDX_NONE, INIT, -ENODEV },
	{ TDX_LOADED, DETECT, 0 },
	{ TDX_INITIALIZED, DETECT, 0 },
	{ TDX_INITIALIZED, INIT, 0 },
	{ TDX_SHUTDOWN, DETECT, -EFAULT },
	{ TDX_SHUTDOWN, INIT, -EFAULT },
};

/* Make @outcome what happens next. */
static void set_outcome(struct tdx_sim *sim, enum outcome outcome)
{
	/* Module 1.0, which has no SYS.RD */
	static const struct tdxm_fault no_info[] = {
		{ .leaf = TDH_SYS_RD, .lp = TDXM_ALL_LPS, .nth = 1,
		  .status = TDX_SYS_NOT_READY },
		{ .leaf = TDH_SYS_INFO, .lp = TDXM_ALL_LPS, .nth = 1,
		  .status = STATUS_HARD },
	};

	switch (outcome) {
	case GOOD:
		break;
	case NO_SEAMRR:
		sim->msrs.mtrrcap = 0;
		tdx_test_set_msrs(&sim->msrs);
		break;
	case NO_P_SEAMLDR:
		tdx_sim_fault(sim, SEAMLDR_INFO, 1, FOREVER, TDXM_VMFAIL_INVALID, 0);
		break;
	case NO_MODULE:
		sim->no_module = true;
		break;
	case SEAMLDR_GP:
		tdx_sim_fault(sim, SEAMLDR_INFO, 1, FOREVER, TDXM_GP, 0);
		break;
	case NO_VMX:
		sim->no_vmx = true;
		break;
	case SLEEPING:
		tdx_test_power(PM_SUSPEND_PREPARE);
		break;
	case CPUS_MISSING:
		sim->cpus_missing = true;
		break;
	case NOT_CONVERTIBLE:
		sim->memory[sim->nr_memory - 1].end += SZ_1G;
		break;
	case NO_PAMT_MEMORY:
		sim->fail_pamt = 1;
		sim->fail_pamt_all = true;
		break;
	case SYS_INIT_FAILS:
		tdx_sim_fault(sim, TDH_SYS_INIT, 1, FOREVER, TDXM_DONE, STATUS_HARD);
		break;
	case LP_INIT_FAILS:
		tdx_sim_fault(sim, TDH_SYS_LP_INIT, 1, FOREVER, TDXM_DONE, STATUS_HARD);
		break;
	case LP_INIT_UD:
		tdx_sim_fault(sim, TDH_SYS_LP_INIT, 1, FOREVER, TDXM_UD, 0);
		break;
	case SYS_RD_FAILS:
		tdx_sim_fault(sim, TDH_SYS_RD, 5, FOREVER, TDXM_DONE, STATUS_HARD);
		break;
	case SYS_INFO_FAILS:
		tdxm_set_faults(sim->model, no_info, ARRAY_SIZE(no_info));
		break;
	case NO_HOTPLUG_STATE:
		tdx_sim_take_hotplug(sim);
		break;
	case CONFIG_FAILS:
		tdx_sim_fault(sim, TDH_SYS_CONFIG, 1, FOREVER, TDXM_DONE, STATUS_HARD);
		break;
	case KEY_CONFIG_FAILS:
		tdx_sim_fault(sim, TDH_SYS_KEY_CONFIG, 1, FOREVER, TDXM_DONE, STATUS_HARD);
		break;
	case KEY_CONFIG_UD:
		tdx_sim_fault(sim, TDH_SYS_KEY_CONFIG, 1, FOREVER, TDXM_UD, 0);
		break;
	case TDMR_INIT_FAILS:
		tdx_sim_fault(sim, TDH_SYS_TDMR_INIT, 3, FOREVER, TDXM_DONE, STATUS_HARD);
		break;
	case TDMR_INIT_VMFAIL:
		tdx_sim_fault(sim, TDH_SYS_TDMR_INIT, 3, FOREVER, TDXM_VMFAIL_INVALID, 0);
		break;
	}
}

/* Bring a platform into a state, and make all well again. */
static void reach(struct kunit *test, struct tdx_sim *sim, enum tdx_state state)
{
	tdx_sim_start(test, sim);

	switch (state) {
	case TDX_UNKNOWN:
		break;
	case TDX_NONE:
		set_outcome(sim, NO_SEAMRR);
		KUNIT_ASSERT_EQ(test, tdx_detect(), -ENODEV);
		break;
	case TDX_SHUTDOWN:
		set_outcome(sim, CONFIG_FAILS);
		fallthrough;
	case TDX_LOADED:
	case TDX_INITIALIZED:
		KUNIT_ASSERT_EQ(test, tdx_detect(), 0);
		if (state != TDX_LOADED)
			KUNIT_ASSERT_EQ(test, tdx_init(),
					state == TDX_INITIALIZED ? 0 : -EIO);
		break;
	}

	tdx_sim_repair(sim);
	KUNIT_ASSERT_EQ(test, tdx_test_state(), state);
	sim->seamcalls = 0;
}

static int make_call(enum call call)
{
	return call == DETECT ? tdx_detect() : tdx_init();
}

static void state_case_desc(const struct state_case *c, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s, %s, %s", state_names[c->from],
		 call_names[c->call], outcome_names[c->outcome]);
}

KUNIT_ARRAY_PARAM(state, state_cases, state_case_desc);

static void test_state(struct kunit *test)
{
	const struct state_case *c = test->param_value;
	struct tdx_sim *sim = test->priv;

	reach(test, sim, c->from);
	set_outcome(sim, c->outcome);

	KUNIT_EXPECT_EQ(test, make_call(c->call), c->ret);
	KUNIT_EXPECT_EQ(test, tdx_test_state(), c->to);
	KUNIT_EXPECT_EQ(test, tdx_possible(), c->to != TDX_NONE && c->to != TDX_SHUTDOWN);
	KUNIT_EXPECT_EQ(test, tdx_pamt_held(), c->to == TDX_INITIALIZED ?
			tdx_sim_pamt_bytes(sim) : 0);
}

/* What could be tried again succeeds when the cause is gone. */
static void test_second_try(struct kunit *test)
{
	const struct state_case *c = test->param_value;
	struct tdx_sim *sim = test->priv;

	if (c->from != TDX_LOADED || c->to != TDX_LOADED)
		kunit_skip(test, "no second try");

	reach(test, sim, c->from);
	set_outcome(sim, c->outcome);
	KUNIT_ASSERT_EQ(test, make_call(c->call), c->ret);
	tdx_sim_repair(sim);

	KUNIT_EXPECT_EQ(test, tdx_detect(), 0);
	KUNIT_EXPECT_EQ(test, tdx_init(), 0);
	KUNIT_EXPECT_EQ(test, tdx_test_state(), TDX_INITIALIZED);
	KUNIT_EXPECT_EQ(test, tdxm_state(sim->model), TDXM_READY);
}

/* What the MSRs say is known without a SEAMCALL. */
static void test_possible(struct kunit *test)
{
	struct tdx_sim *sim = test->priv;

	reach(test, sim, TDX_UNKNOWN);
	KUNIT_EXPECT_TRUE(test, tdx_possible());
	set_outcome(sim, NO_SEAMRR);
	KUNIT_EXPECT_FALSE(test, tdx_possible());
	KUNIT_EXPECT_EQ(test, tdx_test_state(), TDX_UNKNOWN);
	KUNIT_EXPECT_EQ(test, sim->seamcalls, 0);
}

static void test_quiet(struct kunit *test)
{
	struct tdx_sim *sim = test->priv;
	enum outcome outcome;
	int i;

	for (i = 0; i < ARRAY_SIZE(quiet_cases); i++) {
		for (outcome = GOOD; outcome <= TDMR_INIT_VMFAIL; outcome++) {
			reach(test, sim, quiet_cases[i].state);
			set_outcome(sim, outcome);

			KUNIT_EXPECT_EQ_MSG(test, make_call(quiet_cases[i].call),
					    quiet_cases[i].ret, "%s, %s, %s",
					    state_names[quiet_cases[i].state],
					    call_names[quiet_cases[i].call],
					    outcome_names[outcome]);
			KUNIT_EXPECT_EQ(test, tdx_test_state(),
					quiet_cases[i].state);
			KUNIT_EXPECT_EQ(test, sim->seamcalls, 0);

			tdx_sim_repair(sim);
			tdx_sim_stop(sim);
		}
	}
}

/* Sleep that the module does not survive */
static const unsigned long hibernation[] = { PM_HIBERNATION_PREPARE, PM_RESTORE_PREPARE };

static void expect_sleep(struct kunit *test, bool refused)
{
	int i;

	KUNIT_EXPECT_EQ(test, tdx_refuses_s3(), refused);
	for (i = 0; i < ARRAY_SIZE(hibernation); i++) {
		KUNIT_EXPECT_EQ(test, notifier_to_errno(tdx_test_power(hibernation[i])),
				refused ? -EBUSY : 0);
		KUNIT_EXPECT_EQ(test, tdx_power_changing(), !refused);
		tdx_test_power(PM_POST_HIBERNATION);
	}

	/* Of all kinds: S3 has its own place, suspend to idle and standby are allowed. */
	KUNIT_EXPECT_EQ(test, notifier_to_errno(tdx_test_power(PM_SUSPEND_PREPARE)), 0);
	KUNIT_EXPECT_TRUE(test, tdx_power_changing());
	KUNIT_EXPECT_EQ(test, tdx_test_syscore_suspend(), 0);
	tdx_test_power(PM_POST_SUSPEND);

	/* A kexec jump comes without a notification. */
	KUNIT_EXPECT_EQ(test, tdx_test_syscore_suspend(), refused ? -EBUSY : 0);
	KUNIT_EXPECT_FALSE(test, tdx_power_changing());
}

static void test_sleep(struct kunit *test)
{
	struct tdx_sim *sim = test->priv;
	enum tdx_state state;

	for (state = TDX_UNKNOWN; state <= TDX_SHUTDOWN; state++) {
		reach(test, sim, state);
		expect_sleep(test, state == TDX_INITIALIZED);
		tdx_sim_stop(sim);
	}

	/* TDH.SYS.INIT was made, and cannot be made again. */
	reach(test, sim, TDX_LOADED);
	set_outcome(sim, NO_PAMT_MEMORY);
	KUNIT_EXPECT_EQ(test, tdx_init(), -ENOMEM);
	expect_sleep(test, true);
}

static int state_init(struct kunit *test)
{
	test->priv = tdx_sim_create(test);
	return 0;
}

static void state_exit(struct kunit *test)
{
	tdx_sim_stop(test->priv);
}

static struct kunit_case state_test_cases[] = {
	KUNIT_CASE_PARAM(test_state, state_gen_params),
	KUNIT_CASE_PARAM(test_second_try, state_gen_params),
	KUNIT_CASE(test_possible),
	KUNIT_CASE(test_quiet),
	KUNIT_CASE(test_sleep),
	{}
};

static struct kunit_suite state_suite = {
	.name = "tdx_state",
	.init = state_init,
	.exit = state_exit,
	.test_cases = state_test_cases,
};

kunit_test_suite(state_suite);
