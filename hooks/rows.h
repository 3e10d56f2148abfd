/*
 * rows.h - every libc entry point that Sandglass interposes, or leaves alone on purpose. One row
 * each.
 *
 *     HOOK(family, need, type, name, (parameters), (arguments))
 *     HOOK_VARIADIC(family, need, type, name, (parameters))     its shell is written by hand
 *     NOHOOK(name, "why")
 *
 * need says what the libc at hand may lack:
 *     REQ  nothing: without it Sandglass refuses to start
 *     OPT  the symbol; a call then returns -1 with ENOSYS
 *
 * A new family adds one file NAME_rows.h and its line below; a new entry point one row. From the
 * rows come the typedefs and REAL() (shim/real.h), the resolver (shim/real.c), the shells
 * (hooks/hook.h) and, through the preprocessor alone, hence no #include of anything else here:
 *     cc -E -P -DSG_VERSION_SCRIPT hooks/rows.h    the linker's version script
 *     cc -E -P -DSG_ROW_LIST hooks/rows.h          "hook NAME" and "nohook NAME WHY", for tests
 *
 * No include guard: whoever includes it defines the three macros first, and finds them undefined
 * after.
 */
#if defined(SG_VERSION_SCRIPT)
#define HOOK(family, need, type, name, parameters, arguments) name;
#define HOOK_VARIADIC(family, need, type, name, parameters) name;
#define NOHOOK(name, why)
{ global:
#elif defined(SG_ROW_LIST)
#define HOOK(family, need, type, name, parameters, arguments) hook name
#define HOOK_VARIADIC(family, need, type, name, parameters) hook name
#define NOHOOK(name, why) nohook name why
#endif

#include "process_rows.h"

#if defined(SG_VERSION_SCRIPT)
local: *; };
#endif

#undef HOOK
#undef HOOK_VARIADIC
#undef NOHOOK
