#!/bin/sh
# How tests/run.sh judges a suite by its last line and its status: passed, failed and skipped, of programs whose end is known;
# and what of it is run once more.
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
rows=$(mktemp -d)
echo 'it workers 7 2 1 9' >"$rows/workers-it.row"
printf '%s\n' '     cd / && true -m pytest a::b' '     cd / && false -m pytest a::c' >"$rows/workers-it.log.repeat"
check 'what failed beside others, once more' "again workers it: failed beside the other suites, and has passed alone: a::b it workers 8 1 1 9" \
	"$(echo $(tests/run.sh once-more "$rows" 2>/dev/null))"
echo 'it workers 7 60 1 9' >"$rows/workers-it.row"
check 'much that failed' 'it workers 7 60 1 9' "$(tests/run.sh once-more "$rows" 2>/dev/null)"
rm -r "$rows"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
