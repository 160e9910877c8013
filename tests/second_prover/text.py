"""Turn literals, wildcards and policy variables into terms of z3."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import z3

from tests.second_prover.logic import Match, between, conj, disj, exactly, unknown

STRING = z3.StringSort()
ANY_CHAR = z3.AllChar(z3.ReSort(STRING))
ANYTHING = z3.Full(z3.ReSort(STRING))
NOT_COLON = z3.Union(z3.Range(z3.StringVal("\\u{0}"), "9"), z3.Range(";", z3.StringVal("\\u{2ffff}")))
NO_COLON = z3.Star(NOT_COLON)


class Unsupported(Exception):
    """The policy is outside of what the second prover encodes; such policies are counted."""


def literal(text: str) -> Any:
    """Return a string of z3, which reads `\\u{…}` as a character."""
    if any(ord(char) > 0x2FFFF or 0xD800 <= ord(char) < 0xE000 for char in text):
        raise Unsupported("a character that z3 does not have")
    return z3.StringVal("".join(c if " " <= c <= "~" and c != "\\" else f"\\u{{{ord(c):x}}}" for c in text))


def plain(term: Any) -> str:
    """Return the text of a string value of z3."""
    return re.sub(r"\\u\{([0-9a-f]+)\}", lambda found: chr(int(found[1], 16)), term.as_string())


def concat(parts: Sequence[Any]) -> Any:
    return z3.Concat(*parts) if len(parts) > 1 else parts[0] if parts else literal("")


def regex(parts: Sequence[Any]) -> Any:
    return z3.Concat(*parts) if len(parts) > 1 else parts[0] if parts else z3.Re(literal(""))


def chars(allowed: str) -> Any:
    """Return the class of the characters; `a-z` is a range."""
    found = re.findall(r"(.)-(.)|(.)", allowed, re.DOTALL)
    return z3.Union(
        *(z3.Range(literal(a), literal(b)) if a else z3.Re(literal(c)) for a, b, c in found),
        z3.Re(literal(found[0][0] or found[0][2])),
    )


class Variable(NamedTuple):
    """A policy variable: its value, whether it has one, and what it may be where that is not documented."""

    value: Any
    resolved: Any
    documented: bool = True


STAR, ONE = "star", "one"


class Written(NamedTuple):
    """A text of a policy, read: characters, wildcards (`(STAR,)`, `(ONE,)`) and variables."""

    pieces: tuple[Any, ...]
    odd: bool = False
    text: str = ""

    @property
    def variables(self) -> list[Variable]:
        return [piece for piece in self.pieces if isinstance(piece, Variable)]


# The name of a key; what else stands in `${…}` is in no form that AWS documents.
_NAME = re.compile(r"[A-Za-z0-9_.:/=+@-]+")
_DEFAULT = re.compile(r"([A-Za-z0-9_.:/=+@-]+), '([^']*)'")


def read(text: str, lookup: Callable[[str, str | None], Variable] | None, *, wild: bool) -> Written:
    """Read a text of a policy.

    Args:
        text: The text.
        lookup: The variable of a name and a default; `None` under `Version` 2008-10-17, where `${…}` is text.
        wild: Whether `*` and `?` are wildcards.
    """
    pieces: list[Any] = []
    odd = False
    for found in re.finditer(r"\$\{([^}]*)\}|(.)", text, re.DOTALL) if lookup else ():
        inside, char = found.groups()
        if char is not None:
            pieces.append((STAR,) if wild and char == "*" else (ONE,) if wild and char == "?" else char)
        elif inside in ("*", "?", "$"):
            pieces.append(inside)
        elif _NAME.fullmatch(inside):
            pieces.append(lookup(inside, None))
        elif (named := _DEFAULT.fullmatch(inside)) is not None:
            pieces.append(lookup(named[1], named[2]))
        else:
            odd = True
    if not lookup:
        pieces = [(STAR,) if wild and c == "*" else (ONE,) if wild and c == "?" else c for c in text]
    return Written(tuple(pieces), odd, text)


@functools.cache
def _alike(char: str) -> tuple[str, ...]:
    """Return the other characters that some case folding identifies with a character."""
    return tuple(other for other in _folds().get(char.casefold(), ()) if other != char)


@functools.cache
def _folds() -> dict[str, list[str]]:
    folds: dict[str, list[str]] = {}
    for code in range(0x10000):
        if not 0xD800 <= code < 0xE000:
            for form in {chr(code).casefold(), chr(code).lower(), chr(code).upper()}:
                folds.setdefault(form, []).append(chr(code))
    return folds


def _char(char: str, fold: str | None) -> Any:
    options = {char}
    if fold is not None and char.isascii():
        options |= {char.lower(), char.upper()}
    if fold == "may":
        options |= {*_alike(char), *_alike(char.lower()), *_alike(char.upper())}
        options = {one for one in options if len(one) == 1}
    terms = [z3.Re(literal(one)) for one in sorted(options)]
    return z3.Union(*terms) if len(terms) > 1 else terms[0]


def as_regex(pieces: Sequence[Any], *, star: Any = None, fold: str | None = None) -> Any:
    """Return the regular expression of pieces without variables."""
    star = ANYTHING if star is None else star
    one = ANY_CHAR if star is ANYTHING else NOT_COLON
    terms, run = [], ""
    for piece in pieces:
        if isinstance(piece, str) and fold is None:
            run += piece
            continue
        if run:
            terms.append(z3.Re(literal(run)))
            run = ""
        terms.append(_char(piece, fold) if isinstance(piece, str) else star if piece == (STAR,) else one)
    if run:
        terms.append(z3.Re(literal(run)))
    return regex(terms)


def matches(asked: Any, written: Written, *, fold: bool = False) -> Match:
    """Return whether a string is what is written; a variable without a value is none (see `resolved`)."""
    if written.odd:
        return unknown(f"{written.text} {asked}")
    pieces = written.pieces
    if not written.variables:
        if not fold:
            if all(isinstance(piece, str) for piece in pieces):
                return exactly(asked == literal("".join(pieces)))
            if pieces == ((STAR,),):
                return exactly(True)
            return exactly(z3.InRe(asked, as_regex(pieces)))
        sure, may = as_regex(pieces, fold="sure"), as_regex(pieces, fold="may")
        return between(z3.InRe(asked, sure), z3.InRe(asked, may), f"{written.text.casefold()} {asked}")
    with_wildcard = disj(
        disj(z3.Contains(one.value, literal(wild)) for wild in "*?") for one in written.variables
    )
    resolved = conj(one.resolved for one in written.variables)
    if fold or not all(one.documented for one in written.variables):
        if fold and len(pieces) == 1 and pieces[0].documented:
            return between(conj([resolved, asked == pieces[0].value]), resolved, f"{written.text} {asked}")
        return between(False, resolved, f"{written.text} {asked}")
    same = conj([resolved, _walk(asked, pieces)])
    # Whether a wildcard in the value of a variable counts as one is not documented.
    return between(same, disj([same, conj([resolved, with_wildcard])]), f"{written.text} {asked}")


def _length(piece: Any) -> Any:
    if isinstance(piece, Variable):
        return z3.Length(piece.value)
    return len(piece) if isinstance(piece, str) else 1


def _fixed(asked: Any, at: Any, pieces: Sequence[Any]) -> tuple[list[Any], Any]:
    """Return the conditions for pieces of known length at a position, and the position behind them."""
    conditions, run = [], ""
    start = at
    for piece in (*pieces, None):
        if isinstance(piece, str):
            run += piece
            continue
        if run:
            conditions.append(z3.SubString(asked, start, len(run)) == literal(run))
            start = start + len(run)
            run = ""
        if isinstance(piece, Variable):
            conditions.append(z3.SubString(asked, start, z3.Length(piece.value)) == piece.value)
        if piece is not None:
            start = start + _length(piece)
    return conditions, start


def _walk(asked: Any, pieces: Sequence[Any]) -> Any:
    if all(isinstance(piece, (str, Variable)) for piece in pieces):
        return asked == concat([literal(p) if isinstance(p, str) else p.value for p in pieces])
    stars = [place for place, piece in enumerate(pieces) if piece == (STAR,)]
    if not stars:
        conditions, end = _fixed(asked, z3.IntVal(0), pieces)
        return conj([*conditions, end == z3.Length(asked)])
    head, tail = pieces[: stars[0]], pieces[stars[-1] + 1 :]
    middle = [piece for piece in pieces[stars[0] : stars[-1] + 1] if piece != (STAR,)]
    front, end_of_head = _fixed(asked, z3.IntVal(0), head)
    size = sum((_length(piece) for piece in tail), z3.IntVal(0))
    start_of_tail = z3.Length(asked) - size
    back, _ = _fixed(asked, start_of_tail, tail)
    parts = [*front, *back, end_of_head <= start_of_tail]
    if middle:
        between = z3.SubString(asked, end_of_head, start_of_tail - end_of_head)
        inner = pieces[stars[0] : stars[-1] + 1]
        if not any(isinstance(piece, Variable) for piece in inner):
            parts.append(z3.InRe(between, as_regex(inner)))
        elif len(stars) == 2 and all(isinstance(piece, (str, Variable)) for piece in middle):
            joined = concat([literal(p) if isinstance(p, str) else p.value for p in middle])
            parts.append(z3.Contains(between, joined))
        else:
            raise Unsupported("a variable between several wildcards")
    return conj(parts)


def arn_matches(asked: Any, written: Written) -> Match:
    """Return whether an ARN matches, part by part (*Amazon Resource Name (ARN) condition operators*)."""
    if written.odd:
        return unknown(f"{written.text} {asked}")
    parts: list[list[Any]] = [[]]
    for piece in written.pieces:
        if piece == ":" and len(parts) < 6:
            parts.append([])
        else:
            parts[-1].append(piece)
    if len(parts) < 6:
        # A pattern that is no ARN: S3 may compare it as a whole, or never match it.
        return between(False, matches(asked, written).may, f"{written.text} {asked}")
    if not written.variables:
        terms = []
        for part in parts[:5]:
            terms += [as_regex(part, star=NO_COLON), z3.Re(literal(":"))]
        return exactly(z3.InRe(asked, regex([*terms, as_regex(parts[5])])))
    if any(isinstance(piece, Variable) for part in parts[:5] for piece in part):
        if all(isinstance(piece, (str, Variable)) for piece in written.pieces):
            return matches(asked, written)
        raise Unsupported("a variable and wildcards in an ARN")
    head: list[Any] = [piece for part in parts[:5] for piece in (*part, ":")]
    if all(isinstance(piece, str) for piece in head):
        return matches(asked, written)
    raise Unsupported("a variable and wildcards in an ARN")


def behind(pieces: Sequence[Any], prefix: str) -> list[tuple[Any, ...]]:
    """Return what is left of a pattern without variables behind a prefix, as alternatives."""

    def closed(places: set[int]) -> set[int]:
        found = set(places)
        for place in sorted(places):
            while place < len(pieces) and pieces[place] == (STAR,):
                place += 1
                found.add(place)
        return found

    places = closed({0})
    for char in prefix:
        after = set()
        for place in places:
            if place < len(pieces):
                if pieces[place] == (STAR,):
                    after.add(place)
                elif pieces[place] in ((ONE,), char):
                    after.add(place + 1)
        places = closed(after)
    return [tuple(pieces[place:]) for place in sorted(places)]
