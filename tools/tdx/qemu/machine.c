/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine of the description: CPUs, KeyIDs, memory map, nodes.
 *
 * What QEMU builds comes from its command line (tools/tdx/tdx-boot writes
 * one that fits); what differs from the description is an error here, so
 * that the module and the kernel never see two different machines.
 */
#include "qemu/osdep.h"
#include <math.h>
#include "cpu.h"
#include "hw/acpi/aml-build.h"
#include "hw/boards.h"
#include "../../../../../hw/i386/e820_memory_layout.h"
#include "hw/i386/pc.h"
#include "hw/i386/x86.h"
#include "migration/blocker.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/timer.h"
#include "sysemu/cpu-timers.h"
#include "sysemu/numa.h"
#include "sysemu/tcg.h"
#include "internal.h"

#define PA_BITS     52              /* KeyIDs are at the top of these */
#define LOW_RAM     0xa0000         /* the BIOS needs it, whatever the description says */

/* SeaBIOS takes so many ranges and drops the others; some are its own */
#define BIOS_E820   32
#define BIOS_OWN    6

#define CPUID_CRYSTAL   0x15
#define CPUID_FREQUENCY 0x16
#define CRYSTAL_HZ      1000000000u /* QEMU's APIC timer counts nanoseconds */

/* The host's time stamp counter (it is the guest's too) and clock at one instant, nearly */
static void read_clocks(uint64_t *tsc, uint64_t *ns)
{
    uint64_t best = UINT64_MAX;
    int i;

    for (i = 0; i < 8; i++) {
        uint64_t before = cpu_get_host_ticks();
        uint64_t now = get_clock();
        uint64_t after = cpu_get_host_ticks();

        if (after - before < best) {
            best = after - before;
            *tsc = before + best / 2;
            *ns = now;
        }
    }
}

/*
 * CPUID 0x15: frequency of the TSC as a multiple of the APIC timer's. An OS
 * that knows them need not measure; on a busy host a measurement goes wrong,
 * and an APIC timer that is too fast by a factor stops a guest altogether.
 */
static struct {
    uint32_t numerator, denominator;
    uint32_t mhz;
} tsc;

void tdx_measure_tsc(void)
{
    uint64_t tsc0, tsc1, ns0, ns1;
    double ratio, error = 1;
    uint32_t i;

    read_clocks(&tsc0, &ns0);
    g_usleep(10000);
    read_clocks(&tsc1, &ns1);
    ratio = (double)(tsc1 - tsc0) / (ns1 - ns0);

    tsc.mhz = ratio * 1000 + 0.5;
    /* Linux multiplies kHz of the crystal by the numerator in 32 bits */
    for (i = 1; i * ratio < UINT32_MAX / (CRYSTAL_HZ / 1000); i++) {
        uint32_t n = i * ratio + 0.5;
        double e = fabs((double)n / i - ratio);

        if (n && e < error) {
            error = e;
            tsc.numerator = n;
            tsc.denominator = i;
        }
    }
}

bool tdx_cpuid(CPUX86State *env, uint32_t index, uint32_t *eax, uint32_t *ebx, uint32_t *ecx,
               uint32_t *edx)
{
    if (!tdx_platform) {
        return false;
    }
    if (icount_enabled()) {     /* the TSC counts nanoseconds, too */
        tsc.numerator = tsc.denominator = 1;
        tsc.mhz = 1000;
    }
    switch (index) {
    case CPUID_CRYSTAL:
        *eax = tsc.denominator;
        *ebx = tsc.numerator;
        *ecx = CRYSTAL_HZ;
        *edx = 0;
        return true;
    case CPUID_FREQUENCY:
        *eax = tsc.mhz;
        *ebx = tsc.mhz;
        *ecx = 100;
        *edx = 0;
        return true;
    default:
        return false;
    }
}

bool tdx_cpu_realize(X86CPU *cpu, Error **errp)
{
    CPUX86State *env = &cpu->env;
    const struct tdxm_platform *p;
    unsigned int bits;

    if (!tdx_platform) {
        return true;
    }
    if (env->cpuid_vendor1 != CPUID_VENDOR_INTEL_1) {
        error_setg(errp, "tdx-platform: the CPU is not Intel's; use vendor=GenuineIntel");
        return false;
    }
    p = &tdx_platform->machine->platform;
    env->features[FEAT_1_ECX] |= CPUID_EXT_VMX;
    env->features[FEAT_7_0_ECX] |= CPUID_7_0_ECX_TME | CPUID_7_0_ECX_MOVDIR64B;
    env->features[FEAT_7_0_EDX] |= CPUID_7_0_EDX_ARCH_CAPABILITIES;
    env->cpuid_level = MAX(env->cpuid_level, CPUID_FREQUENCY);
    env->cpuid_xlevel = MAX(env->cpuid_xlevel, 0x80000008);     /* address sizes */

    bits = tdxm_keyid_bits(tdx_platform->module);
    cpu->tdx_keyid_mask = bits ? MAKE_64BIT_MASK(PA_BITS - bits, bits) : 0;
    /*
     * Shared KeyIDs are 0 .. mktme_keyids. The others are distinguished by
     * single bits only if that is a power of two (as it is where a BIOS
     * splits KeyIDs); else no address is refused for its KeyID.
     */
    if (bits && is_power_of_2(p->mktme_keyids + 1)) {
        cpu->tdx_private_mask = cpu->tdx_keyid_mask &
                                ~(((uint64_t)p->mktme_keyids) << (PA_BITS - bits));
    }
    return true;
}

