// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory maps that tdxplan reads: JSON, /proc/iomem, boot logs, memmap.
 *
 * Lines of logs that are of no interest are skipped, lines that are of interest
 * and make no sense are errors. Every input may come from anybody: nothing here
 * trusts it.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "input.h"

#define PAGE		4096ULL
#define LOW_MEMORY	(1ULL << 20)
#define FOUR_GIB	(1ULL << 32)
#define PA_END		(1ULL << 52)

/* A piece of memory or a node, and the line that says so */
struct piece {
	struct tdx_range range;
	int nid;
	unsigned int line;
};

struct pieces {
	struct piece *p;
	size_t nr, room;
};

struct input {
	const char *name;
	struct pieces memory;
	struct pieces nodes;
	struct pieces cmrs;
	struct tdmr_limits limits;
	bool has_cmrs;
	char **error;
};

static void out_of_memory(void)
{
	fputs("tdxplan: out of memory\n", stderr);
	abort();
}

static void pieces_add(struct pieces *pieces, u64 start, u64 end, int nid, unsigned int line)
{
	if (pieces->nr == pieces->room) {
		pieces->room = pieces->room ? 2 * pieces->room : 64;
		pieces->p = realloc(pieces->p, pieces->room * sizeof(*pieces->p));
		if (!pieces->p)
			out_of_memory();
	}
	pieces->p[pieces->nr++] = (struct piece){ { start, end }, nid, line };
}

static int by_start(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	if (x->range.start != y->range.start)
		return x->range.start < y->range.start ? -1 : 1;

	return x->range.end < y->range.end ? -1 : x->range.end > y->range.end;
}

static void pieces_sort(struct pieces *pieces)
{
	if (pieces->nr)
		qsort(pieces->p, pieces->nr, sizeof(*pieces->p), by_start);
}

/* "NAME:LINE: text"; line 0: "NAME: text". Always returns false. */
static bool __attribute__((format(printf, 3, 4)))
bad(struct input *in, unsigned int line, const char *format, ...)
{
	char text[400], full[1000], *at;
	va_list args;

	if (*in->error)
		return false;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	/* Names and values of the input may be in it: no control characters on a terminal. */
	for (at = text; *at; at++) {
		if (iscntrl((unsigned char)*at))
			*at = '?';
	}
	if (line)
		snprintf(full, sizeof(full), "%s:%u: %s", in->name, line, text);
	else
		snprintf(full, sizeof(full), "%s: %s", in->name, text);
	*in->error = strdup(full);
	if (!*in->error)
		out_of_memory();

	return false;
}

/* ---- text */

/* A line, without what ends it */
struct line {
	const char *at;
	const char *end;
	unsigned int nr;
};

static bool next_line(struct line *line, const char *text_end)
{
	const char *at = line->end;

	if (line->nr && at < text_end)
		at++;
	if (at >= text_end)
		return false;

	line->at = at;
	line->end = memchr(at, '\n', text_end - at);
	if (!line->end)
		line->end = text_end;
	line->nr++;

	return true;
}

static const char *find(const char *at, const char *end, const char *what)
{
	size_t len = strlen(what);

	for (; (size_t)(end - at) >= len; at++) {
		if (!memcmp(at, what, len))
			return at;
	}

	return NULL;
}

/* If @what is next, go on behind it. */
static bool skip(const char **at, const char *end, const char *what)
{
	size_t len = strlen(what);

	if ((size_t)(end - *at) < len || memcmp(*at, what, len))
		return false;
	*at += len;

	return true;
}

static void skip_blanks(const char **at, const char *end)
{
	while (*at < end && (**at == ' ' || **at == '\t'))
		(*at)++;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;

	return 99;
}

static bool number(const char **at, const char *end, int base, u64 *value)
{
	const char *begin = *at;
	u64 sum = 0;

	for (; *at < end && digit_of(**at) < base; (*at)++) {
		if (sum >> 59)
			return false;
		sum = sum * base + digit_of(**at);
	}
	*value = sum;

	return *at > begin;
}

/* "0x" may be missing. */
static bool hex(const char **at, const char *end, u64 *value)
{
	skip(at, end, "0x");

	return number(at, end, 16, value);
}

