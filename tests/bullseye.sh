#!/usr/bin/env bash
# The object as built here, on the older glibc (2.31) of Debian bullseye, in a chroot under build/, with a CPython 3.13 that is
# built inside from the sources of Debian trixie: bullseye's own Python is older than those that are served.
#
#   tests/bullseye.sh test [RESULTS]   worker tests inside; their row of the table goes to the folder RESULTS
#   tests/bullseye.sh run COMMAND...   any command inside, for example: run tests/run.sh demo
#
# Needs what tests/chroot.sh says.
set -uo pipefail
cd "$(dirname "$0")/.."

release=bullseye
script=bullseye
packages="gcc libc6-dev make dpkg-dev xz-utils zlib1g-dev libssl-dev libffi-dev libbz2-dev liblzma-dev libsqlite3-dev uuid-dev python3"
suites=(workers tests/workers/test_{alone,images,main_worker,modes,snippets,temporal,verdicts}.py)
layers=(workers)
. tests/chroot.sh

furnish() { # MIRROR
	cp -L /usr/share/keyrings/debian-archive-keyring.gpg "$root/usr/share/keyrings/trixie.gpg"
	echo "deb-src [signed-by=/usr/share/keyrings/trixie.gpg] $1 trixie main" >"$root/etc/apt/sources.list.d/trixie.list"
	enter /root sh -ec '
		apt-get update
		apt-get source --download-only python3.13
		mkdir -p python && tar -xf python3.13_*.orig.tar.xz -C python --strip-components 1
		cd python && ./configure --prefix=/usr/local --enable-shared LDFLAGS=-Wl,-rpath,/usr/local/lib
		make -s -j"$(nproc)" && make -s altinstall
		python3.13 -c "import ctypes, ssl, sqlite3" && rm -rf /root/python*'
}

main "$@"
