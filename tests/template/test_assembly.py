"""Cloud assemblies, as the CDK itself writes them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from secure_bucket import check_assembly
from secure_bucket.checks import check_templates
from secure_bucket.errors import TemplateError
from secure_bucket.findings import Report
from secure_bucket.proof import Proven, Refuted

cdk = pytest.importorskip("aws_cdk")
s3 = pytest.importorskip("aws_cdk.aws_s3")
servicecatalog = pytest.importorskip("aws_cdk.aws_servicecatalog")


def deny(arn: str) -> dict[str, Any]:
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [arn, f"{arn}/*"]}
    return {"Statement": {**statement, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}}


def policy(scope: Any, name: str, bucket: Any, document: dict[str, Any] | None = None) -> None:
    s3.CfnBucketPolicy(
        scope, name, bucket=bucket.bucket_name, policy_document=document or deny(bucket.bucket_arn)
    )


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An app in which buckets and their policies are in different templates."""
    out = tmp_path_factory.mktemp("cdk") / "cdk.out"
    app = cdk.App(outdir=str(out), analytics_reporting=False)

    exporter = cdk.Stack(app, "Exporter")
    importer = cdk.Stack(app, "Importer")
    policy(importer, "PolicyOfExported", s3.Bucket(exporter, "Exported"))
    s3.Bucket(exporter, "Forgotten")

    parent = cdk.Stack(app, "Parent")
    child = cdk.NestedStack(parent, "Child")
    s3.Bucket(child, "Own", enforce_ssl=True)
    s3.Bucket(child, "ForgottenInChild")
    policy(parent, "PolicyOfChild", s3.Bucket(child, "ForParent"))
    policy(child, "PolicyOfParent", s3.Bucket(parent, "ForChild"))
    grandchild = cdk.NestedStack(child, "Grandchild")
    s3.Bucket(grandchild, "ForgottenInGrandchild")

    stage = cdk.Stage(app, "Stage", env=cdk.Environment(account="111122223333", region="cn-north-1"))
    stack = cdk.Stack(stage, "Stack")
    s3.Bucket(stack, "Chinese", enforce_ssl=True)
    s3.Bucket(stack, "ForgottenInStage")
    s3.Bucket(cdk.NestedStack(stack, "Nested"), "ForgottenInStagesChild")

    class Product(servicecatalog.ProductStack):  # type: ignore[misc, name-defined]
        pass

    product = Product(stack, "ProductStack")
    s3.Bucket(product, "ForgottenInProduct")
    servicecatalog.CloudFormationProduct(
        stack,
        "Product",
        product_name="product",
        owner="owner",
        product_versions=[
            servicecatalog.CloudFormationProductVersion(
                product_version_name="v1",
                cloud_formation_template=servicecatalog.CloudFormationTemplate.from_product_stack(product),
            )
        ],
    )
    app.synth()
    return out


def verdicts(report: Report) -> dict[str, str]:
    return {bucket.construct_path: type(bucket.verdict).__name__ for bucket in report.buckets}


def test_every_bucket_of_every_template_gets_its_verdict(directory: Path) -> None:
    assert verdicts(check_assembly(directory)) == {
        "Exporter/Exported/Resource": "Proven",
        "Exporter/Forgotten/Resource": "Refuted",
        "Parent/Child/Own/Resource": "Proven",
        "Parent/Child/ForgottenInChild/Resource": "Refuted",
        "Parent/Child/ForParent/Resource": "Proven",
        "Parent/ForChild/Resource": "Proven",
        "Parent/Child/Grandchild/ForgottenInGrandchild/Resource": "Refuted",
        "Stage/Stack/Chinese/Resource": "Proven",
        "Stage/Stack/ForgottenInStage/Resource": "Refuted",
        "Stage/Stack/Nested/ForgottenInStagesChild/Resource": "Refuted",
        "Stage/Stack/ProductStack/ForgottenInProduct/Resource": "Refuted",
    }


def test_constructs_are_known_by_their_path_to_an_older_cdk_too(directory: Path, tmp_path: Path) -> None:
    # Before 2.274 the metadata of an assembly did not tell the files of its templates.
    older = tmp_path / "cdk.out"
    shutil.copytree(directory, older)
    for file in [*older.rglob("manifest.json"), *older.rglob("*.metadata.json")]:
        written = json.loads(file.read_text())
        artifacts = written.get("artifacts", {})
        for metadata in [written, *(one.get("metadata", {}) for one in artifacts.values())]:
            for path, entries in metadata.items():
                if path.startswith("/"):
                    entries[:] = [entry for entry in entries if entry["type"] != "aws:cdk:templateFile"]
        file.write_text(json.dumps(written))
    assert not any("aws:cdk:templateFile" in file.read_text() for file in older.rglob("*.json"))

    newer = {path for path in verdicts(check_assembly(directory)) if "Product" not in path}
    assert newer - verdicts(check_assembly(older)).keys() == set()


