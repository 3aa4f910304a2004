// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include <linux/kernel.h>

#include "messages.h"

/* More special ones first. */
static const struct tdx_message messages[] = {
	{
		"reserved areas exhausted", TDX_BAD,
		"A TDMR would need more reserved areas than the module allows: the memory map has too many holes",
		"use a kernel that makes reserved areas of non-convertible memory only, or turn off in the BIOS setup what splits memory below 4 GiB"
	},
	{
		"TDMRs exhausted", TDX_BAD,
		"The memory map needs more TDMRs than the module allows",
		"turn off in the BIOS setup what splits memory (sub-NUMA clustering, mirroring)"
	},
	{
		"consumed TDMRs reaching limit", TDX_WARNING,
		"The memory map needs nearly as many TDMRs as the module allows", NULL
	},
	{
		"unable to find local NUMA node", TDX_WARNING,
		"Metadata of a TDMR is on another node, TDs that use this memory are slower", NULL
	},
	{
		"module not loaded", TDX_BAD,
		"There is no P-SEAMLDR or no TDX module",
		"enable TDX and its SEAM loader in the BIOS setup and have it load a TDX module; MSR 0x1401 bits 10 (lock) and 11 (enable) must be 1, see tdx-status"
	},
	{
		"too few private KeyIDs", TDX_BAD,
		"BIOS gives TDX fewer than two KeyIDs: one is the module's, each TD needs one",
		"raise the number of TDX KeyIDs (key split) in the BIOS setup"
	},
	{
		"Hibernation support is enabled", TDX_BAD,
		"This kernel does not use TDX together with hibernation",
		"boot with nohibernate"
	},
	{
		"register_memory_notifier() failed", TDX_BAD,
		"The kernel ran out of memory early", NULL
	},
	{
		"Disable ACPI S3", TDX_WARNING,
		"Suspend to RAM is off while TDX is on: memory keys do not survive it",
		"turn TDX off in the BIOS setup if the machine has to suspend"
	},
	{
		"module initialization failed", TDX_BAD,
		"The TDX module can not be used until the machine reboots", NULL
	},
	{
		"initialization failed", TDX_BAD,
		"TDX can not be used until the machine reboots", NULL
	},
	{
		"module initialized", TDX_GOOD,
		"TDX is ready, KVM can run TDs", NULL
	},
	{
		"private KeyID range", TDX_GOOD,
		"BIOS enabled TDX and gave it these KeyIDs", NULL
	},
	{
		"allocated for PAMT", TDX_GOOD,
		"Memory that the module uses for its metadata", NULL
	},
	{
		"MOVDIR64B is required", TDX_BAD,
		"The CPU lacks MOVDIR64B, or it was turned off",
		"remove clearcpuid= from the kernel's command line"
	},
};

/* As tdx_detect(), tdx_init() and mainline's tdx_enable() return them. */
static const struct tdx_errno errnos[] = {
	{
		1, "EPERM",
		"The CPU is not in VMX operation, or not all CPUs were brought up",
		"load kvm_intel, bring all CPUs online, try again"
	},
	{
		5, "EIO",
		"The TDX module refused a call",
		"the line before it names the call and its status"
	},
	{
		12, "ENOMEM",
		"Metadata needs about 1/256 of the memory in large contiguous pieces",
		"initialise TDX earlier, while memory is not fragmented, or free memory"
	},
	{
		14, "EFAULT",
		"An earlier initialisation failed or TDX was not detected",
		"look for the first TDX line with an error, then reboot"
	},
	{
		16, "EBUSY",
		"The TDX module was busy for too long",
		"try again"
	},
	{
		19, "ENODEV",
		"BIOS did not enable TDX, or no TDX module is loaded",
		"see tdx-status for the BIOS switches"
	},
	{
		22, "EINVAL",
		"The module is older than this kernel supports, or reports what can not be",
		"update the TDX module"
	},
	{
		28, "ENOSPC",
		"The memory map needs more TDMRs or reserved areas than the module allows",
		"use a kernel that makes reserved areas of non-convertible memory only, or turn off in the BIOS setup what splits memory"
	},
};

const struct tdx_message *tdx_find_message(const char *line)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(messages); i++) {
		if (strstr(line, messages[i].pattern))
			return &messages[i];
	}
	return NULL;
}

const struct tdx_errno *tdx_find_errno(int err)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(errnos); i++) {
		if (errnos[i].err == err)
			return &errnos[i];
	}
	return NULL;
}
