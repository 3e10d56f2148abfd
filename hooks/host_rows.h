/* What tells one host, user or process from another: see hooks/rows.h for the columns. */

HOOK(host, REQ, int, gethostname, (char *ret_name, size_t size), (ret_name, size))
HOOK(host, OPT, int, __gethostname_chk, (char *ret_name, size_t size, size_t room),
		(ret_name, size, room))
HOOK(host, REQ, int, sethostname, (const char *name, size_t size), (name, size))
HOOK(host, REQ, int, getdomainname, (char *ret_name, size_t size), (ret_name, size))
HOOK(host, OPT, int, __getdomainname_chk, (char *ret_name, size_t size, size_t room),
		(ret_name, size, room))
HOOK(host, REQ, int, setdomainname, (const char *name, size_t size), (name, size))
HOOK(host, REQ, int, uname, (struct utsname *ret_names), (ret_names))
HOOK(host, REQ, long, gethostid, (void), ())
HOOK(host, REQ, int, sysinfo, (struct sysinfo *ret_info), (ret_info))
HOOK(host, REQ, int, getloadavg, (double ret_averages[], int count), (ret_averages, count))
HOOK(host, REQ, int, get_nprocs, (void), ())
HOOK(host, REQ, int, get_nprocs_conf, (void), ())
HOOK(host, REQ, long, get_phys_pages, (void), ())
HOOK(host, REQ, long, get_avphys_pages, (void), ())
HOOK_VARIADIC(host, REQ, long, sysconf, (int name))
HOOK(host, REQ, pid_t, getpid, (void), ())
HOOK(host, OPT, pid_t, __getpid, (void), ())
HOOK(host, REQ, pid_t, getppid, (void), ())
HOOK(host, REQ, pid_t, gettid, (void), ())
HOOK(host, REQ, pid_t, getpgrp, (void), ())
HOOK(host, REQ, pid_t, getpgid, (pid_t process), (process))
HOOK(host, OPT, pid_t, __getpgid, (pid_t process), (process))
HOOK(host, REQ, pid_t, getsid, (pid_t process), (process))
HOOK(host, REQ, uid_t, getuid, (void), ())
HOOK(host, REQ, uid_t, geteuid, (void), ())
HOOK(host, REQ, gid_t, getgid, (void), ())
HOOK(host, REQ, gid_t, getegid, (void), ())
HOOK(host, REQ, int, getresuid, (uid_t *ret_real, uid_t *ret_effective, uid_t *ret_saved),
		(ret_real, ret_effective, ret_saved))
HOOK(host, REQ, int, getresgid, (gid_t *ret_real, gid_t *ret_effective, gid_t *ret_saved),
		(ret_real, ret_effective, ret_saved))
HOOK(host, REQ, int, getgroups, (int size, gid_t ret_groups[]), (size, ret_groups))
HOOK(host, OPT, int, __getgroups_chk, (int size, gid_t ret_groups[], size_t room),
		(size, ret_groups, room))
HOOK(host, REQ, char *, getlogin, (void), ())
HOOK(host, REQ, int, getlogin_r, (char *ret_name, size_t size), (ret_name, size))
HOOK(host, OPT, int, __getlogin_r_chk, (char *ret_name, size_t size, size_t room),
		(ret_name, size, room))
HOOK(host, REQ, struct passwd *, getpwuid, (uid_t user), (user))
HOOK(host, REQ, struct passwd *, getpwnam, (const char *name), (name))
HOOK(host, REQ, struct passwd *, getpwent, (void), ())
HOOK(host, REQ, int, getpwuid_r,
		(uid_t user, struct passwd *restrict ret_entry, char *restrict buffer, size_t size,
		 struct passwd **restrict ret_found),
		(user, ret_entry, buffer, size, ret_found))
HOOK(host, REQ, int, getpwnam_r,
		(const char *restrict name, struct passwd *restrict ret_entry,
		 char *restrict buffer, size_t size, struct passwd **restrict ret_found),
		(name, ret_entry, buffer, size, ret_found))
HOOK(host, REQ, int, getpwent_r,
		(struct passwd *restrict ret_entry, char *restrict buffer, size_t size,
		 struct passwd **restrict ret_found),
		(ret_entry, buffer, size, ret_found))
HOOK(host, REQ, struct group *, getgrgid, (gid_t group), (group))
HOOK(host, REQ, struct group *, getgrnam, (const char *name), (name))
HOOK(host, REQ, struct group *, getgrent, (void), ())
HOOK(host, REQ, int, getgrgid_r,
		(gid_t group, struct group *restrict ret_entry, char *restrict buffer, size_t size,
		 struct group **restrict ret_found),
		(group, ret_entry, buffer, size, ret_found))
HOOK(host, REQ, int, getgrnam_r,
		(const char *restrict name, struct group *restrict ret_entry,
		 char *restrict buffer, size_t size, struct group **restrict ret_found),
		(name, ret_entry, buffer, size, ret_found))
HOOK(host, REQ, int, getgrent_r,
		(struct group *restrict ret_entry, char *restrict buffer, size_t size,
		 struct group **restrict ret_found),
		(ret_entry, buffer, size, ret_found))
HOOK(host, REQ, int, getgrouplist, (const char *user, gid_t group, gid_t *ret_groups, int *size),
		(user, group, ret_groups, size))
