"""What real templates cost: `secure-bucket check` on a directory of them, in one process and in two.

    python benchmarks/real_templates.py [DIRECTORY] [--repeat 3]

The directory is `../shared/templates` by default: 400 public templates, which are no part of this repository.
Each run is a process of its own, in turns; a row is the least of them. Templates made for a benchmark are
smaller: `benchmarks/check.py` measures those.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from check import Tool, megabytes, table

TEMPLATES = Path(__file__).resolve().parents[2] / "shared" / "templates"
COMMAND = "from secure_bucket.cli.main import console; console()"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("directory", nargs="?", type=Path, default=TEMPLATES, help="where the templates are")
    parser.add_argument("--repeat", type=int, default=3, help="how often each is run")
    arguments = parser.parse_args()
    directory = arguments.directory.resolve()
    files = [file for file in directory.rglob("*") if file.suffix in (".json", ".yaml", ".yml", ".template")]
    if not files:
        parser.error(f"`{directory}` contains no templates: name another directory")
    size = sum(file.stat().st_size for file in files)
    tools = [
        Tool(
            f"--jobs {jobs}",
            lambda path, jobs=jobs: [  # type: ignore[misc]
                *(sys.executable, "-c", COMMAND, "check", "--no-config", "--jobs", str(jobs), str(path)),
            ],
        )
        for jobs in (1, 2)
    ]
    for _ in range(arguments.repeat):
        for tool in tools:
            tool.run("real", directory, range(4))
    rows = [["", "seconds", "CPU seconds", "CPU milliseconds each", "memory"]]
    for tool in tools:
        work = tool.least("real")
        each = f"{1000 * work / len(files):.2f}"
        rows.append(
            [tool.name, f"{tool.best('real'):.2f}", f"{work:.2f}", each, megabytes(tool.peak["real"])]
        )
    print(
        f"{len(files):,} files, {megabytes(size)}; {os.cpu_count()} cores, Python {sys.version.split()[0]}\n"
    )
    print(table(rows), end="")


if __name__ == "__main__":
    main()
