"""Find the reasons why the logs of a bucket are not sufficient evidence."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from secure_bucket.formats.summary import count
from secure_bucket.operations.audit.audit import AuditedBucket, Malformed
from secure_bucket.operations.audit.question import Question

__all__ = ["Doubts", "Row", "span", "time_of", "total"]

Row = Mapping[str, Any]


class Doubts:
    """Finds the reasons why a bucket is not *safe*.

    Args:
        question: The question.
        malformed: The lines that are not records.
        unread: The number of logs that could not be read completely.
        counts: The counts of each bucket, from the query `REPORT`.
    """

    def __init__(
        self, question: Question, malformed: Malformed, unread: int, counts: Mapping[str, Sequence[Row]]
    ) -> None:
        self.question = question
        self.malformed = malformed
        self.unread = unread
        self.counts = counts

    def of(self, bucket: AuditedBucket, rows: Sequence[Row]) -> Iterable[str]:
        """Yield the reasons why the logs of a bucket are not sufficient evidence.

        Args:
            bucket: The bucket.
            rows: Its counts.
        """
        if self.unread:
            # INVARIANT: an unread log has an unknown number of requests, so no share tolerates it.
            unread = count(self.unread, "fault")
            yield f"{unread} left some of the logs unread, and these may be of this bucket"
        apart = sum(self._requests(each) for each in self.counts if _is_access_point(each))
        if apart and not _is_access_point(bucket.name):
            yield (
                f"{count(apart, 'request')} went through access points of which the events name no bucket: "
                "it may be this one"
            )
        if not rows:
            limited = self.question.since is not None or self.question.until is not None
            other = ", or only of another time" if limited else ""
            yield f"there is no record of it in the logs{other}"
            return
        access = [row for row in rows if row["source"] == "access"]
        if not access and not bucket.data_events:
            yield "CloudTrail recorded management events alone, and requests for objects are data events"
        elif _window(access) < self.question.minimum_window:
            # The events are the evidence, or may be.
            effects = {row["effect"] for row in rows}
            for effect in ("read", "write"):
                days = self._trail_days(effect)
                if effect not in effects and not access:
                    yield f"CloudTrail recorded no {effect}: does the trail record data events that {effect}?"
                elif days < self.question.minimum_window <= bucket.window:
                    yield (
                        f"all that CloudTrail recorded of data events that {effect} is within "
                        f"{count(days, 'day')}: has the trail recorded them for longer?"
                    )
        yield from self._copy_doubts(rows)
        tolerated = self.question.tolerated_unknown * (bucket.requests + self.malformed.lines)
        unclear = bucket.unknown + self.malformed.lines > tolerated
        if bucket.unknown and unclear:
            whys = {row["why"] for row in rows if row["answer"] == "unknown"}
            share = f"{count(bucket.unknown, 'request')} of {bucket.requests:,} do not show their protocol"
            yield f"{share}: {'; '.join(sorted(whys))}"
        if not bucket.requests and (access or bucket.data_events):
            yield "the logs hold no request of a client"
        if bucket.first_seen is not None and bucket.last_seen is not None:
            if bucket.window < self.question.minimum_window:
                earlier = any(str(row["first_seen"]) < f"{bucket.first_seen:%Y-%m-%d}" for row in rows)
                silence = f" since a silence of more than {count(self.question.maximum_age, 'day')}" * earlier
                yield (
                    f"the logs span {count(bucket.window, 'day')}{silence}, and less than "
                    f"{count(self.question.minimum_window, 'day')} may miss a client that comes once a month"
                )
            age = (self.question.now - bucket.last_seen).days
            if age > self.question.maximum_age:
                yield f"the logs end {count(age, 'day')} ago, on {bucket.last_seen:%Y-%m-%d}"
            elif age < -1:
                yield f"the logs end on {bucket.last_seen:%Y-%m-%d}, which is yet to come: is a clock wrong?"
        if self.malformed.lines and unclear:
            yield f"{count(self.malformed.lines, 'line')} could not be read, and may be of this bucket"

    def _copy_doubts(self, rows: Sequence[Row]) -> Iterable[str]:
        """Yield doubts about copies from the bucket, if the audit skips the half that S3 does itself.

        S3 reads the source of a copy with the request of the client, so the deny of either bucket breaks the
        client.
        """
        copied = total(rows, ("internal",), "copied from")
        if not copied:
            return
        over_http = [
            f"`{name}`"
            for name, each in sorted(self.counts.items())
            if total(each, ("breaks", "unknown"), "copied to")
        ]
        if over_http:
            yield (
                f"{count(copied, 'copy', 'copies')} from it may be of the clients that do not copy over "
                f"HTTPS to {', '.join(over_http)}"
            )
        every = [row for each in self.counts.values() for row in each]
        known = total(every, ("https", "breaks", "refused", "unknown"), "copied to")
        if copied - known > self.question.tolerated_unknown * copied:
            yield (
                f"the logs hold {count(copied, 'copy', 'copies')} from it and {known:,} requests to copy: "
                "read the logs of the buckets copied to as well"
            )

    def _requests(self, name: str) -> int:
        """Return the number of requests to a bucket over plain HTTP, or with an unknown transport."""
        return total(self.counts[name], ("breaks", "unknown"))

    def _trail_days(self, effect: str) -> int:
        """Return the number of days that the read or write events of CloudTrail span, for all buckets."""
        every = [row for rows in self.counts.values() for row in rows if row["effect"] == effect]
        return _window(every)


def _window(rows: Sequence[Row]) -> int:
    """Return how many days the evidence of rows spans."""
    first, last = span(rows)
    return 0 if first is None or last is None else (last.date() - first.date()).days + 1


def _is_access_point(name: str) -> bool:
    return name.startswith("arn:") or name.endswith(("-s3alias", "--ol-s3", ".mrap"))


def total(rows: Iterable[Row], answers: Sequence[str], effect: str | None = None) -> int:
    """Return the number of requests with one of these answers and an effect (default: any effect)."""
    return sum(
        int(row["requests"])
        for row in rows
        if row["answer"] in answers and (effect is None or row["effect"] == effect)
    )


def span(rows: Sequence[Row]) -> tuple[datetime.datetime | None, datetime.datetime | None]:
    """Return from when to when rows are evidence."""
    first = min((str(row["evidence_from"]) for row in rows if row["evidence_from"]), default="")
    return time_of(first), time_of(max((str(row["last_seen"]) for row in rows), default=""))


def time_of(text: object) -> datetime.datetime | None:
    if not text:
        return None
    return datetime.datetime.strptime(str(text), "%Y-%m-%d %H:%M:%S").replace(tzinfo=datetime.timezone.utc)
