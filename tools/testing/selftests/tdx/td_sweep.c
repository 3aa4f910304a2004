// SPDX-License-Identifier: GPL-2.0
/*
 * Every SEAMCALL of one initialisation fails in every way.
 *
 * For each leaf that an initialisation calls: the first, the second and the last
 * call (of each LP, where every LP makes some) x every status that the module
 * has, VMfailInvalid, #GP, #UD and codes that nobody knows; the first call also x
 * every error with a detail that the leaf has given in recordings. After each case:
 * what KVM returned, the state, the message, how often it was tried, that the
 * PAMTs are back and not one page is lost, that a broken module is not called
 * again, that another try succeeds where it should; that the kernel says nothing
 * strange and the platform's checker found nothing.
 *
 * Needs a test kernel, and a platform with "test_interface". Parameters:
 * faults=N: only every Nth of the ways, others with each call (1); retries=N: only
 * every Nth of the cases in which a call is made again (1); leaf=NAME: only this
 * leaf.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/ioctl.h>

#include "../kselftest_harness.h"
#include "tdx_platform.h"
#include "tdx_test.h"

#define STATUS_FILE	"/tests/status.csv"
#define RECORDED_FILE	"/tests/recorded.csv"
#define SEAMCALLS	"/sys/kernel/debug/tdx/seamcalls"
#define TDMRS		"/sys/kernel/debug/tdx/tdmrs"
#define MAX_FAULTS	512

/* SEAMCALL_TRIES of the kernel */
#define TRIES		16

#define WARM_UP		4

/* What a case loses, it loses every time; what grows by the way does not. */
#define REPEATS		6

/* Tries with several LPs that fail */
#define AT_ONCE		4

enum phase { DETECT, PREPARE, COMMIT };

struct leaf {
	const char *name;
	unsigned int number;	/* in recordings */
	enum phase phase;
	bool each_lp;		/* made on every LP at once */
	unsigned long calls;	/* in one initialisation */
};

enum { SEAMLDR_INFO, SYS_INIT, LP_INIT, SYS_RD, SYS_INFO, SYS_CONFIG, KEY_CONFIG, TDMR_INIT };

static struct leaf leaves[] = {
	[SEAMLDR_INFO] = { .name = "SEAMLDR.INFO", .phase = DETECT },
	[SYS_INIT] = { .name = "TDH.SYS.INIT", .number = 33, .phase = PREPARE },
	[LP_INIT] = { .name = "TDH.SYS.LP.INIT", .number = 35, .phase = PREPARE, .each_lp = true },
	[SYS_RD] = { .name = "TDH.SYS.RD", .number = 34, .phase = PREPARE },
	/* Module 1.0 only, which has no TDH.SYS.RD */
	[SYS_INFO] = { .name = "TDH.SYS.INFO", .number = 32, .phase = PREPARE },
	[SYS_CONFIG] = { .name = "TDH.SYS.CONFIG", .number = 45, .phase = COMMIT },
	[KEY_CONFIG] = { .name = "TDH.SYS.KEY.CONFIG", .number = 31, .phase = COMMIT },
	/* On every LP, too, if there are TDMRs for all */
	[TDMR_INIT] = { .name = "TDH.SYS.TDMR.INIT", .number = 36, .phase = COMMIT },
};

/* One way to fail */
struct fault {
	char name[64];		/* as the kernel calls it */
	char json[32];		/* as the platform does */
	uint64_t status;
	unsigned int leaf;	/* whose answer it is; 0: of all */
};

#define VMFAIL	0x8000ff00ffff0000ULL
#define GP	0x8000ff000000000dULL
#define UD	0x8000ff0000000006ULL

#define SEAMLDR			0x8000000000000000ULL	/* with a detail */
#define SEAMLDR_RND_NO_ENTROPY	0x8000000000030001ULL

/* All calls of a leaf on an LP fail. */
#define ON_LP	"{\"leaf\":\"%s\",\"lp\":%d,\"count\":0,\"status\":%s}"

static struct fault faults[MAX_FAULTS];
static unsigned int nr_faults;

