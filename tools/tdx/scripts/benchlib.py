# SPDX-License-Identifier: GPL-2.0-or-later
"""What bench measures with: machines, boots, figures of a boot."""
import collections
import json
import os
import re
import resource
import socket
import statistics
import subprocess
import tempfile
import time

import runlib

GIB = 1 << 30
LOW = 0x78000000                # RAM below 4 GiB
PHASES = ("detect", "lp_init", "plan", "pamt", "flush", "keys", "tdmr_init")
TDMR_INIT = "TDH.SYS.TDMR.INIT"


class Failed(Exception):
    """A machine did not do what it is measured at; the text says which and how."""


class Kernel:
    """A kernel with its initramfs, and how one asks it for something."""

    def __init__(self, name, vmlinux, initrd, append, pamt, gaps=""):
        self.name, self.vmlinux, self.initrd, self.append = name, vmlinux, initrd, append
        self.pamt = pamt            # the function in which memory for PAMTs is looked for first
        self.gaps = gaps            # command line instead of append, to hear how long CPUs are kept from scheduling


def machine(cpus, gib, latency, **more):
    """A platform of that size: two packages with a node each, or one."""
    nodes = 2 if cpus > 1 else 1
    high, share = 4 * GIB, gib * GIB // nodes
    memory = [{"base": "0x0", "size": "0x9f000", "node": 0, "type": "ram"},
              {"base": "0x100000", "size": hex(LOW - 0x100000), "node": 0, "type": "ram"}]
    cmrs = [["0x100000", hex(LOW - 0x100000)]]
    for node in range(nodes):
        size = share - (2 * GIB if node == 0 else 0)
        if not size:
            continue
        memory.append({"base": hex(high), "size": hex(size), "node": node, "type": "ram"})
        cmrs.append([hex(high), hex(size)])
        high += size
    return {"name": f"bench-{cpus}-{gib}", "lps": cpus, "packages": nodes, "pa_width": 52, "mktme_keyids": 63, "tdx_keyids": 64,
            "nodes": nodes, "cmrs": cmrs, "memory": memory, "latency_ns": {TDMR_INIT: latency} if latency else {}, **more}


def cpu_seconds():
    """Of machines that have ended: what a boot costs, whatever else the host does"""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def boot(kernel, initrd, append, platform, options=(), seconds=1200):
    """(statistics, console) of a machine that switches itself off"""
    with tempfile.TemporaryDirectory(prefix="tdx-bench.") as folder:
        path, stats = os.path.join(folder, platform["name"] + ".json"), os.path.join(folder, "stats.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(platform, f)
        command = [runlib.BOOT, path, "--kernel", kernel, "--append", append, "--stats", stats, *options]
        command += ["--initrd", initrd] if initrd else []
        before = cpu_seconds()
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=seconds,
                              check=False)
        console = done.stdout.decode(errors="replace").replace("\r", "")
        if done.returncode or not os.path.exists(stats):
            raise Failed(f"{platform['name']}: QEMU's exit status is {done.returncode}:\n{console[-2000:]}")
        with open(stats, encoding="utf-8") as f:
            return {**json.load(f), "cpu_seconds": cpu_seconds() - before}, console


def initialised(kernel, platform, append, options):
    """The same, and the module is READY after it"""
    stats, console = boot(kernel.vmlinux, kernel.initrd, append, platform, options)
    if stats["state"] != "READY":
        raise Failed(f"{platform['name']}, {kernel.name}: the module is {stats['state']}:\n{console[-2000:]}")
    return stats, console


def figures(stats):
    """What a boot's statistics say, times in ms of the machine"""
    times = stats["leaf_times"]
    first = min(t["first_ns"] for t in times.values())
    end = max(t["last_ns"] for t in times.values())
    at = lambda leaf, key, default: times[leaf][key] if leaf in times else default
    lp_init = at("TDH.SYS.LP.INIT", "last_ns", first)
    config = at("TDH.SYS.CONFIG", "first_ns", lp_init)
    configured = at("TDH.SYS.CONFIG", "last_ns", config)
    key = at("TDH.SYS.KEY.CONFIG", "first_ns", configured)
    keyed = at("TDH.SYS.KEY.CONFIG", "last_ns", key)
    detect = at("TDH.SYS.INIT", "first_ns", first)
    cuts = (first, detect, lp_init, stats["mark"]["first_ns"], config, key, keyed, end)
    out = {name: (b - a) / 1e6 for name, a, b in zip(PHASES, cuts, cuts[1:])}
    out["total"] = (end - first) / 1e6
    out["calls"] = sum(stats["seamcalls"].values()) + stats["seamldr_calls"]
    out["critical"] = max(lp["calls"] for lp in stats["lps"])
    out["pamt_kib"] = sum(t["pamt_size"] for t in stats["tdmrs"]) >> 10
    return out


def medians(rows):
    return {key: statistics.median(row[key] for row in rows) for key in rows[0]}


def in_turn(rounds, cases, measure):
    """{case: [result]} of `rounds`, in which each case is measured once, in one order and in the other"""
    rows = {case: [] for case in cases}
    for number in range(rounds):
        for case in sorted(cases, reverse=number % 2):
            rows[case].append(measure(case))
    return rows


def gaps(console):
    """{"idle": us, "init": us}: the longest time that a CPU was kept from scheduling"""
    found = {when: int(ns) / 1e3 for when, ns in re.findall(r"gap (idle|init): (\d+) ns on CPU", console)}
    if set(found) != {"idle", "init"}:
        raise Failed(f"no gaps in the log:\n{console[-2000:]}")
    return found


