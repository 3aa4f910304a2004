// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer: platform descriptions. Whatever the text, it is a machine on
 * which a model starts, or there is a message that begins with the name of the
 * file; never both, never none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "../../tdx/platform/platform.h"
#include "bringup.h"

static void check(struct tdx_machine *m, char *err)
{
	struct machine machine = { .top = GIB(8) };

	if (!m == !err)
		abort();
	if (err) {
		if (strncmp(err, "f:", 2))
			abort();
		free(err);
		return;
	}
	if (!m->name || !m->description || (m->nr_memory && !m->memory))
		abort();
	if (!machine_start(&machine, &m->platform))
		abort();
	seamcall(&machine, 0, SYS_INIT, 0, 0, 0, 0);
	seamcall(&machine, 0, SYS_LP_INIT, 0, 0, 0, 0);
	machine_stop(&machine);
	if (machine.allocated)
		abort();
	tdx_machine_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tdxm_fault faults[TDXM_MAX_FAULTS];
	struct tdx_machine *m;
	unsigned int nr;
	json_t *root;
	char *err;

	m = tdx_machine_parse((const char *)data, size, "f", &err);
	check(m, err);
	root = json_loadb((const char *)data, size, 0, NULL);
	if (root) {
		m = tdx_machine_from_vector(root, "f", &err);
		check(m, err);
		json_decref(root);
	}
	if (!tdx_faults_parse((const char *)data, size, "f", faults, &nr, &err)) {
		if (!err)
			abort();
		free(err);
	}
	return 0;
}
