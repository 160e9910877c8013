"""Checking many targets: each by itself, in order, on as many cores as it takes."""

from __future__ import annotations

import contextlib
import datetime
import functools
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from secure_bucket.checks.check import check_document, check_templates
from secure_bucket.checks.find_targets import Kind, Target
from secure_bucket.checks.gate import missing_context
from secure_bucket.errors import NotATemplateError, SecureBucketError, TemplateError, TemplateErrors
from secure_bucket.findings.finding import Fault, Report, joined
from secure_bucket.template.load import (
    MAX_BYTES,
    Document,
    load_document,
    parse_document,
    position_in,
    read_bytes,
)
from secure_bucket.values.unknown import Place

__all__ = [
    "STDIN_NAME",
    "Settings",
    "check_all",
    "check_target",
    "check_together",
    "merge_reports",
    "standard_input",
]

STDIN_NAME = "<stdin>"

# Below this much text one process is done before others have started.
_WORTH_PROCESSES = 400_000
_CHUNKS_PER_PROCESS = 8
_LARGEST_CHUNK = 50

# The signals that end a run; Windows has no SIGHUP.
_ENDING = ("SIGHUP", "SIGINT", "SIGTERM")

_SIGNS_OF_A_TEMPLATE = (
    *(b"AWS", b"Transform", b"::MODULE", b"Fn::"),
    # A backslash at the end of a line continues a text of YAML.
    *(b"\\u", b"\\U", b"\\x", b"\\\n", b"\\\r"),
)


class Settings(Struct, frozen=True):
    """How to check.

    Args:
        strict: Take `{"AWS": "*"}` not to cover AWS service principals.
        minimum_tls: The TLS version below which nothing may get through; `None` asks nothing.
        today: The day for which exceptions are granted.
        siblings: The files of the run, which a `TemplateURL` may be the address of, by their last component.
    """

    strict: bool
    minimum_tls: float | None
    today: datetime.date
    siblings: Mapping[str, Sequence[str]] = field(default_factory=dict)


