#!/bin/sh
# Tests of the command: build/sandglass.
#
#     sh tests/command/run.sh build/sandglass
#
# PYTHON: the interpreter to use (default /usr/bin/python3). FUZZ: seconds of fuzzing (default 10). SEED: its seed.
# One line a check; the last one counts. Exits with 1 when a check failed. To repeat a single check, run this
# again with ONLY='text of its name'.
set -u

command=$(realpath "$1") || exit 2
here=$(realpath "$(dirname "$0")")
root=$(realpath "$here/../..")
build=$(dirname "$command")
python=${PYTHON:-}
case $python in /*) ;; *) python=/usr/bin/python3 ;; esac
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0
cc=${CC:-cc}
unset LD_PRELOAD VIRTUAL_ENV
for name in $(env | sed -n 's/^\(SANDGLASS[A-Z_]*\)=.*/\1/p'); do unset "$name"; done
cd "$scratch" || exit 2

. "$root/tests/check.sh"

# sandglass ARGUMENT...: standard output and error, then the status.
sandglass() {
	timeout 60 "$command" "$@" 2>&1 </dev/null
	echo "status $?"
}

# verdict FILE...: the words at the start of its line, and the kinds of reasons that led there.
verdict() {
	timeout 60 "$command" audit --json "$@" 2>&1 | "$python" -c '
import json, sys
text = sys.stdin.read()
try:
    report = json.loads(text)
except ValueError:
    print(text)
    sys.exit()
for package in report["packages"]:
    kinds = {reason["kind"] for each in package["objects"] for reason in each["reasons"]}
    print(package["verdict"], *sorted(kinds))'
}

# ---- usage ----

check 'usage: no command' 'status 2' "$(sandglass | tail -n 1)"
has 'usage: a slip in the command' 'did you mean audit?' "$(sandglass audt)"
check 'usage: help' 'status 0' "$(sandglass help | tail -n 1)"
check 'usage: help of a command' "$(sandglass check --help)" "$(sandglass help check)"
has 'usage: help of none' 'did you mean check?' "$(sandglass help chek)"
check 'usage: version' 'sandglass' "$(sandglass --version | sed -n 's/ [0-9.]*$//p' | head -n 1)"
for sub in audit check completion doctor explain object report rules run status; do
	check "usage: $sub --help" 'status 0' "$(sandglass $sub --help | tail -n 1)"
	check "usage: $sub with an unknown option" 'status 2' "$(sandglass $sub --nonsense | tail -n 1)"
	has "usage: $sub says what is accepted" 'accepted: ' "$(sandglass $sub --nonsense)"
done
check 'usage: no width over 100' '' "$(for sub in audit check completion doctor explain object report rules run status; do sandglass $sub --help; done | awk 'length > 118')"
check 'usage: output that cannot be written' 'status 2' \
	"$("$command" explain >/dev/full 2>/dev/null; echo "status $?")"

# ---- run, explain, rules, completion, manual ----

check 'run: every setting is an option' '' "$(SANDGLASS_NO=1 sandglass run true | grep -o 'accepted: .*' | grep -o 'SANDGLASS[A-Z_]*' | \
	while read -r name; do sandglass run --help | grep -qE "^  --[a-z-]+ .*$name[:=]" || echo "$name"; done)"
for option in '--mode enforced' '--log stdout' '--level loud' '--log-format xml' '--summary x' '--rules time.tim=allow' '--config /nowhere' \
	'--passthrough 1' '--reload 1' '--isolation x' '--virtual x' '--native x' '--tz x/y' '--hashseed x' '--inherit x' '--world 0'; do
	has "run: a wrong value is told of ${option%% *}" "sandglass run: ${option%% *}" "$(sandglass run $option true | sed 's/environment: SANDGLASS_CONFIG/--config/')"
done
has 'run: a wrong variable is told of by its name' 'environment: SANDGLASS_TZ = x/y: ' "$(SANDGLASS_TZ=x/y sandglass run true)"
has 'check: a wrong option is told of by its name' 'sandglass check: --mode = strictt: unknown mode' "$(sandglass check --mode strictt x.py)"
has 'run: help has every source of --virtual' "$(SANDGLASS_VIRTUAL=x sandglass explain | sed -n 's/.*accepted: none, //p')" \
	"$(sandglass run --help | tr -s '\n ' ' ')"
has 'settings: the mode has no name of its own' 'unknown variable, did you mean SANDGLASS?;' "$(SANDGLASS_MODE=warn sandglass explain)"
has 'settings: what is near nothing' 'unknown variable; accepted' "$(SANDGLASS_FOO=1 sandglass explain)"
has 'settings: the end of a rule' 'did you mean datetime.datetime.now?' "$(SANDGLASS_RULES=datetime.now=warn sandglass explain)"
has 'settings: where rules are listed' '`sandglass rules` lists them' "$(SANDGLASS_RULES=no.such=warn sandglass explain)"
check 'run: options become variables' 'SANDGLASS=strict SANDGLASS_HARDENED=1 SANDGLASS_TZ=UTC ' \
	"$(sandglass run --mode=strict --tz UTC --hardened -- env | grep ^SANDGLASS | sort | tr '\n' ' ')"
