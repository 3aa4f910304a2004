// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trace of SEAMCALLs, see trace.h.
 *
 * LPs call at once, a trace has one order: that in which calls took the global
 * lock or a TDMR lock; calls that take none have their place where they ended.
 *
 * - A call that was refused because another LP held a lock has to be replayed
 *   while that lock is held. It becomes a "nested" step of the call that held
 *   the lock. Since that one may end before or after the refused one, ended
 *   calls wait in a queue until no call is under way that began before they
 *   ended.
 *
 * - Which calls got a fault depends on the order in which LPs made them. The
 *   trace does not say what faults there are, but of each call whether one
 *   answered it: such a call has not been in the module, any place will do.
 *
 * - Equal calls that follow each other become one step with "repeat". LPs that
 *   initialise different TDMRs do not influence each other, so their steps stay
 *   open side by side while nothing but TDH.SYS.TDMR.INIT happens.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace.h"

#define LEAF_SYS_KEY_CONFIG	31
#define LEAF_SYS_INIT		33
#define LEAF_SYS_LP_INIT	35
#define LEAF_SYS_TDMR_INIT	36
#define LEAF_SYS_CONFIG		45
#define LEAF_SYS_SHUTDOWN	52
#define LEAF_SYS_UPDATE		53

#define STATUS_CLASS(rax)	((rax) & UINT64_C(0xffffffff00000000))
#define SYS_BUSY		UINT64_C(0x8000020200000000)
#define OPERAND_BUSY		UINT64_C(0x8000020000000000)
#define OPERAND_RCX		1

/* Text that grows */
struct text {
	char *s;
	size_t len, size;
	bool bad;		/* out of memory */
};

/* Memory that a call read or wrote */
struct piece {
	struct piece *next;
	uint64_t pa;
	size_t len;
	uint8_t *bytes;
};

/* A call, under way or ended */
struct record {
	struct record *next;		/* in a list: under way, ended, open, nested */
	unsigned int lp;
	uint64_t in[TDXM_NR_REGS], out[TDXM_NR_REGS];
	enum tdxm_exit exit;
	uint64_t fatal;
	uint64_t began, ended;		/* in this order of events */
	uint64_t order;			/* when it took its lock, else when it ended */
	bool locked;
	struct piece *reads, *writes;
	struct record *nested;		/* refused while this one held a lock */
	uint64_t repeat;
	bool fault;			/* answered by one */
};

struct tdx_trace {
	FILE *f;
	struct tdxm *m;			/* the model that is observed */
	pthread_mutex_t lock;
	uint64_t events;
	struct record *under_way;
	struct record *ended;		/* by `order` */
	struct record *open;		/* oldest first */
	bool any, bad;
};

static __thread struct record *current;

static void add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	char *more;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (t->len + n + 1 > t->size) {
		t->size = 2 * (t->len + n + 1);
		more = realloc(t->s, t->size);
		if (!more) {
			t->bad = true;
			t->size = t->len;
			return;
		}
		t->s = more;
	}
	va_start(ap, fmt);
	vsnprintf(t->s + t->len, n + 1, fmt, ap);
	va_end(ap);
	t->len += n;
}

static void add_string(struct text *t, const char *s)
{
	add(t, "\"");
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			add(t, "\\%c", *s);
		else if ((unsigned char)*s < ' ')
			add(t, "\\u%04x", *s);
		else
			add(t, "%c", *s);
	}
	add(t, "\"");
}

/* Platform: the vocabulary of the vectors, and what differs from their defaults beyond it */

static const char *flag(bool b)
{
	return b ? "true" : "false";
}

static void add_lp_quirks(struct text *t, const char **sep, const char *name,
			  const struct tdxm_lp_quirk *q, uint32_t nr)
{
	uint32_t i;

	if (!nr)
		return;
	add(t, "%s\"%s\":[", *sep, name);
	for (i = 0; i < nr; i++)
		add(t, "%s[%" PRId32 ",\"0x%" PRIx64 "\"]", i ? "," : "", q[i].lp, q[i].value);
	add(t, "]");
	*sep = ",";
}