def test_no_policy_of_the_app_is_taken_for_a_foreign_one(directory: Path) -> None:
    assert {finding.rule for finding in check_assembly(directory).findings} == {"SB001"}


def test_a_finding_in_a_nested_stack_names_its_own_template(directory: Path) -> None:
    (finding,) = (
        finding
        for finding in check_assembly(directory).findings
        if finding.construct_path == "Parent/Child/ForgottenInChild/Resource"
    )
    assert finding.template.endswith(".nested.template.json")
    assert finding.at.file == finding.template
    assert finding.at.line > 1


def test_the_region_of_the_stack_is_the_partition_of_its_buckets(directory: Path) -> None:
    (finding,) = (
        finding
        for finding in check_assembly(directory).findings
        if finding.construct_path == "Stage/Stack/ForgottenInStage/Resource"
    )
    assert finding.request is not None
    assert finding.request.resource.startswith("arn:aws-cn:s3:::")


def test_a_weak_reference_is_followed(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path / "cdk.out"), analytics_reporting=False)
    exporter, importer = cdk.Stack(app, "Exporter"), cdk.Stack(app, "Importer")
    cdk.CrossStackReferences.of(importer).consume(cdk.ReferenceStrength.WEAK)
    policy(importer, "Policy", s3.Bucket(exporter, "Exported"))
    app.synth()
    assert "Fn::GetStackOutput" in (tmp_path / "cdk.out" / "Importer.template.json").read_text()
    assert verdicts(check_assembly(tmp_path / "cdk.out")) == {"Exporter/Exported/Resource": "Proven"}


def test_one_nested_template_in_two_places_is_judged_in_each(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path / "cdk.out"), analytics_reporting=False)
    stack = cdk.Stack(app, "Stack")
    for name in ("Left", "Right"):
        nested = cdk.NestedStack(stack, name)
        bucket = s3.CfnBucket(nested, "Bucket")
        bucket.override_logical_id("Bucket")
        if name == "Left":
            s3.CfnBucketPolicy(nested, "Policy", bucket=bucket.ref, policy_document=deny(bucket.attr_arn))
    app.synth()
    report = check_assembly(tmp_path / "cdk.out")
    assert verdicts(report) == {"Stack/Left/Bucket": "Proven", "Stack/Right/Bucket": "Refuted"}


def test_stacks_given_as_files_know_each_other(directory: Path) -> None:
    report = check_templates([directory / "Importer.template.json", directory / "Exporter.template.json"])
    assert [type(bucket.verdict).__name__ for bucket in report.buckets] == ["Proven", "Refuted"]


@pytest.mark.parametrize(
    "broken",
    [
        "manifest.json",
        "Exporter.template.json",
        "Exporter.assets.json",
        "Exporter.metadata.json",
        "*.nested.template.json",
        "assembly-Stage/manifest.json",
        "assembly-Stage/*Stack*.product.template.json",
    ],
)
@pytest.mark.parametrize("how", ["missing", "truncated", "empty", "a list"])
def test_a_missing_or_broken_file_is_an_error(directory: Path, tmp_path: Path, broken: str, how: str) -> None:
    copy = tmp_path / "cdk.out"
    shutil.copytree(directory, copy)
    file = sorted(copy.glob(broken))[0]
    if how == "missing":
        file.unlink()
    else:
        text = file.read_text()
        file.write_text({"truncated": text[: len(text) // 2], "empty": "", "a list": "[]"}[how])
    with pytest.raises(TemplateError) as caught:
        check_assembly(copy)
    assert file.name in str(caught.value)


def test_a_manifest_that_contains_itself_ends(tmp_path: Path) -> None:
    nested = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "."}}
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"a": nested}}))
    with pytest.raises(TemplateError, match="nested deeper"):
        check_assembly(tmp_path)


def test_a_nested_stack_from_elsewhere_is_unread(tmp_path: Path) -> None:
    template = {
        "Resources": {
            "Vpc": {
                "Type": "AWS::CloudFormation::Stack",
                "Properties": {"TemplateURL": "https://example.com/vpc.yaml"},
            }
        }
    }
    (tmp_path / "a.json").write_text(json.dumps(template))
    report = check_templates([tmp_path / "a.json"])
    (finding,) = report.findings
    assert (finding.rule, finding.logical_id, finding.at.line) == ("SB010", "Vpc", 1)
    assert "`https://example.com/vpc.yaml`" in finding.message
    assert report.not_applicable == ()


