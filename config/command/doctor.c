#define _GNU_SOURCE 1

#include "config/command/child.h"
#include "config/command/command.h"
#include "config/command/line.h"
#include "config/command/object.h"
#include "config/command/options.h"
#include "config/command/preload.h"
#include "config/command/text.h"
#include "shim/base/log.h"
#include "shim/interpreter/cpython.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage_text[] =
	"usage: sandglass doctor [--json] [PYTHON|VENV]\n"
	"Says whether Sandglass can serve this machine and this Python, one line for each thing that it needs.\n"
	"PYTHON: a path, or a name that is looked for in PATH; VENV: the folder of a virtual environment; without it that of\n"
	"$VIRTUAL_ENV, else the one beside this command, else python3. Settings are those that a worker started here would\n"
	"have.\n"
	"The last line is \"ready\", \"ready once ...\" where no engine is installed, or what is to be mended first.\n"
	"  --json   {version, ready: true|false, mend: text or null, checks: [{state: \"ok\"|\"fail\"|\"lacks\", name, text}]};\n"
	"           lacks: a worker does without it\n"
	"Exit status: 0 ready, 1 a check failed, 2 wrong usage.\n";

#define SECONDS 60
#define ENGINES_MAX 8

/* Facts about an interpreter, KEY=VALUE. Valid in every Python, so that an old one gets a fair answer. */
static const char question[] =
	"import sys\n"
	"def say(key, value):\n"
	"    sys.stdout.write('%s=%s\\n' % (key, value))\n"
	"say('implementation', getattr(getattr(sys, 'implementation', None), 'name', 'cpython'))\n"
	"say('version', '%d.%d.%d' % sys.version_info[:3])\n"
	"say('minor', sys.version_info[1] if sys.version_info[0] == 3 else -1)\n"
	"say('bits', 64 if sys.maxsize > 2**32 else 32)\n"
	"say('executable', sys.executable)\n"
	"try:\n"
	"    import sysconfig\n"
	"    say('threaded', 1 if sysconfig.get_config_var('Py_GIL_DISABLED') else 0)\n"
	"except Exception:\n"
	"    say('threaded', 0)\n"
	"say('debug', 1 if hasattr(sys, 'gettotalrefcount') else 0)\n"
	"maps = open('/proc/self/maps', 'rb').read()\n"
	"say('shared', 1 if b'/libpython' in maps else 0)\n"
	"say('musl', 1 if b'/ld-musl' in maps or b'/libc.musl' in maps else 0)\n"
	"say('preloaded', 1 if b'/libsandglass.so' in maps else 0)\n"
	"try:\n"
	"    import os\n"
	"    say('libc', os.confstr('CS_GNU_LIBC_VERSION'))\n"
	"except Exception:\n"
	"    say('libc', '')\n"
	"try:\n"
	"    from importlib.metadata import version\n"
	"    for name in sys.argv[1:]:\n"
	"        try:\n"
	"            say('engine ' + name, version(name))\n"
	"        except Exception:\n"
	"            pass\n"
	"except Exception:\n"
	"    pass\n";

static int checks, failures, said;
static bool json, has_engine;
static char to_mend[2200]; /* the first check that failed */

static void say(const char *state, const char *what, const char *format, va_list arguments)
{
	struct sg_wrap wrap = {stdout, 21, 0, false};
	char *text;

	if (vasprintf(&text, format, arguments) < 0)
		return;
	for (char *byte = text; *byte; byte++)
		if ((unsigned char)*byte < 0x20 || *byte == 0x7f)
			*byte = ' ';
	if (strcmp(state, "FAIL") == 0 && !*to_mend)
		snprintf(to_mend, sizeof(to_mend), "%s: %s", what, text);
	if (json) {
		printf("%s{\"state\":\"%s\",\"name\":", said++ ? ",\n" : "", strcmp(state, "FAIL") ? state : "fail");
		sg_json_string(stdout, what);
		fputs(",\"text\":", stdout);
		sg_json_string(stdout, text);
		putchar('}');
	} else {
		wrap.column = printf("%-5s %-14s ", state, what);
		sg_wrap_text(&wrap, text);
		sg_wrap_end(&wrap);
	}
	free(text);
}

