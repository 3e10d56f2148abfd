/*
 * The numbers of shim/interpreter/layout.h as variables, in an object that is linked for tests/layout/run.py alone. It finds
 * them by their names here, or puts one wrong as soon as the object is loaded: WRONG_LAYOUT=NAME=NUMBER.
 */
#include "shim/interpreter/layout.h"

#include <stdlib.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))

#define VALUE(name, type, offset, ...) offset,
#define NUMBER(name, value) value,
EXPORTED long sg_layout_values[SG_LAYOUT_COUNT] = {SG_LAYOUT_ROWS(VALUE, VALUE, NUMBER)};

struct sg_layout_row {
	const char *name;
	int since, until; /* first and last 3.x that has a use for it */
	const char *why;  /* the others have none */
};

#define EVERY(name, ...) {#name, 0, 99, ""},
#define SOME(name, type, offset, since, until, why) {#name, since, until, why},
EXPORTED extern const struct sg_layout_row sg_layout_rows[];
const struct sg_layout_row sg_layout_rows[] = {SG_LAYOUT_ROWS(EVERY, SOME, EVERY) {NULL, 0, 0, NULL}};

__attribute__((constructor)) static void put_one_wrong(void)
{
	const char *wrong = getenv("WRONG_LAYOUT"), *number = wrong ? strchr(wrong, '=') : NULL;

	for (int i = 0; number && i < SG_LAYOUT_COUNT; i++)
		if (strlen(sg_layout_rows[i].name) == (size_t)(number - wrong) &&
		    strncmp(sg_layout_rows[i].name, wrong, (size_t)(number - wrong)) == 0)
			sg_layout_values[i] = strtol(number + 1, NULL, 10);
}
