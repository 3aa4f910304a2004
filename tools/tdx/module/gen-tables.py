#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Make tables.c and fields.h from csv/.

    gen-tables.py [--check] [DIRECTORY]

Writes the two files into DIRECTORY (default: where this script is), or with
--check says whether the ones there are up to date. The output is kept in the
tree, so that neither QEMU's nor the kernel's build needs Python for it.
"""
import csv
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SPDX_C = "// SPDX-License-Identifier: GPL-2.0-or-later\n"
SPDX_H = "/* SPDX-License-Identifier: GPL-2.0-or-later */\n"
MADE = "/* Made by gen-tables.py from csv/, do not edit */\n"

PSEUDO_MSR = {"CPUID": "MSR_CPUID", "CMR": "MSR_CMR", "SEAMOPS": "MSR_SEAMOPS",
              "TABLE": "MSR_TABLE", "RDRAND": "MSR_RDRAND"}
CONDITION = {"": "COND_ALWAYS", "0x10A bit 7": "COND_TSX_CTRL",
             "0x10A bit 7 of INIT": "COND_TSX_CTRL",
             "no_integrity=0": "COND_INTEGRITY", "no_integrity=1": "COND_NO_INTEGRITY",
             "smrr2": "COND_SMRR2"}
# expression in a baseline file -> (term, constant part)
TERM = {
    "apic": ("TERM_APIC", 0),
    "(apic & 0xff) << 24 | 0x800800": ("TERM_APIC_EBX", 0x800800),
    "sub & 0xff": ("TERM_SUB", 0),
    "pa_width | 0x3900": ("TERM_PA_WIDTH", 0x3900),
    "mktme | tdx << 32": ("TERM_KEYIDS", 0),
    "smrr_base | 6": ("TERM_SMRR_BASE", 6),
    "(2**32 - smrr_size) | 0xc00": ("TERM_SMRR_MASK", 0xc00),
    "smrr2_base | 6": ("TERM_SMRR2_BASE", 6),
    "(2**32 - smrr2_size) | 0xc00": ("TERM_SMRR2_MASK", 0xc00),
    "3 | keyid_bits << 32 | (tdx_bits & 15) << 36 | 3 << 48": ("TERM_TME_ACTIVATE", 3 | 3 << 48),
    "seamrr_base | 8": ("TERM_SEAMRR_BASE", 8),
    "((2**52 - seamrr_size) & (2**52 - 1)) | 0xc00": ("TERM_SEAMRR_MASK", 0xc00),
}


def rows(name):
    with open(os.path.join(HERE, "csv", name + ".csv"), newline="") as f:
        return list(csv.DictReader(f))


def number(text, default=0):
    return int(text, 0) if text else default


def h32(value):
    return "%#xu" % value if value > 9 else "%du" % value


def h64(value):
    return "UINT64_C(%#x)" % value if value > 9 else str(value)


def subleaf(text):
    value = int(text, 0)
    return "TDXM_ANY_SUBLEAF" if value < 0 else h32(value)


def four(row, prefix):
    return "{ %s }" % ", ".join(h32(number(row[prefix + r])) for r in ("eax", "ebx", "ecx", "edx"))


def expression(text):
    if text in TERM:
        return TERM[text]
    return "TERM_NONE", int(text, 0)


def checks(phase, kind_of_table, size):
    out = ["const struct tdxm_check %s[%s] = {" % (kind_of_table, size)]
    for row in rows("msr_checks"):
        if row["phase"] != phase:
            continue
        msr = PSEUDO_MSR.get(row["msr"]) or row["msr"]
        kind = row["kind"]
        p1 = number(row["p1"])
        if kind == "same":
            # the value of INIT that is compared: that MSR's, but 0x99 against 0x98
            p1 = 0 if msr.startswith("MSR_") else int(msr, 16)
            if "compared with the 0x98 value" in row["note"]:
                p1 = 0x98
        details = row["details"]
        details = 0 if "/" in details else number(details)
        out.append("\t/* %s */" % row["name"])
        out.append("\t{ %s, CHECK_%s, %s, %s,\n\t  %s, %s, %s }," % (
            msr, kind.upper(), CONDITION[row["condition"]], h32(details),
            h64(p1), h64(number(row["p2"])), h64(number(row["status"]))))
    out.append("};\n")
    return out


def names(table, pairs):
    out = ["const struct tdxm_name %s[] = {" % table]
    out += ["\t{ %s, \"%s\" }," % (h64(value), name) for value, name in pairs]
    out.append("};\n")
    out.append("const unsigned int %s = ARRAY_LEN(%s);\n" %
               (table.replace("tdxm_", "tdxm_nr_"), table))
    return out


def tables():
    out = [SPDX_C + MADE + '#include "internal.h"\n']
    out += checks("INIT", "tdxm_init_checks", "NR_INIT_CHECKS")
    out += checks("LP.INIT", "tdxm_lp_checks", "NR_LP_CHECKS")

    out.append("const struct tdxm_cpuid_check tdxm_cpuid_checks[NR_CPUID_CHECKS] = {")
    for row in rows("cpuid_checks"):
        special = "NONE" if row["special"] == "-" else row["special"]
        out.append("\t{ %s, %s,\n\t  %s,\n\t  %s,\n\t  %s, SPECIAL_%s }," % (
            h32(int(row["leaf"], 0)), subleaf(row["subleaf"]), four(row, "mask_"),
            four(row, "value_"), four(row, "same_"), special))
    out.append("};\n")

    out.append("const struct tdxm_cpuid_config tdxm_cpuid_configs[NR_CPUID_CONFIGS] = {")
    for row in rows("cpuid_config"):
        out.append("\t{ %s, %s,\n\t  %s,\n\t  %s,\n\t  %s,\n\t  %s, %s,\n\t  %s, %s, %s }," % (
            h32(int(row["leaf"], 0)), subleaf(row["subleaf"]), four(row, "direct_"),
            four(row, "allow_"), four(row, "clear_"), four(row, "set_"), row["check_index"],
            h64(number(row["rd_leaf_value"])), h64(number(row["rd_value_lo"])),
            h64(number(row["rd_value_hi"]))))
    out.append("};\n")

    out.append("const struct tdxm_base_cpuid tdxm_base_cpuids[] = {")
    for row in rows("baseline_cpuid"):
        sub = {"*": "SUB_ALL", "else": "SUB_ELSE"}.get(row["subleaf"])
        regs = [expression(row[r]) for r in ("eax", "ebx", "ecx", "edx")]
        out.append("\t{ %s, %s,\n\t  { %s },\n\t  { %s } }," % (
            h32(int(row["leaf"], 0)), sub or h32(int(row["subleaf"], 0)),
            ", ".join(h32(v) for t, v in regs), ", ".join(t for t, v in regs)))
    out.append("};\n")
    out.append("const unsigned int tdxm_nr_base_cpuids = ARRAY_LEN(tdxm_base_cpuids);\n")

    out.append("const struct tdxm_base_msr tdxm_base_msrs[] = {")
    for row in rows("baseline_msr"):
        term, value = expression(row["value"])
        out.append("\t{ %s, %s, %s }, /* %s */" % (row["msr"], term, h64(value), row["name"]))
    out.append("};\n")
    out.append("const unsigned int tdxm_nr_base_msrs = ARRAY_LEN(tdxm_base_msrs);\n")

    out.append("const struct tdxm_field tdxm_fields[NR_FIELDS] = {")
    for row in rows("metadata_fields"):
        out.append("\t[FIELD_%s] = { %s, %s, %s, %s }," % (
            row["name"], h64(int(row["field_id"], 16)), row["element_bytes"],
            row["num_fields"], row["num_elements"]))
    out.append("};\n")

    out += names("tdxm_field_names", [(i, r["name"]) for i, r in enumerate(rows("metadata_fields"))])
    out += names("tdxm_leaf_names", [(int(r["leaf"]), r["name"].replace("_", "."))
                                     for r in rows("seamcall_leaves")])
    out += names("tdxm_status_names", [(int(r["value_hex"], 16), r["name"])
                                       for r in rows("status_codes") if r["kind"] == "status"])
    out += names("tdxm_operand_names", [(int(r["value_hex"], 0), r["name"][len("OPERAND_ID_"):])
                                        for r in rows("status_codes") if r["kind"] == "operand_id"])

    out.append("const struct tdxm_kind tdxm_kinds[] = {")
    out.append('\t{ "1.0", 1, 0, 0, 0 },')
    for row in rows("tdx_features0_by_version"):
        major, minor, update = (int(x) for x in row["module_version"].split("."))
        out.append('\t{ "%s", %d, %d, %d, %s },' % (
            row["module_version"], major, minor, update, h64(int(row["tdx_features0"], 16))))
    out.append("};\n")
    out.append("const unsigned int tdxm_nr_kinds = ARRAY_LEN(tdxm_kinds);")
    return "\n".join(out) + "\n"


def fields():
    return SPDX_H + MADE + "".join("FIELD(%s)\n" % row["name"] for row in rows("metadata_fields"))


def main():
    args = sys.argv[1:]
    check = "--check" in args
    where = [a for a in args if a != "--check"] or [HERE]
    stale = 0
    for name, text in (("tables.c", tables()), ("fields.h", fields())):
        path = os.path.join(where[0], name)
        if check:
            with open(path) as f:
                if f.read() != text:
                    print("%s is not what gen-tables.py makes of csv/: run it" % path)
                    stale = 1
        else:
            with open(path, "w") as f:
                f.write(text)
    return stale


if __name__ == "__main__":
    sys.exit(main())
