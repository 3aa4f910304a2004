/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TDH.SYS.INIT and TDH.SYS.LP.INIT.
 */
#include "tdx_module.h"
