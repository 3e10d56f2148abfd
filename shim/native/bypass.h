/*
 * bypass.h - compiled code whose calls of libc do not come to our hooks.
 *
 * An object that was opened with RTLD_DEEPBIND is bound to libc before it is bound to us. Its slots are written over
 * with what any other object has in them; where that is not to be done the log names it. Others can only be named
 * (event=bypass): those in a namespace of their own (dlmopen), whose libc is another one with another errno, and
 * those that look for the vDSO's clock by themselves, as every Go runtime does.
 *
 * In force whenever an engine is, with or without hardened mode. GIL: held.
 */
#ifndef SG_BYPASS_H
#define SG_BYPASS_H

/* Once, when an engine appears; not in the loader's way (dlsym). */
void sg_bypass_start(void);

/* Before workflow code runs: looks at what has been loaded since. Nothing new: one call of dl_iterate_phdr(). */
void sg_bypass_look(void);

#endif
