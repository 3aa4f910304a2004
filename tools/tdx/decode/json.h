/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes JSON as it goes: values in the order of the calls, commas and quotes
 * where they belong. Numbers that may not fit 53 bits are hexadecimal strings.
 */
#ifndef _TDX_DECODE_JSON_H
#define _TDX_DECODE_JSON_H

#include <stdio.h>

#include <linux/types.h>

#define JSON_DEPTH_MAX	16

struct json {
	FILE *file;
	unsigned int depth;
	bool used[JSON_DEPTH_MAX];	/* this level has a value already */
	char close[JSON_DEPTH_MAX];
};

/* @name is NULL in arrays and for the outermost value. */
void json_object(struct json *json, const char *name);
void json_array(struct json *json, const char *name);
void json_end(struct json *json);

void json_string(struct json *json, const char *name, const char *value);	/* NULL: null */
void json_number(struct json *json, const char *name, long long value);
void json_hex(struct json *json, const char *name, u64 value);
void json_bool(struct json *json, const char *name, bool value);

#endif
