"""Buckets that run, judged from what is known of them."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from hypothesis import given, settings

from secure_bucket.checks.running_buckets import PolicyTextError, check_buckets, read_policy_text
from secure_bucket.findings.running import PublicAccess, RunningBucket
from secure_bucket.policy.statements import deny_plain_http
from secure_bucket.proof import prove_denies_http
from secure_bucket.proof.verdict import Proven, Refuted, Undecided
from secure_bucket.values.unknown import Unknown
from tests.properties.strategies import BUCKET, policies

ARN = "arn:aws:s3:::reports"
DENY = deny_plain_http(ARN)


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


@settings(deadline=None, max_examples=50)
@given(policies())
def test_the_verdict_is_that_of_the_prover(document: dict[str, Any]) -> None:
    (bucket,) = check_buckets([RunningBucket(BUCKET, document)]).buckets
    assert bucket.verdict == prove_denies_http(document, bucket_arn=BUCKET)


@pytest.mark.parametrize("access", [None, *PublicAccess])
@pytest.mark.parametrize("document", [None, policy(), policy(DENY)])
def test_block_public_access_never_changes_a_verdict(
    document: dict[str, Any] | None, access: PublicAccess | None
) -> None:
    (plain,) = check_buckets([RunningBucket(ARN, document)]).buckets
    (shut,) = check_buckets([RunningBucket(ARN, document, public_access=access)]).buckets
    assert shut.verdict == plain.verdict


def test_a_principal_that_was_deleted_is_somebody_only() -> None:
    # IAM shows the id of a user or role that is gone: a statement for it alone denies nobody else.
    gone = DENY | {"Principal": {"AWS": "AROAEXAMPLEID"}}
    (only,) = check_buckets([RunningBucket(ARN, policy(gone))]).buckets
    assert isinstance(only.verdict, Refuted)
    (both,) = check_buckets([RunningBucket(ARN, policy(gone, DENY))]).buckets
    assert isinstance(both.verdict, Proven)


def test_what_is_unknown_is_undecided_and_has_a_remedy() -> None:
    report = check_buckets([RunningBucket(ARN, Unknown("nobody recorded it"), "111122223333")])
    (bucket,) = report.buckets
    assert isinstance(bucket.verdict, Undecided)
    (finding,) = report.findings
    assert (finding.rule, finding.account) == ("SB002", "111122223333")
    assert "nobody recorded it" in finding.message
    assert finding.fix.index("get-bucket-policy") < finding.fix.index("put-bucket-policy")


def test_the_remedy_makes_it_proven() -> None:
    half = policy(DENY | {"Resource": ARN})
    (finding,) = check_buckets([RunningBucket(ARN, half)]).findings
    start = finding.fix.index("{")
    statement, _ = json.JSONDecoder().raw_decode(finding.fix[start:])
    assert check_buckets([RunningBucket(ARN, policy(*half["Statement"], statement))]).proven == 1
    (finding,) = check_buckets([RunningBucket(ARN, None)]).findings
    whole, _ = json.JSONDecoder().raw_decode(finding.fix[finding.fix.index("{") :])
    assert check_buckets([RunningBucket(ARN, whole)]).proven == 1


def test_the_age_of_the_evidence_is_told_in_utc() -> None:
    east = datetime.timezone(datetime.timedelta(hours=9))
    moment = datetime.datetime(2027, 3, 1, 8, 0, tzinfo=east)
    report = check_buckets([RunningBucket(ARN, None, as_of=moment)])
    assert report.buckets[0].subject.as_of == "2027-02-28T23:00:00Z"
    assert report.findings[0].message.endswith("; as it was read at 2027-02-28T23:00:00Z")


def test_accounts_are_named_once() -> None:
    buckets = [RunningBucket(f"{ARN}-{n}", None, account) for n, account in enumerate(("2", "1", "2"))]
    assert check_buckets(buckets).accounts == ("2", "1")


def test_an_arn_that_is_none() -> None:
    with pytest.raises(ValueError, match="is not the ARN of a bucket"):
        check_buckets([RunningBucket("reports", None)])


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "[]", "3", '"x"', '{"Version": 1, "Version": 2}', '{"a": NaN}', "[" * 100_000],
)
def test_a_text_that_is_no_policy(text: str) -> None:
    with pytest.raises(PolicyTextError, match="the policy "):
        read_policy_text(text)
