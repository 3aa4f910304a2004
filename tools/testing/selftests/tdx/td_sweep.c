// SPDX-License-Identifier: GPL-2.0
/*
 * Every SEAMCALL of one initialisation fails in every way.
 *
 * For each leaf that an initialisation calls: the first, the second and the last
 * call (and each LP's, where every LP makes one) x every status that the module
 * has, VMfailInvalid, #GP, #UD and codes that nobody knows. After each case:
 * what KVM returned, the state, the message, that the PAMTs are back, that a
 * broken module is not called again, that another try succeeds where it should;
 * that the kernel says nothing strange and the platform's checker found
 * nothing. Memory is compared after some hundred cases, when what is lost in
 * each of them has grown.
 *
 * Needs a test kernel, and a platform with "test_interface". Parameters:
 * faults=N: only every Nth of the ways (1).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/ioctl.h>

#include "../kselftest_harness.h"
#include "tdx_platform.h"
#include "tdx_test.h"

#define STATUS_FILE	"/tests/status.csv"
#define SEAMCALLS	"/sys/kernel/debug/tdx/seamcalls"
#define MAX_FAULTS	512

/* SEAMCALL_TRIES of the kernel */
#define TRIES		16

enum phase { DETECT, PREPARE, COMMIT };

struct leaf {
	const char *name;
	enum phase phase;
	bool each_lp;		/* made on every LP at once */
	unsigned long calls;	/* in one initialisation */
};

static struct leaf leaves[] = {
	{ .name = "SEAMLDR.INFO", .phase = DETECT },
	{ .name = "TDH.SYS.INIT", .phase = PREPARE },
	{ .name = "TDH.SYS.LP.INIT", .phase = PREPARE, .each_lp = true },
	{ .name = "TDH.SYS.RD", .phase = PREPARE },
	{ .name = "TDH.SYS.CONFIG", .phase = COMMIT },
	{ .name = "TDH.SYS.KEY.CONFIG", .phase = COMMIT },
	{ .name = "TDH.SYS.TDMR.INIT", .phase = COMMIT },
};

/* One way to fail */
struct fault {
	char name[64];		/* as the kernel calls it */
	char json[32];		/* as the platform does */
	uint64_t status;
};

#define VMFAIL	0x8000ff00ffff0000ULL
#define GP	0x8000ff000000000dULL
#define UD	0x8000ff0000000006ULL

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

/* The kernel's own table of statuses, and what is not in it */
static void read_faults(struct __test_metadata *_metadata)
{
	FILE *f = fopen(STATUS_FILE, "re");
	unsigned long long status;
	char line[1024], name[64];

	ASSERT_NE(NULL, f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "status,%llx,%63[^,]", &status, name) != 2)
			continue;
		ASSERT_LT(nr_faults, MAX_FAULTS - 10);
		if (failed(status))
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

static uint64_t code(uint64_t status)
{
	return status & 0xffffffff00000000ULL;
}

/* What the kernel tries again */
static bool transient(const struct leaf *leaf, uint64_t status)
{
	switch (code(status)) {
	case 0x8000020000000000ULL:	/* OPERAND_BUSY */
	case 0x8000020200000000ULL:	/* SYS_BUSY */
	case 0x8000020300000000ULL:	/* RND_NO_ENTROPY */
		return true;
	case 0x8000080000000000ULL:	/* KEY_GENERATION_FAILED */
		return !strcmp(leaf->name, "TDH.SYS.KEY.CONFIG");
	default:
		return false;
	}
}