__attribute__((format(printf, 3, 4)))
static bool report(bool good, const char *what, const char *format, ...)
{
	va_list arguments;

	checks++;
	failures += !good;
	va_start(arguments, format);
	say(good ? "ok" : "FAIL", what, format, arguments);
	va_end(arguments);
	return good;
}

/* What is missing, and a worker does without. */
__attribute__((format(printf, 2, 3)))
static void report_lack(const char *what, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say("lacks", what, format, arguments);
	va_end(arguments);
}

/* The value behind KEY= at the start of a line, in value[size]; empty when there is none. */
static const char *fact(const struct sg_child *child, const char *key, char *value, size_t size)
{
	size_t length = strlen(key);

	*value = 0;
	for (const char *line = child->output; line && *line; line = strchr(line,
			'\n') ? strchr(line, '\n') + 1 : NULL)
		if (strncmp(line, key, length) == 0 && line[length] == '=') {
			snprintf(value, size, "%.*s", (int)strcspn(line + length + 1, "\n"),
					line + length + 1);
			break;
		}
	return value;
}

static long number(const struct sg_child *child, const char *key)
{
	char value[64];

	return strtol(fact(child, key, value, sizeof(value)), NULL, 10);
}

/* What others wrote, as much of it as has room: whole words. */
static const char *quote(char *to, size_t size, const char *text)
{
	size_t length = strlen(text);

	if (length >= size) {
		for (length = size - sizeof(" ..."); length && text[length] != ' '; length--)
			;
		snprintf(to, size, "%.*s ...", (int)(length ? length : size - sizeof(" ...")), text);
	} else {
		memcpy(to, text, length + 1);
	}
	return to;
}

/* The last line that is not empty: of a traceback the exception. */
static void last_line(char *text, const char **ret_line)
{
	size_t length = strlen(text);
	char *newline;

	while (length && (text[length - 1] == '\n' || text[length - 1] == ' '))
		text[--length] = 0;
	newline = strrchr(text, '\n');
	*ret_line = newline ? newline + 1 : text;
}

static bool check_object(char *path, size_t size)
{
	int file;
	Elf64_Ehdr header;
	bool good;

	if (sg_command_find_object(path, size) != 0)
		return report(false, "object", "%s is not there; expected: libsandglass.so beside "
				"this program, or in "
				"../lib of its directory (make, make install)", path);
	if (strpbrk(path, ": \t"))
		return report(false, "object", "%s: the loader cuts LD_PRELOAD at blanks and "
				"colons; put it into a "
				"directory without them", path);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return report(false, "object", "%s cannot be read: %s", path, strerror(errno));
	good = sg_read_at(file, &header, sizeof(header), 0) == 0 && memcmp(header.e_ident, ELFMAG,
			SELFMAG) == 0 &&
		header.e_ident[EI_CLASS] == ELFCLASS64;
	close(file);
	if (!good)
		return report(false, "object", "%s is not a shared object of 64 bits", path);
	return report(true, "object", "%s (%s)", path, sg_object_machine_name(header.e_machine) ?
			sg_object_machine_name(header.e_machine) : "machine unknown");
}

static struct sg_config config;

/* As a worker opens it; what had to be made for that goes again. */
static void check_log(void)
{
	char path[PATH_MAX];
	int error = sg_log_path(config.log, (uint64_t)getpid(), path, sizeof(path));
	bool is_path = strcmp(config.log, "stderr") != 0, is_new = is_path && !error && access(path, F_OK) != 0;

	if (is_path && !error)
		error = sg_log_open(config.log, SG_LOG_ERROR);
	if (is_new && !error)
		unlink(path);
	if (error)
		report(false, "log", "SANDGLASS_LOG = %s: cannot be opened for writing (%s): no worker starts with it; needed: stderr, or the path "
				"of a file, and no link, in a directory that exists", config.log, strerror(-error));
	else
		report(true, "log", "%s%s", config.log, is_path ? " can be written" : "");
}

