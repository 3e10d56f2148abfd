#define _GNU_SOURCE 1

#include "config/command/check.h"

#include "config/command/command.h"
#include "config/command/options.h"
#include "config/command/preload.h"
#include "config/command/text.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage_text[] =
	"usage: sandglass check [OPTION...] FILE|MODULE[:WORKFLOW]...\n"
	"Loads workflows as a worker would, replays histories, and says what would be refused. Needs no server.\n"
	"FILE (a path, or ending in .py) is imported from its package, or its folder; MODULE as Python finds it.\n"
	"Without :WORKFLOW all workflows of the file are checked.\n"
	"  -m                       every argument is the name of a module\n"
	"  --history FILE|DIR       replay this history (JSON, as the server's tools export it), or all *.json of a folder;\n"
	"                           may be given more than once\n"
	"  --worlds[=N]             replay also in N other worlds (1): another clock, zone, locale, hash seed, environment,\n"
	"                           host name and arguments; nothing is refused there, and commands that differ are told\n"
	"  --mode MODE              strict, unless SANDGLASS says otherwise; enforce, answer, warn or observe\n"
	"  --replayer MODULE:NAME   settings of the Replayer (a data converter ...): a dict, or a function that returns one\n"
	"  --python PYTHON          the interpreter or virtual environment; else $VIRTUAL_ENV, one beside this command, python3\n"
	"  --format text|json|sarif\n"
	"  --fail-on LEVEL          which findings count: warning (and errors), else error\n"
	"Other settings of Sandglass are read from the environment, as a worker reads them, but for the log's.\n"
	"Without histories nothing of what workflows do at run time is executed.\n"
	"Exit status: 0 nothing was found, 1 findings, 2 wrong usage, or something could not be loaded or read.\n"
	"\n"
	"sandglass check workflows/orders.py --history histories --worlds\n"
	"sandglass check workflows/orders.py --history histories --replayer settings:replayer\n"
	"             settings.py: replayer = {'data_converter': pydantic_data_converter}\n"
	"pre-commit:  repos: [{repo: local, hooks: [{id: sandglass, name: sandglass, language: system,\n"
	"             entry: sandglass check, files: ^workflows/.*\\.py$, require_serial: true}]}]\n"
	"GitHub:      sandglass check --format sarif workflows/*.py >sandglass.sarif, then github/codeql-action/upload-sarif\n"
	"             in a step with if: always()\n";

static const char *const formats[] = {"text", "json", "sarif", NULL};
static const char *const thresholds[] = {"warning", "error", NULL};

/* What is the same for every start of Python. */
struct plan {
	const char *python, *replayer;
	char **targets, **histories;
	int target_count, history_count;
	bool by_name;
};

#define WORLDS_MAX 99
#define FIXED_ARGUMENTS 9
#define CANNOT_START 127

/* What differs between worlds by the environment alone; clock and host name are the object's, by SANDGLASS_WORLD. */
static int enter_world(unsigned int world)
{
	static const char *const named[] = {"HOSTNAME", "USER", "LOGNAME", "LANGUAGE", "TERM", "SANDGLASS_CHECK_WORLD"};
	char number[16], seed[16], zone[32], name[32];
	int failed = 0;

	snprintf(number, sizeof(number), "%u", world);
	snprintf(seed, sizeof(seed), "%u", world);
	failed |= setenv("SANDGLASS_WORLD", number, 1) | setenv("SANDGLASS_HASHSEED", seed, 1) | setenv("SANDGLASS", "warn", 1) |
		setenv("SANDGLASS_TZ", "host", 1);
	if (world == 1)
		return failed;
	snprintf(zone, sizeof(zone), "<+%02u45>-%02u:45", world % 14, world % 14);
	snprintf(name, sizeof(name), "world%u", world);
	failed |= setenv("TZ", zone, 1) | setenv("LC_ALL", "C", 1) | setenv("LANG", "C", 1) | setenv("COLUMNS", seed, 1);
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]) - 1; i++)
		failed |= setenv(named[i], name, 1);
	return failed;
}

