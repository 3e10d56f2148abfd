/*
 * assert.h - what must hold, checked in a build with DEBUG=1 alone: a process where it does not ends with SIGILL at that line.
 */
#ifndef SG_ASSERT_H
#define SG_ASSERT_H

#ifdef SG_DEBUG
#define sg_assert(condition) ((condition) ? (void)0 : __builtin_trap())
#else
#define sg_assert(condition) ((void)sizeof(condition))
#endif

#endif
