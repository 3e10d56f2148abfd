#include "config/command/command.h"
#include "config/command/options.h"
#include "config/command/report.h"
#include "config/command/text.h"
#include "config/command/walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char usage_text[] =
	"usage: sandglass audit [OPTION...] PATH...\n"
	"Says which compiled code reads clocks, entropy, environment, files, network and so on by itself, where\n"
	"Python-level guards do not see it. PATH: a virtual environment or other directory, a wheel, an object.\n"
	"  --json             for programs; the schema is in config/command/report.h\n"
	"  --fail-on VERDICT  what makes the exit status 1: unsafe, else depends (both), or never\n"
	"Sandglass itself is left out, unless its file is a PATH.\n"
	"\"safe\" is said of what was looked at: what code imports and its instructions, not what it looks up at run time.\n"
	"Exit status: 0 nothing reaches the threshold, 1 something does, 2 wrong usage or something could not be read.\n";

static const char *const thresholds[] = {"unsafe", "depends", "never", NULL};

static int audit(struct sg_findings *findings, bool json, int threshold)
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
	if (threshold == 2)
		return SG_EXIT_OK;
	return worst >= (threshold ? SG_VERDICT_DEPENDS : SG_VERDICT_UNSAFE) ? SG_EXIT_NO : SG_EXIT_OK;
}

int sg_command_audit(int count, char **arguments)
{
	const char *fail_on = NULL;
	bool json = false, off;
	const struct sg_option options[] = {{"--json", NULL, NULL, &json, NULL}, {"--fail-on", "VERDICT", &fail_on, NULL, NULL}, {0}};
	const struct sg_usage usage = {"audit", usage_text, options, "PATH...", false};
	int status, paths = sg_options_take(&usage, count, arguments, &status), threshold;
	struct sg_findings *findings;
	struct sg_config config;

	if (paths < 0)
		return status;
	threshold = sg_options_choose("audit", "--fail-on", fail_on, thresholds);
	if (!paths)
		sg_complain("audit", "no path; accepted: [OPTION...] PATH...");
	if (threshold < 0 || !paths || sg_command_config(&config, "audit", &off) != 0)
		return SG_EXIT_TROUBLE;
	status = SG_EXIT_TROUBLE;
	findings = calloc(1, sizeof(*findings));
	if (findings) {
		findings->config = &config;
		findings->roots = arguments;
		findings->root_count = (size_t)paths;
		status = audit(findings, json, threshold);
		sg_findings_release(findings);
		free(findings);
	}
	sg_entries_release();
	sg_config_release(&config);
	return status;
}
