"""Describe the result of a check: one `Finding` for each task, one `Report` for the whole run."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from secure_bucket.findings.subject import Declared, Running, Subject
from secure_bucket.policy.request import Request
from secure_bucket.proof.verdict import Proven, Refuted, Undecided, Verdict
from secure_bucket.values.unknown import Place

if TYPE_CHECKING:
    from secure_bucket.findings.comparison import ReviewComparison
    from secure_bucket.template.safeguards import SafeguardKind

__all__ = [
    "About",
    "ExceptionOrigin",
    "Fault",
    "Finding",
    "GrantedException",
    "JudgedBucket",
    "Level",
    "Report",
    "Safeguard",
    "joined",
]


class Level(enum.Enum):
    """The level of a finding: an error fails the gate, a warning and a note do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class About(Struct, frozen=True):
    """A statement about a subject.

    Args:
        subject: The resource of a template, or the live bucket, that it is about.
    """

    subject: Subject

    @property
    def logical_id(self) -> str:
        """The logical id of the resource; `""` for a live bucket."""
        return self.subject.logical_id if isinstance(self.subject, Declared) else ""

    @property
    def construct_path(self) -> str:
        """The path of its construct; `""` without that metadata, and for a live bucket."""
        return self.subject.construct_path if isinstance(self.subject, Declared) else ""

    @property
    def template(self) -> str:
        """The file of its template, as the caller named it; `""` for a live bucket."""
        return self.subject.template if isinstance(self.subject, Declared) else ""

    @property
    def account(self) -> str:
        """The account of a live bucket; `""` for a template."""
        return self.subject.account if isinstance(self.subject, Running) else ""


class Finding(About, frozen=True):
    """One thing that is wrong with a bucket, or not known about it.

    Args:
        rule: The id of the rule, such as `SB001`.
        level: Its level.
        message: One line: the bucket, the concrete request, the reason.
        fix: What to do about it, in one line.
        at: Where it is written.
        request: The request that gets through, if there is one.
        parameters: The parameter values that cause it, as `(name, value)` pairs; empty if all values do.
        created_at: The line of the program that created the construct, if the cloud assembly records it;
            otherwise `None`.
    """

    rule: str
    level: Level
    message: str
    fix: str
    at: Place
    request: Request | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    created_at: Place | None = None


class ExceptionOrigin(enum.Enum):
    """The kind of text that contains an exception."""

    METADATA = "metadata"
    ACKNOWLEDGMENT = "acknowledgment"
    RECORD = "gate-record"
    SETTINGS = "settings"

    @property
    def words(self) -> str:
        """What messages call it."""
        return _ORIGINS[self]


_ORIGINS = {
    ExceptionOrigin.METADATA: "metadata of the template",
    ExceptionOrigin.ACKNOWLEDGMENT: "acknowledgment in the CDK app",
    ExceptionOrigin.RECORD: "acknowledgment in the CDK app, from the record of the gate",
    ExceptionOrigin.SETTINGS: "settings",
}


class GrantedException(About, frozen=True):
    """An exception that a user granted, with the reason.

    Args:
        rule: The id of its rule.
        reason: The reason, in the words of the user.
        at: Where it is written.
        expires: Its last day; `None` if it has no end.
        expired: Whether that day has passed.
        findings: The findings that it excuses; empty if it is unused or expired.
        origin: The kind of text that contains it.
        reach: What it covers: `/` and the path of a construct, with the constructs inside; a pattern of the
            settings; `""` for its subject only.
    """

    rule: str
    reason: str
    at: Place = Place()
    expires: datetime.date | None = None
    expired: bool = False
    findings: tuple[Finding, ...] = ()
    origin: ExceptionOrigin = ExceptionOrigin.METADATA
    reach: str = ""

    @property
    def used(self) -> bool:
        """Whether it excuses any finding."""
        return bool(self.findings)


class Fault(Struct, frozen=True):
    """Something that could not be checked.

    Args:
        file: The file, as the caller named it; `""` without a file.
        message: What is wrong and what to do, in one line.
        at: The place in the file, if it is known.
    """

    file: str
    message: str
    at: Place = Place()

    @property
    def place(self) -> Place:
        """The place, or only the file."""
        return self.at if self.at.file else Place(file=self.file)


