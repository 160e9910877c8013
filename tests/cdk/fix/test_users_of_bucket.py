"""FIX asks who uses a bucket: CloudFront over plain HTTP, and flow logs that need their own statement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from secure_bucket import Mode, enforce_secure_transport
from tests.cdk.fix.test_enforce import fixing, recorded
from tests.cdk.fix.test_fix import denies, policies, synthesized

REDIRECT = cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS
ALLOW_ALL = cloudfront.ViewerProtocolPolicy.ALLOW_ALL


def with_access_control(bucket: s3.Bucket) -> cloudfront.IOrigin:
    return origins.S3BucketOrigin.with_origin_access_control(bucket)


def with_unsigned_requests(bucket: s3.Bucket) -> cloudfront.IOrigin:
    signing = cloudfront.Signing(cloudfront.SigningProtocol.SIGV4, cloudfront.SigningBehavior.NO_OVERRIDE)
    control = cloudfront.S3OriginAccessControl(cdk.Stack.of(bucket), "Control", signing=signing)
    return origins.S3BucketOrigin.with_origin_access_control(bucket, origin_access_control=control)


def with_access_identity(bucket: s3.Bucket) -> cloudfront.IOrigin:
    return origins.S3BucketOrigin.with_origin_access_identity(bucket)


def with_bucket_defaults(bucket: s3.Bucket) -> cloudfront.IOrigin:
    return origins.S3BucketOrigin.with_bucket_defaults(bucket)


def custom(policy: cloudfront.OriginProtocolPolicy) -> Callable[[s3.Bucket], cloudfront.IOrigin]:
    def make(bucket: s3.Bucket) -> cloudfront.IOrigin:
        return origins.HttpOrigin(bucket.bucket_regional_domain_name, protocol_policy=policy)

    return make


def distribution(
    scope: cdk.Stack, origin: cloudfront.IOrigin, viewers: cloudfront.ViewerProtocolPolicy | None = None
) -> cloudfront.Distribution:
    behavior = cloudfront.BehaviorOptions(origin=origin, viewer_protocol_policy=viewers)
    return cloudfront.Distribution(scope, "Site", default_behavior=behavior)


BY_VIEWERS = "`ViewerProtocolPolicy` of the default behavior"
BY_ORIGIN = "`OriginProtocolPolicy` of the origin"
PLAIN: dict[str, tuple[Any, Any, str]] = {
    "access control": (with_unsigned_requests, None, BY_VIEWERS),
    "access identity": (with_access_identity, ALLOW_ALL, BY_VIEWERS),
    "bucket defaults": (with_bucket_defaults, ALLOW_ALL, BY_VIEWERS),
    "custom, HTTP only": (custom(cloudfront.OriginProtocolPolicy.HTTP_ONLY), REDIRECT, BY_ORIGIN),
    "custom, match viewer": (custom(cloudfront.OriginProtocolPolicy.MATCH_VIEWER), ALLOW_ALL, BY_ORIGIN),
}


def test_a_bucket_that_cloudfront_requests_over_plain_http_is_left_with_the_change() -> None:
    app = fixing()
    for case, (origin, viewers, _) in PLAIN.items():
        stack = cdk.Stack(app, case.title().replace(" ", "").replace(",", ""))
        distribution(stack, origin(s3.Bucket(stack, "Reports")), viewers)
    with pytest.raises(RuntimeError):
        app.synth()
    record = recorded(app)
    assert record["fixed"] == []
    assert len(record["left"]) == len(PLAIN)
    reasons = {each["bucket"].partition("/")[0]: each["reason"] for each in record["left"]}
    for case, (_, _, change) in PLAIN.items():
        id = case.title().replace(" ", "").replace(",", "")
        assert reasons[id].startswith(f"the CloudFront distribution `{id}/Site` ")
        assert f": set {change} to `" in reasons[id]


def test_a_bucket_that_cloudfront_requests_over_https_is_fixed() -> None:
    app = fixing()
    for number, (origin, viewers) in enumerate(
        [
            (with_access_control, REDIRECT),
            (with_access_identity, cloudfront.ViewerProtocolPolicy.HTTPS_ONLY),
            (with_access_control, ALLOW_ALL),
            (custom(cloudfront.OriginProtocolPolicy.HTTPS_ONLY), ALLOW_ALL),
            (custom(cloudfront.OriginProtocolPolicy.MATCH_VIEWER), REDIRECT),
        ]
    ):
        stack = cdk.Stack(app, f"Stack{number}")
        # The same logical id as that of the bucket in the other stacks.
        distribution(stack, origin(s3.Bucket(stack, "Reports")), viewers)
    other = cdk.Stack(app, "Other")
    distribution(other, origins.HttpOrigin("example.com"), ALLOW_ALL)
    s3.Bucket(other, "Reports")
    app.synth()
    assert len(recorded(app)["fixed"]) == 6


def test_one_behavior_of_many_is_enough_and_named() -> None:
    app = fixing()
    stack = cdk.Stack(app, "Top")
    bucket = s3.Bucket(stack, "Reports")
    behavior = cloudfront.BehaviorOptions(
        origin=with_access_identity(bucket), viewer_protocol_policy=ALLOW_ALL
    )
    distribution(stack, origins.HttpOrigin("example.com"), REDIRECT).add_behavior(
        "/reports/*", cast(Any, behavior.origin), viewer_protocol_policy=ALLOW_ALL
    )
    with pytest.raises(RuntimeError, match="of the behavior for `/reports/\\*` to `redirect-to-https`"):
        app.synth()


@pytest.mark.parametrize("nested", [False, True])
def test_a_distribution_in_another_stack_counts(nested: bool) -> None:
    app = fixing()
    data = cdk.Stack(app, "Data")
    web = cdk.NestedStack(data, "Web") if nested else cdk.Stack(app, "Web")
    distribution(web, with_bucket_defaults(s3.Bucket(data, "Reports")))
    with pytest.raises(RuntimeError, match="/Site` passes on the plain HTTP of viewers"):
        app.synth()
    assert len(recorded(app)["left"]) == 1


def test_a_bucket_with_the_same_logical_id_in_another_stack_is_fixed() -> None:
    app = fixing()
    web, other = cdk.Stack(app, "Web"), cdk.Stack(app, "Other")
    distribution(web, with_bucket_defaults(s3.Bucket(web, "Reports")))
    s3.Bucket(other, "Reports")
    with pytest.raises(RuntimeError):
        app.synth()
    assert [each["bucket"] for each in recorded(app)["fixed"]] == ["Other/Reports/Resource"]


def test_fix_does_it_when_told() -> None:
    app = cdk.App()
    enforce_secure_transport(app, mode=Mode.FIX, plain_viewers=True, quiet=True)
    stack = cdk.Stack(app, "Top")
    distribution(stack, with_access_identity(s3.Bucket(stack, "Reports")))
    (policy,) = policies(app).values()
    assert denies(policy) == 1


def flow_log(stack: cdk.Stack, bucket: s3.Bucket) -> None:
    vpc = ec2.Vpc(stack, "Vpc", max_azs=1, nat_gateways=0)
    vpc.add_flow_log("FlowLog", destination=ec2.FlowLogDestination.to_s3(bucket))


def test_a_bucket_of_flow_logs_without_their_statement_is_left() -> None:
    app = fixing()
    stack = cdk.Stack(app, "Top")
    flow_log(stack, s3.Bucket(stack, "Logs"))
    with pytest.raises(RuntimeError, match="the flow log `Top/Vpc/FlowLog/FlowLog` goes to it"):
        app.synth()
    assert recorded(app)["fixed"] == []


def test_a_policy_that_refers_to_its_flow_log_is_left_and_makes_no_cycle() -> None:
    app = fixing()
    stack = cdk.Stack(app, "Top")
    bucket = s3.Bucket(stack, "Logs")
    vpc = ec2.Vpc(stack, "Vpc", max_azs=1, nat_gateways=0)
    log = vpc.add_flow_log("FlowLog", destination=ec2.FlowLogDestination.to_s3(bucket))
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["s3:PutObject"],
            principals=[iam.ServicePrincipal("delivery.logs.amazonaws.com")],
            resources=[bucket.arn_for_objects("*")],
            conditions={"ArnLike": {"aws:SourceArn": log.flow_log_id}},
        )
    )
    with pytest.raises(RuntimeError, match="and its policy refers to the flow log"):
        app.synth()


def test_flow_logs_wait_for_the_policy_that_lets_them_in() -> None:
    app = fixing()
    stack = cdk.Stack(app, "Top")
    bucket = s3.Bucket(stack, "Logs")
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["s3:PutObject"],
            principals=[iam.ServicePrincipal("delivery.logs.amazonaws.com")],
            resources=[bucket.arn_for_objects("*")],
        )
    )
    flow_log(stack, bucket)
    resources = synthesized(app)
    (policy,) = (id for id, each in resources.items() if each["Type"] == "AWS::S3::BucketPolicy")
    (log,) = (each for each in resources.values() if each["Type"] == "AWS::EC2::FlowLog")
    assert denies(resources[policy]) == 1
    assert log["DependsOn"] == [policy]