static void add_fault(const char *name, const char *json, uint64_t status)
{
	struct fault *fault = &faults[nr_faults++];

	snprintf(fault->name, sizeof(fault->name), "%s", name);
	fault->status = status;
	if (json)
		snprintf(fault->json, sizeof(fault->json), "\"%s\"", json);
	else
		snprintf(fault->json, sizeof(fault->json), "\"0x%llx\"",
			 (unsigned long long)status);
}

static bool failed(uint64_t status)
{
	return status >> 61;
}

static uint64_t code(uint64_t status)
{
	return status & 0xffffffff00000000ULL;
}

/* The kernel's own table of statuses, and what is not in it */
static void read_faults(struct __test_metadata *_metadata)
{
	FILE *f = fopen(STATUS_FILE, "re");
	unsigned long long status;
	char line[1024], name[64];

	ASSERT_NE(NULL, f);
	while (fgets(line, sizeof(line), f)) {
		ASSERT_LT(nr_faults, MAX_FAULTS - 10);
		if (sscanf(line, "status,%llx,%63[^,]", &status, name) == 2 && failed(status))
			add_fault(name, NULL, status);
		/* P-SEAMLDR's own */
		if (sscanf(line, "exact,%llx,%63[^,]", &status, name) == 2 &&
		    code(status) == SEAMLDR)
			add_fault(name, NULL, status);
	}
	fclose(f);
	ASSERT_LT(100, nr_faults);

	add_fault("TDX_SEAMCALL_VMFAILINVALID", "VMFAIL_INVALID", VMFAIL);
	add_fault("TDX_SEAMCALL_GP", "GP", GP);
	add_fault("TDX_SEAMCALL_UD", "UD", UD);
	/* Details; codes without a name; an error without bit 63 */
	add_fault("TDX_OPERAND_INVALID", NULL, 0xc000010000000001ULL);
	add_fault("TDX_INCORRECT_MSR_VALUE", NULL, 0xc000092100000122ULL);
	add_fault("UNINITIALIZE_ERROR", NULL, 0xffffffffffffffffULL);
	add_fault("", NULL, 0xdeadbeefdeadbeefULL);
	add_fault("", NULL, 0x8000990000000000ULL);
	add_fault("", NULL, 0x2000000000000000ULL);
}

/* Details take no name away from a status. */
static const char *name_of(uint64_t status)
{
	unsigned int i;

	for (i = 0; i < nr_faults; i++) {
		if (faults[i].status == code(status))
			return faults[i].name;
	}
	return NULL;
}

static void read_recorded(struct __test_metadata *_metadata)
{
	FILE *f = fopen(RECORDED_FILE, "re");
	unsigned int leaf, before = nr_faults;
	unsigned long long status;

	ASSERT_NE(NULL, f);
	while (fscanf(f, "%u,%llx\n", &leaf, &status) == 2) {
		ASSERT_LT(nr_faults, MAX_FAULTS);
		ASSERT_NE(NULL, name_of(status));
		add_fault(name_of(status), NULL, status);
		faults[nr_faults - 1].leaf = leaf;
	}
	ASSERT_TRUE(feof(f));
	fclose(f);
	ASSERT_LT(200, nr_faults - before);
}

static bool is_for(const struct fault *fault, const struct leaf *leaf, unsigned long nth)
{
	if (code(fault->status) == SEAMLDR)
		return leaf == &leaves[SEAMLDR_INFO];
	return !fault->leaf || (fault->leaf == leaf->number && nth == 1);
}

/* What the kernel tries again */
static bool transient(const struct leaf *leaf, uint64_t status)
{
	if (status == SEAMLDR_RND_NO_ENTROPY)
		return true;

	switch (code(status)) {
	case 0x8000020000000000ULL:	/* OPERAND_BUSY */
	case 0x8000020200000000ULL:	/* SYS_BUSY */
	case 0x8000020300000000ULL:	/* RND_NO_ENTROPY */
		return true;
	case 0x8000080000000000ULL:	/* KEY_GENERATION_FAILED */
		return leaf == &leaves[KEY_CONFIG];
	default:
		return false;
	}
}

