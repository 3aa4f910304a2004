# SPDX-License-Identifier: GPL-2.0-or-later
"""tools/tdx/scripts/make-patches on a small repository: what a plan may say, and how Makefile and Kconfig grow."""
import importlib.machinery
import importlib.util
import io
import os
import shutil
import subprocess
import tempfile
import unittest
from contextlib import redirect_stderr, redirect_stdout
from unittest import mock

HERE = os.path.dirname(os.path.realpath(__file__))
MAKE_PATCHES = os.path.join(HERE, "..", "make-patches")

MAKEFILE = "obj-y += one.o two.o\nobj-$(CONFIG_THIRD) += three/\nextra := one\n"
KCONFIG = "config FIRST\n\tbool\n\nconfig THIRD\n\tbool\n\nconfig FOURTH\n\tbool\n"
PLAN = """Subject: cover

All of it.
%%
Subject: first
Files: arch/d/Makefile arch/d/Kconfig arch/d/one.c

One.
%%
Subject: second
Files: arch/d/two.S

Two.
%%
Subject: third
Files: arch/d/three/*

Three.
"""


class MakePatches(unittest.TestCase):
    def setUp(self):
        self.tmp = tempfile.mkdtemp(prefix="test-make-patches.")
        self.addCleanup(shutil.rmtree, self.tmp)
        for name, text in (("arch/d/Makefile", MAKEFILE), ("arch/d/Kconfig", KCONFIG), ("arch/d/one.c", "1\n"), ("arch/d/two.S", "2\n"),
                           ("arch/d/three/x.c", "#ifdef CONFIG_FOURTH\n"), ("arch/Makefile", "obj-$(CONFIG_FIRST) += d/\n"),
                           ("patches/linux-6.1/series", ""), ("MAINTAINERS", "DOORS\nM:\tA Name <a@example.org>\nS:\tMaintained\n")):
            self.write(name, text)
        self.plan = PLAN.replace("Files: arch/d/Makefile", "Files: arch/Makefile arch/d/Makefile")

    def write(self, name, text):
        path = os.path.join(self.tmp, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)

    def make(self):
        """(exit status, {name: text of a patch}, standard error)"""
        self.write("patches/linux-6.1/commits", self.plan)
        loader = importlib.machinery.SourceFileLoader("make_patches", MAKE_PATCHES)
        module = importlib.util.module_from_spec(importlib.util.spec_from_loader("make_patches", loader))
        loader.exec_module(module)
        module.apply.TOP = self.tmp
        out = os.path.join(self.tmp, "out")
        err = io.StringIO()
        with mock.patch("sys.argv", ["make-patches", self.tmp, out]), redirect_stdout(io.StringIO()), redirect_stderr(err):
            code = module.main()
        patches = {}
        for name in sorted(os.listdir(out)) if os.path.isdir(out) else []:
            with open(os.path.join(out, name), encoding="utf-8") as f:
                patches[name] = f.read()
        return code, patches, err.getvalue()

    def test_grows(self):
        code, patches, err = self.make()
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(list(patches), ["0000-cover-letter.patch", "0001-first.patch", "0002-second.patch", "0003-third.patch"])
        self.assertIn("All of it.", patches["0000-cover-letter.patch"])
        self.assertIn("+obj-y += one.o\n", patches["0001-first.patch"])
        self.assertIn("+config FIRST", patches["0001-first.patch"])
        self.assertNotIn("three", patches["0001-first.patch"])
        self.assertNotIn("+config THIRD", patches["0001-first.patch"])
        self.assertIn("+obj-y += one.o two.o\n", patches["0002-second.patch"])
        self.assertIn("+obj-$(CONFIG_THIRD) += three/\n", patches["0003-third.patch"])
        self.assertIn("+config THIRD", patches["0003-third.patch"])
        self.assertIn("+config FOURTH", patches["0003-third.patch"])
        self.assertIn("Signed-off-by: A Name <a@example.org>", patches["0003-third.patch"])

    def refused(self, *words):
        code, _, err = self.make()
        self.assertEqual(code, 1)
        for word in words:
            self.assertIn(word, err)

    def test_file_in_no_commit(self):
        self.write("arch/d/new.c", "new\n")
        self.refused("in no commit", "arch/d/new.c")

    def test_file_in_two_commits(self):
        self.plan = self.plan.replace("two.S", "two.S arch/d/one.c")
        self.refused("arch/d/one.c is in two commits", "'first'", "'second'")

    def test_file_that_is_not_there(self):
        self.plan = self.plan.replace("two.S", "too.S")
        self.refused("'second'", "arch/d/too.S matches no file")

    def test_line_without_a_file(self):
        self.write("arch/d/Makefile", MAKEFILE + "obj-y += gone.o\n")
        self.refused("arch/d/Makefile is not complete")

    def test_patch_in_no_commit(self):
        self.write("patches/linux-6.1/series", "hook.patch\n")
        self.write("patches/linux-6.1/hook.patch", "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n")
        self.refused("in no commit", "hook.patch")

    def test_field_that_nobody_knows(self):
        self.plan = self.plan.replace("Subject: second", "Subjct: second")
        self.refused("want Subject:, Files: or Patches:")


if __name__ == "__main__":
    unittest.main()