static bool check_range(struct input *in, unsigned int line, u64 start, u64 end)
{
	if (start >= end)
		return bad(in, line, "[%#llx, %#llx) ends before it starts", start, end);
	if (end > PA_END)
		return bad(in, line, "[%#llx, %#llx) reaches beyond 52 address bits", start, end);

	return true;
}

/* The kernel rounds RAM inwards to pages, and TDX leaves out the first MiB. */
static void add_ram(struct input *in, u64 start, u64 end, int nid, unsigned int line)
{
	if (start < LOW_MEMORY)
		start = LOW_MEMORY;
	start = (start + PAGE - 1) & ~(PAGE - 1);
	end &= ~(PAGE - 1);
	if (start < end)
		pieces_add(&in->memory, start, end, nid, line);
}

/* "[mem 0xSTART-0xLAST]" */
static bool mem_range(struct input *in, const struct line *line, const char **at, u64 *start, u64 *end)
{
	if (!skip(at, line->end, "[mem ") || !hex(at, line->end, start) || !skip(at, line->end, "-") ||
	    !hex(at, line->end, end) || !skip(at, line->end, "]"))
		return bad(in, line->nr, "expected [mem 0xSTART-0xEND]");
	(*end)++;

	return check_range(in, line->nr, *start, *end);
}

/* Kernels before 3.0: "0000000000100000 - 00000000bf780000 (usable)", end not included */
static bool old_range(struct input *in, const struct line *line, const char **at, u64 *start, u64 *end)
{
	if (!hex(at, line->end, start) || !skip(at, line->end, " - ") || !hex(at, line->end, end))
		return bad(in, line->nr, "expected an address range");

	return check_range(in, line->nr, *start, *end);
}

static bool log_e820(struct input *in, const struct line *line, const char *at)
{
	u64 start, end;

	skip_blanks(&at, line->end);
	if (at < line->end && *at == '[' ? !mem_range(in, line, &at, &start, &end) :
					   !old_range(in, line, &at, &start, &end))
		return false;
	skip_blanks(&at, line->end);
	skip(&at, line->end, "(");
	if (skip(&at, line->end, "usable"))
		add_ram(in, start, end, -1, line->nr);

	return true;
}

/* "SRAT: Node 0 PXM 0 [mem ...]", older: "SRAT: Node 0 PXM 0 0-80000000" */
static bool log_srat(struct input *in, const struct line *line, const char *at)
{
	u64 nid, pxm, start, end;

	if (!number(&at, line->end, 10, &nid) || nid > 4095)
		return bad(in, line->nr, "SRAT: expected the number of a node");
	if (!skip(&at, line->end, " PXM ") || !number(&at, line->end, 10, &pxm))
		return bad(in, line->nr, "SRAT: expected PXM and a number");
	skip_blanks(&at, line->end);
	if (at < line->end && *at == '[') {
		if (!mem_range(in, line, &at, &start, &end))
			return false;
	} else {
		if (!hex(&at, line->end, &start) || !skip(&at, line->end, "-") || !hex(&at, line->end, &end))
			return bad(in, line->nr, "SRAT: expected an address range");
		if (!check_range(in, line->nr, start, end))
			return false;
	}
	/* Nodes are made of pages. */
	start &= ~(PAGE - 1);
	end = (end + PAGE - 1) & ~(PAGE - 1);
	pieces_add(&in->nodes, start, end, (int)nid, line->nr);

	return true;
}

/* Any number of "[0xSTART, 0xEND)" behind "CMR" */
static bool log_cmrs(struct input *in, const struct line *line, const char *at)
{
	u64 start, end;

	while ((at = find(at, line->end, "[0x"))) {
		at += 3;
		if (at < line->end && digit_of(*at) > 15)
			continue;
		if (!hex(&at, line->end, &start) || !skip(&at, line->end, ", ") ||
		    !hex(&at, line->end, &end))
			return bad(in, line->nr, "CMR: expected [0xSTART, 0xEND)");
		if (!skip(&at, line->end, ")"))
			return bad(in, line->nr, "CMR: expected [0xSTART, 0xEND)");
		if (!check_range(in, line->nr, start, end))
			return false;
		if ((start | end) % PAGE)
			return bad(in, line->nr, "CMR [%#llx, %#llx) is no multiple of 4 KiB", start, end);
		pieces_add(&in->cmrs, start, end, -1, line->nr);
	}

	return true;
}

