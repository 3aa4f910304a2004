// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tdx-replay: run recorded SEAMCALLs on the model of the TDX module and compare.
 *
 *     tdx-replay [--verbose] [--only NAME] FILE[.gz]...
 *
 * A file has one scenario a line, see vectors/README. All
 * of RAX, RCX, RDX and R8 to R11 and the memory named by "read" must be as
 * recorded. The first difference of a scenario is explained; the last line is
 * "N passed, N failed, N skipped". Exit status: 0, 1 (a difference), 2 (usage,
 * or a file that can not be read).
 *
 * A trace whose writer was killed ends in the middle of a line: its complete
 * steps are replayed.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include <jansson.h>

#include "../../tdx/platform/platform.h"
#include "machine.h"

static const struct {
	const char *name;
	enum tdxm_reg reg;
} regs[] = {
	{ "rax", TDXM_RAX }, { "rcx", TDXM_RCX }, { "rdx", TDXM_RDX }, { "r8", TDXM_R8 },
	{ "r9", TDXM_R9 }, { "r10", TDXM_R10 }, { "r11", TDXM_R11 },
};

#define NR_REGS (sizeof(regs) / sizeof(regs[0]))

/* These, and what else is not in regs[], never change */
static const uint64_t untouched = UINT64_C(0x5555aaaa12345678);

static const char *const event_names[TDXM_NR_EVENTS] = {
	[TDXM_EV_RDMSR] = "rdmsr",
	[TDXM_EV_KEYHOLE] = "keyhole",
	[TDXM_EV_PCONFIG] = "pconfig",
	[TDXM_EV_MOVDIR64B] = "movdir64b",
	[TDXM_EV_LOCK] = "lock",	/* in traces */
	[TDXM_EV_FAULT] = "fault",
};

/* Calls of other LPs while one runs */
struct nested {
	const json_t *list;
	size_t nr, nr_done;
	bool done[];
};

struct scenario {
	const char *name;
	struct machine machine;
	const struct tdxm_platform *platform;
	size_t step;			/* running one, from 0 */
	struct nested *nested[TDXM_MAX_LPS];	/* by LP: what has to happen in its call */
	char problem[1024];		/* the first one */
};

static bool verbose;

static void __attribute__((format(printf, 2, 3)))
problem(struct scenario *s, const char *fmt, ...)
{
	va_list ap;

	if (s->problem[0])
		return;
	va_start(ap, fmt);
	vsnprintf(s->problem, sizeof(s->problem), fmt, ap);
	va_end(ap);
}

/* A value that the file has to have as a number or "0x..." */
static bool number(const json_t *v, uint64_t *val)
{
	const char *text = json_string_value(v);
	char *end;

	if (json_is_integer(v)) {
		*val = json_integer_value(v);
		return true;
	}
	if (!text || !isxdigit((unsigned char)*text))
		return false;
	errno = 0;
	*val = strtoull(text, &end, 0);
	return !*end && !errno;
}

static bool hex_bytes(const json_t *v, uint8_t **bytes, size_t *len)
{
	const char *text = json_string_value(v);
	unsigned int byte;
	size_t i;

	if (!text || strlen(text) % 2)
		return false;
	*len = strlen(text) / 2;
	*bytes = malloc(*len + 1);
	for (i = 0; *bytes && i < *len; i++) {
		if (sscanf(text + 2 * i, "%2x", &byte) != 1) {
			free(*bytes);
			return false;
		}
		(*bytes)[i] = byte;
	}
	return *bytes;
}

/* Is the low half of this status the number of an operand? */
static bool has_operand(uint64_t rax)
{
	switch (rax >> 32) {
	case 0xC0000100:	/* OPERAND_INVALID */
	case 0xC0000101:	/* OPERAND_ADDR_RANGE_ERROR */
	case 0x80000200:	/* OPERAND_BUSY */
	case 0xC0000300:	/* PAGE_METADATA_INCORRECT */
		return true;
	default:
		return false;
	}
}

