// SPDX-License-Identifier: GPL-2.0
/*
 * SEAMCALL: retries, words, errno.
 *
 * The status in RAX keeps its own type, u64, from the trampoline up to here.
 * This is the one place that decides which status is worth another try, that
 * says in the log what went wrong, and that turns a status into an errno.
 */
#define pr_fmt(fmt) "tdx: " fmt

#include <linux/bug.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/irqflags.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include <asm/asm.h>
#include <asm/msr.h>
#include <asm/tdx.h>
#include <asm/trapnr.h>

#include <trace/events/tdx.h>

#include "arch.h"
#include "observe.h"
#include "seamcall.h"
#include "status.h"
#include "test.h"

/* Software codes of __seamcall(): class 0xff, then a vector. */
#define SEAMCALL_UD	(TDX_SW_ERROR | X86_TRAP_UD)
#define SEAMCALL_GP	(TDX_SW_ERROR | X86_TRAP_GP)

/* What VMPTRST stores where there is no VMCS */
#define VMCS_NONE	(~0ULL)

static_assert(offsetof(struct seamcall, fn) == SEAMCALL_FN);
static_assert(offsetof(struct seamcall, in) == SEAMCALL_IN);
static_assert(offsetof(struct seamcall, out) == SEAMCALL_OUT);
static_assert(offsetof(struct seamcall_args, rcx) == SEAMCALL_RCX);
static_assert(offsetof(struct seamcall_args, rdx) == SEAMCALL_RDX);
static_assert(offsetof(struct seamcall_args, r8) == SEAMCALL_R8);
static_assert(offsetof(struct seamcall_args, r9) == SEAMCALL_R9);
static_assert(offsetof(struct seamcall_args, r10) == SEAMCALL_R10);
static_assert(offsetof(struct seamcall_args, r11) == SEAMCALL_R11);

asmlinkage u64 __seamcall(struct seamcall *call);

/*
 * What seamcall_on_cpus() works with; static, because it is called where
 * running out of memory would be the end of TDX.
 */
static DEFINE_MUTEX(seamcall_on_cpus_lock);
static struct cpumask seamcall_todo;
static DEFINE_PER_CPU(struct seamcall, seamcall_percpu);

static u64 seamcall_instruction(struct seamcall *call)
{
	if (tdx_test()) {
		call->out = call->in;
		return tdx_test()->seamcall(call->fn, &call->out);
	}

	return __seamcall(call);
}

/* Somebody looks: traces, or counts of debugfs, which are fed by the second one. */
static noinline u64 seamcall_traced(struct seamcall *call)
{
	u64 begin, cycles;

	trace_seamcall_enter(call);
	begin = rdtsc();
	call->status = seamcall_instruction(call);
	cycles = rdtsc() - begin;
	trace_seamcall_exit(call, cycles);

	return call->status;
}

/* The CPU must not change meanwhile. */
static __always_inline u64 seamcall_once(struct seamcall *call)
{
	u64 status;

	if (trace_seamcall_enter_enabled() || trace_seamcall_exit_enabled())
		status = seamcall_traced(call);
	else
		status = seamcall_instruction(call);
	call->status = status;

	if (unlikely(seamcall_failed(status)))
		call->cpu = smp_processor_id();
	return status;
}

/*
 * Statuses that mean "try again": another LP holds a lock of the module, or the
 * CPU's random number generator has run dry, which P-SEAMLDR says in its own way.
 * A key that could not be generated is for want of entropy, too.
 */
static bool seamcall_transient(u64 fn, u64 status)
{
	if ((fn & SEAMCALL_SEAMLDR) && status == SEAMLDR_RND_NO_ENTROPY)
		return true;

	switch (status & TDX_STATUS_CODE) {
	case TDX_RND_NO_ENTROPY:
	case TDX_SYS_BUSY:
	case TDX_OPERAND_BUSY:
		return true;
	case TDX_KEY_GENERATION_FAILED:
		return fn == TDH_SYS_KEY_CONFIG;
	default:
		return false;
	}
}

/* Wait before try number @try + 1: 10 us, doubled each time up to 10 ms. */
static void seamcall_back_off(unsigned int try)
{
	unsigned long us = min(10UL << try, 10000UL);

	usleep_range(us, 2 * us);
}

static void seamcall_print(const struct seamcall *call)
{
	const struct seamcall_args *out = &call->out;
	u64 fn = call->fn, status = call->status;
	/* Words need the field id, which is gone after the call. */
	u64 rdx = fn == TDH_SYS_RD ? call->in.rdx : out->rdx;
	struct tdx_status_regs regs = {
		.rcx = out->rcx,
		.rdx = rdx,
		.r8 = out->r8,
		.r9 = out->r9,
		.r10 = out->r10,
	};
	const char *leaf = tdx_leaf_name(fn);
	char *words;

	words = kmalloc(TDX_STATUS_LEN, GFP_KERNEL | __GFP_NOWARN);
	if (words)
		tdx_seamcall_describe(words, TDX_STATUS_LEN, fn, status, &regs);

	tdx_err("%s failed on CPU %u: %s\n", leaf, call->cpu,
		words ?: tdx_status_name(status));
	/* Numbers for those who know them, and for scripts that look for them */
	tdx_rare_err("SEAMCALL (0x%llx) failed: 0x%016llx, RCX 0x%llx RDX 0x%llx R8 0x%llx R9 0x%llx R10 0x%llx R11 0x%llx\n",
		     fn, status, out->rcx, rdx, out->r8, out->r9, out->r10, out->r11);
	kfree(words);
}

