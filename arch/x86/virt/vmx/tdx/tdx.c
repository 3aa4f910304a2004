// SPDX-License-Identifier: GPL-2.0
/*
 * Intel Trust Domain Extensions (TDX): bring up the TDX module.
 *
 * Firmware loads the module; it is initialised when KVM asks for the first TD.
 * Until then nothing is allocated and no SEAMCALL is made.
 *
 *   UNKNOWN --tdx_detect()--> LOADED --tdx_init()--> INITIALIZED
 *                |                        |
 *                +--> NONE                +--> SHUTDOWN
 *
 * Initialisation has two parts. What prepares it can fail for want of memory or
 * CPUs: the module is as it was, the state stays LOADED, and another attempt
 * may succeed. From TDH.SYS.CONFIG on there is no way back; an error there, and
 * an error of the module anywhere, ends in SHUTDOWN until the next boot.
 *
 * Lock order: tdx_lock, cpus_read_lock(), get_online_mems().
 */
#define pr_fmt(fmt) "tdx: " fmt

#include <linux/cache.h>
#include <linux/cpu.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/ktime.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include <asm/smp.h>
#include <asm/tdx_host.h>

#include <trace/events/tdx.h>

#include "arch.h"
#include "observe.h"
#include "seamcall.h"
#include "tdx.h"
#include "test.h"

/* Protects all of the below. */
static DEFINE_MUTEX(tdx_lock);

/**
 * struct tdx_host - the TDX module as the host sees it
 * @state: see the head of this file
 * @platform: valid from LOADED on
 * @sys_init_done: TDH.SYS.INIT has succeeded; it cannot be made again
 * @sysinfo_known: @sysinfo is valid
 * @sysinfo: what the module said
 * @memory: the TDX memory list; stays if INITIALIZED
 * @plan: TDMRs and their PAMTs; stay if INITIALIZED
 * @config: what TDH.SYS.CONFIG reads; only during initialisation
 * @pamts_private: the module may have written to PAMTs with its own KeyID
 * @init_ms: how long the initialisation took; valid if INITIALIZED
 */
static struct tdx_host {
	enum tdx_state state;
	struct tdx_platform platform;
	bool sys_init_done;
	bool sysinfo_known;
	struct tdx_sysinfo sysinfo;
	struct tdx_memory memory;
	struct tdmr_plan plan;
	struct tdx_config config;
	bool pamts_private;
	s64 init_ms;
} tdx;

bool tdx_private_cachelines __read_mostly;

static void tdx_set_state(enum tdx_state state)
{
	lockdep_assert_held(&tdx_lock);

	trace_state(tdx_state_name(tdx.state), tdx_state_name(state));
	/* Pairs with tdx_get_state(): what the state makes valid is there. */
	smp_store_release(&tdx.state, state);
}

/* For those who have to keep the state from changing; may wait long. */
void tdx_lock_state(void)
{
	mutex_lock(&tdx_lock);
}

void tdx_unlock_state(void)
{
	mutex_unlock(&tdx_lock);
}

/* TDH.SYS.INIT, once for the whole machine */
static int tdx_sys_init(void)
{
	struct seamcall call = { .fn = TDH_SYS_INIT };
	int ret;

	if (tdx.sys_init_done)
		return 0;

	ret = tdx_seamcall(&call);
	/* Pairs with tdx_in_use(). */
	WRITE_ONCE(tdx.sys_init_done, !ret);
	return ret;
}

static int tdx_sysinfo(void)
{
	int ret;

	if (tdx.sysinfo_known)
		return 0;

	ret = tdx_sysinfo_read(&tdx.sysinfo);
	if (ret)
		return ret;

	/* Pairs with tdx_get_sysinfo(). */
	smp_store_release(&tdx.sysinfo_known, true);
	tdx_sysinfo_print(&tdx.sysinfo);
	return 0;
}

/* The planner's only error is that memory does not fit into TDMRs. */
static int tdx_plan_error(int ret)
{
	const struct tdmr_error *error = &tdx.plan.error;

	if (ret)
		tdx_err("no TDMRs for memory [0x%llx, 0x%llx): %s; turn off in the BIOS setup what splits memory (sub-NUMA clustering, mirroring), and report the memory map\n",
			error->range.start, error->range.end, error->why);
	return ret ? -EAGAIN : 0;
}