check 'run: what follows the program is its own' '--mode x -- ' "$(sandglass run printf '%s ' --mode x -- | head -n 1 | sed 's/status.*//')"
has 'explain: a refusal that was pasted' 'by way of  uuid.uuid4 -> os.urandom' "$(sandglass explain 'x.RestrictedWorkflowAccessError: Cannot access uuid.uuid4 from inside a workflow, because it is made of entropy of the system. Called in f at /srv/shop.py:13, at run time (uuid.uuid4 -> os.urandom). Instead: workflow.uuid4(). To allow it')"
has 'explain: a refusal that a page has wrapped' 'called     in f at /srv/shop.py:13' "$(sandglass explain 'Cannot access uuid.uuid4 from
    inside a workflow, because it is made of entropy of the system. Called
    in f at /srv/shop.py:13, at run time (uuid.uuid4 -> os.urandom). Instead: workflow.uuid4(). To allow it')"
has 'explain: a line of the log' 'called     /srv/a.py:3 in run' "$(sandglass explain 'sandglass ts=1 pid=1 level=warn event=violation rule=time.time where=/srv/a.py:3 function=run')"
has 'explain: options name the setting of the rule' 'SANDGLASS_RULES=tempfile.*=allow' "$(sandglass explain 'Cannot access tempfile.NamedTemporaryFile from inside')"
has 'explain: what is shared goes by the rule of the setting that the message names' 'state.object action warn at run time' "$(sandglass explain \
	'Cannot change helperx.SEEN from inside a workflow, because it is state. Changed in run at /x.py:3, at run time. Instead: x. To allow it on this worker: SANDGLASS_RULES=state.object=allow' | tr -s '\n ' ' ')"
check 'explain: ... and names no other setting' '' "$(sandglass explain \
	'Cannot change helperx.SEEN from inside a workflow, because it is state. Changed in run at /x.py:3, at run time. Instead: x. To allow it on this worker: SANDGLASS_RULES=state.object=allow' | grep helperx.SEEN=)"
native='Cannot access getrandom from inside a workflow, because x. Called by native code (a/x.so) in f at /a.py:3, at run time. Instead: y. To allow it on this worker: a line "a/x.so = allow only=random | REASON" in section [native] of a file'
has 'explain: a refusal of compiled code' 'allow it on this worker: a line "a/x.so = allow only=random | REASON" in' "$(sandglass explain "$native" | tr -s '\n ' ' ')"
finding='orders/wf.py:13: error: uuid.uuid4: it is made of entropy of the system (in with_reference)'
has 'explain: a finding of check' 'called orders/wf.py:13 in with_reference' "$(sandglass explain "$finding" | tr -s '\n ' ' ')"
has 'explain: ... with its lines' 'by way of uuid.uuid4 -> os.urandom options' "$(sandglass explain "$finding
    by way of: uuid.uuid4 -> os.urandom
    instead: workflow.uuid4()
    history: orders/h.json" | tr -s '\n ' ' ')"
check 'explain: words of the engine that a message is about' '4 1 1' "$(sandglass explain uuid.uuid4 | grep -cE '(azure|dapr|durabletask|temporal): ') $(sandglass explain "$finding
    instead: workflow.uuid4()" | grep -cE '(azure|dapr|durabletask|temporal): [^a]') $(sandglass explain 'sandglass ts=1 pid=1 level=warn event=violation rule=uuid.uuid4 where=/a.py:3 function=run instead=ctx.uuid4()' | \
	grep -cE '(azure|dapr|durabletask|temporal): ')"
has 'explain: a finding without a rule' 'another clock' "$(sandglass explain 'wf.py:3: error: command 2 of the workflow is a; in world 2 it is b, made at c')"
has 'explain: ... of one world only' 'another clock' "$(sandglass explain 'wf.py:3: error: command 2 of the workflow, a timer, is made in one world only')"
check 'explain: ids of findings' 'load private replay world ' "$(for id in load private replay world; do sandglass explain $id | grep -q '^  finding ' && printf '%s ' $id; done)"
check 'explain: a message without its quotes' 'sandglass explain: Cannot access ...: several words; accepted: a message as one argument, in quotes
status 2' "$(sandglass explain Cannot access uuid.uuid4 from inside a workflow,)"
check 'explain: the mode that it speaks of' 'enforce warn strict' "$(sandglass explain time.time | sed -n 's/^  mode  *//p') $(SANDGLASS=warn sandglass explain time.time |
	sed -n 's/^  mode  *//p') $(SANDGLASS=strict sandglass explain | sed -n 's/.* what mode \([a-z]*\) does.*/\1/p')"
check 'explain: labels stand apart' '' "$(sandglass explain json.dumps | grep '^  [a-z]' | grep -v '^  .\{10\} ')"
has 'explain: text that is no message' 'neither a refusal nor' "$(sandglass explain 'what is this')"
has 'explain: a name without a rule' 'What it calls is judged where it ends' "$(sandglass explain json.dumps)"
check 'explain: a name without a rule is no rule' 'status 1' "$(sandglass explain json.dumps | tail -n 1)"
check 'rules: a pattern' 'time.sleep' "$(sandglass rules 'time.slee*' | sed -n 's/ =.*//p')"
check 'rules: none fits' 'status 1' "$(sandglass rules 'nowhere.*' | tail -n 1)"
check 'completion: bash' 'status --worlds' "$(cd "$build" && PATH=$build:$PATH bash -c '. <(sandglass completion bash)
	COMP_WORDS=(sandglass stat) COMP_CWORD=1; _sandglass; echo -n "${COMPREPLY[@]} "
	COMP_WORDS=(sandglass check --wor) COMP_CWORD=2; _sandglass; echo "${COMPREPLY[@]}"')"
