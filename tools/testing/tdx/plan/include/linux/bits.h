/* SPDX-License-Identifier: GPL-2.0-or-later */
#define BIT_ULL(nr)		(1ULL << (nr))
