/*
 * libc.c - starting other programs: the exec family, posix_spawn, system and popen, for SANDGLASS_INHERIT (its meaning:
 * hooks/process/inherit.h). Without a changed environment every call is handed to libc as it came. system() and popen() start
 * their shell inside libc, out of reach: the shell, in which we are dormant, is told by a prefix of its command
 * ("unset LD_PRELOAD;") to pass the preload on to nobody.
 *
 * Rules of the libc part, because CPython, Go and everybody's vfork() call exec in memory that the
 * child shares with its suspended parent:
 * 1. Nothing is written but the own stack: no malloc, no log, no lock, no thread-local variable.
 * 2. errno is whatever libc's function left.
 * 3. Without a changed environment, libc's function gets exactly the caller's arguments.
 */
#define _GNU_SOURCE 1
#include "hooks/hook.h"
#include "hooks/native.h"
#include "hooks/process/inherit.h"
#include "shim/base/raw.h"
#include "shim/guard/family.h"

#include <alloca.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hooks/poison.h"

bool sg_process_armed;

static void configure(const struct sg_config *config, const char *own_path)
{
	sg_inherit_configure(config->inherit, own_path);
	sg_process_armed = true;
}

SG_FAMILY(process_family) = {.name = "process", .configure = configure};

/* A program is started with an environment that we choose, and somebody may be to blame for it. */
#define SPAWN_SHELL(family, need, type, name, parameters, arguments) \
	static inline type sg_enter_##name parameters \
	{ \
		if (__builtin_expect(!sg_process_armed, 1)) \
			return REAL(name) arguments; \
		return sg_hook_##name arguments; \
	} \
	SG_EXPORT type SG_SHELL(name) parameters; \
	SG_EXPORT type SG_SHELL(name) parameters \
	{ \
		sg_tsc_pause(); \
		SG_NATIVE_JUDGE(process, name); \
		return sg_enter_##name arguments; \
	}

/* Reached through the exported name, or from a variadic relative. */
#define EXEC_SHELL(family, need, type, name, parameters, arguments) \
	static inline type sg_enter_##name parameters \
	{ \
		sg_tsc_before_exec(); \
		if (__builtin_expect(!sg_process_armed, 1)) \
			return REAL(name) arguments; \
		return sg_hook_##name arguments; \
	} \
	SG_EXPORT type SG_SHELL(name) parameters; \
	SG_EXPORT type SG_SHELL(name) parameters \
	{ \
		return sg_enter_##name arguments; \
	}

#define SHELL_exec(...) EXEC_SHELL(process, __VA_ARGS__)
#define SHELL_spawn(...) SPAWN_SHELL(process, __VA_ARGS__)
#define SHELL_process(...) SG_NATIVE_SHELL(process, __VA_ARGS__)
#define HOOK(family, ...) SHELL_##family(__VA_ARGS__)
#define HOOK_VARIADIC(family, need, type, name, parameters)
#define NOHOOK(name, why)
#include "hooks/process/rows.h"
#undef HOOK
#undef HOOK_VARIADIC
#undef NOHOOK

/*
 * The environment that the program is to get: the caller's own array, or a copy on the caller's
 * stack, hence a macro. Its size is bounded by sg_inherit_plan().
 */
#define CHILD_ENVIRONMENT(directory, path, search, environment) \
	({ \
		const struct sg_program program_ = { directory, path, search }; \
		char *const *environment_ = (environment); \
		struct sg_inherit_plan plan_; \
		\
		sg_inherit_plan(&program_, environment_, &plan_) ? \
				sg_inherit_copy(&plan_, alloca(plan_.size), environment_) : \
				(char **)environment_; \
	})

/* ---- exec ---- */

int sg_hook_execve(const char *path, char *const argv[], char *const envp[])
{
	return REAL(execve)(path, argv, CHILD_ENVIRONMENT(AT_FDCWD, path, false, envp));
}

int sg_hook_execv(const char *path, char *const argv[])
{
	return sg_hook_execve(path, argv, environ);
}