check 'completion: another shell' 'status 2' "$(sandglass completion csh | tail -n 1)"
check 'manual: every sub-command' "$(sandglass help | sed -n 's/^  \([a-z]*\) .*/\1/p' | grep -v help | tr '[:lower:]' '[:upper:]')" \
	"$("$root/.packaging/man.sh" "$command" 2026-01-01 | sed -n 's/^.SH \([A-Z]*\)$/\1/p' | grep -vE 'NAME|SYNOPSIS')"

# ---- report ----

report=$(COMMAND=$command "$python" -m unittest discover -s "$here" -p 'test_*.py' 2>&1)
check 'report: test_report.py' OK "$(echo "$report" | tail -n 1)"
case $(echo "$report" | tail -n 1) in OK) ;; *) echo "$report" ;; esac

# ---- the preloaded object stays clean ----

check 'build: nothing of the command is in the object' '' \
	"$(nm "$build/libsandglass.so" 2>/dev/null | grep -E ' (elf_|gelf_|unz|sg_command_|sg_findings_)')"
check 'build: the command needs no library of its own' '' \
	"$(readelf -dW "$command" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -vE '^(libc|libm|ld-linux.*|libelf|libz|libminizip)\.so')"

# ---- audit: verdicts ----

cat >safe.c <<'END'
int PyInit_safe(void);
int PyInit_safe(void) { return 42; }
END
cat >unsafe.c <<'END'
#include <sys/random.h>
int PyInit_unsafe(void);
int PyInit_unsafe(void) { char b[4]; return (int)getrandom(b, 4, 0); }
END
cat >depends.c <<'END'
#include <stdlib.h>
char *PyInit_depends(void);
char *PyInit_depends(void) { return getenv("HOME"); }
END
cat >own.c <<'END'
#include <time.h>
time_t time(time_t *t) { return t ? *t : 7; }
int PyInit_own(void);
int PyInit_own(void) { return (int)time(0); }
END
cat >loads.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
void *PyInit_loads(void);
void *PyInit_loads(void) { return dlmopen(LM_ID_NEWLM, "libm.so.6", RTLD_NOW); }
END
echo 'int main(void) { return 0; }' >program.c
for clock in CLOCK_REALTIME CLOCK_MONOTONIC clock; do
	cat >$clock.c <<END
#include <time.h>
long PyInit_clock(int clock);
long PyInit_clock(int clock) { struct timespec t; clock_gettime($clock, &t); return t.tv_nsec + clock; }
END
	$cc -O2 -shared -fPIC -o $clock.plt.so $clock.c && $cc -O2 -shared -fPIC -fno-plt -o $clock.got.so $clock.c || exit 2
done
for name in safe unsafe depends own loads; do
	extra=
	[ $name = own ] && extra=-Wl,-Bsymbolic
	$cc -shared -fPIC $extra -o $name.so $name.c -ldl || exit 2
done
$cc -o program program.c
$cc -c -o relocatable.o safe.c
ar rcs archive.a relocatable.o
"$python" "$here/samples.py" "$scratch" || exit 2

check 'audit: --fail-on' '0 1 1 0' "$(for each in 'unsafe depends.so' 'depends depends.so' 'unsafe unsafe.so' 'never unsafe.so'; do
	"$command" audit --fail-on $each >/dev/null; printf '%s ' $?; done | sed 's/ $//')"
has 'audit: another threshold' 'accepted: unsafe, depends, never' "$(sandglass audit --fail-on x safe.so)"
check 'audit: code that calls nothing' 'safe' "$(verdict safe.so)"
check 'audit: entropy' 'unsafe random' "$(verdict unsafe.so)"
check 'audit: environment' 'depends environment' "$(verdict depends.so)"
check 'audit: its own copy of time, bound to itself' 'unsafe symbolic' "$(verdict own.so)"
cat >random.c <<'END'
int RAND_bytes(char *to, int size) { *to = 1; return size; }
int PyInit_random(char *to);
int PyInit_random(char *to) { return RAND_bytes(to, 1); }
END
$cc -w -shared -fPIC -Wl,-Bsymbolic -o random.so random.c || exit 2
check 'audit: its own copy of what nobody interposes, bound to itself' 'safe' "$(verdict random.so)"
cat >cpp.c <<'END'
int clocks(void) __asm__("_ZNSt6chrono3_V212system_clock3nowEv"), device(void) __asm__("_ZNSt13random_device9_M_getvalEv"),
	device_too(void) __asm__("_ZNSt13random_device16_M_getval_pretr1Ev");
