"""Buckets for logs: the service gets in on behalf of its account, nobody over plain HTTP, and only once."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Annotations, Match

from secure_bucket import (
    BucketMfa,
    LogSource,
    MfaOperation,
    Proven,
    Request,
    SecureLogBucket,
    check_template,
    evaluate,
)
from secure_bucket.cdk.buckets.log_delivery import is_covered, missing_conditions
from secure_bucket.errors import ConstructError
from tests.cdk.buckets.test_bucket import resources, synthesized

OWN, OTHER = "111122223333", "999999999999"

FLAGS = ("@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy", "@aws-cdk/aws-s3:createDefaultLoggingPolicy")


def stack_with(flags: bool, region: str = "eu-central-1") -> cdk.Stack:
    app = cdk.App(context=dict.fromkeys(FLAGS, flags))
    return cdk.Stack(app, "Top", env=cdk.Environment(account=OWN, region=region))


@pytest.fixture
def stack() -> cdk.Stack:
    return stack_with(True)


def plain(value: Any) -> Any:
    """What is left when the bucket is called `logs`, in the commercial partition."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        if "Fn::GetAtt" in value:
            return "arn:aws:s3:::logs"
        if value == {"Ref": "AWS::Partition"}:
            return "aws"
        if "Fn::Join" in value:
            return "".join(plain(part) for part in value["Fn::Join"][1])
        return {key: plain(each) for key, each in value.items()}
    return value


def document(stack: cdk.Stack) -> dict[str, Any]:
    """The policy of the log bucket."""
    policies = resources(stack, "AWS::S3::BucketPolicy")
    (found,) = [each["PolicyDocument"] for id, each in policies.items() if id.startswith("Logs")]
    return cast("dict[str, Any]", plain(found))


def allows(stack: cdk.Stack) -> list[dict[str, Any]]:
    return [each for each in document(stack)["Statement"] if each["Effect"] == "Allow"]


def is_let_in(stack: cdk.Stack, request: Request) -> bool:
    """Whether a statement allows a request: the evaluator asks for a Deny, so they change sides."""
    changed = copy.deepcopy(allows(stack))
    for statement in changed:
        statement["Effect"] = "Deny"
    return evaluate({"Version": "2012-10-17", "Statement": changed}, request)


def delivery(service: str, key: str, account: str, **context: str) -> Request:
    own = {
        "aws:SecureTransport": "true",
        "s3:x-amz-acl": "bucket-owner-full-control",
        "aws:PrincipalIsAWSService": "true",
        "aws:PrincipalServiceName": service,
        "aws:SourceAccount": account,
    }
    return Request(service, "s3:PutObject", f"arn:aws:s3:::logs/{key}", {**own, **context})


VENDED = "delivery.logs.amazonaws.com"
BALANCER = "logdelivery.elasticloadbalancing.amazonaws.com"

# How a log arrives, on behalf of an account.
DELIVERIES: dict[str, tuple[LogSource, Callable[[str], Request]]] = {
    "S3": (
        LogSource.S3,
        lambda account: delivery(
            "logging.s3.amazonaws.com", "2026-05-01-A", account, **{"aws:SourceArn": "arn:aws:s3:::src"}
        ),
    ),
    "ALB": (
        LogSource.ELB,
        # AWS documents no condition for it: the folder tells the account.
        lambda account: delivery(BALANCER, f"AWSLogs/{account}/elasticloadbalancing/eu-central-1/a.gz", OWN),
    ),
    "NLB": (
        LogSource.ELB,
        lambda account: delivery(
            VENDED,
            f"AWSLogs/{account}/elasticloadbalancing/a.gz",
            account,
            **{"aws:SourceArn": f"arn:aws:logs:eu-central-1:{account}:delivery-source:x"},
        ),
    ),
    "VPC": (
        LogSource.VPC_FLOW,
        lambda account: delivery(
            VENDED,
            f"AWSLogs/{account}/vpcflowlogs/eu-central-1/a.gz",
            account,
            **{"aws:SourceArn": f"arn:aws:logs:eu-central-1:{account}:*"},
        ),
    ),
    "VPC, Hive": (
        LogSource.VPC_FLOW,
        lambda account: delivery(
            VENDED,
            f"AWSLogs/aws-account-id={account}/aws-service=vpcflowlogs/a.gz",
            account,
            **{"aws:SourceArn": f"arn:aws:logs:eu-central-1:{account}:*"},
        ),
    ),
    "CloudFront": (
        LogSource.CLOUDFRONT,
        lambda account: delivery(
            VENDED,
            f"AWSLogs/{account}/CloudFront/a.gz",
            account,
            **{"aws:SourceArn": f"arn:aws:logs:us-east-1:{account}:delivery-source:cdn"},
        ),
    ),
    "CloudFront, Hive": (
        LogSource.CLOUDFRONT,
        lambda account: delivery(
            VENDED,
            f"AWSLogs/aws-account-id={account}/CloudFront/a.parquet",
            account,
            **{"aws:SourceArn": f"arn:aws:logs:us-east-1:{account}:delivery-source:cdn"},
        ),
    ),
    "CloudTrail": (
        LogSource.CLOUDTRAIL,
        lambda account: delivery(
            "cloudtrail.amazonaws.com",
            f"AWSLogs/{account}/CloudTrail/eu-west-1/a.gz",
            account,
            **{"aws:SourceArn": f"arn:aws:cloudtrail:eu-west-1:{account}:trail/audit"},
        ),
    ),
}


