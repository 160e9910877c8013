"""Cut the records out of JSON documents, one for each line of text.

A file of CloudTrail is one object, `{"Records": [...]}`. This module cuts its records out of the text one by
one, so that memory never holds the values of more than one record. A record stays text, because values would
lose members that the record names twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator
from typing import Any, Final, TypeAlias

from secure_bucket.operations.audit.audit import LogError
from secure_bucket.operations.audit.kinds import CONTAINERS, LogKind
from secure_bucket.operations.audit.other_forms import holds_records

__all__ = ["record_lines"]

_Line: TypeAlias = tuple[LogKind, str]

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[\s,]*")
_WITHIN = re.compile(r"\s*:\s*")
_LARGE = re.compile(rf'\[|\{{\s*"(?:{"|".join(CONTAINERS)})"\s*:\s*\[')
_DEEPEST: Final = 12

# An object with one of these members is a record. The engine decides whether the record is complete.
_OF_RECORDS: Final = frozenset(
    ("eventSource", "eventName", "eventTime", "eventVersion", "bucket_name", "request_time", "detail")
)
# These members contain a record as text.
_TEXTS: Final = ("message", "CloudTrailEvent")
# The other members in the output of `filter-log-events`, of a subscription and of `lookup-events`.
_BESIDE: Final = ("searchedLogStreams", "subscriptionFilters", "Resources")


def record_lines(text: str, name: str, depth: int = 0) -> Iterator[_Line]:
    """Yield each record of a document as text without line ends, with its kind.

    The function also yields values that should be records and are not, so that they count as malformed.

    Args:
        text: The document, or several documents one after another.
        name: Its name, for errors.
        depth: The number of values around it (default: 0).

    Raises:
        LogError: If the document is not complete JSON.
    """
    at = _skip(text, 0)
    while at < len(text):
        if _LARGE.match(text, at):
            at = yield from _large(text, at, name, depth)
        else:
            value, end = _decode(text, at, name)
            yield from _within(value, text[at:end], name, depth)
            at = end
        at = _skip(text, at)


def _large(text: str, at: int, name: str, depth: int) -> Generator[_Line, None, int]:
    """Yield the records of an array, or of an object that begins with an array; return its end."""
    close = "]" if text[at] == "[" else "}"
    at = _skip(text, at + 1)
    while text[at : at + 1] != close:
        key = None
        if close == "}":
            key, at = _key(text, at, name)
            if key in _OF_RECORDS:
                raise LogError(f"`{name}` has an object with `{key}` and further records: which is it?")
            if key in CONTAINERS and text[at : at + 1] == "[":
                at = _skip(text, (yield from _large(text, at, name, depth)))
                continue
        value, end = _decode(text, at, name)
        yield from _within(value, text[at:end], name, depth, key)
        at = _skip(text, end)
    return at + 1


def _within(value: Any, raw: str, name: str, depth: int, key: str | None = None) -> Iterator[_Line]:
    """Yield the records in a value.

    Args:
        value: The value.
        raw: The text of the value.
        name: The name of the document.
        depth: The number of values around it.
        key: The key of the value; `None` in an array, where each value should be a record.
    """
    if depth > _DEEPEST:
        raise LogError(f"`{name}` holds values within values more than {_DEEPEST} deep: is it a log?")
    found = False
    if isinstance(value, dict) and not _OF_RECORDS.isdisjoint(value):
        access = "eventSource" not in value and ("bucket_name" in value or "request_time" in value)
        yield LogKind.ACCESS_JSON if access else LogKind.EVENTS, _one_line(raw)
        return
    if isinstance(value, str):
        lines = _within_text(value, name, depth)
    else:
        lines = _within_parts(value, raw, name, depth, key)
    for line in lines:
        found = True
        yield line
    empty = isinstance(value, dict) and any(isinstance(value.get(member), list) for member in CONTAINERS)
    if not found and not empty and (key is None or (key in _TEXTS and isinstance(value, str))):
        yield LogKind.EVENTS, _one_line(raw)


def _within_text(value: str, name: str, depth: int) -> Iterator[_Line]:
    # An export writes a time before the object.
    text = value.strip()
    start = 0 if text.startswith("[") else text.find("{")
    found: list[_Line] = []
    unread = text
    if start >= 0:
        try:
            found = list(record_lines(text[start:], name, depth + 1))
            unread = text[:start]
        except LogError:
            if start == 0:
                found = [(LogKind.EVENTS, json.dumps(value))]
    yield from found
    # INVARIANT: a text that may hold a record is never skipped in silence, nor what is in front of one.
    if not (start == 0 and found) and holds_records(unread.encode("utf-8", "replace")):
        yield LogKind.EVENTS, json.dumps(value)


def _within_parts(value: Any, raw: str, name: str, depth: int, key: str | None) -> Iterator[_Line]:
    if not isinstance(value, (dict, list)):
        return
    at = _skip(raw, 1)
    while raw[at] not in "]}":
        inner = None
        if isinstance(value, dict):
            inner, at = _key(raw, at, name)
        part, end = _decode(raw, at, name)
        plain = not isinstance(part, (dict, list))
        # Skip values without records in the arrays beside the records.
        beside = isinstance(value, list) and (key in _BESIDE or (plain and key not in (None, *CONTAINERS)))
        yield from _within(part, raw[at:end], name, depth + 1, "" if beside else inner)
        at = _skip(raw, end)


def _key(text: str, at: int, name: str) -> tuple[str, int]:
    """Return the key of a member, and the start of its value."""
    key, end = _decode(text, at, name)
    colon = _WITHIN.match(text, end)
    if not isinstance(key, str) or colon is None:
        raise _cut(text, at, name)
    return key, colon.end()


def _one_line(raw: str) -> str:
    # A JSON string contains no raw line end.
    return raw.replace("\n", " ").replace("\r", " ")


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _decode(text: str, at: int, name: str) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        raise _cut(text, at, name) from None


def _cut(text: str, at: int, name: str) -> LogError:
    line = text.count("\n", 0, at) + 1
    return LogError(
        f"`{name}` is not a whole JSON document: the record that begins in line {line}, at character "
        f"{at + 1:,}, does not end: was the file cut?"
    )
