/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "platform.h"

struct tdx_machine *tdx_machine_load(const char *file, char **err)
{
	struct tdx_machine *m = calloc(1, sizeof(*m));

	(void)file;
	*err = NULL;
	tdxm_platform_init(&m->platform);
	m->name = calloc(1, 1);
	m->nodes = 1;
	m->checker = true;
	return m;
}

struct tdx_machine *tdx_machine_parse(const char *text, size_t len, const char *name, char **err)
{
	(void)text; (void)len;
	return tdx_machine_load(name, err);
}

void tdx_machine_free(struct tdx_machine *machine)
{
	if (machine)
		free(machine->name);
	free(machine);
}
