"""Patterns of the policy language as sequences of elements, with what is not known left in place.

A pattern is compared with a *subject*: the value of a request, which is a string, or a `Text` when the
value is only known by its name (the generated name of the bucket, the value of a parameter).
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from secure_bucket.policy.unknown import Hole, Text

__all__ = [
    "Automaton",
    "Element",
    "Letter",
    "Pattern",
    "Subject",
    "Variable",
    "Wild",
    "automaton_of",
    "compile_pattern",
    "concat",
    "letters_of",
    "matches",
    "subject_of",
]

Subject: TypeAlias = "str | Text"
Letter: TypeAlias = "str | Hole"


class Wild(enum.Enum):
    """The wildcards; those of an ARN operator do not cross a colon."""

    ANY = "*"
    ONE = "?"
    ANY_IN_PART = "*:"
    ONE_IN_PART = "?:"


@dataclass(frozen=True, slots=True)
class Variable:
    """A policy variable, replaced by a value of the request (IAM User Guide, *Policy variables*).

    Args:
        name: What is written between the braces: a condition key, and perhaps a default value.
    """

    name: str

    @property
    def key(self) -> str:
        """The condition key whose value it takes, in lower case."""
        return self.name.partition(",")[0].strip().lower()

    @property
    def has_default(self) -> bool:
        """Whether it has a value even when the key is absent."""
        return "," in self.name


Element: TypeAlias = "str | Wild | Hole | Variable"

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_ESCAPES = ("*", "?", "$")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern.

    Args:
        elements: Characters, wildcards, holes and variables.
        fold: Whether case is ignored.
    """

    elements: tuple[Element, ...]
    fold: bool = False

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
        return not self.fold and not any(isinstance(element, (Wild, Variable)) for element in self.elements)


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
            elements.append(name if name in _ESCAPES else Variable(name))
            position = match.end()
        elements.extend(_plain(part[position:], wild))
    if arn:
        elements = list(_within_parts(elements))
    if fold:
        elements = [element.lower() if isinstance(element, str) else element for element in elements]
    return Pattern(tuple(elements), fold)


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


def letters_of(subject: Subject) -> tuple[Letter, ...]:
    """Return a subject as characters and holes."""
    if isinstance(subject, str):
        return tuple(subject)
    return tuple(letter for part in subject.parts for letter in ((part,) if isinstance(part, Hole) else part))


def subject_of(letters: Iterable[Letter]) -> Subject:
    """Return characters and holes put together: a plain string when there is no hole."""
    parts: list[str | Hole] = []
    for letter in letters:
        if parts and isinstance(letter, str) and isinstance(parts[-1], str):
            parts[-1] += letter
        else:
            parts.append(letter)
    if not parts:
        return ""
    return parts[0] if len(parts) == 1 and isinstance(parts[0], str) else Text(tuple(parts))


def concat(*subjects: Subject) -> Subject:
    """Return texts put together."""
    return subject_of(letter for subject in subjects for letter in letters_of(subject))


class Automaton:
    """The positions of a pattern as the bits of an integer, moved one letter at a time.

    A hole and a variable match no character here: what they may stand for is the business of `matches`
    and of the caller.
    """

    __slots__ = (
        "_after_prefix",
        "_any",
        "_elements",
        "_fold",
        "_inner_any",
        "_prefix",
        "_table",
        "final",
        "start",
    )

    def __init__(self, pattern: Pattern) -> None:
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
        self.final = 1 << len(pattern.elements)
        self.start = self._close(1)
        # Most patterns begin with a long text, which needs no steps.
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
        # Whatever an earlier position accepts is accepted from the last `*` reached as well.
        last = (mask & self._any).bit_length()
        return mask >> (last - 1) << (last - 1) if last else mask

    def step(self, mask: int, letter: Letter) -> int:
        """Return the positions after one more letter; 0 when nothing can match any more."""
        if isinstance(letter, Hole):
            moved = mask & self._table.get(letter, 0)
            return self._close(moved << 1 | mask & (self._any | self._inner_any))
        key = letter.lower() if self._fold else letter
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
        """Return the characters that these positions treat in a way of their own."""
        found: set[str] = set()
        while mask:
            index = (mask & -mask).bit_length() - 1
            mask &= mask - 1
            if index >= len(self._elements):
                continue
            element = self._elements[index]
            if isinstance(element, str):
                found.add(element)
                if self._fold:
                    found.add(element.upper() if len(element.upper()) == 1 else element)
            elif element in (Wild.ANY_IN_PART, Wild.ONE_IN_PART):
                found.add(":")
        return found


@lru_cache(maxsize=4096)
def automaton_of(pattern: Pattern) -> Automaton:
    """Return the automaton of a pattern; the same pattern comes back in every scenario."""
    return Automaton(pattern)


def matches(pattern: Pattern, subject: Subject, *, given: bool = False) -> bool | None:
    """Return whether a pattern matches a subject; `None` when that depends on what is not known.

    Args:
        pattern: The pattern of the policy.
        subject: The value of the request.
        given: Whether the subject is one given value, such as the ARN of the bucket. Otherwise it
            stands for a class of values, of which those that equal a text with holes have a
            representative that carries the same holes; so such a text does not match one without.
    """
    letters = letters_of(subject)
    automaton = automaton_of(pattern)
    if automaton.run(letters) & automaton.final:
        return True
    known = not pattern.holes or (pattern.is_literal and not given)
    if isinstance(subject, str) and not pattern.variables and known:
        return False
    return None if _overlaps(pattern, letters) else False


def _overlaps(pattern: Pattern, letters: tuple[Letter, ...]) -> bool:
    """Return whether some value of the holes and variables makes the pattern match."""
    elements = pattern.elements
    # What both begin with is equal whatever its holes hold, so that the rest decides; so at the end.
    same = next((at for at, (a, b) in enumerate(zip(elements, letters, strict=False)) if a != b), None)
    same = min(len(elements), len(letters)) if same is None else same
    elements, letters = elements[same:], letters[same:]
    while elements and letters and elements[-1] == letters[-1]:
        elements, letters = elements[:-1], letters[:-1]
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
    """Yield the states after one move of the pattern, of the subject, or of both.

    `wild` says that the generated name at `letters[j]` has met a wildcard. A name that CloudFormation
    makes up is never a text that somebody wrote in full, so without one it cannot be left.
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
        element is Wild.ONE or element is Wild.ONE_IN_PART or (fold and letter.lower() == element)
    ):
        yield i + 1, j + 1, False


def _stretches(element: Element | None) -> bool:
    """Return whether an element may stand for a text of any length."""
    if isinstance(element, Hole):
        return not element.generated
    return isinstance(element, Variable) or element is Wild.ANY or element is Wild.ANY_IN_PART


def _is_generated(element: Element) -> bool:
    return isinstance(element, Hole) and element.generated
