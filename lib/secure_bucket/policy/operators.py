"""The condition operators, each on one value of the request and one value of the policy.

Follows the IAM User Guide, *IAM JSON policy elements: Condition operators*. A negated operator is the
positive one, and the caller's business is what negation means for several values.
"""

from __future__ import annotations

import datetime
import decimal
import re
from collections.abc import Callable, Mapping
from typing import Final

from secure_bucket.policy.pattern import Pattern, Wildcard, as_text, fold, matches

__all__ = ["COMPARISONS", "NEGATED"]


def _string_equals(asked: str, written: Pattern) -> bool:
    """Exact matching, case-sensitive."""
    return asked == as_text(written)


def _string_equals_ignore_case(asked: str, written: Pattern) -> bool:
    """Exact matching, ignoring case."""
    return fold(asked) == fold(as_text(written))


def _string_like(asked: str, written: Pattern) -> bool:
    """Case-sensitive matching, with `*` and `?` anywhere in the string."""
    return matches(written, asked)


def _bool(asked: str, written: Pattern) -> bool:
    """Both are the same Boolean; nothing but `true` and `false` is one."""
    return asked == as_text(written) and asked in ("true", "false")


def _binary_equals(asked: str, written: Pattern) -> bool:
    """The bytes behind two base64 strings are the same."""
    from base64 import b64decode  # Takes 0.8 ms, and few policies compare bytes.

    try:
        return b64decode(asked, validate=True) == b64decode(as_text(written), validate=True)
    except ValueError:
        return False


_NUMBER: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,4})?")
_TIME: Final = r"T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(\.[0-9]+)?)?(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
_DATE: Final = re.compile(f"([0-9]{{4}})-([0-9]{{2}})(?:-([0-9]{{2}})(?:{_TIME})?)?")


def _number(text: str) -> decimal.Decimal | None:
    """Return an integer or a decimal value."""
    return decimal.Decimal(text) if _NUMBER.fullmatch(text) else None


def _instant(text: str) -> decimal.Decimal | None:
    """Return a date as seconds since 1970.

    "You must specify date/time values with one of the W3C implementations of the ISO 8601 date formats or
    in epoch (UNIX) time." A number alone is read as the latter.
    """
    seconds = _number(text)
    found = _DATE.fullmatch(text)
    if seconds is not None or found is None:
        return seconds
    year, month, day, hour, minute, second, fraction, sign, zone_hours, zone_minutes = found.groups()
    zone = 60 * int(zone_hours or 0) + int(zone_minutes or 0)
    try:
        date = datetime.datetime(
            int(year), int(month), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0)
        )
    except ValueError:
        return None
    passed = date - datetime.datetime(1970, 1, 1) - datetime.timedelta(minutes=-zone if sign == "-" else zone)
    exact = decimal.Context(prec=len(text) + 20)
    return exact.add(decimal.Decimal(86400 * passed.days + passed.seconds), decimal.Decimal(fraction or 0))


def _comparing(
    read: Callable[[str], decimal.Decimal | None],
    holds: Callable[[decimal.Decimal, decimal.Decimal], bool],
) -> Callable[[str, Pattern], bool]:
    """Return the comparison of two quantities; what is not one is not equal, less or greater either."""

    def compare(asked: str, written: Pattern) -> bool:
        left, right = read(asked), read(as_text(written))
        return left is not None and right is not None and holds(left, right)

    return compare


_PREFIXED: Final = re.compile(r"[0-9A-Fa-f:.]+(/[0-9]{1,3})?")


def _ip_address(asked: str, written: Pattern) -> bool:
    """The address lies in the CIDR range; "without the associated routing prefix" it is one address."""
    from ipaddress import ip_address, ip_network  # Takes 1 ms, and few policies name an address.

    text = as_text(written)
    if not _PREFIXED.fullmatch(text) or not _PREFIXED.fullmatch(asked):
        return False
    try:
        address, network = ip_address(asked), ip_network(text, strict=False)
    except ValueError:
        return False
    return address.version == network.version and address in network


def _arn_like(asked: str, written: Pattern) -> bool:
    """Match two ARNs.

    "Each of the six colon-delimited components of the ARN is checked separately and each can include
    multi-character match wildcards (*) or single-character match wildcards (?). The ArnEquals and ArnLike
    condition operators behave identically."
    """
    wanted = _components(written)
    given = asked.split(":", 5)
    return (
        len(wanted) == len(given) == 6
        and given[0] == "arn"
        and all(matches(pattern, text) for pattern, text in zip(wanted, given, strict=True))
    )


def _components(pattern: Pattern) -> list[Pattern]:
    """Split at the first five colons."""
    components: list[list[str | Wildcard]] = [[]]
    for part in pattern:
        if part == ":" and len(components) < 6:
            components.append([])
        else:
            components[-1].append(part)
    return [tuple(component) for component in components]


COMPARISONS: Final[Mapping[str, Callable[[str, Pattern], bool]]] = {
    "StringEquals": _string_equals,
    "StringEqualsIgnoreCase": _string_equals_ignore_case,
    "StringLike": _string_like,
    "NumericEquals": _comparing(_number, decimal.Decimal.__eq__),
    "NumericLessThan": _comparing(_number, decimal.Decimal.__lt__),
    "NumericLessThanEquals": _comparing(_number, decimal.Decimal.__le__),
    "NumericGreaterThan": _comparing(_number, decimal.Decimal.__gt__),
    "NumericGreaterThanEquals": _comparing(_number, decimal.Decimal.__ge__),
    "DateEquals": _comparing(_instant, decimal.Decimal.__eq__),
    "DateLessThan": _comparing(_instant, decimal.Decimal.__lt__),
    "DateLessThanEquals": _comparing(_instant, decimal.Decimal.__le__),
    "DateGreaterThan": _comparing(_instant, decimal.Decimal.__gt__),
    "DateGreaterThanEquals": _comparing(_instant, decimal.Decimal.__ge__),
    "Bool": _bool,
    "BinaryEquals": _binary_equals,
    "IpAddress": _ip_address,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
}
"""The positive operators."""

NEGATED: Final[Mapping[str, str]] = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}
"""The negated operators, each with the positive one that must hold for none of the values."""