/* By these the module says that it has no TDH.SYS.RD, and is asked otherwise. */
static bool no_such_leaf(const struct leaf *leaf, unsigned long nth, uint64_t status)
{
	return !strcmp(leaf->name, "TDH.SYS.RD") && nth == 1 &&
	       (code(status) == 0xc000050500000000ULL ||
		code(status) == 0xc000010000000000ULL);
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
	unsigned long findings;
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

FIXTURE_SETUP(sweep)
{
	struct tdx_platform_state state;
	unsigned long before[ARRAY_SIZE(leaves)];
	unsigned int i;

	memset(self, 0, sizeof(*self));
	self->kvm = tdx_open_kvm();
	self->vm = tdx_create_vm(self->kvm, KVM_X86_ORDINARY_VM);
	ASSERT_LE(0, self->vm);
	ASSERT_EQ(0, tdx_write_file(SEAMCALLS, "1"));
	tdx_log_watch(true);
	tdx_machine_reset();
	tdx_platform_state(&state);
	self->findings = state.findings;
	read_faults(_metadata);

	/* One that succeeds: how often is which leaf called? */
	ASSERT_EQ(-EIO, (tdx_platform("faults [{\"leaf\": \"TDH.SYS.INIT\", \"status\": \"GP\"}]"),
			 tdx_try_td(self->kvm)));
	tdx_machine_reset();
	for (i = 0; i < ARRAY_SIZE(leaves); i++)
		before[i] = seamcalls(leaves[i].name);
	ASSERT_EQ(0, tdx_try_td(self->kvm));
	for (i = 0; i < ARRAY_SIZE(leaves); i++) {
		leaves[i].calls = seamcalls(leaves[i].name) - before[i];
		EXPECT_LT(0, leaves[i].calls) {
			TH_LOG("%s", leaves[i].name);
		}
	}
	EXPECT_EQ(0, tdx_log_strange(NULL));
}

FIXTURE_TEARDOWN(sweep)
{
	tdx_log_watch(false);
	printf("# %lu cases\n", self->cases);
	close(self->vm);
	close(self->kvm);
}

static bool pamt_is_held(void)
{
	char kb[32];

	return strcmp(tdx_read_file("/sys/firmware/tdx/pamt_kb", kb, sizeof(kb)), "0");
}

/* The message names the leaf, the status as word and number, and the CPU. */
static bool message_is_right(const struct leaf *leaf, int lp, const struct fault *fault)
{
	char error[1024], want[128];
	unsigned int cpu;

	tdx_read_file("/sys/firmware/tdx/last_error", error, sizeof(error));
	if (leaf->phase == DETECT) {
		/* There it means what it says, in other words. */
		if (fault->status == UD)
			return strstr(error, "not in VMX operation");
		if (fault->status == VMFAIL)
			return strstr(error, "no P-SEAMLDR is loaded");
	}
	if (!strstr(error, leaf->name) || !strstr(error, fault->name))
		return false;
	snprintf(want, sizeof(want), "(0x%016llx)", (unsigned long long)fault->status);
	if (!strstr(error, want))
		return false;
	if (leaf->phase == DETECT)
		return true;
	snprintf(want, sizeof(want), "%s failed on CPU %%u:", leaf->name);
	return sscanf(error, want, &cpu) == 1 && (lp < 0 ? cpu < tdx_nr_cpus() : cpu == lp);
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
	tdx_machine_reset();
	tdx_platform("faults [{\"leaf\":\"%s\",\"lp\":%s,\"nth\":%lu,\"count\":%u,\"status\":%s}]",
		     leaf->name, lp_json(lp), nth, count, fault->json);
}

static void one_case(struct __test_metadata *_metadata, struct _test_data_sweep *self,
		     const struct leaf *leaf, int lp, unsigned long nth,
		     const struct fault *fault)
{
	struct outcome want = documented(leaf, nth, fault->status);
	struct tdx_platform_state state, again;
	char error[1024];
	unsigned int lines;
	int ret;

	self->cases++;
	arm(leaf, lp, nth, 0, fault);
	ret = tdx_try_td(self->kvm);
	EXPECT_EQ(want.ret, ret);
	EXPECT_TRUE(tdx_state_is(want.state));
	tdx_platform_state(&state);
	EXPECT_LT(0, state.faults_hit);
	EXPECT_EQ(self->findings, state.findings);
	if (want.ret) {
		EXPECT_FALSE(pamt_is_held());
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
	}
	EXPECT_EQ(0, tdx_log_strange(&lines));
	EXPECT_GT(40, lines);
	ASSERT_TRUE(_metadata->passed) {
		TH_LOG("%s, call %lu, LP %d: %s 0x%llx", leaf->name, nth, lp, fault->name,
		       (unsigned long long)fault->status);
	}
}

/* All ways to fail, of one call of one leaf */
static void all_faults(struct __test_metadata *_metadata, struct _test_data_sweep *self,
		       const struct leaf *leaf, int lp, unsigned long nth)
{
	unsigned long step = tdx_param_num("faults", 1);
	unsigned int i;
	long used;

	tdx_machine_reset();
	used = tdx_used_pages();
	for (i = 0; i < nr_faults; i += step)
		one_case(_metadata, self, leaf, lp, nth, &faults[i]);
	tdx_machine_reset();
	EXPECT_TRUE(tdx_nothing_lost(used + TDX_KEPT_PAGES)) {
		TH_LOG("%s, call %lu: %ld pages used before, %ld after", leaf->name, nth,
		       used, tdx_used_pages());
	}
}

TEST_F(sweep, every_seamcall_fails_in_every_way)
{
	const struct leaf *leaf;
	unsigned long nth;
	unsigned int lp, i;

	/* What the first tries fill, slabs and CPUs' lists of free pages, is not lost. */
	for (i = 0; i < nr_faults; i++)
		one_case(_metadata, self, &leaves[0], -1, 1, &faults[i]);

	for (leaf = leaves; leaf < leaves + ARRAY_SIZE(leaves); leaf++) {
		for (lp = 0; leaf->each_lp && lp < tdx_nr_cpus(); lp++)
			all_faults(_metadata, self, leaf, lp, 1);
		for (nth = 1; !leaf->each_lp && nth <= leaf->calls && nth <= 2; nth++)
			all_faults(_metadata, self, leaf, -1, nth);
		if (!leaf->each_lp && leaf->calls > 2)
			all_faults(_metadata, self, leaf, -1, leaf->calls);
	}
}

/* What is tried again: succeeds after bound - 1 failures, ends after bound. */
TEST_F(sweep, retries_are_bounded)
{
	static const unsigned int counts[] = { 1, TRIES - 1, TRIES };
	const struct leaf *leaf;
	unsigned int i, fault, nth;

	for (leaf = leaves + 1; leaf < leaves + ARRAY_SIZE(leaves); leaf++) {
		/* The first TDH.SYS.RD only asks whether there is such a leaf. */
		nth = strcmp(leaf->name, "TDH.SYS.RD") ? 1 : 2;
		for (fault = 0; fault < nr_faults; fault++) {
			if (!transient(leaf, faults[fault].status))
				continue;
			for (i = 0; i < ARRAY_SIZE(counts); i++) {
				bool fails = counts[i] == TRIES;

				self->cases++;
				arm(leaf, leaf->each_lp ? 1 : -1, nth, counts[i], &faults[fault]);
				EXPECT_EQ(fails ? -EIO : 0, tdx_try_td(self->kvm)) {
					TH_LOG("%s, %u times %s", leaf->name, counts[i],
					       faults[fault].name);
				}
				EXPECT_TRUE(tdx_state_is(fails ? "SHUTDOWN" : "INITIALIZED"));
				EXPECT_EQ(!fails, pamt_is_held());
			}
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
	struct tdx_platform_state state;
	const struct leaf *leaf;
	struct fault fault;
	unsigned int i;
	int ret;

	for (leaf = leaves; leaf < leaves + ARRAY_SIZE(leaves); leaf++) {
		for (i = 0; !leaf->each_lp && i < ARRAY_SIZE(statuses); i++) {
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
			tdx_platform_state(&state);
			EXPECT_EQ(self->findings, state.findings);
		}
	}
	EXPECT_EQ(0, tdx_log_strange(NULL));
}

TDX_TEST_MAIN
