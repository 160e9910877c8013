"""Compute the answer of an audit from the rows of the query."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from secure_bucket.operations.audit.audit import (
    Answer,
    AuditedBucket,
    Breaks,
    BucketDay,
    CannotTell,
    ClientGroup,
    Count,
    Key,
    Malformed,
    Safe,
    Trouble,
)
from secure_bucket.operations.audit.doubts import Doubts, Row, span, time_of, total
from secure_bucket.operations.audit.question import Question

__all__ = ["Conclusion"]

_LONG_AGO = datetime.datetime.min.replace(tzinfo=datetime.timezone.utc)


class Conclusion:
    """The conclusion from the rows of the query.

    Args:
        rows: The rows of the query `REPORT`.
        question: The question.
        malformed: The lines that are not records.
        unread: The number of logs that could not be read completely.
    """

    def __init__(
        self, rows: Sequence[Row], question: Question, malformed: Malformed, unread: int = 0
    ) -> None:
        self.question = question
        self.counts: dict[str, list[Row]] = defaultdict(list)
        self.doubts: Doubts = Doubts(question, malformed, unread, self.counts)
        self.wholes: dict[str, Row] = {}
        self.apart: dict[str, int] = defaultdict(int)
        self.group_rows: list[Row] = [
            row for row in rows if row["level"] == "group" and row["answer"] != "malformed"
        ]
        self.courses: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
        for row in rows:
            if row["level"] == "day":
                # The first record of a day gives the date.
                day = str(row["first_seen"])[:10]
                self.courses[row["bucket"]][day][str(row["answer"])] = int(row["requests"])
            elif row["level"] == "bucket" and row["bucket"] is not None:
                self.wholes[row["bucket"]] = row
            elif row["level"] == "count" and row["bucket"] is not None:
                self.counts[row["bucket"]].append(row)
            elif row["level"] == "count" and row["answer"] in ("passed", "outside"):
                self.apart[row["why"] or "requests outside of the asked time"] += int(row["requests"])

    @property
    def clients(self) -> int:
        """The number of clients that break, each counted once for all buckets."""
        return max((int(row["all_clients"]) for row in self._of(Trouble.BREAKS)), default=0)

    @property
    def passed(self) -> tuple[Count, ...]:
        """The skipped records."""
        return tuple(Count(what, number) for what, number in sorted(self.apart.items()))

    @property
    def groups(self) -> tuple[ClientGroup, ...]:
        """The groups of clients; those that break come first."""
        return tuple(_group(row, trouble) for trouble in Trouble for row in self._of(trouble))

    @property
    def more(self) -> tuple[tuple[Trouble, int], ...]:
        """The number of groups of each kind beyond the limit."""
        found = []
        for trouble in Trouble:
            rows = self._of(trouble)
            if rows and int(rows[0]["all_groups"]) > len(rows):
                found.append((trouble, int(rows[0]["all_groups"]) - len(rows)))
        return tuple(found)

    def _of(self, trouble: Trouble) -> list[Row]:
        return [row for row in self.group_rows if row["answer"] == trouble.value]

    def buckets(self) -> tuple[AuditedBucket, ...]:
        """Return every requested bucket and every bucket in the logs, each with an answer."""
        names = sorted({*self.question.buckets, *self.wholes})
        return tuple(self._bucket(name) for name in names)

    def answer(self, buckets: Iterable[AuditedBucket]) -> Answer:
        """Return the answer for all buckets together."""
        buckets = tuple(buckets)
        if any(isinstance(bucket.answer, Breaks) for bucket in buckets):
            return Breaks(self.clients, sum(bucket.breaking for bucket in buckets))
        if not buckets:
            return CannotTell((self._nothing(),))
        open_ones = [bucket for bucket in buckets if isinstance(bucket.answer, CannotTell)]
        if not open_ones:
            return Safe()
        reasons = [
            reason if len(buckets) == 1 else f"bucket `{bucket.name}`: {reason}"
            for bucket in open_ones
            if isinstance(bucket.answer, CannotTell)
            for reason in bucket.answer.reasons
        ]
        return CannotTell(tuple(reasons))

    def _nothing(self) -> str:
        others = self.apart.get("events of other services", 0) + self.apart.get("requests to no bucket", 0)
        if others:
            return (
                "there is no request to a bucket in the logs, only other events of CloudTrail: "
                "does the trail record the data events of S3?"
            )
        return "there is no request in the logs" + (
            " at the time that was asked for" if "requests outside of the asked time" in self.apart else ""
        )

    def _bucket(self, name: str) -> AuditedBucket:
        rows = self.counts.get(name, [])
        whole = self.wholes.get(name, {})

        first, last = _evidence(rows)
        bucket = AuditedBucket(
            name,
            Safe(),
            total(rows, ("https", "breaks", "refused", "unknown")),
            total(rows, ("https",)),
            total(rows, ("breaks",)),
            total(rows, ("refused",)),
            total(rows, ("unknown",)),
            total(rows, ("internal",)),
            first,
            last,
            int(whole.get("days") or 0),
            sum(int(row["requests"]) for row in rows if row["effect"] in ("read", "write")),
            tuple(self._course(name)),
        )
        answer: Answer
        if bucket.breaking:
            answer = Breaks(int(whole["breaking"]), bucket.breaking)
        else:
            reasons = tuple(self.doubts.of(bucket, rows))
            answer = CannotTell(reasons) if reasons else Safe()
        return replace(bucket, answer=answer)

    def _course(self, name: str) -> Iterable[BucketDay]:
        for day, answers in sorted(self.courses.get(name, {}).items()):
            numbers = (answers.get(each, 0) for each in ("https", "breaks", "refused", "unknown"))
            course = BucketDay(datetime.date.fromisoformat(day), *numbers)
            # Actions of S3 itself are not requests.
            if course.https or course.breaking or course.refused or course.unknown:
                yield course


def _evidence(rows: Sequence[Row]) -> tuple[datetime.datetime | None, datetime.datetime | None]:
    """Return the longest time for which one kind of log records all requests to a bucket.

    Two kinds do not add up: write events of CloudTrail do not show the reads before the access logs began.
    """
    access = span([row for row in rows if row["source"] == "access"])
    events = span([row for row in rows if row["effect"] in ("read", "write")])
    whole = {"read", "write"} <= {row["effect"] for row in rows}
    if access[0] is None or access[1] is None:
        return events
    if not whole or events[0] is None or events[1] is None:
        return access
    return max(access, events, key=lambda span: (span[1] or _LONG_AGO) - (span[0] or _LONG_AGO))


def _group(row: Row, trouble: Trouble) -> ClientGroup:
    low, high = row["status_low"], row["status_high"]
    first, last = time_of(row["first_seen"]), time_of(row["last_seen"])
    assert first is not None
    assert last is not None
    transport = {"http": "http", "old": f"tls-{row['tls']}"}.get(str(row["outcome"]), "unknown")
    values = {key: row[key.column] for key in Key if key is not Key.STATUS}
    return ClientGroup(
        trouble,
        transport,
        row["why"] or "",
        values[Key.BUCKET],
        values[Key.REQUESTER],
        values[Key.USER_AGENT],
        values[Key.ADDRESS],
        values[Key.OPERATION],
        str(low) if low == high else f"{low}…{high}",
        int(row["requests"]),
        int(row["clients"]),
        first,
        last,
    )
