#!/usr/bin/env python3
"""usage: run.py [NAME ...]

Plays each library of catalogue.py, or these, under Sandglass on a worker of its own, in mode strict, which refuses the most.
Prints a table, and fails for one that is refused while it is imported, makes an image private, or is refused when it is
used, where the catalogue does not say why that is right. Run by `make libraries`.
"""
import argparse
import asyncio
import concurrent.futures
import importlib.metadata
import os
import platform
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "workers"), str(TESTS / "fixtures")]
import catalogue  # noqa: E402
import harness  # noqa: E402
from local_server import LocalServer  # noqa: E402


def play(library, server, directory):
    """(image, refused, what is wrong): three texts."""
    path = harness.SEARCH["PYTHONPATH"] + f":{TESTS / 'libraries'}"
    host = harness.run_host("snippets.py", server, [library.name], directory / library.name, timeout=180, SANDGLASS="strict",
                            SANDGLASS_LOG_LEVEL="info", SG_CASES="catalogue", PYTHONPATH=path)
    wrong = []
    images, private = harness.events(host.log, "image"), harness.events(host.log, "private")
    refusals = [e for e in harness.violations(host.log) if e["action"] == "block"]
    image = "private: {}, {}".format(private[0].get("type", ""), private[0].get("object", "")) if private else "shared" if images else "none"
    if private and not library.private:
        wrong.append(f"the image is private: {private[0].text}")
    if library.private and not private:
        wrong.append("the image is not private any more")
    try:
        answer = host[library.name]
    except AssertionError as e:
        return image, "", str(e)
    if answer["status"] != "completed" and not (refusals and library.refused):
        wrong.append(f"{answer['status']}: {answer.get('type')}: {answer['text']}")
    if any(e["phase"] == "import" for e in refusals):
        wrong.append("refused while it is imported")
    if library.refused and library.refused[0] not in [e["rule"] for e in refusals]:
        wrong.append(f"{library.refused[0]} is not refused any more")
    if image == "none" and not wrong:
        wrong.append("there was no image")
    if private and library.private:
        image += f" ({library.private})"
    refused = ", ".join(sorted({e["rule"] for e in refusals}))
    return image, f"{refused} ({library.refused[1]})" if refused and library.refused else refused, "; ".join(wrong)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    names = parser.parse_args().names
    chosen = [it for it in catalogue.CASES if not names or it.distribution.split("[")[0] in names]
    server = LocalServer()
    asyncio.run(server.start())
    failed = 0
    print(f"Python {platform.python_version()}, temporalio {importlib.metadata.version('temporalio')}, mode strict\n")
    print("| library | version | image | refused |\n|---|---|---|---|", flush=True)
    try:
        with tempfile.TemporaryDirectory() as directory, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            played = [(it, pool.submit(play, it, server.address, Path(directory))) for it in chosen]
            for library, result in played:
                image, refused, wrong = result.result()
                name = library.distribution.split("[")[0]
                print(f"| {name} | {importlib.metadata.version(name)} | {image} | {refused} |", flush=True)
                if wrong:
                    failed += 1
                    print(f"FAIL {name}: {wrong}", file=sys.stderr, flush=True)
    finally:
        harness.stop_all()
        server.stop()
    print(f"\n{len(chosen) - failed} passed, {failed} failed, 0 skipped")
    return failed != 0


sys.exit(main())
