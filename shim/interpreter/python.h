/*
 * python.h - the part of CPython's C API that Sandglass uses, declared weak.
 *
 * The object is loaded into every program of the process tree, so no Python symbol may be required: each
 * is weak and NULL where there is no CPython. Declaring the stable part here, instead of including
 * Python.h, gives one binary for 3.10-3.15 whatever headers the build machine has; tests/unit/
 * test_python.c holds the functions against the real Python.h where one is installed.
 *
 * PY_REQUIRED lists what every supported version exports. A missing one makes Sandglass dormant (python.c
 * names it). PY_OPTIONAL may be NULL and is tested at each use. References, errors and the GIL are as in
 * CPython's manual; nothing here depends on the layout of an object (that is cpython.h).
 */
#ifndef SG_PYTHON_H
#define SG_PYTHON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifndef SG_PYTHON_LISTS_ONLY /* the test has the real declarations */
typedef struct _object PyObject;
typedef struct _typeobject PyTypeObject;
typedef struct _ts PyThreadState;
typedef struct _is PyInterpreterState;
struct wrapperbase;
typedef ssize_t Py_ssize_t;
typedef PyObject *(*PyCFunction)(PyObject *, PyObject *);

struct PyMethodDef {
	const char *ml_name;
	PyCFunction ml_meth;
	int ml_flags;
	const char *ml_doc;
};
typedef struct PyMethodDef PyMethodDef;

typedef struct {
	int slot;
	void *pfunc;
} PyType_Slot;

typedef struct {
	const char *name;
	int basicsize;
	int itemsize;
	unsigned int flags;
	PyType_Slot *slots;
} PyType_Spec;

struct sg_python_inittab {
	const char *name;
	PyObject *(*initfunc)(void);
};

/* Calling conventions of PyMethodDef.ml_flags. */
#define METH_VARARGS 0x0001
#define METH_KEYWORDS 0x0002
#define METH_NOARGS 0x0004
#define METH_O 0x0008
#define METH_CLASS 0x0010
#define METH_STATIC 0x0020
#define METH_COEXIST 0x0040
#define METH_FASTCALL 0x0080
#define METH_METHOD 0x0200

/* Slot numbers of the stable ABI. */
#define Py_mp_ass_subscript 3
#define Py_mp_length 4
#define Py_mp_subscript 5
#define Py_nb_inplace_or 19
#define Py_sq_contains 41
#define Py_tp_alloc 47
#define Py_tp_base 48
#define Py_tp_call 50
#define Py_tp_dealloc 52
#define Py_tp_descr_get 54
#define Py_tp_getattro 58
#define Py_tp_hash 59
#define Py_tp_init 60
#define Py_tp_iter 62
#define Py_tp_iternext 63
#define Py_tp_methods 64
#define Py_tp_new 65
#define Py_tp_repr 66
#define Py_tp_setattro 69
#define Py_tp_traverse 71
#define Py_tp_finalize 80
#define Py_TPFLAGS_MANAGED_DICT (1UL << 4) /* since 3.11 */
#define Py_TPFLAGS_DEFAULT (1UL << 18)
#define Py_TPFLAGS_BASETYPE (1UL << 10)
#define Py_TPFLAGS_HEAPTYPE (1UL << 9)
#define Py_TPFLAGS_HAVE_VECTORCALL (1UL << 11)
#define Py_TPFLAGS_HAVE_GC (1UL << 14)
#define Py_TPFLAGS_METHOD_DESCRIPTOR (1UL << 17)
#define Py_TPFLAGS_UNICODE_SUBCLASS (1UL << 28)
#define Py_TPFLAGS_TYPE_SUBCLASS (1UL << 31)

#define Py_EQ 2

#endif /* SG_PYTHON_LISTS_ONLY */

