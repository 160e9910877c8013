"""Compare two reviews: report which buckets became open, closed or changed."""

from __future__ import annotations

import enum

from msgspec import Struct

from secure_bucket.findings.finding import About, JudgedBucket, Report
from secure_bucket.findings.subject import Subject
from secure_bucket.proof.verdict import Proven, Refuted, Undecided, Verdict

__all__ = ["AccountCourse", "BucketChange", "ReviewChange", "ReviewComparison", "compare_reports"]


class ReviewChange(enum.Enum):
    """The change of a bucket between two reviews."""

    OPENED = "became open"
    CLOSED = "closed"
    CHANGED = "changed"
    NEW = "new"
    GONE = "gone"
    NOT_JUDGED = "not judged this time"


class BucketChange(About, frozen=True):
    """A bucket that differs between two reviews.

    Args:
        change: The change.
        before: The earlier verdict, or `None`.
        now: The present verdict, or `None`.
    """

    change: ReviewChange
    before: Verdict | None
    now: Verdict | None


class AccountCourse(Struct, frozen=True):
    """The buckets of an account in two reviews.

    Args:
        account: The account.
        buckets_before: How many buckets the earlier review judged.
        open_before: How many of them were refuted or undecided.
        buckets: How many buckets the present review judged.
        open: How many of them are refuted or undecided.
    """

    account: str
    buckets_before: int
    open_before: int
    buckets: int
    open: int


class ReviewComparison(Struct, frozen=True):
    """The differences of a review from an earlier one.

    Args:
        earlier: The file of the earlier review.
        as_of: When the earlier review was finished, such as `2027-03-01T12:00:00Z`; `""` if the file has no
            time.
        changes: The buckets that differ.
        unchanged: How many buckets have the same verdict for the same reason.
        accounts: The accounts of both reviews.
    """

    earlier: str
    as_of: str
    changes: tuple[BucketChange, ...]
    unchanged: int
    accounts: tuple[AccountCourse, ...]

    def count(self, change: ReviewChange) -> int:
        """Return how many buckets changed in this way."""
        return sum(each.change is change for each in self.changes)

    @property
    def summary(self) -> str:
        """The changes, in one line."""
        told = [f"{number:,} {change.value}" for change in ReviewChange if (number := self.count(change))]
        since = f" of {self.as_of}" if self.as_of else ""
        return f"since `{self.earlier}`{since}: {', '.join((*told, f'{self.unchanged:,} unchanged'))}"


def compare_reports(earlier: Report, now: Report, file: str) -> ReviewComparison:
    """Return the differences of a review from an earlier one.

    Args:
        earlier: The earlier report.
        now: The present report.
        file: The file of the earlier report.
    """
    before = {each.subject.key: each for each in earlier.buckets}
    found = {each.subject.key: each for each in now.buckets}
    changes: list[BucketChange] = []
    unchanged = 0
    for key in sorted({*before, *found}):
        change = _change(before.get(key), found.get(key), now)
        if change is None:
            unchanged += 1
        else:
            changes.append(change)
    order = list(ReviewChange)
    changes.sort(key=lambda each: order.index(each.change))
    accounts = dict.fromkeys((*earlier.accounts, *now.accounts))
    courses = tuple(_course(account, earlier, now) for account in accounts)
    return ReviewComparison(file, earlier.as_of, tuple(changes), unchanged, courses)


def _change(before: JudgedBucket | None, now: JudgedBucket | None, report: Report) -> BucketChange | None:
    match before, now:
        case None, JudgedBucket(subject=subject, verdict=verdict):
            return BucketChange(subject, ReviewChange.NEW, None, verdict)
        case JudgedBucket(subject=subject, verdict=verdict), None:
            change = ReviewChange.NOT_JUDGED if _may_be_there(subject, report) else ReviewChange.GONE
            return BucketChange(subject, change, verdict, None)
        case JudgedBucket(verdict=old), JudgedBucket(subject=subject, verdict=new):
            kind = _kind(old, new)
            return None if kind is None else BucketChange(subject, kind, old, new)
        case _:
            return None


def _kind(old: Verdict, new: Verdict) -> ReviewChange | None:
    match old, new:
        case Proven(), Refuted():
            return ReviewChange.OPENED
        case ((Refuted() | Undecided()), Proven()):
            return ReviewChange.CLOSED
        case Refuted(why=before), Refuted(why=now):
            return None if before == now else ReviewChange.CHANGED
        case Undecided(reasons=before), Undecided(reasons=now):
            same = [each.reason for each in before] == [each.reason for each in now]
            return None if same else ReviewChange.CHANGED
        case Proven(), Proven():
            return None
        case _:
            return ReviewChange.CHANGED


def _may_be_there(subject: Subject, report: Report) -> bool:
    """Tell whether a bucket without a verdict may still exist.

    INVARIANT: a bucket is gone only if the review listed its whole account, without a gap.
    """
    account = getattr(subject, "account", "")
    if account not in report.accounts:
        return True
    if any(account in fault.message for fault in report.faults):
        return True
    return any(name == subject.label and "deleted" not in why for _, name, why in report.not_applicable)


def _course(account: str, earlier: Report, now: Report) -> AccountCourse:
    def numbers(report: Report) -> tuple[int, int]:
        verdicts = [
            each.verdict for each in report.buckets if getattr(each.subject, "account", "") == account
        ]
        return len(verdicts), sum(not isinstance(each, Proven) for each in verdicts)

    return AccountCourse(account, *numbers(earlier), *numbers(now))
