/*
 * A program of another C library: what it prints must not depend on whether the object is in it.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void *on_a_thread(void *nothing)
{
	return strdup(nothing ? "?" : "thread");
}

int main(void)
{
	struct timespec now;
	struct stat status;
	pthread_t thread;
	void *said = NULL;
	char bytes[16];
	int ended;

	setenv("WORD", "environment", 1);
	printf("%d %d %d %s\n", clock_gettime(CLOCK_REALTIME, &now), stat("/", &status), (int)getrandom(bytes, sizeof(bytes), 0), getenv("WORD"));
	if (pthread_create(&thread, NULL, on_a_thread, NULL) == 0)
		pthread_join(thread, &said);
	printf("%s %d\n", said ? (char *)said : "no thread", mknod("/", S_IFIFO | 0600, 0));
	free(said);
	fflush(stdout);
	if (fork() == 0) {
		execlp("echo", "echo", "child", (char *)NULL);
		_exit(1);
	}
	wait(&ended);
	return system("exit 3") >> 8;
}
