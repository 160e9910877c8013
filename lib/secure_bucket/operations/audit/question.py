"""What is asked of the logs."""

from __future__ import annotations

import datetime

from msgspec import Struct

from secure_bucket.operations.audit.audit import Key
from secure_bucket.operations.audit.dialects import SqlValue

__all__ = ["ALL_KEYS", "Question"]

ALL_KEYS = (Key.BUCKET, Key.REQUESTER, Key.USER_AGENT, Key.ADDRESS, Key.OPERATION)


class Question(Struct, frozen=True):
    """What is asked of the logs.

    Args:
        buckets: The buckets (default: all that are in the logs).
        since: From when on (default: from the first record).
        until: Until when, which itself does not count (default: to the last record).
        minimum_tls: The TLS version below which requests count as well (default: only plain HTTP).
        keys: What to group clients by.
        limit: How many groups to return of each kind.
        minimum_window: How many days the logs of a bucket have to span before they can say *safe*.
        maximum_age: How many days ago the logs of a bucket may end before they cannot say *safe*.
        now: The time to count them from.
        skip_copies: Whether to leave out the half of a server-side copy that S3 does itself.
        days: Whether to count the requests of each bucket by day.
        tolerated_unknown: The share of requests that may not show their protocol where it says *safe*.
    """

    now: datetime.datetime
    buckets: tuple[str, ...] = ()
    since: datetime.datetime | None = None
    until: datetime.datetime | None = None
    minimum_tls: float | None = None
    keys: tuple[Key, ...] = ALL_KEYS
    limit: int = 20
    minimum_window: int = 30
    maximum_age: int = 7
    tolerated_unknown: float = 0.0
    skip_copies: bool = False
    days: bool = False

    def values(self) -> dict[str, SqlValue]:
        """Return what stands for each name in the queries."""
        return {
            # Both sort below and above everything that has the form of a time.
            "since": _moment(self.since) or "0",
            "until": _moment(self.until) or "~",
            "bounded": self.since is not None or self.until is not None,
            "skip_copies": self.skip_copies,
            "some_buckets": bool(self.buckets),
            "buckets": self.buckets or ("",),
            "minimum_tls": "" if self.minimum_tls is None else f"{self.minimum_tls:.1f}",
            "limit": self.limit,
            "days": self.days,
            **{f"by_{key.column}": key in self.keys for key in Key},
        }


def _moment(time: datetime.datetime | None) -> str:
    return "" if time is None else time.astimezone(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
