// SPDX-License-Identifier: GPL-2.0
/*
 * Can this platform do TDX? Asked of every CPU when it is brought up.
 *
 * Firmware reserves a range of memory (SEAMRR) that only P-SEAMLDR and the TDX
 * module can use, and gives some of the memory encryption's KeyIDs to TDX. Both
 * have to be the same on all CPUs. The boot CPU sets the reference; one CPU
 * that differs turns TDX off. No CPU makes a SEAMCALL before all of this is
 * found right, because SEAMCALL raises #GP without SEAMRR.
 */
#define pr_fmt(fmt) "tdx: " fmt

#include <linux/bitfield.h>
#include <linux/cache.h>
#include <linux/cpufeature.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/printk.h>
#include <linux/smp.h>
#include <linux/string.h>

#include <asm/intel-family.h>
#include <asm/msr.h>
#include <asm/tdx_host.h>

#include "arch.h"
#include "observe.h"
#include "status.h"
#include "tdx.h"
#include "test.h"

/* One KeyID is the module's, one at least for TDs. */
#define TDX_MIN_KEYIDS	2

/* What the boot CPU says. All zero on a CPU that is not Intel's. */
static struct tdx_cpu_msrs tdx_boot_msrs;

/* The first CPU that said something else; @msr is 0 if there is none. */
static struct {
	unsigned int cpu;
	u32 msr;
	u64 val;
	u64 boot_val;
} tdx_odd_cpu;

static bool tdx_host_off __ro_after_init;

static int __init tdx_host_setup(char *arg)
{
	if (!arg)
		return -EINVAL;

	if (!strcmp(arg, "off"))
		tdx_host_off = true;
	else
		pr_warn("tdx_host=%s on the command line is not understood; \"off\" is\n",
			arg);

	return 0;
}
early_param("tdx_host", tdx_host_setup);

static void tdx_read_msrs(struct tdx_cpu_msrs *msrs)
{
	memset(msrs, 0, sizeof(*msrs));

	if (rdmsrl_safe(MSR_IA32_MTRRCAP, &msrs->mtrrcap) ||
	    !(msrs->mtrrcap & MTRRCAP_SEAMRR))
		return;

	rdmsrl_safe(MSR_IA32_SEAMRR_PHYS_BASE, &msrs->seamrr_base);
	rdmsrl_safe(MSR_IA32_SEAMRR_PHYS_MASK, &msrs->seamrr_mask);
	rdmsrl_safe(MSR_IA32_MKTME_KEYID_PARTITIONING, &msrs->keyids);
}

/**
 * tdx_decode_msrs() - what a CPU's MSRs mean
 * @msrs: the MSRs
 * @platform: result; set as far as the MSRs go even if they are not enough
 *
 * Return: TDX_PLATFORM_OK, or the first reason why there can be no TDX.
 */
enum tdx_why tdx_decode_msrs(const struct tdx_cpu_msrs *msrs,
			     struct tdx_platform *platform)
{
	u64 base = msrs->seamrr_base & SEAMRR_ADDR;
	u64 mask = msrs->seamrr_mask & SEAMRR_ADDR;

	platform->seamrr.start = base;
	platform->seamrr.end = base + (mask & -mask);
	platform->first_keyid = FIELD_GET(KEYIDS_MKTME, msrs->keyids) + 1;
	platform->nr_keyids = FIELD_GET(KEYIDS_TDX, msrs->keyids);

	if (!(msrs->mtrrcap & MTRRCAP_SEAMRR))
		return TDX_WHY_NO_SEAMRR;
	if (!(msrs->seamrr_mask & SEAMRR_MASK_LOCKED))
		return TDX_WHY_NOT_LOCKED;
	if (!(msrs->seamrr_mask & SEAMRR_MASK_ENABLED))
		return TDX_WHY_NOT_ENABLED;
	if (!(msrs->seamrr_base & SEAMRR_BASE_CONFIGURED))
		return TDX_WHY_NOT_CONFIGURED;
	/* The module would reset the machine. */
	if (!mask)
		return TDX_WHY_EMPTY;
	if (platform->nr_keyids < TDX_MIN_KEYIDS)
		return TDX_WHY_FEW_KEYIDS;

	return TDX_PLATFORM_OK;
}

