"""A bucket whose name goes to a template that is not at hand is undecided, whatever its own template says."""

from __future__ import annotations

from typing import Any

import pytest

from secure_bucket.checks import check_template
from secure_bucket.proof.verdict import Proven, Refuted, Undecided

URL = "https://example.com/policies.yaml"


def policy(bucket: object = {"Ref": "Reports"}) -> dict[str, Any]:
    arn = {"Fn::GetAtt": ["Reports", "Arn"]}
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, {"Fn::Join": ["", [arn, "/*"]]}],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    properties = {"Bucket": bucket, "PolicyDocument": {"Statement": statement}}
    return {"Type": "AWS::S3::BucketPolicy", "Properties": properties}


def template(passed: object, *, name: object = None, own: bool = True, **nested: Any) -> dict[str, Any]:
    properties = {"TemplateURL": URL, "Parameters": {"Passed": passed}}
    bucket: dict[str, Any] = {"Type": "AWS::S3::Bucket"}
    if name is not None:
        bucket["Properties"] = {"BucketName": name}
    resources: dict[str, Any] = {
        "Reports": bucket,
        "Child": {"Type": "AWS::CloudFormation::Stack", "Properties": properties, **nested},
    }
    if own:
        resources["Policy"] = policy()
    return {
        "Parameters": {"Stage": {"Type": "String"}, "Name": {"Type": "String"}},
        "Conditions": {"Test": {"Fn::Equals": [{"Ref": "Stage"}, "test"]}},
        "Mappings": {"Names": {"All": {"Main": "acme-reports"}}},
        "Resources": resources,
    }


@pytest.mark.parametrize("own", [True, False], ids=["with a policy", "without a policy"])
@pytest.mark.parametrize(
    ("passed", "name"),
    [
        ({"Ref": "Reports"}, None),
        ({"Fn::GetAtt": ["Reports", "Arn"]}, None),
        ({"Fn::GetAtt": "Reports.Arn"}, None),
        ({"Fn::Sub": "${Reports.Arn}/*"}, None),
        # The child can split the name off again.
        ({"Fn::GetAtt": ["Reports", "DomainName"]}, None),
        ({"Fn::Sub": "https://${Reports.RegionalDomainName}/"}, "acme-reports"),
        ({"Fn::GetAtt": "Reports.DualStackDomainName"}, None),
        ({"Fn::GetAtt": ["Reports", "WebsiteURL"]}, None),
        ({"Fn::Join": [",", ["other", {"Ref": "Reports"}]]}, None),
        ({"Fn::If": ["Test", "other", {"Ref": "Reports"}]}, None),
        ("acme-reports", "acme-reports"),
        ("arn:aws:s3:::acme-reports", "acme-reports"),
        ({"Ref": "Name"}, {"Ref": "Name"}),
        ("acme-reports", {"Fn::FindInMap": ["Names", "All", "Main"]}),
        ({"Fn::FindInMap": ["Names", "All", "Main"]}, "acme-reports"),
        ({"Fn::Transform": {"Name": "Acme"}}, None),
        ({"Fn::Sub": "acme-${AWS::AccountId}"}, {"Fn::Join": ["-", ["acme", {"Ref": "AWS::AccountId"}]]}),
    ],
    ids=str,
)
def test_nested_stack_that_gets_the_name_leaves_the_bucket_undecided(
    passed: object, name: object, own: bool
) -> None:
    report = check_template(template(passed, name=name, own=own))
    (bucket,) = report.buckets
    if passed == {"Fn::If": ["Test", "other", {"Ref": "Reports"}]} and not own:
        assert isinstance(bucket.verdict, Refuted)
        return
    assert isinstance(bucket.verdict, Undecided)
    assert "`Child`, which gets the name of this bucket" in bucket.verdict.reasons[0].reason


