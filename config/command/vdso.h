/*
 * vdso.h - code that gets at the clock past libc, by the vDSO that the kernel maps into every process.
 */
#ifndef SG_COMMAND_VDSO_H
#define SG_COMMAND_VDSO_H

#include "config/command/object.h"

#include <gelf.h>

/* Fills is_go and looks_for_vdso. What cannot be read holds nothing. */
void sg_vdso_look(struct sg_object *object, int file, const GElf_Phdr *segments, size_t count);

#endif
