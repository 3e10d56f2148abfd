#include "config/command/report.h"

#include "config/command/command.h"
#include "config/command/text.h"

#include <stdlib.h>
#include <string.h>

#define NAMES_SHOWN 12  /* the rest is counted; --json has them all */
#define OBJECTS_SHOWN 3

static size_t packages_with(const struct sg_findings *findings, enum sg_verdict verdict)
{
	size_t count = 0;

	for (size_t i = 0; i < findings->package_count; i++)
		count += findings->packages[i].counts && findings->packages[i].verdict == verdict;
	return count;
}

static size_t packages_of_programs(const struct sg_findings *findings)
{
	size_t count = 0;

	for (size_t i = 0; i < findings->package_count; i++)
		count += !findings->packages[i].counts;
	return count;
}

/* For a line of text: what is not printable was escaped by whoever wrote the string into it. */
static void wrap_name(struct sg_wrap *wrap, const char *name)
{
	char *text = NULL;
	size_t size;
	FILE *memory = open_memstream(&text, &size);

	if (!memory)
		return;
	sg_text_name(memory, name);
	if (fclose(memory) == 0)
		sg_wrap_text(wrap, text);
	free(text);
}

static const char *below_root(const struct sg_findings *findings, const struct sg_finding *finding)
{
	const char *root = findings->roots[finding->root], *site;
	size_t length = strlen(root);

	site = strstr(finding->path, "-packages/");
	if (site)
		return site + strlen("-packages/");
	site = strstr(finding->path, ".whl/");
	if (site)
		return site + strlen(".whl/");
	if (strncmp(finding->path, root, length) != 0 || !finding->path[length])
		return finding->path;
	return finding->path[length] == '/' ? finding->path + length + 1 : finding->path;
}

/* One kind of reason of all objects of a package. */
static void write_reason(FILE *file, const struct sg_findings *findings, const struct sg_reason *reason,
		const struct sg_finding *const *objects, size_t count)
{
	struct sg_wrap wrap = {file, 20, 0, false};
	const char *last = NULL;
	size_t names = 0;
	char number[40];

	wrap.column = fprintf(file, "    %-15s ", reason->kind);
	sg_wrap_text(&wrap, reason->text);
	for (size_t i = 0; reason->has_entries && i < sg_entries_count(); i++) {
		const char *name = sg_entries_at(i)->shown;

		/* Several of C++ go by one name; they follow each other. */
		if (!sg_entry_set_has(&reason->entries, i) || (last && strcmp(name, last) == 0))
			continue;
		last = name;
		if (names++ >= NAMES_SHOWN)
			continue;
		sg_wrap_text(&wrap, names == 1 ? ": " : ", ");
		sg_wrap_text(&wrap, name);
	}
	if (names > NAMES_SHOWN) {
		snprintf(number, sizeof(number), " and %zu more", names - NAMES_SHOWN);
		sg_wrap_text(&wrap, number);
	}
	sg_wrap_text(&wrap, "; in ");
	for (size_t i = 0; i < count && i < OBJECTS_SHOWN; i++) {
		if (i)
			sg_wrap_text(&wrap, ", ");
		wrap_name(&wrap, below_root(findings, objects[i]));
	}
	if (count > OBJECTS_SHOWN) {
		snprintf(number, sizeof(number), " and %zu more", count - OBJECTS_SHOWN);
		sg_wrap_text(&wrap, number);
	}
	sg_wrap_end(&wrap);
}

/* The text is that of the worst; a number is that of all objects, and then no single place is the first. */
static void join(struct sg_reason *all, const struct sg_reason *reason)
{
	if (reason->verdict > all->verdict) {
		all->verdict = reason->verdict;
		memcpy(all->text, reason->text, sizeof(all->text));
	}
	if (reason->count) {
		all->count += reason->count;
		snprintf(all->text, sizeof(all->text), "%.*s: %llu in all", (int)strcspn(reason->text, ":"), reason->text,
				(unsigned long long)all->count);
	}
	for (size_t i = 0; i < SG_ENTRY_WORDS; i++)
		all->entries.bits[i] |= reason->entries.bits[i];
}

struct joined {
	struct sg_reason reason;
	const struct sg_finding *objects[OBJECTS_SHOWN];
	size_t count;
};

static int compare_joined(const void *a, const void *b)
{
	const struct joined *left = a, *right = b;

	if (left->reason.verdict != right->reason.verdict)
		return left->reason.verdict > right->reason.verdict ? -1 : 1;
	return strcmp(left->reason.kind, right->reason.kind);
}

