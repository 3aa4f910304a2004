# SPDX-License-Identifier: GPL-2.0-or-later
"""What tdx-boot makes of a description."""
import copy
import glob
import importlib.machinery
import importlib.util
import json
import os
import random
import re
import struct
import subprocess
import tempfile
import unittest

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "..", ".."))
BOOT = os.path.join(TOP, "tools/tdx/tdx-boot")


def load():
    loader = importlib.machinery.SourceFileLoader("tdx_boot", BOOT)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


tdx_boot = load()
DEEP = "[" * 100000
# What stands in the place of something else
ODD = (None, True, False, 0, -1, 1, 3, 8, 9, 4096, 4097, 1 << 32, 1 << 52, 1 << 64, 10 ** 30, -10 ** 30, 0.5, 1e300, float("inf"), float("nan"),
       "", "0", "0x", "0x10", "0X1000", "-1", "+1", " 1", "1 ", "1_0", "010", "0b1", "1e3", "four", "9" * 5000, "0x" + "f" * 40, "\ud800", "\0",
       "\u0663", [], {}, [[]], [{}], [1, 2], [1, 2, 3], ["0x100000", "0x7ff00000"], {"base": 0, "size": 4096}, {"lps": 2})


# A name that ends with another one's, which linkers keep once; an object; a function that is elsewhere
SYMBOLS = (("__start_kernel", 2, 1, 0x1000, 0), ("start_kernel", 2, 1, 0x1000, 2), ("jiffies", 1, 1, 0x2000, 0), ("printf", 2, 0, 0, 0))


def elf(folder, name="vmlinux", symbols=SYMBOLS, cut=None):
    """A file of ELF with that symbol table."""
    names, table = b"\0", b""
    for text, kind, section, value, skip in symbols:
        where = len(names) if not skip else names.index(text.encode())
        names += text.encode() + b"\0" if not skip else b""
        table += struct.pack("<IBxHQQ", where, 0x10 | kind, section, value, 16)
    sections = [(2, 256, len(table), 1), (3, 256 + len(table), len(names), 0)]
    head = struct.pack("<5s35xQ12xHxx", b"\x7fELF\2", 64, len(sections))
    head += b"".join(struct.pack("<4xI16xQQI20x", *s) for s in sections)
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.write((head.ljust(256, b"\0") + table + names)[:cut])
    return path


def image(folder):
    """The beginning of a bzImage"""
    path = os.path.join(folder, "bzImage")
    with open(path, "wb") as f:
        f.write(b"MZ".ljust(0x202, b"\0") + b"HdrS")
    return path


