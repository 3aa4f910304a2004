// SPDX-License-Identifier: GPL-2.0
/*
 * TDH.SYS.TDMR.INIT, which is where the time goes: the module writes all PAMTs,
 * a part in each call, 256 calls for a GiB.
 *
 * A TDMR is worked on by one CPU at a time, which the module enforces, different
 * ones by different CPUs. A worker takes TDMRs of its own node first, the largest
 * first; when those are gone it takes another node's, so that none is idle while
 * another has two left. The planner cuts TDMRs so that all have the same to do.
 *
 * Workers are works of a workqueue, one on each CPU that is left to such work
 * (isolcpus=, nohz_full=). They are bound to it: a CPU in SEAMCALL looks busy, and
 * a scheduler that puts two workers on one leaves another without. They are CPU
 * intensive: other works of the CPU need not wait for them.
 * padata_do_multithreaded() is for boot only, and unbound.
 */
#define pr_fmt(fmt) "tdx: " fmt

#include <linux/bitmap.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/nodemask.h>
#include <linux/numa.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/isolation.h>
#include <linux/spinlock.h>
#include <linux/topology.h>
#include <linux/workqueue.h>

#include <trace/events/tdx.h>

#include "arch.h"
#include "observe.h"
#include "seamcall.h"
#include "tdx.h"

/*
 * A call does a part of a TDMR and says what the next address is, rounded down
 * to 1 GiB. A part is one page of one PAMT at least, so this many calls without
 * progress mean that there will be none.
 */
#define TDX_CALLS_PER_1G	(TDX_PAGE_1G / TDX_PAGE_4K)

struct tdx_tdmr_worker {
	struct work_struct work;
	int nid;
};

/**
 * struct tdx_tdmr_job - initialisation of all TDMRs
 * @plan: the TDMRs
 * @lock: held only to take a TDMR
 * @taken: TDMRs that a worker has taken
 * @err: the first error; all workers stop then
 * @todo: CPUs that have no worker yet
 * @workers: workers
 *
 * Static, because it is needed where nothing may fail any more.
 */
static struct tdx_tdmr_job {
	const struct tdmr_plan *plan;
	spinlock_t lock;	/* protects @taken */
	DECLARE_BITMAP(taken, TDX_MAX_TDMRS);
	int err;
	struct cpumask todo;
	struct tdx_tdmr_worker workers[TDX_MAX_TDMRS];
} tdx_tdmr_job = {
	.lock = __SPIN_LOCK_UNLOCKED(tdx_tdmr_job.lock),
};

static struct workqueue_struct *tdx_tdmrs_wq;

/* True for the first error: it is the one that is told. */
static bool tdx_tdmr_fail(struct tdx_tdmr_job *job, int err)
{
	return !cmpxchg(&job->err, 0, err);
}

static void tdx_tdmr_stuck(struct tdx_tdmr_job *job, const struct tdmr *tdmr,
			   u64 at, unsigned int calls, u64 next)
{
	if (tdx_tdmr_fail(job, -EIO))
		tdx_err("TDH.SYS.TDMR.INIT of [0x%llx, 0x%llx) makes no progress: at 0x%llx after %u calls, next 0x%llx; report it\n",
			tdmr->base, tdmr->base + tdmr->size, at, calls, next);
}

static void tdx_tdmr_init(struct tdx_tdmr_job *job, const struct tdmr *tdmr)
{
	struct seamcall call = { .fn = TDH_SYS_TDMR_INIT, .in.rcx = tdmr->base };
	u64 end = tdmr->base + tdmr->size;
	u64 at = tdmr->base, next;
	unsigned int calls = 0;

	while (at < end && !READ_ONCE(job->err)) {
		if (unlikely(seamcall_failed(seamcall(&call)))) {
			if (tdx_tdmr_fail(job, seamcall_errno(call.status)))
				seamcall_report(&call);
			return;
		}

		next = call.out.rdx;
		if (next > at && next <= end) {
			trace_tdmr_init(tdmr->base, end, next);
			tdx_progress(next - at);
			at = next;
			calls = 0;
		} else if (next != at || ++calls == TDX_CALLS_PER_1G) {
			tdx_tdmr_stuck(job, tdmr, at, calls, next);
			return;
		}

		cond_resched();
	}
}

/* The largest TDMR that nobody has taken, of node @nid or of any */
static int tdx_tdmr_largest(const struct tdx_tdmr_job *job, int nid)
{
	const struct tdmr *tdmrs = job->plan->tdmrs;
	int i, best = -1;

	for_each_clear_bit(i, job->taken, job->plan->nr_tdmrs) {
		if (nid != NUMA_NO_NODE && tdmrs[i].nid != nid)
			continue;
		if (best < 0 || tdmrs[i].size > tdmrs[best].size)
			best = i;
	}

	return best;
}

static const struct tdmr *tdx_tdmr_take(struct tdx_tdmr_job *job, int nid)
{
	int i;

	spin_lock(&job->lock);
	i = tdx_tdmr_largest(job, nid);
	if (i < 0)
		i = tdx_tdmr_largest(job, NUMA_NO_NODE);
	if (i >= 0)
		__set_bit(i, job->taken);
	spin_unlock(&job->lock);

	return i < 0 ? NULL : &job->plan->tdmrs[i];
}

