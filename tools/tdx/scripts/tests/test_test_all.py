# SPDX-License-Identifier: GPL-2.0-or-later
"""test-all runs suites beside each other, shows them one after the other, and counts what went wrong."""
import contextlib
import importlib.machinery
import importlib.util
import io
import os
import tempfile
import unittest

SCRIPTS = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))


def load():
    loader = importlib.machinery.SourceFileLoader("test_all", os.path.join(SCRIPTS, "test-all"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("test_all", loader))
    loader.exec_module(module)
    return module


class TestAll(unittest.TestCase):
    def setUp(self):
        self.all = load()
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.all.BUILD = self.all.TOP = self.folder.name

    def suite(self, name, script, cpus=1):
        return self.all.Suite(name, "", cpus, ["sh", "-ec", script])

    def run_suites(self, *suites, cpus=2):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            self.all.Runner(suites, cpus).all()
        return out.getvalue().splitlines()

    def test_beside_each_other(self):
        """Each of the two only ends when the other one has begun."""
        meet = "mkfifo to-{1} 2>/dev/null || test -p to-{1}; mkfifo to-{0} 2>/dev/null || test -p to-{0}; "
        a = self.suite("a", meet.format("a", "b") + "echo hello > to-b; read x < to-a; echo 1 passed, 0 failed")
        b = self.suite("b", meet.format("b", "a") + "read x < to-b; echo hello > to-a; echo 2 passed, 0 failed")
        self.run_suites(a, b)
        self.assertEqual([(s.passed, s.failed) for s in (a, b)], [(1, 0), (2, 0)])

    def test_shown_one_after_the_other(self):
        a = self.suite("a", "mkfifo go; echo a1; read x < go; echo a2; echo 1 passed, 0 failed")
        b = self.suite("b", "echo b1; echo 1 passed, 0 failed; while ! test -p go; do :; done; echo > go")
        lines = [line.strip() for line in self.run_suites(a, b)]
        self.assertLess(lines.index("a2"), lines.index("b1"))

    def test_alone(self):
        """One that needs all CPUs neither begins beside others nor has others beside it."""
        mark = "mkdir busy; rmdir busy; echo 1 passed, 0 failed"
        suites = [self.suite("a", mark, 2), self.suite("b", "test ! -e busy; echo 1 passed, 0 failed"), self.suite("c", mark, 8)]
        self.run_suites(*suites)
        self.assertEqual([s.failed for s in suites], [0, 0, 0])
        suites = [self.suite("a", "mkfifo f; read x < f; echo 1 passed, 0 failed", 1), self.suite("big", "test -e done; echo 1 passed, 0 failed", 2),
                  self.suite("b", "while ! test -p f; do :; done; touch done; echo > f; echo 1 passed, 0 failed", 1)]
        self.run_suites(*suites)
        self.assertEqual([s.failed for s in suites], [0, 0, 0])

    def test_failures(self):
        for script, counts in (("echo 3 passed, 2 failed; exit 1", (3, 2)), ("echo 3 passed, 0 failed; exit 1", (3, 1)), ("echo hello", (0, 1)),
                               ("kill -9 $$", (0, 1)), ("echo suite: 4 passed, 0 failed, 1 skipped", (4, 0))):
            with self.subTest(script=script):
                suite = self.suite("s", script)
                self.run_suites(suite)
                self.assertEqual((suite.passed, suite.failed), counts)
        suite = self.all.Suite("s", "", 1, ["/nonexistent"])
        self.run_suites(suite)
        self.assertEqual((suite.passed, suite.failed), (0, 1))

    def test_cpu_time(self):
        suite = self.suite("s", "i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done; echo 1 passed, 0 failed")
        self.run_suites(suite)
        self.assertGreater(suite.cpu_seconds, 0)
