"""Show every verdict in a table that the reader can filter, and the evidence for each finding."""

from __future__ import annotations

from collections import Counter

from secure_bucket.findings.advice import plain_advice
from secure_bucket.formats.cases import Case
from secure_bucket.formats.html_parts import NEWLINE, code, prose, request_line, scroller, sentence
from secure_bucket.formats.html_view import View
from secure_bucket.formats.markup import Content, Markup, concat, tag
from secure_bucket.formats.summary import count
from secure_bucket.proof.verdict import Proven, Refuted, Undecided

__all__ = ["evidence", "verdicts"]

_CONTROLS = (("verdict", "Verdict"), ("file", "File"), ("reason", "Reason"), ("sort", "Sort by"))


def verdicts(view: View) -> Markup:
    """Return the table of all buckets, grouped by file, and the controls to filter it."""
    bodies = []
    for name, members in view.groups().items():
        rows = [_row(view, number, case) for number, case in members if case.bucket is not None]
        if rows:
            head = tag("tr", tag("th", code(name), colspan="4", scope="rowgroup"), class_="file")
            bodies.append(tag("tbody", head, NEWLINE, *(concat(row, NEWLINE) for row in rows)))
    if not bodies:
        return tag("p", "No bucket was judged.")
    caption = "Every bucket that was judged"
    heads = tag("tr", *(tag("th", head, scope="col") for head in ("Bucket", "Verdict", "Why", "Where")))
    parts = (tag("caption", caption), tag("thead", heads), *bodies)
    table = tag("table", *parts, id="buckets", class_="wide")
    return concat(_controls(), scroller(table, caption))


def _controls() -> Markup:
    """Return the controls, which stay hidden until the script of the page fills them."""
    selects = (tag("label", words, " ", tag("select", id=f"by-{name}")) for name, words in _CONTROLS)
    return tag("div", *selects, tag("p", role="status", id="shown"), id="controls", hidden="")


def _row(view: View, number: int, case: Case) -> Markup:
    assert case.bucket is not None
    name: Content = code(case.subject.path)
    if case.findings or case.excused or case.unexplained:
        name = tag("a", name, href=f"#case-{number}")
    excuses = [tag("p", f"{one.finding.rule}: ", sentence(one.why)) for one in case.excused]
    others = len(case.findings) if isinstance(case.bucket.verdict, Proven) else 0
    more = tag("p", f"See {count(others, 'other finding')} on it.") if others else None
    as_of = getattr(case.subject, "as_of", "")
    line = f"as of {as_of}" if as_of else f"line {case.at.line}" if case.at.line else ""
    why = sentence(view.reason(case))
    return tag(
        "tr",
        tag("th", name, scope="row"),
        tag("td", view.verdict(case)),
        tag("td", tag("p", why) if excuses or more else why, *excuses, more),
        tag("td", line),
    )


def evidence(view: View) -> Markup:
    """Return each finding with its request and its lines, grouped by file."""
    parts = []
    for name, members in view.groups().items():
        shown = [
            (number, case) for number, case in members if case.findings or case.excused or case.unexplained
        ]
        if not shown:
            continue
        advice = Counter(plain_advice(each) for _, case in shown for each in case.findings)
        common = next((words for words, number in advice.most_common(1) if number > 1), "")
        head = concat(tag("h3", code(name)), tag("p", "Fix: ", prose(common)) if common else None)
        cards = (concat(_card(view, number, case, common), NEWLINE) for number, case in shown)
        parts.append(tag("div", head, *cards, class_="group"))
    return concat(*parts) if parts else tag("p", "Nothing was found.")


def _card(view: View, number: int, case: Case, common: str) -> Markup:
    """Return the findings on one bucket.

    Args:
        view: The report and its run.
        number: The number of the case.
        case: The case.
        common: The fix that the whole group shows.
    """
    verdict = concat(" ", view.verdict(case)) if case.bucket is not None else None
    parts: list[Content] = [tag("h4", code(case.subject.path), verdict)]
    parts += [view.finding(one, fix=plain_advice(one) != common) for one in case.findings]
    parts += [view.finding(one.finding, excuse=one.why) for one in case.excused]
    if case.unexplained and case.bucket is not None:
        match case.bucket.verdict:
            case Refuted(request=request, why=why):
                parts += [tag("p", sentence(why)), tag("p", "Request: ", request_line(request))]
            case Undecided(reasons=reasons):
                parts.append(tag("ul", *(tag("li", prose(str(reason))) for reason in reasons)))
            case _:
                pass  # A proven bucket is never unexplained.
    return tag("article", *parts, id=f"case-{number}")
