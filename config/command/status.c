#define _GNU_SOURCE 1

#include "config/command/command.h"
#include "config/command/entries.h"
#include "config/command/options.h"
#include "config/command/text.h"

#include "shim/base/log.h"

#define SG_STATUS_LAYOUT_ONLY
#include "shim/base/status.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static const char usage_text[] =
	"usage: sandglass status [OPTION...] [PID...]\n"
	"Says what guards a running worker and what it has seen so far, from outside and without stopping it.\n"
	"Without PID: a table of the workers of this machine that may be looked at, and how many processes may not.\n"
	"  --all          the table, with the processes that run no engine yet, and those with SANDGLASS=off\n"
	"  --prometheus   metrics in the text format of Prometheus, for a textfile collector: of these processes, or of all;\n"
	"                 a process that was named and has no Sandglass in it is sandglass_guarded 0\n"
	"Looking into a process needs its user or root; where kernel.yama.ptrace_scope is not 0, root or its parent.\n"
	"DELTAS K: KiB, about, of what runs in the cache have changed in modules that they share. A MINUTE: calls\n"
	"that were seen, of all kinds.\n"
	"Exit status: 0 its workflows are guarded, 1 they are not, 2 it could not be looked at.\n";

#define REGION_MAX (8ul << 20)
#define CHUNK 65536
#define LAYOUT_MAX 0xffff /* of versions to come */

enum found { FOUND, NOT_THERE, OTHER_LAYOUT };

static char object_path[4096]; /* of the process that was looked at last: the file that it has mapped */

static ssize_t read_memory(long process, void *to, uintptr_t from, size_t size)
{
	struct iovec local = {to, size}, remote = {(void *)from, size};

	return process_vm_readv((pid_t)process, &local, 1, &remote, 1, 0);
}

/* The struct begins at a multiple of 8, and lies within one mapping. 0: it is not in there; 1: it is; or -errno. */
static int search(long process, uintptr_t start, uintptr_t end, struct sg_status *ret_status)
{
	static char chunk[CHUNK];

	if (end - start > REGION_MAX)
		return 0;
	for (uintptr_t at = start; at < end; at += CHUNK) {
		size_t size = end - at < CHUNK ? end - at : CHUNK;
		ssize_t length = read_memory(process, chunk, at, size);

		if (length < 0)
			return errno == EFAULT ? 0 : -errno;
		for (ssize_t i = 0; i + (ssize_t)sizeof(ret_status->magic) <= length; i += 8) {
			if (memcmp(chunk + i, SG_STATUS_MAGIC, sizeof(ret_status->magic)) != 0)
				continue;
			memset(ret_status, 0, sizeof(*ret_status));
			length = read_memory(process, ret_status, at + (uintptr_t)i, sizeof(*ret_status));
			if (length < (ssize_t)offsetof(struct sg_status, state))
				return 0;
			/* A shell into which the same words were typed has them, too, and other ones behind them. */
			if (ret_status->layout && ret_status->layout <= LAYOUT_MAX && ret_status->size <= REGION_MAX)
				return 1;
		}
	}
	return 0;
}

/* The name of the object first: of another name it is only looked for where nothing else was found. */
static int search_mappings(FILE *maps, long process, bool by_name, struct sg_status *ret_status)
{
	char line[8192], permissions[8];
	int result = 0;

	rewind(maps);
	while (result == 0 && fgets(line, sizeof(line), maps)) {
		uintptr_t start, end;
		const char *path = strchr(line, '/');

		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %7s", &start, &end, permissions) != 3 || !path ||
		    strncmp(permissions, "rw-p", 4) != 0 || (strstr(path, "libsandglass") != NULL) != by_name)
			continue;
		result = search(process, start, end, ret_status);
		if (result == 1)
			snprintf(object_path, sizeof(object_path), "%.*s", (int)strcspn(path, "\n"), path);
	}
	return result;
}

/* 0, or a negative errno. thorough: also under another name. */
static int look(long process, bool thorough, struct sg_status *ret_status, enum found *ret_found)
{
	char path[64];
	FILE *maps;
	int result;

	snprintf(path, sizeof(path), "/proc/%ld/maps", process);
	maps = fopen(path, "re");
	if (!maps)
		return -errno;
	errno = 0;
	if (fgetc(maps) == EOF && errno) { /* the permission is asked for at the first read */
		result = -errno;
		fclose(maps);
		return result;
	}
	result = search_mappings(maps, process, true, ret_status);
	if (result == 0 && thorough)
		result = search_mappings(maps, process, false, ret_status);
	fclose(maps);
	if (result < 0)
		return result;
	*ret_found = !result ? NOT_THERE : ret_status->layout != SG_STATUS_LAYOUT ||
		ret_status->size != sizeof(*ret_status) ? OTHER_LAYOUT : FOUND;
	return 0;
}

