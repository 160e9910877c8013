"""Compute the status of each bucket of a review under each rule, for products that track findings."""

from __future__ import annotations

import enum
from collections.abc import Iterator

from msgspec import Struct

from secure_bucket.findings.finding import Finding, GrantedException, JudgedBucket, Report
from secure_bucket.findings.rules import RULES
from secure_bucket.findings.subject import Running
from secure_bucket.formats.extent import Excerpts
from secure_bucket.formats.fingerprint import fingerprint
from secure_bucket.formats.run import Run
from secure_bucket.proof.verdict import Proven, Refuted, Undecided
from secure_bucket.values.never import assert_never

__all__ = ["Posture", "Status", "postures_of"]

_VERDICTS = frozenset(rule.id for rule in RULES if rule.about_verdict)
_TITLE = "The bucket policy denies plain HTTP"


class Status(enum.Enum):
    """The status of a bucket under a rule."""

    FAILED = "failed"
    WARNING = "warning"
    PASSED = "passed"
    EXCEPTED = "excepted"


class Posture(Struct, frozen=True):
    """A bucket under a rule.

    Args:
        uid: The id, which is the same in every review.
        bucket: The bucket.
        partition: The partition of the bucket.
        rule: The id of the rule.
        status: The status of the bucket.
        title: The rule in a few words.
        message: The result in one line.
        remedy: The fix (default: nothing to fix).
        reason: The reason of the exception (default: no exception).
    """

    uid: str
    bucket: Running
    partition: str
    rule: str
    status: Status
    title: str
    message: str
    remedy: str = ""
    reason: str = ""


def postures_of(report: Report, run: Run) -> Iterator[Posture]:
    """Yield one posture about plain HTTP for each bucket, and one for each other finding."""
    excerpts = Excerpts(run.source)
    excused = {
        (each.subject.key, each.rule in _VERDICTS): granted
        for granted in report.exceptions
        for each in granted.findings
    }
    findings = [
        *report.findings,
        *report.notes,
        *report.baselined,
        *(each for granted in report.exceptions for each in granted.findings),
    ]
    about = {each.subject.key: each for each in findings if each.rule in _VERDICTS}
    for bucket in report.buckets:
        if isinstance(bucket.subject, Running):
            key = bucket.subject.key
            yield _of_verdict(bucket, bucket.subject, about.get(key), excused.get((key, True)))
    for finding in findings:
        if isinstance(finding.subject, Running) and finding.rule not in _VERDICTS:
            granted = excused.get((finding.subject.key, False))
            yield _of_finding(finding, finding.subject, granted, fingerprint(finding, run, excerpts))


def _of_verdict(
    judged: JudgedBucket, bucket: Running, finding: Finding | None, granted: GrantedException | None
) -> Posture:
    match judged.verdict:
        case Proven():
            status, message = (
                Status.PASSED,
                f"bucket `{bucket.name}`: every request over plain HTTP is denied",
            )
        case Refuted(why=why):
            status, message = Status.FAILED, f"bucket `{bucket.name}` accepts plain HTTP: {why}"
        case Undecided(reasons=reasons):
            told = "; ".join(dict.fromkeys(each.reason for each in reasons))
            status, message = Status.WARNING, f"bucket `{bucket.name}` cannot be decided: {told}"
        case _:
            assert_never(judged.verdict)
    if granted is not None:
        status = Status.EXCEPTED
    return Posture(
        f"{bucket.arn}/secure-bucket/plaintext-http",
        bucket,
        _partition(bucket),
        "SB001",
        status,
        _TITLE,
        message if finding is None else finding.message,
        "" if finding is None else finding.fix,
        "" if granted is None else granted.reason,
    )


def _of_finding(
    finding: Finding, bucket: Running, granted: GrantedException | None, identity: str
) -> Posture:
    return Posture(
        f"{bucket.label}/secure-bucket/{finding.rule}/{identity}",
        bucket,
        _partition(bucket),
        finding.rule,
        Status.EXCEPTED if granted is not None else Status.FAILED if _fails(finding) else Status.WARNING,
        f"{finding.rule}: {finding.message.partition(': ')[2] or finding.message}",
        finding.message,
        finding.fix,
        "" if granted is None else granted.reason,
    )


def _fails(finding: Finding) -> bool:
    return finding.level.value == "error"


def _partition(bucket: Running) -> str:
    parts = bucket.arn.split(":")
    return parts[1] if len(parts) > 1 else "aws"