static void tdx_plan_free_scratch(void)
{
	kvfree(tdx.plan.scratch);
	tdx.plan.scratch = NULL;
}

static void tdx_plan_free(void)
{
	tdx_plan_free_scratch();
	kvfree(tdx.plan.tdmrs);
	tdx.plan.tdmrs = NULL;
	tdx.plan.nr_tdmrs = 0;
}

static int tdx_plan_tdmrs(void)
{
	int ret;

	tdx.plan = (struct tdmr_plan){
		.regions = tdx.memory.regions,
		.nr_regions = tdx.memory.nr,
		.cmrs = tdx.sysinfo.cmrs,
		.nr_cmrs = tdx.sysinfo.nr_cmrs,
		.limits = tdx.sysinfo.limits,
		.workers = tdx_tdmr_workers(),
		.per_node = true,
	};

	tdx.plan.tdmrs = kvcalloc(tdx.plan.limits.max_tdmrs,
				  sizeof(*tdx.plan.tdmrs), GFP_KERNEL | __GFP_NOWARN);
	tdx.plan.scratch = kvmalloc(tdmr_scratch_size(&tdx.plan),
				    GFP_KERNEL | __GFP_NOWARN);
	if (tdx.plan.tdmrs && tdx.plan.scratch)
		ret = tdx_plan_error(tdmr_plan_layout(&tdx.plan));
	else
		ret = tdx_no_memory("the plan of TDMRs");

	return ret;
}

/* The plan and all memory that it needs; nothing the module knows of yet. */
static int tdx_prepare_memory(void)
{
	int ret;

	ret = tdx_memory_build(&tdx.memory, tdx.sysinfo.cmrs, tdx.sysinfo.nr_cmrs);
	if (ret)
		return ret;

	ret = tdx_plan_tdmrs();
	if (ret)
		goto free_plan;

	/* Before PAMTs, because workers need some time of their own. */
	ret = tdx_tdmrs_prepare();
	if (ret)
		goto free_plan;

	ret = tdx_pamt_alloc(&tdx.plan);
	tdx_plan_free_scratch();
	if (ret)
		goto finish_tdmrs;

	ret = tdx_plan_error(tdmr_plan_reserve(&tdx.plan));
	if (!ret)
		ret = tdx_plan_error(tdmr_verify(&tdx.plan));
	if (ret)
		goto free_pamt;

	ret = tdx_config_alloc(&tdx.config, tdx.plan.nr_tdmrs, &tdx.plan.limits);
	if (ret)
		goto free_pamt;

	return 0;

free_pamt:
	tdx_pamt_free(&tdx.plan);
finish_tdmrs:
	tdx_tdmrs_finish();
free_plan:
	tdx_plan_free();
	tdx_memory_free(&tdx.memory);
	return ret;
}

/* All that leaves the module as it was, or can be found done in a new try. */
static int tdx_prepare(void)
{
	int ret;

	if (tdx_power_changing()) {
		tdx_err("cannot initialise the module: the machine is going to sleep or waking up; try again then\n");
		return -EAGAIN;
	}

	ret = tdx_lps_ready();
	if (ret)
		return ret;

	ret = tdx_sys_init();
	if (ret)
		return ret;

	ret = tdx_lps_init();
	if (ret)
		return ret;

	ret = tdx_sysinfo();
	if (ret)
		return ret;

	ret = tdx_lps_watch();
	if (ret)
		return ret;

	ret = tdx_memory_watch();
	if (ret)
		return ret;

	return tdx_prepare_memory();
}

/* All that only the next boot can undo. */
static int tdx_commit(void)
{
	int ret;

	ret = tdx_config_module(&tdx.config, &tdx.plan, tdx.platform.first_keyid);
	if (ret)
		return ret;

	/*
	 * The module writes PAMTs with its own KeyID, past the cache. A dirty
	 * line of what was there before must not come after it.
	 */
	WRITE_ONCE(tdx_private_cachelines, true);
	WRITE_ONCE(tdx.pamts_private, true);
	wbinvd_on_all_cpus();

	ret = tdx_key_config();
	if (ret)
		return ret;

	ret = tdx_tdmrs_init(&tdx.plan);
	if (ret)
		return ret;

	tdx_lps_fix();
	tdx_memory_fix(&tdx.memory);
	return 0;
}

