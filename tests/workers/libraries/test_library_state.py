"""Random workflow programs with tables and models of sqlalchemy: sharing them cannot be noticed (tests/differential)."""
import os
import subprocess
import sys

import harness

RUN = harness.REPO / "tests" / "differential" / "run.py"


def test_tables_and_models_of_sqlalchemy_are_shared_unnoticed():
    done = subprocess.run([sys.executable, RUN, "--object", harness.preload_object(), "--python", sys.executable, "--seed", "7",
                           "--programs", "60", "--with", "sqlalchemy", "--configurations", "shared,private"],
                          env={k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    shared = next(line for line in done.stdout.splitlines() if line.startswith("shared: in "))
    assert int(shared.split()[2]) > 10, done.stdout
