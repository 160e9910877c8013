"""Show the remaining sections of the page: exceptions, skipped resources, options, and requirements."""

from __future__ import annotations

from collections.abc import Callable

from secure_bucket.findings.finding import GrantedException, Report
from secure_bucket.formats.compliance import REQUIREMENTS, Requirement
from secure_bucket.formats.html_parts import code, pairs_list, prose, table
from secure_bucket.formats.html_view import View
from secure_bucket.formats.markup import Content, Markup, concat, tag
from secure_bucket.values.unknown import Place

__all__ = ["checked", "compliance", "exceptions", "monitoring", "not_judged"]


def exceptions(view: View) -> Markup:
    """Return the exceptions, and the findings that do not count for another reason."""
    report = view.report
    rows = [
        (
            granted.rule,
            code(granted.subject.label),
            prose(granted.reason),
            granted.expires.isoformat() if granted.expires else "has no end",
            _state(granted),
            concat(
                code(view.where(granted.at) or view.run.relative(granted.template)),
                f" ({granted.origin.words})",
            ),
        )
        for granted in report.exceptions
    ]
    heads = ("Rule", "Resource", "Reason", "Ends", "State", "Where")
    granted = table("Every exception that was granted", heads, rows) if rows else None
    parts: list[Content] = [granted or tag("p", "No exception was granted.")]
    for caption, findings in (
        (
            "Findings that the baseline already held, which do not fail the check",
            report.baselined,
        ),
        ("Findings of ignored rules, which do not fail the check", report.deselected),
    ):
        known = [(one.rule, code(one.subject.path), prose(one.message)) for one in findings]
        if known:
            parts.append(table(caption, ("Rule", "Resource", "Finding"), known))
    return concat(*parts)


def not_judged(view: View) -> Markup:
    """Return everything without a verdict, each with the reason."""
    report, run = view.report, view.run
    skipped = [(code(name), prose(why), code(view.where(at))) for at, name, why in report.not_applicable]
    never = [(code(name), prose(why), code(view.where(at))) for at, name, why in report.never_created]
    faults = [(code(view.fault_place(fault)), prose(fault.message)) for fault in report.faults]
    ignored = [(code(run.relative(file)), prose(why)) for file, why in report.ignored]
    tables = (
        ("Could not be checked: nothing is known about it", ("Where", "What is wrong"), faults),
        (
            "Not judged, because they have no plain HTTP endpoint or are out of scope",
            ("Resource", "Why", "Where"),
            skipped,
        ),
        ("Never created", ("Bucket", "Why", "Where"), never),
        ("Files without a template", ("File", "Why"), ignored),
    )
    kept = [table(caption, heads, rows) for caption, heads, rows in tables if rows]
    return concat(*kept) if kept else tag("p", "Everything that was found was judged.")


def checked(view: View) -> Markup:
    """Return the options of the run, and the templates or accounts."""
    run, report = view.run, view.report
    pairs: list[tuple[str, Content]] = []
    if run.version:
        pairs.append(("secure-bucket", f"version {run.version}"))
    if run.timestamp:
        pairs.append(("Finished", run.timestamp))
    pairs += [(name, code(value)) for name, value in run.options]
    if run.exit_code is not None:
        pairs.append(("Exit code", str(run.exit_code)))
    options = pairs_list(pairs) if pairs else None
    if report.accounts:
        accounts = tag("ul", *(tag("li", code(account)) for account in report.accounts))
        return concat(options, tag("h3", "Accounts"), accounts)
    files = [tag("li", code(run.relative(file))) for file in report.templates]
    listed = tag("ul", *files) if files else tag("p", "No template was read from a file.")
    return concat(options, tag("h3", "Templates"), listed)


def _state(granted: GrantedException) -> str:
    if granted.expired:
        return "expired"
    return "in use" if granted.used else "unused"


def monitoring(report: Report, where: Callable[[Place], str]) -> Markup:
    """Return the resources that watch the buckets, as the templates declare them.

    Args:
        report: The report.
        where: Returns a place as text.
    """
    if report.accounts:
        return tag("p", "A review does not check the monitoring of live buckets.")
    if not report.safeguards:
        return tag("p", "These templates declare no monitoring of their buckets.")
    rows = [(code(one.subject.path), prose(one.what), code(where(one.at))) for one in report.safeguards]
    caption = "What the templates declare besides the denies; the check does not test it"
    return table(caption, ("Resource", "What it does", "Where"), rows)


def compliance(report: Report) -> Markup:
    """Return the requirements with the evidence of the report, and a line for each one without evidence."""
    running = bool(report.accounts)
    rows, missing = [], []
    for one in REQUIREMENTS:
        if running and not one.rules:
            continue
        shown = _shown(report, one)
        if shown is None:
            missing.append(_missing(one))
            continue
        reference = concat(tag("a", one.document, href=one.url), tag("p", f"{one.number}: {one.title}"))
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
    listed = concat(
        tag("p", "Not shown here, because these templates declare no resource for it:"),
        tag("ul", *missing, class_="lines"),
    )
    table_of = table("Requirements that this report supports", heads, rows)
    return concat(tag("p", words), table_of, listed if missing else None)


def _shown(report: Report, one: Requirement) -> Content:
    """Return the evidence for a requirement; `None` without evidence."""
    words = (one.shows_running if report.accounts else "") or one.shows
    if one.rules:
        return concat(tag("p", words), tag("p", f"By the verdicts, and {', '.join(one.rules)}."))
    names = dict.fromkeys(
        safeguard.subject.path for safeguard in report.safeguards if safeguard.kind in one.safeguards
    )
    if not names:
        return None
    return concat(tag("p", words), tag("ul", *(tag("li", code(name)) for name in names)))


def _missing(one: Requirement) -> Markup:
    first, *others = (tag("code", name) for name in one.constructs)
    answers = concat(first, *(concat(" or ", other) for other in others))
    return tag(
        "li", tag("a", one.document, href=one.url), f" {one.number}, {one.title}: ", answers, " adds it"
    )
