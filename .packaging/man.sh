#!/bin/sh
# The manual page of the command, from what it says of itself.
#
#     .packaging/man.sh COMMAND DATE
set -eu

roff() { sed 's/\\/\\\\/g; s/-/\\-/g; s/^\([.'"'"']\)/\\\&\1/'; }

section() { # NAME ARGUMENT...
	printf '.SH %s\n.nf\n' "$1"
	shift
	"$command" "$@" | roff
	echo '.fi'
}

command=$(realpath "$1")
printf '.TH SANDGLASS 1 %s "%s"\n' "$2" "$("$command" --version)"
printf '.SH NAME\nsandglass \\- keeps Python workflow code deterministic\n'
section SYNOPSIS help
for name in $("$command" help | sed -n 's/^  \([a-z]*\)  *.*  .*/\1/p' | grep -v help); do
	section "$(echo "$name" | tr a-z A-Z)" "$name" --help
done
