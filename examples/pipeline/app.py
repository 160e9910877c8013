#!/usr/bin/env python3
"""A pipeline that deploys two Stages: their buckets are mended and judged like all others, and so is the
bucket for artifacts that the CDK makes for the pipeline.

cd examples/pipeline && cdk synth
"""

import aws_cdk as cdk
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_s3 as s3
from aws_cdk import pipelines
from constructs import Construct

from secure_bucket import Mode, SecureBucket, enforce_secure_transport


# --8<-- [start:stage]
class Reports(cdk.Stage):
    """What is deployed to each environment."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        stack = cdk.Stack(self, "Storage")
        SecureBucket(stack, "Reports", versioned=True)
        s3.Bucket(stack, "Scratch")  # FIX adds the deny.


# --8<-- [end:stage]


class Delivery(cdk.Stack):
    """The pipeline itself."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        source = pipelines.CodePipelineSource.connection(
            "example/reports",
            "main",
            connection_arn=f"arn:aws:codeconnections:eu-central-1:{self.account}:connection/example",
        )
        # The exit code of `cdk synth` stops the pipeline before anything is deployed.
        pipeline = pipelines.CodePipeline(
            self,
            "Pipeline",
            pipeline_type=codepipeline.PipelineType.V2,
            synth=pipelines.ShellStep(
                "Synth",
                input=source,
                commands=["pip install 'secure-bucket[cdk]'", "npm install -g aws-cdk@2", "cdk synth"],
            ),
        )
        pipeline.add_stage(Reports(self, "Test"))
        pipeline.add_stage(Reports(self, "Production"), pre=[pipelines.ManualApprovalStep("Release")])


app = cdk.App()
# --8<-- [start:gate]
# Called before the stacks are made: every Stage that comes later is covered as well.
enforce_secure_transport(app, mode=Mode.FIX)
# --8<-- [end:gate]
Delivery(app, "Delivery")
app.synth()
