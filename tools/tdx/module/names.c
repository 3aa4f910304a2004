/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names.
 */
#include "tdx_module.h"
