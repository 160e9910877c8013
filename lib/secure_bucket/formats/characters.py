"""Text from templates, made fit for where it is written to."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

__all__ = [
    "ONE_COLUMN",
    "encodable",
    "json_text",
    "lines_of",
    "markdown_prose",
    "printable",
    "spreadsheet_cell",
    "well_formed",
    "xml_text",
]

ONE_COLUMN: Final = str.maketrans({"—": "-", "…": "~"})
"""Signs in ASCII that are as wide as what they stand for, so that tables stay aligned."""

# Compiling a class of characters as wide as these takes as long as checking a template: `re` does it when
# it is first asked, and keeps it.

# Control characters steer a terminal, and the bidirectional ones reorder what is read: both come from a
# template that somebody else may have written.
_UNPRINTABLE = r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffe\uffff]"
# XML 1.0 has no way to write these characters, not even as a reference.
_NO_XML = r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"


def printable(text: str) -> str:
    """Return a text in one line, with an escape for every character that would steer its reader."""
    return re.sub(_UNPRINTABLE, _escape, text)


def markdown_prose(text: str) -> str:
    """Return a text in one line of Markdown, in which only the parts in backticks are markup."""
    # Several backticks in a row would begin code that a single one does not end.
    parts = re.split(r"(`[^`]*`)", re.sub("``+", "'", printable(text)))
    return "".join(
        # A bar ends a cell of a table, also within code.
        part.replace("|", "\\|") if index % 2 else re.sub(r"([\\*_{}\[\]<>#|!~@`])", r"\\\1", part)
        for index, part in enumerate(parts)
    )


def spreadsheet_cell(text: str) -> str:
    """Return a text in one line that no spreadsheet takes for a formula: others choose some of them."""
    text = printable(text)
    return f"'{text}" if text[:1] in ("=", "+", "@") or (text[:1] == "-" and text != "-") else text


def xml_text(text: str) -> str:
    """Return a text that XML can hold, with an escape for every character that it cannot."""
    return re.sub(_NO_XML, _escape, text)


def well_formed(text: str) -> str:
    """Return a text that can be written as UTF-8, with a `?` for every half of a surrogate pair.

    A file name that is not UTF-8 reaches Python with such halves in it.
    """
    return text.encode("utf-8", "replace").decode("utf-8")


def json_text(value: object) -> str:
    """Return a value as a JSON document that can be written as UTF-8."""
    return well_formed(json.dumps(value, ensure_ascii=False, indent=2)) + "\n"


def lines_of(text: str) -> list[str]:
    """Return the lines of a text with their ends, as editors and forges count them.

    `str.splitlines` ends a line at a form feed, at U+0085 and at U+2028 too.
    """
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z", text)


def encodable(text: str, signs: Mapping[int, str], *, ascii_only: bool) -> str:
    """Return a text that can be written to where it goes.

    Args:
        text: The text.
        signs: What stands for a sign in ASCII; every other one becomes an escape.
        ascii_only: Whether it goes where only ASCII can be written, else UTF-8 can.
    """
    if ascii_only:
        return text.translate(signs).encode("ascii", "backslashreplace").decode("ascii")
    return well_formed(text)


def _escape(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode("ascii")
