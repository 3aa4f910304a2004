// SPDX-License-Identifier: GPL-2.0
/*
 * Words for what SEAMCALL answers.
 *
 * A status has flags in bits 63:60, a class in 47:40, a code in 39:32 and a
 * detail in 31:0. What the detail is depends on the code: an operand, an MSR,
 * a CPUID leaf, indices of TDMRs. Class 0xff is software's: SEAMCALL did not
 * reach the module. The P-SEAMLDR has no classes; its codes are
 * 0x80000000xxxxxxxx, which the module never returns.
 *
 * Texts are one line: "NAME (number): detail; advice".
 */
#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/types.h>

#include "status.h"

#define STATUS_ERROR		BIT_ULL(63)
#define STATUS_NON_RECOVERABLE	BIT_ULL(62)
#define STATUS_FATAL		BIT_ULL(61)
#define STATUS_HOST_HINT	BIT_ULL(60)
#define STATUS_FAILED		(STATUS_ERROR | STATUS_NON_RECOVERABLE | STATUS_FATAL)
#define STATUS_CODE		GENMASK_ULL(63, 32)
#define STATUS_CLASS_CODE	GENMASK_ULL(47, 32)

#define STATUS_SEAMLDR		0x8000000000000000ULL
#define STATUS_SOFTWARE		0x8000ff0000000000ULL

#define SEAMCALL_LEAF		GENMASK_ULL(15, 0)

/* Class and code of a metadata field id; the rest is its shape and context. */
#define FIELD_KEY		(GENMASK_ULL(61, 56) | GENMASK_ULL(31, 0))

/* What RDX has after TDH.SYS.RD failed. */
#define NO_FIELD		(~0ULL)

/* The module asks for leaves that have no subleaf with this one. */
#define CPUID_NO_SUBLEAF	(~0U)

/* Leaves whose registers say more than their status. */
#define LEAF_SYS_INIT		33
#define LEAF_SYS_RD		34
#define LEAF_SYS_LP_INIT	35

/* What to do about an error that the table has no advice for */
#define REPORT_IT		"report it with all lines of the log that have \"tdx\""

/* No such P-SEAMLDR leaf: the caller knows the status only. */
#define NO_LEAF			(~0ULL)

#define STATUS_INCORRECT_CPUID_VALUE	0xc000090000000000ULL
#define STATUS_INCORRECT_MSR_VALUE	0xc000092100000000ULL
#define STATUS_INCONSISTENT_CPUID_FIELD	0xc000090200000000ULL

enum tdx_detail {
	TDX_DETAIL_EXACT,		/* the row is for all 64 bits */
	TDX_DETAIL_OPT,			/* operand id unless 0 */
	TDX_DETAIL_OPERAND,
	TDX_DETAIL_MSR,
	TDX_DETAIL_CPUID,
	TDX_DETAIL_KEYIDS,		/* KeyIDs have to be fewer than this */
	TDX_DETAIL_PACKAGE,
	TDX_DETAIL_TDMR,
	TDX_DETAIL_PAMT,		/* TDMR, page size << 8 */
	TDX_DETAIL_PAMT_OVERLAP,	/* TDMR, page size << 8, TDMR << 16 */
	TDX_DETAIL_RESERVED,		/* TDMR, area << 8 */
	TDX_DETAIL_SMRR,
	TDX_DETAIL_SMRR_CMR,		/* SMRR, CMR << 8 */
	TDX_DETAIL_EXIT,		/* VM exit reason */
};

struct tdx_word {
	u64 key;
	const char *name;
	const char *advice;
};

/* The kernel does without the long texts. */
#ifdef __KERNEL__
#define TDX_MEANING(text)
#else
#define TDX_MEANING(text)	text
#endif

struct tdx_status_word {
	u64 status;
	const char *name;
	enum tdx_detail detail;
	const char *advice;
#ifndef __KERNEL__
	const char *meaning;
#endif
};

struct tdx_call_word {
	u64 leaf;
	u64 status;
	const char *advice;
};

#include "status-table.h"

/* All tables end with a row without a name. */
static const struct tdx_word *find_masked(const struct tdx_word *word, u64 key, u64 mask)
{
	for (; word->name; word++) {
		if ((word->key & mask) == (key & mask))
			return word;
	}
	return NULL;
}

static const struct tdx_word *find(const struct tdx_word *table, u64 key)
{
	return find_masked(table, key, ~0ULL);
}

/* @name of the word if there is one, @otherwise if not. */
static const char *name_or(const struct tdx_word *word, const char *otherwise)
{
	return word ? word->name : otherwise;
}

static const struct tdx_status_word *find_status(u64 status)
{
	const struct tdx_status_word *word;

	for (word = tdx_status_table; word->name; word++) {
		if (word->status == status)
			return word;
		if (word->detail != TDX_DETAIL_EXACT && word->status == (status & STATUS_CODE))
			return word;
	}
	return NULL;
}