/* Nodes and CMRs of a log; RAM, too, if @memory. Without it, the log need not have any of them, but be one. */
static bool read_log(struct input *in, const char *text, size_t len, bool memory)
{
	struct line line = { .at = text, .end = text };
	size_t before = in->nodes.nr + in->cmrs.nr;
	bool is_log = memory;
	const char *at;

	while (next_line(&line, text + len)) {
		at = find(line.at, line.end, "BIOS-e820: ");
		if (at)
			is_log = true;
		if (at && memory && !log_e820(in, &line, at + strlen("BIOS-e820: ")))
			return false;
		at = find(line.at, line.end, "SRAT: Node ");
		if (at && !log_srat(in, &line, at + strlen("SRAT: Node ")))
			return false;
		at = find(line.at, line.end, "CMR");
		if (at && !log_cmrs(in, &line, at + strlen("CMR")))
			return false;
	}
	if (!is_log && in->nodes.nr + in->cmrs.nr == before)
		return bad(in, 0, "no boot log: no line has \"SRAT: Node\", \"CMR [0x\" or \"BIOS-e820\"; --with takes what dmesg prints after boot");

	return true;
}

/* "  00100000-bf77ffff : System RAM" */
static bool iomem_line(const struct line *line, u64 *start, u64 *end, const char **what)
{
	const char *at = line->at;

	skip_blanks(&at, line->end);
	if (!number(&at, line->end, 16, start) || !skip(&at, line->end, "-") ||
	    !number(&at, line->end, 16, end) || !skip(&at, line->end, " : "))
		return false;
	*what = at;

	return true;
}

static bool read_iomem(struct input *in, const char *text, size_t len)
{
	struct line line = { .at = text, .end = text };
	bool hidden = true;
	const char *what;
	u64 start, end;

	while (next_line(&line, text + len)) {
		const char *at = line.at;

		skip_blanks(&at, line.end);
		if (at == line.end || *at == '#')
			continue;
		if (!iomem_line(&line, &start, &end, &what))
			return bad(in, line.nr, "expected START-END : NAME, as in /proc/iomem");
		if (end)
			hidden = false;
		if (!skip(&what, line.end, "System RAM") || !end)
			continue;
		if (!check_range(in, line.nr, start, end + 1))
			return false;
		add_ram(in, start, end + 1, -1, line.nr);
	}
	if (hidden)
		return bad(in, 0, "all addresses are 0: the kernel hides them; read /proc/iomem as root");

	return true;
}

/* An entry of /sys/firmware/memmap: three files in a folder */
struct memmap_entry {
	u64 start, end;
	bool has_start, has_end, has_type, ram;
	unsigned int line;
};

#define MEMMAP_MAX	65536

/* ".../12/start:0x100000", as "grep . -r" prints it */
static bool memmap_line(struct input *in, const struct line *line, struct memmap_entry **entries, size_t *room)
{
	const char *at = line->end, *value, *name, *number_at;
	struct memmap_entry *entry;
	u64 nr, addr = 0;
	size_t i;

	value = memchr(line->at, ':', line->end - line->at);
	if (!value)
		goto malformed;
	for (name = value; name > line->at && name[-1] != '/'; name--)
		;
	if (name == line->at)
		goto malformed;
	for (number_at = name - 1; number_at > line->at && isdigit((unsigned char)number_at[-1]); number_at--)
		;
	at = number_at;
	if (!number(&at, name - 1, 10, &nr) || at != name - 1 || nr >= MEMMAP_MAX)
		goto malformed;

	if (nr >= *room) {
		size_t more = 2 * (nr + 32);

		*entries = realloc(*entries, more * sizeof(**entries));
		if (!*entries)
			out_of_memory();
		for (i = *room; i < more; i++)
			(*entries)[i] = (struct memmap_entry){ 0 };
		*room = more;
	}
	entry = &(*entries)[nr];
	entry->line = line->nr;

	at = value + 1;
	if (skip(&name, value, "type") && name == value) {
		entry->has_type = true;
		entry->ram = skip(&at, line->end, "System RAM");
		return true;
	}
	if (!hex(&at, line->end, &addr) || at != line->end)
		goto malformed;
	if (skip(&name, value, "start") && name == value) {
		entry->has_start = true;
		entry->start = addr;
		return true;
	}
	if (skip(&name, value, "end") && name == value) {
		entry->has_end = true;
		entry->end = addr;
		return true;
	}

malformed:
	return bad(in, line->nr, "expected N/start:0x..., N/end:0x... or N/type:..., as in /sys/firmware/memmap");
}

