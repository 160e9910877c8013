"""Run a pattern as an automaton, one letter at a time."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from secure_bucket.policy.pattern import fold as fold_case
from secure_bucket.proof.pattern import CompiledPattern, Wild
from secure_bucket.proof.request_text import Letter
from secure_bucket.values.unknown import Hole

__all__ = ["Automaton", "automaton_of"]


WORD: Final = 512
"""Positions that a step moves at the price of one, as measured by `benchmarks/prove.py`."""


class Automaton:
    """The positions of a pattern as the bits of an integer, advanced one letter at a time.

    A hole and a variable match no character here: `matches` and the caller handle their possible texts.
    """

    __slots__ = (
        "_after_prefix",
        "_any",
        "_elements",
        "_fold",
        "_inner_any",
        "_own",
        "_prefix",
        "_table",
        "final",
        "segments",
        "start",
        "weight",
    )

    def __init__(self, pattern: CompiledPattern) -> None:
        self._elements = pattern.elements
        self._fold = pattern.fold
        self._any = self._inner_any = 0
        one = inner_one = 0
        table: dict[Letter, int] = {}
        for index, element in enumerate(pattern.elements):
            bit = 1 << index
            if element is Wild.ANY:
                self._any |= bit
            elif element is Wild.ANY_IN_PART:
                self._inner_any |= bit
            elif element is Wild.ONE:
                one |= bit
            elif element is Wild.ONE_IN_PART:
                inner_one |= bit
            elif isinstance(element, (str, Hole)):
                table[element] = table.get(element, 0) | bit
        # A `?` is one character, and a hole is a text of any length.
        self._table = {
            letter: mask | (0 if isinstance(letter, Hole) else one | (inner_one if letter != ":" else 0))
            for letter, mask in table.items()
        }
        self._table.setdefault(":", one)
        self._table.setdefault("", one | inner_one)
        self._own: dict[str, int] = {}
        for index in range(len(pattern.elements)):
            for letter in self._letters_at(index):
                self._own[letter] = self._own.get(letter, 0) | 1 << index
        # The work of one step, in steps of a short pattern.
        self.weight: int = 2 + len(pattern.elements) // WORD
        self.segments: tuple[str, ...] | None = _segments(pattern)
        self.final: int = 1 << len(pattern.elements)
        self.start: int = self._close(1)
        # Most patterns begin with a long text, which takes no steps.
        wild = (at for at, element in enumerate(self._elements) if not isinstance(element, (str, Hole)))
        length = 0 if self._fold else next(wild, len(self._elements))
        self._prefix = self._elements[:length]
        self._after_prefix = self._close(1 << length)

    def _close(self, mask: int) -> int:
        stars = self._any | self._inner_any
        while True:
            wider = mask | ((mask & stars) << 1)
            if wider == mask:
                break
            mask = wider
        # The last `*` reached accepts every text that an earlier position accepts.
        last = (mask & self._any).bit_length()
        return mask >> (last - 1) << (last - 1) if last else mask

    def step(self, mask: int, letter: Letter) -> int:
        """Return the positions after one more letter; 0 if nothing can match any more."""
        if isinstance(letter, Hole):
            moved = mask & self._table.get(letter, 0)
            return self._close(moved << 1 | mask & (self._any | self._inner_any))
        key = fold_case(letter) if self._fold else letter
        moved = mask & self._table.get(key, self._table[""])
        stay = self._any if letter == ":" else self._any | self._inner_any
        return self._close(moved << 1 | mask & stay)

    def run(self, letters: tuple[Letter, ...]) -> int:
        """Return the positions after all the letters."""
        length = len(self._prefix)
        if letters[:length] != self._prefix:
            return self.run_from(self.start, letters) if len(letters) < length else 0
        return self.run_from(self._after_prefix, letters[length:])

    def run_from(self, mask: int, letters: tuple[Letter, ...]) -> int:
        """Return the positions after all the letters, from the given ones."""
        for letter in letters:
            if not mask or self.settled(mask):
                break
            mask = self.step(mask, letter)
        return mask

    def settled(self, mask: int) -> bool:
        """Return whether every text from here on is accepted."""
        return bool(mask & self._any and (mask & self._any).bit_length() == len(self._elements))

    def telling(self, mask: int) -> set[str]:
        """Return the characters that these positions treat differently from all others."""
        if mask.bit_count() > len(self._own):
            return {letter for letter, own in self._own.items() if mask & own}
        found: set[str] = set()
        while mask:
            index = mask.bit_length() - 1
            mask ^= 1 << index
            found.update(self._letters_at(index))
        return found

    def _letters_at(self, index: int) -> tuple[str, ...]:
        """Return the characters that a position treats differently from all others."""
        element = self._elements[index] if index < len(self._elements) else ""
        if element in (Wild.ANY_IN_PART, Wild.ONE_IN_PART):
            return (":",)
        if not isinstance(element, str) or not element:
            return ()
        upper = element.upper() if self._fold else element
        return (element, upper) if len(upper) == 1 else (element,)


def _segments(pattern: CompiledPattern) -> tuple[str, ...] | None:
    """Return the texts between the `*` of a pattern; `None` if it has other elements."""
    segments = [""]
    for element in pattern.elements:
        if element is Wild.ANY:
            segments.append("")
        elif isinstance(element, str):
            segments[-1] += element
        else:
            return None
    return tuple(segments)


@lru_cache(maxsize=4096)
def automaton_of(pattern: CompiledPattern) -> Automaton:
    """Return the automaton of a pattern, cached because each scenario uses the same patterns."""
    return Automaton(pattern)
