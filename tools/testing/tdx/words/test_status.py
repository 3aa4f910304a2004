# SPDX-License-Identifier: GPL-2.0-or-later
"""tdx-status on copies of hosts: a good one, and each thing broken."""

import errno
import json
import os
import random
import re
import resource
import shutil
import sys
import tempfile

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../../.."))
sys.path.insert(0, os.path.join(TOP, "tools/tdx/scripts/tests"))

import test_messages  # noqa: E402

SEAMRR_MASK = (1 << 52) - 0x2000000

GOOD_MSRS = {
    0x3A: 0x10005,
    0x87: 32 << 32 | 31,
    0xA0: 0,
    0xFE: 0xFD0A,
    0x981: 0x7F700000007,
    0x982: 3 | 6 << 32 | 5 << 36 | 3 << 48,
    0x1400: 0x7A000000 | 8,
    0x1401: SEAMRR_MASK | 0xC00,
}

FLAGS = "fpu vme tme vmx movdir64b"


class Machine:
    """What a tree of files is made of."""

    def __init__(self):
        self.cpus = 4
        self.online = "0-3"
        self.vendor = "GenuineIntel"
        self.flags = FLAGS
        self.address_bits = 46
        self.microcode = {}
        self.stepping = {}
        self.msrs = {cpu: dict(GOOD_MSRS) for cpu in range(self.cpus)}
        self.files = {
            "sys/class/dmi/id/sys_vendor": "ACME\n",
            "sys/class/dmi/id/product_name": "Server 1\n",
            "sys/class/dmi/id/bios_version": "1.2.3\n",
            "sys/class/dmi/id/bios_date": "01/02/2024\n",
            "sys/devices/system/cpu/present": f"0-{self.cpus - 1}\n",
            "proc/sys/kernel/osrelease": "6.1.192\n",
            "proc/cmdline": "root=/dev/sda1 quiet\n",
            "boot/config-6.1.192": "#\n# Linux\n#\nCONFIG_INTEL_TDX_HOST=y\n",
            "sys/module/kvm_intel/parameters/tdx": "Y\n",
            "sys/firmware/tdx/state": "loaded\n",
            "sys/firmware/tdx/last_error": "none\n",
            "dev/kmsg": "[    0.1] Linux version 6.1.192\n[    0.2] tdx: enabled by firmware: SEAMRR [0x7a000000, 0x7c000000), TDX KeyIDs [32, 64)\n",
        }

    def set_msr(self, msr, value, cpus=None):
        for cpu in cpus if cpus is not None else self.msrs:
            self.msrs[cpu][msr] = value
        return self

    def drop_msr(self, msr):
        for msrs in self.msrs.values():
            del msrs[msr]
        return self

    def file(self, name, text):
        self.files[name] = text
        return self

    def drop(self, *prefixes):
        self.files = {name: text for name, text in self.files.items() if not name.startswith(prefixes)}
        return self

    def log(self, *lines):
        self.files["dev/kmsg"] = "".join(f"[    {i}.000000] {line}\n" for i, line in enumerate(lines))
        return self

    def set(self, **values):
        for name, value in values.items():
            setattr(self, name, value)
        return self

    def write(self, root):
        cpuinfo = ""
        for cpu in range(self.cpus):
            cpuinfo += (f"processor\t: {cpu}\nvendor_id\t: {self.vendor}\ncpu family\t: 6\nmodel\t\t: 143\n"
                        f"model name\t: Intel(R) Xeon(R) Test\nstepping\t: {self.stepping.get(cpu, 8)}\n"
                        f"microcode\t: {self.microcode.get(cpu, '0x2b000590')}\n"
                        f"flags\t\t: {self.flags}\naddress sizes\t: {self.address_bits} bits physical, 57 bits virtual\n\n")
        files = {"proc/cpuinfo": cpuinfo, "sys/devices/system/cpu/online": self.online + "\n", **self.files}
        for cpu, msrs in self.msrs.items():
            files[f"dev/cpu/{cpu}/msr"] = "".join(f"{msr:#x} {value:#x}\n" for msr, value in msrs.items())
        for name, text in files.items():
            path = os.path.join(root, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="latin-1") as file:
                file.write(text)


