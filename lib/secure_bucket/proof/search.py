"""The search for a combination of classes that no Deny statement covers.

Every dimension of a request (who, which action, which resource, each condition key) offers choices, and
every choice rules out some of the statements. A request gets through when its choices together rule out
all of them.
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
        subject: What was chosen; its type is the dimension's business.
        fails: The statements, as bits, that certainly do not match a request of this class.
        may_fail: Those and the ones of which that is unknown.
        notes: Why, for each statement of which it is unknown.
        doubtful: Whether AWS leaves open that the class occurs.
    """

    subject: object
    fails: int
    may_fail: int
    notes: Mapping[int, Unknown] = field(default_factory=dict)
    doubtful: bool = False


class Dimension(Struct, frozen=True):
    """A part of a request.

    Args:
        name: Its name; for a condition key, the key.
        choices: Its choices, the simplest first.
        limit: In words, the bound that was met before every class had its choice; `""` when none was.
    """

    name: str
    choices: tuple[Choice, ...]
    limit: str = ""


def combinations_ruling_out(
    every: int, dimensions: Sequence[Dimension], *, certain: bool
) -> Iterator[tuple[Choice, ...]]:
    """Yield combinations, one choice of each dimension, that rule out all the statements.

    Args:
        every: The statements, as bits.
        dimensions: The dimensions; the choices of the first are varied last, so that the first
            combination is the simplest in their order.
        certain: Whether only certain failures count; otherwise also those that are unknown, and
            choices that are doubtful.

    Yields:
        The combinations, the simplest first. Not every one, but one at least if there are any.

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
    """Return the choices that are not made pointless by a simpler one that rules out at least as much."""
    kept: list[tuple[Choice, int]] = []
    seen: set[int] = set()
    for choice in dimension.choices:
        if certain and choice.doubtful:
            continue
        mask = (choice.fails if certain else choice.may_fail) & every
        # What depends on the rest of the request has to be tried out, one class as well as another.
        open_ended = not certain and any(isinstance(note, Depends) for note in choice.notes.values())
        if not open_ended and (mask in seen or any(mask | other == other for _, other in kept[:64])):
            continue
        seen.add(mask)
        kept.append((choice, mask))
    return kept