/**
 * tdx_msrs_differ() - find the MSR in which two CPUs differ
 * @a: MSRs of one CPU
 * @b: MSRs of the other
 * @val_a: set to the value of @a
 * @val_b: set to the value of @b
 *
 * Of IA32_MTRRCAP only the SEAMRR bit counts.
 *
 * Return: the first MSR that differs, or 0.
 */
u32 tdx_msrs_differ(const struct tdx_cpu_msrs *a, const struct tdx_cpu_msrs *b,
		    u64 *val_a, u64 *val_b)
{
	const struct {
		u32 msr;
		u64 a;
		u64 b;
		u64 mask;
	} cmp[] = {
		{ MSR_IA32_MTRRCAP, a->mtrrcap, b->mtrrcap, MTRRCAP_SEAMRR },
		{ MSR_IA32_SEAMRR_PHYS_BASE, a->seamrr_base, b->seamrr_base, ~0ULL },
		{ MSR_IA32_SEAMRR_PHYS_MASK, a->seamrr_mask, b->seamrr_mask, ~0ULL },
		{ MSR_IA32_MKTME_KEYID_PARTITIONING, a->keyids, b->keyids, ~0ULL },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cmp); i++) {
		*val_a = cmp[i].a;
		*val_b = cmp[i].b;
		if ((cmp[i].a ^ cmp[i].b) & cmp[i].mask)
			return cmp[i].msr;
	}

	return 0;
}

static void tdx_detect_boot_cpu(void)
{
	struct tdx_platform platform;

	tdx_read_msrs(&tdx_boot_msrs);
	if (tdx_decode_msrs(&tdx_boot_msrs, &platform) != TDX_PLATFORM_OK)
		return;

	pr_info("enabled by firmware: SEAMRR [0x%llx, 0x%llx), TDX KeyIDs [%u, %u)\n",
		platform.seamrr.start, platform.seamrr.end, platform.first_keyid,
		platform.first_keyid + platform.nr_keyids);
}

static void tdx_detect_other_cpu(unsigned int cpu)
{
	struct tdx_cpu_msrs msrs;
	u64 val, boot_val;
	u32 msr;

	tdx_read_msrs(&msrs);
	msr = tdx_msrs_differ(&msrs, &tdx_boot_msrs, &val, &boot_val);
	if (!msr || tdx_odd_cpu.msr)
		return;

	tdx_odd_cpu.cpu = cpu;
	tdx_odd_cpu.val = val;
	tdx_odd_cpu.boot_val = boot_val;
	/* Pairs with tdx_platform(): it is all there. */
	smp_store_release(&tdx_odd_cpu.msr, msr);

	tdx_err(FW_BUG "CPU %u differs: MSR 0x%x %s is 0x%llx, on the boot CPU 0x%llx; TDX is disabled if it is not in use already, firmware must set all CPUs alike, look for a BIOS update\n",
		cpu, msr, tdx_msr_name(msr), val, boot_val);
}

/* CPUs that raise #MC when a line is read that was partly written as private memory */
static bool tdx_cpu_has_pw_mce(const struct cpuinfo_x86 *c)
{
	return c->x86 == 6 && (c->x86_model == INTEL_FAM6_SAPPHIRERAPIDS_X ||
			       c->x86_model == INTEL_FAM6_EMERALDRAPIDS_X);
}

/**
 * tdx_cpu_detect() - look at the TDX MSRs of this CPU
 * @c: this CPU
 *
 * Says that the platform is set up for TDX, once, or that CPUs differ, once;
 * nothing on platforms without TDX.
 *
 * Context: CPU bring-up, interrupts off. One CPU at a time.
 */
void tdx_cpu_detect(struct cpuinfo_x86 *c)
{
	if (tdx_host_off)
		return;

	if (tdx_cpu_has_pw_mce(c))
		set_cpu_bug(c, X86_BUG_TDX_PW_MCE);

	if (c == &boot_cpu_data)
		tdx_detect_boot_cpu();
	else
		tdx_detect_other_cpu(smp_processor_id());
}

