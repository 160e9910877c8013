"""The records of a JSON document, one for each line of text.

The files of CloudTrail are one object each, `{"Records": [...]}`. Its records are cut out of the text one by
one, so that of a large file never more than one is held as values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from secure_bucket.operations.audit.audit import LogError
from secure_bucket.operations.audit.kinds import LogKind

__all__ = ["record_lines"]

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[\s,]*")
_RECORDS = re.compile(r'\s*(?:\{\s*"Records"\s*:\s*)?\[')


def record_lines(text: str, name: str) -> Iterator[tuple[LogKind, str]]:
    """Yield each record of a document, with what it is, as text without line ends.

    Args:
        text: The document, or several one after another.
        name: Its name, for errors.

    Raises:
        LogError: If it is not a whole JSON document.
    """
    at = 0
    while True:
        at = _skip(text, at)
        if at >= len(text):
            return
        opening = _RECORDS.match(text, at)
        if opening is None:
            value, at = _decode(text, at, name)
            yield from ((kind, line or _line(value)) for kind, line in _within(value))
            continue
        at = _skip(text, opening.end())
        while text[at : at + 1] != "]":
            start = at
            value, end = _decode(text, start, name)
            for kind, line in _within(value):
                # What was written is kept as it is, unless it goes over several lines.
                raw = text[start:end]
                yield (
                    kind,
                    raw if line is None and "\n" not in raw and "\r" not in raw else line or _line(value),
                )
            at = _skip(text, end)
        at += 1
        if "{" in opening.group():
            at = _end_of_object(text, at, name)


def _within(value: Any) -> Iterator[tuple[LogKind, Any]]:
    """Yield the records in a value; `None` instead of the text of a value that is a record itself."""
    if isinstance(value, str):
        # What a subscription or `filter-log-events` delivers: the record is the text of a message.
        try:
            inner = json.loads(value)
        except (ValueError, RecursionError):
            inner = None
        yield _kind(inner), " ".join(value.split())
        return
    if isinstance(value, dict):
        for key, member in (
            ("Records", None), ("events", "message"), ("logEvents", "message"), ("Events", "CloudTrailEvent"),
        ):  # fmt: skip
            if isinstance(value.get(key), list):
                for each in value[key]:
                    inner = each.get(member) if member and isinstance(each, dict) else each
                    yield from ((kind, line or _line(inner)) for kind, line in _within(inner))
                return
    yield _kind(value), None


def _kind(value: Any) -> LogKind:
    return LogKind.ACCESS_JSON if isinstance(value, dict) and "bucket_name" in value else LogKind.EVENTS


def _line(value: Any) -> str:
    return json.dumps(value)


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _decode(text: str, at: int, name: str) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        line = text.count("\n", 0, at) + 1
        raise LogError(
            f"`{name}` is not a whole JSON document: the record that begins in line {line}, at character "
            f"{at + 1:,}, does not end: was the file cut?"
        ) from None


def _end_of_object(text: str, at: int, name: str) -> int:
    """Return where the object around the records ends."""
    while True:
        at = _skip(text, at)
        if text[at : at + 1] == "}":
            return at + 1
        if at >= len(text):
            raise LogError(
                f"`{name}` is not a whole JSON document: it ends before its records do: was it cut?"
            )
        _, at = _decode(text, at, name)
        at = _skip(text, at)
        if text[at : at + 1] == ":":
            _, at = _decode(text, _skip(text, at + 1), name)
