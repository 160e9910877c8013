"""Run a changed module in its own process, and find the test that notices the change."""

from __future__ import annotations

import contextlib
import faulthandler
import functools
import gc
import importlib.machinery
import math
import os
import resource
import signal
import sys
import time
import types
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import pytest
from _pytest.runner import runtestprotocol

from mutation.changes import LIBRARY, Change, changed_tree, source_of

if TYPE_CHECKING:
    import ast

__all__ = ["SURVIVED", "Plugin", "Reached", "arguments_of_pytest"]

SURVIVED: Final = "survived"
QUICK: Final = 0.2
"""The maximum seconds of a test for a change outside of functions."""
SECONDS: Final = 120
"""The maximum seconds for a change; a longer run counts as noticed."""
LEFT_OUT: Final = "not Bounds and not refresh and not more_worlds"
"""The expression that excludes slow tests, which only test limits."""

FIRST: Final = 40
"""The number of tests to run before collecting all others, for a change outside of functions."""

Key = tuple[str, str, int]
Timed = tuple[float, int]
"""The seconds and the index of a test."""


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield constant
            yield from _codes(constant)


def _key(code: types.CodeType) -> Key:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def put_in_place(change: Change, functions: list[types.FunctionType]) -> bool:
    """Replace the code of the functions of a module; return whether a function changed."""
    file = str(source_of(change.module))
    new = {_key(code): code for code in _codes(compile(changed_tree(change), file, "exec"))}
    is_changed = False
    for function in functions:
        other = new.get(_key(function.__code__))
        if other is not None and other != function.__code__:
            function.__code__ = other
            is_changed = True
    return is_changed


class _Changed(importlib.machinery.SourceFileLoader):
    """Loads a module from a changed syntax tree."""

    tree: ast.Module

    def get_code(self, fullname: str) -> types.CodeType:
        return compile(self.tree, self.path, "exec")


class _Finder:
    def __init__(self, change: Change) -> None:
        self.name = f"secure_bucket.{change.module}"
        self.loader = _Changed(self.name, str(source_of(change.module)))
        self.loader.tree = changed_tree(change)

    def find_spec(self, name: str, path: object = None, target: object = None) -> Any:
        if name != self.name:
            return None
        return importlib.machinery.ModuleSpec(name, self.loader, origin=self.loader.path)


