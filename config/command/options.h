/*
 * options.h - options of the sub-commands: "--NAME", "--NAME VALUE" and "--NAME=VALUE", before, behind and between the arguments;
 * "--" ends them. --help writes the usage.
 */
#ifndef SG_COMMAND_OPTIONS_H
#define SG_COMMAND_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct sg_option {
	const char *name;           /* "--json" */
	const char *value;          /* for people: "MODE"; NULL: it has none */
	const char **ret_value;
	bool *ret_given;            /* may be NULL where there is a value */
	const char *variable;       /* a variable of the environment that is set to the value; may be NULL */
};

struct sg_usage {
	const char *command;        /* "audit" */
	const char *text;
	const struct sg_option *options; /* the last one has no name */
	const char *arguments;      /* for people: "PATH..."; NULL: it takes none */
	bool first_ends;            /* what follows the first argument is another program's */
};

/*
 * Moves the arguments to the front: returns how many there are. -1: *ret_status is what to exit with, after --help or a complaint.
 */
int sg_options_take(const struct sg_usage *usage, int count, char **arguments, int *ret_status);

/* The option that has set this variable of so many characters, "--mode"; NULL: the environment has. */
const char *sg_options_of_variable(const char *variable, size_t length);

/* For a value of one of these words: its index, or -1 with a complaint. value NULL: 0. */
int sg_options_choose(const char *command, const char *option, const char *value, const char *const *words);

#endif
