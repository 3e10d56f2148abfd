/* Entry points of the family "process": see hooks/rows.h for the columns. */

HOOK(process, REQ, int, execve, (const char *path, char *const argv[], char *const envp[]),
		(path, argv, envp))
HOOK(process, REQ, int, execv, (const char *path, char *const argv[]), (path, argv))
HOOK(process, REQ, int, execvp, (const char *file, char *const argv[]), (file, argv))
HOOK(process, REQ, int, execvpe, (const char *file, char *const argv[], char *const envp[]),
		(file, argv, envp))
HOOK(process, REQ, int, fexecve, (int descriptor, char *const argv[], char *const envp[]),
		(descriptor, argv, envp))
HOOK(process, OPT, int, execveat,
		(int directory, const char *path, char *const argv[], char *const envp[],
		 int flags),
		(directory, path, argv, envp, flags))
HOOK_VARIADIC(process, REQ, int, execl, (const char *path, const char *argument, ...))
HOOK_VARIADIC(process, REQ, int, execlp, (const char *file, const char *argument, ...))
HOOK_VARIADIC(process, REQ, int, execle, (const char *path, const char *argument, ...))
HOOK(process, REQ, int, posix_spawn,
		(pid_t *restrict ret_pid, const char *restrict path,
		 const posix_spawn_file_actions_t *restrict actions,
		 const posix_spawnattr_t *restrict attributes, char *const argv[restrict],
		 char *const envp[restrict]),
		(ret_pid, path, actions, attributes, argv, envp))
HOOK(process, REQ, int, posix_spawnp,
		(pid_t *restrict ret_pid, const char *restrict file,
		 const posix_spawn_file_actions_t *restrict actions,
		 const posix_spawnattr_t *restrict attributes, char *const argv[restrict],
		 char *const envp[restrict]),
		(ret_pid, file, actions, attributes, argv, envp))
HOOK(process, REQ, int, system, (const char *command), (command))
HOOK(process, REQ, FILE *, popen, (const char *command, const char *type), (command, type))

NOHOOK(pidfd_spawn, "glibc 2.39; programs probe for it, so an older libc must not seem to have it")
NOHOOK(pidfd_spawnp, "as pidfd_spawn")
NOHOOK(fork, "no environment is chosen here; the exec that may follow is hooked")
NOHOOK(_Fork, "as fork")
NOHOOK(vfork, "as fork; besides, a wrapper cannot return twice on its caller's stack")
NOHOOK(clone, "as fork")
NOHOOK(forkpty, "as fork; calls fork inside libc")
NOHOOK(daemon, "as fork; calls fork inside libc")
NOHOOK(wordexp, "its $(...) runs /bin/sh, where we are dormant; only its children inherit")
NOHOOK(_IO_popen, "another name of popen that no header declares")
NOHOOK(_IO_proc_open, "the inside of popen, for the libio of 1998")
NOHOOK(rexec, "runs its command on another machine")
NOHOOK(rexec_af, "as rexec")
