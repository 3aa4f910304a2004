// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test-threads [SECONDS]: 64 LPs make random calls at once, each from its own
 * thread. The state never goes back; when all have stopped, the invariants
 * hold. Meant for ThreadSanitizer.
 */
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "invariants.h"
#include "steps.h"

#define LPS		64
#define STEPS		120

struct round {
	struct machine machine;
	struct owners owners;
	const struct tdxm_platform *platform;
	pthread_barrier_t barrier;
	_Atomic unsigned int answers, refused, problems;
};

struct worker {
	struct round *round;
	unsigned int lp;
	uint64_t seed;
};

static void on_page_owner(struct machine *machine, uint64_t pa, uint64_t size, bool owned,
			  enum tdxm_page_kind kind)
{
	struct round *round = machine->user;

	owners_event(&round->owners, pa, size, owned, kind);
}

static enum tdxm_exit counted_call(struct stepper *st, unsigned int lp, uint64_t r[16])
{
	struct worker *w = st->user;
	struct tdxm *m = w->round->machine.m;
	enum tdxm_state before = tdxm_state(m);
	uint64_t in[TDXM_NR_REGS];
	enum tdxm_exit exit;

	(void)lp;
	memcpy(in, r, sizeof(in));
	/* each LP is its thread's own: steps name others, too */
	exit = tdxm_seamcall(m, w->lp, r);
	if (tdxm_state(m) < before)
		w->round->problems++;
	if (exit == TDXM_DONE) {
		w->round->answers++;
		w->round->refused += r[TDXM_RAX] >> 63;
		if (registers_ok(in, r, w->round->platform->module.clobbers_rbp))
			w->round->problems++;
	}
	return exit;
}

/* One after the other, as far as READY; then everything at once */
static void bring_this_up(struct stepper *st, struct worker *w)
{
	struct round *round = w->round;
	unsigned int i;

	if (!w->lp) {
		for (i = 0; i < 4; i++)
			put_tdmr(&round->machine, i, GIB(4 + 2 * i), GIB(1), PAMT_PA + MIB(16) * i);
		call(&round->machine, 0, SYS_INIT, 0, 0, 0);
	}
	pthread_barrier_wait(&round->barrier);
	while (call(&round->machine, w->lp, SYS_LP_INIT, 0, 0, 0) >> 32 == 0x80000202)
		sched_yield();
	pthread_barrier_wait(&round->barrier);
	if (!w->lp)
		call(&round->machine, 0, SYS_CONFIG, POINTERS_PA, 4, GLOBAL_KEYID);
	pthread_barrier_wait(&round->barrier);
	while (call(&round->machine, w->lp, SYS_KEY_CONFIG, 0, 0, 0) >> 32 == 0x80000202)
		sched_yield();
	pthread_barrier_wait(&round->barrier);
	for (i = 0; i < 4 * INIT_CALLS_PER_GIB / LPS; i++)
		while (call(&round->machine, w->lp, SYS_TDMR_INIT, GIB(4 + 2 * ((i + w->lp) % 4)),
			    0, 0) >> 32 == 0x80000200)
			sched_yield();
	(void)st;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct source s = { .seed = w->seed };
	struct stepper st = { &w->round->machine, counted_call, true, w };
	unsigned int i;

	/* two rounds of three start from READY, the third from nothing */
	if (w->seed % 3)
		bring_this_up(&st, w);
	pthread_barrier_wait(&w->round->barrier);
	for (i = 0; i < STEPS; i++)
		random_step(&st, w->lp, &s);
	return NULL;
}

static bool run_round(uint64_t seed, struct round *round)
{
	struct tdxm_platform platform;
	struct worker workers[LPS];
	pthread_t threads[LPS];
	const char *problem;
	bool ok = true;
	unsigned int i;

	tdxm_platform_init(&platform);
	platform.lps = LPS;
	platform.packages = 1 + seed % 8;
	platform.cmrs[1].size = GIB(8);
	if (seed % 4 == 1)
		tdxm_module_by_name(&platform.module, "1.0");
	round->platform = &platform;
	round->machine = (struct machine){ .page_owner = on_page_owner, .user = round };
	pthread_mutex_init(&round->owners.lock, NULL);
	pthread_barrier_init(&round->barrier, NULL, LPS);
	if (!machine_start(&round->machine, &platform))
		return false;
	for (i = 0; i < LPS; i++) {
		workers[i] = (struct worker){ round, i, seed * 3 * LPS + 3 * i + seed % 3 };
		if (pthread_create(&threads[i], NULL, work, &workers[i]))
			abort();
	}
	for (i = 0; i < LPS; i++)
		pthread_join(threads[i], NULL);
	problem = invariants(round->machine.m, &round->owners);
	if (problem || round->problems) {
		printf("round %llu: %s, %u calls with a wrong state or register\n",
		       (unsigned long long)seed, problem ? problem : "invariants hold",
		       round->problems);
		ok = false;
	}
	machine_stop(&round->machine);
	if (round->machine.allocated) {
		printf("round %llu: memory was not given back\n", (unsigned long long)seed);
		ok = false;
	}
	owners_free(&round->owners);
	pthread_barrier_destroy(&round->barrier);
	return ok;
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 10, passed;
	struct round round = { 0 };
	struct timespec start, now;
	unsigned int failed = 0, rounds = 0;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		failed += !run_round(++rounds, &round);
		clock_gettime(CLOCK_MONOTONIC, &now);
		passed = now.tv_sec - start.tv_sec + (now.tv_nsec - start.tv_nsec) / 1e9;
	} while (passed < seconds && !failed);
	printf("%u rounds of %u threads in %.1f s: %u answers, %u of them refusals\n", rounds, LPS,
	       passed, round.answers, round.refused);
	/* nobody got anywhere: then nothing was tested */
	if (round.answers - round.refused < rounds * LPS)
		failed++;
	printf("%d passed, %d failed\n", !failed, !!failed);
	return failed != 0;
}