static void add_range(struct text *t, const char **sep, const char *name,
		      const struct tdxm_range *r, const struct tdxm_range *dflt)
{
	if (r->base == dflt->base && r->size == dflt->size)
		return;
	add(t, "%s\"%s\":[\"0x%" PRIx64 "\",\"0x%" PRIx64 "\"]", *sep, name, r->base, r->size);
	*sep = ",";
}

static void add_number(struct text *t, const char **sep, const char *name, uint32_t n,
		       uint32_t dflt)
{
	if (n == dflt)
		return;
	add(t, "%s\"%s\":%" PRIu32, *sep, name, n);
	*sep = ",";
}

static void add_quirks(struct text *t, const struct tdxm_platform *p)
{
	static const char *const regs[] = { "eax", "ebx", "ecx", "edx" };
	struct tdxm_platform dflt;
	const char *sep = "";
	uint32_t i;

	tdxm_platform_init(&dflt);
	add(t, ",\"quirks\":{");
	if (p->nr_msr_quirks) {
		add(t, "\"msr\":[");
		for (i = 0; i < p->nr_msr_quirks; i++)
			add(t, "%s[%" PRId32 ",\"0x%" PRIx32 "\",\"0x%" PRIx64 "\"]", i ? "," : "",
			    p->msr_quirks[i].lp, p->msr_quirks[i].msr, p->msr_quirks[i].value);
		add(t, "]");
		sep = ",";
	}
	if (p->nr_cpuid_quirks) {
		add(t, "%s\"cpuid\":[", sep);
		for (i = 0; i < p->nr_cpuid_quirks; i++)
			add(t, "%s[%" PRId32 ",\"0x%" PRIx32 "\",\"0x%" PRIx32 "\",\"%s\",\"0x%" PRIx32 "\"]",
			    i ? "," : "", p->cpuid_quirks[i].lp, p->cpuid_quirks[i].leaf,
			    p->cpuid_quirks[i].subleaf, regs[p->cpuid_quirks[i].reg & 3],
			    p->cpuid_quirks[i].value);
		add(t, "]");
		sep = ",";
	}
	if (p->nr_pconfig_quirks) {
		add(t, "%s\"pconfig_fail\":[", sep);
		for (i = 0; i < p->nr_pconfig_quirks; i++)
			add(t, "%s[%" PRIu32 ",%" PRIu32 ",%" PRIu32 "]", i ? "," : "",
			    p->pconfig_quirks[i].package, p->pconfig_quirks[i].count,
			    p->pconfig_quirks[i].code);
		add(t, "]");
		sep = ",";
	}
	if (p->nr_fms_quirks) {
		add(t, "%s\"fms\":[", sep);
		for (i = 0; i < p->nr_fms_quirks; i++)
			add(t, "%s[%" PRIu32 ",\"0x%" PRIx32 "\"]", i ? "," : "",
			    p->fms_quirks[i].entry, p->fms_quirks[i].value);
		add(t, "]");
		sep = ",";
	}
	add_lp_quirks(t, &sep, "rdrand_fail", p->rdrand_quirks, p->nr_rdrand_quirks);
	add_lp_quirks(t, &sep, "rdseed_fail", p->rdseed_quirks, p->nr_rdseed_quirks);
	add_lp_quirks(t, &sep, "intr_pending", p->intr_quirks, p->nr_intr_quirks);
	add_lp_quirks(t, &sep, "seamops_caps", p->seamops_quirks, p->nr_seamops_quirks);
	add_range(t, &sep, "seamrr", &p->seamrr, &dflt.seamrr);
	add_range(t, &sep, "smrr", &p->smrr, &dflt.smrr);
	add_range(t, &sep, "smrr2", &p->smrr2, &dflt.smrr2);
	add_number(t, &sep, "num_lps", p->num_lps, dflt.num_lps);
	add_number(t, &sep, "num_sockets", p->num_sockets, dflt.num_sockets);
	add_number(t, &sep, "no_smrr2", p->no_smrr2, 0);
	add_number(t, &sep, "no_integrity", p->no_integrity, 0);
	add_number(t, &sep, "module_hv", p->module_hv, 0);
	add_number(t, &sep, "min_update_hv", p->min_update_hv, 0);
	add_number(t, &sep, "handoff_pages", p->handoff_pages, dflt.handoff_pages);
	add(t, "}");
	if (!*sep)		/* there was none */
		t->s[t->len -= strlen(",\"quirks\":{}")] = 0;
}

