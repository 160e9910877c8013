"""What FIX fixes, and buckets that it leaves to the gate."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import pipelines

from tests.synth.situations.situation import document, situation, stack


@situation("bucket of a Stage that was synthesized before FIX", fix="last", named="Early")
@situation("bucket that FIX leaves because VPC flow logs go to it", fix="last", named="Flows")
@situation("bucket that FIX leaves because of its CloudFront viewers", fix="last", named="Viewed")
def left_by_fix(app: cdk.App) -> None:
    stage = cdk.Stage(app, "Prod")
    s3.Bucket(stack(stage, "Data"), "Early")
    stage.synth()
    top = stack(app)
    distribution(top)
    vpc = ec2.Vpc(top, "Vpc", max_azs=1, nat_gateways=0)
    vpc.add_flow_log("Log", destination=ec2.FlowLogDestination.to_s3(s3.Bucket(top, "Flows")))


def pipeline(app: cdk.App) -> None:
    top = stack(app, "Pipeline", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    arn = "arn:aws:codeconnections:eu-west-1:111122223333:connection/1"
    source = pipelines.CodePipelineSource.connection("us/app", "main", connection_arn=arn)
    step = pipelines.ShellStep("Synth", input=source, commands=["cdk synth"])
    stage = cdk.Stage(app, "Prod")
    s3.Bucket(stack(stage, "Data"), "Early")
    s3.CfnBucket(stack(stage, "More"), "Raw")
    pipelines.CodePipeline(top, "Code", synth=step).add_stage(stage)


@situation("CDK Pipelines with FIX before the app ends", fix="last", named="Early")
def pipeline_before_fix(app: cdk.App) -> None:
    pipeline(app)


@situation("CDK Pipelines with FIX right after `cdk.App()`", synth=0, check=0, fix="first")
def pipeline_after_fix(app: cdk.App) -> None:
    pipeline(app)


@situation("buckets that FIX fixes: policies in other stacks, accounts of others, shared documents", synth=0,
           check=0, fix="last")  # fmt: skip
def fixed_elsewhere(app: cdk.App) -> None:
    data = stack(app, "Data", env=cdk.Environment(account="111122223333", region="us-east-1"))
    other = stack(app, env=cdk.Environment(account="111122223333", region="eu-west-1"))
    s3.CfnBucket(data, "Reports", bucket_name="reports-of-everybody")
    s3.CfnBucketPolicy(other, "Policy", bucket="reports-of-everybody", policy_document=document())
    shared = iam.PolicyDocument()
    for id in ("One", "Two"):
        s3.CfnBucketPolicy(other, f"{id}Policy", bucket=s3.CfnBucket(other, id).ref, policy_document=shared)
    nested = cdk.NestedStack(other, "Nested")
    bucket = s3.CfnBucket(other, "Given")
    s3.CfnBucketPolicy(nested, "Policy", bucket=bucket.ref, policy_document=document())


@situation("bucket with CloudFront viewers on `allow-all`, without FIX", named="redirect-to-https")
def plain_viewers(app: cdk.App) -> None:
    distribution(stack(app))


def distribution(top: cdk.Stack) -> None:
    origin = origins.S3BucketOrigin.with_origin_access_identity(s3.Bucket(top, "Viewed"))
    viewers = cloudfront.ViewerProtocolPolicy.ALLOW_ALL
    behavior = cloudfront.BehaviorOptions(origin=origin, viewer_protocol_policy=viewers)
    cloudfront.Distribution(top, "Web", default_behavior=behavior)


@situation("website bucket, which is told neither to use `SecureBucket` nor to add the deny", named="website",
           never="use `SecureBucket`")  # fmt: skip
def website(app: cdk.App) -> None:
    s3.Bucket(stack(app), "Site", website_index_document="index.html")
