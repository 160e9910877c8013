"""Detect the kind of a log from its beginning, and describe the files for the engine."""

from __future__ import annotations

import enum
import json
import re
from bisect import bisect_right
from typing import Final

from msgspec import Struct, field

__all__ = [
    "CONTAINERS",
    "HEAD",
    "LONGEST_HEAD",
    "LONGEST_LINE",
    "Batch",
    "LogKind",
    "kind_of",
]

HEAD: Final = 64 * 1024
"""The bytes that usually suffice to detect the kind of a log."""

LONGEST_HEAD: Final = 1024 * 1024
"""The bytes to examine before a file counts as no log."""

LONGEST_LINE: Final = 2 * 1024 * 1024
"""The maximum bytes of a line. A record of CloudTrail has at most 1 MB."""

CONTAINERS: Final = ("Records", "events", "Events", "logEvents")
"""The members with arrays of records."""

_ACCESS_LINE = re.compile(rb"\S+ \S+ \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] ")
# An export of CloudWatch Logs to S3 writes the time of each event before it.
_EXPORTED = re.compile(rb"\d{4}-\d\d-\d\dT[\d:.]+Z? (?=\{)")
_CONTAINER = re.compile(rb'\{\s*"(?:%s)"\s*:\s*\[' % "|".join(CONTAINERS).encode())
_MEMBER = re.compile(rb'["\\](?:eventSource|bucket_name)\\*"\s*:')


class LogKind(enum.Enum):
    """The kind of a log."""

    ACCESS_LINES = "access lines"
    """Server access logs that S3 delivers to a bucket."""

    ACCESS_JSON = "access json"
    """Server access logs that CloudWatch delivers: a JSON object on each line."""

    EVENTS = "events"
    """Events of CloudTrail, one on each line; an event of EventBridge contains one."""

    DOCUMENT = "document"
    """JSON with nested records, such as the files of CloudTrail."""


def kind_of(head: bytes) -> LogKind | None:
    """Return the kind of a log; `None` for other files.

    Args:
        head: The first bytes of the file.
    """
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] in (b"{", b"[") or _EXPORTED.match(text):
        kind = _json_kind(text)
        if kind is not None:
            return kind
    lines = text.split(b"\n")
    # The first lines may be malformed: one valid line suffices.
    return LogKind.ACCESS_LINES if any(map(_ACCESS_LINE.match, lines)) else None


def _json_kind(text: bytes) -> LogKind | None:
    # An array may have one record on each line, so that most lines end with a comma.
    if _CONTAINER.match(text) or (text[:1] == b"[" and _MEMBER.search(text)):
        return LogKind.DOCUMENT
    for line in text.split(b"\n")[:50]:
        kind = _record_kind(_EXPORTED.sub(b"", line, count=1))
        if kind is not None:
            return kind
    if _CONTAINER.search(text) or _MEMBER.search(text):
        return LogKind.DOCUMENT
    return None


def _record_kind(line: bytes) -> LogKind | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict):
        return LogKind.DOCUMENT if isinstance(record, list) and record else None
    detail = record.get("detail")
    if "eventSource" in record or (isinstance(detail, dict) and "eventSource" in detail):
        return LogKind.EVENTS
    if "bucket_name" in record or "request_time" in record:
        return LogKind.ACCESS_JSON
    if any(isinstance(record.get(key), list) for key in CONTAINERS):
        return LogKind.DOCUMENT
    return None


class Batch(Struct):
    """A file for the engine.

    Args:
        kind: The kind of its lines.
        path: Its path, with a name that we chose.
        packed: Whether the engine has to unpack it with zstd.
        origins: The parts of the batch: its first line in the batch, from 0, its file, and the number of that
            line in the file.
        before: The number of lines of the batch in earlier files.
    """

    kind: LogKind
    path: str
    packed: bool = False
    origins: list[tuple[int, str, int]] = field(default_factory=list)
    before: int = 0

    def origin(self, line: int) -> tuple[str, int]:
        """Return the file and the line, from 1, of a line of the batch, from 1."""
        line += self.before
        place = bisect_right(self.origins, line - 1, key=lambda each: each[0]) - 1
        start, name, first = self.origins[max(place, 0)]
        return name, line - 1 - start + first

    @property
    def names(self) -> list[str]:
        """The original files."""
        return list(dict.fromkeys(name for _, name, _ in self.origins))
