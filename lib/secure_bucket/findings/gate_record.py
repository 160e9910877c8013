"""Read the record of the gate in a cloud assembly: what FIX did, and the granted exceptions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

from secure_bucket.findings.finding import ExceptionOrigin
from secure_bucket.template.manifest import Acknowledged
from secure_bucket.values.unknown import Place

__all__ = [
    "RECORD",
    "GateRecord",
    "RecordedException",
    "RecordedFix",
    "RecordedLeft",
    "recorded_acknowledgments",
]

RECORD: Final = "secure-bucket.json"
"""The file in a cloud assembly in which the gate records what FIX did, and which exceptions it granted."""


class RecordedException(Struct, frozen=True, rename="camel"):
    """An exception that the gate granted.

    Args:
        id: The id of the rule, with the name of the plugin before it.
        construct_path: The path of the construct that the acknowledgment is on; empty for the App.
        reason: The reason of the acknowledgment.
        expires: Its last day, as it is written; null when it has no end.
        holds: Whether it held on the day of the synthesis.
        findings: The construct paths of the findings that it covers.
        origin: What kind of text it is written in.
    """

    id: str
    construct_path: str
    reason: str
    expires: str | None
    holds: bool
    findings: tuple[str, ...]
    origin: ExceptionOrigin = ExceptionOrigin.ACKNOWLEDGMENT


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
    """Yield the acknowledgments in the record of the gate, if it can be read.

    Args:
        directory: The directory of the cloud assembly.
    """
    file = os.path.join(directory, RECORD)
    try:
        with open(file, "rb") as stream:
            record = msgspec.json.decode(stream.read(), type=GateRecord)
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError):
        # INVARIANT: an unreadable record excuses nothing.
        return
    for each in record.exceptions:
        if each.origin is not ExceptionOrigin.ACKNOWLEDGMENT:
            continue  # The template itself contains it.
        yield Acknowledged(each.id, each.construct_path, each.reason, Place(file=file), is_recorded=True)
