"""Show the remaining sections of the page: exceptions, skipped resources, options, and requirements."""

from __future__ import annotations

from collections.abc import Callable

from secure_bucket.findings.finding import GrantedException, Report
from secure_bucket.formats.compliance import REQUIREMENTS, Requirement
from secure_bucket.formats.html_parts import code, pairs_list, prose, table
from secure_bucket.formats.html_view import View
from secure_bucket.formats.markup import Content, Markup, each, tag
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
            each(
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
    return each(*parts)


def not_judged(view: View) -> Markup:
    """Return everything that has no verdict, each with the reason."""
    report, run = view.report, view.run
    skipped = [(code(name), prose(why), code(view.where(at))) for at, name, why in report.not_applicable]
    never = [(code(name), prose(why), code(view.where(at))) for at, name, why in report.never_created]
    faults = [(code(view.of_fault(fault)), prose(fault.message)) for fault in report.faults]
    ignored = [(code(run.relative(file)), prose(why)) for file, why in report.ignored]
    tables = (
        ("Could not be checked: nothing is known about it", ("Where", "What is wrong"), faults),
        (
            "Not judged, because the question does not arise or is out of scope",
            ("Resource", "Why", "Where"),
            skipped,
        ),
        ("Never created", ("Bucket", "Why", "Where"), never),
        ("Files without a template", ("File", "Why"), ignored),
    )
    kept = [table(caption, heads, rows) for caption, heads, rows in tables if rows]
    return each(*kept) if kept else tag("p", "Everything that was found was judged.")


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
        return each(options, tag("h3", "Accounts"), accounts)
    files = [tag("li", code(run.relative(file))) for file in report.templates]
    listed = tag("ul", *files) if files else tag("p", "No template was read from a file.")
    return each(options, tag("h3", "Templates"), listed)


def _state(granted: GrantedException) -> str:
    if granted.expired:
        return "expired"
    return "in use" if granted.used else "unused"


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
