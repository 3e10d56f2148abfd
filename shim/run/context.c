#include "shim/run/context.h"

#include "shim/base/log.h"
#include "shim/interpreter/cpython.h"

__thread struct sg_context *sg_context_current;
__thread struct sg_run *sg_context_run;
struct sg_context *sg_context_running;
__thread volatile unsigned char sg_context_selector;

long sg_context_try(struct sg_run *run, PyObject *callable)
{
	struct sg_context context = {.run = run, .phase = SG_PHASE_RUNTIME}, *token = sg_context_enter(&context);
	long answer;

	sg_context_begin(&context);
	answer = sg_cpython_call(callable);
	sg_context_end(&context);
	sg_context_leave(token);
	return answer;
}

void sg_run_log(const struct sg_run *run, struct sg_line *line)
{
	sg_log_text(line, "workflow_id", run->workflow_id ? sg_python_text(run->workflow_id) : NULL);
	sg_log_text(line, "run_id", run->run_id ? sg_python_text(run->run_id) : NULL);
}
