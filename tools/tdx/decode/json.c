// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>

#include "json.h"

static void put_text(struct json *json, const char *text)
{
	const unsigned char *c;

	fputc('"', json->file);
	for (c = (const unsigned char *)text; *c; c++) {
		if (*c == '"' || *c == '\\')
			fprintf(json->file, "\\%c", *c);
		else if (*c < 0x20 || *c >= 0x7f)
			fprintf(json->file, "\\u%04x", *c);
		else
			fputc(*c, json->file);
	}
	fputc('"', json->file);
}

static void start_value(struct json *json, const char *name)
{
	if (json->depth) {
		bool *used = &json->used[json->depth - 1];

		fprintf(json->file, "%s\n%*s", *used ? "," : "", 2 * json->depth, "");
		*used = true;
	}
	if (name) {
		put_text(json, name);
		fputs(": ", json->file);
	}
}

static void open_level(struct json *json, const char *name, char open, char close)
{
	start_value(json, name);
	if (json->depth == JSON_DEPTH_MAX)
		abort();

	fputc(open, json->file);
	json->used[json->depth] = false;
	json->close[json->depth] = close;
	json->depth++;
}

void json_object(struct json *json, const char *name)
{
	open_level(json, name, '{', '}');
}

void json_array(struct json *json, const char *name)
{
	open_level(json, name, '[', ']');
}

void json_end(struct json *json)
{
	json->depth--;
	if (json->used[json->depth])
		fprintf(json->file, "\n%*s", 2 * json->depth, "");
	fputc(json->close[json->depth], json->file);
	if (!json->depth)
		fputc('\n', json->file);
}

void json_string(struct json *json, const char *name, const char *value)
{
	start_value(json, name);
	if (value)
		put_text(json, value);
	else
		fputs("null", json->file);
}

void json_number(struct json *json, const char *name, long long value)
{
	start_value(json, name);
	fprintf(json->file, "%lld", value);
}

void json_hex(struct json *json, const char *name, u64 value)
{
	start_value(json, name);
	fprintf(json->file, "\"0x%llx\"", value);
}

void json_bool(struct json *json, const char *name, bool value)
{
	start_value(json, name);
	fputs(value ? "true" : "false", json->file);
}
