"""Reports on their way out: in which format, to which file, with what the terminal can show."""

from __future__ import annotations

import argparse
import datetime
import os
import sys
from collections.abc import Sequence
from dataclasses import replace

from secure_bucket.cli.arguments.common import ReportTo
from secure_bucket.cli.output import OutputError, speaks_utf8, to_stderr, to_stdout, wants_colour, width_of
from secure_bucket.cli.targets import STDIN
from secure_bucket.cli.work import STDIN_NAME, standard_input
from secure_bucket.errors import SecureBucketError
from secure_bucket.findings.finding import Report
from secure_bucket.policy.unknown import Place
from secure_bucket.reporters.run import Run

__all__ = ["deliver", "reports_of", "run_of", "write_report"]

# The formats that a code host reads, with paths from the root of the repository.
_FOR_CODE_HOSTS = frozenset(("github", "junit", "sarif"))
_MAX_SOURCE = 16 * 1024 * 1024


def reports_of(wanted: Sequence[ReportTo] | None) -> tuple[ReportTo, ...]:
    """Return the reports that `--format` and `--output` ask for: text on standard output unless they do.

    Raises:
        SecureBucketError: If two go to the same place.
    """
    reports = [ReportTo(each.format, None if each.file == STDIN else each.file) for each in wanted or ()]
    if sum(each.file is None for each in reports) > 1:
        raise SecureBucketError("one report goes to standard output: give the others an --output FILE each")
    files = [os.path.abspath(each.file) for each in reports if each.file is not None]
    if len(files) != len(set(files)):
        raise SecureBucketError("two reports go to the same file: give each --output another one")
    return tuple(reports) or (ReportTo("text", None),)


def deliver(
    report: Report,
    reports: Sequence[ReportTo],
    arguments: argparse.Namespace,
    words: tuple[tuple[str, str], ...],
    code: int,
) -> None:
    """Write a report in each of the formats that were asked for, each to where it was asked to go.

    Args:
        report: The report.
        reports: The formats and files, as `reports_of` returns them.
        arguments: The arguments of the command: `quiet`, `verbose` and `colour`.
        words: What was asked for, for the reports.
        code: What the command exits with.

    Raises:
        OutputError: If one cannot be written.
    """
    from secure_bucket.reporters import FORMATS
    from secure_bucket.reporters.summary import summary

    run = run_of(words, code)
    text_shown = False
    for each in reports:
        its_run = replace(run, root=_root(run.directory)) if each.format in _FOR_CODE_HOSTS else run
        if each.format == "text":
            if each.file is None and arguments.quiet:
                continue
            text = _text(report, its_run, arguments, to_terminal=each.file is None)
            text_shown = text_shown or each.file is None
        else:
            from secure_bucket import __version__  # Looking it up takes time that text does not need.

            text = FORMATS[each.format](report, replace(its_run, version=__version__))
        write_report(each, text)
    if not text_shown:
        for fault in report.faults:
            at = fault.at if fault.at.file else Place(file=fault.file)
            where = "" if not at.file or f"`{at.file}`" in fault.message else f"{at}: "
            to_stderr(f"secure-bucket: {where}{fault.message}")
        if not arguments.quiet:
            to_stderr(f"secure-bucket: {summary(report)}")


def run_of(words: tuple[tuple[str, str], ...], code: int) -> Run:
    """Return what reports are told of this run, but for the version.

    Args:
        words: What was asked for.
        code: What the command exits with.
    """
    here = os.getcwd()
    return Run("", _now(), code, words, here, here, _source)


def write_report(to: ReportTo, text: str) -> None:
    """Write a report to where it was asked to go.

    Raises:
        OutputError: If it cannot be written.
    """
    from secure_bucket.reporters import write_atomically

    if to.file is None:
        to_stdout(text)
        return
    try:
        write_atomically(to.file, text)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"`{to.file}` cannot be written: {reason}") from None


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
