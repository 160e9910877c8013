"""A table in lines of text that fits a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

__all__ = ["table"]

_GAP = "  "
_LEAST = 6


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: int = 0, width: int | None = None
) -> Iterator[str]:
    """Yield the lines of a table.

    Args:
        head: The titles of the columns.
        rows: The cells.
        numbers: How many of the first columns stand at the right.
        width: How many columns of the terminal there are. Nothing is cut unless given.
    """
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    if width is not None:
        _shrink(widths, head, width - len(_GAP) * len(widths), numbers)
    for row in (head, *rows):
        cells = [
            _cut(cell, room).rjust(room) if place < numbers else _cut(cell, room).ljust(room)
            for place, (cell, room) in enumerate(zip(row, widths, strict=True))
        ]
        yield (_GAP + _GAP.join(cells)).rstrip()


def _shrink(widths: list[int], head: Sequence[str], room: int, numbers: int) -> None:
    """Take from the widest column until all fit, but never the numbers and never what a title needs."""
    while sum(widths) > room:
        able = [
            place
            for place in range(numbers, len(widths))
            if widths[place] > max(_LEAST, min(len(head[place]), 10))
        ]
        if not able:
            return
        widths[max(able, key=lambda place: widths[place])] -= 1


def _cut(cell: str, room: int) -> str:
    if len(cell) <= room:
        return cell
    # The end of an ARN and of a user agent tells as much as the beginning.
    front = (room - 1) // 2
    return f"{cell[:front]}…{cell[len(cell) - (room - 1 - front) :]}"
