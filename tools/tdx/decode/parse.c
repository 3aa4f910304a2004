// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <string.h>

#include <linux/bits.h>
#include <linux/kernel.h>

#include "messages.h"
#include "parse.h"

/* The longest word that means something is the name of a status. */
#define WORD_MAX	64

enum {
	REG_NONE	= -2,
	REG_IGNORED	= -1,
	REG_RCX,
	REG_RDX,
	REG_R8,
	REG_R9,
	REG_R10,
	NR_REGS
};

/* What is known of a line up to a word. */
struct scan {
	struct tdx_found *found;
	char previous[WORD_MAX];	/* word before, lower case */
	int reg;			/* register that the next number is for, or none */
	bool tdx;			/* the line is about TDX */
	bool failed;			/* "failed", "error", ...: a status comes */
	u64 known;			/* number that is the status of a table row */
	bool has_known;
	bool negative;
};

static bool is_word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.';
}

static bool parse_hex(const char *text, u64 *value)
{
	size_t len = strlen(text);

	if (!len || len > 16 || strspn(text, "0123456789abcdefABCDEF") != len)
		return false;

	for (*value = 0; *text; text++) {
		*value <<= 4;
		*value |= isdigit((unsigned char)*text) ? *text - '0' : (*text | 0x20) - 'a' + 10;
	}
	return true;
}

static bool parse_decimal(const char *text, u64 *value)
{
	if (!*text || strspn(text, "0123456789") != strlen(text))
		return false;

	for (*value = 0; *text; text++) {
		u64 digit = *text - '0';

		if (*value > (~0ULL - digit) / 10)
			return false;
		*value = *value * 10 + digit;
	}
	return true;
}

bool tdx_parse_number(const char *text, u64 *value)
{
	if (text[0] == '0' && (text[1] | 0x20) == 'x')
		return parse_hex(text + 2, value);
	if (strlen(text) == 16 && parse_hex(text, value))
		return true;

	return parse_decimal(text, value);
}

static bool same_leaf(const char *name, const char *text)
{
	for (; *name && *text; name++, text++) {
		char c = *text == '_' ? '.' : *text;

		if (toupper((unsigned char)c) != *name)
			return false;
	}
	return !*name && !*text;
}

bool tdx_parse_leaf(const char *text, u64 *fn)
{
	const u64 seamldr = BIT_ULL(63);
	u64 leaf;

	for (leaf = 0; leaf < 256; leaf++) {
		if (same_leaf(tdx_leaf_name(leaf), text)) {
			*fn = leaf;
			return true;
		}
		if (same_leaf(tdx_leaf_name(leaf | seamldr), text)) {
			*fn = leaf | seamldr;
			return true;
		}
	}
	return tdx_parse_number(text, fn);
}

static u64 *reg_of(struct tdx_status_regs *regs, int reg)
{
	switch (reg) {
	case REG_RCX:
		return &regs->rcx;
	case REG_RDX:
		return &regs->rdx;
	case REG_R8:
		return &regs->r8;
	case REG_R9:
		return &regs->r9;
	default:
		return &regs->r10;
	}
}

bool tdx_add_regs(struct tdx_found *to, const struct tdx_found *from)
{
	struct tdx_status_regs regs = from->regs;
	int i;

	if (from->message || !from->regs_seen || !to->has_status)
		return false;
	/* This kernel repeats the call and its status there. */
	if (from->has_status && (from->status != to->status || from->has_leaf != to->has_leaf ||
				 from->fn != to->fn))
		return false;

	for (i = 0; i < NR_REGS; i++) {
		if (from->regs_seen & 1U << i)
			*reg_of(&to->regs, i) = *reg_of(&regs, i);
	}
	to->regs_seen |= from->regs_seen;
	return true;
}

static int find_register(const char *word)
{
	static const struct {
		const char *name;
		int reg;
	} names[] = {
		{ "rcx", REG_RCX },
		{ "rdx", REG_RDX },
		{ "r8", REG_R8 },
		{ "r08", REG_R8 },
		{ "r9", REG_R9 },
		{ "r09", REG_R9 },
		{ "r10", REG_R10 },
		{ "rbx", REG_IGNORED },
		{ "rsi", REG_IGNORED },
		{ "rdi", REG_IGNORED },
		{ "r11", REG_IGNORED },
		{ "r12", REG_IGNORED },
		{ "r13", REG_IGNORED },
		{ "r14", REG_IGNORED },
		{ "r15", REG_IGNORED },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(word, names[i].name))
			return names[i].reg;
	}
	return REG_NONE;
}

