"""Read, apply and write a baseline: the known findings, so that only new findings fail.

An entry contains no line number, so that it survives refactoring. It contains the rule, the file of the
template, and the construct path or else the logical id; for a live bucket, its account and its ARN. If a
template moved, and its old file no longer exists, its entries match by file name or by construct path.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from secure_bucket.errors import SecureBucketError
from secure_bucket.findings.finding import Finding, Level, Report
from secure_bucket.findings.rules import RULES
from secure_bucket.findings.subject import Declared, Running
from secure_bucket.values.never import assert_never

__all__ = [
    "SCHEMA",
    "Baseline",
    "BaselineError",
    "Entry",
    "apply_baseline",
    "read_baseline",
    "update_baseline",
]

SCHEMA = "secure-bucket/baseline/1"
_MAX_BYTES = 64 * 1024 * 1024
_ACCOUNT = "account "
_LIVE = re.compile(r"account \d{12}")
# A baseline cannot hold a finding about a wrong exception: the author has to correct the exception.
_RULES = frozenset(rule.id for rule in RULES if rule.excusable)


class BaselineError(SecureBucketError):
    """A baseline cannot be read."""


class Entry(Struct, frozen=True, order=True):
    """One known finding.

    Args:
        template: The file of the template, relative to the directory of the baseline, with `/`; for a live
            bucket, `account 111122223333`.
        resource: The construct path, the logical id or the ARN.
        rule: The id of the rule.
    """

    template: str
    resource: str
    rule: str

    @property
    def account(self) -> str:
        """The account of a live bucket; `""` for a template."""
        return self.template.removeprefix(_ACCOUNT) if _LIVE.fullmatch(self.template) else ""


class Baseline(Struct, frozen=True):
    """The known findings, and the file that lists them."""

    file: str
    entries: frozenset[Entry] = frozenset()

    def entry(self, finding: Finding) -> Entry:
        """Return the entry for a finding."""
        start = os.path.dirname(os.path.abspath(self.file))
        match finding.subject:
            case Running():
                of = f"{_ACCOUNT}{finding.account}" if finding.account else ""
            case Declared():
                of = finding.template
                if of and not of.startswith("<"):
                    of = os.path.relpath(os.path.abspath(of), start).replace(os.sep, "/")
            case _:
                assert_never(finding.subject)
        return Entry(of, finding.subject.path, finding.rule)

    def path(self, entry: Entry) -> str:
        """Return the path of the template of an entry, which may no longer exist."""
        return os.path.join(os.path.dirname(os.path.abspath(self.file)), entry.template)

    def text(self) -> str:
        """Return the text of the file."""
        findings = [
            {"rule": entry.rule, "template": entry.template, "resource": entry.resource}
            for entry in sorted(self.entries)
        ]
        return json.dumps({"schema": SCHEMA, "findings": findings}, indent=2, ensure_ascii=False) + "\n"


def read_baseline(file: str) -> Baseline:
    """Read a baseline.

    Raises:
        BaselineError: If the file is missing, or is not a baseline.
    """
    try:
        with open(file, "rb") as stream:
            value = json.loads(stream.read(_MAX_BYTES))
    except OSError as error:
        hint = f"; `--write-baseline {file}` writes it" if isinstance(error, FileNotFoundError) else ""
        raise BaselineError(
            f"the baseline `{file}` cannot be read: {error.strerror or error}{hint}"
        ) from None
    except (ValueError, RecursionError) as error:
        said = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error
        raise BaselineError(f"the baseline `{file}` is not JSON: {said}") from None
    if not isinstance(value, Mapping) or value.get("schema") != SCHEMA:
        raise BaselineError(
            f'the baseline `{file}` is not a baseline: it does not say `"schema": "{SCHEMA}"`'
        )
    findings = value.get("findings")
    if not isinstance(findings, list):
        raise BaselineError(f"the baseline `{file}` has no list `findings`")
    return Baseline(file, frozenset(_entry(file, index, each) for index, each in enumerate(findings)))


def _entry(file: str, index: int, value: object) -> Entry:
    fields = ("template", "resource", "rule")
    if not isinstance(value, Mapping) or set(value) != set(fields):
        raise BaselineError(f"the baseline `{file}`: `findings[{index}]` does not have exactly {fields}")
    texts = [value[name] for name in fields]
    if not all(isinstance(text, str) for text in texts) or value["rule"] not in _RULES:
        raise BaselineError(
            f"the baseline `{file}`: `findings[{index}]` is not a finding that a baseline can contain"
        )
    return Entry(*texts)


def apply_baseline(report: Report, baseline: Baseline) -> tuple[Report, frozenset[Entry]]:
    """Return a report in which only findings outside the baseline count, and the entries that matched.

    An entry matches all findings of its rule on its resource.
    """
    counted: list[Finding] = []
    known: list[Finding] = []
    used: dict[Entry, Entry] = {}
    moved = _moved(report.findings, baseline)
    for finding in report.findings:
        entry = baseline.entry(finding)
        old = entry if entry in baseline.entries else moved.get(entry)
        if old is None:
            counted.append(finding)
        else:
            known.append(finding)
            used[entry] = old
    return (
        replace(report, findings=tuple(counted), baselined=(*report.baselined, *known)),
        frozenset(used.values()),
    )


def update_baseline(
    report: Report, baseline: Baseline, used: Iterable[Entry], *, grow: bool = False, whole: bool = True
) -> Baseline:
    """Return a baseline without the entries that are no longer found.

    An entry stays if this run did not check its template or its account.

    Args:
        report: The report that `apply_baseline` returned.
        baseline: The baseline before.
        used: The entries that matched.
        grow: Whether to add the findings that count (default: add no finding).
        whole: Whether the run checked every bucket of the accounts.
    """
    judged = {bucket.subject.label for bucket in report.buckets if bucket.account}

    def was_checked(entry: Entry) -> bool:
        if entry.account:
            return entry.account in report.accounts and (whole or entry.resource in judged)
        path = baseline.path(entry)
        return not os.path.exists(path) or os.path.normpath(path) in checked

    checked = {os.path.abspath(name) for name in report.templates}
    used = frozenset(used)
    kept = {entry for entry in baseline.entries - used if not was_checked(entry)}
    # A moved entry gets its new place.
    kept.update(map(baseline.entry, report.baselined))
    if grow:
        kept.update(
            baseline.entry(finding)
            for finding in report.findings
            if finding.rule in _RULES and finding.level is not Level.NOTE
        )
    return replace(baseline, entries=frozenset(kept))


def _moved(findings: Iterable[Finding], baseline: Baseline) -> Mapping[Entry, Entry]:
    """Match findings outside the baseline with entries of templates that no longer exist, one to one."""
    orphans: dict[tuple[str, str, str], list[Entry]] = {}
    for entry in sorted(baseline.entries):
        if not entry.account and not os.path.exists(baseline.path(entry)):
            orphans.setdefault(_identity(entry), []).append(entry)
    moved: dict[Entry, Entry] = {}
    for finding in findings if orphans else ():
        entry = baseline.entry(finding)
        candidates = orphans.get(_identity(entry))
        if entry not in baseline.entries and entry not in moved and candidates:
            moved[entry] = candidates.pop(0)
    return moved


def _identity(entry: Entry) -> tuple[str, str, str]:
    # A construct path is unique, so the name of the template does not matter.
    name = "" if "/" in entry.resource else entry.template.rpartition("/")[2]
    return name, entry.resource, entry.rule
