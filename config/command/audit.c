#include "config/command/command.h"
#include "config/command/report.h"
#include "config/command/text.h"
#include "config/command/walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"usage: sandglass audit [--json] PATH...\n"
	"Says which compiled code reads clocks, entropy, environment, files, network and so on by "
	"itself, where\n"
	"Python-level guards do not see it. PATH: a virtual environment or other directory, a "
	"wheel, an object.\n"
	"  --json   for programs; the schema is in config/command/report.h\n"
	"Exit status: 0 nothing is \"not safe\", 1 something is, 2 wrong usage or something could "
	"not be read.\n";

/* Sorts options from paths, in place. Returns the number of paths, or -1: wrong usage, or --help. */
static int parse(int count, char **arguments, bool *ret_json, int *ret_status)
{
	int paths = 0;
	bool options = true;

	for (int i = 1; i < count; i++) {
		const char *argument = arguments[i];

		if (!options || argument[0] != '-' || !argument[1]) {
			arguments[paths++] = arguments[i];
		} else if (strcmp(argument, "--") == 0) {
			options = false;
		} else if (strcmp(argument, "--json") == 0) {
			*ret_json = true;
		} else if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
			fputs(usage, stdout);
			*ret_status = SG_EXIT_OK;
			return -1;
		} else {
			sg_complain("audit", "%s: unknown option; accepted: --json, --help", argument);
			*ret_status = SG_EXIT_TROUBLE;
			return -1;
		}
	}
	for (int i = 0; i < paths; i++)
		if (!*arguments[i]) {
			sg_complain("audit", "an argument is empty; accepted: PATH...");
			*ret_status = SG_EXIT_TROUBLE;
			return -1;
		}
	if (!paths) {
		sg_complain("audit", "no path; accepted: [--json] PATH...");
		*ret_status = SG_EXIT_TROUBLE;
		return -1;
	}
	return paths;
}

static int audit(struct sg_findings *findings, bool json)
{
	enum sg_verdict worst = SG_VERDICT_SAFE;
	int error = sg_entries_init();

	for (size_t i = 0; i < findings->root_count && !error; i++)
		error = sg_walk_audit(findings, i);
	if (error == -EFBIG) {
		sg_findings_problem(findings, findings->roots[findings->root_count - 1],
				"more than %d objects; the others were not looked at", SG_FINDINGS_MAX);
		error = 0;
	}
	if (!error)
		error = sg_findings_group(findings);
	if (error) {
		sg_complain("audit", "%s", error == -ENOSPC ? "the table of functions is too "
				"small for the hooks' rows"
				: strerror(-error));
		return SG_EXIT_TROUBLE;
	}
	(json ? sg_report_json : sg_report_text)(stdout, findings);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		sg_complain("audit", "the report cannot be written: %s", strerror(errno));
		return SG_EXIT_TROUBLE;
	}
	for (size_t i = 0; i < findings->package_count; i++)
		if (findings->packages[i].verdict > worst)
			worst = findings->packages[i].verdict;
	if (findings->problem_count)
		return SG_EXIT_TROUBLE;
	return worst == SG_VERDICT_UNSAFE ? SG_EXIT_NO : SG_EXIT_OK;
}

int sg_command_audit(int count, char **arguments)
{
	struct sg_findings *findings;
	struct sg_config config;
	int status = SG_EXIT_TROUBLE, paths;
	bool json = false, off;

	paths = parse(count, arguments, &json, &status);
	if (paths < 0)
		return status;
	if (sg_command_config(&config, "audit", &off) != 0)
		return SG_EXIT_TROUBLE;
	findings = calloc(1, sizeof(*findings));
	if (findings) {
		findings->config = &config;
		findings->roots = arguments;
		findings->root_count = (size_t)paths;
		status = audit(findings, json);
		sg_findings_release(findings);
		free(findings);
	}
	sg_entries_release();
	sg_config_release(&config);
	return status;
}
