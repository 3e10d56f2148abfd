/*
 * parser.h - configuration files: INI by inih, sections and keys as config.h has them.
 *
 * A line has at most 1000 bytes. Errors as in draft.h; -errno of the system for a file that cannot
 * be read. Sets the global options of our own, static inih, so not for two threads at once. GIL:
 * not needed.
 */
#ifndef SG_PARSER_H
#define SG_PARSER_H

#include "config/draft.h"

/* source names the text in messages. */
int sg_parser_text(struct sg_draft *draft, const char *source, const char *text, size_t size);

int sg_parser_file(struct sg_draft *draft, const char *path);

#endif
