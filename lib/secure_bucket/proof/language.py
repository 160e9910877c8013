"""Find one string for each class of strings that a set of patterns can tell apart.

The patterns of a policy are regular languages, so the strings of any shape (an object key, the ARN of a
user) fall into finitely many classes: two strings are in one class if every pattern treats them alike. A
breadth-first subset construction finds the classes, so one of its shortest strings represents each class.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from msgspec import Struct

from secure_bucket.proof.automaton import automaton_of
from secure_bucket.proof.pattern import CompiledPattern
from secure_bucket.proof.request_text import Letter, RequestText, letters_of

__all__ = [
    "ANYTHING",
    "DIGITS",
    "HOST",
    "LETTERS",
    "NAME",
    "PATH",
    "Budget",
    "Parts",
    "Stage",
    "TooComplex",
    "representatives",
]

Parts: TypeAlias = "tuple[str, ...]"


class TooComplex(Exception):
    """The number of classes, or of their combinations, exceeds the stated bound."""


class Budget:
    """The remaining work of a proof, in automaton steps and comparisons, each about a microsecond.

    It is counted, not timed, so a policy gets the same verdict on every machine.
    """

    __slots__ = ("left", "whole")

    def __init__(self, whole: int) -> None:
        self.whole: int = whole
        self.left: int = whole

    def spend(self, work: int) -> None:
        """Subtract some work.

        Raises:
            TooComplex: The budget is exhausted.
        """
        if not self.affords(work):
            raise TooComplex(f"it would take more than {self.whole:,} steps")

    def affords(self, work: int) -> bool:
        """Subtract some work, and return whether the budget allowed it."""
        self.left -= work
        return self.left >= 0


class Stage(Struct, frozen=True):
    """A part of the strings of a shape: either a fixed text, or characters of a kind.

    Args:
        text: The fixed text, if the part is one.
        allowed: The allowed characters; `None` for any.
        preferred: The characters to use if no pattern needs another, the most preferred first.
        least: The smallest number of characters.
        most: The largest number; `None` without a bound.
        patterns: Patterns over this part only, in addition to those over the whole string.
    """

    text: RequestText | None = None
    allowed: frozenset[str] | None = None
    preferred: str = "exampl012345"
    least: int = 1
    most: int | None = None
    patterns: tuple[CompiledPattern, ...] = ()


LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
DIGITS = frozenset("0123456789")
NAME = LETTERS | DIGITS | frozenset("+=,.@_-")
"""The characters of the name of an IAM user or role (IAM User Guide, *IAM and AWS STS quotas*)."""
HOST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-")
"""The characters of the name of a service before `.amazonaws.com`, as AWS writes all of them."""
PATH = frozenset(map(chr, range(0x21, 0x80)))
"""The characters of a path, from `!` to DEL (IAM API Reference, *CreateUser*, read 2026-11)."""
ANYTHING: frozenset[str] | None = None

_Live: TypeAlias = "tuple[tuple[int, int], ...]"
_State: TypeAlias = "tuple[int, int, _Live, _Live, frozenset[int]]"


def representatives(
    shape: Sequence[Stage],
    patterns: Sequence[CompiledPattern],
    seeds: Sequence[Parts],
    budget: Budget,
    *,
    longest: int | None = None,
) -> Iterator[Parts]:
    """Yield a string of a shape for each class.

    Args:
        shape: The parts of the strings, in order.
        patterns: The patterns over the whole string.
        seeds: Familiar strings of the shape to prefer.
        budget: The work that it may use; the seeds are free.
        longest: The most characters outside the fixed parts (default: any number).

    Yields:
        Each string as its parts; a fixed part by its `str()`.

    Raises:
        TooComplex: The patterns have more classes than the budget allows.
    """
    search = _Search(shape, patterns, budget)
    seen: set[object] = set()
    for parts in seeds:
        signature = search.signature(parts)
        if signature is not None and signature not in seen:
            seen.add(signature)
            yield parts
    for signature, parts in search.run(longest):
        if signature not in seen:
            seen.add(signature)
            yield parts


class _Search:
    def __init__(self, shape: Sequence[Stage], patterns: Sequence[CompiledPattern], budget: Budget) -> None:
        self._budget = budget
        self._shape = shape
        self._whole = [automaton_of(pattern) for pattern in patterns]
        self._inner: list[list[int]] = []  # For each stage, the indices of its own automata in `_automata`.
        self._automata = list(self._whole)
        for stage in shape:
            own = range(len(self._automata), len(self._automata) + len(stage.patterns))
            self._automata.extend(automaton_of(pattern) for pattern in stage.patterns)
            self._inner.append(list(own))
        self._start = self._begin()

    def signature(self, parts: Parts) -> frozenset[int] | None:
        """Return which patterns accept a string; `None` if it does not have the shape."""
        state = self._start
        for stage, part in list(zip(self._shape, parts, strict=True))[state[0] :]:
            if stage.text is not None and part != str(stage.text):
                return None
            for letter in part if stage.text is None else letters_of(stage.text):
                if stage.allowed and letter not in stage.allowed:
                    return None
                state = self._step(state, letter)
            if len(part) < stage.least or (stage.most and len(part) > stage.most):
                return None
            state = self._leave(state)
        return state[4]

    def run(self, longest: int | None) -> Iterator[tuple[frozenset[int], Parts]]:
        origin: dict[_State, tuple[_State, str] | None] = {self._start: None}
        queue = deque([(self._start, 0)])
        while queue:
            state, length = queue.popleft()
            if state[0] == len(self._shape):
                self._budget.spend(length)
                yield state[4], self._spell(origin, state)
                continue
            free = self._shape[state[0]].text is None
            for letter, following in self._following(state):
                longer = length + len(letter) * free
                if longest is not None and longer > longest:
                    continue
                self._budget.spend(
                    1 + sum(self._automata[index].weight for index, _ in (*state[2], *state[3]))
                )
                if following not in origin:
                    origin[following] = (state, letter)
                    queue.append((following, longer))

    def _begin(self) -> _State:
        """Return the first state: before the string, or after the fixed text at its beginning."""
        live = tuple((index, automaton.start) for index, automaton in enumerate(self._whole))
        text = self._shape[0].text
        if text is None:
            return (0, 0, live, self._enter(0), frozenset())
        letters = letters_of(text)
        moved = ((index, automaton.run(letters)) for index, automaton in enumerate(self._whole))
        return (1, 0, tuple((index, mask) for index, mask in moved if mask), self._enter(1), frozenset())

    def _enter(self, stage: int) -> _Live:
        if stage >= len(self._shape):
            return ()
        return tuple((index, self._automata[index].start) for index in self._inner[stage])

    def _following(self, state: _State) -> Iterator[tuple[str, _State]]:
        number, count, whole, inner, _ = state
        stage = self._shape[number]
        if stage.text is not None:
            for letter in letters_of(stage.text):
                state = self._step(state, letter)
            yield str(stage.text), self._leave(state)
            return
        if count >= stage.least:
            yield "", self._leave(state)
        if stage.most is not None and count >= stage.most:
            return
        for character in self._letters(stage, (*whole, *inner)):
            yield character, self._step(state, character)

    def _letters(self, stage: Stage, live: _Live) -> Iterator[str]:
        """Yield a letter that no pattern treats differently, and then those that some pattern does."""
        telling: set[str] = set()
        for index, mask in live:
            telling |= self._automata[index].telling(mask)
        fillers = stage.preferred if stage.allowed is None else (*stage.preferred, *sorted(stage.allowed))
        other = next((letter for letter in fillers if letter not in telling), None)
        if other is None and stage.allowed is None:
            other = next(letter for letter in map(chr, range(0x21, 0x110000)) if letter not in telling)
        if other is not None:
            yield other
        yield from sorted(letter for letter in telling if stage.allowed is None or letter in stage.allowed)

    def _step(self, state: _State, letter: Letter) -> _State:
        number, count, whole, inner, accepted = state
        stage = self._shape[number]
        bound = stage.most if stage.most is not None else stage.least
        return (number, min(count + 1, bound), self._move(whole, letter), self._move(inner, letter), accepted)

    def _move(self, live: _Live, letter: Letter) -> _Live:
        moved = []
        for index, mask in live:
            automaton = self._automata[index]
            following = mask if automaton.settled(mask) else automaton.step(mask, letter)
            if following:
                moved.append((index, following))
        return tuple(moved)

    def _leave(self, state: _State) -> _State:
        number, _, whole, inner, accepted = state
        accepted |= self._final(inner)
        if number + 1 == len(self._shape):
            # At the end of the string only the accepting patterns matter, so each class ends in one state.
            return (number + 1, 0, (), (), accepted | self._final(whole))
        return (number + 1, 0, whole, self._enter(number + 1), accepted)

    def _final(self, live: _Live) -> frozenset[int]:
        return frozenset(index for index, mask in live if mask & self._automata[index].final)

    def _spell(self, origin: dict[_State, tuple[_State, str] | None], state: _State) -> Parts:
        letters: list[list[str]] = [[] for _ in self._shape]
        step = origin[state]
        while step is not None:
            state, letter = step
            letters[state[0]].append(letter)
            step = origin[state]
        return tuple(
            "".join(reversed(own)) if stage.text is None else str(stage.text)
            for stage, own in zip(self._shape, letters, strict=True)
        )
