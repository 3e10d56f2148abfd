#!/usr/bin/env bash
# Floors: no file calls one on a higher floor, and none stands in a circle, by what `nm` says of build/obj. Names of the files
# and functions are printed where that is not so. Nor does one call the C library by a name that the object exports: it would
# reach its own hook. "make layers" runs it, and so does "make test".
set -euo pipefail
cd "$(dirname "$0")/.."

floors="config shim/base shim/interpreter shim/run shim/import shim/guard shim/native shim/shared shim/state shim/life hooks hooks/engines"

objects=() # of files that are there: build/ may hold older ones
for source in config/*.c shim/*/*.c hooks/*/*.c hooks/engines/*/*.c; do objects+=("build/obj/${source%.c}.o"); done

# The core and the families name no engine, none of its packages and none of its calls: these stand in the engine's folder.
words=$(sed -n 's/^\[engine \(.*\)\]$/\1/p; s/^packages = //p; s/^[a-z0-9_]* = \([^ ]*\)()$/\1/p' hooks/engines/*/*.conf | tr ',' '\n' | tr -d ' ' | sort -u | paste -sd '|')
if found=$(grep -rniE "($words)([^a-z]|\$)" shim config hooks --exclude-dir=engines); then
	echo "$found"
	echo "an engine is named outside of hooks/engines"
	exit 1
fi

own=$(nm -A --undefined-only "${objects[@]}" | awk '
	NR == FNR { exported[$NF] = 1; next }
	$NF in exported { sub("^build/obj/", "", $1); sub("[.]o:.*", ".c", $1); print $1 " calls a hook of ours: " $NF }
	' <(nm -D --defined-only build/libsandglass.so | sed 's/@.*//') -)
[[ -z $own ]] || { echo "$own"; exit 1; }

# Versions and offsets of CPython stand in one folder; the command tells people which ones are served.
if grep -rnE 'sg_cpython\.(major|minor)|interpreter/layout\.h|version_info|hexversion|Py_GetVersion|0x03[01][0-9a-f]' \
	--include='*.[ch]' shim hooks config | grep -vE '^(shim/interpreter|config/command)/'; then
	echo "these know a version of CPython, or its layout: a question to shim/interpreter is wanted"
	exit 1
fi

nm -A "${objects[@]}" | awk -v floors="$floors" '
	BEGIN { n = split(floors, names, " "); for (i = 1; i <= n; i++) floor[names[i]] = i }
	{
		split($1, part, ":"); file = part[1]; sub("^build/obj/", "", file); sub("[.]o$", ".c", file)
		kind = $(NF - 1); name = $NF; folder = file; sub("/[^/]*$", "", folder)
		if (folder ~ /^hooks\/engines\//) folder = "hooks/engines"
		else if (folder ~ /^hooks\//) folder = "hooks" # families stand side by side, and so do engines
		if (!(folder in floor)) { print folder ": not among the floors"; bad = 1; next }
		files[file] = floor[folder]
		if (name !~ /^sg_/) next
		if (kind == "U") uses[file, name] = 1
		else if (kind ~ /^[TDBRVWC]$/) home[name] = file
	}
	END {
		for (pair in uses) {
			split(pair, p, SUBSEP); to = home[p[2]]
			if (to == "" || to == p[1]) continue
			if (files[to] > files[p[1]]) { print p[1] " calls up: " p[2] " of " to; bad = 1 }
			needs[p[1], to] = p[2]
		}
		# What needs nothing that is left can be taken away; what is left at the end stands in circles or above one.
		do {
			gone = 0
			delete open
			for (pair in needs) { split(pair, p, SUBSEP); open[p[1]] = 1 }
			for (pair in needs) { split(pair, p, SUBSEP); if (!(p[2] in open)) { delete needs[pair]; gone = 1 } }
		} while (gone)
		for (pair in needs) { split(pair, p, SUBSEP); print "circle: " p[1] " -> " p[2] " (" needs[pair] ")"; bad = 1 }
		if (!bad) print length(files) " files, " n " floors: no call upwards, no circle"
		exit bad
	}'
