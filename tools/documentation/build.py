"""Build the documentation site, or serve it while it is written.

    python tools/documentation/build.py            # into build/site; any warning fails
    python tools/documentation/build.py --serve    # http://localhost:8000, built again at each change

Zensical reads `mkdocs.yml`. It is what the authors of Material for MkDocs maintain today: that theme reaches
its end of life on 5 May 2027, and MkDocs itself has had no release since 2024. Nothing is fetched meanwhile.

What can be told from the code is not written by hand: the commands from their parser, the rules from their
manuals, the names from the package, the pictures from the evaluator. They are written to `build/docs/`, and
the pages take them in as snippets.
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
    """Write what the pages take in."""
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
        # Left alone where it is the same, so that `--serve` does not build without a reason.
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
    # The usage of a command is broken into lines, which must not depend on the terminal.
    os.environ["COLUMNS"] = "100"
    generate(arguments.directory)
    how = ("serve",) if arguments.serve else ("build", "--clean", "--strict")
    command = [sys.executable, "-m", "zensical", *how]
    return subprocess.run(command, cwd=arguments.directory, env={**os.environ, "NO_COLOR": "1"}).returncode


if __name__ == "__main__":
    raise SystemExit(main())
