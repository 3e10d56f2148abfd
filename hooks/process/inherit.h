/*
 * inherit.h - SANDGLASS_INHERIT: which child processes keep the preload, and the environment of
 * those that do not.
 *
 *     all     (default) every program whose loader can load us
 *     python  programs that run a Python interpreter: a file of that name (python3,
 *             python3.13t ...), a link to one (venv, uv), or a script whose #! line leads to one
 *             (pip's and uv's launchers too)
 *     none    no program
 *
 * Under each of them a program for another processor, word size or C library (musl) is left out: its
 * loader would complain, or stop it. That goes for programs which are started by a program without
 * Python, too, in which nothing else is done. Static programs hand the variable on; setuid ones drop it.
 *
 * A program that does not keep it gets LD_PRELOAD without our object, other objects in their order,
 * no LD_PRELOAD at all when it would be empty, and no SANDGLASS variable. The preload is never
 * added where the caller left it out.
 *
 * The decision looks at the one program that is started. A worker that starts bash, env, timeout or
 * `uv run`, which in turn starts Python, loses the preload at the first step under `python`.
 *
 * Everything but sg_inherit_configure() may run between vfork and exec, in memory shared with the
 * parent: it writes to nothing but the stack and what it is given, and leaves errno alone. GIL: not
 * needed.
 */
#ifndef SG_INHERIT_H
#define SG_INHERIT_H

#include "config/config.h"

#include <stdbool.h>
#include <stddef.h>

/* A program as the caller names it. */
struct sg_program {
	int directory;      /* AT_FDCWD, or what path is relative to */
	const char *path;
	bool search;        /* a path without slash is looked for in PATH */
};

/* Room for a changed copy of an environment. */
struct sg_inherit_plan {
	size_t count;       /* entries of the original */
	size_t size;        /* bytes to pass to sg_inherit_copy() */
};

/*
 * Notes the policy and which entries of the process's own LD_PRELOAD are us. own_path: where the
 * object was loaded from (dladdr). Once, in the constructor, before the first sg_inherit_plan().
 */
void sg_inherit_configure(enum sg_inherit inherit, const char *own_path);

/* "/proc/self/fd/N": names the program behind a descriptor, for struct sg_program. */
#define SG_DESCRIPTOR_PATH_SIZE 32
void sg_inherit_descriptor_path(int descriptor, char path[SG_DESCRIPTOR_PATH_SIZE]);

/* May the shell of system() and popen() hand the preload on to its children as it stands? */
bool sg_inherit_by_shell(void);

/* Would the kernel execute something whose loader cannot load us? */
bool sg_inherit_is_foreign(const struct sg_program *program);

/* Would executing this run a Python interpreter? */
bool sg_inherit_is_python(const struct sg_program *program);

/*
 * Must the program be given a changed copy of environment (NULL: an empty one)? Then fills
 * *ret_plan. An environment too large for a copy on the stack (8192 entries, 16 KiB LD_PRELOAD) is
 * never changed.
 */
bool sg_inherit_plan(const struct sg_program *program, char *const environment[],
		struct sg_inherit_plan *ret_plan);

/* Makes the copy in memory[plan->size], suitably aligned; strings that do not change are shared. */
char **sg_inherit_copy(const struct sg_inherit_plan *plan, void *memory, char *const environment[]);

/* Is this entry ("NAME=value") one that a child without the preload must not see as it is? */
bool sg_inherit_affects(const char *entry);

/*
 * If entry is LD_PRELOAD: writes "LD_PRELOAD=..." without us to text (at most strlen(entry) + 1
 * bytes) and returns true; false when nothing but us was in it, or for any other entry.
 */
bool sg_inherit_rest(const char *entry, char *text);

#endif
