"""Do the fast tests notice when the code is wrong? One operator or constant of the code that decides verdicts and swaps state is
changed at a time; the object is built with it in a copy of the sources, and the tests of that code are run until one fails.

    COUNT=20 SEED=1 make mutants     how many, and which ones; one takes half a minute, a survivor three

All of them would take days, so this is a sample: "N of M mutants, seed S". Prints each change with the test that noticed it, and
the score. Of changes that do not compile, or whose machine code is the same as without, another is taken. What is known of
survivors stands in SURVIVORS. Exit status 1 when others do.
"""
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COPY = ROOT / "build" / "mutants"
SECONDS = 400  # for one step, which takes two minutes on a busy machine; one that takes longer has noticed

# Which sources, and the tests that can see them. Unit tests and what needs no server come first.
PARTS = {
    "verdicts": (["shim/guard/decide.c", "shim/guard/origin.c", "shim/guard/arm.c", "shim/run/policy.c", "shim/import/modules.c",
                  "shim/import/importer.c", "config/rules.c", "hooks/*/conditions.c"],
                 ["verdicts", "modes", "advice", "snippets"]),
    "native": (["shim/native/native.c", "shim/native/caller.c", "config/native.c"], ["native"]),
    "state": (["shim/state/*.c", "shim/shared/*.c", "shim/interpreter/containers.c"], ["images", "held", "preparing"]),
}

CHANGES = [(re.compile(pattern), replacement) for pattern, replacement in (
    (r"==", "!="), (r"!=", "=="), (r"&&", "||"), (r"\|\|", "&&"), (r"<=", "<"), (r"(?<![->])>=", ">"),
    (r"(?<!<)<(?![<=])", "<="), (r"(?<![->])>(?![>=])", ">="), (r"!(?=[a-z_(*])", ""), (r"\btrue\b", "false"),
    (r"\bfalse\b", "true"), (r"(?<=[ (])\+(?= )", "-"), (r"(?<=[a-z0-9)\]]) -(?= )", " +"), (r"\+\+", "--"), (r"(?<!-)--", "++"),
    (r"\b[0-9]+\b(?!\s*[\]*])", lambda found: str(int(found[0]) + 1)))]

# (file, function, part of the line): what is known of a change there that no test notices.
SURVIVORS = {
    ("state_code.c", "restore_registry", "i < 2"): "abstract.h: what a class of the workflow's has answered is remembered for the run, its own caches stay empty",
    ("changes.c", "sg_slots_renew", "bool moved"): "follow() does nothing for what has not moved",
    ("changes.c", "sg_slots_renew", "moved |="): "on 3.13 not noticed by 100 programs with large images either; other Pythons were not tried",
}


def blank(text):
    """The same with comments, literals and directives blanked out, so that columns stay."""
    pattern = r"/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|^[ \t]*#(?:\\\n|[^\n])*"
    return re.sub(pattern, lambda found: re.sub(r"[^\n]", " ", found[0]), text, flags=re.S | re.M)


def mutants(part):
    """All changes of a part: (part, file, line number, column, text before, text after)."""
    found = []
    for path in sorted({path for pattern in PARTS[part][0] for path in ROOT.glob(pattern)}):
        for number, line in enumerate(blank(path.read_text()).split("\n")):
            if "sg_log_" in line or not line.startswith("\t"):  # what is logged; what stands outside of functions
                continue
            for pattern, replacement in CHANGES:
                for match in pattern.finditer(line):
                    after = replacement(match) if callable(replacement) else replacement
                    found.append((part, path.relative_to(ROOT), number, match.start(), match[0], after))
    return found


def run(command, **more):
    """True: it succeeded in time. Nothing of it is left."""
    def limit():
        resource.setrlimit(resource.RLIMIT_DATA, (4 << 30, 4 << 30))
    with open(COPY / "log", "ab") as log:
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT,
                                   start_new_session=True, preexec_fn=limit, **more)
        try:
            return process.wait(SECONDS) == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()


def build():
    return run(["make", "-s", f"-j{os.cpu_count()}", "-C", COPY, "all", "unit"])


