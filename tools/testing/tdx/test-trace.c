// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Traces: what is recorded replays, also when many LPs called at once, when
 * the writer was killed, and when faults were armed; and tdx-replay says so
 * when an answer is not the recorded one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <libgen.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "../../tdx/platform/trace.h"
#include "bringup.h"

#define LPS		8
#define TDMRS		4
#define BUSY_CLASS	UINT64_C(0x80000202)
#define STATUS_BUSY(s)	((s) >> 32 == UINT64_C(0x80000200) || (s) >> 32 == BUSY_CLASS)

static char replay_path[512], dir[64] = "/tmp/tdx-trace-XXXXXX", file[128];

struct traced {
	struct machine machine;
	struct tdx_machine *description;
	struct tdx_trace *trace;
};

static void on_read(struct machine *machine, uint64_t pa, const void *buf, size_t len)
{
	struct traced *t = machine->user;

	tdx_trace_mem_read(t->trace, pa, buf, len);
}

static void on_write(struct machine *machine, uint64_t pa, const void *buf, size_t len)
{
	struct traced *t = machine->user;

	tdx_trace_mem_write(t->trace, pa, buf, len);
}

/* A call takes long enough for others to get in */
static void delay(struct machine *machine, unsigned int lp, uint64_t ns)
{
	struct timespec ts = { 0, ns };

	(void)machine;
	(void)lp;
	nanosleep(&ts, NULL);
}

static struct traced *start(const char *json)
{
	struct traced *t = calloc(1, sizeof(*t));
	char *err;

	t->description = tdx_machine_parse(json, strlen(json), "test", &err);
	if (!t->description)
		print_error("%s\n", err);
	assert_non_null(t->description);
	t->machine.user = t;
	t->machine.on_read = on_read;
	t->machine.on_write = on_write;
	t->machine.delay = delay;
	assert_non_null(machine_start(&t->machine, &t->description->platform));
	t->trace = tdx_trace_open(file, t->description, "a \"name\" \\ \n", &err);
	assert_non_null(t->trace);
	return t;
}

static void stop(struct traced *t)
{
	if (t->trace)
		assert_true(tdx_trace_close(t->trace));
	machine_stop(&t->machine);
	tdx_machine_free(t->description);
	free(t);
}

static uint64_t do_call(struct traced *t, unsigned int lp, uint64_t rax, uint64_t rcx, uint64_t rdx,
			uint64_t r8, uint64_t r9)
{
	uint64_t r[TDXM_NR_REGS] = {
		[TDXM_RAX] = rax, [TDXM_RCX] = rcx, [TDXM_RDX] = rdx, [TDXM_R8] = r8,
		[TDXM_R9] = r9, [TDXM_RBX] = (uint64_t)random(),
	};

	return tdx_trace_seamcall(t->trace, t->machine.m, lp, r) == TDXM_DONE ? r[TDXM_RAX] :
									      UINT64_MAX;
}