#define PY_REQUIRED_FUNCTIONS(F) \
	F(int, Py_AddPendingCall, (int (*)(void *), void *)) \
	F(void, Py_DecRef, (PyObject *)) \
	F(const char *, Py_GetVersion, (void)) \
	F(void, Py_IncRef, (PyObject *)) \
	F(int, Py_IsInitialized, (void)) \
	F(PyObject *, PyBool_FromLong, (long)) \
	F(char *, PyByteArray_AsString, (PyObject *)) \
	F(PyObject *, PyByteArray_FromStringAndSize, (const char *, Py_ssize_t)) \
	F(Py_ssize_t, PyByteArray_Size, (PyObject *)) \
	F(int, PyBytes_AsStringAndSize, (PyObject *, char **, Py_ssize_t *)) \
	F(PyObject *, PyBytes_FromObject, (PyObject *)) \
	F(PyObject *, PyBytes_FromStringAndSize, (const char *, Py_ssize_t)) \
	F(PyObject *, PyCFunction_NewEx, (PyMethodDef *, PyObject *, PyObject *)) \
	F(PyCFunction, PyCFunction_GetFunction, (PyObject *)) \
	F(int, PyCFunction_GetFlags, (PyObject *)) \
	F(void *, PyCapsule_GetPointer, (PyObject *, const char *)) \
	F(PyObject *, PyCapsule_New, (void *, const char *, void (*)(PyObject *))) \
	F(PyObject *, PyContext_CopyCurrent, (void)) \
	F(int, PyContext_Enter, (PyObject *)) \
	F(int, PyContext_Exit, (PyObject *)) \
	F(PyObject *, PyDescr_NewMethod, (PyTypeObject *, PyMethodDef *)) \
	F(PyObject *, PyDescr_NewWrapper, (PyTypeObject *, struct wrapperbase *, void *)) \
	F(void, PyDict_Clear, (PyObject *)) \
	F(PyObject *, PyDict_Copy, (PyObject *)) \
	F(int, PyDict_DelItem, (PyObject *, PyObject *)) \
	F(PyObject *, PyDict_GetItemWithError, (PyObject *, PyObject *)) \
	F(PyObject *, PyDict_New, (void)) \
	F(int, PyDict_Next, (PyObject *, Py_ssize_t *, PyObject **, PyObject **)) \
	F(int, PyDict_SetItem, (PyObject *, PyObject *, PyObject *)) \
	F(int, PyDict_SetItemString, (PyObject *, const char *, PyObject *)) \
	F(Py_ssize_t, PyDict_Size, (PyObject *)) \
	F(int, PyDict_Update, (PyObject *, PyObject *)) \
	F(void, PyErr_Clear, (void)) \
	F(int, PyErr_ExceptionMatches, (PyObject *)) \
	F(void, PyErr_Fetch, (PyObject **, PyObject **, PyObject **)) \
	F(PyObject *, PyErr_Format, (PyObject *, const char *, ...)) \
	F(void, PyErr_NormalizeException, (PyObject **, PyObject **, PyObject **)) \
	F(PyObject *, PyErr_Occurred, (void)) \
	F(void, PyErr_Restore, (PyObject *, PyObject *, PyObject *)) \
	F(void, PyErr_SetObject, (PyObject *, PyObject *)) \
	F(void, PyErr_SetString, (PyObject *, const char *)) \
	F(int, PyErr_WarnExplicit, (PyObject *, const char *, const char *, int, const char *, PyObject *)) \
	F(PyObject *, PyEval_GetBuiltins, (void)) \
	F(PyObject *, PyEval_GetFrame, (void)) \
	F(PyObject *, PyEval_GetGlobals, (void)) \
	F(void, PyEval_RestoreThread, (void *)) \
	F(void *, PyEval_SaveThread, (void)) \
	F(PyObject *, PyFrame_GetBack, (PyObject *)) \
	F(PyObject *, PyFrame_GetCode, (PyObject *)) \
	F(int, PyFrame_GetLineNumber, (PyObject *)) \
	F(PyObject *, PyFunction_GetGlobals, (PyObject *)) \
	F(PyObject *, PyMethod_Self, (PyObject *)) \
	F(int, PyGC_Disable, (void)) \
	F(int, PyGC_Enable, (void)) \
	F(int, PyGILState_Check, (void)) \
	F(PyThreadState *, PyGILState_GetThisThreadState, (void)) \
	F(PyObject *, PyImport_GetModuleDict, (void)) \
	F(PyObject *, PyImport_ImportModule, (const char *)) \
	F(PyObject *, PyImport_ImportModuleLevel, (const char *, PyObject *, PyObject *, PyObject *, int)) \
	F(PyObject *, PyImport_Import, (PyObject *)) \
	F(PyObject *, PyInstanceMethod_New, (PyObject *)) \
	F(int, PyList_Append, (PyObject *, PyObject *)) \
	F(PyObject *, PyList_GetItem, (PyObject *, Py_ssize_t)) \
	F(PyObject *, PyList_GetSlice, (PyObject *, Py_ssize_t, Py_ssize_t)) \
	F(PyObject *, PyList_New, (Py_ssize_t)) \
	F(Py_ssize_t, PyList_Size, (PyObject *)) \
	F(int, PyList_SetSlice, (PyObject *, Py_ssize_t, Py_ssize_t, PyObject *)) \
	F(long, PyLong_AsLong, (PyObject *)) \
	F(PyObject *, PyLong_FromLong, (long)) \
	F(PyObject *, PyLong_FromUnsignedLong, (unsigned long)) \
	F(PyObject *, PyLong_FromVoidPtr, (void *)) \
	F(PyObject *, PyLong_FromString, (const char *, char **, int)) \
	F(void *, PyLong_AsVoidPtr, (PyObject *)) \
	F(double, PyFloat_AsDouble, (PyObject *)) \
	F(void *, PyMem_Malloc, (size_t)) \
	F(PyObject *, PyModule_GetDict, (PyObject *)) \
	F(PyObject *, PyModule_NewObject, (PyObject *)) \
	F(PyObject *, PyObject_Call, (PyObject *, PyObject *, PyObject *)) \
	F(PyObject *, PyObject_CallFunctionObjArgs, (PyObject *, ...)) \
	F(int, PyObject_IsSubclass, (PyObject *, PyObject *)) \
	F(PyObject *, PyObject_CallMethodObjArgs, (PyObject *, PyObject *, ...)) \
	F(PyObject *, PyObject_CallObject, (PyObject *, PyObject *)) \
	F(void, PyObject_CallFinalizer, (PyObject *)) \
	F(int, PyObject_GC_IsFinalized, (PyObject *)) \
	F(int, PyObject_GC_IsTracked, (PyObject *)) \
	F(int, PyObject_IS_GC, (PyObject *)) \
	F(void, PyObject_GC_Track, (void *)) \
	F(PyObject *, PyObject_GenericGetDict, (PyObject *, void *)) \
	F(int, PyObject_GenericSetAttr, (PyObject *, PyObject *, PyObject *)) \
	F(int, PyObject_GenericSetDict, (PyObject *, PyObject *, void *)) \
	F(PyObject *, PyObject_GetAttr, (PyObject *, PyObject *)) \
	F(PyObject *, PyObject_GetAttrString, (PyObject *, const char *)) \
	F(PyObject *, PyObject_GetItem, (PyObject *, PyObject *)) \
	F(PyObject *, PyObject_GetIter, (PyObject *)) \
	F(PyObject *, PyOS_FSPath, (PyObject *)) \
	F(int, PyObject_HasAttrString, (PyObject *, const char *)) \
	F(Py_ssize_t, PyObject_Hash, (PyObject *)) \
	F(int, PyObject_IsTrue, (PyObject *)) \
	F(int, PyObject_RichCompareBool, (PyObject *, PyObject *, int)) \
	F(int, PyObject_SetAttr, (PyObject *, PyObject *, PyObject *)) \
	F(int, PyObject_SetAttrString, (PyObject *, const char *, PyObject *)) \
	F(Py_ssize_t, PyObject_Size, (PyObject *)) \
	F(PyObject *, PyObject_Str, (PyObject *)) \
	F(PyObject *, PyObject_Type, (PyObject *)) \
	F(PyObject *, PyIter_Next, (PyObject *)) \
	F(PyObject *, PySequence_Concat, (PyObject *, PyObject *)) \
	F(int, PySequence_Contains, (PyObject *, PyObject *)) \
	F(int, PySequence_DelItem, (PyObject *, Py_ssize_t)) \
	F(PyObject *, PySequence_List, (PyObject *)) \
	F(PyObject *, PySequence_Tuple, (PyObject *)) \
	F(int, PySet_Add, (PyObject *, PyObject *)) \
	F(PyObject *, PySet_New, (PyObject *)) \
	F(PyObject *, PySys_GetObject, (const char *)) \
	F(unsigned long, PyThread_get_thread_ident, (void)) \
	F(PyThreadState *, PyThreadState_Get, (void)) \
	F(uint64_t, PyThreadState_GetID, (PyThreadState *)) \
	F(int, PyThreadState_SetAsyncExc, (unsigned long, PyObject *)) \
	F(void *, PyThread_allocate_lock, (void)) \
	F(int, PyThread_acquire_lock, (void *, int)) \
	F(int, PyThread_acquire_lock_timed, (void *, long long, int)) \
	F(void, PyThread_free_lock, (void *)) \
	F(void, PyThread_release_lock, (void *)) \
	F(PyObject *, PyTuple_GetItem, (PyObject *, Py_ssize_t)) \
	F(PyObject *, PyTuple_New, (Py_ssize_t)) \
	F(PyObject *, PyTuple_Pack, (Py_ssize_t, ...)) \
	F(Py_ssize_t, PyTuple_Size, (PyObject *)) \
	F(int, PyTuple_SetItem, (PyObject *, Py_ssize_t, PyObject *)) \
	F(PyObject *, PyType_FromSpecWithBases, (PyType_Spec *, PyObject *)) \
	F(PyObject *, PyType_GenericAlloc, (PyTypeObject *, Py_ssize_t)) \
	F(unsigned long, PyType_GetFlags, (PyTypeObject *)) \
	F(void *, PyType_GetSlot, (PyTypeObject *, int)) \
	F(int, PyType_IsSubtype, (PyTypeObject *, PyTypeObject *)) \
	F(void, PyType_Modified, (PyTypeObject *)) \
	F(const char *, PyUnicode_AsUTF8AndSize, (PyObject *, Py_ssize_t *)) \
	F(int, PyUnicode_CompareWithASCIIString, (PyObject *, const char *)) \
	F(PyObject *, PyUnicode_FromFormat, (const char *, ...)) \
	F(PyObject *, PyUnicode_FromString, (const char *)) \
	F(PyObject *, PyUnicode_FromStringAndSize, (const char *, Py_ssize_t)) \
	F(PyObject *, PyUnicode_InternFromString, (const char *)) \
	F(PyObject *, PyObject_VectorcallMethod, (PyObject *, PyObject *const *, size_t, PyObject *)) \
	F(PyObject *, PyWeakref_GetObject, (PyObject *)) \
	F(PyObject *, PyWeakref_NewRef, (PyObject *, PyObject *))

