# SPDX-License-Identifier: GPL-2.0-or-later
"""The platforms with the memory of real machines are what map-platform makes of the machines' logs."""
import glob
import os
import subprocess
import tempfile
import unittest

SCRIPTS = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
TOP = os.path.realpath(os.path.join(SCRIPTS, "..", "..", ".."))
MAPS = os.path.join(TOP, "tools/tdx/platforms/maps")


def contents(folder):
    out = {}
    for path in glob.glob(os.path.join(folder, "*.json")):
        with open(path, encoding="utf-8") as f:
            out[os.path.basename(path)] = f.read()
    return out


class Maps(unittest.TestCase):
    def test_platforms_are_those_of_the_logs(self):
        logs = sorted(glob.glob(os.path.join(TOP, "tools/testing/tdx/plan/maps/*.txt")))
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([os.path.join(SCRIPTS, "map-platform"), *logs, "--out", folder], check=True)
            made = contents(folder)
        self.assertEqual(made, contents(MAPS), f"run tools/tdx/scripts/map-platform tools/testing/tdx/plan/maps/*.txt --out {MAPS}")
        self.assertGreater(len(made), 20)
