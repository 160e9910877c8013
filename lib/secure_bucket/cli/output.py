"""Where reports go: to the terminal, into a pipe, into files."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TextIO

from secure_bucket.errors import SecureBucketError

__all__ = ["OutputError", "Progress", "speaks_utf8", "to_stderr", "to_stdout", "wants_colour", "width_of"]


class OutputError(SecureBucketError):
    """Say that a report could not be delivered."""


def wants_colour(stream: TextIO, choice: bool | None) -> bool:
    """Tell whether to colour what goes to a stream: as asked for, else as it is a terminal.

    https://no-color.org and https://force-color.org: both count when they are set and not empty.
    `FORCE_COLOR=0` says no, as for Node: the AWS CDK CLI (2.1148.1) sets it for its app where it has a pipe.
    """
    if choice is not None:
        return choice
    if os.environ.get("NO_COLOR"):
        return False
    if forced := os.environ.get("FORCE_COLOR"):
        return forced not in ("0", "false")
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def width_of(stream: TextIO) -> int | None:
    """Return how many columns a terminal has; `None` for a pipe or a file, whose lines are not broken."""
    if not stream.isatty():
        return None
    import shutil  # Takes 2 ms, which only a terminal pays.

    return shutil.get_terminal_size().columns


def speaks_utf8(stream: TextIO) -> bool:
    """Tell whether a stream takes every character."""
    return (stream.encoding or "").replace("-", "").replace("_", "").casefold() in ("utf8", "utf8sig")


def to_stdout(text: str) -> None:
    """Write a text to standard output; a reader that has gone away is not an error.

    Raises:
        OutputError: If it cannot be written, as on a full disk.
    """
    if sys.stdout is None:
        raise OutputError("standard output is closed")
    try:
        if not speaks_utf8(sys.stdout):
            text = text.encode("ascii", "backslashreplace").decode("ascii")
        # Python loses what does not fit into a pipe that does not block.
        with contextlib.suppress(AttributeError, OSError, ValueError):
            os.set_blocking(sys.stdout.fileno(), True)
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _abandon(sys.stdout)
    except OSError as error:
        _abandon(sys.stdout)
        raise OutputError(f"standard output cannot be written: {error.strerror or error}") from None


def to_stderr(text: str) -> None:
    """Write a line to standard error, if there is one; control characters are written as escapes."""
    line = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def _abandon(stream: TextIO) -> None:
    # What is left in the buffer would fail once more, when Python ends.
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class Progress:
    """A bar on standard error, on a terminal, once the work has taken a while.

    Args:
        total: How many steps there are; `None` while nobody knows.
        shown: Whether it may be shown at all.
        what: What is done with them, as `checked`.
    """

    DELAY = 0.7
    INTERVAL = 0.1
    CELLS = 20

    def __init__(self, total: int | None, *, shown: bool, what: str) -> None:
        self.total = total
        self.shown: bool = shown and sys.stderr is not None and sys.stderr.isatty()
        self.what = what
        self.next: float = time.monotonic() + self.DELAY
        self._line = ""

    def __call__(self, done: int, total: int | None = None) -> None:
        """Say how many steps are done, and of how many where that was not known before."""
        self.total = self.total if total is None else total
        if not self.shown or time.monotonic() < self.next:
            return
        self.next = time.monotonic() + self.INTERVAL
        line = f"{done:,} {self.what}"
        if self.total is not None:
            done_cells = self.CELLS * done // max(self.total, done, 1)
            line = f"[{'#' * done_cells:-<{self.CELLS}}] {done:,} of {self.total:,} {self.what}"
        self._show(line)

    def _show(self, line: str, end: str = "") -> None:
        with contextlib.suppress(OSError, ValueError):
            # A line that the terminal breaks could not be written over. Spaces hide the rest of a longer one.
            line = line[: (width_of(sys.stderr) or 80) - 1]
            sys.stderr.write(f"\r{line:<{len(self._line)}}{end}")
            sys.stderr.flush()
        self._line = line

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._line:
            self._show("", end="\r")
