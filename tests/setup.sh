#!/usr/bin/env bash
# Everything that building, testing and the demo need, found or installed. Quick when nothing is missing.
#
#   tests/setup.sh packages        compiler, make, libraries, one supported Python with venv
#   tests/setup.sh pythons         list the supported Pythons: "VERSION-TAG PATH", oldest first
#   tests/setup.sh pick [WANTED]   the same line for one Python: a path, a version ("3.12"), or the newest
#   tests/setup.sh venv TAG PATH [NAME FILE...]
#                                  make build/venv/TAG as tests/requirements.txt says, or build/venv/TAG-NAME as the
#                                  files say, and print its python
#   tests/setup.sh preloads        allocators that tests preload beside the object, and another C library; without them those tests are skipped
#   tests/setup.sh tools           make what `make dist` packs with, print its python
#   tests/setup.sh sysroot MACHINE [PACKAGE...]
#                                  a compiler for MACHINE, and Debian packages for it under build/sysroot: print where
#   tests/setup.sh server          install the Temporal server under build/tools, print its path
#
# PYTHON=PATH_OR_VERSION in the environment restricts "pythons" and "pick" to that one.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
die() { say "setup: $*"; exit 1; }

# Commands and libraries by what they provide, so that a machine without dpkg is judged as well.
missing_packages() {
	command -v gcc >/dev/null || echo gcc libc6-dev
	command -v make >/dev/null || echo make
	command -v nm >/dev/null || echo binutils
	command -v pkg-config >/dev/null || echo pkgconf
	if command -v gcc >/dev/null; then
		printf '#include <stdio.h>\n' | gcc -E - >/dev/null 2>&1 || echo libc6-dev
		[[ $(gcc -print-file-name=libinih.a) == */* ]] || echo libinih-dev
		[[ $(gcc -print-file-name=libcheck.a) == */* ]] || echo check
		printf '#include <gelf.h>\n' | gcc -E - >/dev/null 2>&1 || echo libelf-dev # for the command
		printf '#include <minizip/unzip.h>\n' | gcc -E - >/dev/null 2>&1 || echo libminizip-dev
	else
		echo libinih-dev check libelf-dev libminizip-dev
	fi
	[[ -e /etc/ssl/certs/ca-certificates.crt || ! -d /etc/apt ]] || echo ca-certificates
}

can_install() { [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; }

apt_updated=
apt_install() {
	say "setup: installing $*"
	export DEBIAN_FRONTEND=noninteractive
	if [[ -z $apt_updated ]]; then
		apt-get update >build/setup.log 2>&1 || say "setup: apt-get update failed, trying with what is known (build/setup.log)"
		apt_updated=1
	fi
	apt-get install -y --no-install-recommends "$@" >>build/setup.log 2>&1 || {
		tail -n 15 build/setup.log >&2
		die "apt-get could not install: $*"
	}
}

# One line for each usable interpreter: VERSION PATH VENV(yes|no). A program that is not one prints nothing.
describe() {
	env -u LD_PRELOAD -u PYTHONPATH -u PYTHONHOME "$1" -I - 2>/dev/null <<-'PY' || true
		import sys, os, sysconfig, importlib.util as u
		v = sys.version_info
		if (sys.implementation.name == "cpython" and (3, 10) <= v[:2] <= (3, 15) and sys.maxsize > 2**32
		        and not sysconfig.get_config_var("Py_GIL_DISABLED")):
		    venv = "yes" if u.find_spec("venv") and u.find_spec("ensurepip") else "no"
		    print("%d.%d.%d" % v[:3], os.path.realpath(getattr(sys, "_base_executable", sys.executable)), venv)
	PY
}

candidates() {
	local dir path
	if [[ ${PYTHON:-} == */* ]]; then
		printf '%s\n' "$PYTHON"
		return
	fi
	IFS=: read -ra dirs <<<"$PATH:/usr/local/bin:/usr/bin"
	for dir in "${dirs[@]}" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin; do
		[[ $dir == */shims ]] && continue # pyenv's shims lead to the versions listed anyway
		for path in "$dir"/python3 "$dir"/python3.1[0-5]; do
			[[ -x $path ]] && printf '%s\n' "$path"
		done
	done
}

tag_of() { # VERSION PATH
	case $2 in
	/usr/bin/*) echo "$1-${SYSTEM_TAG:-system}" ;;
	*/.pyenv/versions/*) echo "$1-pyenv" ;;
	*) echo "$1-$(printf %s "$2" | cksum | cut -d' ' -f1)" ;;
	esac
}

described() { # every usable interpreter once: VERSION PATH VENV, oldest first
	local path real
	declare -A seen=()
	while read -r path; do
		real=$(realpath "$path")
		# A virtual environment's python is a link to the real one: asked all the same, found once.
		[[ -n ${seen[$real]:-} ]] && continue
		seen[$real]=1
		describe "$path"
	done < <(candidates) | sort -u -t' ' -k2,2 | sort -V
}

pythons() {
	local version path venv
	while read -r version path venv; do
		if [[ -n ${PYTHON:-} && $PYTHON != */* && $version != "$PYTHON" && $version != "$PYTHON".* ]]; then
			continue
		fi
		if [[ $venv == no ]]; then
			say "setup: $path has no venv module, left out (Debian: apt-get install python${version%.*}-venv)"
			continue
		fi
		echo "$(tag_of "$version" "$path") $path"
	done < <(described)
}