static bool read_memmap(struct input *in, const char *text, size_t len)
{
	struct line line = { .at = text, .end = text };
	struct memmap_entry *entries = NULL;
	size_t room = 0, i;
	bool ok = true;

	while (ok && next_line(&line, text + len)) {
		if (line.at < line.end && *line.at != '#')
			ok = memmap_line(in, &line, &entries, &room);
	}
	for (i = 0; ok && i < room; i++) {
		const struct memmap_entry *e = &entries[i];

		if (!e->line)
			continue;
		if (!e->has_start || !e->has_end || !e->has_type)
			ok = bad(in, e->line, "entry %zu has no start, end or type", i);
		else
			ok = check_range(in, e->line, e->start, e->end + 1);
		if (ok && e->ram)
			add_ram(in, e->start, e->end + 1, -1, e->line);
	}
	free(entries);

	return ok;
}

/* ---- JSON. jansson checks the syntax; where a value is, it does not tell. */

struct spot {
	const char *at;
	const char *end;
};

static void spot_space(struct spot *s)
{
	while (s->at < s->end && isspace((unsigned char)*s->at))
		s->at++;
}

static void spot_string(struct spot *s)
{
	for (s->at++; s->at < s->end && *s->at != '"'; s->at++) {
		if (*s->at == '\\')
			s->at++;
	}
	if (s->at < s->end)
		s->at++;
	else
		s->at = s->end;
}

/* Go behind a value. */
static void spot_value(struct spot *s)
{
	size_t depth = 0;

	spot_space(s);
	while (s->at < s->end) {
		if (*s->at == '"') {
			spot_string(s);
		} else {
			if (*s->at == '[' || *s->at == '{')
				depth++;
			else if (!depth && (*s->at == ',' || *s->at == ']' || *s->at == '}'))
				return;
			else if (*s->at == ']' || *s->at == '}')
				depth--;
			s->at++;
		}
		if (!depth && s->at < s->end && (*s->at == ',' || *s->at == ']' || *s->at == '}'))
			return;
	}
}

/* From an object to the member @key; stays if there is none. */
static void spot_member(struct spot *s, const char *key)
{
	struct spot look = *s;
	const char *name;
	size_t len = strlen(key);

	spot_space(&look);
	if (look.at == look.end || *look.at != '{')
		return;
	while (look.at < look.end && *look.at != '}') {
		look.at++;
		spot_space(&look);
		if (look.at == look.end || *look.at != '"')
			return;
		name = look.at + 1;
		spot_string(&look);
		if ((size_t)(look.at - 1 - name) == len && !memcmp(name, key, len)) {
			s->at = name - 1;
			while (look.at < look.end && *look.at != ':')
				look.at++;
			look.at++;
			spot_space(&look);
			if (look.at < look.end)
				s->at = look.at;
			return;
		}
		while (look.at < look.end && *look.at != ':')
			look.at++;
		if (look.at < look.end)
			look.at++;
		spot_value(&look);
	}
}

static void spot_element(struct spot *s, size_t index)
{
	struct spot look = *s;

	spot_space(&look);
	if (look.at == look.end || *look.at != '[')
		return;
	for (look.at++; index--; look.at++) {
		spot_value(&look);
		if (look.at >= look.end)
			return;
	}
	spot_space(&look);
	if (look.at < look.end)
		s->at = look.at;
}

/* Which value of the document an error is about: key[index].member */
struct path {
	const char *key;
	long index;
	const char *member;
};

struct json_input {
	struct input *in;
	const char *text;
	size_t len;
};

