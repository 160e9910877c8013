"""Templates that the gate does not read: the real `cdk synth` fails and names them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.synth.harness import Run, cdk_synth

pytestmark = pytest.mark.slow

SETUP = """
import jsii
from aws_cdk import aws_servicecatalog as catalog
from aws_cdk import cloudformation_include

URL = "https://s3.amazonaws.com/templates/vpc.yaml"


def offer(stack, template):
    version = catalog.CloudFormationProductVersion(cloud_formation_template=template)
    catalog.CloudFormationProduct(
        stack, "Deployed", owner="us", product_name="bucket", product_versions=[version]
    )


def stack_set(stack, **template):
    cdk.CfnStackSet(stack, "Deployed", stack_set_name="set", permission_model="SELF_MANAGED", **template)


class Offer(catalog.ProductStack):
    def __init__(self, scope):
        super().__init__(scope, "Offer")
        s3.Bucket(self, "Plain", versioned=scope.node.id == "ByHashProduct")
"""

UNREAD = (
    SETUP
    + """
cdk.CfnStack(cdk.Stack(app, "Url"), "Deployed", template_url=URL)
cdk.CfnStack(cdk.Stack(cdk.Stage(app, "Prod"), "Data"), "Deployed", template_url=URL)
cdk.CfnStack(cdk.NestedStack(cdk.Stack(app, "Deep"), "Nested"), "Deployed", template_url=URL)
overridden = cdk.NestedStack(cdk.Stack(app, "Overridden"), "Nested")
s3.Bucket(overridden, "Good", enforce_ssl=True)
overridden.nested_stack_resource.add_property_override("TemplateURL", URL)
cloudformation_include.CfnInclude(cdk.Stack(app, "Include"), "Old", template_file="parent.json")
stack_set(cdk.Stack(app, "Set"), template_url=URL)
stack_set(cdk.Stack(app, "Body"), template_body=cdk.Fn.ref("AWS::Region"))
cdk.CfnResource(cdk.Stack(app, "Module"), "Deployed", type="Acme::S3::Bucket::MODULE")
catalog.CfnCloudFormationProvisionedProduct(cdk.Stack(app, "Provisioned"), "Deployed", product_name="bucket")
offer(cdk.Stack(app, "Product"), catalog.CloudFormationTemplate.from_url(URL))
queue = cdk.CfnResource(cdk.Stack(app, "Transform"), "Deployed", type="AWS::SQS::Queue")
queue.add_override("Fn::Transform", {"Name": "AWS::Include"})
macro = cdk.Stack(app, "Macro")
macro.add_transform("Acme")
cdk.CfnResource(macro, "Queue", type="AWS::SQS::Queue")
"""
)

PARENT = {
    "Resources": {"Deployed": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "a"}}}
}


@pytest.fixture(scope="module")
def unread(tmp_path_factory: pytest.TempPathFactory) -> Run:
    directory = tmp_path_factory.mktemp("unread")
    (directory / "parent.json").write_text(json.dumps(PARENT), encoding="utf-8")
    return cdk_synth(directory, UNREAD, "**")


@pytest.mark.parametrize(
    "name",
    [
        "Url/Deployed",
        "Prod/Data/Deployed",
        "Deep/Nested/Deployed",
        "Overridden/Nested.NestedStack/Nested.NestedStackResource",
        "Include/Old/Deployed",
        "Set/Deployed",
        "Body/Deployed",
        "Module/Deployed",
        "Provisioned/Deployed",
        "Product/Deployed",
        "Transform/Deployed",
        "Macro",
    ],
)
def test_an_unread_template_fails_the_synthesis_by_name(unread: Run, name: str) -> None:
    assert unread.code == 1, unread.stderr
    unread.block(f"ERROR `{name}`", "secure-bucket::SB010", "is not read")


def test_the_summary_counts_the_unread_templates(unread: Run) -> None:
    assert unread.summary is not None
    assert unread.summary.startswith("secure-bucket: 1 bucket, 1 proven, 12 templates unread (`")


JUDGED = (
    SETUP
    + """