def test_a_nested_stack_gets_its_parameters_from_its_parent(tmp_path: Path) -> None:
    """Its default counts only where the parent passes nothing, and then for certain."""
    child = {
        "Parameters": {
            "Name": {"Type": "String"},
            "Enforce": {"Type": "String", "Default": "yes"},
            "Names": {"Type": "CommaDelimitedList"},
        },
        "Conditions": {"Enforced": {"Fn::Equals": [{"Ref": "Enforce"}, "yes"]}},
        "Resources": {
            "Policy": {
                "Type": "AWS::S3::BucketPolicy",
                "Condition": "Enforced",
                "Properties": {
                    "Bucket": {"Fn::Select": [1, {"Ref": "Names"}]},
                    "PolicyDocument": deny("arn:aws:s3:::reports"),
                },
            }
        },
    }
    parameters: dict[str, Any] = {"Name": "reports", "Names": "logs,reports"}

    def stack(**more: Any) -> dict[str, Any]:
        properties = {"TemplateURL": "./child.json", "Parameters": {**parameters, **more}}
        return {"Type": "AWS::CloudFormation::Stack", "Properties": properties}

    def verdict(nested: dict[str, Any]) -> str:
        bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "reports"}}
        (tmp_path / "child.json").write_text(json.dumps(child))
        (tmp_path / "parent.json").write_text(
            json.dumps(
                {"Parameters": {"P": {"Type": "String"}}, "Resources": {"Reports": bucket, "Child": nested}}
            )
        )
        (judged,) = check_templates([tmp_path / "parent.json"]).buckets
        return type(judged.verdict).__name__

    assert verdict(stack()) == "Proven"
    assert verdict(stack(Enforce="no")) == "Refuted"
    assert verdict(stack(Enforce={"Ref": "P"})) == "Refuted"
    assert verdict(stack(Names={"Fn::Join": [",", ["a", "reports"]]})) == "Proven"
    assert verdict(stack(Names=["a", "b"])) == "Refuted"
    assert verdict({**stack(), "Condition": "Nobody"}) == "Refuted"
    # What is passed depends on a condition, so that the default of the child does not count for certain.
    properties = stack()["Properties"]
    some = {**properties, "Parameters": {"Fn::If": ["Nobody", parameters, {**parameters, "Enforce": "no"}]}}
    assert verdict({**stack(), "Properties": some}) == "Refuted"
    unknown = {**properties, "Parameters": {"Fn::Transform": {"Name": "Acme"}}}
    assert verdict({**stack(), "Properties": unknown}) == "Refuted"


def test_a_policy_is_for_the_nearest_of_several_buckets_of_one_name(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path), analytics_reporting=False)
    name, arn = (cdk.Fn.sub(f"{prefix}reports-${{AWS::AccountId}}") for prefix in ("", "arn:aws:s3:::"))
    for stage_name in ("Alpha", "Beta", "Forgotten"):
        stage = cdk.Stage(app, stage_name)
        s3.CfnBucket(cdk.Stack(stage, "Buckets"), stage_name, bucket_name=name)
        if stage_name != "Forgotten":
            s3.CfnBucketPolicy(cdk.Stack(stage, "Policies"), "Policy", bucket=name, policy_document=deny(arn))
    app.synth()
    verdicts = {
        bucket.logical_id: type(bucket.verdict).__name__ for bucket in check_assembly(tmp_path).buckets
    }
    assert verdicts == {"Alpha": "Proven", "Beta": "Proven", "Forgotten": "Refuted"}


def test_a_policy_that_may_be_for_either_of_two_buckets_proves_nothing(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path), analytics_reporting=False)
    for stack_name in ("One", "Other"):
        s3.CfnBucket(cdk.Stack(app, stack_name), stack_name, bucket_name="reports")
    document = deny("arn:aws:s3:::reports")
    s3.CfnBucketPolicy(cdk.Stack(app, "Policies"), "Policy", bucket="reports", policy_document=document)
    app.synth()
    report = check_assembly(tmp_path)
    assert [type(bucket.verdict).__name__ for bucket in report.buckets] == ["Undecided", "Undecided"]


def test_a_policy_of_another_account_is_no_policy_of_a_bucket(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path), analytics_reporting=False)
    first, second = (cdk.Environment(account=12 * digit, region="eu-west-1") for digit in "12")
    s3.CfnBucket(cdk.Stack(app, "Bucket", env=first), "Reports", bucket_name="reports")
    document = deny("arn:aws:s3:::reports")
    policies = cdk.Stack(app, "Policies", env=second)
    s3.CfnBucketPolicy(policies, "Policy", bucket="reports", policy_document=document)
    app.synth()
    assert check_assembly(tmp_path).refuted == 1


