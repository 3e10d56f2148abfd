#!/usr/bin/env bash
# Floors: no file calls one on a higher floor, and none stands in a circle, by what `nm` says of build/obj. Names of the files
# and functions are printed where that is not so. "make layers" runs it, and so does "make test".
set -euo pipefail
cd "$(dirname "$0")/.."

floors="config shim/base shim/interpreter shim/run shim/import shim/guard shim/native shim/shared shim/state shim/life hooks hooks/engines"

objects=() # of files that are there: build/ may hold older ones
for source in config/*.c shim/*/*.c hooks/*.c hooks/engines/*.c; do objects+=("build/obj/${source%.c}.o"); done

nm -A "${objects[@]}" | awk -v floors="$floors" '
	BEGIN { n = split(floors, names, " "); for (i = 1; i <= n; i++) floor[names[i]] = i }
	{
		split($1, part, ":"); file = part[1]; sub("^build/obj/", "", file); sub("[.]o$", ".c", file)
		kind = $(NF - 1); name = $NF; folder = file; sub("/[^/]*$", "", folder)
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
