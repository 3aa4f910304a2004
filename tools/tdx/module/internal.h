/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the model share. See tdx_module.h for the outside.
 *
 * Locks, none of which is ever waited for (the module answers busy instead):
 *
 *   tdxm.global   exclusive: INIT, CONFIG, KEY.CONFIG, SHUTDOWN, UPDATE;
 *                 shared: LP.INIT
 *   tdxm_tdmr.lock  TDMR.INIT of that TDMR
 *   tdxm_page.lock  one page of PAMT metadata; the page of a TDR also
 *                 protects its struct tdxm_td
 *   tdxm.kot_lock   the key ownership table
 *
 * They are taken in this order. Fields of struct tdxm without a lock named
 * here are written before the state that makes them valid is published
 * (store release to tdxm.state) and do not change after it.
 */
#ifndef TDXM_INTERNAL_H
#define TDXM_INTERNAL_H

#include "tdx_module.h"

#define PAGE_4K			UINT64_C(0x1000)
#define SIZE_1G			UINT64_C(0x40000000)
#define PA_LIMIT		(UINT64_C(1) << 52)

#define ARRAY_LEN(a)		(sizeof(a) / sizeof((a)[0]))
#define IS_ALIGNED_TO(x, a)	(((x) & ((a) - 1)) == 0)
#define BITS(v, hi, lo)		(((v) >> (lo)) & (UINT64_MAX >> (63 - ((hi) - (lo)))))

/* Tables made from csv/ by gen-tables.py; the columns are explained there */

enum tdxm_check_kind {
	CHECK_SAMPLE, CHECK_MASKED_EQ, CHECK_FIELD_LE, CHECK_FIELD_GE, CHECK_ANY_OF,
	CHECK_EQ_MSR, CHECK_VMX32, CHECK_CR0_L2, CHECK_SUM32_LT, CHECK_TSX,
	CHECK_CPUID_LAST, CHECK_CPUID_TABLE, CHECK_CMRS, CHECK_SMRR, CHECK_HANDOFF,
	CHECK_RDRAND, CHECK_NONZERO, CHECK_SAME, CHECK_CPUID_SAME,
};

enum tdxm_check_cond {
	COND_ALWAYS, COND_TSX_CTRL, COND_INTEGRITY, COND_NO_INTEGRITY, COND_SMRR2,
};

struct tdxm_check {
	uint32_t msr;
	uint8_t kind;		/* enum tdxm_check_kind */
	uint8_t cond;		/* enum tdxm_check_cond */
	uint32_t details;
	uint64_t p1, p2;
	uint64_t status;
};

/* Rows of the check tables that are not about an MSR have one of these */
#define MSR_CPUID		0xfffffff0u
#define MSR_CMR			0xfffffff1u
#define MSR_SEAMOPS		0xfffffff2u
#define MSR_TABLE		0xfffffff3u
#define MSR_RDRAND		0xfffffff4u

enum tdxm_cpuid_special {
	SPECIAL_NONE, SPECIAL_FMS, SPECIAL_L3, SPECIAL_F7_0, SPECIAL_F7_1, SPECIAL_F7_2,
	SPECIAL_PERFMON, SPECIAL_LBR, SPECIAL_MAXPA, SPECIAL_XCR0, SPECIAL_XSS,
	SPECIAL_XCOMP, SPECIAL_TSC, SPECIAL_TOPO,
};

enum { EAX, EBX, ECX, EDX };

struct tdxm_cpuid_check {
	uint32_t leaf, subleaf;		/* subleaf: or TDXM_ANY_SUBLEAF */
	uint32_t mask[4], value[4];	/* INIT: (cpuid & mask) == value */
	uint32_t same[4];		/* LP.INIT: (cpuid & same) as INIT saw it */
	uint8_t special;		/* enum tdxm_cpuid_special */
};

struct tdxm_cpuid_config {
	uint32_t leaf, subleaf;
	uint32_t direct[4], allow[4], clear[4], set[4];
	uint8_t check;			/* index into tdxm_cpuid_checks */
	uint64_t rd_leaf, rd_lo, rd_hi;
};

/* What is to be or-ed into a value of the baseline platform */
enum tdxm_term {
	TERM_NONE, TERM_APIC, TERM_APIC_EBX, TERM_SUB, TERM_PA_WIDTH, TERM_KEYIDS,
	TERM_SMRR_BASE, TERM_SMRR_MASK, TERM_SMRR2_BASE, TERM_SMRR2_MASK,
	TERM_SEAMRR_BASE, TERM_SEAMRR_MASK, TERM_TME_ACTIVATE,
};