def mainline(machine, *log):
    """A kernel that shows TDX in its log only."""
    return machine.drop("sys/firmware").log("virt/tdx: BIOS enabled: private KeyID range [32, 64)", *log)


READY, AVAILABLE, BROKEN, ABSENT, UNKNOWN = range(5)

# What is broken, how, exit status, ids of the findings in their order, words of the first one
CASES = [
    ("good host", lambda m: m, AVAILABLE, [], ""),
    ("initialised", lambda m: m.file("sys/firmware/tdx/state", "initialized\n"), READY, [], ""),
    ("initialised in spite of an earlier error",
     lambda m: m.file("sys/firmware/tdx/state", "initialized\n").file("sys/firmware/tdx/last_error", "TDH.SYS.INIT failed on CPU 0: TDX_SYS_BUSY (0x8000020200000000)\n"),
     READY, [], ""),
    ("AMD", lambda m: m.set(vendor="AuthenticAMD"), ABSENT, ["cpu-vendor"], "AuthenticAMD"),
    ("no VMX", lambda m: m.set(flags="fpu tme movdir64b"), BROKEN, ["vmx-off"], "VMX"),
    ("no MOVDIR64B", lambda m: m.set(flags="fpu tme vmx movdir64b2"), AVAILABLE, ["movdir64b-off"], "MOVDIR64B"),
    ("VMX locked off", lambda m: m.set_msr(0x3A, 1), BROKEN, ["vmx-locked-off"], "0x3a"),
    ("VMX not locked", lambda m: m.set_msr(0x3A, 0), AVAILABLE, [], ""),
    ("CPU without SEAM", lambda m: m.set_msr(0xFE, 0x7D0A), ABSENT, ["cpu-without-seam"], "bit 15 is 0"),
    ("CPU without TME", lambda m: m.drop_msr(0x982).drop_msr(0x981), ABSENT, ["tme-missing"], "0x982"),
    ("TME off", lambda m: m.set_msr(0x982, 1).set(address_bits=52), BROKEN, ["tme-off"], "bit 1 is 0"),
    ("TME not locked", lambda m: m.set_msr(0x982, GOOD_MSRS[0x982] & ~1), BROKEN, ["tme-not-locked"], "bit 0 is 0"),
    ("no KeyID split", lambda m: m.drop_msr(0x87), BROKEN, ["keyids-missing"], "0x87"),
    ("no KeyID for TDX", lambda m: m.set_msr(0x87, 63), BROKEN, ["keyids-none"], "no KeyID"),
    ("one KeyID for TDX", lambda m: m.set_msr(0x87, 1 << 32 | 62), BROKEN, ["keyids-too-few"], "one KeyID"),
    ("MCHECK failed", lambda m: m.set_msr(0xA0, 0x1234), BROKEN, ["mcheck-failed"], "0x1234"),
    ("no SEAMRR", lambda m: m.drop_msr(0x1401).drop_msr(0x1400), ABSENT, ["seamrr-missing"], "0x1401"),
    ("SEAMRR not configured", lambda m: m.set_msr(0x1400, 0), BROKEN, ["seamrr-not-configured"], "bit 3 is 0"),
    ("SEAMRR not locked", lambda m: m.set_msr(0x1401, SEAMRR_MASK | 0x800), BROKEN, ["seamrr-not-locked"], "not locked"),
    ("SEAMRR not enabled", lambda m: m.set_msr(0x1401, SEAMRR_MASK | 0x400), BROKEN, ["seamrr-off"], "bit 11 is 0"),
    ("SEAMRR without a size", lambda m: m.set_msr(0x1401, 0xc00), BROKEN, ["seamrr-empty"], "no size"),
    ("TDX off in the BIOS setup", lambda m: m.set_msr(0x87, 63).set_msr(0x1400, 0).set_msr(0x1401, 0), ABSENT,
     ["keyids-none", "seamrr-not-configured"], "no KeyID"),
    ("46 address bits", lambda m: m.set(address_bits=40), BROKEN, ["address-limit"], "46 bits"),
    ("46 address bits, kernel without TME", lambda m: m.set(address_bits=46, flags="vmx movdir64b"), BROKEN, ["address-limit"], "46 bits"),
    ("52 address bits, kernel without TME", lambda m: m.set(address_bits=52, flags="vmx movdir64b"), AVAILABLE, [], ""),
    ("SEAMRR differs on a CPU", lambda m: m.set_msr(0x1401, 0, [2]), BROKEN, ["msr-differs"], "on CPUs 2"),
    ("KeyIDs differ on a package", lambda m: m.set_msr(0x87, 16 << 32 | 47, [2, 3]), BROKEN, ["msr-differs"], "on CPUs 2-3"),
    ("MSR of an offline CPU does not matter", lambda m: m.set_msr(0x1401, 0, [3]).set(online="0-2"), AVAILABLE, ["cpus-offline"], "offline: 3"),
    ("stepping differs", lambda m: m.set(stepping={3: 7}), BROKEN, ["cpus-differ"], "stepping 7"),
    ("microcode differs", lambda m: m.set(microcode={1: "0x1"}), BROKEN, ["microcode-differs"], "0x1"),
    ("CPUs offline", lambda m: m.set(online="0,2"), AVAILABLE, ["cpus-offline"], "2 of 4 CPUs are offline: 1,3"),
    ("kernel without TDX", lambda m: m.drop("sys/firmware").file("boot/config-6.1.192", "# CONFIG_INTEL_TDX_HOST is not set\n"),
     BROKEN, ["kernel-without-tdx"], "6.1.192"),
    ("kvm_intel is missing", lambda m: m.drop("sys/module").file("sys/module/msr/refcnt", "0\n"), AVAILABLE, ["kvm-intel-missing"], "kvm_intel"),
    ("kvm_intel has TDX off", lambda m: m.file("sys/module/kvm_intel/parameters/tdx", "N\n"), AVAILABLE, ["kvm-tdx-off"], "parameter"),
    ("no module", lambda m: m.file("sys/firmware/tdx/state", "none\n"), BROKEN, ["module-none"], "no TDX module"),
    ("no module, SEAMRR not locked", lambda m: m.file("sys/firmware/tdx/state", "none\n").set_msr(0x1401, SEAMRR_MASK | 0x800),
     BROKEN, ["seamrr-not-locked"], "not locked"),
    ("module shut down", lambda m: m.file("sys/firmware/tdx/state", "shutdown\n"), BROKEN, ["module-shut-down"], "reboots"),
    ("module refused an MSR",
     lambda m: m.file("sys/firmware/tdx/state", "shutdown\n").file("sys/firmware/tdx/last_error", "TDH.SYS.INIT failed on CPU 94: TDX_INCORRECT_MSR_VALUE (0xc000092100000122): MSR 0x122 IA32_TSX_CTRL\n"),
     BROKEN, ["seamcall-failed", "module-shut-down"], "TDH.SYS.INIT: TDX_INCORRECT_MSR_VALUE (0xc000092100000122): MSR 0x122 IA32_TSX_CTRL"),
    ("module refused a CPUID value: the log has the registers",
     lambda m: m.file("sys/firmware/tdx/state", "shutdown\n").file("sys/firmware/tdx/last_error", "TDH.SYS.INIT failed on CPU 1: TDX_INCORRECT_CPUID_VALUE (0xc000090000000000): CPUID 0x80000008\n")
     .log("tdx: TDH.SYS.INIT failed on CPU 1: TDX_INCORRECT_CPUID_VALUE (0xc000090000000000): CPUID 0x80000008",
          "tdx: SEAMCALL (0x21) failed: 0xc000090000000000, RCX 0xffffffff80000008 RDX 0x200000000ff R8 0x0 R9 0x20000000034 R10 0x0 R11 0x0"),
     BROKEN, ["seamcall-failed", "module-shut-down"], "CPUID 0x80000008 must have EAX & 0xff = 0x34"),
    ("nothing but the message is known", lambda m: m.file("sys/firmware/tdx/state", "shutdown\n").file("sys/firmware/tdx/last_error", "no memory of the kernel is in a CMR: remove mem= and memmap= from the command line, or look for a BIOS update\n"),
     BROKEN, ["log", "module-shut-down"], "no memory of the kernel is in a CMR"),
    ("P-SEAMLDR refused",
     lambda m: m.file("sys/firmware/tdx/state", "none\n").file("sys/firmware/tdx/last_error", "not available: SEAMLDR.INFO failed on CPU 0: SEAMLDR_EBADPARAM (0x8000000000010000): look for a BIOS update, which brings a P-SEAMLDR; report it if there is none\n"),
     BROKEN, ["seamcall-failed"], "SEAMLDR.INFO: SEAMLDR_EBADPARAM"),
    ("module refused with a status that is no error and has no advice",
     lambda m: m.file("sys/firmware/tdx/state", "shutdown\n").file("sys/firmware/tdx/last_error", "TDH.SYS.KEY.CONFIG failed on CPU 1: TDX_KEY_CONFIGURED (0x0000081500000000)\n"),
     BROKEN, ["seamcall-failed", "module-shut-down"], "TDH.SYS.KEY.CONFIG: TDX_KEY_CONFIGURED"),
    ("debug module", lambda m: m.file("sys/firmware/tdx/state", "initialized\n").file("sys/firmware/tdx/attributes", "0x80000000\n"),
     READY, ["module-debug"], "0x80000000, bit 31 is 1"),
    ("production module", lambda m: m.file("sys/firmware/tdx/state", "initialized\n").file("sys/firmware/tdx/attributes", "0x7fffffff\n"),
     READY, [], ""),
    ("attributes are not known", lambda m: m.file("sys/firmware/tdx/attributes", ""), AVAILABLE, [], ""),
    ("error without a status", lambda m: m.file("sys/firmware/tdx/last_error", "something strange\n"), BROKEN, ["last-error"], "something strange"),
    ("turned off", lambda m: m.file("sys/firmware/tdx/state", "none\n").file("proc/cmdline", "tdx_host=off quiet\n"),
     BROKEN, ["module-none", "turned-off"], "no TDX module"),
    ("mainline, initialised", lambda m: mainline(m, "virt/tdx: 4202514 KB allocated for PAMT", "virt/tdx: module initialized"), READY, [], ""),
    ("mainline, initialised after an error", lambda m: mainline(m, "virt/tdx: module not loaded", "virt/tdx: module initialized"), READY, [], ""),
    ("mainline, not yet initialised", lambda m: mainline(m), AVAILABLE, [], ""),
    ("mainline, no module", lambda m: mainline(m, "virt/tdx: module not loaded"), BROKEN, ["log"], "no TDX module"),
    ("mainline, wrong CPUID",
     lambda m: mainline(m, "virt/tdx: SEAMCALL (0x0000000000000021) failed: 0xc000090000000000",
                        "virt/tdx: RCX 0xffffffff80000008 RDX 0x00000200000000ff R08 0x0000000000000000",
                        "virt/tdx: R09 0x0000020000000034 R10 0x0000000000000000 R11 0x0000000000000000",
                        "virt/tdx: module initialization failed (-5)"),
     BROKEN, ["seamcall-failed", "log"], "CPUID 0x80000008 must have EAX & 0xff = 0x34"),
    ("mainline, old module",
     lambda m: mainline(m, "virt/tdx: SEAMCALL (0x0000000000000022) failed: 0xc000050500000000",
                        "virt/tdx: RCX 0x0000000000000000 RDX 0x9100000100000008 R08 0x0000000000000000",
                        "virt/tdx: module initialization failed (-5)"),
     BROKEN, ["seamcall-failed", "log"], "MAX_TDMRS"),
    ("mainline, memory map with holes",
     lambda m: mainline(m, "virt/tdx: initialization failed: TDMR [0x0, 0x80000000): reserved areas exhausted.",
                        "virt/tdx: module initialization failed (-28)"),
     BROKEN, ["log", "log"], "too many holes"),
    ("mainline, hibernation", lambda m: mainline(m, "virt/tdx: initialization failed: Hibernation support is enabled"), BROKEN, ["log"], "hibernation"),
    ("nothing can be seen", lambda m: m.drop("").set(msrs={}), UNKNOWN, [], ""),
    ("nothing but CPUs can be seen", lambda m: m.drop("boot", "dev", "sys/firmware", "sys/class").set(msrs={}), UNKNOWN, [], ""),
    ("no log, no configuration", lambda m: m.drop("boot", "dev", "sys/firmware"), UNKNOWN, [], ""),
]

