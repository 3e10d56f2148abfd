#include "shim/interpreter/probe.h"

#include "shim/interpreter/classes.h"
#include "shim/interpreter/containers.h"
#include "shim/interpreter/cpython.h"
#include "shim/interpreter/function.h"
#include "shim/interpreter/guts.h"

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
