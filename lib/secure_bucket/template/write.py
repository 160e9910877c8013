"""Write a file so that a reader finds the old one or the new one, and never half of one."""

from __future__ import annotations

import contextlib
import os

__all__ = ["write_atomically"]


def write_atomically(path: str | os.PathLike[str], text: str) -> None:
    """Replace the content of a file, wholly or not at all.

    The text is written to another file of the same directory, which then takes the place of the first. A
    full disk therefore leaves the old file as it was, and nothing beside it. A link is followed, and the
    permissions of an existing file are kept. A special file, such as `/dev/stdout` or a FIFO, is
    written to directly.

    Args:
        path: The file.
        text: Its new content, written as UTF-8 with the line ends that it has.

    Raises:
        OSError: If it cannot be written; the old content is then still there.
    """
    from pathlib import Path  # Takes 3 ms, which a check that writes nothing does not pay.

    target = Path(os.path.realpath(path))
    content = text.encode("utf-8")
    try:
        mode = target.stat().st_mode & 0o7777
    except FileNotFoundError:
        mode = 0o666 & ~_umask()
    else:
        if not target.is_file():
            target.write_bytes(content)
            return
    temporary = target.with_name(f".{target.name[:40]}.{os.getpid()}.tmp")
    # Nobody else makes a file of this name; one that is there is what a killed process left.
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(mode)
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _umask() -> int:
    """Return the permissions that new files of this process do not get: it can only be read by setting it."""
    current = os.umask(0o077)
    os.umask(current)
    return current
