"""The form of the report for programs: `report-1.schema.json`, beside this module, is made from it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct

from secure_bucket.findings.comparison import AccountCourse, ReviewChange
from secure_bucket.findings.finding import ExceptionOrigin, Fault, Level
from secure_bucket.formats.form import JsonDocument, Natural, PlaceForm
from secure_bucket.formats.run import Run
from secure_bucket.formats.verdict_form import AboutForm, VerdictForm
from secure_bucket.policy.request import Request

__all__ = [
    "SCHEMA",
    "BucketForm",
    "ChangedBucketForm",
    "ComparisonForm",
    "ExceptionForm",
    "FaultForm",
    "FindingForm",
    "IgnoredForm",
    "ReportForm",
    "SafeguardForm",
    "SkippedForm",
    "SummaryForm",
]

SCHEMA = "secure-bucket/report/1"


class SummaryForm(Struct, frozen=True, kw_only=True):
    """Counts.

    Args:
        templates: Templates that were read.
        accounts: Accounts whose running buckets were judged.
        buckets: Buckets that were judged: the proven, refuted and undecided ones together.
        proven: Buckets that provably deny every request over plain HTTP.
        refuted: Buckets that let a request over plain HTTP through.
        undecided: Buckets about which something needed is not known.
        skipped: Resources that were not judged, as they have no plain HTTP endpoint or are out of reach.
        never_created: Buckets that no deployment creates.
        errors: Findings that fail the check.
        warnings: Findings that do not fail it.
        notes: Findings that only tell.
        excepted: Findings that an exception keeps from failing the check; not counted above.
        baselined: Findings that the baseline already holds; not counted above.
        deselected: Findings of ignored rules; not counted above.
        faults: Things that could not be checked.
    """

    templates: Natural
    accounts: Natural = 0
    buckets: Natural
    proven: Natural
    refuted: Natural
    undecided: Natural
    skipped: Natural
    never_created: Natural = 0
    errors: Natural
    warnings: Natural
    notes: Natural
    excepted: Natural
    baselined: Natural
    deselected: Natural = 0
    faults: Natural


class BucketForm(AboutForm, frozen=True, kw_only=True):
    """A bucket, with the verdict on it.

    Args:
        at: Where it is written.
        verdict: The answer to: is every request over plain HTTP denied?
        viewers: Which CloudFront distributions request its objects over plain HTTP, and what to change.
        together_with: The other stacks that hold its policies; the verdict is right only with them.
    """

    at: PlaceForm
    verdict: VerdictForm
    viewers: tuple[str, ...] = ()
    together_with: tuple[str, ...] = ()


class FindingForm(AboutForm, frozen=True, kw_only=True):
    """One thing that is wrong with a bucket, or that nobody can know about it.

    Args:
        rule: The id of the rule.
        level: An error fails the check; a warning and a note do not.
        message: The bucket, the concrete request, the reason, in one line.
        fix: What to do about it, in one line.
        at: Where it is written.
        created_at: The line of the program that created the construct; null when nothing tells.
        request: The request that gets through; null without such a request.
        parameters: The parameter values under which it happens; empty when it happens under all of them.
        fingerprint: The same for the same finding when the lines around it have moved.
    """

    rule: Annotated[str, Meta(pattern="^SB[0-9]{3}$")]
    level: Level
    message: str
    fix: str
    at: PlaceForm
    created_at: PlaceForm | None
    request: Request | None
    parameters: Mapping[str, str]
    fingerprint: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]


class ExceptionForm(AboutForm, frozen=True, kw_only=True):
    """A finding that somebody decided to live with.

    Args:
        rule: The id of the rule it is granted for.
        reason: The reason, in the words of its author.
        at: Where it is written.
        expires: The last day on which it holds; null when it has no end.
        expired: Whether that day has passed.
        used: Whether it keeps any finding from failing the check.
        findings: The findings that it keeps from failing the check.
        origin: What kind of text it is written in.
        reach: What it covers: `/` and the path of a construct with all inside it; a pattern of the
            settings; `""` for its subject alone.
    """

    rule: str
    reason: str
    at: PlaceForm
    expires: datetime.date | None
    expired: bool
    used: bool
    findings: tuple[FindingForm, ...]
    origin: ExceptionOrigin = ExceptionOrigin.METADATA
    reach: str = ""


class SafeguardForm(AboutForm, frozen=True, kw_only=True):
    """Something that watches buckets, or enforces the deny from above, as a template declares it.

    Args:
        kind: What it does, as a word.
        what: What it does, as a sentence.
        at: Where it is written.
    """

    kind: str
    what: str
    at: PlaceForm


class SkippedForm(Struct, frozen=True):
    """A resource that was not judged, or that no deployment creates.

    Args:
        name: Its logical id; of what runs, its ARN or the account.
        at: Where it is written.
        why: Why it was not judged.
    """

    name: str
    at: PlaceForm
    why: str


class FaultForm(Struct, frozen=True):
    """Something that could not be checked, so that nothing is known about it.

    Args:
        file: The file; empty when it is about none.
        message: What is wrong and what to do.
        at: Where it is written.
    """

    file: str
    message: str
    at: PlaceForm

    @classmethod
    def of(cls, fault: Fault, run: Run) -> FaultForm:
        """Return the form of a fault, with files relative to the root of the run."""
        return cls(run.relative(fault.file), fault.message, PlaceForm.of(fault.at, run))

    def fault(self) -> Fault:
        """Return the fault."""
        return Fault(self.file, self.message, self.at.place())


class IgnoredForm(Struct, frozen=True):
    """A file that was skipped.

    Args:
        file: The file.
        why: Why it was taken for something else.
    """

    file: str
    why: str


class ChangedBucketForm(AboutForm, frozen=True, kw_only=True):
    """A bucket about which two reviews differ.

    Args:
        change: What happened to it.
        before: The earlier verdict; null without one.
        now: The present verdict; null without one.
    """

    change: ReviewChange
    before: Literal["proven", "refuted", "undecided"] | None
    now: Literal["proven", "refuted", "undecided"] | None


class ComparisonForm(Struct, frozen=True):
    """How a review differs from an earlier one.

    Args:
        earlier: The file of the earlier review.
        as_of: When the earlier review was finished; null if the file does not tell.
        unchanged: How many buckets have the same verdict for the same reason.
        changes: The buckets about which the reviews differ.
        accounts: The accounts of both reviews.
    """

    earlier: str
    as_of: str | None
    unchanged: Natural
    changes: tuple[ChangedBucketForm, ...]
    accounts: tuple[AccountCourse, ...]


class ReportForm(JsonDocument, frozen=True, kw_only=True, tag_field="schema", tag=SCHEMA):
    """What one check of CloudFormation templates, or one review of running buckets, found.

    Args:
        summary: Counts.
        templates: The files that were read, relative to the root of the repository, in their order.
        accounts: The accounts whose running buckets were judged; empty for templates.
        buckets: Every bucket that was judged.
        findings: Every finding that counts.
        exceptions: Every exception that was granted: used, unused and expired.
        baselined: The findings that the baseline already holds.
        deselected: The findings of ignored rules.
        skipped: Resources that were not judged, on top of the buckets.
        never_created: Buckets that no deployment creates; they have no verdict.
        faults: What could not be checked.
        safeguards: What the templates declare besides the denies: what watches the buckets, or enforces the
            deny from above. Evidence, of no weight for a verdict.
        ignored: Files without a template.
        remarks: What bears on the whole report, each in a sentence.
        comparison: How the report differs from an earlier one; null if it was not compared.
    """

    summary: SummaryForm
    templates: tuple[str, ...]
    accounts: tuple[str, ...] = ()
    buckets: tuple[BucketForm, ...]
    findings: tuple[FindingForm, ...]
    exceptions: tuple[ExceptionForm, ...]
    baselined: tuple[FindingForm, ...]
    deselected: tuple[FindingForm, ...] = ()
    skipped: tuple[SkippedForm, ...]
    never_created: tuple[SkippedForm, ...] = ()
    faults: tuple[FaultForm, ...]
    safeguards: tuple[SafeguardForm, ...] = ()
    ignored: tuple[IgnoredForm, ...]
    remarks: tuple[str, ...] = ()
    comparison: ComparisonForm | None = None