def test_an_export_is_there_only_if_its_condition_holds(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path), analytics_reporting=False)
    exporter, importer = cdk.Stack(app, "Exporter"), cdk.Stack(app, "Importer")
    bucket = s3.CfnBucket(exporter, "Reports")
    parameter = cdk.CfnParameter(exporter, "Share")
    shared = cdk.Fn.condition_equals(parameter.value_as_string, "yes")
    condition = cdk.CfnCondition(exporter, "Shared", expression=shared)
    cdk.CfnOutput(exporter, "Name", value=bucket.ref, export_name="reports", condition=condition)
    name = cdk.Fn.import_value("reports")
    document = deny(cdk.Fn.join("", ["arn:aws:s3:::", name]))
    s3.CfnBucketPolicy(importer, "Policy", bucket=name, policy_document=document)
    app.synth()
    assert check_assembly(tmp_path).undecided == 1


@pytest.mark.parametrize("ending", ["", ".txt", ".yaml"])
@pytest.mark.parametrize("kind", ["nested stack", "one of two", "application", "stack set"])
def test_whatever_the_file_of_a_template_is_called_it_is_judged(
    tmp_path: Path, ending: str, kind: str
) -> None:
    assets = pytest.importorskip("aws_cdk.aws_s3_assets")
    app = cdk.App(outdir=str(tmp_path / "cdk.out"), analytics_reporting=False)
    stack = cdk.Stack(app, "Stack")
    urls = []
    for logical_id in ("Reports", "Archive") if kind == "one of two" else ("Reports",):
        file = tmp_path / f"{logical_id}{ending}"
        file.write_text(json.dumps({"Resources": {logical_id: {"Type": "AWS::S3::Bucket"}}}))
        urls.append(assets.Asset(stack, f"{logical_id}Asset", path=str(file)).http_url)
    if kind == "one of two":
        always = cdk.Fn.condition_equals(cdk.Aws.REGION, "eu-west-1")
        cdk.CfnCondition(stack, "Home", expression=always)
        urls = [cdk.Fn.condition_if("Home", *urls).to_string()]
    if kind == "application":
        properties = {"Location": urls[0]}
        cdk.CfnResource(stack, "Inner", type="AWS::Serverless::Application", properties=properties)
    elif kind == "stack set":
        cdk.CfnStackSet(
            stack, "Inner", stack_set_name="inner", permission_model="SELF_MANAGED", template_url=urls[0]
        )
    else:
        cdk.CfnStack(stack, "Inner", template_url=urls[0])
    app.synth()
    report = check_assembly(tmp_path / "cdk.out")
    assert report.refuted == (2 if kind == "one of two" else 1)
    assert {finding.rule for finding in report.findings} == {"SB001"}


def test_a_template_within_a_template_is_judged(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path), analytics_reporting=False)
    stack = cdk.Stack(app, "Stack")
    body = "Resources: {Reports: {Type: AWS::S3::Bucket}}"
    cdk.CfnStackSet(stack, "Set", stack_set_name="set", permission_model="SELF_MANAGED", template_body=body)
    app.synth()
    report = check_assembly(tmp_path)
    assert report.refuted == 1
    assert {finding.rule for finding in report.findings} == {"SB001"}


def test_the_assembly_knows_better_than_the_template_which_construct_it_is(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path), analytics_reporting=False)
    stack = cdk.Stack(app, "Stack")
    s3.CfnBucket(stack, "Reports").add_override("Metadata", {"aws:cdk:path": "Another/App"})
    app.synth()
    (finding,) = check_assembly(tmp_path).findings
    assert finding.construct_path == "Stack/Reports"


@pytest.mark.parametrize("secure", [True, False])
def test_nested_stack_of_the_legacy_synthesizer_is_judged_with_its_parent(
    tmp_path: Path, secure: bool
) -> None:
    app = cdk.App(outdir=str(tmp_path))
    stack = cdk.Stack(app, "Top", synthesizer=cdk.LegacyStackSynthesizer())
    s3.Bucket(cdk.NestedStack(stack, "Nested"), "Reports", enforce_ssl=secure)
    app.synth()
    report = check_assembly(tmp_path)
    (bucket,) = report.buckets
    assert bucket.construct_path == "Top/Nested/Reports/Resource"
    assert isinstance(bucket.verdict, Proven if secure else Refuted)
    assert [finding.rule for finding in report.findings] == ([] if secure else ["SB001"])