packages() {
	local missing version path venv usable=
	mkdir -p build
	missing=$(missing_packages | xargs)
	if [[ -n $missing ]]; then
		# shellcheck disable=SC2086
		if can_install; then apt_install $missing; else
			die "missing: $missing. Install them, or run this as root on a Debian-like system."
		fi
	fi
	while read -r version path venv; do
		if [[ $venv == yes ]]; then
			usable=1
		elif [[ $path == /usr/bin/* ]] && can_install; then
			apt_install "python${version%.*}-venv" && usable=1
		fi
	done < <(described)
	if [[ -z $usable ]] && can_install && [[ -z ${PYTHON:-} ]]; then
		apt_install python3 python3-venv
		[[ -n $(described) ]] && usable=1
	fi
	[[ -n $usable ]] || die "no CPython 3.10 to 3.15 with its venv module was found${PYTHON:+ at $PYTHON}."
}

pick() {
	local line
	[[ -n ${1:-} ]] && PYTHON=$1
	line=$(pythons | tail -n 1)
	[[ -n $line ]] || die "no usable CPython 3.10 to 3.15${PYTHON:+ for PYTHON=$PYTHON}."
	echo "$line"
}

# fresh DIRECTORY KEY FILE...: true when DIRECTORY was made from exactly these; otherwise empties it.
fresh() {
	local dir=$1
	stamp=$(printf '%s\n' "$2" | cat - "${@:3}" | cksum)
	[[ -e $dir/.stamp && $(<"$dir/.stamp") == "$stamp" ]] && return 0
	rm -rf "$dir"
	return 1
}

pip_install() { # PYTHON LOG ARGUMENT...
	local python=$1 log=$2
	shift 2
	"$python" -m pip install --disable-pip-version-check --no-input --only-binary :all: "$@" >"$log" 2>&1 || {
		tail -n 15 "$log" >&2
		die "pip install failed (log: $log)"
	}
}

venv() { # TAG PATH [NAME FILE...]
	local dir=build/venv/$1${3:+-$3} files=(tests/requirements.txt)
	(($# > 3)) && files=("${@:4}")
	mkdir -p build/venv
	(
		flock 9
		fresh "$dir" "$2" "${files[@]}" && exit
		say "setup: making $dir"
		"$2" -m venv "$dir"
		pip_install "$dir/bin/python" "$dir/setup.log" "${files[@]/#/-r}"
		"$dir/bin/python" -m compileall -q "$dir" >/dev/null 2>&1 || true
		ln -s ../../../tools/server/bin/temporal "$dir/bin/temporal" # where tests look for the server
		printf '%s\n' "$stamp" >"$dir/.stamp"
	) 9>"$(dirname "$dir")/.$(basename "$dir").lock"
	echo "$PWD/$dir/bin/python"
}

preloads() {
	local name
	can_install || return 0
	command -v musl-gcc >/dev/null || (apt_install musl-tools) || true
	for name in jemalloc mimalloc tcmalloc-minimal; do
		[[ $(PATH=$PATH:/sbin ldconfig -p) == *"lib${name/-/_}.so."* ]] && continue
		[[ -n $apt_updated ]] || apt-get update >>build/setup.log 2>&1 || true
		apt_updated=1
		name=$(apt-cache pkgnames "lib$name" | grep -E "^lib$name[0-9.]+(t64)?\$" | sort -V | tail -n 1)
		[[ -z $name ]] || (apt_install "$name") || true
	done
}

# What `make dist` packs with; prints its python.
tools() {
	local tag path
	read -r tag path <<<"$(pick)"
	[[ -n $path ]] || exit 1
	venv "$tag" "$path" dist .packaging/requirements.txt
}

# Debian's packages for another machine, unpacked: nothing here is changed by them. Prints the folder.
sysroot() { # MACHINE [PACKAGE...]
	local machine=$1 dir=$PWD/build/sysroot/$1 architecture package options
	local -a packages=(libinih-dev libelf-dev zlib1g-dev libminizip-dev libzstd-dev "${@:2}")
	case $machine in x86_64) architecture=amd64 ;; aarch64) architecture=arm64 ;; *) die "$machine: no name at Debian" ;; esac
	[[ -e /usr/$machine-linux-gnu/include/stdio.h ]] && command -v "$machine-linux-gnu-gcc" >/dev/null ||
		{ mkdir -p build && can_install && apt_install "gcc-${machine/_/-}-linux-gnu" "libc6-dev-$architecture-cross"; } ||
		die "$machine-linux-gnu-gcc is missing, or its C library's headers"
	mkdir -p "$dir"/apt/{lists,archives}/partial "$dir/root"
	(
		flock 9
		options=(-q -o "APT::Architecture=$architecture" -o "APT::Architectures=$architecture" -o "Dir::State=$dir/apt" -o "Dir::State::lists=$dir/apt/lists"
			-o Dir::State::status=/dev/null -o "Dir::Cache=$dir/apt" -o APT::Sandbox::User=root)
		for package in "${packages[@]}"; do
			[[ -e $dir/.$package ]] && continue
			[[ -n $(ls "$dir"/apt/lists/*Packages* 2>/dev/null) ]] || apt-get "${options[@]}" update >"$dir/apt.log" 2>&1 || true
			(cd "$dir/apt" && apt-get "${options[@]}" download "$package") >>"$dir/apt.log" 2>&1 && dpkg-deb -x "$dir/apt/$package"_*.deb "$dir/root" ||
				die "no $package for $architecture (log: $dir/apt.log)"
			: >"$dir/.$package"
		done
	) 9>"$dir/.lock" || exit 1
	echo "$dir/root"
}

server() {
	local dir=build/tools/server tag path
	mkdir -p build/tools
	(
		flock 9
		fresh "$dir" "$(uname -m)" tests/requirements-server.txt && exit
		say "setup: installing the Temporal server"
		mkdir -p "$dir"
		read -r tag path <<<"$(pick)"
		"$path" -m venv build/tools/pip
		pip_install build/tools/pip/bin/python build/tools/server.log --target "$dir" -r tests/requirements-server.txt
		rm -rf build/tools/pip
		printf '%s\n' "$stamp" >"$dir/.stamp"
	) 9>build/tools/.lock
	echo "$PWD/$dir/bin/temporal"
}

case ${1:-} in
packages | pythons | pick | venv | preloads | server | tools | sysroot) "$@" ;;
*) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2 ;;
esac
