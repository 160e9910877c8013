"""Record what FIX did, and the exceptions, in one file of the cloud assembly."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from secure_bucket.cdk.fix.outcome import Fixed, Left, Outcome
from secure_bucket.checks.judged_files import forget_judged_files
from secure_bucket.findings.gate_record import (
    RECORD,
    GateRecord,
    RecordedException,
    RecordedFix,
    RecordedLeft,
)
from secure_bucket.template.write import write_atomically

__all__ = ["RECORD", "remove_record", "write_record"]


def write_record(
    directory: Path, outcomes: Mapping[str, Outcome], exceptions: Iterable[RecordedException]
) -> None:
    """Write the record into a cloud assembly, if there is anything to record."""
    done = [outcome for _, outcome in sorted(outcomes.items())]
    record = GateRecord(
        fixed=tuple(
            RecordedFix(each.bucket, each.policy, each.is_new) for each in done if isinstance(each, Fixed)
        ),
        left=tuple(RecordedLeft(each.bucket, each.why) for each in done if isinstance(each, Left)),
        exceptions=tuple(exceptions),
    )
    text = json.dumps(msgspec.to_builtins(record), indent=2, sort_keys=True) + "\n"
    file = directory / RECORD
    if not (record.fixed or record.left or record.exceptions):
        remove_record(directory)
    elif not file.is_file() or file.read_text(encoding="utf-8") != text:
        write_atomically(file, text)


def remove_record(directory: Path) -> None:
    """Remove the record of an earlier synthesis.

    Call it before the gate judges, because the CDK can reject a plugin that changes an existing file.
    """
    with contextlib.suppress(FileNotFoundError):
        (directory / RECORD).unlink()
    forget_judged_files(directory)
