#!/usr/bin/env python3
"""Published clients and their own suites, on our daemon and on memcached: one table.

    conformance/clients/table.py [--slow] [--none-skipped] [NAME…]

DAEMON names ours; a NAME picks the rows that contain it. A test that ends otherwise on the two fails
this, and so do a suite without tests, and a table without rows. What cannot be fetched is SKIPPED, with
the reason; that fails only where `--none-skipped` says that everything can be had.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import suites
from fetch import Missing
from readers import FAIL, PASS, SKIP
from servers import Daemon, as_root

HERE = pathlib.Path(__file__).resolve().parent
SECONDS_MAX = 300


@dataclasses.dataclass
class Run:
    """What one suite said about one daemon."""

    row: str
    folder: pathlib.Path
    code: int = 0
    said: str = ""


class Side:
    """One of the two: its program, under memcached's name in a folder of its own."""

    def __init__(self, name, program, folder):
        self.name, self.program = name, program
        self.path = folder / f"{name}-path"
        self.path.mkdir()
        # Some suites start a memcached themselves.
        start = f'#!/bin/sh\nexec {program} {" ".join(as_root())} "$@"\n'
        (self.path / "memcached").write_text(start)
        (self.path / "memcached").chmod(0o755)

    def verdicts(self, row, folder):
        folder = pathlib.Path(tempfile.mkdtemp(dir=folder))
        run = Run(row.name, folder)
        with contextlib.ExitStack() as stack:
            daemons = [stack.enter_context(Daemon(self.program, place)) for place in places(row, folder)]
            self._say(run, row, daemons)
        return row.read(run), run

    def _say(self, run, row, daemons):
        place = daemons[0].place if daemons else ""
        location = ",".join(daemon.address for daemon in daemons)
        fill = lambda text: text.format(port=place, location=location, folder=run.folder)
        environment = os.environ | {name: fill(value) for name, value in row.environment.items()}
        environment |= {"HOST": "127.0.0.1", "PORT": str(place), "DAEMON": self.program}
        environment["PATH"] = f"{self.path}:{environment['PATH']}"
        words = [fill(word) for word in row.command]
        with (run.folder / "said").open("w") as said:
            try:
                run.code = subprocess.run(
                    words, cwd=row.folder or run.folder, env=environment, timeout=SECONDS_MAX,
                    stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT,
                ).returncode
            except subprocess.TimeoutExpired:
                run.code = 124
        run.said = (run.folder / "said").read_text(errors="replace")


def places(row, folder):
    """Where the daemons of this row listen; nothing is a free port."""
    return {
        "tcp": [None],
        "usual": [11211, 11212, 11213],
        "unix": [f"{folder}/s"],
        "several": [None, None, None],
        "none": [],
    }[row.serve]


def judged(row, sides, folder):
    """The verdicts of both. Those that want the usual ports take turns."""
    with concurrent.futures.ThreadPoolExecutor(1 if row.serve == "usual" else 2) as pool:
        return list(pool.map(lambda side: side.verdicts(row, folder), sides))


def differences(row, ours, theirs):
    for test in sorted(ours.keys() | theirs.keys()):
        pair = ours.get(test, "absent"), theirs.get(test, "absent")
        if pair[0] != pair[1]:
            yield test, pair, row.known.get(test)


def counts(verdicts):
    seen = collections.Counter(verdicts.values())
    return f"{seen[PASS]:5} {seen[FAIL]:4} {seen[SKIP]:4}"


def tried(row, sides, folder):
    """Runs a row, prints it, and says whether it is as it must be."""
    began = time.monotonic()
    results = judged(row, sides, folder)
    unknown = [each for each in differences(row, results[0][0], results[1][0]) if not each[2]]
    if unknown:
        print(f"        once more, for what differs: {', '.join(each[0] for each in unknown[:5])}")
        results = judged(row, sides, folder)
    (ours, run), (theirs, _) = results
    took = time.monotonic() - began
    print(f"{row.name:34} {counts(ours)}   {counts(theirs)} {took:6.0f} s", flush=True)
    good = bool(ours) and PASS in ours.values()
    for test, pair, reason in differences(row, ours, theirs):
        good &= bool(reason)
        print(f"        {test}: ours {pair[0]}, memcached {pair[1]}: {reason or 'NOBODY KNOWS WHY'}")
    for test in sorted(test for test in ours if ours[test] == theirs.get(test) == FAIL):
        print(f"        {test}: fails on both")
    if not good:
        print(run.said[-6000:], file=sys.stderr)
    return good


def rows(folder, slow):
    """Every row that can be had; beside it, why others cannot."""
    groups = [(maker, folder) for maker in suites.OTHERS + (suites.SLOW if slow else [])]
    try:
        venv = suites.python(folder)
        groups += [(maker, venv) for maker in suites.OF_PYTHON]
    except Missing as reason:
        yield "all of Python", reason
    for maker, place in groups:
        try:
            yield from ((row, None) for row in maker(place))
        except Missing as reason:
            yield maker.__name__, reason


def main(words):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--slow", action="store_true")
    parser.add_argument("--none-skipped", action="store_true")
    parser.add_argument("names", nargs="*")
    asked = parser.parse_intermixed_args(words)
    daemon = str(pathlib.Path(os.environ.get("DAEMON", "target/release/touchstoned")).resolve())
    memcached = shutil.which(os.environ.get("MEMCACHED", "memcached"))
    version = subprocess.run([memcached, "-V"], capture_output=True, text=True).stdout.strip()
    red, skipped, count, began = [], [], 0, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        folder.chmod(0o755)
        sides = [Side("ours", daemon, folder), Side("memcached", memcached, folder)]
        print(f"{'passed, failed, skipped':34} {'ours':15}   {version}")
        for row, reason in rows(folder, asked.slow):
            if reason:
                skipped.append(row)
                print(f"SKIPPED {row}: {reason}")
            elif not asked.names or any(name in row.name for name in asked.names):
                count += 1
                red += [] if tried(row, sides, folder) else [row.name]
    took = time.monotonic() - began
    print(f"{count} rows, {len(red)} of them red, {len(skipped)} suites SKIPPED, in {took:.0f} s")
    for name in red:
        print(f"RED {name}")
    if count == 0:
        print("RED nothing was run")
    return 1 if red or count == 0 or (asked.none_skipped and skipped) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
