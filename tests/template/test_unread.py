"""Templates that a resource deploys: each is judged, or it is a finding that names it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from secure_bucket.checks import check_template, check_templates
from secure_bucket.errors import TemplateError
from secure_bucket.findings import Report

BUCKET = {"Resources": {"Plain": {"Type": "AWS::S3::Bucket"}}}
URL = "https://s3.amazonaws.com/templates/child.json"
HERE = {"Fn::If": ["Home", "./child.json", URL]}
MODULE = "Acme::S3::Bucket::MODULE"
STACK = "AWS::CloudFormation::Stack"
SET = "AWS::CloudFormation::StackSet"
APPLICATION = "AWS::Serverless::Application"
PRODUCT = "AWS::ServiceCatalog::CloudFormationProduct"
PROVISIONED = "AWS::ServiceCatalog::CloudFormationProvisionedProduct"


def check(tmp_path: Path, resources: dict[str, Any], **files: Any) -> Report:
    for name, content in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    template = {"Conditions": {"Home": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]}}}
    (tmp_path / "parent.json").write_text(json.dumps({**template, "Resources": resources}), encoding="utf-8")
    return check_templates([tmp_path / "parent.json"])


def versions(*infos: dict[str, Any]) -> dict[str, Any]:
    return {"ProvisioningArtifactParameters": [{"Info": info} for info in infos]}


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        (STACK, {"TemplateURL": URL}),
        (STACK, {"TemplateURL": {"Ref": "Url"}}),
        (STACK, {"TemplateURL": {"Fn::Sub": "https://${Host}/child.json"}}),
        (STACK, {"TemplateURL": HERE}),
        (STACK, {}),
        (STACK, None),
        (STACK, {"Fn::Transform": {"Name": "AWS::Include"}}),
        (SET, {"TemplateURL": URL}),
        (SET, {"TemplateURL": HERE}),
        (SET, {"TemplateBody": {"Ref": "Body"}}),
        (SET, {"TemplateBody": {"Fn::Sub": "Description: ${AWS::Region}\nResources: {}"}}),
        (APPLICATION, {"Location": URL}),
        (APPLICATION, {"Location": {"ApplicationId": "arn:aws:serverlessrepo:x", "SemanticVersion": "1"}}),
        (PRODUCT, versions({"LoadTemplateFromURL": URL})),
        (PRODUCT, versions({"LoadTemplateFromURL": "./child.json"}, {"LoadTemplateFromURL": URL})),
        (PRODUCT, versions({"ImportFromPhysicalId": "arn:aws:cloudformation:x"})),
        (PRODUCT, {"SourceConnection": {"Type": "CODESTAR"}}),
        (PROVISIONED, {"ProductName": "bucket"}),
        (PROVISIONED, {"ProductId": {"Ref": "Another"}}),
        (MODULE, {}),
        (MODULE, None),
    ],
)
def test_a_template_that_is_not_at_hand_is_an_undecided_finding(
    tmp_path: Path, kind: str, properties: dict[str, Any] | None
) -> None:
    resource = {"Type": kind} if properties is None else {"Type": kind, "Properties": properties}
    report = check(tmp_path, {"Deployed": resource}, child={"Resources": {}})
    (finding,) = report.findings
    assert (finding.rule, finding.logical_id, finding.level.value) == ("SB010", "Deployed", "error")
    assert finding.at.file == str(tmp_path / "parent.json")


def project(detail: dict[str, Any]) -> dict[str, Any]:
    return {"TemplateProviderDetails": [{"CfnTemplateProviderDetail": detail}]}


def test_an_application_that_is_published_without_a_template_has_nothing_unread(tmp_path: Path) -> None:
    resource = {"Type": "AWS::ServerlessRepo::Application", "Properties": {"Name": "app"}}
    assert check(tmp_path, {"App": resource}).findings == ()


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        (STACK, {"TemplateURL": "./child.json"}),
        (STACK, {"TemplateURL": "child.json"}),
        (STACK, {"TemplateURL": {"Fn::If": ["Home", "child.json", "other.json"]}}),
        (SET, {"TemplateURL": "child.json"}),
        (SET, {"TemplateBody": json.dumps(BUCKET)}),
        (
            SET,
            {
                "TemplateBody": {
                    "Fn::Join": ["", ['{"Resources": {"Plain": ', '{"Type": "AWS::S3::Bucket"}}}']]
                }
            },
        ),
        (
            SET,
            {
                "TemplateBody": {
                    "Fn::Sub": "Resources: {Plain: {Type: AWS::S3::Bucket, DeletionPolicy: Retain}}"
                }
            },
        ),
        (
            SET,
            {"TemplateBody": {"Fn::Sub": ["Resources: {Plain: {Type: '${T}'}}", {"T": "AWS::S3::Bucket"}]}},
        ),
        (APPLICATION, {"Location": "child.json"}),
        (PRODUCT, versions({"LoadTemplateFromURL": "child.json"})),
        ("AWS::SageMaker::Project", project({"TemplateURL": "child.json"})),
        (
            "AWS::SageMaker::Project",
            project({"TemplateURL": {"Fn::If": ["Home", "other.json", "child.json"]}}),
        ),
        ("AWS::CloudFormation::ChangeSet", {"TemplateURL": "child.json"}),
        ("AWS::CloudFormation::ChangeSet", {"TemplateBody": json.dumps(BUCKET)}),
        ("AWS::ServerlessRepo::Application", {"Name": "app", "TemplateBody": json.dumps(BUCKET)}),
    ],
)
def test_a_template_that_is_at_hand_is_judged(tmp_path: Path, kind: str, properties: dict[str, Any]) -> None:
    resources = {"Deployed": {"Type": kind, "Properties": properties}}
    report = check(tmp_path, resources, child=BUCKET, other={"Resources": {}})
    assert [(bucket.logical_id, type(bucket.verdict).__name__) for bucket in report.buckets] == [
        ("Plain", "Refuted")
    ]
    assert {finding.rule for finding in report.findings} == {"SB001"}


def test_a_provisioned_product_of_a_product_that_is_read_is_read(tmp_path: Path) -> None:
    product = {"Type": PRODUCT, "Properties": versions({"LoadTemplateFromURL": "child.json"})}
    provisioned = {"Type": PROVISIONED, "Properties": {"ProductId": {"Ref": "Product"}}}
    report = check(tmp_path, {"Provisioned": provisioned, "Product": product}, child=BUCKET)
    assert {finding.rule for finding in report.findings} == {"SB001"}


@pytest.mark.parametrize("name", ["child.json", "templates/child.json"])
@pytest.mark.parametrize("ending", ["", "?versionId=1"])
def test_a_url_that_ends_in_a_file_of_the_run_is_that_file(tmp_path: Path, name: str, ending: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(json.dumps(BUCKET))
    nested = {"Type": STACK, "Properties": {"TemplateURL": URL + ending}}
    (tmp_path / "parent.json").write_text(json.dumps({"Resources": {"Nested": nested}}))
    report = check_templates([tmp_path / "parent.json", tmp_path / name])
    assert [bucket.logical_id for bucket in report.buckets] == ["Plain"]
    assert {finding.rule for finding in report.findings} == {"SB001"}


def test_a_url_that_could_be_two_files_of_the_run_is_neither(tmp_path: Path) -> None:
    nested = {"Type": STACK, "Properties": {"TemplateURL": URL}}
    (tmp_path / "parent.json").write_text(json.dumps({"Resources": {"Nested": nested}}))
    files = [tmp_path / "parent.json"]
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        files.append(tmp_path / folder / "child.json")
        files[-1].write_text('{"Resources": {}}')
    assert [finding.rule for finding in check_templates(files).findings] == ["SB010"]


@pytest.mark.parametrize(
    "body",
    [
        '{"Resources": {"A": {"Type": "AWS::SQS::Queue\\ud800"}}}',
        "Resources: {}\n---\nResources: {}",
        "[" * 500 + "]" * 500,
        ": [",
        "[]",
        "",
        '{"Resources": []}',
        '{"Resources": {}, "Resources": {"A": {"Type": "AWS::S3::Bucket"}}}',
        '{"unknown": 1}',
    ],
)
def test_a_template_body_that_cannot_be_read_is_a_fault_as_in_a_file(tmp_path: Path, body: str) -> None:
    (tmp_path / "child.json").write_bytes(body.encode("utf-8", "surrogatepass"))
    with pytest.raises(TemplateError):
        check_template(tmp_path / "child.json")
    with pytest.raises(TemplateError, match="TemplateBody of Everywhere"):
        check(tmp_path, {"Everywhere": {"Type": SET, "Properties": {"TemplateBody": body}}})


def test_a_bucket_that_stands_twice_in_a_template_body_is_a_fault_as_in_a_file(tmp_path: Path) -> None:
    bucket = '"A": {"Type": "AWS::S3::Bucket"}'
    body = f'{{"Resources": {{{bucket}, "A": {{"Type": "AWS::SNS::Topic"}}}}}}'
    report = check(tmp_path, {"Everywhere": {"Type": SET, "Properties": {"TemplateBody": body}}})
    (fault,) = report.faults
    assert "TemplateBody of Everywhere" in fault.file
    assert "`A`" in fault.message


@pytest.mark.parametrize("kind", ["AWS::SQS::Queue", "AWS::S3::Bucket", STACK])
def test_a_resource_that_a_macro_rewrites_is_unread(tmp_path: Path, kind: str) -> None:
    resource = {"Type": kind, "Fn::Transform": {"Name": "AWS::Include"}}
    report = check(tmp_path, {"Rewritten": resource})
    assert [finding.logical_id for finding in report.findings if finding.rule == "SB010"] == ["Rewritten"]


def test_a_nested_stack_in_a_loop_is_unread(tmp_path: Path) -> None:
    nested = {"Type": STACK, "Properties": {"TemplateURL": URL}}
    report = check(tmp_path, {"Fn::ForEach::Each": ["Name", ["A", "B"], {"Nested${Name}": nested}]})
    assert [finding.logical_id for finding in report.findings] == ["NestedA", "NestedB"]
