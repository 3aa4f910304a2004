/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TDMRs and PAMT.
 */
#include "tdx_module.h"
