#define _GNU_SOURCE 1

#include "config/command/log_report.h"
#include "config/command/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const actions[] = {"block", "answer", "warn", "log", "allow", ""};
static const char *const action_words[] = {"refused", "answered", "let pass with a warning", "let pass", "let pass", "not known"};

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

/* --- text --------------------------------------------------------------------------------------- */

static void write_would(FILE *file, const struct sg_report *report, const char *mode)
{
	const char *separator = "";

	fprintf(file, "  %-8s ", mode);
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		size_t count = sg_report_would(report, mode, actions[i]);

		if (count) {
			fprintf(file, "%s%zu %s", separator, count, action_words[i]);
			separator = ", ";
		}
	}
	fputc('\n', file);
}

/* For qsort(): by workflow, what enforce refuses first, then by how often. */
static const struct sg_report_place *sorted_places;

static int compare_places(const void *a, const void *b)
{
	const struct sg_report_place *one = &sorted_places[*(const size_t *)a], *other = &sorted_places[*(const size_t *)b];
	bool first = strcmp(one->enforce, "block") == 0, second = strcmp(other->enforce, "block") == 0;
	int order = strcmp(one->workflow, other->workflow);

	if (!order)
		order = second - first;
	if (!order)
		order = (other->count > one->count) - (other->count < one->count);
	return order ? order : strcmp(one->where, other->where);
}

static size_t *sort_places(const struct sg_report *report)
{
	size_t *order = calloc(report->place_count + 1, sizeof(*order));

	for (size_t i = 0; order && i < report->place_count; i++)
		order[i] = i;
	sorted_places = report->places;
	if (order)
		qsort(order, report->place_count, sizeof(*order), compare_places);
	return order;
}

static void write_name(FILE *file, const char *before, const char *name, const char *after)
{
	fputs(before, file);
	sg_text_name(file, name);
	fputs(after, file);
}

/* What a mode would do, where that is another thing than what was done. */
static void write_mode(FILE *file, const char *before, const char *would, const char *action)
{
	if (strcmp(would, action) != 0)
		write_name(file, before, *would ? would : "not known", "");
}

static void write_place(FILE *file, const struct sg_report_place *place)
{
	write_name(file, "  ", place->where, ": ");
	write_name(file, "", place->rule, "");
	fprintf(file, ": %ld time%s%s, %.16s to %.16s", place->count, place->count == 1 ? "" : "s", place->least ? " or more" : "",
			place->first ? place->first : "?", place->last ? place->last : "?");
	if (strcmp(place->phase, "import") == 0)
		fputs(", at import time", file);
	if (*place->origin && strcmp(place->origin, "direct") != 0)
		write_name(file, ", ", place->origin, "");
	fputc('\n', file);
	fprintf(file, "      %s", *place->action ? place->action : "?");
	write_mode(file, "; enforce: ", place->enforce, place->action);
	write_mode(file, "; strict: ", place->strict, place->action);
	if (*place->instead)
		write_name(file, "; instead: ", place->instead, "");
	fputc('\n', file);
}

void sg_report_write_text(FILE *file, const struct sg_report *report)
{
	size_t *order = sort_places(report);
	const char *workflow = NULL;

	fprintf(file, "%lu line%s of %lu log%s, %zu process%s", report->lines, plural(report->lines), report->files, plural(report->files),
			report->process_count, report->process_count == 1 ? "" : "es");
	if (report->first)
		fprintf(file, ", %.19s to %.19s", report->first, report->last);
	if (report->strange)
		fprintf(file, "; %lu other line%s", report->strange, plural(report->strange));
	if (report->torn)
		fprintf(file, "; %lu line%s torn, at the end of a log", report->torn, plural(report->torn));
	fprintf(file, "\n%zu place%s in workflow code, of which would be\n", report->place_count, plural(report->place_count));
	if (report->place_count) {
		write_would(file, report, "enforce");
		write_would(file, report, "strict");
	}
	for (size_t i = 0; order && i < report->place_count; i++) {
		const struct sg_report_place *place = &report->places[order[i]];

		if (!workflow || strcmp(workflow, place->workflow) != 0)
			write_name(file, "\n", *place->workflow ? place->workflow : "(workflow unknown)", "\n");
		workflow = place->workflow;
		write_place(file, place);
	}
	free(order);
	if (report->image_count)
		fputs("\nModules of workflows, executed once for all runs\n", file);
	for (size_t i = 0; i < report->image_count; i++) {
		write_name(file, "  ", report->images[i].module, "");
		fprintf(file, ": %ld time%s, %ld ms in all, at most %ld ms\n", report->images[i].count, plural((size_t)report->images[i].count),
				report->images[i].milliseconds, report->images[i].slowest);
	}
	if (report->other_count)
		fputs("\nAlso said\n", file);
	for (size_t i = 0; i < report->other_count; i++) {
		const struct sg_report_other *other = &report->others[i];

		write_name(file, "  ", other->event, " ");
		write_name(file, "", other->subject, "");
		fprintf(file, ": %ld time%s", other->count, plural((size_t)other->count));
		write_name(file, *other->text ? "; " : "", other->text, "\n");
	}
	if (report->setting_count)
		fputs("\nSuggested settings, each tried with these rules\n", file);
	for (size_t i = 0; i < report->setting_count; i++) {
		write_name(file, "  ", report->settings[i].setting, "\n");
		write_name(file, "      ", report->settings[i].text, "\n");
	}
}

