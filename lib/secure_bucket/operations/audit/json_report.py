"""Write and read an audit for programs, in JSON: the types that `audit-1.schema.json` is made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct, convert
from msgspec.structs import asdict

from secure_bucket.formats.form import JsonDocument, Moment, Natural, run_members
from secure_bucket.formats.form import render as render_form
from secure_bucket.formats.report_form import FaultForm, IgnoredForm
from secure_bucket.formats.run import Run
from secure_bucket.operations.audit.audit import (
    Answer,
    Audit,
    AuditedBucket,
    ClientGroup,
    Count,
    Key,
    Malformed,
    Trouble,
)
from secure_bucket.operations.audit.families import changes
from secure_bucket.operations.audit.sentences import verdict

__all__ = ["SCHEMA", "AuditForm", "audit_of", "render"]

SCHEMA = "secure-bucket/audit/1"


class AskedForm(Struct, frozen=True):
    """What was asked.

    Args:
        sources: What was read, as it was given.
        since: From when on records counted; null for all.
        until: Until when; null for all.
        minimum_tls: The TLS version that was asked for; null for none.
        minimum_window_days: How many days the logs have to cover.
        group_by: What the groups are of.
        tolerated_unknown: The share of requests that may not show their protocol where it says *safe*.
    """

    sources: tuple[str, ...]
    since: Moment | None
    until: Moment | None
    minimum_tls: float | None
    minimum_window_days: Natural
    group_by: tuple[Key, ...]
    tolerated_unknown: Annotated[float, Meta(ge=0, le=1)] = 0.0


class AuditedBucketForm(AuditedBucket, frozen=True, kw_only=True):
    """A bucket, with what the logs say of it.

    Args:
        window_days: How many days lie between the first and the last record, both included.
        share_known: The share of the requests whose protocol the logs show.
    """

    window_days: Natural
    share_known: Annotated[float, Meta(ge=0, le=1)]


class ChangeForm(Struct, frozen=True):
    """What to change in clients that break.

    Args:
        change: What to change, where it is described, and how to see that it worked.
        requests: How many requests the clients made.
    """

    change: str
    requests: Natural


class AuditForm(JsonDocument, frozen=True, kw_only=True, tag_field="schema", tag=SCHEMA):
    """What the logs tell about clients that use plain HTTP.

    Args:
        verdict: The answer, as a sentence.
        answer: Whether the deny breaks something, on any bucket.
        asked: What was asked.
        files: How many files were read.
        buckets: Every bucket that was asked about or is in the logs.
        groups: What breaks, what is refused already, and what is not known: the largest groups of each.
        more_groups: How many further groups there are of each, beyond the limit.
        malformed: The lines that are not records.
        passed_over: Records that are skipped.
        ignored: Files that are not logs.
        faults: What could not be read.
        changes: What to change in the clients that break.
    """

    verdict: str
    answer: Answer
    asked: AskedForm
    files: Natural
    buckets: tuple[AuditedBucketForm, ...]
    groups: tuple[ClientGroup, ...]
    more_groups: Mapping[Trouble, Natural]
    malformed: Malformed
    passed_over: tuple[Count, ...]
    ignored: tuple[IgnoredForm, ...]
    faults: tuple[FaultForm, ...]
    changes: tuple[ChangeForm, ...] = ()


def render(audit: Audit, run: Run) -> str:
    """Return the audit as a JSON document."""
    asked = AskedForm(
        audit.sources,
        audit.since,
        audit.until,
        audit.minimum_tls,
        audit.minimum_window,
        audit.keys,
        audit.tolerated_unknown,
    )
    document = AuditForm(
        **run_members(run),
        verdict=verdict(audit),
        answer=audit.answer,
        asked=asked,
        files=audit.files,
        buckets=tuple(
            AuditedBucketForm(**asdict(each), window_days=each.window, share_known=round(each.share, 6))
            for each in audit.buckets
        ),
        groups=audit.groups,
        more_groups=dict(audit.more),
        malformed=audit.malformed,
        passed_over=audit.passed,
        ignored=tuple(IgnoredForm(file, why) for file, why in audit.ignored),
        faults=tuple(FaultForm.of(fault, run) for fault in audit.faults),
        changes=tuple(ChangeForm(each, requests) for each, requests in changes(audit.groups).items()),
    )
    return render_form(document)


def audit_of(document: AuditForm) -> Audit:
    """Return the audit that a document holds."""
    asked = document.asked
    return Audit(
        document.answer,
        tuple(convert(each, AuditedBucket, from_attributes=True) for each in document.buckets),
        document.groups,
        tuple((trouble, more) for trouble in Trouble if (more := document.more_groups.get(trouble))),
        document.malformed,
        document.passed_over,
        asked.sources,
        document.files,
        tuple((each.file, each.why) for each in document.ignored),
        tuple(each.fault() for each in document.faults),
        asked.minimum_tls,
        asked.minimum_window_days,
        asked.group_by,
        asked.since,
        asked.until,
        asked.tolerated_unknown,
    )
