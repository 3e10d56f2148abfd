/* The environment of the process: see hooks/rows.h for the columns. */

HOOK_VARIADIC(environment, REQ, char *, getenv, (const char *name))
HOOK_VARIADIC(environment, REQ, char *, secure_getenv, (const char *name))
HOOK(environment, REQ, int, setenv, (const char *name, const char *value, int replace),
		(name, value, replace))
HOOK(environment, REQ, int, unsetenv, (const char *name), (name))
HOOK(environment, REQ, int, putenv, (char *entry), (entry))
HOOK(environment, REQ, int, clearenv, (void), ())

NOHOOK(__secure_getenv, "for programs of before 2012")
NOHOOK(__libc_secure_getenv, "the same function as secure_getenv under libc's own name")
NOHOOK(environ, "a variable, not a function")
NOHOOK(_environ, "as environ")
NOHOOK(__environ, "as environ")
NOHOOK(setlocale, "chosen once, at start; reads LANG inside libc")
NOHOOK(newlocale, "as setlocale")
NOHOOK(__newlocale, "as setlocale")
NOHOOK(localeconv, "as setlocale")
