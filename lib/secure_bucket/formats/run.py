"""Describe the run of a check, so that formats do not read the clock or the disk."""

from __future__ import annotations

import datetime
import os.path
from collections.abc import Callable

from msgspec import Struct

from secure_bucket.findings.finding import Finding

__all__ = ["Replacement", "Run", "no_fixes", "no_source", "utc"]


def no_source(file: str) -> str | None:
    """Return no text for any file, for reports without excerpts."""
    return None


class Replacement(Struct, frozen=True):
    """Whole lines of a file, and the lines that replace them.

    Args:
        file: The file, as the finding names it.
        line: The first line to replace, from 1.
        old: The lines to replace, each with its line end; at least one.
        new: The new lines.
    """

    file: str
    line: int
    old: tuple[str, ...]
    new: tuple[str, ...]


def no_fixes(finding: Finding) -> tuple[Replacement, ...]:
    """Return no fix for any finding."""
    return ()


class Run(Struct, frozen=True):
    """The run of a check.

    Args:
        version: The version of this library (default: omit it).
        finished_at: The end of the check (default: omit it).
        exit_code: The exit code of the command (default: no command runs).
        options: The options in force, as `(option, value)` pairs in the order to show them.
        directory: The directory of relative file names, as an absolute path.
        root: The directory that reported file names are relative to, as an absolute path: the root of
            the repository (default: `directory`).
        source: Returns the text of a file, or `None`. Formats call it only for files that a finding names.
        fixes: Returns the lines to replace to fix a finding; empty if the fix is not certain.
        repository: The address of the repository of this library (default: unknown).
        rule_address: Returns the address of the manual of a rule; `""` if it is unknown.
    """

    version: str = ""
    finished_at: datetime.datetime | None = None
    exit_code: int | None = None
    options: tuple[tuple[str, str], ...] = ()
    directory: str = ""
    root: str = ""
    source: Callable[[str], str | None] = no_source
    fixes: Callable[[Finding], tuple[Replacement, ...]] = no_fixes
    repository: str = ""
    rule_address: Callable[[str], str] = lambda rule: ""

    def relative(self, file: str) -> str:
        """Return a file name relative to the root, with slashes; an absolute name outside the root."""
        path = os.path.normpath(os.path.join(self.directory, file)) if file else ""
        root = self.root or self.directory
        if root and os.path.isabs(path):
            root = os.path.normpath(root)
            if path == root or path.startswith(root.rstrip(os.sep) + os.sep):
                path = os.path.relpath(path, root)
        return path.replace(os.sep, "/")

    @property
    def timestamp(self) -> str:
        """The end of the check in UTC to the second, such as `2027-03-01T12:00:00Z`; `""` if unknown."""
        return "" if self.finished_at is None else utc(self.finished_at).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc(moment: datetime.datetime) -> datetime.datetime:
    """Return a time in UTC to the second; a time without a zone counts as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return moment.astimezone(datetime.timezone.utc).replace(microsecond=0)
