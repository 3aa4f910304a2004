/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the module sees of the CPUs: MSRs, CPUID, entropy, with the quirks of the platform.
 */
#include "tdx_module.h"
