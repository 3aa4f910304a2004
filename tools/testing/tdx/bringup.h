/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What host tests say over and over: SEAMCALLs with names, and a module that
 * is brought up to some state on the reference platform.
 */
#ifndef TDX_TEST_BRINGUP_H
#define TDX_TEST_BRINGUP_H

#include "machine.h"

enum {
	MNG_ADDCX = 1, MNG_KEY_CONFIG = 8, MNG_CREATE = 9, MNG_VPFLUSHDONE = 19,
	MNG_KEY_FREEID = 20, PHYMEM_PAGE_RDMD = 24, MNG_KEY_RECLAIMID = 27,
	PHYMEM_PAGE_RECLAIM = 28, SYS_KEY_CONFIG = 31, SYS_INFO = 32, SYS_INIT = 33, SYS_RD = 34,
	SYS_LP_INIT = 35, SYS_TDMR_INIT = 36, SYS_RDALL = 37, PHYMEM_CACHE_WB = 40,
	PHYMEM_PAGE_WBINVD = 41, SYS_LP_SHUTDOWN = 44, SYS_CONFIG = 45, SYS_SHUTDOWN = 52,
	SYS_UPDATE = 53,
};

#define MIB(n)		((uint64_t)(n) << 20)
#define GIB(n)		((uint64_t)(n) << 30)

/* Where tests keep what they share with the module: in the first CMR, outside TDMRs */
#define POINTERS_PA	0x200000
#define TDMR_INFO_PA	0x201000	/* 512 bytes each */
#define INFO_PA		0x300000
#define CMR_PA		0x301000
#define PAMT_PA		0x1000000	/* of TDMR 0; 16 MiB further that of TDMR 1, ... */

#define GLOBAL_KEYID	32
#define INIT_CALLS_PER_GIB 256

/* A call: its end, and all registers */
struct answer {
	enum tdxm_exit exit;
	uint64_t r[TDXM_NR_REGS];
};

struct answer seamcall(struct machine *machine, unsigned int lp, uint64_t rax, uint64_t rcx,
		       uint64_t rdx, uint64_t r8, uint64_t r9);
/* RAX alone; UINT64_MAX if there was no answer */
uint64_t call(struct machine *machine, unsigned int lp, uint64_t rax, uint64_t rcx, uint64_t rdx,
	      uint64_t r8);

/* TDMR i of the pointer array: all PAMTs behind each other at `pamt`, nothing reserved */
void put_tdmr(struct machine *machine, unsigned int i, uint64_t base, uint64_t size, uint64_t pamt);

/*
 * Bring the module to a state, step by step; the TDMRs are [4G, 4G + gib).
 * 0, or what the first call answered that did not succeed.
 */
uint64_t bring_up(struct machine *machine, const struct tdxm_platform *platform,
		  enum tdxm_state to, unsigned int gib);
/* All calls of TDMR.INIT that a TDMR needs */
uint64_t init_tdmr(struct machine *machine, unsigned int lp, uint64_t base);

#endif
