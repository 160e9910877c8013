"""What a request over plain HTTP looks like in CloudTrail, and which changes undo its denial, as plain data.

Everything that watches reads its meaning here: the metric filters and the saved query of
`SecureTransportMonitoring`, its EventBridge rules, and whoever else searches CloudTrail events.

CloudTrail has no field for the scheme. A request over HTTPS has `tlsDetails`, one over plain HTTP has not;
but a missing `tlsDetails` means plain HTTP only where nothing else explains it. *CloudTrail record contents*
in the CloudTrail User Guide names the other explanations: a service of AWS made the call for somebody
(`userIdentity.invokedBy`), or the console did (`sessionCredentialFromConsole`). S3 tells the cipher suite
once more, in `additionalEventData.CipherSuite`, which events older than `tlsDetails` have too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from msgspec import Struct
from typing_extensions import assert_never

__all__ = [
    "CONFIG_RULE",
    "PLAIN_HTTP",
    "PLAIN_HTTP_ANSWERED",
    "PLAIN_HTTP_DENIED",
    "POLICY_CHANGES",
    "REMEDIATION",
    "RULE_DESCRIPTION",
    "SECURITY_HUB_CONTROL",
    "SECURITY_HUB_TITLE",
    "TRAIL_CHANGES",
    "Absent",
    "AnyOf",
    "Differs",
    "Equals",
    "Trait",
    "filter_pattern",
    "insights_query",
    "policy_changes",
    "trail_changes",
]

CONFIG_RULE = "S3_BUCKET_SSL_REQUESTS_ONLY"
"""The managed rule of AWS Config that looks for the deny in each bucket policy."""

REMEDIATION = "AWSConfigRemediation-RestrictBucketSSLRequestsOnly"
"""The Systems Manager runbook of AWS that adds the deny to a bucket policy."""

SECURITY_HUB_CONTROL = "S3.5"
"""The control of AWS Security Hub that stands on the same managed rule."""

SECURITY_HUB_TITLE = "S3 general purpose buckets should require requests to use SSL"
"""The title of that control."""

RULE_DESCRIPTION = (
    f"The bucket policy denies plain HTTP. The rule behind Security Hub {SECURITY_HUB_CONTROL}, "
    f"{SECURITY_HUB_TITLE}."
)
"""What the rule says of itself, wherever we write one."""


class Absent(Struct, frozen=True):
    """The event does not have this field."""

    field: str


class Equals(Struct, frozen=True):
    """The event has this field with this value."""

    field: str
    value: str


class Differs(Struct, frozen=True):
    """The event has this field with another value; a `*` at the beginning is any text."""

    field: str
    value: str


class AnyOf(Struct, frozen=True):
    """One of these holds."""

    traits: tuple[Absent | Equals | Differs, ...]


Trait: TypeAlias = Absent | Equals | Differs | AnyOf

PLAIN_HTTP: tuple[Trait, ...] = (
    Equals("eventSource", "s3.amazonaws.com"),
    # Not what CloudTrail adds by itself: insights, network activity, events of services.
    Equals("eventType", "AwsApiCall"),
    Absent("tlsDetails.tlsVersion"),
    # CloudTrail writes down what it knows, and may know the one without the other.
    Absent("tlsDetails.cipherSuite"),
    Absent("additionalEventData.CipherSuite"),
    Absent("userIdentity.invokedBy"),
    Absent("sessionCredentialFromConsole"),
    Differs("sourceIPAddress", "*.amazonaws.com"),
    Differs("sourceIPAddress", "AWS Internal"),
)
"""All of these hold for a request to S3 over plain HTTP, as far as CloudTrail can tell."""

PLAIN_HTTP_DENIED: tuple[Trait, ...] = (*PLAIN_HTTP, Equals("errorCode", "AccessDenied"))
"""Somebody tried, and was refused: by the deny, or because they had no permission anyway."""

PLAIN_HTTP_ANSWERED: tuple[Trait, ...] = (
    *PLAIN_HTTP,
    # S3 tells that a key does not exist only to those who may list the bucket: that request was let in.
    AnyOf((Absent("errorCode"), Equals("errorCode", "NoSuchKey"))),
)
"""A request over plain HTTP was let in: no deny was there, or it did not hold."""

POLICY_CHANGES = ("DeleteBucketPolicy", "PutBucketPolicy", "PutBucketWebsite")
"""The calls that can open a bucket to plain HTTP; a website endpoint speaks nothing else."""

TRAIL_CHANGES = ("DeleteTrail", "PutEventSelectors", "StopLogging", "UpdateTrail")
"""The calls that can end the recording of requests."""

_BUCKET = "requestParameters.bucketName"


def filter_pattern(traits: Iterable[Trait], buckets: Sequence[str] = ()) -> str:
    """Write the traits as a filter pattern of CloudWatch Logs.

    The syntax is that of *Filter pattern syntax for metric filters* in the CloudWatch Logs User Guide. A
    pattern may have 1,024 characters.

    Args:
        traits: All of them have to hold.
        buckets: The names of the buckets that count: all of them unless set.

    Returns:
        The pattern, for log events that are CloudTrail events in JSON.
    """
    terms = [_term(trait) for trait in traits]
    if buckets:
        terms.append(_term(AnyOf(tuple(Equals(_BUCKET, bucket) for bucket in buckets))))
    return f"{{ {' && '.join(terms)} }}"


def insights_query(traits: Iterable[Trait]) -> str:
    """Write the traits as a query for CloudWatch Logs Insights: who sent such requests, and for what.

    Args:
        traits: All of them have to hold.
    """
    return "\n".join(
        [
            f"filter {' and '.join(_insight(trait) for trait in traits)}",
            "| stats count(*) as requests, min(@timestamp) as first, max(@timestamp) as last "
            f"by {_BUCKET}, userIdentity.arn, sourceIPAddress, userAgent, eventName, errorCode",
            "| sort requests desc",
        ]
    )


def policy_changes(buckets: Sequence[str] = ()) -> dict[str, Any]:
    """Write the EventBridge pattern for calls that can open a bucket to plain HTTP.

    Args:
        buckets: The names of the buckets that count: all of them unless set.

    Returns:
        A new pattern for the default event bus; change it as you like.
    """
    detail: dict[str, Any] = {"eventSource": ["s3.amazonaws.com"], "eventName": list(POLICY_CHANGES)}
    if buckets:
        detail["requestParameters"] = {"bucketName": list(buckets)}
    return _api_calls("aws.s3", detail)


def trail_changes(*names: str) -> dict[str, Any]:
    """Write the EventBridge pattern for calls that can end the recording of a trail.

    Args:
        names: What a caller may call the trail: its name, its ARN.

    Returns:
        A new pattern for the default event bus; change it as you like.
    """
    # `PutEventSelectors` alone calls it `trailName`.
    trail = [{"name": list(names)}, {"trailName": list(names)}]
    return _api_calls(
        "aws.cloudtrail",
        {
            "eventSource": ["cloudtrail.amazonaws.com"],
            "eventName": list(TRAIL_CHANGES),
            "requestParameters": {"$or": trail},
        },
    )


def _api_calls(source: str, detail: dict[str, Any]) -> dict[str, Any]:
    return {"source": [source], "detail-type": ["AWS API Call via CloudTrail"], "detail": detail}


def _term(trait: Trait) -> str:
    match trait:
        case Absent(field):
            return f"($.{field} NOT EXISTS)"
        case Equals(field, value):
            return f'($.{field} = "{value}")'
        case Differs(field, value):
            return f'($.{field} != "{value}")'
        case AnyOf(traits):
            return f"({' || '.join(_term(each) for each in traits)})"
        case _:
            assert_never(trait)


def _insight(trait: Trait) -> str:
    match trait:
        case Absent(field):
            return f"not ispresent({field})"
        case Equals(field, value):
            return f'{field} = "{value}"'
        case Differs(field, value):
            if value.startswith("*"):
                return f"{field} not like /{re.escape(value[1:])}$/"
            return f'{field} != "{value}"'
        case AnyOf(traits):
            return f"({' or '.join(_insight(each) for each in traits)})"
        case _:
            assert_never(trait)