#define SUB_ALL			0xfffffffeu	/* whatever the subleaf */
#define SUB_ELSE		0xfffffffdu	/* subleaves without a row of their own */

struct tdxm_base_cpuid {
	uint32_t leaf, subleaf;
	uint32_t value[4];
	uint8_t term[4];		/* enum tdxm_term */
};

struct tdxm_base_msr {
	uint32_t msr;
	uint8_t term;
	uint64_t value;
};

/* In the order of the CSV; the values come from metadata.c */
enum tdxm_field_name {
#define FIELD(name)	FIELD_##name,
#include "fields.h"
#undef FIELD
	NR_FIELDS
};

struct tdxm_field {
	uint64_t id;
	uint8_t bytes;			/* of an element: 1, 2, 4, 8 */
	uint16_t fields, elements;
};

struct tdxm_name {
	uint64_t value;
	const char *name;
};

struct tdxm_kind {
	const char *name;
	uint8_t major, minor, update;
	uint64_t features0;
};

#define NR_INIT_CHECKS		58
#define NR_LP_CHECKS		34
#define NR_CPUID_CHECKS		64
#define NR_CPUID_CONFIGS	12

extern const struct tdxm_check tdxm_init_checks[NR_INIT_CHECKS];
extern const struct tdxm_check tdxm_lp_checks[NR_LP_CHECKS];
extern const struct tdxm_cpuid_check tdxm_cpuid_checks[NR_CPUID_CHECKS];
extern const struct tdxm_cpuid_config tdxm_cpuid_configs[NR_CPUID_CONFIGS];
extern const struct tdxm_base_cpuid tdxm_base_cpuids[];
extern const struct tdxm_base_msr tdxm_base_msrs[];
extern const unsigned int tdxm_nr_base_cpuids, tdxm_nr_base_msrs;
extern const struct tdxm_field tdxm_fields[NR_FIELDS];
extern const struct tdxm_name tdxm_field_names[], tdxm_leaf_names[], tdxm_status_names[];
extern const struct tdxm_name tdxm_operand_names[];
extern const unsigned int tdxm_nr_field_names, tdxm_nr_leaf_names, tdxm_nr_status_names;
extern const unsigned int tdxm_nr_operand_names;
extern const struct tdxm_kind tdxm_kinds[];
extern const unsigned int tdxm_nr_kinds;

/* Leaves that have a rule of their own */
enum {
	LEAF_SYS_INFO = 32,
	LEAF_SYS_RD = 34,
	LEAF_SYS_TDMR_INIT = 36,
	LEAF_SYS_LP_SHUTDOWN = 44,
};

