"""Change the evaluator or the prover in small ways, one at a time, and see that some test fails.

    pip install mutmut
    python tools/mutate.py policy [--keep DIRECTORY]
    python tools/mutate.py proof

mutmut works on a copy, with the tests that are quick and not random. The numbers, and what the survivors are,
stand in docs/trust.md.
"""

from __future__ import annotations

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile
from typing import Final

ROOT: Final = pathlib.Path(__file__).parent.parent
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
    """Copy, mutate, count."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=TESTS, help="the folder under lib/secure_bucket")
    parser.add_argument("--keep", type=pathlib.Path, help="work here, and leave everything for a look")
    parser.add_argument("names", nargs="*", help="only these mutants, as `secure_bucket.proof.pattern.*`")
    arguments = parser.parse_intermixed_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.keep or pathlib.Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        tests = TESTS[arguments.part]
        # mutmut finds a package under `src`, and nowhere else.
        shutil.copytree(ROOT / "lib", work / "src", dirs_exist_ok=True)
        for name in {*tests, "tests/cases", "benchmarks"}:
            shutil.copytree(ROOT / name, work / name, dirs_exist_ok=True)
        configuration = CONFIGURATION.format(part=arguments.part, tests=tests)
        (work / "pyproject.toml").write_text(configuration, encoding="utf-8")
        mutmut = [sys.executable, "-m", "mutmut"]
        run = subprocess.run([*mutmut, "run", "--max-children", "1", *arguments.names], cwd=work, check=False)
        return run.returncode or subprocess.run([*mutmut, "results"], cwd=work, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main())
