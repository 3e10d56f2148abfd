#include "shim/guard/stray.h"

#include "shim/import/modules.h"
#include "shim/interpreter/cpython.h"

__thread bool sg_stray_never;

static __thread bool looking; /* what looks makes guarded calls itself */

/* One that Python code has started is in threading's table, and so is the first. */
static bool is_known(void)
{
	PyObject *threads = sg_python_imported("threading", "_active"), *ident = PyLong_FromUnsignedLong(PyThread_get_thread_ident());
	bool known = !threads || !ident || PySequence_Contains(threads, ident) != 0;

	PyErr_Clear();
	sg_python_clear(&ident);
	sg_python_clear(&threads);
	return known;
}

static const struct sg_context *owner_of(PyObject *globals)
{
	PyObject *name = globals ? sg_python_module_name(globals) : NULL;
	const struct sg_context *context = name && sg_cpython_is_text(name) ? sg_context_running : NULL;

	while (context && !(context->run->modules && sg_modules_holds(context->run->modules, name, globals) &&
			!sg_modules_has_globals(sg_modules_host(name), globals)))
		context = context->beside;
	PyErr_Clear();
	return context;
}

bool sg_stray_find(struct sg_context *ret_context)
{
	const struct sg_context *owner = NULL;
	struct sg_frames at = {0};

	if (looking || sg_context_run) /* in a run, whose context is set aside for what a call does */
		return false;
	looking = true;
	sg_stray_never = is_known();
	while (!sg_stray_never && !owner && sg_frames_next(&at))
		owner = owner_of(at.globals);
	sg_frames_end(&at);
	PyErr_Clear();
	looking = false;
	if (owner)
		*ret_context = (struct sg_context){.run = owner->run, .phase = owner->phase, .activation = owner->activation};
	return owner;
}
