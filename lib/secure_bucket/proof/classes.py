"""Decide which statements each class of requests rules out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Final, TypeVar

from msgspec.structs import replace

from secure_bucket.proof.compiled_deny import CompiledDeny
from secure_bucket.proof.search import Choice
from secure_bucket.proof.three_valued import Tri, all_of
from secure_bucket.values.unknown import Unknown

__all__ = ["choice_of", "choices_of"]

_Doubt = TypeVar("_Doubt")

DOUBT_LIMIT: Final = 4
"""Doubts of several statements about one class, above which each statement may have its own answer."""


def choice_of(
    denies: Sequence[CompiledDeny],
    value: object,
    judge: Callable[[CompiledDeny, Mapping[_Doubt, bool]], Iterable[Tri]],
    answers: Mapping[_Doubt, bool] | None = None,
    *,
    doubtful: bool = False,
) -> Choice:
    """Return the choice of a class.

    Args:
        denies: The statements.
        value: The class.
        judge: Returns which parts of a statement the class meets, under assumed answers.
        answers: Assumed answers to doubts (default: none).
        doubtful: Whether AWS leaves open that the class occurs (default: no).
    """
    fails = may_fail = 0
    notes: dict[int, Unknown] = {}
    for index, deny in enumerate(denies):
        met = all_of(judge(deny, answers or {}))
        if isinstance(met, Unknown):
            notes[index] = met
            may_fail |= 1 << index
        elif not met:
            fails |= 1 << index
    return Choice(value, fails, fails | may_fail, notes, doubtful)


def choices_of(
    denies: Sequence[CompiledDeny],
    value: object,
    judge: Callable[[CompiledDeny, Mapping[_Doubt, bool]], Iterable[Tri]],
    doubts: Iterable[_Doubt],
    *,
    doubtful: bool = False,
) -> Iterator[Choice]:
    """Yield a class once for each answer to the unknown questions that several statements ask about it.

    Then a statement and its negation cannot both miss a request because of the same unknown answer.

    Args:
        denies: The statements.
        value: The class.
        judge: Returns which parts of a statement the class meets, under assumed answers.
        doubts: Each doubt, once for each statement that depends on it.
        doubtful: Whether AWS leaves open that the class occurs (default: no).
    """
    choice = choice_of(denies, value, judge, doubtful=doubtful)
    counts = Counter(doubts) if choice.notes else Counter()
    shared = [doubt for doubt, count in counts.items() if count > 1]
    if not 0 < len(shared) <= DOUBT_LIMIT:
        yield choice
        return
    for answers in product((False, True), repeat=len(shared)):
        assumed = choice_of(denies, value, judge, dict(zip(shared, answers, strict=True)))
        notes = {index: note for index, note in choice.notes.items() if assumed.may_fail >> index & 1}
        yield replace(choice, may_fail=choice.fails | assumed.may_fail, notes=notes)
