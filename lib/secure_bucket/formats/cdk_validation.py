"""Write a report into `validation-report.json` of a cloud assembly, for the tools of the CDK.

`cdk validate`, `cdk explore` and the language server of the CDK read that file. The CDK writes it for
validation plugins (aws-cdk-lib 2.257 and newer); its schema is `validation-report.schema.json` of
`@aws-cdk/cloud-assembly-schema` 55.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from secure_bucket.findings.finding import Fault, Finding, GrantedException, Level, Report
from secure_bucket.template.manifest import MANIFEST, VALIDATION_REPORT
from secure_bucket.template.write import write_atomically

__all__ = ["with_report", "write_validation_report"]

_PLUGIN = "secure-bucket"
# INVARIANT: this entry marks the reports of the gate, which replaces only those. The report of our validation
# plugin has no such entry and stays, because it may fail the app.
_WRITER = {"written-by": "secure-bucket gate"}
_SEVERITIES = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "info"}
# The App. The CDK CLI shows its violations for every selection of stacks.
_APP = ""


class _Resource(Struct, frozen=True, rename="camel"):
    template_path: str
    logical_id: str


class _Construct(Struct, frozen=True, rename="camel", omit_defaults=True):
    # INVARIANT: the schema requires the path. A field without a default is never omitted.
    construct_path: str
    cloud_formation_resource: _Resource | None = None
    stack_traces: tuple[str, ...] = ()


class _Violation(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    rule_name: str
    description: str
    severity: str
    violating_constructs: tuple[_Construct, ...]
    suggested_fix: str = ""
    acknowledged_id: str = ""
    reason: str = ""


class _PluginReport(Struct, frozen=True, rename="camel"):
    plugin_name: str
    plugin_version: str
    conclusion: str
    metadata: dict[str, str]
    violations: tuple[_Violation, ...]
    suppressed_violations: tuple[_Violation, ...]


def write_validation_report(report: Report, directory: str, *, passed: bool, version: str) -> None:
    """Write a report into the validation report of a cloud assembly, and keep the reports of other plugins.

    Args:
        report: The report on the assembly.
        directory: The directory of the assembly.
        passed: Whether the assembly passes.
        version: The version of this library.

    Raises:
        OSError: If the file cannot be read or written.
        ValueError: If its content is not a validation report.
    """
    file = os.path.join(directory, VALIDATION_REPORT)
    try:
        with open(file, "rb") as stream:
            before: object = json.loads(stream.read())
    except FileNotFoundError:
        before = None
    after = with_report(before, report, directory, passed=passed, version=version)
    if after is not None and after != before:
        write_atomically(file, json.dumps(after, indent=2) + "\n")


def with_report(
    before: object, report: Report, directory: str, *, passed: bool, version: str
) -> dict[str, Any] | None:
    """Return a validation report with a report in place of an earlier one.

    Args:
        before: The content of the file; `None` if the assembly has no such file.
        report: The report on the assembly.
        directory: The directory of the assembly.
        passed: Whether the assembly passes.
        version: The version of this library.

    Returns:
        The new content; `None` if there is no file and nothing to report.

    Raises:
        ValueError: If the content is not a validation report.
    """
    ours = _PluginReport(
        _PLUGIN,
        version,
        "success" if passed else "failure",
        _WRITER,
        tuple(_violations(report, directory, passed=passed)),
        tuple(_suppressed(report, directory)),
    )
    has_content = bool(ours.violations or ours.suppressed_violations) or not passed
    if before is None:
        if not has_content:
            return None
        before = {"version": _schema_of(directory), "title": "Validation Report", "pluginReports": []}
    if not isinstance(before, Mapping) or not isinstance(before.get("pluginReports"), list):
        raise ValueError(f"`{VALIDATION_REPORT}` is not a validation report")
    others = [each for each in before["pluginReports"] if not _is_ours(each)]
    added = [msgspec.json.decode(msgspec.json.encode(ours))] if has_content else []
    return {**before, "pluginReports": [*others, *added]}


def _is_ours(plugin_report: object) -> bool:
    return isinstance(plugin_report, Mapping) and plugin_report.get("metadata") == _WRITER


def _schema_of(directory: str) -> str:
    """Return the schema version of the assembly.

    Raises:
        OSError: If the manifest cannot be read.
        ValueError: If the manifest has no version.
    """
    with open(os.path.join(directory, MANIFEST), "rb") as stream:
        manifest = json.loads(stream.read())
    version = manifest.get("version") if isinstance(manifest, Mapping) else None
    if not isinstance(version, str):
        raise ValueError(f"`{MANIFEST}` has no `version`")
    return version


def _violations(report: Report, directory: str, *, passed: bool) -> Iterator[_Violation]:
    for finding in report.findings:
        yield _violation(finding, directory, passed=passed)
    for fault in report.faults:
        yield _fault_violation(fault)


def _suppressed(report: Report, directory: str) -> Iterator[_Violation]:
    for granted in report.exceptions:
        for finding in granted.findings:
            yield _accepted(finding, directory, granted)
    for finding in report.baselined:
        yield _accepted(finding, directory, None)


def _accepted(finding: Finding, directory: str, granted: GrantedException | None) -> _Violation:
    reason = "the baseline lists it" if granted is None else granted.reason
    return msgspec.structs.replace(
        _violation(finding, directory, passed=True),
        acknowledged_id=f"{_PLUGIN}::{finding.rule}",
        reason=reason,
    )


def _violation(finding: Finding, directory: str, *, passed: bool) -> _Violation:
    path = finding.construct_path
    message = finding.message
    if path and not passed:
        message = f"`{path.removesuffix('/Resource')}`: {message}"
    resource = None
    if finding.template and finding.logical_id:
        resource = _Resource(os.path.relpath(finding.template, directory), finding.logical_id)
    traces: tuple[str, ...] = ()
    if finding.created_at is not None:
        at = finding.created_at
        traces = (f"<anonymous> ({os.path.abspath(at.file)}:{at.line}:{at.column})",)
    # A refused assembly has no stacks, and the CLI hides violations of constructs outside the selected
    # stacks.
    paths = (path,) if passed and path else (path, _APP) if path else (_APP,)
    return _Violation(
        rule_name=finding.rule,
        description=message,
        suggested_fix=finding.fix,
        severity=_SEVERITIES[finding.level],
        violating_constructs=tuple(_Construct(each, resource, traces) for each in paths),
    )


def _fault_violation(fault: Fault) -> _Violation:
    return _Violation(
        rule_name="gate-failure",
        description=fault.message,
        severity="fatal",
        violating_constructs=(_Construct(_APP),),
    )
