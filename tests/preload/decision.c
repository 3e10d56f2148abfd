/*
 * The decisions of hooks/process/inherit.c without starting anything.
 *
 *     decision python [-p] PROGRAM...         "yes" or "no" for each: would it run a Python
 *     interpreter? decision environment OWN_PATH PRELOAD NAME=VALUE...
 *         the entries a child without the preload gets, started from the directory / by a process
 *         that itself was started here with LD_PRELOAD=PRELOAD
 */
#define _GNU_SOURCE 1
#include "hooks/process/inherit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sg_program program = { AT_FDCWD, "/bin/true", false };
	struct sg_inherit_plan plan;
	char **environment;
	void *memory = NULL;

	if (argc < 3)
		return 2;
	if (strcmp(argv[1], "python") == 0) {
		for (int i = 2; i < argc; i++) {
			if (strcmp(argv[i], "-p") == 0) {
				program.search = true;
				continue;
			}
			program.path = argv[i];
			puts(sg_inherit_is_python(&program) ? "yes" : "no");
		}
		return 0;
	}
	/* Only now: this process shall not be preloaded with anything. */
	if (argc < 4 || setenv("LD_PRELOAD", argv[3], 1) != 0)
		return 2;
	sg_inherit_configure(SG_INHERIT_NONE, argv[2]);
	if (chdir("/") != 0)
		return 2;
	environment = argv + 4;
	if (sg_inherit_plan(&program, environment, &plan)) {
		/* Exactly as much as was asked for, so that a sanitizer sees what goes over it. */
		memory = malloc(plan.size);
		environment = sg_inherit_copy(&plan, memory, environment);
	} else {
		puts("unchanged");
	}
	for (; *environment; environment++)
		puts(*environment);
	free(memory);
	return 0;
}
