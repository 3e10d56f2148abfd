/*
 * child.h - runs a program and keeps the beginning of what it writes.
 */
#ifndef SG_COMMAND_CHILD_H
#define SG_COMMAND_CHILD_H

#define SG_CHILD_OUTPUT 32768

struct sg_child {
	char output[SG_CHILD_OUTPUT];   /* of standard output; ends with a zero */
	char errors[SG_CHILD_OUTPUT];   /* of standard error */
	int status;                     /* as of waitpid() */
};

/*
 * Standard input is /dev/null. Returns 0 when it has ended by itself; -ETIMEDOUT after killing it; another -errno
 * when it could not be started. Environment: that of this process.
 */
int sg_child_run(struct sg_child *ret_child, char *const arguments[], int seconds);

#endif
