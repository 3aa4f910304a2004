/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mark=FUNCTION: when a function of the guest kernel was called, for who wants
 * to know how long something takes that begins or ends without a SEAMCALL. The
 * guest does not notice.
 */
#include "qemu/osdep.h"
#include "cpu.h"
#include "exec/helper-proto.h"
#include "qapi/error.h"
#include "qemu/timer.h"
#include "internal.h"
#include "symbols.h"

uint64_t tdx_mark;

bool tdx_mark_start(TdxPlatform *tdx, Error **errp)
{
    if (!tdx->mark) {
        return true;
    }
    tdx_mark = tdx_symbol_address(tdx->vmlinux, tdx->mark);
    if (!tdx_mark) {
        error_setg(errp, "mark=%s: vmlinux=%s has no such function", tdx->mark,
                   tdx->vmlinux ? tdx->vmlinux : "");
    }
    return tdx_mark;
}

/* The function begins */
void helper_mark(CPUX86State *env)
{
    int64_t now = get_clock();

    qatomic_cmpxchg(&tdx_platform->mark_time.first, 0, now);
    qatomic_set(&tdx_platform->mark_time.last, now);
}
