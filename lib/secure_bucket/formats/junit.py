"""Write the report as JUnit XML, for build servers that show tests: one test case for each bucket.

The document is valid against both schemas in use: that of Jenkins (`junit-10.xsd` of its xUnit plugin) and
its predecessor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from secure_bucket.findings.advice import plain_advice
from secure_bucket.findings.finding import Fault, Finding, Level, Report
from secure_bucket.findings.subject import Declared, Running
from secure_bucket.formats.cases import Case, cases_of, verdict_name
from secure_bucket.formats.characters import well_formed, xml_text
from secure_bucket.formats.ending import closing
from secure_bucket.formats.run import Run
from secure_bucket.proof.verdict import Proven
from secure_bucket.values.never import assert_never
from secure_bucket.values.unknown import Place

__all__ = ["add_child", "document_of", "render", "test_of"]


def render(report: Report, run: Run) -> str:
    """Return the report as a JUnit XML document.

    A bucket that fails the gate is a failure. A bucket that passes without a proof, because of an exception,
    a baseline or `--undecided=warn`, is skipped with the reason. A fault is an error. Each template and each
    reviewed account is a suite.
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
            skipped = test_of(name, self.file(at.file))
            add_child(skipped, "skipped", why)
            suites.setdefault(self.file(at.file), []).append(skipped)
        for at, logical_id, why in report.never_created:
            never = test_of(logical_id, self.file(at.file))
            add_child(never, "skipped", f"never created: {why}")
            suites.setdefault(self.file(at.file), []).append(never)
        for fault in report.faults:
            suites.setdefault(self.file(fault.file), []).append(self.fault(fault))
        return document_of(suites or {self.file(""): []}, closing(report), self.run)

    def of(self, case: Case) -> str:
        match case.subject:
            case Declared():
                return self.file(case.template)
            case Running():
                return _account(case.account) if case.account else self.file("")
            case _:
                assert_never(case.subject)

    def case(self, case: Case) -> ElementTree.Element:
        test = test_of(case.subject.path, self.of(case))
        failed = [finding for finding in case.findings if finding.level is Level.ERROR]
        told = [self.told(finding) for finding in case.findings if finding not in failed]
        told += [f"{each.finding.rule}: {each.finding.message}\n{each.why}" for each in case.excused]
        for finding in failed:
            attributes = {"type": finding.rule, "message": xml_text(finding.message)}
            add_child(test, "failure", self.told(finding), attributes)
        unproven = case.bucket is not None and not isinstance(case.bucket.verdict, Proven)
        if case.unexplained and case.bucket is not None:
            verdict = verdict_name(case.bucket.verdict)
            add_child(test, "failure", "", {"type": verdict, "message": f"the bucket is {verdict}"})
        elif not failed and (case.excused or unproven):
            add_child(test, "skipped", "\n".join(told))
        elif told:
            add_child(test, "system-out", "\n".join(told))
        return test

    def told(self, finding: Finding) -> str:
        where = self.where(finding.created_at or finding.at)
        return f"{where}{finding.rule} {finding.level.value}: {finding.message}\nfix: {plain_advice(finding)}"

    def fault(self, fault: Fault) -> ElementTree.Element:
        test = test_of(self.run.relative(fault.file) or "secure-bucket", self.file(fault.file))
        attributes = {"type": "unchecked", "message": xml_text(fault.message)}
        add_child(test, "error", f"{self.where(fault.place)}{fault.message}", attributes)
        return test

    def where(self, at: Place) -> str:
        file = self.run.relative(at.file)
        return f"{file}:{at.line}:{at.column}: " if file and at.line else f"{file}: " if file else ""

    def file(self, file: str) -> str:
        return xml_text(self.run.relative(file)) or "secure-bucket"


def document_of(suites: Mapping[str, Sequence[ElementTree.Element]], closing: str, run: Run) -> str:
    """Return a JUnit XML document.

    Args:
        suites: The test cases of each suite, by its name; at least one suite.
        closing: The last line of the report.
        run: The run of the check.
    """
    root = ElementTree.Element("testsuites", {"name": "secure-bucket"})
    root.extend(_suite(name, tests, run) for name, tests in suites.items())
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.attrib[name]) for suite in root)))
    add_child(root[-1], "system-out", closing)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{well_formed(text)}\n'


def _suite(name: str, tests: Sequence[ElementTree.Element], run: Run) -> ElementTree.Element:
    counts = {
        name: str(sum(test.find(tag) is not None for test in tests))
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))
    }
    suite = ElementTree.Element("testsuite", {"name": name, "tests": str(len(tests)), **counts, "time": "0"})
    if run.timestamp:
        suite.set("timestamp", run.timestamp.removesuffix("Z"))
    properties = [each for each in (("version", run.version), *run.options) if each[1]]
    if properties:
        element = ElementTree.SubElement(suite, "properties")
        for option, value in properties:
            ElementTree.SubElement(element, "property", {"name": xml_text(option), "value": xml_text(value)})
    suite.extend(tests)
    return suite


def test_of(name: str, suite: str) -> ElementTree.Element:
    """Return a passing test case."""
    return ElementTree.Element("testcase", {"name": xml_text(name), "classname": suite, "time": "0"})


def add_child(
    parent: ElementTree.Element, tag: str, text: str, attributes: dict[str, str] | None = None
) -> None:
    """Add an element with a text."""
    ElementTree.SubElement(parent, tag, attributes or {}).text = xml_text(text)


def _account(account: str) -> str:
    """Return the name of the suite of an account."""
    return xml_text(f"account {account}")
