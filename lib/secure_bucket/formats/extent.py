"""Find the whole text of a value at a place, such as the statement to underline."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate, islice

from msgspec import Struct

from secure_bucket.values.unknown import Place

__all__ = ["Excerpts", "Extent"]

# Texts and comments, which may contain unmatched brackets, and the brackets. A comment starts only after
# white space, because addresses contain `//` and `#` as well.
_TOKEN = re.compile(
    r"""
    "(?:[^"\\\n]|\\.)*" | '(?:[^'\n]|'')*'
    | (?<!\S)(?://|\#)[^\n]* | (?<!\S)/\*(?s:.*?)(?:\*/|\Z)
    | [\[\]{}]
    """,
    re.VERBOSE,
)
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\n]|\'\')*\'')
_COLON = re.compile(r"[ \t]*:[ \t]*(?=[^ \t\n])")


class Extent(Struct, frozen=True):
    """A part of a file. Lines and columns start from 1.

    Args:
        line: The first line.
        column: The column of the first character.
        end_line: The last line.
        end_column: The column after the last character.
        lines: The whole lines of the file, from the first to the last.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The text of the part."""
        if len(self.lines) == 1:
            return self.lines[0][self.column - 1 : self.end_column - 1]
        first, *middle, last = self.lines
        return "\n".join([first[self.column - 1 :], *middle, last[: self.end_column - 1]])


class Excerpts:
    """Finds the parts of files that findings refer to. It caches the last file, as findings come file by
    file.

    Args:
        source: Returns the text of a file, or `None`.
    """

    def __init__(self, source: Callable[[str], str | None]) -> None:
        self._source = source
        self._file = ""
        self._text: _Text | None = None

    def at(self, place: Place) -> Extent | None:
        """Return the extent of the value at a place; `None` if the file or the place no longer exists."""
        if not (place.file and place.line and place.column):
            return None
        if place.file != self._file:
            source = self._source(place.file)
            self._file, self._text = place.file, None if source is None else _Text.of(source)
        return None if self._text is None else _extent(self._text, place)


class _Text(Struct, frozen=True):
    whole: str
    lines: list[str]
    starts: list[int]

    @staticmethod
    def of(source: str) -> _Text:
        lines = re.split(r"\r\n|\n|\r", source)
        starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
        return _Text("\n".join(lines), lines, starts)


def _extent(text: _Text, at: Place) -> Extent | None:
    if not (1 <= at.line <= len(text.lines) and text.lines[at.line - 1][at.column - 1 :].strip()):
        return None
    whole, line = text.whole, text.lines[at.line - 1]
    # A place in a program has only a line, whose text starts after its indentation.
    column = at.column + len(line[at.column - 1 :]) - len(line[at.column - 1 :].lstrip())
    start = text.starts[at.line - 1] + column - 1
    if not at.pointer:
        end = text.starts[at.line - 1] + len(line.rstrip())
    elif at.pointer.count("/") <= 2:
        # A finding about a whole resource is about something that it lacks: mark only its logical id.
        end = _key_end(whole, start)
    elif whole[start] in "{[":
        end = _closing(whole, start)
    elif quoted := _QUOTED.match(whole, start):
        colon = _COLON.match(whole, quoted.end())
        block = whole[quoted.end() : _line_end(whole, start)].strip() == ":"
        end = _value_end(whole, colon.end()) if colon else quoted.end()
        end = _block_end(text, at) if block else end
    else:
        end = _block_end(text, at)
    end = max(end, start + 1)
    end_line = bisect_right(text.starts, end - 1)
    end_column = end - text.starts[end_line - 1] + 1
    return Extent(at.line, column, end_line, end_column, tuple(text.lines[at.line - 1 : end_line]))


def _line_end(text: str, start: int) -> int:
    newline = text.find("\n", start)
    return newline if newline >= 0 else len(text)


def _key_end(text: str, start: int) -> int:
    quoted = _QUOTED.match(text, start)
    if quoted:
        return quoted.end()
    line = text[start : _line_end(text, start)]
    return start + len(re.split(r":(?:\s|$)", line, maxsplit=1)[0].rstrip())


def _value_end(text: str, start: int) -> int:
    if text[start : start + 1] in ("{", "["):
        return _closing(text, start)
    quoted = _QUOTED.match(text, start)
    if quoted:
        return quoted.end()
    match = re.compile(r"[^,\]}\n]*").match(text, start)
    return start + len(match.group().rstrip()) if match else start


def _closing(text: str, start: int) -> int:
    depth = 0
    for token in _TOKEN.finditer(text, start):
        if token.group() in "{[":
            depth += 1
        elif token.group() in "}]":
            depth -= 1
            if depth == 0:
                return token.end()
    return _line_end(text, start)


def _block_end(text: _Text, at: Place) -> int:
    """Return where a YAML block ends: before the first line with too little indentation."""
    before = text.lines[at.line - 1][: at.column - 1]
    # The lines of an item start in the column after its dash. The lines of a member are indented deeper than
    # its key, except for the dashes of a list.
    item = bool(re.fullmatch(r"\s*(?:-\s+)+", before)) and at.pointer.rpartition("/")[2].isdigit()
    least = at.column - 1 if item else at.column
    last = at.line
    for number, line in enumerate(islice(text.lines, at.line, None), at.line + 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        indent = len(line) - len(line.lstrip())
        dash = not item and indent == at.column - 1 and stripped.startswith("- ")
        if indent < least and not dash:
            break
        last = number
    return text.starts[last - 1] + len(text.lines[last - 1].rstrip())