static G_NORETURN void G_GNUC_PRINTF(1, 2) misfit(const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    error_report("tdx-platform: %s: %s", tdx_platform->config, text);
    exit(1);
}

static void check_cpus(MachineState *ms)
{
    const struct tdxm_platform *p = &tdx_platform->machine->platform;
    X86CPU *cpu = X86_CPU(first_cpu);

    if (!tcg_enabled()) {
        misfit("the platform needs TCG; use -accel tcg");
    }
    if (ms->smp.cpus != p->lps) {
        misfit("\"lps\" is %u, but the machine has %u; use -smp %u,sockets=%u", p->lps,
               ms->smp.cpus, p->lps, p->packages);
    }
    if (p->lps % p->packages) {
        misfit("%u LPs cannot be spread evenly over %u packages, and QEMU builds no other machine",
               p->lps, p->packages);
    }
    if (ms->smp.max_cpus > TDX_MAX_CPUS(p->lps)) {
        misfit("there is room for %u CPUs to be plugged in; use -smp ...,maxcpus=", p->lps);
    }
    /* Those that are there at boot fill the first packages */
    if (ms->smp.sockets < p->packages || ms->smp.dies != 1 ||
        ms->smp.cores * ms->smp.threads != p->lps / p->packages) {
        misfit("\"packages\" is %u, but the machine has %u sockets with %u dies each; "
               "use -smp %u,sockets=%u", p->packages, ms->smp.sockets, ms->smp.dies, p->lps,
               p->packages);
    }
    if (cpu->phys_bits != p->pa_width) {
        misfit("\"pa_width\" is %u, but the CPUs have %u; use -cpu ...,phys-bits=%u", p->pa_width,
               cpu->phys_bits, p->pa_width);
    }
    if (tdx_platform->machine->nodes > 1 &&
        ms->numa_state->num_nodes != tdx_platform->machine->nodes) {
        misfit("\"nodes\" is %u, but the machine has %d; use -numa node,nodeid=N",
               tdx_platform->machine->nodes, ms->numa_state->num_nodes);
    }
}

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
    return a_size && b_size && a < b + b_size && b < a + a_size;
}

static const char *const type_name[] = {
    [TDX_MEM_RAM] = "ram",
    [TDX_MEM_RESERVED] = "reserved",
    [TDX_MEM_ACPI] = "acpi",
    [TDX_MEM_NVS] = "nvs",
    [TDX_MEM_HOTPLUG] = "hotplug",
};

static void check_entry(X86MachineState *x86ms, unsigned int i)
{
    const struct tdxm_platform *p = &tdx_platform->machine->platform;
    const struct tdx_mem *mem = &tdx_platform->machine->memory[i];
    uint64_t end = mem->base + mem->size;
    uint64_t high = x86ms->above_4g_mem_start;
    uint64_t limit = 1ULL << (PA_BITS - tdxm_keyid_bits(tdx_platform->module));

    if (end > limit) {
        misfit("memory[%u]: [0x%" PRIx64 ", 0x%" PRIx64 ") reaches into the KeyID bits, "
               "which begin at 0x%" PRIx64, i, mem->base, end, limit);
    }
    if (mem->type != TDX_MEM_RESERVED && p->seamrr_supported && p->seamrr_enabled &&
        overlap(mem->base, mem->size, p->seamrr.base, p->seamrr.size)) {
        misfit("memory[%u]: [0x%" PRIx64 ", 0x%" PRIx64 ") (%s) overlaps SEAMRR [0x%" PRIx64
               ", 0x%" PRIx64 ")", i, mem->base, end, type_name[mem->type], p->seamrr.base,
               p->seamrr.base + p->seamrr.size);
    }
    if (mem->type == TDX_MEM_RESERVED || mem->type == TDX_MEM_HOTPLUG) {
        return;
    }
    if (end <= x86ms->below_4g_mem_size ||
        (mem->base >= high && end <= high + x86ms->above_4g_mem_size)) {
        return;
    }
    misfit("memory[%u]: there is no memory behind [0x%" PRIx64 ", 0x%" PRIx64 ") (%s): "
           "the machine has [0, 0x%" PRIx64 ") and [0x%" PRIx64 ", 0x%" PRIx64 "); "
           "use -m and -machine max-ram-below-4g=", i, mem->base, end, type_name[mem->type],
           (uint64_t)x86ms->below_4g_mem_size, high, high + (uint64_t)x86ms->above_4g_mem_size);
}

