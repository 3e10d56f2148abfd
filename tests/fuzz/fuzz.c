/*
 * fuzz.c - damaged rule files, variables, zone files and log values, led by which code an input runs that no other one did.
 *
 *     build/fuzz/fuzz SECONDS SEED CORPUS      the kept inputs, CORPUS/TARGET/NAME, then new ones for that long
 *     build/fuzz/fuzz TARGET FILE              one input
 *     KEEP=DIRECTORY                           inputs that run something new are written to DIRECTORY/TARGET/
 *
 * Built with AddressSanitizer and UBSan, as `make fuzz` does. An input that they stop, that hangs, or after which something is not as it has to be
 * is written to the current directory, and the command that repeats it is printed: with the fault mended it is to be kept in
 * the corpus, which every `make test` runs.
 */
#define _GNU_SOURCE 1

#include "config/config.h"
#include "config/draft.h"
#include "config/parser.h"
#include "config/zone.h"
#include "shim/base/log.h"
#include "tests/random.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sanitizer/common_interface_defs.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define INPUT_MAX 8192
#define INPUTS_MAX 4096
#define HANG_SECONDS 20
#define MAP_SIZE 16384

struct input {
	unsigned char *bytes;
	size_t size;
};

struct target {
	const char *name;
	void (*try)(const char *text, size_t size); /* text ends with a zero beyond size, in memory of just that size */
	const char *const *words;
	struct input inputs[INPUTS_MAX];
	size_t count, kept;
	unsigned char seen[MAP_SIZE];
};

/* As the built-in one is made, but short: it is read anew for each input. */
const char sg_default_conf[] =
	"[settings]\nmode = enforce\nlog = stderr\n[engine example]\npackages = example\nworker = example.worker\nrandom = a number\n"
	"[sinks]\nlogging = anywhere | it is a log\n[native]\n* = block | compiled code\n[types]\na.B = fixed | it never changes\n"
	"[rules]\ntime.time = block when=now answer=clock | it is the clock | {random}\ntime.sleep = block when=nonzero:0 | waits | x\n"
	"os.getenv = block guard=call allow=os.environ | it differs | an argument\nos.environ = warn guard=mapping | it differs | x\n";
const size_t sg_default_conf_size = sizeof(sg_default_conf) - 1;
static const char *const conditions[] = {"now", "nonzero", "name", NULL};

static struct target *current;
static struct input now;
static bool stopping;
static unsigned char run_map[MAP_SIZE];
static uintptr_t last_place;

/* The compiler calls it in each block of the code under test. */
void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
	uintptr_t place = (uintptr_t)__builtin_return_address(0);
	unsigned char *count = &run_map[((place * UINT64_C(0x9e3779b97f4a7c15)) >> 48 ^ last_place >> 1) % MAP_SIZE];

	*count += *count < 255;
	last_place = (place * UINT64_C(0x9e3779b97f4a7c15)) >> 48;
}

/* ---- what has to be so ---- */

static void write_input(const char *path)
{
	FILE *file = fopen(path, "w");

	if (file) {
		fwrite(now.bytes, 1, now.size, file);
		fclose(file);
	}
}

static void stopped(void)
{
	char path[64];

	if (!current || stopping)
		return;
	stopping = true;
	snprintf(path, sizeof(path), "fuzz-%s-%lx", current->name, (long)getpid());
	write_input(path);
	fprintf(stderr, "fuzz: repeat: build/fuzz/fuzz %s %s\n", current->name, path);
}

__attribute__((noreturn, format(printf, 1, 2))) static void wrong(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fprintf(stderr, "fuzz: %s: ", current->name);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	stopped();
	_exit(1);
}

static void on_alarm(int number)
{
	(void)number;
	wrong("an input takes more than %d s", HANG_SECONDS);
}

/* ---- targets ---- */

/* One sentence on one line of a terminal. */
static void check_sentence(const char *sentence, size_t size)
{
	if (!*sentence || !memchr(sentence, 0, size))
		wrong("refused without a sentence");
	for (const char *at = sentence; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 127)
			wrong("a byte %d in the sentence: %s", *at, sentence);
}

