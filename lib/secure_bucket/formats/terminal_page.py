"""Lay out lines of text for a terminal: wrapped, in colour, and without control characters."""

from __future__ import annotations

from collections.abc import Iterator

from secure_bucket.formats.characters import printable

__all__ = ["TerminalPage"]


class TerminalPage:
    """Wraps and colours the lines of one report.

    Args:
        colour: Whether to use the colours of a terminal.
        width: The columns to wrap at; `None` does not wrap.
        narrowest: The smallest width (default: 40).
    """

    def __init__(self, colour: bool, width: int | None, narrowest: int = 40) -> None:
        self.colour = colour
        self.width: int | None = None if width is None else max(width, narrowest)

    def wrapped(self, text: str, indent: int = 4) -> list[str]:
        """Return a text as lines, indented after the first line."""
        text = printable(text)
        if self.width is None:
            return [text]
        import textwrap  # Takes 0.8 ms, which only a terminal pays.

        lines = textwrap.wrap(
            text,
            self.width,
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        return lines or [text]

    def labelled(self, label: str, style: str, text: str) -> Iterator[str]:
        """Yield the lines of a text with a label before it."""
        first, *rest = self.wrapped(f"{label}: {text}")
        yield f"{self.styled(style, label)}{first[len(label) :]}"
        yield from rest

    def styled(self, style: str, text: str) -> str:
        """Return a text in a style of ANSI terminals, such as `1;31`."""
        return f"\x1b[{style}m{text}\x1b[0m" if self.colour and text else text
