"""The gate under the real `cdk synth`: what fails it, and what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.synth.harness import Run, cdk_synth, write_app

pytestmark = pytest.mark.slow

NARROWED = """
def narrow(stack, condition):
    bucket = s3.CfnBucket(stack, "Ledger")
    s3.CfnBucketPolicy(stack, "LedgerPolicy", bucket=bucket.ref, policy_document={
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "HttpsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket.attr_arn, cdk.Fn.join("", [bucket.attr_arn, "/*"])],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}, **condition},
        }],
    })
    return bucket
"""

# One app, of which the context picks one way to get it wrong: an exit code then has one cause.
CASES = (
    NARROWED
    + """
from aws_cdk import cloudformation_include

case = app.node.try_get_context("case")
top = cdk.Stack(app, "Top")
SecureBucket(top, "Good")
stage = cdk.Stage(app, "Prod")
staged = cdk.Stack(stage, "Data")
SecureBucket(staged, "Good")

if case == "top":
    s3.Bucket(top, "Plain")
elif case == "nested":
    s3.Bucket(cdk.NestedStack(top, "Nested"), "Plain")
elif case == "stage":
    s3.Bucket(staged, "Plain")
elif case == "stage-nested":
    s3.Bucket(cdk.NestedStack(staged, "Nested"), "Plain")
elif case == "deep-stage":
    inner = cdk.Stage(cdk.NestedStack(staged, "Holder"), "Inner")
    s3.Bucket(cdk.Stack(inner, "Data"), "Plain")
elif case == "l1":
    s3.CfnBucket(top, "Plain")
elif case == "include":
    cloudformation_include.CfnInclude(top, "Old", template_file="old.json")
elif case == "override":
    bucket = SecureBucket(top, "Plain")
    bucket.policy.node.default_child.add_property_override("PolicyDocument.Statement.0.Effect", "Allow")
elif case == "narrowed":
    narrow(top, {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}})
elif case == "second":
    bucket = SecureBucket(top, "Plain")
    document = {"Version": "2012-10-17", "Statement": []}
    s3.CfnBucketPolicy(top, "Second", bucket=bucket.bucket_name, policy_document=document)
elif case == "product":
    from aws_cdk import aws_servicecatalog as catalog

    class Offer(catalog.ProductStack):
        def __init__(self, scope, id):
            super().__init__(scope, id)
            s3.Bucket(self, "Plain")

    template = catalog.CloudFormationTemplate.from_product_stack(Offer(top, "Offer"))
    version = catalog.CloudFormationProductVersion(cloud_formation_template=template)
    catalog.CloudFormationProduct(
        top, "Product", owner="us", product_name="bucket", product_versions=[version]
    )
elif case == "raw":
    cdk.CfnResource(top, "Plain", type="AWS::S3::Bucket")
elif case == "later-aspect":

    @jsii.implements(cdk.IAspect)
    class Opener:
        def visit(self, node):
            if isinstance(node, s3.CfnBucketPolicy) and node.node.path.startswith("Top/"):
                node.policy_document = {"Version": "2012-10-17", "Statement": []}

    cdk.Aspects.of(app).add(Opener(), priority=900)
"""
)

OLD_TEMPLATE = '{"Resources": {"OldBucket": {"Type": "AWS::S3::Bucket"}}}'


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Run:
    directory = tmp_path_factory.mktemp("gate")
    (directory / "old.json").write_text(OLD_TEMPLATE, encoding="utf-8")
    write_app(directory, "import jsii\n" + CASES)
    return Run(0, "", "", directory)


@pytest.mark.parametrize(
    ("case", "path", "words"),
    [
        ("top", "Top/Plain", ["the bucket has no policy"]),
        ("nested", "Top/Nested/Plain", ["the bucket has no policy"]),
        ("stage", "Prod/Data/Plain", ["the bucket has no policy"]),
        ("stage-nested", "Prod/Data/Nested/Plain", ["the bucket has no policy"]),
        ("deep-stage", "Prod/Data/Holder/Inner/Data/Plain", ["the bucket has no policy"]),
        ("l1", "Top/Plain", ["the bucket has no policy"]),
        ("include", "Top/Old/OldBucket", ["the bucket has no policy"]),
        ("product", "Top/Offer/Plain", ["the bucket has no policy"]),
        ("raw", "Top/Plain", ["the bucket has no policy"]),
        ("override", "Top/Plain", []),
        ("narrowed", "Top/Ledger", ["`HttpsOnly`", "vpc-1"]),
        ("second", "Top/Plain", []),
        ("later-aspect", "Top/Good", []),
    ],
)
def test_a_bucket_that_answers_plain_http_fails_the_synthesis(
    app: Run, case: str, path: str, words: list[str]
) -> None:
    run = app.again("-c", f"case={case}", "**")
    assert run.code == 1, run.stderr
    block = run.block(f"ERROR `{path}`", "over plain HTTP", "secure-bucket::SB001")
    assert "Suggested fix: " in block
    for word in words:
        assert word in block
    assert run.summary is not None
    assert "1 accepting plain HTTP" in run.summary


def test_the_last_policy_wins_and_that_is_a_finding_of_its_own(app: Run) -> None:
    run = app.again("-c", "case=second")
    assert run.code == 1
    assert "`Top/Plain`" in run.block("secure-bucket::SB003")


def test_an_app_without_fault_passes_with_one_line(app: Run) -> None:
    run = app.again()
    assert run.code == 0, run.stderr
    assert run.summary == "secure-bucket: 2 buckets, 2 proven"
    assert run.blocks == []
    assert "secure-bucket" not in run.stdout


@pytest.mark.parametrize("arguments", [[], ["Top"], ["**"]])
def test_a_finding_inside_a_stage_is_shown_whatever_is_selected(app: Run, arguments: list[str]) -> None:
    run = app.again("-c", "case=stage", *arguments)
    assert run.code == 1, run.stderr
    assert "`Prod/Data/Plain`" in run.stderr
    assert "over plain HTTP" in run.stderr


def test_a_finding_in_a_stack_that_is_not_selected_fails_the_synthesis_too(app: Run) -> None:
    run = app.again("-c", "case=top", "Prod/Data")
    assert run.code == 1, run.stderr
    assert "`Top/Plain`" in run.block("this app does not synthesize")


@pytest.mark.parametrize("case", ["top", "stage-nested"])
def test_without_the_command_line_of_the_cdk_it_fails_as_well(app: Run, case: str) -> None:
    # The variable switches the CDK's own validation off, and must not touch this one.
    run = app.python(CDK_CONTEXT_JSON=json.dumps({"case": case}), CDK_VALIDATION="false")
    assert run.code == 1, run.stderr
    assert "Plain`" in run.stderr
    assert "over plain HTTP" in run.stderr


def test_the_report_holds_the_place_where_the_bucket_was_made(app: Run) -> None:
    run = app.again("-c", "case=stage")
    violation, _ = run.report()["violations"]
    bucket = violation["violatingConstructs"][0]
    assert bucket["constructPath"] == "Prod/Data/Plain/Resource"
    assert bucket["cloudFormationResource"]["logicalId"].startswith("Plain")
    assert any("app.py:" in trace for trace in bucket["stackTraces"])


PLUGIN = "\ncdk.Validations.of(app).add_plugins(SecureTransportValidation({}))\n"


def test_the_plugin_by_itself_is_a_gate(tmp_path: Path) -> None:
    body = 's3.Bucket(cdk.Stack(cdk.Stage(app, "Prod"), "Data"), "Plain")\n'
    run = cdk_synth(tmp_path, body, "**", gate=PLUGIN.format(""))
    assert run.code == 1
    run.block("`Prod/Data/Plain`", "over plain HTTP", "secure-bucket::SB001")


def test_the_plugin_and_the_aspect_in_one_app_judge_it_once(tmp_path: Path) -> None:
    body = 'SecureBucket(cdk.Stack(app, "Top"), "Good")\ns3.Bucket(cdk.Stack(app, "Other"), "Plain")\n'
    aspects = "cdk.Aspects.of(app).add(SecureTransportAspect())\n" * 2
    run = cdk_synth(tmp_path, body, gate=PLUGIN.format("") + aspects)
    assert run.code == 1
    run.block("`Other/Plain`", "secure-bucket::SB001")
    assert run.summary == "secure-bucket: 2 buckets, 1 proven, 1 accepting plain HTTP"
    run.report()


@pytest.mark.parametrize(
    "scope", ['app.node.find_child("Top")', 'app.node.find_child("Top").node.find_child("Good")', "stage"]
)
def test_an_aspect_anywhere_is_a_gate_for_the_whole_app(tmp_path: Path, scope: str) -> None:
    body = """
    top = cdk.Stack(app, "Top")
    SecureBucket(top, "Good")
    stage = cdk.Stage(app, "Prod")
    s3.Bucket(cdk.Stack(stage, "Data"), "Plain")
    """
    run = cdk_synth(tmp_path, body, "**", gate=f"cdk.Aspects.of({scope}).add(SecureTransportAspect())")
    assert run.code == 1
    run.block("`Prod/Data/Plain`", "secure-bucket::SB001")


def test_quiet_keeps_the_summary_back_and_nothing_else(tmp_path: Path) -> None:
    body = 'top = cdk.Stack(app, "Top")\nif app.node.try_get_context("bad"): s3.Bucket(top, "Plain")\n'
    run = cdk_synth(tmp_path, body, gate="cdk.Aspects.of(app).add(SecureTransportAspect(quiet=True))")
    assert (run.code, run.summary) == (0, None)
    run = run.again("-c", "bad=true")
    assert (run.code, run.summary) == (1, None)
    run.block("`Top/Plain`", "over plain HTTP")


UNDECIDED = (
    NARROWED
    + """
top = cdk.Stack(app, "Top")
bucket = narrow(top, {"StringEquals": {"aws:SecureTransport": "false"}})
"""
)


def test_what_cannot_be_proven_fails(tmp_path: Path) -> None:
    run = cdk_synth(tmp_path, UNDECIDED)
    assert run.code == 1
    run.block("ERROR `Top/Ledger`", "secure-bucket::SB002")
    assert run.summary == "secure-bucket: 1 bucket, 0 proven, 1 undecided"


def test_what_cannot_be_proven_is_a_warning_if_asked(tmp_path: Path) -> None:
    gate = 'cdk.Aspects.of(app).add(SecureTransportAspect(undecided="warning"))'
    run = cdk_synth(tmp_path, UNDECIDED, gate=gate)
    assert run.code == 0, run.stderr
    run.block("WARNING `Top/Ledger`", "secure-bucket::SB002")


@pytest.mark.parametrize(
    "lenient",
    [
        'cdk.Aspects.of(app).add(SecureTransportAspect(undecided="warning", quiet=True))',
        PLUGIN.format('undecided="warning", quiet=True'),
    ],
)
def test_the_strictest_of_several_decides(tmp_path: Path, lenient: str) -> None:
    gate = f"{lenient}\ncdk.Aspects.of(app).add(SecureTransportAspect())\n"
    run = cdk_synth(tmp_path, UNDECIDED, gate=gate)
    assert run.code == 1
    assert run.summary is not None
