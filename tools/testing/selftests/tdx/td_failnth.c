// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation of one initialisation fails.
 *
 * A TD is asked for again and again. The n-th allocation on the way fails, and
 * all after it, of KVM's and of TDX; first those of slab, then those of pages, in
 * both those of contiguous memory. n goes up until none has failed. Then those of
 * TDX fail alone. After each: what KVM returned, the state, the message, that the
 * PAMTs are back, that another try succeeds where TDX has failed, that not one
 * page is lost, that the kernel says nothing strange and the platform's checker
 * found nothing. A SEAMCALL that fails needs memory, too, for what its status
 * means: without, the name has to do. In the end kmemleak looks for what was lost
 * of slab.
 *
 * Needs a kernel with fault injection, "kmemleak=on" on its command line, and a
 * platform with "test_interface". Parameters: slab=0|1 (whether allocations of slab
 * fail, 1).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>

#include "../kselftest_harness.h"
#include "tdx_platform.h"
#include "tdx_test.h"

#define DEBUG		"/sys/kernel/debug/"
#define KMEMLEAK	DEBUG "kmemleak"

/* What a path loses, it loses every time; what grows by the way does not. */
#define REPEATS		3
#define ROUNDS		10

/* Allocations just before those of TDX, and too many for a TD */
#define BEFORE		8
#define TOO_MANY	4096

/* What TDX needs memory for, as its message has it, and when it does not get it */
enum {
	SLAB = 1,
	PAGES = 2,
	SLAB_LASTING = 4,
	PAGES_LASTING = 8,
	MODULE_1_0 = 16,	/* of that module only */
};

static const struct {
	const char *text;
	unsigned int when;
} reasons[] = {
	{ "out of memory for the answer of P-SEAMLDR", SLAB | SLAB_LASTING },
	{ "out of memory for the answer of TDH.SYS.INFO", PAGES | PAGES_LASTING | MODULE_1_0 },
	{ "out of memory for the list of the kernel's memory", SLAB | SLAB_LASTING },
	{ "out of memory for the plan of TDMRs", PAGES_LASTING },
	{ "no PAMT for ", SLAB_LASTING | PAGES_LASTING },
	{ "out of memory for the configuration of the module", PAGES | PAGES_LASTING },
	{ "out of memory for a workqueue", SLAB | SLAB_LASTING },
};

FIXTURE(failnth) {
	int kvm;
	int vm;			/* keeps all CPUs in VMX operation */
	int fail_nth;
	int make_it_fail;
	bool lasting;
	bool module_1_0;
	long used;		/* pages, between tries */
	unsigned long findings;
	unsigned int times[ARRAY_SIZE(reasons)];
};

static void knob(struct __test_metadata *_metadata, const char *dir, const char *name,
		 const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), DEBUG "%s/%s", dir, name);
	ASSERT_EQ(0, tdx_write_file(path, value)) {
		TH_LOG("%s: is this a kernel with fault injection?", path);
	}
}

static void put(int fd, const char *text)
{
	if (pwrite(fd, text, strlen(text), 0) < 0)
		printf("# cannot write %s\n", text);
}

/* @failed: whether there were n allocations at all */
static int make_td_failing(struct _test_data_failnth *self, unsigned int nth, bool *failed)
{
	char text[16];
	ssize_t len;
	int ret;

	snprintf(text, sizeof(text), "%u", nth);
	put(self->make_it_fail, self->lasting ? "1" : "0");
	put(self->fail_nth, text);
	ret = tdx_try_td(self->kvm);
	put(self->make_it_fail, "0");
	len = pread(self->fail_nth, text, sizeof(text), 0);
	put(self->fail_nth, "0");

	/* What is left to count */
	*failed = len == 2 && *text == '0';
	return ret;
}

/*
 * What is said when allocations of KVM fail. The page allocator shows who wanted
 * memory and then all that there is: TDX does not let it, its own messages are
 * shorter. alloc_workqueue() does. SLUB has lines of its own besides, if it can be
 * debugged; they do not name who wanted it, so TDX is not looked for there.
 */
static bool log_expected(const char *text)
{
	static bool dump, workqueue;

	if (strstr(text, "page allocation failure: ") || strstr(text, "vmalloc error: ")) {
		dump = true;
		workqueue = false;
	}
	if (!dump)
		return strstr(text, "SLUB: Unable to allocate memory on node ") ||
		       (strstr(text, "  cache: ") && strstr(text, ", object size: ")) ||
		       strstr(text, " debugging increased min order, use slub_debug=O ") ||
		       (strstr(text, "  node ") && strstr(text, ": slabs: ")) ||
		       strstr(text, "debugfs: out of free dentries") ||
		       strstr(text, "kmemleak: Cannot allocate a scan area");

	workqueue |= !!strstr(text, " alloc_workqueue");
	dump = !strstr(text, " pages reserved");
	/* A question mark is before what is on the stack by chance. */
	return workqueue || !strstr(text, " tdx_") || strstr(text, " ? ");
}