/* A code of the table that differs from @status in its flags only. */
static const struct tdx_status_word *find_similar(u64 status)
{
	const struct tdx_status_word *word;

	if (!(status & STATUS_CLASS_CODE))
		return NULL;

	for (word = tdx_status_table; word->name; word++) {
		if (word->detail != TDX_DETAIL_EXACT &&
		    !((word->status ^ status) & STATUS_CLASS_CODE))
			return word;
	}
	return NULL;
}

static u8 status_class(u64 status)
{
	return status >> 40;
}

static bool is_seamldr(u64 status)
{
	return (status & STATUS_CODE) == STATUS_SEAMLDR;
}

static bool is_software(u64 status)
{
	return (status & STATUS_CODE) == STATUS_SOFTWARE;
}

/**
 * tdx_status_name() - name of a status code
 * @status: RAX after SEAMCALL, or a software code
 *
 * Return: the name, or "unknown status"; a constant string, never NULL.
 */
const char *tdx_status_name(u64 status)
{
	const struct tdx_status_word *word = find_status(status);

	return word ? word->name : "unknown status";
}

/**
 * tdx_status_class() - the group a status code belongs to
 * @status: RAX after SEAMCALL, or a software code
 *
 * Return: the class in words, or "unknown"; a constant string, never NULL.
 */
const char *tdx_status_class(u64 status)
{
	if (is_seamldr(status))
		return "P-SEAMLDR";

	return name_or(find(tdx_class_table, status_class(status)), "unknown");
}

/**
 * tdx_leaf_name() - name of a leaf
 * @fn: RAX before SEAMCALL. The version in bits 23:16 does not matter.
 *
 * Return: the name, or "unknown leaf"; a constant string, never NULL.
 */
const char *tdx_leaf_name(u64 fn)
{
	const struct tdx_word *word;

	if (fn & SEAMCALL_SEAMLDR)
		word = find(tdx_seamldr_table, fn & ~SEAMCALL_SEAMLDR);
	else
		word = find(tdx_leaf_table, fn & SEAMCALL_LEAF);

	return name_or(word, "unknown leaf");
}

/**
 * tdx_msr_name() - name of an MSR that matters to TDX
 * @msr: MSR number
 *
 * Return: the name, or "unknown MSR"; a constant string, never NULL.
 */
const char *tdx_msr_name(u32 msr)
{
	return name_or(find(tdx_msr_table, msr), "unknown MSR");
}

/**
 * tdx_field_name() - name of a global metadata field
 * @field: field id as TDH.SYS.RD takes it
 *
 * Return: the name, or "unknown field"; a constant string, never NULL.
 */
const char *tdx_field_name(u64 field)
{
	return name_or(find_masked(tdx_field_table, field, FIELD_KEY), "unknown field");
}

/* Advice for what the detail names, e.g. for this MSR. */
static const char *detail_advice(const struct tdx_status_word *status, u32 detail)
{
	const struct tdx_word *word = NULL;

	switch (status->detail) {
	case TDX_DETAIL_OPERAND:
		word = find(tdx_operand_table, detail);
		break;
	case TDX_DETAIL_CPUID:
		word = find(tdx_cpuid_table, detail);
		break;
	case TDX_DETAIL_MSR:
		/* Advice is on the right value, not on CPUs that differ. */
		if (status->status == STATUS_INCORRECT_MSR_VALUE)
			word = find(tdx_msr_table, detail);
		break;
	default:
		break;
	}
	return word ? word->advice : NULL;
}

/**
 * tdx_status_advice() - what to do first
 * @status: RAX after SEAMCALL, or a software code
 *
 * Return: one line without a full stop, a constant string; NULL if it is no
 * error and there is nothing to advise.
 */
const char *tdx_status_advice(u64 status)
{
	const struct tdx_status_word *word = find_status(status);
	const char *advice = NULL;

	if (word)
		advice = detail_advice(word, status) ?: word->advice;

	return !advice && (status & STATUS_FAILED) ? REPORT_IT : advice;
}

/* TDH.SYS.INIT and TDH.SYS.LP.INIT return the leaf that they refuse, and a mask. */
static bool names_cpuid_leaf(u64 fn, u64 status, const struct tdx_status_regs *regs)
{
	u64 code = status & STATUS_CODE;

	return ((fn == LEAF_SYS_INIT && code == STATUS_INCORRECT_CPUID_VALUE) ||
		(fn == LEAF_SYS_LP_INIT && code == STATUS_INCONSISTENT_CPUID_FIELD)) &&
	       (regs->rdx || regs->r8);
}