/* Ranges that the BIOS makes of the description, which touching ones of a kind become */
static unsigned int count_e820(const struct tdx_machine *machine, bool reserved)
{
    const struct tdx_mem *mem, *last = NULL;
    unsigned int i, nr = 0;

    for (i = 0; i < machine->nr_memory; i++) {
        mem = &machine->memory[i];
        if (mem->type == TDX_MEM_HOTPLUG || (mem->type != TDX_MEM_RAM && !reserved)) {
            continue;
        }
        nr += !last || last->base + last->size != mem->base ||
              (last->type == TDX_MEM_RAM) != (mem->type == TDX_MEM_RAM);
        last = mem;
    }
    return nr;
}

static void add_e820(const struct tdx_machine *machine)
{
    bool reserved = count_e820(machine, true) <= BIOS_E820 - BIOS_OWN;
    unsigned int i, nr = count_e820(machine, false);

    if (!reserved && nr > BIOS_E820 - BIOS_OWN) {
        misfit("the memory has %u ranges of RAM, and the BIOS has room for %u", nr,
               BIOS_E820 - BIOS_OWN);
    }
    for (i = 0; i < machine->nr_memory; i++) {
        const struct tdx_mem *mem = &machine->memory[i];

        /*
         * SeaBIOS drops ACPI and NVS entries. Reserved tells the OS what it has to
         * know: no RAM. So does no entry at all, if there are too many.
         */
        if (mem->type == TDX_MEM_RAM) {
            e820_add_entry(mem->base, mem->size, E820_RAM);
        } else if (mem->type != TDX_MEM_HOTPLUG && reserved) {
            e820_add_entry(mem->base, mem->size, E820_RESERVED);
        }
    }
}

bool tdx_machine_memory(X86MachineState *x86ms)
{
    const struct tdx_machine *machine;
    Error *blocker = NULL;
    bool low = false;
    unsigned int i;

    if (!tdx_platform) {
        return false;
    }
    machine = tdx_platform->machine;
    check_cpus(MACHINE(x86ms));
    for (i = 0; i < machine->nr_memory; i++) {
        check_entry(x86ms, i);
        low |= machine->memory[i].base < LOW_RAM;
    }
    if (!low) {
        e820_add_entry(0, LOW_RAM, E820_RAM);
    }
    add_e820(machine);

    tdx_test_start(tdx_platform);
    error_setg(&blocker, "tdx-platform: the state of the TDX module cannot be migrated");
    migrate_add_blocker(blocker, &error_fatal);
    return true;
}

/*
 * At the end of the largest range of RAM: the BIOS has its tables at the end of
 * the highest one. QEMU has an int for what is above it.
 */
int tdx_initrd_gap(X86MachineState *x86ms, int without)
{
    const struct tdx_mem *mem, *best = NULL;
    unsigned int i;

    for (i = 0; tdx_platform && i < tdx_platform->machine->nr_memory; i++) {
        mem = &tdx_platform->machine->memory[i];
        if (mem->type == TDX_MEM_RAM && mem->base < x86ms->below_4g_mem_size &&
            x86ms->below_4g_mem_size - (mem->base + mem->size) < INT_MAX - without &&
            (!best || mem->size > best->size)) {
            best = mem;
        }
    }
    return best ? x86ms->below_4g_mem_size - (best->base + best->size) + without : without;
}

bool tdx_build_srat_memory(GArray *table_data)
{
    const struct tdx_machine *machine;
    bool low = false;
    unsigned int i;

    if (!tdx_platform || tdx_platform->machine->nodes < 2) {
        return false;
    }
    machine = tdx_platform->machine;
    for (i = 0; i < machine->nr_memory; i++) {
        low |= machine->memory[i].base < LOW_RAM;
    }
    if (!low) {
        build_srat_memory(table_data, 0, LOW_RAM, machine->memory[0].node, MEM_AFFINITY_ENABLED);
    }
    for (i = 0; i < machine->nr_memory; i++) {
        const struct tdx_mem *mem = &machine->memory[i];

        if (mem->type == TDX_MEM_RESERVED) {
            continue;
        }
        build_srat_memory(table_data, mem->base, mem->size, mem->node,
                          MEM_AFFINITY_ENABLED |
                          (mem->type == TDX_MEM_HOTPLUG ? MEM_AFFINITY_HOTPLUGGABLE : 0));
    }
    return true;
}
