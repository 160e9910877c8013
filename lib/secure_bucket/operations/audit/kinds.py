"""Tell what a log is from how it begins, and describe the files that the engine reads."""

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
    "odd_kind_of",
    "wrapping_of",
]

HEAD: Final = 64 * 1024
"""How much of a log tells what it is."""

LONGEST_HEAD: Final = 1024 * 1024
"""How much of a file is looked at before it is taken for something else than a log."""

LONGEST_LINE: Final = 2 * 1024 * 1024
"""How many bytes a line may have. A record of CloudTrail has at most 1 MB."""

CONTAINERS: Final = ("Records", "events", "Events", "logEvents")
"""The members in which documents have arrays of records."""

_ACCESS_LINE = re.compile(rb"\S+ \S+ \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] ")
# An export of CloudWatch Logs to S3 puts the time of the event before each.
_EXPORTED = re.compile(rb"\d{4}-\d\d-\d\dT[\d:.]+Z? (?=\{)")
# Records in another form than that of S3 or CloudTrail: lines that cannot be read keep the buckets from safe.
_LIKE_ACCESS = re.compile(
    rb"\[\d{1,2}/[A-Za-z]{3,9}/\d{4}:[^\]\n]{0,24}\](?:\s+\S+){3}\s+(?:BATCH|REST|S3|SOAP|WEBSITE)[.][A-Z]"
)
# JSON within JSON has a backslash before its quotation marks, and JSON within CSV has them doubled.
_LIKE_EVENT = re.compile(rb'\{[^\n]*["\\]eventSource["\\]+\s*:\s*["\\]+s3\.amazonaws\.com')
_LIKE_JSON = re.compile(rb'\{[^\n]*["\\]bucket_name["\\]+\s*:[^\n]*["\\]cipher_suite["\\]+\s*:')
_CONTAINER = re.compile(rb'\{\s*"(?:%s)"\s*:\s*\[' % "|".join(CONTAINERS).encode())
_MEMBER = re.compile(rb'["\\](?:eventSource|bucket_name)\\*"\s*:')

# What logs are kept in at times. It may hold some, so it is never skipped as something else.
_WRAPPINGS: Final = {
    b"\x1f\x8b": "packed with gzip twice",
    b"\x28\xb5\x2f\xfd": "packed with zstd and gzip",
    b"PK\x03\x04": "a zip archive",
    b"BZh": "packed with bzip2",
    b"\xfd7zXZ\x00": "packed with xz",
    b"\x04\x22\x4d\x18": "packed with LZ4",
    b"\xff\x06\x00\x00sNaPpY": "packed with Snappy",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"\x1f\x9d": "packed with compress",
    b"LZIP": "packed with lzip",
    b"Salted__": "encrypted by OpenSSL",
    b"PAR1": "a Parquet file",
    b"Obj\x01": "an Avro file",
    b"ORC": "an ORC file",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
}
_TAR: Final = 257


class LogKind(enum.Enum):
    """What a log is."""

    ACCESS_LINES = "access lines"
    """Server access logs, as S3 delivers them to a bucket."""

    ACCESS_JSON = "access json"
    """Server access logs, as CloudWatch delivers them: a JSON object on each line."""

    EVENTS = "events"
    """Events of CloudTrail, one on each line; an event of EventBridge holds one."""

    DOCUMENT = "document"
    """JSON that holds records deeper within, as the files of CloudTrail do."""


def kind_of(head: bytes) -> LogKind | None:
    """Return what a log is; `None` if it is not a log.

    Args:
        head: Its first bytes, or all of it.
    """
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] in (b"{", b"[") or _EXPORTED.match(text):
        kind = _json_kind(text)
        if kind is not None:
            return kind
    lines = text.split(b"\n")
    # The first lines may be malformed: what makes it a log is that some line is one.
    return LogKind.ACCESS_LINES if any(map(_ACCESS_LINE.match, lines)) else None


def odd_kind_of(head: bytes) -> LogKind | None:
    """Return what a file holds that `kind_of` takes for no log, if it holds records in some other form.

    Args:
        head: Its first bytes, or all of it.
    """
    # Text in UTF-16 has a NUL beside each character.
    text = head.replace(b"\0", b"")
    if _LIKE_ACCESS.search(text):
        return LogKind.ACCESS_LINES
    if _LIKE_EVENT.search(text):
        return LogKind.EVENTS
    return LogKind.ACCESS_JSON if _LIKE_JSON.search(text) else None


def wrapping_of(head: bytes) -> str:
    """Return what a file is that may hold logs and is not read here; `""` when it is nothing of that.

    Args:
        head: Its first bytes, unpacked if it is packed with gzip.
    """
    if head[_TAR : _TAR + 5] == b"ustar":
        return "a tar archive"
    if head.startswith(b"\0") and not head.strip(b"\0"):
        return "a file of NUL bytes"
    return next((words for magic, words in _WRAPPINGS.items() if head.startswith(magic)), "")


def _json_kind(text: bytes) -> LogKind | None:
    # One record a line may stand in an array, of which most lines end with a comma.
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
        kind: What its lines are.
        path: Where it lies, under a name that we gave it.
        packed: Whether the engine has to unpack it, as zstd.
        origins: From which line on, counted from 0, it is from which file, and which line that one was.
        before: How many lines of it were in another file before.
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
        """The files that it is from."""
        return list(dict.fromkeys(name for _, name, _ in self.origins))
