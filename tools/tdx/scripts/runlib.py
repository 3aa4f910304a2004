# SPDX-License-Identifier: GPL-2.0-or-later
"""What run-guest-tests and run-default share: booting a machine on the platform, and reading what it wrote to its console.

The console of a test machine (tools/testing/selftests/tdx/init.c) holds the kernel's own lines and, each as one record of the
kernel's log, the frame that init puts around the programs' output. Reading is strict: what is missing, out of order, cut off or not
understood is a failure, so that a test which did not run cannot pass.
"""
import dataclasses
import json
import os
import re
import signal
import subprocess
import threading
import time

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", ".."))
SELFTESTS = os.path.join(TOP, "tools", "testing", "selftests", "tdx")
PLATFORMS = os.path.join(TOP, "tools", "tdx", "platforms")
BOOT = os.path.join(TOP, "tools", "tdx", "tdx-boot")

# For every boot, beyond what tdx-boot gives: KVM offers TDs; all messages on the console and none lost, no rate limit for what init
# writes; an oops is a panic, which ends the machine.
APPEND = "kvm_intel.tdx=1 ignore_loglevel log_buf_len=4M printk.devkmsg=on oops=panic"


class BadInput(Exception):
    """A file or option of the user's is wrong; the text says which and how."""


# ---- console

@dataclasses.dataclass
class Line:
    seconds: float | None   # printk's time stamp; None: not a line of the kernel's log
    text: str
    user: bool = False      # written by init


# "[    1.234567] text", with CONFIG_PRINTK_CALLER "[    1.234567][    T1] text"
STAMP = re.compile(r"^\[ *(\d+\.\d+)\](?:\[ *[TC]\d+\])? ?(.*)$")
# Escape sequences of the firmware
ESCAPE = re.compile(r"\x1b(?:\[[0-9;?=]*[A-Za-z]|c)")


def parse_line(raw):
    text = ESCAPE.sub("", raw).rstrip("\r\n")
    got = STAMP.match(text)
    if not got:
        return Line(None, text)
    return Line(float(got[1]), got[2], got[2].startswith(("TDX-OUT: ", "TDX-INIT: ")))


def parse_console(text):
    # A carriage return alone belongs to the firmware's progress display.
    return [parse_line(raw) for raw in text.split("\n")]


# Any of these in the kernel's own lines is a failure, whatever the tests say.
COMPLAINTS = [re.compile(p) for p in (
    r"Kernel panic", r"\bBUG\b", r"\bWARNING: ", r"\bOops\b", r"general protection fault", r"invalid opcode: ", r"Call Trace",
    r"unable to handle", r"double fault", r"stack segment: ", r"segfault at", r"traps: ",
    r"KASAN", r"UBSAN: ", r"KCSAN: ", r"KMSAN", r"KFENCE: (?!initialized)", r"kmemleak: \d+ new", r"unreferenced object",
    r"possible (?:circular|recursive|irq lock inversion|deadlock)", r"inconsistent lock state", r"bad unlock balance",
    r"suspicious RCU usage", r"held lock freed", r"still has locks held", r"lock held when returning", r"DEBUG_LOCKS_WARN_ON",
    r"MAX_LOCK\w* too low", r"INVALID wait context", r"sleeping function called", r"scheduling while atomic", r"INFO: task .* blocked",
    r"rcu:? .*detected (?:stalls|expedited stalls)", r"self-detected stall", r"soft lockup", r"hard LOCKUP",
    r"unchecked MSR access", r"refcount_t", r"list_(?:add|del) corruption", r"Bad page", r"Bad rss-counter",
    r"Machine Check Exception", r"\[Hardware Error\]", r"init: .*died", r"Out of memory", r"page allocation failure",
    r"kvm: .*(?:VMXON|VMXOFF).*fail", r"usercopy: ", r"ODEBUG: ", r"nobody cared",
)]

