"""Prepare `Action` and `Resource` elements, and decide what they cover."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from secure_bucket.policy.document import Patterns
from secure_bucket.policy.variables import Variable
from secure_bucket.proof.automaton import automaton_of
from secure_bucket.proof.matching import matches
from secure_bucket.proof.pattern import (
    CompiledPattern,
    Element,
    Wild,
    compile_pattern,
    hidden_variable,
    undocumented_variable,
)
from secure_bucket.proof.request_text import RequestText, letters_of
from secure_bucket.proof.three_valued import Tri, any_of, depends_on, negate, unless_void
from secure_bucket.values.unknown import Hole, Place, Unknown

__all__ = ["Clause", "compile_actions", "compile_resources", "covers_every_object", "is_every_action"]

_NOTHING: Final[Mapping[CompiledPattern, bool]] = {}


class Clause(Struct, frozen=True):
    """An `Action` or `Resource` element, or its negation, ready to be compared.

    Args:
        patterns: Its patterns.
        negated: Whether it is the `Not…` element.
        doubtful: The patterns that S3 may not accept, because AWS does not document them.
        at: Where it is written. Not part of its identity.
        undocumented: The undocumented form of a policy variable in it, or the place where one may hide, if
            any. Not part of its identity, because it is in one of the patterns.
    """

    patterns: tuple[CompiledPattern | Unknown, ...]
    negated: bool
    doubtful: frozenset[CompiledPattern] = frozenset()
    at: Place = Place()
    undocumented: Unknown | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Clause) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    @property
    def _identity(self) -> tuple[object, ...]:
        return self.patterns, self.negated, self.doubtful

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The policy variables in its patterns."""
        patterns = (pattern for pattern in self.patterns if isinstance(pattern, CompiledPattern))
        return tuple(variable for pattern in patterns for variable in pattern.variables)

    def covers(self, text: RequestText, answers: Mapping[CompiledPattern, bool] = _NOTHING) -> Tri:
        """Return whether the element covers an action, or the ARN of a resource.

        Args:
            text: The action or the ARN.
            answers: The assumed answers to doubts about the text.
        """
        found = any_of(
            answers[pattern]
            if isinstance(pattern, CompiledPattern) and pattern in answers
            else self._covers(pattern, text)
            for pattern in self.patterns
        )
        found = negate(found) if self.negated else found
        return unless_void(found, self.variables, self.at, self.undocumented)

    def doubts(
        self, text: RequestText, shared: Container[CompiledPattern | Unknown]
    ) -> Iterator[CompiledPattern]:
        """Yield the doubts that decide whether the element covers a text, with one answer for all
        statements."""
        for pattern in self.patterns:
            if pattern not in shared or not isinstance(pattern, CompiledPattern):
                continue
            if isinstance(self._covers(pattern, text), Unknown):
                yield pattern

    def _covers(self, pattern: CompiledPattern | Unknown, text: RequestText) -> Tri:
        if isinstance(pattern, Unknown):
            return pattern
        found = matches(pattern, text, given=True)
        if found is None:
            if pattern.variables:
                return depends_on(pattern.variables[0], self.at)
            holes = [*pattern.holes, *(letter for letter in letters_of(text) if isinstance(letter, Hole))]
            return Unknown(holes[0].reason, holes[0].at)
        if found and pattern in self.doubtful:
            return Unknown("AWS does not document a wildcard in the partition or the service", self.at)
        return found


def compile_actions(element: Patterns, at: Place) -> Clause:
    """Prepare an `Action` or `NotAction` element: names are case-insensitive."""
    patterns: list[CompiledPattern | Unknown] = []
    doubtful: set[CompiledPattern] = set()
    for value in element.values:
        text = str(value)
        if isinstance(value, Unknown):
            patterns.append(value)
        elif not text.isascii() and text.casefold().isascii():
            # The Kelvin sign and the long s: AWS only documents that names of actions are case-insensitive.
            patterns.append(Unknown(f"AWS does not document letters outside of ASCII, as in `{text}`", at))
        else:
            pattern = compile_pattern(value, wild=True, fold=True)
            patterns.append(pattern)
            service = text.partition(":")[0]
            if text != "*" and ("*" in service or "?" in service) and not pattern.holes:
                doubtful.add(pattern)
    return Clause(tuple(patterns), element.negated, frozenset(doubtful), at)


def compile_resources(element: Patterns, at: Place, *, variables: bool, own: Container[Hole] = ()) -> Clause:
    """Prepare a `Resource` or `NotResource` element: variables exist only in the last part of an ARN."""
    undocumented: Unknown | None = None
    patterns: list[CompiledPattern | Unknown] = []
    doubtful: set[CompiledPattern] = set()
    for value in element.values:
        if isinstance(value, Unknown):
            patterns.append(value)
            continue
        compiled = compile_pattern(value, wild=True, variables=variables)
        if why := undocumented_variable(compiled):
            undocumented = Unknown(why, at)
            patterns.append(undocumented)
            continue
        if variables and undocumented is None:
            undocumented = hidden_variable(compiled, own)
        pattern = CompiledPattern(tuple(_plain_before_the_resource(compiled.elements)))
        patterns.append(pattern)
        if _has_wild_service(pattern):
            doubtful.add(pattern)
    return Clause(tuple(patterns), element.negated, frozenset(doubtful), at, undocumented)


def _has_wild_service(pattern: CompiledPattern) -> bool:
    """Return whether wildcards of a pattern other than `*` stand for one of the first three parts of an
    ARN."""
    if pattern.elements == (Wild.ANY,):
        return False
    colons = 0
    for element in pattern.elements:
        colons += element == ":"
        if isinstance(element, Wild) and colons < 3:
            return True
    # With fewer colons, a wildcard must stand for some of them.
    return colons < 5 and not pattern.holes


def _plain_before_the_resource(elements: Sequence[Element]) -> Iterator[Element]:
    colons = 0
    for element in elements:
        colons += element == ":"
        if isinstance(element, Variable) and colons < 5:
            yield from str(element)
        else:
            yield element


def is_every_action(clause: Clause) -> bool:
    """Return whether an element obviously covers every action of S3."""
    return not clause.negated and any(
        isinstance(pattern, CompiledPattern) and pattern.elements in _EVERY for pattern in clause.patterns
    )


def covers_every_object(clause: Clause, bucket_arn: RequestText) -> bool:
    """Return whether an element obviously covers every object: by a pattern that ends where the key
    begins."""
    prefix = (*letters_of(bucket_arn), "/")
    for pattern in () if clause.negated else clause.patterns:
        if isinstance(pattern, CompiledPattern) and pattern not in clause.doubtful:
            automaton = automaton_of(pattern)
            if automaton.settled(automaton.run(prefix)):
                return True
    return False


_EVERY: Final = ((Wild.ANY,), ("s", "3", ":", Wild.ANY))
