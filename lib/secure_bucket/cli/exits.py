"""Compute the exit codes.

An incomplete run exits with 2 even if it has findings, because a script that accepts exit code 1 for known
findings must not accept an incomplete run.
"""

from __future__ import annotations

from msgspec.structs import replace

from secure_bucket.cli.codes import COULD_NOT_RUN, PROVEN, REFUTED, UNDECIDED
from secure_bucket.findings.finding import Finding, Level, Report
from secure_bucket.findings.rules import rule_of
from secure_bucket.formats.cases import cases_of
from secure_bucket.proof.verdict import Proven, Refuted, Undecided, Verdict
from secure_bucket.values.never import assert_never

__all__ = [
    "exit_code",
    "exit_code_of",
    "is_undecided",
    "undecided_as_warnings",
]


def is_undecided(finding: Finding) -> bool:
    """Tell whether a finding reports something unknown, and not a known problem."""
    return rule_of(finding).undecidable and finding.request is None


def exit_code(report: Report) -> int:
    """Return the exit code for a report."""
    if report.faults:
        return COULD_NOT_RUN
    if any(case.unexplained for case in cases_of(report)):
        # INVARIANT: a bucket that is not proven fails, even without a finding.
        return REFUTED
    errors = [finding for finding in report.findings if finding.level is Level.ERROR]
    if not errors:
        return PROVEN
    return UNDECIDED if all(map(is_undecided, errors)) else REFUTED


def undecided_as_warnings(report: Report) -> Report:
    """Return a report in which undecided findings are warnings, for `--undecided=warn`."""
    findings = tuple(
        replace(finding, level=Level.WARNING)
        if is_undecided(finding) and finding.level is Level.ERROR
        else finding
        for finding in report.findings
    )
    return replace(report, findings=findings)


def exit_code_of(verdict: Verdict, *, undecided_fails: bool) -> int:
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
