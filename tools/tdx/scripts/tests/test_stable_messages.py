# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts of the log that scripts match stay: they are in the documentation, and the kernel says them."""
import glob
import os
import re
import unittest

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "..", ".."))
SOURCES = os.path.join(TOP, "arch/x86/virt/vmx/tdx/*.c")
DOCUMENT = os.path.join(TOP, "Documentation/x86/tdx-host.rst")

# An expression that goes from here breaks somebody's script. New ones may come.
STABLE = [
    r"tdx: .*module initialized",
    r"tdx: SEAMCALL \(0x[0-9a-f]+\) failed: 0x[0-9a-f]+",
    r"SEAMCALL.*failed",
    r"tdx: enabled by firmware: SEAMRR \[0x[0-9a-f]+, 0x[0-9a-f]+\), TDX KeyIDs \[[0-9]+, [0-9]+\)",
    r"tdx: not available: ",
    r"tdx: TDX module [0-9]+\.[0-9]+\.[0-9]+, build [0-9]+ of [0-9]+",
    r"tdx: CMR \[0x[0-9a-f]+, 0x[0-9a-f]+\)",
    r"tdx: [0-9]+ KiB allocated for PAMT of [0-9]+ TDMRs",
    r"tdx: [A-Z.]+ failed on CPU [0-9]+: ",
    r"tdx: .*CPUs [-0-9,]+ are offline",
    r"tdx: module initialization failed \(-?[0-9]+\), the module is as it was",
    r"tdx: module initialization failed \(-?[0-9]+\), the module is shut down",
    r"tdx: memory \[0x[0-9a-f]+, 0x[0-9a-f]+\) may not come online",
]

CALL = re.compile(r'\b(tdx_err|tdx_absent_info|tdx_rare_err|pr_\w+)\(\s*(?:FW_BUG )?"((?:[^"\\]|\\.)*)"')
CONVERSION = re.compile(r"%(?:\*pbl|[-0-9.#]*(?:hh|ll|[hlz])?([a-zA-Z]))")


def examples():
    """What the kernel says, with an example for each value."""
    found = []
    for path in glob.glob(SOURCES):
        with open(path, encoding="utf-8") as f:
            for call, text in CALL.findall(f.read()):
                text = CONVERSION.sub(lambda got: {"s": "TDH.SYS.X", "x": "1f", None: "2-3"}.get(got[1], "1"), text)
                found.append("tdx: " + ("not available: " if call == "tdx_absent_info" else "") + text.replace("\\n", ""))
    return found


class StableMessages(unittest.TestCase):
    def test_are_said(self):
        lines = examples()
        for expression in STABLE:
            with self.subTest(expression=expression):
                self.assertTrue([l for l in lines if re.search(expression, l)], f"the kernel says nothing that matches {expression}")

    def test_are_documented(self):
        with open(DOCUMENT, encoding="utf-8") as f:
            text = f.read()
        block = text[text.index("\nTexts that scripts match\n---"):text.index("\nFor KVM's authors\n===")]
        self.assertEqual([line.strip() for line in re.findall(r"^\t.*$", block, re.M)], [e.strip() for e in STABLE])


if __name__ == "__main__":
    unittest.main()
