/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What status.c needs of the kernel's header, in user space. */
#ifndef _TDX_DECODE_LINUX_TYPES_H
#define _TDX_DECODE_LINUX_TYPES_H

#include <stdbool.h>
#include <stddef.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#endif
