/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SEAMCALL, and the machine as the TDX module sees it.
 *
 * The instruction runs in its vCPU's thread without the big QEMU lock, on any
 * number of vCPUs at once; what excludes what is the module's business. A
 * call that waits (latency of the description) leaves the set of running
 * vCPUs while it does: other vCPUs may then run exclusive sections (TLB
 * flushes, TB flushes), so the translated code that called may be gone when
 * the wait is over. Such a call ends by leaving to the main loop.
 */
#include "qemu/osdep.h"
#include <sys/prctl.h>
#include "cpu.h"
#include "exec/address-spaces.h"
#include "exec/exec-all.h"
#include "exec/helper-proto.h"
#include "hw/core/cpu.h"
#include "qemu/error-report.h"
#include "qemu/rcu.h"
#include "qemu/timer.h"
#include "sysemu/cpu-timers.h"
#include "sysemu/runstate.h"
#include "tcg/helper-tcg.h"
#include "internal.h"
#include "vmx.h"

/* This vCPU thread has waited in the SEAMCALL that it is making */
static __thread bool waited;

static void *seam_alloc(void *opaque, size_t size)
{
    return g_try_malloc0(size);
}

static void seam_free(void *opaque, void *p, size_t size)
{
    g_free(p);
}

/* RAM only: MMIO, ROM and holes are not memory for the module */
static bool is_ram(hwaddr pa, hwaddr len)
{
    RCU_READ_LOCK_GUARD();

    while (len) {
        hwaddr xlat, part = len;
        MemoryRegion *mr = address_space_translate(&address_space_memory, pa, &xlat, &part, true,
                                                   MEMTXATTRS_UNSPECIFIED);

        if (!memory_access_is_direct(mr, true)) {
            return false;
        }
        pa += part;
        len -= part;
    }
    return true;
}

static bool seam_mem_read(void *opaque, uint64_t pa, void *buf, size_t len)
{
    TdxPlatform *tdx = opaque;

    if (!is_ram(pa, len)) {
        return false;
    }
    address_space_read(&address_space_memory, pa, MEMTXATTRS_UNSPECIFIED, buf, len);
    tdx_trace_mem_read(tdx->trace, pa, buf, len);
    return true;
}

static bool seam_mem_write(void *opaque, uint64_t pa, const void *buf, size_t len)
{
    TdxPlatform *tdx = opaque;

    if (!is_ram(pa, len)) {
        return false;
    }
    address_space_write(&address_space_memory, pa, MEMTXATTRS_UNSPECIFIED, buf, len);
    tdx_trace_mem_write(tdx->trace, pa, buf, len);
    return true;
}

static bool seam_intr_pending(void *opaque, unsigned int lp)
{
    const int mask = CPU_INTERRUPT_HARD | CPU_INTERRUPT_NMI | CPU_INTERRUPT_SMI |
                     CPU_INTERRUPT_POLL;

    return qatomic_read(&current_cpu->interrupt_request) & mask;
}

/*
 * Waits up to this, by the host's clock, are added up: a host wakes threads
 * late, the later the more there are.
 */
#define SHORTEST_WAIT_NS    INT64_C(1000000)

/*
 * Wait without burning the host's CPU and without a lock. The vCPU counts as
 * stopped meanwhile, and is in no RCU read-side section.
 *
 * A wait that took longer than it should makes the next ones shorter, so that
 * the time of many calls is right, whatever the host's timers are like; up to
 * 1 ms of the machine's time, for the host may have stopped QEMU.
 */
static void seam_delay(void *opaque, unsigned int lp, uint64_t ns)
{
    static __thread bool slack_set;
    static __thread int64_t due;
    CPUState *cs = current_cpu;
    bool leave = !cpu_in_exclusive_context(cs);
    struct timespec begin, now, until;

    due += ns * cpu_slow_clock;
    if (due < SHORTEST_WAIT_NS) {
        return;
    }
    if (!slack_set) {
        prctl(PR_SET_TIMERSLACK, 1);    /* the default makes every wait 50 us longer */
        slack_set = true;
    }
    clock_gettime(CLOCK_MONOTONIC, &begin);
    now = begin;
    until.tv_sec = now.tv_sec + (now.tv_nsec + due) / 1000000000;
    until.tv_nsec = (now.tv_nsec + due) % 1000000000;

    if (leave) {
        waited = true;
        cpu_exec_end(cs);
        rcu_read_unlock();
    }
    /* In slices: QEMU may want to stop the vCPU, and then the wait is cut short */
    while (!qatomic_read(&cs->stop)) {
        struct timespec slice = now;

        slice.tv_nsec += 20 * 1000000;
        if (slice.tv_nsec >= 1000000000) {
            slice.tv_sec++;
            slice.tv_nsec -= 1000000000;
        }
        if (slice.tv_sec > until.tv_sec ||
            (slice.tv_sec == until.tv_sec && slice.tv_nsec >= until.tv_nsec)) {
            while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
                /* the signal that kicks vCPUs */
            }
            break;
        }
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &slice, NULL) == EINTR) {
            /* the same */
        }
        now = slice;
    }
    if (leave) {
        rcu_read_lock();
        cpu_exec_start(cs);
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    due -= (now.tv_sec - begin.tv_sec) * INT64_C(1000000000) + now.tv_nsec - begin.tv_nsec;
    due = MAX(due, -SHORTEST_WAIT_NS * cpu_slow_clock);
}