int PyInit_cpp(void) { return clocks() + device() + device_too(); }
END
$cc -w -shared -fPIC -o cpp.so cpp.c || exit 2
has 'audit: C++ by the names of its people' 'time of day: std::chrono::system_clock::now;' "$(sandglass audit cpp.so)"
has 'audit: ... each once' 'process: std::random_device;' "$(sandglass audit cpp.so)"
check 'audit: a namespace of its own' 'unsafe namespace' "$(verdict loads.so)"
cat >vdso.c <<'END'
#include <sys/auxv.h>
const char *PyInit_vdso(void);
const char *PyInit_vdso(void) { return getauxval(AT_SYSINFO_EHDR) ? "__vdso_clock_gettime" : "none"; }
END
cat >go.c <<'END'
__attribute__((section(".note.go.buildid"), used, aligned(4)))
static const struct { unsigned int name_size, size, type; char name[4], id[8]; } note = {4, 8, 4, "Go\0", "aa/bb/c"};
END
$cc -shared -fPIC -o vdso.so vdso.c && $cc -shared -fPIC -o go.so go.c || exit 2
check 'audit: code that looks for the clock of the vDSO' 'unsafe vdso' "$(verdict vdso.so)"
check 'audit: a Go runtime in a library' 'unsafe go' "$(verdict go.so)"
check 'audit: no section headers' 'unsafe no-sections random' "$(verdict stripped.so)"
check 'audit: packed with UPX' 'unsafe packed random' "$(verdict upx.so)"
if $cc -static -o static program.c 2>/dev/null; then
	has 'audit: a static program' ' static' "$(verdict static)"
	check 'audit: a static program is not safe' 'status 1' "$(sandglass audit static | tail -n 1)"
fi
has 'audit: code for another machine' ' machine' "$(verdict foreign.so)"
case $(uname -m) in x86_64)
	$cc -shared -o instructions.so "$here/instructions.s" || exit 2
	check 'audit: instructions, and bytes that look like them' 'raw-syscall 2 rdtsc 5 rdrand 2 rdseed 1' \
		"$("$command" audit --json instructions.so | "$python" -c '
import json, re, sys
reasons = json.load(sys.stdin)["packages"][0]["objects"][0]["reasons"]
counts = {r["kind"]: re.search(r": (\d+)", r["text"])[1] for r in reasons}
print(*(f"{kind} {counts.get(kind)}" for kind in ("raw-syscall", "rdtsc", "rdrand", "rdseed")))')"
	printf '\t.text\n\t.globl f\nf:\trdtsc\n\tret\n\t.section .note.GNU-stack,"",@progbits\n' >place.s
	$cc -shared -Wl,--section-start=.text=0x40123 -o place.so place.s || exit 2
	has 'audit: the place of an instruction is its address' "the first at 0x$(nm place.so | sed -n 's/^0*\([^ ]*\) T f$/\1/p');" \
		"$(sandglass audit place.so)"
	mkdir -p counted/group && cp place.so instructions.so counted/group
	has 'audit: instructions of several objects are added up' "possible reading of the processor's clock: 6 in all; in" \
		"$(sandglass audit counted)"
	for way in plt got; do
		check "audit: the time of day ($way)" 'unsafe clock' "$(verdict CLOCK_REALTIME.$way.so)"
		check "audit: a monotonic clock ($way)" 'depends monotonic' "$(verdict CLOCK_MONOTONIC.$way.so)"
		check "audit: a clock that the caller names ($way)" 'depends clock' "$(verdict clock.$way.so)"
	done
	printf '\t.text\n\t.globl f\nf:\t.incbin "code.bin"\n\t.section .note.GNU-stack,"",@progbits\n' >packed.s
	$cc -shared -o packed.so packed.s
	has 'audit: code that looks like noise' ' packed' "$(verdict packed.so)"
esac
check 'audit: status when all is safe' 'status 0' "$(sandglass audit safe.so | tail -n 1)"
check 'audit: status when something depends' 'status 0' "$(sandglass audit depends.so | tail -n 1)"
check 'audit: status when something is not safe' 'status 1' "$(sandglass audit safe.so unsafe.so | tail -n 1)"
check 'audit: the configuration can allow it' 'safe' \
	"$(printf '[native]\nunsafe.so = allow only=random | a test\n' >allow.conf; SANDGLASS_CONFIG=$scratch/allow.conf verdict unsafe.so)"
has 'audit: a configuration that is not valid' 'accepted: ' "$(SANDGLASS=nonsense sandglass audit safe.so)"
check 'audit: SANDGLASS=off changes nothing' 'unsafe random' "$(SANDGLASS=off verdict unsafe.so)"

# ---- audit: packages ----

check 'audit: an environment, by RECORD' 'safe one None one.libs/libhelp.so.1
unsafe One_Dist 2.0 one/_one.so tool
depends Top 0.1 odd,name/x.so shared_top.so' \
	"$("$command" audit --json venv 2>/dev/null | "$python" -c '
import json, sys
for p in json.load(sys.stdin)["packages"]:
    print(p["verdict"], p["name"], p["version"],
          *sorted(o["path"].split("site-packages/")[-1].split("bin/")[-1] for o in p["objects"]))')"
mkdir -p programs/bin && cp program programs/bin
check 'audit: nothing but programs: not judged' 'not judged            bin (1 program)
1 package, 1 object: 0 safe, 0 depend on arguments, 0 not safe, 1 not judged; 0 problems' \
	"$(sandglass audit programs | grep -E '^(not|1)')"
