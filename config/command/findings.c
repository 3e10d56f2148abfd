#define _GNU_SOURCE 1

#include "config/command/findings.h"

#include "config/command/text.h"
#include "config/native.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned int allowed_families(const struct sg_config *config, const char *path)
{
	unsigned int allowed = 0;

	for (int family = 0; family < SG_NATIVE_FAMILIES; family++)
		if (sg_native_rule_action(config, path, (enum sg_native_family)family, SG_ACTION_WARN) <=
				SG_ACTION_LOG)
			allowed |= 1u << family;
	return allowed;
}

static struct sg_reason *reason_of(struct sg_reason *reasons, size_t *count, const char *kind)
{
	for (size_t i = 0; i < *count; i++)
		if (strcmp(reasons[i].kind, kind) == 0)
			return &reasons[i];
	if (*count == SG_REASONS_MAX)
		return NULL;
	reasons[*count] = (struct sg_reason){.kind = kind};
	return &reasons[(*count)++];
}

__attribute__((format(printf, 5, 6)))
static struct sg_reason *add_reason(struct sg_reason *reasons, size_t *count, enum sg_verdict verdict,
		const char *kind, const char *format, ...)
{
	struct sg_reason *reason = reason_of(reasons, count, kind);
	va_list arguments;

	if (!reason)
		return NULL;
	reason->verdict = verdict;
	va_start(arguments, format);
	vsnprintf(reason->text, sizeof(reason->text), format, arguments);
	va_end(arguments);
	return reason;
}

/* clock_gettime is what its first argument makes of it, where that could be seen. */
static struct sg_entry entry_in(const struct sg_object *object, size_t index)
{
	struct sg_entry entry = *sg_entries_at(index);

	if (strcmp(entry.name, "clock_gettime") == 0 || strcmp(entry.name, "__clock_gettime") == 0) {
		if (object->wall_clock)
			entry.verdict = SG_VERDICT_UNSAFE;
		if (object->only_monotonic) {
			entry.family = "monotonic";
			entry.native = SG_NATIVE_MONOTONIC;
		}
	}
	return entry;
}

static void import_reasons(const struct sg_finding *finding, struct sg_reason *reasons, size_t *count)
{
	for (size_t i = 0; i < sg_entries_count(); i++) {
		struct sg_entry entry;
		struct sg_reason *reason;

		if (!sg_entry_set_has(&finding->object.imports, i))
			continue;
		entry = entry_in(&finding->object, i);
		if (finding->allowed & 1u << entry.native)
			continue;
		reason = reason_of(reasons, count, entry.family);
		if (!reason)
			continue;
		if (entry.verdict > reason->verdict)
			reason->verdict = entry.verdict;
		reason->has_entries = true;
		sg_entry_set_add(&reason->entries, (int)i);
		snprintf(reason->text, sizeof(reason->text), "%s", reason->verdict == SG_VERDICT_UNSAFE &&
				strcmp(entry.family, "clock") == 0 ? "reads the time of day"
				: sg_entries_reason(entry.family));
	}
}

static void instruction_reasons(const struct sg_object *object, struct sg_reason *reasons, size_t *count)
{
	static const struct {
		const char *kind, *text;
		enum sg_verdict verdict;
	} kinds[SG_INSTRUCTION_KINDS] = {
		[SG_INSTRUCTION_SYSCALL] = {"raw-syscall", "possible system call past libc",
				SG_VERDICT_UNSAFE},
		[SG_INSTRUCTION_RDTSC] = {"rdtsc", "possible reading of the processor's clock",
		SG_VERDICT_DEPENDS},
		[SG_INSTRUCTION_RDRAND] = {"rdrand", "possible random numbers of the processor",
		SG_VERDICT_UNSAFE},
		[SG_INSTRUCTION_RDSEED] = {"rdseed", "possible random numbers of the processor",
		SG_VERDICT_UNSAFE},
	};

	for (int i = 0; i < SG_INSTRUCTION_KINDS; i++) {
		const struct sg_scan_hits *hits = &object->instructions[i];
		struct sg_reason *reason;

		if (!hits->count)
			continue;
		reason = add_reason(reasons, count, kinds[i].verdict, kinds[i].kind, "%s: %llu, the first at 0x%llx",
				kinds[i].text, (unsigned long long)hits->count, (unsigned long long)hits->first);
		if (reason)
			reason->count = hits->count;
	}
}

