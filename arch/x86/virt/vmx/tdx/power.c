// SPDX-License-Identifier: GPL-2.0
/*
 * Sleep: what TDX does not survive.
 *
 * S3 and hibernation cut the power of the memory controller, which forgets the
 * keys of private memory, and of the module. Both are refused from the first call
 * that changed the module on, be there a TD or not: afterwards the module would
 * know nothing of it. Suspend to idle and standby (S1) keep the power on and are no
 * business of TDX.
 *
 * A kexec jump to another kernel, which may come back, is refused like
 * hibernation: that kernel would write over private memory.
 *
 * The module must not be initialised behind the back of a machine that is about
 * to sleep: from the first notification to the last tdx_init() asks to try again.
 */
#define pr_fmt(fmt) "tdx: " fmt

#include <linux/errno.h>
#include <linux/init.h>
#include <linux/notifier.h>
#include <linux/printk.h>
#include <linux/suspend.h>
#include <linux/syscore_ops.h>

#include <asm/tdx_host.h>

#include "tdx.h"

/* Protected by tdx_lock_state() */
static bool tdx_sleeping;

static int tdx_power_notify(struct notifier_block *nb, unsigned long action,
			    void *arg)
{
	bool hibernates = action == PM_HIBERNATION_PREPARE ||
			  action == PM_RESTORE_PREPARE;
	bool sleeps = hibernates || action == PM_SUSPEND_PREPARE;
	bool refused;

	/* An initialisation that has begun ends first. */
	tdx_lock_state();
	refused = hibernates && tdx_in_use();
	tdx_sleeping = sleeps && !refused;
	tdx_unlock_state();

	if (!refused)
		return NOTIFY_OK;

	pr_err("hibernation is refused: the TDX module is in use, it and all TDs would be lost; boot without TDs, or with tdx_host=off\n");
	return notifier_from_errno(-EBUSY);
}

static struct notifier_block tdx_power_nb = {
	.notifier_call = tdx_power_notify,
};

/*
 * The last thing before all kinds of sleep but suspend to idle, and before a kexec
 * jump, which alone notifies nobody. Two of them never go on at once. The other CPUs
 * are offline and all tasks frozen, so that nothing read here can change.
 */
static int tdx_power_suspend(void)
{
	if (tdx_sleeping || !tdx_in_use())
		return 0;

	pr_err("kexec jump is refused: the TDX module is in use, the other kernel would write over its memory and that of TDs; boot without TDs, or with tdx_host=off\n");
	return -EBUSY;
}

static struct syscore_ops tdx_power_syscore = {
	.suspend = tdx_power_suspend,
};

/* At boot, because registering it under the lock that it takes is no good. */
static int __init tdx_power_init(void)
{
	register_syscore_ops(&tdx_power_syscore);
	return register_pm_notifier(&tdx_power_nb);
}
device_initcall(tdx_power_init);

/**
 * tdx_power_changing() - is the machine going to sleep?
 *
 * Context: Under the lock of tdx_init().
 */
bool tdx_power_changing(void)
{
	return tdx_sleeping;
}

/**
 * tdx_refuses_s3() - would the TDX module be lost in S3?
 *
 * Says so if it would.
 *
 * Context: Any, not while the state can change.
 */
bool tdx_refuses_s3(void)
{
	if (!tdx_in_use())
		return false;

	pr_err("suspend to RAM (S3) is refused: the TDX module is in use, it and all TDs would be lost; use suspend to idle, or boot with tdx_host=off\n");
	return true;
}

#ifdef CONFIG_INTEL_TDX_HOST_KUNIT_TEST
/* What all who are notified of sleep get, but for this code alone */
int tdx_test_power(unsigned long action)
{
	return tdx_power_notify(&tdx_power_nb, action, NULL);
}

int tdx_test_syscore_suspend(void)
{
	return tdx_power_suspend();
}
#endif