check 'audit: ... nor in JSON' '0 1 False not judged not judged' "$("$command" audit --json programs | "$python" -c '
import json, sys
report = json.load(sys.stdin)
print(report["summary"]["safe"], report["summary"]["programs"], report["packages"][0]["counts"],
      report["packages"][0]["verdict"], report["packages"][0]["objects"][0]["verdict"])')"
mkdir -p itself/lib/python3.13/site-packages/sandglass_preload-1.0.dist-info itself/bin installed && cp safe.so itself/lib/python3.13/site-packages
cp unsafe.so itself/lib/libsandglass.so && cp unsafe.so itself/bin/sandglass && cp unsafe.so installed/libsandglass.so
printf '../../../bin/sandglass,,\n../../libsandglass.so,,\n' >itself/lib/python3.13/site-packages/sandglass_preload-1.0.dist-info/RECORD
check 'audit: Sandglass itself is left out' 'safe to pass through  safe (1 extension)
1 package, 1 object: 1 safe, 0 depend on arguments, 0 not safe, 0 not judged; 0 problems
2 objects of Sandglass itself left out
status 0' "$(sandglass audit itself | sed '/^$/d')"
has 'audit: ... also without its distribution' '1 object of Sandglass itself left out' "$(sandglass audit installed)"
check 'audit: ... but where it is named' 'status 1' "$(sandglass audit installed/libsandglass.so | tail -n 1)"
mkdir -p alike/group && cp unsafe.so alike/group && cp unsafe.so alike/group/other.so
check 'audit: what is allowed to some objects of a package' 'by [native] of the configuration, not for each object: random
by [native] of the configuration: random' \
	"$(for object in unsafe.so '*.so'; do printf '[native]\n%s = allow only=random | a test\n' "group/$object" >some.conf
		SANDGLASS_CONFIG=$scratch/some.conf sandglass audit alike | sed -n 's/^    allowed *//p'; done)"
check 'audit: a wheel' 'unsafe random' "$(verdict acme_tools-1.5-py3-none-any.whl)"
has 'audit: a wheel, by name' 'acme_tools 1.5 (1 extension)' "$(sandglass audit acme_tools-1.5-py3-none-any.whl)"
check 'audit: a wheel that is not compressed' 'unsafe random' "$(verdict stored-1-py3-none-any.whl)"
check 'audit: the schema' 'counts name objects root verdict version' "$("$command" audit --json safe.so nosuch 2>/dev/null | "$python" -c '
import json, sys
report = json.load(sys.stdin)
assert list(report) == ["schema", "version", "summary", "packages", "problems"], list(report)
assert report["schema"] == "sandglass-audit/1" and report["problems"][0]["path"] == "nosuch"
assert set(report["summary"]) == {"packages", "objects", "safe", "depends", "unsafe", "programs", "problems"}
assert set(report["packages"][0]["objects"][0]) == {"path", "kind", "machine", "verdict", "counts", "symbolic",
                                                    "allowed", "reasons"}
print(*sorted(report["packages"][0]))')"
check 'audit: the same object many times' 'unsafe random' "$(verdict many)"
check 'audit: no line over 100 columns' '' "$("$command" audit venv safe.so unsafe.so 2>/dev/null | awk 'length > 100')"

# ---- audit: what cannot be read ----

