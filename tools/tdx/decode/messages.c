// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include <linux/kernel.h>

#include "messages.h"

/* More special ones first. */
static const struct tdx_message messages[] = {
	/* Linux 6.1 with TDX host support */
	{
		"not available: turned off", TDX_BAD,
		"TDX is turned off on the kernel's command line",
		"remove tdx_host=off from the kernel's command line"
	},
	{
		"not available: SEAMRR is not supported", TDX_BAD,
		"The CPU has no SEAM mode, which TDX needs, or BIOS hides it, as it does when TME is off",
		"TDX needs a Xeon that has it: fifth generation or later, or a TDX model of the fourth; if this is one, enable TME and TDX in the BIOS setup"
	},
	{
		"not available: SEAMRR is not locked", TDX_BAD,
		"BIOS did not lock SEAMRR, no TDX module can be loaded",
		"enable TDX and its SEAM loader in the BIOS setup; if they are enabled, read the log of the BIOS"
	},
	{
		"not available: SEAMRR is not given a size", TDX_BAD,
		"BIOS gave SEAMRR, the memory that holds the TDX module, no size",
		"enable TDX and its SEAM loader in the BIOS setup; if they are enabled, read the log of the BIOS, and look for a BIOS update"
	},
	{
		"not available: SEAMRR is not", TDX_BAD,
		"BIOS did not set up SEAMRR, the memory that holds the TDX module",
		"enable TDX and its SEAM loader in the BIOS setup; if they are enabled, read the log of the BIOS"
	},
	{
		"not available: too few TDX KeyIDs", TDX_BAD,
		"BIOS gives TDX fewer than two KeyIDs: one is the module's, each TD needs one",
		"raise the number of TDX KeyIDs (TME-MT/TDX key split) in the BIOS setup"
	},
	{
		"differs: MSR", TDX_BAD,
		"BIOS set an MSR unlike on this CPU and the boot CPU",
		"firmware must set it alike on all CPUs, look for a BIOS update"
	},
	{
		"not available: no P-SEAMLDR", TDX_BAD,
		"BIOS did not load the P-SEAMLDR, which loads the TDX module",
		"enable TDX and its SEAM loader in the BIOS setup, and check that its file is where the BIOS looks for it"
	},
	{
		"not available: no TDX module", TDX_BAD,
		"The P-SEAMLDR is there, but BIOS loaded no TDX module",
		"check that TDX is enabled in the BIOS setup and that the module file is where the BIOS looks for it"
	},
	{
		"not available: SEAMLDR.INFO failed", TDX_BAD,
		"The P-SEAMLDR did not say what it is and what it has loaded",
		"look for a BIOS update"
	},
	{
		"not available:", TDX_BAD,
		"This machine can not do TDX", NULL
	},
	{
		"cannot ask P-SEAMLDR", TDX_BAD,
		"The CPU is not in VMX operation, which only KVM can turn on: a bug of KVM",
		"report it"
	},
	{
		"are not in VMX operation, KVM", TDX_BAD,
		"CPUs are not in VMX operation, which only KVM can turn on: a bug of KVM",
		"report it"
	},
	{
		"have never been brought up", TDX_BAD,
		"CPUs were never online; the TDX module has to see every CPU once",
		"bring them online once; remove maxcpus= from the kernel's command line"
	},
	{
		"SMT is off, echo on", TDX_BAD,
		"CPUs are offline because SMT is off; the TDX module has to see every CPU once",
		"echo on > /sys/devices/system/cpu/smt/control and try again; then SMT can be switched off again"
	},
	{
		"SMT is off until the next boot", TDX_BAD,
		"CPUs are offline because SMT is off for good; the TDX module has to see every CPU once",
		"boot without nosmt=force"
	},
	{
		"are offline, it has to see every CPU once", TDX_BAD,
		"CPUs are offline; the TDX module has to see every CPU once",
		"bring them online (/sys/devices/system/cpu/cpuN/online) and try again; remove maxcpus= from the kernel's command line"
	},
	{
		"asked for a TD was killed", TDX_BAD,
		"Who asked for the first TD was killed while memory for the module was looked for",
		"nothing has to be done; the next TD looks again"
	},
	{
		"going to sleep or waking up", TDX_BAD,
		"A TD was asked for while the machine went to sleep or woke up",
		"try again when the machine runs"
	},
	{
		"is in no CMR", TDX_BAD,
		"The kernel has memory that TDX can not use: BIOS did not check it, as CXL or persistent memory",
		"take it offline (/sys/devices/system/memory/memoryN/state), or boot without it, and try again"
	},
	{
		"no memory of the kernel is in a CMR", TDX_BAD,
		"BIOS made other memory usable for TDX than what the kernel has",
		"remove mem= and memmap= from the kernel's command line, if they are there; if not, look for a BIOS update"
	},
	{
		"no TDMRs for memory", TDX_BAD,
		"The memory map does not fit into the TDMRs and reserved areas that the module allows",
		"turn off in the BIOS setup what splits memory (sub-NUMA clustering, mirroring), and report the memory map"
	},
	{
		"no PAMT for", TDX_BAD,
		"Metadata needs about 1/256 of the memory in large contiguous pieces, and there are none",
		"create the first TD early after boot; or free memory, compact it (/proc/sys/vm/drop_caches, compact_memory) and try again"
	},
	{
		"out of memory for", TDX_BAD,
		"The kernel had no memory for the initialisation",
		"free memory and try again"
	},
	{
		"cannot watch CPU hotplug", TDX_BAD,
		"Loadable modules have taken all of the kernel's CPU hotplug states",
		"unload some of them and try again"
	},
	{
		"cannot watch memory hotplug", TDX_BAD,
		"The kernel could not make itself see memory that is added: a bug",
		"report it"
	},
	{
		"memory for TDX is not known", TDX_BAD,
		"What BIOS says about memory for TDX (CMRs) makes no sense",
		"look for a BIOS update"
	},
	{
		"follows an unused entry", TDX_WARNING,
		"The table of BIOS with memory for TDX (CMRs) has a gap, without consequences",
		"nothing has to be done; a BIOS update may close it"
	},
	{
		"there is no CMR", TDX_BAD,
		"BIOS reports no convertible memory at all",
		"look for a BIOS update"
	},
	{
		"the module says that", TDX_BAD,
		"The TDX module reports limits that make no sense",
		"update the TDX module or the BIOS, and report it"
	},
	{
		"makes no progress", TDX_BAD,
		"The TDX module does not finish a TDMR",
		"report it"
	},
	{
		"failed on CPU", TDX_BAD,
		"The TDX module refused a call",
		"look for its status in Documentation/x86/tdx-host-status.rst; report it if nothing there helps"
	},
	{
		"more CPUs", TDX_BAD,
		"The call before failed on other CPUs, too",
		"care for what the line before names"
	},
	{
		"the module is as it was", TDX_BAD,
		"The TDX module could not be initialised now; another attempt may succeed",
		"care for the cause, which the line before names; KVM tries again with the next TD"
	},
	{
		"the module is shut down", TDX_BAD,
		"The initialisation failed, the TDX module can not be used until the machine reboots",
		"care for the cause, which the lines before name, then reboot"
	},
	{
		"may not come online: the TDX module was initialised without it", TDX_WARNING,
		"Memory that was added after the initialisation can not be used: TDs might get it",
		"add it before TDX is initialised, reboot to use both"
	},
	{
		"was added after the module was initialised", TDX_WARNING,
		"A CPU that was added after the initialisation can not run TDs",
		"reboot to use it for TDs"
	},
	{
		"suspend to RAM (S3) is refused", TDX_WARNING,
		"The TDX module and all TDs would be lost in suspend to RAM",
		"use suspend to idle, or boot with tdx_host=off"
	},
	{
		"hibernation is refused", TDX_WARNING,
		"The TDX module and all TDs would be lost in hibernation",
		"use suspend to idle, or boot with tdx_host=off"
	},
	{
		"kexec jump is refused", TDX_WARNING,
		"A kernel that is jumped to would write over the memory of the TDX module and of all TDs",
		"boot without TDs, or with tdx_host=off"
	},
	{
		"no files in /sys/firmware/tdx", TDX_WARNING,
		"The kernel ran out of memory at boot; TDX works, but files do not show it",
		"reboot if they are needed"
	},
	{
		"on the command line is not understood", TDX_WARNING,
		"The kernel's command line has a wrong tdx_host=, which changes nothing",
		"make it tdx_host=off, or remove it"
	},
	{
		"TDX private memory, metadata (PAMT)", TDX_BAD,
		"A machine check in metadata of the TDX module: something else wrote there, or the memory is broken",
		"reboot; report it, and if it comes again, check the memory"
	},
	{
		"TDX private memory, a page of a TD", TDX_WARNING,
		"A machine check in memory of a TD: something else wrote there, or the memory is broken",
		"destroy the TD; report it, and if it comes again, check the memory"
	},
	{
		"TDX KeyIDs [", TDX_GOOD,
		"BIOS enabled TDX and gave it these KeyIDs", NULL
	},
	{
		", features 0x", TDX_GOOD,
		"The TDX module that BIOS loaded", NULL
	},
	{
		", build ", TDX_GOOD,
		"The P-SEAMLDR that BIOS loaded, which loads the TDX module", NULL
	},
	{
		"CMR [0x", TDX_GOOD,
		"Memory that BIOS made usable for TDX (convertible memory range)", NULL
	},
	{
		"initializing memory:", TDX_GOOD,
		"The TDX module is being initialised", NULL
	},

	/* Mainline Linux and the trees that were before */
	{
		"not in VMX operation", TDX_BAD,
		"SEAMCALL works in VMX operation only, which KVM turns on",
		"load kvm_intel, create the TD through /dev/kvm"
	},
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

/* As tdx_detect(), tdx_init() and mainline's tdx_enable() return them, or as the log has them. */
static const struct tdx_errno errnos[] = {
	{
		1, "EPERM",
		"A CPU is not in VMX operation",
		"load kvm_intel, create the TD through /dev/kvm"
	},
	{
		5, "EIO",
		"The TDX module refused a call",
		"the line before it names the call and its status"
	},
	{
		11, "EAGAIN",
		"CPUs are offline, or the kernel has memory that TDX can not use",
		"the line before names them; bring CPUs online, take such memory offline, try again"
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
		"The TDX module was busy, or had no entropy, in every try",
		"the line before names the call; reboot, and try again"
	},
	{
		19, "ENODEV",
		"BIOS did not enable TDX, or no TDX module is loaded",
		"see tdx-status for the BIOS switches"
	},
	{
		22, "EINVAL",
		"KVM does not offer TDs; or, in the log, the module is older than this kernel supports, or reports what can not be",
		"load kvm_intel with tdx=1; if the log has it, update the TDX module"
	},
	{
		28, "ENOSPC",
		"The memory map needs more TDMRs or reserved areas than the module allows",
		"use a kernel that makes reserved areas of non-convertible memory only, or turn off in the BIOS setup what splits memory"
	},
	{
		95, "EOPNOTSUPP",
		"An ioctl of a TD that KVM does not have: so far a TD can be created and closed",
		"nothing helps, wait for KVM to have it"
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
