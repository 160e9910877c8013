"""Build the documentation of every release and of the main branch, with a menu of the versions.

    python tools/documentation/versions.py      # into build/versions

Each version has its own directory, built from its own files. The menu reads `versions.json` in the form of
mike: https://zensical.org/docs/compatibility/mkdocs/mike/ (read 2026-11). mike itself is not needed, and its
edition for Zensical is not on PyPI.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAIN = "main"


def releases(tags: Sequence[str]) -> list[str]:
    """Return the versions of the tags of releases, the newest first."""
    found = [tag[1:] for tag in tags if re.fullmatch(r"v\d+\.\d+\.\d+", tag)]
    return sorted(found, key=lambda version: [*map(int, version.split("."))], reverse=True)


def write_index(directory: Path, versions: Sequence[str]) -> None:
    """Write the list for the menu, and the page that leads to the newest release.

    Args:
        directory: The directory of the site.
        versions: The releases, the newest first.
    """
    first = (*versions, MAIN)[0]
    menu = [
        {"version": each, "title": each, "aliases": ["latest"] if each == first else []}
        for each in (*versions, MAIN)
    ]
    (directory / "versions.json").write_text(json.dumps(menu), encoding="utf-8")
    page = (
        f'<!doctype html><meta charset="utf-8"><title>secure-bucket</title>\n<a href="{first}/">{first}</a>\n'
    )
    refresh = f'<meta http-equiv="refresh" content="0; url={first}/">\n'
    (directory / "index.html").write_text(page + refresh, encoding="utf-8")


def build(revision: str, target: Path) -> None:
    """Build the site of a revision from its own files."""
    with tempfile.TemporaryDirectory() as temporary:
        tree = Path(temporary) / "tree"
        git = ("git", "-C", str(ROOT), "worktree")
        subprocess.run([*git, "add", "--quiet", "--detach", str(tree), revision], check=True)
        try:
            environment = {**os.environ, "PYTHONPATH": str(tree / "lib")}
            command = [sys.executable, "tools/documentation/build.py"]
            subprocess.run(command, cwd=tree, env=environment, check=True)
            shutil.copytree(tree / "build" / "site", target)
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)


def main() -> int:
    """Build all versions."""
    listed = subprocess.run(["git", "tag"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    versions = releases(listed.split())
    target = ROOT / "build" / "versions"
    shutil.rmtree(target, ignore_errors=True)
    for version in versions:
        build(f"v{version}", target / version)
    build("HEAD", target / MAIN)
    write_index(target, versions)
    print(f"{target}: {', '.join((*versions, MAIN))}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
