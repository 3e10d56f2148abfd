"""sandglass report: logs that are made up, of each kind. Run by run.sh: COMMAND=build/sandglass python3 -m unittest ..."""
import gzip
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

COMMAND = os.environ["COMMAND"]


def line(when, pid, event, level="warn", **fields):
    def value(v):
        return json.dumps(v, ensure_ascii=False) if isinstance(v, str) and re.search(r'[ ="\\]|^$', v) else str(v)
    return " ".join([f"sandglass ts=2026-11-{when}:00.000Z pid={pid} level={level} event={event}"] +
                    [f"{k}={value(v)}" for k, v in fields.items()])


def start(when, pid, mode):
    return line(when, pid, "start", level="info", version="0.9.0", mode=mode, engine="e", sdk="1.35.0", python="3.13.0")


def violation(when, pid, rule="time.time", action="warn", would="enforce:block,strict:block", flow="Order", where="/srv/flows.py:12", **more):
    return line(when, pid, "violation", rule=rule, action=action, would=would, origin="direct", phase="runtime", workflow_type=flow,
                where=where, function="run", chain=rule, reason="the clock tells another time", instead="workflow.time()", **more)


def total(when, pid, count, rule="time.time", action="warn", flow="Order", where="/srv/flows.py:12"):
    return line(when, pid, "total", level="info", rule=rule, where=where, action=action, workflow_type=flow, count=count)


