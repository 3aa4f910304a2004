/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trace of SEAMCALLs in the format of the vector files: one scenario, one
 * line. Steps are written as they come, so that a process that gets killed
 * leaves a file that lacks no more than its end; tdx-replay reads it all the
 * same.
 *
 * tdx_trace_seamcall() stands for tdxm_seamcall(). The functions behind
 * tdxm_ops.mem_read and mem_write have to call tdx_trace_mem_read() and
 * tdx_trace_mem_write() with what was read or written: what the module
 * read from memory becomes "write" of the step (the host must have written
 * it), what it wrote becomes "read" (a replay must find it).
 */
#ifndef TDX_TRACE_H
#define TDX_TRACE_H

#include "platform.h"

struct tdx_trace;

/* NULL: *err says why (free it with free()) */
struct tdx_trace *tdx_trace_open(const char *file, const struct tdx_machine *machine,
				 const char *name, char **err);

/* Any thread. A NULL trace is allowed in all of these: nothing is recorded. */
enum tdxm_exit tdx_trace_seamcall(struct tdx_trace *trace, struct tdxm *m, unsigned int lp,
				  uint64_t gpr[16]);

void tdx_trace_mem_read(struct tdx_trace *trace, uint64_t pa, const void *buf, size_t len);
void tdx_trace_mem_write(struct tdx_trace *trace, uint64_t pa, const void *buf, size_t len);

/*
 * Finish the line, before the model is freed and with no call under way. A
 * trace is of one model: it observes the events of the one it saw first.
 * False: something could not be written (disk full ...). */
bool tdx_trace_close(struct tdx_trace *trace);

#endif
