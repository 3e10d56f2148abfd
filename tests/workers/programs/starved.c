/*
 * starved.c - allocators that refuse one request of one shared object: malloc(), or Python's for what the object calls Python
 * for. What Python code asks for that runs or is compiled meanwhile is left out: CPython itself crashes then. Preloaded before
 * the object.
 */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEPTH 48
#define DOMAINS 3
#define LEFT_OUT 2

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

struct range {
	uintptr_t begin, end;
};

/* PyMemAllocatorEx */
struct allocator {
	void *context;
	void *(*malloc)(void *context, size_t size);
	void *(*calloc)(void *context, size_t count, size_t size);
	void *(*realloc)(void *context, void *memory, size_t size);
	void (*free)(void *context, void *memory);
};

static struct range object, left_out[LEFT_OUT];
static struct allocator pythons[DOMAINS];
static bool pythons_are_meant, busy;
static long asked, refused;

static bool is_in(const struct range *range, void *place)
{
	return (uintptr_t)place >= range->begin && (uintptr_t)place < range->end;
}

static bool is_refused(void)
{
	if (++asked != refused)
		return false;
	errno = ENOMEM;
	return true;
}

static bool python_is_refused(void)
{
	void *places[DEPTH];
	bool met = false;
	int count;

	if (!pythons_are_meant || busy)
		return false;
	busy = true;
	count = backtrace(places, DEPTH);
	busy = false;
	for (int i = 0; i < count && !met; i++) {
		for (int j = 0; j < LEFT_OUT; j++)
			if (is_in(&left_out[j], places[i]))
				return false;
		met = is_in(&object, places[i]);
	}
	return met && is_refused();
}

static void *python_malloc(void *context, size_t size)
{
	const struct allocator *real = context;

	return python_is_refused() ? NULL : real->malloc(real->context, size);
}

static void *python_calloc(void *context, size_t count, size_t size)
{
	const struct allocator *real = context;

	return python_is_refused() ? NULL : real->calloc(real->context, count, size);
}

static void *python_realloc(void *context, void *memory, size_t size)
{
	const struct allocator *real = context;

	return python_is_refused() ? NULL : real->realloc(real->context, memory, size);
}

static void python_free(void *context, void *memory)
{
	const struct allocator *real = context;

	real->free(real->context, memory);
}

/* Where the object is mapped, and whose requests are meant. Called once, with the GIL. Not 0: it cannot be done. */
int starve_prepare(uintptr_t begin, uintptr_t end, int python);
int starve_prepare(uintptr_t begin, uintptr_t end, int python)
{
	static const char *const names[LEFT_OUT] = {"_PyEval_EvalFrameDefault", "Py_CompileStringObject"};
	const ElfW(Sym) *symbol;
	Dl_info info;
	void (*get)(int, struct allocator *) = (void (*)(int, struct allocator *))dlsym(RTLD_DEFAULT, "PyMem_GetAllocator");
	void (*set)(int, struct allocator *) = (void (*)(int, struct allocator *))dlsym(RTLD_DEFAULT, "PyMem_SetAllocator");
	void *places[2];

	object = (struct range){begin, end};
	for (int i = 0; i < LEFT_OUT; i++) {
		void *code = dlsym(RTLD_DEFAULT, names[i]);

		if (!code || !dladdr1(code, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol)
			return -1;
		left_out[i] = (struct range){(uintptr_t)code, (uintptr_t)code + symbol->st_size};
	}
	backtrace(places, 2); /* loads what it needs */
	for (int i = 0; python && i < DOMAINS; i++) {
		struct allocator own = {&pythons[i], python_malloc, python_calloc, python_realloc, python_free};

		get(i, &pythons[i]);
		set(i, &own);
	}
	return 0;
}

/* The request of that number, from now on, is refused; 0: none is. How many there were since the last call. */
long starve(long number, int python);
long starve(long number, int python)
{
	long count = asked;

	pythons_are_meant = python;
	refused = number;
	asked = 0;
	return count;
}

void *malloc(size_t size)
{
	return is_in(&object, __builtin_return_address(0)) && !pythons_are_meant && is_refused() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return is_in(&object, __builtin_return_address(0)) && !pythons_are_meant && is_refused() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
	return is_in(&object, __builtin_return_address(0)) && !pythons_are_meant && is_refused() ? NULL : __libc_realloc(memory, size);
}
