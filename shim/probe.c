#include "shim/probe.h"

#include "shim/classes.h"
#include "shim/containers.h"
#include "shim/cpython.h"
#include "shim/function.h"
#include "shim/guts.h"

int sg_probe(const char **ret_reason)
{
	int error = sg_cpython_probe(ret_reason);

	if (error)
		return error;
	sg_function_probe();
	sg_containers_probe();
	sg_guts_probe();
	sg_classes_probe();
	return 0;
}
