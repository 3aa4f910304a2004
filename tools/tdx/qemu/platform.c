/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -object tdx-platform,id=ID,config=FILE[,trace=FILE][,stats=FILE]
 *         [,findings=FILE][,vmlinux=FILE][,mark=FUNCTION][,slow-clock=N]
 *
 * Reads the description of a platform, starts the TDX module on it, and says
 * at the end what was seen.
 */
#include "qemu/osdep.h"
#include <jansson.h>
#include "exec/cpu-common.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "qemu/error-report.h"
#include "qemu/module.h"
#include "qom/object_interfaces.h"
#include "sysemu/cpu-timers.h"
#include "sysemu/reset.h"
#include "sysemu/sysemu.h"
#include "internal.h"

TdxPlatform *tdx_platform;

uint64_t tdx_total_calls(const TdxPlatform *tdx)
{
    uint64_t sum = 0;
    unsigned int lp;

    for (lp = 0; lp < tdx->machine->platform.lps; lp++) {
        sum += tdxm_stat_lp_calls(tdx->module, lp);
    }
    return sum;
}

static bool open_trace(TdxPlatform *tdx, Error **errp)
{
    g_autofree char *name = NULL;
    char *why = NULL;

    if (!tdx->trace_file) {
        return true;
    }
    /* One scenario starts with a fresh module, so each boot has a file of its own */
    name = tdx->boot ? g_strdup_printf("%s.%u", tdx->trace_file, tdx->boot)
                     : g_strdup(tdx->trace_file);
    tdx->trace = tdx_trace_open(name, tdx->machine, "boot", &why);
    if (!tdx->trace) {
        error_setg(errp, "%s", why ? why : "cannot write the trace");
        free(why);
        return false;
    }
    return true;
}

static void close_trace(TdxPlatform *tdx)
{
    if (tdx->trace && !tdx_trace_close(tdx->trace)) {
        error_report("tdx-platform: %s: the trace is not complete: %s", tdx->trace_file,
                     strerror(errno));
    }
    tdx->trace = NULL;
}

bool tdx_module_start(TdxPlatform *tdx, Error **errp)
{
    struct tdxm *module = tdxm_new(&tdx->machine->platform, &tdx_seam_ops, tdx);

    if (!module) {
        error_setg(errp, "%s: no TDX module can be made for this platform", tdx->config);
        return false;
    }
    tdx->module = module;
    g_free(tdx->times);
    tdx->times = g_malloc0_n(tdx->machine->platform.lps, sizeof(*tdx->times));
    return open_trace(tdx, errp);
}

/* All vCPUs are stopped. The BIOS loads the module anew. */
static void platform_reset(void *opaque)
{
    TdxPlatform *tdx = opaque;
    struct tdxm *old = tdx->module;

    if (!tdx_total_calls(tdx) && !tdxm_stat_seamldr_calls(tdx->module)) {
        return;
    }
    tdx_check_reset("reset");
    tdx_check_clear();
    close_trace(tdx);
    tdx->boot++;
    tdx_module_start(tdx, &error_fatal);
    tdxm_free(old);
}

/* ns of the machine's time since the platform was made */
static json_t *time_json(const TdxPlatform *tdx, const struct tdx_leaf_time *time)
{
    int64_t start = tdx->start_us * 1000;
    json_t *t = json_object();

    json_object_set_new(t, "first_ns", json_integer((time->first - start) / cpu_slow_clock));
    json_object_set_new(t, "last_ns", json_integer((time->last - start) / cpu_slow_clock));
    return t;
}

/* When LPs, all together, called a leaf */
static void add_leaf_time(json_t *times, const TdxPlatform *tdx, const char *name,
                          unsigned int index, uint64_t calls)
{
    struct tdx_leaf_time time = { .first = INT64_MAX };
    unsigned int lp;
    json_t *t;

    for (lp = 0; lp < tdx->machine->platform.lps; lp++) {
        struct tdx_leaf_time *of_lp = &tdx->times[lp][index];
        int64_t began = qatomic_read(&of_lp->first);

        if (began) {
            time.first = MIN(time.first, began);
            time.last = MAX(time.last, qatomic_read(&of_lp->last));
        }
    }
    if (!time.last) {
        return;
    }
    t = time_json(tdx, &time);
    json_object_set_new(t, "calls", json_integer(calls));
    json_object_set_new(times, name, t);
}

