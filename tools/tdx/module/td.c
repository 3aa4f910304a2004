/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TD leaves.
 */
#include "tdx_module.h"
