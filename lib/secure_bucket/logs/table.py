"""A table in lines of text that fits a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

__all__ = ["table"]

_GAP = "  "
_LEAST = 6


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: int = 0, width: int | None = None
) -> Iterator[str]:
    """Yield the lines of a table, or a paragraph for each row where the terminal is too narrow for one.

    Args:
        head: The titles of the columns.
        rows: The cells.
        numbers: How many of the first columns stand at the right, and are never cut.
        width: How many columns the terminal has. Nothing is cut unless given.
    """
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    if width is not None and not _shrink(widths, head, width - len(_GAP) * len(widths), numbers):
        yield from _paragraphs(head, rows, width)
        return
    for row in (head, *rows):
        cells = [
            _cut(cell, room).rjust(room) if place < numbers else _cut(cell, room).ljust(room)
            for place, (cell, room) in enumerate(zip(row, widths, strict=True))
        ]
        yield (_GAP + _GAP.join(cells)).rstrip()


def _shrink(widths: list[int], head: Sequence[str], room: int, numbers: int) -> bool:
    """Take from the widest column until all fit, but never from the numbers; tell whether they do then."""
    while sum(widths) > room:
        able = [
            place for place in range(numbers, len(widths)) if widths[place] > max(_LEAST, len(head[place]))
        ]
        if not able:
            return False
        widths[max(able, key=lambda place: widths[place])] -= 1
    return True


def _paragraphs(head: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    for row in rows:
        text = ", ".join(f"{title} {cell}" for title, cell in zip(head, row, strict=True))
        yield from textwrap.wrap(text, width, initial_indent=_GAP, subsequent_indent=_GAP * 2)


def _cut(cell: str, room: int) -> str:
    if len(cell) <= room:
        return cell
    # The end of an ARN and of a user agent tells as much as the beginning.
    front = (room - 1) // 2
    return f"{cell[:front]}…{cell[len(cell) - (room - 1 - front) :]}"
