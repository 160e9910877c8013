"""Define the form of the JSON report. `tools/write_schemas.py` generates `report-1.schema.json` from it."""

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
        accounts: Accounts whose live buckets were judged.
        buckets: Judged buckets: the proven, refuted and undecided ones together.
        proven: Buckets that provably deny every request over plain HTTP.
        refuted: Buckets that accept a request over plain HTTP.
        undecided: Buckets whose verdict depends on something unknown.
        skipped: Resources that were not judged, because they have no plain HTTP endpoint or are out of scope.
        never_created: Buckets that no deployment creates.
        errors: Findings that fail the check.
        warnings: Findings that do not fail the check.
        notes: Findings for information only.
        excepted: Findings that an exception accepts; not counted above.
        baselined: Findings that the baseline contains; not counted above.
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
        at: Its place.
        verdict: The verdict on the claim that every request over plain HTTP is denied.
        viewers: The CloudFront distributions that request its objects over plain HTTP, and what to change.
        together_with: The other stacks that contain its policies; the verdict holds only together with them.
    """

    at: PlaceForm
    verdict: VerdictForm
    viewers: tuple[str, ...] = ()
    together_with: tuple[str, ...] = ()


class FindingForm(AboutForm, frozen=True, kw_only=True):
    """One problem of a bucket, or something unknown about it.

    Args:
        rule: The id of the rule.
        level: An error fails the check; a warning and a note do not.
        message: The bucket, the concrete request and the reason, in one line.
        fix: The fix, in one line.
        at: The place of the problem.
        created_at: The line of the program that created the construct; null if it is unknown.
        request: The request that gets through; null without such a request.
        parameters: The parameter values that cause the problem; empty if all values do.
        fingerprint: The identity of the finding, which does not depend on line numbers.
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
    """An exception from a rule.

    Args:
        rule: The id of the rule.
        reason: The reason, in the words of its author.
        at: The place of the exception.
        expires: The last day of the exception; null if it does not end.
        expired: Whether that day has passed.
        used: Whether it accepts at least one finding.
        findings: The findings that it accepts.
        origin: The kind of source that contains the exception.
        reach: The resources that it covers: `/` and a construct path, for the constructs inside it; a pattern
            of the settings; empty for its subject alone.
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
    """A declared resource that watches buckets, or enforces the deny for the whole organization.

    Args:
        kind: Its function, as a word.
        what: Its function, as a sentence.
        at: Its place.
    """

    kind: str
    what: str
    at: PlaceForm


class SkippedForm(Struct, frozen=True):
    """A resource that was not judged, or that no deployment creates.

    Args:
        name: Its logical id; for a live bucket, its ARN or the account.
        at: Its place.
        why: The reason.
    """

    name: str
    at: PlaceForm
    why: str


class FaultForm(Struct, frozen=True):
    """Something that could not be checked.

    Args:
        file: The file; empty without a file.
        message: The problem and what to do.
        at: The place of the problem.
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
        why: The reason.
    """

    file: str
    why: str


class ChangedBucketForm(AboutForm, frozen=True, kw_only=True):
    """A bucket with different results in two reviews.

    Args:
        change: The change.
        before: The earlier verdict; null without one.
        now: The present verdict; null without one.
    """

    change: ReviewChange
    before: Literal["proven", "refuted", "undecided"] | None
    now: Literal["proven", "refuted", "undecided"] | None


class ComparisonForm(Struct, frozen=True):
    """The differences between a review and an earlier one.

    Args:
        earlier: The file of the earlier review.
        as_of: The end of the earlier review; null if it is unknown.
        unchanged: The number of buckets with the same verdict for the same reason.
        changes: The buckets with different results.
        accounts: The accounts of both reviews.
    """

    earlier: str
    as_of: str | None
    unchanged: Natural
    changes: tuple[ChangedBucketForm, ...]
    accounts: tuple[AccountCourse, ...]


class ReportForm(JsonDocument, frozen=True, kw_only=True, tag_field="schema", tag=SCHEMA):
    """The results of one check of CloudFormation templates, or of one review of live buckets.

    Args:
        summary: Counts.
        templates: The files that were read, relative to the root of the repository.
        accounts: The accounts whose live buckets were judged; empty for templates.
        buckets: Every judged bucket.
        findings: Every finding that counts.
        exceptions: Every exception: used, unused and expired.
        baselined: The findings that the baseline contains.
        deselected: The findings of ignored rules.
        skipped: Other resources that were not judged.
        never_created: Buckets that no deployment creates; they have no verdict.
        faults: Things that could not be checked.
        safeguards: The declared resources that watch the buckets, or enforce the deny for the whole
            organization. They do not change a verdict.
        ignored: Files without a template.
        remarks: Remarks on the whole report, each in a sentence.
        comparison: The differences from an earlier report; null without an earlier report.
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
