"""What FIX did, and which exceptions there are, for machines: one file in the cloud assembly."""

from __future__ import annotations

import contextlib
import datetime
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct
from typing_extensions import assert_never

from secure_bucket.cdk.fix.outcome import Fixed, Left, Outcome
from secure_bucket.cdk.gate.acknowledgments import Acknowledgment

__all__ = ["RECORD", "ExceptionRecord", "remove_record", "write_record"]

RECORD = "secure-bucket.json"
"""The name of the file."""

_VERSION = 1


class ExceptionRecord(Struct, frozen=True):
    """An exception, with what it is for.

    Args:
        acknowledgment: The acknowledgment that grants it.
        end: Its last day; `None` when it has no end; what stands in the place of a day, if it is none.
        holds: Whether it holds today.
        constructs: The construct paths of the findings that it is for.
    """

    acknowledgment: Acknowledgment
    end: datetime.date | str | None
    holds: bool
    constructs: tuple[str, ...]


def write_record(
    directory: Path, outcomes: Mapping[str, Outcome], exceptions: Iterable[ExceptionRecord]
) -> None:
    """Write the record into a cloud assembly; none where there is nothing to record."""
    record: dict[str, Any] = {"version": _VERSION, "fixed": [], "left": [], "exceptions": []}
    for _, outcome in sorted(outcomes.items()):
        match outcome:
            case Fixed(bucket, policy, is_new):
                record["fixed"].append({"bucket": bucket, "policy": policy, "isNewPolicy": is_new})
            case Left(bucket, why):
                record["left"].append({"bucket": bucket, "reason": why})
            case _:
                assert_never(outcome)
    for exception in exceptions:
        granted = exception.acknowledgment
        record["exceptions"].append(
            {
                "id": granted.id,
                "constructPath": granted.path,
                "reason": granted.reason,
                "expires": None if exception.end is None else str(exception.end),
                "holds": exception.holds,
                "findings": list(exception.constructs),
            }
        )
    text = json.dumps(record, indent=2, sort_keys=True) + "\n"
    file = directory / RECORD
    if not (record["fixed"] or record["left"] or record["exceptions"]):
        remove_record(directory)
    elif not file.is_file() or file.read_text(encoding="utf-8") != text:
        file.write_text(text, encoding="utf-8")


def remove_record(directory: Path) -> None:
    """Remove what an earlier synthesis recorded.

    Done before the gate judges, because the CDK, when it is asked to, takes a plugin to task that changes a
    file which was there before.
    """
    with contextlib.suppress(FileNotFoundError):
        (directory / RECORD).unlink()
