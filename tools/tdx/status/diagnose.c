// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is wrong, and what to do first.
 *
 * Checks go from the ground up: CPU, BIOS setup, firmware, kernel, module. What
 * is wrong below explains what is wrong above, so the first finding is the one
 * to care for.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include <linux/kernel.h>

#include "host.h"
#include "messages.h"

struct check {
	const struct host *host;
	struct diagnosis *out;
};

static void __printf(5, 0) add(struct check *check, const char *id, bool is_warning,
			       const char *advice, const char *fmt, va_list args)
{
	struct diagnosis *out = check->out;
	struct finding *finding;

	if (out->nr_findings == FINDINGS_MAX)
		return;

	finding = &out->findings[out->nr_findings++];
	finding->id = id;
	finding->is_warning = is_warning;
	vscnprintf(finding->text, sizeof(finding->text), fmt, args);
	scnprintf(finding->advice, sizeof(finding->advice), "%s", advice ? advice : "");
}

/* TDX does not work because of it. */
static void __printf(4, 5) bad(struct check *check, const char *id, const char *advice,
			       const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(check, id, false, advice, fmt, args);
	va_end(args);
}

/* TDX may work all the same. */
static void __printf(4, 5) warn(struct check *check, const char *id, const char *advice,
				const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(check, id, true, advice, fmt, args);
	va_end(args);
}

static void unseen(struct check *check, const char *what)
{
	struct diagnosis *out = check->out;

	if (out->nr_unseen < ARRAY_SIZE(out->unseen))
		out->unseen[out->nr_unseen++] = what;
}

static bool has_bad(const struct diagnosis *out)
{
	unsigned int i;

	for (i = 0; i < out->nr_findings; i++) {
		if (!out->findings[i].is_warning)
			return true;
	}
	return false;
}

/* False: not known on any CPU. */
static bool get_msr(const struct host *host, unsigned int msr, u64 *value)
{
	const struct cpu *cpu = msr_reference(host, msr);

	if (cpu)
		*value = cpu->msr[msr];

	return cpu;
}

/* Every online CPU says that it does not have the MSR. */
static bool lacks_msr(const struct host *host, unsigned int msr)
{
	unsigned int i, nr = 0;

	for (i = 0; i < host->nr_cpus; i++) {
		if (!host->cpus[i].online)
			continue;
		if (host->cpus[i].msr_error[msr] != EIO)
			return false;
		nr++;
	}
	return nr;
}

/*
 * CPU
 */

static void check_cpu(struct check *check)
{
	const struct host *host = check->host;

	if (!host->has_cpuinfo)
		return;

	if (host->cpu_vendor && strcmp(host->cpu_vendor, "GenuineIntel"))
		bad(check, "cpu-vendor", "TDX needs an Intel Xeon",
		    "The CPU is made by %s", host->cpu_vendor);
	if (!host->has_vmx)
		bad(check, "vmx-off", "enable VT-x (VMX) in the BIOS setup",
		    "The CPU has no VMX, or it is off in the BIOS setup");
	if (!host->has_movdir64b)
		warn(check, "movdir64b-off", "remove clearcpuid= from the kernel's command line",
		     "The CPU does not show MOVDIR64B, which TDX needs to clear private memory");
}

/*
 * MSRs that BIOS sets
 */

static void check_vmx(struct check *check, u64 value)
{
	if ((value & FEATURE_CONTROL_LOCKED) && !(value & FEATURE_CONTROL_VMX))
		bad(check, "vmx-locked-off", "enable VT-x (VMX) in the BIOS setup",
		    "BIOS locked VMX off: MSR 0x3a IA32_FEATURE_CONTROL is 0x%llx, bit 2 is 0",
		    value);
}

static void check_seam(struct check *check)
{
	u64 mtrrcap;

	if (!get_msr(check->host, MSR_MTRRCAP, &mtrrcap) || (mtrrcap & MTRRCAP_SEAMRR))
		return;

	bad(check, "cpu-without-seam",
	    "TDX needs a Xeon that has it: fifth generation or later, or a TDX model of the fourth",
	    "The CPU has no SEAM: MSR 0xfe IA32_MTRRCAP is 0x%llx, bit 15 is 0", mtrrcap);
}

