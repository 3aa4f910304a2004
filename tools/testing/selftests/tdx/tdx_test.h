/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the TDX selftests share: asking KVM for VMs, the kernel's log, the
 * state of the TDX module, CPU hotplug, parameters.
 */
#ifndef SELFTESTS_TDX_TEST_H
#define SELFTESTS_TDX_TEST_H

#include <stdbool.h>
#include <linux/kvm.h>

/* The numbers are mainline's; headers of 6.1 do not have them. */
#ifndef KVM_CAP_VM_TYPES
#define KVM_CAP_VM_TYPES	235
#endif
#ifndef KVM_X86_TDX_VM
#define KVM_X86_TDX_VM		5
#endif
#define KVM_X86_ORDINARY_VM	0

/*
 * Take the parameters ("name=value") of a program from its arguments and find
 * the table of messages next to the program. To be called first in main().
 */
void tdx_setup(int argc, char **argv);

/* Value of a parameter, @def if it was not given. */
const char *tdx_param(const char *name, const char *def);
unsigned long tdx_param_num(const char *name, unsigned long def);

/* errno by name ("ENODEV") or number; exits with a message if unknown. */
int tdx_errno(const char *name);
/* Name of an errno, for messages: "ENODEV". */
const char *tdx_errno_name(int err);

/* Open /dev/kvm; exits with KSFT_SKIP if there is none. */
int tdx_open_kvm(void);
/* A new VM's file descriptor, or -errno. */
int tdx_create_vm(int kvm, unsigned long type);
/* A TD, closed at once: 0 or -errno. */
int tdx_try_td(int kvm);

/*
 * Number of lines in the kernel's log (what user space wrote there does not
 * count) that match the message @name of the table. Exits with a message if
 * the table has no such name. @line, if not NULL, receives the last such line
 * (malloced, or NULL).
 */
unsigned int tdx_log_count(const char *name);
unsigned int tdx_log_find(const char *name, char **line);
/* Do not count what is in the log by now. */
void tdx_log_forget(void);

/*
 * State of the module as sysfs has it, in upper case: "UNKNOWN", "NONE",
 * "LOADED", "INITIALIZED", "SHUTDOWN". Exits with a message if there is none.
 */
const char *tdx_state(void);
/* Is tdx_state() @want? Says so if not. */
bool tdx_state_is(const char *want);

/* The state that belongs to what tdx_create_vm() returned for a TD */
const char *tdx_state_after(int td);

/* CPUs that are present, and switching one; 0 or -errno. */
unsigned int tdx_nr_cpus(void);
bool tdx_cpu_online(unsigned int cpu);
int tdx_cpu_switch(unsigned int cpu, bool online);

/* Write @text to @path; 0 or -errno. */
int tdx_write_file(const char *path, const char *text);

/*
 * Seconds for one test, in place of 30: emulated machines are slow. The runner
 * of the machines has limits of its own. To be included after the harness.
 */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	3600

#define TDX_TEST_MAIN						\
static void __attribute__((constructor))			\
__constructor_order_last(void)					\
{								\
	if (!__constructor_order)				\
		__constructor_order = _CONSTRUCTOR_ORDER_BACKWARD; \
}								\
								\
int main(int argc, char **argv)					\
{								\
	tdx_setup(argc, argv);					\
	exit(test_harness_run(argc, argv));			\
}

#endif /* SELFTESTS_TDX_TEST_H */
