#!/usr/bin/env bash
# Runs the tests, the demo or the benchmarks on what `make` has built.
#
#   tests/run.sh                            every layer, and a table at the end
#   tests/run.sh LAYER                      one of: unit fuzz command preload engine layout workers durabletask libraries sdk
#                                           differential dist aarch64 forky bullseye, whole, on every Python found
#   tests/run.sh workers PYTEST_ARGUMENT... for example tests/workers/test_x.py::test_y
#   tests/run.sh libraries [ARGUMENT...]    installed libraries in workflows
#   tests/run.sh catalogue [LIBRARY...]     the libraries of tests/libraries/catalogue.py, each with its row of a table; NEWEST=1: as
#                                           they are today, in place of the versions of tests/libraries/requirements.txt
#   tests/run.sh durabletask [ARGUMENT...]  the engines of hooks/engines/durabletask, which need no server
#   tests/run.sh sdk [ARGUMENT...]          worker tests with older SDKs, all of tests/sdk
#   tests/run.sh demo | bench | mutants | soak [ARGUMENT...]
#   tests/run.sh sdk-matrix [VERSION...]    the same with every minor version that PyPI has from 1.8 on, or with these
#   BUILD=build/asan tests/run.sh instrumented    what `make asan` and `make coverage` run, on the newest Python
#
# What "every layer" (make test) runs where; CORE=none (make test-all) has all of it on every Python:
#   unit, fuzz, command    once; the fuzzer for ten seconds, after which `make fuzz` goes on
#   dist                   once, and short: what is made is installed, not made a second time
#   preload, engine, layout,
#   differential           on every Python; all but the last with low priority beside the workers; layout makes
#                          each number larger and smaller on the newest Python, and larger only on the others, one of each 3.x
#   workers                whole on the newest Python. Each other 3.x has a quarter, neighbours different ones, of the core: what
#                          depends on how CPython keeps its objects and runs code (verdicts, images, state, ends of runs, native
#                          code, debuggers), with strict's verdicts alone; left out is what is about processes, settings,
#                          messages, and the C library and the kernel beneath. A second Python of the same 3.x has the tests of
#                          a worker from start to end.
#   durabletask, libraries on the newest Python
#   soak                   on the newest Python, and short
#   sdk                    with the oldest SDK
#   aarch64                on Debian's Python, by an emulator
#   bullseye               not, as it takes many minutes
#
# PYTHON=PATH_OR_VERSION: only that Python. JOBS: suites at a time, default one for two processors, as each starts several
# workers; and random programs at a time, default one for each processor.
# Where the output of each suite goes: build/test/. Exit status 0 when nothing failed, or what did passed once more, alone.
set -uo pipefail
cd "$(dirname "$0")/.."

build=${BUILD:-build}
object=$PWD/$build/libsandglass.so
results=$build/test
wanted=${PYTHON:-}
core_for=${CORE:-$([[ ${1:-all} == all ]] && echo older || echo none)} # Pythons: older (than the newest), none
elsewhere=${ELSEWHERE:-} # 3.x that another run of this has the core of, at least
extents=
jobs=${JOBS:-$((($(nproc) + 1) / 2))}

if [[ -t 1 && -z ${NO_COLOR:-} ]]; then red=$'\e[31m' green=$'\e[32m' bold=$'\e[1m' plain=$'\e[0m'; else red= green= bold= plain=; fi

die() { echo "run: $*" >&2; exit 1; }

# counts LOG: "PASSED FAILED SKIPPED" from the closing line of pytest, Check or the plain one; nothing if there is none.
counts() {
	sed 's/\x1b\[[0-9;]*m//g' "$1" | awk '
		function number(word,   m) { return match($0, "[0-9]+ " word) ? substr($0, RSTART) + 0 : 0 }
		/^[0-9]+%: Checks: [0-9]+, Failures: [0-9]+, Errors: [0-9]+$/ {
			gsub(",", ""); failed = $5 + $7; passed = $3 - failed; skipped = 0; found = 1; next
		}
		/^=*( )?([0-9]+ (passed|failed|skipped|errors?|xfailed|xpassed|warnings?|deselected)(, )?)+( in [0-9.]+s.*)?$/ {
			failed = number("failed") + number("error"); passed = number("passed"); skipped = number("skipped"); found = 1
		}
		END { if (found) print passed + 0, failed + 0, skipped + 0 }'
}

