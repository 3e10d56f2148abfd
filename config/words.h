/*
 * words.h - what a rule tells to write instead, in the words of the engine at hand. GIL: not needed.
 *
 * The replacement of a rule may have words in braces: {random}. What stands there is what [engine NAME] says.
 */
#ifndef SG_WORDS_H
#define SG_WORDS_H

#include "config/config.h"

#define SG_WORDS_SIZE 512 /* enough for every built-in replacement */

/* NULL: there is none of that name. */
const struct sg_engine_config *sg_words_engine(const struct sg_config *config, const char *name);

/* The text with the words of the engine of that name, cut where the buffer ends. */
const char *sg_words_put(const struct sg_config *config, const char *engine, const char *text, char *buffer, size_t size);

/*
 * tested: "1.8 to 1.35", major and minor numbers. Is the version, of which only these count, one of them? 1, 0, -1: tested is
 * no such text. NULL is anything; a version that has no numbers is none of them.
 */
int sg_words_tested(const char *tested, const char *version);

#endif
