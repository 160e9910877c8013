"""Change the code that decides a verdict in small ways, one at a time, and check that a test fails.

    python tools/mutate.py --state build/mutants.json --each 60
    python tools/mutate.py --state build/mutants.json --modules proof.search --again
    python tools/mutate.py --state build/mutants.json --count

pytest collects the tests once. For each change, a forked process replaces the code of the function, and runs
the tests that reach the function until one fails: first the tests that noticed other changes of it, then the
quick ones. For code that runs at import, a process imports all modules again.

A seed shuffles the changes of a module, so that the first of them are a fair sample. A second run with the
same state continues the first one. `survivors.txt` explains the changes that survive.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import pathlib
import random
import sys
import time
from collections.abc import Iterator
from typing import Final

import pytest
from mutation.changes import LIBRARY, Change, changes_of
from mutation.notice import SURVIVED, Plugin, Reached, arguments_of_pytest

ROOT: Final = pathlib.Path(__file__).parent.parent
EXPLAINED: Final = ROOT / "tools" / "survivors.txt"
"""The changes that no test can or should notice: a name and a reason on each line."""

NOT_CHANGED: Final = {"policy.s3_actions"}
"""Modules that another tool generates."""
IN_TEMPLATE: Final = (
    *("resolve", "intrinsics", "worlds", "conditions", "loops", "mappings", "parameters", "policy_targets"),
    *("deployments", "references", "pseudo_parameters"),
)
IN_FINDINGS: Final = ("judge", "combine", "declared")
IN_TESTS: Final = (
    *("cases", "resolve", "worlds", "deployments", "apart", "unreplaced", "numbers", "receivers", "text"),
    "unread",
)
TESTS: Final = (
    *("tests/policy", "tests/proof", "tests/cases", "tests/test_statements.py"),
    *(f"tests/template/test_{name}.py" for name in IN_TESTS),
    *("tests/findings/test_judge.py", "tests/findings/test_check.py"),
)


def modules() -> list[str]:
    """Return the modules to change."""
    whole = [
        f"{part}.{file.stem}"
        for part in ("policy", "proof")
        for file in sorted((LIBRARY / part).glob("*.py"))
    ]
    named = [
        *whole,
        *(f"template.{name}" for name in IN_TEMPLATE),
        *(f"findings.{name}" for name in IN_FINDINGS),
    ]
    return [name for name in named if name not in NOT_CHANGED and not name.endswith("__init__")]


class Run:
    """The changes to make, and the results so far."""

    def __init__(self, state: pathlib.Path | None, seed: int) -> None:
        self.state = state
        self.seed = seed
        kept = state.read_text(encoding="utf-8").splitlines() if state and state.exists() else []
        self.results: dict[str, str] = dict(json.loads(line) for line in kept)
        self.wanted: list[Change] = []
        self.end = math.inf

    def choose(self, named: list[str], each: int, *, again: bool, seconds: float) -> None:
        """Choose up to `each` changes of each module, in turn."""
        chosen: list[tuple[int, Change]] = []
        for module in named:
            drawn = self.drawn(module)
            if again:
                chosen += [(0, one) for one in drawn if self.results.get(one.name) == SURVIVED]
            else:
                chosen += [(at, one) for at, one in enumerate(drawn[:each]) if one.name not in self.results]
        self.wanted = [one for _, one in sorted(chosen, key=lambda pair: pair[0])]
        self.end = time.monotonic() + seconds

    def drawn(self, module: str) -> list[Change]:
        """Return the changes of a module in the order of the seed."""
        found = changes_of(module)
        random.Random(f"{self.seed} {module}").shuffle(found)
        return found

    def pending(self) -> Iterator[Change]:
        """Yield the remaining changes until the time is over."""
        for change in self.wanted:
            if time.monotonic() > self.end:
                return
            yield change

    def note(self, change: Change, result: str) -> None:
        """Record a result."""
        self.results[change.name] = result
        if self.state is not None:
            with self.state.open("a", encoding="utf-8") as file:
                file.write(json.dumps([change.name, result], ensure_ascii=False) + "\n")
        if result == SURVIVED:
            print(change.name, file=sys.stderr, flush=True)

    def count(self) -> int:
        """Print the share of noticed changes in each module; return 1 if a survivor is not explained."""
        lines = EXPLAINED.read_text(encoding="utf-8").splitlines()
        explained = {line.rpartition(": ")[0] for line in lines if line and not line.startswith("#")}
        existing: set[str] = set()
        survivors: set[str] = set()
        totals = [0, 0, 0]
        print("| module | changes | run | noticed | % |\n|---|---:|---:|---:|---:|")
        for module in modules():
            found = [change.name for change in changes_of(module)]
            existing.update(found)
            run = [name for name in found if name in self.results]
            alive = {name for name in run if self.results[name] == SURVIVED}
            survivors |= alive
            row = (len(found), len(run), len(run) - len(alive))
            totals = [sum(pair) for pair in zip(totals, row, strict=True)]
            if run:
                print(f"| `{module}` | {row[0]:,} | {row[1]} | {row[2]} | {100 * row[2] / row[1]:.1f} |")
        if totals[1]:
            share = totals[2] / totals[1]
            error = 196 * math.sqrt(share * (1 - share) / totals[1])
            print(
                f"| all | {totals[0]:,} | {totals[1]:,} | {totals[2]:,} | {100 * share:.1f} ± {error:.1f} |"
            )
        gone = sorted(explained - existing)
        unexplained = sorted(survivors - explained)
        print(*(f"not explained: {name}" for name in unexplained), sep="\n")
        print(*(f"explained, but no change of this code: {name}" for name in gone), sep="\n")
        print(
            f"{len(survivors)} survive, {len(unexplained)} of them without an explanation in {EXPLAINED.name}"
        )
        return int(bool(unexplained or gone))


def main() -> int:
    """Make the changes and count the results; fail if `survivors.txt` does not explain a survivor."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--state", type=pathlib.Path, help="record results here, and continue from them")
    parser.add_argument("--modules", nargs="+", default=modules(), help="only these, such as `proof.search`")
    parser.add_argument(
        "--each", type=int, default=10**6, help="number of changes of each module (default: all)"
    )
    parser.add_argument("--seed", type=int, default=1, help="decides which changes are drawn (default: 1)")
    parser.add_argument("--seconds", type=float, default=math.inf, help="stop after that time")
    parser.add_argument(
        "--tests", nargs="+", default=TESTS, help="only these files (default: all tests of verdicts)"
    )
    parser.add_argument("--again", action="store_true", help="run only the earlier survivors")
    parser.add_argument("--count", action="store_true", help="only count the earlier results")
    options = parser.parse_args()
    run = Run(options.state, options.seed)
    if not options.count:
        os.chdir(ROOT)
        run.choose(options.modules, options.each, again=options.again, seconds=options.seconds)
        watcher = Reached()
        with watcher.watching():
            import secure_bucket.checks  # noqa: F401 - this imports all modules to change.
        plugin = Plugin(run.pending(), run.note, watcher.keys, run.results)
        pytest.main(arguments_of_pytest(options.tests), plugins=[plugin])
    return run.count()


if __name__ == "__main__":
    raise SystemExit(main())