/* Exit status of tdx-replay; its output in *said (free it) */
static int replay(const char *path, char **said)
{
	char command[1024], line[512];
	size_t len = 0;
	int status;
	FILE *p;

	snprintf(command, sizeof(command), "%s %s 2>&1", replay_path, path);
	*said = calloc(1, 1);
	p = popen(command, "r");
	assert_non_null(p);
	while (fgets(line, sizeof(line), p)) {
		*said = realloc(*said, len + strlen(line) + 1);
		strcpy(*said + len, line);
		len += strlen(line);
	}
	status = pclose(p);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void replays(const char *want)
{
	char *said;
	int status = replay(file, &said);

	if (status || !strstr(said, want))
		print_error("%s\n", said);
	assert_int_equal(status, 0);
	assert_non_null(strstr(said, want));
	free(said);
}

static json_t *load(void)
{
	json_error_t error;
	json_t *root = json_load_file(file, 0, &error);

	if (!root)
		print_error("%s\n", error.text);
	assert_non_null(root);
	return root;
}

static void put_tdmrs(struct traced *t)
{
	unsigned int i;

	for (i = 0; i < TDMRS; i++)
		put_tdmr(&t->machine, i, GIB(4 + i), GIB(1), PAMT_PA + MIB(16) * i);
}

#define PLATFORM "{\"lps\": 8, \"packages\": 4, \"cmrs\": [[\"0x100000\", \"0x70000000\"], [\"0x100000000\", \"0x100000000\"]]"

static void bring_up_alone(struct traced *t)
{
	unsigned int lp, i;

	assert_int_equal(do_call(t, 0, SYS_INIT, 0, 0, 0, 0), 0);
	for (lp = 0; lp < LPS; lp++)
		assert_int_equal(do_call(t, lp, SYS_LP_INIT, 0, 0, 0, 0), 0);
	assert_int_equal(do_call(t, 0, SYS_INFO, INFO_PA, 1024, INFO_PA + 512, 32), 0);
	assert_int_equal(do_call(t, 0, SYS_INFO, INFO_PA, 1024, CMR_PA, 32), 0);
	assert_int_equal(do_call(t, 3, SYS_RDALL, 0, INFO_PA, UINT64_MAX, 0), 0);
	put_tdmrs(t);
	assert_int_equal(do_call(t, 0, SYS_CONFIG, POINTERS_PA, TDMRS, GLOBAL_KEYID, 0), 0);
	for (lp = 0; lp < LPS; lp += 2)
		assert_int_equal(do_call(t, lp, SYS_KEY_CONFIG, 0, 0, 0, 0), 0);
	/* two LPs by turns */
	for (i = 0; i < INIT_CALLS_PER_GIB; i++) {
		assert_int_equal(do_call(t, 0, SYS_TDMR_INIT, GIB(4), 0, 0, 0), 0);
		assert_int_equal(do_call(t, 1, SYS_TDMR_INIT, GIB(5), 0, 0, 0), 0);
	}
	/* ... and two on one TDMR: not to be mixed up */
	for (i = 0; i < INIT_CALLS_PER_GIB; i++)
		assert_int_equal(do_call(t, i % 7 < 3, SYS_TDMR_INIT, GIB(6), 0, 0, 0), 0);
	assert_int_equal(do_call(t, 0, PHYMEM_PAGE_RDMD, GIB(4), 0, 0, 0), 0);
}

static void test_plain(void **state)
{
	struct traced *t = start(PLATFORM "}");
	json_t *root, *steps;
	size_t i, tdmr_steps = 0;
	FILE *f;
	int c, lines = 0;

	(void)state;
	bring_up_alone(t);
	/* bits above the leaf, P-SEAMLDR, a call without an answer */
	do_call(t, 0, SYS_RD | 1 << 16, 0, UINT64_MAX, 0, 0);
	do_call(t, 0, TDXM_SEAMLDR, INFO_PA, 0, 0, 0);
	do_call(t, 0, TDXM_SEAMLDR | 7, 1, 0, 0, 0);
	stop(t);
	replays("1 passed, 0 failed, 0 skipped");

	root = load();
	assert_string_equal(json_string_value(json_object_get(root, "name")), "a \"name\" \\ \n");
	steps = json_object_get(root, "steps");
	for (i = 0; i < json_array_size(steps); i++)
		tdmr_steps += json_integer_value(json_object_get(json_array_get(steps, i), "leaf")) ==
			      SYS_TDMR_INIT;
	/* two each for the first two TDMRs; the third one's LPs change all the time */
	assert_in_range(tdmr_steps, 5, 4 + 2 * INIT_CALLS_PER_GIB / 7 + 3);
	json_decref(root);

	/* a vector file: one line */
	f = fopen(file, "r");
	while ((c = getc(f)) != EOF)
		lines += c == '\n';
	fclose(f);
	assert_int_equal(lines, 1);
}

/* Many LPs at once: every call by all of them, until it is not busy any more */

struct worker {
	struct traced *t;
	unsigned int lp;
	pthread_barrier_t *barrier;
	unsigned int busy;
};

static uint64_t insist(struct worker *w, uint64_t leaf, uint64_t rcx, uint64_t rdx, uint64_t r8)
{
	uint64_t status;

	while (status = do_call(w->t, w->lp, leaf, rcx, rdx, r8, 0), STATUS_BUSY(status)) {
		w->busy++;
		sched_yield();
	}
	return status;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	unsigned int i;

	pthread_barrier_wait(w->barrier);
	insist(w, SYS_INIT, 0, 0, 0);
	pthread_barrier_wait(w->barrier);
	insist(w, SYS_LP_INIT, 0, 0, 0);
	pthread_barrier_wait(w->barrier);
	insist(w, SYS_CONFIG, POINTERS_PA, TDMRS, GLOBAL_KEYID);
	pthread_barrier_wait(w->barrier);
	insist(w, SYS_KEY_CONFIG, 0, 0, 0);
	pthread_barrier_wait(w->barrier);
	for (i = 0; i < 20; i++)
		insist(w, SYS_TDMR_INIT, GIB(4 + (i + w->lp) % TDMRS), 0, 0);
	pthread_barrier_wait(w->barrier);
	do_call(w->t, w->lp, SYS_SHUTDOWN, 0, 0, 0, 0);
	return NULL;
}

#define LATENCIES "\"latency_ns\": {\"TDH.SYS.INIT\": 300000, \"TDH.SYS.LP.INIT\": 100000," \
	" \"TDH.SYS.CONFIG\": 300000, \"TDH.SYS.KEY.CONFIG\": 300000, \"TDH.SYS.TDMR.INIT\": 20000}"

static void concurrent(const char *json)
{
	struct traced *t = start(json);
	struct worker w[LPS];
	pthread_t thread[LPS];
	pthread_barrier_t barrier;
	unsigned int i, busy = 0;
	char *said;

	put_tdmrs(t);
	pthread_barrier_init(&barrier, NULL, LPS);
	for (i = 0; i < LPS; i++) {
		w[i] = (struct worker){ t, i, &barrier, 0 };
		assert_int_equal(pthread_create(&thread[i], NULL, work, &w[i]), 0);
	}
	for (i = 0; i < LPS; i++) {
		pthread_join(thread[i], NULL);
		busy += w[i].busy;
	}
	pthread_barrier_destroy(&barrier);
	/* otherwise this has not tested what it should */
	assert_true(busy > 0);
	assert_true(tdxm_faults_hit(t->machine.m) || !t->description->platform.nr_faults);
	stop(t);
	i = replay(file, &said);
	if (i)
		print_error("%s\n", said);
	assert_int_equal(i, 0);
	free(said);
}

static void test_concurrent(void **state)
{
	(void)state;
	concurrent(PLATFORM ", " LATENCIES "}");
}

/* Which LP's call is the tenth is not in the order of the trace */
static void test_concurrent_faults(void **state)
{
	(void)state;
	concurrent(PLATFORM ", " LATENCIES ", \"faults\": ["
		   "{\"leaf\": \"TDH.SYS.LP.INIT\", \"nth\": 2, \"count\": 9, \"status\": \"TDX_SYS_BUSY\"},"
		   "{\"leaf\": \"TDH.SYS.KEY.CONFIG\", \"lp\": 1, \"nth\": 1, \"count\": 3, \"status\": \"TDX_SYS_BUSY\"},"
		   "{\"leaf\": \"TDH.SYS.TDMR.INIT\", \"nth\": 10, \"count\": 30, \"status\": \"0x8000020000000001\"},"
		   "{\"leaf\": \"TDH.SYS.TDMR.INIT\", \"nth\": 60, \"count\": 7, \"status\": \"TDX_OPERAND_INVALID\"},"
		   "{\"leaf\": \"TDH.SYS.TDMR.INIT\", \"nth\": 80, \"count\": 5, \"status\": \"VMFAIL_INVALID\"}]}");
}

static void test_killed(void **state)
{
	pid_t child;
	int status;

	(void)state;
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		bring_up_alone(start(PLATFORM "}"));
		_exit(7);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 7);
	replays("the line is not complete, replayed");
	replays("1 passed, 0 failed, 0 skipped");
}

