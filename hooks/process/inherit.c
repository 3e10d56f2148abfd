/*
 * Rules of this file, because it runs between vfork and exec in other people's processes:
 * 1. After sg_inherit_configure() nothing is written but the stack and the caller's memory.
 * 2. System calls through raw.h only, so that errno stays as it was and no hook is met.
 * 3. What cannot be found out is answered from the name alone; exec itself will report what is
 *    wrong.
 */
#define _GNU_SOURCE 1
#include "hooks/process/inherit.h"

#include "shim/base/raw.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hooks/poison.h"

extern const char __ehdr_start[] __attribute__((visibility("hidden"))); /* of this object, by the linker */

#define PRELOAD "LD_PRELOAD="
#define PRELOAD_SEPARATORS " :"

#define ENTRIES_MAX 8192
#define PRELOAD_MAX 16384

/* Of a program: its ELF header, the table behind it and the name of its loader lie in there as linkers write them. */
#define HEAD_SIZE 4096

/* As many interpreters of interpreters as the kernel follows. */
#define SCRIPT_DEPTH 5

static struct {
	bool configured;
	enum sg_inherit inherit;
	bool identified;            /* device and inode are known */
	dev_t device;
	ino_t inode;
	char path[PATH_MAX];        /* as it was loaded */
	char spellings[PATH_MAX];   /* entries of LD_PRELOAD that are us, each ended by NUL */
	size_t spellings_size;
} own;

