"""Grant the exceptions that the acknowledgments of a CDK app are.

The cloud assembly notes those in its stacks. Those on the App, on a Stage or between stand in no file of
the AWS CDK: the gate writes the ones that cover a finding into `secure-bucket.json`, and `check` reads them
from there.

The AWS CDK has no end for an acknowledgment; its reason is free text. So the end stands there, in words
that read naturally: *the old scanner speaks no TLS, expires 2027-03-01*.
"""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from secure_bucket.findings.exceptions import parse_exception
from secure_bucket.findings.finding import Finding, GrantedException
from secure_bucket.findings.rules.sb009 import malformed
from secure_bucket.findings.subject import Declared
from secure_bucket.template.resolve import Acknowledged
from secure_bucket.values.unknown import Place

__all__ = [
    "RECORD",
    "GateRecord",
    "RecordedException",
    "RecordedFix",
    "RecordedLeft",
    "acknowledged_exceptions",
    "by_construct",
    "expiry_of",
    "nearest",
    "recorded_acknowledgments",
]

RECORD: Final = "secure-bucket.json"
"""The file in a cloud assembly in which the gate records what FIX did, and which exceptions it granted."""

_PLUGIN = "secure-bucket::"
_WORD = re.compile(r"\b(expir\w*|until|till)\b[\s:]*(?:(?:on|at|by|in|the|end|of)\s+)*", re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
# What looks like a date. After `until` stand plain numbers too: "until 3 devices are replaced".
_DATE = re.compile(
    rf"\d{{4}}|\d{{1,2}}[./-]\d|(?:\d{{1,2}}(?:st|nd|rd|th|\.)?\s+)?(?:{_MONTHS})[a-z]*\.?,?\s+\d|Q[1-4]\b",
    re.IGNORECASE,
)
_DATE_BEFORE = re.compile(
    rf"(\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,4}}[./-]\d{{1,2}}[./-]\d{{1,4}}|(?:{_MONTHS})[a-z]*\.?\s+\d{{4}})"
    r"[\s,;:()]*(?:is\s+(?:its|the)\s+|its\s+|the\s+)?\Z",
    re.IGNORECASE,
)


class RecordedException(Struct, frozen=True, rename="camel"):
    """An exception that the gate granted.

    Args:
        id: The id of the rule, with the name of the plugin before it.
        construct_path: The path of the construct that the acknowledgment is on; empty for the App.
        reason: The reason of the acknowledgment.
        expires: Its last day, as it is written; null when it has no end.
        holds: Whether it held on the day of the synthesis.
        findings: The construct paths of the findings that it covers.
    """

    id: str
    construct_path: str
    reason: str
    expires: str | None
    holds: bool
    findings: tuple[str, ...]


class RecordedFix(Struct, frozen=True, rename="camel"):
    """A bucket that FIX changed.

    Args:
        bucket: The path of the bucket.
        policy: The path of its policy.
        is_new_policy: Whether FIX made the policy.
    """

    bucket: str
    policy: str
    is_new_policy: bool


class RecordedLeft(Struct, frozen=True):
    """A bucket that FIX left as it is.

    Args:
        bucket: The path of the bucket.
        reason: Why.
    """

    bucket: str
    reason: str


class GateRecord(Struct, frozen=True):
    """What the gate records in a cloud assembly.

    Args:
        version: The version of this form.
        fixed: The buckets that FIX changed.
        left: The buckets that FIX left as they are.
        exceptions: The exceptions that cover a finding.
    """

    version: int = 1
    fixed: tuple[RecordedFix, ...] = ()
    left: tuple[RecordedLeft, ...] = ()
    exceptions: tuple[RecordedException, ...] = ()


def recorded_acknowledgments(directory: str | os.PathLike[str]) -> Iterator[Acknowledged]:
    """Yield the acknowledgments in the record of the gate; none where there is no record that can be read.

    Args:
        directory: The directory of the cloud assembly.
    """
    file = os.path.join(directory, RECORD)
    try:
        with open(file, "rb") as stream:
            record = msgspec.json.decode(stream.read(), type=GateRecord)
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError):
        # INVARIANT: a record that cannot be read excuses nothing.
        return
    for each in record.exceptions:
        yield Acknowledged(each.id, each.construct_path, each.reason, Place(file=file))


