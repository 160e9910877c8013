"""Parse the values of a policy that are not text: numbers, dates, IP addresses."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from decimal import Context, Decimal
from fractions import Fraction
from functools import lru_cache
from math import floor
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

__all__ = [
    "LATEST",
    "AddressRanges",
    "Days",
    "parse_address",
    "parse_days",
    "parse_instant",
    "parse_network",
    "parse_number",
    "write_instant",
    "write_number",
]

LATEST: Final = 253_402_300_799
"""The last second that a date of four digits for the year can name, as epoch time."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")
_PREFIXED: Final = re.compile(r"[0-9A-Fa-f:.]+(/(0|[1-9][0-9]{0,2}))?")
_INSTANT: Final = (
    # The formats of W3C's profile of ISO 8601, which the IAM User Guide names for the date operators. Few
    # policies name a date: `re` compiles it when one does.
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?"
    r"(Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9]))?)?)?"
)


class AddressRanges(Struct, frozen=True):
    """IP addresses, as the first and the last of each range, in order, by their version."""

    ranges: tuple[tuple[int, tuple[tuple[int, int], ...]], ...]

    @classmethod
    def union(cls, several: Sequence[AddressRanges]) -> AddressRanges:
        """Return the union of ranges."""
        found = []
        for version in (4, 6):
            merged: list[tuple[int, int]] = []
            bounds = sorted(bound for each in several for bound in dict(each.ranges)[version])
            for first, last in bounds:
                if merged and first <= merged[-1][1] + 1:
                    merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
                else:
                    merged.append((first, last))
            found.append((version, tuple(merged)))
        return cls(tuple(found))

    def contain(self, address: IPv4Address | IPv6Address) -> bool:
        """Return whether an address is in one of the ranges."""
        ranges = dict(self.ranges)[address.version]
        position = bisect_right(ranges, int(address), key=lambda one: one[0])
        return position > 0 and int(address) <= ranges[position - 1][1]


class Days(Struct, frozen=True):
    """A date without a time, as the first and the last second that can be its beginning or its end.

    AWS does not document in which zone it begins, nor whether it is the whole day.
    """

    first: Fraction
    last: Fraction


@lru_cache(maxsize=1024)
def parse_number(text: str) -> Fraction | None:
    """Return the exact number in a text; `None` for other texts."""
    return Fraction(text) if _NUMBER.fullmatch(text) else None


@lru_cache(maxsize=1024)
def parse_instant(text: str) -> Fraction | None:
    """Return the seconds since 1970 of a date, in ISO 8601 or as epoch time; `None` for other texts."""
    match = re.fullmatch(_INSTANT, text)
    if match is not None and match[8]:
        return _begin_of(match)
    # Four digits alone are a year in ISO 8601 and a second of 1970 as epoch time: AWS does not document
    # which, nor epoch time with a sign or a fraction, or beyond all dates.
    number = parse_number(text) if len(text) != 4 and text.isdecimal() else None
    return None if number is None or number > LATEST else number


def parse_days(text: str) -> Days | None:
    """Return the time of a day or a month without a time of the day; `None` for other texts."""
    match = re.fullmatch(_INSTANT, text)
    begin = None if match is None or match[8] or not match[2] else _begin_of(match)
    if match is None or begin is None:
        return None
    # Zones are from 12 hours behind UTC to 14 hours ahead.
    return Days(begin - 14 * 3600, begin + (1 if match[3] else 31) * 86_400 + 12 * 3600)


def _begin_of(match: re.Match[str]) -> Fraction | None:
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = datetime(
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            tzinfo=timezone.utc,
        )
    except ValueError:
        return None
    offset = 0
    if zone and zone != "Z":
        offset = (int(zone[1:3]) * 60 + int(zone[-2:])) * (60 if zone[0] == "+" else -60)
    return (moment - _EPOCH) // timedelta(seconds=1) - offset + Fraction(f"0.{fraction or 0}")


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the IP address in a text; `None` for other texts."""
    from ipaddress import ip_address  # Loads in 1 ms; few policies name an address.

    try:
        return ip_address(text)
    except ValueError:
        return None


def parse_network(text: str) -> AddressRanges | None:
    """Return the range in a text: an address, perhaps with the length of a prefix, as AWS documents."""
    from ipaddress import ip_network  # Loads in 1 ms, as above.

    if not _PREFIXED.fullmatch(text):
        return None  # Python also accepts a netmask, and an address with a scope.
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return None
    bounds = ((int(network.network_address), int(network.broadcast_address)),)
    return AddressRanges(tuple((version, bounds if version == network.version else ()) for version in (4, 6)))


def write_number(number: Fraction) -> str:
    """Return a number as a policy writes it, with all its digits."""
    if number.denominator == 1:
        return str(number.numerator)
    return f"{Context(prec=80).divide(Decimal(number.numerator), Decimal(number.denominator)):f}"


def write_instant(seconds: Fraction) -> str | None:
    """Return the date of an epoch time in ISO 8601; `None` if it is out of range."""
    whole = floor(seconds)
    try:
        moment = _EPOCH + timedelta(seconds=whole)
    except OverflowError:
        return None
    fraction = write_number(seconds - whole).removeprefix("0")
    return f"{moment.replace(tzinfo=None).isoformat()}{fraction}Z"
