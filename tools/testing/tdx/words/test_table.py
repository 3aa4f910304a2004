# SPDX-License-Identifier: GPL-2.0-or-later
"""The table, the script that makes it, and the code that reads it."""

import csv
import os
import shutil
import subprocess

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../../.."))
KERNEL = os.path.join(TOP, "arch/x86/virt/vmx/tdx")
SCRIPT = os.path.join(KERNEL, "status-table.awk")
HEADER = "kind,key,name,detail,meaning,advice\n"

# One mistake each, and a part of the message that has to name it.
BROKEN = [
    ("columns", "kind,key\n", "unknown columns"),
    ("too few columns", HEADER + "msr,0x1,A\n", "not six columns"),
    ("too many columns", HEADER + "msr,0x1,A,,,,\n", "not six columns"),
    ("open quote", HEADER + 'msr,0x1,A,,,"b\n', "quote is not closed"),
    ("unknown kind", HEADER + "mrs,0x1,A,,,\n", "unknown kind: mrs"),
    ("unknown detail", HEADER + "status,0x0000000000000000,A,mrs,b,\n", "unknown detail: mrs"),
    ("detail of an operand", HEADER + "operand,1,A,msr,b,\n", "unknown detail: msr"),
    ("short status", HEADER + "status,0x00,A,opt,b,\n", "needs 16 digits"),
    ("status with a detail", HEADER + "status,0xc000000000000001,A,opt,b,\n", "the lower 8 zero"),
    ("upper case", HEADER + "status,0xC000000000000000,A,opt,b,\n", "needs 16 digits"),
    ("long number", HEADER + "msr,0x123456789,A,,,\n", "needs a number"),
    ("twice", HEADER + "msr,0x1,A,,,\nmsr,0x1,B,,,\n", "there twice, see line 2"),
    ("no name", HEADER + "msr,0x1,,,,\n", "name is missing"),
    ("no meaning", HEADER + "status,0xc000000000000000,A,opt,,\n", "meaning is missing"),
    ("call without a leaf", HEADER + "call,0xc000000000000000,,,,b\n", "needs leaf:status"),
    ("call without advice", HEADER + "call,1:0xc000000000000000,,,,\n", "advice is missing"),
    ("empty", "", "empty"),
]


def awks():
    """Every awk of this machine: the kernel may be built with any."""
    for name in ("awk", "mawk", "gawk", "original-awk", "busybox"):
        path = shutil.which(name)
        if path:
            yield name, [path, "awk"] if name == "busybox" else [path]


def generate(awk, text, *options):
    return subprocess.run([*awk, "-f", SCRIPT, *options, "-"], input=text.encode(), capture_output=True, check=False)


def rows(kinds):
    with open(os.path.join(KERNEL, "status.csv"), encoding="utf-8") as file:
        lines = [line for line in file if line.strip() and not line.startswith("#")]
    return [row for row in csv.DictReader(lines) if row["kind"] in kinds]


def run(suite):
    with open(os.path.join(KERNEL, "status.csv"), encoding="utf-8") as file:
        table = file.read()
    outputs = {}
    for name, awk in awks():
        result = generate(awk, table)
        suite.check(f"{name} makes the table", result.returncode == 0 and not result.stderr, result.stderr)
        outputs[result.stdout] = name
    suite.check("all awks make the same table", len(outputs) == 1, ", ".join(outputs.values()))

    for name, text, message in BROKEN:
        result = generate(["awk"], text)
        suite.check(f"table with a mistake: {name}",
                    result.returncode == 1 and message in result.stderr.decode(),
                    f"exit status {result.returncode}, {result.stderr.decode()}")

    quotes = generate(["awk"], HEADER + 'msr,0x1,A,,,"a ""b"" \\, c"\n').stdout.decode()
    suite.check("quotes and backslashes", '"a \\"b\\" \\\\, c"' in quotes, quotes)

    documentation = generate(["awk"], table, "-v", "mode=rst").stdout
    with open(os.path.join(TOP, "Documentation/x86/tdx-host-status.rst"), "rb") as file:
        suite.check("documentation is that of the table", file.read() == documentation,
                    "make it anew: make -C tools/testing/tdx/words doc")
    missing = [row["name"] for row in rows({"status", "exact"}) if f"``{row['name']}``" not in documentation.decode()]
    suite.equal("documentation has all codes", missing, [])
    for name, awk in awks():
        suite.check(f"{name} makes the documentation", generate(awk, table, "-v", "mode=rst").stdout == documentation)
    if shutil.which("rst2html"):
        result = subprocess.run(["rst2html", "--strict"], input=documentation, capture_output=True, check=False)
        suite.check("documentation is reStructuredText", result.returncode == 0, result.stderr.decode())

    # Each row comes out of the decoder as it went into the table.
    code, out, err = suite.run("tdx-decode", "--json", *[row["key"] for row in rows({"status", "exact"})])
    suite.equal("all codes are known", (code, err), (0, ""))
    import json
    for row, got in zip(rows({"status", "exact"}), json.loads(out), strict=True):
        status = got["status"]
        suite.equal(row["name"], (status["name"], status["meaning"]), (row["name"], row["meaning"]))

    code, out, err = suite.run("kunit")
    suite.equal("tests of the kernel", err, "")
    suite.add_counts(out)
