/*
 * source.h - what searches through the code of a run's own modules share: Python, which stands before what is theirs. sys and
 * types are imported then.
 *
 * codes_of(code): it, and those in it. third_party(module): installed for Python. attr(value, name): or None.
 */
#ifndef SG_SOURCE_H
#define SG_SOURCE_H

#define SG_SOURCE_OF_SEARCHES \
	"import sys, types\n" \
	"def codes_of(code):\n" \
	"    yield code\n" \
	"    for c in code.co_consts:\n" \
	"        if type(c) is types.CodeType: yield from codes_of(c)\n" \
	"def third_party(m):\n" \
	"    f = m.__dict__.get('__file__') or ''\n" \
	"    return '/site-packages/' in f or '/dist-packages/' in f\n" \
	"def attr(v, n):\n" /* a metaclass may be the workflow's, and have another way */ \
	"    try: return type.__getattribute__(v, n) if issubclass(type(v), type) else getattr(v, n)\n" \
	"    except AttributeError: return None\n"

#endif
