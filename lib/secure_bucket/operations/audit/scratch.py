"""Make the directory for DuckDB, and remove it after the run, even if a signal ends the run."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator

from secure_bucket.checks.workers import ending_signals

__all__ = ["scratch_directory"]


@contextlib.contextmanager
def scratch_directory() -> Iterator[str]:
    """Make a directory, and remove it at the end."""
    with tempfile.TemporaryDirectory(prefix="secure-bucket-") as directory, _removed_by_signals(directory):
        yield directory


@contextlib.contextmanager
def _removed_by_signals(directory: str) -> Iterator[None]:
    """If a signal ends the run, remove a directory, and exit with 128 plus the number of the signal.

    A Python handler would wait until DuckDB returns from a query. The byte that Python writes for each signal
    (`signal.set_wakeup_fd`) wakes a thread immediately. An ignored signal, or one with a handler, stays as
    it is.
    """
    ending = [each for each in ending_signals() if signal.getsignal(each) is signal.SIG_DFL]
    if threading.current_thread() is not threading.main_thread() or not ending:
        yield  # Only the main thread may set handlers.
        return
    reading, writing = socket.socketpair()
    writing.setblocking(False)

    def wait() -> None:
        for number in iter(lambda: reading.recv(1), b""):
            if number[0] in ending:
                # DuckDB writes until the process ends, and can create a file again.
                for _ in range(3):
                    shutil.rmtree(directory, ignore_errors=True)
                os._exit(128 + number[0])

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    earlier = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
    for each in ending:
        signal.signal(each, lambda *_: None)
    try:
        yield
    finally:
        for each in ending:
            signal.signal(each, signal.SIG_DFL)
        signal.set_wakeup_fd(earlier)
        writing.close()
        waiting.join()
        reading.close()
