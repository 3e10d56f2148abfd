#define _GNU_SOURCE
#include "shim/base/attempt.h"

#include "shim/base/raw.h"

#include <errno.h>
#include <sys/wait.h>

int sg_attempt(long (*try)(void), const char **ret_reason)
{
	int status = 0;
	long child = sg_raw_syscall6(SYS_clone, 0, 0, 0, 0, 0, 0), error;

	if (child == 0)
		sg_raw_syscall(SYS_exit_group, try(), 0, 0, 0);
	if (child < 0) {
		*ret_reason = "no process could be started to try it";
		return -1;
	}
	do
		error = sg_raw_syscall(SYS_wait4, child, (long)&status, __WALL, 0);
	while (error == -EINTR);
	if (error >= 0 && WIFEXITED(status))
		return WEXITSTATUS(status);
	*ret_reason = error < 0 ? "the process that tried it was lost"
				: "the process that tried it was killed, as by a filter of seccomp";
	return -1;
}
