"""Check templates: ask the prover about each bucket, and apply the rules to the answers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from secure_bucket.checks.doubt import faults_of, remarks_of
from secure_bucket.errors import TemplateError
from secure_bucket.findings.declared import DeclaredJudgement
from secure_bucket.findings.finding import Finding, GrantedException, JudgedBucket, Report
from secure_bucket.findings.judge import Judge
from secure_bucket.findings.rules import OLD_TLS, RULES, UNREAD
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

if TYPE_CHECKING:
    import datetime

__all__ = ["check_document", "check_template", "check_templates", "report_on"]


def check_template(
    source: str | os.PathLike[str] | Mapping[str, Any],
    *,
    strict: bool = False,
    minimum_tls_version: float | str | None = None,
    exceptions_as_of: datetime.date | None = None,
) -> Report:
    """Check every bucket of one CloudFormation template.

    Args:
        source: The file, JSON or YAML, or the template as a dictionary.
        strict: Take `{"AWS": "*"}` not to cover AWS service principals, which AWS does not document.
        minimum_tls_version: Also find requests over an older TLS version that get through, as `1.2`
            (default: no question about TLS).
        exceptions_as_of: The day for which exceptions are granted: those in the `Metadata` of the resources,
            and in a cloud assembly the acknowledgments. (default: no exception is
            granted, and every finding counts).

    Returns:
        The verdict on each bucket, and the findings.

    Raises:
        TemplateError: If it cannot be read, or is not a template.
    """
    return check_document(
        parse_document(source) if isinstance(source, Mapping) else load_document(source),
        strict=strict,
        minimum_tls_version=minimum_tls_version,
        exceptions_as_of=exceptions_as_of,
    )


def check_document(
    document: Document,
    *,
    strict: bool = False,
    minimum_tls_version: float | str | None = None,
    exceptions_as_of: datetime.date | None = None,
) -> Report:
    """Check every bucket of one template that has been read already, from a pipe or a database.

    Args:
        document: The template, as `parse_document` returns it.
        strict: As for `check_template`.
        minimum_tls_version: As for `check_template`.
        exceptions_as_of: As for `check_template`.

    Raises:
        TemplateError: If it is nested too deeply.
    """
    return report_on(
        lambda: read_document(document),
        f"`{document.name}`",
        strict,
        minimum_tls_version,
        exceptions_as_of,
    )


def check_templates(
    templates: Iterable[str | os.PathLike[str] | Document],
    *,
    strict: bool = False,
    minimum_tls_version: float | str | None = None,
    exceptions_as_of: datetime.date | None = None,
    siblings: Mapping[str, Sequence[str]] | None = None,
) -> Report:
    """Check the templates of one application, which may import each other's exports.

    Args:
        templates: Their files, or the documents that were read from them already.
        strict: As for `check_template`.
        minimum_tls_version: As for `check_template`.
        exceptions_as_of: As for `check_template`.
        siblings: Further files that may hold the template of a nested stack, by their last component.

    Raises:
        TemplateError: If one cannot be read, or is not a template.
    """
    given = list(templates)
    names = (each.name if isinstance(each, Document) else os.fspath(each) for each in given[:3])
    named = ", ".join(f"`{name}`" for name in names)
    return report_on(
        lambda: read_templates(given, siblings), named, strict, minimum_tls_version, exceptions_as_of
    )


def report_on(
    read: Callable[[], Assembly],
    named: str,
    strict: bool,
    minimum_tls_version: float | str | None,
    exceptions_as_of: datetime.date | None,
) -> Report:
    """Judge every bucket of an assembly, and grant exceptions where a day is given.

    Args:
        read: Reads the templates that are deployed together.
        named: What messages call them.
        strict: As for `check_template`.
        minimum_tls_version: As for `check_template`.
        exceptions_as_of: As for `check_template`.

    Raises:
        TemplateError: If a template cannot be read, or is nested too deeply.
    """
    minimum = None if minimum_tls_version is None else float(minimum_tls_version)
    try:
        assembly = read()
        report = _report(Inventory(assembly), strict, minimum)
        if exceptions_as_of is not None:
            report = _excused(report, assembly, exceptions_as_of, minimum)
    except RecursionError:
        raise TemplateError(f"{named}: nested too deeply to be read") from None
    return report if strict else _noted(report)


def _noted(report: Report) -> Report:
    """Move the findings that only `strict` counts to the notes."""
    quiet = {rule.id for rule in RULES if rule.only_if_strict}
    notes = tuple(finding for finding in report.findings if finding.rule in quiet)
    if not notes:
        return report
    findings = tuple(finding for finding in report.findings if finding.rule not in quiet)
    return replace(report, findings=findings, notes=notes)


def _report(inventory: Inventory, strict: bool, minimum: float | None) -> Report:
    judge = Judge(inventory, strict, minimum)
    judged = [judge.bucket(bucket) for bucket in inventory.buckets]
    judgements: list[DeclaredJudgement] = [each for each in judged if not each.never_created]
    foreign = [judge.foreign(policy) for policy in inventory.loose]
    order = {id(stack): index for index, stack in enumerate(inventory.assembly.stacks)}
    everything = [*judgements, *(judgement for judgement in foreign if judgement is not None)]
    findings: list[tuple[tuple[int, int, str], Finding]] = []
    for position, judgement in enumerate(everything):
        for rule in RULES:
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
                judgement.at,
                viewers=tuple(map(str, judgement.viewers)),
                together_with=judgement.together_with,
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
        safeguards=tuple(safeguards_of(inventory)),
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


def _excused(report: Report, assembly: Assembly, today: datetime.date, minimum: float | None) -> Report:
    from secure_bucket.findings.exceptions import declared_exceptions, grant_exceptions

    declared = [each for stack in assembly.stacks for each in declared_exceptions(stack)]
    if assembly.acknowledged:
        # Takes 2 ms to load, and a single template has none.
        from secure_bucket.findings.acknowledgments import acknowledged_exceptions

        declared += acknowledged_exceptions(assembly.acknowledged, report.findings, today)
    granted = [each for each in declared if isinstance(each, GrantedException)]
    malformed = [each for each in declared if isinstance(each, Finding)]
    report = replace(report, findings=(*report.findings, *dict.fromkeys(malformed)))
    unasked = () if minimum is not None else (OLD_TLS,)
    return grant_exceptions(report, dict.fromkeys(granted), today, unasked=unasked)
