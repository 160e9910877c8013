"""Escape text from templates for terminals, Markdown, XML, JSON and spreadsheets."""

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
"""Replacements in ASCII, each as wide as its original, so that tables stay aligned."""

# These patterns are texts, because compiling such a large class takes as long as checking a template: `re`
# compiles them on first use, and caches them.

# Control characters steer a terminal, and bidirectional characters reorder the text. A template by another
# author may contain both.
_UNPRINTABLE = r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffe\uffff]"
# XML 1.0 cannot contain these characters, not even as references.
_NO_XML = r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"


def printable(text: str) -> str:
    """Return a text on one line, with escapes for control characters and bidirectional characters."""
    return re.sub(_UNPRINTABLE, _escape, text)


def markdown_prose(text: str) -> str:
    """Return a text as one line of Markdown, in which only the parts in backticks are markup."""
    # Several backticks in a row would begin code that a single backtick does not end.
    parts = re.split(r"(`[^`]*`)", re.sub("``+", "'", printable(text)))
    return "".join(
        # A bar ends a table cell, even within code.
        part.replace("|", "\\|") if index % 2 else re.sub(r"([\\*_{}\[\]<>#|!~@`])", r"\\\1", part)
        for index, part in enumerate(parts)
    )


def spreadsheet_cell(text: str) -> str:
    """Return a text on one line that no spreadsheet treats as a formula."""
    text = printable(text)
    return f"'{text}" if text[:1] in ("=", "+", "@") or (text[:1] == "-" and text != "-") else text


def xml_text(text: str) -> str:
    """Return a text for XML, with escapes for the characters that XML cannot contain."""
    return re.sub(_NO_XML, _escape, text)


def well_formed(text: str) -> str:
    """Return a text that can be encoded as UTF-8, with `?` for unpaired surrogates.

    Python represents a file name that is not UTF-8 with unpaired surrogates.
    """
    return text.encode("utf-8", "replace").decode("utf-8")


def json_text(value: object) -> str:
    """Return a value as a JSON document that can be encoded as UTF-8."""
    return well_formed(json.dumps(value, ensure_ascii=False, indent=2)) + "\n"


def lines_of(text: str) -> list[str]:
    """Return the lines of a text with their line ends, as editors and code hosts count them.

    `str.splitlines` also ends lines at a form feed, U+0085 and U+2028.
    """
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z", text)


def encodable(text: str, signs: Mapping[int, str], *, ascii_only: bool) -> str:
    """Return a text that can be encoded as UTF-8 or as ASCII.

    Args:
        text: The text.
        signs: The replacements of characters in ASCII; other characters become escapes.
        ascii_only: Whether to use ASCII instead of UTF-8.
    """
    if ascii_only:
        return text.translate(signs).encode("ascii", "backslashreplace").decode("ascii")
    return well_formed(text)


def _escape(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode("ascii")
