#!/bin/sh
# Writes hooks/COVERAGE.md from the rows: sh hooks/coverage.sh >hooks/COVERAGE.md (make coverage-table)
set -eu
cd "$(dirname "$0")/.."
rows=$(${CC:-cc} -E -P -DSG_ROW_TABLE hooks/rows.h)

cat <<'TEXT'
# Which entries of the C library Sandglass sees

Written by `make coverage-table` from the rows in `hooks/*/rows.h`; a test compares it with them, with what the object
exports, and with the names that the C library at hand has.

An interposed entry costs one thread-local load and a branch while no workflow runs. In a workflow, the object that
called is looked up: the interpreter and its own modules pass, other compiled code is judged by family (`[native]` in
`config/native.conf`). `exec` and `spawn` entries also choose the environment of the new program. `signal` entries judge
nobody: hardened mode keeps what they set beneath its own handlers.

## Interposed

| family | entries |
|---|---|
TEXT
printf '%s\n' "$rows" | awk '$1 == "hook" { names[$2] = names[$2] (names[$2] ? ", " : "") "`" $3 "`"; if (!seen[$2]++) order[++n] = $2 }
	END { for (i = 1; i <= n; i++) print "| " order[i] " | " names[order[i]] " |" }'
cat <<'TEXT'

## Left alone, and why

| entries | why |
|---|---|
TEXT
printf '%s\n' "$rows" | awk '$1 == "nohook" {
		name = $2; why = $0
		sub(/^nohook [^ ]* "/, "", why); sub(/"$/, "", why); gsub(/" "/, "", why)
		base = why
		if (match(why, /^as [a-zA-Z0-9_]+$/) && (substr(why, 4) in group)) key = group[substr(why, 4)]
		else key = name
		group[name] = key
		if (key == name) { order[++n] = name; reason[name] = why }
		names[key] = names[key] (names[key] ? ", " : "") "`" name "`"
	}
	END { for (i = 1; i <= n; i++) print "| " names[order[i]] " | " reason[order[i]] " |" }'
