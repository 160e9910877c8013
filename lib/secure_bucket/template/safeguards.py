"""What a template declares besides the deny: what watches the buckets, and what enforces it from above.

It is read as it is written, for the evidence of who signs off, and never counts for a verdict: a rule of
AWS Config says next day that a bucket answers plain HTTP, and a bucket that is proven never does.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from secure_bucket.template.stack import Resource, Stack
from secure_bucket.template.text import strings_of

__all__ = ["DeclaredSafeguard", "SafeguardKind", "declared_safeguards"]

_OFF = (False, "false")


class SafeguardKind(enum.Enum):
    """What a safeguard does."""

    CONFIG_RULE = "AWS Config evaluates `s3-bucket-ssl-requests-only`"
    REMEDIATION = "Systems Manager adds the deny to a policy that lacks it"
    TRAIL = "CloudTrail records the requests to objects"
    METRIC_FILTER = "CloudWatch Logs counts requests over plain HTTP"
    ALARM = "CloudWatch raises an alarm on that count"
    POLICY_CHANGES = "EventBridge tells of changed and deleted bucket policies"
    ACCESS_LOGS = "S3 writes access logs, which tell the TLS version of each request"
    ORGANIZATION_POLICY = "A resource control policy denies plain HTTP for whole accounts"
    MFA = "A bucket policy asks for multi-factor authentication"


@dataclass(frozen=True, slots=True)
class DeclaredSafeguard:
    """A resource that is a safeguard, as far as its declaration tells.

    Args:
        kind: What it does.
        stack: The stack it belongs to.
        resource: The resource.
    """

    kind: SafeguardKind
    stack: Stack
    resource: Resource


def declared_safeguards(stack: Stack) -> Iterator[DeclaredSafeguard]:
    """Return the safeguards that a stack declares, in its order."""
    counted = {
        name
        for resource in stack.resources.values()
        if resource.type == "AWS::Logs::MetricFilter"
        for name in _counted(_members(resource))
    }
    for resource in stack.resources.values():
        for kind in _kinds(resource.type, _members(resource), counted):
            yield DeclaredSafeguard(kind, stack, resource)


def _kinds(type: str, properties: Mapping[str, object], counted: set[str]) -> Iterator[SafeguardKind]:
    match type:
        case "AWS::S3::Bucket":
            if properties.get("LoggingConfiguration"):
                yield SafeguardKind.ACCESS_LOGS
        case "AWS::S3::BucketPolicy":
            if _says(properties.get("PolicyDocument"), "aws:multifactorauth"):
                yield SafeguardKind.MFA
        case "AWS::Logs::MetricFilter":
            if any(_counted(properties)):
                yield SafeguardKind.METRIC_FILTER
        case "AWS::CloudWatch::Alarm":
            metrics = set(strings_of([properties.get("MetricName"), properties.get("Metrics")]))
            if properties.get("ActionsEnabled") not in _OFF and counted & metrics:
                yield SafeguardKind.ALARM
        case "AWS::CloudTrail::Trail":
            selectors = [properties.get("EventSelectors"), properties.get("AdvancedEventSelectors")]
            if properties.get("IsLogging") not in _OFF and _says(selectors, "AWS::S3::Object"):
                yield SafeguardKind.TRAIL
        case "AWS::Organizations::Policy":
            kept = properties.get("Type") == "RESOURCE_CONTROL_POLICY"
            if kept and _says(properties.get("Content"), "aws:securetransport"):
                yield SafeguardKind.ORGANIZATION_POLICY
        case _ if type.startswith(("AWS::Config::", "AWS::Events::")):
            yield from _rules(type, properties)


def _rules(type: str, properties: Mapping[str, object]) -> Iterator[SafeguardKind]:
    # Loaded for the few templates that have such rules: a small template is checked in less time.
    from secure_bucket.detection import CONFIG_RULE, POLICY_CHANGES, REMEDIATION

    match type:
        case (
            "AWS::Config::ConfigRule"
            | "AWS::Config::OrganizationConfigRule"
            | "AWS::Config::ConformancePack"
            | "AWS::Config::OrganizationConformancePack"
        ):
            if _says(properties, CONFIG_RULE):
                yield SafeguardKind.CONFIG_RULE
        case "AWS::Config::RemediationConfiguration":
            if _says(properties.get("TargetId"), REMEDIATION):
                yield SafeguardKind.REMEDIATION
        case "AWS::Events::Rule":
            pattern = properties.get("EventPattern")
            if properties.get("State") != "DISABLED" and any(
                _says(pattern, change) for change in POLICY_CHANGES
            ):
                yield SafeguardKind.POLICY_CHANGES


def _members(resource: Resource) -> Mapping[str, object]:
    return resource.properties if isinstance(resource.properties, Mapping) else {}


def _says(value: object, words: str) -> bool:
    """Tell whether a text stands anywhere in a value; names of keys and of rules know no case."""
    return any(words.casefold() in text.casefold() for text in strings_of(value))


def _counted(properties: Mapping[str, object]) -> Iterator[str]:
    """Return the names of the metrics that count requests over plain HTTP."""
    if not _says(properties.get("FilterPattern"), "tlsDetails"):
        return
    transformations = properties.get("MetricTransformations")
    for each in transformations if isinstance(transformations, list) else ():
        name = each.get("MetricName") if isinstance(each, Mapping) else None
        if isinstance(name, str):
            yield name
