#include "shim/interpreter/seed.h"

#include <stdio.h>
#include <string.h>

bool sg_seed_awaited;

static char wanted[16]; /* empty: it is Python's own affair */
static char in_use[16] = "random";
static bool asked;

void sg_seed_await(const struct sg_config *config)
{
	if (sg_config_pins_seed(config))
		snprintf(wanted, sizeof(wanted), "%u", config->hash_seed);
	sg_seed_awaited = true;
}

void sg_seed_started(void)
{
	sg_seed_awaited = false;
}

const char *sg_seed_ask(const char *given)
{
	const char *answer = wanted[0] ? wanted : given;

	asked = true;
	if (answer && *answer)
		snprintf(in_use, sizeof(in_use), "%s", answer);
	return answer;
}

const char *sg_seed_in_use(void)
{
	return in_use;
}

bool sg_seed_missed(void)
{
	return wanted[0] && !asked;
}
