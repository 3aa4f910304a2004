/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that can be seen of TDX on one host, and what follows from it.
 *
 * gather.c fills struct host from files and judges nothing. diagnose.c judges
 * and reads nothing. print.c shows both.
 */
#ifndef _TDX_STATUS_HOST_H
#define _TDX_STATUS_HOST_H

#include <linux/bits.h>

#include "files.h"
#include "parse.h"

enum {
	MSR_FEATURE_CONTROL,
	MSR_KEYID_PARTITIONING,
	MSR_MCHECK_STATUS,
	MSR_MTRRCAP,
	MSR_TME_CAPABILITY,
	MSR_TME_ACTIVATE,
	MSR_SEAMRR_BASE,
	MSR_SEAMRR_MASK,
	NR_MSRS
};

extern const u32 msr_numbers[NR_MSRS];

#define FEATURE_CONTROL_LOCKED	BIT_ULL(0)
#define FEATURE_CONTROL_VMX	BIT_ULL(2)
#define FEATURE_CONTROL_SEAMRR	BIT_ULL(16)
#define MTRRCAP_SEAMRR		BIT_ULL(15)
#define TME_ACTIVATE_LOCKED	BIT_ULL(0)
#define TME_ACTIVATE_ENABLED	BIT_ULL(1)
#define TME_ACTIVATE_BYPASS	BIT_ULL(31)
#define SEAMRR_CONFIGURED	BIT_ULL(3)
#define SEAMRR_LOCKED		BIT_ULL(10)
#define SEAMRR_ENABLED		BIT_ULL(11)
#define SEAMRR_ADDRESS		0xffffffe000000ULL
#define MODULE_ATTRIBUTES_DEBUG	BIT_ULL(31)

struct cpu {
	unsigned int number;
	bool online;
	char *version;			/* family, model, stepping */
	char *microcode;
	u64 msr[NR_MSRS];
	int msr_error[NR_MSRS];		/* 0: msr[] is valid */
};

enum answer { UNKNOWN, NO, YES };

/* A line of the kernel's log that says something of TDX. */
struct log_entry {
	char *line;
	struct tdx_found found;
	struct log_entry *next;
};

/* Files of /sys/firmware/tdx, and how they are shown. */
enum {
	SYSFS_STATE,
	SYSFS_MODULE_VERSION,
	SYSFS_BUILD,
	SYSFS_ATTRIBUTES,
	SYSFS_SEAMLDR_VERSION,
	SYSFS_KEYIDS,
	SYSFS_FEATURES,
	SYSFS_PAMT_KB,
	SYSFS_INIT_TIME_MS,
	SYSFS_LAST_ERROR,
	NR_SYSFS
};

extern const char * const sysfs_names[NR_SYSFS];

/* NULL: could not be seen. */
struct host {
	/* Machine */
	char *vendor;
	char *product;
	char *bios_version;
	char *bios_date;

	/* CPUs */
	char *cpu_vendor;
	char *cpu_model;
	bool has_vmx;
	bool has_tme;
	bool has_movdir64b;
	bool is_guest;			/* under a hypervisor */
	bool has_cpuinfo;
	unsigned int address_bits;	/* as the kernel sees it, 0: unknown */
	struct cpu *cpus;		/* all present ones */
	unsigned int nr_cpus;
	unsigned int nr_online;
	int cpus_error;

	/* Kernel */
	char *release;
	char *command_line;
	enum answer configured;		/* CONFIG_INTEL_TDX_HOST */
	enum answer kvm_intel;		/* loaded */
	char *kvm_tdx;			/* parameter "tdx" of kvm_intel */

	/* TDX as the kernel shows it */
	bool has_sysfs;
	char *sysfs[NR_SYSFS];

	/* The log */
	int log_error;
	bool log_begin_is_lost;
	struct log_entry *log;
	struct log_entry *last;
};

void gather(struct host *host, const struct files *files);
void free_host(struct host *host);

/* The first CPU whose MSR could be read; NULL: none. */
const struct cpu *msr_reference(const struct host *host, unsigned int msr);

enum verdict {
	VERDICT_READY,			/* initialised */
	VERDICT_AVAILABLE,		/* can be initialised */
	VERDICT_BROKEN,			/* there, but can not be used */
	VERDICT_ABSENT,			/* CPU or BIOS setup are without */
	VERDICT_UNKNOWN,
};

struct finding {
	const char *id;			/* for scripts, does not change */
	bool is_warning;
	char text[640];
	char advice[512];		/* or "" */
};

#define FINDINGS_MAX	64

struct diagnosis {
	enum verdict verdict;
	const char *summary;
	struct finding findings[FINDINGS_MAX];	/* what to care for first is first */
	unsigned int nr_findings;
	const char *unseen[16];
	unsigned int nr_unseen;
};

void diagnose(const struct host *host, struct diagnosis *diagnosis);

void print_text(const struct host *host, const struct diagnosis *diagnosis);
void print_json(const struct host *host, const struct diagnosis *diagnosis);

#endif
