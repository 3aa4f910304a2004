# SPDX-License-Identifier: GPL-2.0-or-later
"""tdx-decode: arguments, lines of several kernels, JSON, exit status; its fuzzer for a while."""

import json
import os
import re
import subprocess
import sys

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../../.."))
sys.path.insert(0, os.path.join(TOP, "tools/tdx/scripts/tests"))

import test_messages  # noqa: E402

SHORT = [
    # What users asked about: code, leaf, what must be in the answer
    ("0xc000092100000122", "33", ["TDX_INCORRECT_MSR_VALUE", "MSR 0x122 IA32_TSX_CTRL", "BIOS update"]),
    ("0xc000090000000000", "33", ["TDX_INCORRECT_CPUID_VALUE", "old BIOS"]),
    ("0xc000050500000000", "34", ["TDX_SYS_NOT_READY", "older than 1.5", "update the TDX module"]),
    ("0xc000010000000045", "21", ["TDX_OPERAND_INVALID", "operand CPUID_CONFIG"]),
    ("0x8000ff00ffff0000", "33", ["no TDX module is loaded"]),
    ("0x8000ff000000000d", "33", ["BIOS setup", "0x1401"]),
    ("0x8000ff0000000006", "33", ["kvm_intel"]),
    # A guest's leaf can be tried again, whoever called it
    ("0x8000020200000000", "8", ["try again"]),
]

# What a kernel has tried again before it says so, and what TDX is lost with until the next boot
TRIED = {
    "TDH.SYS.KEY.CONFIG": ["0x8000080000000000", "0x8000020200000000", "0x80000200000000ba", "0x80000200000000bb"],
    "TDH.SYS.INFO": ["0x8000020200000000"],
    "TDH.SYS.INIT": ["0x8000020200000000", "0x8000020300000000"],
    "TDH.SYS.RD": ["0x8000020200000000"],
    "TDH.SYS.LP.INIT": ["0x8000020200000000", "0x8000020300000000"],
    "TDH.SYS.TDMR.INIT": ["0x8000020200000000", "0x8000020000000001"],
    "TDH.SYS.LP.SHUTDOWN": ["0x8000020200000000"],
    "TDH.SYS.CONFIG": ["0x8000020200000000"],
}

# Lines, what has to be in the JSON: leaf, cpu, status, errno; None: nothing found
LINES = [
    ("ours",
     "[    1.234567] tdx: TDH.SYS.INIT failed on CPU 94: TDX_INCORRECT_MSR_VALUE (0xc000092100000122): MSR 0x122 IA32_TSX_CTRL; firmware must set it",
     ("TDH.SYS.INIT", 94, "0xc000092100000122", None)),
    ("mainline", "[   12.1] virt/tdx: SEAMCALL (0x000000000000001f) failed: 0x8000080000000000",
     ("TDH.SYS.KEY.CONFIG", None, "0x8000080000000000", None)),
    ("mainline, P-SEAMLDR", "virt/tdx: SEAMCALL (0x8000000000000000) failed: 0x8000000000010000",
     ("SEAMLDR.INFO", None, "0x8000000000010000", None)),
    ("mainline, KVM", "kvm_intel: SEAMCALL TDH_MNG_KEY_CONFIG failed: 0x80000200000000bb, rcx 0x0000000123456000",
     ("TDH.MNG.KEY.CONFIG", None, "0x80000200000000bb", None)),
    ("early KVM", "kvm_intel: SEAMCALL[TDH_VP_ENTER] failed on cpu 7: TDX_OPERAND_BUSY (0x8000020000000080)",
     ("TDH.VP.ENTER", 7, "0x8000020000000080", None)),
    ("early trees", "tdx: SEAMCALL failed: CPU 3: leaf 33, error 0xc000050500000000.",
     ("TDH.SYS.INIT", 3, "0xc000050500000000", None)),
    ("early trees, leaf in hexadecimal", "tdx: SEAMCALL failed: leaf 0x21, error 0xc000090100000000",
     ("TDH.SYS.INIT", None, "0xc000090100000000", None)),
    ("status without a word that announces it", "TDX says 0xc000092100000122",
     (None, None, "0xc000092100000122", None)),
    ("status without 0x", "tdx: seamcall error c000092100000122",
     (None, None, "0xc000092100000122", None)),
    ("code of a newer module", "virt/tdx: SEAMCALL (0x21) failed: 0xc000099900000001",
     ("TDH.SYS.INIT", None, "0xc000099900000001", None)),
    ("errno", "virt/tdx: module initialization failed (-28)", (None, None, None, -28)),
    ("journal", "Nov 23 20:00:01 host kernel: virt/tdx: SEAMCALL (0x21) failed: 0xc000090000000000",
     ("TDH.SYS.INIT", None, "0xc000090000000000", None)),
    ("address after a failure", "tdx: failed at 0xffff888012345678: status 0xc000090000000000",
     (None, None, "0xc000090000000000", None)),
    ("register before the status", "tdx: rcx=0xc000092100000122 error: 0xc000090000000000",
     (None, None, "0xc000090000000000", None)),
    ("address that looks like a status", "tdx: memory at [0x100000000, 0x81500000000)", None),
    ("CMR that looks like a status", "tdx: CMR [0x100000000, 0x81500000000)", (None, None, None, None)),
    ("another driver", "nvme: failed: 0xc000092100000122", None),
    ("registers of an oops", "RCX: 0000000000000000 RDX: c000092100000122", None),
    ("no number", "tdx: all is well", None),
    ("number that is too long", "tdx: error 0x1c000092100000122", None),
    ("decimal number that is too long", "tdx: error 99999999999999999999999999", None),
    ("empty", "", None),
]

