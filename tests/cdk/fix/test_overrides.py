"""FIX leaves a bucket that an override makes a website, or has CloudFront request over plain HTTP."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct

from secure_bucket import Mode, SecureTransportAspect, enforce_secure_transport
from tests.cdk.fix.test_enforce import fixing, recorded
from tests.cdk.fix.test_fix import denies

WEBSITE = {"IndexDocument": "index.html"}
NAME = "reports-for-everybody"


def buckets_in(scope: Construct) -> Iterator[s3.CfnBucket]:
    """Make a bucket for each way in which FIX writes the deny."""
    yield s3.CfnBucket(scope, "L1")
    yield cast(s3.CfnBucket, s3.Bucket(scope, "L2").node.default_child)
    with_policy = s3.Bucket(scope, "WithPolicy")
    statement = iam.PolicyStatement(
        actions=["s3:GetObject"],
        principals=[iam.AccountPrincipal("111122223333")],
        resources=[with_policy.arn_for_objects("*")],
    )
    with_policy.add_to_resource_policy(statement)
    yield cast(s3.CfnBucket, with_policy.node.default_child)
    apart = s3.CfnBucket(scope, "Apart", bucket_name=NAME)
    s3.CfnBucketPolicy(scope, "Policy", bucket=apart.ref, policy_document={"Statement": []})
    yield apart


def by_property_override(bucket: s3.CfnBucket) -> None:
    bucket.add_property_override("WebsiteConfiguration", WEBSITE)


def by_override(bucket: s3.CfnBucket) -> None:
    bucket.add_override("Properties.WebsiteConfiguration.IndexDocument", "index.html")


def by_property(bucket: s3.CfnBucket) -> None:
    bucket.website_configuration = s3.CfnBucket.WebsiteConfigurationProperty(index_document="index.html")


def by_late_aspect(bucket: s3.CfnBucket) -> None:
    @jsii.implements(cdk.IAspect)
    class Late:
        def visit(self, node: IConstruct) -> None:
            by_property_override(bucket)

    options: dict[str, Any] = {"priority": 900} if hasattr(cdk, "AspectPriority") else {}
    cdk.Aspects.of(bucket.node.root).add(Late(), **options)


def by_distribution(bucket: s3.CfnBucket) -> None:
    origin = {
        "Id": "bucket",
        "DomainName": bucket.attr_regional_domain_name,
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
    behavior = {"TargetOriginId": "bucket", "ViewerProtocolPolicy": "redirect-to-https"}
    config = {"Enabled": True, "Origins": [origin], "DefaultCacheBehavior": behavior}
    distribution = cdk.CfnResource(
        cdk.Stack.of(bucket),
        f"Distribution{bucket.node.scope.node.id if bucket.node.scope else ''}{bucket.node.id}",
        type=cloudfront.CfnDistribution.CFN_RESOURCE_TYPE_NAME,
        properties={"DistributionConfig": config},
    )
    distribution.add_property_override(
        "DistributionConfig.DefaultCacheBehavior.ViewerProtocolPolicy", "allow-all"
    )


def resources(app: cdk.App) -> dict[str, Any]:
    """The resources that an app comes to, whatever the gate says of it."""
    with contextlib.suppress(RuntimeError):
        app.synth()
    found: dict[str, Any] = {}
    for file in sorted(Path(app.outdir).rglob("*.template.json")):
        found[file.name] = json.loads(file.read_text(encoding="utf-8"))["Resources"]
    return found


def make(app: cdk.App, change: Callable[[s3.CfnBucket], None], stage: bool) -> None:
    scope = cdk.Stage(app, "Stage") if stage else app
    for bucket in buckets_in(cdk.Stack(cast(Construct, scope), "Top")):
        change(bucket)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(
    ("change", "stage"),
    [
        (by_property_override, False),
        (by_property_override, True),
        (by_override, False),
        (by_property, False),
        (by_late_aspect, False),
        (by_distribution, False),
    ],
)
def test_an_app_is_left_as_it_was(change: Callable[[s3.CfnBucket], None], stage: bool, first: bool) -> None:
    app, plain = fixing() if first else cdk.App(), cdk.App()
    for each in (app, plain):
        make(each, change, stage)
    if not first:
        enforce_secure_transport(app, mode=Mode.FIX, quiet=True)
    assert resources(app) == resources(plain)
    record = recorded(app)
    assert (len(record["left"]), record["fixed"]) == (4, [])


def test_what_a_stabilized_synthesis_fixed_is_taken_back_as_well() -> None:
    app = fixing(**{"@aws-cdk/core:aspectStabilization": True})
    stack = cdk.Stack(app, "Top")
    by_property_override(s3.CfnBucket(stack, "Site"))

    @jsii.implements(cdk.IAspect)
    class Adder:
        def visit(self, node: IConstruct) -> None:
            if isinstance(node, cdk.Stack) and node.node.try_find_child("Late") is None:
                s3.CfnBucket(cast(Construct, node), "Late")

    cdk.Aspects.of(app).add(Adder(), priority=900)
    (found,) = resources(app).values()
    policies = [each for each in found.values() if each["Type"] == "AWS::S3::BucketPolicy"]
    assert [each["Properties"]["Bucket"] for each in policies] == [{"Ref": "Late"}]


def test_other_buckets_of_the_app_are_fixed_and_reported_once(capfd: pytest.CaptureFixture[str]) -> None:
    app = cdk.App()
    enforce_secure_transport(app, mode=Mode.FIX)
    stack = cdk.Stack(app, "Top")
    s3.Bucket(stack, "Plain")
    by_property_override(s3.CfnBucket(stack, "Site"))
    resources(app)
    assert [each["bucket"] for each in recorded(app)["fixed"]] == ["Top/Plain/Resource"]
    assert capfd.readouterr().err.count("secure-bucket: 2 buckets") == 1


def test_a_website_that_is_to_be_closed_gets_the_deny() -> None:
    app = cdk.App()
    enforce_secure_transport(app, mode=Mode.FIX, websites=True, quiet=True)
    by_property_override(s3.CfnBucket(cdk.Stack(app, "Top"), "Site"))
    app.synth()
    assert len(recorded(app)["fixed"]) == 1


def test_a_stage_that_was_synthesized_before_the_app_fails_it_instead() -> None:
    app = fixing()
    stage = cdk.Stage(app, "Stage")
    site = s3.Bucket(cdk.Stack(stage, "Top"), "Site")
    by_property_override(cast(s3.CfnBucket, site.node.default_child))
    stage.synth()
    with pytest.raises(RuntimeError, match="FIX denied plain HTTP to `Stage/Top/Site`"):
        app.synth()


@pytest.mark.parametrize("websites", [True, False])
def test_an_aspect_that_closes_a_website_by_accident_fails_the_app(websites: bool) -> None:
    app = cdk.App()
    cdk.Aspects.of(app).add(SecureTransportAspect(mode=Mode.FIX, websites=websites, quiet=True))
    by_property_override(s3.CfnBucket(cdk.Stack(app, "Top"), "Site"))
    if websites:
        app.synth()
        (policies,) = resources(app).values()
        assert [denies(each) for each in policies.values() if "PolicyDocument" in each["Properties"]] == [1]
    else:
        with pytest.raises(RuntimeError, match="FIX denied plain HTTP to `Top/Site`"):
            app.synth()
