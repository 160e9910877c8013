"""Insert a member into a list in brackets, in the layout that the list already has."""

from __future__ import annotations

import re

from secure_bucket.repair.source.site import Brackets

__all__ = ["insert_member"]


def insert_member(data: bytes, brackets: Brackets, member: str, comment: re.Pattern[bytes]) -> bytes:
    """Return a program in which a list has one more member at its end.

    Args:
        data: The program, in UTF-8.
        brackets: The list.
        member: The text of the member.
        comment: A pattern of the comments of the language.
    """
    new = member.encode()
    if brackets.is_empty:
        inside = b" " + new + b" " if data[brackets.start : brackets.end] == b"{" else new
        return data[: brackets.end] + inside + data[brackets.close :]
    tail = comment.sub(lambda match: re.sub(rb"[^\r\n]", b" ", match[0]), data[brackets.end : brackets.close])
    # Brackets around the last member belong to it.
    end = brackets.end + tail.rfind(b")") + 1
    has_comma = b"," in tail
    indent = _indent(data, brackets.start)
    close_line = _line_start(data, brackets.close)
    if indent is None:
        return data[:end] + b", " + new + data[end:]
    newline = b"\r\n" if b"\r\n" in data else b"\n"
    if close_line > end and not data[close_line : brackets.close].strip():
        line = indent + new + (b"," if has_comma else b"") + newline
        return data[:end] + (b"" if has_comma else b",") + data[end:close_line] + line + data[close_line:]
    return data[:end] + b"," + newline + indent + new + data[end:]


def _line_start(data: bytes, at: int) -> int:
    return data.rfind(b"\n", 0, at) + 1


def _indent(data: bytes, at: int) -> bytes | None:
    """Return the blanks before a member that stands first on its line; `None` if something is before it."""
    before = data[_line_start(data, at) : at]
    return None if before.strip() else before
