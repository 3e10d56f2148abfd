#include "shim/interpreter/probe.h"

#include "shim/interpreter/classes.h"
#include "shim/interpreter/containers.h"
#include "shim/interpreter/cpython.h"
#include "shim/interpreter/fields.h"
#include "shim/interpreter/function.h"
#include "shim/interpreter/generator.h"
#include "shim/interpreter/gil.h"
#include "shim/interpreter/guts.h"
#include "shim/interpreter/objects.h"

#include <stddef.h>

#define OLDEST SG_CPYTHON_OLDEST
#define NEWEST SG_CPYTHON_NEWEST
#define EVERY OLDEST, NEWEST

#define UNKNOWN "objects of the type count as unknown: workflows cannot share them"
#define SLOWER "changes are looked for in a slower way"

/* since, until: which 3.x has a use for it. */
static const struct probe {
	const char *name;
	const bool *proved;
	const char *without;
	int since, until;
} probes[] = {
	{"class_slots", &sg_cpython.type_slots, "workflows cannot be guarded", EVERY},
	{"c_functions", &sg_cpython.method_defs, "workflows cannot be guarded", EVERY},
	{"dict_subtype", &sg_cpython.dict_types, "workflows cannot be guarded", EVERY},
	{"functions", &sg_cpython.functions, "Python functions are not guarded", EVERY},
	{"class_calls", &sg_classes.makers, "calls of classes are not guarded", EVERY},
	{"class_call_slots", &sg_classes.slots, "calls of classes are not guarded", EVERY},
	{"class_versions", &sg_cpython.type_versions, "attribute guards cost more", 13, NEWEST},
	{"generators", &sg_generator_known, "generators of a workflow may be ended outside of it", EVERY},
	{"dict", &sg_containers.dicts, "dicts are put back key by key", EVERY},
	{"instance_values", &sg_containers.split_memory, SLOWER, 13, 13},
	{"dict_changes", &sg_containers.changes, SLOWER, EVERY},
	{"dict_watched", &sg_containers.watched, "dicts are put back key by key", 12, NEWEST},
	{"dict_exchange", &sg_guts_known[SG_GUTS_DICT], "dicts are put back key by key", EVERY},
	{"list", &sg_guts_known[SG_GUTS_LIST], UNKNOWN, EVERY},
	{"deque", &sg_guts_known[SG_GUTS_DEQUE], UNKNOWN, EVERY},
	{"OrderedDict", &sg_guts_known[SG_GUTS_ORDERED], UNKNOWN, EVERY},
	{"bytearray", &sg_guts_known[SG_GUTS_BYTEARRAY], UNKNOWN, EVERY},
	{"array", &sg_guts_known[SG_GUTS_ARRAY], UNKNOWN, EVERY},
	{"set", &sg_containers.sets, UNKNOWN, EVERY},
	{"lru_cache", &sg_containers.caches, UNKNOWN, EVERY},
	{"function", &sg_objects.functions, UNKNOWN, EVERY},
	{"partial", &sg_objects.partials, UNKNOWN, EVERY},
	{"cell", &sg_objects.cells, SLOWER, EVERY},
	{"instance_dict", &sg_objects.instance_dicts, SLOWER, 11, NEWEST},
	{"abc_registry", &sg_objects.registries, SLOWER ", and what a run registers with an abstract class of the host others see", EVERY},
	{"local_content", &sg_objects.locals, UNKNOWN, OLDEST, 12},
	{"lock_switches", &sg_gil_known, "what another thread changes meanwhile may count as a workflow's change, and be put back", EVERY},
	{"queue_items", &sg_objects.queue_lists, "the items of a SimpleQueue count as somebody else's", OLDEST, 12},
};

int sg_probe(const char **ret_reason)
{
	int error = sg_cpython_probe(ret_reason);

	if (error || !sg_cpython.type_slots)
		return error;
	sg_function_probe();
	sg_containers_probe();
	sg_guts_probe();
	sg_classes_probe();
	sg_generator_probe();
	sg_objects_probe();
	sg_fields_probe();
	sg_gil_probe();
	return 0;
}

void sg_probe_each(void (*told)(const char *name, bool proved, const char *without))
{
	enum sg_fields_result result;
	const char *type;
	int position = 0;

	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++)
		if (sg_cpython.minor >= probes[i].since && sg_cpython.minor <= probes[i].until)
			told(probes[i].name, *probes[i].proved, probes[i].without);
	while ((type = sg_fields_next(&position, &result)))
		if (result != SG_FIELDS_NOT_THERE)
			told(type, result == SG_FIELDS_PROVED, UNKNOWN);
}
