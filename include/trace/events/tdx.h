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

TRACE_EVENT(seamcall_enter,

	TP_PROTO(u64 fn, u64 rcx, u64 rdx, u64 r8, u64 r9),

	TP_ARGS(fn, rcx, rdx, r8, r9),

	TP_STRUCT__entry(
		__field(u64, fn)
		__string(leaf, tdx_leaf_name(fn))
		__field(u64, rcx)
		__field(u64, rdx)
		__field(u64, r8)
		__field(u64, r9)
	),

	TP_fast_assign(
		__entry->fn = fn;
		__assign_str(leaf, tdx_leaf_name(fn));
		__entry->rcx = rcx;
		__entry->rdx = rdx;
		__entry->r8 = r8;
		__entry->r9 = r9;
	),

	TP_printk("%s fn=0x%llx rcx=0x%llx rdx=0x%llx r8=0x%llx r9=0x%llx",
		  __get_str(leaf), __entry->fn, __entry->rcx, __entry->rdx,
		  __entry->r8, __entry->r9)
);

TRACE_EVENT(seamcall_exit,

	TP_PROTO(u64 fn, u64 status, u64 rcx, u64 rdx, u64 r8, u64 cycles),

	TP_ARGS(fn, status, rcx, rdx, r8, cycles),

	TP_STRUCT__entry(
		__field(u64, fn)
		__string(leaf, tdx_leaf_name(fn))
		__field(u64, status)
		__string(status_name, tdx_status_name(status))
		__field(u64, rcx)
		__field(u64, rdx)
		__field(u64, r8)
		__field(u64, ns)
	),

	TP_fast_assign(
		__entry->fn = fn;
		__assign_str(leaf, tdx_leaf_name(fn));
		__entry->status = status;
		__assign_str(status_name, tdx_status_name(status));
		__entry->rcx = rcx;
		__entry->rdx = rdx;
		__entry->r8 = r8;
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