# Texts without a status: each has to be known, with this severity. Lines of this kernel, one of a kind
MESSAGES = [
    ("tdx: enabled by firmware: SEAMRR [0x7a000000, 0x7c000000), TDX KeyIDs [32, 64)", "good"),
    ("tdx: CPU 3 differs: MSR 0x1401 IA32_SEAMRR_PHYS_MASK is 0x0, on the boot CPU 0xc00; TDX is disabled if it is not in use already, firmware must set all CPUs alike, look for a BIOS update", "error"),
    ("tdx: not available: SEAMRR is not supported by the CPU, or firmware hides it (MSR 0xfe IA32_MTRRCAP = 0xd0a, bit 15 is 0)", "error"),
    ("tdx: not available: turned off by tdx_host=off on the command line", "error"),
    ("tdx: CPUs 2-3 have never been brought up, they may be unlike the others", "error"),
    ("tdx: cannot initialise the module: CPUs 2 are offline, it has to see every CPU once; bring them online and try again", "error"),
    ("tdx: cannot initialise the module: CPUs 1,3 are offline, it has to see every CPU once; SMT is off, echo on > /sys/devices/system/cpu/smt/control and try again", "error"),
    ("tdx: cannot initialise the module: CPUs 1,3 are offline, it has to see every CPU once; SMT is off until the next boot (nosmt=force, or forceoff in /sys/devices/system/cpu/smt/control)", "error"),
    ("tdx: no PAMT for [0x0, 0x40000000): no contiguous memory, and smaller TDMRs would not help; 4112 KiB in one piece are wanted, of node 0 or else of any: create the first TD early after boot, or free memory, compact it (/proc/sys/vm/drop_caches, compact_memory) and try again", "error"),
    ("tdx: memory [0x100000000, 0x140000000) of node 1 is in no CMR, TDX cannot use it but TDs might get it: take it offline and try again", "error"),
    ("tdx: out of memory for the plan of TDMRs: free memory and try again", "error"),
    ("tdx: module initialization failed (-11), the module is as it was; it can be tried again", "error"),
    ("tdx: module initialization failed (-5), the module is shut down; TDX can be used again after the next boot", "error"),
    ("tdx: CMR 2 follows an unused entry; unused entries belong at the end, skipped", "warning"),
    ("tdx: memory [0x180000000, 0x188000000) may not come online: the TDX module was initialised without it, TDs could not use it; it stays offline until the next boot", "warning"),
    ("tdx: CPU 5 was added after the module was initialised: it cannot run TDs until the next boot", "warning"),
    ("tdx: suspend to RAM (S3) is refused: the TDX module is in use, it and all TDs would be lost; use suspend to idle, or boot with tdx_host=off", "warning"),
    ("tdx: P-SEAMLDR 1.5.00, build 2 of 20230601", "good"),
    ("tdx: TDX module 1.5.01, build 698 of 20240129, features 0xf0fbf", "good"),
    ("tdx: initializing memory: 17 of 512 GiB done", "good"),
    ("tdx: 16448 KiB allocated for PAMT of 4 TDMRs, global KeyID 32", "good"),
    ("tdx: module initialized in 17 ms", "good"),
]

