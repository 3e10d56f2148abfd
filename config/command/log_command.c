#define _GNU_SOURCE 1

#include "config/command/command.h"
#include "config/command/log_report.h"
#include "config/command/options.h"
#include "config/command/text.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static const char usage_text[] =
	"usage: sandglass report [OPTION...] LOG...\n"
	"Adds up debug logs, of any size and of many workers: what was refused, let pass or answered, by workflow, rule\n"
	"and line; what modes enforce and strict would do; what modules cost; settings to go on with, each tried first.\n"
	"LOG: a file, also one that gzip has compressed; - for standard input. The same file is read once, and lines of other\n"
	"programs are passed over. A last line without its end is not counted: it is still being written, or was cut off.\n"
	"  --format text|json   the schema of json is in config/command/log_report.h\n"
	"  --html FILE          also one page that can be sorted and needs nothing else\n"
	"\"or more\": the place is logged once, and its worker told no total; SANDGLASS_SUMMARY=MINUTES (or level info, at its\n"
	"end) makes counts exact.\n"
	"\"not known\": the line does not say what the mode would do, as older versions do not in modes strict and answer.\n"
	"Exit status: 0 nothing was refused, and mode enforce would refuse nothing that the logs tell of; 1 something was or\n"
	"would be refused, or enforce's answer is not known; 2 wrong usage, or a log cannot be read, or none has a line of\n"
	"Sandglass.\n";

static const char *const formats[] = {"text", "json", NULL};

/* --- logs --------------------------------------------------------------------------------------- */

static ssize_t read_compressed(void *stream, char *to, size_t size)
{
	int length = gzread(stream, to, (unsigned int)(size < INT_MAX ? size : INT_MAX));

	if (length < 0)
		errno = EBADMSG;
	return length;
}

static int close_compressed(void *stream)
{
	if (gzclose(stream) == Z_OK)
		return 0;
	errno = EBADMSG;
	return EOF;
}

/* The same stream, or, where gzip has written the file, one of what is in it. NULL: errno tells. */
static FILE *uncompressed(FILE *file)
{
	const cookie_io_functions_t functions = {.read = read_compressed, .close = close_compressed};
	unsigned char magic[2] = {0};
	gzFile stream;
	FILE *content;

	if (!file || pread(fileno(file), magic, 2, 0) != 2 || magic[0] != 0x1f || magic[1] != 0x8b)
		return file;
	stream = gzdopen(dup(fileno(file)), "r");
	fclose(file);
	content = stream ? fopencookie(stream, "r", functions) : NULL;
	if (!content) {
		if (stream)
			gzclose(stream);
		errno = ENOMEM;
	}
	return content;
}

/* Which of the files before it is this one? -1: none. Pipes and terminals are nobody's copy. */
static int same_as(struct stat *seen, int index, FILE *file)
{
	if (fstat(fileno(file), &seen[index]) != 0 || !S_ISREG(seen[index].st_mode)) {
		seen[index] = (struct stat){0};
		return -1;
	}
	for (int i = 0; i < index; i++)
		if (seen[i].st_ino == seen[index].st_ino && seen[i].st_dev == seen[index].st_dev && S_ISREG(seen[i].st_mode))
			return i;
	return -1;
}

/* 0, or -1 with errno. */
static int read_log(struct sg_report_reader *reader, struct stat *seen, int index, char **names)
{
	bool standard = strcmp(names[index], "-") == 0;
	FILE *file = standard ? stdin : fopen(names[index], "re");
	int same = file ? same_as(seen, index, file) : -1, error;

	if (same >= 0) {
		sg_complain("report", "%s: the same log as %s, read once", names[index], names[same]);
		return standard ? 0 : fclose(file);
	}
	file = uncompressed(file);
	error = file ? sg_report_read(reader, file, names[index]) : -1;
	if (file && file != stdin) {
		int before = errno;

		if (fclose(file) != 0 && !error)
			error = -1;
		else
			errno = before;
	}
	return error;
}

/* 0, or -1 with a complaint. */
static int read_logs(struct sg_report *report, int count, char **names)
{
	struct sg_report_reader *reader = sg_report_reader_new(report);
	struct stat *seen = calloc((size_t)count, sizeof(*seen));
	int error = reader && seen ? 0 : -1;

	for (int i = 0; i < count && !error; i++) {
		unsigned long lines = report->lines, files = report->files;

		error = read_log(reader, seen, i, names);
		if (error)
			sg_complain("report", "%s: %s", names[i], errno == EBADMSG ? "what gzip has compressed is damaged or cut off" :
					strerror(errno));
		else if (report->lines == lines && report->files != files)
			sg_complain("report", "%s: no line of Sandglass in there; accepted: the files that SANDGLASS_LOG named", names[i]);
	}
	free(seen);
	if (reader)
		sg_report_reader_end(reader);
	return error || !report->lines ? -1 : 0;
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
		status = sg_report_would(&report, "enforce", "block") || sg_report_would(&report, "enforce", "") || sg_report_refused(&report) ?
			SG_EXIT_NO : SG_EXIT_OK;
out:
	sg_report_release(&report);
	return status;
}
