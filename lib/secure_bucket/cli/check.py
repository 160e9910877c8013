"""`secure-bucket check`: every bucket of the templates that the arguments lead to."""

from __future__ import annotations

import argparse
import datetime
import os
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from secure_bucket.cli.arguments.common import ReportTo
from secure_bucket.cli.config import Config, config_of
from secure_bucket.cli.exits import exit_code, is_undecided
from secure_bucket.cli.output import (
    OutputError,
    Progress,
    speaks_utf8,
    to_stderr,
    to_stdout,
    wants_colour,
    width_of,
)
from secure_bucket.cli.targets import STDIN, Kind, Target, Targets, find_targets
from secure_bucket.cli.work import (
    STDIN_NAME,
    Settings,
    check_all,
    check_together,
    merge_reports,
    standard_input,
)
from secure_bucket.errors import SecureBucketError
from secure_bucket.findings.finding import Fault, Level, Report
from secure_bucket.reporters.run import Run

__all__ = ["run"]

# The formats that a code host reads, with paths from the root of the repository.
_FOR_CODE_HOSTS = frozenset(("github", "junit", "sarif"))
_MAX_SOURCE = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Options:
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
    reports = _reports(arguments.reports)
    config = config_of(arguments)
    options = _complete(arguments, config)
    targets = find_targets(options.paths, exclude=options.exclude, only_candidates=arguments.skip_other_files)
    _spare_the_input(targets, (*(each.file for each in reports), arguments.write_baseline))
    if arguments.together:
        report = _whole(targets, check_together(targets.found, options.settings))
    else:
        with Progress(len(targets.found), shown=not arguments.quiet, clock=time.monotonic) as progress:
            results = check_all(targets.found, options.settings, jobs=options.jobs, progress=progress)
            report = _whole(targets, results)
    if config.exceptions:
        report = _grant(report, config, options)
    if not arguments.skip_other_files:
        report = replace(report, faults=(*report.faults, *_nothing_checked(report, targets, options)))
    report = _against_baseline(report, arguments, options)
    if not options.undecided_fails:
        report = replace(
            report,
            findings=tuple(
                replace(finding, level=Level.WARNING)
                if is_undecided(finding) and finding.level is Level.ERROR
                else finding
                for finding in report.findings
            ),
        )
    code = exit_code(report)
    _deliver(report, reports, arguments, options, code)
    return code


def _reports(wanted: Sequence[ReportTo] | None) -> tuple[ReportTo, ...]:
    reports = [ReportTo(each.format, None if each.file == STDIN else each.file) for each in wanted or ()]
    if sum(each.file is None for each in reports) > 1:
        raise SecureBucketError("one report goes to standard output: give the others an --output FILE each")
    files = [os.path.abspath(each.file) for each in reports if each.file is not None]
    if len(files) != len(set(files)):
        raise SecureBucketError("two reports go to the same file: give each --output another one")
    return tuple(reports) or (ReportTo("text", None),)


def _spare_the_input(targets: Targets, files: Iterable[str | None]) -> None:
    """Refuse to write over a template that is named; what is found may be the report of the last run."""
    named = {os.path.realpath(target.path) for target in targets.found if target.kind is Kind.TEMPLATE}
    for file in files:
        if file is not None and os.path.realpath(file) in named:
            raise SecureBucketError(f"`{file}` is what is checked, and would be written over")


def _complete(arguments: argparse.Namespace, config: Config) -> _Options:
    paths = tuple(arguments.paths) or config.paths
    if not paths:
        raise SecureBucketError(
            "give at least one PATH: a template, a directory, a cdk.out, or - (see --help)"
        )
    if "" in paths:
        raise SecureBucketError("a PATH is empty: is a variable not set?")
    strict = config.strict if arguments.strict is None else arguments.strict
    undecided = arguments.undecided or config.undecided or "error"
    minimum = config.minimum_tls if arguments.minimum_tls is None else arguments.minimum_tls
    if arguments.grow_baseline and arguments.write_baseline is None:
        raise SecureBucketError("--grow-baseline says how to --write-baseline FILE: give that, too")
    return _Options(
        paths,
        (*config.exclude, *arguments.exclude),
        undecided == "error",
        Settings(bool(strict), minimum, datetime.date.today()),
        arguments.baseline or (config.baseline if arguments.write_baseline is None else None),
        arguments.jobs or config.jobs,
    )


def _whole(targets: Targets, results: Iterable[tuple[Target, Report]]) -> Report:
    report = merge_reports(results)
    return replace(
        report,
        faults=(*targets.faults, *report.faults),
        ignored=(*targets.ignored, *report.ignored),
    )


def _grant(report: Report, config: Config, options: _Options) -> Report:
    from secure_bucket.cli.granted import configured_exceptions
    from secure_bucket.findings.exceptions import grant_exceptions

    unasked = () if options.settings.minimum_tls is not None else ("SB006",)
    exceptions = configured_exceptions(config, report)
    return grant_exceptions(report, exceptions, options.settings.today, unasked=unasked)


