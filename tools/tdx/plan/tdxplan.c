// SPDX-License-Identifier: GPL-2.0-or-later
/* tdxplan: the kernel's planner of TDMRs as a command. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "mainline.h"
#include "report.h"

enum {
	EXIT_PLAN = 0,
	EXIT_NO_PLAN = 1,
	EXIT_BAD_INPUT = 2,
};

static const char usage[] =
"usage: tdxplan [OPTION]... [FILE]\n"
"\n"
"Plans the TDMRs of a machine as the kernel does: which cover its memory, with\n"
"the least PAMT, within the limits of the TDX module.\n"
"\n"
"FILE is /proc/iomem, a boot log with the lines BIOS-e820 (and SRAT and CMR, if\n"
"there are any), the folder /sys/firmware/memmap, or JSON; standard input if it\n"
"is missing or \"-\". JSON is\n"
"\n"
"  {\"regions\": [{\"start\": 0x..., \"end\": 0x..., \"nid\": N}, ...],\n"
"   \"cmrs\": [{\"start\": 0x..., \"end\": 0x...}, ...],\n"
"   \"max_tdmrs\": 64, \"max_reserved\": 16, \"pamt_entry_size\": [16, 16, 16]}\n"
"\n"
"with numbers, or strings such as \"0x100000\".\n"
"\n"
"  -f, --format=FORMAT   format of FILE: auto, json, iomem, e820, memmap\n"
"  -w, --with=LOG        take nodes (SRAT) and CMRs from this boot log\n"
"  -n, --nodes           cut TDMRs where the node changes, as the kernel does\n"
"  -c, --cpus=N          cut TDMRs so that N CPUs have the same to do, as the kernel\n"
"                        does, and estimate the time that they take\n"
"      --max-tdmrs=N     other limits than FILE says (default: 64 TDMRs, with 16\n"
"      --max-reserved=N  reserved areas each)\n"
"  -m, --mainline        show what mainline's rule gives on the same map\n"
"  -j, --json            write the plan as JSON\n"
"  -s, --svg=PICTURE     draw the map and the plan, too\n"
"  -h, --help            this text\n"
"\n"
"Exit status: 0 a plan; 1 there is none; 2 bad input, or bad arguments.\n";

struct options {
	const char *file;
	const char *with;
	const char *svg;
	enum map_format format;
	bool nodes, mainline, json;
	unsigned long cpus, max_tdmrs, max_reserved;
	bool has_max_tdmrs, has_max_reserved;
};

static unsigned long number_of(const char *option, const char *text, unsigned long min, unsigned long max)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || value < min || value > max) {
		fprintf(stderr, "tdxplan: --%s: \"%s\" is no number from %lu to %lu\n", option, text, min, max);
		exit(EXIT_BAD_INPUT);
	}

	return value;
}

static void parse_options(int argc, char **argv, struct options *o)
{
	enum { OPT_MAX_TDMRS = 256, OPT_MAX_RESERVED };
	static const struct option longs[] = {
		{ "format", required_argument, NULL, 'f' },
		{ "with", required_argument, NULL, 'w' },
		{ "nodes", no_argument, NULL, 'n' },
		{ "cpus", required_argument, NULL, 'c' },
		{ "max-tdmrs", required_argument, NULL, OPT_MAX_TDMRS },
		{ "max-reserved", required_argument, NULL, OPT_MAX_RESERVED },
		{ "mainline", no_argument, NULL, 'm' },
		{ "json", no_argument, NULL, 'j' },
		{ "svg", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	int c;

	while ((c = getopt_long(argc, argv, "f:w:nc:mjs:h", longs, NULL)) != -1) {
		switch (c) {
		case 'f':
			o->format = map_format_by_name(optarg);
			if ((int)o->format < 0) {
				fprintf(stderr, "tdxplan: --format: \"%s\" is none of auto, json, iomem, e820, memmap\n",
					optarg);
				exit(EXIT_BAD_INPUT);
			}
			break;
		case 'w':
			o->with = optarg;
			break;
		case 'n':
			o->nodes = true;
			break;
		case 'c':
			o->cpus = number_of("cpus", optarg, 1, 65535);
			break;
		case OPT_MAX_TDMRS:
			o->max_tdmrs = number_of("max-tdmrs", optarg, 1, 65535);
			o->has_max_tdmrs = true;
			break;
		case OPT_MAX_RESERVED:
			o->max_reserved = number_of("max-reserved", optarg, 0, 65535);
			o->has_max_reserved = true;
			break;
		case 'm':
			o->mainline = true;
			break;
		case 'j':
			o->json = true;
			break;
		case 's':
			o->svg = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(EXIT_PLAN);
		default:
			fputs("tdxplan: see \"tdxplan --help\"\n", stderr);
			exit(EXIT_BAD_INPUT);
		}
	}
	if (argc - optind > 1) {
		fprintf(stderr, "tdxplan: one FILE at a time, not \"%s\" as well; see \"tdxplan --help\"\n",
			argv[optind + 1]);
		exit(EXIT_BAD_INPUT);
	}
	o->file = optind < argc ? argv[optind] : "-";
	if (o->with && !strcmp(o->with, "-") && !strcmp(o->file, "-")) {
		fputs("tdxplan: --with: FILE is standard input already; give FILE a name, or LOG\n", stderr);
		exit(EXIT_BAD_INPUT);
	}
}

static char *slurp(const char *name, size_t *len)
{
	char *text = map_slurp(name, len);

	if (!text) {
		fprintf(stderr, "tdxplan: %s: %s\n", name, strerror(errno));
		exit(EXIT_BAD_INPUT);
	}

	return text;
}

static struct map *read_map(const struct options *o)
{
	size_t len, extra_len = 0;
	char *text, *extra = NULL, *error;
	struct map *map;

	text = slurp(o->file, &len);
	if (o->with)
		extra = slurp(o->with, &extra_len);
	map = map_read(!strcmp(o->file, "-") ? "standard input" : o->file, text, len, o->format, o->with, extra,
		       extra_len, &error);
	free(text);
	free(extra);
	if (!map) {
		fprintf(stderr, "tdxplan: %s\n", error);
		free(error);
		exit(EXIT_BAD_INPUT);
	}
	if (o->has_max_tdmrs)
		map->limits.max_tdmrs = o->max_tdmrs;
	if (o->has_max_reserved)
		map->limits.max_reserved = o->max_reserved;

	return map;
}

static void *allocate(size_t nr, size_t size)
{
	void *p = calloc(nr, size);

	if (!p) {
		fputs("tdxplan: out of memory\n", stderr);
		exit(EXIT_BAD_INPUT);
	}

	return p;
}

/* PAMT memory that nobody competes for: only what is taken is not to be had. */
struct pool {
	struct tdx_range *taken;
	size_t nr;
};