/* Status codes; details are or-ed in */
#define ST(x)				UINT64_C(x)
#define TDX_SUCCESS			ST(0)
#define TDX_INTERRUPTED_RESUMABLE	ST(0x8000000300000000)
#define TDX_OPERAND_INVALID		ST(0xC000010000000000)
#define TDX_OPERAND_ADDR_RANGE_ERROR	ST(0xC000010100000000)
#define TDX_OPERAND_BUSY		ST(0x8000020000000000)
#define TDX_SYS_BUSY			ST(0x8000020200000000)
#define TDX_RND_NO_ENTROPY		ST(0x8000020300000000)
#define TDX_PAGE_METADATA_INCORRECT	ST(0xC000030000000000)
#define TDX_TD_ASSOCIATED_PAGES_EXIST	ST(0xC000040000000000)
#define TDX_SYS_INIT_NOT_PENDING	ST(0xC000050000000000)
#define TDX_SYS_LP_INIT_NOT_DONE	ST(0xC000050200000000)
#define TDX_SYS_LP_INIT_DONE		ST(0xC000050300000000)
#define TDX_SYS_NOT_READY		ST(0xC000050500000000)
#define TDX_SYS_SHUTDOWN		ST(0xC000050600000000)
#define TDX_SYS_KEY_CONFIG_NOT_PENDING	ST(0xC000050700000000)
#define TDX_SYS_STATE_INCORRECT		ST(0xC000050800000000)
#define TDX_SYS_INVALID_HANDOFF		ST(0xC000050900000000)
#define TDX_SYS_LP_INIT_NOT_PENDING	ST(0xC000050B00000000)
#define TDX_SYS_CONFIG_NOT_PENDING	ST(0xC000050C00000000)
#define TDX_LIFECYCLE_STATE_INCORRECT	ST(0xC000060700000000)
#define TDX_TDCS_NOT_ALLOCATED		ST(0xC000060600000000)
#define TDX_OP_STATE_INCORRECT		ST(0xC000060800000000)
#define TDX_TDCX_NUM_INCORRECT		ST(0xC000061000000000)
#define TDX_KEY_GENERATION_FAILED	ST(0x8000080000000000)
#define TDX_TD_KEYS_NOT_CONFIGURED	ST(0x8000081000000000)
#define TDX_KEY_CONFIGURED		ST(0x0000081500000000)
#define TDX_WBCACHE_NOT_COMPLETE	ST(0x8000081700000000)
#define TDX_HKID_NOT_FREE		ST(0xC000082000000000)
#define TDX_NO_HKID_READY_TO_WBCACHE	ST(0x0000082100000000)
#define TDX_WBCACHE_RESUME_ERROR	ST(0xC000082300000000)
#define TDX_INCORRECT_CPUID_VALUE	ST(0xC000090000000000)
#define TDX_INCONSISTENT_CPUID_FIELD	ST(0xC000090200000000)
#define TDX_CPUID_LEAF_1F_FORMAT	ST(0xC000090400000000)
#define TDX_INVALID_WBINVD_SCOPE	ST(0xC000090500000000)
#define TDX_INVALID_PKG_ID		ST(0xC000090600000000)
#define TDX_CPUID_LEAF_NOT_SUPPORTED	ST(0xC000090800000000)
#define TDX_INVALID_SMRR_CONFIGURATION	ST(0xC000091100000000)
#define TDX_SMRR_OVERLAPS_CMR		ST(0xC000091200000000)
#define TDX_INVALID_TDMR		ST(0xC0000A0000000000)
#define TDX_NON_ORDERED_TDMR		ST(0xC0000A0100000000)
#define TDX_TDMR_OUTSIDE_CMRS		ST(0xC0000A0200000000)
#define TDX_TDMR_ALREADY_INITIALIZED	ST(0x00000A0300000000)
#define TDX_INVALID_PAMT		ST(0xC0000A1000000000)
#define TDX_PAMT_OUTSIDE_CMRS		ST(0xC0000A1100000000)
#define TDX_PAMT_OVERLAP		ST(0xC0000A1200000000)
#define TDX_INVALID_RESERVED_IN_TDMR	ST(0xC0000A2000000000)
#define TDX_NON_ORDERED_RESERVED	ST(0xC0000A2100000000)
#define TDX_METADATA_FIELD_ID_INCORRECT	ST(0xC0000C0000000000)
#define TDX_METADATA_FIRST_FIELD_ID	ST(0x00000C0B00000000)

#define TDX_ERROR			(UINT64_C(1) << 63)

/* Constants of what is reported, and of what it is about */
#define FIXED_VENDOR_ID		0x8086
#define FIXED_TDCS_SIZE		0x6000
#define PAMT_ENTRY_SIZE		16

/* Operand ids */
enum {
	OP_RAX = 0, OP_RCX = 1, OP_RDX = 2, OP_R8 = 8, OP_R9 = 9,
	OP_TDR = 128, OP_KOT = 186, OP_KET = 187, OP_WBCACHE = 188,
};

/* Sources of fatal errors, as the module reports them */
#define FATAL(source, code)		((uint64_t)(source) << 32 | (code))
#define FATAL_NO_CODE			FATAL(0xffffffffu, 0)
#define FATAL_VMX_CTLS			FATAL(0xb021, 0)
#define FATAL_CR0			FATAL(0xb021, 2)
#define FATAL_XSTATE			FATAL(0xb021, 5)
#define FATAL_TOPOLOGY			FATAL(0xb021, 8)
/* In RAX of a handler that ended the module; never seen outside */
#define TDX_FATAL			UINT64_MAX

/* Shared/exclusive lock without waiting: number of readers, -1: a writer */
struct tdxm_lock {
	int32_t v;
};

