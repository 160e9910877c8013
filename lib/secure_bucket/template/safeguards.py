"""Find the resources of a template that watch buckets, or enforce the deny for an organization.

They are evidence for the person who signs off, and never affect a verdict: a rule of AWS Config reports a
bucket only after it accepted plain HTTP.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from secure_bucket.detection import CONFIG_RULE, REMEDIATION
from secure_bucket.template.stack import Resource, Stack
from secure_bucket.template.text import strings_of

__all__ = ["DeclaredSafeguard", "SafeguardKind", "declared_safeguards"]

_OFF = (False, "false")

# CloudWatch Logs User Guide, *Filter pattern syntax*: how a filter tests for a missing field.
_WITHOUT_TLS = re.compile(r"tlsDetails[\w.]*\s+NOT\s+EXISTS")


class SafeguardKind(enum.Enum):
    """What a safeguard does."""

    CONFIG_RULE = "AWS Config evaluates `s3-bucket-ssl-requests-only`"
    REMEDIATION = "Systems Manager can add the deny to a policy that lacks it"
    TRAIL = "CloudTrail records requests to objects"
    METRIC_FILTER = "CloudWatch Logs counts requests over plain HTTP"
    ALARM = "CloudWatch tells somebody of that count"
    POLICY_CHANGES = "EventBridge tells of changed and deleted bucket policies"
    ACCESS_LOGS = "S3 writes access logs, which tell the TLS version of each request"
    ORGANIZATION_POLICY = "A resource control policy about plain HTTP is attached in AWS Organizations"
    MFA = "A bucket policy denies something without multi-factor authentication"


class DeclaredSafeguard(Struct, frozen=True):
    """A resource that is a safeguard, according to its declaration.

    Args:
        kind: What it does.
        stack: The stack it belongs to.
        resource: The resource.
        detail: Its extent, if the declaration shows it.
    """

    kind: SafeguardKind
    stack: Stack
    resource: Resource
    detail: str = ""


def declared_safeguards(stack: Stack) -> Iterator[DeclaredSafeguard]:
    """Return the safeguards that a stack declares, in its order."""
    counted = {
        name
        for resource in stack.resources.values()
        if resource.type == "AWS::Logs::MetricFilter"
        for name in _counted(_members(resource))
    }
    for resource in stack.resources.values():
        properties = _members(resource)
        for kind in _kinds(resource.type, properties, counted):
            yield DeclaredSafeguard(kind, stack, resource, _detail(kind, properties))


def _kinds(type: str, properties: Mapping[str, object], counted: set[str]) -> Iterator[SafeguardKind]:
    match type:
        case "AWS::S3::Bucket":
            if properties.get("LoggingConfiguration"):
                yield SafeguardKind.ACCESS_LOGS
        case "AWS::S3::BucketPolicy":
            if any(map(_denies_without_mfa, _statements(properties.get("PolicyDocument")))):
                yield SafeguardKind.MFA
        case "AWS::Logs::MetricFilter":
            if any(_counted(properties)):
                yield SafeguardKind.METRIC_FILTER
        case "AWS::CloudWatch::Alarm":
            metrics = set(strings_of([properties.get("MetricName"), properties.get("Metrics")]))
            # An alarm without actions changes its color in the console, but notifies nobody.
            acts = properties.get("AlarmActions") and properties.get("ActionsEnabled") not in _OFF
            if acts and counted & metrics:
                yield SafeguardKind.ALARM
        case "AWS::CloudTrail::Trail":
            selectors = [properties.get("EventSelectors"), properties.get("AdvancedEventSelectors")]
            if properties.get("IsLogging") not in _OFF and _says(selectors, "AWS::S3::Object"):
                yield SafeguardKind.TRAIL
        case "AWS::Organizations::Policy":
            # A dry run is attached to nothing, and denies nothing.
            attached = properties.get("Type") == "RESOURCE_CONTROL_POLICY" and properties.get("TargetIds")
            if attached and _says(properties.get("Content"), "aws:securetransport"):
                yield SafeguardKind.ORGANIZATION_POLICY
        case _ if type.startswith(("AWS::Config::", "AWS::Events::")):
            yield from _rules(type, properties)


def _rules(type: str, properties: Mapping[str, object]) -> Iterator[SafeguardKind]:
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
            told = properties.get("Targets") and properties.get("State") != "DISABLED"
            if told and _events(properties.get("EventPattern")) >= {"DeleteBucketPolicy", "PutBucketPolicy"}:
                yield SafeguardKind.POLICY_CHANGES


def _detail(kind: SafeguardKind, properties: Mapping[str, object]) -> str:
    match kind:
        case SafeguardKind.ORGANIZATION_POLICY:
            named = (
                f"`{each}`" if isinstance(each, str) else "what the deployment names"
                for each in _listed(properties.get("TargetIds"))
            )
            return ", ".join(named)
        case SafeguardKind.REMEDIATION:
            automatic = properties.get("Automatic") in (True, "true")
            return "automatically" if automatic else "when somebody starts it"
        case _:
            return ""


def _statements(document: object) -> Iterator[Mapping[str, object]]:
    if isinstance(document, Mapping):
        for statement in _listed(document.get("Statement")):
            if isinstance(statement, Mapping):
                yield statement


def _denies_without_mfa(statement: Mapping[str, object]) -> bool:
    """Tell whether a statement denies requests without the MFA keys, such as those with access keys."""
    condition = statement.get("Condition")
    return (
        statement.get("Effect") == "Deny"
        and isinstance(condition, Mapping)
        and any(
            _says(keys, "aws:multifactorauth")
            for operator, keys in condition.items()
            if str(operator).casefold() == "null" or str(operator).casefold().endswith("ifexists")
        )
    )


def _events(pattern: object) -> set[object]:
    """Return the calls that an event pattern lists by name."""
    detail = pattern.get("detail") if isinstance(pattern, Mapping) else None
    names = detail.get("eventName") if isinstance(detail, Mapping) else None
    return {name for name in _listed(names) if isinstance(name, str)}


def _listed(value: object) -> list[object]:
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _members(resource: Resource) -> Mapping[str, object]:
    return resource.properties if isinstance(resource.properties, Mapping) else {}


def _says(value: object, words: str) -> bool:
    """Tell whether a value contains a text, ignoring the case of key and rule names."""
    return any(words.casefold() in text.casefold() for text in strings_of(value))


def _counted(properties: Mapping[str, object]) -> Iterator[str]:
    """Return the names of the metrics that count requests without `tlsDetails`."""
    if not any(_WITHOUT_TLS.search(text) for text in strings_of(properties.get("FilterPattern"))):
        return
    for each in _listed(properties.get("MetricTransformations")):
        name = each.get("MetricName") if isinstance(each, Mapping) else None
        if isinstance(name, str):
            yield name