# one_line NAME TEXT PATH...: exactly one sentence on standard error, with the text in it, and status 2.
one_line() {
	name=$1 text=$2
	shift 2
	error=$(timeout 60 "$command" audit "$@" 2>&1 >/dev/null </dev/null)
	check "audit: $name: one line" 1 "$(printf '%s\n' "$error" | wc -l)"
	has "audit: $name" "$text" "$error"
	check "audit: $name: status" 'status 2' "$(sandglass audit "$@" | tail -n 1)"
}
one_line 'no such file' 'No such file' nosuch
one_line 'text' 'neither an ELF file nor a wheel; accepted: ' safe.c
one_line 'a device' 'neither a file nor a directory' /dev/null
one_line 'a fifo' 'neither a file nor a directory' hostile/fifo.so
one_line 'a relocatable file' 'relocatable file (.o); accepted: ' relocatable.o
one_line 'a static archive' 'neither an ELF file nor a wheel' archive.a
one_line 'a link to itself' 'leads to itself' hostile/loop
one_line 'an empty file' 'empty file' hostile/empty.so
one_line 'a wheel cut off' 'truncated' cut-1-py3-none-any.whl
one_line 'a wheel with a damaged member' 'damaged member' flipped-1-py3-none-any.whl
one_line 'an encrypted wheel' 'encrypted' locked-1-py3-none-any.whl
one_line 'more sections than there can be' 'sections' sections.so
one_line 'directories without end' 'deeper than 100' deep
for file in truncated/*.so; do
	one_line "truncated to $(basename "$file" .so) bytes" 'audit: truncated/' "$file"
done
check 'audit: a hostile directory, a line each' 'a symbolic link that leads to itself
empty file
named as a shared object, but not an ELF file
named as a shared object, but not an ELF file
the link leads nowhere: No such file or directory' \
	"$("$command" audit hostile 2>&1 >/dev/null | sed 's/^sandglass audit: [^:]*: //' | sort)"
printf 'INPUT ( /lib/libm.so.6 )\n' >libm.so && mkdir scripts && mv libm.so scripts
check 'audit: a script for the linker is not a problem' 'status 0' "$(sandglass audit scripts | tail -n 1)"
has 'audit: a name with a line break' 'new\x0aline.so' "$("$command" audit hostile 2>&1 >/dev/null)"
check 'audit: a terminal is not steered' '' "$("$command" audit strange-1-py3-none-any.whl | tr -d '\n\40-\176')"
check 'audit: strange names in JSON' 'unsafe random' "$(verdict strange-1-py3-none-any.whl)"
check 'audit: a file of many gigabytes, in little memory' 'status 1' \
	"$(ulimit -v 400000; sandglass audit sparse.so | tail -n 1)"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 755 . && mkdir -p closed/inner && cp safe.so closed && chmod 700 closed/inner && chmod 600 closed/safe.so
	check 'audit: files that may not be read' 'cannot be opened: Permission denied
cannot be opened: Permission denied' \
		"$(setpriv --reuid=65534 --regid=65534 --clear-groups "$command" audit closed 2>&1 >/dev/null |
			sed 's/^sandglass audit: [^:]*: //')"
fi

# ---- audit: fuzzing ----

if [ -x "$build/command/fuzz" ]; then
	seed=${SEED:-$(date +%s)}
	echo "     fuzz: SEED=$seed, ${FUZZ:-10} s"
	result=$("$build/command/fuzz" "${FUZZ:-10}" "$seed" CLOCK_MONOTONIC.plt.so program stripped.so \
		acme_tools-1.5-py3-none-any.whl stored-1-py3-none-any.whl 2>&1)
	status=$?
	echo "     fuzz: $(printf %s "$result" | tail -n 1)"
	check "audit: damaged at random (SEED=$seed)" 0 "$status"
	[ $status = 0 ] || { mkdir -p "$build/test" && cp CLOCK_MONOTONIC.plt.so program stripped.so ./*.whl "$build/test"; }
fi

# ---- explain ----

explained=$(sandglass explain time.time)
has 'explain: a rule' 'block at run time' "$explained"
has 'explain: how to allow' 'SANDGLASS_RULES=time.time=allow' "$explained"
has 'explain: where it is stated' 'default.conf:' "$explained"
has 'explain: the end of a name' 'uuid.uuid4' "$(sandglass explain uuid4)"
has 'explain: a pattern' 'os.path.exists' "$(sandglass explain 'os.path.ex*')"
has 'explain: a trusted module' 'trusted' "$(sandglass explain logging)"
has 'explain: a slip' 'did you mean time.time?' "$(sandglass explain time.tim)"
check 'explain: no such rule' 'status 1' "$(sandglass explain no.such.rule | tail -n 1)"
has 'explain: the environment counts' 'allow at run time' "$(SANDGLASS_RULES=time.time=allow sandglass explain time.time)"
has 'explain: so does the mode' 'block through a passed-through library' "$(SANDGLASS=strict sandglass explain os.getpid | tr -s '\n ' ' ')"
has 'explain: what a library is given' 'block at run time, warn while the workflow is imported, answer through' \
	"$(sandglass explain time.time | tr -s '\n ' ' ')"
has 'explain: what everybody is given' 'answer at run time' "$(SANDGLASS=answer sandglass explain time.time)"
has 'explain: answers that are switched off' 'warn through' "$(SANDGLASS_VIRTUAL=none sandglass explain time.time | tr -s '\n ' ' ')"
printf '[rules]\nacme.now = block | it says so | nothing\n' >acme.conf
has 'explain: so do files' 'acme.conf:2' "$(SANDGLASS_CONFIG=$scratch/acme.conf sandglass explain acme.now)"
check 'explain: off' 'SANDGLASS=off: nothing of this is in force.' "$(SANDGLASS=off sandglass explain time.time | head -n 1)"
check 'explain: a bad configuration' 'status 2' "$(SANDGLASS_RULES=x sandglass explain | tail -n 1)"
check 'explain: every rule is listed' "$(cat "$root"/hooks/*/rules.conf | grep -cE '^[A-Za-z_][A-Za-z0-9_.]* *=.*\|')" \
	"$(sandglass explain | sed -n 's/^\([0-9]*\) rules\..*/\1/p')"

# ---- rules ----

check 'rules: every line of every part' "$(cat "$root"/config/*.conf "$root"/hooks/*/rules.conf "$root"/hooks/engines/*/*.conf | grep . | sort)" \
	"$("$command" rules | grep . | sort)"
check 'rules: settings first, then families by name' 'config/default.conf
hooks/*/rules.conf' "$("$command" rules >whole; "$command" rules | head -n "$(wc -l <"$root/config/default.conf")" |
		cmp -s - "$root/config/default.conf" && echo config/default.conf
	for part in $(LC_ALL=C ls "$root"/hooks/*/rules.conf); do echo; cat "$part"; done >rules
	tail -c "$(wc -c <rules)" whole | cmp -s - rules && echo 'hooks/*/rules.conf')"
