"""The report as JUnit XML, for build servers that show tests: one test case for each bucket.

It keeps to what both schemas in use have in common: that of Jenkins (`junit-10.xsd` of its xUnit plugin)
and its predecessor.
"""

from __future__ import annotations

from xml.etree import ElementTree

from typing_extensions import assert_never

from secure_bucket.findings.advice import plain_advice
from secure_bucket.findings.finding import Fault, Finding, Level, Report
from secure_bucket.findings.subject import Declared, Running
from secure_bucket.formats.cases import Case, cases_of, verdict_name
from secure_bucket.formats.characters import well_formed, xml_text
from secure_bucket.formats.ending import closing
from secure_bucket.formats.run import Run
from secure_bucket.proof.verdict import Proven
from secure_bucket.values.unknown import Place

__all__ = ["render"]


def render(report: Report, run: Run) -> str:
    """Return the report as a JUnit XML document.

    A bucket that fails the gate is a failure. One that an exception, a baseline or `--undecided=warn` lets
    pass without a proof is skipped, with the reason: it did not pass. What could not be checked is an
    error. Each template is a suite, and each account whose buckets run.
    """
    return _Writer(run).document(report)


class _Writer:
    def __init__(self, run: Run) -> None:
        self.run = run

    def document(self, report: Report) -> str:
        names = (*map(self.file, report.templates), *map(_account, report.accounts))
        suites: dict[str, list[ElementTree.Element]] = {name: [] for name in names}
        for case in cases_of(report):
            suites.setdefault(self.of(case), []).append(self.case(case))
        for at, name, why in report.not_applicable:
            skipped = self.test(name, self.file(at.file))
            _child(skipped, "skipped", why)
            suites.setdefault(self.file(at.file), []).append(skipped)
        for at, logical_id, why in report.never_created:
            never = self.test(logical_id, self.file(at.file))
            _child(never, "skipped", f"never created: {why}")
            suites.setdefault(self.file(at.file), []).append(never)
        for fault in report.faults:
            suites.setdefault(self.file(fault.file), []).append(self.fault(fault))
        root = ElementTree.Element("testsuites", {"name": "secure-bucket"})
        elements = [self.suite(name, tests) for name, tests in suites.items()]
        for name in ("tests", "failures", "errors"):
            root.set(name, str(sum(int(element.attrib[name]) for element in elements)))
        root.extend(elements)
        if not elements:
            root.append(self.suite(self.file(""), []))
        _child(root[-1], "system-out", closing(report))
        ElementTree.indent(root)
        text = ElementTree.tostring(root, encoding="unicode")
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{well_formed(text)}\n'

    def suite(self, name: str, tests: list[ElementTree.Element]) -> ElementTree.Element:
        counts = {
            name: str(sum(test.find(tag) is not None for test in tests))
            for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))
        }
        suite = ElementTree.Element(
            "testsuite",
            {"name": name, "tests": str(len(tests)), **counts, "time": "0"},
        )
        if self.run.timestamp:
            suite.set("timestamp", self.run.timestamp.removesuffix("Z"))
        properties = [("version", self.run.version), *self.run.options]
        if any(value for _, value in properties):
            element = ElementTree.SubElement(suite, "properties")
            for option, value in properties:
                if value:
                    ElementTree.SubElement(
                        element, "property", {"name": xml_text(option), "value": xml_text(value)}
                    )
        suite.extend(tests)
        return suite

    def test(self, name: str, suite: str) -> ElementTree.Element:
        return ElementTree.Element("testcase", {"name": xml_text(name), "classname": suite, "time": "0"})

    def of(self, case: Case) -> str:
        match case.subject:
            case Declared():
                return self.file(case.template)
            case Running():
                return _account(case.account) if case.account else self.file("")
            case _:
                assert_never(case.subject)

    def case(self, case: Case) -> ElementTree.Element:
        test = self.test(case.subject.path, self.of(case))
        failed = [finding for finding in case.findings if finding.level is Level.ERROR]
        told = [self.told(finding) for finding in case.findings if finding not in failed]
        told += [f"{each.finding.rule}: {each.finding.message}\n{each.why}" for each in case.excused]
        for finding in failed:
            attributes = {"type": finding.rule, "message": xml_text(finding.message)}
            _child(test, "failure", self.told(finding), attributes)
        unproven = case.bucket is not None and not isinstance(case.bucket.verdict, Proven)
        if case.unexplained and case.bucket is not None:
            verdict = verdict_name(case.bucket.verdict)
            _child(test, "failure", "", {"type": verdict, "message": f"the bucket is {verdict}"})
        elif not failed and (case.excused or unproven):
            _child(test, "skipped", "\n".join(told))
        elif told:
            _child(test, "system-out", "\n".join(told))
        return test

    def told(self, finding: Finding) -> str:
        where = self.where(finding.created_at or finding.at)
        return f"{where}{finding.rule} {finding.level.value}: {finding.message}\nfix: {plain_advice(finding)}"

    def fault(self, fault: Fault) -> ElementTree.Element:
        test = self.test(self.run.relative(fault.file) or "secure-bucket", self.file(fault.file))
        attributes = {"type": "unchecked", "message": xml_text(fault.message)}
        _child(test, "error", f"{self.where(fault.place)}{fault.message}", attributes)
        return test

    def where(self, at: Place) -> str:
        file = self.run.relative(at.file)
        return f"{file}:{at.line}:{at.column}: " if file and at.line else f"{file}: " if file else ""

    def file(self, file: str) -> str:
        return xml_text(self.run.relative(file)) or "secure-bucket"


def _account(account: str) -> str:
    """Return the suite of the buckets that run in an account."""
    return xml_text(f"account {account}")


def _child(
    parent: ElementTree.Element, tag: str, text: str, attributes: dict[str, str] | None = None
) -> None:
    ElementTree.SubElement(parent, tag, attributes or {}).text = xml_text(text)