# What is missing, what has to be said of it
UNSEEN = [
    ("MSRs", lambda m: m.set(msrs={}), "modprobe msr"),
    ("log", lambda m: m.drop("dev/kmsg"), "/dev/kmsg"),
    ("TDX state", lambda m: m.drop("sys/firmware"), "/sys/firmware/tdx"),
    ("kernel configuration", lambda m: m.drop("boot", "sys/firmware"), "kernel configuration"),
    ("CPUs", lambda m: m.drop("sys/devices"), "/sys/devices/system/cpu"),
]

FUZZ_RUNS = 80


class Tree:
    """A machine's files for as long as the block lasts."""

    def __init__(self, machine):
        self.machine = machine

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="tdx-status.")
        self.machine.write(self.path)
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path)


def status(suite, root, *args):
    code, out, err = suite.run("tdx-status", "--root", root, *args)
    return code, out, err


def test_cases(suite):
    for name, change, exit_status, ids, words in CASES:
        with Tree(change(Machine())) as root:
            code, out, err = status(suite, root, "--json")
            findings = json.loads(out)["findings"]
            suite.equal(f"status: {name}", (code, [f["id"] for f in findings], err), (exit_status, ids, ""))
            if ids and findings:
                suite.check(f"first words: {name}", words in findings[0]["text"], findings[0]["text"])

            code, text, err = status(suite, root)
            missing = [f["text"] for f in findings if f["text"] not in text]
            suite.equal(f"text has the findings: {name}", (code, missing, err), (exit_status, [], ""))
            silent = [f["id"] for f in findings if not f["advice"] and f["id"] != "last-error"]
            suite.equal(f"everything comes with advice: {name}", silent, [])
            suite.equal(f"quiet: {name}", status(suite, root, "--quiet"), (exit_status, "", ""))


