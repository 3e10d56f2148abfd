#include "shim/run/world.h"

#include <errno.h>
#include <string.h>

unsigned int sg_world;

int sg_world_name(char *name, size_t size)
{
	char whole[] = "world000";
	size_t digits = sg_world > 99 ? 3 : sg_world > 9 ? 2 : 1, length = strlen("world") + digits;

	for (unsigned int rest = sg_world, i = (unsigned int)length; rest; rest /= 10)
		whole[--i] = (char)('0' + rest % 10);
	whole[length] = '\0';
	if (size)
		memcpy(name, whole, size < length + 1 ? size : length + 1);
	return size < length + 1 ? -ENAMETOOLONG : 0;
}
