"""Is sharing unobservable? Random workflow programs, played under several configurations, must tell the same story.

    python tests/differential/run.py --object build/libsandglass.so --python PY --programs 2000 --seed auto

Configurations: private, shared, off (the preload with that SANDGLASS_ISOLATION), sdk (no preload: the SDK's own sandbox).
Each is compared with the truth: every run played alone, without any sandbox, on freshly executed modules, and for one
program in --fresh in a process of its own. sdk has defects of its own: where it tells another story the program is
skipped, and counted. A program that fails is made smaller and printed, with the command that plays it again, and with
--keep NAME in that command it goes to kept/, the programs that every run plays before all others.

Features that can be left out with --without, or put in with --with:
"""
import argparse
import collections
import contextlib
import json
import os
import pathlib
import random
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import generate
import kinds
import shrink

HERE = pathlib.Path(__file__).resolve().parent
KEPT = HERE / "kept"  # programs that have failed once, as small as could be
START_LIMIT = 120  # seconds until a driver is ready, on a machine that has a lot to do
TIME_LIMIT = 30  # seconds for the answer to a program; the driver itself gives up earlier and says where it hangs
PROGRAMS_PER_PROCESS = 400
ISOLATIONS = ("private", "shared", "off")


class Player:
    """A driver process of one configuration, started when needed and again after it has died."""

    def __init__(self, name, options):
        self.name = name
        self.python = options.python
        mode = name if name in ("alone", "fresh") else "worker"
        self.command = [options.python, str(HERE / "driver.py"), mode]
        self.environment = {k: v for k, v in os.environ.items()
                            if not k.startswith(("SANDGLASS", "PYTHON", "TEMPORAL")) and k != "LD_PRELOAD"}
        self.environment["PYTHONHASHSEED"] = "0"
        if name in ISOLATIONS:
            self.environment.update(LD_PRELOAD=str(options.object), SANDGLASS_ISOLATION=name, SANDGLASS_LOG_LEVEL="error")
            self.environment.update(setting.split("=", 1) for setting in options.set)
        self.process = None
        self.played = 0
        self.seconds = 0.0

    def start(self):
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(self.command, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.errors)
        self.played = 0
        if select.select([self.process.stdout], [], [], START_LIMIT)[0]:
            self.process.stdout.readline()

    def try_start(self):
        """Does a worker of this configuration start at all? If not, what it says."""
        done = subprocess.run([self.python, "-c", "import temporalio.worker"], env=self.environment, capture_output=True,
                              text=True)
        return None if done.returncode == 0 else done.stderr.strip() or f"status {done.returncode}"

    def stop(self):
        if self.process:
            os.kill(self.process.pid, signal.SIGKILL)  # Popen's own kill() would take the child away from wait4
            with contextlib.suppress(BrokenPipeError):  # what it has not read
                self.process.stdin.close()
            self.process.stdout.close()
            _, _, usage = os.wait4(self.process.pid, 0)
            self.process.returncode = 0
            self.seconds += usage.ru_utime + usage.ru_stime
            self.errors.close()
        self.process = None

    def ask(self, request):
        if self.process and self.played >= PROGRAMS_PER_PROCESS:
            self.stop()
        if not self.process:
            self.start()
        self.played += 1
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        return self

    def answer(self):
        ready, _, _ = select.select([self.process.stdout], [], [], TIME_LIMIT)
        line = self.process.stdout.readline() if ready else b""
        if line:
            return json.loads(line)
        if ready:
            status = os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)
            how = f"signal {status.si_status}" if status.si_code != os.CLD_EXITED else f"status {status.si_status}"
        else:
            how = "hangs"
        self.errors.seek(0)
        tail = self.errors.read()[-3000:]
        self.stop()
        return {"runs": {}, "died": f"{how}\n{tail}".strip()}


