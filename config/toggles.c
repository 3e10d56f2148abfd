#define _GNU_SOURCE 1

#include "config/toggles.h"

#include "config/rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define PREFIX "SANDGLASS_"

/* In the order of the enums. */
static const char *const modes[] = {"enforce", "strict", "warn", "observe", "off", "0", NULL};
static const char *const isolations[] = {"shared", "private", "off", NULL};
static const char *const inherits[] = {"python", "all", "none", NULL};
static const char *const natives[] = {"off", "warn", "block", NULL};
static const char *const switches[] = {"0", "1", NULL};
static const char *const levels[] = {"error", "warn", "info", "debug", "trace", NULL};

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
	int error = sg_draft_choose(draft, "mode", value, modes, NULL, &mode);

	if (!error)
		draft->config.mode = mode > SG_MODE_OFF ? SG_MODE_OFF : (enum sg_mode)mode;
	return error;
}

static int set_isolation(struct sg_draft *draft, const char *value)
{
	int isolation;
	int error = sg_draft_choose(draft, "isolation", value, isolations, NULL, &isolation);

	if (!error)
		draft->config.isolation = (enum sg_isolation)isolation;
	return error;
}

static int set_inherit(struct sg_draft *draft, const char *value)
{
	int inherit;
	int error = sg_draft_choose(draft, "inheritance", value, inherits, NULL, &inherit);

	if (!error)
		draft->config.inherit = (enum sg_inherit)inherit;
	return error;
}

static int set_native(struct sg_draft *draft, const char *value)
{
	int native;
	int error = sg_draft_choose(draft, "verdict on native code", value, natives, NULL, &native);

	if (!error)
		draft->config.native = (enum sg_native)(SG_NATIVE_OFF + native);
	return error;
}

static int set_hardened(struct sg_draft *draft, const char *value)
{
	int on;
	int error = sg_draft_choose(draft, "value", value, switches, NULL, &on);

	if (!error)
		draft->config.hardened = on;
	return error;
}

static int set_required(struct sg_draft *draft, const char *value)
{
	int on;
	int error = sg_draft_choose(draft, "value", value, switches, NULL, &on);

	if (!error)
		draft->config.required = on;
	return error;
}

static int set_log_level(struct sg_draft *draft, const char *value)
{
	return sg_draft_choose(draft, "log level", value, levels, NULL, &draft->config.log_level);
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
	contradiction = sg_draft_scratch(draft, "", size);
	if (!contradiction)
		return -ENOMEM;
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

static int refuse(struct sg_draft *draft, const char *value)
{
	(void)value;
	return sg_draft_fail(draft, -EINVAL,
			"%s is not in this version; accepted: nothing, leave it out", draft->key);
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
		{"SANDGLASS_INHERIT", "inherit", set_inherit},
		{"SANDGLASS_NATIVE", "native", set_native},
		{"SANDGLASS_HARDENED", "hardened", set_hardened},
		{"SANDGLASS_REQUIRED", "required", set_required},
		{"SANDGLASS_VIRTUAL", "virtual", refuse},
		{"SANDGLASS_HASHSEED", "hashseed", refuse},
};

#define TOGGLE_COUNT (sizeof(toggles) / sizeof(toggles[0]))

/* Fails, naming what is accepted: variables or settings, without those of later versions. */
static int fail_unknown(struct sg_draft *draft, const char *what, const char *name, bool variables)
{
	struct sg_nearest nearest = {.written = name};
	char list[400] = "";
	size_t length = 0;

	for (size_t i = 0; i < TOGGLE_COUNT; i++) {
		const char *known = variables ? toggles[i].variable : toggles[i].setting;

		if (!known || toggles[i].set == refuse)
			continue;
		sg_nearest_offer(&nearest, known);
		length += (size_t)snprintf(list + length, sizeof(list) - length, "%s%s",
				length ? ", " : "", known);
	}
	return sg_draft_fail(draft, -EINVAL, "unknown %s%s%s%s; accepted: %s", what,
			nearest.best ? ", did you mean " : "", nearest.best ? nearest.best : "",
			nearest.best ? "?" : "", list);
}

bool sg_toggles_are_off(void)
{
	const char *mode = secure_getenv("SANDGLASS");

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
	return secure_getenv("SANDGLASS_CONFIG");
}

int sg_toggles_environment(struct sg_draft *draft)
{
	for (size_t i = 0; i < TOGGLE_COUNT; i++) {
		const char *value = secure_getenv(toggles[i].variable);
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
		if (!*text && toggles[i].set != refuse)
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
	return secure_getenv("SANDGLASS_CONFIG") || secure_getenv("SANDGLASS_RULES");
}
