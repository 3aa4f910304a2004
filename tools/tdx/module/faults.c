/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults.
 */
#include "tdx_module.h"
