"""The mixin: at once, into the policy that a bucket has, and never in silence."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3

from secure_bucket import BucketSecureTransport, SecureBucket, SecureTransportAspect
from secure_bucket.errors import ConstructError
from tests.cdk.fix.test_fix import allow, denies, policies, statements

BUCKETS = cdk.ConstructSelector.resources_of_type("AWS::S3::Bucket")


@pytest.fixture
def app() -> cdk.App:
    app = cdk.App()
    # The gate, which only judges: synthesizing fails unless each bucket is proven.
    cdk.Aspects.of(app).add(SecureTransportAspect(quiet=True))
    return app


def test_a_bucket_takes_it_whatever_its_level(app: cdk.App) -> None:
    stack = cdk.Stack(app, "Top")
    bucket: Any = s3.Bucket(stack, "L2")
    bucket.with_(BucketSecureTransport())
    l1: Any = s3.CfnBucket(stack, "L1")
    l1.with_(BucketSecureTransport())
    written = s3.CfnBucket(stack, "Written")
    s3.CfnBucketPolicy(stack, "Policy", bucket=written.ref, policy_document={"Statement": [allow(written)]})
    BucketSecureTransport().apply_to(written)
    found = policies(app)
    assert [denies(policy) for policy in found.values()] == [1, 1, 1]
    assert len(statements(found["Policy"])) == 2
    assert bucket.policy is not None, "the L2 knows of its policy"


def test_a_whole_app_takes_it_stages_included_and_once(app: cdk.App) -> None:
    s3.Bucket(cdk.Stack(app, "Top"), "Plain")
    staged = cdk.Stack(cdk.Stage(app, "Prod"), "Data")
    SecureBucket(staged, "Good")
    s3.CfnBucket(cdk.NestedStack(staged, "Nested"), "Plain")
    for _ in range(2):
        cdk.Mixins.of(app, BUCKETS).require_all().apply(BucketSecureTransport())
        cdk.Mixins.of(app).apply(BucketSecureTransport())
    found = policies(app)
    assert [denies(policy) for policy in found.values()] == [1, 1, 1]


def test_a_website_is_left_out_unless_asked_for(app: cdk.App) -> None:
    bucket: Any = s3.Bucket(cdk.Stack(app, "Top"), "Site", website_index_document="index.html")
    bucket.with_(BucketSecureTransport())
    assert bucket.policy is None
    with pytest.raises(RuntimeError, match="could not be applied to CfnBucket"):
        cdk.Mixins.of(app, BUCKETS).require_all().apply(BucketSecureTransport())
    bucket.with_(BucketSecureTransport(websites=True))
    (policy,) = policies(app).values()
    assert denies(policy) == 1


def test_what_it_cannot_do_is_an_error_with_the_reason(app: cdk.App) -> None:
    stack = cdk.Stack(app, "Top")
    bucket = s3.CfnBucket(stack, "Plain")
    for name in ("One", "Two"):
        s3.CfnBucketPolicy(stack, name, bucket=bucket.ref, policy_document={"Statement": []})
    with pytest.raises(ConstructError, match="`Top/Plain` still accepts plain HTTP: 2 policies are for it"):
        BucketSecureTransport().apply_to(bucket)


def test_it_supports_nothing_but_buckets(app: cdk.App) -> None:
    stack = cdk.Stack(app, "Top")
    mixin = BucketSecureTransport()
    assert mixin.supports(s3.CfnBucket(stack, "Plain"))
    assert not mixin.supports(stack)
    mixin.apply_to(stack)
    assert [child.node.id for child in stack.node.children] == ["Plain"]


def test_an_acknowledged_bucket_is_not_closed_in_silence(app: cdk.App) -> None:
    bucket: Any = s3.Bucket(cdk.Stack(app, "Top"), "Plain")
    cdk.Validations.of(bucket).acknowledge(cdk.Acknowledgment(id="secure-bucket::SB001", reason="no TLS"))
    with pytest.raises(ConstructError, match="`secure-bucket::SB001` is acknowledged on it"):
        BucketSecureTransport().apply_to(bucket.node.default_child)
    assert bucket.policy is None
