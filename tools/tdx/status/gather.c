// SPDX-License-Identifier: GPL-2.0-or-later
/* What the files of the machine say. No judgement here. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>

#include "host.h"

/* More than Linux allows; a damaged list must not eat all memory. */
#define CPU_NUMBER_MAX	65535

const u32 msr_numbers[NR_MSRS] = {
	[MSR_FEATURE_CONTROL]		= 0x3a,
	[MSR_KEYID_PARTITIONING]	= 0x87,
	[MSR_MCHECK_STATUS]		= 0xa0,
	[MSR_MTRRCAP]			= 0xfe,
	[MSR_TME_CAPABILITY]		= 0x981,
	[MSR_TME_ACTIVATE]		= 0x982,
	[MSR_SEAMRR_BASE]		= 0x1400,
	[MSR_SEAMRR_MASK]		= 0x1401,
};

const char * const sysfs_names[NR_SYSFS] = {
	[SYSFS_STATE]		= "state",
	[SYSFS_MODULE_VERSION]	= "module_version",
	[SYSFS_BUILD]		= "build",
	[SYSFS_ATTRIBUTES]	= "attributes",
	[SYSFS_SEAMLDR_VERSION]	= "seamldr_version",
	[SYSFS_KEYIDS]		= "keyids",
	[SYSFS_FEATURES]	= "features",
	[SYSFS_PAMT_KB]		= "pamt_kb",
	[SYSFS_INIT_TIME_MS]	= "init_time_ms",
	[SYSFS_LAST_ERROR]	= "last_error",
};

static void *allocate(size_t nr, size_t size)
{
	void *p = calloc(nr ? nr : 1, size);

	if (!p) {
		fputs("tdx-status: out of memory\n", stderr);
		exit(EXIT_TROUBLE);
	}
	return p;
}

static char *copy(const char *text)
{
	return strcpy(allocate(1, strlen(text) + 1), text);
}

/* Nothing of the machine may control the terminal. */
static void make_printable(char *text)
{
	for (; *text; text++) {
		if (iscntrl((unsigned char)*text))
			*text = *text == '\t' ? ' ' : '?';
	}
}

static char *read_line(const struct files *files, const char *path)
{
	char *line = files_read_line(files, path);

	if (line)
		make_printable(line);

	return line;
}

/* The next line of @text as a string, NULL at its end. */
static char *next_line(char **text)
{
	char *line = *text;

	if (!*line)
		return NULL;

	*text += strcspn(line, "\n");
	if (**text)
		*(*text)++ = '\0';

	return line;
}

/*
 * CPUs
 */

/* CPUs ascend, see add_cpu(). */
static int compare_cpus(const void *a, const void *b)
{
	const struct cpu *left = a, *right = b;

	return (left->number > right->number) - (left->number < right->number);
}

static struct cpu *find_cpu(const struct host *host, unsigned long number)
{
	struct cpu key = { .number = number };

	if (!host->nr_cpus || number > CPU_NUMBER_MAX)
		return NULL;

	return bsearch(&key, host->cpus, host->nr_cpus, sizeof(key), compare_cpus);
}

/* "0-3,5": calls @add for each. */
static void walk_cpu_list(const char *list, struct host *host,
			  void (*add)(struct host *host, unsigned int cpu))
{
	while (isdigit((unsigned char)*list)) {
		char *end;
		unsigned long first = strtoul(list, &end, 10), last = first;

		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		for (; first <= last && first <= CPU_NUMBER_MAX; first++)
			add(host, first);
		list = *end == ',' ? end + 1 : end;
	}
}

static void add_cpu(struct host *host, unsigned int number)
{
	struct cpu *cpu;

	/* Lists ascend. One that does not has nothing more to say. */
	if (host->nr_cpus && host->cpus[host->nr_cpus - 1].number >= number)
		return;

	/* Double when full: a power of two. */
	if (!(host->nr_cpus & (host->nr_cpus - 1))) {
		cpu = allocate(host->nr_cpus ? 2 * host->nr_cpus : 1, sizeof(*cpu));
		if (host->nr_cpus)
			memcpy(cpu, host->cpus, host->nr_cpus * sizeof(*cpu));
		free(host->cpus);
		host->cpus = cpu;
	}
	host->cpus[host->nr_cpus++].number = number;
}

