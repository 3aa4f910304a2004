/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TDH.SYS.CONFIG.
 */
#include "tdx_module.h"