static json_t *stats(const TdxPlatform *tdx)
{
    const struct tdxm_platform *p = &tdx->machine->platform;
    json_t *root = json_object(), *leaves = json_object(), *lps = json_array();
    json_t *packages = json_array(), *tdmrs = json_array(), *times = json_object();
    uint64_t seamldr_calls = tdxm_stat_seamldr_calls(tdx->module);
    struct tdxm_tdmr_info tdmr;
    unsigned int i, level;

    for (i = 0; i < TDXM_MAX_LEAVES; i++) {
        uint64_t calls = tdxm_stat_leaf_calls(tdx->module, i);
        const char *name = tdxm_leaf_name(i);
        g_autofree char *number = name ? NULL : g_strdup_printf("%u", i);

        if (calls) {
            json_object_set_new(leaves, name ? name : number, json_integer(calls));
            add_leaf_time(times, tdx, name ? name : number, i, calls);
        }
    }
    if (seamldr_calls) {
        add_leaf_time(times, tdx, "SEAMLDR", TDX_TIME_SEAMLDR, seamldr_calls);
    }
    for (i = 0; i < p->lps; i++) {
        json_t *lp = json_object();

        json_object_set_new(lp, "calls", json_integer(tdxm_stat_lp_calls(tdx->module, i)));
        json_object_set_new(lp, "initialized", json_boolean(tdxm_lp_initialized(tdx->module, i)));
        json_array_append_new(lps, lp);
    }
    for (i = 0; i < p->packages; i++) {
        json_array_append_new(packages, json_boolean(tdxm_package_has_key(tdx->module, i)));
    }
    for (i = 0; tdxm_tdmr(tdx->module, i, &tdmr); i++) {
        uint64_t pamt = 0;
        json_t *t = json_object();

        for (level = 0; level < 3; level++) {
            pamt += tdmr.pamt[level].size;
        }
        json_object_set_new(t, "base", json_integer(tdmr.base));
        json_object_set_new(t, "size", json_integer(tdmr.size));
        json_object_set_new(t, "pamt_size", json_integer(pamt));
        json_object_set_new(t, "initialized", json_integer(tdmr.initialized));
        json_array_append_new(tdmrs, t);
    }

    json_object_set_new(root, "platform", json_string(tdx->machine->name));
    json_object_set_new(root, "module", json_string(tdx->machine->module_kind));
    json_object_set_new(root, "state", json_string(tdxm_state_name(tdxm_state(tdx->module))));
    json_object_set_new(root, "boots", json_integer(tdx->boot + 1));
    json_object_set_new(root, "seconds",
                        json_real((g_get_monotonic_time() - tdx->start_us) / 1e6));
    json_object_set_new(root, "seamcalls", leaves);
    json_object_set_new(root, "seamldr_calls", json_integer(seamldr_calls));
    json_object_set_new(root, "leaf_times", times);
    if (qatomic_read(&tdx->mark_time.first)) {
        json_object_set_new(root, "mark", time_json(tdx, &tdx->mark_time));
    }
    json_object_set_new(root, "lps", lps);
    json_object_set_new(root, "package_keys", packages);
    json_object_set_new(root, "tdmrs", tdmrs);
    json_object_set_new(root, "faults_hit", json_integer(tdxm_faults_hit(tdx->module)));
    json_object_set_new(root, "findings", json_integer(tdx->findings));
    return root;
}

/* QEMU ends, perhaps in a vCPU thread while other vCPUs run */
static void platform_exit(Notifier *notifier, void *data)
{
    TdxPlatform *tdx = container_of(notifier, TdxPlatform, exit);

    if (tdx->trace) {
        qatomic_mb_set(&tdx->closed, true);
        while (qatomic_mb_read(&tdx->in_call)) {
            g_usleep(100);
        }
        close_trace(tdx);
    }
    if (tdx->stats_file) {
        json_t *root = stats(tdx);

        if (json_dump_file(root, tdx->stats_file, JSON_INDENT(1) | JSON_PRESERVE_ORDER)) {
            error_report("tdx-platform: cannot write %s: %s", tdx->stats_file, strerror(errno));
        }
        json_decref(root);
    }
}

