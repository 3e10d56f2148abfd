/*
 * Handlers and masks of signals: see hooks/rows.h for the columns. Nobody is judged by them; hardened mode needs two signals
 * for itself and keeps what others set for these beneath its own handlers.
 */

HOOK(signal, REQ, int, sigaction,
		(int number, const struct sigaction *restrict action, struct sigaction *restrict ret_old),
		(number, action, ret_old))
HOOK(signal, OPT, int, __sigaction,
		(int number, const struct sigaction *restrict action, struct sigaction *restrict ret_old),
		(number, action, ret_old))
HOOK(signal, REQ, sighandler_t, signal, (int number, sighandler_t handler), (number, handler))
HOOK(signal, OPT, sighandler_t, bsd_signal, (int number, sighandler_t handler), (number, handler))
HOOK(signal, OPT, sighandler_t, ssignal, (int number, sighandler_t handler), (number, handler))
HOOK(signal, OPT, sighandler_t, sysv_signal, (int number, sighandler_t handler), (number, handler))
HOOK(signal, OPT, sighandler_t, __sysv_signal, (int number, sighandler_t handler), (number, handler))
HOOK(signal, REQ, int, sigprocmask,
		(int how, const sigset_t *restrict mask, sigset_t *restrict ret_old), (how, mask, ret_old))
HOOK(signal, REQ, int, pthread_sigmask,
		(int how, const sigset_t *restrict mask, sigset_t *restrict ret_old), (how, mask, ret_old))

NOHOOK(sigset, "of System V; the next activation notices that a handler of ours is gone")
NOHOOK(sigignore, "as sigset")
NOHOOK(sighold, "of System V, one signal at a time: nobody blocks SIGSYS or SIGSEGV by it")
NOHOOK(sigrelse, "as sighold")
NOHOOK(sigblock, "of 4.2 BSD")
NOHOOK(sigsetmask, "as sigblock")
NOHOOK(siggetmask, "as sigblock")
NOHOOK(sigvec, "as sigblock")
