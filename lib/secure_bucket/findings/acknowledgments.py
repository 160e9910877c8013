"""Turn the acknowledgments of a CDK app into exceptions.

The cloud assembly contains those in its stacks. The AWS CDK writes those on the App, on a Stage or between to
no file: the gate records the ones that cover a finding, and `check` reads that record
(`findings/gate_record.py`).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence

from secure_bucket.findings.exceptions import parse_exception
from secure_bucket.findings.expiry import expiry_of
from secure_bucket.findings.finding import ExceptionOrigin, Finding, GrantedException
from secure_bucket.findings.rules import EXCUSABLE
from secure_bucket.findings.rules.sb007 import without_effect
from secure_bucket.findings.rules.sb009 import malformed
from secure_bucket.findings.subject import Declared
from secure_bucket.template.manifest import Acknowledged

__all__ = ["IMPORTED_BUCKET", "METADATA_KEY", "acknowledged_exceptions", "by_construct", "nearest"]

IMPORTED_BUCKET = "imported-bucket"
"""The finding of the gate on a bucket that an app imports, which only the construct tree tells."""

METADATA_KEY = "aws:cdk:acknowledged-rules"
"""Under which the AWS CDK keeps the acknowledgments on a construct."""

_PLUGIN = "secure-bucket::"


def acknowledged_exceptions(
    acknowledged: Iterable[Acknowledged], findings: Iterable[Finding], today: datetime.date
) -> Iterator[GrantedException | Finding]:
    """Return an exception for each acknowledgment in a CDK app, and a finding for each malformed one.

    It covers the findings on its construct and the constructs inside, except those with a nearer one.

    Args:
        acknowledged: The acknowledgments.
        findings: The findings.
        today: The day for which the exceptions are granted.
    """
    known = by_construct(each for each in acknowledged if each.id.startswith(_PLUGIN))
    covered: dict[Acknowledged, dict[tuple[str, str], Finding]] = {each[-1]: {} for each in known.values()}
    for finding in findings:
        each = nearest(known, f"{_PLUGIN}{finding.rule}", finding.construct_path, today)
        if each is not None:
            covered.setdefault(each, {}).setdefault(finding.subject.key, finding)
    for each, found in covered.items():
        named = each.id.removeprefix(_PLUGIN)
        if named == IMPORTED_BUCKET:
            continue
        if named.casefold() not in EXCUSABLE:
            yield without_effect(each.id, Declared("", "", each.path), each.at)
            continue
        written = {"Rule": named, "Reason": each.reason}
        origin = ExceptionOrigin.RECORD if each.is_recorded else ExceptionOrigin.ACKNOWLEDGMENT
        for subject in [finding.subject for finding in found.values()] or [Declared("", "", each.path)]:
            granted = parse_exception(written, subject, each.at, origin, f"/{each.path}")
            yield malformed(granted, subject, each.at) if isinstance(granted, str) else granted


def by_construct(acknowledged: Iterable[Acknowledged]) -> dict[tuple[str, str], list[Acknowledged]]:
    """Return acknowledgments by id and path, in the order of creation."""
    known: dict[tuple[str, str], list[Acknowledged]] = {}
    for each in acknowledged:
        known.setdefault((each.id, each.path), []).append(each)
    return known


def nearest(
    known: Mapping[tuple[str, str], Sequence[Acknowledged]], id: str, path: str, today: datetime.date
) -> Acknowledged | None:
    """Find what covers a finding: the last acknowledgment on its construct, or else the nearest one around
    it.

    An acknowledgment without an end does not revive one that has expired, or whose end is malformed.

    Args:
        known: The acknowledgments by their ids and paths; `""` is the path of the App.
        id: The id of the rule, with the name of the plugin before it.
        path: The path of the construct of the finding; the App's acknowledgments cover a finding without a
            path.
        today: The day for which it must hold.
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