def unused(stats, console):
    """Of a boot in which nobody asked for a TD: when the first program began, ms, and memory that was free then, KiB"""
    if stats["leaf_times"]:
        raise Failed(f"SEAMCALLs were made: {stats['leaf_times']}")
    begin = re.search(r"^\[ *([0-9.]+)\].* TDX-INIT: begin td_free$", console, re.M)
    free = re.search(r" TDX-OUT: free (\d+) KiB$", console, re.M)
    if not begin or not free:
        raise Failed(f"no \"free\" in the log:\n{console[-2000:]}")
    return {"boot_ms": float(begin[1]) * 1e3, "free_kib": int(free[1]), "cpu_seconds": stats["cpu_seconds"]}


# ---- instructions

def tdx_functions(vmlinux):
    """{name: (address, size)} of the functions of arch/x86/virt/vmx/tdx: its files' own, and global ones by their names"""
    table = subprocess.run(["readelf", "-sW", vmlinux], stdout=subprocess.PIPE, check=True, text=True).stdout
    own, found, file = os.listdir(os.path.join(runlib.TOP, "arch/x86/virt/vmx/tdx")), {}, None
    for line in table.splitlines():
        word = line.split()
        if len(word) < 8 or not word[0][:-1].isdigit():
            continue
        address, size, kind, bind, name = int(word[1], 16), int(word[2], 0), word[3], word[4], word[7]
        if kind == "FILE":
            file = name
        elif kind == "FUNC" and size and (file in own if bind == "LOCAL" else re.match(r"(__)?(seamcall|tdx_|tdmr_)", name)):
            found[name] = (address, size)
    return found


def seamcall_addresses(vmlinux, functions):
    """Where the instruction is"""
    out = []
    for name, (address, size) in functions.items():
        if not name.startswith("__seamcall"):
            continue
        text = subprocess.run(["objdump", "-d", f"--start-address={address}", f"--stop-address={address + size}", vmlinux],
                              stdout=subprocess.PIPE, check=True, text=True).stdout
        out += [int(a, 16) for a in re.findall(r"^([0-9a-f]+):\s+66 0f 01 cf", text, re.M)]
    return set(out)


class Gdb:
    """QEMU's gdb stub, as far as it takes to step"""

    def __init__(self, path):
        self.socket, self.buffer = socket.socket(socket.AF_UNIX), b""
        self.socket.settimeout(300)
        self.socket.connect(path)

    def ask(self, text):
        """The answer, without its frame"""
        self.socket.sendall(f"${text}#{sum(text.encode()) % 256:02x}".encode())
        while True:
            got = re.search(rb"\$([^#]*)#..", self.buffer)
            if got:
                self.buffer = self.buffer[got.end():]
                self.socket.sendall(b"+")
                return got[1].decode()
            more = self.socket.recv(4096)
            if not more:
                raise Failed("the machine ended")
            self.buffer += more

    def registers(self):
        """RAX and RIP, by which the others do not matter"""
        text = self.ask("g")
        value = lambda number: int.from_bytes(bytes.fromhex(text[16 * number:16 * number + 16]), "little")
        return value(0), value(16)

    def step(self):
        self.ask("s")
        return self.registers()


TDMR_INIT_LEAF = 36


def way(gdb, calls):
    """Addresses of what is executed from one TDH.SYS.TDMR.INIT to the next: without this one, with the other"""
    while True:
        for address in calls:
            gdb.ask(f"Z1,{address:x},1")
        gdb.ask("c")
        leaf, _ = gdb.registers()
        for address in calls:
            gdb.ask(f"z1,{address:x},1")
        if leaf == TDMR_INIT_LEAF:
            break
        gdb.step()              # the stub would stop at the same place again
    path = []
    while not path or path[-1] not in calls:
        path.append(gdb.step()[1])
    return path


def instructions(kernel):
    """{function: instructions} of TDX code from one TDH.SYS.TDMR.INIT to the next, by stepping from the first one to the second"""
    functions = tdx_functions(kernel.vmlinux)
    calls = seamcall_addresses(kernel.vmlinux, functions)
    if not calls:
        raise Failed(f"{kernel.vmlinux}: no SEAMCALL instruction in a function __seamcall*")
    with tempfile.TemporaryDirectory(prefix="tdx-bench.") as folder:
        path, stub = os.path.join(folder, "one.json"), os.path.join(folder, "gdb")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(machine(1, 4, 0), f)
        command = [runlib.BOOT, path, "--kernel", kernel.vmlinux, "--initrd", kernel.initrd, "--append", kernel.append,
                   "--qemu-arg=-S", "--qemu-arg=-chardev", f"--qemu-arg=socket,id=gdb,path={stub},server=on,wait=on",
                   "--qemu-arg=-gdb", "--qemu-arg=chardev:gdb"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL) as proc:
            try:
                while not os.path.exists(stub):
                    if proc.poll() is not None:
                        raise Failed(f"QEMU's exit status is {proc.returncode}")
                    time.sleep(0.05)
                steps = way(Gdb(stub), calls)
            finally:
                proc.kill()
    counts = collections.Counter()
    for pc in steps:
        counts.update(n for n, (a, s) in functions.items() if a <= pc < a + s)
    return dict(sorted(counts.items()))