def code(path):
    """The machine code of a source, as it was built last."""
    stripped = COPY / "stripped.o"
    subprocess.run(["objcopy", "--strip-debug", COPY / "build" / "obj" / Path(path).with_suffix(".o"), stripped], check=True)
    return stripped.read_bytes()


def noticed(part):
    """By which step, or None."""
    made = COPY / "build"
    for program in sorted((made / "unit").glob("test_*")):
        if os.access(program, os.X_OK) and program.suffix == "" and not run([program]):
            return program.name
    environment = {**os.environ, "SANDGLASS_OBJECT": str(made / "libsandglass.so"),
                   "PATH": f"{ROOT}/build/tools/server/bin:{os.environ['PATH']}"}
    programs = ["--object", made / "libsandglass.so", "--python", sys.executable, "--output", COPY / "differential", "--programs", "100",
                "--configurations", "shared", "--seed", "1", "--failures", "1", "--shrink", "0"]
    if part == "state" and not run([sys.executable, "tests/differential/run.py", *programs]):
        return "differential"
    for name in PARTS[part][1]:
        if not run([sys.executable, "-m", "pytest", "-q", "-x", "--timeout", "200", "-p", "no:cacheprovider",
                    f"tests/workers/test_{name}.py"], env=environment):
            return f"test_{name}"
    return None


def enclosing(lines, number):
    """The function that a line stands in."""
    for line in reversed(lines[:number]):
        if line[:1].isalpha() and "(" in line:
            return re.search(r"(\w+)\(", line)[1]
    return ""


def known(path, function, line):
    return any(path.name == file and function == name and part in line for (file, name, part) in SURVIVORS)


def copy():
    shutil.rmtree(COPY, ignore_errors=True)  # an object file of the last time may hold a change
    COPY.mkdir(parents=True)
    for name in ("shim", "hooks", "config", "tests"):
        shutil.copytree(ROOT / name, COPY / name)
    shutil.copy2(ROOT / "Makefile", COPY)


def try_mutant(part, path, number, column, before, after, pristine={}):
    """Which step noticed, None, or "" when there is nothing to notice."""
    source = COPY / path
    text = source.read_text()
    pristine.setdefault(path, code(path))
    lines = text.split("\n")
    assert lines[number].startswith(before, column), (path, number)
    lines[number] = lines[number][:column] + after + lines[number][column + len(before):]
    try:
        source.write_text("\n".join(lines))
        return noticed(part) if build() and code(path) != pristine[path] else ""
    finally:
        source.write_text(text)


def main():
    if sys.argv[1:]:
        print(__doc__)
        return
    count, seed = int(os.environ.get("COUNT") or 20), os.environ.get("SEED") or "1"
    chosen = random.Random(seed)
    copy()
    if not build():
        sys.exit(f"mutants: the sources do not build, see {COPY}/log")
    for part in PARTS:
        step = noticed(part)
        if step:
            sys.exit(f"mutants: {step} fails without any change, see {COPY}/log")
    pool = [mutant for part in PARTS for mutant in mutants(part)]
    print(f"{count} of {len(pool)} mutants, seed {seed}", flush=True)
    chosen.shuffle(pool)
    tried = killed = expected = 0
    while tried < count and pool:
        part, path, number, column, before, after = pool.pop()
        began = time.monotonic()
        step = try_mutant(part, path, number, column, before, after)
        if step == "":
            continue
        tried += 1
        killed += step is not None
        lines = (ROOT / path).read_text().split("\n")
        function, line = enclosing(lines, number), lines[number].strip()
        expected += step is None and known(path, function, line)
        print(f"{step or 'SURVIVED'}  {path}:{number + 1} {function}()  {before or ' '} -> {after or 'nothing'}  in: {line}  "
              f"({time.monotonic() - began:.0f} s)", flush=True)
    print(f"{killed} of {tried} noticed; of the others {expected} are known to survive")
    sys.exit(killed + expected != tried)


if __name__ == "__main__":
    main()
