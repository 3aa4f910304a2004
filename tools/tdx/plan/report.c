// SPDX-License-Identifier: GPL-2.0-or-later
/* What tdxplan writes: a table, or JSON. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "mainline.h"
#include "report.h"

#define GIB			(1ULL << 30)
/* Measured: at most 9.9 us a call, 256 calls a GiB */
#define INIT_SECONDS_PER_GIB	(256 * 9.9e-6)

const char *size_text(u64 bytes)
{
	static const char * const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	static char text[12][24];
	static unsigned int turn;
	char *out = text[turn++ % 12];
	double value = bytes;
	unsigned int unit = 0;

	while (value >= 1024 && unit < 5) {
		value /= 1024;
		unit++;
	}
	snprintf(out, sizeof(text[0]), value >= 100 || value == (u64)value ? "%.0f %s" : "%.1f %s", value,
		 units[unit]);

	return out;
}

u64 plan_pamt(const struct tdmr_plan *plan)
{
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < plan->nr_tdmrs; i++)
		sum += tdmr_pamt_total(&plan->tdmrs[i]);

	return sum;
}

u64 plan_memory(const struct tdmr_plan *plan)
{
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < plan->nr_regions; i++)
		sum += plan->regions[i].end - plan->regions[i].start;

	return sum;
}

unsigned int plan_worst_areas(const struct outcome *outcome)
{
	unsigned int i, nr, worst = 0;

	for (i = 0; i < outcome->plan.nr_tdmrs; i++) {
		nr = outcome->mainline ? mainline_areas(&outcome->plan, i) : outcome->plan.tdmrs[i].nr_reserved;
		if (nr > worst)
			worst = nr;
	}

	return worst;
}

double init_seconds(const struct tdmr_plan *plan)
{
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < plan->nr_tdmrs; i++)
		sum += plan->tdmrs[i].size / GIB;

	return sum * INIT_SECONDS_PER_GIB;
}

static int larger_first(const void *a, const void *b)
{
	const u64 *x = a, *y = b;

	return *x > *y ? -1 : *x < *y;
}

/* One CPU works on a TDMR at a time; whoever is done first takes the largest that is left. */
double init_seconds_parallel(const struct tdmr_plan *plan, unsigned int cpus)
{
	u64 *size = calloc(plan->nr_tdmrs + 1, sizeof(*size)), *busy, longest = 0;
	unsigned int i, c, best;

	if (!cpus || cpus > plan->nr_tdmrs)
		cpus = plan->nr_tdmrs;
	busy = calloc(cpus + 1, sizeof(*busy));
	if (!size || !busy)
		abort();
	for (i = 0; i < plan->nr_tdmrs; i++)
		size[i] = plan->tdmrs[i].size / GIB;
	qsort(size, plan->nr_tdmrs, sizeof(*size), larger_first);
	for (i = 0; i < plan->nr_tdmrs; i++) {
		for (c = 1, best = 0; c < cpus; c++) {
			if (busy[c] < busy[best])
				best = c;
		}
		busy[best] += size[i];
		if (busy[best] > longest)
			longest = busy[best];
	}
	free(size);
	free(busy);

	return longest * INIT_SECONDS_PER_GIB;
}

static int node_of(const struct tdmr_plan *plan, u64 addr)
{
	unsigned int i;

	for (i = 0; i < plan->nr_regions; i++) {
		if (addr >= plan->regions[i].start && addr < plan->regions[i].end)
			return plan->regions[i].nid;
	}

	return -1;
}

static void print_error(FILE *out, const struct outcome *o)
{
	const struct tdmr_error *e = &o->plan.error;

	fprintf(out, "%s: %s", o->mainline ? "no plan by mainline's rule" : "no plan", e->why);
	if (e->range.end)
		fprintf(out, ": [%#llx, %#llx)", e->range.start, e->range.end);
	if (e->need && e->limit != e->need) {
		if (o->ret == -12)
			fprintf(out, " (%s)", size_text(e->need));
		else
			fprintf(out, " (%llu needed, %llu allowed)", e->need, e->limit);
	}
	fputc('\n', out);
}

static void print_nodes(FILE *out, const struct tdmr_plan *plan)
{
	unsigned int i, max = 0;
	u64 *memory, *pamt;
	int nid, ps;

	for (i = 0; i < plan->nr_regions; i++) {
		if ((unsigned int)plan->regions[i].nid > max)
			max = plan->regions[i].nid;
	}
	memory = calloc(max + 1, sizeof(*memory));
	pamt = calloc(max + 1, sizeof(*pamt));
	if (!memory || !pamt)
		abort();
	for (i = 0; i < plan->nr_regions; i++)
		memory[plan->regions[i].nid] += plan->regions[i].end - plan->regions[i].start;
	for (i = 0; i < plan->nr_tdmrs; i++) {
		for (ps = 0; ps < TDX_PS_NR; ps++) {
			nid = node_of(plan, plan->tdmrs[i].pamt_base[ps]);
			if (nid >= 0)
				pamt[nid] += plan->tdmrs[i].pamt_size[ps];
		}
	}
	for (i = 0; i <= max; i++) {
		if (memory[i])
			fprintf(out, "PAMT on node %-3u %12llu KiB of %s (%.3f %%)\n", i, pamt[i] >> 10,
				size_text(memory[i]), 100.0 * pamt[i] / memory[i]);
	}
	free(memory);
	free(pamt);
}

