"""Write and read audits as JSON; `audit-1.schema.json` is generated from the types of this module."""

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
    """The question.

    Args:
        sources: The arguments of the audit.
        since: The time of the first record to count; null for all.
        until: The time after the last record to count; null for all.
        minimum_tls: The minimum TLS version; null to count only plain HTTP.
        minimum_window_days: The minimum number of days of logs.
        group_by: The keys of the groups.
        tolerated_unknown: The share of requests without a known protocol that a safe bucket may have.
    """

    sources: tuple[str, ...]
    since: Moment | None
    until: Moment | None
    minimum_tls: float | None
    minimum_window_days: Natural
    group_by: tuple[Key, ...]
    tolerated_unknown: Annotated[float, Meta(ge=0, le=1)] = 0.0


class AuditedBucketForm(AuditedBucket, frozen=True, kw_only=True):
    """A bucket in the logs.

    Args:
        window_days: The number of days from the first to the last record, both included.
        share_known: The share of requests with a known protocol.
    """

    window_days: Natural
    share_known: Annotated[float, Meta(ge=0, le=1)]


class ChangeForm(Struct, frozen=True):
    """A change of clients that break.

    Args:
        change: The change, its document, and how to check it.
        requests: The number of requests of these clients.
    """

    change: str
    requests: Natural


class AuditForm(JsonDocument, frozen=True, kw_only=True, tag_field="schema", tag=SCHEMA):
    """The clients in logs that use plain HTTP.

    Args:
        verdict: The answer, as a sentence.
        answer: Whether the deny breaks clients of any bucket.
        asked: The question.
        files: The number of files.
        buckets: Every requested bucket and every bucket in the logs.
        groups: The largest groups of each kind: requests that break, are already refused, or are unknown.
        more_groups: The number of groups of each kind beyond the limit.
        malformed: The lines that are not records.
        passed_over: Skipped records.
        ignored: Files that are not logs.
        faults: Things that could not be read.
        changes: The changes of the clients that break.
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
    """Return the audit of a document."""
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
