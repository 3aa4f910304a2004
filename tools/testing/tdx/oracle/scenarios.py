# SPDX-License-Identifier: GPL-2.0-or-later
"""Random scenarios, with the answers that rules.py gives, in the format of the recordings."""
import random

import rules
from rules import GB, M32, M64, REGS

# one leaf has no name, and answers
LEAVES = {int(r["leaf"]) for r in rules.table("seamcall_leaves")} | {5}
MADE = {int(n[5:]) for n in dir(rules.Module) if n.startswith("leaf_")}
ARRAY, INFOS, BUFFER = 0x200000, 0x201000, 0x300000


class Writer:
    """One scenario: makes calls on the oracle and writes down what it answers"""

    def __init__(self, rng, name, platform):
        self.rng, self.platform = rng, platform
        self.m = rules.Module(platform, self.event)
        self.scenario = {"name": name, "cat": "random", "platform": platform, "steps": []}
        self.lists = [self.scenario["steps"]]
        self.running = []		# [lp, leaf, nested, make]
        self.stopped = False
        self.writes = []

    def lp(self):
        free = [i for i in range(self.platform["lps"]) if i not in [r["lp"] for r in self.running]]
        return self.rng.choice(free) if free else None

    def write(self, pa, data):
        self.writes.append([hex(pa), data.hex()])
        self.m.mem.write(self.m.without_keyid(pa), data)

    def event(self, lp, kind):
        frame = self.running[-1]
        nested, frame["nested"] = frame["nested"], None
        if nested and frame["lp"] == lp and self.lp() is not None:
            steps = []
            self.lists.append(steps)
            nested()
            self.lists.pop()
            frame["step"]["nested"] = [{"at": kind, "step": s} for s in steps]

    def call(self, lp, leaf, nested=None, read=(), rax=None, repeat=1, **regs):
        """RAX of the answer, None after the module has stopped"""
        if self.stopped or lp is None:
            return None
        full = {"rax": leaf if rax is None else rax, **{r: regs.get(r, 0) & M64 for r in REGS}}
        number = full["rax"] & 0xFFFF
        if self.m.state == rules.READY and number in LEAVES - MADE:
            return None
        out = None
        for _ in range(repeat):
            out = self.one_call(lp, leaf, full, nested, read, out)
            if self.stopped:
                return None
        return out["rax"]

    def one_call(self, lp, leaf, full, nested, read, before):
        steps = self.lists[-1]
        step = {"lp": lp, "leaf": leaf & 0xFFFF,
                "in": {k: hex(v) for k, v in full.items() if v != (leaf & 0xFFFF if k == "rax" else 0)}}
        if self.writes:
            step["write"], self.writes = self.writes, []
        self.running.append(dict(lp=lp, nested=nested, step=step))
        try:
            out = self.m.call(lp, full)
        except rules.Fatal as e:
            step["fatal"] = str(e)
            self.stopped = True
            out = None
        self.running.pop()
        if out and out == before:
            steps[-1]["repeat"] = steps[-1].get("repeat", 1) + 1
            return out
        if out:
            step["out"] = {k: hex(v) for k, v in out.items()}
            if read:
                step["read"] = [[hex(pa), self.m.mem.read(self.m.without_keyid(pa), n).hex()]
                                for pa, n in read]
        steps.append(step)
        return out


def chance(rng, n):
    return rng.randrange(n) == 0


def odd_value(rng, value, platform):
    """Something near `value`, or at an edge"""
    k = rules.log2_up(1 + platform["mktme_keyids"] + platform["tdx_keyids"])
    step = rng.choice((1, 8, 512, 1024, 0xFFF, 0x1000, 0x1001, 0x200000, GB - 0x1000, GB, 2 * GB))
    return rng.choice((
        0, 1, M64, M64 - 0xFFF, M64 + 1 - GB, 1 << 52, (1 << 52) - 0x1000, (1 << 52) - GB,
        value ^ 1 << rng.randrange(64), value ^ 1 << rng.randrange(64),
        value + step, value - step, value + step, value - step, value * 2, value // 2,
        value | rng.randrange(1 << k) << (52 - k), value | 1 << (52 - k), value | 1 << 51,
        value | 1 << 52, (1 << (52 - k)) - step, (1 << (52 - k)), -value, rng.getrandbits(64),
        rng.choice((0x7A000000, 0x7C000000, 0x79FFFE00, 0x7BFFFE00, 0x79FFFC00, 0x79FFF000)),
        rng.choice((0x7A000000, 0x7C000000, 0x7BFFFE00)) | rng.randrange(1, 4) << (52 - k),
        rng.randrange(70), rng.randrange(1 << 52) & ~0xFFF)) & M64


