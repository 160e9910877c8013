"""MFA for what deletes: which request is denied, and which bucket may ask for it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template

from secure_bucket import BucketMfa, MfaOperation, Proven, Request, SecureBucket, check_template, evaluate
from secure_bucket.errors import ConstructError
from secure_bucket.policy.statements import deny_old_mfa, deny_plain_http, deny_without_mfa
from secure_bucket.proof import prove_denies_http
from tests.cdk.buckets.test_bucket import resources, synthesized

ARN = "arn:aws:s3:::ledger"
BACKUP = "arn:aws:iam::111122223333:role/backup-nightly"
DEPLOYER = "arn:aws:iam::111122223333:role/cdk-*-cfn-exec-role-*"


@pytest.fixture
def stack() -> cdk.Stack:
    return cdk.Stack(cdk.App(), "Top")


def written(stack: cdk.Stack) -> list[dict[str, Any]]:
    """The statements about MFA in the one policy of a stack."""
    (policy,) = resources(stack, "AWS::S3::BucketPolicy").values()
    statements: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return [each for each in statements if str(each.get("Sid", "")).endswith("Mfa")]


def policy(**options: Any) -> dict[str, Any]:
    """The policy of a bucket with a known name, as `BucketMfa` writes it."""
    statements = BucketMfa(**options)._options.statements(ARN)
    return {"Version": "2012-10-17", "Statement": [deny_plain_http(ARN), *statements]}


# Who asks: what the request says about them, and whether MFA lets them through when it may be an hour old.
ALICE = {"aws:PrincipalArn": "arn:aws:iam::111122223333:user/alice"}
WHO: dict[str, tuple[str, dict[str, str], bool]] = {
    "a long-lived access key": (ALICE["aws:PrincipalArn"], ALICE, False),
    "a session without MFA": (
        ALICE["aws:PrincipalArn"],
        {**ALICE, "aws:MultiFactorAuthPresent": "false"},
        False,
    ),
    "a session with MFA just now": (
        ALICE["aws:PrincipalArn"],
        {**ALICE, "aws:MultiFactorAuthPresent": "true", "aws:MultiFactorAuthAge": "0"},
        True,
    ),
    "a session with MFA an hour ago": (
        ALICE["aws:PrincipalArn"],
        {**ALICE, "aws:MultiFactorAuthPresent": "true", "aws:MultiFactorAuthAge": "3600"},
        True,
    ),
    "a session with MFA longer ago": (
        ALICE["aws:PrincipalArn"],
        {**ALICE, "aws:MultiFactorAuthPresent": "true", "aws:MultiFactorAuthAge": "3601"},
        False,
    ),
    "a session with MFA of which no age is told": (
        ALICE["aws:PrincipalArn"],
        {**ALICE, "aws:MultiFactorAuthPresent": "true"},
        False,
    ),
    "a role, as which AWS tells no MFA": (
        "arn:aws:sts::111122223333:assumed-role/admin/alice",
        {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/admin"},
        False,
    ),
    "the excepted role": (
        "arn:aws:sts::111122223333:assumed-role/backup-nightly/run",
        {"aws:PrincipalArn": BACKUP},
        True,
    ),
    "a role of the same name elsewhere": (
        "arn:aws:sts::999999999999:assumed-role/backup-nightly/run",
        {"aws:PrincipalArn": BACKUP.replace("111122223333", "999999999999")},
        False,
    ),
    "nobody": ("anonymous", {}, False),
    "the excepted service": (
        "delivery.logs.amazonaws.com",
        {"aws:PrincipalServiceName": "delivery.logs.amazonaws.com", "aws:PrincipalIsAWSService": "true"},
        True,
    ),
    "another service": (
        "cloudtrail.amazonaws.com",
        {"aws:PrincipalServiceName": "cloudtrail.amazonaws.com", "aws:PrincipalIsAWSService": "true"},
        False,
    ),
}

# What is asked for, on what, and for which operation of `BucketMfa` it counts.
WHAT: dict[str, tuple[str, MfaOperation | None]] = {
    "s3:DeleteObject": (f"{ARN}/2026/may.csv", MfaOperation.DELETE),
    "s3:DeleteObjectVersion": (f"{ARN}/2026/may.csv", MfaOperation.PERMANENT_DELETE),
    "s3:GetObject": (f"{ARN}/2026/may.csv", None),
    "s3:PutObject": (f"{ARN}/2026/may.csv", None),
    "s3:ListBucket": (ARN, None),
    "s3:DeleteBucket": (ARN, MfaOperation.UNPROTECT),
    "s3:DeleteBucketPolicy": (ARN, MfaOperation.UNPROTECT),
    "s3:PutBucketPolicy": (ARN, MfaOperation.UNPROTECT),
    "s3:PutBucketVersioning": (ARN, MfaOperation.UNPROTECT),
    "s3:PutLifecycleConfiguration": (ARN, MfaOperation.UNPROTECT),
}

CHOICES = [
    *(
        chosen
        for size in range(1, len(MfaOperation) + 1)
        for chosen in itertools.combinations(MfaOperation, size)
    )
]


@pytest.mark.parametrize("operations", CHOICES, ids=lambda chosen: "+".join(one.name for one in chosen))
def test_every_request_of_the_table(operations: tuple[MfaOperation, ...]) -> None:
    document = policy(
        operations=operations,
        max_age=cdk.Duration.hours(1),
        except_principals=["arn:aws:iam::111122223333:role/backup-*"],
        except_services=["delivery.logs.amazonaws.com"],
    )
    for (who, (principal, context, passes)), (action, (resource, counts_for)) in itertools.product(
        WHO.items(), WHAT.items()
    ):
        request = Request(principal, action, resource, {"aws:SecureTransport": "true", **context})
        asked = MfaOperation.ALL in operations or counts_for in operations
        assert evaluate(document, request) is (asked and not passes), f"{action} by {who}"
    assert isinstance(prove_denies_http(document, bucket_arn=ARN, strict=True), Proven)


def test_without_a_maximum_age_a_session_with_mfa_passes_as_long_as_it_lasts() -> None:
    for age in ("0", "3601", "129600"):
        context = {**ALICE, "aws:MultiFactorAuthPresent": "true", "aws:MultiFactorAuthAge": age}
        request = Request(
            ALICE["aws:PrincipalArn"],
            "s3:DeleteObject",
            f"{ARN}/may.csv",
            {"aws:SecureTransport": "true", **context},
        )
        assert not evaluate(policy(), request)


def test_bool_alone_would_let_a_long_lived_key_through() -> None:
    """The reason for the operator: this is the mistake that the statement does not make."""
    statement = deny_without_mfa(ARN, ["s3:DeleteObject"])
    key = Request(ALICE["aws:PrincipalArn"], "s3:DeleteObject", f"{ARN}/may.csv", dict(ALICE))
    assert evaluate({"Version": "2012-10-17", "Statement": [statement]}, key)
    statement["Condition"] = {"Bool": {"aws:MultiFactorAuthPresent": "false"}}
    assert not evaluate({"Version": "2012-10-17", "Statement": [statement]}, key)


def test_what_it_writes_is_what_the_statements_say(stack: cdk.Stack) -> None:
    role = iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal())
    user = iam.User(stack, "User")
    mfa = BucketMfa(
        operations=[MfaOperation.PERMANENT_DELETE],
        max_age=cdk.Duration.minutes(30),
        except_principals=[role, user, DEPLOYER],
        except_services=["delivery.logs.amazonaws.com"],
    )
    bucket = SecureBucket(stack, "Ledger", mfa=mfa)
    id = stack.resolve(bucket.node.default_child.logical_id)  # type: ignore[union-attr]
    arn = {"Fn::GetAtt": [id, "Arn"]}
    principals = [stack.resolve(role.role_arn), stack.resolve(user.user_arn), DEPLOYER]
    services = ["delivery.logs.amazonaws.com"]
    actions = ["s3:DeleteObjectVersion"]
    exceptions: dict[str, Any] = {"except_principals": principals, "except_services": services}
    expected = [
        deny_without_mfa(arn, actions, **exceptions),
        deny_old_mfa(arn, actions, 1800, **exceptions),
    ]
    for statement in expected:
        # The CDK writes a list of one as the one.
        statement["Action"] = "s3:DeleteObjectVersion"
    assert written(stack) == expected


def test_true_is_deleting_and_deleting_for_good(stack: cdk.Stack) -> None:
    SecureBucket(stack, "Ledger", mfa=True)
    (statement,) = written(stack)
    assert statement["Action"] == ["s3:DeleteObject", "s3:DeleteObjectVersion"]
    assert statement["Condition"] == {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
    (bucket,) = resources(stack, "AWS::S3::Bucket").values()
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    report = check_template(synthesized(stack), minimum_tls_version=1.2)
    assert [type(each.verdict) for each in report.buckets] == [Proven]


@pytest.mark.parametrize("mfa", [None, False])
def test_nothing_needs_mfa_unless_asked_for(stack: cdk.Stack, mfa: bool | None) -> None:
    SecureBucket(stack, "Ledger", mfa=mfa)
    assert written(stack) == []
    (bucket,) = resources(stack, "AWS::S3::Bucket").values()
    assert "VersioningConfiguration" not in bucket


def test_a_bucket_that_is_there_takes_it_whatever_its_level(stack: cdk.Stack) -> None:
    l2: Any = s3.Bucket(stack, "L2", versioned=True)
    l2.with_(BucketMfa())
    l2.with_(BucketMfa())  # The CDK writes equal statements once.
    l1: Any = s3.CfnBucket(stack, "L1")
    l1.with_(BucketMfa())
    own = s3.CfnBucket(stack, "Own")
    s3.CfnBucketPolicy(
        stack, "OwnPolicy", bucket=own.ref, policy_document={"Version": "2012-10-17", "Statement": []}
    )
    BucketMfa().apply_to(own)
    outer = s3.Bucket(stack, "Outer")
    s3.CfnBucketPolicy(stack, "OuterPolicy", bucket=outer.bucket_name, policy_document=iam.PolicyDocument())
    BucketMfa().apply_to(outer.node.default_child)  # type: ignore[arg-type]
    policies = resources(stack, "AWS::S3::BucketPolicy")
    found = [each["PolicyDocument"]["Statement"] for each in policies.values()]
    assert [[one["Sid"] for one in statements] for statements in found] == [["DenyWithoutMfa"]] * 4
    for bucket in resources(stack, "AWS::S3::Bucket").values():
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}


def test_other_options_on_the_same_bucket_are_a_statement_more(stack: cdk.Stack) -> None:
    mfa = BucketMfa(
        operations=[MfaOperation.ALL], except_principals=["arn:aws:iam::111122223333:role/deploy"]
    )
    SecureBucket(stack, "L2", mfa=mfa).with_(BucketMfa())
    l1: Any = s3.CfnBucket(stack, "L1")
    for each in (mfa, BucketMfa(), mfa):
        l1.with_(each)
    for policy in resources(stack, "AWS::S3::BucketPolicy").values():
        statements = [one for one in policy["PolicyDocument"]["Statement"] if "MultiFactor" in str(one)]
        sids = [one["Sid"] for one in statements if "Sid" in one]
        assert len(sids) == len(set(sids)) == 1, "IAM takes a Sid once in a policy"
        assert [one["Action"] for one in statements] == [
            "s3:*",
            ["s3:DeleteObject", "s3:DeleteObjectVersion"],
        ]


def test_its_policy_is_there_whenever_and_as_long_as_the_bucket_is(stack: cdk.Stack) -> None:
    bucket = s3.CfnBucket(stack, "Ledger")
    bucket.cfn_options.condition = cdk.CfnCondition(
        stack, "IsProduction", expression=cdk.Fn.condition_equals(cdk.Aws.REGION, "eu-central-1")
    )
    bucket.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
    BucketMfa().apply_to(bucket)
    (policy,) = Template.from_stack(stack).find_resources("AWS::S3::BucketPolicy").values()
    assert policy["Condition"] == "IsProduction"
    assert policy["DeletionPolicy"] == policy["UpdateReplacePolicy"] == "Retain"


def test_it_supports_nothing_but_buckets(stack: cdk.Stack) -> None:
    assert BucketMfa().supports(s3.CfnBucket(stack, "Plain"))
    assert not BucketMfa().supports(stack)
    BucketMfa().apply_to(stack)
    assert [child.node.id for child in stack.node.children] == ["Plain"]


def raw_policy(stack: cdk.Stack) -> s3.CfnBucket:
    bucket = s3.CfnBucket(stack, "Ledger")
    cdk.CfnResource(stack, "Raw", type="AWS::S3::BucketPolicy", properties={"Bucket": bucket.ref})
    return bucket


def two_policies(stack: cdk.Stack) -> s3.CfnBucket:
    bucket = s3.CfnBucket(stack, "Ledger")
    for name in ("One", "Two"):
        s3.CfnBucketPolicy(stack, name, bucket=bucket.ref, policy_document={"Statement": []})
    return bucket


def statements_by_condition(stack: cdk.Stack) -> s3.CfnBucket:
    bucket = s3.CfnBucket(stack, "Ledger")
    either = cdk.Fn.condition_if("IsProduction", [], [])
    s3.CfnBucketPolicy(stack, "Policy", bucket=bucket.ref, policy_document={"Statement": either})
    return bucket


def one_statement(stack: cdk.Stack) -> s3.CfnBucket:
    bucket = s3.CfnBucket(stack, "Ledger")
    document = {"Statement": deny_plain_http(bucket.attr_arn)}
    s3.CfnBucketPolicy(stack, "Policy", bucket=bucket.ref, policy_document=document)
    return bucket


def conditional(stack: cdk.Stack) -> s3.CfnBucket:
    bucket = s3.CfnBucket(stack, "Ledger")
    policy = s3.CfnBucketPolicy(stack, "Policy", bucket=bucket.ref, policy_document={"Statement": []})
    policy.cfn_options.condition = cdk.CfnCondition(stack, "IsProduction")
    return bucket


def suspended(stack: cdk.Stack) -> s3.CfnBucket:
    status = s3.CfnBucket.VersioningConfigurationProperty(status="Suspended")
    return s3.CfnBucket(stack, "Ledger", versioning_configuration=status)


def auto_deleted(stack: cdk.Stack) -> object:
    bucket = s3.Bucket(stack, "Ledger", auto_delete_objects=True, removal_policy=cdk.RemovalPolicy.DESTROY)
    return bucket.node.default_child


def test_a_policy_of_one_statement_takes_it(stack: cdk.Stack) -> None:
    BucketMfa().apply_to(one_statement(stack))
    (policy,) = resources(stack, "AWS::S3::BucketPolicy").values()
    assert len(policy["PolicyDocument"]["Statement"]) == 2


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (raw_policy, ["its policy `Top/Raw` is a raw `CfnResource`", "not added"]),
        (two_policies, ["2 policies are for it", "one policy"]),
        (
            statements_by_condition,
            ["its policy `Top/Policy` has its statements behind an intrinsic function"],
        ),
        (conditional, ["`Top/Policy` exists only under the condition `IsProduction`", "not added"]),
        (suspended, ["its versioning is 'Suspended'", "Enable it"]),
        (auto_deleted, ["`auto_delete_objects=True` deletes every object without MFA", "Leave one"]),
    ],
)
def test_a_bucket_that_cannot_take_it_is_left_alone_with_the_reason(
    stack: cdk.Stack, make: Callable[[cdk.Stack], Any], words: list[str]
) -> None:
    bucket = make(stack)
    before = bucket.versioning_configuration
    with pytest.raises(ConstructError) as caught:
        BucketMfa().apply_to(bucket)
    for word in ["MFA for bucket `Top/Ledger`", *words]:
        assert word in str(caught.value)
    assert type(bucket.versioning_configuration) is type(before)


@pytest.mark.parametrize(
    ("props", "words"),
    [
        ({"mfa": "yes"}, ["`mfa='yes'`", "`True`", "BucketMfa"]),
        ({"mfa": BucketMfa}, ["`mfa=BucketMfa` is neither"]),
        ({"mfa": True, "versioned": False}, ["`versioned=False`", "overwriting", "Leave the prop out"]),
        (
            {"mfa": True, "auto_delete_objects": True, "removal_policy": cdk.RemovalPolicy.DESTROY},
            ["`auto_delete_objects=True`", "without MFA", "Leave one of the two out"],
        ),
    ],
)
def test_a_prop_against_it_is_refused_before_anything_is_made(
    stack: cdk.Stack, props: Any, words: list[str]
) -> None:
    group = cdk.NestedStack(stack, "Group")
    with pytest.raises(ConstructError) as caught:
        SecureBucket(group, "Ledger", **props)
    for word in ["`Top/Group/Ledger`", *words]:
        assert word in str(caught.value)
    assert group.node.try_find_child("Ledger") is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"operations": []}, ["`operations=[]`", "for nothing"]),
        ({"operations": "s3:DeleteObject"}, ["`operations='s3:DeleteObject'`", "`MfaOperation.DELETE`"]),
        ({"operations": ["delete"]}, ["`operations=['delete']`", "`MfaOperation.ALL`"]),
        ({"operations": MfaOperation.DELETE}, ["`operations=MfaOperation.DELETE`"]),
        ({"operations": [MfaOperation.ALL]}, ["`MfaOperation.ALL`", "`except_principals`", "cfn-exec-role"]),
        ({"operations": [MfaOperation.UNPROTECT]}, ["`MfaOperation.UNPROTECT`", "CloudFormation"]),
        ({"max_age": 3600}, ["`max_age=3600`", "`cdk.Duration.minutes(30)`"]),
        ({"max_age": cdk.Duration.days(2)}, ["172800 seconds", "36 hours"]),
        ({"max_age": cdk.Duration.seconds(0)}, ["0 seconds"]),
        ({"max_age": cdk.Duration.millis(1500)}, ["1.5 seconds", "whole seconds"]),
        ({"except_principals": BACKUP}, [f"`except_principals='{BACKUP}'`", "not a list"]),
        ({"except_principals": ["backup"]}, ["`backup`, which is not an ARN"]),
        ({"except_principals": ["*"]}, ["`*`, which is not an ARN"]),
        ({"except_principals": ["arn:aws:iam::*:*"]}, ["is everybody"]),
        ({"except_principals": [7]}, ["`7`, which is neither a role, a user nor a text"]),
        (
            {"except_principals": ["arn:aws:sts::111122223333:assumed-role/backup/run"]},
            ["the ARN of a session, which never matches; name its role"],
        ),
        ({"except_services": "s3.amazonaws.com"}, ["`except_services='s3.amazonaws.com'`", "not a list"]),
        ({"except_services": ["lambda"]}, ["`lambda`, which names no AWS service"]),
        ({"except_services": ["*.amazonaws.com"]}, ["`*.amazonaws.com`, which names no AWS service"]),
        ({"except_services": [None]}, ["`None`, which names no AWS service"]),
    ],
)
def test_an_option_that_cannot_be_meant_is_refused_before_anything_is_made(
    stack: cdk.Stack, options: Any, words: list[str]
) -> None:
    with pytest.raises(ConstructError) as caught:
        SecureBucket(stack, "Ledger", mfa=BucketMfa(**options))
    for word in ["`Top/Ledger`", *words]:
        assert word in str(caught.value)
    assert stack.node.try_find_child("Ledger") is None


def test_an_age_and_a_role_that_are_known_later(stack: cdk.Stack) -> None:
    number = cdk.CfnParameter(stack, "Seconds", type="Number").value_as_number
    with pytest.raises(ConstructError, match="`max_age` is only known at deployment"):
        SecureBucket(stack, "Aged", mfa=BucketMfa(max_age=cdk.Duration.seconds(number)))
    role = cdk.CfnParameter(stack, "RoleArn").value_as_string
    SecureBucket(stack, "Ledger", mfa=BucketMfa(except_principals=[role]))
    (statement,) = written(stack)
    assert statement["Condition"]["ArnNotLike"] == {"aws:PrincipalArn": [{"Ref": "RoleArn"}]}
