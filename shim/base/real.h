/*
 * real.h - the libc functions behind the names that Sandglass exports.
 *
 *     error = REAL(execve)(path, argv, envp);
 *
 * sg_real_resolve() fills all slots in the constructor. A call that comes earlier, from another
 * library's constructor, resolves its own slot: dlsym may allocate, so it is only then that REAL()
 * is not async-signal-safe; nor is it for a function that was not found. Such a one is looked for by each call, in
 * libraries that came later (before glibc 2.34 librt, libutil, libresolv; libbsd), then in shim/base/older.h, and at last
 * becomes one that fails with ENOSYS (see hooks/rows.h). errno is left alone. GIL: not needed.
 */
#ifndef SG_REAL_H
#define SG_REAL_H

/* Types that rows mention, and libc's own declarations, which the compiler compares with the rows. */
#include <dirent.h>
#include <fcntl.h>
#include <fts.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <ifaddrs.h>
#include <mqueue.h>
#include <net/if.h>
#include <netdb.h>
#include <pthread.h>
#include <pty.h>
#include <pwd.h>
#include <resolv.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/pidfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/swap.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timeb.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <sys/types.h>
#include <sys/utsname.h>
#include <sys/xattr.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>
#include <wchar.h>
#include <wordexp.h>

#undef p_type /* <resolv.h> means a function, <link.h> a member */

#define HOOK(family, need, type, name, parameters, arguments) \
	typedef type sg_real_##name##_function parameters;
#define HOOK_VARIADIC(family, need, type, name, parameters) \
	typedef type sg_real_##name##_function parameters;
#define NOHOOK(name, why)
#include "hooks/rows.h"

enum sg_real_index {
#define HOOK(family, need, type, name, parameters, arguments) SG_REAL_##name,
#define HOOK_VARIADIC(family, need, type, name, parameters) SG_REAL_##name,
#define NOHOOK(name, why)
#include "hooks/rows.h"
	SG_REAL_COUNT
};

#define REAL(name) ((sg_real_##name##_function *)sg_real_get(SG_REAL_##name))

/*
 * Resolves everything. Returns 0, or -ENOENT when the libc lacks a required function: then
 * ret_missing is the name of the first such one, and Sandglass has to stay dormant.
 */
int sg_real_resolve(const char **ret_missing);

extern void *sg_real_slots[SG_REAL_COUNT];

/* As any loaded object but ours has it, also one that dlopen() has kept apart; it is not unloaded any more. NULL: none has. */
void *sg_real_elsewhere(const char *name);

void *sg_real_resolve_slot(enum sg_real_index index);

static inline void *sg_real_get(enum sg_real_index index)
{
	void *function = __atomic_load_n(&sg_real_slots[index], __ATOMIC_RELAXED);

	if (__builtin_expect(!function, 0))
		function = sg_real_resolve_slot(index);
	return function;
}

#endif