def acknowledged_exceptions(
    acknowledged: Iterable[Acknowledged], findings: Iterable[Finding], today: datetime.date
) -> Iterator[GrantedException | Finding]:
    """Return the exceptions that the acknowledgments in a CDK app are; a finding for each that is none.

    One covers the findings on its construct and on all inside, unless another one is nearer to them.

    Args:
        acknowledged: What is acknowledged.
        findings: What was found.
        today: The day for which the exceptions are granted.
    """
    known = by_construct(each for each in acknowledged if each.id.startswith(_PLUGIN))
    covered: dict[Acknowledged, dict[tuple[str, str], Finding]] = {each[-1]: {} for each in known.values()}
    for finding in findings:
        each = nearest(known, f"{_PLUGIN}{finding.rule}", finding.construct_path, today)
        if each is not None:
            covered.setdefault(each, {}).setdefault(finding.subject.key, finding)
    for each, found in covered.items():
        written = {
            "Rule": each.id.removeprefix(_PLUGIN),
            "Reason": each.reason,
            "Expires": expiry_of(each.reason),
        }
        for subject in [finding.subject for finding in found.values()] or [Declared("", "", each.path)]:
            granted = parse_exception(written, subject, each.at)
            yield malformed(granted, subject, each.at) if isinstance(granted, str) else granted


def by_construct(acknowledged: Iterable[Acknowledged]) -> dict[tuple[str, str], list[Acknowledged]]:
    """Return acknowledgments by their ids and paths, in the order in which they were made."""
    known: dict[tuple[str, str], list[Acknowledged]] = {}
    for each in acknowledged:
        known.setdefault((each.id, each.path), []).append(each)
    return known


def nearest(
    known: Mapping[tuple[str, str], Sequence[Acknowledged]], id: str, path: str, today: datetime.date
) -> Acknowledged | None:
    """Find what covers a finding: the last acknowledgment on its construct, else the nearest one around it.

    One without an end does not revive another one that has expired, or whose end is not understood.

    Args:
        known: The acknowledgments by their ids and paths; `""` is the path of the App.
        id: The id of the rule, with the name of the plugin before it.
        path: The path of the construct that the finding is on; one without a path is covered by the App's.
        today: The day for which it counts.
    """
    around = list(reversed(known.get((id, path), ())))
    while path:
        path = path.rpartition("/")[0]
        around += reversed(known.get((id, path), ()))
    if not around or expiry_of(around[0].reason) is not None:
        return around[0] if around else None
    for each in around:
        end = expiry_of(each.reason)
        if isinstance(end, str) or (end is not None and end < today):
            return each
    return around[0]


def expiry_of(reason: str) -> datetime.date | str | None:
    """Read the last day on which an exception holds.

    Args:
        reason: The reason of an acknowledgment.

    Returns:
        The day; the earliest one if there are several. `None` if the reason speaks of no end. What stands
        where the day should be, if it is not written as `2027-03-01`: a reason that says `expires` means it,
        and so does a date beside another word for an end.
    """
    days: list[datetime.date] = []
    for found in _WORD.finditer(reason):
        word, rest = str(found[1]).casefold(), reason[found.end() :]
        before = _DATE_BEFORE.search(reason[: found.start()]) if word.startswith("expir") else None
        text = rest.split(maxsplit=1)[0].strip("(),;").rstrip(".!") if rest.strip() else ""
        if word != "expires" and not (_DATE.match(rest) or (word.startswith("expir") and rest[:1].isdigit())):
            if before is None:
                continue
            text = before[1]
        try:
            # `fromisoformat` alone takes other forms as well, and not the same ones in every Python.
            if not _DAY.match(text):
                return text
            days.append(datetime.date.fromisoformat(text))
        except ValueError:
            return text
    return min(days, default=None)
