"""Spread work over processes that end with this one, also after a signal."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

__all__ = ["ending_signals", "map_in_processes"]

# The signals that end a run; Windows has no SIGHUP.
_ENDING = ("SIGHUP", "SIGINT", "SIGTERM")

Part = TypeVar("Part")
Done = TypeVar("Done")

# What this worker does with each part. It holds the names of all templates: sent with each part again, they
# would take time that grows with the square of their number.
_work: Callable[[Any], Any]


def map_in_processes(
    work: Callable[[Part], Done], parts: Sequence[Part], alone: Sequence[bool], processes: int
) -> Iterator[Done | None]:
    """Yield the result of each part, in order; `None` if its process was killed.

    Args:
        work: What to do with a part.
        parts: The parts.
        alone: The parts that this process does itself.
        processes: How many processes to use.
    """
    # Together they take 15 ms to load, and most runs need one process.
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    # A forked process already has all modules. Only Linux forks safely.
    method = "fork" if sys.platform == "linux" else None
    with (
        _exit_on_signals(),
        ProcessPoolExecutor(processes, multiprocessing.get_context(method), _begin, (work,)) as executor,
    ):
        futures = [
            None if is_alone else executor.submit(_do, part)
            for part, is_alone in zip(parts, alone, strict=True)
        ]
        for index, part in enumerate(parts):
            # Do not keep finished parts.
            future, futures[index] = futures[index], None
            try:
                yield work(part) if future is None else future.result()
            except BrokenProcessPool:
                yield None


def ending_signals() -> list[signal.Signals]:
    """Return the signals that end a run, as far as this system has them."""
    return [signal.Signals[name] for name in _ENDING if name in signal.Signals.__members__]


def _begin(work: Callable[[Any], Any]) -> None:
    global _work
    _work = work
    _end_with_the_parent()


def _do(part: Any) -> Any:
    return _work(part)


def _end_with_the_parent() -> None:
    """End this worker when its parent ends, also by a signal, so that no worker holds the output open."""
    # A worker already has them; they load in 15 ms.
    import multiprocessing
    import threading

    parent = multiprocessing.parent_process()
    if parent is not None:

        def wait() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=wait, daemon=True).start()


@contextlib.contextmanager
def _exit_on_signals() -> Iterator[None]:
    """Exit with 128 and the number of a signal that ends the run; `nohup` and the like stay in force.

    A handler that raises can lose its exception or leave a lock behind while the pool forks or submits.
    """
    import threading  # Loads in 0.8 ms; a single process does not need it.

    def stop(number: int, _: object) -> None:
        with contextlib.suppress(OSError):
            if os.isatty(2):
                os.write(2, b"\n")  # Below the progress bar.
        os._exit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield  # Only the main thread may set handlers.
        return
    known = ending_signals()
    before = {each: signal.getsignal(each) for each in known}
    for each in known:
        if before[each] is not signal.SIG_IGN:
            signal.signal(each, stop)
    try:
        yield
    finally:
        for each in known:
            signal.signal(each, before[each])
