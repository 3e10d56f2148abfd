#define _GNU_SOURCE 1

#include "config/command/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct stream {
	int file;
	char *text;
	size_t length;
};

static void become(char *const arguments[], int output, int errors, int failure)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setpgid(0, 0);
	if (null < 0 || dup2(null, 0) < 0 || dup2(output, 1) < 0 || dup2(errors, 2) < 0)
		_exit(127);
	execvp(arguments[0], arguments);
	if (write(failure, &errno, sizeof(errno)) < 0)
		_exit(126);
	_exit(127);
}

static long milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* False at the end of the stream. What does not fit is read and dropped, so that the child can go on. */
static bool take(struct stream *stream)
{
	char spill[4096];
	size_t left = SG_CHILD_OUTPUT - 1 - stream->length;
	ssize_t got = read(stream->file, left ? stream->text + stream->length : spill,
			left ? left : sizeof(spill));

	if (got < 0)
		return errno == EINTR;
	if (left)
		stream->length += (size_t)got;
	return got > 0;
}

static int follow(struct stream streams[2], int seconds)
{
	long until = milliseconds() + seconds * 1000L;
	struct pollfd files[2] = {{streams[0].file, POLLIN, 0}, {streams[1].file, POLLIN, 0}};

	while (files[0].fd >= 0 || files[1].fd >= 0) {
		long left = until - milliseconds();

		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(files, 2, (int)left) < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < 2; i++)
			if (files[i].fd >= 0 && files[i].revents && !take(&streams[i]))
				files[i].fd = -1;
	}
	return 0;
}

int sg_child_run(struct sg_child *ret_child, char *const arguments[], int seconds)
{
	int pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}}, error = 0, failure = 0;
	struct stream streams[2];
	pid_t child;

	memset(ret_child, 0, sizeof(*ret_child));
	for (int i = 0; i < 3 && !error; i++)
		error = pipe2(pipes[i], O_CLOEXEC) ? -errno : 0;
	child = error ? -1 : fork();
	if (child == 0)
		become(arguments, pipes[0][1], pipes[1][1], pipes[2][1]);
	if (child < 0 && !error)
		error = -errno;
	for (int i = 0; i < 3; i++)
		if (pipes[i][1] >= 0)
			close(pipes[i][1]);
	if (!error) {
		streams[0] = (struct stream){pipes[0][0], ret_child->output, 0};
		streams[1] = (struct stream){pipes[1][0], ret_child->errors, 0};
		if (read(pipes[2][0], &failure, sizeof(failure)) == sizeof(failure))
			error = -failure;
		else
			error = follow(streams, seconds);
		if (error == -ETIMEDOUT)
			kill(-child, SIGKILL);
		while (waitpid(child, &ret_child->status, 0) < 0 && errno == EINTR)
			;
	}
	for (int i = 0; i < 3; i++)
		if (pipes[i][0] >= 0)
			close(pipes[i][0]);
	return error;
}
