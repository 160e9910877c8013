"""Count the findings by rule, reason, directory and template."""

from __future__ import annotations

import os.path
from collections import Counter
from collections.abc import Iterator

from secure_bucket.findings.finding import JudgedBucket, Report
from secure_bucket.findings.rules import RULES
from secure_bucket.formats.characters import printable, well_formed
from secure_bucket.formats.ending import closing
from secure_bucket.formats.run import Run
from secure_bucket.proof.verdict import Proven, Refuted, Undecided
from secure_bucket.values.never import assert_never

__all__ = ["render"]

_MOST = 10
_NAMES = {rule.id: f"{rule.id} {rule.name}" for rule in RULES}


def render(report: Report, run: Run) -> str:
    """Return the largest ten counts of each kind, and the summary."""
    findings = report.findings
    files = [run.relative(finding.at.file) for finding in findings]
    tables = {
        "rule": Counter(_NAMES.get(finding.rule, finding.rule) for finding in findings),
        "reason": Counter(reason for bucket in report.buckets for reason in _reasons(bucket)),
        "directory": Counter(os.path.dirname(file) or "." for file in files if file),
        "template": Counter(file for file in files if file),
    }
    lines = [line for name, counts in tables.items() if counts for line in _table(name, counts)]
    return well_formed("".join(f"{line}\n" for line in (*lines, closing(report))))


def _table(name: str, counts: Counter[str]) -> Iterator[str]:
    yield f"by {name}:"
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    for word, number in ranked[:_MOST]:
        yield f"{number:>9,}  {printable(word)}"
    if len(ranked) > _MOST:
        yield f"{sum(number for _, number in ranked[_MOST:]):>9,}  in {len(ranked) - _MOST:,} more"


def _reasons(bucket: JudgedBucket) -> Iterator[str]:
    match bucket.verdict:
        case Proven():
            return
        case Refuted(why=why):
            yield why
        case Undecided(reasons=reasons):
            yield from dict.fromkeys(each.reason for each in reasons)
        case _:
            assert_never(bucket.verdict)
