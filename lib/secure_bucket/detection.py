"""Describe, as plain data, a request over plain HTTP in CloudTrail, and the calls that undo its denial.

`SecureTransportMonitoring` writes its metric filters, its saved query and its EventBridge rules from this
data, and `secure-bucket audit` writes its query of CloudTrail from it.

CloudTrail has no field for the scheme. A request over HTTPS has `tlsDetails`, a request over plain HTTP does
not; but a missing `tlsDetails` means plain HTTP only if no other reason explains it (`EXPLANATIONS`). S3 also
names the cipher suite in `additionalEventData.CipherSuite`, which events older than `tlsDetails` have too. We
infer that S3 omits both for plain HTTP; AWS does not document it. `DOUBTS` names the events for which even
this inference is weak: the alarms include them, and the audit counts them as unknown.

CloudTrail does not record requests with invalid credentials. An error other than `AccessDenied` therefore
does not show that the policy refused the request, and we count the request as accepted.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

from secure_bucket.values.never import assert_never

__all__ = [
    "CONFIG_RULE",
    "DOUBTS",
    "EXPLANATIONS",
    "PLAIN_HTTP",
    "PLAIN_HTTP_ANSWERED",
    "PLAIN_HTTP_DENIED",
    "POLICY_CHANGES",
    "REMEDIATION",
    "RULE_DESCRIPTION",
    "SECURITY_HUB_CONTROL",
    "SECURITY_HUB_TITLE",
    "TLS_FIELDS",
    "TRAIL_CHANGES",
    "Absent",
    "AnyOf",
    "Differs",
    "Equals",
    "Explanation",
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
"""The control of AWS Security Hub that uses the same managed rule."""

SECURITY_HUB_TITLE = "S3 general purpose buckets should require requests to use SSL"
"""The title of that control."""

RULE_DESCRIPTION = (
    f"The bucket policy denies plain HTTP. The rule behind Security Hub {SECURITY_HUB_CONTROL}, "
    f"{SECURITY_HUB_TITLE}."
)
"""The description of each rule that we write."""


class Absent(Struct, frozen=True):
    """The event does not have this field."""

    field: str


class Equals(Struct, frozen=True):
    """The event has this field with this value."""

    field: str
    value: str


class Differs(Struct, frozen=True):
    """The event has this field with another value; a leading `*` matches any text."""

    field: str
    value: str


class AnyOf(Struct, frozen=True):
    """At least one of these traits holds."""

    traits: tuple[Absent | Equals | Differs, ...]


Trait: TypeAlias = Absent | Equals | Differs | AnyOf


class Explanation(Struct, frozen=True):
    """A reason other than plain HTTP why an event names no TLS version.

    Args:
        without: Holds for events to which the reason does not apply.
        why: The reason, as a sentence for reports.
    """

    without: Absent | Differs
    why: str


TLS_FIELDS = ("tlsDetails.tlsVersion", "tlsDetails.cipherSuite", "additionalEventData.CipherSuite")
"""The fields about TLS. An event may have some of them without the others."""

_BY_SERVICE = "an AWS service made the call, and CloudTrail does not tell how"

# *CloudTrail record contents* gives the first two reasons at `tlsDetails`, and says at `sourceIPAddress` that
# a name in place of an address is the name of an AWS service. Read 2026-11.
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
EXPLANATIONS = (
    Explanation(Absent("userIdentity.invokedBy"), _BY_SERVICE),
    Explanation(
        Absent("sessionCredentialFromConsole"), "the console made the call, and CloudTrail does not tell how"
    ),
    Explanation(Differs("sourceIPAddress", "*.amazonaws.com"), _BY_SERVICE),
    Explanation(Differs("sourceIPAddress", "AWS Internal"), _BY_SERVICE),
)
"""An event to which one of these reasons applies does not show plain HTTP."""

# Inferred: AWS does not document these as reasons. In public archives, S3 events through a VPC endpoint do
# name the cipher suite; CloudTrail omits `additionalEventData` from large events; event version 1.08 added
# the field for the TLS version.
DOUBTS = {
    "vpcEndpointId": "it came through a VPC endpoint, and tells no TLS: most likely plain HTTP",
    "additionalEventData": "the event has no `additionalEventData`, in which S3 names the cipher suite",
    "eventVersion": "the event is older than `tlsDetails`",
    "sourceIPAddress": "the event does not have the address of a client",
}
"""Why an event without TLS and without an explanation is doubtful, by the field that raises the doubt."""

PLAIN_HTTP: tuple[Trait, ...] = (
    Equals("eventSource", "s3.amazonaws.com"),
    # Excludes the other events of CloudTrail: insights, network activity, events of services.
    Equals("eventType", "AwsApiCall"),
    *(AnyOf((Absent(field), Equals(field, "-"))) for field in TLS_FIELDS),
    *(each.without for each in EXPLANATIONS),
)
"""The traits of a request to S3 over plain HTTP, as far as CloudTrail shows it; all of them hold."""

PLAIN_HTTP_DENIED: tuple[Trait, ...] = (*PLAIN_HTTP, Equals("errorCode", "AccessDenied"))
"""The traits of a refused request over plain HTTP: by the deny, or because the caller had no permission."""

PLAIN_HTTP_ANSWERED: tuple[Trait, ...] = (
    *PLAIN_HTTP,
    AnyOf((Absent("errorCode"), Differs("errorCode", "AccessDenied"))),
)
"""The traits of a request over plain HTTP that no policy refused: the deny is missing or does not apply."""

POLICY_CHANGES = ("DeleteBucketPolicy", "PutBucketPolicy", "PutBucketWebsite")
"""The calls that can open a bucket to plain HTTP; a website endpoint speaks only plain HTTP."""

TRAIL_CHANGES = ("DeleteTrail", "PutEventSelectors", "StopLogging", "UpdateTrail")
"""The calls that can end the recording of requests."""

_BUCKET = "requestParameters.bucketName"


def filter_pattern(traits: Iterable[Trait], buckets: Sequence[str] = ()) -> str:
    """Write the traits as a filter pattern of CloudWatch Logs.

    The syntax is that of *Filter pattern syntax for metric filters* in the CloudWatch Logs User Guide. A
    pattern may have 1,024 characters.

    Args:
        traits: All of them have to hold.
        buckets: The names of the buckets (default: all buckets).

    Returns:
        The pattern for log events that are CloudTrail events in JSON.
    """
    terms = [_term(trait) for trait in traits]
    if buckets:
        terms.append(_term(AnyOf(tuple(Equals(_BUCKET, bucket) for bucket in buckets))))
    return f"{{ {' && '.join(terms)} }}"


def insights_query(traits: Iterable[Trait]) -> str:
    """Write the traits as a query for CloudWatch Logs Insights that lists who sent such requests.

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
        buckets: The names of the buckets (default: all buckets).

    Returns:
        A new pattern for the default event bus, which you may change.
    """
    detail: dict[str, Any] = {"eventSource": ["s3.amazonaws.com"], "eventName": list(POLICY_CHANGES)}
    if buckets:
        detail["requestParameters"] = {"bucketName": list(buckets)}
    return _api_calls("aws.s3", detail)


def trail_changes(*names: str) -> dict[str, Any]:
    """Write the EventBridge pattern for calls that can end the recording of a trail.

    Args:
        names: The names that a caller may use for the trail: its name and its ARN.

    Returns:
        A new pattern for the default event bus, which you may change.
    """
    # Only `PutEventSelectors` names the trail in `trailName`.
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
