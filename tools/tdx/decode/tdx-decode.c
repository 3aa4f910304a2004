// SPDX-License-Identifier: GPL-2.0-or-later
/* tdx-decode: status codes and kernel log lines of TDX in words, see tdx-decode(1). */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bits.h>
#include <linux/kernel.h>

#include "json.h"
#include "messages.h"
#include "parse.h"

enum {
	EXIT_KNOWN = 0,
	EXIT_UNKNOWN = 1,
	EXIT_USAGE = 2,
};

struct decoder {
	bool json;
	bool short_form;
	struct json out;

	bool has_leaf;			/* --leaf */
	u64 fn;

	/* A line that registers may follow. */
	char *held_line;
	struct tdx_found held;

	bool found;			/* by the argument at hand */
	bool missing;			/* another one found nothing */
	bool unknown;
};

static const char usage[] =
	"usage: tdx-decode [OPTION...] CODE|LINE|-...\n"
	"\n"
	"Put status codes of SEAMCALL and kernel log lines of TDX into words.\n"
	"\n"
	"  CODE            a status, e.g. 0xc000092100000122, or an errno, e.g. -28\n"
	"  LINE            a line of a kernel log, in quotes\n"
	"  -               lines from standard input: dmesg | tdx-decode -\n"
	"\n"
	"  -s, --short     one line each, as the kernel prints it\n"
	"  -j, --json      JSON\n"
	"  -l, --leaf LEAF the leaf that returned CODE, number or name\n"
	"  -h, --help      this text\n"
	"\n"
	"Exit status: 0 all is known, 1 a code is not known or an argument has nothing of\n"
	"TDX, 2 usage.\n";

/* Lines come from a log that others write to: no control characters on a terminal. */
static void make_printable(char *line)
{
	for (; *line; line++) {
		if (iscntrl((unsigned char)*line) && *line != '\t')
			*line = '?';
	}
}

static bool is_known(u64 status)
{
	return strcmp(tdx_status_name(status), "unknown status");
}

static const struct {
	u64 bit;
	const char *name;
} flags[] = {
	{ BIT_ULL(63), "error" },
	{ BIT_ULL(62), "not recoverable" },
	{ BIT_ULL(61), "fatal" },
	{ BIT_ULL(60), "host may recover" },
};

static void print_item(const char *name, const char *text)
{
	if (text && *text)
		printf("    %-8s%s\n", name, text);
}

static void print_flags(u64 status)
{
	char text[64] = "";
	unsigned int i;
	int n = 0;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		if (status & flags[i].bit)
			n += scnprintf(text + n, sizeof(text) - n, "%s%s", n ? ", " : "",
				       flags[i].name);
	}
	print_item("flags", text);
}

static void print_leaf(const struct tdx_found *found)
{
	char text[128];
	int n = 0;

	if (found->has_leaf)
		n = scnprintf(text, sizeof(text), "%s (0x%llx)", tdx_leaf_name(found->fn),
			      found->fn);
	if (found->has_cpu)
		n += scnprintf(text + n, sizeof(text) - n, "%sCPU %u", n ? ", " : "", found->cpu);
	if (n)
		print_item("call", text);
}

static const struct tdx_status_regs *regs_of(const struct tdx_found *found)
{
	return found->regs_seen ? &found->regs : NULL;
}

/* No leaf: one that no code has special words for. */
static u64 leaf_of(const struct tdx_found *found)
{
	return found->has_leaf ? found->fn : ~0ULL;
}

static void print_status(const struct tdx_found *found)
{
	char text[TDX_STATUS_LEN];
	u64 status = found->status;
	const char *advice = tdx_seamcall_advice(leaf_of(found), status, regs_of(found));

	scnprintf(text, sizeof(text), "%s (0x%016llx)", tdx_status_name(status), status);
	print_item("status", text);
	print_leaf(found);

	scnprintf(text, sizeof(text), "%s", tdx_status_class(status));
	print_item("class", text);
	print_flags(status);

	tdx_seamcall_detail(text, sizeof(text), leaf_of(found), status, regs_of(found));
	print_item("detail", text);
	print_item("means", tdx_status_meaning(status));
	if (!advice && found->message)
		advice = found->message->advice;
	print_item("do", advice);
}

static void print_short(const struct tdx_found *found)
{
	char text[TDX_STATUS_LEN];

	tdx_seamcall_describe(text, sizeof(text), leaf_of(found), found->status, regs_of(found));
	if (found->has_leaf)
		printf("%s failed", tdx_leaf_name(found->fn));
	if (found->has_leaf && found->has_cpu)
		printf(" on CPU %u", found->cpu);
	printf("%s%s\n", found->has_leaf ? ": " : "", text);
}

