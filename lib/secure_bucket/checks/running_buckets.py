"""Judge live buckets, as AWS describes them, with the same prover and rules as templates."""

from __future__ import annotations

from collections.abc import Iterable

from secure_bucket.findings.combine import ClaimOutcome
from secure_bucket.findings.finding import Finding, JudgedBucket, Report
from secure_bucket.findings.rules import RULES
from secure_bucket.findings.running import RunningBucket, RunningJudgement
from secure_bucket.proof import prove_denies_http, prove_minimum_tls
from secure_bucket.template.policy_text import PolicyTextError, read_policy_text

__all__ = ["PolicyTextError", "check_buckets", "judge_bucket", "read_policy_text", "report_of"]


def check_buckets(
    buckets: Iterable[RunningBucket],
    *,
    strict: bool = False,
    minimum_tls_version: float | str | None = None,
) -> Report:
    """Judge live buckets.

    Args:
        buckets: The description of each bucket by AWS.
        strict: Whether `{"AWS": "*"}` excludes AWS service principals, which AWS does not document (default:
            `False`).
        minimum_tls_version: Also report requests over an older TLS version that get through, such as `1.2`
            (default: ignore TLS versions).

    Returns:
        The verdict on each bucket, and the findings.
    """
    return report_of(
        judge_bucket(bucket, strict=strict, minimum_tls_version=minimum_tls_version) for bucket in buckets
    )


def judge_bucket(
    bucket: RunningBucket, *, strict: bool = False, minimum_tls_version: float | str | None = None
) -> RunningJudgement:
    """Return the judgement on one live bucket, whose policy is literal JSON.

    Raises:
        ValueError: Its ARN is not the ARN of a bucket.
    """
    minimum = None if minimum_tls_version is None else float(minimum_tls_version)
    http = prove_denies_http(bucket.policy, bucket_arn=bucket.arn, strict=strict)
    tls = None
    if minimum is not None:
        tls = prove_minimum_tls(bucket.policy, bucket_arn=bucket.arn, minimum=minimum, strict=strict)
    return RunningJudgement(bucket, ClaimOutcome(http), None if tls is None else ClaimOutcome(tls), minimum)


def report_of(judgements: Iterable[RunningJudgement]) -> Report:
    """Return the report on judgements of `judge_bucket`, in their order."""
    buckets: list[JudgedBucket] = []
    findings: list[Finding] = []
    accounts: dict[str, None] = {}
    for judgement in judgements:
        accounts.setdefault(judgement.subject.account)
        buckets.append(JudgedBucket(judgement.subject, judgement.http.verdict))
        for rule in RULES:
            findings += rule.check(judgement)
    return Report(tuple(buckets), tuple(findings), accounts=tuple(filter(None, accounts)))
