// SPDX-License-Identifier: GPL-2.0-or-later
#include "steps.h"

#define TDMR_SLOTS	4
#define TD_PAGES	6

uint64_t take(struct source *s, unsigned int bytes)
{
	uint64_t v = 0;
	unsigned int i;

	for (i = 0; i < bytes && s->len; i++) {
		v |= (uint64_t)*s->data++ << (8 * i);
		s->len--;
	}
	if (i == bytes || !s->seed)
		return v;
	/* xorshift64* */
	s->seed ^= s->seed >> 12;
	s->seed ^= s->seed << 25;
	s->seed ^= s->seed >> 27;
	v = s->seed * UINT64_C(0x2545f4914f6cdd1d);
	return bytes == 8 ? v : v >> (64 - 8 * bytes);
}

static bool one_in(struct source *s, unsigned int n)
{
	return take(s, 1) % n == n - 1;
}

static uint64_t pick(struct source *s, const uint64_t *from, size_t nr)
{
	return from[take(s, 1) % nr];
}

#define PICK(s, from) pick(s, from, sizeof(from) / sizeof((from)[0]))

/* A number on which something may depend */
static uint64_t odd_number(struct source *s)
{
	static const uint64_t numbers[] = {
		0, 1, 2, 64, 65, 512, 1024, 4095, 4096, UINT64_C(1) << 51, UINT64_C(1) << 52,
		UINT64_C(1) << 63, UINT64_MAX, UINT64_MAX - 4095, POINTERS_PA, TDMR_INFO_PA,
		INFO_PA, 0x7a000000, 0x79fff000, GIB(4), GIB(5), UINT64_C(1) << 46,
	};

	switch (take(s, 1) % 3) {
	case 0:
		return take(s, 8);
	case 1:
		return UINT64_C(1) << (take(s, 1) & 63);
	default:
		return PICK(s, numbers);
	}
}

void random_platform(struct source *s, struct tdxm_platform *p)
{
	static const char *const kinds[] = { "1.5.01", "1.0", "2.0.08", "1.5.05" };
	uint8_t what = take(s, 1);

	tdxm_platform_init(p);
	p->lps = 1 + take(s, 1) % 4;
	p->packages = 1 + take(s, 1) % p->lps;
	p->cmrs[1].size = GIB(8);
	if (what & 1)
		tdxm_module_by_name(&p->module, kinds[take(s, 1) % 4]);
	if (what & 2)
		p->num_sockets = take(s, 1) % 3;
	if (what & 4)
		p->num_lps = take(s, 1) % 5;
	if ((what & 8) && one_in(s, 4))
		p->seamrr_enabled = false;
	if (what & 16) {
		p->mktme_keyids = take(s, 1) % 64;
		p->tdx_keyids = take(s, 2) % 2100;
	}
	if (what & 32) {
		p->nr_cmrs = 1 + take(s, 1) % 4;
		p->cmrs[0].size = odd_number(s);
		p->cmrs[2] = (struct tdxm_range){ GIB(12) + (take(s, 1) % 2) * 4096, GIB(take(s, 1)) };
		p->cmrs[3] = (struct tdxm_range){ GIB(take(s, 1)), odd_number(s) };
	}
}

struct regs {
	uint64_t rax, rcx, rdx, r8, r9;
};

static uint64_t do_call(struct stepper *st, unsigned int lp, const struct regs *regs)
{
	uint64_t r[TDXM_NR_REGS];
	unsigned int i;

	for (i = 0; i < TDXM_NR_REGS; i++)
		r[i] = UINT64_C(0x0101010101010101) * i;
	r[TDXM_RAX] = regs->rax;
	r[TDXM_RCX] = regs->rcx;
	r[TDXM_RDX] = regs->rdx;
	r[TDXM_R8] = regs->r8;
	r[TDXM_R9] = regs->r9;
	return st->seamcall(st, lp, r) == TDXM_DONE ? r[TDXM_RAX] : UINT64_MAX;
}

/* What makes sense, and once in a while one register of it does not */
static uint64_t spoiled_call(struct stepper *st, unsigned int lp, struct source *s,
			     struct regs regs)
{
	if (one_in(s, 16))
		switch (take(s, 1) % 5) {
		case 0:
			regs.rax ^= UINT64_C(1) << (take(s, 1) & 63);
			break;
		case 1:
			regs.rcx = odd_number(s);
			break;
		case 2:
			regs.rdx = odd_number(s);
			break;
		case 3:
			regs.r8 = odd_number(s);
			break;
		default:
			regs.r9 = odd_number(s);
		}
	return do_call(st, lp, &regs);
}

static uint64_t tdmr_base(unsigned int i)
{
	return GIB(4 + 2 * i);
}

