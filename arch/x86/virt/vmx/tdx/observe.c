// SPDX-License-Identifier: GPL-2.0
/*
 * What people look at when TDX is slow or does not work: how often SEAMCALLs
 * are made and how long they take, and the last error.
 */
#define pr_fmt(fmt) "tdx: " fmt

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/time64.h>

#include <asm/tsc.h>

#include "observe.h"
#include "seamcall.h"

/* For the names in trace events */
#include "status.h"

#define CREATE_TRACE_POINTS
#include <trace/events/tdx.h>

struct tdx_stats {
	struct tdx_leaf_stats leaf[2 * TDX_STATS_LEAVES];
};

/*
 * A CPU writes its own, so that SEAMCALLs on many CPUs share no cache line. Once
 * it is there, it stays.
 */
static struct tdx_stats __percpu *tdx_stats;

/* Without the version. Bit 63, of P-SEAMLDR's leaves, becomes the lowest. */
static unsigned int tdx_stats_row(u64 fn)
{
	return rol64(fn, 1) % (2 * TDX_STATS_LEAVES);
}

/**
 * tdx_stats_add() - count a SEAMCALL
 * @fn: RAX before
 * @status: RAX after
 * @cycles: how long it took, by the TSC
 *
 * Context: The CPU that made it, not migrating. tdx_stats_switch(true) was called.
 */
void tdx_stats_add(u64 fn, u64 status, u64 cycles)
{
	struct tdx_leaf_stats __percpu *leaf = &tdx_stats->leaf[tdx_stats_row(fn)];

	this_cpu_inc(leaf->calls);
	if (seamcall_failed(status))
		this_cpu_inc(leaf->failed);
	this_cpu_add(leaf->cycles, cycles);
	if (cycles > this_cpu_read(leaf->max_cycles))
		this_cpu_write(leaf->max_cycles, cycles);
}

static void tdx_stats_probe(void *unused, const struct seamcall *call, u64 cycles)
{
	tdx_stats_add(call->fn, call->status, cycles);
}

/**
 * tdx_stats_switch() - count SEAMCALLs from now on, or no longer
 * @on: which
 *
 * While it is off, and nobody traces them either, a SEAMCALL takes no more
 * instructions than it must.
 *
 * Context: Process context.
 * Return: 0, -ENOMEM, or -ENOSYS from a kernel without tracepoints.
 */
int tdx_stats_switch(bool on)
{
	static DEFINE_MUTEX(lock);
	static bool is_on;
	int ret = 0;

	mutex_lock(&lock);

	if (on && !tdx_stats) {
		/* Pairs with READ_ONCE() in tdx_stats_get(). */
		smp_store_release(&tdx_stats, alloc_percpu(struct tdx_stats));
		if (!tdx_stats)
			ret = -ENOMEM;
	}

	if (!ret && on != is_on)
		ret = on ? register_trace_seamcall_exit(tdx_stats_probe, NULL)
			 : unregister_trace_seamcall_exit(tdx_stats_probe, NULL);
	if (!ret)
		is_on = on;

	mutex_unlock(&lock);
	return ret;
}

/**
 * tdx_cycles_to_ns() - a time by the TSC in nanoseconds
 * @cycles: of the TSC
 *
 * Return: nanoseconds; 0 if the TSC's frequency is not known.
 */
u64 tdx_cycles_to_ns(u64 cycles)
{
	return tsc_khz ? mul_u64_u32_div(cycles, USEC_PER_SEC, tsc_khz) : 0;
}

/**
 * tdx_stats_get() - SEAMCALLs of a leaf on all CPUs
 * @fn: leaf
 * @stats: filled; CPUs that make SEAMCALLs meanwhile may be in it or not
 *
 * Return: false if there were none.
 */
bool tdx_stats_get(u64 fn, struct tdx_leaf_stats *stats)
{
	struct tdx_stats __percpu *counts = READ_ONCE(tdx_stats);
	const struct tdx_leaf_stats *leaf;
	unsigned int cpu;

	*stats = (struct tdx_leaf_stats){};
	if (!counts)
		return false;

	for_each_possible_cpu(cpu) {
		leaf = &per_cpu_ptr(counts, cpu)->leaf[tdx_stats_row(fn)];
		stats->calls += READ_ONCE(leaf->calls);
		stats->failed += READ_ONCE(leaf->failed);
		stats->cycles += READ_ONCE(leaf->cycles);
		stats->max_cycles = max(stats->max_cycles, READ_ONCE(leaf->max_cycles));
	}

	return stats->calls;
}

/* Raw: CPUs that come up take it with interrupts off, with PREEMPT_RT, too. */
static DEFINE_RAW_SPINLOCK(tdx_error_lock);
static char tdx_error[TDX_STATUS_LEN + 64];

/**
 * tdx_note_error() - remember an error for /sys/firmware/tdx/last_error
 * @fmt: as for printk(); a newline at the end is left out
 *
 * Context: Any.
 */
void tdx_note_error(const char *fmt, ...)
{
	unsigned long flags;
	va_list args;
	int n;

	raw_spin_lock_irqsave(&tdx_error_lock, flags);
	va_start(args, fmt);
	n = vscnprintf(tdx_error, sizeof(tdx_error), fmt, args);
	va_end(args);
	if (n && tdx_error[n - 1] == '\n')
		tdx_error[n - 1] = '\0';
	raw_spin_unlock_irqrestore(&tdx_error_lock, flags);
}

/**
 * tdx_no_memory() - say that an allocation failed
 * @what: what the memory was for
 *
 * In place of what the page allocator says, which is long: allocations that are
 * told of here have %__GFP_NOWARN.
 *
 * Context: Any.
 * Return: -ENOMEM.
 */
int tdx_no_memory(const char *what)
{
	tdx_err("out of memory for %s: free memory and try again\n", what);
	return -ENOMEM;
}

/**
 * tdx_forget_error() - there is nothing wrong any more
 *
 * Context: Any.
 */
void tdx_forget_error(void)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&tdx_error_lock, flags);
	tdx_error[0] = '\0';
	raw_spin_unlock_irqrestore(&tdx_error_lock, flags);
}

/**
 * tdx_get_error() - the last error, or ""
 * @buf: filled, always terminated
 * @len: size of @buf in bytes, at least 1
 *
 * Context: Any.
 */
void tdx_get_error(char *buf, size_t len)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&tdx_error_lock, flags);
	strscpy(buf, tdx_error, len);
	raw_spin_unlock_irqrestore(&tdx_error_lock, flags);
}

static struct {
	u64 all;
	atomic64_t done;
	unsigned long next;		/* jiffies */
} tdx_todo;

/**
 * tdx_progress_start() - tell how far a long initialisation is
 * @bytes: memory that has to be initialised
 *
 * Context: Process context, one at a time.
 */
void tdx_progress_start(u64 bytes)
{
	tdx_todo.all = bytes;
	atomic64_set(&tdx_todo.done, 0);
	WRITE_ONCE(tdx_todo.next, jiffies + HZ);
}

/**
 * tdx_progress() - a part of it is done
 * @bytes: size of the part
 *
 * Says so in the log, at most once a second, whoever calls.
 *
 * Context: Any, any number of callers at once.
 */
void tdx_progress(u64 bytes)
{
	u64 done = atomic64_add_return(bytes, &tdx_todo.done);
	unsigned long next = READ_ONCE(tdx_todo.next);

	if (time_before(jiffies, next) || cmpxchg(&tdx_todo.next, next, jiffies + HZ) != next)
		return;

	pr_info("initializing memory: %llu of %llu GiB done\n", done / SZ_1G,
		tdx_todo.all / SZ_1G);
}
