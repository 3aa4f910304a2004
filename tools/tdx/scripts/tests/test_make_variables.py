# SPDX-License-Identifier: GPL-2.0-or-later
"""Variables that people set for the Makefile get to every make below it: none of those has one of that name for itself."""
import os
import re
import subprocess
import unittest

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "..", ".."))


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        return f.read()


class Variables(unittest.TestCase):
    def test_none_is_taken_below(self):
        theirs = set(re.findall(r"^(\w+) \?=", read("Makefile"), re.M)) | {"LINUX_SRC", "QEMU_SRC", "BENCH"}
        self.assertIn("PLATFORM", theirs)
        files = subprocess.run(["git", "ls-files", "tools/*Makefile"], cwd=TOP, check=True, capture_output=True, text=True).stdout.split()
        self.assertGreater(len(files), 3)
        for path in files:
            # "?=" is for those who set it
            own = set(re.findall(r"^(?:override )?(\w+) *(?:::?=|\+=|=)", read(path), re.M))
            self.assertFalse(own & theirs, f"{path} sets what the command line may have set: {own & theirs}")

    def test_qemu_of_ones_own_is_booted(self):
        command = ["make", "-s", "--eval", "show:\n\t@echo $(QEMU_BIN) $$TDX_QEMU", "show", "QEMU_SRC=/nowhere"]
        built, booted = subprocess.run(command, cwd=TOP, check=True, capture_output=True, text=True).stdout.split()
        self.assertIn("build/qemu-user-obj/", built)
        self.assertEqual(built, booted)


if __name__ == "__main__":
    unittest.main()
