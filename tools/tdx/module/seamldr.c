// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * P-SEAMLDR. INFO answers; the module can be neither installed nor removed, so
 * the other leaves do no more than refuse what they are given.
 */
#include "internal.h"

#define SEAMLDR_INFO		0
#define SEAMLDR_INFO_SIZE	256

/* Status codes of P-SEAMLDR */
#define SEAMLDR_BAD_PARAMETER	ST(0x8000000000010000)
#define SEAMLDR_BAD_CALL	ST(0x8000000000010003)

static void put(uint8_t *buf, unsigned int offset, unsigned int bytes, uint64_t value)
{
	unsigned int i;

	for (i = 0; i < bytes; i++)
		buf[offset + i] = value >> (8 * i);
}

static void make_info(const struct tdxm *m, uint8_t info[SEAMLDR_INFO_SIZE])
{
	memset(info, 0, SEAMLDR_INFO_SIZE);
	put(info, 8, 4, FIXED_VENDOR_ID);
	put(info, 12, 4, 0x20230601);		/* build date */
	put(info, 16, 2, 2);			/* build number */
	put(info, 18, 2, 5);			/* version 1.5 */
	put(info, 20, 2, 1);
	put(info, 32, 8, 1);			/* SEAMEXTEND is valid */
	put(info, 160, 1, m->platform.module.loaded);
	put(info, 162, 1, 1);			/* P-SEAMLDR is ready */
}

static bool in_seamrr(const struct tdxm *m, uint64_t pa, uint64_t size)
{
	return ranges_overlap(pa, size, m->platform.seamrr.base, m->platform.seamrr.size);
}

static uint64_t seamldr_info(struct tdxm_call *c)
{
	uint8_t info[SEAMLDR_INFO_SIZE];
	uint64_t pa = c->in[TDXM_RCX];

	if (!IS_ALIGNED_TO(pa, SEAMLDR_INFO_SIZE) || pa >= PA_LIMIT >> c->m->keyid_bits ||
	    in_seamrr(c->m, pa, SEAMLDR_INFO_SIZE))
		return SEAMLDR_BAD_PARAMETER;
	make_info(c->m, info);
	return c->m->ops.mem_write(c->m->opaque, pa, info, sizeof(info)) ?
	       TDX_SUCCESS : SEAMLDR_BAD_PARAMETER;
}

/* One LP at a time: to a second one it looks as though nothing were loaded */
enum tdxm_exit tdxm_seamldr(struct tdxm_call *c)
{
	uint64_t leaf = c->in[TDXM_RAX] & ~TDXM_SEAMLDR;

	if (!c->m->platform.module.seamldr_loaded || !lock_try_exclusive(&c->m->seamldr_lock))
		return TDXM_VMFAIL_INVALID;
	if (leaf == SEAMLDR_INFO)
		c->r[TDXM_RAX] = seamldr_info(c);
	else if (leaf <= UINT32_MAX && tdxm_seamldr_leaf_name(leaf))
		c->r[TDXM_RAX] = SEAMLDR_BAD_PARAMETER;
	else
		c->r[TDXM_RAX] = SEAMLDR_BAD_CALL;
	unlock_exclusive(&c->m->seamldr_lock);
	return TDXM_DONE;
}
