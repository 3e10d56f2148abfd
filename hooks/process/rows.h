/*
 * Starting programs and processes: see hooks/rows.h for the columns. exec: replaces this process, so there is nothing to
 * judge, and it may run between vfork and exec. spawn: judged like process; and both exec and spawn choose an environment.
 */

HOOK(exec, REQ, int, execve, (const char *path, char *const argv[], char *const envp[]),
		(path, argv, envp))
HOOK(exec, REQ, int, execv, (const char *path, char *const argv[]), (path, argv))
HOOK(exec, REQ, int, execvp, (const char *file, char *const argv[]), (file, argv))
HOOK(exec, REQ, int, execvpe, (const char *file, char *const argv[], char *const envp[]),
		(file, argv, envp))
HOOK(exec, REQ, int, fexecve, (int descriptor, char *const argv[], char *const envp[]),
		(descriptor, argv, envp))
HOOK(exec, OPT, int, execveat,
		(int directory, const char *path, char *const argv[], char *const envp[],
		 int flags),
		(directory, path, argv, envp, flags))
HOOK_VARIADIC(exec, REQ, int, execl, (const char *path, const char *argument, ...))
HOOK_VARIADIC(exec, REQ, int, execlp, (const char *file, const char *argument, ...))
HOOK_VARIADIC(exec, REQ, int, execle, (const char *path, const char *argument, ...))
HOOK(spawn, REQ, int, posix_spawn,
		(pid_t *restrict ret_pid, const char *restrict path,
		 const posix_spawn_file_actions_t *restrict actions,
		 const posix_spawnattr_t *restrict attributes, char *const argv[restrict],
		 char *const envp[restrict]),
		(ret_pid, path, actions, attributes, argv, envp))
HOOK(spawn, REQ, int, posix_spawnp,
		(pid_t *restrict ret_pid, const char *restrict file,
		 const posix_spawn_file_actions_t *restrict actions,
		 const posix_spawnattr_t *restrict attributes, char *const argv[restrict],
		 char *const envp[restrict]),
		(ret_pid, file, actions, attributes, argv, envp))
HOOK(spawn, REQ, int, system, (const char *command), (command))
HOOK(spawn, REQ, FILE *, popen, (const char *command, const char *type), (command, type))

HOOK(process, REQ, pid_t, fork, (void), ())
HOOK(process, OPT, pid_t, __fork, (void), ())
HOOK(process, OPT, pid_t, _Fork, (void), ())
HOOK(process, OPT, int, forkpty,
		(int *ret_main, char *ret_name, const struct termios *terminal,
		 const struct winsize *window),
		(ret_main, ret_name, terminal, window))
HOOK(process, REQ, int, daemon, (int keep_directory, int keep_files), (keep_directory, keep_files))
HOOK_VARIADIC(process, REQ, int, clone,
		(int (*start)(void *), void *stack, int flags, void *argument, ...))
HOOK(process, REQ, int, kill, (pid_t process, int number), (process, number))
HOOK(process, REQ, int, killpg, (pid_t group, int number), (group, number))
HOOK(process, OPT, int, pidfd_open, (pid_t process, unsigned int flags), (process, flags))
HOOK(process, REQ, int, wordexp,
		(const char *restrict words, wordexp_t *restrict ret_list, int flags),
		(words, ret_list, flags))