static void describe(uint64_t rax, char *buf, size_t size)
{
	const char *name = tdxm_status_name(rax);
	const char *operand = has_operand(rax) ? tdxm_operand_name(rax) : NULL;

	if (!name)
		snprintf(buf, size, "%#" PRIx64, rax);
	else if (operand)
		snprintf(buf, size, "%#" PRIx64 " %s, operand %s", rax, name, operand);
	else
		snprintf(buf, size, "%#" PRIx64 " %s", rax, name);
}

static void leaf_name(uint64_t rax, char *buf, size_t size)
{
	const char *name = (rax & TDXM_SEAMLDR) ? tdxm_seamldr_leaf_name((uint32_t)rax) :
						 tdxm_leaf_name(rax & 0xffff);

	snprintf(buf, size, "%s (%" PRIu64 ")", name ? name : "unknown leaf", rax & 0xffff);
}

static bool read_inputs(struct scenario *s, const json_t *step, uint64_t gpr[TDXM_NR_REGS])
{
	const json_t *in = json_object_get(step, "in");
	const char *name;
	json_t *value;
	size_t i;

	for (i = 0; i < TDXM_NR_REGS; i++)
		gpr[i] = untouched + i;
	for (i = 0; i < NR_REGS; i++)
		gpr[regs[i].reg] = 0;
	if (!number(json_object_get(step, "leaf"), &gpr[TDXM_RAX])) {
		problem(s, "step without a leaf");
		return false;
	}
	json_object_foreach((json_t *)in, name, value) {
		for (i = 0; i < NR_REGS; i++)
			if (!strcmp(regs[i].name, name))
				break;
		if (i == NR_REGS || !number(value, &gpr[regs[i].reg])) {
			problem(s, "\"in\" has a bad register \"%s\"", name);
			return false;
		}
	}
	return true;
}

/* A byte has one address for each KeyID */
static uint64_t without_keyid(const struct scenario *s, uint64_t pa)
{
	return pa & (((UINT64_C(1) << 52) >> tdxm_keyid_bits(s->machine.m)) - 1);
}

static void do_writes(struct scenario *s, const json_t *step)
{
	const json_t *entry;
	uint8_t *bytes;
	size_t i, len;
	uint64_t pa;

	json_array_foreach(json_object_get(step, "write"), i, entry) {
		if (!number(json_array_get(entry, 0), &pa) ||
		    !hex_bytes(json_array_get(entry, 1), &bytes, &len)) {
			problem(s, "bad \"write\" entry %zu", i);
			return;
		}
		mem_write(&s->machine.mem, without_keyid(s, pa), bytes, len);
		free(bytes);
	}
}

static void check_reads(struct scenario *s, const json_t *step, const char *leaf)
{
	uint8_t *want, *have;
	const json_t *entry;
	size_t i, k, len;
	uint64_t pa;

	json_array_foreach(json_object_get(step, "read"), i, entry) {
		if (!number(json_array_get(entry, 0), &pa) ||
		    !hex_bytes(json_array_get(entry, 1), &want, &len)) {
			problem(s, "bad \"read\" entry %zu", i);
			return;
		}
		have = malloc(len + 1);
		mem_read(&s->machine.mem, without_keyid(s, pa), have, len);
		for (k = 0; k < len && have[k] == want[k]; k++)
			;
		if (k < len)
			problem(s, "%s: memory at %#" PRIx64 " is %#04x, recorded %#04x",
				leaf, pa + k, have[k], want[k]);
		free(have);
		free(want);
	}
}

