/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TDH.SYS.RD and TDH.SYS.RDALL.
 */
#include "tdx_module.h"
