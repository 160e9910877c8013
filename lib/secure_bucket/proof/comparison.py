"""Decide whether one condition holds for one value, in three-valued logic.

The third value is an `Unknown` with what the answer depends on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Final, TypeAlias

from msgspec import Struct

from secure_bucket.policy.document import Condition, Quantifier
from secure_bucket.policy.variables import Variable
from secure_bucket.proof.matching import matches
from secure_bucket.proof.pattern import CompiledPattern, compile_pattern
from secure_bucket.proof.request_text import RequestText
from secure_bucket.proof.scalars import (
    AddressRanges,
    Days,
    parse_address,
    parse_instant,
    parse_number,
)
from secure_bucket.proof.three_valued import Tri, all_of, any_of, depends_on, negate, unless_void
from secure_bucket.values.unknown import Hole, Unknown

__all__ = ["RELATIONS", "Comparison", "Observed", "OpenMatch", "Option", "ShortArn", "shared_matches"]


class ShortArn(Struct, frozen=True):
    """A text of fewer than six parts under an ARN operator, such as `*`: AWS does not document what it
    matches.

    Args:
        text: The text.
        plain: Whether it has no wildcards, variables or holes.
    """

    text: str
    plain: bool


Option: TypeAlias = "CompiledPattern | ShortArn | Fraction | Days | AddressRanges | bool | Unknown"
OpenMatch: TypeAlias = "tuple[str, str, Option]"
"""Whether a value of a policy matches a value of a key: the key, the family of the operator, the first."""

_NOTHING: Final[Mapping[OpenMatch, bool]] = {}
Observed: TypeAlias = "RequestText | tuple[RequestText, ...] | None"


class Comparison(Struct, frozen=True):
    """A condition, ready to be compared.

    Args:
        key: The condition key, in lower case.
        family: The family of its operator: `string`, `numeric`, …, `null`.
        relation: The rest of the operator: `LessThan`, … for numbers and dates, else `Equals`.
        negated: Whether the operator is a `…Not…` operator.
        options: The values of the policy, except those in `literals`.
        condition: The original condition.
        literals: The plain string values, for a fast membership test.
        variables: The policy variables in its values.
        undocumented: The undocumented form of a variable in its values, if any.
    """

    key: str
    family: str
    relation: str
    negated: bool
    options: tuple[Option, ...]
    condition: Condition
    literals: frozenset[str] = frozenset()
    variables: tuple[Variable, ...] = ()
    undocumented: Unknown | None = None

    def holds(self, value: Observed, answers: Mapping[OpenMatch, bool] = _NOTHING) -> Tri:
        """Return whether the condition holds if its key has this value.

        Args:
            value: The value; `None` for an absent key.
            answers: The assumed answers to doubts about this value.
        """
        found = self._holds(value, answers)
        return unless_void(found, self.variables, self.condition.at, self.undocumented)

    def doubts(self, value: Observed, shared: frozenset[OpenMatch]) -> Iterator[OpenMatch]:
        """Yield the doubts that decide the condition for a value, with one answer for all statements."""
        if value is None or isinstance(value, tuple):
            return
        for match in self.matches if shared else ():
            if match in shared and isinstance(self._meets(match[2], value), Unknown):
                yield match

    @property
    def matches(self) -> Iterator[OpenMatch]:
        """The questions whether its values match, with one answer for all statements."""
        for option in self.options:
            if isinstance(option, (CompiledPattern, ShortArn)):
                yield self.key, self.family, option

    def _holds(self, value: Observed, answers: Mapping[OpenMatch, bool]) -> Tri:
        condition = self.condition
        if self.family == "null":
            return any_of(
                option if isinstance(option, Unknown) else option == (value is None)
                for option in self.options
            )
        if value is None:
            if condition.quantifier is Quantifier.FOR_ANY_VALUE:
                if condition.if_exists:
                    return Unknown(
                        "AWS does not document `ForAnyValue` together with `IfExists`", condition.at
                    )
                return False
            return condition.quantifier is Quantifier.FOR_ALL_VALUES or condition.if_exists or self.negated
        values = value if isinstance(value, tuple) else (value,)
        each = (self._compare(one, answers) for one in values)
        # IAM User Guide, *Set operators for multivalued context keys*, read 2026-11: what "resolves to a null
        # data set, such as an empty string", meets `ForAllValues`, and not `ForAnyValue`.
        if condition.quantifier is Quantifier.FOR_ANY_VALUE:
            return any_of(each) if any(values) else False
        if condition.quantifier is Quantifier.FOR_ALL_VALUES:
            return all_of(each) if any(values) else True
        if not isinstance(value, tuple):
            return self._compare(value, answers)
        reason = f"AWS does not document `{condition.operator}` for several values of `{condition.key}`"
        return Unknown(reason, condition.at)

    def _compare(self, value: RequestText, answers: Mapping[OpenMatch, bool]) -> Tri:
        if isinstance(value, str) and value in self.literals:
            return not self.negated
        options = self.options if isinstance(value, str) else (*self.options, *self._literal_patterns())
        if answers:
            asked = ((option, answers.get((self.key, self.family, option))) for option in options)
            found = any_of(self._meets(option, value) if one is None else one for option, one in asked)
        else:
            found = any_of(self._meets(option, value) for option in options)
        return negate(found) if self.negated else found

    def _literal_patterns(self) -> Iterator[CompiledPattern]:
        return (compile_pattern(literal) for literal in sorted(self.literals))

    @property
    def patterns(self) -> tuple[CompiledPattern, ...]:
        """The values that are text patterns, with or without wildcards."""
        others = (option for option in self.options if isinstance(option, CompiledPattern))
        return (*self._literal_patterns(), *others)

    def _meets(self, option: Option, value: RequestText) -> Tri:
        if isinstance(option, Unknown):
            return option
        if isinstance(option, CompiledPattern):
            return self._matches(option, value)
        if isinstance(option, ShortArn):
            if option.plain and isinstance(value, str) and value.count(":") >= 5:
                return False  # A text without wildcards matches no other text.
            operator = self.condition.operator
            reason = f"AWS does not document `{operator}` with `{option.text}`, which is not an ARN"
            return Unknown(reason, self.condition.at)
        text = value if isinstance(value, str) else ""
        if isinstance(option, bool):
            return option == (text == "true") if text in ("true", "false") else self._mistyped(text)
        if isinstance(option, AddressRanges):
            address = parse_address(text)
            return self._mistyped(text) if address is None else option.contain(address)
        number = parse_instant(text) if self.family == "date" else parse_number(text)
        if number is None:
            return self._mistyped(text)
        if isinstance(option, Days):
            return self._relates(number, option)
        return RELATIONS[self.relation](number, option)

    def _relates(self, moment: Fraction, days: Days) -> Tri:
        relation = RELATIONS[self.relation]
        found = relation(moment, days.first)
        if not days.first <= moment <= days.last and found == relation(moment, days.last):
            return found
        reason = f"AWS does not document when a date without a time begins under `{self.condition.operator}`"
        return Unknown(reason, self.condition.at)

    def _matches(self, pattern: CompiledPattern, value: RequestText) -> Tri:
        if len(pattern.elements) == 1 and pattern.variables and pattern.variables[0].key == self.key:
            return True  # The condition compares the key with itself.
        found = matches(pattern, value)
        if found is False and pattern.fold and isinstance(value, str):
            text = "".join(map(str, pattern.elements))
            if text.casefold() == value.casefold():
                shown = value if text.isascii() else text
                reason = f"AWS does not document the case of letters outside of ASCII, as in `{shown}`"
                return Unknown(reason, self.condition.at)
        if found is not None:
            return found
        if pattern.variables:
            return depends_on(pattern.variables[0], self.condition.at)
        hole = next((hole for hole in (*pattern.holes, *_holes(value))), None)
        return Unknown(hole.reason if hole else "it is not known", hole.at if hole else self.condition.at)

    def _mistyped(self, text: str) -> Unknown:
        condition = self.condition
        reason = (
            f"AWS does not document `{condition.operator}` on `{condition.key}` with a value such as `{text}`"
        )
        return Unknown(reason, condition.at)


RELATIONS: Final[dict[str, Callable[[Fraction, Fraction], bool]]] = {
    "Equals": lambda value, option: value == option,
    "LessThan": lambda value, option: value < option,
    "LessThanEquals": lambda value, option: value <= option,
    "GreaterThan": lambda value, option: value > option,
    "GreaterThanEquals": lambda value, option: value >= option,
}


def shared_matches(comparisons: Iterable[Comparison]) -> frozenset[OpenMatch]:
    """Return the questions that several conditions ask about one value."""
    counts = Counter(match for comparison in comparisons for match in comparison.matches)
    return frozenset(match for match, count in counts.items() if count > 1)


def _holes(value: RequestText) -> tuple[Hole, ...]:
    return () if isinstance(value, str) else tuple(part for part in value.parts if isinstance(part, Hole))
