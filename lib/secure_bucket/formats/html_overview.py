"""Show the first screen of the page: the problems, their places, and the next steps."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from secure_bucket.findings.advice import plain_advice
from secure_bucket.findings.finding import Level
from secure_bucket.formats.cases import Case
from secure_bucket.formats.ending import Ending, Grade
from secure_bucket.formats.html_parts import code, prose
from secure_bucket.formats.html_view import View
from secure_bucket.formats.markup import Content, Markup, concat, tag
from secure_bucket.formats.summary import summary
from secure_bucket.proof.verdict import Proven, Undecided

__all__ = ["definitions", "overview"]

_MOST = 5
_GRADES = {Grade.PASSED: "good", Grade.RESERVED: "open", Grade.FAILED: "bad"}


def overview(view: View, ending: Ending, when: str) -> Markup:
    """Return the head of the page.

    Args:
        view: The report and its run.
        ending: The result of the check.
        when: The sentence about the time and the version of the check.
    """
    return tag(
        "header",
        tag("h1", "Do these S3 buckets accept plain HTTP?"),
        tag("p", ending.words, class_=f"outcome {_GRADES[ending.grade]}"),
        tag("div", *_columns(view), class_="three") if ending.grade is Grade.FAILED else None,
        tag("p", prose(f"{summary(view.report)}. {when}")),
    )


def _columns(view: View) -> Iterator[Markup]:
    report = view.report
    failing = [case for case in view.cases if case.fails]
    # The verdict is not what is wrong with a proven bucket that fails: another finding is.
    wrong = Counter(
        view.reason(case)
        for case in failing
        if case.bucket is not None and not isinstance(case.bucket.verdict, Proven)
    )
    wrong.update(
        finding.message
        for case in failing
        if case.bucket is None or isinstance(case.bucket.verdict, Proven)
        for finding in case.findings
        if finding.level is Level.ERROR
    )
    wrong.update(fault.message for fault in report.faults)
    yield _column("What is wrong", ((prose(words), number) for words, number in _ranked(wrong)), wrong)
    where = Counter(view.group(case) for case in failing)
    where.update(view.fault_place(fault) for fault in report.faults)
    yield _column("Where", ((code(name), number) for name, number in where.most_common(_MOST)), where)
    steps = Counter(step for case in failing for step in _steps(case))
    if report.faults:
        steps["fix the files that could not be checked, then check again"] += len(report.faults)
    yield _column("What to do next", ((prose(words), number) for words, number in _ranked(steps)), steps)


def _steps(case: Case) -> Iterator[str]:
    for finding in case.findings:
        if finding.level is Level.ERROR:
            yield plain_advice(finding) or f"run `secure-bucket explain {finding.rule}`"
    if case.unexplained and case.bucket is not None:
        undecided = isinstance(case.bucket.verdict, Undecided)
        yield f"run `secure-bucket explain {'SB002' if undecided else 'SB001'}`"


def _ranked(counts: Counter[str]) -> list[tuple[str, int]]:
    """Return the most frequent texts; many texts that differ only in quoted names count together."""
    if len(counts) > _MOST:
        alike: dict[str, list[str]] = {}
        for text in counts:
            alike.setdefault(re.sub("`[^`]+`", "", text), []).append(text)
        for first, *others in alike.values():
            if others:
                number = counts.pop(first) + sum(counts.pop(other) for other in others)
                counts[f"{first}; {len(others):,} more like it"] = number
    return counts.most_common(_MOST)


def _column(title: str, rows: Iterable[tuple[Content, int]], counts: Counter[str]) -> Markup:
    items = [tag("li", words, tag("span", f" ({number:,})", class_="soft")) for words, number in rows]
    more = len(counts) - len(items)
    if more > 0:
        items.append(tag("li", f"and {more:,} more"))
    return tag("div", tag("h2", title), tag("ul", *items))


def definitions(witness: str) -> Markup:
    """Return the meaning of the verdicts.

    Args:
        witness: The basis of the verdicts: `template` or `policy`.
    """
    return tag(
        "p",
        "A bucket is ",
        tag("b", "proven"),
        " when its policy denies every possible request over plain HTTP: by anyone, of any action, to the "
        "bucket and to every object in it. It is ",
        tag("b", "refuted"),
        " when a request gets through, which the evidence shows, and ",
        tag("b", "undecided"),
        concat(f" when that depends on something that the {witness} does not tell."),
    )
