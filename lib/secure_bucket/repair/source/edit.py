"""Add the deny to the calls of a program that create open buckets."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from secure_bucket.repair.source.python import COMMENT as PYTHON_COMMENT
from secure_bucket.repair.source.python import python_sites
from secure_bucket.repair.source.script import COMMENT as SCRIPT_COMMENT
from secure_bucket.repair.source.script import script_sites
from secure_bucket.repair.source.site import Brackets, CannotEditSource, Site
from secure_bucket.values.unknown import Place

__all__ = ["EditedSource", "edit_source"]

_COMMENT_ON_LINES = re.compile(
    rb"[ \t]*(?P<newline>\r?\n)(?P<indent>[ \t]*)(?P<comments>\S.*?)[ \t]*\r?\n\s*", re.DOTALL
)
_SCRIPTS = (".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs", ".jsx")


class EditedSource(Struct, frozen=True):
    """A program after the edit.

    Args:
        text: The program.
        changed: The places with the new property.
        left: The unchanged places, each with the reason.
    """

    text: str
    changed: tuple[Place, ...]
    left: Mapping[Place, str]


def edit_source(text: str, suffix: str, places: Mapping[Place, Collection[str]]) -> EditedSource:
    """Add `enforce_ssl=True`, or `enforceSSL: true`, to the calls at some places of a program.

    The function adds only the property. It leaves a place if the call may create something other than an
    `s3.Bucket`, or if the call does not contain all its properties.

    Args:
        text: The program.
        suffix: The suffix of its file, such as `.py` or `.ts`.
        places: The places where it creates buckets, from the stack traces of a cloud assembly, each with the
            known ids of the buckets.

    Raises:
        CannotEditSource: The program cannot be read, or its language is not supported.
        MissingDependencyError: The extra `source`, for TypeScript and JavaScript, is not installed.
    """
    left: dict[Place, str] = {}
    chosen: dict[Site, Place] = {}
    sites, comment = _sites(text, suffix)
    for place, ids in places.items():
        try:
            chosen[_site_at(sites, place, ids)] = place
        except CannotEditSource as error:
            left[place] = str(error)
    data = text.encode()
    for site in sorted(chosen, key=lambda each: each.brackets.close, reverse=True):
        data = _insert_member(data, site.brackets, site.member, comment)
    edited = data.decode()
    # INVARIANT: each changed call now has the property, and no other call changed.
    again, _ = _sites(edited, suffix)
    settled = sum(bool(site.why_not) for site in again) - sum(bool(site.why_not) for site in sites)
    if len(again) != len(sites) or settled != len(chosen):
        raise CannotEditSource("the property could not be added so that the program reads it: add it by hand")
    return EditedSource(edited, tuple(chosen.values()), left)


def _sites(text: str, suffix: str) -> tuple[list[Site], re.Pattern[bytes]]:
    if suffix == ".py":
        return python_sites(text), PYTHON_COMMENT
    if suffix in _SCRIPTS:
        return script_sites(text, suffix), SCRIPT_COMMENT
    raise CannotEditSource(
        f"programs in `{suffix}` files cannot be changed: add the property by hand, or use the Aspect"
    )


def _site_at(sites: Sequence[Site], place: Place, ids: Collection[str]) -> Site:
    """Return the call at a place.

    A trace of V8 contains the column of `new`, a trace of Python only the line on which the call starts.
    """
    found = [site for site in sites if site.line == place.line and site.column in (None, place.column)]
    if not found:
        raise CannotEditSource(
            f"line {place.line} does not call `s3.Bucket`: another construct creates the bucket; use the "
            "Aspect or `enforce_secure_transport`"
        )
    if len(found) > 1:
        raise CannotEditSource(f"line {place.line} creates several buckets: add the property by hand")
    written = found[0].construct_id
    # The construct tree has `--` for a slash in an id (`sanitizeId` of constructs, read 2026-11).
    others = {each for each in ids if written is not None and each != written.replace("/", "--")}
    if others:
        raise CannotEditSource(
            f"the call in line {place.line} creates `{written}`, and not `{min(others)}`: another construct "
            "creates that bucket, or the program changed after it was synthesized"
        )
    if found[0].why_not:
        raise CannotEditSource(found[0].why_not)
    return found[0]


def _insert_member(data: bytes, brackets: Brackets, member: str, comment: re.Pattern[bytes]) -> bytes:
    """Return a program in which a list has one more member at its end.

    Args:
        data: The program, in UTF-8.
        brackets: The list.
        member: The text of the member.
        comment: A pattern of the comments of the language.
    """
    new = member.encode()
    if brackets.is_empty:
        return _insert_only_member(data, brackets, new)
    tail = comment.sub(lambda match: re.sub(rb"[^\r\n]", b" ", match[0]), data[brackets.end : brackets.close])
    # Parentheses around the last member belong to it.
    end = brackets.end + tail.rfind(b")") + 1
    has_comma = b"," in tail
    indent = _indent(data, brackets.start)
    close_line = _line_start(data, brackets.close)
    if indent is None:
        return data[:end] + b", " + new + data[end:]
    newline = b"\r\n" if data[: _line_start(data, brackets.start)].endswith(b"\r\n") else b"\n"
    if close_line > end and not data[close_line : brackets.close].strip():
        line = indent + new + (b"," if has_comma else b"") + newline
        return data[:end] + (b"" if has_comma else b",") + data[end:close_line] + line + data[close_line:]
    return data[:end] + b"," + newline + indent + new + data[end:]


def _insert_only_member(data: bytes, brackets: Brackets, new: bytes) -> bytes:
    """Return a program in which an empty list has a member and keeps its comments."""
    inside = data[brackets.end : brackets.close]
    if not inside.strip():
        blank = b" " if data[brackets.start : brackets.end] == b"{" else b""
        return data[: brackets.end] + blank + new + blank + data[brackets.close :]
    on_lines = _COMMENT_ON_LINES.fullmatch(inside)
    if on_lines is None:
        return data[: brackets.end] + b" " + new + data[brackets.end :]
    line = on_lines["newline"] + on_lines["indent"] + new + b","
    at = brackets.end + on_lines.end("comments")
    return data[:at] + line + data[at:]


def _line_start(data: bytes, at: int) -> int:
    return data.rfind(b"\n", 0, at) + 1


def _indent(data: bytes, at: int) -> bytes | None:
    """Return the blanks before a member that starts its line; `None` for other members."""
    before = data[_line_start(data, at) : at]
    return None if before.strip() else before
