"""Write the report as one HTML page, for screens, paper and screen readers.

The page loads nothing. Its content security policy allows only its own style sheet and its own script, by
their hashes. Without the script, the page shows the same content without filters.
"""

from __future__ import annotations

from collections.abc import Iterator

from secure_bucket.findings.finding import Report
from secure_bucket.formats.characters import well_formed
from secure_bucket.formats.ending import ending_of
from secure_bucket.formats.html_accounts import accounts
from secure_bucket.formats.html_appendix import checked, compliance, exceptions, monitoring, not_judged
from secure_bucket.formats.html_document import document_head
from secure_bucket.formats.html_overview import definitions, overview
from secure_bucket.formats.html_parts import NEWLINE
from secure_bucket.formats.html_style import SCRIPT, STYLE
from secure_bucket.formats.html_verdicts import evidence, verdicts
from secure_bucket.formats.html_view import View
from secure_bucket.formats.markup import Markup, concat, tag
from secure_bucket.formats.run import Run
from secure_bucket.formats.svg import CHART_STYLE, PATTERNS

__all__ = ["render"]

_SECTIONS = (
    ("verdicts", "Verdicts"),
    ("evidence", "Evidence"),
    ("exceptions", "Exceptions"),
    ("open", "Not judged"),
    ("monitoring", "Monitoring"),
    ("compliance", "Compliance references"),
    ("checked", "What was checked"),
)


def render(report: Report, run: Run) -> str:
    """Return the report as one self-contained HTML page."""
    view, ending, when = View(report, run), ending_of(report), _when(run)
    # Only reviews have charts.
    style = STYLE + CHART_STYLE if report.accounts else STYLE
    head = document_head(f"Plain HTTP to S3 buckets: {ending.words}", style, SCRIPT)
    links = (tag("li", tag("a", title, href=f"#{anchor}")) for anchor, title in _SECTIONS)
    body = concat(
        tag("a", "Skip to the verdicts", class_="skip", href="#verdicts"),
        PATTERNS if report.accounts else None,
        overview(view, ending, when),
        tag("nav", tag("ul", *links), aria_label="Contents"),
        tag("main", *_sections(view)),
        tag("footer", tag("p", f"Written by secure-bucket. {when}")),
        Markup(f"<script>{SCRIPT}</script>"),
    )
    html = tag("html", tag("head", head), NEWLINE, tag("body", body), lang="en")
    return well_formed(f"<!DOCTYPE html>\n{html}\n")


def _when(run: Run) -> str:
    version = f" with secure-bucket {run.version}" if run.version else ""
    if not run.timestamp:
        return f"Checked{version}."
    day, _, time = run.timestamp.removesuffix("Z").partition("T")
    return f"Checked{version} on {day} at {time} UTC."


def _sections(view: View) -> Iterator[Markup]:
    contents = (
        concat(
            definitions("policy" if view.report.accounts else "template"),
            accounts(view.report),
            verdicts(view),
        ),
        evidence(view),
        exceptions(view),
        not_judged(view),
        monitoring(view.report, view.where),
        compliance(view.report),
        checked(view),
    )
    for (anchor, title), content in zip(_SECTIONS, contents, strict=True):
        heading = tag("h2", title, id=f"{anchor}-title")
        yield tag("section", heading, content, id=anchor, aria_labelledby=f"{anchor}-title")
        yield NEWLINE
    names = tag("ul", *(tag("li", name) for name in ("Name", "Date", "Signature")), class_="sign")
    yield tag("section", tag("h2", "Signed off by", id="signed"), names, aria_labelledby="signed")
