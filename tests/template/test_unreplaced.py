"""Text that another tool has yet to replace is never compared as a literal."""

from __future__ import annotations

import time
from typing import Any

import pytest

from secure_bucket.checks import check_template
from secure_bucket.proof.verdict import Proven, Undecided
from secure_bucket.template import parse_document
from secure_bucket.template.unreplaced import placeholders_as_holes

FORMS = {
    "${self:custom.stage}": "Serverless",
    "${self:custom.${opt:stage}.name}": "Serverless",
    "${opt:stage, 'dev'}": "Serverless",
    "${env:STAGE}": "Serverless",
    "${ssm:/stage}": "Serverless",
    "${file(./config.yml):stage}": "Serverless",
    "{{ stage }}": "Jinja",
    "{{{stage}}}": "Jinja",
    "{% if production %}a{% endif %}": "Jinja",
    "{{ cookiecutter.stage }}": "cookiecutter",
    "<%= stage %>": "ERB",
    "__STAGE__": "__ __",
    "__stage__": "__ __",
    "#{stage}": "Octopus",
    "#{stage}#": "Octopus",
    "%(stage)s": "Python",
    "%STAGE%": "% %",
    "@@stage@@": "@ @",
    "@stage@": "@ @",
    "$(stage)": "Azure",
    "((stage))": "Concourse",
    "[[ .stage ]]": "[[ ]]",
    "${Token[TOKEN.123]}": "CDK",
    "${STAGE}": "envsubst",
    "${STAGE:-dev}": "envsubst",
    "$STAGE": "shell",
    "${var.stage}": "Terraform",
}
PLAIN = [
    *("${aws:username}", "${aws:PrincipalTag/team}", "${s3:prefix}", "${*}", "${?}", "${$}", "${saml:sub}"),
    *("${cognito-identity.amazonaws.com:sub}", "${www.amazon.com:user_id}", "${ssm:resourceTag/team}"),
    *(
        "${AWS::Region}",
        "{{resolve:ssm:stage}}",
        "my__reports__2026",
        "__init__",
        "__none__",
        "a@example.com",
    ),
    *(
        "--",
        "{stage}",
        "100%",
        "%2Fa%3Ab",
        "$5",
        "arn:aws:s3:::reports/*",
        "2012-10-17",
        "a##b",
        "((a",
        "[a]",
    ),
]


def template(**condition: Any) -> dict[str, Any]:
    return {
        "Conditions": {"Wanted": condition["wanted"]},
        "Resources": {"Reports": {"Type": "AWS::S3::Bucket", "Condition": "Wanted"}},
    }


@pytest.mark.parametrize(("text", "tool"), FORMS.items(), ids=FORMS)
def test_bucket_under_a_condition_with_unreplaced_text_is_undecided(text: str, tool: str) -> None:
    for wanted in ({"Fn::Equals": [text, "production"]}, {"Fn::Equals": ["production", f"a-{text}"]}):
        if "a-" in str(wanted):
            wanted = {"Fn::Equals": ["a-production", f"a-{text}"]}
        (bucket,) = check_template(template(wanted=wanted)).buckets
        assert isinstance(bucket.verdict, Undecided)
        assert tool in bucket.verdict.reasons[0].reason


@pytest.mark.parametrize("text", PLAIN)
def test_text_of_another_form_is_plain(text: str) -> None:
    assert placeholders_as_holes(text) == text


def policy(bucket: object, arn: object) -> dict[str, Any]:
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, {"Fn::Join": ["", [arn, "/*"]]}],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {"Bucket": bucket, "PolicyDocument": {"Statement": statement}},
    }


def buckets(name: str, policy_for: object, arn: object) -> dict[str, Any]:
    return {
        "Resources": {
            "Reports": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}},
            "Policy": policy(policy_for, arn),
        }
    }


def test_policy_for_an_unreplaced_name_may_be_for_another_bucket() -> None:
    for name, other in (("reports", "${opt:name}"), ("${opt:name}", "reports"), ("{{ a }}", "{{ b }}")):
        (bucket,) = check_template(buckets(name, other, f"arn:aws:s3:::{other}")).buckets
        assert isinstance(bucket.verdict, Undecided)
        assert "has yet to replace" in bucket.verdict.reasons[0].reason


def test_one_name_is_replaced_by_the_same_text_everywhere() -> None:
    name = "${self:custom.name}"
    (bucket,) = check_template(buckets(name, {"Ref": "Reports"}, f"arn:aws:s3:::{name}")).buckets
    assert isinstance(bucket.verdict, Proven)


def test_one_call_may_be_replaced_by_another_text_each_time() -> None:
    name = "{{ random() }}"
    (bucket,) = check_template(buckets(name, {"Ref": "Reports"}, f"arn:aws:s3:::{name}")).buckets
    assert isinstance(bucket.verdict, Undecided)


