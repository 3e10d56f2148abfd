#include "shim/base/status.h"

#include <string.h>

/* Not zero, so that it lies in the part of the object's memory that the file backs: that is where it is looked for. */
struct sg_status sg_status = {
	.magic = {'s', 'a', 'n', 'd', 'g', 'l', 'a', 's', 's', ' ', 's', 't', 'a', 't', 'u', 's'},
	.layout = SG_STATUS_LAYOUT, .size = sizeof(struct sg_status), .version = SG_VERSION,
};

void sg_status_copy(char *field, unsigned long size, const char *text)
{
	size_t length = text ? strnlen(text, size - 1) : 0;

	if (text)
		memcpy(field, text, length);
	field[length] = '\0';
}
