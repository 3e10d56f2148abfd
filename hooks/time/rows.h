/* Clocks, sleeps and timers: see hooks/rows.h for the columns. */

HOOK_VARIADIC(clock, REQ, int, clock_gettime, (clockid_t clock, struct timespec *ret_time))
HOOK_VARIADIC(clock, REQ, int, timespec_get, (struct timespec *ret_time, int base))
HOOK_VARIADIC(clock, REQ, time_t, time, (time_t *ret_time))
HOOK_VARIADIC(clock, REQ, int, gettimeofday, (struct timeval *restrict ret_time, void *restrict zone))
HOOK(clock, OPT, int, __gettimeofday, (struct timeval *restrict ret_time, void *restrict zone),
		(ret_time, zone))
HOOK(clock, OPT, int, ftime, (struct timeb *ret_time), (ret_time))
HOOK(clock, OPT, int, ntp_gettimex, (struct ntptimeval *ret_time), (ret_time))
HOOK(clock, REQ, int, adjtime, (const struct timeval *delta, struct timeval *ret_old), (delta, ret_old))
HOOK(clock, REQ, int, adjtimex, (struct timex *times), (times))
HOOK(clock, OPT, int, __adjtimex, (struct timex *times), (times))
HOOK(clock, REQ, int, ntp_adjtime, (struct timex *times), (times))
HOOK(clock, REQ, int, clock_adjtime, (clockid_t clock, struct timex *times), (clock, times))
HOOK(clock, REQ, int, clock_settime, (clockid_t clock, const struct timespec *time), (clock, time))
HOOK(clock, REQ, int, settimeofday, (const struct timeval *time, const struct timezone *zone),
		(time, zone))
/* Processor time. */
HOOK(clock, REQ, clock_t, clock, (void), ())
HOOK(clock, REQ, clock_t, times, (struct tms *ret_times), (ret_times))
HOOK(clock, REQ, int, getrusage, (__rusage_who_t who, struct rusage *ret_usage), (who, ret_usage))
/* What they make of a time depends on the zone: see zone.c. */
HOOK_VARIADIC(clock, REQ, struct tm *, localtime, (const time_t *time))
HOOK_VARIADIC(clock, REQ, struct tm *, localtime_r, (const time_t *restrict time, struct tm *restrict ret_tm))
HOOK_VARIADIC(clock, REQ, time_t, mktime, (struct tm *tm))
HOOK_VARIADIC(clock, REQ, time_t, timelocal, (struct tm *tm))
HOOK_VARIADIC(clock, REQ, char *, ctime, (const time_t *time))
HOOK_VARIADIC(clock, REQ, char *, ctime_r, (const time_t *restrict time, char *restrict ret_text))
HOOK_VARIADIC(clock, REQ, size_t, strftime,
		(char *restrict ret_text, size_t size, const char *restrict format, const struct tm *restrict tm))
HOOK_VARIADIC(clock, REQ, size_t, strftime_l,
		(char *restrict ret_text, size_t size, const char *restrict format, const struct tm *restrict tm,
		 locale_t locale))
HOOK_VARIADIC(clock, OPT, size_t, __strftime_l,
		(char *restrict ret_text, size_t size, const char *restrict format, const struct tm *restrict tm,
		 locale_t locale))
HOOK_VARIADIC(clock, REQ, size_t, wcsftime,
		(wchar_t *restrict ret_text, size_t size, const wchar_t *restrict format, const struct tm *restrict tm))
HOOK_VARIADIC(clock, REQ, size_t, wcsftime_l,
		(wchar_t *restrict ret_text, size_t size, const wchar_t *restrict format, const struct tm *restrict tm,
		 locale_t locale))
HOOK_VARIADIC(clock, OPT, size_t, __wcsftime_l,
		(wchar_t *restrict ret_text, size_t size, const wchar_t *restrict format, const struct tm *restrict tm,
		 locale_t locale))

HOOK(sleep, REQ, int, nanosleep, (const struct timespec *duration, struct timespec *ret_rest),
		(duration, ret_rest))
HOOK(sleep, OPT, int, __nanosleep, (const struct timespec *duration, struct timespec *ret_rest),
		(duration, ret_rest))
HOOK(sleep, REQ, int, clock_nanosleep,
		(clockid_t clock, int flags, const struct timespec *duration,
		 struct timespec *ret_rest),
		(clock, flags, duration, ret_rest))
