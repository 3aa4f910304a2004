# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines whose firmware makes no sense: every class of nonsense comes, alone and by chance, and is one."""
import os
import re
import sys
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.realpath(os.path.join(HERE, "..", "..", "..", ".."))
sys.path.insert(0, os.path.dirname(HERE))
import firmware  # noqa: E402
import runlib  # noqa: E402

MIB = 1 << 20
DIRECTED = len(firmware.DIRECTED)


def msr(*quirks):
    return {"quirks": {"msr": [[lp, hex(number), hex(value)] for lp, number, value in quirks]}}


def with_cmrs(*cmrs):
    return {"cmrs": [list(c) for c in cmrs]}


class Directed(unittest.TestCase):
    def test_each_class_comes(self):
        met = [name for made in firmware.DIRECTED for name in firmware.classes(made.machine)]
        self.assertEqual(set(met), set(firmware.CLASSES))

    def test_each_is_of_a_class(self):
        for made in firmware.DIRECTED:
            self.assertTrue(firmware.classes(made.machine), made.about)

    def test_they_are_the_first(self):
        self.assertEqual([firmware.platform(seed + 1) for seed in range(DIRECTED)], list(firmware.DIRECTED))

    def test_make_test_boots_all_of_them(self):
        with open(os.path.join(TOP, "Makefile"), encoding="utf-8") as f:
            self.assertEqual(re.findall(r"^FIRMWARE := (\d+)$", f.read(), re.M), [str(DIRECTED)])

    def test_messages_are_known(self):
        known = runlib.load_messages()
        for made in firmware.DIRECTED:
            self.assertLessEqual(set(made.messages), set(known), made.about)


class ByChance(unittest.TestCase):
    machines = [firmware.platform(seed).machine for seed in range(DIRECTED + 1, 501)]

    def test_each_class_comes(self):
        for name in firmware.CLASSES:
            self.assertGreaterEqual(sum(name in firmware.classes(m) for m in self.machines), 3, name)

    def test_a_number_is_a_machine(self):
        self.assertEqual(firmware.platform(77), firmware.platform(77))
        self.assertGreater(len({repr(m) for m in self.machines}), 400)


class Classes(unittest.TestCase):
    def check(self, machine, *wanted):
        self.assertEqual(firmware.classes(machine), set(wanted))

    def test_what_is_good_is_none(self):
        self.check({})
        self.check(with_cmrs((MIB, 511 * MIB), (512 * MIB, 512 * MIB)))
        self.check({"hostile": {"MAX_TDMRS": 64, "MAX_RESERVED_PER_TDMR": 16, "PAMT_4K_ENTRY_SIZE": 16, "MAJOR_VERSION": 2}})
        self.check(msr((-1, 0x87, 2 << 32 | 31), (-1, 0xa0, 5)))

    def test_numbers(self):
        self.check(msr((-1, 0x87, 31)), "0 TDX KeyIDs")
        self.check(msr((-1, 0x87, 1 << 32)), "1 TDX KeyID")
        self.check(msr((-1, 0x87, 1 << 47)), "2^15 TDX KeyIDs")
        self.check(msr((-1, 0x87, 1 << 46)))
        self.check({"hostile": {"PAMT_1G_ENTRY_SIZE": 4096}})
        self.check({"hostile": {"PAMT_1G_ENTRY_SIZE": 4097}}, "huge PAMT entries")

    def test_seamrr(self):
        self.check(msr((-1, 0x1400, 0x20000008)), "SEAMRR over RAM")
        self.check(msr((-1, 0x1400, 0x40000008)))
        self.check(msr((-1, 0x1401, 0xffffffe000800)), "SEAMRR not locked")
        self.check(msr((-1, 0x1401, 0xffffffe000400)))

    def test_cmrs(self):
        self.check(with_cmrs((MIB, MIB), (0, 0)), "empty CMRs")
        self.check({"quirks": with_cmrs((MIB, 2 * MIB), (0, 0), (2 * MIB, MIB))}, "overlapping CMRs")
        self.check({"quirks": with_cmrs((3 * MIB, MIB), (MIB, MIB))}, "unsorted CMRs")
        self.check({"quirks": with_cmrs((2 * MIB, 2 * MIB), (MIB, 2 * MIB))}, "overlapping CMRs", "unsorted CMRs")
        self.check({"hostile": firmware.claim_cmrs([[2 * MIB, MIB], [MIB, MIB]])}, "unsorted CMRs")

    def test_cpus(self):
        self.check(msr((2, 0x87, 8 << 32), (3, 0x87, 8 << 32)), "packages differ")
        self.check(msr((0, 0x87, 8 << 32), (1, 0x87, 8 << 32)), "packages differ")
        self.check(msr((3, 0x87, 8 << 32)))
        self.check(msr((-1, 0x87, 8 << 32)))
        # Of MTRRCAP one bit counts, and the last quirk of an MSR
        self.check(msr((2, 0xfe, 0x8d0a), (3, 0xfe, 0x8d0a)))
        self.check(msr((2, 0x87, 0), (3, 0x87, 0), (-1, 0x87, 8 << 32)))

    def test_what_nobody_gets_to_see_is_none(self):
        zero = {"MAX_TDMRS": 0, "MAX_RESERVED_PER_TDMR": 0, "PAMT_4K_ENTRY_SIZE": 0}
        self.check({"hostile": zero}, "0 TDMRs")
        self.check({"hostile": zero, "module": {"loaded": False}})
        self.check({"hostile": zero, **msr((-1, 0xfe, 0))})
        self.check({"hostile": zero, "seamrr": {"locked": False}}, "SEAMRR not locked")
        self.check({"hostile": zero, "quirks": with_cmrs((MIB, MIB), (MIB, MIB))}, "overlapping CMRs")
        self.check({"hostile": zero, **msr((-1, 0x87, 31))}, "0 TDX KeyIDs")
        self.check({"hostile": {"PAMT_2M_ENTRY_SIZE": 0}, "module": {"kind": "1.0"}})

    def test_report(self):
        lines = list(firmware.report([({}, "a TD"), ({"hostile": {"MAX_TDMRS": 0}}, "EIO"), (with_cmrs((0, 0)), "EIO"),
                                      (with_cmrs((0, 0), (MIB, MIB)), "a TD"), (with_cmrs((0, 0), (MIB, MIB)), "a TD")]))
        self.assertEqual(len(lines), len(firmware.CLASSES))
        self.assertIn("0 TDMRs: 1, EIO 1", lines)
        self.assertIn("empty CMRs: 3, a TD 2, EIO 1", lines)
        self.assertIn("1 TDX KeyID: 0", lines)


if __name__ == "__main__":
    unittest.main()