struct tdxm_ops tdx_seam_ops = {
    .alloc = seam_alloc,
    .free = seam_free,
    .mem_read = seam_mem_read,
    .mem_write = seam_mem_write,
    .delay = seam_delay,
    .intr_pending = seam_intr_pending,
};

/*
 * The module stopped itself. The CPU it ran on goes into a shutdown that
 * neither INIT nor NMI ends; what resets a machine then is its chipset.
 */
static G_NORETURN void seam_shutdown(CPUX86State *env)
{
    CPUState *cs = env_cpu(env);
    uint64_t code = tdxm_fatal_code(tdx_platform->module);

    error_report("tdx-platform: LP %u: the TDX module stopped with a fatal error (%x.%x) in "
                 "SEAMCALL leaf %" PRIu64 "; the machine is reset", tdx_lp(env),
                 (uint32_t)(code >> 32), (uint32_t)code, (uint64_t)env->regs[R_EAX]);
    qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    cs->halted = 1;
    cs->exception_index = EXCP_HLT;
    cpu_loop_exit(cs);
}

static struct tdx_leaf_time *leaf_time(TdxPlatform *tdx, unsigned int lp, uint64_t leaf)
{
    if (leaf & TDXM_SEAMLDR) {
        return &tdx->times[lp][TDX_TIME_SEAMLDR];
    }
    return &tdx->times[lp][leaf < TDXM_MAX_LEAVES ? leaf : TDX_TIME_OTHER];
}

static enum tdxm_exit seam_enter(TdxPlatform *tdx, CPUX86State *env)
{
    uint64_t *gpr = (uint64_t *)env->regs;
    uint64_t leaf = gpr[TDXM_RAX] & (TDXM_SEAMLDR | 0xffff);
    struct tdx_leaf_time *time;
    enum tdxm_exit ret;

    if (!tdx_lp_known(env)) {
        tdx_check_stranger(env);
        return TDXM_VMFAIL_INVALID;
    }
    time = leaf_time(tdx, tdx_lp(env), leaf);
    tdx_check_begin(env);
    if (unlikely(!time->first)) {
        qatomic_set(&time->first, get_clock());
    }
    if (likely(!tdx->trace && !tdx->machine->test_interface)) {
        ret = tdxm_seamcall(tdx->module, tdx_lp(env), gpr);
    } else {
        qatomic_inc(&tdx->in_call);
        ret = tdx_trace_seamcall(qatomic_mb_read(&tdx->closed) ? NULL : tdx->trace, tdx->module,
                                 tdx_lp(env), gpr);
        qatomic_dec(&tdx->in_call);
    }
    qatomic_set(&time->last, get_clock());
    tdx_check_end(env, leaf, ret == TDXM_DONE);
    return ret;
}

void helper_seamcall(CPUX86State *env, uint32_t insn_len)
{
    TdxPlatform *tdx = tdx_platform;
    bool seamldr = env->regs[R_EAX] & TDXM_SEAMLDR;
    uint32_t flags = 0;

    if (!env->vmx_root || (env->hflags & HF_SMM_MASK) || !tdx_seamrr_supported(env)) {
        raise_exception(env, EXCP06_ILLOP);
    }
    if ((env->hflags & HF_CPL_MASK) || !tdx_seamrr_enabled(env)) {
        raise_exception_err(env, EXCP0D_GPF, 0);
    }

    waited = false;
    switch (seam_enter(tdx, env)) {
    case TDXM_DONE:
        /* SEAMRET of P-SEAMLDR, on a CPU without bit 60 of IA32_VMX_BASIC */
        if (seamldr) {
            env->vmx_vmcs_ptr = VMCS_NONE;
        }
        break;
    case TDXM_VMFAIL_INVALID:
        flags = CC_C;
        break;
    case TDXM_GP:
        raise_exception_err(env, EXCP0D_GPF, 0);
    case TDXM_UD:
        raise_exception(env, EXCP06_ILLOP);
    case TDXM_FATAL:
        seam_shutdown(env);
    }
    vmx_set_flags(env, flags);
    if (unlikely(waited)) {
        env->cc_op = CC_OP_EFLAGS;
        env->eip += insn_len;
        env->hflags &= ~HF_INHIBIT_IRQ_MASK;
        cpu_loop_exit_noexc(env_cpu(env));
    }
}
