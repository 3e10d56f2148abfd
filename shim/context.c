#include "shim/context.h"

#include "shim/log.h"
#include "shim/native.h"

__thread struct sg_context *sg_context_current;
__thread volatile unsigned char sg_context_selector;

void sg_run_log(const struct sg_run *run, struct sg_line *line)
{
	sg_log_text(line, "workflow_id", run->workflow_id ? sg_python_text(run->workflow_id) : NULL);
	sg_log_text(line, "run_id", run->run_id ? sg_python_text(run->run_id) : NULL);
}

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
