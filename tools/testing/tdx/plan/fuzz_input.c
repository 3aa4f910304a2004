// SPDX-License-Identifier: GPL-2.0-or-later
/* libFuzzer: the parsers of tdxplan, and all of its output for what they accept. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mainline.h"
#include "report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome ours = { 0 }, mainline = { .mainline = true };
	enum map_format format;
	struct map *map;
	char *text, *error;
	bool with;
	FILE *out;

	if (!size)
		return 0;
	/* Few maps are a boot log, too, for --with. */
	format = data[0] % 5;
	with = data[0] / 5 % 2;
	/* A copy without anything behind it, so that a sanitizer sees what is read there. */
	text = malloc(size);
	memcpy(text, data + 1, size - 1);
	map = map_read("fuzz", text, size - 1, format, "extra", with ? text : NULL, size - 1, &error);
	free(text);
	if (!map) {
		if (!error || strncmp(error, "fuzz:", 5 * (error[0] == 'f')))
			abort();
		free(error);
		return 0;
	}

	if (map->limits.max_tdmrs > 64)
		map->limits.max_tdmrs = 64;
	ours.plan = (struct tdmr_plan) {
		.regions = map->regions, .nr_regions = map->nr_regions,
		.cmrs = map->cmrs, .nr_cmrs = map->nr_cmrs, .limits = map->limits,
	};
	mainline.plan = ours.plan;
	ours.plan.tdmrs = calloc(map->limits.max_tdmrs, sizeof(struct tdmr));
	mainline.plan.tdmrs = calloc(map->limits.max_tdmrs, sizeof(struct tdmr));
	ours.ret = tdmr_plan_layout(&ours.plan);
	/* The parsers let nothing through that the planner calls malformed. */
	if (ours.ret == -22)
		abort();
	mainline.ret = -28;
	mainline.plan.error.why = "not tried";

	out = fopen("/dev/null", "w");
	report_table(out, map, &ours, &mainline);
	report_svg(out, "fuzz", map, &ours, &mainline);
	if (!report_json(out, &ours, &mainline))
		abort();
	fclose(out);
	free(ours.plan.tdmrs);
	free(mainline.plan.tdmrs);
	map_free(map);

	return 0;
}