def test_kernel(suite):
    """What the copies have of this kernel's messages is what it says; "something strange" is nothing that any says."""
    said = [text for calls in (test_messages.ERRORS, test_messages.INFOS) for text in test_messages.said(calls)]
    lines = set()
    for _, change, *_ in CASES:
        files = change(Machine()).files
        lines.add(files.get("sys/firmware/tdx/last_error", "none\n").rstrip())
        lines.update(re.findall(r"^\[.*?\] tdx: (.*)", files.get("dev/kmsg", ""), re.M))
    suite.check("the kernel's lines are found", len(lines) > 8, lines)
    strange = [line for line in lines - {"none"} if not any(test_messages.matches(text, line) for text in said)]
    suite.equal("the kernel says so", strange, ["something strange"])


def test_readme(suite):
    """The fault that the README shows: what tdx-status says of it, from what the kernel says of it."""
    with open(os.path.join(TOP, "README.md"), encoding="utf-8") as file:
        example = re.search(r"^\*\*A fault of your own\..*?^\*\*", file.read(), re.M | re.S)[0]
    lines = re.findall(r"^    \[ .*?\] (tdx: .*)", example, re.M)
    machine = Machine().file("sys/firmware/tdx/state", "shutdown\n").file("sys/firmware/tdx/last_error", lines[0][len("tdx: "):] + "\n")
    with Tree(machine.log(*lines)) as root:
        text = status(suite, root)[1]
    shown = [line[4:] for line in example[example.index("    tdx-status: "):].splitlines() if line.startswith("    ")]
    suite.equal("README has the findings", [line for line in shown if line not in text.splitlines()], [])
    advice = suite.run("tdx-decode", "--short", lines[0])[1]
    suite.equal("README has the kernel's advice", "tdx: " + advice, lines[0] + "\n")


