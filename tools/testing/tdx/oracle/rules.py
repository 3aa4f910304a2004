# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules of the TDX module once more, written from their description alone.

Nothing here is shared with tools/tdx/module but csv/, so that a mistake has to
be made twice to go unnoticed. Straight and slow: the module as one thread sees
it, with calls of other LPs only at the four events. Names are the description's.
"""
import csv
import os

CSV = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../tdx/module/csv")
M32, M64, GB = (1 << 32) - 1, (1 << 64) - 1, 1 << 30
REGS = ("rcx", "rdx", "r8", "r9", "r10", "r11")
PENDING, INIT_DONE, CONFIG_DONE, READY, SHUTDOWN = range(5)
RAX, RCX, RDX, R8, R9, KET = 0, 1, 2, 8, 9, 187
NDA, RSVD, TDR, TDCX = 0, 1, 4, 5

INVALID = 0xC000010000000000
RANGE = 0xC000010100000000
OPERAND_BUSY = 0x8000020000000000
SYS_BUSY = 0x8000020200000000
NO_ENTROPY = 0x8000020300000000
METADATA = 0xC000030000000000
INCORRECT_CPUID = 0xC000090000000000
CPUID_LEAF = 0xC000090800000000
PAMT_OVERLAP = 0xC0000A1200000000
FIELD_ID = 0xC0000C0000000000

EARLY = (31, 32, 33, 34, 35, 37, 44, 45, 53)
VERSIONED = (3, 11, 23, 26, 30)
ZEROED = {33: "rcx rdx r8 r9 r10", 35: "rcx rdx r8", 32: "rdx r9", 34: "r8", 36: "rdx",
          24: "rcx rdx r8 r9 r10 r11", 28: "rcx rdx r8 r9 r10 r11"}


class Refused(Exception):
    """A handler's answer that is not 0"""


class Fatal(Exception):
    pass


def number(text):
    return int(text, 0) if isinstance(text, str) else text


def table(name):
    with open(os.path.join(CSV, name + ".csv"), newline="") as f:
        return list(csv.DictReader(f))


MSR_CHECKS, CPUID_CHECKS, CONFIGS, FIELDS = (table(n) for n in (
    "msr_checks", "cpuid_checks", "cpuid_config", "metadata_fields"))
for _row in FIELDS:
    _row["id"] = int(_row["field_id"], 16)
for _row in CPUID_CHECKS:
    for _kind in ("mask", "value", "same"):
        _row[_kind] = [number(_row["%s_%s" % (_kind, r)]) for r in ("eax", "ebx", "ecx", "edx")]
    _row["at"] = (number(_row["leaf"]), number(_row["subleaf"]) & M32)


def expression(text):
    return compile(text, text, "eval")


BASE_MSR = {number(r["msr"]): expression(r["value"]) for r in table("baseline_msr")}
BASE_CPUID = {(number(r["leaf"]), r["subleaf"] if r["subleaf"] in ("*", "else") else
               number(r["subleaf"])):
              [expression(r[reg]) for reg in ("eax", "ebx", "ecx", "edx")]
              for r in table("baseline_cpuid")}
KNOWN_FMS = (0xD06D0, 0xA06E0, 0xA06D0, 0xA06F0, 0xC06F2, 0x806F8)
CONSTANTS = {
    "VENDOR_ID": 0x8086, "BUILD_DATE": 20240129, "BUILD_NUM": 698, "MINOR_VERSION": 5,
    "MAJOR_VERSION": 1, "UPDATE_VERSION": 1, "NUM_TDX_FEATURES": 1, "NUM_CMRS": 32,
    "MAX_TDMRS": 64, "MAX_RESERVED_PER_TDMR": 16, "PAMT_4K_ENTRY_SIZE": 16,
    "PAMT_2M_ENTRY_SIZE": 16, "PAMT_1G_ENTRY_SIZE": 16, "TDR_BASE_SIZE": 0x1000,
    "TDCS_BASE_SIZE": 0x6000, "TDCS_SIZE_PER_L2_VM": 0x1000, "TDVPS_BASE_SIZE": 0x6000,
    "TDVPS_SIZE_PER_L2_VM": 0x3000, "ATTRIBUTES_FIXED0": 0x8000000070000001, "XFAM_FIXED1": 3,
    "NUM_CPUID_CONFIG": 12, "CONFIG_FLAGS_FIXED0": 7,
    "IA32_ARCH_CAPABILITIES_CONFIG_MASK": 0x1180010, "MAX_MIGS": 0x200,
    "NUM_IMMUTABLE_STATE_PAGES": 3, "NUM_TD_STATE_PAGES": 2, "NUM_VP_STATE_PAGES": 5,
    "MAX_SERV_TDS": 1, "SERVTD_ATTR_FIXED0": 0x7FF00000001, "GUEST_L2_GPA_ATTR_MASK": 0x807F,
    "VM_CTLS_FIXED0": 1, "VPCU_L2_CTLS_FIXED0": 3, "VPCU_L2_DEBUG_CTLS_FIXED0": 7,
}


def overlap(a, a_size, b, b_size):
    """Of two ranges that are not empty"""
    return a_size and b_size and max(a, b) < min(a + a_size, b + b_size)


