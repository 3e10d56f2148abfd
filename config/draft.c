#define _GNU_SOURCE 1

#include "config/draft.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 100 /* bytes of a key or value that a message repeats */

/* Every list starts as this one, so that a reader of the configuration need not test for NULL. */
static char *no_names[] = {NULL};
static const char *const no_conditions[] = {NULL};

int sg_draft_init(struct sg_draft *draft, const char *const *known_conditions, char *error,
		size_t size)
{
	*draft = (struct sg_draft){
			.known_conditions = known_conditions ? known_conditions : no_conditions,
			.source = "configuration",
			.error = error,
			.error_size = size,
			.config = {.log = "stderr", .answered = ~0u, .allowed = no_names, .passthrough = no_names, .reload = no_names},
	};
	draft->config.memory = calloc(1, sizeof(*draft->config.memory));
	if (!draft->config.memory)
		return sg_draft_fail(draft, -ENOMEM, "out of memory");
	return 0;
}

void sg_draft_finish(struct sg_draft *draft, struct sg_config *ret_config)
{
	*ret_config = draft->config;
	draft->config = (struct sg_config){0};
	sg_draft_release(draft);
}

void sg_draft_release(struct sg_draft *draft)
{
	sg_names_release(&draft->seen);
	sg_arena_release(&draft->scratch);
	sg_config_release(&draft->config);
}

int sg_draft_begin_source(struct sg_draft *draft, const char *source)
{
	char *copy = sg_draft_copy(draft, source, strlen(source));

	if (!copy)
		return -ENOMEM;
	draft->source = copy;
	draft->line = 0;
	draft->key = NULL;
	draft->value = NULL;
	sg_names_release(&draft->seen);
	return 0;
}

/* A message is one line for a terminal: long or odd bytes of a file must not spoil it. */
static void tame(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 127)
			*text = '?';
}

static void show(char *ret_shown, const char *text)
{
	size_t length = strnlen(text, SHOWN);

	memcpy(ret_shown, text, length);
	strcpy(ret_shown + length, text[length] ? "..." : "");
}

int sg_draft_fail(struct sg_draft *draft, int error, const char *format, ...)
{
	char key[SHOWN + 4] = "", value[SHOWN + 4] = "", line[16] = "", what[1200];
	va_list arguments;

	if (draft->line)
		snprintf(line, sizeof(line), ":%d", draft->line);
	if (draft->key)
		show(key, draft->key);
	if (draft->value)
		show(value, draft->value);
	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	if (draft->error_size)
		snprintf(draft->error, draft->error_size, "%s%s: %s%s%s%s%s", draft->source, line,
				key, draft->value ? " = " : "", value, draft->key ? ": " : "",
				what);
	if (draft->error_size)
		tame(draft->error);
	return error;
}

int sg_draft_state_once(struct sg_draft *draft, const char *heading, const char *name)
{
	size_t length = strlen(heading) + 1 + strlen(name);
	char *key = sg_arena_take(&draft->scratch, length + 1);
	size_t line = 0;
	int error;

	if (!key)
		return sg_draft_fail(draft, -ENOMEM, "out of memory");
	snprintf(key, length + 1, "%s %s", heading, name);
	error = sg_names_add(&draft->seen, key, (size_t)draft->line);
	if (error == -ENOMEM)
		return sg_draft_fail(draft, error, "out of memory");
	if (!error)
		return 0;
	sg_names_find(&draft->seen, key, &line);
	if (line)
		return sg_draft_fail(draft, -EINVAL,
				"%s is stated twice, first in line %zu; accepted: once", name,
				line);
	return sg_draft_fail(draft, -EINVAL, "%s is stated twice; accepted: once", name);
}

int sg_draft_check_module(struct sg_draft *draft, const char *name)
{
	if (sg_name_is_dotted(name))
		return 0;
	return sg_draft_fail(draft, -EINVAL,
			"\"%.100s\" is not the name of a module; accepted: identifiers with dots "
			"between them",
			name);
}

