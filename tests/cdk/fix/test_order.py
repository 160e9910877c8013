"""FIX comes after the other Aspects of an app in every stack, however its Stages are synthesized."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_s3 as s3
from aws_cdk import pipelines
from aws_cdk.assertions import Template
from constructs import IConstruct

from secure_bucket import ConstructError, Mode, enforce_secure_transport
from tests.cdk.fix.library import Sweeper, load_library
from tests.cdk.fix.test_enforce import ENVIRONMENT, fixing, recorded
from tests.cdk.fix.test_fix import denies, statements

DOCUMENT = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
            "Action": "s3:ListBucket",
            "Resource": "arn:aws:s3:::reports",
        }
    ],
}


@jsii.implements(cdk.IAspect)
class GivePolicies:
    """Give each bucket a policy of its own."""

    def visit(self, node: IConstruct) -> None:
        if isinstance(node, s3.Bucket):
            s3.CfnBucketPolicy(node, "Policy", bucket=node.bucket_name, policy_document=DOCUMENT)
        elif isinstance(node, s3.CfnBucket) and not isinstance(node.node.scope, s3.Bucket):
            s3.CfnBucketPolicy(node, "Own", bucket=node.ref, policy_document=DOCUMENT)


def with_the_app(_: cdk.Stage) -> None:
    """Leave the Stage to `app.synth()`."""


def by_hand(stage: cdk.Stage) -> None:
    stage.synth()


def pipeline_of(stage: cdk.Stage) -> pipelines.CodePipeline:
    top = cdk.Stack(stage.node.root, "Pipeline", env=ENVIRONMENT)  # type: ignore[arg-type]
    source = pipelines.CodePipelineSource.connection(
        "us/app", "main", connection_arn="arn:aws:codeconnections"
    )
    step = pipelines.ShellStep("Synth", input=source, commands=["make synth"])
    return pipelines.CodePipeline(top, "Code", synth=step)


def in_a_pipeline(stage: cdk.Stage) -> None:
    pipeline_of(stage).add_stage(stage)


def in_a_wave(stage: cdk.Stage) -> None:
    pipeline_of(stage).add_wave("Wave").add_stage(stage)


def policies_in(app: cdk.App) -> list[Any]:
    assembly = app.synth()
    stacks = [
        *assembly.stacks,
        *(each for inner in assembly.nested_assemblies for each in inner.nested_assembly.stacks),
    ]
    resources = [
        each
        for stack in stacks
        if "Pipeline" not in stack.id
        for each in stack.template["Resources"].values()
    ]
    return [each for each in resources if each["Type"] == "AWS::S3::BucketPolicy"]


@pytest.mark.parametrize("synthesize", [with_the_app, by_hand, in_a_pipeline, in_a_wave])
@pytest.mark.parametrize("bucket", [s3.Bucket, s3.CfnBucket])
def test_policies_of_an_aspect_get_the_deny_in_every_stack_of_a_stage(
    bucket: Callable[..., Any], synthesize: Callable[[cdk.Stage], None]
) -> None:
    app = fixing()
    stage = cdk.Stage(app, "Prod")
    cdk.Aspects.of(stage).add(GivePolicies())
    for name in ("One", "Two"):
        bucket(cdk.Stack(stage, name), "Plain")
    synthesize(stage)
    found = policies_in(app)
    assert [(denies(each), len(statements(each))) for each in found] == [(1, 2), (1, 2)]
    assert len(recorded(app)["fixed"]) == 2


@pytest.mark.parametrize("is_tested", [False, True])
@pytest.mark.parametrize("bucket", [s3.Bucket, s3.CfnBucket])
@pytest.mark.parametrize("is_of_a_library", [False, True])
def test_policies_of_an_aspect_get_the_deny_in_every_stack_of_an_app(
    bucket: Callable[..., Any], is_of_a_library: bool, is_tested: bool
) -> None:
    load_library()
    app = fixing()
    aspect: Any = Sweeper() if is_of_a_library else GivePolicies()
    cdk.Aspects.of(app).add(aspect)
    for name in ("One", "Two", "Three"):
        stack = cdk.Stack(app, name)
        s3.Bucket(stack, "Other")
        bucket(stack, "Plain")
    if is_tested:
        Template.from_stack(stack)
    found = policies_in(app)
    assert [denies(each) for each in found] == [1] * 6


def test_a_stage_that_holds_another_one_is_fixed_with_it() -> None:
    app = fixing()
    outer = cdk.Stage(app, "Outer")
    s3.CfnBucket(cdk.Stack(cdk.Stage(outer, "Inner"), "Data"), "L1")
    outer.synth()
    app.synth()
    assert [each["bucket"] for each in recorded(app)["fixed"]] == ["Outer/Inner/Data/L1"]


def test_fix_after_the_synthesis_says_where_to_put_the_line() -> None:
    app = cdk.App()
    s3.Bucket(cdk.Stack(app, "Top"), "Plain")
    app.synth()
    enforce_secure_transport(app, mode=Mode.FIX, quiet=True)
    with pytest.raises(ConstructError, match=r"before the first `app\.synth\(\)`"):
        app.synth()
    (artifact,) = app.synth(force=True).stacks
    assert "AWS::S3::BucketPolicy" in str(artifact.template)