/* Give everything back that tdx_prepare_memory() made; the module is dead. */
static void tdx_undo_commit(void)
{
	if (tdx.pamts_private) {
		wbinvd_on_all_cpus();
		tdx_pamt_clean(&tdx.plan);
		WRITE_ONCE(tdx.pamts_private, false);
		/* Pages are others' next, and kexec may stop this CPU there. */
		smp_wmb();
	}

	tdx_pamt_free(&tdx.plan);
	tdx_plan_free();
	tdx_memory_free(&tdx.memory);
}

/* Module 1.0 can be told to refuse SEAMCALLs; so can one nobody could ask. */
static void tdx_shutdown(void)
{
	if (!tdx.sysinfo_known || tdx_module_is_1_0(&tdx.sysinfo))
		tdx_lps_shutdown();
	tdx_set_state(TDX_SHUTDOWN);
}

static bool tdx_recoverable(int err)
{
	return err == -EPERM || err == -ENOMEM || err == -EAGAIN;
}

static int tdx_do_init(void)
{
	ktime_t begin = ktime_get();
	/* Those who read tdx.platform do not wait, so it does not change. */
	struct tdx_platform platform;
	int ret;

	lockdep_assert_held(&tdx_lock);

	ret = tdx_platform(&platform);
	if (ret) {
		tdx_set_state(TDX_SHUTDOWN);
		return -EIO;
	}

	ret = tdx_prepare();
	if (tdx_recoverable(ret)) {
		tdx_rare_err("module initialization failed (%d), the module is as it was; it can be tried again\n",
			     ret);
		return ret;
	}
	if (ret)
		goto shutdown;

	ret = tdx_commit();
	tdx_tdmrs_finish();
	tdx_config_free(&tdx.config);
	if (ret) {
		tdx_undo_commit();
		goto shutdown;
	}

	tdx.init_ms = ktime_ms_delta(ktime_get(), begin);
	tdx_forget_error();
	tdx_set_state(TDX_INITIALIZED);
	pr_info("%llu KiB allocated for PAMT of %u TDMRs, global KeyID %u\n",
		tdx_pamt_held() >> 10, tdx.plan.nr_tdmrs,
		tdx.platform.first_keyid);
	pr_info("module initialized in %lld ms\n", tdx.init_ms);
	return 0;

shutdown:
	tdx_shutdown();
	pr_err("module initialization failed (%d), the module is shut down; TDX can be used again after the next boot\n",
	       ret);
	/* Recoverable errnos are for what can be tried again. */
	return -EIO;
}

static int tdx_do_detect(void)
{
	int ret;

	lockdep_assert_held(&tdx_lock);

	ret = tdx_platform(&tdx.platform);
	if (!ret)
		ret = seamldr_find_module();

	if (!ret)
		tdx_set_state(TDX_LOADED);
	else if (ret == -ENODEV)
		tdx_set_state(TDX_NONE);

	return ret;
}

/**
 * tdx_possible() - is it worth asking for a TD?
 *
 * Makes no SEAMCALL, so before LOADED it only knows what the MSRs say.
 *
 * Context: Any. Does not wait for an initialisation.
 * Return: false if MSRs, tdx_host=off or an earlier attempt say that there will be
 *	   none before the next boot. True is no promise: CPUs may be offline, even
 *	   for good (nosmt=force).
 */
bool tdx_possible(void)
{
	switch (tdx_get_state()) {
	case TDX_UNKNOWN:
	case TDX_LOADED:
		return tdx_platform_fits();
	case TDX_INITIALIZED:
		return true;
	default:
		return false;
	}
}
EXPORT_SYMBOL_GPL(tdx_possible);

/**
 * tdx_detect() - is there a TDX module that can be initialised?
 *
 * The first call looks, and says in the log what it found; later ones repeat
 * the answer.
 *
 * Context: Process context, may sleep. This CPU has to be in VMX operation. Any
 *	    number of callers at once.
 * Return:
 * * 0		- there is, or it is initialised already
 * * -ENODEV	- there is none; the log says why
 * * -EPERM	- this CPU is not in VMX operation; nothing is decided
 * * -ENOMEM	- out of memory; nothing is decided
 * * -EAGAIN	- the caller is being killed while it waits for others
 * * -EFAULT	- initialisation has failed for good
 */
