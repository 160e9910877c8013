"""The dashboard of a monitoring."""

from __future__ import annotations

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

__all__ = ["make_dashboard"]

_TEXT = """
# Plain HTTP to S3 buckets

**Answered** is urgent: the deny is missing, or does not hold. **Denied** is a client that still tries.
The saved query of CloudWatch Logs Insights shows who sent what. What cannot be seen here: requests that
CloudTrail does not record, and those that a service of AWS or the console makes for somebody.
"""


def make_dashboard(
    scope: Construct, answered: cloudwatch.Alarm, denied: cloudwatch.Alarm
) -> cloudwatch.Dashboard:
    """Show the alarms, and how many requests over plain HTTP there were."""
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
