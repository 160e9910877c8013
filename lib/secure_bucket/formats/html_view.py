"""Show parts of a report as HTML: verdicts, findings, places and excerpts."""

from __future__ import annotations

from textwrap import dedent

from secure_bucket.findings.advice import plain_advice
from secure_bucket.findings.finding import Fault, Finding, Level, Report
from secure_bucket.findings.subject import Declared, Running
from secure_bucket.formats.cases import Case, cases_of, verdict_name
from secure_bucket.formats.extent import Excerpts
from secure_bucket.formats.html_parts import code, prose, request_line, sentence
from secure_bucket.formats.markup import Content, Markup, concat, lines, tag
from secure_bucket.formats.run import Run
from secure_bucket.proof.verdict import Proven, Refuted, Undecided
from secure_bucket.values.never import assert_never
from secure_bucket.values.unknown import Place

__all__ = ["View"]

# The style sheet puts a sign before each.
_VERDICTS = {"proven": "yes", "refuted": "no", "undecided": "maybe"}
_STYLES = {Level.ERROR: "bad", Level.WARNING: "open", Level.NOTE: "soft"}


class View:
    """Shows the parts of a report for the sections of the page.

    Args:
        report: The report.
        run: The run.
    """

    def __init__(self, report: Report, run: Run) -> None:
        self.report = report
        self.run = run
        self.cases: tuple[Case, ...] = cases_of(report)
        self._excerpts = Excerpts(run.source)

    def where(self, at: Place) -> str:
        """Return a place as text, with its file relative to the root of the run."""
        file = self.run.relative(at.file)
        return f"{file}:{at.line}" if file and at.line else file or at.pointer

    def fault_place(self, fault: Fault) -> str:
        """Return the place of a fault."""
        return self.where(fault.at) or self.run.relative(fault.file) or "the check"

    def group(self, case: Case) -> str:
        """Return the file of a case, or the account and region of a live bucket."""
        match case.subject:
            case Running():
                return ", ".join(filter(None, (case.subject.account, case.subject.region))) or "live buckets"
            case Declared():
                return self.run.relative(case.at.file) or case.subject.template or "no file"
            case _:
                assert_never(case.subject)

    def groups(self) -> dict[str, list[tuple[int, Case]]]:
        """Return the numbered cases by file or account, the failing ones first."""
        found: dict[str, list[tuple[int, Case]]] = {}
        for number, case in enumerate(self.cases):
            found.setdefault(self.group(case), []).append((number, case))
        for members in found.values():
            members.sort(key=lambda pair: not pair[1].fails)
        return dict(sorted(found.items(), key=lambda item: not item[1][0][1].fails))

    def verdict(self, case: Case) -> Markup:
        """Return the verdict on a bucket."""
        assert case.bucket is not None
        name = verdict_name(case.bucket.verdict)
        style, words = _VERDICTS[name], name
        if name != "proven" and not case.fails:
            style += " open"
            words += ", accepted" if case.excused else ", as a warning"
        return tag("b", words, class_=style)

    def reason(self, case: Case) -> str:
        """Return why a bucket has its verdict, as a clause."""
        assert case.bucket is not None
        verdict = case.bucket.verdict
        match verdict:
            case Proven():
                numbers = ", ".join(str(index + 1) for index in verdict.statements)
                statements = "statement" if len(verdict.statements) == 1 else "statements"
                return (
                    f"denied by {statements} {numbers} of its policy" if numbers else "denied by its policy"
                )
            case Refuted():
                return verdict.why
            case Undecided():
                return "; ".join(unknown.reason for unknown in verdict.reasons)
            case _:
                assert_never(verdict)

    def finding(self, finding: Finding, *, excuse: str = "", fix: bool = True) -> Markup:
        """Return a finding: its message, the request, the lines, and the fix.

        Args:
            finding: The finding.
            excuse: Why it does not count (default: it counts).
            fix: Whether to show its fix.
        """
        label = f"{finding.rule} {'accepted' if excuse else finding.level.value}"
        style = "open" if excuse else _STYLES[finding.level]
        at = finding.created_at or finding.at
        # The heading of the group names the file.
        same = bool(at.line) and at.file == finding.template
        place: Content = tag("i", f" line {at.line}" if same else concat(" at ", code(self.where(at))))
        # The heading of the card names the bucket.
        message = finding.message.removeprefix(f"bucket `{finding.subject.label}`: ")
        return concat(
            tag("p", tag("b", label, class_=style), " ", prose(message), place if at.file else None),
            tag("p", sentence(excuse)) if excuse else None,
            tag("p", "Request: ", request_line(finding.request)) if finding.request is not None else None,
            self.excerpt(at) if at.pointer.count("/") > 2 or not same else None,
            tag("p", "Fix: ", prose(plain_advice(finding))) if fix and not excuse else None,
        )

    def excerpt(self, at: Place) -> Markup | None:
        """Return the lines at a place; `None` if the file is not available."""
        part = self._excerpts.at(at)
        return tag("pre", tag("code", lines(dedent("\n".join(part.lines))))) if part is not None else None