def check_all(
    targets: Sequence[Target],
    settings: Settings,
    *,
    jobs: int | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Iterator[tuple[Target, Report]]:
    """Check targets one by one and yield them in their order.

    Args:
        targets: What to check.
        settings: How.
        jobs: How many processes to use: as many as there are cores unless set, one where there is little
            to do.
        progress: Called with the number of targets that are done.
    """
    siblings: dict[str, list[str]] = {}
    for target in targets:
        if target.kind in (Kind.TEMPLATE, Kind.CANDIDATE):
            siblings.setdefault(os.path.basename(target.path), []).append(target.path)
    settings = replace(settings, siblings=siblings)
    processes = jobs if jobs is not None else _cores() if _size(targets) > _WORTH_PROCESSES else 1
    processes = min(processes, len(targets))
    alone = processes <= 1
    results = _in_this_process(targets, settings) if alone else _in_processes(targets, settings, processes)
    for done, result in enumerate(results, 1):
        progress(done)
        yield result


def check_together(targets: Sequence[Target], settings: Settings) -> Iterator[tuple[Target, Report]]:
    """Check all templates as one application, in which exports and imports meet.

    What cannot be read, or is no template, is left out and said; what is no single file is checked by
    itself.
    """
    joined: list[Target] = []
    documents: list[Document] = []
    for target in targets:
        if target.kind in (Kind.ASSEMBLY, Kind.STDIN):
            yield target, check_target(target, settings)
            continue
        report = _guarded(target, functools.partial(_read_into, documents, target))
        if report.faults or report.ignored:
            yield target, report
        else:
            joined.append(target)
    if not joined:
        return
    report = _guarded(joined[0], lambda: _check_templates(documents, settings))
    if report.faults and not report.templates:
        # One of them leads to something that cannot be read: it is not to stop the others.
        yield from _in_this_process(joined, settings)
    else:
        yield joined[0], report


def check_target(target: Target, settings: Settings) -> Report:
    """Check one target; whatever stands in the way becomes a fault of the report."""
    return _guarded(target, lambda: _check(target, settings))


def _guarded(target: Target, check: Callable[[], Report]) -> Report:
    try:
        return check()
    except _PassedOver as why:
        return Report(ignored=((target.path, str(why)),))
    except NotATemplateError as error:
        if target.kind is Kind.CANDIDATE:
            return Report(ignored=((target.path, "no CloudFormation template"),))
        return Report(faults=(_fault(target.path, error),))
    except TemplateErrors as errors:
        return Report(faults=tuple(_fault(target.path, error) for error in errors.errors))
    except (SecureBucketError, OSError) as error:
        return Report(faults=(_fault(target.path, error),))
    except MemoryError:
        return Report(faults=(Fault(target.path, f"`{target.path}` does not fit into memory"),))
    except Exception as error:
        # INVARIANT: a fault of our own never passes for a verdict, and never hides those on other files.
        if "SECURE_BUCKET_DEBUG" in os.environ:
            raise
        what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        message = (
            f"`{target.path}` cannot be checked because of a fault in secure-bucket, please report it: {what}"
        )
        return Report(faults=(Fault(target.path, message),))


def merge_reports(results: Iterable[tuple[Target, Report]]) -> Report:
    """Return one report of many.

    A template that another one nests is judged there, with the parameters that it gets; what it would be
    by itself is left out, unless it was named.
    """
    pairs = list(results)
    nested = {
        os.path.normpath(name)
        for target, report in pairs
        for name in report.templates
        if os.path.normpath(name) != target.path
    }
    return joined(
        report for target, report in pairs if target.kind is not Kind.CANDIDATE or target.path not in nested
    )


def _check(target: Target, settings: Settings) -> Report:
    if target.kind is Kind.ASSEMBLY:
        # It takes 10 ms to load, and a template alone does not need it.
        from secure_bucket.checks.cloud_assembly import check_assembly

        report = check_assembly(
            target.path,
            strict=settings.strict,
            minimum_tls_version=settings.minimum_tls,
            exceptions_as_of=settings.today,
        )
        return replace(report, faults=(*report.faults, *missing_context(target.path)))
    if target.kind is Kind.STDIN:
        return check_document(
            parse_document(standard_input(), STDIN_NAME),
            strict=settings.strict,
            minimum_tls_version=settings.minimum_tls,
            exceptions_as_of=settings.today,
        )
    return _check_templates([_document(target)], settings)


def _check_templates(documents: Sequence[Document], settings: Settings) -> Report:
    return check_templates(
        documents,
        strict=settings.strict,
        minimum_tls_version=settings.minimum_tls,
        exceptions_as_of=settings.today,
        siblings=settings.siblings,
    )


def _read_into(documents: list[Document], target: Target) -> Report:
    documents.append(_document(target))
    return Report()


def _document(target: Target) -> Document:
    """Read a template.

    Raises:
        TemplateError: If it cannot be read, or is no template.
        _PassedOver: If it was found in a directory and cannot be one.
    """
    if target.kind is Kind.CANDIDATE:
        return parse_document(_candidate(target.path), target.path)
    return load_document(target.path)


@functools.cache
def standard_input() -> bytes:
    """Return what stands on standard input, which can be read only once."""
    if sys.stdin is None:
        raise SecureBucketError("standard input is closed: there is nothing to read")
    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise SecureBucketError(
            f"`{STDIN_NAME}` has more than {MAX_BYTES:,} bytes: CloudFormation takes at most 1 MB, "
            "so this is no template"
        )
    return data


class _PassedOver(Exception):
    """Say why a file that was found is no template; nobody named it."""


def _candidate(path: str) -> bytes:
    """Return the content of a file that was found, if it may be a template.

    A file that cannot be parsed counts as a template, unless it could not be one even then. A template with a
    bucket holds `AWS`, which only escapes can hide, or a macro, a module or a loop that makes the bucket.

    Raises:
        TemplateError: If it cannot be read.
        _PassedOver: If it cannot be one, which is found out without parsing it.
    """
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise _PassedOver("not a regular file")
    if status.st_size > MAX_BYTES:
        raise _PassedOver(f"more than {MAX_BYTES:,} bytes")
    data = read_bytes(path)
    text = data.replace(b"\0", b"") if b"\0" in data else data
    if not any(sign in text for sign in _SIGNS_OF_A_TEMPLATE):
        raise _PassedOver("no CloudFormation template")
    return data


def _fault(path: str, error: Exception) -> Fault:
    message = " ".join(str(error).split())
    if isinstance(error, OSError):
        message = f"`{path}` cannot be read: {error.strerror or error}"
    if isinstance(error, TemplateError) and error.file:
        return Fault(path, message, Place(file=error.file, line=error.line, column=error.column))
    line, column = position_in(message)
    return Fault(path, message, Place(file=path, line=line, column=column))


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _size(targets: Sequence[Target]) -> int:
    total = 0
    for target in targets:
        with contextlib.suppress(OSError):
            total += os.stat(target.path).st_size
        if total > _WORTH_PROCESSES:
            break
    return total if len(targets) > 1 else 0


def _in_this_process(targets: Sequence[Target], settings: Settings) -> Iterator[tuple[Target, Report]]:
    for target in targets:
        yield target, check_target(target, settings)


def _in_processes(
    targets: Sequence[Target], settings: Settings, processes: int
) -> Iterator[tuple[Target, Report]]:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    size = max(1, min(_LARGEST_CHUNK, len(targets) // (processes * _CHUNKS_PER_PROCESS)))
    # Standard input belongs to this process.
    parts: list[list[Target]] = []
    for target in targets:
        if parts and len(parts[-1]) < size and Kind.STDIN not in (target.kind, parts[-1][0].kind):
            parts[-1].append(target)
        else:
            parts.append([target])
    # A forked process has all modules already. Only Linux forks safely.
    method = "fork" if sys.platform == "linux" else None
    with (
        _exit_on_signals(),
        ProcessPoolExecutor(processes, multiprocessing.get_context(method), _end_with_the_parent) as executor,
    ):
        futures = [
            None if part[0].kind is Kind.STDIN else executor.submit(_check_part, part, settings)
            for part in parts
        ]
        for index, part in enumerate(parts):
            future, futures[index] = futures[index], None
            try:
                reports = _check_part(part, settings) if future is None else future.result()
            except BrokenProcessPool:
                message = "was not checked: the process that did it was killed, for want of memory perhaps"
                reports = [
                    Report(faults=(Fault(target.path, f"`{target.path}` {message}"),)) for target in part
                ]
            yield from zip(part, reports, strict=True)


def _check_part(part: Sequence[Target], settings: Settings) -> list[Report]:
    return [check_target(target, settings) for target in part]


def _end_with_the_parent() -> None:
    """End this worker when its parent ends in whatever way, so that no worker holds the output open."""
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
    import signal
    import threading

    def stop(number: int, _: object) -> None:
        with contextlib.suppress(OSError):
            if os.isatty(2):
                os.write(2, b"\x1b[?25h\n")  # The progress bar hides the cursor.
        os._exit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield  # Only the main thread may set handlers.
        return
    known = [signal.Signals[name] for name in _ENDING if name in signal.Signals.__members__]
    before = {each: signal.getsignal(each) for each in known}
    for each in known:
        if before[each] is not signal.SIG_IGN:
            signal.signal(each, stop)
    try:
        yield
    finally:
        for each in known:
            signal.signal(each, before[each])
