"""Describe the result of an audit: the clients that break, the answer for each bucket, and the evidence."""

from __future__ import annotations

import datetime
import enum
from typing import NoReturn, TypeAlias

from msgspec import Struct

from secure_bucket.errors import SecureBucketError
from secure_bucket.findings.finding import Fault
from secure_bucket.formats.form import Natural

__all__ = [
    "Answer",
    "Audit",
    "AuditedBucket",
    "Breaks",
    "BucketDay",
    "CannotTell",
    "ClientGroup",
    "Count",
    "Key",
    "LogError",
    "LogLine",
    "Malformed",
    "Safe",
    "Trouble",
]


class LogError(SecureBucketError):
    """A log or a question is invalid."""


class Key(enum.Enum):
    """A column to group clients by."""

    BUCKET = "bucket"
    REQUESTER = "requester"
    USER_AGENT = "user-agent"
    ADDRESS = "address"
    OPERATION = "operation"
    STATUS = "status"

    @property
    def column(self) -> str:
        """The name of the column."""
        return self.value.replace("-", "_")


class Trouble(enum.Enum):
    """The effect of the deny on the requests of a group."""

    BREAKS = "breaks"
    """The deny will refuse them: they came over plain HTTP, or over TLS older than required."""

    REFUSED = "refused"
    """They came in such a way, and were already refused: nothing changes for them."""

    UNKNOWN = "unknown"
    """The logs do not show their protocol."""


class _NotABoolean:
    __slots__ = ()

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"an audit has three outcomes, so `{type(self).__name__}` is neither true nor false: "
            "use `isinstance(answer, Safe)` or `match`"
        )


class Safe(_NotABoolean, Struct, frozen=True, tag_field="outcome", tag="safe"):
    """The deny breaks no client, and the logs are sufficient evidence."""


class Breaks(_NotABoolean, Struct, frozen=True, tag_field="outcome", tag="breaks"):
    """The deny breaks clients.

    Args:
        clients: The number of clients: of different requesters, user agents and addresses together.
        requests: The number of their requests.
    """

    clients: Natural
    requests: Natural


class CannotTell(_NotABoolean, Struct, frozen=True, tag_field="outcome", tag="cannot-tell"):
    """The logs show no client that breaks, but they are not sufficient evidence.

    Args:
        reasons: The reasons, each as a sentence.
    """

    reasons: tuple[str, ...]


Answer: TypeAlias = Safe | Breaks | CannotTell


class ClientGroup(Struct, frozen=True):
    """Requests of one kind from one client, or from several clients that the keys do not distinguish.

    Args:
        trouble: The effect of the deny on them.
        transport: The transport: `http`, `tls-1.0`, `tls-1.1`, …, or `unknown`.
        why: The reason for an unknown transport; `""` for other transports.
        bucket: The bucket. This and the next four are `None` if they are not a key.
        requester: The requester; `-` for an anonymous or unknown one.
        user_agent: The user agent; `-` if the log has no user agent.
        address: The address; `-` if the log has no address.
        operation: The operation, in the words of the log.
        status: The status or the error code, or the lowest and the highest as `200…404`.
        requests: The number of requests.
        clients: The number of clients.
        first_seen: The time of the first request, in UTC.
        last_seen: The time of the last request, in UTC.
    """

    trouble: Trouble
    transport: str
    why: str
    bucket: str | None
    requester: str | None
    user_agent: str | None
    address: str | None
    operation: str | None
    status: str
    requests: Natural
    clients: Natural
    first_seen: datetime.datetime
    last_seen: datetime.datetime

    def value(self, key: Key) -> str | None:
        """Return the value of a key."""
        value: str | None = getattr(self, key.column)
        return value


class BucketDay(Struct, frozen=True):
    """The requests to a bucket on one day.

    Args:
        day: The day, in UTC.
        https: The number of requests over HTTPS with a sufficient TLS version.
        breaking: The number of requests that break.
        refused: The number of requests that were already refused.
        unknown: The number of requests without a known protocol.
    """

    day: datetime.date
    https: Natural
    breaking: Natural
    refused: Natural
    unknown: Natural


class AuditedBucket(Struct, frozen=True):
    """One bucket in the logs.

    Args:
        name: Its name.
        answer: Whether the deny breaks clients.
        requests: The number of requests of clients.
        https: The number of requests over HTTPS with a sufficient TLS version.
        breaking: The number of requests that break.
        refused: The number of requests over plain HTTP or old TLS that were already refused.
        unknown: The number of requests without a known protocol.
        internal: The number of records of actions of S3 itself, which are not requests.
        first_seen: The first record that counts as evidence; `None` without such a record.
        last_seen: The last such record.
        days: The number of days with such records.
        data_events: The number of data events of CloudTrail; 0 with access logs only.
        course: The requests of each day; empty if the question does not ask for days.
    """

    name: str
    answer: Answer
    requests: Natural
    https: Natural
    breaking: Natural
    refused: Natural
    unknown: Natural
    internal: Natural
    first_seen: datetime.datetime | None
    last_seen: datetime.datetime | None
    days: Natural
    data_events: Natural
    course: tuple[BucketDay, ...] = ()

    @property
    def window(self) -> int:
        """The number of days from the first to the last record, both included."""
        if self.first_seen is None or self.last_seen is None:
            return 0
        return (self.last_seen.date() - self.first_seen.date()).days + 1

    @property
    def share(self) -> float:
        """The share of requests with a known protocol, from 0 to 1."""
        return (self.requests - self.unknown) / self.requests if self.requests else 0.0


class LogLine(Struct, frozen=True):
    """A line that is not a record.

    Args:
        file: The file.
        line: The number of the line, from 1; 0 if it is unknown.
        why: The reason.
    """

    file: str
    line: Natural
    why: str


class Malformed(Struct, frozen=True):
    """The lines that are not records.

    Args:
        lines: The number of lines.
        places: The first of them.
    """

    lines: Natural = 0
    places: tuple[LogLine, ...] = ()


class Count(Struct, frozen=True):
    """Skipped records of one kind.

    Args:
        what: The kind.
        records: The number of records.
    """

    what: str
    records: Natural


class Audit(Struct, frozen=True):
    """The result of an audit.

    Args:
        answer: Whether the deny breaks clients of any bucket.
        buckets: Every requested bucket and every bucket in the logs, by name.
        groups: The largest groups of each kind: requests that break, are already refused, or are unknown.
        more: The number of groups of each kind beyond the limit.
        malformed: Lines that are not records.
        passed: Skipped records.
        sources: The arguments of the audit.
        files: The number of files.
        ignored: Files that are not logs, each as `(file, why)`.
        faults: Things that could not be read.
        minimum_tls: The minimum TLS version; `None` to count only plain HTTP.
        minimum_window: The minimum number of days of logs.
        keys: The keys of the groups.
        since: The time of the first record to count; `None` for all.
        until: The time after the last record to count; `None` for all.
        tolerated_unknown: The share of requests without a known protocol that a safe bucket may have.
    """

    answer: Answer
    buckets: tuple[AuditedBucket, ...]
    groups: tuple[ClientGroup, ...]
    more: tuple[tuple[Trouble, int], ...]
    malformed: Malformed
    passed: tuple[Count, ...]
    sources: tuple[str, ...]
    files: Natural
    ignored: tuple[tuple[str, str], ...]
    faults: tuple[Fault, ...]
    minimum_tls: float | None
    minimum_window: int
    keys: tuple[Key, ...]
    since: datetime.datetime | None = None
    until: datetime.datetime | None = None
    tolerated_unknown: float = 0.0