/* All of it can be read. */
static void check_config(const struct sg_config *config)
{
	size_t length = strlen(config->log) + strlen(config->tz);

	for (size_t i = 0; i < config->rule_count; i++) {
		const struct sg_rule *rule = &config->rules[i];

		length += strlen(rule->name) + strlen(rule->source) + strlen(rule->reason) + strlen(rule->replacement);
		if (sg_config_rule(config, rule->name) != rule)
			wrong("the rule %s is not found", rule->name);
		if (rule->condition && (!*conditions || strlen(rule->condition) > 64))
			wrong("the rule %s has an unknown condition", rule->name);
	}
	for (size_t i = 0; i < config->sink_count; i++)
		length += strlen(config->sinks[i].module) + strlen(config->sinks[i].reason);
	for (size_t i = 0; i < config->native_rule_count; i++)
		length += strlen(config->native_rules[i].object) + strlen(config->native_rules[i].reason);
	for (size_t i = 0; i < config->type_rule_count; i++)
		length += strlen(config->type_rules[i].name) + strlen(config->type_rules[i].reason);
	for (char **name = config->passthrough; *name; name++)
		length += strlen(*name);
	for (char **name = config->reload; *name; name++)
		length += strlen(*name);
	for (char **name = config->allowed; *name; name++)
		length += strlen(*name);
	if (!length)
		wrong("a configuration of nothing");
}

static void load(const char *text, size_t size)
{
	struct sg_config config;
	char error[512] = "";
	int result;

	(void)text, (void)size;
	result = sg_config_load(&config, conditions, error, sizeof(error));
	if (result)
		check_sentence(error, sizeof(error));
	if (result)
		return;
	if (config.mode != SG_MODE_OFF)
		check_config(&config);
	sg_config_release(&config);
}

static int file = -1;
static char file_path[64];

static void try_file(const char *text, size_t size)
{
	char variable[128];
	char *surroundings[] = {variable, NULL};

	snprintf(variable, sizeof(variable), "SANDGLASS_CONFIG=%s", file_path);
	if (ftruncate(file, 0) || pwrite(file, text, size, 0) != (ssize_t)size)
		wrong("the file cannot be written");
	environ = surroundings;
	load(text, size);
	environ = NULL;
}

/* A variable a line, some of them twice. */
static void try_environment(const char *text, size_t size)
{
	char *copy = malloc(size + 1), *surroundings[65], *rest = copy;
	size_t count = 0;

	memcpy(copy, text, size);
	copy[size] = 0;
	while (rest && count < 64) {
		char *line = strsep(&rest, "\n");

		/* Not any file of the machine: some never end. */
		if (strncmp(line, "SANDGLASS_CONFIG=", 17) != 0 || !strchr(line, '/'))
			surroundings[count++] = line;
	}
	surroundings[count] = NULL;
	environ = surroundings;
	load(text, size);
	environ = NULL;
	free(copy);
}

static void try_zone(const char *text, size_t size)
{
	static const int64_t times[] = {0, 1, -1, 1700000000, -4000000000, 4000000000, 32503680000, INT64_C(-62135596800),
		INT64_C(67767976233529199), INT64_C(-67768040609740800), INT64_MAX, INT64_MIN};
	unsigned char *bytes = malloc(size ? size : 1);
	struct sg_arena arena = {0};
	const struct sg_zone *zone = NULL;
	int result;

	memcpy(bytes, text, size);
	result = sg_zone_parse(&arena, bytes, size, &zone);
	if (result && result != -EINVAL && result != -ENOTSUP)
		wrong("the answer is %d", result);
	for (size_t i = 0; !result && i < sizeof(times) / sizeof(times[0]); i++) {
		struct tm tm, again;
		int64_t time;

		if (sg_zone_local(zone, times[i], &tm) < 0)
			continue;
		if (!tm.tm_zone || strlen(tm.tm_zone) > size || tm.tm_mon < 0 || tm.tm_mon > 11 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
		    tm.tm_wday < 0 || tm.tm_wday > 6 || tm.tm_yday < 0 || tm.tm_yday > 365)
			wrong("no local time for %lld", (long long)times[i]);
		again = tm;
		sg_zone_time(zone, &again, &time);
		again = (struct tm){.tm_year = tm.tm_year, .tm_mon = (int)tm.tm_gmtoff * 1000, .tm_mday = -40, .tm_sec = 100000, .tm_isdst = -1};
		sg_zone_time(zone, &again, &time);
	}
	sg_arena_release(&arena);
	free(bytes);
}