static unsigned int path_line(const struct json_input *j, const struct path *path)
{
	struct spot s = { j->text, j->text + j->len };
	unsigned int line = 1;
	const char *at;

	if (path->key)
		spot_member(&s, path->key);
	if (path->index >= 0)
		spot_element(&s, path->index);
	if (path->member)
		spot_member(&s, path->member);
	for (at = j->text; at < s.at; at++)
		line += *at == '\n';

	return line;
}

static bool __attribute__((format(printf, 3, 4)))
bad_value(const struct json_input *j, const struct path *path, const char *format, ...)
{
	char what[200], text[200];
	size_t n = 0;
	va_list args;

	what[0] = '\0';
	if (path->key)
		n = snprintf(what, sizeof(what), "%.60s", path->key);
	if (path->index >= 0)
		n += snprintf(what + n, sizeof(what) - n, "[%ld]", path->index);
	if (path->member)
		snprintf(what + n, sizeof(what) - n, ".%.60s", path->member);
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);

	return bad(j->in, path_line(j, path), "%s%s%s", what, what[0] ? ": " : "", text);
}

static bool json_number(const struct json_input *j, const struct path *path, const json_t *value,
			u64 max, u64 *result)
{
	const char *at, *end;

	if (!value)
		return bad_value(j, path, "missing");
	if (json_is_integer(value)) {
		if (json_integer_value(value) < 0)
			return bad_value(j, path, "%lld is negative", (long long)json_integer_value(value));
		*result = json_integer_value(value);
	} else if (json_is_string(value)) {
		at = json_string_value(value);
		end = at + json_string_length(value);
		if (skip(&at, end, "0x") ? !number(&at, end, 16, result) : !number(&at, end, 10, result))
			return bad_value(j, path, "\"%.40s\" is no number, or too large", json_string_value(value));
		if (at != end)
			return bad_value(j, path, "\"%.40s\" is no number", json_string_value(value));
	} else {
		return bad_value(j, path, "expected a number, or a string such as \"0x1000\"");
	}
	if (*result > max)
		return bad_value(j, path, "%llu (%#llx) is more than %llu (%#llx)", *result, *result, max, max);

	return true;
}

/* A member that nobody reads is a mistake. @names ends with NULL. */
static bool json_members(const struct json_input *j, struct path path, const json_t *object, const char * const *names)
{
	char allowed[100];
	const char *name;
	json_t *value;
	size_t i, n;

	json_object_foreach((json_t *)object, name, value) {
		n = 0;
		for (i = 0; names[i] && strcmp(names[i], name); i++)
			n += snprintf(allowed + n, sizeof(allowed) - n, "%s%s", i ? ", " : "", names[i]);
		if (names[i])
			continue;
		*(path.key ? &path.member : &path.key) = name;
		return bad_value(j, &path, "no such member; allowed are %s", allowed);
	}

	return true;
}

static bool json_ranges(const struct json_input *j, const json_t *root, const char *key, struct pieces *pieces)
{
	static const char * const of_region[] = { "start", "end", "nid", NULL };
	static const char * const of_cmr[] = { "start", "end", NULL };
	struct path path = { key, -1, NULL };
	const json_t *list = json_object_get(root, key), *item;
	u64 start, end, nid;
	size_t i;

	if (!list)
		return true;
	if (!json_is_array(list))
		return bad_value(j, &path, "expected a list");
	for (i = 0; i < json_array_size(list); i++) {
		item = json_array_get(list, i);
		path = (struct path){ key, i, NULL };
		if (!json_is_object(item))
			return bad_value(j, &path, "expected {\"start\": ..., \"end\": ...}");
		if (!json_members(j, path, item, pieces == &j->in->cmrs ? of_cmr : of_region))
			return false;
		path.member = "start";
		if (!json_number(j, &path, json_object_get(item, "start"), PA_END, &start))
			return false;
		if (start % PAGE)
			return bad_value(j, &path, "%#llx is no multiple of 4 KiB", start);
		path.member = "end";
		if (!json_number(j, &path, json_object_get(item, "end"), PA_END, &end))
			return false;
		if (end % PAGE)
			return bad_value(j, &path, "%#llx is no multiple of 4 KiB", end);
		path.member = "nid";
		nid = 0;
		if (json_object_get(item, "nid") &&
		    !json_number(j, &path, json_object_get(item, "nid"), 4095, &nid))
			return false;
		path.member = NULL;
		/* Firmware's list of CMRs has null entries. */
		if (start == end && pieces == &j->in->cmrs)
			continue;
		if (start >= end)
			return bad_value(j, &path, "[%#llx, %#llx) is empty, or ends before it starts", start, end);
		pieces_add(pieces, start, end, (int)nid, path_line(j, &path));
	}

	return true;
}