/* --- one process ------------------------------------------------------------------------------- */

static const char *state_text(const struct sg_status *status)
{
	switch (status->state) {
	case SG_STATUS_NO_PYTHON:
		return "preloaded, and this program has no Python: nothing is done in it";
	case SG_STATUS_OFF:
		return "preloaded, and switched off: SANDGLASS=off";
	case SG_STATUS_WAITING:
		return "preloaded; no engine has been imported yet";
	case SG_STATUS_UNGUARDED:
		return "NOT guarded";
	case SG_STATUS_GUARDED:
		return "guarded";
	case SG_STATUS_ENDED:
		return "guarded until its interpreter began to end";
	default:
		return "unknown";
	}
}

static void show(const char *name, const char *text)
{
	if (*text)
		printf("  %-12s %s\n", name, text);
}

/* The number that the process itself knows: in a container it is another one. */
static long own_number(long process)
{
	char path[64], line[512];
	long number = process;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/status", process);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "NSpid:", strlen("NSpid:")) == 0)
			number = strtol(strrchr(line, '\t') ? strrchr(line, '\t') : "", NULL, 10);
	if (file)
		fclose(file);
	return number > 0 ? number : process;
}

/* The path of the log as it lies there: %p is the process. */
static void show_log(long process, const char *log)
{
	char text[1100];

	show("log", sg_log_path(log, (uint64_t)own_number(process), text, sizeof(text)) == 0 ? text : log);
}

static bool is_in_our_files(long process)
{
	char path[64], theirs[128] = "", ours[128] = "";

	snprintf(path, sizeof(path), "/proc/%ld/ns/mnt", process);
	return readlink(path, theirs, sizeof(theirs) - 1) > 0 && readlink("/proc/self/ns/mnt", ours, sizeof(ours) - 1) > 0 &&
		strcmp(theirs, ours) == 0;
}

/*
 * What is wrong with the settings that the process was started with: it tells only once it imports an engine. Takes our own
 * settings and working directory away.
 */
