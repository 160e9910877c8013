"""The property injector: every `s3.Bucket` gets the deny when it is made, and keeps its props."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_s3 as s3

from secure_bucket import BucketSecureTransportInjector, SecureBucket, SecureTransportAspect
from tests.cdk.fix.test_fix import denies, policies, synthesized


def app_with(injector: BucketSecureTransportInjector) -> cdk.App:
    app = cdk.App(property_injectors=[injector])
    cdk.Aspects.of(app).add(SecureTransportAspect(quiet=True))
    return app


class OfAnotherLibrary(s3.Bucket):
    """A bucket that has a shape of its own, as a library would have it."""

    def __init__(self, scope: Any, id: str) -> None:
        super().__init__(scope, id, versioned=True, bucket_name="of-another-library")


def test_every_l2_bucket_has_the_deny_and_keeps_its_props() -> None:
    app = app_with(BucketSecureTransportInjector())
    top = cdk.Stack(app, "Top")
    s3.Bucket(
        top,
        "Plain",
        lifecycle_rules=[s3.LifecycleRule(expiration=cdk.Duration.days(30))],
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    OfAnotherLibrary(cdk.NestedStack(top, "Nested"), "Subclassed")
    SecureBucket(top, "Ours")
    s3.Bucket(cdk.Stack(cdk.Stage(app, "Prod"), "Data"), "Staged")
    cloudfront.Distribution(
        top,
        "Site",
        default_behavior=cloudfront.BehaviorOptions(
            origin=origins.HttpOrigin("example.com"),
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        ),
        enable_logging=True,
    )
    resources = synthesized(app)
    found = [each for each in resources.values() if each["Type"] == "AWS::S3::BucketPolicy"]
    assert [denies(policy) for policy in found] == [1] * 5
    buckets = [each for each in resources.values() if each["Type"] == "AWS::S3::Bucket"]
    properties = [each.get("Properties", {}) for each in buckets]
    assert sum("LifecycleConfiguration" in each for each in properties) == 1
    assert [each["DeletionPolicy"] for each in buckets].count("Delete") == 1
    assert {
        "BucketName": "of-another-library",
        "VersioningConfiguration": {"Status": "Enabled"},
    } in properties


def test_a_no_that_is_said_is_respected_and_flagged() -> None:
    app = app_with(BucketSecureTransportInjector())
    bucket = s3.Bucket(cdk.Stack(app, "Top"), "Plain", enforce_ssl=False)
    assert bucket.policy is None
    with pytest.raises(RuntimeError, match="`Top/Plain`"):
        app.synth()


def test_a_no_that_is_said_is_overridden_on_request() -> None:
    app = app_with(BucketSecureTransportInjector(override=True))
    s3.Bucket(cdk.Stack(app, "Top"), "Plain", enforce_ssl=False)
    (policy,) = policies(app).values()
    assert denies(policy) == 1


@pytest.mark.parametrize(
    "props",
    [
        {"website_index_document": "index.html"},
        {"website_redirect": s3.RedirectTarget(host_name="example.com")},
    ],
)
def test_a_website_is_not_closed_unless_asked_for(props: dict[str, Any]) -> None:
    app = app_with(BucketSecureTransportInjector())
    bucket = s3.Bucket(cdk.Stack(app, "Top"), "Site", **props)
    assert bucket.policy is None
    with pytest.raises(RuntimeError, match="remove `WebsiteConfiguration`"):
        app.synth()
    app = app_with(BucketSecureTransportInjector(websites=True))
    s3.Bucket(cdk.Stack(app, "Top"), "Site", **props)
    (policy,) = policies(app).values()
    assert denies(policy) == 1


def test_what_it_does_not_reach_is_flagged() -> None:
    app = app_with(BucketSecureTransportInjector())
    s3.CfnBucket(cdk.Stack(app, "Top"), "L1")
    with pytest.raises(RuntimeError, match="`Top/L1`"):
        app.synth()