static void compare(struct scenario *s, const json_t *out, const uint64_t gpr[TDXM_NR_REGS],
		    const uint64_t in[TDXM_NR_REGS], const char *leaf, uint64_t nth)
{
	char have[128], want[128], call[64] = "";
	uint64_t value;
	size_t i;

	if (nth)
		snprintf(call, sizeof(call), ", call %" PRIu64 " of this step", nth + 1);
	for (i = 0; i < NR_REGS; i++) {
		if (!number(json_object_get(out, regs[i].name), &value)) {
			problem(s, "%s: \"out\" has no %s", leaf, regs[i].name);
			return;
		}
		if (gpr[regs[i].reg] == value)
			continue;
		if (regs[i].reg == TDXM_RAX) {
			describe(gpr[TDXM_RAX], have, sizeof(have));
			describe(value, want, sizeof(want));
		} else {
			snprintf(have, sizeof(have), "%#" PRIx64, gpr[regs[i].reg]);
			snprintf(want, sizeof(want), "%#" PRIx64, value);
		}
		problem(s, "%s%s: %s is %s, recorded %s", leaf, call, regs[i].name, have, want);
		return;
	}
	for (i = 0; i < TDXM_NR_REGS; i++) {
		size_t k;

		for (k = 0; k < NR_REGS; k++)
			if (regs[k].reg == i)
				break;
		if (k == NR_REGS && i != TDXM_RBP && gpr[i] != in[i])
			problem(s, "%s%s: register %zu changed", leaf, call, i);
	}
}

static enum tdxm_exit recorded_exit(const json_t *step)
{
	const char *exit = json_string_value(json_object_get(step, "exit"));

	if (json_object_get(step, "fatal"))
		return TDXM_FATAL;
	if (!exit)
		return TDXM_DONE;
	return !strcmp(exit, "VMFAIL_INVALID") ? TDXM_VMFAIL_INVALID :
	       !strcmp(exit, "GP") ? TDXM_GP : TDXM_UD;
}

static void check_exit(struct scenario *s, const json_t *step, enum tdxm_exit exit,
		       const char *leaf)
{
	static const char *const names[] = {
		[TDXM_DONE] = "an answer", [TDXM_VMFAIL_INVALID] = "VMfailInvalid",
		[TDXM_FATAL] = "a fatal stop", [TDXM_GP] = "#GP", [TDXM_UD] = "#UD",
	};
	const char *fatal = json_string_value(json_object_get(step, "fatal"));
	enum tdxm_exit want = recorded_exit(step);
	char code[32];

	if (exit != want) {
		problem(s, "%s: ended with %s, recorded %s", leaf, names[exit], names[want]);
		return;
	}
	if (!fatal)
		return;
	snprintf(code, sizeof(code), "%x.%x", (uint32_t)(tdxm_fatal_code(s->machine.m) >> 32),
		 (uint32_t)tdxm_fatal_code(s->machine.m));
	if (strcmp(code, fatal))
		problem(s, "%s: fatal code %s, recorded %s", leaf, code, fatal);
}

static enum tdxm_exit seamcall(struct scenario *s, unsigned int lp, uint64_t gpr[TDXM_NR_REGS],
			       const json_t *list, const char *leaf)
{
	size_t nr = json_array_size(list);
	struct nested *nested = calloc(1, sizeof(*nested) + nr * sizeof(nested->done[0]));
	enum tdxm_exit exit;

	nested->list = list;
	nested->nr = nr;
	s->nested[lp] = nested;
	exit = tdxm_seamcall(s->machine.m, lp, gpr);
	s->nested[lp] = NULL;
	if (nested->nr_done != nr)
		problem(s, "%s: a nested call was recorded at an event that did not happen", leaf);
	free(nested);
	return exit;
}

/* The next call is answered by a fault, as the recorded one was */
static void arm_fault(struct scenario *s, const json_t *step)
{
	struct tdxm_fault fault = {
		.leaf = TDXM_ANY_LEAF, .lp = TDXM_ALL_LPS, .nth = 1, .count = 1,
		.exit = recorded_exit(step),
	};
	const json_t *out = json_object_get(step, "out");

	if (fault.exit == TDXM_DONE && !number(json_object_get(out, "rax"), &fault.status))
		problem(s, "a fault without an answer");
	if (!tdxm_set_faults(s->machine.m, &fault, 1))
		problem(s, "out of memory");
}

