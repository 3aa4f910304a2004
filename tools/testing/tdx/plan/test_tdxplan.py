#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""test_tdxplan.py TDXPLAN: formats, errors, output and exit status of tdxplan; real machines' maps; the table in the documentation."""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.realpath(os.path.join(HERE, "../../../.."))
MAPS = sorted(glob.glob(os.path.join(HERE, "maps", "*.txt")))
GIB = 1 << 30
tdxplan = os.path.abspath(sys.argv[1])
passed = failed = 0


def check(ok, what):
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
        print(f"FAILED {what}", flush=True)


def run(*args, stdin=""):
    return subprocess.run([tdxplan, *args], input=stdin, capture_output=True, text=True, check=False)


def plan_of(text, *args):
    done = run("--json", *args, "-", stdin=text if isinstance(text, str) else json.dumps(text))
    check(done.returncode in (0, 1) and not done.stderr, f"JSON comes out: {done.stderr}")
    return done.returncode, json.loads(done.stdout)


def pamt_bytes(size):
    need = lambda shift: (size >> shift) * 16
    return sum(-(-need(shift) // 4096) * 4096 for shift in (12, 21, 30))


def overlaps(a, b):
    return a[0] < b[1] and b[0] < a[1]


def merged(ranges):
    out = []
    for start, end in sorted(r for r in ranges if r[0] < r[1]):
        if out and out[-1][1] == start:
            out[-1] = (out[-1][0], end)
        else:
            out.append((start, end))
    return out


def valid(plan, regions, cmrs, max_tdmrs=64, max_reserved=16):
    """The module's rules, a third time. Returns what is wrong."""
    cmrs = merged(cmrs)
    inside = lambda r: any(c[0] <= r[0] and r[1] <= c[1] for c in cmrs)
    last = 0
    usable, pamts = [], []
    if len(plan["tdmrs"]) > max_tdmrs:
        return "too many TDMRs"
    for t in plan["tdmrs"]:
        base, end = t["base"], t["base"] + t["size"]
        if base < last or base % GIB or end % GIB or base >= end:
            return "TDMR"
        last, at = end, base
        if len(t["reserved"]) > max_reserved:
            return "too many reserved areas"
        for r in t["reserved"]:
            start, stop = base + r["offset"], base + r["offset"] + r["size"]
            if start < at or stop <= start or stop > end or start % 4096 or stop % 4096:
                return "reserved area"
            usable.append((at, start))
            at = stop
        usable.append((at, end))
        for p, shift in zip(t["pamt"], (12, 21, 30)):
            if p["base"] % 4096 or p["size"] % 4096 or p["size"] < (t["size"] >> shift) * 16:
                return "PAMT"
            pamts.append((p["base"], p["base"] + p["size"]))
    usable = [u for u in usable if u[0] < u[1]]
    if plan["pamt_bytes"] != sum(b - a for a, b in pamts):
        return "pamt_bytes"
    for i, p in enumerate(pamts):
        if not inside(p) or any(overlaps(p, u) for u in usable) or any(overlaps(p, q) for q in pamts[:i]):
            return "place of a PAMT"
    if not all(inside(u) for u in usable):
        return "usable memory outside CMRs"
    have = merged(usable + pamts)
    if not all(any(h[0] <= r[0] and r[1] <= h[1] for h in have) for r in regions):
        return "memory that is not covered"
    return None


def two_nodes():
    regions = [(0x100000, 0x77800000, 0), (4 * GIB, 68 * GIB, 0), (68 * GIB, 132 * GIB, 1)]
    return {
        "regions": [{"start": hex(a), "end": b, "nid": n} for a, b, n in regions],
        "cmrs": [{"start": 0x100000, "end": "0x77800000"}, {"start": 0, "end": 0}, {"start": 4 * GIB, "end": 132 * GIB}],
    }


def test_json():
    code, plan = plan_of(two_nodes())
    check(code == 0 and len(plan["tdmrs"]) == 2, "two TDMRs with the least PAMT")
    check(plan["pamt_bytes"] == pamt_bytes(2 * GIB) + pamt_bytes(128 * GIB), "PAMT of two TDMRs")
    check(valid(plan, [(0x100000, 0x77800000), (4 * GIB, 132 * GIB)], [(0x100000, 0x77800000), (4 * GIB, 132 * GIB)]) is None,
          "plan is valid")
    check(set(plan["tdmrs"][0]) == {"base", "size", "nid", "reserved", "pamt"}, "members of a TDMR")
    check([len(t["pamt"]) for t in plan["tdmrs"]] == [3, 3], "three PAMTs each")
    code, plan = plan_of(two_nodes(), "--nodes")
    check([t["nid"] for t in plan["tdmrs"]] == [0, 0, 1], "--nodes cuts at the node")
    check(plan["tdmrs"][2]["pamt"][0]["base"] >= 68 * GIB, "PAMT is on its node")
    code, plan = plan_of(two_nodes(), "--cpus=13")
    check(sorted({t["size"] // GIB for t in plan["tdmrs"]}) == [2, 3, 5], "--cpus cuts 2 + 128 GiB into shares of 10, two pieces each")
    doc = dict(two_nodes(), max_tdmrs=1)
    code, plan = plan_of(doc)
    check(code == 0 and plan["tdmrs"][0]["size"] == 132 * GIB, "one TDMR has to cover all")
    doc = dict(two_nodes(), max_tdmrs="1", max_reserved=1)
    code, plan = plan_of(doc)
    check(code == 1 and plan["limit"] == 1 and plan["need"] == 2 and plan["range"] == {"start": GIB, "end": 132 * GIB},
          f"no plan: {plan}")
    code, plan = plan_of(dict(two_nodes(), max_tdmrs=1, max_reserved=1), "--max-reserved=16", "--mainline")
    check(code == 0 and "error" in plan["mainline"] and plan["mainline"]["need"] == 3, "limits by option; mainline has no plan")
    doc = two_nodes()
    doc["cmrs"] = doc["cmrs"][:1]
    code, plan = plan_of(doc)
    check(code == 1 and "not in a CMR" in plan["error"] and plan["range"]["start"] == 4 * GIB, "memory outside CMRs: no plan")
    doc = two_nodes()
    doc["regions"].reverse()
    check(plan_of(doc)[0] == 0, "regions in any order")
    code, plan = plan_of(dict(two_nodes(), pamt_entry_size=[8, "0x10", 4096]))
    check(plan["tdmrs"][0]["pamt"] and [p["size"] for p in plan["tdmrs"][0]["pamt"]] == [2 * 2097152, 2 * 8192, 2 * 4096],
          "sizes of PAMT entries")


BAD_JSON = [
    ('{"regions": [\n{"start": 0, "end": 1\n', r":\d+: column \d+: "),
    ('[]', r": no memory"),
    ('{}', r':1: "regions" is missing'),
    ('{"regions": []}', r': "regions" is empty'),
    ('{\n"regions": 5}', r":2: regions: expected a list"),
    ('{"regions": [\n{"start": 0, "end": 4096},\n7]}', r":3: regions\[1\]: expected \{"),
    ('{"regions": [\n{"start": 0},\n]}', r":3: column"),
    ('{"regions": [\n\n{"start": 0}]}', r":3: regions\[0\].end: missing"),
    ('{"regions": [{"start": "0x10g0",\n"end": 4096}]}', r":1: regions\[0\].start: \"0x10g0\" is no number"),
    ('{"regions": [{"start": 0,\n"end":\n"12x"}]}', r':3: regions\[0\].end: "12x" is no number'),
    ('{"regions": [{"start": -4096,\n"end": 4096}]}', r":1: regions\[0\].start: -4096 is negative"),
    ('{"regions": [{"start": 0.5,\n"end": 4096}]}', r":1: regions\[0\].start: expected a number"),
    ('{"regions": [{"start": 0, "end": 100}]}', r":1: regions\[0\].end: 0x64 is no multiple of 4 KiB"),
    ('{"regions": [{"start": 0, "end": "0x10000000001000"}]}', r":1: regions\[0\].end: .* is more than"),
    ('{"regions": [{"start": 0, "end": "0x1000000000000000000000"}]}', r":1: regions\[0\].end: .* too large"),
    ('{"regions": [{"start": 0, "end": 99999999999999999999}]}', r":1: column \d+: too big integer"),
    ('{"regions": [{"start": 8192, "end": 4096}]}', r":1: regions\[0\]: \[0x2000, 0x1000\) is empty, or ends before"),
    ('{"regions": [{"start": 0, "end": 8192},\n{"start": 4096, "end": 12288}]}', r":2: memory \[0x1000, 0x3000\) overlaps \[0, 0x2000\) of line 1"),
    ('{"regions": [{"start": 0, "end": 8192}], "cmrs": [{"start": 0, "end": 8192},\n\n{"start": 4096, "end": 12288}]}', r":3: CMR .* overlaps"),
    ('{"regions": [{"start": 0, "end": 8192, "nid": 5000}]}', r":1: regions\[0\].nid: 5000 .* is more than 4095"),
    ('{"regions": [{"start": 0, "end": 8192}],\n"max_tdmrs": 0}', r":2: max_tdmrs: 0 is less than 1"),
    ('{"regions": [{"start": 0, "end": 8192}],\n"max_reserved": 65536}', r":2: max_reserved: 65536"),
    ('{"regions": [{"start": 0, "end": 8192}],\n"pamt_entry_size": [16, 16]}', r":2: pamt_entry_size: expected a list of three"),
    ('{"regions": [{"start": 0, "end": 8192}],\n"pamt_entry_size": [16,\n16, 0]}', r":3: pamt_entry_size\[2\]: an entry of no size"),
    ('{"regions": [{"start": 0, "end": 8192}],\n"regions": []}', r":2: column \d+: duplicate object key"),
    ('{"regions": [{"start": 0, "end": 8192}],\n"max_tdmr": 1}',
     r":2: max_tdmr: no such member; allowed are regions, cmrs, max_tdmrs, max_reserved, pamt_entry_size\n"),
    ('{"region": []}', r":1: region: no such member; allowed are regions,"),
    ('{"regions": [{"start": 0, "end": 8192},\n{"start": 8192, "end": 12288, "node": 1}]}',
     r":2: regions\[1\].node: no such member; allowed are start, end, nid\n"),
    ('{"regions": [{"start": 0, "end": 8192}],\n"cmrs": [{"start": 0, "end": 8192,\n"nid": 1}]}',
     r":3: cmrs\[0\].nid: no such member; allowed are start, end\n"),
    ('{"regions": [{"start": 0, "end": 8192, "\\u001b[31m": 1}]}', r":1: regions\[0\].\?\[31m: no such member"),
]

BAD_TEXT = [
    ("iomem", "00001000-0009ffff : System RAM\nnonsense\n", r":2: expected START-END : NAME"),
    ("iomem", "00000000-00000000 : System RAM\n00000000-00000000 : PCI\n", r": all addresses are 0: .*as root"),
    ("iomem", "00200000-00100000 : System RAM\n", r":1: \[0x200000, 0x100001\) ends before it starts"),
    ("iomem", "00100000-0fffffff : PCI Bus\n", r': no memory: no entry "System RAM"'),
    ("iomem", "00100000-0fffffff : System RAM\n00200000-1fffffff : System RAM\n", r":2: memory .* overlaps .* of line 1"),
    ("e820", "BIOS-e820: [mem 0x100000-0x7fffffff] usable\nBIOS-e820: [mem 0xzz-0x5] usable\n", r":2: expected \[mem"),
    ("e820", "BIOS-e820: [mem 0x100000-0x7fffffff] usable\n\nCMR: [0x100000, )\n", r":3: CMR: expected"),
    ("e820", "BIOS-e820: [mem 0x100000-0x7fffffff] usable\nCMR: [0x100200, 0x80000000)\n", r":2: CMR .* no multiple of 4 KiB"),
    ("e820", "SRAT: Node x PXM 0 [mem 0-1]\n", r":1: SRAT: expected the number of a node"),
    ("e820", "hello\n", r": no memory: no line"),
    ("e820", "", r": no memory"),
    ("memmap", "0/start:0x100000\n0/type:System RAM\n", r":2: entry 0 has no start, end or type"),
    ("memmap", "0/start:0x100000\n0/bogus:1\n", r":2: expected N/start"),
    ("memmap", "x/start:0x100000\n", r":1: expected N/start"),
]


def test_bad_input():
    for text, want in BAD_JSON:
        done = run(stdin=text)
        check(done.returncode == 2 and re.search("standard input.*" + want, done.stderr) and not done.stdout,
              f"{text!r}: {done.returncode} {done.stderr}")
    for kind, text, want in BAD_TEXT:
        done = run("--format", kind, stdin=text)
        check(done.returncode == 2 and re.search("standard input.*" + want, done.stderr), f"{text!r}: {done.stderr}")
    for args, want in ((["--cpus=0"], "no number from 1"), (["--cpus=x"], "no number"), (["--format=xml"], "none of"),
                       (["--bogus"], "--help"), (["a", "b"], "one FILE"), (["/no/such"], "/no/such: No such file"),
                       (["--svg=/no/such/dir/x", MAPS[0]], "/no/such/dir/x: No such file"),
                       (["--with=-"], "--with: FILE is standard input already"), (["--with=/no/such", MAPS[0]], "/no/such: No such file"),
                       (["--with=/dev/null", MAPS[0]], '/dev/null: no boot log: no line has "SRAT: Node", "CMR [0x" or "BIOS-e820"'),
                       (["--with", os.path.join(HERE, "run-tests"), MAPS[0]], "run-tests: no boot log"),
                       (["--with", MAPS[0], MAPS[0], "junk"], '"junk"')):
        done = run(*args)
        check(done.returncode == 2 and want in done.stderr, f"{args}: {done.stderr}")
    done = run("--help")
    check(done.returncode == 0 and done.stdout.startswith("usage: tdxplan") and not done.stderr, "--help")


RAM = [(0x100000, 0x40000000), (0x50000000, 0x7f000000), (4 * GIB, 20 * GIB)]
IOMEM = """\
00000000-00000fff : Reserved
00001000-0009ffff : System RAM
00100000-3fffffff : System RAM
  01000000-01ffffff : Kernel code
40000000-4fffffff : Reserved
50000000-7effffff : System RAM
fec00000-fec003ff : IOAPIC 0
100000000-4ffffffff : System RAM
"""
E820 = """\
[    0.000000] BIOS-e820: [mem 0x0000000000000000-0x000000000009ffff] usable
[    0.000000] BIOS-e820: [mem 0x0000000000100000-0x000000003fffffff] usable
[    0.000000] BIOS-e820: [mem 0x0000000040000000-0x000000004fffffff] reserved
[    0.000000] BIOS-e820: [mem 0x0000000050000000-0x000000007effffff] usable
[    0.000000] BIOS-e820: [mem 0x0000000100000000-0x00000004ffffffff] usable
"""
OLD_E820 = """\
 BIOS-e820: 0000000000000000 - 00000000000a0000 (usable)
 BIOS-e820: 0000000000100000 - 0000000040000000 (usable)
 BIOS-e820: 0000000040000000 - 0000000050000000 (reserved)
 BIOS-e820: 0000000050000000 - 000000007f000000 (usable)
 BIOS-e820: 0000000100000000 - 0000000500000000 (usable)
"""
LOG = """\
[    0.1] ACPI: SRAT: Node 0 PXM 0 [mem 0x00000000-0x7fffffff]
[    0.1] ACPI: SRAT: Node 0 PXM 0 [mem 0x100000000-0x2ffffffff]
[    0.1] ACPI: SRAT: Node 1 PXM 1 [mem 0x300000000-0x4ffffffff]
[    8.2] virt/tdx: CMR: [0x100000, 0x7f000000)
[    8.2] virt/tdx: CMR: [0x100000000, 0x500000000)
"""


def memmap_text():
    ranges = [(0, 0x9ffff, "System RAM"), (0x40000000, 0x4fffffff, "Reserved")] + [(a, b - 1, "System RAM") for a, b in RAM]
    return "".join(f"/sys/firmware/memmap/{i}/{k}:{v}\n" for i, (a, b, t) in enumerate(ranges)
                   for k, v in (("start", hex(a)), ("end", hex(b)), ("type", t)))


def test_formats():
    want = plan_of(E820)[1]
    check(valid(want, RAM, [(0x100000, 0x7f000000), (4 * GIB, 20 * GIB)]) is None, "e820: plan is valid")
    for name, text in (("iomem", IOMEM), ("old e820", OLD_E820), ("memmap", memmap_text()), ("CRs", E820.replace("\n", "\r\n"))):
        check(plan_of(text)[1] == want, f"{name} is the same map")
    with tempfile.TemporaryDirectory() as folder:
        for line in memmap_text().splitlines():
            path, value = line.split(":", 1)
            path = os.path.join(folder, *path.split("/")[-2:])
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="ascii") as f:
                f.write(value + "\n")
        check(json.loads(run("--json", folder).stdout) == want, "the folder /sys/firmware/memmap")
        log = os.path.join(folder, "log")
        with open(log, "w", encoding="ascii") as f:
            f.write(LOG)
        for text in (IOMEM, E820, memmap_text()):
            plan = plan_of(text, "--with", log, "--nodes")[1]
            check([t["nid"] for t in plan["tdmrs"]] == [0, 0, 1] and plan["tdmrs"][2]["base"] == 12 * GIB, "nodes of a log")
        small = os.path.join(folder, "small")
        with open(small, "w", encoding="ascii") as f:
            f.write(E820)
        check(run("--json", "--with", small, stdin=IOMEM).returncode == 0, "a log need not have nodes or CMRs")
        check(run("--json", "--with", "-", log, stdin=LOG).returncode == 0, "a log on standard input")
        done = run("--with", log, stdin=IOMEM)
        check("Note:" not in done.stdout and "assumed" in run(stdin=IOMEM).stdout, "a note if CMRs are assumed")


def test_maps():
    check(len(MAPS) >= 25, f"{len(MAPS)} maps")
    for path in MAPS:
        name = os.path.basename(path)
        for args in ((), ("--nodes",), ("--nodes", "--cpus=64")):
            done = run("--json", "--mainline", *args, path)
            check(done.returncode == 0, f"{name}: {done.stdout}{done.stderr}")
            plan = json.loads(done.stdout)
            if "pamt_bytes" in plan["mainline"] and not args[1:]:
                check(plan["pamt_bytes"] <= plan["mainline"]["pamt_bytes"], f"{name}: more PAMT than mainline")
            check("error" in plan["mainline"] or "26_emr" not in name, "mainline fails on 26")
        with open(path, encoding="utf-8") as f:
            said = re.search(r"# PAMT: (\d+) KB", f.read())
        if said:
            check(plan["mainline"]["pamt_bytes"] == int(said[1]) * 1024, f"{name}: mainline's PAMT is what the machine said")


def test_svg():
    with tempfile.TemporaryDirectory() as folder:
        svg = os.path.join(folder, "a.svg")
        for path in MAPS:
            done = run("--svg", svg, "--mainline", "--nodes", path)
            root = ET.parse(svg).getroot()
            text = " ".join(e.text or "" for e in root.iter("{http://www.w3.org/2000/svg}text"))
            width = float(root.get("width"))
            inside = all(0 <= float(r.get("x", 0)) and float(r.get("x", 0)) + float(r.get("width", "0").rstrip("%")) <= width
                         for r in root.iter("{http://www.w3.org/2000/svg}rect"))
            check(done.returncode == 0 and "node 0" in text and "mainline" in text and inside, f"picture of {path}")
        done = run("--svg", "-", stdin=json.dumps(dict(two_nodes(), max_tdmrs=1, max_reserved=1)))
        check(done.returncode == 1 and "no plan" in done.stdout and ET.fromstring(done.stdout) is not None, "picture without a plan")


def test_table():
    done = run("--cpus=4", "--nodes", "--mainline", MAPS[0])
    check("TDMRs                       3 of 64 allowed" in done.stdout and "by 4 CPUs" in done.stdout, "table")
    check("PAMT on node 1" in done.stdout and "mainline's rule" in done.stdout, "table by nodes, and mainline")
    done = run("--mainline", os.path.join(HERE, "maps", "26_emr_foxcreek_canonical135_TDX_FAILS.txt"))
    check(done.returncode == 0 and "reserved areas exhausted: [0, 0x80000000)" in done.stdout, "26: mainline has no plan")
    made = subprocess.run([os.path.join(TOP, "tools/tdx/plan/maps-table"), tdxplan, *MAPS], capture_output=True, text=True, check=True)
    with open(os.path.join(TOP, "Documentation/x86/tdx-host-maps.rst"), encoding="utf-8") as f:
        check(f.read() == made.stdout, "Documentation/x86/tdx-host-maps.rst is what maps-table makes: make -C tools/testing/tdx/plan doc")


for test in (test_json, test_bad_input, test_formats, test_maps, test_svg, test_table):
    test()
print(f"tdxplan: {passed} passed, {failed} failed")
sys.exit(failed != 0)
