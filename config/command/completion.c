#define _GNU_SOURCE 1

#include "config/command/command.h"
#include "config/command/options.h"
#include "config/command/text.h"

#include <stdio.h>
#include <string.h>

static const char usage_text[] =
	"usage: sandglass completion bash|zsh|fish\n"
	"A script that completes sub-commands, options and files: source <(sandglass completion bash)\n"
	"It asks the command itself, so it knows what that version knows. Exit status: 0, 2 wrong usage.\n";

/* Words are taken from the texts of help and --help: lines that begin with two blanks, and their first word. */
static const char *const scripts[] = {
	"_sandglass() {\n"
	"\tlocal word=${COMP_WORDS[COMP_CWORD]}\n"
	"\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
	"\t\tCOMPREPLY=($(compgen -W \"$(sandglass help | sed -n 's/^  \\([a-z]*\\).*/\\1/p')\" -- \"$word\"))\n"
	"\telif [[ $word == -* ]]; then\n"
	"\t\tCOMPREPLY=($(compgen -W \"--help $(sandglass \"${COMP_WORDS[1]}\" --help 2>/dev/null | grep -oE '^  --?[a-z-]+')\" -- \"$word\"))\n"
	"\telse\n"
	"\t\tCOMPREPLY=($(compgen -f -- \"$word\"))\n"
	"\tfi\n"
	"}\n"
	"complete -o filenames -F _sandglass sandglass\n",

	"#compdef sandglass\n"
	"_sandglass() {\n"
	"\tif (( CURRENT == 2 )); then\n"
	"\t\tcompadd -- ${(f)\"$(sandglass help | sed -n 's/^  \\([a-z]*\\).*/\\1/p')\"}\n"
	"\telif [[ $words[CURRENT] == -* ]]; then\n"
	"\t\tcompadd -- --help ${(f)\"$(sandglass $words[2] --help 2>/dev/null | sed -n 's/^  \\(--*[a-z-]*\\).*/\\1/p')\"}\n"
	"\telse\n"
	"\t\t_files\n"
	"\tfi\n"
	"}\n"
	"compdef _sandglass sandglass\n",

	"complete -c sandglass -n __fish_use_subcommand -f -a \"(sandglass help | sed -n 's/^  \\([a-z]*\\).*/\\1/p')\"\n"
	"complete -c sandglass -n 'not __fish_use_subcommand; and string match -q -- \"-*\" (commandline -ct)' -f "
	"-a \"(sandglass (commandline -opc)[2] --help 2>/dev/null | sed -n 's/^  \\(--*[a-z-]*\\).*/\\1/p') --help\"\n",
};

int sg_command_completion(int count, char **arguments)
{
	static const char *const shells[] = {"bash", "zsh", "fish", NULL};
	const struct sg_option options[] = {{0}};
	const struct sg_usage usage = {"completion", usage_text, options, "bash, zsh or fish", false};
	int status, left = sg_options_take(&usage, count, arguments, &status), shell;

	if (left < 0)
		return status;
	shell = left == 1 ? sg_options_choose("completion", "shell", arguments[0], shells) : -1;
	if (left != 1)
		sg_complain("completion", "accepted: %s", usage.arguments);
	if (shell < 0)
		return SG_EXIT_TROUBLE;
	return fputs(scripts[shell], stdout) < 0 || fflush(stdout) ? SG_EXIT_TROUBLE : SG_EXIT_OK;
}
