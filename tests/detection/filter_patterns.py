"""Filter patterns of CloudWatch Logs for JSON, evaluated as AWS documents them.

No local implementation knows `NOT EXISTS` or a `*` in a value (moto and ministack match everything, and
`aws-json-term-matcher`, which LocalStack uses, knows neither), so this one is written after *Filter pattern
syntax for metric filters*: `()` before `&&` before `||`; a value in quotation marks or bare, where `*` is any
text; `NOT EXISTS` for a field that is not there. Where the answer rests on what AWS does not say (`!=` with a
field that is not there, a comparison with an object) it refuses to give one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

__all__ = ["PatternError", "matches"]

_TOKEN = re.compile(
    r"""\s*(?:(?P<sign>&&|\|\||[(){}])
          |(?P<test>\$\.(?P<field>[\w.\[\]-]+)\s*
             (?:(?P<absent>NOT\s+EXISTS)|(?P<null>IS\s+NULL)
               |(?P<operator>!=|>=|<=|=|>|<)\s*(?:"(?P<quoted>[^"]*)"|(?P<bare>[\w.*-]+)))))""",
    re.VERBOSE,
)

_LONGEST = 1024

_ABSENT = object()


class PatternError(Exception):
    """Say that a pattern is none, or that AWS does not document what it means."""


def matches(pattern: str, event: dict[str, Any]) -> bool:
    """Whether a filter pattern matches a log event in JSON."""
    if len(pattern) > _LONGEST:
        raise PatternError(f"{len(pattern)} characters; CloudWatch Logs takes {_LONGEST}")
    tokens = list(_tokens(pattern))
    reader = _Reader(tokens, event)
    reader.take("{")
    found = reader.any_of()
    reader.take("}")
    if reader.rest:
        raise PatternError(f"after the end: {reader.rest}")
    if found is None:
        raise PatternError("the answer rests on what AWS does not document")
    return found


def _tokens(pattern: str) -> Iterator[re.Match[str]]:
    end = 0
    pattern = pattern.rstrip()
    while end < len(pattern):
        token = _TOKEN.match(pattern, end)
        if token is None:
            raise PatternError(f"cannot read {pattern[end : end + 40]!r}")
        yield token
        end = token.end()


class _Reader:
    def __init__(self, tokens: list[re.Match[str]], event: dict[str, Any]) -> None:
        self.rest = tokens
        self._event = event

    def take(self, sign: str) -> None:
        if not self._next_is(sign):
            raise PatternError(f"expected {sign!r}")
        self.rest = self.rest[1:]

    # `None` is an answer that AWS does not document. It does not matter where the rest decides.
    def any_of(self) -> bool | None:
        parts = [self._all_of()]
        while self._next_is("||"):
            self.take("||")
            parts.append(self._all_of())
        return True if True in parts else None if None in parts else False

    def _all_of(self) -> bool | None:
        parts = [self._one()]
        while self._next_is("&&"):
            self.take("&&")
            parts.append(self._one())
        return False if False in parts else None if None in parts else True

    def _one(self) -> bool | None:
        if self._next_is("("):
            self.take("(")
            found = self.any_of()
            self.take(")")
            return found
        if not self.rest or not self.rest[0]["test"]:
            raise PatternError("expected a test")
        test, self.rest = self.rest[0], self.rest[1:]
        return _holds(test, _value(self._event, test["field"]))

    def _next_is(self, sign: str) -> bool:
        return bool(self.rest) and self.rest[0]["sign"] == sign


def _value(event: Any, field: str) -> Any:
    place = event
    for name in re.findall(r"[^.\[\]]+", field):
        if isinstance(place, dict) and name in place:
            place = place[name]
        elif isinstance(place, list) and name.isdigit() and int(name) < len(place):
            place = place[int(name)]
        else:
            return _ABSENT
    return place


def _holds(test: re.Match[str], value: Any) -> bool | None:
    if test["absent"]:
        return value is _ABSENT
    if test["null"]:
        return value is None
    operator, wanted = test["operator"], test["quoted"] if test["bare"] is None else test["bare"]
    if value is _ABSENT and operator == "=":
        return False
    if value is _ABSENT or value is None or isinstance(value, (dict, list)):
        return None
    if operator in ("=", "!="):
        expected = ".*".join(map(re.escape, wanted.split("*")))
        equal = re.fullmatch(expected, str(value), re.DOTALL) is not None
        return equal is (operator == "=")
    number = float(wanted)
    return {
        ">": value > number,
        "<": value < number,
        ">=": value >= number,
        "<=": value <= number,
    }[operator]
