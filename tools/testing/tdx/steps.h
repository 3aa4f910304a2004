/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random things that a host might do: SEAMCALLs that make sense, that nearly
 * make sense, and that do not, and writes to the memory that they read.
 */
#ifndef TDX_TEST_STEPS_H
#define TDX_TEST_STEPS_H

#include "bringup.h"

/* Bytes of a fuzzer, then (or without data) of a generator */
struct source {
	const uint8_t *data;
	size_t len;
	uint64_t seed;		/* 0: only the data, then zeroes */
};

uint64_t take(struct source *s, unsigned int bytes);
static inline bool is_empty(const struct source *s)
{
	return !s->len && !s->seed;
}

/* A platform to go with it: the reference one, or somewhat different */
void random_platform(struct source *s, struct tdxm_platform *platform);

/*
 * One step of LP `lp`. `seamcall` makes the calls (it may make them more than
 * once, and check what it likes); r[] are all registers, the answer goes there.
 */
struct stepper {
	struct machine *machine;
	enum tdxm_exit (*seamcall)(struct stepper *st, unsigned int lp, uint64_t r[16]);
	bool may_end;		/* SHUTDOWN, LP.SHUTDOWN of 1.0, faults */
	void *user;
};

void random_step(struct stepper *st, unsigned int lp, struct source *s);

#endif