static void print_plan(FILE *out, const struct outcome *o)
{
	const struct tdmr_plan *plan = &o->plan;
	u64 memory = plan_memory(plan), pamt = plan_pamt(plan);
	unsigned int i, j;

	fprintf(out, "%-5s %-36s %8s %5s %9s %10s  %s\n", "TDMR", "range", "GiB", "node", "reserved", "PAMT KiB",
		"PAMT at (node)");
	for (i = 0; i < plan->nr_tdmrs; i++) {
		const struct tdmr *t = &plan->tdmrs[i];
		char range[48];

		snprintf(range, sizeof(range), "[%#llx, %#llx)", t->base, t->base + t->size);
		fprintf(out, "%-5u %-36s %8llu %5d %9u %10llu  ", i, range, t->size / GIB, t->nid,
			o->mainline ? mainline_areas(plan, i) : t->nr_reserved, tdmr_pamt_total(t) >> 10);
		if (t->pamt_base[TDX_PS_4K])
			fprintf(out, "%#llx (%d)\n", t->pamt_base[TDX_PS_4K],
				node_of(plan, t->pamt_base[TDX_PS_4K]));
		else
			fprintf(out, "-\n");
		for (j = 0; j < t->nr_reserved; j++)
			fprintf(out, "      [%#llx, %#llx) reserved, %s\n", t->reserved[j].start, t->reserved[j].end,
				size_text(t->reserved[j].end - t->reserved[j].start));
	}
	fprintf(out, "TDMRs            %12u of %u allowed; at most %u of %u reserved areas\n", plan->nr_tdmrs,
		plan->limits.max_tdmrs, plan_worst_areas(o), plan->limits.max_reserved);
	print_nodes(out, plan);
	fprintf(out, "PAMT in all      %12llu KiB of %s (%.3f %%)\n", pamt >> 10, size_text(memory),
		100.0 * pamt / memory);
	fprintf(out, "initialisation   %12.3f s by one CPU, %.3f s by ", init_seconds(plan),
		init_seconds_parallel(plan, o->cpus));
	if (o->cpus)
		fprintf(out, "%u CPUs (estimate)\n", o->cpus);
	else
		fprintf(out, "a CPU for each TDMR (estimate)\n");
}

static void print_comparison(FILE *out, const struct outcome *ours, const struct outcome *mainline)
{
	u64 a = plan_pamt(&ours->plan), b = plan_pamt(&mainline->plan);

	if (ours->ret || mainline->ret)
		return;
	if (a == b)
		fprintf(out, "\nThis plan has as much PAMT as");
	else
		fprintf(out, "\nThis plan has %llu KiB %s PAMT than", (a < b ? b - a : a - b) >> 10,
			a < b ? "less" : "more");
	fprintf(out, " mainline's rule gives, %u TDMRs instead of %u, and at most %u reserved areas instead of %u.\n",
		ours->plan.nr_tdmrs, mainline->plan.nr_tdmrs, plan_worst_areas(ours),
		plan_worst_areas(mainline));
}

void report_table(FILE *out, const struct map *map, const struct outcome *ours, const struct outcome *mainline)
{
	if (map->memory_is_cmrs)
		fputs("Note: no RAM map in the input, all convertible memory is taken as RAM.\n", out);
	if (map->cmrs_guessed)
		fputs("Note: no CMRs in the input; assumed are one up to the end of RAM below 4 GiB, and one for each run of RAM above.\n",
		      out);
	if (ours->ret)
		print_error(out, ours);
	else
		print_plan(out, ours);
	if (!mainline)
		return;

	fputs("\nMainline's rule on the same map:\n", out);
	if (mainline->ret != -28 || mainline->plan.nr_tdmrs)
		print_plan(out, mainline);
	if (mainline->ret)
		print_error(out, mainline);
	print_comparison(out, ours, mainline);
}

static json_t *json_error(const struct outcome *o)
{
	const struct tdmr_error *e = &o->plan.error;

	return json_pack("{s:s, s:{s:I, s:I}, s:I, s:I}", "error", e->why, "range", "start",
			 (json_int_t)e->range.start, "end", (json_int_t)e->range.end, "need", (json_int_t)e->need,
			 "limit", (json_int_t)e->limit);
}

static json_t *json_tdmr(const struct tdmr *t)
{
	json_t *reserved = json_array(), *pamt = json_array();
	unsigned int j;

	for (j = 0; j < t->nr_reserved; j++)
		json_array_append_new(reserved, json_pack("{s:I, s:I}", "offset",
							  (json_int_t)(t->reserved[j].start - t->base), "size",
							  (json_int_t)(t->reserved[j].end - t->reserved[j].start)));
	for (j = 0; j < TDX_PS_NR; j++)
		json_array_append_new(pamt, json_pack("{s:I, s:I}", "base", (json_int_t)t->pamt_base[j], "size",
						      (json_int_t)t->pamt_size[j]));

	return json_pack("{s:I, s:I, s:i, s:o, s:o}", "base", (json_int_t)t->base, "size", (json_int_t)t->size,
			 "nid", t->nid, "reserved", reserved, "pamt", pamt);
}

static json_t *json_plan(const struct outcome *o)
{
	json_t *tdmrs;
	unsigned int i;

	if (o->ret)
		return json_error(o);

	tdmrs = json_array();
	for (i = 0; i < o->plan.nr_tdmrs; i++)
		json_array_append_new(tdmrs, json_tdmr(&o->plan.tdmrs[i]));

	return json_pack("{s:o, s:I}", "tdmrs", tdmrs, "pamt_bytes", (json_int_t)plan_pamt(&o->plan));
}

bool report_json(FILE *out, const struct outcome *ours, const struct outcome *mainline)
{
	json_t *root = json_plan(ours);
	bool ok;

	if (root)
		json_object_set_new(root, "memory_bytes", json_integer(plan_memory(&ours->plan)));
	if (root && mainline)
		json_object_set_new(root, "mainline", json_plan(mainline));
	ok = root && !json_dumpf(root, out, JSON_INDENT(1)) && fputc('\n', out) != EOF;
	json_decref(root);

	return ok;
}
