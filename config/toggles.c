#define _GNU_SOURCE 1

#include "config/toggles.h"

#include "config/rules.h"
#include "config/zone.h"
#include "shim/base/decimal.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define PREFIX "SANDGLASS_"

/* In the order of the enums. */
static const char *const modes[] = {"enforce", "strict", "answer", "warn", "observe", "off", "0", NULL};
static const char *const isolations[] = {"shared", "private", "off", NULL};
static const char *const inherits[] = {"python", "all", "none", NULL};
static const char *const natives[] = {"off", "warn", "block", NULL};
static const char *const switches[] = {"0", "1", NULL};
static const char *const levels[] = {"error", "warn", "info", "debug", "trace", NULL};

/* As secure_getenv(), by whose name the object would call its own hook. */
static const char *variable(const char *name)
{
	size_t length = strlen(name);

	for (char **entry = environ; entry && *entry; entry++)
		if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
			return getauxval(AT_SECURE) ? NULL : *entry + length + 1;
	return NULL;
}

const char *sg_config_mode_name(enum sg_mode mode)
{
	return modes[mode];
}

const char *sg_config_isolation_name(enum sg_isolation isolation)
{
	return isolations[isolation];
}

static int set_mode(struct sg_draft *draft, const char *value)
{
	int mode;
	int error = sg_draft_choose(draft, "mode", value, modes, &mode);

	if (!error)
		draft->config.mode = mode > SG_MODE_OFF ? SG_MODE_OFF : (enum sg_mode)mode;
	return error;
}

static int set_isolation(struct sg_draft *draft, const char *value)
{
	int isolation;
	int error = sg_draft_choose(draft, "isolation", value, isolations, &isolation);

	if (!error)
		draft->config.isolation = (enum sg_isolation)isolation;
	return error;
}

static int set_inherit(struct sg_draft *draft, const char *value)
{
	int inherit;
	int error = sg_draft_choose(draft, "inheritance", value, inherits, &inherit);

	if (!error)
		draft->config.inherit = (enum sg_inherit)inherit;
	return error;
}

static int set_native(struct sg_draft *draft, const char *value)
{
	int native;
	int error = sg_draft_choose(draft, "verdict on native code", value, natives, &native);

	if (!error)
		draft->config.native = (enum sg_native)(SG_NATIVE_OFF + native);
	return error;
}

static int set_hardened(struct sg_draft *draft, const char *value)
{
	int on;
	int error = sg_draft_choose(draft, "value", value, switches, &on);

	if (!error)
		draft->config.hardened = on;
	return error;
}

static int set_required(struct sg_draft *draft, const char *value)
{
	int on;
	int error = sg_draft_choose(draft, "value", value, switches, &on);

	if (!error)
		draft->config.required = on;
	return error;
}

static int set_log_level(struct sg_draft *draft, const char *value)
{
	return sg_draft_choose(draft, "log level", value, levels, &draft->config.log_level);
}

static int set_log_format(struct sg_draft *draft, const char *value)
{
	static const char *const formats[] = {"logfmt", "json", NULL};
	int format;
	int error = sg_draft_choose(draft, "log format", value, formats, &format);

	if (!error)
		draft->config.log_json = format;
	return error;
}

/* A decimal number from least to most. */
static int set_number(struct sg_draft *draft, const char *value, long least, long most, const char *what, unsigned int *ret)
{
	const char *end;
	long number = sg_decimal(value, &end);

	if (end == value || *end || number < least || number > most)
		return sg_draft_fail(draft, -EINVAL, "not a number of %s; accepted: %ld to %ld", what, least, most);
	*ret = (unsigned int)number;
	return 0;
}

static int set_summary(struct sg_draft *draft, const char *value)
{
	return set_number(draft, value, 0, 100000, "minutes", &draft->config.summary);
}

static int set_world(struct sg_draft *draft, const char *value)
{
	return set_number(draft, value, 1, 100, "a world", &draft->config.world);
}

static int set_log(struct sg_draft *draft, const char *value)
{
	const char *copy;

	/* Without the slash a slip such as "stdout" would become a file that nobody looks at. */
	if (strcmp(value, "stderr") != 0 && !strchr(value, '/'))
		return sg_draft_fail(draft, -EINVAL,
				"neither stderr nor a path; accepted: stderr, or a path with a '/' "
				"in it (./NAME for the working directory)");
	for (const char *percent = value; (percent = strchr(percent, '%')); percent += 2)
		if (percent[1] != 'p')
			return sg_draft_fail(draft, -EINVAL,
					"'%%' without p; accepted: %%p, which is the process id");
	copy = sg_draft_copy(draft, value, strlen(value));
	if (!copy)
		return -ENOMEM;
	draft->config.log = copy;
	return 0;
}

