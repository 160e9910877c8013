"""List each dependency of a plain install with its licence, its version and its last release.

    python tools/dependencies.py

The versions and licences come from the environment of this Python. The date of the last release is the newest
upload time in the package index:
https://packaging.python.org/en/latest/specifications/simple-repository-api/
"""

from __future__ import annotations

import importlib.metadata as metadata
import json
import re
import urllib.request
from collections.abc import Iterator

INDEX = "https://pypi.org/simple"


def main() -> int:
    """Print the list."""
    rows = [("package", "version", "licence", "last release")]
    for name in sorted(closure("secure-bucket") - {"secure-bucket"}):
        found = metadata.metadata(name)
        rows.append((name, found["Version"], licence(found), last_release(name)))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


def closure(name: str) -> set[str]:
    """Return a package with all packages that its plain install needs here."""
    found, left = set(), [name]
    while left:
        package = left.pop()
        if package not in found:
            found.add(package)
            left += needed(package)
    return found


def needed(name: str) -> Iterator[str]:
    """Yield the installed packages that a package requires without an extra."""
    for requirement in metadata.requires(name) or ():
        other = re.match(r"[A-Za-z0-9._-]+", requirement)
        if other is None or "extra ==" in requirement:
            continue
        try:
            metadata.version(other[0])
        except metadata.PackageNotFoundError:
            continue  # Its marker excludes this Python.
        yield re.sub(r"[-_.]+", "-", other[0]).lower()


def licence(found: metadata.PackageMetadata) -> str:
    """Return the licence as the metadata states it."""
    classifiers = [
        each.rpartition(" :: ")[2] for each in found.get_all("Classifier") or () if "License" in each
    ]
    return found.get("License-Expression") or found.get("License") or ", ".join(classifiers) or "not stated"


def last_release(name: str) -> str:
    """Return the day of the newest upload; `unknown` if the index does not state it."""
    accept = {"Accept": "application/vnd.pypi.simple.v1+json"}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(f"{INDEX}/{name}/", headers=accept), timeout=30
        ) as page:
            files = json.load(page)["files"]
    except (OSError, ValueError, KeyError):
        return "unknown"
    return max((str(file.get("upload-time", ""))[:10] for file in files), default="") or "unknown"


if __name__ == "__main__":
    raise SystemExit(main())
