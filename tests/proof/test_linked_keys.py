"""The condition keys of a counterexample fit each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from secure_bucket.policy import Request
from secure_bucket.proof.linked_keys import with_linked_keys

Context = Mapping[str, str | Sequence[str]]


def fitted(context: Context, *names: str) -> Context:
    request = Request("anonymous", "s3:GetObject", "arn:aws:s3:::reports/a", context)
    return with_linked_keys(request, {name.lower(): name for name in names}).context


ORG, PATHS = "aws:PrincipalOrgID", "aws:PrincipalOrgPaths"
VIA, FIRST, LAST = "aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast"
MFA, AGE, ISSUED = "aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge", "aws:TokenIssueTime"
TAG, TAG_KEYS = "aws:RequestTag/Team", "aws:TagKeys"
VPC, VPC_ARN = "aws:SourceVpc", "aws:SourceVpcArn"
SERVICE, SERVICES = "aws:PrincipalServiceName", "aws:PrincipalServiceNamesList"
ATHENA, GLUE = "athena.amazonaws.com", "glue.amazonaws.com"
MONTH = "2026-11-01T00:00:00Z"


@pytest.mark.parametrize(
    ("context", "names", "added"),
    [
        ({ORG: "o-1"}, [ORG, PATHS], {PATHS: "o-1/r-root/ou-unit/"}),
        ({ORG: "o-1", PATHS: "o-2/r-a/ou-b/"}, [ORG, PATHS], {PATHS: "o-1/r-a/ou-b/"}),
        ({ORG: "o-1", PATHS: ("o-2/r-a/", "o-1/r-b/")}, [ORG, PATHS], {PATHS: ("o-1/r-a/", "o-1/r-b/")}),
        ({VIA: ATHENA}, [VIA, FIRST, LAST], {FIRST: ATHENA, LAST: ATHENA}),
        ({VIA: GLUE, LAST: ATHENA}, [VIA, LAST], {VIA: (GLUE, ATHENA)}),
        ({FIRST: GLUE, "aws:ViaAWSService": "false"}, ["aws:ViaAWSService"], {"aws:ViaAWSService": "true"}),
        ({AGE: "1"}, [AGE, MFA], {MFA: "true"}),
        ({MFA: "false"}, [MFA, ISSUED], {ISSUED: MONTH}),
        ({AGE: "9"}, [AGE, ISSUED], {ISSUED: MONTH}),
        ({"aws:PrincipalType": "AssumedRole"}, [ISSUED], {ISSUED: MONTH}),
        ({"aws:PrincipalType": "FederatedUser"}, [ISSUED], {ISSUED: MONTH}),
        (
            {ISSUED: "2031-01-01T00:00:00Z", "aws:CurrentTime": "2030-01-01T00:00:00Z"},
            [],
            {ISSUED: "2030-01-01T00:00:00Z"},
        ),
        (
            {ISSUED: "2031-01-01T00:00:00Z", "aws:EpochTime": "1893456000"},
            [],
            {ISSUED: "2030-01-01T00:00:00Z"},
        ),
        ({ISSUED: "2020-01-01T00:00:00Z"}, [], {ISSUED: MONTH}),
        (
            {ISSUED: "2029-12-30T11:59:59Z", "aws:CurrentTime": "2030-01-01T00:00:00Z"},
            [],
            {ISSUED: "2030-01-01T00:00:00Z"},
        ),
        ({AGE: "129601"}, [], {AGE: "129600"}),
        ({"s3:signatureAge": "604800001"}, [], {"s3:signatureAge": "604800000"}),
        (
            {"s3:object-lock-remaining-retention-days": "40000"},
            [],
            {"s3:object-lock-remaining-retention-days": "36500"},
        ),
        ({TAG: "x"}, [TAG, TAG_KEYS], {TAG_KEYS: "Team"}),
        ({TAG: "x", TAG_KEYS: "cost"}, [TAG, TAG_KEYS], {TAG_KEYS: ("cost", "Team")}),
        ({TAG_KEYS: ("team", "cost")}, [TAG, TAG_KEYS], {TAG_KEYS: "cost"}),
        ({VPC: "vpc-1", VPC_ARN: "arn:aws:ec2:::vpc/vpc-2"}, [], {VPC_ARN: "arn:aws:ec2:::vpc/vpc-1"}),
        ({SERVICE: ATHENA, SERVICES: (GLUE,)}, [], {SERVICES: (GLUE, ATHENA)}),
        ({"aws:SecureTransport": "false"}, ["s3:ResourceAccount"], {"s3:ResourceAccount": "111122223333"}),
        (
            {"aws:ResourceAccount": "1", "s3:ResourceAccount": "2"},
            [],
            {"s3:ResourceAccount": "1"},
        ),
    ],
    ids=str,
)
def test_a_key_brings_those_that_go_with_it(context: Context, names: list[str], added: Context) -> None:
    assert fitted(context, *names) == {**context, **added}


def test_a_list_that_names_only_absent_tags_is_absent() -> None:
    assert fitted({TAG_KEYS: "team"}, TAG, TAG_KEYS) == {}


@pytest.mark.parametrize(
    ("context", "names"),
    [
        ({}, [ORG, PATHS, VIA, FIRST, AGE, MFA, ISSUED, TAG, TAG_KEYS]),
        ({ORG: "o-1"}, [ORG]),
        ({PATHS: "o-1/r-a/"}, [PATHS]),
        ({VIA: ATHENA, "aws:ViaAWSService": "true"}, [VIA, "aws:ViaAWSService"]),
        ({"aws:PrincipalType": "User"}, ["aws:PrincipalType", ISSUED]),
        ({"aws:PrincipalType": "AssumedRole"}, ["aws:PrincipalType"]),
        ({ISSUED: MONTH, "aws:CurrentTime": MONTH}, [ISSUED, "aws:CurrentTime"]),
        ({ISSUED: "2029-12-30T12:00:00Z", "aws:CurrentTime": "2030-01-01T00:00:00Z"}, []),
        ({ISSUED: "2031-01-01T00:00:00Z"}, []),
        ({AGE: "129600", "s3:signatureAge": "604800000"}, []),
        ({TAG: "x", TAG_KEYS: "Team"}, [TAG, TAG_KEYS]),
        ({TAG_KEYS: ("a", "b")}, [TAG_KEYS]),
        ({SERVICE: ATHENA, SERVICES: (GLUE, ATHENA)}, [SERVICE, SERVICES]),
    ],
    ids=str,
)
def test_keys_that_fit_stay_as_they_are(context: Context, names: list[str]) -> None:
    assert fitted(context, *names) == context