# suite LABEL LAYER REPEAT COMMAND...: runs it, writes one row of the table, shows what failed.
suite() {
	local label=$1 layer=$2 repeat=$3 status began=$SECONDS row
	shift 3
	local log=$results/$layer-$label.log
	"$@" >"$log" 2>&1 </dev/null
	status=$?
	row=$(counts "$log")
	# One that ends without a word of its own has not said that all is well, whatever its status.
	[[ -n $row ]] || row="0 1 0"
	# A suite that says all is well, yet exits with an error, has failed.
	[[ $status != 0 && $row == *" 0 "* ]] && row="${row%% *} 1 ${row##* }"
	echo "$label $layer $row $((SECONDS - began))" >"$results/$layer-$label.row"
	{
		read -r passed failed skipped <<<"$row"
		if [[ $failed != 0 ]]; then
			echo "${red}FAIL${plain} $layer $label: $failed failed (status $status). Output: $log"
			# pytest tells for each failing test how to run it again; the others name it.
			grep -E '^cd .* -m pytest ' "$log" | sort -u | sed 's/^/     /' >"$log.repeat"
			[[ -s $log.repeat ]] || grep -E '^(FAILED|ERROR|FAIL) |^[^ ]+:[0-9]+:[FE]:' "$log" | sed 's/^/     /' >"$log.repeat"
			[[ -s $log.repeat ]] || tail -n 15 "$log" | sed 's/^/     /' >"$log.repeat"
			head -n 25 "$log.repeat"
			grep -E '^E  ' "$log" | cut -c1-300 | head -n 25 | sed 's/^/     /'
			(($(wc -l <"$log.repeat") <= 25)) || echo "     ... all of them: $log.repeat"
			echo "     repeat: $repeat"
		else
			echo "${green}ok${plain}   $layer $label: $passed passed, $skipped skipped, $((SECONDS - began)) s"
		fi
	} | flock "$results" cat
}

# no_venv LABEL LAYER: the row of a suite whose Python could not be made ready.
no_venv() { echo "$1 $2 0 1 0 0" >"$results/$2-$1.row"; }

# slot: waits until another suite may begin, whatever runs beside.
beside=
slot() { while (($(jobs -rp | grep -vxc "${beside:-none}") >= jobs)); do wait -n; done; }

# What has no server to answer in time gives way to what has: a server takes back a task that a worker got no turn for.
low=(nice -n 10)

# in_order FUNCTION...: one suite at a time.
in_order() {
	local step
	jobs=1
	for step; do $step; done
	wait
}

