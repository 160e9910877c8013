"""Write an audit as one page: a strip of days for each bucket, the clients, and the evidence."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Final

from secure_bucket.formats.html_document import document_of
from secure_bucket.formats.html_parts import code, prose, sentence, table
from secure_bucket.formats.markup import Content, Markup, concat, tag
from secure_bucket.formats.run import Run
from secure_bucket.formats.summary import count
from secure_bucket.formats.svg import Bar, BarPart, bars, legend, strips
from secure_bucket.operations.audit.audit import (
    Audit,
    AuditedBucket,
    Breaks,
    BucketDay,
    CannotTell,
    ClientGroup,
    Safe,
    Trouble,
)
from secure_bucket.operations.audit.families import changes
from secure_bucket.operations.audit.sentences import answer_name, coverage, verdict
from secure_bucket.values.never import assert_never

__all__ = ["render"]

_KEY: Final = (
    ("empty", "HTTPS"),
    ("solid", "plain HTTP or old TLS: breaks"),
    ("hatch", "refused already"),
    ("dots", "unknown"),
)
_TROUBLES: Final = {
    Trouble.BREAKS: ("solid", "breaks"),
    Trouble.REFUSED: ("hatch", "refused already"),
    Trouble.UNKNOWN: ("dots", "unknown"),
}
# More do not fit on a screen; the tables contain all of them.
_MOST_STRIPS: Final = 60
_MOST_DAYS: Final = 180
_TIME: Final = "%Y-%m-%d %H:%M"


def render(audit: Audit, run: Run) -> str:
    """Return the audit as one self-contained HTML page."""
    sections = (
        ("days", "Days", _days(audit)),
        ("clients", "Clients", _clients(audit)),
        ("changes", "What to change", _changes(audit)),
        ("evidence", "What the answers rest on", _evidence(audit)),
        ("unread", "What is not in the numbers", _unread(audit)),
    )
    return document_of(
        "Who uses plain HTTP to S3 buckets", prose(verdict(audit)), sections, run, grade=_grade(audit)
    )


def _grade(audit: Audit) -> str:
    if audit.faults:
        return "open"
    match audit.answer:
        case Safe():
            return "good"
        case Breaks():
            return "bad"
        case CannotTell():
            return "open"
        case _:
            assert_never(audit.answer)


def _days(audit: Audit) -> Markup:
    every = [day.day for bucket in audit.buckets for day in bucket.course]
    if not every:
        return tag("p", "The logs hold no request.")
    last = max(every)
    first = max(min(every), last - datetime.timedelta(days=_MOST_DAYS - 1))
    span = [first + datetime.timedelta(days=number) for number in range((last - first).days + 1)]
    # Buckets that break come first, then those without an answer.
    order = {"breaks": 0, "cannot tell": 1, "safe": 2}
    shown = sorted(audit.buckets, key=lambda bucket: (order[answer_name(bucket.answer)], -bucket.requests))
    rows = [(bucket.name, _columns(bucket, span)) for bucket in shown[:_MOST_STRIPS]]
    buckets = count(len(rows), "bucket")
    name = f"Requests by day from {first} to {last}, for {buckets}; the table holds the numbers"
    left = len(shown) - len(rows)
    heads = ("Bucket", "Day", "HTTPS", "Breaks", "Refused", "Unknown")
    cells = [
        (bucket.name, str(day.day), *(f"{each:,}" for each in _numbers(day)))
        for bucket in shown
        for day in bucket.course
    ]
    return concat(
        tag(
            "p", f"Each column is one day from {first} to {last} (UTC), filled by the shares of its requests."
        ),
        legend(_KEY),
        strips(name, rows),
        tag("p", f"{count(left, 'more bucket')} only in the table.") if left > 0 else None,
        tag(
            "details",
            tag("summary", "The numbers of each day"),
            table("Requests by bucket and day", heads, cells),
        ),
    )


def _columns(bucket: AuditedBucket, span: list[datetime.date]) -> list[tuple[BarPart, ...]]:
    days = {day.day: day for day in bucket.course}
    fills = ("empty", "solid", "hatch", "dots")
    return [
        tuple(BarPart(fill, number) for fill, number in zip(fills, _numbers(days[day]), strict=True))
        if day in days
        else ()
        for day in span
    ]


def _numbers(day: BucketDay) -> tuple[int, int, int, int]:
    return day.https, day.breaking, day.refused, day.unknown


def _clients(audit: Audit) -> Markup:
    if not audit.groups:
        return tag("p", "No client uses plain HTTP, and the logs show the protocol of each request.")
    largest = sorted(audit.groups, key=lambda group: -group.requests)[:30]
    rows = [
        Bar(_client(group), (BarPart(_TROUBLES[group.trouble][0], group.requests),), f"{group.requests:,}")
        for group in largest
    ]
    heads = (
        "Client",
        "Outcome",
        "Bucket",
        "Requests",
        "First seen",
        "Last seen",
        "How",
        "Address",
        "User agent",
    )
    cells: list[tuple[Content, ...]] = [
        (
            code(group.requester or "-"),
            _TROUBLES[group.trouble][1],
            group.bucket or "-",
            f"{group.requests:,}",
            f"{group.first_seen:{_TIME}}",
            f"{group.last_seen:{_TIME}}",
            group.transport,
            group.address or "-",
            code(group.user_agent or "-"),
        )
        for group in audit.groups
    ]
    more = [f"{count(number, 'more group')} ({_TROUBLES[trouble][1]})" for trouble, number in audit.more]
    return concat(
        legend([(fill, words) for fill, words in _TROUBLES.values()]),
        bars("The largest groups of clients by requests; the table holds the numbers", rows),
        table("Clients by requests, times in UTC", heads, cells),
        tag("p", f"--limit cut off {' and '.join(more)}.") if more else None,
    )


def _client(group: ClientGroup) -> str:
    return (
        next(
            (each for each in (group.requester, group.user_agent, group.address) if each not in (None, "-")),
            "-",
        )
        or "-"
    )


def _changes(audit: Audit) -> Markup:
    wanted = changes(audit.groups)
    if not wanted:
        return tag("p", "Nothing.")
    heads = ("Change", "Requests")
    return table(
        "What to change in the clients", heads, [(prose(each), f"{n:,}") for each, n in wanted.items()]
    )


def _evidence(audit: Audit) -> Markup:
    heads = (
        "Bucket",
        "Answer",
        "Requests",
        "Known",
        "First record",
        "Last record",
        "Days with requests",
        "Reasons",
    )

    def rows() -> Iterator[tuple[Content, ...]]:
        for bucket in audit.buckets:
            reasons = bucket.answer.reasons if isinstance(bucket.answer, CannotTell) else ()
            yield (
                bucket.name,
                answer_name(bucket.answer),
                f"{bucket.requests:,}",
                f"{int(1000 * bucket.share) / 10:g} %",
                "-" if bucket.first_seen is None else f"{bucket.first_seen:{_TIME}}",
                "-" if bucket.last_seen is None else f"{bucket.last_seen:{_TIME}}",
                f"{bucket.days:,} of {bucket.window:,}",
                concat(*(tag("p", sentence(reason)) for reason in reasons)) if reasons else "-",
            )

    tolerated = f" Up to {100 * audit.tolerated_unknown:g} % of the requests may be unknown."
    window = count(audit.minimum_window, "day")
    rule = (
        f"A bucket is safe only if its logs span at least {window}, are recent, and show the protocol of "
        f"each request.{tolerated if audit.tolerated_unknown else ''}"
    )
    return concat(
        tag("p", rule), tag("p", sentence(coverage(audit.buckets))), table("Buckets", heads, rows())
    )


def _unread(audit: Audit) -> Markup:
    told = [
        *(each.message for each in audit.faults),
        *(
            f"{count(audit.malformed.lines, 'line')} could not be read"
            for _ in range(bool(audit.malformed.lines))
        ),
        *(f"{count.records:,} {count.what}" for count in audit.passed),
        *(f"`{file}` is ignored: {why}" for file, why in audit.ignored[:20]),
    ]
    if not told:
        return tag("p", "Nothing: every line of every file counts.")
    return tag("ul", *(tag("li", sentence(one)) for one in told))
