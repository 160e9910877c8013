"""The last day of an exception, as it stands in the reason of an acknowledgment.

The AWS CDK has no end for an acknowledgment; its reason is free text. So the end stands there, in words
that read naturally: *the old scanner speaks no TLS, expires 2027-03-01*.
"""

from __future__ import annotations

import datetime
import re

__all__ = ["expiry_of"]

_EXPIRES = re.compile(r"\b(expir\w*)\b[\s:]*(?:on\s+)?([^\s,;()]*)", re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)


def expiry_of(reason: str) -> datetime.date | str | None:
    """Read the last day on which an exception holds.

    Args:
        reason: The reason of an acknowledgment.

    Returns:
        The day; the earliest one if there are several. `None` if the reason speaks of no end. What stands
        where the day should be, if it is none: a reason that says `expires` means it.
    """
    days: list[datetime.date] = []
    for found in _EXPIRES.finditer(reason):
        word, text = str(found[1]), str(found[2]).rstrip(".!")
        if word.casefold() != "expires" and not text[:1].isdigit():
            continue
        try:
            # `fromisoformat` alone takes other forms as well, and not the same ones in every Python.
            if not _DAY.match(text):
                return text
            days.append(datetime.date.fromisoformat(text))
        except ValueError:
            return text
    return min(days, default=None)
