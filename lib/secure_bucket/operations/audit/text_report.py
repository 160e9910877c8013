"""Write an audit for terminals and `grep`: one line for each group of clients."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from secure_bucket.formats.characters import ONE_COLUMN, encodable, printable
from secure_bucket.formats.summary import count
from secure_bucket.formats.terminal_page import TerminalPage
from secure_bucket.operations.audit.audit import (
    Audit,
    AuditedBucket,
    Breaks,
    CannotTell,
    ClientGroup,
    Safe,
    Trouble,
)
from secure_bucket.operations.audit.families import changes
from secure_bucket.operations.audit.sentences import answer_name, coverage, verdict
from secure_bucket.operations.audit.table import table

__all__ = ["render"]

_TITLES: Final = {
    Trouble.BREAKS: "these break",
    Trouble.REFUSED: "these are refused already",
    Trouble.UNKNOWN: "the logs do not show the protocol of these",
}
_COLOURS: Final = {"breaks": "1;31", "error": "1;31", "cannot tell": "1;33", "safe": "1;32"}
# The answer is before the name of the bucket, which is last and may be one of these words.
_ANSWER: Final = re.compile(r"(?<=  )(breaks|cannot tell|safe)(?=[ :])")
_TIME: Final = "%Y-%m-%d %H:%M"


def render(
    audit: Audit,
    *,
    colour: bool = False,
    width: int | None = None,
    ascii_only: bool = False,
    verbose: bool = False,
) -> str:
    """Return the audit as lines of text.

    Args:
        audit: The audit.
        colour: Whether to use the colours of a terminal (default: plain text).
        width: The columns to wrap at (default: do not wrap).
        ascii_only: Whether to write only ASCII (default: UTF-8).
        verbose: Whether to also list the files that are not logs.
    """
    text = "".join(f"{line}\n" for line in _Page(audit, colour, width, verbose).lines())
    return encodable(text, ONE_COLUMN, ascii_only=ascii_only)


def _answer(bucket: AuditedBucket) -> str:
    """Return the answer, with the reason if the bucket has requests but no evidence."""
    alone = bucket.requests and bucket.first_seen is None
    return f"{answer_name(bucket.answer)}{': management events only' if alone else ''}"


class _Page(TerminalPage):
    def __init__(self, audit: Audit, colour: bool, width: int | None, verbose: bool) -> None:
        self.audit = audit
        super().__init__(colour, width)
        self.verbose = verbose

    def lines(self) -> Iterator[str]:
        for trouble in Trouble:
            groups = [group for group in self.audit.groups if group.trouble is trouble]
            if groups:
                yield from self.groups(trouble, groups)
                yield ""
        wanted = changes(self.audit.groups)
        if wanted:
            yield "what to change:"
            for change, requests in wanted.items():
                yield from self.wrapped(f"  {count(requests, 'request')}: {change}")
            yield ""
        if self.audit.buckets:
            yield from self.buckets()
            yield ""
        yield from self.notes()
        state = "error" if self.audit.faults else answer_name(self.audit.answer)
        for line in self.wrapped(verdict(self.audit)):
            yield self.styled(_COLOURS[state], line)

    def groups(self, trouble: Trouble, groups: list[ClientGroup]) -> Iterator[str]:
        yield f"{_TITLES[trouble]}:"
        keys = self.audit.keys
        several = any(group.clients > 1 for group in groups)
        head = [
            "requests",
            *(["clients"] if several else []),
            *("first seen", "last seen", "how", "status"),
            *(key.value.replace("-", " ") for key in keys if key.value != "status"),
        ]
        rows = [
            [
                f"{group.requests:,}",
                *([f"{group.clients:,}"] if several else []),
                f"{group.first_seen:{_TIME}}",
                f"{group.last_seen:{_TIME}}",
                group.transport,
                group.status,
                *(printable(group.value(key) or "-") for key in keys if key.value != "status"),
            ]
            for group in groups
        ]
        numbers = 6 if several else 5
        yield from table(head, rows, numbers=numbers, width=self.width)
        more = dict(self.audit.more).get(trouble)
        if more:
            yield f"  and {count(more, 'more group', 'more groups')}, which --limit cut off"
        for why in sorted({group.why for group in groups if group.why}):
            yield from self.wrapped(f"  {why}")

    def buckets(self) -> Iterator[str]:
        head = ("requests", "https", "break", "refused", "unknown", "days", "of", "answer", "bucket")
        rows = [
            (
                *(f"{each:,}" for each in (bucket.requests, bucket.https, bucket.breaking, bucket.refused)),
                *(f"{each:,}" for each in (bucket.unknown, bucket.days, bucket.window)),
                _answer(bucket),
                printable(bucket.name),
            )
            for bucket in self.audit.buckets
        ]
        for line in table(head, rows, numbers=7, width=self.width):
            yield _ANSWER.sub(lambda found: self.styled(_COLOURS[found[1]], found[1]), line, count=1)

    def notes(self) -> Iterator[str]:
        if self.audit.files or not self.audit.faults:
            yield from self.answers()
        yield from self.unread()

    def answers(self) -> Iterator[str]:
        audit = self.audit
        yield from self.wrapped(coverage(audit.buckets))
        match audit.answer:
            case CannotTell(reasons):
                for reason in reasons:
                    yield from self.labelled("cannot tell", _COLOURS["cannot tell"], reason)
            case Safe() | Breaks():
                # Show buckets without an answer even if others break.
                for bucket in audit.buckets:
                    if isinstance(bucket.answer, CannotTell):
                        for reason in bucket.answer.reasons:
                            yield from self.labelled(
                                "cannot tell", _COLOURS["cannot tell"], f"bucket `{bucket.name}`: {reason}"
                            )
        if any(bucket.requests > bucket.data_events for bucket in audit.buckets):
            yield from self.wrapped(
                "S3 delivers access logs as well as it can, and does not promise that all arrive"
            )

    def unread(self) -> Iterator[str]:
        audit = self.audit
        if audit.malformed.lines:
            yield from self.wrapped(
                f"{count(audit.malformed.lines, 'line')} could not be read, the first of them:"
            )
            for place in audit.malformed.places:
                at = f"{place.file}:{place.line}" if place.line else place.file
                yield from self.wrapped(f"  {at}: {place.why}")
        for each in audit.passed:
            yield from self.wrapped(f"skipped: {each.records:,} {each.what}")
        internal = sum(bucket.internal for bucket in audit.buckets)
        if internal:
            yield from self.wrapped(f"skipped: {internal:,} records of what S3 did by itself")
        if audit.ignored and self.verbose:
            for file, why in audit.ignored:
                yield from self.wrapped(f"ignored: {file}: {why}")
        elif audit.ignored:
            yield from self.wrapped(
                f"{count(len(audit.ignored), 'file')} ignored: no logs (--verbose lists them)"
            )
        for fault in audit.faults:
            yield from self.labelled("error", _COLOURS["error"], fault.message)
