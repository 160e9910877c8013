"""What the page says beyond the verdicts: what watches the buckets, and which requirements that answers."""

from __future__ import annotations

from collections.abc import Callable

from secure_bucket.findings.finding import Report
from secure_bucket.formats.compliance import REQUIREMENTS, Requirement
from secure_bucket.formats.html_parts import code, prose, table
from secure_bucket.formats.markup import Content, Markup, each, tag
from secure_bucket.values.unknown import Place

__all__ = ["compliance", "monitoring"]


def monitoring(report: Report, where: Callable[[Place], str]) -> Markup:
    """Return what watches the buckets, as far as the templates declare it.

    Args:
        report: The report.
        where: Returns a place as text.
    """
    if report.accounts:
        return tag("p", "What watches buckets that run is not looked at here.")
    if not report.safeguards:
        return tag("p", "These templates declare nothing that watches their buckets.")
    rows = [(code(one.subject.path), prose(one.what), code(where(one.at))) for one in report.safeguards]
    caption = "What the templates declare besides the denies, as it is written: it was not tried out"
    return table(caption, ("Resource", "What it does", "Where"), rows)


def compliance(report: Report) -> Markup:
    """Return the requirements that the report bears on, and how far."""
    running = bool(report.accounts)
    rows = []
    for one in REQUIREMENTS:
        if running and not one.rules:
            continue
        reference = each(tag("a", one.document, href=one.url), tag("p", one.number), tag("p", one.title))
        leaves = (one.leaves_running if running else "") or one.leaves
        rows.append((reference, one.asks, _shown(report, one), leaves))
    limit = "templates: what is changed after the deployment, it does not see."
    if running:
        limit = "the policies that were in force when they were read: what is changed later, it does not see."
    words = (
        "This report is evidence for a part of each of these requirements; it certifies none. It judges "
        f"{limit}"
    )
    heads = ("Requirement", "Asks for", "Shown here", "Not shown here")
    return each(tag("p", words), table("Requirements that this report bears on", heads, rows))


def _shown(report: Report, one: Requirement) -> Content:
    words = (one.shows_running if report.accounts else "") or one.shows
    if one.rules:
        return each(tag("p", words), tag("p", f"By the verdicts, and {', '.join(one.rules)}."))
    names = dict.fromkeys(
        safeguard.subject.path for safeguard in report.safeguards if safeguard.kind in one.safeguards
    )
    if not names:
        first, *others = (tag("code", name) for name in one.constructs)
        answers = each(first, *(each(" or ", other) for other in others))
        return tag("p", "Nothing: these templates declare no such resource. ", answers, " makes one.")
    return each(tag("p", words), tag("ul", *(tag("li", code(name)) for name in names)))
