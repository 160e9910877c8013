"""Read the parameters of a template, and tell which values CloudFormation accepts.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from secure_bucket.template.text import as_text
from secure_bucket.template.unreplaced import placeholders_as_holes

__all__ = ["Parameter", "read_parameter"]

# Patterns with the same meaning in Java, which CloudFormation uses, and in Python; and a length of text that
# no pattern takes long for.
_COMMON_PATTERN = re.compile(r"(?:[A-Za-z0-9_ /:@=,.*+?{}|()^$\[\]-]|\\[dws./$+-])*")
_UNLIKE = ("(?", "--", "||", "[]", "[^]")
# A nested class, which is a union in Java.
_NESTED_CLASS = re.compile(r"\[[^\]]*\[")
_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?")
_MAX_MATCHED = 8


class Parameter(Struct, frozen=True):
    """A parameter of a template.

    Args:
        type: Its type, such as `String` or `AWS::SSM::Parameter::Value<String>`.
        default: Its default, or `None`.
        allowed: Its allowed values; `None` if they are not listed.
        limits: Other limits of its values, such as `MinLength`.
    """

    type: str
    default: object
    allowed: tuple[str, ...] | None
    limits: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_list(self) -> bool:
        """Whether a `Ref` to it is a list."""
        return "CommaDelimitedList" in self.type or "List<" in self.type

    @property
    def is_stored(self) -> bool:
        """Whether its value names an SSM parameter, whose value a `Ref` returns."""
        return self.type.startswith("AWS::SSM::Parameter::Value<")

    def admits(self, value: str) -> bool:
        """Tell whether CloudFormation accepts a value; in doubt, it does."""
        if self.is_stored:
            return True
        if self.allowed is not None and value not in self.allowed:
            return False
        if not value.isascii():
            # Java counts UTF-16 units, and AWS does not document what CloudFormation counts.
            return True
        if self.type == "Number":
            number = _number(value)
            if number is None:
                # Java reads `1d`, ` 1` and `0x1p3` as numbers, too; AWS documents no form of a number.
                return any(character.isdigit() for character in value)
            return self._within(number, "MinValue", "MaxValue")
        if self.type.startswith("AWS::") and not value:
            return False
        return self._within(len(value), "MinLength", "MaxLength") and self._matches(value)

    def _within(self, number: float, lowest: str, highest: str) -> bool:
        low, high = _number(self.limits.get(lowest)), _number(self.limits.get(highest))
        return (low is None or number >= low) and (high is None or number <= high)

    def _matches(self, value: str) -> bool:
        pattern = self.limits.get("AllowedPattern")
        if (
            not (isinstance(pattern, str) and pattern)
            or len(value) > _MAX_MATCHED
            or len(pattern) > 100
            or not _is_final(pattern)
            or not _COMMON_PATTERN.fullmatch(pattern)
            or any(unlike in pattern for unlike in _UNLIKE)
            or _NESTED_CLASS.search(pattern)
        ):
            return True
        try:
            return re.fullmatch(pattern, value) is not None
        except re.error:
            return True


def read_parameter(body: Mapping[str, Any]) -> Parameter:
    """Return a parameter of a template."""
    kind = body.get("Type")
    if not _is_final(kind or "String"):
        return Parameter("String", body.get("Default"), None)
    kind = kind if isinstance(kind, str) else "String"
    allowed = body.get("AllowedValues")
    texts = [as_text(value) for value in allowed] if isinstance(allowed, list) else []
    # A `Ref` to a list or an SSM parameter returns other values than these.
    listed = texts and kind in ("String", "Number") and all(map(_is_final, texts))
    return Parameter(kind, body.get("Default"), tuple(map(str, texts)) if listed else None, body)


def _is_final(text: object) -> bool:
    return isinstance(text, str) and placeholders_as_holes(text) == text


def _number(value: object) -> float | None:
    text = as_text(value)
    return float(text) if isinstance(text, str) and _NUMBER.fullmatch(text) else None
