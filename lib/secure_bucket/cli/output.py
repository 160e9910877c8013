"""Write to standard output and standard error, as the terminal allows."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TextIO

from secure_bucket.cli.wrap import fitting
from secure_bucket.errors import SecureBucketError

__all__ = ["OutputError", "Progress", "is_utf8", "to_stderr", "to_stdout", "wants_colour", "width_of"]


class OutputError(SecureBucketError):
    """A report cannot be written."""


def wants_colour(stream: TextIO, choice: bool | None) -> bool:
    """Tell whether to colour the text for a stream: by choice, else if it is a terminal.

    `NO_COLOR` (https://no-color.org) and `FORCE_COLOR` (https://force-color.org) count if they are set and
    not empty. `FORCE_COLOR=0` means no colour, as in Node.js: the CDK CLI (2.1148.1) sets it for its app if
    its own output is a pipe.
    """
    if choice is not None:
        return choice
    if os.environ.get("NO_COLOR"):
        return False
    if forced := os.environ.get("FORCE_COLOR"):
        return forced not in ("0", "false")
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def width_of(stream: TextIO | None) -> int | None:
    """Return the number of columns of a terminal; `None` for a pipe or a file, which need no wrapping."""
    if stream is None or not stream.isatty():
        return None
    import shutil  # Takes 2 ms, which only a terminal pays.

    return shutil.get_terminal_size().columns


def is_utf8(stream: TextIO) -> bool:
    """Tell whether a stream can show every character."""
    return (stream.encoding or "").replace("-", "").replace("_", "").casefold() in ("utf8", "utf8sig")


def to_stdout(text: str) -> None:
    """Write a text to standard output; a closed pipe is not an error.

    Raises:
        OutputError: If the text cannot be written, for example on a full disk.
    """
    if sys.stdout is None:
        raise OutputError("standard output is closed")
    try:
        if not is_utf8(sys.stdout):
            text = text.encode("ascii", "backslashreplace").decode("ascii")
        # Python loses the part of a text that does not fit into a non-blocking pipe.
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
    """Write a line to standard error if it exists, with escapes for control characters."""
    line = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(fitting(f"{line}\n", width_of(sys.stderr)))
        sys.stderr.flush()


def _abandon(stream: TextIO) -> None:
    # Python would fail to write the rest of the buffer again when it ends.
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class Progress:
    """A progress bar on a terminal, for work that takes a while.

    Args:
        total: The number of steps; `None` while it is unknown.
        shown: Whether to show the bar.
        what: The work on a step, such as `checked`.
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
        """Show the number of finished steps; `total` sets the number of all steps."""
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
            # A wrapped line could not be overwritten. Spaces hide the rest of a longer line.
            line = line[: (width_of(sys.stderr) or 80) - 1]
            sys.stderr.write(f"\r{line:<{len(self._line)}}{end}")
            sys.stderr.flush()
        self._line = line

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._line:
            self._show("", end="\r")
