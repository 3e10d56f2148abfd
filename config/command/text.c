#define _GNU_SOURCE 1

#include "config/command/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Bytes of the character that begins here; 0 when they are not UTF-8. */
static size_t character_length(const unsigned char *text)
{
	static const unsigned int least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t length = text[0] < 0x80 ? 1 : text[0] >> 5 == 6 ? 2 : text[0] >> 4 == 14 ? 3 :
		text[0] >> 3 == 30 ? 4 : 0;
	unsigned int code = length == 1 ? text[0] : text[0] & (0xffu >> (length + 1));

	for (size_t i = 1; i < length; i++) {
		if (text[i] >> 6 != 2)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	if (code < least[length] || code > 0x10ffff || code >> 11 == 0xd800 >> 11)
		return 0;
	return length;
}

void sg_text_name(FILE *file, const char *name)
{
	const unsigned char *byte = (const unsigned char *)name;

	while (*byte) {
		size_t length = character_length(byte);

		if (!length || *byte < 0x20 || *byte == 0x7f || (length == 2 && *byte == 0xc2 &&
				byte[1] < 0xa0)) {
			fprintf(file, "\\x%02x", *byte++);
			continue;
		}
		fwrite(byte, 1, length, file);
		byte += length;
	}
}

int sg_text_width(void)
{
	static int width;
	struct winsize size;

	if (!width)
		width = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || !size.ws_col ? 100 : size.ws_col < 60 ? 60 :
			size.ws_col > 200 ? 200 : size.ws_col;
	return width;
}

static int columns_of(const char *text, size_t length)
{
	int columns = 0;

	for (size_t i = 0; i < length; i++)
		columns += ((unsigned char)text[i] & 0xc0) != 0x80;
	return columns;
}

void sg_wrap_text(struct sg_wrap *wrap, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, " ");
		int columns = columns_of(text, length);

		if (!length) {
			wrap->blank = true;
			text++;
			continue;
		}
		/* What follows a word without a blank, such as a comma, stays with it. */
		if (wrap->blank && wrap->column + 1 + columns > sg_text_width()) {
			fprintf(wrap->file, "\n%*s", wrap->indent, "");
			wrap->column = wrap->indent;
		} else if (wrap->blank) {
			fputc(' ', wrap->file);
			wrap->column++;
		}
		wrap->blank = false;
		fwrite(text, 1, length, wrap->file);
		wrap->column += columns;
		text += length;
	}
}

void sg_wrap_end(struct sg_wrap *wrap)
{
	fputc('\n', wrap->file);
	wrap->column = 0;
	wrap->blank = false;
}

void sg_json_string(FILE *file, const char *text)
{
	const unsigned char *byte = (const unsigned char *)text;

	fputc('"', file);
	while (*byte) {
		size_t length = character_length(byte);

		if (!length)
			fprintf(file, "\\udc%02x", *byte++);
		else if (*byte < 0x20 || *byte == 0x7f)
			fprintf(file, "\\u%04x", *byte++);
		else {
			if (*byte == '"' || *byte == '\\')
				fputc('\\', file);
			fwrite(byte, 1, length, file);
			byte += length;
		}
	}
	fputc('"', file);
}

void sg_complain(const char *command, const char *format, ...)
{
	va_list arguments;
	char *text = NULL;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	flockfile(stderr);
	fprintf(stderr, "sandglass%s%s: ", *command ? " " : "", command);
	sg_text_name(stderr, text ? text : "out of memory");
	fputc('\n', stderr);
	funlockfile(stderr);
	free(text);
}
