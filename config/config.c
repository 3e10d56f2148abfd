#define _GNU_SOURCE 1

#include "config/config.h"

#include "config/draft.h"
#include "config/parser.h"
#include "config/toggles.h"
#include "config/zone.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int load_files(struct sg_draft *draft)
{
	const char *paths = sg_toggles_config_files();
	char *rest;

	if (!paths)
		return 0;
	rest = sg_draft_scratch(draft, paths, strlen(paths));
	if (!rest)
		return -ENOMEM;
	while (rest) {
		char *path = strsep(&rest, ":");
		int error = sg_draft_begin_source(draft, "environment");

		if (error)
			return error;
		draft->key = "SANDGLASS_CONFIG";
		draft->value = paths;
		if (!*path)
			return sg_draft_fail(draft, -EINVAL,
					"it is empty, or a path in it is; accepted: PATH[:PATH]");
		error = sg_parser_file(draft, path);
		if (error)
			return error;
	}
	return 0;
}

/* It has its settings first: without the rules it is read in a tenth of the time. */
static size_t default_conf_size(bool settings_only)
{
	const char *end = NULL;

	if (settings_only && !sg_toggles_need_rules())
		end = strstr(sg_default_conf, "\n[sinks]\n");
	return end ? (size_t)(end + 1 - sg_default_conf) : sg_default_conf_size;
}

static int load_sources(struct sg_draft *draft, bool settings_only)
{
	int error = sg_draft_begin_source(draft, "environment");

	if (!error)
		error = sg_toggles_check_names(draft);
	if (error)
		return error;
	draft->builtin = true;
	error = sg_parser_text(draft, "default.conf", sg_default_conf,
			default_conf_size(settings_only));
	draft->builtin = false;
	if (!error)
		error = load_files(draft);
	if (!error)
		error = sg_draft_begin_source(draft, "environment");
	return error ? error : sg_toggles_environment(draft);
}

static int load(struct sg_config *ret_config, const char *const *known_conditions, char *error,
		size_t size, bool settings_only)
{
	struct sg_draft draft;
	int result = sg_draft_init(&draft, known_conditions, error, size);

	if (!result && sg_toggles_are_off())
		draft.config.mode = SG_MODE_OFF;
	else if (!result)
		result = load_sources(&draft, settings_only);
	if (result) {
		sg_draft_release(&draft);
		return result;
	}
	if (draft.config.seed == SG_SEED_BY_MODE)
		draft.config.hash_seed = SG_STRICT_SEED;
	if (!draft.config.tz && sg_config_is_strict(&draft.config))
		draft.config.zone = &sg_zone_utc;
	if (!draft.config.tz)
		draft.config.tz = draft.config.zone ? "UTC" : "host";
	sg_draft_finish(&draft, ret_config);
	return 0;
}

bool sg_config_pins_seed(const struct sg_config *config)
{
	return config->seed == SG_SEED_NUMBER || (config->seed == SG_SEED_BY_MODE && sg_config_is_strict(config));
}

int sg_config_load(struct sg_config *ret_config, const char *const *known_conditions, char *error,
		size_t size)
{
	return load(ret_config, known_conditions, error, size, false);
}

int sg_config_load_settings(struct sg_config *ret_config, const char *const *known_conditions,
		char *error, size_t size)
{
	return load(ret_config, known_conditions, error, size, true);
}
