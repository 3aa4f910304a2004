/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory maps that tdxplan reads.
 *
 * Whatever the format, the result is what the kernel would hand to the planner:
 * memory in ascending regions, CMRs, limits.
 */
#ifndef TDXPLAN_INPUT_H
#define TDXPLAN_INPUT_H

#include "tdmr.h"

enum map_format {
	MAP_AUTO,
	MAP_JSON,
	MAP_IOMEM,		/* /proc/iomem */
	MAP_LOG,		/* boot log: e820, SRAT, CMRs */
	MAP_MEMMAP,		/* /sys/firmware/memmap, the folder or "grep . -r" of it */
};

struct map {
	struct tdx_region *regions;
	unsigned int nr_regions;
	struct tdx_range *cmrs;
	unsigned int nr_cmrs;
	struct tdmr_limits limits;
	enum map_format format;	/* what it was */
	bool cmrs_guessed;	/* none in the input, made of the RAM map */
	bool memory_is_cmrs;	/* no RAM map in the input, all that is convertible */
};

enum map_format map_format_by_name(const char *name);

/*
 * Read a map. @name is for messages; @extra, if there is one, is a boot log that is
 * searched for nodes and CMRs. Returns NULL with a message in *@error,
 * to be freed, that names file, line and reason.
 */
struct map *map_read(const char *name, const char *text, size_t len, enum map_format format,
		     const char *extra_name, const char *extra, size_t extra_len, char **error);
void map_free(struct map *map);

/* Read a file, "-" for standard input, or the folder /sys/firmware/memmap. NULL: see errno. */
char *map_slurp(const char *name, size_t *len);

#endif