# Lines in which the above means nothing.
HARMLESS = [re.compile(p) for p in (
    r"^Kernel command line:", r"^kasan: KernelAddressSanitizer initialized", r"^kcsan: ", r"^Spectre V2 : WARNING: Unprivileged eBPF",
    r"^KASAN: \(report|^\.\.\. MAX_LOCK|^Lock dependency validator:", r"^\*\* ",
    r"^kmemleak: Kernel memory leak detector initialized",
    # KVM's own: a task that makes a vCPU loses its CPU while it writes what kvm_sched_in() reads, in the same task.
    r"^BUG: KCSAN: data-race in kvm_arch_vcpu_load / kvm_vcpu_write_tsc_multiplier$",
)]


def complaints(lines, allowed=()):
    """Lines of the kernel that must not be there. `allowed`: regular expressions of lines that a case expects, with their traces."""
    allowed = [re.compile(p) for p in allowed]
    found, expected = [], False
    for text in (l.text for l in lines if not l.user):
        if not any(c.search(text) for c in COMPLAINTS) or any(h.search(text) for h in HARMLESS):
            continue
        if text.startswith("Call Trace") and expected:
            expected = False
            continue
        expected = any(a.search(text) for a in allowed)
        if not expected:
            found.append(text)
    return found


UNKNOWN = re.compile(r"^Unknown kernel command line parameters \"(.*)\", will be passed to user space")


def unknown_parameters(lines):
    """Parameters that the kernel did not know, without what is meant for init."""
    words = [w for l in lines if not l.user for got in [UNKNOWN.match(l.text)] if got for w in got[1].split()]
    return [w for w in words if not w.startswith(("tdxtest=", "tdxnext=", "tdxend="))]


# ---- TAP

@dataclasses.dataclass
class Check:
    name: str
    ok: bool
    seconds: float | None = None
    detail: list = dataclasses.field(default_factory=list)   # lines that explain a failure


RESULT = re.compile(r"^(ok|not ok)\b(?:\s+(\d+))?(?:\s+(?:- )?(.*))?$")
PLAN = re.compile(r"^1\.\.(\d+)(?:\s+#\s*SKIP\s*(.*))?$")
DIRECTIVE = re.compile(r"#\s*(SKIP|XFAIL|TODO|error)\b\s*(.*)$", re.IGNORECASE)


def parse_tap(program, lines, status):
    """Checks that one program reported; `lines`: its output, `status`: how it ended (None: it did not)."""
    checks, notes, plan, problems = [], [], None, []
    begin = lines[0].seconds if lines else None
    for line in lines:
        text = line.text
        if text.startswith("TAP version"):
            continue
        got = PLAN.match(text)
        if got:
            if plan is not None:
                problems.append(f"a second plan: {text}")
            plan = int(got[1])
            if plan == 0:
                problems.append(f"skipped: {got[2] or 'no reason given'}")
            continue
        if text.startswith("Bail out!"):
            problems.append(text)
            continue
        got = RESULT.match(text)
        if not got:
            notes.append(text)
            if "RUN" in text:
                begin = line.seconds
            continue
        number, name = got[2], got[3] or ""
        directive = DIRECTIVE.search(name)
        if number is None or int(number) != len(checks) + 1:
            problems.append(f"result out of order (number {len(checks) + 1} expected): {text}")
        ok = got[1] == "ok" and not directive
        detail = []
        if not ok:
            detail = [n for n in notes if not re.match(r"#\s+(RUN|OK|FAIL)\b", n)]
            if directive:
                detail.insert(0, f"{directive[1].upper()} counts as a failure here: {directive[2]}")
        seconds = line.seconds - begin if line.seconds is not None and begin is not None else None
        checks.append(Check(f"{program}: {name.strip()}", ok, seconds, detail))
        begin, notes = line.seconds, []
    if plan is None:
        problems.append("no plan (1..N)")
    elif plan != len(checks) and plan:
        problems.append(f"{plan} tests planned, {len(checks)} reported")
    if status is None:
        problems.append("did not end")
    elif status >= 128:
        problems.append(f"killed by signal {status - 128}")
    elif status != 0 and all(c.ok for c in checks):
        problems.append(f"ended with status {status} although no test failed")
    elif status == 0 and not all(c.ok for c in checks):
        problems.append("ended with status 0 although a test failed")
    if problems:
        checks.append(Check(f"{program}: complete", False, None, problems + [n for n in notes if not n.startswith("#  ")]))
    return checks