static void write_reasons(FILE *file, const struct sg_findings *findings, const struct sg_package *package)
{
	static struct joined joined[SG_REASONS_MAX];
	size_t count = 0;

	for (size_t i = package->first; i < package->first + package->count; i++) {
		const struct sg_finding *finding = &findings->list[i];
		struct sg_reason reasons[SG_REASONS_MAX];
		size_t found = sg_finding_counts(finding) ? sg_findings_reasons(finding, reasons) : 0;

		for (size_t j = 0; j < found; j++) {
			struct joined *same = NULL;

			for (size_t k = 0; k < count && !same; k++)
				if (strcmp(joined[k].reason.kind, reasons[j].kind) == 0)
					same = &joined[k];
			if (!same && count == SG_REASONS_MAX)
				continue;
			if (same) {
				join(&same->reason, &reasons[j]);
			} else {
				same = &joined[count++];
				*same = (struct joined){.reason = reasons[j]};
			}
			if (same->count < OBJECTS_SHOWN)
				same->objects[same->count] = finding;
			same->count++;
		}
	}
	qsort(joined, count, sizeof(*joined), compare_joined);
	for (size_t i = 0; i < count; i++)
		write_reason(file, findings, &joined[i].reason, joined[i].objects, joined[i].count);
}

static void count_of(FILE *file, size_t count, const char *one, const char *many, bool *first)
{
	if (count)
		fprintf(file, "%s%zu %s", *first ? "" : ", ", count, count == 1 ? one : many);
	*first = *first && !count;
}

static void write_package(FILE *file, const struct sg_findings *findings, const struct sg_package *package)
{
	size_t kinds[3] = {0};
	unsigned int allowed = 0, to_all = ~0u;
	bool first = true;

	for (size_t i = package->first; i < package->first + package->count; i++) {
		kinds[findings->list[i].object.kind]++;
		if (!sg_finding_counts(&findings->list[i]))
			continue;
		allowed |= findings->list[i].allowed;
		to_all &= findings->list[i].allowed;
	}
	/* Every object is allowed that: it says nothing about this package. */
	allowed &= ~(1u << SG_NATIVE_POOL);
	to_all &= ~(1u << SG_NATIVE_POOL);
	fprintf(file, "%-21s ", package->counts ? sg_verdict_text(package->verdict) : "not judged");
	sg_text_name(file, package->name);
	if (package->version) {
		fputc(' ', file);
		sg_text_name(file, package->version);
	}
	fputs(" (", file);
	count_of(file, kinds[SG_OBJECT_EXTENSION], "extension", "extensions", &first);
	count_of(file, kinds[SG_OBJECT_LIBRARY], "library", "libraries", &first);
	count_of(file, kinds[SG_OBJECT_PROGRAM], "program", "programs", &first);
	fputs(")\n", file);
	write_reasons(file, findings, package);
	if (allowed) {
		struct sg_wrap wrap = {file, 20, 0, false};

		wrap.column = fprintf(file, "    %-15s ", "allowed");
		if ((allowed | 1u << SG_NATIVE_POOL) == (1u << SG_NATIVE_FAMILIES) - 1)
			sg_wrap_text(&wrap, "all of it, by [native] of the configuration");
		else {
			sg_wrap_text(&wrap, "by [native] of the configuration");
			sg_wrap_text(&wrap, allowed == to_all ? ":" : ", not for each object:");
			for (int i = 0; i < SG_NATIVE_FAMILIES; i++)
				if (allowed & 1u << i) {
					sg_wrap_text(&wrap, " ");
					sg_wrap_text(&wrap,
							sg_config_native_family_name((enum sg_native_family)i));
				}
		}
		sg_wrap_end(&wrap);
	}
}

void sg_report_text(FILE *file, const struct sg_findings *findings)
{
	for (int verdict = SG_VERDICT_UNSAFE; verdict >= SG_VERDICT_SAFE; verdict--)
		for (size_t i = 0; i < findings->package_count; i++)
			if (findings->packages[i].counts && (int)findings->packages[i].verdict == verdict)
				write_package(file, findings, &findings->packages[i]);
	for (size_t i = 0; i < findings->package_count; i++)
		if (!findings->packages[i].counts)
			write_package(file, findings, &findings->packages[i]);
	fprintf(file, "%s%zu package%s, %zu object%s: %zu safe, %zu depend%s on arguments, %zu not safe, "
			"%zu not judged; %zu problem%s\n", findings->package_count ? "\n" : "",
			findings->package_count, findings->package_count == 1 ? "" : "s",
			findings->count, findings->count == 1 ? "" : "s",
			packages_with(findings, SG_VERDICT_SAFE), packages_with(findings,
			SG_VERDICT_DEPENDS),
			packages_with(findings, SG_VERDICT_DEPENDS) == 1 ? "s" : "",
			packages_with(findings, SG_VERDICT_UNSAFE), packages_of_programs(findings),
			findings->problem_count, findings->problem_count == 1 ? "" : "s");
	if (findings->own)
		fprintf(file, "%zu object%s of Sandglass itself left out\n", findings->own, findings->own == 1 ? "" : "s");
}

