"""A number is compared as text only where AWS leaves no doubt how CloudFormation writes it."""

from __future__ import annotations

import pytest

from secure_bucket.checks import check_template
from secure_bucket.findings import Report
from secure_bucket.template import parse_document

TEMPLATE = """
Parameters: {{Size: {{Type: String}}}}
Conditions: {{Wanted: !Equals [{left}, {right}]}}
Resources: {{Reports: {{Type: AWS::S3::Bucket, Condition: Wanted}}}}
"""


def check(left: str, right: str) -> Report:
    return check_template(parse_document(TEMPLATE.format(left=left, right=right)))


def outcome(report: Report) -> str:
    return type(report.buckets[0].verdict).__name__.lower() if report.buckets else "never created"


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("1.0", '"1"', "undecided"),
        ("1.0", '"1.0"', "undecided"),
        ("1.0", "1.00", "undecided"),
        ("1.0", "1.0", "refuted"),
        ("1.0", "production", "never created"),
        ("1.50", '"1.5"', "undecided"),
        ("1.5", '"1.5"', "refuted"),
        ("1.5", '"1.50"', "never created"),
        ("010", '"8"', "undecided"),
        ("010", '"010"', "undecided"),
        ("0x10", '"16"', "undecided"),
        ("0b10", '"2"', "undecided"),
        ("1_000", '"1000"', "undecided"),
        ("+5", '"5"', "undecided"),
        ("12:30", '"750"', "undecided"),
        ("1.0e+3", '"1000"', "undecided"),
        ("123456789012345678901", '"123456789012345678901"', "undecided"),
        ("123456789012", '"123456789012"', "refuted"),
        ("012345678901", '"12345678901"', "undecided"),
        ("1e3", '"1000"', "undecided"),
        ("12e5", '"12e5"', "undecided"),
        ("1", '"1"', "refuted"),
        ("0", '"0"', "refuted"),
        ("-1", '"-1"', "refuted"),
        ("-0", '"0"', "undecided"),
        ("yes", '"true"', "refuted"),
        ("yes", '"yes"', "never created"),
        ("2020-01-01", '"2020-01-01"', "refuted"),
        ('"1.0"', '"1"', "never created"),
    ],
)
def test_numbers_of_yaml(left: str, right: str, expected: str) -> None:
    assert outcome(check(left, right)) == expected


@pytest.mark.parametrize("number", ["1.0", "1e3", "1.50", "123456789012345678901"])
def test_numbers_of_json(number: str) -> None:
    text = (
        '{"Conditions": {"Wanted": {"Fn::Equals": [%s, "1"]}},'
        '"Resources": {"Reports": {"Type": "AWS::S3::Bucket", "Condition": "Wanted"}}}'
    )
    assert outcome(check_template(parse_document(text % number))) == "undecided"


def test_allowed_numbers_are_not_taken_for_text() -> None:
    text = """
Parameters: {Size: {Type: String, AllowedValues: [1.0, 2.0]}}
Conditions: {Wanted: !Equals [!Ref Size, "1"]}
Resources: {Reports: {Type: AWS::S3::Bucket, Condition: Wanted}}
"""
    assert outcome(check_template(parse_document(text))) != "never created"


@pytest.mark.parametrize(
    ("number", "expected"), [("1.2", []), ("1.20", ["SB006"]), ("0x1", ["SB006"]), ("1e0", ["SB006"])]
)
def test_a_number_in_a_policy_counts_where_it_has_one_form(number: str, expected: list[str]) -> None:
    text = """
Resources:
  Reports: {Type: AWS::S3::Bucket}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Reports
      PolicyDocument:
        Statement:
          - &deny
            Effect: Deny
            Principal: "*"
            Action: s3:*
            Resource: [!GetAtt Reports.Arn, !Sub "${Reports.Arn}/*"]
            Condition: {Bool: {aws:SecureTransport: false}}
          - <<: *deny
            Condition: {NumericLessThan: {s3:TlsVersion: NUMBER}}
"""
    report = check_template(parse_document(text.replace("NUMBER", number)), minimum_tls_version="1.2")
    assert outcome(report) == "proven"
    assert [finding.rule for finding in report.findings] == expected