/* --- JSON --------------------------------------------------------------------------------------- */

struct member {
	const char *key, *text;
};

static void write_members(FILE *file, const struct member *members)
{
	for (const char *separator = "{"; members->key; members++, separator = ",") {
		fprintf(file, "%s\"%s\":", separator, members->key);
		sg_json_string(file, members->text ? members->text : "");
	}
}

static void write_counts(FILE *file, const struct sg_report *report, const char *mode)
{
	fprintf(file, ",\"%s\":{\"block\":%zu,\"answer\":%zu,\"warn\":%zu,\"pass\":%zu,\"unknown\":%zu}", mode,
			sg_report_would(report, mode, "block"), sg_report_would(report, mode, "answer"), sg_report_would(report, mode, "warn"),
			sg_report_would(report, mode, "log") + sg_report_would(report, mode, "allow"), sg_report_would(report, mode, ""));
}

/* KEY: [ITEM,...], an item a line. */
#define EACH(key, index, count) \
	fputs(",\n\"" key "\":[", file); \
	for (size_t index = 0; index < (count) ? fputs(index ? ",\n" : "\n", file), true : (fputs("]", file), false); index++)

void sg_report_write_json(FILE *file, const struct sg_report *report)
{
	fprintf(file, "{\"version\":\"%s\",\"files\":%lu,\"lines\":%lu,\"torn\":%lu,\"first\":\"%s\",\"last\":\"%s\"", SG_VERSION, report->files,
			report->lines, report->torn, report->first ? report->first : "", report->last ? report->last : "");
	write_counts(file, report, "enforce");
	write_counts(file, report, "strict");
	EACH("processes", i, report->process_count) {
		const struct sg_report_process *process = &report->processes[i];

		write_members(file, (const struct member[]){{"pid", process->pid}, {"mode", process->mode}, {"version", process->version},
			{"python", process->python}, {"engine", process->engine}, {"sdk", process->sdk}, {"started", process->started}, {0}});
		fputc('}', file);
	}
	EACH("places", i, report->place_count) {
		const struct sg_report_place *place = &report->places[i];

		write_members(file, (const struct member[]){{"workflow", place->workflow}, {"rule", place->rule}, {"where", place->where},
			{"origin", place->origin}, {"phase", place->phase}, {"action", place->action}, {"enforce", place->enforce},
			{"strict", place->strict}, {"first", place->first}, {"last", place->last}, {"reason", place->reason},
			{"instead", place->instead}, {"chain", place->chain}, {0}});
		fprintf(file, ",\"count\":%ld,\"least\":%s}", place->count, place->least ? "true" : "false");
	}
	EACH("images", i, report->image_count) {
		write_members(file, (const struct member[]){{"module", report->images[i].module}, {0}});
		fprintf(file, ",\"count\":%ld,\"milliseconds\":%ld,\"slowest\":%ld}", report->images[i].count, report->images[i].milliseconds,
				report->images[i].slowest);
	}
	EACH("others", i, report->other_count) {
		const struct sg_report_other *other = &report->others[i];

		write_members(file, (const struct member[]){{"event", other->event}, {"subject", other->subject}, {"first", other->first},
			{"last", other->last}, {"text", other->text}, {0}});
		fprintf(file, ",\"count\":%ld}", other->count);
	}
	EACH("settings", i, report->setting_count) {
		write_members(file, (const struct member[]){{"setting", report->settings[i].setting}, {"text", report->settings[i].text}, {0}});
		fputc('}', file);
	}
	fprintf(file, ",\n\"timeline\":{\"start\":%" PRId64 ",\"seconds\":%" PRId64 ",\"counts\":[", report->timeline.start,
			report->timeline.width);
	for (size_t i = 0; i < SG_REPORT_STRETCHES; i++)
		fprintf(file, "%s%lu", i ? "," : "", report->timeline.counts[i]);
	fputs("]}}\n", file);
}

/* --- HTML --------------------------------------------------------------------------------------- */