/* A variable that is none of Sandglass's would stop a worker, so it is named; what else is to be checked needs no such worker. */
static bool check_configuration(void)
{
	char error[1024], variable[256];
	const char *unknown;
	bool off;

	if (sg_config_load(&config, sg_condition_names, error, sizeof(error)) != 0) {
		unknown = strstr(error, ": unknown variable");
		if (unknown && sscanf(error, "environment: %255[^ ]", variable) == 1)
			report(false, "configuration", "%s is set, and is no setting of Sandglass: a worker that has it in its environment does "
					"not start. unset %s, or rename it%s", variable, variable, unknown + strlen(": unknown variable"));
		else
			report(false, "configuration", "%s", error);
		sg_command_clear_settings();
		return sg_config_load(&config, sg_condition_names, error, sizeof(error)) == 0;
	}
	off = config.mode == SG_MODE_OFF;
	report(true, "configuration", "valid: mode %s, %zu rules%s", sg_config_mode_name(config.mode),
			config.rule_count, off ? "; SANDGLASS=off, so workers run without it" : "");
	if (!off) {
		check_log();
		return true;
	}
	sg_config_release(&config);
	unsetenv("SANDGLASS");
	return sg_config_load(&config, sg_condition_names, error, sizeof(error)) == 0;
}

static bool check_python(struct sg_child *child, char *const arguments[])
{
	int error = sg_child_run(child, arguments, SECONDS);
	char version[64], name[64], path[PATH_MAX], told[400];
	const char *line;
	long minor;

	if (error)
		return report(false, "python", "%s cannot be asked: %s", arguments[0], error == -ETIMEDOUT ?
				"no answer within 60 seconds" : strerror(-error));
	if (!*fact(child, "version", version, sizeof(version))) {
		last_line(child->errors, &line);
		return report(false, "python", "%s is not a Python that works%s%s", arguments[0],
				*line ? ": " : "", quote(told, sizeof(told), line));
	}
	fact(child, "implementation", name, sizeof(name));
	fact(child, "executable", path, sizeof(path));
	minor = number(child, "minor");
	if (strcmp(name, "cpython") != 0)
		return report(false, "python", "%s %s at %s; needed: CPython", name, version, path);
	if (minor < SG_CPYTHON_OLDEST || minor > SG_CPYTHON_NEWEST)
		return report(false, "python", "CPython %s at %s; needed: 3.%d to 3.%d", version,
		path, SG_CPYTHON_OLDEST, SG_CPYTHON_NEWEST);
	return report(true, "python", "CPython %s at %s", version, path);
}

static void check_build(const struct sg_child *child)
{
	bool shared = number(child, "shared"), musl = number(child, "musl");
	char libc[64];

	if (number(child, "bits") != 64)
		report(false, "build", "32 bits; needed: 64");
	else if (number(child, "threaded"))
		report(false, "build", "free-threaded (without the GIL); needed: a build with the GIL");
	else if (number(child, "debug"))
		report(false, "build", "a debug build (--with-pydebug); needed: a release build");
	else
		report(true, "build", "64 bits, with the GIL, %s",
		shared ? "shared libpython" : "static interpreter");
	fact(child, "libc", libc, sizeof(libc));
	if (musl || !*libc)
		report(false, "libc", "%s; needed: glibc", musl ? "musl" : "not glibc");
	else
		report(true, "libc", "%s", libc);
}

