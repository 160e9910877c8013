"""Report changes that can open a bucket or end the recording, with EventBridge rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_events as events
from constructs import Construct

from secure_bucket.cdk.monitoring.monitored_buckets import Watched
from secure_bucket.detection import policy_changes, trail_changes

__all__ = ["change_message", "watch_policies", "watch_trail"]

_NAMES_IN_RULE = 20
"""So many of the longest names of buckets fit into the 2,048 characters of an event pattern."""


def watch_policies(
    scope: Construct, watched: Watched, targets: Sequence[events.IRuleTarget]
) -> list[events.Rule]:
    """Report calls that change the policy of a bucket or make it a website."""
    return [
        _rule(
            scope,
            f"PolicyChanges{number or ''}",
            "Calls that can open a bucket to plain HTTP",
            policy_changes(names),
            targets,
        )
        for number, names in enumerate(watched.chunks(_NAMES_IN_RULE))
    ]


def watch_trail(
    scope: Construct, trail: cloudtrail.Trail, targets: Sequence[events.IRuleTarget]
) -> events.Rule:
    """Report calls that end or change the recording of requests."""
    name = cast(cloudtrail.CfnTrail, trail.node.default_child).ref
    return _rule(
        scope,
        "TrailChanges",
        "Calls that can end the recording of requests",
        trail_changes(name, trail.trail_arn),
        targets,
    )


def change_message() -> events.RuleTargetInput:
    """Return the text of a notice about a call."""
    at = events.EventField.from_path
    return events.RuleTargetInput.from_multiline_text(
        "\n".join(
            [
                f"{at('$.detail.eventName')} on {at('$.detail.requestParameters.bucketName')}"
                f"{at('$.detail.requestParameters.name')}{at('$.detail.requestParameters.trailName')}",
                f"by {at('$.detail.userIdentity.arn')} from {at('$.detail.sourceIPAddress')}",
                f"in account {at('$.account')}, {at('$.region')}, at {at('$.time')}",
                f"event {at('$.detail.eventID')} {at('$.detail.errorCode')}",
                "If this was no deployment, run `secure-bucket review` on the bucket.",
            ]
        )
    )


def _rule(
    scope: Construct,
    id: str,
    description: str,
    pattern: dict[str, Any],
    targets: Sequence[events.IRuleTarget],
) -> events.Rule:
    rule = events.Rule(
        scope,
        id,
        description=description,
        event_pattern=events.EventPattern(
            detail=pattern["detail"], detail_type=pattern["detail-type"], source=pattern["source"]
        ),
    )
    for target in targets:
        rule.add_target(target)
    return rule
