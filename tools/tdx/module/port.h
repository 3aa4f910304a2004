/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one place that knows where the library is compiled: a hosted C11
 * compiler (QEMU, host tests) or the Linux kernel (KUnit).
 */
#ifndef TDXM_PORT_H
#define TDXM_PORT_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/types.h>
#include <linux/limits.h>
#include <linux/string.h>
#ifndef UINT32_MAX
#define UINT32_MAX	U32_MAX
#endif
#ifndef UINT64_MAX
#define UINT64_MAX	U64_MAX
#endif
#ifndef UINT64_C
#define UINT64_C(x)	x##ULL
#endif
#else
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#endif

#endif