def keyids(rng):
    return rng.choice(((31, 32), (31, 32), (31, 32), (0, 1), (0, 31), (3, 12), (1, 2), (7, 1), (63, 960),
                       (1000, 1000), (0, 0), (5, 0), (1023, 1024), (2046, 1), (0, 2047), (1, 2046),
                       (rng.randrange(64), rng.randrange(64))))


def make_platform(rng, small=False):
    lps = rng.randrange(1, 4 if small else 7)
    mktme, tdx = keyids(rng)
    cmrs = [[0x100000, 0x76F00000], [4 * GB, rng.randrange(1, 9) * GB]]
    for _ in range(rng.randrange(4)):
        at = sum(cmrs[-1]) + rng.choice((0, 0, 0, 0x1000, 0x200000, GB))
        cmrs.append([at, rng.choice((0x1000, 0x300000, GB, 2 * GB, 3 * GB + 0x5000))])
    for _ in range(rng.choice((0, 0, 1, 3))):
        cmrs.insert(rng.randrange(len(cmrs) + 1), [rng.choice((0, 0x5000, M64)), 0])
    return {"lps": lps, "packages": rng.randrange(1, lps + 1), "pa_width": 52,
            "mktme_keyids": mktme, "tdx_keyids": tdx, "cmrs": [[hex(b), hex(s)] for b, s in cmrs]}


def bring_up(w):
    """INIT and LP.INIT everywhere"""
    w.call(w.lp(), 33)
    for lp in w.rng.sample(range(w.platform["lps"]), w.platform["lps"]):
        w.call(lp, 35)


# CONFIG and what follows

def free_ranges(platform):
    ranges = []
    for base, size in ((int(b, 16), int(s, 16)) for b, s in platform["cmrs"]):
        if size and ranges and sum(ranges[-1]) == base:
            ranges[-1][1] += size
        elif size:
            ranges.append([base, size])
    return ranges