bool sg_inherit_by_shell(void)
{
	return !own.configured || own.inherit == SG_INHERIT_ALL;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static const char *environment_value(const char *name)
{
	size_t length = strlen(name);

	for (char **entry = environ; entry && *entry; entry++) {
		if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
			return *entry + length + 1;
	}
	return NULL;
}

static bool file_status(int directory, const char *path, struct stat *ret_status)
{
	return sg_raw_syscall(SYS_newfstatat, directory, (long)path, (long)ret_status, 0) == 0;
}

/* ---- which entry of LD_PRELOAD is us ---- */

static bool is_noted_spelling(const char *object, size_t length)
{
	for (size_t at = 0; at < own.spellings_size; at += strlen(own.spellings + at) + 1) {
		if (strlen(own.spellings + at) == length &&
				memcmp(own.spellings + at, object, length) == 0)
			return true;
	}
	return strlen(own.path) == length && memcmp(own.path, object, length) == 0;
}

static bool is_own_object(const char *object, size_t length)
{
	char path[PATH_MAX];
	struct stat status;

	if (is_noted_spelling(object, length))
		return true;
	if (length >= sizeof(path))
		return false;
	memcpy(path, object, length);
	path[length] = '\0';
	/* Another way to write a path to the same file. */
	if (own.identified && strchr(path, '/') && file_status(AT_FDCWD, path, &status))
		return status.st_dev == own.device && status.st_ino == own.inode;
	/* The loader searches for a bare name, and expands $ORIGIN or $LIB: the name must do. */
	return (!strchr(path, '/') || strchr(path, '$')) &&
			strcmp(base_name(path), base_name(own.path)) == 0;
}

void sg_inherit_configure(enum sg_inherit inherit, const char *own_path)
{
	const char *preload = environment_value("LD_PRELOAD");
	struct stat status;

	memset(&own, 0, sizeof(own));
	own.configured = true;
	own.inherit = inherit;
	if (strlen(own_path) < sizeof(own.path))
		strcpy(own.path, own_path);
	own.identified = file_status(AT_FDCWD, own_path, &status);
	if (own.identified) {
		own.device = status.st_dev;
		own.inode = status.st_ino;
	}
	/* Noted now: a relative spelling means nothing any more once the directory has changed. */
	while (preload && *preload) {
		size_t length = strcspn(preload, PRELOAD_SEPARATORS);

		if (length && is_own_object(preload, length) &&
				!is_noted_spelling(preload, length) &&
				own.spellings_size + length < sizeof(own.spellings)) {
			memcpy(own.spellings + own.spellings_size, preload, length);
			own.spellings_size += length + 1;
		}
		preload += length;
		preload += strspn(preload, PRELOAD_SEPARATORS);
	}
}

/* ---- is it Python ---- */

/* python, python3, python3.11, python3.13t, python3.12d, python3-dbg; not python3-config. */
static bool is_python_name(const char *name)
{
	if (strncmp(name, "python", 6) != 0)
		return false;
	name += 6;
	name += strspn(name, "0123456789.");
	name += strspn(name, "tdmu");
	return *name == '\0' || strcmp(name, "-dbg") == 0;
}

static bool is_executable(int directory, const char *path)
{
	struct stat status;

	return file_status(directory, path, &status) && S_ISREG(status.st_mode) &&
			sg_raw_syscall(SYS_faccessat, directory, (long)path, X_OK, 0) == 0;
}

/*
 * Where the program is found, as execvp would: the first file in PATH that can be executed. Returns
 * a path, which may be buffer, or NULL.
 */
static const char *program_find(const struct sg_program *program, char buffer[PATH_MAX])
{
	size_t file_length = strlen(program->path);
	const char *directories, *end;

	if (!program->search || strchr(program->path, '/'))
		return program->path;
	directories = environment_value("PATH");
	if (!directories)
		directories = "/bin:/usr/bin";
	for (;; directories = end + 1) {
		size_t length;

		end = strchrnul(directories, ':');
		length = (size_t)(end - directories);
		if (length + 1 + file_length < PATH_MAX) {
			memcpy(buffer, directories, length);
			/* An empty entry is the current directory. */
			if (length)
				buffer[length++] = '/';
			memcpy(buffer + length, program->path, file_length + 1);
			if (is_executable(AT_FDCWD, buffer))
				return buffer;
		}
		if (!*end)
			return NULL;
	}
}

void sg_inherit_descriptor_path(int descriptor, char path[SG_DESCRIPTOR_PATH_SIZE])
{
	static const char prefix[] = "/proc/self/fd/";
	unsigned int rest = (unsigned int)descriptor;
	char digits[10];
	size_t count = 0;

	memcpy(path, prefix, strlen(prefix));
	path += strlen(prefix);
	do
		digits[count++] = (char)('0' + rest % 10);
	while (rest /= 10);
	while (count)
		*path++ = digits[--count];
	*path = '\0';
}

/* Writes the path of the file behind all links to buffer; empty when it cannot be known. */
static void real_path(int descriptor, char buffer[PATH_MAX])
{
	char link[SG_DESCRIPTOR_PATH_SIZE];
	long length;

	sg_inherit_descriptor_path(descriptor, link);
	length = sg_raw_syscall(SYS_readlinkat, AT_FDCWD, (long)link, (long)buffer, PATH_MAX - 1);
	buffer[length > 0 ? length : 0] = '\0';
}

/* Cuts the next word out of *text and moves on. NULL at the end. */
static char *next_word(char **text)
{
	char *word = *text + strspn(*text, " \t");

	if (!*word)
		return NULL;
	*text = word + strcspn(word, " \t");
	if (**text)
		*(*text)++ = '\0';
	return word;
}

/* "env [-S] [options] [NAME=value ...] program": returns the program, NULL when there is none. */
static char *env_program(char *text)
{
	char *word;

	while ((word = next_word(&text))) {
		if (strncmp(word, "-S", 2) == 0 && word[2])
			return word + 2;
		if (strcmp(word, "-u") == 0 || strcmp(word, "-C") == 0)
			next_word(&text);
		else if (word[0] != '-' && !strchr(word, '='))
			return word;
	}
	return NULL;
}

/*
 * The program that the kernel runs for a script that begins with head (which is cut up). False: it
 * is not a script. *ret_python: it is known to be Python already.
 */
static bool script_program(char *head, struct sg_program *ret_program, bool *ret_python)
{
	char *line_end = strchrnul(head, '\n');
	/* Docstring to Python, command to sh: installers' way round a path too long for #!. */
	bool is_launcher = strncmp(line_end, "\n'''exec' ", 10) == 0;
	char *text = head + 2;
	char *word;

	if (strncmp(head, "#!", 2) != 0)
		return false;
	*line_end = '\0';
	word = next_word(&text);
	*ret_python = is_launcher && word && strcmp(base_name(word), "sh") == 0;
	ret_program->search = false;
	if (word && strcmp(base_name(word), "env") == 0) {
		word = env_program(text);
		ret_program->search = true;
	}
	ret_program->directory = AT_FDCWD;
	ret_program->path = word;
	return word != NULL;
}

/*
 * Reads the beginning of the file (NUL-terminated) and its real path. False: it cannot be read.
 * Plain files only: opening anything else might have an effect.
 */
static bool program_read(int directory, const char *path, char *head, size_t size,
		char real[PATH_MAX], size_t *ret_length)
{
	struct stat status;
	long descriptor, length;

	if (!file_status(directory, path, &status) || !S_ISREG(status.st_mode))
		return false;
	descriptor = sg_raw_syscall(SYS_openat, directory, (long)path,
			O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
	if (descriptor < 0)
		return false;
	length = sg_raw_syscall(SYS_read, descriptor, (long)head, (long)size - 1, 0);
	*ret_length = length > 0 ? (size_t)length : 0;
	head[*ret_length] = '\0';
	real_path((int)descriptor, real);
	sg_raw_syscall(SYS_close, descriptor, 0, 0, 0);
	return true;
}

bool sg_inherit_is_python(const struct sg_program *program)
{
	struct sg_program current = *program;
	char head[512];
	char buffer[PATH_MAX];

	for (int depth = 0; depth < SCRIPT_DEPTH; depth++) {
		/* Asked first: path may point into head, which is about to be read again. */
		bool named = is_python_name(base_name(current.path));
		const char *found = program_find(&current, buffer);
		bool is_python;
		size_t length;

		/* The real path may be put where found was: it is not needed after that. */
		if (!found || !program_read(current.directory, found, head, sizeof(head), buffer, &length))
			return named;
		/* PyPy calls itself python in a virtual environment. */
		if (strncmp(base_name(buffer), "pypy", 4) == 0)
			return false;
		if (named || is_python_name(base_name(buffer)))
			return true;
		if (!script_program(head, &current, &is_python))
			return false;
		if (is_python)
			return true;
	}
	return false;
}

/* ---- can the loader of that program load us ---- */

/* Loaders of other C libraries: they would stop the program over what they do not find in theirs. */
static bool is_other_loader(const char *path)
{
	static const char *const names[] = {"ld-musl", "ld-uClibc", "linker"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(base_name(path), names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* Is what begins with head a program for another processor, word size or C library? What is no ELF file is not. */
static bool is_foreign_elf(const char *head, size_t size)
{
	const ElfW(Ehdr) *header = (const void *)head, *ours = (const void *)&__ehdr_start;
	const ElfW(Phdr) *segment;

	if (size < sizeof(*header) || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
		return false;
	if (header->e_ident[EI_CLASS] != ours->e_ident[EI_CLASS] || header->e_ident[EI_DATA] != ours->e_ident[EI_DATA] ||
	    header->e_machine != ours->e_machine)
		return true;
	for (unsigned int i = 0; i < header->e_phnum; i++) {
		if (header->e_phoff + (i + 1) * sizeof(*segment) > size)
			return false;
		segment = (const ElfW(Phdr) *)(head + header->e_phoff) + i;
		if (segment->p_type == PT_INTERP)
			return segment->p_offset < size && segment->p_filesz < size - segment->p_offset &&
				segment->p_filesz && !head[segment->p_offset + segment->p_filesz - 1] &&
				is_other_loader(head + segment->p_offset);
	}
	return false; /* static: it does not look at LD_PRELOAD, and hands it on */
}

bool sg_inherit_is_foreign(const struct sg_program *program)
{
	struct sg_program current = *program;
	_Alignas(ElfW(Ehdr)) char head[HEAD_SIZE];
	char buffer[PATH_MAX];

	for (int depth = 0; depth < SCRIPT_DEPTH; depth++) {
		const char *found = program_find(&current, buffer);
		size_t length;
		char *text = head + 2;

		if (!found || !program_read(current.directory, found, head, sizeof(head), buffer, &length))
			return false;
		if (strncmp(head, "#!", 2) != 0)
			return is_foreign_elf(head, length);
		/* The kernel runs the first word, whatever that one runs in turn. */
		*strchrnul(head, '\n') = '\0';
		current = (struct sg_program){AT_FDCWD, next_word(&text), false};
		if (!current.path)
			return false;
	}
	return false;
}

/* ---- the environment ---- */

static bool is_preload(const char *entry)
{
	return strncmp(entry, PRELOAD, strlen(PRELOAD)) == 0;
}

bool sg_inherit_affects(const char *entry)
{
	const char *object;
	size_t length;

	if (strncmp(entry, "SANDGLASS", 9) == 0)
		return entry[9] == '=' || entry[9] == '_';
	if (!is_preload(entry) || strlen(entry) >= PRELOAD_MAX)
		return false;
	for (object = entry + strlen(PRELOAD); *object; object += length) {
		object += strspn(object, PRELOAD_SEPARATORS);
		length = strcspn(object, PRELOAD_SEPARATORS);
		if (length && is_own_object(object, length))
			return true;
	}
	return false;
}

bool sg_inherit_rest(const char *entry, char *text)
{
	const char *object;
	size_t length;
	char *end = text;

	if (!is_preload(entry))
		return false;
	for (object = entry + strlen(PRELOAD); *object; object += length) {
		object += strspn(object, PRELOAD_SEPARATORS);
		length = strcspn(object, PRELOAD_SEPARATORS);
		if (!length || is_own_object(object, length))
			continue;
		if (end == text) {
			memcpy(text, PRELOAD, strlen(PRELOAD));
			end += strlen(PRELOAD);
		} else {
			*end++ = ':';
		}
		memcpy(end, object, length);
		end += length;
	}
	*end = '\0';
	return end != text;
}

bool sg_inherit_plan(const struct sg_program *program, char *const environment[],
		struct sg_inherit_plan *ret_plan)
{
	struct sg_inherit_plan plan = { 0, sizeof(char *) };
	bool affected = false;

	if (!environment)
		return false;
	for (; environment[plan.count]; plan.count++) {
		const char *entry = environment[plan.count];

		if (plan.count == ENTRIES_MAX)
			return false;
		plan.size += sizeof(char *);
		if (!sg_inherit_affects(entry))
			continue;
		affected = true;
		if (is_preload(entry))
			plan.size += strlen(entry) + 1;
	}
	/* The environment first: it is cheaper to look at than the file system. */
	if (!affected)
		return false;
	if (!sg_inherit_is_foreign(program) && (own.inherit == SG_INHERIT_ALL ||
			(own.inherit == SG_INHERIT_PYTHON && sg_inherit_is_python(program))))
		return false;
	*ret_plan = plan;
	return true;
}

char **sg_inherit_copy(const struct sg_inherit_plan *plan, void *memory, char *const environment[])
{
	char **copy = memory;
	char *text = (char *)(copy + plan->count + 1);
	const char *end = (const char *)memory + plan->size;
	size_t count = 0;

	/* Another thread may change the environment meanwhile: not at the risk of our stack. */
	for (size_t i = 0; i < plan->count && environment[i]; i++) {
		char *entry = environment[i];

		if (sg_inherit_affects(entry)) {
			if (!is_preload(entry) || strlen(entry) >= (size_t)(end - text) ||
					!sg_inherit_rest(entry, text))
				continue;
			entry = text;
			text += strlen(text) + 1;
		}
		copy[count++] = entry;
	}
	copy[count] = NULL;
	return copy;
}