FIXTURE_SETUP(failnth)
{
	static const char * const dirs[] = { "failslab", "fail_page_alloc", "fail_tdx_contig" };
	struct tdx_platform_state state;
	char version[32];
	cpu_set_t cpu;
	unsigned int i;
	bool failed;

	memset(self, 0, sizeof(*self));
	/* CPUs have caches of their own, and n should be the same in each try. */
	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(cpu), &cpu));
	self->kvm = tdx_open_kvm();
	self->vm = tdx_create_vm(self->kvm, KVM_X86_ORDINARY_VM);
	ASSERT_LE(0, self->vm);
	self->fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->fail_nth);
	self->make_it_fail = open("/proc/thread-self/make-it-fail", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->make_it_fail);

	/* Without fail-nth, all fail of a task with make-it-fail. */
	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		knob(_metadata, dirs[i], "verbose", "0");
		knob(_metadata, dirs[i], "task-filter", "Y");
		knob(_metadata, dirs[i], "probability", "100");
		knob(_metadata, dirs[i], "times", "-1");
	}
	/* Those that may sleep, too */
	knob(_metadata, "failslab", "ignore-gfp-wait", "N");
	knob(_metadata, "fail_page_alloc", "ignore-gfp-wait", "N");
	knob(_metadata, "fail_page_alloc", "ignore-gfp-highmem", "N");

	tdx_log_expected = log_expected;
	tdx_log_watch(true);
	/* What the first ones fill is not lost. */
	self->lasting = true;
	for (i = 1; i <= 4; i++) {
		tdx_machine_reset();
		make_td_failing(self, 50 * i, &failed);
		ASSERT_EQ(0, tdx_try_td(self->kvm));
	}
	tdx_read_file("/sys/firmware/tdx/module_version", version, sizeof(version));
	self->module_1_0 = !strncmp(version, "1.0.", 4);
	tdx_machine_reset();
	tdx_log_strange(NULL);
	tdx_platform_state(&state);
	self->findings = state.findings;
	self->used = tdx_used_pages();
}

FIXTURE_TEARDOWN(failnth)
{
	unsigned int i;

	tdx_log_watch(false);
	for (i = 0; i < ARRAY_SIZE(reasons); i++)
		printf("# %u times: %s\n", self->times[i], reasons[i].text);
	close(self->make_it_fail);
	close(self->fail_nth);
	close(self->vm);
	close(self->kvm);
}

/* Whether this is what TDX says when it has no memory */
static bool count_reason(struct _test_data_failnth *self, const char *error)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(reasons); i++) {
		if (strncmp(error, reasons[i].text, strlen(reasons[i].text)))
			continue;
		self->times[i]++;
		return true;
	}
	return false;
}

/* Returns whether an allocation failed, or there were not that many. */
static bool one_try(struct __test_metadata *_metadata, struct _test_data_failnth *self,
		    unsigned int nth)
{
	struct tdx_platform_state platform;
	char error[1024], kb[32];
	const char *state;
	bool failed;
	int ret;

	ret = make_td_failing(self, nth, &failed);
	EXPECT_TRUE(!ret || (failed && ret == -ENOMEM)) {
		TH_LOG("returned %s", tdx_errno_name(-ret));
	}
	tdx_read_file("/sys/firmware/tdx/last_error", error, sizeof(error));
	state = tdx_state();
	EXPECT_TRUE(ret || !strcmp(state, "INITIALIZED"));
	/* Of an error, what was done before it stays; all else is given back. */
	if (strcmp(state, "INITIALIZED")) {
		EXPECT_TRUE(!strcmp(state, "LOADED") || !strcmp(state, "UNKNOWN"));
		EXPECT_STREQ("0", tdx_read_file("/sys/firmware/tdx/pamt_kb", kb, sizeof(kb)));
	}
	/* If it is not TDX that failed but KVM, nothing is said. */
	EXPECT_TRUE(count_reason(self, error) || (!*error && strcmp(state, "LOADED"))) {
		TH_LOG("state %s, last_error: %s", state, error);
	}

	if (*error)
		EXPECT_EQ(0, tdx_try_td(self->kvm));
	EXPECT_EQ(0, tdx_log_strange(NULL));
	tdx_platform_state(&platform);
	EXPECT_EQ(self->findings, platform.findings);
	tdx_machine_reset();
	return failed;
}

/* With less memory KVM does not get to tdx_init(). */
static unsigned int first_of_tdx(struct _test_data_failnth *self)
{
	unsigned int low = 1, high = TOO_MANY, nth;
	bool failed;

	self->lasting = true;
	while (low < high) {
		nth = (low + high) / 2;
		make_td_failing(self, nth, &failed);
		if (!strcmp(tdx_state(), "UNKNOWN"))
			low = nth + 1;
		else
			high = nth;
		tdx_machine_reset();
	}
	return low;
}

