/* A compiled library that makes many kinds of calls at once. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default"))) long

/* More kinds of calls than are kept one by one; the last one is of another family. */
EXPORT native_various(void);
EXPORT native_various(void)
{
	struct stat status;
	char text[256];
	volatile time_t now;

	close(open("/nonexistent", O_RDONLY));
	close(openat(AT_FDCWD, "/nonexistent", O_RDONLY));
	close(creat("/nonexistent/file", 0600));
	stat("/nonexistent", &status);
	lstat("/nonexistent", &status);
	fstatat(AT_FDCWD, "/nonexistent", &status, 0);
	access("/nonexistent", R_OK);
	faccessat(AT_FDCWD, "/nonexistent", R_OK, 0);
	unlink("/nonexistent");
	unlinkat(AT_FDCWD, "/nonexistent", 0);
	rmdir("/nonexistent");
	mkdir("/nonexistent/directory", 0700);
	mkdirat(AT_FDCWD, "/nonexistent/directory", 0700);
	rename("/nonexistent", "/nonexistent");
	link("/nonexistent", "/nonexistent");
	symlink("/nonexistent", "/nonexistent/link");
	chmod("/nonexistent", 0600);
	truncate("/nonexistent", 0);
	if (readlink("/nonexistent", text, sizeof(text)) >= 0)
		return 0;
	now = time(NULL);
	return now > 0;
}