static bool has_wrong_settings(long process, const struct sg_status *status, char *error, size_t size)
{
	struct sg_config config;
	char path[64], *variable = NULL;
	size_t room = 0;
	FILE *file;

	if (status->state != SG_STATUS_WAITING || strcmp(status->version, SG_VERSION) != 0 || !is_in_our_files(process))
		return false;
	snprintf(path, sizeof(path), "/proc/%ld/cwd", process);
	if (chdir(path) != 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%ld/environ", process);
	file = fopen(path, "re");
	if (!file)
		return false;
	sg_command_clear_settings();
	while (getdelim(&variable, &room, 0, file) > 0) {
		char *value = strchr(variable, '=');

		if (strncmp(variable, "SANDGLASS", strlen("SANDGLASS")) != 0 || !value)
			continue;
		*value++ = '\0';
		setenv(variable, value, 1);
	}
	free(variable);
	fclose(file);
	if (sg_config_load(&config, sg_condition_names, error, size) != 0)
		return true;
	sg_config_release(&config);
	return false;
}

/* Where no mode is in force, none is claimed. */
static void forget_mode(long process, struct sg_status *status)
{
	char error[1024];

	if (has_wrong_settings(process, status, error, sizeof(error)))
		strcpy(status->mode, "-");
}

static void show_number(const char *name, uint64_t number, const char *more)
{
	printf("  %-12s %" PRIu64 "%s\n", name, number, more);
}

static void show_status(long process, struct sg_status *status)
{
	time_t started = (time_t)status->started;
	char text[1200];
	struct tm *local = localtime(&started);

	printf("%ld: %s\n", process, state_text(status));
	show("version", status->version);
	show("object", object_path);
	show("reason", status->reason);
	if (status->state == SG_STATUS_NO_PYTHON)
		return;
	if (has_wrong_settings(process, status, text, sizeof(text))) {
		show("settings", text);
		show("mode", "none: the worker ends when it imports an engine");
		return;
	}
	snprintf(text, sizeof(text), "%s%s", status->mode, status->required ? ", required" : "");
	show("mode", text);
	show_log(process, status->log);
	if (status->state != SG_STATUS_GUARDED && status->state != SG_STATUS_ENDED)
		return;
	show("python", status->python);
	snprintf(text, sizeof(text), "%s, SDK %s", status->engine, status->sdk);
	show("engine", text);
	if (local && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", local))
		show("since", text);
	show("isolation", status->isolation);
	snprintf(text, sizeof(text), ", and %" PRIu64 " that could not be armed", status->unguarded);
	show_number("guards", status->guards, text);
	snprintf(text, sizeof(text), " shared, %" PRIu64 " given up: their modules are private", status->private_images);
	show_number("images", status->images, text);
	snprintf(text, sizeof(text), " in the cache, %" PRIu64 " made so far", status->runs_made);
	show_number("runs", status->runs, text);
	snprintf(text, sizeof(text), " KiB, about, of %" PRIu64 " containers that runs have changed", status->delta_containers);
	show_number("deltas", (status->delta_bytes + 1023) / 1024, text);
	snprintf(text, sizeof(text), " blocked, %" PRIu64 " answered, %" PRIu64 " warned of, %" PRIu64 " logged",
			status->violations[SG_ACTION_ANSWER], status->violations[SG_ACTION_WARN], status->violations[SG_ACTION_LOG]);
	show_number("violations", status->violations[SG_ACTION_BLOCK], text);
}

/* Texts of another process: whatever they hold, they end, and do not move the cursor. */
static void tame(char *text, size_t size)
{
	text[size - 1] = '\0';
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

static void tame_all(struct sg_status *status)
{
	tame(status->version, sizeof(status->version));
	tame(status->mode, sizeof(status->mode));
	tame(status->isolation, sizeof(status->isolation));
	tame(status->python, sizeof(status->python));
	tame(status->engine, sizeof(status->engine));
	tame(status->sdk, sizeof(status->sdk));
	tame(status->reason, sizeof(status->reason));
	tame(status->log, sizeof(status->log));
	tame(object_path, sizeof(object_path));
}

static int complain(long process, int error)
{
	switch (-error) {
	case ENOENT:
	case ESRCH:
		sg_complain("status", "%ld: there is no such process", process);
		break;
	case EACCES:
	case EPERM:
		sg_complain("status", "%ld: not permitted; accepted: the user of that process or root, and only root or its parent "
				"where kernel.yama.ptrace_scope is not 0", process);
		break;
	default:
		sg_complain("status", "%ld: it cannot be looked into: %s", process, strerror(-error));
		break;
	}
	return SG_EXIT_TROUBLE;
}

static int tell(long process)
{
	struct sg_status status;
	enum found found;
	int error = look(process, true, &status, &found);

	if (error)
		return complain(process, error);
	if (found == NOT_THERE) {
		printf("%ld: Sandglass is not in this process\n", process);
		return SG_EXIT_NO;
	}
	tame_all(&status);
	if (found == OTHER_LAYOUT) {
		sg_complain("status", "%ld: it runs Sandglass %s, which tells its status in another way than this command (%s) "
				"knows", process, status.version, SG_VERSION);
		return SG_EXIT_TROUBLE;
	}
	show_status(process, &status);
	return status.state == SG_STATUS_GUARDED || status.state == SG_STATUS_ENDED ? SG_EXIT_OK : SG_EXIT_NO;
}

/* --- all of them ------------------------------------------------------------------------------- */

struct worker {
	long process;
	bool absent; /* it was named, and Sandglass is not in it */
	struct sg_status status;
};

/* Threads of the kernel have no command. */
static bool has_command(long process)
{
	char path[64];
	FILE *file;
	bool has;

	snprintf(path, sizeof(path), "/proc/%ld/cmdline", process);
	file = fopen(path, "re");
	has = file && fgetc(file) != EOF;
	if (file)
		fclose(file);
	return has;
}

/* Those that may be looked at, in the order of /proc; how many may not. -1 with a complaint. */
static ssize_t find_workers(struct worker **ret_workers, bool all, size_t *ret_closed)
{
	DIR *processes = opendir("/proc");
	struct worker *workers = NULL;
	struct dirent *entry;
	size_t count = 0;

	if (!processes) {
		sg_complain("status", "/proc: %s", strerror(errno));
		return -1;
	}
	while ((entry = readdir(processes))) {
		long process = isdigit((unsigned char)entry->d_name[0]) ? strtol(entry->d_name, NULL, 10) : 0;
		struct worker *grown;
		struct sg_status status;
		enum found found;
		int error = process ? look(process, false, &status, &found) : -ESRCH;

		*ret_closed += (error == -EACCES || error == -EPERM) && has_command(process);
		if (error || found != FOUND || status.state < (all ? SG_STATUS_OFF : SG_STATUS_UNGUARDED))
			continue;
		grown = reallocarray(workers, count + 1, sizeof(*workers));
		if (!grown)
			break;
		workers = grown;
		tame_all(&status);
		forget_mode(process, &status);
		workers[count++] = (struct worker){process, false, status};
	}
	closedir(processes);
	*ret_workers = workers;
	return (ssize_t)count;
}

static uint64_t seen(const struct sg_status *status)
{
	uint64_t sum = 0;

	for (int i = 0; i < SG_STATUS_ACTIONS; i++)
		sum += status->violations[i];
	return sum;
}

static double minutes(const struct sg_status *status)
{
	double seconds = difftime(time(NULL), (time_t)status->started);

	return seconds < 60 ? 1 : seconds / 60;
}

static void show_table(const struct worker *workers, ssize_t count)
{
	printf("%-8s %-8s %-9s %-18s %-9s %-8s %7s %9s %6s %6s %8s %8s %8s %8s %8s\n", "PID", "MODE", "STATE",
			"ENGINE", "PYTHON", "VERSION", "GUARDS", "UNGUARDED", "IMAGES", "RUNS", "DELTAS K", "REFUSED", "ANSWERED", "WARNED", "A MINUTE");
	for (const struct worker *worker = workers; worker < workers + count; worker++) {
		static const char *const states[] = {"no python", "off", "waiting", "UNGUARDED", "guarded", "ended"};
		const struct sg_status *status = &worker->status;
		char engine[80];

		snprintf(engine, sizeof(engine), "%s%s%s", *status->engine ? status->engine : "-", *status->sdk ? " " : "", status->sdk);
		printf("%-8ld %-8s %-9s %-18s %-9s %-8s %7" PRIu64 " %9" PRIu64 " %6" PRIu64 " %6" PRIu64 " %8" PRIu64
				" %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8.1f\n",
				worker->process, status->mode, status->state >= 0 && status->state <= SG_STATUS_ENDED ? states[status->state] : "?",
				engine, *status->python ? status->python : "-", status->version, status->guards, status->unguarded, status->images,
				status->runs, (status->delta_bytes + 1023) / 1024,
				status->violations[SG_ACTION_BLOCK], status->violations[SG_ACTION_ANSWER], status->violations[SG_ACTION_WARN],
				(double)seen(status) / minutes(status));
		if (*status->reason)
			printf("         %s\n", status->reason);
	}
}

/* KEY="VALUE" with what the format wants escaped. */
static void show_label(const char *before, const char *key, const char *value)
{
	printf("%s%s=\"", before, key);
	for (; *value; value++)
		printf(*value == '"' || *value == '\\' ? "\\%c" : "%c", *value);
	putchar('"');
}

static void show_metrics(const struct worker *workers, ssize_t count)
{
	static const struct {
		const char *name, *type, *help;
		size_t offset;
	} metrics[] = {
		{"guards", "gauge", "Guards in place.", offsetof(struct sg_status, guards)},
		{"unguarded", "gauge", "Guards that could not be armed.", offsetof(struct sg_status, unguarded)},
		{"images", "gauge", "Modules of workflows that runs share.", offsetof(struct sg_status, images)},
		{"private_images", "gauge", "Modules of workflows that each run executes.", offsetof(struct sg_status, private_images)},
		{"runs", "gauge", "Runs in the cache.", offsetof(struct sg_status, runs)},
		{"delta_containers", "gauge", "Containers of images of which a run in the cache has content of its own.",
			offsetof(struct sg_status, delta_containers)},
		{"delta_bytes", "gauge", "Memory of that content, about, without what it refers to.", offsetof(struct sg_status, delta_bytes)},
		{"runs_made_total", "counter", "Runs made.", offsetof(struct sg_status, runs_made)},
		{"start_time_seconds", "gauge", "When the engine was taken over, since 1970.", offsetof(struct sg_status, started)},
	};

	printf("# HELP sandglass_guarded Whether workflows of the process are guarded.\n# TYPE sandglass_guarded gauge\n");
	for (const struct worker *worker = workers; worker < workers + count; worker++) {
		if (worker->absent) {
			printf("sandglass_guarded{pid=\"%ld\"} 0\n", worker->process);
			continue;
		}
		printf("sandglass_guarded{pid=\"%ld\"", worker->process);
		show_label(",", "version", worker->status.version);
		show_label(",", "mode", worker->status.mode);
		show_label(",", "engine", worker->status.engine);
		show_label(",", "sdk", worker->status.sdk);
		show_label(",", "python", worker->status.python);
		show_label(",", "reason", worker->status.reason);
		printf("} %d\n", worker->status.state == SG_STATUS_GUARDED);
	}
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		printf("# HELP sandglass_%s %s\n# TYPE sandglass_%s %s\n", metrics[i].name, metrics[i].help, metrics[i].name, metrics[i].type);
		for (const struct worker *worker = workers; worker < workers + count; worker++) {
			uint64_t value;

			if (worker->absent)
				continue;
			memcpy(&value, (const char *)&worker->status + metrics[i].offset, sizeof(value));
			printf("sandglass_%s{pid=\"%ld\"} %" PRIu64 "\n", metrics[i].name, worker->process, value);
		}
	}
	printf("# HELP sandglass_calls_total Calls of workflow code, by what was done.\n# TYPE sandglass_calls_total counter\n");
	for (const struct worker *worker = workers; worker < workers + count; worker++)
		for (enum sg_action action = SG_ACTION_LOG; action <= SG_ACTION_BLOCK && !worker->absent; action++)
			printf("sandglass_calls_total{pid=\"%ld\",action=\"%s\"} %" PRIu64 "\n", worker->process,
					sg_config_action_name(action), worker->status.violations[action]);
}

/* The processes that were named. Returns the exit status so far; those that cannot be looked at are complained of. */
static int find_named(struct worker *workers, ssize_t *count, int named, char **names)
{
	int worst = SG_EXIT_OK;

	for (int i = 0; i < named; i++) {
		long process = strtol(names[i], NULL, 10);
		struct worker *worker = &workers[*count];
		enum found found;
		int error = look(process, true, &worker->status, &found);

		if (error) {
			worst = complain(process, error);
		} else if (found != FOUND) {
			sg_complain("status", "%ld: %s", process, found == NOT_THERE ? "Sandglass is not in this process" :
					"it runs another version of Sandglass");
			worst = worst > SG_EXIT_NO ? worst : SG_EXIT_NO;
			if (found == NOT_THERE) {
				*worker = (struct worker){.process = process, .absent = true};
				++*count;
			}
		} else {
			worker->process = process;
			tame_all(&worker->status);
			forget_mode(process, &worker->status);
			++*count;
		}
	}
	return worst;
}

static int tell_all(bool all, bool metrics, int named, char **names)
{
	struct worker *workers = named ? calloc((size_t)named, sizeof(*workers)) : NULL;
	ssize_t count = 0;
	size_t closed = 0;
	int status = SG_EXIT_OK;

	if (named && !workers)
		return SG_EXIT_TROUBLE;
	if (named)
		status = find_named(workers, &count, named, names);
	else
		count = find_workers(&workers, all, &closed);
	if (count < 0)
		return SG_EXIT_TROUBLE;
	if (metrics)
		show_metrics(workers, count);
	else if (count)
		show_table(workers, count);
	else
		printf("no worker that may be looked at has Sandglass in it\n");
	if (closed && !metrics)
		printf("%zu process%s may not be looked at: not ours, or kernel.yama.ptrace_scope is not 0; root may\n", closed,
				closed == 1 ? "" : "es");
	for (ssize_t i = 0; i < count && !status; i++)
		status = workers[i].status.state == SG_STATUS_UNGUARDED ? SG_EXIT_NO : SG_EXIT_OK;
	free(workers);
	return count || metrics || status ? status : SG_EXIT_NO;
}

int sg_command_status(int count, char **arguments)
{
	bool all = false, prometheus = false;
	const struct sg_option options[] = {{"--all", NULL, NULL, &all, NULL}, {"--prometheus", NULL, NULL, &prometheus, NULL}, {0}};
	const struct sg_usage usage = {"status", usage_text, options, "process ids, or nothing for all workers", false};
	int status, worst = SG_EXIT_OK, result, named = sg_options_take(&usage, count, arguments, &status);

	if (named < 0)
		return status;
	for (int i = 0; i < named; i++) {
		char *end;

		if (strtol(arguments[i], &end, 10) <= 0 || *end || !isdigit((unsigned char)arguments[i][0])) {
			sg_complain("status", "%s: not accepted; accepted: %s", arguments[i], usage.arguments);
			return SG_EXIT_TROUBLE;
		}
	}
	if (all || prometheus || !named)
		worst = tell_all(all, prometheus, all ? 0 : named, arguments);
	for (int i = 0; i < named && !all && !prometheus; i++) {
		result = tell(strtol(arguments[i], NULL, 10));
		worst = result > worst ? result : worst;
	}
	return fflush(stdout) ? SG_EXIT_TROUBLE : worst;
}