class JudgedBucket(About, frozen=True):
    """A bucket of a template, or a live bucket, with its verdict.

    Args:
        verdict: The answer to *is every request over plain HTTP denied?*, for all possible deployments of the
            template.
        at: Where it is written.
        viewers: One line for each CloudFront distribution that requests its objects over plain HTTP, with the
            change to make.
        together_with: The other stacks that contain its policies: the verdict holds only if they are deployed
            too.
        policies: The file and logical id of each policy that is, or may be, for it.
    """

    verdict: Verdict
    at: Place = Place()
    viewers: tuple[str, ...] = ()
    together_with: tuple[str, ...] = ()
    policies: tuple[tuple[str, str], ...] = ()


class Safeguard(About, frozen=True):
    """A resource that watches buckets, or enforces the deny for a whole organization.

    Args:
        kind: What it does.
        at: Where it is written.
        detail: Its extent, if the declaration shows it.
    """

    kind: SafeguardKind
    at: Place
    detail: str = ""

    @property
    def what(self) -> str:
        """What it does, and its extent."""
        return f"{self.kind.value}: {self.detail}" if self.detail else self.kind.value


class Report(Struct, frozen=True):
    """The result of one check.

    Args:
        buckets: Every bucket of the templates, in their order.
        findings: Every finding that counts, in the order of the templates: without those that an exception or
            a baseline accepts.
        templates: The files that were read, as the caller named them.
        not_applicable: Buckets without a plain HTTP endpoint or out of scope, each as `(place, name, why)`;
            reported, but not counted as proven.
        exceptions: Every exception: used, unused and expired.
        baselined: The findings that the baseline already holds.
        deselected: The findings of ignored or unselected rules, which do not fail the gate.
        faults: What could not be checked.
        ignored: Files that are not templates, each as `(file, why)`.
        accounts: The accounts whose live buckets were judged; empty for templates.
        notes: The findings of level NOTE that reports contain and a terminal does not show.
        safeguards: Other protections that the templates declare: evidence that does not affect a verdict.
        remarks: Sentences about the whole report.
        as_of: When a report that was read from a file was written; `""` for a new one.
        never_created: Buckets whose conditions are false in every deployment, each as
            `(place, logical id, why)`; they have no verdict.
        comparison: The differences from an earlier report; `None` without one.
    """

    buckets: tuple[JudgedBucket, ...] = ()
    findings: tuple[Finding, ...] = ()
    templates: tuple[str, ...] = ()
    not_applicable: tuple[tuple[Place, str, str], ...] = ()
    exceptions: tuple[GrantedException, ...] = ()
    baselined: tuple[Finding, ...] = ()
    faults: tuple[Fault, ...] = ()
    ignored: tuple[tuple[str, str], ...] = ()
    accounts: tuple[str, ...] = ()
    safeguards: tuple[Safeguard, ...] = ()
    notes: tuple[Finding, ...] = ()
    remarks: tuple[str, ...] = ()
    as_of: str = ""
    never_created: tuple[tuple[Place, str, str], ...] = ()
    deselected: tuple[Finding, ...] = ()
    comparison: ReviewComparison | None = None

    @property
    def partners(self) -> tuple[str, ...]:
        """The stacks without which buckets of other stacks are not proven."""
        proven = (each for each in self.buckets if isinstance(each.verdict, Proven))
        return tuple(dict.fromkeys(name for each in proven for name in each.together_with))

    @property
    def unread(self) -> tuple[Finding, ...]:
        """The findings on unread templates, including excused ones."""
        excused = (each for granted in self.exceptions for each in granted.findings)
        return tuple(
            each
            for each in (*self.findings, *excused, *self.baselined, *self.deselected)
            if each.rule == "SB010"
        )

    @property
    def proven(self) -> int:
        """The number of buckets that provably deny plain HTTP."""
        return sum(isinstance(bucket.verdict, Proven) for bucket in self.buckets)

    @property
    def refuted(self) -> int:
        """The number of buckets that accept a request over plain HTTP."""
        return sum(isinstance(bucket.verdict, Refuted) for bucket in self.buckets)

    @property
    def undecided(self) -> int:
        """The number of buckets whose verdict depends on something unknown."""
        return sum(isinstance(bucket.verdict, Undecided) for bucket in self.buckets)


def joined(reports: Iterable[Report]) -> Report:
    """Join reports into one, with all their content, in their order."""
    whole = list(reports)

    def every(name: str) -> tuple[Any, ...]:
        return tuple(each for report in whole for each in getattr(report, name))

    single = ("as_of", "comparison")
    members: dict[str, Any] = {name: every(name) for name in Report.__struct_fields__ if name not in single}
    for name in ("templates", "accounts", "notes"):
        members[name] = tuple(dict.fromkeys(members[name]))
    return Report(**members)
