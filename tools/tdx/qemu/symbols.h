/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TARGET_I386_TDX_SYMBOLS_H
#define TARGET_I386_TDX_SYMBOLS_H

/*
 * "function+0x12" for an address of the guest kernel, from its ELF file;
 * NULL: not known. The file is read at the first call. Any thread.
 */
char *tdx_symbol(const char *vmlinux, uint64_t address);

/* Where a function begins; 0: not known */
uint64_t tdx_symbol_address(const char *vmlinux, const char *name);

#endif
