"""Describe what a check found: one `Finding` for each thing to do, one `Report` for the whole run."""

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
    """How much a finding weighs: an error fails the gate, a warning and a note do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class About(Struct, frozen=True):
    """A statement about a subject.

    Args:
        subject: What it is about: a resource that a template declares, or a bucket that runs.
    """

    subject: Subject

    @property
    def logical_id(self) -> str:
        """The logical id of the resource; `""` for a bucket that runs."""
        return self.subject.logical_id if isinstance(self.subject, Declared) else ""

    @property
    def construct_path(self) -> str:
        """The path of its construct; `""` when the template does not tell, and for a bucket that runs."""
        return self.subject.construct_path if isinstance(self.subject, Declared) else ""

    @property
    def template(self) -> str:
        """The file of its template, as it was given; `""` for a bucket that runs."""
        return self.subject.template if isinstance(self.subject, Declared) else ""

    @property
    def account(self) -> str:
        """The account of a bucket that runs; `""` for a template."""
        return self.subject.account if isinstance(self.subject, Running) else ""


class Finding(About, frozen=True):
    """One thing that is wrong with a bucket, or that is not known about it.

    Args:
        rule: The id of the rule, as `SB001`.
        level: How much it weighs.
        message: One line: the bucket, the concrete request, the reason.
        fix: What to do about it, in one line.
        at: Where it is written.
        request: The request that gets through, when there is one.
        parameters: The parameter values under which it happens, as `(name, value)` pairs; empty when it
            happens under all of them.
        created_at: The line of the program that created the construct, where the cloud assembly carries
            it; `None` when nothing tells.
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
    """What kind of text an exception is written in."""

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
    """A finding that a user accepted, with the reason.

    Args:
        rule: The id of the rule it is granted for.
        reason: The reason, in the words of the user.
        at: Where it is written.
        expires: The last day on which it holds; `None` when it has no end.
        expired: Whether that day has passed, so that it holds no more.
        findings: The findings that it keeps from failing the gate; empty when it is unused or expired.
        origin: What kind of text it is written in.
        reach: What it covers: `/` and the path of a construct with all inside it; a pattern of
            the settings; `""` for its subject alone.
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
        """Whether it keeps any finding from failing the gate."""
        return bool(self.findings)


class Fault(Struct, frozen=True):
    """Something that could not be checked, so that nothing is known about it.

    Args:
        file: The file, as it was given; `""` when it is about none.
        message: What is wrong and what to do, in one line.
        at: The place in it, where it is known.
    """

    file: str
    message: str
    at: Place = Place()

    @property
    def place(self) -> Place:
        """The place, or else the file."""
        return self.at if self.at.file else Place(file=self.file)


class JudgedBucket(About, frozen=True):
    """A bucket of a template, or one that runs, with the verdict on it.

    Args:
        verdict: The answer to *is every request over plain HTTP denied?*, over all the ways in which
            the template can be deployed.
        at: Where it is written.
        viewers: Which CloudFront distributions request its objects over plain HTTP, and what to change, in
            one line each.
        together_with: The other stacks that hold its policies: the verdict is right only where they are
            deployed too.
    """

    verdict: Verdict
    at: Place = Place()
    viewers: tuple[str, ...] = ()
    together_with: tuple[str, ...] = ()


class Safeguard(About, frozen=True):
    """Something that watches buckets, or enforces the deny from above, as it is declared.

    Args:
        kind: What it does.
        at: Where it is written.
        detail: How far that goes, where the declaration tells.
    """

    kind: SafeguardKind
    at: Place
    detail: str = ""

    @property
    def what(self) -> str:
        """What it does, and how far."""
        return f"{self.kind.value}: {self.detail}" if self.detail else self.kind.value


class Report(Struct, frozen=True):
    """Everything that one check has to say.

    Args:
        buckets: Every bucket of the templates, in their order.
        findings: Every finding that counts, in the order of the templates: without those that an
            exception or a baseline keeps from failing the gate.
        templates: The files that were read, as they were given.
        not_applicable: Buckets that have no plain HTTP endpoint, or are out of scope, each as
            `(place, name, why)`; said, never counted as proven.
        exceptions: Every exception that was granted: used, unused and expired.
        baselined: The findings that the baseline already holds.
        deselected: The findings of rules that the user ignores or did not select; they do not fail the gate.
        faults: What could not be checked.
        ignored: Files that are not templates, each as `(file, why)`.
        accounts: The accounts whose running buckets were judged; empty for templates.
        notes: The findings of level NOTE that reports hold and a terminal does not show.
        safeguards: What the templates declare besides the denies: evidence, of no weight for a verdict.
        remarks: What bears on the whole report, each in a sentence.
        as_of: When it was written, of a report that was read back; `""` for one that was made just now.
        never_created: Buckets whose conditions are false in every deployment, each as
            `(place, logical id, why)`; they have no verdict.
        comparison: How it differs from an earlier report; `None` if it was not compared.
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
        """The findings on templates that nobody could read, those that something excuses included."""
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
        """The number of buckets that let a request over plain HTTP through."""
        return sum(isinstance(bucket.verdict, Refuted) for bucket in self.buckets)

    @property
    def undecided(self) -> int:
        """The number of buckets about which something needed is not known."""
        return sum(isinstance(bucket.verdict, Undecided) for bucket in self.buckets)


def joined(reports: Iterable[Report]) -> Report:
    """Return one report of many, with everything that they hold, in their order."""
    whole = list(reports)

    def every(name: str) -> tuple[Any, ...]:
        return tuple(each for report in whole for each in getattr(report, name))

    single = ("as_of", "comparison")
    members: dict[str, Any] = {name: every(name) for name in Report.__struct_fields__ if name not in single}
    for name in ("templates", "accounts", "notes"):
        members[name] = tuple(dict.fromkeys(members[name]))
    return Report(**members)