@dataclasses.dataclass
class Program:
    name: str
    arguments: str
    lines: list = dataclasses.field(default_factory=list)
    status: int | None = None


def parse_frame(lines):
    """Programs that init ran, problems with the frame around them, and the status of "done" (None: not there).

    By kexec there can be several kernels, one after the other; the status is 0 if it was that for all of them. A program that
    begins after "done" is the end of the machine: it has no other.
    """
    programs, problems, done, current, last = [], [], None, None, False
    first, status = 0, 0        # of this kernel
    for line in lines:
        if not line.user:
            continue
        kind, _, rest = line.text.partition(": ")
        if kind == "TDX-OUT":
            if last:
                continue
            if current is None:
                problems.append(f"output outside of a program: {rest}")
            else:
                current.lines.append(Line(line.seconds, rest, True))
            continue
        got = re.match(r"begin (\S+)(?: (.*))?$", rest)
        if got and done is not None and not last:
            last = True
            continue
        if got:
            if current is not None:
                problems.append(f"{got[1]} begins before {current.name} ended")
            current = Program(got[1], got[2] or "")
            programs.append(current)
            continue
        got = re.match(r"end (\S+) status=(\d+)$", rest)
        if got:
            if current is None or current.name != got[1]:
                problems.append(f"{got[1]} ends, which did not begin")
            else:
                current.status = int(got[2])
            current = None
            continue
        got = re.match(r"(done|kexec) status=(\d+) programs=(\d+)$", rest)
        if got:
            if done is not None:
                problems.append("init was done twice")
            status = status or int(got[2])
            if got[1] == "done":
                done = status
            if int(got[3]) != len(programs) - first:
                problems.append(f"init ran {got[3]} programs, the console shows {len(programs) - first}")
            first = len(programs)
            continue
        problems.append(f"init: {rest}")
    if current is not None:
        problems.append(f"{current.name} did not end")
    if done is None:
        problems.append("init was never done: the machine died, hung, or did not get there")
    return programs, problems, done


# ---- messages of the kernel

def load_messages(path=os.path.join(SELFTESTS, "messages")):
    messages = {}
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            name, *expr = line.split(None, 1)
            if not expr:
                raise BadInput(f"{path}:{number}: no expression after \"{name}\"")
            expr = expr[0]
            if name in messages:
                raise BadInput(f"{path}:{number}: message {name} is there twice")
            # Classes of POSIX that Python lacks, and of Python that POSIX lacks
            if re.search(r"\[:|\\[A-Za-z0-9]|\(\?|[*+?}]\?", expr):
                raise BadInput(f"{path}:{number}: message {name}: not an expression for both POSIX and Python")
            try:
                messages[name] = re.compile(expr)
            except re.error as e:
                raise BadInput(f"{path}:{number}: message {name}: {e}") from e
    return messages


def matching(lines, expr):
    return [l.text for l in lines if not l.user and l.seconds is not None and expr.search(l.text)]


# ---- platforms

def merge(base, changes):
    """`base` with `changes` put into it: objects member by member, all else replaced."""
    if not isinstance(base, dict) or not isinstance(changes, dict):
        return changes
    result = dict(base)
    for key, value in changes.items():
        result[key] = merge(base[key], value) if key in base else value
    return result


def load_platform(name):
    """A description: the path of one, or its name below tools/tdx/platforms"""
    path = name if os.path.isabs(name) else os.path.join(PLATFORMS, name + ".json")
    try:
        with open(path, encoding="utf-8") as f:
            platform = json.load(f)
    except OSError as e:
        raise BadInput(f"platform {name}: {e.strerror}: {path}") from e
    except ValueError as e:
        raise BadInput(f"{path}: {e}") from e
    except RecursionError as e:
        raise BadInput(f"{path}: lists and objects are nested too deeply to be read") from e
    if not isinstance(platform, dict):
        raise BadInput(f"{path}: should be an object, such as {{\"lps\": 4}}")
    return platform