unit() { # [NAME]: but for that one
	local program name
	for program in tests/unit/*.c; do
		[[ $program != "tests/unit/${1:-}.c" ]] || continue
		name=$(basename "$program" .c)
		suite "${name#test_}" unit "make unit && $build/unit/$name" "$build/unit/$name"
	done
	suite runner unit tests/runner.sh tests/runner.sh
}

fuzz() { suite files fuzz "make fuzz" "${low[@]}" "$build/fuzz/fuzz" 10 1 tests/fuzz/corpus; }

command_layer() { # once: most of it does not depend on the Python, which doctor and run are given
	local tag path
	read -r tag path <<<"$(PYTHON=$wanted tests/setup.sh pick)"
	slot
	if [[ -x $build/sandglass ]]; then
		suite "$tag" command "PYTHON=$path tests/run.sh command" env PYTHON="$path" sh tests/command/run.sh "$build/sandglass" &
	else
		suite "$tag" command make printf '%s\n' 'build/sandglass is not built: libelf-dev or libminizip-dev is missing' \
			'0 passed, 0 failed, 1 skipped'
	fi
}

each_python() { # FUNCTION: called with TAG PATH
	local tag path
	while read -r tag path <&3; do "$1" "$tag" "$path"; done 3< <(PYTHON=$wanted tests/setup.sh pythons)
}

newest() { # FUNCTION, as each_python
	local tag path
	read -r tag path <<<"$(PYTHON=$wanted tests/setup.sh pick)"
	"$1" "$tag" "$path"
}

preload_one() {
	slot
	suite "$1" preload "PYTHON=$2 tests/run.sh preload" "${low[@]}" env PYTHON="$2" sh tests/preload/run.sh "$object" &
}

# The core with an engine of the tests' own.
engine_one() {
	slot
	suite "$1" engine "PYTHON=$2 tests/run.sh engine" "${low[@]}" env PYTHON="$2" sh tests/engine/run.sh "$build/test-engine/libsandglass.so" &
}

# in_venv LABEL LAYER REPEAT VENV_ARGUMENTS -- PYTEST_ARGUMENT...: tests with real workers.
in_venv() {
	local label=$1 layer=$2 repeat=$3 python
	local -a venv=()
	shift 3
	while [[ $1 != -- ]]; do venv+=("$1") && shift; done
	shift
	python=$(tests/setup.sh venv "${venv[@]}") || { no_venv "$label" "$layer" && return; }
	slot
	suite "$label" "$layer" "$repeat" env -u PYTHON PATH="$PWD/build/tools/server/bin:$PATH" \
		SANDGLASS_OBJECT="$object" "$python" -m pytest --timeout 900 "$@" &
}

# Each number of the layout wrong, one at a time: what start notices.
layout_one() {
	local python
	[[ -z $extents || ! $extents =~ (^|$'\n')"$1 start_to_end" ]] || return 0
	[[ -e $build/layout/libsandglass.so ]] || die "$build/layout/libsandglass.so is not built, run make unit first"
	python=$(tests/setup.sh venv "$1" "$2") || { no_venv "$1" layout && return; }
	slot
	suite "$1" layout "PYTHON=$2 tests/run.sh layout" "${low[@]}" env -u PYTHON SHORT="$(is_short "$1")" JOBS=1 "$python" tests/layout/run.py \
		"$build/layout/libsandglass.so" &
}

# "1" for a Python that has not all, else nothing.
is_short() { [[ -z $extents || $extents =~ (^|$'\n')"$1 whole" ]] || echo 1; }

core=(tests/workers/test_{alone,debugger,ended_workers,eviction,held,images,main_worker,native,preparing,snippets,temporal,verdicts}.py
	-k 'not (test_snippets and enforce)')

start_to_end=(tests/workers/test_{main_worker,modes,temporal}.py)

# How much of them each Python has, as above: "TAG whole", "TAG core K/4" or "TAG start_to_end".
find_extents() {
	PYTHON=$wanted tests/setup.sh pythons | awk -v core="$core_for" -v elsewhere="$elsewhere" '
		{ tag[NR] = $1; split($1, part, "."); minor[NR] = part[1] "." part[2] }
		END {
			for (n = split(elsewhere, known, " "); n; n--) seen[known[n]] = 1
			for (i = 1; i <= NR; i++) if (core == "none" || (i == NR && !elsewhere)) { whole[i] = 1; seen[minor[i]] = 1 }
			for (i = 1; i <= NR; i++) print tag[i], whole[i] ? "whole" : seen[minor[i]]++ ? "start_to_end" : "core " substr(minor[i], 3) % 4 "/4"
		}'
}

workers_one() {
	local tag=$1 path=$2 extent share
	shift 2
	read -r extent share <<<"$(sed -n "s/^$tag //p" <<<"$extents")"
	if [[ $extent != whole ]]; then
		declare -n chosen=$extent
		set -- "${chosen[@]}" ${share:+--share "$share"}
		in_venv "$tag" workers "PYTHON=$path tests/run.sh workers ${*@Q}" "$tag" "$path" -- "$@"
		return
	fi
	in_venv "$tag" workers "PYTHON=$path tests/run.sh workers" "$tag" "$path" -- "${@:-tests/workers}"
}

libraries_one() {
	local tag=$1 path=$2
	shift 2
	in_venv "$tag" libraries "PYTHON=$path tests/run.sh libraries" "$tag" "$path" libraries tests/requirements.txt \
		tests/workers/libraries/requirements.txt -- "${@:-tests/workers/libraries}"
}

durabletask_one() {
	local tag=$1 path=$2
	shift 2
	in_venv "$tag" durabletask "PYTHON=$path tests/run.sh durabletask" "$tag" "$path" durabletask tests/durabletask/requirements.txt \
		-- "${@:-tests/durabletask}"
}

# sdk_one FILE: the worker tests with the SDK that the file names. 3.11 has wheels of all of them.
sdk_one() {
	local file=$1 version tag path
	version=$(basename "$file" .txt)
	read -r tag path <<<"$(PYTHON=${wanted:-3.11} tests/setup.sh pick)"
	if [[ -z $path ]]; then
		echo "sdk-$version sdk 0 0 1 0" >"$results/sdk-$version.row"
		return
	fi
	shift
	in_venv "sdk-$version" sdk "PYTHON=$path tests/run.sh sdk" "$tag" "$path" "sdk-$version" "$file" -- "${@:-${sdk_tests[@]}}"
}

workers() {
	local arguments=("$@")
	extents=$(find_extents)
	tests/setup.sh server >/dev/null || exit 1
	one() { workers_one "$1" "$2" ${arguments[@]+"${arguments[@]}"}; }
	each_python one
}

libraries() {
	local arguments=("$@") each=each_python
	[[ $core_for == none ]] || each=newest
	tests/setup.sh server >/dev/null || exit 1
	one() { libraries_one "$1" "$2" ${arguments[@]+"${arguments[@]}"}; }
	$each one
}

durabletask() {
	local arguments=("$@") each=each_python
	[[ $core_for == none ]] || each=newest
	one() { durabletask_one "$1" "$2" ${arguments[@]+"${arguments[@]}"}; }
	$each one
}

sdk_tests=(tests/workers/test_temporal.py tests/workers/test_main_worker.py tests/workers/test_modes.py)
sdk() {
	local file
	tests/setup.sh server >/dev/null || exit 1
	while read -r file <&3; do
		sdk_one "$file" "$@"
		[[ $core_for == none ]] || break
	done 3< <(printf '%s\n' tests/sdk/*.txt | sort -V)
}

# Many runs through one worker, for a minute; `make soak` goes on.
soak() {
	local tag path python
	read -r tag path <<<"$(PYTHON=$wanted tests/setup.sh pick)"
	python=$(tests/setup.sh venv "$tag" "$path") && tests/setup.sh server >/dev/null || { no_venv "$tag" soak && return; }
	slot
	suite "$tag" soak "PYTHON=$path tests/run.sh soak" env -u PYTHON -u MINUTES -u RUNS SANDGLASS_OBJECT="$object" \
		"$python" -B tests/soak/soak.py &
}

# The newest patch of every minor version that there is now, each in an environment that is removed again.
sdk_matrix() { # [VERSION...]
	local tag path version file
	read -r tag path <<<"$(PYTHON=${wanted:-3.11} tests/setup.sh pick)"
	[[ -n $path ]] && tests/setup.sh server >/dev/null || exit 1
	if (($# == 0)); then
		# shellcheck disable=SC2046
		set -- $("$path" -m pip index versions temporalio 2>/dev/null | sed -n 's/^Available versions: //p' | tr -s ', ' '\n' | sort -V |
			awk -F. '$1 > 1 || $2 >= 8 { newest[$1 "." $2] = $0 } END { for (minor in newest) print newest[minor] }' | sort -V)
	fi
	(($#)) || die "pip finds no version of temporalio for $path"
	for version; do
		file=$results/matrix-$version.txt
		printf '%s\n' "temporalio==$version" "$(grep '^pytest' tests/requirements.txt)" >"$file"
		sdk_one "$file"
		wait
		rm -rf build/venv/{,.}"$tag-sdk-matrix-$version"{,.lock}
	done
}

# Random workflow packages, runs of them interleaved, each compared with the run alone: 300 of them, shared out among
# the Pythons, the same each time. PROGRAMS=N: so many others for each, and how far they are is told on stderr; SEED=TEXT: these.
differential_one() {
	local python
	local -a without=()
	[[ $1 == 3.12.* ]] && without=(--without buffer) # its collector crashes on a BytesIO that goes with its buffer
	python=$(tests/setup.sh venv "$1" "$2") || { no_venv "$1" differential && return; }
	suite "$1" differential "PYTHON=$2 tests/run.sh differential" env -u PYTHON "$python" tests/differential/run.py \
		--object "$object" --python "$python" --programs "$programs" --configurations shared,private "${without[@]}" \
		--jobs "${JOBS:-$(nproc)}" --seed "${SEED:-${seed:-auto}}" ${PROGRAMS:+--progress 4} 4>&2
}

differential() {
	local programs=${PROGRAMS:-} count
	count=$(PYTHON=$wanted tests/setup.sh pythons | wc -l)
	((count)) || return 0
	[[ -n $programs ]] || { programs=$((300 / count)); local seed=1; }
	each_python differential_one
}

# What make dist makes, installed and removed.
dist() {
	local short= tag path python venv=(demo tests/requirements.txt tests/durabletask/requirements.txt)
	[[ $layer != all || $core_for == none ]] || short=1 venv=()
	read -r tag path <<<"$(PYTHON=$wanted tests/setup.sh pick)"
	python=$(tests/setup.sh venv "$tag" "$path" ${venv[@]+"${venv[@]}"}) && tests/setup.sh server >/dev/null || { no_venv "$tag" dist && return; }
	suite "$tag" dist "PYTHON=$path tests/run.sh dist" env -u PYTHON SHORT=$short bash tests/dist/run.sh "$python"
}

# On another processor, as far as an emulator goes.
aarch64() {
	local tag path python
	read -r tag path <<<"$(PYTHON=$wanted tests/setup.sh pick)"
	python=$(tests/setup.sh venv "$tag" "$path") && tests/setup.sh server >/dev/null || { no_venv "$tag" aarch64 && return; }
	suite "$tag" aarch64 "PYTHON=$path tests/run.sh aarch64" env -u PYTHON tests/aarch64.sh "$python"
}

forky() {
	[[ -n $wanted && $wanted != 3.1[345]* ]] && return 0
	[[ $core_for == none ]] || elsewhere=$(find_extents | sed -nE 's/^(3\.[0-9]+).*/\1/p' | xargs)
	CORE=$core_for ELSEWHERE=$elsewhere tests/forky.sh test "$results"
}