def log2_up(n):
    return max(n - 1, 0).bit_length()


class Memory:
    def __init__(self):
        self.page = {}

    def write(self, pa, data):
        for i, byte in enumerate(data):
            at = pa + i
            self.page.setdefault(at >> 12, bytearray(4096))[at & 4095] = byte

    def read(self, pa, size):
        empty = bytes(4096)
        return bytes(self.page.get(at >> 12, empty)[at & 4095] for at in range(pa, pa + size))

    def u64(self, pa):
        return int.from_bytes(self.read(pa, 8), "little")


class Platform:
    """What the module sees of the machine"""

    def __init__(self, p):
        q = p.get("quirks", {})
        self.lps, self.packages = p["lps"], p["packages"]
        self.cmrs = [(number(b), number(s)) for b, s in p["cmrs"]]
        self.cmrs += [(0, 0)] * (32 - len(self.cmrs))
        mktme, tdx = p["mktme_keyids"], p["tdx_keyids"]
        self.keyid_bits = log2_up(1 + mktme + tdx)
        self.names = dict(mktme=mktme, tdx=tdx, pa_width=p["pa_width"],
                          keyid_bits=self.keyid_bits, tdx_bits=log2_up(tdx))
        for name, default in (("seamrr", (0x7A000000, 0x2000000)),
                              ("smrr", (0x7C000000, 0x1000000)),
                              ("smrr2", (0x7D000000, 0x1000000))):
            base, size = (number(x) for x in q.get(name, default))
            self.names.update({name + "_base": base, name + "_size": size})
        self.msr_quirks = [[number(x) for x in e] for e in q.get("msr", ())]
        regs = ("eax", "ebx", "ecx", "edx")
        self.cpuid_quirks = [(number(lp), number(leaf), number(sub) & M32,
                              regs.index(reg) if reg in regs else number(reg), number(v))
                             for lp, leaf, sub, reg, v in q.get("cpuid", ())]
        self.num_lps = number(q.get("num_lps", self.lps))
        self.num_sockets = number(q.get("num_sockets", self.packages))
        self.flag = {name: number(q.get(name, default)) for name, default in (
            ("no_smrr2", 0), ("no_integrity", 0), ("module_hv", 0), ("handoff_pages", 13))}
        self.fms = [0x806F8] * 8
        for entry, value in q.get("fms", ()):
            self.fms[number(entry)] = number(value)
        self.left = {name: self.per_lp(q.get(name, ()), 0)
                     for name in ("rdrand_fail", "rdseed_fail", "intr_pending")}
        self.seamops = self.per_lp(q.get("seamops_caps", ()), 0x7F)
        self.pconfig_left = {number(pkg): [number(n), number(code)]
                             for pkg, n, code in q.get("pconfig_fail", ())}
        self.tsx_off = set()

    def per_lp(self, quirk, default):
        values = [default] * self.lps
        for lp, value in quirk:
            for i in range(self.lps) if number(lp) == -1 else [number(lp)]:
                values[i] = number(value)
        return values

    def package(self, lp):
        return lp * self.packages // self.lps

    def env(self, lp, sub=0):
        first = min(i for i in range(self.lps) if self.package(i) == self.package(lp))
        return dict(self.names, sub=sub, apic=self.package(lp) << 7 | lp - first)

    def rdmsr(self, lp, msr):
        value = None
        for who, addr, v in self.msr_quirks:
            if addr == msr and who in (-1, lp):
                value = v
        if value is None:
            value = eval(BASE_MSR[msr], {}, self.env(lp)) if msr in BASE_MSR else 0
        if msr == 0x122 and lp in self.tsx_off:
            value &= ~2
        return value & M64

    def cpuid(self, lp, leaf, sub):
        for key in ((leaf, "*"), (leaf, sub), (leaf, "else")):
            if key in BASE_CPUID:
                env = self.env(lp, sub)
                regs = [eval(x, {}, env) for x in BASE_CPUID[key]]
                break
        else:
            regs = [0] * 4
        for who, its_leaf, its_sub, reg, value in self.cpuid_quirks:
            if its_leaf == leaf and who in (-1, lp) and its_sub in (sub, M32):
                regs[reg] = value
        if leaf == 7 and sub == 0 and self.rdmsr(lp, 0x122) & 2:
            regs[1] &= ~(1 << 4 | 1 << 11)
        return [r & M32 for r in regs]

    def take(self, what, lp):
        if not self.left[what][lp]:
            return False
        self.left[what][lp] -= 1
        return True

    def pconfig(self, lp):
        left = self.pconfig_left.get(self.package(lp))
        if not left or not left[0]:
            return 0
        left[0] -= 1
        return left[1]