static char *copy_into(struct sg_draft *draft, struct sg_arena *arena, const char *text,
		size_t length)
{
	char *copy = sg_arena_take(arena, length + 1);

	if (!copy) {
		sg_draft_fail(draft, -ENOMEM, "out of memory");
		return NULL;
	}
	memcpy(copy, text, length);
	copy[length] = 0;
	return copy;
}

char *sg_draft_copy(struct sg_draft *draft, const char *text, size_t length)
{
	return copy_into(draft, &draft->config.memory->arena, text, length);
}

char *sg_draft_scratch(struct sg_draft *draft, const char *text, size_t length)
{
	return copy_into(draft, &draft->scratch, text, length);
}

int sg_draft_choose(struct sg_draft *draft, const char *what, const char *word,
		const char *const *accepted, int *ret_index)
{
	struct sg_nearest nearest = {.written = word};
	char list[400] = "", shown[SHOWN + 4];
	size_t length = 0;

	for (int i = 0; accepted[i]; i++) {
		if (strcmp(accepted[i], word) == 0) {
			*ret_index = i;
			return 0;
		}
		sg_nearest_offer(&nearest, accepted[i]);
		length += (size_t)snprintf(list + length, sizeof(list) - length, "%s%s",
				i ? ", " : "", accepted[i]);
		if (length >= sizeof(list))
			length = sizeof(list) - 1;
	}
	show(shown, word);
	return sg_draft_fail(draft, -EINVAL, "unknown %s \"%s\"%s%s%s; accepted: %s", what, shown,
			nearest.best ? ", did you mean \"" : "", nearest.best ? nearest.best : "",
			nearest.best ? "\"?" : "", list);
}

int sg_draft_each_item(struct sg_draft *draft, const char *list,
		int (*each)(struct sg_draft *draft, char *item, void *user), void *user)
{
	char *rest = sg_draft_scratch(draft, list, strlen(list));

	if (!rest)
		return -ENOMEM;
	while (rest) {
		char *item = strsep(&rest, ",");
		int error;

		item = sg_draft_trim(item);
		if (!*item)
			return sg_draft_fail(draft, -EINVAL,
					"an item of the list is empty; accepted: NAME, NAME ...");
		error = each(draft, item, user);
		if (error)
			return error;
	}
	return 0;
}

int sg_draft_list_add(struct sg_draft *draft, char ***list, const char *name)
{
	size_t count = 0;
	char **longer, *copy;

	for (; (*list)[count]; count++)
		if (strcmp((*list)[count], name) == 0)
			return 0;
	copy = sg_draft_copy(draft, name, strlen(name));
	if (!copy)
		return -ENOMEM;
	longer = sg_arena_take(&draft->config.memory->arena, (count + 2) * sizeof(*longer));
	if (!longer)
		return sg_draft_fail(draft, -ENOMEM, "out of memory");
	memcpy(longer, *list, count * sizeof(*longer));
	longer[count] = copy;
	longer[count + 1] = NULL;
	*list = longer;
	return 0;
}

void sg_draft_list_remove(char **list, const char *name)
{
	for (; *list; list++) {
		if (strcmp(*list, name) != 0)
			continue;
		for (; *list; list++)
			list[0] = list[1];
		return;
	}
}

/*
 * The array with room for one more element, zeroed; NULL when out of memory, with the error
 * written. Its room is 8 or the next power of two, so the count alone tells when it is full.
 */
static void *extend(struct sg_draft *draft, void *array, size_t count, size_t size)
{
	if (count == 0 || (count >= 8 && (count & (count - 1)) == 0))
		array = realloc(array, (count ? count * 2 : 8) * size);
	if (array)
		memset((char *)array + count * size, 0, size);
	else
		sg_draft_fail(draft, -ENOMEM, "out of memory");
	return array;
}

int sg_draft_add_rule(struct sg_draft *draft, const char *name, struct sg_rule **ret_rule)
{
	struct sg_config *config = &draft->config;
	char *copy = sg_draft_copy(draft, name, strlen(name));
	struct sg_rule *rules;

	if (!copy)
		return -ENOMEM;
	rules = extend(draft, config->rules, config->rule_count, sizeof(*rules));
	if (!rules)
		return -ENOMEM;
	config->rules = rules;
	if (sg_names_add(&config->memory->rules, copy, config->rule_count))
		return sg_draft_fail(draft, -ENOMEM, "out of memory");
	*ret_rule = &rules[config->rule_count++];
	(*ret_rule)->name = copy;
	return 0;
}