static void add_platform(struct text *t, const struct tdx_machine *machine)
{
	const struct tdxm_platform *p = &machine->platform;
	const struct tdxm_module *mod = &p->module;
	struct tdxm_module dflt;
	uint32_t i;

	add(t, "{\"lps\":%" PRIu32 ",\"packages\":%" PRIu32 ",\"pa_width\":%" PRIu32 ",\"mktme_keyids\":%" PRIu32 ",\"tdx_keyids\":%" PRIu32 ",\"cmrs\":[",
	    p->lps, p->packages, p->pa_width, p->mktme_keyids, p->tdx_keyids);
	for (i = 0; i < p->nr_cmrs; i++)
		add(t, "%s[\"0x%" PRIx64 "\",\"0x%" PRIx64 "\"]", i ? "," : "", p->cmrs[i].base,
		    p->cmrs[i].size);
	add(t, "]");

	tdxm_module_by_name(&dflt, "1.5.01");
	if (memcmp(&dflt, mod, sizeof(dflt)))
		add(t, ",\"module\":{\"kind\":\"%s\",\"loaded\":%s,\"no_rbp_mod\":%s,\"seamldr\":%s}",
		    machine->module_kind, flag(mod->loaded), flag(!mod->clobbers_rbp),
		    flag(mod->seamldr_loaded));
	if (!p->seamrr_supported || !p->seamrr_enabled || !p->seamrr_locked)
		add(t, ",\"seamrr\":{\"supported\":%s,\"enabled\":%s,\"locked\":%s}",
		    flag(p->seamrr_supported), flag(p->seamrr_enabled), flag(p->seamrr_locked));
	add_quirks(t, p);
	add(t, "}");
}

/* Steps */

static void add_registers(struct text *t, const char *name, const uint64_t gpr[TDXM_NR_REGS],
			  bool all)
{
	static const struct {
		const char *name;
		enum tdxm_reg reg;
	} regs[] = {
		{ "rcx", TDXM_RCX }, { "rdx", TDXM_RDX }, { "r8", TDXM_R8 }, { "r9", TDXM_R9 },
		{ "r10", TDXM_R10 }, { "r11", TDXM_R11 },
	};
	const char *sep = "";
	size_t i;

	add(t, ",\"%s\":{", name);
	/* of an input, bits above the leaf number */
	if (all || gpr[TDXM_RAX] > UINT16_MAX) {
		add(t, "\"rax\":\"0x%" PRIx64 "\"", gpr[TDXM_RAX]);
		sep = ",";
	}
	for (i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
		if (!all && !gpr[regs[i].reg])
			continue;
		add(t, "%s\"%s\":\"0x%" PRIx64 "\"", sep, regs[i].name, gpr[regs[i].reg]);
		sep = ",";
	}
	add(t, "}");
}

static void add_pieces(struct text *t, const char *name, const struct piece *p)
{
	const char *sep = "";
	size_t i;

	if (!p)
		return;
	add(t, ",\"%s\":[", name);
	for (; p; p = p->next) {
		add(t, "%s[\"0x%" PRIx64 "\",\"", sep, p->pa);
		for (i = 0; i < p->len; i++)
			add(t, "%02x", p->bytes[i]);
		add(t, "\"]");
		sep = ",";
	}
	add(t, "]");
}

/*
 * An event inside a call at which its lock is held. Calls that did their work
 * went by one of the events that the vectors know.
 */
static const char *event_of(const struct record *r)
{
	bool worked = r->exit == TDXM_DONE && !r->out[TDXM_RAX];

	switch (r->in[TDXM_RAX]) {
	case LEAF_SYS_INIT:
	case LEAF_SYS_LP_INIT:
		return worked ? "rdmsr" : "lock";
	case LEAF_SYS_CONFIG:
		return worked ? "keyhole" : "lock";
	case LEAF_SYS_KEY_CONFIG:
		return worked ? "pconfig" : "lock";
	case LEAF_SYS_TDMR_INIT:
		return worked ? "movdir64b" : "lock";
	default:
		return "lock";
	}
}

