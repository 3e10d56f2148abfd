/*
 * command.h - the program `sandglass`: an ordinary program beside the preloaded object, never part of it.
 *
 * Exit status of every sub-command: 0 all is well, 1 the answer is no (audit: something is not safe; doctor: a
 * check failed; explain: no such rule; status: not guarded), 2 wrong usage, or something that could not be read. Of 1 and 2 the
 * higher. run ends as the program does that it becomes; 126 and 127 as in a shell.
 */
#ifndef SG_COMMAND_H
#define SG_COMMAND_H

#include "config/config.h"

#include <limits.h>

enum { SG_EXIT_OK, SG_EXIT_NO, SG_EXIT_TROUBLE };

/* arguments[0] is the name of the sub-command. */
int sg_command_audit(int count, char **arguments);
int sg_command_check(int count, char **arguments);
int sg_command_completion(int count, char **arguments);
int sg_command_explain(int count, char **arguments);
int sg_command_rules(int count, char **arguments);
int sg_command_doctor(int count, char **arguments);
int sg_command_object(int count, char **arguments);
int sg_command_report(int count, char **arguments);
int sg_command_run(int count, char **arguments);
int sg_command_status(int count, char **arguments);

/*
 * The configuration that a worker started here would read. Where SANDGLASS=off would leave it empty, *ret_off is
 * set and the rest of it is read all the same. On failure the sentence is on stderr, and -errno returned.
 */
int sg_command_config(struct sg_config *ret_config, const char *command, bool *ret_off);

/* What sg_config_load() has said of the environment; a setting that was an option is called by that name. */
void sg_command_complain_of_settings(const char *command, const char *error);

/* What the environment says of Sandglass is out of the way of what is asked next. */
void sg_command_clear_settings(void);

/* Where this program lies. False: it cannot be told. */
bool sg_command_directory(char directory[PATH_MAX]);

/*
 * The path of the preloaded object, absolute: beside this program (build/), or in ../lib or ../lib/sandglass of its
 * directory (PREFIX/bin). On failure returns -errno, and path[size] has the place where it was looked for last.
 */
int sg_command_find_object(char *path, size_t size);

/* The same; on failure the sentence is on stderr. */
int sg_command_need_object(const char *command, char *path, size_t size);

/* Puts that object into LD_PRELOAD of this process. 0, or -1 with a complaint. */
int sg_command_preload(const char *command, char *path, size_t size);

/*
 * The interpreter that is meant: given, a path or a name that PATH has, or the folder of a virtual environment; NULL: that of
 * $VIRTUAL_ENV, else the one beside this program, else python3. chosen[size] may be used for it.
 */
const char *sg_command_python(const char *given, char *chosen, size_t size);

#endif
