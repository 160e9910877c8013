"""Show the share of open buckets in each account of a review, and its change."""

from __future__ import annotations

from typing import Final

from secure_bucket.findings.comparison import AccountCourse, ReviewComparison
from secure_bucket.findings.finding import Report
from secure_bucket.findings.subject import Running
from secure_bucket.formats.cases import verdict_name
from secure_bucket.formats.html_parts import sentence, table
from secure_bucket.formats.markup import Markup, concat, tag
from secure_bucket.formats.svg import Bar, BarPart, bars, legend
from secure_bucket.proof.verdict import Proven, Refuted, Undecided

__all__ = ["accounts"]

_KEY: Final = (("solid", "accepts plain HTTP"), ("hatch", "undecided"), ("empty", "denies plain HTTP"))
_PLACES: Final = {Refuted: 0, Undecided: 1, Proven: 2}
# More accounts do not fit on a screen; the table contains all of them.
_MOST: Final = 40


def accounts(report: Report) -> Markup | None:
    """Return the accounts of a report as a chart and a table; `None` for a check of templates."""
    if not report.accounts:
        return None
    numbers = {account: [0, 0, 0] for account in report.accounts}
    for bucket in report.buckets:
        if isinstance(bucket.subject, Running):
            counts = numbers.setdefault(bucket.subject.account, [0, 0, 0])
            counts[_PLACES[type(bucket.verdict)]] += 1
    order = sorted(numbers, key=lambda account: (-_share(numbers[account]), account))
    courses = {} if report.comparison is None else {each.account: each for each in report.comparison.accounts}
    rows: list[Bar] = []
    for account in order[:_MOST]:
        refuted, undecided, proven = numbers[account]
        parts = (BarPart("solid", refuted), BarPart("hatch", undecided), BarPart("empty", proven))
        rows.append(Bar(account or "unknown", parts, f"{_share(numbers[account]):.0%} open"))
        if account in courses:
            rows.append(_before(courses[account]))
    heads = ["Account", "Buckets", "Accept plain HTTP", "Undecided", "Open"]
    cells = [[account or "unknown", *_cells(numbers[account])] for account in order]
    if courses:
        heads += ["Buckets before", "Open before"]
        for row, account in zip(cells, order, strict=True):
            course = courses.get(account)
            row += ["-", "-"] if course is None else [f"{course.buckets_before:,}", f"{course.open_before:,}"]
    name = "Accounts by the share of their buckets that are open; the table contains the numbers"
    return concat(
        tag("h3", "Accounts"),
        legend(_KEY),
        bars(name, rows),
        table("Accounts by the share of open buckets", heads, cells),
        None if report.comparison is None else _changes(report.comparison),
    )


def _share(numbers: list[int]) -> float:
    return (numbers[0] + numbers[1]) / sum(numbers) if sum(numbers) else 0.0


def _cells(numbers: list[int]) -> list[str]:
    return [f"{sum(numbers):,}", f"{numbers[0]:,}", f"{numbers[1]:,}", f"{_share(numbers):.0%}"]


def _before(course: AccountCourse) -> Bar:
    closed = course.buckets_before - course.open_before
    share = course.open_before / course.buckets_before if course.buckets_before else 0.0
    return Bar(
        "  before", (BarPart("solid", course.open_before), BarPart("empty", closed)), f"{share:.0%} open"
    )


def _changes(comparison: ReviewComparison) -> Markup:
    heads = ("Bucket", "Change", "Before", "Now")
    cells = [
        (
            change.subject.label,
            change.change.value,
            "-" if change.before is None else verdict_name(change.before),
            "-" if change.now is None else verdict_name(change.now),
        )
        for change in comparison.changes
    ]
    listed = table("Buckets that changed", heads, cells) if cells else None
    return concat(tag("h3", "Since the earlier review"), tag("p", sentence(comparison.summary)), listed)
