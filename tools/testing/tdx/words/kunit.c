// SPDX-License-Identifier: GPL-2.0-or-later
/* Runs the suites of one file of KUnit tests in user space. */
#include <kunit/test.h>

static unsigned int passed, failed;

static void run(const struct kunit_suite *suite, const struct kunit_case *c,
		const void *param, const char *desc)
{
	struct kunit test = { .param_value = param };

	if (!setjmp(test.abort))
		c->run(&test);

	if (test.failed) {
		printf("not ok %s.%s %s\n", suite->name, c->name, desc);
		failed++;
	} else {
		passed++;
	}
}

static void run_case(const struct kunit_suite *suite, const struct kunit_case *c)
{
	char desc[KUNIT_PARAM_DESC_SIZE] = "";
	const void *param;

	if (!c->next) {
		run(suite, c, NULL, desc);
		return;
	}
	for (param = c->next(NULL, desc); param; param = c->next(param, desc))
		run(suite, c, param, desc);
}

int main(void)
{
	struct kunit_suite **suite;
	struct kunit_case *c;

	for (suite = kunit_suites; *suite; suite++) {
		for (c = (*suite)->test_cases; c->run; c++)
			run_case(*suite, c);
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed || !passed;
}