# An older C library; its Python is built first, which takes minutes.
bullseye() { tests/bullseye.sh test "$results"; }

# Left out where a sanitizer stands before the object: what is about who calls (it does), about memory that is given back (it
# keeps it for a while), traps of its own system calls, and the command, which is built apart.
instrumented() {
	local but= left_out=()
	if readelf -d "$object" | grep -q 'NEEDED.*libasan'; then
		export ASAN_OPTIONS=handle_segv=0:use_sigaltstack=0 SANDGLASS_TEST_FIRST
		SANDGLASS_TEST_FIRST=$(realpath "$(gcc -print-file-name=libasan.so)")
		but=test_hardened_signals
		left_out=(--ignore=tests/workers/test_{bypass,check,hardened,native}.py
			--deselect=test_images.py::test_a{_refusal_of_compiled_code_in_other_methods_of_the_sdk_is_raised,n_object_that_could_not_be_made_leaves_nothing_behind})
	fi
	unit "$but"
	[[ -z $but ]] || ASAN_OPTIONS=detect_leaks=0 # Python's
	wanted=$(newest echo | cut -d' ' -f2)
	newest preload_one
	workers tests/workers ${left_out[@]+"${left_out[@]}"}
}

# By folder, how much of what was compiled with --coverage the tests have run.
coverage() {
	find "$build/obj" -name '*.gcno' -exec gcov -n {} + 2>/dev/null | awk -F"[':%]" '
		/^File/ { folder = $2 ~ /^(shim|hooks|config).*[.]c$/ ? $2 : ""; sub("/[^/]*$", "", folder) }
		/^Lines executed/ && folder != "" { sub(".* of ", "", $3); run[folder] += $2 * $3 / 100; of[folder] += $3; folder = "" }
		END {
			for (folder in of) { printf "%-24s %5.1f %% of %5d lines\n", folder, 100 * run[folder] / of[folder], of[folder]; r += run[folder]; n += of[folder] }
			printf "%-24s %5.1f %% of %5d lines\n", "~", 100 * r / n, n
		}' | sort | sed 's/^~ /all/'
}