static u64 pool_take(void *ctx, u64 start, u64 end, int nid, bool move)
{
	struct pool *pool = ctx;
	size_t i;

	(void)nid;
	(void)move;
	for (i = 0; i < pool->nr; i++) {
		if (start < pool->taken[i].end && pool->taken[i].start < end)
			return pool->taken[i].end;
	}
	pool->taken[pool->nr++] = (struct tdx_range){ start, end };

	return 0;
}

static void pool_give(void *ctx, u64 start, u64 end)
{
	(void)ctx;
	(void)start;
	(void)end;
}

static void init_plan(struct tdmr_plan *plan, const struct map *map)
{
	*plan = (struct tdmr_plan) {
		.regions = map->regions,
		.nr_regions = map->nr_regions,
		.cmrs = map->cmrs,
		.nr_cmrs = map->nr_cmrs,
		.limits = map->limits,
		.tdmrs = allocate(map->limits.max_tdmrs, sizeof(struct tdmr)),
	};
}

static void make_plan(struct outcome *o, const struct map *map, const struct options *options)
{
	static const struct tdmr_pamt_ops ops = { .take = pool_take, .give = pool_give };
	struct tdmr_plan *plan = &o->plan;
	struct pool pool = { 0 };

	init_plan(plan, map);
	plan->per_node = options->nodes;
	plan->workers = options->cpus;
	plan->scratch = allocate(1, tdmr_scratch_size(plan));
	pool.taken = allocate(map->limits.max_tdmrs, sizeof(*pool.taken));
	o->cpus = options->cpus;

	o->ret = tdmr_plan_layout(plan);
	if (!o->ret)
		o->ret = tdmr_plan_place(plan, &ops, &pool);
	if (!o->ret)
		o->ret = tdmr_plan_reserve(plan);
	if (!o->ret && tdmr_verify(plan)) {
		fprintf(stderr, "tdxplan: the plan is wrong, please report this: %s: [%#llx, %#llx)\n",
			plan->error.why, plan->error.range.start, plan->error.range.end);
		abort();
	}
	free(plan->scratch);
	plan->scratch = NULL;
	free(pool.taken);
}

static void write_svg(const char *name, const struct options *o, const struct map *map, const struct outcome *ours,
		      const struct outcome *mainline)
{
	FILE *f = strcmp(name, "-") ? fopen(name, "we") : stdout;
	const char *title = strrchr(o->file, '/');

	if (f) {
		report_svg(f, title ? title + 1 : o->file, map, ours, mainline);
		if (!(f == stdout ? fflush(f) : fclose(f)))
			return;
	}
	fprintf(stderr, "tdxplan: %s: %s\n", name, strerror(errno));
	exit(EXIT_BAD_INPUT);
}

int main(int argc, char **argv)
{
	struct outcome ours = { 0 }, mainline = { .mainline = true };
	struct options o = { 0 };
	struct map *map;
	bool ok = true;

	parse_options(argc, argv, &o);
	map = read_map(&o);
	make_plan(&ours, map, &o);
	if (o.mainline) {
		init_plan(&mainline.plan, map);
		mainline.cpus = o.cpus;
		mainline.ret = mainline_plan(&mainline.plan);
	}

	if (o.svg)
		write_svg(o.svg, &o, map, &ours, o.mainline ? &mainline : NULL);
	if (o.json)
		ok = report_json(stdout, &ours, o.mainline ? &mainline : NULL);
	else if (!o.svg || strcmp(o.svg, "-"))
		report_table(stdout, map, &ours, o.mainline ? &mainline : NULL);
	if (fflush(stdout) || !ok) {
		perror("tdxplan: standard output");
		return EXIT_BAD_INPUT;
	}

	free(ours.plan.tdmrs);
	free(mainline.plan.tdmrs);
	map_free(map);

	return ours.ret ? EXIT_NO_PLAN : EXIT_PLAN;
}
