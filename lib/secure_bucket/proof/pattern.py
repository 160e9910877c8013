"""Patterns of the policy language as sequences of elements, with what is not known left in place."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from typing import TypeAlias

from msgspec import Struct

from secure_bucket.policy.pattern import fold as fold_case
from secure_bucket.values.unknown import Hole, Text

__all__ = ["Element", "Pattern", "Variable", "Wild", "compile_pattern", "undocumented_variable"]


class Wild(enum.Enum):
    """The wildcards; those of an ARN operator do not cross a colon."""

    ANY = "*"
    ONE = "?"
    ANY_IN_PART = "*:"
    ONE_IN_PART = "?:"


class Variable(Struct, frozen=True):
    """A policy variable, replaced by a value of the request (IAM User Guide, *Policy variables*).

    Args:
        name: What is written between the braces: a condition key, and perhaps a default value.
    """

    name: str

    @property
    def key(self) -> str:
        """The condition key whose value it takes, in lower case."""
        return fold_case(self.name.partition(",")[0].strip())

    @property
    def has_default(self) -> bool:
        """Whether it has a value even when the key is absent."""
        return "," in self.name

    @property
    def has_wild_default(self) -> bool:
        """Whether there are wildcards in its default, which AWS does not document."""
        return self.has_default and not {"*", "?"}.isdisjoint(self.name)


Element: TypeAlias = "str | Wild | Hole | Variable"

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_ESCAPES = ("*", "?", "$")
# IAM User Guide, *IAM policy elements: Variables and tags*, read 2026-11: a key, then "a comma and a space"
# before a default in single quotes. AWS does not document what any other text between the braces means.
_DOCUMENTED = re.compile(r"(?:[A-Za-z0-9-]+:)?[^\s,'](?:[^,']*[^\s,'])?(?:, '[^']*')?")


_UNDOCUMENTED = "AWS does not document this form of a policy variable"


# A pattern is looked up far more often than it is made.
class Pattern(Struct, frozen=True, cache_hash=True):
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
        return tuple(element for element in self.elements if isinstance(element, Variable))

    @property
    def holes(self) -> tuple[Hole, ...]:
        """The holes in it."""
        return tuple(element for element in self.elements if isinstance(element, Hole))

    @property
    def is_literal(self) -> bool:
        """Whether it stands for exactly one text, known or not."""
        return (
            not self.fold
            and not self.wild_holes
            and not any(isinstance(element, (Wild, Variable)) for element in self.elements)
        )


def compile_pattern(
    value: str | Text, *, wild: bool = False, variables: bool = False, fold: bool = False, arn: bool = False
) -> Pattern:
    """Compile what a policy writes.

    Args:
        value: The text of the policy.
        wild: Whether `*` and `?` are wildcards.
        variables: Whether `${…}` is a variable.
        fold: Whether case is ignored.
        arn: Whether the wildcards of the first five parts stay inside their part.
    """
    elements: list[Element] = []
    for part in (value,) if isinstance(value, str) else value.parts:
        if isinstance(part, Hole):
            elements.append(part)
            continue
        position = 0
        for match in _VARIABLE.finditer(part) if variables else ():
            elements.extend(_plain(part[position : match.start()], wild))
            name = match[1]
            if name in _ESCAPES:
                elements.append(name)
            elif _DOCUMENTED.fullmatch(name):
                elements.append(Variable(name))
            else:
                elements.append(Hole(match[0], _UNDOCUMENTED))
            position = match.end()
        elements.extend(_plain(part[position:], wild))
    if arn:
        elements = list(_within_parts(elements))
    if fold:
        elements = [fold_case(element) if isinstance(element, str) else element for element in elements]
    hidden = wild and any(isinstance(one, Hole) and not one.generated and not one.plain for one in elements)
    return Pattern(tuple(elements), fold, hidden)


def undocumented_variable(pattern: Pattern) -> str:
    """Return why a pattern cannot be compared: a variable of an undocumented form; `""` if it has none."""
    return next(
        (f"{_UNDOCUMENTED}: `{hole.name}`" for hole in pattern.holes if hole.reason == _UNDOCUMENTED), ""
    )


def _plain(text: str, wild: bool) -> Iterator[Element]:
    for character in text:
        if wild and character == "*":
            yield Wild.ANY
        elif wild and character == "?":
            yield Wild.ONE
        else:
            yield character


def _within_parts(elements: list[Element]) -> Iterator[Element]:
    """Keep wildcards inside the first five parts of an ARN; the sixth is everything that is left."""
    inner = {Wild.ANY: Wild.ANY_IN_PART, Wild.ONE: Wild.ONE_IN_PART}
    colons = 0
    for element in elements:
        colons += element == ":"
        yield inner[element] if isinstance(element, Wild) and colons < 5 else element
