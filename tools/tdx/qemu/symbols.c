/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of functions of the guest kernel */
#include "qemu/osdep.h"
#include "elf.h"
#include "qemu/error-report.h"
#include "qemu/lockable.h"
#include "qemu/thread.h"
#include "symbols.h"

struct symbol {
    uint64_t address;
    uint64_t size;
    const char *name;
};

static struct {
    QemuMutex lock;
    bool read;
    struct symbol *symbols;
    size_t nr;
} table;

static void __attribute__((constructor)) init(void)
{
    qemu_mutex_init(&table.lock);
}

static int by_address(const void *a, const void *b)
{
    const struct symbol *x = a, *y = b;

    return x->address < y->address ? -1 : x->address > y->address;
}

/* A table of the file, or NULL: the file is damaged */
static const void *part(const char *file, gsize len, uint64_t offset, uint64_t size)
{
    return offset > len || size > len - offset ? NULL : file + offset;
}

/* The file stays in memory: names point into it. False: not an ELF file of this kind. */
static bool read_elf(const char *file, gsize len)
{
    const Elf64_Ehdr *ehdr = part(file, len, 0, sizeof(*ehdr));
    const Elf64_Shdr *sections;
    unsigned int i;

    if (!ehdr || memcmp(ehdr->e_ident, ELFMAG, SELFMAG) || ehdr->e_ident[EI_CLASS] != ELFCLASS64) {
        return false;
    }
    sections = part(file, len, ehdr->e_shoff, ehdr->e_shnum * sizeof(*sections));
    for (i = 0; sections && i < ehdr->e_shnum; i++) {
        const Elf64_Shdr *s = &sections[i], *str;
        const Elf64_Sym *sym;
        const char *names;
        size_t k;

        if (s->sh_type != SHT_SYMTAB || s->sh_link >= ehdr->e_shnum) {
            continue;
        }
        str = &sections[s->sh_link];
        sym = part(file, len, s->sh_offset, s->sh_size);
        names = part(file, len, str->sh_offset, str->sh_size);
        if (!sym || !names || !str->sh_size || names[str->sh_size - 1]) {
            return false;
        }
        table.symbols = g_new(struct symbol, s->sh_size / sizeof(*sym));
        for (k = 0; k < s->sh_size / sizeof(*sym); k++) {
            int type = ELF64_ST_TYPE(sym[k].st_info);

            if ((type == STT_FUNC || type == STT_NOTYPE) && sym[k].st_shndx != SHN_UNDEF &&
                sym[k].st_value && sym[k].st_name < str->sh_size && names[sym[k].st_name]) {
                table.symbols[table.nr++] = (struct symbol) {
                    sym[k].st_value, sym[k].st_size, names + sym[k].st_name
                };
            }
        }
        qsort(table.symbols, table.nr, sizeof(*table.symbols), by_address);
        return true;
    }
    return false;
}

static void read_file(const char *vmlinux)
{
    g_autoptr(GError) err = NULL;
    gsize len;
    char *file;

    table.read = true;
    if (!g_file_get_contents(vmlinux, &file, &len, &err)) {
        warn_report("tdx-platform: no symbols: %s", err->message);
    } else if (!read_elf(file, len)) {
        warn_report("tdx-platform: no symbols: %s is no 64-bit ELF file with a symbol table",
                    vmlinux);
        g_free(file);
    }
}

static void read_once(const char *vmlinux)
{
    QEMU_LOCK_GUARD(&table.lock);

    if (vmlinux && !table.read) {
        read_file(vmlinux);
    }
}

uint64_t tdx_symbol_address(const char *vmlinux, const char *name)
{
    size_t i;

    read_once(vmlinux);
    for (i = 0; i < table.nr; i++) {
        if (!strcmp(table.symbols[i].name, name)) {
            return table.symbols[i].address;
        }
    }
    return 0;
}

char *tdx_symbol(const char *vmlinux, uint64_t address)
{
    size_t lo = 0, hi;
    const struct symbol *s;

    read_once(vmlinux);
    hi = table.nr;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;

        if (table.symbols[mid].address <= address) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    if (!lo) {
        return NULL;
    }
    s = &table.symbols[lo - 1];
    /* Far behind the last function: a module, user space */
    if (address - s->address >= MAX(s->size, 4096)) {
        return NULL;
    }
    return g_strdup_printf("%s+0x%" PRIx64, s->name, address - s->address);
}