def good_tdmrs(rng, platform):
    """TDMRs that CONFIG takes, as lists of words, as long as there is room for their PAMTs"""
    memory = [list(r) for r in free_ranges(platform)]
    top = max(sum(r) for r in memory)
    low = [0x1000000, 0x70000000]	# where PAMTs are, below the first TDMR
    tdmrs, at = [], 4 * GB
    while at < top and len(tdmrs) < 6:
        size = rng.randrange(1, 4) * GB
        holes, end = [], at
        for base, length in memory:
            if base + length <= at or base >= at + size:
                continue
            if base > end:
                holes.append([end - at, base - end])
            end = min(base + length, at + size)
        if end < at + size:
            holes.append([end - at, at + size - end])
        if len(holes) < 15 and chance(rng, 2) and not holes:
            holes = [[rng.randrange(size >> 12) << 12, 0x1000]]
        words = [at, size] + [0] * 38
        for k, page in enumerate((GB, 2 << 20, 4096)):
            need = max(0x1000, size // page * 16)
            words[2 + 2 * k], words[3 + 2 * k] = low[0], need
            low[0] += need + rng.choice((0, 0, 0x1000))
        for j, (offset, length) in enumerate(holes):
            words[8 + 2 * j], words[9 + 2 * j] = offset, length
        if low[0] > low[1]:
            break
        if len(holes) <= 16:
            tdmrs.append(words)
        at += size + rng.choice((0, 0, GB))
    return tdmrs


def spoil_tdmrs(rng, tdmrs, platform):
    for _ in range(rng.choice((0, 1, 1, 1, 1, 1, 1, 2, 3))):
        i = rng.randrange(len(tdmrs))
        words = tdmrs[i]
        what = rng.randrange(9)
        j = rng.randrange(16)
        if what == 0:			# near the first or last byte of another range
            k = rng.choice((2, 4, 6))
            other = rng.choice(tdmrs)
            m = rng.choice((0, 2, 4, 6))
            words[k] = (rng.choice((other[m], other[m] + other[m + 1], other[m] - words[k + 1])) +
                        rng.choice((0, 0, 0x1000, -0x1000))) & M64
        elif what == 1:			# a reserved area more
            words[8 + 2 * j:10 + 2 * j] = [rng.randrange(4 << 18) << 12, rng.choice((0x1000, GB))]
        elif what == 2:
            used = [j for j in range(16) if words[9 + 2 * j]] or [0]
            k = 8 + 2 * rng.choice(used) + rng.randrange(2)
            words[k] = odd_value(rng, words[k], platform)
        elif what == 3 and i:		# at the end of the one before
            words[0] = (sum(tdmrs[i - 1][:2]) + rng.choice((0, -GB, GB, 1, -1))) & M64
        elif what == 4:			# the reserved areas hide a PAMT
            k = rng.choice((2, 4, 6))
            other = rng.choice(tdmrs)
            words[8:10] = [rng.choice((0, 0x1000, 0x400000)), other[k + 1]]
            words[10:40] = [0] * 30
            other[k] = (words[0] + words[8] + rng.choice((0, 0, 0x1000, -0x1000))) & M64
        elif what == 5:			# two reserved areas, the second wrong in more than one way
            words[8:12] = [0x200000, 0x200000, rng.choice((0, 0x1FF000, 0x200800, 0x3FF800, M64 - 0xFFF)),
                           rng.choice((0x1000, 0x800, words[1], M64 - 0x1FF7FF, M64 - 0x3FFFFF))]
            words[12:40] = [0] * 28
        elif what == 6:			# in a CMR and at its edge
            base, size = rng.choice(free_ranges(platform))
            k = rng.choice((2, 4, 6))
            words[k] = (rng.choice((base, base + size - words[k + 1])) +
                        rng.choice((0, 0, 0x1000, -0x1000))) & M64
        else:
            k = rng.randrange(8)
            words[k] = odd_value(rng, words[k], platform)


def put_tdmrs(w, tdmrs, array=ARRAY):
    pointers = b""
    for i, words in enumerate(tdmrs):
        at = INFOS + 512 * i
        pointers += at.to_bytes(8, "little")
        w.write(at, b"".join((x & M64).to_bytes(8, "little") for x in words))
    w.write(array, pointers)


def configure(w, spoil=True, nested=None):
    rng, p = w.rng, w.platform
    tdmrs = good_tdmrs(rng, p)
    if spoil:
        spoil_tdmrs(rng, tdmrs, p)
    put_tdmrs(w, tdmrs)
    regs = {"rcx": ARRAY, "rdx": len(tdmrs), "r8": p["mktme_keyids"] + 1}
    if p["tdx_keyids"] > 1 and chance(rng, 3):
        regs["r8"] += rng.randrange(p["tdx_keyids"])
    if spoil and chance(rng, 6):
        reg = rng.choice(sorted(regs))
        regs[reg] = odd_value(rng, regs[reg], p)
    if spoil and chance(rng, 12):
        pa = INFOS + 512 * rng.randrange(len(tdmrs))
        w.write(ARRAY + 8 * rng.randrange(len(tdmrs)), odd_value(rng, pa, p).to_bytes(8, "little"))
    return w.call(w.lp(), 45, nested=nested, **regs)


def key_config(w, nested=None):
    for lp in w.rng.sample(range(w.platform["lps"]), w.platform["lps"]):
        w.call(lp, 31, nested=nested if chance(w.rng, 3) else None)
        if chance(w.rng, 4):
            w.call(lp, 31)


def a_page(w):
    """Addresses in, and not quite in, TDMRs"""
    rng = w.rng
    if not w.m.tdmrs or chance(rng, 10):
        return odd_value(rng, 4 * GB, w.platform)
    t = rng.choice(w.m.tdmrs)
    pa = rng.choice((
        t["base"], t["base"] + 4096 * rng.randrange(5), t["base"] + 4096 * rng.randrange(5),
        t["base"] + 4096 * rng.randrange(5), t["end"] - 4096, t["end"], t["base"] - 4096,
        t["base"] + rng.randrange(t["size"] >> 12 or 1) * 4096,
        *(x for a, n in t["parts"] for x in (a, a - 4096, a + n, a + n - 4096)),
        *(x for a, n in t["pamt"] for x in (a, a + n - 4096, a + n))))
    if chance(rng, 12):
        pa = odd_value(rng, pa, w.platform)
    return pa & M64


def tdmr_init(w, most=3):
    rng = w.rng
    for _ in range(rng.randrange(1, most + 1)):
        base = rng.choice(w.m.tdmrs)["base"] if w.m.tdmrs else 4 * GB
        if chance(rng, 10):
            base = odd_value(rng, base, w.platform)
        w.call(w.lp(), 36, rcx=base, rdx=rng.getrandbits(64), repeat=rng.choice((1, 255, 256, 257, 768, 1030)))


def config(rng, name):
    w = Writer(rng, name, make_platform(rng))
    bring_up(w)
    for _ in range(rng.randrange(1, 16)):
        if configure(w) == 0:
            break
    configure(w, spoil=chance(rng, 3))
    key_config(w)
    if w.m.state == rules.READY:
        tdmr_init(w)
        for _ in range(6):
            w.call(w.lp(), 24, rcx=a_page(w), r8=7, r11=M64)
        if chance(rng, 4):
            w.call(w.lp(), 52, rcx=rng.choice((0, 0, 1, 1 << 16, 1 << 63)))
            w.call(w.lp(), rng.choice((44, 33, 24, 200)))
    return w


# INIT and LP.INIT

def quirk_msr(rng, platform):
    row = rng.choice([r for r in rules.MSR_CHECKS if r["msr"].startswith("0x")])
    msr = int(row["msr"], 16)
    env = rules.Platform(platform).env(0)
    base = eval(rules.BASE_MSR[msr], {}, env) if msr in rules.BASE_MSR else 0
    value = rng.choice((base ^ 1 << rng.randrange(64), base ^ 1 << rng.randrange(64),
                        base ^ 1 << rng.randrange(64) ^ 1 << rng.randrange(64),
                        rng.getrandbits(64), 0, M64, base + 1,
                        int(row["p2"] or "0", 0), int(row["p1"] or "0", 0)))
    if msr == 0x982 and chance(rng, 2):
        value = base & ~(15 << 32) | rng.randrange(16) << 32
    if msr == 0x87 and chance(rng, 2):
        value = rng.choice((0, 1, 5, 0x7FF, M32, M32 - 5)) | rng.choice((0, 1, 5, 6, 0x7FF, M32)) << 32
    if msr in (0x1F3, 0x1F7) and chance(rng, 2):
        value = rng.choice((0x400, 0xC00, 0xFF000C00, 0xFE000C00, 0xFFFFFC00, 0x80000C00, 0xFD000C00,
                            0xC00, 0x7F000C00, rng.getrandbits(64) | 0xFF000C00))
    return [rng.choice((-1, -1, 0, rng.randrange(platform["lps"]))), hex(msr), hex(value & M64)]


def quirk_cpuid(rng, platform):
    entry = rng.choice(rules.CPUID_CHECKS)
    leaf, sub = entry["at"]
    if chance(rng, 3):
        leaf, sub = rng.choice((0x1F, 0x1F, 0x1F, 0, 0x80000000, 7, 0xD, 0x15, 0xA, 4)), rng.randrange(6)
    if chance(rng, 6):
        sub = rng.choice((0, M32))
    reg = rng.randrange(4)
    base = rules.Platform(platform).cpuid(0, leaf, sub)[reg]
    value = rng.choice((base ^ 1 << rng.randrange(32), base ^ 1 << rng.randrange(32),
                        base ^ 1 << rng.randrange(32), base + 1, base - 1, rng.getrandbits(32), 0, M32,
                        rng.randrange(8), rng.randrange(7) << 8 | sub & 0xFF))
    return [rng.choice((-1, -1, 0, rng.randrange(platform["lps"]))), hex(leaf), hex(sub),
            ("eax", "ebx", "ecx", "edx")[reg], hex(value & M32)]


def quirk_topology(rng, platform):
    """A whole leaf 0x1F, and the cache that goes with it or does not"""
    quirks, shift, kind = [], rng.randrange(1, 4), 1
    levels = rng.randrange(1, 6)
    for sub in range(6):
        if sub < levels:
            quirks.append([-1, "0x1f", hex(sub), "eax", hex(shift)])
            quirks.append([-1, "0x1f", hex(sub), "ecx", hex(kind << 8 | sub)])
            last = shift
            shift += rng.choice((0, 1, 1, 2, 3, 6, -1))
            shift = max(shift, 0)
            kind += rng.choice((1, 1, 1, 1, 2, 0))
        elif kind < 6 and chance(rng, 4):	# a level behind one that is none
            quirks.append([-1, "0x1f", hex(sub), "eax", hex(shift)])
            quirks.append([-1, "0x1f", hex(sub), "ecx", hex(kind << 8 | sub)])
            last, kind = shift, kind + 1
        elif not chance(rng, 8):
            quirks.append([-1, "0x1f", hex(sub), "ecx", hex(sub)])
    cache = 1 << (last - 1 & 31) if last < 12 else 0
    cache = rng.choice((cache, cache, cache, cache * 2, cache * 2 - 1, cache // 2)) & 0xFFF
    quirks.append([-1, "0x4", "0x3", "eax", hex(0xFC000163 | cache << 14)])
    for lp in range(platform["lps"]):
        if chance(rng, 2):
            quirks.append([lp, "0x1f", "0x0", "edx", hex(rng.randrange(10) << (last & 31) & M32)])
    return quirks


def platform_quirks(rng, platform):
    q = {}
    kind = rng.randrange(10)
    if kind in (0, 1, 6):
        q["msr"] = [quirk_msr(rng, platform) for _ in range(rng.randrange(1, 4))]
    if kind in (2, 3, 6):
        q["cpuid"] = [quirk_cpuid(rng, platform) for _ in range(rng.randrange(1, 4))]
    if kind == 4:
        q["cpuid"] = quirk_topology(rng, platform)
    if kind == 5:
        q["msr"] = [quirk_msr(rng, platform)] if chance(rng, 3) else []
        for name in rng.sample(("smrr", "smrr2", "seamrr", "num_lps", "num_sockets", "no_smrr2",
                                "no_integrity", "module_hv", "min_update_hv", "handoff_pages", "fms",
                                "rdrand_fail", "seamops_caps"), 2):
            q[name] = {
                "smrr": lambda: [hex(rng.randrange(1 << 12) << 20), hex(rng.choice((0, 0x1000, 0x1800000, 1 << 24, 1 << 31)))],
                "smrr2": lambda: [hex(rng.randrange(1 << 12) << 20), hex(rng.choice((0, 0x1000, 0x1800000, 1 << 24)))],
                "seamrr": lambda: [hex(rng.choice((0, 0x2000000, 0x7A000000, 0x180000000, 0x40000000))),
                                   hex(rng.choice((0x2000000, 0x4000000, 0x10000000)))],
                "num_lps": lambda: rng.randrange(8), "num_sockets": lambda: rng.randrange(1, 10),
                "no_smrr2": lambda: rng.randrange(2), "no_integrity": lambda: rng.randrange(2),
                "module_hv": lambda: rng.randrange(2), "min_update_hv": lambda: rng.randrange(3),
                "handoff_pages": lambda: rng.choice((0, 12, 13, 14, 9999)),
                "fms": lambda: [[rng.randrange(8), hex(rng.choice((*rules.KNOWN_FMS, 0x806F4, 0xC06F0, 0x90670)))]
                                for _ in range(rng.randrange(1, 4))],
                "rdrand_fail": lambda: [[rng.choice((-1, 0, rng.randrange(platform["lps"]))), rng.randrange(4)]],
                "seamops_caps": lambda: [[rng.choice((-1, rng.randrange(platform["lps"]))),
                                          hex(rng.choice((0x7F, 0x3F, 0x1F, 0x30, 0x70, rng.getrandbits(64))))]
                                         for _ in range(2)],
            }[name]()
    if kind == 7 and platform["lps"] > 1:	# an LP that is refused late is of a package nonetheless
        lp = rng.randrange(platform["lps"])
        q["msr"] = [[lp, rng.choice(("0x3b", "0xfe", "0x480", "0x98")), hex(rng.getrandbits(64))]]
        q["cpuid"] = [[lp, "0x1f", "0x0", "edx", hex(rng.randrange(8) << 7)]]
        q["num_lps"] = platform["lps"] - 1
        q["num_sockets"] = platform["packages"] + rng.randrange(2)
    if kind == 8:			# fewer leaves, and values in those that are not there any more
        q["cpuid"] = [[rng.choice((-1, -1, 0)), leaf, hex(M32), "eax", hex(last)]
                      for leaf, last in (("0x0", rng.randrange(0x1E, 0x24)), ("0x80000000", rng.randrange(0x80000007, 0x8000000A)))]
        q["cpuid"] += [[-1, leaf, hex(M32), rng.choice(("eax", "ebx")), hex(rng.getrandbits(32))]
                       for leaf in rng.sample(("0x20", "0x21", "0x22", "0x23", "0x80000008"), 2)]
    if kind == 9:			# SMRR2 is not there, or said not to be; the platform's FMS is another
        q["msr"] = [[-1, "0xfe", hex(rng.choice((0xFD0A, 0xDD0A)))],
                    [rng.choice((-1, rng.randrange(platform["lps"]))), rng.choice(("0x1f6", "0x1f7")), hex(rng.getrandbits(32))]]
        q["no_smrr2"] = rng.randrange(2)
        q["fms"] = [[0, hex(rng.choice((0x806F4, 0xC06F2, 0xA06F0, 0x90670, 0x8A6F8)))]]
    return {k: v for k, v in q.items() if v != []}


def platform(rng, name):
    p = make_platform(rng, small=True)
    if chance(rng, 4):
        for c in p["cmrs"]:
            if chance(rng, 3):
                k = rng.randrange(2)
                c[k] = hex(odd_value(rng, int(c[k], 16), p))
    if chance(rng, 12):
        p["pa_width"] = rng.choice((46, 51, 52, 53))
    q = platform_quirks(rng, p)
    if q:
        p["quirks"] = q
    w = Writer(rng, name, p)
    for _ in range(3):
        if w.call(w.lp(), 33, rcx=rng.choice((0, 0, 0, 0, 1, 1 << 63)), rdx=1, r9=2, r10=3, r11=4) == 0:
            break
    for _ in range(2):
        for lp in rng.sample(range(p["lps"]), p["lps"]):
            w.call(lp, 35, rdx=1, r8=2, r9=3, r11=5)
    if w.m.state == rules.INIT_DONE:
        info(w)
        read_fields(w, 6)
        w.call(w.lp(), 53)
        configure(w, spoil=False)
        info(w)
        key_config(w)
        w.call(w.lp(), 36, rcx=4 * GB)
    return w


# INFO, RD, RDALL

def info(w):
    rng = w.rng
    regs = {"rcx": BUFFER, "rdx": rng.choice((1024, 1025, M64)),
            "r8": BUFFER + rng.choice((1024, 512, 0, 4096)), "r9": rng.choice((32, 33, M64))}
    if chance(rng, 3):
        reg = rng.choice(sorted(regs))
        regs[reg] = odd_value(rng, regs[reg], w.platform)
    w.write(BUFFER, b"\xCC" * 2048)
    w.call(w.lp(), 32, read=[(BUFFER, 2048), (BUFFER + 4096, 512)], **regs)


def field_id(rng):
    row = rng.choice(rules.FIELDS)
    count = int(row["num_fields"]) * int(row["num_elements"])
    value = row["id"] + rng.choice((0, 0, rng.randrange(count), count - 1, count))
    if chance(rng, 2):
        value ^= 1 << rng.randrange(64)
    if chance(rng, 6):
        value ^= 1 << rng.randrange(64)
    return rng.choice((value, value, value, value, value, value, M64, M64 ^ 1 << rng.randrange(64),
                       M64 & ~(rng.randrange(8) << 52), rng.getrandbits(64), -1))


def read_fields(w, n):
    rng = w.rng
    for _ in range(n):
        if chance(rng, 3):
            page = BUFFER
            if chance(rng, 6):
                page = odd_value(rng, page, w.platform)
            w.write(BUFFER, bytes([rng.randrange(256)]) * 4096)
            w.call(w.lp(), 37, rdx=page, r8=field_id(rng) & M64, read=[(BUFFER, 4096)])
        else:
            w.call(w.lp(), 34, rdx=field_id(rng) & M64, rcx=3, r8=4)


def metadata(rng, name):
    w = Writer(rng, name, make_platform(rng, small=True))
    read_fields(w, 1)
    w.call(0, 33)
    read_fields(w, 1)
    w.call(0, 35)
    for lp in range(1, w.platform["lps"]):
        if not chance(rng, 4):
            w.call(lp, 35)
    for _ in range(3):
        info(w)
        read_fields(w, 5)
        random_call(w)
        if chance(rng, 3) and configure(w, spoil=False) == 0:
            key_config(w)
    return w


# anything

def random_call(w, nested=None):
    rng = w.rng
    leaf = rng.choice((*rules.EARLY, *sorted(MADE), rng.randrange(128)))
    rax = None
    if chance(rng, 6):
        rax = leaf ^ 1 << rng.randrange(63)
        if rax >> 16 and rax & 0xFFFF in rules.VERSIONED:
            rax = None
    elif chance(rng, 20):
        rax = 0
    regs = {r: rng.choice((0, 0, 1, M64, 4 * GB, BUFFER, odd_value(rng, 4 * GB, w.platform))) for r in REGS}
    if leaf in (33, 52) and not chance(rng, 4):
        regs["rcx"] = 0
    if leaf == 36 and not chance(rng, 4):
        regs["rcx"] = 4 * GB
    if leaf in (24, 28, 41, 8, 19, 20) or (leaf in (9, 1) and chance(rng, 2)):
        regs["rcx"] = a_page(w)
    return w.call(w.lp(), leaf, rax=rax, nested=nested, **regs)


def order(rng, name):
    p = make_platform(rng)
    if chance(rng, 3):
        p["quirks"] = {"pconfig_fail": [[rng.randrange(p["packages"]), rng.randrange(1, 4),
                                         rng.choice((2, 5, 2, 5, 1, 3))]]}
    if chance(rng, 5):
        p.setdefault("quirks", {})[rng.choice(("num_lps", "num_sockets"))] = rng.randrange(1, 5)
    w = Writer(rng, name, p)

    def inner():
        for _ in range(rng.randrange(1, 4)):
            rng.choice((random_call, random_call, lambda w: w.call(w.lp(), 35), lambda w: w.call(w.lp(), 33),
                        lambda w: w.call(w.lp(), 31), lambda w: w.call(w.lp(), 36, rcx=4 * GB),
                        lambda w: w.call(w.lp(), 52, rcx=rng.choice((0, 0, 1, 1 << 63))), lambda w: w.call(w.lp(), 53)))(w)

    def nested():
        return inner if chance(rng, 3) else None

    for _ in range(rng.randrange(2, 6)):
        random_call(w, nested())
    w.call(w.lp(), 33, nested=nested(), rdx=7)
    for _ in range(rng.randrange(4)):
        random_call(w, nested())
    for lp in rng.sample(range(p["lps"]), p["lps"]):
        w.call(lp, 35, nested=nested(), rdx=7)
    for _ in range(rng.randrange(4)):
        random_call(w, nested())
    configure(w, spoil=chance(rng, 4), nested=nested())
    for _ in range(rng.randrange(4)):
        random_call(w, nested())
    key_config(w, nested())
    for _ in range(rng.randrange(8)):
        random_call(w, nested())
    if w.m.state == rules.READY:
        for _ in range(3):
            w.call(w.lp(), 36, rcx=4 * GB, nested=nested(), rdx=M64)
        tdmr_init(w)
        for _ in range(rng.randrange(8)):
            random_call(w, nested())
    if chance(rng, 3):
        w.call(w.lp(), 52)
        for _ in range(3):
            random_call(w)
    return w


# TDs

def td(rng, name):
    p = make_platform(rng)
    q = {}
    if chance(rng, 4):
        q["rdseed_fail"] = [[rng.choice((-1, 0)), rng.randrange(1, 16)]]
    if chance(rng, 4):
        q["intr_pending"] = [[rng.choice((-1, 0)), rng.randrange(1, 6)]]
    if chance(rng, 4):
        q["pconfig_fail"] = [[rng.randrange(p["packages"]), rng.randrange(1, 4), rng.choice((2, 5))]]
    if chance(rng, 4):
        q["num_sockets"] = rng.randrange(1, p["packages"] + 1)
    if chance(rng, 4):
        q["cpuid"] = [[lp, "0x1f", "0x0", "edx", hex(rng.randrange(8) << 7)] for lp in range(p["lps"])]
        q["num_sockets"] = rng.randrange(1, 4)
    if q:
        p["quirks"] = q
    w = Writer(rng, name, p)
    bring_up(w)
    if chance(rng, 2):			# keeps a KeyID, most often another one
        w.write(ARRAY, bytes(8))
        w.call(w.lp(), 45, rcx=ARRAY, rdx=1, r8=p["mktme_keyids"] + rng.randrange(1, 4))
    configure(w, spoil=False)
    for _ in range(3):
        key_config(w)
    for t in w.m.tdmrs[:2]:
        w.call(w.lp(), 36, rcx=t["base"], repeat=t["size"] // GB * 256)
    first = p["mktme_keyids"] + 1
    tdrs = []

    def page():
        return rng.choice(tdrs) if tdrs and not chance(rng, 4) else near()

    def near():
        """A page that probably is there and free"""
        if not w.m.tdmrs or chance(rng, 5):
            return a_page(w)
        return w.m.tdmrs[0]["base"] + 4096 * rng.randrange(30)

    for _ in range(rng.randrange(10, 90)):
        what = rng.randrange(12)
        if what == 0 or not tdrs:
            pa = near()
            keyid = first + rng.randrange(max(1, min(p["tdx_keyids"], 5)))
            if chance(rng, 8):
                keyid = odd_value(rng, keyid, p)
            if w.call(w.lp(), 9, rcx=pa, rdx=keyid) == 0:
                tdrs.append(pa)
        elif what in (1, 2):
            tdr = page()
            for lp in range(p["lps"]):
                w.call(lp, 8, rcx=tdr)
        elif what in (3, 4):
            tdr = page()
            for _ in range(rng.choice((1, 1, 1, 1, 15))):
                w.call(w.lp(), 1, rcx=near(), rdx=tdr)
        elif what == 5:
            w.call(w.lp(), 19, rcx=page())
        elif what == 6:
            command = rng.choice((0, 0, 0, 1, 1, 2, M64))
            for lp in rng.sample(range(p["lps"]), rng.randrange(1, p["lps"] + 1)):
                w.call(lp, 40, rcx=command)
        elif what == 7:
            w.call(w.lp(), 20, rcx=page())
        elif what in (8, 9):
            pages = [pa for pa in w.m.pages if w.m.pages[pa]["type"] == rules.TDCX] or [0]
            pa = rng.choice((page(), rng.choice(pages)))
            w.call(w.lp(), 28, rcx=pa, r9=1)
            w.call(w.lp(), 24, rcx=pa, rdx=1)
        elif what == 10:
            w.call(w.lp(), 24, rcx=page(), r10=2)
        else:
            keyid = rng.getrandbits(11) << (52 - rules.log2_up(1 + p["mktme_keyids"] + p["tdx_keyids"]))
            w.call(w.lp(), rng.choice((41, 27, 41)), rcx=(page() | (keyid if chance(rng, 2) else 0)) & M64)
    return w


KINDS = (config, config, platform, platform, metadata, order, td)


def scenarios(seed, n):
    for i in range(n):
        rng = random.Random("%d/%d" % (seed, i))
        kind = KINDS[i % len(KINDS)]
        yield kind(rng, "%s/%d-%d" % (kind.__name__, seed, i)).scenario
