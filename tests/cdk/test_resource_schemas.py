"""Hold what the constructs write to the resource schemas of CloudFormation, which `cfn-lint` carries."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template
from cfnlint.api import lint

from secure_bucket import (
    SecureBucket,
    SecureTransportConformancePack,
    SecureTransportMonitoring,
    SecureTransportOrganizationConformancePack,
    SecureTransportOrganizationPolicy,
    SecureTransportOrganizationRule,
)


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    """Return a template with every resource that the constructs can write."""
    stack = cdk.Stack(cdk.App(), "Top", synthesizer=cdk.BootstraplessSynthesizer())
    reports = SecureBucket(stack, "Reports")
    addresses = ["security@example.com"]
    SecureTransportMonitoring(
        stack, "Monitoring", buckets=[reports], email_addresses=addresses, remediation="automatic"
    )
    SecureTransportOrganizationPolicy(
        stack,
        "Https",
        targets=["ou-ab12-34567890"],
        other_services=True,
        minimum_tls_version=1.2,
        exempt_buckets=["legacy"],
        exempt_tags={"plain-http": "allowed"},
    )
    SecureTransportConformancePack(stack, "Pack")
    SecureTransportOrganizationConformancePack(stack, "Everywhere", excluded_accounts=["111122223333"])
    SecureTransportOrganizationRule(stack, "Rule")
    found: dict[str, Any] = Template.from_stack(stack).to_json()
    return found


def errors(template: dict[str, Any]) -> list[str]:
    """Return what the schemas find; warnings are about style."""
    found = lint(json.dumps(template), regions=["us-east-1"])
    return [f"{each.rule.id} {each.message}" for each in found if each.rule.id.startswith("E")]


def test_every_resource_fits_its_schema(template: dict[str, Any]) -> None:
    types = {each["Type"] for each in template["Resources"].values()}
    # Those that no local server knows.
    assert types >= {
        "AWS::CloudTrail::Trail",
        "AWS::Config::ConfigRule",
        "AWS::Config::ConformancePack",
        "AWS::Config::OrganizationConfigRule",
        "AWS::Config::OrganizationConformancePack",
        "AWS::Config::RemediationConfiguration",
        "AWS::Logs::QueryDefinition",
        "AWS::Organizations::Policy",
    }
    assert errors(template) == []


@pytest.mark.parametrize(
    ("type", "name", "value"),
    [
        ("AWS::Organizations::Policy", "Type", "RESOURCE_POLICY"),
        ("AWS::Organizations::Policy", "TargetIds", "ou-ab12-34567890"),
        ("AWS::CloudTrail::Trail", "IsLogging", "perhaps"),
        ("AWS::CloudWatch::Alarm", "EvaluationPeriods", "often"),
        ("AWS::Logs::MetricFilter", "MetricTransformations", []),
        ("AWS::Config::ConfigRule", "Sources", {}),
    ],
)
def test_a_wrong_value_is_found(template: dict[str, Any], type: str, name: str, value: object) -> None:
    changed = json.loads(json.dumps(template))
    resource = next(each for each in changed["Resources"].values() if each["Type"] == type)
    resource["Properties"][name] = value
    assert errors(changed)
