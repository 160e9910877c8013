"""One line for a whole app: everything there is to reach, in FIX mode; and what is said about it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_codecommit as codecommit
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as deployment
from aws_cdk import cloudformation_include, pipelines
from aws_cdk.assertions import Template
from constructs import Construct, IConstruct

from secure_bucket import (
    BucketSecureTransportInjector,
    Mode,
    SecureBucket,
    SecureTransportAspect,
    SecureTransportValidation,
    enforce_secure_transport,
)
from secure_bucket.errors import ConstructError
from tests.cdk.buckets.test_injector import OfAnotherLibrary
from tests.cdk.fix.library import Synthesizer, load_library
from tests.cdk.fix.test_fix import allow, denies, policies, statements

ENVIRONMENT = cdk.Environment(account="111122223333", region="eu-west-1")


def fixing(**context: Any) -> cdk.App:
    app = cdk.App(context=context)
    enforce_secure_transport(app, mode=Mode.FIX, quiet=True)
    return app


def recorded(app: cdk.App) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(app.outdir) / "secure-bucket.json").read_text(encoding="utf-8"))
    return found


def test_everything_in_an_app_is_fixed_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "old.json"
    file.write_text(json.dumps({"Resources": {"Old": {"Type": "AWS::S3::Bucket"}}}), encoding="utf-8")
    app = cdk.App(outdir=str(tmp_path / "out"))
    top = cdk.Stack(app, "Top")
    before = cdk.Stage(app, "Before")
    s3.CfnBucket(cdk.Stack(before, "Data"), "L1")
    enforce_secure_transport(app, mode=Mode.FIX)
    s3.Bucket(top, "L2", auto_delete_objects=True, removal_policy=cdk.RemovalPolicy.DESTROY)
    s3.CfnBucket(top, "L1")
    SecureBucket(top, "Proven")
    OfAnotherLibrary(cdk.NestedStack(top, "Nested"), "Subclassed")
    cloudformation_include.CfnInclude(top, "Included", template_file=str(file))
    after = cdk.Stack(cdk.Stage(app, "After"), "Data")
    s3.CfnBucket(after, "L1")
    s3.Bucket(after, "L2", server_access_logs_bucket=s3.Bucket(after, "Logs"))
    cloudfront.Distribution(
        top,
        "Site",
        default_behavior=cloudfront.BehaviorOptions(
            origin=origins.HttpOrigin("example.com"),
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        ),
        enable_logging=True,
    )
    deployment.BucketDeployment(
        top,
        "Deployment",
        sources=[deployment.Source.data("greeting.txt", "hello")],
        destination_bucket=s3.Bucket(top, "Target"),
    )
    app.synth()
    fixed = [
        "After/Data/L1",
        "After/Data/L2/Resource",
        "After/Data/Logs/Resource",
        "Before/Data/L1",
        "Top/Included/Old",
        "Top/L1",
        "Top/L2/Resource",
        "Top/Nested/Subclassed/Resource",
        "Top/Site/LoggingBucket/Resource",
        "Top/Target/Resource",
    ]
    record = recorded(app)
    assert [each["bucket"] for each in record["fixed"]] == fixed
    assert record["left"] == record["exceptions"] == []
    # `auto_delete_objects` had made a policy already.
    assert [each["bucket"] for each in record["fixed"] if not each["isNewPolicy"]] == ["Top/L2/Resource"]
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert lines.pop() == "secure-bucket: 11 buckets, 11 proven, 10 of them fixed"
    assert sorted(line.split("`")[1] for line in lines) == sorted(
        path.removesuffix("/Resource") for path in fixed
    )
    assert (
        "secure-bucket fixed `Top/L1`: a new policy, `Top/L1/SecureTransportPolicy`, denies plain HTTP"
        in lines
    )


def test_flag_changes_nothing_and_fails() -> None:
    app = cdk.App()
    enforce_secure_transport(app, quiet=True)
    bucket = s3.Bucket(cdk.Stack(cdk.Stage(app, "Prod"), "Data"), "Plain")
    with pytest.raises(RuntimeError, match="`Prod/Data/Plain`"):
        app.synth()
    assert bucket.policy is None
    assert not (Path(app.outdir) / "secure-bucket.json").exists()
    assert [child.node.id for child in app.node.children] == ["Prod", "Tree"]


def test_a_stage_inside_a_stage_is_fixed_with_its_own() -> None:
    app = fixing()
    outer = cdk.Stack(cdk.Stage(app, "Prod"), "Data")
    inner = cdk.Stack(cdk.Stage(cdk.NestedStack(outer, "Holder"), "Inner"), "Data")
    for stack in (outer, inner):
        s3.Bucket(stack, "Plain")
        s3.CfnBucket(stack, "L1")
    app.synth()
    assert [each["bucket"] for each in recorded(app)["fixed"]] == [
        "Prod/Data/Holder/Inner/Data/L1",
        "Prod/Data/Holder/Inner/Data/Plain/Resource",
        "Prod/Data/L1",
        "Prod/Data/Plain/Resource",
    ]


def test_a_policy_in_another_stack_is_the_one() -> None:
    app = fixing()
    data, other = cdk.Stack(app, "Data"), cdk.Stack(app, "Other")
    bucket = s3.CfnBucket(data, "L1")
    # The same logical id as the bucket of the other stack.
    s3.CfnBucket(other, "L1")
    document = {"Statement": [allow(bucket)]}
    s3.CfnBucketPolicy(other, "Policy", bucket=bucket.ref, policy_document=document)
    app.synth()
    assert recorded(app)["fixed"] == [
        {"bucket": "Data/L1", "policy": "Other/Policy", "isNewPolicy": False},
        {"bucket": "Other/L1", "policy": "Other/L1/SecureTransportPolicy", "isNewPolicy": True},
    ]


def test_a_later_stage_of_a_pipeline_is_fixed() -> None:
    app = fixing()
    top = cdk.Stack(app, "Pipeline", env=ENVIRONMENT)
    source = pipelines.CodePipelineSource.code_commit(
        codecommit.Repository(top, "Repository", repository_name="app"), "main"
    )
    step = pipelines.ShellStep("Synth", input=source, commands=["cdk synth"])
    pipeline = pipelines.CodePipeline(top, "Pipeline", synth=step, cross_account_keys=True)
    # In another account and region: the CDK makes artifact buckets and stacks of its own for these.
    stage = cdk.Stage(app, "Prod", env=cdk.Environment(account="444455556666", region="us-east-1"))
    s3.Bucket(cdk.Stack(stage, "Data"), "Plain")
    # The Stage is synthesized here, long before the app.
    pipeline.add_stage(stage)
    app.synth()
    assert [each["bucket"] for each in recorded(app)["fixed"]] == ["Prod/Data/Plain/Resource"]


def test_a_later_stage_without_an_l2_bucket_is_fixed() -> None:
    app = fixing()
    s3.CfnBucket(cdk.Stack(cdk.Stage(app, "Prod"), "Data"), "L1")
    s3.CfnBucket(cdk.Stack(app, "Top"), "L1")
    app.synth()
    assert [each["bucket"] for each in recorded(app)["fixed"]] == ["Prod/Data/L1", "Top/L1"]


@pytest.mark.parametrize("synthesizer", [cdk.DefaultStackSynthesizer, cdk.LegacyStackSynthesizer])
def test_a_later_stage_that_is_synthesized_early_without_an_l2_bucket_is_fixed(synthesizer: Any) -> None:
    app = fixing()
    stage = cdk.Stage(app, "Prod")
    s3.CfnBucket(cdk.Stack(stage, "Data", synthesizer=synthesizer()), "L1")
    s3.CfnBucket(cdk.Stack(app, "Top"), "L1")
    stage.synth()
    app.synth()
    assert [each["bucket"] for each in recorded(app)["fixed"]] == ["Prod/Data/L1", "Top/L1"]


def test_a_stage_that_is_synthesized_unseen_is_flagged_with_what_to_do() -> None:
    load_library()
    app = fixing()
    stage = cdk.Stage(app, "Prod")
    s3.CfnBucket(cdk.Stack(stage, "Data"), "L1")
    s3.CfnBucket(cdk.Stack(app, "Top"), "L1")
    Synthesizer(app, "Synthesizer")
    with pytest.raises(RuntimeError) as caught:
        app.synth()
    assert "FIX did not reach the stack `Prod/Data`: its Stage was made after the call of" in str(
        caught.value
    )
    assert "`Top/L1`" not in str(caught.value)


@pytest.mark.parametrize("l2", [True, False])
def test_an_app_sets_its_context_after_fix(l2: bool) -> None:
    app = fixing()
    app.node.set_context("team", "reports")
    stack = cdk.Stack(app, "Top")
    (s3.Bucket if l2 else s3.CfnBucket)(stack, "Plain")
    app.synth()
    assert len(recorded(app)["fixed"]) == 1


def test_a_test_of_a_stack_is_fixed_as_well() -> None:
    app = fixing()
    stack = cdk.Stack(app, "Top")
    s3.Bucket(stack, "Plain")
    Template.from_stack(stack).resource_count_is("AWS::S3::BucketPolicy", 1)


@pytest.mark.parametrize("stabilization", [True, False])
def test_buckets_that_other_aspects_add_are_fixed(stabilization: bool) -> None:
    @jsii.implements(cdk.IAspect)
    class Adder:
        def visit(self, node: IConstruct) -> None:
            if isinstance(node, cdk.Stack) and not node.node.try_find_child("Late"):
                s3.Bucket(cast(Construct, node), "Late")
                if stabilization:
                    s3.CfnBucket(cast(Construct, node), "LateL1")

    app = fixing(**{"@aws-cdk/core:aspectStabilization": stabilization})
    cdk.Stack(app, "Top")
    cdk.Aspects.of(app).add(Adder(), priority=900)
    cdk.Tags.of(app).add("team", "reports")
    cdk.Stack(app, "Other")
    # Synthesizing fails unless each bucket is proven.
    app.synth()
    added = ["Late/Resource", "LateL1"] if stabilization else ["Late/Resource"]
    assert [each["bucket"] for each in recorded(app)["fixed"]] == [
        f"{stack}/{bucket}" for stack in ("Other", "Top") for bucket in added
    ]


def test_what_another_aspect_adds_is_left_where_that_is_acknowledged() -> None:
    @jsii.implements(cdk.IAspect)
    class Adder:
        def visit(self, node: IConstruct) -> None:
            if isinstance(node, cdk.Stack) and not node.node.try_find_child("Late"):
                s3.Bucket(cast(Construct, node), "Late")

    app = fixing()
    for name in ("Excused", "Other"):
        cdk.Aspects.of(cdk.Stack(app, name)).add(Adder())
    acknowledgment = cdk.Acknowledgment(id="secure-bucket::SB001", reason="no TLS")
    cdk.Validations.of(app.node.find_child("Excused")).acknowledge(acknowledgment)
    app.synth()
    assert [each["bucket"] for each in recorded(app)["fixed"]] == ["Other/Late/Resource"]


def test_nothing_of_the_app_is_taken_for_ours() -> None:
    app = fixing()
    stack = cdk.Stack(app, "SecureTransport")
    s3.Bucket(stack, "secure-bucket")
    (policy,) = policies(app).values()
    assert denies(policy) == 1


def test_twice_is_once() -> None:
    app = fixing()
    enforce_secure_transport(app, mode=Mode.FIX, quiet=True)
    cdk.Aspects.of(app).add(SecureTransportAspect(mode=Mode.FIX, quiet=True))
    stack = cdk.Stack(app, "Top")
    s3.Bucket(stack, "Plain")
    s3.CfnBucket(stack, "L1")
    first = policies(app)
    assert [denies(policy) for policy in first.values()] == [1, 1]
    before = recorded(app)
    assert len(before["fixed"]) == 2
    app.synth(force=True)
    assert policies(app) == first
    assert recorded(app) == before


def test_an_injector_that_was_there_before_still_works() -> None:
    app = cdk.App(property_injectors=[BucketSecureTransportInjector()])
    for _ in range(2):
        enforce_secure_transport(app, mode=Mode.FIX, quiet=True)
    s3.Bucket(cdk.Stack(app, "Top"), "Plain")
    s3.Bucket(cdk.Stack(cdk.Stage(app, "Prod"), "Data"), "No", enforce_ssl=False)
    found = policies(app)
    assert [denies(policy) for policy in found.values()] == [1, 1]
    assert [each["bucket"] for each in recorded(app)["fixed"]] == ["Prod/Data/No/Resource"]


def test_what_undoes_a_fix_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    app = cdk.App()
    enforce_secure_transport(app, mode=Mode.FIX)
    stack = cdk.Stack(app, "Top")
    bucket = s3.CfnBucket(stack, "L1")
    policy = s3.CfnBucketPolicy(stack, "Policy", bucket=bucket.ref, policy_document={"Statement": []})
    policy.add_property_override("PolicyDocument.Statement", [])
    with pytest.raises(
        RuntimeError, match="FIX wrote the deny into `Top/Policy`, and what came after it undid"
    ):
        app.synth()
    assert (
        capsys.readouterr().err.splitlines()[0] == "secure-bucket: 1 bucket, 0 proven, 1 accepting plain HTTP"
    )
    record = recorded(app)
    assert record["fixed"] == []
    assert [each["reason"] for each in record["left"]] == [
        "the deny in `Top/Policy` was undone by code that ran after FIX"
    ]


def test_websites_are_closed_once_anybody_asks_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    app = fixing()
    enforce_secure_transport(app, mode=Mode.FIX, websites=True)
    s3.Bucket(cdk.Stack(app, "Top"), "Site", website_index_document="index.html")
    (policy,) = policies(app).values()
    assert denies(policy) == 1
    assert "secure-bucket fixed `Top/Site`" in capsys.readouterr().err
    # That it is a website is a finding still, but the fix stands.
    report = (Path(app.outdir) / "validation-report.json").read_text(encoding="utf-8")
    assert "SB004" in report
    assert "undid" not in report


def test_several_apps_in_one_process_do_not_know_of_each_other() -> None:
    first, second = fixing(), cdk.App()
    enforce_secure_transport(second, quiet=True)
    for app in (first, second):
        s3.Bucket(cdk.Stack(app, "Top"), "Plain")
    assert len(policies(first)) == 1
    with pytest.raises(RuntimeError, match="`Top/Plain`"):
        second.synth()


def test_a_website_is_left_as_it_is_unless_asked_for() -> None:
    app = fixing()
    bucket = s3.Bucket(cdk.Stack(app, "Top"), "Site", website_index_document="index.html")
    with pytest.raises(
        RuntimeError, match="FIX left it as it is: its website endpoint speaks plain HTTP only"
    ):
        app.synth()
    assert bucket.policy is None
    assert [each["bucket"] for each in recorded(app)["left"]] == ["Top/Site/Resource"]
    app = cdk.App()
    s3.Bucket(cdk.Stack(app, "Top"), "Site", website_index_document="index.html")
    enforce_secure_transport(app, mode=Mode.FIX, websites=True, quiet=True)
    (policy,) = policies(app).values()
    assert denies(policy) == 1


@pytest.mark.parametrize("around", ["bucket", "l1", "stack", "stage", "app"])
def test_an_acknowledged_bucket_is_left_as_it_is(around: str) -> None:
    app = fixing()
    stage = cdk.Stage(app, "Prod")
    stack = cdk.Stack(stage, "Data")
    bucket = s3.Bucket(stack, "Plain")
    places: dict[str, Any] = {"app": app, "stage": stage, "stack": stack, "bucket": bucket}
    scope = places.get(around) or bucket.node.default_child
    cdk.Validations.of(scope).acknowledge(cdk.Acknowledgment(id="secure-bucket::SB001", reason="no TLS"))
    s3.CfnBucket(cdk.Stack(app, "Top"), "L1")
    found = policies(app)
    assert len(found) == (0 if around == "app" else 1)
    assert bucket.policy is None


def large(bucket: s3.CfnBucket, roles: int) -> dict[str, Any]:
    readers = [f"arn:aws:iam::111122223333:role/a-role-with-a-long-name-{number}" for number in range(roles)]
    return {"Version": "2012-10-17", "Statement": [{**allow(bucket), "Principal": {"AWS": readers}}]}


@pytest.mark.parametrize("form", [dict, iam.PolicyDocument.from_json])
def test_a_policy_that_would_be_too_large_is_left_and_reported(form: Callable[[Any], Any]) -> None:
    app = fixing()
    stack = cdk.Stack(app, "Top")
    for name, roles in (("Small", 300), ("Large", 400)):
        bucket = s3.CfnBucket(stack, name)
        s3.CfnBucketPolicy(
            stack, f"{name}Policy", bucket=bucket.ref, policy_document=form(large(bucket, roles))
        )
    with pytest.raises(RuntimeError) as caught:
        app.synth()
    assert "`Top/Small`" not in str(caught.value)
    assert "its policy `Top/LargePolicy` would grow to about 2" in str(caught.value)
    assert "bytes, and S3 takes 20,480; make it shorter by hand first" in str(caught.value)


LEFT: dict[str, tuple[Callable[[cdk.Stack, s3.CfnBucket], object], str]] = {
    "two policies": (
        lambda stack, bucket: [
            s3.CfnBucketPolicy(stack, name, bucket=bucket.ref, policy_document={"Statement": []})
            for name in ("One", "Two")
        ],
        "2 policies are for it, of which the last one wins: `Top/One`, `Top/Two`",
    ),
    "perhaps its policy": (
        lambda stack, bucket: s3.CfnBucketPolicy(
            stack,
            "Policy",
            bucket=cdk.CfnParameter(stack, "Name").value_as_string,
            policy_document={"Statement": []},
        ),
        "`Top/Policy` may be its policy, which only the deployment tells",
    ),
    "raw policy": (
        lambda stack, bucket: cdk.CfnResource(
            stack,
            "Policy",
            type="AWS::S3::BucketPolicy",
            properties={"Bucket": bucket.ref, "PolicyDocument": {"Statement": []}},
        ),
        "its policy `Top/Policy` is a raw `CfnResource`; add the statement there",
    ),
    "statements behind a condition": (
        lambda stack, bucket: s3.CfnBucketPolicy(
            stack,
            "Policy",
            bucket=bucket.ref,
            policy_document={"Statement": cdk.Fn.condition_if("IsProd", [], [])},
        ),
        "its policy `Top/Policy` has its statements behind an intrinsic function",
    ),
    "policy behind a condition": (
        lambda stack, bucket: setattr(
            s3.CfnBucketPolicy(
                stack, "Policy", bucket=bucket.ref, policy_document={"Statement": []}
            ).cfn_options,
            "condition",
            stack.node.find_child("IsProd"),
        ),
        "its policy `Top/Policy` exists only under the condition `IsProd`",
    ),
}


@pytest.mark.parametrize("case", LEFT)
def test_what_cannot_be_fixed_is_flagged_with_the_reason(case: str) -> None:
    app = fixing()
    stack = cdk.Stack(app, "Top")
    cdk.CfnCondition(stack, "IsProd", expression=cdk.Fn.condition_equals(cdk.Aws.REGION, "eu-west-1"))
    make, why = LEFT[case]
    make(stack, s3.CfnBucket(stack, "Plain", bucket_name="reports-for-everybody"))
    with pytest.raises(RuntimeError) as caught:
        app.synth()
    assert f"(FIX left it as it is: {why}" in str(caught.value)
    assert recorded(app)["left"][0]["reason"].startswith(why)


def test_the_same_name_in_two_stages_is_two_buckets() -> None:
    app = fixing()
    for name in ("Dev", "Prod"):
        stack = cdk.Stack(cdk.Stage(app, name), "Data")
        bucket = s3.CfnBucket(stack, "L1", bucket_name=cdk.Fn.sub("reports-${AWS::AccountId}"))
        s3.Bucket(stack, "L2")
        document = {"Statement": [allow(bucket)]}
        name = cdk.Fn.sub("reports-${AWS::AccountId}")
        s3.CfnBucketPolicy(stack, "Policy", bucket=name, policy_document=document)
    # This is about what FIX does; the gate may take one name for one bucket.
    with contextlib.suppress(RuntimeError):
        app.synth()
    record = recorded(app)
    assert record["left"] == []
    assert [each["policy"] for each in record["fixed"] if not each["isNewPolicy"]] == [
        "Dev/Data/Policy",
        "Prod/Data/Policy",
    ]


def test_a_policy_that_names_its_bucket_by_its_name_is_proven_by_it() -> None:
    app = fixing()
    stack = cdk.Stack(app, "Top")
    s3.CfnBucket(stack, "L1", bucket_name="reports-for-everybody")
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": ["arn:aws:s3:::reports-for-everybody", "arn:aws:s3:::reports-for-everybody/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3.CfnBucketPolicy(
        stack,
        "Policy",
        bucket="reports-for-everybody",
        policy_document={"Version": "2012-10-17", "Statement": [deny]},
    )
    (policy,) = policies(app).values()
    assert len(statements(policy)) == 1


@pytest.mark.parametrize("keep", [True, False])
def test_a_new_policy_lives_as_long_as_its_bucket(keep: bool) -> None:
    app = fixing()
    stack = cdk.Stack(app, "Top")
    removal = cdk.RemovalPolicy.RETAIN if keep else cdk.RemovalPolicy.DESTROY
    s3.Bucket(stack, "L2", removal_policy=removal)
    s3.CfnBucket(stack, "L1").apply_removal_policy(removal)
    expected = "Retain" if keep else "Delete"
    for policy in policies(app).values():
        assert (policy["DeletionPolicy"], policy["UpdateReplacePolicy"]) == (expected, expected)


def test_an_imported_bucket_is_named_and_nothing_is_written_for_it() -> None:
    app = fixing()
    stack = cdk.Stack(app, "Top")
    imported = s3.Bucket.from_bucket_name(stack, "Imported", cdk.Fn.import_value("SharedBucket"))
    s3.Bucket(stack, "Plain", server_access_logs_bucket=imported)
    assert len(policies(app)) == 1
    report = json.loads((Path(app.outdir) / "validation-report.json").read_text(encoding="utf-8"))
    rules = [each["ruleName"] for one in report["pluginReports"] for each in one["violations"]]
    assert rules.count("imported-bucket") == 1


def test_a_gate_registered_by_hand_as_well_judges_once(capsys: pytest.CaptureFixture[str]) -> None:
    app = cdk.App()
    cdk.Validations.of(app).add_plugins(SecureTransportValidation())
    enforce_secure_transport(app, mode=Mode.FIX)
    s3.Bucket(cdk.Stack(app, "Top"), "Plain")
    app.synth()
    assert capsys.readouterr().err.count("secure-bucket: 1 bucket, 1 proven, 1 of them fixed\n") == 1


def test_what_is_no_app_is_refused_with_what_to_do() -> None:
    app = cdk.App()
    for wrong in (cdk.Stack(app, "Top"), cdk.Stage(app, "Prod"), None):
        with pytest.raises(ConstructError, match=r"is not a `cdk\.App`"):
            enforce_secure_transport(wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="repair"):
        enforce_secure_transport(app, mode="repair")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="undecided='ignore'"):
        enforce_secure_transport(app, undecided="ignore")  # type: ignore[arg-type]


def pipeline_app(tmp_path: Path, *, enforce_ssl: bool) -> tuple[cdk.App, pipelines.CodePipeline, cdk.Stage]:
    """Return an app with a pipeline, and a Stage with one bucket that is not in the pipeline yet."""
    app = cdk.App(outdir=str(tmp_path / "out"))
    stack = cdk.Stack(app, "Pipeline", env=ENVIRONMENT)
    repository = codecommit.Repository(stack, "Repository", repository_name="reports")
    source = pipelines.CodePipelineSource.code_commit(repository, "main")
    step = pipelines.ShellStep("Synth", input=source, commands=["make synth"])
    stage = cdk.Stage(app, "Prod")
    s3.Bucket(cdk.Stack(stage, "Data"), "Reports", enforce_ssl=enforce_ssl)
    return app, pipelines.CodePipeline(stack, "Code", synth=step), stage


def add_to_pipeline(pipeline: pipelines.CodePipeline, stage: cdk.Stage) -> None:
    pipeline.add_stage(stage)


def add_to_wave(pipeline: pipelines.CodePipeline, stage: cdk.Stage) -> None:
    pipeline.add_wave("Wave").add_stage(stage)


def synthesize_by_hand(_: pipelines.CodePipeline, stage: cdk.Stage) -> None:
    stage.synth()


SYNTHESIZERS = [add_to_pipeline, add_to_wave, synthesize_by_hand]


@pytest.mark.parametrize("synthesize", SYNTHESIZERS)
def test_fix_leaves_a_synthesized_stage_as_it_is(
    tmp_path: Path, synthesize: Callable[[pipelines.CodePipeline, cdk.Stage], None]
) -> None:
    app, pipeline, stage = pipeline_app(tmp_path, enforce_ssl=True)
    synthesize(pipeline, stage)
    enforce_secure_transport(app, mode=Mode.FIX, quiet=True)
    assert [stack.display_name for stack in app.synth().get_nested_assembly("assembly-Prod").stacks] == [
        "Prod/Data (Prod-Data)"
    ]


@pytest.mark.parametrize("synthesize", SYNTHESIZERS)
def test_the_gate_says_that_a_stage_was_synthesized_before_fix(
    tmp_path: Path, synthesize: Callable[[pipelines.CodePipeline, cdk.Stage], None]
) -> None:
    app, pipeline, stage = pipeline_app(tmp_path, enforce_ssl=False)
    synthesize(pipeline, stage)
    enforce_secure_transport(app, mode=Mode.FIX, quiet=True)
    with pytest.raises(Exception, match="its Stage was synthesized before the call"):
        app.synth()


def test_fix_leaves_a_stage_that_is_synthesized_by_another_synthesizer(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    stage = cdk.Stage(app, "Prod")
    s3.Bucket(cdk.Stack(stage, "Data", synthesizer=cdk.LegacyStackSynthesizer()), "Reports")
    stage.synth()
    enforce_secure_transport(app, mode=Mode.FIX, quiet=True)
    with pytest.raises(RuntimeError, match="its Stage was synthesized before the call"):
        app.synth()


@pytest.mark.parametrize("again", [False, True])
def test_fix_before_the_pipeline_fixes_its_stages(tmp_path: Path, again: bool) -> None:
    app, pipeline, stage = pipeline_app(tmp_path, enforce_ssl=False)
    enforce_secure_transport(app, mode=Mode.FIX, quiet=True)
    pipeline.add_stage(stage)
    if again:
        enforce_secure_transport(app, mode=Mode.FIX, quiet=True)
    app.synth()
    assert [each["bucket"] for each in recorded(app)["fixed"]] == ["Prod/Data/Reports/Resource"]
