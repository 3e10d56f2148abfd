#include "shim/run/context.h"

#include "shim/base/log.h"

__thread struct sg_context *sg_context_current;
__thread struct sg_run *sg_context_run;
__thread volatile unsigned char sg_context_selector;

void sg_run_log(const struct sg_run *run, struct sg_line *line)
{
	sg_log_text(line, "workflow_id", run->workflow_id ? sg_python_text(run->workflow_id) : NULL);
	sg_log_text(line, "run_id", run->run_id ? sg_python_text(run->run_id) : NULL);
}
