# SPDX-License-Identifier: GPL-2.0-or-later
"""Platforms whose firmware makes no sense, each from a number: the first ones have one thing wrong each, the others what chance has.

What CPUs say (MSRs), all of them, those of a package, or one that differs; CMRs that are empty, in pieces, or leave memory out; CMRs that
firmware tells the module out of order or overlapping; a module that is missing, old, lies about some fields ("hostile": an object) or
about anything ("hostile": a number). The memory of the machine itself is that of the platform "small", so that a kernel can boot.
"""
import collections
import random

LPS, PACKAGES = 4, 2
PAGE = 4096
MIB = 1 << 20
RAM = (MIB, 1 << 30)
MAX_CMRS = 32

MTRRCAP, KEYIDS, SEAMRR_BASE, SEAMRR_MASK, MCHECK = 0xfe, 0x87, 0x1400, 0x1401, 0xa0
HAS_SEAMRR, CONFIGURED, LOCKED, ENABLED = 1 << 15, 1 << 3, 1 << 10, 1 << 11
SEAMRR_ADDR = (1 << 52) - 32 * MIB
# What the kernel looks at, as it is on "small"; SEAMRR is where no RAM is
MSRS = {MTRRCAP: HAS_SEAMRR, KEYIDS: 32 << 32 | 31, SEAMRR_BASE: 0x7a000000 | CONFIGURED, SEAMRR_MASK: SEAMRR_ADDR | LOCKED | ENABLED}
# The module takes fewer KeyIDs than this
KEYIDS_END = 0x800

# Bits and values that are looked at, beside those that are not
KEYID_NUMBERS = (0, 1, 2, 3, 31, 63, 64, 1 << 14, (1 << 15) - 1, 1 << 15, (1 << 16) - 1, 1 << 31, (1 << 32) - 1)
SEAMRR_BASES = (0, MIB, 32 * MIB, 512 * MIB, 1 << 30, 1 << 32, 1 << 51, (1 << 52) - 32 * MIB, (1 << 64) - 32 * MIB)
# ... beside 0
FIELDS = {
    "MAX_TDMRS": (1, 2, 63, 65, 0xffff),
    "MAX_RESERVED_PER_TDMR": (1, 2, 15, 17, 200, 253, 254, 0xffff),
    "PAMT_4K_ENTRY_SIZE": (1, 15, 17, 4096, 4097, 0xffff),
    "PAMT_2M_ENTRY_SIZE": (1, 15, 17, 4096, 4097, 0xffff),
    "PAMT_1G_ENTRY_SIZE": (1, 15, 17, 4096, 4097, 0xffff),
    "MAJOR_VERSION": (3, 99, 0xffff),
    "NUM_CMRS": (1, 33, 0xffff),
}
PAMT_ENTRY_SIZES = [name for name in FIELDS if name.startswith("PAMT_")]
KNOWN_MAJOR_VERSIONS = (1, 2)

OVERLAPPING = [[MIB, 512 * MIB], [256 * MIB, 512 * MIB]]
UNSORTED = [[512 * MIB, 512 * MIB], [MIB, 511 * MIB]]

# About what, members of the machine, what td_any has to get (None: an error or a TD), messages of the kernel
Directed = collections.namedtuple("Directed", "about machine outcome messages")


def claim_cmrs(cmrs):
    """A module that reports these CMRs, whatever there are"""
    columns = zip(*(cmrs + [[0, 0]] * MAX_CMRS)[:MAX_CMRS])
    return dict(zip(("CMR_BASE", "CMR_SIZE"), ([hex(v) for v in column] for column in columns)))


def msrs(*quirks):
    return {"msr": [[lp, hex(msr), hex(value)] for lp, msr, value in quirks]}


def of_package(package, msr, value):
    each = LPS // PACKAGES
    return [(lp, msr, value) for lp in range(package * each, (package + 1) * each)]