def test_unseen(suite):
    for name, change, words in UNSEEN:
        with Tree(change(Machine())) as root:
            _, out, _ = status(suite, root, "--json")
            not_seen = json.loads(out)["not_seen"]
            suite.check(f"says that it did not see: {name}", any(words in line for line in not_seen), not_seen)
    with Tree(Machine()) as root:
        suite.equal("a good host is seen whole", json.loads(status(suite, root, "--json")[1])["not_seen"], [])


def test_save(suite):
    """A copy says what the host said."""
    machine = Machine().set_msr(0x1401, 0, [2]).log("virt/tdx: module not loaded")
    with Tree(machine) as root, tempfile.TemporaryDirectory() as copy_of:
        first = status(suite, root, "--json", "--save", copy_of)
        suite.equal("copy", status(suite, copy_of, "--json"), first)
        code, _, err = status(suite, root, "--save", "/dev/null/x")
        suite.check("can not save", code == 64 and os.strerror(errno.ENOTDIR) in err, f"{code} {err}")


def test_usage(suite):
    suite.equal("help", suite.run("tdx-status", "--help")[0], 0)
    for args in (["--nonsense"], ["x"], ["--root"], ["--root", "/no/such/directory"]):
        code, out, err = suite.run("tdx-status", *args)
        suite.check(f"usage: {args}", code == 64 and not out and err, f"{code} {out} {err}")
    code, out, err = suite.run("tdx-status", "--json")
    suite.check("this machine", code in range(5) and json.loads(out)["verdict"] and not err, f"{code} {err}")


