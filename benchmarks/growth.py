"""How the work grows with what is judged, up to eight times the size.

    python benchmarks/growth.py [--without-cdk]

Each row is one thing that can be large: templates, templates in two processes, templates checked together,
buckets, conditions, parameters, statements, and the buckets of an app under FLAG and FIX. Numbers are seconds
of processor time, of all processes, the least of three runs, each in a process of its own with empty caches.
`growth` is the last number over the first: 8 is linear. The command fails if a row grows by more than 12,
unless its largest size still takes less than a tenth of a second.

A condition over many parameters grows with their square until it depends on 256 combinations of them, beyond
which the bucket is undecided: its row starts shortly before that bound.
"""

from __future__ import annotations

import argparse
import datetime
import functools
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import adopt
from bounds import alone, chained_conditions, parameters_in_one_condition, together
from check import write_templates
from template import bucket, template

from secure_bucket.checks.check_paths import CheckOptions, check_paths
from secure_bucket.checks.check_targets import Settings

FACTORS: Final = (1, 2, 4, 8)
MOST: Final = 12.0
NEGLIGIBLE: Final = 0.1
ROUNDS: Final = 3


def timed(work: Callable[[int], object]) -> Callable[[int], float]:
    """Return what measures the processor time of some work at a size."""

    def measure(size: int) -> float:
        started = _processors()
        work(size)
        return _processors() - started

    return measure


def _processors() -> float:
    """Return the seconds that this process and its finished children have computed."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def directory(size: int, jobs: int = 1) -> float:
    """Return the processor time of a check of many files."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "templates"
        write_templates(folder, size)
        options = CheckOptions((str(folder),), Settings(False, None, datetime.date.today()), jobs=jobs)
        return timed(lambda _: check_paths(options))(size)


def statements(size: int) -> dict[str, Any]:
    """Return a bucket whose policy has many statements, the last of which is the deny."""
    resources = bucket(0)
    document = resources["Bucket0Policy"]["Properties"]["PolicyDocument"]
    allows = [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::b/{number}",
        }
        for number in range(size)
    ]
    document["Statement"] = [*allows, *document["Statement"]]
    return {"Resources": resources}


def adopted(name: str) -> Callable[[int], float]:
    """Return what measures an app of buckets under FLAG or FIX, Python and Node together."""
    return lambda size: adopt.measure(name, name == "flag", size, 1)["all"]


ROWS: Final[dict[str, tuple[int, Callable[[int], float]]]] = {
    "files": (250, directory),
    "files in two processes": (250, functools.partial(directory, jobs=2)),
    "templates together": (10, timed(together)),
    "buckets": (100, timed(alone(template))),
    "conditions": (125, timed(alone(chained_conditions))),
    "parameters": (180, timed(alone(parameters_in_one_condition))),
    "statements": (15, timed(alone(statements))),
}
OF_APPS: Final[dict[str, tuple[int, Callable[[int], float]]]] = {
    "buckets under FLAG": (25, adopted("flag")),
    "buckets under FIX": (25, adopted("fix")),
}


def measured(name: str, size: int) -> float:
    """Measure one size of a row in a process of its own."""
    command = [sys.executable, __file__, "--one", name, str(size)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> int:
    """Print a row for each kind of size; return 1 if one bends."""
    if sys.argv[1:2] == ["--one"]:
        name, size = sys.argv[2:]
        print((ROWS | OF_APPS)[name][1](int(size)))
        return 0
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--without-cdk", action="store_true", help="leave FLAG and FIX out")
    rows = ROWS if parser.parse_args().without_cdk else ROWS | OF_APPS
    print("| | first size | " + " | ".join(f"× {factor}" for factor in FACTORS) + " | growth | |")
    print("| --- |" + " ---: |" * (len(FACTORS) + 2) + " --- |")
    bends = 0
    for row, (first, _) in rows.items():
        seconds = [min(measured(row, first * factor) for _ in range(ROUNDS)) for factor in FACTORS]
        growth = seconds[-1] / max(seconds[0], 1e-9)
        bent = growth > MOST and seconds[-1] > NEGLIGIBLE
        bends += bent
        numbers = " | ".join(f"{each:.3f}" for each in seconds)
        print(f"| {row} | {first} | {numbers} | {growth:.1f} | {'bends' if bent else ''} |", flush=True)
    return 1 if bends else 0


if __name__ == "__main__":
    sys.exit(main())
