// SPDX-License-Identifier: GPL-2.0-or-later
#include "bringup.h"

struct answer seamcall(struct machine *machine, unsigned int lp, uint64_t rax, uint64_t rcx,
		       uint64_t rdx, uint64_t r8, uint64_t r9)
{
	struct answer a = { .exit = TDXM_DONE };
	unsigned int i;

	for (i = 0; i < TDXM_NR_REGS; i++)
		a.r[i] = UINT64_C(0x1111111111111111) * i;
	a.r[TDXM_RAX] = rax;
	a.r[TDXM_RCX] = rcx;
	a.r[TDXM_RDX] = rdx;
	a.r[TDXM_R8] = r8;
	a.r[TDXM_R9] = r9;
	a.exit = tdxm_seamcall(machine->m, lp, a.r);
	return a;
}

uint64_t call(struct machine *machine, unsigned int lp, uint64_t rax, uint64_t rcx, uint64_t rdx,
	      uint64_t r8)
{
	struct answer a = seamcall(machine, lp, rax, rcx, rdx, r8, 0);

	return a.exit == TDXM_DONE ? a.r[TDXM_RAX] : UINT64_MAX;
}

static uint64_t pages(uint64_t size)
{
	return (size + 4095) & ~UINT64_C(4095);
}

void put_tdmr(struct machine *machine, unsigned int i, uint64_t base, uint64_t size, uint64_t pamt)
{
	uint64_t info[40] = { base, size }, pa = TDMR_INFO_PA + 512 * i;

	info[2] = pamt;				/* 1G */
	info[3] = pages(size / GIB(1) * 16);
	info[4] = info[2] + info[3];		/* 2M */
	info[5] = pages(size / MIB(2) * 16);
	info[6] = info[4] + info[5];		/* 4K */
	info[7] = pages(size / 4096 * 16);
	mem_write(&machine->mem, pa, info, sizeof(info));
	mem_write(&machine->mem, POINTERS_PA + 8 * i, &pa, sizeof(pa));
}

uint64_t init_tdmr(struct machine *machine, unsigned int lp, uint64_t base)
{
	struct tdxm_tdmr_info info;
	uint64_t status;
	unsigned int i;

	do {
		status = call(machine, lp, SYS_TDMR_INIT, base, 0, 0);
		if (status)
			return status;
		for (i = 0; tdxm_tdmr(machine->m, i, &info) && info.base != base; i++)
			;
	} while (info.initialized < info.size);
	return 0;
}

uint64_t bring_up(struct machine *machine, const struct tdxm_platform *platform,
		  enum tdxm_state to, unsigned int gib)
{
	uint64_t status;
	unsigned int lp;

	if (!machine_start(machine, platform))
		return UINT64_MAX;
	if (to == TDXM_PENDING)
		return 0;
	status = call(machine, 0, SYS_INIT, 0, 0, 0);
	for (lp = 0; lp < platform->lps && !status; lp++)
		status = call(machine, lp, SYS_LP_INIT, 0, 0, 0);
	if (status || to == TDXM_INIT_DONE)
		return status;
	put_tdmr(machine, 0, GIB(4), GIB(gib), PAMT_PA);
	status = call(machine, 0, SYS_CONFIG, POINTERS_PA, 1, GLOBAL_KEYID);
	if (status || to == TDXM_CONFIG_DONE)
		return status;
	for (lp = 0; lp < platform->lps && !status; lp++) {
		status = call(machine, lp, SYS_KEY_CONFIG, 0, 0, 0);
		/* this package has its key */
		if (status == UINT64_C(0x0000081500000000) || tdxm_state(machine->m) == TDXM_READY)
			status = 0;
		if (tdxm_state(machine->m) == TDXM_READY)
			break;
	}
	return status;
}
