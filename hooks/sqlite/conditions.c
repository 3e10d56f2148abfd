/*
 * conditions.c - SQL that draws random numbers or reads the clock inside the library. The rules are in rules.conf.
 *
 * random() takes its numbers from a generator in SQLite's own memory, seeded once for the process, so after the first draw
 * no call to the C library is to be seen; and where SQLite is linked into the interpreter, neither is a reading of
 * the clock. So the statement itself is looked at. That is complete for what a workflow can reach: every view, trigger
 * and default value of a database in memory came in through such a statement, and a database in a file is
 * refused when it is opened.
 */
#include "shim/guard/family.h"
#include "shim/interpreter/cpython.h"

#include <string.h>
#include <strings.h>

/* One word of SQL at a time; what is quoted or a comment is passed over. */
struct scanner {
	const char *next;
	const char *word;
	size_t length;
	char kind; /* 'w' a word, '\'' a string, or the character itself; 0: the end */
};

static const char *behind(const char *text, const char *end)
{
	const char *found = strstr(text, end);

	return found ? found + strlen(end) : text + strlen(text);
}

static const char *skip_blank(const char *text)
{
	for (;;) {
		text += strspn(text, " \t\r\n\f\v");
		if (text[0] == '-' && text[1] == '-')
			text = behind(text, "\n");
		else if (text[0] == '/' && text[1] == '*')
			text = behind(text + 2, "*/");
		else
			return text;
	}
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
	       c == '$' || (unsigned char)c >= 0x80;
}

static void scan(struct scanner *scanner)
{
	const char *text = skip_blank(scanner->next), *end = text;
	char quote = *text == '[' ? ']' : *text;

	scanner->word = text;
	scanner->kind = *text;
	if (is_word(*text)) {
		while (is_word(*end))
			end++;
		scanner->kind = 'w';
	} else if (*text == '\'' || *text == '"' || *text == '`' || *text == '[') {
		/* A doubled quote reads as two strings in a row, which changes nothing here. */
		scanner->word++;
		for (end++; *end && *end != quote; end++)
			;
		scanner->length = (size_t)(end - scanner->word);
		scanner->next = *end ? end + 1 : end;
		return;
	} else if (*text) {
		end++;
	}
	scanner->length = (size_t)(end - text);
	scanner->next = end;
}

static bool is_one_of(const struct scanner *scanner, const char *const *names)
{
	for (; *names; names++)
		if (strlen(*names) == scanner->length && strncasecmp(*names, scanner->word, scanner->length) == 0)
			return true;
	return false;
}

static const char *found_in(const char *sql)
{
	static const char *const generators[] = {"random", "randomblob", NULL};
	static const char *const clocks[] = {"current_time", "current_date", "current_timestamp", NULL};
	static const char *const now[] = {"now", NULL};
	static const char *const dates[] = {
		"date", "time", "datetime", "julianday", "unixepoch", "strftime", "timediff", NULL
	};
	struct scanner scanner = {.next = sql};
	bool reads_dates = false, names_now = false;

	for (scan(&scanner); scanner.kind; scan(&scanner)) {
		bool call = *skip_blank(scanner.next) == '(';

		if (scanner.kind == '\'') {
			names_now |= is_one_of(&scanner, now);
			continue;
		}
		/* A name in double quotes may be a function's too. */
		if (call && is_one_of(&scanner, generators))
			return "sqlite3 random()";
		if (scanner.kind != 'w')
			continue;
		if (is_one_of(&scanner, clocks))
			return "sqlite3 CURRENT_TIMESTAMP";
		if (call && is_one_of(&scanner, dates)) {
			const char *argument = skip_blank(skip_blank(scanner.next) + 1);

			reads_dates = true;
			names_now |= *argument == ')'; /* none: now */
		}
	}
	return reads_dates && names_now ? "sqlite3 datetime('now')" : NULL;
}

static bool nondeterministic_sql(struct sg_call *call, int argument)
{
	PyObject *sql = sg_call_argument(call, argument, NULL);
	const char *found;

	if (!sql || !sg_cpython_is_text(sql))
		return false;
	found = found_in(sg_python_text(sql));
	call->watched = true; /* files, and a clock asked for by a parameter */
	if (found)
		call->name = found;
	return found != NULL;
}

/* Not one in memory, nor the one of no name that goes when it is closed. */
static bool is_in_a_file(struct sg_call *call, int argument)
{
	PyObject *database = sg_call_argument(call, argument, "database");
	const char *name;

	if (!database || !sg_cpython_is_text(database))
		return database != NULL;
	name = sg_python_text(database);
	return *name && strcmp(name, ":memory:") != 0 && strncmp(name, "file::memory:", strlen("file::memory:")) != 0 &&
		!(strncmp(name, "file:", strlen("file:")) == 0 && strstr(name, "mode=memory"));
}

static const struct sg_condition_entry conditions[] = {
	{"nondeterministic-sql", nondeterministic_sql}, {"in-a-file", is_in_a_file}, {NULL, NULL}
};

SG_FAMILY(sqlite_family) = {.name = "sqlite", .conditions = conditions};
