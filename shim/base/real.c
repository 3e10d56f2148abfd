#define _GNU_SOURCE 1
#include "shim/base/real.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>

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

void *sg_real_resolve_slot(enum sg_real_index index)
{
	int saved_errno = errno;
	void *function = dlsym(RTLD_NEXT, rows[index].name);

	if (!function) {
		/* Nobody asked: the application's next dlerror() must not tell of it. */
		dlerror();
		function = (void *)missing;
	}
	__atomic_store_n(&sg_real_slots[index], function, __ATOMIC_RELAXED);
	errno = saved_errno;
	return function;
}

int sg_real_resolve(const char **ret_missing)
{
	for (int index = 0; index < SG_REAL_COUNT; index++) {
		if (sg_real_get((enum sg_real_index)index) != (void *)missing ||
				rows[index].need == OPT)
			continue;
		*ret_missing = rows[index].name;
		return -ENOENT;
	}
	return 0;
}
