"""Build the documentation site, or serve it during writing.

    python tools/documentation/build.py            # into build/site; any warning fails
    python tools/documentation/build.py --serve    # http://localhost:8000, built again at each change

Zensical reads `mkdocs.yml`. The authors of Material for MkDocs maintain it today: that theme reaches its end
of life on 5 May 2027, and MkDocs itself has had no release since 2024. The build needs no network.

The build generates the reference from the code: the commands from their parser, the rules from their manuals,
the names from the package, the pictures from the evaluator. It writes them to `build/docs/`, and the pages
include them as snippets.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pictures
import reference
import session

from secure_bucket.version import installed_version

ROOT = Path(__file__).resolve().parents[2]


def generate(directory: Path) -> None:
    """Write the snippets of the pages."""
    target = directory / "build" / "docs"
    target.mkdir(parents=True, exist_ok=True)
    pages = {
        **reference.pages(ROOT),
        **pictures.pages(),
        "session.svg": session.session(),
        "version.md": f"This is the documentation of version {installed_version()}.\n",
    }
    for name, text in pages.items():
        file = target / name
        # Do not write an unchanged file, so that `--serve` does not build again.
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
    for file in target.iterdir():
        if file.name not in pages:
            file.unlink()


def main() -> int:
    """Generate, and build or serve."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--serve", action="store_true", help="serve it while it is written")
    parser.add_argument("--directory", type=Path, default=ROOT, help="where mkdocs.yml is")
    arguments = parser.parse_args()
    # The line breaks in the usage of a command must not depend on the terminal.
    os.environ["COLUMNS"] = "100"
    generate(arguments.directory)
    how = ("serve",) if arguments.serve else ("build", "--clean", "--strict")
    command = [sys.executable, "-m", "zensical", *how]
    return subprocess.run(command, cwd=arguments.directory, env={**os.environ, "NO_COLOR": "1"}).returncode


if __name__ == "__main__":
    raise SystemExit(main())
