"""README.md: each command in it is run, and what it shows is compared with what comes ("..." stands for anything)."""
import re
import subprocess
import sys
from pathlib import Path

import harness
import pytest

README = (harness.REPO / "README.md").read_text()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.M | re.S)


def sessions():
    """[(command, what is shown below it)] of each console block."""
    for block in blocks("console"):
        yield [(command, shown) for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.M)]


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """A folder that looks like a clone in which make has been run, with a worker in it."""
    folder = tmp_path_factory.mktemp("clone")
    for name in "build", "tests", "README.md":
        (folder / name).symlink_to(harness.REPO / name)
    (folder / "worker.py").write_text((harness.PROGRAMS / "replayed.py").read_text())
    environment = harness.environment(False, VIRTUAL_ENV=sys.prefix)
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"

    def run(command):
        ended = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, text=True, capture_output=True, timeout=120)
        return ended, f"$ {command}\n{ended.stdout}{ended.stderr}\nexit status {ended.returncode}"
    return run


def fits(shown, output):
    pattern = "".join(".*" if part == "..." else re.escape(part) for part in re.split(r"(\.\.\.)", shown.strip()))
    return re.fullmatch(pattern, output.strip(), re.S)


def test_commands_show_what_the_readme_shows(reader):
    count = 0
    for session in sessions():
        for command, shown in session:
            ended, text = reader(command)
            assert ended.returncode in (0, 1), text
            assert fits(shown, ended.stdout), f"{text}\n--- README shows\n{shown}"
            count += 1
    assert count >= 8


def test_the_pipeline(reader):
    commands = re.findall(r"^- run: (.*)", "\n".join(blocks("yaml")), re.M)
    assert commands
    for command in commands:
        ended, text = reader(command)
        assert ended.returncode == 1, text  # findings fail the job, and are there for the step that uploads them
        ended, text = reader("test -s sandglass.sarif")
        assert ended.returncode == 0, text


def test_every_setting_is_in_the_table(reader):
    ended, _ = reader("build/sandglass run --help")
    known = set(re.findall(r"\bSANDGLASS(?:_[A-Z]+)*\b", ended.stdout))
    listed = set(re.findall(r"^\| `(SANDGLASS[A-Z_]*)` \|", README, re.M))
    assert known == listed
    assert set(re.findall(r"\bSANDGLASS(?:_[A-Z]+)*\b", README)) == known


def test_first_values_are_the_defaults():
    builtin = subprocess.run([harness.REPO / "build" / "sandglass", "rules"], capture_output=True, text=True).stdout
    defaults = dict(re.findall(r"^(\w+) = (.*)$", builtin[builtin.index("\n[settings]"):builtin.index("\n[engine")], re.M))
    for name, values in re.findall(r"^\| `SANDGLASS(?:_([A-Z_]+))?` \| `([^|`]*)`", README, re.M):
        default = defaults.get(name.lower() or "mode")
        if default is not None:
            assert default.replace(" ", "") == values.replace(" ", ""), name


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (harness.REPO / target).exists(), target
    headings = {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in re.findall(r"^## (.*)", README, re.M)}
    for anchor in re.findall(r"\]\(#([^)]+)\)", README):
        assert anchor in headings, anchor


def test_it_is_short():
    assert len(README.split()) < 1800
    assert max(map(len, README.splitlines())) < 180
