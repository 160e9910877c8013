"""Give every formula three readings: one for each world that AWS leaves open, and two that bound them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import z3

Formula = Any
"""A Boolean of Python, or a Boolean term of z3 (whose Python binding is untyped)."""


def conj(parts: Iterable[Formula]) -> Formula:
    kept = []
    for part in parts:
        if part is False:
            return False
        if part is not True:
            kept.append(part)
    return z3.And(*kept) if len(kept) > 1 else kept[0] if kept else True


def disj(parts: Iterable[Formula]) -> Formula:
    kept = []
    for part in parts:
        if part is True:
            return True
        if part is not False:
            kept.append(part)
    return z3.Or(*kept) if len(kept) > 1 else kept[0] if kept else False


def negate(part: Formula) -> Formula:
    return not part if isinstance(part, bool) else z3.Not(part)


class Match(NamedTuple):
    """Whether something matches.

    Args:
        free: The formula, in which a Boolean of its own stands for each question that AWS does not answer.
        sure: What implies it for all answers.
        may: What it implies for all answers.
    """

    free: Formula
    sure: Formula
    may: Formula


def exactly(formula: Formula) -> Match:
    return Match(formula, formula, formula)


def between(sure: Formula, may: Formula, question: str) -> Match:
    """Return a match that lies between two; the same question has the same answer everywhere in a policy."""
    return Match(disj([sure, conj([z3.Bool(f"?{question}"), may])]), sure, may)


def unknown(question: str) -> Match:
    return between(False, True, question)


def every(parts: Iterable[Match]) -> Match:
    columns = list(zip(*parts, strict=True)) or [(), (), ()]
    return Match(*(conj(column) for column in columns))


def some(parts: Iterable[Match]) -> Match:
    columns = list(zip(*parts, strict=True)) or [(), (), ()]
    return Match(*(disj(column) for column in columns))


def opposite(part: Match) -> Match:
    return Match(negate(part.free), negate(part.may), negate(part.sure))