static void put_reserved(struct machine *machine, unsigned int tdmr, unsigned int j,
			 uint64_t offset, uint64_t size)
{
	uint64_t area[2] = { offset, size };

	mem_write(&machine->mem, TDMR_INFO_PA + 512 * tdmr + 64 + 16 * j, area, sizeof(area));
}

static void configure(struct stepper *st, unsigned int lp, struct source *s)
{
	static const uint64_t sizes[] = { GIB(1), GIB(2), GIB(1), GIB(3) };
	unsigned int nr = 1 + take(s, 1) % TDMR_SLOTS, i, j, areas;
	uint64_t word, zeroes[40] = { 0 };

	for (i = 0; i < nr; i++) {
		mem_write(&st->machine->mem, TDMR_INFO_PA + 512 * i, zeroes, sizeof(zeroes));
		put_tdmr(st->machine, i, tdmr_base(i), PICK(s, sizes), PAMT_PA + MIB(16) * i);
		areas = one_in(s, 2) ? take(s, 1) % 17 : 0;
		for (j = 0; j < areas; j++)
			put_reserved(st->machine, i, j, MIB(8) * j + 4096 * (take(s, 1) % 3),
				     4096 * (1 + take(s, 1) % 4));
	}
	for (i = one_in(s, 4) ? 1 + take(s, 1) % 3 : 0; i; i--) {
		word = odd_number(s);
		mem_write(&st->machine->mem,
			  TDMR_INFO_PA + 512 * (take(s, 1) % nr) + 8 * (take(s, 1) % 40), &word, 8);
	}
	spoiled_call(st, lp, s, (struct regs){ SYS_CONFIG, POINTERS_PA, nr, GLOBAL_KEYID, 0 });
}

static uint64_t a_page(struct source *s)
{
	static const uint64_t odd[] = {
		0, 0x1000, GIB(5), GIB(6), GIB(1), GIB(4) - 4096, UINT64_C(1) << 52,
		(UINT64_C(1) << 46) + GIB(4), GIB(4) + 1, GIB(4) + 0x200000, 0x12345000,
	};

	if (one_in(s, 8))
		return PICK(s, odd);
	return GIB(4) + 0x1000 * (take(s, 1) % TD_PAGES);
}

static void td_step(struct stepper *st, unsigned int lp, struct source *s)
{
	static const uint64_t leaves[] = {
		MNG_CREATE, MNG_KEY_CONFIG, MNG_ADDCX, MNG_VPFLUSHDONE, PHYMEM_CACHE_WB,
		MNG_KEY_FREEID, PHYMEM_PAGE_RECLAIM, PHYMEM_PAGE_RDMD, PHYMEM_PAGE_WBINVD,
		MNG_KEY_RECLAIMID, PHYMEM_PAGE_RECLAIM, 0, 2, 10, 48, 21, 72,
	};
	struct regs regs = { .rax = PICK(s, leaves) };

	regs.rcx = regs.rax == PHYMEM_CACHE_WB ? take(s, 1) % 3 : a_page(s);
	regs.rdx = regs.rax == MNG_CREATE ? 33 + take(s, 1) % 4 : a_page(s);
	spoiled_call(st, lp, s, regs);
}

/* The whole way of a TD, so that each part of it has been reached */
static void whole_td(struct stepper *st, unsigned int lp, struct source *s)
{
	uint64_t tdr = a_page(s), page = a_page(s);
	unsigned int i, lps = 4;

	do_call(st, lp, &(struct regs){ MNG_CREATE, tdr, 33 + take(s, 1) % 4, 0, 0 });
	for (i = 0; i < lps; i++)
		do_call(st, i, &(struct regs){ MNG_KEY_CONFIG, tdr, 0, 0, 0 });
	do_call(st, lp, &(struct regs){ MNG_ADDCX, page, tdr, 0, 0 });
	if (one_in(s, 2))
		return;
	do_call(st, lp, &(struct regs){ MNG_VPFLUSHDONE, tdr, 0, 0, 0 });
	for (i = 0; i < lps; i++)
		do_call(st, i, &(struct regs){ PHYMEM_CACHE_WB, 0, 0, 0, 0 });
	do_call(st, lp, &(struct regs){ MNG_KEY_FREEID, tdr, 0, 0, 0 });
	do_call(st, lp, &(struct regs){ PHYMEM_PAGE_RECLAIM, page, 0, 0, 0 });
	do_call(st, lp, &(struct regs){ PHYMEM_PAGE_RECLAIM, tdr, 0, 0, 0 });
}

static void tdmr_step(struct stepper *st, unsigned int lp, struct source *s)
{
	static const uint64_t counts[] = { 1, 2, 255, 256, 256, 257, 512, 16 };
	struct regs regs = { .rax = SYS_TDMR_INIT, .rcx = tdmr_base(take(s, 1) % TDMR_SLOTS) };
	uint64_t n = PICK(s, counts), status = 0;

	while (--n && !(status >> 63))
		status = do_call(st, lp, &regs);
	spoiled_call(st, lp, s, regs);
}

