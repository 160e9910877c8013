"""From the place where something starts to all of its text: the statement to underline."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from secure_bucket.policy.unknown import Place

__all__ = ["Extent", "extent"]

_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\n]|\'\')*\'|//[^\n]*|/\*(?s:.*?)\*/|#[^\n]*|[\[\]{},\n]')
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\n]|\'\')*\'')
_COLON = re.compile(r"[ \t]*:[ \t]*(?=[^ \t\n])")


@dataclass(frozen=True, slots=True)
class Extent:
    """A part of a file, from 1, the end included for the line and excluded for the column.

    Args:
        line: The first line.
        column: The column of its first character.
        end_line: The last line.
        end_column: The column after its last character.
        lines: The lines of the file from the first to the last, whole.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The text itself."""
        if len(self.lines) == 1:
            return self.lines[0][self.column - 1 : self.end_column - 1]
        first, *middle, last = self.lines
        return "\n".join([first[self.column - 1 :], *middle, last[: self.end_column - 1]])


def extent(source: str, at: Place) -> Extent | None:
    """Return the extent of what is written at a place in a JSON or YAML text.

    Of a whole resource it is the logical id alone: what is wrong with it is what it lacks.

    Returns:
        The extent; `None` when the place is not in the text, which then is not the text that was judged.
    """
    lines = re.split(r"\r\n|\n|\r", source)
    if not (1 <= at.line <= len(lines) and 1 <= at.column <= len(lines[at.line - 1])):
        return None
    text = "\n".join(lines)
    start = sum(len(line) + 1 for line in lines[: at.line - 1]) + at.column - 1
    if at.pointer.count("/") <= 2:
        end = _key_end(text, start)
    elif text[start] in "{[":
        end = _closing(text, start)
    elif quoted := _QUOTED.match(text, start):
        colon = _COLON.match(text, quoted.end())
        block = text[quoted.end() : _line_end(text, start)].strip() == ":"
        end = _value_end(text, colon.end()) if colon else quoted.end()
        end = _block_end(lines, at, start) if block else end
    else:
        end = _block_end(lines, at, start)
    end = max(end, start + 1)
    end_line = at.line + text.count("\n", start, end)
    end_column = end - text.rfind("\n", 0, end)
    return Extent(at.line, at.column, end_line, end_column, tuple(lines[at.line - 1 : end_line]))


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


def _block_end(lines: Sequence[str], at: Place, start: int) -> int:
    """Return where a YAML block ends: before the first line that is indented less than it has to be."""
    line = lines[at.line - 1]
    before = line[: at.column - 1]
    # The value of an item starts after its dash, and its further lines stand below it; those of a member
    # stand further in than its key, except for the dashes of a list.
    item = bool(re.fullmatch(r"\s*(?:-\s+)+", before)) and at.pointer.rpartition("/")[2].isdigit()
    least = at.column - 1 if item else at.column
    last = at.line
    for number, following in enumerate(lines[at.line :], at.line + 1):
        stripped = following.strip()
        if not stripped or stripped.startswith("#"):
            continue
        indent = len(following) - len(following.lstrip())
        dash = not item and indent == at.column - 1 and stripped.startswith("- ")
        if indent < least and not dash:
            break
        last = number
    end = start - (at.column - 1)
    end += sum(len(each) + 1 for each in lines[at.line - 1 : last - 1])
    return end + len(lines[last - 1].rstrip())
