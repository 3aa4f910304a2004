#!/bin/awk -f
# SPDX-License-Identifier: GPL-2.0
#
# status-table.awk: words for status codes, from status.csv
#
# usage: awk -f status-table.awk [-v mode=c|rst] status.csv
#
# mode=c (default) prints the arrays that status.c includes.  mode=rst prints the tables of
# Documentation/x86/tdx-host-status.rst.
#
# Any POSIX awk does.  Numbers stay text: awk's have 53 bits only.

function die(msg)
{
	print FILENAME ":" FNR ": " msg > "/dev/stderr"
	failed = 1
	exit 1
}

# Split @line into F[1..n] at the commas outside of double quotes.
function csv(line,	n, c, i, quoted)
{
	for (n in F)
		delete F[n]
	n = 1
	F[1] = ""
	quoted = 0
	for (i = 1; i <= length(line); i++) {
		c = substr(line, i, 1)
		if (c == "\"") {
			if (quoted && substr(line, i + 1, 1) == "\"") {
				F[n] = F[n] c
				i++
			} else {
				quoted = !quoted
			}
		} else if (c == "," && !quoted) {
			F[++n] = ""
		} else {
			F[n] = F[n] c
		}
	}
	if (quoted)
		die("quote is not closed")
	return n
}

# @s as a C string; "" is NULL.  Not gsub(): awks differ in what "\\\\" puts.
function str(s,	i, c, out)
{
	if (s == "")
		return "NULL"
	for (i = 1; i <= length(s); i++) {
		c = substr(s, i, 1)
		if (c == "\\" || c == "\"")
			out = out "\\"
		out = out c
	}
	return "\"" out "\""
}

function is_u64(s)
{
	return s ~ /^0x[0-9a-f]+$/ && length(s) == 18
}

function is_u32(s)
{
	if (s ~ /^0x[0-9a-f]+$/)
		return length(s) <= 10
	return s ~ /^[0-9]+$/ && length(s) <= 5
}

function check_key(kind, key,	at)
{
	if (kind == "status") {
		if (!is_u64(key) || key !~ /00000000$/)
			die("status needs 16 digits, the lower 8 zero: " key)
	} else if (kind == "exact" || kind == "field") {
		if (!is_u64(key))
			die(kind " needs 16 hexadecimal digits: " key)
	} else if (kind == "call") {
		at = index(key, ":")
		if (!at || !is_u32(substr(key, 1, at - 1)) || !is_u64(substr(key, at + 1)))
			die("call needs leaf:status: " key)
	} else if (!is_u32(key)) {
		die(kind " needs a number: " key)
	}
	if ((kind, key) in seen)
		die(kind " " key " is there twice, see line " seen[kind, key])
	seen[kind, key] = FNR
}

# One initialiser.  Rows wait in rows[kind] until the end: one array a kind.
function table_row(kind, key, name, detail, meaning, advice,	row, at)
{
	if (kind == "status" || kind == "exact")
		row = sprintf("%sULL, %s, TDX_DETAIL_%s, %s, TDX_MEANING(%s)", key,
			str(name), detail == "" ? "EXACT" : toupper(detail),
			str(advice), str(meaning))
	else if (kind == "call") {
		at = index(key, ":")
		row = sprintf("%s, %sULL, %s", substr(key, 1, at - 1),
			substr(key, at + 1), str(advice))
	} else
		row = sprintf("%sULL, %s, %s", key, str(name), str(advice))
	if (kind == "exact")
		kind = "status"
	rows[kind] = rows[kind] "\t{ " row " },\n"
}

function print_table(	n, i, K, type)
{
	print "/* Made of status.csv by status-table.awk, do not edit. */"
	n = split("class status operand leaf seamldr msr cpuid exit field call", K, " ")
	for (i = 1; i <= n; i++) {
		type = "word"
		if (K[i] == "status" || K[i] == "call")
			type = K[i] "_word"
		printf "\nstatic const struct tdx_%s tdx_%s_table[] = {\n%s\t{ }\n};\n",
			type, K[i], rows[K[i]]
	}
}

# @s as text of reStructuredText.  Inside of words an underscore is no markup.
function rst(s,	i, c, out)
{
	for (i = 1; i <= length(s); i++) {
		c = substr(s, i, 1)
		if (index("\\*`|", c) || (c == "_" && substr(s, i + 1, 1) !~ /[A-Za-z0-9]/))
			out = out "\\"
		out = out c
	}
	return out
}

function rst_heading(text, line)
{
	print ""
	print text
	gsub(/./, line, text)
	print text
}

function rst_start()
{
	print ".. SPDX-License-Identifier: GPL-2.0"
	print ".. Made of arch/x86/virt/vmx/tdx/status.csv by status-table.awk -v mode=rst"
	rst_heading("TDX status codes", "=")
	print ""
	print "The TDX module and the P-SEAMLDR answer each SEAMCALL with a 64-bit status in"
	print "RAX. The kernel prints it as a name, with what its detail says and with advice."
	print "``tdx-decode`` does the same for numbers and for lines of any kernel's log, and"
	print "``tdx-status`` says what to do first."
	print ""
	print "Bit 63 of a status is set for an error, bit 62 if repeating the call does not"
	print "help, bit 61 if the TD or the module is lost, bit 60 if the host may be able to"
	print "help. Bits 47:40 are the class and 39:32 the code. Bits 31:0 are a detail, shown"
	print "as x here: they may hold any value."
	print ""
	print "If there is no advice for an error, report it with all lines of the log that have"
	print "``tdx``."
}

