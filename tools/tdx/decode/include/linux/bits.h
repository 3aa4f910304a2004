/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What status.c needs of the kernel's header, in user space. */
#ifndef _TDX_DECODE_LINUX_BITS_H
#define _TDX_DECODE_LINUX_BITS_H

#define BIT_ULL(nr)		(1ULL << (nr))
#define GENMASK_ULL(h, l)	((~0ULL << (l)) & (~0ULL >> (63 - (h))))

#endif
