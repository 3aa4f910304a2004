/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _X86_VIRT_TDX_OBSERVE_H
#define _X86_VIRT_TDX_OBSERVE_H

/*
 * For people who look: counts and times of SEAMCALLs, the last error, progress.
 * What sysfs.c and debugfs.c show, and nothing that TDX needs to work.
 */

#include <linux/param.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/types.h>

/**
 * struct tdx_leaf_stats - SEAMCALLs of one leaf
 * @calls: how many were made
 * @failed: how many of them returned an error
 * @cycles: how long all took together, by the TSC
 * @max_cycles: how long the longest took
 */
struct tdx_leaf_stats {
	u64 calls;
	u64 failed;
	u64 cycles;
	u64 max_cycles;
};

/* Leaves have numbers below this, of the module and of P-SEAMLDR. */
#define TDX_STATS_LEAVES	128

int tdx_stats_switch(bool on);
void tdx_stats_add(u64 fn, u64 status, u64 cycles);
u64 tdx_cycles_to_ns(u64 cycles);
bool tdx_stats_get(u64 fn, struct tdx_leaf_stats *stats);

__printf(1, 2) void tdx_note_error(const char *fmt, ...);
void tdx_forget_error(void);
void tdx_get_error(char *buf, size_t len);

/*
 * An error that can happen again and again. Whoever may open /dev/kvm can make
 * it happen, so the log takes three a minute of each; it does not say how many
 * it has left out, which would be one more line of no use.
 */
#define tdx_rare_err(fmt, ...)						\
do {									\
	static struct ratelimit_state _rs =				\
		RATELIMIT_STATE_INIT_FLAGS(_rs, 60 * HZ, 3,		\
					   RATELIMIT_MSG_ON_RELEASE);	\
									\
	if (__ratelimit(&_rs))						\
		pr_err(fmt, ##__VA_ARGS__);				\
} while (0)

/* The same for what /sys/firmware/tdx/last_error repeats, each time. */
#define tdx_err(fmt, ...)						\
do {									\
	tdx_rare_err(fmt, ##__VA_ARGS__);				\
	tdx_note_error(fmt, ##__VA_ARGS__);				\
} while (0)

int tdx_no_memory(const char *what);

/* The same for why there is no TDX, which is no error of anybody. */
#define tdx_absent_info(fmt, ...)					\
do {									\
	pr_info("not available: " fmt, ##__VA_ARGS__);			\
	tdx_note_error("not available: " fmt, ##__VA_ARGS__);		\
} while (0)

void tdx_progress_start(u64 bytes);
void tdx_progress(u64 bytes);

#endif /* _X86_VIRT_TDX_OBSERVE_H */
