"""Summarize the result of a check in one sentence, with a grade."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator

from msgspec import Struct

from secure_bucket.findings.finding import Level, Report
from secure_bucket.findings.rules import rule_of
from secure_bucket.findings.rules.sb010 import describe_unread
from secure_bucket.formats.cases import Case, cases_of
from secure_bucket.formats.summary import count, summary
from secure_bucket.proof.verdict import Refuted, Undecided

__all__ = ["Ending", "Grade", "closing", "ending_of"]


class Grade(enum.Enum):
    """The grade of a check: passed, passed with reservations, or failed."""

    PASSED = "passed"
    RESERVED = "reserved"
    FAILED = "failed"


class Ending(Struct, frozen=True):
    """The result of a check.

    Args:
        grade: The grade.
        words: The sentence, without a full stop.
    """

    grade: Grade
    words: str


def ending_of(report: Report) -> Ending:
    """Return the result of a check."""
    cases = cases_of(report)
    failures = ", ".join(_failures(report, cases))
    if report.faults:
        unchecked = f"Incomplete: {count(len(report.faults), 'thing')} could not be checked"
        return Ending(Grade.FAILED, f"{unchecked}; {failures}" if failures else unchecked)
    if failures:
        return Ending(Grade.FAILED, f"Failed: {failures}")
    if reservation := _reservation(report, cases):
        return Ending(Grade.RESERVED, f"Passed with reservations: {reservation}")
    if not report.buckets:
        what = "no deployment creates a bucket" if report.never_created else "no bucket was found"
        return Ending(Grade.RESERVED, f"Nothing was checked: {what}")
    return Ending(Grade.PASSED, f"Passed: {_of_all(report.proven, report, 'denies', 'deny')} plain HTTP")


def closing(report: Report) -> str:
    """Return the last line of a report: the result of the check, and its coverage."""
    words = ending_of(report).words
    # Counts of nothing would only hide why nothing was read.
    if report.faults and not report.templates and not report.accounts:
        return words
    return f"{words}. {summary(report)}"


def _failures(report: Report, cases: Iterable[Case]) -> Iterator[str]:
    """Yield the reasons to fail: buckets by their verdicts, then all other findings together."""
    refuted = undecided = 0
    # A template that is nested twice has two buckets with the same findings.
    others: set[int] = set()
    for case in cases:
        errors = [finding for finding in case.findings if finding.level is Level.ERROR]
        by_verdict = case.unexplained or any(rule_of(finding).about_verdict for finding in errors)
        verdict = case.bucket.verdict if case.bucket is not None and by_verdict else None
        refuted += isinstance(verdict, Refuted)
        undecided += isinstance(verdict, Undecided)
        others |= {id(each) for each in errors if verdict is None or not rule_of(each).about_verdict}
    if refuted:
        yield f"{_of_all(refuted, report, 'accepts', 'accept')} plain HTTP"
    if undecided:
        yield f"{_of_all(undecided, report, 'is', 'are')} undecided"
    if others:
        yield count(len(others), "other finding" if refuted or undecided else "finding")


def _reservation(report: Report, cases: Iterable[Case]) -> str:
    """Return the accepted problems; `""` if everything is proven."""
    if report.unread:
        return f"{describe_unread(report.unread)}, and accepted"
    unproven = len(report.buckets) - report.proven
    if unproven:
        return f"{_of_all(unproven, report, 'is', 'are')} not proven, and accepted"
    if report.buckets and any(case.excused for case in cases):
        return "every bucket is proven, and other findings are accepted"
    return ""


def _of_all(number: int, report: Report, verb: str, verbs: str) -> str:
    whole = len(report.buckets)
    return f"{number:,} of {count(whole, 'bucket')} {verb if number == 1 else verbs}"
