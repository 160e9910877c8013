"""Represent patterns of the policy language as sequences of elements, including unknown ones."""

from __future__ import annotations

import enum
from collections.abc import Container, Iterator
from functools import lru_cache
from typing import Final, TypeAlias

from msgspec import Struct

from secure_bucket.policy.pattern import fold as fold_case
from secure_bucket.policy.variables import Escape, Variable, split_variables
from secure_bucket.values.never import assert_never
from secure_bucket.values.unknown import Hole, Text, Unknown

__all__ = [
    "CompiledPattern",
    "Element",
    "Wild",
    "coarse",
    "compile_pattern",
    "hidden_variable",
    "undocumented_variable",
]

_UNDOCUMENTED: Final = "${…}"


class Wild(enum.Enum):
    """The wildcards; those of an ARN operator do not cross a colon."""

    ANY = "*"
    ONE = "?"
    ANY_IN_PART = "*:"
    ONE_IN_PART = "?:"


Element: TypeAlias = "str | Wild | Hole | Variable"


# Patterns are hashed far more often than they are made.
class CompiledPattern(Struct, frozen=True, cache_hash=True):
    """A compiled pattern.

    Args:
        elements: Characters, wildcards, holes and variables.
        fold: Whether case is ignored.
        wild_holes: Whether a wildcard may hide in one of its holes.
    """

    elements: tuple[Element, ...]
    fold: bool = False
    wild_holes: bool = False

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The policy variables in it."""
        return _parts(self)[0]

    @property
    def holes(self) -> tuple[Hole, ...]:
        """The holes in it."""
        return _parts(self)[1]

    @property
    def is_literal(self) -> bool:
        """Whether it stands for exactly one text, known or unknown."""
        return (
            not self.fold
            and not self.wild_holes
            and not any(isinstance(element, (Wild, Variable)) for element in self.elements)
        )

    @property
    def cost(self) -> int:
        """The work of a comparison with it, in steps."""
        known = not self.holes and not self.variables
        return 1 + (len(self.elements) // 64 if known else min(8 * len(self.elements), 1_000))


@lru_cache(maxsize=4096)
def _parts(pattern: CompiledPattern) -> tuple[tuple[Variable, ...], tuple[Hole, ...]]:
    """Return the variables and the holes of a pattern, which every comparison needs."""
    return (
        tuple(element for element in pattern.elements if isinstance(element, Variable)),
        tuple(element for element in pattern.elements if isinstance(element, Hole)),
    )


def compile_pattern(
    value: str | Text, *, wild: bool = False, variables: bool = False, fold: bool = False, arn: bool = False
) -> CompiledPattern:
    """Compile a text of a policy.

    Args:
        value: The text of the policy.
        wild: Whether `*` and `?` are wildcards.
        variables: Whether `${…}` is a variable.
        fold: Whether case is ignored.
        arn: Whether wildcards in the first five parts stay inside their part.
    """
    elements: list[Element] = []
    for part in (value,) if isinstance(value, str) else value.parts:
        if isinstance(part, Hole):
            elements.append(part)
            continue
        for one in split_variables(part) if variables else (part,):
            match one:
                case str():
                    elements.extend(_plain(one, wild))
                case Variable():
                    elements.append(one)
                case Escape():
                    elements.append(one.character)
                case Unknown():
                    elements.append(Hole(_UNDOCUMENTED, one.reason))
                case _:
                    assert_never(one)
    if arn:
        elements = list(_within_parts(elements))
    if fold:
        elements = [fold_case(element) if isinstance(element, str) else element for element in elements]
    hidden = wild and any(isinstance(one, Hole) and not one.generated and not one.plain for one in elements)
    return CompiledPattern(tuple(elements), fold, hidden)


def coarse(pattern: CompiledPattern) -> CompiledPattern:
    """Return a pattern with `*` in place of unknown elements, which matches all possible texts."""
    if not pattern.holes and not pattern.variables:
        return pattern
    elements = (element if isinstance(element, (str, Wild)) else Wild.ANY for element in pattern.elements)
    return CompiledPattern(tuple(elements), pattern.fold)


def undocumented_variable(pattern: CompiledPattern) -> str:
    """Return the undocumented form of a variable, because of which a pattern cannot be compared, or `""`."""
    return next((hole.reason for hole in pattern.holes if hole.name == _UNDOCUMENTED), "")


def hidden_variable(pattern: CompiledPattern, own: Container[Hole]) -> Unknown | None:
    """Return why a policy variable may hide in a pattern, or `None`.

    CloudFormation accepts any text for a parameter, including `${aws:username}`.

    Args:
        pattern: The pattern.
        own: The holes in the name of the bucket, which cannot contain a variable.
    """
    for hole in pattern.holes:
        if not hole.generated and not hole.plain and hole not in own:
            return Unknown(f"{hole.reason}, and it may hold a policy variable", hole.at)
    return None


def _plain(text: str, wild: bool) -> Iterator[Element]:
    for character in text:
        if wild and character == "*":
            yield Wild.ANY
        elif wild and character == "?":
            yield Wild.ONE
        else:
            yield character


def _within_parts(elements: list[Element]) -> Iterator[Element]:
    """Keep wildcards inside the first five parts of an ARN; the sixth part is the rest."""
    inner = {Wild.ANY: Wild.ANY_IN_PART, Wild.ONE: Wild.ONE_IN_PART}
    colons = 0
    for element in elements:
        colons += element == ":"
        yield inner[element] if isinstance(element, Wild) and colons < 5 else element