static void become(const struct plan *plan, unsigned int world, const char *log, int output)
{
	char **arguments = calloc((size_t)(FIXED_ARGUMENTS + plan->target_count + plan->history_count + 1), sizeof(*arguments));
	char number[16], count[16];
	int filled = 0;

	snprintf(number, sizeof(number), "%d", output);
	snprintf(count, sizeof(count), "%d", plan->target_count);
	if (!arguments || setenv("SANDGLASS_LOG", log, 1) || setenv("SANDGLASS_LOG_LEVEL", "info", 1) ||
	    setenv("PYTHONDONTWRITEBYTECODE", "1", 0) || (world && enter_world(world)) || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		_exit(126);
	arguments[filled++] = (char *)plan->python;
	arguments[filled++] = "-c";
	arguments[filled++] = (char *)sg_check_driver;
	arguments[filled++] = number;
	arguments[filled++] = plan->by_name ? "1" : "0";
	arguments[filled++] = world ? "1" : "0";
	arguments[filled++] = (char *)(plan->replayer ? plan->replayer : "");
	arguments[filled++] = count;
	memcpy(arguments + filled, plan->targets, (size_t)plan->target_count * sizeof(*arguments));
	filled += plan->target_count;
	memcpy(arguments + filled, plan->histories, (size_t)plan->history_count * sizeof(*arguments));
	execvp(arguments[0], arguments);
	_exit(CANNOT_START);
}

static volatile sig_atomic_t ended_by, child_to_end;

/* Who ends the command ends what it has started. */
static void end_child(int number)
{
	ended_by = number;
	if (child_to_end > 0)
		kill(child_to_end, SIGKILL);
}

static const int endings[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT};

#define ENDINGS (sizeof(endings) / sizeof(endings[0]))

static int wait_for(pid_t child)
{
	const struct sigaction action = {.sa_handler = end_child};
	struct sigaction before[ENDINGS];
	int status = 0;

	child_to_end = child;
	for (size_t i = 0; i < ENDINGS; i++) {
		sigaction(endings[i], NULL, &before[i]);
		if (before[i].sa_handler != SIG_IGN) /* as nohup leaves it */
			sigaction(endings[i], &action, NULL);
	}
	if (ended_by)
		kill(child, SIGKILL);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	child_to_end = 0;
	for (size_t i = 0; i < ENDINGS; i++)
		sigaction(endings[i], &before[i], NULL);
	return status;
}

/* Runs the driver once. world 0: under guard. Its output, and the log where ret_log is given; NULL: a problem says why. */
static FILE *run(struct sg_check *check, const struct plan *plan, unsigned int world, FILE **ret_log)
{
	char path[PATH_MAX];
	const char *folder = getenv("TMPDIR");
	FILE *output = tmpfile();
	pid_t child = -1;
	int log, status = 0;

	snprintf(path, sizeof(path), "%s/sandglass-check-XXXXXX", folder && *folder ? folder : "/tmp");
	log = mkstemp(path);
	if (output && log >= 0)
		child = fork();
	if (child == 0)
		become(plan, world, path, fileno(output));
	if (child < 0)
		sg_check_problem(check, NULL, "no temporary file or process can be made: %s", strerror(errno));
	if (child > 0)
		status = wait_for(child);
	if (log >= 0)
		unlink(path);
	if (ended_by)
		raise(ended_by);
	if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT_START)
		sg_check_problem(check, NULL, "%s cannot be started as a Python", plan->python);
	check->ended_by = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	if (check->ended_by && world)
		sg_check_problem(check, NULL, "Python was ended by signal %d in world %u", check->ended_by, world);
	if (ret_log && log >= 0)
		*ret_log = fdopen(log, "r");
	else if (log >= 0)
		close(log);
	if (child < 0 && output) {
		fclose(output);
		output = NULL;
	}
	if (output)
		rewind(output);
	return output;
}

/* A replay in another world that fails says so only here: what was refused or let pass was told by the one under guard. */
static void compare_worlds(struct sg_check *check, const struct plan *plan, unsigned int worlds)
{
	FILE *one = run(check, plan, 1, NULL), *other;

	for (unsigned int world = 2; one && world <= worlds + 1; world++) {
		other = run(check, plan, world, NULL);
		if (other) {
			sg_check_compare(check, one, other, world);
			fclose(other);
		}
	}
	if (one)
		fclose(one);
}

static int check_all(struct sg_check *check, const struct plan *plan, unsigned int worlds)
{
	FILE *log = NULL, *output = run(check, plan, 0, &log);

	if (output) {
		sg_check_gather(check, log, output);
		fclose(output);
	}
	if (log)
		fclose(log);
	if (!check->problem_count && !check->mode)
		sg_check_problem(check, NULL, "Sandglass did not take hold of %s; `sandglass doctor %s` says why", plan->python, plan->python);
	if (check->workflow_count && worlds)
		compare_worlds(check, plan, worlds);
	if (check->out_of_memory)
		return -ENOMEM;
	return 0;
}

/* By severity, file and line. */
static int compare_findings(const void *a, const void *b)
{
	const struct sg_finding *one = a, *other = b;
	int order = (int)other->level - (int)one->level;

	if (!order)
		order = strcmp(one->file ? one->file : "", other->file ? other->file : "");
	if (!order)
		order = (one->line > other->line) - (one->line < other->line);
	return order ? order : strcmp(one->message, other->message);
}