# Rows of a table: "code", its number, meaning and advice.
function rst_table(name, value)
{
	print ""
	print ".. list-table::"
	print "   :header-rows: 1"
	print "   :widths: 35 20 45"
	print ""
	print "   * - " name
	print "     - " value
	print "     - Meaning, *and what to do first*"
}

# @name is markup already, @meaning or @advice may be "".
function rst_row(name, value, meaning, advice)
{
	print "   * - " name
	print "     - ``" value "``"
	if (meaning != "")
		print "     - " rst(meaning) "."
	if (meaning != "" && advice != "")
		print ""
	if (advice != "")
		print "     " (meaning == "" ? "- " : "  ") "*" rst(advice) "*"
}

function literal(name)
{
	return "``" name "``"
}

# Bits 47:40 of a status, as rows of kind class have them.
function class_of(key)
{
	return "0x" substr(key, 7, 2)
}

function print_rst(	i, class, detail)
{
	rst_start()

	for (i = 1; i <= nr_rows; i++) {
		if (R[i, 1] != "status")
			continue
		if (class_of(R[i, 2]) != class) {
			class = class_of(R[i, 2])
			rst_heading("Class " class ": " class_name[class], "-")
			rst_table("Status", "RAX")
		}
		detail = details[R[i, 4]]
		rst_row(literal(R[i, 3]), substr(R[i, 2], 1, 10) "xxxxxxxx",
			R[i, 5] (detail == "" ? "" : ". Detail: " detail), R[i, 6])
	}

	rst_heading("Linux and the P-SEAMLDR", "-")
	print ""
	print "Codes of class 0xff are Linux's own: SEAMCALL did not enter the module. The"
	print "P-SEAMLDR has no classes, its errors are ``0x80000000xxxxxxxx``."
	rst_table("Status", "RAX")
	for (i = 1; i <= nr_rows; i++)
		if (R[i, 1] == "exact")
			rst_row(literal(R[i, 3]), R[i, 2], R[i, 5], R[i, 6])

	rst_heading("One MSR, CPUID leaf or operand", "-")
	print ""
	print "What to do depends on the detail for these."
	rst_table("Detail", "Number")
	for (i = 1; i <= nr_rows; i++)
		if (R[i, 6] != "" && R[i, 1] ~ /^(msr|cpuid|operand)$/)
			rst_row(rst_kind[R[i, 1]] " " (R[i, 1] == "cpuid" ? R[i, 3] : literal(R[i, 3])),
				R[i, 2], R[i, 5], R[i, 6])

	rst_heading("One status of one leaf", "-")
	print ""
	print "Some codes have a special reason in one leaf."
	rst_table("Leaf", "RAX")
	for (i = 1; i <= nr_rows; i++)
		if (R[i, 1] == "call")
			rst_row(literal(leaf_name[substr(R[i, 2], 1, index(R[i, 2], ":") - 1)]),
				substr(R[i, 2], index(R[i, 2], ":") + 1), "", R[i, 6])
}

# Rows stay, because a row may name one that comes later.
function keep_row(	i)
{
	nr_rows++
	for (i = 1; i <= 6; i++)
		R[nr_rows, i] = F[i]
	if (F[1] == "class")
		class_name[F[2]] = F[3]
	else if (F[1] == "leaf")
		leaf_name[F[2]] = F[3]
}

BEGIN {
	if (mode == "")
		mode = "c"
	if (mode != "c" && mode != "rst")
		die("mode is c or rst, not " mode)

	n = split("class status exact operand leaf seamldr msr cpuid exit field call", K, " ")
	for (i = 1; i <= n; i++)
		kinds[K[i]] = 1
	rst_kind["msr"] = "MSR"
	rst_kind["cpuid"] = "CPUID,"
	rst_kind["operand"] = "Operand"

	details["opt"] = ""
	details["operand"] = "operand"
	details["msr"] = "MSR"
	details["cpuid"] = "CPUID leaf"
	details["keyids"] = "number that they have to be below"
	details["package"] = "package"
	details["tdmr"] = "TDMR"
	details["pamt"] = "TDMR, and its page size in bits 15:8 (0: 4K, 1: 2M, 2: 1G)"
	details["pamt_overlap"] = "TDMR, page size in bits 15:8, the other TDMR in bits 31:16"
	details["reserved"] = "TDMR, and its reserved area in bits 31:8"
	details["smrr"] = "0: SMRR, 1: SMRR2"
	details["smrr_cmr"] = "0: SMRR, 1: SMRR2, and the CMR in bits 31:8"
	details["exit"] = "VM exit reason"
}

/^#/ || /^$/ { next }

!header {
	header = 1
	if ($0 != "kind,key,name,detail,meaning,advice")
		die("unknown columns: " $0)
	next
}

{
	if (csv($0) != 6)
		die("row has not six columns: " $0)
	if (!(F[1] in kinds))
		die("unknown kind: " F[1])
	check_key(F[1], F[2])
	if (F[1] == "status" ? !(F[4] in details) : F[4] != "")
		die("unknown detail: " F[4])
	if (F[3] == "" && F[1] != "call")
		die("name is missing: " F[2])
	if (F[5] == "" && (F[1] == "status" || F[1] == "exact"))
		die("meaning is missing: " F[3])
	if (F[6] == "" && F[1] == "call")
		die("advice is missing: " F[2])
	if (mode == "c")
		table_row(F[1], F[2], F[3], F[4], F[5], F[6])
	else
		keep_row()
}

END {
	if (failed)
		exit 1
	if (!header)
		die("empty")
	if (mode == "c")
		print_table()
	else
		print_rst()
}