@pytest.mark.parametrize("which", DELIVERIES)
def test_the_service_gets_in_for_its_account_and_for_no_other(stack: cdk.Stack, which: str) -> None:
    source, arriving = DELIVERIES[which]
    SecureLogBucket(stack, "Logs", source=source)
    assert is_let_in(stack, arriving(OWN))
    assert not is_let_in(stack, arriving(OTHER))
    assert not evaluate(document(stack), arriving(OWN)), "the deny keeps the delivery out"
    over_http = arriving(OWN)
    over_http = Request(
        over_http.principal,
        over_http.action,
        over_http.resource,
        {**over_http.context, "aws:SecureTransport": "false"},
    )
    assert evaluate(document(stack), over_http)


@pytest.mark.parametrize("which", DELIVERIES)
def test_only_the_service_gets_in(stack: cdk.Stack, which: str) -> None:
    source, arriving = DELIVERIES[which]
    SecureLogBucket(stack, "Logs", source=source)
    request = arriving(OWN)
    for principal in ("anonymous", f"arn:aws:iam::{OWN}:role/admin", "lambda.amazonaws.com"):
        assert not is_let_in(stack, Request(principal, request.action, request.resource, request.context))
    for action in ("s3:GetObject", "s3:DeleteObject", "s3:PutObjectAcl"):
        assert not is_let_in(stack, Request(request.principal, action, request.resource, request.context))


@pytest.mark.parametrize("which", DELIVERIES)
def test_the_logs_of_other_accounts_where_they_are_named(stack: cdk.Stack, which: str) -> None:
    source, arriving = DELIVERIES[which]
    SecureLogBucket(stack, "Logs", source=source, source_accounts=[OTHER, "222222222222"])
    assert is_let_in(stack, arriving(OTHER))
    assert is_let_in(stack, arriving("222222222222"))
    assert not is_let_in(stack, arriving("333333333333"))


@pytest.mark.parametrize("prefix", ["edge", "edge/"])
@pytest.mark.parametrize("which", [name for name in DELIVERIES if name != "S3"])
def test_a_prefix_is_in_front_of_the_folder(stack: cdk.Stack, which: str, prefix: str) -> None:
    source, arriving = DELIVERIES[which]
    SecureLogBucket(stack, "Logs", source=source, prefix=prefix)
    request = arriving(OWN)
    assert not is_let_in(stack, request)
    resource = request.resource.replace(":::logs/", ":::logs/edge/")
    assert is_let_in(stack, Request(request.principal, request.action, resource, request.context))


def test_cloudfront_writes_right_below_a_prefix(stack: cdk.Stack) -> None:
    # *Example paths to access logs* in the CloudFront Developer Guide: no `AWSLogs/` where there is a prefix.
    SecureLogBucket(stack, "Logs", source=LogSource.CLOUDFRONT, prefix="edge")
    _, arriving = DELIVERIES["CloudFront"]
    for account, key, comes in (
        (OWN, "edge/E1.2026-05-01-10.gz", True),
        (OWN, "edge/folder/year=2026/E1.parquet", True),
        (OWN, "edges/E1.gz", False),
        (OTHER, "edge/E1.2026-05-01-10.gz", False),
    ):
        sent = arriving(account)
        request = Request(sent.principal, sent.action, f"arn:aws:s3:::logs/{key}", sent.context)
        assert is_let_in(stack, request) is comes, key


