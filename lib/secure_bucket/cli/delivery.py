"""Deliver reports in each requested format, to files or to the terminal."""

from __future__ import annotations

import argparse
import datetime
import importlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

from msgspec.structs import replace

from secure_bucket.checks.find_targets import STDIN
from secure_bucket.checks.read_target import standard_input
from secure_bucket.cli.arguments.common import ReportTo
from secure_bucket.cli.output import OutputError, is_utf8, to_stderr, to_stdout, wants_colour, width_of
from secure_bucket.cli.wrap import fitting
from secure_bucket.errors import SecureBucketError
from secure_bucket.findings.finding import Report
from secure_bucket.formats import FORMATS
from secure_bucket.formats.ending import closing
from secure_bucket.formats.run import Run
from secure_bucket.template.load import STDIN_NAME
from secure_bucket.template.write import write_atomically
from secure_bucket.version import installed_addresses, installed_version

__all__ = ["deliver", "deliver_document", "reports_of", "run_of", "write_file"]

# The formats that a code host reads, with paths relative to the root of the repository.
_FOR_CODE_HOSTS = frozenset(("github", "gitlab", "junit", "markdown", "sarif"))
# The formats for people that end with the summary, and those of them that also show the faults.
_WITH_SUMMARY = frozenset(("concise", "statistics", "text"))
_WITH_FAULTS = _WITH_SUMMARY - {"statistics"}
_WITH_FIXES = frozenset(("markdown", "sarif"))
_MAX_SOURCE = 16 * 1024 * 1024


def reports_of(wanted: Sequence[ReportTo] | None) -> tuple[ReportTo, ...]:
    """Return the reports that `--format` and `--output` request (default: text on standard output).

    Raises:
        SecureBucketError: If two reports go to the same place.
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
    *,
    on_stderr: bool = True,
) -> None:
    """Write a report in each requested format to its destination.

    Args:
        report: The report.
        reports: The formats and files, as `reports_of` returns them.
        arguments: The arguments of the command: `quiet`, `verbose`, `colour` and `omit_suppressed`.
        words: The options in force, for the reports.
        code: The exit code of the command.
        on_stderr: Whether to write the summary and the faults to stderr if standard output does not show
            them.

    Raises:
        OutputError: If a report cannot be written.
    """
    run, strict = run_of(words, code), dict(words).get("strict") == "yes"

    def render(format: str, run: Run) -> str:
        its_run = replace(run, root=_root(run.directory)) if format in _FOR_CODE_HOSTS else run
        if format in _WITH_FIXES and report.templates:
            # Loads in 2 ms.
            from secure_bucket.cli.suggestions import Suggestions

            its_run = replace(its_run, fixes=Suggestions(report, strict=strict).of)
        if format == "sarif" and arguments.omit_suppressed:
            # Loads in 5 ms.
            from secure_bucket.formats import sarif

            return sarif.render(report, its_run, suppressed=False)
        return FORMATS[format](report, its_run)

    def text(**options: Any) -> str:
        # Loads in 5 ms.
        from secure_bucket.formats.text import render

        return render(report, run, **options)

    def faults() -> Iterator[str]:
        for fault in report.faults:
            at = fault.place
            where = "" if not at.file or f"`{at.file}`" in fault.message else f"{at}: "
            yield f"{where}{fault.message}"

    deliver_in(
        reports,
        arguments,
        run,
        text=text,
        render=render,
        faults=faults() if on_stderr else (),
        notes=(closing(report),) if on_stderr else (),
    )


def deliver_in(
    reports: Sequence[ReportTo],
    arguments: argparse.Namespace,
    run: Run,
    *,
    text: Callable[..., str],
    render: Callable[[str, Run], str],
    faults: Iterable[str],
    notes: Iterable[str],
) -> None:
    """Write the results of a command in each requested format to its destination.

    If standard output does not show them, stderr gets the faults and, without `--quiet`, the notes.

    Raises:
        OutputError: If a report cannot be written.
    """
    shown = {
        each.format
        for each in reports
        if each.file is None and not (each.format == "text" and arguments.quiet)
    }
    for each in reports:
        if each.format == "text":
            if each.file is None and arguments.quiet:
                continue
            written = text(**_fitting(arguments, to_terminal=each.file is None), verbose=arguments.verbose)
        else:
            # Text does not show the version, and saves the time to look it up.
            addresses = installed_addresses()
            known = replace(
                run,
                version=installed_version(),
                repository=addresses.repository,
                rule_address=addresses.rule,
            )
            written = render(each.format, known)
            if each.format == "statistics" and each.file is None:
                written = fitting(written, width_of(sys.stdout))
        if each.file is None:
            to_stdout(written)
        else:
            write_file(each.file, written)
    if not shown & _WITH_FAULTS:
        for fault in faults:
            to_stderr(f"secure-bucket: {fault}")
    if not (arguments.quiet or shown & _WITH_SUMMARY):
        for note in notes:
            to_stderr(f"secure-bucket: {note}")


def deliver_document(
    document: object,
    operation: str,
    reports: Sequence[ReportTo],
    arguments: argparse.Namespace,
    run: Run,
    *,
    faults: Iterable[str],
    notes: Iterable[str],
) -> None:
    """Write the results of `audit`, `plan` or `probe`, with the modules `<format>_report` of that operation.

    The other arguments are those of `deliver_in`.

    Raises:
        OutputError: If a report cannot be written.
    """

    def writer(format: str) -> Callable[..., str]:
        module = importlib.import_module(f"secure_bucket.operations.{operation}.{format}_report")
        return cast("Callable[..., str]", module.render)

    deliver_in(
        reports,
        arguments,
        run,
        text=lambda **options: writer("text")(document, **options),
        render=lambda format, run: writer(format)(document, run),
        faults=faults,
        notes=notes,
    )


def run_of(words: tuple[tuple[str, str], ...], code: int) -> Run:
    """Return the run of a command with these options and this exit code, without the version."""
    here = os.getcwd()
    return Run("", _now(), code, words, here, here, _source)


def write_file(file: str, text: str) -> None:
    """Write a file completely, or raise `OutputError` and do not change it."""
    try:
        write_atomically(file, text)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"`{file}` cannot be written: {reason}") from None


def _fitting(arguments: argparse.Namespace, *, to_terminal: bool) -> dict[str, Any]:
    """Return the options of a text report: plain for a file, else as standard output can show it."""
    if not to_terminal or sys.stdout is None:
        return {}
    return {
        "colour": wants_colour(sys.stdout, arguments.colour),
        "width": width_of(sys.stdout),
        "ascii_only": not is_utf8(sys.stdout),
    }


def _now() -> datetime.datetime:
    """Return the time, or the one that reproducible builds set: https://reproducible-builds.org/specs/source-date-epoch/."""
    fixed = os.environ.get("SOURCE_DATE_EPOCH", "")
    if fixed.isdecimal() and len(fixed) < 12:
        return datetime.datetime.fromtimestamp(int(fixed), datetime.timezone.utc)
    return datetime.datetime.now(datetime.timezone.utc)


def _root(directory: str) -> str:
    """Return the root of the repository around a directory; without a repository, the directory itself."""
    current = directory
    while not os.path.lexists(os.path.join(current, ".git")):
        above = os.path.dirname(current)
        if above == current:
            return directory
        current = above
    return current


def _source(file: str) -> str | None:
    """Return the text of a file that a finding names, for excerpts; `None` if it is not available."""
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
