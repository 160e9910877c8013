"""Write the report as SARIF 2.1.0, for code scanning and editors.

GitHub code scanning reads only a part of a result: the rule, the message, the level and the first location.
This matters in two places:

- it ignores `suppressions` and would show an excepted finding as an open alert, so `suppressed=False` omits
  excepted findings;
- it identifies an alert only by `primaryLocationLineHash`, which its upload action computes from the file.
  For other readers, we add a fingerprint that does not depend on line numbers.

See https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html and
https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, TypeAlias
from urllib.parse import quote

from secure_bucket.findings.advice import plain_advice
from secure_bucket.findings.finding import Fault, Finding, Report
from secure_bucket.findings.rules import RULES, Rule
from secure_bucket.formats.cases import Excused, excused
from secure_bucket.formats.characters import json_text, well_formed
from secure_bucket.formats.extent import Excerpts
from secure_bucket.formats.fingerprint import fingerprint
from secure_bucket.formats.run import Replacement, Run
from secure_bucket.formats.summary import summary
from secure_bucket.values.unknown import Place

__all__ = ["FINGERPRINT", "render"]

FINGERPRINT = "secureBucketFinding/v1"

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"
# CWE-319 is the cleartext transmission of sensitive information.
_TAGS = ("aws", "s3", "security", "external/cwe/cwe-319")
# We omit `security-severity`: with it, GitHub grades an alert by that number instead of its level, and fails
# a pull request only from "high".

_Object: TypeAlias = "dict[str, Any]"


def render(report: Report, run: Run, *, suppressed: bool = True) -> str:
    """Return the report as a SARIF 2.1.0 log.

    Args:
        report: The report.
        run: The run of the check; its `source` gives the regions.
        suppressed: Whether to include excused findings, as results with a suppression (default: include
            them).
    """
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [_Writer(run).run_of(report, suppressed)]}
    return json_text(log)


class _Writer:
    def __init__(self, run: Run) -> None:
        self.run = run
        self.excerpts = Excerpts(run.source)

    def run_of(self, report: Report, suppressed: bool) -> _Object:
        excuses = excused(report) if suppressed else ()
        rules = {rule.id: _rule(rule, self.run.rule_address(rule.id)) for rule in RULES}
        for finding in (*report.findings, *report.notes, *(each.finding for each in excuses)):
            rules.setdefault(finding.rule, {"id": finding.rule})
        indices = {rule: index for index, rule in enumerate(rules)}
        driver: _Object = {"name": "secure-bucket", "rules": list(rules.values())}
        if self.run.repository:
            driver["informationUri"] = self.run.repository
        if self.run.version:
            driver |= {"version": self.run.version, "semanticVersion": self.run.version}
        root = "The directory that all files are relative to, usually the root of the repository."
        return {
            "tool": {"driver": driver},
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {_ROOT: {"description": {"text": root}}},
            "invocations": [self.invocation(report)],
            "results": [
                *(self.result(finding, indices) for finding in (*report.findings, *report.notes)),
                *(self.suppressed(each, indices) for each in excuses),
            ],
            "properties": {"summary": summary(report)},
        }

    def invocation(self, report: Report) -> _Object:
        invocation: _Object = {"executionSuccessful": not report.faults and self.run.exit_code != 2}
        if self.run.exit_code is not None:
            invocation["exitCode"] = self.run.exit_code
        if self.run.timestamp:
            invocation["endTimeUtc"] = self.run.timestamp
        notifications = [self.notification(fault) for fault in report.faults]
        for at, logical_id, why in report.never_created:
            never = Fault(at.file, f"never created: bucket `{logical_id}`: {why}", at)
            notifications.append(self.notification(never) | {"level": "note"})
        if notifications:
            invocation["toolExecutionNotifications"] = notifications
        if self.run.options:
            invocation["properties"] = {"options": dict(self.run.options)}
        return invocation

    def notification(self, fault: Fault) -> _Object:
        notification: _Object = {"level": "error", "message": {"text": _plain(fault.message)}}
        at = fault.place
        return notification | ({"locations": [self.location(at)]} if at.file else {})

    def result(self, finding: Finding, indices: dict[str, int]) -> _Object:
        result: _Object = {
            "ruleId": finding.rule,
            "ruleIndex": indices[finding.rule],
            "level": finding.level.value,
            "message": {"text": _plain(f"{finding.message}\nFix: {plain_advice(finding)}")},
        }
        location = self.location(finding.created_at or finding.at)
        location["logicalLocations"] = [
            {
                "name": finding.subject.label,
                "fullyQualifiedName": finding.subject.path,
                "kind": "resource",
            }
        ]
        result["locations"] = [location]
        if finding.created_at is not None and finding.at.file:
            template = {"message": {"text": "The place in the template."}}
            result["relatedLocations"] = [{"id": 1} | self.location(finding.at) | template]
        result["partialFingerprints"] = {FINGERPRINT: fingerprint(finding, self.run, self.excerpts)}
        if fixes := self.run.fixes(finding):
            result["fixes"] = [self.fix(fixes)]
        properties: _Object = {"fix": finding.fix}
        if finding.request is not None:
            properties["request"] = {
                "principal": finding.request.principal,
                "action": finding.request.action,
                "resource": finding.request.resource,
                "context": dict(sorted(finding.request.context.items())),
            }
        if finding.parameters:
            properties["parameters"] = dict(finding.parameters)
        result["properties"] = properties
        return result

    def fix(self, replacements: tuple[Replacement, ...]) -> _Object:
        """Return a fix of one file: whole lines, and the lines that replace them."""
        changes = [
            {
                "deletedRegion": {
                    "startLine": each.line,
                    "startColumn": 1,
                    "endLine": each.line + len(each.old) - 1,
                    "endColumn": len(each.old[-1].rstrip("\r\n")) + 1,
                },
                "insertedContent": {"text": "".join(each.new).rstrip("\r\n")},
            }
            for each in replacements
        ]
        artifact = self.artifact(replacements[0].file)
        return {
            "description": {"text": "Add the statement that denies plain HTTP."},
            "artifactChanges": [{"artifactLocation": artifact, "replacements": changes}],
        }

    def suppressed(self, each: Excused, indices: dict[str, int]) -> _Object:
        in_template = each.by is not None and each.by.at.file and each.by.at.file == each.finding.template
        suppression: _Object = {
            "kind": "inSource" if in_template else "external",
            "status": "accepted",
            "justification": each.why,
        }
        if each.by is not None and each.by.at.file:
            suppression["location"] = self.location(each.by.at)
        return self.result(each.finding, indices) | {"suppressions": [suppression]}

    def location(self, at: Place) -> _Object:
        if not at.file:
            return {}
        physical: _Object = {"artifactLocation": self.artifact(at.file)}
        if at.line:
            physical["region"] = self.region(at)
        return {"physicalLocation": physical}

    def region(self, at: Place) -> _Object:
        part = self.excerpts.at(at)
        if part is None:
            return {"startLine": at.line} | ({"startColumn": at.column} if at.column else {})
        return {
            "startLine": part.line,
            "startColumn": part.column,
            "endLine": part.end_line,
            "endColumn": part.end_column,
            "snippet": {"text": part.text},
        }

    def artifact(self, file: str) -> _Object:
        name = self.run.relative(file)
        for path in (PurePosixPath(name), PureWindowsPath(name)):
            if path.is_absolute():
                return {"uri": path.as_uri()}
        return {"uri": quote(well_formed(name)), "uriBaseId": _ROOT}


def _rule(rule: Rule, address: str) -> _Object:
    """Return a rule with its manual; all manuals have the same headings.

    Args:
        rule: The rule.
        address: The address of its page; `""` to use the first reference of the manual.
    """
    title, _, body = rule.manual.partition("\n")
    sections = dict(re.findall(r"^## (.+)\n\n((?s:.+?))\s*(?=^## |\Z)", body, re.MULTILINE))
    what = " ".join(sections.get("What it does", title).split())
    first = re.match(r"(?:`[^`]*`|[^.])*\.?", what)
    links = re.findall(r"https://\S+", sections.get("References", ""))
    descriptor: _Object = {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": first.group() if first else what},
        "fullDescription": {"text": what},
        # Braces need no escape here: a manual has no placeholders.
        "help": {"text": rule.manual.strip(), "markdown": rule.manual.strip()},
        "properties": {"tags": list(_TAGS), "precision": "very-high"},
    }
    links = [address] if address else links
    return descriptor | ({"helpUri": links[0]} if links else {})


def _plain(text: str) -> str:
    """Return a text as a message without placeholders (3.11.5) and links (3.11.6)."""
    return text.replace("{", "{{").replace("}", "}}").replace("](", "\\](")