def why_untraced(platform):
    """The member of a description for which no trace is written: what it does is in no trace, and a replay cannot make it up. Or None."""
    return next((key for key in ("test_interface", "hostile") if platform.get(key)), None)


# ---- booting

_children = set()
_lock = threading.Lock()


def kill_children():
    """For an interrupted runner: no machine stays behind."""
    with _lock:
        for proc in list(_children):
            _kill(proc)


def _kill(proc):
    try:
        os.killpg(proc.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


@dataclasses.dataclass
class Boot:
    status: int | None      # of QEMU; None: it had to be killed
    seconds: float
    console: str


def boot(command, log, timeout, on_line=None):
    """Run `command` (a machine) with its console into `log`; on_line(raw) sees each line as it comes."""
    begin = time.monotonic()
    timed_out = threading.Event()
    with open(log, "wb") as out:
        proc = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                start_new_session=True)
        with _lock:
            _children.add(proc)

        def expire():
            timed_out.set()
            _kill(proc)

        timer = threading.Timer(timeout, expire)
        timer.start()
        try:
            for raw in proc.stdout:
                out.write(raw)
                out.flush()
                if on_line:
                    on_line(raw.decode(errors="replace"))
            status = proc.wait()
        finally:
            timer.cancel()
            if proc.returncode is None:
                _kill(proc)
                proc.wait()
            with _lock:
                _children.discard(proc)
    with open(log, encoding="utf-8", errors="replace", newline="\n") as f:
        console = f.read()
    return Boot(None if timed_out.is_set() else status, time.monotonic() - begin, console)


# ---- what a trace tells

def add_to_initrd(guest, listing, path):
    """The RAM disk of the selftests in the folder `guest`, and one more archive with what `listing` says (gen_init_cpio's lines)."""
    archive = subprocess.run([os.path.join(guest, "gen_init_cpio"), "-t", "0", "-"], input="\n".join(listing + [""]).encode(),
                             stdout=subprocess.PIPE, check=True).stdout
    with open(os.path.join(guest, "initramfs.cpio"), "rb") as base, open(path, "wb") as out:
        out.write(base.read() + archive)


@dataclasses.dataclass
class Tdmr:
    base: int
    size: int
    pamts: list             # (base, size) for 1G, 2M, 4K
    reserved: int           # number of reserved areas

    @property
    def pamt_size(self):
        return sum(size for _, size in self.pamts)


SYS_TDMR_INIT = 36
SYS_CONFIG = 45
TDMR_INFO_SIZE = 320
AREAS = 16


def steps_of(path):
    with open(path, encoding="utf-8") as f:
        return [s for line in f if line.strip() for s in json.loads(line)["steps"]]


def tdmr_workers(path):
    """LPs on which a TDH.SYS.TDMR.INIT succeeded"""
    return {s["lp"] for s in steps_of(path) if s["leaf"] == SYS_TDMR_INIT and not int(s.get("out", {}).get("rax", "-1"), 0)}


def configured_tdmrs(path):
    """TDMRs of the TDH.SYS.CONFIG that succeeded, from what the module read of them; None: there is none."""
    for step in steps_of(path):
        if step["leaf"] != SYS_CONFIG or int(step.get("out", {}).get("rax", "-1"), 0):
            continue
        pieces = [(int(pa, 0), bytes.fromhex(data)) for pa, data in step.get("write", [])]

        def u64(pa):
            for base, data in pieces:
                if base <= pa and pa + 8 <= base + len(data):
                    return int.from_bytes(data[pa - base:pa - base + 8], "little")
            return 0            # memory that was never written reads as zero

        def tdmr(pa):
            return Tdmr(u64(pa), u64(pa + 8), [(u64(pa + o), u64(pa + o + 8)) for o in (16, 32, 48)],
                        sum(u64(pa + 72 + 16 * i) != 0 for i in range(AREAS)))

        array, number = (int(step["in"][r], 0) for r in ("rcx", "rdx"))
        return [tdmr(u64(array + 8 * i)) for i in range(number)]
    return None
