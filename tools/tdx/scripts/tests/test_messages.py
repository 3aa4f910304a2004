# SPDX-License-Identifier: GPL-2.0-or-later
"""Every error that the kernel can say is in the table of Documentation/x86/tdx-host.rst, and the table has no other."""
import glob
import os
import re
import unittest

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "..", ".."))
SOURCES = os.path.join(TOP, "arch/x86/virt/vmx/tdx/*.c")
PATCHES = os.path.join(TOP, "patches/linux-6.1/*.patch")
TABLE = os.path.join(TOP, "Documentation/x86/tdx-host.rst")

ERRORS = r"tdx_err|tdx_absent_info|tdx_rare_err|pr_(?:emerg|alert|crit|err|warn)(?:_once|_ratelimited)?"
INFOS = r"pr_(?:notice|info)(?:_once|_ratelimited)?"
# Not "printk()", as comments have it
ANY = r"\b(?:tdx_err|tdx_absent_info|tdx_rare_err|pr_(?!fmt\b)\w+|printk\w*)\((?!\))"
FORMAT = r'\(\s*(?:FW_BUG |HW_ERR )?"((?:[^"\\]|\\.)*)"\s*[,)]'
CONVERSION = re.compile(r"%(?:\*pbl|[-0-9.#]*(?:hh|ll|[hlz])?[a-zA-Z])")


def sources():
    """(name, text) of the files of the kernel's TDX host code."""
    for path in glob.glob(SOURCES):
        with open(path, encoding="utf-8") as f:
            yield os.path.basename(path), f.read()


def added():
    """(name, text) of what the patches add to other code of the kernel."""
    for path in glob.glob(PATCHES):
        with open(path, encoding="utf-8") as f:
            yield os.path.basename(path), "".join(line[1:] for line in f if line.startswith("+") and not line.startswith("+++"))


def said(calls=ERRORS, texts=sources):
    """Formats of all messages that these calls print: {text with "..." for what differs: file}."""
    found = {}
    for where, source in texts():
        for call, text in re.findall(rf"\b({calls}){FORMAT}", source):
            text = CONVERSION.sub("...", text.replace("\\n", "").replace('\\"', '"'))
            text = re.sub(r"\.{3,}", "...", text)      # "...": one for "%u.%u"
            prefix = "not available: " if call == "tdx_absent_info" else ""
            found[prefix + text] = where
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
        self.assertGreater(len(said(INFOS)), 5)
        self.assertGreater(len(documented()), 25)

    def test_none_is_overlooked(self):
        """Every call that prints has a format in one piece, which said() finds."""
        for texts in sources, added:
            for where, source in texts():
                with self.subTest(where=where):
                    calls = re.findall(ANY, source)
                    self.assertEqual(len(re.findall(rf"\b(?:{ERRORS}|{INFOS}){FORMAT}", source)), len(calls), calls)

    def test_all_are_documented(self):
        table = documented()
        for texts in sources, added:
            for text, where in said(texts=texts).items():
                with self.subTest(text=text):
                    self.assertTrue([m for m in table if matches(m, text)], f"{where}: not in the table: {text}")

    def test_all_exist(self):
        texts = said() | said(texts=added)
        for message in documented():
            with self.subTest(message=message):
                self.assertTrue([t for t in texts if matches(message, t)], f"nothing says so: {message}")


if __name__ == "__main__":
    unittest.main()
