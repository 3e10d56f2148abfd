#!/bin/sh
# How tests/run.sh judges a suite by its last line and its status: passed, failed and skipped, of programs whose end is known.
cd "$(dirname "$0")/.." || exit 2
passed=0 failed=0
. tests/check.sh

judged() { tests/run.sh judge sh -c "$1" 2>/dev/null; }
check 'all is well' '3 0 1' "$(judged 'echo 3 passed, 0 failed, 1 skipped')"
check 'of pytest' '3 2 1' "$(judged 'echo; echo == 2 failed, 3 passed, 1 skipped in 1.03s ==; exit 1')"
check 'of Check' '25 2 0' "$(judged 'echo 92%: Checks: 27, Failures: 1, Errors: 1; exit 1')"
check 'nothing is said' '0 1 0' "$(judged :)"
check 'nothing is said at the end' '0 1 0' "$(judged 'echo ok   one')"
check 'a crash before the end' '0 1 0' "$(judged 'echo ok   one; kill -SEGV $$')"
check 'all is well, with an error' '3 1 0' "$(judged 'echo 3 passed, 0 failed, 0 skipped; exit 1')"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