@pytest.mark.parametrize(
    ("passed", "name"),
    [
        ("other", None),
        ("other-acme-reports", "acme-reports"),
        ({"Ref": "Name"}, None),
        ({"Ref": "AWS::AccountId"}, {"Fn::Sub": "acme-${AWS::AccountId}"}),
        ({"Fn::GetAtt": ["Child", "Outputs.DomainName"]}, None),
    ],
    ids=str,
)
def test_nested_stack_that_gets_something_else_does_not_matter(passed: object, name: object) -> None:
    (bucket,) = check_template(template(passed, name=name)).buckets
    assert isinstance(bucket.verdict, Proven)


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        (
            "AWS::CloudFormation::StackSet",
            {"Parameters": [{"ParameterKey": "Name", "ParameterValue": {"Ref": "Reports"}}]},
        ),
        (
            "AWS::Serverless::Application",
            {"Location": "./app.yaml", "Parameters": {"Name": {"Ref": "Reports"}}},
        ),
        (
            "AWS::ServiceCatalog::CloudFormationProvisionedProduct",
            {"ProvisioningParameters": [{"Key": "Name", "Value": {"Ref": "Reports"}}]},
        ),
        ("Acme::Policies::Bucket::MODULE", {"Name": {"Ref": "Reports"}}),
    ],
)
def test_other_templates_that_get_the_name_count_as_well(kind: str, properties: dict[str, Any]) -> None:
    resources = {
        "Reports": {"Type": "AWS::S3::Bucket"},
        "Policy": policy(),
        "Other": {"Type": kind, "Properties": properties},
    }
    (bucket,) = check_template({"Resources": resources}).buckets
    assert isinstance(bucket.verdict, Undecided)


@pytest.mark.parametrize(
    "parameters",
    [
        {"Fn::Transform": {"Name": "Add", "Parameters": {"Bucket": {"Ref": "Reports"}}}},
        {"Fn::Transform": {"Name": "Add", "Parameters": {}}, "Passed": {"Ref": "Reports"}},
        {"Vpc": {"Ref": "Name"}, "Passed": {"Fn::Transform": {"Bucket": {"Ref": "Reports"}}}},
    ],
    ids=str,
)
def test_macro_that_gets_the_bucket_may_pass_its_name_on(parameters: object) -> None:
    given = template("other")
    given["Resources"]["Child"]["Properties"]["Parameters"] = parameters
    (bucket,) = check_template(given).buckets
    assert isinstance(bucket.verdict, Undecided)


def test_parameters_beside_the_name_split_no_worlds() -> None:
    given = template({"Ref": "Reports"})
    choices = {f"Choice{number}": {"Type": "String", "AllowedValues": ["a", "b"]} for number in range(9)}
    given["Parameters"] |= choices
    given["Conditions"] |= {f"Is{name}": {"Fn::Equals": [{"Ref": name}, "a"]} for name in choices}
    passed = given["Resources"]["Child"]["Properties"]["Parameters"]
    given["Resources"]["Child"]["Properties"]["Parameters"] = {
        f"Given{name}": {"Fn::If": [f"Is{name}", "one", "two"]} for name in choices
    } | passed
    (bucket,) = check_template(given).buckets
    assert isinstance(bucket.verdict, Undecided)
    assert "`Child`, which gets the name of this bucket" in bucket.verdict.reasons[0].reason


def test_nested_stack_matters_only_where_it_is_deployed() -> None:
    report = check_template(template({"Ref": "Reports"}, own=False, Condition="Test"))
    (bucket,) = report.buckets
    assert isinstance(bucket.verdict, Refuted)
    (finding,) = (finding for finding in report.findings if finding.rule == "SB001")
    assert dict(finding.parameters) == {"Stage": "other than `test`"}


def test_loop_that_cannot_be_read_may_hold_a_policy() -> None:
    loop = ["Name", {"Policy${Name}": policy({"Ref": "Reports"})}]
    resources = {"Reports": {"Type": "AWS::S3::Bucket"}, "Policy": policy(), "Fn::ForEach::More": loop}
    verdicts = {each.logical_id: each.verdict for each in check_template({"Resources": resources}).buckets}
    assert isinstance(verdicts["Reports"], Undecided)
