"""One deny for every bucket of an organization: what it denies, what it leaves out, and what it refuses."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_organizations as organizations
from aws_cdk.assertions import Annotations, Match

from secure_bucket import Proven, Refuted, Request, SecureTransportOrganizationPolicy, evaluate
from secure_bucket.cdk.organization import organization_policy
from secure_bucket.errors import ConstructError
from secure_bucket.policy.statements import deny_plain_http_anywhere
from secure_bucket.proof import prove_denies_http, prove_minimum_tls
from tests.cdk.buckets.test_bucket import resources

OU, SANDBOX = "ou-ab12-34567890", "ou-ab12-sandbox1"

EXCEPTIONS: dict[str, Any] = {
    "exempt_accounts": ["222222222222"],
    "exempt_buckets": ["legacy"],
    "exempt_tags": {"plain-http": ["allowed", "for now"], "Team": "scanner"},
}


@pytest.fixture
def stack() -> cdk.Stack:
    # In a region that is known the partition is, too, and the ARNs are texts.
    environment = cdk.Environment(account="111111111111", region="eu-central-1")
    return cdk.Stack(cdk.App(), "Org", env=environment)


def written(stack: cdk.Stack) -> dict[str, Any]:
    (policy,) = resources(stack, "AWS::Organizations::Policy").values()
    found: dict[str, Any] = policy
    return found


def document(stack: cdk.Stack) -> dict[str, Any]:
    """The document as AWS gets it, in the commercial partition."""
    found: dict[str, Any] = _with_partition(written(stack)["Content"])
    return found


def _with_partition(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_partition(each) for each in value]
    if isinstance(value, dict):
        if "Fn::Join" in value:
            return "".join("aws" if isinstance(part, dict) else part for part in value["Fn::Join"][1])
        return {key: _with_partition(each) for key, each in value.items()}
    return value


def test_it_is_the_form_that_aws_publishes(stack: cdk.Stack) -> None:
    policy = SecureTransportOrganizationPolicy(stack, "Https", targets=[OU])
    assert written(stack) == {
        "Content": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "DenyPlainHttp",
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "s3:*",
                    "Resource": "*",
                    "Condition": {"BoolIfExists": {"aws:SecureTransport": "false"}},
                }
            ],
        },
        "Description": "Deny plain HTTP to every S3 bucket",
        "Name": "deny-plain-http-to-s3",
        "TargetIds": [OU],
        "Type": "RESOURCE_CONTROL_POLICY",
    }
    assert isinstance(policy.verdict, Proven)
    assert policy.exceptions == ()
    Annotations.from_stack(stack).has_no_warning("*", Match.any_value())


@pytest.mark.parametrize("bucket", ["a-bucket", "legacy", "the.other"])
@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_it_is_proven_for_any_bucket_in_every_partition(
    stack: cdk.Stack, bucket: str, partition: str
) -> None:
    SecureTransportOrganizationPolicy(stack, "Https", targets=[OU], minimum_tls_version=1.3)
    arn = f"arn:{partition}:s3:::{bucket}"
    assert isinstance(prove_denies_http(document(stack), bucket_arn=arn, strict=True), Proven)
    assert isinstance(prove_minimum_tls(document(stack), bucket_arn=arn, minimum=1.3, strict=True), Proven)


OPEN = {"aws:ResourceAccount": "333333333333"}

BUCKETS: dict[str, tuple[str, dict[str, str], bool]] = {
    "any bucket": ("reports", OPEN, True),
    "an exempt bucket": ("legacy", OPEN, False),
    "one with a longer name": ("legacy-2", OPEN, True),
    "one of an exempt account": ("reports", {"aws:ResourceAccount": "222222222222"}, False),
    "one with an exempt tag": ("reports", {**OPEN, "s3:BucketTag/plain-http": "allowed"}, False),
    "one with its other value": ("reports", {**OPEN, "s3:BucketTag/plain-http": "for now"}, False),
    "one with another value": ("reports", {**OPEN, "s3:BucketTag/plain-http": "no"}, True),
    "one with the second tag": ("reports", {**OPEN, "s3:BucketTag/Team": "scanner"}, False),
    "one with another tag": ("reports", {**OPEN, "s3:BucketTag/team-2": "scanner"}, True),
    # What S3 tells of a tagged bucket for which ABAC is not enabled: nothing.
    "one whose tags S3 does not look at": ("reports", OPEN, True),
}


@pytest.mark.parametrize("which", BUCKETS)
@pytest.mark.parametrize("principal", ["anonymous", "arn:aws:iam::111111111111:root", "s3.amazonaws.com"])
@pytest.mark.parametrize(("action", "key"), [("s3:ListBucket", ""), ("s3:GetObject", "/a/b.csv")])
def test_an_exception_lets_through_what_it_names_and_nothing_else(
    stack: cdk.Stack, which: str, principal: str, action: str, key: str
) -> None:
    SecureTransportOrganizationPolicy(stack, "Https", targets=[OU], **EXCEPTIONS)
    bucket, context, denied = BUCKETS[which]
    resource = f"arn:aws:s3:::{bucket}{key}"
    over_http = Request(principal, action, resource, {"aws:SecureTransport": "false", **context})
    over_https = Request(principal, action, resource, {"aws:SecureTransport": "true", **context})
    assert evaluate(document(stack), over_http) is denied
    assert not evaluate(document(stack), over_https)


def test_exceptions_are_listed_and_said_and_refute_the_claim(stack: cdk.Stack) -> None:
    policy = SecureTransportOrganizationPolicy(
        stack, "Https", targets=[OU], minimum_tls_version=1.2, **EXCEPTIONS
    )
    assert policy.exceptions == (
        "the buckets of account `222222222222`",
        "the bucket `legacy`",
        "buckets with ABAC and the tag `plain-http=allowed`",
        "buckets with ABAC and the tag `plain-http=for now`",
        "buckets with ABAC and the tag `Team=scanner`",
    )
    assert isinstance(policy.verdict, Refuted)
    assert policy.verdict.request.resource.startswith("arn:aws:s3:::legacy/")
    warnings = Annotations.from_stack(stack).find_warning("*", Match.any_value())
    assert len(warnings) == 1
    for words in ["`Org/Https` lets plain HTTP through to", "`legacy`", "`222222222222`", "`Team=scanner`"]:
        assert words in warnings[0].entry.data


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_each_kind_of_exception_refutes_the_claim_by_itself(stack: cdk.Stack, name: str) -> None:
    policy = SecureTransportOrganizationPolicy(stack, "Https", targets=[OU], **{name: EXCEPTIONS[name]})
    assert isinstance(policy.verdict, Refuted)
    assert evaluate(document(stack), policy.verdict.request) is False


@pytest.mark.parametrize(
    ("props", "attached"),
    [
        ({"targets": [OU]}, [OU]),
        ({"targets": [OU], "dry_run": True}, []),
        ({"targets": [], "dry_run": True}, []),
        ({"targets": [OU], "dry_run": True, "sandbox_targets": [SANDBOX]}, [SANDBOX]),
        ({"targets": [OU, SANDBOX], "sandbox_targets": [SANDBOX]}, [SANDBOX, OU]),
        ({"targets": ["r-ab12", "111122223333"]}, ["r-ab12", "111122223333"]),
    ],
)
def test_a_dry_run_affects_the_sandbox_only(stack: cdk.Stack, props: Any, attached: list[str]) -> None:
    SecureTransportOrganizationPolicy(stack, "Https", **props)
    assert written(stack)["TargetIds"] == attached


def test_a_target_can_be_made_in_the_same_stack(stack: cdk.Stack) -> None:
    unit = organizations.CfnOrganizationalUnit(stack, "Unit", name="sandbox", parent_id="r-ab12")
    policy = SecureTransportOrganizationPolicy(stack, "Https", targets=[unit.attr_id])
    assert written(stack)["TargetIds"] == [{"Fn::GetAtt": ["Unit", "Id"]}]
    assert stack.resolve(policy.policy.attr_id)["Fn::GetAtt"][1] == "Id"


@pytest.mark.parametrize(
    ("props", "words"),
    [
        ({"targets": []}, ["`targets=[]` attaches it to nothing", "`dry_run=True`"]),
        ({"targets": OU}, [f"`targets='{OU}'` is not a list"]),
        ({"targets": ["ou-1"]}, ["`targets` holds `ou-1`", "`ou-ab12-34567890`"]),
        ({"targets": [123456789012]}, ["`targets` holds `123456789012`, which is not text", "in quotes"]),
        ({"targets": [OU], "sandbox_targets": ["o-abc"]}, ["`sandbox_targets` holds `o-abc`"]),
        ({"targets": [OU], "exempt_accounts": ["12"]}, ["`exempt_accounts` holds `12`", "`111122223333`"]),
        ({"targets": [OU], "exempt_accounts": [cdk.Aws.ACCOUNT_ID]}, ["what only the deployment knows"]),
        ({"targets": [OU], "exempt_buckets": ["legacy-*"]}, ["holds `legacy-*`", "without wildcards"]),
        ({"targets": [OU], "exempt_buckets": ["arn:aws:s3:::legacy"]}, ["the name of a bucket"]),
        ({"targets": [OU], "exempt_tags": ["http"]}, ["`exempt_tags=['http']`", "{'plain-http': 'allowed'}"]),
        ({"targets": [OU], "exempt_tags": {"http": "${x}"}}, ["`exempt_tags['http']` holds `${x}`"]),
        ({"targets": [OU], "exempt_tags": {"http": []}}, ["`exempt_tags['http']` has no value"]),
        ({"targets": [OU], "exempt_tags": {"http": 1}}, ["`exempt_tags['http']=1` is not a list"]),
        ({"targets": [OU], "exempt_tags": {"*": "x"}}, ["`exempt_tags` holds `*`"]),
        (
            {"targets": [OU], "exempt_tags": {"Http": "x", "http": "y"}},
            ["`exempt_tags` holds `Http` in two spellings", "Keep one"],
        ),
        ({"targets": [OU], "name": ""}, ["`name` has 0 characters", "takes 1 to 128"]),
        ({"targets": [OU], "name": 5}, ["`name=5` is not text"]),
        ({"targets": [OU], "description": "x" * 513}, ["`description` has 513 characters", "0 to 512"]),
        ({"targets": [OU], "minimum_tls_version": 1.1}, ["`minimum_tls_version=1.1`", "below 1.2"]),
        ({"targets": [OU], "minimum_tls_version": 1.4}, ["lock everyone out"]),
        (
            {"targets": [OU], "exempt_buckets": [f"legacy-{number:03}" for number in range(100)]},
            ["characters, and AWS Organizations takes 5,120", "accounts or a tag"],
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_made(
    stack: cdk.Stack, props: Any, words: list[str]
) -> None:
    with pytest.raises(ConstructError) as caught:
        SecureTransportOrganizationPolicy(stack, "Https", **props)
    for word in ["organization policy `Org/Https`", *words]:
        assert word in str(caught.value)
    assert stack.node.try_find_child("Https") is None


def test_what_only_the_deployment_knows_is_taken_where_it_can_be(stack: cdk.Stack) -> None:
    single = cdk.CfnParameter(stack, "Unit").value_as_string
    several = cdk.CfnParameter(stack, "Units", type="CommaDelimitedList").value_as_list
    number = cdk.CfnParameter(stack, "Tls", type="Number").value_as_number
    with pytest.raises(ConstructError, match="`targets` holds what only the deployment knows"):
        SecureTransportOrganizationPolicy(stack, "Several", targets=several)
    with pytest.raises(ConstructError, match="`minimum_tls_version` is only known at deployment"):
        SecureTransportOrganizationPolicy(stack, "Tls3", targets=[single], minimum_tls_version=number)
    SecureTransportOrganizationPolicy(stack, "Https", targets=[single])
    assert written(stack)["TargetIds"] == [{"Ref": "Unit"}]


@pytest.mark.parametrize(
    "change",
    [
        {"Effect": "Allow"},
        {"Action": "s3:Get*"},
        {"Resource": "arn:aws:s3:::*/*"},
        {"Condition": {"BoolIfExists": {"aws:SecureTransport": "true"}}},
        {
            "Condition": {
                "BoolIfExists": {"aws:SecureTransport": "false"},
                "StringEquals": {"aws:PrincipalOrgID": "o-1"},
            }
        },
    ],
)
def test_a_statement_that_does_not_do_it_is_not_deployed(
    stack: cdk.Stack, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    def changed(**exceptions: Any) -> dict[str, Any]:
        return {**deny_plain_http_anywhere(**exceptions), **change}

    monkeypatch.setattr(organization_policy, "deny_plain_http_anywhere", changed)
    with pytest.raises(ConstructError, match="not proven"):
        SecureTransportOrganizationPolicy(stack, "Https", targets=[OU])


def test_it_stays_below_the_limit_with_as_many_exceptions_as_it_takes(stack: cdk.Stack) -> None:
    accounts = [f"{number:012}" for number in range(300)]
    policy = SecureTransportOrganizationPolicy(stack, "Https", targets=[OU], exempt_accounts=accounts)
    assert isinstance(policy.verdict, Refuted)
    assert len(policy.exceptions) == 300


def test_other_services_get_a_statement_of_their_own(stack: cdk.Stack) -> None:
    policy = SecureTransportOrganizationPolicy(
        stack,
        "Https",
        targets=[OU],
        other_services=True,
        exempt_accounts=["111122223333"],
        exempt_buckets=["legacy"],
        exempt_tags={"plain-http": "allowed"},
    )
    buckets, others = document(stack)["Statement"]
    assert buckets["Action"] == "s3:*"
    assert {"kms", "sts", "sqs", "secretsmanager", "dynamodb", "ecr"} < {*organization_policy.OTHER_SERVICES}
    assert others == {
        "Sid": "DenyPlainHttpToServices",
        "Effect": "Deny",
        "Principal": "*",
        "Action": [f"{service}:*" for service in organization_policy.OTHER_SERVICES],
        "Resource": "*",
        "Condition": {
            "BoolIfExists": {"aws:SecureTransport": "false"},
            "StringNotEquals": {"aws:ResourceAccount": ["111122223333"]},
        },
    }
    assert policy.exceptions[0] == "the resources of account `111122223333`"


def test_other_services_change_nothing_for_buckets(stack: cdk.Stack) -> None:
    policy = SecureTransportOrganizationPolicy(stack, "Https", targets=[OU], other_services=True)
    assert isinstance(policy.verdict, Proven)


@pytest.mark.parametrize("services", [False, True])
def test_the_last_character_that_fits_is_taken_and_the_next_one_is_not(services: bool) -> None:
    def make(buckets: list[str]) -> dict[str, Any]:
        stack = cdk.Stack(cdk.App(), "Top")
        SecureTransportOrganizationPolicy(
            stack, "Https", targets=[OU], other_services=services, exempt_buckets=buckets
        )
        return document(stack)

    def size(policy: dict[str, Any]) -> int:
        # The longest partition counts, so that one synthesis fits into each.
        return len(json.dumps(policy, separators=(",", ":")).replace("arn:aws:", "arn:aws-us-gov:"))

    names = ["a" * 15, "b" * 15]
    one, two = size(make(names[:1])), size(make(names))
    fit = (organization_policy.LIMIT - two) // (two - one) - 1
    names += [f"{number:02}{'a' * 13}" for number in range(fit)]
    room = organization_policy.LIMIT - size(make([*names, "aaa"]))
    # Each character counts twice: for the bucket and for its objects.
    longest = "aaa" + "b" * (room // 2)
    assert organization_policy.LIMIT - size(make([*names, longest])) in (0, 1)
    with pytest.raises(ConstructError, match=r"the policy has 5,12[12] characters"):
        make([*names, longest + "b"])
