"""Policies that may be absent where the bucket is deployed can refute it, and never prove it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from secure_bucket import check_assembly
from secure_bucket.checks import check_templates
from secure_bucket.findings import Report

ARN = "arn:aws:s3:::acme-reports"
DENY = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": [ARN, f"{ARN}/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
BUCKET = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "acme-reports"}}


def policy(*statements: Any) -> dict[str, Any]:
    properties = {"Bucket": "acme-reports", "PolicyDocument": {"Statement": list(statements)}}
    return {"Type": "AWS::S3::BucketPolicy", "Properties": properties}


STRONG, WEAK = policy(DENY), policy()


def template(**resources: Any) -> dict[str, Any]:
    home = {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]}
    return {"Conditions": {"Home": home}, "Resources": resources}


def assembly(directory: Path, *, assets: dict[str, Any] | None = None, **stacks: Any) -> Report:
    """Write an assembly, with a Stage for each name that has one, as `Stage__Stack`."""
    directory.mkdir(exist_ok=True)
    manifests: dict[str, dict[str, Any]] = {"": {}}
    for name, content in stacks.items():
        stage, _, stack = name.rpartition("__")
        here = directory / f"assembly-{stage}" if stage else directory
        here.mkdir(exist_ok=True)
        (here / f"{stack}.template.json").write_text(json.dumps(content))
        manifests.setdefault(stage, {})[stack] = {
            "type": "aws:cloudformation:stack",
            "environment": "aws://unknown-account/unknown-region",
            "displayName": name.replace("__", "/"),
            "properties": {"templateFile": f"{stack}.template.json"},
        }
    for stage in list(manifests):
        if stage:
            properties = {"directoryName": f"assembly-{stage}"}
            manifests[""][stage] = {"type": "cdk:cloud-assembly", "properties": properties}
    if assets:
        files = {}
        for key, content in assets.items():
            (directory / f"{key}.template.json").write_text(json.dumps(content))
            files[key] = {"source": {"path": f"{key}.template.json"}, "destinations": {}}
        (directory / "Top.assets.json").write_text(json.dumps({"files": files}))
        manifests[""]["Top.assets"] = {
            "type": "cdk:asset-manifest",
            "properties": {"file": "Top.assets.json"},
        }
    for stage, artifacts in manifests.items():
        here = directory / f"assembly-{stage}" if stage else directory
        (here / "manifest.json").write_text(json.dumps({"version": "48.0.0", "artifacts": artifacts}))
    return check_assembly(directory)


def url(key: str) -> dict[str, Any]:
    return {"Fn::Sub": f"https://s3.${{AWS::Region}}.${{AWS::URLSuffix}}/assets/{key}.json"}


KEY, OTHER = "a" * 64, "b" * 64
PRODUCT = {
    "Type": "AWS::ServiceCatalog::CloudFormationProduct",
    "Properties": {"ProvisioningArtifactParameters": [{"Info": {"LoadTemplateFromURL": url(KEY)}}]},
}
SET = {"Type": "AWS::CloudFormation::StackSet", "Properties": {"TemplateURL": url(KEY)}}
CHOSEN = {
    "Type": "AWS::CloudFormation::Stack",
    "Properties": {"TemplateURL": {"Fn::If": ["Home", url(KEY), url(OTHER)]}},
}


def body(content: dict[str, Any]) -> dict[str, Any]:
    properties = {"TemplateBody": json.dumps(content)}
    return {"Type": "AWS::CloudFormation::StackSet", "Properties": properties}


def only_verdict(report: Report) -> str:
    (bucket,) = report.buckets
    return type(bucket.verdict).__name__


@pytest.mark.parametrize("deployer", [PRODUCT, SET, CHOSEN, None], ids=["product", "set", "chosen", "asset"])
@pytest.mark.parametrize("where", ["here", "other stack"])
def test_a_policy_in_a_template_that_may_not_be_deployed_proves_nothing(
    tmp_path: Path, deployer: dict[str, Any] | None, where: str
) -> None:
    deployed = {} if deployer is None else {"Deployer": deployer}
    stacks = (
        {"Top": template(Reports=BUCKET, **deployed)}
        if where == "here"
        else {"Top": template(Reports=BUCKET), "Other": template(**deployed)}
    )
    assets = {KEY: template(Policy=STRONG), OTHER: template()}
    assert only_verdict(assembly(tmp_path / "cdk.out", assets=assets, **stacks)) == "Refuted"


@pytest.mark.parametrize("deployer", [PRODUCT, SET, CHOSEN], ids=["product", "set", "chosen"])
def test_a_weaker_policy_in_a_template_that_may_be_deployed_refutes(
    tmp_path: Path, deployer: dict[str, Any]
) -> None:
    top = template(Reports=BUCKET, Policy=STRONG, Deployer=deployer)
    assert (
        only_verdict(assembly(tmp_path / "a", assets={KEY: template(), OTHER: template()}, Top=top))
        == "Proven"
    )
    weaker = {KEY: template(Policy=WEAK), OTHER: template()}
    assert only_verdict(assembly(tmp_path / "b", assets=weaker, Top=top)) == "Refuted"


def test_a_policy_in_the_body_of_a_stack_set_proves_nothing(tmp_path: Path) -> None:
    top = template(Reports=BUCKET, Everywhere=body(template(Policy=STRONG)))
    assert only_verdict(assembly(tmp_path, Top=top)) == "Refuted"


def test_the_policy_of_the_same_product_proves(tmp_path: Path) -> None:
    product = {KEY: template(Reports=BUCKET, Policy=STRONG)}
    assert only_verdict(assembly(tmp_path, assets=product, Top=template(Deployer=PRODUCT))) == "Proven"


def test_a_policy_of_the_app_proves_no_bucket_of_a_product(tmp_path: Path) -> None:
    top = template(Deployer=PRODUCT, Policy=STRONG)
    assert only_verdict(assembly(tmp_path, assets={KEY: template(Reports=BUCKET)}, Top=top)) == "Refuted"


@pytest.mark.parametrize("where", ["Beta__Policies", "Policies"])
def test_a_policy_of_another_stage_proves_nothing(tmp_path: Path, where: str) -> None:
    stacks = {"Alpha__Buckets": template(Reports=BUCKET), where: template(Policy=STRONG)}
    assert only_verdict(assembly(tmp_path, **stacks)) == "Refuted"


@pytest.mark.parametrize("stage", ["", "Alpha__"])
def test_a_policy_of_another_stack_proves_together_with_that_stack(tmp_path: Path, stage: str) -> None:
    stacks = {f"{stage}Buckets": template(Reports=BUCKET), f"{stage}Policies": template(Policy=STRONG)}
    report = assembly(tmp_path, **stacks)
    assert only_verdict(report) == "Proven"
    name = f"{stage}Policies".replace("__", "/")
    assert report.buckets[0].together_with == report.partners == (name,)


def test_templates_of_one_run_prove_each_other_by_name(tmp_path: Path) -> None:
    for name, content in (("buckets", template(Reports=BUCKET)), ("policies", template(Policy=STRONG))):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    report = check_templates([tmp_path / "buckets.json", tmp_path / "policies.json"])
    assert report.partners == ("policies",)


def test_a_policy_of_a_nested_stack_needs_no_other_stack(tmp_path: Path) -> None:
    nested = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url(KEY)}}
    assets = {KEY: template(Policy=STRONG)}
    report = assembly(tmp_path, assets=assets, Top=template(Reports=BUCKET, Nested=nested))
    assert (only_verdict(report), report.partners) == ("Proven", ())


def test_a_path_in_a_template_of_another_app_is_attributed_to_nobody(tmp_path: Path) -> None:
    claimed = {**BUCKET, "Metadata": {"aws:cdk:path": "Top/Accepted/Resource"}}
    report = assembly(tmp_path, assets={KEY: template(Reports=claimed)}, Top=template(Deployer=PRODUCT))
    assert [bucket.construct_path for bucket in report.buckets] == [""]


@pytest.mark.parametrize("where", ["document", "condition"])
def test_a_stack_is_deployed_where_another_one_cannot_be(tmp_path: Path, where: str) -> None:
    there = {"Fn::FindInMap": ["Rows", {"Ref": "AWS::Region"}, "Name"]}
    strong: dict[str, Any] = json.loads(json.dumps(STRONG))
    if where == "document":
        strong["Properties"]["PolicyDocument"]["Statement"][0]["Sid"] = there
    else:
        strong["Condition"] = "HasName"
    other = template(Policy=strong)
    other["Mappings"] = {"Rows": {"eu-west-1": {"Name": "acme-reports"}}}
    other["Conditions"]["HasName"] = {"Fn::Equals": [there, "acme-reports"]}
    top = template(Reports=BUCKET, Policy={**STRONG, "Condition": "Near"})
    top["Conditions"]["Near"] = {"Fn::Not": [{"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}]}
    assert only_verdict(assembly(tmp_path, Top=top, Other=other)) == "Refuted"
