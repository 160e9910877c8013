"""Judge buckets that run: with the same prover and the same rules, on what AWS says about them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NoReturn

from secure_bucket.errors import SecureBucketError
from secure_bucket.findings.finding import Finding, JudgedBucket, Report
from secure_bucket.findings.judge import Outcome
from secure_bucket.findings.rules import RULES
from secure_bucket.findings.running import RunningBucket, RunningJudgement
from secure_bucket.proof import prove_denies_http, prove_minimum_tls

__all__ = ["PolicyTextError", "check_buckets", "judge_bucket", "read_policy_text", "report_of"]


class PolicyTextError(SecureBucketError):
    """Say that what AWS returned as a policy is none."""


def check_buckets(
    buckets: Iterable[RunningBucket],
    *,
    strict: bool = False,
    minimum_tls_version: float | str | None = None,
) -> Report:
    """Judge buckets that run.

    Args:
        buckets: What AWS says about each of them.
        strict: Take `{"AWS": "*"}` not to cover AWS service principals, which AWS does not document.
        minimum_tls_version: Also find requests over an older TLS version that get through, as `1.2`; asks
            nothing about TLS unless set.

    Returns:
        The verdict on each bucket, and what there is to do.
    """
    return report_of(
        judge_bucket(bucket, strict=strict, minimum_tls_version=minimum_tls_version) for bucket in buckets
    )


def judge_bucket(
    bucket: RunningBucket, *, strict: bool = False, minimum_tls_version: float | str | None = None
) -> RunningJudgement:
    """Return the judgement on one bucket that runs; its policy is taken as the JSON that it is.

    Raises:
        ValueError: If its ARN is not that of a bucket.
    """
    minimum = None if minimum_tls_version is None else float(minimum_tls_version)
    http = prove_denies_http(bucket.policy, bucket_arn=bucket.arn, strict=strict)
    tls = None
    if minimum is not None:
        tls = prove_minimum_tls(bucket.policy, bucket_arn=bucket.arn, minimum=minimum, strict=strict)
    return RunningJudgement(bucket, Outcome(http), None if tls is None else Outcome(tls), minimum)


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


def read_policy_text(text: str) -> dict[str, Any]:
    """Return the policy that is written in a text.

    Raises:
        PolicyTextError: If it is not JSON, not an object, or says one thing twice, so that nobody knows
            what counts.
    """
    try:
        value = json.loads(text, object_pairs_hook=_members, parse_constant=_refuse)
    except RecursionError:
        raise PolicyTextError("the policy is nested too deeply to be read") from None
    except ValueError as error:
        raise PolicyTextError(f"the policy cannot be read as JSON: {error}") from None
    if not isinstance(value, dict):
        raise PolicyTextError("the policy is JSON, and not an object with `Statement`")
    return value


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return members


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")