static bool is_one_of(const char *word, const char * const *list)
{
	for (; *list; list++) {
		if (!strcmp(word, *list))
			return true;
	}
	return false;
}

static bool announces_status(const char *word)
{
	static const char * const words[] = {
		"failed", "failure", "fail", "error", "err", "ret", "returned", "returns", "return",
		"status", "rax", "sret", NULL
	};

	return is_one_of(word, words);
}

static bool announces_leaf(const char *word)
{
	static const char * const words[] = { "leaf", "fn", "seamcall", NULL };

	return is_one_of(word, words);
}

static bool is_known(u64 status)
{
	return strcmp(tdx_status_name(status), "unknown status");
}

/* Not an address or a mask: bits 59:48 of a status are 0, and it has a code. */
static bool may_be_status(u64 number)
{
	return is_known(number) ? number >> 32 : !(number & GENMASK_ULL(59, 48)) && number >> 32;
}

static void scan_number(struct scan *scan, u64 number)
{
	struct tdx_found *found = scan->found;

	if (scan->reg >= 0) {
		*reg_of(&found->regs, scan->reg) = number;
		found->regs_seen |= 1U << scan->reg;
	} else if (scan->reg == REG_IGNORED) {
		return;
	} else if (scan->negative && scan->failed && number && number < 4096) {
		found->has_errno = true;
		found->err = number;
	} else if (!strcmp(scan->previous, "cpu") && number < 1U << 31) {
		found->has_cpu = true;
		found->cpu = number;
	} else if (!found->has_leaf && announces_leaf(scan->previous)) {
		found->has_leaf = true;
		found->fn = number;
	} else if (!found->has_status && scan->failed && may_be_status(number)) {
		found->has_status = true;
		found->status = number;
	} else if (!scan->has_known && number >> 63 && is_known(number)) {
		/* Without the error bit it may as well be an address. */
		scan->has_known = true;
		scan->known = number;
	}
}

static void scan_text(struct scan *scan, const char *word)
{
	struct tdx_found *found = scan->found;
	bool leaf = !strncmp(word, "tdh", 3) || !strncmp(word, "seamldr", 7);
	u64 fn;

	if (leaf || strstr(word, "tdx") || strstr(word, "seam"))
		scan->tdx = true;
	if (announces_status(word))
		scan->failed = true;
	if (leaf && !found->has_leaf && tdx_parse_leaf(word, &fn)) {
		found->has_leaf = true;
		found->fn = fn;
	}
}

static void scan_word(struct scan *scan, const char *word)
{
	u64 number;

	if (tdx_parse_number(word, &number)) {
		scan_number(scan, number);
		scan->reg = REG_NONE;
	} else {
		scan_text(scan, word);
		scan->reg = find_register(word);
	}
	strcpy(scan->previous, word);
}

/* The next word, lower case and cut to WORD_MAX; where it ends; NULL: none. */
static const char *next_word(const char *text, char *word, bool *negative)
{
	size_t len = 0;

	*negative = false;
	while (*text && !is_word_char(*text)) {
		*negative = *text == '-';
		text++;
	}
	if (!*text)
		return NULL;

	for (; is_word_char(*text); text++) {
		if (len < WORD_MAX - 1)
			word[len++] = tolower((unsigned char)*text);
	}
	while (len && word[len - 1] == '.')
		len--;
	word[len] = '\0';

	return text;
}

bool tdx_parse_line(const char *line, struct tdx_found *found)
{
	struct scan scan = { .found = found, .reg = REG_NONE };
	const char *text = line;
	char word[WORD_MAX];

	memset(found, 0, sizeof(*found));

	for (;;) {
		text = next_word(text, word, &scan.negative);
		if (!text)
			break;
		scan_word(&scan, word);
	}

	if (!scan.tdx) {
		/* Registers come without the name of what they are for. */
		found->has_status = false;
		found->has_errno = false;
		return found->regs_seen;
	}

	if (!found->has_status && scan.has_known) {
		found->has_status = true;
		found->status = scan.known;
	}
	found->message = tdx_find_message(line);

	return found->has_status || found->message || found->regs_seen;
}
