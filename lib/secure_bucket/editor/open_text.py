"""Convert between the positions of an editor and those of the findings, for one version of a text."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from lsprotocol import types as lsp

from secure_bucket.formats.characters import lines_of
from secure_bucket.formats.extent import Extent

__all__ = ["OpenText"]

_BYTES_OF_UNIT = {"utf-8": 1, "utf-16": 2, "utf-32": 4}


class OpenText:
    """One version of a document; each version has its own object.

    Args:
        uri: The address that the editor gives the document.
        version: The version of the text.
        text: The text.
        encoding: The units in which the editor counts columns: `utf-8`, `utf-16` or `utf-32`.
    """

    def __init__(self, uri: str, version: int | None, text: str, encoding: str) -> None:
        self.uri = uri
        self.version = version
        self.text = text
        self._unit = _BYTES_OF_UNIT[encoding]
        self._codec = encoding if self._unit == 1 else f"{encoding}-le"

    @cached_property
    def lines(self) -> Sequence[str]:
        """The lines with their line ends."""
        return lines_of(self.text)

    def place_of(self, position: lsp.Position) -> tuple[int, int]:
        """Return the line and the column of a position, from 1, in characters."""
        line = self.lines[position.line] if position.line < len(self.lines) else ""
        before = line.encode(self._codec, "surrogatepass")[: position.character * self._unit]
        return position.line + 1, len(before.decode(self._codec, "ignore")) + 1

    def range_of(self, extent: Extent | None) -> lsp.Range:
        """Return the range of a part of the text (default: the start of the text)."""
        if extent is None:
            return lsp.Range(lsp.Position(0, 0), lsp.Position(0, 0))
        return lsp.Range(
            self._position(extent.line - 1, extent.column - 1),
            self._position(extent.end_line - 1, extent.end_column - 1),
        )

    def edit_to(self, after: str) -> lsp.TextEdit:
        """Return the edit that replaces the lines in which another text differs."""
        old, new = self.lines, lines_of(after)
        start = 0
        while start < min(len(old), len(new)) and old[start] == new[start]:
            start += 1
        end = 0
        while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
            end += 1
        last = len(old) - end
        # Position `last` exists only if a newline ends the line before it.
        has_next_line = last < len(old) or self.text.endswith(("\n", "\r"))
        until = lsp.Position(last, 0) if has_next_line else self._position(last - 1, len(old[-1]))
        return lsp.TextEdit(lsp.Range(lsp.Position(start, 0), until), "".join(new[start : len(new) - end]))

    def _position(self, line: int, column: int) -> lsp.Position:
        before = self.lines[line][:column] if line < len(self.lines) else ""
        return lsp.Position(line, len(before.encode(self._codec, "surrogatepass")) // self._unit)
