"""What the command exits with.

A run that could not look at everything exits with 2 even if it found something: its answer is not whole,
and must not pass for one with a script that has learnt to live with the findings it knows.
"""

from __future__ import annotations

from msgspec.structs import replace
from typing_extensions import assert_never

from secure_bucket.cli.codes import COULD_NOT_RUN, PROVEN, REFUTED, UNDECIDED
from secure_bucket.findings.finding import Finding, Level, Report
from secure_bucket.findings.rules import rule_of
from secure_bucket.formats.cases import cases_of
from secure_bucket.proof.verdict import Proven, Refuted, Undecided, Verdict

__all__ = [
    "exit_code",
    "is_undecided",
    "of_verdict",
    "undecided_as_warnings",
]


def is_undecided(finding: Finding) -> bool:
    """Tell whether a finding says that something is not known, rather than wrong."""
    return rule_of(finding).undecidable and finding.request is None


def exit_code(report: Report) -> int:
    """Return the exit code for a report."""
    if report.faults:
        return COULD_NOT_RUN
    if any(case.unexplained for case in cases_of(report)):
        # INVARIANT: a bucket that is not proven fails, even if no finding says so.
        return REFUTED
    errors = [finding for finding in report.findings if finding.level is Level.ERROR]
    if not errors:
        return PROVEN
    return UNDECIDED if all(map(is_undecided, errors)) else REFUTED


def undecided_as_warnings(report: Report) -> Report:
    """Return a report in which what is not known fails nothing, as `--undecided=warn` asks."""
    findings = tuple(
        replace(finding, level=Level.WARNING)
        if is_undecided(finding) and finding.level is Level.ERROR
        else finding
        for finding in report.findings
    )
    return replace(report, findings=findings)


def of_verdict(verdict: Verdict, *, undecided_fails: bool) -> int:
    """Return the exit code for one verdict."""
    match verdict:
        case Proven():
            return PROVEN
        case Refuted():
            return REFUTED
        case Undecided():
            return UNDECIDED if undecided_fails else PROVEN
        case _:
            assert_never(verdict)
