"""The statements: the form that AWS documents, for any bucket, and they do what they are for."""

from __future__ import annotations

from typing import Any

import pytest

from secure_bucket import Proven, Refuted, prove_denies_http
from secure_bucket.policy.statements import (
    deny_old_mfa,
    deny_old_tls,
    deny_old_tls_anywhere,
    deny_plain_http,
    deny_plain_http_anywhere,
    deny_without_mfa,
)
from secure_bucket.proof import prove_minimum_tls

ARNS = ["arn:aws:s3:::example-bucket", "arn:aws-cn:s3:::example-bucket", "arn:aws-us-gov:s3:::example-bucket"]


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def test_it_is_the_form_that_aws_documents() -> None:
    assert deny_plain_http(ARNS[0]) == {
        "Sid": "DenyPlainHttp",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": ["arn:aws:s3:::example-bucket", "arn:aws:s3:::example-bucket/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


@pytest.mark.parametrize("arn", ARNS)
def test_the_deny_is_proven_in_every_partition_and_strictly(arn: str) -> None:
    assert isinstance(prove_denies_http(policy(deny_plain_http(arn)), bucket_arn=arn, strict=True), Proven)


@pytest.mark.parametrize("version", [1.2, 1.3])
def test_old_tls_is_denied_and_that_alone_says_nothing_about_plain_http(version: float) -> None:
    only_tls = policy(deny_old_tls(ARNS[0], version))
    assert isinstance(prove_minimum_tls(only_tls, bucket_arn=ARNS[0], minimum=version), Proven)
    assert isinstance(prove_denies_http(only_tls, bucket_arn=ARNS[0]), Refuted)


def test_an_arn_that_is_known_later_is_joined() -> None:
    arn = {"Fn::GetAtt": ["Reports", "Arn"]}
    assert deny_plain_http(arn)["Resource"] == [arn, {"Fn::Join": ["", [arn, "/*"]]}]
    assert deny_old_tls(arn)["Resource"] == deny_plain_http(arn)["Resource"]


def test_the_statements_of_an_organization_have_the_form_that_aws_publishes() -> None:
    everywhere = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    http = {"BoolIfExists": {"aws:SecureTransport": "false"}}
    tls = {"NumericLessThan": {"s3:TlsVersion": 1.3}}
    assert deny_plain_http_anywhere() == {"Sid": "DenyPlainHttp", **everywhere, "Condition": http}
    assert deny_old_tls_anywhere(1.3) == {"Sid": "DenyOldTls", **everywhere, "Condition": tls}


def test_exceptions_of_an_organization_leave_out_what_they_name() -> None:
    made = deny_plain_http_anywhere(
        except_buckets=[ARNS[0]], except_accounts=["111122223333"], except_tags={"public": ["yes", "y"]}
    )
    assert "Resource" not in made
    assert made["NotResource"] == [ARNS[0], f"{ARNS[0]}/*"]
    assert made["Condition"] == {
        "BoolIfExists": {"aws:SecureTransport": "false"},
        "StringNotEquals": {"aws:ResourceAccount": ["111122223333"], "s3:BucketTag/public": ["yes", "y"]},
    }
    tls = deny_old_tls_anywhere(1.2, except_accounts=["111122223333"])
    assert tls["Condition"]["StringNotEquals"] == {"aws:ResourceAccount": ["111122223333"]}


def test_mfa_is_asked_of_all_but_the_exceptions() -> None:
    alice = "arn:aws:iam::111122223333:user/alice"
    made = deny_without_mfa(ARNS[0], ["s3:DeleteObject"], except_principals=[alice], except_services=["a"])
    assert made == {
        **deny_plain_http(ARNS[0]),
        "Sid": "DenyWithoutMfa",
        "Action": ["s3:DeleteObject"],
        "Condition": {
            "BoolIfExists": {"aws:MultiFactorAuthPresent": "false"},
            "ArnNotLike": {"aws:PrincipalArn": [alice]},
            "StringNotEquals": {"aws:PrincipalServiceName": ["a"]},
        },
    }
    old = deny_old_mfa(ARNS[0], ["s3:DeleteObject"], 3600)
    assert old["Sid"] == "DenyOldMfa"
    assert old["Action"] == ["s3:DeleteObject"]
    assert old["Condition"] == {"NumericGreaterThanIfExists": {"aws:MultiFactorAuthAge": 3600}}
    assert deny_old_mfa(ARNS[0], [], 1, except_services=["a"])["Condition"]["StringNotEquals"] == {
        "aws:PrincipalServiceName": ["a"]
    }


def test_each_is_new_and_can_be_changed() -> None:
    changed = deny_plain_http(ARNS[0])
    changed["Condition"]["Bool"]["aws:SecureTransport"] = "true"
    assert deny_plain_http(ARNS[0])["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
