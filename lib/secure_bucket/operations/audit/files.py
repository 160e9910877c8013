"""The logs that the arguments lead to, each of which can be opened as a stream of bytes."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from functools import partial
from glob import has_magic, iglob
from typing import BinaryIO, Final

from msgspec import Struct

from secure_bucket.findings.finding import Fault

__all__ = ["STDIN", "Again", "LogFile", "find_logs"]

STDIN: Final = "-"
STDIN_NAME: Final = "<stdin>"


class LogFile(Struct, frozen=True):
    """One log.

    Args:
        name: The file, as it is shown.
        argument: The argument that led to it.
        named: Whether somebody named it, so that it has to be a log.
        open: Opens it; what it raises is an `OSError` or an error of this library.
        path: The path of a regular file, which may be read in any way; `None` for a stream.
        size: How many bytes it has, as stored; 0 where nobody knows.
    """

    name: str
    argument: str
    named: bool
    open: Callable[[], BinaryIO]
    path: str | None = None
    size: int = 0


class Again(Struct, frozen=True):
    """Something that an argument leads to and that an earlier one led to, so that it counts once.

    Args:
        argument: The argument.
    """

    argument: str


def find_logs(argument: str, seen: set[tuple[int, int]]) -> Iterator[LogFile | Again | Fault]:
    """Yield the logs on this machine that an argument leads to.

    Args:
        argument: A file, a directory, a pattern, or `-` for standard input.
        seen: The device and number of each file that was yielded before; they are not yielded again.
    """
    if argument == STDIN:
        yield LogFile(STDIN_NAME, argument, True, lambda: sys.stdin.buffer)
    elif os.path.lexists(argument):
        yield from _path(argument, argument, True, seen)
    else:
        yield from _pattern(argument, seen)


def _pattern(argument: str, seen: set[tuple[int, int]]) -> Iterator[LogFile | Again | Fault]:
    if not has_magic(argument):
        yield Fault(argument, f"`{argument}` does not exist")
        return
    matches = sorted(iglob(argument, recursive=True))
    if not matches:
        yield Fault(argument, f"nothing matches `{argument}`")
    for match in matches:
        yield from _path(match, argument, False, seen)


def _path(
    path: str, argument: str, named: bool, seen: set[tuple[int, int]]
) -> Iterator[LogFile | Again | Fault]:
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        yield Fault(path, f"`{path}` cannot be read: {getattr(error, 'strerror', None) or error}")
        return
    identity = (status.st_dev, status.st_ino)
    # What several links lead to is read once, and a loop of links ends here.
    if identity in seen and not stat.S_ISFIFO(status.st_mode):
        yield Again(argument)
        return
    seen.add(identity)
    if not stat.S_ISDIR(status.st_mode):
        regular = path if stat.S_ISREG(status.st_mode) else None
        if regular is None and not named:
            # Nobody may ever write to the other end of a pipe.
            yield Fault(path, f"`{path}` is not a regular file: name it as a LOG to have it read")
            return
        yield LogFile(path, argument, named, partial(_opened, path), regular, status.st_size)
        return
    try:
        names = sorted(os.listdir(path))
    except OSError as error:
        yield Fault(path, f"`{path}` cannot be looked into: {error.strerror or error}")
        return
    for name in names:
        yield from _path(os.path.join(path, name), argument, False, seen)


def _opened(path: str) -> BinaryIO:
    return open(path, "rb")