@pytest.mark.parametrize(
    "changes",
    [
        {"Effect": "${opt:effect}"},
        {"Principal": {"AWS": "${self:custom.principal}"}},
        {"Action": ["s3:Get*", "{{ action }}"]},
        {"Resource": ["arn:aws:s3:::reports", "arn:aws:s3:::{{ name }}/*"]},
        {"Condition": {"Bool": {"aws:SecureTransport": "__SECURE__"}}},
        {"Condition": {"Bool": {"${opt:key}": "false"}}},
        {"Condition": "{% include 'x' %}"},
    ],
    ids=str,
)
def test_statement_with_unreplaced_text_is_undecided(changes: dict[str, Any]) -> None:
    written = buckets("reports", "reports", "arn:aws:s3:::reports")
    statement = written["Resources"]["Policy"]["Properties"]["PolicyDocument"]["Statement"]
    statement.update(changes)
    (bucket,) = check_template(written).buckets
    assert isinstance(bucket.verdict, Undecided)
    assert "has yet to replace" in bucket.verdict.reasons[0].reason


def test_unreplaced_sid_does_not_matter() -> None:
    written = buckets("reports", "reports", "arn:aws:s3:::reports")
    written["Resources"]["Policy"]["Properties"]["PolicyDocument"]["Statement"]["Sid"] = "{{ sid }}"
    (bucket,) = check_template(written).buckets
    assert isinstance(bucket.verdict, Proven)


@pytest.mark.parametrize(
    "resource",
    [
        {"Type": "${self:custom.type}"},
        {"Type": "AWS::S3::Bucket", "Condition": "${self:custom.condition}"},
        {"Type": "AWS::S3::Bucket", "Condition": "Mapped"},
        {"Type": "AWS::S3::Bucket", "Condition": "Substituted"},
        "${file(./bucket.yml)}",
    ],
    ids=str,
)
def test_resource_with_unreplaced_text_around_it_is_undecided(resource: Any) -> None:
    written = {
        "Parameters": {"Stage": {"Type": "String"}},
        "Mappings": {"Stages": {"{{ stage }}": {"Wanted": "yes"}, "dev": {"Wanted": "no"}}},
        "Conditions": {
            "Mapped": {"Fn::Equals": [{"Fn::FindInMap": ["Stages", "production", "Wanted"]}, "yes"]},
            "Substituted": {
                "Fn::Equals": [{"Fn::Sub": "${AWS::Region}-${opt:stage}"}, "us-east-1-production"]
            },
        },
        "Resources": {"Reports": resource},
    }
    (finding,) = check_template(written).findings
    # Where not even the type is known, nothing tells that it is a bucket.
    hides_type = isinstance(resource, str) or resource["Type"] != "AWS::S3::Bucket"
    assert finding.rule == ("SB010" if hides_type else "SB002")
    assert "has yet to replace" in finding.message


def test_condition_that_is_decided_without_it_counts() -> None:
    wanted = {"Fn::Or": [{"Fn::Equals": ["{{ a }}", "b"]}, {"Fn::Equals": ["c", "c"]}]}
    report = check_template(template(wanted=wanted))
    assert [finding.rule for finding in report.findings] == ["SB001"]


def test_directive_in_a_comment_leaves_the_template_open() -> None:
    text = "Resources:\n  # {% if production %}\n  Reports: {Type: AWS::S3::Bucket}\n  # {% endif %}\n"
    (bucket,) = check_template(parse_document(text)).buckets
    assert isinstance(bucket.verdict, Undecided)
    assert "line 2" in bucket.verdict.reasons[0].reason


def test_section_that_another_tool_writes_leaves_the_template_open() -> None:
    for section in ("Conditions", "Mappings", "Parameters"):
        written = {section: "${file(./more.yml)}", "Resources": {"Reports": {"Type": "AWS::S3::Bucket"}}}
        (bucket,) = check_template(written).buckets
        assert isinstance(bucket.verdict, Undecided)
        assert section in bucket.verdict.reasons[0].reason


def test_distribution_with_unreplaced_text_does_not_matter() -> None:
    domain = {"Fn::GetAtt": ["Reports", "DomainName"]}
    config = {"Origins": [{"Id": "a", "DomainName": {"Fn::If": ["Wanted", domain, "example.com"]}}]}
    written = template(wanted={"Fn::Equals": ["{{ stage }}", "production"]})
    del written["Resources"]["Reports"]["Condition"]
    written["Resources"]["Cdn"] = {
        "Type": "AWS::CloudFront::Distribution",
        "Properties": {"DistributionConfig": config},
    }
    assert [finding.rule for finding in check_template(written).findings] == ["SB001"]


def test_hostile_text_is_read_in_linear_time() -> None:
    started = time.process_time()
    for text in ("${self:", "{{", "{%", "<%", "__a", "@a", "%a", "${a:-", "$("):
        placeholders_as_holes(text * 10_000)
    assert time.process_time() - started < 5
