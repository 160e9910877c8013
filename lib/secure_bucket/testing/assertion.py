"""Assert that no bucket accepts plain HTTP."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from secure_bucket.checks.check import Settings, check_template
from secure_bucket.checks.cloud_assembly import check_assembly, check_written_assembly
from secure_bucket.checks.judged_files import left_over_files
from secure_bucket.findings.finding import Finding, Level, Report
from secure_bucket.findings.rules import UNREAD
from secure_bucket.template.constructs import made_by_cdk
from secure_bucket.template.leftovers import Leftovers
from secure_bucket.template.load import Document, load_document, parse_document
from secure_bucket.testing.subject import find_acknowledgments, synthesize, template_of

__all__ = ["assert_denies_http"]

_PASS_INSTEAD = (
    "a template alone contains neither the templates that it deploys nor the acknowledgments of its app: "
    "pass the stack or the App instead of its template, or the directory of the cloud assembly"
)


def assert_denies_http(
    template: Any, *, minimum_tls_version: float | None = None, accept: Iterable[str] = ()
) -> None:
    """Assert that every bucket provably denies every request over plain HTTP.

    Undecided buckets and unread templates fail too. A subject without a bucket passes. Exceptions in
    templates and acknowledgments in the app count as in the gate.

    Args:
        template: A stack with its nested stacks; an App or a Stage with all its stacks; a `Template` of
            `aws_cdk.assertions`; a template as a dictionary or a file; or the directory of a cloud assembly.
        minimum_tls_version: Also assert that every request over an older TLS version is denied, such as `1.2`
            (default: ignore TLS versions).
        accept: The findings that the test accepts: ids of rules, such as `SB010`, or construct paths, each
            with the constructs inside (default: none).

    Raises:
        AssertionError: A bucket accepts a request. The message names the bucket, the request, the reason and
            the fix.
        TemplateError: A template cannot be read.
        TypeError: `template` has another type.
    """
    report = _check(template, minimum_tls_version)
    path = template.node.path if hasattr(template, "node") else ""
    # Judge a stack together with its app, because the policy of a bucket can be in another stack.
    # INVARIANT: a bucket without a path, such as one in a stack set, can belong to this stack.
    own = [each for each in report.findings if not each.construct_path or _is_within(each, path)]
    accepted = (accept,) if isinstance(accept, str) else tuple(accept)
    problems = [
        _text(finding)
        for finding in own
        if finding.level is Level.ERROR
        and not any(each == finding.rule or (each and _is_within(finding, each)) for each in accepted)
    ]
    problems += [f"- {fault.message}" for fault in report.faults]
    unread = any(finding.rule == UNREAD for finding in report.findings)
    if problems and not _is_whole(template) and (unread or made_by_cdk(_document_of(template))):
        problems.append(_PASS_INSTEAD)
    if problems:
        raise AssertionError("\n".join(["plain HTTP is not denied:", *problems]))


def _is_within(finding: Finding, path: str) -> bool:
    return not path or f"{finding.construct_path}/".startswith(f"{path}/")


def _is_whole(subject: Any) -> bool:
    """Tell whether a subject is a construct or the directory of an assembly, and not a single template."""
    return hasattr(subject, "node") or (isinstance(subject, (str, os.PathLike)) and os.path.isdir(subject))


def _document_of(subject: Any) -> Document:
    template = template_of(subject)
    return load_document(template) if isinstance(template, Path) else parse_document(template)


def _check(subject: Any, minimum: float | None) -> Report:
    today = datetime.date.today()
    if hasattr(subject, "node"):
        directory = synthesize(subject)
        settings = Settings(False, minimum, today, tuple(find_acknowledgments(subject)))
        return check_written_assembly(directory, settings, Leftovers(left_over_files(directory))).report
    if _is_whole(subject):
        return check_assembly(subject, minimum_tls_version=minimum, exceptions_as_of=today)
    return check_template(_document_of(subject), minimum_tls_version=minimum, exceptions_as_of=today)


def _text(finding: Finding) -> str:
    path = finding.construct_path.removesuffix("/Resource")
    where = f"`{path}`: " if path and f"`{path}`" not in finding.message else ""
    return f"- {where}{finding.message}\n  {finding.rule}; to fix it: {finding.fix}"
