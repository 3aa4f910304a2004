// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/tdx: what was handed to the module, and what it does.
 *
 *   cmrs		convertible memory, as firmware reports it
 *   memory	the kernel's memory that TDX can use
 *   tdmrs	TDMRs with reserved areas and PAMTs
 *   lps		logical processors and packages
 *   seamcalls	counts and times for each leaf
 *   reset	in test kernels: whatever is written there, all memory of TDX is
 *		given back and it is as if nobody had asked for a TD yet
 *
 * Intervals are [start, end).
 */
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/math64.h>
#include <linux/seq_file.h>
#include <linux/topology.h>

#include "observe.h"
#include "status.h"
#include "tdx.h"

static int cmrs_show(struct seq_file *m, void *unused)
{
	const struct tdx_sysinfo *info = tdx_get_sysinfo();
	unsigned int i;

	for (i = 0; info && i < info->nr_cmrs; i++)
		seq_printf(m, "[0x%llx, 0x%llx)\n", info->cmrs[i].start, info->cmrs[i].end);

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(cmrs);

static void show_memory(struct seq_file *m, const struct tdx_memory *mem,
			const struct tdmr_plan *plan)
{
	const struct tdx_region *region;
	unsigned int i;

	for (i = 0; i < mem->nr; i++) {
		region = &mem->regions[i];
		seq_printf(m, "[0x%llx, 0x%llx) node %d\n", region->start, region->end,
			   region->nid);
	}
}

static int memory_show(struct seq_file *m, void *unused)
{
	return tdx_show_plan(m, show_memory);
}
DEFINE_SHOW_ATTRIBUTE(memory);

static void show_tdmr(struct seq_file *m, unsigned int nr, const struct tdmr *tdmr)
{
	static const char * const size[TDX_PS_NR] = {
		[TDX_PS_4K] = "4K",
		[TDX_PS_2M] = "2M",
		[TDX_PS_1G] = "1G",
	};
	unsigned int i;

	seq_printf(m, "%u: [0x%llx, 0x%llx) node %d\n", nr, tdmr->base, tdmr->base + tdmr->size,
		   tdmr->nid);

	for (i = 0; i < TDX_PS_NR; i++)
		seq_printf(m, "  PAMT %s [0x%llx, 0x%llx)\n", size[i], tdmr->pamt_base[i],
			   tdmr->pamt_base[i] + tdmr->pamt_size[i]);

	for (i = 0; i < tdmr->nr_reserved; i++)
		seq_printf(m, "  reserved [0x%llx, 0x%llx)\n", tdmr->reserved[i].start,
			   tdmr->reserved[i].end);
}

static void show_tdmrs(struct seq_file *m, const struct tdx_memory *mem,
		       const struct tdmr_plan *plan)
{
	unsigned int i;

	for (i = 0; i < plan->nr_tdmrs; i++)
		show_tdmr(m, i, &plan->tdmrs[i]);
}

static int tdmrs_show(struct seq_file *m, void *unused)
{
	return tdx_show_plan(m, show_tdmrs);
}
DEFINE_SHOW_ATTRIBUTE(tdmrs);

static int lps_show(struct seq_file *m, void *unused)
{
	int cpu;

	for_each_present_cpu(cpu)
		seq_printf(m, "CPU %d: package %d, %s%s%s\n", cpu,
			   topology_physical_package_id(cpu),
			   cpu_online(cpu) ? "online" : "offline",
			   tdx_lp_done(cpu) ? ", initialized" : "",
			   tdx_lp_made_key(cpu) ? ", made the package's key" : "");

	return 0;
}
DEFINE_SHOW_ATTRIBUTE(lps);

static void show_leaf(struct seq_file *m, u64 fn)
{
	struct tdx_leaf_stats stats;
	u64 ns;

	if (!tdx_stats_get(fn, &stats))
		return;

	ns = tdx_cycles_to_ns(stats.cycles);
	seq_printf(m, "%-24s %10llu %10llu %14llu %10llu %10llu\n", tdx_leaf_name(fn),
		   stats.calls, stats.failed, ns, div64_u64(ns, stats.calls),
		   tdx_cycles_to_ns(stats.max_cycles));
}

static int seamcalls_show(struct seq_file *m, void *unused)
{
	u64 leaf;

	seq_printf(m, "%-24s %10s %10s %14s %10s %10s\n", "leaf", "calls", "failed", "ns",
		   "ns/call", "max_ns");
	for (leaf = 0; leaf < TDX_STATS_LEAVES; leaf++)
		show_leaf(m, BIT_ULL(63) | leaf);
	for (leaf = 0; leaf < TDX_STATS_LEAVES; leaf++)
		show_leaf(m, leaf);

	return 0;
}

static int seamcalls_open(struct inode *inode, struct file *file)
{
	return single_open(file, seamcalls_show, NULL);
}

static ssize_t seamcalls_write(struct file *file, const char __user *buf, size_t count,
			       loff_t *pos)
{
	bool on;
	int ret = kstrtobool_from_user(buf, count, &on);

	if (!ret)
		ret = tdx_stats_switch(on);

	return ret ?: count;
}

static const struct file_operations seamcalls_fops = {
	.owner = THIS_MODULE,
	.open = seamcalls_open,
	.read = seq_read,
	.write = seamcalls_write,
	.llseek = seq_lseek,
	.release = single_release,
};

#ifdef CONFIG_INTEL_TDX_HOST_RESET
static ssize_t reset_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	tdx_test_reset();
	return count;
}

static const struct file_operations reset_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = reset_write,
};

static void __init tdx_debugfs_init_test(struct dentry *dir)
{
	debugfs_create_file("reset", 0200, dir, NULL, &reset_fops);
	tdx_test_fragment_init(dir);
}
#else
static void __init tdx_debugfs_init_test(struct dentry *dir)
{
}
#endif

static int __init tdx_debugfs_init(void)
{
	struct dentry *dir = debugfs_create_dir("tdx", NULL);

	debugfs_create_file("cmrs", 0400, dir, NULL, &cmrs_fops);
	debugfs_create_file("memory", 0400, dir, NULL, &memory_fops);
	debugfs_create_file("tdmrs", 0400, dir, NULL, &tdmrs_fops);
	debugfs_create_file("lps", 0400, dir, NULL, &lps_fops);
	debugfs_create_file("seamcalls", 0600, dir, NULL, &seamcalls_fops);
	tdx_debugfs_init_test(dir);

	return 0;
}
late_initcall(tdx_debugfs_init);
