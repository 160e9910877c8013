"""Check many targets: each by itself, in order, on several cores."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec.structs import replace

from secure_bucket.checks.check import Settings, check_template, check_templates
from secure_bucket.checks.find_targets import CheckTarget, TargetKind
from secure_bucket.checks.possible_policies import with_possible_policies
from secure_bucket.checks.read_target import PassedOverError, read_target, standard_input
from secure_bucket.checks.workers import map_in_processes
from secure_bucket.errors import NotATemplateError, SecureBucketError, TemplateError, TemplateErrors
from secure_bucket.findings.finding import Fault, Report, joined
from secure_bucket.template.load import (
    STDIN_NAME,
    Document,
    parse_document,
    position_in,
)
from secure_bucket.values.unknown import Place

__all__ = [
    "check_all",
    "check_target",
    "check_together",
    "merge_reports",
]


# One process checks less text than this before others have started.
_WORTH_PROCESSES = 400_000
_CHUNKS_PER_PROCESS = 8
_LARGEST_CHUNK = 50


def check_all(
    targets: Sequence[CheckTarget],
    settings: Settings,
    *,
    jobs: int | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Iterator[tuple[CheckTarget, Report]]:
    """Check targets one by one and yield them in their order.

    Args:
        targets: What to check.
        settings: The options of the check.
        jobs: How many processes to use (default: one for each core, or a single one for little work).
        progress: Called with the number of finished targets.
    """
    siblings: dict[str, list[str]] = {}
    for target in targets:
        if target.kind in (TargetKind.TEMPLATE, TargetKind.CANDIDATE):
            siblings.setdefault(os.path.basename(target.path), []).append(target.path)
    settings = replace(settings, siblings=siblings)
    processes = jobs if jobs is not None else _cores() if _size(targets) > _WORTH_PROCESSES else 1
    processes = min(processes, len(targets))
    alone = processes <= 1
    results = _in_this_process(targets, settings) if alone else _in_processes(targets, settings, processes)
    for done, result in enumerate(results, 1):
        progress(done)
        yield result


def check_together(
    targets: Sequence[CheckTarget], settings: Settings
) -> Iterator[tuple[CheckTarget, Report]]:
    """Check all templates as one app, whose exports and imports match.

    A file that cannot be read, or is not a template, is omitted and reported. An assembly and standard input
    are checked by themselves.
    """
    joined: list[CheckTarget] = []
    documents: list[Document] = []
    for target in targets:
        if target.kind in (TargetKind.ASSEMBLY, TargetKind.STDIN):
            yield target, check_target(target, settings)
            continue
        report = _guarded(target, functools.partial(_read_into, documents, target))
        if report.faults or report.ignored:
            yield target, report
        else:
            joined.append(target)
    if not joined:
        return
    report = _guarded(joined[0], lambda: check_templates(documents, settings))
    if report.faults and not report.templates:
        # One of them leads to something unreadable, which must not stop the others.
        yield from _in_this_process(joined, settings)
    else:
        yield joined[0], report


def check_target(target: CheckTarget, settings: Settings) -> Report:
    """Check one target; each error becomes a fault of the report."""
    return _guarded(target, lambda: _check(target, settings))


def _guarded(target: CheckTarget, check: Callable[[], Report]) -> Report:
    try:
        return check()
    except PassedOverError as why:
        return Report(ignored=((target.path, str(why)),))
    except NotATemplateError as error:
        if target.kind is TargetKind.CANDIDATE:
            return Report(ignored=((target.path, "no CloudFormation template"),))
        return Report(faults=(_fault(target.path, error),))
    except TemplateErrors as errors:
        return Report(faults=tuple(_fault(target.path, error) for error in errors.errors))
    except (SecureBucketError, OSError) as error:
        return Report(faults=(_fault(target.path, error),))
    except MemoryError:
        return Report(faults=(Fault(target.path, f"`{target.path}` does not fit into memory"),))
    except Exception as error:
        # INVARIANT: an internal error never counts as a verdict, and never hides verdicts on other files.
        if "SECURE_BUCKET_DEBUG" in os.environ:
            raise
        what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        message = (
            f"`{target.path}` cannot be checked because of a fault in secure-bucket, please report it: {what}"
        )
        return Report(faults=(Fault(target.path, message),))


def merge_reports(results: Iterable[tuple[CheckTarget, Report]]) -> Report:
    """Join reports into one.

    A nested template is judged in its parent, with its actual parameters; the judgement without the parent is
    omitted, unless an argument names the file.
    """
    pairs = list(results)
    nested = {
        os.path.normpath(name)
        for target, report in pairs
        for name in report.templates
        if os.path.normpath(name) != target.path
    }
    return with_possible_policies(
        joined(
            report
            for target, report in pairs
            if target.kind is not TargetKind.CANDIDATE or target.path not in nested
        )
    )


def _check(target: CheckTarget, settings: Settings) -> Report:
    if target.kind is TargetKind.ASSEMBLY:
        # It loads in 6 ms; a single template does not need it.
        from secure_bucket.checks.cloud_assembly import check_assembly

        return check_assembly(
            target.path,
            strict=settings.strict,
            minimum_tls_version=settings.minimum_tls,
            exceptions_as_of=settings.today,
        )
    if target.kind is TargetKind.STDIN:
        return check_template(
            parse_document(standard_input(), STDIN_NAME),
            strict=settings.strict,
            minimum_tls_version=settings.minimum_tls,
            exceptions_as_of=settings.today,
        )
    return check_templates([read_target(target)], settings)


def _read_into(documents: list[Document], target: CheckTarget) -> Report:
    documents.append(read_target(target))
    return Report()


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


def _size(targets: Sequence[CheckTarget]) -> int:
    total = 0
    for target in targets:
        with contextlib.suppress(OSError):
            total += os.stat(target.path).st_size
        if total > _WORTH_PROCESSES:
            break
    return total if len(targets) > 1 else 0


def _in_this_process(
    targets: Sequence[CheckTarget], settings: Settings
) -> Iterator[tuple[CheckTarget, Report]]:
    for target in targets:
        yield target, check_target(target, settings)


def _in_processes(
    targets: Sequence[CheckTarget], settings: Settings, processes: int
) -> Iterator[tuple[CheckTarget, Report]]:
    size = max(1, min(_LARGEST_CHUNK, len(targets) // (processes * _CHUNKS_PER_PROCESS)))
    # Only this process can read standard input.
    parts: list[list[CheckTarget]] = []
    for target in targets:
        if parts and len(parts[-1]) < size and TargetKind.STDIN not in (target.kind, parts[-1][0].kind):
            parts[-1].append(target)
        else:
            parts.append([target])
    check = functools.partial(_check_part, settings=settings)
    alone = [part[0].kind is TargetKind.STDIN for part in parts]
    for part, reports in zip(parts, map_in_processes(check, parts, alone, processes), strict=True):
        if reports is None:
            message = "was not checked: the process that did it was killed, for want of memory perhaps"
            reports = [Report(faults=(Fault(target.path, f"`{target.path}` {message}"),)) for target in part]
        yield from zip(part, reports, strict=True)


def _check_part(part: Sequence[CheckTarget], settings: Settings) -> list[Report]:
    return [check_target(target, settings) for target in part]