static int log_file = -1;

/* What is read back is one line, and in it the value as it was, bytes that do not belong into a line escaped. */
static void try_value(const char *text, size_t size)
{
	static char got[8192];
	struct sg_line line;
	ssize_t length;
	bool quoted = false;

	(void)size;
	if (ftruncate(log_file, 0))
		wrong("the log cannot be emptied");
	if (!sg_log_begin(&line, SG_LOG_INFO, "fuzz"))
		wrong("nothing is logged");
	sg_log_text(&line, text, text); /* as a key, too */
	sg_log_text(&line, "value", text);
	sg_log_end(&line);
	length = pread(log_file, got, sizeof(got), 0);
	if (length < 40 || length > 4000 || memcmp(got, "sandglass ts=", 13) != 0)
		wrong("no line: %zd bytes", length);
	for (ssize_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)got[i];

		if (byte == 127 || (byte < ' ' && (byte != '\n' || i != length - 1)))
			wrong("byte %d at %zd of %zd", byte, i, length);
		if (byte == '\\' && quoted)
			i++;
		else if (byte == '"')
			quoted = !quoted;
	}
	if (got[length - 1] != '\n' || (quoted && length < 3900))
		wrong("the line is not closed: %.*s", (int)length, got);
}

static const char *const file_words[] = {"[settings]\n", "[rules]\n", "[sinks]\n", "[native]\n", "[types]\n", "[engine example]\n",
	"[engine x]\n", "packages = ", "worker = ", "random = ", "mode = ", "strict", "enforce", "log_level = ", "rules = ", "virtual = ",
	"clock,random", "tz = ", "Europe/Berlin", "hashseed = ", "4294967295", "4294967296", "-1", "native = ", "isolation = ", "private",
	"passthrough = ", "reload = ", "inherit = ", "required = ", "hardened = ", "time.time", "time.*", "os.environ", " = ", "allow", "warn",
	"block", "answer", " import=", " via=", " strict=", " when=", "nonzero:0", "name:A*,B", " guard=", "mapping", "read", " allow=",
	" answer=", "clock", " | ", "|", "\n", "\r\n", "#", ";", ",", ".", "..", "*", " only=", "nearest", "anywhere", "through", "fixed",
	"private", "fields", "kept", "a.B", "{random}", "{unknown}", "{", "}", "\xef\xbb\xbf", "\xff\xfe", "\xc3", "\x1b[2J", "%s%n", "\\",
	"\n ", "\n\t", "=", ":", "]", "[", NULL};
static const char *const environment_words[] = {"SANDGLASS=", "SANDGLASS_RULES=", "SANDGLASS_CONFIG=", "SANDGLASS_PASSTHROUGH=",
	"SANDGLASS_RELOAD=", "SANDGLASS_ISOLATION=", "SANDGLASS_VIRTUAL=", "SANDGLASS_NATIVE=", "SANDGLASS_HARDENED=", "SANDGLASS_TZ=",
	"SANDGLASS_HASHSEED=", "SANDGLASS_REQUIRED=", "SANDGLASS_INHERIT=", "SANDGLASS_LOG=", "SANDGLASS_LOG_LEVEL=", "SANDGLASS_", "\n", "=",
	"strict", "off", "0", "1", "private", "none", "clock", "random", "time.time", "=allow", "=block", "time.*", ",", ",,", ".", "UTC", "host",
	"Europe/Berlin", "../../etc/passwd", "python", "debug", "/tmp/log.%p", "4294967296", "\xff", "\xc3\x28", "\x1b", "%n", " ", "\t", NULL};