class Reached:
    """Records which functions of the library run."""

    def __init__(self) -> None:
        self.keys: set[Key] = set()

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Record every call in the block."""
        codes: set[types.CodeType] = set()

        def note(frame: types.FrameType, event: str, argument: object) -> None:
            codes.add(frame.f_code)

        sys.setprofile(note)
        try:
            yield
        finally:
            sys.setprofile(None)
        self.keys = {_key(code) for code in codes if code.co_filename.startswith(str(LIBRARY))}


class Plugin:
    """Runs the tests that pytest collected for each change."""

    def __init__(
        self,
        changes: Iterable[Change],
        note: Callable[[Change, str], None],
        at_import: set[Key],
        results: Mapping[str, str],
    ) -> None:
        self.changes = changes
        self.note = note
        self.at_import = at_import
        self.successes: Counter[tuple[str, str]] = Counter()
        for name, result in results.items():
            self.count(name, result)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        # A test with random examples could fail without noticing the change.
        self.items = [item for item in session.items if not _is_random(item)]
        reached: list[tuple[float, set[Key]]] = []
        for index, item in enumerate(self.items):
            start = time.process_time()
            watcher = Reached()
            with watcher.watching():
                is_noticed = self.fails(index, index + 1 if index + 1 < len(self.items) else None)
            if is_noticed:
                print(f"left out, because it fails without a change: {item.nodeid}", file=sys.stderr)
                watcher.keys = set()
            reached.append((math.inf if is_noticed else time.process_time() - start, watcher.keys))
        gc.collect()
        self.functions = [
            one
            for one in gc.get_objects()
            if isinstance(one, types.FunctionType) and one.__code__.co_filename.startswith(str(LIBRARY))
        ]
        for one in gc.get_objects():
            if isinstance(one, functools._lru_cache_wrapper):
                one.cache_clear()
        gc.freeze()
        # INVARIANT: without a change, no test fails in such a process: else every change would count as
        # noticed.
        everything = [(each[0], index) for index, each in enumerate(reached) if each[0] < SECONDS]
        everything.sort()
        unchanged = forked(lambda: self.first_to_fail(everything))
        if unchanged != SURVIVED:
            raise SystemExit(f"without a change: {unchanged}")
        for change in self.changes:
            result = self.result(change, reached)
            self.count(change.name, result)
            self.note(change, result)
        return True

    def count(self, name: str, result: str) -> None:
        """Count that a test noticed a change of a function, and of its module."""
        function = name.partition(": ")[0]
        module = ".".join(function.split(".")[:2])
        self.successes[function, result] += 8
        self.successes[module, result] += 1

    def order(self, change: Change, reached: list[tuple[float, set[Key]]]) -> list[Timed]:
        """Return the tests: first those that noticed similar changes, then those of the module."""
        function = f"{change.module}.{change.function}".rstrip(".")
        own = change.module.rpartition(".")[2]

        def key(index: int) -> tuple[float, bool, float]:
            seconds, result = reached[index][0], noticed_by(self.items[index].name)
            successes = self.successes[function, result] + self.successes[change.module, result]
            return -successes / (seconds + 0.01), own not in self.items[index].nodeid, seconds

        return [(reached[index][0], index) for index in sorted(range(len(reached)), key=key)]

    def fails(self, index: int, following: int | None) -> bool:
        """Run a test, after which another follows, and return whether it fails."""
        next_item = None if following is None else self.items[following]
        return any(
            report.failed for report in runtestprotocol(self.items[index], log=False, nextitem=next_item)
        )

    def result(self, change: Change, reached: list[tuple[float, set[Key]]]) -> str:
        """Return the result of a change."""
        file = str(source_of(change.module))

        def is_inside(key: Key) -> bool:
            return key[0] == file and _function_of(key[1]) == change.function

        order = self.order(change, reached)
        chosen = [one for one in order if any(map(is_inside, reached[one[1]][1]))]
        # Code outside of functions, or that runs at import, may matter anywhere.
        anywhere = not chosen or any(map(is_inside, self.at_import))
        tests = [one for one in order if one[0] < QUICK] if anywhere else chosen

        def with_change() -> str:
            return self.first_to_fail(tests) if put_in_place(change, self.functions) else "unplaced"

        result = "unplaced" if anywhere else forked(with_change)
        if result != "unplaced":
            return result
        names = [self.items[index].nodeid for _, index in tests]
        first = forked(lambda: anew(change, names[:FIRST]))
        return forked(lambda: anew(change, names[FIRST:])) if first == SURVIVED else first

    def first_to_fail(self, chosen: list[Timed]) -> str:
        """Run tests until one fails, and return the result."""
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
        following = [index for _, index in chosen[1:]] + [None]
        for (seconds, index), after in zip(chosen, following, strict=True):
            # A test that takes twenty times as long is in an endless loop.
            signal.setitimer(signal.ITIMER_PROF, max(2, 20 * seconds))
            if self.fails(index, after):
                return noticed_by(self.items[index].name)
        return SURVIVED


def noticed_by(name: str) -> str:
    """Return the result of a change that a test notices."""
    return f"noticed by {name[:80]}"


def _is_random(item: pytest.Item) -> bool:
    return getattr(getattr(item, "obj", None), "is_hypothesis_test", False)


def _function_of(qualname: str) -> str:
    """Return the name of the function around a lambda or a comprehension, as `changes` writes it."""
    return ".".join(part for part in qualname.replace("<locals>.", "").split(".") if part[0] != "<")


class Selection:
    """Makes pytest run some tests in a given order."""

    def __init__(self, names: list[str]) -> None:
        self.order = {name: place for place, name in enumerate(names)}
        self.result = "noticed at import"

    def pytest_runtest_setup(self) -> None:
        # A test that takes this long is in an endless loop.
        signal.setitimer(signal.ITIMER_PROF, 20)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.result = noticed_by(report.nodeid.partition("::")[2].rpartition("::")[2])

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self.order), key=lambda item: self.order[item.nodeid]
        )


def anew(change: Change, names: list[str]) -> str:
    """Import all modules again with a change, and run some tests."""
    for name in list(sys.modules):
        if name.partition(".")[0] in ("secure_bucket", "tests", "conftest"):
            del sys.modules[name]
    sys.meta_path.insert(0, _Finder(change))  # type: ignore[arg-type]
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    files = dict.fromkeys(name.partition("::")[0] for name in names)
    selection = Selection(names)
    code = pytest.main([*arguments_of_pytest(files), "-x"], plugins=[selection])
    return SURVIVED if code == 0 else selection.result


def forked(work: Any) -> str:
    """Return the result of work in a forked process; a process that dies has noticed the change."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
        faulthandler.disable()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        try:
            result = work()
        except BaseException as error:  # Any error notices the change.
            result = f"noticed by {type(error).__name__}"
        os.write(writing, result.encode()[:200])
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as answer:
        result = answer.read().decode(errors="replace")
    os.waitpid(child, 0)
    return result or "noticed by the time it takes"


def arguments_of_pytest(files: Iterable[str]) -> list[str]:
    """Return the arguments for pytest."""
    return ["-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:xdist", "-k", LEFT_OUT, *files]
