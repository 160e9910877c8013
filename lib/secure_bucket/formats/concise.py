"""Write each finding on one line, for `grep` and for long reports."""

from __future__ import annotations

from secure_bucket.findings.finding import Report
from secure_bucket.formats import text
from secure_bucket.formats.run import Run

__all__ = ["render"]


def render(report: Report, run: Run) -> str:
    """Return the findings, exceptions, faults and the summary, one line each."""
    return text.render(report, run, concise=True)