HOOK(host, REQ, int, sched_getcpu, (void), ())
HOOK(host, REQ, int, getcpu, (unsigned int *ret_cpu, unsigned int *ret_node), (ret_cpu, ret_node))
HOOK(host, REQ, int, sched_getaffinity, (pid_t thread, size_t size, cpu_set_t *ret_set),
		(thread, size, ret_set))
HOOK(host, REQ, int, getifaddrs, (struct ifaddrs **ret_addresses), (ret_addresses))
HOOK(host, REQ, struct if_nameindex *, if_nameindex, (void), ())
HOOK(host, REQ, unsigned int, if_nametoindex, (const char *name), (name))
HOOK(host, REQ, char *, if_indextoname, (unsigned int index, char ret_name[IF_NAMESIZE]),
		(index, ret_name))

NOHOOK(getauxval, "the processor's features, for choosing an implementation; its 16 random bytes "
		"(AT_RANDOM) can be reached through it")
NOHOOK(__getauxval, "as getauxval")
NOHOOK(getpagesize, "the same on every host of an architecture")
NOHOOK(__getpagesize, "as getpagesize")
NOHOOK(__sysconf, "the same function as sysconf under libc's own name")
NOHOOK(confstr, "constants of this libc")
NOHOOK(__confstr_chk, "as confstr")
NOHOOK(getdtablesize, "a limit of the process; no workflow decides on it")
NOHOOK(getrlimit, "as getdtablesize; allocators and thread libraries ask at start")
NOHOOK(getrlimit64, "as getrlimit")
NOHOOK(__getrlimit, "as getrlimit")
NOHOOK(setrlimit, "as getrlimit")
NOHOOK(setrlimit64, "as getrlimit")
NOHOOK(prlimit, "as getrlimit")
NOHOOK(prlimit64, "as getrlimit")
NOHOOK(vlimit, "as getrlimit")
NOHOOK(ulimit, "as getrlimit")
NOHOOK(getpriority, "as getdtablesize")
NOHOOK(setpriority, "as getdtablesize")
NOHOOK(sched_getparam, "how a thread is scheduled; no workflow decides on it")
NOHOOK(__sched_getparam, "as sched_getparam")
NOHOOK(sched_getscheduler, "as sched_getparam")
NOHOOK(__sched_getscheduler, "as sched_getparam")
NOHOOK(sched_setparam, "as sched_getparam")
NOHOOK(sched_setscheduler, "as sched_getparam")
NOHOOK(__sched_setscheduler, "as sched_getparam")
NOHOOK(sched_get_priority_max, "as sched_getparam")
NOHOOK(sched_get_priority_min, "as sched_getparam")
NOHOOK(__sched_get_priority_max, "as sched_getparam")
NOHOOK(__sched_get_priority_min, "as sched_getparam")
NOHOOK(sched_rr_get_interval, "as sched_getparam")
NOHOOK(sched_setaffinity, "as sched_getparam")
NOHOOK(sched_yield, "gives nothing back; spin locks use it")
NOHOOK(__sched_yield, "as sched_yield")
NOHOOK(sched_setattr, "glibc 2.41; as sched_getparam")
NOHOOK(sched_getattr, "glibc 2.41; as sched_getparam")
NOHOOK(pthread_gettid_np, "glibc 2.42; programs probe for it, so an older libc must not seem to have it")
NOHOOK(__sched_cpualloc, "memory for a set of processors")
NOHOOK(__sched_cpucount, "counts the bits of its argument")
NOHOOK(__sched_cpufree, "as __sched_cpualloc")
NOHOOK(if_freenameindex, "frees what a judged call gave")
NOHOOK(freeifaddrs, "as if_freenameindex")
NOHOOK(getpass, "asks whoever sits at the terminal; a worker has none")
NOHOOK(cuserid, "getpwuid inside libc, for programs of 1990")
NOHOOK(setpwent, "rewinds what judged calls read")
NOHOOK(endpwent, "as setpwent")
NOHOOK(setgrent, "as setpwent")
NOHOOK(endgrent, "as setpwent")
NOHOOK(fgetpwent, "reads a stream whose opening was judged")
NOHOOK(fgetpwent_r, "as fgetpwent")
NOHOOK(fgetgrent, "as fgetpwent")
NOHOOK(fgetgrent_r, "as fgetpwent")
NOHOOK(putpwent, "as fgetpwent")
NOHOOK(putgrent, "as fgetpwent")
NOHOOK(getpw, "getpwuid inside libc, for programs of 1980")
NOHOOK(initgroups, "needs root; changes what a login may do")
NOHOOK(setgroups, "as initgroups")
NOHOOK(setuid, "as initgroups")
NOHOOK(setgid, "as initgroups")
NOHOOK(seteuid, "as initgroups")
NOHOOK(setegid, "as initgroups")
NOHOOK(setreuid, "as initgroups")
NOHOOK(setregid, "as initgroups")
NOHOOK(setresuid, "as initgroups")
NOHOOK(setresgid, "as initgroups")
NOHOOK(setfsuid, "as initgroups")
NOHOOK(setfsgid, "as initgroups")
NOHOOK(sethostid, "as initgroups")
NOHOOK(setpgid, "moves processes between groups; gives nothing back")
NOHOOK(__setpgid, "as setpgid")
NOHOOK(setpgrp, "as setpgid")
NOHOOK(setsid, "as setpgid")
NOHOOK(__bsd_getpgrp, "for programs of 1995")
