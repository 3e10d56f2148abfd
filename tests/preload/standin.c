/*
 * A stand-in for interpreters that no package brings: -DVERSION="..." answers for the version, -DABIFLAGS="..." for
 * the build flags. It takes the place of libpython's functions, so only where libpython is a shared object.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>

#ifdef VERSION
const char *Py_GetVersion(void);
const char *Py_GetVersion(void)
{
	return VERSION;
}
#endif

#ifdef ABIFLAGS
extern void *PyUnicode_FromString(const char *text);
void *PySys_GetObject(const char *name);
void *PySys_GetObject(const char *name)
{
	void *(*real)(const char *) = (void *(*)(const char *))dlsym(RTLD_NEXT, "PySys_GetObject");

	return strcmp(name, "abiflags") == 0 ? PyUnicode_FromString(ABIFLAGS) : real(name);
}
#endif
