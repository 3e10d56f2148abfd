/*
 * snippets.h - what the matrix calls: one snippet, or several, for each row of hooks/rows.h, under the row's name; further
 * ones of a row are called NAME_SOMETHING. run.sh compares the names with the rows.
 *
 * S: the number itself is the answer. T: whether it makes sense. UNSAFE: not for signal handlers. What changes the system fails by its
 * arguments, since tests may run as root.
 */
#define SNIPPETS(S, T, UNSAFE) \
	T(clock_gettime, clock_gettime(CLOCK_REALTIME, &ts) == 0 && ts.tv_sec > 1e9) \
	T(clock_gettime_monotonic, clock_gettime(CLOCK_MONOTONIC, &ts) == 0) \
	S(clock_gettime_error, clock_gettime(12345, &ts)) \
	T(timespec_get, timespec_get(&ts, TIME_UTC) == TIME_UTC) \
	T(time, time(NULL) > 1000000000) \
	T(gettimeofday, gettimeofday(&tv, NULL) == 0 && tv.tv_sec > 1e9) \
	T(clock, clock() != (clock_t)-1) \
	T(times, times(&tms) != (clock_t)-1) \
	S(getrusage, getrusage(RUSAGE_SELF, &usage)) \
	S(getrusage_error, getrusage(77, &usage)) \
	T(localtime_r, localtime_r(&(time_t){86400}, &tm) == &tm && tm.tm_year == 70) \
	T(ctime_r, ctime_r(&(time_t){86400}, buffer) == buffer) \
	T(mktime, mktime(&(struct tm){.tm_year = 100, .tm_mday = 1}) > 0) \
	S(nanosleep, nanosleep(&short_while, NULL)) \
	S(nanosleep_error, nanosleep(&(struct timespec){0, -1}, NULL)) \
	S(clock_nanosleep, clock_nanosleep(CLOCK_MONOTONIC, 0, &short_while, NULL)) \
	S(sleep, (int)sleep(0)) \
	S(usleep, usleep(1)) \
	S(thrd_sleep, thrd_sleep(&short_while, NULL)) \
	S(alarm, (int)alarm(0)) \
	S(timerfd_create, close_after(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC))) \
	T(getrandom, getrandom(buffer, 16, 0) == 16) \
	T(getrandom_insecure, getrandom(buffer, 16, GRND_INSECURE) == 16) \
	S(getentropy, getentropy(buffer, 16)) \
	S(getentropy_error, getentropy(buffer, 1000)) \
	T(arc4random, (arc4random(), 1)) \
	T(arc4random_buf, (arc4random_buf(buffer, 8), 1)) \
	T(arc4random_uniform, arc4random_uniform(5) < 5) \
	T(rand, rand() >= 0) \
	T(random, random() >= 0) \
	T(drand48, drand48() < 1) \
	T(lrand48, lrand48() >= 0) \
	S(srand, (srand(5), rand())) \
	S(srandom, (srandom(6), (int)random())) \
	S(srand48, (srand48(7), (int)lrand48())) \
	T(seed48, seed48(seed) != NULL) \
	T(getenv, getenv("PATH") != NULL) \
	T(getenv_missing, getenv("SG_MATRIX_NO_SUCH") == NULL) \
	T(secure_getenv, secure_getenv("PATH") != NULL) \
	UNSAFE(S, setenv, setenv("SG_MATRIX", "1", 1)) \
	UNSAFE(S, unsetenv, unsetenv("SG_MATRIX")) \
	S(setenv_error, setenv("", "1", 1)) \
	S(open, open(MISSING, O_RDONLY)) \
	S(open_ok, close_after(open("/dev/null", O_RDONLY | O_CLOEXEC))) \
	S(open64, open64(MISSING, O_RDONLY)) \
	S(openat, openat(AT_FDCWD, MISSING, O_RDONLY)) \
	S(openat64, openat64(-1, "relative", O_RDONLY)) \
	S(creat, creat(MISSING, 0600)) \
	S(open_tmpfile, close_after(open("/tmp", O_TMPFILE | O_RDWR, 0600))) \
	UNSAFE(T, fopen, fopen(MISSING, "r") == NULL) \
	UNSAFE(T, fopen64, fopen64(MISSING, "r") == NULL) \
	UNSAFE(T, opendir, opendir(MISSING) == NULL) \
	UNSAFE(S, scandir, scandir(MISSING, (struct dirent ***)buffer, NULL, NULL)) \
	UNSAFE(S, glob, glob(MISSING "*", 0, NULL, (glob_t *)buffer)) \
	UNSAFE(S, ftw, ftw(MISSING, none, 4)) \
	S(stat, stat(MISSING, &st)) \
	S(stat_ok, stat("/", &st)) \
	S(stat64, stat64(MISSING, &st64)) \
	S(lstat, lstat(MISSING, &st)) \
	S(fstatat, fstatat(AT_FDCWD, MISSING, &st, 0)) \
	S(statx, statx(AT_FDCWD, MISSING, 0, STATX_SIZE, &sx)) \
	S(statfs, statfs(MISSING, &fs)) \
	S(statvfs, statvfs(MISSING, &vfs)) \
	S(access, access(MISSING, R_OK)) \
	S(access_ok, access("/", R_OK)) \
	S(faccessat, faccessat(AT_FDCWD, MISSING, R_OK, 0)) \
	S(euidaccess, euidaccess(MISSING, R_OK)) \
	S(readlink, (int)readlink(MISSING, buffer, sizeof(buffer))) \
	S(readlinkat, (int)readlinkat(AT_FDCWD, MISSING, buffer, sizeof(buffer))) \
	UNSAFE(T, realpath, realpath(MISSING, NULL) == NULL) \
	T(realpath_ok, realpath("/", buffer) == buffer) \
	T(getcwd, getcwd(buffer, sizeof(buffer)) == buffer) \
	T(getcwd_error, getcwd(buffer, 1) == NULL) \
	S(chdir, chdir(MISSING)) \
	S(mkdir, mkdir(MISSING, 0700)) \
	S(mkfifo, mkfifo(MISSING, 0700)) \
	S(chmod, chmod(MISSING, 0700)) \
	S(chown, chown(MISSING, 0, 0)) \
	S(link, link(MISSING, MISSING "2")) \
	S(symlink, symlink("x", MISSING)) \
	S(rename, rename(MISSING, MISSING "2")) \
	S(renameat2, renameat2(AT_FDCWD, MISSING, AT_FDCWD, MISSING "2", 0)) \
	S(unlink, unlink(MISSING)) \
	S(unlinkat, unlinkat(AT_FDCWD, MISSING, 0)) \
	S(rmdir, rmdir(MISSING)) \
	S(remove, remove(MISSING)) \
	S(truncate, truncate(MISSING, 0)) \
	S(utimensat, utimensat(AT_FDCWD, MISSING, NULL, 0)) \
	S(mkstemp_error, mkstemp((char[]){"nothing"})) \
	T(mkdtemp_error, mkdtemp((char[]){"nothing"}) == NULL) \
	S(pathconf, (int)pathconf(MISSING, _PC_NAME_MAX)) \
	S(getxattr, (int)getxattr(MISSING, "user.x", buffer, 8)) \
	S(shm_open, shm_open("/sg-matrix-none", O_RDONLY, 0)) \
	UNSAFE(T, sem_open, sem_open("/sg-matrix-none", 0) == SEM_FAILED) \
	S(mq_open, (int)mq_open("/sg-matrix-none", O_RDONLY)) \
	S(memfd_create, close_after(memfd_create("sg", MFD_CLOEXEC))) \
	S(shmget, shmget(0x5347, 0, 0)) \
	S(socket, close_after(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))) \
	S(socket_error, socket(-1, SOCK_STREAM, 0)) \
	S(connect, connect(-1, NULL, 0)) \
	S(bind, bind(-1, NULL, 0)) \
	S(listen, listen(-1, 0)) \
	S(accept, accept(-1, NULL, NULL)) \
	S(accept4, accept4(-1, NULL, NULL, 0)) \
	S(send, (int)send(-1, "", 0, 0)) \
	S(sendto, (int)sendto(-1, "", 0, 0, NULL, 0)) \
	S(sendmsg, (int)sendmsg(-1, &(struct msghdr){0}, 0)) \
	S(recv, (int)recv(-1, buffer, 1, 0)) \
	S(recvfrom, (int)recvfrom(-1, buffer, 1, 0, NULL, NULL)) \
	S(recvmsg, (int)recvmsg(-1, &(struct msghdr){0}, 0)) \
	UNSAFE(S, getaddrinfo, getaddrinfo("127.0.0.1", "80", &(struct addrinfo){.ai_flags = \
		AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_family = 99}, (struct addrinfo **)buffer)) \
	UNSAFE(T, gethostbyname, gethostbyname("127.0.0.1") != NULL) \
	UNSAFE(S, getnameinfo, getnameinfo(NULL, 0, buffer, 8, NULL, 0, 0)) \
	S(fork, child(fork())) \
	S(_Fork, child(_Fork())) \
	S(posix_spawn, spawned(false)) \
	S(posix_spawnp, spawned(true)) \
	S(execve, execve(MISSING, (char *[]){"x", NULL}, environ)) \
	S(execl, execl(MISSING, "x", (char *)NULL)) \
	UNSAFE(S, system, system("exit 3")) \
	UNSAFE(T, popen, pclose(popen("exit 4", "r")) == 4 << 8) \
	S(kill, kill(0x7ffffff0, 0)) \
	UNSAFE(S, pthread_create, joined()) \
	UNSAFE(S, thrd_create, joined_c11()) \
	S(syscall, (int)syscall(SYS_openat, AT_FDCWD, MISSING, O_RDONLY)) \
	T(syscall_getpid, syscall(SYS_getpid) == getpid()) \
	T(syscall_six, syscall(SYS_mmap, 0L, 4096L, (long)PROT_READ, (long)(MAP_PRIVATE | MAP_ANONYMOUS), \
		-1L, 0L) > 0) \
	S(syscall_unknown, (int)syscall(100000)) \
	S(gethostname, gethostname(buffer, sizeof(buffer))) \
	S(gethostname_error, gethostname(buffer, 0)) \
	S(uname, uname(&un)) \
	S(sysinfo, sysinfo(&si)) \
	T(get_nprocs, get_nprocs() > 0) \
	T(sysconf, sysconf(_SC_NPROCESSORS_ONLN) > 0) \
	S(sysconf_page, (int)sysconf(_SC_PAGESIZE)) \
	S(sysconf_error, (int)sysconf(123456)) \
	T(getpid, getpid() > 0) \
	T(getppid, getppid() >= 0) \
	T(gettid, gettid() > 0) \
	S(getuid, (int)getuid()) \
	S(getgroups, getgroups(-1, NULL)) \
	UNSAFE(S, getpwuid_r, getpwuid_r(0, &pw, buffer, sizeof(buffer), &pwp)) \
	UNSAFE(S, getpwnam_r, getpwnam_r("root", &pw, buffer, sizeof(buffer), &pwp)) \
	UNSAFE(S, getgrgid_r, getgrgid_r(0, &gr, buffer, sizeof(buffer), &grp)) \
	T(sched_getcpu, sched_getcpu() >= 0) \
	S(sched_getaffinity, sched_getaffinity(0, 0, NULL)) \
	S(if_nametoindex, (int)if_nametoindex("sg-none")) \
	/* time */ \
	S(adjtime, adjtime(&(struct timeval){.tv_sec = 1 << 30}, NULL)) \
	T(adjtimex, adjtimex(&(struct timex){0}) >= 0) \
	T(__adjtimex, __adjtimex(&(struct timex){0}) >= 0) \
	T(ntp_adjtime, ntp_adjtime(&(struct timex){0}) >= 0) \
	T(ntp_gettimex, ntp_gettimex(&(struct ntptimeval){0}) >= 0) \
	S(clock_adjtime, clock_adjtime(12345, &(struct timex){0})) \
	S(clock_settime, clock_settime(12345, &ts)) \
	S(settimeofday, settimeofday(&(struct timeval){0, 2000000}, NULL)) \
	T(__gettimeofday, __gettimeofday(&tv, NULL) == 0) \
	S(ftime, ftime(&(struct timeb){0})) \
	UNSAFE(T, localtime, localtime(&(time_t){86400}) != NULL) \
	UNSAFE(T, ctime, ctime(&(time_t){86400}) != NULL) \
	UNSAFE(T, strftime, strftime(buffer, 16, "%Y", &(struct tm){.tm_year = 100}) == 4) \
	UNSAFE(T, strftime_l, strftime_l(buffer, 16, "%Y", &(struct tm){.tm_year = 100}, c_locale()) == 4) \
	UNSAFE(T, __strftime_l, __strftime_l(buffer, 16, "%Y", &(struct tm){.tm_year = 100}, c_locale()) == 4) \
	UNSAFE(T, wcsftime, wcsftime(wide, 16, L"%Y", &(struct tm){.tm_year = 100}) == 4) \
	UNSAFE(T, wcsftime_l, wcsftime_l(wide, 16, L"%Y", &(struct tm){.tm_year = 100}, c_locale()) == 4) \
	UNSAFE(T, __wcsftime_l, __wcsftime_l(wide, 16, L"%Y", &(struct tm){.tm_year = 100}, c_locale()) == 4) \
	UNSAFE(T, timelocal, timelocal(&(struct tm){.tm_year = 100, .tm_mday = 1}) > 0) \
	S(__nanosleep, __nanosleep(&short_while, NULL)) \
	S(getitimer, getitimer(77, &interval)) \
	S(setitimer, setitimer(77, &interval, NULL)) \
	S(ualarm, (int)ualarm(0, 0)) \
	S(timer_create, timer_create(12345, NULL, (timer_t *)buffer)) \
	S(pause, paused()) \
	/* random */ \
	T(mrand48, (mrand48(), 1)) \
	S(lcong48, (lcong48((unsigned short[]){1, 2, 3, 4, 5, 6, 7}), (int)lrand48())) \
	T(__res_randomid, (__res_randomid(), 1)) \
	UNSAFE(T, initstate, initstate(5, random_state, sizeof(random_state)) != NULL) \
	UNSAFE(T, setstate, setstate(random_state) != NULL) \
	/* environment */ \
	UNSAFE(S, putenv, putenv("SG_MATRIX_PUT=1")) \
	UNSAFE(S, clearenv, cleared()) \
	/* opening */ \
	S(__open, __open(MISSING, O_RDONLY)) \
	S(__open64, __open64(MISSING, O_RDONLY)) \
	S(__open_2, __open_2(MISSING, O_RDONLY)) \
	S(__open64_2, __open64_2(MISSING, O_RDONLY)) \
	S(__openat_2, __openat_2(AT_FDCWD, MISSING, O_RDONLY)) \
	S(__openat64_2, __openat64_2(AT_FDCWD, MISSING, O_RDONLY)) \
	S(creat64, creat64(MISSING, 0600)) \
	S(open_by_handle_at, open_by_handle_at(-1, handle, O_RDONLY)) \
	S(name_to_handle_at, name_to_handle_at(AT_FDCWD, MISSING, handle, (int *)buffer, 0)) \
	UNSAFE(T, freopen, freopen(MISSING, "r", fopen("/dev/null", "r")) == NULL) \
	UNSAFE(T, freopen64, freopen64(MISSING, "r", fopen("/dev/null", "r")) == NULL) \
	UNSAFE(S, tmpfile, closed(tmpfile())) \
	UNSAFE(S, tmpfile64, closed(tmpfile64())) \
	UNSAFE(S, scandir64, scandir64(MISSING, (struct dirent64 ***)buffer, NULL, NULL)) \
	UNSAFE(S, scandirat, scandirat(AT_FDCWD, MISSING, (struct dirent ***)buffer, NULL, NULL)) \
	UNSAFE(S, scandirat64, scandirat64(AT_FDCWD, MISSING, (struct dirent64 ***)buffer, NULL, NULL)) \
	UNSAFE(S, ftw64, ftw64(MISSING, (void *)none, 4)) \
	UNSAFE(S, nftw, nftw(MISSING, (void *)none, 4, 0)) \
	UNSAFE(S, nftw64, nftw64(MISSING, (void *)none, 4, 0)) \
	UNSAFE(S, fts_open, fts_close(fts_open((char *[]){MISSING, NULL}, FTS_PHYSICAL, NULL))) \
	UNSAFE(S, fts64_open, fts64_close(fts64_open((char *[]){MISSING, NULL}, FTS_PHYSICAL, NULL))) \
	UNSAFE(S, glob64, glob64(MISSING "*", 0, NULL, (glob64_t *)buffer)) \
	/* asking about files */ \
	S(__xstat, __xstat(1, MISSING, &st)) \
	S(__lxstat, __lxstat(1, MISSING, &st)) \
	S(__fxstatat, __fxstatat(1, AT_FDCWD, MISSING, &st, 0)) \
	S(__xstat64, __xstat64(1, MISSING, &st64)) \
	S(__lxstat64, __lxstat64(1, MISSING, &st64)) \
	S(__fxstatat64, __fxstatat64(1, AT_FDCWD, MISSING, &st64, 0)) \
	S(lstat64, lstat64(MISSING, &st64)) \
	S(fstatat64, fstatat64(AT_FDCWD, MISSING, &st64, 0)) \
	S(__statfs, __statfs(MISSING, &fs)) \
	S(statfs64, statfs64(MISSING, (struct statfs64 *)buffer)) \
	S(statvfs64, statvfs64(MISSING, (struct statvfs64 *)buffer)) \
	S(eaccess, eaccess(MISSING, R_OK)) \
	S(__readlink_chk, (int)__readlink_chk(MISSING, buffer, 8, sizeof(buffer))) \
	S(__readlinkat_chk, (int)__readlinkat_chk(AT_FDCWD, MISSING, buffer, 8, sizeof(buffer))) \
	T(__realpath_chk, __realpath_chk("/", buffer, sizeof(buffer)) == buffer) \
	UNSAFE(T, canonicalize_file_name, canonicalize_file_name(MISSING) == NULL) \
	T(__getcwd_chk, __getcwd_chk(buffer, sizeof(buffer), sizeof(buffer)) == buffer) \
	T(getwd, getwd(buffer) == buffer) \
	T(__getwd_chk, __getwd_chk(buffer, sizeof(buffer)) == buffer) \
	UNSAFE(S, get_current_dir_name, freed(get_current_dir_name())) \
	S(listxattr, (int)listxattr(MISSING, buffer, 8)) \
	S(llistxattr, (int)llistxattr(MISSING, buffer, 8)) \
	S(lgetxattr, (int)lgetxattr(MISSING, "user.x", buffer, 8)) \
	/* changing files */ \
	S(fchdir, fchdir(-1)) \
	S(chroot, chroot(MISSING)) \
	S(mkdirat, mkdirat(AT_FDCWD, MISSING, 0700)) \
	S(mkfifoat, mkfifoat(AT_FDCWD, MISSING, 0700)) \
	S(mknod, mknod(MISSING, S_IFIFO, 0)) \
	S(mknodat, mknodat(AT_FDCWD, MISSING, S_IFIFO, 0)) \
	S(__xmknod, __xmknod(0, MISSING, S_IFIFO, &(dev_t){0})) \
	S(__xmknodat, __xmknodat(0, AT_FDCWD, MISSING, S_IFIFO, &(dev_t){0})) \
	S(lchmod, lchmod(MISSING, 0700)) \
	S(fchmodat, fchmodat(AT_FDCWD, MISSING, 0700, 0)) \
	S(lchown, lchown(MISSING, 0, 0)) \
	S(fchownat, fchownat(AT_FDCWD, MISSING, 0, 0, 0)) \
	S(linkat, linkat(AT_FDCWD, MISSING, AT_FDCWD, MISSING "2", 0)) \
	S(symlinkat, symlinkat("x", AT_FDCWD, MISSING)) \
	S(renameat, renameat(AT_FDCWD, MISSING, AT_FDCWD, MISSING "2")) \
	S(truncate64, truncate64(MISSING, 0)) \
	S(utime, utime(MISSING, NULL)) \
	S(utimes, utimes(MISSING, NULL)) \
	S(lutimes, lutimes(MISSING, NULL)) \
	S(futimesat, futimesat(AT_FDCWD, MISSING, NULL)) \
	S(setxattr, setxattr(MISSING, "user.x", "", 0, 0)) \
	S(lsetxattr, lsetxattr(MISSING, "user.x", "", 0, 0)) \
	S(removexattr, removexattr(MISSING, "user.x")) \
	S(lremovexattr, lremovexattr(MISSING, "user.x")) \
	S(mkstemp, mkstemp((char[]){"nothing"})) \
	S(mkstemps, mkstemps((char[]){"nothing"}, 1)) \
	S(mkostemp, mkostemp((char[]){"nothing"}, 0)) \
	S(mkostemps, mkostemps((char[]){"nothing"}, 1, 0)) \
	S(mkstemp64, mkstemp64((char[]){"nothing"})) \
	S(mkstemps64, mkstemps64((char[]){"nothing"}, 1)) \
	S(mkostemp64, mkostemp64((char[]){"nothing"}, 0)) \
	S(mkostemps64, mkostemps64((char[]){"nothing"}, 1, 0)) \
	T(mkdtemp, mkdtemp((char[]){"nothing"}) == NULL) \
	T(mktemp, mktemp((char[]){"nothing"}) != NULL) \
	T(tmpnam, tmpnam(buffer) == buffer) \
	T(tmpnam_r, tmpnam_r(buffer) == buffer) \
	UNSAFE(S, tempnam, freed(tempnam("/tmp", "sg"))) \
	/* objects with names, devices, file systems */ \
	S(shm_unlink, shm_unlink("/sg-matrix-none")) \
	UNSAFE(S, sem_unlink, sem_unlink("/sg-matrix-none")) \
	S(mq_unlink, mq_unlink("/sg-matrix-none")) \
	S(__mq_open_2, (int)__mq_open_2("/sg-matrix-none", O_RDONLY)) \
	S(semget, semget(0x5347, 0, 0)) \
	S(msgget, msgget(0x5347, 0)) \
	S(ftok, (int)ftok(MISSING, 1)) \
	S(inotify_add_watch, inotify_add_watch(-1, "/", 0)) \
	S(fanotify_mark, fanotify_mark(-1, 0, 0, -1, NULL)) \
	S(posix_openpt, close_after(posix_openpt(O_RDWR | O_NOCTTY))) \
	S(getpt, close_after(getpt())) \
	UNSAFE(S, openpty, terminal()) \
	S(mount, mount("none", MISSING, "none", 0, NULL)) \
	S(umount, umount(MISSING)) \
	S(umount2, umount2(MISSING, 0)) \
	S(swapon, swapon(MISSING, 0)) \
	S(swapoff, swapoff(MISSING)) \
	S(acct, acct(MISSING)) \
	/* network */ \
	S(socketpair, socketpair(-1, SOCK_STREAM, 0, (int *)buffer)) \
	S(__connect, __connect(-1, NULL, 0)) \
	S(__send, (int)__send(-1, "", 0, 0)) \
	S(__recv_chk, (int)__recv_chk(-1, buffer, 1, 8, 0)) \
	S(__recvfrom_chk, (int)__recvfrom_chk(-1, buffer, 1, 8, 0, NULL, NULL)) \
	S(sendmmsg, sendmmsg(-1, (struct mmsghdr *)buffer, 0, 0)) \
	S(recvmmsg, recvmmsg(-1, (struct mmsghdr *)buffer, 0, 0, NULL)) \
	UNSAFE(S, getaddrinfo_a, getaddrinfo_a(GAI_WAIT, (struct gaicb *[]){NULL}, 1, NULL)) \
	UNSAFE(T, gethostbyname2, gethostbyname2("127.0.0.1", AF_INET) != NULL) \
	UNSAFE(T, gethostbyaddr, gethostbyaddr("", 0, 99) == NULL) \
	UNSAFE(T, gethostent, (sethostent(0), gethostent() != NULL)) \
	UNSAFE(S, gethostbyname_r, gethostbyname_r("127.0.0.1", &host, buffer, sizeof(buffer), &hostp, &number)) \
	UNSAFE(S, gethostbyname2_r, gethostbyname2_r("127.0.0.1", AF_INET, &host, buffer, sizeof(buffer), &hostp, &number)) \
	UNSAFE(T, gethostbyaddr_r, gethostbyaddr_r("", 0, 99, &host, buffer, sizeof(buffer), &hostp, &number) != 0) \
	UNSAFE(T, gethostent_r, (sethostent(0), gethostent_r(&host, buffer, sizeof(buffer), &hostp, &number) == 0)) \
	UNSAFE(T, getservbyname, getservbyname("sg-none", "tcp") == NULL) \
	UNSAFE(T, getservbyport, getservbyport(1, "sg-none") == NULL) \
	UNSAFE(S, getservbyname_r, getservbyname_r("sg-none", "tcp", &service, buffer, sizeof(buffer), &servicep)) \
	UNSAFE(S, getservbyport_r, getservbyport_r(1, "sg-none", &service, buffer, sizeof(buffer), &servicep)) \
	UNSAFE(S, __res_init, __res_init()) \
	UNSAFE(S, __res_ninit, __res_ninit(&resolver)) \
	UNSAFE(S, res_query, res_query(NO_NAME, 1, 1, (unsigned char *)buffer, 8)) \
	UNSAFE(S, res_search, res_search(NO_NAME, 1, 1, (unsigned char *)buffer, 8)) \
	UNSAFE(S, res_send, res_send((unsigned char *)buffer, 1, (unsigned char *)buffer, 8)) \
	UNSAFE(S, res_nquery, res_nquery(&resolver, NO_NAME, 1, 1, (unsigned char *)buffer, 8)) \
	UNSAFE(S, res_nsearch, res_nsearch(&resolver, NO_NAME, 1, 1, (unsigned char *)buffer, 8)) \
	UNSAFE(S, res_nsend, res_nsend(&resolver, (unsigned char *)buffer, 1, (unsigned char *)buffer, 8)) \
	/* processes and programs */ \
	S(__fork, child(__fork())) \
	UNSAFE(S, forkpty, child(forkpty(&number, NULL, NULL, NULL))) \
	UNSAFE(S, daemon, daemonized()) \
	S(clone, cloned()) \
	S(execv, execv(MISSING, (char *[]){"x", NULL})) \
	S(execvp, execvp(MISSING, (char *[]){"x", NULL})) \
	S(execvpe, execvpe(MISSING, (char *[]){"x", NULL}, environ)) \
	S(execlp, execlp(MISSING, "x", (char *)NULL)) \
	S(execle, execle(MISSING, "x", (char *)NULL, environ)) \
	S(fexecve, fexecve(-1, (char *[]){"x", NULL}, environ)) \
	S(execveat, execveat(AT_FDCWD, MISSING, (char *[]){"x", NULL}, environ, 0)) \
	S(killpg, killpg(0x7ffffff0, 0)) \
	S(pidfd_open, pidfd_open(0x7ffffff0, 0)) \
	UNSAFE(S, wordexp, wordexp("a ${SG_NONE}", &words, WRDE_NOCMD)) \
	/* host and user */ \
	S(__gethostname_chk, __gethostname_chk(buffer, 256, sizeof(buffer))) \
	S(sethostname, sethostname("x", (size_t)-1)) \
	S(isatty, isatty(-1)) \
	S(getdomainname, getdomainname(buffer, sizeof(buffer))) \
	S(__getdomainname_chk, __getdomainname_chk(buffer, 256, sizeof(buffer))) \
	S(setdomainname, setdomainname("x", (size_t)-1)) \
	UNSAFE(T, getloadavg, getloadavg((double[1]){0}, 1) == 1) \
	T(get_nprocs_conf, get_nprocs_conf() > 0) \
	T(get_phys_pages, get_phys_pages() > 0) \
	T(get_avphys_pages, get_avphys_pages() > 0) \
	T(__getpid, __getpid() == getpid()) \
	T(getpgrp, getpgrp() >= 0) \
	T(getpgid, getpgid(0) >= 0) \
	T(__getpgid, __getpgid(0) >= 0) \
	T(getsid, getsid(0) >= 0) \
	S(geteuid, (int)geteuid()) \
	S(getgid, (int)getgid()) \
	S(getegid, (int)getegid()) \
	S(getresuid, getresuid((uid_t *)buffer, (uid_t *)buffer + 1, (uid_t *)buffer + 2)) \
	S(getresgid, getresgid((gid_t *)buffer, (gid_t *)buffer + 1, (gid_t *)buffer + 2)) \
	S(__getgroups_chk, __getgroups_chk(-1, (gid_t *)buffer, sizeof(buffer))) \
	UNSAFE(T, getlogin, (getlogin(), 1)) \
	UNSAFE(S, getlogin_r, getlogin_r(buffer, sizeof(buffer))) \
	UNSAFE(S, __getlogin_r_chk, __getlogin_r_chk(buffer, 256, sizeof(buffer))) \
	UNSAFE(T, getpwuid, getpwuid(0) != NULL) \
	UNSAFE(T, getpwnam, getpwnam("sg-none") == NULL) \
	UNSAFE(T, getpwent, (setpwent(), getpwent() != NULL)) \
	UNSAFE(S, getpwent_r, (setpwent(), getpwent_r(&pw, buffer, sizeof(buffer), &pwp))) \
	UNSAFE(T, getgrgid, getgrgid(0) != NULL) \
	UNSAFE(T, getgrnam, getgrnam("sg-none") == NULL) \
	UNSAFE(T, getgrent, (setgrent(), getgrent() != NULL)) \
	UNSAFE(S, getgrent_r, (setgrent(), getgrent_r(&gr, buffer, sizeof(buffer), &grp))) \
	UNSAFE(S, getgrnam_r, getgrnam_r("root", &gr, buffer, sizeof(buffer), &grp)) \
	UNSAFE(S, getgrouplist, getgrouplist("root", 0, (gid_t *)buffer, &(int){64})) \
	S(getcpu, getcpu((unsigned int *)buffer, NULL)) \
	UNSAFE(S, getifaddrs, getifaddrs((struct ifaddrs **)buffer) || (freeifaddrs(*(struct ifaddrs **)buffer), 0)) \
	UNSAFE(S, if_nameindex, interfaces()) \
	T(if_indextoname, if_indextoname(0x7fffffff, buffer) == NULL) \
	/* signals */ \
	S(sigaction, sigaction(SIGUSR2, NULL, &(struct sigaction){0})) \
	S(sigaction_error, sigaction(777, NULL, &(struct sigaction){0})) \
	S(__sigaction, __sigaction(SIGUSR2, NULL, &(struct sigaction){0})) \
	T(signal, signal(SIGURG, SIG_IGN) != SIG_ERR && signal(SIGURG, SIG_DFL) == SIG_IGN) \
	T(bsd_signal, bsd_signal(777, SIG_DFL) == SIG_ERR) \
	T(ssignal, ssignal(SIGURG, SIG_IGN) != SIG_ERR && ssignal(SIGURG, SIG_DFL) == SIG_IGN) \
	T(sysv_signal, sysv_signal(SIGURG, SIG_DFL) != SIG_ERR) \
	T(__sysv_signal, __sysv_signal(777, SIG_DFL) == SIG_ERR) \
	S(sigprocmask, sigprocmask(SIG_BLOCK, NULL, &(sigset_t){0})) \
	S(sigprocmask_error, sigprocmask(777, &(sigset_t){0}, NULL)) \
	S(pthread_sigmask, pthread_sigmask(SIG_BLOCK, &(sigset_t){0}, &(sigset_t){0}))
