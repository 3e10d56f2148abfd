/*
 * older.h - what a C library may lack that has no such entry yet, done by the kernel: a program that looks for one of these
 * names finds that of Sandglass, which has to work then.
 *
 * Errors as the C library's: -1 and errno. Async-signal-safe. GIL: not needed.
 */
#ifndef SG_OLDER_H
#define SG_OLDER_H

/* The function of that name, of the type that its row has (hooks/rows.h); NULL: there is none. */
void *sg_older_find(const char *name);

#endif