/* Log lines of Sandglass apart, what else the child wrote to standard error is the loader's complaint. */
static bool check_preload(struct sg_child *child, char *const arguments[], const char *object)
{
	int error;
	char *complaint;

	setenv("SANDGLASS", "enforce", 1); /* an "off" was reported; here it would hide the answer */
	setenv("SANDGLASS_LOG", "stderr", 1);
	setenv("SANDGLASS_LOG_LEVEL", "info", 1);
	setenv("SANDGLASS_LOG_FORMAT", "logfmt", 1); /* that is what is read here */
	error = sg_preload_add(object);
	if (!error)
		error = sg_child_run(child, arguments, SECONDS);
	if (error)
		return report(false, "preload", "%s", strerror(-error));
	if (number(child, "preloaded"))
		return report(true, "preload", "takes effect");
	complaint = strstr(child->errors, "ERROR: ld.so: ");
	if (complaint)
		complaint[strcspn(complaint, "\n")] = 0;
	return report(false, "preload", "LD_PRELOAD has no effect%s%s",
			complaint ? ": " : " in this interpreter: it is a "
			"static or setuid program, or a wrapper clears the variable",
			complaint ? complaint : "");
}

/* The value of KEY in what is left of a line of the log, in value[size]. */
static void log_value(const char *line, const char *key, char *value, size_t size)
{
	char *copy = strndup(line, strcspn(line, "\n"));
	struct sg_log_line fields = {.count = 0};
	const char *found;

	sg_log_line_fields(&fields, copy);
	found = sg_log_line_get(&fields, key);
	quote(value, size, found ? found : "?");
	free(copy);
}

/* What SANDGLASS_HARDENED=1 would see here. It is optional, and a worker does without what is missing. */
static void report_hardened(const struct sg_child *child)
{
	const char *line = strstr(child->errors, " event=hardened ");
	char syscalls[300], tsc[300];

	if (!line)
		return;
	log_value(line, "syscalls_reason", syscalls, sizeof(syscalls));
	log_value(line, "rdtsc_reason", tsc, sizeof(tsc));
	if (strcmp(syscalls, "?") != 0)
		report(true, "hardened", "not available: %s", syscalls);
	else if (strcmp(tsc, "?") != 0)
		report(true, "hardened", "available for system calls, not for rdtsc: %s", tsc);
	else
		report(true, "hardened", "available for system calls and rdtsc");
}

/* What was proved of this interpreter's inside, and what could not be: a worker does without that. */
static void report_probes(const struct sg_child *child)
{
	char proved[1900] = "", name[64], result[64], without[300];
	size_t length = 0;
	int count = 0;

	for (const char *line = child->errors; (line = strstr(line, " event=probe ")); line++) {
		log_value(line, "name", name, sizeof(name));
		log_value(line, "result", result, sizeof(result));
		log_value(line, "without", without, sizeof(without));
		if (strcmp(result, "proved") != 0) {
			report_lack("probe", "%s, %s: %s", name, result, without);
			continue;
		}
		count++;
		length += (size_t)snprintf(proved + length, sizeof(proved) - length, "%s%s", length ? ", " : "", name);
		if (length >= sizeof(proved))
			length = sizeof(proved) - 1;
	}
	if (count)
		report(true, "probes", "%d proved: %s", count, proved);
}

