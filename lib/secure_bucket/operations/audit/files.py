"""Find the logs on this machine, and open them as streams of bytes."""

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

__all__ = ["STDIN", "STDIN_NAME", "Again", "LogFile", "find_logs"]

STDIN: Final = "-"
STDIN_NAME: Final = "<stdin>"


class LogFile(Struct, frozen=True):
    """One log.

    Args:
        name: The name of the file in messages.
        argument: The argument that led to it.
        named: Whether the user named the file itself, so that it must be a log.
        open: Opens it, and raises only `OSError` or errors of this library.
        path: The path of a regular file; `None` for a stream.
        size: The number of stored bytes; 0 if it is unknown.
    """

    name: str
    argument: str
    named: bool
    open: Callable[[], BinaryIO]
    path: str | None = None
    size: int = 0


class Again(Struct, frozen=True):
    """A log that an earlier argument led to as well, so that it counts once.

    Args:
        argument: The argument.
    """

    argument: str


def find_logs(argument: str, seen: set[tuple[int, int]]) -> Iterator[LogFile | Again | Fault]:
    """Yield the logs of an argument.

    Args:
        argument: A file, a directory, a pattern, or `-` for standard input.
        seen: The device and the number of each file so far, which is not yielded again.
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
    # Read the target of several links once, and end a loop of links.
    if identity in seen and not stat.S_ISFIFO(status.st_mode):
        yield Again(argument)
        return
    seen.add(identity)
    if not stat.S_ISDIR(status.st_mode):
        regular = path if stat.S_ISREG(status.st_mode) else None
        if regular is None and not named:
            # Reading a pipe may never end.
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
