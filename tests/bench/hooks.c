/*
 * What an interposed libc call costs where no workflow runs: nanoseconds a call, the least of many rounds.
 *
 *     cc -O2 -o hooks tests/bench/hooks.c && ./hooks && LD_PRELOAD=build/libsandglass.so ./hooks
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#define ROUNDS 400
#define CALLS 2000

static volatile int sink;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

#define MEASURE(name, call) \
	do { \
		double least = 1e18; \
		\
		for (int round = 0; round < ROUNDS; round++) { \
			double start = now(), spent; \
			\
			for (int i = 0; i < CALLS; i++) \
				sink = (int)(call); \
			spent = (now() - start) / CALLS; \
			if (spent < least) \
				least = spent; \
		} \
		printf("%s %.2f\n", name, least); \
	} while (0)

int main(void)
{
	struct timespec time;
	struct stat status;
	char byte;

	MEASURE("clock_gettime", clock_gettime(CLOCK_REALTIME, &time));
	MEASURE("getenv", getenv("SG_NO_SUCH_NAME") != NULL);
	MEASURE("rand", rand());
	MEASURE("open", open("", O_RDONLY));
	MEASURE("stat", stat("", &status));
	MEASURE("getrandom", getrandom(&byte, 0, 0));
	return 0;
}