/* The page shows what stands in its JSON; without JavaScript it says so. Text only gets in as text. */
static const char page_start[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Sandglass report</title>\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
	"<style>\n"
	"body{font:14px/1.45 system-ui,sans-serif;margin:2em;color:#1b1f24;background:#fff}h1{font-size:1.4em}h2{font-size:1.1em;margin-top:2em}\n"
	"table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3em .6em;border-bottom:1px solid #d8dee4;vertical-align:top}\n"
	"th button{font:inherit;font-weight:600;border:0;background:none;padding:0;cursor:pointer}td.number{text-align:right}\n"
	"td.block{background:#ffebe9}td.warn{background:#fff8c5}td.answer{background:#ddf4ff}code{font:13px ui-monospace,monospace}\n"
	"svg{width:100%;height:90px}input{font:inherit;padding:.3em;width:22em}\n"
	"@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}th button{color:inherit}td.block{background:#67060c}"
	"td.warn{background:#533f00}td.answer{background:#0a3069}th,td{border-color:#30363d}}\n"
	"</style></head><body>\n<h1>Sandglass report</h1><p id=\"summary\">This page needs JavaScript.</p><div id=\"page\"></div>\n"
	"<script type=\"application/json\" id=\"data\">\n";

static const char page_end[] =
	"</script>\n<script>\n"
	"'use strict';\n"
	"const data = JSON.parse(document.getElementById('data').textContent), page = document.getElementById('page');\n"
	"const make = (name, text, parent) => { const e = document.createElement(name); if (text !== undefined) e.textContent = text;\n"
	"  if (parent) parent.append(e); return e; };\n"
	"function table(title, columns, rows, open) {\n"
	"  if (!rows.length) return;\n"
	"  make('h2', title, page);\n"
	"  const filter = make('input', undefined, page); filter.placeholder = 'filter'; filter.setAttribute('aria-label', 'filter ' + title);\n"
	"  const t = make('table', undefined, page), head = make('tr', undefined, make('thead', undefined, t)), body = make('tbody', undefined, t);\n"
	"  let sorted = -1, up = true;\n"
	"  const fill = () => { body.textContent = ''; const wanted = filter.value.toLowerCase();\n"
	"    for (const row of rows) { if (wanted && !Object.values(row).join(' ').toLowerCase().includes(wanted)) continue;\n"
	"      const line = make('tr', undefined, body);\n"
	"      for (const c of columns) { const cell = make('td', undefined, line), v = row[c];\n"
	"        make(c === 'where' || c === 'rule' || c === 'instead' || c === 'setting' ? 'code' : 'span', v, cell);\n"
	"        if (typeof v === 'number') cell.className = 'number';\n"
	"        if (['action', 'enforce', 'strict'].includes(c)) cell.className = v; } } };\n"
	"  columns.forEach((c, i) => { const b = make('button', c, make('th', undefined, head)); b.onclick = () => {\n"
	"    up = sorted === i ? !up : typeof rows[0][c] !== 'number'; sorted = i;\n"
	"    rows.sort((x, y) => (x[c] < y[c] ? -1 : x[c] > y[c] ? 1 : 0) * (up ? 1 : -1)); fill(); }; });\n"
	"  filter.oninput = fill; fill();\n"
	"}\n"
	"const words = m => Object.entries(data[m]).filter(([, n]) => n).map(([k, n]) => n + ' ' + (k === 'unknown' ? 'not known' : k)).join(', ') || 'nothing';\n"
	"document.getElementById('summary').textContent = data.lines + ' lines of ' + data.files + ' logs, ' + data.processes.length +\n"
	"  ' processes, ' + data.first + ' to ' + data.last + '. Places: enforce ' + words('enforce') + '; strict ' + words('strict') + '.';\n"
	"const t = data.timeline, most = Math.max(...t.counts);\n"
	"if (most) {\n"
	"  make('h2', 'Refused, let pass or answered', page);\n"
	"  const ns = 'http://www.w3.org/2000/svg', svg = document.createElementNS(ns, 'svg');\n"
	"  svg.setAttribute('viewBox', '0 0 ' + t.counts.length + ' 100'); svg.setAttribute('preserveAspectRatio', 'none');\n"
	"  t.counts.forEach((n, i) => { if (!n) return; const bar = document.createElementNS(ns, 'rect'), title = document.createElementNS(ns, 'title');\n"
	"    const h = 100 * n / most; for (const [k, v] of [['x', i], ['y', 100 - h], ['width', .9], ['height', h], ['fill', '#0969da']])\n"
	"      bar.setAttribute(k, v); title.textContent = new Date(1000 * (t.start + i * t.seconds)).toISOString() + ': ' + n; bar.append(title);\n"
	"    svg.append(bar); });\n"
	"  page.append(svg);\n"
	"}\n"
	"for (const p of data.places) if (p.least) p.first += ' (count: at least)';\n"
	"table('Suggested settings', ['setting', 'text'], data.settings);\n"
	"table('Places', ['workflow', 'rule', 'where', 'action', 'enforce', 'strict', 'count', 'first', 'last', 'origin', 'phase', 'instead'], data.places);\n"
	"table('Modules of workflows', ['module', 'count', 'milliseconds', 'slowest'], data.images);\n"
	"table('Also said', ['event', 'subject', 'count', 'first', 'last', 'text'], data.others);\n"
	"table('Processes', ['pid', 'mode', 'version', 'python', 'engine', 'sdk', 'started'], data.processes);\n"
	"</script></body></html>\n";

void sg_report_write_html(FILE *file, const struct sg_report *report)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return;
	sg_report_write_json(stream, report);
	if (fclose(stream) == 0) {
		fputs(page_start, file);
		/* Nothing in it may end the element. */
		for (const char *byte = text; *byte; byte++)
			if (*byte == '<')
				fputs("\\u003c", file);
			else
				fputc(*byte, file);
		fputs(page_end, file);
	}
	free(text);
}
