# SPDX-License-Identifier: GPL-2.0-or-later
"""Platforms whose firmware makes no sense, each from a number.

What CPUs say (MSRs), all of them or one that differs; CMRs that are empty, in pieces, or leave memory out; a module that is missing, old
or reports nonsense ("hostile": CMRs that overlap or are out of order, absurd limits). The memory of the machine itself is that of the
platform "small", so that a kernel can boot.
"""
import random

LPS = 4
PAGE = 4096
MIB = 1 << 20
RAM = (MIB, 1 << 30)

MTRRCAP, KEYIDS, SEAMRR_BASE, SEAMRR_MASK, MCHECK = 0xfe, 0x87, 0x1400, 0x1401, 0xa0

# Bits and values that are looked at, beside those that are not
KEYID_NUMBERS = (0, 1, 2, 3, 31, 63, 64, 1 << 14, (1 << 15) - 1, 1 << 15, (1 << 16) - 1, 1 << 31, (1 << 32) - 1)
SEAMRR_BASES = (0, MIB, 32 * MIB, 512 * MIB, 1 << 30, 1 << 32, 1 << 51, (1 << 52) - 32 * MIB, (1 << 64) - 32 * MIB)


def msr_value(rng, msr):
    if msr == MTRRCAP:
        return rng.choice((0, 1 << 15))
    if msr == KEYIDS:
        return rng.choice(KEYID_NUMBERS) << 32 | rng.choice(KEYID_NUMBERS)
    if msr == SEAMRR_BASE:
        return rng.choice(SEAMRR_BASES) | rng.choice((0, 1 << 3))
    if msr == SEAMRR_MASK:
        # An enabled SEAMRR most of the time: else nothing more is looked at.
        bits = rng.choice((3, 3, 3, 2, 1, 0)) << 10
        return rng.choice((0, (1 << 52) - 32 * MIB, (1 << 46) - 32 * MIB, (1 << 64) - 32 * MIB, 0x123456789abcd000)) & ~0xfff | bits
    return rng.getrandbits(64)


def cmrs(rng):
    """Ascending and without overlap, as everything that the platform takes; the order is what "hostile" breaks."""
    edges = sorted(rng.sample(range(RAM[0] // PAGE, RAM[1] // PAGE), 2 * rng.choice((0, 1, 2, 8, 16))))
    pieces = [[hex(a * PAGE), hex((b - a) * PAGE)] for a, b in zip(edges[::2], edges[1::2])]
    if rng.random() < 0.5:
        # All memory, cut in pieces that touch
        cuts = [RAM[0], *(e * PAGE for e in edges), RAM[1]]
        pieces = [[hex(a), hex(b - a)] for a, b in zip(cuts, cuts[1:])][:31]
        last = int(pieces[-1][0], 0)
        pieces[-1][1] = hex(RAM[1] - last)
    for _ in range(rng.choice((0, 0, 1, 3))):
        if len(pieces) < 32:
            pieces.insert(rng.randrange(len(pieces) + 1), ["0x0", "0x0"])
    return pieces


def platform(seed):
    """Members that replace those of the platform "small"."""
    rng = random.Random(seed)
    machine = {}
    kinds = rng.sample(("msr", "lp", "cmrs", "hostile", "module"), rng.choice((1, 1, 2, 3)))
    quirks = []
    if "msr" in kinds:
        quirks += [[-1, msr, msr_value(rng, msr)] for msr in rng.sample((MTRRCAP, KEYIDS, SEAMRR_BASE, SEAMRR_MASK, MCHECK), 2)]
    if "lp" in kinds:
        msr = rng.choice((MTRRCAP, KEYIDS, SEAMRR_BASE, SEAMRR_MASK))
        quirks.append([rng.randrange(LPS), msr, msr_value(rng, msr)])
    if quirks:
        machine["quirks"] = {"msr": [[lp, hex(msr), hex(value)] for lp, msr, value in quirks]}
    if "cmrs" in kinds:
        machine["cmrs"] = cmrs(rng)
    if "hostile" in kinds:
        machine["hostile"] = rng.getrandbits(32) | 1
    if "module" in kinds:
        machine["module"] = rng.choice(({"kind": "1.0"}, {"kind": "2.0.08"}, {"loaded": False}, {"seamldr": False}, {"no_rbp_mod": False}))
    return machine
