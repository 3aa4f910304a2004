/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What status_test.c needs of the kernel's header, in user space. */
#ifndef _TDX_WORDS_LINUX_LIMITS_H
#define _TDX_WORDS_LINUX_LIMITS_H

#define U16_MAX		0xffff
#define U32_MAX		0xffffffffU

#endif
