# SPDX-License-Identifier: GPL-2.0-or-later
"""tdx-decode: arguments, lines of several kernels, JSON, exit status; its fuzzer for a while."""

import json
import os
import subprocess

SHORT = [
    # What users asked about: code, leaf, what must be in the answer
    ("0xc000092100000122", "33", ["TDX_INCORRECT_MSR_VALUE", "MSR 0x122 IA32_TSX_CTRL", "BIOS update"]),
    ("0xc000090000000000", "33", ["TDX_INCORRECT_CPUID_VALUE", "old BIOS"]),
    ("0xc000050500000000", "34", ["TDX_SYS_NOT_READY", "older than 1.5", "update the TDX module"]),
    ("0xc000010000000045", "21", ["TDX_OPERAND_INVALID", "operand CPUID_CONFIG"]),
    ("0x8000ff00ffff0000", "33", ["no TDX module is loaded"]),
    ("0x8000ff000000000d", "33", ["BIOS setup", "0x1401"]),
    ("0x8000ff0000000006", "33", ["kvm_intel"]),
]

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
    ("address that looks like a status", "tdx: CMR [0x100000000, 0x81500000000)", None),
    ("another driver", "nvme: failed: 0xc000092100000122", None),
    ("registers of an oops", "RCX: 0000000000000000 RDX: c000092100000122", None),
    ("no number", "tdx: all is well", None),
    ("number that is too long", "tdx: error 0x1c000092100000122", None),
    ("decimal number that is too long", "tdx: error 99999999999999999999999999", None),
    ("empty", "", None),
]

# Texts without a status: each has to be known, with this severity
MESSAGES = [
    ("tdx: enabled by firmware: SEAMRR [0x7a000000, 0x7c000000), TDX KeyIDs [32, 64)", "good"),
    ("tdx: [Firmware Bug]: CPU 3 differs: MSR 0x1401 IA32_SEAMRR_PHYS_MASK is 0x0, on the boot CPU 0xc00; TDX is disabled", "error"),
    ("tdx: not available: SEAMRR is not supported by the CPU, or firmware hides it (MSR 0xfe IA32_MTRRCAP = 0xd0a, bit 15 is 0)", "error"),
    ("tdx: not available: SEAMRR is not locked by firmware (MSR 0x1401 IA32_SEAMRR_PHYS_MASK = 0x0, bit 10 is 0)", "error"),
    ("tdx: not available: SEAMRR is not enabled by firmware (MSR 0x1401 IA32_SEAMRR_PHYS_MASK = 0x400, bit 11 is 0)", "error"),
    ("tdx: not available: SEAMRR is not given a size by firmware (MSR 0x1401 IA32_SEAMRR_PHYS_MASK = 0xc00, bits 51 to 25 are 0)", "error"),
    ("tdx: not available: too few TDX KeyIDs, 1 where 2 are needed (MSR 0x87 IA32_MKTME_KEYID_PARTITIONING = 0x1)", "error"),
    ("tdx: not available: no TDX module is loaded by firmware: check the BIOS setup", "error"),
    ("tdx: not available: turned off by tdx_host=off on the command line", "error"),
    ("tdx: CPUs 2-3 have never been brought up, they may be unlike the others", "error"),
    ("tdx: cannot initialise the module: CPUs 2 are offline, it has to see every CPU once; bring them online and try again", "error"),
    ("tdx: no contiguous memory of 4112 KiB for the PAMT of [0x0, 0x40000000) on node 0", "error"),
    ("tdx: memory [0x100000000, 0x140000000) of node 1 is in no CMR, TDX cannot use it", "error"),
    ("tdx: out of memory for the plan of TDMRs: free memory and try again", "error"),
    ("tdx: module initialization failed (-11), the module is as it was; it can be tried again", "error"),
    ("tdx: module initialization failed (-5), the module is shut down; TDX can be used again after the next boot", "error"),
    ("tdx: initializing memory: 17 of 512 GiB done", "good"),
    ("tdx: 16448 KiB allocated for PAMT of 4 TDMRs, global KeyID 32", "good"),
    ("tdx: module initialized in 17 ms", "good"),
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
    ("tdx: module initialization failed: see above", "error"),
]

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

    for status, exit_status in (("0", 0), ("0xffffffffffffffff", 0), ("0xc0000999ffffffff", 1), ("18446744073709551615", 0)):
        code, out, err = decode(suite, status)
        suite.equal(f"exit status of {status}", (code, err), (exit_status, ""))
    suite.equal("errno", decode(suite, "-28")[1].split()[:3], ["error", "-28", "ENOSPC"])
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

    for line, severity in MESSAGES:
        results = json.loads(decode(suite, "--json", line)[1])
        suite.equal(f"message: {line}", [result["message"]["severity"] for result in results], [severity])


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
    test_stream(suite)
    test_usage(suite)
    test_fuzz(suite)