/* Cut anywhere behind the first step */
static void test_cut(void **state)
{
	struct traced *t = start(PLATFORM "}");
	size_t size, first, cut;
	struct stat st;
	char *text;
	FILE *f;

	(void)state;
	bring_up_alone(t);
	stop(t);
	assert_int_equal(stat(file, &st), 0);
	size = st.st_size;
	text = calloc(1, size + 1);
	f = fopen(file, "r");
	assert_int_equal(fread(text, 1, size, f), size);
	fclose(f);
	first = strstr(text, "},{\"lp\"") - text;
	for (cut = first + 1; cut < size; cut += size / 23) {
		assert_int_equal(truncate(file, cut), 0);
		replays("1 passed, 0 failed, 0 skipped");
		f = fopen(file, "w");
		assert_int_equal(fwrite(text, 1, size, f), size);
		fclose(f);
	}
	/* not even the platform is there */
	assert_int_equal(truncate(file, 20), 0);
	free(text);
	assert_int_equal(replay(file, &text), 1);
	free(text);
}

static void test_faults(void **state)
{
	static const struct tdxm_fault faults[] = {
		{ .leaf = SYS_LP_INIT, .lp = 1, .nth = 2, .count = 2, .status = UINT64_C(0x8000020300000000) },
		{ .leaf = TDXM_ANY_LEAF, .lp = 2, .nth = 1, .count = 1, .exit = TDXM_GP },
	};
	static const struct tdxm_fault fatal = {
		.leaf = SYS_LP_SHUTDOWN, .lp = TDXM_ALL_LPS, .nth = 1, .count = 1, .exit = TDXM_FATAL,
	};
	struct traced *t = start(PLATFORM ", \"faults\": [{\"leaf\": 33, \"status\": \"VMFAIL_INVALID\"},"
				 " {\"leaf\": \"any\", \"lp\": 7, \"status\": \"TDX_SYS_BUSY\"}]}");
	unsigned int i;

	(void)state;
	assert_int_equal(do_call(t, 0, SYS_INIT, 0, 0, 0, 0), UINT64_MAX);
	assert_int_equal(do_call(t, 0, SYS_INIT, 0, 0, 0, 0), 0);
	assert_int_equal(do_call(t, 7, SYS_LP_INIT, 0, 0, 0, 0), UINT64_C(0x8000020200000000));
	assert_true(tdxm_set_faults(t->machine.m, faults, 2));
	for (i = 0; i < 4; i++)
		do_call(t, 1, SYS_LP_INIT, 0, 0, 0, 0);
	assert_int_equal(do_call(t, 2, SYS_LP_INIT, 0, 0, 0, 0), UINT64_MAX);
	assert_int_equal(do_call(t, 2, SYS_LP_INIT, 0, 0, 0, 0), 0);
	assert_true(tdxm_set_faults(t->machine.m, &fatal, 1));
	do_call(t, 3, SYS_LP_SHUTDOWN, 0, 0, 0, 0);
	do_call(t, 3, SYS_LP_SHUTDOWN, 0, 0, 0, 0);
	stop(t);
	replays("1 passed, 0 failed, 0 skipped");
}

