"""List values of a condition key: one for each class that the policy's comparisons can tell apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import combinations
from math import floor
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from secure_bucket.policy.condition_key import ConditionKey, Form, Presence, Type
from secure_bucket.policy.condition_keys import EARLIEST, key_of
from secure_bucket.policy.pattern import fold
from secure_bucket.proof.comparison import Comparison, Observed
from secure_bucket.proof.keys import Availability, Certainty
from secure_bucket.proof.language import Budget, representatives
from secure_bucket.proof.pattern import CompiledPattern, coarse
from secure_bucket.proof.scalars import LATEST, AddressRanges, Days, write_instant, write_number
from secure_bucket.proof.shapes import Shape, literals_of
from secure_bucket.values.never import assert_never

__all__ = ["OLDEST_TLS_VERSION", "KeyValue", "values_of"]

SET_LIMIT: Final = 6
"""Classes of a key up to which every set of them is tried for a multivalued key."""

_ADDRESSES: Final = ("203.0.113.7", "2001:db8::7")
OLDEST_TLS_VERSION: Final = "1.0"
_TLS_VERSIONS: Final = tuple(map(Fraction, ("1.0", "1.1", "1.2", "1.3")))


class KeyValue(Struct, frozen=True):
    """A value of a condition key.

    Args:
        observed: The value; `None` if the key is absent.
        doubtful: Whether AWS does not document that it occurs: a proof must hold for it, and a refutation
            must not depend on it.
        opaque: Whether it stands for values without a defined comparison, so all results are unknown.
        void: Whether `Null` treats the value as absent.
    """

    observed: Observed
    doubtful: bool = False
    opaque: bool = False
    void: bool = False


def values_of(
    name: str,
    comparisons: Sequence[Comparison],
    presence: Availability,
    shapes: Sequence[Shape],
    *,
    tls_below: Fraction,
    budget: Budget,
) -> Iterator[KeyValue]:
    """Yield the values to try for a key, the simplest first.

    Args:
        name: The key.
        comparisons: Every comparison that the policy makes with it.
        presence: When it is present.
        shapes: The forms of its texts.
        tls_below: The bound on `s3:TlsVersion`.
        budget: The work that it may use.

    Raises:
        TooComplex: The patterns have too many classes to enumerate.
    """
    if presence.absent is not Certainty.NO:
        yield KeyValue(None, presence.absent is Certainty.DOUBTFUL)
    if presence.present is not Certainty.NO:
        doubtful = presence.present is Certainty.DOUBTFUL
        single: list[KeyValue] = []
        for value in _present(key_of(name), comparisons, shapes, tls_below, budget):
            single.append(value)
            yield replace(value, doubtful=value.doubtful or doubtful)
        for value in _sets(key_of(name), single):
            yield replace(value, doubtful=value.doubtful or doubtful)


def _present(
    key: ConditionKey | None,
    comparisons: Sequence[Comparison],
    shapes: Sequence[Shape],
    tls_below: Fraction,
    budget: Budget,
) -> Iterator[KeyValue]:
    if key is None:
        # A proof must hold for every value of every type, and no refutation depends on such a key.
        yield from _empty("", doubtful=True)
        yield KeyValue("example", doubtful=True, opaque=True)
        return
    match key.type:
        case Type.VERSION if key.presence is Presence.TLS:
            yield from _tls_versions(comparisons, tls_below)
        case Type.VERSION:
            yield from map(KeyValue, key.values)
            yield from (replace(value, doubtful=True) for value in _numbers(comparisons, whole=False))
        case Type.WHOLE:
            yield from _numbers(comparisons, whole=True)
        case Type.BOOLEAN:
            yield from (KeyValue("false"), KeyValue("true"))
        case Type.ADDRESS:
            yield from (KeyValue(address) for address in _addresses(comparisons))
        case Type.TIME:
            yield from _dates(comparisons, EARLIEST)
        case Type.DATE:
            yield from _dates(comparisons)
        case Type.STRING | Type.ARN:
            yield from _texts(key, comparisons, shapes, budget)
        case _:
            assert_never(key.type)


def _sets(key: ConditionKey | None, single: Sequence[KeyValue]) -> Iterator[KeyValue]:
    """Yield lists of values for a key that may have several values at once."""
    if key is None or not key.multivalued:
        return
    # IAM User Guide, *Set operators for multivalued context keys*: ForAllValues also matches an empty set.
    yield from _empty((), doubtful=True)
    members = [value.observed for value in single if not value.opaque and not value.doubtful]
    texts = [member for member in members if member is not None and not isinstance(member, tuple)]
    if len(texts) > SET_LIMIT:
        yield KeyValue("example", doubtful=True, opaque=True)
        texts = texts[:SET_LIMIT]
    for size in range(1, len(texts) + 1):
        for subset in combinations(texts, size):
            if size > 1:
                yield KeyValue(subset)
            yield KeyValue(("", *subset), doubtful=True)


def _options(comparisons: Iterable[Comparison], *families: str) -> Iterator[object]:
    for comparison in comparisons:
        if comparison.family in families:
            yield from comparison.options


def _texts(
    key: ConditionKey, comparisons: Sequence[Comparison], shapes: Sequence[Shape], budget: Budget
) -> Iterator[KeyValue]:
    patterns = [pattern for comparison in comparisons for pattern in comparison.patterns]
    classes = [coarse(pattern) for pattern in patterns]
    yield from map(KeyValue, key.values)
    for shape in shapes:
        for parts in representatives(shape.stages, classes, shape.seeds, budget, longest=shape.longest):
            yield KeyValue("".join(parts), shape.doubtful)
    documented = [shape for shape in shapes if not shape.doubtful]
    for text in (*literals_of(patterns), *_in_other_letters(patterns)):
        fits = not isinstance(text, str) or any(shape.fits(text) for shape in documented)
        yield KeyValue(text, doubtful=not fits)
    if key.form not in (Form.ANY, Form.TAG) or key.values:
        return
    # AWS documents only for tags that a key can be present and empty.
    asked = any(comparison.family == "null" for comparison in comparisons)
    yield from _empty("", doubtful=asked or key.form is not Form.TAG)


def _in_other_letters(patterns: Iterable[CompiledPattern]) -> Iterator[str]:
    """Yield texts that a case-insensitive comparison accepts only if it also folds letters outside ASCII."""
    for pattern in patterns:
        if pattern.fold and not pattern.holes and not pattern.variables:
            text = "".join(map(str, pattern.elements))
            others = (text.upper(), text.casefold(), *(text.replace(*pair, 1) for pair in _BEYOND_ASCII))
            yield from (other for other in others if fold(other) != text)


_BEYOND_ASCII: Final = (("k", "\u212a"), ("s", "\u017f"))
"""Letters of ASCII with the letters outside of it that fold to them: the Kelvin sign and the long s."""


def _empty(observed: Observed, *, doubtful: bool) -> Iterator[KeyValue]:
    """Yield an empty value as both present and absent for `Null`: AWS does not document which."""
    yield KeyValue(observed, doubtful)
    yield KeyValue(observed, doubtful=True, void=True)


def _numbers(comparisons: Sequence[Comparison], *, whole: bool) -> Iterator[KeyValue]:
    constants = {option for option in _options(comparisons, "numeric") if isinstance(option, Fraction)}
    if whole:
        # INVARIANT: zero is its own bound, so constants below it leave a value that can occur.
        constants.add(Fraction(0))
    for number in _around(sorted(constants)):
        if not whole or number >= 0:
            yield KeyValue(write_number(number), doubtful=whole and number.denominator != 1)


def _tls_versions(comparisons: Sequence[Comparison], below: Fraction) -> Iterator[KeyValue]:
    constants = {option for option in _options(comparisons, "numeric") if isinstance(option, Fraction)}
    real = [version for version in _TLS_VERSIONS if version < below]
    yield from (KeyValue(f"{float(version):.1f}") for version in real)
    # No document names the numbers of versions that do not exist, such as zero and less.
    for number in _around(sorted({*constants, *real, below})):
        if number < below and number not in real:
            yield KeyValue(write_number(number), doubtful=True)


def _dates(comparisons: Sequence[Comparison], earliest: int | None = None) -> Iterator[KeyValue]:
    constants = {
        option for option in _options(comparisons, "date", "numeric") if isinstance(option, Fraction)
    }
    days = [option for option in _options(comparisons, "date") if isinstance(option, Days)]
    constants.update(bound for each in days for bound in (each.first, each.last))
    # INVARIANT: the bounds are constants, so each interval that a policy cuts has a date between them.
    bounds = {Fraction(earliest or 0), Fraction(LATEST)}
    for number in _around(sorted({*constants, *bounds}), step=Fraction(86_400)):
        instant = write_instant(number)
        if instant is not None and (earliest is None or number >= earliest) and number <= LATEST:
            # No date of a key is before epoch time.
            yield KeyValue(instant, doubtful=number < 0)


def _around(constants: Sequence[Fraction], step: Fraction = Fraction(1)) -> Iterator[Fraction]:
    """Yield one number of each interval that the constants cut, and each constant."""
    if not constants:
        yield Fraction(1)
        return
    yield constants[-1] + step
    for constant, following in zip(constants, [*constants[1:], None], strict=True):
        yield constant
        if following is not None:
            middle = (constant + following) / 2
            simple = (constant + step, Fraction(floor(middle)), Fraction(floor(constant) + 1))
            between = next((number for number in simple if constant < number < following), middle)
            if constant < between < following:
                yield between
    yield constants[0] - step


def _addresses(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """Yield one address of each interval that the ranges cut out of the two address spaces."""
    from ipaddress import ip_address  # Loads in 1 ms; few policies name an address.

    options = [option for option in _options(comparisons, "address") if isinstance(option, AddressRanges)]
    for example in map(ip_address, _ADDRESSES):
        bounds = {0}
        for option in options:
            for first, last in dict(option.ranges)[example.version]:
                bounds |= {first, last + 1}
        starts = sorted(bound for bound in bounds if bound < 1 << example.max_prefixlen)
        home = max(start for start in starts if start <= int(example))
        yield str(example)
        yield from (str(type(example)(start)) for start in starts if start != home)
