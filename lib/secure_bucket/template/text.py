"""Join and compare text with holes, and give each unknown part its own name."""

from __future__ import annotations

import enum
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Set

from secure_bucket.template.scan import Duplicate, WrittenText
from secure_bucket.values.unknown import Hole, Place, Text, Unknown

__all__ = [
    "NO_VALUE",
    "NoValue",
    "Opaque",
    "Unsettled",
    "any_member",
    "as_text",
    "canonical",
    "compare",
    "concatenate",
    "dynamic_references",
    "first_unsettled",
    "holes",
    "is_number",
    "members_as_holes",
    "named_hole",
    "strings_of",
    "texts_in",
]


class NoValue(enum.Enum):
    """The value of `AWS::NoValue`, which removes a property."""

    NO_VALUE = "AWS::NoValue"


NO_VALUE = NoValue.NO_VALUE


class Opaque(Unknown, frozen=True, kw_only=True):
    """An `Unknown` with a name, so that the same expression written twice is the same value.

    Args:
        name: The expression, in a normal form.
        text: Its text, if it is text; a hole with its name if `None`.
    """

    name: str = ""
    text: Text | None = None


class Unsettled(Hole, frozen=True):
    """A text that deployment changes in an unknown way, so comparisons with it are undecided.

    That is a placeholder of another tool, or a number. A tool replaces a name by the same text everywhere,
    but a call or a block perhaps by another text each time.
    """

    def __eq__(self, other: object) -> bool:
        return self is other or (not self._varies and Hole.__eq__(self, other))

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"Unsettled({self.name!r}, {id(self) if self._varies else ''})"

    @property
    def _varies(self) -> bool:
        return self.name.startswith(("{%", "<%", "{#")) or "(" in self.name[2:]


_NOWHERE = Place()
_DYNAMIC = re.compile(r"\{\{resolve:[^{}]*\}\}")
_MARK = "\0"
_HOW = "how CloudFormation writes"
_PLAIN = re.compile(r"[\w./:*@$+-]+")
_ANY_MEMBER = re.compile(r"<(each [^<>]*)>")


def named_hole(
    name: str, reason: str, *, generated: bool = False, at: Place = _NOWHERE, plain: bool = False
) -> Hole:
    """Return a hole that can stand in the name of a bucket.

    In `arn:aws:s3:::<name>/key` the first slash ends the bucket's name, so the name of the hole must not
    contain a slash. Different names stay different.
    """
    return Hole(re.sub("%(?=(?:25)*2F)", "%25", name).replace("/", "%2F"), reason, generated, at, plain)


def concatenate(parts: Iterable[str | Text | Hole]) -> str | Text:
    """Join text; the result is a plain string if all of it is known."""
    joined: list[str | Hole] = []
    for part in parts:
        for piece in part.parts if isinstance(part, Text) else (part,):
            if isinstance(piece, str) and joined and isinstance(joined[-1], str):
                joined[-1] += piece
            elif piece != "":
                joined.append(piece)
    if not joined:
        return ""
    if len(joined) == 1 and isinstance(joined[0], str):
        return joined[0]
    return Text(tuple(joined))


def as_text(value: object) -> str | Text | None:
    """Return a value as CloudFormation writes it into a string, or `None` if it cannot."""
    if isinstance(value, (str, Text)):
        return _number(value) if isinstance(value, WrittenText) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, Opaque) and value.text is not None:
        return value.text
    if isinstance(value, Unknown):
        return Text((named_hole(canonical(value), value.reason, at=value.at),))
    return None


def _number(value: float | WrittenText) -> str | Text:
    """Return a number, or another text that YAML reads as a value, as text, if it has only one form.

    No document of AWS says how CloudFormation writes `1.0`, `1e3`, `010`, or a number that a Java `double`
    does not hold exactly (inferred: more than 15 digits).
    """
    written = str(value) if isinstance(value, str) else getattr(value, "text", repr(value))
    if isinstance(value, int) and written == str(int(value)) and abs(value) < 10**15:
        return written
    is_fraction = isinstance(value, float) and math.isfinite(value) and value % 1 != 0
    if is_fraction and written == repr(float(value)) and "e" not in written:
        return written
    shown = written if len(written) <= 60 else f"{written[:57]}…"
    return Text((Unsettled(written, f"{_HOW} `{shown}` as text is not documented"),))


def is_number(text: str | Text) -> bool:
    """Tell whether a text is a number or the like that CloudFormation writes in an undocumented form."""
    parts = () if isinstance(text, str) else text.parts
    return len(parts) == 1 and isinstance(parts[0], Unsettled) and parts[0].reason.startswith(_HOW)


def first_unsettled(*texts: str | Text) -> Unsettled | None:
    """Return the first part of some texts that deployment changes in an unknown way."""
    parts = (part for text in texts if isinstance(text, Text) for part in text.parts)
    return next((part for part in parts if isinstance(part, Unsettled)), None)