static void set_online(struct host *host, unsigned int number)
{
	struct cpu *cpu = find_cpu(host, number);

	if (cpu && !cpu->online) {
		cpu->online = true;
		host->nr_online++;
	}
}

static void gather_cpu_list(struct host *host, const struct files *files)
{
	char *present = read_line(files, "/sys/devices/system/cpu/present");
	char *online;

	host->cpus_error = present ? 0 : errno;
	online = read_line(files, "/sys/devices/system/cpu/online");

	if (present)
		walk_cpu_list(present, host, add_cpu);
	if (online)
		walk_cpu_list(online, host, set_online);

	free(present);
	free(online);
}

static void gather_msrs(struct host *host, const struct files *files)
{
	unsigned int i;

	for (i = 0; i < host->nr_cpus; i++)
		files_read_msrs(files, host->cpus[i].number, msr_numbers, NR_MSRS,
				host->cpus[i].msr, host->cpus[i].msr_error);
}

const struct cpu *msr_reference(const struct host *host, unsigned int msr)
{
	unsigned int i;

	for (i = 0; i < host->nr_cpus; i++) {
		if (host->cpus[i].online && !host->cpus[i].msr_error[msr])
			return &host->cpus[i];
	}
	return NULL;
}

static bool has_flag(const char *flags, const char *name)
{
	size_t len = strlen(name);
	const char *at = flags;

	while ((at = strstr(at, name))) {
		if ((at == flags || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
		at += len;
	}
	return false;
}

static void take_once(char **to, const char *value)
{
	if (!*to)
		*to = copy(value);
}

/* Append "name value" to the version of a CPU. */
static void add_version(struct cpu *cpu, const char *name, const char *value)
{
	const char *old = cpu->version ? cpu->version : "";
	char *text = allocate(1, strlen(old) + strlen(name) + strlen(value) + 3);

	sprintf(text, "%s%s%s %s", old, *old ? " " : "", name, value);
	free(cpu->version);
	cpu->version = text;
}

static void take_cpuinfo(struct host *host, struct cpu **cpu, const char *name, const char *value)
{
	if (!strcmp(name, "processor")) {
		*cpu = find_cpu(host, strtoul(value, NULL, 10));
	} else if (!strcmp(name, "vendor_id")) {
		take_once(&host->cpu_vendor, value);
	} else if (!strcmp(name, "model name")) {
		take_once(&host->cpu_model, value);
	} else if (!strcmp(name, "address sizes")) {
		host->address_bits = strtoul(value, NULL, 10);
	} else if (!strcmp(name, "flags") && !host->has_cpuinfo) {
		host->has_cpuinfo = true;
		host->has_vmx = has_flag(value, "vmx");
		host->has_tme = has_flag(value, "tme");
		host->has_movdir64b = has_flag(value, "movdir64b");
		host->is_guest = has_flag(value, "hypervisor");
	} else if (!*cpu) {
		return;
	} else if (!strcmp(name, "cpu family")) {
		add_version(*cpu, "family", value);
	} else if (!strcmp(name, "model") || !strcmp(name, "stepping")) {
		add_version(*cpu, name, value);
	} else if (!strcmp(name, "microcode")) {
		take_once(&(*cpu)->microcode, value);
	}
}

static void gather_cpuinfo(struct host *host, const struct files *files)
{
	char *text = files_read(files, "/proc/cpuinfo");
	char *rest = text, *line, *colon, *end;
	struct cpu *cpu = NULL;

	while (text && (line = next_line(&rest))) {
		make_printable(line);
		colon = strstr(line, ": ");
		if (!colon)
			continue;
		for (end = colon; end > line && isspace((unsigned char)end[-1]); end--)
			;
		*end = '\0';
		take_cpuinfo(host, &cpu, line, colon + 2);
	}
	free(text);
}

/*
 * Kernel
 */

static enum answer find_config(const char *config)
{
	static const char option[] = "\nCONFIG_INTEL_TDX_HOST=y";
	const char *at = strstr(config, option);

	return at && isspace((unsigned char)at[sizeof(option) - 1]) ? YES : NO;
}

static void gather_config(struct host *host, const struct files *files)
{
	static const char * const formats[] = {
		"/boot/config-%s", "/lib/modules/%s/config", "/usr/lib/modules/%s/config",
		"/lib/modules/%s/build/.config",
	};
	unsigned int i;

	for (i = 0; host->release && host->configured == UNKNOWN && i < ARRAY_SIZE(formats); i++) {
		char path[256];
		char *config;

		if (snprintf(path, sizeof(path), formats[i], host->release) >= (int)sizeof(path))
			continue;
		config = files_read(files, path);
		if (config)
			host->configured = find_config(config);
		free(config);
	}
}

static void gather_kernel(struct host *host, const struct files *files)
{
	host->release = read_line(files, "/proc/sys/kernel/osrelease");
	host->command_line = read_line(files, "/proc/cmdline");
	gather_config(host, files);

	if (files_exist(files, "/sys/module"))
		host->kvm_intel = files_exist(files, "/sys/module/kvm_intel") ? YES : NO;
	host->kvm_tdx = read_line(files, "/sys/module/kvm_intel/parameters/tdx");
}

static void gather_sysfs(struct host *host, const struct files *files)
{
	char path[64];
	int i;

	for (i = 0; i < NR_SYSFS; i++) {
		snprintf(path, sizeof(path), "/sys/firmware/tdx/%s", sysfs_names[i]);
		host->sysfs[i] = read_line(files, path);
	}
	host->has_sysfs = host->sysfs[SYSFS_STATE];
}

/*
 * Log
 */

static void add_log_line(struct host *host, const char *line)
{
	struct tdx_found found;
	struct log_entry *entry;

	if (!tdx_parse_line(line, &found))
		return;

	if (host->last && tdx_add_regs(&host->last->found, &found))
		return;
	if (!found.has_status && !found.message)
		return;

	entry = allocate(1, sizeof(*entry));
	entry->line = copy(line);
	make_printable(entry->line);
	entry->found = found;

	if (host->last)
		host->last->next = entry;
	else
		host->log = entry;
	host->last = entry;
}

static void gather_log(struct host *host, const struct files *files)
{
	char *log = files_read_log(files, &host->log_begin_is_lost);
	char *rest = log, *line;

	host->log_error = log ? 0 : errno;
	while (log && (line = next_line(&rest)))
		add_log_line(host, line);
	free(log);
}

void gather(struct host *host, const struct files *files)
{
	memset(host, 0, sizeof(*host));

	host->vendor = read_line(files, "/sys/class/dmi/id/sys_vendor");
	host->product = read_line(files, "/sys/class/dmi/id/product_name");
	host->bios_version = read_line(files, "/sys/class/dmi/id/bios_version");
	host->bios_date = read_line(files, "/sys/class/dmi/id/bios_date");

	gather_cpu_list(host, files);
	gather_cpuinfo(host, files);
	gather_msrs(host, files);
	gather_kernel(host, files);
	gather_sysfs(host, files);
	gather_log(host, files);
}

void free_host(struct host *host)
{
	struct log_entry *entry, *next;
	unsigned int i;

	for (entry = host->log; entry; entry = next) {
		next = entry->next;
		free(entry->line);
		free(entry);
	}
	for (i = 0; i < NR_SYSFS; i++)
		free(host->sysfs[i]);
	for (i = 0; i < host->nr_cpus; i++) {
		free(host->cpus[i].version);
		free(host->cpus[i].microcode);
	}
	free(host->cpus);
	free(host->vendor);
	free(host->product);
	free(host->bios_version);
	free(host->bios_date);
	free(host->cpu_vendor);
	free(host->cpu_model);
	free(host->release);
	free(host->command_line);
	free(host->kvm_tdx);
}
