"""Implement three-valued logic, in which the third value names what the answer depends on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from secure_bucket.policy.variables import Variable
from secure_bucket.proof.keys import is_always_present
from secure_bucket.values.unknown import Place, Unknown

__all__ = ["Depends", "Tri", "all_of", "any_of", "depends_on", "negate", "unless_void"]

Tri: TypeAlias = "bool | Unknown"


class Depends(Unknown, frozen=True):
    """An answer that depends on the rest of the request, so a concrete request settles it."""


def depends_on(variable: Variable, at: Place) -> Depends:
    """Return the reason for an answer that a policy variable decides."""
    return Depends(f"the policy variable `${{{variable.name}}}` depends on the request", at)


def unless_void(
    found: Tri, variables: Iterable[Variable], at: Place, undocumented: Unknown | None = None
) -> Tri:
    """Return whether a request meets a part of a statement, given the policy variables in it.

    For a variable without a value, AWS documents both that its entry does not match and that it can make the
    whole statement invalid, so a match beside it is not certain. Nor is a match beside `undocumented`, a
    variable of an undocumented form.
    """
    if found is not True:
        return found
    if undocumented is not None:
        return undocumented
    void = next((one for one in variables if one.default is None and not is_always_present(one.key)), None)
    if void is None:
        return True
    return Depends(f"AWS says two things of a statement whose `${{{void.name}}}` has no value", at)


def any_of(each: Iterable[Tri]) -> Tri:
    """Return the disjunction: true if one answer is, else an unknown one, else false.

    Answers that a request cannot settle take precedence over those that it can.
    """
    unknown: Unknown | None = None
    for one in each:
        if isinstance(one, Unknown):
            if unknown is None or isinstance(unknown, Depends):
                unknown = one
        elif one:
            return True
    return unknown if unknown is not None else False


def all_of(each: Iterable[Tri]) -> Tri:
    """Return the conjunction: false if one answer is, else an unknown one, else true."""
    return negate(any_of(negate(one) for one in each))


def negate(one: Tri) -> Tri:
    """Return the negation; an unknown answer stays unchanged."""
    return one if isinstance(one, Unknown) else not one
