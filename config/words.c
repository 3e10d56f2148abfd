#include "config/words.h"

#include <stdio.h>
#include <string.h>

const struct sg_engine_config *sg_words_engine(const struct sg_config *config, const char *name)
{
	for (size_t i = 0; i < config->engine_count; i++)
		if (strcmp(config->engines[i].name, name) == 0)
			return &config->engines[i];
	return NULL;
}

static const char *find_word(const struct sg_engine_config *engine, const char *name, size_t length)
{
	for (size_t i = 0; engine && i < engine->word_count; i++)
		if (strncmp(engine->words[i].name, name, length) == 0 && !engine->words[i].name[length])
			return engine->words[i].text;
	return NULL;
}

int sg_words_tested(const char *tested, const char *version)
{
	unsigned int oldest[2], newest[2], this[2];
	int end = 0;

	if (!tested)
		return 1;
	if (sscanf(tested, "%u.%u to %u.%u%n", &oldest[0], &oldest[1], &newest[0], &newest[1], &end) != 4 || tested[end])
		return -1;
	if (sscanf(version, "%u.%u", &this[0], &this[1]) != 2)
		return 0;
	return (this[0] > oldest[0] || (this[0] == oldest[0] && this[1] >= oldest[1])) &&
		(this[0] < newest[0] || (this[0] == newest[0] && this[1] <= newest[1]));
}

const char *sg_words_put(const struct sg_config *config, const char *engine, const char *text, char *buffer, size_t size)
{
	const struct sg_engine_config *found = sg_words_engine(config, engine);
	size_t length = 0, part;
	const char *from, *end;

	while (*text && length < size - 1) {
		end = *text == '{' ? strchr(text, '}') : NULL;
		from = end ? find_word(found, text + 1, (size_t)(end - text) - 1) : NULL;
		part = from ? strlen(from) : 1;
		if (part > size - 1 - length)
			part = size - 1 - length;
		memcpy(buffer + length, from ? from : text, part);
		length += part;
		text = from ? end + 1 : text + 1;
	}
	buffer[length] = 0;
	return buffer;
}
