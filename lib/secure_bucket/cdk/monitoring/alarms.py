"""Count requests over plain HTTP with metric filters, and set an alarm on each count."""

from __future__ import annotations

from collections.abc import Iterable

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs
from constructs import Construct
from msgspec import Struct

from secure_bucket.cdk.buckets.refuse import refuse
from secure_bucket.cdk.monitoring.monitored_buckets import KIND, Watched
from secure_bucket.detection import (
    PLAIN_HTTP,
    PLAIN_HTTP_ANSWERED,
    PLAIN_HTTP_DENIED,
    Trait,
    filter_pattern,
    insights_query,
)

__all__ = ["ANSWERED", "DENIED", "CountedEvent", "make_alarm", "make_dashboard", "save_query"]

_NAMES_IN_PATTERN = 4
"""So many of the longest names of buckets fit into the 1,024 characters of a filter pattern."""

_MOST_FILTERS = 80
"""CloudWatch Logs takes 100 metric filters for a log group; others may have some there already."""

_PERIOD = 5


class CountedEvent(Struct, frozen=True):
    """A kind of event to count.

    Args:
        id: The id of its metric and its alarm.
        traits: The traits of the counted events.
        description: The description of the alarm.
    """

    id: str
    traits: tuple[Trait, ...]
    description: str


DENIED = CountedEvent(
    "PlainHttpDenied",
    PLAIN_HTTP_DENIED,
    "A client sent requests over plain HTTP and was refused. Nothing was answered, but what it sent went "
    "over the wire in clear: find the client (the saved query shows it) and have it use HTTPS.",
)

ANSWERED = CountedEvent(
    "PlainHttpAnswered",
    PLAIN_HTTP_ANSWERED,
    "S3 answered a request over plain HTTP: the bucket policy does not deny it, or not any more. Look at the "
    "policy first (`secure-bucket review`), then at what was read or written (the saved query shows it).",
)


def make_alarm(
    scope: Construct,
    path: str,
    count: CountedEvent,
    watched: Watched,
    *,
    log_group: logs.ILogGroup,
    shared: bool,
    threshold: int,
    actions: Iterable[cloudwatch.IAlarmAction],
) -> cloudwatch.Alarm:
    """Count the events of a log group that have certain traits, and set an alarm.

    Args:
        scope: The construct they belong to.
        path: The path of the monitoring.
        count: The kind of event to count.
        watched: The watched buckets.
        log_group: The log group of the events.
        shared: Whether the log group can contain events of other buckets.
        threshold: The number of events in five minutes that raises an alarm.
        actions: The actions of the alarm.

    Raises:
        ConstructError: The filters of a log group cannot name so many buckets.
    """
    chunks = list(watched.chunks(_NAMES_IN_PATTERN)) if shared else [()]
    # Two counts, each with its filters.
    if 2 * len(chunks) > _MOST_FILTERS:
        refuse(
            KIND,
            path,
            f"`buckets` holds {len(watched.names)} buckets, and the metric filters of a log group can name "
            f"{_MOST_FILTERS // 2 * _NAMES_IN_PATTERN} of them. Write `all_buckets=True`, or leave out "
            "`trail` and `log_group`",
        )
    # Metrics have no owner: with its own name, each monitoring counts by itself.
    namespace = f"SecureBucket/{cdk.Names.unique_resource_name(scope, max_length=200, separator='-')}"
    filters = [
        logs.MetricFilter(
            scope,
            f"{count.id}Filter{number or ''}",
            default_value=0,
            filter_pattern=logs.FilterPattern.literal(filter_pattern(count.traits, names)),
            log_group=log_group,
            metric_name=count.id,
            metric_namespace=namespace,
            metric_value="1",
        )
        for number, names in enumerate(chunks)
    ]
    metric = filters[0].metric(period=cdk.Duration.minutes(_PERIOD), statistic="Sum")
    alarm = cloudwatch.Alarm(
        scope,
        count.id,
        alarm_description=count.description,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        evaluation_periods=1,
        metric=metric,
        threshold=threshold,
        # Without any request there is no alarm.
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
    alarm.add_alarm_action(*actions)
    return alarm


def save_query(scope: Construct, log_group: logs.ILogGroup) -> logs.CfnQueryDefinition:
    """Save the query for the senders of requests over plain HTTP, for the console of CloudWatch Logs."""
    return logs.CfnQueryDefinition(
        scope,
        "Query",
        log_group_names=[log_group.log_group_name],
        name=f"{cdk.Names.unique_resource_name(scope, max_length=200, separator='-')}/PlainHttp",
        query_string=insights_query(PLAIN_HTTP),
    )


_TEXT = """
# Plain HTTP to S3 buckets

**Answered** is urgent: the deny is missing, or does not hold. **Denied** is a client that still tries.
The saved query of CloudWatch Logs Insights shows who sent what. What cannot be seen here: requests that
CloudTrail does not record, and those that a service of AWS or the console makes for somebody.
"""


def make_dashboard(
    scope: Construct, answered: cloudwatch.Alarm, denied: cloudwatch.Alarm
) -> cloudwatch.Dashboard:
    """Show the alarms, and the number of requests over plain HTTP."""
    return cloudwatch.Dashboard(
        scope,
        "Dashboard",
        widgets=[
            [
                cloudwatch.TextWidget(markdown=_TEXT.strip(), width=12, height=5),
                cloudwatch.AlarmStatusWidget(alarms=[answered, denied], title="Alarms", width=12, height=5),
            ],
            [
                cloudwatch.GraphWidget(title=title, left=[alarm.metric], width=12)
                for title, alarm in (("Answered", answered), ("Denied", denied))
            ],
        ],
    )