#define PY_REQUIRED_DATA(D) \
	D(struct sg_python_inittab *, PyImport_Inittab) \
	D(PyObject, _Py_NoneStruct) \
	D(PyTypeObject, PyBaseObject_Type) \
	D(PyTypeObject, PyAsyncGen_Type) \
	D(PyTypeObject, PyCFunction_Type) \
	D(PyTypeObject, PyClassMethodDescr_Type) \
	D(PyTypeObject, PyCoro_Type) \
	D(PyTypeObject, PyDict_Type) \
	D(PyTypeObject, PyFrame_Type) \
	D(PyTypeObject, PyFunction_Type) \
	D(PyTypeObject, PyGen_Type) \
	D(PyTypeObject, PyList_Type) \
	D(PyTypeObject, PyMethod_Type) \
	D(PyTypeObject, PyMethodDescr_Type) \
	D(PyTypeObject, PyModule_Type) \
	D(PyTypeObject, PyProperty_Type) \
	D(PyTypeObject, PyTraceBack_Type) \
	D(PyTypeObject, PyTuple_Type) \
	D(PyTypeObject, PyType_Type) \
	D(PyTypeObject, PyUnicode_Type) \
	D(PyTypeObject, PyWrapperDescr_Type) \
	D(PyObject *, PyExc_AssertionError) \
	D(PyObject *, PyExc_BaseException) \
	D(PyObject *, PyExc_ImportError) \
	D(PyObject *, PyExc_KeyError) \
	D(PyObject *, PyExc_KeyboardInterrupt) \
	D(PyObject *, PyExc_SystemExit) \
	D(PyObject *, PyExc_RuntimeError) \
	D(PyObject *, PyExc_StopAsyncIteration) \
	D(PyObject *, PyExc_StopIteration) \
	D(PyObject *, PyExc_TypeError) \
	D(PyObject *, PyExc_UserWarning)

