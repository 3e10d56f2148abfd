/* System calls by number: see hooks/rows.h for the columns. */

HOOK_VARIADIC(syscall, REQ, long, syscall, (long number, ...))
