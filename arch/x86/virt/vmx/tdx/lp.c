// SPDX-License-Identifier: GPL-2.0
/*
 * LPs: the logical processors that make SEAMCALLs.
 *
 * The module takes its configuration only after TDH.SYS.LP.INIT has been made
 * on every logical processor of the machine, so all CPUs have to be online
 * once. Afterwards a CPU can go and come back; what the module knows of it
 * stays. A CPU that was never there cannot be added any more.
 */
#define pr_fmt(fmt) "tdx: " fmt

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/printk.h>
#include <linux/topology.h>

#include <asm/virtext.h>

#include "arch.h"
#include "observe.h"
#include "seamcall.h"
#include "tdx.h"
#include "test.h"

/* CPUs on which TDH.SYS.LP.INIT has succeeded */
static struct cpumask tdx_lps;

/* Too large for the stack; under the lock of tdx_init() like all of this. */
static struct cpumask tdx_lps_scratch;

/* Of CPUs that come online. CPUHP_OFFLINE: not watched yet */
static enum cpuhp_state tdx_lps_state;

/**
 * tdx_this_cpu_in_vmx() - can this CPU make SEAMCALLs?
 *
 * KVM sets CR4.VMXE when it enters VMX operation and clears it when it leaves.
 *
 * Context: Any, not migrating.
 */
bool tdx_this_cpu_in_vmx(void)
{
	if (tdx_test())
		return tdx_test()->vmx();

	return cpu_vmx_enabled();
}

static void tdx_lp_note_vmx(void *vmx)
{
	if (tdx_this_cpu_in_vmx())
		cpumask_set_cpu(smp_processor_id(), vmx);
}

/* Are these CPUs offline because SMT is off? CPU_SMT_ENABLED: not for that */
static enum cpuhp_smt_control tdx_smt_off(const struct cpumask *missing)
{
	unsigned int cpu;

	for_each_cpu(cpu, missing) {
		if (!topology_is_primary_thread(cpu))
			return cpu_smt_control;
	}

	return CPU_SMT_ENABLED;
}

/* Present CPUs that are not online, as long as there are any: -EAGAIN. */
static int tdx_lps_online(struct cpumask *missing)
{
	bool fake = tdx_test() && tdx_test()->cpus_missing();

	if (!cpus_booted_once(missing))
		tdx_err("CPUs %*pbl have never been brought up, they may be unlike the others\n",
			cpumask_pr_args(missing));

	if (!cpumask_andnot(missing, cpu_present_mask, cpu_online_mask) && !fake)
		return 0;

	switch (tdx_smt_off(missing)) {
	case CPU_SMT_DISABLED:
		tdx_err("cannot initialise the module: CPUs %*pbl are offline, it has to see every CPU once; SMT is off, echo on > /sys/devices/system/cpu/smt/control and try again\n",
			cpumask_pr_args(missing));
		break;
	case CPU_SMT_FORCE_DISABLED:
		tdx_err("cannot initialise the module: CPUs %*pbl are offline, it has to see every CPU once; SMT is off until the next boot (nosmt=force, or forceoff in /sys/devices/system/cpu/smt/control)\n",
			cpumask_pr_args(missing));
		break;
	default:
		tdx_err("cannot initialise the module: CPUs %*pbl are offline, it has to see every CPU once; bring them online and try again\n",
			cpumask_pr_args(missing));
		break;
	}

	return -EAGAIN;
}

static int tdx_lps_in_vmx(struct cpumask *mask)
{
	cpumask_clear(mask);
	on_each_cpu(tdx_lp_note_vmx, mask, true);

	if (!cpumask_andnot(mask, cpu_online_mask, mask))
		return 0;

	tdx_err("cannot initialise the module: CPUs %*pbl are not in VMX operation, KVM has to turn it on first\n",
		cpumask_pr_args(mask));
	return -EPERM;
}

/**
 * tdx_lp_done() - can this CPU make every SEAMCALL?
 * @cpu: CPU
 *
 * Context: Any.
 */
bool tdx_lp_done(unsigned int cpu)
{
	return cpumask_test_cpu(cpu, &tdx_lps);
}

/**
 * tdx_lps_ready() - can all CPUs make SEAMCALLs?
 *
 * Says which ones cannot, and why.
 *
 * Context: Process context, CPU hotplug held off.
 * Return: 0; -EAGAIN if CPUs are offline; -EPERM if some are not in VMX
 *	   operation.
 */
int tdx_lps_ready(void)
{
	struct cpumask *mask = &tdx_lps_scratch;
	int ret;

	lockdep_assert_cpus_held();

	ret = tdx_lps_online(mask);
	return ret ?: tdx_lps_in_vmx(mask);
}

/**
 * tdx_lps_init() - TDH.SYS.LP.INIT on every CPU that has not made it yet
 *
 * Can be called again after it failed.
 *
 * Context: Process context, CPU hotplug held off. After TDH.SYS.INIT.
 * Return: As seamcall_errno().
 */
int tdx_lps_init(void)
{
	struct cpumask *todo = &tdx_lps_scratch;

	cpumask_andnot(todo, cpu_online_mask, &tdx_lps);
	return seamcall_on_cpus(TDH_SYS_LP_INIT, todo, &tdx_lps);
}

/**
 * tdx_lps_shutdown() - TDH.SYS.LP.SHUTDOWN on all CPUs
 *
 * Module 1.0 then refuses every SEAMCALL. Nothing can be done if it fails.
 *
 * Context: Process context, CPU hotplug held off.
 */
void tdx_lps_shutdown(void)
{
	seamcall_on_cpus_quiet(TDH_SYS_LP_SHUTDOWN, cpu_online_mask);
}

/* From now on the module takes no new CPUs. */
static bool tdx_lps_fixed;

static int tdx_lp_online(unsigned int cpu)
{
	if (tdx_lps_fixed && !cpumask_test_cpu(cpu, &tdx_lps))
		pr_warn("CPU %u was added after the module was initialised: it cannot run TDs until the next boot\n",
			cpu);

	return 0;
}

/**
 * tdx_lps_watch() - prepare to see CPUs that come online
 *
 * Does nothing if it has succeeded before.
 *
 * Context: Process context, CPU hotplug held off.
 * Return: 0, or -ENOMEM with a message: no CPU hotplug state is free.
 */
int tdx_lps_watch(void)
{
	int ret;

	if (tdx_lps_state)
		return 0;

	ret = cpuhp_setup_state_nocalls_cpuslocked(CPUHP_AP_ONLINE_DYN,
						   "x86/tdx:online",
						   tdx_lp_online, NULL);
	if (ret >= 0) {
		tdx_lps_state = ret;
		return 0;
	}

	tdx_err("cannot watch CPU hotplug (%d): unload modules that do and try again\n", ret);
	return -ENOMEM;
}

/**
 * tdx_lps_fix() - from now on, say which CPUs that come online are of no use
 *
 * Context: CPU hotplug held off.
 */
void tdx_lps_fix(void)
{
	tdx_lps_fixed = true;
}

#ifdef TDX_TEST_RESET
/* As after boot */
void tdx_lps_forget(void)
{
	if (tdx_lps_state)
		__cpuhp_remove_state_cpuslocked(tdx_lps_state, false);
	tdx_lps_state = CPUHP_OFFLINE;
	cpumask_clear(&tdx_lps);
	tdx_lps_fixed = false;
}
#endif
