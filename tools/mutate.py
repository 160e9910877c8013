"""Change the evaluator or the prover in small ways, one at a time, and see that some test fails.

    pip install mutmut
    python tools/mutate.py policy [--keep DIRECTORY]
    python tools/mutate.py proof --names 'secure_bucket.proof.search.*' --keep DIRECTORY
    python tools/mutate.py proof --count --keep DIRECTORY

mutmut works on a copy, with the tests that are quick and not random. A second run with the same directory
goes on where the first ended. docs/trust.md has the numbers; `survivors.txt` explains what survives.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
from typing import Final

ROOT: Final = pathlib.Path(__file__).parent.parent
EXPLAINED: Final = ROOT / "tools" / "survivors.txt"
"""The changes that no test can or should notice: a name and a reason in each line."""

TESTS: Final = {"policy": ["tests/policy"], "proof": ["tests/proof", "tests/cases"]}
CONFIGURATION: Final = """\
[tool.pytest.ini_options]
pythonpath = [".", "benchmarks"]
addopts = ["-p", "no:randomly"]

[tool.mutmut]
source_paths = ["src"]
only_mutate = ["src/secure_bucket/{part}/*.py"]
do_not_mutate = ["*/s3_actions.py", "*/__init__.py"]
also_copy = ["tests", "benchmarks"]
# A change is slow to run, and what is about large policies, or about the evaluator alone, tells little of it.
pytest_add_cli_args = ["-k", "not Bounds and not exponential and not witness and not denies_every"]
pytest_add_cli_args_test_selection = {tests}
"""


def main() -> int:
    """Copy, mutate, count; fail if a change survives that `survivors.txt` does not explain."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=TESTS, help="the folder under lib/secure_bucket")
    parser.add_argument("--keep", type=pathlib.Path, help="work here, and leave everything for a look")
    parser.add_argument("--tests", nargs="+", help="the folders of tests to run (default: those of the part)")
    parser.add_argument("--count", action="store_true", help="only count the results in --keep")
    parser.add_argument(
        "--names", nargs="+", default=[], help="only these, as `secure_bucket.proof.pattern.*`"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.keep or pathlib.Path(temporary)
        if not arguments.count:
            mutate(work, arguments.part, arguments.tests or TESTS[arguments.part], arguments.names)
        return count(work)


def mutate(work: pathlib.Path, part: str, tests: list[str], names: list[str]) -> None:
    """Run mutmut on a copy; what it found before in the same folder is kept."""
    work.mkdir(parents=True, exist_ok=True)
    # mutmut finds a package under `src`, and nowhere else.
    shutil.copytree(ROOT / "lib", work / "src", dirs_exist_ok=True)
    for name in {*tests, "tests/cases", "benchmarks"}:
        shutil.copytree(ROOT / name, work / name, dirs_exist_ok=True)
    configuration = CONFIGURATION.format(part=part, tests=tests)
    (work / "pyproject.toml").write_text(configuration, encoding="utf-8")
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", "1", *names]
    subprocess.run(command, cwd=work, check=True)


def count(work: pathlib.Path) -> int:
    """Print the changes of each module that were noticed; return 1 if one survives without an explanation."""
    lines = EXPLAINED.read_text(encoding="utf-8").splitlines()
    explained = {line.partition(": ")[0] for line in lines if line and not line.startswith("#")}
    survivors: set[str] = set()
    print(f"{'module':<24}{'changes':>8}{'run':>6}{'noticed':>9}{'%':>7}")
    for file in sorted((work / "mutants").rglob("*.meta")):
        codes = json.loads(file.read_text(encoding="utf-8"))["exit_code_by_key"]
        run = {name: code for name, code in codes.items() if code is not None}
        alive = {name for name, code in run.items() if code == 0}
        survivors |= alive
        if run:
            share = 100 * (len(run) - len(alive)) / len(run)
            print(f"{file.name[:-8]:<24}{len(codes):>8}{len(run):>6}{len(run) - len(alive):>9}{share:>7.1f}")
    unexplained = sorted(survivors - explained)
    print(*unexplained, sep="\n")
    print(f"{len(survivors)} survive, {len(unexplained)} of them without an explanation in {EXPLAINED.name}")
    return int(bool(unexplained))


if __name__ == "__main__":
    raise SystemExit(main())
