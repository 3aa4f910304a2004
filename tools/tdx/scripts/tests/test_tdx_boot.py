# SPDX-License-Identifier: GPL-2.0-or-later
"""What tdx-boot makes of a description."""
import json
import os
import subprocess
import tempfile
import unittest

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "..", ".."))


class TdxBoot(unittest.TestCase):
    def print_command(self, description, *options):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "p.json")
            with open(path, "w", encoding="utf-8") as f:
                f.write(description if isinstance(description, str) else json.dumps(description))
            got = subprocess.run([os.path.join(TOP, "tools/tdx/tdx-boot"), path, "--qemu", "/bin/true", "--print", *options],
                                 capture_output=True, text=True, check=False)
            return got.returncode, got.stdout, got.stderr.replace(folder + "/", "")

    def test_nothing_given(self):
        code, out, err = self.print_command({})
        self.assertEqual((code, err), (0, ""))
        self.assertIn(" -smp 2,sockets=1,cores=2,threads=1 ", out)
        self.assertIn(" -m size=4096M ", out)
        self.assertIn(",max-ram-below-4g=2147483648", out)

    def test_memory(self):
        code, out, _ = self.print_command({"lps": "0x4", "packages": 2, "memory": [
            {"base": 0, "size": "0xa0000"}, {"base": "0x100000000", "size": "0x40000000", "node": 1},
            {"base": "0x200000000", "size": "0x40000000", "type": "hotplug"}]})
        self.assertEqual(code, 0)
        self.assertIn(" -m size=2048M,slots=1,maxmem=6144M ", out)
        self.assertIn("node,nodeid=0,memdev=ram,cpus=0-1", out)
        self.assertIn("node,nodeid=1,cpus=2-3", out)

    def test_refused(self):
        for description, text in (({"lps": 4, "packages": 3}, "p.json: 4 LPs cannot be spread evenly over 3 packages"),
                                  ({"lps": "four"}, "p.json: lps: not a number: 'four'"), ("{", "p.json: Expecting property name"),
                                  ({"cmrs": [[0, "0xd0000000"]]}, "p.json: memory below 4 GiB ends at 0xd0000000")):
            with self.subTest(description=description):
                code, out, err = self.print_command(description)
                self.assertEqual((code, out), (1, ""))
                self.assertIn("tdx-boot: " + text, err)
        code, _, err = self.print_command({}, "--kernel", "/no/such/file")
        self.assertEqual((code, err), (1, "tdx-boot: /no/such/file: no such file\n"))
