/*
 * preload.h - puts the object into LD_PRELOAD of this process's environment, for a program that it starts.
 */
#ifndef SG_COMMAND_PRELOAD_H
#define SG_COMMAND_PRELOAD_H

/*
 * In front of what is there; nothing when the very file is there already. 0; -EINVAL: the path has a blank or a colon,
 * at which the loader would cut it; -ENOMEM.
 */
int sg_preload_add(const char *object);

#endif
