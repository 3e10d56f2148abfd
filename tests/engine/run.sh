#!/bin/sh
# Tests of the core with an engine of its own (engine.c, replay.py), which says where workflow code begins and ends, and no more.
#
#     sh tests/engine/run.sh build/test-engine/libsandglass.so
#
# PYTHON: the interpreter to use (default /usr/bin/python3). One line a check; the last one counts. Exits with 1 when a check
# failed. To repeat a single check, run this again with ONLY='text of its name'.
set -u

object=$(realpath "$1") || exit 2
here=$(realpath "$(dirname "$0")")
python=${PYTHON:-}
case $python in /*) ;; *) python=/usr/bin/python3 ;; esac
passed=0 failed=0
for name in $(env | sed -n 's/^\(SANDGLASS[A-Z_]*\)=.*/\1/p'); do unset "$name"; done

. "$here/../check.sh"

# worker [NAME=VALUE...]: a worker with the program on standard input; its output, and its status where it is not 0.
worker() {
	{ echo 'import acme, flows, replay'
	  echo 'settings = replay.Settings("acme")'
	  echo 'def run(workflow, identity="a", history=()): return replay.Run(workflow, settings, identity, history)'
	  cat; } >"$scratch/worker.py"
	env PYTHONPATH="$here" PYTHONDONTWRITEBYTECODE=1 LD_PRELOAD="$object" SANDGLASS_LOG="$scratch/log" "$@" \
		timeout 60 "$python" "$scratch/worker.py" 2>&1 || echo "status $?"
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

refusal='Cannot access time.time from inside a workflow'
has 'guards: a call is refused, with the exception of the engine' "replay.Refused: $refusal" "$(worker <<'END'
run(flows.reads_clock)
END
)"
has 'guards: the message has the words of the engine' 'Instead: replay.now() or replay.now().' "$(worker <<'END'
run(flows.reads_clock)
END
)"
has 'guards: a line that allows it does' 'True' "$(worker SANDGLASS_RULES=time.time=allow <<'END'
print(run(flows.reads_clock).asked > 0)
END
)"
check 'guards: outside of a run nothing is held' 'True' "$(worker <<'END'
import time
run(flows.asks_engine)
print(time.time() > 0)
END
)"
check 'guards: what is the same on replay passes, and so does what the engine gives' 'True (0, 1970)' "$(worker <<'END'
a, b = run(flows.asks_engine), run(flows.asks_engine)
print(a.asked == b.asked and a.asked != run(flows.asks_engine, "b").asked, a.asked[::2])
END
)"
has 'guards: a refusal that is caught is raised all the same' "replay.Refused: $refusal" "$(worker <<'END'
run(flows.swallows)
END
)"
has 'guards: ... and logged' 'event=swallowed workflow_id=a' "$(cat "$scratch/log")"
has 'guards: one by a library passes with a warning' 'True' "$(worker <<'END'
print(run(flows.reads_clock_by_library).asked)
END
)"
has 'guards: ... in the log' 'rule=time.time action=warn would=strict:block origin=passthrough' "$(cat "$scratch/log")"
has 'guards: ... and not in mode strict' "replay.Refused: $refusal" "$(worker SANDGLASS=strict <<'END'
run(flows.reads_clock_by_library)
END
)"

for isolation in shared private; do
	check "state: that of modules is the run's own ($isolation)" '1 1
2 2 3
0' "$(worker SANDGLASS_ISOLATION=$isolation <<'END'
a, b = run(flows.counts, "a"), run(flows.counts, "b")
print(a.asked, b.asked)
print(a.answer(5), b.answer(6), a.answer(7))
import state
print(len(state.seen))
END
)"
	check "state: a run that is replayed comes to the same ($isolation)" '3 3 4 4' "$(worker SANDGLASS_ISOLATION=$isolation <<'END'
a = run(flows.counts, "a", [5, 6])
other = run(flows.counts, "b", [1])
again = run(flows.counts, "a", a.history)
print(a.asked, again.asked, a.answer(7), again.answer(7))
END
)"
done
check 'state: without isolation it is everybody'"'"'s' '1 2' "$(worker SANDGLASS_ISOLATION=off <<'END'
print(run(flows.counts, "a").asked, run(flows.counts, "b").asked)
END
)"
check 'state: a library that the worker shares is shared' '1 2 [1, 1]' "$(worker <<'END'
print(run(flows.calls_library, "a").asked, run(flows.calls_library, "b").asked, acme.calls)
END
)"
check 'state: modules are executed once for all runs' '1' "$(worker SANDGLASS_LOG_LEVEL=info <<'END' >/dev/null
for i in range(3): run(flows.counts)
END
grep -c event=image "$scratch/log")"
check "state: context variables are the run's own" 'a b nobody' "$(worker <<'END'
a, b = run(flows.sets_variable, "a"), run(flows.sets_variable, "b")
a.answer("a"), b.answer("b")
print(a.answer(None), b.answer(None), flows.variable.get())
END
)"

check 'end: what the run has changed is freed' 'True False' "$(worker <<'END'
a = run(flows.leaves_something)
other = run(flows.counts, "b")
kept = a.asked() is not None
a.end()
other.answer(2) # a's content stays in place until another run needs it
print(kept, a.asked() is not None)
END
)"
check 'end: a generator is closed within its run' '[1]' "$(worker <<'END'
a, other = run(flows.leaves_something), run(flows.counts, "b")
other.answer(2)
a.end()
print(replay.closed)
END
)"
check 'end: one that is dropped ends as well' 'True False [1]' "$(worker <<'END'
import time
a, other = run(flows.leaves_something), run(flows.counts, "b")
reference, kept = a.asked, a.asked() is not None
del a
for i in range(1000):
    if replay.closed and other.answer(2) and reference() is None: break
    time.sleep(0.01)
print(kept, reference() is not None, replay.closed)
END
)"
check 'end: one that its own end drops, at exit' 'True' "$(worker <<'END'
a = run(flows.holds_itself)
print(a.step(a))
del a
END
)"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