static void check_tme(struct check *check)
{
	u64 value;

	if (lacks_msr(check->host, MSR_TME_ACTIVATE)) {
		bad(check, "tme-missing",
		    "look for a BIOS update; TDX needs a Xeon that has TME-MT",
		    "The CPU has no memory encryption (TME): MSR 0x982 IA32_TME_ACTIVATE does not exist");
		return;
	}
	if (!get_msr(check->host, MSR_TME_ACTIVATE, &value))
		return;

	if (!(value & TME_ACTIVATE_ENABLED))
		bad(check, "tme-off", "enable TME and TME-MT (memory encryption) in the BIOS setup",
		    "Memory encryption is off: MSR 0x982 IA32_TME_ACTIVATE is 0x%llx, bit 1 is 0",
		    value);
	else if (!(value & TME_ACTIVATE_LOCKED))
		bad(check, "tme-not-locked", "firmware must lock it, look for a BIOS update",
		    "BIOS did not lock MSR 0x982 IA32_TME_ACTIVATE: it is 0x%llx, bit 0 is 0",
		    value);
}

static void check_keyids(struct check *check)
{
	static const char advice[] =
		"raise the number of TDX KeyIDs (TME-MT/TDX key split) in the BIOS setup";
	u64 value;
	u32 nr;

	if (lacks_msr(check->host, MSR_KEYID_PARTITIONING)) {
		bad(check, "keyids-missing", "enable TME-MT (multi-tenant) in the BIOS setup",
		    "The CPU does not split KeyIDs: MSR 0x87 IA32_MKTME_KEYID_PARTITIONING does not exist");
		return;
	}
	if (!get_msr(check->host, MSR_KEYID_PARTITIONING, &value))
		return;

	nr = value >> 32;
	if (!nr)
		bad(check, "keyids-none",
		    "enable TDX and give it KeyIDs (TME-MT/TDX key split) in the BIOS setup",
		    "BIOS gives TDX no KeyID: MSR 0x87 IA32_MKTME_KEYID_PARTITIONING is 0x%llx",
		    value);
	else if (nr < 2)
		bad(check, "keyids-too-few", advice,
		    "BIOS gives TDX one KeyID only: it is the module's, TDs need one each (MSR 0x87 is 0x%llx)",
		    value);
}

static void check_mcheck(struct check *check)
{
	u64 value;

	if (get_msr(check->host, MSR_MCHECK_STATUS, &value) && value)
		bad(check, "mcheck-failed",
		    "populate memory alike on all sockets as the board's TDX rules say (every channel, no mixed DIMMs), then look for a BIOS update",
		    "The CPU refuses BIOS's configuration: MCHECK status MSR 0xa0 is 0x%llx, must be 0",
		    value);
}

static void check_seamrr(struct check *check)
{
	u64 base = 0, mask;

	if (lacks_msr(check->host, MSR_SEAMRR_MASK)) {
		bad(check, "seamrr-missing", "TDX needs a Xeon that has it",
		    "The CPU has no SEAMRR: MSR 0x1401 IA32_SEAMRR_PHYS_MASK does not exist");
		return;
	}
	if (!get_msr(check->host, MSR_SEAMRR_MASK, &mask))
		return;

	if (get_msr(check->host, MSR_SEAMRR_BASE, &base) && !(base & SEAMRR_CONFIGURED))
		bad(check, "seamrr-not-configured",
		    "enable TDX and its SEAM loader in the BIOS setup",
		    "BIOS set no memory aside for the TDX module: MSR 0x1400 IA32_SEAMRR_PHYS_BASE is 0x%llx, bit 3 is 0",
		    base);
	else if (!(mask & SEAMRR_LOCKED))
		bad(check, "seamrr-not-locked",
		    "enable the SEAM loader in the BIOS setup; if it is enabled, look for a BIOS update",
		    "SEAMRR is not locked: no TDX module can be loaded (MSR 0x1401 IA32_SEAMRR_PHYS_MASK is 0x%llx, bit 10 is 0)",
		    mask);
	else if (!(mask & SEAMRR_ENABLED))
		bad(check, "seamrr-off", "enable TDX and its SEAM loader in the BIOS setup",
		    "SEAMRR is not enabled: SEAMCALL raises #GP (MSR 0x1401 IA32_SEAMRR_PHYS_MASK is 0x%llx, bit 11 is 0)",
		    mask);
	else if (!(mask & SEAMRR_ADDRESS))
		bad(check, "seamrr-empty", "look for a BIOS update",
		    "SEAMRR has no size: the TDX module would reset the machine (MSR 0x1401 IA32_SEAMRR_PHYS_MASK is 0x%llx, bits 51 to 25 are 0)",
		    mask);
}