# Two processors have much to do with all of this: a worker may get no turn for seconds, and a server give up on it. Of a suite
# with few failures these are run once more, alone, with nothing beside; what passes then is told, and is no failure.
once_more() {
	local row repeat label layer passed failed skipped seconds command again
	for row in "$results"/*.row; do
		repeat=${row%.row}.log.repeat
		read -r label layer passed failed skipped seconds <"$row"
		((failed && failed <= 20)) && [[ -e $repeat ]] && (($(grep -c ' -m pytest ' "$repeat") == failed)) || continue
		again=0
		while read -r command <&3; do
			PATH="$PWD/build/tools/server/bin:$PATH" timeout 900 bash -c "$command" >"$row.again" 2>&1 </dev/null || continue
			((again += 1))
			echo "${green}again${plain} $layer $label: failed beside the other suites, and has passed alone: ${command##* }"
		done 3<"$repeat"
		echo "$label $layer $((passed + again)) $((failed - again)) $skipped $seconds" >"$row"
	done
}

table() {
	local label layer passed failed skipped seconds all_passed=0 all_failed=0 all_skipped=0 row
	printf '\n%s%-18s %-11s %7s %7s %8s %8s%s\n' "$bold" "on" layer passed failed skipped seconds "$plain"
	while read -r label layer passed failed skipped seconds; do
		((all_passed += passed, all_failed += failed, all_skipped += skipped))
		row=$(printf '%-18s %-11s %7d %7d %8d %8d' "$label" "$layer" "$passed" "$failed" "$skipped" "$seconds")
		((failed)) && row=$red$row$plain
		echo "$row"
	done < <(cat "$results"/*.row 2>/dev/null | sort -s -k2,2 -k1,1V)
	echo
	((all_passed + all_failed + all_skipped)) || die "no test was run"
	echo "$all_passed passed, $all_failed failed, $all_skipped skipped"
	((all_failed == 0))
}

venv_of_choice() { # [NAME FILE...], as for tests/setup.sh venv
	local tag path
	read -r tag path <<<"$(PYTHON=$wanted tests/setup.sh pick)"
	[[ -n $path ]] || exit 1
	tests/setup.sh server >/dev/null || exit 1
	tests/setup.sh venv "$tag" "$path" "$@" || exit 1
}

[[ ${1:-} == -* ]] || [[ -e $object ]] || die "$object is not built, run make first"
case ${1:-all} in
judge) # COMMAND...: what a suite that is this command would have: passed, failed, skipped
	shift
	results=$(mktemp -d)
	suite it judge : "$@" >/dev/null
	cut -d' ' -f3-5 "$results/judge-it.row"
	rm -r "$results"
	;;
once-more) # FOLDER: of the rows and commands that are there
	results=$2
	once_more
	cat "$results"/*.row
	;;
demo | bench | mutants | soak)
	program=tests/$1/$1.py venv=()
	[[ $1 == mutants ]] && program=tests/mutants.py
	[[ $1 == demo ]] && venv=(demo tests/requirements.txt tests/durabletask/requirements.txt)
	[[ $1 == bench ]] && venv=(bench tests/requirements.txt tests/bench/requirements.txt)
	shift
	python=$(venv_of_choice ${venv[@]+"${venv[@]}"}) || exit 1
	exec env -u PYTHON SANDGLASS_OBJECT="$object" "$python" -B "$program" "$@"
	;;
catalogue)
	shift
	file=tests/libraries/requirements.txt
	if [[ -n ${NEWEST:-} ]]; then
		file=$build/newest-libraries.txt
		{ date +'# %F' && grep -E '^(temporalio|pytest)' tests/requirements.txt && sed -n 's/^    L("\([^"]*\)",.*/\1/p' tests/libraries/catalogue.py; } >"$file"
	fi
	python=$(venv_of_choice catalogue "$file") || exit 1
	exec env -u PYTHON SANDGLASS_OBJECT="$object" "$python" -B tests/libraries/run.py "$@"
	;;
all | guest | unit | fuzz | command | preload | engine | layout | workers | durabletask | libraries | sdk | sdk-matrix | differential | dist | aarch64 | forky | bullseye | instrumented)
	layer=${1:-all}
	shift || true
	# A layer of which nothing is run would have no row, and nothing would be missed.
	[[ $layer == unit || $layer == fuzz || -n $(PYTHON=$wanted tests/setup.sh pythons) ]] || die "no usable CPython 3.10 to 3.15${wanted:+ for PYTHON=$wanted}"
	rm -rf "$results" && mkdir -p "$results"
	[[ $layer != all && $layer != guest ]] || extents=$(find_extents)
	case $layer in
	all)
		unit
		in_order fuzz command_layer "each_python preload_one" "each_python engine_one" "each_python layout_one" durabletask dist forky aarch64 libraries sdk & beside=$!
		workers; wait; soak; wait; differential # what counts memory, and what takes all processors, with nothing beside
		[[ $core_for != none ]] || bullseye
		;;
	guest) in_order "each_python layout_one" & beside=$!; workers; wait; differential ;; # what tests/forky.sh runs inside
	command) command_layer ;;
	preload) each_python preload_one ;;
	engine) each_python engine_one ;;
	layout) each_python layout_one ;;
	sdk-matrix) sdk_matrix "$@" ;;
	*) "$layer" "$@" ;;
	esac
	wait
	[[ $layer != all && $layer != forky ]] || once_more
	[[ -z $(find "$build/obj" -name '*.gcda' -print -quit 2>/dev/null) ]] || coverage
	table
	;;
*) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2 ;;
esac
