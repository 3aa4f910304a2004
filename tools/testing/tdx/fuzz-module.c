// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer: random calls on random platforms. After each call: registers,
 * state, invariants; a call that was refused has changed nothing but what the
 * rules say. LPs make calls while those of others run.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "invariants.h"
#include "steps.h"

#define MAX_STEPS	400
#define MAX_DEPTH	2
#define SYS_BUSY	UINT64_C(0x8000020200000000)
#define INTERRUPTED	UINT64_C(0x8000000300000000)

struct run {
	struct machine machine;
	struct owners owners;
	struct stepper stepper;
	struct source source, events;
	const struct tdxm_platform *platform;
	unsigned int depth;
	unsigned int calls;		/* made so far: nested ones are noticed by it */
	uint32_t inside;		/* LPs */
	bool wrote_other;		/* memory, other than what INFO zeroes */
	bool wrote;
	uint64_t digest;		/* after the last call */
	unsigned int light;		/* calls since the last one with all checks */
};

static void __attribute__((noreturn)) die(const char *why, const uint64_t in[16],
					  const uint64_t out[16])
{
	unsigned int i;

	fprintf(stderr, "%s\n", why);
	for (i = 0; in && i < TDXM_NR_REGS; i++)
		fprintf(stderr, "register %2u: %#18" PRIx64 " -> %#18" PRIx64 "\n", i, in[i], out[i]);
	abort();
}

static void on_write(struct machine *machine, uint64_t pa, const void *buf, size_t len)
{
	struct run *run = machine->user;
	size_t i;

	(void)pa;
	run->wrote = true;
	for (i = 0; i < len; i++)
		if (((const uint8_t *)buf)[i])
			run->wrote_other = true;
}

static void on_page_owner(struct machine *machine, uint64_t pa, uint64_t size, bool owned,
			  enum tdxm_page_kind kind)
{
	struct run *run = machine->user;

	owners_event(&run->owners, pa, size, owned, kind);
}

static void on_event(struct machine *machine, unsigned int lp, enum tdxm_event ev)
{
	struct run *run = machine->user;
	unsigned int other;

	(void)lp;
	(void)ev;
	/* one event in eight, by a generator of its own; none if its seed is 0 */
	if (run->depth >= MAX_DEPTH || is_empty(&run->source) || !run->events.seed ||
	    take(&run->events, 1) % 8)
		return;
	other = take(&run->source, 1) % run->platform->lps;
	if (run->inside & 1u << other)
		return;
	random_step(&run->stepper, other, &run->source);
}

static enum tdxm_exit checked_call(struct stepper *st, unsigned int lp, uint64_t r[16])
{
	struct run *run = st->user;
	struct tdxm *m = run->machine.m;
	enum tdxm_state before, after;
	uint64_t in[TDXM_NR_REGS], was = run->digest, hits;
	unsigned int calls;
	bool all_checks;
	enum tdxm_exit exit;
	const char *problem;

	if (lp < 32 && (run->inside & 1u << lp))
		return TDXM_VMFAIL_INVALID;
	memcpy(in, r, sizeof(in));
	before = tdxm_state(m);
	hits = tdxm_faults_hit(m);
	run->wrote = run->wrote_other = false;
	calls = ++run->calls;
	run->inside |= 1u << (lp & 31);
	run->depth++;
	exit = tdxm_seamcall(m, lp, r);
	run->depth--;
	run->inside &= ~(1u << (lp & 31));
	after = tdxm_state(m);

	if (after < before)
		die("the state went back", in, r);
	if (exit == TDXM_FATAL && after != TDXM_STOPPED)
		die("a fatal stop did not stop the module", in, r);
	if (before == TDXM_STOPPED && exit == TDXM_DONE && !(in[TDXM_RAX] & TDXM_SEAMLDR) &&
	    hits == tdxm_faults_hit(m))
		die("a module that stopped answers", in, r);
	if (exit != TDXM_DONE && memcmp(in, r, sizeof(in)))
		die("registers changed without an answer", in, r);
	if (exit == TDXM_DONE) {
		problem = registers_ok(in, r, run->platform->module.clobbers_rbp);
		if (problem)
			die(problem, in, r);
		if (hits == tdxm_faults_hit(m) && !(in[TDXM_RAX] & TDXM_SEAMLDR) &&
		    !tdxm_status_name(r[TDXM_RAX]))
			die("a status without a name", in, r);
	}
	/* TDMR.INIT is called hundreds of times to get anywhere */
	all_checks = (in[TDXM_RAX] & 0xffff) != SYS_TDMR_INIT || r[TDXM_RAX] ||
		     run->light++ % 64 == 0;
	run->digest = all_checks || run->depth || run->calls != calls ? digest(m) : 0;
	if (run->calls != calls)	/* other calls came in between */
		return exit;
	if (was && (exit != TDXM_DONE || r[TDXM_RAX] >> 63)) {
		if (run->digest != was && exit != TDXM_FATAL && r[TDXM_RAX] != INTERRUPTED)
			die("a refused call changed the module", in, r);
		if (run->wrote_other || (run->wrote && (in[TDXM_RAX] & 0xffff) != SYS_INFO))
			die("a refused call wrote to memory", in, r);
	}
	if (!run->depth && all_checks) {
		problem = invariants(m, &run->owners);
		if (problem)
			die(problem, in, r);
	}
	return exit;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run run = {
		.source = { data, size, 0 },
		.machine = { .on_write = on_write, .page_owner = on_page_owner, .event = on_event },
		.owners.lock = PTHREAD_MUTEX_INITIALIZER,
	};
	struct tdxm_platform platform;
	unsigned int i;

	run.machine.user = &run;
	run.stepper = (struct stepper){ &run.machine, checked_call, true, &run };
	random_platform(&run.source, &platform);
	run.events.seed = take(&run.source, 1);
	run.platform = &platform;
	if (!machine_start(&run.machine, &platform))
		die("the model did not start", NULL, NULL);
	run.digest = digest(run.machine.m);
	for (i = 0; i < MAX_STEPS && !is_empty(&run.source); i++)
		random_step(&run.stepper, take(&run.source, 1) % platform.lps, &run.source);
	machine_stop(&run.machine);
	if (run.machine.allocated)
		die("memory was not given back", NULL, NULL);
	owners_free(&run.owners);
	return 0;
}
