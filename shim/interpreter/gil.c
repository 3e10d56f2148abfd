#include "shim/interpreter/gil.h"

#include "shim/base/loader.h"
#include "shim/interpreter/cpython.h"
#include "shim/interpreter/layout.h"

#include <stddef.h>
#include <stdint.h>

#define SEARCHED (1 << 20) /* bytes: more than _PyRuntime has in any version */
#define PAGE 4096

bool sg_gil_known;

/* The lock: it begins with the microseconds after which another thread asks for it. */
static char *gil;

static unsigned long interval(void)
{
	PyObject *function = PySys_GetObject("getswitchinterval"); /* borrowed */
	PyObject *seconds = function ? PyObject_CallObject(function, NULL) : NULL;
	unsigned long microseconds = seconds ? (unsigned long)(PyFloat_AsDouble(seconds) * 1e6 + 0.5) : 0;

	PyErr_Clear();
	sg_python_clear(&seconds);
	return microseconds;
}

/* In the interpreter's static memory: that of its own main interpreter, or before 3.12 of all. */
static char *find(void *holder)
{
	char *start = dlsym(RTLD_DEFAULT, "_PyRuntime");
	unsigned long wanted = interval();

	for (char *at = start; start && wanted && at < start + SEARCHED; at += sizeof(void *)) {
		if ((at == start || (uintptr_t)at % PAGE == 0) && !sg_cpython_readable(at, PAGE + (size_t)sg_at(gil_switches) + sizeof(long)))
			return NULL;
		if (*(unsigned long *)at == wanted && sg_field(at, gil_holder) == holder && sg_field(at, gil_locked) == 1)
			return at;
	}
	return NULL;
}

/* Another state of this very thread takes the lock, and gives it back. */
static bool counts(PyThreadState *own)
{
	PyThreadState *other = PyThreadState_New(PyInterpreterState_Get());
	unsigned long before = sg_field(gil, gil_switches), there = 0;
	bool held = false;

	if (!other)
		return false;
	PyEval_SaveThread();
	PyEval_AcquireThread(other);
	held = sg_field(gil, gil_holder) == other;
	there = sg_field(gil, gil_switches);
	PyThreadState_Clear(other);
	PyEval_ReleaseThread(other);
	PyEval_RestoreThread(own);
	PyThreadState_Delete(other);
	return held && there > before && sg_field(gil, gil_switches) > there && sg_field(gil, gil_holder) == own;
}

void sg_gil_probe(void)
{
	PyThreadState *own = PyThreadState_Get();

	gil = PyThreadState_New && PyThreadState_Clear && PyThreadState_Delete && PyEval_AcquireThread && PyEval_ReleaseThread &&
		PyInterpreterState_Get ? find(own) : NULL;
	sg_gil_known = gil && counts(own);
}

unsigned long sg_gil_switches(void)
{
	return sg_gil_known ? sg_field(gil, gil_switches) : 0;
}