int sg_hook_execvpe(const char *file, char *const argv[], char *const envp[])
{
	return REAL(execvpe)(file, argv, CHILD_ENVIRONMENT(AT_FDCWD, file, true, envp));
}

int sg_hook_execvp(const char *file, char *const argv[])
{
	return sg_hook_execvpe(file, argv, environ);
}

int sg_hook_fexecve(int descriptor, char *const argv[], char *const envp[])
{
	char path[SG_DESCRIPTOR_PATH_SIZE];

	sg_inherit_descriptor_path(descriptor, path);
	return REAL(fexecve)(descriptor, argv, CHILD_ENVIRONMENT(AT_FDCWD, path, false, envp));
}

int sg_hook_execveat(int directory, const char *path, char *const argv[], char *const envp[],
		int flags)
{
	char behind[SG_DESCRIPTOR_PATH_SIZE];
	const char *name = path;

	if ((flags & AT_EMPTY_PATH) && *path == '\0') {
		sg_inherit_descriptor_path(directory, behind);
		name = behind;
	}
	return REAL(execveat)(directory, path, argv,
			CHILD_ENVIRONMENT(directory, name, false, envp), flags);
}

/*
 * The arguments of execl and its like as an array on the caller's stack, read exactly as libc does.
 * Leaves arguments behind the NULL that ends them; the caller calls va_end.
 */
#define COLLECT_ARGUMENTS(argv, arguments, first) \
	do { \
		size_t count_ = 1; \
		\
		va_start(arguments, first); \
		while (va_arg(arguments, char *)) \
			count_++; \
		va_end(arguments); \
		if (count_ >= INT_MAX) { \
			errno = E2BIG; \
			return -1; \
		} \
		argv = alloca((count_ + 1) * sizeof(char *)); \
		argv[0] = (char *)first; \
		va_start(arguments, first); \
		for (size_t i_ = 1; i_ <= count_; i_++) \
			argv[i_] = va_arg(arguments, char *); \
	} while (0)

SG_EXPORT int SG_SHELL(execl)(const char *path, const char *argument, ...)
{
	va_list arguments;
	char **argv;

	COLLECT_ARGUMENTS(argv, arguments, argument);
	va_end(arguments);
	return sg_enter_execv(path, argv);
}

SG_EXPORT int SG_SHELL(execlp)(const char *file, const char *argument, ...)
{
	va_list arguments;
	char **argv;

	COLLECT_ARGUMENTS(argv, arguments, argument);
	va_end(arguments);
	return sg_enter_execvp(file, argv);
}

SG_EXPORT int SG_SHELL(execle)(const char *path, const char *argument, ...)
{
	va_list arguments;
	char **argv, **envp;

	COLLECT_ARGUMENTS(argv, arguments, argument);
	envp = va_arg(arguments, char **);
	va_end(arguments);
	return sg_enter_execve(path, argv, envp);
}

/* ---- clone ---- */

SG_EXPORT int SG_SHELL(clone)(int (*start)(void *), void *stack, int flags, void *argument, ...)
{
	void *parent, *storage, *child;
	va_list arguments;

	sg_tsc_pause();
	SG_NATIVE_JUDGE(process, clone);
	/* As libc does: those that the flags do not ask for are not looked at by the kernel. */
	va_start(arguments, argument);
	parent = va_arg(arguments, void *);
	storage = va_arg(arguments, void *);
	child = va_arg(arguments, void *);
	va_end(arguments);
	return REAL(clone)(start, stack, flags, argument, parent, storage, child);
}

/* ---- posix_spawn ---- */

int sg_hook_posix_spawn(pid_t *restrict ret_pid, const char *restrict path,
		const posix_spawn_file_actions_t *restrict actions,
		const posix_spawnattr_t *restrict attributes, char *const argv[restrict],
		char *const envp[restrict])
{
	return REAL(posix_spawn)(ret_pid, path, actions, attributes, argv,
			CHILD_ENVIRONMENT(AT_FDCWD, path, false, envp));
}

