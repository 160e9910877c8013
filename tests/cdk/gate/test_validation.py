"""The gate without the command line of the CDK: under pytest, as a team tests its own stacks."""

from __future__ import annotations

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template

import secure_bucket
from secure_bucket import SecureBucket, SecureTransportAspect, SecureTransportValidation
from secure_bucket.findings.rules import RULES


@pytest.fixture
def app() -> cdk.App:
    app = cdk.App()
    cdk.Aspects.of(app).add(SecureTransportAspect())
    return app


def test_a_test_of_a_stack_raises_with_the_same_text(app: cdk.App) -> None:
    stack = cdk.Stack(app, "Top")
    s3.Bucket(stack, "Plain")
    with pytest.raises(RuntimeError) as caught:
        Template.from_stack(stack)
    for words in ("`Top/Plain`", "anyone can ", "over plain HTTP", "Suggested fix: ", "secure-bucket::SB001"):
        assert words in str(caught.value)


def test_a_finding_in_a_stage_raises_as_well(app: cdk.App) -> None:
    stack = cdk.Stack(cdk.Stage(app, "Prod"), "Data")
    s3.Bucket(cdk.NestedStack(stack, "Nested"), "Plain")
    with pytest.raises(RuntimeError, match="`Prod/Data/Nested/Plain`"):
        app.synth()


def test_an_acknowledged_finding_in_a_stage_does_not(app: cdk.App) -> None:
    stack = cdk.Stack(cdk.Stage(app, "Prod"), "Data")
    # Twice the same logical ids, in two nested stacks.
    for name in ("One", "Two"):
        bucket = s3.Bucket(cdk.NestedStack(stack, name), "Plain")
        cdk.Validations.of(bucket).acknowledge(cdk.Acknowledgment(id="secure-bucket::SB001", reason="old"))
    app.synth()


def test_the_summary_goes_to_stderr(app: cdk.App, capsys: pytest.CaptureFixture[str]) -> None:
    SecureBucket(cdk.Stack(app, "Top"), "Good")
    app.synth()
    out, err = capsys.readouterr()
    assert (out, err) == ("", "secure-bucket: 1 bucket, 1 proven\n")


def test_one_aspect_serves_several_apps(capsys: pytest.CaptureFixture[str]) -> None:
    aspect = SecureTransportAspect()
    for name in ("First", "Second"):
        app = cdk.App()
        s3.Bucket(cdk.Stack(app, name), "Plain")
        cdk.Aspects.of(app).add(aspect)
        with pytest.raises(RuntimeError, match=f"`{name}/Plain`"):
            app.synth()


def test_a_second_synthesis_judges_again(app: cdk.App) -> None:
    stack = cdk.Stack(app, "Top")
    SecureBucket(stack, "Good")
    app.synth()
    s3.Bucket(stack, "Plain")
    with pytest.raises(RuntimeError, match="`Top/Plain`"):
        app.synth(force=True)


def test_an_app_without_buckets_passes(app: cdk.App, capsys: pytest.CaptureFixture[str]) -> None:
    cdk.CfnParameter(cdk.Stack(app, "Top"), "Name")
    app.synth()
    assert "secure-bucket: 0 buckets, 0 proven\n" in capsys.readouterr().err


def test_a_bucket_that_speaks_https_only_is_said_and_not_counted(
    app: cdk.App, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = cdk.Stack(app, "Top")
    properties = {"DataRedundancy": "SingleAvailabilityZone", "LocationName": "use1-az4"}
    cdk.CfnResource(stack, "Express", type="AWS::S3Express::DirectoryBucket", properties=properties)
    app.synth()
    assert "secure-bucket: 0 buckets, 0 proven, 1 of another kind (not judged)\n" in capsys.readouterr().err


def test_many_findings_are_summed_up_in_a_line_that_ends(app: cdk.App) -> None:
    stack = cdk.Stack(app, "Top")
    for number in range(12):
        s3.CfnBucket(stack, f"Plain{number}")
    with pytest.raises(RuntimeError, match="`Top/Plain9`, 2 more"):
        app.synth()


def test_what_the_plugin_says_about_itself() -> None:
    plugin = SecureTransportValidation()
    assert plugin.name == "secure-bucket"
    assert plugin.version == secure_bucket.__version__
    assert plugin.rule_ids == [rule.id for rule in RULES]


@pytest.mark.parametrize("make", [SecureTransportAspect, SecureTransportValidation])
def test_an_option_that_does_not_exist_is_refused(make: type) -> None:
    with pytest.raises(ValueError, match=r"undecided='ignore': use \"error\" \(the default\) or \"warning\""):
        make(undecided="ignore")


def test_a_mode_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="repair"):
        SecureTransportAspect(mode="repair")  # type: ignore[arg-type]