class Report(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, name, *lines):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write("".join(each + "\n" for each in lines))
        return path

    def run_it(self, *arguments, **settings):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SANDGLASS")}
        return subprocess.run([COMMAND, "report", *arguments], capture_output=True, text=True, env={**environment, **settings}, timeout=60)

    def report(self, *lines, status=None):
        ended = self.run_it("--format", "json", self.write("log", *lines))
        if status is not None:
            self.assertEqual(ended.returncode, status, ended.stderr)
        return json.loads(ended.stdout)

    def settings(self, report):
        return [each["setting"] for each in report["settings"]]

    def test_what_enforce_would_refuse(self):
        report = self.report(start("24T08:00", 1, "warn"), violation("24T09:00", 1), status=1)
        place, = report["places"]
        self.assertEqual((place["workflow"], place["rule"], place["where"], place["count"], place["least"]),
                         ("Order", "time.time", "/srv/flows.py:12", 1, True))
        self.assertEqual((place["action"], place["enforce"], place["strict"]), ("warn", "block", "block"))
        self.assertEqual(report["enforce"], {"block": 1, "answer": 0, "warn": 0, "pass": 0, "unknown": 0})
        self.assertEqual(self.settings(report), ["SANDGLASS=enforce SANDGLASS_RULES=time.time=warn"])

    def test_counts_of_processes_add_up(self):
        report = self.report(
            start("24T08:00", 1, "warn"), violation("24T09:00", 1), total("24T10:00", 1, 20), total("24T11:00", 1, 50),
            start("24T08:00", 2, "warn"), violation("24T09:30", 2), total("24T12:00", 2, 7),
            start("25T08:00", 1, "warn"), violation("25T09:00", 1), total("25T10:00", 1, 3))  # the number again
        place, = report["places"]
        self.assertEqual((place["count"], place["least"], place["first"][:16], place["last"][:16]),
                         (60, False, "2026-11-24T09:00", "2026-11-25T10:00"))
        self.assertEqual(len(report["processes"]), 3)
        self.assertEqual({p["engine"] for p in report["processes"]}, {"e"})
        self.assertEqual(sum(report["timeline"]["counts"]), 60)

    def test_lines_of_one_place_are_counted(self):
        report = self.report(start("24T08:00", 1, "warn"), *[violation("24T09:%02d" % i, 1) for i in range(5)])
        self.assertEqual([p["count"] for p in report["places"]], [5])

    def test_two_workflows_of_one_place(self):
        report = self.report(start("24T08:00", 1, "warn"), violation("24T09:00", 1), violation("24T09:01", 1, flow="Refund"),
                             total("24T10:00", 1, 4), total("24T10:00", 1, 5, flow="Refund"))
        self.assertEqual({p["workflow"]: p["count"] for p in report["places"]}, {"Order": 4, "Refund": 5})

    def test_modes_that_refuse(self):
        report = self.report(start("24T08:00", 1, "enforce"), violation("24T09:00", 1, action="block", would="strict:block"),
                             violation("24T09:00", 1, rule="os.getpid", action="warn", would="strict:block"), status=1)
        self.assertEqual([(p["enforce"], p["strict"]) for p in report["places"]], [("block", "block"), ("warn", "block")])
        report = self.report(start("24T08:00", 1, "strict"), violation("24T09:00", 1, action="block", would=""), status=1)
        self.assertEqual([(p["enforce"], p["strict"]) for p in report["places"]], [("", "block")])
        self.assertEqual(self.settings(report), ["SANDGLASS=strict SANDGLASS_RULES=time.time=warn"])

    def test_a_mode_that_refuses_is_answered_with_settings(self):
        for mode in "strict", "answer":
            refused = violation("24T09:00", 1, rule="os.getpid", action="block", would="enforce:warn")
            report = self.report(start("24T08:00", 1, mode), refused, status=1)
            self.assertEqual([(p["enforce"], p["strict"]) for p in report["places"]], [("warn", "block")])
            self.assertEqual(self.settings(report), ["SANDGLASS=enforce", f"SANDGLASS={mode} SANDGLASS_RULES=os.getpid=warn"])
            environment = dict(each.split("=", 1) for each in self.settings(report)[1].split(" "))
            ended = subprocess.run([COMMAND, "explain", "os.getpid"], capture_output=True, text=True, env={**os.environ, **environment})
            self.assertIn("warn at run time", ended.stdout)
        report = self.report(start("24T08:00", 1, "strict"), violation("24T09:00", 1, action="block", would="enforce:block"), status=1)
        self.assertEqual(self.settings(report), [f"SANDGLASS={mode} SANDGLASS_RULES=time.time=warn" for mode in ("enforce", "strict")])

    def test_what_is_not_known_is_said(self):
        ended = self.run_it(self.write("log", start("24T08:00", 1, "strict"), violation("24T09:00", 1, action="block", would="")))
        self.assertIn("enforce  1 not known", ended.stdout)
        self.assertIn("      block; enforce: not known; instead", ended.stdout)
        text = subprocess.run([COMMAND, "report", "--help"], capture_output=True, text=True).stdout
        self.assertIn('"not known": ', text)
        self.assertIn('"or more": ', text)

    def test_answered_calls(self):
        answered = violation("24T09:00", 1, action="answer", would="strict:answer").replace("event=violation", "event=answered")
        report = self.report(start("24T08:00", 1, "enforce"), answered, total("24T10:00", 1, 9, action="answer"), status=0)
        self.assertEqual([(p["action"], p["count"]) for p in report["places"]], [("answer", 9)])
        self.assertEqual(self.settings(report), ["SANDGLASS=strict"])

    def test_settings_to_go_on_with(self):
        calm = violation("24T09:00", 1, rule="os.getpid", would="enforce:warn,strict:block")
        self.assertEqual(self.settings(self.report(start("24T08:00", 1, "warn"), calm, status=0)), ["SANDGLASS=enforce"])
        report = self.report(start("24T08:00", 1, "warn"), violation("24T09:00", 1), violation("24T09:00", 1, rule="uuid.uuid4"),
                             violation("24T09:00", 1, rule="tempfile.NamedTemporaryFile"), violation("24T09:00", 1, rule="nowhere.known"),
                             line("24T09:00", 1, "zone", rule="time.localtime"),
                             line("24T09:00", 1, "private", object="flows.table", type="acme.Table", reason="objects of this type cannot be saved",
                                  setting="[types] acme.Table = fixed | REASON, if its objects never change"),
                             line("24T09:00", 1, "private", object="flows.other", setting="[types] acme.Table = wrong | REASON, if"))
        suggested = self.settings(report)
        self.assertEqual(suggested[0], "SANDGLASS=enforce SANDGLASS_RULES=time.time=warn,uuid.uuid4=warn,tempfile.*=warn")
        self.assertEqual(suggested[1:], ["SANDGLASS_TZ=UTC", "[types] acme.Table = fixed | REASON"])
        self.assertIn("others have no rule of that name", report["settings"][0]["text"])

    def test_a_suggestion_does_what_it_says(self):
        setting = self.settings(self.report(start("24T08:00", 1, "warn"), violation("24T09:00", 1)))[0]
        ended = subprocess.run([COMMAND, "explain", "time.time"], capture_output=True, text=True,
                               env={**os.environ, **dict(each.split("=", 1) for each in setting.split(" "))})
        self.assertIn("warn at run time", ended.stdout)

    def test_images_and_what_else_is_said(self):
        report = self.report(start("24T08:00", 1, "warn"), line("24T08:01", 1, "image", level="info", module="flows", milliseconds=40),
                             line("24T08:02", 1, "image", level="info", module="flows", milliseconds=60),
                             line("24T08:03", 1, "swallowed", workflow_type="Order", refusal="Cannot access"),
                             line("24T08:03", 1, "probe", level="debug", name="dict", result="proved"))
        self.assertEqual(report["images"], [{"module": "flows", "count": 2, "milliseconds": 100, "slowest": 60}])
        self.assertEqual([(o["event"], o["subject"], o["text"]) for o in report["others"]], [("swallowed", "Order", "Cannot access")])

    def test_json_lines_prefixes_and_strangers(self):
        as_json = json.dumps({"source": "sandglass", "ts": "2026-11-24T09:00:00.000Z", "pid": 1, "level": "warn", "event": "violation",
                              "rule": "time.time", "action": "warn", "would": "enforce:block,strict:block", "workflow_type": "Größe \"x\"",
                              "where": "/srv/a b.py:3"}, separators=(",", ":"))
        report = self.report("another program's line", "Nov 24 09:00:00 host python[1]: " + start("24T08:00", 1, "warn"), "prefix " + as_json,
                             as_json[:-30], "sandglass ts=")
        self.assertEqual([(p["rule"], p["workflow"], p["where"]) for p in report["places"]],
                         [("time.time", 'Größe "x"', "/srv/a b.py:3"), ("time.time", "", "")])  # the second line is cut

    def test_quotes_and_control_characters(self):
        hostile = violation("24T09:00", 1, where="/srv/</script><b>\\u001b[31m.py:3")
        path = self.write("log", start("24T08:00", 1, "warn"), hostile)
        page = os.path.join(self.folder, "page.html")
        ended = self.run_it("--html", page, path)
        self.assertNotIn("\x1b", ended.stdout)
        with open(page) as file:
            text = file.read()
        self.assertEqual(text.count("</script>"), 2)  # of the data, and of the program
        data = json.loads(re.search(r'id="data">\n(.*?)</script>', text, re.S).group(1))
        self.assertEqual(data["places"][0]["where"], "/srv/</script><b>\\u001b[31m.py:3")
        if shutil.which("node"):
            script = self.write("page.js", re.search(r"<script>\n(.*?)</script>", text, re.S).group(1))
            checked = subprocess.run(["node", "--check", script], capture_output=True, text=True)
            self.assertEqual(checked.returncode, 0, checked.stderr)

    @unittest.skipUnless(shutil.which("chromium"), "chromium is not installed")
    def test_the_page_in_a_browser(self):
        """Sorted by a click, filtered, and with a bar for each time at which something was seen."""
        path = self.write("log", start("24T08:00", 1, "warn"), violation("24T09:00", 1), violation("24T09:40", 1, rule="uuid.uuid4", flow="Bill"))
        page = os.path.join(self.folder, "page.html")
        self.run_it("--html", page, path)
        with open(page) as file:
            text = file.read()
        clicked = text.replace("</body>", "<script>\nconst buttons = [...document.querySelectorAll('th button')], seen = [];\n"
                               "const rules = () => seen.push([...document.querySelectorAll('h2 ~ table')].map(t => [...t.tBodies[0].rows])\n"
                               "  .flat().map(r => r.textContent).filter(t => t.includes('flows.py')).map(t => t.slice(0, 4)).join());\n"
                               "const sort = buttons.find(b => b.textContent === 'workflow'), filter = document.querySelector('[aria-label=\"filter Places\"]');\n"
                               "sort.click(); rules(); sort.click(); rules(); filter.value = 'uuid'; filter.oninput(); rules();\n"
                               "make('p', 'seen ' + seen.join(' then ') + ' bars ' + document.querySelectorAll('rect').length, page);\n</script></body>")
        with open(page, "w") as file:
            file.write(clicked)
        shown = subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={self.folder}/profile", "--dump-dom",
                                "file://" + page], capture_output=True, text=True, timeout=120)
        self.assertIn("<p>seen Bill,Orde then Orde,Bill then Bill bars 2</p>", shown.stdout, shown.stderr)

    def test_text(self):
        ended = self.run_it(self.write("log", start("24T08:00", 1, "warn"), violation("24T09:00", 1), total("24T10:00", 1, 3)))
        self.assertIn("\nOrder\n  /srv/flows.py:12: time.time: 3 times, 2026-11-24T09:00 to 2026-11-24T10:00\n"
                      "      warn; enforce: block; strict: block; instead: workflow.time()\n", ended.stdout)

    def test_several_logs_and_standard_input(self):
        first = self.write("first", start("24T08:00", 1, "warn"), violation("24T09:00", 1))
        second = self.write("second", start("24T08:00", 1, "warn"), violation("24T09:00", 1))
        report = json.loads(self.run_it("--format", "json", first, second).stdout)
        self.assertEqual((report["files"], len(report["processes"]), report["places"][0]["count"]), (2, 2, 2))
        with open(first) as file:
            ended = subprocess.run([COMMAND, "report", "-"], stdin=file, capture_output=True, text=True)
        self.assertIn("time.time: 1 time or more", ended.stdout)

    def test_a_line_that_is_torn_is_no_event(self):
        path = self.write("log", start("24T08:00", 1, "warn"), violation("24T09:00", 1))
        with open(path, "a") as file:
            file.write(violation("24T09:01", 1, rule="uuid.uuid4")[:-30])
        ended = self.run_it(path)
        self.assertIn("2 lines of 1 log, 1 process, 2026-11-24T08:00:00 to 2026-11-24T09:00:00; 1 line torn, at the end of a log\n1 place ", ended.stdout)
        report = json.loads(self.run_it("--format", "json", path).stdout)
        self.assertEqual((report["torn"], [p["rule"] for p in report["places"]]), (1, ["time.time"]))

    def test_files_of_one_process_are_added_up(self):
        """Each that rotation left begins with start and tells its places again; the totals go on counting."""
        began = start("24T08:00", 1, "warn") + " since=17"
        first = self.write("first", began, violation("24T09:00", 1), total("24T09:30", 1, 4))
        second = self.write("second", began, violation("24T10:00", 1), total("24T10:30", 1, 6))
        other = self.write("other", start("24T08:00", 1, "warn") + " since=18", violation("24T10:00", 1), total("24T10:30", 1, 2))
        report = json.loads(self.run_it("--format", "json", first, second, other).stdout)
        self.assertEqual((len(report["processes"]), [p["count"] for p in report["places"]]), (2, [8]))

    def test_a_log_is_read_once(self):
        path = self.write("log", start("24T08:00", 1, "warn"), violation("24T09:00", 1))
        other = os.path.join(self.folder, "other")
        os.link(path, other)
        ended = self.run_it("--format", "json", path, path, other)
        report = json.loads(ended.stdout)
        self.assertEqual((report["files"], report["places"][0]["count"]), (1, 1))
        self.assertEqual(ended.stderr, "".join(f"sandglass report: {each}: the same log as {path}, read once\n" for each in (path, other)))

    def test_compressed_logs(self):
        path = self.write("log", start("24T08:00", 1, "warn"), *[violation("24T09:00", 1, where="/srv/flows.py:%d" % i) for i in range(500)])
        with open(path, "rb") as file:
            text = file.read()
        with open(path + ".gz", "wb") as file:
            file.write(gzip.compress(text))
        report = json.loads(self.run_it("--format", "json", path + ".gz").stdout)
        self.assertEqual(len(report["places"]), 500)
        with open(path + ".gz", "wb") as file:
            file.write(gzip.compress(text)[:-1000])
        ended = self.run_it(path + ".gz")
        self.assertEqual((ended.returncode, ended.stderr),
                         (2, f"sandglass report: {path}.gz: what gzip has compressed is damaged or cut off\n"))

    def test_a_log_without_a_line_is_named(self):
        path, other = self.write("log", start("24T08:00", 1, "warn")), self.write("other", "x")
        ended = self.run_it(path, other)
        self.assertEqual((ended.returncode, ended.stderr), (0, f"sandglass report: {other}: no line of Sandglass in there; accepted: "
                                                               "the files that SANDGLASS_LOG named\n"))

    def test_what_cannot_be_reported(self):
        for arguments in [], ["/nowhere"], [self.write("empty")], ["--format", "xml", self.write("log", start("24T08:00", 1, "warn"))], \
                ["--html", "/nowhere/page", self.write("log", start("24T08:00", 1, "warn"))]:
            ended = self.run_it(*arguments)
            self.assertEqual((ended.returncode, ended.stderr.startswith("sandglass report: ")), (2, True), arguments)

    def test_a_long_log_needs_little_memory(self):
        path = self.write("log", start("24T08:00", 1, "warn"), *[violation("24T09:00", 1)] * 50000)
        ended = subprocess.run(["sh", "-c", 'ulimit -v 60000; exec "$0" report "$1"', COMMAND, path], capture_output=True, text=True)
        self.assertIn("50000 times or more", ended.stdout + ended.stderr)

    def test_a_timeline_of_any_length(self):
        report = self.report(start("24T08:00", 1, "warn"), violation("24T09:00", 1), violation("01T09:00", 1), violation("28T23:59", 1),
                             violation("24T09:00", 1))
        timeline = report["timeline"]
        self.assertEqual(sum(timeline["counts"]), 4)
        self.assertLessEqual(timeline["start"], 1793523600)
        last = max(i for i, n in enumerate(timeline["counts"]) if n)
        self.assertLess(abs(timeline["start"] + last * timeline["seconds"] - 1795910340), timeline["seconds"] + 1)


if __name__ == "__main__":
    unittest.main()