/* The module needs all 52; a limit of 46 is a usual item of BIOS setups. */
static void check_address_bits(struct check *check)
{
	const struct host *host = check->host;
	unsigned int bits = host->address_bits;
	u64 tme;

	if (!bits || !get_msr(host, MSR_TME_ACTIVATE, &tme) || lacks_msr(host, MSR_SEAMRR_MASK))
		return;

	/* A kernel that knows TME takes the KeyID bits off. */
	if (host->has_tme && (tme & TME_ACTIVATE_ENABLED))
		bits += tme >> 32 & 0xf;

	if (bits < 52)
		bad(check, "address-limit",
		    "turn the limit of physical address bits (46 bits) off in the BIOS setup",
		    "Physical addresses have %u bits, the TDX module needs 52", bits);
}

static void list_cpus(const struct host *host, char *text, size_t len,
		      bool (*belongs)(const struct host *host, unsigned int i, unsigned int what),
		      unsigned int what)
{
	unsigned int i, first;
	int n = 0;

	text[0] = '\0';
	for (i = 0; i < host->nr_cpus; i++) {
		if (!belongs(host, i, what))
			continue;
		first = i;
		while (i + 1 < host->nr_cpus && belongs(host, i + 1, what) &&
		       host->cpus[i + 1].number == host->cpus[i].number + 1)
			i++;
		n += scnprintf(text + n, len - n, "%s%u", n ? "," : "", host->cpus[first].number);
		if (i > first)
			n += scnprintf(text + n, len - n, "-%u", host->cpus[i].number);
	}
}

/* There is a reference. */
static bool msr_differs(const struct host *host, unsigned int i, unsigned int msr)
{
	const struct cpu *cpu = &host->cpus[i];

	return cpu->online && !cpu->msr_error[msr] &&
	       cpu->msr[msr] != msr_reference(host, msr)->msr[msr];
}

static bool is_offline(const struct host *host, unsigned int i, unsigned int unused)
{
	(void)unused;
	return !host->cpus[i].online;
}

static const struct cpu *first_differing(const struct host *host, unsigned int msr)
{
	unsigned int i;

	for (i = 0; i < host->nr_cpus; i++) {
		if (msr_differs(host, i, msr))
			return &host->cpus[i];
	}
	return NULL;
}

static void check_msrs_alike(struct check *check)
{
	const struct host *host = check->host;
	const struct cpu *reference, *other;
	char cpus[256];
	unsigned int i;

	for (i = 0; i < NR_MSRS; i++) {
		reference = msr_reference(host, i);
		other = reference ? first_differing(host, i) : NULL;
		if (!other)
			continue;
		list_cpus(host, cpus, sizeof(cpus), msr_differs, i);
		bad(check, "msr-differs",
		    "firmware must set it alike on all CPUs, look for a BIOS update",
		    "MSR 0x%x %s is 0x%llx on CPU %u, but 0x%llx on CPU %u; it differs on CPUs %s",
		    msr_numbers[i], tdx_msr_name(msr_numbers[i]), reference->msr[i],
		    reference->number, other->msr[i], other->number, cpus);
	}
}

