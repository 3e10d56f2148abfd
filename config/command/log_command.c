#define _GNU_SOURCE 1

#include "config/command/command.h"
#include "config/command/log_report.h"
#include "config/command/options.h"
#include "config/command/text.h"

#include <errno.h>
#include <string.h>

static const char usage_text[] =
	"usage: sandglass report [OPTION...] LOG...\n"
	"Adds up debug logs, of any size and of many workers: what was refused, let pass or answered, by workflow, rule\n"
	"and line; what modes enforce and strict would do; what modules cost; settings to go on with, each tried first.\n"
	"LOG: a file, - for standard input. Lines of other programs are passed over.\n"
	"  --format text|json   the schema of json is in config/command/log_report.h\n"
	"  --html FILE          also one page that can be sorted and needs nothing else\n"
	"Counts are exact where the log has lines event=total (SANDGLASS_SUMMARY, or level info), else least ones.\n"
	"Exit status: 0 mode enforce would refuse nothing that the logs tell of, 1 it would, 2 wrong usage, or a log\n"
	"cannot be read or has no line of Sandglass.\n";

static const char *const formats[] = {"text", "json", NULL};

/* 0, or -1 with a complaint. */
static int read_logs(struct sg_report *report, int count, char **names)
{
	struct sg_report_reader *reader = sg_report_reader_new(report);
	int error = reader ? 0 : -1;

	for (int i = 0; i < count && !error; i++) {
		bool standard = strcmp(names[i], "-") == 0;
		FILE *file = standard ? stdin : fopen(names[i], "re");

		error = file ? sg_report_read(reader, file, names[i]) : -1;
		if (error)
			sg_complain("report", "%s: %m", names[i]);
		if (file && !standard)
			fclose(file);
	}
	if (reader)
		sg_report_reader_end(reader);
	if (!error && !report->lines) {
		sg_complain("report", "no line of Sandglass in there; accepted: the files that SANDGLASS_LOG named");
		error = -1;
	}
	return error;
}

static int write_page(const char *name, const struct sg_report *report)
{
	FILE *file = fopen(name, "we");

	if (file)
		sg_report_write_html(file, report);
	if (!file || ferror(file) || fclose(file) != 0) {
		sg_complain("report", "%s: cannot be written: %m", name);
		return -1;
	}
	return 0;
}

int sg_command_report(int count, char **arguments)
{
	const char *format = NULL, *page = NULL;
	const struct sg_option options[] = {
		{"--format", "text|json", &format, NULL, NULL}, {"--html", "FILE", &page, NULL, NULL}, {0},
	};
	const struct sg_usage usage = {"report", usage_text, options, "LOG...", false};
	struct sg_report report = {0};
	int status, left = sg_options_take(&usage, count, arguments, &status), as;

	if (left < 0)
		return status;
	as = sg_options_choose("report", "--format", format, formats);
	if (!left)
		sg_complain("report", "no log; accepted: %s", usage.arguments);
	if (as < 0 || !left)
		return SG_EXIT_TROUBLE;
	status = SG_EXIT_TROUBLE;
	if (read_logs(&report, left, arguments) != 0)
		goto out;
	sg_report_suggest(&report);
	if (report.out_of_memory) {
		sg_complain("report", "%s", strerror(ENOMEM));
		goto out;
	}
	if (page && write_page(page, &report) != 0)
		goto out;
	(as ? sg_report_write_json : sg_report_write_text)(stdout, &report);
	if (fflush(stdout) != 0 || ferror(stdout))
		sg_complain("report", "the report cannot be written: %m");
	else
		status = sg_report_would(&report, "enforce", "block") ? SG_EXIT_NO : SG_EXIT_OK;
out:
	sg_report_release(&report);
	return status;
}