/* By these the module says that it has no TDH.SYS.RD, and is asked otherwise. */
static bool no_such_leaf(const struct leaf *leaf, unsigned long nth, uint64_t status)
{
	return leaf == &leaves[SYS_RD] && nth == 1 &&
	       (code(status) == 0xc000050500000000ULL ||
		code(status) == 0xc000010000000000ULL);
}

/* How many calls fail if all do from the nth on */
static unsigned int calls_that_fail(const struct leaf *leaf, unsigned long nth, uint64_t status)
{
	unsigned int calls = transient(leaf, status) ? TRIES : 1;

	/* The first TDH.SYS.RD only asks whether there is such a leaf. */
	if (leaf == &leaves[SYS_RD] && nth == 1 && !no_such_leaf(leaf, nth, status))
		return 2 * calls;
	return calls;
}

struct outcome {
	int ret;
	const char *state;
};

/* As Documentation/x86/tdx-host.rst has it */
static struct outcome documented(const struct leaf *leaf, unsigned long nth, uint64_t status)
{
	if (no_such_leaf(leaf, nth, status))
		return (struct outcome){ 0, "INITIALIZED" };
	if (status == UD && leaf->phase == DETECT)
		return (struct outcome){ -EPERM, "UNKNOWN" };
	if (leaf->phase == DETECT)
		return (struct outcome){ -ENODEV, "NONE" };
	if (status == UD && leaf->phase == PREPARE)
		return (struct outcome){ -EPERM, "LOADED" };
	return (struct outcome){ -EIO, "SHUTDOWN" };
}

FIXTURE(sweep) {
	int kvm;
	int vm;			/* keeps all CPUs in VMX operation */
	unsigned long cases;
	unsigned long again;	/* those that were repeated */
	unsigned long findings;
	unsigned long pages;	/* that are the module's, between cases */
	long used;		/* pages, between cases */
	bool erratum;		/* a page is the host's again when it has been converted */
};

/* Counts of SEAMCALLs since the first case, by leaf */
static unsigned long seamcalls(const char *leaf)
{
	unsigned long calls = 0;
	char line[256], name[64];
	FILE *f = fopen(SEAMCALLS, "re");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %lu", name, &calls) == 2 &&
		    !strcmp(name, leaf))
			break;
		calls = 0;
	}
	if (f)
		fclose(f);
	return calls;
}

static unsigned int lines_with(const char *path, const char *text)
{
	unsigned int lines = 0;
	char line[8192];
	FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof(line), f))
		lines += !!strstr(line, text);
	if (f)
		fclose(f);
	return lines;
}

static bool wanted(const struct leaf *leaf)
{
	return leaf->calls && !strcmp(leaf->name, tdx_param("leaf", leaf->name));
}

/* How often one initialisation calls each leaf; leaves it INITIALIZED. */
static void count_calls(struct __test_metadata *_metadata, int kvm)
{
	unsigned long before[ARRAY_SIZE(leaves)];
	unsigned int i, nr_wanted = 0;

	for (i = 0; i < ARRAY_SIZE(leaves); i++)
		before[i] = seamcalls(leaves[i].name);
	ASSERT_EQ(0, tdx_try_td(kvm));
	for (i = 0; i < ARRAY_SIZE(leaves); i++) {
		leaves[i].calls = seamcalls(leaves[i].name) - before[i];
		EXPECT_TRUE(leaves[i].calls || i == SYS_INFO) {
			TH_LOG("%s", leaves[i].name);
		}
		nr_wanted += wanted(&leaves[i]);
	}
	/* One TDH.SYS.RD tells that there is none. */
	EXPECT_EQ(leaves[SYS_RD].calls == 1, leaves[SYS_INFO].calls);
	ASSERT_LT(0, nr_wanted);

	leaves[TDMR_INIT].each_lp = tdx_nr_cpus() > 1 &&
				    lines_with(TDMRS, " node ") == tdx_nr_cpus();
}

