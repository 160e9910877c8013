"""`secure-bucket check`: every bucket of the templates that the arguments lead to."""

from __future__ import annotations

import argparse
import datetime
import os
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from secure_bucket.checks.check_targets import STDIN_NAME, Settings, check_all, check_together, merge_reports
from secure_bucket.checks.find_targets import STDIN, Kind, Target, Targets, find_targets
from secure_bucket.cli.arguments.common import baseline_of
from secure_bucket.cli.config import Config, config_of
from secure_bucket.cli.delivery import deliver, reports_of
from secure_bucket.cli.exits import COULD_NOT_RUN, PROVEN, exit_code, undecided_as_warnings
from secure_bucket.cli.output import Progress
from secure_bucket.errors import SecureBucketError
from secure_bucket.findings.finding import Fault, Report

__all__ = ["check_report", "run"]


class _Options(Struct, frozen=True):
    """The arguments, completed by the settings: what stands on the command line counts."""

    paths: tuple[str, ...]
    exclude: tuple[str, ...]
    undecided_fails: bool
    settings: Settings
    baseline: str | None
    jobs: int | None

    def words(self) -> tuple[tuple[str, str], ...]:
        """Return what was asked for, for the reports."""
        minimum = self.settings.minimum_tls
        return (
            ("undecided", "error" if self.undecided_fails else "warn"),
            ("strict", "yes" if self.settings.strict else "no"),
            ("minimum-tls", "not asked" if minimum is None else f"{minimum:g}"),
        )


def run(arguments: argparse.Namespace) -> int:
    """Check what the arguments lead to, and write the reports.

    Returns:
        The exit code.

    Raises:
        SecureBucketError: If it cannot be done at all.
    """
    reports = reports_of(arguments.reports)
    config = config_of(arguments)
    options = _complete(arguments, config)
    report = _check(arguments, config, options, (*(each.file for each in reports), arguments.write_baseline))
    if options.baseline is not None:
        from secure_bucket.cli.apply_baseline import against_baseline

        report = against_baseline(report, arguments, options.baseline)
    if not options.undecided_fails:
        report = undecided_as_warnings(report)
    code = exit_code(report)
    if arguments.exit_zero and code != COULD_NOT_RUN:
        code = PROVEN
    deliver(report, reports, arguments, options.words(), code)
    return code


def check_report(arguments: argparse.Namespace, config: Config, written: Iterable[str | None]) -> Report:
    """Return the report on what the arguments lead to, with the exceptions of the settings.

    Args:
        arguments: The arguments, with those of this command.
        config: The settings.
        written: The files that will be written, none of which may be a template that is named.

    Raises:
        SecureBucketError: If it cannot be done at all.
    """
    return _check(arguments, config, _complete(arguments, config), written)


def _check(
    arguments: argparse.Namespace, config: Config, options: _Options, written: Iterable[str | None]
) -> Report:
    targets = find_targets(options.paths, exclude=options.exclude, only_candidates=arguments.skip_other_files)
    _spare_the_input(targets, written)
    if arguments.together:
        report = _whole(targets, check_together(targets.found, options.settings))
    else:
        with Progress(len(targets.found), shown=not arguments.quiet, what="checked") as progress:
            results = check_all(targets.found, options.settings, jobs=options.jobs, progress=progress)
            report = _whole(targets, results)
    if config.exceptions:
        from secure_bucket.cli.settings_exceptions import grant_configured

        settings = options.settings
        report = grant_configured(report, config, minimum_tls=settings.minimum_tls, today=settings.today)
    if not arguments.skip_other_files:
        report = replace(report, faults=(*report.faults, *_nothing_checked(report, targets, options)))
    return report


def _spare_the_input(targets: Targets, files: Iterable[str | None]) -> None:
    """Refuse to write over a template that is named; what is found may be the report of the last run."""
    named = {os.path.realpath(target.path) for target in targets.found if target.kind is Kind.TEMPLATE}
    for file in files:
        if file is not None and os.path.realpath(file) in named:
            raise SecureBucketError(f"`{file}` is what is checked, and would be written over")


def _complete(arguments: argparse.Namespace, config: Config) -> _Options:
    paths = tuple(arguments.paths) or config.paths or (".",)
    if "" in paths:
        raise SecureBucketError("a PATH is empty: is a variable not set?")
    strict = config.strict if arguments.strict is None else arguments.strict
    undecided = arguments.undecided or config.undecided or "error"
    minimum = config.minimum_tls if arguments.minimum_tls is None else arguments.minimum_tls
    return _Options(
        paths,
        (*config.exclude, *arguments.exclude),
        undecided == "error",
        Settings(bool(strict), minimum, datetime.date.today()),
        baseline_of(arguments, config.baseline),
        arguments.jobs or config.jobs,
    )


def _whole(targets: Targets, results: Iterable[tuple[Target, Report]]) -> Report:
    report = merge_reports(results)
    return replace(
        report,
        faults=(*targets.faults, *report.faults),
        ignored=(*targets.ignored, *report.ignored),
    )


def _nothing_checked(report: Report, targets: Targets, options: _Options) -> list[Fault]:
    """Return what was asked for and has nothing to check, which is not a pass."""
    faults = [
        Fault(path, f"`{path}` holds no template: nothing was checked there")
        for path in targets.fruitless(options.paths, report)
    ]
    everything = (
        *(report.buckets, report.never_created, report.findings, report.baselined),
        *(report.exceptions, report.faults, faults),
    )
    if not any(everything):
        named = ", ".join(f"`{STDIN_NAME if path == STDIN else path}`" for path in options.paths[:5])
        faults.append(Fault("", f"there is no bucket in {named}: nothing to check is not a pass"))
    return faults
