/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What tdxplan writes: a table, JSON, a picture. */
#ifndef TDXPLAN_REPORT_H
#define TDXPLAN_REPORT_H

#include <stdio.h>

#include "input.h"

/* A plan, or the reason why there is none */
struct outcome {
	struct tdmr_plan plan;
	int ret;		/* 0, or a negative errno: plan.error says why */
	bool mainline;		/* by mainline's rule */
	unsigned int cpus;	/* that initialise TDMRs, 0: one for each */
};

u64 plan_pamt(const struct tdmr_plan *plan);
u64 plan_memory(const struct tdmr_plan *plan);
unsigned int plan_worst_areas(const struct outcome *outcome);

/* Seconds that TDH.SYS.TDMR.INIT takes, on one CPU, and on outcome->cpus */
double init_seconds(const struct tdmr_plan *plan);
double init_seconds_parallel(const struct tdmr_plan *plan, unsigned int cpus);

void report_table(FILE *out, const struct map *map, const struct outcome *ours, const struct outcome *mainline);
bool report_json(FILE *out, const struct outcome *ours, const struct outcome *mainline);
void report_svg(FILE *out, const char *title, const struct map *map, const struct outcome *ours,
		const struct outcome *mainline);

/* "1.5 GiB"; 12 buffers in turn */
const char *size_text(u64 bytes);

#endif
