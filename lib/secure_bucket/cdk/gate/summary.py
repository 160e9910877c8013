"""Sum up the findings of the gate in one line."""

from __future__ import annotations

from secure_bucket.cdk.gate.violations import PLUGIN
from secure_bucket.findings.finding import Report
from secure_bucket.findings.rules.sb010 import describe_unread

__all__ = ["summary_of"]


def summary_of(report: Report, acknowledged: int, imported: int, fixed: int) -> str:
    """Return the line.

    Args:
        report: The report on the assembly.
        acknowledged: The number of accepted findings.
        imported: The number of buckets that the app imports.
        fixed: The number of buckets that FIX fixed.
    """
    total = len(report.buckets)
    counts = [f"{total} bucket{'' if total == 1 else 's'}", f"{report.proven} proven"]
    for number, what in (
        (fixed, "of them fixed"),
        (report.refuted, "accepting plain HTTP"),
        (report.undecided, "undecided"),
        (acknowledged, "acknowledged"),
        (len(report.not_applicable), "of another kind (not judged)"),
        (len(report.never_created), "never created"),
        (imported, "imported (not covered)"),
    ):
        if number:
            counts.append(f"{number} {what}")
    if report.partners:
        counts.append(f"proven only together with {', '.join(f'`{name}`' for name in report.partners)}")
    if report.unread:
        counts.append(describe_unread(report.unread))
    return f"{PLUGIN}: {', '.join(counts)}"
