"""What came out for each bucket: its verdict with its findings, counted and excused ones apart."""

from __future__ import annotations

from collections import defaultdict

from msgspec import Struct
from typing_extensions import assert_never

from secure_bucket.findings.finding import Finding, GrantedException, JudgedBucket, Level, Report
from secure_bucket.proof.verdict import Proven, Refuted, Undecided, Verdict
from secure_bucket.values.unknown import Place

__all__ = ["Case", "Excused", "cases_of", "excused", "verdict_name"]

_VERDICT_RULES = frozenset({"SB001", "SB002"})


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
    """A finding that does not fail the gate, because somebody said so.

    Args:
        finding: The finding.
        by: The exception; `None` when it is in the baseline.
    """

    finding: Finding
    by: GrantedException | None = None

    @property
    def why(self) -> str:
        """The reason, with the day it ends, in one clause."""
        if self.by is None:
            return "it is in the baseline"
        until = f", until {self.by.expires.isoformat()}" if self.by.expires else ""
        return f"excepted{until}: {' '.join(self.by.reason.split())}"


class Case(Struct, frozen=True):
    """Everything that is said about one bucket, or about one policy whose bucket is elsewhere.

    Args:
        logical_id: Its logical id.
        construct_path: The path of its construct; `""` when nothing tells.
        template: The file of its template, as it was given.
        at: Where it is written.
        bucket: The bucket; `None` for anything else.
        findings: The findings that count.
        excused: The findings that do not.
        account: The account of a bucket that runs; `""` for a template.
    """

    logical_id: str
    construct_path: str
    template: str
    at: Place
    bucket: JudgedBucket | None
    findings: tuple[Finding, ...]
    excused: tuple[Excused, ...]
    account: str = ""

    @property
    def name(self) -> str:
        """The path of its construct, or its logical id."""
        return self.construct_path or self.logical_id

    @property
    def unexplained(self) -> bool:
        """Whether it is not proven and nothing here says why: it fails all the same."""
        if self.bucket is None or isinstance(self.bucket.verdict, Proven):
            return False
        rules = {finding.rule for finding in self.findings}
        return not _VERDICT_RULES & (rules | {each.finding.rule for each in self.excused})

    @property
    def fails(self) -> bool:
        """Whether it fails the gate."""
        return self.unexplained or any(finding.level is Level.ERROR for finding in self.findings)


def excused(report: Report) -> tuple[Excused, ...]:
    """Return the findings that do not fail the gate, with who excuses them."""
    return tuple(
        [Excused(finding, granted) for granted in report.exceptions for finding in granted.findings]
        + [Excused(finding) for finding in report.baselined]
    )


def cases_of(report: Report) -> tuple[Case, ...]:
    """Return what came out for each bucket, in the order of the report, and then what is about no bucket."""
    findings: dict[tuple[str, str, str], list[Finding]] = defaultdict(list)
    waived: dict[tuple[str, str, str], list[Excused]] = defaultdict(list)
    buckets: dict[tuple[str, str, str], list[JudgedBucket | None]] = {}
    for bucket in report.buckets:
        buckets.setdefault(_key(bucket), []).append(bucket)
    # A finding on the template alone, as on an exception, may not know the path of the construct.
    by_name: dict[tuple[str, str], tuple[str, str, str]] = {}
    for key in buckets:
        by_name.setdefault(key[:2], key)

    def key_of(finding: Finding) -> tuple[str, str, str]:
        key = _key(finding)
        return key if finding.construct_path or key in buckets else by_name.get(key[:2], key)

    for finding in report.findings:
        findings[key_of(finding)].append(finding)
    for each in excused(report):
        waived[key_of(each.finding)].append(each)
    for key in (*findings, *waived):
        buckets.setdefault(key, [None])
    cases = []
    for key, found in buckets.items():
        for bucket_or_none in found:
            counted, uncounted = tuple(findings.get(key, ())), tuple(waived.get(key, ()))
            first = (*counted, *(each.finding for each in uncounted))
            at = bucket_or_none.at if bucket_or_none is not None else first[0].at
            template, logical_id, construct_path = key
            account = bucket_or_none.account if bucket_or_none is not None else first[0].account
            cases.append(
                Case(logical_id, construct_path, template, at, bucket_or_none, counted, uncounted, account)
            )
    return tuple(cases)


def _key(of: Finding | JudgedBucket) -> tuple[str, str, str]:
    return of.template, of.logical_id, of.construct_path