def test_the_prefix_of_server_access_logs_is_the_beginning_of_a_key(stack: cdk.Stack) -> None:
    SecureLogBucket(stack, "Logs", source=LogSource.S3, prefix="src-")
    (statement,) = allows(stack)
    assert statement["Resource"] == "arn:aws:s3:::logs/src-*"


@pytest.mark.parametrize("source", LogSource)
def test_each_is_a_private_bucket_that_is_proven(source: LogSource) -> None:
    stack = stack_with(False)
    SecureLogBucket(stack, "Logs", source=source, minimum_tls_version=1.3)
    (bucket,) = resources(stack, "AWS::S3::Bucket").values()
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert "AccessControl" not in bucket
    ownership = "BucketOwnerPreferred" if source is LogSource.CLOUDFRONT_LEGACY else "BucketOwnerEnforced"
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": ownership}]}
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert bucket["LifecycleConfiguration"]["Rules"] == [
        {
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
            "ExpirationInDays": 365,
            "Id": "ExpireLogs",
            "Status": "Enabled",
        }
    ]
    report = check_template(synthesized(stack), minimum_tls_version=1.3)
    assert [type(each.verdict) for each in report.buckets] == [Proven]
    sids = [each["Sid"] for each in allows(stack)]
    assert len(sids) == len(set(sids))


def log_load_balancers(stack: cdk.Stack, logs: s3.Bucket) -> None:
    vpc = ec2.Vpc(stack, "Vpc", nat_gateways=0)
    application = elb.ApplicationLoadBalancer(stack, "Application", vpc=vpc)
    application.log_access_logs(logs)
    elb.NetworkLoadBalancer(stack, "Network", vpc=vpc).log_access_logs(logs)


def log_flows(stack: cdk.Stack, logs: s3.Bucket) -> None:
    ec2.Vpc(stack, "Vpc", nat_gateways=0).add_flow_log("Flow", destination=ec2.FlowLogDestination.to_s3(logs))


def log_server_accesses(stack: cdk.Stack, logs: s3.Bucket) -> None:
    for name in ("One", "Two"):
        s3.Bucket(stack, name, enforce_ssl=True, server_access_logs_bucket=logs)
    s3.Bucket(
        stack, "Three", enforce_ssl=True, server_access_logs_bucket=logs, server_access_logs_prefix="3/"
    )


def log_distribution(stack: cdk.Stack, logs: s3.Bucket) -> None:
    behavior = cloudfront.BehaviorOptions(origin=origins.HttpOrigin("example.com"))
    cloudfront.Distribution(stack, "Cdn", default_behavior=behavior, log_bucket=logs)


def log_trail(stack: cdk.Stack, logs: s3.Bucket) -> None:
    cloudtrail.Trail(stack, "Trail", bucket=logs)


L2: dict[LogSource, Callable[[cdk.Stack, s3.Bucket], None]] = {
    LogSource.S3: log_server_accesses,
    LogSource.ELB: log_load_balancers,
    LogSource.VPC_FLOW: log_flows,
    LogSource.CLOUDFRONT_LEGACY: log_distribution,
    LogSource.CLOUDTRAIL: log_trail,
}


@pytest.mark.parametrize("flags", [True, False])
@pytest.mark.parametrize("source", L2)
def test_the_constructs_of_the_cdk_add_nothing_to_it(source: LogSource, flags: bool) -> None:
    # A region of which the CDK knows that load balancers deliver as a service there.
    alone, used = (stack_with(flags, "ap-southeast-4") for _ in range(2))
    SecureLogBucket(alone, "Logs", source=source)
    L2[source](used, SecureLogBucket(used, "Logs", source=source))
    assert allows(used) == allows(alone)
    report = check_template(synthesized(used))
    assert {type(each.verdict) for each in report.buckets} == {Proven}
    buckets = resources(used, "AWS::S3::Bucket")
    (logs,) = [each for id, each in buckets.items() if id.startswith("Logs")]
    assert "AccessControl" not in logs


def test_an_older_region_has_the_account_of_the_load_balancers_besides() -> None:
    stack = stack_with(True, "eu-central-1")
    logs = SecureLogBucket(stack, "Logs", source=LogSource.ELB)
    log_load_balancers(stack, logs)
    others = [each for each in allows(stack) if "AWS" in each["Principal"]]
    assert [each["Principal"]["AWS"] for each in others] == ["arn:aws:iam::054676820928:root"]
    assert len(allows(stack)) == 4


