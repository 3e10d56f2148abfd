/*
 * Rules of this file:
 *  1. A look runs wherever the program opens a file, perhaps in a signal handler or while the loader is at work: then it
 *     does nothing, and the next one will do.
 *  2. The loader's lists are gone through by dl_iterate_phdr() alone; nothing is looked up or opened while it holds its lock.
 *  3. A library that our symbols are bound to is kept open for good.
 */
#define _GNU_SOURCE 1
#include "shim/life/appear.h"

#include "shim/base/dynamic.h"
#include "shim/base/loader.h"
#include "shim/base/raw.h"
#include "shim/interpreter/python.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#if defined(__x86_64__)
#define SLOT_JUMP R_X86_64_JUMP_SLOT
#define SLOT_DATA R_X86_64_GLOB_DAT
#define SLOT_WORD R_X86_64_64
#elif defined(__aarch64__)
#define SLOT_JUMP R_AARCH64_JUMP_SLOT
#define SLOT_DATA R_AARCH64_GLOB_DAT
#define SLOT_WORD R_AARCH64_ABS64
#endif

#define NEW_MAX 64
#define NAME_MAX_SIZE 1024

bool sg_appear_watching;

static bool (*attach)(void);
static void (*seen)(const struct sg_engine *engine);
static bool bound;
static atomic_flag busy = ATOMIC_FLAG_INIT;

/* The last object that was loaded with the program: never unloaded, so what follows it may be asked for without a lock. */
static const struct r_debug *loader;
static const struct link_map *last_at_start;
static unsigned long long additions; /* to the loader's lists, when they were last gone through */

extern const char __ehdr_start[] __attribute__((visibility("hidden")));

/* --- binding our own symbols ------------------------------------------------------------------- */

static void read_own(struct sg_dynamic *own)
{
	const ElfW(Ehdr) *header = (const void *)__ehdr_start;
	const ElfW(Phdr) *segment = (const void *)(__ehdr_start + header->e_phoff);

	*own = (struct sg_dynamic){.base = (uintptr_t)__ehdr_start};
	for (int i = 0; i < header->e_phnum; i++, segment++)
		if (segment->p_type == PT_GNU_RELRO)
			sg_dynamic_relro(own, segment, getauxval(AT_PAGESZ));
	sg_dynamic_read(own, _DYNAMIC);
}

static bool is_python_name(const char *name)
{
	return strncmp(name, "Py", 2) == 0 || strncmp(name, "_Py", 3) == 0;
}

static void bind_slot(const struct sg_dynamic *own, const ElfW(Rela) *relocation, void *python)
{
	const ElfW(Sym) *symbol = &own->symbols[ELF64_R_SYM(relocation->r_info)];
	unsigned long type = ELF64_R_TYPE(relocation->r_info);
	const char *name = own->strings + symbol->st_name;
	uintptr_t address;

	if (symbol->st_shndx != SHN_UNDEF || !is_python_name(name) ||
	    (type != SLOT_JUMP && type != SLOT_DATA && type != SLOT_WORD))
		return;
	address = (uintptr_t)dlsym(python, name);
	if (address)
		*(uintptr_t *)(own->base + relocation->r_offset) =
			address + (type == SLOT_JUMP ? 0 : (uintptr_t)relocation->r_addend);
}

static bool bind(void *python)
{
	struct sg_dynamic own;
	size_t size;

	read_own(&own);
	size = own.relro_high - own.relro_low;
	if (size && sg_raw_syscall(SYS_mprotect, (long)own.relro_low, (long)size, PROT_READ | PROT_WRITE, 0) != 0)
		return false;
	for (int table = 0; table < 2; table++)
		for (size_t i = 0; i < own.sizes[table]; i++)
			bind_slot(&own, &own.tables[table][i], python);
	sg_raw_syscall(SYS_mprotect, (long)own.relro_low, (long)size, PROT_READ, 0);
	dlerror(); /* nobody asked */
	return true;
}

/* --- what has been loaded ---------------------------------------------------------------------- */

struct objects {
	unsigned long long additions;
	size_t count;
	char names[NEW_MAX][NAME_MAX_SIZE];
};

static int count_additions(struct dl_phdr_info *info, size_t size, void *result)
{
	(void)size;
	*(unsigned long long *)result = info->dlpi_adds;
	return 1;
}

