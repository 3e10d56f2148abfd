/*
 * status.h - what `sandglass status` reads from outside: one struct in the object's own writable memory.
 *
 * The reader finds it by its magic bytes in the mappings of the object, so nothing is exported, opened or mapped for it.
 * It is read while the process runs: each number is written whole, and texts are written before the state that
 * makes them count. Numbers are written with the GIL held; a forked child goes on with a copy of its own.
 * `layout` changes with every change of the struct: a command of another version says so instead of guessing.
 */
#ifndef SG_STATUS_H
#define SG_STATUS_H

#include <stdint.h>

#define SG_STATUS_MAGIC "sandglass status"
#define SG_STATUS_LAYOUT 3

enum sg_status_state {
	SG_STATUS_NO_PYTHON,    /* nothing is done in this process */
	SG_STATUS_OFF,          /* SANDGLASS=off */
	SG_STATUS_WAITING,      /* for an engine to be imported */
	SG_STATUS_UNGUARDED,    /* an engine was imported, or may be, and cannot be guarded: see reason */
	SG_STATUS_GUARDED,
	SG_STATUS_ENDED         /* the interpreter is ending */
};

/* In the order of enum sg_action; allow is not counted. */
#define SG_STATUS_ACTIONS 5

struct sg_status {
	char magic[16];             /* SG_STATUS_MAGIC without its NUL */
	uint32_t layout, size;      /* bytes of the struct */
	char version[16];
	int32_t state;              /* enum sg_status_state */
	int32_t required;
	char mode[16], isolation[16], python[32], engine[32], sdk[32];
	char reason[256];           /* why it is unguarded, or which guards are not armed and why; empty: all are */
	char log[1024];             /* "stderr" or a path with %p */
	int64_t started;            /* when the engine was taken over: seconds since 1970 */
	uint64_t guards, unguarded; /* armed, and those that could not be */
	uint64_t images, private_images, runs, runs_made;
	uint64_t delta_containers, delta_bytes; /* of which runs hold content of their own; about how much that is */
	uint64_t violations[SG_STATUS_ACTIONS];
};

#ifndef SG_STATUS_LAYOUT_ONLY /* the command has no such process of its own */
extern struct sg_status sg_status;

/* Copies text into a field, cut to its size; NULL: empty. */
#define sg_status_set(field, text) sg_status_copy(sg_status.field, sizeof(sg_status.field), text)
void sg_status_copy(char *field, unsigned long size, const char *text);
#endif

#endif