int tdx_detect(void)
{
	int ret;

	if (mutex_lock_killable(&tdx_lock))
		return -EAGAIN;

	switch (tdx.state) {
	case TDX_UNKNOWN:
		ret = tdx_do_detect();
		break;
	case TDX_NONE:
		ret = -ENODEV;
		break;
	case TDX_LOADED:
	case TDX_INITIALIZED:
		ret = 0;
		break;
	default:
		ret = -EFAULT;
		break;
	}

	mutex_unlock(&tdx_lock);
	return ret;
}
EXPORT_SYMBOL_GPL(tdx_detect);

/**
 * tdx_init() - initialise the TDX module
 *
 * The first call after a successful tdx_detect() does it, which takes seconds
 * on a machine with terabytes of memory; others wait for it and repeat the
 * answer.
 *
 * Context: Process context, may sleep. All CPUs have to be online and in VMX
 *	    operation. Any number of callers at once. Takes cpus_read_lock() and
 *	    get_online_mems().
 * Return:
 * * 0		- the module is initialised
 * * -ENODEV	- there is no module
 * * -EPERM	- a CPU is not in VMX operation
 * * -EAGAIN	- not now: see below
 * * -ENOMEM	- no memory for the module's metadata
 * * -EIO	- the module could not be initialised and is shut down
 * * -EFAULT	- the same in a later call, or nobody has called tdx_detect()
 *
 * -EAGAIN: CPUs are offline, memory is online that TDX cannot use or that TDMRs
 * cannot hold, the machine is going to sleep, or the caller is being killed.
 *
 * After -EPERM, -EAGAIN and -ENOMEM it can be tried again; the log says what to
 * do first.
 */
int tdx_init(void)
{
	int ret;

	if (mutex_lock_killable(&tdx_lock))
		return -EAGAIN;

	switch (tdx.state) {
	case TDX_NONE:
		ret = -ENODEV;
		break;
	case TDX_LOADED:
		cpus_read_lock();
		get_online_mems();
		ret = tdx_do_init();
		put_online_mems();
		cpus_read_unlock();
		break;
	case TDX_INITIALIZED:
		ret = 0;
		break;
	default:
		ret = -EFAULT;
		break;
	}

	mutex_unlock(&tdx_lock);
	return ret;
}
EXPORT_SYMBOL_GPL(tdx_init);

/**
 * tdx_prepare_kexec() - make private memory ordinary memory for the next kernel
 *
 * Context: Just before kexec: the last CPU, interrupts off.
 */
void tdx_prepare_kexec(void)
{
	if (!tdx_cache_flush_needed())
		return;

	native_wbinvd();
	if (READ_ONCE(tdx.pamts_private))
		tdx_pamt_clean(&tdx.plan);
}

/* What a page in a TDMR is, by the type that the module has for it */
static const char *tdx_page_words(u64 type)
{
	switch (type) {
	case TDX_PAGE_NOT_ASSIGNED:
	case TDX_PAGE_RESERVED:
		return NULL;
	default:
		return "TDX private memory, a page of a TD";
	}
}

/**
 * tdx_private_memory() - whose memory is this, if it is TDX private memory?
 * @pa: physical address, with or without KeyID
 *
 * Asks the module for pages that are not the module's own, unless this CPU is one
 * that the module does not know.
 *
 * Context: Any, machine checks among them.
 * Return: words for a message, or NULL if it is ordinary memory, or if the
 *	   module cannot tell.
 */
const char *tdx_private_memory(u64 pa)
{
	struct seamcall call = { .fn = TDH_PHYMEM_PAGE_RDMD };

	if (tdx_get_state() != TDX_INITIALIZED)
		return NULL;

	pa &= GENMASK_ULL(boot_cpu_data.x86_phys_bits - 1, PAGE_SHIFT);
	if (tdx_pamt_contains(&tdx.plan, pa))
		return "TDX private memory, metadata (PAMT) of the TDX module";

	if (!tdx_lp_done(raw_smp_processor_id()))
		return NULL;

	call.in.rcx = pa;
	if (seamcall_quiet(&call))
		return NULL;

	return tdx_page_words(call.out.rcx);
}

