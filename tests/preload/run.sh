#!/bin/sh
# Tests of the preloaded object in real processes: what it exports, that it is inert where there is
# no Python, its log descriptor, and SANDGLASS_INHERIT.
#
#     sh tests/preload/run.sh build/libsandglass.so
#
# PYTHON: the interpreter to use (default /usr/bin/python3). One line a check; the last one counts.
# Exits with 1 when a check failed. To repeat a single check, run this again with ONLY='text of its
# name'.
set -u

object=$(realpath "$1") || exit 2
here=$(realpath "$(dirname "$0")")
root=$(realpath "$here/../..")
python=${PYTHON:-}
case $python in /*) ;; *) python=/usr/bin/python3 ;; esac
ways=$here/ways.py
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0 skipped=0
cc=${CC:-cc}
first=${SANDGLASS_TEST_FIRST:+$SANDGLASS_TEST_FIRST:} # what goes before the object: a sanitizer
unset LD_PRELOAD
for name in $(env | sed -n 's/^\(SANDGLASS[A-Z_]*\)=.*/\1/p'); do unset "$name"; done

. "$root/tests/check.sh"

# preloaded [NAME=VALUE...] COMMAND...: with the object; later assignments win.
preloaded() {
	env LD_PRELOAD="$first$object" SANDGLASS_INHERIT=python "$@"
}

# outcome COMMAND...: everything that can be seen of it.
outcome() {
	"$@" </dev/null 2>&1
	echo "status $?"
}

# fate: what a child that prints its environment was given.
fate() {
	awk -v object="$object" -v first="$first" '
		/^LD_PRELOAD=/ { preload = substr($0, 12); sub(/:*$/, ":", preload)
			if (index(preload, first) == 1) preload = substr(preload, length(first) + 1); sub(/:$/, "", preload) }
		/^SANDGLASS_INHERIT=/ { setting = 1 }
		/: E[A-Z]+$/ { error = $0 }
		END {
			if (error) print error
			else if (preload == object && setting) print "kept"
			else if (preload == "" && !setting) print "dropped"
			else print "preload=" preload " setting=" setting
		}'
}

# ---- the object ----

[ -n "$first" ] || check 'object: needs nothing but libc' 'libdl.so.2
libc.so.6' \
	"$(readelf -dW "$object" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')"
check 'object: runs on glibc 2.28: no version of a newer one' '' \
	"$(nm -D --undefined-only "$object" | sed -n 's/.*@GLIBC_\(.*\)/\1 &/p' | awk '{ split($1, v, "."); if (v[1] > 2 || v[2] > 28) print }')"
$cc -E -P -DSG_ROW_LIST "$root/hooks/rows.h" >"$scratch/rows"
printf '#define HOOK(family, need, type, name, parameters, arguments) @ need name\n#define HOOK_VARIADIC(family, need, type, name, parameters) @ need name
#define NOHOOK(name, why)\n#include "hooks/rows.h"\n' | $cc -I"$root" -E -P - | grep -o '@ REQ [A-Za-z0-9_]*' | cut -d' ' -f3 | sort >"$scratch/required"
check 'rows: what is required glibc 2.28 has (else OPT, and shim/base/older.c)' '' "$(
	nm -D --defined-only "$(ldd /bin/sh | awk '$1 ~ /^libc\.so/ { print $3 }')" | sed -n 's/.* \([^ @]*\)@@*GLIBC_\([0-9.]*\)$/\1 \2/p' | sort -k1,1 -k2,2V |
		awk '!($1 in seen) { seen[$1]; split($2, v, "."); if (v[1] == 2 && v[2] > 28) print $1 }' | sort | comm -12 - "$scratch/required")"
check 'object: exports the rows and nothing else' \
	"$(sed -n 's/^hook //p' "$scratch/rows" | sort)" \
	"$(nm -D --defined-only "$object" | awk '{ print $3 }' | sort)"
