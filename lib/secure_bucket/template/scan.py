"""Share code between the JSON and YAML scanners: depth, JSON pointers, numbers, duplicate keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn

from secure_bucket.values.unknown import Place, Unknown

__all__ = [
    "MAX_DEPTH",
    "Duplicate",
    "WrittenFloat",
    "WrittenInteger",
    "WrittenText",
    "duplicate_key",
    "find_duplicates",
    "pointer_token",
    "read_strict_json",
    "settle_equal",
]

MAX_DEPTH = 200


def pointer_token(key: object) -> str:
    """Return a key as a token of a JSON pointer, as RFC 6901 escapes it."""
    return str(key).replace("~", "~0").replace("/", "~1")


def read_strict_json(text: str, *, parse_float: Callable[[str], Any] = float) -> object:
    """Return the value of a JSON text.

    Raises:
        ValueError: It is not JSON, contains `NaN` or an infinity, or has a duplicate key.
        RecursionError: It is nested too deeply.
    """
    return json.loads(text, object_pairs_hook=_members, parse_constant=_refuse, parse_float=parse_float)


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return members


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


class WrittenFloat(float):
    """A number with a fraction or an exponent that keeps its spelling."""

    __slots__ = ("text",)

    text: str

    def __new__(cls, text: str) -> WrittenFloat:
        """Return the number of a text, in which YAML allows `_`."""
        number = super().__new__(cls, text.replace("_", ""))
        number.text = text
        return number


class WrittenInteger(int):
    """A whole number in another form than plain digits, such as `010` or `1_000`."""

    text: str

    def __new__(cls, value: int, text: str) -> WrittenInteger:
        """Return the number of a text."""
        number = super().__new__(cls, value)
        number.text = text
        return number


class WrittenText(str):
    """A text that other YAML readers treat as another value, such as `1e3`, `0891` or the key `yes`."""

    __slots__ = ()


class Duplicate(Unknown, frozen=True, kw_only=True):
    """The values of a duplicate key, of which no specification says which one counts.

    Args:
        values: The values, in their order in the text.
    """

    values: tuple[object, ...] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Duplicate) and (self.reason, self.at) == (other.reason, other.at)

    def __hash__(self) -> int:
        return hash((self.reason, self.at))


def duplicate_key(
    key: str, values: tuple[object, object], file: str, pointer: str, lines: tuple[int, int]
) -> Duplicate:
    """Return the value of a duplicate key, given both values and the lines of both keys."""
    first, second = values
    earlier = first.values if isinstance(first, Duplicate) else (first,)
    reason = f"the key `{key}` stands twice, in line {lines[0]} and in line {lines[1]}"
    return Duplicate(reason, Place(pointer, file, lines[1], 0), values=(*earlier, second))


def find_duplicates(value: object) -> Iterator[Duplicate]:
    """Return every duplicate key inside a value."""
    # INVARIANT: each value is visited once, even with many YAML aliases.
    pending, visited = [value], {id(value)}
    while pending:
        current = pending.pop()
        if isinstance(current, Duplicate):
            yield current
            continue
        members = (
            current.values() if isinstance(current, dict) else current if isinstance(current, list) else ()
        )
        for member in members:
            if isinstance(member, (dict, list, Duplicate)) and id(member) not in visited:
                visited.add(id(member))
                pending.append(member)


def settle_equal(root: object, duplicates: Iterable[Duplicate]) -> Iterator[Duplicate]:
    """Set each duplicate key with equal values to this value, and yield these keys.

    Args:
        root: The value that contains the keys; it is changed.
        duplicates: The keys.
    """
    for duplicate in duplicates:
        first, *others = duplicate.values
        if all(_alike(first, other) for other in others) and _put(root, duplicate, first):
            yield duplicate


def _put(root: Any, duplicate: Duplicate, value: object) -> bool:
    """Replace a duplicate by a value; return whether its pointer leads to it."""
    *path, last = (each.replace("~1", "/").replace("~0", "~") for each in duplicate.at.pointer.split("/")[1:])
    current = root
    for token in path:
        if isinstance(current, dict) and token in current:
            current = current[token]
        elif isinstance(current, list) and token.isdecimal() and int(token) < len(current):
            current = current[int(token)]
        else:
            return False
    if isinstance(current, dict) and current.get(last) is duplicate:
        current[last] = value
        return True
    return False


def _alike(one: object, other: object) -> bool:
    """Tell whether two values are equal: a Boolean is not a number, and an unknown equals nothing."""
    if type(one) is not type(other) or isinstance(one, Unknown):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_alike(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    return one == other
