/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rule of mainline Linux (6.8 and later), to compare with; nothing of it is
 * used for plans.
 *
 * - Each region, widened to 1 GiB, is a TDMR, less what the TDMR before it has.
 * - The PAMT of a TDMR is one piece, at the lowest multiple of its size that is
 *   memory of its node from 4 GiB on, below 4 GiB, or of another node.
 * - Every gap between regions is a reserved area, convertible or not, and so is
 *   every PAMT in a TDMR.
 */
#ifndef TDXPLAN_MAINLINE_H
#define TDXPLAN_MAINLINE_H

#include "tdmr.h"

/* Like layout, place and reserve together. The TDMRs and the error are in @plan. */
int mainline_plan(struct tdmr_plan *plan);

/* Reserved areas that TDMR @i would need if there were no limit, after mainline_plan() */
unsigned int mainline_areas(const struct tdmr_plan *plan, unsigned int i);

#endif