static void run_step(struct scenario *s, const json_t *step)
{
	const json_t *out = json_object_get(step, "out"), *repeat = json_object_get(step, "repeat");
	uint64_t in[TDXM_NR_REGS], gpr[TDXM_NR_REGS], lp, times = 1, i;
	char leaf[64];
	enum tdxm_exit exit;

	if (!number(json_object_get(step, "lp"), &lp) || lp >= s->platform->lps ||
	    (repeat && !number(repeat, &times)) || !read_inputs(s, step, in)) {
		problem(s, "bad step");
		return;
	}
	leaf_name(in[TDXM_RAX], leaf, sizeof(leaf));
	do_writes(s, step);
	for (i = 0; i < times && !s->problem[0]; i++) {
		memcpy(gpr, in, sizeof(gpr));
		if (json_is_true(json_object_get(step, "fault")))
			arm_fault(s, step);
		exit = seamcall(s, lp, gpr, json_object_get(step, "nested"), leaf);
		check_exit(s, step, exit, leaf);
		if (out && exit == TDXM_DONE)
			compare(s, out, gpr, in, leaf, i);
		if (verbose) {
			char status[128];

			describe(gpr[TDXM_RAX], status, sizeof(status));
			printf("%s step %zu: LP %" PRIu64 " %s -> %s\n", s->name, s->step, lp,
			       leaf, exit == TDXM_DONE ? status : "no answer");
		}
	}
	check_reads(s, step, leaf);
}

/* Other LPs make their calls while the one of `lp` runs */
static void on_event(struct machine *machine, unsigned int lp, enum tdxm_event ev)
{
	struct scenario *s = machine->user;
	struct nested *nested = s->nested[lp];
	const json_t *entry;
	const char *at;
	size_t i;

	for (i = 0; i < nested->nr; i++) {
		entry = json_array_get(nested->list, i);
		at = json_string_value(json_object_get(entry, "at"));
		if (nested->done[i] || !at || strcmp(at, event_names[ev]))
			continue;
		nested->done[i] = true;
		nested->nr_done++;
		run_step(s, json_object_get(entry, "step"));
	}
}

/* A host without TDX makes no call; a recording without one is a mistake */
static bool is_trace(const json_t *root)
{
	const char *cat = json_string_value(json_object_get(root, "cat"));

	return cat && !strcmp(cat, "trace");
}

static void run_scenario(struct scenario *s, const json_t *root)
{
	const json_t *steps = json_object_get(root, "steps"), *step;
	struct tdx_machine *description;
	char *err;

	description = tdx_machine_from_vector(json_object_get(root, "platform"), "platform", &err);
	if (!description) {
		problem(s, "%s", err);
		free(err);
		return;
	}
	s->platform = &description->platform;
	s->machine.user = s;
	s->machine.event = on_event;
	if (!machine_start(&s->machine, s->platform))
		problem(s, "the model does not take this platform");
	else if (!json_array_size(steps) && !(json_is_array(steps) && is_trace(root)))
		problem(s, "no steps");
	json_array_foreach(steps, s->step, step) {
		if (s->problem[0])
			break;
		run_step(s, step);
		if (s->problem[0])
			break;
	}
	machine_stop(&s->machine);
	tdx_machine_free(description);
}

/* The line up to its last complete step, as a line that was ended properly */
static char *mend(const char *line)
{
	const char *end = strrchr(line, '\0');
	char *mended = malloc(strlen(line) + 3);
	json_t *root;

	while (mended && end > line) {
		if (end[-1] == '}' || end[-1] == '[') {
			memcpy(mended, line, end - line);
			strcpy(mended + (end - line), "]}");
			root = json_loads(mended, 0, NULL);
			json_decref(root);
			if (root)
				return mended;
		}
		end--;
	}
	free(mended);
	return NULL;
}

struct totals {
	size_t passed, failed, skipped;
};

