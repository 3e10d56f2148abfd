/*
 * findings.h - what an audit has found: objects, the packages they belong to, what could not be read.
 *
 * Memory grows with the objects found, not with the files looked at, and is bounded by SG_FINDINGS_MAX.
 */
#ifndef SG_COMMAND_FINDINGS_H
#define SG_COMMAND_FINDINGS_H

#include "config/command/object.h"
#include "config/names.h"

#define SG_FINDINGS_MAX 200000
#define SG_PROBLEMS_MAX 1000    /* kept for --json; all are written to standard error */
#define SG_REASONS_MAX 32

struct sg_reason {
	enum sg_verdict verdict;
	const char *kind;               /* a family of entries, or "rdtsc", "packed" ... */
	char text[120];
	uint64_t count;                 /* of instructions, else 0; text names it and where the first is */
	bool has_entries;
	struct sg_entry_set entries;
};

struct sg_finding {
	char *path;             /* as reports show it; a member of a wheel is WHEEL/MEMBER */
	char *package;          /* name of the distribution, or a guess from the path */
	char *version;          /* NULL when it is not known */
	bool alone;             /* named by the user, so a program counts as well */
	size_t root;
	struct sg_object object;
	enum sg_verdict verdict;
	unsigned int allowed;   /* a bit for each sg_native_family that [native] of the configuration allows */
};

struct sg_package {
	const char *name, *version;
	size_t root;
	size_t first, count;    /* in findings->list, which is sorted by package */
	bool counts;            /* false: nothing but programs, which are not judged */
	enum sg_verdict verdict;
};

struct sg_problem {
	char *path, *message;
};

struct sg_findings {
	const struct sg_config *config;
	char **roots;           /* the caller's */
	size_t root_count;
	struct sg_finding *list;
	size_t count, capacity;
	size_t own;             /* objects of Sandglass itself, left out by sg_findings_group() */
	struct sg_package *packages;
	size_t package_count;
	struct sg_problem problems[SG_PROBLEMS_MAX];
	size_t problem_count;   /* may be more than are kept */
};

/* Takes the verdict. Returns 0, -ENOMEM or -EFBIG; package may be NULL. */
int sg_findings_add(struct sg_findings *findings, const struct sg_object *object, const char *path,
		const char *package, const char *version, size_t root, bool alone);

/* One line on standard error, and kept. */
void sg_findings_problem(struct sg_findings *findings, const char *path, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

/* Why the verdict is what it is; returns how many. */
size_t sg_findings_reasons(const struct sg_finding *finding, struct sg_reason reasons[SG_REASONS_MAX]);

/* Leaves Sandglass itself out, sorts, and makes packages of what belongs together. 0 or -ENOMEM. */
int sg_findings_group(struct sg_findings *findings);

void sg_findings_release(struct sg_findings *findings);

/* Does it count for the verdict of its package? A program does not: it is another process. */
static inline bool sg_finding_counts(const struct sg_finding *finding)
{
	return finding->alone || finding->object.kind != SG_OBJECT_PROGRAM;
}

#endif
