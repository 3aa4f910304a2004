/* SPDX-License-Identifier: GPL-2.0-or-later */
#define U32_MAX		(~0U)
#define U64_MAX		(~0ULL)