check 'object: no row twice' '' "$(awk '{ print $2 }' "$scratch/rows" | sort | uniq -d)"
check 'rows: hooks/COVERAGE.md is up to date (make coverage-table)' '' \
	"$(sh "$root/hooks/coverage.sh" | diff "$root/hooks/COVERAGE.md" -)"
check 'rows: none is missing for a name of this libc (a row in hooks/*/rows.h, or NOHOOK and why)' '' \
	"$(sh "$here/sweep.sh" "$scratch/rows")"
printf 'int %s(void) { return 0; }\n' clock_gettime9 openat3 getrandom_new harmless >"$scratch/newer.c"
$cc -shared -fPIC -o "$scratch/newer.so" "$scratch/newer.c"
check 'rows: a new name of a newer libc is noticed' 'clock_gettime9
getrandom_new
openat3' "$(sh "$here/sweep.sh" "$scratch/rows" "$scratch/newer.so" | sort)"
check 'rows: what only old programs are bound to has a shell of its own' '' "$(
	nm -D --defined-only "$(ldd /bin/sh | awk '$1 ~ /^libc\.so/ { print $3 }')" | awk -v rows="$scratch/rows" '
	BEGIN {
		while ((getline line <rows) > 0) { split(line, word, " "); if (word[1] == "hook") hook[word[2]] = 1 }
		split("__res_query __res_search __res_send __res_nquery __res_nsearch __res_nsend", old, " ")
		for (i in old) delete hook[old[i]]
	}
	{ name = $3; sub(/@.*/, "", name); if ($3 ~ /@@/) usual[name] = 1; if (name in hook) seen[name] = 1 }
	END { for (name in seen) if (!(name in usual)) print name }')"
check 'object: no lazily allocated thread-local storage' '' \
	"$(nm -D --undefined-only "$object" | grep __tls_get_addr)"
check 'object: bound at load time, never unloaded' 'NOW NODELETE' \
	"$(readelf -dW "$object" | sed -n 's/.*(FLAGS_1).*Flags: //p' | sed 's/ *$//')"

# ---- every entry in every situation, with and without the object ----

$cc -O1 -w -shared -fPIC -pthread -o "$scratch/matrix.so" "$here/matrix.c"
# Without a snippet: bound to by old programs alone, so there is nothing to compare with; asks the network for our own name.
check 'matrix: each row has a snippet' '' "$(sed -n 's/^hook //p' "$scratch/rows" |
	grep -vxE '__res_n?(query|search|send)|gethostid' | while read -r name; do
		grep -q "^	\(UNSAFE(\)\{0,1\}[ST][(,] \{0,1\}$name," "$here/snippets.h" || echo "$name"; done)"
run_matrix='import ctypes, sys
matrix = ctypes.CDLL(sys.argv[1]).matrix
matrix.restype = ctypes.c_char_p
print(matrix().decode(), end="")'
matrix_plain=$("$python" -c "$run_matrix" "$scratch/matrix.so" 2>&1)
matrix_preloaded=$(preloaded "$python" -c "$run_matrix" "$scratch/matrix.so" 2>&1)
for situation in constructor plain 'signal handler' 'inside itself' 'second thread' 'after fork'; do
	of_situation() {
		printf '%s\n' "$1" | awk -v wanted="== $situation" '/^== / { on = $0 == wanted } on'
	}
	check "matrix: there are snippets for: $situation" yes \
		"$([ "$(of_situation "$matrix_plain" | wc -l)" -gt 250 ] && echo yes)"
	check "matrix: $situation" "$(of_situation "$matrix_plain")" "$(of_situation "$matrix_preloaded")"
done

# ---- programs without Python ----