HOOK(sleep, REQ, unsigned int, sleep, (unsigned int seconds), (seconds))
HOOK(sleep, REQ, int, usleep, (useconds_t duration), (duration))
HOOK(sleep, REQ, int, thrd_sleep, (const struct timespec *duration, struct timespec *ret_rest),
		(duration, ret_rest))
HOOK(sleep, REQ, unsigned int, alarm, (unsigned int seconds), (seconds))
HOOK(sleep, REQ, useconds_t, ualarm, (useconds_t value, useconds_t interval), (value, interval))
HOOK(sleep, REQ, int, setitimer,
		(__itimer_which_t which, const struct itimerval *restrict new_value,
		 struct itimerval *restrict ret_old),
		(which, new_value, ret_old))
HOOK(sleep, REQ, int, getitimer, (__itimer_which_t which, struct itimerval *ret_value),
		(which, ret_value))
HOOK(sleep, OPT, int, timer_create,
		(clockid_t clock, struct sigevent *restrict event, timer_t *restrict ret_timer),
		(clock, event, ret_timer))
HOOK(sleep, REQ, int, timerfd_create, (int clock, int flags), (clock, flags))
HOOK(sleep, REQ, int, pause, (void), ())

NOHOOK(clock_getres, "the same on every host of a deployment, and libraries ask at each start")
NOHOOK(timespec_getres, "as clock_getres")
NOHOOK(clock_getcpuclockid, "names a clock; reading it is judged")
NOHOOK(pthread_getcpuclockid, "as clock_getcpuclockid")
NOHOOK(timer_delete, "works on a timer whose making was judged")
NOHOOK(timer_getoverrun, "as timer_delete")
NOHOOK(timer_gettime, "as timer_delete")
NOHOOK(timer_settime, "as timer_delete")
NOHOOK(timerfd_gettime, "works on a descriptor whose making was judged")
NOHOOK(timerfd_settime, "as timerfd_gettime")
NOHOOK(gmtime, "a function of its argument")
NOHOOK(gmtime_r, "as gmtime")
NOHOOK(__gmtime_r, "as gmtime")
NOHOOK(timegm, "as gmtime")
NOHOOK(difftime, "as gmtime")
NOHOOK(asctime, "as gmtime")
NOHOOK(asctime_r, "as gmtime")
NOHOOK(dysize, "as gmtime")
NOHOOK(strptime, "a function of its arguments")
NOHOOK(strptime_l, "as strptime")
NOHOOK(getdate, "reads a template file through stdio inside libc; nobody calls it")
NOHOOK(getdate_r, "as getdate")
NOHOOK(timezone, "a variable, not a function")
NOHOOK(daylight, "as timezone")
NOHOOK(tzname, "as timezone")
NOHOOK(tzset, "reads TZ for later calls, which are judged")
NOHOOK(ntp_gettime, "headers have led to ntp_gettimex since 2010")
NOHOOK(stime, "only for programs of before 2020; needs root")
NOHOOK(rtime, "asks another host through the RPC client of 1990")
NOHOOK(profil, "a profiler's timer; its result is a histogram")
NOHOOK(sprofil, "as profil")
NOHOOK(vtimes, "only for programs of before 2020")
NOHOOK(pthread_cond_timedwait, "waits; what for is another thread's doing, and starting one is judged")
NOHOOK(pthread_cond_clockwait, "as pthread_cond_timedwait")
NOHOOK(pthread_mutex_timedlock, "as pthread_cond_timedwait")
NOHOOK(pthread_mutex_clocklock, "as pthread_cond_timedwait")
NOHOOK(pthread_rwlock_timedrdlock, "as pthread_cond_timedwait")
NOHOOK(pthread_rwlock_timedwrlock, "as pthread_cond_timedwait")
NOHOOK(pthread_rwlock_clockrdlock, "as pthread_cond_timedwait")
NOHOOK(pthread_rwlock_clockwrlock, "as pthread_cond_timedwait")
NOHOOK(pthread_timedjoin_np, "as pthread_cond_timedwait")
NOHOOK(pthread_clockjoin_np, "as pthread_cond_timedwait")
NOHOOK(cnd_timedwait, "as pthread_cond_timedwait")
NOHOOK(mtx_timedlock, "as pthread_cond_timedwait")
NOHOOK(sem_timedwait, "as pthread_cond_timedwait")
NOHOOK(sem_clockwait, "as pthread_cond_timedwait")
NOHOOK(sigtimedwait, "as pthread_cond_timedwait")
NOHOOK(__sigtimedwait, "as pthread_cond_timedwait")
NOHOOK(__clock_gettime, "private to glibc's own libraries")
NOHOOK(getdate_err, "a variable, not a function")
