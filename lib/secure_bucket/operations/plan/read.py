"""Read the JSON reports of `check`, `review` and `audit`."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from secure_bucket.findings.finding import JudgedBucket, Report
from secure_bucket.findings.subject import Declared, Running
from secure_bucket.formats import json_format as reports
from secure_bucket.formats.form import Form, FormError, decode, read_bytes_of
from secure_bucket.formats.report_form import ReportForm
from secure_bucket.operations.audit import json_report as audits
from secure_bucket.operations.audit.audit import Audit, Breaks, CannotTell, Safe, Trouble
from secure_bucket.operations.plan.rollout import RolloutError
from secure_bucket.values.never import assert_never

__all__ = ["read_audit", "read_check", "read_review"]

_OPTIONS: Final = {reports.SCHEMA: "--check or --review", audits.SCHEMA: "--audit"}


def read_check(file: str | os.PathLike[str]) -> Report:
    """Return the report that `secure-bucket check --format json` wrote.

    Args:
        file: The file.

    Raises:
        RolloutError: If the file cannot be read, is not such a report, or contains no bucket.
    """
    report = _report(file, "check")
    if report.accounts or any(isinstance(bucket.subject, Running) for bucket in report.buckets):
        raise RolloutError(f"`{os.fspath(file)}` was written by `review`: give it with --review")
    return _not_empty(report, file)


def read_review(file: str | os.PathLike[str]) -> Report:
    """Return the report that `secure-bucket review --format json` wrote.

    Args:
        file: The file.

    Raises:
        RolloutError: If the file cannot be read, is not such a report, or names no account.
    """
    report = _report(file, "review")
    if report.templates or any(isinstance(bucket.subject, Declared) for bucket in report.buckets):
        raise RolloutError(f"`{os.fspath(file)}` was written by `check`: give it with --check")
    # An account without a bucket is a valid result.
    return report if report.accounts else _not_empty(report, file)


def read_audit(file: str | os.PathLike[str]) -> Audit:
    """Return the audit that `secure-bucket audit --format json` wrote.

    Args:
        file: The file.

    Raises:
        RolloutError: If the file cannot be read, is not such an audit, or contains no bucket.
    """
    audit = audits.audit_of(_document(file, audits.AuditForm, audits.SCHEMA, "audit"))
    _check_audit(audit, os.fspath(file))
    if not audit.buckets and not audit.faults:
        raise RolloutError(f"`{os.fspath(file)}` knows no bucket: there was no request in the logs")
    return audit


def _check_audit(audit: Audit, file: str) -> None:
    """Refuse an audit whose answers contradict its numbers."""
    names = Counter(bucket.name for bucket in audit.buckets)
    broken = {group.bucket for group in audit.groups if group.trouble is Trouble.BREAKS and group.bucket}
    for number, bucket in enumerate(audit.buckets):
        match bucket.answer:
            case Safe():
                tolerated = audit.tolerated_unknown * (bucket.requests + audit.malformed.lines)
                wrong = bool(bucket.breaking) or bucket.unknown > tolerated or bucket.name in broken
                wrong = wrong or not bucket.requests or bucket.first_seen is None or bucket.last_seen is None
            case Breaks():
                wrong = not bucket.breaking
            case CannotTell():
                wrong = bool(bucket.breaking)
            case _:
                assert_never(bucket.answer)
        at = f"`{file}`: `/buckets/{number}"
        if not bucket.name or names[bucket.name] > 1:
            raise RolloutError(
                f"{at}/name` is not a name, or is the name of two buckets: was the file changed by hand?"
            )
        if wrong:
            raise RolloutError(f"{at}/answer` is not what its numbers say: was the file changed by hand?")


class _Head(Struct):
    schema: Any = None


def _document(file: str | os.PathLike[str], form: type[Form], schema: str, command: str) -> Form:
    name = os.fspath(file)
    try:
        data = read_bytes_of(name)
        found = decode(data, _Head, name).schema
        if found == schema:
            return decode(data, form, name)
    except FormError as error:
        raise RolloutError(str(error)) from None
    if isinstance(found, str) and found in _OPTIONS:
        raise RolloutError(f"`{name}` is of the form `{found}`: give it with {_OPTIONS[found]}")
    wanted = f"`secure-bucket {command} --format json --output FILE` writes one"
    if isinstance(found, str) and found.startswith("secure-bucket/"):
        raise RolloutError(f"`{name}` is of the form `{found}`, and not of `{schema}`: {wanted}")
    raise RolloutError(f"`{name}` is not a report of secure-bucket, whose first member is `schema`: {wanted}")


def _report(file: str | os.PathLike[str], command: str) -> Report:
    document = _document(file, ReportForm, reports.SCHEMA, command)
    report = reports.report_of(document)
    # A bucket without its own time is as old as the report.
    if not report.as_of and report.buckets:
        raise RolloutError(
            f"`{os.fspath(file)}`: `/run/finished_at` is not there, so nothing tells how old it is"
        )
    return replace(report, buckets=tuple(_dated(bucket, report.as_of) for bucket in report.buckets))


def _dated(bucket: JudgedBucket, as_of: str) -> JudgedBucket:
    if isinstance(bucket.subject, Running) and not bucket.subject.as_of:
        return replace(bucket, subject=replace(bucket.subject, as_of=as_of))
    return bucket


def _not_empty(report: Report, file: str | os.PathLike[str]) -> Report:
    if not report.buckets and not report.faults:
        raise RolloutError(f"`{os.fspath(file)}` contains no bucket: there is nothing to plan from it")
    return report