# Of other kernels
OTHER_MESSAGES = [
    ("virt/tdx: module initialized", "good"),
    ("virt/tdx: BIOS enabled: private KeyID range [16, 64)", "good"),
    ("virt/tdx: 1050636 KB allocated for PAMT", "good"),
    ("virt/tdx: module not loaded", "error"),
    ("virt/tdx: initialization failed: too few private KeyIDs available.", "error"),
    ("virt/tdx: initialization failed: Hibernation support is enabled", "error"),
    ("virt/tdx: initialization failed: TDMR [0x0, 0x40000000): reserved areas exhausted.", "error"),
    ("virt/tdx: initialization failed: TDMRs exhausted.", "error"),
    ("virt/tdx: consumed TDMRs reaching limit: 60 used out of 64", "warning"),
    ("virt/tdx: Disable ACPI S3. Turn off TDX in the BIOS to use ACPI S3.", "warning"),
    ("tdx: SEAMCALL failed: CPU 3 is not in VMX operation.", "error"),
    ("tdx: module initialization failed: see above", "error"),
]

# Formats that hold too little of a line to know it by: what they print
PRINTED = {
    "SEAMCALL (0x...) failed: 0x..., RCX 0x... RDX 0x... R8 0x... R9 0x... R10 0x... R11 0x...":
        ["tdx: SEAMCALL (0x21) failed: 0xc000092100000122, RCX 0x0 RDX 0x0 R8 0x0 R9 0x0 R10 0x0 R11 0x0"],
    "ADDR ... is ...":
        ["mce: [Hardware Error]: ADDR 12345000 is TDX private memory, metadata (PAMT) of the TDX module",
         "mce: [Hardware Error]: ADDR 12345000 is TDX private memory, a page of a TD"],
}

REGISTERS = """\
[    1.0] virt/tdx: SEAMCALL (0x0000000000000021) failed: 0xc000090000000000
[    1.0] virt/tdx: RCX 0xffffffff80000008 RDX 0x00000200000000ff R08 0x0000000000000000
[    1.0] virt/tdx: R09 0x0000020000000034 R10 0x0000000000000000 R11 0x1234567812345678
[    1.0] something else
[    2.0] virt/tdx: module initialization failed (-5)
"""

OURS = """\
[    1.0] tdx: TDH.SYS.INIT failed on CPU 2: TDX_INCORRECT_CPUID_VALUE (0xc000090000000000): CPUID 0x80000008 must have EAX & 0xff = 0x34
[    1.0] tdx: SEAMCALL (0x21) failed: 0xc000090000000000, RCX 0xffffffff80000008 RDX 0x200000000ff R8 0x0 R9 0x20000000034 R10 0x0 R11 0x0
[    2.0] tdx: SEAMCALL (0x21) failed: 0xc000090000000000
[    2.0] tdx: module initialization failed (-5), the module is shut down; TDX can be used again after the next boot
"""

FUZZ_RUNS = 30000


def decode(suite, *args, **kw):
    code, out, err = suite.run("tdx-decode", *args, **kw)
    return code, out, err


def summary(result):
    """(leaf, cpu, status, errno) of one object of the JSON."""
    return (result.get("leaf", {}).get("name"), result.get("cpu"), result.get("status", {}).get("value"),
            result.get("errno", {}).get("value"))


def test_codes(suite):
    for status, leaf, parts in SHORT:
        code, out, err = decode(suite, "--short", "--leaf", leaf, status)
        missing = [part for part in parts if part not in out]
        suite.check(f"{status} of leaf {leaf}", code == 0 and not missing and not err and out.count("\n") == 1,
                    f"{missing} not in {out}{err}")

    for leaf, statuses in TRIED.items():
        for status in statuses:
            out = decode(suite, "--short", "--leaf", leaf, status)[1]
            suite.check(f"{leaf} was tried often enough: {status}", out.endswith("; reboot, and try again\n"), out)

    for status, exit_status in (("0", 0), ("0xffffffffffffffff", 0), ("0xc0000999ffffffff", 1), ("18446744073709551615", 0)):
        code, out, err = decode(suite, status)
        suite.equal(f"exit status of {status}", (code, err), (exit_status, ""))
    suite.equal("errno", decode(suite, "-28")[1].split()[:3], ["error", "-28", "ENOSPC"])
    suite.equal("errno of a TD's ioctl", decode(suite, "-95")[1].split()[:3], ["error", "-95", "EOPNOTSUPP"])
    suite.equal("unknown errno", decode(suite, "-4095")[0], 1)
    suite.equal("errno 1 is no option", decode(suite, "-1")[1].split()[2], "EPERM")


