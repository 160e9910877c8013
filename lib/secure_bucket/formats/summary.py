"""Summarize the coverage of a check in one sentence."""

from __future__ import annotations

from secure_bucket.findings.finding import Report
from secure_bucket.findings.rules.sb010 import describe_unread

__all__ = ["count", "summary"]


def count(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: `1 bucket`, `2 buckets`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def summary(report: Report) -> str:
    """Return the coverage and the counts of a report in one line.

    The number of buckets does not include skipped resources, which have no plain HTTP endpoint or are out of
    scope.
    """
    where = count(len(report.templates), "template")
    if report.accounts:
        where = count(len(report.accounts), "account")
    covered = f"{count(len(report.buckets), 'bucket')} in {where}"
    line = (
        f"{covered}: {report.proven:,} proven, {report.refuted:,} refuted, "
        f"{report.undecided:,} undecided, {len(report.not_applicable):,} skipped"
    )
    if report.never_created:
        line += f", {len(report.never_created):,} never created"
    if report.partners:
        line += f", proven only together with {', '.join(f'`{name}`' for name in report.partners)}"
    if report.unread:
        line += f", {describe_unread(report.unread)}"
    rules = sorted({finding.rule for finding in report.deselected})
    used = sum(granted.used for granted in report.exceptions)
    for number, noun, rest in (
        (used, "exception", "in use"),
        (len(report.baselined), "finding", "in the baseline"),
        (len(report.deselected), "finding", f"of ignored rules ({', '.join(rules)})"),
        (len(report.faults), "fault", "that left something unchecked"),
    ):
        if number:
            line += f"; {count(number, noun)} {rest}"
    return line
