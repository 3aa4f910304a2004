# SPDX-License-Identifier: GPL-2.0-or-later
"""runlib and run-guest-tests: what they make of consoles, TAP, tables and machines that hang or lie."""
import importlib.machinery
import importlib.util
import io
import json
import os
import re
import shutil
import stat
import sys
import tempfile
import unittest
from contextlib import redirect_stderr, redirect_stdout

HERE = os.path.dirname(os.path.realpath(__file__))
SCRIPTS = os.path.dirname(HERE)
sys.path.insert(0, SCRIPTS)
import runlib  # noqa: E402


def load(name):
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), os.path.join(SCRIPTS, name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    sys.modules[loader.name] = module
    loader.exec_module(module)
    return module


runner = load("run-guest-tests")
default = load("run-default")

GOOD_TAP = """TAP version 13
1..2
# Starting 2 tests from 1 test cases.
#  RUN           global.one ...
#            OK  global.one
ok 1 global.one
#  RUN           global.two ...
#            OK  global.two
ok 2 global.two
# PASSED: 2 / 2 tests passed.
# Totals: pass:2 fail:0 xfail:0 xpass:0 skip:0 error:0
"""


def console(*parts):
    """Lines of a console, a hundredth of a second apart; init's are marked by the caller."""
    lines = [l for part in parts for l in part.splitlines()]
    return "".join(f"[{i / 100:12.6f}] {l}\r\n" for i, l in enumerate(lines))


def out(tap):
    return "".join(f"TDX-OUT: {l}\n" for l in tap.splitlines())


def good_console(tap=GOOD_TAP, status=0):
    return console("Linux version 6.1", "TDX-INIT: begin td_x a=b", out(tap), f"TDX-INIT: end td_x status={status}",
                   f"TDX-INIT: done status={int(bool(status))} programs=1", "reboot: Power down")


def tap(text, status=0):
    lines = [runlib.Line(i / 100, l, True) for i, l in enumerate(text.splitlines())]
    return runlib.parse_tap("td_x", lines, status)


class Lines(unittest.TestCase):
    def test_stamp(self):
        line = runlib.parse_line("[    3.250000] tdx: hello\r\n")
        self.assertEqual((line.seconds, line.text, line.user), (3.25, "tdx: hello", False))

    def test_stamp_with_caller(self):
        for caller in "[    T1]", "[   C12]":
            line = runlib.parse_line(f"[   13.000001]{caller} tdx: hello")
            self.assertEqual((line.seconds, line.text), (13.000001, "tdx: hello"))

    def test_no_stamp(self):
        line = runlib.parse_line("\x1bc\x1b[?7l\x1b[2JSeaBIOS (version 1.16)\r")
        self.assertEqual((line.seconds, line.text), (None, "SeaBIOS (version 1.16)"))

    def test_user(self):
        self.assertTrue(runlib.parse_line("[    1.0] TDX-OUT: BUG: not the kernel's").user)
        self.assertFalse(runlib.parse_line("TDX-OUT: not from the log").user)


class Tap(unittest.TestCase):
    def test_good(self):
        checks = tap(GOOD_TAP)
        self.assertEqual([(c.name, c.ok) for c in checks], [("td_x: global.one", True), ("td_x: global.two", True)])
        self.assertAlmostEqual(checks[0].seconds, 0.02)

    def test_failure_shows_why(self):
        checks = tap(GOOD_TAP.replace("#            OK  global.two", "# td_x.c:9:two:Expected 0 (0) == ret (-19)\n#          FAIL  global.two")
                     .replace("ok 2", "not ok 2"), 1)
        self.assertEqual([c.ok for c in checks], [True, False])
        self.assertEqual(checks[1].detail, ["# td_x.c:9:two:Expected 0 (0) == ret (-19)"])

    def problem(self, text, status, words):
        last = tap(text, status)[-1]
        self.assertFalse(last.ok)
        self.assertIn("complete", last.name)
        self.assertIn(words, " ".join(last.detail))

    def test_no_plan(self):
        self.problem(GOOD_TAP.replace("1..2\n", ""), 0, "no plan")

    def test_nothing_at_all(self):
        self.problem("", 0, "no plan")

    def test_two_plans(self):
        self.problem(GOOD_TAP + "1..2\n", 0, "second plan")

    def test_fewer_than_planned(self):
        self.problem(GOOD_TAP.replace("ok 2 global.two\n", ""), 0, "2 tests planned, 1 reported")

    def test_more_than_planned(self):
        self.problem(GOOD_TAP + "ok 3 global.three\n", 0, "2 tests planned, 3 reported")

    def test_same_number_twice(self):
        self.problem(GOOD_TAP.replace("ok 2", "ok 1"), 0, "out of order")

    def test_no_number(self):
        self.problem(GOOD_TAP.replace("ok 2", "ok"), 0, "out of order")

    def test_bail_out(self):
        self.problem("TAP version 13\n1..2\nok 1 a\nBail out! no log\n", 1, "Bail out! no log")

    def test_skipped_program(self):
        self.problem("1..0 # SKIP /dev/kvm: No such file\n", 4, "skipped: /dev/kvm")

    def test_skipped_and_expected_failures_fail(self):
        for word in "SKIP", "XFAIL", "TODO", "skip":
            checks = tap(f"1..1\nok 1 # {word} no reason\n")
            self.assertFalse(checks[0].ok)
            self.assertIn("no reason", checks[0].detail[0])

    def test_status_disagrees(self):
        self.problem(GOOD_TAP, 1, "ended with status 1 although no test failed")
        self.problem(GOOD_TAP.replace("ok 1", "not ok 1"), 0, "ended with status 0 although a test failed")

    def test_signal(self):
        self.problem(GOOD_TAP, 139, "killed by signal 11")

    def test_did_not_end(self):
        self.problem(GOOD_TAP, None, "did not end")


class Frame(unittest.TestCase):
    def frame(self, text):
        return runlib.parse_frame(runlib.parse_console(text))

    def test_good(self):
        programs, problems, done = self.frame(good_console())
        self.assertEqual((problems, done), ([], 0))
        self.assertEqual([(p.name, p.arguments, p.status) for p in programs], [("td_x", "a=b", 0)])
        self.assertEqual(len(programs[0].lines), len(GOOD_TAP.splitlines()))

    def test_kernel_lines_between(self):
        text = good_console().replace("] TDX-OUT: ok 2", "] tdx: module initialized\r\n[    9.000000] TDX-OUT: ok 2")
        self.assertEqual(self.frame(text)[1], [])

    def bad(self, text, words):
        _, problems, _ = self.frame(text)
        self.assertIn(words, " ".join(problems))

    def test_no_done(self):
        self.bad(good_console().split("TDX-INIT: done", 1)[0], "never done")

    def test_cut_off_in_program(self):
        self.bad(good_console().split("TDX-INIT: end", 1)[0], "td_x did not end")

    def test_empty(self):
        self.bad("", "never done")

    def test_marker_missing(self):
        self.bad(good_console().replace("TDX-INIT: begin", "xxx"), "outside of a program")
        self.bad(good_console().replace("TDX-INIT: end", "xxx"), "td_x did not end")

    def test_wrong_count(self):
        self.bad(good_console().replace("programs=1", "programs=2"), "init ran 2 programs, the console shows 1")

    def test_init_has_a_problem(self):
        self.bad(good_console().replace("TDX-INIT: done", "TDX-INIT: power off failed: no\r\n[ 1.0] TDX-INIT: done"), "power off failed")

    def test_kexec(self):
        first = good_console().replace("TDX-INIT: done", "TDX-INIT: kexec")
        programs, problems, done = self.frame(first + good_console())
        self.assertEqual((problems, done, len(programs)), ([], 0, 2))
        self.assertEqual(self.frame(first.replace("kexec status=0", "kexec status=1") + good_console())[2], 1)
        self.bad(first, "never done")
        self.bad(first.replace("programs=1", "programs=2") + good_console(), "init ran 2 programs")
        self.bad(good_console() + good_console(), "done twice")

    def test_end_by_a_program(self):
        last = "[    9.0] TDX-INIT: begin td_mce page=td\r\n[    9.1] TDX-OUT: # td\r\n"
        programs, problems, done = self.frame(good_console() + last)
        self.assertEqual((problems, done, len(programs)), ([], 0, 1))
        self.bad(good_console() + last + "[    9.2] TDX-INIT: end td_mce status=0\r\n", "td_mce ends")
        self.bad(good_console() + last + "[    9.2] TDX-INIT: the machine is still there, status=0\r\n", "still there")

    def test_forged_by_other_means(self):
        """A line that did not come through the kernel's log is no marker."""
        self.bad(re.sub(r"\[ +[\d.]+\] TDX-INIT: done", "TDX-INIT: done", good_console()), "never done")


class Complaints(unittest.TestCase):
    BAD = """Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100
BUG: unable to handle page fault for address: ffffc90000000000
Oops: 0000 [#1] PREEMPT SMP
WARNING: CPU: 1 PID: 33 at arch/x86/virt/vmx/tdx/tdx.c:77 tdx_init+0x1/0x2
general protection fault, maybe for address 0x0: 0000 [#1]
WARNING: possible circular locking dependency detected
WARNING: inconsistent lock state
WARNING: suspicious RCU usage
BUG: sleeping function called from invalid context at kernel/locking/mutex.c:580
BUG: KASAN: use-after-free in tdx_init+0x1/0x2
UBSAN: array-index-out-of-bounds in arch/x86/virt/vmx/tdx/tdmr.c:1:2
BUG: KCSAN: data-race in a / b
kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)
INFO: task td_threads:77 blocked for more than 120 seconds.
rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
watchdog: BUG: soft lockup - CPU#1 stuck for 22s!
unchecked MSR access error: RDMSR from 0x1401 at rIP: 0xffffffff81000000
mce: [Hardware Error]: Machine check events logged
td_x[77]: segfault at 0 ip 0000000000401000 sp 00007ffc00000000 error 4
list_del corruption. prev->next should be ffff888000000000
INFO: rcu_sched self-detected stall on CPU
BUG: Bad page state in process td_x  pfn:12345
refcount_t: underflow; use-after-free.
traps: td_x[77] trap invalid opcode ip:401000 sp:7ffc00000000 error:0 in td_x[401000+1000]
Call Trace:""".splitlines()

    def test_each(self):
        for bad in self.BAD:
            self.assertEqual(runlib.complaints(runlib.parse_console(f"[    1.0] {bad}")), [bad])

    def test_without_a_stamp_too(self):
        self.assertEqual(len(runlib.complaints(runlib.parse_console("Kernel panic - not syncing"))), 1)

    def test_harmless(self):
        text = console("Kernel command line: WARNING: BUG", "kcsan: enabled early", "kasan: KernelAddressSanitizer initialized",
                       "tdx: module initialized", "x86/fpu: Supporting XSAVE feature 0x001", "mce: CPU0: 10 banks",
                       "TDX-OUT: # BUG: in a test, which fails by itself", "rcu: \tRCU debug is on.",
                       "Lock dependency validator: Copyright (c) 2006 Red Hat, Inc., Ingo Molnar",
                       "BUG: KCSAN: data-race in kvm_arch_vcpu_load / kvm_vcpu_write_tsc_multiplier")
        self.assertEqual(runlib.complaints(runlib.parse_console(text)), [])

    def test_other_races_of_kvm(self):
        for other in "kvm_arch_vcpu_load / tdx_init", "tdx_init / kvm_vcpu_write_tsc_multiplier":
            text = f"BUG: KCSAN: data-race in {other}"
            self.assertEqual(runlib.complaints(runlib.parse_console(console(text))), [text])

    def test_allowed(self):
        lines = runlib.parse_console(console("mce: [Hardware Error]: Machine check events logged", "BUG: other"))
        self.assertEqual(runlib.complaints(lines, ["^mce: "]), ["BUG: other"])

    def test_allowed_with_its_trace(self):
        lines = runlib.parse_console(console("WARNING: expected", "Call Trace:", "BUG: other", "Call Trace:"))
        self.assertEqual(runlib.complaints(lines, ["expected"]), ["BUG: other", "Call Trace:"])
        lines = runlib.parse_console(console("WARNING: expected", "Call Trace:", "Call Trace:"))
        self.assertEqual(runlib.complaints(lines, ["expected"]), ["Call Trace:"])

    def test_unknown_parameters(self):
        lines = runlib.parse_console(console(
            'Unknown kernel command line parameters "tdx_host=off tdxtest=td_create", will be passed to user space.'))
        self.assertEqual(runlib.unknown_parameters(lines), ["tdx_host=off"])


class Tables(unittest.TestCase):
    def setUp(self):
        self.tmp = tempfile.mkdtemp(prefix="test-runlib.")
        self.addCleanup(shutil.rmtree, self.tmp)

    def write(self, name, text):
        path = os.path.join(self.tmp, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def test_messages(self):
        m = runlib.load_messages(self.write("m", "# c\n\nany\ttdx: \nno_module   tdx: no (TDX )?module$\n"))
        self.assertEqual(set(m), {"any", "no_module"})
        lines = runlib.parse_console(console("tdx: no module", "TDX-OUT: tdx: no module", "xtdx: no modules") + "tdx: no module\n")
        self.assertEqual(runlib.matching(lines, m["no_module"]), ["tdx: no module"])

    def test_bad_messages(self):
        for text, words in (("any\n", "no expression"), ("a x\na y\n", "twice"), ("a \\d+\n", "POSIX"), ("a (?:x)\n", "POSIX"),
                            ("a (\n", "a: "), ("a .*?x\n", "POSIX"), ("a [[:digit:]]\n", "POSIX")):
            with self.assertRaisesRegex(runlib.BadInput, words):
                runlib.load_messages(self.write("m", text))

    def test_merge(self):
        base = {"module": {"kind": "1.5.01", "loaded": True}, "cmrs": [[0, 1]], "lps": 4}
        self.assertEqual(runlib.merge(base, {"module": {"loaded": False}, "cmrs": [[2, 3]], "quirks": {"msr": []}}),
                         {"module": {"kind": "1.5.01", "loaded": False}, "cmrs": [[2, 3]], "lps": 4, "quirks": {"msr": []}})
        self.assertEqual(base["module"]["loaded"], True)

    def test_bad_platforms(self):
        for text, words in (("[]", "should be an object"), ("7", "should be an object"), ("{", "Expecting property name"),
                            ("[" * 100000, "nested too deeply")):
            with self.assertRaisesRegex(runlib.BadInput, words):
                runlib.load_platform(self.write("p.json", text))
        with self.assertRaisesRegex(runlib.BadInput, "No such file"):
            runlib.load_platform("no-such-platform")

    def test_cases(self):
        messages = {"m": None}
        good = '[[case]]\nname="a"\nabout="b"\ntests=["td_x:log=m"]\n'
        self.assertEqual(runner.load_cases(self.write("c", good), messages)[0].platform, "default")
        for text, words in (("", "no cases"), (good + good, "twice"), (good + 'exepct=["m"]\n', "exepct"), (good + 'once=["n"]\n', "message n"),
                            (good.replace("log=m", "log=n"), "message n"), (good.replace("td_x", "a,b"), "comma"),
                            ('[[case]]\nname="a"\n', "about"), ("x", ":"), ("[other]\n" + good, "other")):
            with self.assertRaisesRegex(runlib.BadInput, words):
                runner.load_cases(self.write("c", text), messages)

    def test_longer(self):
        case = runner.longer(runner.Case("x", "", ["a", "b:seconds=60:threads=2"], timeout=100), 3, 1)
        self.assertEqual((case.tests, case.timeout), (["a", "b:seconds=180:threads=2"], 280))
        slow = runner.longer(runner.Case("x", "", ["b:seconds=8"], slow_clock=8), 4, 2)
        self.assertEqual(slow.tests, ["b:seconds=30"])
        # All of it twice as slow, but for what takes as long as it was told to
        self.assertEqual(slow.timeout * 2, 2 * runner.Case("x", "", []).timeout + 240)

    def test_tables_of_the_tree(self):
        for name in "cases.toml", "faults.toml":
            self.assertTrue(runner.load_cases(os.path.join(runlib.SELFTESTS, name), runlib.load_messages()))


# A stand-in for tdx-boot: prints what a file says, does what another says.
BOOT = """#!/usr/bin/env python3
import json, os, signal, sys, time
a = dict(zip(sys.argv[2::2], sys.argv[3::2]))
act = json.load(open(os.environ["TEST_ACT"]))
if "initrd" in act and open(a["--initrd"]).read() != act["initrd"]: sys.exit(4)
sys.stdout.write(act["console"]); sys.stdout.flush()
if "arguments" in act: json.dump(sys.argv[1:], open(act["arguments"], "w"))
if "findings" in act: open(a["--findings"], "w").write(act["findings"])
if "trace" in act: open(a["--trace"], "w").write(act["trace"])
if "stats" in act: json.dump(act["stats"], open(a["--stats"], "w"))
if act.get("hang"): signal.pause()
sys.exit(act.get("status", 0))
"""


class Runs(unittest.TestCase):
    """The whole runner against machines that are made up."""
    def setUp(self):
        self.tmp = tempfile.mkdtemp(prefix="test-runlib.")
        self.addCleanup(shutil.rmtree, self.tmp)
        self.addCleanup(setattr, runlib, "BOOT", runlib.BOOT)
        runlib.BOOT = self.write("tdx-boot", BOOT)
        os.chmod(runlib.BOOT, stat.S_IRWXU)
        self.write("platform.json", '{"lps": 2}')
        self.write("kernel", "")
        self.act = {"console": good_console(), "findings": "", "stats": {"state": "READY", "seamcalls": {"TDH.SYS.INIT": 1}, "seamldr_calls": 1}}
        self.case = {"name": "a", "about": "about", "tests": ["td_x"], "platform": self.tmp + "/platform.json", "replay": False}
        self.messages = os.path.join(runlib.SELFTESTS, "messages")

    def write(self, name, text):
        path = os.path.join(self.tmp, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def toml(self, value):
        if isinstance(value, dict):
            return "{" + ", ".join(f"{json.dumps(k)} = {self.toml(v)}" for k, v in value.items()) + "}"
        return json.dumps(value)

    def run_case(self, *arguments):
        os.environ["TEST_ACT"] = self.write("act.json", json.dumps(self.act))
        self.addCleanup(os.environ.pop, "TEST_ACT", None)
        cases = self.write("cases.toml", "[[case]]\n" + "".join(f"{k} = {self.toml(v)}\n" for k, v in self.case.items()))
        shown = io.StringIO()
        with redirect_stdout(shown), redirect_stderr(shown):
            status = runner.main(["--cases", cases, "--kernel", self.tmp + "/kernel", "--initrd", self.tmp + "/kernel",
                                  "--results", self.tmp + "/results", *arguments])
        return status, shown.getvalue()

    def passes(self):
        status, text = self.run_case()
        self.assertEqual(status, 0, text)
        self.assertRegex(text, r"\n[1-9]\d* passed, 0 failed\n$")
        return text

    def test_firmware(self):
        said = "TAP version 13\n1..1\n#  RUN           global.a ...\n# got EIO, state SHUTDOWN\n#            OK  global.a\nok 1 global.a\n"
        self.act["console"] = console("tdx: the module says that it takes 0 TDMRs; update the module or the BIOS, and report it", "TDX-INIT: begin td_any errno=EIO", out(said),
                                      "TDX-INIT: end td_any status=0", "TDX-INIT: done status=0 programs=1", "reboot: Power down")
        status, text = self.run_case("--firmware", "1", "--case", "firmware-1")
        self.assertEqual(status, 0, text)
        self.assertIn("1 machines whose firmware makes no sense, of which\n", text)
        self.assertIn("\n  0 TDMRs: 1, EIO 1\n", text)

    def fails(self, words, *arguments):
        status, text = self.run_case(*arguments)
        self.assertEqual(status, 1, text)
        self.assertRegex(text, r"\n\d+ passed, [1-9]\d* failed\n$")
        self.assertIn(words, text)

    def test_good(self):
        self.assertIn("ok   a: td_x: global.two (0.02", self.passes())

    def test_hangs(self):
        self.act["hang"] = True
        self.case["timeout"] = 0.5
        self.fails("killed after 0 s")

    def test_qemu_fails(self):
        self.act["status"] = 3
        self.fails("QEMU ended with status 3")

    def test_no_launcher(self):
        runlib.BOOT = self.tmp + "/nothing"
        self.fails("No such file")

    def test_no_platform(self):
        self.case["platform"] = "nothing"
        self.fails("platform nothing")

    def test_nothing_on_the_console(self):
        self.act["console"] = ""
        self.fails("never done")

    def test_other_program(self):
        self.case["tests"] = ["td_y"]
        self.fails("wanted ['td_y']")

    def test_module(self):
        self.case["module"] = True
        with self.assertRaisesRegex(runlib.BadInput, "tdx_ask/initramfs.cpio is not there: make "):
            self.run_case()
        os.mkdir(self.tmp + "/tdx_ask")
        self.write("kernel", "the kernel's, ")
        self.write("tdx_ask/initramfs.cpio", "the module's")
        self.act["initrd"] = "the kernel's, the module's"
        self.passes()
        self.act["initrd"] = "another"
        self.fails("QEMU ended with status 4")

    def test_a_test_fails(self):
        self.act["console"] = good_console(GOOD_TAP.replace("ok 1", "not ok 1"), 1)
        self.fails("FAIL a: td_x: global.one")

    def test_kernel_complains(self):
        self.act["console"] = good_console() + "[   99.000000] WARNING: CPU: 1 PID: 33 at x.c:1 f+0x1/0x2\r\n"
        self.fails("WARNING: CPU: 1")
        self.case["allow"] = ["WARNING: CPU: 1 PID: 33 at x"]
        self.passes()

    def test_findings(self):
        self.act["findings"] = "write to a private page\n"
        self.fails("unexpected: write to a private page")
        self.case["findings"] = ["^write to"]
        self.passes()
        self.act["findings"] = ""
        self.fails("missing: ^write to")

    def test_no_findings_file(self):
        del self.act["findings"]
        self.fails("did not write its findings")

    def test_findings_of_an_earlier_run_do_not_count(self):
        self.passes()
        del self.act["findings"]
        self.fails("did not write its findings")

    def test_stats(self):
        self.case.update(state="READY", seamcalls={"TDH.SYS.INIT": 1, "SEAMLDR": 1, "any": 2, "TDH.SYS.CONFIG": 0})
        self.passes()
        self.act["stats"] = {"state": "PENDING", "seamcalls": {"TDH.SYS.INIT": 2}, "seamldr_calls": 1}
        self.fails("it was called 2 times")
        self.fails("the platform says PENDING")
        del self.act["stats"]
        self.fails("FAIL a: statistics")

    def test_workers(self):
        self.case["workers"] = 2
        self.fails("FAIL a: trace")
        def step(lp, leaf, rax):
            return {"lp": lp, "leaf": leaf, "out": {"rax": rax}}
        other = [step(0, 36, "0x0"), step(1, 35, "0x0"), step(1, 36, "0x8000020000000000"), {"lp": 2, "leaf": 36}]
        self.act["trace"] = json.dumps({"name": "boot", "steps": other})
        self.fails("those that did: [0]")
        self.act["trace"] = json.dumps({"name": "boot", "steps": [*other, step(3, 36, "0x0")]})
        self.assertIn("ok   a: 2 LPs or more initialise TDMRs", self.passes())
        self.case["machine"] = {"test_interface": True}
        with self.assertRaisesRegex(runlib.BadInput, "workers are counted in the trace"):
            self.run_case()

    def test_log(self):
        messages = self.write("messages", "first tdx: first\nsecond tdx: second\n")
        self.addCleanup(setattr, runlib.load_messages, "__defaults__", runlib.load_messages.__defaults__)
        runlib.load_messages.__defaults__ = (messages,)
        self.act["console"] = console("tdx: first") + good_console()
        self.case.update(expect=["first"], once=["first"], forbid=["second"])
        self.passes()
        self.act["console"] = console("tdx: first", "tdx: first", "tdx: second") + good_console()
        self.fails("FAIL a: log has first once")
        self.fails("FAIL a: log has no second")
        self.act["console"] = good_console()
        self.fails("FAIL a: log has first\n")

    def test_replay(self):
        self.case["replay"] = True
        self.fails("not built", "--replay", self.tmp + "/nothing")
        self.fails("trace replays", "--replay", "/bin/false")
        for said, good in ("", False), ("1 passed, 0 failed, 0 skipped", True), ("0 passed, 0 failed", False), ("1 passed, 0 failed, 1 skipped", False):
            replay = self.write("replay", f"#!/bin/sh\necho '{said}'\n")
            os.chmod(replay, stat.S_IRWXU)
            status, text = self.run_case("--replay", replay)
            self.assertEqual(status, 0 if good else 1, text)

    def test_unknown_case(self):
        with self.assertRaisesRegex(runlib.BadInput, "no case b"):
            self.run_case("--case", "b")

    def test_no_kernel(self):
        os.unlink(self.tmp + "/kernel")
        with self.assertRaisesRegex(runlib.BadInput, "make kernel"):
            self.run_case()

    def run_default(self, platform):
        """Exit status, output, options that take a file"""
        self.act["arguments"] = self.tmp + "/arguments"
        os.environ["TEST_ACT"] = self.write("act.json", json.dumps(self.act))
        self.addCleanup(os.environ.pop, "TEST_ACT", None)
        shown = io.StringIO()
        with redirect_stdout(shown):
            status = default.main([self.write("platform.json", json.dumps(platform)), "--kernel", self.tmp + "/kernel",
                                   "--initrd", self.tmp + "/kernel", "--results", self.tmp + "/results"])
        with open(self.act["arguments"], encoding="utf-8") as f:
            return status, shown.getvalue(), {a for a in json.load(f) if a in ("--trace", "--findings", "--stats")}

    def test_run_default_without_trace_or_findings(self):
        self.act["console"] = good_console(Default.TD)
        for platform, untraced, checked in (
                ({}, None, True), ({"test_interface": False, "hostile": 0, "checker": True}, None, True), ({"hostile": {}}, None, True),
                ({"hostile": 7}, "hostile", True), ({"hostile": {"MAX_TDMRS": 64}}, "hostile", True), ({"test_interface": True}, "test_interface", True),
                ({"checker": False}, None, False), ({"checker": 0, "hostile": 7, "test_interface": 1}, "test_interface", False)):
            with self.subTest(platform=platform):
                self.act["findings"] = ""
                if not checked:
                    del self.act["findings"]
                status, text, options = self.run_default(platform)
                self.assertEqual(status, 0, text)
                self.assertEqual(options, {"--stats"} | ({"--findings"} if checked else set()) | (set() if untraced else {"--trace"}))
                said = [f'no trace, with "{untraced}"'] * bool(untraced) + ['no findings, with "checker": false'] * (not checked)
                self.assertEqual([line for line in text.splitlines() if line.startswith("  there is")],
                                 ["  there is   " + ", and ".join(said)] if said else [])
                self.assertTrue(text.endswith("\nThe TD was created, the TDX module is INITIALIZED.\n"), text)
        self.act.pop("findings", None)
        status, text, _ = self.run_default({})
        self.assertEqual((status, "the platform did not write its findings" in text), (1, True))


class Traces(unittest.TestCase):
    def setUp(self):
        self.tmp = tempfile.mkdtemp(prefix="test-runlib.")
        self.addCleanup(shutil.rmtree, self.tmp)

    def trace(self, *steps):
        path = os.path.join(self.tmp, "trace.jsonl")
        with open(path, "w", encoding="utf-8") as f:
            f.write(json.dumps({"name": "boot", "steps": steps}) + "\n")
        return path

    @staticmethod
    def config(rax):
        def words(*values):
            return b"".join(v.to_bytes(8, "little") for v in values).hex()
        info = words(0, 1 << 30, 0x1000, 0x1000, 0x2000, 0x2000, 0x400000, 0x400000, 0xa0000, 0x60000, 0x800000, 0x1000)
        return {"lp": 0, "leaf": 45, "in": {"rcx": "0x8000", "rdx": "0x1"}, "write": [["0x8000", words(0x9000)], ["0x9000", info]],
                "out": {"rax": rax}}

    def test_tdmrs(self):
        path = self.trace({"lp": 0, "leaf": 33, "out": {"rax": "0x0"}}, self.config("0x8000020000000000"), self.config("0x0"))
        tdmrs = runlib.configured_tdmrs(path)
        self.assertEqual([(t.base, t.size, t.reserved, t.pamt_size) for t in tdmrs], [(0, 1 << 30, 2, 0x403000)])

    def test_none(self):
        self.assertIsNone(runlib.configured_tdmrs(self.trace({"lp": 0, "leaf": 33, "out": {"rax": "0x0"}})))
        self.assertIsNone(runlib.configured_tdmrs(self.trace(self.config("0x8000020000000000"))))

    def test_ram(self):
        self.assertEqual(default.ram_size({"cmrs": [["0x100000", "0x200000"], [4096, 4096]]}), 0x201000)
        self.assertEqual(default.ram_size({"cmrs": [["010", "0X10"], [0, "0010"]]}), 26)
        self.assertEqual(default.ram_size({"cmrs": [[0, 1]], "memory": [
            {"base": 0, "size": "0x1000"}, {"base": 4096, "size": 1, "type": "reserved"}]}), 4096)


class Default(unittest.TestCase):
    TD = "creating a TD through /dev/kvm ...\nTD created in 0.100 s\nstate INITIALIZED\n"

    def verdict(self, text=TD, status=0, qemu=0, findings=(), more=""):
        lines = runlib.parse_console(good_console(text, status) + more)
        return default.verdict(runlib.Boot(qemu, 1.0, ""), lines, findings, 9)

    def test_good(self):
        self.assertEqual(self.verdict(), [])

    def test_bad(self):
        self.assertIn("no TD", self.verdict("no TD: ENODEV\n", 1))
        self.assertIn("the TDX module is not INITIALIZED", self.verdict("TD created\nstate LOADED\n"))
        self.assertIn("the TDX module is not INITIALIZED", self.verdict("TD created\nstate INITIALIZEDX\n"))
        self.assertIn("the machine was killed after 9 s", self.verdict(qemu=None))
        self.assertIn("QEMU ended with status 1", self.verdict(qemu=1))
        self.assertIn("finding of the platform: x", self.verdict(findings=["x"]))
        self.assertIn("the platform did not write its findings", self.verdict(findings=None))
        self.assertIn("the kernel complains: BUG: x", self.verdict(more="[ 9.0] BUG: x\r\n"))
        self.assertTrue(default.verdict(runlib.Boot(0, 1.0, ""), [], [], 9))

    STATUS = ("TDX-INIT: begin tdx-status", out("tdx-status: TDX can not be used\n\nFindings\n  1. BIOS\n     -> look\n\nTDX module\n  state none\n"),
              "TDX-INIT: end tdx-status status=2")

    def test_status_inside(self):
        lines = runlib.parse_console(console("TDX-INIT: begin tdcreate", out(self.TD), "TDX-INIT: end tdcreate status=0", *self.STATUS,
                                             "TDX-INIT: done status=2 programs=2", "reboot: Power down"))
        self.assertEqual(default.verdict(runlib.Boot(0, 1.0, ""), lines, [], 9), ["tdx-status does not say that TDs can be created"])
        self.assertEqual([text for text in default.found_inside(lines) if text],
                         ["tdx-status: TDX can not be used", "Findings", "  1. BIOS", "     -> look"])

    def test_status_not_reached(self):
        self.assertEqual(default.found_inside(runlib.parse_console(good_console())), [])

    def test_short_descriptions(self):
        """What is left out is shown as it is."""
        for platform, text in (({}, "x: 1 package, 2 LPs, 3.86 GiB of RAM, 2 CMRs, 32 TDX KeyIDs, module 1.5.01"),
                               ({"lps": "0x1", "cmrs": [[0, "0x40000000"]], "module": {"loaded": False}},
                                "x: 1 package, 1 LP, 1.00 GiB of RAM, 1 CMR, 32 TDX KeyIDs, no module"),
                               ({"memory": [{"base": 0, "size": 1 << 30}], "tdx_keyids": 1, "module": {"kind": "1.0"}},
                                "x: 1 package, 2 LPs, 1.00 GiB of RAM, 1 TDX KeyID, module 1.0")):
            with self.subTest(platform=platform):
                self.assertIn(text, default.summary("/x", default.whole(platform), {}, None, 1)[0])

if __name__ == "__main__":
    unittest.main()