static int conclude(const struct sg_check *check, bool errors_only)
{
	size_t found = sg_check_count(check, SG_FINDING_ERROR) + (errors_only ? 0 : sg_check_count(check, SG_FINDING_WARNING));

	return check->problem_count ? SG_EXIT_TROUBLE : found ? SG_EXIT_NO : SG_EXIT_OK;
}

/* --history may be given more than once, and has a short form of --worlds beside it: both are taken out here. */
static int take_apart(struct plan *plan, int count, char **arguments, const char **ret_worlds)
{
	int kept = 1;

	for (int i = 1; i < count; i++) {
		char *value = NULL;

		if (strncmp(arguments[i], "--history=", strlen("--history=")) == 0)
			value = arguments[i] + strlen("--history=");
		else if (strcmp(arguments[i], "--history") == 0 && i + 1 < count)
			value = arguments[++i];
		if (value && *value)
			plan->histories[plan->history_count++] = value;
		else if (strcmp(arguments[i], "--worlds") == 0)
			*ret_worlds = "1";
		else
			arguments[kept++] = arguments[i];
	}
	return kept;
}

int sg_command_check(int count, char **arguments)
{
	const char *mode = NULL, *python = NULL, *format = NULL, *fail_on = NULL, *worlds_text = NULL, *history = NULL;
	struct plan plan = {.histories = calloc((size_t)count, sizeof(char *))};
	const struct sg_option options[] = {
		{"-m", NULL, NULL, &plan.by_name, NULL}, {"--history", "FILE|DIR", &history, NULL, NULL},
		{"--worlds", "N", &worlds_text, NULL, NULL}, {"--mode", "MODE", &mode, NULL, "SANDGLASS"},
		{"--replayer", "MODULE:NAME", &plan.replayer, NULL, NULL}, {"--python", "PYTHON", &python, NULL, NULL},
		{"--format", "text|json|sarif", &format, NULL, NULL}, {"--fail-on", "LEVEL", &fail_on, NULL, NULL}, {0},
	};
	const struct sg_usage usage = {"check", usage_text, options, "FILE|MODULE[:WORKFLOW]...", false};
	struct sg_check check = {0};
	char object[PATH_MAX], chosen[PATH_MAX];
	int status, as, threshold;
	struct sg_config config;
	bool off;

	if (!plan.histories)
		return SG_EXIT_TROUBLE;
	count = take_apart(&plan, count, arguments, &worlds_text);
	plan.target_count = sg_options_take(&usage, count, arguments, &status);
	plan.targets = arguments;
	if (plan.target_count < 0)
		goto out;
	status = SG_EXIT_TROUBLE;
	as = sg_options_choose("check", "--format", format, formats);
	threshold = sg_options_choose("check", "--fail-on", fail_on, thresholds);
	if (as < 0 || threshold < 0)
		goto out;
	if (worlds_text) {
		char *end;
		long number = strtol(worlds_text, &end, 10);

		if (*end || number < 1 || number > WORLDS_MAX || !plan.history_count) {
			sg_complain("check", "--worlds: %s", plan.history_count ? "not a number of worlds; accepted: 1 to 99" :
					"nothing to replay; accepted: with --history FILE|DIR");
			goto out;
		}
		check.worlds = (unsigned int)number;
	}
	if (!plan.target_count) {
		sg_complain("check", "nothing to check; accepted: %s", usage.arguments);
		goto out;
	}
	plan.python = sg_command_python(python, chosen, sizeof(chosen));
	setenv("SANDGLASS", "strict", 0);
	if (sg_command_config(&config, "check", &off) != 0)
		goto out;
	sg_config_release(&config);
	if (off) {
		sg_complain("check", "SANDGLASS=off; accepted: a mode that guards");
		goto out;
	}
	check.asked = plan.history_count;
	if (sg_command_preload("check", object, sizeof(object)) != 0)
		goto out;
	if (check_all(&check, &plan, check.worlds) != 0) {
		sg_complain("check", "out of memory");
		goto out;
	}
	if (check.finding_count)
		qsort(check.findings, check.finding_count, sizeof(*check.findings), compare_findings);
	status = conclude(&check, threshold == 1);
	for (size_t i = 0; i < check.problem_count; i++)
		sg_complain("check", "%s", check.problems[i].text);
	if (as == 0)
		sg_check_text(stdout, &check);
	else if (as == 1)
		sg_check_json(stdout, &check, status);
	else
		sg_check_sarif(stdout, &check);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		sg_complain("check", "the report cannot be written: %m");
		status = SG_EXIT_TROUBLE;
	}
out:
	sg_check_release(&check);
	free(plan.histories);
	return status;
}