#define PY_OPTIONAL_FUNCTIONS(F) \
	F(int, PyDict_AddWatcher, (int (*)(int, PyObject *, PyObject *, PyObject *))) /* 3.12 */ \
	F(int, PyDict_Watch, (int, PyObject *)) /* 3.12 */ \
	F(PyObject *, PyFrame_GetGlobals, (PyObject *)) /* 3.11 */ \
	F(int, PyDict_Unwatch, (int, PyObject *)) /* 3.12 */ \
	F(int, PyDict_ClearWatcher, (int)) /* 3.12 */ \
	F(void, PyUnstable_GC_VisitObjects, (int (*)(PyObject *, void *), void *)) /* 3.12 */ \
	F(void, PyEval_AcquireThread, (PyThreadState *)) \
	F(void, PyEval_ReleaseThread, (PyThreadState *)) \
	F(PyInterpreterState *, PyInterpreterState_Get, (void)) \
	F(void, PyThreadState_Clear, (PyThreadState *)) \
	F(void, PyThreadState_Delete, (PyThreadState *)) \
	F(PyObject *, PyThreadState_GetDict, (void)) \
	F(PyThreadState *, PyThreadState_New, (PyInterpreterState *)) \
	F(int, Py_IsFinalizing, (void)) /* 3.13 */ \
	F(int, _Py_IsFinalizing, (void)) /* up to 3.12 */

