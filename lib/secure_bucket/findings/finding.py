"""What a check found: one `Finding` for each thing to do, one `Report` for the whole run."""

from __future__ import annotations

import datetime
import enum
from typing import TYPE_CHECKING

from msgspec import Struct

from secure_bucket.policy.request import Request
from secure_bucket.proof.verdict import Proven, Refuted, Undecided, Verdict
from secure_bucket.values.unknown import Place

if TYPE_CHECKING:
    from secure_bucket.template.safeguards import SafeguardKind

__all__ = ["Fault", "Finding", "GrantedException", "JudgedBucket", "Level", "Report", "Safeguard"]


class Level(enum.Enum):
    """How much a finding weighs: an error fails the gate, a warning and a note do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Finding(Struct, frozen=True):
    """One thing that is wrong with a bucket, or that nobody can know about it.

    Args:
        rule: The id of the rule, as `SB001`.
        level: How much it weighs.
        message: One line: the bucket, the concrete request, the reason.
        fix: What to do about it, in one line.
        at: Where it is written.
        logical_id: The logical id of the bucket, or of the policy that names no bucket of a template; the
            ARN of a bucket that runs.
        construct_path: The path of its construct, as CDK writes it to `aws:cdk:path`; `""` when the
            template does not tell.
        template: The file of the template, as it was given.
        request: The request that gets through, when there is one.
        parameters: The parameter values under which it happens, as `(name, value)` pairs; empty when it
            happens under all of them.
        created_at: The line of the program that created the construct, where the cloud assembly carries
            it; `None` when nothing tells.
        account: The account of a bucket that runs; `""` for a template.
    """

    rule: str
    level: Level
    message: str
    fix: str
    at: Place
    logical_id: str
    construct_path: str = ""
    template: str = ""
    request: Request | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    created_at: Place | None = None
    account: str = ""


class GrantedException(Struct, frozen=True):
    """A finding that somebody decided to live with, and says why.

    Args:
        rule: The id of the rule it is granted for.
        logical_id: The logical id of the bucket, or of the policy, it is granted for.
        reason: Why, in the words of whoever granted it.
        at: Where it is written.
        template: The file of the template it is about, as it was given.
        expires: The last day on which it holds; `None` when it has no end.
        expired: Whether that day has passed, so that it holds no more.
        findings: The findings that it keeps from failing the gate; empty when it is unused or expired.
    """

    rule: str
    logical_id: str
    reason: str
    at: Place = Place()
    template: str = ""
    expires: datetime.date | None = None
    expired: bool = False
    findings: tuple[Finding, ...] = ()

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


class JudgedBucket(Struct, frozen=True):
    """A bucket of a template, or one that runs, with the verdict on it.

    Args:
        logical_id: Its logical id; the ARN of a bucket that runs.
        verdict: The answer to *is every request over plain HTTP denied?*, over all the ways in which
            the template can be deployed.
        at: Where it is written.
        construct_path: The path of its construct; `""` when the template does not tell.
        template: The file of the template, as it was given; `""` for a bucket that runs.
        account: The account of a bucket that runs; `""` for a template.
        region: The region of a bucket that runs, where it is known.
        as_of: When what is known of a bucket that runs was read or recorded, as `2027-03-01T12:00:00Z`;
            `""` when it was read just now.
        name: The name that the template fixes for it, `""` when it is made up at deployment or depends on
            a parameter; the name of a bucket that runs.
        stack: The name of the stack that it is deployed in, where a cloud assembly tells.
    """

    logical_id: str
    verdict: Verdict
    at: Place
    construct_path: str = ""
    template: str = ""
    account: str = ""
    region: str = ""
    as_of: str = ""
    name: str = ""
    stack: str = ""


class Safeguard(Struct, frozen=True):
    """Something that watches buckets, or enforces the deny from above, as it is declared.

    Args:
        kind: What it does.
        logical_id: Its logical id.
        at: Where it is written.
        construct_path: The path of its construct; `""` when the template does not tell.
        template: The file of the template, as it was given.
        detail: How far that goes, where the declaration tells.
    """

    kind: SafeguardKind
    logical_id: str
    at: Place
    construct_path: str = ""
    template: str = ""
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
            `(place, logical id, why)`; said, never counted as proven.
        exceptions: Every exception that was granted: used, unused and expired.
        baselined: The findings that the baseline already holds.
        faults: What could not be checked.
        ignored: Files that are no templates, each as `(file, why)`.
        accounts: The accounts whose running buckets were judged; empty for templates.
        safeguards: What the templates declare besides the denies: evidence, of no weight for a verdict.
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