NOHOOK(pidfd_spawn, "glibc 2.39; programs probe for it, so an older libc must not seem to have it")
NOHOOK(pidfd_spawnp, "as pidfd_spawn")
NOHOOK(pidfd_getpid, "as pidfd_spawn")
NOHOOK(posix_spawnattr_getcgroup_np, "as pidfd_spawn")
NOHOOK(posix_spawnattr_setcgroup_np, "as pidfd_spawn")
NOHOOK(__libc_fork, "fork under glibc's own name")
NOHOOK(__libc_system, "system under glibc's own name")
NOHOOK(vfork, "a wrapper cannot return twice on its caller's stack; the exec that follows is hooked")
NOHOOK(__vfork, "as vfork")
NOHOOK(__clone, "clone under glibc's own name")
NOHOOK(wait, "waits for a process whose start was judged")
NOHOOK(__wait, "as wait")
NOHOOK(waitpid, "as wait")
NOHOOK(__waitpid, "as wait")
NOHOOK(wait3, "as wait")
NOHOOK(wait4, "as wait")
NOHOOK(waitid, "as wait")
NOHOOK(pclose, "as wait")
NOHOOK(pidfd_getfd, "works on a descriptor whose making was judged")
NOHOOK(pidfd_send_signal, "as pidfd_getfd")
NOHOOK(process_vm_readv, "reads another process's memory; no workflow code does")
NOHOOK(process_vm_writev, "as process_vm_readv")
NOHOOK(process_madvise, "as process_vm_readv")
NOHOOK(process_mrelease, "as process_vm_readv")
NOHOOK(__sysctl, "only for programs of before 2020")
NOHOOK(sysctl, "as __sysctl")
NOHOOK(__lll_lock_wait_private, "a lock of libc's own")
NOHOOK(posix_spawn_file_actions_addopen, "prepares a posix_spawn, which is judged")
NOHOOK(posix_spawn_file_actions_init, "as posix_spawn_file_actions_addopen")
NOHOOK(posix_spawn_file_actions_destroy, "as posix_spawn_file_actions_addopen")
NOHOOK(posix_spawn_file_actions_addclose, "as posix_spawn_file_actions_addopen")
NOHOOK(posix_spawn_file_actions_addclosefrom_np, "as posix_spawn_file_actions_addopen")
NOHOOK(posix_spawn_file_actions_adddup2, "as posix_spawn_file_actions_addopen")
NOHOOK(posix_spawn_file_actions_addchdir_np, "as posix_spawn_file_actions_addopen")
NOHOOK(posix_spawn_file_actions_addfchdir_np, "as posix_spawn_file_actions_addopen")
NOHOOK(posix_spawn_file_actions_addtcsetpgrp_np, "as posix_spawn_file_actions_addopen")
NOHOOK(posix_spawnattr_init, "as posix_spawn_file_actions_addopen")
NOHOOK(posix_spawnattr_destroy, "as posix_spawn_file_actions_addopen")
NOHOOK(posix_spawnattr_getflags, "as posix_spawn_file_actions_addopen")
NOHOOK(posix_spawnattr_getpgroup, "as posix_spawn_file_actions_addopen")
NOHOOK(posix_spawnattr_getschedparam, "as posix_spawn_file_actions_addopen")
NOHOOK(posix_spawnattr_getschedpolicy, "as posix_spawn_file_actions_addopen")
NOHOOK(posix_spawnattr_getsigdefault, "as posix_spawn_file_actions_addopen")
NOHOOK(posix_spawnattr_getsigmask, "as posix_spawn_file_actions_addopen")
NOHOOK(posix_spawnattr_setflags, "as posix_spawn_file_actions_addopen")
NOHOOK(posix_spawnattr_setpgroup, "as posix_spawn_file_actions_addopen")
NOHOOK(posix_spawnattr_setschedparam, "as posix_spawn_file_actions_addopen")
NOHOOK(posix_spawnattr_setschedpolicy, "as posix_spawn_file_actions_addopen")
NOHOOK(posix_spawnattr_setsigdefault, "as posix_spawn_file_actions_addopen")
NOHOOK(posix_spawnattr_setsigmask, "as posix_spawn_file_actions_addopen")
NOHOOK(_IO_popen, "another name of popen that no header declares")
NOHOOK(_IO_proc_open, "the inside of popen, for the libio of 1998")
NOHOOK(rexec, "runs its command on another machine")
NOHOOK(rexec_af, "as rexec")
