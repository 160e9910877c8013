"""Define the question to the logs."""

from __future__ import annotations

import datetime

from msgspec import Struct

from secure_bucket.operations.audit.audit import Key
from secure_bucket.operations.audit.dialects import SqlValue

__all__ = ["ALL_KEYS", "Question"]

ALL_KEYS = (Key.BUCKET, Key.REQUESTER, Key.USER_AGENT, Key.ADDRESS, Key.OPERATION)


class Question(Struct, frozen=True):
    """The question to the logs.

    Args:
        buckets: The buckets (default: all buckets in the logs).
        since: The time of the first request to count (default: count from the first record).
        until: The time after the last request to count (default: count to the last record).
        minimum_tls: Also count TLS below this version (default: count only plain HTTP).
        keys: The keys to group clients by.
        limit: The number of groups of each kind to return.
        minimum_window: The minimum number of days of logs for a safe bucket.
        maximum_age: The maximum number of days since the end of the logs for a safe bucket, and of days
            without a log in between: days before a longer silence are not evidence.
        now: The time of the audit.
        skip_copies: Whether to skip the half of a server-side copy that S3 does itself.
        days: Whether to count the requests of each bucket by day.
        tolerated_unknown: The share of requests without a known protocol that a safe bucket may have.
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
        """Return the value of each name in the queries."""
        return {
            # These defaults sort below and above every time.
            "since": _moment(self.since) or "0",
            "until": _moment(self.until) or "~",
            "bounded": self.since is not None or self.until is not None,
            "skip_copies": self.skip_copies,
            "some_buckets": bool(self.buckets),
            "buckets": self.buckets or ("",),
            "minimum_tls": "" if self.minimum_tls is None else f"{self.minimum_tls:.1f}",
            "limit": self.limit,
            "maximum_age": self.maximum_age,
            "days": self.days,
            **{f"by_{key.column}": key in self.keys for key in Key},
        }


def _moment(time: datetime.datetime | None) -> str:
    return "" if time is None else time.astimezone(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
