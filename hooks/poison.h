/*
 * poison.h - to be included last by a file of libc hooks: names that must not be used in one.
 *
 * They allocate, take locks, read the locale, or are (or will be) interposed by us. What to use
 * instead: the stack, raw.h, log.h, REAL().
 */
#ifndef SG_POISON_H
#define SG_POISON_H

#pragma GCC poison malloc calloc realloc free strdup strndup asprintf
#pragma GCC poison printf fprintf snprintf sprintf vsnprintf puts fputs perror
#pragma GCC poison getenv secure_getenv setenv unsetenv putenv
#pragma GCC poison dlopen dlsym dlerror syscall

#endif
