#include "hooks/engines/temporal/unrestricted.h"

#include "shim/interpreter/cpython.h"
#include "shim/native/native.h"
#include "shim/run/context.h"
#include "shim/state/named.h"

typedef int (*setattro)(PyObject *, PyObject *, PyObject *);

static PyObject *function;              /* the SDK's */
static PyObject *flag;                  /* threading.local behind it, or NULL: an SDK that keeps it elsewhere */
static PyTypeObject *local, *noting;    /* type of flag before and after */
static setattro store;

static int note(PyObject *self, PyObject *name, PyObject *value)
{
	int error = store(self, name, value);

	bool before = sg_native_unrestricted;

	if (error || PyUnicode_CompareWithASCIIString(name, "value") != 0)
		return error;
	sg_native_unrestricted = value && PyObject_IsTrue(value) > 0;
	if (sg_native_unrestricted != before && sg_context_current)
		sg_named_host_changes(sg_context_current->run, sg_native_unrestricted);
	return 0;
}

static void follow(void)
{
	PyType_Slot slots[] = {{Py_tp_setattro, (void *)note}, {0, NULL}};
	PyType_Spec spec = {"_thread._local", 0, 0, (unsigned int)Py_TPFLAGS_DEFAULT, slots};

	local = sg_cpython_type(flag);
	store = (setattro)PyType_GetSlot(local, Py_tp_setattro);
	noting = store && sg_cpython.dict_types ? sg_cpython_new_type(&spec, local) : NULL;
	if (!noting) {
		PyErr_Clear();
		return;
	}
	Py_IncRef((PyObject *)local); /* it is put back at the end */
	sg_cpython_set_type(flag, noting);
}

void sg_temporal_unrestricted_install(PyObject *is_unrestricted)
{
	function = sg_python_ref(is_unrestricted);
	if (function)
		flag = sg_python_global(function, "_sandbox_unrestricted");
	if (flag)
		follow();
}

void sg_temporal_unrestricted_remove(void)
{
	if (flag && noting && sg_cpython_type(flag) == noting)
		sg_cpython_set_type(flag, local);
	noting = NULL;
}

bool sg_temporal_unrestricted(void)
{
	PyObject *value;
	bool set;

	if (noting)
		return sg_native_unrestricted;
	if (flag)
		value = sg_python_attribute_or_null(flag, "value");
	else
		value = function ? PyObject_CallObject(function, NULL) : NULL;
	set = value && PyObject_IsTrue(value) > 0;
	PyErr_Clear();
	sg_python_clear(&value);
	return set;
}

static void set(bool unrestricted)
{
	PyObject *type, *error, *traceback, *value = PyBool_FromLong(unrestricted);

	PyErr_Fetch(&type, &error, &traceback);
	if (PyObject_SetAttrString(flag, "value", value) < 0)
		PyErr_Clear();
	PyErr_Restore(type, error, traceback);
	sg_python_clear(&value);
}

void sg_temporal_unrestricted_carry(struct sg_run *run, bool inside)
{
	bool now = noting && sg_native_unrestricted, wanted;

	if (inside) {
		run->outer_unrestricted = now;
		wanted = run->unrestricted;
	} else {
		run->unrestricted = now;
		wanted = run->outer_unrestricted;
	}
	if (__builtin_expect(now != wanted, 0))
		set(wanted);
}
