"""Show what watches the buckets, and the requirements that the report supports."""

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
    """Return the requirements that the report supports, and to what extent; one line for each other one."""
    running = bool(report.accounts)
    rows, missing = [], []
    for one in REQUIREMENTS:
        if running and not one.rules:
            continue
        shown = _shown(report, one)
        if shown is None:
            missing.append(_missing(one))
            continue
        reference = each(tag("a", one.document, href=one.url), tag("p", f"{one.number}: {one.title}"))
        leaves = (one.leaves_running if running else "") or one.leaves
        rows.append((reference, one.asks, shown, leaves))
    limit = "templates: it does not see what changes after the deployment."
    if running:
        limit = "the policies in force when they were read: it does not see later changes."
    words = (
        "This report is evidence for a part of each of these requirements, and not a certificate. It judges "
        f"{limit}"
    )
    heads = ("Requirement", "Asks for", "Shown here", "Not shown here")
    listed = each(
        tag("p", "Not shown here, because these templates declare no resource for it:"),
        tag("ul", *missing, class_="lines"),
    )
    table_of = table("Requirements that this report supports", heads, rows)
    return each(tag("p", words), table_of, listed if missing else None)


def _shown(report: Report, one: Requirement) -> Content:
    """Return what the report shows for a requirement; `None` if it shows nothing."""
    words = (one.shows_running if report.accounts else "") or one.shows
    if one.rules:
        return each(tag("p", words), tag("p", f"By the verdicts, and {', '.join(one.rules)}."))
    names = dict.fromkeys(
        safeguard.subject.path for safeguard in report.safeguards if safeguard.kind in one.safeguards
    )
    if not names:
        return None
    return each(tag("p", words), tag("ul", *(tag("li", code(name)) for name in names)))


def _missing(one: Requirement) -> Markup:
    first, *others = (tag("code", name) for name in one.constructs)
    answers = each(first, *(each(" or ", other) for other in others))
    return tag(
        "li", tag("a", one.document, href=one.url), f" {one.number}, {one.title}: ", answers, " adds it"
    )
