/* The functions that shim/interpreter/python.h declares by itself, held against the Python.h of this machine, if it has one. */
#if __has_include(<Python.h>)
#include <Python.h>
#include <frameobject.h>
#define SG_PYTHON_LISTS_ONLY
#include "shim/interpreter/python.h"
#define HAVE_PYTHON_H 1
#else
#define HAVE_PYTHON_H 0
#endif

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#if HAVE_PYTHON_H
static const struct {
	const char *name;
	bool same;
} functions[] = {
#define FUNCTION(type, name, arguments) \
	{#name, __builtin_types_compatible_p(__typeof__(name), type arguments)},
	PY_REQUIRED_FUNCTIONS(FUNCTION)
};

/* Frames, code objects and thread states are plain objects and addresses to us, the outcome of a lock is a number. */
static bool has_own_type(const char *name)
{
	return strncmp(name, "PyFrame_", 8) == 0 || strcmp(name, "PyEval_GetFrame") == 0 ||
	       strcmp(name, "PyEval_SaveThread") == 0 || strcmp(name, "PyEval_RestoreThread") == 0 ||
	       strcmp(name, "PyThread_acquire_lock_timed") == 0;
}

START_TEST(declarations_are_cpythons)
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		ck_assert_msg(functions[i].same || has_own_type(functions[i].name),
				"%s is declared in another way by Python.h %s", functions[i].name, PY_VERSION);
}
END_TEST
#endif

int main(void)
{
	Suite *suite = suite_create("python");
	TCase *tcase = tcase_create("declarations");
	SRunner *runner;
	int failed;

#if HAVE_PYTHON_H
	tcase_add_test(tcase, declarations_are_cpythons);
#endif
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