static void platform_complete(UserCreatable *uc, Error **errp)
{
    TdxPlatform *tdx = TDX_PLATFORM(uc);
    Error *err = NULL;
    char *why = NULL;

    if (tdx_platform) {
        error_setg(errp, "there is a tdx-platform object already; a machine has one");
        return;
    }
    if (!tdx->config) {
        error_setg(errp, "config=FILE is missing: the description of the platform");
        return;
    }
    tdx->start_us = g_get_monotonic_time();
    tdx->machine = tdx_machine_load(tdx->config, &why);
    if (!tdx->machine) {
        error_setg(errp, "%s", why ? why : "cannot read the description");
        free(why);
        return;
    }
    if (tdx->machine->test_interface && tdx->trace_file) {
        error_setg(errp, "%s: \"test_interface\" changes what a trace cannot tell; leave trace= out",
                   tdx->config);
        return;
    }
    if ((tdx->machine->platform.hostile || tdx->machine->platform.nr_claims) && tdx->trace_file) {
        error_setg(errp, "%s: \"hostile\" makes up answers, which a replay of the trace would not; leave "
                   "trace= out", tdx->config);
        return;
    }
    tdx_check_start(tdx, &err);
    if (err) {
        error_propagate(errp, err);
        return;
    }
    if (!tdx_mark_start(tdx, errp) || !tdx_module_start(tdx, errp)) {
        return;
    }
    tdx_measure_tsc();
    tdx_platform = tdx;
    /* QEMU drops its objects before it calls those who wait for its exit */
    object_ref(OBJECT(tdx));
    qemu_register_reset(platform_reset, tdx);
    tdx->exit.notify = platform_exit;
    qemu_add_exit_notifier(&tdx->exit);
}

/* The machine is built around it */
static bool platform_can_be_deleted(UserCreatable *uc)
{
    return false;
}

#define STRING_PROPERTY(field)                                                  \
    static char *get_##field(Object *obj, Error **errp)                         \
    {                                                                           \
        return g_strdup(TDX_PLATFORM(obj)->field);                              \
    }                                                                           \
    static void set_##field(Object *obj, const char *value, Error **errp)       \
    {                                                                           \
        g_free(TDX_PLATFORM(obj)->field);                                       \
        TDX_PLATFORM(obj)->field = g_strdup(value);                             \
    }

STRING_PROPERTY(config)
STRING_PROPERTY(trace_file)
STRING_PROPERTY(stats_file)
STRING_PROPERTY(findings_file)
STRING_PROPERTY(vmlinux)
STRING_PROPERTY(mark)

#define SLOW_CLOCK_MAX  10000

static void get_slow_clock(Object *obj, Visitor *v, const char *name, void *opaque, Error **errp)
{
    visit_type_uint32(v, name, &cpu_slow_clock, errp);
}

static void set_slow_clock(Object *obj, Visitor *v, const char *name, void *opaque, Error **errp)
{
    uint32_t factor;

    if (!visit_type_uint32(v, name, &factor, errp)) {
        return;
    }
    if (!factor || factor > SLOW_CLOCK_MAX) {
        error_setg(errp, "slow-clock=%u: it is 1 to %u", factor, SLOW_CLOCK_MAX);
        return;
    }
    cpu_slow_clock = factor;
}

static void platform_class_init(ObjectClass *oc, void *data)
{
    UserCreatableClass *ucc = USER_CREATABLE_CLASS(oc);

    ucc->complete = platform_complete;
    ucc->can_be_deleted = platform_can_be_deleted;
    object_class_property_add_str(oc, "config", get_config, set_config);
    object_class_property_add_str(oc, "trace", get_trace_file, set_trace_file);
    object_class_property_add_str(oc, "stats", get_stats_file, set_stats_file);
    object_class_property_add_str(oc, "findings", get_findings_file, set_findings_file);
    object_class_property_add_str(oc, "vmlinux", get_vmlinux, set_vmlinux);
    object_class_property_add_str(oc, "mark", get_mark, set_mark);
    object_class_property_add(oc, "slow-clock", "uint32", get_slow_clock, set_slow_clock, NULL,
                              NULL);
}

static const TypeInfo platform_info = {
    .name = TYPE_TDX_PLATFORM,
    .parent = TYPE_OBJECT,
    .instance_size = sizeof(TdxPlatform),
    .class_init = platform_class_init,
    .interfaces = (InterfaceInfo[]) {
        { TYPE_USER_CREATABLE },
        { }
    }
};

static void platform_register(void)
{
    type_register_static(&platform_info);
}

type_init(platform_register)