cat >"$scratch/hello.c" <<'END'
#include <errno.h>
#include <stdio.h>
int main(void) { printf("hello %d\n", errno); return 3; }
END
$cc -o "$scratch/hello" "$scratch/hello.c"
$cc -static -o "$scratch/static" "$scratch/hello.c" 2>/dev/null || rm -f "$scratch/static"
for command in 'ls /' 'bash -c "echo $BASH_VERSION; (exit 4) | cat; ls / | wc -l"' \
		'sh -c "ls / && exit 5"' "$cc --version" 'git --version' 'env -i true' \
		"$scratch/hello" "$scratch/static" 'nonexistent-command'; do
	program=${command%% *}
	[ "$program" = "$scratch/static" ] && [ ! -x "$program" ] && continue
	check "inert: $(basename "$program")" "$(outcome sh -c "$command")" \
		"$(outcome preloaded SANDGLASS_LOG_LEVEL=trace sh -c "$command")"
done
check 'inert: a bad setting is no business of ls' "$(outcome ls /)" \
	"$(outcome preloaded SANDGLASS=nonsense SANDGLASS_INHERIT=nonsense ls /)"
check 'inert: bash passes the preload on' kept \
	"$(preloaded SANDGLASS_INHERIT=none bash -c env | fate)"
check 'inert: an exec before anything was resolved' 'hello 0
status 3' "$(outcome preloaded sh -c "exec $scratch/hello")"

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	# Where the user nobody can reach it, on a file system that honours the bit.
	secure=$(mktemp -d) && chmod 755 "$secure"
	cp "$(realpath "$python")" "$secure/python3" && chmod 4755 "$secure/python3"
	check 'secure: a setuid Python is left alone' 'False 0 65534' \
		"$(preloaded SANDGLASS_LOG_LEVEL=trace setpriv --reuid=65534 --regid=65534 \
			--clear-groups "$secure/python3" -S -c 'import os
print("libsandglass" in open("/proc/self/maps").read(), os.geteuid(), os.getuid())' 2>&1)"
	rm -rf "$secure"
fi

# ---- the log ----

cat >"$scratch/descriptors.py" <<'END'
import os, sys
directory = sys.argv[1]
os.closerange(3, 4096)
files = [os.open(f"{directory}/{number}", os.O_RDWR | os.O_CREAT) for number in range(700)]
import json, decimal, uuid
# Left open: lines that are written at exit must not find their way into them either.
print("done")
END
for log in stderr "$scratch/log.%p"; do
	mkdir "$scratch/files"
	result=$(preloaded SANDGLASS_LOG="$log" SANDGLASS_LOG_LEVEL=trace \
		"$python" "$scratch/descriptors.py" "$scratch/files" 2>/dev/null)
	check "log to $(basename "$log"): every descriptor closed and reused" done "$result"
	check "log to $(basename "$log"): no line in a file of the application" '' \
		"$(find "$scratch/files" -type f -size +0)"
	rm -rf "$scratch/files"
done
check 'log: standard error closed' 'done 0' \
	"$(preloaded SANDGLASS_LOG_LEVEL=trace "$python" -c 'print("done", end=" ")' 2>&-; echo $?)"
list_descriptors='import os; os.execv("/bin/ls", ["ls", "/proc/self/fd"])'
check 'log: a child does not inherit the descriptor' "$("$python" -c "$list_descriptors")" \
	"$(preloaded SANDGLASS_LOG_LEVEL=trace "$python" -c "$list_descriptors" 2>/dev/null)"

# ---- SANDGLASS_INHERIT: every way to start a program ----

all_ways=$("$python" "$ways" list)
for mode in python none all; do
	case $mode in
	python) expected_python=kept expected_other=dropped ;;
	none) expected_python=dropped expected_other=dropped ;;
	all) expected_python=kept expected_other=kept ;;
	esac
	for way in $all_ways; do
		case $way in
		# Started by a shell, which is not Python.
		*system | popen) expected=$expected_other ;;
		subprocess_empty) expected=dropped ;;
		*) expected=$expected_python ;;
		esac
		check "inherit=$mode $way: python" "$expected" \
			"$(preloaded SANDGLASS_INHERIT=$mode "$python" "$ways" "$way" "$python" \
				"$here/show.py" | fate)"
		[ "$way" = subprocess_empty ] || expected=$expected_other
		check "inherit=$mode $way: env" "$expected" \
			"$(preloaded SANDGLASS_INHERIT=$mode "$python" "$ways" "$way" \
				/usr/bin/env | fate)"
	done
