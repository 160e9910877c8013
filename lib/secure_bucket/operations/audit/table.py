"""Lay out a table as lines of text for a terminal."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterator, Sequence

__all__ = ["table"]

_GAP = 2
_LEAST = 8


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: int = 0, width: int | None = None
) -> Iterator[str]:
    """Yield the lines of a table, or a paragraph for each row if the terminal is too narrow for a table.

    Long cells are wrapped.

    Args:
        head: The titles of the columns.
        rows: The cells.
        numbers: The number of first columns that are right-aligned and never wrapped.
        width: The width of the terminal (default: do not wrap).
    """
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    room = None if width is None else width - _GAP * len(widths)
    if room is not None and room < sum(widths[:numbers]) + _LEAST * len(widths[numbers:]):
        for row in rows:
            text = ", ".join(f"{title} {cell}" for title, cell in zip(head, row, strict=True))
            yield from textwrap.wrap(
                text, width or 0, initial_indent=" " * _GAP, subsequent_indent=" " * 2 * _GAP
            )
        return
    while room is not None and sum(widths) > room:
        widths[widths.index(max(widths[numbers:]), numbers)] -= 1
    for row in (head, *rows):
        cells = [_broken(cell, size) for cell, size in zip(row, widths, strict=True)]
        for parts in itertools.zip_longest(*cells, fillvalue=""):
            placed = (
                part.rjust(size) if place < numbers else part.ljust(size)
                for place, (part, size) in enumerate(zip(parts, widths, strict=True))
            )
            yield "".join(f"{'':{_GAP}}{each}" for each in placed).rstrip()


def _broken(cell: str, size: int) -> list[str]:
    return [cell] if len(cell) <= size else textwrap.wrap(cell, size, break_on_hyphens=False)
