"""Check templates: prove each bucket, and apply the rules to the verdicts."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import replace

from secure_bucket.checks.doubt import faults_of, remarks_of
from secure_bucket.errors import TemplateError
from secure_bucket.findings.acknowledgments import acknowledged_exceptions
from secure_bucket.findings.declared import DeclaredJudgement
from secure_bucket.findings.exceptions import declared_exceptions, grant_exceptions
from secure_bucket.findings.finding import Finding, GrantedException, JudgedBucket, Report
from secure_bucket.findings.judge import Judge
from secure_bucket.findings.rules import OLD_TLS, RULES, UNREAD
from secure_bucket.findings.rules.rule import Rule
from secure_bucket.findings.rules.sb010 import unread
from secure_bucket.findings.rules.sb012 import changes_at_deployment
from secure_bucket.findings.safeguards import safeguards_of
from secure_bucket.template import (
    Assembly,
    Document,
    Inventory,
    load_document,
    parse_document,
    read_document,
    read_templates,
)
from secure_bucket.template.stack import pointer_of
from secure_bucket.values.unknown import Place

if TYPE_CHECKING:
    import datetime

    from secure_bucket.template.manifest import Acknowledged

__all__ = ["Settings", "check_template", "check_templates", "report_on"]


class Settings(Struct, frozen=True):
    """The options of a check.

    Args:
        strict: Whether `{"AWS": "*"}` excludes AWS service principals.
        minimum_tls: The TLS version below which no request may get through; `None` skips this claim.
        today: The day for which to grant exceptions; `None` ignores exceptions.
        acknowledged: The acknowledgments of a CDK app that are not in its assembly; `None` ignores all
            acknowledgments of the app.
        notes: Whether to report findings that count only with `strict` as notes.
        siblings: The files of the run that a `TemplateURL` may mean, by their last component.
        details: Whether the report has the line of every bucket, and the safeguards. The gate needs neither.
    """

    strict: bool = False
    minimum_tls: float | str | None = None
    today: datetime.date | None = None
    acknowledged: Sequence[Acknowledged] | None = ()
    notes: bool = True
    siblings: Mapping[str, Sequence[str]] = field(default_factory=dict)
    details: bool = True


def check_template(
    source: str | os.PathLike[str] | Mapping[str, Any] | Document,
    *,
    strict: bool = False,
    minimum_tls_version: float | str | None = None,
    exceptions_as_of: datetime.date | None = None,
) -> Report:
    """Check every bucket of one CloudFormation template.

    Args:
        source: The file, JSON or YAML; the template as a dictionary; or the result of `parse_document`.
        strict: Whether `{"AWS": "*"}` excludes AWS service principals, which AWS does not document (default:
            `False`).
        minimum_tls_version: Also report requests over an older TLS version that get through, such as `1.2`
            (default: ignore TLS versions).
        exceptions_as_of: The day for which to grant exceptions in the `Metadata` of resources, and
            acknowledgments in a cloud assembly (default: ignore exceptions, so every finding counts).

    Returns:
        The verdict on each bucket, and the findings.

    Raises:
        TemplateError: The source cannot be read, or is not a template.
    """
    match source:
        case Document():
            document = source
        case Mapping():
            document = parse_document(source)
        case _:
            document = load_document(source)
    settings = Settings(strict, minimum_tls_version, exceptions_as_of)
    return report_on(lambda: read_document(document), f"`{document.name}`", settings)


def check_templates(
    templates: Iterable[str | os.PathLike[str] | Document], settings: Settings | None = None
) -> Report:
    """Check the templates of one app, which may import each other's exports.

    Args:
        templates: Their files, or documents that were read already.
        settings: The options (default: those of `check_template`).

    Raises:
        TemplateError: A file cannot be read, or is not a template.
    """
    settings = settings or Settings()
    given = list(templates)
    names = (each.name if isinstance(each, Document) else os.fspath(each) for each in given[:3])
    named = ", ".join(f"`{name}`" for name in names)
    return report_on(lambda: read_templates(given, settings.siblings), named, settings)


def report_on(read: Callable[[], Assembly], named: str, settings: Settings) -> Report:
    """Judge every bucket of an assembly, and grant exceptions if the settings have a day.

    Args:
        read: Reads the templates that are deployed together.
        named: Their names in messages.
        settings: How to check them.

    Raises:
        TemplateError: A template cannot be read, or is nested too deeply.
    """
    minimum = None if settings.minimum_tls is None else float(settings.minimum_tls)
    try:
        assembly = read()
        rules = [rule for rule in RULES if settings.strict or settings.notes or not rule.only_if_strict]
        report = _report(Inventory(assembly), settings, minimum, rules)
        if settings.today is not None:
            unasked = {rule.id for rule in RULES if rule not in rules}
            if minimum is None:
                unasked.add(OLD_TLS)
            report = _excused(report, assembly, settings.today, unasked)
    except RecursionError:
        raise TemplateError(f"{named}: nested too deeply to be read") from None
    return report if settings.strict else _noted(report)


def _noted(report: Report) -> Report:
    """Move findings that count only with `strict` to the notes."""
    quiet = {rule.id for rule in RULES if rule.only_if_strict}
    notes = tuple(finding for finding in report.findings if finding.rule in quiet)
    if not notes:
        return report
    findings = tuple(finding for finding in report.findings if finding.rule not in quiet)
    return replace(report, findings=findings, notes=notes)


def _report(inventory: Inventory, settings: Settings, minimum: float | None, rules: Iterable[Rule]) -> Report:
    judge = Judge(inventory, settings.strict, minimum)
    judged = [judge.bucket(bucket) for bucket in inventory.buckets]
    judgements: list[DeclaredJudgement] = [each for each in judged if not each.never_created]
    foreign = [judge.foreign(policy) for policy in inventory.loose]
    order = {id(stack): index for index, stack in enumerate(inventory.assembly.stacks)}
    everything = [*judgements, *(judgement for judgement in foreign if judgement is not None)]
    findings: list[tuple[tuple[int, int, str], Finding]] = []
    for position, judgement in enumerate(everything):
        for rule in rules:
            findings += [
                ((order[id(judgement.stack)], position, finding.rule), finding)
                for finding in rule.check(judgement)
            ]
    findings += [
        ((order[id(each.stack)], len(everything), UNREAD), unread(each)) for each in inventory.unread
    ]
    findings.sort(key=lambda pair: pair[0])
    return Report(
        buckets=tuple(
            JudgedBucket(
                judgement.subject,
                judgement.http.verdict,
                judgement.at if settings.details else Place(file=judgement.stack.document.name),
                viewers=tuple(map(str, judgement.viewers)),
                together_with=judgement.together_with,
                policies=tuple(
                    (each.stack.document.file, each.resource.logical_id) for each in judgement.policies
                ),
            )
            for judgement in judgements
        ),
        findings=tuple(
            dict.fromkeys([*(finding for _, finding in findings), *changes_at_deployment(inventory)])
        ),
        templates=tuple(
            dict.fromkeys(filter(None, (stack.document.file for stack in inventory.assembly.stacks)))
        ),
        not_applicable=tuple(
            (each.stack.document.place(pointer_of(each.resource.path)), each.resource.logical_id, each.why)
            for each in inventory.not_applicable
        ),
        faults=tuple(faults_of(inventory)),
        remarks=tuple(remarks_of(inventory)),
        safeguards=tuple(safeguards_of(inventory)) if settings.details else (),
        never_created=tuple(
            (judgement.at, judgement.resource.logical_id, _never(judgement))
            for judgement in judged
            if judgement.never_created
        ),
    )


def _never(judgement: DeclaredJudgement) -> str:
    condition = judgement.resource.body.get("Condition")
    because = f": its condition `{condition}` is false in all of them" if condition is not None else ""
    return f"no deployment creates this bucket{because}"


def _excused(report: Report, assembly: Assembly, today: datetime.date, unasked: Collection[str]) -> Report:
    declared = [each for stack in assembly.stacks for each in declared_exceptions(stack)]
    if assembly.acknowledged:
        declared += acknowledged_exceptions(assembly.acknowledged, report.findings, today)
    granted = [each for each in declared if isinstance(each, GrantedException)]
    malformed = [each for each in declared if isinstance(each, Finding)]
    report = replace(report, findings=(*report.findings, *dict.fromkeys(malformed)))
    return grant_exceptions(report, dict.fromkeys(granted), today, unasked=unasked)
