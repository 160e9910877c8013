"""What a reporter is told besides the report, so that it asks neither the clock nor the disk."""

from __future__ import annotations

import datetime
import os.path
from collections.abc import Callable

from msgspec import Struct

__all__ = ["Run", "no_source"]


def no_source(file: str) -> str | None:
    """Return no text for any file: reports then come without excerpts."""
    return None


class Run(Struct, frozen=True):
    """The check that a report came from.

    Args:
        version: The version of this library; `""` leaves it out.
        finished_at: When the check was finished; `None` leaves it out.
        exit_code: What the command exits with; `None` when there is no command.
        options: What was asked for, as `(option, value)` pairs in the order to show them.
        directory: The directory that relative file names start from, as an absolute path.
        root: The directory that reported file names are relative to, as an absolute path: the root of
            the repository. The same as `directory` unless given.
        source: Returns the text of a file, or `None`. It is only asked for files that a finding names.
    """

    version: str = ""
    finished_at: datetime.datetime | None = None
    exit_code: int | None = None
    options: tuple[tuple[str, str], ...] = ()
    directory: str = ""
    root: str = ""
    source: Callable[[str], str | None] = no_source

    def relative(self, file: str) -> str:
        """Return a file name relative to the root, with slashes; an absolute one when it lies elsewhere."""
        path = os.path.normpath(os.path.join(self.directory, file)) if file else ""
        root = self.root or self.directory
        if root and os.path.isabs(path):
            root = os.path.normpath(root)
            if path == root or path.startswith(root.rstrip(os.sep) + os.sep):
                path = os.path.relpath(path, root)
        return path.replace(os.sep, "/")

    @property
    def timestamp(self) -> str:
        """When the check was finished, in UTC to the second, as `2027-03-01T12:00:00Z`; `""` if unknown."""
        if self.finished_at is None:
            return ""
        moment = self.finished_at
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=datetime.timezone.utc)
        return moment.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
