"""What a template declares besides the denies is told as it is written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from secure_bucket import check_template
from secure_bucket.detection import PLAIN_HTTP_DENIED, filter_pattern
from secure_bucket.policy.statements import deny_plain_http_anywhere
from secure_bucket.template.safeguards import SafeguardKind

SELECTORS = [{"FieldSelectors": [{"Field": "resources.type", "Equals": ["AWS::S3::Object"]}]}]
COUNTED: dict[str, Any] = {
    "Type": "AWS::Logs::MetricFilter",
    "Properties": {
        "FilterPattern": filter_pattern(PLAIN_HTTP_DENIED),
        "MetricTransformations": [{"MetricName": "Denied", "MetricNamespace": "N", "MetricValue": "1"}],
    },
}
MFA = {
    "Statement": {"Effect": "Deny", "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}
}
CHANGES = {"detail": {"eventName": ["DeleteBucketPolicy", "PutBucketPolicy"]}}
DENY = {"Version": "2012-10-17", "Statement": [deny_plain_http_anywhere()]}
GUARDRAIL = {
    "Type": "RESOURCE_CONTROL_POLICY",
    "Content": {"Statement": {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}},
}


def kinds(**resources: dict[str, Any]) -> list[SafeguardKind]:
    return [each.kind for each in check_template({"Resources": resources}).safeguards]


@pytest.mark.parametrize(
    ("kind", "type", "properties"),
    [
        (
            SafeguardKind.CONFIG_RULE,
            "AWS::Config::ConfigRule",
            {"Source": {"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_SSL_REQUESTS_ONLY"}},
        ),
        (
            SafeguardKind.CONFIG_RULE,
            "AWS::Config::OrganizationConfigRule",
            {"OrganizationManagedRuleMetadata": {"RuleIdentifier": "S3_BUCKET_SSL_REQUESTS_ONLY"}},
        ),
        (
            SafeguardKind.CONFIG_RULE,
            "AWS::Config::ConformancePack",
            {"TemplateBody": "Source: {SourceIdentifier: S3_BUCKET_SSL_REQUESTS_ONLY}"},
        ),
        (
            SafeguardKind.REMEDIATION,
            "AWS::Config::RemediationConfiguration",
            {"TargetId": "AWSConfigRemediation-RestrictBucketSSLRequestsOnly"},
        ),
        (
            SafeguardKind.TRAIL,
            "AWS::CloudTrail::Trail",
            {"IsLogging": True, "AdvancedEventSelectors": SELECTORS},
        ),
        (
            SafeguardKind.POLICY_CHANGES,
            "AWS::Events::Rule",
            {
                "EventPattern": CHANGES,
                "Targets": [{"Id": "A", "Arn": "arn:aws:sns:eu-west-1:111122223333:a"}],
            },
        ),
        (
            SafeguardKind.ORGANIZATION_POLICY,
            "AWS::Organizations::Policy",
            {**GUARDRAIL, "TargetIds": ["r-ab12"]},
        ),
        (SafeguardKind.ACCESS_LOGS, "AWS::S3::Bucket", {"LoggingConfiguration": {"LogFilePrefix": "a"}}),
        (SafeguardKind.MFA, "AWS::S3::BucketPolicy", {"Bucket": "abc", "PolicyDocument": MFA}),
    ],
)
def test_a_safeguard_is_told(kind: SafeguardKind, type: str, properties: dict[str, Any]) -> None:
    assert kinds(One={"Type": type, "Properties": properties}) == [kind]
    assert kinds(One={"Type": type, "Properties": {}}) == []
    assert kinds(One={"Type": type}) == []


def test_an_alarm_counts_only_on_a_metric_that_counts_plain_http() -> None:
    acting = {"MetricName": "Denied", "AlarmActions": ["arn:aws:sns:eu-west-1:111122223333:a"]}
    alarm: dict[str, Any] = {"Type": "AWS::CloudWatch::Alarm", "Properties": acting}
    assert kinds(Filter=COUNTED, Alarm=alarm) == [SafeguardKind.METRIC_FILTER, SafeguardKind.ALARM]
    assert kinds(Alarm=alarm) == []
    for silent in (
        {**acting, "ActionsEnabled": False},
        {**acting, "AlarmActions": []},
        {"MetricName": "Denied"},
    ):
        resource = {"Type": "AWS::CloudWatch::Alarm", "Properties": silent}
        assert kinds(Filter=COUNTED, Alarm=resource) == [SafeguardKind.METRIC_FILTER]
    encrypted = {**COUNTED["Properties"], "FilterPattern": '{ $.tlsDetails.tlsVersion = "TLSv1.2" }'}
    assert kinds(Filter={**COUNTED, "Properties": encrypted}, Alarm=alarm) == []


@pytest.mark.parametrize(
    ("type", "properties"),
    [
        ("AWS::CloudTrail::Trail", {"IsLogging": False, "AdvancedEventSelectors": SELECTORS}),
        ("AWS::Events::Rule", {"State": "DISABLED", "EventPattern": CHANGES, "Targets": [{"Id": "A"}]}),
        ("AWS::Events::Rule", {"EventPattern": CHANGES}),
        ("AWS::Events::Rule", {"EventPattern": CHANGES, "Targets": []}),
        (
            "AWS::Events::Rule",
            {"EventPattern": {"detail": {"eventName": ["PutBucketWebsite"]}}, "Targets": [{"Id": "A"}]},
        ),
        (
            "AWS::Events::Rule",
            {
                "EventPattern": {"detail": {"eventName": [{"anything-but": CHANGES["detail"]["eventName"]}]}},
                "Targets": [{"Id": "A"}],
            },
        ),
        (
            "AWS::Organizations::Policy",
            {**GUARDRAIL, "Type": "SERVICE_CONTROL_POLICY", "TargetIds": ["r-ab12"]},
        ),
        # A dry run.
        ("AWS::Organizations::Policy", GUARDRAIL),
        ("AWS::Organizations::Policy", {**GUARDRAIL, "TargetIds": []}),
        # It lets long-lived access keys through, whose requests do not have the key.
        (
            "AWS::S3::BucketPolicy",
            {
                "Bucket": "abc",
                "PolicyDocument": {
                    "Statement": [
                        {"Effect": "Deny", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}}}
                    ]
                },
            },
        ),
        # It lets in with MFA, and keeps nobody out.
        (
            "AWS::S3::BucketPolicy",
            {
                "Bucket": "abc",
                "PolicyDocument": {
                    "Statement": {
                        "Effect": "Allow",
                        "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}},
                    }
                },
            },
        ),
    ],
)
def test_what_does_not_act_is_no_safeguard(type: str, properties: dict[str, Any]) -> None:
    assert kinds(One={"Type": type, "Properties": properties}) == []


def test_a_safeguard_changes_no_verdict() -> None:
    plain = {"Type": "AWS::S3::Bucket"}
    rule = {
        "Type": "AWS::Config::ConfigRule",
        "Properties": {"Source": {"SourceIdentifier": "S3_BUCKET_SSL_REQUESTS_ONLY"}},
    }
    report = check_template({"Resources": {"Plain": plain, "Rule": rule}})
    assert report.refuted == 1
    assert [(each.logical_id, each.at.pointer) for each in report.safeguards] == [("Rule", "/Resources/Rule")]


@pytest.mark.parametrize(
    ("type", "properties", "what"),
    [
        (
            "AWS::Organizations::Policy",
            {**GUARDRAIL, "TargetIds": ["ou-ab12-34567890", {"Ref": "Unit"}]},
            "A resource control policy about plain HTTP is attached in AWS Organizations: "
            "`ou-ab12-34567890`, what the deployment names; not every request is denied: "
            "anyone can GET `report.csv` over plain HTTP",
        ),
        (
            "AWS::Organizations::Policy",
            {**GUARDRAIL, "Content": DENY, "TargetIds": ["r-ab12"]},
            "A resource control policy about plain HTTP is attached in AWS Organizations: `r-ab12`; "
            "proven to deny every request over plain HTTP to every bucket that it does not name",
        ),
        (
            "AWS::Organizations::Policy",
            {**GUARDRAIL, "Content": json.dumps(DENY), "TargetIds": ["r-ab12"]},
            "A resource control policy about plain HTTP is attached in AWS Organizations: `r-ab12`; "
            "proven to deny every request over plain HTTP to every bucket that it does not name",
        ),
        # The value is the wrong one: whoever signs off is not to take it for a deny.
        (
            "AWS::Organizations::Policy",
            {
                **GUARDRAIL,
                "Content": json.dumps(DENY).replace('"false"', '"true"'),
                "TargetIds": ["r-ab12"],
            },
            "A resource control policy about plain HTTP is attached in AWS Organizations: `r-ab12`; "
            "not every request is denied: anyone can GET `report.csv` over plain HTTP",
        ),
        (
            "AWS::Organizations::Policy",
            {**GUARDRAIL, "Content": "aws:SecureTransport", "TargetIds": ["r-ab12"]},
            "A resource control policy about plain HTTP is attached in AWS Organizations: `r-ab12`; "
            "what it denies is not known: the policy cannot be read as JSON: "
            "Expecting value: line 1 column 1 (char 0)",
        ),
        (
            "AWS::Organizations::Policy",
            {
                **GUARDRAIL,
                "Content": {"Fn::Sub": '{"aws:SecureTransport": "${AWS::AccountId}"}'},
                "TargetIds": ["r-ab12"],
            },
            "A resource control policy about plain HTTP is attached in AWS Organizations: `r-ab12`; "
            "what it denies is known at deployment only",
        ),
        (
            "AWS::Config::RemediationConfiguration",
            {"TargetId": "AWSConfigRemediation-RestrictBucketSSLRequestsOnly", "Automatic": True},
            "Systems Manager can add the deny to a policy that lacks it: automatically",
        ),
        (
            "AWS::Config::RemediationConfiguration",
            {"TargetId": "AWSConfigRemediation-RestrictBucketSSLRequestsOnly"},
            "Systems Manager can add the deny to a policy that lacks it: when somebody starts it",
        ),
    ],
)
def test_how_far_it_goes_is_told(type: str, properties: dict[str, Any], what: str) -> None:
    (found,) = check_template({"Resources": {"One": {"Type": type, "Properties": properties}}}).safeguards
    assert found.what == what
