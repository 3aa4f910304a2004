# SPDX-License-Identifier: GPL-2.0-or-later
"""What bench makes of what a machine says."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))
import benchlib  # noqa: E402

TIMES = [("SEAMLDR", 0, 1), ("TDH.SYS.INIT", 2, 3), ("TDH.SYS.LP.INIT", 3, 7), ("TDH.SYS.RD", 8, 9), ("TDH.SYS.CONFIG", 40, 41),
         ("TDH.SYS.KEY.CONFIG", 50, 52), ("TDH.SYS.TDMR.INIT", 52, 100)]


class Bench(unittest.TestCase):
    def test_figures(self):
        got = benchlib.figures({
            "leaf_times": {leaf: {"first_ns": first * 1000000, "last_ns": last * 1000000} for leaf, first, last in TIMES},
            "mark": {"first_ns": 10000000}, "seamcalls": {"TDH.SYS.INIT": 1, "TDH.SYS.TDMR.INIT": 512}, "seamldr_calls": 2,
            "lps": [{"calls": 300}, {"calls": 213}], "tdmrs": [{"pamt_size": 4096}, {"pamt_size": 8192}]})
        self.assertEqual(got, {"detect": 2, "lp_init": 5, "plan": 3, "pamt": 30, "flush": 10, "keys": 2, "tdmr_init": 48, "total": 100,
                               "calls": 515, "critical": 300, "pamt_kib": 12})
        self.assertEqual(sum(got[phase] for phase in benchlib.PHASES), got["total"])

    def test_machine(self):
        for lps, gib in ((1, 4), (16, 256)):
            machine = benchlib.machine(lps, gib, 10000)
            self.assertLess(abs(sum(int(m["size"], 0) for m in machine["memory"]) - gib * benchlib.GIB), benchlib.GIB)
            self.assertEqual(machine["latency_ns"], {"TDH.SYS.TDMR.INIT": 10000})
        self.assertEqual(benchlib.machine(1, 4, 0)["latency_ns"], {})

    def test_in_turn(self):
        order = []
        rows = benchlib.in_turn(2, ["b", "a"], lambda case: order.append(case) or len(order))
        self.assertEqual(order, ["a", "b", "b", "a"])
        self.assertEqual(rows, {"a": [1, 4], "b": [2, 3]})

    def test_gaps(self):
        self.assertEqual(benchlib.gaps("x gap idle: 1000000 ns on CPU 1\ngap init: 2500000 ns on CPU 0\n"), {"idle": 1000, "init": 2500})
        with self.assertRaises(benchlib.Failed):
            benchlib.gaps("gap idle: 1000000 ns on CPU 1")

    def test_unused(self):
        log = "[    0.161356] TDX-INIT: begin td_free\n[    0.162000] TDX-OUT: free 3856688 KiB\n"
        self.assertEqual(benchlib.unused({"leaf_times": {}, "cpu_seconds": 2.5}, log),
                         {"boot_ms": 161.356, "free_kib": 3856688, "cpu_seconds": 2.5})
        for stats, console in (({"leaf_times": {"TDH.SYS.INIT": {}}, "cpu_seconds": 1}, log), ({"leaf_times": {}, "cpu_seconds": 1}, "")):
            with self.assertRaises(benchlib.Failed):
                benchlib.unused(stats, console)