static void add_step(struct text *t, const struct record *r)
{
	static const char *const exits[] = {
		[TDXM_VMFAIL_INVALID] = "VMFAIL_INVALID", [TDXM_GP] = "GP", [TDXM_UD] = "UD",
	};
	const struct record *n;

	add(t, "{\"lp\":%u,\"leaf\":%" PRIu64, r->lp, r->in[TDXM_RAX] & UINT16_MAX);
	add_registers(t, "in", r->in, false);
	add_pieces(t, "write", r->reads);
	if (r->repeat > 1)
		add(t, ",\"repeat\":%" PRIu64, r->repeat);
	if (r->fault)
		add(t, ",\"fault\":true");
	if (r->exit == TDXM_DONE)
		add_registers(t, "out", r->out, true);
	else if (r->exit == TDXM_FATAL)
		add(t, ",\"fatal\":\"%x.%x\"", (uint32_t)(r->fatal >> 32), (uint32_t)r->fatal);
	else
		add(t, ",\"exit\":\"%s\"", exits[r->exit]);
	add_pieces(t, "read", r->writes);
	if (r->nested) {
		add(t, ",\"nested\":[");
		for (n = r->nested; n; n = n->next) {
			add(t, "{\"at\":\"%s\",\"step\":", event_of(r));
			add_step(t, n);
			add(t, "}%s", n->next ? "," : "");
		}
		add(t, "]");
	}
	add(t, "}");
}

static void free_pieces(struct piece *p)
{
	struct piece *next;

	for (; p; p = next) {
		next = p->next;
		free(p->bytes);
		free(p);
	}
}

static void free_record(struct record *r)
{
	struct record *n, *next;

	for (n = r->nested; n; n = next) {
		next = n->next;
		free_record(n);
	}
	free_pieces(r->reads);
	free_pieces(r->writes);
	free(r);
}

static void append(struct record **list, struct record *r)
{
	while (*list)
		list = &(*list)->next;
	r->next = NULL;
	*list = r;
}

static void insert(struct record **list, struct record *r)
{
	while (*list && (*list)->order < r->order)
		list = &(*list)->next;
	r->next = *list;
	*list = r;
}

static void write_text(struct tdx_trace *t, const struct text *text)
{
	if (text->bad || fwrite(text->s, 1, text->len, t->f) != text->len || fflush(t->f))
		__atomic_store_n(&t->bad, true, __ATOMIC_RELAXED);
}

/* The oldest open step goes to the file */
static void write_open(struct tdx_trace *t, struct record **r)
{
	struct record *step = *r;
	struct text text = { 0 };

	*r = step->next;
	add(&text, "%s", t->any ? "," : "");
	add_step(&text, step);
	t->any = true;
	write_text(t, &text);
	free(text.s);
	free_record(step);
}

static bool is_plain_tdmr_init(const struct record *r)
{
	return r->in[TDXM_RAX] == LEAF_SYS_TDMR_INIT && r->exit == TDXM_DONE && !r->nested;
}

static bool can_repeat(const struct record *r)
{
	return !r->reads && !r->writes && !r->nested;
}

static bool equal_calls(const struct record *a, const struct record *b)
{
	return can_repeat(a) && can_repeat(b) && a->lp == b->lp && a->exit == b->exit &&
	       a->fault == b->fault && !memcmp(a->in, b->in, sizeof(a->in)) && !memcmp(a->out, b->out, sizeof(a->out));
}

/* In the order of the trace: give `r` its place */
static void place(struct tdx_trace *t, struct record *r)
{
	struct record **o;

	for (o = &t->open; *o; o = &(*o)->next)
		if (equal_calls(*o, r)) {
			(*o)->repeat++;
			free_record(r);
			return;
		}
	if (is_plain_tdmr_init(r) && t->open && is_plain_tdmr_init(t->open)) {
		/* only steps of the same TDMR have to be in order */
		for (o = &t->open; *o; )
			if ((*o)->in[TDXM_RCX] == r->in[TDXM_RCX])
				write_open(t, o);
			else
				o = &(*o)->next;
	} else {
		while (t->open)
			write_open(t, &t->open);
	}
	append(&t->open, r);
}