/* first: what does not depend on the engine is told once. */
static void check_engine(struct sg_child *child, const char *python, const struct sg_engine_config *engine, bool first)
{
	char program[256], guards[512], rules[64];
	char *const arguments[] = {(char *)python, "-c", program, NULL};
	const char *line;
	int error;

	snprintf(program, sizeof(program), "import %s", engine->worker);
	setenv("SANDGLASS_HARDENED", "1", 1);
	setenv("SANDGLASS_LOG_LEVEL", "debug", 1); /* each probe is told */
	error = sg_child_run(child, arguments, SECONDS);
	if (error) {
		report(false, "engine", "%s: %s", program, error == -ETIMEDOUT ? "it did not end within 60 seconds"
				: strerror(-error));
		return;
	}
	if (first)
		report_probes(child);
	line = strstr(child->errors, " event=dormant ");
	if (line) {
		log_value(line, "reason", guards, sizeof(guards));
		report(false, "engine", "Sandglass stays out: %s", guards);
		return;
	}
	line = strstr(child->errors, " event=start ");
	if (line && WIFEXITED(child->status) && WEXITSTATUS(child->status) == 0) {
		log_value(line, "guards", guards, sizeof(guards));
		log_value(line, "rules", rules, sizeof(rules));
		report(true, "engine", "%s: %s guards for %s rules", engine->name, guards, rules);
		if (first)
			report_hardened(child);
		return;
	}
	last_line(child->errors, &line);
	if (WIFSIGNALED(child->status))
		report(false, "engine", "%s under Sandglass ended by signal %d", program,
		WTERMSIG(child->status));
	else
		report(false, "engine", "%s: Sandglass did not start%s%s", program,
		*line ? ": " : "", line);
}

static const char *distribution_of(const struct sg_engine_config *engine)
{
	return engine->distribution ? engine->distribution : engine->packages[0];
}

/* child: what the question was answered; it is asked again only once all that it said of engines has been read. */
static void check_engines(struct sg_child *child, const char *python)
{
	const struct sg_engine_config *engine, *installed[ENGINES_MAX];
	char key[128], version[64];
	size_t count = 0;

	for (size_t i = 0; i < config.engine_count && i < ENGINES_MAX; i++) {
		engine = &config.engines[i];
		snprintf(key, sizeof(key), "engine %s", distribution_of(engine));
		if (*fact(child, key, version, sizeof(version)))
			installed[count++] = engine;
		report(true, distribution_of(engine), "%s", *version ? version : "not installed for this Python");
	}
	for (size_t i = 0; i < count; i++)
		check_engine(child, python, installed[i], i == 0);
	has_engine = count > 0;
}

int sg_command_doctor(int count, char **arguments)
{
	static struct sg_child child;
	const struct sg_option options[] = {{"--json", NULL, NULL, &json, NULL}, {0}};
	const struct sg_usage usage = {"doctor", usage_text, options, "[PYTHON|VENV], one path or name", false};
	int status, left = sg_options_take(&usage, count, arguments, &status);
	char object[PATH_MAX], chosen[PATH_MAX];
	const char *python;
	bool have_object;

	if (left < 0)
		return status;
	if (left > 1) {
		sg_complain("doctor", "\"%s\": not accepted; accepted: %s", arguments[1], usage.arguments);
		return SG_EXIT_TROUBLE;
	}
	python = sg_command_python(left ? arguments[0] : NULL, chosen, sizeof(chosen));
	if (json)
		printf("{\"version\":\"%s\",\"checks\":[\n", SG_VERSION);
	have_object = check_object(object, sizeof(object));
	if (check_configuration()) {
		char *ask[ENGINES_MAX + 4] = {(char *)python, "-c", (char *)question, NULL};
		int before = failures;

		for (size_t i = 0; i < config.engine_count && i < ENGINES_MAX; i++)
			ask[3 + i] = (char *)distribution_of(&config.engines[i]);
		if (check_python(&child, ask)) {
			check_build(&child);
			if (failures == before && have_object && check_preload(&child, ask, object))
				check_engines(&child, python);
		}
	}
	if (json) {
		printf("],\n\"ready\":%s,\"mend\":", failures ? "false" : "true");
		if (failures)
			sg_json_string(stdout, to_mend);
		puts(failures ? "}" : "null}");
	} else if (failures) {
		printf("not ready (%d of %d checks failed); mend this first: ", failures, checks);
		sg_text_name(stdout, to_mend);
		putchar('\n');
	} else {
		puts(has_engine ? "ready" : "ready once this Python has an engine: until then Sandglass does nothing in it");
	}
	return fflush(stdout) != 0 ? SG_EXIT_TROUBLE : failures ? SG_EXIT_NO : SG_EXIT_OK;
}