/**
 * seamcall_errno() - turn a status into an errno
 * @status: RAX after SEAMCALL, or a software code of the trampoline
 *
 * Return:
 * * 0		- success; codes without error bits carry information
 * * -EPERM	- #UD: the CPU is not in VMX operation
 * * -ENODEV	- VMfailInvalid: what was called is not loaded
 * * -EBUSY	- busy or out of entropy, %SEAMCALL_TRIES times
 * * -EINVAL	- an operand was refused
 * * -EIO	- everything else, #GP among it
 */
int seamcall_errno(u64 status)
{
	if (!seamcall_failed(status))
		return 0;

	switch (status) {
	case SEAMCALL_UD:
		return -EPERM;
	case TDX_SEAMCALL_VMFAILINVALID:
		return -ENODEV;
	}

	switch (status & TDX_STATUS_CODE) {
	case TDX_RND_NO_ENTROPY:
	case TDX_SYS_BUSY:
	case TDX_OPERAND_BUSY:
	case TDX_KEY_GENERATION_FAILED:
		return -EBUSY;
	case TDX_OPERAND_INVALID:
	case TDX_OPERAND_ADDR_RANGE_ERROR:
		return -EINVAL;
	default:
		return -EIO;
	}
}

/* The VMCS that this CPU works on; all ones: none, or it is not in VMX operation. */
static u64 vmcs_current(void)
{
	u64 vmcs = VMCS_NONE;

	asm volatile("1: vmptrst %0\n"
		     "2:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : "+m" (vmcs) : : "cc");
	return vmcs;
}

static void vmcs_make_current(u64 vmcs)
{
	if (vmcs != VMCS_NONE)
		asm volatile("vmptrld %0" : : "m" (vmcs) : "cc");
}

/*
 * P-SEAMLDR may return to a CPU that has no current VMCS any more, with which KVM
 * would go on (Intel TDX CPU Architectural Extensions, 2.3; not on CPUs with bit
 * 60 of MSR 0x480 IA32_VMX_BASIC). Interrupts are off, because one from KVM may
 * write the VMCS back, after which it must not become current.
 */
static void seamcall_once_keep_vmcs(struct seamcall *call)
{
	unsigned long flags;
	u64 vmcs;

	local_irq_save(flags);
	vmcs = vmcs_current();
	seamcall_once(call);
	vmcs_make_current(vmcs);
	local_irq_restore(flags);
}

/* A try that does not have to be fast. */
static void seamcall_try(struct seamcall *call)
{
	if (call->fn & SEAMCALL_SEAMLDR) {
		seamcall_once_keep_vmcs(call);
		return;
	}

	preempt_disable();
	seamcall_once(call);
	preempt_enable();
}

/* The first try has failed. */
static noinline u64 seamcall_again(struct seamcall *call)
{
	unsigned int try;

	for (try = 0; seamcall_failed(call->status); try++) {
		if (!seamcall_transient(call->fn, call->status) ||
		    try == SEAMCALL_TRIES - 1)
			break;

		seamcall_back_off(try);
		seamcall_try(call);
	}

	return call->status;
}

/**
 * seamcall() - make a SEAMCALL to the TDX module on this CPU
 * @call: what to call; filled with what came of it
 *
 * Made again up to %SEAMCALL_TRIES times in all, with growing pauses, while the
 * status says that it can succeed later. Says nothing in the log.
 *
 * Context: Process context, may sleep. The CPU has to be in VMX operation, and
 *	    SEAMRR enabled: otherwise the answer is #UD or #GP as a status.
 * Return: @call->status.
 */
u64 seamcall(struct seamcall *call)
{
	u64 status;

	preempt_disable();
	status = seamcall_once(call);
	preempt_enable();

	return likely(!seamcall_failed(status)) ? status : seamcall_again(call);
}

/**
 * seamcall_seamldr() - make a SEAMCALL to P-SEAMLDR on this CPU
 * @call: as for seamcall()
 *
 * As seamcall(), and the CPU's current VMCS stays what it is.
 *
 * Context: As seamcall().
 * Return: @call->status.
 */
u64 seamcall_seamldr(struct seamcall *call)
{
	seamcall_try(call);
	return seamcall_again(call);
}

/**
 * seamcall_quiet() - make a SEAMCALL once, where nothing else can be done
 * @call: as for seamcall(), but @call->status and @call->cpu are not set
 *
 * No retry, no trace, no statistics.
 *
 * Context: Any, machine checks among them.
 * Return: As seamcall().
 */
u64 seamcall_quiet(struct seamcall *call)
{
	return seamcall_instruction(call);
}

/**
 * seamcall_report() - say in the log that a SEAMCALL failed
 * @call: what was made; nothing is said of success
 *
 * Context: Process context, may sleep.
 * Return: As seamcall_errno().
 */
int seamcall_report(const struct seamcall *call)
{
	if (seamcall_failed(call->status))
		seamcall_print(call);

	return seamcall_errno(call->status);
}

/**
 * tdx_seamcall() - make a SEAMCALL on this CPU and say why it failed
 * @call: as for seamcall()
 *
 * Context: As seamcall().
 * Return: As seamcall_errno().
 */
int tdx_seamcall(struct seamcall *call)
{
	seamcall(call);
	return seamcall_report(call);
}

static void seamcall_here(void *fn)
{
	struct seamcall *call = this_cpu_ptr(&seamcall_percpu);

	*call = (struct seamcall){ .fn = *(u64 *)fn };
	seamcall_once(call);
}

/*
 * Take CPUs that have succeeded out of @todo and put them into @done. True if
 * all that are left may succeed in another try.
 */
static bool seamcall_collect(u64 fn, struct cpumask *todo, struct cpumask *done)
{
	bool again = true;
	unsigned int cpu;

	for_each_cpu(cpu, todo) {
		u64 status = per_cpu(seamcall_percpu, cpu).status;

		if (!seamcall_failed(status)) {
			cpumask_clear_cpu(cpu, todo);
			if (done)
				cpumask_set_cpu(cpu, done);
			continue;
		}

		again &= seamcall_transient(fn, status);
	}

	return again;
}

/* The CPU whose failure is told: one that another try would not help. */
static unsigned int seamcall_culprit(u64 fn, const struct cpumask *failed)
{
	unsigned int cpu;

	for_each_cpu(cpu, failed) {
		if (!seamcall_transient(fn, per_cpu(seamcall_percpu, cpu).status))
			return cpu;
	}

	return cpumask_first(failed);
}

/* Calls are left in seamcall_percpu, CPUs that have not succeeded in @todo. */
static void seamcall_try_on_cpus(u64 fn, struct cpumask *todo, struct cpumask *done)
{
	unsigned int try;

	lockdep_assert_held(&seamcall_on_cpus_lock);

	for (try = 0; ; try++) {
		on_each_cpu_mask(todo, seamcall_here, &fn, true);
		if (!seamcall_collect(fn, todo, done) || cpumask_empty(todo) ||
		    try == SEAMCALL_TRIES - 1)
			break;
		seamcall_back_off(try);
	}
}

/**
 * seamcall_on_cpus() - make a SEAMCALL without operands on CPUs at once
 * @fn: leaf
 * @cpus: online CPUs that make it
 * @done: CPUs on which it succeeded are added here
 *
 * Retried as seamcall(), only on the CPUs that need it. Says in the log why it
 * failed, for one CPU, and on how many others.
 *
 * Context: Process context, may sleep. CPU hotplug is held off by the caller.
 * Return: 0 if all succeeded, otherwise seamcall_errno() of one that did not.
 */
int seamcall_on_cpus(u64 fn, const struct cpumask *cpus, struct cpumask *done)
{
	struct cpumask *todo = &seamcall_todo;
	const struct seamcall *call;
	unsigned int others;
	int ret = 0;

	lockdep_assert_cpus_held();

	mutex_lock(&seamcall_on_cpus_lock);
	cpumask_copy(todo, cpus);
	seamcall_try_on_cpus(fn, todo, done);

	if (!cpumask_empty(todo)) {
		call = per_cpu_ptr(&seamcall_percpu, seamcall_culprit(fn, todo));
		ret = seamcall_report(call);
		others = cpumask_weight(todo) - 1;
		if (others)
			tdx_rare_err("%s failed on %u more CPUs\n",
				     tdx_leaf_name(fn), others);
	}

	mutex_unlock(&seamcall_on_cpus_lock);
	return ret;
}

/**
 * seamcall_on_cpus_quiet() - seamcall_on_cpus() for which nobody cares
 * @fn: leaf
 * @cpus: online CPUs that make it
 *
 * Says nothing if it fails: what was said before is worth more.
 *
 * Context: As seamcall_on_cpus().
 */
void seamcall_on_cpus_quiet(u64 fn, const struct cpumask *cpus)
{
	lockdep_assert_cpus_held();

	mutex_lock(&seamcall_on_cpus_lock);
	cpumask_copy(&seamcall_todo, cpus);
	seamcall_try_on_cpus(fn, &seamcall_todo, NULL);
	mutex_unlock(&seamcall_on_cpus_lock);
}