static void tdx_tdmr_work(struct work_struct *work)
{
	struct tdx_tdmr_worker *worker;
	const struct tdmr *tdmr;

	worker = container_of(work, struct tdx_tdmr_worker, work);

	while (!READ_ONCE(tdx_tdmr_job.err)) {
		tdmr = tdx_tdmr_take(&tdx_tdmr_job, worker->nid);
		if (!tdmr)
			return;
		tdx_tdmr_init(&tdx_tdmr_job, tdmr);
	}
}

/* CPUs that do such work: neither isolated nor kept free of the kernel's. */
static bool tdx_cpu_works(unsigned int cpu)
{
	return housekeeping_test_cpu(cpu, HK_TYPE_WQ) &&
	       housekeeping_test_cpu(cpu, HK_TYPE_DOMAIN);
}

/**
 * tdx_tdmr_workers() - how many CPUs will initialise TDMRs
 *
 * Context: CPU hotplug held off.
 * Return: at least 1. Beyond the number of TDMRs there is nothing to do.
 */
unsigned int tdx_tdmr_workers(void)
{
	unsigned int cpu, nr = 0;

	for_each_online_cpu(cpu)
		nr += tdx_cpu_works(cpu);

	return max(nr, 1U);
}

static void tdx_no_work(struct work_struct *work)
{
}

static void tdx_start_worker(struct tdx_tdmr_worker *worker, unsigned int cpu,
			     work_func_t func)
{
	INIT_WORK(&worker->work, func);
	worker->nid = cpu_to_node(cpu);
	queue_work_on(cpu, tdx_tdmrs_wq, &worker->work);
}

/* The CPUs of the nodes in turn, so that few workers are on many nodes. */
static void tdx_start_workers(struct tdx_tdmr_job *job, unsigned int nr,
			      work_func_t func)
{
	struct cpumask *todo = &job->todo;
	unsigned int cpu, i = 0;
	int nid;

	cpumask_clear(todo);
	for_each_online_cpu(cpu) {
		if (tdx_cpu_works(cpu))
			cpumask_set_cpu(cpu, todo);
	}

	/* Every CPU is of an online node, so each round takes one at least. */
	while (i < nr) {
		for_each_online_node(nid) {
			cpu = cpumask_first_and(todo, cpumask_of_node(nid));
			if (cpu >= nr_cpu_ids || i == nr)
				continue;
			cpumask_clear_cpu(cpu, todo);
			tdx_start_worker(&job->workers[i++], cpu, func);
		}
	}
}

/**
 * tdx_tdmrs_prepare() - allocate what tdx_tdmrs_init() needs
 *
 * Until something has run in a CPU's pool of kworkers, it has one thread, which has
 * another one made before it works. That wants a CPU that has time, which all may
 * not have once the first ones are in SEAMCALLs. So it is done while PAMTs are
 * allocated, by work that does nothing.
 *
 * Context: Process context, CPU hotplug held off. Followed by tdx_tdmrs_finish()
 *	    unless it fails.
 * Return: 0, or -ENOMEM with a message.
 */
int tdx_tdmrs_prepare(void)
{
	unsigned int nr = min_t(unsigned int, tdx_tdmr_workers(), TDX_MAX_TDMRS);

	lockdep_assert_cpus_held();

	tdx_tdmrs_wq = alloc_workqueue("tdx", WQ_CPU_INTENSIVE, 0);
	if (!tdx_tdmrs_wq)
		return tdx_no_memory("a workqueue");

	if (nr > 1)
		tdx_start_workers(&tdx_tdmr_job, nr, tdx_no_work);

	return 0;
}

/**
 * tdx_tdmrs_finish() - counterpart of tdx_tdmrs_prepare()
 */
void tdx_tdmrs_finish(void)
{
	destroy_workqueue(tdx_tdmrs_wq);
	tdx_tdmrs_wq = NULL;
}

/**
 * tdx_tdmrs_init() - TDH.SYS.TDMR.INIT until all TDMRs are done
 * @plan: TDMRs
 *
 * The first error ends it. Only that one is told.
 *
 * Context: Process context, CPU hotplug held off. After tdx_tdmrs_prepare() and
 *	    the last TDH.SYS.KEY.CONFIG.
 * Return: 0, -EIO if the module makes no progress, or seamcall_errno().
 */
int tdx_tdmrs_init(const struct tdmr_plan *plan)
{
	unsigned int nr = min(plan->nr_tdmrs, tdx_tdmr_workers());
	struct tdx_tdmr_job *job = &tdx_tdmr_job;
	unsigned int i;
	u64 bytes = 0;

	lockdep_assert_cpus_held();

	for (i = 0; i < plan->nr_tdmrs; i++)
		bytes += plan->tdmrs[i].size;
	tdx_progress_start(bytes);

	job->plan = plan;
	job->err = 0;
	bitmap_zero(job->taken, TDX_MAX_TDMRS);

	if (nr == 1) {
		/* No other thread would do it sooner. */
		job->workers[0].nid = NUMA_NO_NODE;
		tdx_tdmr_work(&job->workers[0].work);
		return job->err;
	}

	flush_workqueue(tdx_tdmrs_wq);
	tdx_start_workers(job, nr, tdx_tdmr_work);
	for (i = 0; i < nr; i++)
		flush_work(&job->workers[i].work);

	return job->err;
}
