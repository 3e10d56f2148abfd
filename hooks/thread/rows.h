/* Starting threads: see hooks/rows.h for the columns. */

HOOK(thread, REQ, int, pthread_create,
		(pthread_t *restrict ret_thread, const pthread_attr_t *restrict attributes,
		 void *(*start)(void *), void *restrict argument),
		(ret_thread, attributes, start, argument))
HOOK(thread, REQ, int, thrd_create, (thrd_t *ret_thread, thrd_start_t start, void *argument),
		(ret_thread, start, argument))

NOHOOK(pthread_join, "waits for a thread whose start was judged")
NOHOOK(pthread_self, "an address that differs from run to run; every lock asks for it")
NOHOOK(thrd_current, "as pthread_self")
NOHOOK(__nptl_create_event, "a debugger's breakpoint")
NOHOOK(__rpc_thread_createerr, "errno of the RPC client of 1990")
NOHOOK(__pthread_key_create, "thread-local storage")
NOHOOK(pthread_key_create, "as __pthread_key_create")
NOHOOK(tss_create, "as __pthread_key_create")
NOHOOK(pthread_atfork, "registers a function")
NOHOOK(__register_atfork, "as pthread_atfork")