/**
 * tdx_state_name() - the state as /sys/firmware/tdx/state has it
 * @state: state
 *
 * Return: a constant string.
 */
const char *tdx_state_name(enum tdx_state state)
{
	static const char * const name[] = {
		[TDX_UNKNOWN]		= "unknown",
		[TDX_NONE]		= "none",
		[TDX_LOADED]		= "loaded",
		[TDX_INITIALIZED]	= "initialized",
		[TDX_SHUTDOWN]		= "shutdown",
	};

	return name[state];
}

/**
 * tdx_get_state() - the state at this moment
 *
 * Context: Any. Does not wait for an initialisation.
 */
enum tdx_state tdx_get_state(void)
{
	/* Pairs with tdx_set_state(). */
	return smp_load_acquire(&tdx.state);
}

/**
 * tdx_in_use() - would anything be lost if the module forgot all?
 *
 * Context: Any. Does not wait for an initialisation.
 * Return: true if it is initialised, or is in part and can be wholly.
 */
bool tdx_in_use(void)
{
	enum tdx_state state = tdx_get_state();

	return state == TDX_INITIALIZED ||
	       (state == TDX_LOADED && READ_ONCE(tdx.sys_init_done));
}

/**
 * tdx_get_platform() - what the MSRs mean
 *
 * Context: Any. Does not wait for an initialisation.
 * Return: NULL before LOADED.
 */
const struct tdx_platform *tdx_get_platform(void)
{
	enum tdx_state state = tdx_get_state();

	return state == TDX_UNKNOWN || state == TDX_NONE ? NULL : &tdx.platform;
}

/**
 * tdx_get_sysinfo() - what the module said
 *
 * Context: Any. Does not wait for an initialisation.
 * Return: NULL if it was not asked yet.
 */
const struct tdx_sysinfo *tdx_get_sysinfo(void)
{
	/* Pairs with tdx_sysinfo(). */
	return smp_load_acquire(&tdx.sysinfo_known) ? &tdx.sysinfo : NULL;
}

/**
 * tdx_get_init_ms() - how long the initialisation took
 *
 * Context: INITIALIZED.
 * Return: milliseconds.
 */
s64 tdx_get_init_ms(void)
{
	return tdx.init_ms;
}

/**
 * tdx_show_plan() - show memory and TDMRs as they were handed to the module
 * @m: argument of @show
 * @show: called if INITIALIZED
 *
 * Context: Process context, may sleep. Waits for an initialisation.
 * Return: 0, or -EINTR for a signal while waiting.
 */
int tdx_show_plan(struct seq_file *m,
		  void (*show)(struct seq_file *m, const struct tdx_memory *mem,
			       const struct tdmr_plan *plan))
{
	int ret = mutex_lock_interruptible(&tdx_lock);

	if (ret)
		return ret;

	if (tdx.state == TDX_INITIALIZED)
		show(m, &tdx.memory, &tdx.plan);
	mutex_unlock(&tdx_lock);
	return 0;
}

#ifdef TDX_TEST_RESET
/**
 * tdx_test_reset() - as after boot, with all memory given back
 *
 * A real module stays as it is; only the software platform can start it again.
 * There must be no TDs.
 *
 * Context: Process context, may sleep.
 */
void tdx_test_reset(void)
{
	mutex_lock(&tdx_lock);
	cpus_read_lock();
	get_online_mems();

	tdx_memory_fix(NULL);
	tdx_config_free(&tdx.config);
	tdx_undo_commit();
	tdx_lps_forget();
	tdx_key_forget();
	tdx_forget_error();
	tdx_private_cachelines = false;
	tdx = (struct tdx_host){};

	put_online_mems();
	cpus_read_unlock();
	mutex_unlock(&tdx_lock);
}
#endif

#ifdef CONFIG_INTEL_TDX_HOST_KUNIT_TEST
const struct tdx_test_machine *tdx_test_machine;

enum tdx_state tdx_test_state(void)
{
	return tdx.state;
}
#endif