int sg_hook_posix_spawnp(pid_t *restrict ret_pid, const char *restrict file,
		const posix_spawn_file_actions_t *restrict actions,
		const posix_spawnattr_t *restrict attributes, char *const argv[restrict],
		char *const envp[restrict])
{
	return REAL(posix_spawnp)(ret_pid, file, actions, attributes, argv,
			CHILD_ENVIRONMENT(AT_FDCWD, file, true, envp));
}

/* ---- system and popen ---- */

/* Appends to text, or only counts when text is NULL. */
static size_t append(char *text, size_t at, const char *addition, size_t length)
{
	if (text)
		memcpy(text + at, addition, length);
	return at + length;
}

static size_t append_quoted(char *text, size_t at, const char *value)
{
	at = append(text, at, "'", 1);
	for (; *value; value++)
		at = *value == '\'' ? append(text, at, "'\\''", 4) : append(text, at, value, 1);
	return append(text, at, "'", 1);
}

static bool is_shell_name(const char *name, size_t length)
{
	return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
			"0123456789") == length;
}

/*
 * Writes what a shell has to run before command so that its own children get the environment of
 * sg_inherit_copy(), then command, all on one line: the shell's messages count lines. rest has room
 * for any entry. Returns the length, 0 when there is nothing to change.
 */
static size_t write_command(char *text, const char *command, char *rest)
{
	size_t at = 0;

	for (char **entry = environ; entry && *entry; entry++) {
		size_t name_length = strcspn(*entry, "=");

		if (!sg_inherit_affects(*entry) || !is_shell_name(*entry, name_length))
			continue;
		if (sg_inherit_rest(*entry, rest)) {
			/* It is exported already, and stays so. */
			at = append(text, at, rest, name_length + 1);
			at = append_quoted(text, at, rest + name_length + 1);
		} else {
			at = append(text, at, "unset ", 6);
			at = append(text, at, *entry, name_length);
		}
		at = append(text, at, ";", 1);
	}
	return at ? append(text, at, command, strlen(command) + 1) : 0;
}

/* A mapping of its own, since malloc may belong to somebody who starts programs. */
static char *map(size_t size)
{
	long address = sg_raw_syscall6(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return address < 0 && address > -4096 ? NULL : (char *)address;
}

/*
 * Returns the command to run instead, in a mapping of *ret_size bytes, or NULL: run it as it is. A
 * shell that inherits the preload by lack of memory is no reason to fail.
 */
static char *shell_command(const char *command, size_t *ret_size)
{
	size_t rest_size = 1;
	size_t size;
	char *memory;

	if (sg_inherit_by_shell())
		return NULL;
	for (char **entry = environ; entry && *entry; entry++) {
		if (sg_inherit_affects(*entry) && strlen(*entry) >= rest_size)
			rest_size = strlen(*entry) + 1;
	}
	/* Nothing of ours in the environment. */
	if (rest_size == 1)
		return NULL;
	memory = map(rest_size);
	if (!memory)
		return NULL;
	size = write_command(NULL, command, memory);
	sg_raw_syscall(SYS_munmap, (long)memory, (long)rest_size, 0, 0);
	if (!size)
		return NULL;
	memory = map(size + rest_size);
	if (!memory)
		return NULL;
	write_command(memory, command, memory + size);
	*ret_size = size + rest_size;
	return memory;
}

/* Leaves errno alone. */
static void shell_command_release(char *command, size_t size)
{
	sg_raw_syscall(SYS_munmap, (long)command, (long)size, 0, 0);
}

int sg_hook_system(const char *command)
{
	size_t size = 0;
	char *changed = command ? shell_command(command, &size) : NULL;
	int status;

	if (!changed)
		return REAL(system)(command);
	status = REAL(system)(changed);
	shell_command_release(changed, size);
	return status;
}

FILE *sg_hook_popen(const char *command, const char *type)
{
	size_t size = 0;
	char *changed = shell_command(command, &size);
	FILE *stream;

	if (!changed)
		return REAL(popen)(command, type);
	stream = REAL(popen)(changed, type);
	shell_command_release(changed, size);
	return stream;
}