static void check_msrs(struct check *check)
{
	u64 value;

	if (get_msr(check->host, MSR_FEATURE_CONTROL, &value))
		check_vmx(check, value);
	check_seam(check);
	check_tme(check);
	check_keyids(check);
	check_mcheck(check);
	check_seamrr(check);
	check_address_bits(check);
	check_msrs_alike(check);
}

/*
 * CPUs among each other
 */

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static void check_cpus_alike(struct check *check)
{
	const struct host *host = check->host;
	const struct cpu *first = NULL, *cpu;
	unsigned int i;

	for (i = 0; i < host->nr_cpus; i++) {
		cpu = &host->cpus[i];
		if (!cpu->online || !cpu->version)
			continue;
		if (!first)
			first = cpu;

		if (!same_text(first->version, cpu->version)) {
			bad(check, "cpus-differ", "use the same CPU in all sockets",
			    "CPU %u is %s, but CPU %u is %s", first->number, first->version,
			    cpu->number, cpu->version);
			return;
		}
		if (!same_text(first->microcode, cpu->microcode)) {
			bad(check, "microcode-differs",
			    "update the microcode of all CPUs and reboot",
			    "Microcode is %s on CPU %u, but %s on CPU %u", first->microcode,
			    first->number, cpu->microcode, cpu->number);
			return;
		}
	}
}

static void check_cpus_online(struct check *check)
{
	const struct host *host = check->host;
	char cpus[256];

	if (!host->nr_online || host->nr_online == host->nr_cpus)
		return;

	list_cpus(host, cpus, sizeof(cpus), is_offline, 0);
	warn(check, "cpus-offline",
	     "bring them online once before TDX is initialised (if SMT is off: echo on > /sys/devices/system/cpu/smt/control); remove maxcpus=, nr_cpus= and nosmt=force from the kernel's command line",
	     "%u of %u CPUs are offline: %s. The module has to be initialised on every CPU",
	     host->nr_cpus - host->nr_online, host->nr_cpus, cpus);
}

/*
 * Kernel
 */

static const char *state_of(const struct host *host)
{
	return host->has_sysfs ? host->sysfs[SYSFS_STATE] : "";
}

static bool state_is(const struct host *host, const char *state)
{
	return !strcasecmp(state_of(host), state);
}