struct sharing {
	char ***list;
	char **other;
	const char *heading;
	const char *other_heading;
};

/* Later sources win, but one source that wants both has made a mistake. */
static int share_item(struct sg_draft *draft, char *item, void *user)
{
	struct sharing *sharing = user;
	char *contradiction;
	size_t size = strlen(sharing->other_heading) + 1 + strlen(item) + 1;
	int error = sg_draft_check_module(draft, item);

	if (!error)
		error = sg_draft_state_once(draft, sharing->heading, item);
	if (error)
		return error;
	contradiction = sg_arena_take(&draft->scratch, size);
	if (!contradiction)
		return sg_draft_fail(draft, -ENOMEM, "out of memory");
	snprintf(contradiction, size, "%s %s", sharing->other_heading, item);
	if (sg_names_find(&draft->seen, contradiction, NULL))
		return sg_draft_fail(draft, -EINVAL,
				"%.100s is both in passthrough and in reload; accepted: one of "
				"them",
				item);
	sg_draft_list_remove(sharing->other, item);
	return sg_draft_list_add(draft, sharing->list, item);
}

static int set_passthrough(struct sg_draft *draft, const char *value)
{
	struct sharing sharing = {
			&draft->config.passthrough, draft->config.reload, "share", "isolate"};

	return sg_draft_each_item(draft, value, share_item, &sharing);
}

static int set_reload(struct sg_draft *draft, const char *value)
{
	struct sharing sharing = {
			&draft->config.reload, draft->config.passthrough, "isolate", "share"};

	return sg_draft_each_item(draft, value, share_item, &sharing);
}

static int set_hashseed(struct sg_draft *draft, const char *value)
{
	const char *end;
	long number;

	if (strcmp(value, "random") == 0) {
		draft->config.seed = SG_SEED_RANDOM;
		return 0;
	}
	number = sg_decimal(value, &end);
	if (end == value || *end || number > UINT32_MAX)
		return sg_draft_fail(draft, -EINVAL, "not a seed; accepted: a number from 0 to 4294967295, or random");
	draft->config.seed = SG_SEED_NUMBER;
	draft->config.hash_seed = (unsigned int)number;
	return 0;
}

static int set_tz(struct sg_draft *draft, const char *value)
{
	static const char accepted[] = "accepted: UTC, a name of the zone database such as Europe/Berlin, or host";
	const char *copy = sg_draft_copy(draft, value, strlen(value));
	int error = 0;

	if (!copy)
		return -ENOMEM;
	draft->config.zone = NULL;
	draft->config.host_zone = strcmp(value, "host") == 0;
	if (strcmp(value, "UTC") == 0)
		draft->config.zone = &sg_zone_utc;
	else if (!draft->config.host_zone)
		error = sg_zone_read(&draft->config.memory->arena, value, &draft->config.zone);
	if (error == -ENOENT)
		return sg_draft_fail(draft, -EINVAL, "this machine has no time zone of that name; %s", accepted);
	if (error)
		return sg_draft_fail(draft, -EINVAL, "its file in the zone database %s; %s", error == -ENOTSUP ?
				"counts leap seconds" : "is not one of a time zone", accepted);
	draft->config.tz = copy;
	return 0;
}

/* A list of sources; none is nobody. */
static int answer_item(struct sg_draft *draft, char *item, void *user)
{
	static const char *const sources[] = {"none", "clock", "random", "locale", "terminal", NULL}; /* in the order of enum sg_source */
	int source = 0;
	int error = sg_draft_choose(draft, "source", item, sources, &source);

	(void)user;
	if (!error && source)
		draft->config.answered |= 1u << source;
	return error;
}

static int set_virtual(struct sg_draft *draft, const char *value)
{
	draft->config.answered = 0;
	return sg_draft_each_item(draft, value, answer_item, NULL);
}

/* A row without a setting is for the environment only; one without a function is read elsewhere. */
static const struct toggle {
	const char *variable;
	const char *setting;
	int (*set)(struct sg_draft *draft, const char *value);
} toggles[] = {
		{"SANDGLASS", "mode", set_mode},
		{"SANDGLASS_CONFIG", NULL, NULL},
		{"SANDGLASS_RULES", NULL, sg_rules_list},
		{"SANDGLASS_PASSTHROUGH", "passthrough", set_passthrough},
		{"SANDGLASS_RELOAD", "reload", set_reload},
		{"SANDGLASS_ISOLATION", "isolation", set_isolation},
		{"SANDGLASS_LOG", "log", set_log},
		{"SANDGLASS_LOG_LEVEL", "log_level", set_log_level},
		{"SANDGLASS_LOG_FORMAT", "log_format", set_log_format},
		{"SANDGLASS_SUMMARY", "summary", set_summary},
		{"SANDGLASS_INHERIT", "inherit", set_inherit},
		{"SANDGLASS_NATIVE", "native", set_native},
		{"SANDGLASS_HARDENED", "hardened", set_hardened},
		{"SANDGLASS_REQUIRED", "required", set_required},
		{"SANDGLASS_TZ", "tz", set_tz},
		{"SANDGLASS_VIRTUAL", "virtual", set_virtual},
		{"SANDGLASS_HASHSEED", "hashseed", set_hashseed},
		{"SANDGLASS_WORLD", "world", set_world},
};

