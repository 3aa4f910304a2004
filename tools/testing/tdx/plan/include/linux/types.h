/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel headers that the planner includes, for user space. */
#ifndef _TDX_PLAN_LINUX_TYPES_H
#define _TDX_PLAN_LINUX_TYPES_H

#include <stdbool.h>
#include <stddef.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#endif