def canonical(value: object) -> str:
    """Return a name for a resolved value: equal names mean equal values."""
    # INVARIANT: text with a character that separates other names is in quotes.
    if isinstance(value, Opaque):
        return value.name
    if isinstance(value, Text):
        return "".join(canonical(part) if isinstance(part, str) else str(part) for part in value.parts)
    if isinstance(value, Unknown):
        return f"{value.reason} ({value.at.file}{value.at.pointer})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{canonical(key)}: {canonical(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(canonical, value)) + "]"
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)
    return str(value) if isinstance(value, NoValue) else f"<{json.dumps(value, default=str)}>"


def holes(text: str | Text) -> list[Hole]:
    """Return the holes of a text, in order."""
    return [] if isinstance(text, str) else [part for part in text.parts if isinstance(part, Hole)]


def dynamic_references(text: str | Text) -> str | Text:
    """Replace each `{{resolve:…}}`, which CloudFormation looks up only at deployment, by a hole."""
    pieces = (text,) if isinstance(text, str) else text.parts
    if not any(isinstance(piece, str) and "{{resolve:" in piece for piece in pieces):
        return text
    found: list[Hole] = []

    def mark(hole: Hole) -> str:
        found.append(hole)
        return f"{_MARK}{len(found) - 1}{_MARK}"

    flat = "".join(mark(piece) if isinstance(piece, Hole) else piece.replace(_MARK, "") for piece in pieces)

    def unmark(part: str) -> list[str | Hole]:
        return [found[int(piece)] if index % 2 else piece for index, piece in enumerate(part.split(_MARK))]

    result: list[str | Hole] = []
    end = 0
    for match in _DYNAMIC.finditer(flat):
        name = "".join(map(str, unmark(match[0])))
        result += unmark(flat[end : match.start()])
        result.append(named_hole(name, f"`{name}` is looked up only at deployment"))
        end = match.end()
    return concatenate(result + unmark(flat[end:]))


def any_member(collection: str) -> str:
    """Return what a loop writes for any member of an unknown collection."""
    return f"<each {collection}>"


def members_as_holes(text: str, members: Set[str]) -> str | Text:
    """Replace each part of a text that stands for any member of a collection by a hole."""
    pieces: list[str | Hole] = []
    for index, piece in enumerate(_ANY_MEMBER.split(text)):
        if index % 2 and f"<{piece}>" in members:
            reason = f"the values of the loop over `{piece.removeprefix('each ')}` are not known"
            pieces.append(named_hole(piece, reason))
        else:
            pieces.append(f"<{piece}>" if index % 2 else piece)
    return concatenate(pieces)


def compare(first: str | Text, second: str | Text) -> bool | None:
    """Tell whether two texts are equal: `None` if that depends on their holes."""
    if first == second:
        return True
    if isinstance(first, str) and isinstance(second, str):
        return False
    left, right = _pieces(first), _pieces(second)
    for end in (0, -1):
        while left and right:
            a, b = left[end], right[end]
            if a == b:
                del left[end], right[end]
            elif isinstance(a, str) and isinstance(b, str):
                common = min(len(a), len(b))
                if (a[:common] != b[:common]) if end == 0 else (a[-common:] != b[-common:]):
                    return False
                for side, piece in ((left, a), (right, b)):
                    side[end] = piece[common:] if end == 0 else piece[: len(piece) - common]
                    if not side[end]:
                        del side[end]
            else:
                break
    # A generated name differs from every literal text, and from every other generated name.
    if len(left) == 1 and len(right) == 1:
        a, b = left[0], right[0]
        if isinstance(a, Hole) and isinstance(b, Hole) and a.generated and b.generated:
            return False
        for hole, literal in ((a, b), (b, a)):
            if isinstance(hole, Hole) and hole.generated and isinstance(literal, str):
                return False
    if not left or not right:
        rest = left or right
        if not rest:
            return True
        # A hole may be empty text, unless CloudFormation generates it.
        if any(isinstance(piece, str) or piece.generated for piece in rest):
            return False
    return None


def _pieces(text: str | Text) -> list[str | Hole]:
    return [text] if isinstance(text, str) and text else [] if isinstance(text, str) else list(text.parts)


def texts_in(value: object) -> Iterator[str | Text]:
    """Return every text in a resolved value, keys excluded."""
    if isinstance(value, (str, Text)):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts_in(item)


def strings_of(value: object) -> Iterator[str]:
    """Return every string in a value, keys included; visit each aliased value once."""
    pending, visited = [value], {id(value)}
    while pending:
        current = pending.pop()
        if isinstance(current, str):
            yield current
        members: Iterable[object] = ()
        if isinstance(current, Mapping):
            members = (*current, *current.values())
        elif isinstance(current, (list, tuple)):
            members = current
        elif isinstance(current, Duplicate):
            members = current.values
        for member in members:
            if id(member) not in visited:
                visited.add(id(member))
                pending.append(member)