check 'rules: the manual tells of each condition (when= in config/default.conf)' '' "$(
	awk '/sg_condition_entry conditions/ { on = 1 } on { print } /{NULL, NULL}/ { on = 0 }' "$root"/hooks/*/*.c | grep -o '{"[a-z-]*"' | tr -d '{"' | while read -r name; do
		"$command" rules | grep -qE "^#  +$name(:N)? " || echo "$name"; done)"
check 'rules: a file of its own reads the same' 'status 0' "$("$command" rules >own.conf
	SANDGLASS_CONFIG=$scratch/own.conf sandglass explain time.time | tail -n 1)"

# ---- doctor ----

check 'doctor: this Python' 'status 0' "$(sandglass doctor "$python" | tail -n 1)"
has 'doctor: the preload is tried' 'ok    preload        takes effect' "$(sandglass doctor "$python")"
has 'doctor: its last line' 'ready once this Python has an engine' "$(sandglass doctor "$python" | grep -v ^status | tail -n 1)"
has 'doctor: a variable that is no setting' 'mend this first: configuration: SANDGLASS_OBJECT is set, and is no setting of Sandglass' \
	"$(SANDGLASS_OBJECT=x sandglass doctor "$python" | tail -n 2)"
check 'doctor: such a variable hides nothing else' 'yes 1' "$(SANDGLASS_OBJECT=x sandglass doctor "$python" | grep -q '^ok    preload' && echo yes) $(SANDGLASS_OBJECT=x sandglass doctor "$python" | grep -c ^FAIL)"
check 'doctor: --json' 'True None fail False python' "$(for each in "$python" /bin/ls; do "$command" doctor --json $each; done | "$python" -c '
import json, sys
good, bad = json.loads("[" + sys.stdin.read().replace("}\n{", "},{") + "]")
print(good["ready"], good["mend"], bad["checks"][-1]["state"], bad["ready"], bad["mend"].split(":")[0])')"
"$python" -m venv --without-pip folder-of-venv >/dev/null
has 'doctor: the folder of a virtual environment' "$scratch/folder-of-venv/bin/python" "$(sandglass doctor folder-of-venv)"
check 'doctor: not a Python' 'status 1' "$(sandglass doctor /bin/ls | tail -n 1)"
check 'doctor: no such program' 'status 1' "$(sandglass doctor /no/such | tail -n 1)"
has 'doctor: a bad configuration' 'FAIL  configuration' "$(SANDGLASS=nonsense sandglass doctor "$python")"
printf '#!/bin/sh\nunset LD_PRELOAD\nexec %s "$@"\n' "$python" >wrapper && chmod +x wrapper
has 'doctor: a wrapper that clears LD_PRELOAD' 'FAIL  preload' "$(sandglass doctor ./wrapper)"
cat >fake <<'END'
#!/bin/sh
printf 'implementation=cpython\nversion=3.13.1\nminor=13\nbits=64\nexecutable=/fake\nthreaded=1\nmusl=1\nlibc=\n'
END
chmod +x fake
has 'doctor: free-threaded' 'FAIL  build          free-threaded' "$(sandglass doctor ./fake)"
has 'doctor: a debug build' 'FAIL  build          a debug build' "$(sed 's/threaded=1/threaded=0\\ndebug=1/' fake >fake-debug && chmod +x fake-debug && sandglass doctor ./fake-debug)"
has 'doctor: musl' 'FAIL  libc           musl' "$(sandglass doctor ./fake)"
has 'doctor: a log that cannot be written' 'mend this first: log: SANDGLASS_LOG = /nowhere/x.%p: cannot be opened for writing (No such file' \
	"$(SANDGLASS_LOG=/nowhere/x.%p sandglass doctor "$python" | tail -n 2)"
check 'doctor: a log that can, and is not made' 'ok    log            ./made.%p can be written ' "$(SANDGLASS_LOG=./made.%p sandglass doctor "$python" | grep ' log ' | tr '\n' ' '; ls made.* 2>/dev/null)"
printf '#!/bin/sh\necho "%s" >&2\n' "$(i=0; while [ $i -lt 80 ]; do printf 'trouble%s ' $i; i=$((i + 1)); done)" >wordy && chmod +x wordy
check 'doctor: what it quotes ends with a word' 'trouble39 ...' "$(sandglass doctor ./wordy | grep '^not ready' | grep -o 'trouble[^ ]* \.\.\.$')"
mkdir alone && cp "$command" alone
has 'doctor: no object' 'FAIL  object' "$(alone/sandglass doctor "$python" 2>&1)"

# ---- run ----

maps='print("libsandglass" in open("/proc/self/maps").read())'
check 'run: the object is in the program' 'True
status 0' "$(sandglass run -- "$python" -c "$maps")"
check 'run: without the dashes' 'status 3' "$(sandglass run sh -c 'exit 3')"
check 'run: settings' "SANDGLASS=warn
SANDGLASS_LOG=/tmp/x.%p
status 0" "$(sandglass run --mode warn --log=/tmp/x.%p -- sh -c 'env | grep ^SANDGLASS | sort')"
check 'run: in front of another preload' "$build/libsandglass.so:/lib/other.so" \
	"$(LD_PRELOAD=/lib/other.so "$command" run -- "$python" -c 'import os; print(os.environ["LD_PRELOAD"])' 2>/dev/null)"
check 'run: not twice' "$build/libsandglass.so" \
	"$(LD_PRELOAD=$build/libsandglass.so "$command" run -- "$python" -c 'import os; print(os.environ["LD_PRELOAD"])')"
check 'run: no such program' 'status 127' "$(sandglass run -- no-such-program | tail -n 1)"
check 'run: not a program' 'status 126' "$(sandglass run -- "$scratch" | tail -n 1)"
check 'run: no program' 'status 2' "$(sandglass run --mode warn | tail -n 1)"
has 'run: a bad mode' 'did you mean "enforce"?' "$(sandglass run --mode enforced -- true)"
check 'run: no object' 'status 2' "$(alone/sandglass run -- true >/dev/null 2>&1; echo "status $?")"
check 'object: beside the command' "$build/libsandglass.so
status 0" "$(sandglass object)"
check 'object: none' 'status 2' "$(alone/sandglass object >/dev/null 2>&1; echo "status $?")"
mkdir -p prefix/bin prefix/lib/sandglass 'with blank' && cp "$command" prefix/bin && cp "$build/libsandglass.so" prefix/lib
check 'run: installed' "$scratch/prefix/lib/libsandglass.so" \
	"$(prefix/bin/sandglass run -- "$python" -c 'import os; print(os.environ["LD_PRELOAD"])')"
check 'object: installed' "$scratch/prefix/lib/libsandglass.so" "$(prefix/bin/sandglass object)"
ln -s "$python" prefix/bin/python
has 'doctor: the Python beside the command' "$scratch/prefix/bin/python" "$(prefix/bin/sandglass doctor)"
rm prefix/bin/python
mv prefix/lib/libsandglass.so prefix/lib/sandglass
check 'object: installed, in a folder of its own' "$scratch/prefix/lib/sandglass/libsandglass.so" "$(prefix/bin/sandglass object)"
cp "$command" "$build/libsandglass.so" 'with blank'
has 'run: a directory with a blank in its name' 'accepted: a directory without' "$('with blank/sandglass' run -- true 2>&1)"

# ---- make install ----

if command -v make >/dev/null && [ -e "$build/gen/default.conf" ]; then
	make -s -C "$root" -o all install B="$build" DESTDIR="$scratch/destination" PREFIX=/usr >/dev/null 2>&1
	check 'install: all that there is' './usr/bin/sandglass
./usr/lib/libsandglass.so
./usr/share/bash-completion/completions/sandglass
./usr/share/doc/sandglass/README.md
./usr/share/fish/vendor_completions.d/sandglass.fish
./usr/share/man/man1/sandglass.1
./usr/share/sandglass/default.conf
./usr/share/zsh/site-functions/_sandglass' "$(cd destination && find . -type f -size +0 | LC_ALL=C sort)"
	make -s -C "$root" uninstall B="$build" DESTDIR="$scratch/destination" PREFIX=/usr >/dev/null 2>&1
	check 'install: and away again' '' "$(find destination -type f)"
fi

# ---- status ----

# waiting SETTING...: a Python that runs with the object and them, and imports no engine; $worker is its number.
waiting() {
	env "$@" LD_PRELOAD="$build/libsandglass.so" "$python" -c 'import time; print(flush=True); time.sleep(60)' >started &
	worker=$!
	tries=0
	while [ ! -s started ] && [ $((tries += 1)) -le 400 ] && kill -0 $worker 2>/dev/null; do sleep 0.05; done
}
waiting SANDGLASS_LOG=logs/x.%p.log
check 'status: the object and the log of a process' "  object       $build/libsandglass.so
  mode         enforce
  log          $scratch/logs/x.$worker.log" "$(sandglass status $worker | grep -E '^  (object|mode|log) ')"
kill $worker; wait $worker 2>/dev/null
: >started
waiting SANDGLASS=nonsense
has 'status: wrong settings' 'SANDGLASS = nonsense: unknown mode' "$(sandglass status $worker)"
check 'status: ... are no mode' '  mode         none: the worker ends when it imports an engine
- waiting' "$(sandglass status $worker | grep '^  mode'; sandglass status --all | awk "\$1 == $worker { print \$2, \$3 }")"
kill $worker; wait $worker 2>/dev/null
: >started
waiting SANDGLASS=off
check 'status: --all has those that are off' 'off off' "$(sandglass status --all | awk "\$1 == $worker { print \$2, \$3 }")"
kill $worker; wait $worker 2>/dev/null
check 'status: metrics of a process without it' "sandglass_guarded{pid=\"$$\"} 0" "$(sandglass status --prometheus $$ 2>/dev/null | grep '^sandglass_')"
cat >words.c <<'END'
#include <stdio.h>
#include <unistd.h>
char text[4096] __attribute__((aligned(8))) = "sandglass status 4242, typed into a shell, and more text behind it";
int main(void) { puts(text); fflush(stdout); return (int)sleep(60); }
END
$cc -o words words.c || exit 2
: >started
./words >started &
worker=$!
tries=0
while [ ! -s started ] && [ $((tries += 1)) -le 400 ]; do sleep 0.05; done
has 'status: words that only look like it' 'Sandglass is not in this process' "$(sandglass status $worker)"
kill $worker; wait $worker 2>/dev/null
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	cp "$command" sandglass-copy && chmod 755 . sandglass-copy
	has 'status: how many may not be looked at' ' may not be looked at: ' \
		"$(setpriv --reuid=65534 --regid=65534 --clear-groups ./sandglass-copy status 2>&1 | tail -n 1)"
fi

echo "$passed passed, $failed failed"
[ $failed = 0 ]