static inline bool lock_try_exclusive(struct tdxm_lock *l)
{
	int32_t none = 0;

	return __atomic_compare_exchange_n(&l->v, &none, -1, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline bool lock_try_shared(struct tdxm_lock *l)
{
	int32_t v = __atomic_load_n(&l->v, __ATOMIC_RELAXED);

	while (v >= 0)
		if (__atomic_compare_exchange_n(&l->v, &v, v + 1, true,
						__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return true;
	return false;
}

static inline void unlock_exclusive(struct tdxm_lock *l)
{
	__atomic_store_n(&l->v, 0, __ATOMIC_RELEASE);
}

static inline void unlock_shared(struct tdxm_lock *l)
{
	__atomic_fetch_sub(&l->v, 1, __ATOMIC_RELEASE);
}

/* PAMT: types of a page */
enum tdxm_page_type {
	PT_NDA = 0,		/* not directly assigned: free */
	PT_RSVD = 1,
	PT_REG = 3,
	PT_TDR = 4,
	PT_TDCX = 5,
	PT_TDVPR = 6,
	PT_SEPT = 8,
};

enum { LEVEL_4K, LEVEL_2M, LEVEL_1G, NR_LEVELS };

enum tdxm_lifecycle {
	TD_HKID_ASSIGNED,
	TD_KEYS_CONFIGURED,
	TD_BLOCKED,
	TD_TEARDOWN,
};

struct tdxm_td {
	uint8_t lifecycle;		/* enum tdxm_lifecycle */
	uint16_t keyid;
	uint32_t keyed_packages;
	uint32_t nr_tdcx;		/* ever added */
	uint32_t nr_children;		/* pages that belong to the TD now */
};

struct tdxm_page {
	struct tdxm_lock lock;
	uint8_t type;
	uint64_t owner;		/* PA of the TDR; stays behind after a reclaim */
	struct tdxm_td *td;	/* PT_TDR only */
};

#define CHUNK_SHIFT		21	/* metadata is allocated for 2 MiB at a time */
#define CHUNK_PAGES		(1u << (CHUNK_SHIFT - 12))

struct tdxm_chunk {
	struct tdxm_page page[CHUNK_PAGES];
};

/* The 512 chunks of a GiB */
struct tdxm_gb {
	struct tdxm_chunk *chunk[1u << (30 - CHUNK_SHIFT)];
};

struct tdxm_tdmr {
	uint64_t base, size;
	struct tdxm_range reserved[TDXM_MAX_RESERVED];	/* offsets from base */
	uint32_t nr_reserved;
	struct tdxm_range pamt[NR_LEVELS];
	struct tdxm_lock lock;
	uint64_t done;			/* bytes initialised */
	struct tdxm_gb **gb;		/* sparse, one pointer a GiB */
};

enum tdxm_hkid_state {
	HKID_FREE,
	HKID_ASSIGNED,
	HKID_FLUSHED,			/* caches have to be written back */
	HKID_RESERVED,			/* the module's own */
};

#define MAX_HKIDS	2048	/* INIT refuses platforms with more */

struct tdxm_hkid {
	uint8_t state;
	uint8_t wb_pending;		/* packages whose caches were not written back */
};

/* What INIT saw, and later answers are made of */
struct tdxm_sys {
	uint64_t same[NR_LP_CHECKS];	/* for the rows of kind CHECK_SAME */
	uint32_t cpuid[NR_CPUID_CHECKS][4];
	bool has_tsx_ctrl;
	uint64_t seamops;
	uint32_t xcr0_sup, xss_sup;
	uint32_t pkg_shift;
	uint32_t keyid_bits;
	uint32_t mktme_keyids, tdx_keyids;
	struct tdxm_range seamrr;
	uint32_t fms;
};

struct tdxm_lp {
	uint32_t inside;		/* a call runs */
	uint8_t initialized;
	uint8_t shut_down;		/* by LP.SHUTDOWN of module 1.0 */
	uint32_t package;		/* as CPUID said at LP.INIT */
	uint64_t rdrand_fail, rdseed_fail, intr_pending;
	uint64_t calls;
	uint64_t seamldr_calls;
	uint64_t leaf_calls[TDXM_MAX_LEAVES];
} __attribute__((aligned(64)));			/* no cache line has two LPs */

/* One package of the platform */
struct tdxm_package {
	struct tdxm_lock lock;		/* PCONFIG runs */
	uint32_t pconfig_fail;
	uint32_t pconfig_code;
};

/* One package as the module knows it, by CPUID's number */
struct tdxm_wb {
	struct tdxm_lock lock;
	bool interrupted;		/* CACHE.WB has to be resumed */
};

/*
 * Faults as they were armed at one time. A list is not changed but for its
 * counts, and kept until the model is freed: calls that look at it need no lock.
 */
struct tdxm_faults {
	struct tdxm_faults *older;
	uint32_t nr;
	struct {
		struct tdxm_fault fault;
		uint64_t seen;			/* calls that matched */
	} entry[];
};

/* Pages go back to the machine when the last call after a shutdown has ended */
enum tdxm_disown {
	DISOWN_NOT_YET,
	DISOWN_WANTED,
	DISOWN_DONE,
};

struct tdxm {
	struct tdxm_platform platform;
	struct tdxm_ops ops;
	void *opaque;
	void (*observer)(void *opaque, unsigned int lp, enum tdxm_event ev);
	void *observer_opaque;
	uint32_t num_lps, num_sockets;
	uint32_t keyid_bits, tdx_bits;		/* of the platform */

	uint32_t state;				/* enum tdxm_state */
	uint64_t fatal;
	uint32_t disown;			/* enum tdxm_disown */
	struct tdxm_lock global;
	struct tdxm_sys sys;
	uint32_t lps_initialized;

	uint32_t nr_tdmrs;
	struct tdxm_tdmr tdmr[TDXM_MAX_TDMRS];
	uint32_t nr_cmrs;			/* without the null ones, touching ones joined */
	struct tdxm_range cmr[TDXM_MAX_CMRS];

	uint32_t keyed_packages;		/* bit mask, by CPUID's number */
	struct tdxm_lock kot_lock;
	struct tdxm_hkid hkid[MAX_HKIDS];
	struct tdxm_wb wb[TDXM_MAX_PACKAGES];

	struct tdxm_lp *lp;
	void *lp_alloc;
	size_t lp_alloc_size;
	struct tdxm_package *package;

	struct tdxm_faults *faults;		/* NULL: none are armed */
	struct tdxm_faults *all_faults;		/* every list that ever was, for tdxm_free() */
	uint64_t faults_hit;
	uint64_t hostile;			/* state of the random numbers; 0: not hostile */

	struct tdxm_lock seamldr_lock;
};

/* One SEAMCALL under way */
struct tdxm_call {
	struct tdxm *m;
	struct tdxm_lp *lp;
	unsigned int n;			/* number of the LP */
	uint64_t in[TDXM_NR_REGS];
	uint64_t *r;			/* registers to answer in */
	bool tsx_off;			/* TSX_CTRL bit 1 is cleared for the duration */
};

typedef uint64_t (*tdxm_handler)(struct tdxm_call *c);

static inline enum tdxm_state get_state(const struct tdxm *m)
{
	return (enum tdxm_state)__atomic_load_n(&m->state, __ATOMIC_SEQ_CST);
}

static inline void set_state(struct tdxm *m, enum tdxm_state state)
{
	__atomic_store_n(&m->state, state, __ATOMIC_SEQ_CST);
}

/* False: LP.SHUTDOWN or a fatal error of another LP came in between */
static inline bool advance_state(struct tdxm *m, enum tdxm_state from, enum tdxm_state to)
{
	uint32_t state = from;

	return __atomic_compare_exchange_n(&m->state, &state, to, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

static inline void tdxm_event(const struct tdxm_call *c, enum tdxm_event ev)
{
	if (c->m->observer)
		c->m->observer(c->m->observer_opaque, c->n, ev);
	if (c->m->ops.event)
		c->m->ops.event(c->m->opaque, c->n, ev);
}

static inline void tdxm_page_owner(const struct tdxm *m, uint64_t pa, uint64_t size, bool owned,
				   enum tdxm_page_kind kind)
{
	if (m->ops.page_owner)
		m->ops.page_owner(m->opaque, pa, size, owned, kind);
}

static inline bool ranges_overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

/* dispatch.c */
uint64_t tdxm_stop(struct tdxm_call *c, uint64_t code);
void tdxm_latency(const struct tdxm_call *c);
void tdxm_read(const struct tdxm *m, uint64_t pa, void *buf, size_t len);
void tdxm_write(const struct tdxm *m, uint64_t pa, const void *buf, size_t len);
bool tdxm_pa_is_plain(const struct tdxm *m, uint64_t pa);
bool tdxm_shared_pa_ok(const struct tdxm *m, uint64_t pa, uint64_t align, uint64_t size);
uint64_t tdxm_keyid_mask(const struct tdxm *m);
bool tdxm_is_private_keyid(const struct tdxm *m, uint64_t keyid);

/* cpu.c */
void tdxm_cpu_init(struct tdxm *m);
uint64_t tdxm_cpu_msr(const struct tdxm *m, unsigned int lp, uint32_t msr);
void tdxm_cpu_cpuid(const struct tdxm *m, unsigned int lp, bool tsx_off, uint32_t leaf,
		    uint32_t subleaf, uint32_t regs[4]);
unsigned int tdxm_cpu_package(const struct tdxm *m, unsigned int lp);
bool tdxm_cpu_rdrand(struct tdxm_lp *lp);
bool tdxm_cpu_rdseed(struct tdxm_lp *lp);
bool tdxm_cpu_intr_pending(const struct tdxm_call *c);
uint32_t tdxm_cpu_pconfig(const struct tdxm_call *c);
uint32_t tdxm_table_fms(const struct tdxm *m, unsigned int entry);
uint32_t tdxm_platform_fms(const struct tdxm *m);

/* metadata.c */
bool tdxm_read_element(const struct tdxm *m, unsigned int field, unsigned int i, uint64_t *value);

/* config.c */
void tdxm_join_cmrs(struct tdxm *m);

/* tdmr.c */
bool tdxm_alloc_pamt(struct tdxm *m, uint32_t nr);
void tdxm_free_pamt(struct tdxm *m);
void tdxm_own_pamt(struct tdxm *m, const struct tdxm_tdmr *t, bool own);
void tdxm_disown_all(struct tdxm *m);
uint64_t tdxm_page_check(struct tdxm *m, uint64_t pa, uint32_t operand);
struct tdxm_page *tdxm_page_get(struct tdxm *m, uint64_t pa, bool make);
uint8_t tdxm_page_default_type(struct tdxm *m, uint64_t pa);

/* keys.c */
uint64_t tdxm_keyid_assign(struct tdxm *m, uint64_t keyid);
void tdxm_keyid_unassign(struct tdxm *m, uint64_t keyid);
uint64_t tdxm_td_key_config(struct tdxm_call *c, struct tdxm_td *td);
uint64_t tdxm_td_flush(struct tdxm *m, struct tdxm_td *td);
uint64_t tdxm_td_free_keyid(struct tdxm *m, struct tdxm_td *td);

/* td.c */
void tdxm_free_td(struct tdxm *m, struct tdxm_td *td);
void tdxm_disown_td_page(struct tdxm *m, const struct tdxm_page *page, uint64_t pa);

/* faults.c */
void tdxm_free_faults(struct tdxm *m);
bool tdxm_fault_strikes(struct tdxm *m, unsigned int lp, uint64_t rax, struct tdxm_fault *f);

/* hostile.c */
void tdxm_lie(struct tdxm_call *c);

/* seamldr.c */
enum tdxm_exit tdxm_seamldr(struct tdxm_call *c);

/* Handlers */
uint64_t tdxm_sys_init(struct tdxm_call *c);
uint64_t tdxm_sys_lp_init(struct tdxm_call *c);
uint64_t tdxm_sys_info(struct tdxm_call *c);
uint64_t tdxm_sys_rd(struct tdxm_call *c);
uint64_t tdxm_sys_rdall(struct tdxm_call *c);
uint64_t tdxm_sys_config(struct tdxm_call *c);
uint64_t tdxm_sys_key_config(struct tdxm_call *c);
uint64_t tdxm_sys_tdmr_init(struct tdxm_call *c);
uint64_t tdxm_sys_lp_shutdown(struct tdxm_call *c);
uint64_t tdxm_sys_shutdown(struct tdxm_call *c);
uint64_t tdxm_sys_update(struct tdxm_call *c);
uint64_t tdxm_phymem_page_rdmd(struct tdxm_call *c);
uint64_t tdxm_phymem_page_reclaim(struct tdxm_call *c);
uint64_t tdxm_phymem_page_wbinvd(struct tdxm_call *c);
uint64_t tdxm_phymem_cache_wb(struct tdxm_call *c);
uint64_t tdxm_mng_create(struct tdxm_call *c);
uint64_t tdxm_mng_addcx(struct tdxm_call *c);
uint64_t tdxm_mng_key_config(struct tdxm_call *c);
uint64_t tdxm_mng_key_freeid(struct tdxm_call *c);
uint64_t tdxm_mng_key_reclaimid(struct tdxm_call *c);
uint64_t tdxm_mng_vpflushdone(struct tdxm_call *c);
uint64_t tdxm_servtd_bind(struct tdxm_call *c);
uint64_t tdxm_td_in_rcx(struct tdxm_call *c);
uint64_t tdxm_vp_in_rcx(struct tdxm_call *c);
uint64_t tdxm_vp_in_rdx(struct tdxm_call *c);
uint64_t tdxm_td_in_rdx(struct tdxm_call *c);

#endif
