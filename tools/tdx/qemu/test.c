/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The test interface: what a test inside the machine tells the platform.
 *
 * It is there if the description says "test_interface": true, and lets one boot
 * do what would take thousands. Two ports, a byte wide:
 *
 *   0x7d0  write: a command, character by character, ends with a newline
 *          read:  the answer, character by character; 0 behind the last one
 *   0x7d1  read:  1: the answer is there; 0: not yet
 *
 * Commands:
 *
 *   faults LIST    answer SEAMCALLs so from now on; LIST is JSON, as the member
 *                  "faults" of the description; [] for none
 *   hostile SEED   nonsense in place of what the module reports; 0: the truth
 *   reset          the BIOS loads the module anew. What is the module's by then
 *                  is the host's afterwards. No fault is armed but those of the
 *                  description.
 *   poison ADDRESS loads of this line of memory raise #MC, data load, on every CPU
 *   corrected ADDRESS  CPU 0 has a corrected error of this line in a bank
 *   td ADDRESS     the page becomes the root of a TD (TDH.MNG.CREATE), with the
 *                  second TDX KeyID
 *   plug           plug a CPU in, where -smp ...,maxcpus= has left room; it comes
 *                  a little later
 *   state          what the module is doing
 *
 * The answer is "ok", "ok NAME=VALUE..." to "state", or "error: WHY".
 *
 * Commands are carried out while all vCPUs are stopped. SEAMCALLs that wait
 * (latency of the description) may be under way then: "reset" and "td" refuse.
 */
#include "qemu/osdep.h"
#include "cpu.h"
#include "exec/address-spaces.h"
#include "exec/memory.h"
#include "hw/boards.h"
#include "hw/core/cpu.h"
#include "qapi/error.h"
#include "hw/qdev-core.h"
#include "hw/qdev-properties.h"
#include "qemu/cutils.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "internal.h"

#define TEST_PORT       0x7d0
#define TEST_PORTS      2
#define MAX_COMMAND     65536

static struct {
    MemoryRegion io;
    GString *command;
    GString *answer;
    size_t next;        /* of the answer */
    bool done;          /* the answer is there */
} test;

static void cmd_faults(TdxPlatform *tdx, const char *list)
{
    struct tdxm_fault faults[TDXM_MAX_FAULTS];
    unsigned int nr;
    char *why = NULL;

    if (!tdx_faults_parse(list, strlen(list), "faults", faults, &nr, &why)) {
        g_string_printf(test.answer, "error: %s", why ? why : "cannot read the list");
        free(why);
    } else if (!tdxm_set_faults(tdx->module, faults, nr)) {
        g_string_assign(test.answer, "error: out of memory");
    }
}

static void cmd_hostile(TdxPlatform *tdx, const char *arg)
{
    uint64_t seed;

    if (qemu_strtou64(arg, NULL, 0, &seed)) {
        g_string_printf(test.answer, "error: \"%s\" is not a number", arg);
        return;
    }
    tdxm_set_hostile(tdx->module, seed);
}

static void cmd_reset(TdxPlatform *tdx, const char *unused)
{
    struct tdxm *old = tdx->module;
    Error *err = NULL;

    if (qatomic_read(&tdx->in_call)) {
        g_string_assign(test.answer, "error: a SEAMCALL is under way");
        return;
    }
    if (!tdx_module_start(tdx, &err)) {
        g_string_printf(test.answer, "error: %s", error_get_pretty(err));
        error_free(err);
        return;
    }
    tdx_check_module_reset();
    tdxm_free(old);
}

static void cmd_poison(TdxPlatform *tdx, const char *arg)
{
    uint64_t pa;

    if (!tdx->machine->checker) {
        g_string_assign(test.answer, "error: \"checker\" is false, and it is what raises #MC");
        return;
    }
    if (qemu_strtou64(arg, NULL, 0, &pa) || !tdx_check_poison(pa)) {
        g_string_printf(test.answer, "error: \"%s\" is no address of memory", arg);
    }
}

static void cmd_corrected(TdxPlatform *tdx, const char *arg)
{
    uint64_t pa;

    if (qemu_strtou64(arg, NULL, 0, &pa)) {
        g_string_printf(test.answer, "error: \"%s\" is no address", arg);
        return;
    }
    tdx_check_corrected(pa);
}

