# SPDX-License-Identifier: GPL-2.0-or-later
"""tools/tdx/apply on small trees: what it writes, keeps, refuses and takes back."""
import importlib.machinery
import importlib.util
import io
import os
import shutil
import tempfile
import unittest
from contextlib import redirect_stderr, redirect_stdout
from unittest import mock

HERE = os.path.dirname(os.path.realpath(__file__))
APPLY = os.path.join(HERE, "..", "..", "apply")

PATCH = """From: A <a@example.org>
Subject: hook

--- a/kernel/old.c
+++ b/kernel/old.c
@@ -1,3 +1,4 @@
 one
+hook
 two
 three
"""


def load():
    loader = importlib.machinery.SourceFileLoader("apply", APPLY)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("apply", loader))
    loader.exec_module(module)
    return module


class Apply(unittest.TestCase):
    def setUp(self):
        self.tmp = tempfile.mkdtemp(prefix="test-apply.")
        self.addCleanup(shutil.rmtree, self.tmp)
        self.top = os.path.join(self.tmp, "repo")
        self.tree = os.path.join(self.tmp, "linux")
        self.write(self.top, "arch/new.c", "new\n")
        self.write(self.top, "patches/linux-6.1/series", "# order\nhook.patch\n")
        self.write(self.top, "patches/linux-6.1/hook.patch", PATCH)
        self.write(self.tree, "Makefile", "VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 9\n")
        self.write(self.tree, "Kbuild", "")
        self.write(self.tree, "kernel/old.c", "one\ntwo\nthree\n")
        self.before = self.snapshot()

    @staticmethod
    def write(root, name, text):
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)

    def text(self, name):
        with open(os.path.join(self.tree, name), encoding="utf-8") as f:
            return f.read()

    def snapshot(self):
        found = {}
        for folder, _, names in os.walk(self.tree):
            for name in names:
                path = os.path.relpath(os.path.join(folder, name), self.tree)
                found[path] = self.text(path)
        return found

    def run_apply(self, *args):
        """(exit status, standard output, standard error)"""
        module = load()
        module.TOP = self.top
        out, err = io.StringIO(), io.StringIO()
        with mock.patch("sys.argv", ["apply", *args, self.tree]), redirect_stdout(out), redirect_stderr(err):
            code = module.main()
        return code, out.getvalue(), err.getvalue()

    def test_apply_and_reverse(self):
        self.assertEqual(self.run_apply()[0], 0)
        self.assertEqual(self.text("kernel/old.c"), "one\nhook\ntwo\nthree\n")
        self.assertEqual(self.text("arch/new.c"), "new\n")
        self.assertEqual(self.run_apply("--reverse")[0], 0)
        self.assertEqual(self.snapshot(), self.before)
        self.assertFalse(os.path.exists(os.path.join(self.tree, "arch")))

    def test_second_run_writes_nothing(self):
        self.run_apply()
        stamps = {n: os.stat(os.path.join(self.tree, n)).st_mtime_ns for n in self.snapshot()}
        code, out, _ = self.run_apply()
        self.assertEqual(code, 0)
        self.assertIn("0 written", out)
        self.assertEqual(stamps, {n: os.stat(os.path.join(self.tree, n)).st_mtime_ns for n in self.snapshot()})

    def test_changed_file_is_the_only_one_written(self):
        self.run_apply()
        self.write(self.top, "arch/new.c", "newer\n")
        _, out, _ = self.run_apply()
        self.assertIn("wrote arch/new.c", out)
        self.assertIn("1 written", out)
        self.assertEqual(self.text("arch/new.c"), "newer\n")

    def test_changed_series_starts_from_the_original(self):
        self.run_apply()
        self.write(self.top, "patches/linux-6.1/hook.patch", PATCH.replace("+hook", "+other"))
        self.assertEqual(self.run_apply()[0], 0)
        self.assertEqual(self.text("kernel/old.c"), "one\nother\ntwo\nthree\n")

    def test_file_that_left_the_series_goes_back(self):
        self.run_apply()
        self.write(self.top, "patches/linux-6.1/series", "")
        os.remove(os.path.join(self.top, "arch/new.c"))
        self.assertEqual(self.run_apply()[0], 0)
        self.assertEqual(self.text("kernel/old.c"), "one\ntwo\nthree\n")
        self.assertFalse(os.path.exists(os.path.join(self.tree, "arch/new.c")))

    def test_dry_run_changes_nothing(self):
        code, out, _ = self.run_apply("--dry-run")
        self.assertEqual(code, 0)
        self.assertIn("would write kernel/old.c", out)
        self.assertEqual(self.snapshot(), self.before)

    def test_patch_that_does_not_fit_changes_nothing(self):
        self.write(self.tree, "kernel/old.c", "quite\nanother\nfile\n")
        before = self.snapshot()
        code, _, err = self.run_apply()
        self.assertEqual(code, 1)
        self.assertIn("hook.patch does not fit", err)
        self.assertIn("kernel/old.c", err)
        self.assertEqual(self.snapshot(), before)

    def test_file_in_the_way(self):
        self.write(self.tree, "arch/new.c", "somebody else's\n")
        before = self.snapshot()
        code, _, err = self.run_apply()
        self.assertEqual(code, 1)
        self.assertIn("arch/new.c", err)
        self.assertEqual(self.snapshot(), before)

    def test_reverse_keeps_edits(self):
        self.run_apply()
        self.write(self.tree, "arch/new.c", "my edit\n")
        code, _, err = self.run_apply("--reverse")
        self.assertEqual(code, 1)
        self.assertIn("arch/new.c", err)
        self.assertEqual(self.text("arch/new.c"), "my edit\n")

    def test_other_version(self):
        self.write(self.tree, "Makefile", "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\n")
        code, _, err = self.run_apply()
        self.assertEqual(code, 1)
        self.assertIn("6.12.1", err)

    def test_not_a_source_tree(self):
        os.remove(os.path.join(self.tree, "Kbuild"))
        code, _, err = self.run_apply()
        self.assertEqual(code, 1)
        self.assertIn("neither a Linux nor a QEMU source tree", err)


if __name__ == "__main__":
    unittest.main()