static const char *const zone_words[] = {"TZif2", "TZif", "\nCET-1CEST,M3.5.0,M10.5.0/3\n", "\n<+03>-3\n", ",M12.5.6/167", ",J60", ",0",
	",365/-167:59:59", "<-12>12", "UTC0", "\n", "\xff\xff\xff\xff", "\x7f\xff\xff\xff", "\x80", "\0\0\0\1", NULL};
static const char *const value_words[] = {"\"", "\\", "\n", "\r", "=", " ", "\x1b[31m", "\x7f", "\xc2\x85", "\xe2\x80\xa8", "\xed\xa0\x80",
	"\xf4\x90\x80\x80", "\xf0\x9f\x90\x8d", "\xc3", "\xff", "value", NULL};

static struct target targets[] = {
	{.name = "file", .try = try_file, .words = file_words},
	{.name = "environment", .try = try_environment, .words = environment_words},
	{.name = "zone", .try = try_zone, .words = zone_words},
	{.name = "value", .try = try_value, .words = value_words},
};
#define TARGETS (sizeof(targets) / sizeof(targets[0]))

/* ---- inputs ---- */

/* A copy of just that size, with a zero behind it. */
static void keep(struct target *target, const unsigned char *bytes, size_t size)
{
	struct input *input = &target->inputs[target->count < INPUTS_MAX ? target->count++ : target->kept + random_below(INPUTS_MAX - target->kept)];

	free(input->bytes);
	input->bytes = malloc(size + 1);
	memcpy(input->bytes, bytes, size);
	input->bytes[size] = 0;
	input->size = size;
}

/* Did it run something that no input has, or run it so many more times? */
static bool try(struct target *target, const unsigned char *bytes, size_t size)
{
	unsigned char *exact = malloc(size + 1);
	bool new = false;

	memcpy(exact, bytes, size);
	exact[size] = 0;
	current = target;
	now = (struct input){exact, size};
	memset(run_map, 0, sizeof(run_map));
	last_place = 0;
	alarm(HANG_SECONDS);
	target->try((const char *)exact, size);
	current = NULL;
	for (size_t i = 0; i < MAP_SIZE; i++) {
		unsigned char bit;

		if (!run_map[i])
			continue;
		bit = (unsigned char)(1u << (31 - __builtin_clz((unsigned int)run_map[i])));
		new |= !(target->seen[i] & bit);
		target->seen[i] |= bit;
	}
	free(exact);
	return new;
}

static size_t put(unsigned char *bytes, size_t size, size_t at, const void *what, size_t length)
{
	if (size + length > INPUT_MAX)
		return size;
	memmove(bytes + at + length, bytes + at, size - at);
	memcpy(bytes + at, what, length);
	return size + length;
}

static size_t mutate(const struct target *target, unsigned char *bytes, size_t size)
{
	const struct input *other = &target->inputs[random_below(target->count)];
	size_t at = random_below(size + 1), length = random_below(size - at + 1), words = 0;
	unsigned char many[512];

	while (target->words[words])
		words++;
	switch (random_below(9)) {
	case 0:
		if (at < size)
			bytes[at] ^= (unsigned char)(1u << random_below(8));
		return size;
	case 1:
		if (at < size)
			bytes[at] = (unsigned char)random_next();
		return size;
	case 2: case 3: case 4: {
		const char *word = target->words[random_below(words)];

		return put(bytes, size, at, word, strlen(word));
	}
	case 5:
		if (random_below(3) == 0 && length)
			length = 1 + random_below(length < 16 ? length : 16);
		memmove(bytes + at, bytes + at + length, size - at - length);
		return size - length;
	case 6:
		length = random_below(other->size + 1);
		return put(bytes, size, at, other->bytes + random_below(other->size - length + 1), length);
	case 7:
		memset(many, (int)(random_below(2) ? random_next() : 'a'), sizeof(many));
		return put(bytes, size, at, many, random_below(sizeof(many)));
	default:
		for (size_t i = 0; i < 4 && at + i < size; i++)
			bytes[at + i] = (unsigned char)(random_below(2) ? 0 : 0xff);
		return size;
	}
}

