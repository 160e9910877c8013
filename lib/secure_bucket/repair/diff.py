"""Show the difference between two texts, as `diff -u` does and `patch` reads it."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff

__all__ = ["diff_lines"]

_NO_NEWLINE = "\\ No newline at end of file\n"


def diff_lines(before: str, after: str, name: str) -> Iterator[str]:
    """Yield the lines of a unified diff, each with its line end; nothing for equal texts.

    Args:
        before: The text as it was.
        after: The text as it is to be.
        name: The file, for the header.
    """
    # Only `\\n` ends a line for `patch`; `str.splitlines` knows more ends.
    # A tab ends a name that holds spaces, as `git diff` has it.
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
