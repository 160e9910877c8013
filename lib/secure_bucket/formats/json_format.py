"""Write and read the report for programs, in JSON."""

from __future__ import annotations

from typing import Any, TypeVar

from msgspec.structs import asdict
from typing_extensions import assert_never

from secure_bucket.findings.comparison import ReviewComparison
from secure_bucket.findings.finding import (
    Finding,
    GrantedException,
    JudgedBucket,
    Level,
    Report,
    Safeguard,
)
from secure_bucket.findings.subject import Declared, Subject
from secure_bucket.formats.about_form import AboutForm
from secure_bucket.formats.cases import verdict_name
from secure_bucket.formats.extent import Excerpts
from secure_bucket.formats.fingerprint import fingerprint
from secure_bucket.formats.form import PlaceForm, run_members
from secure_bucket.formats.form import render as render_form
from secure_bucket.formats.report_form import (
    SCHEMA,
    BucketForm,
    ChangedBucketForm,
    ComparisonForm,
    ExceptionForm,
    FaultForm,
    FindingForm,
    IgnoredForm,
    ReportForm,
    SafeguardForm,
    SkippedForm,
    SummaryForm,
)
from secure_bucket.formats.run import Run
from secure_bucket.formats.verdict_form import (
    ProvenForm,
    ReasonForm,
    RefutedForm,
    UndecidedForm,
    VerdictForm,
)
from secure_bucket.proof.verdict import Proven, Refuted, Undecided, Verdict
from secure_bucket.values.unknown import Unknown

__all__ = ["SCHEMA", "render", "report_of"]

_AnAbout = TypeVar("_AnAbout", bound=AboutForm)


def render(report: Report, run: Run) -> str:
    """Return the report as a JSON document, with file names relative to the root of the run."""
    findings = (*report.findings, *report.notes)
    levels = [finding.level for finding in findings]
    writer = _Writer(run)
    counts = SummaryForm(
        templates=len(report.templates),
        accounts=len(report.accounts),
        buckets=len(report.buckets),
        proven=report.proven,
        refuted=report.refuted,
        undecided=report.undecided,
        skipped=len(report.not_applicable),
        never_created=len(report.never_created),
        errors=levels.count(Level.ERROR),
        warnings=levels.count(Level.WARNING),
        notes=levels.count(Level.NOTE),
        excepted=sum(len(granted.findings) for granted in report.exceptions),
        baselined=len(report.baselined),
        deselected=len(report.deselected),
        faults=len(report.faults),
    )
    document = ReportForm(
        **run_members(run),
        summary=counts,
        templates=tuple(map(run.relative, report.templates)),
        accounts=report.accounts,
        buckets=tuple(map(writer.bucket, report.buckets)),
        findings=tuple(map(writer.finding, findings)),
        exceptions=tuple(map(writer.exception, report.exceptions)),
        baselined=tuple(map(writer.finding, report.baselined)),
        deselected=tuple(map(writer.finding, report.deselected)),
        skipped=tuple(
            SkippedForm(name, PlaceForm.of(at, run), why) for at, name, why in report.not_applicable
        ),
        never_created=tuple(
            SkippedForm(name, PlaceForm.of(at, run), why) for at, name, why in report.never_created
        ),
        faults=tuple(FaultForm.of(fault, run) for fault in report.faults),
        safeguards=tuple(map(writer.safeguard, report.safeguards)),
        ignored=tuple(IgnoredForm(run.relative(file), why) for file, why in report.ignored),
        remarks=report.remarks,
        comparison=None if report.comparison is None else writer.comparison(report.comparison),
    )
    return render_form(document)