/* What TDX should have said that it has no memory for, and did not */
static const char *never(struct _test_data_failnth *self, unsigned int when)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(reasons); i++) {
		bool possible = self->module_1_0 || !(reasons[i].when & MODULE_1_0);

		if (!self->times[i] && possible && (reasons[i].when & when))
			return reasons[i].text;
	}
	return NULL;
}

static void all_tries(struct __test_metadata *_metadata, struct _test_data_failnth *self,
		      bool pages, bool lasting)
{
	unsigned int first = 1, nth, lost, of_tdx, i, round, when = pages ? PAGES : SLAB;
	bool failed;

	if (!pages && !tdx_param_num("slab", 1))
		return;
	if (lasting)
		when = pages ? PAGES_LASTING : SLAB_LASTING;
	/* No cache of slab has the mark that it would need; no page is that large. */
	knob(_metadata, "failslab", "cache-filter", pages ? "Y" : "N");
	knob(_metadata, "fail_page_alloc", "min-order", pages ? "0" : "99");

	of_tdx = first_of_tdx(self);
	of_tdx = of_tdx > BEFORE ? of_tdx - BEFORE : 1;
	if (!lasting)
		first = of_tdx;
	self->lasting = lasting;

	/* Caches are full or not, so which one is the n-th differs: none may be missed by that. */
	for (round = 0; round < ROUNDS && (!round || never(self, when)); round++) {
		for (nth = first, failed = true; failed; nth++) {
			failed = false;
			lost = 0;
			for (i = 0; i < REPEATS && (!i || lost || nth >= of_tdx); i++) {
				failed |= one_try(_metadata, self, nth);
				if (tdx_nothing_lost(self->used))
					continue;
				self->used = tdx_used_pages();
				lost++;
			}
			EXPECT_GT(REPEATS, lost) {
				TH_LOG("pages are lost");
			}
			ASSERT_TRUE(_metadata->passed) {
				TH_LOG("allocation %u", nth);
			}
		}
		printf("# allocations %u to %u\n", first, nth - 2);
	}
	EXPECT_EQ(NULL, never(self, when)) {
		TH_LOG("never: %s", never(self, when));
	}
}

TEST_F(failnth, all_of_slab_from_one_on)
{
	all_tries(_metadata, self, false, true);
}

TEST_F(failnth, all_of_pages_from_one_on)
{
	all_tries(_metadata, self, true, true);
}

TEST_F(failnth, one_of_slab)
{
	all_tries(_metadata, self, false, false);
}

TEST_F(failnth, one_of_pages)
{
	all_tries(_metadata, self, true, false);
}

/* A SEAMCALL fails, and there is no memory for the words of its status. */
TEST_F(failnth, name_of_a_status)
{
	static const char name[] = "TDH.SYS.INIT failed on CPU 0: TDX_INCORRECT_MSR_VALUE";
	unsigned int nth, names = 0, words = 0;
	bool failed = true;
	char error[1024];
	int ret;

	knob(_metadata, "failslab", "cache-filter", "N");
	knob(_metadata, "fail_page_alloc", "min-order", "99");

	for (nth = first_of_tdx(self); failed; nth++) {
		tdx_platform("faults [{\"leaf\": \"%s\", \"status\": \"%s\"}]", "TDH.SYS.INIT",
			     "TDX_INCORRECT_MSR_VALUE");
		ret = make_td_failing(self, nth, &failed);
		tdx_read_file("/sys/firmware/tdx/last_error", error, sizeof(error));
		if (ret == -EIO) {
			EXPECT_EQ(0, strncmp(error, name, strlen(name)));
			names += !error[strlen(name)];
			words += !!strstr(error, " (0x");
		} else {
			EXPECT_EQ(-ENOMEM, ret);
			EXPECT_TRUE(failed);
		}
		EXPECT_EQ(0, tdx_log_strange(NULL));
		tdx_machine_reset();
		ASSERT_TRUE(_metadata->passed) {
			TH_LOG("allocation %u, returned %s: %s", nth, tdx_errno_name(-ret), error);
		}
	}
	EXPECT_LT(0, names);
	EXPECT_LT(0, words);
}

/* A fixture of its own comes last. */
FIXTURE(leaks) {
};

FIXTURE_SETUP(leaks)
{
}

FIXTURE_TEARDOWN(leaks)
{
}

TEST_F(leaks, kmemleak_finds_none)
{
	char line[256];
	FILE *f;

	/* It does not report what is younger than 5 s. */
	sleep(6);
	ASSERT_EQ(0, tdx_write_file(KMEMLEAK, "scan")) {
		TH_LOG("is kmemleak=on on the command line?");
	}
	ASSERT_EQ(0, tdx_write_file(KMEMLEAK, "scan"));
	f = fopen(KMEMLEAK, "re");
	ASSERT_NE(NULL, f);
	while (fgets(line, sizeof(line), f)) {
		EXPECT_EQ(NULL, strstr(line, "unreferenced object"));
		printf("# %s", line);
	}
	fclose(f);
}

TDX_TEST_MAIN
