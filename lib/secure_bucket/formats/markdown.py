"""Write the report in Markdown, for the summary of a CI run and for a comment on a pull request.

GitHub rejects a comment with more than 65,536 characters ("body is too long (maximum is 65536 characters)":
https://github.com/telia-oss/github-pr-resource/issues/259, read in November 2026). A longer report therefore
omits the details of some findings and counts them.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from secure_bucket.findings.advice import plain_advice
from secure_bucket.findings.finding import Finding, Level, Report
from secure_bucket.formats.cases import Case, cases_of, verdict_name
from secure_bucket.formats.characters import markdown_prose, printable, well_formed
from secure_bucket.formats.ending import ending_of
from secure_bucket.formats.run import Replacement, Run
from secure_bucket.formats.summary import count, summary
from secure_bucket.policy.request import Request

__all__ = ["render"]

_MOST_CHARACTERS = 60_000
_SIGNS = {"proven": "✓", "refuted": "✗", "undecided": "?"}


def render(report: Report, run: Run) -> str:
    """Return the report as Markdown: the result, each bucket with a finding, and the fixes."""
    writer = _Writer(run)
    lines = list(writer.overview(report))
    size = sum(len(line) + 1 for line in lines)
    details = [(finding, list(writer.details(finding))) for finding in _failing_first(report)]
    left = len(details)
    for _, written in details:
        size += sum(len(line) + 1 for line in written)
        if size > _MOST_CHARACTERS:
            break
        lines += written
        left -= 1
    if left:
        lines += ["", f"The details of {count(left, 'more finding')} do not fit here."]
    return well_formed("".join(f"{line}\n" for line in (*lines, "", f"{markdown_prose(summary(report))}.")))


def _failing_first(report: Report) -> list[Finding]:
    order = list(Level)
    return sorted(report.findings, key=lambda finding: order.index(finding.level))


class _Writer:
    def __init__(self, run: Run) -> None:
        self.run = run

    def overview(self, report: Report) -> Iterator[str]:
        """Yield the result of the check, and a table of the buckets with findings, failing ones first."""
        yield f"### {markdown_prose(ending_of(report).words)}"
        cases = sorted((case for case in cases_of(report) if case.findings or case.unexplained), key=_weight)
        if cases:
            yield from ("", "| | bucket | where | finding |", "|---|---|---|---|")
        size = 0
        for index, case in enumerate(cases):
            row = self.row(case)
            size += len(row)
            if size > _MOST_CHARACTERS // 2:
                yield f"| | {len(cases) - index:,} more | | |"
                break
            yield row
        if report.faults:
            yield from ("", "Could not be checked:", "")
            yield from (f"- {markdown_prose(fault.message)}" for fault in report.faults[:50])
        if len(report.faults) > 50:
            yield f"- {len(report.faults) - 50:,} more"

    def row(self, case: Case) -> str:
        verdict = "" if case.bucket is None else verdict_name(case.bucket.verdict)
        told = "; ".join(f"{each.rule}: {each.message}" for each in case.findings) or verdict
        where = _code(self.run.relative(case.at.file) + (f":{case.at.line}" if case.at.line else ""))
        sign = f"{_SIGNS[verdict]} {verdict}" if verdict else ""
        return f"| {sign} | {_code(case.subject.label)} | {where} | {markdown_prose(told)} |"

    def details(self, finding: Finding) -> Iterator[str]:
        """Yield a collapsed section with the request, the advice and the fix."""
        address = self.run.rule_address(finding.rule)
        rule = f"[{finding.rule}]({address})" if address else finding.rule
        yield from ("", f"<details><summary>{finding.rule}: {_html(finding.subject.label)}</summary>", "")
        yield f"{rule} {finding.level.value}: {markdown_prose(finding.message)}."
        if finding.request is not None:
            yield ""
            yield from _request(finding.request)
        yield from ("", f"Fix: {markdown_prose(plain_advice(finding))}.")
        for replacement in self.run.fixes(finding):
            yield ""
            yield from self.suggestion(replacement)
        yield from ("", "</details>")

    def suggestion(self, replacement: Replacement) -> Iterator[str]:
        """Yield a fix as a suggestion for a review comment on the named lines."""
        first, last = replacement.line, replacement.line + len(replacement.old) - 1
        lines = f"line {first} becomes" if first == last else f"lines {first} to {last} become"
        yield f"In {_code(self.run.relative(replacement.file))}, {lines}:"
        new = [line.rstrip("\r\n") for line in replacement.new]
        fence = "`" * max(3, 1 + max((_longest_run(line) for line in new), default=0))
        yield from ("", f"{fence}suggestion", *map(printable, new), fence)


def _weight(case: Case) -> int:
    return 0 if case.fails else 1


def _request(request: Request) -> Iterator[str]:
    yield from ("| request | |", "|---|---|")
    for name, value in (
        ("principal", request.principal),
        ("action", request.action),
        ("resource", request.resource),
    ):
        yield f"| {name} | {_code(value)} |"
    for key, values in sorted(request.context.items()):
        yield f"| {_code(key)} | {_code(values if isinstance(values, str) else ', '.join(values))} |"


def _code(text: str) -> str:
    """Return a text as code in a table cell."""
    plain = printable(text).replace("`", "'").replace("|", "\\|")
    return f"`{plain}`" if plain.strip() else ""


def _html(text: str) -> str:
    return escape(printable(text))


def _longest_run(line: str) -> int:
    longest = run = 0
    for character in line:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    return longest