static bool json_limit(const struct json_input *j, const json_t *root, const char *key, u64 min, u16 *limit)
{
	struct path path = { key, -1, NULL };
	const json_t *value = json_object_get(root, key);
	u64 number;

	if (!value)
		return true;
	if (!json_number(j, &path, value, 65535, &number))
		return false;
	if (number < min)
		return bad_value(j, &path, "%llu is less than %llu", number, min);
	*limit = number;

	return true;
}

static bool json_entry_sizes(const struct json_input *j, const json_t *root)
{
	struct path path = { "pamt_entry_size", -1, NULL };
	const json_t *list = json_object_get(root, path.key);
	u64 size;
	size_t i;

	if (!list)
		return true;
	if (!json_is_array(list) || json_array_size(list) != TDX_PS_NR)
		return bad_value(j, &path, "expected a list of three numbers: 4K, 2M, 1G");
	for (i = 0; i < TDX_PS_NR; i++) {
		path.index = i;
		if (!json_number(j, &path, json_array_get(list, i), 65535, &size))
			return false;
		if (!size)
			return bad_value(j, &path, "an entry of no size");
		j->in->limits.pamt_entry_size[i] = size;
	}

	return true;
}

static bool json_map(const struct json_input *j, const json_t *root)
{
	static const char * const members[] = {
		"regions", "cmrs", "max_tdmrs", "max_reserved", "pamt_entry_size", NULL
	};
	struct path top = { NULL, -1, NULL };

	if (!json_is_object(root))
		return bad_value(j, &top, "expected an object: {\"regions\": [...], \"cmrs\": [...]}");
	if (!json_members(j, top, root, members))
		return false;
	j->in->has_cmrs = json_object_get(root, "cmrs");
	if (!json_object_get(root, "regions"))
		return bad_value(j, &top, "\"regions\" is missing");

	return json_ranges(j, root, "regions", &j->in->memory) && json_ranges(j, root, "cmrs", &j->in->cmrs) &&
	       json_limit(j, root, "max_tdmrs", 1, &j->in->limits.max_tdmrs) &&
	       json_limit(j, root, "max_reserved", 0, &j->in->limits.max_reserved) && json_entry_sizes(j, root);
}

static bool read_json(struct input *in, const char *text, size_t len)
{
	struct json_input j = { in, text, len };
	json_error_t error;
	json_t *root;
	bool ok;

	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		return bad(in, error.line > 0 ? error.line : 1, "column %d: %s", error.column, error.text);
	ok = json_map(&j, root);
	json_decref(root);

	return ok;
}

/* ---- what all formats have in common */

/* Drop what is there twice; nothing else may overlap. */
static bool check_overlap(struct input *in, struct pieces *pieces, const char *what)
{
	size_t i, nr = 0;

	pieces_sort(pieces);
	for (i = 0; i < pieces->nr; i++) {
		const struct piece *p = &pieces->p[i];
		const struct piece *last = nr ? &pieces->p[nr - 1] : NULL;

		if (last && p->range.start == last->range.start && p->range.end == last->range.end &&
		    p->nid == last->nid)
			continue;
		if (last && p->range.start < last->range.end)
			return bad(in, p->line > last->line ? p->line : last->line,
				   "%s [%#llx, %#llx) overlaps [%#llx, %#llx) of line %u", what,
				   p->range.start, p->range.end, last->range.start, last->range.end,
				   p->line > last->line ? last->line : p->line);
		pieces->p[nr++] = *p;
	}
	pieces->nr = nr;

	return true;
}

