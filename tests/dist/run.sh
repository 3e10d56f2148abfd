#!/usr/bin/env bash
# Tests of what `make dist` makes: installed in clean places, at work there, and removed without a trace.
#
#     bash tests/dist/run.sh PYTHON
#
# PYTHON: of a venv with the engine and the server (tests/setup.sh venv). SHORT=1: not built a second time, no demo.
set -u
cd "$(dirname "$0")/../.." || exit 2
. tests/check.sh
passed=0 failed=0 skipped=0
python=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset LD_PRELOAD VIRTUAL_ENV PYTHONPATH "${!SANDGLASS@}"

skip() { skipped=$((skipped + 1)) && echo "skip $*"; }

machine=$(uname -m)
version=$(sed -n 's/^VERSION := //p' Makefile)
wheel=build/dist/sandglass_preload-$version-py3-none-manylinux_2_28_$machine.whl
debug=build/dist/sandglass-preload-$version-$machine-debug.tar.xz

rm -f build/dist/*.whl build/dist/*.deb build/dist/*.tar.xz
tests/setup.sh tools >/dev/null # says so where it makes them
check 'dist: made' '' "$(make -s dist 2>&1 >/dev/null)"
deb=$(echo build/dist/sandglass-preload_"$version"_*.deb)
check 'dist: three files' "$debug
$deb
$wheel" "$(ls -1 build/dist/*.whl build/dist/*.deb build/dist/*.tar.xz)"

# ---- the wheel ----

tree() { (cd "$1" && find . ! -name '__pycache__' ! -name '*.pyc' | sort); }

"$python" -m venv "$scratch/venv" || exit 2
venv=$scratch/venv/bin
tree "$scratch/venv" >"$scratch/before"
check 'wheel: pip installs it' '' "$("$venv/pip" install -q --no-index --disable-pip-version-check "$wheel" 2>&1)"
check 'wheel: sandglass object' "$scratch/venv/lib/libsandglass.so" "$(PATH=$venv:$PATH sandglass object)"
check 'wheel: pip knows the version' "$version" "$("$venv/pip" show sandglass-preload 2>/dev/null | sed -n 's/^Version: //p')"
check 'wheel: the command has the same version' "sandglass $version" "$("$venv/sandglass" --version)"
check 'wheel: sandglass run' True "$(PATH=$venv:$PATH sandglass run -- python -c 'print("libsandglass" in open("/proc/self/maps").read())')"
check 'wheel: the command needs no library' '' "$(readelf -d "$venv/sandglass" | grep NEEDED)"
check 'wheel: stripped' '' "$(readelf -S --wide "$venv/sandglass" "$scratch/venv/lib/libsandglass.so" | grep -oE '[.](debug_[a-z]*|symtab)')"
check 'wheel: nothing above glibc 2.28' '' "$(readelf -V --wide "$scratch/venv/lib/libsandglass.so" |
	grep -oE 'GLIBC_[0-9.]+' | sort -u | grep -vE '^GLIBC_2[.]([0-9]|1[0-9]|2[0-8])([.]|$)')"

# Whoever debugs finds what was stripped by the number of the build.
mkdir "$scratch/debug" && tar -C "$scratch/debug" -xf "$debug"
for file in bin/sandglass lib/libsandglass.so; do
	id=$(readelf -n "$scratch/venv/$file" | sed -n 's/.*Build ID: //p')
	check "debug: of $file" 1 "$(readelf -S --wide "$scratch/debug/usr/lib/debug/.build-id/${id:0:2}/${id:2}.debug" | grep -c '[.]debug_info')"
done
check 'debug: nobody learns where it was built' '' "$(grep -rla "$PWD" "$scratch/debug" "$venv/sandglass" "$scratch/venv/lib/libsandglass.so")"

# at_work NAME COMMAND OBJECT: the demo's workers, with the object that is installed.
"$python" -c 'import site; print(*site.getsitepackages(), sep="\n")' >"$(echo "$scratch"/venv/lib/python3*/site-packages)/engine.pth"
at_work() {
	if [[ -n ${SHORT:-} ]]; then
		check "$1: guards an engine" 'ok    engine' "$("$2" doctor "$venv/python" | grep -o '^.* engine')"
	else
		check "$1: the demo" 0 "$(PATH=$(dirname "$python"):$PATH SANDGLASS_OBJECT=$("$2" object) "$venv/python" -B tests/demo/demo.py >"$scratch/demo" 2>&1
			echo $?; grep -w FAIL "$scratch/demo")"
	fi
}
at_work wheel "$venv/sandglass"
echo 'def test_loaded(): assert "libsandglass.so" in open("/proc/self/maps").read()' >"$scratch/test_loaded.py"
has 'wheel: pytest --sandglass' '1 passed' "$(cd "$scratch" && PATH=/usr/bin:/bin "$venv/python" -m pytest --sandglass -p no:cacheprovider test_loaded.py 2>&1)"
rm "$scratch"/venv/lib/python3*/site-packages/engine.pth
cp "$venv/sandglass" "$scratch/venv/lib/libsandglass.so" "$scratch"
"$venv/pip" uninstall -q -y sandglass-preload
check 'wheel: removed without a trace' '' "$(tree "$scratch/venv" | diff "$scratch/before" -)"