done
for way in $all_ways; do
	case $way in os.execve_descriptor | fexecve | execveat_empty) continue ;; esac
	check "error of $way is libc's own" \
		"$(outcome "$python" "$ways" "$way" "$scratch/nonexistent")" \
		"$(outcome preloaded SANDGLASS_INHERIT=none "$python" "$ways" "$way" \
			"$scratch/nonexistent")"
done
check 'inherit: nothing is changed while Sandglass is off' kept \
	"$(preloaded SANDGLASS=off SANDGLASS_INHERIT=none "$python" "$ways" subprocess \
		/usr/bin/env | fate)"
for way in os.execvp os.posix_spawnp execlp execvp execvpe posix_spawnp; do
	mkdir -p "$scratch/path"
	ln -sf "$python" "$scratch/path/python3"
	check "inherit=python $way: found in PATH" kept \
		"$(preloaded PATH="/nonexistent:$scratch/path:$PATH" "$python" "$ways" "$way" \
			python3 "$here/show.py" | fate)"
	check "inherit=python $way: env found in PATH" dropped \
		"$(preloaded PATH="/nonexistent:$scratch/path:$PATH" "$python" "$ways" "$way" \
			env | fate)"
done

# ---- SANDGLASS_INHERIT: what a shell is told ----

mkdir "$scratch/it's"
$cc -shared -fPIC -o "$scratch/it's/other.so" -x c /dev/null
$cc -shared -fPIC -o "$scratch/first.so" -x c /dev/null
for way in system popen; do
	check "shell by $way: other preloads stay, quoted" \
		"$first$scratch/first.so:$scratch/it's/other.so" \
		"$(preloaded LD_PRELOAD="$first$scratch/first.so:$object:$scratch/it's/other.so" \
			"$python" "$ways" $way /usr/bin/env | sed -n 's/^LD_PRELOAD=//p')"
	for command in 'exit 3' 'kill -9 $$' 'echo "a b"  c' '# comment' '' 'if' 'echo $0 $#' \
			'cat <<X
$HOME
X' 'nonexistent-command' 'echo one; false' 'set -o nounset; echo $undefined' 'exec echo x'; do
		check "shell by $way: $(echo $command)" \
			"$(outcome "$python" "$ways" $way "$command")" \
			"$(outcome preloaded "$python" "$ways" $way "$command")"
	done
done
check 'shell: system(NULL)' 1 "$(preloaded "$python" -c 'import ctypes
print(ctypes.CDLL(None).system(None))')"

# ---- SANDGLASS_INHERIT: the environment ----

for way in subprocess_env execle posix_spawn; do
	check "environment by $way: order of other preloads" \
		"$first$scratch/first.so:$scratch/it's/other.so" \
		"$(preloaded LD_PRELOAD="$first$scratch/first.so $object:$scratch/it's/other.so" \
			"$python" "$ways" $way /usr/bin/env | sed -n 's/^LD_PRELOAD=//p')"
	check "environment by $way: the rest is as it was" \
		"$(env ${first:+"LD_PRELOAD=${first%:}"} "$python" "$ways" $way /usr/bin/env)" \
		"$(preloaded "$python" "$ways" $way /usr/bin/env)"
done
ln -s "$object" "$scratch/link.so"
check 'environment: a link to the object is the object' dropped \
	"$(preloaded LD_PRELOAD="$first$scratch/link.so" "$python" "$ways" subprocess \
		/usr/bin/env | fate)"
check 'environment: a relative path, after chdir' dropped \
	"$(cd "$(dirname "$object")" && preloaded LD_PRELOAD="$first./$(basename "$object")" \
		"$python" "$ways" subprocess_cwd /usr/bin/env | fate)"
