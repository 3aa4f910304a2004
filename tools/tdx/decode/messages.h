/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lines of kernel logs without a status mean, and errnos of the TDX calls. */
#ifndef _TDX_DECODE_MESSAGES_H
#define _TDX_DECODE_MESSAGES_H

enum tdx_severity {
	TDX_GOOD,			/* as it should be */
	TDX_WARNING,			/* works, not as well as it could */
	TDX_BAD,			/* TDX does not work */
};

struct tdx_message {
	const char *pattern;		/* part of the line */
	enum tdx_severity severity;
	const char *meaning;
	const char *advice;		/* or NULL */
};

struct tdx_errno {
	int err;			/* positive */
	const char *name;
	const char *meaning;
	const char *advice;		/* or NULL */
};

/* NULL: not known. */
const struct tdx_message *tdx_find_message(const char *line);
const struct tdx_errno *tdx_find_errno(int err);

#endif