def test_many_cpus(suite):
    """Its time grows with the number of CPUs, not with the square of it."""
    machine = Machine().file("sys/devices/system/cpu/present", "0-65535\n").set(online="0-65535", msrs={})
    with Tree(machine) as root:
        code, out, err = suite.run("tdx-status", "--root", root, "--json", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (5, 5)))
        suite.equal("65536 CPUs without MSRs", (code, json.loads(out or "{}").get("machine", {}).get("cpus_online"), err), (AVAILABLE, 65536, ""))


def damage(text, rng):
    data = list(text)
    for _ in range(rng.randrange(1, 8)):
        at = rng.randrange(len(data) + 1)
        what = rng.randrange(4)
        if what == 0:
            data[at:at + rng.randrange(20)] = []
        elif what == 1:
            data[at:at] = [chr(rng.randrange(256)) for _ in range(rng.randrange(1, 9))]
        elif what == 2:
            data[at:at] = list(rng.choice(["0-99999999999999999999", "0x", "9" * 40, ": ", "\n", "-", ",", "\0", "processor\t: 70000\n"]))
        else:
            data[at:at] = data[:rng.randrange(200)]
    return "".join(data)


def test_damaged(suite):
    """No file can break it: sanitizers watch."""
    rng = random.Random(1)
    bad = []
    for i in range(FUZZ_RUNS):
        machine = Machine()
        rng.choice(CASES)[1](machine)
        with Tree(machine) as root:
            paths = [os.path.join(base, name) for base, _, names in os.walk(root) for name in names]
            for path in rng.sample(sorted(paths), min(3, len(paths))):
                with open(path, "r+", encoding="latin-1") as file:
                    text = damage(file.read(), rng)
                    file.seek(0)
                    file.write(text)
                    file.truncate()
            code, out, err = status(suite, root, "--json")
            plain = status(suite, root)
            if code not in range(5) or err or plain[0] != code or set(plain[1]) & set("\x1b\x00\x07"):
                bad.append((i, code, err[:500]))
            else:
                json.loads(out)
    suite.equal("damaged files", bad, [])


def run(suite):
    test_cases(suite)
    test_kernel(suite)
    test_readme(suite)
    test_unseen(suite)
    test_save(suite)
    test_usage(suite)
    test_many_cpus(suite)
    test_damaged(suite)
