// SPDX-License-Identifier: GPL-2.0-or-later
/* libFuzzer: any text through the line parser of tdx-decode and the words of what it found. */
#include <stdlib.h>
#include <string.h>

#include "messages.h"
#include "parse.h"

static void check(int ok)
{
	if (!ok)
		abort();
}

static void describe(const struct tdx_found *found, size_t len)
{
	/* Of its own size, so that the sanitizer sees a byte too much. */
	char *text = malloc(len);
	int n;

	check(!!text);
	n = tdx_seamcall_describe(text, len, found->fn, found->status, &found->regs);
	check(n >= 0 && (size_t)n < len && strlen(text) == (size_t)n);
	n = tdx_seamcall_detail(text, len, found->fn, found->status, &found->regs);
	check(n >= 0 && (size_t)n < len && strlen(text) == (size_t)n);
	check(len < TDX_STATUS_LEN || (size_t)n < len - 1);
	free(text);

	tdx_status_meaning(found->status);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct tdx_found held = { 0 }, found;
	char *text, *line, *rest;

	text = malloc(size + 1);
	check(!!text);
	memcpy(text, data, size);
	text[size] = '\0';

	for (line = text; line; line = rest) {
		rest = strchr(line, '\n');
		if (rest)
			*rest++ = '\0';
		if (!tdx_parse_line(line, &found))
			continue;
		check(found.has_status || found.message || found.regs_seen);
		if (found.has_errno)
			tdx_find_errno(found.err);
		if (found.has_status)
			held = found;
		else
			tdx_add_regs(&held, &found);
		describe(&held, TDX_STATUS_LEN);
		describe(&held, 1 + size % TDX_STATUS_LEN);
	}
	free(text);
	return 0;
}
