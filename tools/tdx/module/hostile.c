// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A module that lies: what it reports is nonsense. It does what it should
 * otherwise, so that a host that believes it is found out.
 */
#include "internal.h"

#define INFO_WORDS		(1024 / 8)
#define CMR_WORDS		(TDXM_MAX_CMRS * 2)
#define SEAMLDR_WORDS		(256 / 8)

void tdxm_set_hostile(struct tdxm *m, uint64_t seed)
{
	__atomic_store_n(&m->hostile, seed, __ATOMIC_RELAXED);
}

/* A counter that goes through a mixer (splitmix64) */
static uint64_t next_random(struct tdxm *m)
{
	const uint64_t step = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t x = __atomic_add_fetch(&m->hostile, step, __ATOMIC_RELAXED);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static bool one_in(struct tdxm *m, unsigned int n)
{
	return !(next_random(m) & (n - 1));
}

/* Values at which arithmetic breaks, and others */
static uint64_t nonsense(struct tdxm *m, uint64_t truth)
{
	uint64_t r = next_random(m);
	unsigned int shift = BITS(r, 13, 8);

	switch (r & 15) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX;
	case 2:
		return UINT64_C(1) << shift;
	case 3:
		return (UINT64_C(1) << shift) - 1;
	case 4:
		return truth + 1;
	case 5:
		return truth - 1;
	case 6:
		return truth << (shift & 7);
	case 7:
		return truth ^ (UINT64_C(1) << shift);
	case 8:
		return ~truth;
	case 9:
		return BITS(r, 63, 56);
	case 10:
		return BITS(r, 63, 48);
	case 11:
		return BITS(r, 63, 12) & ~(PAGE_4K - 1);	/* an address */
	case 12:
		return BITS(r, 63, 28) & ~(SIZE_1G - 1);
	default:
		return next_random(m);
	}
}

static void lie_in_memory(struct tdxm *m, uint64_t pa, unsigned int words)
{
	uint64_t word;
	unsigned int i;

	for (i = 0; i < words; i++) {
		if (!one_in(m, 16))
			continue;
		tdxm_read(m, pa + 8 * i, &word, sizeof(word));
		word = nonsense(m, word);
		tdxm_write(m, pa + 8 * i, &word, sizeof(word));
	}
}

/* After a call that has been answered in c->r */
void tdxm_lie(struct tdxm_call *c)
{
	struct tdxm *m = c->m;
	uint64_t rax = c->in[TDXM_RAX];

	if (!__atomic_load_n(&m->hostile, __ATOMIC_RELAXED) || c->r[TDXM_RAX] >> 61)
		return;

	switch (rax) {
	case TDXM_SEAMLDR:
		lie_in_memory(m, c->in[TDXM_RCX], SEAMLDR_WORDS);
		break;
	case LEAF_SYS_INFO:
		lie_in_memory(m, c->in[TDXM_RCX], INFO_WORDS);
		lie_in_memory(m, c->in[TDXM_R8], CMR_WORDS);
		if (one_in(m, 4))
			c->r[TDXM_R9] = nonsense(m, c->r[TDXM_R9]);
		break;
	case LEAF_SYS_RD:
		if (one_in(m, 32))
			c->r[TDXM_R8] = nonsense(m, c->r[TDXM_R8]);
		break;
	case LEAF_SYS_TDMR_INIT:
		if (one_in(m, 128))
			c->r[TDXM_RDX] = nonsense(m, c->r[TDXM_RDX]);
		break;
	}
}
