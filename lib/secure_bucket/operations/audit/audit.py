"""What an audit has to say: clients that break, buckets with an answer each, and what it rests on."""

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
    """Say what is wrong with a log, or with what was asked of it."""


class Key(enum.Enum):
    """What clients can be grouped by."""

    BUCKET = "bucket"
    REQUESTER = "requester"
    USER_AGENT = "user-agent"
    ADDRESS = "address"
    OPERATION = "operation"
    STATUS = "status"

    @property
    def column(self) -> str:
        """The name of its column."""
        return self.value.replace("-", "_")


class Trouble(enum.Enum):
    """What the requests of a group did, or may have done."""

    BREAKS = "breaks"
    """They came over plain HTTP, or TLS older than asked, and were not refused: they will be."""

    REFUSED = "refused"
    """They did so, and were refused already: nothing changes for them."""

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
    """Nothing in the logs breaks, and they cover enough to say so."""


class Breaks(_NotABoolean, Struct, frozen=True, tag_field="outcome", tag="breaks"):
    """Clients break when the deny is switched on.

    Args:
        clients: How many: as many as there are requesters, user agents and addresses together.
        requests: How many requests they made.
    """

    clients: Natural
    requests: Natural


class CannotTell(_NotABoolean, Struct, frozen=True, tag_field="outcome", tag="cannot-tell"):
    """Nothing breaks as far as the logs tell, and they do not tell enough.

    Args:
        reasons: Why, each in a sentence.
    """

    reasons: tuple[str, ...]


Answer: TypeAlias = Safe | Breaks | CannotTell


class ClientGroup(Struct, frozen=True):
    """Requests of one kind from one client, or from those that the keys do not tell apart.

    Args:
        trouble: What they did.
        transport: How they came: `http`, `tls-1.0`, `tls-1.1`, …, or `unknown`.
        why: Why the logs do not tell, if they do not; `""` otherwise.
        bucket: The bucket; `None`, as all of the following, where it is not a key.
        requester: Who asked; `-` for an anonymous request, or one of which the log does not tell.
        user_agent: The user agent; `-` where the log has none.
        address: The address; `-` where the log has none.
        operation: The operation, in the words of the log.
        status: The status or the error code, or the lowest and the highest as `200…404`.
        requests: How many requests.
        clients: How many clients, where a group has several.
        first_seen: The time of the first one, in UTC.
        last_seen: The time of the last one, in UTC.
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
        """Return what the group has for a key."""
        value: str | None = getattr(self, key.column)
        return value


class BucketDay(Struct, frozen=True):
    """The requests to a bucket on one day.

    Args:
        day: The day, in UTC.
        https: How many came over HTTPS that is new enough.
        breaking: How many break.
        refused: How many were refused already.
        unknown: How many do not show their protocol.
    """

    day: datetime.date
    https: Natural
    breaking: Natural
    refused: Natural
    unknown: Natural


class AuditedBucket(Struct, frozen=True):
    """One bucket, with what the logs say of it.

    Args:
        name: Its name.
        answer: Whether the deny breaks something.
        requests: How many requests of clients there are.
        https: How many came over HTTPS that is new enough.
        breaking: How many break.
        refused: How many came over plain HTTP or old TLS, and were refused already.
        unknown: How many do not show their protocol.
        internal: How many records are of what S3 did by itself; they are not requests.
        first_seen: The first record that counts as evidence; `None` without such a record.
        last_seen: The last one.
        days: On how many days there are any.
        data_events: How many of the records are data events of CloudTrail; 0 with access logs alone.
        course: The requests of each day; empty if the days were not asked for.
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
        """How many days lie between the first and the last record, both included."""
        if self.first_seen is None or self.last_seen is None:
            return 0
        return (self.last_seen.date() - self.first_seen.date()).days + 1

    @property
    def share(self) -> float:
        """The share of the requests whose protocol the logs show, from 0 to 1."""
        return (self.requests - self.unknown) / self.requests if self.requests else 0.0


class LogLine(Struct, frozen=True):
    """A line that is not a record.

    Args:
        file: The file, as it was given.
        line: The number of the line, from 1; 0 when it is not known.
        why: What is wrong with it.
    """

    file: str
    line: Natural
    why: str


class Malformed(Struct, frozen=True):
    """The lines that are not records.

    Args:
        lines: How many.
        places: The first few.
    """

    lines: Natural = 0
    places: tuple[LogLine, ...] = ()


class Count(Struct, frozen=True):
    """Records that are skipped.

    Args:
        what: What they are.
        records: How many.
    """

    what: str
    records: Natural


class Audit(Struct, frozen=True):
    """Everything that one audit has to say.

    Args:
        answer: Whether the deny breaks something, on any bucket.
        buckets: Every bucket that was asked about or is in the logs, by name.
        groups: What breaks, what is refused already, and what is not known: the largest groups of each.
        more: How many further groups there are of each, beyond the limit.
        malformed: Lines that are not records.
        passed: Records that are skipped.
        sources: What was read, as it was given.
        files: How many files that were.
        ignored: Files that are not logs, each as `(file, why)`.
        faults: What could not be read.
        minimum_tls: The TLS version that was asked for; `None` for none.
        minimum_window: How many days the logs have to cover.
        keys: What the groups are of.
        since: From when on records counted; `None` for all.
        until: Until when; `None` for all.
        tolerated_unknown: The share of requests that may not show their protocol where it says *safe*.
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
