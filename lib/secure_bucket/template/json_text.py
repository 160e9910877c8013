"""Read JSON as people write it: with comments, trailing commas and repeated keys, and note its lines.

The standard library reads well-formed JSON faster. This scanner runs only if it rejects a text, if an object
has a duplicate key, or if somebody needs the place of a value.
"""

from __future__ import annotations

import json
import re
from typing import NoReturn

from secure_bucket.errors import TemplateError
from secure_bucket.template.scan import MAX_DEPTH, WrittenFloat, duplicate_key, pointer_token

__all__ = ["scan_json"]

_SPACE = re.compile(r"(?:[ \t\r\n]+|//[^\n]*|/\*(?s:.*?)\*/)*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])")
_WORDS = (("true", True), ("false", False), ("null", None))


def scan_json(text: str, file: str, positions: dict[str, tuple[int, int]]) -> object:
    """Return the value of a JSON text, tolerating comments and trailing commas.

    Args:
        text: The text.
        file: The name of the file, for messages.
        positions: Filled with the line and column of every JSON pointer: of the key for a member, of
            the value for an item.

    Raises:
        TemplateError: The text is not JSON, or is nested deeper than `MAX_DEPTH`.
    """
    return _Scanner(text, file, positions).document()


class _Scanner:
    def __init__(self, text: str, file: str, positions: dict[str, tuple[int, int]]) -> None:
        self.text = text
        self.file = file
        self.positions = positions
        self.index = 0
        self._line = 1
        self._line_start = 0

    def document(self) -> object:
        self._mark("", self._skip())
        value = self._value("", 0)
        self._skip()
        if self.index < len(self.text):
            self._fail("there is text after the end of the JSON value")
        return value

    def _position(self, index: int) -> tuple[int, int]:
        # INVARIANT: callers ask in the order of the text, except for messages, which come last.
        self._line += self.text.count("\n", self._line_start, index)
        newline = self.text.rfind("\n", self._line_start, index)
        if newline >= 0:
            self._line_start = newline + 1
        return self._line, index - self._line_start + 1

    def _mark(self, pointer: str, index: int) -> None:
        self.positions[pointer] = self._position(index)

    def _fail(self, what: str) -> NoReturn:
        line, column = self._position(min(self.index, len(self.text)))
        raise TemplateError(f"`{self.file}` is not JSON: {what}, in line {line}, column {column}")

    def _skip(self) -> int:
        match = _SPACE.match(self.text, self.index)
        if match:
            self.index = match.end()
        return self.index

    def _peek(self) -> str:
        self._skip()
        if self.index >= len(self.text):
            self._fail("the text ends too early; is the file truncated?")
        return self.text[self.index]

    def _value(self, pointer: str, depth: int) -> object:
        if depth > MAX_DEPTH:
            self._fail(f"it is nested deeper than {MAX_DEPTH} levels")
        start = self._peek()
        if start == "{":
            return self._object(pointer, depth)
        if start == "[":
            return self._array(pointer, depth)
        if start == '"':
            return self._string()
        number = _NUMBER.match(self.text, self.index)
        if number:
            self.index = number.end()
            try:
                return json.loads(number[0], parse_float=WrittenFloat)
            except ValueError:
                self._fail("a number is too long")
        for word, value in _WORDS:
            if self.text.startswith(word, self.index):
                self.index += len(word)
                return value
        self._fail(f"a value was expected, not `{self.text[self.index : self.index + 12]}`")

    def _string(self) -> str:
        match = _STRING.match(self.text, self.index)
        if not match:
            self._fail("a string does not end on its line, or holds a control character")
        try:
            value: str = json.loads(match[0])
        except ValueError:
            self._fail("a string holds a wrong escape")
        self.index = match.end()
        return value

    def _object(self, pointer: str, depth: int) -> dict[str, object]:
        self.index += 1
        members: dict[str, object] = {}
        lines: dict[str, int] = {}
        while self._peek() != "}":
            if self.text[self.index] != '"':
                self._fail("a key in double quotes was expected")
            start = self.index
            key = self._string()
            child = f"{pointer}/{pointer_token(key)}"
            line, column = self._position(start)
            self.positions.setdefault(child, (line, column))
            if self._peek() != ":":
                self._fail(f"a colon was expected after the key `{key}`")
            self.index += 1
            value = self._value(child, depth + 1)
            if key in members:
                value = duplicate_key(key, (members[key], value), self.file, child, (lines[key], line))
            members[key] = value
            lines.setdefault(key, line)
            self._separator("}")
        self.index += 1
        return members

    def _array(self, pointer: str, depth: int) -> list[object]:
        self.index += 1
        items: list[object] = []
        while self._peek() != "]":
            child = f"{pointer}/{len(items)}"
            self._mark(child, self.index)
            items.append(self._value(child, depth + 1))
            self._separator("]")
        self.index += 1
        return items

    def _separator(self, end: str) -> None:
        following = self._peek()
        if following == ",":
            self.index += 1
        elif following != end:
            self._fail(f"a comma or `{end}` was expected")