#define TOGGLE_COUNT (sizeof(toggles) / sizeof(toggles[0]))

/* Fails, naming what is accepted. Of variables only what stands behind the prefix is compared: it would make all of them near. */
static int fail_unknown(struct sg_draft *draft, const char *what, const char *name, bool variables)
{
	struct sg_nearest nearest = {.written = variables ? name + strlen(PREFIX) : name};
	const char *best = NULL, *before = NULL;
	char list[800] = "";
	size_t length = 0;

	for (size_t i = 0; i < TOGGLE_COUNT; i++) {
		const char *known = variables ? toggles[i].variable : toggles[i].setting;

		if (!known)
			continue;
		/* SANDGLASS, which many would call SANDGLASS_MODE. */
		sg_nearest_offer(&nearest, !variables ? known : strlen(known) > strlen(PREFIX) ? known + strlen(PREFIX) : "MODE");
		best = nearest.best != before ? known : best;
		before = nearest.best;
		length += (size_t)snprintf(list + length, sizeof(list) - length, "%s%s",
				length ? ", " : "", known);
	}
	return sg_draft_fail(draft, -EINVAL, "unknown %s%s%s%s; accepted: %s", what,
			best ? ", did you mean " : "", best ? best : "", best ? "?" : "", list);
}

bool sg_toggles_are_off(void)
{
	const char *mode = variable("SANDGLASS");

	return getauxval(AT_SECURE) || (mode && (!strcmp(mode, "off") || !strcmp(mode, "0")));
}

int sg_toggles_setting(struct sg_draft *draft, const char *key, const char *value)
{
	int error = sg_draft_state_once(draft, "settings", key);

	if (error)
		return error;
	for (size_t i = 0; i < TOGGLE_COUNT; i++)
		if (toggles[i].setting && strcmp(toggles[i].setting, key) == 0)
			return toggles[i].set(draft, value);
	if (strcmp(key, "config") == 0 || strcmp(key, "rules") == 0)
		return sg_draft_fail(draft, -EINVAL, "only the environment has it; accepted: %s",
				*key == 'c' ? "the variable SANDGLASS_CONFIG"
					    : "a section [rules], or the variable SANDGLASS_RULES");
	return fail_unknown(draft, "setting", key, false);
}

int sg_toggles_check_names(struct sg_draft *draft)
{
	for (char **variable = environ; variable && *variable; variable++) {
		const char *equals = strchr(*variable, '=');
		size_t length = equals ? (size_t)(equals - *variable) : strlen(*variable);
		bool known = false;
		char *name;

		if (strncmp(*variable, PREFIX, strlen(PREFIX)) != 0)
			continue;
		for (size_t i = 0; i < TOGGLE_COUNT && !known; i++)
			known = strlen(toggles[i].variable) == length &&
				strncmp(toggles[i].variable, *variable, length) == 0;
		if (known)
			continue;
		name = sg_draft_scratch(draft, *variable, length);
		if (!name)
			return -ENOMEM;
		draft->key = name;
		draft->value = equals ? equals + 1 : "";
		return fail_unknown(draft, "variable", name, true);
	}
	return 0;
}

const char *sg_toggles_config_files(void)
{
	return variable("SANDGLASS_CONFIG");
}

int sg_toggles_environment(struct sg_draft *draft)
{
	for (size_t i = 0; i < TOGGLE_COUNT; i++) {
		const char *value = variable(toggles[i].variable);
		char *text;
		int error;

		if (!value || !toggles[i].set)
			continue;
		draft->key = toggles[i].variable;
		draft->value = value;
		text = sg_draft_scratch(draft, value, strlen(value));
		if (!text)
			return -ENOMEM;
		text = sg_draft_trim(text);
		if (!*text)
			return sg_draft_fail(draft, -EINVAL,
					"it is empty; accepted: a value, or no such variable");
		error = toggles[i].set(draft, text);
		if (error)
			return error;
	}
	return 0;
}

bool sg_toggles_need_rules(void)
{
	return variable("SANDGLASS_CONFIG") || variable("SANDGLASS_RULES");
}
