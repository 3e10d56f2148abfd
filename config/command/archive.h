/*
 * archive.h - the objects in a wheel. minizip is used here only.
 *
 * Members are unpacked one at a time into a file without a name; memory does not grow with them.
 */
#ifndef SG_COMMAND_ARCHIVE_H
#define SG_COMMAND_ARCHIVE_H

#include "config/command/findings.h"

#define SG_ARCHIVE_MEMBER_MAX ((uint64_t)4 << 30)
#define SG_ARCHIVE_TOTAL_MAX ((uint64_t)16 << 30)
#define SG_ARCHIVE_MEMBERS_MAX 1000000

/* What cannot be read becomes a problem of the findings. Returns 0, or what sg_findings_add() returns. */
int sg_archive_audit(struct sg_findings *findings, const char *path, size_t root);

/* A name that cannot be that of an object, such as one in ".py": not worth opening. */
bool sg_archive_skips(const char *name);

#endif
