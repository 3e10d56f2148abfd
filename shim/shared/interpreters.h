/*
 * interpreters.h - other interpreters of the process run as without us.
 *
 * They share functions and types of C with the one that is guarded, and none of its objects: a thread that goes there is in no
 * run for as long. While one is made, CPython stores to attributes of its first modules, and its thread state does not allow a
 * call yet: what stores.h has put in the place of such a store would end the process. So it is taken away for as long, whoever
 * makes the interpreter. GIL: held.
 */
#ifndef SG_INTERPRETERS_H
#define SG_INTERPRETERS_H

/* The host has imported a module, before its rules are armed; NULL: any that is there already. No exception. */
void sg_interpreters_imported(const char *module);

#endif
