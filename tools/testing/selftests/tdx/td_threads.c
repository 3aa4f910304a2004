// SPDX-License-Identifier: GPL-2.0
/*
 * Many threads create TDs at once, as the first ever: all succeed, and the
 * module is initialised once.
 *
 * Parameters: threads=N (16), rounds=N (TDs a thread creates, 5).
 */
#include <pthread.h>
#include <stdlib.h>

#include "../kselftest_harness.h"
#include "tdx_test.h"

static pthread_barrier_t start;
static unsigned long rounds;

struct creator {
	pthread_t thread;
	unsigned long type;
	int first;		/* what the first attempt returned */
	unsigned int failed;
};

static void *create(void *arg)
{
	struct creator *creator = arg;
	int kvm = tdx_open_kvm();
	unsigned long i;
	int fd;

	pthread_barrier_wait(&start);
	for (i = 0; i < rounds; i++) {
		fd = tdx_create_vm(kvm, creator->type);
		if (!i)
			creator->first = fd;
		if (fd < 0)
			creator->failed++;
		else
			close(fd);
	}
	close(kvm);
	return NULL;
}

TEST(threads)
{
	unsigned long nr = tdx_param_num("threads", 16), i;
	struct creator *creators;

	rounds = tdx_param_num("rounds", 5);
	creators = calloc(nr, sizeof(*creators));
	ASSERT_NE(NULL, creators);
	ASSERT_EQ(0, tdx_log_count("module")) {
		TH_LOG("the module is in use already, so this proves nothing");
	}

	ASSERT_EQ(0, pthread_barrier_init(&start, NULL, nr));
	for (i = 0; i < nr; i++) {
		creators[i].type = KVM_X86_TDX_VM;
		ASSERT_EQ(0, pthread_create(&creators[i].thread, NULL, create,
					    &creators[i]));
	}
	for (i = 0; i < nr; i++) {
		ASSERT_EQ(0, pthread_join(creators[i].thread, NULL));
		EXPECT_LE(0, creators[i].first) {
			TH_LOG("thread %lu: %s", i,
			       tdx_errno_name(-creators[i].first));
		}
		EXPECT_EQ(0, creators[i].failed);
	}

	EXPECT_EQ(1, tdx_log_count("module"));
	EXPECT_EQ(1, tdx_log_count("initialized"));
	EXPECT_TRUE(tdx_state_is("INITIALIZED"));
}

/* Every second thread creates ordinary VMs. */
TEST(threads_of_both_types)
{
	unsigned long nr = tdx_param_num("threads", 16), i;
	struct creator *creators;

	rounds = tdx_param_num("rounds", 5);
	creators = calloc(nr, sizeof(*creators));
	ASSERT_NE(NULL, creators);

	ASSERT_EQ(0, pthread_barrier_init(&start, NULL, nr));
	for (i = 0; i < nr; i++) {
		creators[i].type = i % 2 ? KVM_X86_ORDINARY_VM : KVM_X86_TDX_VM;
		ASSERT_EQ(0, pthread_create(&creators[i].thread, NULL, create,
					    &creators[i]));
	}
	for (i = 0; i < nr; i++) {
		ASSERT_EQ(0, pthread_join(creators[i].thread, NULL));
		EXPECT_EQ(0, creators[i].failed);
	}
	EXPECT_EQ(1, tdx_log_count("initialized"));
}

TDX_TEST_MAIN