def _nothing_checked(report: Report, targets: Targets, options: _Options) -> list[Fault]:
    """Return what was asked for and has nothing to check, which is not a pass."""
    ignored = {path for path, _ in report.ignored}
    fruitful = {target.argument for target in targets.found if target.path not in ignored}
    faulty = {fault.file for fault in report.faults}
    faults = [
        Fault(path, f"`{path}` holds no template: nothing was checked there")
        for path in dict.fromkeys(options.paths)
        if path not in fruitful and path not in faulty
    ]
    everything = (report.buckets, report.findings, report.baselined, report.exceptions, report.faults, faults)
    if not any(everything):
        named = ", ".join(f"`{STDIN_NAME if path == STDIN else path}`" for path in options.paths[:5])
        faults.append(Fault("", f"there is no bucket in {named}: nothing to check is not a pass"))
    return faults


def _against_baseline(report: Report, arguments: argparse.Namespace, options: _Options) -> Report:
    file = arguments.write_baseline or options.baseline
    if file is None:
        return report
    from secure_bucket.cli.baseline import Baseline, apply_baseline, read_baseline, shrink
    from secure_bucket.reporters.write import write_atomically

    new = arguments.write_baseline is not None and not os.path.lexists(file)
    baseline = Baseline(file) if new else read_baseline(file)
    report, used = apply_baseline(report, baseline)
    kept = shrink(report, baseline, used, grow=new or arguments.grow_baseline)
    if arguments.write_baseline is None:
        gone = len(baseline.entries - kept.entries - used)
        if gone and not arguments.quiet:
            to_stderr(
                f"secure-bucket: {gone} entries of the baseline `{file}` are no longer found: "
                f"--write-baseline {file} takes them out"
            )
        return report
    if report.faults:
        to_stderr(f"secure-bucket: the baseline `{file}` is not written, as not everything could be checked")
        return report
    try:
        write_atomically(file, kept.text())
    except OSError as error:
        raise OutputError(f"`{file}` cannot be written: {error.strerror or error}") from None
    if not arguments.quiet:
        to_stderr(f"secure-bucket: the baseline `{file}` holds {len(kept.entries)} findings")
    return apply_baseline(
        replace(report, findings=(*report.findings, *report.baselined), baselined=()), kept
    )[0]


def _deliver(
    report: Report,
    reports: Sequence[ReportTo],
    arguments: argparse.Namespace,
    options: _Options,
    code: int,
) -> None:
    from secure_bucket.reporters import FORMATS, write_atomically
    from secure_bucket.reporters.summary import summary

    here = os.getcwd()
    run = Run("", _now(), code, options.words(), here, here, _source)
    text_shown = False
    for each in reports:
        its_run = replace(run, root=_root(here)) if each.format in _FOR_CODE_HOSTS else run
        if each.format == "text":
            if each.file is None and arguments.quiet:
                continue
            text = _text(report, its_run, arguments, to_terminal=each.file is None)
            text_shown = text_shown or each.file is None
        else:
            from secure_bucket import __version__  # Looking it up takes time that text does not need.

            text = FORMATS[each.format](report, replace(its_run, version=__version__))
        if each.file is None:
            to_stdout(text)
            continue
        try:
            write_atomically(each.file, text)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise OutputError(f"`{each.file}` cannot be written: {reason}") from None
    if not text_shown:
        for fault in report.faults:
            to_stderr(f"secure-bucket: {fault.message}")
        if not arguments.quiet:
            to_stderr(f"secure-bucket: {summary(report)}")


def _text(report: Report, run: Run, arguments: argparse.Namespace, *, to_terminal: bool) -> str:
    from secure_bucket.reporters.text import render

    if not to_terminal or sys.stdout is None:
        return render(report, run, verbose=arguments.verbose)
    return render(
        report,
        run,
        colour=wants_colour(sys.stdout, arguments.colour),
        width=width_of(sys.stdout),
        ascii_only=not speaks_utf8(sys.stdout),
        verbose=arguments.verbose,
    )


def _now() -> datetime.datetime:
    """Return the time, or the one that reproducible builds set: https://reproducible-builds.org/specs/source-date-epoch/."""
    fixed = os.environ.get("SOURCE_DATE_EPOCH", "")
    if fixed.isdecimal() and len(fixed) < 12:
        return datetime.datetime.fromtimestamp(int(fixed), datetime.timezone.utc)
    return datetime.datetime.now(datetime.timezone.utc)


def _root(directory: str) -> str:
    """Return the root of the repository around a directory; the directory itself if there is none."""
    current = directory
    while not os.path.lexists(os.path.join(current, ".git")):
        above = os.path.dirname(current)
        if above == current:
            return directory
        current = above
    return current


def _source(file: str) -> str | None:
    """Return the text of a file that a finding names, for excerpts; `None` when it cannot be had."""
    try:
        if file == STDIN_NAME:
            data = standard_input()
        elif os.path.isfile(file) and os.path.getsize(file) <= _MAX_SOURCE:
            with open(file, "rb") as stream:
                data = stream.read()
        else:
            return None
        return data.decode("utf-8-sig")
    except (OSError, ValueError, SecureBucketError):
        return None