/* Most special first: this code of this leaf, this CPUID leaf, this code. */
static const char *seamcall_advice(u64 fn, u64 status, const struct tdx_status_regs *regs)
{
	const struct tdx_word *cpuid = NULL;
	const struct tdx_call_word *call;

	for (call = tdx_call_table; call->advice; call++) {
		if (call->leaf == fn && call->status == status)
			return call->advice;
	}
	if (regs && names_cpuid_leaf(fn, status, regs))
		cpuid = find(tdx_cpuid_table, (u32)regs->rcx);

	return cpuid && cpuid->advice ? cpuid->advice : tdx_status_advice(status);
}

/*
 * One line of text in a buffer that may be too small: what does not fit is cut.
 * Items are "first: second; third"; one that stays empty leaves no separator.
 */
struct line {
	char *buf;
	size_t len;
	size_t used;
	bool in_item;
	const char *separator;		/* goes before the next item */
};

static void __printf(2, 3) put(struct line *line, const char *fmt, ...)
{
	va_list args;

	if (!line->in_item) {
		line->used += scnprintf(line->buf + line->used, line->len - line->used, "%s",
					line->separator);
		line->separator = "; ";
		line->in_item = true;
	}

	va_start(args, fmt);
	line->used += vscnprintf(line->buf + line->used, line->len - line->used, fmt, args);
	va_end(args);
}

static void end_item(struct line *line)
{
	line->in_item = false;
}

static void put_operand(struct line *line, u32 id)
{
	const struct tdx_word *word = find(tdx_operand_table, id);

	if (word)
		put(line, "operand %s", word->name);
	else
		put(line, "operand 0x%x", id);
}

static void put_exit_reason(struct line *line, u32 detail)
{
	u16 reason = detail;

	put(line, "VM exit %u, %s", reason, name_or(find(tdx_exit_table, reason), "unknown"));
}

static const char *page_size_name(u8 level)
{
	static const char * const name[] = { "4K", "2M", "1G" };

	return level < ARRAY_SIZE(name) ? name[level] : "unknown";
}

static const char *smrr_name(u8 index)
{
	return index ? "SMRR2" : "SMRR";
}

static void put_detail(struct line *line, enum tdx_detail type, u32 detail)
{
	/* Index in bits 7:0, which most memory and SMRR codes begin with. */
	u8 index = detail;

	switch (type) {
	case TDX_DETAIL_EXACT:
		break;
	case TDX_DETAIL_OPT:
		if (detail)
			put_operand(line, detail);
		break;
	case TDX_DETAIL_OPERAND:
		put_operand(line, detail);
		break;
	case TDX_DETAIL_MSR:
		put(line, "MSR 0x%x %s", detail, tdx_msr_name(detail));
		break;
	case TDX_DETAIL_CPUID:
		put(line, "CPUID 0x%x", detail);
		break;
	case TDX_DETAIL_KEYIDS:
		put(line, "must be fewer than %u", detail);
		break;
	case TDX_DETAIL_PACKAGE:
		put(line, "package %u", detail);
		break;
	case TDX_DETAIL_TDMR:
		put(line, "TDMR %u", detail);
		break;
	case TDX_DETAIL_PAMT:
		put(line, "%s PAMT of TDMR %u", page_size_name(detail >> 8), index);
		break;
	case TDX_DETAIL_PAMT_OVERLAP:
		put(line, "%s PAMT of TDMR %u overlaps TDMR %u or a PAMT of it",
		    page_size_name(detail >> 8), index, detail >> 16);
		break;
	case TDX_DETAIL_RESERVED:
		put(line, "reserved area %u of TDMR %u", detail >> 8, index);
		break;
	case TDX_DETAIL_SMRR:
		put(line, "%s", smrr_name(index));
		break;
	case TDX_DETAIL_SMRR_CMR:
		put(line, "%s overlaps CMR %u", smrr_name(index), detail >> 8);
		break;
	case TDX_DETAIL_EXIT:
		if (detail)
			put_exit_reason(line, detail);
		break;
	}
}

/* What can be said of a code that the table does not have. */
static void put_unknown(struct line *line, u64 status)
{
	const struct tdx_status_word *similar = find_similar(status);

	if (is_seamldr(status)) {
		put(line, "P-SEAMLDR error 0x%x", (u32)status);
		return;
	}
	if (is_software(status)) {
		put(line, "SEAMCALL raised exception %u", (u32)status);
		return;
	}

	put(line, "class 0x%02x %s, code 0x%02x, detail 0x%x", status_class(status),
	    tdx_status_class(status), (u8)(status >> 32), (u32)status);

	if (status & STATUS_ERROR)
		put(line, ", error");
	if (status & STATUS_NON_RECOVERABLE)
		put(line, ", not recoverable");
	if (status & STATUS_FATAL)
		put(line, ", fatal");
	if (status & STATUS_HOST_HINT)
		put(line, ", host may recover");
	if (similar)
		put(line, ", like %s but for the flags", similar->name);
}