class Players:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.players = {}
        self.number = 0

    def play(self, program, names, full=False):
        """Answers of the configurations, which play at the same time."""
        self.number += 1
        package = f"p{self.number}"
        where = self.folder / package
        where.mkdir()
        for module in program["modules"]:
            (where / f"{module}.py").write_text(generate.text(program, module, package))
        request = {"program": program, "package": package, "folder": str(self.folder), "full": full}
        try:
            asked = []
            for name in names:
                if name not in self.players:
                    self.players[name] = Player(name, self.options)
                asked.append(self.players[name].ask(request))
            return {p.name: p.answer() for p in asked}
        finally:
            shutil.rmtree(where)

    def stop(self):
        for player in self.players.values():
            player.stop()


def difference(truth, other):
    """None, or (run, step, position): where two full answers first differ."""
    if truth.get("broken") or other.get("died") or other.get("broken"):
        return None if truth == other or truth.get("broken") else ("all", 0, 0)
    for run, steps in truth["runs"].items():
        others = other["runs"].get(run, [])
        for step, (a, b) in enumerate(zip(steps, others)):
            if a != b:
                return run, step, next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
        if len(steps) != len(others):
            return run, min(len(steps), len(others)), 0
    return None


def around(text, other):
    """The part of text in which it differs from the other one."""
    first = next((i for i, (a, b) in enumerate(zip(text, other)) if a != b), min(len(text), len(other)))
    begin = max(0, first - 60)
    return ("..." if begin else "") + text[begin:first + 140] + ("..." if len(text) > first + 140 else "")


def explain(truth, other, name):
    found = difference(truth, other)
    if found is None:
        return "not repeated when played again"
    run, step, position = found
    if run == "all":
        return f"{name}: {other.get('died') or other.get('broken')}"
    if run == "host":
        return f"{name}: the worker's own copy of the modules was changed by a run"
    steps = [s for s in (truth["runs"][run], other["runs"].get(run, []))]
    lines = [(s[step][position] if step < len(s) and position < len(s[step]) else "nothing") for s in steps]
    return (f"run {run}, its step {step}, line {position}\n"
            f"    alone:   {around(lines[0], lines[1])}\n    {name + ':':<8} {around(lines[1], lines[0])}")


def program_text(program):
    lines = []
    for module in program["modules"]:
        text = generate.text(program, module, generate.PACKAGE).strip()
        if text:
            lines += [f"# {module}.py", text]
    how = "threads in parallel" if program["parallel"] else "one step after the other"
    lines.append(f"# schedule ({how}{', gc often' if program['gc'] else ''})")
    for run, thread, *jobs in program["schedule"]:
        lines.append(f"#   run {run}, thread {thread}: {', '.join(' '.join(str(w) for w in job) for job in jobs)}")
    return "\n".join(lines)


