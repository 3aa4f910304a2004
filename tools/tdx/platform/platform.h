/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Description of a TDX machine: the JSON files that QEMU's tdx-platform
 * object, the replayer and the tests read. What can be in them:
 * Documentation/x86/tdx-host-platform.rst.
 */
#ifndef TDX_PLATFORM_H
#define TDX_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../module/tdx_module.h"

enum tdx_mem_type {
	TDX_MEM_RAM,
	TDX_MEM_RESERVED,
	TDX_MEM_ACPI,
	TDX_MEM_NVS,
	TDX_MEM_HOTPLUG,	/* not there at boot, can be plugged in */
};

/* One line of the memory map that the guest sees */
struct tdx_mem {
	uint64_t base;
	uint64_t size;
	unsigned int node;
	enum tdx_mem_type type;
};

struct tdx_machine {
	char *name;		/* never NULL, may be "" */
	char *description;
	struct tdxm_platform platform;
	char module_kind[16];	/* "1.5.01" */

	/* Ascending, without overlap. Made from the CMRs if the file has none. */
	struct tdx_mem *memory;
	unsigned int nr_memory;
	bool memory_given;
	unsigned int nodes;

	bool erratum_partial_write;
	bool checker;
	bool test_interface;
};

/*
 * Read a description. NULL: *err says what is wrong, as
 * "FILE:LINE:COL: ..." (syntax) or "FILE: cmrs[2]: ..." (meaning);
 * free it with free().
 */
struct tdx_machine *tdx_machine_load(const char *file, char **err);

/* The same from memory; `name` stands for the file in messages */
struct tdx_machine *tdx_machine_parse(const char *text, size_t len, const char *name,
				      char **err);

/*
 * For readers of vector files: only the vocabulary of the vectors, from a
 * jansson object (json_t). Impossible platforms are allowed there, since the
 * module has to answer on them too.
 */
struct json_t;
struct tdx_machine *tdx_machine_from_vector(const struct json_t *platform, const char *name,
					    char **err);

/*
 * The "faults" list of a description by itself. @faults has room for
 * TDXM_MAX_FAULTS. False: *err says what is wrong.
 */
bool tdx_faults_parse(const char *text, size_t len, const char *name, struct tdxm_fault *faults,
		      unsigned int *nr, char **err);

void tdx_machine_free(struct tdx_machine *machine);

#endif
