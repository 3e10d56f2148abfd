/* Looks for the vDSO by itself; or, with -DGO, has the note that a Go program's build leaves. */
#include <sys/auxv.h>

#if defined(GO)
__attribute__((section(".note.go.buildid"), used, aligned(4)))
static const struct {
	unsigned int name_size, size, type;
	char name[4], id[4];
} note = {4, 4, 4, "Go\0", "abc"};
#else
const char *other_name(void);
const char *other_name(void) { return getauxval(AT_SYSINFO_EHDR) ? "__vdso_clock_gettime" : "none"; }
#endif
