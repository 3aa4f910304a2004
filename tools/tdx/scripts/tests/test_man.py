# SPDX-License-Identifier: GPL-2.0-or-later
"""Each command has a manual page, which has all options of the command and no other."""
import glob
import os
import re
import unittest

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "..", ".."))
COMMANDS = {
    "tools/tdx/plan/tdxplan.1": "tools/tdx/plan/tdxplan.c",
    "tools/tdx/decode/tdx-decode.1": "tools/tdx/decode/tdx-decode.c",
    "tools/tdx/status/tdx-status.8": "tools/tdx/status/tdx-status.c",
    "tools/tdx/tdx-boot.1": "tools/tdx/tdx-boot",
    "tools/testing/tdx/tdx-replay.1": "tools/testing/tdx/replay.c",
}
# getopt_long(), comparisons with argv[], argparse
OPTIONS = re.compile(r'\{ "([a-z-]+)", (?:no|required)_argument|"--([a-z]+(?:-[a-z]+)*)"')


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        return f.read()


def taken(source):
    return {a or b for a, b in OPTIONS.findall(read(source))} | {"help"}


def documented(page):
    """Options that begin a paragraph of OPTIONS."""
    section = re.search(r"^\.SH OPTIONS\n(.*?)^\.SH ", read(page), re.M | re.S)[1].replace("\\-", "-")
    heads = re.findall(r"^\.TP\n(.*)", section, re.M)
    return {name for head in heads for name in re.findall(r"--([a-z]+(?:-[a-z]+)*)", head)}


class Man(unittest.TestCase):
    def test_all_pages_are_looked_at(self):
        pages = [p for kind in "18" for p in glob.glob(os.path.join(TOP, "tools/t*/**", "tdx*." + kind), recursive=True)]
        self.assertEqual(sorted(os.path.relpath(p, TOP) for p in pages), sorted(COMMANDS))

    def test_options(self):
        for page, source in COMMANDS.items():
            with self.subTest(page=page):
                self.assertEqual(documented(page), taken(source))
                self.assertGreater(len(taken(source)), 2)

    def test_sections(self):
        for page in COMMANDS:
            with self.subTest(page=page):
                sections = re.findall(r"^\.SH (.*)", read(page), re.M)
                self.assertEqual(sections[:3], ["NAME", "SYNOPSIS", "DESCRIPTION"])
                self.assertTrue({"EXIT STATUS", "EXAMPLES", "SEE ALSO"} <= set(sections))
