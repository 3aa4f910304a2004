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

BEGIN {
	if (mode == "")
		mode = "c"
	if (mode != "c" && mode != "rst")
		die("mode is c or rst, not " mode)

	n = split("class status exact operand leaf seamldr msr cpuid exit field call", K, " ")
	for (i = 1; i <= n; i++)
		kinds[K[i]] = 1
	n = split("opt operand msr cpuid keyids package tdmr pamt pamt_overlap reserved smrr smrr_cmr exit", K, " ")
	for (i = 1; i <= n; i++)
		details[K[i]] = 1
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
}

END {
	if (failed)
		exit 1
	if (!header)
		die("empty")
	if (mode == "c")
		print_table()
}