static void put_status_detail(struct line *line, u64 status)
{
	const struct tdx_status_word *word = find_status(status);

	if (word)
		put_detail(line, word->detail, status);
	else
		put_unknown(line, status);
}

/* Without @value: the bits of @mask have to be alike on all CPUs. */
static void put_cpuid_bits(struct line *line, const u64 mask[2], const u64 *value)
{
	static const char * const name[] = { "EAX", "EBX", "ECX", "EDX" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(name); i++) {
		int shift = i % 2 * 32;
		u32 bits = mask[i / 2] >> shift;

		if (!bits)
			continue;
		put(line, " %s & 0x%x", name[i], bits);
		if (value)
			put(line, " = 0x%x", (u32)(value[i / 2] >> shift));
	}
}

static void put_cpuid_mismatch(struct line *line, const struct tdx_status_regs *regs, bool init)
{
	const u64 mask[] = { regs->rdx, regs->r8 };
	const u64 value[] = { regs->r9, regs->r10 };
	u32 leaf = regs->rcx, subleaf = regs->rcx >> 32;

	put(line, "CPUID 0x%x", leaf);
	if (subleaf != CPUID_NO_SUBLEAF)
		put(line, ".%u", subleaf);

	put(line, init ? " must have" : " differs from the first CPU in");
	put_cpuid_bits(line, mask, init ? value : NULL);
}

/* The registers say what is wrong: CPUID leaf of INIT and LP.INIT, field of RD. */
static void put_regs(struct line *line, u64 fn, u64 status, const struct tdx_status_regs *regs)
{
	if (names_cpuid_leaf(fn, status, regs))
		put_cpuid_mismatch(line, regs, fn == LEAF_SYS_INIT);
	else if (fn == LEAF_SYS_RD && regs->rdx != NO_FIELD)
		put(line, "field 0x%llx %s", regs->rdx, tdx_field_name(regs->rdx));
}

static void put_items(struct line *line, u64 fn, u64 status, const struct tdx_status_regs *regs)
{
	put_status_detail(line, status);
	end_item(line);

	if (regs)
		put_regs(line, fn, status, regs);
	end_item(line);
}

/**
 * tdx_status_describe() - a status code in words
 * @buf: filled with e.g. "TDX_INCORRECT_MSR_VALUE (0xc000092100000122): MSR
 *	 0x122 IA32_TSX_CTRL; firmware must set it, look for a BIOS update".
 *	 Always terminated, cut if @len is too small.
 * @len: size of @buf in bytes, at least 1. TDX_STATUS_LEN is enough.
 * @status: RAX after SEAMCALL, or a software code
 *
 * Return: bytes written without the terminator, less than @len.
 */
int tdx_status_describe(char *buf, size_t len, u64 status)
{
	return tdx_seamcall_describe(buf, len, NO_LEAF, status, NULL);
}

/**
 * tdx_seamcall_describe() - what one SEAMCALL answered, in words
 * @buf: filled as by tdx_status_describe()
 * @len: size of @buf in bytes, at least 1. TDX_STATUS_LEN is enough.
 * @fn: RAX before SEAMCALL. Some codes have a special reason in one leaf.
 * @status: RAX after SEAMCALL, or a software code
 * @regs: registers after SEAMCALL, or NULL if they are not known. TDH.SYS.RD
 *	  overwrites the field id in RDX: put the one from before there.
 *
 * Return: bytes written without the terminator, less than @len.
 */
int tdx_seamcall_describe(char *buf, size_t len, u64 fn, u64 status,
			  const struct tdx_status_regs *regs)
{
	struct line line = { .buf = buf, .len = len, .separator = "" };
	const char *advice = seamcall_advice(fn, status, regs);

	put(&line, "%s (0x%016llx)", tdx_status_name(status), status);
	end_item(&line);

	line.separator = ": ";
	put_items(&line, fn, status, regs);
	if (advice)
		put(&line, "%s", advice);

	return line.used;
}

#ifndef __KERNEL__

/* tdx-decode prints the parts one by one. */

int tdx_seamcall_detail(char *buf, size_t len, u64 fn, u64 status,
			const struct tdx_status_regs *regs)
{
	struct line line = { .buf = buf, .len = len, .separator = "" };

	buf[0] = '\0';
	put_items(&line, fn, status, regs);

	return line.used;
}

const char *tdx_seamcall_advice(u64 fn, u64 status, const struct tdx_status_regs *regs)
{
	return seamcall_advice(fn, status, regs);
}

const char *tdx_status_meaning(u64 status)
{
	const struct tdx_status_word *word = find_status(status);

	return word ? word->meaning : NULL;
}

#endif