check 'environment: a bare name found by the loader' dropped \
	"$(preloaded LD_PRELOAD="$first$(basename "$object")" LD_LIBRARY_PATH="$(dirname "$object")" \
		"$python" "$ways" subprocess /usr/bin/env | fate)"
check 'environment: 10000 variables are passed on' '10000' \
	"$(preloaded "$python" -c 'import os, subprocess
many = {f"MANY{i}": "x" for i in range(10000)}
print(subprocess.check_output(["/usr/bin/env"], env=dict(os.environ, **many)).count(b"MANY"))')"

# ---- decisions ----

$cc -fsanitize=address,undefined -g -std=gnu11 -Wall -Wextra -Werror -I"$root" \
	-o "$scratch/decision" "$here/decision.c" "$root/hooks/process/inherit.c" || failed=$((failed + 1))
programs=$scratch/programs
mkdir "$programs"
# script NAME LINE...
script() {
	name=$programs/$1
	shift
	printf '%s\n' "$@" >"$name"
	chmod 755 "$name"
}
long=/$(printf 'x%.0s' $(seq 600))
script plain "#!$python"
script spaces "#! 	$python -u "
script env-plain '#!/usr/bin/env python3'
script env-split '#!/usr/bin/env -S -i A=1 python3 -u'
script env-glued '#!/usr/bin/env -Spython3 -u'
script env-unset '#!/usr/bin/env -S -u NAME python3.12'
script launcher '#!/bin/sh' "'''exec' /very/long/python \"\$0\" \"\$@\"" "' '''"
script nested "#!$programs/plain"
ln -s "$(realpath "$python")" "$programs/linked"
script by-link "#!$programs/linked"
script python3 '#!/usr/bin/env bash'
script dangling '#!/nonexistent/bin/python3'
cp /bin/true "$programs/pypy3"
mkdir "$programs/venv"
ln -s ../pypy3 "$programs/venv/python"
script shell '#!/bin/sh' 'exec python3'
script env-shell '#!/usr/bin/env bash'
script env-nothing '#!/usr/bin/env'
script nothing '#!'
script empty
script no-line "#!$long"
script python3-config '#!/bin/sh'
script loop "#!$programs/loop"
script not-exec '#!/bin/sh' "''' exec' python"
script zip 'PK python3'
mkfifo "$programs/fifo" "$programs/python3.9"
for name in plain spaces env-plain env-split env-glued env-unset launcher nested linked by-link \
		python3 dangling python3.9 python3.13t python3-dbg python python2.7; do
	check "python: $name" yes "$("$scratch/decision" python "$programs/$name")"
done
for name in pypy3 venv/python shell env-shell env-nothing nothing empty no-line python3-config \
		loop not-exec zip fifo '' . missing python3.py pythonista; do
	check "not python: $name" no "$("$scratch/decision" python "$programs/$name")"
done
check 'python: searched in PATH, in its order' 'yes no yes' \
	"$(PATH=$programs/venv:$programs:/usr/bin "$scratch/decision" python -p plain python \
		missing/python | xargs)"
check 'python: the current directory in PATH' yes \
	"$(cd "$programs" && PATH=/nonexistent: "$scratch/decision" python -p plain)"

# decided EXPECTED ENTRY...
decided() {
	expected=$1
	shift
	check "entries: $(echo "$@" | cut -c 1-200)" "$expected" \
		"$(cd "$scratch" && ./decision environment "$object" "$object:./link.so" "$@")"
}
decided unchanged
decided "unchanged
A=1
SANDGLASSES=2
LD_PRELOADED=$object" A=1 SANDGLASSES=2 "LD_PRELOADED=$object"
decided '' "LD_PRELOAD=$object"
decided '' "LD_PRELOAD=: $object:: $object "
decided 'A=1
B=2' SANDGLASS=warn A=1 SANDGLASS_LOG=x B=2 "LD_PRELOAD=$object"
decided "LD_PRELOAD=/a.so:b.so:/c.so" "LD_PRELOAD=/a.so b.so:$object /c.so"
decided "LD_PRELOAD=/other/$(basename "$object").old" \
	"LD_PRELOAD=/other/$(basename "$object").old:$object"
