#!/usr/bin/env bash
# The object as built here, on the Pythons 3.13 to 3.15 and the newer glibc of Debian forky, in a chroot under build/.
#
#   tests/forky.sh test [RESULTS]   layout, worker and differential tests inside; rows of the table go to the folder RESULTS
#   tests/forky.sh run COMMAND...   any command inside, for example: run env PYTHON=3.15 tests/run.sh demo
#
# Needs what tests/chroot.sh says.
set -uo pipefail
cd "$(dirname "$0")/.."

release=forky
script=sid # every newer release's
packages="python3.13 python3.13-venv python3.14 python3.14-venv python3.15 python3.15-venv"
suites=(guest)
layers=(layout workers differential)
. tests/chroot.sh
main "$@"