static int take_name(struct dl_phdr_info *info, size_t size, void *argument)
{
	struct objects *objects = argument;

	(void)size;
	objects->additions = info->dlpi_adds;
	/* The last ones: what was looked at before is looked at again rather than anything left out. */
	if (info->dlpi_name && *info->dlpi_name && strlen(info->dlpi_name) < NAME_MAX_SIZE)
		strcpy(objects->names[objects->count++ % NEW_MAX], info->dlpi_name);
	return 0;
}

/* Also of a library that was opened for its opener alone. Kept open when it, or what it needs, is a Python. */
static void *python_in(const char *name)
{
	void *library = dlopen(name, RTLD_LAZY | RTLD_NOLOAD);

	if (library && dlsym(library, "PyImport_Inittab"))
		return library;
	if (library)
		dlclose(library);
	return NULL;
}

static void *find_python(void)
{
	static struct objects objects; /* too large for somebody else's stack; under busy */
	size_t count;
	void *python = NULL;

	objects.count = 0;
	dl_iterate_phdr(take_name, &objects);
	additions = objects.additions;
	count = objects.count < NEW_MAX ? objects.count : NEW_MAX;
	for (size_t i = 0; i < count && !python; i++)
		python = python_in(objects.names[i]);
	dlerror();
	return python;
}

static void look_for_python(void)
{
	unsigned long long now = 0;
	void *python;

	if (!bound) {
		if (!last_at_start || !last_at_start->l_next || loader->r_state != RT_CONSISTENT)
			return;
		dl_iterate_phdr(count_additions, &now);
		if (now == additions)
			return;
		python = find_python();
		bound = python && bind(python);
	}
	if (bound && attach())
		attach = NULL;
}

/* --- an engine --------------------------------------------------------------------------------- */

/* Is it the file of the module, its compiled form included? "a.b._c": .../a/b/_c.py, .../a/b/__pycache__/_c.cpython-39.pyc */
static bool is_file_of(const char *path, const char *module)
{
	const char *last = strrchr(module, '.'), *base = strrchr(path, '/'), *at;
	size_t folder = last ? (size_t)(last - module) : 0, i;

	if (!last || !base || strncmp(base + 1, last + 1, strlen(last + 1)) != 0 || base[1 + strlen(last + 1)] != '.')
		return false;
	for (at = path; (size_t)(base - at) >= folder; at++) {
		for (i = 0; i < folder && at[i] == (module[i] == '.' ? '/' : module[i]); i++)
			;
		if (i == folder && at[i] == '/' && (at == path || at[-1] == '/'))
			return true;
	}
	return false;
}

static int is_library(struct dl_phdr_info *info, size_t size, void *part)
{
	(void)size;
	return info->dlpi_name && strstr(info->dlpi_name, part);
}

static void look_for_engine(const char *path)
{
	void (*tell)(const struct sg_engine *engine) = seen;

	for sg_each_engine(engine) {
		if (!is_file_of(path, (*engine)->trigger) ||
		    ((*engine)->library && !dl_iterate_phdr(is_library, (void *)(*engine)->library)))
			continue;
		seen = NULL;
		tell(*engine);
		return;
	}
}

/* --- interface --------------------------------------------------------------------------------- */

void sg_appear_look(const char *path)
{
	int saved_errno = errno;

	if (atomic_flag_test_and_set(&busy))
		return;
	if (attach)
		look_for_python();
	if (seen && path)
		look_for_engine(path);
	sg_appear_watching = attach || seen;
	atomic_flag_clear(&busy);
	errno = saved_errno;
}

void sg_appear_await_python(bool (*attach_to)(void))
{
	loader = dlsym(RTLD_DEFAULT, "_r_debug"); /* not by name: the object needs nothing but libc */
	if (!loader)
		return;
	last_at_start = loader->r_map;
	while (last_at_start && last_at_start->l_next)
		last_at_start = last_at_start->l_next;
	dl_iterate_phdr(count_additions, &additions);
	attach = attach_to;
	sg_appear_watching = true;
}

void sg_appear_await_engine(void (*tell)(const struct sg_engine *engine))
{
	seen = tell;
	sg_appear_watching = attach || seen;
}
