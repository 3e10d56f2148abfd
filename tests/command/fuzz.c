/*
 * fuzz.c - feeds damaged objects and wheels to the audit. Deterministic: the same seed makes the same inputs.
 *
 *     build/command/fuzz SECONDS SEED FILE...              until the time is over
 *     build/command/fuzz 0 SEED/NUMBER FILE...             one input, which is kept in the current directory
 *
 * An input that crashes or hangs ends the program; what is printed last is then the command that repeats it. Address
 * space is limited (but not under AddressSanitizer, which needs all of it).
 */
#define _GNU_SOURCE 1

#include "config/command/entries.h"
#include "config/command/report.h"
#include "config/command/walk.h"
#include "tests/random.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define INPUT_MAX (1u << 20)
#define SEEDS_MAX 32
#define HANG_SECONDS 20

struct seed {
	uint8_t *bytes;
	size_t size;
	bool wheel;
};

static struct seed seeds[SEEDS_MAX];
static int seed_count;
static char repeat[4096];
static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void load(const char *path)
{
	struct seed *seed = &seeds[seed_count];
	FILE *file = fopen(path, "r");
	size_t length = strlen(path);

	if (!file || seed_count == SEEDS_MAX)
		die(path);
	seed->bytes = malloc(INPUT_MAX);
	if (!seed->bytes)
		die("malloc");
	seed->size = fread(seed->bytes, 1, INPUT_MAX, file);
	seed->wheel = length > 4 && strcmp(path + length - 4, ".whl") == 0;
	fclose(file);
	seed_count++;
}

/* Where headers are: at the beginning of an object, at the end of a wheel, and both everywhere at times. */
static size_t place(const struct seed *seed, size_t size)
{
	size_t part = size < 1024 ? size : 1024;

	switch (random_below(4)) {
	case 0:
		return random_below(size);
	case 1:
		return size - 1 - random_below(part);
	default:
		return seed->wheel ? size - 1 - random_below(part) : random_below(part);
	}
}

static void mutate_once(const struct seed *seed, uint8_t *bytes, size_t *size)
{
	static const uint64_t values[] = {
		0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
		0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff, 0xfffffffffffff000
	};
	size_t at = place(seed, *size), width = (size_t)1 << random_below(4), other, length;
	uint64_t value;

	switch (random_below(8)) {
	case 0:
		bytes[at] ^= (uint8_t)(1u << random_below(8));
		break;
	case 1:
		bytes[at] = (uint8_t)random_next();
		break;
	case 2: case 3: case 4:
		value = random_below(3) ? values[random_below(sizeof(values) / sizeof(values[0]))] : random_below(*size * 2);
		at -= at % width;
		memcpy(bytes + at, &value, at + width <= *size ? width : *size - at);
		break;
	case 5:
		if (random_below(4) == 0)
			*size = 1 + random_below(*size);
		break;
	case 6:
		other = random_below(*size);
		length = random_below(256);
		if (length > *size - at)
			length = *size - at;
		if (length > *size - other)
			length = *size - other;
		memmove(bytes + at, bytes + other, length);
		break;
	default:
		length = random_below(64);
		memset(bytes + at, random_below(2) ? 0 : 0xff, length < *size - at ? length : *size - at);
		break;
	}
}

static void write_input(const char *path, const uint8_t *bytes, size_t size)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (file < 0 || write(file, bytes, size) != (ssize_t)size || close(file) != 0)
		die(path);
}

static void on_signal(int number)
{
	static const char text[] = "\ncrash or hang; to repeat: ";

	if (write(1, text, sizeof(text) - 1) > 0 && write(1, repeat, strlen(repeat)) > 0 && write(1,
			"\n", 1) > 0)
		signal(number, SIG_DFL);
	signal(number, SIG_DFL);
	raise(number);
}

static void audit(const struct sg_config *config, const char *path, FILE *sink)
{
	struct sg_findings *findings = calloc(1, sizeof(*findings));
	char *roots[] = {(char *)path};

	if (!findings)
		die("calloc");
	findings->config = config;
	findings->roots = roots;
	findings->root_count = 1;
	if (sg_walk_audit(findings, 0) != 0 || sg_findings_group(findings) != 0)
		die("out of memory");
	/* Either it was understood, or there is a sentence. */
	if (!findings->count && !findings->problem_count && !strstr(path, ".whl")) {
		printf("neither a finding nor a problem; to repeat: %s\n", repeat);
		exit(1);
	}
	sg_report_text(sink, findings);
	sg_report_json(sink, findings);
	sg_findings_release(findings);
	free(findings);
}

static void run_one(const struct sg_config *config, uint64_t number, uint64_t base, char **files,
		FILE *sink,
		const char *directory)
{
	static uint8_t bytes[INPUT_MAX];
	const struct seed *seed;
	char path[4200];
	size_t size, times;
	int length = snprintf(repeat, sizeof(repeat), "build/command/fuzz 0 %llu/%llu",
			(unsigned long long)base, (unsigned long long)number);

	for (int i = 0; files[i] && length < (int)sizeof(repeat) - 300; i++)
		length += snprintf(repeat + length, sizeof(repeat) - (size_t)length, " %.250s", files[i]);
	random_state = base * 0x2545f4914f6cdd1du + number;
	seed = &seeds[random_below((size_t)seed_count)];
	size = seed->size;
	memcpy(bytes, seed->bytes, size);
	times = 1 + random_below(12);
	for (size_t i = 0; i < times; i++)
		mutate_once(seed, bytes, &size);
	snprintf(path, sizeof(path), "%s/input.%s", directory, seed->wheel ? "whl" : "so");
	write_input(path, bytes, size);
	alarm(HANG_SECONDS);
	audit(config, path, sink);
	alarm(0);
}

int main(int count, char **arguments)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGALRM};
	struct rlimit limit = {(rlim_t)2 << 30, (rlim_t)2 << 30};
	char directory[] = "/tmp/sandglass-fuzz-XXXXXX", path[64], *slash;
	struct sg_config config;
	FILE *sink = fopen("/dev/null", "w");
	uint64_t base, number = 0;
	time_t end;

	if (count < 4) {
		fputs("usage: fuzz SECONDS SEED[/NUMBER] FILE...\n", stderr);
		return 2;
	}
	for (int i = 3; i < count; i++)
		load(arguments[i]);
	base = strtoull(arguments[2], &slash, 10);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], on_signal);
#ifndef __SANITIZE_ADDRESS__
	setrlimit(RLIMIT_AS, &limit);
#else
	(void)limit;
#endif
	if (!sink || !freopen("/dev/null", "w", stderr) || sg_entries_init() != 0 ||
			sg_config_load(&config, sg_condition_names, path, sizeof(path)) != 0)
		return 2;
	if (*slash == '/') {
		run_one(&config, strtoull(slash + 1, NULL, 10), base, arguments + 3, sink, ".");
		puts("no crash");
		return 0;
	}
	if (!mkdtemp(directory))
		die(directory);
	end = time(NULL) + strtol(arguments[1], NULL, 10);
	while (time(NULL) < end)
		run_one(&config, number++, base, arguments + 3, sink, directory);
	snprintf(path, sizeof(path), "%s/input.so", directory);
	unlink(path);
	snprintf(path, sizeof(path), "%s/input.whl", directory);
	unlink(path);
	rmdir(directory);
	printf("%llu inputs\n", (unsigned long long)number);
	sg_config_release(&config);
	sg_entries_release();
	return 0;
}
