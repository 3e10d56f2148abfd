#define _GNU_SOURCE 1

#include "config/command/child.h"
#include "config/command/command.h"
#include "config/command/object.h"
#include "config/command/preload.h"
#include "config/command/text.h"

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

static const char usage[] =
	"usage: sandglass doctor [PYTHON]\n"
	"Says whether Sandglass can serve this machine and this Python, one line for each thing "
	"that it needs.\n"
	"PYTHON: a path, or a name that is looked for in PATH; without it "
	"$VIRTUAL_ENV/bin/python, else python3.\n"
	"Exit status: 0 it can, 1 a check failed, 2 wrong usage.\n";

#define SECONDS 60
#define OLDEST 10
#define NEWEST 15

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
	"    say('temporalio', version('temporalio'))\n"
	"except Exception:\n"
	"    say('temporalio', '')\n";

static int checks, failures;

__attribute__((format(printf, 3, 4)))
static bool report(bool good, const char *what, const char *format, ...)
{
	va_list arguments;
	char text[2048];
	struct sg_wrap wrap = {stdout, 21, 0, false};

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	for (char *byte = text; *byte; byte++)
		if ((unsigned char)*byte < 0x20 || *byte == 0x7f)
			*byte = ' ';
	checks++;
	failures += !good;
	wrap.column = printf("%-5s %-14s ", good ? "ok" : "FAIL", what);
	sg_wrap_text(&wrap, text);
	sg_wrap_end(&wrap);
	return good;
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

	if (sg_command_object(path, size) != 0)
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

static bool check_configuration(void)
{
	struct sg_config config;
	char error[1024];
	bool off = false;

	if (sg_config_load(&config, sg_condition_names, error, sizeof(error)) != 0)
		return report(false, "configuration", "%s", error);
	off = config.mode == SG_MODE_OFF;
	report(true, "configuration", "valid: mode %s, %zu rules%s", sg_config_mode_name(config.mode),
			config.rule_count, off ? "; SANDGLASS=off, so workers run without it" : "");
	sg_config_release(&config);
	return true;
}

static bool check_python(struct sg_child *child, char *const arguments[])
{
	int error = sg_child_run(child, arguments, SECONDS);
	char version[64], name[64], path[PATH_MAX];
	const char *line;
	long minor;

	if (error)
		return report(false, "python", "%s cannot be asked: %s", arguments[0], error == -ETIMEDOUT ?
				"no answer within 60 seconds" : strerror(-error));
	if (!*fact(child, "version", version, sizeof(version))) {
		last_line(child->errors, &line);
		return report(false, "python", "%s is not a Python that works%s%.120s", arguments[0],
				*line ? ": " : "", line);
	}
	fact(child, "implementation", name, sizeof(name));
	fact(child, "executable", path, sizeof(path));
	minor = number(child, "minor");
	if (strcmp(name, "cpython") != 0)
		return report(false, "python", "%s %s at %s; needed: CPython", name, version, path);
	if (minor < OLDEST || minor > NEWEST)
		return report(false, "python", "CPython %s at %s; needed: 3.%d to 3.%d", version,
		path, OLDEST, NEWEST);
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

/* The value of KEY in a line of the log, in value[size]; quotes are taken off. */
static void log_value(const char *line, const char *key, char *value, size_t size)
{
	char wanted[64];
	const char *found;
	size_t end = strcspn(line, "\n"), length;

	snprintf(value, size, "?");
	snprintf(wanted, sizeof(wanted), " %s=", key);
	found = memmem(line, end, wanted, strlen(wanted));
	if (!found)
		return;
	found += strlen(wanted);
	length = *found == '"' ? strcspn(++found, "\"\n") : strcspn(found, " \n");
	snprintf(value, size, "%.*s", (int)length, found);
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

static void check_engine(struct sg_child *child, const char *python)
{
	static char program[] = "import temporalio.worker";
	char *const arguments[] = {(char *)python, "-c", program, NULL};
	char guards[512], rules[64];
	const char *line;
	int error;

	setenv("SANDGLASS_HARDENED", "1", 1);
	error = sg_child_run(child, arguments, SECONDS);
	if (error) {
		report(false, "engine", "%s", error == -ETIMEDOUT ? "importing temporalio did not "
				"end within 60 seconds"
				: strerror(-error));
		return;
	}
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
		report(true, "engine", "temporal: %s guards for %s rules", guards, rules);
		report_hardened(child);
		return;
	}
	last_line(child->errors, &line);
	if (WIFSIGNALED(child->status))
		report(false, "engine", "importing temporalio under Sandglass ended by signal %d",
		WTERMSIG(child->status));
	else
		report(false, "engine", "Sandglass did not start when temporalio was imported%s%s",
		*line ? ": " : "", line);
}

static void check_temporalio(struct sg_child *child, const char *python)
{
	char version[64];

	if (!*fact(child, "temporalio", version, sizeof(version))) {
		report(true, "temporalio", "not installed for this Python: until it is, Sandglass "
				"does nothing here");
		return;
	}
	report(true, "temporalio", "%s", version);
	check_engine(child, python);
}

int sg_command_doctor(int count, char **arguments)
{
	static struct sg_child child;
	char object[PATH_MAX], chosen[PATH_MAX];
	const char *environment = getenv("VIRTUAL_ENV"), *python = "python3";
	bool have_object;

	if (count > 1 && (!strcmp(arguments[1], "--help") || !strcmp(arguments[1], "-h"))) {
		fputs(usage, stdout);
		return SG_EXIT_OK;
	}
	if (count > 2 || (count > 1 && (arguments[1][0] == '-' || !arguments[1][0]))) {
		sg_complain("doctor", "\"%s\": not accepted; accepted: [PYTHON], one path or name",
				arguments[count > 2 ? 2 : 1]);
		return SG_EXIT_TROUBLE;
	}
	if (count > 1)
		python = arguments[1];
	else if (environment && *environment &&
			snprintf(chosen, sizeof(chosen), "%s/bin/python",
			environment) < (int)sizeof(chosen) &&
			access(chosen, X_OK) == 0)
		python = chosen;
	have_object = check_object(object, sizeof(object));
	if (check_configuration()) {
		char *const ask[] = {(char *)python, "-c", (char *)question, NULL};

		if (check_python(&child, ask)) {
			check_build(&child);
			if (!failures && have_object && check_preload(&child, ask, object))
				check_temporalio(&child, python);
		}
	}
	if (failures)
		printf("Sandglass cannot serve this Python: %d of %d checks failed.\n", failures, checks);
	else
		printf("Sandglass can serve this Python.\n");
	return fflush(stdout) != 0 ? SG_EXIT_TROUBLE : failures ? SG_EXIT_NO : SG_EXIT_OK;
}
