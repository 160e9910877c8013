"""Prepare the conditions of a statement to be compared."""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from secure_bucket.policy.condition_key import Type
from secure_bucket.policy.condition_keys import key_of
from secure_bucket.policy.document import Condition
from secure_bucket.policy.pattern import fold as fold_case
from secure_bucket.proof.comparison import RELATIONS, Comparison, Option, ShortArn
from secure_bucket.proof.pattern import (
    CompiledPattern,
    compile_pattern,
    hidden_variable,
    undocumented_variable,
)
from secure_bucket.proof.scalars import AddressRanges, parse_days, parse_instant, parse_network, parse_number
from secure_bucket.values.unknown import Hole, Text, Unknown

__all__ = ["compile_comparison"]

_FAMILIES: Final = ("string", "numeric", "date", "bool", "binary", "arn", "null")


def compile_comparison(condition: Condition, *, variables: bool, own: Container[Hole] = ()) -> Comparison:
    """Prepare a condition.

    Args:
        condition: The original condition.
        variables: Whether `${…}` is a policy variable in this policy.
        own: The holes in the name of the bucket, which cannot contain a variable.
    """
    operator = condition.operator
    family = next((name for name in _FAMILIES if operator.startswith(name.title())), "address")
    relation = operator.removeprefix(family.title())
    negated = "Not" in operator
    if negated or relation not in RELATIONS:
        relation = "Equals"
    key = fold_case(condition.key)
    documented = key_of(key)
    test = Comparison(key, family, relation, negated, (), condition)
    if family == "null" and condition.quantifier is not None:
        options: tuple[Option, ...] = (
            Unknown("AWS does not document a set operator in front of `Null`", condition.at),
        )
    elif family == "binary":
        # *IAM JSON policy elements: Condition operators*, read 2026-11: "test key values that are in binary
        # format". AWS gives no key of S3, and no global key, that type.
        options = (Unknown("AWS documents no condition key with binary values", condition.at),)
    elif family != "null" and documented is not None and family not in documented.type.families:
        options = (Unknown(_undocumented(condition, documented.type), condition.at),)
    else:
        options = tuple(_option(test, value, variables) for value in condition.values)
    ranges = [option for option in options if isinstance(option, AddressRanges)]
    literals: set[str] = set()
    kept: list[Option] = [AddressRanges.union(ranges)] if ranges else []
    for option in options:
        if isinstance(option, CompiledPattern) and option.is_literal and not option.holes:
            literals.add("".join(map(str, option.elements)))
        elif not isinstance(option, AddressRanges):
            kept.append(option)
    written = [
        compile_pattern(value, variables=True)
        for value in condition.values
        if variables and not isinstance(value, Unknown)
    ]
    names = tuple(name for pattern in written for name in pattern.variables)
    why = next(filter(None, map(undocumented_variable, written)), "")
    hidden = (hidden_variable(pattern, own) for pattern in written)
    undocumented = Unknown(why, condition.at) if why else next(filter(None, hidden), None)
    return Comparison(
        key, family, relation, negated, tuple(kept), condition, frozenset(literals), names, undocumented
    )


def _undocumented(condition: Condition, documented: Type) -> str:
    names = {"string": "string", "arn": "ARN", "bool": "Bool", "numeric": "numeric", "date": "date"}
    words = " and ".join(names.get(family, "IP address") for family in documented.families)
    return f"AWS documents `{condition.key}` for {words} operators, not for `{condition.operator}`"


def _option(test: Comparison, value: str | Text | Unknown, variables: bool) -> Option:
    if isinstance(value, Unknown):
        return value
    condition, family = test.condition, test.family
    if variables and family not in ("string", "arn"):
        # *IAM policy elements: Variables and tags*, read 2026-11: "You can't use a policy variable with other
        # operators, such as Numeric, Date, Boolean, Binary, IP Address, or Null operators."
        pattern = compile_pattern(value, variables=True)
        if pattern.variables or undocumented_variable(pattern):
            return Unknown(f"AWS does not allow a policy variable under `{condition.operator}`", condition.at)
    if family in ("string", "arn"):
        wild = family == "arn" or condition.operator.endswith("Like")
        fold = condition.operator.endswith("IgnoreCase")
        pattern = compile_pattern(value, wild=wild, variables=variables, fold=fold, arn=family == "arn")
        if why := undocumented_variable(pattern):
            return Unknown(why, condition.at)
        if family == "arn" and pattern.elements.count(":") < 5:
            return ShortArn(str(value), plain=pattern.is_literal and not pattern.holes)
        return pattern
    if isinstance(value, Text):
        hole = next(part for part in value.parts if isinstance(part, Hole))
        return Unknown(hole.reason, hole.at)
    option: Option | None
    if family in ("bool", "null"):
        option = {"true": True, "false": False}.get(value)
    elif family == "address":
        option = parse_network(value)
    else:
        option = (parse_days(value) or parse_instant(value)) if family == "date" else parse_number(value)
    if option is None:
        return Unknown(
            f"AWS does not document what `{condition.operator}` makes of `{value[:60]}`", condition.at
        )
    return option
