"""Reject wrong props of a monitoring, with advice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_logs as logs

from secure_bucket.cdk.buckets.refuse import refuse, shown
from secure_bucket.cdk.monitoring.monitored_buckets import KIND

__all__ = [
    "demand_addresses",
    "demand_choice",
    "demand_list",
    "demand_threshold",
    "demand_trail",
    "demand_type",
    "refuse_for_new_trail",
]


def demand_addresses(path: str, value: object) -> None:
    """Reject a value that is not a list of e-mail addresses."""
    if isinstance(value, str):
        refuse(KIND, path, f"`email_addresses` is a text. Write a list: `[{value!r}]`")
    if not isinstance(value, Sequence):
        refuse(KIND, path, f"`email_addresses={shown(value)}` is not a list. Put the addresses into one")
    for each in value:
        known = isinstance(each, str) and ("@" in each or cdk.Token.is_unresolved(each))
        if not known:
            refuse(
                KIND,
                path,
                f"`email_addresses` holds {shown(each)}, which is not an address. Write "
                "`'security@example.com'`",
            )


def demand_choice(path: str, name: str, value: object, choices: tuple[str, ...]) -> None:
    """Reject a value that is neither one of the given words nor `None`."""
    if value is not None and value not in choices:
        allowed = ", ".join(f"`{choice!r}`" for choice in choices)
        refuse(KIND, path, f"`{name}={shown(value)}` is not one of {allowed} or `None`")


def demand_list(path: str, name: str, value: object, has: str, what: str, advice: str) -> None:
    """Reject a value that is not a list, or holds a wrong item.

    Args:
        path: The path of the monitoring.
        name: The prop.
        value: Its value; `None` stands for no list.
        has: The name of an attribute that each item must have.
        what: What each item is.
        advice: What to write instead.

    Raises:
        ConstructError: The value has another type.
    """
    if value is None:
        return
    if isinstance(value, str) or not isinstance(value, Sequence):
        refuse(KIND, path, f"`{name}={shown(value)}` is not a list. Put it into one")
    for each in cast("Sequence[object]", value):
        # A Python class has the attributes of its objects too.
        if isinstance(each, type) or not hasattr(each, has):
            refuse(KIND, path, f"`{name}` holds {shown(each)}, which is not {what}. {advice}")


def demand_threshold(path: str, name: str, value: object) -> None:
    """Reject a number that cannot be the threshold of an alarm.

    Raises:
        ConstructError: The number is not a whole number above zero.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        refuse(
            KIND,
            path,
            f"`{name}={shown(value)}` is not a number of requests. Use a whole number from 1 (the default), "
            "which alarms on the first one",
        )


def demand_trail(path: str, trail: object, log_group: object) -> None:
    """Reject a trail that cannot be extended, or whose events cannot be counted."""
    if trail is None:
        return
    if not isinstance(trail, cloudtrail.Trail):
        refuse(
            KIND,
            path,
            f"`trail={shown(trail)}` is not a `cloudtrail.Trail` of this app, so that nothing can be added "
            "to it. Have that trail record the S3 data events of the buckets, and pass the log group that it "
            "delivers to as `log_group`",
        )
    if log_group is None and trail.log_group is None:
        refuse(
            KIND,
            path,
            f"the trail `{trail.node.path}` does not deliver to CloudWatch Logs, where its events are "
            "counted. Make it with `send_to_cloud_watch_logs=True`",
        )


def demand_type(path: str, name: str, value: object, has: str, what: str) -> None:
    """Reject a value that is neither of the given kind nor `None`.

    Args:
        path: The path of the monitoring.
        name: The prop.
        value: Its value.
        has: The name of an attribute that the value must have.
        what: The kind of value, as a reader would write it.

    Raises:
        ConstructError: The value has another type.
    """
    if value is not None and (isinstance(value, type) or not hasattr(value, has)):
        refuse(
            KIND, path, f"`{name}={shown(value)}` is not {what}. Pass one, made or imported, or leave it out"
        )


def refuse_for_new_trail(
    path: str,
    management_events: cloudtrail.ReadWriteType,
    log_group_retention: logs.RetentionDays,
    log_bucket_retention: cdk.Duration | None,
) -> None:
    """Reject props of a new trail if no trail is made."""
    for name, differs in (
        ("management_events", management_events is not cloudtrail.ReadWriteType.WRITE_ONLY),
        ("log_group_retention", log_group_retention is not logs.RetentionDays.THREE_MONTHS),
        ("log_bucket_retention", log_bucket_retention is not None),
    ):
        if differs:
            refuse(
                KIND,
                path,
                f"`{name}` is about a new trail, and with `trail` or `log_group` none is made. Set it on the "
                "trail that is there, and leave it out here",
            )
