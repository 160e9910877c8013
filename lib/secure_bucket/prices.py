"""List every price that the library states, in US dollars, with the page of AWS that it is from.

They are those of us-east-1. Other regions differ, and free tiers are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

__all__ = [
    "ATHENA_TERABYTE",
    "EGRESS_GIGABYTE",
    "GET_THOUSAND",
    "LIST_THOUSAND",
    "READ_ON",
    "monitoring_costs",
]

READ_ON: Final = "2026-11"
"""The month in which the prices were looked up."""

ATHENA_TERABYTE: Final = 5.0
"""A terabyte that Athena reads: https://aws.amazon.com/athena/pricing/."""

EGRESS_GIGABYTE: Final = 0.09
"""A gigabyte to the internet, for the first 10 TB a month: https://aws.amazon.com/s3/pricing/."""

GET_THOUSAND: Final = 0.0004
"""A thousand requests for objects: https://aws.amazon.com/s3/pricing/."""

LIST_THOUSAND: Final = 0.005
"""A thousand requests that list objects: https://aws.amazon.com/s3/pricing/."""

# https://aws.amazon.com/cloudtrail/pricing/
_DATA_EVENTS, _MANAGEMENT_EVENTS = 0.10, 2.00
# https://aws.amazon.com/cloudwatch/pricing/
_LOG_GIGABYTE, _KEPT_GIGABYTE, _QUERY_GIGABYTE = 0.50, 0.03, 0.005
_METRIC, _ALARM, _DASHBOARD = 0.30, 0.10, 3.00
# https://aws.amazon.com/kms/pricing/: "the first and second rotation of the key adds $1/month (prorated
# hourly) in cost. This price increase is capped at the second rotation".
_KEY, _ROTATION, _KEY_USES = 1.00, 1.00, 0.03
# https://aws.amazon.com/config/pricing/
_EVALUATION, _CONFIGURATION_ITEM = 0.001, 0.003


class Cost(Struct, frozen=True):
    """What a part of the monitoring costs.

    Args:
        what: The part.
        price: Its price, as a reader would write it.
        page: Whose pricing page it is on.
    """

    what: str
    price: str
    page: str


def monitoring_costs() -> Iterator[Cost]:
    """Yield what each part of `SecureTransportMonitoring` costs."""
    yield Cost(
        "each request to the buckets, as a data event", f"${_DATA_EVENTS:.2f} for 100,000", "CloudTrail"
    )
    yield Cost(
        "each call in the region that changes something",
        f"nothing, or ${_MANAGEMENT_EVENTS:.2f} for 100,000 where another trail records them already",
        "CloudTrail",
    )
    yield Cost(
        "the same events in CloudWatch Logs, one to two KB each",
        f"${_LOG_GIGABYTE:.2f} for each GB, and ${_KEPT_GIGABYTE:.2f} a month for each GB kept",
        "CloudWatch",
    )
    yield Cost("two metrics, two alarms", f"${2 * _METRIC + 2 * _ALARM:.2f} a month", "CloudWatch")
    yield Cost("dashboard", f"${_DASHBOARD:.2f} a month after the first three of an account", "CloudWatch")
    yield Cost(
        "key, which KMS rotates each year",
        f"${_KEY:.2f} a month in the first year, ${_KEY + _ROTATION:.2f} in the second, "
        f"${_KEY + 2 * _ROTATION:.2f} from then on, and ${_KEY_USES:.2f} for 10,000 uses",
        "KMS",
    )
    yield Cost(
        "AWS Config",
        f"${_EVALUATION:.3f} for each evaluation, and ${_CONFIGURATION_ITEM:.3f} for each change that the "
        "recorder records",
        "Config",
    )
    yield Cost(
        "the saved query, when somebody runs it",
        f"${_QUERY_GIGABYTE:.3f} for each GB that it reads",
        "CloudWatch",
    )


def monthly_requests_cost(requests: int) -> float:
    """Return what recording so many requests a month as data events costs."""
    return requests / 100_000 * _DATA_EVENTS
