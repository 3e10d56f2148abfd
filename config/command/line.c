#define _GNU_SOURCE 1

#include "config/command/line.h"

#include <stdlib.h>
#include <string.h>

static const char logfmt_start[] = "sandglass ts=", json_start[] = "{\"source\":\"sandglass\",";

static char *put_utf8(char *to, unsigned long code)
{
	if (code < 0x80) {
		*to++ = (char)code;
	} else if (code < 0x800) {
		*to++ = (char)(0xc0 | code >> 6);
		*to++ = (char)(0x80 | (code & 0x3f));
	} else {
		*to++ = (char)(0xe0 | code >> 12);
		*to++ = (char)(0x80 | (code >> 6 & 0x3f));
		*to++ = (char)(0x80 | (code & 0x3f));
	}
	return to;
}

/* What stands behind a backslash, at from: put at *to, which moves on. Returns what follows. */
static char *unescape(char *from, char **to)
{
	static const char letters[] = "nrtbf", characters[] = "\n\r\t\b\f";
	size_t digits = *from == 'u' ? 4 : *from == 'x' ? 2 : 0;
	const char *letter = strchr(letters, *from);

	if (digits && strspn(from + 1, "0123456789abcdefABCDEF") >= digits) {
		char number[5] = {0};
		unsigned long code;

		memcpy(number, from + 1, digits);
		code = strtoul(number, NULL, 16);
		if (digits == 2)
			*(*to)++ = (char)code; /* a byte, as it was */
		else if (code)
			*to = put_utf8(*to, code);
		return from + 1 + digits;
	}
	*(*to)++ = letter ? characters[letter - letters] : *from;
	return from + 1;
}

/* A text in quotes; from is behind the first one. Returns what follows the second; NULL: it was cut off. */
static char *unquote(char *from, const char **ret_value)
{
	char *to = from;

	*ret_value = from;
	while (*from != '"') {
		if (!*from || (*from == '\\' && !from[1]))
			return NULL;
		if (*from == '\\')
			from = unescape(from + 1, &to);
		else
			*to++ = *from++;
	}
	*to = '\0';
	return from + 1;
}

void sg_log_line_fields(struct sg_log_line *ret_line, char *text)
{
	ret_line->count = 0;
	while (text && *text && ret_line->count < SG_LINE_FIELDS) {
		char *equals;

		text += strspn(text, " \n");
		equals = strpbrk(text, "= \n");
		if (!equals)
			return;
		if (*equals != '=') {
			text = equals + 1;
			continue;
		}
		*equals = '\0';
		ret_line->fields[ret_line->count].key = text;
		text = equals + 1;
		if (*text == '"') {
			text = unquote(text + 1, &ret_line->fields[ret_line->count].value);
		} else {
			ret_line->fields[ret_line->count].value = text;
			text += strcspn(text, " \n");
			if (*text)
				*text++ = '\0';
		}
		ret_line->count += text != NULL;
	}
}

/* {"KEY":"VALUE","KEY":NUMBER,...}: flat, as the object writes it. */
static void parse_json(struct sg_log_line *line, char *text)
{
	char separator = *text;

	line->count = 0;
	while (text && (separator == '{' || separator == ',') && text[1] == '"' && line->count < SG_LINE_FIELDS) {
		text = unquote(text + 2, &line->fields[line->count].key);
		if (!text || *text != ':')
			return;
		if (*++text == '"') {
			text = unquote(text + 1, &line->fields[line->count].value);
		} else {
			line->fields[line->count].value = text;
			text += strcspn(text, ",}");
		}
		if (!text || !*text)
			return;
		line->count++;
		separator = *text;
		*text = '\0'; /* a number ends here */
	}
}

bool sg_log_line_parse(struct sg_log_line *ret_line, char *text)
{
	char *start = strstr(text, logfmt_start);

	if (start) {
		sg_log_line_fields(ret_line, start);
		return ret_line->count > 0;
	}
	start = strstr(text, json_start);
	if (!start)
		return false;
	parse_json(ret_line, start);
	return ret_line->count > 1;
}

const char *sg_log_line_get(const struct sg_log_line *line, const char *key)
{
	for (int i = 0; i < line->count; i++)
		if (strcmp(line->fields[i].key, key) == 0)
			return line->fields[i].value;
	return NULL;
}

const char *sg_log_line_text(const struct sg_log_line *line, const char *key)
{
	const char *value = sg_log_line_get(line, key);

	return value ? value : "";
}

bool sg_log_line_is(const struct sg_log_line *line, const char *key, const char *value)
{
	return strcmp(sg_log_line_text(line, key), value) == 0;
}

long sg_log_line_number(const struct sg_log_line *line, const char *key)
{
	return strtol(sg_log_line_text(line, key), NULL, 10);
}