class TdxBoot(unittest.TestCase):
    def print_command(self, description, *options):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "p.json")
            with open(path, "w", encoding="utf-8") as f:
                f.write(description if isinstance(description, str) else json.dumps(description))
            kernel = [] if any(o == "--kernel" or o.startswith("--qemu-arg") for o in options) else ["--kernel", elf(folder)]
            got = subprocess.run([BOOT, path, "--qemu", "/bin/true", "--print", *kernel, *options],
                                 capture_output=True, text=True, check=False)
            return got.returncode, got.stdout, got.stderr.replace(folder + "/", "")

    def test_nothing_given(self):
        code, out, err = self.print_command({})
        self.assertEqual((code, err), (0, ""))
        self.assertIn(" -smp 2,sockets=1,cores=2,threads=1 ", out)
        self.assertIn(" -m size=4096M ", out)
        self.assertIn(",max-ram-below-4g=2147483648", out)

    def test_options_of_the_platform(self):
        _, out, _ = self.print_command({}, "--slow-clock", "32", "--mark", "start_kernel")
        self.assertIn(",mark=start_kernel,slow-clock=32 -rtc clock=vm", out)
        _, out, _ = self.print_command({}, "--memory-in", "/tmp")
        self.assertIn(" memory-backend-file,mem-path=/tmp,share=on,id=ram,size=4294967296,reserve=off", out)
        _, _, err = self.print_command({}, "--memory-in", "/nowhere")
        self.assertIn("--memory-in /nowhere: not a folder: give one that", err)
        _, plain, _ = self.print_command({}, "--slow-clock", "1")
        self.assertNotIn("clock", plain)
        self.assertIn(" tcg,thread=multi ", plain)
        _, out, _ = self.print_command({"lps": 1}, "--icount")
        self.assertIn(" tcg,thread=single ", out)
        self.assertIn(" -icount shift=0,sleep=off -rtc clock=vm", out)
        _, _, err = self.print_command({"lps": 2}, "--icount")
        self.assertIn("with --icount 2 LPs would have one clock and run in turn: make lps 1", err)

    def test_memory(self):
        code, out, _ = self.print_command({"lps": "0x4", "packages": 2, "memory": [
            {"base": 0, "size": "0xa0000"}, {"base": "0x100000000", "size": "0x40000000", "node": 1},
            {"base": "0x200000000", "size": "0x40000000", "type": "hotplug"}]})
        self.assertEqual(code, 0)
        self.assertIn(" -m size=2048M,slots=1,maxmem=6144M ", out)
        self.assertIn("node,nodeid=0,memdev=ram,cpus=0-1", out)
        self.assertIn("node,nodeid=1,cpus=2-3", out)

    def test_refused(self):
        memory = lambda **m: {"memory": [{"base": 0, "size": 4096}, {"base": "0x100000", "size": "0x40000000", **m}]}
        small = 'is not a number from 1 to 255: give one, such as 1 or "0x1"'
        for description, text in (
                ({"lps": 4, "packages": 3}, "p.json: 4 LPs cannot be spread evenly over 3 packages: make lps a multiple of packages"),
                ({"lps": "four"}, f'p.json: lps: "four" {small}'), ({"lps": 0}, f"p.json: lps: 0 {small}"),
                ({"lps": -2}, f"p.json: lps: -2 {small}"), ({"lps": "-2"}, f'p.json: lps: "-2" {small}'),
                ({"lps": True}, f"p.json: lps: true {small}"), ({"lps": None}, f"p.json: lps: null {small}"),
                ({"lps": 2.0}, f"p.json: lps: 2.0 {small}"), ({"lps": [2]}, f"p.json: lps: a list {small}"),
                ({"lps": {}}, f"p.json: lps: an object {small}"), ({"lps": "1_0"}, f'p.json: lps: "1_0" {small}'),
                ({"lps": 10 ** 60}, f"p.json: lps: 1{'0' * 36}... {small}"),
                ({"packages": 0}, 'p.json: packages: 0 is not a number from 1 to 8: give one, such as 1 or "0x1"'),
                ({"pa_width": "x"}, 'p.json: pa_width: "x" is not a number from 36 to 57: give one, such as 36 or "0x24"'),
                ({"memory": [{"base": 0, "size": "0x10000000", "type": "hotplug"}]},
                 "p.json: memory of type hotplug begins at 0x0: it has to be behind the RAM, from 0x100000000 on"),
                ({"nodes": 10 ** 9}, 'p.json: nodes: 1000000000 is not a number from 1 to 128: give one, such as 1 or "0x1"'),
                (memory(node=10 ** 9), "p.json: memory[1].node: 1000000000 is not a number from 0 to 127: give one"),
                (memory(base="1M"), 'p.json: memory[1].base: "1M" is not a number from 0 to 0xffffffffffffffff: give one, such as 0 or "0x0"'),
                (memory(base="0xfffffffffffff"), "p.json: memory[1]: [0xfffffffffffff, +0x40000000) ends above 0x10000000000000: no address"),
                ({"memory": 5}, 'p.json: memory: 5 should be a list, such as [{"base": "0x100000", "size": "0x40000000"}]'),
                ({"memory": {}}, "p.json: memory: an object should be a list, such as"),
                ({"memory": [[0, 4096]]}, 'p.json: memory[0]: a list should be an object, such as {"base": "0x100000", "size": "0x40000000"}'),
                ({"cmrs": None}, 'p.json: cmrs: null should be a list, such as [["0x100000", "0x7ff00000"]]'),
                ({"cmrs": [[0, 4096], 4096]}, 'p.json: cmrs[1]: 4096 should be a list, such as ["0x100000", "0x7ff00000"]'),
                ({"cmrs": [[0, 4096, 1]]}, "p.json: cmrs[0]: has 3 entries, should have a base and a size, such as"),
                ({"cmrs": [[]]}, "p.json: cmrs[0]: has 0 entries, should have a base and a size, such as"),
                ({"cmrs": [[0, "4K"]]}, 'p.json: cmrs[0][1]: "4K" is not a number from 0 to'),
                ({"cmrs": [[0, "0xd0000000"]]}, "p.json: memory below 4 GiB ends at 0xd0000000; the PC has room up to 0xc0000000: put the rest at"),
                ("{", "p.json: Expecting property name"), ("", "p.json: Expecting value"), ("\xef\xbb\xbf{}", "p.json: "),
                ("[]", 'p.json: a list should be an object, such as {"lps": 4}'), ("7", "p.json: 7 should be an object, such as"),
                ('"x"', 'p.json: "x" should be an object, such as'), ("null", "p.json: null should be an object, such as"),
                ("9" * 5000, "p.json: Exceeds the limit"),
                (DEEP, "p.json: lists and objects are nested too deeply to be read: a description needs 4 levels"),
                ('{"lps":' + '{"lps":' * 100000, "p.json: lists and objects are nested too deeply")):
            with self.subTest(description=str(description)[:80]):
                code, out, err = self.print_command(description)
                self.assertEqual((code, out), (1, ""))
                self.assertEqual(err.count("\n"), 1, err)
                self.assertTrue(err.startswith("tdx-boot: " + text), err)

    def test_bad_files(self):
        with tempfile.TemporaryDirectory() as folder:
            binary, name = os.path.join(folder, "b.json"), os.path.join(folder, "e.json")
            with open(binary, "wb") as f:
                f.write(b"\x7fELF\xff\0")
            with open(name, "w", encoding="utf-8") as f:
                f.write("{}")
            empty, junk = os.path.join(folder, "empty"), os.path.join(folder, "junk")
            for path, content in ((empty, b""), (junk, b"MZ" * 4096)):
                with open(path, "wb") as f:
                    f.write(content)
            kernel, bad = elf(folder), os.path.join(folder, "no")
            give = 'give the qemu-system-x86_64 that "make qemu" builds, or leave --qemu out\n'
            ran = os.path.join(folder, "ran")
            qemu = os.path.join(folder, "qemu")
            with open(qemu, "w", encoding="utf-8") as f:
                f.write(f"#!/bin/sh\ntouch {ran}\n")
            os.chmod(qemu, 0o755)
            boot = [name, "--qemu", qemu, "--kernel"]
            out = "give a file in a folder that exists and can be written\n"
            no_kernel = "--kernel is missing, there is nothing to boot: give a vmlinux or a bzImage, such as build/linux-obj/vmlinux\n"
            for args, text in (
                    ([folder], f"{folder}: Is a directory"), ([bad], f"{bad}: No such file or directory"),
                    ([binary], f"{binary}: 'utf-8' codec can't decode"),
                    ([name, "--qemu", folder], f"--qemu {folder}: is a folder: {give}"), ([name, "--qemu", name], f"--qemu {name}: is no program: {give}"),
                    ([name, "--qemu", "no-such-qemu"], f"--qemu no-such-qemu: no such program: {give}"),
                    ([name, "--qemu", bad], f"--qemu {bad}: no such program: {give}"),
                    (boot[:-1], no_kernel), (boot[:-1] + ["--print"], no_kernel), (boot[:-1] + ["--initrd", name, "--qemu-arg=-s"], no_kernel),
                    (boot[:-1] + ["--append", "quiet", "--qemu-arg=-s"], no_kernel),
                    (boot + [bad], f"--kernel {bad}: no such file: give a vmlinux or a bzImage\n"),
                    (boot + [folder], f"--kernel {folder}: is a folder: give a vmlinux or a bzImage\n"),
                    (boot + [junk], f"--kernel {junk}: is neither an ELF file nor a bzImage: give a vmlinux or a bzImage\n"),
                    (boot + ["/dev/null"], "--kernel /dev/null: is no file: give a vmlinux or a bzImage\n"),
                    (boot + [empty], f"--kernel {empty}: is neither an ELF file nor a bzImage: give"),
                    (boot + [kernel, "--initrd", bad], f"--initrd {bad}: no such file: give an initramfs, such as"),
                    (boot + [kernel, "--vmlinux", bad], f"--vmlinux {bad}: no such file: give the vmlinux of this kernel\n"),
                    *((boot + [kernel, option, path], f"{option} {path}: {why}: {out}") for option in ("--stats", "--trace", "--findings")
                      for path, why in ((folder, "is a folder"), (bad + "/x", f"there is no folder {bad}"), (name + "/x", f"there is no folder {name}")))):
                with self.subTest(args=args):
                    got = subprocess.run([BOOT, *args], capture_output=True, text=True, check=False)
                    self.assertEqual((got.returncode, got.stdout), (1, ""))
                    self.assertTrue(got.stderr.startswith("tdx-boot: " + text), got.stderr)
                    self.assertEqual(got.stderr.count("\n"), 1)
                    self.assertFalse(os.path.exists(ran))
            got = subprocess.run([BOOT, name, "--kernel", kernel], capture_output=True, text=True, check=False, env={**os.environ, "TDX_QEMU": bad})
            self.assertIn(f"tdx-boot: TDX_QEMU {bad}: no such program: give", got.stderr)
            got = subprocess.run([BOOT, *boot, kernel, "--stats", os.path.join(folder, "new")], capture_output=True, text=True, check=False)
            self.assertEqual((got.returncode, got.stderr, os.path.exists(ran)), (0, "", True))
            self.assertFalse(os.path.exists(os.path.join(folder, "new")))

    def test_a_disk_instead_of_a_kernel(self):
        code, out, _ = self.print_command({}, "--qemu-arg=-hda", "--qemu-arg=x")
        self.assertEqual((code, out.endswith(" -hda x\n"), "-kernel" in out), (0, True, False))

    def test_slow_clock(self):
        with open(os.path.join(TOP, "tools/tdx/qemu/platform.c"), encoding="utf-8") as f:
            most = re.search(r"#define SLOW_CLOCK_MAX\s+(\d+)", f.read())[1]
        self.assertEqual(self.print_command({}, "--slow-clock", most)[0], 0)
        for value in ("0", "-1", "", "x", "1.5", "1_0", str(int(most) + 1), "9" * 5000):
            code, out, err = self.print_command({}, f"--slow-clock={value}")
            self.assertEqual((code, out), (2, ""))
            self.assertTrue(err.endswith(f"--slow-clock: '{value}' is not a number from 1 to {most}: give one, such as 32\n"), err[-300:])

    def test_mark(self):
        with tempfile.TemporaryDirectory() as folder:
            kernel, stripped, bz, damaged = elf(folder), elf(folder, "stripped", ()), image(folder), elf(folder, "damaged", cut=100)
            short = elf(folder, "short", cut=300)
            for args, mark, why in (
                    (["--kernel", kernel], "start_kernel", None), (["--kernel", kernel], "__start_kernel", None),
                    (["--kernel", bz, "--vmlinux", kernel], "start_kernel", None),
                    *((["--kernel", kernel], name, f"{kernel} has no such function: give one that it has, such as start_kernel\n")
                      for name in ("kernel", "start", "tart_kernel_", "jiffies", "printf", "")),
                    (["--kernel", bz, "--vmlinux", stripped], "start_kernel", f"{stripped} has no such function"),
                    (["--kernel", bz], "start_kernel", "the kernel is no vmlinux: give its vmlinux with --vmlinux\n"),
                    (["--kernel", bz, "--vmlinux", bz], "start_kernel", f"{bz} is no ELF file with symbols: give its vmlinux with --vmlinux\n"),
                    (["--kernel", damaged], "start_kernel", f"{damaged} is no ELF file with symbols"),
                    (["--kernel", short], "start_kernel", f"{short} is no ELF file with symbols")):
                with self.subTest(args=args, mark=mark):
                    code, out, err = self.print_command({}, *args, "--mark", mark)
                    if why is None:
                        self.assertEqual((code, err, f",mark={mark} " in out), (0, "", True))
                    else:
                        self.assertEqual((code, out, err.startswith(f"tdx-boot: --mark {mark}: {why}")), (1, "", True), err)

    def test_symbols(self):
        with tempfile.TemporaryDirectory() as folder:
            vmlinux, bz = elf(folder), image(folder)
            for args, named, fixed in ((["--kernel", vmlinux], True, False), (["--kernel", bz], False, False),
                                       (["--kernel", bz, "--vmlinux", vmlinux], True, True),
                                       (["--kernel", vmlinux, "--vmlinux", vmlinux], True, False)):
                with self.subTest(args=args):
                    code, out, _ = self.print_command({}, *args, "--append", "quiet")
                    self.assertEqual((code, f",vmlinux={vmlinux}" in out, " no_timer_check lpj=50000000 nokaslr quiet'" in out), (0, named, fixed), out)
                    self.assertTrue(fixed or " no_timer_check lpj=50000000 quiet'" in out, out)

    def test_numbers_as_in_c(self):
        code, out, err = self.print_command({"lps": "010", "packages": "0X2", "cmrs": [["0x100000", "1072693248"]]})
        self.assertEqual((code, err), (0, ""))
        self.assertIn(" -smp 10,sockets=2,cores=5,threads=1 ", out)
        self.assertIn(" -m size=1024M ", out)


