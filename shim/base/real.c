#define _GNU_SOURCE 1
#include "shim/base/real.h"

#include "shim/base/loader.h"
#include "shim/base/older.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>

void *sg_real_slots[SG_REAL_COUNT];

/* Called in place of any function with integer arguments: the caller's convention allows that. */
static long missing(void)
{
	errno = ENOSYS;
	return -1;
}

enum need { REQ, OPT };

static const struct row {
	const char *name;
	enum need need;
} rows[SG_REAL_COUNT] = {
#define HOOK(family, need, type, name, parameters, arguments) { #name, need },
#define HOOK_VARIADIC(family, need, type, name, parameters) { #name, need },
#define NOHOOK(name, why)
#include "hooks/rows.h"
};

/* The object after so many others in the loader's list. */
struct nth {
	int left;
	char path[PATH_MAX];
};

static int is_nth(struct dl_phdr_info *info, size_t size, void *argument)
{
	struct nth *nth = argument;

	(void)size;
	if (nth->left--)
		return 0;
	snprintf(nth->path, sizeof(nth->path), "%s", info->dlpi_name);
	return 1;
}

void *sg_real_elsewhere(const char *name)
{
	struct sg_loaded own, found;
	struct nth nth;

	if (!sg_loader_find((void *)rows, &own))
		return NULL;
	for (int i = 0; nth.left = i, dl_iterate_phdr(is_nth, &nth); i++) {
		/* Not from within the walk: the loader takes its locks in another order. */
		void *object = *nth.path ? dlopen(nth.path, RTLD_LAZY | RTLD_NOLOAD) : NULL, *function;

		if (!object)
			continue;
		function = dlsym(object, name);
		if (function && sg_loader_find(function, &found) && found.start != own.start)
			return function; /* the object stays, as whoever has bound itself to it would see to */
		dlclose(object);
	}
	return NULL;
}

static void *next(enum sg_real_index index)
{
	return dlsym(RTLD_NEXT, rows[index].name);
}

void *sg_real_resolve_slot(enum sg_real_index index)
{
	int saved_errno = errno;
	void *function = next(index);

	if (!function)
		function = sg_real_elsewhere(rows[index].name);
	if (!function)
		function = sg_older_find(rows[index].name);
	/* Nobody asked: the application's next dlerror() must not tell of it. */
	dlerror();
	/* One that is not there is looked for again by the next call: its library may be loaded later. */
	if (function)
		__atomic_store_n(&sg_real_slots[index], function, __ATOMIC_RELAXED);
	errno = saved_errno;
	return function ? function : (void *)missing;
}

int sg_real_resolve(const char **ret_missing)
{
	int saved_errno = errno, error = 0;

	for (int index = 0; index < SG_REAL_COUNT; index++) {
		void *function = sg_real_slots[index] ? sg_real_slots[index] : next((enum sg_real_index)index);

		if (function) {
			__atomic_store_n(&sg_real_slots[index], function, __ATOMIC_RELAXED);
		} else if (rows[index].need == REQ) {
			*ret_missing = rows[index].name;
			error = -ENOENT;
			break;
		}
	}
	dlerror();
	errno = saved_errno;
	return error;
}
