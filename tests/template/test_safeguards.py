"""What a template declares besides the denies is told as it is written."""

from __future__ import annotations

from typing import Any

import pytest

from secure_bucket import check_template
from secure_bucket.detection import PLAIN_HTTP_DENIED, filter_pattern
from secure_bucket.template.safeguards import SafeguardKind

SELECTORS = [{"FieldSelectors": [{"Field": "resources.type", "Equals": ["AWS::S3::Object"]}]}]
COUNTED = {
    "Type": "AWS::Logs::MetricFilter",
    "Properties": {
        "FilterPattern": filter_pattern(PLAIN_HTTP_DENIED),
        "MetricTransformations": [{"MetricName": "Denied", "MetricNamespace": "N", "MetricValue": "1"}],
    },
}
MFA = {
    "Statement": {"Effect": "Deny", "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}
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
            {"EventPattern": {"detail": {"eventName": ["PutBucketPolicy"]}}},
        ),
        (
            SafeguardKind.ORGANIZATION_POLICY,
            "AWS::Organizations::Policy",
            {
                "Type": "RESOURCE_CONTROL_POLICY",
                "Content": {"Statement": {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}},
            },
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
    alarm: dict[str, Any] = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Denied"}}
    assert kinds(Filter=COUNTED, Alarm=alarm) == [SafeguardKind.METRIC_FILTER, SafeguardKind.ALARM]
    assert kinds(Alarm=alarm) == []
    silent = {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {"MetricName": "Denied", "ActionsEnabled": False},
    }
    assert kinds(Filter=COUNTED, Alarm=silent) == [SafeguardKind.METRIC_FILTER]


@pytest.mark.parametrize(
    ("type", "properties"),
    [
        ("AWS::CloudTrail::Trail", {"IsLogging": False, "AdvancedEventSelectors": SELECTORS}),
        (
            "AWS::Events::Rule",
            {"State": "DISABLED", "EventPattern": {"detail": {"eventName": ["PutBucketPolicy"]}}},
        ),
        ("AWS::Organizations::Policy", {"Type": "SERVICE_CONTROL_POLICY", "Content": "aws:SecureTransport"}),
    ],
)
def test_what_is_switched_off_is_no_safeguard(type: str, properties: dict[str, Any]) -> None:
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