def test_lines(suite):
    for name, line, expected in LINES:
        code, out, err = decode(suite, "--json", "-", stdin=line + "\n")
        results = json.loads(out)
        if expected is None:
            suite.equal(f"line: {name}", (code, results), (1, []))
            continue
        suite.equal(f"line: {name}", [summary(result) for result in results], [expected])
        suite.equal(f"line is repeated: {name}", results[0]["line"] if results else None, line)
        as_argument = decode(suite, "--json", line)
        suite.equal(f"argument: {name}", as_argument, (code, out, err))

    for line, severity in MESSAGES + OTHER_MESSAGES:
        results = json.loads(decode(suite, "--json", line)[1])
        suite.equal(f"message: {line}", [result["message"]["severity"] for result in results], [severity])


def test_kernel(suite):
    """All that this kernel says is known, and nothing that no kernel says any more."""
    said = {}
    for calls, severities in ((test_messages.ERRORS, ("warning", "error")), (test_messages.INFOS, ("good",))):
        for texts in (test_messages.sources, test_messages.added):
            said.update({text: severities for text in test_messages.said(calls, texts)})
    lines = {line: severities for text, severities in said.items()
             for line in PRINTED.get(text, ["tdx: " + text.replace("...", "1")])}
    results = {result["line"]: result for result in json.loads(decode(suite, "--json", *lines)[1])}
    for line, severities in lines.items():
        got = results.get(line, {})
        message = got.get("message", {})
        words = message.get("severity") in severities and (message["severity"] == "good" or message["advice"])
        suite.check(f"kernel says: {line}", words or got.get("status", {}).get("advice"), got or "not known")

    suite.equal("what formats print is said", [text for text in PRINTED if text not in said], [])
    for line, _ in MESSAGES:
        suite.check(f"is said by the kernel: {line}", any(test_messages.matches(text, line) for text in said), "by none of its messages")
    with open(os.path.join(TOP, "tools/tdx/decode/messages.c"), encoding="utf-8") as file:
        source = file.read()
    ours = source[source.index("/* Linux 6.1 with TDX"):source.index("/* Mainline Linux and")]
    for pattern in re.findall(r'^\t\t"([^"]+)", TDX_', ours, re.M):
        suite.check(f"row is for what the kernel says: {pattern}", any(pattern in line for line in lines), "no such message")


def test_stream(suite):
    code, out, _ = decode(suite, "--json", "-", stdin=REGISTERS)
    results = json.loads(out)
    suite.equal("lines of a stream", [summary(result) for result in results],
                [("TDH.SYS.INIT", None, "0xc000090000000000", None), (None, None, None, -5)])
    suite.equal("registers explain the status", results[0]["status"]["detail"],
                "CPUID 0x80000008 must have EAX & 0xff = 0x34 EBX & 0x200 = 0x200")
    suite.equal("exit status of a stream", code, 0)

    code, out, _ = decode(suite, "--json", "-", stdin=OURS)
    results = json.loads(out)
    suite.equal("lines of this kernel", [summary(result) for result in results],
                [("TDH.SYS.INIT", 2, "0xc000090000000000", None), ("TDH.SYS.INIT", None, "0xc000090000000000", None), (None, None, None, -5)])
    suite.equal("its registers explain the status", results[0]["status"]["detail"],
                "CPUID 0x80000008 must have EAX & 0xff = 0x34 EBX & 0x200 = 0x200")

    code, out, _ = decode(suite, "-", stdin="tdx: error 0xc000092100000122\r\n")
    suite.equal("a serial console's end of line", out.splitlines()[0], "tdx: error 0xc000092100000122")

    lone = "virt/tdx: RCX 0x1 RDX 0x2 R08 0x3\n"
    suite.equal("registers without a status", decode(suite, "--json", "-", stdin=lone)[:2], (1, "[]\n"))

    code, out, _ = decode(suite, "-", stdin="tdx: \x1b[31m error 0xc000092100000122 \x00\x07\"")
    suite.check("control characters do not reach the terminal", code == 0 and not set(out) & set("\x1b\x00\x07"), out)
    code, out, _ = decode(suite, "--json", "-", stdin="tdx: \x1b\x80\xff\"\\ error 0xc000092100000122")
    suite.equal("bytes in JSON", json.loads(out)[0]["line"], "tdx: ?\x80\xff\"\\ error 0xc000092100000122")

    long = "tdx: " + "x" * 200000 + " error 0xc000092100000122"
    suite.equal("long line", summary(json.loads(decode(suite, "--json", "-", stdin=long)[1])[0])[2], "0xc000092100000122")


