"""The report for programs, as JSON of a published form.

The form is `report-1.schema.json`, beside this module. Its number changes only when a program that reads
the form could break; a new member does not change it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from typing_extensions import assert_never

from secure_bucket.findings.finding import (
    Fault,
    Finding,
    GrantedException,
    JudgedBucket,
    Level,
    Report,
    Safeguard,
)
from secure_bucket.findings.subject import Declared, Running, Subject
from secure_bucket.formats.cases import verdict_name
from secure_bucket.formats.characters import well_formed
from secure_bucket.formats.extent import Excerpts
from secure_bucket.formats.fingerprint import fingerprint
from secure_bucket.formats.run import Run
from secure_bucket.policy.request import Request
from secure_bucket.proof.verdict import Proven, Refuted, Undecided, Verdict
from secure_bucket.values.unknown import Place

__all__ = ["SCHEMA", "render"]

SCHEMA = "secure-bucket/report/1"

Json: TypeAlias = "str | int | bool | Sequence[Json] | Mapping[str, Json] | None"


def render(report: Report, run: Run) -> str:
    """Return the report as a JSON document, with file names relative to the root of the run."""
    return well_formed(json.dumps(_Writer(run).report(report), ensure_ascii=False, indent=2)) + "\n"


class _Writer:
    def __init__(self, run: Run) -> None:
        self.run = run
        self.excerpts = Excerpts(run.source)

    def report(self, report: Report) -> Json:
        levels = [finding.level for finding in report.findings]
        return {
            "schema": SCHEMA,
            "tool": {"name": "secure-bucket", "version": self.run.version or None},
            "run": {
                "finished_at": self.run.timestamp or None,
                "exit_code": self.run.exit_code,
                "options": [{"name": name, "value": value} for name, value in self.run.options],
            },
            "summary": {
                "templates": len(report.templates),
                "accounts": len(report.accounts),
                "buckets": len(report.buckets),
                "proven": report.proven,
                "refuted": report.refuted,
                "undecided": report.undecided,
                "skipped": len(report.not_applicable),
                "errors": levels.count(Level.ERROR),
                "warnings": levels.count(Level.WARNING),
                "notes": levels.count(Level.NOTE),
                "excepted": sum(len(granted.findings) for granted in report.exceptions),
                "baselined": len(report.baselined),
                "faults": len(report.faults),
            },
            "templates": [self.run.relative(file) for file in report.templates],
            "accounts": list(report.accounts),
            "buckets": [self.bucket(bucket) for bucket in report.buckets],
            "findings": [self.finding(finding) for finding in report.findings],
            "exceptions": [self.exception(granted) for granted in report.exceptions],
            "baselined": [self.finding(finding) for finding in report.baselined],
            "skipped": [
                {"name": name, "at": self.place(at), "why": why} for at, name, why in report.not_applicable
            ],
            "faults": [self.fault(fault) for fault in report.faults],
            "safeguards": [self.safeguard(safeguard) for safeguard in report.safeguards],
            "ignored": [{"file": self.run.relative(file), "why": why} for file, why in report.ignored],
        }

    def place(self, at: Place) -> Json:
        return {
            "file": self.run.relative(at.file),
            "line": at.line or None,
            "column": at.column or None,
            "pointer": at.pointer,
        }

    def subject(self, subject: Subject) -> dict[str, Json]:
        match subject:
            case Declared():
                return {
                    "logical_id": subject.logical_id or None,
                    "construct_path": subject.construct_path or None,
                    "template": self.run.relative(subject.template),
                    "arn": None,
                    "account": None,
                }
            case Running():
                return {
                    "logical_id": None,
                    "construct_path": None,
                    "template": "",
                    "arn": subject.arn or None,
                    "account": subject.account or None,
                }
            case _:
                assert_never(subject)

    def bucket(self, bucket: JudgedBucket) -> Json:
        return {
            **self.subject(bucket.subject),
            "name": bucket.subject.name or None,
            "region": bucket.subject.region or None if isinstance(bucket.subject, Running) else None,
            "as_of": bucket.subject.as_of or None if isinstance(bucket.subject, Running) else None,
            "stack": bucket.subject.stack or None if isinstance(bucket.subject, Declared) else None,
            "at": self.place(bucket.at),
            "verdict": self.verdict(bucket.verdict),
        }

    def verdict(self, verdict: Verdict) -> Json:
        outcome = verdict_name(verdict)
        match verdict:
            case Proven():
                return {"outcome": outcome, "statements": list(verdict.statements)}
            case Refuted():
                return {
                    "outcome": outcome,
                    "request": _request(verdict.request),
                    "why": verdict.why,
                    "at": self.place(verdict.at),
                    "statement": verdict.statement,
                }
            case Undecided():
                return {
                    "outcome": outcome,
                    "reasons": [
                        {"reason": unknown.reason, "at": self.place(unknown.at)}
                        for unknown in verdict.reasons
                    ],
                }
            case _:
                assert_never(verdict)

    def finding(self, finding: Finding) -> Json:
        created_at = finding.created_at
        return {
            "rule": finding.rule,
            "level": finding.level.value,
            "message": finding.message,
            "fix": finding.fix,
            "at": self.place(finding.at),
            "created_at": None if created_at is None else self.place(created_at),
            **self.subject(finding.subject),
            "request": None if finding.request is None else _request(finding.request),
            "parameters": dict(finding.parameters),
            "fingerprint": fingerprint(finding, self.run, self.excerpts),
        }

    def exception(self, granted: GrantedException) -> Json:
        return {
            "rule": granted.rule,
            **self.subject(granted.subject),
            "reason": granted.reason,
            "at": self.place(granted.at),
            "expires": None if granted.expires is None else granted.expires.isoformat(),
            "expired": granted.expired,
            "used": granted.used,
            "findings": [self.finding(finding) for finding in granted.findings],
        }

    def safeguard(self, safeguard: Safeguard) -> Json:
        return {
            "kind": safeguard.kind.name.lower().replace("_", "-"),
            "what": safeguard.what,
            **self.subject(safeguard.subject),
            "at": self.place(safeguard.at),
        }

    def fault(self, fault: Fault) -> Json:
        return {
            "file": self.run.relative(fault.file),
            "message": fault.message,
            "at": self.place(fault.at),
        }


def _request(request: Request) -> Json:
    return {
        "principal": request.principal,
        "action": request.action,
        "resource": request.resource,
        "context": {
            key: value if isinstance(value, str) else list(value)
            for key, value in sorted(request.context.items())
        },
    }