FIXTURE_SETUP(sweep)
{
	struct tdx_platform_state state;
	unsigned int i;

	memset(self, 0, sizeof(*self));
	self->kvm = tdx_open_kvm();
	self->vm = tdx_create_vm(self->kvm, KVM_X86_ORDINARY_VM);
	ASSERT_LE(0, self->vm);
	self->erratum = lines_with("/proc/cpuinfo", " tdx_pw_mce");
	ASSERT_EQ(0, tdx_write_file(SEAMCALLS, "1"));
	tdx_log_watch(true);
	read_faults(_metadata);
	read_recorded(_metadata);

	/* What the first tries fill, slabs and CPUs' lists of free pages, is not lost. */
	for (i = 0; i < WARM_UP; i++) {
		tdx_machine_reset();
		tdx_platform("faults [{\"leaf\": \"TDH.SYS.INIT\", \"status\": \"GP\"}]");
		ASSERT_EQ(-EIO, tdx_try_td(self->kvm));
		tdx_machine_reset();
		count_calls(_metadata, self->kvm);
	}
	tdx_machine_reset();
	tdx_platform_state(&state);
	self->findings = state.findings;
	self->pages = state.pages;
	self->used = tdx_used_pages();
	EXPECT_EQ(0, tdx_log_strange(NULL));
}

FIXTURE_TEARDOWN(sweep)
{
	tdx_log_watch(false);
	printf("# %lu cases, %lu of them repeated\n", self->cases, self->again);
	close(self->vm);
	close(self->kvm);
}

static bool pamt_is_held(void)
{
	char kb[32];

	return strcmp(tdx_read_file("/sys/firmware/tdx/pamt_kb", kb, sizeof(kb)), "0");
}

/* What is wrong in, if the status has it in its lower half */
static bool names_detail(const char *text, const struct fault *fault)
{
	uint32_t detail = fault->status;
	char want[32] = "";

	if (!detail)
		return true;
	if (strstr(fault->name, "_MSR"))
		snprintf(want, sizeof(want), "MSR 0x%x ", detail);
	else if (!strncmp(fault->name, "TDX_OPERAND_", 12))
		snprintf(want, sizeof(want), "operand ");
	else if (fault->leaf == leaves[SYS_CONFIG].number)
		snprintf(want, sizeof(want), "TDMR ");
	return strstr(text, want);
}

/*
 * The message names the leaf, the status as word and number, the CPU, an operand or MSR,
 * and says what to do.
 */
static bool message_is_right(const struct leaf *leaf, int lp, const struct fault *fault)
{
	char error[1024], want[128], *rest;
	unsigned int cpu;

	tdx_read_file("/sys/firmware/tdx/last_error", error, sizeof(error));
	if (leaf->phase == DETECT) {
		/* There it means what it says, in other words. */
		if (fault->status == UD)
			return strstr(error, "not in VMX operation");
		if (fault->status == VMFAIL)
			return strstr(error, "no P-SEAMLDR is loaded");
	}
	snprintf(want, sizeof(want), "%s failed on CPU %%u: ", leaf->name);
	rest = strstr(error, leaf->name);
	if (!rest || sscanf(rest, want, &cpu) != 1 || !(lp < 0 ? cpu < tdx_nr_cpus() : cpu == lp))
		return false;
	if (!strstr(rest, fault->name))
		return false;
	snprintf(want, sizeof(want), "(0x%016llx): ", (unsigned long long)fault->status);
	rest = strstr(rest, want);
	return rest && strlen(rest) > strlen(want) && names_detail(rest, fault);
}

static const char *lp_json(int lp)
{
	static char text[16];

	snprintf(text, sizeof(text), lp < 0 ? "\"any\"" : "%d", lp);
	return text;
}

/* @count calls from the nth on fail, 0: all. */
static void arm(const struct leaf *leaf, int lp, unsigned long nth, unsigned int count,
		const struct fault *fault)
{
	tdx_platform("faults [{\"leaf\":\"%s\",\"lp\":%s,\"nth\":%lu,\"count\":%u,\"status\":%s}]",
		     leaf->name, lp_json(lp), nth, count, fault->json);
}

/* Pages are compared with those before the case, at first without waiting for what comes late. */
static bool nothing_lost(struct _test_data_sweep *self, bool patient)
{
	long before = self->used;

	if (patient)
		tdx_nothing_lost(before);
	self->used = tdx_used_pages();
	return self->used <= before;
}

/*
 * As between cases; what a failed initialisation has must be back before. Returns
 * whether all pages are.
 */