class Company(cdk.StackSynthesizer):
    def __init__(self, by_name):
        super().__init__()
        self.by_name = by_name

    def add_file_asset(self, asset):
        key = asset.file_name if self.by_name else f"templates/{asset.source_hash}"
        url = "https://example.com/" + key
        return cdk.FileAssetLocation(
            bucket_name="company", object_key=key, http_url=url, s3_object_url="s3://company/" + key
        )

    def add_docker_image_asset(self, asset):
        raise NotImplementedError

    def synthesize(self, session):
        self._synthesize_template(session)
        self._emit_artifact(session)


def nested(name, synthesizer):
    return s3.Bucket(cdk.NestedStack(cdk.Stack(app, name, synthesizer=synthesizer), "Nested"), "Plain")


nested("Usual", None)
nested("Legacy", cdk.LegacyStackSynthesizer())
nested("ByName", Company(True))
nested("ByHash", Company(False))
s3.Bucket(cdk.Stack(app, "Policies"), "Good", enforce_ssl=True)
for name, synthesizer in (
    ("UsualProduct", None), ("LegacyProduct", cdk.LegacyStackSynthesizer()), ("ByNameProduct", Company(True)),
    ("ByHashProduct", Company(False))
):
    stack = cdk.Stack(app, name, synthesizer=synthesizer)
    offer(stack, catalog.CloudFormationTemplate.from_product_stack(Offer(stack)))
body = cdk.Fn.sub("Resources: {PlainInBody: {Type: '${Kind}'}}", {"Kind": "AWS::S3::Bucket"})
stack_set(cdk.Stack(app, "Body"), template_body=body)
"""
)


def test_the_templates_of_every_synthesizer_are_judged(tmp_path: Path) -> None:
    run = cdk_synth(tmp_path, JUDGED, "--no-asset-metadata", "--no-path-metadata")
    assert run.code == 1
    for name in ("Usual", "Legacy", "ByName", "ByHash"):
        run.block(f"ERROR `{name}/Nested/Plain`", "over plain HTTP", "secure-bucket::SB001")
        run.block(f"ERROR `{name}Product/Offer/Plain`", "over plain HTTP", "secure-bucket::SB001")
    # Nothing tells which product the hash of an unknown asset means.
    assert [block for block in run.blocks if "SB010" in block] == [
        run.block("ERROR `ByHashProduct/Deployed`", "secure-bucket::SB010")
    ]
    run.block("ERROR", "`PlainInBody`", "over plain HTTP", "secure-bucket::SB001")


ACCEPTED = (
    SETUP
    + """
nested = cdk.CfnStack(cdk.Stack(app, "Top"), "Deployed", template_url=URL)
accepted = cdk.Acknowledgment(id="secure-bucket::SB010", reason="the network team checks it")
if app.node.try_get_context("accepted"):
    cdk.Validations.of(nested).acknowledge(accepted)
gate = SecureTransportAspect(undecided=app.node.try_get_context("undecided") or "error")
cdk.Aspects.of(app).add(gate)
"""
)


def test_an_unread_template_can_be_a_warning_or_accepted(tmp_path: Path) -> None:
    run = cdk_synth(tmp_path, ACCEPTED, "-c", "undecided=warning", gate="")
    assert run.code == 0, run.stderr
    run.block("WARNING `Top/Deployed`", "secure-bucket::SB010")
    assert run.summary == "secure-bucket: 0 buckets, 0 proven, 1 template unread (`Top/Deployed`)"
    run = run.again("-c", "accepted=yes")
    assert run.code == 0, run.stderr
    assert run.summary is not None
    assert "1 acknowledged" in run.summary
    assert "1 template unread (`Top/Deployed`)" in run.summary
