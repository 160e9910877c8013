"""Group the findings of a report by bucket, and separate those that count from those that are excused."""

from __future__ import annotations

from collections import defaultdict
from typing import TypeAlias

from msgspec import Struct

from secure_bucket.findings.finding import About, Finding, GrantedException, JudgedBucket, Level, Report
from secure_bucket.findings.rules import rule_of
from secure_bucket.proof.verdict import Proven, Refuted, Undecided, Verdict
from secure_bucket.values.never import assert_never
from secure_bucket.values.unknown import Place

__all__ = ["Case", "Excused", "cases_of", "excused", "verdict_name"]

_Key: TypeAlias = "tuple[tuple[str, str], str]"


def verdict_name(verdict: Verdict) -> str:
    """Return a verdict in one word: `proven`, `refuted` or `undecided`."""
    match verdict:
        case Proven():
            return "proven"
        case Refuted():
            return "refuted"
        case Undecided():
            return "undecided"
        case _:
            assert_never(verdict)


class Excused(Struct, frozen=True):
    """A finding that does not fail the gate, because a user accepted it.

    Args:
        finding: The finding.
        by: The exception (default: no exception).
        deselected: Whether the user ignores its rule. Without this and without an exception, the finding is
            in the baseline.
    """

    finding: Finding
    by: GrantedException | None = None
    deselected: bool = False

    @property
    def why(self) -> str:
        """The reason and the last day of the exception, as a clause."""
        if self.deselected:
            return f"rule {self.finding.rule} is ignored"
        if self.by is None:
            return "it is in the baseline"
        until = f", until {self.by.expires.isoformat()}" if self.by.expires else ""
        return f"excepted{until}: {' '.join(self.by.reason.split())} ({self.by.origin.words})"


class Case(About, frozen=True):
    """The findings on one bucket, or on one other resource.

    Args:
        at: Its place.
        bucket: The bucket; `None` for another resource.
        findings: The findings that count.
        excused: The findings that do not count.
    """

    at: Place
    bucket: JudgedBucket | None
    findings: tuple[Finding, ...]
    excused: tuple[Excused, ...]

    @property
    def unexplained(self) -> bool:
        """Whether the bucket is not proven and no finding gives the reason; such a bucket fails as well."""
        if self.bucket is None or isinstance(self.bucket.verdict, Proven):
            return False
        findings = (*self.findings, *(each.finding for each in self.excused))
        return not any(rule_of(finding).about_verdict for finding in findings)

    @property
    def fails(self) -> bool:
        """Whether the case fails the gate."""
        return self.unexplained or any(finding.level is Level.ERROR for finding in self.findings)


def excused(report: Report) -> tuple[Excused, ...]:
    """Return the findings that do not fail the gate, with the reason for each."""
    return tuple(
        [Excused(finding, granted) for granted in report.exceptions for finding in granted.findings]
        + [Excused(finding) for finding in report.baselined]
        + [Excused(finding, deselected=True) for finding in report.deselected]
    )


def cases_of(report: Report) -> tuple[Case, ...]:
    """Return the cases of the buckets, in the order of the report, and then the cases of other resources."""
    findings: dict[_Key, list[Finding]] = defaultdict(list)
    excuses: dict[_Key, list[Excused]] = defaultdict(list)
    buckets: dict[_Key, list[JudgedBucket | None]] = {}
    for bucket in report.buckets:
        buckets.setdefault(_key(bucket), []).append(bucket)
    # A finding about an exception may lack the construct path.
    by_name: dict[tuple[str, str], _Key] = {}
    for key in buckets:
        by_name.setdefault(key[0], key)

    def key_of(finding: Finding) -> _Key:
        key = _key(finding)
        return key if finding.construct_path or key in buckets else by_name.get(key[0], key)

    for finding in (*report.findings, *report.notes):
        findings[key_of(finding)].append(finding)
    for each in excused(report):
        excuses[key_of(each.finding)].append(each)
    for key in (*findings, *excuses):
        buckets.setdefault(key, [None])
    cases = []
    for key, found in buckets.items():
        counted, uncounted = tuple(findings.get(key, ())), tuple(excuses.get(key, ()))
        for bucket_or_none in found:
            first = bucket_or_none or (*counted, *(each.finding for each in uncounted))[0]
            cases.append(Case(first.subject, first.at, bucket_or_none, counted, uncounted))
    return tuple(cases)


def _key(of: About) -> _Key:
    return of.subject.key, of.construct_path