static void shape_reasons(const struct sg_object *object, struct sg_reason *reasons, size_t *count)
{
	if (object->is_static)
		add_reason(reasons, count, SG_VERDICT_UNSAFE, "static",
				"a static program: no preload takes effect in it");
	if (object->is_go)
		add_reason(reasons, count, SG_VERDICT_UNSAFE, "go",
				"a Go runtime: it reads the clock through the vDSO and makes system calls by itself");
	else if (object->looks_for_vdso)
		add_reason(reasons, count, SG_VERDICT_UNSAFE, "vdso",
				"looks for the vDSO's clock by itself, where no preload sees it");
	if (object->upx)
		add_reason(reasons, count, SG_VERDICT_UNSAFE, "packed",
				"packed with UPX: its code cannot be looked at");
	else if (object->entropy > 0)
		add_reason(reasons, count, SG_VERDICT_UNSAFE, "packed",
				"its code has %.1f bits in a byte, as packed or encrypted data has",
				object->entropy);
	if (object->no_sections)
		add_reason(reasons, count, SG_VERDICT_DEPENDS, "no-sections",
				"no section headers: somebody took care to remove them");
	if (object->symbolic && object->defines_entries)
		add_reason(reasons, count, SG_VERDICT_UNSAFE, "symbolic",
				"bound to its own copies of functions that a preload would judge");
	if (!object->scanned)
		add_reason(reasons, count, SG_VERDICT_DEPENDS, "machine",
				"its code was not looked at: made for %s (%u)",
				sg_object_machine_name(object->machine) ? sg_object_machine_name(object->machine)
					: "another machine", object->machine);
}

static int compare_reasons(const void *a, const void *b)
{
	const struct sg_reason *left = a, *right = b;

	if (left->verdict != right->verdict)
		return left->verdict > right->verdict ? -1 : 1;
	return strcmp(left->kind, right->kind);
}

static bool all_allowed(unsigned int allowed)
{
	return allowed == (1u << SG_NATIVE_FAMILIES) - 1;
}

size_t sg_findings_reasons(const struct sg_finding *finding, struct sg_reason reasons[SG_REASONS_MAX])
{
	size_t count = 0;

	/* What the configuration trusts in everything needs no further look. */
	if (all_allowed(finding->allowed))
		return 0;
	import_reasons(finding, reasons, &count);
	instruction_reasons(&finding->object, reasons, &count);
	shape_reasons(&finding->object, reasons, &count);
	qsort(reasons, count, sizeof(*reasons), compare_reasons);
	return count;
}

int sg_findings_add(struct sg_findings *findings, const struct sg_object *object, const char *path,
		const char *package, const char *version, size_t root, bool alone)
{
	struct sg_finding finding = {.object = *object, .root = root, .alone = alone};
	struct sg_reason reasons[SG_REASONS_MAX];

	if (findings->count == SG_FINDINGS_MAX)
		return -EFBIG;
	if (findings->count == findings->capacity) {
		size_t capacity = findings->capacity ? findings->capacity * 2 : 64;
		struct sg_finding *list = reallocarray(findings->list, capacity, sizeof(*list));

		if (!list)
			return -ENOMEM;
		findings->list = list;
		findings->capacity = capacity;
	}
	finding.path = strdup(path);
	finding.package = package ? strdup(package) : NULL;
	finding.version = version ? strdup(version) : NULL;
	if (!finding.path || (package && !finding.package) || (version && !finding.version)) {
		free(finding.path);
		free(finding.package);
		free(finding.version);
		return -ENOMEM;
	}
	finding.allowed = allowed_families(findings->config, path);
	if (sg_findings_reasons(&finding, reasons))
		finding.verdict = reasons[0].verdict;
	findings->list[findings->count++] = finding;
	return 0;
}