static void rd_step(struct stepper *st, unsigned int lp, struct source *s)
{
	static const uint64_t ids[] = {
		UINT64_MAX, UINT64_C(0x0000000200000000), UINT64_C(0x0000000200000003),
		UINT64_C(0x9000000300000080), UINT64_C(0x9900000300000500),
		UINT64_C(0x9900000300000501), UINT64_C(0x9900000300000810),
		UINT64_C(0xA200000300000006), UINT64_C(0x9100000100000008),
	};
	uint64_t id = PICK(s, ids);

	if (one_in(s, 4))
		id ^= UINT64_C(1) << (take(s, 1) & 63);
	if (one_in(s, 4))
		spoiled_call(st, lp, s, (struct regs){ SYS_RDALL, 0, INFO_PA, id, 0 });
	else
		spoiled_call(st, lp, s, (struct regs){ SYS_RD, 0, id, 0, 0 });
}

static void all_lps(struct stepper *st, unsigned int lp, struct source *s, uint64_t leaf)
{
	unsigned int i;

	(void)s;
	for (i = 0; i < 4; i++)
		do_call(st, (lp + i) % 4, &(struct regs){ leaf, 0, 0, 0, 0 });
}

static void arm_faults(struct stepper *st, struct source *s)
{
	static const uint64_t status[] = {
		0, UINT64_C(0x8000020200000000), UINT64_C(0x8000020300000000), UINT64_MAX - 1,
	};
	struct tdxm_fault f = {
		.leaf = one_in(s, 2) ? TDXM_ANY_LEAF : take(s, 1),
		.lp = (int32_t)(take(s, 1) % 5) - 1,
		.nth = 1 + take(s, 1) % 4,
		.count = take(s, 1) % 4,
		.status = PICK(s, status),
	};

	/* a fatal stop would end the run */
	if (one_in(s, 4))
		f.exit = TDXM_VMFAIL_INVALID;
	tdxm_set_faults(st->machine->m, &f, one_in(s, 4));
}

void random_step(struct stepper *st, unsigned int lp, struct source *s)
{
	uint64_t word;

	switch (take(s, 1) % 20) {
	case 0:
		spoiled_call(st, lp, s, (struct regs){ SYS_INIT, 0, 0, 0, 0 });
		break;
	case 1:
		all_lps(st, lp, s, SYS_LP_INIT);
		break;
	case 2:
		spoiled_call(st, lp, s, (struct regs){ SYS_LP_INIT, 0, 0, 0, 0 });
		break;
	case 3:
	case 4:
		configure(st, lp, s);
		break;
	case 5:
		spoiled_call(st, lp, s, (struct regs){ SYS_KEY_CONFIG, 0, 0, 0, 0 });
		break;
	case 6:
		all_lps(st, lp, s, SYS_KEY_CONFIG);
		break;
	case 7:
	case 8:
		tdmr_step(st, lp, s);
		break;
	case 9:
	case 10:
	case 11:
	case 12:
		td_step(st, lp, s);
		break;
	case 13:
		whole_td(st, lp, s);
		break;
	case 14:
		rd_step(st, lp, s);
		break;
	case 15:
		spoiled_call(st, lp, s, (struct regs){
			SYS_INFO, INFO_PA, 1024 - (take(s, 1) & 1),
			one_in(s, 3) ? INFO_PA + 512 : CMR_PA, 32 - (take(s, 1) & 1) });
		break;
	case 16:
		/* nothing about it makes sense */
		do_call(st, lp, &(struct regs){ one_in(s, 2) ? take(s, 1) : odd_number(s),
						odd_number(s), odd_number(s), odd_number(s),
						odd_number(s) });
		break;
	case 17:
		word = odd_number(s);
		mem_write(&st->machine->mem, POINTERS_PA + 8 * (take(s, 2) % 1024), &word, 8);
		break;
	case 18:
		do_call(st, lp, &(struct regs){ TDXM_SEAMLDR | take(s, 1) % 6, INFO_PA, 0, 0, 0 });
		break;
	default:
		if (!st->may_end)
			break;
		switch (take(s, 1) % 8) {
		case 0:
			spoiled_call(st, lp, s, (struct regs){ SYS_SHUTDOWN, 0, 0, 0, 0 });
			break;
		case 1:
			spoiled_call(st, lp, s, (struct regs){ SYS_UPDATE, 0, 0, 0, 0 });
			break;
		case 2:
			spoiled_call(st, lp, s, (struct regs){ SYS_LP_SHUTDOWN, 0, 0, 0, 0 });
			break;
		case 3:
			arm_faults(st, s);
			break;
		}
	}
}
