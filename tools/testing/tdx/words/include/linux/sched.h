/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What status_test.c needs of the kernel's header, in user space. */
#ifndef _TDX_WORDS_LINUX_SCHED_H
#define _TDX_WORDS_LINUX_SCHED_H

static inline void cond_resched(void)
{
}

#endif
