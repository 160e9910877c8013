"""What a report says, word for word."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from secure_bucket.checks import check_template, check_templates
from secure_bucket.checks.check import Settings
from secure_bucket.findings import Finding, Level, Report
from secure_bucket.proof.verdict import Proven, Refuted, Undecided
from secure_bucket.values.unknown import Place

DENY: dict[str, Any] = {
    "Sid": "DenyHttp",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": [{"Fn::GetAtt": ["Reports", "Arn"]}, {"Fn::Sub": "${Reports.Arn}/*"}],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def template(*statements: Any, bucket: dict[str, Any] | None = None, **sections: Any) -> dict[str, Any]:
    policy = {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {
            "Bucket": {"Ref": "Reports"},
            "PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)},
        },
    }
    return {
        "Resources": {"Reports": {"Type": "AWS::S3::Bucket", **(bucket or {})}, "Policy": policy},
        **sections,
    }


def the_finding(report: Report) -> Finding:
    (finding,) = report.findings
    return finding


def test_a_bucket_without_a_policy() -> None:
    finding = the_finding(check_template({"Resources": {"Reports": {"Type": "AWS::S3::Bucket"}}}))
    assert finding.rule == "SB001"
    assert finding.level is Level.ERROR
    assert finding.message == (
        "bucket `Reports`: anyone can GET `report.csv` over plain HTTP: the bucket has no policy"
    )
    assert finding.fix.startswith("add an `AWS::S3::BucketPolicy` for this bucket, with the statement {")
    assert finding.at == Place("/Resources/Reports")
    assert finding.request is not None
    assert finding.request.resource == "arn:aws:s3:::<Reports>/report.csv"


def test_a_narrowed_statement_is_named_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(
        "Resources:\n"
        "  Reports: {Type: AWS::S3::Bucket}\n"
        "  Policy:\n"
        "    Type: AWS::S3::BucketPolicy\n"
        "    Properties:\n"
        "      Bucket: !Ref Reports\n"
        "      PolicyDocument:\n"
        "        Statement:\n"
        "          - !Ref AWS::NoValue\n"
        "          - !If\n"
        "            - Yes\n"
        "            - Sid: DenyHttp\n"
        "              Effect: Deny\n"
        "              Principal: '*'\n"
        "              Action: s3:*\n"
        "              Resource: [!GetAtt Reports.Arn, !Sub '${Reports.Arn}/*']\n"
        "              Condition: {Bool: {aws:SecureTransport: no}, StringEquals: {aws:SourceVpc: vpc-1}}\n"
        "            - !Ref AWS::NoValue\n"
    )
    finding = the_finding(check_template(file))
    assert "`DenyHttp`" in finding.message
    assert "`vpc-1`" in finding.message
    # The first item is left out, and the second is the branch of an `Fn::If`.
    assert finding.at.pointer.startswith("/Resources/Policy/Properties/PolicyDocument/Statement/1/Fn::If/1")
    assert finding.at.file == str(file)
    assert 12 <= finding.at.line <= 17


def test_a_construct_is_told_about_constructs() -> None:
    bucket = {"Metadata": {"aws:cdk:path": "Stack/Reports/Resource"}}
    finding = the_finding(check_template(template(bucket=bucket)))
    assert finding.construct_path == "Stack/Reports/Resource"
    assert finding.fix == "use `SecureBucket`, or `enforce_ssl=True`"


def test_an_existing_policy_is_named_in_the_fix() -> None:
    finding = the_finding(check_template(template()))
    assert finding.fix.startswith("add to the statements of `Policy`: {")


def test_the_statement_of_the_fix_fixes() -> None:
    fix = the_finding(check_template(template())).fix
    statement = json.loads(fix[fix.index("{") :])
    report = check_template(template(statement))
    assert isinstance(report.buckets[0].verdict, Proven)
    assert not report.findings


def test_a_condition_names_only_the_parameters_that_matter() -> None:
    sections = {
        "Parameters": {name: {"Type": "String"} for name in ("Env", "Color", "Size")},
        "Conditions": {
            "IsProd": {"Fn::Equals": [{"Ref": "Env"}, "prod"]},
            "IsRed": {"Fn::Equals": [{"Ref": "Color"}, "red"]},
        },
    }
    statement = {**DENY, "Sid": {"Fn::If": ["IsRed", "Red", "Other"]}}
    finding = the_finding(
        check_template(template({"Fn::If": ["IsProd", statement, {"Ref": "AWS::NoValue"}]}, **sections))
    )
    assert finding.parameters == (("Env", "other than `prod`"),)
    assert " over plain HTTP when `Env` is other than `prod`: " in finding.message


def test_undecided_says_what_is_not_known_and_where() -> None:
    statement = {**DENY, "Resource": {"Fn::Transform": {"Name": "AcmeResources"}}}
    report = check_template(template(statement))
    finding = the_finding(report)
    assert finding.rule == "SB002"
    assert "the macro `AcmeResources` runs only at deployment" in finding.message
    assert finding.at.pointer.startswith("/Resources/Policy/Properties/PolicyDocument/Statement/0/Resource")
    assert isinstance(report.buckets[0].verdict, Undecided)


def test_a_message_is_one_line_whatever_the_template_says() -> None:
    report = check_template(
        {"Resources": {"A\nB\r\u2028C": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "x\ny"}}}}
    )
    assert the_finding(report).message.splitlines() == [the_finding(report).message]


def test_old_tls_is_asked_about_only_on_request() -> None:
    assert not check_template(template(DENY)).findings
    finding = the_finding(check_template(template(DENY), minimum_tls_version=1.2))
    assert finding.rule == "SB006"
    assert finding.request is not None
    assert finding.request.context["aws:SecureTransport"] == "true"
    tls = {**DENY, "Sid": "Tls", "Condition": {"NumericLessThan": {"s3:TlsVersion": "1.2"}}}
    assert not check_template(template(DENY, tls), minimum_tls_version="1.2").findings
    assert check_template(template(DENY, tls), minimum_tls_version=1.3).findings


def test_strict_asks_for_services_too() -> None:
    aws = {**DENY, "Principal": {"AWS": "*"}}
    assert check_template(template(aws)).proven == 1
    assert check_template(template(aws), strict=True).proven == 0
    assert check_template(template(DENY), strict=True).proven == 1


def test_findings_stand_in_the_order_of_the_template() -> None:
    buckets = {name: {"Type": "AWS::S3::Bucket"} for name in ("Zebra", "Apple", "Mango")}
    first = check_template({"Resources": buckets})
    assert [finding.logical_id for finding in first.findings] == ["Zebra", "Apple", "Mango"]
    assert check_template({"Resources": buckets}) == first


def test_the_source_is_left_as_it_is() -> None:
    source = template(DENY, {"Fn::If": ["C", DENY, {"Ref": "AWS::NoValue"}]})
    before = copy.deepcopy(source)
    check_template(source)
    assert source == before


def test_without_details_only_findings_have_a_line(tmp_path: Path) -> None:
    content = template(DENY)
    logs = {"LoggingConfiguration": {"DestinationBucketName": "logs"}}
    content["Resources"]["Open"] = {"Type": "AWS::S3::Bucket", "Properties": logs}
    file = tmp_path / "template.json"
    file.write_text(json.dumps(content, indent=2))
    whole, without = (check_templates([file], Settings(details=details)) for details in (True, False))
    assert all(bucket.at.line for bucket in whole.buckets)
    assert whole.safeguards
    assert not without.safeguards
    assert [bucket.at for bucket in without.buckets] == [Place(file=str(file))] * 2
    assert without.findings == whole.findings
    assert without.findings[0].at.line > 0


def test_equal_logical_ids_in_two_templates_are_two_buckets(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(template(DENY)))
    (tmp_path / "b.json").write_text(json.dumps({"Resources": {"Reports": {"Type": "AWS::S3::Bucket"}}}))
    report = check_templates([tmp_path / "a.json", tmp_path / "b.json"])
    assert [type(bucket.verdict) for bucket in report.buckets] == [Proven, Refuted]
    assert report.templates == (str(tmp_path / "a.json"), str(tmp_path / "b.json"))


@pytest.mark.parametrize("order", [("Deny", "Allow"), ("Allow", "Deny")])
def test_which_of_two_policies_wins_does_not_matter(order: tuple[str, str]) -> None:
    source = template()
    properties = source["Resources"].pop("Policy")["Properties"]
    documents = {"Deny": {"Statement": DENY}, "Allow": {"Statement": []}}
    for name in order:
        source["Resources"][name] = {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {**properties, "PolicyDocument": documents[name]},
        }
    report = check_template(source)
    assert report.refuted == 1
    assert [finding.rule for finding in report.findings] == ["SB001", "SB003"]
    assert report.findings[1].at.pointer == f"/Resources/{order[1]}"


def test_an_export_that_two_templates_have_is_not_known(tmp_path: Path) -> None:
    exporter = {
        "Resources": {"Reports": {"Type": "AWS::S3::Bucket"}},
        "Outputs": {"Name": {"Value": {"Ref": "Reports"}, "Export": {"Name": "reports"}}},
    }
    policy = template(DENY)["Resources"]["Policy"]
    policy["Properties"]["Bucket"] = {"Fn::ImportValue": "reports"}
    importer = {"Resources": {"Policy": policy}}
    for name, source in (("a", exporter), ("b", exporter), ("c", importer)):
        (tmp_path / f"{name}.json").write_text(json.dumps(source))
    report = check_templates([tmp_path / f"{name}.json" for name in "abc"])
    assert report.proven == 0
    assert "SB005" in {finding.rule for finding in report.findings}


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (None, ""),
        ("reports", "reports"),
        ({"Fn::Sub": "reports-${AWS::Region}"}, ""),
        ({"Fn::Sub": "${AWS::Region}-reports"}, ""),
        ({"Fn::Join": ["-", ["reports", "eu"]]}, "reports-eu"),
        ({"Fn::If": ["Live", "reports", "reports-test"]}, ""),
        ({"Ref": "Name"}, ""),
        ({"Ref": "AWS::NoValue"}, ""),
    ],
)
def test_a_bucket_has_the_name_that_the_template_fixes(written: object, name: str) -> None:
    properties = {} if written is None else {"BucketName": written}
    report = check_template(
        {
            "Parameters": {"Name": {"Type": "String", "Default": "reports"}},
            "Conditions": {"Live": {"Fn::Equals": [{"Ref": "Name"}, "live"]}},
            "Resources": {"Reports": {"Type": "AWS::S3::Bucket", "Properties": properties}},
        }
    )
    assert report.buckets[0].subject.name == name