decided '' "LD_PRELOAD=$(dirname "$object")/./$(basename "$object")"
decided '' "LD_PRELOAD=\$ORIGIN/$(basename "$object")"
decided "LD_PRELOAD=./other.so" "LD_PRELOAD=./link.so:./other.so"
decided "LD_PRELOAD=$long:/a.so" "LD_PRELOAD=$long:$object:/a.so" "LD_PRELOAD=$object"
decided '=odd
noequals' =odd SANDGLASS= noequals

# ---- vfork ----

$cc -shared -fPIC -pthread -o "$scratch/vfork.so" "$here/vfork.c"
script without-preload '#!/bin/sh' '[ -z "${LD_PRELOAD-}${SANDGLASS_INHERIT-}" ] && [ "$A$Z" = 11 ]'
run_vfork='import ctypes, sys
check = ctypes.CDLL(sys.argv[1]).vfork_check
check.restype = ctypes.c_char_p
print(check(sys.argv[2].encode(), sys.argv[3].encode()))'
check 'vfork: the child writes nothing shared' None \
	"$(preloaded "$python" -c "$run_vfork" "$scratch/vfork.so" "$programs/without-preload" "LD_PRELOAD=$object")"

# ---- beside other preloads, before and behind them ----

# In each situation, as that preload alone has it. ASan wants to be the first, unless it is told not to look.
ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0
export ASAN_OPTIONS
for name in jemalloc mimalloc tcmalloc_minimal asan; do
	other=$(PATH=$PATH:/sbin ldconfig -p | sed -n "s/^[[:space:]]*lib$name\.so\.[0-9.]* (libc6,[^)]*) => //p" | head -n 1)
	if [ -z "$other" ]; then
		echo "skip beside $name: it is not installed (tests/setup.sh preloads)"
		skipped=$((skipped + 1))
		continue
	fi
	alone=$(LD_PRELOAD=$first$other "$python" -c "$run_matrix" "$scratch/matrix.so" 2>&1)
	for both in "$object $other" "$other $object"; do
		check "beside $name, $([ "${both% *}" = "$object" ] && echo before || echo behind) it: every situation" "$alone" \
			"$(LD_PRELOAD=$first$both "$python" -c "$run_matrix" "$scratch/matrix.so" 2>&1)"
		check "beside $name, $([ "${both% *}" = "$object" ] && echo before || echo behind) it: vfork" None \
			"$(SANDGLASS_INHERIT=python LD_PRELOAD=$first$both "$python" -c "$run_vfork" "$scratch/vfork.so" "$programs/without-preload" "LD_PRELOAD=$object")"
	done
done
unset ASAN_OPTIONS