static bool takes_global_lock(uint64_t leaf)
{
	return leaf == LEAF_SYS_INIT || leaf == LEAF_SYS_LP_INIT || leaf == LEAF_SYS_CONFIG ||
	       leaf == LEAF_SYS_KEY_CONFIG || leaf == LEAF_SYS_SHUTDOWN || leaf == LEAF_SYS_UPDATE;
}

static bool was_refused(const struct record *r)
{
	return r->exit == TDXM_DONE && !r->fault &&
	       (STATUS_CLASS(r->out[TDXM_RAX]) == SYS_BUSY ||
		r->out[TDXM_RAX] == (OPERAND_BUSY | OPERAND_RCX));
}

/* Can `r` have been refused because of `holder`? */
static bool explains(const struct record *holder, const struct record *r)
{
	uint64_t leaf = holder->in[TDXM_RAX];

	if (!holder->locked || was_refused(holder) || holder->lp == r->lp ||
	    holder->began > r->ended || r->began > holder->ended)
		return false;
	if (STATUS_CLASS(r->out[TDXM_RAX]) == OPERAND_BUSY)
		return leaf == r->in[TDXM_RAX] && holder->in[TDXM_RCX] == r->in[TDXM_RCX];
	if (r->in[TDXM_RAX] == LEAF_SYS_SHUTDOWN)	/* it wants to be alone */
		return true;
	if (leaf == LEAF_SYS_LP_INIT)			/* takes it shared */
		return r->in[TDXM_RAX] != LEAF_SYS_LP_INIT;
	return takes_global_lock(leaf);
}

static void nest(struct record *holder, struct record *r)
{
	struct record *n;

	for (n = holder->nested; n; n = n->next)
		if (equal_calls(n, r)) {
			n->repeat++;
			free_record(r);
			return;
		}
	append(&holder->nested, r);
}

/* Ended calls that nothing under way can have to do with */
static void drain(struct tdx_trace *t, bool all)
{
	struct record *r, *h, **p;
	uint64_t oldest = UINT64_MAX;

	for (r = t->under_way; r; r = r->next)
		if (r->began < oldest)
			oldest = r->began;

	for (p = &t->ended; *p; ) {
		r = *p;
		if (!was_refused(r)) {
			p = &r->next;
			continue;
		}
		for (h = t->ended; h; h = h->next)
			if (h != r && explains(h, r))
				break;
		if (!h) {
			p = &r->next;
			continue;
		}
		*p = r->next;
		nest(h, r);
	}
	while (t->ended && (all || t->ended->ended < oldest)) {
		r = t->ended;
		t->ended = r->next;
		place(t, r);
	}
}

static void on_event(void *opaque, unsigned int lp, enum tdxm_event ev)
{
	struct tdx_trace *t = opaque;

	(void)lp;
	if (!current)
		return;
	if (ev == TDXM_EV_FAULT)
		current->fault = true;
	if (ev != TDXM_EV_LOCK)
		return;
	pthread_mutex_lock(&t->lock);
	current->order = t->events++;
	current->locked = true;
	pthread_mutex_unlock(&t->lock);
}

