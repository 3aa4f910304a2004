/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * P-SEAMLDR.
 */
#include "tdx_module.h"
