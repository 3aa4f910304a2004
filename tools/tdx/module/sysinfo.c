/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TDH.SYS.INFO.
 */
#include "tdx_module.h"
