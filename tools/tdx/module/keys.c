/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * KeyIDs and keys.
 */
#include "tdx_module.h"
