"""Write and read the report in JSON, for programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from secure_bucket.findings.comparison import ReviewComparison
from secure_bucket.findings.finding import (
    About,
    Finding,
    GrantedException,
    JudgedBucket,
    Level,
    Report,
    Safeguard,
)
from secure_bucket.formats.cases import verdict_name
from secure_bucket.formats.extent import Excerpts
from secure_bucket.formats.fingerprint import fingerprint
from secure_bucket.formats.form import PlaceForm, fill, run_members
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
    AboutForm,
    ProvenForm,
    ReasonForm,
    RefutedForm,
    UndecidedForm,
    VerdictForm,
)
from secure_bucket.proof.verdict import Proven, Refuted, Undecided, Verdict
from secure_bucket.values.never import assert_never
from secure_bucket.values.unknown import Place, Unknown

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

    def form(self, form: type[_AnAbout], of: About, **members: Any) -> _AnAbout:
        at = getattr(of, "at", None)
        if at is not None:
            members["at"] = PlaceForm.of(at, self.run)
        return fill(form, of, of.subject, template=self.run.relative(of.template), **members)

    def bucket(self, bucket: JudgedBucket) -> BucketForm:
        return self.form(BucketForm, bucket, verdict=self.verdict(bucket.verdict))

    def comparison(self, comparison: ReviewComparison) -> ComparisonForm:
        def name(verdict: Verdict | None) -> str | None:
            return None if verdict is None else verdict_name(verdict)

        changes = tuple(
            self.form(ChangedBucketForm, each, before=name(each.before), now=name(each.now))
            for each in comparison.changes
        )
        earlier = self.run.relative(comparison.earlier)
        return fill(ComparisonForm, comparison, earlier=earlier, changes=changes)

    def verdict(self, verdict: Verdict) -> VerdictForm:
        match verdict:
            case Proven():
                return ProvenForm(verdict.statements)
            case Refuted():
                return fill(RefutedForm, verdict, at=PlaceForm.of(verdict.at, self.run))
            case Undecided():
                reasons = (
                    ReasonForm(each.reason, PlaceForm.of(each.at, self.run)) for each in verdict.reasons
                )
                return UndecidedForm(tuple(reasons))
            case _:
                assert_never(verdict)

    def finding(self, finding: Finding) -> FindingForm:
        created_at = finding.created_at
        return self.form(
            FindingForm,
            finding,
            created_at=None if created_at is None else PlaceForm.of(created_at, self.run),
            parameters=dict(finding.parameters),
            fingerprint=fingerprint(finding, self.run, self.excerpts),
        )

    def exception(self, granted: GrantedException) -> ExceptionForm:
        return self.form(ExceptionForm, granted, findings=tuple(map(self.finding, granted.findings)))

    def safeguard(self, safeguard: Safeguard) -> SafeguardForm:
        return self.form(SafeguardForm, safeguard, kind=safeguard.kind.name.lower().replace("_", "-"))


def report_of(document: ReportForm) -> Report:
    """Return the report of a document, without its safeguards and its ignored files."""
    finished = document.run.finished_at

    def findings(forms: Iterable[FindingForm]) -> tuple[Finding, ...]:
        return tuple(map(_finding, forms))

    def skipped(forms: Iterable[SkippedForm]) -> tuple[tuple[Place, str, str], ...]:
        return tuple((each.at.place(), each.name, each.why) for each in forms)

    return Report(
        buckets=tuple(
            fill(
                JudgedBucket, each, subject=each.subject(), verdict=_verdict(each.verdict), at=each.at.place()
            )
            for each in document.buckets
        ),
        findings=findings(document.findings),
        templates=document.templates,
        not_applicable=skipped(document.skipped),
        never_created=skipped(document.never_created),
        exceptions=tuple(
            fill(
                GrantedException,
                each,
                subject=each.subject(),
                at=each.at.place(),
                findings=findings(each.findings),
            )
            for each in document.exceptions
        ),
        baselined=findings(document.baselined),
        deselected=findings(document.deselected),
        faults=tuple(each.fault() for each in document.faults),
        accounts=document.accounts,
        as_of="" if finished is None else f"{finished:%Y-%m-%dT%H:%M:%SZ}",
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
