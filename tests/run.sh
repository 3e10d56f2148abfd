#!/usr/bin/env bash
# Runs the tests, the demo or the benchmarks on what `make` has built.
#
#   tests/run.sh                            every layer, on every Python found, and a table at the end
#   tests/run.sh LAYER                      one of: unit command preload workers libraries sdk differential forky
#   tests/run.sh workers PYTEST_ARGUMENT... for example tests/workers/test_x.py::test_y
#   tests/run.sh libraries [ARGUMENT...]    installed libraries in workflows, on every Python; "every layer" has the oldest
#                                           and the newest one
#   tests/run.sh sdk [ARGUMENT...]          worker tests with older SDKs, all of tests/sdk; "every layer" has the oldest
#   tests/run.sh demo | bench [ARGUMENT...]
#
# PYTHON=PATH_OR_VERSION: only that Python. JOBS: worker suites at a time, default 1 (each starts several workers), and
# random programs at a time, default as many as there are processors.
# Where the output of each suite goes: build/test/. Exit status 0 when nothing failed.
set -uo pipefail
cd "$(dirname "$0")/.."

object=$PWD/build/libsandglass.so
results=build/test
wanted=${PYTHON:-}

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

unit() {
	local program name
	for program in tests/unit/*.c; do
		[[ -e $program ]] || continue
		name=$(basename "$program" .c)
		suite "${name#test_}" unit "make unit && build/unit/$name" "build/unit/$name"
	done
}

command_layer() { # once: most of it does not depend on the Python, which doctor and run are given
	local tag path
	read -r tag path <<<"$(PYTHON=$wanted tests/setup.sh pick)"
	if [[ -x build/sandglass ]]; then
		suite "$tag" command "PYTHON=$path tests/run.sh command" env PYTHON="$path" sh tests/command/run.sh build/sandglass
	else
		suite "$tag" command make printf '%s\n' 'build/sandglass is not built: libelf-dev or libminizip-dev is missing' \
			'0 passed, 0 failed, 1 skipped'
	fi
}

each_python() { # FUNCTION: called with TAG PATH
	local tag path
	while read -r tag path <&3; do "$1" "$tag" "$path"; done 3< <(PYTHON=$wanted tests/setup.sh pythons)
}

oldest_and_newest() { # FUNCTION, as each_python
	local tag path
	while read -r tag path <&3; do "$1" "$tag" "$path"; done 3< <(PYTHON=$wanted tests/setup.sh pythons | sed -n '1p;$p' | uniq)
}

preload_one() {
	[[ -e tests/preload/run.sh ]] || return 0
	suite "$1" preload "PYTHON=$2 tests/run.sh preload" env PYTHON="$2" sh tests/preload/run.sh build/libsandglass.so
}

# in_venv LABEL LAYER REPEAT VENV_ARGUMENTS -- PYTEST_ARGUMENT...: tests with real workers, JOBS suites at a time.
in_venv() {
	local label=$1 layer=$2 repeat=$3 python
	local -a venv=()
	shift 3
	while [[ $1 != -- ]]; do venv+=("$1") && shift; done
	shift
	python=$(tests/setup.sh venv "${venv[@]}") || {
		echo "$label $layer 0 1 0 0" >"$results/$layer-$label.row"
		return
	}
	while (($(jobs -rp | wc -l) >= ${JOBS:-1})); do wait -n; done
	suite "$label" "$layer" "$repeat" env -u PYTHON PATH="$PWD/build/tools/server/bin:$PATH" \
		SANDGLASS_OBJECT="$object" "$python" -m pytest --timeout 300 "$@" &
}

workers_one() {
	local tag=$1 path=$2
	shift 2
	in_venv "$tag" workers "PYTHON=$path tests/run.sh workers" "$tag" "$path" -- "${@:-tests/workers}"
}

libraries_one() {
	local tag=$1 path=$2
	shift 2
	in_venv "$tag" libraries "PYTHON=$path tests/run.sh libraries" "$tag" "$path" libraries tests/requirements.txt \
		tests/workers/libraries/requirements.txt -- "${@:-tests/workers/libraries}"
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
	tests/setup.sh server >/dev/null || exit 1
	one() { workers_one "$1" "$2" ${arguments[@]+"${arguments[@]}"}; }
	each_python one
	wait
}

libraries() {
	local arguments=("$@") each=each_python
	[[ $layer == all ]] && each=oldest_and_newest
	tests/setup.sh server >/dev/null || exit 1
	one() { libraries_one "$1" "$2" ${arguments[@]+"${arguments[@]}"}; }
	$each one
	wait
}

sdk_tests=(tests/workers/test_temporal.py tests/workers/test_main_worker.py tests/workers/test_modes.py)
sdk() {
	local file
	tests/setup.sh server >/dev/null || exit 1
	while read -r file <&3; do
		sdk_one "$file" "$@"
		[[ $layer != all ]] || break
	done 3< <(printf '%s\n' tests/sdk/*.txt | sort -V)
	wait
}

# Random workflow packages, runs of them interleaved, each compared with the run alone: 1000 of them, shared out among
# the Pythons, the same each time. PROGRAMS=N: so many others for each, and how far they are is told on stderr; SEED=TEXT: these.
differential_one() {
	local python
	local -a without=()
	[[ $1 == 3.12.* ]] && without=(--without buffer) # its collector crashes on a BytesIO that goes with its buffer
	python=$(tests/setup.sh venv "$1" "$2") || {
		echo "$1 differential 0 1 0 0" >"$results/differential-$1.row"
		return
	}
	suite "$1" differential "PYTHON=$2 tests/run.sh differential" env -u PYTHON "$python" tests/differential/run.py \
		--object "$object" --python "$python" --programs "$programs" --configurations shared,private "${without[@]}" \
		--jobs "${JOBS:-$(nproc)}" --seed "${SEED:-${seed:-auto}}" ${PROGRAMS:+--progress 4} 4>&2
}

differential() {
	local programs=${PROGRAMS:-} count
	count=$(PYTHON=$wanted tests/setup.sh pythons | wc -l)
	((count)) || return 0
	[[ -n $programs ]] || { programs=$((1000 / count)); local seed=1; }
	each_python differential_one
}

forky() {
	[[ -n $wanted && $wanted != 3.1[345]* ]] && return 0
	tests/forky.sh test "$results"
}

table() {
	local label layer passed failed skipped seconds all_passed=0 all_failed=0 all_skipped=0 row
	printf '\n%s%-18s %-9s %7s %7s %8s %8s%s\n' "$bold" "on" layer passed failed skipped seconds "$plain"
	while read -r label layer passed failed skipped seconds; do
		((all_passed += passed, all_failed += failed, all_skipped += skipped))
		row=$(printf '%-18s %-9s %7d %7d %8d %8d' "$label" "$layer" "$passed" "$failed" "$skipped" "$seconds")
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
demo | bench)
	program=tests/$1/$1.py venv=()
	[[ $1 == bench ]] && venv=(bench tests/requirements.txt tests/bench/requirements.txt)
	shift
	python=$(venv_of_choice ${venv[@]+"${venv[@]}"}) || exit 1
	exec env -u PYTHON SANDGLASS_OBJECT="$object" "$python" -B "$program" "$@"
	;;
all | unit | command | preload | workers | libraries | sdk | differential | forky)
	layer=${1:-all}
	shift || true
	rm -rf "$results" && mkdir -p "$results"
	case $layer in
	all) unit; command_layer; each_python preload_one; workers; libraries; sdk; differential; forky ;;
	command) command_layer ;;
	preload) each_python preload_one ;;
	*) "$layer" "$@" ;;
	esac
	table
	;;
*) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2 ;;
esac
