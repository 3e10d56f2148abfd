#!/bin/sh
# Names of a C library that need a row in hooks/*/rows.h and have none, one a line.
#
#     sh tests/preload/sweep.sh ROWS [LIBC]
#
# ROWS: what cc -E -P -DSG_ROW_LIST hooks/rows.h wrote. The patterns are in names.txt. What glibc's own libraries
# alone may use (GLIBC_PRIVATE) is left out.
set -eu
libc=${2:-$(ldd /bin/sh | awk '$1 ~ /^libc\.so/ { print $3 }')}
nm -D --defined-only "$libc" | awk '$2 ~ /[TtWwiVvDBRu]/ && $3 !~ /@GLIBC_PRIVATE$/ { sub(/@.*/, "", $3); print $3 }' |
	sort -u | awk -v rows="$1" -v patterns="$(dirname "$0")/names.txt" '
	BEGIN {
		while ((getline line < rows) > 0) { split(line, word, " "); known[word[2]] = 1 }
		while ((getline line < patterns) > 0)
			if (line !~ /^(#|$)/) pattern[++count] = "^(" line ")$"
	}
	!($1 in known) { for (i = 1; i <= count; i++) if ($1 ~ pattern[i]) { print; next } }'
