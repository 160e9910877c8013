"""Find the line and the column of a JSON pointer."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from itertools import accumulate, count
from operator import add

from secure_bucket.template.scan import pointer_token

__all__ = ["JsonPlaces", "Places"]

_SPACE = re.compile(r"[ \t\r\n]*")


class Places:
    """The places of all values of a text, noted during reading.

    Args:
        positions: The line and column of every JSON pointer.
    """

    def __init__(self, positions: dict[str, tuple[int, int]]) -> None:
        self._positions = positions

    def find(self, pointer: str) -> tuple[int, int]:
        """Return the line and column of a value, or of the nearest value around it."""
        while pointer and pointer not in self._positions:
            pointer = pointer.rpartition("/")[0]
        return self._positions.get(pointer, (0, 0))


class JsonPlaces:
    """The places of the values of a well-formed JSON text, looked up on request.

    Callers need few places. On the way to a value, the standard library's parser skips its siblings, so the
    first lookup takes about as long as parsing, and the next one almost no time.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines: list[int] = []
        self._children: dict[str, dict[str, tuple[int, int]]] = {}
        self._decode = json.JSONDecoder().raw_decode

    def find(self, pointer: str) -> tuple[int, int]:
        """Return the line and column of a value, or of the nearest value around it."""
        offset = value = self._after_space(0)
        reached = ""
        for token in pointer.split("/")[1:]:
            children = self._children.get(reached)
            if children is None:
                children = self._children[reached] = self._children_at(value)
            if token not in children:
                break
            offset, value = children[token]
            reached += "/" + token
        return self._position(offset)

    def _position(self, offset: int) -> tuple[int, int]:
        if not self._lines:
            lengths = accumulate(map(len, self._text.split("\n")))
            self._lines = [0, *map(add, lengths, count(1))]
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    def _after_space(self, index: int) -> int:
        match = _SPACE.match(self._text, index)
        return match.end() if match else index

    def _children_at(self, index: int) -> dict[str, tuple[int, int]]:
        """Return where each child of a container begins: its key, or itself, and its value."""
        children: dict[str, tuple[int, int]] = {}
        text = self._text
        if text[index] not in "{[":
            return children
        is_object = text[index] == "{"
        index = self._after_space(index + 1)
        while text[index] not in "}]":
            start = index
            token = str(len(children))
            if is_object:
                key, index = self._decode(text, index)
                token = pointer_token(key)
                # Skip the colon and the space on both sides.
                index = self._after_space(self._after_space(index) + 1)
            children[token] = (start, index)
            _, index = self._decode(text, index)
            index = self._after_space(index)
            if text[index] == ",":
                index = self._after_space(index + 1)
        return children