/* Cut memory where the node changes. Memory of no node is of node 0. */
static void assign_nodes(struct input *in)
{
	struct pieces old = in->memory;
	size_t i, n = 0, k;

	pieces_sort(&in->nodes);
	in->memory = (struct pieces){ 0 };
	for (i = 0; i < old.nr; i++) {
		u64 at = old.p[i].range.start, end = old.p[i].range.end;

		if (old.p[i].nid >= 0) {
			pieces_add(&in->memory, at, end, old.p[i].nid, old.p[i].line);
			continue;
		}
		while (n < in->nodes.nr && in->nodes.p[n].range.end <= at)
			n++;
		for (k = n; at < end; k++) {
			const struct piece *node = k < in->nodes.nr ? &in->nodes.p[k] : NULL;
			u64 from = node && node->range.start < end ? node->range.start : end;
			u64 to;

			if (node && node->range.end <= at)
				continue;
			if (from > at) {
				pieces_add(&in->memory, at, from, 0, old.p[i].line);
				at = from;
			}
			if (at == end)
				break;
			to = node->range.end < end ? node->range.end : end;
			pieces_add(&in->memory, at, to, node->nid, old.p[i].line);
			at = to;
		}
	}
	free(old.p);
}

/*
 * A machine without TDX has no CMRs. It gets what firmware makes of such a map:
 * one below 4 GiB, up to the end of RAM, and one for each run of RAM above.
 */
static void guess_cmrs(struct input *in)
{
	u64 low = 0;
	size_t i;

	for (i = 0; i < in->memory.nr; i++) {
		if (in->memory.p[i].range.start < FOUR_GIB)
			low = in->memory.p[i].range.end;
	}
	if (low)
		pieces_add(&in->cmrs, in->memory.p[0].range.start < LOW_MEMORY ? 0 : LOW_MEMORY, low, -1, 0);
	for (i = 0; i < in->memory.nr; i++) {
		const struct tdx_range *r = &in->memory.p[i].range;
		struct piece *last = in->cmrs.nr ? &in->cmrs.p[in->cmrs.nr - 1] : NULL;

		if (r->start < FOUR_GIB)
			continue;
		if (last && last->range.end == r->start)
			last->range.end = r->end;
		else
			pieces_add(&in->cmrs, r->start, r->end, -1, 0);
	}
}

static enum map_format detect_format(const char *text, size_t len)
{
	struct line line = { .at = text, .end = text };
	const char *what;
	u64 start, end;

	while (next_line(&line, text + len)) {
		const char *at = line.at;

		skip_blanks(&at, line.end);
		if (at == line.end || *at == '#' || *at == '\r')
			continue;
		if (*at == '{')
			return MAP_JSON;
		if (iomem_line(&line, &start, &end, &what))
			return MAP_IOMEM;
		if (find(at, line.end, "/start:") || find(at, line.end, "/end:") || find(at, line.end, "/type:"))
			return MAP_MEMMAP;
		return MAP_LOG;
	}

	return MAP_LOG;
}

static bool finish(struct input *in, struct map *map)
{
	size_t i, nr = 0;

	if (!check_overlap(in, &in->memory, "memory") || !check_overlap(in, &in->cmrs, "CMR"))
		return false;

	if (!in->memory.nr && map->format == MAP_LOG && in->cmrs.nr) {
		map->memory_is_cmrs = true;
		for (i = 0; i < in->cmrs.nr; i++)
			add_ram(in, in->cmrs.p[i].range.start, in->cmrs.p[i].range.end, -1, in->cmrs.p[i].line);
	}
	if (!in->memory.nr)
		return bad(in, 0, map->format == MAP_JSON ? "\"regions\" is empty" :
			   map->format == MAP_LOG ? "no memory: no line \"BIOS-e820: [mem 0x...-0x...] usable\", and no CMRs" :
			   "no memory: no entry \"System RAM\"");
	if (!in->cmrs.nr && !in->has_cmrs) {
		map->cmrs_guessed = true;
		guess_cmrs(in);
	}
	assign_nodes(in);

	map->regions = calloc(in->memory.nr, sizeof(*map->regions));
	map->cmrs = calloc(in->cmrs.nr + 1, sizeof(*map->cmrs));
	if (!map->regions || !map->cmrs)
		out_of_memory();
	for (i = 0; i < in->memory.nr; i++) {
		const struct piece *p = &in->memory.p[i];
		struct tdx_region *last = nr ? &map->regions[nr - 1] : NULL;

		if (last && last->end == p->range.start && last->nid == p->nid)
			last->end = p->range.end;
		else
			map->regions[nr++] = (struct tdx_region){ p->range.start, p->range.end, p->nid };
	}
	map->nr_regions = nr;
	for (i = 0; i < in->cmrs.nr; i++)
		map->cmrs[i] = in->cmrs.p[i].range;
	map->nr_cmrs = in->cmrs.nr;
	map->limits = in->limits;

	return true;
}

