# SPDX-License-Identifier: GPL-2.0-or-later
"""Every error that the kernel can say is in the table of Documentation/x86/tdx-host.rst, and the table has no other."""
import glob
import os
import re
import unittest

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "..", ".."))
SOURCES = os.path.join(TOP, "arch/x86/virt/vmx/tdx/*.c")
TABLE = os.path.join(TOP, "Documentation/x86/tdx-host.rst")

CALL = re.compile(r'\b(tdx_err|tdx_absent_info|tdx_rare_err|pr_err|pr_err_ratelimited|pr_warn|pr_warn_once)\(\s*(?:FW_BUG )?"((?:[^"\\]|\\.)*)"')
CONVERSION = re.compile(r"%(?:\*pbl|[-0-9.#]*(?:hh|ll|[hlz])?[a-zA-Z])")


def said():
    """Formats of all error messages: {text with "..." for what differs: file}."""
    found = {}
    for path in glob.glob(SOURCES):
        with open(path, encoding="utf-8") as f:
            for call, text in CALL.findall(f.read()):
                text = CONVERSION.sub("...", text.replace("\\n", "").replace('\\"', '"'))
                prefix = "not available: " if call == "tdx_absent_info" else ""
                found[prefix + text] = os.path.basename(path)
    return found


def documented():
    """First cells of the rows of the table."""
    with open(TABLE, encoding="utf-8") as f:
        text = f.read()
    table = text[text.index("What the log says\n---"):text.index("Texts that scripts match\n---")]
    cells = re.findall(r"^   \* - (.*?)^     - ", table, re.M | re.S)
    return [message for cell in cells for message in re.findall(r"``(.*?)``", cell, re.S)]


def matches(message, text):
    """Does a message of the table stand for this text?"""
    return re.search(".*?".join(re.escape(part) for part in message.split("...")), text)


class Messages(unittest.TestCase):
    def test_found(self):
        self.assertGreater(len(said()), 30)
        self.assertGreater(len(documented()), 25)

    def test_all_are_documented(self):
        table = documented()
        for text, where in said().items():
            with self.subTest(text=text):
                self.assertTrue([m for m in table if matches(m, text)], f"{where}: not in the table: {text}")

    def test_all_exist(self):
        texts = said()
        for message in documented():
            with self.subTest(message=message):
                self.assertTrue([t for t in texts if matches(message, t)], f"nothing says so: {message}")


if __name__ == "__main__":
    unittest.main()
