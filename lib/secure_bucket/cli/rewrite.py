"""Show the difference of a fixed template, write it to its file, or write it to standard output."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from difflib import unified_diff

from secure_bucket.cli.output import OutputError, to_stdout, wants_colour
from secure_bucket.formats.characters import printable
from secure_bucket.template.load import read_bytes
from secure_bucket.template.write import write_atomically

__all__ = ["diff_lines", "replace_file", "show_difference", "unreadable", "write_utf8"]

_COLOURS = {"+": "\x1b[32m", "-": "\x1b[31m", "@": "\x1b[36m"}
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


def show_difference(before: str, after: str, name: str, *, colour: bool | None) -> None:
    """Print a unified diff that `patch` can read; on a terminal, with escapes for control characters.

    Args:
        before: The text before.
        after: The text after.
        name: The file, for the header.
        colour: Whether to use colour; `None` if the terminal can show it.
    """
    coloured = sys.stdout is not None and wants_colour(sys.stdout, colour)
    terminal = sys.stdout is not None and sys.stdout.isatty()
    shown: list[str] = []
    for line in diff_lines(before, after, name):
        if terminal:
            line = printable(line.rstrip("\r\n")) + "\n"
        start = _BOLD if len(shown) < 2 else _COLOURS.get(line[0])
        if coloured and start:
            line = f"{start}{line[:-1]}{_PLAIN}\n"
        shown.append(line)
    to_stdout("".join(shown))


def replace_file(file: str, old: bytes, new: str) -> None:
    """Write a fixed file, if it is writable and has not changed since it was read."""
    if not os.stat(file).st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) or not os.access(
        file, os.W_OK
    ):
        raise OutputError(f"`{file}` is read-only: nothing was written to it")
    if read_bytes(file) != old:
        raise OutputError(f"`{file}` changed meanwhile: nothing was written to it, run the command again")
    try:
        write_atomically(file, new)
    except OSError as error:
        raise OutputError(
            f"`{file}` cannot be written, and is unchanged: {error.strerror or error}"
        ) from None


def unreadable(file: str, error: Exception) -> str:
    """Return why a template could not be read or written, in one line."""
    if isinstance(error, OSError):
        return f"`{file}` cannot be read: {error.strerror or error}"
    return " ".join(str(error).split())


def write_utf8(text: str) -> None:
    """Write a template to standard output in UTF-8, even if the terminal uses another encoding."""
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None:
        to_stdout(text)
        return
    try:
        stream.write(text.encode("utf-8"))
        stream.flush()
    except BrokenPipeError:
        to_stdout("")  # It handles the closed pipe.
    except OSError as error:
        raise OutputError(f"standard output cannot be written: {error.strerror or error}") from None


_NO_NEWLINE = "\\ No newline at end of file\n"


def diff_lines(before: str, after: str, name: str) -> Iterator[str]:
    """Yield the lines of a unified diff, each with its line end; nothing for equal texts.

    Args:
        before: The text before.
        after: The text after.
        name: The file, for the header.
    """
    # Only `\\n` ends a line for `patch`; `str.splitlines` knows more line ends.
    # A tab ends a name with spaces, as in `git diff`.
    header = f"{name}\t" if " " in name else name
    for line in unified_diff(_lines(before), _lines(after), header, header):
        if line.endswith("\n"):
            yield line
        else:
            yield f"{line}\n"
            yield _NO_NEWLINE


def _lines(text: str) -> list[str]:
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]
