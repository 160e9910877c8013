"""Write the report for terminals and `grep`: each finding with its fix, or many findings by file."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from secure_bucket.findings.finding import Finding, JudgedBucket, Level, Report
from secure_bucket.findings.rules import rule_of
from secure_bucket.findings.subject import Running
from secure_bucket.formats.cases import excused, verdict_name
from secure_bucket.formats.characters import encodable, printable
from secure_bucket.formats.ending import Grade, closing, ending_of
from secure_bucket.formats.run import Run
from secure_bucket.formats.summary import count
from secure_bucket.formats.terminal_page import TerminalPage
from secure_bucket.proof.verdict import Proven
from secure_bucket.values.unknown import Place

if TYPE_CHECKING:
    from secure_bucket.findings.comparison import ReviewComparison
    from secure_bucket.formats.extent import Excerpts, Extent

__all__ = ["render"]

_ASCII = str.maketrans({"—": "-", "–": "-", "…": "...", "‘": "'", "’": "'", "“": '"', "”": '"'})
_MAX_LINES = 8
# A finding with its fix and its statement takes about five lines, so more findings do not fit on a screen.
_SCREENFUL = 10
_TAB = 4

_BOLD, _DIM, _GREEN = "1", "2", "1;32"
_COLOURS = {Level.ERROR: "1;31", Level.WARNING: "1;33", Level.NOTE: "1;36"}


def render(
    report: Report,
    run: Run,
    *,
    colour: bool = False,
    width: int | None = None,
    ascii_only: bool = False,
    verbose: bool = False,
    concise: bool = False,
) -> str:
    """Return the report as lines of text.

    Args:
        report: The report.
        run: The run of the check; its `source` gives the excerpts.
        colour: Whether to use the colours of a terminal (default: plain text).
        width: The columns to wrap at (default: each finding stays on one line).
        ascii_only: Whether to write only ASCII, with escapes for other characters (default: UTF-8).
        verbose: Whether to also list the proven buckets and the files without a template.
        concise: Whether to omit fixes and excerpts (default: show them).
    """
    text = "".join(f"{line}\n" for line in _Page(run, colour, width, concise).report(report, verbose))
    return encodable(text, _ASCII, ascii_only=ascii_only)


class _Page(TerminalPage):
    def __init__(self, run: Run, colour: bool, width: int | None, concise: bool) -> None:
        super().__init__(colour, width, 20)
        self.run = run
        self.concise = concise
        self.excerpts: Excerpts | None = None

    def report(self, report: Report, verbose: bool) -> Iterator[str]:
        if len(report.findings) > _SCREENFUL and not verbose and not self.concise:
            yield from self.by_file(report.findings)
        else:
            for finding in report.findings:
                yield from self.finding(finding)
        for each in excused(report):
            if each.deselected and not verbose:
                continue  # The summary counts these findings.
            yield from self.entry(
                each.finding.at, f"{each.finding.rule} accepted", _DIM, each.finding.message
            )
            yield from self.indented(each.why)
        # Most unused or expired exceptions have a finding; list the others.
        listed = {finding.at for finding in report.findings if not rule_of(finding).excusable}
        for granted in report.exceptions:
            if not granted.used and granted.at not in listed:
                state = "expired" if granted.expired else "unused"
                until = f", which ended on {granted.expires.isoformat()}" if granted.expires else ""
                about = (
                    f"the exception for {granted.rule} on `{granted.subject.label}`{until}: {granted.reason}"
                )
                yield from self.entry(granted.at, f"{state} exception", _DIM, about)
        for at, name, why in report.not_applicable:
            yield from self.entry(at, "skipped", _DIM, f"`{name}`: {why}")
        for at, name, why in report.never_created:
            yield from self.entry(at, "never created", _DIM, f"bucket `{name}`: {why}")
        if verbose:
            for bucket in report.buckets:
                if isinstance(bucket.verdict, Proven):
                    denied = "every request over plain HTTP is denied"
                    yield from self.entry(
                        bucket.at,
                        "proven",
                        _GREEN,
                        f"bucket `{bucket.subject.label}`: {denied}{_together(bucket)}{_as_of(bucket)}",
                    )
            for file, why in report.ignored:
                yield from self.entry(Place(file=file), "ignored", _DIM, why)
        for fault in report.faults:
            yield from self.entry(fault.place, "error", _COLOURS[Level.ERROR], fault.message)
        if report.ignored and not verbose:
            ignored = f"{count(len(report.ignored), 'file')} ignored: no templates"
            yield from (self.styled(_DIM, line) for line in self.wrapped(ignored))
        for remark in report.remarks:
            yield from (self.styled(_DIM, line) for line in self.wrapped(f"note: {remark}"))
        if report.comparison is not None:
            yield from self.comparison(report.comparison)
        fails = ending_of(report).grade is Grade.FAILED
        for line in self.wrapped(closing(report)):
            yield self.styled(_COLOURS[Level.ERROR] if fails else _BOLD, line)

    def comparison(self, comparison: ReviewComparison) -> Iterator[str]:
        for each in comparison.changes:
            was = "" if each.before is None else f" was {verdict_name(each.before)}"
            now = "" if each.now is None else f" is {verdict_name(each.now)}"
            verdicts = " and".join(filter(None, (was, now)))
            line = f"{each.change.value}: bucket `{each.subject.label}`{verdicts}"
            yield from self.wrapped(line)
        yield from self.wrapped(comparison.summary)

    def by_file(self, findings: Sequence[Finding]) -> Iterator[str]:
        """Yield one line for each finding, under the name of its file."""
        files: dict[str, list[Finding]] = {}
        for finding in findings:
            files.setdefault(printable(self.run.relative(finding.at.file)), []).append(finding)
        for file, members in files.items():
            yield self.styled(_BOLD, f"{file or 'no file'}: {count(len(members), 'finding')}")
            for finding in members:
                at = f"{finding.at.line}:{finding.at.column}: " if finding.at.line else ""
                label = f"{finding.rule} {finding.level.value}"
                first, *rest = self.wrapped(f"  {at}{label}: {finding.message}", 6)
                yield first.replace(label, self.styled(_COLOURS[finding.level], label), 1)
                yield from rest
        hint = "one line for each finding; --verbose also shows fixes and statements"
        yield from (self.styled(_DIM, line) for line in self.wrapped(f"note: {hint}"))

    def finding(self, finding: Finding) -> Iterator[str]:
        label = f"{finding.rule} {finding.level.value}"
        yield from self.entry(finding.at, label, _COLOURS[finding.level], finding.message)
        if self.concise:
            return
        yield from self.indented(f"fix: {finding.fix}")
        if finding.construct_path:
            # Measured: TypeScript records the line from aws-cdk-lib 2.150 on, Java on 2.276 and not on 2.150.
            hint = " (in some languages and versions `cdk synth --debug` records the line that creates it)"
            line = "" if finding.created_at else hint
            path = finding.construct_path.removesuffix("/Resource")
            yield from self.indented(f"construct `{path}`{line}")
        if finding.created_at is not None:
            yield from self.indented(f"created at {self.where(finding.created_at)}")
            yield from self.excerpt(finding.created_at)
        else:
            yield from self.excerpt(finding.at)

    def entry(self, at: Place, label: str, style: str, message: str) -> Iterator[str]:
        where = self.where(at)
        plain = f"{where}: {label}: {message}" if where else f"{label}: {message}"
        first, *rest = self.wrapped(plain)
        if self.colour:
            prefix = f"{where}: {label}:" if where else f"{label}:"
            if first.startswith(prefix):
                shown = f"{self.styled(_BOLD, where)}: " if where else ""
                first = f"{shown}{self.styled(style, label)}:{first[len(prefix) :]}"
        yield first
        yield from rest

    def indented(self, text: str) -> Iterator[str]:
        yield from self.wrapped(f"  {text}")

    def where(self, at: Place) -> str:
        file = printable(self.run.relative(at.file))
        return f"{file}:{at.line}:{at.column}" if file and at.line else file

    def excerpt(self, at: Place) -> Iterator[str]:
        if self.excerpts is None:
            from secure_bucket.formats.extent import Excerpts  # Takes 0.5 ms, which only findings pay.

            self.excerpts = Excerpts(self.run.source)
        part = self.excerpts.at(at)
        if part is None:
            return
        gutter = max(len(str(part.end_line)), 3 if len(part.lines) > _MAX_LINES + 2 else 1)
        blank = " " * gutter
        red = _COLOURS[Level.ERROR]

        def row(number: str, mark: str, text: str) -> str:
            room = None if self.width is None else self.width - gutter - 4 - len(mark)
            text = text if room is None or len(text) <= room else text[: room - 3] + "..."
            bar = self.styled(_DIM, f" {number:>{gutter}} |")
            return f"{bar} {self.styled(red, mark)}{text}".rstrip()

        columns = [_columns(line) for line in part.lines]
        start = _columns(part.lines[0][: part.column - 1])[1]
        if part.line == part.end_line:
            end = _columns(part.lines[0][: part.end_column - 1])[1]
            yield row(str(part.line), "", columns[0][0])
            yield self.underline(blank, " " * start + "^" * max(1, end - start))
            return
        # Draw the statement between two corners, like compilers.
        yield row(str(part.line), "  ", columns[0][0])
        yield self.underline(blank, " " + "_" * (start + 1) + "^")
        for number, (shown, _) in _middle(part, columns):
            yield row(str(number), "| ", shown) if number else row("...", "|", "")
        yield row(str(part.end_line), "| ", columns[-1][0])
        end = _columns(part.lines[-1][: part.end_column - 1])[1]
        yield self.underline(blank, "|" + "_" * end + "^")

    def underline(self, blank: str, mark: str) -> str:
        if self.width is not None:
            mark = mark[: self.width - len(blank) - 4]
        return f"{self.styled(_DIM, f' {blank} |')} {self.styled(_COLOURS[Level.ERROR], mark)}"


def _together(bucket: JudgedBucket) -> str:
    named = ", ".join(f"`{name}`" for name in bucket.together_with)
    return f", together with the stack {named}" if named else ""


def _as_of(bucket: JudgedBucket) -> str:
    as_of = bucket.subject.as_of if isinstance(bucket.subject, Running) else ""
    return f", as of {as_of}" if as_of else ""


def _middle(part: Extent, columns: list[tuple[str, int]]) -> list[tuple[int, tuple[str, int]]]:
    """Return the numbered lines between the first and the last; number 0 marks omitted lines."""
    numbered = list(enumerate(columns, part.line))[1:-1]
    if len(numbered) <= _MAX_LINES:
        return numbered
    return [*numbered[: _MAX_LINES - 2], (0, ("", 0)), numbered[-1]]


def _columns(line: str) -> tuple[str, int]:
    """Return a line of a source for the terminal, and the number of its columns."""
    shown = printable(line.expandtabs(_TAB))
    return shown, sum(_width(character) for character in shown)


def _width(character: str) -> int:
    if character.isascii():
        return 1
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