#ifndef SG_PYTHON_LISTS_ONLY
#define SG_PYTHON_FUNCTION(type, name, arguments) extern type name arguments __attribute__((weak));
#define SG_PYTHON_DATA(type, name) extern type name __attribute__((weak));
PY_REQUIRED_FUNCTIONS(SG_PYTHON_FUNCTION)
PY_OPTIONAL_FUNCTIONS(SG_PYTHON_FUNCTION)
PY_REQUIRED_DATA(SG_PYTHON_DATA)
#undef SG_PYTHON_FUNCTION
#undef SG_PYTHON_DATA

#define Py_None (&_Py_NoneStruct)

/* True when this process is, or embeds, CPython. */
#define sg_python_present() (&PyImport_Inittab != NULL)

/* The first required symbol that this interpreter lacks, or NULL. GIL: not needed. */
const char *sg_python_missing(void);

/* Is the interpreter about to end? What runs then has no modules to look things up in. GIL: not needed. */
bool sg_python_ends(void);

/* A new reference to o, which may be NULL. */
static inline PyObject *sg_python_ref(PyObject *o)
{
	if (o)
		Py_IncRef(o);
	return o;
}

/* Releases *slot and sets it to NULL first, as a destructor may look at it. */
static inline void sg_python_clear(PyObject **slot)
{
	PyObject *old = *slot;

	*slot = NULL;
	if (old)
		Py_DecRef(old);
}

/* UTF-8 text of a str, owned by it; "?" for anything else, never an error. */
const char *sg_python_text(PyObject *str);

/* __name__ in a module's dict or a frame's globals: borrowed; NULL without an exception when there is none. */
PyObject *sg_python_module_name(PyObject *globals);

/* A list of these texts, up to a NULL; texts NULL: an empty one. What there is no memory for is left out. */
PyObject *sg_python_texts(const char *const *texts);

/* The attribute reached by a dotted path from object; new reference, NULL with an exception. */
PyObject *sg_python_attribute(PyObject *object, const char *path);

/* As above with the AttributeError swallowed: NULL without an exception when there is none. */
PyObject *sg_python_attribute_or_null(PyObject *object, const char *path);

/* The same of a module, which is imported for it. */
PyObject *sg_python_imported(const char *module_name, const char *path);

/* Is the attribute there and true? Without an exception. */
bool sg_python_is_true(PyObject *object, const char *path);

/* What a global name stands for in a function written in Python: new reference, NULL without an exception. */
PyObject *sg_python_global(PyObject *function, const char *name);

#endif /* SG_PYTHON_LISTS_ONLY */

#endif
