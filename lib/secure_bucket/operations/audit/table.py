"""A table in lines of text that fits a terminal."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator, Sequence

__all__ = ["table"]

_GAP = 2
_LEAST = 8
_UNLIMITED = 10_000


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: int = 0, width: int | None = None
) -> Iterator[str]:
    """Yield the lines of a table, or a paragraph for each row where the terminal is too narrow for one.

    What is too long for a column goes on in the line below.

    Args:
        head: The titles of the columns.
        rows: The cells.
        numbers: How many of the first columns stand at the right, and are never broken.
        width: How many columns the terminal has (default: nothing is broken).
    """
    needed = sum(
        _GAP + (max(map(len, column)) if place < numbers else _LEAST)
        for place, column in enumerate(zip(head, *rows, strict=True))
    )
    if width is not None and width < needed:
        for row in rows:
            text = ", ".join(f"{title} {cell}" for title, cell in zip(head, row, strict=True))
            yield from textwrap.wrap(text, width, initial_indent=" " * _GAP, subsequent_indent=" " * 2 * _GAP)
        return
    from rich.console import Console  # Narrow terminals and short reports do without.
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, padding=(0, 0, 0, _GAP))
    for place, title in enumerate(head):
        if place < numbers:
            shown.add_column(title, justify="right", no_wrap=True)
        else:
            shown.add_column(title, overflow="fold")
    for row in rows:
        shown.add_row(*map(Text, row))
    file = io.StringIO()
    # Not a terminal, although the environment may describe the one that the lines may go to.
    room = width or _UNLIMITED
    Console(file=file, width=room, force_terminal=False, color_system=None, legacy_windows=False).print(shown)
    yield from (line.rstrip() for line in file.getvalue().splitlines())