/* The option as a whole word. */
static bool on_command_line(const struct host *host, const char *option)
{
	const char *at = host->command_line;
	size_t len = strlen(option);

	for (; at && (at = strstr(at, option)); at += len) {
		if ((at == host->command_line || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
	}
	return false;
}

static void check_kernel(struct check *check)
{
	static const char rebuild[] = "boot a kernel that has TDX host support";
	const struct host *host = check->host;

	if (!host->has_sysfs && host->configured == NO)
		bad(check, "kernel-without-tdx", rebuild,
		    "Linux %s has no TDX host support: CONFIG_INTEL_TDX_HOST is not set",
		    host->release);
	if (host->kvm_tdx && !strcmp(host->kvm_tdx, "N"))
		warn(check, "kvm-tdx-off",
		     "load kvm_intel with tdx=1, or boot with kvm_intel.tdx=1",
		     "KVM does not use TDX: kvm_intel's parameter tdx is N");
	else if (host->kvm_intel == NO && !state_is(host, "initialized"))
		warn(check, "kvm-intel-missing", "modprobe kvm_intel",
		     "kvm_intel is not loaded; TDX is initialised by KVM");
}

/*
 * Module, as the log and sysfs have it
 */

static const struct log_entry *last_good(const struct host *host)
{
	const struct log_entry *entry, *good = NULL;

	for (entry = host->log; entry; entry = entry->next) {
		if (entry->found.message && strstr(entry->line, "module initialized"))
			good = entry;
	}
	return good;
}

static bool is_bad(const struct tdx_found *found)
{
	if (found->has_status)
		return found->status >> 63;

	return found->message && found->message->severity == TDX_BAD;
}

static void check_log_entry(struct check *check, const struct tdx_found *found, const char *line)
{
	char text[TDX_STATUS_LEN], call[96] = "";
	const char *advice;

	if (found->has_status) {
		u64 fn = found->has_leaf ? found->fn : ~0ULL;
		const struct tdx_status_regs *regs = found->regs_seen ? &found->regs : NULL;

		if (found->has_leaf)
			scnprintf(call, sizeof(call), "%s: ", tdx_leaf_name(fn));
		tdx_seamcall_detail(text, sizeof(text), fn, found->status, regs);
		advice = tdx_seamcall_advice(fn, found->status, regs);
		if (!advice && found->message)
			advice = found->message->advice;
		bad(check, "seamcall-failed", advice, "%s%s (0x%llx)%s%s%s%s", call,
		    tdx_status_name(found->status), found->status, *text ? ": " : "", text,
		    tdx_status_meaning(found->status) ? ". " : "",
		    tdx_status_meaning(found->status) ? tdx_status_meaning(found->status) : "");
		return;
	}

	advice = found->message->advice;
	if (found->has_errno && !advice && tdx_find_errno(found->err))
		advice = tdx_find_errno(found->err)->advice;
	bad(check, "log", advice, "%s. The log says: %s", found->message->meaning, line);
}

/* Errors since the module was last initialised. What came first explains the rest. */
static void check_log(struct check *check)
{
	const struct log_entry *entry = last_good(check->host);
	unsigned int nr = 0;

	for (entry = entry ? entry->next : check->host->log; entry; entry = entry->next) {
		if (is_bad(&entry->found) && nr++ < 3)
			check_log_entry(check, &entry->found, entry->line);
	}
}

/* The log has the registers, too, which say more than the status. */
static const struct tdx_found *find_in_log(const struct host *host, const struct tdx_found *found)
{
	const struct log_entry *entry;
	const struct tdx_found *best = found;

	for (entry = host->log; entry; entry = entry->next) {
		if (found->has_status && entry->found.has_status && entry->found.regs_seen &&
		    entry->found.status == found->status && entry->found.fn == found->fn)
			best = &entry->found;
	}
	return best;
}

static void check_last_error(struct check *check)
{
	const char *text = check->host->sysfs[SYSFS_LAST_ERROR];
	struct tdx_found found;
	char line[1024];

	if (!text || !*text || !strcmp(text, "none") || state_is(check->host, "initialized"))
		return;

	/* The MSRs said so already. */
	if (has_bad(check->out) && !strncmp(text, "not available:", strlen("not available:")))
		return;

	scnprintf(line, sizeof(line), "tdx: %s", text);
	if (tdx_parse_line(line, &found) && (found.has_status || found.message))
		check_log_entry(check, find_in_log(check->host, &found), text);
	else
		bad(check, "last-error", NULL, "The kernel says: %s", text);
}

/* It works as any other, so nothing else tells. */
static void check_debug(struct check *check)
{
	const char *text = check->host->sysfs[SYSFS_ATTRIBUTES];
	u64 value;

	if (text && tdx_parse_number(text, &value) && (value & MODULE_ATTRIBUTES_DEBUG))
		warn(check, "module-debug", "have the BIOS load a production module",
		     "The TDX module is a debug one, it does not protect TDs: its attributes are 0x%llx, bit 31 is 1",
		     value);
}

static void check_module(struct check *check)
{
	const struct host *host = check->host;

	if (host->sysfs[SYSFS_LAST_ERROR] && *host->sysfs[SYSFS_LAST_ERROR])
		check_last_error(check);
	else
		check_log(check);

	if (state_is(host, "shutdown"))
		bad(check, "module-shut-down", "care for the cause, then reboot",
		    "The TDX module was shut down and can not be used until the machine reboots");
	if (state_is(host, "none") && !has_bad(check->out))
		bad(check, "module-none",
		    "look for lines of TDX in the kernel's log: dmesg | tdx-decode -",
		    "The kernel found no TDX module");
	if (on_command_line(host, "tdx_host=off"))
		bad(check, "turned-off", "remove tdx_host=off from the kernel's command line",
		    "TDX is turned off on the kernel's command line");
	check_debug(check);
}

/*
 * What could not be seen
 */

static void note_msrs(struct check *check)
{
	const struct host *host = check->host;
	unsigned int i;
	int err = 0;

	if (!host->nr_cpus) {
		unseen(check, "CPUs and their MSRs: /sys/devices/system/cpu can not be read");
		return;
	}
	for (i = 0; i < host->nr_cpus && !err; i++) {
		if (host->cpus[i].online && host->cpus[i].msr_error[0] != EIO)
			err = host->cpus[i].msr_error[0];
	}
	if (err == EACCES || err == EPERM)
		unseen(check, "BIOS switches: MSRs can be read by root only");
	else if (err == ENOENT || err == ENXIO || err == ENODEV)
		unseen(check, "BIOS switches: /dev/cpu/*/msr is missing, try modprobe msr");
	else if (err)
		unseen(check, "BIOS switches: MSRs can not be read");
}

static void note_unseen(struct check *check)
{
	const struct host *host = check->host;

	note_msrs(check);
	if (!host->has_cpuinfo)
		unseen(check, "CPU model and flags: /proc/cpuinfo can not be read");
	if (!host->has_sysfs && host->configured != NO)
		unseen(check, "TDX state: this kernel has no /sys/firmware/tdx");
	if (!host->has_sysfs && host->configured == UNKNOWN)
		unseen(check, "kernel configuration: there is no file of it");
	if (host->log_error == EACCES || host->log_error == EPERM)
		unseen(check, "kernel log: it can be read by root only");
	else if (host->log_error)
		unseen(check, "kernel log: /dev/kmsg can not be read");
	else if (host->log_begin_is_lost)
		unseen(check,
		       "kernel log of the boot: its beginning was overwritten, look into the journal");
}

static bool found_id(const struct diagnosis *out, const char *id)
{
	unsigned int i;

	for (i = 0; i < out->nr_findings; i++) {
		if (!strcmp(out->findings[i].id, id))
			return true;
	}
	return false;
}

/* Without these it is not a TDX machine, and no reason to worry. */
static bool is_absent(const struct check *check)
{
	static const char * const ids[] = {
		"cpu-vendor", "cpu-without-seam", "tme-missing", "seamrr-missing",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		if (found_id(check->out, ids[i]))
			return true;
	}
	return found_id(check->out, "keyids-none") &&
	       (found_id(check->out, "seamrr-not-configured") ||
		found_id(check->out, "seamrr-off"));
}

static enum verdict judge(const struct check *check)
{
	const struct host *host = check->host;
	u64 unused;

	if (state_is(host, "initialized"))
		return VERDICT_READY;
	if (!host->has_sysfs && last_good(host) && !has_bad(check->out))
		return VERDICT_READY;
	if (is_absent(check))
		return VERDICT_ABSENT;
	if (has_bad(check->out))
		return VERDICT_BROKEN;
	if (state_is(host, "loaded"))
		return VERDICT_AVAILABLE;
	if (get_msr(host, MSR_SEAMRR_MASK, &unused) && (host->has_sysfs || host->configured == YES))
		return VERDICT_AVAILABLE;

	return VERDICT_UNKNOWN;
}

void diagnose(const struct host *host, struct diagnosis *diagnosis)
{
	static const char * const summary[] = {
		[VERDICT_READY]		= "TDX is initialised, TDs can be created",
		[VERDICT_AVAILABLE]	= "TDX can be initialised, which KVM does if it uses TDX",
		[VERDICT_BROKEN]	= "TDX can not be used",
		[VERDICT_ABSENT]	= "TDX is not there: the CPU is without or BIOS has it off",
		[VERDICT_UNKNOWN]	= "can not tell, see what could not be seen",
	};
	struct check check = { .host = host, .out = diagnosis };

	memset(diagnosis, 0, sizeof(*diagnosis));

	check_cpu(&check);
	check_msrs(&check);
	check_cpus_alike(&check);
	check_kernel(&check);
	check_module(&check);
	check_cpus_online(&check);
	note_unseen(&check);

	diagnosis->verdict = judge(&check);
	diagnosis->summary = summary[diagnosis->verdict];
}
