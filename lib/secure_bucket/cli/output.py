"""Where reports go: to the terminal, into a pipe, into files."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from typing import TextIO

from secure_bucket.errors import SecureBucketError

__all__ = ["OutputError", "Progress", "speaks_utf8", "to_stderr", "to_stdout", "wants_colour", "width_of"]


class OutputError(SecureBucketError):
    """Say that a report could not be delivered."""


def wants_colour(stream: TextIO, choice: bool | None) -> bool:
    """Tell whether to colour what goes to a stream: as asked for, else as it is a terminal.

    https://no-color.org and https://force-color.org: both count when they are set and not empty.
    """
    if choice is not None:
        return choice
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def width_of(stream: TextIO) -> int | None:
    """Return how many columns a terminal has; `None` for a pipe or a file, whose lines are not broken."""
    if not stream.isatty():
        return None
    import shutil  # With its archives it takes longer to load than a small template to check.

    return shutil.get_terminal_size().columns


def speaks_utf8(stream: TextIO) -> bool:
    """Tell whether a stream takes every character."""
    return (stream.encoding or "").replace("-", "").replace("_", "").casefold() in ("utf8", "utf8sig")


def to_stdout(text: str) -> None:
    """Write a text to standard output; a reader that has gone away is no mistake of ours.

    Raises:
        OutputError: If it cannot be written, as on a full disk.
    """
    if sys.stdout is None:
        raise OutputError("standard output is closed")
    try:
        if not speaks_utf8(sys.stdout):
            text = text.encode("ascii", "backslashreplace").decode("ascii")
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
        total: How many steps there are.
        shown: Whether it may be shown at all.
        clock: Returns the time in seconds.
    """

    DELAY = 0.7
    INTERVAL = 0.1
    CELLS = 30

    def __init__(self, total: int, *, shown: bool, clock: Callable[[], float]) -> None:
        self.total = total
        self.shown = shown and sys.stderr is not None and sys.stderr.isatty()
        self.clock = clock
        self.next = clock() + self.DELAY
        self.drawn = False

    def __call__(self, done: int) -> None:
        """Say how many steps are done."""
        if not self.shown or self.clock() < self.next:
            return
        self.next = self.clock() + self.INTERVAL
        filled = self.CELLS * done // max(self.total, 1)
        bar = "#" * filled + "." * (self.CELLS - filled)
        sys.stderr.write(f"\r\x1b[2K[{bar}] {done:,} of {self.total:,}")
        sys.stderr.flush()
        self.drawn = True

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self.drawn:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