static void save(const struct target *target, const struct input *input)
{
	const char *directory = getenv("KEEP");
	static unsigned long number;
	char path[4096];

	if (!directory)
		return;
	snprintf(path, sizeof(path), "%s/%s/%lx-%lu", directory, target->name, (long)getpid(), number++);
	now = *input;
	write_input(path);
}

static bool read_input(struct target *target, const char *path)
{
	static unsigned char bytes[INPUT_MAX];
	FILE *stream = fopen(path, "r");
	size_t size;

	if (!stream)
		return false;
	size = fread(bytes, 1, sizeof(bytes), stream);
	fclose(stream);
	try(target, bytes, size);
	keep(target, bytes, size);
	return true;
}

static void read_corpus(struct target *target, const char *corpus)
{
	struct dirent **entries;
	char path[4096];
	int count;

	snprintf(path, sizeof(path), "%s/%s", corpus, target->name);
	count = scandir(path, &entries, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s/%s", corpus, target->name, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.' && !read_input(target, path)) {
			perror(path);
			exit(2);
		}
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	if (!target->count) {
		fprintf(stderr, "fuzz: nothing in %s/%s\n", corpus, target->name);
		exit(2);
	}
	target->kept = target->count;
}

static void open_files(void)
{
	char path[64];

	file = memfd_create("file", MFD_CLOEXEC);
	log_file = memfd_create("log", MFD_CLOEXEC);
	snprintf(file_path, sizeof(file_path), "/proc/self/fd/%d", file);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", log_file);
	if (sg_log_open(path, SG_LOG_INFO)) {
		fputs("fuzz: no log\n", stderr);
		exit(2);
	}
}

int main(int count, char **arguments)
{
	static unsigned char bytes[INPUT_MAX];
	const char *directory = getenv("KEEP");
	unsigned long tried = 0, found = 0, kept = 0;
	char **surroundings = environ;
	time_t end;

	if (count != 3 && count != 4)
		return 2;
	__sanitizer_set_death_callback(stopped);
	signal(SIGALRM, on_alarm);
	open_files();
	if (count == 3) {
		for (size_t i = 0; i < TARGETS; i++)
			if (!strcmp(targets[i].name, arguments[1]))
				return !read_input(&targets[i], arguments[2]);
		return 2;
	}
	for (size_t i = 0; i < TARGETS; i++)
		read_corpus(&targets[i], arguments[3]);
	random_state = strtoull(arguments[2], NULL, 10);
	end = time(NULL) + atol(arguments[1]);
	while (time(NULL) < end)
		for (size_t i = 0; i < TARGETS; i++)
			for (int each = 0; each < 200; each++) {
				struct target *target = &targets[i];
				const struct input *input = &target->inputs[random_below(target->count)];
				size_t size = input->size;

				memcpy(bytes, input->bytes, size);
				for (size_t left = 1 + random_below(4); left; left--)
					size = mutate(target, bytes, size);
				tried++;
				if (!try(target, bytes, size))
					continue;
				found++;
				keep(target, bytes, size);
				environ = surroundings;
				if (directory)
					save(target, &(struct input){bytes, size});
			}
	for (size_t i = 0; i < TARGETS; i++) {
		size_t places = 0;

		for (size_t place = 0; place < MAP_SIZE; place++)
			places += targets[i].seen[place] != 0;
		printf("%s: %zu kept inputs, %zu in the end, %zu edges\n", targets[i].name, targets[i].kept, targets[i].count, places);
		for (size_t each = 0; each < targets[i].count; each++)
			free(targets[i].inputs[each].bytes);
		kept += targets[i].kept;
	}
	printf("%lu new inputs, %lu of them ran what no other one had\n%lu passed, 0 failed\n", tried, found, kept);
	return 0;
}
