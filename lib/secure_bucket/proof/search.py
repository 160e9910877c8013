"""Search for a combination of classes that no Deny statement covers.

Every dimension of a request (principal, action, resource, each condition key) has choices, and every choice
rules out some statements. A request gets through if its choices together rule out all statements.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct, field

from secure_bucket.proof.language import TooComplex
from secure_bucket.proof.three_valued import Depends
from secure_bucket.values.unknown import Unknown

__all__ = ["Choice", "Dimension", "combinations_ruling_out"]

NODE_LIMIT: Final = 100_000
"""Partial combinations after which a policy counts as too complex, about a second's work."""


class Choice(Struct, frozen=True):
    """One class of one dimension.

    Args:
        value: The chosen value, whose type depends on the dimension.
        fails: The statements, as bits, that certainly do not match a request of this class.
        may_fail: Those, and the statements of which that is unknown.
        notes: The reason for each statement of which it is unknown.
        doubtful: Whether AWS does not document that the class occurs.
    """

    value: object
    fails: int
    may_fail: int
    notes: Mapping[int, Unknown] = field(default_factory=dict)
    doubtful: bool = False


class Dimension(Struct, frozen=True):
    """A part of a request.

    Args:
        name: Its name; for a condition key, the key.
        choices: Its choices, the simplest first.
        limit: The bound, in words, that ended the choices early; `""` if they are complete.
    """

    name: str
    choices: tuple[Choice, ...]
    limit: str = ""


def combinations_ruling_out(
    every: int, dimensions: Sequence[Dimension], *, certain: bool
) -> Iterator[tuple[Choice, ...]]:
    """Yield combinations, with one choice of each dimension, that rule out all the statements.

    Args:
        every: The statements, as bits.
        dimensions: The dimensions; the choices of the first are varied last, so that the first
            combination is the simplest in their order.
        certain: Whether only certain failures count; otherwise also those that are unknown, and
            choices that are doubtful.

    Yields:
        Some combinations, the simplest first; at least one if there are any.

    Raises:
        TooComplex: After `NODE_LIMIT` partial combinations.
    """
    levels = [_undominated(dimension, every, certain=certain) for dimension in dimensions]
    reach = [0] * (len(levels) + 1)
    for index in range(len(levels) - 1, -1, -1):
        reach[index] = reach[index + 1]
        for _, mask in levels[index]:
            reach[index] |= mask
    dead: set[tuple[int, int]] = set()
    nodes = 0

    def extend(level: int, covered: int) -> Iterator[tuple[Choice, ...]]:
        nonlocal nodes
        if level == len(levels):
            yield ()
            return
        found = False
        for choice, mask in levels[level]:
            nodes += 1
            if nodes > NODE_LIMIT:
                raise TooComplex(f"its conditions have more than {NODE_LIMIT:,} combinations")
            together = covered | mask
            if every & ~(together | reach[level + 1]) or (level + 1, together) in dead:
                continue
            for rest in extend(level + 1, together):
                found = True
                yield (choice, *rest)
        if not found:
            dead.add((level, covered))

    if not every & ~reach[0]:
        yield from extend(0, 0)


def _undominated(dimension: Dimension, every: int, *, certain: bool) -> list[tuple[Choice, int]]:
    """Return the choices without a simpler one that rules out at least as much."""
    kept: list[tuple[Choice, int]] = []
    seen: set[int] = set()
    for choice in dimension.choices:
        if certain and choice.doubtful:
            continue
        mask = (choice.fails if certain else choice.may_fail) & every
        # Try each class whose effect depends on the rest of the request.
        open_ended = not certain and any(isinstance(note, Depends) for note in choice.notes.values())
        if not open_ended and (mask in seen or any(mask | other == other for _, other in kept[:64])):
            continue
        seen.add(mask)
        kept.append((choice, mask))
    return kept
