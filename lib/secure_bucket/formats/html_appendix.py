"""Show the remaining sections of the page: exceptions, skipped resources, and the options of the run."""

from __future__ import annotations

from secure_bucket.findings.finding import GrantedException
from secure_bucket.formats.html_parts import code, pairs_list, prose, table
from secure_bucket.formats.html_view import View
from secure_bucket.formats.markup import Content, Markup, each, tag

__all__ = ["checked", "exceptions", "not_judged"]


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