DIRECTED = (
    Directed("0 TDMRs", {"hostile": {"MAX_TDMRS": 0}}, "EIO", ["zero_tdmrs"]),
    Directed("0 reserved areas", {"hostile": {"MAX_RESERVED_PER_TDMR": 0}}, "EIO", ["zero_reserved"]),
    Directed("PAMT entries of 0 bytes", {"hostile": {"PAMT_2M_ENTRY_SIZE": 0}}, "EIO", ["zero_pamt"]),
    Directed("huge PAMT entries", {"hostile": {"PAMT_1G_ENTRY_SIZE": 0xffff}}, "EIO", ["huge_pamt"]),
    # Neither is an error.
    Directed("empty CMRs, version unknown",
             {"hostile": {"MAJOR_VERSION": 0xffff, "MINOR_VERSION": 0xffff},
              "cmrs": [["0x0", "0x0"], [hex(MIB), hex(511 * MIB)], ["0x0", "0x0"], [hex(512 * MIB), hex(512 * MIB)]]},
             "0", ["cmr_unused", "version_unknown", "initialized"]),
    Directed("no CMR", {"cmrs": [["0x0", "0x0"]]}, "EIO", ["no_cmr"]),
    Directed("overlapping CMRs, told by firmware", {"quirks": {"cmrs": OVERLAPPING}}, "EIO", ["cmrs_refused"]),
    Directed("unsorted CMRs, told by firmware", {"quirks": {"cmrs": UNSORTED}}, "EIO", ["cmrs_refused"]),
    Directed("overlapping CMRs, told by the module", {"hostile": claim_cmrs(OVERLAPPING)}, "EIO", ["cmr_below"]),
    Directed("unsorted CMRs, told by the module", {"hostile": claim_cmrs(UNSORTED)}, "EIO", ["cmr_below"]),
    Directed("0 TDX KeyIDs", {"quirks": msrs((-1, KEYIDS, 31))}, "ENODEV", ["no_keyids"]),
    Directed("1 TDX KeyID", {"quirks": msrs((-1, KEYIDS, 1 << 32 | 31))}, "ENODEV", ["one_keyid"]),
    Directed("2^15 TDX KeyIDs", {"quirks": msrs((-1, KEYIDS, 1 << 47 | 31))}, "EIO", ["too_many_keyids"]),
    Directed("SEAMRR over RAM", {"quirks": msrs((-1, SEAMRR_BASE, 512 * MIB | CONFIGURED))}, None, ["keyids"]),
    Directed("SEAMRR not locked", {"seamrr": {"locked": False}}, "ENODEV", ["seamrr_unlocked"]),
    Directed("packages differ", {"quirks": msrs(*of_package(1, KEYIDS, 16 << 32 | 47))}, "ENODEV", ["cpu2_differs"]),
)


# ---- by chance

def msr_value(rng, msr):
    if msr == MTRRCAP:
        return rng.choice((0, HAS_SEAMRR))
    if msr == KEYIDS:
        return rng.choice((0, 1, 1 << 15, rng.choice(KEYID_NUMBERS))) << 32 | rng.choice((31, rng.choice(KEYID_NUMBERS)))
    if msr == SEAMRR_BASE:
        return rng.choice(SEAMRR_BASES) | rng.choice((0, CONFIGURED))
    if msr == SEAMRR_MASK:
        # An enabled SEAMRR most of the time: else nothing more is looked at.
        bits = rng.choice((3, 3, 3, 2, 1, 0)) << 10
        return rng.choice((0, SEAMRR_ADDR, (1 << 46) - 32 * MIB, (1 << 64) - 32 * MIB, 0x123456789abcd000)) & ~0xfff | bits
    return rng.getrandbits(64)


