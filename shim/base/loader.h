/*
 * loader.h - the dynamic loader, by names that every glibc since 2.28 has, so that an object built on a newer one runs there.
 *
 * dlopen() and its like are bound to the version that they have in libdl.so.2 of the old ones; the newer ones keep it.
 * Included instead of <dlfcn.h>. GIL: not needed.
 */
#ifndef SG_LOADER_H
#define SG_LOADER_H

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__)
#define SG_LOADER_VERSION "GLIBC_2.2.5"
#elif defined(__aarch64__)
#define SG_LOADER_VERSION "GLIBC_2.17"
#endif
#define SG_LOADER_OLD(name) __asm__(".symver " #name "," #name "@" SG_LOADER_VERSION)
SG_LOADER_OLD(dladdr);
SG_LOADER_OLD(dlclose);
SG_LOADER_OLD(dlerror);
SG_LOADER_OLD(dlopen);
SG_LOADER_OLD(dlsym);

/* Only another C library than glibc has no such function. */
#pragma weak gnu_get_libc_version

/* One loaded object. Name and dynamic section are the loader's own, and stay while it is loaded. */
struct sg_loaded {
	uintptr_t start, end; /* where it is mapped */
	uintptr_t base;       /* what is added to its addresses */
	const char *name;
	const void *dynamic;
};

/*
 * The object that is mapped at address; false: none is. Without locks, by _dl_find_object, where glibc has it (since 2.35):
 * else by a walk over all objects, under the lock of their list. Before sg_loader_start(true), and after (false), by the walk.
 */
bool sg_loader_find(const void *address, struct sg_loaded *ret_object);

void sg_loader_start(bool by_loader);

/* Is it the path of such an object as this one? */
bool sg_loader_is_named(const char *path);

/*
 * Another file of our name that is loaded, too: a package's beside an installed one; the last, where there are several. NULL: none
 * is. The first in the loader's order guards, as its entries are the ones that are called; ret_before: the other is that.
 */
const char *sg_loader_other(bool *ret_before);

/* As pthread_atfork(), which another C library has under another name: there it fails. */
int sg_loader_after_fork(void (*in_child)(void));

#endif
