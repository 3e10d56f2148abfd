/*
 * conditions.c - who asks about the host and the interpreter, and what for. The rules are in rules.conf.
 */
#include "shim/guard/family.h"
#include "shim/import/code.h"
#include "shim/interpreter/cpython.h"
#include "shim/shared/identity.h"
#include "shim/state/image.h"
#include "shim/state/state_kinds.h"

#include <string.h>

/* An installed library asks to divide its work, unless its function is there to hand the answer on: joblib.cpu_count(). */
static bool is_own_code(struct sg_call *call, int argument)
{
	(void)call;
	(void)argument;
	return !sg_code_asks_installed(sg_code_handing_on);
}

/* The standard library asks for its own purposes: who holds a lock, whether an object is being shown already. */
static bool is_itself(struct sg_call *call, int argument)
{
	(void)argument;
	return sg_code_asks_itself(call->run);
}

/* A call for its effect alone tells nothing. */
static bool is_used(struct sg_call *call, int argument)
{
	struct sg_frames at = {0};
	bool used = is_itself(call, argument) && sg_frames_next(&at) && !sg_cpython_result_dropped(&at);

	sg_frames_end(&at);
	return used;
}

static bool is_without_encoding(struct sg_call *call, int argument)
{
	PyObject *encoding = sg_call_argument(call, argument, "encoding");

	return is_itself(call, 0) && (!encoding || encoding == Py_None || strcmp(sg_python_text(encoding), "locale") == 0);
}

/* Of the places that sysconfig knows those below the user's home differ. */
static bool is_of_user(struct sg_call *call, int argument)
{
	PyObject *given = sg_call_argument(call, argument, "scheme");
	const char *name = given && sg_cpython_is_text(given) ? sg_python_text(given) : "";
	size_t length = strlen(name);

	return strcmp(name, "userbase") == 0 || (length >= 4 && strcmp(name + length - 4, "user") == 0);
}

static int give_number(struct sg_call *call, const struct sg_answer *answer)
{
	PyObject *object = sg_call_argument(call, 0, NULL);
	unsigned long number = object ? sg_identity_number(call->run, object) : 0;

	(void)answer;
	call->value = number ? PyLong_FromUnsignedLong(number) : NULL; /* without one the call goes on */
	return number && !call->value ? -1 : 0;
}

/* Code that names these goes by the real address, and all code of a module that has them: ctypes, and the memo of copy.deepcopy(). */
static bool wants_address(const struct sg_frames *at)
{
	static const char *const wanting[] = {"deepcopy", "__deepcopy__", "memo", "ctypes", "cast", "from_address", "py_object", NULL};
	static const char *const of_modules[] = {"ctypes", "py_object", NULL};
	static const char *const parts[] = {"co_names", "co_varnames", "co_freevars"};
	bool wants = false;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !wants; i++) {
		PyObject *names = sg_python_attribute_or_null(at->code, parts[i]);

		for (Py_ssize_t j = 0; names && j < PyTuple_Size(names) && !wants; j++)
			for (const char *const *word = wanting; *word && !wants; word++)
				wants = strcmp(sg_python_text(PyTuple_GetItem(names, j)), *word) == 0;
		sg_python_clear(&names);
	}
	for (const char *const *word = of_modules; *word && !wants && at->globals; word++)
		wants = sg_cpython_item(at->globals, *word);
	return wants;
}

/* Made by the run, as far as that can be told: what is older may have been asked for its address before. */
static bool is_of_run(const struct sg_call *call, PyObject *object)
{
	static const char *const older[] = {"object", "module", "tuple", "frozenset", "builtin_function_or_method", "method_descriptor", NULL};
	PyTypeObject *type = sg_cpython_type(object);
	bool old = call->importing || sg_state_atomic(type) || PyType_IsSubtype(type, &PyType_Type) || sg_image_owns(call->run, object);

	for (const char *const *name = older; *name && !old; name++)
		old = strcmp(sg_cpython_type_name(type), *name) == 0;
	return !old;
}

/*
 * The address of an object that the run has made, and of any that is told: in a text, as a number made smaller or as what things
 * are sorted by, as opposed to one that tells it from others, or that ctypes goes to: that must be the real one.
 */
static bool is_told(struct sg_call *call, int argument)
{
	static const char *const takers[] = {"str", "repr", "hex", "oct", "bin", "format", "hash", "print", "dumps", NULL};
	static const char *const tellers[] = {"__repr__", "__str__", "__format__", "__lt__"}; /* whoever's: for a text, or an order */
	static PyObject *key, *tell[sizeof(tellers) / sizeof(tellers[0])]; /* names of code are interned */
	PyObject *name, *object = sg_call_argument(call, 0, NULL);
	struct sg_frames at = {0};
	bool told = false;

	(void)argument;
	for (size_t i = 0; !key && i < sizeof(tell) / sizeof(tell[0]); i++)
		tell[i] = PyUnicode_InternFromString(tellers[i]);
	if (!key)
		key = PyUnicode_InternFromString("co_name");
	name = key && sg_frames_next(&at) ? PyObject_GetAttr(at.code, key) : NULL;
	for (size_t i = 0; name && !told && i < sizeof(tell) / sizeof(tell[0]); i++)
		told = name == tell[i];
	told = name && (told || (sg_code_runs_itself(call->run, &at) && ((object && is_of_run(call, object) && !wants_address(&at)) ||
			sg_cpython_result_told(&at, "id", takers))));
	PyErr_Clear();
	sg_python_clear(&name);
	sg_frames_end(&at);
	call->answer = give_number;
	return told;
}

/* That of shutil.get_terminal_size(). */
static int give_size(struct sg_call *call, const struct sg_answer *answer)
{
	PyObject *class = sg_python_imported("os", "terminal_size"), *columns = PyLong_FromLong(80), *lines = PyLong_FromLong(24);
	PyObject *size = columns && lines ? PyTuple_Pack(2, columns, lines) : NULL;

	(void)answer;
	call->value = class && size ? PyObject_CallFunctionObjArgs(class, size, NULL) : NULL;
	sg_python_clear(&size);
	sg_python_clear(&lines);
	sg_python_clear(&columns);
	sg_python_clear(&class);
	return call->value ? 0 : -1;
}

static int give_false(struct sg_call *call, const struct sg_answer *answer)
{
	(void)answer;
	call->value = PyBool_FromLong(0);
	return 0;
}

/* As click's own test runner calls a program that nobody has named. */
static int give_program(struct sg_call *call, const struct sg_answer *answer)
{
	(void)answer;
	call->value = PyUnicode_FromString("root");
	return call->value ? 0 : -1;
}

static bool is_about_terminal(struct sg_call *call, int argument)
{
	static const struct {
		const char *name;
		int (*give)(struct sg_call *, const struct sg_answer *);
	} given[] = {{"os.get_terminal_size", give_size}, {"click.utils._detect_program_name", give_program}, {NULL, give_false}};
	size_t i = 0;

	(void)argument;
	while (given[i].name && strcmp(call->rule->name, given[i].name) != 0)
		i++;
	call->answer = given[i].give;
	return true;
}

static const struct sg_condition_entry conditions[] = {
	{"own-code", is_own_code}, {"itself", is_itself}, {"used", is_used}, {"told", is_told},
	{"no-encoding", is_without_encoding}, {"terminal", is_about_terminal}, {"of-user", is_of_user}, {NULL, NULL}
};

SG_FAMILY(asker_family) = {.name = "asker", .conditions = conditions};