class Test:
    """Plays programs, in several threads at a time, each with players of its own."""

    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.counts = collections.Counter()
        self.shared = collections.Counter()
        self.skips = collections.Counter()
        self.seconds = collections.Counter()
        self.shrunk = 0
        self.lines = 0
        self.lock = threading.Lock()
        self.began = self.told = time.monotonic()

    def run(self, programs):
        errors = []

        def work(number):
            folder = self.folder / f"job{number}"
            folder.mkdir()
            players = Players(self.options, folder)
            try:
                while not errors:
                    with self.lock:
                        name, program = next(programs, (None, None))
                        if name is None or self.counts["failed"] >= self.options.failures:
                            return
                    self.one(players, name, program)
                    self.progress()
            except BaseException as e:  # noqa: B036 - of a thread: told by the one that waits for it
                errors.append(e)
            finally:
                players.stop()
                with self.lock:
                    for player in players.players.values():
                        self.seconds[player.name] += player.seconds
        threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(self.options.jobs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
        if self.counts["failed"] >= self.options.failures:
            print(f"stopped after {self.options.failures} failures")

    def progress(self):
        with self.lock:
            now = time.monotonic()
            if self.options.progress is None or now - self.told < 10:
                return
            self.told = now
            done = self.counts["passed"] + self.counts["failed"] + self.counts["skipped"]
            text = (f"{self.options.python}: {done} of {self.options.programs} programs, {self.counts['failed']} failed,"
                    f" {done / (now - self.began):.0f} a second\n")
        os.write(self.options.progress, text.encode())

    def where(self, players, program, name, attempts, full=False):
        """How the configuration differs from the truth, if it does in one of some attempts: (what, answers)."""
        for _ in range(attempts):
            answers = players.play(program, ["alone", name], full)
            found = difference(answers["alone"], answers[name])
            if found:
                return (found[0] if found[0] in ("host", "all") else "run"), answers
        return None, answers

    def one(self, players, which, program):
        wanted = ["alone"] + self.options.configurations
        if self.options.fresh and (not isinstance(which, int) or which % self.options.fresh == 0):
            wanted.insert(1, "fresh")
        answers = players.play(program, wanted)
        truth = answers.pop("alone")
        if truth.get("broken") or truth.get("died"):
            with self.lock:
                why = truth.get("broken") or "Python itself dies of it"
                self.skips[f"a program that {why}" if why.startswith("changes") else
                           "a program that cannot be imported" if truth.get("broken") else why] += 1
                self.counts["skipped"] += 1
            return
        different = {}
        for name, answer in answers.items():
            if difference(truth, answer):
                different[name] = answer.get("died") or answer.get("error") or "another story"
        told = []
        for name, why in list(different.items()):
            if name == "sdk":
                del different[name]
                told.append("sdk " + why.partition(":")[0])
            else:
                self.fail(players, which, program, name)
        with self.lock:
            self.lines += truth.get("lines", 0)
            self.shared.update(name for name, answer in answers.items() if answer.get("shared"))
            self.skips.update(told)
            self.counts["failed" if different else "passed"] += 1

    def fail(self, players, which, program, name):
        texts = [f"FAIL program {which} of seed {self.options.seed}: {name}"]
        attempts = 5 if program["parallel"] or program["gc"] else 1
        with self.lock:
            self.shrunk += 1
            wanted = self.shrunk <= self.options.shrink
        what = None
        if wanted:
            what, _ = self.where(players, program, name, attempts)
        if what:
            began = time.monotonic()
            before = shrink.size(program)
            program = shrink.shrink(program, lambda p: self.where(players, p, name, attempts)[0] == what,
                                    self.options.shrink_seconds)
            texts.append(f"reduced from {before} to {shrink.size(program)} pieces in {time.monotonic() - began:.0f} s")
            _, answers = self.where(players, program, name, attempts, full=True)
            texts += [program_text(program), explain(answers["alone"], answers[name], name)]
        elif wanted:
            texts.append("not repeated when played again")
        self.options.output.mkdir(parents=True, exist_ok=True)
        path = self.options.output / f"{self.options.seed}-{which}-{name}.json"
        path.write_text(json.dumps(program, indent=1) + "\n")
        command = [sys.executable, os.path.relpath(__file__), "--object", os.path.relpath(self.options.object), "--python",
                   self.options.python, "--configurations", name, *[f"--set={s}" for s in self.options.set],
                   "--program", os.path.relpath(path)]
        texts.append(f"repeat: {shlex.join(command)}")
        with self.lock:
            print("\n".join(texts), flush=True)


def parse():
    features = "\n".join(f"    {name:<13} {text}" for name, text in kinds.FEATURES.items())
    parser = argparse.ArgumentParser(description=__doc__ + features, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = lambda text: [n for n in text.split(",") if n]
    parser.add_argument("--object", type=pathlib.Path, default=HERE.parents[1] / "build" / "libsandglass.so")
    parser.add_argument("--python", default=sys.executable, help="what plays the programs; needs temporalio")
    parser.add_argument("--programs", type=int, default=2000)
    parser.add_argument("--seconds", type=float, help="stop after that time")
    parser.add_argument("--seed", default="auto")
    parser.add_argument("--only", type=int, help="just this program of the seed")
    parser.add_argument("--program", type=pathlib.Path, help="a program from a file")
    parser.add_argument("--keep", metavar="NAME", help="with --program: it becomes kept/NAME.json")
    parser.add_argument("--no-kept", action="store_false", dest="kept", help="only new programs, not those in kept/")
    parser.add_argument("--jobs", type=int, default=1, help="programs at a time")
    parser.add_argument("--progress", type=int, metavar="DESCRIPTOR", help="where to tell every 10 s how far it is")
    parser.add_argument("--configurations", type=names, default=["private", "sdk"])
    parser.add_argument("--without", type=names, default=[])
    parser.add_argument("--with", type=names, default=[], dest="with_")
    parser.add_argument("--kinds", type=names, default=[], help="only objects of these kinds, by their names in kinds/")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                        help="environment of the preloaded workers")
    parser.add_argument("--fresh", type=int, default=20, help="every so many programs also in new processes; 0: never")
    parser.add_argument("--shrink", type=int, default=3, help="how many failing programs to reduce")
    parser.add_argument("--shrink-seconds", type=float, default=60)
    parser.add_argument("--failures", type=int, default=10, help="stop after so many")
    parser.add_argument("--output", type=pathlib.Path, default=HERE.parents[1] / "build" / "differential")
    options = parser.parse_args()
    options.object = options.object.resolve()
    for name in options.configurations:
        if name not in ISOLATIONS + ("sdk", "fresh"):
            parser.error(f"unknown configuration {name}")
    for name in options.kinds:
        if name not in kinds.KINDS:
            parser.error(f"unknown kind {name}")
    for name in options.without + options.with_:
        if name not in kinds.FEATURES:
            parser.error(f"unknown feature {name}")
    if options.keep and not options.program:
        parser.error("--keep needs --program")
    if set(options.configurations) & set(ISOLATIONS) and not options.object.exists():
        parser.error(f"{options.object} is not there, build it first")
    if options.seed == "auto":
        options.seed = str(random.SystemRandom().randrange(10**6))
    return options


def programs(options):
    """(number, program), or (name, program) of those that were kept."""
    if options.program:
        yield options.program.stem, json.loads(options.program.read_text())
        return
    if options.only is None and not options.kinds and not options.without and options.kept:
        for path in sorted(KEPT.glob("*.json")):
            yield path.stem, json.loads(path.read_text())
    began = time.monotonic()
    for index in range(options.programs) if options.only is None else [options.only]:
        if options.seconds and time.monotonic() - began > options.seconds:
            return
        yield index, generate.program(options.seed, index, options.without, options.with_, options.kinds)


def main():
    options = parse()
    if options.program or options.only is not None:
        options.fresh = 1
    if options.keep:
        KEPT.mkdir(exist_ok=True)
        (KEPT / f"{options.keep}.json").write_text(json.dumps(json.loads(options.program.read_text()), indent=1) + "\n")
    if not options.program:
        print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="differential-") as folder:
        for name in ["alone"] + options.configurations:
            why = Player(name, options).try_start()
            if why:
                print(f"{name} cannot be tested: {why}")
                return 2
        test = Test(options, pathlib.Path(folder))
        test.run(programs(options))
    for why, count in test.skips.most_common():
        print(f"skipped: {count} x {why}")
    for name in options.configurations:
        if name == "shared":
            print(f"shared: in {test.shared[name]} programs two runs had the same modules")
    if not options.program and test.lines < 10 * test.counts["passed"]:
        print(f"the programs tell too little: {test.lines} lines")
        test.counts["failed"] += 1
    times = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in test.seconds.items())
    times += f", generating {time.process_time():.0f} s"
    print(f"{time.monotonic() - test.began:.0f} s, {test.lines} lines compared; processor time: {times}")
    print(f"{test.counts['passed']} passed, {test.counts['failed']} failed, {test.counts['skipped']} skipped")
    return 1 if test.counts["failed"] or not test.counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