def good_cmrs(rng):
    """Ascending and without overlap, as everything that RAM is made of"""
    edges = sorted(rng.sample(range(RAM[0] // PAGE, RAM[1] // PAGE), 2 * rng.choice((0, 1, 2, 8, 16))))
    pieces = [[a * PAGE, (b - a) * PAGE] for a, b in zip(edges[::2], edges[1::2])]
    if rng.random() < 0.5:
        # All memory, cut in pieces that touch
        cuts = [RAM[0], *(e * PAGE for e in edges), RAM[1]]
        pieces = [[a, b - a] for a, b in zip(cuts, cuts[1:])][:31]
        pieces[-1][1] = RAM[1] - pieces[-1][0]
    for _ in range(rng.choice((0, 0, 1, 3))):
        if len(pieces) < MAX_CMRS:
            pieces.insert(rng.randrange(len(pieces) + 1), [0, 0])
    return pieces


def bad_cmrs(rng):
    pieces = good_cmrs(rng)
    if rng.random() < 0.5:
        rng.shuffle(pieces)
    if pieces and rng.random() < 0.5:
        pieces[rng.randrange(len(pieces))][1] += rng.choice((PAGE, 512 * MIB))
    return pieces


def claims(rng):
    lies = {name: rng.choice((0, rng.choice(FIELDS[name]))) for name in rng.sample(list(FIELDS), rng.choice((0, 1, 1, 2)))}
    if not lies or rng.random() < 0.3:
        lies |= claim_cmrs(bad_cmrs(rng))
    return lies


def by_chance(seed):
    rng = random.Random(seed)
    machine, quirks = {}, []
    kinds = rng.sample(("msr", "lp", "package", "cmrs", "told", "claims", "hostile", "module"), rng.choice((1, 1, 2, 3)))
    if "msr" in kinds:
        quirks += [(-1, msr, msr_value(rng, msr)) for msr in rng.sample((*MSRS, MCHECK), rng.choice((1, 2)))]
    if "package" in kinds:
        msr = rng.choice(list(MSRS))
        quirks += of_package(rng.randrange(PACKAGES), msr, msr_value(rng, msr))
    if "lp" in kinds:
        msr = rng.choice(list(MSRS))
        quirks.append((rng.randrange(LPS), msr, msr_value(rng, msr)))
    if quirks:
        machine["quirks"] = msrs(*quirks)
    if "cmrs" in kinds:
        machine["cmrs"] = good_cmrs(rng)
    if "told" in kinds:
        machine.setdefault("quirks", {})["cmrs"] = bad_cmrs(rng)
    if "hostile" in kinds:
        machine["hostile"] = rng.getrandbits(32) | 1
    elif "claims" in kinds:
        machine["hostile"] = claims(rng)
    if "module" in kinds:
        machine["module"] = rng.choice(({"kind": "1.0"}, {"kind": "2.0.08"}, {"loaded": False}, {"seamldr": False}, {"no_rbp_mod": False}))
    return machine


def platform(seed):
    """What is special about that machine, from 1 on. "machine": members that replace those of the platform "small"."""
    if seed <= len(DIRECTED):
        return DIRECTED[seed - 1]
    return Directed("firmware that makes no sense", by_chance(seed), None, [])


# ---- what a machine is an example of

CLASSES = ("overlapping CMRs", "unsorted CMRs", "empty CMRs", "0 TDX KeyIDs", "1 TDX KeyID", "2^15 TDX KeyIDs", "SEAMRR over RAM",
           "SEAMRR not locked", "packages differ", "0 TDMRs", "0 reserved areas", "PAMT entries of 0 bytes", "huge PAMT entries",
           "version unknown")


def number(value):
    return int(value, 0) if isinstance(value, str) else value


def cpu(machine, lp):
    """The MSRs of an LP, as far as they are looked at"""
    found = dict(MSRS)
    if not machine.get("seamrr", {}).get("locked", True):
        found[SEAMRR_MASK] &= ~LOCKED
    for where, msr, value in machine.get("quirks", {}).get("msr", []):
        if where in (-1, lp) and number(msr) in found:
            found[number(msr)] = number(value)
    found[MTRRCAP] &= HAS_SEAMRR
    return found


def cpu_classes(machine):
    """Classes of what CPUs say; whether anything else is looked at after that"""
    cpus = [cpu(machine, lp) for lp in range(LPS)]
    boot = cpus[0]
    size = boot[SEAMRR_MASK] & SEAMRR_ADDR
    base, size, nr = boot[SEAMRR_BASE] & SEAMRR_ADDR, size & -size, boot[KEYIDS] >> 32
    if not boot[MTRRCAP]:
        return set(), False
    if not boot[SEAMRR_MASK] & LOCKED:
        return {"SEAMRR not locked"}, False
    if not boot[SEAMRR_MASK] & ENABLED or not boot[SEAMRR_BASE] & CONFIGURED or not size:
        return set(), False
    if nr < 2:
        return {("0 TDX KeyIDs", "1 TDX KeyID")[nr]}, False
    if any(c != boot for c in cpus):
        each = LPS // PACKAGES
        alike = all(cpus[i] == cpus[i // each * each] for i in range(LPS))
        return {"packages differ"} if alike else set(), False
    if not machine.get("module", {}).get("loaded", True) or not machine.get("module", {}).get("seamldr", True):
        return set(), False
    met = {"2^15 TDX KeyIDs"} if nr == 1 << 15 else set()
    if base < RAM[1] and base + size > RAM[0]:
        met.add("SEAMRR over RAM")
    return met, (nr + boot[KEYIDS]) % (1 << 32) < KEYIDS_END


def cmr_classes(cmrs):
    used = [(number(base), number(base) + number(size)) for base, size in cmrs if number(size)]
    pairs = [(a, b) for i, a in enumerate(used) for b in used[i + 1:]]
    if any(a[0] < b[1] and b[0] < a[1] for a, b in pairs):
        yield "overlapping CMRs"
    if any(a[0] > b[0] for a, b in pairs):
        yield "unsorted CMRs"


def limit_classes(lies, old):
    """The first limit that makes no sense ends it. Module 1.0 has one size of PAMT entries."""
    if lies.get("MAX_TDMRS") == 0:
        return {"0 TDMRs"}
    if lies.get("MAX_RESERVED_PER_TDMR") == 0:
        return {"0 reserved areas"}
    for name in PAMT_ENTRY_SIZES[:1] if old else PAMT_ENTRY_SIZES:
        size = lies.get(name, 16)
        if not size or size > PAGE:
            return {"huge PAMT entries" if size else "PAMT entries of 0 bytes"}
    return set()


def classes(machine):
    """Those of CLASSES that the kernel or the module gets to see: what comes after a thing that ends it is none."""
    met, goes_on = cpu_classes(machine)
    if not goes_on:
        return met
    told = machine.get("quirks", {}).get("cmrs", machine.get("cmrs", []))
    wrong = set(cmr_classes(told))
    if wrong:
        return met | wrong
    lies = machine.get("hostile", {})
    if not isinstance(lies, dict):
        return met
    if lies.get("MAJOR_VERSION", 1) not in KNOWN_MAJOR_VERSIONS:
        met.add("version unknown")
    limits = limit_classes(lies, machine.get("module", {}).get("kind") == "1.0")
    if limits or lies.get("NUM_CMRS", MAX_CMRS) != MAX_CMRS:
        return met | limits
    if any(not number(size) for _, size in told):
        met.add("empty CMRs")
    return met | set(cmr_classes(zip(lies.get("CMR_BASE", []), lies.get("CMR_SIZE", []))))


def report(outcomes):
    """Lines that say how many machines were of each class, and what became of them. outcomes: (machine, words) of each"""
    counts = {name: collections.Counter() for name in CLASSES}
    for machine, outcome in outcomes:
        for name in classes(machine):
            counts[name][outcome] += 1
    for name, count in counts.items():
        yield f"{name}: {count.total()}" + "".join(f", {outcome} {n}" for outcome, n in count.most_common())
