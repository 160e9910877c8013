"""Check all templates below some paths, and join the reports."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from msgspec import Struct
from msgspec.structs import replace

from secure_bucket.checks.check import Settings
from secure_bucket.checks.check_targets import check_all, check_together, merge_reports
from secure_bucket.checks.find_targets import STDIN, CheckTarget, TargetKind, Targets, find_targets
from secure_bucket.errors import SecureBucketError
from secure_bucket.findings.finding import Fault, Report
from secure_bucket.template.load import STDIN_NAME

__all__ = ["CheckOptions", "check_paths", "checked_targets"]


class CheckOptions(Struct, frozen=True):
    """What to check, and how.

    Args:
        paths: Files, directories, patterns, and `-` for standard input.
        settings: The options for each template.
        exclude: Patterns of paths to skip.
        together: Treat all templates as one app.
        only_candidates: Skip named files that are not templates, as in a directory.
        jobs: How many processes to use (default: one for each core).
        written: Output files, none of which may be a named template.
    """

    paths: tuple[str, ...]
    settings: Settings
    exclude: tuple[str, ...] = ()
    together: bool = False
    only_candidates: bool = False
    jobs: int | None = None
    written: tuple[str | None, ...] = ()


def check_paths(
    options: CheckOptions,
    advance: Callable[[int, int], None] = lambda done, total: None,
    grant: Callable[[Report], Report] = lambda report: report,
) -> Report:
    """Return the report on all templates below the paths.

    Args:
        options: The paths and options.
        advance: Called with the number of finished templates, and their total.
        grant: Grants further exceptions to the report (default: none).

    Raises:
        SecureBucketError: A path is empty, or an output file would overwrite a template.
    """
    targets, results = checked_targets(options, advance)
    report = merge_reports(results)
    report = grant(
        replace(
            report,
            faults=(*targets.faults, *report.faults),
            ignored=(*targets.ignored, *report.ignored),
        )
    )
    if options.only_candidates:
        return report
    return replace(report, faults=(*report.faults, *_nothing_checked(report, targets, options.paths)))


def checked_targets(
    options: CheckOptions, advance: Callable[[int, int], None] = lambda done, total: None
) -> tuple[Targets, list[tuple[CheckTarget, Report]]]:
    """Return the targets below the paths, and the report on each.

    Args:
        options: As for `check_paths`.
        advance: As for `check_paths`.

    Raises:
        SecureBucketError: As for `check_paths`.
    """
    if "" in options.paths:
        raise SecureBucketError("a PATH is empty: is a variable not set?")
    targets = find_targets(options.paths, exclude=options.exclude, only_candidates=options.only_candidates)
    _spare_the_input(targets, options.written)
    if options.together:
        return targets, list(check_together(targets.found, options.settings))
    total = len(targets.found)
    advance(0, total)
    results = check_all(
        targets.found, options.settings, jobs=options.jobs, progress=lambda done: advance(done, total)
    )
    return targets, list(results)


def _spare_the_input(targets: Targets, files: Iterable[str | None]) -> None:
    """Refuse to overwrite a named template; a found file may be the report of the last run."""
    named = {os.path.realpath(target.path) for target in targets.found if target.kind is TargetKind.TEMPLATE}
    for file in files:
        if file is not None and os.path.realpath(file) in named:
            raise SecureBucketError(f"`{file}` is an input of the check, and the report would overwrite it")


def _nothing_checked(report: Report, targets: Targets, paths: tuple[str, ...]) -> list[Fault]:
    """Return a fault for each argument without anything to check, which is not a pass."""
    faults = [Fault(path, f"`{path}` contains no template") for path in targets.fruitless(paths, report)]
    found = (report.buckets, report.never_created, report.findings, report.exceptions, report.faults, faults)
    if not any(found):
        named = ", ".join(f"`{STDIN_NAME if path == STDIN else path}`" for path in paths[:5])
        faults.append(Fault("", f"there is no bucket in {named}, and an empty check does not pass"))
    return faults