enum tdxm_exit tdx_trace_seamcall(struct tdx_trace *t, struct tdxm *m, unsigned int lp,
				  uint64_t gpr[TDXM_NR_REGS])
{
	struct record *r = t ? calloc(1, sizeof(*r)) : NULL, *outer = current, **p;
	enum tdxm_exit exit;

	if (!r) {
		if (t)
			__atomic_store_n(&t->bad, true, __ATOMIC_RELAXED);
		return tdxm_seamcall(m, lp, gpr);
	}
	r->lp = lp;
	r->repeat = 1;
	memcpy(r->in, gpr, sizeof(r->in));
	pthread_mutex_lock(&t->lock);
	if (!t->m) {
		tdxm_observe(m, on_event, t);
		t->m = m;
	}
	r->began = t->events++;
	append(&t->under_way, r);
	pthread_mutex_unlock(&t->lock);

	current = r;
	exit = tdxm_seamcall(m, lp, gpr);
	current = outer;

	r->exit = exit;
	memcpy(r->out, gpr, sizeof(r->out));
	/* these are not in the file, and would keep equal calls apart */
	r->in[TDXM_RSP] = r->out[TDXM_RSP] = 0;
	r->in[TDXM_RBX] = r->out[TDXM_RBX] = 0;
	r->in[TDXM_RBP] = r->out[TDXM_RBP] = 0;
	r->in[TDXM_RSI] = r->out[TDXM_RSI] = 0;
	r->in[TDXM_RDI] = r->out[TDXM_RDI] = 0;
	memset(&r->in[TDXM_R12], 0, 4 * sizeof(r->in[0]));
	memset(&r->out[TDXM_R12], 0, 4 * sizeof(r->out[0]));
	if (exit == TDXM_FATAL)
		r->fatal = tdxm_fatal_code(m);

	pthread_mutex_lock(&t->lock);
	for (p = &t->under_way; *p != r; p = &(*p)->next)
		;
	*p = r->next;
	r->ended = t->events++;
	if (!r->locked)
		r->order = r->ended;
	insert(&t->ended, r);
	drain(t, false);
	pthread_mutex_unlock(&t->lock);
	return exit;
}

static bool grow(struct piece *p, const void *bytes, size_t len)
{
	uint8_t *more = realloc(p->bytes, p->len + len);

	if (!more)
		return false;
	memcpy(more + p->len, bytes, len);
	p->bytes = more;
	p->len += len;
	return true;
}

/* What is written twice has its last value; pieces that touch become one */
static bool add_piece(struct piece **list, uint64_t pa, const void *buf, size_t len)
{
	struct piece *p, **end = list;

	for (p = *list; p; p = p->next) {
		if (pa >= p->pa && pa + len <= p->pa + p->len) {
			memcpy(p->bytes + (pa - p->pa), buf, len);
			return true;
		}
		if (pa == p->pa + p->len)
			return grow(p, buf, len);
		end = &p->next;
	}
	p = calloc(1, sizeof(*p));
	if (!p)
		return false;
	p->pa = pa;
	if (!grow(p, buf, len)) {
		free(p);
		return false;
	}
	*end = p;
	return true;
}

void tdx_trace_mem_read(struct tdx_trace *t, uint64_t pa, const void *buf, size_t len)
{
	if (t && current && !add_piece(&current->reads, pa, buf, len))
		__atomic_store_n(&t->bad, true, __ATOMIC_RELAXED);
}

void tdx_trace_mem_write(struct tdx_trace *t, uint64_t pa, const void *buf, size_t len)
{
	if (t && current && !add_piece(&current->writes, pa, buf, len))
		__atomic_store_n(&t->bad, true, __ATOMIC_RELAXED);
}

struct tdx_trace *tdx_trace_open(const char *file, const struct tdx_machine *machine,
				 const char *name, char **err)
{
	struct tdx_trace *t = calloc(1, sizeof(*t));
	struct text text = { 0 };
	const char *why;

	*err = NULL;
	if (t)
		t->f = fopen(file, "w");
	if (!t || !t->f) {
		why = strerror(errno);
		*err = malloc(strlen(file) + strlen(why) + 3);
		if (*err)
			sprintf(*err, "%s: %s", file, why);
		free(t);
		return NULL;
	}
	pthread_mutex_init(&t->lock, NULL);
	add(&text, "{\"name\":");
	add_string(&text, name);
	add(&text, ",\"cat\":\"trace\",\"platform\":");
	add_platform(&text, machine);
	add(&text, ",\"steps\":[");
	write_text(t, &text);
	free(text.s);
	return t;
}

bool tdx_trace_close(struct tdx_trace *t)
{
	struct text text = { 0 };
	bool ok;

	if (!t)
		return true;
	if (t->m)
		tdxm_observe(t->m, NULL, NULL);
	pthread_mutex_lock(&t->lock);
	drain(t, true);
	while (t->open)
		write_open(t, &t->open);
	add(&text, "]}\n");
	write_text(t, &text);
	free(text.s);
	ok = !t->bad;
	ok &= !fclose(t->f);
	pthread_mutex_unlock(&t->lock);
	pthread_mutex_destroy(&t->lock);
	free(t);
	return ok;
}
