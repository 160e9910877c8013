"""FIX right after `cdk.App()` leaves the constructs of a library in TypeScript as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as notifications
from constructs import Construct, IConstruct

from secure_bucket import Mode, enforce_secure_transport
from tests.cdk.fix.library import (
    Destination,
    Guard,
    Keeper,
    OwnPolicy,
    Sweeper,
    Walker,
    WithPolicy,
    load_library,
)
from tests.cdk.fix.test_enforce import fixing
from tests.cdk.fix.test_fix import denies, statements, synthesized


def guarded(scope: Construct) -> None:
    Guard(scope, "Guard", s3.Bucket(scope, "Plain"))


def guarded_beside_another(scope: Construct) -> None:
    s3.Bucket(scope, "Other", enforce_ssl=True)
    guarded(scope)


def with_policy(scope: Construct) -> None:
    WithPolicy(scope, "Plain")


def own_policy(scope: Construct) -> None:
    OwnPolicy(scope, "Plain")


def protected_by_a_method(scope: Construct) -> None:
    Keeper(scope, "Keeper").protect(s3.Bucket(scope, "Plain"))


def protected_by_a_static_method(scope: Construct) -> None:
    Keeper.protect_any(s3.Bucket(scope, "Plain"))


def protected_later(scope: Construct) -> None:
    Keeper(scope, "Keeper", s3.Bucket(scope, "Plain")).protect_kept()


def protected_by_a_property(scope: Construct) -> None:
    Keeper(scope, "Keeper").keep(s3.Bucket(scope, "Plain"))


def protected_by_a_destination(scope: Construct) -> None:
    bucket = s3.Bucket(scope, "Plain")
    destination: Any = Destination()
    bucket.add_event_notification(s3.EventType.OBJECT_CREATED, destination)


def found_by_an_aspect(scope: Construct) -> None:
    sweeper: Any = Sweeper()
    s3.Bucket(scope, "Plain")
    cdk.Aspects.of(scope).add(sweeper)


def found_by_a_later_aspect(scope: Construct) -> None:
    s3.Bucket(scope, "Plain")
    sweeper: Any = Sweeper()
    cdk.Aspects.of(scope.node.root).add(sweeper)


def found_in_the_tree(scope: Construct) -> None:
    s3.Bucket(scope, "Plain")
    Walker(scope, "Walker")


def found_in_another_stack(scope: Construct) -> None:
    s3.Bucket(scope, "Plain")
    Walker(cdk.Stack(scope.node.root, "Other"), "Walker")


@pytest.mark.parametrize(
    "make",
    [
        with_policy,
        own_policy,
        guarded,
        guarded_beside_another,
        protected_by_a_method,
        protected_by_a_static_method,
        protected_later,
        protected_by_a_property,
        protected_by_a_destination,
        found_by_an_aspect,
        found_by_a_later_aspect,
        found_in_the_tree,
        found_in_another_stack,
    ],
)
def test_a_library_can_give_a_bucket_a_child_called_policy(make: Callable[[Construct], None]) -> None:
    load_library()

    def build(app: cdk.App) -> tuple[dict[str, Any], int]:
        make(cdk.Stack(app, "Top"))
        found = synthesized(app)
        policies = [each for each in found.values() if each["Type"] == "AWS::S3::BucketPolicy"]
        number = sum(map(denies, policies))
        for policy in policies:
            rest = [each for each in statements(policy) if each["Effect"] != "Deny"]
            policy["Properties"]["PolicyDocument"]["Statement"] = rest
        return found, number

    plain, before = build(cdk.App())
    fixed, after = build(fixing())
    assert (fixed, after) == (plain, before + 1)


def test_a_library_that_fails_by_itself_fails_as_without_fix() -> None:
    load_library()
    for app in (cdk.App(), fixing()):
        stack = cdk.Stack(app, "Top")
        bucket = s3.Bucket(stack, "Plain", enforce_ssl=True)
        with pytest.raises(RuntimeError, match="already a Construct with name 'Policy'"):
            Guard(stack, "Guard", bucket)
        assert stack.node.try_find_child("Guard") is not None


def test_a_bucket_that_the_cdk_makes_by_itself_gets_the_deny_with_the_others() -> None:
    app = cdk.App()
    enforce_secure_transport(app, mode=Mode.FIX, quiet=True)
    stack = cdk.Stack(app, "Top")
    behavior = cloudfront.BehaviorOptions(origin=origins.HttpOrigin("example.com"))
    distribution = cloudfront.Distribution(stack, "Web", default_behavior=behavior, enable_logging=True)
    bucket = distribution.node.find_child("LoggingBucket")
    assert isinstance(bucket, s3.Bucket)
    assert bucket.policy is None
    policies = [each for each in synthesized(app).values() if each["Type"] == "AWS::S3::BucketPolicy"]
    assert list(map(denies, policies)) == [1]


def test_buckets_have_the_deny_from_the_start_until_a_library_runs() -> None:
    load_library()
    app = fixing()
    stack = cdk.Stack(app, "Top")
    plain, kept = s3.Bucket(stack, "Plain"), s3.Bucket(stack, "Kept")
    reader = lambda_.Function(
        stack,
        "Function",
        code=lambda_.Code.from_inline("pass"),
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
    )
    kept.add_event_notification(s3.EventType.OBJECT_CREATED, notifications.LambdaDestination(reader))
    kept.grant_read(reader)
    assert None not in (plain.policy, kept.policy)
    keeper = Keeper(stack, "Keeper", plain)
    inner = s3.Bucket(keeper, "Inner")
    assert (plain.policy, kept.policy, inner.policy) == (None, None, None)
    later = fixing()
    assert s3.Bucket(cdk.Stack(later, "Top"), "Plain").policy is not None


@pytest.mark.parametrize("before", ["an Aspect", "a construct"])
def test_a_library_that_runs_before_fix_can_give_a_bucket_a_child_called_policy(before: str) -> None:
    load_library()
    sweeper: Any = Sweeper()
    app = cdk.App()
    if before == "a construct":
        Keeper(app, "Keeper")
    enforce_secure_transport(app, mode=Mode.FIX, quiet=True)
    bucket = s3.Bucket(cdk.Stack(app, "Top"), "Plain")
    assert (bucket.policy is None) == (before == "a construct")
    cdk.Aspects.of(app).add(sweeper)
    assert bucket.policy is None
    policies = [each for each in synthesized(app).values() if each["Type"] == "AWS::S3::BucketPolicy"]
    assert [(denies(each), len(statements(each))) for each in policies] == [(1, 2)]


@jsii.implements(cdk.IAspect)
class MakeLate:
    """Make a bucket after FIX, and hand it to the library."""

    def visit(self, node: IConstruct) -> None:
        if isinstance(node, cdk.Stack) and node.node.try_find_child("Late") is None:
            Keeper(node, "Keeper", s3.Bucket(node, "Late"))


def test_a_bucket_that_fix_does_not_visit_again_keeps_its_deny() -> None:
    load_library()
    app = fixing()
    stack = cdk.Stack(app, "Top")
    s3.Bucket(stack, "Plain")
    cdk.Aspects.of(stack).add(MakeLate(), priority=2000)
    policies = [each for each in synthesized(app).values() if each["Type"] == "AWS::S3::BucketPolicy"]
    assert list(map(denies, policies)) == [1, 1]