void sg_findings_problem(struct sg_findings *findings, const char *path, const char *format, ...)
{
	struct sg_problem problem = {NULL, NULL};
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&problem.message, format, arguments) < 0)
		problem.message = NULL;
	va_end(arguments);
	sg_complain("audit", "%s: %s", path, problem.message ? problem.message : "out of memory");
	problem.path = strdup(path);
	if (findings->problem_count++ < SG_PROBLEMS_MAX && problem.path && problem.message) {
		findings->problems[findings->problem_count - 1] = problem;
		return;
	}
	free(problem.path);
	free(problem.message);
}

static int compare_findings(const void *a, const void *b)
{
	const struct sg_finding *left = a, *right = b;
	int order;

	if (left->root != right->root)
		return left->root < right->root ? -1 : 1;
	order = strcasecmp(left->package, right->package);
	if (!order)
		order = strcmp(left->package, right->package);
	if (!order)
		order = strcmp(left->version ? left->version : "", right->version ? right->version : "");
	return order ? order : strcmp(left->path, right->path);
}

static bool same_package(const struct sg_finding *a, const struct sg_finding *b)
{
	return a->root == b->root && strcmp(a->package, b->package) == 0 &&
	       strcmp(a->version ? a->version : "", b->version ? b->version : "") == 0;
}

/* Sandglass itself, which is there to call all that: in a virtual environment, or where it was installed by hand. */
static bool is_own(const struct sg_finding *finding)
{
	const char *base = strrchr(finding->path, '/') ? strrchr(finding->path, '/') + 1 : finding->path;

	return !finding->alone && (strcmp(finding->package, "sandglass_preload") == 0 || strcmp(base, "libsandglass.so") == 0);
}

static void release_finding(struct sg_finding *finding)
{
	free(finding->path);
	free(finding->package);
	free(finding->version);
}

static void leave_out_own(struct sg_findings *findings)
{
	size_t kept = 0;

	for (size_t i = 0; i < findings->count; i++)
		if (is_own(&findings->list[i]))
			release_finding(&findings->list[i]);
		else
			findings->list[kept++] = findings->list[i];
	findings->own = findings->count - kept;
	findings->count = kept;
}

int sg_findings_group(struct sg_findings *findings)
{
	struct sg_package *package = NULL;

	for (size_t i = 0; i < findings->count; i++)
		if (!findings->list[i].package) {
			findings->list[i].package = strdup("?");
			if (!findings->list[i].package)
				return -ENOMEM;
		}
	leave_out_own(findings);
	if (!findings->count)
		return 0;
	qsort(findings->list, findings->count, sizeof(*findings->list), compare_findings);
	findings->packages = calloc(findings->count, sizeof(*findings->packages));
	if (!findings->packages)
		return -ENOMEM;
	for (size_t i = 0; i < findings->count; i++) {
		const struct sg_finding *finding = &findings->list[i];

		if (!package || !same_package(finding, finding - 1)) {
			package = &findings->packages[findings->package_count++];
			*package = (struct sg_package){finding->package, finding->version, finding->root, i, 0,
					false, SG_VERDICT_SAFE};
		}
		package->count++;
		if (!sg_finding_counts(finding))
			continue;
		package->counts = true;
		if (finding->verdict > package->verdict)
			package->verdict = finding->verdict;
	}
	return 0;
}

void sg_findings_release(struct sg_findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		release_finding(&findings->list[i]);
	for (size_t i = 0; i < SG_PROBLEMS_MAX; i++) {
		free(findings->problems[i].path);
		free(findings->problems[i].message);
	}
	free(findings->list);
	free(findings->packages);
}
