/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What status.c needs of the kernel's header, in user space. */
#ifndef _TDX_DECODE_LINUX_KERNEL_H
#define _TDX_DECODE_LINUX_KERNEL_H

#include <stdarg.h>
#include <stdio.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define min(a, b)		((a) < (b) ? (a) : (b))
#define __printf(a, b)		__attribute__((__format__(__printf__, a, b)))

/* As vsnprintf(), but returns what is in @buf, not what would have been. */
static inline __printf(3, 0) int vscnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	int n;

	if (!size)
		return 0;

	n = vsnprintf(buf, size, fmt, args);

	return n < 0 ? 0 : min((size_t)n, size - 1);
}

static inline __printf(3, 4) int scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vscnprintf(buf, size, fmt, args);
	va_end(args);

	return n;
}

#endif