static void cmd_td(TdxPlatform *tdx, const char *arg)
{
    uint64_t gpr[16] = { [TDXM_RAX] = 9 /* MNG.CREATE */ };

    /* It is LP 0 that calls, and an LP makes one call at a time */
    if (qatomic_read(&tdx->in_call)) {
        g_string_assign(test.answer, "error: a SEAMCALL is under way");
        return;
    }
    if (qemu_strtou64(arg, NULL, 0, &gpr[TDXM_RCX])) {
        g_string_printf(test.answer, "error: \"%s\" is no address", arg);
        return;
    }
    gpr[TDXM_RDX] = tdx->machine->platform.mktme_keyids + 2;
    if (tdxm_seamcall(tdx->module, 0, gpr) != TDXM_DONE || gpr[TDXM_RAX]) {
        g_string_printf(test.answer, "error: TDH.MNG.CREATE: 0x%" PRIx64, gpr[TDXM_RAX]);
    }
}

static void plug_cpu(void *unused)
{
    MachineState *ms = MACHINE(qdev_get_machine());
    const CPUArchIdList *slots = MACHINE_GET_CLASS(ms)->possible_cpu_arch_ids(ms);
    Error *err = NULL;
    DeviceState *cpu;
    int i = 0;

    while (i < slots->len && slots->cpus[i].cpu) {
        i++;
    }
    if (i == slots->len) {
        error_report("tdx-platform: no room for another CPU");
        return;
    }
    cpu = qdev_new(ms->cpu_type);
    qdev_prop_set_uint32(cpu, "apic-id", slots->cpus[i].arch_id);
    if (!qdev_realize_and_unref(cpu, NULL, &err)) {
        error_reportf_err(err, "tdx-platform: no other CPU: ");
    }
}

static void cmd_plug(TdxPlatform *tdx, const char *unused)
{
    aio_bh_schedule_oneshot(qemu_get_aio_context(), plug_cpu, NULL);
}

static void cmd_state(TdxPlatform *tdx, const char *unused)
{
    g_string_printf(test.answer, "ok state=%s calls=%" PRIu64 " faults_hit=%" PRIu64
                    " findings=%" PRIu64 " pages=%" PRIu64,
                    tdxm_state_name(tdxm_state(tdx->module)), tdx_total_calls(tdx),
                    tdxm_faults_hit(tdx->module), qatomic_read(&tdx->findings),
                    tdx_check_module_pages());
}

static const struct {
    const char *name;
    void (*run)(TdxPlatform *tdx, const char *arg);
} commands[] = {
    { "faults ", cmd_faults },
    { "hostile ", cmd_hostile },
    { "reset", cmd_reset },
    { "poison ", cmd_poison },
    { "corrected ", cmd_corrected },
    { "td ", cmd_td },
    { "plug", cmd_plug },
    { "state", cmd_state },
};

/* All vCPUs are stopped */
static void carry_out(CPUState *cs, run_on_cpu_data unused)
{
    const char *arg;
    unsigned int i;

    g_string_assign(test.answer, "ok");
    for (i = 0; i < ARRAY_SIZE(commands); i++) {
        if (strstart(test.command->str, commands[i].name, &arg)) {
            commands[i].run(tdx_platform, arg);
            break;
        }
    }
    if (i == ARRAY_SIZE(commands)) {
        g_string_printf(test.answer, "error: unknown command \"%.40s\"", test.command->str);
    }
    g_string_truncate(test.command, 0);
    test.next = 0;
    qatomic_store_release(&test.done, true);
}

static void test_write(void *opaque, hwaddr port, uint64_t val, unsigned int size)
{
    if (port) {
        return;
    }
    if (val != '\n') {
        if (test.command->len < MAX_COMMAND) {
            g_string_append_c(test.command, val);
        }
        return;
    }
    qatomic_set(&test.done, false);
    async_safe_run_on_cpu(current_cpu, carry_out, RUN_ON_CPU_NULL);
}

static uint64_t test_read(void *opaque, hwaddr port, unsigned int size)
{
    bool done = qatomic_load_acquire(&test.done);

    if (port) {
        return done;
    }
    return done && test.next < test.answer->len ? (uint8_t)test.answer->str[test.next++] : 0;
}

static const MemoryRegionOps test_ops = {
    .read = test_read,
    .write = test_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .impl = { .min_access_size = 1, .max_access_size = 1 },
    .valid = { .min_access_size = 1, .max_access_size = 1 },
};

void tdx_test_start(TdxPlatform *tdx)
{
    if (!tdx->machine->test_interface) {
        return;
    }
    test.command = g_string_new(NULL);
    test.answer = g_string_new(NULL);
    memory_region_init_io(&test.io, OBJECT(tdx), &test_ops, tdx, "tdx-test", TEST_PORTS);
    memory_region_add_subregion(get_system_io(), TEST_PORT, &test.io);
}