def test_usage(suite):
    suite.equal("help", decode(suite, "--help")[0], 0)
    for name, args in (("no argument", ()), ("unknown option", ("--x",)), ("leaf is missing", ("--leaf",)),
                       ("unknown leaf", ("--leaf", "TDH.NO", "0")), ("options only", ("--json",))):
        code, out, err = decode(suite, *args)
        suite.check(f"usage: {name}", code == 2 and not out and "tdx-decode" in err, f"{code} {out} {err}")
    suite.check("unknown leaf: the message says what to give", "TDH.NO: no leaf" in decode(suite, "--leaf", "TDH.NO", "0")[2]
                and "TDH.SYS.INIT" in decode(suite, "--leaf", "TDH.NO", "0")[2])

    status = "0xc000050500000000"
    first = decode(suite, "--short", "--leaf", "TDH.SYS.RD", status, "-28")
    for args in ((status, "-28", "--short", "--leaf", "TDH.SYS.RD"), (status, "-s", "-28", "--leaf=34"), ("-s", "-l", "34", "--", status, "-28")):
        suite.equal(f"options anywhere: {args}", decode(suite, *args), first)
    suite.equal("unknown option behind a code", (*decode(suite, status, "--shrt")[:2], "--shrt: no such option" in decode(suite, status, "--shrt")[2]),
                (2, "", True))
    suite.equal("leaf is missing behind a code", decode(suite, status, "--leaf")[:2], (2, ""))

    for bad in ("0xzz", "0x1c000092100000122", "nvme: failed: 0xc000092100000122", "", "TDX_NO", "\x1b[31m"):
        shown = '"' + bad.replace("\x1b", "?") + '" is no status and no log line about TDX: give 0x'
        for args in ((bad,), (status, bad), (bad, status), ("--json", bad, status), ("--", bad, "--short")):
            code, out, err = decode(suite, *args)
            suite.check(f"bad argument: {args}", code == 1 and shown in err and "\x1b" not in err and (status in args) == (status in out),
                        f"{code} {out} {err}")
    suite.check('"--" ends options', '"--short" is no status' in decode(suite, status, "--", "--short")[2])
    code, out, err = decode(suite, status, "-", stdin="nothing")
    suite.equal("nothing on standard input", (code, status in out, err), (1, True, "tdx-decode: standard input: nothing about TDX found\n"))
    suite.equal("leaf by any name", [decode(suite, "-s", "-l", leaf, "0xc000050500000000")[1].split()[0] for leaf in
                                     ("TDH.SYS.RD", "tdh_sys_rd", "34", "0x22")], ["TDH.SYS.RD"] * 4)
    with open("/dev/full", "w", encoding="ascii") as full:
        program = os.path.join(suite.out, "san", "tdx-decode")
        result = subprocess.run([program, "0"], stdout=full, stderr=subprocess.PIPE, check=False)
    suite.check("standard output is full", result.returncode == 2 and b"No space" in result.stderr, result.stderr)


def test_fuzz(suite):
    program = os.path.join(suite.out, "fuzz-decode")
    here = os.path.dirname(os.path.abspath(__file__))
    result = subprocess.run([program, f"-runs={FUZZ_RUNS}", "-seed=1", "-max_len=400",
                             f"-dict={here}/decode.dict", f"-artifact_prefix={suite.out}/"],
                            capture_output=True, check=False)
    suite.check(f"{FUZZ_RUNS} random lines", result.returncode == 0, result.stderr.decode(errors="replace")[-2000:])


def run(suite):
    test_codes(suite)
    test_lines(suite)
    test_kernel(suite)
    test_stream(suite)
    test_usage(suite)
    test_fuzz(suite)
