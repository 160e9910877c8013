"""Decide whether a pattern matches a text, in three-valued logic if either has holes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from secure_bucket.policy.pattern import fold as fold_case
from secure_bucket.policy.variables import Variable
from secure_bucket.proof.automaton import automaton_of
from secure_bucket.proof.pattern import CompiledPattern, Element, Wild, coarse
from secure_bucket.proof.request_text import Letter, RequestText, letters_of
from secure_bucket.values.unknown import Hole

__all__ = ["matches"]


OVERLAP_LIMIT: Final = 20_000
"""Pairs of positions above which what is not known counts as something that may match."""


def matches(pattern: CompiledPattern, text: RequestText, *, given: bool = False) -> bool | None:
    """Return whether a pattern matches a text; `None` if that depends on something unknown.

    Args:
        pattern: The pattern of the policy.
        text: The value of the request.
        given: Whether the text is one given value, such as the ARN of the bucket. Otherwise it stands for
            a class of values: those that equal a text with holes have a representative with the same holes,
            so such a text does not match one without holes.
    """
    automaton = automaton_of(pattern)
    if isinstance(text, str) and automaton.segments is not None:
        return _in_order(automaton.segments, fold_case(text) if pattern.fold else text)
    letters = letters_of(text)
    if automaton.run(letters) & automaton.final:
        return True
    known = not pattern.holes or (pattern.is_literal and not given)
    if isinstance(text, str):
        if not pattern.variables and known:
            return False
        # No known text contains a name that CloudFormation generates.
        made_up = any(hole.generated for hole in pattern.holes)
        return None if not made_up and matches(coarse(pattern), text) else False
    return None if _overlaps(pattern, letters) else False


def _in_order(segments: tuple[str, ...], text: str) -> bool:
    """Return whether a text begins with the first segment, ends with the last, and has the others between."""
    if len(segments) == 1:
        return text == segments[0]
    first, *inner, last = segments
    at, end = len(first), len(text) - len(last)
    if at > end or not text.startswith(first) or not text.endswith(last):
        return False
    for segment in inner:
        found = text.find(segment, at, end)
        if found < 0:
            return False
        at = found + len(segment)
    return True


def _overlaps(pattern: CompiledPattern, letters: tuple[Letter, ...]) -> bool:
    """Return whether some value of the holes and variables makes the pattern match."""
    elements = pattern.elements
    # A common beginning or ending is equal for every content of its holes, so the rest decides.
    same = next((at for at, (a, b) in enumerate(zip(elements, letters, strict=False)) if a != b), None)
    same = min(len(elements), len(letters)) if same is None else same
    elements, letters = elements[same:], letters[same:]
    while elements and letters and elements[-1] == letters[-1]:
        elements, letters = elements[:-1], letters[:-1]
    if len(elements) * len(letters) > OVERLAP_LIMIT:
        return True
    end = (len(elements), len(letters), False)
    seen = {(0, 0, False)}
    queue = [(0, 0, False)]
    while queue:
        state = queue.pop()
        if state == end:
            return True
        for following in _moves(elements, letters, pattern.fold, *state):
            if following not in seen:
                seen.add(following)
                queue.append(following)
    return False


def _moves(
    elements: tuple[Element, ...], letters: tuple[Letter, ...], fold: bool, i: int, j: int, wild: bool
) -> Iterator[tuple[int, int, bool]]:
    """Yield the states after one move of the pattern, of the text, or of both.

    `wild` says that the generated name at `letters[j]` has met a wildcard. A generated name never equals a
    literal text, so it needs a wildcard to be passed.
    """
    element = elements[i] if i < len(elements) else None
    letter = letters[j] if j < len(letters) else None
    if letter is not None and letter == element:
        yield i + 1, j + 1, False
    generated = isinstance(letter, Hole) and letter.generated
    if _stretches(element):
        yield i + 1, j, wild or generated
        if letter is not None:
            yield i, j + 1, False
    if isinstance(letter, Hole):
        if not generated or wild:
            yield i, j + 1, False
        if element is not None and not (generated and (element == "/" or _is_generated(element))):
            yield i + 1, j, wild or (generated and isinstance(element, Wild))
    elif isinstance(letter, str) and (
        element is Wild.ONE or element is Wild.ONE_IN_PART or (fold and fold_case(letter) == element)
    ):
        yield i + 1, j + 1, False


def _stretches(element: Element | None) -> bool:
    """Return whether an element may stand for a text of any length."""
    if isinstance(element, Hole):
        return not element.generated
    return isinstance(element, Variable) or element is Wild.ANY or element is Wild.ANY_IN_PART


def _is_generated(element: Element) -> bool:
    return isinstance(element, Hole) and element.generated