static void run_line(const char *file, size_t nr, const char *line, bool complete,
		     const char *only, struct totals *t)
{
	struct scenario *s = calloc(1, sizeof(*s));
	json_error_t error;
	char *mended = NULL;
	json_t *root;

	if (!complete)
		mended = mend(line);
	root = json_loads(mended ? mended : line, 0, &error);
	s->name = json_string_value(json_object_get(root, "name"));
	if (!s->name)
		s->name = "?";
	if (root && only && strcmp(only, s->name)) {
		t->skipped++;
	} else {
		if (root)
			run_scenario(s, root);
		else
			problem(s, "column %d: %s", error.column, error.text);
		if (mended && root)
			printf("%s:%zu: %s: the line is not complete, replayed %zu steps\n", file, nr,
			       s->name, json_array_size(json_object_get(root, "steps")));
		if (s->problem[0])
			printf("%s:%zu: %s: step %zu: %s\n", file, nr, s->name, s->step, s->problem);
		*(s->problem[0] ? &t->failed : &t->passed) += 1;
	}
	json_decref(root);
	free(mended);
	free(s);
}

/* Plain or gz. NULL: cannot be read. */
static char *read_line(gzFile f, size_t *len, bool *complete, bool *bad)
{
	size_t size = 1 << 16, n = 0;
	char *line = malloc(size);
	int errnum;

	*complete = false;
	*bad = false;
	while (line && gzgets(f, line + n, size - n)) {
		n += strlen(line + n);
		if (n && line[n - 1] == '\n') {
			line[--n] = 0;
			*complete = true;
			break;
		}
		if (n + 2 >= size) {
			size *= 2;
			line = realloc(line, size);
		}
	}
	*len = n;
	gzerror(f, &errnum);
	*bad = errnum != Z_OK && errnum != Z_STREAM_END;
	if (line && !n && !*complete) {
		free(line);
		return NULL;
	}
	return line;
}

static bool run_file(const char *file, const char *only, struct totals *t)
{
	gzFile f = gzopen(file, "rb");
	size_t nr = 0, len;
	bool complete, bad;
	char *line;

	if (!f) {
		fprintf(stderr, "tdx-replay: %s: %s\n", file, strerror(errno));
		return false;
	}
	gzbuffer(f, 1 << 17);
	while ((line = read_line(f, &len, &complete, &bad))) {
		nr++;
		if (len)
			run_line(file, nr, line, complete, only, t);
		free(line);
		if (bad)
			break;
	}
	if (bad)
		fprintf(stderr, "tdx-replay: %s: damaged after line %zu\n", file, nr);
	else if (!nr)
		fprintf(stderr, "tdx-replay: %s: has no scenario\n", file);
	gzclose(f);
	return !bad && nr;
}

static int usage(FILE *to, int status)
{
	fprintf(to, "usage: tdx-replay [--verbose] [--only NAME] FILE[.gz]...\n"
		"Replays recorded SEAMCALLs on the model of the TDX module.\n"
		"    --verbose      a line for each call\n"
		"    --only NAME    one scenario, the others are skipped\n");
	return status;
}

int main(int argc, char **argv)
{
	struct totals t = { 0 };
	const char *only = NULL;
	bool readable = true;
	int i;

	for (i = 1; i < argc && !strncmp(argv[i], "--", 2); i++) {
		if (!strcmp(argv[i], "--verbose"))
			verbose = true;
		else if (!strcmp(argv[i], "--only") && i + 1 < argc)
			only = argv[++i];
		else if (!strcmp(argv[i], "--help"))
			return usage(stdout, 0);
		else
			return usage(stderr, 2);
	}
	if (i == argc)
		return usage(stderr, 2);
	for (; i < argc; i++)
		readable &= run_file(argv[i], only, &t);
	if (only && readable && !t.passed && !t.failed) {
		fprintf(stderr, "tdx-replay: no scenario is called %s\n", only);
		readable = false;
	}
	printf("%zu passed, %zu failed, %zu skipped\n", t.passed, t.failed, t.skipped);
	return t.failed ? 1 : readable ? 0 : 2;
}