# ---- the Debian package ----

if ! command -v dpkg-deb >/dev/null; then
	skip 'deb: no dpkg-deb'
else
	root=$scratch/root
	mkdir -p "$root"/var/lib/dpkg/{info,updates,triggers} && : >"$root/var/lib/dpkg/status"
	tree "$root" >"$scratch/before"
	with_dpkg() { dpkg --root="$root" --log="$scratch/dpkg.log" --force-not-root,depends "$@" >"$scratch/dpkg" 2>&1 || cat "$scratch/dpkg"; }
	check 'deb: dpkg installs it' '' "$(with_dpkg --install "$deb")"
	check 'deb: sandglass object' "$root/usr/lib/sandglass/libsandglass.so" "$("$root/usr/bin/sandglass" object)"
	check 'deb: the same version' "$version" "$(dpkg-deb --field "$deb" Version)"
	check 'deb: the same files as in the wheel' '' "$(cmp "$scratch/libsandglass.so" "$root/usr/lib/sandglass/libsandglass.so" 2>&1
		cmp "$scratch/sandglass" "$root/usr/bin/sandglass" 2>&1)"
	check 'deb: the manual tells of each command' "$("$root/usr/bin/sandglass" help | sed -n '/^  help /d; s/^  \([a-z]*\) .*/\1/p' | tr a-z A-Z | sort)" \
		"$(zcat "$root/usr/share/man/man1/sandglass.1.gz" | sed -n 's/^\.SH \([A-Z]*\)$/\1/p' | grep -vE 'NAME|SYNOPSIS' | sort)"
	"$python" -c 'import site; print(*site.getsitepackages(), sep="\n")' >"$(echo "$scratch"/venv/lib/python3*/site-packages)/engine.pth"
	at_work deb "$root/usr/bin/sandglass"
	check 'deb: dpkg removes it' '' "$(with_dpkg --purge sandglass-preload)"
	check 'deb: removed without a trace' '' "$(tree "$root" | diff "$scratch/before" - | grep '^[<>]' | grep -v '/var/lib/dpkg/')"
	if command -v lintian >/dev/null; then
		check 'deb: lintian' '' "$(lintian --fail-on none "$deb" 2>&1 | grep '^[EW]:')"
	else
		skip 'deb: no lintian'
	fi
fi

# ---- the same bytes from another folder ----

if [[ -z ${SHORT:-} ]]; then
	mkdir -p "$scratch/elsewhere/build" && cp -r .packaging .github Makefile README.md LICENSE config hooks shim tests "$scratch/elsewhere"
	ln -s "$PWD/build/venv" "$scratch/elsewhere/build/venv"
	check 'dist: made elsewhere' '' "$(make -s -C "$scratch/elsewhere" dist 2>&1 >/dev/null)"
	for file in "$wheel" "$deb" "$debug"; do
		check "dist: the same bytes, ${file##*[0-9][_-]}" '' "$(cmp "$file" "$scratch/elsewhere/$file" 2>&1)"
	done
fi

echo "$passed passed, $failed failed, $skipped skipped"
[[ $failed = 0 ]]