class Module:
    """call() is a SEAMCALL; event(lp, kind) is called while one runs"""

    def __init__(self, platform, event=lambda lp, kind: None):
        self.p = Platform(platform)
        self.mem = Memory()
        self.event = event
        self.state = PENDING
        self.lp_done, self.lp_pkg = set(), {}
        self.exclusive, self.sharers, self.inside = False, 0, set()
        self.tdmrs = []
        self.tdmr_locked = set()
        self.keyed = set()
        self.keyids = {}		# KeyID: "module", "td", "flushed"
        self.dirty = {}			# KeyID: packages that have to write back
        self.pages = {}			# PA: dict of type, owner and what a TDR has
        self.interrupted = set()

    # the way in

    def without_keyid(self, pa):
        return pa & ((1 << (52 - self.p.keyid_bits)) - 1)

    def call(self, lp, regs):
        """Registers after the call; `regs` has rax and REGS"""
        regs = dict(regs)
        leaf, version = regs["rax"] & 0xFFFF, regs["rax"] >> 16 & 0xFF
        handler = getattr(self, "leaf_%d" % leaf, None)
        if regs["rax"] >> 24 or (version and leaf not in VERSIONED):
            regs["rax"] = INVALID | RAX
        elif self.state == SHUTDOWN and leaf != 44:
            regs["rax"] = 0xC000050600000000
        elif self.state != READY and leaf not in EARLY:
            regs["rax"] = 0xC000050500000000
        elif not handler:
            regs["rax"] = INVALID | RAX
        else:
            out = dict(regs)
            for reg in ZEROED.get(leaf, "").split():
                out[reg] = 0
            if leaf in (34, 37):
                out[{34: "rdx", 37: "r8"}[leaf]] = M64
            self.inside.add(lp)
            try:
                out["rax"] = self.locked(leaf, handler, lp, regs, out)
            except Refused as e:
                out["rax"] = e.args[0]
            finally:
                self.inside.discard(lp)
                self.p.tsx_off.discard(lp)
            regs = out
        return regs

    def locked(self, leaf, handler, lp, regs, out):
        if leaf == 52 and regs["rcx"]:
            raise Refused(INVALID | RCX)
        if leaf in (33, 45, 31, 52, 53):
            if self.exclusive or self.sharers:
                raise Refused(SYS_BUSY)
            self.exclusive = True
            try:
                return handler(lp, regs, out) or 0
            finally:
                self.exclusive = False
        if leaf == 35:
            if self.exclusive:
                raise Refused(SYS_BUSY)
            self.sharers += 1
            try:
                return handler(lp, regs, out) or 0
            finally:
                self.sharers -= 1
        return handler(lp, regs, out) or 0

    # checks of the platform

    def leaf_33(self, lp, regs, out):
        if regs["rcx"]:
            raise Refused(INVALID | RCX)
        if self.state != PENDING:
            raise Refused(0xC000050000000000)
        self.seen, self.cpuids, self.init_lp = {}, {}, lp
        for row in MSR_CHECKS:
            if row["phase"] == "INIT" and self.applies(lp, row):
                self.check(lp, row, out)
        self.seamrr_mask = self.seen[0x1401] & 0xFFFFFFE000000
        self.seamrr = (self.seen[0x1400] & 0xFFFFFFE000000, self.seamrr_mask & -self.seamrr_mask)
        self.keyid_bits = self.seen[0x982] >> 32 & 15
        self.low, self.high = self.seen[0x87] & M32, self.seen[0x87] >> 32
        self.state = INIT_DONE

    def leaf_35(self, lp, regs, out):
        if self.state != INIT_DONE:
            raise Refused(0xC000050B00000000)
        if lp in self.lp_done:
            raise Refused(0xC000050300000000)
        for row in MSR_CHECKS:
            if row["phase"] == "LP.INIT" and self.applies(lp, row):
                self.check(lp, row, out)
        self.lp_done.add(lp)

    def applies(self, lp, row):
        condition = row["condition"]
        if condition.startswith("0x10A bit 7"):
            return self.seen[0x10A] >> 7 & 1
        if condition.startswith("no_integrity="):
            return self.p.flag["no_integrity"] == int(condition[-1])
        if condition == "smrr2":
            return not self.p.flag["no_smrr2"] and self.p.rdmsr(lp, 0xFE) >> 13 & 1
        assert not condition
        return True

    def check(self, lp, row, out):
        special = getattr(self, "check_" + row["kind"], None)
        if row["msr"].startswith("0x"):
            msr = number(row["msr"])
            if msr == 0x10A:
                self.event(lp, "rdmsr")
            v = self.p.rdmsr(lp, msr)
        else:
            msr = row["msr"]
            v = self.p.seamops[lp] if msr == "SEAMOPS" else 0
        if row["phase"] == "INIT":
            self.seen[msr] = v
        p1, p2 = number(row["p1"] or "0"), number(row["p2"] or "0")
        if special:
            special(lp, row, msr, v, p1, p2, out)
            return
        good = {
            "sample": lambda: True,
            "masked_eq": lambda: v & p1 == p2,
            "field_le": lambda: v & p1 <= p2,
            "field_ge": lambda: v & p1 >= p2,
            "any_of": lambda: v & p1,
            "eq_msr": lambda: v == self.p.rdmsr(lp, p1),
            "sum32_lt": lambda: ((v & M32) + (v >> 32)) & M32 < p1,
            "rdrand": lambda: not self.p.take("rdrand_fail", lp),
            "handoff": lambda: self.p.flag["module_hv"] == 0 and self.p.flag["handoff_pages"] >= 13,
            "same": lambda: v == self.seen[0x98 if msr == 0x99 else msr],
        }[row["kind"]]()
        if not good:
            raise Refused(number(row["status"]) | number(row["details"]))

    def check_tsx(self, lp, *_):
        if self.p.rdmsr(lp, 0x122) & 2:
            self.p.tsx_off.add(lp)

    def check_vmx32(self, lp, row, msr, v, p1, p2, out):
        lo, hi = v & M32, v >> 32
        if lo & ~hi:
            raise Fatal("b021.0")
        if lo & p1 or ~hi & p2:
            raise Refused(number(row["status"]) | msr)

    def check_cr0_l2(self, lp, row, msr, v, p1, p2, out):
        fixed1 = self.p.rdmsr(lp, 0x487)
        if v & p1 & ~fixed1:
            raise Fatal("b021.2")
        if p2 & ~fixed1:
            raise Refused(number(row["status"]) | msr)

    def check_nonzero(self, lp, row, msr, v, p1, p2, out):
        if not v & p1:
            raise Fatal("ffffffff.0")

    def last_leaves(self, lp):
        return self.p.cpuid(lp, 0, 0)[0], self.p.cpuid(lp, 0x80000000, 0)[0]

    def check_cpuid_last(self, lp, row, msr, v, p1, p2, out):
        for last, needed in zip(self.last_leaves(lp), (p1, p2)):
            if last < needed:
                raise Refused(CPUID_LEAF | needed)

    @staticmethod
    def exists(leaf, last):
        return leaf <= last[0] or 0x80000000 <= leaf <= last[1]

    @staticmethod
    def incorrect(out, row, mask, value):
        leaf, sub = row["at"]
        out["rcx"] = sub << 32 | leaf
        out["rdx"], out["r8"] = mask[1] << 32 | mask[0], mask[3] << 32 | mask[2]
        out["r9"], out["r10"] = value[1] << 32 | value[0], value[3] << 32 | value[2]
        raise Refused(INCORRECT_CPUID)

    def check_cpuid_table(self, lp, row, msr, v, p1, p2, out):
        last = self.last_leaves(lp)
        walk = dict(prev=0, shift=None, coreseen=False, coreshift=0)
        for i, entry in enumerate(CPUID_CHECKS):
            regs = self.p.cpuid(lp, *entry["at"]) if self.exists(entry["at"][0], last) else [0] * 4
            if any(r & m != w for r, m, w in zip(regs, entry["mask"], entry["value"])):
                self.incorrect(out, entry, entry["mask"], entry["value"])
            self.special(entry, regs, walk, out)
            self.cpuids[i] = regs

    def special(self, entry, regs, walk, out):
        eax, ebx, ecx, edx = regs
        kind, sub = entry["special"], entry["at"][1]
        if kind == "FMS":
            regs[0] = self.platform_fms()
        elif kind == "L3":
            walk["l3"] = eax >> 14 & 0xFFF
        elif kind == "F7_0":
            walk["la57"] = ecx >> 16 & 1
        elif kind == "PERFMON":
            if eax & 0xFF < 5:
                self.incorrect(out, entry, (0xF, 0, 0, 0), (5, 0, 0, 0))
            if edx & 0x1F > 7:
                self.incorrect(out, entry, (0, 0, 0, 0x1F), (0, 0, 0, 7))
        elif kind == "LBR":
            if not eax & 0xFF:
                raise Fatal("ffffffff.0")
        elif kind == "MAXPA":
            want = 57 if walk["la57"] else 48
            if eax >> 8 & 0xFF != want:
                self.incorrect(out, entry, (0xFF00, 0, 0, 0), (want << 8, 0, 0, 0))
        elif kind == "XCR0":
            self.xcr0 = eax & 0x602FF
        elif kind == "XSS":
            self.xss = ecx & 0x1FD00
            if self.xcr0 & self.xss:
                raise Fatal("b021.5")
        elif kind == "XCOMP":
            if (self.xcr0 if ecx & 1 else self.xss) >> sub & 1:
                raise Fatal("ffffffff.0")
        elif kind == "TSC":
            if not ebx:
                raise Refused(CPUID_LEAF | 0x15)
            if not eax or ecx * ebx // eax < 0x2540C:
                raise Fatal("ffffffff.0")
        elif kind == "TOPO":
            self.topology(walk, sub, ecx >> 8 & 0xFF, eax & 0x1F)

    def topology(self, walk, sub, t, shift):
        if t:
            if t <= walk["prev"] or t >= 6:
                raise Refused(0xC000090400000000)
            walk["shift"] = shift
            if t == 1:
                walk["coreshift"] = shift
            if t == 2:
                walk["coreseen"] = True
        else:
            if sub == 0 or not walk["coreseen"]:
                raise Refused(CPUID_LEAF)
            if walk["prev"]:
                self.pkg_shift = walk["shift"]
                if self.pkg_shift < walk["coreshift"]:
                    raise Fatal("b021.8")
                if walk["l3"] >> ((self.pkg_shift - 1) & 31) != 1:
                    raise Refused(0xC000090500000000)
        walk["prev"] = t

    def check_cpuid_same(self, lp, row, msr, v, p1, p2, out):
        last = self.last_leaves(lp)
        for i, entry in enumerate(CPUID_CHECKS):
            leaf, sub = entry["at"]
            if not self.exists(leaf, last):
                continue
            regs, same = self.p.cpuid(lp, leaf, sub), entry["same"]
            if any((r ^ w) & m for r, w, m in zip(regs, self.cpuids[i], same)):
                out["rcx"] = sub << 32 | leaf
                out["rdx"], out["r8"] = same[1] << 32 | same[0], same[3] << 32 | same[2]
                raise Refused(0xC000090200000000)
            if (leaf, sub) == (0x1F, 0):
                package = regs[3] >> self.pkg_shift
                if package >= 8:
                    raise Refused(0xC000090600000000 | package)
                self.lp_pkg[lp] = package

    def check_cmrs(self, lp, row, *_):
        bits = self.seen[0x982] >> 32 & 15
        before = None
        for base, size in self.p.cmrs:
            if not size:
                continue
            last = base + size - 1
            bad = last + 1 > M64 or last > 1 << 52 or (base | size) & 0xFFF
            if bits:
                bad = bad or (base | last) >> (52 - bits) & ((1 << bits) - 1)
            if bad or (before and base < before[0] + before[1]):
                raise Refused(number(row["status"]))
            before = (base, size)

    def check_smrr(self, lp, row, msr, v, p1, p2, out):
        if not v >> 11 & 1:
            return
        mask, base = v & 0xFFFFF000, self.p.rdmsr(lp, p1) & 0xFFFFF000
        ones = bin(mask >> 12).count("1")
        if not ones or mask != (M32 << (32 - ones)) & M32 or base & ~mask:
            raise Refused(0xC000091100000000 | p2)
        for i, (cmr, size) in enumerate(self.p.cmrs):
            if overlap(base, 1 << (32 - ones), cmr, size):
                raise Refused(0xC000091200000000 | p2 | i << 8)

    def platform_fms(self):
        sockets = self.p.fms[:max(self.p.num_sockets, 1)]
        return self.p.fms[0] & ~15 | min(f & 15 for f in sockets)

    # addresses

    def keyid_of(self, pa):
        return pa >> (52 - self.keyid_bits)

    def shared(self, pa, align, operand, size=None):
        clean = pa & ((1 << (52 - self.keyid_bits)) - 1)
        if pa % align or pa >= 1 << 52 or self.keyid_of(pa) >= (self.low + 1) & M32 or \
           overlap(clean, size or align, *self.seamrr):
            raise Refused(INVALID | operand)
        return clean

    def plain(self, pa):
        return pa < 1 << 52 and not self.keyid_of(pa)

    def is_private(self, keyid):
        return (self.low + 1) & M32 <= keyid <= (self.low + self.high) & M32

    # what the module tells

    def need_lp(self, lp):
        if lp not in self.lp_done:
            raise Refused(0xC000050200000000)

    def xfam(self):
        return 0x6DBE7 & (self.xcr0 | self.xss)

    def leaf_32(self, lp, regs, out):
        self.need_lp(lp)
        info = self.shared(regs["rcx"], 1024, RCX)
        if regs["rdx"] < 1024:
            raise Refused(INVALID | RDX)
        self.mem.write(info, bytes(1024))
        cmrs = self.shared(regs["r8"], 512, R8)
        if regs["r9"] < 32:
            raise Refused(INVALID | R9)

        for offset, size, value in (
                (4, 4, 0x8086), (8, 4, 20240129), (12, 2, 698), (14, 2, 5), (16, 2, 1), (18, 1, 1),
                (32, 2, 64), (34, 2, 16), (36, 2, 16), (48, 2, 0x6000), (52, 2, 0x6000),
                (64, 8, CONSTANTS["ATTRIBUTES_FIXED0"]), (80, 8, self.xfam()), (88, 8, 3),
                (128, 4, 12)):
            self.mem.write(info + offset, value.to_bytes(size, "little"))
        for i, row in enumerate(CONFIGS):
            entry = [number(row["leaf"]), number(row["subleaf"]) & M32]
            seen = self.cpuids[number(row["check_index"])]
            for reg, value in zip(("eax", "ebx", "ecx", "edx"), seen):
                entry.append(number(row["direct_" + reg]) | number(row["allow_" + reg]) & value)
            self.mem.write(info + 132 + 24 * i, b"".join(x.to_bytes(4, "little") for x in entry))
        for i, (base, size) in enumerate(self.p.cmrs):
            self.mem.write(cmrs + 16 * i, base.to_bytes(8, "little") + size.to_bytes(8, "little"))
        out["rdx"], out["r9"] = 1024, 32

    def element(self, name, i):
        """Element i of a table entry"""
        config = CONFIGS[i // 2] if name == "CPUID_CONFIG_VALUES" and i < 24 else None
        fms = self.platform_fms()
        at = [k for k, f in enumerate(KNOWN_FMS) if f >> 4 == fms >> 4]
        if not at and (name == "NUM_ALLOWED_FMS" or name == "ALLOWED_FMS" and i):
            raise Fatal("ffffffff.0")
        return {
            "NUM_PKGS": lambda: self.p.num_sockets,
            "PKG_FMS": lambda: self.p.fms[i],
            "NUM_HANDOFF_PAGES": lambda: self.p.flag["handoff_pages"],
            "TDX_FEATURES0": lambda: 0xF0EBF | (self.seen["SEAMOPS"] >> 6 & 1) << 8,
            "CMR_BASE": lambda: self.p.cmrs[i][0],
            "CMR_SIZE": lambda: self.p.cmrs[i][1],
            "XFAM_FIXED0": self.xfam,
            "CPUID_CONFIG_LEAVES":
                lambda: number(CONFIGS[i]["rd_leaf_value"]) if i < 12 else M64,
            "CPUID_CONFIG_VALUES":
                lambda: number(config["rd_value_hi" if i % 2 else "rd_value_lo"]) if config else 0,
            "NUM_ALLOWED_FMS": lambda: 6 - at[0],
            "ALLOWED_FMS": lambda: (fms if not i else
                                    KNOWN_FMS[at[0] + i] if at[0] + i < 6 else 0),
        }.get(name, lambda: CONSTANTS.get(name, 0))()

    @staticmethod
    def find(field_id):
        """(table index, element in the entry), or refused. Only class and code count."""
        for k, row in enumerate(FIELDS):
            i = (field_id & 0xFFFFFF) - (row["id"] & 0xFFFFFF)
            count = int(row["num_fields"]) * int(row["num_elements"])
            if (field_id ^ row["id"]) >> 56 & 0x3F == 0 and 0 <= i < count:
                return k, i, count
        raise Refused(FIELD_ID)

    def leaf_34(self, lp, regs, out):
        self.need_lp(lp)
        field_id = regs["rdx"]
        if field_id | 7 << 52 == M64:
            out["rdx"] = FIELDS[0]["id"]
            raise Refused(0x00000C0B00000000)
        if any(field_id >> lo & ((1 << (hi + 1 - lo)) - 1)
               for hi, lo in ((31, 24), (49, 47), (55, 55), (62, 62), (46, 34))):
            raise Refused(FIELD_ID)
        k, i, count = self.find(field_id)
        value = self.element(FIELDS[k]["name"], i)
        if i + 1 < count:
            out["rdx"] = field_id + 1 & ~(7 << 52)
        elif k + 1 < len(FIELDS):
            out["rdx"] = FIELDS[k + 1]["id"]
        out["r8"] = value

    def leaf_37(self, lp, regs, out):
        self.need_lp(lp)
        page = self.shared(regs["rdx"], 4096, RDX)
        first, at = 0, 0
        if regs["r8"] | 7 << 52 != M64:
            first, at, _ = self.find(regs["r8"])
            if at % int(FIELDS[first]["num_elements"]) or \
               1 << (regs["r8"] >> 32 & 3) != int(FIELDS[first]["element_bytes"]):
                raise Refused(FIELD_ID)
        used, sequences = 8, []
        for row in FIELDS[first:]:
            elements, fields = int(row["num_elements"]), int(row["num_fields"])
            like = (row["id"] >> 56 & 0x3F, row["element_bytes"], elements, row["id"] & 0xFFFFFF)
            if not sequences or sequences[-1]["next"] != like:
                sequences.append(dict(at=used, id=row["id"] + at | (elements - 1) << 34, fields=0))
                used += 8
            sequences[-1]["fields"] += fields - at // elements
            sequences[-1]["next"] = like[:3] + (like[3] + fields * elements,)
            for i in range(at, fields * elements):
                if row["name"] != "CPUID_CONFIG_VALUES" or i < 24 or not i % 2:
                    self.mem.write(page + used, self.element(row["name"], i).to_bytes(8, "little"))
                used += 8
            at = 0
        for s in sequences:
            self.mem.write(page + s["at"],
                           (s["id"] | (s["fields"] - 1) << 38).to_bytes(8, "little"))
        self.mem.write(page, (used | len(sequences) << 16).to_bytes(8, "little"))

    # CONFIG

    def leaf_45(self, lp, regs, out):
        if self.state != INIT_DONE or len(self.lp_done) < self.p.num_lps:
            raise Refused(0xC000050C00000000)
        array = self.shared(regs["rcx"], 512, RCX)
        if not 1 <= regs["rdx"] <= 64:
            raise Refused(INVALID | RDX)
        if regs["r8"] >> 16 or not self.is_private(regs["r8"]):
            raise Refused(INVALID | R8)
        self.event(lp, "keyhole")
        self.keyids[regs["r8"]] = "module"
        tdmrs = []
        for i in range(regs["rdx"]):
            pa = self.shared(self.mem.u64(array + 8 * i), 512, RCX)
            self.add_tdmr(tdmrs, i, [self.mem.u64(pa + 8 * k) for k in range(40)])
        self.tdmrs, self.state = tdmrs, CONFIG_DONE

    def add_tdmr(self, tdmrs, i, words):
        base, size = words[0], words[1]
        end = base + size
        # by number of the level: 4K, 2M, 1G
        pamt = [(words[6], words[7]), (words[4], words[5]), (words[2], words[3])]
        if end > M64:
            raise Refused(0xC0000A0000000000 | i)
        if i and base < max(tdmrs[i - 1]["base"], tdmrs[i - 1]["end"]):
            raise Refused(0xC0000A0100000000 | i)
        if base % GB or size % GB or not size or not self.plain(base) or not self.plain(end - 1):
            raise Refused(0xC0000A0000000000 | i)

        reserved = []
        for j in range(16):
            offset, length = words[8 + 2 * j], words[9 + 2 * j]
            if not length:
                if j < 15 and words[11 + 2 * j]:
                    raise Refused(0xC0000A2100000000 | i | j << 8)
                continue
            if offset + length > M64:
                raise Refused(0xC0000A2000000000 | i | j << 8)
            if reserved and offset < max(reserved[-1][0], sum(reserved[-1])):
                raise Refused(0xC0000A2100000000 | i | j << 8)
            if (offset | length) & 0xFFF or base + offset + length > M64 or \
               base + offset + length > end:
                raise Refused(0xC0000A2000000000 | i | j << 8)
            reserved.append((offset, length))

        for level in (2, 1, 0):
            at, length = pamt[level]
            if at + length > M64 or (at | length) & 0xFFF or \
               length < size // (4096 << 9 * level) * 16 or \
               not self.plain(at) or not self.plain(at + length - 1):
                raise Refused(0xC0000A1000000000 | i | level << 8)

        parts, at = [], base
        for offset, length in reserved + [(size, 0)]:
            if base + offset > at:
                parts.append((at, base + offset - at))
            at = base + offset + length
        tdmr = dict(base=base, size=size, end=end, pamt=pamt, parts=parts, done=0)

        for j in range(i):
            for level in range(3):
                if any(overlap(*pamt[level], *other) for other in tdmrs[j]["pamt"]):
                    raise Refused(PAMT_OVERLAP | i | level << 8 | j << 16)
        for a, b in ((0, 1), (0, 2), (1, 2)):
            if overlap(*pamt[a], *pamt[b]):
                raise Refused(PAMT_OVERLAP | i | a << 8 | i << 16)
        for j, other in enumerate(tdmrs + [tdmr]):
            for level in range(3):
                if any(overlap(*pamt[level], *part) for part in other["parts"]):
                    raise Refused(PAMT_OVERLAP | i | level << 8 | j << 16)
            for level in range(3):
                if j < i and any(overlap(*other["pamt"][level], *part) for part in parts):
                    raise Refused(PAMT_OVERLAP | j | level << 8 | i << 16)
        for level in (2, 1, 0):
            if not self.in_cmr(*pamt[level]):
                raise Refused(0xC0000A1100000000 | i | level << 8)
        if not all(self.in_cmr(*part) for part in parts):
            raise Refused(0xC0000A0200000000 | i)
        tdmrs.append(tdmr)

    def in_cmr(self, base, size):
        joined = []
        for cmr, length in self.p.cmrs:
            if not length:
                continue
            if joined and sum(joined[-1]) == cmr:
                joined[-1] = (joined[-1][0], joined[-1][1] + length)
            else:
                joined.append((cmr, length))
        return any(cmr <= base and base + size <= cmr + length for cmr, length in joined)

    # keys, PAMT

    def pconfig(self, lp):
        self.event(lp, "pconfig")
        code = self.p.pconfig(lp)
        if code == 2:
            raise Refused(0x8000080000000000)
        if code == 5:
            raise Refused(OPERAND_BUSY | KET)
        if code:
            raise Fatal("ffffffff.0")

    def leaf_31(self, lp, regs, out):
        if self.state != CONFIG_DONE:
            raise Refused(0xC000050700000000)
        if self.lp_pkg.get(lp, 0) in self.keyed:
            raise Refused(0x0000081500000000)
        self.pconfig(lp)
        self.keyed.add(self.lp_pkg.get(lp, 0))
        if len(self.keyed) == self.p.num_sockets:
            self.state = READY

    def leaf_36(self, lp, regs, out):
        base = regs["rcx"]
        at = [k for k, t in enumerate(self.tdmrs) if t["base"] == base]
        if base % GB or not self.plain(base) or not at:
            raise Refused(INVALID | RCX)
        tdmr = self.tdmrs[at[0]]
        if at[0] in self.tdmr_locked:
            raise Refused(OPERAND_BUSY | RCX)
        if tdmr["done"] == tdmr["size"]:
            raise Refused(0x00000A0300000000)
        self.tdmr_locked.add(at[0])
        self.event(lp, "movdir64b")
        self.tdmr_locked.discard(at[0])
        tdmr["done"] += 4 << 20
        out["rdx"] = (base + tdmr["done"]) // GB * GB

    def leaf_44(self, lp, regs, out):
        pass

    def leaf_52(self, lp, regs, out):
        if self.inside - {lp}:
            raise Refused(SYS_BUSY)
        self.state = SHUTDOWN

    def leaf_53(self, lp, regs, out):
        if self.state != INIT_DONE or len(self.lp_done) < self.p.num_lps:
            raise Refused(0xC000050800000000)
        raise Refused(0xC000050900000000)

    # pages

    def page(self, pa, operand):
        """Metadata of a page operand"""
        if pa % 4096 or not self.plain(pa):
            raise Refused(INVALID | operand)
        for t in self.tdmrs:
            if t["base"] <= pa < t["end"] and t["done"] // GB > (pa - t["base"]) // GB:
                free = any(a <= pa < a + n for a, n in t["parts"])
                return self.pages.setdefault(pa, dict(type=NDA if free else RSVD, owner=0))
        raise Refused(RANGE | operand)

    def page_of_type(self, pa, operand, kind):
        page = self.page(pa, operand)
        if page["type"] != kind:
            raise Refused(METADATA | operand)
        return page

    @staticmethod
    def put_page(page, out):
        out["rcx"], out["rdx"], out["r8"] = page["type"], page["owner"], 0

    def leaf_24(self, lp, regs, out):
        self.put_page(self.page(regs["rcx"], RCX), out)

    def leaf_9(self, lp, regs, out):
        keyid = regs["rdx"]
        if keyid >> 16 or not self.is_private(keyid):
            raise Refused(INVALID | RDX)
        page = self.page_of_type(regs["rcx"], RCX, NDA)
        if keyid in self.keyids:
            raise Refused(0xC000082000000000)
        # all four words are drawn, even if one failed
        if not all([self.draw_word(lp) for _ in range(4)]):
            raise Refused(NO_ENTROPY)
        self.keyids[keyid] = "td"
        page.update(type=TDR, owner=0, state="assigned", keyid=keyid, keyed=set(), added=0,
                    children=0)

    def draw_word(self, lp):
        return any(not self.p.take("rdseed_fail", lp) for _ in range(3))

    def leaf_8(self, lp, regs, out):
        tdr = self.page_of_type(regs["rcx"], RCX, TDR)
        if tdr["state"] != "assigned":
            raise Refused(0xC000060700000000)
        if self.lp_pkg.get(lp, 0) in tdr["keyed"]:
            raise Refused(0x0000081500000000)
        self.pconfig(lp)
        tdr["keyed"].add(self.lp_pkg.get(lp, 0))
        if self.keyed <= tdr["keyed"]:
            tdr["state"] = "configured"

    def leaf_1(self, lp, regs, out):
        tdr = self.page_of_type(regs["rdx"], RDX, TDR)
        if tdr["state"] != "configured":
            raise Refused(0x8000081000000000)
        if tdr["added"] == 9:
            raise Refused(0xC000061000000000)
        if regs["rcx"] == regs["rdx"]:
            raise Refused(OPERAND_BUSY | RCX)
        page = self.page_of_type(regs["rcx"], RCX, NDA)
        page.update(type=TDCX, owner=regs["rdx"])
        tdr["added"] += 1
        tdr["children"] += 1

    def leaf_19(self, lp, regs, out):
        tdr = self.page_of_type(regs["rcx"], RCX, TDR)
        if tdr["state"] not in ("assigned", "configured"):
            raise Refused(0xC000060700000000)
        tdr["state"] = "blocked"
        self.keyids[tdr["keyid"]] = "flushed"
        self.dirty[tdr["keyid"]] = set(self.keyed)

    def leaf_40(self, lp, regs, out):
        package = self.lp_pkg.get(lp, 0)
        if regs["rcx"] > 1:
            raise Refused(INVALID | RCX)
        if regs["rcx"] and package not in self.interrupted:
            raise Refused(0xC000082300000000)
        if not regs["rcx"] and "flushed" not in self.keyids.values():
            raise Refused(0x0000082100000000)
        self.interrupted.discard(package)
        if self.p.take("intr_pending", lp):
            self.interrupted.add(package)
            raise Refused(0x8000000300000000)
        for packages in self.dirty.values():
            packages.discard(package)

    def leaf_20(self, lp, regs, out):
        tdr = self.page_of_type(regs["rcx"], RCX, TDR)
        if tdr["state"] != "blocked":
            raise Refused(0xC000060700000000)
        if self.dirty[tdr["keyid"]]:
            raise Refused(0x8000081700000000)
        tdr["state"] = "teardown"
        del self.keyids[tdr["keyid"]], self.dirty[tdr["keyid"]]

    def leaf_28(self, lp, regs, out):
        page = self.page(regs["rcx"], RCX)
        if page["type"] not in (TDR, TDCX):
            raise Refused(METADATA | RCX)
        tdr = page if page["type"] == TDR else self.pages[page["owner"]]
        self.put_page(page, out)
        if tdr["state"] != "teardown":
            raise Refused(0xC000060700000000)
        if page is tdr and tdr["children"]:
            raise Refused(0xC000040000000000)
        if page is not tdr:
            tdr["children"] -= 1
        page["type"] = NDA

    def leaf_27(self, lp, regs, out):
        pass

    def leaf_41(self, lp, regs, out):
        keyid = (1 << 52) - (1 << (52 - self.keyid_bits))
        self.page_of_type(regs["rcx"] & ~keyid, RCX, NDA)
