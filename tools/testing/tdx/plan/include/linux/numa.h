/* SPDX-License-Identifier: GPL-2.0-or-later */
#define NUMA_NO_NODE	(-1)