/* The platform in the trace is the platform */
static void test_platform(void **state)
{
	struct traced *t = start(
		"{\"lps\": 6, \"packages\": 3, \"pa_width\": 46, \"mktme_keyids\": 3, \"tdx_keyids\": 4,"
		" \"cmrs\": [[\"0x100000\", \"0x10000000\"], [0, 0]], \"seamrr\": {\"locked\": false, \"enabled\": false, \"base\": \"0x40000000\"},"
		" \"module\": {\"kind\": \"2.0.04\", \"no_rbp_mod\": false, \"seamldr\": false},"
		" \"quirks\": {\"msr\": [[-1, \"0x98\", 1], [2, 153, 7]],"
		"   \"cpuid\": [[0, 7, \"0xffffffff\", \"edx\", 5], [1, 2, 3, \"eax\", 6]], \"pconfig_fail\": [[1, 2, 5], [0, 1, 2]],"
		"   \"rdrand_fail\": [[0, 1], [1, 2]], \"rdseed_fail\": [[1, 2]], \"intr_pending\": [[2, 3]],"
		"   \"seamops_caps\": [[3, \"0x7f\"]], \"fms\": [[7, \"0x806f4\"], [1, 2]],"
		"   \"smrr\": [\"0x7c000000\", \"0x800000\"], \"smrr2\": [\"0x7d000000\", \"0x800000\"],"
		"   \"num_lps\": 7, \"num_sockets\": 1, \"no_smrr2\": 1, \"no_integrity\": true,"
		"   \"module_hv\": 1, \"min_update_hv\": 2, \"handoff_pages\": 3},"
		" \"faults\": [{\"leaf\": 33, \"lp\": 2, \"nth\": 3, \"count\": 0, \"status\": \"FATAL\"}]}");
	const struct tdxm_platform *a = &t->description->platform, *b;
	struct tdx_machine *again;
	json_t *root;
	char *err;

	(void)state;
	assert_true(tdx_trace_close(t->trace));
	t->trace = NULL;
	root = load();
	again = tdx_machine_from_vector(json_object_get(root, "platform"), "again", &err);
	if (!again)
		print_error("%s\n", err);
	assert_non_null(again);
	b = &again->platform;
	assert_int_equal(a->lps, b->lps);
	assert_int_equal(a->packages, b->packages);
	assert_int_equal(a->pa_width, b->pa_width);
	assert_int_equal(a->mktme_keyids, b->mktme_keyids);
	assert_int_equal(a->tdx_keyids, b->tdx_keyids);
	assert_int_equal(a->nr_cmrs, b->nr_cmrs);
	assert_memory_equal(a->cmrs, b->cmrs, sizeof(a->cmrs));
	assert_memory_equal(&a->seamrr, &b->seamrr, 3 * sizeof(a->seamrr));
	assert_int_equal(a->seamrr_locked, b->seamrr_locked);
	assert_int_equal(a->seamrr_enabled, b->seamrr_enabled);
	assert_int_equal(a->num_lps, b->num_lps);
	assert_int_equal(a->num_sockets, b->num_sockets);
	assert_int_equal(a->no_smrr2, b->no_smrr2);
	assert_int_equal(a->no_integrity, b->no_integrity);
	assert_int_equal(a->module_hv, b->module_hv);
	assert_int_equal(a->min_update_hv, b->min_update_hv);
	assert_int_equal(a->handoff_pages, b->handoff_pages);
	/* a trace says of each call whether a fault answered it */
	assert_int_equal(b->nr_faults, 0);
	assert_int_equal(a->module.features0, b->module.features0);
	assert_int_equal(a->module.clobbers_rbp, b->module.clobbers_rbp);
	assert_int_equal(a->module.seamldr_loaded, b->module.seamldr_loaded);
	assert_int_equal(a->module.major, b->module.major);
#define SAME_LIST(list)									\
	do {										\
		assert_int_equal(a->nr_##list, b->nr_##list);				\
		assert_memory_equal(a->list, b->list, a->nr_##list * sizeof(*a->list));	\
	} while (0)
	SAME_LIST(msr_quirks);
	SAME_LIST(cpuid_quirks);
	SAME_LIST(pconfig_quirks);
	SAME_LIST(rdrand_quirks);
	SAME_LIST(rdseed_quirks);
	SAME_LIST(intr_quirks);
	SAME_LIST(seamops_quirks);
	SAME_LIST(fms_quirks);
	tdx_machine_free(again);
	json_decref(root);
	stop(t);
}

static void test_cannot_write(void **state)
{
	struct tdx_machine *m;
	struct tdx_trace *t;
	char *err;

	(void)state;
	m = tdx_machine_parse("{}", 2, "test", &err);
	assert_null(tdx_trace_open("/nonexistent/trace", m, "x", &err));
	assert_string_equal(err, "/nonexistent/trace: No such file or directory");
	free(err);
	t = tdx_trace_open("/dev/full", m, "x", &err);
	assert_non_null(t);
	assert_false(tdx_trace_close(t));
	tdx_machine_free(m);
	/* no trace at all */
	assert_true(tdx_trace_close(NULL));
	tdx_trace_mem_read(NULL, 0, "", 1);
	tdx_trace_mem_write(NULL, 0, "", 1);
}

static void test_no_trace(void **state)
{
	struct traced *t = start("{}");
	struct tdx_trace *trace = t->trace;

	(void)state;
	t->trace = NULL;
	assert_int_equal(do_call(t, 0, SYS_INIT, 0, 0, 0, 0), 0);
	t->trace = trace;
	stop(t);
}

/* tdx-replay itself: every kind of difference is found, and said in words */
static void test_differences(void **state)
{
#define ONE(step) "{\"name\":\"x\",\"platform\":{\"lps\":2,\"packages\":1,\"pa_width\":52,\"mktme_keyids\":31,\"tdx_keyids\":32,\"cmrs\":[[\"0x100000\",\"0x76f00000\"]]},\"steps\":[" step "]}\n"
#define OUT(rax) "\"out\":{\"rax\":\"" rax "\",\"rcx\":\"0x0\",\"rdx\":\"0x0\",\"r8\":\"0x0\",\"r9\":\"0x0\",\"r10\":\"0x0\",\"r11\":\"0x0\"}"
	static const struct {
		const char *text, *said;
		int status;
	} cases[] = {
		{ ONE("{\"lp\":0,\"leaf\":33," OUT("0x0") "}"), "1 passed, 0 failed, 0 skipped", 0 },
		{ ONE("{\"lp\":0,\"leaf\":33," OUT("0x1") "}"),
		  "x: step 0: TDH.SYS.INIT (33): rax is 0 TDX_SUCCESS, recorded 0x1 TDX_SUCCESS", 1 },
		{ ONE("{\"lp\":0,\"leaf\":33,\"in\":{\"rcx\":\"0x1\"}," OUT("0x8000020200000000") "}"),
		  "rax is 0xc000010000000001 TDX_OPERAND_INVALID, operand RCX, recorded 0x8000020200000000 TDX_SYS_BUSY", 1 },
		{ ONE("{\"lp\":0,\"leaf\":33,\"in\":{\"r11\":\"0x1\"}," OUT("0x0") "}"),
		  "r11 is 0x1, recorded 0", 1 },
		{ ONE("{\"lp\":0,\"leaf\":33,\"repeat\":2," OUT("0x0") "}"),
		  "TDH.SYS.INIT (33), call 2 of this step: rax is 0xc000050000000000 TDX_SYS_INIT_NOT_PENDING", 1 },
		{ ONE("{\"lp\":0,\"leaf\":44,\"write\":[[\"0x10\",\"aabb\"]]," OUT("0x0") ",\"read\":[[\"0x10\",\"aacc\"]]}"),
		  "memory at 0x11 is 0xbb, recorded 0xcc", 1 },
		{ ONE("{\"lp\":0,\"leaf\":33,\"fatal\":\"b021.0\"}"),
		  "ended with an answer, recorded a fatal stop", 1 },
		{ ONE("{\"lp\":0,\"leaf\":44," OUT("0x0") ",\"nested\":[{\"at\":\"pconfig\",\"step\":{\"lp\":1,\"leaf\":44," OUT("0x0") "}}]}"),
		  "a nested call was recorded at an event that did not happen", 1 },
		{ ONE("{\"lp\":0,\"leaf\":33," OUT("0x0") ",\"nested\":[{\"at\":\"rdmsr\",\"step\":{\"lp\":1,\"leaf\":33," OUT("0x0") "}}]}"),
		  "rax is 0x8000020200000000 TDX_SYS_BUSY, recorded 0 TDX_SUCCESS", 1 },
		{ ONE("{\"lp\":2,\"leaf\":33," OUT("0x0") "}"), "bad step", 1 },
		{ ONE("{\"lp\":0,\"leaf\":33,\"in\":{\"rbx\":\"0x1\"}," OUT("0x0") "}"), "bad register \"rbx\"", 1 },
		{ ONE("{\"lp\":0,\"leaf\":33,\"out\":{}}"), "\"out\" has no rax", 1 },
		{ ONE("{\"lp\":0,\"leaf\":33,\"write\":[[0,\"abc\"]]," OUT("0x0") "}"), "bad \"write\" entry 0", 1 },
		{ ONE("{\"lp\":0,\"leaf\":44,\"read\":[[0,\"xy\"]]," OUT("0x0") "}"), "bad \"read\" entry 0", 1 },
		{ ONE(""), "no steps", 1 },
		{ "{\"name\":\"x\",\"cat\":\"trace\",\"platform\":{},\"steps\":[]}\n", "1 passed, 0 failed", 0 },
		{ "{\"name\":\"x\",\"cat\":\"trace\",\"platform\":{}}\n", "no steps", 1 },
		{ ONE("{\"lp\":0,\"leaf\":33,\"fault\":true}"), "a fault without an answer", 1 },
		{ ONE("{\"lp\":0,\"leaf\":33,\"fault\":true," OUT("0x8000020200000000") "},{\"lp\":0,\"leaf\":33," OUT("0x0") "}"),
		  "1 passed, 0 failed, 0 skipped", 0 },
		{ "{\"name\":\"y\",\"steps\":[]}\n", "platform: is ", 1 },
		{ "{\"name\":\n", "column", 1 },
		{ "", "has no scenario", 2 },
	};
	char *said;
	FILE *f;
	char only[512];
	size_t i;
	int status;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f = fopen(file, "w");
		fputs(cases[i].text, f);
		fclose(f);
		status = replay(file, &said);
		if (status != cases[i].status || !strstr(said, cases[i].said))
			print_error("case %zu: %d, %s\n", i, status, said);
		assert_int_equal(status, cases[i].status);
		assert_non_null(strstr(said, cases[i].said));
		free(said);
	}
	assert_int_equal(replay("/nonexistent.gz", &said), 2);
	free(said);
	assert_int_equal(replay("--what", &said), 2);
	assert_non_null(strstr(said, "usage:"));
	free(said);

	f = fopen(file, "w");
	fputs("{\"name\":\"a\",\"platform\":{},\"steps\":[]}\n", f);
	fclose(f);
	snprintf(only, sizeof(only), "--only b %s", file);
	assert_int_equal(replay(only, &said), 2);
	assert_non_null(strstr(said, "no scenario is called b"));
	free(said);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain), cmocka_unit_test(test_concurrent),
		cmocka_unit_test(test_concurrent_faults),
		cmocka_unit_test(test_killed), cmocka_unit_test(test_cut),
		cmocka_unit_test(test_faults), cmocka_unit_test(test_platform),
		cmocka_unit_test(test_cannot_write), cmocka_unit_test(test_no_trace),
		cmocka_unit_test(test_differences),
	};
	int failed;

	(void)argc;
	snprintf(replay_path, sizeof(replay_path), "%s/tdx-replay", dirname(argv[0]));
	if (!mkdtemp(dir))
		return 2;
	snprintf(file, sizeof(file), "%s/trace.jsonl", dir);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(file);
	rmdir(dir);
	printf("%zu passed, %d failed\n", sizeof(tests) / sizeof(tests[0]) - failed, failed);
	return failed != 0;
}
