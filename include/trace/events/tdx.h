/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints of TDX host support. Names are in the records, so that every
 * reader of traces shows them and can filter by them, e.g.
 *
 *   trace-cmd record -e tdx
 *   echo 'status_name != "TDX_SUCCESS"' > events/tdx/seamcall_exit/filter
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM tdx

#if !defined(_TRACE_TDX_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_TDX_H

#include <linux/tracepoint.h>
#include <linux/types.h>

struct seamcall;

TRACE_EVENT(seamcall_enter,

	TP_PROTO(const struct seamcall *call),

	TP_ARGS(call),

	TP_STRUCT__entry(
		__field(u64, fn)
		__string(leaf, tdx_leaf_name(call->fn))
		__field(u64, rcx)
		__field(u64, rdx)
		__field(u64, r8)
		__field(u64, r9)
	),

	TP_fast_assign(
		__entry->fn = call->fn;
		__assign_str(leaf, tdx_leaf_name(call->fn));
		__entry->rcx = call->in.rcx;
		__entry->rdx = call->in.rdx;
		__entry->r8 = call->in.r8;
		__entry->r9 = call->in.r9;
	),

	TP_printk("%s fn=0x%llx rcx=0x%llx rdx=0x%llx r8=0x%llx r9=0x%llx",
		  __get_str(leaf), __entry->fn, __entry->rcx, __entry->rdx,
		  __entry->r8, __entry->r9)
);

TRACE_EVENT(seamcall_exit,

	TP_PROTO(const struct seamcall *call, u64 cycles),

	TP_ARGS(call, cycles),

	TP_STRUCT__entry(
		__field(u64, fn)
		__string(leaf, tdx_leaf_name(call->fn))
		__field(u64, status)
		__string(status_name, tdx_status_name(call->status))
		__field(u64, rcx)
		__field(u64, rdx)
		__field(u64, r8)
		__field(u64, ns)
	),

	TP_fast_assign(
		__entry->fn = call->fn;
		__assign_str(leaf, tdx_leaf_name(call->fn));
		__entry->status = call->status;
		__assign_str(status_name, tdx_status_name(call->status));
		__entry->rcx = call->out.rcx;
		__entry->rdx = call->out.rdx;
		__entry->r8 = call->out.r8;
		__entry->ns = tdx_cycles_to_ns(cycles);
	),

	TP_printk("%s status=0x%llx %s rcx=0x%llx rdx=0x%llx r8=0x%llx ns=%llu",
		  __get_str(leaf), __entry->status, __get_str(status_name),
		  __entry->rcx, __entry->rdx, __entry->r8, __entry->ns)
);

TRACE_EVENT(state,

	TP_PROTO(const char *from, const char *to),

	TP_ARGS(from, to),

	TP_STRUCT__entry(
		__string(from, from)
		__string(to, to)
	),

	TP_fast_assign(
		__assign_str(from, from);
		__assign_str(to, to);
	),

	TP_printk("%s -> %s", __get_str(from), __get_str(to))
);

TRACE_EVENT(tdmr_init,

	TP_PROTO(u64 base, u64 end, u64 next),

	TP_ARGS(base, end, next),

	TP_STRUCT__entry(
		__field(u64, base)
		__field(u64, end)
		__field(u64, next)
	),

	TP_fast_assign(
		__entry->base = base;
		__entry->end = end;
		__entry->next = next;
	),

	TP_printk("[0x%llx, 0x%llx) next=0x%llx", __entry->base, __entry->end,
		  __entry->next)
);

#endif /* _TRACE_TDX_H */

#include <trace/define_trace.h>
