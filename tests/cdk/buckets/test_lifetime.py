"""The deny is kept as long as its bucket is, whatever decides how long that is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct

from secure_bucket import (
    BucketMfa,
    BucketSecureTransport,
    BucketSecureTransportInjector,
    LogSource,
    Mode,
    SecureBucket,
    SecureLogBucket,
    SecureTransportAspect,
)
from tests.cdk.fix.test_fix import synthesized

LIFETIME = ("DeletionPolicy", "UpdateReplacePolicy")


def secure_bucket(scope: Construct, **props: Any) -> s3.Bucket:
    return SecureBucket(scope, "Reports", **props)


def log_bucket(scope: Construct, **props: Any) -> s3.Bucket:
    return SecureLogBucket(scope, "Reports", source=LogSource.ELB, **props)


def bucket_with_mixin(scope: Construct, **props: Any) -> s3.Bucket:
    bucket: Any = s3.Bucket(scope, "Reports", **props)
    bucket.with_(BucketSecureTransport())
    return cast(s3.Bucket, bucket)


def bucket_with_policy_and_mixin(scope: Construct, **props: Any) -> s3.Bucket:
    bucket: Any = s3.Bucket(scope, "Reports", **props)
    bucket.grant_read(iam.AccountPrincipal("111122223333"))
    bucket.with_(BucketSecureTransport())
    return cast(s3.Bucket, bucket)


def bucket_with_mfa(scope: Construct, **props: Any) -> s3.Bucket:
    bucket: Any = s3.Bucket(scope, "Reports", enforce_ssl=True, **props)
    bucket.with_(BucketMfa())
    return cast(s3.Bucket, bucket)


def injected_bucket(scope: Construct, **props: Any) -> s3.Bucket:
    cdk.PropertyInjectors.of(scope).add(BucketSecureTransportInjector())
    return s3.Bucket(scope, "Reports", **props)


def fixed_bucket(scope: Construct, **props: Any) -> s3.Bucket:
    cdk.Aspects.of(scope).add(SecureTransportAspect(mode=Mode.FIX, quiet=True))
    return s3.Bucket(scope, "Reports", **props)


MAKERS = [
    secure_bucket,
    log_bucket,
    bucket_with_mixin,
    bucket_with_policy_and_mixin,
    bucket_with_mfa,
    injected_bucket,
    fixed_bucket,
]


def resource_of(bucket: s3.Bucket) -> s3.CfnBucket:
    return cast(s3.CfnBucket, bucket.node.default_child)


def lifetimes(stack: cdk.Stack) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """The lifetimes of each bucket of a stack and of its policy, by the logical id without its hash."""
    resources = synthesized(cast(cdk.App, stack.node.root))
    kept = {id: {key: each.get(key) for key in LIFETIME} for id, each in resources.items()}
    return {
        bucket[:-8]: (kept[bucket], kept[policy])
        for policy, each in resources.items()
        if each["Type"] == "AWS::S3::BucketPolicy"
        for bucket in [each["Properties"]["Bucket"]["Ref"]]
    }


@pytest.fixture
def stack() -> cdk.Stack:
    return cdk.Stack(cdk.App(), "Top")


def scope_in(stack: cdk.Stack, make: Callable[..., s3.Bucket], number: int) -> Construct:
    return Construct(stack, f"{make.__name__}{number}".replace("_", ""))


REMOVALS = [
    None,
    cdk.RemovalPolicy.RETAIN,
    cdk.RemovalPolicy.DESTROY,
    cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
]


def test_a_policy_lives_as_long_as_its_bucket(stack: cdk.Stack) -> None:
    for make in MAKERS:
        for number, removal in enumerate(REMOVALS):
            make(scope_in(stack, make, number), removal_policy=removal)
    found = lifetimes(stack)
    assert len(found) == len(MAKERS) * len(REMOVALS)
    for name, (bucket, policy) in found.items():
        assert policy == bucket, name
        assert None not in policy.values(), name


@jsii.implements(cdk.IAspect)
class Apply:
    """An Aspect that sets the removal policy of buckets alone."""

    def __init__(self, removal: cdk.RemovalPolicy) -> None:
        self._removal = removal

    def visit(self, node: IConstruct) -> None:
        if isinstance(node, s3.CfnBucket):
            node.apply_removal_policy(self._removal)


def by_l2(bucket: s3.Bucket, removal: cdk.RemovalPolicy) -> None:
    bucket.apply_removal_policy(removal)


def by_l1(bucket: s3.Bucket, removal: cdk.RemovalPolicy) -> None:
    resource_of(bucket).apply_removal_policy(removal)


def by_aspect(bucket: s3.Bucket, removal: cdk.RemovalPolicy) -> None:
    cdk.Aspects.of(bucket).add(Apply(removal), priority=1_000)


def by_removal_policies(bucket: s3.Bucket, removal: cdk.RemovalPolicy) -> None:
    only = ["AWS::S3::Bucket"]
    cdk.RemovalPolicies.of(bucket).apply(removal, apply_to_resource_types=only)


LATER = [by_l2, by_l1, by_aspect, by_removal_policies]
CHANGES = [
    (cdk.RemovalPolicy.RETAIN, cdk.RemovalPolicy.DESTROY, "Delete"),
    (cdk.RemovalPolicy.DESTROY, cdk.RemovalPolicy.RETAIN, "Retain"),
]


def test_a_policy_follows_its_bucket_when_that_changes_later(stack: cdk.Stack) -> None:
    expected = {}
    for make in MAKERS:
        for number, later in enumerate(LATER):
            scope = scope_in(stack, make, number)
            for before, after, kept in CHANGES:
                later(make(Construct(scope, kept), removal_policy=before), after)
                expected[f"{scope.node.id}{kept}Reports"] = dict.fromkeys(LIFETIME, kept)
    found = lifetimes(stack)
    assert found.keys() == expected.keys()
    for name, (bucket, policy) in found.items():
        assert policy == bucket == expected[name], name


def test_an_override_that_retains_a_bucket_retains_its_policy(stack: cdk.Stack) -> None:
    for make in (secure_bucket, log_bucket):
        for number, removal in enumerate(REMOVALS):
            resource = resource_of(make(scope_in(stack, make, number), removal_policy=removal))
            for key in LIFETIME:
                resource.add_override(key, "Retain")
    for name, (bucket, policy) in lifetimes(stack).items():
        assert policy == bucket == dict.fromkeys(LIFETIME, "Retain"), name


def test_an_override_of_one_attribute_leaves_the_other(stack: cdk.Stack) -> None:
    resource = resource_of(SecureBucket(stack, "Reports", removal_policy=cdk.RemovalPolicy.DESTROY))
    resource.add_override("DeletionPolicy", "Retain")
    bucket, policy = lifetimes(stack)["Reports"]
    assert policy == bucket == {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Delete"}


def test_a_policy_follows_its_bucket_in_stages_and_nested_stacks(stack: cdk.Stack) -> None:
    app = cast(cdk.App, stack.node.root)
    stage = cdk.Stage(app, "Prod")
    SecureBucket(cdk.NestedStack(cdk.Stack(stage, "Data"), "Nested"), "Nested")
    SecureBucket(stack, "Top", removal_policy=cdk.RemovalPolicy.DESTROY)
    SecureBucket(cdk.Stack(stage, "Other"), "Staged")
    found = [each for each in synthesized(app).values() if each["Type"] == "AWS::S3::BucketPolicy"]
    assert sorted(each["DeletionPolicy"] for each in found) == ["Delete", "Retain", "Retain"]


def test_a_bucket_that_is_taken_out_again_is_no_fault(stack: cdk.Stack) -> None:
    SecureBucket(stack, "Reports")
    stack.node.try_remove_child("Reports")
    SecureBucket(stack, "Others")
    bucket, policy = lifetimes(stack)["Others"]
    assert policy == bucket


def test_a_condition_on_a_bucket_is_on_its_policy(stack: cdk.Stack) -> None:
    expression = cdk.Fn.condition_equals(cdk.Aws.REGION, "eu-west-1")
    condition = cdk.CfnCondition(stack, "IsHere", expression=expression)
    resource_of(SecureBucket(stack, "Reports")).cfn_options.condition = condition
    found = synthesized(cast(cdk.App, stack.node.root)).values()
    assert {each.get("Condition") for each in found if each["Type"].startswith("AWS::S3")} == {"IsHere"}
