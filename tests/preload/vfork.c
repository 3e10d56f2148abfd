/*
 * vfork() and exec in a process whose other threads go on, as CPython's subprocess does it. Loaded
 * into a worker with ctypes. Returns NULL, or what is wrong.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((visibility("default")))
const char *vfork_check(char *program, char *preload);

static volatile bool finished;

static void *allocate(void *unused)
{
	while (!finished)
		free(malloc(1000));
	return unused;
}

const char *vfork_check(char *program, char *preload)
{
	char *argv[] = { program, NULL };
	char *envp[] = { (char *)"A=1", preload, (char *)"SANDGLASS_INHERIT=none", (char *)"Z=1",
			NULL };
	const char *wrong = NULL;
	pthread_t thread;
	bool threaded = false;
	volatile int error = 0;

	for (int round = 0; round < 200 && !wrong; round++) {
		struct mallinfo2 before = mallinfo2();
		pid_t child;
		int status;

		errno = 4711;
		child = vfork();
		if (child == 0) {
			if (round % 2)
				execve("/nonexistent/program", argv, envp);
			else
				execve(program, argv, envp);
			error = errno;
			_exit(99);
		}
		waitpid(child, &status, 0);
		if (round % 2 && (error != ENOENT || WEXITSTATUS(status) != 99))
			wrong = "a failing exec gives another errno";
		else if (!(round % 2) && status != 0)
			wrong = "the program was not run, or was run with the preload";
		else if (mallinfo2().uordblks != before.uordblks)
			wrong = "the child allocated memory";
		else if (strcmp(envp[2], "SANDGLASS_INHERIT=none") != 0 || envp[1] != preload)
			wrong = "the child changed the caller's environment";
		if (threaded && wrong && strstr(wrong, "allocated"))
			wrong = NULL; /* by the other thread */
		if (round == 100)
			threaded = pthread_create(&thread, NULL, allocate, NULL) == 0;
	}
	finished = true;
	if (threaded)
		pthread_join(thread, NULL);
	return wrong;
}
