/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * As much of KUnit as tests of pure functions need, in user space.
 *
 * A file of tests is compiled as it is and linked with kunit.c.
 */
#ifndef _TDX_WORDS_KUNIT_TEST_H
#define _TDX_WORDS_KUNIT_TEST_H

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <linux/kernel.h>
#include <linux/types.h>

#define KUNIT_PARAM_DESC_SIZE	128

struct kunit {
	const void *param_value;
	bool failed;
	jmp_buf abort;
};

struct kunit_case {
	void (*run)(struct kunit *test);
	const char *name;
	const void *(*next)(const void *prev, char *desc);
};

struct kunit_suite {
	const char *name;
	struct kunit_case *test_cases;
};

extern struct kunit_suite *kunit_suites[];

#define KUNIT_CASE(test)		{ test, #test, NULL }
#define KUNIT_CASE_PARAM(test, next)	{ test, #test, next }

#define KUNIT_ARRAY_PARAM(prefix, array, get_desc)				\
	static const void *prefix##_gen_params(const void *prev, char *desc)	\
	{									\
		__typeof__(&(array)[0]) next = prev;				\
										\
		next = next ? next + 1 : array;					\
		if (next == array + ARRAY_SIZE(array))				\
			return NULL;						\
		get_desc(next, desc);						\
		return next;							\
	}

#define kunit_test_suite(suite)	struct kunit_suite *kunit_suites[] = { &(suite), NULL }

#define KUNIT_CHECK(test, ok, stop, fmt, ...)					\
	do {									\
		if (!(ok)) {							\
			printf("    %s:%d: " fmt "\n", __FILE__, __LINE__, __VA_ARGS__); \
			(test)->failed = true;					\
			if (stop)						\
				longjmp((test)->abort, 1);			\
		}								\
	} while (0)

#define KUNIT_NUMBERS(test, a, op, b, stop)					\
	KUNIT_CHECK(test, (a) op (b), stop, "expected " #a " " #op " " #b ": %lld, %lld", \
		    (long long)(a), (long long)(b))

#define KUNIT_EXPECT_EQ(test, a, b)	KUNIT_NUMBERS(test, a, ==, b, false)
#define KUNIT_ASSERT_EQ(test, a, b)	KUNIT_NUMBERS(test, a, ==, b, true)
#define KUNIT_ASSERT_LT(test, a, b)	KUNIT_NUMBERS(test, a, <, b, true)
#define KUNIT_EXPECT_NULL(test, a)						\
	KUNIT_CHECK(test, (a) == NULL, false, "expected %s to be NULL", #a)
#define KUNIT_EXPECT_STREQ(test, a, b)						\
	KUNIT_CHECK(test, !strcmp(a, b), false, "got      \"%s\"\n    expected \"%s\"", a, b)

static inline void strscpy(char *to, const char *from, size_t size)
{
	snprintf(to, size, "%s", from);
}

#endif
