// SPDX-License-Identifier: GPL-2.0
/*
 * Bring the TDX module up with the TDX host code of a mainline kernel (6.8 to 6.16), the way its callers are documented to:
 * VMXON on every CPU, tdx_cpu_enable() there, then tdx_enable(). KVM of those kernels makes no such call yet.
 *
 * Must not be loaded together with kvm_intel: both want VMX.
 */
#define pr_fmt(fmt) "tdx_peer: " fmt

#include <linux/cpu.h>
#include <linux/gfp.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/smp.h>

#include <asm/io.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <asm/tdx.h>
#include <asm/tlbflush.h>

static DEFINE_PER_CPU(struct page *, vmxon_page);
static DEFINE_PER_CPU(int, cpu_error);

static int vmxon(phys_addr_t pa)
{
	u8 failed;

	cr4_set_bits(X86_CR4_VMXE);
	asm volatile("vmxon %1\n\t"
		     "setna %0"
		     : "=qm" (failed) : "m" (pa) : "cc", "memory");
	if (!failed)
		return 0;
	cr4_clear_bits(X86_CR4_VMXE);
	return -EIO;
}

static void cpu_up(void *unused)
{
	phys_addr_t pa = page_to_phys(__this_cpu_read(vmxon_page));
	u64 basic;
	int ret;

	rdmsrl(MSR_IA32_VMX_BASIC, basic);
	*(u32 *)__va(pa) = basic;
	ret = vmxon(pa);
	if (ret)
		pr_err("CPU %d: VMXON failed\n", smp_processor_id());
	else
		ret = tdx_cpu_enable();
	__this_cpu_write(cpu_error, ret);
}

static void cpu_down(void *unused)
{
	if (!(cr4_read_shadow() & X86_CR4_VMXE))
		return;
	asm volatile("vmxoff" : : : "cc");
	cr4_clear_bits(X86_CR4_VMXE);
}

static int __init tdx_peer_init(void)
{
	u64 begin, cpus, end;
	int cpu, ret = 0;

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		per_cpu(vmxon_page, cpu) = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!per_cpu(vmxon_page, cpu)) {
			ret = -ENOMEM;
			goto out;
		}
	}
	begin = ktime_get_ns();
	on_each_cpu(cpu_up, NULL, 1);
	for_each_online_cpu(cpu) {
		ret = per_cpu(cpu_error, cpu);
		if (ret) {
			pr_err("CPU %d: tdx_cpu_enable: %d\n", cpu, ret);
			goto out;
		}
	}
	cpus = ktime_get_ns();
	ret = tdx_enable();
	end = ktime_get_ns();
	pr_info("tdx_enable: %d; cpus %llu us, module %llu us\n", ret,
		(cpus - begin) / NSEC_PER_USEC, (end - cpus) / NSEC_PER_USEC);
out:
	if (ret)
		on_each_cpu(cpu_down, NULL, 1);
	cpus_read_unlock();
	return ret;
}

static void __exit tdx_peer_exit(void)
{
	on_each_cpu(cpu_down, NULL, 1);
}

module_init(tdx_peer_init);
module_exit(tdx_peer_exit);
MODULE_DESCRIPTION("Caller of mainline's TDX host support");
MODULE_LICENSE("GPL");
