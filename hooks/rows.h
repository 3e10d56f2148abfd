/*
 * rows.h - every libc entry point that Sandglass interposes, or leaves alone on purpose. One row
 * each.
 *
 *     HOOK(family, need, type, name, (parameters), (arguments))
 *     HOOK_VARIADIC(family, need, type, name, (parameters))     its shell is written by hand
 *     NOHOOK(name, "why")
 *
 * need says what the libc at hand may lack:
 *     REQ  nothing, from glibc 2.28 on: without it Sandglass refuses to start
 *     OPT  the symbol; a call is then led as shim/base/real.h says
 * Where the libc has several versions of a name, REAL is the newest. A name that it has only for old programs
 * (one '@' in nm -D) cannot be found by dlsym, so it needs a shell by hand that calls its successor.
 *
 * A new family adds one file NAME/rows.h and its line below; a new entry point one row. From the
 * rows come the typedefs and REAL() (shim/base/real.h), the resolver (shim/base/real.c), the shells
 * (hooks/hook.h) and, through the preprocessor alone, hence no #include of anything else here:
 *     cc -E -P -DSG_VERSION_SCRIPT hooks/rows.h    the linker's version script
 *     cc -E -P -DSG_ROW_LIST hooks/rows.h          "hook NAME" and "nohook NAME WHY", for tests
 *     cc -E -P -DSG_ROW_TABLE hooks/rows.h         the same with families, for hooks/coverage.sh
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
#elif defined(SG_ROW_TABLE)
#define HOOK(family, need, type, name, parameters, arguments) hook family name
#define HOOK_VARIADIC(family, need, type, name, parameters) hook family name
#define NOHOOK(name, why) nohook name why
#endif

#include "environment/rows.h"
#include "file/rows.h"
#include "host/rows.h"
#include "network/rows.h"
#include "process/rows.h"
#include "random/rows.h"
#include "signal/rows.h"
#include "syscall/rows.h"
#include "thread/rows.h"
#include "time/rows.h"

#if defined(SG_VERSION_SCRIPT)
local: *; };
#endif

#undef HOOK
#undef HOOK_VARIADIC
#undef NOHOOK
