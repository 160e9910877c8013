"""The report as one page for the person who signs off: on a screen, on paper, or read aloud.

The page holds everything it needs: it loads nothing, runs nothing, and its content security policy tells
the browser to keep it so.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from textwrap import dedent

from typing_extensions import assert_never

from secure_bucket.findings.finding import Finding, GrantedException, Level, Report
from secure_bucket.findings.subject import Declared, Running
from secure_bucket.formats.cases import Case, Excused, cases_of, verdict_name
from secure_bucket.formats.characters import well_formed
from secure_bucket.formats.ending import Grade, ending_of
from secure_bucket.formats.extent import Excerpts
from secure_bucket.formats.html_parts import (
    NEWLINE,
    code,
    pairs_list,
    prose,
    request_pairs,
    sentence,
    table,
)
from secure_bucket.formats.html_references import compliance, monitoring
from secure_bucket.formats.markup import Content, Markup, each, lines, tag
from secure_bucket.formats.run import Run
from secure_bucket.formats.style import STYLE
from secure_bucket.formats.summary import count, summary
from secure_bucket.proof.verdict import Proven, Refuted, Undecided, Verdict
from secure_bucket.values.unknown import Place

__all__ = ["render"]

_GRADES = {Grade.PASSED: "good", Grade.RESERVED: "open", Grade.FAILED: "bad"}
_SIGNS = {"proven": ("good", "✓"), "refuted": ("bad", "✗"), "undecided": ("open", "?")}
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
    page = _Page(report, run)
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = each(
        Markup('<meta charset="utf-8">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        tag("title", f"Plain HTTP to S3 buckets: {page.outcome.words}"),
        Markup(f"<style>{STYLE}</style>"),
    )
    body = each(
        tag("a", "Skip to the verdicts", class_="skip", href="#verdicts"),
        page.header(),
        page.navigation(),
        tag("main", *page.sections()),
        page.footer(),
    )
    html = tag("html", tag("head", head), NEWLINE, tag("body", body), lang="en")
    return well_formed(f"<!DOCTYPE html>\n{html}\n")


class _Page:
    def __init__(self, report: Report, run: Run) -> None:
        self.report = report
        self.run = run
        self.excerpts = Excerpts(run.source)
        self.cases = cases_of(report)
        self.outcome = ending_of(report)

    @property
    def witness(self) -> str:
        """What the verdicts rest on."""
        return "policy" if self.report.accounts else "template"

    def header(self) -> Markup:
        report = self.report
        counts = (
            ("proven", report.proven),
            ("refuted", report.refuted),
            ("undecided", report.undecided),
            ("not judged", len(report.not_applicable)),
            *([("never created", len(report.never_created))] if report.never_created else []),
            ("not checked", len(report.faults)),
        )
        return tag(
            "header",
            tag("h1", "Do these S3 buckets answer plain HTTP?"),
            tag("p", self.outcome.words, class_=f"outcome {_GRADES[self.outcome.grade]}"),
            tag(
                "ul",
                *(tag("li", tag("strong", f"{number:,}"), name) for name, number in counts),
                class_="counts",
            ),
            tag("p", f"{summary(report)}. {self.when()}"),
            tag(
                "p",
                "A bucket is ",
                tag("strong", "proven"),
                " when its policy denies every possible request over plain HTTP: by anyone, of any action, "
                "to the bucket and to every object in it. It is ",
                tag("strong", "refuted"),
                " when a request gets through, which is then shown as the evidence, and ",
                tag("strong", "undecided"),
                f" when that depends on something the {self.witness} does not tell.",
            ),
        )

    def when(self) -> str:
        version = f" with secure-bucket {self.run.version}" if self.run.version else ""
        if not self.run.timestamp:
            return f"Checked{version}."
        day, _, time = self.run.timestamp.removesuffix("Z").partition("T")
        return f"Checked{version} on {day} at {time} UTC."

    def navigation(self) -> Markup:
        links = (tag("li", tag("a", title, href=f"#{anchor}")) for anchor, title in _SECTIONS)
        return tag("nav", tag("ul", *links), aria_label="Contents")

    def sections(self) -> Iterator[Markup]:
        contents = (
            self.verdicts(),
            self.evidence(),
            self.exceptions(),
            self.not_judged(),
            monitoring(self.report, self.where),
            compliance(self.report),
            self.checked(),
        )
        for (anchor, title), content in zip(_SECTIONS, contents, strict=True):
            yield tag(
                "section",
                tag("h2", title, id=f"{anchor}-title"),
                content,
                id=anchor,
                aria_labelledby=f"{anchor}-title",
            )
            yield NEWLINE
        names = ("Name", "Date", "Signature")
        yield tag(
            "section",
            tag("h2", "Signed off by", id="signed"),
            tag("ul", *(tag("li", name) for name in names), class_="sign"),
            aria_labelledby="signed",
        )

    def verdicts(self) -> Markup:
        rows = []
        for number, case in enumerate(self.cases):
            if case.bucket is None:
                continue
            name: Content = code(case.subject.path)
            if case.findings or case.excused or case.unexplained:
                name = tag("a", name, href=f"#case-{number}")
            match case.subject:
                case Running():
                    known = (case.subject.account, case.subject.region, case.subject.as_of)
                    place = ", ".join(filter(None, known))
                case Declared():
                    place = self.where(case.at)
                case _:
                    assert_never(case.subject)
            rows.append((name, _verdict(case), self.basis(case), code(place)))
        if not rows:
            return tag("p", "No bucket was judged.")
        return table("Every bucket that was judged", ("Bucket", "Verdict", "Why", "Where"), rows)

    def basis(self, case: Case) -> Content:
        assert case.bucket is not None
        verdict = case.bucket.verdict
        match verdict:
            case Proven():
                numbers = ", ".join(str(index + 1) for index in verdict.statements)
                statements = "statement" if len(verdict.statements) == 1 else "statements"
                why = (
                    f"Denied by {statements} {numbers} of its policy." if numbers else "Denied by its policy."
                )
            case Refuted():
                why = sentence(verdict.why)
            case Undecided():
                why = sentence("; ".join(unknown.reason for unknown in verdict.reasons))
            case _:
                assert_never(verdict)
        excuses = [tag("p", f"{one.finding.rule}: ", sentence(one.why)) for one in case.excused]
        others = len(case.findings) if isinstance(verdict, Proven) else 0
        more = tag("p", f"See {count(others, 'other finding')} on it.") if others else None
        return each(tag("p", why), *excuses, more)

    def evidence(self) -> Markup:
        articles = [
            self.article(number, case)
            for number, case in enumerate(self.cases)
            if case.findings or case.excused or case.unexplained
        ]
        return each(*articles) if articles else tag("p", "There is no finding.")

    def article(self, number: int, case: Case) -> Markup:
        kind = "Bucket" if case.bucket is not None else "Resource"
        verdict = each(": ", _verdict(case)) if case.bucket is not None else None
        parts: list[Content] = [
            tag("h3", f"{kind} ", code(case.subject.path), verdict, id=f"case-{number}-title")
        ]
        parts += [self.finding(finding) for finding in case.findings]
        parts += [self.excused(one) for one in case.excused]
        if case.unexplained and case.bucket is not None:
            parts.append(self.unexplained(case.bucket.verdict))
        return tag("article", *parts, id=f"case-{number}", aria_labelledby=f"case-{number}-title")

    def finding(self, finding: Finding, excuse: Content = None) -> Markup:
        style = {Level.ERROR: "bad", Level.WARNING: "open", Level.NOTE: "soft"}[finding.level]
        words = f"{finding.rule} {finding.level.value}"
        if excuse is not None:
            style, words = "open", f"{finding.rule} accepted"
        label = tag("span", words, class_=f"verdict {style}")
        pairs: list[tuple[str, Content]] = []
        if excuse is not None:
            pairs.append(("Accepted", excuse))
        if finding.request is not None:
            pairs += request_pairs(finding.request)
        if finding.parameters:
            values = ", ".join(f"{name} = {value}" for name, value in finding.parameters)
            pairs.append(("Happens when", code(values)))
        if finding.created_at is not None:
            pairs.append(("Created at", code(self.where(finding.created_at))))
        pairs += [("Written at", code(self.where(finding.at))), ("What to do", prose(finding.fix))]
        return each(
            tag("p", label, " ", prose(finding.message)),
            pairs_list(pairs),
            self.excerpt(finding.created_at or finding.at),
        )

    def excused(self, one: Excused) -> Markup:
        return self.finding(one.finding, sentence(one.why))

    def unexplained(self, verdict: Verdict) -> Markup:
        if isinstance(verdict, Refuted):
            return each(tag("p", sentence(verdict.why)), pairs_list(request_pairs(verdict.request)))
        reasons = verdict.reasons if isinstance(verdict, Undecided) else ()
        return tag("ul", *(tag("li", prose(str(reason))) for reason in reasons))

    def excerpt(self, at: Place) -> Markup | None:
        part = self.excerpts.at(at)
        return tag("pre", tag("code", lines(dedent("\n".join(part.lines))))) if part is not None else None

    def exceptions(self) -> Markup:
        rows = [
            (
                granted.rule,
                code(granted.subject.label),
                prose(granted.reason),
                granted.expires.isoformat() if granted.expires else "has no end",
                _state(granted),
                code(self.where(granted.at) or self.run.relative(granted.template)),
            )
            for granted in self.report.exceptions
        ]
        heads = ("Rule", "Resource", "Reason", "Ends", "State", "Where")
        granted = table("Every exception that was granted", heads, rows) if rows else None
        known = [
            (finding.rule, code(finding.subject.path), prose(finding.message))
            for finding in self.report.baselined
        ]
        baseline = None
        if known:
            caption = "Findings that the baseline already held, and that therefore do not fail the check"
            baseline = table(caption, ("Rule", "Resource", "Finding"), known)
        return each(granted or tag("p", "No exception was granted."), baseline)

    def not_judged(self) -> Markup:
        report = self.report
        skipped = [(code(name), prose(why), code(self.where(at))) for at, name, why in report.not_applicable]
        never = [(code(name), prose(why), code(self.where(at))) for at, name, why in report.never_created]
        faults = [
            (
                code(self.where(fault.at) or self.run.relative(fault.file) or "the check"),
                prose(fault.message),
            )
            for fault in report.faults
        ]
        ignored = [(code(self.run.relative(file)), prose(why)) for file, why in report.ignored]
        tables = [
            table("Could not be checked: nothing is known about it", ("Where", "What is wrong"), faults),
            table(
                "Not judged, because the question does not arise or is out of scope",
                ("Resource", "Why", "Where"),
                skipped,
            ),
            table("Never created", ("Bucket", "Why", "Where"), never),
            table("Files that are no templates", ("File", "Why"), ignored),
        ]
        kept = [one for one, rows in zip(tables, (faults, skipped, never, ignored), strict=True) if rows]
        return each(*kept) if kept else tag("p", "Everything that was found was judged.")

    def checked(self) -> Markup:
        pairs: list[tuple[str, Content]] = []
        if self.run.version:
            pairs.append(("secure-bucket", f"version {self.run.version}"))
        if self.run.timestamp:
            pairs.append(("Finished", self.run.timestamp))
        pairs += [(name, code(value)) for name, value in self.run.options]
        if self.run.exit_code is not None:
            pairs.append(("Exit code", str(self.run.exit_code)))
        if self.report.accounts:
            accounts = tag("ul", *(tag("li", code(account)) for account in self.report.accounts))
            return each(pairs_list(pairs) if pairs else None, tag("h3", "Accounts"), accounts)
        files = [tag("li", code(self.run.relative(file))) for file in self.report.templates]
        listed = tag("ul", *files) if files else tag("p", "No template was read from a file.")
        return each(pairs_list(pairs) if pairs else None, tag("h3", "Templates"), listed)

    def footer(self) -> Markup:
        return tag("footer", tag("p", f"Written by secure-bucket. {self.when()}"))

    def where(self, at: Place) -> str:
        file = self.run.relative(at.file)
        return f"{file}:{at.line}" if file and at.line else file or at.pointer


def _verdict(case: Case) -> Markup:
    assert case.bucket is not None
    name = verdict_name(case.bucket.verdict)
    style, sign = _SIGNS[name]
    words = name
    if name != "proven" and not case.fails:
        style = "open"
        words += ", accepted" if case.excused else ", as a warning"
    return tag("span", tag("span", sign, aria_hidden="true"), f" {words}", class_=f"verdict {style}")


def _state(granted: GrantedException) -> str:
    if granted.expired:
        return "expired"
    return "in use" if granted.used else "unused"