class _Writer:
    def __init__(self, run: Run) -> None:
        self.run = run
        self.excerpts = Excerpts(run.source)

    def about(self, form: type[_AnAbout], subject: Subject, **members: Any) -> _AnAbout:
        known = {"logical_id": None, "construct_path": None}
        known |= {name: value or None for name, value in asdict(subject).items()}
        template = subject.template if isinstance(subject, Declared) else ""
        return form(**(known | {"template": self.run.relative(template)} | members))

    def bucket(self, bucket: JudgedBucket) -> BucketForm:
        at, verdict = PlaceForm.of(bucket.at, self.run), self.verdict(bucket.verdict)
        more = {"viewers": bucket.viewers, "together_with": bucket.together_with}
        return self.about(BucketForm, bucket.subject, at=at, verdict=verdict, **more)

    def comparison(self, comparison: ReviewComparison) -> ComparisonForm:
        def name(verdict: Verdict | None) -> str | None:
            return None if verdict is None else verdict_name(verdict)

        changes = (
            self.about(
                ChangedBucketForm,
                each.subject,
                change=each.change,
                before=name(each.before),
                now=name(each.now),
            )
            for each in comparison.changes
        )
        return ComparisonForm(
            self.run.relative(comparison.earlier),
            comparison.as_of or None,
            comparison.unchanged,
            tuple(changes),
            comparison.accounts,
        )

    def verdict(self, verdict: Verdict) -> VerdictForm:
        match verdict:
            case Proven():
                return ProvenForm(verdict.statements)
            case Refuted():
                at = PlaceForm.of(verdict.at, self.run)
                return RefutedForm(verdict.request, verdict.why, at, verdict.statement)
            case Undecided():
                reasons = (
                    ReasonForm(each.reason, PlaceForm.of(each.at, self.run)) for each in verdict.reasons
                )
                return UndecidedForm(tuple(reasons))
            case _:
                assert_never(verdict)

    def finding(self, finding: Finding) -> FindingForm:
        created_at = finding.created_at
        return self.about(
            FindingForm,
            finding.subject,
            rule=finding.rule,
            level=finding.level,
            message=finding.message,
            fix=finding.fix,
            at=PlaceForm.of(finding.at, self.run),
            created_at=None if created_at is None else PlaceForm.of(created_at, self.run),
            request=finding.request,
            parameters=dict(finding.parameters),
            fingerprint=fingerprint(finding, self.run, self.excerpts),
        )

    def exception(self, granted: GrantedException) -> ExceptionForm:
        return self.about(
            ExceptionForm,
            granted.subject,
            rule=granted.rule,
            reason=granted.reason,
            at=PlaceForm.of(granted.at, self.run),
            expires=granted.expires,
            expired=granted.expired,
            used=granted.used,
            findings=tuple(map(self.finding, granted.findings)),
            origin=granted.origin,
            reach=granted.reach,
        )

    def safeguard(self, safeguard: Safeguard) -> SafeguardForm:
        return self.about(
            SafeguardForm,
            safeguard.subject,
            kind=safeguard.kind.name.lower().replace("_", "-"),
            what=safeguard.what,
            at=PlaceForm.of(safeguard.at, self.run),
        )


def report_of(document: ReportForm) -> Report:
    """Return the report that a document holds, but for its safeguards and the files it ignored."""
    return Report(
        buckets=tuple(
            JudgedBucket(
                each.subject(), _verdict(each.verdict), each.at.place(), each.viewers, each.together_with
            )
            for each in document.buckets
        ),
        findings=tuple(map(_finding, document.findings)),
        templates=document.templates,
        not_applicable=tuple((each.at.place(), each.name, each.why) for each in document.skipped),
        never_created=tuple((each.at.place(), each.name, each.why) for each in document.never_created),
        exceptions=tuple(
            GrantedException(
                each.subject(),
                each.rule,
                each.reason,
                each.at.place(),
                each.expires,
                each.expired,
                tuple(map(_finding, each.findings)),
                each.origin,
                each.reach,
            )
            for each in document.exceptions
        ),
        baselined=tuple(map(_finding, document.baselined)),
        deselected=tuple(map(_finding, document.deselected)),
        faults=tuple(each.fault() for each in document.faults),
        accounts=document.accounts,
    )


def _finding(finding: FindingForm) -> Finding:
    return Finding(
        finding.subject(), finding.rule, finding.level, finding.message, finding.fix, finding.at.place()
    )


def _verdict(verdict: VerdictForm) -> Verdict:
    match verdict:
        case ProvenForm():
            return Proven(verdict.statements)
        case RefutedForm():
            return Refuted(verdict.request, verdict.why, verdict.at.place(), verdict.statement)
        case UndecidedForm():
            return Undecided(tuple(Unknown(each.reason, each.at.place()) for each in verdict.reasons))
        case _:
            assert_never(verdict)
