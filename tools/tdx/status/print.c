// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <linux/kernel.h>

#include "host.h"
#include "json.h"
#include "messages.h"

static void section(const char *name)
{
	printf("\n%s\n", name);
}

static void __printf(2, 3) item(const char *name, const char *fmt, ...)
{
	va_list args;

	printf("  %-18s", name);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

static const char *or_unknown(const char *text)
{
	return text ? text : "not known";
}

static const char *on_off(u64 value, u64 bit)
{
	return value & bit ? "yes" : "NO";
}

/*
 * What the bits of an MSR mean
 */

static int put_feature_control(char *text, size_t len, u64 value)
{
	return scnprintf(text, len, "locked: %s, VMX: %s, SEAM: %s",
			 on_off(value, FEATURE_CONTROL_LOCKED), on_off(value, FEATURE_CONTROL_VMX),
			 on_off(value, FEATURE_CONTROL_SEAMRR));
}

static int put_keyids(char *text, size_t len, u64 value)
{
	u32 mktme = value, tdx = value >> 32;

	if (!tdx)
		return scnprintf(text, len, "%u for TME-MT, none for TDX", mktme);

	return scnprintf(text, len, "%u for TME-MT, %u for TDX: [%u, %llu)", mktme, tdx, mktme + 1,
			 (u64)mktme + 1 + tdx);
}

static int put_mcheck(char *text, size_t len, u64 value)
{
	return scnprintf(text, len, "%s", value ? "MCHECK FAILED" : "MCHECK passed");
}

static int put_mtrrcap(char *text, size_t len, u64 value)
{
	return scnprintf(text, len, "SEAMRR: %s", on_off(value, MTRRCAP_SEAMRR));
}

static int put_algorithms(char *text, size_t len, u32 bits)
{
	static const char * const name[] = {
		"AES-XTS-128", "AES-XTS-128 with integrity",
		"AES-XTS-256", "AES-XTS-256 with integrity",
	};
	unsigned int i;
	int n = 0;

	text[0] = '\0';
	for (i = 0; i < ARRAY_SIZE(name); i++) {
		if (bits & 1U << i)
			n += scnprintf(text + n, len - n, "%s%s", n ? ", " : "", name[i]);
	}
	return n ? n : scnprintf(text, len, "no algorithm");
}

static int put_tme_capability(char *text, size_t len, u64 value)
{
	return put_algorithms(text, len, value & 0xf);
}

static int put_tme_activate(char *text, size_t len, u64 value)
{
	int n;

	n = scnprintf(text, len, "locked: %s, enabled: %s, %sKeyID bits: %u, ",
		      on_off(value, TME_ACTIVATE_LOCKED), on_off(value, TME_ACTIVATE_ENABLED),
		      value & TME_ACTIVATE_BYPASS ? "bypass, " : "",
		      (unsigned int)(value >> 32 & 0xf));

	return n + put_algorithms(text + n, len - n, value >> 48 & 0xf);
}

static int put_seamrr_base(char *text, size_t len, u64 value)
{
	return scnprintf(text, len, "configured: %s, base 0x%llx",
			 on_off(value, SEAMRR_CONFIGURED), value & SEAMRR_ADDRESS);
}

static int put_seamrr_mask(char *text, size_t len, u64 value)
{
	u64 mask = value & SEAMRR_ADDRESS;

	return scnprintf(text, len, "locked: %s, enabled: %s, %llu MiB",
			 on_off(value, SEAMRR_LOCKED), on_off(value, SEAMRR_ENABLED),
			 (mask & -mask) >> 20);
}

static int (* const put_msr[NR_MSRS])(char *text, size_t len, u64 value) = {
	[MSR_FEATURE_CONTROL]		= put_feature_control,
	[MSR_KEYID_PARTITIONING]	= put_keyids,
	[MSR_MCHECK_STATUS]		= put_mcheck,
	[MSR_MTRRCAP]			= put_mtrrcap,
	[MSR_TME_CAPABILITY]		= put_tme_capability,
	[MSR_TME_ACTIVATE]		= put_tme_activate,
	[MSR_SEAMRR_BASE]		= put_seamrr_base,
	[MSR_SEAMRR_MASK]		= put_seamrr_mask,
};

static const char *error_text(int err)
{
	return err == EIO ? "this CPU does not have it" : strerror(err);
}

/* Why no CPU has it: the first that says so. */
static const char *msr_error(const struct host *host, unsigned int msr)
{
	unsigned int i;

	for (i = 0; i < host->nr_cpus; i++) {
		if (host->cpus[i].online)
			return error_text(host->cpus[i].msr_error[msr]);
	}
	return "no CPU can be read";
}

static unsigned int count_msr(const struct host *host, unsigned int msr)
{
	unsigned int i, nr = 0;

	for (i = 0; i < host->nr_cpus; i++)
		nr += host->cpus[i].online && !host->cpus[i].msr_error[msr];

	return nr;
}

/*
 * Text
 */

static void print_machine(const struct host *host)
{
	const struct cpu *cpu = host->nr_cpus ? &host->cpus[0] : NULL;

	section("Machine");
	item("system", "%s %s", or_unknown(host->vendor), host->product ? host->product : "");
	item("BIOS", "%s, %s", or_unknown(host->bios_version), or_unknown(host->bios_date));
	item("CPU", "%s", or_unknown(host->cpu_model));
	if (cpu && cpu->version)
		item("", "%s, microcode %s", cpu->version, or_unknown(cpu->microcode));
	item("CPUs", "%u present, %u online", host->nr_cpus, host->nr_online);
	if (host->address_bits)
		item("address bits", "%u", host->address_bits);
	if (host->is_guest)
		item("hypervisor", "this is a virtual machine");
}

static void print_msrs(const struct host *host)
{
	char name[64], text[256];
	unsigned int i;

	section("BIOS switches");
	for (i = 0; i < NR_MSRS; i++) {
		const struct cpu *cpu = msr_reference(host, i);

		snprintf(name, sizeof(name), "MSR 0x%x", msr_numbers[i]);
		if (!cpu) {
			item(name, "%s: %s", tdx_msr_name(msr_numbers[i]), msr_error(host, i));
			continue;
		}
		put_msr[i](text, sizeof(text), cpu->msr[i]);
		item(name, "%s 0x%llx", tdx_msr_name(msr_numbers[i]), cpu->msr[i]);
		item("", "%s", text);
	}
}

static void print_kernel(const struct host *host)
{
	static const char * const answer[] = { "not known", "NO", "yes" };

	section("Kernel");
	item("release", "%s", or_unknown(host->release));
	item("TDX host support", "%s", host->has_sysfs ? "yes" : answer[host->configured]);
	item("kvm_intel loaded", "%s%s%s", answer[host->kvm_intel],
	     host->kvm_tdx ? ", tdx=" : "", host->kvm_tdx ? host->kvm_tdx : "");
}

static void print_module(const struct host *host)
{
	int i;

	if (!host->has_sysfs)
		return;

	section("TDX module");
	for (i = 0; i < NR_SYSFS; i++) {
		if (host->sysfs[i] && *host->sysfs[i])
			item(sysfs_names[i], "%s", host->sysfs[i]);
	}
}

#define LOG_LINES_MAX	12

static void print_log(const struct host *host)
{
	const struct log_entry *entry;
	unsigned int nr = 0;

	if (!host->log)
		return;

	for (entry = host->log; entry; entry = entry->next)
		nr++;

	section("Kernel log");
	if (nr > LOG_LINES_MAX)
		printf("  ... %u earlier lines\n", nr - LOG_LINES_MAX);
	for (entry = host->log; entry; entry = entry->next) {
		if (nr-- <= LOG_LINES_MAX)
			printf("  %s\n", entry->line);
	}
}

static void print_findings(const struct diagnosis *diagnosis)
{
	unsigned int i;

	if (diagnosis->nr_findings)
		section("Findings, care for the first one first");
	for (i = 0; i < diagnosis->nr_findings; i++) {
		const struct finding *finding = &diagnosis->findings[i];

		printf("  %u. %s%s\n", i + 1, finding->is_warning ? "(warning) " : "",
		       finding->text);
		if (*finding->advice)
			printf("     -> %s\n", finding->advice);
	}

	if (diagnosis->nr_unseen)
		section("Not seen");
	for (i = 0; i < diagnosis->nr_unseen; i++)
		printf("  %s\n", diagnosis->unseen[i]);
}

void print_text(const struct host *host, const struct diagnosis *diagnosis)
{
	printf("tdx-status: %s\n", diagnosis->summary);
	print_findings(diagnosis);
	print_module(host);
	print_msrs(host);
	print_kernel(host);
	print_machine(host);
	print_log(host);
}

/*
 * JSON
 */

static void json_msrs(struct json *json, const struct host *host)
{
	unsigned int i, c;

	json_array(json, "msrs");
	for (i = 0; i < NR_MSRS; i++) {
		const struct cpu *reference = msr_reference(host, i);
		char text[256];

		json_object(json, NULL);
		json_hex(json, "msr", msr_numbers[i]);
		json_string(json, "name", tdx_msr_name(msr_numbers[i]));
		json_number(json, "cpus_read", count_msr(host, i));
		if (!reference) {
			json_string(json, "error", msr_error(host, i));
			json_end(json);
			continue;
		}
		put_msr[i](text, sizeof(text), reference->msr[i]);
		json_hex(json, "value", reference->msr[i]);
		json_string(json, "means", text);
		json_object(json, "differs");
		for (c = 0; c < host->nr_cpus; c++) {
			const struct cpu *cpu = &host->cpus[c];
			char number[16];

			if (!cpu->online || cpu->msr_error[i] || cpu->msr[i] == reference->msr[i])
				continue;
			snprintf(number, sizeof(number), "%u", cpu->number);
			json_hex(json, number, cpu->msr[i]);
		}
		json_end(json);
		json_end(json);
	}
	json_end(json);
}

static void json_machine(struct json *json, const struct host *host)
{
	const struct cpu *cpu = host->nr_cpus ? &host->cpus[0] : NULL;

	json_object(json, "machine");
	json_string(json, "vendor", host->vendor);
	json_string(json, "product", host->product);
	json_string(json, "bios_version", host->bios_version);
	json_string(json, "bios_date", host->bios_date);
	json_string(json, "cpu_vendor", host->cpu_vendor);
	json_string(json, "cpu_model", host->cpu_model);
	json_string(json, "cpu_version", cpu ? cpu->version : NULL);
	json_string(json, "microcode", cpu ? cpu->microcode : NULL);
	json_number(json, "cpus_present", host->nr_cpus);
	json_number(json, "cpus_online", host->nr_online);
	json_number(json, "address_bits", host->address_bits);
	json_bool(json, "virtual", host->is_guest);
	json_end(json);
}

static void json_answer(struct json *json, const char *name, enum answer answer)
{
	if (answer == UNKNOWN)
		json_string(json, name, NULL);
	else
		json_bool(json, name, answer == YES);
}

static void json_kernel(struct json *json, const struct host *host)
{
	json_object(json, "kernel");
	json_string(json, "release", host->release);
	json_string(json, "command_line", host->command_line);
	json_answer(json, "tdx_host_support", host->has_sysfs ? YES : host->configured);
	json_answer(json, "kvm_intel_loaded", host->kvm_intel);
	json_string(json, "kvm_intel_tdx", host->kvm_tdx);
	json_end(json);
}

static void json_module(struct json *json, const struct host *host)
{
	int i;

	json_object(json, "module");
	for (i = 0; i < NR_SYSFS; i++)
		json_string(json, sysfs_names[i], host->sysfs[i]);
	json_end(json);
}

static void json_log(struct json *json, const struct host *host)
{
	const struct log_entry *entry;

	json_array(json, "log");
	for (entry = host->log; entry; entry = entry->next)
		json_string(json, NULL, entry->line);
	json_end(json);
}

static void json_findings(struct json *json, const struct diagnosis *diagnosis)
{
	unsigned int i;

	json_array(json, "findings");
	for (i = 0; i < diagnosis->nr_findings; i++) {
		const struct finding *finding = &diagnosis->findings[i];

		json_object(json, NULL);
		json_string(json, "id", finding->id);
		json_string(json, "severity", finding->is_warning ? "warning" : "error");
		json_string(json, "text", finding->text);
		json_string(json, "advice", *finding->advice ? finding->advice : NULL);
		json_end(json);
	}
	json_end(json);

	json_array(json, "not_seen");
	for (i = 0; i < diagnosis->nr_unseen; i++)
		json_string(json, NULL, diagnosis->unseen[i]);
	json_end(json);
}

void print_json(const struct host *host, const struct diagnosis *diagnosis)
{
	static const char * const verdict[] = {
		[VERDICT_READY]		= "ready",
		[VERDICT_AVAILABLE]	= "available",
		[VERDICT_BROKEN]	= "broken",
		[VERDICT_ABSENT]	= "absent",
		[VERDICT_UNKNOWN]	= "unknown",
	};
	struct json json = { .file = stdout };

	json_object(&json, NULL);
	json_string(&json, "verdict", verdict[diagnosis->verdict]);
	json_string(&json, "summary", diagnosis->summary);
	json_findings(&json, diagnosis);
	json_module(&json, host);
	json_msrs(&json, host);
	json_kernel(&json, host);
	json_machine(&json, host);
	json_log(&json, host);
	json_end(&json);
}
