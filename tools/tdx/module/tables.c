/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables.
 */
#include "tdx_module.h"