static void print_errno(int err)
{
	const struct tdx_errno *words = tdx_find_errno(err);
	char text[64];

	scnprintf(text, sizeof(text), "-%d %s", err, words ? words->name : strerror(err));
	print_item("error", text);
	if (words) {
		print_item("means", words->meaning);
		print_item("do", words->advice);
	}
}

static void report_text(const struct decoder *decoder, const char *line,
			const struct tdx_found *found)
{
	if (decoder->short_form && found->has_status) {
		print_short(found);
		return;
	}
	if (line)
		printf("%s\n", line);
	if (found->has_status)
		print_status(found);
	if (found->message && !found->has_status) {
		print_item("means", found->message->meaning);
		print_item("do", found->message->advice);
	}
	if (found->has_errno)
		print_errno(found->err);
}

static void report_json_status(struct json *out, const struct tdx_found *found)
{
	u64 status = found->status;
	char text[TDX_STATUS_LEN];
	unsigned int i;

	json_object(out, "status");
	json_hex(out, "value", status);
	json_string(out, "name", is_known(status) ? tdx_status_name(status) : NULL);
	json_string(out, "class", tdx_status_class(status));

	json_array(out, "flags");
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		if (status & flags[i].bit)
			json_string(out, NULL, flags[i].name);
	}
	json_end(out);

	tdx_seamcall_detail(text, sizeof(text), leaf_of(found), status, regs_of(found));
	json_hex(out, "detail_value", (u32)status);
	json_string(out, "detail", *text ? text : NULL);
	json_string(out, "meaning", tdx_status_meaning(status));
	json_string(out, "advice", tdx_seamcall_advice(leaf_of(found), status, regs_of(found)));
	json_end(out);
}

static void report_json_errno(struct json *out, int err)
{
	const struct tdx_errno *words = tdx_find_errno(err);

	json_object(out, "errno");
	json_number(out, "value", -err);
	json_string(out, "name", words ? words->name : NULL);
	json_string(out, "meaning", words ? words->meaning : NULL);
	json_string(out, "advice", words ? words->advice : NULL);
	json_end(out);
}

static void report_json(struct json *out, const char *line, const struct tdx_found *found)
{
	static const char * const severity[] = {
		[TDX_GOOD] = "good",
		[TDX_WARNING] = "warning",
		[TDX_BAD] = "error",
	};

	json_object(out, NULL);
	if (line)
		json_string(out, "line", line);
	if (found->has_leaf) {
		json_object(out, "leaf");
		json_hex(out, "value", found->fn);
		json_string(out, "name", tdx_leaf_name(found->fn));
		json_end(out);
	}
	if (found->has_cpu)
		json_number(out, "cpu", found->cpu);
	if (found->has_status)
		report_json_status(out, found);
	if (found->message) {
		json_object(out, "message");
		json_string(out, "severity", severity[found->message->severity]);
		json_string(out, "meaning", found->message->meaning);
		json_string(out, "advice", found->message->advice);
		json_end(out);
	}
	if (found->has_errno)
		report_json_errno(out, found->err);
	json_end(out);
}

static void report(struct decoder *decoder, const char *line, const struct tdx_found *found)
{
	decoder->found = true;
	if (found->has_status && !is_known(found->status))
		decoder->unknown = true;
	if (found->has_errno && !tdx_find_errno(found->err))
		decoder->unknown = true;

	if (decoder->json)
		report_json(&decoder->out, line, found);
	else
		report_text(decoder, line, found);
}

static void release_held(struct decoder *decoder)
{
	if (!decoder->held_line)
		return;

	report(decoder, decoder->held_line, &decoder->held);
	free(decoder->held_line);
	decoder->held_line = NULL;
}

/* A status is held until the next line shows whether registers follow. */
static void decode_line(struct decoder *decoder, const char *line)
{
	struct tdx_found found;

	if (!tdx_parse_line(line, &found))
		return;

	if (decoder->held_line && tdx_add_regs(&decoder->held, &found))
		return;
	/* Registers of nothing that is known */
	if (!found.has_status && !found.message)
		return;

	release_held(decoder);
	if (!found.has_leaf && decoder->has_leaf) {
		found.has_leaf = true;
		found.fn = decoder->fn;
	}
	decoder->held = found;
	decoder->held_line = strdup(line);
	if (!decoder->held_line) {
		perror("tdx-decode");
		exit(EXIT_USAGE);
	}
	make_printable(decoder->held_line);
}

