"""Wrap text at words, for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

__all__ = ["fitting"]

# Code, headings, tables, examples.
_AS_IT_IS = ("```", "    ", "#", "|")


def fitting(text: str, width: int | None, *, markdown: bool = False) -> str:
    """Return a text whose lines fit a terminal.

    Args:
        text: The text.
        width: The columns of the terminal; `None` for a pipe or a file, which get the same text.
        markdown: Whether the lines of a paragraph belong together (default: each line stands alone).
    """
    if width is None:
        return text
    import textwrap  # Takes 0.8 ms, which only a terminal pays.

    shown: list[str] = []
    code = False
    for line in _paragraphs(text.splitlines()) if markdown else text.splitlines():
        code ^= line.startswith("```")
        words = line.strip().removeprefix("- ")
        if len(line) <= width or code or line.startswith(_AS_IT_IS) or " " not in words:
            shown.append(line)
            continue
        hangs = not markdown or line.lstrip().startswith("- ")
        margin = " " * (len(line) - len(line.lstrip()) + 2 * hangs)
        shown += textwrap.wrap(
            line, max(width, 20), subsequent_indent=margin, break_long_words=False, break_on_hyphens=False
        )
    return "\n".join(shown) + "\n" * text.endswith("\n")


def _paragraphs(lines: Iterable[str]) -> Iterator[str]:
    """Yield each paragraph and each item of a list as one line, and all other lines as they are."""
    pending = ""
    code = False
    for line in lines:
        alone = code or not line or line.startswith(_AS_IT_IS)
        code ^= line.startswith("```")
        if pending and (alone or line.startswith("- ")):
            yield pending
            pending = ""
        if alone:
            yield line
        else:
            pending = f"{pending} {line.strip()}" if pending else line
    if pending:
        yield pending
