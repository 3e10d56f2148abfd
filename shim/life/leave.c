#include "shim/life/leave.h"

#include "shim/native/native.h"

void sg_run_release(struct sg_run *run)
{
	sg_native_release(run);
	sg_python_clear(&run->kept);
	sg_python_clear(&run->locals);
	sg_python_clear(&run->classes);
	sg_python_clear(&run->overloads);
	sg_python_clear(&run->registered);
	sg_python_clear(&run->answers);
	sg_python_clear(&run->refusal);
	sg_python_clear(&run->generators);
	sg_python_clear(&run->modules);
	sg_python_clear(&run->workflow_type);
	sg_python_clear(&run->workflow_id);
	sg_python_clear(&run->run_id);
}