static bool clean_up(struct __test_metadata *_metadata, struct _test_data_sweep *self,
		     bool failed, bool patient)
{
	struct tdx_platform_state state;
	bool nothing = failed && nothing_lost(self, patient);

	tdx_machine_reset();
	if (!failed)
		nothing = nothing_lost(self, patient);
	tdx_platform_state(&state);
	EXPECT_EQ(self->pages, state.pages);
	EXPECT_EQ(self->findings, state.findings);
	return nothing;
}

/* Returns whether all pages are back. */
static bool try_case(struct __test_metadata *_metadata, struct _test_data_sweep *self,
		     const struct leaf *leaf, int lp, unsigned long nth, unsigned int count,
		     const struct fault *fault, bool patient)
{
	unsigned int lines, calls = calls_that_fail(leaf, nth, fault->status);
	struct outcome want = documented(leaf, nth, fault->status);
	struct tdx_platform_state state, again;
	char error[1024];
	bool for_good;
	int ret;

	if (count && count < calls) {
		want = (struct outcome){ 0, "INITIALIZED" };
		calls = count;
	}
	for_good = want.ret && want.ret != -EPERM;

	arm(leaf, lp, nth, count, fault);
	ret = tdx_try_td(self->kvm);
	EXPECT_EQ(want.ret, ret);
	EXPECT_TRUE(tdx_state_is(want.state));
	tdx_platform_state(&state);
	EXPECT_EQ(calls, state.faults_hit);
	EXPECT_EQ(self->findings, state.findings);
	EXPECT_EQ(!want.ret, pamt_is_held());
	if (want.ret) {
		EXPECT_TRUE(message_is_right(leaf, lp, fault)) {
			TH_LOG("message: %s", tdx_read_file("/sys/firmware/tdx/last_error",
							    error, sizeof(error)));
		}
	}

	if (want.ret == -EPERM) {
		tdx_platform("faults []");
		EXPECT_EQ(0, tdx_try_td(self->kvm));
		EXPECT_TRUE(tdx_state_is("INITIALIZED"));
	} else if (want.ret) {
		EXPECT_EQ(want.ret, tdx_try_td(self->kvm));
		EXPECT_TRUE(tdx_state_is(want.state));
		tdx_platform_state(&again);
		EXPECT_EQ(state.calls, again.calls);
		EXPECT_TRUE(!self->erratum || again.pages == self->pages) {
			TH_LOG("%lu pages were not converted", again.pages - self->pages);
		}
	}
	EXPECT_EQ(0, tdx_log_strange(&lines));
	EXPECT_GT(40, lines);
	return clean_up(_metadata, self, for_good, patient);
}

static void one_case(struct __test_metadata *_metadata, struct _test_data_sweep *self,
		     const struct leaf *leaf, int lp, unsigned long nth, unsigned int count,
		     const struct fault *fault)
{
	unsigned int lost = 0;

	self->cases++;
	while (lost < REPEATS &&
	       !try_case(_metadata, self, leaf, lp, nth, count, fault, lost))
		lost++;
	self->again += !!lost;
	EXPECT_GT(REPEATS, lost) {
		TH_LOG("pages are lost");
	}
	ASSERT_TRUE(_metadata->passed) {
		TH_LOG("%s, call %lu, LP %d: %u times %s 0x%llx", leaf->name, nth, lp, count,
		       fault->name, (unsigned long long)fault->status);
	}
}

/* All ways to fail, of one call of one leaf */
static void all_faults(struct __test_metadata *_metadata, struct _test_data_sweep *self,
		       const struct leaf *leaf, int lp, unsigned long nth)
{
	unsigned long step = tdx_param_num("faults", 1);
	static unsigned int turn;
	unsigned int i;

	for (i = turn++ % step; i < nr_faults; i += step) {
		if (is_for(&faults[i], leaf, nth))
			one_case(_metadata, self, leaf, lp, nth, 0, &faults[i]);
	}
}

