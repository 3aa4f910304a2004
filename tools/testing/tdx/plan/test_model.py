#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""test_model.py TDXPLAN TDX-REPLAY: the model of the TDX module takes the plan of every map, and not a plan that is wrong.

tdxplan plans, the TDMRs become the memory that TDH.SYS.CONFIG reads, tdx-replay gives it to the model. Ends with "N passed, N failed".
"""
import copy
import glob
import importlib.machinery
import importlib.util
import json
import os
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.realpath(os.path.join(HERE, "..", "..", "..", ".."))
MAPS = sorted(glob.glob(os.path.join(HERE, "maps", "*.txt")))
SYS_INIT, SYS_LP_INIT, SYS_CONFIG = 33, 35, 45
POINTERS, INFOS, INFO_STRIDE = 0x200000, 0x201000, 512
LPS = 2
REGISTERS = ("rax", "rcx", "rdx", "r8", "r9", "r10", "r11")
# Above the memory below 4 GiB of any of the machines: SYS.INIT wants them outside of CMRs
RANGES = {"seamrr": ["0xd0000000", "0x2000000"], "smrr": ["0xd2000000", "0x1000000"], "smrr2": ["0xd3000000", "0x1000000"]}

loader = importlib.machinery.SourceFileLoader("map_platform", os.path.join(TOP, "tools/tdx/scripts/map-platform"))
map_platform = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
loader.exec_module(map_platform)


def read_map(path):
    """(regions, CMRs) of a listing"""
    e820, nodes, cmrs = map_platform.parse(path)
    e820 = map_platform.whole_pages(e820) or map_platform.LOW
    cmrs = cmrs or map_platform.cmrs_of(e820)
    regions = [(int(m["base"], 0), int(m["base"], 0) + int(m["size"], 0), m["node"])
               for m in map_platform.memory_of(e820, nodes, cmrs) if m["type"] == "ram"]
    return [r for r in regions if r[0] >= 1 << 20], cmrs


def plan(tdxplan, regions, cmrs, options):
    text = json.dumps({"regions": [{"start": a, "end": b, "nid": n} for a, b, n in regions],
                       "cmrs": [{"start": a, "end": b} for a, b in cmrs]})
    done = subprocess.run([tdxplan, "--json", *options, "-"], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"test_model.py: tdxplan: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)["tdmrs"]


def info(tdmr):
    """TDMR_INFO as the module reads it; it has PAMTs from 1G to 4K, the plan from 4K to 1G"""
    words = [tdmr["base"], tdmr["size"]]
    for pamt in reversed(tdmr["pamt"]):
        words += [pamt["base"], pamt["size"]]
    for area in tdmr["reserved"]:
        words += [area["offset"], area["size"]]
    return struct.pack("<40Q", *words, *[0] * (40 - len(words)))


def scenario(name, tdmrs, cmrs):
    pointers = struct.pack(f"<{len(tdmrs)}Q", *[INFOS + i * INFO_STRIDE for i in range(len(tdmrs))])
    write = [[hex(POINTERS), pointers.hex()]] + [[hex(INFOS + i * INFO_STRIDE), info(t).hex()] for i, t in enumerate(tdmrs)]
    step = lambda lp, leaf, **regs: {"lp": lp, "leaf": leaf, "in": regs, "out": {r: regs.get(r, "0x0") for r in REGISTERS}}
    steps = [step(0, SYS_INIT), *[step(lp, SYS_LP_INIT) for lp in range(LPS)],
             step(0, SYS_CONFIG, rcx=hex(POINTERS), rdx=hex(len(tdmrs)), r8="0x20") | {"write": write}]
    return {"name": name, "cat": "plan", "steps": steps,
            "platform": {"lps": LPS, "packages": 1, "pa_width": 52, "mktme_keyids": 31, "tdx_keyids": 32, "quirks": RANGES,
                         "cmrs": [[hex(a), hex(b - a)] for a, b in cmrs]}}


def accepts(replay, one):
    """(whether TDH.SYS.CONFIG took it, what tdx-replay says)"""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as f:
        f.write(json.dumps(one) + "\n")
        f.flush()
        done = subprocess.run([replay, f.name], capture_output=True, text=True, check=False)
    return done.returncode == 0 and "1 passed, 0 failed" in done.stdout, done.stdout + done.stderr


def without_area(tdmrs):
    """The plan with a hole forgotten; None if it has no reserved areas"""
    wrong = copy.deepcopy(tdmrs)
    for tdmr in wrong:
        if tdmr["reserved"]:
            tdmr["reserved"].pop()
            return wrong
    return None


def main():
    tdxplan, replay = (os.path.abspath(path) for path in sys.argv[1:3])
    passed = failed = refused = 0
    for path in MAPS:
        regions, cmrs = read_map(path)
        name = os.path.splitext(os.path.basename(path))[0]
        for options in [], ["--nodes"], ["--nodes", "--cpus=8"], ["--nodes", "--cpus=64"]:
            tdmrs = plan(tdxplan, regions, cmrs, options)
            ok, output = accepts(replay, scenario(name, tdmrs, cmrs))
            wrong = without_area(tdmrs)
            if ok and wrong:
                taken, why = accepts(replay, scenario(name, wrong, cmrs))
                ok = not taken and "TDH.SYS.CONFIG (45): rax is 0xc000" in why
                output = f"without one of its reserved areas it is not refused: {why}"
                refused += ok
            passed += ok
            failed += not ok
            if not ok:
                print(f"FAILED {name} {' '.join(options)}: {output}")
    print(f"{len(MAPS)} maps; {refused} plans without an area were refused")
    print(f"model: {passed} passed, {failed} failed")
    return 1 if failed or not refused else 0


sys.exit(main())
