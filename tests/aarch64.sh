#!/usr/bin/env bash
# The object for AArch64 at work: cross-built, in a Debian Python for that machine, which qemu runs in user mode.
#
#     tests/aarch64.sh PYTHON     of a venv with the engine and the server (tests/setup.sh venv)
#
# Needs Debian's apt, a network, and root where qemu and the compiler are to be installed: else it says so, and counts as skipped.
# Not seen by this: child processes, Syscall User Dispatch, writes that the kernel tells of, pages other than of 4 KiB.
set -uo pipefail
cd "$(dirname "$0")/.."
python=$1
skip() { echo "skip $*"; echo "0 passed, 0 failed, 1 skipped"; exit 0; }

command -v apt-get >/dev/null || skip "this is no Debian"
command -v qemu-aarch64-static >/dev/null ||
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends qemu-user-static >>build/setup.log 2>&1 ||
	skip "qemu-aarch64-static is missing"
root=$(tests/setup.sh sysroot aarch64 libc6 python3.11-minimal python3.11 libpython3.11-minimal libpython3.11-stdlib libexpat1 zlib1g libssl3 \
	libffi8 libbz2-1.0 liblzma5 libsqlite3-0 libuuid1 libtinfo6 libcrypt1 libgcc-s1 libstdc++6) || skip "its Debian packages are not to be had"

# The engine's wheels for that machine, in the versions of tests/requirements.txt.
site=$PWD/build/sysroot/aarch64/site
grep -E '^(temporalio|nexus-rpc|protobuf|types-protobuf|typing_extensions)==' tests/requirements.txt >"$site.txt"
if ! cmp -s "$site.txt" "$site/.stamp"; then
	rm -rf "$site"
	"$python" -m pip install -q --disable-pip-version-check --no-deps --platform manylinux2014_aarch64 --platform manylinux_2_17_aarch64 \
		--python-version 3.11 --only-binary=:all: --target "$site" -r "$site.txt" >"$site.log" 2>&1 || skip "pip: $(tail -n 1 "$site.log")"
	cp "$site.txt" "$site/.stamp"
fi

make -s dist MACHINE=aarch64 >/dev/null || { echo "FAIL make dist MACHINE=aarch64"; echo "0 passed, 1 failed"; exit 1; }
wheel=$(echo build/dist/sandglass_preload-*-manylinux_2_28_aarch64.whl)
installed=$PWD/build/sysroot/aarch64/installed
rm -rf "$installed" && "$python" -m zipfile -e "$wheel" "$installed" || exit 1
object=$(echo "$installed"/*.data/data/lib/libsandglass.so)
chmod +x "$installed"/*.data/scripts/sandglass
version=$(sed -n 's/^VERSION := //p' Makefile)
[[ $(qemu-aarch64-static "$installed"/*.data/scripts/sandglass --version) == "sandglass $version" ]] ||
	{ echo "FAIL the command for AArch64 does not say its version"; echo "0 passed, 1 failed"; exit 1; }

wrapper=build/sysroot/aarch64/python
cat >"$wrapper" <<END
#!/bin/sh
unset LD_PRELOAD
exec qemu-aarch64-static -L '$root' -E PYTHONPATH='$site' -E LD_PRELOAD='$object' '$root/usr/bin/python3.11' "\$@"
END
chmod +x "$wrapper"
exec "$python" tests/aarch64/run.py "$PWD/$wrapper"