static void tdx_print_why(enum tdx_why why, const struct tdx_platform *platform)
{
	const struct tdx_cpu_msrs *m = &tdx_boot_msrs;

	switch (why) {
	case TDX_WHY_NO_SEAMRR:
		tdx_absent_info("SEAMRR is not supported by the CPU, or firmware hides it (MSR 0x%x %s = 0x%llx, bit 15 is 0)\n",
				MSR_IA32_MTRRCAP, tdx_msr_name(MSR_IA32_MTRRCAP), m->mtrrcap);
		break;
	case TDX_WHY_NOT_LOCKED:
		tdx_absent_info("SEAMRR is not locked by firmware (MSR 0x%x %s = 0x%llx, bit 10 is 0): switch TDX on in the BIOS setup, see its log if it is\n",
				MSR_IA32_SEAMRR_PHYS_MASK,
				tdx_msr_name(MSR_IA32_SEAMRR_PHYS_MASK), m->seamrr_mask);
		break;
	case TDX_WHY_NOT_ENABLED:
		tdx_absent_info("SEAMRR is not enabled by firmware (MSR 0x%x %s = 0x%llx, bit 11 is 0): switch TDX on in the BIOS setup\n",
				MSR_IA32_SEAMRR_PHYS_MASK,
				tdx_msr_name(MSR_IA32_SEAMRR_PHYS_MASK), m->seamrr_mask);
		break;
	case TDX_WHY_NOT_CONFIGURED:
		tdx_absent_info("SEAMRR is not configured by firmware (MSR 0x%x %s = 0x%llx, bit 3 is 0): switch TDX on in the BIOS setup\n",
				MSR_IA32_SEAMRR_PHYS_BASE,
				tdx_msr_name(MSR_IA32_SEAMRR_PHYS_BASE), m->seamrr_base);
		break;
	case TDX_WHY_EMPTY:
		tdx_absent_info("SEAMRR is not given a size by firmware (MSR 0x%x %s = 0x%llx, bits 51 to 25 are 0): look for a BIOS update\n",
				MSR_IA32_SEAMRR_PHYS_MASK,
				tdx_msr_name(MSR_IA32_SEAMRR_PHYS_MASK), m->seamrr_mask);
		break;
	case TDX_WHY_FEW_KEYIDS:
		tdx_absent_info("too few TDX KeyIDs, %u where %u are needed (MSR 0x%x %s = 0x%llx): give TDX more KeyIDs in the BIOS setup\n",
				platform->nr_keyids, TDX_MIN_KEYIDS,
				MSR_IA32_MKTME_KEYID_PARTITIONING,
				tdx_msr_name(MSR_IA32_MKTME_KEYID_PARTITIONING), m->keyids);
		break;
	case TDX_PLATFORM_OK:
		break;
	}
}

/**
 * tdx_platform() - is the platform set up for TDX?
 * @platform: the KeyIDs and SEAMRR
 *
 * Looks at all CPUs that have been brought up so far. Says why not.
 *
 * Return: 0, or -ENODEV.
 */
int tdx_platform(struct tdx_platform *platform)
{
	enum tdx_why why;
	u32 msr;

	if (tdx_host_off) {
		tdx_absent_info("turned off by tdx_host=off on the command line\n");
		return -ENODEV;
	}

	why = tdx_decode_msrs(&tdx_boot_msrs, platform);
	if (why != TDX_PLATFORM_OK) {
		tdx_print_why(why, platform);
		return -ENODEV;
	}

	/* Pairs with tdx_detect_other_cpu(). */
	msr = smp_load_acquire(&tdx_odd_cpu.msr);
	if (msr) {
		tdx_absent_info("CPU %u differs: MSR 0x%x %s is 0x%llx, on the boot CPU 0x%llx\n",
				tdx_odd_cpu.cpu, msr, tdx_msr_name(msr), tdx_odd_cpu.val,
				tdx_odd_cpu.boot_val);
		return -ENODEV;
	}

	return 0;
}

/**
 * tdx_platform_fits() - as tdx_platform(), without a word
 *
 * Context: Any.
 */
bool tdx_platform_fits(void)
{
	struct tdx_platform platform;

	/* Pairs with tdx_detect_other_cpu(). */
	return !tdx_host_off && !smp_load_acquire(&tdx_odd_cpu.msr) &&
	       tdx_decode_msrs(&tdx_boot_msrs, &platform) == TDX_PLATFORM_OK;
}

#ifdef CONFIG_INTEL_TDX_HOST_KUNIT_TEST
/* Pretend that all CPUs are alike and have these MSRs. */
void tdx_test_set_msrs(const struct tdx_cpu_msrs *boot_cpu)
{
	tdx_boot_msrs = *boot_cpu;
	memset(&tdx_odd_cpu, 0, sizeof(tdx_odd_cpu));
}
#endif