int sg_draft_add_sink(struct sg_draft *draft, const char *module, struct sg_sink **ret_sink)
{
	struct sg_config *config = &draft->config;
	char *copy = sg_draft_copy(draft, module, strlen(module));
	struct sg_sink *sinks;

	if (!copy)
		return -ENOMEM;
	sinks = extend(draft, config->sinks, config->sink_count, sizeof(*sinks));
	if (!sinks)
		return -ENOMEM;
	config->sinks = sinks;
	*ret_sink = &sinks[config->sink_count++];
	(*ret_sink)->module = copy;
	return 0;
}

int sg_draft_add_native(struct sg_draft *draft, const char *object, struct sg_native_rule **ret_rule)
{
	struct sg_config *config = &draft->config;
	char *copy = sg_draft_copy(draft, object, strlen(object));
	struct sg_native_rule *rules;

	if (!copy)
		return -ENOMEM;
	rules = extend(draft, config->native_rules, config->native_rule_count, sizeof(*rules));
	if (!rules)
		return -ENOMEM;
	config->native_rules = rules;
	*ret_rule = &rules[config->native_rule_count++];
	(*ret_rule)->object = copy;
	return 0;
}

int sg_draft_add_type(struct sg_draft *draft, const char *name, struct sg_type_rule **ret_rule)
{
	struct sg_config *config = &draft->config;
	char *copy = sg_draft_copy(draft, name, strlen(name));
	struct sg_type_rule *rules;

	if (!copy)
		return -ENOMEM;
	rules = extend(draft, config->type_rules, config->type_rule_count, sizeof(*rules));
	if (!rules)
		return -ENOMEM;
	config->type_rules = rules;
	*ret_rule = &rules[config->type_rule_count++];
	(*ret_rule)->name = copy;
	return 0;
}

int sg_draft_add_engine(struct sg_draft *draft, const char *name,
		struct sg_engine_config **ret_engine)
{
	struct sg_config *config = &draft->config;
	char *copy = sg_draft_copy(draft, name, strlen(name));
	struct sg_engine_config *engines;

	if (!copy)
		return -ENOMEM;
	engines = extend(draft, config->engines, config->engine_count, sizeof(*engines));
	if (!engines)
		return -ENOMEM;
	config->engines = engines;
	*ret_engine = &engines[config->engine_count++];
	(*ret_engine)->name = copy;
	(*ret_engine)->packages = no_names;
	return 0;
}

int sg_draft_add_word(struct sg_draft *draft, struct sg_engine_config *engine, const char *name, struct sg_word **ret_word)
{
	char *copy = sg_draft_copy(draft, name, strlen(name));
	struct sg_word *words = copy ? extend(draft, engine->words, engine->word_count, sizeof(*words)) : NULL;

	if (!words)
		return -ENOMEM;
	engine->words = words;
	*ret_word = &words[engine->word_count++];
	(*ret_word)->name = copy;
	return 0;
}

char *sg_draft_trim(char *text)
{
	char *end;

	while (isspace((unsigned char)*text))
		text++;
	end = text + strlen(text);
	while (end > text && isspace((unsigned char)end[-1]))
		end--;
	*end = 0;
	return text;
}

int sg_draft_cut_reason(struct sg_draft *draft, char *text, const char *accepted, const char **ret_reason)
{
	char *reason = strchr(text, '|');
	bool second = reason && strchr(reason + 1, '|');

	if (!reason || second || !*sg_draft_trim(reason + 1))
		return sg_draft_fail(draft, -EINVAL, "%s; accepted: %s",
				second ? "there is a second '|'" : "there is no reason", accepted);
	*reason++ = 0;
	reason = sg_draft_trim(reason);
	*ret_reason = sg_draft_copy(draft, reason, strlen(reason));
	sg_draft_trim(text);
	return *ret_reason ? 0 : -ENOMEM;
}
