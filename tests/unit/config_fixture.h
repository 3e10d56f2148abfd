/*
 * config_fixture.h - what the tests of the configuration share: each states its whole input,
 * variables and files in a directory of its own. Check forks for each, so nothing stays in the
 * environment.
 */
#ifndef CONFIG_FIXTURE_H
#define CONFIG_FIXTURE_H

#include "config/command/entries.h"
#include "config/config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char directory[64];
static struct sg_config config;
static char error[1024];

static inline void setup(void)
{
	strcpy(directory, "/tmp/sandglass-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	clearenv();
	memset(&config, 0x5a, sizeof(config));
	error[0] = 0;
}

static inline void teardown(void)
{
	char command[128];

	snprintf(command, sizeof(command), "/bin/rm -rf %s", directory);
	ck_assert_int_eq(system(command), 0);
}

static inline const char *path_of(const char *name)
{
	static char paths[4][128];
	static int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	return path;
}

static inline void write_bytes(const char *name, const char *text, size_t size)
{
	FILE *file = fopen(path_of(name), "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
}

static inline void write_text(const char *name, const char *text)
{
	write_bytes(name, text, strlen(text));
}

/* A file that SANDGLASS_CONFIG names. */
static inline void use_file(const char *text)
{
	write_text("rules.conf", text);
	setenv("SANDGLASS_CONFIG", path_of("rules.conf"), 1);
}

#endif
