/*
 * decimal.h - strtol() for what it is used for here: newer C libraries have it under a name that older ones lack. GIL: not needed.
 */
#ifndef SG_DECIMAL_H
#define SG_DECIMAL_H

#include <limits.h>

/* The digits at text, without blanks or a sign, LONG_MAX if there are too many; ret_end is where they end, text if there are none. */
static inline long sg_decimal(const char *text, const char **ret_end)
{
	long number = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		number = number > (LONG_MAX - 9) / 10 ? LONG_MAX : 10 * number + *text - '0';
	*ret_end = text;
	return number;
}

#endif
