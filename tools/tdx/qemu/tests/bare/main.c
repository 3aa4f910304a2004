// SPDX-License-Identifier: GPL-2.0-or-later
#include "bare.h"

void main(const char *cmdline);

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* The command line is the name of one test */
void main(const char *cmdline)
{
	const struct test *const all[] = { vmx_tests, seam_tests, checker_tests, bench_tests };
	const struct test *t;
	unsigned int i;

	start_cpus();
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		for (t = all[i]; t->name; t++) {
			if (same(t->name, cmdline)) {
				t->fn();
				print("end of %s\n", t->name);
				return;
			}
		}
	}
	check(false, "no test '%s'", cmdline);
}