enum map_format map_format_by_name(const char *name)
{
	static const char * const names[] = { "auto", "json", "iomem", "e820", "memmap" };
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(name, names[i]))
			return i;
	}

	return -1;
}

struct map *map_read(const char *name, const char *text, size_t len, enum map_format format,
		     const char *extra_name, const char *extra, size_t extra_len, char **error)
{
	struct input in = {
		.name = name,
		.limits = { .max_tdmrs = 64, .max_reserved = 16, .pamt_entry_size = { 16, 16, 16 } },
		.error = error,
	};
	struct map *map = calloc(1, sizeof(*map));
	bool ok;

	if (!map)
		out_of_memory();
	*error = NULL;
	map->format = format == MAP_AUTO ? detect_format(text, len) : format;
	switch (map->format) {
	case MAP_JSON:
		ok = read_json(&in, text, len);
		break;
	case MAP_IOMEM:
		ok = read_iomem(&in, text, len);
		break;
	case MAP_MEMMAP:
		ok = read_memmap(&in, text, len);
		break;
	default:
		ok = read_log(&in, text, len, true);
	}
	if (ok && extra) {
		in.name = extra_name;
		ok = read_log(&in, extra, extra_len, false);
		in.name = name;
	}
	ok = ok && finish(&in, map);

	free(in.memory.p);
	free(in.nodes.p);
	free(in.cmrs.p);
	if (!ok) {
		map_free(map);
		return NULL;
	}

	return map;
}

void map_free(struct map *map)
{
	if (!map)
		return;
	free(map->regions);
	free(map->cmrs);
	free(map);
}

/* ---- files */

static char *slurp_stream(FILE *f, size_t *len)
{
	size_t room = 1 << 16, nr = 0, got;
	char *text = malloc(room);

	if (!text)
		out_of_memory();
	while ((got = fread(text + nr, 1, room - nr, f))) {
		nr += got;
		if (nr == room) {
			room *= 2;
			text = realloc(text, room);
			if (!text)
				out_of_memory();
		}
	}
	if (ferror(f)) {
		free(text);
		return NULL;
	}
	*len = nr;

	return text;
}

/* The folder as "grep . -r" shows it */
static char *slurp_memmap(const char *name, size_t *len)
{
	static const char * const files[] = { "start", "end", "type" };
	char path[4096], value[80];
	struct dirent *entry;
	char *text = NULL;
	FILE *out, *f;
	unsigned int i;
	DIR *dir;

	dir = opendir(name);
	if (!dir)
		return NULL;
	out = open_memstream(&text, len);
	if (!out)
		out_of_memory();
	while ((entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		for (i = 0; i < 3; i++) {
			snprintf(path, sizeof(path), "%s/%s/%s", name, entry->d_name, files[i]);
			f = fopen(path, "re");
			if (!f)
				continue;
			if (fgets(value, sizeof(value), f))
				fprintf(out, "%s/%s:%s%s", entry->d_name, files[i], value,
					strchr(value, '\n') ? "" : "\n");
			fclose(f);
		}
	}
	closedir(dir);
	if (fclose(out))
		out_of_memory();

	return text;
}

char *map_slurp(const char *name, size_t *len)
{
	struct stat st;
	char *text;
	FILE *f;

	if (!strcmp(name, "-"))
		return slurp_stream(stdin, len);
	if (stat(name, &st))
		return NULL;
	if (S_ISDIR(st.st_mode))
		return slurp_memmap(name, len);
	f = fopen(name, "re");
	if (!f)
		return NULL;
	text = slurp_stream(f, len);
	fclose(f);

	return text;
}
