"""Record requests with a trail of S3 data events, its log bucket and its log group."""

from __future__ import annotations

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from secure_bucket.cdk.buckets.log_buckets import LogSource, SecureLogBucket
from secure_bucket.cdk.buckets.refuse import refuse, shown
from secure_bucket.cdk.monitoring.monitored_buckets import KIND, Watched, top_stack

__all__ = ["extend_trail", "make_log_bucket", "make_log_group", "make_trail"]

_MOST_IN_NEW_TRAIL = 490
"""CloudTrail takes 500 values in all advanced event selectors of a trail; a few are ours."""


def make_log_bucket(
    scope: Construct, retention: cdk.Duration, removal_policy: cdk.RemovalPolicy
) -> SecureLogBucket:
    """Make the bucket of a trail, in which each file is encrypted with the key of the trail."""
    return SecureLogBucket(
        scope,
        "LogBucket",
        removal_policy=removal_policy,
        retention=retention,
        source=LogSource.CLOUDTRAIL,
        versioned=True,
    )


def make_log_group(
    scope: Construct,
    key: kms.IKey,
    retention: logs.RetentionDays,
    removal_policy: cdk.RemovalPolicy,
) -> logs.LogGroup:
    """Make the log group of a trail."""
    return logs.LogGroup(
        scope, "LogGroup", encryption_key=key, removal_policy=removal_policy, retention=retention
    )


def make_trail(
    scope: Construct,
    path: str,
    watched: Watched,
    *,
    bucket: s3.Bucket,
    key: kms.IKey,
    log_group: logs.LogGroup,
    management_events: cloudtrail.ReadWriteType,
) -> cloudtrail.Trail:
    """Make a trail of this region for the requests to some buckets, and for management events.

    Raises:
        ConstructError: A trail cannot name so many buckets, or does not know such management events.
    """
    if not isinstance(management_events, cloudtrail.ReadWriteType):
        refuse(
            KIND,
            path,
            f"`management_events={shown(management_events)}` is not a `cloudtrail.ReadWriteType`. Use "
            "`WRITE_ONLY` (the default), `READ_ONLY`, `ALL` or `NONE`",
        )
    if len(watched.arns) > _MOST_IN_NEW_TRAIL:
        refuse(
            KIND,
            path,
            f"`buckets` holds {len(watched.arns)} buckets, and a trail can name {_MOST_IN_NEW_TRAIL} of "
            "them. Write `all_buckets=True`, or make several of them",
        )
    trail = cloudtrail.Trail(
        scope,
        "Trail",
        bucket=bucket,
        cloud_watch_log_group=log_group,
        encryption_key=key,
        # The buckets are in this region, and so are the events about them.
        include_global_service_events=False,
        is_multi_region_trail=False,
        send_to_cloud_watch_logs=True,
    )
    # The event selectors of the L2 trail cannot exclude the log bucket, where each delivery would be a new
    # event to deliver.
    resource = cast(cloudtrail.CfnTrail, trail.node.default_child)
    resource.event_selectors = None
    resource.advanced_event_selectors = [
        *_management_events(management_events),
        cloudtrail.CfnTrail.AdvancedEventSelectorProperty(
            name="Requests to the buckets",
            field_selectors=[
                _field("eventCategory", equals=["Data"]),
                _field("resources.type", equals=["AWS::S3::Object"]),
                _field("resources.ARN", starts_with=[f"{arn}/" for arn in watched.arns])
                if watched.arns
                else _field("resources.ARN", not_starts_with=[f"{bucket.bucket_arn}/"]),
            ],
        ),
    ]
    return trail


def extend_trail(scope: Construct, path: str, watched: Watched, trail: cloudtrail.Trail) -> None:
    """Have a trail of this app record the requests to some buckets.

    Raises:
        ConstructError: The trail cannot take the buckets, or the stacks would depend on each other.
    """
    here = top_stack(scope)
    if top_stack(trail) != here and any(top_stack(bucket) == here for bucket in watched.buckets):
        refuse(
            KIND,
            path,
            f"the trail `{trail.node.path}` would need the buckets of the stack `{here}`, and the alarms "
            "there would need the log group of the trail. Put the monitoring into the stack of the trail",
        )
    resource = cast(cloudtrail.CfnTrail, trail.node.default_child)
    if resource.advanced_event_selectors is not None:
        refuse(
            KIND,
            path,
            f"the trail `{trail.node.path}` has advanced event selectors, beside which CloudTrail takes no "
            "others. Add the S3 data events there, and pass `log_group=trail.log_group` instead of `trail`",
        )
    # CloudTrail takes 250 buckets here, more than the metric filters of the log group can name.
    if watched.arns:
        trail.add_event_selector(cloudtrail.DataResourceType.S3_OBJECT, [f"{arn}/" for arn in watched.arns])
    else:
        trail.log_all_s3_data_events()


def _management_events(
    kind: cloudtrail.ReadWriteType,
) -> list[cloudtrail.CfnTrail.AdvancedEventSelectorProperty]:
    if kind is cloudtrail.ReadWriteType.NONE:
        return []
    fields = [_field("eventCategory", equals=["Management"])]
    if kind is not cloudtrail.ReadWriteType.ALL:
        read_only = kind is cloudtrail.ReadWriteType.READ_ONLY
        fields.append(_field("readOnly", equals=["true" if read_only else "false"]))
    return [
        cloudtrail.CfnTrail.AdvancedEventSelectorProperty(name="Management events", field_selectors=fields)
    ]


def _field(
    field: str,
    *,
    equals: list[str] | None = None,
    starts_with: list[str] | None = None,
    not_starts_with: list[str] | None = None,
) -> cloudtrail.CfnTrail.AdvancedFieldSelectorProperty:
    return cloudtrail.CfnTrail.AdvancedFieldSelectorProperty(
        field=field, equal_to=equals, starts_with=starts_with, not_starts_with=not_starts_with
    )
