"""FIX knows its own deny by the whole statement, so that it need not prove it again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from secure_bucket.cdk.fix.denies import denied_in, without_deny
from secure_bucket.cdk.fix.judge import judge_resources, resources_of
from secure_bucket.policy.statements import deny_plain_http
from secure_bucket.proof.verdict import Proven

ARN = {"Fn::GetAtt": ["Plain", "Arn"]}
OURS = deny_plain_http(ARN)
# As the AWS CDK resolves it.
OF_THE_CDK = {
    "Action": "s3:*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    "Effect": "Deny",
    "Principal": {"AWS": "*"},
    "Resource": [ARN, {"Fn::Join": ["", [ARN, "/*"]]}],
}


@pytest.mark.parametrize("statement", [OURS, OF_THE_CDK])
def test_our_deny_is_known_and_proven(statement: dict[str, Any]) -> None:
    document = {"Version": "2012-10-17", "Statement": [statement]}
    assert list(denied_in(document)) == ["Plain"]
    assert isinstance(judge_resources(resources_of("Plain", None, document))["Plain"], Proven)


def changed(statement: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the statement with each of its characters replaced or left out."""
    text = json.dumps(statement)
    for number in range(len(text)):
        for other in ("", "x", "*", "0"):
            try:
                found = json.loads(text[:number] + other + text[number + 1 :])
            except ValueError:
                continue
            if isinstance(found, dict) and found != statement:
                yield found


def test_each_change_of_one_character_is_another_statement() -> None:
    cases = list(changed(OF_THE_CDK))
    assert len(cases) > 300
    for statement in cases:
        assert list(denied_in({"Statement": [statement]})) == [], statement


def test_a_statement_is_taken_out_once() -> None:
    document = {"Statement": [OF_THE_CDK, OURS]}
    assert without_deny(document, OURS) == {"Statement": [OURS]}
    assert without_deny({"Statement": [OURS]}, OF_THE_CDK) is None
    other = deny_plain_http({"Fn::GetAtt": ["Other", "Arn"]})
    assert without_deny(document, other) == document