TEST_F(sweep, every_seamcall_fails_in_every_way)
{
	unsigned long calls, nth;
	const struct leaf *leaf;
	int lp, lps;

	for (leaf = leaves; leaf < leaves + ARRAY_SIZE(leaves); leaf++) {
		if (!wanted(leaf))
			continue;
		lps = leaf->each_lp ? tdx_nr_cpus() : 1;
		calls = leaf->calls / lps;
		for (lp = 0; lp < lps; lp++) {
			for (nth = 1; nth <= calls; nth = nth == 2 && calls > 2 ? calls : nth + 1)
				all_faults(_metadata, self, leaf, leaf->each_lp ? lp : -1, nth);
		}
	}
}

/* What is tried again: succeeds after bound - 1 failures, ends after bound. */
TEST_F(sweep, retries_are_bounded)
{
	static const unsigned int counts[] = { 0, 1, TRIES - 1, TRIES };
	unsigned long step = tdx_param_num("retries", 1);
	unsigned int i, fault, nth, turn = 0;
	const struct leaf *leaf;

	for (leaf = leaves; leaf < leaves + ARRAY_SIZE(leaves); leaf++) {
		nth = leaf == &leaves[SYS_RD] ? 2 : 1;
		for (fault = 0; wanted(leaf) && fault < nr_faults; fault++) {
			if (nth > leaf->calls || !is_for(&faults[fault], leaf, 1) ||
			    !transient(leaf, faults[fault].status))
				continue;
			for (i = 0; i < ARRAY_SIZE(counts); i++) {
				if (turn++ % step)
					continue;
				one_case(_metadata, self, leaf, leaf->each_lp ? 1 : -1, nth,
					 counts[i], &faults[fault]);
			}
		}
	}
	EXPECT_LT(0, self->cases);
}

/* Several LPs fail at once, each in its own way: one of them is told. */
TEST_F(sweep, one_of_many_is_told)
{
	const struct fault *fault = faults;
	struct tdx_platform_state state;
	const struct leaf *leaf;
	unsigned int i;

	for (leaf = leaves; leaf < leaves + ARRAY_SIZE(leaves); leaf++) {
		for (i = 0; leaf->each_lp && wanted(leaf) && i < AT_ONCE; i++) {
			self->cases++;
			tdx_platform("faults [" ON_LP "," ON_LP "]",
				     leaf->name, 0, fault[0].json, leaf->name, 1, fault[1].json);
			EXPECT_EQ(-EIO, tdx_try_td(self->kvm));
			EXPECT_TRUE(tdx_state_is("SHUTDOWN"));
			EXPECT_NE(message_is_right(leaf, 0, &fault[0]),
				  message_is_right(leaf, 1, &fault[1]));
			tdx_platform_state(&state);
			EXPECT_LT(0, state.faults_hit);
			EXPECT_FALSE(pamt_is_held());
			clean_up(_metadata, self, true, false);
		}
	}
	EXPECT_EQ(0, tdx_log_strange(NULL));
}

/*
 * A status without error bits, where the module did nothing: no success from it.
 * Of a TDH.SYS.LP.INIT that never happened the next leaf tells, and so does the
 * checker; it cannot be known before.
 */
TEST_F(sweep, success_that_is_none)
{
	static const uint64_t statuses[] = { 0, 0x00000a0300000000ULL, 0x0000081500000000ULL,
					     0x00000c0b00000000ULL };
	const struct leaf *leaf;
	struct fault fault;
	unsigned int i;
	int ret;

	for (leaf = leaves; leaf < leaves + ARRAY_SIZE(leaves); leaf++) {
		for (i = 0; !leaf->each_lp && wanted(leaf) && i < ARRAY_SIZE(statuses); i++) {
			fault.status = statuses[i];
			snprintf(fault.json, sizeof(fault.json), "\"0x%llx\"",
				 (unsigned long long)statuses[i]);
			self->cases++;
			arm(leaf, -1, 1, 0, &fault);
			ret = tdx_try_td(self->kvm);
			EXPECT_TRUE(leaf->phase == DETECT ? ret == -ENODEV : ret == -EIO) {
				TH_LOG("%s, 0x%llx: %s", leaf->name,
				       (unsigned long long)statuses[i], tdx_errno_name(-ret));
			}
			EXPECT_FALSE(pamt_is_held());
			clean_up(_metadata, self, true, false);
		}
	}
	EXPECT_EQ(0, tdx_log_strange(NULL));
}

TDX_TEST_MAIN
