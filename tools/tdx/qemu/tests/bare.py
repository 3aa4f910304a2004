#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bare.py [-v] [CASE...]: the platform without an operating system. Ends with "N passed, N failed".

Each case boots one test of bare/ on a small platform and looks at its lines (ok, not ok), at what the checker found, and at how QEMU
ended. A finding that the case does not name is a failure, and so is one that it names and that does not come.
"""
import concurrent.futures
import copy
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.realpath(os.path.join(HERE, "..", "..", "..", ".."))
BUILD = os.path.join(TOP, "build", "bare")
GIB = 1 << 30

PLATFORM = {
    "name": "bare", "description": "for tests without an operating system",
    "lps": 4, "packages": 2, "pa_width": 52, "mktme_keyids": 31, "tdx_keyids": 32, "nodes": 1,
    "cmrs": [[4 * GIB, 4 * GIB]],
    "memory": [{"base": 0, "size": 0xa0000, "node": 0, "type": "ram"}, {"base": 1 << 20, "size": GIB - (1 << 20), "node": 0, "type": "ram"},
               {"base": 4 * GIB, "size": 4 * GIB, "node": 0, "type": "ram"}],
}


class Case:
    def __init__(self, test, findings=(), output=(), exit_status=0, ends=True, stats=None, name=None, least_ns=None,
                 most_cpu=None, kernel="bare.elf", vmlinux=None, slow_clock=1, wants=("stats", "findings"), **machine):
        self.test = test
        self.name = name or test
        self.machine = machine
        self.findings = findings        # regular expressions, each must match one or more of the findings, and each finding one of them
        self.output = output            # regular expressions that must match somewhere in the output
        self.exit_status = exit_status
        self.ends = ends                # the test comes to its end
        self.stats = stats or {}
        self.most_cpu = most_cpu        # seconds of the host's CPUs, at most
        self.kernel, self.vmlinux = kernel, vmlinux
        self.slow_clock = slow_clock
        self.wants = wants              # what the platform writes
        self.least_ns = least_ns or {}  # leaf: time from the begin of its first call to the end of the last one, at least


CLOCKS = {"latency_ns": {"TDH.SYS.LP.SHUTDOWN": 100000000}, "least_ns": {"TDH.SYS.LP.SHUTDOWN": 100000000}}
BUSY = {"leaf": "TDH.SYS.LP.SHUTDOWN", "lp": "any", "nth": 1, "count": 0, "status": "TDX_SYS_BUSY"}

CASES = [
    Case("vmx"),
    Case("init-blocked"),
    Case("keyid"),
    Case("msrs", output=[rf"msr 87 on CPU {i}: 200000001f" for i in range(4)]),
    Case("msrs", name="msrs-quirk", quirks={"msr": [[2, 0x87, 0x100000002f], [3, 0x1401, "0xffffffe000400"]]},
         output=[r"msr 87 on CPU 1: 200000001f", r"msr 87 on CPU 2: 100000002f", r"msr 1401 on CPU 3: ffffffe000400"]),
    Case("no-seamrr", seamrr={"supported": False}),
    Case("movdir64b"),
    Case("code-writes"),
    Case("triple-fault", ends=False, output=[r"tdx-platform: CPU 0, RIP 0x\w+ \(triple_fault(\+0x\w+)?\): triple fault, by exception 13, CR2 0x0:"]),
    Case("modes", findings=[r"^lp-init: CPU 0"]),
    Case("rbp-lost", module={"no_rbp_mod": False}),
    Case("seamrr-off", seamrr={"enabled": False}),
    Case("seamrr-off-lp1", quirks={"msr": [[1, 0x1401, "0xffffffe000400"]]}, ends=False,
         output=[r"exception 13 at [0-9a-f]+ on CPU 1, error code 0"]),
    Case("init", name="e820-full", ends=False, exit_status=1,
         output=[r"the memory has 31 ranges of RAM, and the BIOS has room for 26"],
         memory=[{"base": 0, "size": 0xa0000}, *[{"base": (n + 1) << 20, "size": 0x80000} for n in range(30)]]),
    Case("no-module", module={"loaded": False}, stats={"state": "NOT_LOADED"}),
    Case("seamldr"),
    Case("init", stats={"state": "READY"}),
    Case("init", name="init-1cpu", lps=1, packages=1, stats={"state": "READY"}),
    Case("latency", latency_ns={"TDH.SYS.LP.SHUTDOWN": 50000000}, least_ns={"TDH.SYS.LP.SHUTDOWN": 150000000}, findings=[r"^lp-init: CPU 0"]),
    Case("wait", latency_ns={"TDH.SYS.LP.SHUTDOWN": 4 * 10 ** 9}, least_ns={"TDH.SYS.LP.SHUTDOWN": 4 * 10 ** 9}, most_cpu=3),
    Case("clocks", **CLOCKS),
    Case("clocks", name="clocks-slow", slow_clock=16, **CLOCKS),
    Case("fatal", faults=[{"leaf": "TDH.SYS.INIT", "lp": "any", "nth": 1, "count": 1, "status": "FATAL"}], ends=False,
         output=[r"the TDX module stopped with a fatal error"], stats={"state": "STOPPED"}),
] + [
    # The host-rule checker: who breaks a rule, and who does not
    Case("flush-none", findings=[rf"^flush: CPU {c}, RIP 0x\w+ \(seamcall\+0x\w+\), address 0x140000000: PAMT .*"
                                 r"since CPU 0 wrote there \(3 pages, the last at 0x140100000\)" for c in range(4)]),
    Case("flush-one", findings=[rf"^flush: CPU {c}, " for c in (1, 2, 3)]),
    Case("flush-all"),
    Case("flush-early"),
    Case("flush-then-store", findings=[rf"^flush: CPU {c}, .*, address 0x140003000: .*since CPU 2 wrote there \(1 pages" for c in range(4)]),
    Case("td-page", findings=[r"^flush: CPU \d, .*, address 0x101000000: TDR", r"^flush: CPU \d, .*, address 0x101002000: TDR",
                              r"^flush: CPU \d, .*, address 0x101003000: TDR", r"^flush: CPU \d, .*, address 0x101004000: TDR"]),
    Case("tdcx-page", findings=[r"^flush: CPU \d, .*, address 0x101001000: TD page .*since CPU 0 wrote there",
                                r"^flush: CPU \d, .*, address 0x101002000: TD page .*since DMA wrote there",
                                r"^host-write: CPU 0, .*, address 0x101004000: a store to a page of the module$"]),
    Case("host-write", findings=[rf"^host-write: CPU 0, RIP 0x\w+ \(store_kinds\+0x\w+\), address 0x1400{n:02x}100: a store to a page of the module$"
                                 for n in range(1, 13)] +
         [r"^host-write: CPU 0, RIP .*, address 0x14000d(ff\w|000):", r"^host-write: CPU 0, RIP .*, address 0x14000e000:",
          r"^host-write: CPU 1, RIP 0x\w+ \(store\+0x\w+\), address 0x140014100:"]),
    Case("td-write", findings=[r"^host-write: CPU 0, RIP 0x\w+ \(store\+0x\w+\), address 0x101000008: a store to a page of the module$"]),
    Case("dma-write", findings=[r"^host-write: no CPU, address 0x140006fc0: DMA", r"^host-write: no CPU, address 0x140007000: DMA"]),
    Case("dma-write", name="dma-write-nodes", nodes=2, findings=[r"^host-write: no CPU, address 0x140006fc0: DMA", r"^host-write: no CPU, address 0x140007000: DMA"],
         memory=[{**m, "node": int(m["base"] >= GIB)} for m in PLATFORM["memory"]]),
    Case("host-write-rdmd", findings=[r"^host-write: CPU 0, RIP 0x\w+ \(store\+0x\w+\), address 0x140000000: .*called again"]),
    Case("host-write-later", findings=[r"^host-write: CPU 3, RIP 0x\w+ \(store\+0x\w+\), address 0x140001000: .*called again"]),
    Case("host-write-before-key", findings=[r"^host-write: CPU 0, RIP .*, address 0x140001000: .*called again"]),
    Case("take-back"),
    Case("take-back-early"),
    Case("after-shutdown"),
    Case("after-lp-shutdown", module={"kind": "1.0"}),
    Case("unconverted-load", erratum_partial_write=True,
         findings=[r"^conversion: CPU 0, RIP 0x\w+ \(load\+0x\w+\), address 0x140002048: a load from"]),
    Case("unconverted-store", erratum_partial_write=True, findings=[r"^conversion: CPU 0, RIP .* \(store\+0x\w+\), address 0x140009000: a store to"]),
    Case("unconverted-take-back", erratum_partial_write=True, findings=[r"^conversion: CPU 0, .*, address 0x140001000: a store to"]),
    Case("converted", erratum_partial_write=True),
    Case("converted-take-back", erratum_partial_write=True),
    Case("reclaimed"),
    Case("reclaimed", name="reclaimed-unconverted", erratum_partial_write=True,
         findings=[r"^conversion: CPU 0, RIP .* \(store\+0x\w+\), address 0x101000000: a store to",
                   r"^conversion: no CPU, address 0x101001000: DMA to"]),
    Case("reclaimed-converted", erratum_partial_write=True),
    Case("converted-later", erratum_partial_write=True,
         findings=[r"^host-write: CPU 0, RIP 0x\w+ \(convert\+0x\w+\), address 0x140[04]0[02]000: .*called again"]),
    Case("converted-twice", erratum_partial_write=True, findings=[r"^conversion: CPU 0, RIP .* \(load\+0x\w+\), address 0x101000000: a load from"]),
    Case("init-dirty", findings=[r"^private-lines: CPU 1, .*: INIT"]),
    Case("init-clean"),
    Case("off-dirty", findings=[r"^private-lines: CPU 0: power-off"]),
    Case("off-dirty", name="checker-off", checker=False, wants=("stats",)),
    Case("off-dirty", name="checker-off-findings", checker=False, ends=False, exit_status=1,
         output=[r'platform\.json: "checker" is false, so nobody would find anything: leave findings= out']),
    Case("init", name="hostile-trace", hostile=7, wants=("stats", "findings", "trace"), ends=False, exit_status=1,
         output=[r'platform\.json: "hostile" makes up answers']),
    Case("init", name="lies-trace", hostile={"MAX_TDMRS": 0}, wants=("stats", "findings", "trace"), ends=False, exit_status=1,
         output=[r'platform\.json: "hostile" makes up answers']),
    Case("init-written-back"),
    Case("off-not-written-back", findings=[r"^private-lines: CPU 0: power-off"]),
    Case("reset-dirty", ends=False, findings=[r"^private-lines: CPU 0: reset"]),
    Case("reset-clean", ends=False),
    Case("kexec-dirty", findings=[r"^private-lines: CPU 0, RIP 0x\w+ \(new_kernel\+0x\w+\): a new kernel"]),
    Case("kexec-clean"),
    Case("reserved-rax", findings=[r"^reserved-rax: CPU 0, RIP .*\(seamcall.*RAX 0x100002c, of which 0x1000000"]),
    Case("reserved-rax-seamldr", findings=[r"^reserved-rax: CPU 0, RIP .*RAX 0x8000000000010000, of which 0x10000 is"]),
    Case("reserved-rax", name="symbols-none", kernel="bare.stripped.elf", findings=[r"^reserved-rax: CPU 0, RIP 0x\w+ \(\?\): "],
         output=[r"no symbols: \S*/bare\.stripped\.elf is no 64-bit ELF file with a symbol table"]),
    Case("reserved-rax", name="symbols-of-vmlinux", kernel="bare.stripped.elf", vmlinux="bare.elf",
         findings=[r"^reserved-rax: CPU 0, RIP 0x\w+ \(seamcall\+0x\w+\): "]),
    Case("busy-storm", faults=[BUSY], findings=[r"^busy-storm: CPU 0, .*more than 1000 "]),
    Case("busy-often", faults=[BUSY]),
    Case("injected", faults=[{"leaf": "TDH.MNG.CREATE", "nth": n, "count": 1, "status": s} for n, s in ((1, "TDX_SYS_LP_INIT_NOT_DONE"), (2, 0))]),
    Case("test-reset", test_interface=True,
         output=[r"^td 0x101000000: ok$", r"^reset: ok$", r"^state: ok state=READY .*findings=0 pages=1028$", r"^state: ok state=PENDING .* pages=0$"]),
    Case("no-lp-init", findings=[r"^lp-init: CPU 0, .*leaf 34"]),
]


def wrong_times(case, stats):
    """The times of leaves: of those that were called, within the run, and as long as the case says."""
    times = stats.get("leaf_times")
    calls = {**stats.get("seamcalls", {}), **({"SEAMLDR": stats["seamldr_calls"]} if stats.get("seamldr_calls") else {})}
    if not stats and case.exit_status:
        return []
    if times is None or {leaf: t["calls"] for leaf, t in times.items()} != calls:
        return [f"times {times} of calls {calls}"]
    wrong = [f"{leaf}: from {t['first_ns']} to {t['last_ns']} ns" for leaf, t in times.items()
             if not 0 < t["first_ns"] < t["last_ns"] < stats["seconds"] * 1e9]
    spans = {leaf: t["last_ns"] - t["first_ns"] for leaf, t in times.items()}
    return wrong + [f"{leaf} took {spans.get(leaf)} ns in all" for leaf, ns in case.least_ns.items() if spans.get(leaf, 0) < ns]


def wrong_clocks(case, lines):
    """A time that the machine measured against the time that passed here; a busy host reads lines late."""
    wrong, begin = [], None
    for at, line in lines:
        if line == "clock begins":
            begin = at
        elif line.startswith("clock "):
            us, here = int(line.split()[1]), (at - begin) * 1e6
            if abs(here - us * case.slow_clock) > 200000 + 0.1 * us * case.slow_clock:
                wrong.append(f"{us} us of the machine took {here:.0f} us, {here / us:.1f} times as long, not {case.slow_clock}")
    return wrong


def execute(command, seconds, **kwargs):
    """(exit status, None: it did not end; [(time, line)] of its output)"""
    lines = []
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kwargs) as proc:
        late = threading.Timer(seconds, proc.kill)
        late.start()
        for line in proc.stdout:
            lines.append((time.monotonic(), line.decode(errors="replace").rstrip("\r\n")))
        status = proc.wait()
        ended = late.is_alive()
        late.cancel()
    return status if ended else None, lines


def cpu_seconds():
    """Of all that has run"""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(case, verbose):
    """Returns a list of what is wrong."""
    machine = copy.deepcopy(PLATFORM)
    machine.update(case.machine)
    with tempfile.TemporaryDirectory(prefix="tdx-bare.") as tmp:
        path = lambda name: os.path.join(tmp, name)
        with open(path("platform.json"), "w", encoding="utf-8") as f:
            json.dump(machine, f)
        command = [os.path.join(TOP, "tools/tdx/tdx-boot"), path("platform.json"), "--kernel", os.path.join(BUILD, case.kernel),
                   "--raw-append", case.test, *(a for name in case.wants for a in ("--" + name, path(name))),
                   "--slow-clock", str(case.slow_clock), "--qemu-arg=-device", "--qemu-arg=edu,dma_mask=0xffffffffffff"]
        if case.vmlinux:
            command += ["--vmlinux", os.path.join(BUILD, case.vmlinux)]
        cpu = cpu_seconds()
        # What is freed does not look as before
        status, lines = execute(command, 60, env={**os.environ, "MALLOC_PERTURB_": "165"})
        cpu = cpu_seconds() - cpu
        text = "".join(line + "\n" for _, line in lines)
        if status is None:
            return ["no end within 60 s; output: " + text[-2000:]]
        if verbose:
            print(text)
        wrong = [line for line in text.splitlines() if line.startswith("not ok") and (case.ends or "exception" not in line)]
        if not re.search(r"^ok \d", text, re.M) and case.ends:
            wrong.append("no result at all")
        if (f"end of {case.test}" in text) != case.ends:
            wrong.append("the test did not come to its end" if case.ends else "the test came to its end")
        if status != case.exit_status:
            wrong.append(f"exit status {status}")
        if case.most_cpu is not None and cpu > case.most_cpu:
            wrong.append(f"{cpu:.1f} s of the host's CPUs, not {case.most_cpu} s at most")
        if verbose:
            print(f"{cpu:.2f} s of the host's CPUs")
        for pattern in case.output:
            if not re.search(pattern, text, re.M):
                wrong.append(f"no output that matches {pattern!r}")
        stats = json.load(open(path("stats"), encoding="utf-8")) if os.path.exists(path("stats")) else {}
        for key, value in case.stats.items():
            if stats.get(key) != value:
                wrong.append(f"{key} is {stats.get(key)!r}, not {value!r}")
        wrong += wrong_times(case, stats) + wrong_clocks(case, lines)
        found = open(path("findings"), encoding="utf-8").read().splitlines() if os.path.exists(path("findings")) else []
        for line in found:
            if not any(re.search(p, line) for p in case.findings):
                wrong.append(f"unexpected finding: {line}")
        for pattern in case.findings:
            if not any(re.search(pattern, line) for line in found):
                wrong.append(f"no finding that matches {pattern!r}")
        if stats.get("findings", 0) != len(found):
            wrong.append(f"{len(found)} findings in the file, {stats.get('findings')} counted")
        return wrong if not wrong or verbose else wrong + ["output: " + text[-1500:]]


def in_order(cases, verbose):
    """(case, what is wrong), beside each other but those that have a whole CPU and the clock for themselves"""
    alone = [c for c in cases if verbose or c.least_ns or c.test == "clocks"]
    for case in alone:
        yield case, run(case, verbose)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(lambda case: (case, run(case, verbose)), [c for c in cases if c not in alone])


def main():
    names = [a for a in sys.argv[1:] if a != "-v"]
    verbose = "-v" in sys.argv[1:]
    unknown = set(names) - {c.name for c in CASES}
    if unknown:
        print(f"bare.py: no case {', '.join(sorted(unknown))}; there are: {' '.join(c.name for c in CASES)}", file=sys.stderr)
        return 2
    subprocess.run(["make", "-s", "-C", os.path.join(HERE, "bare"), "O=" + BUILD], check=True)
    passed = failed = 0
    cases = [c for c in CASES if not names or c.name in names]
    for case, wrong in in_order(cases, verbose):
        print(f"{'not ok' if wrong else 'ok'} - {case.name}", flush=True)
        for line in wrong:
            print("    " + line.replace("\n", "\n    "))
        failed += bool(wrong)
        passed += not wrong
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
