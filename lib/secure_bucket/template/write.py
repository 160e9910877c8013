"""Write a file atomically: a reader finds the old or the new content."""

from __future__ import annotations

import contextlib
import os

__all__ = ["write_atomically"]


def write_atomically(path: str | os.PathLike[str], text: str) -> None:
    """Replace the content of a file, completely or not at all.

    It writes the text to another file of the same directory, which then replaces the first. So a full disk
    leaves the old file unchanged, and no other file. It follows links, keeps the permissions of an existing
    file, and writes special files, such as `/dev/stdout` or a FIFO, directly.

    Args:
        path: The file.
        text: Its new content, written as UTF-8 with its own line ends.

    Raises:
        OSError: It cannot be written; the old content is then unchanged.
    """
    from pathlib import Path  # Loads in 3 ms; a check that writes nothing does not need it.

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
    # Nobody else makes a file of this name; an existing one is from a killed process.
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
    """Return the umask of this process, which can only be read by setting it."""
    current = os.umask(0o077)
    os.umask(current)
    return current
