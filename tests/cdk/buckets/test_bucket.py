"""`SecureBucket`: always the deny, every prop of `s3.Bucket`, and no prop that undoes it."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as notifications
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template
from jsii._kernel.providers import process as jsii_process

from secure_bucket import ConstructError, Proven, SecureBucket, check_template
from secure_bucket.cdk.buckets.props import BucketProps, SecureBucketProps
from secure_bucket.policy.statements import deny_old_tls, deny_plain_http


@pytest.fixture
def stack() -> cdk.Stack:
    return cdk.Stack(cdk.App(), "Top")


def synthesized(stack: cdk.Stack) -> dict[str, Any]:
    return typing.cast("dict[str, Any]", Template.from_stack(stack).to_json())


def resources(stack: cdk.Stack, type: str) -> dict[str, Any]:
    return {
        id: resource["Properties"]
        for id, resource in synthesized(stack)["Resources"].items()
        if resource["Type"] == type
    }


def statements(stack: cdk.Stack) -> list[dict[str, Any]]:
    (policy,) = resources(stack, "AWS::S3::BucketPolicy").values()
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


def test_what_it_writes_is_what_the_statements_say(stack: cdk.Stack) -> None:
    bucket = SecureBucket(stack, "Reports")
    arn = {
        "Fn::GetAtt": [stack.resolve(typing.cast(s3.CfnBucket, bucket.node.default_child).logical_id), "Arn"]
    }
    expected = [deny_plain_http(arn), deny_old_tls(arn)]
    for statement in expected:
        # The CDK writes no Sid, and spells everyone as `{"AWS": "*"}`.
        del statement["Sid"]
        statement["Principal"] = {"AWS": "*"}
    assert statements(stack) == expected


def test_the_bucket_is_proven(stack: cdk.Stack) -> None:
    SecureBucket(stack, "Reports", minimum_tls_version=1.3)
    report = check_template(synthesized(stack), minimum_tls_version=1.3)
    assert [type(bucket.verdict) for bucket in report.buckets] == [Proven]
    assert report.findings == ()


def test_everything_public_is_blocked_unless_set(stack: cdk.Stack) -> None:
    SecureBucket(stack, "Default")
    SecureBucket(stack, "None", block_public_access=None)
    SecureBucket(stack, "Acls", block_public_access=s3.BlockPublicAccess.BLOCK_ACLS)
    blocked = [
        properties["PublicAccessBlockConfiguration"]
        for properties in resources(stack, "AWS::S3::Bucket").values()
    ]
    everything = dict.fromkeys(
        ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
    )
    assert blocked[:2] == [everything, everything]
    assert blocked[2]["BlockPublicAcls"] is True
    assert not blocked[2].get("BlockPublicPolicy")


@pytest.mark.parametrize("version", [1.2, 1.3])
def test_a_minimum_tls_version_that_exists_is_taken(stack: cdk.Stack, version: float) -> None:
    SecureBucket(stack, "Reports", minimum_tls_version=version)
    assert statements(stack)[1]["Condition"] == {"NumericLessThan": {"s3:TlsVersion": version}}


def test_a_minimum_tls_version_that_is_known_later_is_taken(stack: cdk.Stack) -> None:
    parameter = cdk.CfnParameter(stack, "Tls", type="Number", default=1.2)
    SecureBucket(stack, "Reports", minimum_tls_version=parameter.value_as_number)
    assert statements(stack)[1]["Condition"] == {"NumericLessThan": {"s3:TlsVersion": {"Ref": "Tls"}}}


@pytest.mark.parametrize(
    ("props", "words"),
    [
        ({"enforce_ssl": False}, ["`enforce_ssl=False`", "Leave the prop out", "acknowledge"]),
        ({"enforce_ssl": 0}, ["`enforce_ssl=0`"]),
        ({"minimum_tls_version": 1.1}, ["`minimum_tls_version=1.1`", "below 1.2"]),
        ({"minimum_tls_version": 0}, ["`minimum_tls_version=0`", "below 1.2"]),
        ({"minimum_tls_version": -1}, ["`minimum_tls_version=-1`", "below 1.2"]),
        ({"minimum_tls_version": float("nan")}, ["`minimum_tls_version=nan`"]),
        ({"minimum_tls_version": "1.2"}, ["`minimum_tls_version='1.2'`", "no number"]),
        ({"minimum_tls_version": True}, ["`minimum_tls_version=True`"]),
        ({"minimum_tls_version": 1.4}, ["`minimum_tls_version=1.4`", "lock everyone out", "1.3"]),
        ({"minimum_tls_version": 13}, ["`minimum_tls_version=13`", "lock everyone out"]),
        ({"minimum_tls_version": float("inf")}, ["`minimum_tls_version=inf`", "lock everyone out"]),
        ({"website_index_document": "index.html"}, ["`website_index_document='index.html'`", "CloudFront"]),
        ({"website_error_document": "e.html"}, ["`website_error_document='e.html'`", "CloudFront"]),
        ({"website_routing_rules": []}, ["`website_routing_rules=[]`", "CloudFront"]),
        ({"website_redirect": {"host_name": "example.com"}}, ["`website_redirect=", "example.com"]),
    ],
)
def test_a_prop_against_its_purpose_is_refused_before_anything_is_made(
    stack: cdk.Stack, props: Any, words: list[str]
) -> None:
    group = cdk.NestedStack(stack, "Group")
    with pytest.raises(ConstructError) as caught:
        SecureBucket(group, "Reports", **props)
    assert "`Top/Group/Reports`" in str(caught.value)
    for word in words:
        assert word in str(caught.value)
    assert group.node.try_find_child("Reports") is None


def test_an_object_of_the_cdk_is_named_by_its_class_and_not_by_its_address(stack: cdk.Stack) -> None:
    with pytest.raises(ConstructError, match=r"`website_redirect=RedirectTarget\(…\)`"):
        SecureBucket(stack, "Reports", website_redirect=s3.RedirectTarget(host_name="example.com"))


def test_a_value_error_is_what_it_is_too(stack: cdk.Stack) -> None:
    with pytest.raises(ValueError, match="enforce_ssl"):
        SecureBucket(stack, "Reports", enforce_ssl=False)


def test_it_says_yes_to_what_it_does_anyway(stack: cdk.Stack) -> None:
    SecureBucket(stack, "Reports", enforce_ssl=True, website_index_document=None, minimum_tls_version=None)
    assert len(statements(stack)) == 2


def test_a_prop_that_nobody_knows_is_refused(stack: cdk.Stack) -> None:
    with pytest.raises(TypeError, match="versionned"):
        SecureBucket(stack, "Reports", versionned=True)  # type: ignore[call-arg]


def test_it_is_a_bucket_wherever_a_bucket_is_asked_for(stack: cdk.Stack) -> None:
    logs = SecureBucket(stack, "Logs")
    bucket = SecureBucket(
        stack,
        "Reports",
        auto_delete_objects=True,
        event_bridge_enabled=True,
        removal_policy=cdk.RemovalPolicy.DESTROY,
        server_access_logs_bucket=logs,
    )
    assert isinstance(bucket, s3.Bucket)
    role = iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal())
    bucket.grant_read(role)
    topic = sns.Topic(stack, "Topic")
    bucket.add_event_notification(s3.EventType.OBJECT_CREATED, notifications.SnsDestination(topic))
    cdk.Tags.of(bucket).add("team", "reports")
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["s3:GetObject"], principals=[role], resources=[bucket.arn_for_objects("*")]
        )
    )
    imported = SecureBucket.from_bucket_name(stack, "Imported", "somebody-elses")
    assert imported.bucket_name == "somebody-elses"

    report = check_template(synthesized(stack))
    assert (len(report.buckets), report.proven) == (2, 2)
    tags = [properties.get("Tags", []) for properties in resources(stack, "AWS::S3::Bucket").values()]
    assert {"Key": "team", "Value": "reports"} in tags[1]


def test_replication_between_two_of_them(stack: cdk.Stack) -> None:
    target = SecureBucket(stack, "Target", versioned=True)
    SecureBucket(stack, "Source", versioned=True, replication_rules=[s3.ReplicationRule(destination=target)])
    assert check_template(synthesized(stack)).proven == 2


def test_its_props_are_those_of_the_installed_cdk() -> None:
    ours = typing.get_type_hints(BucketProps, _namespace())
    theirs = typing.get_type_hints(s3.Bucket.__init__)
    for name in ("scope", "id", "return"):
        del theirs[name]
    assert {name: _normal(hint) for name, hint in ours.items()} == {
        name: _normal(hint) for name, hint in theirs.items()
    }
    documented = {name for name in vars(s3.BucketProps) if not name.startswith("_")}
    assert set(ours) == documented
    assert set(typing.get_type_hints(SecureBucketProps, _namespace())) == documented | {"mfa"}


def _namespace() -> dict[str, Any]:
    from secure_bucket.cdk.buckets import props

    return vars(props)


def _normal(hint: Any) -> Any:
    """A type, however it is spelt: `Optional[X]` or `X | None`, `Dict` or `dict`, `float` or not."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if arguments:
        inner = (
            frozenset(map(_normal, arguments)) - {int}
            if type(None) in arguments
            else tuple(map(_normal, arguments))
        )
        if origin is dict:
            return (dict, inner)
        kind = "union" if origin is typing.Union or "Union" in str(origin) else origin
        return (kind, frozenset(inner) if kind == "union" else inner)
    return hint


def test_it_asks_no_more_of_the_kernel_than_a_plain_bucket_with_the_same_props() -> None:
    def plain(scope: cdk.Stack, id: str) -> None:
        s3.Bucket(scope, id, enforce_ssl=True, minimum_tls_version=1.2)

    assert _calls(SecureBucket) <= _calls(plain)


def _calls(make: Callable[[cdk.Stack, str], object]) -> int:
    stack = cdk.Stack(cdk.App(), "Top")
    make(stack, "First")
    with counted() as calls:
        make(stack, "Second")
    return len(calls)


@contextmanager
def counted() -> Iterator[list[object]]:
    """Everything that is sent to the Node process, in order."""
    calls: list[object] = []
    send = jsii_process._NodeProcess.send

    def counting(self: Any, request: Any, response_type: Any) -> Any:
        calls.append(request)
        return send(self, request, response_type)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsii_process._NodeProcess, "send", counting)
        yield calls
    assert calls, "nothing was counted"