# Interpreters that are not served: not a word, until one imports an engine; then one line, and the program runs, unless
# SANDGLASS_REQUIRED=1. The engine is a stand-in as well: its file, and a library in its place.
mkdir -p "$scratch/temporalio/bridge" "$scratch/temporalio/worker/workflow_sandbox"
for package in temporalio temporalio/worker temporalio/worker/workflow_sandbox; do : >"$scratch/$package/__init__.py"; done
: >"$scratch/temporalio/worker/workflow_sandbox/_runner.py"
$cc -shared -fPIC -o "$scratch/temporalio/bridge/bridge.so" -x c /dev/null
import_engine="import ctypes, sys
sys.dont_write_bytecode = True
sys.path.insert(0, '$scratch')
with open('$scratch/temporalio/worker/workflow_sandbox/_runner.py'): pass
ctypes.CDLL('$scratch/temporalio/bridge/bridge.so')
import temporalio.worker.workflow_sandbox._runner
print('runs', end=' ')"
# dormant NAME FLAG REASON
dormant() {
	$cc -shared -fPIC -o "$scratch/standin.so" "$2" "$here/standin.c" || exit 2
	check "not served: $1" "runs status 0" \
		"$(LD_PRELOAD="$first$object $scratch/standin.so" SANDGLASS_REQUIRED=1 SANDGLASS_LOG="$scratch/dormant.log" \
			"$python" -c 'print("runs", end=" ")' 2>&1; echo "status $?")"
	check "not served: $1: an engine is imported" "runs status 0" \
		"$(LD_PRELOAD="$first$object $scratch/standin.so" "$python" -c "$import_engine" 2>"$scratch/said"; echo "status $?")"
	has "not served: $1: says so" "event=dormant reason=\"$3\"" "$(cat "$scratch/said")"
	check "not served: $1: in one line" 1 "$(wc -l <"$scratch/said")"
	LD_PRELOAD="$first$object $scratch/standin.so" SANDGLASS_LOG="$scratch/dormant.log" "$python" -c "$import_engine" \
		>/dev/null 2>"$scratch/said"
	check "not served: $1: says so on stderr, whatever the log" "sandglass: workflows are NOT guarded in this process: $3" \
		"$(cat "$scratch/said")"
	check "not served: $1: required" "sandglass: SANDGLASS_REQUIRED = 1: workflows cannot be guarded in this process: $3
status 2" "$(LD_PRELOAD="$first$object $scratch/standin.so" SANDGLASS_REQUIRED=1 "$python" -c "$import_engine" 2>&1; echo "status $?")"
}
if "$python" -c 'import sys; sys.exit("/libpython3" not in open("/proc/self/maps").read())'; then
	dormant 'an unknown version' '-DVERSION="3.16.0"' 'only CPython 3.10 to 3.15 is supported'
	dormant 'a free-threaded build' '-DABIFLAGS="t"' 'free-threaded builds of CPython are not supported'
	dormant 'a debug build' '-DABIFLAGS="d"' 'debug builds of CPython (--with-pydebug) are not supported'
fi

# ---- programs of another C library ----

if command -v musl-gcc >/dev/null; then
	musl-gcc -w -o "$scratch/elsewhere" "$here/elsewhere.c"
	check 'musl: a program runs' "$("$scratch/elsewhere" 2>&1; echo "status $?")" \
		"$(LD_PRELOAD="$first$object" "$scratch/elsewhere" 2>&1; echo "status $?")"
	check 'musl: so it does with settings that are wrong' "$("$scratch/elsewhere" 2>&1; echo "status $?")" \
		"$(LD_PRELOAD="$first$object" SANDGLASS=nonsense SANDGLASS_LOG=/no/such/log "$scratch/elsewhere" 2>&1; echo "status $?")"
	# What an engine's import does: its library is loaded, its file is opened.
	cat >"$scratch/worker.c" <<-END
		#include <dlfcn.h>
		#include <fcntl.h>
		#include <stdio.h>
		int main(void)
		{
			void *library = dlopen("$scratch/temporalio/bridge/musl.so", RTLD_NOW);
			int file = open("$scratch/temporalio/worker/workflow_sandbox/_runner.py", O_RDONLY);
			return puts(library && file >= 0 ? "runs" : "has no engine") < 0;
		}
	END
	musl-gcc -shared -fPIC -o "$scratch/temporalio/bridge/musl.so" -x c /dev/null
	musl-gcc -o "$scratch/worker" "$scratch/worker.c"
	check 'musl: a program with an engine runs' "runs
status 0" \
		"$(LD_PRELOAD="$first$object" "$scratch/worker" 2>"$scratch/said"; echo "status $?")"
	has 'musl: it says why it is not guarded' 'event=dormant reason="the C library is not glibc"' "$(cat "$scratch/said")"
	check 'musl: in one line' 1 "$(wc -l <"$scratch/said")"
else
	echo 'skip musl: there is no musl-gcc (tests/setup.sh preloads)'
	skipped=$((skipped + 1))
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
