"""Buckets that FIX leaves, and the gate then reports."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_s3 as s3

from tests.synth.situations.situation import situation, stack


@situation("bucket of a Stage that was synthesized before FIX", is_fixed=True, named="Early")
@situation("bucket that FIX leaves because VPC flow logs go to it", is_fixed=True, named="Flows")
@situation("bucket that FIX leaves because of its CloudFront viewers", is_fixed=True, named="Viewed")
def left_by_fix(app: cdk.App) -> None:
    stage = cdk.Stage(app, "Prod")
    s3.Bucket(stack(stage, "Data"), "Early")
    stage.synth()
    top = stack(app)
    origin = origins.S3BucketOrigin.with_origin_access_identity(s3.Bucket(top, "Viewed"))
    viewers = cloudfront.ViewerProtocolPolicy.ALLOW_ALL
    behavior = cloudfront.BehaviorOptions(origin=origin, viewer_protocol_policy=viewers)
    cloudfront.Distribution(top, "Web", default_behavior=behavior)
    vpc = ec2.Vpc(top, "Vpc", max_azs=1, nat_gateways=0)
    vpc.add_flow_log("Log", destination=ec2.FlowLogDestination.to_s3(s3.Bucket(top, "Flows")))