def places(value, at=()):
    """Where there is something in a description"""
    yield at
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], at + (key,))


def mutate(rng, root):
    """Another description, not far from `root`: as text"""
    root = copy.deepcopy(root)
    odd = lambda: copy.deepcopy(rng.choice(ODD))
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at = rng.choice(list(places(root)))
        if not at:
            root = rng.choice((root, root, [root], odd()))
            continue
        parent = root
        for key in at[:-1]:
            parent = parent[key]
        key, what = at[-1], rng.randrange(6)
        if what == 0:
            del parent[key]
        elif what == 1 and isinstance(parent, list):
            parent.insert(key, rng.choice((odd(), copy.deepcopy(parent[key]))))
        elif what == 2:
            parent[key] = rng.choice(([parent[key]], {"base": parent[key]}, str(parent[key])))
        elif what == 3 and isinstance(parent, dict):
            parent[rng.choice(("lps", "packages", "pa_width", "nodes", "memory", "cmrs", "base", "size", "node", "type"))] = odd()
        else:
            parent[key] = odd()
    text = json.dumps(root).encode()
    if not rng.randrange(3):
        for _ in range(rng.randrange(1, 4)):
            i = rng.randrange(len(text) + 1)
            text = rng.choice((text[:i], text[:i] + bytes([rng.randrange(256)]) + text[i + rng.randrange(2):],
                               text[:i] + rng.choice((b"[", b"{", b"}", b'"', b",", b"-", b"9", b"0x", b"null", b"[" * 3000)) + text[i:]))
    return text


class Mutations(unittest.TestCase):
    """Whatever a description has: a command line, or one line that says what is wrong with which file"""
    RUNS = 150                  # of each file

    def test_never_a_traceback(self):
        files = sorted(glob.glob(os.path.join(TOP, "tools/tdx/platforms/**/*.json"), recursive=True))
        self.assertGreater(len(files), 30)
        taken = refused = 0
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "p.json")
            for name in files:
                with open(name, encoding="utf-8") as f:
                    root = json.load(f)
                for seed in range(self.RUNS):
                    text = mutate(random.Random(f"{os.path.basename(name)}/{seed}"), root)
                    with open(path, "wb") as f:
                        f.write(text)
                    try:
                        args = tdx_boot.Machine(path).args()
                    except tdx_boot.Bad as why:
                        refused += 1
                        self.assertTrue(str(why).startswith(path + ": ") and "\n" not in str(why), why)
                    except Exception as why:        # pylint: disable=broad-exception-caught
                        self.fail(f"{name}, seed {seed}: {type(why).__name__}: {why}: {text[:400]!r}")
                    else:
                        taken += 1
                        self.assertLess(len(" ".join(args)), 300000)
        self.assertGreater(min(taken, refused), len(files) * self.RUNS // 5, (taken, refused))