static void json_key(FILE *file, const char *key, const char *text)
{
	fprintf(file, "\"%s\": ", key);
	if (text)
		sg_json_string(file, text);
	else
		fputs("null", file);
}

static void json_object(FILE *file, const struct sg_finding *finding)
{
	struct sg_reason reasons[SG_REASONS_MAX];
	size_t count = sg_findings_reasons(finding, reasons);
	const char *comma = "";

	fputs("\n     {", file);
	json_key(file, "path", finding->path);
	fputs(", ", file);
	json_key(file, "kind", sg_object_kind_name(finding->object.kind));
	fputs(", ", file);
	json_key(file, "machine", sg_object_machine_name(finding->object.machine));
	fputs(", ", file);
	json_key(file, "verdict", sg_finding_counts(finding) ? sg_verdict_word(finding->verdict) : "not judged");
	fprintf(file, ", \"counts\": %s, \"symbolic\": %s, \"allowed\": [",
			sg_finding_counts(finding) ? "true" : "false",
			finding->object.symbolic ? "true" : "false");
	for (int i = 0; i < SG_NATIVE_FAMILIES; i++)
		if (finding->allowed & 1u << i) {
			fputs(comma, file);
			sg_json_string(file, sg_config_native_family_name((enum sg_native_family)i));
			comma = ", ";
		}
	fputs("], \"reasons\": [", file);
	for (size_t i = 0; i < count; i++) {
		fputs(i ? ", {" : "{", file);
		json_key(file, "kind", reasons[i].kind);
		fputs(", ", file);
		json_key(file, "verdict", sg_verdict_word(reasons[i].verdict));
		fputs(", ", file);
		json_key(file, "text", reasons[i].text);
		fputs(", \"entries\": [", file);
		comma = "";
		for (size_t j = 0; reasons[i].has_entries && j < sg_entries_count(); j++)
			if (sg_entry_set_has(&reasons[i].entries, j)) {
				fputs(comma, file);
				sg_json_string(file, sg_entries_at(j)->name);
				comma = ", ";
			}
		fputs("]}", file);
	}
	fputs("]}", file);
}

void sg_report_json(FILE *file, const struct sg_findings *findings)
{
	fprintf(file, "{\"schema\": \"sandglass-audit/1\", \"version\": \"%s\",\n \"summary\": "
			"{\"packages\": %zu, "
			"\"objects\": %zu, \"safe\": %zu, \"depends\": %zu, \"unsafe\": %zu, "
			"\"programs\": %zu, \"problems\": %zu},\n"
			" \"packages\": [", SG_VERSION, findings->package_count, findings->count,
			packages_with(findings, SG_VERDICT_SAFE), packages_with(findings,
			SG_VERDICT_DEPENDS),
			packages_with(findings, SG_VERDICT_UNSAFE), packages_of_programs(findings),
			findings->problem_count);
	for (size_t i = 0; i < findings->package_count; i++) {
		const struct sg_package *package = &findings->packages[i];

		fputs(i ? ",\n  {" : "\n  {", file);
		json_key(file, "name", package->name);
		fputs(", ", file);
		json_key(file, "version", package->version);
		fputs(", ", file);
		json_key(file, "root", findings->roots[package->root]);
		fputs(", ", file);
		json_key(file, "verdict", package->counts ? sg_verdict_word(package->verdict) : "not judged");
		fprintf(file, ", \"counts\": %s, \"objects\": [", package->counts ? "true" : "false");
		for (size_t j = 0; j < package->count; j++) {
			if (j)
				fputc(',', file);
			json_object(file, &findings->list[package->first + j]);
		}
		fputs("]}", file);
	}
	fputs("],\n \"problems\": [", file);
	for (size_t i = 0; i < findings->problem_count && i < SG_PROBLEMS_MAX; i++) {
		fputs(i ? ",\n  {" : "\n  {", file);
		json_key(file, "path", findings->problems[i].path ? findings->problems[i].path : "");
		fputs(", ", file);
		json_key(file, "message",
				findings->problems[i].message ? findings->problems[i].message : "");
		fputc('}', file);
	}
	fputs("]}\n", file);
}