static void decode_stream(struct decoder *decoder, FILE *file)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len, i;

	for (;;) {
		len = getline(&line, &size, file);
		if (len < 0)
			break;
		if (len && line[len - 1] == '\n')
			line[--len] = '\0';
		/* Serial consoles end lines with CR LF. */
		if (len && line[len - 1] == '\r')
			line[--len] = '\0';
		for (i = 0; i < len; i++) {
			if (!line[i])
				line[i] = '?';
		}
		decode_line(decoder, line);
	}
	if (ferror(file)) {
		fprintf(stderr, "tdx-decode: standard input: %s\n", strerror(errno));
		exit(EXIT_USAGE);
	}
	free(line);
	release_held(decoder);
}

static bool is_errno(const char *arg)
{
	return arg[0] == '-' && arg[1] && strlen(arg) <= 5 &&
	       strspn(arg + 1, "0123456789") == strlen(arg + 1);
}

static void nothing_found(struct decoder *decoder, const char *arg)
{
	char shown[80];

	decoder->missing = true;
	if (!strcmp(arg, "-")) {
		/* An empty array says so, too. */
		if (!decoder->json)
			fputs("tdx-decode: standard input: nothing about TDX found\n", stderr);
		return;
	}

	scnprintf(shown, sizeof(shown), "%s", arg);
	make_printable(shown);
	fprintf(stderr,
		"tdx-decode: \"%s\" is no status and no log line about TDX: give 0x and up to 16 digits, an errno such as -28, or a line in quotes\n",
		shown);
}

static void decode_argument(struct decoder *decoder, const char *arg)
{
	struct tdx_found found = { .has_leaf = decoder->has_leaf, .fn = decoder->fn };

	decoder->found = false;
	if (!strcmp(arg, "-")) {
		decode_stream(decoder, stdin);
	} else if (is_errno(arg)) {
		found.has_errno = true;
		found.err = atoi(arg + 1);
		report(decoder, NULL, &found);
	} else if (tdx_parse_number(arg, &found.status)) {
		found.has_status = true;
		report(decoder, NULL, &found);
	} else {
		decode_line(decoder, arg);
		release_held(decoder);
	}
	if (!decoder->found)
		nothing_found(decoder, arg);
}

static _Noreturn void bad_usage(const char *what, const char *value)
{
	fprintf(stderr, "tdx-decode: %s: %s (try --help)\n", value, what);
	exit(EXIT_USAGE);
}

static void set_leaf(struct decoder *decoder, const char *text)
{
	if (!text)
		bad_usage("a leaf has to follow, such as TDH.SYS.INIT or 33", "--leaf");
	if (!tdx_parse_leaf(text, &decoder->fn))
		bad_usage("no leaf has this name: give one such as TDH.SYS.INIT, or a number", text);
	decoder->has_leaf = true;
}

static bool is_option(const char *arg, const char *brief, const char *full)
{
	return !strcmp(arg, brief) || !strcmp(arg, full);
}

static void parse_option(struct decoder *decoder, char ***at)
{
	const char *arg = **at;

	if (is_option(arg, "-h", "--help")) {
		fputs(usage, stdout);
		exit(EXIT_KNOWN);
	} else if (is_option(arg, "-s", "--short")) {
		decoder->short_form = true;
	} else if (is_option(arg, "-j", "--json")) {
		decoder->json = true;
	} else if (is_option(arg, "-l", "--leaf")) {
		set_leaf(decoder, *++*at);
	} else if (!strncmp(arg, "--leaf=", 7)) {
		set_leaf(decoder, arg + 7);
	} else {
		bad_usage("no such option", arg);
	}
}

/*
 * Options are anywhere, up to "--". Not getopt(): -28 is an errno. The arguments that
 * are none are put at the beginning of @argv; returns how many they are.
 */
static int parse_options(struct decoder *decoder, char **argv)
{
	bool ended = false;
	char **at;
	int nr = 0;

	for (at = argv + 1; *at; at++) {
		if (ended || (*at)[0] != '-' || !(*at)[1] || is_errno(*at))
			argv[nr++] = *at;
		else if (!strcmp(*at, "--"))
			ended = true;
		else
			parse_option(decoder, &at);
	}
	return nr;
}

int main(int argc, char **argv)
{
	struct decoder decoder = { .out = { .file = stdout } };
	int i, nr;

	/* An empty argv has no first element to leave out. */
	nr = argc ? parse_options(&decoder, argv) : 0;
	if (!nr) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}

	if (decoder.json)
		json_array(&decoder.out, NULL);
	for (i = 0; i < nr; i++)
		decode_argument(&decoder, argv[i]);
	if (decoder.json)
		json_end(&decoder.out);

	if (fflush(stdout) || ferror(stdout)) {
		perror("tdx-decode: standard output");
		return EXIT_USAGE;
	}
	return decoder.missing || decoder.unknown ? EXIT_UNKNOWN : EXIT_KNOWN;
}