def test_what_comes_with_a_prefix_is_added_narrowed_to_the_account(stack: cdk.Stack) -> None:
    logs = SecureLogBucket(stack, "Logs", source=LogSource.CLOUDTRAIL)
    cloudtrail.Trail(stack, "Trail", bucket=logs, s3_key_prefix="audit")
    *_, added = allows(stack)
    assert added == {
        "Action": "s3:PutObject",
        "Condition": {
            "StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"},
            "ArnLike": {"aws:SourceArn": f"arn:aws:cloudtrail:*:{OWN}:trail/*"},
        },
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Resource": f"arn:aws:s3:::logs/audit/AWSLogs/{OWN}/*",
    }


def test_a_source_in_another_stack_keeps_its_references() -> None:
    stack = stack_with(True)
    logs = SecureLogBucket(stack, "Logs", source=LogSource.S3)
    other = cdk.Stack(
        cast(cdk.App, stack.node.root), "Other", env=cdk.Environment(account=OWN, region="eu-central-1")
    )
    role = iam.Role(other, "Role", assumed_by=iam.AccountRootPrincipal())
    logs.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["s3:GetObject"], principals=[role], resources=[logs.arn_for_objects("*")]
        )
    )
    assert "Fn::ImportValue" in json.dumps(resources(stack, "AWS::S3::BucketPolicy"))


def test_what_else_is_added_is_added_as_it_is(stack: cdk.Stack) -> None:
    logs = SecureLogBucket(stack, "Logs", source=LogSource.S3)
    deny = iam.PolicyStatement(
        effect=iam.Effect.DENY,
        actions=["s3:PutObject"],
        principals=[iam.ServicePrincipal("logging.s3.amazonaws.com")],
        resources=[logs.arn_for_objects("*")],
    )
    read = iam.PolicyStatement(
        actions=["s3:GetObject"],
        principals=[iam.ServicePrincipal("athena.amazonaws.com")],
        resources=[logs.arn_for_objects("*")],
    )
    organization = iam.PolicyStatement(
        actions=["s3:PutObject"],
        principals=[iam.ServicePrincipal("logging.s3.amazonaws.com")],
        resources=[logs.arn_for_objects("*")],
        conditions={"StringEquals": {"aws:SourceOrgID": "o-abc"}},
    )
    for statement in (deny, read, organization):
        assert logs.add_to_resource_policy(statement).statement_added
    # The two denies and the statement of the bucket are in front.
    added = document(stack)["Statement"][3:]
    assert added == plain([stack.resolve(each.to_statement_json()) for each in (deny, read, organization)])


@pytest.mark.parametrize("source", [LogSource.CLOUDFRONT, LogSource.VPC_FLOW])
def test_a_key_of_its_own_lets_the_service_encrypt(stack: cdk.Stack, source: LogSource) -> None:
    SecureLogBucket(stack, "Logs", source=source, encryption=s3.BucketEncryption.KMS)
    (key,) = resources(stack, "AWS::KMS::Key").values()
    statement = plain(key["KeyPolicy"]["Statement"][-1])
    assert statement["Principal"] == {"Service": VENDED}
    assert "kms:GenerateDataKey*" in statement["Action"]
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": OWN}
    assert f":{OWN}:" in statement["Condition"]["ArnLike"]["aws:SourceArn"]
    (bucket,) = resources(stack, "AWS::S3::Bucket").values()
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["BucketKeyEnabled"] is True
    Annotations.from_stack(stack).has_no_warning("*", Match.any_value())


def test_a_key_whose_policy_is_elsewhere_is_said(stack: cdk.Stack) -> None:
    key = kms.Key.from_key_arn(stack, "Key", f"arn:aws:kms:eu-central-1:{OWN}:key/k")
    SecureLogBucket(stack, "Logs", source=LogSource.VPC_FLOW, encryption_key=key)
    warnings = Annotations.from_stack(stack).find_warning("*", Match.any_value())
    assert len(warnings) == 1
    assert "the key of `Top/Logs` is imported" in cast(str, warnings[0].entry.data)


@pytest.mark.parametrize(
    ("props", "rules"),
    [
        ({"retention": cdk.Duration.days(30)}, [{"ExpirationInDays": 30}]),
        ({"lifecycle_rules": []}, None),
        (
            {"versioned": True},
            [{"ExpirationInDays": 365, "NoncurrentVersionExpiration": {"NoncurrentDays": 365}}],
        ),
        ({"mfa": True}, [{"ExpirationInDays": 365, "NoncurrentVersionExpiration": {"NoncurrentDays": 365}}]),
    ],
)
def test_how_long_a_log_is_kept(stack: cdk.Stack, props: Any, rules: Any) -> None:
    SecureLogBucket(stack, "Logs", source=LogSource.S3, **props)
    (bucket,) = resources(stack, "AWS::S3::Bucket").values()
    if rules is None:
        assert "LifecycleConfiguration" not in bucket
    else:
        (found,), (expected,) = bucket["LifecycleConfiguration"]["Rules"], rules
        assert {key: each for key, each in found.items() if "Expiration" in key} == expected


def test_mfa_for_deleting_leaves_the_delivery_alone(stack: cdk.Stack) -> None:
    SecureLogBucket(stack, "Logs", source=LogSource.CLOUDTRAIL, mfa=True)
    arriving = DELIVERIES["CloudTrail"][1](OWN)
    assert is_let_in(stack, arriving)
    assert not evaluate(document(stack), arriving)
    deleting = Request(f"arn:aws:iam::{OWN}:user/alice", "s3:DeleteObject", arriving.resource, {})
    assert evaluate(document(stack), deleting)


ALL = BucketMfa(operations=[MfaOperation.ALL], except_principals=["arn:aws:iam::111122223333:role/x"])


@pytest.mark.parametrize(
    ("source", "props", "words"),
    [
        ("ELB", {}, ["`source='ELB'`", "`LogSource.CLOUDTRAIL`"]),
        (LogSource, {}, ["`source=LogSource`"]),
        (LogSource.S3, {"encryption": s3.BucketEncryption.KMS}, ["`encryption=KMS`", "`S3_MANAGED`"]),
        (LogSource.ELB, {"encryption": s3.BucketEncryption.KMS_MANAGED}, ["`encryption=KMS_MANAGED`"]),
        (LogSource.VPC_FLOW, {"encryption": s3.BucketEncryption.DSSE}, ["`DSSE`"[1:-1], "or `KMS`"]),
        (LogSource.CLOUDTRAIL, {"encryption": s3.BucketEncryption.KMS}, ["give the key to the trail"]),
        (LogSource.S3, {"encryption": "KMS"}, ["`encryption='KMS'`"]),
        (LogSource.S3, {"public_read_access": True}, ["`public_read_access=True`", "everybody"]),
        (LogSource.S3, {"access_control": s3.BucketAccessControl.LOG_DELIVERY_WRITE}, ["`access_control`"]),
        (
            LogSource.CLOUDFRONT_LEGACY,
            {"access_control": s3.BucketAccessControl.PRIVATE},
            ["which AWS adds by itself"],
        ),
        (
            LogSource.ELB,
            {"object_ownership": s3.ObjectOwnership.OBJECT_WRITER},
            ["`object_ownership=OBJECT_WRITER`", "`BUCKET_OWNER_ENFORCED`"],
        ),
        (
            LogSource.CLOUDFRONT_LEGACY,
            {"object_ownership": s3.ObjectOwnership.BUCKET_OWNER_ENFORCED},
            ["`BUCKET_OWNER_PREFERRED`"],
        ),
        (
            LogSource.S3,
            {"object_lock_default_retention": s3.ObjectLockRetention.governance(cdk.Duration.days(1))},
            ["`object_lock_default_retention`"],
        ),
        (LogSource.S3, {"mfa": ALL}, ["`MfaOperation.ALL`", "the service that delivers"]),
        (LogSource.S3, {"mfa": BucketMfa(operations=MfaOperation.DELETE)}, ["not a list of operations"]),
        (LogSource.ELB, {"prefix": "/alb"}, ["`prefix='/alb'`", "without a slash in front"]),
        (LogSource.ELB, {"prefix": "a*"}, ["`prefix='a*'`"]),
        (LogSource.ELB, {"prefix": ""}, ["`prefix=''`"]),
        (LogSource.ELB, {"prefix": "x/AWSLogs/1"}, ["`AWSLogs`, which the service adds itself"]),
        (LogSource.ELB, {"source_accounts": OWN}, [f"`source_accounts='{OWN}'`", "not a list"]),
        (LogSource.ELB, {"source_accounts": []}, ["`source_accounts=[]`"]),
        (LogSource.ELB, {"source_accounts": ["*"]}, ["holds '*', which is not the id of an account"]),
        (LogSource.ELB, {"source_accounts": [111122223333]}, ["holds 111122223333", "as a text"]),
        (LogSource.S3, {"retention": 30}, ["`retention=30`", "`cdk.Duration.days(365)`"]),
        (
            LogSource.S3,
            {"retention": cdk.Duration.days(1), "lifecycle_rules": []},
            ["`retention` and `lifecycle_rules`"],
        ),
        (LogSource.S3, {"enforce_ssl": False}, ["`enforce_ssl=False`"]),
    ],
)
def test_what_would_keep_the_logs_out_is_refused_before_anything_is_made(
    stack: cdk.Stack, source: Any, props: Any, words: list[str]
) -> None:
    with pytest.raises(ConstructError) as caught:
        SecureLogBucket(stack, "Logs", source=source, **props)
    for word in ["`Top/Logs`", *words]:
        assert word in str(caught.value)
    assert stack.node.try_find_child("Logs") is None


def test_it_says_yes_to_what_it_does_anyway(stack: cdk.Stack) -> None:
    for source in (LogSource.S3, LogSource.ELB):
        SecureLogBucket(
            stack,
            source.name,
            source=source,
            encryption=s3.BucketEncryption.S3_MANAGED,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            source_accounts=[cdk.Aws.ACCOUNT_ID],
        )
    assert len(resources(stack, "AWS::S3::Bucket")) == 2


# The statement of a bucket, and statements that it does not cover although they are near.
OWN_STATEMENT: dict[str, Any] = {
    "Effect": "Allow",
    "Principal": {"Service": "logging.s3.amazonaws.com"},
    "Action": "s3:PutObject",
    "Resource": {"Fn::Join": ["", [{"Fn::GetAtt": ["Logs", "Arn"]}, "/a/*"]]},
    "Condition": {"StringEquals": {"aws:SourceAccount": [OWN, "222222222222"]}},
}


@pytest.mark.parametrize(
    ("change", "covered"),
    [
        ({}, True),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": OWN}}}, True),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": OTHER}}}, False),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": [OWN, OTHER]}}}, False),
        ({"Condition": {"StringLike": {"aws:SourceAccount": OWN}}}, False),
        ({"Condition": {}}, False),
        ({"Action": ["s3:PutObject", "s3:GetBucketAcl"]}, False),
        ({"Effect": "Deny"}, False),
        ({"Principal": {"Service": "cloudtrail.amazonaws.com"}}, False),
        ({"Principal": "*"}, False),
        ({"Resource": {"Fn::Join": ["", [{"Fn::GetAtt": ["Logs", "Arn"]}, "/a/b/c*"]]}}, True),
        (
            {"Resource": {"Fn::Join": ["", [{"Fn::GetAtt": ["Logs", "Arn"]}, "/a/b/", {"Ref": "X"}, "/*"]]}},
            True,
        ),
        ({"Resource": {"Fn::Join": ["", [{"Fn::GetAtt": ["Logs", "Arn"]}, "/b/*"]]}}, False),
        ({"Resource": {"Fn::Join": ["", [{"Fn::GetAtt": ["Logs", "Arn"]}, {"Ref": "X"}]]}}, False),
        ({"Resource": {"Fn::Join": ["", [{"Fn::GetAtt": ["Other", "Arn"]}, "/a/*"]]}}, False),
        ({"Resource": {"Fn::GetAtt": ["Logs", "Arn"]}}, False),
        ({"Resource": "*"}, False),
        ({"Resource": ["*", OWN_STATEMENT["Resource"]]}, False),
    ],
)
def test_only_what_is_allowed_already_is_covered(change: dict[str, Any], covered: bool) -> None:
    assert is_covered({**OWN_STATEMENT, **change}, [OWN_STATEMENT]) is covered


def test_the_negations_are_never_covered() -> None:
    for element in ("Principal", "Action", "Resource"):
        statement = {**OWN_STATEMENT}
        statement[f"Not{element}"] = statement.pop(element)
        assert not is_covered(statement, [OWN_STATEMENT])


def test_conditions_are_missing_only_where_nothing_is_said_about_the_account() -> None:
    bare = {key: value for key, value in OWN_STATEMENT.items() if key != "Condition"}
    expected = {"StringEquals": {"aws:SourceAccount": [OWN, "222222222222"]}}
    assert missing_conditions(bare, [OWN_STATEMENT]) == expected
    for key in ("aws:SourceArn", "AWS:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths"):
        assert missing_conditions({**bare, "Condition": {"StringLike": {key: "x"}}}, [OWN_STATEMENT]) == {}
    assert missing_conditions({**bare, "Effect": "Deny"}, [OWN_STATEMENT]) == {}
    assert missing_conditions({**bare, "Principal": "*"}, [OWN_STATEMENT]) == {}
